// Counts of dense, sparse and ragged rows, against what TensorFlow 2.21 gives.
import { expect, test } from "vitest";
import * as tf from "../../index.ts";

/** Results as numbers, or the first line of an error. */
async function outcome(make: () => unknown): Promise<unknown> {
  const graph = new tf.Graph();
  const session = new tf.Session({ graph });
  const plain = (array: tf.NDArray): unknown => (array.dtype === "int64" ? array.cast("float64") : array).toArray();
  try {
    const made = graph.asDefault(make) as tf.Tensor | Record<string, tf.Tensor>;
    if (made instanceof tf.Tensor) return plain(await session.run(made));
    const { op: _, ...outputs } = made;
    return (await session.run(Object.values(outputs))).map(plain);
  } catch (error) {
    return (error as Error).message.split("\n")[0];
  } finally {
    await session.close();
  }
}

const none = (dtype: tf.DType = "float32"): tf.NDArray => tf.NDArray.zeros(dtype, [0]);
const unknown = (value: tf.TensorLike): tf.Tensor => tf.placeholderWithDefault(tf.convertToTensor(value, { dtype: "int32" }), null);
const int = (value: tf.ArrayLike, dtype: tf.DType = "int32"): tf.NDArray => tf.NDArray.from(value, dtype);
const empty = (...shape: number[]): tf.NDArray => tf.NDArray.zeros("int32", shape);

type Options = { binaryOutput?: boolean; minlength?: number; maxlength?: number };
const dense = (values: tf.TensorLike, weights: tf.TensorLike = none(), options: Options = {}) =>
  tf.rawOps.DenseCountSparseOutput({ values, weights, binaryOutput: false, ...options });

test.each<readonly [string, () => unknown, unknown]>([
  ["vector", () => dense(int([1, 3, 1, 1]), none("int64")), [[[1], [3]], [3, 1], [4]]],
  [
    "rows",
    () =>
      dense(
        int([
          [1, 3, 1],
          [0, 0, 4],
        ]),
        none("int64"),
      ),
    [
      [
        [0, 1],
        [0, 3],
        [1, 0],
        [1, 4],
      ],
      [2, 1, 2, 1],
      [2, 5],
    ],
  ],
  ["minlength", () => dense(int([1, 3]), none(), { minlength: 6 }), [[[1], [3]], [1, 1], [6]]],
  ["maxlength", () => dense(int([1, 3, 9]), none(), { maxlength: 4 }), [[[1], [3]], [1, 1], [4]]],
  ["both", () => dense(int([1, 3, 9]), none(), { maxlength: 2, minlength: 5 }), [[[1]], [1], [2]]],
  ["no length", () => dense(int([0, 0, 1]), none(), { maxlength: 0 }), [[], [], [0]]],
  ["weights", () => dense(int([1, 3, 1]), [1.5, 2, 3]), [[[1], [3]], [4.5, 2], [4]]],
  ["binary", () => dense(int([1, 3, 1]), [1.5, 2, 3], { binaryOutput: true }), [[[1], [3]], [1, 1], [4]]],
  ["empty", () => dense(empty(0)), [[], [], [1]]],
  ["empty rows", () => dense(empty(2, 0)), [[], [], [2, 1]]],
  ["int64", () => dense(int([5n, 2n ** 40n], "int64")), [[[5], [2 ** 40]], [1, 1], [2 ** 40 + 1]]],
  ["negative", () => dense(int([1, -3])), "Input values must all be non-negative"],
  ["a number", () => dense(int(3)), "Input must be a 1 or 2-dimensional tensor. Got: []"],
  ["a cube", () => dense(unknown([[[1]]])), "Input must be a 1 or 2-dimensional tensor. Got: [1,1,1]"],
  ["no rows", () => dense(empty(0, 3)), "Invalid input: Shapes dimension cannot be 0."],
])("dense: %s", async (_, make, expected) => {
  expect(await outcome(make)).toEqual(expected);
});

test("weights that do not fit, and static shapes", async () => {
  expect(await outcome(() => dense(int([1, 3, 1]), [1, 2]))).toMatch(
    /^Dimension 0 in both shapes must be equal, but are 2 and 3\. Shapes are \[2\] and \[3\]\. for /,
  );
  expect(await outcome(() => dense(unknown([1, 3, 1]), tf.placeholderWithDefault([1, 2], null)))).toBe(
    "Weights and values must have the same shape. Weight shape: [2]; values shape: [3]",
  );
  using _ = new tf.Graph().asDefault();
  expect(
    Object.values(dense(int([[1]])))
      .slice(0, 3)
      .map(t => String((t as tf.Tensor).shape)),
  ).toEqual(["(?, 2)", "(?,)", "(2,)"]);
});

const sparse = (
  indices: tf.TensorLike,
  values: tf.TensorLike,
  denseShape: tf.TensorLike,
  weights: tf.TensorLike = none(),
  options: Options = {},
) => tf.rawOps.SparseCountSparseOutput({ indices, values, denseShape, weights, binaryOutput: false, ...options });
const places = [
  [0, 1],
  [2, 0],
  [2, 2],
];
const nowhere = (rank: number): tf.NDArray => tf.NDArray.zeros("int64", [0, rank]);

