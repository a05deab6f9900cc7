// Is the built package alive here? Plain JavaScript and node:test, so that it runs on every Node that package.json's `engines` promises,
// on Deno and on Bun. Trains by hand-sized graphs only; numbers are compared closely elsewhere.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

// The package imports itself by name, so the `exports` of package.json are what is tried.
const tf = await import("tensorloom");

/** A full batch of gradient descent on y = 3x + 2, through the given door. */
async function fitLine({ floats, mean, minimize, initialize }) {
  const graph = new tf.Graph();
  const { x, y, w, b, loss, train, init } = graph.asDefault(() => {
    const x = tf.placeholder(floats, [null], { name: "x" });
    const y = tf.placeholder(floats, [null], { name: "y" });
    const w = new tf.Variable(tf.zeros([]), { name: "w" });
    const b = new tf.Variable(tf.zeros([]), { name: "b" });
    const loss = mean(tf.square(tf.subtract(tf.add(tf.multiply(w, x), b), y)));
    return { x, y, w, b, loss, train: minimize(loss), init: initialize() };
  });
  const session = new tf.Session({ graph });
  const xs = Array.from({ length: 16 }, (_, i) => i / 8 - 1);
  const ys = xs.map(value => 3 * value + 2);
  await session.run(init);
  const feeds = [
    [x, xs],
    [y, ys],
  ];
  const [first] = await session.run([loss], feeds);
  for (let step = 0; step < 300; step++) await session.run(train, feeds);
  const [slope, offset, last] = await session.run([w, b, loss], feeds);
  await session.close();
  return { first: first.item(), slope: slope.item(), offset: offset.item(), last: last.item() };
}

function assertFitted({ first, slope, offset, last }) {
  assert.ok(first > 4, `the loss starts at the mean of y², about 7; it is ${first}`);
  assert.ok(last < 1e-6, `the loss ends near 0; it is ${last}`);
  assert.ok(Math.abs(slope - 3) < 1e-3, `slope ${slope}`);
  assert.ok(Math.abs(offset - 2) < 1e-3, `offset ${offset}`);
}

test("the command tells what it can, and refuses what it cannot", () => {
  const { bin } = createRequire(import.meta.url)("tensorloom/package.json");
  const command = fileURLToPath(new URL(`../../${bin.tensorloom}`, import.meta.url));
  const run = (...words) => spawnSync(process.execPath, [command, ...words], { encoding: "utf8" });
  assert.match(run("inspect", "--help").stdout, /^tensorloom inspect FILE/);
  const { status, stdout, stderr } = run("inspect", "nowhere");
  assert.deepEqual([status, stdout, stderr], [1, "", "error: nowhere; No such file or directory\n"]);
});

test(`fits a line on Node ${process.version}`, async () => {
  const result = await fitLine({
    floats: tf.float32,
    mean: tf.reduceMean,
    minimize: loss => new tf.train.GradientDescentOptimizer(0.2).minimize(loss),
    initialize: tf.globalVariablesInitializer,
  });
  assertFitted(result);
});

test("fits a line by TensorFlow's own names", async () => {
  const compat = await import("tensorloom/compat");
  const result = await fitLine({
    floats: compat.float32,
    mean: compat.reduce_mean,
    minimize: loss => new compat.train.GradientDescentOptimizer(0.2).minimize(loss),
    initialize: compat.global_variables_initializer,
  });
  assertFitted(result);
});

test("reads and writes a checkpoint through the formats door", async () => {
  const { MemoryFiles, NDArray, openCheckpoint, writeBundle } = await import("tensorloom/formats");
  const files = new MemoryFiles();
  await writeBundle(files, "model", [{ name: "w", value: NDArray.from([1, 2]) }]);
  assert.deepEqual((await (await openCheckpoint(files, "model")).read("w")).toArray(), [1, 2]);
});

