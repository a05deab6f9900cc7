// Strings: length, case, parts, joining, hashing, base64, numbers to text and back. Splitting and decoding: parsing.ts; regular expressions: regex.ts.
// Strings are bytes; where TensorFlow counts characters they are taken as UTF-8. All are routines: the host computes them.

import type { DType } from "../../base/dtype.ts";
import { isBigInteger, isComplex, isFloating } from "../../base/dtype.ts";
import { InvalidArgumentError, OutOfRangeError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { decodeText, encodeText, type NDArray } from "../../base/ndarray.ts";
import { broadcastShapes, stridesOf, TensorShape, sameShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { collect, eitherName, need, refuseOthers } from "../arguments.ts";
import { numbersOf } from "../array/array.ts";
import { range } from "../array/ranges.ts";
import { inNameScope, type NameOption, named } from "../named.ts";
import { bucketOf, farmHash, type Hash, murmurHash, sipHashOf } from "./hash.ts";
import { formatFloat, formatInteger, type NumberFormat } from "./number.ts";

export const bytesAt = (array: NDArray, i: number): Uint8Array => array.get(i) as Uint8Array;

/** A routine that computes each element of the result from the same element of the input. */
export function eachElement(
  name: string,
  input: Value,
  dtype: DType,
  f: (bytes: Uint8Array) => string | Uint8Array | number | bigint | boolean,
): Value {
  const run = ([given]: readonly NDArray[], [result]: readonly NDArray[]): void => {
    for (let i = 0; i < result.size; i++) result.set(i, f(bytesAt(given, i)));
  };
  const [out] = ir.call({ name, run }, [input], [{ dtype, shape: input.shape }]);
  return out;
}

const stringToString = { inputs: { input: "string" }, outputs: { output: "string" } } as const;

// ---- length, case, whitespace ----

const unit = attr.oneOf(["BYTE", "UTF8_CHAR"], "BYTE");
type Unit = "BYTE" | "UTF8_CHAR";
/** UTF-8 continuation bytes are not the beginning of a character. */
const isStart = (byte: number): boolean => (byte & 0xc0) !== 0x80;

function characterCount(s: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < s.length; i++) if (isStart(s[i])) count++;
  return count;
}

/** Where the `count`-th character from a place on begins, or the end. */
function afterCharacters(s: Uint8Array, from: number, count: number): number {
  let at = from;
  while (at < s.length && !isStart(s[at])) at++;
  for (let k = 0; k < count && at < s.length; k++) for (at++; at < s.length && !isStart(s[at]); ) at++;
  return at;
}

export const StringLength = defineOp("StringLength", {
  inputs: { input: "string" },
  outputs: { output: "int32" },
  attrs: { unit },
  shape: ({ input }) => input,
  gradient: "none",
  lower: ({ input, unit: by }) => eachElement("StringLength", input, "int32", s => (by === "BYTE" ? s.length : characterCount(s))),
});

const caseOp = <const T extends string>(type: T, ofText: (text: string) => string, first: number, shift: number) =>
  defineOp(type, {
    ...stringToString,
    attrs: { encoding: attr.string("") },
    shape: ({ input }) => input,
    gradient: "none",
    lower: ({ input, encoding }) => {
      if (encoding !== "" && encoding !== "utf-8")
        throw new InvalidArgumentError(`only utf-8 or '' (no encoding) is supported, received ${encoding}`);
      // TensorFlow reads these as C's strings, up to the first zero.
      if (encoding === "utf-8") return eachElement(type, input, "string", s => ofText(decodeText(s).split("\0")[0]));
      return eachElement(type, input, "string", s => {
        const changed = s.slice();
        for (let i = 0; i < s.length; i++) if (s[i] >= first && s[i] < first + 26) changed[i] += shift;
        return changed;
      });
    },
  });

export const StringUpper = caseOp("StringUpper", text => text.toUpperCase(), 97, -32);
export const StringLower = caseOp("StringLower", text => text.toLowerCase(), 65, 32);

export const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);

