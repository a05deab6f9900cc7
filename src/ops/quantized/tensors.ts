// Quantized tensors: floats as small integers between two bounds and back (QuantizeV2, Dequantize), and both at once, as a float with the error
// of so many bits (QuantizeAndDequantize). Every step is rounded to float32, as TensorFlow computes. Fake quantization is quantization.ts.

import type { DType } from "../../base/dtype.ts";
import { dtypeTable } from "../../base/dtype.ts";
import { InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type HostResult, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../arguments.ts";

const quantizedTypes = attr.type(["qint8", "quint8", "qint32", "qint16", "quint16"]);
const mode = attr.oneOf(["MIN_COMBINED", "MIN_FIRST", "SCALED"], "MIN_COMBINED");
type Mode = "MIN_COMBINED" | "MIN_FIRST" | "SCALED";

const f32 = Math.fround;
const halfAway = (x: number): number => (x < 0 ? -Math.floor(0.5 - x) : Math.floor(x + 0.5));
function halfToEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** The numbers of a quantized type, as float32 has them. */
interface Range {
  readonly low: number;
  readonly high: number;
  readonly steps: number;
  readonly isSigned: boolean;
}

function rangeOf(dtype: DType): Range {
  const bits = 8 * dtypeTable[dtype].bytes;
  const isSigned = !dtype.startsWith("qu");
  const low = isSigned ? -(2 ** (bits - 1)) : 0;
  return { low, high: f32(low + 2 ** bits - 1), steps: 2 ** bits, isSigned };
}

// ---- bounds, one or one for each slice along an axis ----

/** Shape of the bounds' results. @throws ValueError as TensorFlow for bounds that do not fit. */
function boundShape(input: TensorShape, bounds: readonly TensorShape[], axis: number): TensorShape {
  if (axis < -1) throw new ValueError(`axis should be at least -1, got ${axis}`);
  if (axis === -1) {
    for (const bound of bounds) bound.withRank(0);
    return new TensorShape([]);
  }
  const slices = bounds.map(bound => bound.withRank(1)).reduce((a, b) => a.mergeWith(b));
  const size = input.withRankAtLeast(axis + 1).dim(axis);
  return size === null ? slices : slices.mergeWith(new TensorShape([size]));
}

/** Which slice along the axis an element belongs to. */
function sliceAt(shape: readonly number[], axis: number): (n: number) => number {
  if (axis < 0) return () => 0;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  return n => Math.floor(n / inner) % shape[axis];
}

function checkBounds(input: NDArray, bounds: readonly (readonly [name: string, array: NDArray])[], axis: number): void {
  for (const [name, array] of bounds) {
    if (axis === -1 && array.size !== 1)
      throw new InvalidArgumentError(
        `If axis is not specified, ${name} must contain a single float element, but it contains ${array.size} elements`,
      );
    if (axis !== -1 && axis >= input.rank)
      throw new InvalidArgumentError(`Axis must be less than input dimension(${input.rank}), got ${axis}`);
    if (axis !== -1 && array.size !== input.shape[axis])
      throw new InvalidArgumentError(`${name} has incorrect size, expected ${input.shape[axis]} was ${array.size}`);
  }
}

function checkMinFirst(what: string, how: Mode, axis: number): void {
  if (how === "MIN_FIRST" && axis !== -1) throw new UnimplementedError(`MIN_FIRST mode is not implemented for ${what} with axis != -1.`);
}

// ---- to integers ----

/** How the elements of one slice become integers, and the bounds that those stand for. */
interface Quantizer {
  readonly of: (x: number) => number;
  readonly min: number;
  readonly max: number;
}

interface Rounding {
  readonly mode: Mode;
  readonly roundMode: "HALF_AWAY_FROM_ZERO" | "HALF_TO_EVEN";
  readonly narrowRange: boolean;
  readonly ensureMinimumRange: number;
}

/** The largest float32: the scale where no bound gives one. */
const largest = f32((2 - 2 ** -23) * 2 ** 127);

function quantizer(inputMin: number, inputMax: number, type: Range, rounding: Rounding): Quantizer {
  if (inputMin > inputMax) throw new InvalidArgumentError("input_max_range must be larger than input_min_range.");
  const min = Math.min(0, inputMin);
  const least = f32(Math.max(1, Math.abs(inputMin), Math.abs(inputMax)) * rounding.ensureMinimumRange);
  const max = Math.max(0, inputMax, f32(min + least));
  const clamp = (x: number): number => Math.max(Math.min(x, max), min);
  if (rounding.mode === "MIN_COMBINED") {
    const scale = f32((type.steps - 1) / f32(max - min));
    const of = (x: number): number => {
      const above = f32(f32(clamp(x) - min) * scale);
      return type.isSigned ? halfAway(f32(above - type.steps / 2)) : Math.trunc(f32(above + 0.5));
    };
    return { of, min, max };
  }
  if (rounding.mode === "MIN_FIRST") {
    const scale = max === min ? 0 : f32((type.steps - 1) / f32(max - min));
    const first = f32(halfAway(f32(min * scale)) - type.low);
    // The greatest float32 that the type can hold.
    const highest = Math.min(type.high, 2147483520);
    return { of: x => Math.max(type.low, Math.min(highest, f32(halfAway(f32(x * scale)) - first))), min, max };
  }
  const low = f32(type.low + (rounding.narrowRange ? 1 : 0));
  const fromMin = low * min > 0 ? f32(low / min) : largest;
  const fromMax = type.high * max > 0 ? f32(type.high / max) : largest;
  const scale = Math.min(fromMin, fromMax);
  const [lowest, highest] = [f32(low / scale), f32(type.high / scale)];
  const round = rounding.roundMode === "HALF_TO_EVEN" ? halfToEven : halfAway;
  return { of: x => round(f32(Math.max(Math.min(x, highest), lowest) * scale)), min: lowest, max: highest };
}

export const QuantizeV2 = defineOp("QuantizeV2", {
  inputs: { input: "float32", minRange: "float32", maxRange: "float32" },
  outputs: { output: "T", outputMin: "float32", outputMax: "float32" },
  attrs: {
    T: quantizedTypes,
    mode,
    roundMode: attr.oneOf(["HALF_AWAY_FROM_ZERO", "HALF_TO_EVEN"], "HALF_AWAY_FROM_ZERO"),
    narrowRange: attr.bool(false),
    axis: attr.int(-1),
    ensureMinimumRange: attr.float(0.01),
  },
  shape: ({ input, minRange, maxRange, axis }) => {
    const bounds = boundShape(input, [minRange, maxRange], axis);
    return [input, bounds, bounds];
  },
  host: ({ input, minRange, maxRange, T, axis, ...rounding }) => {
    if (rounding.roundMode === "HALF_TO_EVEN" && rounding.mode !== "SCALED")
      throw new InvalidArgumentError(`Round mode 'HALF_TO_EVEN' only supported for mode 'SCALED', but mode is '${rounding.mode}'.`);
    checkBounds(
      input,
      [
        ["min_range", minRange],
        ["max_range", maxRange],
      ],
      axis,
    );
    checkMinFirst("Quantize", rounding.mode, axis);
    const type = rangeOf(T);
    const each = Array.from({ length: minRange.size }, (_, k) =>
      quantizer(Number(minRange.get(k)), Number(maxRange.get(k)), type, rounding),
    );
    const at = sliceAt(input.shape, axis);
    const output = NDArray.zeros(T, input.shape);
    for (let n = 0; n < input.size; n++) {
      const value = each[at(n)].of(Number(input.get(n)));
      // What float32 rounds up to 2³¹ becomes the least number, as the processor has it.
      output.set(n, value > 2147483647 ? -2147483648 : value);
    }
    const bounds = (values: readonly number[]): NDArray => NDArray.from([...values], "float32", minRange.shape);
    return [output, bounds(each.map(({ min }) => min)), bounds(each.map(({ max }) => max))];
  },
});

// ---- to floats ----

function dequantizer(min: number, max: number, type: Range, how: Mode, narrow: boolean): (x: number) => number {
  if (how === "MIN_COMBINED") {
    const scale = f32(f32(max - min) / f32(type.high - type.low));
    const half = type.isSigned ? type.steps / 2 : 0;
    return x => f32(f32(f32(f32(x) + half) * scale) + min);
  }
  if (how === "MIN_FIRST") {
    const scale = f32(f32(max - min) / (type.steps - 1));
    const first = min === max ? min : f32(halfAway(f32(min / scale)) * scale);
    return x => f32(first + f32(f32(x - type.low) * scale));
  }
  const low = type.low + (narrow ? 1 : 0);
  const scale = type.isSigned ? Math.max(f32(min / low), f32(max / type.high)) : f32(max / type.high);
  return x => f32(f32(x) * scale);
}

export const Dequantize = defineOp("Dequantize", {
  inputs: { input: "T", minRange: "float32", maxRange: "float32" },
  outputs: { output: "dtype" },
  attrs: {
    T: quantizedTypes,
    mode,
    narrowRange: attr.bool(false),
    axis: attr.int(-1),
    dtype: attr.type(["bfloat16", "float32"], "float32"),
  },
  shape: ({ input, minRange, maxRange, axis }) => {
    boundShape(input, [minRange, maxRange], axis);
    return input;
  },
  host: ({ input, minRange, maxRange, T, mode: how, narrowRange, axis, dtype }) => {
    checkBounds(
      input,
      [
        ["min_range", minRange],
        ["max_range", maxRange],
      ],
      axis,
    );
    checkMinFirst("Dequantize", how, axis);
    const each = Array.from({ length: minRange.size }, (_, k) =>
      dequantizer(Number(minRange.get(k)), Number(maxRange.get(k)), rangeOf(T), how, narrowRange),
    );
    const at = sliceAt(input.shape, axis);
    const output = NDArray.zeros(dtype, input.shape);
    for (let n = 0; n < input.size; n++) output.set(n, each[at(n)](Number(input.get(n))));
    return output;
  },
});

// ---- both ----

interface Request {
  readonly signedInput: boolean;
  readonly rangeGiven: boolean;
  readonly roundMode?: "HALF_TO_EVEN" | "HALF_UP";
  readonly narrowRange?: boolean;
  readonly axis?: number;
}

const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity);
const greatest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity);

