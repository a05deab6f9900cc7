// A traced run as a user sees it: step stats with the graph's names, the times in session.explain, files for TensorBoard and Chrome; and that
// runs which are not traced know nothing of it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { messageFromBytes } from "../../src/formats/message-codec.ts";
import { tf as compat } from "../../src/compat.ts";
import * as tf from "../../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-trace-"));
afterAll(() => rmSync(folder, { recursive: true }));

const full = new tf.RunOptions({ traceLevel: tf.RunOptions.FULL_TRACE });
const labelsOf = ({ stepStats }: tf.RunMetadata): string[] =>
  stepStats?.devStats[0].nodeStats.map(({ timelineLabel }) => timelineLabel) ?? [];

function net(config: tf.SessionConfig = {}) {
  const graph = new tf.Graph();
  const built = graph.asDefault(() => {
    const x = tf.placeholder(tf.float32, [null, 200], { name: "x" });
    const w = new tf.Variable(tf.truncatedNormal([200, 300], { stddev: 0.1, seed: 1 }), { name: "w" });
    const hidden = tf.nn.relu(tf.matmul(x, w, { name: "product" }).add(1), { name: "hidden" });
    const loss = tf.reduceSum(tf.square(hidden), { name: "loss" });
    return { x, loss, hidden, train: new tf.train.GradientDescentOptimizer(1e-6).minimize(loss, { name: "descent" }) };
  });
  const session = new tf.Session({ graph, config });
  const initialize = graph.asDefault(() => tf.globalVariablesInitializer());
  const feeds: tf.Feeds = [[built.x, tf.NDArray.full("float32", [400, 200], 0.5)]];
  return { ...built, graph, session, initialize, feeds };
}

describe.each([1, 2])("on %i threads", threads => {
  test("a traced run gives the same, and says what each kernel took by the graph's names", async () => {
    const { session, loss, train, initialize, feeds } = net({ intraOpParallelismThreads: threads });
    await session.run(initialize);
    const [plain] = await session.run([loss], feeds);
    const before = await session.counts([loss, train], feeds);
    const runMetadata = new tf.RunMetadata();
    const [traced] = await session.run([loss, train], feeds, { options: full, runMetadata });
    expect(traced.item()).toBe(plain.item());
    const { device, nodeStats } = runMetadata.stepStats?.devStats[0] ?? { device: "", nodeStats: [] };
    expect(device).toBe("/job:localhost/replica:0/task:0/device:CPU:0");
    const labels = labelsOf(runMetadata);
    expect(labels[0]).toBe("_feeds = Copy(x)");
    expect(labels.at(-1)).toBe("_fetches = Copy(loss)");
    expect(labels).toContainEqual(expect.stringMatching(/^\S+ = MatMul\+AddV2\+Relu\+?.*:contract\d+\(x, w\)$/));
    expect(labels).toContainEqual(expect.stringMatching(/^descent\/update_w\/ApplyGradientDescent = .*ApplyGradientDescent:\w+\(.*w.*\)$/));
    for (const [i, node] of nodeStats.entries()) {
      expect(node.allEndRelNanos).toBeGreaterThanOrEqual(0n);
      if (i > 0) expect(node.allStartNanos).toBeGreaterThanOrEqual(nodeStats[i - 1].allStartNanos + nodeStats[i - 1].allEndRelNanos);
    }
    // What a kernel stores stands at its last phase.
    const product = nodeStats.find(({ timelineLabel, output }) => timelineLabel.includes("MatMul+AddV2+Relu") && output.length > 0);
    expect(product?.output[0].tensorDescription).toMatchObject({ dtype: "DT_FLOAT", shape: { dim: [{ size: 400n }, { size: 300n }] } });
    expect(product?.output[0].tensorDescription?.allocationDescription?.requestedBytes).toBe(BigInt(400 * 300 * 4));
    expect(product?.memory[0].totalBytes).toBe(BigInt(product?.output.length ?? 0) * BigInt(400 * 300 * 4));
    // The code of other runs is what it was, to the byte; nothing was compiled but the traced module.
    const after = await session.counts([loss, train], feeds);
    expect({ ...after, modules: 0, memoryBytes: 0 }).toEqual({ ...before, modules: 0, memoryBytes: 0 });
    expect(after.modules).toBe(before.modules + 1);
    await session.close();
  });
});

test("session.explain tells estimated times, and measured ones after a traced run", async () => {
  const { session, loss, initialize, feeds } = net({ intraOpParallelismThreads: 1 });
  await session.run(initialize);
  const { times, module } = await session.explain(loss, feeds);
  expect(times).toMatch(/^estimated +measured {2}phase +nodes$/m);
  expect(times).toMatch(/^ *\d+\.\d{3} ms {2} +contract\d+ +product add hidden/m);
  expect(times).toContain("(not measured: no run was traced)");
  expect(module).not.toContain("mark");
  await session.run(loss, feeds, { options: full, runMetadata: new tf.RunMetadata() });
  const { times: measured, module: same } = await session.explain(loss, feeds);
  expect(measured).toMatch(/^ *\d+\.\d{3} ms +\d+\.\d{3} ms {2}contract\d+ +product add hidden/m);
  expect(same).toBe(module);
  await session.close();
});

