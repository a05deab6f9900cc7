// Arithmetic of quantized tensors: integers that stand for floats between two bounds, which every operation takes and gives along. The host computes with
// integers as TensorFlow does. Making integers of floats is quantized/tensors.ts.

import { type DType, dtypeTable } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { broadcastShapes, checkLength, type Dimension, sizeOf, stridesOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { broadcastShape } from "../../ir/build.ts";
import { cNumber, collect, need } from "../arguments.ts";
import { completeShape, numbersOf, reshapedShape } from "../array/array.ts";
import { joinedShape } from "../array/slicing.ts";
import { type NameOption, named } from "../named.ts";
import { convolvedShape } from "../nn/convolution.ts";
import { extentOf, type WindowAxis, windowAlong, windowedSize } from "../nn/window.ts";

const types = ["qint8", "quint8", "qint32", "qint16", "quint16"] as const;
export const quantized = (fallback?: DType): ReturnType<typeof attr.type> => attr.type(types, fallback);
const f32 = Math.fround;

// ---- numbers of a type between two bounds ----

export interface Range {
  readonly dtype: DType;
  readonly min: number;
  readonly max: number;
}

export const stepsOf = (dtype: DType): number => 2 ** (8 * dtypeTable[dtype].bytes);
export const lowestOf = (dtype: DType): number => (dtype.startsWith("qu") ? 0 : -stepsOf(dtype) / 2);
export const highestOf = (dtype: DType): number => lowestOf(dtype) + stepsOf(dtype) - 1;
export const round = (x: number): number => (x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5));
/** Halves go to the even neighbour. */
const roundedToEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
export const clamp = (x: number, dtype: DType): number => Math.max(lowestOf(dtype), Math.min(highestOf(dtype), x));

/** What one step is worth, if the steps rather than their ends span the range. */
const scaleOf = ({ dtype, min, max }: Range): number => {
  const steps = stepsOf(dtype);
  return (f32(max - min) * (steps / (steps - 1))) / steps;
};

/** The integer that stands for a float, even one outside. */
export function unclamped(x: number, range: Range): number {
  if (range.min === range.max) return 0;
  const steps = stepsOf(range.dtype);
  const scale = steps / (f32(range.max - range.min) * (steps / (steps - 1)));
  return round(x * scale) - round(range.min * scale) + lowestOf(range.dtype);
}
export const toQuantized = (x: number, range: Range): number => clamp(unclamped(x, range), range.dtype);

export function toFloat(x: number, range: Range): number {
  if (range.min === range.max) return range.min;
  const scale = scaleOf(range);
  const first = f32(round(f32(range.min / f32(scale))) * f32(scale));
  return f32(first + (x - lowestOf(range.dtype)) * scale);
}

/** What one step is worth, if the ends of the steps are those of the range. */
const levelOf = ({ dtype, min, max }: Range): number => f32(f32(max - min) / (highestOf(dtype) - lowestOf(dtype)));

/** The range of products of two. */
function rangeOfProducts(a: Range, b: Range, dtype: DType): Range {
  const one = f32(levelOf(a) * levelOf(b));
  return { dtype, min: f32(one * lowestOf(dtype)), max: f32(one * highestOf(dtype)) };
}

/** Numbers of one range as those of another of the same type, every step rounded to float32. */
export function moved(from: Range, to: Range): (x: number) => number {
  const last = stepsOf(from.dtype) - 1;
  const [unit, scale] = [f32(f32(from.max - from.min) / last), f32(last / f32(to.max - to.min))];
  const low = lowestOf(from.dtype);
  // Steps are counted from 0: a float32 near 2³¹ holds no small numbers.
  const middle = f32(f32(round(f32(from.min / unit)) * unit) - f32(low * unit));
  const zero = f32(round(f32(to.min * scale)) - low);
  // The largest float32 that is an int32.
  const top = Math.min(highestOf(to.dtype), 2147483520);
  return x => Math.min(top, clamp(f32(roundedToEven(f32(f32(middle + f32(f32(x) * unit)) * scale)) - zero), to.dtype));
}