test.each<readonly [string, () => unknown, unknown]>([
  ["vector", () => sparse([[0], [2], [3]], int([1, 4, 1]), [5]), [[[1], [4]], [2, 1], [5]]],
  [
    "rows",
    () => sparse(places, int([1, 4, 1]), [4, 3]),
    [
      [
        [0, 1],
        [2, 1],
        [2, 4],
      ],
      [1, 1, 1],
      [4, 5],
    ],
  ],
  [
    "weights",
    () => sparse(places, int([1, 1, 1]), [4, 3], [1, 2, 3]),
    [
      [
        [0, 1],
        [2, 1],
      ],
      [1, 5],
      [4, 2],
    ],
  ],
  [
    "binary",
    () => sparse(places, int([1, 1, 1]), [4, 3], none(), { binaryOutput: true }),
    [
      [
        [0, 1],
        [2, 1],
      ],
      [1, 1],
      [4, 2],
    ],
  ],
  ["rank 3", () => sparse([[0, 1, 0]], int([1]), [4, 3, 2]), [[[0, 1]], [1], [4, 2]]],
  ["lengths", () => sparse([[0, 1]], int([1]), [4, 3], none(), { minlength: 7, maxlength: 8 }), [[[0, 1]], [1], [4, 8]]],
  ["none", () => sparse(nowhere(2), empty(0), [4, 3]), [[], [], [4, 1]]],
  [
    "unordered",
    () =>
      sparse(
        [
          [2, 1],
          [0, 0],
        ],
        int([1, 1]),
        [4, 3],
      ),
    [
      [
        [0, 1],
        [2, 1],
      ],
      [1, 1],
      [4, 2],
    ],
  ],
  [
    "few weights",
    () => sparse(places, int([1, 4, 1]), [4, 3], [1, 2]),
    "Weights and values must have the same shape. Weight shape: [2]; values shape: [3]",
  ],
  [
    "outside",
    () =>
      sparse(
        [
          [0, 1],
          [9, 0],
        ],
        int([1, 1]),
        [4, 3],
      ),
    "Invalid index value at 1: dimension 0 has value 9 which is not in [0, 4) (as given by dense shape Tensor<type: int64 shape: [2] values: 4 3>",
  ],
  [
    "negative",
    () =>
      sparse(
        [
          [0, 1],
          [1, 0],
        ],
        int([1, -1]),
        [4, 3],
      ),
    "Input values must all be non-negative",
  ],
  [
    "few values",
    () =>
      sparse(
        [
          [0, 1],
          [1, 1],
        ],
        int([1]),
        [4, 3],
      ),
    "Number of values must match first dimension of indices.Got 1 values, indices shape: [2,2]",
  ],
  [
    "ranks",
    () => sparse([[0], [1]], int([1, 1]), [4, 3]),
    "Number of dimensions must match second dimension of indices.Got 2 dimensions, indices shape: [2,1]",
  ],
  ["no rows", () => sparse(nowhere(2), empty(0), [0, 3]), "Cannot allocate 0 batches, is the dense shape too wide?"],
])("sparse: %s", async (_, make, expected) => {
  expect(await outcome(make)).toEqual(expected);
});

const ragged = (splits: tf.TensorLike, values: tf.TensorLike, weights: tf.TensorLike = none(), options: Options = {}) =>
  tf.rawOps.RaggedCountSparseOutput({ splits, values, weights, binaryOutput: false, ...options });
const five = int([1, 1, 0, 5, 5]);

test.each<readonly [string, () => unknown, unknown]>([
  [
    "rows",
    () => ragged([0, 2, 2, 5], five),
    [
      [
        [0, 1],
        [2, 0],
        [2, 5],
      ],
      [2, 1, 2],
      [3, 6],
    ],
  ],
  [
    "weights",
    () => ragged([0, 2, 2, 5], five, [1, 2, 3, 4, 5]),
    [
      [
        [0, 1],
        [2, 0],
        [2, 5],
      ],
      [3, 3, 9],
      [3, 6],
    ],
  ],
  [
    "binary",
    () => ragged([0, 2, 2, 5], five, none(), { binaryOutput: true, minlength: 9 }),
    [
      [
        [0, 1],
        [2, 0],
        [2, 5],
      ],
      [1, 1, 1],
      [3, 9],
    ],
  ],
  [
    "splits that go back",
    () => ragged([0, 2, 1, 3], int([1, 1, 1])),
    [
      [
        [0, 1],
        [2, 1],
      ],
      [2, 1],
      [3, 2],
    ],
  ],
  ["a bad start", () => ragged([1, 2], int([1, 1])), "Splits must start with 0, not with 1"],
  ["a bad end", () => ragged([0, 1], int([1, 1])), "Splits must end with the number of values, got 1 instead of 2"],
  ["one split", () => ragged([0], empty(0)), "Must provide at least 2 elements for the splits argument"],
])("ragged: %s", async (_, make, expected) => {
  expect(await outcome(make)).toEqual(expected);
});