export function trimmed(s: Uint8Array): Uint8Array {
  let [from, to] = [0, s.length];
  while (from < to && isSpace(s[from])) from++;
  while (to > from && isSpace(s[to - 1])) to--;
  return s.slice(from, to);
}

export const StringStrip = defineOp("StringStrip", {
  ...stringToString,
  attrs: {},
  shape: ({ input }) => input,
  gradient: "none",
  lower: ({ input }) => eachElement("StringStrip", input, "string", trimmed),
});

/** How long each string is, in bytes or ("UTF8_CHAR") characters. TF: tf.strings.length(input, name, unit). */
export function length(input: TensorLike, ...rest: unknown[]): Tensor {
  const { unit: by, name } = collect<Named & { unit: Unit }>(["name", "unit"], rest);
  return StringLength({ input, unit: by }, { name });
}
interface CaseOptions extends Named {
  /** "" changes ASCII letters only, "utf-8" all. */
  readonly encoding?: string;
}
/** Upper case. TF: tf.strings.upper(input, encoding, name). */
export function upper(input: TensorLike, ...rest: unknown[]): Tensor {
  const { encoding, name } = collect<CaseOptions>(["encoding", "name"], rest);
  return StringUpper({ input, encoding }, { name });
}
/** Lower case. TF: tf.strings.lower(input, encoding, name). */
export function lower(input: TensorLike, ...rest: unknown[]): Tensor {
  const { encoding, name } = collect<CaseOptions>(["encoding", "name"], rest);
  return StringLower({ input, encoding }, { name });
}
/** Without whitespace at both ends. TF: tf.strings.strip. */
export const stringStrip = (input: TensorLike, options?: NameOption): Tensor => StringStrip({ input }, named(options));

// ---- parts ----

export const Substr = defineOp("Substr", {
  inputs: { input: "string", pos: "T", len: "T" },
  outputs: { output: "string" },
  attrs: { T: attr.type(attr.indexTypes), unit },
  shape: ({ input, pos, len }) => {
    if (pos.rank !== null && len.rank !== null) pos.withRank(len.rank);
    // TensorFlow takes no unknown size for a known one here.
    if (pos.dims?.some((size, axis) => size !== (len.dims?.[axis] ?? null)))
      throw new ValueError(`pos and len shapes must match: ${pos.format()} vs. ${len.rank === null ? "?" : len.format()}`);
    return broadcastShapes(input, pos);
  },
  gradient: "none",
  checks: ({ input, pos, len }) => {
    need(sameShape(pos, len), () => `pos and len should have the same shape, got: [${pos}] vs. [${len}]`);
    const rank = Math.max(input.length, pos.length);
    need(
      pos.length === 0 || rank <= 2 || sameShape(input, pos),
      () => `Substr broadcast not implemented for ${rank} dimensions`,
      UnimplementedError,
    );
  },
  isLenient: true,
  lower: ({ input, pos, len, unit: by }) => {
    const dims = ir.broadcastShape(input.shape, pos.shape);
    const isSpread = pos.shape.length > 0 && dims.length === 2 && !sameShape(input.shape, pos.shape);
    const place = (i: number): string => (isSpread ? `(${Math.floor(i / dims[1])}, ${i % dims[1]})` : String(i));
    const spread = [input, pos, len].map(value => (value.shape.join() === dims.join() ? value : ir.broadcastTo(value, dims)));
    const run = ([strings, starts, lengths]: readonly NDArray[], [result]: readonly NDArray[]): void => {
      for (let i = 0; i < result.size; i++)
        result.set(i, substring(bytesAt(strings, i), Number(starts.get(i)), Number(lengths.get(i)), by, place(i)));
    };
    const [out] = ir.call({ name: "Substr", run }, spread, [{ dtype: "string", shape: dims }]);
    return out;
  },
});

function substring(s: Uint8Array, pos: number, len: number, by: Unit, place: string): Uint8Array {
  const size = by === "BYTE" ? s.length : characterCount(s);
  const from = pos < 0 ? pos + size : pos;
  if (from < 0 || from > size) {
    const shown = by === "BYTE" ? ` b'${decodeText(s)}'` : "";
    throw new InvalidArgumentError(`pos ${pos} out of range for string${shown} at index ${place}`);
  }
  // A negative number of bytes is a huge one in C++; of characters it is none.
  if (by === "BYTE") return s.slice(from, len < 0 ? size : from + len);
  const start = afterCharacters(s, 0, from);
  return s.slice(start, afterCharacters(s, start, Math.max(len, 0)));
}

