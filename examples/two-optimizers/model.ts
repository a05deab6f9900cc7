// The two nets and their two training steps. Variables come from getVariable, so calling a net again under its scope shares them.
// Layers after Radford and others, "Unsupervised Representation Learning with DCGANs", 2015, smaller, and normalized in the generator only.

import * as tf from "tensorloom";

export const batchSize = 64;
const noiseSize = 64;

/** Builds both nets into the default graph. `samples` are one batch of pictures, `[batchSize, 28, 28, 1]`, drawn from new noise in every run. */
export function buildGan() {
  const real = tf.placeholder(tf.float32, [batchSize, 28, 28, 1], { name: "real" });
  const noise = tf.randomNormal([batchSize, noiseSize], { name: "noise" });

  const samples = generator(noise);
  const verdictOnReal = discriminator(real);
  const verdictOnSamples = discriminator(samples); // the same variables again

  // Real pictures are only asked to be 90 % real: a discriminator that is never quite sure leaves the generator a slope to climb.
  const discriminatorLoss = crossEntropy(verdictOnReal, 0.9).add(crossEntropy(verdictOnSamples, 0));
  const generatorLoss = crossEntropy(verdictOnSamples, 1);

  // Each optimizer moves the variables of its own scope only. Twice the learning rate keeps the generator from falling behind.
  const trainDiscriminator = new tf.train.AdamOptimizer(5e-4, { beta1: 0.5 }).minimize(discriminatorLoss, {
    varList: tf.trainableVariables("discriminator"),
  });
  const trainGenerator = new tf.train.AdamOptimizer(1e-3, { beta1: 0.5 }).minimize(generatorLoss, {
    varList: tf.trainableVariables("generator"),
  });
  return { real, noise, samples, discriminatorLoss, generatorLoss, trainDiscriminator, trainGenerator };
}

/** Noise to pictures: a dense layer makes 7 x 7 pixels of 32 channels, two transposed convolutions double the sides. */
function generator(noise: tf.Tensor): tf.Tensor {
  return tf.variableScope("generator", { reuse: tf.AUTO_REUSE }, () => {
    const small = tf.nn.relu(normalized("norm0", tf.reshape(dense("dense", noise, 7 * 7 * 32), [batchSize, 7, 7, 32])));
    const middle = tf.nn.relu(normalized("norm1", transposedConvolution("up1", small, [batchSize, 14, 14, 16])));
    return tf.sigmoid(transposedConvolution("up2", middle, [batchSize, 28, 28, 1]).add(bias(1)));
  });
}

/** Pictures to one number each: above zero says real. */
function discriminator(pictures: tf.Tensor): tf.Tensor {
  return tf.variableScope("discriminator", { reuse: tf.AUTO_REUSE }, () => {
    const middle = tf.nn.leakyRelu(convolution("down1", pictures, 16));
    const small = tf.nn.leakyRelu(convolution("down2", middle, 32));
    return dense("dense", tf.reshape(small, [batchSize, 7 * 7 * 32]), 1).add(bias(1));
  });
}

function dense(name: string, input: tf.Tensor, units: number): tf.Tensor {
  return tf.variableScope(name, () => tf.matmul(input, weights([width(input), units], width(input))));
}

/** 5 x 5, stride 2: halves the sides. */
function convolution(name: string, input: tf.Tensor, channels: number): tf.Tensor {
  return tf.variableScope(name, () => {
    const filter = weights([5, 5, width(input), channels], 25 * width(input));
    return tf.nn.conv2d(input, filter, [1, 2, 2, 1], "SAME").add(bias(channels));
  });
}

/** 5 x 5, stride 2: doubles the sides. Every output pixel adds up a quarter of the filter. */
function transposedConvolution(name: string, input: tf.Tensor, shape: number[]): tf.Tensor {
  return tf.variableScope(name, () => {
    const filter = weights([5, 5, shape[3], width(input)], (25 * width(input)) / 4);
    return tf.nn.conv2dTranspose(input, filter, shape, [1, 2, 2, 1]);
  });
}

/** Batch normalization: every channel gets mean 0 and deviation 1 over the batch, then a learned scale and offset. */
function normalized(name: string, input: tf.Tensor): tf.Tensor {
  return tf.variableScope(name, () => {
    const mean = tf.reduceMean(input, [0, 1, 2]);
    const variance = tf.reduceMean(tf.squaredDifference(input, mean), [0, 1, 2]);
    const scale = tf.getVariable("scale", [width(input)], { initializer: tf.onesInitializer() });
    return tf.nn.batchNormalization(input, mean, variance, bias(width(input)), scale, 1e-5);
  });
}

/** He's rule: the more numbers are added up, the smaller they start. */
const weights = (shape: number[], summands: number) =>
  tf.getVariable("weights", shape, { initializer: tf.truncatedNormalInitializer({ stddev: Math.sqrt(2 / summands) }) });
const bias = (units: number) => tf.getVariable("bias", [units], { initializer: tf.zerosInitializer() });

const width = (tensor: tf.Tensor): number => Number(tensor.shape.dims?.at(-1));

const crossEntropy = (logits: tf.Tensor, label: number): tf.Tensor =>
  tf.reduceMean(tf.nn.sigmoidCrossEntropyWithLogits({ labels: tf.fill([batchSize, 1], label), logits }));