/** 32-bit numbers of one range as 8-bit numbers of another, in the fixed point that TensorFlow computes with. */
function requantizer(from: Range, to: Range): (x: number) => number {
  if (from.dtype !== "qint32" || to.dtype !== "quint8") return x => toQuantized(toFloat(x, from), to);
  for (const end of [from.min, from.max, to.min, to.max])
    need(Number.isFinite(end), () => `The ends of quantized ranges must be finite, got ${cNumber(end)}.`);
  const unit = 65536;
  const [input, output] = [f32(from.max - from.min), f32(to.max - to.min)];
  const middle = f32(f32(from.min + from.max) / 2);
  const big = (x: number): bigint => BigInt(Math.trunc(x));
  const scale = output === 0 ? 0n : big((255 * unit * input) / output);
  const inputOffset = output === 0 ? 0n : big(f32(f32(middle * f32(255 / output)) * unit));
  const outputOffset = output === 0 ? 0n : big((unit * (to.min * 255)) / output);
  return x => {
    const value = (BigInt.asIntN(64, BigInt(x) * scale) >> 32n) + inputOffset - outputOffset + BigInt(unit / 2);
    return clamp(Number(value >> 16n), "quint8");
  };
}

export const boundOf = (array: NDArray): number => Number(array.get(0));
export const rangeOf = (dtype: DType, min: NDArray, max: NDArray): Range => ({ dtype, min: boundOf(min), max: boundOf(max) });
export const float = (x: number): NDArray => NDArray.full("float32", [], x);
export const mapped = (input: NDArray, dtype: DType, f: (x: number) => number): NDArray => {
  const out = NDArray.zeros(dtype, input.shape);
  for (let i = 0; i < input.size; i++) out.set(i, f(Number(input.get(i))));
  return out;
};
export const ends = (array: NDArray): [low: number, high: number] =>
  numbersOf(array).reduce<[number, number]>(
    ([low, high], x) => [Math.min(low, x), Math.max(high, x)],
    [highestOf(array.dtype), lowestOf(array.dtype)],
  );

export const scalar = new TensorShape([]);
export const withBounds = (shape: TensorShape): TensorShape[] => [shape, scalar, scalar];
export const scalars = (...shapes: readonly TensorShape[]): void => shapes.forEach(shape => void shape.withRank(0));

// ---- activations ----

const reluFields = (top: number | null) =>
  ({
    inputs: { features: "Tinput", minFeatures: "float32", maxFeatures: "float32" },
    outputs: { activations: "outType", minActivations: "float32", maxActivations: "float32" },
    attrs: { Tinput: quantized(), outType: quantized("quint8") },
    shape: ({ features, minFeatures, maxFeatures }: Readonly<Record<"features" | "minFeatures" | "maxFeatures", TensorShape>>) => {
      scalars(minFeatures, maxFeatures);
      return withBounds(features);
    },
    host: ({ features, minFeatures, maxFeatures }: Readonly<Record<"features" | "minFeatures" | "maxFeatures", NDArray>>) => {
      const range = rangeOf(features.dtype, minFeatures, maxFeatures);
      const [low, high] = [toQuantized(0, range), top === null ? Infinity : toQuantized(top, range)];
      return [mapped(features, features.dtype, x => Math.min(Math.max(x, low), high)), minFeatures, maxFeatures];
    },
  }) as const;

export const QuantizedRelu = defineOp("QuantizedRelu", reluFields(null));
export const QuantizedRelu6 = defineOp("QuantizedRelu6", reluFields(6));

// ---- moved ----

export const QuantizedReshape = defineOp("QuantizedReshape", {
  inputs: { tensor: "T", shape: "Tshape", inputMin: "float32", inputMax: "float32" },
  outputs: { output: "T", outputMin: "float32", outputMax: "float32" },
  attrs: { T: attr.type(), Tshape: attr.type(attr.indexTypes, "int32") },
  shape: ({ tensor, inputMin, inputMax }, context) => {
    const reshaped = reshapedShape(tensor, context.shapeFrom("shape"));
    scalars(inputMin, inputMax);
    return withBounds(reshaped);
  },
  checks: ({ shape: wanted }) => need(wanted.length <= 1, () => `sizes input must be 1-D, not [${wanted}]`),
  host: ({ tensor, shape, inputMin, inputMax }) => [tensor.reshape(completeShape(numbersOf(shape), tensor.shape)), inputMin, inputMax],
});

interface Joined {
  readonly values: readonly NDArray[];
  readonly inputMins: readonly NDArray[];
  readonly inputMaxes: readonly NDArray[];
  readonly T: DType;
}

