// Integers that stand for floats by a scale and a zero point, (q - zero point)·scale, one pair for all or one for each slice along an axis.

import type { DType } from "../../base/dtype.ts";
import { DataLossError, InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { broadcastShapes, type Dimension, mergedDimension, sameShape, stridesOf, TensorShape } from "../../base/shape.ts";
import { WireReader, wireTypes } from "../../formats/wire.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { broadcastShape } from "../../ir/build.ts";
import { numbersOf } from "../array/array.ts";
import { type WindowAxis, windowAlong } from "../nn/window.ts";
import { broadcasts, eachPair } from "./arithmetic.ts";
import { cNumber, need } from "../arguments.ts";

const f32 = Math.fround;

/** The scale and zero point of each element. @throws InvalidArgumentError where there are others than the axis has slices. */
function pairsOf(
  shape: readonly number[],
  scales: NDArray,
  zeroPoints: NDArray,
  axis: number,
  positive: string | null = "scales elements values must be all positive.",
): (i: number) => readonly [scale: number, zero: number] {
  const given = `scales shape [${scales.shape}] and zero_points shape [${zeroPoints.shape}]`;
  need(sameShape(scales.shape, zeroPoints.shape), () => `scales and zero_points shape must be same, but given ${given}`);
  need(axis >= -1 && axis < shape.length, () => `quantization_axis must be -1 or in range [0, input.rank), but given ${axis}`);
  need(
    axis !== -1 || scales.rank === 0,
    () => `If quantization_axis is -1, scales and zero_points must be scalar tensors, but given ${given}`,
  );
  need(
    axis === -1 || (scales.rank === 1 && scales.size === shape[axis]),
    () =>
      `If quantization_axis is not -1, scales and zero_points must be a tensor of rank 1 and the size must be equal to the input.dim_size(quantization_axis), but given quantization_axis ${axis}, ${given}`,
  );
  for (let i = 0; i < scales.size; i++) need(positive === null || Number(scales.get(i)) > 0, () => positive ?? "");
  const pair = (i: number): readonly [number, number] => [Number(scales.get(i)), Number(zeroPoints.get(i))];
  if (axis === -1) {
    const only = pair(0);
    return () => only;
  }
  const step = shape.slice(axis + 1).reduce((product, d) => product * d, 1);
  return i => pair(Math.floor(i / step) % shape[axis]);
}

/** Asked after the shapes of all scales. */
function checkPositive(names: string, ...scales: readonly NDArray[]): void {
  for (const array of scales)
    for (let i = 0; i < array.size; i++) need(Number(array.get(i)) > 0, () => `${names} scales elements must be all positive.`);
}

const within = (x: number, low: number, high: number): number => Math.max(low, Math.min(high, x));

function made(dtype: DType, shape: readonly number[], element: (i: number) => number): NDArray {
  const out = NDArray.zeros(dtype, shape);
  for (let i = 0; i < out.size; i++) out.set(i, element(i));
  return out;
}

/** A factor as 31 bits and a shift, as integers are multiplied by it (Jacob and others, "Quantization and training of neural networks", 2018). */
function rescaler(factor: number): (x: number) => number {
  need(
    factor > 0 && factor < Number.POSITIVE_INFINITY,
    () => `double_multiplier must be a poisitive finite number. Given ${cNumber(factor)}`,
  );
  const exponent = Math.floor(Math.log2(factor)) + 1;
  let bits = Math.round((factor / 2 ** exponent) * 2 ** 31);
  let power = exponent;
  if (bits === 2 ** 31) [bits, power] = [2 ** 30, exponent + 1];
  const shift = BigInt(31 - power);
  const half = shift > 0n ? 1n << (shift - 1n) : 0n;
  return x => {
    const product = BigInt(x) * BigInt(bits);
    return Number(shift >= 0n ? (product + half) >> shift : product << -shift);
  };
}

export const UniformQuantize = defineOp("UniformQuantize", {
  inputs: { input: "Tin", scales: "float32", zeroPoints: "int32" },
  outputs: { output: "Tout" },
  attrs: {
    Tin: attr.type(["float32"]),
    Tout: attr.type(["qint8", "quint8", "qint32"]),
    quantizationAxis: attr.int(-1),
    quantizationMinVal: attr.int(),
    quantizationMaxVal: attr.int(),
  },
  shape: ({ input }) => input,
  host: ({ input, scales, zeroPoints, Tout, quantizationAxis, quantizationMinVal: low, quantizationMaxVal: high }) => {
    const pair = pairsOf(input.shape, scales, zeroPoints, quantizationAxis, null);
    return made(Tout, input.shape, i => {
      const [scale, zero] = pair(i);
      const steps = f32(Math.floor(f32(f32(Number(input.get(i)) * f32(1 / scale)) + 0.5)) + zero);
      return within(steps, low, high);
    });
  },
});

export const UniformDequantize = defineOp("UniformDequantize", {
  inputs: { input: "Tin", scales: "float32", zeroPoints: "int32" },
  outputs: { output: "Tout" },
  attrs: {
    Tin: attr.type(["qint8", "quint8", "qint32"]),
    Tout: attr.type(["float32"]),
    quantizationAxis: attr.int(-1),
    quantizationMinVal: attr.int(),
    quantizationMaxVal: attr.int(),
  },
  shape: ({ input }) => input,
  host: ({ input, scales, zeroPoints, Tout, quantizationAxis }) => {
    const pair = pairsOf(input.shape, scales, zeroPoints, quantizationAxis, "rhs scales elements must be all positive.");
    return made(Tout, input.shape, i => {
      const [scale, zero] = pair(i);
      return (Number(input.get(i)) - zero) * scale;
    });
  },
});

/** The same numbers by another scale and zero point. */
export const UniformRequantize = defineOp("UniformRequantize", {
  inputs: { input: "Tin", inputScales: "float32", inputZeroPoints: "int32", outputScales: "float32", outputZeroPoints: "int32" },
  outputs: { output: "Tout" },
  attrs: {
    Tin: attr.type(["qint8", "qint32"]),
    Tout: attr.type(["qint8", "qint32"]),
    inputQuantizationAxis: attr.int(-1),
    inputQuantizationMinVal: attr.int(),
    inputQuantizationMaxVal: attr.int(),
    outputQuantizationAxis: attr.int(-1),
    outputQuantizationMinVal: attr.int(),
    outputQuantizationMaxVal: attr.int(),
  },
  shape: ({ input }) => input,
  host: given => {
    const { input, Tout, outputQuantizationMinVal: low, outputQuantizationMaxVal: high } = given;
    const from = pairsOf(input.shape, given.inputScales, given.inputZeroPoints, given.inputQuantizationAxis, null);
    const to = pairsOf(input.shape, given.outputScales, given.outputZeroPoints, given.outputQuantizationAxis, null);
    checkPositive("input/output", given.inputScales, given.outputScales);
    return made(Tout, input.shape, i => {
      const [[scale, zero], [outScale, outZero]] = [from(i), to(i)];
      return within(rescaler(scale / outScale)(Number(input.get(i)) - zero) + outZero, low, high);
    });
  },
});

/** The sum of two, each by its own scale and zero point. */
export const UniformQuantizedAdd = defineOp("UniformQuantizedAdd", {
  inputs: {
    lhs: "T",
    rhs: "T",
    lhsScales: "float32",
    lhsZeroPoints: "int32",
    rhsScales: "float32",
    rhsZeroPoints: "int32",
    outputScales: "float32",
    outputZeroPoints: "int32",
  },
  outputs: { output: "T" },
  attrs: {
    lhsQuantizationAxis: attr.int(-1),
    lhsQuantizationMinVal: attr.int(),
    lhsQuantizationMaxVal: attr.int(),
    rhsQuantizationAxis: attr.int(-1),
    rhsQuantizationMinVal: attr.int(),
    rhsQuantizationMaxVal: attr.int(),
    outputQuantizationAxis: attr.int(-1),
    outputQuantizationMinVal: attr.int(),
    outputQuantizationMaxVal: attr.int(),
    T: attr.type(["qint32"]),
  },
  shape: ({ lhs, rhs }) => broadcastShapes(lhs, rhs),
  checks: ({ lhs, rhs }) => need(broadcasts(lhs, rhs), () => `Cannot Add tensors of shapes: [${lhs}][${rhs}]`),
  host: given => {
    const { lhs, rhs, T, outputQuantizationMinVal: low, outputQuantizationMaxVal: high } = given;
    const left = pairsOf(lhs.shape, given.lhsScales, given.lhsZeroPoints, given.lhsQuantizationAxis, null);
    const right = pairsOf(rhs.shape, given.rhsScales, given.rhsZeroPoints, given.rhsQuantizationAxis, null);
    const shape = broadcastShape(lhs.shape, rhs.shape);
    const result = pairsOf(shape, given.outputScales, given.outputZeroPoints, given.outputQuantizationAxis, null);
    checkPositive("lhs/rhs/output", given.lhsScales, given.rhsScales, given.outputScales);
    const out = NDArray.zeros(T, shape);
    eachPair(lhs, rhs, (at, i, j) => {
      const [outScale, outZero] = result(at);
      const moved = (array: NDArray, k: number, [scale, zero]: readonly [number, number]): number =>
        rescaler(scale / outScale)(Number(array.get(k)) - zero);
      out.set(at, within(moved(lhs, i, left(i)) + moved(rhs, j, right(j)) + outZero, low, high));
    });
    return out;
  },
});

/** Between `min` and `max`, which are of the same scale and zero point. */
export const UniformQuantizedClipByValue = defineOp("UniformQuantizedClipByValue", {
  inputs: { operand: "T", min: "T", max: "T", scales: "float32", zeroPoints: "int32" },
  outputs: { output: "T" },
  attrs: {
    T: attr.type(["qint32"]),
    quantizationAxis: attr.int(-1),
    quantizationMinVal: attr.int(),
    quantizationMaxVal: attr.int(),
  },
  shape: ({ operand }) => operand,
  checks: ({ min, max, scales, zeroPoints }) => {
    need(
      sameShape(scales, zeroPoints),
      () => `scales and zero_points shape must be same, but given scales shape [${scales}] and zero_points shape [${zeroPoints}]`,
    );
    for (const [name, dims] of Object.entries({ min, max }))
      need(
        sameShape(dims, scales),
        () =>
          `Input ${name} shape must be same as scales/zero_points. Given ${name} of shape [${dims}] and scales/zero_points of shape [${scales}]`,
      );
  },
  host: ({ operand, min, max, scales, zeroPoints, T, quantizationAxis }) => {
    const { shape } = operand;
    pairsOf(shape, scales, zeroPoints, quantizationAxis, null);
    const bounds = [min, max].map(bound => {
      if (bound.size !== scales.size)
        throw new InvalidArgumentError(`min and max must have the shape of scales [${scales.shape}], not [${bound.shape}].`);
      const step = quantizationAxis === -1 ? operand.size : shape.slice(quantizationAxis + 1).reduce((product, d) => product * d, 1);
      return (i: number): number => Number(bound.get(bound.size === 1 ? 0 : Math.floor(i / step) % bound.size));
    });
    return made(T, shape, i => Math.min(Math.max(Number(operand.get(i)), bounds[0](i)), bounds[1](i)));
  },
});

// ---- products ----

interface Scales {
  readonly scales: NDArray;
  readonly zeroPoints: NDArray;
}

/** The scale and zero point of each channel of a product's side. */
function channelPairs(
  { scales, zeroPoints }: Scales,
  axis: number,
  at: number,
  channels: number,
  side = "rhs",
): (c: number) => readonly [number, number] {
  const shape = Array.from({ length: at + 1 }, (_, k) => (k === at ? channels : 1));
  const words = `${side} scales elements must be all positive.`;
  if (axis !== -1 && axis !== at) throw new InvalidArgumentError(`quantization_axis must be -1 or ${at}, not ${axis}.`);
  return pairsOf(shape, scales, zeroPoints, axis, words);
}

/** Floats as 8-bit integers of one scale and zero point that have 0 among them. */
function asymmetric(values: readonly number[]): { integers: number[]; scale: number; zero: number } {
  const [low, high] = [-128, 127];
  const [min, max] = values.reduce(([least, most], x) => [Math.min(least, x), Math.max(most, x)], [0, 0]);
  if (min === max) return { integers: values.map(() => 0), scale: 1, zero: 0 };
  const scale = (max - min) / (high - low);
  const [fromLow, fromHigh] = [low - min / scale, high - max / scale];
  const isLowNearer = Math.abs(low) + Math.abs(min / scale) < Math.abs(high) + Math.abs(max / scale);
  const zero = Math.round(within(isLowNearer ? fromLow : fromHigh, low, high));
  const inverse = f32(1 / f32(scale));
  const integers = values.map(x => within(f32(Math.floor(f32(f32(x * inverse) + 0.5)) + zero), low, high));
  return { integers, scale: f32(scale), zero };
}

/** What becomes of a sum of products, of a row of the left side and a channel of the right. */
type Finish = (sum: number, channel: number, row: number) => number;

/** Both sides as integers, with what stands for zero: on the left for each row (of a batch), on the right for each channel. */
interface Sides {
  readonly left: readonly number[];
  readonly leftZero: (row: number) => number;
  readonly right: readonly number[];
  readonly rightZero: (channel: number) => number;
}

interface ScaleShapes {
  readonly lhsScales?: TensorShape;
  readonly lhsZeroPoints?: TensorShape;
  readonly rhsScales: TensorShape;
  readonly rhsZeroPoints: TensorShape;
  readonly outputScales?: TensorShape;
  readonly outputZeroPoints?: TensorShape;
}

/** @throws ValueError for scales that are neither one number nor one for each channel, or have other zero points. */
function checkScales({ lhsScales, lhsZeroPoints, rhsScales, rhsZeroPoints, outputScales, outputZeroPoints }: ScaleShapes): void {
  for (const one of [lhsScales, lhsZeroPoints]) one?.withRankAtMost(0);
  for (const [scales, zeroPoints] of [
    [rhsScales, rhsZeroPoints],
    [outputScales, outputZeroPoints],
  ]) {
    const ranks = [scales, zeroPoints].map(shape => shape?.withRankAtMost(1).rank ?? null);
    if (!ranks.includes(null) && ranks[0] !== ranks[1]) throw new ValueError("scales and zero_points must have same rank.");
  }
}

/** Scales and zero points along an axis are as many as the axis is long. */
function checkLengths({ rhsScales, rhsZeroPoints, outputScales, outputZeroPoints }: ScaleShapes, rhs: Dimension, output: Dimension): void {
  for (const [scales, zeroPoints, length] of [
    [rhsScales, rhsZeroPoints, rhs],
    [outputScales, outputZeroPoints, output],
  ] as const)
    if (scales?.rank === 1 && zeroPoints?.rank === 1) for (const one of [scales, zeroPoints]) mergedDimension(one.dim(0), length);
}

function dotShape({ lhs, rhs, ...scales }: { readonly lhs: TensorShape; readonly rhs: TensorShape } & ScaleShapes): TensorShape {
  const [left, right] = [lhs.withRank(2), rhs.withRank(2)];
  const [inner, other] = [left.dim(1), right.dim(0)];
  if (inner !== null && other !== null && inner !== other) throw new ValueError(`Dimensions must be equal, but are ${inner} and ${other}`);
  checkScales(scales);
  checkLengths(scales, right.dim(1), right.dim(1));
  return new TensorShape([left.dim(0), right.dim(1)]);
}

function dot(dtype: DType, lhs: NDArray, rhs: NDArray, { left, leftZero, right, rightZero }: Sides, finish: Finish): NDArray {
  const [rows, inner] = lhs.shape;
  const columns = rhs.shape[1];
  for (const [name, { rank, shape }] of Object.entries({ lhs, rhs }))
    need(rank === 2, () => `${name} rank must be 2, but given ${name} shape [${shape}]`);
  if (rhs.shape[0] !== inner)
    throw new InvalidArgumentError(
      `lhs.dim_size(1) and rhs.dim_size(0) must be equal, but given lhs shape [${lhs.shape}] and rhs shape [${rhs.shape}]`,
    );
  return made(dtype, [rows, columns], at => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += (left[i * inner + k] - leftZero(i)) * (right[k * columns + j] - rightZero(j));
    return finish(sum, j, i);
  });
}

