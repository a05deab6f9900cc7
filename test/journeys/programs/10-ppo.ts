// Policy gradients: one network built twice with AUTO_REUSE, a clipped objective, clipped gradients; then an advantage actor-critic.

import * as tf from "tensorloom";
import { type Data, type Journal, numbers, range, rowsOf, slice } from "./record.ts";

const [observations, actions, steps] = [5, 3, 64];

function fc(x: tf.Tensor, scope: string, size: number, scale: number, seed: number): tf.Tensor {
  return tf.variableScope(scope, () => {
    const initializer = tf.randomNormalInitializer({ stddev: scale, seed });
    const w = tf.getVariable("w", [x.getShape().dim(1) as number, size], { initializer });
    const b = tf.getVariable("b", [size], { initializer: tf.constantInitializer(0) });
    return tf.matmul(x, w).add(b);
  });
}

/** `obs` to logits, value, a drawn action and its negative log probability. */
class Model {
  readonly obs: tf.Tensor;
  readonly pi: tf.Tensor;
  readonly value: tf.Tensor;
  readonly action: tf.Tensor;
  readonly neglogp: tf.Tensor;

  constructor(batch: number) {
    const { obs, pi, value } = tf.variableScope("model", { reuse: tf.AUTO_REUSE }, () => {
      const obs = tf.placeholder("float32", [batch, observations], { name: "obs" });
      const h1 = tf.tanh(fc(obs, "fc1", 24, 0.5, 101));
      const h2 = tf.tanh(fc(h1, "fc2", 24, 0.3, 102));
      return { obs, pi: fc(h2, "pi", actions, 0.05, 103), value: fc(h2, "vf", 1, 0.3, 104).at([null, null], 0) };
    });
    [this.obs, this.pi, this.value] = [obs, pi, value];
    const noise = tf.randomUniform(tf.shape(pi), { seed: 105 });
    this.action = tf.argmax(pi.sub(tf.log(tf.log(noise).neg())), -1);
    this.neglogp = this.neglogpOf(this.action);
  }

  neglogpOf(action: tf.Tensor): tf.Tensor {
    const labels = tf.stopGradient(tf.oneHot(action, actions));
    return tf.nn.softmaxCrossEntropyWithLogitsV2({ logits: this.pi, labels });
  }

  entropy(): tf.Tensor {
    const options = { axis: -1, keepdims: true };
    const a0 = this.pi.sub(tf.reduceMax(this.pi, options));
    const ea0 = tf.exp(a0);
    const z0 = tf.reduceSum(ea0, options);
    return tf.reduceSum(ea0.truediv(z0).mul(tf.log(z0).sub(a0)), -1);
  }
}

