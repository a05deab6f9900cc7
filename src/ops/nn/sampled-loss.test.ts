// Functions of the host, and the losses by sampling: what the recorded graphs (op names, word2vec) do not show.

import * as tf from "tensorloom";
import { expect, it } from "vitest";

it("calls a function of the host in every run, whatever the size of its results", async () => {
  const graph = new tf.Graph();
  using _ = graph.asDefault();
  let calls = 0;
  const x = tf.placeholder("float32", [null]);
  const positive = tf.pyFunc(
    array => {
      calls++;
      return tf.NDArray.from(
        (array.toArray() as number[]).filter(value => value > 0),
        "float32",
      );
    },
    [x],
    "float32",
  );
  const [twice, count] = tf.pyFunc(array => [array, array.size], [positive], ["float32", "int32"]);
  await using session = new tf.Session({ graph });
  for (const [given, sum, size] of [
    [[1, -2, 3], 4, 2],
    [[-1], 0, 0],
    [[-1], 0, 0],
  ] as const) {
    const [total, elements] = await session.run([tf.reduceSum(twice), count], new Map([[x, [...given]]]));
    expect([total.item(), elements.item()]).toEqual([sum, size]);
  }
  expect(calls).toBe(3);
});

it("leaves drawn candidates out that are true classes, and differentiates", async () => {
  using _ = new tf.Graph().asDefault();
  const weights = new tf.Variable(tf.ones([6, 2]));
  const biases = new tf.Variable(tf.zeros([6]));
  const sampledValues = [tf.constant([2, 4], { dtype: "int64" }), tf.constant([[0.5], [0.5]]), tf.constant([0.5, 0.5])];
  const loss = tf.nn.sampledSoftmaxLoss({
    weights,
    biases,
    labels: tf.constant([[2], [1]], { dtype: "int64" }),
    inputs: tf.ones([2, 2]),
    numSampled: 2,
    numClasses: 6,
    sampledValues,
  });
  const [gradient] = tf.gradients(loss, [biases]) as tf.IndexedSlices[];
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  const [losses, slopes] = await session.run([loss, tf.convertToTensor(gradient)] as const);
  // In the first row candidate 2 is the true class, which leaves two classes; the second row has three. All logits are equal.
  const [first, second] = losses.toArray() as number[];
  expect(first).toBeCloseTo(Math.log(2), 5);
  expect(second).toBeCloseTo(Math.log(3), 5);
  const [, b1, b2, , b4] = slopes.toArray() as number[];
  expect(b1).toBeCloseTo(1 / 3 - 1, 5);
  expect(b2).toBeCloseTo(1 / 2 - 1 + 1 / 3, 5);
  expect(b4).toBeCloseTo(1 / 2 + 1 / 3, 5);
});
