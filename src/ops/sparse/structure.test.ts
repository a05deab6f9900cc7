// Sparse tensors taken apart and put together, and the gradients through that: answers of TensorFlow 2.21.

import * as tf from "tensorloom";
import { expect, test } from "vitest";

const a = (): tf.SparseTensor =>
  new tf.SparseTensor(
    [
      [0, 1],
      [2, 0],
      [1, 3],
    ],
    [1, 2, 3],
    [3, 4],
  );
const b = (): tf.SparseTensor =>
  new tf.SparseTensor(
    [
      [0, 1],
      [1, 1],
      [2, 3],
    ],
    [-1, 5, 7],
    [3, 4],
  );
const sorted = (): tf.SparseTensor => tf.sparseReorder(a());
const pairs = [
  [0, 0],
  [0, 1],
  [1, 0],
];
const parts = ({ indices, values, denseShape }: tf.SparseTensor): tf.Tensor[] => [indices, values, denseShape];
function filled(): tf.Tensor[] {
  const [sparse, isEmpty] = tf.sparseFillEmptyRows(
    new tf.SparseTensor(
      [
        [0, 1],
        [2, 0],
      ],
      [1, 2],
      [4, 2],
    ),
    9,
  );
  return [...parts(sparse), isEmpty];
}
/** By the values of a sparse tensor. */
function gradient(of: (x: tf.SparseTensor) => tf.Tensor): tf.Tensor[] {
  const values = tf.constant([1, 2, 3]);
  return tf.gradients(
    of(
      new tf.SparseTensor(
        [
          [0, 1],
          [1, 3],
          [2, 0],
        ],
        values,
        [3, 4],
      ),
    ),
    [values],
  ) as tf.Tensor[];
}

const plain = (array: tf.NDArray): unknown => (array.dtype === "int64" ? array.cast("float64") : array).toArray();

