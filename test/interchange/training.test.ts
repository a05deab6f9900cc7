// Training goes on in the other system from where the one left off, Adam's slots included: from recorded checkpoints everywhere, and back and
// forth with TensorFlow itself where a Python has it (TENSORFLOW_PYTHON, or python3).
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import * as tf from "tensorloom";
import { afterAll, expect, test } from "vitest";
import { hasTensorFlow } from "./tensorflow.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-training-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);

const recorded = JSON.parse(gunzipSync(readFileSync(new URL("data/adam.json.gz", import.meta.url))).toString()) as Record<string, string>;
for (const [name, base64] of Object.entries(recorded)) writeFileSync(at(name), Buffer.from(base64, "base64"));

const python = process.env.TENSORFLOW_PYTHON ?? "python3";
const inTensorFlow = (...triples: readonly string[]): void => {
  const script = fileURLToPath(new URL("generate/train.py", import.meta.url));
  const { status, stderr } = spawnSync(python, [script, ...triples], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr.split("\n").slice(-20).join("\n"));
};

const pattern = (rows: number, columns: number, a: number, b: number, n: number): number[][] =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => ((i * a + j * b) % n) / n - 0.5));

/** The net of generate/train.py. */
function build() {
  const x = tf.constant(pattern(16, 5, 37, 11, 17));
  const labels = tf.constant(
    Array.from({ length: 16 }, (_, i) => BigInt(i % 3)),
    tf.int64,
  );
  const w1 = new tf.Variable(tf.constant(pattern(5, 8, 7, 3, 13)), { name: "w1" });
  const b1 = new tf.Variable(tf.zeros([8]), { name: "b1" });
  const w2 = new tf.Variable(tf.constant(pattern(8, 3, 5, 2, 11)), { name: "w2" });
  const globalStep = tf.train.getOrCreateGlobalStep() as tf.Variable;
  const logits = tf.matmul(tf.nn.tanh(tf.matmul(x, w1).add(b1)), w2);
  const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
  const train = new tf.train.AdamOptimizer(0.01).minimize(loss, { globalStep });
  return { train, saver: new tf.train.Saver(), init: tf.globalVariablesInitializer() };
}

async function here(source: string | null, steps: number, target: string): Promise<void> {
  const graph = new tf.Graph();
  const { train, saver, init } = graph.asDefault(build);
  const session = new tf.Session({ graph });
  if (source === null) await session.run(init);
  else await saver.restore(session, source);
  for (let i = 0; i < steps; i++) await session.run(train);
  await saver.save(session, target, { writeState: false, writeMetaGraph: false });
  await session.close();
}

async function expectEqual(path: string, other: string): Promise<void> {
  const [a, b] = await Promise.all([tf.train.loadCheckpoint(path), tf.train.loadCheckpoint(other)]);
  expect([...a.getVariableToShapeMap()].sort()).toEqual([...b.getVariableToShapeMap()].sort());
  expect([...a.getVariableToShapeMap().keys()]).toContain("w1/Adam_1");
  for (const name of a.getVariableToShapeMap().keys()) {
    const [own, theirs] = [await a.getTensor(name), await b.getTensor(name)];
    const off = Array.from({ length: own.size }, (_, i) => Math.abs(Number(own.get(i)) - Number(theirs.get(i))));
    expect([name, Math.max(...off) <= 1e-5]).toEqual([name, true]);
  }
  await Promise.all([a.close(), b.close()]);
}

test("from TensorFlow's checkpoint at step 50 on to 100 and 150", async () => {
  await here(at("adam-50"), 50, at("here-100"));
  await expectEqual(at("here-100"), at("adam-100"));
  await here(at("here-100"), 50, at("here-150"));
  await expectEqual(at("here-150"), at("adam-150"));
});

test("from the start", async () => {
  await here(null, 50, at("start-50"));
  await expectEqual(at("start-50"), at("adam-50"));
});

test.skipIf(!hasTensorFlow)(
  "TensorFlow, here, TensorFlow; and here, TensorFlow, here (skipped where no Python has tensorflow)",
  async () => {
    await here(at("adam-50"), 50, at("middle"));
    await here(null, 50, at("first"));
    inTensorFlow(at("middle"), "50", at("last"), at("first"), "50", at("second"));
    await expectEqual(at("last"), at("adam-150"));
    await here(at("second"), 50, at("third"));
    await expectEqual(at("third"), at("adam-150"));
  },
);
