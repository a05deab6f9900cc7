// NDArray: a dtype, a shape and the elements, row-major. What `Session.run` returns and what feeds become.
// Conversion follows numpy's rules as TensorFlow uses them for feeds and constants.

import type { DType, TypedArray } from "./dtype.ts";
import {
  dtypeTable,
  fromBfloat16Bits,
  fromFloat16Bits,
  isBigInteger,
  isComplex,
  isFloating,
  isInteger,
  newTypedArray,
  toBfloat16Bits,
  toFloat16Bits,
  truncated,
  wordsPerElement,
} from "./dtype.ts";
import { ValueError, withHint } from "./errors.ts";
import { iteration } from "./iteration.ts";
import { sizeOf } from "./shape.ts";

/** One complex element as JavaScript sees it. */
export interface Complex {
  readonly re: number;
  readonly im: number;
}

export type ElementValue = number | bigint | boolean | string | Uint8Array | Complex;
export type NestedArray = ElementValue | readonly NestedArray[];

/** Anything that can become an array: numbers, nested lists, typed arrays, NDArrays. */
export type ArrayLike = ElementValue | NDArray | TypedArray | readonly ArrayLike[];

/** Elements of numeric types lie in a typed array, strings as their bytes. */
export type Elements = TypedArray | Uint8Array[];
/** any: which of them the elements are the program knows and no type. */
interface Items {
  readonly [index: number]: any;
  [Symbol.iterator](): ArrayIterator<any>;
  // any: as above
  map(f: (value: any, index: number) => any): any;
}

// A byte order mark is a character like any other.
const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder("utf-8", { ignoreBOM: true }) };

/** Up to so many bytes V8 keeps within the object of a typed array, where they cost the collector nothing; an encoder's results always lie outside. */
const mostInside = 64;

export function encodeText(text: string): Uint8Array {
  const { length } = text;
  if (length > mostInside) return utf8.encoder.encode(text);
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return utf8.encoder.encode(text);
    bytes[i] = code;
  }
  return bytes;
}

export const decodeText = (bytes: Uint8Array): string => utf8.decoder.decode(bytes);

/** Bytes as characters of the same numbers: for keys of maps, and bytes that are no text. */
export function latinText(bytes: Uint8Array): string {
  let text = "";
  if (bytes.length < 8) {
    for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]);
    return text;
  }
  if (isAscii(bytes)) return decodeText(bytes);
  // A call takes so many arguments and no more.
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

/** The inverse of latinText. */
export function bytesOfLatin(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Is each byte a character by itself? */
export function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] > 127) return false;
  return true;
}

const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
/** Bytes as text from which `bytesOfText` makes them again, also where they are no UTF-8: bytes above 127 then stand as U+DC80 to U+DCFF, as Python writes
 *  them. */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return Array.from(bytes, byte => String.fromCharCode(byte < 128 ? byte : 0xdc00 + byte)).join("");
  }
}
export const bytesOfText = (text: string): Uint8Array =>
  /(?<![\ud800-\udbff])[\udc80-\udcff]/.test(text) ? Uint8Array.from(text, char => char.charCodeAt(0)) : encodeText(text);

/** Gives an array the elements of another of its type and size. */
export function copyElements({ data }: NDArray, into: NDArray): void {
  const target = into.data;
  if (Array.isArray(target)) (data as Uint8Array[]).forEach((bytes, i) => void (target[i] = bytes));
  else (target as Uint8Array).set(data as Uint8Array);
}

const noBytes = new Uint8Array(0);