/** Tensors along an axis, in the range that holds all of them. */
function joined({ values, inputMins, inputMaxes, T }: Joined, axis: number): NDArray[] {
  const rank = values[0].rank;
  need(axis >= 0 && axis < rank, () => `ConcatOp : Expected concatenating dimensions in the range [0, ${rank}), but got ${axis}`);
  values.forEach(({ shape }, i) => {
    need(
      shape.length === rank,
      () => `ConcatOp : Ranks of all input tensors should match: shape[0] = [${values[0].shape}] vs. shape[${i}] = [${shape}]`,
    );
    need(
      shape.every((size, k) => k === axis || size === values[0].shape[k]),
      () => `ConcatOp : Dimensions of inputs should match: shape[0] = [${values[0].shape}] vs. shape[${i}] = [${shape}]`,
    );
  });
  const ranges = values.map((_, i) => rangeOf(T, inputMins[i], inputMaxes[i]));
  let min = Math.min(0, ...ranges.map(range => range.min));
  let max = Math.max(...ranges.map(range => range.max));
  if (!T.startsWith("qu")) {
    max = Math.max(Math.abs(min), Math.abs(max));
    min = -max;
  }
  const whole: Range = { dtype: T, min, max };
  const parts = values.map((value, i) =>
    ranges[i].min === min && ranges[i].max === max ? value : mapped(value, T, moved(ranges[i], whole)),
  );
  const shape = values[0].shape.map((d, k) => (k === axis ? values.reduce((sum, value) => sum + value.shape[axis], 0) : d));
  const out = NDArray.zeros(T, shape);
  const outer = sizeOf(shape.slice(0, axis));
  let to = 0;
  for (let row = 0; row < outer; row++)
    for (const part of parts) {
      const run = part.size / Math.max(outer, 1);
      for (let k = 0; k < run; k++) out.set(to++, part.get(row * run + k));
    }
  return [out, float(min), float(max)];
}

export const QuantizedConcat = defineOp("QuantizedConcat", {
  inputs: { concatDim: "int32", values: "N*T", inputMins: "N*float32", inputMaxes: "N*float32" },
  outputs: { output: "T", outputMin: "float32", outputMax: "float32" },
  attrs: { N: attr.int(undefined, 2), T: attr.type() },
  shape: ({ concatDim, values, inputMins, inputMaxes }, context) => {
    concatDim.withRank(0);
    scalars(...inputMins, ...inputMaxes);
    return withBounds(joinedShape(values, context.partial("concatDim")?.values[0] ?? null));
  },
  checks: ({ concatDim }) =>
    need(concatDim.length === 0, () => `Concat dim tensor should be a scalar integer, but got shape [${concatDim}]`),
  host: ({ concatDim, ...given }) => joined(given, Number(concatDim.get(0))),
});

/** The same with the axis behind the tensors, counted from the end if negative. */
export const QuantizedConcatV2 = defineOp("QuantizedConcatV2", {
  inputs: { values: "N*T", axis: "Tidx", inputMins: "N*float32", inputMaxes: "N*float32" },
  outputs: { output: "T", outputMin: "float32", outputMax: "float32" },
  attrs: { N: attr.int(undefined, 2), T: attr.type(), Tidx: attr.type(attr.indexTypes, "int32") },
  shape: ({ values, axis, inputMins, inputMaxes }, context) => {
    axis.withRank(0);
    scalars(...inputMins, ...inputMaxes);
    return withBounds(joinedShape(values, context.partial("axis")?.values[0] ?? null));
  },
  host: ({ axis, ...given }) => {
    const at = Number(axis.get(0));
    return joined(given, at < 0 ? at + given.values[0].rank : at);
  },
});

// ---- pools ----

interface PoolAttrs {
  readonly ksize: readonly number[];
  readonly strides: readonly number[];
  readonly padding: "SAME" | "VALID";
}

function quantizedPoolShape(type: string, input: TensorShape, { ksize, strides, padding }: PoolAttrs): TensorShape {
  const known = input.withRank(4);
  checkLength(type, "stride", strides, 4);
  checkLength(type, "ksize", ksize, 4);
  const windows = { strides, padding, dataFormat: "NHWC" };
  // A size of -1 is one that is not known.
  const sizeAlong = (axis: number): Dimension =>
    windowedSize(known.dim(axis), ksize[axis] === -1 ? null : ksize[axis], extentOf(windows, axis));
  // Means are over images alone.
  const depth = type === "MaxPool" ? sizeAlong(3) : known.dim(3);
  return new TensorShape([known.dim(0), sizeAlong(1), sizeAlong(2), depth]);
}

