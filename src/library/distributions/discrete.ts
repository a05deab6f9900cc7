// Distributions over numbers of classes and counts: Bernoulli, Categorical, Multinomial, DirichletMultinomial. Samples have no gradient.

import { type DType, dtypeBytes, isFloating, isInteger } from "../../base/dtype.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constant, identity, oneHot, ones, onesLike, rank, reshape, shape as shapeOf, zerosLike } from "../../ops/array/array.ts";
import { sequenceMask } from "../../ops/array/ranges.ts";
import { transpose } from "../../ops/array/rearranging.ts";
import { where } from "../../ops/array/selection.ts";
import { concat, ellipsis, getItem, newaxis } from "../../ops/array/slicing.ts";
import { assertEqual, assertPositive } from "../../ops/flow/check.ts";
import { withDependencies } from "../../ops/flow/control-flow.ts";
import { mapFn } from "../../ops/flow/functional.ts";
import { cast } from "../../ops/math/cast.ts";
import { less } from "../../ops/math/comparison.ts";
import { exp, log, sigmoid, sqrt } from "../../ops/math/functions.ts";
import { argmax, reduceSum } from "../../ops/math/reduction.ts";
import { lbeta } from "../../ops/math/special.ts";
import { inNameScope } from "../../ops/named.ts";
import { logSoftmax, softmax, softplus } from "../../ops/nn/nn.ts";
import { sigmoidCrossEntropyWithLogits, sparseSoftmaxCrossEntropyWithLogits } from "../../ops/nn/loss.ts";
import { add, greater, mul, neg, sub, truediv } from "../../ops/operators.ts";
import { multinomial, randomUniform } from "../../ops/random/random.ts";
import { randomGamma } from "../../ops/random/distributions.ts";
import {
  checkedCasting,
  checkedCounts,
  checkedEventShape,
  derivedSeed,
  logCombinations,
  type LogitsOrProbs,
  logitsAndProbs,
  type Seed,
} from "./argument-checks.ts";
import { Distribution, type DistributionOptions, NOT_REPARAMETERIZED } from "./distribution.ts";
import { covarianceOf } from "./gamma.ts";

type FloatType = "float16" | "float32" | "float64";

/** Parameters of which exactly one is given, and the type of samples. */
interface DiscreteOptions extends DistributionOptions, LogitsOrProbs {
  readonly dtype?: DType | null;
}

/** 1 with probability `probs` = sigmoid(`logits`), else 0. TF: tf.distributions.Bernoulli. */
export class Bernoulli extends Distribution {
  readonly logits: Tensor;
  readonly probs: Tensor;

  constructor(options: DiscreteOptions = {}) {
    const { dtype, validateArgs, allowNanStats, name } = options;
    const made = inNameScope(name ?? "Bernoulli", "Bernoulli", [], scope => ({
      scope: String(scope),
      ...logitsAndProbs(options, { scope: String(scope), validateArgs: validateArgs ?? false }),
    }));
    super(dtype ?? "int32", NOT_REPARAMETERIZED, validateArgs ?? false, allowNanStats ?? true, {
      parameters: { ...options },
      graphParents: [made.logits, made.probs],
      name: made.scope,
    });
    this.logits = made.logits;
    this.probs = made.probs;
  }

  protected static override _paramShapes(sampleShape: TensorLike): Readonly<Record<string, Tensor>> {
    return { logits: convertToTensor(sampleShape, { dtype: "int32" }) };
  }
  protected override _batchShapeTensor(): Tensor {
    return shapeOf(this.logits);
  }
  protected override _batchShape(): TensorShape {
    return this.logits.shape;
  }
  protected override _eventShapeTensor(): Tensor {
    return constant([], "int32");
  }
  protected override _eventShape(): TensorShape {
    return new TensorShape([]);
  }
  protected override _sampleN(n: Tensor | number, seed?: Seed): Tensor {
    const shape = concat([[n], this.batchShapeTensor()], 0);
    const drawn = randomUniform(shape, { seed, dtype: this.probs.dtype as FloatType });
    return cast(less(drawn, this.probs), this.dtype);
  }
  protected override _logProb(value: Tensor): Tensor {
    const checked = this.validateArgs ? checkedCasting(value, "bool") : value;
    let labels = cast(checked, this.logits.dtype);
    let { logits } = this;
    if (!(labels.shape.isFullyDefined && logits.shape.isFullyDefined && labels.shape.equals(logits.shape))) {
      const wide = mul(onesLike(labels), logits);
      labels = mul(onesLike(logits), labels);
      logits = wide;
    }
    return neg(sigmoidCrossEntropyWithLogits({ labels, logits }));
  }
  protected override _entropy(): Tensor {
    const minus = neg(this.logits);
    const start = mul(minus, sub(sigmoid(this.logits), 1));
    return add(start, softplus(neg(this.logits)));
  }
  protected override _mean(): Tensor {
    return identity(this.probs);
  }
  protected override _variance(): Tensor {
    const mean = this._mean();
    return mul(mean, sub(1, this.probs));
  }
  protected override _mode(): Tensor {
    return cast(greater(this.probs, 0.5), this.dtype);
  }

