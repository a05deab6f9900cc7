// Sentence classification with summaries of gradients and checkpoints; evaluation imports the meta graph and finds its tensors by name.

import { mkdirSync } from "node:fs";
import * as tf from "tensorloom";
import { type Data, type Journal, numbers, slice } from "./record.ts";

const [vocabulary, length, classes, filters, sizes] = [40, 14, 2, 6, [3, 4, 5]];

const baseName = (path: string): string => path.split("/").at(-1) as string;

class TextCNN {
  readonly inputX = tf.placeholder("int32", [null, length], { name: "input_x" });
  readonly inputY = tf.placeholder("float32", [null, classes], { name: "input_y" });
  readonly dropoutKeepProb = tf.placeholder("float32", { name: "dropout_keep_prob" });
  readonly scores: tf.Tensor;
  readonly loss: tf.Tensor;
  readonly accuracy: tf.Tensor;

  constructor(l2RegLambda: number) {
    let l2Loss = tf.constant(0) as tf.Tensor;
    const embedded = tf.device("/cpu:0", () =>
      tf.nameScope("embedding", () => {
        const w = new tf.Variable(tf.randomUniform([vocabulary, 12], -1, 1, { seed: 81 }), { name: "W" });
        return tf.expandDims(tf.nn.embeddingLookup(w, this.inputX), -1);
      }),
    );
    const pooled = sizes.map((width, k) =>
      tf.nameScope(`conv-maxpool-${width}`, () => {
        const w = new tf.Variable(tf.truncatedNormal([width, 12, 1, filters], { stddev: 0.1, seed: 82 + k }), { name: "W" });
        const b = new tf.Variable(tf.constant(0.1, { shape: [filters] }), { name: "b" });
        const conv = tf.nn.conv2d(embedded, w, [1, 1, 1, 1], "VALID", { name: "conv" });
        const h = tf.nn.relu(tf.nn.biasAdd(conv, b), { name: "relu" });
        return tf.nn.maxPool(h, [1, length - width + 1, 1, 1], [1, 1, 1, 1], "VALID", { name: "pool" });
      }),
    );
    const total = filters * sizes.length;
    const flat = tf.reshape(tf.concat(pooled, 3), [-1, total]);
    const dropped = tf.nameScope("dropout", () => tf.nn.dropout(flat, this.dropoutKeepProb, { seed: 86 }));
    const { scores, predictions } = tf.nameScope("output", () => {
      const w = tf.getVariable("W", [total, classes], { initializer: tf.glorotUniformInitializer({ seed: 87 }) });
      const b = new tf.Variable(tf.constant(0.1, { shape: [classes] }), { name: "b" });
      l2Loss = l2Loss.add(tf.nn.l2Loss(w));
      l2Loss = l2Loss.add(tf.nn.l2Loss(b));
      const scores = tf.nn.xwPlusB(dropped, w, b, { name: "scores" });
      return { scores, predictions: tf.argmax(scores, 1, { name: "predictions" }) };
    });
    this.scores = scores;
    this.loss = tf.nameScope("loss", () => {
      const losses = tf.nn.softmaxCrossEntropyWithLogits({ logits: scores, labels: this.inputY });
      return tf.reduceMean(losses).add(tf.multiply(l2RegLambda, l2Loss, { name: "mul" }));
    });
    this.accuracy = tf.nameScope("accuracy", () => {
      const correct = tf.equal(predictions, tf.argmax(this.inputY, 1));
      return tf.reduceMean(tf.cast(correct, "float32"), { name: "accuracy" });
    });
  }
}

