// Discrete Fourier transforms over the last one, two or three axes, of complex and of real numbers: fourier.ts, called as a routine.

import { type DType, dtypeTable, isComplex } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray, numbersIn } from "../../base/ndarray.ts";
import { type Dimension, sizeOf, type TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named, type ShapeContext } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { staticShape, staticValue } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { collect, need } from "../arguments.ts";
import { expandDims, numbersOf, ones, onesLike, rank as rankOf, reshape, shape, zeros, zerosLike } from "../array/array.ts";
import { pad, tile } from "../array/padding.ts";
import { range } from "../array/ranges.ts";
import { transpose } from "../array/rearranging.ts";
import { where } from "../array/selection.ts";
import { concat, ellipsis, getItem, slice, stack, unstack } from "../array/slicing.ts";
import { cast } from "../math/cast.ts";
import { equal, logicalOr } from "../math/comparison.ts";
import { FloorMod, maximum, minimum } from "../math/math.ts";
import { conj, exp, real as realPart, reciprocal } from "../math/functions.ts";
import { matmul } from "../math/matrix.ts";
import { reduceProd } from "../math/reduction.ts";
import { inNameScope, type NameOption, named } from "../named.ts";
import * as operator from "../operators.ts";
import { inverseOf, type Parts, partsOf, realTransformOf, type Transform, transformOf } from "./fourier.ts";

// ---- fields ----

/** Made when it is first asked for: a program may be compiled and never run. */
function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

interface Field extends Parts {
  readonly dims: readonly number[];
}

/** Transforms every line along an axis of a field. */
function transformAxis({ dims, re, im }: Field, axis: number, { run }: Transform): void {
  const stride = sizeOf(dims.slice(axis + 1));
  const block = dims[axis] * stride;
  for (let start = 0; start < re.length; start += block) run({ re, im }, start, stride);
}

const emptyField = (dims: readonly number[]): Field => ({ dims, ...partsOf(sizeOf(dims)) });

/** The first part of an array along its last axes, as a field of the given size. */
function cropped(array: NDArray, dims: readonly number[]): Field {
  const field = emptyField(dims);
  const { re, im } = field;
  const numbers = numbersIn(array);
  const width = isComplex(array.dtype) ? 2 : 1;
  const length = dims[dims.length - 1];
  const at = Array<number>(dims.length - 1).fill(0);
  for (let row = 0; row < re.length; row += length) {
    const from = width * at.reduce((sum, i, axis) => (sum + i) * array.shape[axis + 1], 0);
    for (let i = 0; i < length; i++) {
      re[row + i] = numbers[from + width * i];
      if (width === 2) im[row + i] = numbers[from + 2 * i + 1];
    }
    for (let axis = at.length - 1; axis >= 0 && ++at[axis] === dims[axis]; axis--) at[axis] = 0;
  }
  return field;
}

// ---- complex transforms ----

const complexTypes = attr.type(["complex64", "complex128"], "complex64");
const realTypes = attr.type(["float32", "float64"], "float32");

/** The transform of each axis, forward (-1) or backward. */
const directed = (lengths: readonly number[], sign: 1 | -1): Transform[] =>
  lengths.map(length => (sign === 1 ? inverseOf(transformOf(length)) : transformOf(length)));

function complexTransform(input: Value, rank: number, sign: 1 | -1): Value {
  checkTransformed(input.shape, rank);
  const transforms = once(() => directed(input.shape.slice(-rank), sign));
  const run = ([given]: readonly NDArray[], [result]: readonly NDArray[]): void => {
    const field = cropped(given, given.shape);
    transforms().forEach((transform, k) => void transformAxis(field, given.rank - rank + k, transform));
    const scale = sign === 1 ? 1 / sizeOf(given.shape.slice(-rank)) : 1;
    const parts = result.data as Float64Array;
    for (let i = 0; i < field.re.length; i++) {
      parts[2 * i] = field.re[i] * scale;
      parts[2 * i + 1] = field.im[i] * scale;
    }
  };
  return ir.call({ name: "FFT", run }, [input], [input])[0];
}

