// Distributions made of gamma draws: Gamma, Exponential, Beta, Dirichlet. Samples are differentiable by the parameters.

import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constant, fill, identity, ones, onesLike, shape as shapeOf } from "../../ops/array/array.ts";
import { matrixSetDiag } from "../../ops/array/matrix.ts";
import { broadcastDynamicShape, broadcastStaticShape } from "../../ops/array/padding.ts";
import { whereV2 } from "../../ops/array/selection.ts";
import { concat, ellipsis, getItem, newaxis } from "../../ops/array/slicing.ts";
import { assertLess, assertNear, assertPositive, assertRankAtLeast, assertSameFloatDtype } from "../../ops/flow/check.ts";
import { withDependencies } from "../../ops/flow/control-flow.ts";
import { cast } from "../../ops/math/cast.ts";
import { logicalAnd } from "../../ops/math/comparison.ts";
import { xlogy } from "../../ops/math/math.ts";
import { digamma, exp, lgamma, log, log1p, rsqrt, sqrt, square } from "../../ops/math/functions.ts";
import { matmul } from "../../ops/math/matrix.ts";
import { reduceAll, reduceSum } from "../../ops/math/reduction.ts";
import { betainc, igamma, lbeta } from "../../ops/math/special.ts";
import { inNameScope } from "../../ops/named.ts";
import { add, greater, mul, neg, sub, truediv } from "../../ops/operators.ts";
import { randomUniform } from "../../ops/random/random.ts";
import { randomGamma } from "../../ops/random/distributions.ts";
import { derivedSeed, type Seed, shapesLike } from "./argument-checks.ts";
import { Distribution, type DistributionOptions, FULLY_REPARAMETERIZED } from "./distribution.ts";

type FloatType = "float16" | "float32" | "float64";

/** The gamma distribution with shape `concentration` and inverse scale `rate`. TF: tf.distributions.Gamma. */
export class Gamma extends Distribution {
  readonly concentration: Tensor;
  readonly rate: Tensor;

  constructor(concentration: TensorLike, rate: TensorLike, options: DistributionOptions = {}) {
    const { validateArgs, allowNanStats, name } = options;
    const made = inNameScope(name ?? "Gamma", "", [concentration, rate], scope => {
      const checks = validateArgs ? [assertPositive(concentration), assertPositive(rate)] : [];
      return getDefaultGraph().controlDependencies(checks, () => {
        const tensors = [identity(concentration, { name: "concentration" }), identity(rate, { name: "rate" })];
        assertSameFloatDtype(tensors);
        return { scope: String(scope), tensors };
      });
    });
    super(made.tensors[0].dtype, FULLY_REPARAMETERIZED, validateArgs ?? false, allowNanStats ?? true, {
      parameters: { concentration, rate, ...options },
      graphParents: made.tensors,
      name: made.scope,
    });
    [this.concentration, this.rate] = made.tensors;
  }

