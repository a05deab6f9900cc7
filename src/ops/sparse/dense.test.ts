// Sparse tensors times, through and plus dense ones, against what TensorFlow 2.21 gives.
import { describe, expect, test } from "vitest";
import * as tf from "../../index.ts";

const places = [
  [0, 0],
  [0, 1],
  [1, 2],
];
const dense = [
  [10, 20, 30],
  [40, 0, 8],
];
type Cwise = "SparseDenseCwiseAdd" | "SparseDenseCwiseMul" | "SparseDenseCwiseDiv";

interface Given {
  readonly indices?: tf.TensorLike;
  readonly values?: tf.TensorLike;
  readonly shape?: tf.TensorLike;
}

async function run(op: Cwise, y: tf.TensorLike, { indices = places, values = [1, 2, 4], shape = [2, 3] }: Given = {}): Promise<unknown> {
  const graph = new tf.Graph();
  const result = graph.asDefault(() => {
    // Fed as placeholders, so that nothing is known while the graph is built.
    const unknown = (x: tf.TensorLike, dtype?: tf.DType): tf.Tensor => tf.placeholderWithDefault(tf.convertToTensor(x, { dtype }), null);
    return tf.rawOps[op]({
      spIndices: unknown(indices, "int64"),
      spValues: unknown(values),
      spShape: unknown(shape, "int64"),
      dense: y,
    });
  });
  await using session = new tf.Session({ graph });
  return (await session.run(result)).toArray();
}

const broadcastError = (other: string): RegExp =>
  new RegExp(`^SparseDenseBinaryOpShared broadcasts dense to sparse only; got incompatible shapes: \\[2,3\\] vs. \\[${other}\\]`);

describe("elementwise with a dense tensor", () => {
  test.each<readonly [Cwise, tf.TensorLike, Given, unknown]>([
    ["SparseDenseCwiseAdd", dense, {}, [11, 22, 12]],
    ["SparseDenseCwiseMul", dense, {}, [10, 40, 32]],
    ["SparseDenseCwiseDiv", dense, {}, [Math.fround(0.1), Math.fround(0.1), 0.5]],
    ["SparseDenseCwiseAdd", [[1, 0, 3]], {}, [2, 2, 7]],
    ["SparseDenseCwiseMul", [[5], [0]], {}, [5, 10, 0]],
    ["SparseDenseCwiseAdd", [1, Number.NaN, 3], {}, [2, Number.NaN, 7]],
    ["SparseDenseCwiseDiv", 2, {}, [0.5, 1, 2]],
    [
      "SparseDenseCwiseDiv",
      dense,
      {
        indices: [
          [1, 2],
          [0, 0],
          [0, 0],
        ],
      },
      [0.125, Math.fround(0.2), Math.fround(0.4)],
    ],
    ["SparseDenseCwiseMul", dense, { indices: tf.NDArray.zeros("int64", [0, 2]), values: tf.NDArray.zeros("float32", [0]) }, []],
    [
      "SparseDenseCwiseDiv",
      tf.NDArray.from(
        [
          [2, 2, 1],
          [1, 1, 3],
        ],
        "int32",
      ),
      { values: tf.NDArray.from([7, -7, 5], "int32") },
      [3, -3, 1],
    ],
  ])("%s %j %j", async (op, y, given, expected) => {
    expect(await run(op, y, given)).toEqual(expected);
  });

  test.each<readonly [tf.TensorLike, Given, RegExp]>([
    [tf.NDArray.zeros("float32", [2, 2, 3]), {}, broadcastError("2,2,3")],
    [tf.NDArray.zeros("float32", [2, 2]), {}, broadcastError("2,2")],
    [tf.NDArray.zeros("float32", [0]), {}, broadcastError("0")],
    [[[1, 0, 3]], {}, /^SparseDenseCwiseDiv cannot divide by zero,but input dense tensor contains zero /],
    [
      dense,
      {
        indices: [
          [0, 0],
          [0, 5],
          [1, 2],
        ],
      },
      /^Provided indices are out-of-bounds w\.r\.t\. dense side with broadcasted shape/,
    ],
    [
      dense,
      {
        indices: [
          [0, 0],
          [0, -1],
          [1, 2],
        ],
      },
      /^Provided indices are out-of-bounds w\.r\.t\. dense side with broadcasted shape/,
    ],
    [dense, { indices: [0] }, /^Input sp_indices should be a matrix but received shape: \[1\]/],
    [dense, { values: [[1], [1], [1]] }, /^Inputs sp_values and sp_shape should be vectors but received shapes: \[3,1\] and \[2\]/],
    [dense, { values: [1, 2] }, /^The first dimension of values and indices should match\. \(2 vs\. 3\)/],
    [
      dense,
      { shape: [2, 3, 1] },
      /^Number of dimensions must match second dimension of indices\. Got 3 dimensions, indices shape: \[3,2\]/,
    ],
  ])("errors: %j %j", async (y, given, text) => {
    await expect(run("SparseDenseCwiseDiv", y, given)).rejects.toThrow(text);
  });

  test("gradients sum what several places read", async () => {
    const graph = new tf.Graph();
    const fetches = graph.asDefault(() => {
      const [values, y] = [tf.constant([1, 2, 4]), tf.constant([[11, 21, 31]])];
      const weights = tf.constant([1, 10, 100]);
      return (["SparseDenseCwiseMul", "SparseDenseCwiseDiv"] as const).flatMap(op => {
        const z = tf.rawOps[op]({
          spIndices: [
            [0, 0],
            [1, 0],
            [1, 2],
          ],
          spValues: values,
          spShape: [2, 3],
          dense: y,
        });
        return tf.gradients([z], [values, y], { gradYs: [weights] }) as tf.Tensor[];
      });
    });
    await using session = new tf.Session({ graph });
    const [mulX, mulY, divX, divY] = (await session.run(fetches)).map(array => array.toArray());
    expect([mulX, mulY]).toEqual([[11, 110, 3100], [[21, 0, 400]]]);
    const close = (given: number[], wanted: number[]): void => {
      for (const [i, x] of given.entries()) expect(x).toBeCloseTo(wanted[i], 6);
    };
    close(divX, [1 / 11, 10 / 11, 100 / 31]);
    close(divY[0], [-21 / 121, 0, -400 / 961]);
    graph.asDefault(() => {
      const x = tf.constant([1]);
      const sum = tf.rawOps.SparseDenseCwiseAdd({ spIndices: [[0]], spValues: x, spShape: [1], dense: [1] });
      expect(sum.shape.toString()).toBe("(1,)");
      expect(() => tf.gradients(sum, x)).toThrow("Gradient for SparseDenseCwiseAdd is not implemented.");
    });
  });

  test("operators of sparse tensors", async () => {
    const graph = new tf.Graph();
    const [product, quotient] = graph.asDefault(() => {
      const x = new tf.SparseTensor(places, [1, 2, 4], [2, 3]);
      return [x.mul([1, 2, 3]), x.truediv(2)];
    });
    expect(
      graph
        .getOperations()
        .slice(3)
        .map(({ name, type }) => `${name}: ${type}`),
    ).toEqual(["mul/y: Const", "mul: SparseDenseCwiseMul", "truediv/y: Const", "truediv: SparseDenseCwiseDiv"]);
    await using session = new tf.Session({ graph });
    const values = await session.run([product.values, quotient.values]);
    expect(values.map(array => array.toArray())).toEqual([
      [1, 4, 12],
      [0.5, 1, 2],
    ]);
  });
});
