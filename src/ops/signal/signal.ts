// tf.signal: frames, windows, short-time Fourier transforms, cosine transforms, mel scales. Made of other ops, as TensorFlow makes them; the Fourier
// transforms themselves: signal/fft.ts. Lengths are numbers where they are known while the graph is built.

import { type DType, isComplex, isFloating, isInteger } from "../../base/dtype.ts";
import { NotImplementedError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Dimension, TensorShape } from "../../base/shape.ts";
import { pythonStr } from "../../base/python-text.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import { constant, expandDims, numbersOf, ones, rank, reshape, shape as shapeOf, size, zeros, zerosLike } from "../array/array.ts";
import { gather } from "../array/gather.ts";
import { pad, tile } from "../array/padding.ts";
import { linspace, range } from "../array/ranges.ts";
import { reverse, roll, transpose } from "../array/rearranging.ts";
import { where } from "../array/selection.ts";
import { concat, ellipsis, getItem, split, stridedSlice } from "../array/slicing.ts";
import { cond, whileLoop } from "../flow/control-flow-contexts.ts";
import { cast, castInteger } from "../math/cast.ts";
import { equal, greater, greaterEqual, less, lessEqual } from "../math/comparison.ts";
import { maximum, minimum, pow } from "../math/math.ts";
import { irfft, rfft } from "./fft.ts";
import { besselI0e, ceil, complex, cos, exp, log, real, rsqrt, sin, sqrt, square } from "../math/functions.ts";
import { cumsum, reduceSum } from "../math/reduction.ts";
import { relu } from "../nn/nn.ts";
import { add, floordiv, mod, mul, neg, sub, truediv } from "../operators.ts";
import { refuseOthers } from "../arguments.ts";
import { minus, negative, plus, quotient, type Size, times } from "../sizes.ts";

interface Named {
  readonly name?: string | null;
}
const inScope = <R>(name: string | null | undefined, defaultName: string, body: () => R): R =>
  getDefaultGraph().nameScope(name || defaultName, body);

// ---- sizes: numbers where they are known, else tensors ----

const isNumber = (size: Size): size is number => typeof size === "number";
const upTo = (a: Size, b: Size): Size => negative(quotient(negative(a), b));

const integers = (values: readonly number[]): NDArray => NDArray.from([...values], "int32", [values.length]);
const staticInteger = (tensor: Tensor): number | undefined => {
  const value = staticValue(tensor);
  return value === undefined ? undefined : Number(value.item());
};

/** A length as an integer scalar. @throws ValueError if it is no scalar. */
function scalarOf(value: TensorLike, name: string): Tensor {
  const tensor = convertToTensor(value, { name, preferredDtype: "int32" });
  if (tensor.shape.rank !== null && tensor.shape.rank !== 0) throw new ValueError(`Shape ${tensor.shape} must have rank 0`);
  return tensor;
}

/** A list of sizes as a shape: an array where all of them are numbers. */
const shapeOfSizes = (...sizes: readonly Size[]): TensorLike => (sizes.every(isNumber) ? integers(sizes) : (sizes as TensorLike));

// ---- frames ----

export interface FrameOptions extends Named {
  /** Fills the last frames up instead of leaving them out. */
  readonly padEnd?: boolean;
  readonly padValue?: TensorLike;
  readonly axis?: TensorLike;
}

/** The greatest common divisor: a number where both are known, else a loop. */
function gcd(a: Tensor, b: Tensor): Size {
  return inScope(null, "gcd", () => {
    const known = [staticInteger(a), staticInteger(b)] as const;
    const divide = (m: number, n: number): number => (n === 0 ? m : divide(n, m % n));
    if (known[0] !== undefined && known[1] !== undefined) return Number(staticValue(constant(divide(known[0], known[1]), a.dtype))?.item());
    const result = whileLoop(
      (_, rest) => greater(rest as Tensor, zerosLike(rest as Tensor)),
      (whole, rest) => [rest, mod(whole as Tensor, rest as Tensor)],
      [a, b],
      { backProp: false },
    );
    return (result as readonly Tensor[])[0];
  });
}

