// jax-js with its wasm backend on the workloads of bench/README.md, in its own layouts (NCHW, OIHW), every step under jit.

import { imported, integers, normal, serve, versionOf } from "./protocol.mjs";

const jax = await imported("@jax-js/jax");
const { numpy: np, nn, lax, jit, valueAndGrad, grad } = jax;
await jax.init("wasm");
jax.defaultDevice("wasm");

const tensor = (shape, scale) => np.array(normal(shape, scale)).reshape(shape);
const channels = bias => bias.reshape([1, -1, 1, 1]);
const crossEntropy = (logits, labels) => np.mean(np.sum(nn.logSoftmax(logits).mul(nn.oneHot(labels, 10)), -1)).mul(-1);

function pool(x) {
  const [n, c, h, w] = x.shape;
  return np.max(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
}

function cnn(v, x) {
  const layer = (value, f, b) => pool(nn.relu(lax.conv(value, f, [1, 1], "SAME").add(channels(b))));
  const h = layer(layer(x, v[0], v[1]), v[2], v[3]);
  return np.matmul(nn.relu(np.matmul(h.reshape([-1, 3136]), v[4]).add(v[5])), v[6]).add(v[7]);
}

const cnnVariables = () => [
  ...[tensor([32, 1, 5, 5], 0.1), tensor([32], 0.1), tensor([64, 32, 5, 5], 0.03), tensor([64], 0.1)],
  ...[tensor([3136, 1024], 0.02), tensor([1024], 0.1), tensor([1024, 10], 0.03), tensor([10], 0.1)],
];

function trained(loss, variables, data) {
  let held = variables;
  const update = jit((v, x, y) => {
    const [value, gradients] = valueAndGrad(loss)(jax.tree.ref(v), x, y);
    return [v.map((each, i) => each.sub(gradients[i].mul(0.01))), value];
  });
  return async () => {
    const [next, value] = update(held, ...data());
    held = next;
    return (await value.data())[0];
  };
}

function inferCnn(batch) {
  const [x, v, compiled] = [normal([batch, 1, 28, 28]), cnnVariables(), jit(cnn)];
  return () => compiled(jax.tree.ref(v), np.array(x).reshape([batch, 1, 28, 28])).data();
}

function trainCnn(batch) {
  const [x, y] = [normal([batch, 1, 28, 28]), integers(batch, 10)];
  return trained(
    (v, a, b) => crossEntropy(cnn(v, a), b),
    cnnVariables(),
    () => [np.array(x).reshape([batch, 1, 28, 28]), np.array(y)],
  );
}

function perceptron(batch, sizes, isClassifier) {
  const outputs = sizes[sizes.length - 1];
  const [x, y] = [normal([batch, sizes[0]]), isClassifier ? integers(batch, 10) : normal([batch, outputs])];
  const loss = (v, a, b) => {
    let h = a;
    for (let i = 0; i < v.length; i += 2) {
      h = np.matmul(h, v[i]).add(v[i + 1]);
      if (i < v.length - 2) h = nn.relu(h);
    }
    return isClassifier ? crossEntropy(h, b) : np.mean(np.square(h.sub(b)));
  };
  const v = sizes.slice(1).flatMap((n, i) => [tensor([sizes[i], n], 0.05), tensor([n], 0.1)]);
  return trained(loss, v, () => [
    np.array(x).reshape([batch, sizes[0]]),
    isClassifier ? np.array(y) : np.array(y).reshape([batch, outputs]),
  ]);
}

function called(compute, ...shapes) {
  const [values, compiled] = [shapes.map(shape => tensor(shape)), jit(compute)];
  return async () => {
    const result = compiled(...values.map(value => value.ref));
    await jax.blockUntilReady(result);
    jax.tree.dispose(result);
  };
}

function convolution(kind, direction) {
  const [x, f, groups] = {
    conv3: [[8, 64, 56, 56], [64, 64, 3, 3], 1],
    conv1: [[8, 256, 56, 56], [64, 256, 1, 1], 1],
    dw3: [[8, 144, 56, 56], [144, 1, 3, 3], 144],
  }[kind];
  const conv = (a, b) => lax.convGeneralDilated(a, b, [1, 1], "SAME", { featureGroupCount: groups });
  if (direction === "fwd") return called(conv, x, f);
  const product = (a, b, dy) => np.sum(conv(a, b).mul(dy));
  return called((a, b, dy) => grad(product, { argnums: direction === "dx" ? 0 : 1 })(a, b, dy), x, f, [8, f[0], 56, 56]);
}

function layerNormLoss(x, g, b, w) {
  const d = x.ref.sub(np.mean(x, -1, { keepdims: true }));
  const scale = np.reciprocal(np.sqrt(np.mean(np.square(d.ref), -1, { keepdims: true }).add(1e-5)));
  return np.sum(d.mul(scale).mul(g).add(b).mul(w));
}

function lstm() {
  const x = normal([32, 64, 128]);
  const loss = ([kernel, bias], data, unused) => {
    unused.dispose();
    let c = np.zeros([32, 128]);
    let h = np.zeros([32, 128]);
    for (const step of np.split(data, 64, 1)) {
      const z = np.split(np.matmul(np.concatenate([step.reshape([32, 128]), h], 1), kernel.ref).add(bias.ref), 4, 1);
      c = nn
        .sigmoid(z[2].add(1))
        .mul(c)
        .add(nn.sigmoid(z[0]).mul(np.tanh(z[1])));
      h = nn.sigmoid(z[3]).mul(np.tanh(c.ref));
    }
    for (const each of [c, kernel, bias]) each.dispose();
    return np.mean(np.square(h));
  };
  return trained(loss, [tensor([256, 512], 0.05), tensor([512], 0.1)], () => [np.array(x).reshape([32, 64, 128]), np.array(0)]);
}

const big = [4096, 1024];
const workloads = {
  W2_B128: () => perceptron(128, [784, 512, 512, 10], true),
  W5_chain: () => called((x, a, b) => np.sum(np.tanh(a.mul(x.ref).add(b)).mul(nn.sigmoid(x)), -1), big, big, big),
  W5_softmax: () => called(x => nn.softmax(x, -1), [4096, 1000]),
  W5_ln_fb: () => called((x, g, b, w) => valueAndGrad(layerNormLoss, { argnums: [0, 1, 2] })(x, g, b, w), big, [1024], [1024], big),
  W6_lstm: lstm,
};
for (const batch of [32, 100]) workloads[`W1_sgd_B${batch}`] = () => trainCnn(batch);
for (const batch of [1, 100]) workloads[`W1i_B${batch}`] = () => inferCnn(batch);
for (const batch of [1, 32]) {
  workloads[`W3_lin_B${batch}`] = () => perceptron(batch, [1, 1], false);
  workloads[`W3_mlp_B${batch}`] = () => perceptron(batch, [4, 16, 2], false);
}
for (const n of [512, 1024, 2048]) workloads[`W4_gemm_${n}`] = () => called((a, b) => np.matmul(a, b), [n, n], [n, n]);
for (const kind of ["conv3", "conv1", "dw3"])
  for (const direction of ["fwd", "dx", "dw"]) workloads[`W4_${kind}_${direction}`] = () => convolution(kind, direction);

await serve(versionOf("@jax-js/jax"), workloads);