/** An n-dimensional array. `data` is row-major: float16 and bfloat16 as bits, complex as (re, im) pairs, int64 as bigints, strings as bytes. */
export class NDArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Items & Elements;

  constructor(dtype: DType, shape: readonly number[], data: Elements) {
    const expected = sizeOf(shape) * wordsPerElement(dtype);
    if (data.length !== expected)
      throw new ValueError(
        `An array of shape [${shape.join(",")}] and type ${dtype} has ${expected} words, but ${data.length} were given.`,
      );
    this.dtype = dtype;
    this.shape = shape;
    this.data = data;
  }

  /** Zeros (or empty strings) of a shape. */
  static zeros(dtype: DType, shape: readonly number[]): NDArray {
    const size = sizeOf(shape);
    if (dtype === "string") return new NDArray(dtype, shape, new Array<Uint8Array>(size).fill(noBytes));
    return new NDArray(dtype, shape, dtype === "variant" && size === 0 ? noBytes : newTypedArray(dtype, size));
  }

  /** One value for all elements. */
  static full(dtype: DType, shape: readonly number[], value: ElementValue): NDArray {
    const array = NDArray.zeros(dtype, shape);
    for (let i = 0; i < array.size; i++) array.set(i, value);
    return array;
  }

  /** Converts numbers, nested lists, typed arrays and NDArrays; without `dtype` the type is inferred as TensorFlow does.
   *  A bare JavaScript number is float32 unless `dtype` says otherwise. @throws ValueError for ragged lists. */
  static from(value: ArrayLike, dtype?: DType, shape?: readonly number[]): NDArray {
    if (value instanceof NDArray) {
      const array = dtype === undefined || dtype === value.dtype ? value : value.as(dtype);
      return shape === undefined ? array : array.reshape(shape);
    }
    if (isTypedArray(value) && !isBytes(value, dtype)) {
      const own = dtypeOfTypedArray(value);
      if (dtype === undefined || dtype === own) return new NDArray(own, shape ?? [value.length], value);
      return new NDArray(own, shape ?? [value.length], value).as(dtype);
    }
    const dims = shapeOfNested(value, dtype);
    const type = dtype ?? inferDType(value);
    const array = NDArray.zeros(type, shape ?? dims);
    let at = 0;
    const fill = (v: ArrayLike): void => {
      if (v instanceof NDArray || (isTypedArray(v) && !isBytes(v, type))) {
        const part = NDArray.from(v, type);
        for (let i = 0; i < part.size; i++) array.set(at++, part.get(i));
      } else if (Array.isArray(v)) {
        for (const x of v) fill(x);
      } else array.set(at++, elementOf(type, checkedElement(v)));
    };
    fill(value);
    return array;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get rank(): number {
    return this.shape.length;
  }

  /** `len` of numpy: the size of the first dimension. @throws TypeError of a scalar. */
  get length(): number {
    if (this.shape.length === 0) throw new TypeError("len() of unsized object");
    return this.shape[0];
  }

  /** Element `i` in row-major order: number, bigint, boolean, string bytes or Complex. */
  get(i: number): number | bigint | boolean | Uint8Array | Complex {
    const { data, dtype } = this;
    if (isComplex(dtype)) return { re: Number(data[2 * i]), im: Number(data[2 * i + 1]) };
    if (dtype === "bool") return data[i] !== 0;
    if (dtype === "float16") return fromFloat16Bits(data[i] as number);
    if (dtype === "bfloat16") return fromBfloat16Bits(data[i] as number);
    return data[i];
  }

  /** Sets element `i`, converting as numpy casts. Only for arrays under construction. */
  set(i: number, value: ElementValue): void {
    const { dtype } = this;
    if (dtype === "string") {
      (this.data as Uint8Array[])[i] = value instanceof Uint8Array ? value : encodeText(String(value));
    } else if (isComplex(dtype)) {
      const data = this.data as Float32Array;
      const isPair = typeof value === "object" && "re" in value;
      data[2 * i] = isPair ? value.re : toNumber(value);
      data[2 * i + 1] = isPair ? value.im : 0;
    } else if (isBigInteger(dtype)) {
      (this.data as BigInt64Array)[i] = toBigInt(value);
    } else if (dtype === "bool") {
      (this.data as Uint8Array)[i] = isTrue(value) ? 1 : 0;
    } else {
      (this.data as Float32Array)[i] = encodeNumber(dtype, toNumber(value));
    }
  }

  /** Converted element by element: truncating to integers (the least one where a float does not fit), wrapping between them. */
  cast(dtype: DType): NDArray {
    if (dtype === this.dtype) return this;
    const result = NDArray.zeros(dtype, this.shape);
    const isCut = isFloating(this.dtype) && isInteger(dtype);
    for (let i = 0; i < this.size; i++) result.set(i, isCut ? truncated(this.get(i) as number, dtype) : this.get(i));
    return result;
  }

  /** As `cast`, but numbers are no strings. */
  private as(dtype: DType): NDArray {
    if (dtype === "string" && this.dtype !== "string" && this.size > 0) elementOf(dtype, plain(this.get(0)) as ElementValue);
    return this.cast(dtype);
  }

  /** The same elements under another shape. @throws ValueError if the sizes differ. */
  reshape(shape: readonly number[]): NDArray {
    return new NDArray(this.dtype, shape, this.data);
  }

  /** `a[i]` of numpy: an element of a vector, else the array of the other dimensions; negative from the end. @throws RangeError outside. */
  // `any`: an element or an array, as the rank says
  at(index: number): any {
    const [count, ...rest] = this.shape;
    if (count === undefined) throw new RangeError("too many indices for array: array is 0-dimensional, but 1 were indexed");
    if (index < -count || index >= count) throw new RangeError(`index ${index} is out of bounds for axis 0 with size ${count}`);
    const at = index < 0 ? index + count : index;
    if (rest.length === 0) return plain(this.get(at));
    const words = sizeOf(rest) * wordsPerElement(this.dtype);
    return new NDArray(this.dtype, rest, this.data.slice(at * words, (at + 1) * words));
  }

  /** Goes through its elements or rows; undefined of a scalar, which JavaScript refuses to go through. */
  // `any`: as above
  get [iteration](): (() => Iterator<any>) | undefined {
    return this.rank === 0 ? undefined : () => Array.from({ length: this.shape[0] }, (_, i): unknown => this.at(i)).values();
  }

  /** The single element: a number (int64: a bigint), boolean, string (bytes where they are no UTF-8) or Complex. @throws ValueError unless the size is 1. */
  item(): any {
    if (this.size !== 1)
      throw new ValueError(`can only convert an array of size 1 to a scalar; this one has shape [${this.shape.join(",")}]. Use toArray().`);
    return plain(this.get(0));
  }

  /** Nested arrays of plain values; of rank 0 the value itself. */
  // `any`: the nesting depth is the rank, which types do not carry
  toArray(): any {
    const build = (axis: number, from: number, count: number): unknown => {
      if (axis === this.rank) return plain(this.get(from));
      const step = count / Math.max(this.shape[axis], 1);
      return Array.from({ length: this.shape[axis] }, (_, i) => build(axis + 1, from + i * step, step));
    };
    return build(0, 0, this.size);
  }

  /** Of rank 0 an array acts as its number in arithmetic and comparison. */
  valueOf(): unknown {
    return this.rank === 0 ? this.item() : this;
  }

  [Symbol.toPrimitive](hint: string): unknown {
    return hint !== "string" && this.rank === 0 ? this.item() : this.toString();
  }

  /** A short text: the number itself at rank 0, else nested brackets, long axes shortened. */
  toString(): string {
    const text = (value: ElementValue): string => (value instanceof Uint8Array ? decodeText(value) : String(value));
    if (this.rank === 0) return text(this.get(0));
    const build = (axis: number, from: number, count: number): string => {
      if (axis === this.rank) return text(this.get(from));
      const length = this.shape[axis];
      const step = count / Math.max(length, 1);
      const shown = length > 12 ? [0, 1, 2, -1, length - 3, length - 2, length - 1] : Array.from({ length }, (_, i) => i);
      return `[${shown.map(i => (i < 0 ? "..." : build(axis + 1, from + i * step, step))).join(axis === this.rank - 1 ? " " : ", ")}]`;
    };
    return build(0, 0, this.size);
  }
}