/** How many elements a transform runs over. */
const transformSize = (x: Tensor, rank: number): Tensor => reduceProd(getItem(shape(x), [-rank, null]));

const complexOp = <const T extends string>(type: T, rank: number, sign: 1 | -1, inverse: (x: Tensor) => Tensor) =>
  defineOp(type, {
    inputs: { input: "Tcomplex" },
    outputs: { output: "Tcomplex" },
    attrs: { Tcomplex: complexTypes },
    shape: ({ input }) => input.withRankAtLeast(rank),
    gradient: ({ Tcomplex }, d): Gradients => {
      const real = Tcomplex === "complex64" ? "float32" : "float64";
      const size = transformSize(d.output, rank);
      const scale = sign === -1 ? cast(size, Tcomplex) : cast(operator.truediv(1, cast(size, real)), Tcomplex);
      return { input: operator.mul(inverse(d.output), scale) };
    },
    lower: ({ input }) => complexTransform(input, rank, sign),
  });

type Made = (record: { readonly input: TensorLike }) => Tensor;
const later =
  (op: () => Made) =>
  (x: Tensor): Tensor =>
    op()({ input: x });

export const FFT = complexOp(
  "FFT",
  1,
  -1,
  later((): Made => IFFT),
);
export const IFFT = complexOp(
  "IFFT",
  1,
  1,
  later((): Made => FFT),
);
export const FFT2D = complexOp(
  "FFT2D",
  2,
  -1,
  later((): Made => IFFT2D),
);
export const IFFT2D = complexOp(
  "IFFT2D",
  2,
  1,
  later((): Made => FFT2D),
);
export const FFT3D = complexOp(
  "FFT3D",
  3,
  -1,
  later((): Made => IFFT3D),
);
export const IFFT3D = complexOp(
  "IFFT3D",
  3,
  1,
  later((): Made => FFT3D),
);

// ---- transforms of real numbers: half of the result, the other half being its mirror image ----

const half = (n: number): number => (n === 0 ? 0 : Math.trunc(n / 2) + 1);

function realShape(
  { input, fftLength }: { readonly input: TensorShape; readonly fftLength: TensorShape },
  rank: number,
  isForward: boolean,
  context: ShapeContext,
): TensorShape {
  const known = input.withRankAtLeast(rank);
  const count = fftLength.withRank(1).dim(0);
  if (count !== null && count !== rank) throw new ValueError(`Dimension must be ${rank} but is ${count}`);
  if (known.dims === null) return known;
  const lengths: readonly Dimension[] = context.partial("fftLength")?.values ?? Array<null>(rank).fill(null);
  const inner = lengths.map((n, i) => (n !== null && isForward && i === rank - 1 ? half(n) : n === -1 ? null : n));
  return known.slice(0, -rank).concatenate(inner);
}

const checkTransformed = (input: readonly number[], rank: number): void =>
  need(input.length >= rank, () => `Input must have rank of at least ${rank} but got: [${input}]`);

/** The lengths of a transform of real numbers; an axis of nothing is as good as zeros. */
function lengthsOf(input: readonly number[], fftLength: NDArray, rank: number, needed: (length: number, axis: number) => number): number[] {
  const lengths = numbersOf(fftLength);
  lengths.forEach((length, i) => {
    need(length >= 0, () => `fft_length[${i}] must >= 0, but got: ${length}`);
    const axis = input.length - rank + i;
    const least = needed(length, i);
    need(
      input[axis] === 0 || input[axis] >= least,
      () => `Input dimension ${axis} must have length of at least ${least} but got: ${input[axis]}`,
    );
  });
  return lengths;
}

function checkReal({ input, fftLength }: { readonly input: readonly number[]; readonly fftLength: readonly number[] }, rank: number): void {
  checkTransformed(input, rank);
  need(fftLength.length === 1 && fftLength[0] === rank, () => `fft_length must have shape [${rank}]`);
}