/** The dimensions before an axis, its own and those behind it: numbers where all of the shape is known. */
function partsAround(
  x: Tensor,
  shape: Tensor,
  axis: Tensor,
): { outer: NDArray | Tensor; samples: Size; inner: NDArray | Tensor; at: Size } {
  const [sizes, given] = [staticValue(shape), staticInteger(axis)];
  if (sizes !== undefined && given !== undefined) {
    const dims = numbersOf(sizes);
    const at = given < 0 ? given + dims.length : given;
    if (at < 0 || at >= dims.length) throw new ValueError(`Axis ${given} is out of range for a signal of rank ${dims.length}.`);
    return { outer: integers(dims.slice(0, at)), samples: dims[at], inner: integers(dims.slice(at + 1)), at };
  }
  const count = rank(x);
  const at = getItem(range(count), given ?? axis);
  const [outer, samples, inner] = split(shape, convertToTensor([at, 1, sub(sub(count, 1), at)] as TensorLike));
  return { outer, samples: reshape(samples, []), inner, at };
}

/** Frames of `frameLength` samples, one each `frameStep`: [..., samples, ...] becomes [..., frames, frameLength, ...]. TF: tf.signal.frame. */
export function frame(
  signal: TensorLike,
  frameLength: TensorLike,
  frameStep: TensorLike,
  { padEnd = false, padValue = 0, axis = -1, name, ...others }: FrameOptions = {},
): Tensor {
  refuseOthers(others);
  return inScope(name, "frame", () => {
    let x = convertToTensor(signal, { name: "signal" });
    const [length, step, place] = [scalarOf(frameLength, "frame_length"), scalarOf(frameStep, "frame_step"), scalarOf(axis, "axis")];
    x.shape.withRankAtLeast(1);
    const known = framedShape(x.shape, staticInteger(length), staticInteger(step), staticInteger(place), padEnd);
    let shape: NDArray | Tensor = shapeOf(x);
    const { outer, inner, at, samples: given } = partsAround(x, shape, place);
    shape = staticValue(shape) ?? shape;
    let samples = given;
    const [outerCount, innerCount] = [size(outer), size(inner)];
    let frames: Tensor;
    if (padEnd) {
      const filling = convertToTensor(padValue, { dtype: x.dtype });
      frames = neg(quotient(negative(samples), step) as Tensor);
      const more = maximum(0, sub(add(length, mul(step, sub(frames, 1))), samples));
      const none = (count: Tensor): Tensor => zeros([count, 2] as TensorLike, more.dtype);
      const before = none(outerCount);
      const paddings = concat([before, convertToTensor([[0, more]] as TensorLike), none(innerCount)], 0);
      x = pad(x, paddings, { constantValues: filling });
      shape = shapeOf(x);
      samples = getItem(shape, at);
    } else {
      const zero = constant(0, length.dtype);
      frames = maximum(zero, add(1, quotient(minus(samples, length), step)));
    }
    const piece = gcd(length, step);
    const perFrame = quotient(length, piece) as Tensor;
    const perHop = quotient(step, piece) as Tensor;
    const pieces = quotient(samples, piece);
    const kept = concat([outer, shapeOfSizes(times(pieces, piece)), inner], 0);
    const cutShape = concat([outer, shapeOfSizes(pieces, piece), inner], 0);
    const subframes = reshape(stridedSlice(x, zerosLike(shape), kept), cutShape);
    const starts = reshape(mul(range(frames, { dtype: length.dtype }), perHop), [frames, 1] as TensorLike);
    const offsets = reshape(range(perFrame, { dtype: length.dtype }), [1, perFrame] as TensorLike);
    const selector = add(starts, offsets);
    const [outerShape, innerShape] = [convertToTensor(outer), convertToTensor(inner)];
    const middle = convertToTensor([frames, length] as TensorLike);
    const gathered = gather(subframes, selector, { axis: at });
    const result = reshape(gathered, concat([outerShape, middle, innerShape], 0));
    if (known !== undefined) result.setShape(known);
    return result;
  });
}

/** What is known of a framed signal's shape. */
function framedShape(
  { dims }: TensorShape,
  length: number | undefined,
  step: number | undefined,
  axis: number | undefined,
  padEnd: boolean,
): Dimension[] | undefined {
  if (dims === null) return undefined;
  if (axis === undefined) return [...dims.map(() => null), null];
  const at = axis < 0 ? axis + dims.length : axis;
  const samples = dims[at];
  let frames: Dimension = null;
  if (samples !== null && step !== undefined) {
    // NumPy divides by zero to zero.
    if (step === 0) frames = 0;
    else if (padEnd) frames = Math.max(0, Math.ceil(samples / step));
    else if (length !== undefined) frames = Math.max(0, Math.floor((samples - length + step) / step));
  }
  return [...dims.slice(0, at), frames, length ?? null, ...dims.slice(at + 1)];
}

