// Accumulators of gradients, against what TensorFlow 2.21 gives run by run.
import { expect, test } from "vitest";
import * as tf from "../index.ts";

type Step = tf.Tensor | tf.Operation | readonly tf.Tensor[];

/** What the runs of steps give one after another; errors by their first line. A last step that waits gives "waits". */
async function runs(make: () => readonly Step[], mayWait = false): Promise<unknown[]> {
  const graph = new tf.Graph();
  const steps = graph.asDefault(make);
  const session = new tf.Session({ graph });
  const plain = (value: unknown): unknown =>
    value instanceof tf.NDArray
      ? (value.dtype === "int64" ? value.cast("float64") : value).toArray()
      : Array.isArray(value)
        ? value.map(plain)
        : value;
  const given: unknown[] = [];
  for (const step of steps) {
    const run = session.run(step as tf.Tensor).then(plain, (error: Error) => error.message.split("\n")[0]);
    const isLast = mayWait && step === steps.at(-1);
    given.push(await (isLast ? Promise.race([run, new Promise(resolve => setTimeout(resolve, 300, "waits"))]) : run));
  }
  await session.close();
  return given.map(value => value ?? null);
}

const unknown = (value: tf.TensorLike, dtype?: tf.DType): tf.Tensor =>
  tf.placeholderWithDefault(tf.convertToTensor(value, { dtype }), null);
const dense = (options: object = {}): tf.ConditionalAccumulator => new tf.ConditionalAccumulator("float32", options);
const sparse = (options: object = {}): tf.SparseConditionalAccumulator => new tf.SparseConditionalAccumulator("float32", options);

test("means, steps and waiting", async () => {
  const results = await runs(() => {
    const a = dense({ shape: [2] });
    return [
      a.numAccumulated(),
      a.applyGrad([1, 2]),
      a.applyGrad([3, 4]),
      a.numAccumulated(),
      a.takeGrad(2),
      a.applyGrad([5, 6], { localStep: 0 }),
      a.numAccumulated(),
      a.applyGrad([5, 6], { localStep: 1 }),
      a.takeGrad(1),
      a.setGlobalStep(10),
      a.applyGrad([1, 1], { localStep: 9 }),
      a.applyGrad([1, 1], { localStep: 11 }),
      a.numAccumulated(),
      a.takeGrad(0),
      a.takeGrad(3),
    ];
  }, true);
  expect(results).toEqual([
    0,
    null,
    null,
    2,
    [2, 3],
    null,
    0,
    null,
    [5, 6],
    null,
    null,
    null,
    1,
    "Argument num_required must be positive, but was 0",
    "waits",
  ]);
});

test("sums, and shapes that do not fit", async () => {
  expect(
    await runs(() => {
      const [sum, free, fixed] = [dense({ shape: [2], reductionType: "SUM" }), dense(), dense({ shape: [2] })];
      return [
        sum.applyGrad([1, 2]),
        sum.applyGrad([3, 4]),
        sum.takeGrad(1),
        free.applyGrad([1, 2]),
        free.applyGrad([3, 4, 5]),
        free.takeGrad(1),
        fixed.applyGrad(unknown([3, 4, 5])),
      ];
    }),
  ).toEqual([null, null, [4, 6], null, "Shape mismatch: expected [2], got [3]", [1, 2], "Shape mismatch: expected [2], got [3]"]);
  using _ = new tf.Graph().asDefault();
  expect(() => dense({ shape: [2] }).applyGrad([1, 2, 3])).toThrow("Shapes (3,) and (2,) are incompatible");
  expect(
    dense({ shape: [2] })
      .takeGrad(1)
      .shape.toString(),
  ).toBe("(2,)");
});

test("a run waits for what another brings", async () => {
  using _ = new tf.Graph().asDefault();
  const a = dense({ shape: [1] });
  const [take, apply] = [a.takeGrad(2), a.applyGrad([4])];
  await using session = new tf.Session();
  const taken = session.run(take);
  await session.run(apply);
  await session.run(apply);
  expect((await taken).toArray()).toEqual([4]);
});

