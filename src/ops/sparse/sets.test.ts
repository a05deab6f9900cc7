// Sets, fingerprints, reductions to sparse tensors and functions of matrices, as TensorFlow 2.21 answered.

import { expect, test } from "vitest";
import { expectClose, expectGradients, someArray, valueOf, valuesOf } from "../../../test/values.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { constant, placeholderWithDefault } from "../array/array.ts";
import { parallelStack } from "../array/slicing.ts";
import { Fingerprint, fingerprint } from "../string/fingerprint.ts";
import { logm, sqrtm, TridiagonalMatMul } from "../linalg/functions.ts";
import { matmul } from "../math/matrix.ts";
import { setDifference, setIntersection, setSize, setUnion } from "./sets.ts";
import { SparseReduceMax, SparseReduceMaxSparse, SparseReduceSum, SparseReduceSumSparse } from "./sparse.ts";

const int64 = (values: readonly number[], shape: readonly number[]): NDArray => NDArray.from([...values], "int64", shape);
const bigs = (...values: number[]): bigint[] => values.map(BigInt);
const partsOf = ({ indices, values, denseShape }: SparseTensor): Tensor[] => [indices, values, denseShape];
/** Of no known value and shape while the graph is built. */
const late = (array: NDArray): Tensor => placeholderWithDefault(constant(array), null);

const dense = (): [Tensor, Tensor] => [
  constant(
    [
      [3, 3, 1],
      [5, 5, 5],
    ],
    "int32",
  ),
  constant(
    [
      [1, 2],
      [5, 5],
    ],
    "int32",
  ),
];
const sparseA = (): SparseTensor => new SparseTensor(int64([0, 0, 2, 0, 2, 1], [3, 2]), constant([4, 4, 9], "int32"), int64([3, 2], [2]));
const sparseB = (): SparseTensor => new SparseTensor(int64([0, 0, 1, 0], [2, 2]), constant([4, 8], "int32"), int64([3, 5], [2]));

test("sets of dense rows", async () => {
  expect(await valuesOf(() => partsOf(setDifference(...dense())))).toEqual([[bigs(0, 0)], [3], bigs(2, 1)]);
  expect(await valuesOf(() => partsOf(setUnion(...dense())))).toEqual([
    [bigs(0, 0), bigs(0, 1), bigs(0, 2), bigs(1, 0)],
    [1, 2, 3, 5],
    bigs(2, 3),
  ]);
  const words = (): Tensor => constant([["b", "a", "b"]], "string");
  expect(await valuesOf(() => partsOf(setUnion(words(), words())).slice(1))).toEqual([["a", "b"], bigs(1, 2)]);
});

test("sets of sparse rows, and of both kinds", async () => {
  expect(await valuesOf(() => partsOf(setUnion(sparseA(), sparseB())))).toEqual([
    [bigs(0, 0), bigs(1, 0), bigs(2, 0), bigs(2, 1)],
    [4, 8, 4, 9],
    bigs(3, 2),
  ]);
  expect(await valuesOf(() => partsOf(setDifference(sparseA(), sparseB(), { aminusb: false })))).toEqual([[bigs(1, 0)], [8], bigs(3, 1)]);
  expect(await valuesOf(() => partsOf(setIntersection(sparseA(), sparseB())))).toEqual([[bigs(0, 0)], [4], bigs(3, 1)]);
  expect(await valueOf(() => setSize(sparseA()))).toEqual([1, 0, 2]);
  // A sparse first set is the second of the op.
  const [rows] = await valuesOf(() => [setDifference(sparseA(), constant([[4], [0], [9]], "int32")).values]);
  expect(rows).toEqual([4]);
});

test.each<readonly [() => SparseTensor | Tensor, string]>([
  [() => setUnion(late(NDArray.from([1, 2], "int32")), late(NDArray.from([1, 2], "int32"))), "Shape [2] has rank 1 < 2"],
  [() => setUnion(late(NDArray.from([[1, 2]], "int32")), late(NDArray.from([[1], [3]], "int32"))), "Mismatched shapes [1] vs [2]"],
  [
    () => setSize(new SparseTensor(int64([0, 0, 0, 0], [2, 2]), constant([4, 4], "int32"), int64([3, 2], [2]))),
    "indices[1] = [0,0] is repeated",
  ],
  [() => setSize(new SparseTensor(int64([0], [1, 1]), constant([4], "int32"), int64([2], [1]))), "Invalid rank 1."],
  [
    () => Fingerprint({ data: late(NDArray.from([1], "float32", [])), method: "farmhash64" }),
    "`data` should have at least one dimension: []",
  ],
  [() => Fingerprint({ data: [1, 2], method: late(NDArray.from(["sha"], "string", [])) }), "Unsupported fingerprint method: sha"],
  [
    () => SparseReduceMax({ ...stored(), reductionAxes: late(NDArray.from([5], "int32")) }),
    "Invalid reduction dimension 5, for input with 2 dimensions.",
  ],
  [() => sqrtm(late(someArray([2, 3]))), "Input matrix must be square."],
])("refused %#", async (build, text) => {
  const made = (): Tensor => {
    const result = build();
    return result instanceof SparseTensor ? result.values : result;
  };
  await expect(valueOf(made)).rejects.toThrow(text);
});