/** An object that counts as a number: a dimension of a shape, `new Number(1)`. */
const standsForNumber = (value: object): boolean => typeof value.valueOf() === "number";

/** @throws TypeError for what is no element: null and undefined among others, which JavaScript would take for 0 and NaN. */
function checkedElement(value: unknown): ElementValue {
  const isValue = value !== null && value !== undefined && typeof value !== "function" && typeof value !== "symbol";
  if (isValue && (typeof value !== "object" || value instanceof Uint8Array || "re" in value)) return value as ElementValue;
  if (isValue && standsForNumber(value)) return Number(value);
  if (isValue && typeof value === "object") throw unconvertible(value);
  throw withHint(
    new TypeError(`float() argument must be a string or a real number, not '${isValue ? "function" : "NoneType"}'`),
    `An element of the array is ${typeof value === "function" ? "a function" : String(value)}.`,
  );
}

/** Of type string, bytes are one element. */
const isBytes = (value: ArrayLike, dtype: DType | undefined): boolean => dtype === "string" && value instanceof Uint8Array;

/** What numpy makes of an element before it is stored as `dtype`, where JavaScript would go on with another value: texts are read as numbers.
 *  @throws ValueError for a text that is none and for a number that no integer is; TypeError for what is no text; RangeError for what 64 bits do not hold, or
 *  what a number does not hold exactly. */
