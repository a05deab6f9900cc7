// Tools: graphs frozen, imported with an input map, meta graphs, walks over operations, hooks, summaries: its twin in Python line by line, in the main door.

import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import * as tf from "tensorloom";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "surgery-"));
  tf.setRandomSeed(4);
  const x = tf.placeholder(tf.float32, [null, 3], { name: "x" });
  const isTraining = tf.placeholderWithDefault(false, [], { name: "is_training" });
  const h = tf.variableScope("layer1", () => {
    let h = tf.layers.dense(x, 4, {
      activation: tf.nn.relu,
      kernelInitializer: tf.glorotNormalInitializer({ seed: 2 }),
      kernelRegularizer: w => tf.nn.l2Loss(w).mul(0.01),
    });
    h = tf.layers.batchNormalization(h, { training: isTraining, momentum: 0.8 });
    const normalized = h;
    return tf.cond(
      isTraining,
      () => tf.nn.dropout(normalized, 0.5, { seed: 3 }),
      () => normalized,
      { name: "drop" },
    );
  });
  const logits = tf.layers.dense(h, 2, { name: "logits" }),
    probs = tf.nn.softmax(logits, { name: "probs" });
  const labels = tf.placeholder(tf.int32, [null], { name: "labels" });
  const penalties: tf.Tensor[] = tf.getCollection(tf.GraphKeys.REGULARIZATION_LOSSES);
  let loss = tf.losses.sparseSoftmaxCrossEntropy(labels, logits).add(tf.addN(penalties));
  loss = tf.Print(loss, [loss], { message: "loss: ", firstN: 0 });
  const checks = tf.checkNumerics(loss, "loss is no number");
  const assertions = [tf.Assert(tf.reduceAll(tf.isFinite(logits)), [logits]), tf.assertRank(logits, 2)];
  const train = tf.controlDependencies([...assertions, ...tf.getCollection(tf.GraphKeys.UPDATE_OPS)], () => {
    const step = tf.train.getOrCreateGlobalStep();
    return new tf.train.RMSPropOptimizer(0.05, { momentum: 0.5, centered: true }).minimize(loss, { globalStep: step, name: "train" });
  });
  tf.summary.scalar("loss", loss, { family: "training" });
  tf.summary.histogram("probs", probs);
  tf.summary.text("note", tf.constant("hello"));
  const merged = tf.summary.mergeAll();
  for (const t of [x, labels, isTraining]) tf.addToCollection("inputs", t);
  tf.addToCollection("outputs", probs);
  tf.addToCollection("train_op", train);
  class Watch extends tf.train.SessionRunHook {
    seen: string[] = [];
    count = 0;
    last: tf.NDArray | undefined;
    private step = tf.train.getGlobalStep()!;
    override afterCreateSession() {
      this.seen.push("created");
    }
    override beforeRun() {
      return new tf.train.SessionRunArgs({ loss });
    }
    override afterRun(runContext: tf.train.SessionRunContext, { results }: tf.train.SessionRunValues) {
      this.count += 1;
      this.seen.push(`${this.count}`);
      this.last = results.loss;
      if (this.count >= 4) runContext.requestStop();
    }
    override async end(session: tf.Session) {
      this.seen.push(`end ${(await session.run(this.step)).item()}`);
    }
  }
  const watch = new Watch(),
    saver = new tf.train.Saver(null, { maxToKeep: 2 });
  const final = new tf.train.FinalOpsHook(probs, { finalOpsFeedDict: [[x, rnd(5, 2, 3)]] });
  const hooks = [
    watch,
    new tf.train.NanTensorHook(loss),
    new tf.train.CheckpointSaverHook(folder, { saveSteps: 2, saver }),
    new tf.train.SummarySaverHook({ saveSteps: 2, outputDir: folder, summaryOp: merged }),
    final,
  ];
  const feed = (i: number): tf.Feeds => [
    [x, rnd(i, 6, 3)],
    [labels, ints(i + 40, 2, 6)],
    [isTraining, true],
  ];
  {
    await using sess = new tf.train.SingularMonitoredSession({ hooks });
    for (let i = 0; !(await sess.shouldStop()); i++) await sess.run([train, checks], feed(i));
  }
  show("seen", watch.seen);
  show("last", watch.last);
  show("final", final.finalOpsValues);
  const kept = await tf.train.getCheckpointState(folder);
  show(
    "kept",
    kept!.allModelCheckpointPaths.map(p => basename(p)),
  );
  const events = readdirSync(folder)
    .filter(f => f.startsWith("events"))
    .sort();
  for await (const e of tf.train.summaryIterator(join(folder, events[0])))
    for (const { tag, simpleValue, histo } of e.summary?.value ?? [])
      show("event", [`${e.step} ${tag} ${simpleValue !== undefined ? "simple_value" : histo ? "histo" : "tensor"}`]);
  // frozen, and read again with another input
  const latest = (await tf.train.latestCheckpoint(folder))!;
  await using sess = new tf.Session();
  await saver.restore(sess, latest);
  const converted = await tf.graphUtil.convertVariablesToConstants(sess, tf.getDefaultGraph().asGraphDef(), ["probs"]);
  const want = await sess.run(probs, [[x, rnd(9, 2, 3)]]);
  const frozen = tf.graphUtil.removeTrainingNodes(converted, { protectedNodes: ["probs"] });
  show("frozen", [...new Set(frozen.node.map(n => n.op))].sort());
  show("nodes", frozen.node.length);
  const sub = tf.graphUtil.extractSubGraph(frozen, ["logits/BiasAdd"]);
  show("sub", sub.node.length);
  const twice = tf.NDArray.from(
    [...rnd(9, 2, 3).data].map(v => Number(v) * 2),
    "float32",
    [2, 3],
  );
  {
    const g2 = new tf.Graph();
    using _ = g2.asDefault();
    const doubled = tf.placeholder(tf.float32, [2, 3], { name: "doubled" });
    const [out, kernel] = tf.importGraphDef(frozen, {
      inputMap: { "x:0": doubled.mul(0.5) },
      returnElements: ["probs:0", "logits/kernel:0"],
      name: "net",
    }) as tf.Tensor[];
    const extra = tf.reduceMax(out, 1, { name: "extra" });
    const op = g2.getOperationByName("net/logits/MatMul");
    const python = (flag: unknown) => (flag ? "True" : "False");
    show("op", [
      op.type,
      op.name,
      python(op.getAttr("transpose_a")),
      op.inputs[1].op.name,
      op.outputs[0].consumers()[0].name,
      op.nodeDef.op,
      `${op.nodeDef.input.length}`,
    ]);
    show(
      "walk",
      g2
        .getOperations()
        .filter(o => ["MatMul", "Placeholder", "Max"].includes(o.type))
        .map(o => o.name),
    );
    const ancestors = (t: tf.Tensor, seen: string[]): string[] => {
      for (const i of t.op.inputs)
        if (!seen.includes(i.op.name)) {
          seen.push(i.op.name);
          ancestors(i, seen);
        }
      return seen;
    };
    show("ancestors", ancestors(extra, []).length);
    await using session = new tf.Session({ graph: g2 });
    using _session = session.asDefault();
    show("again", await extra.eval({ "doubled:0": twice }));
    const same = [...(await out.eval([[doubled, twice]])).data].every((v, i) => Math.abs(Number(v) - Number(want.data[i])) < 1e-6);
    show("same", same);
    show("kernel", await kernel.eval());
  }
  // a meta graph trained on elsewhere
  const g3 = new tf.Graph();
  using _ = g3.asDefault();
  const again = await tf.train.importMetaGraph(`${latest}.meta`, { clearDevices: true });
  const [x3, labels3, training3] = tf.getCollection("inputs") as tf.Tensor[];
  const train3 = tf.getCollection("train_op")[0] as tf.Operation;
  const frozenPart = tf.stopGradient(g3.getTensorByName("layer1/drop/Merge:0"));
  const fresh = tf.variableScope("head", () => tf.squeeze(tf.layers.dense(frozenPart, 1, { kernelInitializer: tf.onesInitializer() }), 1));
  const newLoss = tf.losses.meanSquaredError(tf.cast(labels3, tf.float32), fresh, { scope: "new", lossCollection: null });
  const tune = new tf.train.GradientDescentOptimizer(0.1).minimize(newLoss, {
    varList: tf.getCollection(tf.GraphKeys.TRAINABLE_VARIABLES, "head"),
  });
  await using session = new tf.Session();
  await again!.restore(session, latest);
  const missing: tf.Variable[] = [];
  for (const v of tf.globalVariables()) if (!(await session.run(tf.isVariableInitialized(v))).item()) missing.push(v);
  await session.run(tf.variablesInitializer(missing));
  show(
    "missing",
    missing.map(v => v.name),
  );
  const f3 = new Map<tf.Tensor, tf.FeedValue>([
    [x3, rnd(1, 6, 3)],
    [labels3, ints(41, 2, 6)],
  ]);
  for (const _i of range(3)) show("tune", (await session.run([newLoss, tune], f3))[0]);
  show("report", (await session.run(tf.reportUninitializedVariables())).toArray());
  show(
    "params",
    tf.trainableVariables().reduce((sum, v) => sum + v.shape.asNumbers().reduce((a, b) => a * b, 1), 0),
  );
  f3.set(training3, true);
  await session.run(train3, f3);
  show("step", await session.run("global_step:0"));
}
