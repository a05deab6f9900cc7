// Classification with tf.layers, batch normalization, collections of losses, streaming metrics, averaged weights restored in a second graph.

import * as tf from "tensorloom";
import { type Data, type Journal, range, slice } from "./record.ts";

const [size, classes] = [10, 4];

function network(images: tf.Tensor, training: tf.Tensor | boolean): tf.Tensor {
  const regularizer = (kernel: tf.Tensor): tf.Tensor => tf.multiply(5e-4, tf.nn.l2Loss(kernel), { name: "mul" });
  const init = (seed: number) => tf.glorotUniformInitializer({ seed });
  const { layers } = tf;
  let h = layers.conv2d(images, 8, 3, {
    padding: "same",
    useBias: false,
    kernelInitializer: init(161),
    kernelRegularizer: regularizer,
    name: "conv1",
  });
  h = layers.batchNormalization(h, { momentum: 0.8, training, name: "bn1" });
  h = layers.maxPooling2d(tf.nn.relu(h), 2, 2);
  h = layers.separableConv2d(h, 12, 3, { depthwiseInitializer: init(162), pointwiseInitializer: init(163), name: "conv2" });
  h = tf.nn.relu(layers.batchNormalization(h, { momentum: 0.8, training, name: "bn2" }));
  h = layers.averagePooling2d(h, 3, 1);
  h = layers.dropout(layers.flatten(h), 0.3, { seed: 164, training });
  const dense = { activation: tf.nn.leakyRelu, kernelInitializer: init(165), kernelRegularizer: regularizer, name: "dense" };
  h = layers.dense(h, 16, dense);
  return layers.dense(h, classes, { kernelInitializer: init(166), name: "logits" });
}

async function train(data: Data, journal: Journal, path: string): Promise<void> {
  const images = tf.placeholder("float32", [null, size, size, 1]);
  const labels = tf.placeholder("int32", [null]);
  const training = tf.placeholderWithDefault(false, [], { name: "training" });
  const logits = network(images, training);
  const classification = tf.losses.sparseSoftmaxCrossEntropy(labels, logits);
  const confidence = tf.losses.huberLoss(tf.oneHot(labels, classes), tf.nn.softmax(logits), { weights: 0.1, scope: "confidence" });
  const total = tf.losses.getTotalLoss({ name: "total" });
  const regularization = tf.losses.getRegularizationLoss();
  const globalStep = tf.train.getOrCreateGlobalStep() as tf.Variable;
  const step = tf.controlDependencies([...tf.getCollection(tf.GraphKeys.UPDATE_OPS), total], () =>
    new tf.train.AdamOptimizer(0.01, { epsilon: 1e-3 }).minimize(total, { globalStep }),
  );
  const ema = new tf.train.ExponentialMovingAverage(0.9, { numUpdates: globalStep });
  const averaged = tf.trainableVariables();
  const maintainAverages = ema.apply(averaged);
  const trainOp = tf.controlDependencies([step], () => ema.apply(averaged));
  const { metrics, inTop, confusion } = tf.nameScope("metrics", () => {
    const predictions = tf.argmax(logits, 1);
    const isTwo = (x: tf.Tensor): tf.Tensor => tf.equal(x, 2);
    const metrics = {
      accuracy: tf.metrics.accuracy(labels, predictions),
      "mean loss": tf.metrics.mean(classification),
      precision: tf.metrics.precision(isTwo(labels), isTwo(predictions)),
      recall: tf.metrics.recall(isTwo(labels), isTwo(predictions)),
      auc: tf.metrics.auc(isTwo(labels), tf.nn.softmax(logits).at([null, null], 2), { numThresholds: 20 }),
      "per class": tf.metrics.meanPerClassAccuracy(labels, predictions, classes),
      iou: tf.metrics.meanIou(labels, predictions, classes),
      rmse: tf.metrics.rootMeanSquaredError(tf.oneHot(labels, classes), tf.nn.softmax(logits)),
    };
    const inTop = tf.reduceMean(tf.toFloat(tf.nn.inTopK(logits, labels, 2)));
    return { metrics, inTop, confusion: tf.confusionMatrix(labels, predictions, classes) };
  });
  journal.graph();
  journal.value(
    "losses",
    tf.losses.getLosses().map((t: tf.Tensor) => t.name),
  );
  journal.value(
    "shadows",
    tf.trainableVariables().map(v => (ema.average(v) as tf.Variable).op.name),
  );
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await journal.initial(session);
  const feedOf = (from: number, to: number, isTraining?: boolean) =>
    new Map<tf.Tensor, tf.NDArray | boolean>([
      [images, slice(data.images, from, to)],
      [labels, slice(data.labels, from, to)],
      ...(isTraining ? [[training, true] as const] : []),
    ]);
  let feed = feedOf(0, 16, true);
  for (let i = 0; i < 20; i++) {
    const at = (i * 16) % 80;
    feed = feedOf(at, at + 16, true);
    const [l, c, h, r] = await session.run([total, classification, confidence, regularization, step], feed);
    await session.run(maintainAverages);
    journal.step({ total: l, classification: c, confidence: h, regularization: r });
  }
  const weight = averaged[averaged.length - 2];
  const shadow = ema.average(weight) as tf.Variable;
  const before = await session.run(shadow);
  await session.run(trainOp, feed);
  const [after, now, n] = await session.run([shadow, weight, globalStep]);
  const decay = Math.min(0.9, (1 + Number(n.item())) / (10 + Number(n.item())));
  const isNear = range(0, after.size).every(
    i =>
      Math.abs(Number(after.get(i)) - (decay * Number(before.get(i)) + (1 - decay) * Number(now.get(i)))) <
      1e-6 + 1e-5 * Math.abs(Number(after.get(i))),
  );
  journal.value("one op averages new values", isNear);
  await session.run(tf.localVariablesInitializer());
  for (const at of [0, 32, 64])
    await session.run(
      Object.values(metrics).map(([, update]) => update),
      feedOf(at, at + 32),
    );
  for (const [name, [value]] of Object.entries(metrics)) journal.value(name, await session.run(value));
  const test = feedOf(0, 96);
  journal.value("in top 2", await session.run(inTop, test));
  journal.value("confusion", await session.run(confusion, test));
  journal.value("logits", await session.run(logits, test));
  await new tf.train.Saver().save(session, path);
  await journal.final(session);
}

async function restoreAverages(data: Data, journal: Journal, path: string): Promise<void> {
  const images = tf.placeholder("float32", [null, size, size, 1]);
  const logits = network(images, false);
  const ema = new tf.train.ExponentialMovingAverage(0.9);
  const names = ema.variablesToRestore() as { [key: string]: tf.Variable };
  const pairs = Object.entries(names).map(([key, v]) => [key, v.op.name]);
  journal.value(
    "variables to restore",
    pairs.sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  await using session = new tf.Session();
  await new tf.train.Saver(names).restore(session, path);
  journal.value("averaged logits", await session.run(logits, new Map([[images, data.images]])));
  await journal.final(session, "averages");
}

export async function main(data: Data, journal: Journal): Promise<void> {
  const path = `${journal.folder}/model.ckpt`;
  for (const part of [train, restoreAverages]) {
    using _ = new tf.Graph().asDefault();
    await part(data, journal, path);
  }
}