/** Signals [..., samples] of frames [..., frames, frameLength] that overlap: each `frameStep` after the one before, sums where they meet.
 *  TF: tf.signal.overlap_and_add. @throws ValueError if there are fewer than two dimensions, or the step is no integer. */
export function overlapAndAdd(signal: TensorLike, frameStep: TensorLike, { name, ...others }: Named = {}): Tensor {
  refuseOthers(others);
  return inScope(name, "overlap_and_add", () => {
    const x = convertToTensor(signal, { name: "signal" });
    x.shape.withRankAtLeast(2);
    const stepTensor = scalarOf(frameStep, "frame_step");
    if (!isInteger(stepTensor.dtype)) throw new ValueError(`frame_step must be an integer. Got <dtype: '${stepTensor.dtype}'>`);
    const step: Size = staticInteger(stepTensor) ?? stepTensor;
    const shape = shapeOf(x);
    const sizes = staticValue(shape);
    const outer = sizes ? integers(numbersOf(sizes).slice(0, -2)) : getItem(shape, [null, -2]);
    const countTensor = size(outer);
    const count: Size = staticInteger(countTensor) ?? countTensor;
    const sizeAt = (i: number): Size => (sizes ? Number(sizes.get(sizes.size + i)) : getItem(shape, i));
    const shaped = (t: Tensor, ...last: Size[]): Tensor => reshape(t, concat([outer, shapeOfSizes(...last)], 0));
    const [length, frames] = [sizeAt(-1), sizeAt(-2)];
    const samples = plus(length, times(step, minus(frames, 1)));
    if (isNumber(step) && step === x.shape.dim(-1)) return reshape(x, concat([outer, shapeOfSizes(samples)], 0), { name: "fast_path" });
    const segments = upTo(length, step);
    const rows = (): Size => plus(frames, segments);
    const last = [0, minus(times(segments, step), length)];
    const none = zeros([count, 2] as TensorLike, "int32");
    const paddings = concat(
      [
        none,
        (isNumber(segments) && isNumber(last[1]) ? integerPairs([0, segments], last as number[]) : [[0, segments], last]) as TensorLike,
      ],
      0,
    );
    const cut = shaped(pad(x, paddings), rows(), segments, step);
    const axes = range(count);
    const swapped = isNumber(count) ? integers([count + 1, count, count + 2]) : add(count, integers([1, 0, 2]));
    const order = concat([axes, swapped], 0);
    const turned = transpose(cut, staticValue(order) ?? order);
    const flat = shaped(turned, times(rows(), segments), step);
    const shifted = getItem(flat, ellipsis, [null, times(minus(rows(), 1), segments)], []);
    const sum = reduceSum(shaped(shifted, segments, minus(rows(), 1), step), -3);
    return getItem(shaped(sum, times(minus(rows(), 1), step)), ellipsis, [null, samples]);
  });
}

const integerPairs = (...pairs: readonly (readonly number[])[]): NDArray => NDArray.from(pairs.flat(), "int32", [pairs.length, 2]);

// ---- windows ----

export interface WindowOptions extends Named {
  readonly dtype?: DType;
}

function checkedWindow(windowLength: TensorLike, dtype: DType): Tensor {
  if (!isFloating(dtype)) throw new ValueError(`dtype must be a floating point type. Found <dtype: '${dtype}'>`);
  const length = convertToTensor(windowLength, { dtype: "int32", name: "window_length" });
  if (length.shape.rank !== null && length.shape.rank !== 0) throw new ValueError(`Shape ${length.shape} must have rank 0`);
  return length;
}
const isOne = (length: Tensor): boolean => staticValue(length)?.item() === 1;

/** a - b·cos(2πk/n). */
function raisedCosine(
  defaultName: string,
  [a, b]: readonly [number, number],
  windowLength: TensorLike,
  { periodic = true, dtype = "float32", name }: WindowOptions & { readonly periodic?: boolean },
): Tensor {
  return inScope(name, defaultName, () => {
    const length = checkedWindow(windowLength, dtype);
    if (isOne(length)) return ones([1], dtype);
    const isPeriodic = cast(convertToTensor(periodic, { dtype: "bool", name: "periodic" }), "int32");
    const even = sub(1, mod(length, 2));
    const n = cast(sub(add(length, mul(isPeriodic, even)), 1), dtype);
    const count = cast(range(length), dtype);
    const angle = truediv(mul(constant(2 * Math.PI, dtype), count), n);
    const window = (): Tensor => sub(a, mul(b, cos(angle)));
    if (staticValue(length) !== undefined) return window();
    return cond(equal(length, 1), () => ones([length] as TensorLike as never, dtype), window) as Tensor;
  });
}