function quantizedAndBack(input: NDArray, inputMin: NDArray, inputMax: NDArray, bits: number, request: Request): HostResult {
  const { signedInput, rangeGiven, roundMode = "HALF_TO_EVEN", narrowRange = false, axis = -1 } = request;
  if (axis < -1 || axis >= input.rank)
    if (axis !== -1)
      throw new InvalidArgumentError(`Axis requested is larger than input dimensions. Axis: ${axis} Input Dimensions: ${input.rank}`);
  if (bits < (signedInput ? 2 : 1) || bits > 63)
    throw new InvalidArgumentError(`num_bits is out of range: ${bits} with signed_input_ ${signedInput ? 1 : 0}`);
  if (rangeGiven) {
    if (inputMin.size !== 1) throw new InvalidArgumentError("input_min must be a scalar.");
    if (inputMax.size !== 1) throw new InvalidArgumentError("input_max must be a scalar.");
    const [min, max] = [Number(inputMin.get(0)), Number(inputMax.get(0))];
    if (min > max) throw new InvalidArgumentError(`Invalid range: input_min ${min} > input_max ${max}`);
  }
  const round = input.dtype === "float64" ? (x: number): number => x : f32;
  const low = signedInput ? -(2 ** (bits - 1)) + (narrowRange ? 1 : 0) : 0;
  const high = signedInput ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const toStep = roundMode === "HALF_UP" ? (x: number): number => Math.floor(round(x + 0.5)) : halfToEven;
  const at = sliceAt(input.shape, axis);
  const members = new Map<number, number[]>();
  for (let n = 0; n < input.size; n++) {
    const list = members.get(at(n));
    if (list) list.push(n);
    else members.set(at(n), [n]);
  }
  const output = NDArray.zeros(input.dtype, input.shape);
  for (const [k, places] of members) {
    const values = places.map(n => Number(input.get(n)));
    let [min, max] = rangeGiven ? [Number(inputMin.get(k)), Number(inputMax.get(k))] : [least(values), greatest(values)];
    const fromMin = low * min > 0 ? round(low / min) : Infinity;
    const fromMax = high * max > 0 ? round(high / max) : Infinity;
    if (fromMin === Infinity && fromMax === Infinity) {
      // Nothing lies on the side that is quantized.
      places.forEach((n, i) => void output.set(n, rangeGiven ? 0 : values[i] * 0));
      continue;
    }
    const isByMin = fromMin < fromMax;
    const scale = isByMin ? fromMin : fromMax;
    const inverse = isByMin ? round(min / low) : round(max / high);
    if (isByMin) max = round(high * inverse);
    else min = round(low * inverse);
    places.forEach((n, i) => {
      const x = rangeGiven ? Math.max(Math.min(values[i], max), min) : values[i];
      output.set(n, round(toStep(round(x * scale)) * inverse));
    });
  }
  return output;
}