const sparseBins = (
  indices: tf.TensorLike,
  values: tf.TensorLike,
  denseShape: tf.TensorLike,
  size: tf.TensorLike,
  weights: tf.TensorLike = none(),
  binaryOutput = false,
) => tf.rawOps.SparseBincount({ indices, values, denseShape, size, weights, binaryOutput });
const raggedBins = (
  splits: tf.TensorLike,
  values: tf.TensorLike,
  size: tf.TensorLike,
  weights: tf.TensorLike = none(),
  binaryOutput = false,
) => tf.rawOps.RaggedBincount({ splits, values, size, weights, binaryOutput });
const [blank, only1] = [
  [0, 0, 0],
  [0, 1, 0],
];

test.each<readonly [string, () => unknown, unknown]>([
  ["sparse vector", () => sparseBins([[0], [2], [3]], int([1, 4, 1]), [5], int(5)), [0, 2, 0, 0, 1]],
  ["sparse rows", () => sparseBins(places, int([1, 4, 1]), [4, 3], int(3)), [only1, blank, only1, blank]],
  ["sparse weights", () => sparseBins(places, int([1, 1, 0]), [4, 3], int(3), [1, 2, 3]), [only1, blank, [3, 2, 0], blank]],
  ["sparse binary", () => sparseBins(places, int([1, 1, 1]), [4, 3], int(3), none(), true), [only1, blank, only1, blank]],
  ["sparse int64", () => sparseBins([[0], [2]], int([1, 1]), [4], int(3), none("int64")), [0, 2, 0]],
  [
    "sparse negative",
    () =>
      sparseBins(
        [
          [0, 1],
          [2, 0],
        ],
        int([1, -1]),
        [4, 3],
        int(3),
      ),
    [only1, blank, blank, blank],
  ],
  ["sparse, no bins", () => sparseBins([[0, 1]], int([1]), [2, 3], int(0)), [[], []]],
  [
    "sparse outside",
    () =>
      sparseBins(
        [
          [0, 1],
          [9, 0],
        ],
        int([1, 1]),
        [4, 3],
        int(3),
      ),
    "Sparse index tuple indices[1, :] = [9, 0] is out of bounds",
  ],
  [
    "sparse, few values",
    () =>
      sparseBins(
        [
          [0, 1],
          [1, 0],
        ],
        int([1]),
        [4, 3],
        int(3),
      ),
    "Number of elements in indices (2) and values (1) do not match",
  ],
  ["sparse, a vector of places", () => sparseBins([0], int([1]), [4], int(3)), "Sparse indices must be rank 2 but is rank 1"],
  [
    "ragged",
    () => raggedBins([0, 2, 2, 5], five, int(4)),
    [
      [0, 2, 0, 0],
      [0, 0, 0, 0],
      [1, 0, 0, 0],
    ],
  ],
  [
    "ragged weights",
    () => raggedBins([0, 2, 2, 5], int([1, 1, 0, 3, 3]), int(4), [1, 2, 3, 4, 5]),
    [
      [0, 3, 0, 0],
      [0, 0, 0, 0],
      [3, 0, 0, 9],
    ],
  ],
  [
    "ragged binary",
    () => raggedBins([0, 2, 2, 5], int([1, 1, 0, 3, 3]), int(4), none(), true),
    [
      [0, 1, 0, 0],
      [0, 0, 0, 0],
      [1, 0, 0, 1],
    ],
  ],
  ["ragged, a bad start", () => raggedBins([1, 2], int([1, 1]), int(4)), "Splits must start with 0, not with 1"],
  ["ragged, a bad end", () => raggedBins([0, 5], int([1, 1]), int(4)), "Splits must end with the number of values, got 5 instead of 2"],
  ["ragged, no splits", () => raggedBins([], empty(0), int(4)), "Splits must be non-empty"],
  ["ragged negative", () => raggedBins([0, 2], int([1, -1]), int(4)), "Input must be non-negative"],
  ["ragged, a bad size", () => raggedBins([0, 2], int([1, 1]), int(-4)), "size (-4) must be non-negative"],
])("bins: %s", async (_, make, expected) => {
  expect(await outcome(make)).toEqual(expected);
});

test("bins whose shape is known", () => {
  using _ = new tf.Graph().asDefault();
  expect(sparseBins(places, int([1, 4, 1]), [3, 4], int(5)).shape.toString()).toBe("(3, 5)");
  expect(sparseBins([[0]], int([1]), [3], int(5)).shape.toString()).toBe("(5,)");
  expect(() => sparseBins(places, int([1, 4, 1]), [4, 3], int(-3))).toThrow(/^size \(-3\) must be non-negative for /);
  expect(() => sparseBins([[0, 1, 1]], int([1]), [4, 3, 2], int(3))).toThrow(/^Input must be less than rank 2 for /);
  expect(() => sparseBins(places, int([1, 4, 1]), [4, 3], int([3]))).toThrow(/^Shape must be rank 0 but is rank 1 for /);
});