type PeriodicOptions = WindowOptions & { readonly periodic?: boolean };
/** ½ - ½·cos: a window of `windowLength`. TF: tf.signal.hann_window. */
export const hannWindow = (windowLength: TensorLike, options: PeriodicOptions = {}): Tensor =>
  raisedCosine("hann_window", [0.5, 0.5], windowLength, options);
/** 0.54 - 0.46·cos. TF: tf.signal.hamming_window. */
export const hammingWindow = (windowLength: TensorLike, options: PeriodicOptions = {}): Tensor =>
  raisedCosine("hamming_window", [0.54, 0.46], windowLength, options);

/** sin(π/2·sin²(π(k + ½)/n)), of which squares of halves add up to one. TF: tf.signal.vorbis_window. */
export function vorbisWindow(windowLength: TensorLike, { dtype = "float32", name, ...others }: WindowOptions = {}): Tensor {
  refuseOthers(others);
  return inScope(name, "vorbis_window", () => {
    const length = checkedWindow(windowLength, dtype);
    const arg = cast(range(length), dtype);
    const inner = sin(mul(truediv(Math.PI, cast(length, dtype)), add(arg, 0.5)));
    return sin(mul(Math.PI / 2, pow(inner, 2)));
  });
}

/** I₀(β√(1 - x²)) / I₀(β). TF: tf.signal.kaiser_window. */
export function kaiserWindow(
  windowLength: TensorLike,
  { beta = 12, dtype = "float32", name }: WindowOptions & { readonly beta?: TensorLike } = {},
): Tensor {
  return inScope(name, "kaiser_window", () => {
    const length = checkedWindow(windowLength, dtype);
    if (isOne(length)) return ones([1], dtype);
    const half = truediv(sub(cast(length, "float32"), 1), 2);
    const arg = cast(range(neg(half), add(half, 0.1), 1), dtype);
    const b = cast(beta, dtype);
    const ratio = truediv(arg, cast(half, dtype));
    const num = mul(b, sqrt(relu(sub(constant(1, dtype), square(ratio)))));
    return mul(exp(sub(num, b)), truediv(besselI0e(num), besselI0e(b)));
  });
}

/** Square roots of running sums of a Kaiser window, and the same backwards. TF: tf.signal.kaiser_bessel_derived_window. */
export function kaiserBesselDerivedWindow(
  windowLength: TensorLike,
  { beta = 12, dtype = "float32", name }: WindowOptions & { readonly beta?: TensorLike } = {},
): Tensor {
  return inScope(name, "kaiser_bessel_derived_window", () => {
    const length = checkedWindow(windowLength, dtype);
    const sums = cumsum(kaiserWindow(add(floordiv(length, 2), 1), { beta, dtype }));
    const half = sqrt(truediv(getItem(sums, [null, -1]), getItem(sums, -1)));
    return concat([half, getItem(half, [null, null, -1])], 0);
  });
}

// ---- short-time Fourier transforms ----

type WindowFn = (frameLength: TensorLike, options: { readonly dtype: DType }) => Tensor;

export interface StftOptions extends Named {
  /** Default: the power of two that holds a frame. */
  readonly fftLength?: TensorLike | null;
  /** Default: hannWindow; null: none. */
  readonly windowFn?: WindowFn | null;
}

function enclosingPowerOfTwo(length: Tensor): Tensor {
  const known = staticInteger(length);
  if (known !== undefined && known < 0) throw new ValueError("cannot convert float NaN to integer");
  if (known !== undefined) return constant(2 ** Math.ceil(Math.log(known) / Math.log(2)), length.dtype);
  return cast(pow(2, ceil(truediv(log(cast(length, "float32")), log(2)))), length.dtype);
}

const pointsOf = (fftLength: StftOptions["fftLength"], length: Tensor): Tensor =>
  fftLength === null || fftLength === undefined ? enclosingPowerOfTwo(length) : scalarOf(fftLength, "fft_length");

