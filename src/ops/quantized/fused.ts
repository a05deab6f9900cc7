// Products of quantized tensors with what follows them in one op, as Intel's quantization tools leave them in graphs: a bias, an activation, a new
// range. Numbers are multiples of a step without an offset, the range symmetric about zero. Plain products are arithmetic.ts.

import { dtypeTable, type DType } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { numbersOf } from "../array/array.ts";
import { convolvedShape, depthwiseShape } from "../nn/convolution.ts";
import { type WindowAxis, windowAlong } from "../nn/window.ts";
import { boundOf, highestOf, lowestOf, quantized, scalars, withBounds } from "./arithmetic.ts";

const f32 = Math.fround;
function halfToEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** The largest multiple of a step: a signed type is used without its least number, so that its range is symmetric. */
const limitOf = (dtype: DType): number => (dtype.startsWith("qu") ? 2 ** (8 * dtypeTable[dtype].bytes) - 1 : highestOf(dtype));
/** How far a range reaches from zero. */
const reach = (min: number, max: number): number => Math.max(Math.abs(min), Math.abs(max));
/** What a step is worth by the width of the range. */
const stepOf = (dtype: DType, min: number, max: number): number =>
  f32(f32(max - min) / (highestOf(dtype) - Math.max(lowestOf(dtype), -highestOf(dtype))));

const vector = (values: readonly number[], shape: readonly number[]): NDArray => NDArray.from([...values], "float32", shape);

interface Ranges {
  readonly minInput: NDArray;
  readonly maxInput: NDArray;
  readonly minFilter: NDArray;
  readonly maxFilter: NDArray;
}

interface Fused extends Ranges {
  readonly Tinput: DType;
  readonly Tfilter: DType;
  readonly outType: DType;
  readonly bias?: NDArray;
  readonly minFreezedOutput?: NDArray;
  readonly maxFreezedOutput?: NDArray;
  readonly summand?: NDArray;
  readonly minSummand?: NDArray;
  readonly maxSummand?: NDArray;
}

/** What is added to each result of another convolution, in steps of the new range. */
function summandOf(
  { summand, minSummand, maxSummand, minFreezedOutput, maxFreezedOutput, outType }: Fused,
  size: number,
): (i: number) => number {
  if (!summand || !minSummand || !maxSummand || !minFreezedOutput || !maxFreezedOutput) return () => 0;
  if (summand.size !== size) throw new InvalidArgumentError(`summand must have ${size} elements, not ${summand.size}.`);
  const from = reach(boundOf(minSummand), boundOf(maxSummand));
  const to = reach(boundOf(minFreezedOutput), boundOf(maxFreezedOutput));
  const scale = f32((limitOf(outType) * from) / f32(limitOf(summand.dtype) * to));
  return i => f32(Number(summand.get(i)) * scale);
}

/** What becomes of the sums of products: bias, activation and range, channel by channel; results with the bounds they stand for. */
function finished(sums: readonly number[], shape: readonly number[], given: Fused, isRectified: boolean): NDArray[] {
  const { Tinput, Tfilter, outType, minInput, maxInput, minFilter, maxFilter, bias, minFreezedOutput, maxFreezedOutput } = given;
  const channels = shape[shape.length - 1];
  if (minFilter.size !== maxFilter.size || (minFilter.size !== 1 && minFilter.size !== channels))
    throw new InvalidArgumentError(
      `min_filter and max_filter must have 1 or ${channels} elements, not ${minFilter.size} and ${maxFilter.size}.`,
    );
  if (bias && bias.size !== channels) throw new InvalidArgumentError(`bias must have ${channels} elements, not ${bias.size}.`);
  const [low, high] = [boundOf(minInput), boundOf(maxInput)];
  const filters = Array.from({ length: minFilter.size }, (_, c) => [Number(minFilter.get(c)), Number(maxFilter.get(c))] as const);
  const filterOf = (c: number): readonly [number, number] => filters[filters.length === 1 ? 0 : c];
  const steps = limitOf(Tinput) * limitOf(Tfilter);
  const biases = Array.from({ length: channels }, (_, c) => {
    if (!bias) return 0;
    const value = Number(bias.get(c));
    return bias.dtype === "float32" ? halfToEven(f32(f32(steps / f32(reach(low, high) * reach(...filterOf(c)))) * value)) : value;
  });
  const isMoved = minFreezedOutput !== undefined && maxFreezedOutput !== undefined;
  const bounds = isMoved ? ([boundOf(minFreezedOutput), boundOf(maxFreezedOutput)] as const) : undefined;
  const scales = Array.from({ length: channels }, (_, c) =>
    bounds ? f32((limitOf(outType) * f32(reach(low, high) * reach(...filterOf(c)))) / f32(steps * reach(...bounds))) : 1,
  );
  const least = isRectified ? 0 : lowestOf(outType);
  const added = summandOf(given, sums.length);
  const out = NDArray.zeros(outType, shape);
  sums.forEach((sum, i) => {
    const c = i % channels;
    out.set(i, Math.max(least, Math.min(highestOf(outType), halfToEven(f32(f32((sum + biases[c]) * scales[c]) + added(i))))));
  });
  if (bounds) return [out, vector([bounds[0]], []), vector([bounds[1]], [])];
  const units = filters.map(([from, to]) => f32(stepOf(Tinput, low, high) * stepOf(Tfilter, from, to)));
  const bound = (end: number): NDArray =>
    vector(
      units.map(unit => f32(unit * end)),
      minFilter.shape,
    );
  return [out, bound(lowestOf(outType)), bound(highestOf(outType))];
}