function forwardReal(input: Value, lengths: readonly number[], dtype: DType): Value {
  const rank = lengths.length;
  const batch = input.shape.slice(0, -rank);
  const kept = [...batch, ...lengths.slice(0, -1), half(lengths[rank - 1])];
  if (input.shape.includes(0)) return ir.full(dtype, kept, 0);
  const [n, width] = [lengths[rank - 1], half(lengths[rank - 1])];
  const transforms = once(() => ({ rows: realTransformOf(n), others: directed(lengths.slice(0, -1), -1) }));
  const run = ([given]: readonly NDArray[], [result]: readonly NDArray[]): void => {
    const { rows, others } = transforms();
    const [numbers, field] = [cropped(given, [...batch, ...lengths]), emptyField(kept)];
    const line = partsOf(n + 1);
    for (let from = 0, to = 0; to < field.re.length; from += n, to += width) {
      line.re.set(numbers.re.subarray(from, from + n));
      rows.forward(line, 0);
      field.re.set(line.re.subarray(0, width), to);
      field.im.set(line.im.subarray(0, width), to);
    }
    others.forEach((transform, k) => void transformAxis(field, batch.length + k, transform));
    const parts = result.data as Float64Array;
    for (let i = 0; i < field.re.length; i++) {
      parts[2 * i] = field.re[i];
      parts[2 * i + 1] = field.im[i];
    }
  };
  return ir.call({ name: "RFFT", run }, [input], [{ dtype, shape: kept }])[0];
}

function inverseReal(input: Value, lengths: readonly number[], dtype: DType): Value {
  const rank = lengths.length;
  const [n, width] = [lengths[rank - 1], half(lengths[rank - 1])];
  const batch = input.shape.slice(0, -rank);
  if (input.shape.includes(0)) return ir.full(dtype, [...batch, ...lengths], 0);
  const transforms = once(() => ({ rows: realTransformOf(n), others: directed(lengths.slice(0, -1), 1) }));
  const run = ([given]: readonly NDArray[], [result]: readonly NDArray[]): void => {
    const { rows, others } = transforms();
    const field = cropped(given, [...batch, ...lengths.slice(0, -1), width]);
    others.forEach((transform, k) => void transformAxis(field, batch.length + k, transform));
    const scale = 1 / sizeOf(lengths);
    const numbers = result.data as Float64Array;
    const line = partsOf(n + 1);
    for (let from = 0, to = 0; to < numbers.length; from += width, to += n) {
      // Each row is now one of a real signal, so its second half mirrors the first.
      line.re.set(field.re.subarray(from, from + width));
      line.im.set(field.im.subarray(from, from + width));
      rows.backward(line, 0);
      for (let k = 0; k < n; k++) numbers[to + k] = line.re[k] * scale;
    }
  };
  return ir.call({ name: "IRFFT", run }, [input], [{ dtype, shape: [...batch, ...lengths] }])[0];
}

const realAttrs = { Treal: realTypes, Tcomplex: complexTypes };

interface LengthTensors {
  readonly input: Tensor;
  readonly fftLength: Tensor;
}

/** With y_k = Σ x_j e^(-2πijk/n) for the kept half of the k, dx_j = Re Σ dy_k e^(2πijk/n): the inverse transform of dy and zeros, times the number of points. */
function gradientOfForward(x: Tensor, lengths: Tensor, dy: Tensor, rank: number): Tensor {
  if (!isCut(x, lengths, rank)) return gradientByInverse(x, lengths, dy, rank);
  const whole = fitted(dy, lengths, rank);
  const points = cast(reduceProd(lengths), dy.dtype);
  const back = realPart(operator.mul(rank === 1 ? ifft(whole) : ifft2d(whole), points));
  return fitted(back, getItem(shape(x), [-rank, null]), rank);
}

