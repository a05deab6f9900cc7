// Agents: an actor and critic with a recurrent policy, returns by a reversed scan, entropy; soft actor-critic with squashed Gaussians, two critics,
// targets that follow, a temperature that is learned; REINFORCE with sampled actions and gathered gradients; statistics that run along.

import * as tf from "tensorloom";
import { minus, times } from "./operators.ts";

const [stateSize, actionCount, steps] = [3, 4, 5];
const trained = (...scopes: string[]): tf.Variable[] => scopes.flatMap(scope => tf.trainableVariables(scope));
type Pair = [tf.Tensor, tf.Variable];

const discounted = (rewards: tf.Tensor, discount: number): tf.Tensor =>
  tf.reverse(
    tf.scan((total: tf.Tensor, r: tf.Tensor) => r.add(times(discount, total)), tf.reverse(rewards, [0]), {
      initializer: tf.zerosLike(rewards.at(0)),
    }) as tf.Tensor,
    [0],
  );

/** Mean of all states seen, by Welford's way; updated by an op of its own. */
function running(x: tf.Tensor): tf.Variable {
  return tf.variableScope("running", () => {
    const count = tf.getVariable("count", [], { dtype: "float64", initializer: tf.constantInitializer(1e-4), trainable: false });
    const mean = tf.getVariable("mean", [stateSize], { initializer: tf.zerosInitializer(), trainable: false });
    const batchMean = tf.reduceMean(x, [0, 1]);
    const size = tf.cast(tf.size(x).floordiv(stateSize), "float64");
    const total = count.add(size);
    const update = tf.assign(mean, mean.add(batchMean.sub(mean).mul(tf.toFloat(size.truediv(total)))));
    tf.controlDependencies([update], () => tf.assignAdd(count, size, { name: "seen" }));
    return mean;
  });
}

function actorCritic(): void {
  const states = tf.placeholder("float32", [steps, null, stateSize], { name: "ac/states" });
  const actions = tf.placeholder("int32", [steps, null], { name: "ac/actions" });
  const rewards = tf.placeholder("float32", [steps, null], { name: "ac/rewards" });
  const { logits, value } = tf.variableScope("actor_critic", () => {
    const normalized = tf.clipByValue(states.sub(running(states)).mul(0.5), -5, 5);
    const cell = new tf.nn.rnnCell.LSTMCell(6, { initializer: tf.orthogonalInitializer({ seed: 1 }), name: "lstm" });
    const [outputs] = tf.nn.dynamicRnn(cell, normalized, { timeMajor: true, dtype: "float32" });
    const head = (size: number, gain: number, seed: number, name: string): tf.Tensor =>
      tf.layers.dense(outputs as tf.Tensor, size, { kernelInitializer: tf.orthogonalInitializer({ gain, seed }), name });
    return { logits: head(actionCount, 0.01, 2, "pi"), value: tf.squeeze(head(1, 1, 3, "v"), -1) };
  });
  const returns = discounted(rewards, 0.9);
  let advantage = tf.stopGradient(returns.sub(value));
  const [mean, variance] = tf.nn.moments(advantage, [0, 1]);
  advantage = advantage.sub(mean).truediv(tf.sqrt(variance).add(1e-8));
  const negativeLogP = tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: actions, logits });
  const shifted = logits.sub(tf.reduceMax(logits, { axis: -1, keepdims: true }));
  const expd = tf.exp(shifted);
  const z = tf.reduceSum(expd, { axis: -1, keepdims: true });
  const entropy = tf.reduceMean(tf.reduceSum(expd.truediv(z).mul(tf.log(z).sub(shifted)), { axis: -1 }));
  const gain = tf.reduceMean(advantage.mul(negativeLogP)).sub(times(0.01, entropy));
  const loss = gain.add(times(0.5, tf.losses.huberLoss(returns, value)));
  tf.identity(loss, { name: "ac/loss" });
  const variables = trained("actor_critic");
  const [gradients] = tf.clipByGlobalNorm(tf.gradients(loss, variables), 0.5);
  const step = new tf.Variable(0, { trainable: false, name: "ac_steps", dtype: "int32" });
  const rate = tf.train.polynomialDecay(7e-3, step, 10, { endLearningRate: 1e-3 });
  const optimizer = new tf.train.RMSPropOptimizer(rate, { decay: 0.99, epsilon: 1e-3 });
  optimizer.applyGradients(
    gradients.map((g, i) => [g, variables[i]] as Pair),
    { globalStep: step, name: "ac/train" },
  );
  const noise = tf.randomUniform(tf.shape(logits), { seed: 4 });
  tf.argmax(logits.sub(tf.log(tf.log(noise).neg())), { axis: -1, name: "ac/sampled" });
}

function mlp(x: tf.Tensor, sizes: readonly number[], scope: string, seed: number): tf.Tensor {
  return tf.variableScope(scope, { reuse: tf.AUTO_REUSE }, () =>
    sizes.reduce((h, size, k) => {
      const kernelInitializer = tf.varianceScalingInitializer({ seed: seed + k });
      return tf.layers.dense(h, size, { activation: k < sizes.length - 1 ? tf.nn.relu : null, kernelInitializer, name: `fc${k}` });
    }, x),
  );
}

