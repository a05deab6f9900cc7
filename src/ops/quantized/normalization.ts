// What networks do with quantized tensors besides products: sums, normalization, resizing, and 32-bit sums of products moved to new ranges channel by
// channel. Steps are rounded as TensorFlow's kernels round them. Products and plain ranges are arithmetic.ts.

import { type DType, noMemoryFor } from "../../base/dtype.ts";
import { InvalidArgumentError, ResourceExhaustedError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { broadcastShapes, mergedDimension, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { cNumber, need } from "../arguments.ts";
import { numbersOf } from "../array/array.ts";
import { checkImages, resizedShape } from "../image/resize.ts";
import type { Named } from "../../graph/op-definition.ts";
import {
  checkPair,
  boundOf,
  clamp,
  eachPair,
  ends,
  float,
  mapped,
  type Range,
  quantized,
  rangeOf,
  round,
  scalars,
  stepsOf,
  lowestOf,
  highestOf,
  toFloat,
  toQuantized,
  unclamped,
  withBounds,
} from "./arithmetic.ts";

const f32 = Math.fround;

/** Floats as quantized numbers, every step rounded to float32. */
function fromFloats({ dtype, min, max }: Range): (x: number) => number {
  const scale = min === max ? 0 : f32((stepsOf(dtype) - 1) / f32(max - min));
  const first = f32(round(f32(min * scale)) - lowestOf(dtype));
  // The greatest float32 that the type can hold.
  const highest = Math.min(highestOf(dtype), 2147483520);
  return x => Math.max(lowestOf(dtype), Math.min(highest, f32(round(f32(x * scale)) - first)));
}

// ---- sums ----

/** A range in which two numbers can be added: the wider one's, so many times as wide. */
function rangeOfSums(a: Range, b: Range, dtype: DType, times: number): Range {
  const max = f32(Math.max(a.max, -a.min, b.max, -b.min) * times);
  return { dtype, min: -max, max };
}

/** Numbers of one range in another, a whole number of its steps for each of theirs. */
function byEqualSteps(from: Range, to: Range): (x: number) => number {
  const [first, second] = [0, 1].map(x => unclamped(toFloat(x, from), to));
  return x => clamp(first + x * (second - first), to.dtype);
}

export const QuantizedAdd = defineOp("QuantizedAdd", {
  inputs: { x: "T1", y: "T2", minX: "float32", maxX: "float32", minY: "float32", maxY: "float32" },
  outputs: { z: "Toutput", minZ: "float32", maxZ: "float32" },
  attrs: { T1: quantized(), T2: quantized(), Toutput: quantized("qint32") },
  shape: ({ x, y, minX, maxX, minY, maxY }) => {
    scalars(minX, maxX, minY, maxY);
    return withBounds(broadcastShapes(x, y));
  },
  checks: checkPair,
  host: ({ x, y, minX, maxX, minY, maxY, T1, T2, Toutput }) => {
    const [left, right] = [rangeOf(T1, minX, maxX), rangeOf(T2, minY, maxY)];
    const whole = rangeOfSums(left, right, Toutput, 2 ** 14);
    const moved = (values: NDArray, from: Range, isAlone: boolean): number[] =>
      numbersOf(values).map(isAlone ? v => toQuantized(toFloat(v, from), whole) : byEqualSteps(from, whole));
    const [a, b] = [moved(x, left, x.size === 1), moved(y, right, x.size !== 1 && y.size === 1)];
    const shape = broadcastShapes(new TensorShape(x.shape), new TensorShape(y.shape)).dims as readonly number[];
    const out = NDArray.zeros(Toutput, shape);
    eachPair(x, y, (at, i, j) => void out.set(at, (a[i] + b[j]) | 0));
    return [out, float(whole.min), float(whole.max)];
  },
});

export const QuantizedBiasAdd = defineOp("QuantizedBiasAdd", {
  inputs: { input: "T1", bias: "T2", minInput: "float32", maxInput: "float32", minBias: "float32", maxBias: "float32" },
  outputs: { output: "outType", minOut: "float32", maxOut: "float32" },
  attrs: { T1: quantized(), T2: quantized(), outType: quantized() },
  shape: ({ input, bias, minInput, maxInput, minBias, maxBias }) => {
    bias.withRank(1);
    scalars(minInput, maxInput, minBias, maxBias);
    return withBounds(input);
  },
  host: ({ input, bias, minInput, maxInput, minBias, maxBias, T1, T2, outType }) => {
    if (input.rank < 2) throw new InvalidArgumentError(`Input tensor must be at least 2D: [${input.shape}]`);
    if (bias.rank !== 1) throw new InvalidArgumentError(`Biases must be 1D: [${bias.shape}]`);
    const last = input.shape[input.rank - 1];
    if (bias.size !== last)
      throw new InvalidArgumentError(
        `Must provide as many biases as the last dimension of the input tensor: [${bias.shape}] vs. [${input.shape}]`,
      );
    const [left, right] = [rangeOf(T1, minInput, maxInput), rangeOf(T2, minBias, maxBias)];
    const whole = rangeOfSums(left, right, outType, 2 ** 17);
    const into = fromFloats(whole);
    const moved =
      (from: Range) =>
      (x: number): number =>
        into(toFloat(x, from));
    const [fromInput, biases] = [moved(left), numbersOf(bias).map(moved(right))];
    const out = NDArray.zeros(outType, input.shape);
    for (let i = 0; i < input.size; i++) out.set(i, (fromInput(Number(input.get(i))) + biases[i % last]) | 0);
    return [out, float(whole.min), float(whole.max)];
  },
});

// ---- activations ----

/** Between zero and a largest value. TensorFlow has no kernel of it. */
export const QuantizedReluX = defineOp("QuantizedReluX", {
  inputs: { features: "Tinput", maxValue: "float32", minFeatures: "float32", maxFeatures: "float32" },
  outputs: { activations: "outType", minActivations: "float32", maxActivations: "float32" },
  attrs: { Tinput: quantized(), outType: quantized("quint8") },
  shape: ({ features, maxValue, minFeatures, maxFeatures }) => {
    scalars(maxValue, minFeatures, maxFeatures);
    return withBounds(features);
  },
  host: ({ features, maxValue, minFeatures, maxFeatures }) => {
    const range = rangeOf(features.dtype, minFeatures, maxFeatures);
    const [low, high] = [toQuantized(0, range), toQuantized(boundOf(maxValue), range)];
    return [mapped(features, features.dtype, x => Math.min(Math.max(x, low), high)), minFeatures, maxFeatures];
  },
});

// ---- normalization ----

/** Each image's channels with mean 0 and variance 1. */
export const QuantizedInstanceNorm = defineOp("QuantizedInstanceNorm", {
  inputs: { x: "T", xMin: "float32", xMax: "float32" },
  outputs: { y: "T", yMin: "float32", yMax: "float32" },
  attrs: {
    T: quantized(),
    outputRangeGiven: attr.bool(false),
    givenYMin: attr.float(0),
    givenYMax: attr.float(0),
    varianceEpsilon: attr.float(f32(1e-5)),
    minSeparation: attr.float(f32(1e-3)),
  },
  shape: ({ x, xMin, xMax }) => {
    scalars(xMin, xMax);
    return withBounds(x.withRank(4));
  },
  host: ({ x, xMin, xMax, T, outputRangeGiven, givenYMin, givenYMax, varianceEpsilon, minSeparation }) => {
    const [low, high] = [boundOf(xMin), boundOf(xMax)];
    if (outputRangeGiven && !(givenYMin < givenYMax))
      throw new InvalidArgumentError(`given_y_min must be less than given_y_max : ${givenYMin} >= ${givenYMax}`);
    if (low >= high) throw new InvalidArgumentError(`input_min must be less than input_max : ${low} >= ${high}`);
    const scale = f32(f32(high - low) / 255);
    const [batch, height, width, depth] = x.shape;
    const values = numbersOf(x);
    const area = height * width;
    const normal = new Float32Array(x.size);
    for (let n = 0; n < batch; n++)
      for (let c = 0; c < depth; c++) {
        const places = Array.from({ length: area }, (_, k) => (n * area + k) * depth + c);
        const mean = f32(places.reduce((sum, at) => sum + values[at], 0) / area);
        const centered = places.map(at => f32(scale * f32(values[at] - mean)));
        const variance = f32(centered.reduce((sum, d) => sum + d * d, 0) / area);
        const factor = f32(1 / Math.sqrt(f32(variance + varianceEpsilon)));
        places.forEach((at, k) => void (normal[at] = f32(centered[k] * factor)));
      }
    const [least, most] = outputRangeGiven ? [givenYMin, givenYMax] : ends(NDArray.from(normal, "float32", x.shape));
    const top = f32(most - least) < minSeparation ? f32(least + minSeparation) : most;
    const into = fromFloats({ dtype: T, min: least, max: top });
    const out = NDArray.zeros(T, x.shape);
    normal.forEach((value, i) => void out.set(i, into(value)));
    return [out, float(least), float(top)];
  },
});

/** Normalization by given moments, in a range of 10 bits behind the point whatever the numbers are. */
export const QuantizedBatchNormWithGlobalNormalization = defineOp("QuantizedBatchNormWithGlobalNormalization", {
  inputs: {
    t: "Tinput",
    tMin: "float32",
    tMax: "float32",
    m: "Tinput",
    mMin: "float32",
    mMax: "float32",
    v: "Tinput",
    vMin: "float32",
    vMax: "float32",
    beta: "Tinput",
    betaMin: "float32",
    betaMax: "float32",
    gamma: "Tinput",
    gammaMin: "float32",
    gammaMax: "float32",
  },
  outputs: { result: "outType", resultMin: "float32", resultMax: "float32" },
  attrs: { Tinput: quantized(), outType: quantized(), varianceEpsilon: attr.float(), scaleAfterNormalization: attr.bool() },
  // The ends of ranges may be of any rank.
  shape: ({ t, m, v, beta, gamma }) => {
    const image = t.withRank(4);
    const sizes = [m, v, beta, gamma].map(vector => vector.withRank(1).dim(0));
    return withBounds(new TensorShape([image.dim(0), image.dim(1), image.dim(2), sizes.reduce(mergedDimension, image.dim(3))]));
  },
  host: given => {
    const { t, Tinput, outType, varianceEpsilon, scaleAfterNormalization } = given;
    const vectors = { mean: given.m, var: given.v, beta: given.beta, gamma: given.gamma };
    if (t.rank !== 4) throw new InvalidArgumentError(`input must be 4-dimensional[${t.shape}]`);
    for (const [name, value] of Object.entries(vectors))
      if (value.rank !== 1) throw new InvalidArgumentError(`${name} must be 1-dimensional[${value.shape}]`);
    need(given.m.size > 1, () => `Must have at least a mean value[${given.gamma.shape}]`);
    need(
      given.m.size === t.shape[3],
      () => `Must provide as many means as the last dimension of the input tensor: [${given.m.shape}] vs. [${t.shape}]`,
    );
    for (const [name, value] of Object.entries({ variance: given.v, beta: given.beta, gamma: given.gamma }))
      need(value.size === given.m.size, () => `Mean and ${name} tensors must have the same shape: [${given.m.shape}] vs. [${value.shape}]`);
    const floats = (array: NDArray, min: NDArray, max: NDArray): number[] =>
      numbersOf(array).map(x => toFloat(x, rangeOf(Tinput, min, max)));
    const means = floats(given.m, given.mMin, given.mMax);
    const variances = floats(given.v, given.vMin, given.vMax);
    const betas = floats(given.beta, given.betaMin, given.betaMax);
    const gammas = floats(given.gamma, given.gammaMin, given.gammaMax);
    const whole: Range = { dtype: outType, min: -(2 ** 20), max: 2 ** 20 };
    const factors = variances.map((variance, c) => {
      const factor = f32(1 / f32(Math.sqrt(f32(variance + varianceEpsilon))));
      return scaleAfterNormalization ? f32(factor * gammas[c]) : factor;
    });
    const scales = factors.map(factor => toQuantized(factor, whole));
    const offsets = factors.map((factor, c) => toQuantized(f32(f32(-means[c] * factor) + betas[c]), whole));
    const one = toQuantized(1, whole);
    const range = rangeOf(Tinput, given.tMin, given.tMax);
    const out = NDArray.zeros(outType, t.shape);
    for (let i = 0; i < t.size; i++) {
      const c = i % means.length;
      const value = toQuantized(toFloat(Number(t.get(i)), range), whole);
      // 32-bit numbers that wrap around, as the kernel's do.
      out.set(i, (Math.trunc(Math.imul(value, scales[c]) / one) + offsets[c]) | 0);
    }
    return [out, float(whole.min), float(whole.max)];
  },
});

// ---- resizing ----

interface Lerp {
  readonly lower: number;
  readonly upper: number;
  /** How far between, as the mixing takes it. */
  readonly weight: number;
}

function lerpsAlong(
  input: number,
  output: number,
  weigh: (between: number) => number,
  alignCorners: boolean,
  halfPixelCenters: boolean,
): Lerp[] {
  const scale = f32(alignCorners && output > 1 ? (input - 1) / (output - 1) : input / output);
  return Array.from({ length: output }, (_, i) => {
    const at = halfPixelCenters ? f32(f32(f32(i + 0.5) * scale) - 0.5) : f32(i * scale);
    const floor = Math.floor(at);
    const upper = Math.min(Math.ceil(at), input - 1);
    return { lower: Math.min(Math.max(floor, 0), upper), upper, weight: weigh(f32(at - floor)) };
  });
}

/** Four neighbours mixed with 7 bits of weight. */
function mixed8(topLeft: number, topRight: number, bottomLeft: number, bottomRight: number, x: number, y: number): number {
  const top = topLeft * 128 + (topRight - topLeft) * x;
  const bottom = bottomLeft * 128 + (bottomRight - bottomLeft) * x;
  return Math.trunc((top + Math.trunc((bottom - top) / 128) * y + 64) / 128);
}

/** The same with 30 bits, which take 64. */
function mixed32(...[topLeft, topRight, bottomLeft, bottomRight, x, y]: readonly number[]): number {
  const one = 2n ** 30n;
  const along = (from: number, to: number): bigint => BigInt(from) * one + (BigInt(to) - BigInt(from)) * BigInt(x);
  const [top, bottom] = [along(topLeft, topRight), along(bottomLeft, bottomRight)];
  return Number(BigInt.asIntN(32, (top + ((bottom - top) / one) * BigInt(y) + one / 2n) / one));
}

function mixedFloat(...[topLeft, topRight, bottomLeft, bottomRight, x, y]: readonly number[]): number {
  const top = f32(topLeft + f32(f32(topRight - topLeft) * x));
  const bottom = f32(bottomLeft + f32(f32(bottomRight - bottomLeft) * x));
  return f32(top + f32(f32(bottom - top) * y));
}

/** How a type is mixed, and the weights it takes. */
const mixings = {
  quint8: [mixed8, (x: number): number => Math.trunc(x * 2 ** 7)],
  qint32: [mixed32, (x: number): number => Math.trunc(x * 2 ** 30)],
  float32: [mixedFloat, (x: number): number => x],
} as const;

export const QuantizedResizeBilinear = defineOp("QuantizedResizeBilinear", {
  inputs: { images: "T", size: "int32", min: "float32", max: "float32" },
  outputs: { resizedImages: "T", outMin: "float32", outMax: "float32" },
  attrs: { T: attr.type(["quint8", "qint32", "float32"]), alignCorners: attr.bool(false), halfPixelCenters: attr.bool(false) },
  shape: ({ images, size, min, max }, context) => {
    scalars(min, max);
    return withBounds(resizedShape(images, size, context));
  },
  checks: ({ images, size }) => checkImages(images, size),
  host: ({ images, size, min, max, T, alignCorners, halfPixelCenters }) => {
    const [height, width] = numbersOf(size);
    if (!(height > 0 && width > 0)) throw new InvalidArgumentError("output dimensions must be positive");
    const [batch, rows, columns, depth] = images.shape;
    if (height === rows && width === columns) return [images, min, max];
    for (const [name, { rank }] of Object.entries({ min, max })) need(rank === 0, () => `${name} must be a scalar`);
    const dims = [batch, height, width, depth];
    if (dims.includes(0)) return [NDArray.zeros(T, dims), min, max];
    if (sizeOf(dims) >= 2 ** 31) throw new ResourceExhaustedError(noMemoryFor(dims, T));
    const [mix, weigh] = mixings[T as keyof typeof mixings];
    const lerps = (input: number, output: number): Lerp[] => lerpsAlong(input, output, weigh, alignCorners, halfPixelCenters);
    const [down, across] = [lerps(rows, height), lerps(columns, width)];
    const out = NDArray.zeros(T, dims);
    let to = 0;
    for (let n = 0; n < batch; n++)
      for (const y of down)
        for (const x of across)
          for (let c = 0; c < depth; c++) {
            const at = (row: number, column: number): number => Number(images.get(((n * rows + row) * columns + column) * depth + c));
            out.set(to++, mix(at(y.lower, x.lower), at(y.lower, x.upper), at(y.upper, x.lower), at(y.upper, x.upper), x.weight, y.weight));
          }
    return [out, min, max];
  },
});

// ---- ranges, channel by channel ----

const reaches = (min: NDArray, max: NDArray): number[] =>
  numbersOf(max).map((high, c) => Math.max(Math.abs(high), Math.abs(Number(min.get(c)))));

/** The range that all channels need, each with a range of its own. */
export const RequantizationRangePerChannel = defineOp("RequantizationRangePerChannel", {
  inputs: { input: "T", inputMin: "float32", inputMax: "float32" },
  outputs: { outputMin: "float32", outputMax: "float32" },
  attrs: { T: quantized("qint32"), clipValueMax: attr.float() },
  shape: ({ inputMin, inputMax }) => {
    inputMin.withRank(1);
    inputMax.withRank(1);
    return [new TensorShape([]), new TensorShape([])];
  },
  host: ({ input, inputMin, inputMax, clipValueMax }) => {
    const depth = inputMax.size;
    if (inputMin.size !== depth) throw new InvalidArgumentError(`input_min has incorrect size, expected ${depth} was ${inputMin.size}`);
    need(input.rank === 4, () => "input must be in NHWC format");
    need(input.size > 0, () => "input must not be empty");
    const channels = input.shape.at(-1);
    need(channels === depth, () => `input must have same number of channels as length of input_min: ${channels} vs ${depth}`);
    const values = numbersOf(input);
    const reach = reaches(inputMin, inputMax);
    const most = reach.map((range, c) => {
      const channel = values.filter((_, i) => i % depth === c);
      return f32(f32(range / 2 ** 31) * channel.reduce((top, x) => Math.max(top, Math.abs(x)), 0));
    });
    const top = Math.min(Math.max(...most), clipValueMax);
    return [float(values.every(x => x >= 0) ? 0 : -top), float(top)];
  },
});

/** 32-bit numbers with a range for each channel as 8-bit numbers of one range. */
export const RequantizePerChannel = defineOp("RequantizePerChannel", {
  inputs: { input: "T", inputMin: "float32", inputMax: "float32", requestedOutputMin: "float32", requestedOutputMax: "float32" },
  outputs: { output: "outType", outputMin: "float32", outputMax: "float32" },
  attrs: { T: quantized("qint32"), outType: quantized("quint8") },
  shape: ({ input, inputMin, inputMax, requestedOutputMin, requestedOutputMax }) => {
    inputMin.withRank(1);
    inputMax.withRank(1);
    scalars(requestedOutputMin, requestedOutputMax);
    return withBounds(input);
  },
  host: ({ input, inputMin, inputMax, requestedOutputMin, requestedOutputMax, outType }) => {
    const depth = inputMin.size;
    need(input.rank === 4, () => "Current RequantizePerChannel operatorsupports 4D tensors only.");
    if (inputMax.size !== depth) throw new InvalidArgumentError(`input_max has incorrect size, expected ${depth} was ${inputMax.size}`);
    const least = boundOf(requestedOutputMin);
    need(outType !== "qint8" || least < 0, () => `If out_type is QINT8, requested_output_max must be non negative, got ${cNumber(least)}`);
    const wanted = Math.max(Math.abs(boundOf(requestedOutputMin)), Math.abs(boundOf(requestedOutputMax)));
    const scales = reaches(inputMin, inputMax).map(reach => f32((highestOf(outType) * f32(reach / wanted)) / 2 ** 31));
    const out = NDArray.zeros(outType, input.shape);
    for (let i = 0; i < input.size; i++) {
      const x = f32(Number(input.get(i)) * scales[i % depth]);
      const low = Math.floor(x);
      const near = x - low === 0.5 ? low + (low % 2 === 0 ? 0 : 1) : Math.round(x);
      out.set(i, Math.max(lowestOf(outType), Math.min(highestOf(outType), near)));
    }
    return [out, float(boundOf(requestedOutputMin)), float(boundOf(requestedOutputMax))];
  },
});

// ---- public functions ----

/** Quantized features between 0 and `maxValue`; the bounds stay. TF: tf.nn.quantized_relu_x. */
export const quantizedReluX = (
  features: TensorLike,
  maxValue: TensorLike,
  minFeatures: TensorLike,
  maxFeatures: TensorLike,
  options: Named & { readonly outType?: DType } = {},
): { activations: Tensor; minActivations: Tensor; maxActivations: Tensor } =>
  QuantizedReluX({ features, maxValue, minFeatures, maxFeatures, outType: options.outType }, { name: options.name });