  protected override positional(): readonly string[] {
    return ["concentration", "rate"];
  }
  protected static override _paramShapes(sampleShape: TensorLike): Readonly<Record<string, Tensor>> {
    return shapesLike(sampleShape, ["concentration", "rate"]);
  }
  protected override _batchShapeTensor(): Tensor {
    const shape = shapeOf(this.concentration);
    return broadcastDynamicShape(shape, shapeOf(this.rate));
  }
  protected override _batchShape(): TensorShape {
    return broadcastStaticShape(this.concentration.shape, this.rate.shape);
  }
  protected override _eventShapeTensor(): Tensor {
    return constant([], "int32");
  }
  protected override _eventShape(): TensorShape {
    return new TensorShape([]);
  }
  protected override _sampleN(n: Tensor | number, seed?: Seed): Tensor {
    return randomGamma([n], this.concentration, { beta: this.rate, dtype: this.dtype as FloatType, seed });
  }
  protected override _logProb(given: Tensor): Tensor {
    const x = this.checkedSample(given);
    const weight = xlogy(sub(this.concentration, 1), x);
    const unnormalized = sub(weight, mul(this.rate, x));
    const logGamma = lgamma(this.concentration);
    return sub(unnormalized, sub(logGamma, mul(this.concentration, log(this.rate))));
  }
  protected override _cdf(given: Tensor): Tensor {
    const x = this.checkedSample(given);
    return igamma(this.concentration, mul(this.rate, x));
  }
  protected override _entropy(): Tensor {
    const start = sub(this.concentration, log(this.rate));
    const sum = add(start, lgamma(this.concentration));
    const rest = sub(1, this.concentration);
    return add(sum, mul(rest, digamma(this.concentration)));
  }
  protected override _mean(): Tensor {
    return truediv(this.concentration, this.rate);
  }
  protected override _variance(): Tensor {
    return truediv(this.concentration, square(this.rate));
  }
  protected override _stddev(): Tensor {
    return truediv(sqrt(this.concentration), this.rate);
  }
  protected override _mode(): Tensor {
    const mode = truediv(sub(this.concentration, 1), this.rate);
    if (this.allowNanStats) {
      const nan = fill(this.batchShapeTensor(), NDArray.from(Number.NaN, this.dtype), { name: "nan" });
      return whereV2(greater(this.concentration, 1), mode, nan);
    }
    const message = "mode not defined when any concentration <= 1";
    return withDependencies([assertLess(ones([], this.dtype), this.concentration, { message })], mode);
  }
  private checkedSample(x: Tensor): Tensor {
    assertSameFloatDtype([x], this.dtype);
    return this.validateArgs ? withDependencies([assertPositive(x)], x) : x;
  }

  static divergence(a: Gamma, b: Gamma, option?: Named): Tensor {
    return inNameScope(option, "kl_gamma_gamma", [a.concentration, a.rate, b.concentration, b.rate], () => {
      const difference = sub(a.concentration, b.concentration);
      const start = mul(difference, digamma(a.concentration));
      const gammas = sub(add(start, lgamma(b.concentration)), lgamma(a.concentration));
      const withA = add(gammas, mul(b.concentration, log(a.rate)));
      const withB = sub(withA, mul(b.concentration, log(b.rate)));
      return add(withB, mul(a.concentration, sub(truediv(b.rate, a.rate), 1)));
    });
  }
}

/** The least normal positive numbers. */
const tiny: Readonly<Record<FloatType, number>> = { float16: 2 ** -14, float32: 2 ** -126, float64: 2 ** -1022 };

/** The exponential distribution with inverse mean `rate`. TF: tf.distributions.Exponential. */
export class Exponential extends Gamma {
  constructor(rate: TensorLike, options: DistributionOptions = {}) {
    const { scope, tensor } = inNameScope(options.name ?? "Exponential", "Exponential", [rate], opened => ({
      scope: String(opened),
      tensor: convertToTensor(rate, { name: "rate" }),
    }));
    super(ones([], tensor.dtype), tensor, { ...options, name: scope });
    this.given = { rate, ...options };
    this.addGraphParent(tensor);
  }

  private readonly given: Readonly<Record<string, unknown>>;

  protected override positional(): readonly string[] {
    return ["rate"];
  }
  override copy(overrides: Readonly<Record<string, unknown>> = {}): this {
    const { rate, ...options } = { ...this.given, ...overrides };
    return Reflect.construct(this.constructor as new () => this, [rate, options]) as this;
  }
  protected static override _paramShapes(sampleShape: TensorLike): Readonly<Record<string, Tensor>> {
    return shapesLike(sampleShape, ["rate"]);
  }
  protected override _logSurvivalFunction(value: Tensor): Tensor {
    const density = this._logProb(value);
    return sub(density, log(this.rate));
  }
  protected override _sampleN(n: Tensor | number, seed?: Seed): Tensor {
    const dtype = this.dtype as FloatType;
    const shape = concat([[n], shapeOf(this.rate)], 0);
    const drawn = randomUniform(shape, { minval: tiny[dtype], maxval: 1, seed, dtype });
    return truediv(neg(log(drawn)), this.rate);
  }
}