const floats = ["bfloat16", "float16", "float32", "float64"] as const satisfies readonly DType[];
const bothInputs = { input: "T", inputMin: "T", inputMax: "T" } as const;
const bothAttrs = {
  signedInput: attr.bool(true),
  numBits: attr.int(8),
  rangeGiven: attr.bool(false),
  T: attr.type(floats),
  roundMode: attr.oneOf(["HALF_TO_EVEN", "HALF_UP"], "HALF_TO_EVEN"),
  narrowRange: attr.bool(false),
  axis: attr.int(-1),
};

interface BothShapes {
  readonly input: TensorShape;
  readonly inputMin: TensorShape;
  readonly inputMax: TensorShape;
  readonly axis: number;
}
function bothShape({ input, inputMin, inputMax, axis }: BothShapes): TensorShape {
  boundShape(input, [inputMin, inputMax], axis);
  return input;
}

/** The oldest form, its bounds attributes. */
export const QuantizeAndDequantize = defineOp("QuantizeAndDequantize", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: {
    signedInput: attr.bool(true),
    numBits: attr.int(8),
    rangeGiven: attr.bool(false),
    inputMin: attr.float(0),
    inputMax: attr.float(0),
    T: attr.type(floats),
  },
  removed: [22, "Replaced by QuantizeAndDequantizeV2"],
  shape: ({ input }) => input,
  gradient: (_, d): Gradients => ({ input: d.output }),
  host: ({ input, inputMin, inputMax, numBits, ...request }) => {
    const bound = (value: number): NDArray => NDArray.from(value, input.dtype, []);
    return quantizedAndBack(input, bound(inputMin), bound(inputMax), numBits, request);
  },
});

