// Two networks, two Adams, each with the variables of its own network; batch normalization by update ops; summaries and a checkpoint.

import * as tf from "tensorloom";
import { type Data, type Journal, numbers, slice } from "./record.ts";

const [batch, size, latent] = [16, 16, 12];

const zeros = () => tf.constantInitializer(0);
const channelsOf = (x: tf.Tensor): number => x.getShape().dim(-1) as number;

function conv2d(x: tf.Tensor, channels: number, name: string, seed: number): tf.Tensor {
  return tf.variableScope(name, () => {
    const initializer = tf.truncatedNormalInitializer({ stddev: 0.02, seed: 100 + seed });
    const w = tf.getVariable("w", [5, 5, channelsOf(x), channels], { initializer });
    const biases = tf.getVariable("biases", [channels], { initializer: zeros() });
    const conv = tf.nn.conv2d(x, w, [1, 2, 2, 1], "SAME");
    return tf.reshape(tf.nn.biasAdd(conv, biases), tf.shape(conv));
  });
}

function deconv2d(x: tf.Tensor, outputShape: number[], name: string, seed: number): tf.Tensor {
  return tf.variableScope(name, () => {
    const initializer = tf.randomNormalInitializer({ stddev: 0.02, seed: 100 + seed });
    const channels = outputShape.at(-1) as number;
    const w = tf.getVariable("w", [5, 5, channels, channelsOf(x)], { initializer });
    const biases = tf.getVariable("biases", [channels], { initializer: zeros() });
    return tf.nn.biasAdd(tf.nn.conv2dTranspose(x, w, outputShape, [1, 2, 2, 1]), biases);
  });
}

function linear(x: tf.Tensor, outputs: number, name: string, seed: number): tf.Tensor {
  return tf.variableScope(name, () => {
    const initializer = tf.randomNormalInitializer({ stddev: 0.02, seed: 100 + seed });
    const matrix = tf.getVariable("Matrix", [x.getShape().dim(1), outputs], { dtype: "float32", initializer });
    return tf.matmul(x, matrix).add(tf.getVariable("bias", [outputs], { initializer: zeros() }));
  });
}

const lrelu = (x: tf.Tensor, leak = 0.2): tf.Tensor => tf.maximum(x, tf.multiply(leak, x, { name: "mul" }));

function batchNorm(x: tf.Tensor, name: string, { train = true, decay = 0.9, epsilon = 1e-5 } = {}): tf.Tensor {
  return tf.variableScope(name, () => {
    const variable = (which: string, initializer: ReturnType<typeof tf.zerosInitializer>, trainable = true): tf.Variable =>
      tf.getVariable(which, [channelsOf(x)], { initializer, trainable });
    const beta = variable("beta", tf.zerosInitializer());
    const gamma = variable("gamma", tf.onesInitializer());
    const movingMean = variable("moving_mean", tf.zerosInitializer(), false);
    const movingVariance = variable("moving_variance", tf.onesInitializer(), false);
    if (!train) return tf.nn.batchNormalization(x, movingMean, movingVariance, beta, gamma, epsilon);
    const axes = [...Array((x.shape.rank as number) - 1).keys()];
    const [mean, variance] = tf.nn.moments(x, axes, { name: "moments" });
    // Second use of the discriminator: one writer of the averages is enough.
    if (!tf.getVariableScope().reuse) {
      const averaged = (average: tf.Variable, now: tf.Tensor): tf.Tensor =>
        tf.assign(average, average.mul(decay).add(now.mul(1 - decay))) as tf.Tensor;
      tf.addToCollection(tf.GraphKeys.UPDATE_OPS, averaged(movingMean, mean));
      tf.addToCollection(tf.GraphKeys.UPDATE_OPS, averaged(movingVariance, variance));
    }
    return tf.nn.batchNormalization(x, mean, variance, beta, gamma, epsilon);
  });
}

function discriminator(image: tf.Tensor, reuse = false): [tf.Tensor, tf.Tensor] {
  return tf.variableScope("discriminator", (scope): [tf.Tensor, tf.Tensor] => {
    if (reuse) scope.reuseVariables();
    const h0 = lrelu(conv2d(image, 8, "d_h0_conv", 1));
    const h1 = lrelu(batchNorm(conv2d(h0, 16, "d_h1_conv", 2), "d_bn1"));
    const h2 = linear(tf.reshape(h1, [batch, -1]), 1, "d_h2_lin", 3);
    return [tf.nn.sigmoid(h2), h2];
  });
}