function elementOf(dtype: DType, value: ElementValue): ElementValue {
  if (dtype === "string") {
    if (typeof value === "string" || value instanceof Uint8Array) return value;
    throw new TypeError(
      `Expected string, but got ${String(value)} of type '${typeof value === "boolean" ? "bool" : Number.isInteger(Number(value)) ? "int" : "float"}'.`,
    );
  }
  if (typeof value === "string") return numberIn(dtype, value);
  if (!isInteger(dtype)) return value;
  if (typeof value === "number" && !Number.isFinite(value))
    throw new ValueError(`cannot convert float ${Number.isNaN(value) ? "NaN" : "infinity"} to integer`);
  if (typeof value === "bigint" && (value < -(2n ** 63n) || value >= 2n ** 64n))
    throw new RangeError("Python int too large to convert to C long");
  if (typeof value === "number" && isBigInteger(dtype) && !Number.isSafeInteger(Math.trunc(value)))
    throw withHint(
      new RangeError(`${value} is not exact as ${dtype}: a number holds integers up to 2**53 - 1.`),
      `Write it as a bigint, ${BigInt(Math.trunc(value))}n, or give a ${dtype === "int64" ? "BigInt64Array" : "BigUint64Array"}.`,
    );
  // A float beyond all integers, or between two, is cast as an array of floats is; a whole number wraps.
  if (typeof value === "number" && (!Number.isInteger(value) || Math.abs(value) >= 2 ** 63)) return truncated(value, dtype);
  return value;
}

function numberIn(dtype: DType, text: string): ElementValue {
  if (dtype === "bool") return text !== "";
  const trimmed = text.trim();
  if (isInteger(dtype)) {
    if (!/^[+-]?\d+$/.test(trimmed)) throw new ValueError(`invalid literal for int() with base 10: '${text}'`);
    return BigInt(trimmed.replace(/^\+/, ""));
  }
  const number = /^[+-]?inf(inity)?$/i.test(trimmed) ? (trimmed.startsWith("-") ? -Infinity : Infinity) : Number(trimmed);
  if (trimmed === "" || (Number.isNaN(number) && !/^[+-]?nan$/i.test(trimmed)) || /^[+-]?0[xob]/i.test(trimmed))
    throw new ValueError(
      dtype.startsWith("complex") ? "complex() arg is a malformed string" : `could not convert string to float: '${text}'`,
    );
  return number;
}

/** Bytes as text, where they are text; a picture's stay bytes, so that what is fed again is what came. */
function plain(value: ElementValue): unknown {
  if (!(value instanceof Uint8Array)) return value;
  try {
    return strict.decode(value);
  } catch {
    return value;
  }
}

/** As numpy has it: whatever is not zero, NaN and imaginary numbers too. */
const isTrue = (value: ElementValue): boolean => (typeof value === "object" && "im" in value && value.im !== 0) || toNumber(value) !== 0;

const toNumber = (value: ElementValue): number => {
  if (typeof value === "number") return value;
  if (typeof value === "object" && !(value instanceof Uint8Array)) return value.re;
  if (value instanceof Uint8Array) return Number(decodeText(value));
  return Number(value);
};

function toBigInt(value: ElementValue): bigint {
  if (typeof value === "bigint") return value;
  const number = toNumber(value);
  return Number.isFinite(number) ? BigInt(Math.trunc(number)) : -(2n ** 63n);
}

function encodeNumber(dtype: DType, value: number): number {
  if (dtype === "float16") return toFloat16Bits(value);
  if (dtype === "bfloat16") return toBfloat16Bits(value);
  return value;
}

