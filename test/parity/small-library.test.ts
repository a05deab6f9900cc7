// Small functions of the library against recordings of TensorFlow (generate/small_library.py).

import { describe } from "vitest";
import * as tf from "../../src/index.ts";
import { compareWithRecording, type Made, parameter } from "./library-programs.ts";

const { linalg: la, nn, debugging } = tf;
const A = [
  [4, 1, 0.5],
  [1, 3, -1],
  [0.5, -1, 5],
];
const definite = { isSelfAdjoint: true, isPositiveDefinite: true };
const inOrder = ({ i, x, r, p, gamma }: ReturnType<typeof la.experimental.conjugateGradient>): tf.Tensor[] => [i, x, r, p, gamma];
const behind = (check: tf.Operation, x: tf.Tensor): tf.Tensor => tf.controlDependencies([check], () => tf.identity(x));
const floats = (values: tf.TensorLike): tf.Tensor => tf.constant(values as number, "float32");
const refused =
  (pairs: readonly (readonly [number[], string[] | number])[], message?: string): (() => Made) =>
  () => {
    const shapes = pairs.map(([shape, symbols]) => [tf.zeros(shape), symbols as string[]] as const);
    return { fetch: debugging.assertShapes(shapes, { message }) };
  };

function normalized(training: boolean | tf.Tensor, options: Parameters<typeof tf.layers.batchNormalization>[1] & object): Made {
  const rows = [
    [1, 2, 3],
    [2, 0, 5],
    [4, 1, -1],
    [0.5, 3, 2],
  ];
  const x = parameter(rows, "x");
  const gammaInitializer = tf.constantInitializer([1, 2, 0.5]);
  const made = tf.layers.batchNormalization(x, { training, momentum: 0.9, gammaInitializer, ...options });
  const updates = tf.getCollection(tf.GraphKeys.UPDATE_OPS) as tf.Operation[];
  return { fetch: [made, ...updates.map(update => tf.stopGradient(update.outputs[0]))] };
}
function normalizedIf(isTraining: boolean, options: Parameters<typeof normalized>[1]): Made {
  const training = tf.placeholder("bool", [], { name: "training" });
  return { ...normalized(training, options), feeds: new Map([[training, isTraining]]) };
}
const adjustment = (shape: tf.Tensor): [tf.Tensor, tf.Tensor] => {
  const ones = tf.ones([shape.at(0), 1] as tf.TensorLike);
  return [ones.mul(1.5), ones.mul(0.25)];
};
const sparseRows = (): tf.SparseTensor => {
  const places = [
    [0, 0],
    [1, 2],
    [2, 1],
  ];
  return new tf.SparseTensor(places, tf.constant([1, 2, 3]), [3, 4]);
};
const diagonals = (fnOutputSignature: tf.SparseTensorSpec): unknown =>
  tf.mapFn(i => tf.sparse.fromDense([i, 0, i] as tf.TensorLike), tf.constant([1, 2, 3], "int32"), { fnOutputSignature });
/** Conditions and shapes are made of other nodes there. */
const otherNodes: ReadonlySet<string> = new Set(
  ["toward_averages", "toward_averages_within_bounds", "toward_averages_in_use", "toward_averages_while_training", "channels_first"]
    .concat(["in_parts", "in_parts_in_use", "adjusted", "adjusted_in_use"])
    .map(name => `normalized_${name}`),
);