/** Does the transform see less of the last axes than there is? TensorFlow's own gradients are for those that it sees whole. */
function isCut(x: Tensor, lengths: Tensor, rank: number, isHalf = false): boolean {
  const known = innerSizes(x, lengths, rank);
  return known?.some(([own, wanted], axis) => own !== (isHalf && axis === rank - 1 ? half(wanted) : wanted)) ?? false;
}

/** The same as TensorFlow makes it: half of the inverse transform of dy, and what the columns without a mirror image lack. */
function gradientByInverse(x: Tensor, lengths: Tensor, dy: Tensor, rank: number): Tensor {
  const sizes = shape(x);
  const isEven = cast(operator.sub(1, operator.mod(getItem(lengths, -1), 2)), dy.dtype);
  const first = getItem(dy, ellipsis, [0, 1]);
  const lastColumn = (): Tensor => getItem(dy, ellipsis, [-1, null]);
  let extra: Tensor;
  if (rank === 1) {
    const weighted = operator.mul(isEven, lastColumn());
    extra = operator.add(first, operator.mul(weighted, alternating(getItem(sizes, -1), dy.dtype)));
  } else {
    const twiddles = repeatedOver(twiddleMatrix(getItem(sizes, -2), dy.dtype), first);
    extra = matmul(twiddles, conj(first));
    const last = matmul(twiddles, conj(lastColumn()));
    const columns = getItem(sizes, -1);
    const times = concat([ones([operator.sub(rankOf(dy), 1)] as TensorLike, "int32"), [columns]] as TensorLike[], 0);
    extra = operator.add(extra, operator.mul(isEven, operator.mul(tile(last, times), alternating(columns, dy.dtype))));
  }
  const points = cast(reduceProd(getItem(shape(x), [-rank, null])), x.dtype);
  const back = (rank === 1 ? irfft : irfft2d)(dy, lengths);
  return operator.mul(0.5, operator.add(operator.mul(back, points), realPart(extra)));
}

/** 1, -1, 1, -1, … */
const alternating = (count: Tensor, dtype: DType): Tensor => cast(operator.sub(1, operator.mul(2, operator.mod(range(count), 2))), dtype);

/** e^(-2πijk/n) for all j, k below n. */
function twiddleMatrix(count: Tensor, dtype: DType): Tensor {
  const rows = tile(expandDims(range(count), 0), [count, 1] as TensorLike);
  const products = operator.mul(rows, transpose(rows, [1, 0]));
  const angle = constantOf({ re: 0, im: -2 * Math.PI }, dtype);
  return exp(operator.truediv(operator.mul(angle, cast(products, dtype)), cast(count, dtype)));
}

const constantOf = (value: TensorLike, dtype: DType): Tensor => convertToTensor(value, { dtype, name: "mul/x" });

/** A matrix once for each matrix of `like`. */
function repeatedOver(matrix: Tensor, like: Tensor): Tensor {
  const ofRank = concat([ones([operator.sub(rankOf(like), 2)] as TensorLike, "int32"), shape(matrix)], 0);
  const wide = reshape(matrix, ofRank);
  return tile(wide, concat([getItem(shape(like), [null, -2]), NDArray.from([1, 1], "int32")], 0));
}

/** With x_j = Re Σ w_k y_k e^(2πijk/n) / n, where w is 2 but for the k that have no mirror image, dy_k = w_k / n Σ dx_j e^(-2πijk/n). */
function gradientOfInverse(y: Tensor, lengths: Tensor, dx: Tensor, rank: number): Tensor {
  if (!isCut(y, lengths, rank, true)) return gradientByForward(y, lengths, dx, rank);
  const n = getItem(lengths, -1);
  const k = range(operator.add(operator.floordiv(n, 2), 1));
  const isAlone = logicalOr(equal(k, 0), equal(operator.mul(k, 2), n));
  const weights = where(isAlone, onesLike(k), operator.mul(onesLike(k), 2));
  const scaled = operator.truediv(cast(weights, y.dtype), cast(reduceProd(lengths), y.dtype));
  const Tcomplex = y.dtype as "complex64";
  const forward = rank === 1 ? RFFT({ input: dx, fftLength: lengths, Tcomplex }) : RFFT2D({ input: dx, fftLength: lengths, Tcomplex });
  return fitted(operator.mul(forward, scaled), getItem(shape(y), [-rank, null]), rank);
}