/** A net of one hidden layer that learns which side of a circle points lie on. */
function circleNet() {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder(tf.float32, [null, 2]);
    const labels = tf.placeholder(tf.int32, [null]);
    const weights = new tf.Variable(tf.truncatedNormal([2, 32], { seed: 1 }), { name: "weights" });
    const hidden = tf.tanh(tf.add(tf.matmul(x, weights), new tf.Variable(tf.zeros([32]), { name: "bias" })));
    const logits = tf.matmul(hidden, new tf.Variable(tf.truncatedNormal([32, 2], { stddev: 0.3, seed: 2 }), { name: "last" }));
    const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
    const saver = new tf.train.Saver();
    return { graph, x, labels, loss, saver, train: new tf.train.AdamOptimizer(0.03).minimize(loss), init: tf.globalVariablesInitializer() };
  });
}

test("trains a small net, saves it and reads it back", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tensorloom-smoke-"));
  const { graph, x, labels, loss, saver, train, init } = circleNet();
  const points = Array.from({ length: 64 }, (_, i) => [Math.sin(i * 1.3) * (0.3 + (i % 7) / 7), Math.cos(i * 1.3) * (0.3 + (i % 7) / 7)]);
  const feeds = [
    [x, points],
    [labels, points.map(([a, b]) => (a * a + b * b > 0.5 ? 1 : 0))],
  ];
  const session = new tf.Session({ graph });
  await session.run(init);
  for (let step = 0; step < 200; step++) await session.run(train, feeds);
  const [trained] = await session.run([loss], feeds);
  assert.ok(trained.item() < 0.2, `the loss starts near ln 2; it ends at ${trained.item()}`);
  const path = await saver.save(session, join(folder, "net"));
  await session.close();
  const other = new tf.Session({ graph });
  await saver.restore(other, path);
  const [restored] = await other.run([loss], feeds);
  await other.close();
  rmSync(folder, { recursive: true });
  assert.equal(restored.item(), trained.item());
});

test("shares work between threads, with the same bits", async () => {
  const graph = new tf.Graph();
  const sum = graph.asDefault(() => {
    const x = tf.reshape(tf.range(0, 400 * 400), [400, 400]);
    const y = tf.sin(tf.cast(x, tf.float32));
    return tf.add(tf.matmul(y, tf.tanh(tf.matmul(y, y))), tf.placeholder(tf.float32, [], { name: "more" }));
  });
  const results = [];
  for (const threads of [1, 2]) {
    const session = new tf.Session({ graph, config: { intraOpParallelismThreads: threads } });
    for (let run = 0; run < 5; run++) {
      results.push((await session.run([sum], { "more:0": 1 }))[0].toArray());
      await new Promise(resolve => setTimeout(resolve, 20));
    }
    const counts = await session.counts([sum], { "more:0": 1 });
    assert.equal(counts.threads, threads);
    assert.equal(counts.sharedPhases > 0, threads > 1);
    await session.close();
  }
  for (const result of results) assert.deepEqual(result, results[0]);
});

test("multiplies matrices with sizes that fill no whole vector", async () => {
  const [rows, inner, columns] = [5, 7, 3];
  const a = Array.from({ length: rows }, (_, i) => Array.from({ length: inner }, (_, k) => i - k / 2));
  const b = Array.from({ length: inner }, (_, k) => Array.from({ length: columns }, (_, j) => k * j + 1));
  const graph = new tf.Graph();
  const product = graph.asDefault(() => tf.matmul(tf.constant(a), tf.constant(b)));
  const session = new tf.Session({ graph });
  const [value] = await session.run([product]);
  await session.close();
  assert.deepEqual(value.shape, [rows, columns]);
  const expected = a.map(row => b[0].map((_, j) => row.reduce((sum, left, k) => sum + left * b[k][j], 0)));
  assert.deepEqual(value.toArray(), expected);
});

test("can be required from CommonJS, being free of top-level await", () => {
  const required = createRequire(import.meta.url)("tensorloom");
  assert.equal(required.Session, tf.Session);
});
