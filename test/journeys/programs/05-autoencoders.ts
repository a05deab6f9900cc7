// A plain autoencoder with RMSProp, and a variational one whose decoder is a transposed convolution.

import * as tf from "tensorloom";
import { type Data, numbers, type Journal, slice } from "./record.ts";

const side = 8;

async function autoencoder(data: Data, record: Journal): Promise<void> {
  const sizes = { encoderH1: [64, 24], encoderH2: [24, 6], decoderH1: [6, 24], decoderH2: [24, 64] };
  const weights = Object.values(sizes).map((s, n) => new tf.Variable(tf.randomNormal(s, { stddev: 0.4, seed: 10 + n })));
  const biases = Object.values(sizes).map((s, n) => new tf.Variable(tf.randomNormal([s[1]], { stddev: 0.1, seed: 20 + n })));
  const layer = (h: tf.Tensor, k: number): tf.Tensor => tf.nn.sigmoid(tf.add(tf.matmul(h, weights[k]), biases[k]));
  const X = tf.placeholder("float32", [null, 64]);
  const code = layer(layer(X, 0), 1);
  const prediction = layer(layer(code, 2), 3);
  const loss = tf.reduceMean(tf.reduceSum(tf.pow(X.sub(prediction), 2), 1));
  const optimizer = new tf.train.RMSPropOptimizer(0.03).minimize(loss);
  record.graph("plain");
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await record.initial(session, "plain");
  for (let i = 0; i < 25; i++) {
    const at = (i * 20) % 80;
    record.step({ plain_loss: (await session.run([optimizer, loss], new Map([[X, slice(data.images, at, at + 20)]])))[1] });
  }
  record.value("plain codes", await session.run(code, new Map([[X, slice(data.images, 0, 4)]])));
  await record.final(session, "plain");
}

async function variational(data: Data, record: Journal): Promise<void> {
  const init = (fanIn: number, seed: number) => tf.randomNormalInitializer({ stddev: 1 / Math.sqrt(fanIn / 2), seed });
  const dense = (x: tf.Tensor, size: number, name: string, seed: number): tf.Tensor =>
    tf.variableScope(name, () => {
      const inputs = x.shape.dim(1) as number;
      const w = tf.getVariable("w", [inputs, size], { initializer: init(inputs, seed) });
      return tf.nn.xwPlusB(x, w, tf.getVariable("b", [size], { initializer: tf.zerosInitializer() }));
    });
  const decode = (z: tf.Tensor): tf.Tensor =>
    tf.variableScope("decoder", { reuse: tf.AUTO_REUSE }, () => {
      const h = tf.reshape(tf.nn.elu(dense(z, 4 * 4 * 6, "in", 33)), [-1, 4, 4, 6]);
      const w = tf.getVariable("up", [3, 3, 1, 6], { initializer: init(24, 34) });
      const size = tf.stack([tf.shape(h).at(0), side, side, 1]);
      return tf.reshape(tf.nn.conv2dTranspose(h, w, size, [1, 2, 2, 1], { padding: "SAME" }), [-1, 64]);
    });
  const x = tf.placeholder("float32", [null, 64]);
  const { mean, std } = tf.variableScope("encoder", () => {
    const h = tf.nn.tanh(dense(x, 32, "hidden", 30));
    return { mean: dense(h, 2, "mean", 31), std: dense(h, 2, "log_std", 32) };
  });
  const eps = tf.randomNormal(tf.shape(std), { dtype: "float32", mean: 0, stddev: 1, seed: 35, name: "epsilon" });
  const z = mean.add(tf.exp(std.truediv(2)).mul(eps));
  const logits = decode(z);
  const reconstruction = tf.reduceSum(tf.nn.sigmoidCrossEntropyWithLogits({ labels: x, logits }), 1);
  const inner = tf.add(1, std, { name: "add" }).sub(tf.square(mean)).sub(tf.exp(std));
  const divergence = tf.reduceSum(inner, 1).mul(-0.5);
  const loss = tf.reduceMean(reconstruction.add(divergence));
  const train = new tf.train.AdamOptimizer(0.01, { epsilon: 1e-3 }).minimize(loss);
  const zIn = tf.placeholder("float32", [null, 2]);
  const generated = tf.sigmoid(decode(zIn));
  record.graph("variational");
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await record.initial(session, "variational");
  for (let i = 0; i < 25; i++) {
    const at = (i * 20) % 80;
    const [, value, parts] = await session.run([train, loss, divergence], new Map([[x, slice(data.images, at, at + 20)]]));
    record.step({ vae_loss: value, vae_divergence: numbers(parts).reduce((a, b) => a + b) / parts.size });
  }
  record.value("generated", await session.run(generated, new Map([[zIn, data.grid]])));
  record.value("latent", await session.run(mean, new Map([[x, slice(data.images, 0, 8)]])));
  await record.final(session, "variational");
}

export async function main(data: Data, record: Journal): Promise<void> {
  for (const part of [autoencoder, variational]) {
    using _ = new tf.Graph().asDefault();
    tf.setRandomSeed(55);
    await part(data, record);
  }
}
