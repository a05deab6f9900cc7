// tf.distributions against recordings of TensorFlow (generate/distributions.py).

import { describe, expect, it } from "vitest";
import { tf as compat } from "../../src/compat.ts";
import * as tf from "../../src/index.ts";
import { compareWithRecording, type Made, parameter } from "./library-programs.ts";

const d = tf.distributions;
type Statistic = "entropy" | "mean" | "mode" | "stddev" | "variance" | "covariance";
type Density = "prob" | "logProb" | "cdf" | "logCdf" | "survivalFunction" | "logSurvivalFunction";

const statistics = (dist: tf.distributions.Distribution, ...names: readonly Statistic[]): tf.Tensor[] => names.map(name => dist[name]());
const densities = (dist: tf.distributions.Distribution, x: tf.TensorLike, ...names: readonly Density[]): tf.Tensor[] =>
  names.map(name => dist[name](x));
const allDensities = ["prob", "logProb", "cdf", "logCdf", "survivalFunction", "logSurvivalFunction"] as const;
const shapes = (dist: tf.distributions.Distribution): tf.Tensor[] => [
  dist.batchShapeTensor(),
  dist.eventShapeTensor(),
  dist.isScalarBatch(),
  dist.isScalarEvent(),
];
const made = (fetch: unknown, feeds?: tf.Feeds): Made => (feeds === undefined ? { fetch } : { fetch, feeds });
const withDefault = (value: tf.TensorLike, shape: number[]): tf.Tensor => tf.placeholderWithDefault(value, shape);

