// Picture to picture: a U-Net with skips, and a generator with instance normalization, reflected edges and transposed convolutions against a patch
// discriminator, in the manner of CycleGAN: least squares, cycle loss, several optimizers.

import * as tf from "tensorloom";
import { int, minus, times } from "./operators.ts";

const depthOf = (x: tf.Tensor): number => x.shape.dim(-1) as number;

function instanceNorm(x: tf.Tensor, name: string): tf.Tensor {
  return tf.variableScope(name, () => {
    const depth = depthOf(x);
    const scale = tf.getVariable("scale", [depth], {
      initializer: tf.randomNormalInitializer({ mean: 1, stddev: 0.02, dtype: "float32", seed: 1 }),
    });
    const offset = tf.getVariable("offset", [depth], { initializer: tf.constantInitializer(0) });
    const [mean, variance] = tf.nn.moments(x, [1, 2], { keepDims: true });
    const normal = x.sub(mean).mul(tf.rsqrt(variance.add(1e-5)));
    return scale.mul(normal).add(offset);
  });
}

const lrelu = (x: tf.Tensor, leak = 0.2): tf.Tensor => tf.maximum(x, times(leak, x));

interface Window {
  readonly size?: number;
  readonly stride?: number;
  readonly padding?: "SAME" | "VALID";
  readonly name: string;
}

function conv2d(x: tf.Tensor, filters: number, { size = 3, stride = 1, padding = "SAME", name }: Window): tf.Tensor {
  return tf.variableScope(name, () => {
    const initializer = tf.truncatedNormalInitializer({ stddev: 0.1, seed: filters });
    const w = tf.getVariable("w", [size, size, depthOf(x), filters], { initializer });
    return tf.nn.conv2d(x, w, [1, stride, stride, 1], padding);
  });
}

function deconv2d(x: tf.Tensor, filters: number, name: string): tf.Tensor {
  return tf.variableScope(name, () => {
    const initializer = tf.truncatedNormalInitializer({ stddev: 0.1, seed: filters + 1 });
    const w = tf.getVariable("w", [3, 3, filters, depthOf(x)], { initializer });
    const shape = tf.shape(x);
    const size = tf.stack([shape.at(0), shape.at(1).mul(2), shape.at(2).mul(2), int(filters)]);
    const y = tf.nn.conv2dTranspose(x, w, size, [1, 2, 2, 1]);
    return tf.nn.biasAdd(y, tf.getVariable("b", [filters], { initializer: tf.zerosInitializer() }));
  });
}

const around = (x: tf.Tensor, n: number, mode: "REFLECT" | "SYMMETRIC"): tf.Tensor =>
  tf.pad(
    x,
    [
      [0, 0],
      [n, n],
      [n, n],
      [0, 0],
    ],
    mode,
  );

function generator(image: tf.Tensor, name: string, reuse = false): tf.Tensor {
  return tf.variableScope(name, { reuse }, () => {
    let x = around(image, 3, "REFLECT");
    x = tf.nn.relu(instanceNorm(conv2d(x, 4, { size: 7, padding: "VALID", name: "e1_c" }), "e1_bn"));
    x = tf.nn.relu(instanceNorm(conv2d(x, 8, { stride: 2, name: "e2_c" }), "e2_bn"));
    let y = around(x, 1, "REFLECT");
    y = tf.nn.relu(instanceNorm(conv2d(y, 8, { padding: "VALID", name: "r_c1" }), "r_bn1"));
    y = around(y, 1, "SYMMETRIC");
    x = x.add(instanceNorm(conv2d(y, 8, { padding: "VALID", name: "r_c2" }), "r_bn2"));
    x = tf.nn.relu(instanceNorm(deconv2d(x, 4, "d1_dc"), "d1_bn"));
    x = tf.image.resizeNearestNeighbor(x, [8, 8]);
    return tf.nn.tanh(conv2d(x, 3, { size: 7, name: "pred_c" }), { name: "pred" });
  });
}

function discriminator(image: tf.Tensor, name: string, reuse = false): tf.Tensor {
  return tf.variableScope(name, scope => {
    if (reuse) scope.reuseVariables();
    let x = lrelu(conv2d(image, 4, { size: 4, stride: 2, name: "h0" }));
    x = lrelu(instanceNorm(conv2d(x, 8, { size: 4, stride: 2, name: "h1" }), "bn1"));
    return conv2d(x, 1, { size: 4, name: "h2" });
  });
}