/** `len` bytes (or characters) from `pos` on; a negative pos counts from the end. TF: tf.substr(input, pos, len, name, unit). */
export function substr(input: TensorLike, pos: TensorLike, len: TensorLike, ...rest: unknown[]): Tensor {
  const { unit: by, name } = collect<Named & { unit: Unit }>(["name", "unit"], rest);
  return Substr({ input, pos, len, unit: by }, { name });
}

// ---- joining ----

function joined(parts: readonly Uint8Array[], separator: Uint8Array): Uint8Array {
  let length = Math.max(parts.length - 1, 0) * separator.length;
  for (const part of parts) length += part.length;
  const result = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    if (i > 0) {
      result.set(separator, at);
      at += separator.length;
    }
    result.set(parts[i], at);
    at += parts[i].length;
  }
  return result;
}

export const StringJoin = defineOp("StringJoin", {
  inputs: { inputs: "N*string" },
  outputs: { output: "string" },
  attrs: { N: attr.int(undefined, 0), separator: attr.string("") },
  shape: ({ inputs }) => {
    const arrays = inputs.filter(({ rank }) => rank !== 0);
    if (arrays.length === 0) return new TensorShape([]);
    return arrays.reduce((merged, shape) => merged.mergeWith(shape));
  },
  gradient: "none",
  lower: ({ inputs, separator }) => {
    const dims = inputs.find(({ shape }) => shape.length > 0)?.shape ?? [];
    const other = inputs.find(({ shape }) => shape.length > 0 && shape.join() !== dims.join());
    if (other) throw new InvalidArgumentError(`Input shapes do not match: [${dims.join(",")}] vs. [${other.shape.join(",")}]`);
    const between = encodeText(separator);
    const run = (given: readonly NDArray[], [result]: readonly NDArray[]): void => {
      for (let i = 0; i < result.size; i++)
        result.set(
          i,
          joined(
            given.map(array => bytesAt(array, array.rank === 0 ? 0 : i)),
            between,
          ),
        );
    };
    const [out] = ir.call({ name: "StringJoin", run }, inputs, [{ dtype: "string", shape: dims }]);
    return out;
  },
});

/** Strings of equal position one after another; scalars repeat. TF: tf.strings.join(inputs, separator, name). */
export function stringJoin(inputs: readonly TensorLike[], ...rest: unknown[]): Tensor {
  const { separator, name } = collect<Named & { separator: string }>(["separator", "name"], rest);
  return StringJoin({ inputs, separator }, { name });
}

function checkAxes(axes: readonly number[], rank: number): number[] {
  const found: number[] = [];
  for (const axis of axes) {
    if (axis < -rank || axis >= rank) throw new OutOfRangeError(`Invalid reduction dimension ${axis} for input with ${rank} dimension(s)`);
    const at = axis < 0 ? axis + rank : axis;
    need(!found.includes(at), () => `Duplicate reduction dimension ${axis}`);
    found.push(at);
  }
  return found;
}

