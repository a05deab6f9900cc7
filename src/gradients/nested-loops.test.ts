// Gradients through arrays that the iterations of a loop make for themselves, against differences in double precision.

import { beforeEach, expect, it } from "vitest";
import * as tf from "../index.ts";

beforeEach(() => tf.resetDefaultGraph());

type Step = (i: tf.Tensor, sum: tf.Tensor) => tf.Tensor;
const zero = (): tf.Tensor => tf.constant(0, tf.int32);

/** Three steps, from 0.5. */
const steps = (step: Step): tf.Tensor =>
  tf.whileLoop(
    (i: tf.Tensor) => i.less(3),
    (i: tf.Tensor, sum: tf.Tensor) => [i.add(1), step(i, sum)],
    [zero(), tf.constant(0.5, tf.float64)],
  )[1];

const inLoops: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  "a map": x => steps((i, sum) => tf.reduceSum(tf.mapFn((e: tf.Tensor) => tf.sin(e.mul(sum)).add(x.at(i).mul(e)), x))),
  "a scan in a map": x =>
    tf.reduceSum(tf.mapFn((e: tf.Tensor) => tf.scan((a: tf.Tensor, b: tf.Tensor) => tf.tanh(a.mul(b).add(e)), x) as tf.Tensor, x)),
  "a scan of more and more": x =>
    steps((i, sum) =>
      tf.reduceSum(tf.scan((a: tf.Tensor, b: tf.Tensor) => tf.tanh(a.mul(b).add(sum)), x.at([null, i.add(2)])) as tf.Tensor),
    ),
  "an array written by a loop that reads by the outer counter": x =>
    steps((i, sum) => {
      const start = new tf.TensorArray(tf.float64, 4, { clearAfterRead: false, elementShape: [] }).write(0, sum);
      const [, array] = tf.whileLoop(
        (j: tf.Tensor) => j.less(i.add(1)),
        (j: tf.Tensor, array: tf.TensorArray) => [j.add(1), array.write(j.add(1), tf.sin(array.read(j).mul(x.at(i)).add(x.at(j))))],
        [zero(), start],
      );
      return tf.reduceSum(array.gather(tf.range(i.add(2))).pow(2));
    }),
  "an array that grows": x =>
    steps((i, sum) => {
      const empty = new tf.TensorArray(tf.float64, 0, { dynamicSize: true, elementShape: [] });
      const [, array] = tf.whileLoop(
        (j: tf.Tensor) => j.less(i.add(2)),
        (j: tf.Tensor, array: tf.TensorArray) => [j.add(1), array.write(j, tf.sin(x.at(j).mul(sum)))],
        [zero(), empty],
      );
      return tf.reduceSum(array.stack().mul(x.at(i)));
    }),
  "an array that is split": x =>
    steps((i, sum) => {
      const array = new tf.TensorArray(tf.float64, 2, { inferShape: false }).split(x.mul(sum).add(x.at(i)), [2, 2]);
      return tf.reduceSum(array.read(0).mul(2).add(array.read(1)));
    }),
  "a recurrent network": x =>
    steps((i, sum) => {
      const cell = new tf.nn.rnnCell.BasicRNNCell(2, { reuse: tf.AUTO_REUSE, name: "cell", dtype: tf.float64 });
      return tf.reduceSum(tf.nn.dynamicRnn(cell, tf.reshape(x.mul(sum).add(x.at(i)), [1, -1, 1]), { dtype: tf.float64 })[0].pow(2));
    }),
};

it.each(Object.entries(inLoops))("%s in a loop", async (_, f) => {
  tf.setRandomSeed(1);
  const x = tf.placeholder(tf.float64, [null]);
  const y = f(x);
  const [gradient] = tf.gradients(y, x);
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  const at = [0.3, -0.7, 1.1, 0.9];
  const shifted = async (k: number, by: number): Promise<number> =>
    (await session.run(y, [[x, at.map((v, i) => (i === k ? v + by : v))]])).item();
  const differences = [];
  for (const k of at.keys()) differences.push(((await shifted(k, 1e-5)) - (await shifted(k, -1e-5))) / 2e-5);
  const found = (await session.run(tf.convertToTensor(gradient!), [[x, at]])).toArray();
  expect(found).toEqual(differences.map(d => expect.closeTo(d, 6)));
});

it("a loop whose variable grows has a gradient where there is no iteration", async () => {
  const n = tf.placeholder(tf.int32, []);
  const x = tf.constant([3, 4, 1], tf.float64);
  const [, grown] = tf.whileLoop(
    (i: tf.Tensor) => i.less(n),
    (i: tf.Tensor, all: tf.Tensor) => [i.add(1), tf.concat([all, x.mul(tf.cast(i, tf.float64))], 0)],
    [zero(), x],
    { shapeInvariants: [new tf.TensorShape([]), new tf.TensorShape([null])] },
  ) as tf.Tensor[];
  const [gradient] = tf.gradients(tf.reduceSum(grown), [x]) as tf.Tensor[];
  await using session = new tf.Session();
  for (const [count, slope] of [
    [0, 1],
    [3, 4],
  ])
    expect((await session.run(gradient, [[n, count]])).toArray()).toEqual([slope, slope, slope]);
});
