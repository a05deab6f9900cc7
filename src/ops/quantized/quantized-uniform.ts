// Integers that stand for floats by a scale and a zero point, (q - zero point)·scale, one pair for all or one for each slice along an axis.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { broadcastShapes } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { broadcastShape } from "../../ir/build.ts";
import { eachPair } from "./quantized-arithmetic.ts";

const f32 = Math.fround;

/** The scale and zero point of each element. @throws InvalidArgumentError where there are others than the axis has slices. */
function pairsOf(
  shape: readonly number[],
  scales: NDArray,
  zeroPoints: NDArray,
  axis: number,
): (i: number) => readonly [scale: number, zero: number] {
  if (scales.shape.join() !== zeroPoints.shape.join()) throw new InvalidArgumentError("scales and zero_points must have same rank.");
  for (let i = 0; i < scales.size; i++)
    if (!(Number(scales.get(i)) > 0)) throw new InvalidArgumentError("scales elements values must be all positive.");
  const pair = (i: number): readonly [number, number] => [Number(scales.get(i)), Number(zeroPoints.get(i))];
  if (axis === -1) {
    if (scales.rank !== 0)
      throw new InvalidArgumentError(`scales and zero_points must be scalars where quantization_axis is -1, not of rank ${scales.rank}.`);
    const only = pair(0);
    return () => only;
  }
  if (axis < -1 || axis >= shape.length)
    throw new InvalidArgumentError(`quantization_axis must be -1 or in [0, ${shape.length}), not ${axis}.`);
  if (scales.rank !== 1 || scales.size !== shape[axis])
    throw new InvalidArgumentError(
      `scales must be a vector of the ${shape[axis]} slices along axis ${axis}, not of shape [${scales.shape}].`,
    );
  const step = shape.slice(axis + 1).reduce((product, d) => product * d, 1);
  return i => pair(Math.floor(i / step) % shape[axis]);
}

const within = (x: number, low: number, high: number): number => Math.max(low, Math.min(high, x));

function made(dtype: DType, shape: readonly number[], element: (i: number) => number): NDArray {
  const out = NDArray.zeros(dtype, shape);
  for (let i = 0; i < out.size; i++) out.set(i, element(i));
  return out;
}

/** A factor as 31 bits and a shift, as integers are multiplied by it (Jacob and others, "Quantization and training of neural networks", 2018). */
function rescaler(factor: number): (x: number) => number {
  if (factor === 0) return () => 0;
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
    const pair = pairsOf(input.shape, scales, zeroPoints, quantizationAxis);
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
    const pair = pairsOf(input.shape, scales, zeroPoints, quantizationAxis);
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
    const from = pairsOf(input.shape, given.inputScales, given.inputZeroPoints, given.inputQuantizationAxis);
    const to = pairsOf(input.shape, given.outputScales, given.outputZeroPoints, given.outputQuantizationAxis);
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
  host: given => {
    const { lhs, rhs, T, outputQuantizationMinVal: low, outputQuantizationMaxVal: high } = given;
    const left = pairsOf(lhs.shape, given.lhsScales, given.lhsZeroPoints, given.lhsQuantizationAxis);
    const right = pairsOf(rhs.shape, given.rhsScales, given.rhsZeroPoints, given.rhsQuantizationAxis);
    const shape = broadcastShape(lhs.shape, rhs.shape);
    const result = pairsOf(shape, given.outputScales, given.outputZeroPoints, given.outputQuantizationAxis);
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
  host: ({ operand, min, max, scales, zeroPoints, T, quantizationAxis }) => {
    const { shape } = operand;
    pairsOf(shape, scales, zeroPoints, quantizationAxis);
    const bounds = [min, max].map(bound => {
      if (bound.size !== scales.size)
        throw new InvalidArgumentError(`min and max must have the shape of scales [${scales.shape}], not [${bound.shape}].`);
      const step = quantizationAxis === -1 ? operand.size : shape.slice(quantizationAxis + 1).reduce((product, d) => product * d, 1);
      return (i: number): number => Number(bound.get(bound.size === 1 ? 0 : Math.floor(i / step) % bound.size));
    });
    return made(T, shape, i => within(Number(operand.get(i)), bounds[0](i), bounds[1](i)));
  },
});