const programs: Readonly<Record<string, () => Made>> = {
  gradient_method() {
    const op = new la.LinearOperatorFullMatrix(parameter(A, "a"), definite);
    return { fetch: inOrder(la.experimental.conjugateGradient(op, parameter([1, 2, 3], "b"), { tol: 1e-6, maxIter: 2 })) };
  },
  gradient_method_conditioned() {
    const op = new la.LinearOperatorFullMatrix(floats(A), definite);
    const preconditioner = new la.LinearOperatorDiag(Float32Array.of(0.25, 0.3, 0.2));
    const rhs = floats([
      [1, 2, 3],
      [0, 1, 0],
    ]);
    return { fetch: inOrder(la.experimental.conjugateGradient(op, rhs, { preconditioner, x: tf.ones([2, 3]), name: "mine" })) };
  },
  gradient_method_refused: () => ({
    fetch: la.experimental.conjugateGradient(new la.LinearOperatorFullMatrix(floats(A)), [1]),
  }),
  shapes_known() {
    const [x, y] = [tf.zeros([2, 3], { name: "x" }), tf.zeros([3, 4], { name: "y" })];
    const one = floats(1);
    return {
      fetch: behind(
        debugging.assertShapes([
          [x, ["N", "Q"]],
          [y, ["Q", 4]],
          [one, []],
        ]),
        x,
      ),
    };
  },
  shapes_open() {
    const x = tf.placeholder("float32", [null, 2], { name: "x" });
    const y = tf.placeholder("float32", [null, null], { name: "y" });
    const z = tf.placeholder("float32", null, { name: "z" });
    const checks = debugging.assertShapes(
      [
        [x, ["N", "D"]],
        [y, ["N", 3]],
        [z, ["...", "N"]],
        [y, ["*", null, 3]],
      ],
      { message: "mine" },
    );
    const ones = (...shape: number[]): tf.NDArray => tf.NDArray.full("float32", shape, 1);
    return {
      fetch: behind(checks, x),
      feeds: new Map([
        [x, ones(4, 2)],
        [y, ones(4, 3)],
        [z, ones(2, 4)],
      ]),
    };
  },
  shapes_differ() {
    const x = tf.placeholder("float32", [null], { name: "x" });
    return {
      fetch: behind(
        debugging.assertShapes(
          [
            [x, ["N"]],
            [tf.ones([3]), ["N"]],
          ],
          { message: "mine" },
        ),
        x,
      ),
      feeds: new Map([[x, [1]]]),
    };
  },
  shapes_unknown_rank() {
    const x = tf.placeholder("float32", null, { name: "x" });
    return {
      fetch: behind(
        debugging.assertShapes([
          [x, "AB"],
          [x, ["A", 2]],
        ]),
        x,
      ),
      feeds: new Map([[x, [[1, 2]]]]),
    };
  },
  dropouts() {
    const x = parameter(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      "x",
    );
    const rate = tf.placeholderWithDefault(tf.NDArray.from(0.25, "float32"), []);
    const { statelessDropout, generalDropout } = nn.experimental;
    const first = statelessDropout(x, 0.5, [1, 2]);
    const second = statelessDropout(x, rate, [3, 4], { noiseShape: [2, 1] });
    const constantly = generalDropout(x, 0.25, (shape, { dtype }) => tf.fill(shape, tf.constant(0.3, dtype)), { name: "mine" });
    return { fetch: [first, second, constantly, statelessDropout(x, 0, [1, 2])] };
  },
  dropout_rate: () => ({ fetch: nn.experimental.statelessDropout([1], 1.5, [1, 2]) }),
  unique_labels: () => ({
    fetch: nn.ctcUniqueLabels(
      tf.constant(
        [
          [1, 2, 1, 5],
          [3, 3, 0, 3],
        ],
        "int32",
      ),
    ),
  }),
  normalized_toward_averages: () =>
    normalized(true, {
      renorm: true,
      renormMomentum: 0.8,
      movingMeanInitializer: tf.constantInitializer([0.5, 1, 1.5]),
      movingVarianceInitializer: tf.constantInitializer([4, 1, 2]),
    }),
  normalized_toward_averages_within_bounds: () =>
    normalized(true, { renorm: true, renormClipping: { rmin: 0.9, rmax: 1.1, dmax: 0.2 }, name: "bounded", center: false }),
  normalized_toward_averages_in_use: () => normalizedIf(false, { renorm: true }),
  normalized_toward_averages_while_training: () => normalizedIf(true, { renorm: true, scale: false }),
  normalized_channels_first() {
    const x = parameter(
      tf.NDArray.from(
        Array.from({ length: 24 }, (_, i) => i ** 1.5),
        "float32",
        [2, 3, 2, 2],
      ),
      "x",
    );
    return { fetch: [tf.layers.batchNormalization(x, { axis: 1, training: true, renorm: true })] };
  },
  normalized_in_parts: () => normalized(true, { virtualBatchSize: 2 }),
  normalized_in_parts_in_use: () => normalized(false, { virtualBatchSize: 2 }),
  normalized_adjusted: () => normalized(true, { adjustment }),
  normalized_adjusted_in_use: () => normalizedIf(false, { adjustment }),
  normalized_bounds_refused: () => normalized(true, { renorm: true, renormClipping: { min: 1 } as object }),
  normalized_parts_refused: () => normalized(true, { virtualBatchSize: -1 }),
  normalized_both_refused: () => normalized(true, { virtualBatchSize: 2, adjustment }),
  dilated_dimensions() {
    const numbers = Array.from({ length: 96 }, (_, i) => i ** 1.5);
    const x = parameter(tf.NDArray.from(numbers, "float32", [2, 4, 3, 4]), "x");
    const open = tf.placeholderWithDefault(x, [null, null, null, 4]);
    type Op = Parameters<typeof nn.withSpaceToBatch>[3];
    const rows: Op = (value, _, padding) => nn.avgPool(value, [1, 2, 1, 1], [1, 1, 1, 1], padding as "VALID");
    const columns: Op = (value, _, padding) => nn.avgPool(value, [1, 1, 2, 1], [1, 1, 1, 1], padding as "VALID");
    const first = [
      nn.withSpaceToBatch(x, [2], "VALID", columns, { spatialDims: [2] }),
      nn.withSpaceToBatch(x, [2], "SAME", columns, { filterShape: [2], spatialDims: [2] }),
      nn.withSpaceToBatch(open, [2], "VALID", columns, { spatialDims: [2] }),
      nn.withSpaceToBatch(x, [2], "VALID", rows, { spatialDims: [1] }),
    ];
    return { fetch: [...first, nn.withSpaceToBatch(x, [2, 2], "VALID", (value, dims) => value.mul(dims), { spatialDims: [1, 3] })] };
  },
  dilated_dimensions_refused: () => ({
    fetch: nn.withSpaceToBatch(tf.zeros([2, 4, 3, 4]), [2, 2], "VALID", value => value, { spatialDims: [2, 1] }),
  }),
  dilated_dimensions_missing: () => ({
    fetch: nn.withSpaceToBatch(tf.zeros([2, 4, 3]), [2], "VALID", value => value, { spatialDims: [3] }),
  }),
  mapped_sums: () => ({ fetch: tf.mapFn(row => tf.sparse.reduceSum(row as tf.SparseTensor), sparseRows(), { dtype: "float32" }) }),
  mapped_as_they_are: () => ({ fetch: tf.mapFn(row => row, sparseRows()) }),
  mapped_into_known: () => ({ fetch: diagonals(new tf.SparseTensorSpec([null], "int32")) }),
  mapped_into_unknown: () => ({ fetch: diagonals(new tf.SparseTensorSpec(null, "int32")) }),
  mapped_nest: () => ({
    fetch: tf.mapFn(([row, x]: [tf.SparseTensor, tf.Tensor]) => [row, x.add(1)], [sparseRows(), tf.constant([1, 2, 3])]),
  }),
  mapped_ragged_and_sparse() {
    const rows = tf.ragged.constant([[1, 2], [], [3]]);
    const fnOutputSignature = [new tf.RaggedTensorSpec([null], "float32"), new tf.SparseTensorSpec([4], "float32")];
    const by = ([row, sparse]: [tf.RaggedTensor, tf.SparseTensor]): unknown => [row.mul(2), sparse.mul(3)];
    return { fetch: tf.mapFn(by, [rows, sparseRows()], { fnOutputSignature }) };
  },
  mapped_refused: () => ({
    fetch: tf.mapFn(i => i, tf.constant([1, 2, 3], "int32"), { fnOutputSignature: new tf.SparseTensorSpec(null, "int32") }),
  }),
  rows_kept() {
    const values = parameter([[1], [2]], "values");
    const indices = tf.constant([0, 3], "int32");
    const rows = new tf.IndexedSlices(values, indices, tf.constant([5, 1], "int32"));
    const stopped = tf.stopGradient(new tf.IndexedSlices(values, tf.constant([0, 3], "int32")));
    const kept = tf.identity(rows, { name: "kept" });
    return { fetch: [kept.values, kept.indices, kept.denseShape, stopped.values, stopped.indices] };
  },
  refused_size: refused([[[2], ["3"]]]),
  refused_rank: refused([[[2, 2], ["N"]]], "mine"),
  refused_number: refused([[[2], 3]]),
  refused_star: refused([
    [
      [2, 3],
      ["N", "*"],
    ],
  ]),
  refused_name: refused([
    [[2], ["N"]],
    [[3], ["N"]],
  ]),
};

describe("small functions", () => {
  compareWithRecording("small-library", programs, otherNodes);
});