  static divergence(a: Bernoulli, b: Bernoulli, option?: Named): Tensor {
    return inNameScope(option, "kl_bernoulli_bernoulli", [a.logits, b.logits], () => {
      const zero = sub(softplus(neg(b.logits)), softplus(neg(a.logits)));
      const one = sub(softplus(b.logits), softplus(a.logits));
      const first = mul(sigmoid(a.logits), zero);
      return add(first, mul(sigmoid(neg(a.logits)), one));
    });
  }
}

/** Events and parameters of one batch shape. */
function broadcastEvents(given: Tensor, params: Tensor, dtype: DType): { events: Tensor; wide: Tensor } {
  if (!isInteger(given.dtype) && !isFloating(given.dtype))
    throw new TypeError(`\`value\` should have integer \`dtype\` or \`self.dtype\` (<dtype: '${dtype}'>)`);
  const events = isFloating(given.dtype) ? cast(given, "int32") : given;
  const batch = params.shape.slice(0, -1);
  if (batch.isFullyDefined && events.shape.isFullyDefined && batch.equals(events.shape)) return { events, wide: params };
  const wide = mul(params, onesLike(getItem(events, ellipsis, newaxis), params.dtype));
  const shape = getItem(shapeOf(wide), [null, -1]);
  const wideEvents = mul(events, ones(shape, events.dtype));
  if (wide.shape.rank !== null) wideEvents.setShape(wide.shape.slice(0, -1));
  return { events: wideEvents, wide };
}

/** One of k classes, with probabilities `probs` = softmax(`logits`), `[...batch, k]`. TF: tf.distributions.Categorical. */
export class Categorical extends Distribution {
  readonly logits: Tensor;
  readonly probs: Tensor;
  /** The number of classes. */
  readonly eventSize: Tensor;
  private readonly batchRank: Tensor;
  private readonly batchSizes: Tensor;

  constructor(options: DiscreteOptions = {}) {
    const { dtype, validateArgs, allowNanStats, name } = options;
    const made = inNameScope(name ?? "Categorical", "Categorical", [options.logits, options.probs], opened => {
      const scope = String(opened);
      const graph = getDefaultGraph();
      const { logits: given, probs } = logitsAndProbs(options, { scope, validateArgs: validateArgs ?? false, multidimensional: true });
      const logits = validateArgs ? checkedEventShape(given) : given;
      const { dims } = logits.shape.withRankAtLeast(1);
      const batchRank =
        dims === null
          ? graph.nameScope("batch_rank", () => sub(rank(logits), 1))
          : convertToTensor(dims.length - 1, { dtype: "int32", name: "batch_rank" });
      const sizes = shapeOf(logits, { name: "logits_shape" });
      const last = dims?.at(-1) ?? null;
      const eventSize =
        last === null
          ? graph.nameScope("event_size", () => getItem(sizes, batchRank))
          : convertToTensor(last, { dtype: "int32", name: "event_size" });
      const batch = dims === null ? TensorShape.unknown() : logits.shape.slice(0, -1);
      const batchSizes = batch.isFullyDefined
        ? constant(batch.asList(), "int32", { name: "batch_shape" })
        : graph.nameScope("batch_shape", () => getItem(sizes, [null, -1]));
      return { scope, logits, probs, batchRank, eventSize, batchSizes };
    });
    super(dtype ?? "int32", NOT_REPARAMETERIZED, validateArgs ?? false, allowNanStats ?? true, {
      parameters: { ...options },
      graphParents: [made.logits, made.probs],
      name: made.scope,
    });
    this.logits = made.logits;
    this.probs = made.probs;
    this.eventSize = made.eventSize;
    this.batchRank = made.batchRank;
    this.batchSizes = made.batchSizes;
  }