export const ReduceJoin = defineOp("ReduceJoin", {
  inputs: { inputs: "string", reductionIndices: "int32" },
  outputs: { output: "string" },
  attrs: { keepDims: attr.bool(false), separator: attr.string("") },
  shape: ({ inputs, keepDims }, context) => {
    const axes = context.partial("reductionIndices")?.values;
    if (inputs.dims === null || axes === undefined || axes.includes(null))
      return keepDims && inputs.rank !== null ? TensorShape.unknownOfRank(inputs.rank) : TensorShape.unknown();
    const rank = inputs.dims.length;
    for (const axis of axes as number[])
      if (axis < -rank || axis >= rank) throw new ValueError(`Invalid reduction dimension ${axis} for input with ${rank} dimensions.`);
    const gone = new Set((axes as number[]).map(axis => (axis < 0 ? axis + rank : axis)));
    return new TensorShape(inputs.dims.flatMap((d, axis) => (gone.has(axis) ? (keepDims ? [1] : []) : [d])));
  },
  gradient: "none",
  compileTimeInputs: ["reductionIndices"],
  lower: ({ inputs, reductionIndices, keepDims, separator }) => {
    const axes = checkAxes(numbersOf(reductionIndices), inputs.shape.length);
    const dims = inputs.shape.flatMap((d, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [d]));
    const kept = inputs.shape.map((_, axis) => axis).filter(axis => !axes.includes(axis));
    const strides = stridesOf(inputs.shape);
    // The first of the axes is joined first, so it varies fastest.
    const offsets = offsetsOf([...axes].reverse(), inputs.shape, strides);
    const starts = offsetsOf(kept, inputs.shape, strides);
    const between = encodeText(separator);
    const run = ([given]: readonly NDArray[], [result]: readonly NDArray[]): void => {
      starts.forEach((start, i) => {
        result.set(
          i,
          joined(
            offsets.map(offset => bytesAt(given, start + offset)),
            between,
          ),
        );
      });
    };
    const [out] = ir.call({ name: "ReduceJoin", run }, [inputs], [{ dtype: "string", shape: dims }]);
    return out;
  },
});

/** Where the elements along some axes lie, the last axis fastest. */
function offsetsOf(axes: readonly number[], dims: readonly number[], strides: readonly number[]): number[] {
  let result = [0];
  for (const axis of axes) result = result.flatMap(at => Array.from({ length: dims[axis] }, (_, i) => at + i * strides[axis]));
  return result;
}

interface ReduceJoinOptions extends Named {
  readonly axis?: TensorLike;
  readonly reductionIndices?: TensorLike;
  readonly keepDims?: boolean;
  readonly keepdims?: boolean;
  readonly separator?: string;
}

/** Strings joined along axes (all by default, the last one first). TF: tf.reduce_join(inputs, axis, keep_dims, separator, name). */
export function reduceJoin(inputs: TensorLike, ...rest: unknown[]): Tensor {
  const names = ["axis", "keepDims", "separator", "name", "reductionIndices", "keepdims"];
  const options = collect<ReduceJoinOptions>(names, rest);
  const axis = eitherName("axis", options.axis, "reduction_indices", options.reductionIndices);
  const keepDims = eitherName("keepdims", options.keepdims, "keep_dims", options.keepDims);
  return inNameScope({}, "ReduceJoin", [inputs, axis], () => {
    const strings = convertToTensor(inputs);
    const { name, separator } = options;
    return ReduceJoin({ inputs: strings, reductionIndices: axis ?? allAxes(strings), keepDims, separator }, { name });
  });
}

/** All axes, the last first. */
function allAxes(x: Tensor): TensorLike {
  const { rank } = x.shape;
  if (rank === null) return range(-1, -1, -1);
  return convertToTensor(
    Array.from({ length: rank }, (_, i) => rank - 1 - i),
    { dtype: "int32" },
  );
}

// ---- hashes ----

const buckets = (name: string, input: Value, numBuckets: number, hash: Hash): Value =>
  eachElement(name, input, "int64", s => bucketOf(hash, s, numBuckets));

export const StringToHashBucketFast = defineOp("StringToHashBucketFast", {
  inputs: { input: "string" },
  outputs: { output: "int64" },
  attrs: { numBuckets: attr.int(undefined, 1) },
  shape: ({ input }) => input,
  gradient: "none",
  lower: ({ input, numBuckets }) => buckets("StringToHashBucketFast", input, numBuckets, farmHash),
});

export const StringToHashBucketStrong = defineOp("StringToHashBucketStrong", {
  inputs: { input: "string" },
  outputs: { output: "int64" },
  attrs: { numBuckets: attr.int(undefined, 1), key: attr.ints() },
  shape: ({ input }) => input,
  gradient: "none",
  lower: ({ input, numBuckets, key }) => {
    if (key.length !== 2) throw new InvalidArgumentError("Key must have 2 elements");
    const [k0, k1] = key.map(BigInt);
    return buckets("StringToHashBucketStrong", input, numBuckets, sipHashOf(k0, k1));
  },
});