const wholeInputs = {
  lhs: "Tin",
  rhs: "Tin",
  lhsScales: "float32",
  lhsZeroPoints: "int32",
  rhsScales: "float32",
  rhsZeroPoints: "int32",
  outputScales: "float32",
  outputZeroPoints: "int32",
} as const;
const wholeTypes = { Tin: attr.type(["qint8"]), Tout: attr.type(["qint32"]) } as const;
const hybridInputs = { lhs: "Tlhs", rhs: "Trhs", rhsScales: "float32", rhsZeroPoints: "int32" } as const;
const hybridTypes = { Tlhs: attr.type(["float32"]), Trhs: attr.type(["qint8"]), Tout: attr.type(["float32"]) } as const;
const wholeAttrs = {
  lhsQuantizationAxis: attr.int(-1),
  lhsQuantizationMinVal: attr.int(),
  lhsQuantizationMaxVal: attr.int(),
  rhsQuantizationAxis: attr.int(-1),
  rhsQuantizationMinVal: attr.int(),
  rhsQuantizationMaxVal: attr.int(),
  outputQuantizationAxis: attr.int(-1),
  outputQuantizationMinVal: attr.int(),
  outputQuantizationMaxVal: attr.int(),
};
const hybridAttrs = { rhsQuantizationAxis: attr.int(-1), rhsQuantizationMinVal: attr.int(), rhsQuantizationMaxVal: attr.int() };

