// After its first run a compiled step allocates nothing that stays: neither linear memory nor JavaScript objects.
import { type HeapProfiler, Session } from "node:inspector/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import * as tf from "../../src/index.ts";

const runs = 100_000;
/** What engine and test runner move by themselves. A leak of two words a run would be six times as much. */
const heapBound = 256 * 1024;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of live objects and of the arrays behind them. */
async function liveBytes(): Promise<{ heap: number; arrays: number }> {
  for (let i = 0; i < 3; i++) {
    // A turn of the event loop lets finalizers of arrays run.
    await new Promise(resolve => setTimeout(resolve, 5));
    collect();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, arrays: arrayBuffers };
}

test(`${runs} steps of Adam leave heap and linear memory as they were`, async () => {
  const graph = new tf.Graph();
  const { step, initialize, x, y } = graph.asDefault(() => {
    const x = tf.placeholder(tf.float32, [8, 4]);
    const y = tf.placeholder(tf.int32, [8]);
    const w = new tf.Variable(tf.truncatedNormal([4, 16], { stddev: 0.1, seed: 1 }));
    const v = new tf.Variable(tf.truncatedNormal([16, 3], { stddev: 0.1, seed: 2 }));
    const hidden = tf.nn.dropout(tf.nn.relu(tf.matmul(x, w)), { rate: 0.25, seed: 3 });
    const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: y, logits: tf.matmul(hidden, v) }));
    const train = new tf.train.AdamOptimizer(1e-3).minimize(loss);
    return { step: [loss, train] as const, initialize: tf.globalVariablesInitializer(), x, y };
  });
  const session = new tf.Session({ graph });
  await session.run(initialize);
  const images = new tf.NDArray(
    "float32",
    [8, 4],
    Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
  );
  const labels = new tf.NDArray(
    "int32",
    [8],
    Int32Array.from({ length: 8 }, (_, i) => i % 3),
  );
  const feeds: tf.Feeds = [
    [x, images],
    [y, labels],
  ];
  const run = async (times: number): Promise<number> => {
    let last = Number.NaN;
    for (let i = 0; i < times; i++) last = (await session.run(step, feeds))[0].item() as number;
    return last;
  };
  const first = await run(2000);
  const before = await liveBytes();
  const counts = { ...(await session.counts(step, feeds)) };
  const last = await run(runs);
  const after = await liveBytes();
  const later = { ...(await session.counts(step, feeds)) };
  await session.close();

  expect(last).toBeLessThan(first);
  expect(counts.memoryBytes).toBeGreaterThan(0);
  expect(later).toEqual(counts);
  expect(after.arrays - before.arrays).toBeLessThanOrEqual(1024);
  expect(after.heap - before.heap).toBeLessThan(heapBound);
});

test("a call of makeCallable leaves its results and nothing else", async () => {
  const graph = new tf.Graph();
  const { step, initialize, x } = graph.asDefault(() => {
    const x = tf.placeholder(tf.float32, [4]);
    const w = new tf.Variable([1, 2, 3, 4]);
    const loss = tf.reduceSum(tf.multiply(x, w));
    return {
      step: [loss, new tf.train.GradientDescentOptimizer(1e-9).minimize(loss)] as const,
      initialize: tf.globalVariablesInitializer(),
      x,
    };
  });
  const session = new tf.Session({ graph });
  await session.run(initialize);
  const call = session.makeCallable(step, { feedList: [x] });
  const value = new tf.NDArray("float32", [4], Float32Array.of(1, 1, 1, 1));
  /** What cannot be less: the nest, an array of no dimensions, the promise of both. */
  const shape: number[] = [];
  const least = (_: tf.NDArray): Promise<unknown> => Promise.resolve([new tf.NDArray("float32", shape, new Float32Array(1)), null]);
  const bytes = [await bytesPerCall(() => call(value)), await bytesPerCall(() => least(value))];
  const before = await liveBytes();
  for (let i = 0; i < runs; i++) await call(value);
  const after = await liveBytes();
  await session.close();
  expect(bytes[1]).toBeGreaterThan(200);
  // The list of arguments, the list of results, and numbers of the clock.
  expect(bytes[0] - bytes[1]).toBeLessThan(320);
  expect(after.arrays - before.arrays).toBeLessThanOrEqual(1024);
  expect(after.heap - before.heap).toBeLessThan(heapBound);
});

/** Bytes that a call allocates, whether they are freed later or not: of 20,000 calls, after ten times as many, with pauses in which a busy machine
 *  finishes optimizing them. */
async function bytesPerCall(call: () => Promise<unknown>): Promise<number> {
  const times = 20_000;
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < times; i++) await call();
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  const inspector = new Session();
  inspector.connect();
  const everything = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
  await inspector.post("HeapProfiler.startSampling", { samplingInterval: 256, ...everything });
  for (let i = 0; i < times; i++) await call();
  const { profile } = await inspector.post("HeapProfiler.stopSampling");
  inspector.disconnect();
  const sizeOf = (node: HeapProfiler.SamplingHeapProfileNode): number =>
    node.children.reduce((sum, child) => sum + sizeOf(child), node.selfSize);
  return sizeOf(profile.head) / times;
}