/** Fourier transforms of windowed frames: real signals [..., samples] become complex [..., frames, fftLength/2 + 1]. TF: tf.signal.stft. */
export function stft(
  signals: TensorLike,
  frameLength: TensorLike,
  frameStep: TensorLike,
  { fftLength, windowFn = hannWindow, padEnd = false, name }: StftOptions & { readonly padEnd?: boolean } = {},
): Tensor {
  return inScope(name, "stft", () => {
    const x = convertToTensor(signals, { name: "signals" });
    x.shape.withRankAtLeast(1);
    const [length, step] = [scalarOf(frameLength, "frame_length"), scalarOf(frameStep, "frame_step")];
    const points = pointsOf(fftLength, length);
    let frames = frame(x, length, step, { padEnd });
    if (windowFn !== null) frames = mul(frames, windowFn(length, { dtype: frames.dtype }));
    return rfft(frames, [points]);
  });
}

const realType = (dtype: DType): DType => (dtype === "complex128" ? "float64" : "float32");

/** Signals of the transforms of their frames: the inverse of stft where `windowFn` is inverseStftWindowFn's. TF: tf.signal.inverse_stft. */
export function inverseStft(
  stfts: TensorLike,
  frameLength: TensorLike,
  frameStep: TensorLike,
  { fftLength, windowFn = hannWindow, name, ...others }: StftOptions = {},
): Tensor {
  refuseOthers(others);
  return inScope(name, "inverse_stft", () => {
    const x = convertToTensor(stfts, { name: "stfts" });
    x.shape.withRankAtLeast(2);
    const [length, step] = [scalarOf(frameLength, "frame_length"), scalarOf(frameStep, "frame_step")];
    const points = pointsOf(fftLength, length);
    let frames = resized(irfft(x, [points]), length);
    if (windowFn !== null) frames = mul(frames, windowFn(length, { dtype: realType(x.dtype) }));
    return overlapAndAdd(frames, step);
  });
}

/** The last axis cut or filled up to a length. */
function resized(x: Tensor, length: Tensor): Tensor {
  const known = staticInteger(length);
  const { dims } = x.shape;
  const own = dims === null ? null : x.shape.dim(-1);
  let result = x;
  if (known === undefined || dims === null || own === null) {
    const cut = getItem(x, ellipsis, [null, length]);
    const [count, shape] = [rank(cut), shapeOf(cut)];
    const none = zeros([sub(count, 1), 2] as TensorLike, length.dtype);
    result = pad(cut, concat([none, [[0, maximum(0, sub(length, getItem(shape, -1)))]] as TensorLike], 0));
  } else if (own > known) result = getItem(x, ellipsis, [null, known]);
  else if (own < known) result = pad(x, integerPairs(...dims.slice(1).map(() => [0, 0]), [0, known - own]));
  if (known !== undefined && dims !== null) result.setShape([...dims.slice(1).map(() => null), known]);
  return result;
}

/** A window for inverseStft that undoes `forwardWindowFn`'s: signals come back as they were. TF: tf.signal.inverse_stft_window_fn. */
export function inverseStftWindowFn(
  frameStep: TensorLike,
  { forwardWindowFn = hannWindow, name, ...others }: Named & { readonly forwardWindowFn?: WindowFn } = {},
): WindowFn {
  refuseOthers(others);
  return (frameLength, { dtype }) =>
    inScope(name, "inverse_stft_window_fn", () => {
      const step = scalarOf(frameStep, "frame_step");
      const length = scalarOf(frameLength, "frame_length");
      const window = forwardWindowFn(length, { dtype });
      const squares = square(window);
      const overlaps = upTo(length, step) as Tensor;
      const filled = pad(squares, [[0, sub(mul(overlaps, step), length)]] as TensorLike);
      const sum = reduceSum(reshape(filled, [overlaps, step] as TensorLike), 0, { keepdims: true });
      const sums = tile(sum, [overlaps, 1] as TensorLike);
      const denominator = getItem(reshape(sums, [mul(overlaps, step)] as TensorLike), [null, length]);
      return where(equal(denominator, 0), zerosLike(window), truediv(window, denominator)) as Tensor;
    });
}

// ---- cosine transforms ----

export interface DctOptions extends Named {
  /** 1 to 4; default 2. */
  readonly type?: 1 | 2 | 3 | 4;
  /** The length to cut or fill the input to. */
  readonly n?: number | null;
  readonly axis?: number;
  readonly norm?: "ortho" | null;
}