export const StringToHashBucket = defineOp("StringToHashBucket", {
  inputs: { stringTensor: "string" },
  outputs: { output: "int64" },
  attrs: { numBuckets: attr.int(undefined, 1) },
  shape: ({ stringTensor }) => stringTensor,
  gradient: "none",
  lower: ({ stringTensor, numBuckets }) => buckets("StringToHashBucket", stringTensor, numBuckets, murmurHash),
});

/** A number in [0, numBuckets) for each string, the same everywhere. TF: tf.string_to_hash_bucket_fast. */
export const stringToHashBucketFast = (input: TensorLike, numBuckets: number, options?: NameOption): Tensor =>
  StringToHashBucketFast({ input, numBuckets }, named(options));
/** stringToHashBucketFast with a secret key of two numbers, against forged collisions. TF: tf.string_to_hash_bucket_strong. */
export const stringToHashBucketStrong = (input: TensorLike, numBuckets: number, key: readonly number[], options?: NameOption): Tensor =>
  StringToHashBucketStrong({ input, numBuckets, key }, named(options));
/** The oldest form of stringToHashBucketFast, by another hash. TF: tf.string_to_hash_bucket. */
export const stringToHashBucket = (
  stringTensor: TensorLike | null,
  numBuckets: number,
  options: (InputOption & Named) | string = {},
): Tensor => {
  const { input, name, ...others } = typeof options === "string" ? { name: options, input: null } : options;
  refuseOthers(others);
  return StringToHashBucket(
    { stringTensor: eitherName("input", input, "string_tensor", stringTensor) as TensorLike, numBuckets },
    { name },
  );
};

interface InputOption {
  /** The newer name of the first argument. */
  readonly input?: TensorLike | null;
}

// ---- base64 ----

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

function toBase64(s: Uint8Array, isPadded: boolean): Uint8Array {
  const rest = s.length % 3;
  const length = Math.ceil((s.length * 4) / 3);
  const result = new Uint8Array(length + (isPadded && rest > 0 ? 3 - rest : 0)).fill(61, length);
  for (let i = 0, at = 0; at < length; i += 3) {
    const bits = (s[i] << 16) | ((s[i + 1] ?? 0) << 8) | (s[i + 2] ?? 0);
    for (let shift = 18; shift >= 0 && at < length; shift -= 6) result[at++] = alphabet.charCodeAt((bits >> shift) & 63);
  }
  return result;
}

/** What each byte stands for in base64; 64: nothing. */
function base64Digits(): Uint8Array {
  const digits = new Uint8Array(256).fill(64);
  for (let digit = 0; digit < 64; digit++) digits[alphabet.charCodeAt(digit)] = digit;
  return digits;
}

function fromBase64(s: Uint8Array, digits: Uint8Array): Uint8Array {
  let end = s.length;
  for (let k = 0; k < 2 && s.length % 4 === 0 && s[end - 1] === 61; k++) end--;
  const isCut = end % 4 === 1;
  for (let i = 0; i < (isCut ? end - 1 : end); i++)
    if (digits[s[i]] === 64) throw new InvalidArgumentError("Invalid character found in base64.");
  if (isCut) throw new InvalidArgumentError("Base64 string length cannot be 1 modulo 4.");
  const result = new Uint8Array(Math.floor((end * 3) / 4));
  for (let i = 0, at = 0; at < result.length; i += 4) {
    // Digits past the end only reach bytes that are not kept.
    const bits = (digits[s[i]] << 18) | (digits[s[i + 1]] << 12) | ((digits[s[i + 2]] & 63) << 6) | (digits[s[i + 3]] & 63);
    for (let shift = 16; shift >= 0 && at < result.length; shift -= 8) result[at++] = bits >> shift;
  }
  return result;
}

export const EncodeBase64 = defineOp("EncodeBase64", {
  ...stringToString,
  attrs: { pad: attr.bool(false) },
  shape: ({ input }) => input,
  gradient: "none",
  lower: ({ input, pad }) => eachElement("EncodeBase64", input, "string", s => toBase64(s, pad)),
});