export async function main(data: Data, journal: Journal): Promise<void> {
  tf.setRandomSeed(1);
  const [act, train] = [new Model(1), new Model(16)];
  const action = tf.placeholder("int32", [null]);
  const [advantage, returns, oldNeglogp, oldValue] = range(0, 4).map(() => tf.placeholder("float32", [null]));
  const [rate, clipRange] = range(0, 2).map(() => tf.placeholder("float32", []));

  const neglogp = train.neglogpOf(action);
  const entropy = tf.reduceMean(train.entropy());
  const { value } = train;
  const clippedValue = oldValue.add(tf.clipByValue(value.sub(oldValue), clipRange.neg(), clipRange));
  const worse = tf.maximum(tf.square(value.sub(returns)), tf.square(clippedValue.sub(returns)));
  const vfLoss = tf.reduceMean(worse).mul(0.5);
  const ratio = tf.exp(oldNeglogp.sub(neglogp));
  const pgLosses = advantage.neg().mul(ratio);
  const one = 1;
  const pgLosses2 = advantage.neg().mul(tf.clipByValue(ratio, minus(one, clipRange), plus(one, clipRange)));
  const pgLoss = tf.reduceMean(tf.maximum(pgLosses, pgLosses2));
  const approxkl = tf.reduceMean(tf.square(neglogp.sub(oldNeglogp))).mul(0.5);
  const clipfrac = tf.reduceMean(tf.toFloat(tf.greater(tf.abs(ratio.sub(1)), clipRange)));
  const loss = pgLoss.sub(entropy.mul(0.01)).add(vfLoss.mul(0.5));
  const params = tf.trainableVariables("model");
  const [grads, gradNorm] = tf.clipByGlobalNorm(tf.gradients(loss, params) as tf.Tensor[], 0.5);
  const adam = new tf.train.AdamOptimizer(rate, { epsilon: 1e-3 });
  const trainOp = adam.applyGradients(grads.map((grad, i) => [grad, params[i]]));

  const { a2cLoss, counted } = tf.variableScope("a2c", () => {
    const updates = tf.getVariable("updates", [], { dtype: "int32", initializer: tf.zerosInitializer(), trainable: false });
    const a2cLoss = tf
      .reduceMean(advantage.mul(neglogp))
      .sub(entropy.mul(0.01))
      .add(tf.reduceMean(tf.square(value.sub(returns))).mul(0.5));
    const clipped = (tf.gradients(a2cLoss, params, { gateGradients: true }) as tf.Tensor[]).map(g => tf.clipByNorm(g, 0.5));
    const a2cTrain = tf.controlDependencies([tf.assignAdd(updates, 1)], () =>
      new tf.train.RMSPropOptimizer(rate, { decay: 0.99, epsilon: 1e-5 }).applyGradients(
        clipped.map((g, i) => [g as tf.Tensor, params[i]]),
      ),
    );
    const counted = tf.controlDependencies([a2cTrain], () => tf.identity(updates.readValue()));
    return { a2cLoss, counted };
  });
  journal.graph();

  await using session = new tf.Session();
  using _ = session.asDefault();
  const known = tf.globalVariables().filter(v => v.name.startsWith("model/") && !v.name.includes("/Adam"));
  await session.run(tf.variablesInitializer(known));
  const names = await session.run(tf.reportUninitializedVariables());
  journal.value("uninitialized", (names.toArray() as Uint8Array[]).map(String).sort());
  await session.run(tf.variablesInitializer(tf.globalVariables().filter(v => !known.includes(v))));
  await journal.initial(session);

  const drawn: tf.NDArray[][] = [];
  for (let k = 0; k < 20; k++)
    drawn.push(await session.run([act.action, act.value, act.neglogp], new Map([[act.obs, slice(data.obs, k, k + 1)]])));
  journal.value(
    "drawn actions",
    drawn.map(([a]) => Number(a.get(0))),
  );
  const float32 = (values: number[]): tf.NDArray => tf.NDArray.from(values, "float32");
  journal.value("drawn values", float32(drawn.map(([, v]) => Number(v.get(0)))));
  journal.value("drawn neglogp", float32(drawn.map(([, , n]) => Number(n.get(0)))));

  type Feed = Map<tf.Tensor, tf.NDArray | number>;
  const batchOf = (k: number): { at: number[]; feed: Feed } => {
    const at = range(k % 4, steps, 4);
    const feed: Feed = new Map();
    feed.set(train.obs, rowsOf(data.obs, at)).set(action, rowsOf(data.actions, at)).set(returns, rowsOf(data.returns, at));
    return { at, feed };
  };
  const returnsOf = (at: number[]): number[] => numbers(rowsOf(data.returns, at));
  for (let epoch = 0; epoch < 5; epoch++) {
    const old: tf.NDArray[][] = [];
    for (let k = 0; k < 4; k++) old.push(await session.run([neglogp, value], batchOf(k).feed));
    for (let k = 0; k < 4; k++) {
      const { at, feed } = batchOf(k);
      const raw = returnsOf(at).map((r, i) => Math.fround(r - Number(old[k][1].get(i))));
      const mean = raw.reduce((a, b) => a + b) / raw.length;
      const deviation = Math.sqrt(raw.reduce((sum, a) => sum + (a - mean) ** 2, 0) / raw.length);
      const advantages = raw.map(a => (a - mean) / (deviation + 1e-8));
      feed.set(advantage, float32(advantages)).set(oldNeglogp, old[k][0]).set(oldValue, old[k][1]);
      feed.set(rate, 0.01 * (1 - epoch / 5)).set(clipRange, 0.2);
      const [l, p, v, e, kl, cf, n] = await session.run(
        [loss, pgLoss, vfLoss, entropy, approxkl, clipfrac, gradNorm, trainOp] as const,
        feed,
      );
      journal.step({ loss: l, pg_loss: p, vf_loss: v, entropy: e, approxkl: kl, clipfrac: cf, grad_norm: n });
    }
  }
  for (let k = 0; k < 12; k++) {
    const { at, feed } = batchOf(k);
    const values = numbers(await session.run(value, feed));
    feed.set(advantage, float32(returnsOf(at).map((r, i) => r - values[i]))).set(rate, 0.002);
    const [l, count] = await session.run([a2cLoss, counted], feed);
    journal.step({ a2c_loss: l, a2c_updates: count });
  }
  const norms = await session.run(params.map(v => tf.norm(v)));
  journal.value("norms", float32(norms.map(norm => Number(norm.get(0)))));
  await journal.final(session);
}

const minus = (x: number, y: tf.Tensor): tf.Tensor => tf.subtract(x, y, { name: "sub" });
const plus = (x: number, y: tf.Tensor): tf.Tensor => tf.add(x, y, { name: "add" });