interface Whole {
  readonly lhs: NDArray;
  readonly rhs: NDArray;
  readonly lhsScales: NDArray;
  readonly lhsZeroPoints: NDArray;
  readonly rhsScales: NDArray;
  readonly rhsZeroPoints: NDArray;
  readonly outputScales: NDArray;
  readonly outputZeroPoints: NDArray;
  readonly lhsQuantizationAxis: number;
  readonly rhsQuantizationAxis: number;
  readonly outputQuantizationAxis: number;
  readonly outputQuantizationMinVal: number;
  readonly outputQuantizationMaxVal: number;
}

/** Both sides as integers, and how sums of their products become integers by the output's scales. `at`: the channels' axes. */
function wholeSides(
  given: Whole,
  at: { readonly rhs: number; readonly output: number },
  channels: number,
): { sides: Sides; finish: Finish } {
  need(
    given.lhsScales.rank === 0 && given.lhsZeroPoints.rank === 0,
    () => `lhs scales/zero_points must be all scalar tensors. Given: [${given.lhsScales.shape}][${given.lhsZeroPoints.shape}]`,
  );
  const left = [given.lhs.shape, given.lhsScales, given.lhsZeroPoints, given.lhsQuantizationAxis] as const;
  const [leftScale, leftZero] = pairsOf(...left, "lhs scales elements must be all positive.")(0);
  const right = channelPairs({ scales: given.rhsScales, zeroPoints: given.rhsZeroPoints }, given.rhsQuantizationAxis, at.rhs, channels);
  const output = channelPairs(
    { scales: given.outputScales, zeroPoints: given.outputZeroPoints },
    given.outputQuantizationAxis,
    at.output,
    channels,
    "output",
  );
  const rescalers = Array.from({ length: channels }, (_, c) => rescaler((leftScale * right(c)[0]) / output(c)[0]));
  return {
    sides: { left: numbersOf(given.lhs), leftZero: () => leftZero, right: numbersOf(given.rhs), rightZero: c => right(c)[1] },
    finish: (sum, c) => within(rescalers[c](sum) + output(c)[1], given.outputQuantizationMinVal, given.outputQuantizationMaxVal),
  };
}