export const DecodeBase64 = defineOp("DecodeBase64", {
  ...stringToString,
  attrs: {},
  shape: ({ input }) => input,
  gradient: "none",
  lower: ({ input }) => {
    const digits = base64Digits();
    return eachElement("DecodeBase64", input, "string", s => fromBase64(s, digits));
  },
});

/** Web-safe base64 (- and _ for + and /). TF: tf.encode_base64(input, pad, name). */
export function encodeBase64(input: TensorLike, ...rest: unknown[]): Tensor {
  const { pad, name } = collect<Named & { pad: boolean }>(["pad", "name"], rest);
  return EncodeBase64({ input, pad }, { name });
}
/** The inverse of encodeBase64. TF: tf.decode_base64. @throws InvalidArgumentError (running) for other characters. */
export const decodeBase64 = (input: TensorLike, options?: NameOption): Tensor => DecodeBase64({ input }, named(options));

// ---- numbers ----

const printable = [
  "float32",
  "float64",
  "int32",
  "uint8",
  "int16",
  "int8",
  "int64",
  "bfloat16",
  "uint16",
  "float16",
  "uint32",
  "uint64",
  "complex64",
  "complex128",
  "bool",
  "variant",
  "string",
] as const satisfies readonly DType[];

export const AsString = defineOp("AsString", {
  inputs: { input: "T" },
  outputs: { output: "string" },
  attrs: {
    T: attr.type(printable),
    precision: attr.int(-1),
    scientific: attr.bool(false),
    shortest: attr.bool(false),
    width: attr.int(-1),
    fill: attr.string(""),
  },
  shape: ({ input }) => input,
  gradient: "none",
  lower: ({ input, T, precision, scientific, shortest, width, fill }) => {
    if (T === "variant") throw new UnimplementedError("AsString of variants is not supported.");
    if (fill.length > 1) throw new InvalidArgumentError("Fill string must be one or fewer characters");
    const hasPoint = isFloating(T) || isComplex(T) || T === "string";
    if (!hasPoint && (scientific || shortest))
      throw new InvalidArgumentError(`scientific and shortest format not supported for datatype ${T}`);
    if (!hasPoint && precision >= 0) throw new InvalidArgumentError(`precision not supported for datatype ${T}`);
    if (scientific && shortest) throw new InvalidArgumentError("Cannot select both scientific and shortest notation");
    if (!" +-0#".includes(fill)) throw new InvalidArgumentError(`Fill argument not supported: "${fill}"`);
    const format: NumberFormat = { conversion: scientific ? "e" : shortest ? "g" : "f", precision, width, fill };
    const run = ([given]: readonly NDArray[], [result]: readonly NDArray[]): void => {
      for (let i = 0; i < result.size; i++) result.set(i, textOf(given.get(i), T, format));
    };
    const [out] = ir.call({ name: "AsString", run }, [input], [{ dtype: "string", shape: input.shape }]);
    return out;
  },
});

function textOf(value: ReturnType<NDArray["get"]>, dtype: DType, format: NumberFormat): string | Uint8Array {
  if (value instanceof Uint8Array) {
    const spaces = new Uint8Array(Math.max(format.width - value.length, 0)).fill(32);
    return joined(format.fill === "-" ? [value, spaces] : [spaces, value], new Uint8Array());
  }
  if (typeof value === "boolean") return value ? "true" : "false";
  if (typeof value === "object") return `(${formatFloat(value.re, format)},${formatFloat(value.im, format)})`;
  return isFloating(dtype) ? formatFloat(Number(value), format) : formatInteger(value, dtype.startsWith("u"), format.width, format.fill);
}

interface AsStringOptions extends Named {
  /** Digits after the point; -1: six. */
  readonly precision?: number;
  readonly scientific?: boolean;
  /** The shorter of plain and scientific. */
  readonly shortest?: boolean;
  readonly width?: number;
  /** A flag of printf: "0" fills up to `width` with zeros, "-" with spaces behind; " " and "+" go before positive numbers; "#" keeps the point. */
  readonly fill?: string;
}

