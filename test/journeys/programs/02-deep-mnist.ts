// A convolutional network in name scopes, dropout with a fed keep probability, Adam, accuracy.

import * as tf from "tensorloom";
import { type Data, numbers, oneHot, type Journal, slice } from "./record.ts";

const weightVariable = (shape: number[], seed: number): tf.Variable => new tf.Variable(tf.truncatedNormal(shape, { stddev: 0.1, seed }));
const biasVariable = (shape: number[]): tf.Variable => new tf.Variable(tf.constant(0.1, { shape }));
const conv2d = (x: tf.Tensor, w: tf.Variable): tf.Tensor => tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME");
const maxPool = (x: tf.Tensor): tf.Tensor => tf.nn.maxPool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME");

function deepnn(x: tf.Tensor): { y: tf.Tensor; keepProb: tf.Tensor } {
  const image = tf.nameScope("reshape", () => tf.reshape(x, [-1, 28, 28, 1]));
  const conv1 = tf.nameScope("conv1", () => tf.nn.relu(conv2d(image, weightVariable([5, 5, 1, 8], 1)).add(biasVariable([8]))));
  const pool1 = tf.nameScope("pool1", () => maxPool(conv1));
  const conv2 = tf.nameScope("conv2", () => tf.nn.relu(conv2d(pool1, weightVariable([5, 5, 8, 16], 2)).add(biasVariable([16]))));
  const pool2 = tf.nameScope("pool2", () => maxPool(conv2));
  const fc1 = tf.nameScope("fc1", () => {
    const flat = tf.reshape(pool2, [-1, 7 * 7 * 16]);
    return tf.nn.relu(tf.matmul(flat, weightVariable([7 * 7 * 16, 64], 3)).add(biasVariable([64])));
  });
  const { keepProb, dropped } = tf.nameScope("dropout", () => {
    const keepProb = tf.placeholder("float32");
    return { keepProb, dropped: tf.nn.dropout(fc1, keepProb, { seed: 4 }) };
  });
  const y = tf.nameScope("fc2", () => tf.matmul(dropped, weightVariable([64, 10], 5)).add(biasVariable([10])));
  return { y, keepProb };
}

export async function main(data: Data, record: Journal): Promise<void> {
  const images = tf.NDArray.from(
    Float32Array.from(numbers(data.images), byte => Math.fround(byte / 255)),
    "float32",
    [260, 784],
  );
  const labels = oneHot(data.labels, 10);
  tf.setRandomSeed(2);
  const x = tf.placeholder("float32", [null, 784]);
  const target = tf.placeholder("float32", [null, 10]);
  const { y, keepProb } = deepnn(x);
  const losses = tf.nameScope("loss", () => tf.nn.softmaxCrossEntropyWithLogits({ labels: target, logits: y }));
  const crossEntropy = tf.reduceMean(losses);
  const trainStep = tf.nameScope("adam_optimizer", () => new tf.train.AdamOptimizer(1e-3, { epsilon: 1e-4 }).minimize(crossEntropy));
  const correct = tf.nameScope("accuracy", () => tf.cast(tf.equal(tf.argmax(y, 1), tf.argmax(target, 1)), "float32"));
  const accuracy = tf.reduceMean(correct);
  record.graph();
  const writer = new tf.summary.FileWriter(record.folder);
  writer.addGraph(tf.getDefaultGraph());
  await writer.close();
  await record.events("event file", record.folder);
  await using session = new tf.Session();
  using _ = session.asDefault();
  await session.run(tf.globalVariablesInitializer());
  await record.initial(session);
  const feedOf = (from: number, to: number, keep: number) =>
    new Map<tf.Tensor, tf.NDArray | number>([
      [x, slice(images, from, to)],
      [target, slice(labels, from, to)],
      [keepProb, keep],
    ]);
  for (let i = 0; i < 25; i++) {
    const at = (i * 20) % 200;
    const trainAccuracy = await accuracy.eval(feedOf(at, at + 20, 1));
    record.step({ loss: await crossEntropy.eval(feedOf(at, at + 20, 1)), train_accuracy: trainAccuracy });
    await trainStep.run(feedOf(at, at + 20, 0.5));
  }
  record.value("test accuracy", await accuracy.eval(feedOf(200, 260, 1)));
  record.value("test logits", await y.eval(feedOf(200, 260, 1)));
  await record.final(session);
}
