// Is the built package alive on this Node? Plain JavaScript and node:test, so that it runs on every Node that package.json's
// `engines` promises. Trains by hand-sized graphs only; numbers are compared closely elsewhere.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
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