export const QuantizeAndDequantizeV2 = defineOp("QuantizeAndDequantizeV2", {
  inputs: bothInputs,
  outputs: { output: "T" },
  attrs: bothAttrs,
  shape: bothShape,
  gradient: (_, d): Gradients => ({ input: d.output }),
  host: ({ input, inputMin, inputMax, numBits, ...request }) => quantizedAndBack(input, inputMin, inputMax, numBits, request),
});

/** The number of bits as an input. */
export const QuantizeAndDequantizeV3 = defineOp("QuantizeAndDequantizeV3", {
  inputs: { ...bothInputs, numBits: "int32" },
  outputs: { output: "T" },
  attrs: {
    signedInput: attr.bool(true),
    rangeGiven: attr.bool(true),
    T: attr.type(floats),
    narrowRange: attr.bool(false),
    axis: attr.int(-1),
  },
  shape: record => {
    record.numBits.withRank(0);
    return bothShape(record);
  },
  gradient: (_, d): Gradients => ({ input: d.output }),
  host: ({ input, inputMin, inputMax, numBits, ...request }) =>
    quantizedAndBack(input, inputMin, inputMax, Number(numBits.get(0)), request),
});

/** As V2, but gradients flow only where the input lies within the bounds. */
export const QuantizeAndDequantizeV4 = defineOp("QuantizeAndDequantizeV4", {
  inputs: bothInputs,
  outputs: { output: "T" },
  attrs: bothAttrs,
  shape: bothShape,
  gradient: ({ input, inputMin, inputMax, axis }, d): Gradients => passedGradient(d.output, input, inputMin, inputMax, axis),
  host: ({ input, inputMin, inputMax, numBits, ...request }) => quantizedAndBack(input, inputMin, inputMax, numBits, request),
});

export const QuantizeAndDequantizeV4Grad = defineOp("QuantizeAndDequantizeV4Grad", {
  inputs: { gradients: "T", ...bothInputs },
  outputs: { inputBackprop: "T", inputMinBackprop: "T", inputMaxBackprop: "T" },
  attrs: { T: attr.type(floats), axis: attr.int(-1) },
  shape: record => {
    const bounds = boundShape(record.input, [record.inputMin, record.inputMax], record.axis);
    return [record.input.mergeWith(record.gradients), bounds, bounds];
  },
  // TensorFlow takes the gradients for the input here, and so the input for the lower bound.
  gradient: ({ gradients, input, inputMin, axis }, d): Gradients => {
    const { input: a, inputMin: b, inputMax: c } = passedGradient(d.inputBackprop, gradients, input, inputMin, axis);
    return { gradients: a, input: b, inputMin: c };
  },
  host: ({ gradients, input, inputMin, inputMax, axis }) => {
    const at = sliceAt(input.shape, axis);
    const passed = NDArray.zeros(input.dtype, input.shape);
    for (let n = 0; n < input.size; n++) {
      const [x, k] = [Number(input.get(n)), at(n)];
      if (x >= Number(inputMin.get(k)) && x <= Number(inputMax.get(k))) passed.set(n, gradients.get(n));
    }
    const none = (): NDArray => NDArray.zeros(input.dtype, inputMin.shape);
    return [passed, none(), none()];
  },
});