const requiredPositive = (concentration: Tensor): Tensor =>
  withDependencies([assertPositive(concentration, { message: "Concentration parameter must be positive." })], concentration);

interface BetaParameters extends DistributionOptions {
  readonly concentration1?: TensorLike | null;
  readonly concentration0?: TensorLike | null;
}

/** The beta distribution over (0, 1), with density x^(concentration1 − 1)·(1 − x)^(concentration0 − 1) / B. TF: tf.distributions.Beta. */
export class Beta extends Distribution {
  readonly concentration1: Tensor;
  readonly concentration0: Tensor;
  readonly totalConcentration: Tensor;

  constructor(options: BetaParameters = {}) {
    const { concentration1, concentration0, validateArgs, allowNanStats, name } = options;
    const made = inNameScope(name ?? "Beta", "Beta", [concentration1, concentration0], scope => {
      const checked = (given: TensorLike | null | undefined, label: string): Tensor => {
        const tensor = convertToTensor(given as TensorLike, { name: label });
        return validateArgs ? requiredPositive(tensor) : tensor;
      };
      const [one, zero] = [checked(concentration1, "concentration1"), checked(concentration0, "concentration0")];
      assertSameFloatDtype([one, zero]);
      return { scope: String(scope), tensors: [one, zero, add(one, zero)] };
    });
    super(made.tensors[2].dtype, FULLY_REPARAMETERIZED, validateArgs ?? false, allowNanStats ?? true, {
      parameters: { ...options },
      graphParents: made.tensors,
      name: made.scope,
    });
    [this.concentration1, this.concentration0, this.totalConcentration] = made.tensors;
  }

  protected static override _paramShapes(sampleShape: TensorLike): Readonly<Record<string, Tensor>> {
    return shapesLike(sampleShape, ["concentration1", "concentration0"]);
  }
  protected override _batchShapeTensor(): Tensor {
    return shapeOf(this.totalConcentration);
  }
  protected override _batchShape(): TensorShape {
    return this.totalConcentration.shape;
  }
  protected override _eventShapeTensor(): Tensor {
    return constant([], "int32");
  }
  protected override _eventShape(): TensorShape {
    return new TensorShape([]);
  }
  protected override _sampleN(n: Tensor | number, seed?: Seed): Tensor {
    const dtype = this.dtype as FloatType;
    const [one, zero] = [this.concentration1, this.concentration0].map(concentration =>
      mul(onesLike(this.totalConcentration, dtype), concentration),
    );
    const first = randomGamma([n], one, { dtype, seed });
    const second = randomGamma([n], zero, { dtype, seed: derivedSeed(seed, "beta") });
    return truediv(first, add(first, second));
  }
  protected override _logProb(given: Tensor): Tensor {
    const x = this.checkedSample(given);
    const ones = xlogy(sub(this.concentration1, 1), x);
    const factor = sub(this.concentration0, 1);
    const unnormalized = add(ones, mul(factor, log1p(neg(x))));
    return sub(unnormalized, this.logNormalization());
  }
  protected override _prob(x: Tensor): Tensor {
    return exp(this._logProb(x));
  }
  protected override _logCdf(x: Tensor): Tensor {
    return log(this._cdf(x));
  }
  protected override _cdf(x: Tensor): Tensor {
    return betainc(this.concentration1, this.concentration0, x);
  }
  private logNormalization(): Tensor {
    const sum = add(lgamma(this.concentration1), lgamma(this.concentration0));
    return sub(sum, lgamma(this.totalConcentration));
  }
  protected override _entropy(): Tensor {
    const start = this.logNormalization();
    const one = sub(this.concentration1, 1);
    const withOne = sub(start, mul(one, digamma(this.concentration1)));
    const zero = sub(this.concentration0, 1);
    const withZero = sub(withOne, mul(zero, digamma(this.concentration0)));
    const total = sub(this.totalConcentration, 2);
    return add(withZero, mul(total, digamma(this.totalConcentration)));
  }
  protected override _mean(): Tensor {
    return truediv(this.concentration1, this.totalConcentration);
  }
  protected override _variance(): Tensor {
    const mean = this._mean();
    const product = mul(mean, sub(1, this._mean()));
    return truediv(product, add(1, this.totalConcentration));
  }
  protected override _mode(): Tensor {
    const over = sub(this.concentration1, 1);
    const mode = truediv(over, sub(this.totalConcentration, 2));
    if (this.allowNanStats) {
      const nan = fill(this.batchShapeTensor(), NDArray.from(Number.NaN, this.dtype), { name: "nan" });
      const isOne = greater(this.concentration1, 1);
      return whereV2(logicalAnd(isOne, greater(this.concentration0, 1)), mode, nan);
    }
    const checks = ([1, 0] as const).map(which =>
      assertLess(ones([], this.dtype), which === 1 ? this.concentration1 : this.concentration0, {
        message: `Mode undefined for concentration${which} <= 1.`,
      }),
    );
    return withDependencies(checks, mode);
  }
  private checkedSample(x: Tensor): Tensor {
    if (!this.validateArgs) return x;
    const isPositive = assertPositive(x, { message: "sample must be positive" });
    const isBelow = assertLess(x, ones([], this.dtype), { message: "sample must be less than `1`." });
    return withDependencies([isPositive, isBelow], x);
  }