// ---- convolutions ----

interface Windows {
  readonly strides: readonly number[];
  readonly padding: "SAME" | "VALID";
  readonly dilations: readonly number[];
  readonly paddingList?: readonly number[];
}

/** How a window moves along a spatial axis; a list of paddings, two for each axis, stands in place of the named one. */
function extentAlong({ strides, padding, dilations, paddingList = [] }: Windows, axis: number) {
  const common = { stride: strides[axis], dilation: dilations[axis] };
  if (paddingList.length === 0) return { ...common, padding };
  return { ...common, padding: "EXPLICIT", before: paddingList[2 * axis], after: paddingList[2 * axis + 1] } as const;
}

type ConvolutionKind = "whole" | "perChannel" | "depthwise";

const explicit = (explicitPaddings: readonly number[]) => ({ padding: "EXPLICIT", explicitPaddings }) as const;

interface ConvolutionShapes extends Windows {
  readonly input: TensorShape;
  readonly filter: TensorShape;
  readonly minInput: TensorShape;
  readonly maxInput: TensorShape;
  readonly minFilter: TensorShape;
  readonly maxFilter: TensorShape;
  readonly bias?: TensorShape;
  readonly minFreezedOutput?: TensorShape;
  readonly maxFreezedOutput?: TensorShape;
}

/** What TensorFlow asks of the ranks differs from op to op: nothing at all where channels are convolved alone. */
function convolvedShapes(given: ConvolutionShapes, kind: ConvolutionKind): TensorShape[] {
  const { input, filter, minInput, maxInput, minFilter, maxFilter, bias, minFreezedOutput, maxFreezedOutput } = given;
  const { strides, padding, dilations, paddingList = [] } = given;
  const windows = { strides, padding, dilations, dataFormat: "NHWC", ...(paddingList.length > 0 && explicit(paddingList)) };
  if (kind === "depthwise") return [depthwiseShape(input, filter, windows), TensorShape.unknown(), TensorShape.unknown()];
  const output = convolvedShape("Conv2D", input, filter, windows);
  bias?.withRank(1);
  scalars(minInput, maxInput);
  if (kind === "perChannel") for (const end of [minFilter, maxFilter]) end.withRankAtMost(1);
  if (!minFreezedOutput || !maxFreezedOutput) return [output, maxFilter, maxFilter];
  scalars(minFreezedOutput, maxFreezedOutput);
  return withBounds(output);
}

interface Convolution extends Fused, Windows {
  readonly input: NDArray;
  readonly filter: NDArray;
}

const taps = ({ stride, dilation, before, size, input }: WindowAxis, o: number): { at: number; tap: number }[] =>
  Array.from({ length: size }, (_, tap) => ({ at: o * stride - before + tap * dilation, tap })).filter(({ at }) => at >= 0 && at < input);