/** @throws ValueError with TensorFlow's text for other types and norms. */
function checkDct(input: Tensor, { type = 2, n, axis = -1, norm }: DctOptions): void {
  if (axis !== -1) throw new NotImplementedError(`axis must be -1. Got: ${pythonStr(axis)}`);
  if (n !== null && n !== undefined && n < 1) throw new ValueError("n should be a positive integer or None");
  if (![1, 2, 3, 4].includes(type)) throw new ValueError("Types I, II, III and IV (I)DCT are supported.");
  if (type === 1) {
    if (norm === "ortho") throw new ValueError("Normalization is not supported for the Type-I DCT.");
    const last = input.shape.dim(-1);
    if (last !== null && last < 2) throw new ValueError("Type-I DCT requires the dimension to be greater than one.");
  }
  if (norm !== null && norm !== undefined && norm !== "ortho")
    throw new ValueError(`Unknown normalization. Expected None or 'ortho', got: ${pythonStr(norm)}`);
}

/** The cosine transform of the last dimension, by a Fourier transform of twice the length. TF: tf.signal.dct. */
export function dct(input: TensorLike, options: DctOptions = {}): Tensor {
  const x = convertToTensor(input);
  checkDct(x, options);
  return transformed(x, options);
}

/** The inverse of dct, but for a factor of 2n (2(n - 1) for type 1) where `norm` is not "ortho". TF: tf.signal.idct. */
export function idct(input: TensorLike, { type = 2, ...options }: DctOptions = {}): Tensor {
  const x = convertToTensor(input);
  checkDct(x, { type, ...options });
  return transformed(x, { type: ({ 1: 1, 2: 3, 3: 2, 4: 4 } as const)[type], ...options });
}

function transformed(given: Tensor, { type = 2, n, norm, name }: Omit<DctOptions, "n"> & { readonly n?: Size | null | undefined }): Tensor {
  return inScope(name, "dct", () => {
    let x = given;
    const { dtype } = x;
    if (!isFloating(dtype) && !isComplex(dtype)) throw new TypeError(`Expected ${dtype}, but got 0.0 of type 'float'.`);
    const zero = constant(0, dtype);
    const lastOf = (t: Tensor): Size => t.shape.dim(-1) || getItem(shapeOf(t), -1);
    const length = lastOf(x);
    if (n !== null && n !== undefined) x = resizedTo(x, n, length);
    const last = lastOf(x);
    const count = isNumber(last) ? castInteger(last, dtype) : cast(last, dtype);
    const angles = (t: Tensor): Tensor => complex(zero, truediv(mul(mul(t, Math.PI), 0.5), count));
    const twice = (): TensorLike => [times(2, last)] as TensorLike;
    const weights = (first: Tensor, others: Tensor): Tensor =>
      pad(expandDims(first, 0), [[0, minus(last, 1)]] as TensorLike, { constantValues: others });
    if (type === 1) return real(rfft(concat([x, getItem(x, ellipsis, [-2, 0, -1])], -1)));
    if (type === 2) {
      const scale = mul(2, exp(angles(neg(range(count)))));
      const result = real(mul(getItem(rfft(x, twice()), ellipsis, [null, last]), scale));
      if (norm !== "ortho") return result;
      const first = mul(0.5, rsqrt(count));
      return mul(result, weights(first, mul(first, Math.sqrt(2))));
    }
    if (type === 3) {
      let scaled: Tensor;
      if (norm === "ortho") {
        const first = sqrt(count);
        scaled = mul(x, weights(first, mul(first, Math.sqrt(0.5))));
      } else scaled = mul(x, count);
      const scale = mul(2, exp(angles(range(count))));
      return getItem(real(irfft(mul(scale, complex(scaled, zero)), twice())), ellipsis, [null, last]);
    }
    const result = getItem(transformed(x, { type: 2, n: times(2, last) }), ellipsis, [1, null, 2]);
    return norm === "ortho" ? mul(result, mul(Math.sqrt(0.5), rsqrt(count))) : result;
  });
}