const windowAxes = (
  shape: readonly number[],
  sizes: readonly number[],
  strides: readonly number[],
  padding: "SAME" | "VALID",
): WindowAxis[] => [1, 2].map(axis => windowAlong(shape[axis], sizes[axis - 1], extentOf({ strides, padding, dataFormat: "NHWC" }, axis)));

/** The places that a window covers along an axis, with the taps that do. */
export const covered = ({ stride, before, size, input }: WindowAxis, o: number): { at: number; tap: number }[] =>
  Array.from({ length: size }, (_, tap) => ({ at: o * stride - before + tap, tap })).filter(({ at }) => at >= 0 && at < input);

function pooled(input: NDArray, { ksize, strides, padding }: PoolAttrs, combine: (values: readonly number[]) => number): NDArray {
  const [rows, columns] = windowAxes(input.shape, ksize.slice(1, 3), strides, padding);
  const [batch, , width, depth] = input.shape;
  const out = NDArray.zeros(input.dtype, [batch, rows.output, columns.output, depth]);
  let to = 0;
  for (let n = 0; n < batch; n++)
    for (let y = 0; y < rows.output; y++)
      for (let x = 0; x < columns.output; x++)
        for (let c = 0; c < depth; c++) {
          const values = covered(rows, y).flatMap(row =>
            covered(columns, x).map(column => Number(input.get(((n * input.shape[1] + row.at) * width + column.at) * depth + c))),
          );
          out.set(to++, combine(values));
        }
  return out;
}

const poolFields = (type: string, combine: (values: readonly number[]) => number) =>
  ({
    inputs: { input: "T", minInput: "float32", maxInput: "float32" },
    outputs: { output: "T", minOutput: "float32", maxOutput: "float32" },
    attrs: { T: quantized(), ksize: attr.ints(), strides: attr.ints(), padding: attr.oneOf(["SAME", "VALID"]) },
    shape: ({ input, minInput, maxInput, ...attrs }: { input: TensorShape; minInput: TensorShape; maxInput: TensorShape } & PoolAttrs) => {
      scalars(minInput, maxInput);
      return withBounds(quantizedPoolShape(type, input, attrs));
    },
    checks: ({ input }: { readonly input: readonly number[] }) =>
      need(input.length === 4, () => `tensor_in_shape must have 2 spatial dimensions. ${input.length} 0`),
    host: ({ input, minInput, maxInput, ...attrs }: { input: NDArray; minInput: NDArray; maxInput: NDArray } & PoolAttrs) => [
      pooled(input, attrs, combine),
      minInput,
      maxInput,
    ],
  }) as const;

export const QuantizedMaxPool = defineOp(
  "QuantizedMaxPool",
  poolFields("MaxPool", values => Math.max(...values)),
);
/** Means are cut off toward zero. */
export const QuantizedAvgPool = defineOp(
  "QuantizedAvgPool",
  poolFields("AvgPool", values => Math.trunc(values.reduce((a, b) => a + b, 0) / values.length)),
);

// ---- products ----

export const QuantizedMatMul = defineOp("QuantizedMatMul", {
  inputs: { a: "T1", b: "T2", minA: "float32", maxA: "float32", minB: "float32", maxB: "float32" },
  outputs: { out: "Toutput", minOut: "float32", maxOut: "float32" },
  attrs: {
    T1: quantized(),
    T2: quantized(),
    Toutput: quantized("qint32"),
    transposeA: attr.bool(false),
    transposeB: attr.bool(false),
    Tactivation: quantized("quint8"),
  },
  shape: ({ a, b, minA, maxA, minB, maxB, transposeA, transposeB }) => {
    scalars(minA, maxA, minB, maxB);
    const [left, right] = [a.withRank(2), b.withRank(2)];
    const [inner, other] = [left.dim(transposeA ? 0 : 1), right.dim(transposeB ? 1 : 0)];
    if (inner !== null && other !== null && inner !== other)
      throw new ValueError(`Dimensions must be equal, but are ${inner} and ${other}`);
    return withBounds(new TensorShape([left.dim(transposeA ? 1 : 0), right.dim(transposeB ? 0 : 1)]));
  },
  checks: ({ a, b, transposeA, transposeB }) => {
    need(a.length === 2, () => "In[0] is not a matrix");
    need(b.length === 2, () => "In[1] is not a matrix");
    need(a[transposeA ? 0 : 1] === b[transposeB ? 1 : 0], () => `Matrix size-incompatible: In[0]: [${a}], In[1]: [${b}]`);
  },
  host: ({ a, b, minA, maxA, minB, maxB, T1, T2, Toutput, transposeA, transposeB }) => {
    const [left, right] = [rangeOf(T1, minA, maxA), rangeOf(T2, minB, maxB)];
    const [offsetA, offsetB] = [unclamped(0, left), unclamped(0, right)];
    const [rows, inner] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
    const [, columns] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
    const out = NDArray.zeros(Toutput, [rows, columns]);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        let sum = 0;
        for (let k = 0; k < inner; k++)
          sum +=
            (Number(a.get(transposeA ? k * rows + i : i * inner + k)) - offsetA) *
            (Number(b.get(transposeB ? j * inner + k : k * columns + j)) - offsetB);
        out.set(i * columns + j, sum);
      }
    const range = rangeOfProducts(left, right, Toutput);
    return [out, float(range.min), float(range.max)];
  },
});

