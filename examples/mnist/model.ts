// The net of the notes: two convolutions, each with relu and max pooling, then two dense layers. Built once; nothing is computed here.

import * as tf from "tensorloom";

export type OptimizerName = "adam" | "sgd" | "momentum" | "rmsprop" | "adagrad";

/** Learning rates that suit this net. */
export const usualLearningRates: Readonly<Record<OptimizerName, number>> = {
  adam: 2e-3,
  sgd: 0.2,
  momentum: 0.05,
  rmsprop: 1e-3,
  adagrad: 0.03,
};

/** The share of the highest learning rate that one step takes: it climbs during the first twentieth of the training, so that the
 *  random start is left with small steps, and then falls evenly to zero, so that the end settles. */
export function learningRateShare(step: number, steps: number): number {
  const done = step / steps;
  return Math.min(1, (done + 1 / steps) / 0.05) * (1 - done);
}

/** Builds the graph into the default graph and returns what training and testing feed and fetch. */
export function buildNet(optimizerName: OptimizerName) {
  const images = tf.placeholder(tf.float32, [null, 28, 28, 1], { name: "images" });
  const labels = tf.placeholder(tf.int32, [null], { name: "labels" });

  const conv1 = convolution("conv1", images, 32); //          [?, 28, 28, 1]  -> [?, 14, 14, 32]
  const conv2 = convolution("conv2", conv1, 64); //           [?, 14, 14, 32] -> [?, 7, 7, 64]
  const flat = tf.reshape(conv2, [-1, 7 * 7 * 64]);
  const hidden = tf.nn.relu(dense("dense1", flat, 1024));
  const logits = dense("dense2", hidden, 10);

  const predicted = tf.argmax(logits, 1, { outputType: tf.int32, name: "predicted" });
  const accuracy = tf.reduceMean(tf.cast(tf.equal(predicted, labels), tf.float32), { name: "accuracy" });
  const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }), { name: "loss" });
  const learningRate = tf.placeholder(tf.float32, [], { name: "learning_rate" });
  const train = optimizer(optimizerName, learningRate).minimize(loss);
  return { images, labels, predicted, accuracy, loss, learningRate, train };
}

export type Net = ReturnType<typeof buildNet>;

/** 5 x 5 convolution, bias, relu, then the maximum of every 2 x 2 pixels. */
function convolution(name: string, input: tf.Tensor, channels: number): tf.Tensor {
  return tf.nameScope(name, () => {
    const filter = weights([5, 5, Number(input.shape.dims?.[3]), channels]);
    const active = tf.nn.relu(tf.nn.conv2d(input, filter, [1, 1, 1, 1], "SAME").add(bias(channels)));
    return tf.nn.maxPool(active, [1, 2, 2, 1], [1, 2, 2, 1], "SAME");
  });
}

function dense(name: string, input: tf.Tensor, units: number): tf.Tensor {
  return tf.nameScope(name, () => tf.matmul(input, weights([Number(input.shape.dims?.[1]), units])).add(bias(units)));
}

/** Small random numbers, smaller the more of them are added up in each unit (He's rule for relu, capped at the notes' 0.1). */
function weights(shape: number[]): tf.Variable {
  const summands = shape.slice(0, -1).reduce((a, b) => a * b);
  return new tf.Variable(tf.truncatedNormal(shape, { stddev: Math.min(0.1, Math.sqrt(2 / summands)) }), { name: "weights" });
}

/** A small positive bias: a relu unit that starts above zero has a gradient and can learn (examples/notes shows what happens otherwise). */
const bias = (units: number): tf.Variable => new tf.Variable(tf.constant(0.1, { shape: [units] }), { name: "bias" });

function optimizer(name: OptimizerName, learningRate: tf.Tensor) {
  switch (name) {
    case "adam":
      return new tf.train.AdamOptimizer(learningRate);
    case "sgd":
      return new tf.train.GradientDescentOptimizer(learningRate);
    case "momentum":
      return new tf.train.MomentumOptimizer(learningRate, 0.9);
    case "rmsprop":
      return new tf.train.RMSPropOptimizer(learningRate);
    case "adagrad":
      return new tf.train.AdagradOptimizer(learningRate);
  }
}
