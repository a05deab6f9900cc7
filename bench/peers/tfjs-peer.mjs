// TensorFlow.js with its wasm backend on the workloads of bench/README.md. What it lacks a gradient or a kernel for answers with its own error.

import { dirname } from "node:path";
import { bottlenecks, integers, normal, required, serve, size, threads } from "./protocol.mjs";

console.warn = () => {};
const tf = required("@tensorflow/tfjs");
const wasm = required("@tensorflow/tfjs-backend-wasm");
wasm.setWasmPaths(`${dirname(required.resolve("@tensorflow/tfjs-backend-wasm"))}/`);
wasm.setThreadsCount(threads);
await tf.setBackend("wasm");
await tf.ready();

const tensor = (shape, scale) => tf.tensor(normal(shape, scale), shape);
const variable = (shape, scale) => tf.variable(tensor(shape, scale));
const crossEntropy = (logits, labels) =>
  tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), tf.cast(tf.oneHot(labels, 10), "float32")), -1)));
const cnnVariables = () =>
  [
    [[5, 5, 1, 32], 0.1],
    [[5, 5, 32, 64], 0.03],
    [[3136, 1024], 0.02],
    [[1024, 10], 0.03],
  ].flatMap(([shape, scale]) => [variable(shape, scale), variable(shape.slice(-1), 0.1)]);

function cnn(x, v) {
  const layer = (value, f, b) => tf.maxPool(tf.relu(tf.add(tf.conv2d(value, f, 1, "same"), b)), 2, 2, "same");
  const h = tf.reshape(layer(layer(x, v[0], v[1]), v[2], v[3]), [-1, 3136]);
  return tf.add(tf.matMul(tf.relu(tf.add(tf.matMul(h, v[4]), v[5])), v[6]), v[7]);
}

function trained(loss, variables, optimizer = tf.train.sgd(0.01)) {
  return () => {
    const value = optimizer.minimize(loss, true, variables);
    const [result] = value.dataSync();
    value.dispose();
    return result;
  };
}

function trainCnn(batch, optimizer) {
  const [x, y, v] = [normal([batch, 28, 28, 1]), integers(batch, 10), cnnVariables()];
  return trained(() => crossEntropy(cnn(tf.tensor(x, [batch, 28, 28, 1]), v), tf.tensor1d(y, "int32")), v, optimizer);
}

function inferCnn(batch) {
  const [x, v] = [normal([batch, 28, 28, 1]), cnnVariables()];
  return () => tf.tidy(() => cnn(tf.tensor(x, [batch, 28, 28, 1]), v).dataSync());
}

function perceptron(batch, sizes, isClassifier) {
  const v = sizes.slice(1).flatMap((n, i) => [variable([sizes[i], n], 0.05), variable([n], 0.1)]);
  const outputs = sizes[sizes.length - 1];
  const [x, y] = [normal([batch, sizes[0]]), isClassifier ? integers(batch, 10) : normal([batch, outputs])];
  return trained(() => {
    let h = tf.tensor(x, [batch, sizes[0]]);
    for (let i = 0; i < v.length; i += 2) {
      h = tf.add(tf.matMul(h, v[i]), v[i + 1]);
      if (i < v.length - 2) h = tf.relu(h);
    }
    return isClassifier ? crossEntropy(h, tf.tensor1d(y, "int32")) : tf.mean(tf.square(tf.sub(h, tf.tensor(y, [batch, outputs]))));
  }, v);
}

const called = compute => () => tf.dispose(tf.tidy(compute));

function convolution(kind, direction) {
  const [input, filter] = {
    conv3: [
      [8, 56, 56, 64],
      [3, 3, 64, 64],
    ],
    conv1: [
      [8, 56, 56, 256],
      [1, 1, 256, 64],
    ],
    dw3: [
      [8, 56, 56, 144],
      [3, 3, 144, 1],
    ],
  }[kind];
  const isDepthwise = kind === "dw3";
  const [x, f, dy] = [tensor(input), tensor(filter, 0.1), tensor([8, 56, 56, isDepthwise ? 144 : 64])];
  if (direction === "fwd") return called(() => (isDepthwise ? tf.depthwiseConv2d(x, f, 1, "same") : tf.conv2d(x, f, 1, "same")));
  const name = `${isDepthwise ? "DepthwiseConv2dNative" : "Conv2D"}Backprop${direction === "dx" ? "Input" : "Filter"}`;
  const attrs = { strides: 1, pad: "same", dilations: 1, dataFormat: "NHWC", inputShape: input, filterShape: filter };
  return called(() => tf.engine().runKernel(name, direction === "dx" ? { dy, filter: f } : { x, dy }, attrs));
}

function chain() {
  const [x, a, b] = [0, 1, 2].map(() => tensor([4096, 1024]));
  return called(() => tf.sum(tf.mul(tf.tanh(tf.add(tf.mul(a, x), b)), tf.sigmoid(x)), -1));
}

function softmax() {
  const x = tensor([4096, 1000]);
  return called(() => tf.softmax(x));
}