export const QuantizedConv2D = defineOp("QuantizedConv2D", {
  inputs: { input: "Tinput", filter: "Tfilter", minInput: "float32", maxInput: "float32", minFilter: "float32", maxFilter: "float32" },
  outputs: { output: "outType", minOutput: "float32", maxOutput: "float32" },
  attrs: {
    Tinput: quantized(),
    Tfilter: quantized(),
    outType: quantized("qint32"),
    strides: attr.ints(),
    padding: attr.oneOf(["SAME", "VALID"]),
    dilations: attr.ints([1, 1, 1, 1]),
  },
  shape: ({ input, filter, minInput, maxInput, minFilter, maxFilter, strides, dilations, padding }) => {
    scalars(minInput, maxInput, minFilter, maxFilter);
    return withBounds(convolvedShape("Conv2D", input, filter, { strides, dilations, padding, dataFormat: "NHWC" }));
  },
  checks: ({ input, filter }) => {
    need(input.length === 4, () => `input must be rank 4 but is rank ${input.length}`);
    need(filter.length === 4, () => `filter must be rank 4 but is rank ${filter.length}`);
    need(input[3] === filter[2], () => `input and filter must have the same depth: ${input[3]} vs ${filter[2]}`);
    need(filter[0] * filter[1] * filter[2] > 0, () => "filter patch must contain at least one element");
    need(!input.includes(0) && !filter.includes(0), () => "Invalid input: Shapes dimension cannot be 0.");
  },
  host: ({ input, filter, minInput, maxInput, minFilter, maxFilter, Tinput, Tfilter, outType, strides, padding, dilations }) => {
    if (dilations.some(dilation => dilation !== 1))
      throw new InvalidArgumentError("Current implementation does not yet support dilations in the batch and depth dimensions.");
    const [image, weights] = [rangeOf(Tinput, minInput, maxInput), rangeOf(Tfilter, minFilter, maxFilter)];
    const [offset, filterOffset] = [unclamped(0, image), unclamped(0, weights)];
    const [batch, height, width, depth] = input.shape;
    const [, tapColumns, , channels] = filter.shape;
    const [rows, columns] = windowAxes(input.shape, filter.shape, strides, padding);
    const out = NDArray.zeros(outType, [batch, rows.output, columns.output, channels]);
    let to = 0;
    for (let n = 0; n < batch; n++)
      for (let y = 0; y < rows.output; y++)
        for (let x = 0; x < columns.output; x++)
          for (let c = 0; c < channels; c++) {
            let sum = 0;
            for (const row of covered(rows, y))
              for (const column of covered(columns, x))
                for (let k = 0; k < depth; k++)
                  sum +=
                    (Number(input.get(((n * height + row.at) * width + column.at) * depth + k)) - offset) *
                    (Number(filter.get(((row.tap * tapColumns + column.tap) * depth + k) * channels + c)) - filterOffset);
            out.set(to++, sum);
          }
    const range = rangeOfProducts(image, weights, outType);
    return [out, float(range.min), float(range.max)];
  },
});

// ---- products, element by element ----