/** The elements as numbers, for loops over many: the words themselves, converted only where these are no numbers (halves, integers of 64 bits).
 *  Complex elements are their parts, one after the other. */
export function numbersIn({ dtype, data }: NDArray): Exclude<TypedArray, BigInt64Array | BigUint64Array> {
  if (dtype === "float16") return Float32Array.from(data as Uint16Array, fromFloat16Bits);
  if (dtype === "bfloat16") return Float32Array.from(data as Uint16Array, fromBfloat16Bits);
  if (isBigInteger(dtype)) return Float64Array.from(data as BigInt64Array, Number);
  return data as Float64Array;
}

export const isTypedArray = (value: unknown): value is TypedArray => ArrayBuffer.isView(value) && !(value instanceof DataView);

/** The element type a typed array stands for. Float16Array (where there is one) is not a member of TypedArray: use `dtype`. */
export function dtypeOfTypedArray(array: TypedArray): DType {
  const name = array.constructor.name.replace(/Array$/, "").toLowerCase();
  if (name === "bigint64") return "int64";
  if (name === "biguint64") return "uint64";
  if (name === "uint8clamped" || name === "buffer") return "uint8";
  if (Object.hasOwn(dtypeTable, name)) return name as DType;
  throw new TypeError(`A ${array.constructor.name} has no tensor type. Convert it to one of Float32Array, Int32Array, …`);
}

/** The shape of nested lists. @throws ValueError if they are ragged. */
export function shapeOfNested(value: ArrayLike, dtype?: DType): number[] {
  if (value instanceof NDArray) return [...value.shape];
  if (isTypedArray(value)) return isBytes(value, dtype) ? [] : [value.length];
  if (!Array.isArray(value)) return [];
  if (value.length === 0) return [0];
  const first = shapeOfNested(value[0], dtype);
  for (const item of value) {
    const other = shapeOfNested(item, dtype);
    if (other.length !== first.length || other.some((d, i) => d !== first[i])) throw raggedError(value, first, other);
  }
  return [value.length, ...first];
}

/** numpy's words: up to where the lists agree. */
function raggedError(value: ArrayLike, first: readonly number[], other: readonly number[]): ValueError {
  const common = evenShape(value);
  const shape = common.length === 1 ? `(${common[0]},)` : `(${common.join(", ")})`;
  return new ValueError(
    `setting an array element with a sequence. The requested array has an inhomogeneous shape after ${common.length} dimensions. The detected shape was ${shape} + inhomogeneous part.`,
    `The lists are ragged: one is of shape [${first.join(",")}], another of [${other.join(",")}].`,
  );
}

/** The leading dimensions in which nested lists agree. */
function evenShape(value: ArrayLike): number[] {
  if (!Array.isArray(value)) return [];
  if (value.length === 0) return [0];
  const inner = value.map(evenShape);
  const depth = Math.min(...inner.map(shape => shape.length));
  const shared: number[] = [];
  for (let axis = 0; axis < depth && inner.every(shape => shape[axis] === inner[0][axis]); axis++) shared.push(inner[0][axis]);
  return [value.length, ...shared];
}

/** The type TensorFlow infers: bool, string, complex128, int64 for bigints, the type of arrays; numbers are float32. */
export function inferDType(value: ArrayLike): DType {
  if (value instanceof NDArray) return value.dtype;
  if (isTypedArray(value)) return dtypeOfTypedArray(value);
  if (Array.isArray(value)) {
    const first = value.length === 0 ? "float32" : inferDType(value[0]);
    // Among numbers a boolean is one.
    return first === "bool" && value.flat(9).some(leaf => typeof leaf === "number") ? "float32" : first;
  }
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "string":
      return "string";
    case "bigint":
      return "int64";
    case "number":
      return "float32";
    default:
      if (value instanceof Uint8Array) return "string";
      if (typeof value !== "object" || value === null || "re" in value) return "complex128";
      if (standsForNumber(value)) return "float32";
      throw unconvertible(value);
  }
}

function unconvertible(value: object): TypeError {
  const error = new TypeError(`Failed to convert elements of ${String(value)} to Tensor. Consider casting elements to a supported type.`);
  return value instanceof Promise ? withHint(error, "It is a promise: what session.run gives has to be awaited.") : error;
}