function convolved(given: Convolution, isDepthwise: boolean, isRectified: boolean): NDArray[] {
  const { input, filter } = given;
  const [image, weights] = [numbersOf(input), numbersOf(filter)];
  const [batch, height, width, depth] = input.shape;
  const [, tapColumns, filterDepth, times] = filter.shape;
  if (filterDepth !== depth) throw new InvalidArgumentError(`input and filter must have the same depth: ${depth} vs ${filterDepth}`);
  const [rows, columns] = [1, 2].map(axis => windowAlong(input.shape[axis], filter.shape[axis - 1], extentAlong(given, axis)));
  const channels = isDepthwise ? depth * times : times;
  const sums: number[] = [];
  for (let n = 0; n < batch; n++)
    for (let y = 0; y < rows.output; y++)
      for (let x = 0; x < columns.output; x++) {
        const places = taps(rows, y).flatMap(row =>
          taps(columns, x).map(column => ({
            from: ((n * height + row.at) * width + column.at) * depth,
            tap: (row.tap * tapColumns + column.tap) * depth,
          })),
        );
        for (let c = 0; c < channels; c++) {
          let sum = 0;
          const [first, end] = isDepthwise ? [Math.floor(c / times), Math.floor(c / times) + 1] : [0, depth];
          for (const { from, tap } of places)
            for (let k = first; k < end; k++) sum += image[from + k] * weights[(tap + k) * times + (c % times)];
          sums.push(sum);
        }
      }
  return finished(sums, [batch, rows.output, columns.output, channels], given, isRectified);
}

const images = { input: "Tinput", filter: "Tfilter" } as const;
const ranges = { minInput: "float32", maxInput: "float32", minFilter: "float32", maxFilter: "float32" } as const;
const newRange = { minFreezedOutput: "float32", maxFreezedOutput: "float32" } as const;
const convolutionOutputs = { output: "outType", minOutput: "float32", maxOutput: "float32" } as const;
const biasType = attr.type(["float32", "qint32"]);
const windowAttrs = (outType: DType) =>
  ({
    Tinput: quantized(),
    Tfilter: quantized(),
    outType: quantized(outType),
    strides: attr.ints(),
    padding: attr.oneOf(["SAME", "VALID"]),
    dilations: attr.ints([1, 1, 1, 1]),
  }) as const;
const padded = { paddingList: attr.ints([]) };

/** Fields of a convolution: what it does to each channel, and with which activation. */
const convolution = (kind: ConvolutionKind, isRectified: boolean) => ({
  outputs: convolutionOutputs,
  shape: (given: ConvolutionShapes) => convolvedShapes(given, kind),
  host: (given: Convolution) => convolved(given, kind === "depthwise", isRectified),
});
const withBias = { ...images, bias: "float32", ...ranges } as const;
const withAnyBias = { ...images, bias: "Tbias", ...ranges, ...newRange } as const;

export const QuantizedConv2DPerChannel = defineOp("QuantizedConv2DPerChannel", {
  inputs: { ...images, ...ranges },
  attrs: windowAttrs("qint32"),
  ...convolution("perChannel", false),
});
export const QuantizedConv2DAndRelu = defineOp("QuantizedConv2DAndRelu", {
  inputs: { ...images, ...ranges },
  attrs: { ...windowAttrs("qint32"), ...padded },
  ...convolution("whole", true),
});
export const QuantizedConv2DAndRequantize = defineOp("QuantizedConv2DAndRequantize", {
  inputs: { ...images, ...ranges, ...newRange },
  attrs: { ...windowAttrs("qint8"), ...padded },
  ...convolution("whole", false),
});
export const QuantizedConv2DAndReluAndRequantize = defineOp("QuantizedConv2DAndReluAndRequantize", {
  inputs: { ...images, ...ranges, ...newRange },
  attrs: { ...windowAttrs("quint8"), ...padded },
  ...convolution("whole", true),
});
export const QuantizedConv2DWithBias = defineOp("QuantizedConv2DWithBias", {
  inputs: withBias,
  attrs: { ...windowAttrs("qint32"), ...padded },
  ...convolution("whole", false),
});
export const QuantizedConv2DWithBiasAndRelu = defineOp("QuantizedConv2DWithBiasAndRelu", {
  inputs: withBias,
  attrs: { ...windowAttrs("qint32"), ...padded },
  ...convolution("whole", true),
});
export const QuantizedConv2DWithBiasAndRequantize = defineOp("QuantizedConv2DWithBiasAndRequantize", {
  inputs: withAnyBias,
  attrs: { ...windowAttrs("qint8"), Tbias: biasType, ...padded },
  ...convolution("perChannel", false),
});
export const QuantizedConv2DWithBiasAndReluAndRequantize = defineOp("QuantizedConv2DWithBiasAndReluAndRequantize", {
  inputs: withAnyBias,
  attrs: { ...windowAttrs("quint8"), Tbias: biasType, ...padded },
  ...convolution("whole", true),
});

const withSummand = { ...withAnyBias, summand: "Tsummand", minSummand: "float32", maxSummand: "float32" } as const;
const summed = { Tbias: biasType, Tsummand: quantized(), ...padded };