  static divergence(a: Beta, b: Beta, option?: Named): Tensor {
    const all = [a, b].flatMap(d => [d.concentration1, d.concentration0, d.totalConcentration]);
    return inNameScope(option, "kl_beta_beta", all, () => {
      const [second, first] = [b.logNormalization(), a.logNormalization()];
      const start = sub(second, first);
      const term = (key: "concentration1" | "concentration0" | "totalConcentration"): Tensor => {
        const weight = digamma(a[key]);
        return mul(weight, sub(b[key], a[key]));
      };
      const withOne = sub(start, term("concentration1"));
      const withZero = sub(withOne, term("concentration0"));
      return add(withZero, term("totalConcentration"));
    });
  }
}

/** The Dirichlet distribution: vectors of positive numbers that sum to 1. TF: tf.distributions.Dirichlet. */
export class Dirichlet extends Distribution {
  /** `[...batch, k]`. */
  readonly concentration: Tensor;
  readonly totalConcentration: Tensor;

  constructor(concentration: TensorLike, options: DistributionOptions = {}) {
    const { validateArgs, allowNanStats, name } = options;
    const made = inNameScope(name ?? "Dirichlet", "Dirichlet", [concentration], scope => {
      const given = convertToTensor(concentration, { name: "concentration" });
      const checked = validateArgs ? checkedConcentration(given) : given;
      return { scope: String(scope), tensors: [checked, reduceSum(checked, -1)] };
    });
    super(made.tensors[0].dtype, FULLY_REPARAMETERIZED, validateArgs ?? false, allowNanStats ?? true, {
      parameters: { concentration, ...options },
      graphParents: made.tensors,
      name: made.scope,
    });
    [this.concentration, this.totalConcentration] = made.tensors;
  }