test("while the graph is built", () => {
  expect(() => Fingerprint({ data: [1, 2], method: "sha" })).toThrow("Unsupported method: sha");
  expect(() => setUnion(constant([1, 2], "int32"), constant([1, 2], "int32"))).toThrow("Shape must be at least rank 2 but is rank 1");
});

test("fingerprints", async () => {
  expect(await valueOf(() => fingerprint(["a", "bc"]))).toEqual([
    [227, 117, 223, 182, 101, 66, 69, 179],
    [119, 129, 82, 223, 68, 160, 90, 83],
  ]);
  const words = [
    ["a", "bc"],
    ["", "d"],
  ];
  expect(await valueOf(() => fingerprint(words))).toEqual([
    [85, 27, 103, 37, 147, 177, 144, 87],
    [8, 35, 170, 152, 214, 154, 58, 109],
  ]);
});

const stored = () => ({
  inputIndices: int64([0, 0, 0, 2, 1, 1], [3, 2]),
  inputValues: constant([1, 5, -2], "float32"),
  inputShape: int64([3, 3], [2]),
});

test("reductions of sparse tensors", async () => {
  const axes = (...list: number[]) => ({ ...stored(), reductionAxes: constant(list, "int32", [list.length]) });
  expect(await valueOf(() => SparseReduceMax(axes(1)))).toEqual([5, -2, 0]);
  expect(await valueOf(() => SparseReduceMax({ ...axes(0), keepDims: true }))).toEqual([[1, -2, 5]]);
  // Without axes nothing is reduced, whatever TensorFlow's documentation says.
  const whole = [
    [1, 0, 5],
    [0, -2, 0],
    [0, 0, 0],
  ];
  expect(await valuesOf(() => [SparseReduceMax(axes()), SparseReduceSum(axes())])).toEqual([whole, whole]);
  const sparse = (made: ReturnType<typeof SparseReduceMaxSparse>): Tensor[] => [made.outputIndices, made.outputValues, made.outputShape];
  expect(await valuesOf(() => sparse(SparseReduceMaxSparse(axes(1))))).toEqual([[bigs(0), bigs(1)], [5, -2], bigs(3)]);
  expect(await valuesOf(() => sparse(SparseReduceSumSparse({ ...axes(0, 1), keepDims: true })))).toEqual([[bigs(0, 0)], [4], bigs(1, 1)]);
  expect(await valuesOf(() => sparse(SparseReduceSumSparse(axes(-1))))).toEqual([[bigs(0), bigs(1)], [6, -2], bigs(3)]);
});

test("roots and logarithms of matrices", async () => {
  const root = (rows: number[][]): Promise<unknown> => valueOf(() => sqrtm(constant(rows, "float64")));
  expectClose(
    await root([
      [4, 1],
      [2, 3],
    ]),
    [
      [1.962116505790891, 0.273951471708898],
      [0.5479029434177962, 1.6881650340819927],
    ],
    1e-13,
  );
  const half = Math.SQRT1_2;
  expectClose(
    await root([
      [0, -1],
      [1, 0],
    ]),
    [
      [half, -half],
      [half, half],
    ],
    1e-13,
  );
  expect(
    await root([
      [-1, 0],
      [0, -4],
    ]),
  ).toEqual([
    [Number.NaN, Number.NaN],
    [Number.NaN, Number.NaN],
  ]);
  const logarithm = await valueOf(() =>
    logm(
      constant(
        [
          [4, 1],
          [2, 3],
        ],
        "complex128",
      ),
    ),
  );
  const parts = (logarithm as { re: number; im: number }[][]).flat();
  expectClose(
    parts.map(({ re }) => re),
    [1.3040076684760482, 0.30543024395805174, 0.6108604879161034, 0.9985774245179967],
    1e-12,
  );
  // A larger one: the square of the root is the matrix again.
  const big = someArray([1, 7, 7], 3);
  for (let i = 0; i < 7; i++) big.set(8 * i, 4 + i);
  const back = await valueOf(() => {
    const r = sqrtm(constant(big));
    return matmul(r, r);
  });
  expectClose(back, big.toArray(), 1e-12);
});

test("gradients of roots and of tridiagonal products", async () => {
  const positive = someArray([2, 3, 3], 5);
  for (let i = 0; i < 18; i += 9) for (let k = 0; k < 3; k++) positive.set(i + 4 * k, 3 + k);
  await expectGradients(([x]) => sqrtm(x), [positive]);
  await expectGradients(
    ([superdiag, maindiag, subdiag, rhs]) => TridiagonalMatMul({ superdiag, maindiag, subdiag, rhs }),
    [someArray([2, 1, 4]), someArray([2, 1, 4], 2), someArray([2, 1, 4], 3), someArray([2, 4, 3], 4)],
  );
});

test("stacked in parallel", async () => {
  expect(
    await valueOf(() =>
      parallelStack([
        [1, 2],
        [3, 4],
      ]),
    ),
  ).toEqual([
    [1, 2],
    [3, 4],
  ]);
});