const programs: Readonly<Record<string, () => Made>> = {
  normal() {
    const n = new d.Normal(parameter([0.5, -1], "mu"), parameter([[1], [2.5]], "sigma"));
    const x = [
      [0.1, 0.2],
      [-3, 30],
    ];
    const samples = [n.sample([3], { seed: 4 }), n.sample([], { seed: 5 }), n.sample([2, 2], { seed: 6 })];
    const p = [
      [0.1, 0.5],
      [0.9, 0.999],
    ];
    const values = [...densities(n, x, ...allDensities), ...statistics(n, "entropy", "mean", "mode", "stddev", "variance"), n.quantile(p)];
    const divergences = [n.klDivergence(new d.Normal(0, 1)), n.crossEntropy(new d.Normal(0, 2, { name: "other" }))];
    return made([...samples, ...values, ...divergences, ...shapes(n)]);
  },
  normal_open() {
    const mu = tf.placeholder("float32", [null], { name: "mu" });
    const sigma = tf.placeholder("float32", null, { name: "sigma" });
    const count = tf.placeholder("int32", [null], { name: "count" });
    const n = new d.Normal(mu, sigma, { validateArgs: true });
    const one = tf.placeholder("int32", null, { name: "one" });
    const fetch = [n.sample(count, { seed: 1 }), n.sample(one, { seed: 2 }), n.logProb(0.5), ...shapes(n)];
    return made(
      fetch,
      new Map<tf.Tensor, tf.ArrayLike>([
        [mu, [1, 2]],
        [sigma, [[0.5], [0.25]]],
        [count, [2, 1]],
        [one, 3],
      ]),
    );
  },
  normal_double() {
    const n = new d.Normal(tf.constant([0, 1], "float64"), tf.constant(2, "float64"), { name: "wide" });
    const x = Float64Array.of(-45, 9.5);
    return made([n.sample(2, { seed: 3 }), ...densities(n, x, "logCdf", "cdf", "prob"), n.quantile(Float64Array.of(1e-12, 0.3))]);
  },
  normal_refused: () => made(new d.Normal(0, tf.NDArray.from(1, "int32")).mean()),
  normal_checked() {
    const scale = tf.placeholder("float32", [], { name: "scale" });
    return made(new d.Normal(0, scale, { validateArgs: true }).mean(), new Map([[scale, -1]]));
  },
  laplace() {
    const dist = new d.Laplace(parameter([0.5, -1, 2], "mu"), parameter(2, "b"), { validateArgs: true });
    return made([
      dist.sample([4], { seed: 4 }),
      densities(dist, [0.1, -1, 5], ...allDensities),
      statistics(dist, "entropy", "mean", "mode", "stddev", "variance"),
      shapes(dist),
    ]);
  },
  student_t() {
    const dist = new d.StudentT(parameter([0.5, 1.5, 4], "df"), parameter(1, "mu"), parameter([2, 3, 0.5], "s"));
    const first = [dist.sample([2], { seed: 9 }), dist.logProb([[0.5], [1]])];
    const values = [...densities(dist, [0.25, 2, 3], "prob", "logProb"), ...statistics(dist, "entropy", "mode")];
    return made([...first, ...values, ...shapes(dist)]);
  },
  student_t_areas: () => made(densities(new d.StudentT(4, 1, 2), 0.25, "cdf", "logCdf", "survivalFunction", "logSurvivalFunction")),
  student_t_moments: () => made(statistics(new d.StudentT([0.5, 1.5, 4], 1, [[2], [3]]), "mean", "variance", "stddev")),
  student_t_strict() {
    const dist = new d.StudentT([3, 4], 1, 2, { allowNanStats: false, validateArgs: true });
    return made(statistics(dist, "mean", "variance"));
  },
  student_t_undefined: () => made(new d.StudentT(withDefault([0.5], [1]), 1, 2, { allowNanStats: false }).mean()),
  uniform() {
    const dist = new d.Uniform({ low: parameter([0, 1], "low"), high: parameter(3, "high") });
    const first = [dist.sample([3], { seed: 2 }), dist.range()];
    const values = densities(dist, [0.5, 3], "prob", "logProb", "cdf", "logCdf", "survivalFunction");
    const rest = [...statistics(dist, "entropy", "mean", "stddev", "variance"), ...shapes(dist)];
    return made([...first, ...values, ...rest, new d.Uniform().sample(2, { seed: 1 })]);
  },
  uniform_checked: () => made(new d.Uniform({ low: withDefault(Float32Array.of(2), [1]), high: 1, validateArgs: true }).mean()),
  gamma() {
    const dist = new d.Gamma(parameter([0.5, 3], "alpha"), parameter([[2], [1], [0.5]], "beta"));
    return made([
      dist.sample([4], { seed: 7 }),
      densities(dist, 0.75, "prob", "logProb", "cdf", "logCdf", "survivalFunction"),
      statistics(dist, "entropy", "mean", "stddev", "variance"),
      dist.klDivergence(new d.Gamma(1, 2)),
      shapes(dist),
    ]);
  },
  gamma_modes() {
    const strict = new d.Gamma([2, 3], 1.5, { validateArgs: true, allowNanStats: false });
    return made([new d.Gamma([0.5, 3], 2).mode(), strict.mode(), strict.logProb([1, 2])]);
  },
  exponential() {
    const dist = new d.Exponential(parameter([0.5, 3], "rate"));
    return made([
      dist.sample([4], { seed: 7 }),
      densities(dist, 0.75, "prob", "logProb", "cdf", "logSurvivalFunction"),
      statistics(dist, "entropy", "mean", "stddev", "variance"),
      shapes(dist),
      dist.klDivergence(new d.Exponential(1)),
      new d.Exponential(2, { validateArgs: true }).copy({ rate: 3 }).mean(),
    ]);
  },
  beta() {
    const dist = new d.Beta({ concentration1: parameter([0.5, 3], "a"), concentration0: parameter(2, "b") });
    return made([
      dist.sample([3], { seed: 7 }),
      densities(dist, 0.3, "prob", "logProb", "cdf", "logCdf", "survivalFunction"),
      statistics(dist, "entropy", "mean", "stddev", "variance"),
      dist.klDivergence(new d.Beta({ concentration1: 1.5, concentration0: 2.5 })),
      shapes(dist),
    ]);
  },
  beta_modes() {
    const strict = new d.Beta({ concentration1: [2, 3], concentration0: 1.5, validateArgs: true, allowNanStats: false });
    return made([new d.Beta({ concentration1: [0.5, 3], concentration0: 2 }).mode(), strict.mode(), strict.logProb([0.5, 0.25])]);
  },
  beta_refused: () => made(new d.Beta({ concentration1: 2, concentration0: 3, validateArgs: true }).prob(withDefault(1.5, []))),
  dirichlet() {
    const dist = new d.Dirichlet(
      parameter(
        [
          [1, 2, 3],
          [0.5, 0.6, 4],
        ],
        "alpha",
      ),
    );
    return made([
      dist.sample([3], { seed: 7 }),
      densities(dist, [0.2, 0.3, 0.5], "prob", "logProb"),
      statistics(dist, "entropy", "mean", "stddev", "variance", "covariance"),
      dist.klDivergence(new d.Dirichlet([1, 1, 2])),
      shapes(dist),
    ]);
  },
  dirichlet_modes() {
    const strict = new d.Dirichlet([[2, 3]], { validateArgs: true, allowNanStats: false });
    const rows = [
      [0.5, 3],
      [2, 3],
    ];
    return made([new d.Dirichlet(rows).mode(), strict.mode(), strict.logProb([0.5, 0.5])]);
  },
  dirichlet_open() {
    const alpha = tf.placeholder("float32", null, { name: "alpha" });
    const dist = new d.Dirichlet(alpha, { validateArgs: true });
    return made([dist.sample([2], { seed: 3 }), dist.mean(), dist.entropy(), ...shapes(dist)], new Map([[alpha, [[1, 2, 3]]]]));
  },
  bernoulli() {
    const dist = new d.Bernoulli({ logits: parameter([0.3, -1.2], "logits") });
    const other = new d.Bernoulli({ probs: parameter([[0.5], [0.9]], "p"), dtype: "float32" });
    const samples = [dist.sample([5], { seed: 3 }), dist.probs, other.sample([], { seed: 4 }), other.logits];
    const values = [dist.logProb([0, 1]), dist.prob(1), other.logProb([[1, 0]]), other.prob([1, 0])];
    const moments = [...statistics(dist, "entropy", "mean", "stddev", "variance", "mode"), ...statistics(other, "entropy", "mode")];
    return made([...samples, ...values, ...moments, dist.klDivergence(other), dist.crossEntropy(other), ...shapes(dist)]);
  },
  bernoulli_checked() {
    const dist = new d.Bernoulli({ probs: [0.25, 0.5], validateArgs: true });
    return made([dist.logProb([0, 1]), dist.logProb(tf.constant([1, 0], "float32")), dist.sample(3, { seed: 1 })]);
  },
  bernoulli_both: () => made(new d.Bernoulli({ logits: 1, probs: 0.5 }).probs),
  bernoulli_integers: () => made(new d.Bernoulli({ logits: Int32Array.of(1) }).probs),
  bernoulli_fraction: () => made(new d.Bernoulli({ probs: [0.25], validateArgs: true }).logProb(withDefault([0.5], [1]))),
  categorical() {
    const rows = [
      [0.3, -1.2, 2],
      [0, 0.1, 0.2],
    ];
    const dist = new d.Categorical({ logits: parameter(rows, "logits") });
    const other = new d.Categorical({ probs: parameter([0.2, 0.3, 0.5], "p") });
    const samples = [dist.sample([5], { seed: 3 }), dist.probs, other.sample(4, { seed: 4 }), other.logits];
    const pairs = [
      [0, 1],
      [2, 2],
      [1, 0],
    ];
    const values = [dist.logProb([0, 2]), dist.prob(1), other.logProb([1, 0]), dist.logProb(pairs), dist.cdf([1, 2]), other.cdf(2)];
    const rest = [dist.entropy(), dist.mode(), other.mode(), dist.eventSize, dist.klDivergence(other)];
    return made([...samples, ...values, ...rest, ...shapes(dist)]);
  },
  categorical_open() {
    const logits = tf.placeholder("float32", null, { name: "logits" });
    const values = tf.placeholder("int32", [null], { name: "values" });
    const dist = new d.Categorical({ logits, dtype: "int64", validateArgs: true });
    const fetch = [dist.sample([2], { seed: 3 }), dist.logProb(values), dist.entropy(), dist.eventSize, dist.mode(), ...shapes(dist)];
    const rows = [
      [1, 2, 3],
      [0.5, 0.5, 1],
    ];
    return made(
      fetch,
      new Map<tf.Tensor, tf.ArrayLike>([
        [logits, rows],
        [values, [1, 0]],
      ]),
    );
  },
  categorical_checked() {
    const dist = new d.Categorical({ probs: [[0.2, 0.3, 0.5]], validateArgs: true });
    return made([dist.logProb([2]), dist.cdf([1])]);
  },
  categorical_refused: () => made(new d.Categorical({ logits: [[1]], validateArgs: true }).probs),
  multinomial() {
    const rows = [
      [0.3, -1.2, 2],
      [0, 0.1, 0.2],
    ];
    const dist = new d.Multinomial(4, { logits: parameter(rows, "logits") });
    const counts = [
      [1, 1, 2],
      [4, 0, 0],
    ];
    const values = densities(dist, counts, "prob", "logProb");
    return made([...values, ...statistics(dist, "mean", "variance", "stddev", "covariance"), ...shapes(dist)]);
  },
  multinomial_samples() {
    const dist = new d.Multinomial(6, { probs: [0.1, 0.2, 0.7] });
    return made([dist.sample([5], { seed: 8 }), dist.logits, dist.probs]);
  },
  multinomial_checked() {
    const dist = new d.Multinomial(tf.constant(3, "float32"), { probs: [0.25, 0.75], validateArgs: true });
    return made([dist.logProb([1, 2])]);
  },
  counts_wrong() {
    const dist = new d.DirichletMultinomial(3, [0.25, 0.75], { validateArgs: true });
    return made(dist.logProb(withDefault(Float32Array.of(1, 1), [2])));
  },
  dirichlet_multinomial() {
    const rows = [
      [1, 2, 3],
      [0.5, 0.6, 4],
    ];
    const dist = new d.DirichletMultinomial(parameter([[4], [2]], "n"), parameter(rows, "alpha"));
    return made([...statistics(dist, "mean", "stddev", "variance", "covariance"), ...shapes(dist)]);
  },
  dirichlet_multinomial_samples() {
    const dist = new d.DirichletMultinomial(5, [1, 2, 3], { validateArgs: true });
    return made([dist.sample([4], { seed: 8 }), ...densities(dist, [1, 1, 3], "prob", "logProb")]);
  },
  strict_divergence() {
    const [a, b] = [new d.Normal([0, 1], 1), new d.Normal(1, [2, 3])];
    return made(d.klDivergence(a, b, { allowNanStats: false, name: "mine" }));
  },
  unknown_divergence: () => made(d.klDivergence(new d.Normal(0, 1), new d.Uniform())),
  policy() {
    const state = tf.placeholder("float32", [null, 3], { name: "state" });
    const [mean, logStd] = tf.variableScope("policy", () => {
      const initializer = tf.constantInitializer([
        [0.1, 0.2],
        [0.3, -0.4],
        [0.5, 0.6],
      ]);
      const w = tf.getVariable("w", [3, 2], { initializer });
      return [tf.tanh(tf.matmul(state, w)), tf.getVariable("log_std", [2], { initializer: tf.zerosInitializer() })] as const;
    });
    const pi = new d.Normal(mean, tf.exp(logStd), { name: "pi" });
    const action = tf.clipByValue(pi.sample([], { seed: 12 }), -2, 2);
    const surrogate = tf.reduceMean(tf.reduceSum(pi.logProb(tf.stopGradient(action)), 1).mul(1.5)).neg();
    const bonus = tf.reduceMean(pi.entropy());
    return made([action, surrogate.sub(bonus)], new Map([[state, stateRows]]));
  },
};
const stateRows = [
  [1, 0.5, -0.5],
  [0, 1, 2],
];