test.each<readonly [string, () => tf.Tensor[], unknown]>([
  [
    "reorder",
    () => parts(tf.sparseReorder(a())),
    [
      [
        [0, 1],
        [1, 3],
        [2, 0],
      ],
      [1.0, 3.0, 2.0],
      [3, 4],
    ],
  ],
  [
    "reshape",
    () => parts(tf.sparseReshape(a(), [2, -1])),
    [
      [
        [0, 1],
        [1, 2],
        [1, 1],
      ],
      [1.0, 2.0, 3.0],
      [2, 6],
    ],
  ],
  [
    "slice",
    () => parts(tf.sparseSlice(sorted(), [0, 1], [2, 9])),
    [
      [
        [0, 0],
        [1, 2],
      ],
      [1.0, 3.0],
      [2, 3],
    ],
  ],
  [
    "concat",
    () => parts(tf.sparseConcat(1, [sorted(), b()])),
    [
      [
        [0, 1],
        [0, 5],
        [1, 3],
        [1, 5],
        [2, 0],
        [2, 7],
      ],
      [1.0, -1.0, 3.0, 5.0, 2.0, 7.0],
      [3, 8],
    ],
  ],
  [
    "split",
    () => tf.sparseSplit({ spInput: sorted(), numSplit: 3, axis: 1 }).flatMap(parts),
    [
      [
        [0, 1],
        [2, 0],
      ],
      [1.0, 2.0],
      [3, 2],
      [],
      [],
      [3, 1],
      [[1, 0]],
      [3.0],
      [3, 1],
    ],
  ],
  [
    "add",
    () => parts(tf.sparseAdd(sorted(), b()) as tf.SparseTensor),
    [
      [
        [0, 1],
        [1, 1],
        [1, 3],
        [2, 0],
        [2, 3],
      ],
      [0.0, 5.0, 3.0, 2.0, 7.0],
      [3, 4],
    ],
  ],
  [
    "add thresh",
    () => parts(tf.sparseAdd(sorted(), b(), { threshold: 0.5 }) as tf.SparseTensor),
    [
      [
        [1, 1],
        [1, 3],
        [2, 0],
        [2, 3],
      ],
      [5.0, 3.0, 2.0, 7.0],
      [3, 4],
    ],
  ],
  [
    "add dense",
    () => [tf.sparseAdd(a(), tf.ones([3, 4])) as tf.Tensor],
    [
      [
        [1.0, 2.0, 1.0, 1.0],
        [1.0, 1.0, 1.0, 4.0],
        [3.0, 1.0, 1.0, 1.0],
      ],
    ],
  ],
  [
    "max",
    () => parts(tf.sparseMaximum(sorted(), b())),
    [
      [
        [0, 1],
        [1, 1],
        [1, 3],
        [2, 0],
        [2, 3],
      ],
      [1.0, 5.0, 3.0, 2.0, 7.0],
      [3, 4],
    ],
  ],
  [
    "min",
    () => parts(tf.sparseMinimum(sorted(), b())),
    [
      [
        [0, 1],
        [1, 1],
        [1, 3],
        [2, 0],
        [2, 3],
      ],
      [-1.0, 0.0, 0.0, 0.0, 0.0],
      [3, 4],
    ],
  ],
  [
    "fill",
    () => filled(),
    [
      [
        [0, 1],
        [1, 0],
        [2, 0],
        [3, 0],
      ],
      [1.0, 9.0, 2.0, 9.0],
      [4, 2],
      [false, true, false, true],
    ],
  ],
  [
    "retain",
    () => parts(tf.sparseRetain(a(), [true, false, true])),
    [
      [
        [0, 1],
        [1, 3],
      ],
      [1.0, 3.0],
      [3, 4],
    ],
  ],
  [
    "transpose",
    () => parts(tf.sparseTranspose(a())),
    [
      [
        [0, 2],
        [1, 0],
        [3, 1],
      ],
      [2.0, 1.0, 3.0],
      [4, 3],
    ],
  ],
  [
    "merge",
    () =>
      parts(
        tf.sparseMerge(
          new tf.SparseTensor(pairs, tf.constant([4, 2, 3], tf.int64), [2, 2]),
          new tf.SparseTensor(pairs, [1, 2, 3], [2, 2]),
          5,
        ),
      ),
    [
      [
        [0, 2],
        [0, 4],
        [1, 3],
      ],
      [2.0, 1.0, 3.0],
      [2, 5],
    ],
  ],
  ["g add", () => gradient(x => (tf.sparseAdd(x, b()) as tf.SparseTensor).values.mul([1, 2, 3, 4, 5])), [[1.0, 3.0, 4.0]]],
  ["g slice", () => gradient(x => tf.sparseSlice(x, [0, 1], [2, 9]).values.mul([1, 2])), [[1.0, 2.0, 0.0]]],
  [
    "g reorder",
    () =>
      gradient(x =>
        tf
          .sparseReorder(
            new tf.SparseTensor(
              [
                [2, 1],
                [1, 3],
                [0, 0],
              ],
              x.values,
              [3, 4],
            ),
          )
          .values.mul([1, 2, 3]),
      ),
    [[3.0, 2.0, 1.0]],
  ],
  [
    "g dense",
    () => gradient(x => (tf.sparseAdd(x, tf.ones([3, 4])) as tf.Tensor).mul(tf.reshape(tf.range(12, { dtype: tf.float32 }), [3, 4]))),
    [[1.0, 7.0, 8.0]],
  ],
  [
    "g fill",
    () =>
      gradient(x =>
        tf
          .sparseFillEmptyRows(
            new tf.SparseTensor(
              [
                [0, 1],
                [2, 3],
                [2, 4],
              ],
              x.values,
              [4, 9],
            ),
            9,
          )[0]
          .values.mul([1, 2, 3, 4, 5]),
      ),
    [[1.0, 3.0, 4.0]],
  ],
  ["g sum", () => gradient(x => tf.sparseReduceSum(x, [1]).mul([1, 2, 3])), [[1.0, 2.0, 3.0]]],
])("%s", async (_, build, want) => {
  for (const backend of ["wasm", "reference"] as const) {
    const graph = new tf.Graph();
    const built = graph.asDefault(build);
    const session = new tf.Session({ graph, config: { backend } });
    expect((await session.run(built)).map(plain)).toEqual(want);
    await session.close();
  }
});

test("what is refused", async () => {
  const refused = async (build: () => tf.SparseTensor): Promise<string> => {
    const graph = new tf.Graph();
    const { values } = graph.asDefault(build);
    const session = new tf.Session({ graph });
    const message = await session.run(values).then(
      () => "nothing",
      (error: Error) => error.message.split("\n")[0],
    );
    await session.close();
    return message;
  };
  expect(await refused(() => tf.sparseConcat(0, [a(), new tf.SparseTensor([[0, 0]], [1], [1, 5])]))).toBe(
    "Input shapes must match: expected 4 for dimension 1 but got 5 at position 1",
  );
  expect(await refused(() => tf.sparseSplit({ spInput: a(), numSplit: 9, axis: 0 })[0])).toBe(
    "Input num_split should be between 1 and the splitting dimension size (3), got 9",
  );
});