function generator(z: tf.Tensor, { train = true, pictures = batch } = {}): tf.Tensor {
  return tf.variableScope("generator", scope => {
    if (!train) scope.reuseVariables();
    const flat = tf.reshape(linear(z, 4 * 4 * 16, "g_h0_lin", 4), [-1, 4, 4, 16]);
    const h0 = tf.nn.relu(batchNorm(flat, "g_bn0", { train }));
    const h1 = tf.nn.relu(batchNorm(deconv2d(h0, [pictures, 8, 8, 8], "g_h1", 5), "g_bn1", { train }));
    return tf.nn.tanh(deconv2d(h1, [pictures, size, size, 1], "g_h2", 6));
  });
}

export async function main(data: Data, record: Journal): Promise<void> {
  const pixels = Float32Array.from(numbers(data.images), byte => Math.fround(byte / 127.5) - 1);
  const images = tf.NDArray.from(pixels, "float32", [64, size, size, 1]);
  const inputs = tf.placeholder("float32", [batch, size, size, 1], { name: "real_images" });
  const z = tf.placeholder("float32", [null, latent], { name: "z" });
  const zSum = tf.summary.histogram("z", z);

  const g = generator(z);
  const [d, dLogits] = discriminator(inputs);
  const sampler = generator(z, { train: false, pictures: 8 });
  const [dFake, dFakeLogits] = discriminator(g, true);
  const sums = [zSum, tf.summary.histogram("d", d), tf.summary.histogram("d_", dFake), tf.summary.image("G", g, { maxOutputs: 2 })];

  const sce = (logits: tf.Tensor, labels: tf.Tensor): tf.Tensor => tf.reduceMean(tf.nn.sigmoidCrossEntropyWithLogits({ logits, labels }));
  const dLossReal = sce(dLogits, tf.onesLike(d));
  const dLossFake = sce(dFakeLogits, tf.zerosLike(dFake));
  const gLoss = sce(dFakeLogits, tf.onesLike(dFake));
  const dLoss = dLossReal.add(dLossFake);
  sums.push(tf.summary.scalar("d_loss", dLoss), tf.summary.scalar("g_loss", gLoss));

  const variables = tf.trainableVariables();
  const [dVars, gVars] = ["d_", "g_"].map(part => variables.filter(v => v.name.includes(part)));
  const updates = tf.getCollection(tf.GraphKeys.UPDATE_OPS) as tf.Tensor[];
  const after = (network: string): tf.Tensor[] => updates.filter(op => op.name.includes(network));
  const adam = () => new tf.train.AdamOptimizer(0.002, { beta1: 0.5, epsilon: 1e-4 });
  const dOptim = tf.controlDependencies(after("discriminator"), () => adam().minimize(dLoss, { varList: dVars }));
  const gOptim = tf.controlDependencies(after("generator"), () => adam().minimize(gLoss, { varList: gVars }));
  const merged = tf.summary.merge(sums);
  const namesOf = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name);
  record.value("d_vars", namesOf(dVars));
  record.value("g_vars", namesOf(gVars));
  record.value("update ops", namesOf(updates));
  record.graph();

  const saver = new tf.train.Saver();
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await record.initial(session);
  const writer = new tf.summary.FileWriter(record.folder, { graph: session.graph });
  for (let i = 0; i < 10; i++) {
    const at = (i * batch) % 64;
    const feed = new Map([
      [inputs, slice(images, at, at + batch)],
      [z, slice(data.z, i * batch, (i + 1) * batch)],
    ]);
    const [, dValue, summary] = await session.run([dOptim, dLoss, merged], feed);
    const [, gValue] = await session.run([gOptim, gLoss], feed);
    writer.addSummary(summary, i);
    const [real, fake] = [await session.run(dLossReal, feed), await session.run(dLossFake, feed)];
    record.step({ d_loss: dValue, g_loss: gValue, d_real: real, d_fake: fake });
  }
  await writer.close();
  await record.events("events", record.folder);
  record.value("samples", await session.run(sampler, new Map([[z, slice(data.z, 160, 168)]])));
  const path = await saver.save(session, `${record.folder}/DCGAN.model`, { globalStep: 10 });
  const names = (await tf.train.listVariables(String(path))).map(([name]) => name);
  record.value("checkpoint", [String(path).split("/").at(-1), names]);
  await record.final(session);
}
