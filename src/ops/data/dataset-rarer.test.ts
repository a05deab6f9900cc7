// Rarer nodes of tf.data that call functions or read files, as programs make them; the others are compared with TensorFlow's recorded elements.

import { expect, it } from "vitest";
import * as tf from "tensorloom";

const raw = tf.rawOps;
const scalars = { outputTypes: ["int64"], outputShapes: [new tf.TensorShape([])] } as const;

async function elementsOf(make: () => tf.Tensor): Promise<unknown[]> {
  const graph = new tf.Graph();
  const { begin, next } = graph.asDefault(() => {
    const iterator = raw.IteratorV2({ sharedName: "", container: "", ...scalars });
    return {
      begin: raw.MakeIterator({ dataset: make(), iterator }),
      next: raw.IteratorGetNext({ iterator, ...scalars }) as readonly tf.Tensor[],
    };
  });
  await using session = new tf.Session({ graph });
  await session.run(begin);
  const found: unknown[] = [];
  for (;;)
    try {
      found.push((await session.run([...next]))[0].toArray());
    } catch (error) {
      if (error instanceof tf.errors.OutOfRangeError) return found;
      throw error;
    }
}

it("shuffles alike with either form of the op", async () => {
  const range = (): tf.Tensor => tf.data.Dataset.range(9).variantTensor;
  const long = (value: bigint): tf.Tensor => tf.constant(value, "int64");
  const given = () => ({ inputDataset: range(), bufferSize: long(4n), seed: long(1n), seed2: long(2n), ...scalars });
  const newer = await elementsOf(() => raw.ShuffleDatasetV3({ ...given(), seedGenerator: raw.DummySeedGenerator({}) }));
  expect(newer).toEqual(await elementsOf(() => raw.ShuffleDataset(given())));
  expect([...newer].sort()).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n]);
});

it("rests before each element", async () => {
  const before = performance.now();
  const found = await elementsOf(
    () =>
      raw.SleepDataset({
        inputDataset: tf.data.Dataset.range(2).variantTensor,
        sleepMicroseconds: tf.constant(20_000n, "int64"),
        ...scalars,
      }) as tf.Tensor,
  );
  expect(found).toEqual([0n, 1n]);
  expect(performance.now() - before).toBeGreaterThan(35);
});

it("draws other numbers in each iteration if asked to", async () => {
  const long = (value: bigint): tf.Tensor => tf.constant(value, "int64");
  // TensorFlow 2.21: tf.data.Dataset.random(seed=3, rerandomize_each_iteration=…).take(3).repeat(2)
  const numbers = (rerandomizeEachIteration: boolean) =>
    elementsOf(() => {
      const seeds = { seed: long(87654321n), seed2: long(3n), seedGenerator: raw.DummySeedGenerator({}) };
      const random = raw.RandomDatasetV2({ ...seeds, rerandomizeEachIteration, ...scalars }) as tf.Tensor;
      const three = raw.TakeDataset({ inputDataset: random, count: long(3n), ...scalars }) as tf.Tensor;
      return raw.RepeatDataset({ inputDataset: three, count: long(2n), ...scalars }) as tf.Tensor;
    });
  expect(await numbers(true)).toEqual([2698304964n, 3230936430n, 2996270112n, 1595858328n, 3580113443n, 3407580170n]);
  expect(await numbers(false)).toEqual([3534849767n, 279844183n, 888998500n, 3534849767n, 279844183n, 888998500n]);
});