interface Hybrid {
  readonly lhs: NDArray;
  readonly rhs: NDArray;
  readonly rhsScales: NDArray;
  readonly rhsZeroPoints: NDArray;
  readonly rhsQuantizationAxis: number;
}

function hybridSides(given: Hybrid, batchAxis: number, at: number, channels: number): { sides: Sides; finish: Finish } {
  const { shape } = given.lhs;
  const values = numbersOf(given.lhs);
  const inner = shape.slice(batchAxis + 1).reduce((product, d) => product * d, 1);
  const rowOf = (i: number): number => Math.floor(i / inner) % shape[batchAxis];
  const rows = Array.from({ length: shape[batchAxis] }, (_, row) => asymmetric(values.filter((__, i) => rowOf(i) === row)));
  const next = rows.map(() => 0);
  const left = values.map((_, i) => {
    const row = rowOf(i);
    return rows[row].integers[next[row]++];
  });
  const right = channelPairs({ scales: given.rhsScales, zeroPoints: given.rhsZeroPoints }, given.rhsQuantizationAxis, at, channels);
  return {
    sides: { left, leftZero: row => rows[row].zero, right: numbersOf(given.rhs), rightZero: c => right(c)[1] },
    finish: (sum, c, row) => f32(sum * f32(rows[row].scale * right(c)[0])),
  };
}