  protected override _batchShapeTensor(): Tensor {
    return identity(this.batchSizes);
  }
  protected override _batchShape(): TensorShape {
    return this.logits.shape.slice(0, -1);
  }
  protected override _eventShapeTensor(): Tensor {
    return constant([], "int32");
  }
  protected override _eventShape(): TensorShape {
    return new TensorShape([]);
  }
  protected override _sampleN(n: Tensor | number, seed?: Seed): Tensor {
    const rows = this.logits.shape.rank === 2 ? this.logits : reshape(this.logits, [-1, this.eventSize]);
    const draws = multinomial(rows, n, { seed, outputDtype: dtypeBytes(this.dtype) > 4 ? "int64" : "int32" });
    const turned = transpose(draws);
    return cast(reshape(turned, concat([[n], this.batchShapeTensor()], 0)), this.dtype);
  }
  protected override _cdf(value: Tensor): Tensor {
    const k = this.validateArgs ? checkedCasting(value, "int32") : value;
    const { events, wide } = broadcastEvents(k, this.probs, this.dtype);
    const rows = reshape(wide, [-1, this.eventSize]);
    const mask = sequenceMask(reshape(events, [-1]), this.eventSize);
    const summed = where(mask, rows, zerosLike(rows)) as Tensor;
    const flat = reduceSum(summed, -1);
    return reshape(flat, shapeOf(events));
  }
  protected override _logProb(value: Tensor): Tensor {
    const k = this.validateArgs ? checkedCasting(value, "int32") : value;
    const { events, wide } = broadcastEvents(k, this.logits, this.dtype);
    return neg(sparseSoftmaxCrossEntropyWithLogits({ labels: events, logits: wide }));
  }
  protected override _entropy(): Tensor {
    return neg(reduceSum(mul(logSoftmax(this.logits), this.probs), -1));
  }
  protected override _mode(): Tensor {
    const mode = cast(argmax(this.logits, this.batchRank), this.dtype);
    mode.setShape(this.batchShape);
    return mode;
  }

  static divergence(a: Categorical, b: Categorical, option?: Named): Tensor {
    return inNameScope(option, "kl_categorical_categorical", [a.logits, b.logits], () => {
      const difference = sub(logSoftmax(a.logits), logSoftmax(b.logits));
      return reduceSum(mul(softmax(a.logits), difference), -1);
    });
  }
}

/** Counts, checked to be such and to sum to `total`. */
function countsSummingTo(given: Tensor, total: Tensor, message: string): Tensor {
  const counts = checkedCounts(given);
  return withDependencies([assertEqual(total, reduceSum(counts, -1), { message })], counts);
}

/** How often each of k classes comes in `totalCount` draws with probabilities `probs` = softmax(`logits`). TF: tf.distributions.Multinomial. */
export class Multinomial extends Distribution {
  readonly totalCount: Tensor;
  readonly logits: Tensor;
  readonly probs: Tensor;
  private readonly expected: Tensor;

  constructor(totalCount: TensorLike, options: DistributionOptions & LogitsOrProbs = {}) {
    const { logits, probs, validateArgs, allowNanStats, name } = options;
    const made = inNameScope(name ?? "Multinomial", "Multinomial", [totalCount, logits, probs], opened => {
      const scope = String(opened);
      const given = convertToTensor(totalCount, { name: "total_count" });
      const total = validateArgs ? checkedCounts(given) : given;
      const both = logitsAndProbs(options, { scope, validateArgs: validateArgs ?? false, multidimensional: true });
      return { scope, total, ...both, expected: mul(getItem(total, ellipsis, newaxis), both.probs) };
    });
    super(made.probs.dtype, NOT_REPARAMETERIZED, validateArgs ?? false, allowNanStats ?? true, {
      parameters: { totalCount, ...options },
      graphParents: [made.total, made.logits, made.probs],
      name: made.scope,
    });
    this.totalCount = made.total;
    this.logits = made.logits;
    this.probs = made.probs;
    this.expected = made.expected;
  }