/** The last axis cut or filled up to n; decided while running where its length or n is not known. */
function resizedTo(x: Tensor, n: Size, length: Size): Tensor {
  const { rank: axes } = x.shape;
  if (axes === null) throw new ValueError("Cannot take the length of shape with unknown rank.");
  const cut = (): Tensor => getItem(x, ellipsis, [0, n]);
  const fill = (): Tensor => {
    const none = Array.from({ length: axes - 1 }, () => [0, 0]);
    const more = minus(n, length);
    return pad(x, convertToTensor(isNumber(more) ? integerPairs(...none, [0, more]) : ([...none, [0, more]] as TensorLike)));
  };
  if (!isNumber(n)) return cond(lessEqual(n, length), cut, fill) as Tensor;
  if (!isNumber(length)) return cond(greaterEqual(length, n), cut, fill) as Tensor;
  return n <= length ? cut() : fill();
}

interface MdctOptions extends Named {
  /** Default: vorbisWindow; null: none. */
  readonly windowFn?: WindowFn | null;
  readonly norm?: "ortho" | null;
}

/** Modified cosine transforms of frames that overlap by half. TF: tf.signal.mdct. @throws ValueError unless the frame length is a multiple of 4. */
export function mdct(
  signals: TensorLike,
  frameLength: TensorLike,
  { windowFn = vorbisWindow, padEnd = false, norm, name }: MdctOptions & { readonly padEnd?: boolean } = {},
): Tensor {
  return inScope(name, "mdct", () => {
    const x = convertToTensor(signals, { name: "signals" });
    x.shape.withRankAtLeast(1);
    const length = scalarOf(frameLength, "frame_length");
    const known = staticInteger(length);
    if (known !== undefined && known % 4 !== 0) throw new ValueError("The frame length must be a multiple of 4.");
    const step = known === undefined ? floordiv(length, 2) : constant(known / 2, length.dtype);
    const frames = frame(x, length, step, { padEnd });
    const windowed = mul(frames, windowFn === null ? Math.SQRT1_2 : windowFn(length, { dtype: frames.dtype }));
    const parts = split(windowed, 4, { axis: -1 });
    const first = sub(neg(reverse(parts[2], [-1])), parts[3]);
    const second = sub(parts[0], reverse(parts[1], [-1]));
    return dct(concat([first, second], -1), { type: 4, norm: norm ?? null });
  });
}

/** Signals of their modified cosine transforms [..., frames, frameLength/2]. TF: tf.signal.inverse_mdct. */
export function inverseMdct(mdcts: TensorLike, { windowFn = vorbisWindow, norm, name, ...others }: MdctOptions = {}): Tensor {
  refuseOthers(others);
  return inScope(name, "inverse_mdct", () => {
    const x = convertToTensor(mdcts, { name: "mdcts" });
    x.shape.withRankAtLeast(2);
    const half = x.shape.dim(-1);
    if (half === null)
      throw new ValueError(
        "Cannot convert unknown Dimension ? to a Tensor.",
        "Tell the last dimension: `mdcts.setShape([…, frameLength / 2])`.",
      );
    const count = castInteger(half, "int32");
    const result = norm === "ortho" ? dct(x, { type: 4, norm }) : mul(truediv(0.5, cast(count, x.dtype)), dct(x, { type: 4 }));
    const parts = split(result, 2, { axis: -1 });
    const frames = concat([parts[1], neg(reverse(parts[1], [-1])), neg(reverse(parts[0], [-1])), neg(parts[0])], -1);
    return overlapAndAdd(mul(frames, windowFn === null ? Math.SQRT1_2 : windowFn(mul(2, count), { dtype: x.dtype })), count);
  });
}

// ---- mel scales ----

const breakFrequency = 700;
const highFrequencyQ = 1127;
const hertzToMel = (hertz: Tensor): Tensor =>
  inScope(null, "hertz_to_mel", () => mul(highFrequencyQ, log(add(1, truediv(hertz, breakFrequency)))));

export interface MelOptions extends Named {
  readonly numMelBins?: number;
  readonly numSpectrogramBins?: number;
  readonly sampleRate?: number;
  readonly lowerEdgeHertz?: number;
  readonly upperEdgeHertz?: number;
  readonly dtype?: DType;
}

/** A matrix [spectrogramBins, melBins] of triangles, evenly spaced on the mel scale. TF: tf.signal.linear_to_mel_weight_matrix.
 *  @throws ValueError for edges that are out of order or above half the sample rate. */