/** The same as TensorFlow makes it, with a mask of w. */
function gradientByForward(y: Tensor, lengths: Tensor, dx: Tensor, rank: number): Tensor {
  const known = staticValue(lengths);
  const isOdd = FloorMod({ x: known ? NDArray.full("int32", [], known.get(rank - 1)) : getItem(lengths, -1), y: 2 }, { name: "mod" });
  const columns = getItem(shape(y), -1);
  const mirrored = operator.mul(2, ones([operator.add(operator.sub(columns, 2), isOdd)] as TensorLike, dx.dtype));
  const mask = concat([[1], mirrored, ones([operator.sub(1, isOdd)] as TensorLike, dx.dtype)] as TensorLike[], 0);
  const scale = reciprocal(cast(reduceProd(getItem(shape(dx), [-rank, null])), dx.dtype));
  const forward = (rank === 1 ? rfft : rfft2d)(dx, known ?? lengths);
  return operator.mul(forward, cast(operator.mul(scale, mask), y.dtype));
}

/** The last axes cut or filled up with zeros to the given sizes. */
function fitted(x: Tensor, sizes: Tensor, rank: number): Tensor {
  const known = innerSizes(x, sizes, rank);
  if (known?.every(([own, wanted]) => own <= wanted)) return filled(x, sizes, rank);
  const own = shape(x);
  const kept = minimum(getItem(own, [-rank, null]), sizes);
  return filled(slice(x, zerosLike(own), concat([getItem(own, [0, -rank]), kept], 0)), sizes, rank);
}

/** The last axes filled up with zeros to at least the given sizes; `isHalf`: to what is kept of a transform of these sizes. */
function filled(x: Tensor, lengths: Tensor, rank: number, isHalf = false): Tensor {
  const known = staticShape(lengths);
  if (x.shape.dims?.includes(0)) return x;
  const inner = known.rank === null || x.shape.rank === null ? null : x.shape.slice(-known.rank);
  if (known.isFullyDefined && inner?.isFullyDefined) {
    const wanted = known.asNumbers().map((n, axis) => (isHalf && axis === rank - 1 ? half(n) : n));
    const own = inner.asNumbers();
    // Of more or fewer sizes than there are axes the op says so.
    const missing = own.map((size, k) => Math.max((wanted[k] ?? 0) - size, 0));
    if (missing.every(count => count === 0)) return x;
    const outer = Array<number>((x.shape.rank ?? rank) - missing.length).fill(0);
    return pad(
      x,
      [...outer, ...missing].map(count => [0, count]),
    );
  }
  const count = rankOf(x);
  const own = getItem(shape(x), [-rank, null]);
  const outer = zeros([maximum(0, operator.sub(count, rank))] as TensorLike, lengths.dtype);
  const missing = maximum(0, operator.sub(isHalf ? halved(lengths) : lengths, own));
  const all = concat([outer, missing], 0);
  return pad(x, stack([zerosLike(all), all], 1));
}

/** Own and wanted sizes of the last axes, where both are known while the graph is built. */
function innerSizes(x: Tensor, sizes: Tensor, rank: number): (readonly [own: number, wanted: number])[] | undefined {
  const wanted = staticValue(sizes);
  const inner = x.shape.rank === null ? null : x.shape.slice(-rank);
  if (!wanted || !inner?.isFullyDefined) return undefined;
  const numbers = numbersOf(wanted);
  return inner.asNumbers().map((own, k) => [own, numbers[k]]);
}

/** The graph may hold any pair of types, the kernels only those of one width. */
function checkPair(input: DType, output: DType, direction: "forward" | "backward"): void {
  const [from, to] = [dtypeTable[input], dtypeTable[output]];
  if (Math.max(from.bytes, to.bytes) !== 2 * Math.min(from.bytes, to.bytes))
    throw new InvalidArgumentError(`Wrong types for ${direction} real FFT: in=${from.number} out=${to.number}`);
}