/** The sum with another convolution's results, as residual blocks have it. */
export const QuantizedConv2DWithBiasSumAndReluAndRequantize = defineOp("QuantizedConv2DWithBiasSumAndReluAndRequantize", {
  inputs: withSummand,
  attrs: { ...windowAttrs("quint8"), ...summed },
  ...convolution("whole", true),
});
export const QuantizedConv2DWithBiasSignedSumAndReluAndRequantize = defineOp("QuantizedConv2DWithBiasSignedSumAndReluAndRequantize", {
  inputs: withSummand,
  attrs: { ...windowAttrs("quint8"), ...summed },
  ...convolution("whole", true),
});
export const QuantizedDepthwiseConv2D = defineOp("QuantizedDepthwiseConv2D", {
  inputs: { ...images, ...ranges },
  attrs: windowAttrs("qint32"),
  ...convolution("depthwise", false),
});
export const QuantizedDepthwiseConv2DWithBias = defineOp("QuantizedDepthwiseConv2DWithBias", {
  inputs: withBias,
  attrs: windowAttrs("qint32"),
  ...convolution("depthwise", false),
});
export const QuantizedDepthwiseConv2DWithBiasAndRelu = defineOp("QuantizedDepthwiseConv2DWithBiasAndRelu", {
  inputs: withBias,
  attrs: { ...windowAttrs("qint32"), ...padded },
  ...convolution("depthwise", true),
});
export const QuantizedDepthwiseConv2DWithBiasAndReluAndRequantize = defineOp("QuantizedDepthwiseConv2DWithBiasAndReluAndRequantize", {
  inputs: withAnyBias,
  attrs: { ...windowAttrs("quint8"), Tbias: biasType, ...padded },
  ...convolution("depthwise", true),
});

// ---- products of matrices ----

