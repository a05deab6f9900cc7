// tf.signal: frames, windows, short-time Fourier transforms, cosine transforms, mel scales. Made of other ops, as TensorFlow makes them; the Fourier
// transforms themselves: math-fft.ts. Lengths of frames and steps must be known while the graph is built, the signal's need not be.

import { type DType, isFloating } from "../base/dtype.ts";
import { UnimplementedError, ValueError } from "../base/errors.ts";
import type { NDArray } from "../base/ndarray.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { Tensor } from "../graph/operation.ts";
import { constantValue } from "../graph/shape-inference.ts";
import { constant, expandDims, ones, reshape, shape as shapeOf, zerosLike } from "./array.ts";
import { gather } from "./array-gather.ts";
import { pad, tile } from "./array-padding.ts";
import { linspace, range } from "./array-ranges.ts";
import { reverse, roll, transpose } from "./array-rearranging.ts";
import { where } from "./array-selection.ts";
import { concat, ellipsis, getItem, split, stridedSlice } from "./array-slicing.ts";
import { cond } from "./control-flow-contexts.ts";
import { cast, equal, maximum, minimum, pow } from "./math.ts";
import { irfft, rfft } from "./math-fft.ts";
import { besselI0e, complex, cos, exp, log, real, rsqrt, sin, sqrt, square } from "./math-functions.ts";
import { cumsum, reduceSum } from "./math-reduction.ts";
import { relu } from "./nn.ts";
import { add, floordiv, mod, mul, neg, sub, truediv } from "./operators.ts";

interface Named {
  readonly name?: string | null;
}
const inScope = <R>(name: string | null | undefined, defaultName: string, body: () => R): R =>
  getDefaultGraph().nameScope(name || defaultName, body);

// ---- sizes: numbers where they are known, else tensors ----

type Size = number | Tensor;
const plus = (a: Size, b: Size): Size => (typeof a === "number" && typeof b === "number" ? a + b : add(a, b));
const times = (a: Size, b: Size): Size => (typeof a === "number" && typeof b === "number" ? a * b : mul(a, b));
const downTo = (a: Size, b: number): Size => (typeof a === "number" ? Math.floor(a / b) : floordiv(a, b));
const upTo = (a: Size, b: number): Size => (typeof a === "number" ? Math.ceil(a / b) : neg(floordiv(neg(a), b)));
const atLeastZero = (a: Size): Size => (typeof a === "number" ? Math.max(0, a) : maximum(0, a));

/** Every dimension's size. @throws UnimplementedError if not even their number is known. */
function sizesOf(x: Tensor, what: string): Size[] {
  const { rank } = x.shape;
  if (rank === null) throw new UnimplementedError(`${what} of a tensor whose rank is not known is not supported.`);
  let dims: Tensor | undefined;
  return x.shape.asList().map((known, i) => {
    if (known !== null) return known;
    dims ??= shapeOf(x);
    return getItem(dims, i);
  });
}

/** A length that has to be known now. @throws UnimplementedError if it is not, ValueError if it is no scalar. */
function knownLength(value: TensorLike, name: string): number {
  const tensor = value instanceof Tensor ? value : convertToTensor(value, { name });
  if (tensor.shape.rank !== null && tensor.shape.rank !== 0) throw new ValueError(`Shape ${tensor.shape} must have rank 0`);
  const known: NDArray | undefined = constantValue(tensor);
  if (known === undefined) throw new UnimplementedError(`A ${name} that is only known while running is not supported.`);
  return Number(known.item());
}

// ---- frames ----

