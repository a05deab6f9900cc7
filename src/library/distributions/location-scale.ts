// Distributions that are moved and stretched: Normal, Laplace, Student's t, Uniform. Their samples are differentiable by the parameters.

import type { DType } from "../../base/dtype.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { constant, fill, identity, ones, onesLike, shape as shapeOf, zeros, zerosLike } from "../../ops/array/array.ts";
import { broadcastDynamicShape, broadcastStaticShape } from "../../ops/array/padding.ts";
import { whereV2 } from "../../ops/array/selection.ts";
import { concat, ellipsis, getItem, newaxis } from "../../ops/array/slicing.ts";
import { assertLess, assertPositive, assertSameFloatDtype } from "../../ops/flow/check.ts";
import { withDependencies } from "../../ops/flow/control-flow.ts";
import { greater, less, logicalOr } from "../../ops/math/comparison.ts";
import { squaredDifference } from "../../ops/math/math.ts";
import { abs, digamma, exp, isNan, lgamma, log, log1p, rsqrt, sign, square } from "../../ops/math/functions.ts";
import { betainc, lbeta } from "../../ops/math/special.ts";
import { inNameScope, type NameOption, named } from "../../ops/named.ts";
import * as operator from "../../ops/operators.ts";
import { randomNormal, randomUniform } from "../../ops/random/random.ts";
import { randomGamma } from "../../ops/random/distributions.ts";
import { derivedSeed, type Seed, shapesLike } from "./argument-checks.ts";
import { Distribution, type DistributionOptions, FULLY_REPARAMETERIZED } from "./distribution.ts";
import { logCdfLaplace, logNdtr, ndtr, ndtri } from "./normal-functions.ts";

const { add, mul, neg, pow, sub, truediv } = operator;
type FloatType = "float16" | "float32" | "float64";

interface Opened {
  readonly scope: string;
  readonly tensors: readonly Tensor[];
}

/** The parameters by name, in a scope, behind the checks; all of one float type. */
const opened = (name: string, parameters: Readonly<Record<string, TensorLike>>, checks: () => readonly Operation[]): Opened =>
  inNameScope(name, "", Object.values(parameters), scope =>
    getDefaultGraph().controlDependencies([...checks()], () => {
      const tensors = Object.entries(parameters).map(([key, value]) => identity(value, { name: key }));
      assertSameFloatDtype(tensors);
      return { scope: String(scope), tensors };
    }),
  );

/** A distribution of numbers whose batch shape is that of its parameters, broadcast together. */
abstract class Located extends Distribution {
  protected abstract get tensors(): readonly Tensor[];

  protected override _batchShapeTensor(): Tensor {
    const [first, ...rest] = this.tensors.map(tensor => shapeOf(tensor)).reverse();
    return rest.reduce((shape, other) => broadcastDynamicShape(other, shape), first);
  }
  protected override _batchShape(): TensorShape {
    return this.tensors.map(tensor => tensor.shape).reduce(broadcastStaticShape);
  }
  protected override _eventShapeTensor(): Tensor {
    return constant([], "int32");
  }
  protected override _eventShape(): TensorShape {
    return new TensorShape([]);
  }
  protected sampleShape(n: Tensor | number): Tensor {
    return concat([[n], this.batchShapeTensor()], 0);
  }
  protected scalar(value: number): NDArray {
    return NDArray.from(value, this.dtype);
  }
}

/** The normal distribution with mean `loc` and standard deviation `scale`. TF: tf.distributions.Normal. */
export class Normal extends Located {
  readonly loc: Tensor;
  readonly scale: Tensor;

  constructor(loc: TensorLike, scale: TensorLike, options: DistributionOptions = {}) {
    const { validateArgs, allowNanStats, name } = options;
    const { scope, tensors } = opened(name ?? "Normal", { loc, scale }, () => (validateArgs ? [assertPositive(scale)] : []));
    const parameters = { loc, scale, ...options };
    super(tensors[1].dtype, FULLY_REPARAMETERIZED, validateArgs ?? false, allowNanStats ?? true, {
      parameters,
      graphParents: tensors,
      name: scope,
    });
    [this.loc, this.scale] = tensors;
  }