  protected override positional(): readonly string[] {
    return ["concentration"];
  }
  protected override _batchShapeTensor(): Tensor {
    return shapeOf(this.totalConcentration);
  }
  protected override _batchShape(): TensorShape {
    return this.totalConcentration.shape;
  }
  protected override _eventShapeTensor(): Tensor {
    return getItem(shapeOf(this.concentration), [-1, null]);
  }
  protected override _eventShape(): TensorShape {
    const { shape } = this.concentration;
    return shape.rank === null ? shape : shape.withRankAtLeast(1).slice(-1);
  }
  protected override _sampleN(n: Tensor | number, seed?: Seed): Tensor {
    const drawn = randomGamma([n], this.concentration, { dtype: this.dtype as FloatType, seed });
    return truediv(drawn, reduceSum(drawn, -1, { keepdims: true }));
  }
  protected override _logProb(given: Tensor): Tensor {
    const x = this.checkedSample(given);
    const unnormalized = reduceSum(xlogy(sub(this.concentration, 1), x), -1);
    return sub(unnormalized, lbeta(this.concentration));
  }
  protected override _prob(x: Tensor): Tensor {
    return exp(this._logProb(x));
  }
  protected override _entropy(): Tensor {
    const k = cast(getItem(this.eventShapeTensor(), 0), this.dtype);
    const start = lbeta(this.concentration);
    const rest = sub(this.totalConcentration, k);
    const sum = add(start, mul(rest, digamma(this.totalConcentration)));
    const weights = sub(this.concentration, 1);
    return sub(sum, reduceSum(mul(weights, digamma(this.concentration)), -1));
  }
  protected override _mean(): Tensor {
    return truediv(this.concentration, getItem(this.totalConcentration, ellipsis, newaxis));
  }
  protected override _covariance(): Tensor {
    const scale = this.varianceScale();
    const x = mul(scale, this._mean());
    return covarianceOf(x, x, () => this._variance());
  }
  protected override _variance(): Tensor {
    const scale = this.varianceScale();
    const x = mul(scale, this._mean());
    return mul(x, sub(scale, x));
  }
  private varianceScale(): Tensor {
    return rsqrt(add(1, getItem(this.totalConcentration, ellipsis, newaxis)));
  }
  protected override _mode(): Tensor {
    const k = cast(getItem(this.eventShapeTensor(), 0), this.dtype);
    const over = sub(this.concentration, 1);
    const mode = truediv(over, sub(getItem(this.totalConcentration, ellipsis, newaxis), k));
    if (this.allowNanStats) {
      const nan = fill(shapeOf(mode), NDArray.from(Number.NaN, this.dtype), { name: "nan" });
      return whereV2(reduceAll(greater(this.concentration, 1), -1), mode, nan);
    }
    const message = "Mode undefined when any concentration <= 1";
    return withDependencies([assertLess(ones([], this.dtype), this.concentration, { message })], mode);
  }
  private checkedSample(x: Tensor): Tensor {
    if (!this.validateArgs) return x;
    const isPositive = assertPositive(x, { message: "samples must be positive" });
    const one = ones([], this.dtype);
    return withDependencies([isPositive, assertNear(one, reduceSum(x, -1), { message: "sample last-dimension must sum to `1`" })], x);
  }

  static divergence(a: Dirichlet, b: Dirichlet, option?: Named): Tensor {
    return inNameScope(option, "kl_dirichlet_dirichlet", [a.concentration, b.concentration], () => {
      const ofSum = digamma(reduceSum(a.concentration, -1, { keepdims: true }));
      const digammas = sub(digamma(a.concentration), ofSum);
      const difference = sub(a.concentration, b.concentration);
      const sum = reduceSum(mul(difference, digammas), -1);
      const withA = sub(sum, lbeta(a.concentration));
      return add(withA, lbeta(b.concentration));
    });
  }
}

function checkedConcentration(concentration: Tensor): Tensor {
  const isPositive = assertPositive(concentration, { message: "Concentration parameter must be positive." });
  const isVector = assertRankAtLeast(concentration, 1, { message: "Concentration parameter must have >=1 dimensions." });
  const size = getItem(shapeOf(concentration), -1);
  const hasTwo = assertLess(1, size, { message: "Concentration parameter must have event_size >= 2." });
  return withDependencies([isPositive, isVector, hasTwo], concentration);
}

/** −x·yᵀ with the variances on the diagonal. */
export function covarianceOf(x: Tensor, y: Tensor, variance: () => Tensor): Tensor {
  const column = getItem(x, ellipsis, newaxis);
  const outer = neg(matmul(column, getItem(y, ellipsis, newaxis, [])));
  return matrixSetDiag(outer, variance());
}
