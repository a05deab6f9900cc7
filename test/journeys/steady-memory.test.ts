// After its first run a compiled step allocates nothing that stays: neither linear memory nor JavaScript objects.
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
