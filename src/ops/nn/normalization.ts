// Moments and normalizations: batch norm (composed and fused), local response norm, l2 norm.

import { type DType, isComplex } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import type { Dimension } from "../../base/shape.ts";
import { mergedDimension, sameShape, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { cast as castValue, full, generate, map, reduceOver } from "../../ir/build.ts";
import { addIndex, constantIndex, type Index } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { castScalar, constantScalar, guardScalar, loadScalar, type Scalar, s } from "../../ir/scalar.ts";
import { collect, eitherName, need, refuseOthers } from "../arguments.ts";
import { constant, rank, reshape, shape as shapeOf, squeeze, stopGradient, zerosLike } from "../array/array.ts";
import { gather } from "../array/gather.ts";
import { AddV2, divNoNan, Maximum, Mul, SquaredDifference, Sub } from "../math/math.ts";
import { cast } from "../math/cast.ts";
import { complex, imag, Neg, Reciprocal, real, Rsqrt, Square } from "../math/functions.ts";
import { reduceMean, reduceProd, reduceSum } from "../math/reduction.ts";
import { inNameScope, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";
import { axesOf } from "./window.ts";

// ---- moments ----

type Axes = number | readonly number[];

interface MomentsOptions extends Named {
  /** Not used, as in TensorFlow: the computation is stable without it. */
  readonly shift?: TensorLike | null;
  readonly keepDims?: boolean | null;
  readonly keepdims?: boolean | null;
}

/** [mean, variance] over `axes`; the variance divides by the count. float16 is computed in float32. TF: tf.nn.moments. */
export function moments(x: TensorLike, axes: Axes, options: MomentsOptions = {}): [mean: Tensor, variance: Tensor] {
  const keeps = eitherName("keepdims", options.keepdims, "keep_dims", options.keepDims) ?? false;
  return inNameScope({ name: options.name }, "moments", [x], () => {
    const given = convertToTensor(x, { name: "x" });
    const isHalf = given.dtype === "float16";
    const y = isHalf ? cast(given, "float32") : given;
    const mean = reduceMean(y, axes, { keepdims: true, name: "mean" });
    // The gradient through the mean inside the square is zero in sum; stopping it saves the work.
    const variance = reduceMean(SquaredDifference({ x: y, y: stopGradient(mean) }), axes, { keepdims: true, name: "variance" });
    const list = typeof axes === "number" ? [axes] : [...(axes ?? [])];
    const [m, v] = keeps ? [mean, variance] : [squeeze(mean, list), squeeze(variance, list)];
    return isHalf ? [cast(m, "float16"), cast(v, "float16")] : [m, v];
  });
}

/** [mean, variance] over `axes` of elements that count as often as `frequencyWeights` says. TF: tf.nn.weighted_moments. */
export function weightedMoments(
  x: TensorLike,
  axes: Axes,
  frequencyWeights: TensorLike,
  options: MomentsOptions = {},
): [mean: Tensor, variance: Tensor] {
  const keeps = eitherName("keepdims", options.keepdims, "keep_dims", options.keepDims) ?? false;
  return inNameScope({ name: options.name }, "weighted_moments", [x, frequencyWeights], () => {
    const given = convertToTensor(x, { name: "x" });
    const isHalf = given.dtype === "float16";
    const y = isHalf ? cast(given, "float32") : given;
    const weightsGiven = convertToTensor(frequencyWeights, { name: "frequency_weights" });
    const weights = weightsGiven.dtype === y.dtype ? weightsGiven : cast(weightsGiven, y.dtype);
    const sum = reduceSum(operator.mul(weights, y), axes, { keepdims: true, name: "weighted_input_sum" });
    const total = reduceSum(AddV2({ x: weights, y: zerosLike(y) }, { name: "add" }), axes, { keepdims: true, name: "sum_of_weights" });
    const mean = divNoNan(sum, total);
    const squares = reduceSum(Mul({ x: weights, y: SquaredDifference({ x: y, y: mean }) }, { name: "mul" }), axes, {
      keepdims: true,
      name: "weighted_distsq",
    });
    const variance = divNoNan(squares, total);
    const list = typeof axes === "number" ? [axes] : [...(axes ?? [])];
    const [m, v] = keeps ? [mean, variance] : [squeeze(mean, list), squeeze(variance, list)];
    return isHalf ? [cast(m, "float16"), cast(v, "float16")] : [m, v];
  });
}

/** [count, sum, sum of squares, shift] over `axes`, each element less `shift` if one is given. TF: tf.nn.sufficient_statistics. */
export function sufficientStatistics(
  x: TensorLike,
  axes: readonly number[],
  options: MomentsOptions = {},
): [count: Tensor, meanSs: Tensor, varSs: Tensor, shift: Tensor | null] {
  const keeps = eitherName("keepdims", options.keepdims, "keep_dims", options.keepDims) ?? false;
  return inNameScope({ name: options.name }, "sufficient_statistics", [x, options.shift], () => {
    const y = convertToTensor(x, { name: "x" });
    const count = countOver(y, axes);
    if (options.shift === undefined || options.shift === null) {
      const squares = Square({ x: y });
      return [
        count,
        reduceSum(y, axes, { keepdims: keeps, name: "mean_ss" }),
        reduceSum(squares, axes, { keepdims: keeps, name: "var_ss" }),
        null,
      ];
    }
    const shift = convertToTensor(options.shift, { name: "shift", preferredDtype: y.dtype });
    const moved = Sub({ x: y, y: shift });
    const squares = SquaredDifference({ x: y, y: shift });
    return [
      count,
      reduceSum(moved, axes, { keepdims: keeps, name: "mean_ss" }),
      reduceSum(squares, axes, { keepdims: keeps, name: "var_ss" }),
      shift,
    ];
  });
}

function countOver(x: Tensor, axes: readonly number[]): Tensor {
  const dims = axes.map(axis => x.shape.dim(axis));
  if (x.shape.dims !== null && !dims.includes(null))
    return constant(
      dims.reduce<number>((product, d) => product * (d as number), 1),
      x.dtype,
    );
  rank(x);
  return reduceProd(gather(cast(shapeOf(x), x.dtype), [...axes]), null, { name: "count" });
}

/** [mean, variance] from what sufficientStatistics gives. TF: tf.nn.normalize_moments. */
export function normalizeMoments(
  counts: TensorLike,
  meanSs: TensorLike,
  varianceSs: TensorLike,
  shift: TensorLike | null,
  option?: NameOption,
): [mean: Tensor, variance: Tensor] {
  return inNameScope(option, "normalize", [counts, meanSs, varianceSs, shift], () => {
    const divisor = Reciprocal({ x: counts }, { name: "divisor" });
    const shifted = Mul({ x: meanSs, y: divisor }, { name: shift === null ? "mean" : "shifted_mean" });
    const mean = shift === null ? shifted : AddV2({ x: shifted, y: shift }, { name: "mean" });
    return [mean, Sub({ x: Mul({ x: varianceSs, y: divisor }), y: Square({ x: shifted }) }, { name: "variance" })];
  });
}

// ---- batch normalization, composed ----

/** `(x - mean) / √(variance + varianceEpsilon) · scale + offset`; offset and scale may be null. All broadcast against x. TF: tf.nn.batch_normalization. */
export function batchNormalization(
  x: TensorLike,
  mean: TensorLike,
  variance: TensorLike,
  offset: TensorLike | null,
  scale: TensorLike | null,
  varianceEpsilon: number | Tensor,
  option?: NameOption,
): Tensor {
  return inNameScope(option, "batchnorm", [x, mean, variance, offset, scale], () => {
    if (mean === null) throw new ValueError("None values not supported.");
    const shifted =
      isPlain(variance) && typeof varianceEpsilon === "number"
        ? plainSum(variance, varianceEpsilon)
        : operator.add(variance, varianceEpsilon);
    const root = Rsqrt({ x: shifted });
    const inverse = scale === null || scale === undefined ? root : operator.mul(root, scale);
    const input = convertToTensor(x);
    const factor = inverse.dtype === input.dtype ? inverse : cast(inverse, input.dtype);
    const scaled = operator.mul(input, factor);
    const bias =
      offset === null || offset === undefined
        ? operator.mul(isPlain(mean) ? plainNegative(mean) : Neg({ x: mean }), inverse)
        : operator.sub(offset, operator.mul(mean, inverse));
    return AddV2({ x: scaled, y: bias.dtype === input.dtype ? bias : cast(bias, input.dtype) }, { name: "add" });
  });
}

/** Numbers and lists of numbers are added up before they become constants, as Python's arrays would be. */
const isPlain = (x: unknown): x is number => typeof x === "number";
const plainSum = (x: number, y: number): number => Math.fround(Math.fround(x) + Math.fround(y));
const plainNegative = (x: number): number => -x;

interface GlobalOptions extends Named {
  /** Newer names of the first three arguments. */
  readonly input?: TensorLike | null;
  readonly mean?: TensorLike | null;
  readonly variance?: TensorLike | null;
}

/** batchNormalization with TensorFlow's oldest signature. TF: tf.nn.batch_norm_with_global_normalization. */
export function batchNormWithGlobalNormalization(
  t: TensorLike | null,
  m: TensorLike | null,
  v: TensorLike | null,
  beta: TensorLike,
  gamma: TensorLike,
  varianceEpsilon: number,
  scaleAfterNormalization: boolean,
  option: GlobalOptions | string = {},
): Tensor {
  const { input, mean, variance, name, ...others } = typeof option === "string" ? ({ name: option } as GlobalOptions) : option;
  refuseOthers(others);
  const [x, centre, spread] = [
    eitherName("input", input, "t", t),
    eitherName("mean", mean, "m", m),
    eitherName("variance", variance, "v", v),
  ];
  const scale = scaleAfterNormalization ? gamma : null;
  return batchNormalization(x as TensorLike, centre as TensorLike, spread as TensorLike, beta, scale, varianceEpsilon, { name });
}

// ---- batch normalization, fused ----

const fusedAttrs = { epsilon: attr.float(0.0001), exponentialAvgFactor: attr.float(1), isTraining: attr.bool(true) };
const format4 = { dataFormat: attr.oneOf(["NHWC", "NCHW"], "NHWC") };
const format5 = { dataFormat: attr.oneOf(["NHWC", "NCHW", "NDHWC", "NCDHW"], "NHWC") };
const statisticNames = ["scale", "offset", "mean", "variance"] as const;

/** The channel count that x and the vectors agree on, and x's shape with it. */
function fusedShapes(x: TensorShape, vectors: readonly TensorShape[], dataFormat: string): { x: TensorShape; channels: TensorShape } {
  const { channel, spatial } = axesOf(dataFormat);
  const given = x.withRank(spatial.length + 2);
  let depth: Dimension = given.dim(channel);
  for (const vector of vectors) {
    const size = vector.withRank(1).dim(0);
    if (depth !== null && size !== null && depth !== size) throw new ValueError(`Dimensions must be equal, but are ${depth} and ${size}`);
    depth ??= size;
  }
  return {
    x: new TensorShape((given.dims as readonly Dimension[]).map((d, axis) => (axis === channel ? depth : d))),
    channels: new TensorShape([depth]),
  };
}

interface Normalization {
  readonly x: Value;
  readonly channel: number;
  readonly depth: number;
  /** Elements per channel. */
  readonly count: number;
}

type Sizes = readonly number[];

/** Volumes go by the words for images. */
const channelOf = ({ length }: Sizes, dataFormat: string): number => (dataFormat.endsWith("C") ? length - 1 : 1);

function needImages(x: Sizes): void {
  need(x.length === 4 || x.length === 5, () => `input must be 4 or 5-dimensional[${x}]`);
}

const needVectors = (vectors: Readonly<Record<string, Sizes>>): void => {
  for (const [name, dims] of Object.entries(vectors)) need(dims.length === 1, () => `${name} must be 1-dimensional[${dims}]`);
};

const needChannels = (vectors: Readonly<Record<string, Sizes>>, depth: number, when = ""): void => {
  for (const [name, [size]] of Object.entries(vectors))
    need(size === depth, () => `${when}${name} must have the same number of elements as the channels of x, got ${size} and ${depth}`);
};

interface FusedShapes {
  readonly x: Sizes;
  readonly scale: Sizes;
  readonly offset: Sizes;
  readonly mean: Sizes;
  readonly variance: Sizes;
  readonly exponentialAvgFactor: number;
  readonly dataFormat: string;
  readonly isTraining: boolean;
}

/** What the kernels ask of a normalization. */
function checkFused({ x, scale, offset, mean, variance, exponentialAvgFactor, dataFormat, isTraining }: FusedShapes): void {
  needImages(x);
  needVectors({ scale, offset, estimated_mean: mean, estimated_variance: variance });
  const depth = x[channelOf(x, dataFormat)];
  needChannels({ scale, offset }, depth);
  if (!isTraining || exponentialAvgFactor !== 1)
    needChannels({ mean, variance }, depth, `When ${isTraining ? "exponential_avg_factor != 1" : "is_training=false"}, `);
}

interface FusedGradShapes {
  readonly yBackprop: Sizes;
  readonly x: Sizes;
  readonly scale: Sizes;
  readonly reserveSpace_1: Sizes;
  readonly reserveSpace_2: Sizes;
  readonly dataFormat: string;
}

function checkFusedGrad({ yBackprop, x, scale, reserveSpace_1: mean, reserveSpace_2: variance, dataFormat }: FusedGradShapes): void {
  needImages(yBackprop);
  needImages(x);
  needVectors({ scale, "saved mean": mean, "saved variance": variance });
  need(
    sameShape(x, yBackprop),
    () => `x and y_backprop must have same shape, but x has shape [${x}] and y_backprop has shape [${yBackprop}]`,
  );
  needChannels({ scale, reserve_space_1: mean, reserve_space_2: variance }, x[channelOf(x, dataFormat)]);
}

function normalizationOf(x: Value, dataFormat: string): Normalization {
  const channel = channelOf(x.shape, dataFormat);
  const depth = x.shape[channel];
  return { x: castValue(x, "float32"), channel, depth, count: x.shape.reduce((product, size) => product * size, 1) / Math.max(depth, 1) };
}

/** Σ over everything but the channels of f(element position). */
function channelSum({ x, channel, depth }: Normalization, f: (at: Index[]) => Scalar): Value {
  const others = x.shape.filter((_, axis) => axis !== channel);
  return reduceOver("sum", [depth], others, (i, r) => f([...r.slice(0, channel), i[0], ...r.slice(channel)]));
}

const perChannel = (value: Value, at: readonly Index[], channel: number): Scalar => loadScalar(value, [at[channel]]);

interface FusedRecord {
  readonly x: Value;
  readonly scale: Value;
  readonly offset: Value;
  readonly mean: Value;
  readonly variance: Value;
  readonly epsilon: number;
  readonly exponentialAvgFactor: number;
  readonly dataFormat: string;
  readonly isTraining: boolean;
}

/** [y, mean, variance, saved mean, saved variance] as the ops put them out: the running variance is unbiased, the saved one is not. */
function lowerFused({ x, scale, offset, mean, variance, epsilon, exponentialAvgFactor, dataFormat, isTraining }: FusedRecord): Value[] {
  const given = normalizationOf(x, dataFormat);
  const { channel, count } = given;
  const [g, b] = [castValue(scale, "float32"), castValue(offset, "float32")];
  const normalized = (m: Value, v: Value): Value => {
    const factor = map((v, g) => s.mul(s.rsqrt(s.add(v, epsilon)), g), v, g);
    return generate(x.shape, at =>
      castScalar(
        s.add(
          s.mul(s.sub(loadScalar(given.x, at), perChannel(m, at, channel)), perChannel(factor, at, channel)),
          perChannel(b, at, channel),
        ),
        x.dtype,
      ),
    );
  };
  if (!isTraining) {
    const y = normalized(castValue(mean, "float32"), castValue(variance, "float32"));
    // Of nothing TensorFlow gives no statistics, not even those it was given.
    const told = x.shape.includes(0) ? [mean, variance].map(({ dtype, shape }) => full(dtype, shape, Number.NaN)) : [mean, variance];
    return [y, ...told, mean, variance];
  }
  const m = map(
    sum => s.div(sum, count),
    channelSum(given, at => loadScalar(given.x, at)),
  );
  const squares = channelSum(given, at => s.square(s.sub(loadScalar(given.x, at), perChannel(m, at, channel))));
  const v = map(sum => s.div(sum, count), squares);
  const unbiased = map(v => s.mul(v, count / Math.max(count - 1, 1)), v);
  const running = (old: Value, fresh: Value): Value =>
    exponentialAvgFactor === 1
      ? fresh
      : map((a, b) => s.add(s.mul(a, 1 - exponentialAvgFactor), s.mul(b, exponentialAvgFactor)), castValue(old, "float32"), fresh);
  const outputs = [running(mean, m), running(variance, unbiased), m, v].map(value => castValue(value, scale.dtype));
  return [normalized(m, v), ...outputs];
}

interface FusedGradRecord {
  readonly yBackprop: Value;
  readonly x: Value;
  readonly scale: Value;
  readonly reserveSpace_1: Value;
  readonly reserveSpace_2: Value;
  readonly epsilon: number;
  readonly dataFormat: string;
  readonly isTraining: boolean;
}

/** [dx, dscale, doffset]: in training the mean and variance depend on x as well. */
function lowerFusedGrad(
  { yBackprop, x, scale, reserveSpace_1: mean, reserveSpace_2: variance, epsilon, dataFormat, isTraining }: FusedGradRecord,
  vectorType: DType,
): Value[] {
  const given = normalizationOf(x, dataFormat);
  const { channel, count } = given;
  const dy = castValue(yBackprop, "float32");
  const [m, g] = [castValue(mean, "float32"), castValue(scale, "float32")];
  const inverse = map(v => s.rsqrt(s.add(v, epsilon)), castValue(variance, "float32"));
  const centered = (at: Index[]): Scalar => s.sub(loadScalar(given.x, at), perChannel(m, at, channel));
  const sumDy = channelSum(given, at => loadScalar(dy, at));
  const sumDyX = channelSum(given, at => s.mul(loadScalar(dy, at), centered(at)));
  const factor = map((g, inverse) => s.mul(g, inverse), g, inverse);
  const slope = map((sum, inverse) => s.mul(s.div(sum, count), s.square(inverse)), sumDyX, inverse);
  const dx = generate(x.shape, at => {
    const flow = loadScalar(dy, at);
    const centeredFlow = s.sub(
      s.sub(flow, s.div(perChannel(sumDy, at, channel), count)),
      s.mul(centered(at), perChannel(slope, at, channel)),
    );
    return castScalar(s.mul(isTraining ? centeredFlow : flow, perChannel(factor, at, channel)), x.dtype);
  });
  // The statistics of an empty batch are NaN, its gradients 0.
  const dscale = count === 0 ? sumDyX : map((sum, inverse) => s.mul(sum, inverse), sumDyX, inverse);
  return [dx, castValue(dscale, vectorType), castValue(sumDy, vectorType)];
}

interface FusedTensors {
  readonly x: Tensor;
  readonly scale: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly reserveSpace_1: Tensor;
  readonly reserveSpace_2: Tensor;
  readonly isTraining: boolean;
}

/** In inference the statistics are the inputs, and get no gradient themselves. */
const savedStatistics = ({
  isTraining,
  mean,
  variance,
  reserveSpace_1,
  reserveSpace_2,
}: FusedTensors): { reserveSpace_1: Tensor; reserveSpace_2: Tensor } =>
  isTraining ? { reserveSpace_1, reserveSpace_2 } : { reserveSpace_1: mean, reserveSpace_2: variance };

const fusedGradients = ({
  xBackprop,
  scaleBackprop,
  offsetBackprop,
}: {
  xBackprop: Tensor;
  scaleBackprop: Tensor;
  offsetBackprop: Tensor;
}): Gradients => ({
  x: xBackprop,
  scale: scaleBackprop,
  offset: offsetBackprop,
  mean: null,
  variance: null,
});

/** What the shape functions of the three versions share. The statistics' sizes only count where they are read. */
export function fusedOutputShapes(
  record: Readonly<Record<(typeof statisticNames)[number] | "x", TensorShape>> & {
    readonly isTraining: boolean;
    readonly exponentialAvgFactor?: number;
    readonly dataFormat: string;
  },
): TensorShape[] {
  const isFresh = record.isTraining && (record.exponentialAvgFactor ?? 1) === 1;
  const vectors = isFresh ? [record.scale, record.offset] : statisticNames.map(name => record[name]);
  const { x, channels } = fusedShapes(record.x, vectors, record.dataFormat);
  return [x, channels, channels, channels, channels];
}

function fusedGradShapes(yBackprop: TensorShape, x: TensorShape, vectors: readonly TensorShape[], dataFormat: string): TensorShape[] {
  // The sizes of images count as dY has them.
  const { channel, spatial } = axesOf(dataFormat);
  const [dy, given] = [yBackprop.withRank(spatial.length + 2), x.withRank(spatial.length + 2)];
  const depth = mergedDimension(dy.dim(channel), given.dim(channel));
  const { x: shape, channels } = fusedShapes(new TensorShape(dy.asList().with(channel, depth)), vectors, dataFormat);
  return [shape, channels, channels, new TensorShape([0]), new TensorShape([0])];
}

/** Normalizes x per channel by the batch's statistics (training) or the given ones, scales and shifts. */
export const FusedBatchNorm = defineOp("FusedBatchNorm", {
  inputs: { x: "T", scale: "T", offset: "T", mean: "T", variance: "T" },
  outputs: { y: "T", batchMean: "T", batchVariance: "T", reserveSpace_1: "T", reserveSpace_2: "T" },
  attrs: { T: attr.type(["float32"]), ...fusedAttrs, ...format4 },
  shape: record => fusedOutputShapes(record),
  checks: checkFused,
  isLenient: true,
  gradient: (record, d): Gradients => {
    const { x, scale, epsilon, dataFormat, isTraining } = record;
    return fusedGradients(FusedBatchNormGrad({ yBackprop: d.y, x, scale, ...savedStatistics(record), epsilon, dataFormat, isTraining }));
  },
  lower: record => lowerFused(record),
});

export const FusedBatchNormV2 = defineOp("FusedBatchNormV2", {
  inputs: { x: "T", scale: "U", offset: "U", mean: "U", variance: "U" },
  outputs: { y: "T", batchMean: "U", batchVariance: "U", reserveSpace_1: "U", reserveSpace_2: "U" },
  attrs: { T: attr.type(["float16", "bfloat16", "float32"]), U: attr.type(["float32"]), ...fusedAttrs, ...format4 },
  shape: record => fusedOutputShapes(record),
  checks: checkFused,
  isLenient: true,
  gradient: (record, d): Gradients => {
    const { x, scale, epsilon, dataFormat, isTraining } = record;
    return fusedGradients(FusedBatchNormGradV2({ yBackprop: d.y, x, scale, ...savedStatistics(record), epsilon, dataFormat, isTraining }));
  },
  lower: record => lowerFused(record),
});

export const FusedBatchNormV3 = defineOp("FusedBatchNormV3", {
  inputs: { x: "T", scale: "U", offset: "U", mean: "U", variance: "U" },
  outputs: { y: "T", batchMean: "U", batchVariance: "U", reserveSpace_1: "U", reserveSpace_2: "U", reserveSpace_3: "U" },
  attrs: { T: attr.type(["float16", "bfloat16", "float32"]), U: attr.type(["bfloat16", "float32"]), ...fusedAttrs, ...format5 },
  shape: record => [...fusedOutputShapes(record), TensorShape.unknown()],
  checks: checkFused,
  isLenient: true,
  gradient: (record, d): Gradients => {
    const { x, scale, epsilon, dataFormat, isTraining, reserveSpace_3 } = record;
    return fusedGradients(
      FusedBatchNormGradV3({ yBackprop: d.y, x, scale, ...savedStatistics(record), reserveSpace_3, epsilon, dataFormat, isTraining }),
    );
  },
  // The third reserve is what TensorFlow's GPU kernels keep for themselves; on the CPU it is a zero.
  lower: record => [...lowerFused(record), full(record.scale.dtype, [], 0)],
});

interface FusedGradTensors {
  readonly yBackprop: Tensor;
  readonly x: Tensor;
  readonly scale: Tensor;
  readonly reserveSpace_1: Tensor;
  readonly reserveSpace_2: Tensor;
  readonly epsilon: number;
  readonly dataFormat: string;
  readonly isTraining: boolean;
}

/** The gradients of the gradient: u, p, q came to dx, dscale, doffset. With normalized n = (x - mean)·r over N places a channel, P(t) = t - mean(t) - n·mean(t n):
 *  dx = scale·r·P(dy), dscale = Σ dy n, doffset = Σ dy; so to dy goes scale·r·P(u) + p n + q, to scale r·Σ u P(dy), and to x, through n and r as well,
 *  p r P(dy) - scale·r²·(n·mean(u P(dy)) + mean(dy n) P(u) + mean(u n) P(dy)). With given statistics P is the identity, and only p reaches x. */
function secondFused(
  { yBackprop, x, scale, reserveSpace_1, reserveSpace_2, epsilon, dataFormat, isTraining }: FusedGradTensors,
  d: { readonly xBackprop: Tensor; readonly scaleBackprop: Tensor; readonly offsetBackprop: Tensor },
): Gradients {
  const rank = dataFormat.length;
  const channelAt = dataFormat.indexOf("C");
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter(axis => axis !== channelAt);
  const wide = (t: Tensor): Tensor => cast(t, "float32");
  const spread = (vector: Tensor): Tensor =>
    channelAt === rank - 1
      ? wide(vector)
      : reshape(
          wide(vector),
          Array.from({ length: rank }, (_, axis) => (axis === channelAt ? -1 : 1)),
        );
  const mean = (t: Tensor): Tensor => reduceMean(t, axes, { keepdims: true });
  const times = (...factors: readonly Tensor[]): Tensor => factors.reduce((a, b) => Mul({ x: a, y: b }));
  const [dy, v, u] = [wide(yBackprop), wide(x), wide(d.xBackprop)];
  const [g, p, q] = [spread(scale), spread(d.scaleBackprop), spread(d.offsetBackprop)];
  const center = isTraining ? mean(v) : spread(reserveSpace_1);
  const spreadOf = isTraining ? mean(Square({ x: Sub({ x: v, y: center }) })) : spread(reserveSpace_2);
  const r = Rsqrt({ x: AddV2({ x: spreadOf, y: epsilon }) });
  const n = times(Sub({ x: v, y: center }), r);
  const along = (t: Tensor): Tensor => mean(times(t, n));
  const free = (t: Tensor): Tensor => (isTraining ? Sub({ x: Sub({ x: t, y: mean(t) }), y: times(n, along(t)) }) : t);
  const [freeDy, freeU] = [free(dy), free(u)];
  const toDy = AddV2({ x: AddV2({ x: times(g, r, freeU), y: times(p, n) }), y: q });
  const direct = times(p, r, freeDy);
  const through = (): Tensor =>
    times(g, r, r, AddV2({ x: AddV2({ x: times(n, mean(times(u, freeDy))), y: times(along(dy), freeU) }), y: times(along(u), freeDy) }));
  return {
    yBackprop: cast(toDy, yBackprop.dtype),
    x: cast(isTraining ? Sub({ x: direct, y: through() }) : direct, x.dtype),
    scale: cast(reduceSum(times(u, r, freeDy), axes), scale.dtype),
    reserveSpace_1: null,
    reserveSpace_2: null,
  };
}

export const FusedBatchNormGrad = defineOp("FusedBatchNormGrad", {
  inputs: { yBackprop: "T", x: "T", scale: "T", reserveSpace_1: "T", reserveSpace_2: "T" },
  outputs: { xBackprop: "T", scaleBackprop: "T", offsetBackprop: "T", reserveSpace_3: "T", reserveSpace_4: "T" },
  attrs: { T: attr.type(["float32"]), epsilon: attr.float(0.0001), ...format4, isTraining: attr.bool(true) },
  shape: ({ yBackprop, x, scale, reserveSpace_1, reserveSpace_2, dataFormat }) =>
    fusedGradShapes(yBackprop, x, [scale, reserveSpace_1, reserveSpace_2], dataFormat),
  gradient: (record, d): Gradients => secondFused(record, d),
  checks: checkFusedGrad,
  isLenient: true,
  lower: record => [...lowerFusedGrad(record, record.scale.dtype), ...nothing(record.scale.dtype)],
});

export const FusedBatchNormGradV2 = defineOp("FusedBatchNormGradV2", {
  inputs: { yBackprop: "T", x: "T", scale: "float32", reserveSpace_1: "U", reserveSpace_2: "U" },
  outputs: { xBackprop: "T", scaleBackprop: "U", offsetBackprop: "U", reserveSpace_3: "U", reserveSpace_4: "U" },
  attrs: {
    T: attr.type(["float16", "bfloat16", "float32"]),
    U: attr.type(["float32"]),
    epsilon: attr.float(0.0001),
    ...format4,
    isTraining: attr.bool(true),
  },
  shape: ({ yBackprop, x, scale, reserveSpace_1, reserveSpace_2, dataFormat }) =>
    fusedGradShapes(yBackprop, x, [scale, reserveSpace_1, reserveSpace_2], dataFormat),
  gradient: (record, d): Gradients => secondFused(record, d),
  checks: checkFusedGrad,
  isLenient: true,
  lower: record => [...lowerFusedGrad(record, record.reserveSpace_1.dtype), ...nothing(record.reserveSpace_1.dtype)],
});

export const FusedBatchNormGradV3 = defineOp("FusedBatchNormGradV3", {
  inputs: { yBackprop: "T", x: "T", scale: "float32", reserveSpace_1: "U", reserveSpace_2: "U", reserveSpace_3: "U" },
  outputs: { xBackprop: "T", scaleBackprop: "U", offsetBackprop: "U", reserveSpace_4: "U", reserveSpace_5: "U" },
  attrs: {
    T: attr.type(["float16", "bfloat16", "float32"]),
    U: attr.type(["float32"]),
    epsilon: attr.float(0.0001),
    ...format5,
    isTraining: attr.bool(true),
  },
  shape: ({ yBackprop, x, scale, reserveSpace_1, reserveSpace_2, dataFormat }) =>
    fusedGradShapes(yBackprop, x, [scale, reserveSpace_1, reserveSpace_2], dataFormat),
  gradient: (record, d): Gradients => secondFused(record, d),
  checks: checkFusedGrad,
  isLenient: true,
  lower: record => [...lowerFusedGrad(record, record.reserveSpace_1.dtype), ...nothing(record.reserveSpace_1.dtype)],
});

/** Two outputs that hold nothing. */
const nothing = (dtype: DType): Value[] => [full(dtype, [0], 0), full(dtype, [0], 0)];

interface FusedOptions extends Named {
  readonly mean?: TensorLike | null;
  readonly variance?: TensorLike | null;
  readonly epsilon?: number | null;
  readonly dataFormat?: "NHWC" | "NCHW" | "NDHWC" | "NCDHW" | null;
  readonly isTraining?: boolean | null;
  /** The share of the new statistics in the running ones; 1 replaces them. */
  readonly exponentialAvgFactor?: number | null;
}

/** Batch normalization as one op: [y, mean, variance]. In training the statistics are the batch's (the variance put out is unbiased); else
 *  `mean` and `variance` are used and passed on. scale and offset have one element per channel. TF: tf.nn.fused_batch_norm. */
export function fusedBatchNorm(
  x: TensorLike,
  scale: TensorLike,
  offset: TensorLike,
  ...given: unknown[]
): [y: Tensor, batchMean: Tensor, batchVariance: Tensor] {
  const {
    mean,
    variance,
    epsilon,
    dataFormat,
    isTraining = true,
    name,
    exponentialAvgFactor = 1,
  } = collect<FusedOptions>(["mean", "variance", "epsilon", "dataFormat", "isTraining", "name", "exponentialAvgFactor"], given);
  if ((!isTraining || exponentialAvgFactor !== 1) && (mean === undefined || variance === undefined))
    throw new ValueError(
      `Both \`mean\` and \`variance\` must be a 1D tensor when \`is_training\` is False or \`exponential_avg_factor\` != 1.0. Received: \`mean\` ${mean ?? "None"} and \`variance\` ${variance ?? "None"}`,
    );
  const input = convertToTensor(x, { name: "input" });
  const g = convertToTensor(scale, { name: "scale" });
  const b = convertToTensor(offset, { name: "offset" });
  const m = mean ?? constant([], "float32");
  const v = variance ?? constant([], "float32");
  const attrs = {
    epsilon: epsilon ?? 0.001,
    exponentialAvgFactor: exponentialAvgFactor ?? 1,
    dataFormat: dataFormat ?? "NHWC",
    isTraining: isTraining ?? true,
  };
  const { y, batchMean, batchVariance } = FusedBatchNormV3({ x: input, scale: g, offset: b, mean: m, variance: v, ...attrs }, { name });
  return [y, batchMean, batchVariance];
}

// ---- local response normalization ----

const lrnAttrs = {
  depthRadius: attr.int(5),
  bias: attr.float(1),
  alpha: attr.float(1),
  beta: attr.float(0.5),
  T: attr.type(["float16", "bfloat16", "float32"], "float32"),
};

/** bias + alpha · Σ of squares over the channels within `depthRadius`. */
function neighbourhood(x: Value, depthRadius: number, bias: number, alpha: number): Value {
  const sums = overNeighbours(x.shape, x.dtype, depthRadius, at => s.square(loadScalar(x, at)));
  return map(sum => s.add(s.mul(sum, alpha), bias), sums);
}

function overNeighbours(shape: readonly number[], dtype: DType, radius: number, f: (at: Index[]) => Scalar): Value {
  const last = shape.length - 1;
  return reduceOver("sum", shape, [2 * radius + 1], (i, r) => {
    const channel = addIndex(addIndex(i[last], r[0]), constantIndex(-radius));
    return guardScalar([{ index: channel, low: 0, high: shape[last] }], f([...i.slice(0, last), channel]), constantScalar(dtype, 0));
  });
}

const power = (x: Scalar, exponent: number): Scalar =>
  exponent === -0.5 ? s.rsqrt(x) : exponent === -1 ? s.div(constantScalar(x.dtype, 1), x) : s.pow(x, exponent);

/** Local response normalization: `x / (bias + alpha · Σ over |j - c| ≤ depthRadius of x_j²) ^ beta` along the last axis. */
export const LRN = defineOp("LRN", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: lrnAttrs,
  shape: ({ input }) => input.withRank(4),
  gradient: ({ input, output, T: _t, ...w }, d): Gradients => ({
    input: LRNGrad({ inputGrads: d.output, inputImage: input, outputImage: output, ...w }),
  }),
  lower: ({ input, depthRadius, bias, alpha, beta }) => {
    need(input.shape.length === 4, () => "in must be 4-dimensional");
    return map((x, norm) => s.mul(x, power(norm, -beta)), input, neighbourhood(input, depthRadius, bias, alpha));
  },
});

export const LRNGrad = defineOp("LRNGrad", {
  inputs: { inputGrads: "T", inputImage: "T", outputImage: "T" },
  outputs: { output: "T" },
  attrs: lrnAttrs,
  shape: ({ inputGrads, inputImage, outputImage }) => inputGrads.withRank(4).mergeWith(inputImage).mergeWith(outputImage),
  checks: ({ inputGrads, inputImage, outputImage }) => {
    need(inputGrads.length === 4 && inputImage.length === 4, () => "inputs must be 4-dimensional");
    need(
      sameShape(inputGrads, inputImage) && sameShape(inputImage, outputImage),
      () => "input_grads, input_image, and out_image should have the same shape",
    );
  },
  lower: ({ inputGrads: dy, inputImage: x, outputImage: y, depthRadius, bias, alpha, beta }) => {
    const norm = neighbourhood(x, depthRadius, bias, alpha);
    const spread = overNeighbours(x.shape, x.dtype, depthRadius, at =>
      s.div(s.mul(loadScalar(dy, at), loadScalar(y, at)), loadScalar(norm, at)),
    );
    return map(
      (dy, x, norm, spread) => s.sub(s.mul(dy, power(norm, -beta)), s.mul(s.mul(x, spread), 2 * alpha * beta)),
      dy,
      x,
      norm,
      spread,
    );
  },
});

interface LrnOptions extends Named {
  readonly depthRadius?: number | null;
  readonly bias?: number | null;
  readonly alpha?: number | null;
  readonly beta?: number | null;
}

/** Local response normalization of images `[batch, height, width, channels]` over neighbouring channels. TF: tf.nn.lrn. */
export function lrn(input: TensorLike, ...given: unknown[]): Tensor {
  const { depthRadius, bias, alpha, beta, name } = collect<LrnOptions>(["depthRadius", "bias", "alpha", "beta", "name"], given);
  return LRN({ input, depthRadius: depthRadius ?? 5, bias: bias ?? 1, alpha: alpha ?? 1, beta: beta ?? 0.5 }, { name });
}
export { lrn as localResponseNormalization };

// ---- l2 ----

interface L2Options extends Named {
  readonly axis?: Axes | null;
  readonly epsilon?: number | null;
  /** Another name of `axis`. */
  readonly dim?: Axes | null;
}

/** `x / √max(Σ x², epsilon)`, the sum over `axis`. TF: tf.nn.l2_normalize. */
export function l2Normalize(x: TensorLike, ...given: [axis?: Axes | L2Options | null, ...rest: unknown[]]): Tensor {
  const { axis, dim, epsilon, name } = collect<L2Options>(["axis", "epsilon", "name", "dim"], given);
  return inNameScope({ name }, "l2_normalize", [x], scope => {
    const tensor = convertToTensor(x, { name: "x" });
    const along = eitherName("axis", axis, "dim", dim) ?? null;
    if (isComplex(tensor.dtype)) {
      const squares = operator.add(Square({ x: real(tensor) }), Square({ x: imag(tensor) }));
      const length = Rsqrt({ x: Maximum({ x: reduceSum(squares, along, { keepdims: true }), y: epsilon ?? 1e-12 }) });
      return complex(Mul({ x: real(tensor), y: length }), Mul({ x: imag(tensor), y: length }), { name: String(scope) });
    }
    const sum = reduceSum(Square({ x: tensor }), along, { keepdims: true });
    return Mul({ x: tensor, y: Rsqrt({ x: Maximum({ x: sum, y: epsilon ?? 1e-12 }) }) }, { name: String(scope) });
  });
}