test("options may come second, with the feeds by name, and in TensorFlow's spelling", async () => {
  const { session, loss, initialize, feeds, graph } = net();
  await session.run(initialize);
  const expected = (await session.run(loss, feeds)).item();
  const second = new tf.RunMetadata();
  expect((await session.run(loss, { feedDict: feeds, options: { traceLevel: "FULL_TRACE" }, runMetadata: second })).item()).toBe(expected);
  const pasted = compat.RunMetadata();
  const snake = new compat.Session({ graph });
  await snake.run(initialize);
  const options = compat.RunOptions({ trace_level: compat.RunOptions.FULL_TRACE });
  await snake.run(loss, { feed_dict: feeds, options, run_metadata: pasted });
  expect(labelsOf(second).length).toBeGreaterThan(3);
  expect(pasted.step_stats?.devStats[0].nodeStats.length).toBe(labelsOf(second).length);
  const trace = compat.timeline.Timeline(pasted.step_stats).generate_chrome_trace_format();
  expect(JSON.parse(trace as string).traceEvents.length).toBeGreaterThan(5);
  // No trace, no stats; metadata alone asks for none, as in TensorFlow.
  const none = new tf.RunMetadata();
  await session.run(loss, feeds, { runMetadata: none });
  expect(none.stepStats).toBe(undefined);
  await expect(session.run(loss, feeds, { runMetadata: 3 as never })).rejects.toThrow("must be a tf.RunMetadata");
  await Promise.all([session.close(), snake.close()]);
});

test("partition graphs, loops and operations of the host", async () => {
  const graph = new tf.Graph();
  const { doubled, lengths } = graph.asDefault(() => {
    const start = tf.placeholder(tf.float32, [4], { name: "start" });
    const loop = tf.whileLoop(
      x => tf.less(tf.reduceSum(x), 100),
      x => tf.multiply(x, 2, { name: "twice" }),
      [start],
    );
    tf.constant(1, { name: "elsewhere" });
    const words = tf.stringSplit(tf.placeholder(tf.string, [1], { name: "text" })).values;
    return { doubled: loop as tf.Tensor, lengths: tf.size(words, { name: "count" }) };
  });
  const session = new tf.Session({ graph });
  const runMetadata = new tf.RunMetadata();
  const options = new tf.RunOptions({ traceLevel: tf.RunOptions.FULL_TRACE, outputPartitionGraphs: true });
  const value = await session.run(doubled, { "start:0": [1, 2, 3, 4] }, { options, runMetadata });
  expect(value.toArray()).toEqual([16, 32, 48, 64]);
  expect(labelsOf(runMetadata).filter(label => /^while\/twice = Mul:/.test(label))).toHaveLength(4);
  const names = runMetadata.partitionGraphs[0].node.map(({ name }) => name);
  expect(names).toContain("while/twice");
  expect(names).not.toContain("elsewhere");
  const host = new tf.RunMetadata();
  await session.run(lengths, { "text:0": ["a b c"] }, { options: full, runMetadata: host });
  expect(labelsOf(host)).toContain("StringSplit/StringSplit = StringSplit(text, StringSplit/Const)");
  await session.close();
});

test("a run that waits longer than it may", async () => {
  const graph = new tf.Graph();
  const waiting = graph.asDefault(() => new tf.FIFOQueue(1, [tf.float32]).dequeue() as tf.Tensor);
  const session = new tf.Session({ graph });
  const options = new tf.RunOptions({ timeoutInMs: 20 });
  await expect(session.run(waiting, null, { options })).rejects.toThrow("Timed out waiting for notification");
  await expect(session.run(waiting, null, { options })).rejects.toBeInstanceOf(tf.errors.DeadlineExceededError);
  await session.close();
});

const python = process.env.TENSORFLOW_PYTHON ?? "python3";
const has = (module: string): boolean =>
  spawnSync(python, ["-c", `import importlib.util as u, sys; sys.exit(u.find_spec('${module}') is None)`]).status === 0;

test.skipIf(!has("tensorboard"))("TensorBoard's loader reads the metadata (skipped where no Python has tensorboard)", async () => {
  const { session, loss, initialize, feeds, graph } = net();
  await session.run(initialize);
  const runMetadata = new tf.RunMetadata();
  await session.run(loss, feeds, { options: full, runMetadata });
  const writer = new tf.summary.FileWriter(folder, { graph });
  writer.addRunMetadata(runMetadata, "step1", { globalStep: 1 });
  await writer.close();
  await session.close();
  const script = `
import json, sys
from tensorboard.backend.event_processing import event_accumulator
found = event_accumulator.EventAccumulator(sys.argv[1]).Reload()
print(json.dumps([node.timeline_label for device in found.RunMetadata("step1").step_stats.dev_stats for node in device.node_stats]))
`;
  const { stdout, stderr } = spawnSync(python, ["-c", script, folder], { encoding: "utf8" });
  expect(stdout, stderr).not.toBe("");
  expect(JSON.parse(stdout)).toEqual(labelsOf(runMetadata));
  expect(readdirSync(folder)).toHaveLength(1);
});

test("metadata survives its bytes", async () => {
  const { session, loss, initialize, feeds } = net();
  await session.run(initialize);
  const runMetadata = new tf.RunMetadata();
  await session.run(loss, feeds, { options: full, runMetadata });
  await session.close();
  const read = messageFromBytes("RunMetadata", runMetadata.SerializeToString());
  expect(read.stepStats?.devStats[0].nodeStats.map(({ timelineLabel }) => timelineLabel)).toEqual(labelsOf(runMetadata));
});