/** Calls `visit` with the places of two broadcast arrays for each place of the result. */
export function eachPair(x: NDArray, y: NDArray, visit: (at: number, left: number, right: number) => void): number[] {
  const shape = broadcastShape(x.shape, y.shape);
  const strides = stridesOf(shape);
  const places = [x, y].map(array => {
    const own = stridesOf(array.shape);
    const lead = shape.length - array.rank;
    return (at: number): number =>
      array.shape.reduce(
        (sum, d, axis) => sum + (d === 1 ? 0 : (Math.floor(at / strides[axis + lead]) % shape[axis + lead]) * own[axis]),
        0,
      );
  });
  for (let at = 0; at < sizeOf(shape); at++) visit(at, places[0](at), places[1](at));
  return shape;
}

type Pair = (x: number, y: number) => number;

function elementwise(x: NDArray, y: NDArray, dtype: DType, f: Pair): NDArray {
  const out = NDArray.zeros(dtype, broadcastShape(x.shape, y.shape));
  eachPair(x, y, (at, left, right) => void out.set(at, f(Number(x.get(left)), Number(y.get(right)))));
  return out;
}

/** Do two shapes broadcast? */
export const broadcasts = (a: readonly number[], b: readonly number[]): boolean =>
  a.every((size, axis) => {
    const other = b[axis - a.length + b.length] ?? 1;
    return size === other || size === 1 || other === 1;
  });

/** What sums and products of two ask: neither a number nor as many as the other is what repeats along it, and that is not to be empty. */
export function checkPair({ x, y }: { readonly x: readonly number[]; readonly y: readonly number[] }): void {
  need(broadcasts(x, y), () => `Incompatible shapes: [${x}] vs. [${y}]`);
  const sizes = [sizeOf(x), sizeOf(y)];
  need(sizes.includes(1) || sizes[0] === sizes[1] || !sizes.includes(0), () => "vector must have at least 1 element");
}

export const QuantizedMul = defineOp("QuantizedMul", {
  inputs: { x: "T1", y: "T2", minX: "float32", maxX: "float32", minY: "float32", maxY: "float32" },
  outputs: { z: "Toutput", minZ: "float32", maxZ: "float32" },
  attrs: { T1: quantized(), T2: quantized(), Toutput: quantized("qint32") },
  shape: ({ x, y }) => withBounds(broadcastShapes(x, y)),
  checks: checkPair,
  host: ({ x, y, minX, maxX, minY, maxY, T1, T2, Toutput }) => {
    const [left, right] = [rangeOf(T1, minX, maxX), rangeOf(T2, minY, maxY)];
    const [a, b] = [unclamped(0, left), unclamped(0, right)];
    const whole = rangeOfProducts(left, right, Toutput);
    return [elementwise(x, y, Toutput, (p, q) => (p - a) * (q - b)), float(whole.min), float(whole.max)];
  },
});

// ---- other ranges ----

const rangeInputs = { input: "Tinput", inputMin: "float32", inputMax: "float32" } as const;

/** The numbers in the range that they themselves span, 0 included. */
export const QuantizeDownAndShrinkRange = defineOp("QuantizeDownAndShrinkRange", {
  inputs: rangeInputs,
  outputs: { output: "outType", outputMin: "float32", outputMax: "float32" },
  attrs: { Tinput: quantized(), outType: quantized() },
  shape: ({ input, inputMin, inputMax }) => {
    scalars(inputMin, inputMax);
    return withBounds(input);
  },
  host: ({ input, inputMin, inputMax, Tinput, outType }) => {
    for (const [name, { rank }] of Object.entries({ input_min: inputMin, input_max: inputMax }))
      need(rank === 0, () => `\`${name}\` must be rank 0 but is rank ${rank}`);
    const from = rangeOf(Tinput, inputMin, inputMax);
    const [low, high] = ends(input).map(x => toFloat(x, from));
    const to: Range = { dtype: outType, min: Math.min(0, low), max: high };
    return [mapped(input, outType, requantizer(from, to)), float(to.min), float(to.max)];
  },
});

/** The bounds that the numbers span. */
export const RequantizationRange = defineOp("RequantizationRange", {
  inputs: rangeInputs,
  outputs: { outputMin: "float32", outputMax: "float32" },
  attrs: { Tinput: quantized() },
  shape: ({ inputMin, inputMax }) => {
    scalars(inputMin, inputMax);
    return [scalar, scalar];
  },
  host: ({ input, inputMin, inputMax, Tinput }) => {
    const range = rangeOf(Tinput, inputMin, inputMax);
    const [low, high] = ends(input).map(x => toFloat(x, range));
    return [float(Math.min(0, low)), float(high)];
  },
});

