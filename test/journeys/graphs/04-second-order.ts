// Gradients of gradients: a Wasserstein critic with gradient penalty and spectral normalization, a gradient step inside the loss (MAML), conjugate
// gradients with Hessian-vector products (TRPO), a changed gradient by gradientOverrideMap, a gradient of one's own.

import * as tf from "tensorloom";
import { minus, times, upTo } from "./operators.ts";

const normal = (stddev: number, seed: number) => tf.randomNormalInitializer({ stddev, seed });
const variablesOf = (scope: string): tf.Variable[] => tf.getCollection(tf.GraphKeys.TRAINABLE_VARIABLES, scope) as tf.Variable[];
const slope = (y: tf.Tensor, x: tf.Tensor | tf.Variable): tf.Tensor => tf.gradients(y, x)[0] as tf.Tensor;
/** Names of gradients can be registered once in a program. */
let isRegistered = false;

function spectralNorm(w: tf.Variable, name: string): tf.Tensor {
  const columns = w.shape.asList().at(-1) as number;
  const matrix = tf.reshape(w, [-1, columns]);
  const u = tf.getVariable(`${name}_u`, [1, columns], { initializer: tf.randomNormalInitializer({ seed: 9 }), trainable: false });
  let v = tf.nn.l2Normalize(tf.matmul(u, matrix, { transposeB: true }));
  let next = tf.nn.l2Normalize(tf.matmul(v, matrix));
  [next, v] = [tf.stopGradient(next), tf.stopGradient(v)];
  const sigma = tf.matmul(tf.matmul(v, matrix), next, { transposeB: true });
  return tf.controlDependencies([u.assign(next)], () => tf.reshape(matrix.truediv(sigma), w.shape));
}

function critic(x: tf.Tensor): tf.Tensor {
  return tf.variableScope("critic", { reuse: tf.AUTO_REUSE }, () => {
    const w1 = tf.getVariable("w1", [3, 3, 1, 4], { initializer: normal(0.3, 1) });
    let h = tf.nn.leakyRelu(tf.nn.conv2d(x, w1, [1, 2, 2, 1], "SAME"), { alpha: 0.1 });
    h = tf.layers.flatten(h);
    h = tf.layers.dense(h, 6, { activation: tf.nn.softplus, kernelInitializer: tf.glorotUniformInitializer({ seed: 2 }), name: "h" });
    const w2 = tf.getVariable("w2", [6, 1], { initializer: normal(0.3, 3) });
    return tf.matmul(tf.nn.tanh(h), w2);
  });
}

function wasserstein(): void {
  const real = tf.placeholder("float32", [null, 6, 6, 1], { name: "real" });
  const noise = tf.randomNormal([tf.shape(real).at(0), 4], { seed: 11 });
  const fake = tf.variableScope("generator", () => {
    const kernelInitializer = tf.glorotUniformInitializer({ seed: 4 });
    return tf.reshape(tf.layers.dense(noise, 36, { activation: tf.sigmoid, kernelInitializer }), [-1, 6, 6, 1]);
  });
  const epsilon = tf.randomUniform([tf.shape(real).at(0), 1, 1, 1], { seed: 12 });
  const kept = epsilon.mul(real);
  const between = kept.add(minus(1, epsilon).mul(fake));
  const squares = tf.square(tf.gradients(critic(between), [between])[0] as tf.Tensor);
  const slopes = tf.sqrt(tf.reduceSum(squares, { axis: [1, 2, 3] }).add(1e-8));
  const penalty = tf.reduceMean(slopes.sub(1).pow(2));
  const apart = tf.reduceMean(critic(fake)).sub(tf.reduceMean(critic(real)));
  const dLoss = tf.identity(apart.add(times(10, penalty)), { name: "d_loss" });
  const gLoss = tf.negative(tf.reduceMean(critic(fake)), { name: "g_loss" });
  const adam = new tf.train.AdamOptimizer(1e-2, { beta1: 0, beta2: 0.9, epsilon: 1e-3 });
  adam.minimize(dLoss, { varList: variablesOf("critic"), name: "d_train" });
  const rmsProp = new tf.train.RMSPropOptimizer(1e-2, { epsilon: 1e-3 });
  rmsProp.minimize(gLoss, { varList: variablesOf("generator"), name: "g_train" });
  const clip = variablesOf("critic").map(v => v.assign(tf.clipByValue(v, -0.5, 0.5)));
  tf.group(...clip, { name: "clip" });
  const { w, normalized } = tf.variableScope("spectral", () => {
    const w = tf.getVariable("w", [3, 3, 2, 4], { initializer: tf.randomNormalInitializer({ seed: 8 }) });
    return { w, normalized: tf.reduceSum(spectralNorm(w, "sn").pow(3)) };
  });
  tf.identity(normalized, { name: "normalized" });
  tf.identity(slope(normalized, w), { name: "slope" });
}

type Weights = Readonly<Record<string, tf.Variable | tf.Tensor>>;