function passedGradient(gradients: Tensor, input: Tensor, inputMin: Tensor, inputMax: Tensor, axis: number) {
  const made = QuantizeAndDequantizeV4Grad({ gradients, input, inputMin, inputMax, axis });
  return { input: made.inputBackprop, inputMin: made.inputMinBackprop, inputMax: made.inputMaxBackprop };
}

// ---- public functions ----

type QuantizedType = "qint8" | "quint8" | "qint32" | "qint16" | "quint16";

interface QuantizeOptions extends Named {
  readonly mode?: Mode;
  readonly roundMode?: "HALF_AWAY_FROM_ZERO" | "HALF_TO_EVEN";
  readonly narrowRange?: boolean;
  readonly axis?: number | null;
  readonly ensureMinimumRange?: number;
}

interface Quantized {
  readonly output: Tensor;
  readonly outputMin: Tensor;
  readonly outputMax: Tensor;
}

const quantized = (
  input: TensorLike,
  minRange: TensorLike,
  maxRange: TensorLike,
  T: QuantizedType,
  options: QuantizeOptions,
): Quantized => {
  const { axis, name, ...rest } = options;
  return QuantizeV2({ input, minRange, maxRange, T, axis: axis ?? -1, ...rest }, { name });
};

/** float32 as integers of type `T` between two bounds, with the bounds those stand for. TF: tf.quantization.quantize. */
export const quantize = (input: TensorLike, minRange: TensorLike, maxRange: TensorLike, T: QuantizedType, ...rest: unknown[]): Quantized =>
  quantized(
    input,
    minRange,
    maxRange,
    T,
    collect<QuantizeOptions>(["mode", "roundMode", "name", "narrowRange", "axis", "ensureMinimumRange"], rest),
  );

/** The same with the older order of arguments. TF: tf.quantize_v2. */
export const quantizeV2 = (
  input: TensorLike,
  minRange: TensorLike,
  maxRange: TensorLike,
  T: QuantizedType,
  ...rest: unknown[]
): Quantized =>
  quantized(
    input,
    minRange,
    maxRange,
    T,
    collect<QuantizeOptions>(["mode", "name", "roundMode", "narrowRange", "axis", "ensureMinimumRange"], rest),
  );

interface DequantizeOptions extends Named {
  readonly mode?: Mode;
  readonly axis?: number | null;
  readonly narrowRange?: boolean;
  readonly dtype?: "bfloat16" | "float32";
}

/** Quantized integers as floats again. TF: tf.quantization.dequantize. */
export function dequantize(input: TensorLike, minRange: TensorLike, maxRange: TensorLike, ...rest: unknown[]): Tensor {
  const { axis, name, ...options } = collect<DequantizeOptions>(["mode", "name", "axis", "narrowRange", "dtype"], rest);
  return Dequantize({ input, minRange, maxRange, axis: axis ?? -1, ...options }, { name });
}

interface BothOptions extends Named {
  readonly signedInput?: boolean;
  readonly numBits?: number;
  readonly rangeGiven?: boolean;
  readonly roundMode?: "HALF_TO_EVEN" | "HALF_UP";
  readonly narrowRange?: boolean;
  readonly axis?: number | null;
}
const bothOptions = ["signedInput", "numBits", "rangeGiven", "roundMode", "name", "narrowRange", "axis"];

/** Floats rounded to what so many bits can hold; gradients pass unchanged. TF: tf.quantization.quantize_and_dequantize. */
export function quantizeAndDequantize(input: TensorLike, inputMin: TensorLike, inputMax: TensorLike, ...rest: unknown[]): Tensor {
  const { axis, name, ...options } = collect<BothOptions>(bothOptions, rest);
  return QuantizeAndDequantizeV2({ input, inputMin, inputMax, axis: axis ?? -1, ...options }, { name });
}

/** The same with gradients only for what lies between the bounds. TF: tf.quantization.quantize_and_dequantize_v2. */
export function quantizeAndDequantizeV2(input: TensorLike, inputMin: TensorLike, inputMax: TensorLike, ...rest: unknown[]): Tensor {
  const { axis, name, ...options } = collect<BothOptions>(bothOptions, rest);
  return QuantizeAndDequantizeV4({ input, inputMin, inputMax, axis: axis ?? -1, ...options }, { name });
}