  protected override positional(): readonly string[] {
    return ["loc", "scale"];
  }
  protected static override _paramShapes(sampleShape: TensorLike): Readonly<Record<string, Tensor>> {
    return shapesLike(sampleShape, ["loc", "scale"]);
  }
  protected get tensors(): readonly Tensor[] {
    return [this.loc, this.scale];
  }
  protected override _sampleN(n: Tensor | number, seed?: Seed): Tensor {
    const drawn = randomNormal(this.sampleShape(n), { mean: 0, stddev: 1, dtype: this.loc.dtype as FloatType, seed });
    return add(mul(drawn, this.scale), this.loc);
  }
  protected override _logProb(x: Tensor): Tensor {
    const unnormalized = mul(-0.5, square(this.standardized(x)));
    return sub(unnormalized, add(0.5 * Math.log(2 * Math.PI), log(this.scale)));
  }
  protected override _logCdf(x: Tensor): Tensor {
    return logNdtr(this.standardized(x));
  }
  protected override _cdf(x: Tensor): Tensor {
    return ndtr(this.standardized(x));
  }
  protected override _logSurvivalFunction(x: Tensor): Tensor {
    return logNdtr(neg(this.standardized(x)));
  }
  protected override _survivalFunction(x: Tensor): Tensor {
    return ndtr(neg(this.standardized(x)));
  }
  protected override _entropy(): Tensor {
    const scale = mul(this.scale, onesLike(this.loc));
    return add(0.5 * Math.log(2 * Math.PI * Math.E), log(scale));
  }
  protected override _mean(): Tensor {
    return mul(this.loc, onesLike(this.scale));
  }
  protected override _quantile(p: Tensor): Tensor {
    const z = ndtri(p);
    return inNameScope("reconstruct", "", [z], () => add(mul(z, this.scale), this.loc));
  }
  protected override _stddev(): Tensor {
    return mul(this.scale, onesLike(this.loc));
  }
  protected override _mode(): Tensor {
    return this._mean();
  }
  private standardized(x: Tensor): Tensor {
    return inNameScope("standardize", "", [x], () => truediv(sub(x, this.loc), this.scale));
  }

  static divergence(a: Normal, b: Normal, option?: Named): Tensor {
    return inNameScope(option, "kl_normal_normal", [a.loc, b.loc], () => {
      const [one, two, half] = [1, 2, 0.5].map(value => constant(value, a.dtype));
      const [squareA, squareB] = [square(a.scale), square(b.scale)];
      const ratio = truediv(squareA, squareB);
      const distance = squaredDifference(a.loc, b.loc);
      return add(truediv(distance, mul(two, squareB)), mul(half, sub(sub(ratio, one), log(ratio))));
    });
  }
}

/** The number next to -1 on the side of 0. */
const aboveMinusOne = (dtype: DType): number => -1 + 2 ** { float16: -11, float32: -24, float64: -53 }[dtype as FloatType];

/** The two-sided exponential distribution with mean `loc` and mean distance from it `scale`. TF: tf.distributions.Laplace. */
export class Laplace extends Located {
  readonly loc: Tensor;
  readonly scale: Tensor;

  constructor(loc: TensorLike, scale: TensorLike, options: DistributionOptions = {}) {
    const { validateArgs, allowNanStats, name } = options;
    const { scope, tensors } = opened(name ?? "Laplace", { loc, scale }, () => (validateArgs ? [assertPositive(scale)] : []));
    super(tensors[0].dtype, FULLY_REPARAMETERIZED, validateArgs ?? false, allowNanStats ?? true, {
      parameters: { loc, scale, ...options },
      graphParents: tensors,
      name: scope,
    });
    [this.loc, this.scale] = tensors;
  }

  protected override positional(): readonly string[] {
    return ["loc", "scale"];
  }
  protected static override _paramShapes(sampleShape: TensorLike): Readonly<Record<string, Tensor>> {
    return shapesLike(sampleShape, ["loc", "scale"]);
  }
  protected get tensors(): readonly Tensor[] {
    return [this.loc, this.scale];
  }
  protected override _sampleN(n: Tensor | number, seed?: Seed): Tensor {
    const dtype = this.dtype as FloatType;
    const drawn = randomUniform(this.sampleShape(n), { minval: aboveMinusOne(dtype), maxval: 1, dtype, seed });
    const distance = mul(mul(this.scale, sign(drawn)), log1p(neg(abs(drawn))));
    return sub(this.loc, distance);
  }
  protected override _logProb(x: Tensor): Tensor {
    const unnormalized = neg(abs(this.standardized(x)));
    return sub(unnormalized, add(Math.LN2, log(this.scale)));
  }
  protected override _prob(x: Tensor): Tensor {
    return exp(this._logProb(x));
  }
  protected override _logCdf(x: Tensor): Tensor {
    return logCdfLaplace(this.standardized(x));
  }
  protected override _logSurvivalFunction(x: Tensor): Tensor {
    return logCdfLaplace(neg(this.standardized(x)));
  }
  protected override _cdf(x: Tensor): Tensor {
    const z = this.standardized(x);
    const side = mul(0.5, sign(z));
    return add(0.5, mul(side, sub(1, exp(neg(abs(z))))));
  }
  protected override _entropy(): Tensor {
    const scale = add(this.scale, zerosLike(this.loc));
    return add(Math.LN2 + 1, log(scale));
  }
  protected override _mean(): Tensor {
    return add(this.loc, zerosLike(this.scale));
  }
  protected override _stddev(): Tensor {
    const stretched = mul(Math.SQRT2, this.scale);
    return add(stretched, zerosLike(this.loc));
  }
  protected override _mode(): Tensor {
    return this._mean();
  }
  private standardized(x: Tensor): Tensor {
    return truediv(sub(x, this.loc), this.scale);
  }
}