interface MatrixShapes {
  readonly a: TensorShape;
  readonly b: TensorShape;
  readonly bias: TensorShape;
  readonly minA: TensorShape;
  readonly maxA: TensorShape;
  readonly minB: TensorShape;
  readonly maxB: TensorShape;
  readonly minFreezedOutput?: TensorShape;
  readonly maxFreezedOutput?: TensorShape;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

function productShape({ a, b, bias, transposeA, transposeB, ...given }: MatrixShapes): TensorShape {
  const [left, right] = [a.withRank(2), b.withRank(2)];
  bias.withRank(1);
  scalars(given.minA, given.maxA, given.minB, given.maxB);
  if (given.minFreezedOutput && given.maxFreezedOutput) scalars(given.minFreezedOutput, given.maxFreezedOutput);
  const [inner, other] = [left.dim(transposeA ? 0 : 1), right.dim(transposeB ? 1 : 0)];
  if (inner !== null && other !== null && inner !== other) throw new ValueError(`Dimensions must be equal, but are ${inner} and ${other}`);
  return new TensorShape([left.dim(transposeA ? 1 : 0), right.dim(transposeB ? 0 : 1)]);
}

interface Matrices {
  readonly a: NDArray;
  readonly b: NDArray;
  readonly bias: NDArray;
  readonly minA: NDArray;
  readonly maxA: NDArray;
  readonly minB: NDArray;
  readonly maxB: NDArray;
  readonly T1: DType;
  readonly T2: DType;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly inputQuantMode: "MIN_FIRST" | "SCALED";
  readonly minFreezedOutput?: NDArray;
  readonly maxFreezedOutput?: NDArray;
}

/** Sums of products with the bias and, where the first number stands for the least value, what that adds to each column. */
function productSums(given: Matrices): { sums: Float64Array; shape: number[]; unit: number } {
  const { a, b, bias, T1, T2, transposeA, transposeB } = given;
  const [left, right] = [numbersOf(a), numbersOf(b)];
  const [rows, inner] = transposeA ? [a.shape[1], a.shape[0]] : a.shape;
  const [deep, columns] = transposeB ? [b.shape[1], b.shape[0]] : b.shape;
  if (inner !== deep) throw new InvalidArgumentError(`Matrix size-incompatible: In[0]: [${a.shape}], In[1]: [${b.shape}]`);
  if (bias.size !== columns) throw new InvalidArgumentError(`bias must have ${columns} elements, not ${bias.size}.`);
  const [low, high] = [boundOf(given.minA), boundOf(given.maxA)];
  const steps = limitOf(T1) * limitOf(T2);
  const isFirst = given.inputQuantMode === "MIN_FIRST";
  const width = isFirst ? f32(high - low) : reach(low, high);
  const unit = f32(f32(width * reach(boundOf(given.minB), boundOf(given.maxB))) / steps);
  const offset = isFirst ? f32((limitOf(T1) * low) / width) : 0;
  const weight = (k: number, j: number): number => right[transposeB ? j * inner + k : k * columns + j];
  const sums = new Float64Array(rows * columns);
  for (let j = 0; j < columns; j++) {
    const value = Number(bias.get(j));
    const scaled = bias.dtype === "float32" ? f32(value / unit) : value;
    let column = 0;
    for (let k = 0; k < inner; k++) column += weight(k, j);
    const first = scaled + column * offset;
    for (let i = 0; i < rows; i++) {
      let sum = first;
      for (let k = 0; k < inner; k++) sum += left[transposeA ? k * rows + i : i * inner + k] * weight(k, j);
      sums[i * columns + j] = sum;
    }
  }
  return { sums, shape: [rows, columns], unit };
}

function multiplied(given: Matrices & { readonly Toutput: DType }, isRectified: boolean): NDArray[] {
  const { Toutput, T1, T2, minFreezedOutput, maxFreezedOutput } = given;
  const { sums, shape, unit } = productSums(given);
  const isMoved = minFreezedOutput !== undefined && maxFreezedOutput !== undefined;
  const scale = isMoved ? f32((limitOf(Toutput) * unit) / reach(boundOf(minFreezedOutput), boundOf(maxFreezedOutput))) : 1;
  const least = isRectified ? 0 : lowestOf(Toutput);
  const out = NDArray.zeros(Toutput, shape);
  sums.forEach((sum, i) => void out.set(i, Math.max(least, Math.min(highestOf(Toutput), halfToEven(f32(sum * scale))))));
  if (isMoved) return [out, minFreezedOutput, maxFreezedOutput];
  const step = f32(stepOf(T1, boundOf(given.minA), boundOf(given.maxA)) * stepOf(T2, boundOf(given.minB), boundOf(given.maxB)));
  return [out, vector([f32(step * lowestOf(Toutput))], []), vector([f32(step * highestOf(Toutput))], [])];
}

const matrixRanges = { minA: "float32", maxA: "float32", minB: "float32", maxB: "float32" } as const;
const matrixOutputs = { out: "Toutput", minOut: "float32", maxOut: "float32" } as const;
const matrixAttrs = {
  T1: quantized(),
  T2: quantized(),
  transposeA: attr.bool(false),
  transposeB: attr.bool(false),
  inputQuantMode: attr.oneOf(["MIN_FIRST", "SCALED"], "MIN_FIRST"),
} as const;
const product = (isRectified: boolean) => ({
  outputs: matrixOutputs,
  shape: (given: MatrixShapes) => withBounds(productShape(given)),
  host: (given: Matrices & { readonly Toutput: DType }) => multiplied(given, isRectified),
});
const matrices = { a: "T1", b: "T2", bias: "Tbias", ...matrixRanges } as const;

export const QuantizedMatMulWithBias = defineOp("QuantizedMatMulWithBias", {
  inputs: matrices,
  attrs: { ...matrixAttrs, Tbias: biasType, Toutput: quantized("qint32") },
  ...product(false),
});
export const QuantizedMatMulWithBiasAndRelu = defineOp("QuantizedMatMulWithBiasAndRelu", {
  inputs: { a: "T1", b: "T2", bias: "float32", ...matrixRanges },
  attrs: { ...matrixAttrs, Toutput: quantized("qint32") },
  ...product(true),
});
export const QuantizedMatMulWithBiasAndRequantize = defineOp("QuantizedMatMulWithBiasAndRequantize", {
  inputs: { ...matrices, ...newRange },
  attrs: { ...matrixAttrs, Tbias: biasType, Toutput: quantized("quint8") },
  ...product(false),
});
export const QuantizedMatMulWithBiasAndReluAndRequantize = defineOp("QuantizedMatMulWithBiasAndReluAndRequantize", {
  inputs: { ...matrices, ...newRange },
  attrs: { ...matrixAttrs, Tbias: biasType, Toutput: quantized("quint8") },
  ...product(true),
});
export const QuantizedMatMulWithBiasAndDequantize = defineOp("QuantizedMatMulWithBiasAndDequantize", {
  inputs: { ...matrices, ...newRange },
  outputs: { out: "Toutput" },
  attrs: { ...matrixAttrs, Tbias: biasType, Toutput: attr.type(["float32"]) },
  shape: given => {
    for (const range of ["minA", "maxA", "minB", "maxB", "minFreezedOutput", "maxFreezedOutput"] as const) given[range].withRank(0);
    return productShape(given);
  },
  host: given => {
    const { sums, shape, unit } = productSums(given);
    return vector(
      Array.from(sums, sum => sum * unit),
      shape,
    );
  },
});