export interface FrameOptions extends Named {
  /** Fills the last frames up instead of leaving them out. */
  readonly padEnd?: boolean;
  readonly padValue?: TensorLike;
  readonly axis?: number;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** Frames of `frameLength` samples, one each `frameStep`: [..., samples, ...] becomes [..., frames, frameLength, ...]. TF: tf.signal.frame. */
export function frame(
  signal: TensorLike,
  frameLength: TensorLike,
  frameStep: TensorLike,
  { padEnd = false, padValue = 0, axis = -1, name }: FrameOptions = {},
): Tensor {
  return inScope(name, "frame", () => {
    let x = convertToTensor(signal, { name: "signal" });
    const [length, step] = [knownLength(frameLength, "frame_length"), knownLength(frameStep, "frame_step")];
    const sizes = sizesOf(x, "frame");
    const at = axis < 0 ? axis + sizes.length : axis;
    const [outer, inner] = [sizes.slice(0, at), sizes.slice(at + 1)];
    let samples = sizes[at];
    let frames = atLeastZero(plus(1, downTo(plus(samples, -length), step)));
    if (padEnd) {
      frames = upTo(samples, step);
      const more = atLeastZero(plus(plus(length, times(step, plus(frames, -1))), times(-1, samples)));
      const none = [0, 0] as const;
      const paddings = [...outer.map(() => none), [0, more], ...inner.map(() => none)];
      x = pad(x, paddings as TensorLike, { constantValues: convertToTensor(padValue, { dtype: x.dtype }) });
      samples = plus(samples, more);
    }
    const piece = gcd(length, step);
    const pieces = downTo(samples, piece);
    const kept = [...outer, times(pieces, piece), ...inner] as TensorLike;
    const cut = stridedSlice(x, zerosLike(shapeOf(x)), kept);
    const subframes = reshape(cut, [...outer, pieces, piece, ...inner] as TensorLike);
    const starts = reshape(mul(range(frames), step / piece), [frames, 1] as TensorLike);
    const offsets = reshape(range(length / piece), [1, length / piece]);
    const gathered = gather(subframes, add(starts, offsets), { axis: at });
    const result = reshape(gathered, [...outer, frames, length, ...inner] as TensorLike);
    const known = (list: readonly Size[]): (number | null)[] => list.map(each => (typeof each === "number" ? each : null));
    result.setShape([...known(outer), typeof frames === "number" ? frames : null, length, ...known(inner)]);
    return result;
  });
}

/** Signals [..., samples] of frames [..., frames, frameLength] that overlap: each `frameStep` after the one before, sums where they meet.
 *  TF: tf.signal.overlap_and_add. @throws ValueError if there are fewer than two dimensions. */
export function overlapAndAdd(signal: TensorLike, frameStep: TensorLike, { name }: Named = {}): Tensor {
  return inScope(name, "overlap_and_add", () => {
    const x = convertToTensor(signal, { name: "signal" });
    x.shape.withRankAtLeast(2);
    const step = knownLength(frameStep, "frame_step");
    const sizes = sizesOf(x, "overlapAndAdd");
    const outer = sizes.slice(0, -2);
    const [frames, length] = sizes.slice(-2);
    const shaped = (t: Tensor, ...last: Size[]): Tensor => reshape(t, [...outer, ...last] as TensorLike);
    const samples = plus(length, times(step, plus(frames, -1)));
    if (length === step) return reshape(x, [...outer, samples] as TensorLike, { name: "fast_path" });
    const segments = upTo(length, step);
    const rows = plus(frames, segments);
    const none = [0, 0] as const;
    const paddings = [...outer.map(() => none), [0, segments], [0, plus(times(segments, step), times(-1, length))]];
    const cut = shaped(pad(x, paddings as TensorLike), rows, segments, step);
    const o = outer.length;
    const turned = transpose(cut, [...outer.keys(), o + 1, o, o + 2]);
    const flat = shaped(turned, times(rows, segments), step);
    const shifted = getItem(flat, ellipsis, [null, times(plus(rows, -1), segments)], []);
    const sum = reduceSum(shaped(shifted, segments, plus(rows, -1), step), -3);
    return getItem(shaped(sum, times(plus(rows, -1), step)), ellipsis, [null, samples]);
  });
}

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
const isOne = (length: Tensor): boolean => constantValue(length)?.item() === 1;

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
    if (constantValue(length) !== undefined) return window();
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
export function vorbisWindow(windowLength: TensorLike, { dtype = "float32", name }: WindowOptions = {}): Tensor {
  return inScope(name, "vorbis_window", () => {
    const length = checkedWindow(windowLength, dtype);
    const arg = cast(range(length), dtype);
    const inner = sin(mul(truediv(constant(Math.PI, dtype), cast(length, dtype)), add(arg, 0.5)));
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

const enclosingPowerOfTwo = (length: number): number => 2 ** Math.ceil(Math.log(length) / Math.log(2));

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
    const length = knownLength(frameLength, "frame_length");
    const points = fftLength === null || fftLength === undefined ? enclosingPowerOfTwo(length) : knownLength(fftLength, "fft_length");
    let frames = frame(x, length, frameStep, { padEnd });
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
  { fftLength, windowFn = hannWindow, name }: StftOptions = {},
): Tensor {
  return inScope(name, "inverse_stft", () => {
    const x = convertToTensor(stfts, { name: "stfts" });
    x.shape.withRankAtLeast(2);
    const length = knownLength(frameLength, "frame_length");
    const points = fftLength === null || fftLength === undefined ? enclosingPowerOfTwo(length) : knownLength(fftLength, "fft_length");
    let frames = irfft(x, [points]);
    const rank = sizesOf(frames, "inverseStft").length;
    if (points > length) frames = getItem(frames, ellipsis, [null, length]);
    else if (points < length) frames = pad(frames, [...Array.from({ length: rank - 1 }, () => [0, 0]), [0, length - points]]);
    if (windowFn !== null) frames = mul(frames, windowFn(length, { dtype: realType(x.dtype) }));
    return overlapAndAdd(frames, frameStep);
  });
}

/** A window for inverseStft that undoes `forwardWindowFn`'s: signals come back as they were. TF: tf.signal.inverse_stft_window_fn. */
export function inverseStftWindowFn(
  frameStep: TensorLike,
  { forwardWindowFn = hannWindow, name }: Named & { readonly forwardWindowFn?: WindowFn } = {},
): WindowFn {
  return (frameLength, { dtype }) =>
    inScope(name, "inverse_stft_window_fn", () => {
      const [length, step] = [knownLength(frameLength, "frame_length"), knownLength(frameStep, "frame_step")];
      const window = forwardWindowFn(length, { dtype });
      const overlaps = Math.ceil(length / step);
      const squares = pad(square(window), [[0, overlaps * step - length]]);
      const sums = tile(reduceSum(reshape(squares, [overlaps, step]), 0, { keepdims: true }), [overlaps, 1]);
      const denominator = getItem(reshape(sums, [overlaps * step]), [null, length]);
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
  if (axis !== -1) throw new UnimplementedError(`axis must be -1. Got: ${axis}`);
  if (n !== null && n !== undefined && n < 1) throw new ValueError("n should be a positive integer or None");
  if (![1, 2, 3, 4].includes(type)) throw new ValueError("Types I, II, III and IV (I)DCT are supported.");
  if (type === 1) {
    if (norm === "ortho") throw new ValueError("Normalization is not supported for the Type-I DCT.");
    const last = input.shape.dim(-1);
    if (last !== null && last < 2) throw new ValueError("Type-I DCT requires the dimension to be greater than one.");
  }
  if (norm !== null && norm !== undefined && norm !== "ortho")
    throw new ValueError(`Unknown normalization. Expected None or 'ortho', got: ${String(norm)}`);
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

function transformed(given: Tensor, { type = 2, n, norm, name }: DctOptions): Tensor {
  return inScope(name, "dct", () => {
    let x = given;
    const { dtype } = x;
    const sizes = sizesOf(x, "dct");
    let last = sizes[sizes.length - 1];
    if (n !== null && n !== undefined) {
      if (typeof last !== "number")
        throw new UnimplementedError("dct with n of a dimension that is only known while running is not supported.");
      if (n <= last) x = getItem(x, ellipsis, [0, n]);
      else
        x = pad(
          x,
          sizes.map((_, i) => (i === sizes.length - 1 ? [0, n - (last as number)] : [0, 0])),
        );
      last = n;
    }
    const count = cast(last, dtype);
    const zero = constant(0, dtype);
    const twice = [times(2, last)] as TensorLike;
    const phase = (sign: number): Tensor => mul(2, exp(complex(zero, truediv(mul(mul(mul(range(count), sign), Math.PI), 0.5), count))));
    const weights = (first: Tensor, others: Tensor): Tensor =>
      pad(expandDims(first, 0), [[0, plus(last, -1)]] as TensorLike, { constantValues: others });
    if (type === 1) return real(rfft(concat([x, getItem(x, ellipsis, [-2, 0, -1])], -1)));
    if (type === 2) {
      const spectrum = getItem(rfft(x, twice), ellipsis, [null, last]);
      const result = real(mul(spectrum, phase(-1)));
      if (norm !== "ortho") return result;
      const first = mul(0.5, rsqrt(count));
      return mul(result, weights(first, mul(first, Math.sqrt(2))));
    }
    if (type === 3) {
      const root = sqrt(count);
      const scaled = norm === "ortho" ? mul(x, weights(root, mul(root, Math.sqrt(0.5)))) : mul(x, count);
      return getItem(irfft(mul(phase(1), complex(scaled, zerosLike(scaled))), twice), ellipsis, [null, last]);
    }
    const filled = pad(x, sizes.map((_, i) => (i === sizes.length - 1 ? [0, last] : [0, 0])) as TensorLike);
    const result = getItem(transformed(filled, { type: 2 }), ellipsis, [1, null, 2]);
    return norm === "ortho" ? mul(result, mul(Math.sqrt(0.5), rsqrt(count))) : result;
  });
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
    const length = knownLength(frameLength, "frame_length");
    if (length % 4 !== 0) throw new ValueError("The frame length must be a multiple of 4.");
    const frames = frame(x, length, length / 2, { padEnd });
    const windowed = mul(frames, windowFn === null ? Math.SQRT1_2 : windowFn(length, { dtype: frames.dtype }));
    const parts = split(windowed, 4, { axis: -1 });
    const first = sub(neg(reverse(parts[2], [-1])), parts[3]);
    const second = sub(parts[0], reverse(parts[1], [-1]));
    return dct(concat([first, second], -1), { type: 4, norm: norm ?? null });
  });
}

/** Signals of their modified cosine transforms [..., frames, frameLength/2]. TF: tf.signal.inverse_mdct. */
export function inverseMdct(mdcts: TensorLike, { windowFn = vorbisWindow, norm, name }: MdctOptions = {}): Tensor {
  return inScope(name, "inverse_mdct", () => {
    const x = convertToTensor(mdcts, { name: "mdcts" });
    x.shape.withRankAtLeast(2);
    const half = x.shape.dim(-1);
    if (half === null) throw new UnimplementedError("inverseMdct of a last dimension that is only known while running is not supported.");
    const result = norm === "ortho" ? dct(x, { type: 4, norm }) : mul(0.5 / half, dct(x, { type: 4 }));
    const parts = split(result, 2, { axis: -1 });
    const frames = concat([parts[1], neg(reverse(parts[1], [-1])), neg(reverse(parts[0], [-1])), neg(parts[0])], -1);
    return overlapAndAdd(mul(frames, windowFn === null ? Math.SQRT1_2 : windowFn(2 * half, { dtype: x.dtype })), half);
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
}: MelOptions = {}): Tensor {
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
export function mfccsFromLogMelSpectrograms(logMelSpectrograms: TensorLike, { name }: Named = {}): Tensor {
  return inScope(name, "mfccs_from_log_mel_spectrograms", () => {
    const x = convertToTensor(logMelSpectrograms);
    const bins = x.shape.rank ? x.shape.dim(-1) : null;
    if (bins === 0) throw new ValueError(`num_mel_bins must be positive. Got: ${x}`);
    const spectrum = dct(x, { type: 2 });
    return mul(spectrum, rsqrt(mul(cast(bins ?? getItem(shapeOf(x), -1), spectrum.dtype), 2)));
  });
}

/** The zero frequency moved to the middle of the axes (all of them). TF: tf.signal.fftshift. */
export const fftshift = (x: TensorLike, { axes, name }: ShiftOptions = {}): Tensor =>
  shifted(x, axes, name ?? "fftshift", n => downTo(n, 2));
/** The inverse of fftshift. TF: tf.signal.ifftshift. */
export const ifftshift = (x: TensorLike, { axes, name }: ShiftOptions = {}): Tensor =>
  shifted(x, axes, name ?? "ifftshift", n => times(-1, downTo(n, 2)));

interface ShiftOptions extends Named {
  readonly axes?: number | readonly number[] | null;
}

function shifted(given: TensorLike, axes: ShiftOptions["axes"], name: string, by: (size: Size) => Size): Tensor {
  return inScope(name, name, () => {
    const x = convertToTensor(given);
    const sizes = sizesOf(x, name);
    const list = axes === null || axes === undefined ? [...sizes.keys()] : typeof axes === "number" ? [axes] : [...axes];
    return roll(x, list.map(axis => by(sizes.at(axis) as Size)) as TensorLike, list);
  });
}