const realOp = <const T extends string>(type: T, rank: number) =>
  defineOp(type, {
    inputs: { input: "Treal", fftLength: "int32" },
    outputs: { output: "Tcomplex" },
    attrs: realAttrs,
    shape: (shapes, context) => realShape(shapes, rank, true, context),
    // As TensorFlow, none in three dimensions.
    ...(rank < 3 && {
      gradient: ({ input, fftLength }: LengthTensors, d: { readonly output: Tensor }): Gradients => ({
        input: gradientOfForward(input, fftLength, d.output, rank),
      }),
    }),
    checks: shapes => checkReal(shapes, rank),
    isLenient: true,
    compileTimeInputs: ["fftLength"],
    lower: ({ input, fftLength, Tcomplex }) => {
      checkPair(input.dtype, Tcomplex, "forward");
      return forwardReal(
        input,
        lengthsOf(input.shape, fftLength, rank, length => length),
        Tcomplex,
      );
    },
  });

const inverseRealOp = <const T extends string>(type: T, rank: number) =>
  defineOp(type, {
    inputs: { input: "Tcomplex", fftLength: "int32" },
    outputs: { output: "Treal" },
    attrs: realAttrs,
    shape: (shapes, context) => realShape(shapes, rank, false, context),
    ...(rank < 3 && {
      gradient: ({ input, fftLength }: LengthTensors, d: { readonly output: Tensor }): Gradients => ({
        input: gradientOfInverse(input, fftLength, d.output, rank),
      }),
    }),
    checks: shapes => checkReal(shapes, rank),
    isLenient: true,
    compileTimeInputs: ["fftLength"],
    lower: ({ input, fftLength, Treal }) => {
      checkPair(input.dtype, Treal, "backward");
      const lengths = lengthsOf(input.shape, fftLength, rank, (length, axis) => (axis === rank - 1 ? half(length) : length));
      return inverseReal(input, lengths, Treal);
    },
  });

export const RFFT = realOp("RFFT", 1);
export const RFFT2D = realOp("RFFT2D", 2);
export const RFFT3D = realOp("RFFT3D", 3);
export const IRFFT = inverseRealOp("IRFFT", 1);
export const IRFFT2D = inverseRealOp("IRFFT2D", 2);
export const IRFFT3D = inverseRealOp("IRFFT3D", 3);

// ---- public functions ----

/** The Fourier transform of the last axis of complex numbers. TF: tf.fft; with 2d and 3d of the last two and three axes. */
export const fft = (input: TensorLike, options?: NameOption): Tensor => FFT({ input }, named(options));
export const fft2d = (input: TensorLike, options?: NameOption): Tensor => FFT2D({ input }, named(options));
export const fft3d = (input: TensorLike, options?: NameOption): Tensor => FFT3D({ input }, named(options));
/** The inverse of fft, divided by the length. TF: tf.ifft. */
export const ifft = (input: TensorLike, options?: NameOption): Tensor => IFFT({ input }, named(options));
export const ifft2d = (input: TensorLike, options?: NameOption): Tensor => IFFT2D({ input }, named(options));
export const ifft3d = (input: TensorLike, options?: NameOption): Tensor => IFFT3D({ input }, named(options));

interface LengthOptions extends Named {
  /** Sizes of the transformed axes; what is longer is cut off. */
  readonly fftLength?: TensorLike;
}

type RealOp = (
  record: { readonly input: TensorLike; readonly fftLength: TensorLike; readonly Tcomplex?: "complex64" | "complex128" },
  options?: Named,
) => Tensor;
type InverseOp = (
  record: { readonly input: TensorLike; readonly fftLength: TensorLike; readonly Treal?: "float32" | "float64" },
  options?: Named,
) => Tensor;