/** Numbers as text, as C's printf writes them. TF: tf.as_string(input, precision, scientific, shortest, width, fill, name). */
export function asString(input: TensorLike, ...rest: unknown[]): Tensor {
  const { name, ...options } = collect<AsStringOptions>(["precision", "scientific", "shortest", "width", "fill", "name"], rest);
  return AsString({ input, ...options }, { name });
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const limits: Partial<Record<DType, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** The number that a few digits stand for, most texts by far, exactly; undefined for all others. */
function fewDigits(s: Uint8Array, mostDigits: number, isUnsigned: boolean, mayHavePoint: boolean): number | undefined {
  const isNegative = s[0] === 45;
  if (isNegative && isUnsigned) return undefined;
  let [number, digits, pointAt] = [0, 0, -1];
  for (let i = isNegative ? 1 : 0; i < s.length; i++) {
    const digit = s[i] - 48;
    if (digit >= 0 && digit <= 9) {
      number = number * 10 + digit;
      digits++;
    } else if (s[i] === 46 && mayHavePoint && pointAt < 0) pointAt = digits;
    else return undefined;
  }
  if (digits === 0 || digits > mostDigits) return undefined;
  // Both are exact in double precision, so the quotient is rounded once.
  const size = pointAt < 0 ? number : number / 10 ** (digits - pointAt);
  return isNegative ? -size : size;
}

/** The number a text stands for, or undefined. */
export function parseNumber(s: Uint8Array, dtype: DType): number | bigint | undefined {
  const range = limits[dtype];
  const few = fewDigits(s, range ? 9 : 15, dtype.startsWith("u"), range === undefined);
  if (few !== undefined) return isBigInteger(dtype) ? BigInt(few) : few;
  const text = decodeText(trimmed(s));
  if (range) {
    if (!(dtype.startsWith("u") ? /^\+?\d+$/ : /^[+-]?\d+$/).test(text)) return undefined;
    const value = BigInt(text.replace(/^\+/, ""));
    if (value < range[0] || value > range[1]) return undefined;
    return isBigInteger(dtype) ? value : Number(value);
  }
  const special = /^([+-]?)(?:inf(?:inity)?|(nan(?:\(\w*\))?))$/i.exec(text);
  if (special) {
    const size = special[2] === undefined ? Number.POSITIVE_INFINITY : Number.NaN;
    return special[1] === "-" ? -size : size;
  }
  return decimal.test(text) ? Number(text) : fromHexadecimal(text);
}

/** C's hexadecimal floats: 0x1.8p3 is 12. */
function fromHexadecimal(text: string): number | undefined {
  const found = /^([+-]?)0x(?=\.?[\da-f])([\da-f]*)\.?([\da-f]*)(?:p([+-]?\d+))?$/i.exec(text);
  if (found === null) return undefined;
  const [, sign, whole, fraction, exponent = "0"] = found;
  const size = Number(`0x${whole}${fraction}`) * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === "-" ? -size : size;
}

export const StringToNumber = defineOp("StringToNumber", {
  inputs: { stringTensor: "string" },
  outputs: { output: "outType" },
  attrs: { outType: attr.type(["float32", "float64", "int32", "int64", "uint32", "uint64"], "float32") },
  shape: ({ stringTensor }) => stringTensor,
  gradient: "none",
  lower: ({ stringTensor, outType }) =>
    eachElement("StringToNumber", stringTensor, outType, s => {
      const value = parseNumber(s, outType);
      if (value === undefined) throw new InvalidArgumentError(`StringToNumberOp could not correctly convert string: ${decodeText(s)}`);
      return value;
    }),
});

/** The numbers that texts stand for. TF: tf.string_to_number(string_tensor, out_type, name). @throws InvalidArgumentError (running) for other texts. */
export function stringToNumber(stringTensor: TensorLike | null, ...rest: unknown[]): Tensor {
  const { outType, name, input } = collect<Named & InputOption & { outType: DType }>(["outType", "name", "input"], rest);
  return StringToNumber({ stringTensor: eitherName("input", input, "string_tensor", stringTensor) as TensorLike, outType }, { name });
}