/** A product of matrices of integers, in the scale of the output. */
export const UniformQuantizedDot = defineOp("UniformQuantizedDot", {
  inputs: wholeInputs,
  outputs: { output: "Tout" },
  attrs: { ...wholeTypes, ...wholeAttrs },
  shape: dotShape,
  host: given => {
    const { sides, finish } = wholeSides(given, { rhs: 1, output: 1 }, given.rhs.shape[1]);
    return dot(given.Tout, given.lhs, given.rhs, sides, finish);
  },
});

/** A product of floats, which become 8-bit integers on the way, and integers. */
export const UniformQuantizedDotHybrid = defineOp("UniformQuantizedDotHybrid", {
  inputs: hybridInputs,
  outputs: { output: "Tout" },
  attrs: { ...hybridTypes, ...hybridAttrs },
  shape: dotShape,
  host: given => {
    const { sides, finish } = hybridSides(given, 0, 1, given.rhs.shape[1]);
    return dot(given.Tout, given.lhs, given.rhs, sides, finish);
  },
});

// ---- convolutions ----

interface ConvolutionAttrs {
  readonly windowStrides: readonly number[];
  readonly padding: string;
  readonly explicitPadding: readonly number[];
  readonly lhsDilation: readonly number[];
  readonly rhsDilation: readonly number[];
  readonly batchGroupCount: number;
  readonly featureGroupCount: number;
  readonly dimensionNumbers: string;
}