/** Sizes of the last axes of x; of the half of a transform, those of the whole. */
function ownLengths(x: Tensor, rank: number, isHalf: boolean): Tensor {
  const inner = x.shape.rank === null ? null : x.shape.slice(-rank);
  if (inner !== null && inner.isFullyDefined) {
    const sizes = inner.asNumbers().map((n, axis) => (isHalf && axis === rank - 1 ? Math.max(2 * (n - 1), 0) : n));
    return convertToTensor(sizes, { dtype: "int32" });
  }
  const sizes = getItem(shape(x), [-rank, null]);
  if (!isHalf) return sizes;
  const parts = unstack(sizes);
  return stack(parts.with(-1, maximum(0, operator.mul(2, operator.sub(parts[rank - 1], 1)))));
}

const lengthsOr = (fftLength: TensorLike | null | undefined, own: () => Tensor): Tensor =>
  fftLength === null || fftLength === undefined ? own() : convertToTensor(fftLength, { dtype: "int32" });

/** The sizes of the kept half of a transform. */
const halved = (lengths: Tensor): Tensor => {
  const outer = getItem(lengths, [null, -1]);
  return concat([outer, operator.add(operator.floordiv(getItem(lengths, [-1, null]), 2), 1)], 0);
};

function checkRank(x: Tensor, rank: number): Tensor {
  if ((x.shape.rank ?? rank) < rank) throw new ValueError(`Shape ${x.shape} must have rank at least ${rank}`);
  return x;
}

const real =
  (rank: number, scopeName: string, op: RealOp) =>
  (inputTensor: TensorLike, ...rest: unknown[]): Tensor => {
    const { fftLength, name } = collect<LengthOptions>(["fftLength", "name"], rest);
    return inNameScope({ name }, scopeName, [inputTensor, fftLength], scope => {
      const given = convertToTensor(inputTensor, { preferredDtype: "float32" });
      if (!["float32", "float64"].includes(given.dtype))
        throw new ValueError(`RFFT requires tf.float32 or tf.float64 inputs, got: ${given}`);
      const input = checkRank(given, rank);
      const lengths = lengthsOr(fftLength, () => ownLengths(input, rank, false));
      const Tcomplex = input.dtype === "float64" ? "complex128" : "complex64";
      return op({ input: filled(input, lengths, rank), fftLength: staticValue(lengths) ?? lengths, Tcomplex }, scope);
    });
  };

const inverseOfReal =
  (rank: number, scopeName: string, op: InverseOp) =>
  (inputTensor: TensorLike, ...rest: unknown[]): Tensor => {
    const { fftLength, name } = collect<LengthOptions>(["fftLength", "name"], rest);
    return inNameScope({ name }, scopeName, [inputTensor, fftLength], scope => {
      const input = checkRank(convertToTensor(inputTensor, { preferredDtype: "complex64" }), rank);
      if (!["complex64", "complex128"].includes(input.dtype))
        throw new ValueError(`IRFFT requires tf.complex64 or tf.complex128 inputs, got: ${input}`);
      const lengths = lengthsOr(fftLength, () => ownLengths(input, rank, true));
      const Treal = input.dtype === "complex128" ? "float64" : "float32";
      return op({ input: filled(input, lengths, rank, true), fftLength: staticValue(lengths) ?? lengths, Treal }, scope);
    });
  };

/** The first half of the transform of real numbers, `n/2 + 1` of them. TF: tf.signal.rfft(input_tensor, fft_length, name). */
export const rfft = real(1, "rfft", RFFT);
export const rfft2d = real(2, "rfft2d", RFFT2D);
export const rfft3d = real(3, "rfft3d", RFFT3D);
/** The inverse of rfft. TF: tf.signal.irfft(input_tensor, fft_length, name). */
export const irfft = inverseOfReal(1, "irfft", IRFFT);
export const irfft2d = inverseOfReal(2, "irfft2d", IRFFT2D);
export const irfft3d = inverseOfReal(3, "irfft3d", IRFFT3D);