  protected override positional(): readonly string[] {
    return ["totalCount"];
  }
  protected override _batchShapeTensor(): Tensor {
    return getItem(shapeOf(this.expected), [null, -1]);
  }
  protected override _batchShape(): TensorShape {
    return this.expected.shape.withRankAtLeast(1).slice(0, -1);
  }
  protected override _eventShapeTensor(): Tensor {
    return getItem(shapeOf(this.expected), [-1, null]);
  }
  protected override _eventShape(): TensorShape {
    const { shape } = this.expected;
    return shape.rank === null ? shape : shape.withRankAtLeast(1).slice(-1);
  }
  protected override _sampleN(n: Tensor | number, seed?: Seed): Tensor {
    const total = cast(this.totalCount, "int32");
    const k = getItem(this.eventShapeTensor(), 0);
    const draws = mul(onesLike(getItem(this.logits, ellipsis, 0), total.dtype), total);
    const logits = mul(onesLike(getItem(draws, ellipsis, newaxis), this.logits.dtype), this.logits);
    const rows = reshape(logits, [-1, k]);
    const counts = mul(n, reshape(draws, [-1]));
    const one = (given: unknown): Tensor => {
      const [row, count] = given as readonly [Tensor, Tensor];
      const drawn = multinomial(getItem(row, newaxis, ellipsis), count, { seed });
      return reduceSum(oneHot(reshape(drawn, [n, -1]), k), -2);
    };
    const drawn = transpose(mapFn(one, [rows, counts], this.dtype) as Tensor, [1, 0, 2]);
    return reshape(drawn, concat([[n], this.batchShapeTensor(), [k]], 0));
  }
  protected override _logProb(given: Tensor): Tensor {
    const counts = this.checkedSample(given);
    const unnormalized = reduceSum(mul(counts, logSoftmax(this.logits)), -1);
    return sub(unnormalized, neg(logCombinations(this.totalCount, this.checkedSample(given))));
  }
  protected override _mean(): Tensor {
    return identity(this.expected);
  }
  protected override _covariance(): Tensor {
    return covarianceOf(this.expected, this.wideProbs(), () => this._variance());
  }
  protected override _variance(): Tensor {
    const p = this.wideProbs();
    return sub(this.expected, mul(this.expected, p));
  }
  private wideProbs(): Tensor {
    return mul(this.probs, getItem(onesLike(this.totalCount), ellipsis, newaxis));
  }
  private checkedSample(counts: Tensor): Tensor {
    return this.validateArgs ? countsSummingTo(counts, this.totalCount, "counts must sum to `self.total_count`") : counts;
  }
}

/** Counts of a multinomial distribution whose probabilities are themselves drawn from a Dirichlet distribution. TF: tf.distributions.DirichletMultinomial. */
export class DirichletMultinomial extends Distribution {
  readonly totalCount: Tensor;
  readonly concentration: Tensor;
  readonly totalConcentration: Tensor;

  constructor(totalCount: TensorLike, concentration: TensorLike, options: DistributionOptions = {}) {
    const { validateArgs, allowNanStats, name } = options;
    const made = inNameScope(name ?? "DirichletMultinomial", "DirichletMultinomial", [totalCount, concentration], scope => {
      const given = convertToTensor(totalCount, { name: "total_count" });
      const total = validateArgs ? checkedCounts(given) : given;
      const tensor = convertToTensor(concentration, { name: "concentration" });
      const checked = validateArgs ? positiveEvents(tensor) : tensor;
      return { scope: String(scope), tensors: [total, checked, reduceSum(checked, -1)] };
    });
    super(made.tensors[1].dtype, NOT_REPARAMETERIZED, validateArgs ?? false, allowNanStats ?? true, {
      parameters: { totalCount, concentration, ...options },
      graphParents: made.tensors.slice(0, 2),
      name: made.scope,
    });
    [this.totalCount, this.concentration, this.totalConcentration] = made.tensors;
  }

  protected override positional(): readonly string[] {
    return ["totalCount", "concentration"];
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
    const draws = cast(this.totalCount, "int32");
    const k = getItem(this.eventShapeTensor(), 0);
    const weights = log(randomGamma([n], this.concentration, { dtype: this.dtype as FloatType, seed }));
    const logits = reshape(weights, [-1, k]);
    const drawn = multinomial(logits, draws, { seed: derivedSeed(seed, "dirichlet_multinomial") });
    const counts = reduceSum(oneHot(drawn, k), -2);
    return cast(reshape(counts, concat([[n], this.batchShapeTensor(), [k]], 0)), this.dtype);
  }
  protected override _logProb(given: Tensor): Tensor {
    const counts = this.validateArgs
      ? countsSummingTo(given, this.totalCount, "counts last-dimension must sum to `self.total_count`")
      : given;
    const ordered = sub(lbeta(add(this.concentration, counts)), lbeta(this.concentration));
    return add(ordered, logCombinations(this.totalCount, counts));
  }
  protected override _prob(counts: Tensor): Tensor {
    return exp(this._logProb(counts));
  }
  protected override _mean(): Tensor {
    return mul(this.totalCount, truediv(this.concentration, getItem(this.totalConcentration, ellipsis, newaxis)));
  }
  protected override _covariance(): Tensor {
    const scale = this.varianceScale();
    const x = mul(scale, this._mean());
    return covarianceOf(x, x, () => this._variance());
  }
  protected override _variance(): Tensor {
    const scale = this.varianceScale();
    const x = mul(scale, this._mean());
    return mul(x, sub(mul(this.totalCount, scale), x));
  }
  private varianceScale(): Tensor {
    const total = getItem(this.totalConcentration, ellipsis, newaxis);
    const over = add(1, truediv(total, this.totalCount));
    return sqrt(truediv(over, add(1, total)));
  }
}

function positiveEvents(given: Tensor): Tensor {
  const concentration = checkedEventShape(given);
  const message = "Concentration parameter must be positive.";
  return withDependencies([assertPositive(concentration, { message })], concentration);
}