const convolutionAttrs = {
  windowStrides: attr.ints([]),
  padding: attr.string(),
  explicitPadding: attr.ints([]),
  lhsDilation: attr.ints([]),
  rhsDilation: attr.ints([]),
  batchGroupCount: attr.int(1),
  featureGroupCount: attr.int(1),
  dimensionNumbers: attr.string(""),
};

/** Which axes of images, filters and results are what: [batch or outputs, features, spatial …]. */
interface AxisNumbers {
  readonly lhs: readonly number[];
  readonly rhs: readonly number[];
  readonly output: readonly number[];
}

/** The axes a serialized UniformQuantizedConvolutionDimensionNumbersAttr names; without one, batch and features come first everywhere. */
function axisNumbers(serialized: string, rank: number): AxisNumbers {
  const natural = Array.from({ length: rank }, (_, k) => k);
  if (serialized === "") return { lhs: natural, rhs: natural, output: natural };
  const numbers = new Map<number, number[]>();
  const reader = new WireReader(
    Uint8Array.from(serialized, c => c.charCodeAt(0)),
    "UniformQuantizedConvolutionDimensionNumbersAttr",
  );
  const readField = (): void => {
    const { number, wire } = reader.tag();
    const list = numbers.get(number) ?? [];
    numbers.set(number, list);
    if (wire === wireTypes.varint) list.push(Number(reader.varint()));
    else for (const packed = new WireReader(reader.piece(), "Packed"); !packed.isAtEnd; ) list.push(Number(packed.varint()));
  };
  try {
    while (!reader.isAtEnd) readField();
  } catch (error) {
    if (error instanceof DataLossError) throw new InvalidArgumentError("Error parsing convolution dimension numbers.");
    throw error;
  }
  const one = (field: number): number => numbers.get(field)?.[0] ?? 0;
  const many = (field: number): number[] => numbers.get(field) ?? [];
  const found = {
    lhs: [one(1), one(2), ...many(3)],
    rhs: [one(5), one(4), ...many(6)],
    output: [one(7), one(8), ...many(9)],
  };
  for (const axes of Object.values(found))
    if ([...axes].sort((a, b) => a - b).join() !== natural.join())
      throw new InvalidArgumentError(`dimension_numbers name the axes [${axes}] of ${rank}.`);
  return found;
}

interface Geometry {
  readonly axes: AxisNumbers;
  readonly windows: readonly WindowAxis[];
  readonly shape: readonly number[];
  readonly outputs: number;
}