function softActorCritic(): void {
  const s = tf.placeholder("float32", [null, stateSize], { name: "sac/s" });
  const a = tf.placeholder("float32", [null, 2], { name: "sac/a" });
  const r = tf.placeholder("float32", [null], { name: "sac/r" });
  const s2 = tf.placeholder("float32", [null, stateSize], { name: "sac/s2" });
  const done = tf.placeholder("bool", [null], { name: "sac/done" });
  const policy = (state: tf.Tensor, seed: number): [action: tf.Tensor, logP: tf.Tensor] => {
    const [mu, wide] = tf.split(mlp(state, [8, 4], "sac/policy", 10), 2, { axis: 1 });
    const logStd = tf.clipByValue(wide, -4, 2);
    const u = mu.add(tf.randomNormal(tf.shape(mu), { seed }).mul(tf.exp(logStd)));
    const off = u.sub(mu).truediv(tf.exp(logStd).add(1e-8));
    const squares = off.pow(2).add(times(2, logStd));
    const logP = tf.reduceSum(times(-0.5, squares.add(Math.log(2 * Math.PI))), { axis: 1 });
    const squashed = tf.tanh(u);
    const straight = minus(Math.log(2), u);
    return [squashed, logP.sub(tf.reduceSum(times(2, straight.sub(tf.nn.softplus(times(-2, u)))), { axis: 1 }))];
  };
  const q = (state: tf.Tensor, action: tf.Tensor, name: string, seed: number): tf.Tensor =>
    tf.squeeze(mlp(tf.concat([state, action], -1), [8, 1], name, seed), 1);
  const [action, logP] = policy(s, 11);
  const [nextAction, nextLogP] = policy(s2, 12);
  const [q1, q2] = [q(s, a, "sac/q1", 20), q(s, a, "sac/q2", 30)];
  const target = tf.minimum(q(s2, nextAction, "sac/target/q1", 20), q(s2, nextAction, "sac/target/q2", 30));
  const logAlpha = tf.getVariable("sac/log_alpha", [], { initializer: tf.constantInitializer(-1) });
  const alpha = tf.exp(logAlpha);
  const goesOn = times(0.99, tf.cast(tf.logicalNot(done), "float32"));
  const backup = tf.stopGradient(r.add(goesOn.mul(target.sub(alpha.mul(nextLogP)))));
  const half = (critic: tf.Tensor): tf.Tensor => times(0.5, tf.reduceMean(backup.sub(critic).pow(2)));
  const qLoss = half(q1).add(half(q2));
  const worth = alpha.mul(logP);
  const piLoss = tf.reduceMean(worth.sub(tf.minimum(q(s, action, "sac/q1", 20), q(s, action, "sac/q2", 30))));
  const alphaLoss = tf.reduceMean(logAlpha.mul(tf.stopGradient(logP.sub(2)))).neg();
  const adam = () => new tf.train.AdamOptimizer(3e-3, { epsilon: 1e-3 });
  const piTrain = adam().minimize(piLoss, { varList: trained("sac/policy") });
  const [qTrain, alphaTrain] = tf.controlDependencies([piTrain], () => [
    adam().minimize(qLoss, { varList: trained("sac/q1", "sac/q2") }),
    adam().minimize(alphaLoss, { varList: [logAlpha] }),
  ]);
  const [main, follow] = [trained("sac/q1", "sac/q2"), trained("sac/target")];
  tf.controlDependencies([qTrain, alphaTrain], () => {
    const nearer = follow.map((t, i) => {
      const kept = times(0.9, t);
      return tf.assign(t, kept.add(times(1 - 0.9, main[i])));
    });
    tf.group(nearer, { name: "sac/train" });
  });
  tf.group(
    follow.map((t, i) => tf.assign(t, main[i])),
    { name: "sac/copy" },
  );
  tf.stack([qLoss, piLoss, alphaLoss], 0, { name: "sac/losses" });
  tf.identity(action, { name: "sac/action" });
}

function reinforce(): void {
  const observation = tf.placeholder("float32", [null, stateSize], { name: "pg/observation" });
  const chosen = tf.placeholder("int32", [null], { name: "pg/chosen" });
  const reward = tf.placeholder("float32", [null], { name: "pg/reward" });
  const weight = tf.placeholderWithDefault(tf.ones([1]), [null], { name: "pg/weight" });
  const logits = tf.variableScope("pg", () => {
    const h = tf.layers.dense(observation, 6, {
      activation: tf.nn.tanh,
      kernelInitializer: tf.randomNormalInitializer(0, 0.3, { seed: 50 }),
      biasInitializer: tf.constantInitializer(0.1),
    });
    return tf.layers.dense(h, actionCount, { kernelInitializer: tf.randomNormalInitializer(0, 0.3, { seed: 51 }), name: "fc2" });
  });
  const probabilities = tf.nn.softmax(logits, { name: "pg_probabilities" });
  tf.squeeze(tf.multinomial(tf.log(probabilities), 2, { seed: 52 }), null, { name: "pg_sampled" });
  const logP = tf.reduceSum(tf.log(probabilities).neg().mul(tf.oneHot(chosen, actionCount)), { axis: 1 });
  const each = tf.multiply(logP, reward, { name: "pg_each" });
  const loss = tf.reduceMean(weight.mul(each), null, { name: "pg_loss" });
  const pairs = new tf.train.AdamOptimizer(0.02, { epsilon: 1e-3 }).computeGradients(loss, { varList: trained("pg") });
  const buffers = pairs.map(([, v]) => new tf.Variable(tf.zerosLike(v.initializedValue()), { trainable: false, name: "buffer" }));
  tf.group(...buffers.map((b, i) => b.assignAdd(pairs[i][0] as tf.Tensor)), { name: "pg_gather" });
  const descent = new tf.train.GradientDescentOptimizer(0.1);
  const applied = descent.applyGradients(buffers.map((b, i) => [b.value(), pairs[i][1]] as Pair));
  tf.controlDependencies([applied], () => tf.group(...buffers.map(b => b.assign(tf.zerosLike(b))), { name: "pg_apply" }));
}

export function build(): void {
  tf.setRandomSeed(37);
  actorCritic();
  softActorCritic();
  reinforce();
}