async function train(data: Data, journal: Journal, prefix: string): Promise<tf.NDArray> {
  await using session = new tf.Session();
  const cnn = new TextCNN(0.05);
  const globalStep = new tf.Variable(0, { name: "global_step", trainable: false, dtype: "int32" });
  const optimizer = new tf.train.AdamOptimizer(1e-2, { epsilon: 1e-3 });
  const gradsAndVars = optimizer.computeGradients(cnn.loss);
  const trainOp = tf.controlDependencies([cnn.loss], () => optimizer.applyGradients(gradsAndVars, { globalStep }));
  const summaries: tf.Tensor[] = [];
  for (const [g, v] of gradsAndVars) {
    if (g === null) continue;
    const name = v.name.replaceAll(":", "_");
    // The embedding's gradient is a set of rows.
    const dense = tf.convertToTensor(g);
    summaries.push(tf.summary.histogram(`${name}/grad/hist`, dense));
    summaries.push(tf.summary.scalar(`${name}/grad/sparsity`, tf.nn.zeroFraction(dense)));
  }
  summaries.push(tf.summary.scalar("loss", cnn.loss), tf.summary.scalar("accuracy", cnn.accuracy));
  const summaryOp = tf.summary.merge(summaries);
  const writer = new tf.summary.FileWriter(`${journal.folder}/summaries`, { graph: session.graph });
  const saver = new tf.train.Saver(tf.globalVariables(), { maxToKeep: 2 });
  journal.graph();
  await session.run(tf.globalVariablesInitializer());
  await journal.initial(session);
  for (let i = 0; i < 24; i++) {
    const at = (i * 20) % 100;
    const feed = new Map<tf.Tensor, tf.NDArray | number>([
      [cnn.inputX, slice(data.x, at, at + 20)],
      [cnn.inputY, slice(data.y, at, at + 20)],
      [cnn.dropoutKeepProb, 0.5],
    ]);
    const [, summary, loss, accuracy] = await session.run([trainOp, summaryOp, cnn.loss, cnn.accuracy], feed);
    if (i === 0 || i === 23) writer.addSummary(summary, i);
    const current = await tf.train.globalStep(session, globalStep);
    journal.step({ loss, accuracy, global_step: Number(current) });
    if (Number(current) % 6 === 0) await saver.save(session, prefix, { globalStep: current });
  }
  await writer.close();
  await journal.final(session);
  await journal.events("events", `${journal.folder}/summaries`);
  const feed = new Map<tf.Tensor, tf.NDArray | number>([
    [cnn.inputX, data.x],
    [cnn.dropoutKeepProb, 1],
  ]);
  return session.run(cnn.scores, feed);
}

async function evaluate(data: Data, journal: Journal, folder: string, expected: tf.NDArray): Promise<void> {
  const checkpoint = (await tf.train.latestCheckpoint(folder)) as string;
  const state = await tf.train.getCheckpointState(folder);
  journal.value("latest", baseName(checkpoint));
  journal.value("kept", state?.allModelCheckpointPaths?.map(baseName));
  const graph = new tf.Graph();
  using _ = graph.asDefault();
  await using session = new tf.Session();
  const saver = (await tf.train.importMetaGraph(`${checkpoint}.meta`)) as tf.train.Saver;
  await saver.restore(session, checkpoint);
  const [inputX, keepProb, predictions] = ["input_x", "dropout_keep_prob", "output/predictions"].map(
    name => graph.getOperationByName(name).outputs[0],
  );
  const scores = graph.getTensorByName("output/scores:0");
  const feed = new Map<tf.Tensor, tf.NDArray | number>([
    [inputX, data.x],
    [keepProb, 1],
  ]);
  const [predicted, s] = await session.run([predictions, scores], feed);
  journal.value("restored scores are the same", numbers(s).join() === numbers(expected).join());
  journal.value("scores", s);
  const right = numbers(predicted).filter((kind, row) => data.y.get(2 * row + kind) === 1).length;
  journal.value("accuracy", tf.NDArray.from(right / predicted.size, "float64"));
  journal.value("restored step", await session.run("global_step:0"));
  journal.value(
    "restored variables",
    tf.globalVariables().map(v => v.name),
  );
  journal.value(
    "restored trainable",
    tf.trainableVariables().map(v => v.name),
  );
}

export async function main(data: Data, journal: Journal): Promise<void> {
  const folder = `${journal.folder}/checkpoints`;
  mkdirSync(folder);
  const scores = await (async () => {
    using _ = new tf.Graph().asDefault();
    return await train(data, journal, `${folder}/model`);
  })();
  await evaluate(data, journal, folder, scores);
}