test("rows", async () => {
  expect(
    await runs(() => {
      const a = sparse({ shape: [4, 2] });
      const take = Object.values(a.takeGrad(1)).slice(0, 3) as tf.Tensor[];
      return [
        a.applyGrad(
          [0, 2],
          [
            [1, 2],
            [3, 4],
          ],
        ),
        a.applyGrad(
          [2, 3],
          [
            [5, 6],
            [7, 8],
          ],
        ),
        a.numAccumulated(),
        take,
        a.applyGrad([1], [[1, 1]]),
        a.numAccumulated(),
        a.applyGrad([5], [[1, 1]], { localStep: 5 }),
        a.applyGrad(
          [1, 0],
          [
            [1, 1],
            [2, 2],
          ],
          { localStep: 5, gradShape: [4, 2] },
        ),
        take,
      ];
    }),
  ).toEqual([
    null,
    null,
    2,
    [
      [0, 2, 3],
      [
        [1, 2],
        [4, 5],
        [7, 8],
      ],
      [4, 2],
    ],
    null,
    0,
    "Shape mismatch: index of slice 0 exceeded limits of shape; index is 5 exceeded 4",
    null,
    [
      [1, 0],
      [
        [1, 1],
        [2, 2],
      ],
      [4, 2],
    ],
  ]);
});

test("rows that do not fit", async () => {
  expect(
    await runs(() => {
      const [a, free] = [sparse({ shape: [4, 2] }), sparse({ reductionType: "SUM" })];
      return [
        a.applyGrad(unknown([[0]], "int32"), [[1, 2]]),
        a.applyGrad([0, 1], unknown([[1, 2]])),
        a.applyGrad([0], unknown([1])),
        a.applyGrad([0], unknown([[1, 2, 3]])),
        a.applyGrad([0], [[1, 2]], { gradShape: unknown([4], "int32") }),
        a.applyGrad([0], [[1, 2]], { gradShape: unknown([5, 2], "int32") }),
        a.applyGrad([0], unknown(1)),
        a.applyGrad([-1], [[1, 2]]),
        a.applyGrad(
          [0, 0],
          [
            [1, 2],
            [3, 4],
          ],
        ),
        Object.values(a.takeGrad(1)).slice(0, 3) as tf.Tensor[],
        free.applyGrad([0], [[1, 2]], { gradShape: [4, 2] }),
        free.applyGrad([0], [[1, 2, 3]]),
        free.applyGrad([0], [[1, 2]]),
        Object.values(free.takeGrad(1)).slice(0, 3) as tf.Tensor[],
      ];
    }),
  ).toEqual([
    "Input indices should be vector but received shape: [1,1]",
    "Expected 2 non-empty input values, got 1",
    "Shape mismatch: expected values rank at least 2, got 1",
    "Shape mismatch: expected values dim 1 to be 2, got 3",
    "Shape mismatch: expected shape rank at least 2, got 1",
    "Shape mismatch: expected shape dim 0 to be 4, got 5",
    "Values cannot be 0-dimensional.",
    null,
    null,
    [
      [-1, 0, 0],
      [
        [1, 2],
        [1, 2],
        [3, 4],
      ],
      [4, 2],
    ],
    null,
    "Shape mismatch: expected values dim 1 to be 2, got 3",
    null,
    [[0], [[2, 4]], [-1, 2]],
  ]);
});

test("nodes", () => {
  const graph = new tf.Graph();
  graph.asDefault(() => {
    const a = dense({ shape: [2] });
    a.applyGrad([1, 2]);
    a.takeGrad(1);
    a.numAccumulated();
    a.setGlobalStep(3);
    sparse({ shape: [3, 2] }).applyGrad([0], [[1, 2]]);
  });
  expect(graph.getOperations().map(({ name }) => name)).toEqual([
    "conditional_accumulator",
    "Const",
    "Const_1",
    "Cast",
    "ResourceAccumulatorApplyGradient",
    "ResourceAccumulatorTakeGradient/num_required",
    "ResourceAccumulatorTakeGradient",
    "conditional_accumulator_NumAccumulated",
    "Const_2",
    "Cast_1",
    "ResourceAccumulatorSetGlobalStep",
    "sparse_conditional_accumulator",
    "Const_3",
    "Cast_2",
    "Cast_3/x",
    "Cast_3",
    "Cast_4/x",
    "Cast_4",
    "SparseAccumulatorApplyGradient/gradient_values",
    "SparseAccumulatorApplyGradient",
  ]);
});