/** What is refused of attributes by themselves. */
function checkConvolution({ padding, batchGroupCount, featureGroupCount }: ConvolutionAttrs): void {
  need(featureGroupCount > 0, () => `feature_group_count must be a positive integer, given: ${featureGroupCount}`);
  need(batchGroupCount > 0, () => `batch_group_count Attr must be a positive integer. Given: ${batchGroupCount}`);
  need(
    ["EXPLICIT", "SAME", "VALID"].includes(padding),
    () => `padding Attr must be one of [EXPLICIT | SAME | VALID], but given: ${padding}`,
  );
}

/** Strides and dilations: one for each spatial dimension, or none. */
function checkSteps({ windowStrides, lhsDilation, rhsDilation }: ConvolutionAttrs, dims: number): void {
  for (const [what, steps] of Object.entries({ window_strides: windowStrides, lhs_dilation: lhsDilation, rhs_dilation: rhsDilation })) {
    need(steps.length === 0 || steps.length === dims, () => `Size of ${what} Attr must be dims - 2.`);
    for (const step of steps) need(step >= 1, () => `All elements of ${what} must be >= 1. Given ${step}`);
  }
}

function geometryOf(lhs: readonly number[], rhs: readonly number[], given: ConvolutionAttrs): Geometry {
  const { windowStrides, padding, explicitPadding, lhsDilation, rhsDilation, batchGroupCount, featureGroupCount, dimensionNumbers } = given;
  const rank = lhs.length;
  checkConvolution(given);
  if (rank < 2 || rhs.length !== rank)
    throw new InvalidArgumentError(`lhs and rhs must have same dims. Given lhs and rhs of shapes: [${lhs}][${rhs}]`);
  checkSteps(given, rank - 2);
  const axes = axisNumbers(dimensionNumbers, rank);
  const [batch, features] = axes.lhs.map(axis => lhs[axis]);
  const [outputs, inputs] = axes.rhs.map(axis => rhs[axis]);
  const divides = (size: number, count: number, text: string): void => need(size % count === 0, () => text);
  const multiple = (what: string, count: number): string =>
    `rhs output dimension size must be a multiple of ${what}, but ${outputs} is not a multiple of ${count}`;
  const groups = featureGroupCount;
  divides(features, groups, `feature_group_count must divide lhs feature dimension size, but ${groups} does not divide ${features}`);
  divides(
    features,
    inputs,
    `rhs input feature dimension must divide lhs feature dimension size, but ${inputs} does not divide ${features}`,
  );
  need(
    features / groups === inputs,
    () =>
      `lhs feature dimension size divided by feature_group_count must equal the rhs input feature dimension size, but ${features} / ${groups} != ${inputs}`,
  );
  divides(outputs, groups, multiple("feature_group_count", groups));
  divides(
    batch,
    batchGroupCount,
    `batch_group_count must divide lhs batch dimension size, but ${batchGroupCount} does not divide ${batch}`,
  );
  divides(outputs, batchGroupCount, multiple("batch_group_count", batchGroupCount));
  need(
    padding === "EXPLICIT" || explicitPadding.length === 0,
    () =>
      `If padding Attr is not 'EXPLICIT', explicit_padding Attr must be empty. Given padding ${padding} and explicit_padding of size ${explicitPadding.length}`,
  );
  const windows = axes.lhs.slice(2).map((axis, k) => {
    const spread = lhs[axis] === 0 ? 0 : (lhs[axis] - 1) * (lhsDilation[k] ?? 1) + 1;
    const common = { stride: windowStrides[k] ?? 1, dilation: rhsDilation[k] ?? 1 };
    const extent =
      padding === "EXPLICIT"
        ? ({ ...common, padding, before: explicitPadding[2 * k], after: explicitPadding[2 * k + 1] } as const)
        : { ...common, padding: padding as "SAME" | "VALID" };
    return windowAlong(spread, rhs[axes.rhs[k + 2]], extent);
  });
  const shape = Array<number>(rank);
  [batch / batchGroupCount, outputs, ...windows.map(({ output }) => output)].forEach((size, k) => void (shape[axes.output[k]] = size));
  return { axes, windows, shape, outputs };
}