function unet(image: tf.Tensor): tf.Tensor {
  const seeded = (seed: number) => ({ kernelInitializer: tf.glorotNormalInitializer({ seed }) });
  return tf.variableScope("unet", () => {
    const c1 = tf.layers.conv2d(image, 4, 3, { padding: "same", activation: tf.nn.elu, ...seeded(1) });
    const p1 = tf.layers.maxPooling2d(c1, 2, 2);
    const c2 = tf.layers.conv2d(p1, 8, 3, { padding: "same", activation: tf.nn.elu, ...seeded(2) });
    const p2 = tf.layers.averagePooling2d(c2, [2, 2], [2, 2]);
    const c3 = tf.layers.separableConv2d(p2, 8, 3, {
      padding: "same",
      activation: tf.nn.selu,
      depthwiseInitializer: tf.glorotNormalInitializer({ seed: 3 }),
      pointwiseInitializer: tf.glorotNormalInitializer({ seed: 4 }),
    });
    const u2 = tf.layers.conv2dTranspose(c3, 8, 2, { strides: 2, ...seeded(5) });
    const m2 = tf.concat([u2, c2], 3);
    const u1 = tf.image.resizeBilinear(m2, [8, 8], { alignCorners: true });
    const m1 = tf.concat([tf.image.resizeBicubic(u1, [8, 8]), c1], -1);
    return tf.layers.conv2d(m1, 1, 1, { name: "mask", ...seeded(6) });
  });
}

const absLoss = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.reduceMean(tf.abs(x.sub(y)));
const squared = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => tf.reduceMean(x.sub(y).pow(2));

export function build(): void {
  const a = tf.placeholder("float32", [null, 8, 8, 3], { name: "a" });
  const b = tf.placeholder("float32", [null, 8, 8, 3], { name: "b" });
  const fakeB = generator(a, "a_to_b");
  const cycleA = generator(fakeB, "b_to_a");
  const fakeA = generator(b, "b_to_a", true);
  const cycleB = generator(fakeA, "a_to_b", true);
  const [scoreB, scoreA] = [discriminator(fakeB, "disc_b"), discriminator(fakeA, "disc_a")];
  const fooled = squared(scoreB, tf.onesLike(scoreB)).add(squared(scoreA, tf.onesLike(scoreA)));
  const gLoss = tf.add(fooled, times(10, absLoss(a, cycleA).add(absLoss(b, cycleB))), { name: "g_loss" });
  const [realB, realA] = [discriminator(b, "disc_b", true), discriminator(a, "disc_a", true)];
  const told = (real: tf.Tensor, fake: tf.Tensor): tf.Tensor =>
    squared(real, tf.onesLike(real))
      .add(squared(fake, tf.zerosLike(fake)))
      .truediv(2);
  const dB = told(realB, scoreB);
  const dA = told(realA, scoreA);
  const dLoss = tf.identity(dA.add(dB), { name: "d_loss" });
  const variables = tf.trainableVariables();
  const rate = tf.placeholder("float32", null, { name: "rate" });
  const adam = () => new tf.train.AdamOptimizer(rate, { beta1: 0.5, epsilon: 1e-3 });
  adam().minimize(dLoss, { varList: variables.filter(v => v.name.includes("disc")), name: "d_train" });
  adam().minimize(gLoss, { varList: variables.filter(v => v.name.includes("_to_")), name: "g_train" });

  const mask = tf.cast(tf.reduceMean(b, 3, { keepdims: true }).greater(0), "float32");
  const logits = unet(a);
  const probability = tf.sigmoid(logits);
  const together = tf.reduceSum(probability.mul(mask), [1, 2, 3]);
  const twice = times(2, together).add(1e-2);
  const all = tf.reduceSum(probability, [1, 2, 3]).add(tf.reduceSum(mask, [1, 2, 3]));
  const dice = twice.truediv(all.add(1e-2));
  const bce = tf.nn.weightedCrossEntropyWithLogits(mask, logits, 2);
  const variation = tf.reduceMean(tf.image.totalVariation(probability));
  const loss = tf.addN([tf.reduceMean(bce), minus(1, tf.reduceMean(dice)), times(1e-3, variation)], { name: "u_loss" });
  new tf.train.RMSPropOptimizer(0.01, { centered: true, momentum: 0.5, epsilon: 1e-3 }).minimize(loss, { name: "u_train" });
  tf.reduceMean(tf.image.ssim(fakeB, cycleB, 2, { filterSize: 5 }), null, { name: "similarity" });
  tf.reduceMean(tf.image.psnr(a, cycleA, 2), null, { name: "noise_ratio" });
}