describe("tf.distributions", () => {
  compareWithRecording("distributions", programs);

  it("is the same under TensorFlow's names", async () => {
    using _ = new tf.Graph().asDefault();
    const n = compat.distributions.Normal(0.0, { scale: 2.0, name: "mine" });
    const [density, logDensity] = [n.prob(1), n.log_prob(1)];
    const [p, logP] = (await new compat.Session().run([density, logDensity])) as tf.NDArray[];
    expect(Math.log(p.item() as number)).toBeCloseTo(logP.item() as number, 5);
    expect(String(n)).toBe('tfp.distributions.Normal("mine/", batch_shape=(), event_shape=(), dtype=float32)');
    expect(n.sample([2, 3], { seed: 1 }).shape.asList()).toEqual([2, 3]);
    const wider = n.copy({ scale: [1, 2] });
    expect(wider.batch_shape.asList()).toEqual([2]);
    expect(d.Normal.paramStaticShapes([2, 3]).loc.asList()).toEqual([2, 3]);
  });

  it("lets classes of one's own define hooks, and divergences", async () => {
    using _ = new tf.Graph().asDefault();
    class Always extends d.Distribution {
      readonly value: tf.Tensor;
      constructor(value: number) {
        const tensor = tf.constant(value, "float32");
        super("float32", d.NOT_REPARAMETERIZED, false, true, { graphParents: [tensor] });
        this.value = tensor;
      }
      protected override _prob(x: tf.Tensor): tf.Tensor {
        return tf.cast(tf.equal(x, this.value), "float32");
      }
      protected override _variance(): tf.Tensor {
        return tf.zerosLike(this.value);
      }
    }
    const always = new Always(3);
    expect(always.name).toBe("Always/");
    expect(() => always.mean()).toThrow("mean is not implemented: Always");
    expect(() => always.klDivergence(new d.Uniform())).toThrow(/^No KL/);
    new d.RegisterKL(Always, d.Uniform)((a: Always, b: tf.distributions.Uniform) => tf.add(a.value, b.high));
    expect(() => new d.RegisterKL(Always, d.Uniform)(() => always.value)).toThrow(/^KL\(Always \|\| Uniform\) has already been registered/);
    expect(() => new d.RegisterKL(d.Normal, d.Normal)(() => always.value)).toThrow("has already been registered");
    const fetches = [always.logProb(3), always.stddev(), always.klDivergence(new d.Uniform())];
    const values = (await new tf.Session().run(fetches)) as tf.NDArray[];
    expect(values.map(value => value.item())).toEqual([0, 0, 4]);
  });
});