/** Student's t distribution with `df` degrees of freedom, moved and stretched. TF: tf.distributions.StudentT. */
export class StudentT extends Located {
  readonly df: Tensor;
  readonly loc: Tensor;
  readonly scale: Tensor;

  constructor(df: TensorLike, loc: TensorLike, scale: TensorLike, options: DistributionOptions = {}) {
    const { validateArgs, allowNanStats, name } = options;
    const { scope, tensors } = opened(name ?? "StudentT", { df, loc, scale }, () => (validateArgs ? [assertPositive(df)] : []));
    super(tensors[2].dtype, FULLY_REPARAMETERIZED, validateArgs ?? false, allowNanStats ?? true, {
      parameters: { df, loc, scale, ...options },
      graphParents: tensors,
      name: scope,
    });
    [this.df, this.loc, this.scale] = tensors;
  }

  protected override positional(): readonly string[] {
    return ["df", "loc", "scale"];
  }
  protected static override _paramShapes(sampleShape: TensorLike): Readonly<Record<string, Tensor>> {
    return shapesLike(sampleShape, ["df", "loc", "scale"]);
  }
  protected get tensors(): readonly Tensor[] {
    return [this.df, this.loc, this.scale];
  }
  protected override _batchShapeTensor(): Tensor {
    const df = shapeOf(this.df);
    const loc = shapeOf(this.loc);
    return broadcastDynamicShape(df, broadcastDynamicShape(loc, shapeOf(this.scale)));
  }
  protected override _sampleN(n: Tensor | number, seed?: Seed): Tensor {
    const dtype = this.dtype as FloatType;
    const normal = randomNormal(this.sampleShape(n), { dtype, seed });
    const df = mul(this.df, ones(this.batchShapeTensor(), dtype));
    const half = mul(0.5, df);
    const gamma = randomGamma([n], half, { beta: 0.5, dtype, seed: derivedSeed(seed, "student_t") });
    return add(mul(mul(normal, rsqrt(truediv(gamma, df))), this.scale), this.loc);
  }
  protected override _logProb(x: Tensor): Tensor {
    const y = truediv(sub(x, this.loc), this.scale);
    const factor = mul(-0.5, add(this.df, 1));
    const unnormalized = mul(factor, log1p(truediv(pow(y, 2), this.df)));
    const scale = log(abs(this.scale));
    const start = add(add(scale, mul(0.5, log(this.df))), 0.5 * Math.log(Math.PI));
    const sum = add(start, lgamma(mul(0.5, this.df)));
    return sub(unnormalized, sub(sum, lgamma(mul(0.5, add(this.df, 1)))));
  }
  protected override _cdf(x: Tensor): Tensor {
    const offset = sub(x, this.loc);
    const y = truediv(offset, abs(this.scale));
    const xt = truediv(this.df, add(pow(y, 2), this.df));
    const left = mul(0.5, betainc(mul(0.5, this.df), 0.5, xt));
    return whereV2(less(y, 0), left, sub(1, left));
  }
  protected override _entropy(): Tensor {
    const v = getItem(ones(this.batchShapeTensor(), this.dtype), ellipsis, newaxis);
    const u = mul(v, getItem(this.df, ellipsis, newaxis));
    const halves = truediv(concat([u, v], -1), 2);
    const scale = log(abs(this.scale));
    const start = add(add(scale, mul(0.5, log(this.df))), lbeta(halves));
    const factor = mul(0.5, add(this.df, 1));
    const above = digamma(mul(0.5, add(this.df, 1)));
    return add(start, mul(factor, sub(above, digamma(mul(0.5, this.df)))));
  }
  protected override _mean(): Tensor {
    const mean = mul(this.loc, ones(this.batchShapeTensor(), this.dtype));
    return this.whereDefined("mean", mean);
  }
  protected override _variance(): Tensor {
    const isFinite = greater(this.df, 2);
    const denominator = whereV2(isFinite, sub(this.df, 2), onesLike(this.df));
    const unit = ones(this.batchShapeTensor(), this.dtype);
    const variance = truediv(mul(mul(unit, square(this.scale)), this.df), denominator);
    const isKnown = operator.greater(this.df, fill(this.batchShapeTensor(), 2));
    const result = whereV2(isKnown, variance, fill(this.batchShapeTensor(), this.scalar(Infinity), { name: "inf" }));
    return this.whereDefined("variance", result);
  }
  protected override _mode(): Tensor {
    return identity(this.loc);
  }

