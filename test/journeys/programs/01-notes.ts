// Variable lists, scopes, convolution and pooling shapes, two optimizers, seeds.

import * as tf from "tensorloom";
import { type Data, numbers, type Journal } from "./record.ts";

function scopes(record: Journal): void {
  const { v1, got, v2, ns } = tf.nameScope("ns1", ns => {
    const v1 = new tf.Variable([1], { name: "v" });
    const got = tf.getVariable("v", [2, 3]);
    return { v1, got, v2: new tf.Variable([1], { name: "v" }), ns };
  });
  const { w1, w2, frozen, add, vs } = tf.variableScope("vs1", vs => {
    const w1 = new tf.Variable([2], { name: "w" });
    const w2 = tf.getVariable("w", [4], { initializer: tf.zerosInitializer() });
    const frozen = tf.getVariable("frozen", [2], { initializer: tf.onesInitializer(), trainable: false });
    return { w1, w2, frozen, add: tf.add(w1, 1, { name: "add" }), vs };
  });
  const { again, add2 } = tf.variableScope("vs1", { reuse: true }, () => {
    const again = tf.getVariable("frozen", [2]);
    return { again, add2: tf.add(again, 1, { name: "add" }) };
  });
  const w2Again = tf.variableScope(vs, { reuse: true }, () => tf.getVariable("w", [4]));
  const deep = tf.nameScope(ns, () => tf.constant(1, { name: "deep" }));
  record.value("scope strings", [String(ns), vs.name, vs.originalNameScope]);
  record.value("variables", [v1, got, v2, w1, w2, frozen].map(String));
  record.value(
    "names",
    [add, add2, deep].map(t => t.name),
  );
  record.value("shared", [again === frozen, w2Again === w2]);
  try {
    tf.variableScope("vs1", () => tf.getVariable("frozen", [2]));
  } catch (error) {
    record.value("second get_variable", (error as Error).message.split(".")[0]);
  }
  record.value(
    "global",
    tf.globalVariables().map(v => v.name),
  );
  record.value(
    "trainable",
    tf.trainableVariables().map(v => v.name),
  );
  record.value(
    "in scope vs1",
    tf.getCollection(tf.GraphKeys.GLOBAL_VARIABLES, "vs1").map(v => v.name),
  );
}

async function shapes(data: Data, record: Journal): Promise<void> {
  const [image, filters] = [tf.constant(data.image), tf.constant(data.filter)];
  const unknown = tf.placeholder("float32", [null, null, 8, 2]);
  const rows: unknown[] = [];
  const results: tf.Tensor[] = [];
  for (const padding of ["SAME", "VALID"] as const) {
    for (const strides of [
      [1, 1, 1, 1],
      [1, 2, 2, 1],
      [1, 3, 2, 1],
      [1, 4, 4, 1],
    ]) {
      const conv = tf.nn.conv2d(image, filters, strides, padding);
      const pool = tf.nn.maxPool(image, [1, 3, 2, 1], strides, padding);
      const openConv = tf.nn.conv2d(unknown, filters, strides, padding);
      const openPool = tf.nn.maxPool(unknown, [1, 2, 2, 1], strides, padding);
      rows.push([padding, strides, ...[conv, pool, openConv, openPool].map(t => t.getShape().asList())]);
      results.push(conv, pool);
    }
  }
  const part = tf.getItem(filters, [null, 2], [null, 2]);
  const dilated = tf.nn.conv2d(image, part, [1, 1, 1, 1], "SAME", { dilations: [1, 2, 2, 1], name: "dilated" });
  rows.push(["dilated", [1, 1, 1, 1], dilated.getShape().asList()]);
  record.value("shapes", rows);
  await using session = new tf.Session();
  const arrays = await session.run([...results, dilated]);
  arrays.forEach((array, k) => void record.value(`conv and pool ${String(k).padStart(2, "0")}`, array));
}