function layerNorm() {
  const [x, w, g, b] = [[4096, 1024], [4096, 1024], [1024], [1024]].map(shape => tensor(shape));
  const gradients = tf.valueAndGrads((x, g, b) => {
    const d = tf.sub(x, tf.mean(x, -1, true));
    const scale = tf.rsqrt(tf.add(tf.mean(tf.square(d), -1, true), 1e-5));
    return tf.sum(tf.mul(tf.add(tf.mul(tf.mul(d, scale), g), b), w));
  });
  return called(() => {
    const { value, grads } = gradients([x, g, b]);
    return [value, ...grads];
  });
}

function lstm() {
  const [data, kernel, bias] = [normal([32, 64, 128]), variable([256, 512], 0.05), variable([512], 0.1)];
  return trained(() => {
    let c = tf.zeros([32, 128]);
    let h = c;
    for (const step of tf.unstack(tf.tensor(data, [32, 64, 128]), 1)) {
      const [i, j, f, o] = tf.split(tf.add(tf.matMul(tf.concat([step, h], 1), kernel), bias), 4, 1);
      c = tf.add(tf.mul(tf.sigmoid(tf.add(f, 1)), c), tf.mul(tf.sigmoid(i), tf.tanh(j)));
      h = tf.mul(tf.sigmoid(o), tf.tanh(c));
    }
    return tf.mean(tf.square(h));
  }, [kernel, bias]);
}

function embedding() {
  const [inner, outer] = [variable([50000, 128], 0.1), variable([50000, 128], 0.1)];
  const [centers, positive, negative] = [128, 128, 640].map(count => integers(count, 50000));
  return trained(() => {
    const u = tf.gather(inner, tf.tensor1d(centers, "int32"));
    const near = tf.sum(tf.mul(u, tf.gather(outer, tf.tensor1d(positive, "int32"))), -1);
    const far = tf.sum(tf.mul(tf.expandDims(u, 1), tf.gather(outer, tf.tensor2d(negative, [128, 5], "int32"))), -1);
    return tf.mean(tf.add(tf.softplus(tf.neg(near)), tf.sum(tf.softplus(far), -1)));
  }, [inner, outer]);
}

function mobileNet() {
  const weights = [];
  const add = (...shape) => {
    const outputs = shape.length === 4 && shape[3] === 1 ? shape[2] : shape[shape.length - 1];
    weights.push(tensor(shape, Math.sqrt(2 / size(shape.slice(0, -1)))), tensor([outputs], 0.1));
  };
  const blocks = [];
  let channels = 32;
  add(3, 3, 3, 32);
  for (const [expansion, outputs, repeats, first] of bottlenecks)
    for (let i = 0; i < repeats; i++) {
      const [wide, stride] = [channels * expansion, i === 0 ? first : 1];
      if (expansion !== 1) add(1, 1, channels, wide);
      add(3, 3, wide, 1);
      add(1, 1, wide, outputs);
      blocks.push({ isWide: expansion !== 1, stride, hasSkip: stride === 1 && channels === outputs });
      channels = outputs;
    }
  add(1, 1, 320, 1280);
  add(1280, 1000);
  const image = normal([1, 224, 224, 3]);
  return () =>
    tf.tidy(() => {
      const left = weights.values();
      const layer = (x, activation, strides = 1, fn = tf.fused.conv2d) =>
        fn({ x, filter: left.next().value, bias: left.next().value, strides, pad: "same", activation });
      let h = layer(tf.tensor(image, [1, 224, 224, 3]), "relu6", 2);
      for (const { isWide, stride, hasSkip } of blocks) {
        const input = h;
        if (isWide) h = layer(h, "relu6");
        h = layer(layer(h, "relu6", stride, tf.fused.depthwiseConv2d), "linear");
        if (hasSkip) h = tf.add(h, input);
      }
      const pooled = tf.mean(layer(h, "relu6"), [1, 2]);
      return tf.add(tf.matMul(pooled, left.next().value), left.next().value).dataSync();
    });
}

const workloads = {
  W2_B128: () => perceptron(128, [784, 512, 512, 10], true),
  W5_chain: chain,
  W5_softmax: softmax,
  W5_ln_fb: layerNorm,
  W6_lstm: lstm,
  W7_emb: embedding,
  W8_mnv2_B1: mobileNet,
};
for (const batch of [32, 100]) {
  workloads[`W1_adam_B${batch}`] = () => trainCnn(batch, tf.train.adam(1e-4));
  workloads[`W1_sgd_B${batch}`] = () => trainCnn(batch, tf.train.sgd(0.01));
}
for (const batch of [1, 100]) workloads[`W1i_B${batch}`] = () => inferCnn(batch);
for (const batch of [1, 32]) {
  workloads[`W3_lin_B${batch}`] = () => perceptron(batch, [1, 1], false);
  workloads[`W3_mlp_B${batch}`] = () => perceptron(batch, [4, 16, 2], false);
}
for (const n of [512, 1024, 2048])
  workloads[`W4_gemm_${n}`] = () => {
    const [a, b] = [tensor([n, n]), tensor([n, n])];
    return called(() => tf.matMul(a, b));
  };
for (const kind of ["conv3", "conv1", "dw3"])
  for (const direction of ["fwd", "dx", "dw"]) workloads[`W4_${kind}_${direction}`] = () => convolution(kind, direction);

await serve(tf.version_core, workloads);