function convolvedShape({
  lhs,
  rhs,
  ...given
}: { readonly lhs: TensorShape; readonly rhs: TensorShape } & ScaleShapes & ConvolutionAttrs): TensorShape {
  for (const shape of [lhs, rhs]) shape.withRankAtLeast(2);
  if (lhs.rank !== null && rhs.rank !== null && lhs.rank !== rhs.rank) throw new ValueError("lhs and rhs must have same rank.");
  checkScales(given);
  try {
    checkConvolution(given);
    if (!lhs.isFullyDefined || !rhs.isFullyDefined) {
      const rank = lhs.rank ?? rhs.rank;
      return rank === null ? TensorShape.unknown() : TensorShape.unknownOfRank(rank);
    }
    const { shape, outputs } = geometryOf(lhs.asNumbers(), rhs.asNumbers(), given);
    checkLengths(given, outputs, outputs);
    return new TensorShape(shape);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    const [, size] = /^Computed output size would be negative: (-\d+)/.exec(error.message) ?? [];
    throw new ValueError(size === undefined ? error.message : `Expected shape dimensions to be non-negative, got ${size}`);
  }
}

function convolved(
  dtype: DType,
  lhs: NDArray,
  rhs: NDArray,
  given: ConvolutionAttrs,
  geometry: Geometry,
  sides: Sides,
  finish: Finish,
): NDArray {
  const { axes, windows, shape, outputs } = geometry;
  const [from, filter, to] = [lhs.shape, rhs.shape, shape].map(stridesOf);
  const groupInputs = rhs.shape[axes.rhs[1]];
  const groupOutputs = outputs / given.featureGroupCount;
  const batches = shape[axes.output[0]];
  const perBatchGroup = outputs / given.batchGroupCount;
  const spread = windows.map((_, k) => given.lhsDilation[k] ?? 1);
  const taps = windows.reduce((product, { size }) => product * size, 1);
  return made(dtype, shape, at => {
    const place = axes.output.map(axis => Math.floor(at / to[axis]) % shape[axis]);
    const channel = place[1];
    const batch = place[0] + batches * Math.floor(channel / perBatchGroup);
    const group = Math.floor(channel / groupOutputs);
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      let rest = tap;
      let [image, weight] = [batch * from[axes.lhs[0]], channel * filter[axes.rhs[0]]];
      let isInside = true;
      for (let k = windows.length - 1; k >= 0; k--) {
        const { size, stride, dilation, before, input } = windows[k];
        const step = rest % size;
        rest = Math.floor(rest / size);
        const position = place[k + 2] * stride + step * dilation - before;
        if (position < 0 || position >= input || position % spread[k] !== 0) isInside = false;
        image += (position / spread[k]) * from[axes.lhs[k + 2]];
        weight += step * filter[axes.rhs[k + 2]];
      }
      if (!isInside) continue;
      for (let k = 0; k < groupInputs; k++)
        sum +=
          (sides.left[image + (group * groupInputs + k) * from[axes.lhs[1]]] - sides.leftZero(batch)) *
          (sides.right[weight + k * filter[axes.rhs[1]]] - sides.rightZero(channel));
    }
    return finish(sum, channel, batch);
  });
}

/** A convolution of integers, in the scale of the output. */
export const UniformQuantizedConvolution = defineOp("UniformQuantizedConvolution", {
  inputs: wholeInputs,
  outputs: { output: "Tout" },
  attrs: { ...wholeTypes, ...convolutionAttrs, ...wholeAttrs },
  shape: convolvedShape,
  host: given => {
    const geometry = geometryOf(given.lhs.shape, given.rhs.shape, given);
    const { sides, finish } = wholeSides(given, { rhs: geometry.axes.rhs[0], output: geometry.axes.output[1] }, geometry.outputs);
    return convolved(given.Tout, given.lhs, given.rhs, given, geometry, sides, finish);
  },
});

/** A convolution of floats, which become 8-bit integers on the way, and integers. */
export const UniformQuantizedConvolutionHybrid = defineOp("UniformQuantizedConvolutionHybrid", {
  inputs: hybridInputs,
  outputs: { output: "Tout" },
  attrs: { ...hybridTypes, ...convolutionAttrs, ...hybridAttrs },
  shape: convolvedShape,
  host: given => {
    const geometry = geometryOf(given.lhs.shape, given.rhs.shape, given);
    const { sides, finish } = hybridSides(given, geometry.axes.lhs[0], geometry.axes.rhs[0], geometry.outputs);
    return convolved(given.Tout, given.lhs, given.rhs, given, geometry, sides, finish);
  },
});
