// A residual network of bottlenecks with tf.layers: batch normalization and its update ops, weight decay from a collection, momentum with steps of the
// rate, averaged weights for evaluation, accuracy over several batches.

import * as tf from "tensorloom";
import { times } from "./operators.ts";

const classes = 5;

function conv(x: tf.Tensor, filters: number, size: number, strides: number, name: string, seed: number): tf.Tensor {
  return tf.layers.conv2d(x, filters, size, {
    strides,
    padding: strides === 1 ? "SAME" : "VALID",
    useBias: false,
    name,
    kernelInitializer: tf.varianceScalingInitializer({ scale: 2, mode: "fan_out", seed }),
    kernelRegularizer: w => times(1e-3, tf.nn.l2Loss(w)),
  });
}

function fixedPadding(x: tf.Tensor, size: number): tf.Tensor {
  const before = Math.floor((size - 1) / 2);
  const around = [before, size - 1 - before];
  return tf.pad(x, [[0, 0], around, around, [0, 0]]);
}

interface Block {
  readonly filters: number;
  readonly strides: number;
  readonly training: tf.Tensor;
  readonly isFirst: boolean;
  readonly seed: number;
}

function bottleneck(x: tf.Tensor, { filters, strides, training, isFirst, seed }: Block): tf.Tensor {
  const normal = (y: tf.Tensor, name: string): tf.Tensor =>
    tf.layers.batchNormalization(y, { momentum: 0.9, epsilon: 1e-5, training, fused: true, name });
  const padded = (y: tf.Tensor, size: number): tf.Tensor => (strides === 1 ? y : fixedPadding(y, size));
  const preact = tf.nn.relu(normal(x, "bn1"));
  const shortcut = isFirst ? conv(padded(preact, 1), 2 * filters, 1, strides, "shortcut", seed) : x;
  let y = tf.nn.relu(normal(conv(preact, filters, 1, 1, "conv1", seed + 1), "bn2"));
  y = tf.nn.relu(normal(conv(padded(y, 3), filters, 3, strides, "conv2", seed + 2), "bn3"));
  return shortcut.add(conv(y, 2 * filters, 1, 1, "conv3", seed + 3));
}

export function build(): void {
  tf.setRandomSeed(32);
  const images = tf.placeholder("float32", [null, 12, 12, 3], { name: "images" });
  const labels = tf.placeholder("int64", [null], { name: "labels" });
  const training = tf.placeholderWithDefault(false, [], { name: "training" });
  let x = conv(images, 4, 3, 1, "stem", 1);
  for (const [stage, [filters, first]] of [[4, 1] as const, [6, 2] as const].entries())
    tf.variableScope(`stage${stage}`, () => {
      for (const block of [0, 1])
        tf.variableScope(`block${block}`, () => {
          const strides = block === 0 ? first : 1;
          x = bottleneck(x, { filters, strides, training, isFirst: block === 0, seed: 10 * (2 * stage + block) });
        });
    });
  x = tf.nn.relu(tf.layers.batchNormalization(x, { training, momentum: 0.9, name: "last" }));
  x = tf.reduceMean(x, [1, 2]);
  x = tf.layers.dropout(x, { rate: 0.2, training, seed: 3 });
  const logits = tf.layers.dense(x, classes, { kernelInitializer: tf.randomNormalInitializer({ stddev: 0.1, seed: 4 }), name: "logits" });
  tf.losses.softmaxCrossEntropy(tf.oneHot(labels, classes), logits, { labelSmoothing: 0.1 });
  const loss = tf.losses.getTotalLoss({ name: "total" });
  const step = tf.train.getOrCreateGlobalStep() as tf.Variable;
  const rate = tf.train.piecewiseConstant(step, [3, 6], [0.02, 0.01, 0.005]);
  tf.identity(rate, { name: "rate" });
  const optimizer = new tf.train.MomentumOptimizer(rate, 0.9, { useNesterov: true });
  const updates = tf.getCollection(tf.GraphKeys.UPDATE_OPS) as tf.Operation[];
  const apply = tf.controlDependencies(updates, () => optimizer.minimize(loss, { globalStep: step }));
  const average = new tf.train.ExponentialMovingAverage(0.9, { numUpdates: step });
  tf.controlDependencies([apply], () => average.apply(tf.trainableVariables()));
  tf.nameScope("evaluation", () => {
    const top = tf.nn.inTopK(logits, labels, 2);
    const [accuracy, update] = tf.metrics.accuracy(labels, tf.argmax(logits, 1));
    tf.identity(tf.reduceMean(tf.cast(top, "float32")), { name: "top2" });
    tf.group(update, { name: "update" });
    tf.identity(accuracy, { name: "measured" });
  });
  new tf.train.Saver(average.variablesToRestore(), { maxToKeep: 2 });
}