  /** NaN, or a failure of the run, where df ≤ 1. */
  private whereDefined(what: string, value: Tensor): Tensor {
    if (this.allowNanStats) {
      const isDefined = greater(this.df, ones(this.batchShapeTensor(), this.dtype));
      return whereV2(isDefined, value, fill(this.batchShapeTensor(), this.scalar(Number.NaN), { name: "nan" }));
    }
    const message = `${what} not defined for components of df <= 1`;
    return withDependencies([assertLess(ones([], this.dtype), this.df, { message })], value);
  }
}

interface UniformParameters extends DistributionOptions {
  /** The least value, 0. */
  readonly low?: TensorLike | null;
  /** The bound that is not reached, 1. */
  readonly high?: TensorLike | null;
}

/** The uniform distribution over [low, high). TF: tf.distributions.Uniform. */
export class Uniform extends Located {
  readonly low: Tensor;
  readonly high: Tensor;

  constructor(options: UniformParameters = {}) {
    const { validateArgs, allowNanStats, name } = options;
    const bounds = { low: options.low ?? 0, high: options.high ?? 1 };
    const { scope, tensors } = opened(name ?? "Uniform", bounds, () =>
      validateArgs ? [assertLess(bounds.low, bounds.high, { message: "uniform not defined when low >= high." })] : [],
    );
    super(tensors[0].dtype, FULLY_REPARAMETERIZED, validateArgs ?? false, allowNanStats ?? true, {
      parameters: { ...options },
      graphParents: tensors,
      name: scope,
    });
    [this.low, this.high] = tensors;
  }

  protected static override _paramShapes(sampleShape: TensorLike): Readonly<Record<string, Tensor>> {
    return shapesLike(sampleShape, ["low", "high"]);
  }
  protected get tensors(): readonly Tensor[] {
    return [this.low, this.high];
  }
  /** high − low. */
  range(option?: NameOption): Tensor {
    return this.inScope(named(option).name ?? "range", () => sub(this.high, this.low));
  }
  protected override _sampleN(n: Tensor | number, seed?: Seed): Tensor {
    const drawn = randomUniform(this.sampleShape(n), { dtype: this.dtype as FloatType, seed });
    return add(this.low, mul(this.range(), drawn));
  }
  protected override _prob(x: Tensor): Tensor {
    const all = mul(x, ones(this.batchShapeTensor(), x.dtype));
    const isUndefined = isNan(all);
    const isBelow = operator.less(all, this.low);
    const isOutside = logicalOr(isBelow, operator.greaterEqual(all, this.high));
    const outside = zerosLike(all);
    const unit = onesLike(all);
    return whereV2(isUndefined, all, whereV2(isOutside, outside, truediv(unit, this.range())));
  }
  protected override _cdf(x: Tensor): Tensor {
    const shape = broadcastDynamicShape(shapeOf(x), this.batchShapeTensor());
    const [none, all] = [zeros(shape, this.dtype), ones(shape, this.dtype)];
    const wide = mul(x, all);
    const isBelow = operator.less(x, this.low);
    const above = sub(wide, this.low);
    const share = whereV2(isBelow, none, truediv(above, this.range()));
    return whereV2(operator.greaterEqual(x, this.high), all, share);
  }
  protected override _entropy(): Tensor {
    return log(this.range());
  }
  protected override _mean(): Tensor {
    return truediv(add(this.low, this.high), 2);
  }
  protected override _variance(): Tensor {
    return truediv(square(this.range()), 12);
  }
  protected override _stddev(): Tensor {
    return truediv(this.range(), Math.sqrt(12));
  }
}
