// VAE with tf.distributions, importance weights (IWAE), RealNVP with masks and data-dependent init, annealing, samples by op and graph seeds: its twin in
// Python line by line, in the main door's names.

import * as tf from "tensorloom";
import { each, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  const tfd = tf.distributions;
  tf.setRandomSeed(42);
  const [latent, K] = [3, 4];
  const makeEncoder = tf.makeTemplate("encoder", (data: tf.Tensor, codeSize: number) => {
    let x = tf.layers.flatten(data);
    x = tf.layers.dense(x, 16, { activation: tf.nn.relu });
    x = tf.layers.dense(x, 12, { activation: tf.nn.elu });
    const loc = tf.layers.dense(x, codeSize);
    const scale = tf.layers.dense(x, codeSize, { activation: tf.nn.softplus });
    return new tfd.Normal(loc, scale.add(1e-3));
  });
  const makePrior = (codeSize: number) => new tfd.Normal(tf.zeros([codeSize]), tf.ones([codeSize]));
  const makeDecoder = tf.makeTemplate("decoder", (code: tf.Tensor, dataShape: number[]) => {
    const x = tf.layers.dense(code, 12, { activation: tf.nn.relu });
    let logit = tf.layers.dense(
      x,
      dataShape.reduce((a, b) => a * b),
    );
    logit = tf.reshape(logit, [-1, ...dataShape]);
    return new tfd.Bernoulli({ logits: logit });
  });
  const data = tf.placeholder(tf.float32, { shape: [null, 5, 5] });
  const binary = tf.toFloat(tf.greater(data, tf.randomUniform(tf.shape(data), { seed: 9 })));
  const prior = makePrior(latent);
  const posterior = makeEncoder(binary, latent);
  const code = posterior.sample([], { seed: 3 });
  const likelihood = makeDecoder(code, [5, 5]);
  const logProb = tf.reduceSum(likelihood.logProb(binary), { axis: [1, 2] });
  const divergence = tf.reduceSum(tfd.klDivergence(posterior, prior), { axis: -1 });
  const step = tf.train.getOrCreateGlobalStep();
  const anneal = tf.minimum(1.0, tf.cast(step.add(1), tf.float32).div(4));
  const elbo = tf.reduceMean(logProb.sub(anneal.mul(divergence)));
  const codes = posterior.sample(K);
  const flat = tf.reshape(codes, [-1, latent]);
  const repeated = tf.tile(tf.expandDims(binary, 0), [K, 1, 1, 1]);
  const lp = tf.reshape(tf.reduceSum(makeDecoder(flat, [5, 5]).logProb(tf.reshape(repeated, [-1, 5, 5])), { axis: [1, 2] }), [K, -1]);
  const logW = lp.add(tf.reduceSum(prior.logProb(codes).sub(posterior.logProb(codes)), { axis: -1 }));
  const iwae = tf.reduceMean(tf.reduceLogsumexp(logW, { axis: 0 }).sub(tf.log(tf.cast(K, tf.float32))));
  const wTilde = tf.stopGradient(tf.nn.softmax(logW, { axis: 0 }));
  const optimize = new tf.train.AdamOptimizer(0.01).minimize(
    elbo.neg().sub(tf.multiply(0.5, tf.reduceMean(tf.reduceSum(wTilde.mul(logW), { axis: 0 })))),
    { globalStep: step },
  );
  const samples = makeDecoder(prior.sample(3, { seed: 5 }), [5, 5]).mean();
  function coupling(x: tf.Tensor, mask: tf.Tensor, scope: string, reuse: boolean | null = null) {
    return tf.variableScope(scope, { reuse }, () => {
      const masked = x.mul(mask);
      const h = tf.layers.dense(masked, 8, {
        activation: tf.tanh,
        name: "h",
        kernelInitializer: tf.orthogonalInitializer({ seed: 2 }),
      });
      let s = tf.layers.dense(h, 4, { activation: tf.tanh, name: "s", kernelInitializer: tf.zerosInitializer() });
      let t = tf.layers.dense(h, 4, {
        name: "t",
        kernelInitializer: tf.randomUniformInitializer({ minval: -0.1, maxval: 0.1, seed: 4 }),
      });
      s = s.mul(tf.getVariable("rescale", [4], { initializer: tf.onesInitializer() })).mul(tf.subtract(1, mask));
      t = t.mul(tf.subtract(1, mask));
      return [s, t] as const;
    });
  }
  const maskOf = (i: number) => (i % 2 === 0 ? tf.constant([1, 0, 1, 0]) : tf.subtract(1, tf.constant([1, 0, 1, 0])));
  function forward(x: tf.Tensor, reuse: boolean | null = null) {
    let logDet = tf.zeros([tf.shape(x).at(0)]);
    for (const i of range(3)) {
      const mask = maskOf(i);
      const [b, logs] = tf.variableScope(`actnorm${i}`, { reuse }, () => {
        if (reuse !== null) return [tf.getVariable("b", [4]), tf.getVariable("logs", [4])];
        const [mean, variance] = tf.nn.moments(new tf.Variable(rnd(i, 10, 4), { trainable: false }).initializedValue(), [0]);
        return [
          tf.getVariable("b", { initializer: mean.neg() }),
          tf.getVariable("logs", { initializer: tf.multiply(-0.1, tf.log(variance.add(1e-6))) }),
        ];
      });
      x = x.add(b).mul(tf.exp(logs));
      logDet = logDet.add(tf.reduceSum(logs));
      const [s, t] = coupling(x, mask, `coupling${i}`, reuse);
      x = x.mul(tf.exp(s)).add(t);
      logDet = logDet.add(tf.reduceSum(s, { axis: -1 }));
      x = tf.reverse(x, [-1]);
    }
    return [x, logDet] as const;
  }
  function backward(z: tf.Tensor) {
    for (const i of range(3).reverse()) {
      z = tf.reverse(z, [-1]);
      const mask = maskOf(i);
      const [s, t] = coupling(z, mask, `coupling${i}`, true);
      z = z.sub(t).mul(tf.exp(s.neg()));
      tf.variableScope(`actnorm${i}`, { reuse: true }, () => {
        z = z.mul(tf.exp(tf.getVariable("logs", [4]).neg())).sub(tf.getVariable("b", [4]));
      });
    }
    return z;
  }
  const x = tf.placeholder(tf.float32, { shape: [null, 4] });
  const [zz, logDet] = tf.variableScope("flow", () => forward(x));
  const [back, again] = tf.variableScope("flow", () => {
    const back = backward(tf.randomNormal([5, 4], { seed: 11 }));
    return [back, forward(back, true)[0]];
  });
  const base = new tfd.Normal(0, 1);
  const nll = tf.reduceMean(tf.reduceSum(base.logProb(zz), { axis: 1 }).add(logDet)).neg();
  const flowVars = tf.getCollection(tf.GraphKeys.TRAINABLE_VARIABLES, "flow");
  const train = new tf.train.AdamOptimizer(0.02).minimize(nll, { varList: flowVars });
  const mixture = new tfd.Categorical({ logits: tf.log([0.2, 0.5, 0.3]) });
  const draws = [
    mixture.sample(4, { seed: 1 }),
    tf.multinomial(tf.log([[0.1, 0.9]]), 5, { seed: 7 }),
    new tfd.Gamma(2, 3).mean(),
    new tfd.Beta({ concentration1: 2, concentration0: 3 }).logProb(0.3),
    mixture.entropy(),
    new tfd.Laplace(0, 1).sample(3, { seed: 8 }),
    new tfd.Exponential(2).sample(2, { seed: 6 }),
    new tfd.StudentT(4, 0, 1).logProb(1),
    new tfd.Dirichlet([1, 2]).logProb([0.4, 0.6]),
    tf.randomShuffle(tf.range(6), { seed: 13 }),
    tf.truncatedNormal([3], { seed: 14 }),
    new tfd.Uniform({ low: 1, high: 3 }).cdf(1.5),
  ];
  show(
    "vars",
    tf.trainableVariables().map(v => v.op.name),
  );
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  for (const i of range(5)) {
    const [, e, w, kl] = await session.run([optimize, elbo, iwae, divergence], [[data, rnd(i, 6, 5, 5)]]);
    show("elbo", [e, w]);
    show("kl", kl);
    const [, n] = await session.run([train, nll], [[x, each(rnd(i + 30, 9, 4), v => v * 2 - 1)]]);
    show("nll", n);
  }
  show("samples", await session.run(samples));
  show("flow", await session.run([back, again]));
  for (const d of await session.run(draws)) show("draw", d);
}