/** The numbers in another range. */
export const Requantize = defineOp("Requantize", {
  inputs: { ...rangeInputs, requestedOutputMin: "float32", requestedOutputMax: "float32" },
  outputs: { output: "outType", outputMin: "float32", outputMax: "float32" },
  attrs: { Tinput: quantized(), outType: quantized() },
  shape: ({ input, inputMin, inputMax, requestedOutputMin, requestedOutputMax }) => {
    scalars(inputMin, inputMax, requestedOutputMin, requestedOutputMax);
    return withBounds(input);
  },
  host: ({ input, inputMin, inputMax, requestedOutputMin, requestedOutputMax, Tinput, outType }) => {
    for (const [name, { rank }] of Object.entries({ requested_output_min: requestedOutputMin, requested_output_max: requestedOutputMax }))
      need(rank === 0, () => `\`${name}\` must be rank 0 but is rank ${rank}`);
    const [low, high] = [boundOf(requestedOutputMin), boundOf(requestedOutputMax)];
    if (!(low <= 0)) throw new InvalidArgumentError(`requested_output_min must be <= 0, but got ${low}`);
    if (!(high >= low))
      throw new InvalidArgumentError(`requested_output_max must be >= requested_output_min, but got ${cNumber(high)} and ${cNumber(low)}`);
    const to: Range = { dtype: outType, min: low, max: high };
    return [mapped(input, outType, requantizer(rangeOf(Tinput, inputMin, inputMax), to)), float(low), float(high)];
  },
});

// ---- public functions ----

interface Outcome {
  readonly output: Tensor;
  readonly minOutput: Tensor;
  readonly maxOutput: Tensor;
}

type PoolArguments = readonly [
  input: TensorLike,
  minInput: TensorLike,
  maxInput: TensorLike,
  ksize: readonly number[],
  strides: readonly number[],
  padding: "SAME" | "VALID",
];

/** Maxima of windows of a quantized `[batch, height, width, channels]`; the bounds stay. TF: tf.nn.quantized_max_pool. */
export function quantizedMaxPool(
  input: PoolArguments[0],
  minInput: PoolArguments[1],
  maxInput: PoolArguments[2],
  ksize: PoolArguments[3],
  strides: PoolArguments[4],
  padding: PoolArguments[5],
  options?: NameOption,
): Outcome {
  return QuantizedMaxPool({ input, minInput, maxInput, ksize, strides, padding }, named(options));
}

/** Means of windows of a quantized `[batch, height, width, channels]`, cut off toward zero; the bounds stay. TF: tf.nn.quantized_avg_pool. */
export function quantizedAvgPool(
  input: PoolArguments[0],
  minInput: PoolArguments[1],
  maxInput: PoolArguments[2],
  ksize: PoolArguments[3],
  strides: PoolArguments[4],
  padding: PoolArguments[5],
  options?: NameOption,
): Outcome {
  return QuantizedAvgPool({ input, minInput, maxInput, ksize, strides, padding }, named(options));
}

interface ConvolutionOptions extends Named {
  readonly outType?: DType;
  readonly dilations?: readonly number[];
}

/** A convolution of quantized images with quantized filters, as 32-bit numbers with the bounds they stand for.
 *  TF: tf.nn.quantized_conv2d(input, filter, min_input, max_input, min_filter, max_filter, strides, padding, out_type, dilations, name). */
export function quantizedConv2d(
  input: TensorLike,
  filter: TensorLike,
  minInput: TensorLike,
  maxInput: TensorLike,
  minFilter: TensorLike,
  maxFilter: TensorLike,
  strides: readonly number[],
  padding: "SAME" | "VALID",
  ...rest: unknown[]
): Outcome {
  const { name, ...options } = collect<ConvolutionOptions>(["outType", "dilations", "name"], rest);
  return QuantizedConv2D({ input, filter, minInput, maxInput, minFilter, maxFilter, strides, padding, ...options }, { name });
}

/** Quantized tensors joined along a dimension, in the range that holds all of them.
 *  TF: tf.quantization.quantized_concat(concat_dim, values, input_mins, input_maxes, name). */
export const quantizedConcat = (
  concatDim: TensorLike,
  values: readonly TensorLike[],
  inputMins: readonly TensorLike[],
  inputMaxes: readonly TensorLike[],
  options?: NameOption,
): { output: Tensor; outputMin: Tensor; outputMax: Tensor } =>
  QuantizedConcat({ concatDim, values, inputMins, inputMaxes }, named(options));