function maml(): void {
  const inputs = tf.placeholder("float32", [null, 5, 1], { name: "task_x" });
  const targets = tf.placeholder("float32", [null, 5, 1], { name: "task_y" });
  const weights: Record<string, tf.Variable> = {};
  tf.variableScope("maml", () => {
    for (const [i, shape] of [
      [1, 8],
      [8, 8],
      [8, 1],
    ].entries()) {
      weights[`w${i}`] = tf.getVariable(`w${i}`, shape, { initializer: tf.truncatedNormalInitializer({ stddev: 0.5, seed: 20 + i }) });
      weights[`b${i}`] = tf.getVariable(`b${i}`, shape.slice(1), { initializer: tf.zerosInitializer() });
    }
  });
  const forward = (x: tf.Tensor, layers: Weights): tf.Tensor =>
    upTo(3).reduce((h, i) => {
      const sum = tf.matmul(h, layers[`w${i}`]).add(layers[`b${i}`]);
      return i === 0 ? tf.nn.relu(sum) : i === 1 ? tf.nn.tanh(sum) : sum;
    }, x);
  const error = (x: tf.Tensor, y: tf.Tensor, rows: [number | null, number | null], layers: Weights): tf.Tensor =>
    tf.reduceMean(tf.square(forward(x.at(rows), layers).sub(y.at(rows))));
  const task = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => {
    let fast: Weights = weights;
    const losses: tf.Tensor[] = [];
    for (const _ of upTo(2)) {
      const names = Object.keys(fast);
      const grads = tf.gradients(error(x, y, [null, 3], fast), Object.values(fast)) as tf.Tensor[];
      const before = fast;
      fast = Object.fromEntries(names.map((name, i) => [name, before[name].sub(times(0.1, grads[i]))]));
      losses.push(error(x, y, [3, null], fast));
    }
    return tf.stack(losses);
  };
  const losses = tf.stack(upTo(2).map(k => task(inputs.at(k), targets.at(k))));
  const meta = tf.reduceMean(losses.at([null, null], -1), null, { name: "meta_loss" });
  const optimizer = new tf.train.GradientDescentOptimizer(0.05);
  const pairs = optimizer.computeGradients(meta, { varList: Object.values(weights) });
  const clipped = pairs.map(([g, v]) => [tf.clipByValue(g as tf.Tensor, -10, 10), v] as [tf.Tensor, tf.Variable]);
  optimizer.applyGradients(clipped, { name: "meta_train" });
}

function trustRegion(): void {
  const state = tf.placeholder("float32", [null, 3], { name: "state" });
  const advantage = tf.placeholder("float32", [null], { name: "advantage" });
  const { w, b } = tf.variableScope("policy", () => ({
    w: tf.getVariable("w", [3, 4], { initializer: normal(0.4, 30) }),
    b: tf.getVariable("b", [4], { initializer: tf.constantInitializer(0.1) }),
  }));
  const logP = tf.nn.logSoftmax(tf.nn.xwPlusB(state, w, b));
  const drawn = tf.squeeze(tf.multinomial(logP, 1, { seed: 31 }), 1, { name: "sampled" });
  const action = tf.stopGradient(drawn);
  const chosen = tf.reduceSum(tf.oneHot(action, 4).mul(logP), 1);
  const fixed = tf.stopGradient(logP);
  const gain = tf.reduceMean(tf.exp(chosen.sub(tf.stopGradient(chosen))).mul(advantage));
  const divergence = tf.reduceMean(tf.reduceSum(tf.exp(fixed).mul(fixed.sub(logP)), 1));
  const variables = [w, b];
  const flat = (tensors: readonly (tf.Tensor | tf.IndexedSlices | null)[]): tf.Tensor =>
    tf.concat(
      tensors.map(t => tf.reshape(t as tf.Tensor, [-1])),
      0,
    );
  const g = flat(tf.gradients(gain, variables));
  const first = flat(tf.gradients(divergence, variables));
  const product = (v: tf.Tensor): tf.Tensor => {
    const second = flat(tf.gradients(tf.reduceSum(first.mul(tf.stopGradient(v))), variables));
    return second.add(times(0.1, v));
  };
  let [x, r] = [tf.zerosLike(g), g];
  let [p, rr] = [r, tf.reduceSum(r.mul(r))];
  for (const _ of upTo(4)) {
    const z = product(p);
    const alpha = rr.truediv(tf.reduceSum(p.mul(z)).add(1e-8));
    x = x.add(alpha.mul(p));
    r = r.sub(alpha.mul(z));
    const next = tf.reduceSum(r.mul(r));
    p = r.add(next.truediv(rr).mul(p));
    rr = next;
  }
  const size = tf.sqrt(tf.truediv(2 * 0.01, tf.reduceSum(x.mul(product(x))).add(1e-8)));
  const parts = tf.split(size.mul(x), [12, 4]);
  const steps = variables.map((v, i) => tf.assignAdd(v, tf.reshape(parts[i], v.shape)));
  tf.group(...steps, { name: "natural_step" });
  tf.identity(x, { name: "direction" });
  tf.identity(tf.hessians(divergence, [b])[0], { name: "hessian" });
}

function overridden(): void {
  const x = tf.placeholder("float32", [null, 2], { name: "features" });
  const graph = tf.getDefaultGraph();
  if (!isRegistered) tf.RegisterGradient("Half", (_, grad) => times(0.5, tf.negative(grad as tf.Tensor)));
  isRegistered = true;
  const out = tf.variableScope("domain", () => {
    const h = tf.layers.dense(x, 3, { activation: tf.nn.relu, kernelInitializer: tf.onesInitializer() });
    const turned = graph.gradientOverrideMap({ Identity: "Half" }, () => tf.identity(h));
    return tf.reduceSum(tf.layers.dense(turned, 1, { kernelInitializer: tf.constantInitializer([[1], [2], [3]]) }));
  });
  const softsquare = tf.customGradient(y => [tf.square(y), d => (d as tf.Tensor).mul(tf.clipByValue(times(2, y), -1, 1))]);
  const total = out.add(tf.reduceSum(softsquare(x) as tf.Tensor));
  tf.identity(slope(total, x), { name: "reversed_gradient" });
}

export function build(): void {
  tf.setRandomSeed(34);
  wasserstein();
  maml();
  trustRegion();
  overridden();
}
