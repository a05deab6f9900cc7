// Scatters into variables at places known while running, as TensorFlow 2.21's kernels answer: a vector of indices says several rows, not one place,
// and the first of them alone is written.
import { expect, test } from "vitest";
import * as tf from "../../index.ts";

const scatter = (useResource: boolean, indices: readonly number[], updates: readonly number[]): Promise<unknown> => {
  const { written, init, at, given } = new tf.Graph().asDefault(() => {
    const v = tf.getVariable("v", { initializer: tf.zeros([4, 4, 1]), useResource });
    const at = tf.placeholder(tf.int32, null);
    const given = tf.placeholder(tf.float32, null);
    return { at, given, written: tf.convertToTensor(tf.scatterNdAdd(v, at, given)), init: v.initializer };
  });
  const session = new tf.Session({ graph: written.graph });
  const zeros = new tf.NDArray("int32", indices, new Int32Array(indices.reduce((a, b) => a * b, 1)));
  const ones = new tf.NDArray("float32", updates, new Float32Array(updates.reduce((a, b) => a * b, 1)).fill(1));
  return session
    .run(init)
    .then(() =>
      session.run(written, [
        [at, zeros],
        [given, ones],
      ]),
    )
    .then(value => [...(value.data as Float32Array)].slice(0, 5))
    .finally(() => session.close());
};

const refusals: readonly (readonly [readonly number[], readonly number[], string])[] = [
  [[2], [1], "Dimensions [0,1) of indices[shape=[2]] = 2 must match dimensions [0,1) of updates[shape=[1]] = 1"],
  [[1], [4, 1], "Dimensions [0,1) of indices[shape=[1]] = 1 must match dimensions [0,1) of updates[shape=[4,1]] = 4"],
  [[2, 2], [3, 1], "Dimensions [0,1) of indices[shape=[2,2]] = 2 must match dimensions [0,1) of updates[shape=[3,1]] = 3"],
  [[2, 2], [2, 3], "Dimensions [2,3) of input[shape=[4,4,1]] must match dimensions [2,2) of updates[shape=[2,3]]"],
];

test.each([false, true])("rows and places, in a variable that is a resource: %s", async useResource => {
  expect(await scatter(useResource, [2], [2, 4, 1])).toEqual([1, 1, 1, 1, 0]);
  expect(await scatter(useResource, [1], [1, 4, 1])).toEqual([1, 1, 1, 1, 0]);
  expect(await scatter(useResource, [2, 2], [2, 1])).toEqual([2, 0, 0, 0, 0]);
  for (const [indices, updates, words] of refusals) await expect(scatter(useResource, indices, updates)).rejects.toThrow(words);
});