export function linearToMelWeightMatrix({
  numMelBins = 20,
  numSpectrogramBins = 129,
  sampleRate = 8000,
  lowerEdgeHertz = 125,
  upperEdgeHertz = 3800,
  dtype = "float32",
  name,
  ...others
}: MelOptions = {}): Tensor {
  refuseOthers(others);
  return inScope(name, "linear_to_mel_weight_matrix", () => {
    if (numMelBins <= 0) throw new ValueError(`num_mel_bins must be positive. Got: ${numMelBins}`);
    if (lowerEdgeHertz < 0) throw new ValueError(`lower_edge_hertz must be non-negative. Got: ${lowerEdgeHertz}`);
    if (lowerEdgeHertz >= upperEdgeHertz)
      throw new ValueError(`lower_edge_hertz ${lowerEdgeHertz.toFixed(1)} >= upper_edge_hertz ${upperEdgeHertz.toFixed(1)}`);
    if (sampleRate <= 0) throw new ValueError(`sample_rate must be positive. Got: ${sampleRate}`);
    if (upperEdgeHertz > sampleRate / 2)
      throw new ValueError(
        `upper_edge_hertz must not be larger than the Nyquist frequency (sample_rate / 2). Got ${upperEdgeHertz} for sample_rate: ${sampleRate}`,
      );
    if (!isFloating(dtype)) throw new ValueError(`dtype must be a floating point type. Got: <dtype: '${dtype}'>`);
    const number = (value: number): Tensor => constant(value, dtype);
    const linear = getItem(linspace(number(0), truediv(cast(sampleRate, dtype), 2), numSpectrogramBins), [1, null]);
    const bins = expandDims(hertzToMel(linear), 1);
    const edges = linspace(hertzToMel(number(lowerEdgeHertz)), hertzToMel(number(upperEdgeHertz)), numMelBins + 2);
    const triples = split(frame(edges, 3, 1), 3, { axis: 1 });
    const [lower, center, upper] = triples.map(part => reshape(part, [1, numMelBins]));
    const rising = truediv(sub(bins, lower), sub(center, lower));
    const falling = truediv(sub(upper, bins), sub(upper, center));
    return pad(maximum(number(0), minimum(rising, falling)), [
      [1, 0],
      [0, 0],
    ]);
  });
}

/** Cepstral coefficients of log-mel spectrograms [..., melBins]. TF: tf.signal.mfccs_from_log_mel_spectrograms. */
export function mfccsFromLogMelSpectrograms(logMelSpectrograms: TensorLike, { name, ...others }: Named = {}): Tensor {
  refuseOthers(others);
  return inScope(name, "mfccs_from_log_mel_spectrograms", () => {
    const x = convertToTensor(logMelSpectrograms);
    const bins = x.shape.rank ? x.shape.dim(-1) : null;
    if (bins === 0) throw new ValueError(`num_mel_bins must be positive. Got: ${x}`);
    const spectrum = dct(x, { type: 2 });
    return mul(spectrum, rsqrt(mul(cast(bins ?? getItem(shapeOf(x), -1), spectrum.dtype), 2)));
  });
}

/** The zero frequency moved to the middle of the axes (all of them). TF: tf.signal.fftshift. */
export const fftshift = (x: TensorLike, options: ShiftOptions = {}): Tensor => shifted(x, options, "fftshift", half => half);
/** The inverse of fftshift. TF: tf.signal.ifftshift. */
export const ifftshift = (x: TensorLike, options: ShiftOptions = {}): Tensor => shifted(x, options, "ifftshift", neg);

interface ShiftOptions extends Named {
  readonly axes?: number | readonly number[] | null;
}

function shifted(given: TensorLike, { axes, name }: ShiftOptions, defaultName: string, turned: (half: Tensor) => Tensor): Tensor {
  return getDefaultGraph().nameScope(name || defaultName, scope => {
    const x = convertToTensor(given);
    const by = (sizes: Tensor, along: TensorLike): Tensor => roll(x, turned(floordiv(sizes, 2)), along, { name: String(scope) });
    if (typeof axes === "number") return by(getItem(shapeOf(x), axes), axes);
    if (axes === null || axes === undefined) {
      const { rank: count } = x.shape;
      if (count === null) throw new UnimplementedError(`${defaultName} of a tensor whose rank is not known is not supported.`);
      // No axes at all are a list of floats, which is refused.
      return by(shapeOf(x), count === 0 ? convertToTensor([], { name: `${scope}axis` }) : integers([...Array(count).keys()]));
    }
    const list = integers(axes);
    const count = rank(x);
    const along = where(less(list, 0), add(list, count), list) as Tensor;
    return by(gather(shapeOf(x), along), along);
  });
}
