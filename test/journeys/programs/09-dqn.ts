// A convolutional value network, a target network copied by assign ops, clipped error, RMSProp with decay.

import * as tf from "tensorloom";
import { type Data, numbers, range, type Journal, rowsOf } from "./record.ts";

const [side, frames, actions] = [12, 2, 4];
type Weights = { [name: string]: tf.Variable };

function conv2d(x: tf.Tensor, channels: number, size: number, stride: number, name: string, seed: number) {
  const { out, w, b } = tf.variableScope(name, () => {
    const w = tf.getVariable("w", [size, size, x.getShape().dim(-1) as number, channels], {
      dtype: "float32",
      initializer: tf.truncatedNormalInitializer(0, 0.3, { seed }),
    });
    const b = tf.getVariable("biases", [channels], { initializer: tf.constantInitializer(0) });
    const out = tf.nn.biasAdd(tf.nn.conv2d(x, w, [1, stride, stride, 1], "VALID", { dataFormat: "NHWC" }), b, "NHWC");
    return { out, w, b };
  });
  return { out: tf.nn.relu(out), w, b };
}

function linear(x: tf.Tensor, size: number, name: string, seed: number, activation?: (x: tf.Tensor) => tf.Tensor) {
  const { out, w, b } = tf.variableScope(name, () => {
    const initializer = tf.randomNormalInitializer({ stddev: 0.1, seed });
    const w = tf.getVariable("Matrix", [x.getShape().dim(1) as number, size], { dtype: "float32", initializer });
    const b = tf.getVariable("bias", [size], { initializer: tf.constantInitializer(0) });
    return { out: tf.nn.biasAdd(tf.matmul(x, w), b), w, b };
  });
  return { out: activation ? activation(out) : out, w, b };
}

function network(scope: string, seed: number): { state: tf.Tensor; q: tf.Tensor; w: Weights } {
  return tf.variableScope(scope, () => {
    const state = tf.placeholder("float32", [null, side, side, frames], { name: "s_t" });
    const l1 = conv2d(state.truediv(255), 8, 4, 2, "l1", seed);
    const l2 = conv2d(l1.out, 12, 3, 1, "l2", seed + 1);
    const [, ...dims] = l2.out.getShape().asList() as number[];
    const flat = tf.reshape(l2.out, [-1, dims.reduce((a, b) => a * b)]);
    const l3 = linear(flat, 32, "l3", seed + 2, tf.nn.relu);
    const q = linear(l3.out, actions, "q", seed + 3);
    const w = { l1_w: l1.w, l1_b: l1.b, l2_w: l2.w, l2_b: l2.b, l3_w: l3.w, l3_b: l3.b, q_w: q.w, q_b: q.b };
    return { state, q: q.out, w };
  });
}

const clippedError = (x: tf.Tensor): tf.Tensor => tf.where(tf.abs(x).less(1), tf.square(x).mul(0.5), tf.abs(x).sub(0.5));

export async function main(data: Data, record: Journal): Promise<void> {
  const step = new tf.Variable(0, { dtype: "int32", trainable: false, name: "step" });
  const prediction = network("prediction", 91);
  const picked = tf.argmax(prediction.q, 1);
  const target = network("target", 95);
  const targetIndex = tf.placeholder("int32", [null, null], { name: "outputs_idx" });
  const targetAt = tf.gatherNd(target.q, targetIndex);
  const names = Object.keys(prediction.w);
  const { inputs, assigns, copyAll } = tf.variableScope("pred_to_target", () => {
    const inputs = names.map(name => tf.placeholder("float32", target.w[name].getShape().asList(), { name }));
    const assigns = names.map((name, i) => target.w[name].assign(inputs[i]));
    const sources = tf.getCollection(tf.GraphKeys.GLOBAL_VARIABLES, "prediction") as tf.Variable[];
    const targets = tf.getCollection(tf.GraphKeys.GLOBAL_VARIABLES, "target") as tf.Variable[];
    return { inputs, assigns, copyAll: tf.group(...targets.map((t, i) => t.assign(sources[i]))) };
  });
  const { goal, action, loss, rate, optim } = tf.variableScope("optimizer", () => {
    const goal = tf.placeholder("float32", [null], { name: "target_q_t" });
    const action = tf.placeholder("int64", [null], { name: "action" });
    const oneHot = tf.oneHot(action, actions, { onValue: 1, offValue: 0, name: "action_one_hot" });
    const acted = tf.reduceSum(prediction.q.mul(oneHot), { reductionIndices: 1, name: "q_acted" });
    const delta = goal.sub(acted);
    const globalStep = new tf.Variable(0, { dtype: "int32", trainable: false });
    const loss = tf.reduceMean(clippedError(delta), null, { name: "loss" });
    const rate = tf.maximum(0.001, tf.train.exponentialDecay(0.004, step, 5, 0.8, { staircase: true }));
    const optimizer = new tf.train.RMSPropOptimizer(rate, { momentum: 0.9, epsilon: 0.01 });
    return { goal, action, loss, rate, optim: optimizer.minimize(loss, { globalStep }) };
  });
  const increment = step.assignAdd(1);
  record.graph();

  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await record.initial(session);
  for (const [i, name] of names.entries()) await session.run(assigns[i], new Map([[inputs[i], await session.run(prediction.w[name])]]));
  const [rewards, terminals] = [numbers(data.reward), numbers(data.terminal)];
  for (let i = 0; i < 30; i++) {
    const index = range(0, 16).map(k => (k * 5 + i * 11) % 96);
    const next = await session.run(target.q, new Map([[target.state, rowsOf(data.next_state, index)]]));
    const best = range(0, 16).map(k => Math.max(...numbers(next).slice(k * actions, (k + 1) * actions)));
    const goals = index.map((row, k) =>
      Math.fround(Math.fround(Math.fround((1 - terminals[row]) * Math.fround(0.9)) * best[k]) + rewards[row]),
    );
    const feed = new Map<tf.Tensor, tf.NDArray>([
      [goal, tf.NDArray.from(goals, "float32")],
      [action, rowsOf(data.action, index)],
      [prediction.state, rowsOf(data.state, index)],
    ]);
    const [, q, value] = await session.run([optim, prediction.q, loss], feed);
    const meanQ = numbers(q).reduce((a, b) => a + b) / q.size;
    record.step({ loss: value, mean_q: meanQ, learning_rate: await session.run(rate), step: await session.run(increment as tf.Tensor) });
    if (i % 8 === 7) await session.run(copyAll);
  }
  const chosen = await session.run(picked, new Map([[prediction.state, data.next_state]]));
  record.value("actions", chosen);
  const pairs = numbers(chosen).map((a, k) => [k, a]);
  const feed = new Map<tf.Tensor, tf.NDArray | number[][]>([
    [target.state, data.next_state],
    [targetIndex, pairs],
  ]);
  record.value("double q", await session.run(targetAt, feed));
  record.value("q", await session.run(prediction.q, new Map([[prediction.state, data.state]])));
  await record.final(session);
}