async function twoOptimizers(data: Data, record: Journal): Promise<void> {
  const x = tf.placeholder("float32", [null, 12, 12, 1], { name: "x" });
  const labels = tf.placeholder("int32", [null], { name: "labels" });
  const { w1, b1, hidden, pooled } = tf.nameScope("features", () => {
    const w1 = new tf.Variable(tf.truncatedNormal([5, 5, 1, 6], { stddev: 0.1, seed: 11 }), { name: "w" });
    const b1 = new tf.Variable(tf.constant(0.1, { shape: [6] }), { name: "b" });
    const hidden = tf.nn.relu(tf.nn.conv2d(x, w1, [1, 1, 1, 1], "SAME").add(b1));
    return { w1, b1, hidden, pooled: tf.nn.maxPool(hidden, [1, 2, 2, 1], [1, 2, 2, 1], "SAME") };
  });
  const { w2, b2, logits } = tf.variableScope("head", () => {
    const w2 = tf.getVariable("w", [6 * 6 * 6, 5], { initializer: tf.truncatedNormalInitializer({ stddev: 0.1, seed: 12 }) });
    const b2 = tf.getVariable("b", [5], { initializer: tf.zerosInitializer() });
    return { w2, b2, logits: tf.matmul(tf.reshape(pooled, [-1, 6 * 6 * 6]), w2).add(b2) };
  });
  const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
  const dead = tf.reduceMean(tf.cast(tf.equal(hidden, 0), "float32"), null, { name: "dead" });
  const trainFeatures = new tf.train.GradientDescentOptimizer(0.05).minimize(loss, { varList: [w1, b1] });
  const trainHead = new tf.train.AdamOptimizer(0.01).minimize(loss, { varList: [w2, b2] });
  record.graph("two_optimizers");
  const watched = [w1, b1, w2, b2];
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await record.initial(session, "two_optimizers");
  const feed = new Map([
    [x, data.x],
    [labels, data.labels],
  ]);
  for (let i = 0; i < 20; i++) {
    const before = await session.run(watched);
    const [value, zeros] = await session.run([loss, dead, i % 2 === 0 ? trainFeatures : trainHead], feed);
    const after = await session.run(watched);
    const changed = before.map((was, k) => numbers(was).join() !== numbers(after[k]).join());
    record.step({ loss: value, zeros, features_changed: changed[0] && changed[1], head_changed: changed[2] && changed[3] });
    if (i < 2)
      watched.forEach((variable, k) => {
        record.value(`step ${i} before ${variable.name}`, before[k]);
        record.value(`step ${i} after ${variable.name}`, after[k]);
      });
  }
  await record.final(session, "two_optimizers");
}

async function graphSeed(record: Journal): Promise<void> {
  tf.setRandomSeed(1234);
  const a = tf.randomUniform([4]);
  const b = tf.randomNormal([4], { name: "b" });
  const c = new tf.Variable(tf.truncatedNormal([4]), { name: "c" });
  const d = tf.getVariable("d", [2, 2]);
  const e = tf.randomUniform([4], { seed: 5 });
  const random = tf
    .getDefaultGraph()
    .getOperations()
    .filter(op => ["RandomUniform", "RandomStandardNormal", "TruncatedNormal"].includes(op.type));
  record.value(
    "op seeds",
    random.map(op => [op.type, Number(op.getAttr("seed")), Number(op.getAttr("seed2"))]),
  );
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  for (const [name, tensor] of [
    ["a", a],
    ["a again", a],
    ["b", b],
    ["c", c],
    ["d", d],
    ["e", e],
  ] as const)
    record.value(`seeded ${name}`, await session.run(tensor));
}

export async function main(data: Data, record: Journal): Promise<void> {
  {
    using _ = new tf.Graph().asDefault();
    scopes(record);
    record.graph("scopes");
  }
  for (const part of [shapes, twoOptimizers, (_: Data, kept: Journal) => graphSeed(kept)]) {
    using _ = new tf.Graph().asDefault();
    await part(data, record);
  }
}
