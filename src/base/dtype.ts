// Element types: TensorFlow's names, sizes, wire numbers and array classes in one table. Nothing about tensors lives here.
// A DType is its name: `tf.float32 === "float32"`. Reference types (`float32_ref`) are a property of a tensor, not a type of their own.

import { pythonRepr } from "./python-text.ts";

interface DTypeRow {
  /** DataType number in TensorFlow's types.proto. */
  readonly number: number;
  /** Bytes of one element; 0 where an element has no fixed size. */
  readonly bytes: number;
  readonly kind: "float" | "int" | "uint" | "bool" | "complex" | "string" | "handle";
  /** The name in run-time messages ("float", "double"). */
  readonly cName: string;
}

const row = (number: number, bytes: number, kind: DTypeRow["kind"], cName: string): DTypeRow => ({ number, bytes, kind, cName });

export const dtypeTable = {
  float32: row(1, 4, "float", "float"),
  float64: row(2, 8, "float", "double"),
  int32: row(3, 4, "int", "int32"),
  uint8: row(4, 1, "uint", "uint8"),
  int16: row(5, 2, "int", "int16"),
  int8: row(6, 1, "int", "int8"),
  string: row(7, 0, "string", "string"),
  complex64: row(8, 8, "complex", "complex64"),
  int64: row(9, 8, "int", "int64"),
  bool: row(10, 1, "bool", "bool"),
  qint8: row(11, 1, "handle", "qint8"),
  quint8: row(12, 1, "handle", "quint8"),
  qint32: row(13, 4, "handle", "qint32"),
  bfloat16: row(14, 2, "float", "bfloat16"),
  qint16: row(15, 2, "handle", "qint16"),
  quint16: row(16, 2, "handle", "quint16"),
  uint16: row(17, 2, "uint", "uint16"),
  complex128: row(18, 16, "complex", "complex128"),
  float16: row(19, 2, "float", "half"),
  resource: row(20, 0, "handle", "resource"),
  variant: row(21, 0, "handle", "variant"),
  uint32: row(22, 4, "uint", "uint32"),
  uint64: row(23, 8, "uint", "uint64"),
} as const satisfies Record<string, DTypeRow>;

/** The type of a tensor's elements, by TensorFlow's name. */
export type DType = keyof typeof dtypeTable;

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

type TypedArrayClass = { new (length: number): TypedArray; new (buffer: ArrayBufferLike, byteOffset: number, length: number): TypedArray };

/** How elements of a type lie in memory: float16 and bfloat16 as their bits, complex as (real, imaginary) pairs, bool as bytes 0 and 1. */
const arrayClasses: Partial<Record<DType, TypedArrayClass>> = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint8: Uint8Array,
  int16: Int16Array,
  int8: Int8Array,
  complex64: Float32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
  bfloat16: Uint16Array,
  uint16: Uint16Array,
  complex128: Float64Array,
  float16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  qint8: Int8Array,
  quint8: Uint8Array,
  qint32: Int32Array,
  qint16: Int16Array,
  quint16: Uint16Array,
};

/** Array words per element: 2 for complex types. */
export const wordsPerElement = (dtype: DType): number => (dtypeTable[dtype].kind === "complex" ? 2 : 1);

/** A zeroed array for `elements` elements. @throws TypeError for types without a fixed size. */
export const newTypedArray = (dtype: DType, elements: number): TypedArray => new (arrayClass(dtype))(elements * wordsPerElement(dtype));

/** A view of `elements` elements of type `dtype` at a byte offset of a buffer. */
export const viewTypedArray = (dtype: DType, buffer: ArrayBufferLike, offsetBytes: number, elements: number): TypedArray =>
  new (arrayClass(dtype))(buffer, offsetBytes, elements * wordsPerElement(dtype));

/** A copy of elements of type `dtype`, in memory of its own. */
export const copyTypedArray = (dtype: DType, elements: TypedArray): TypedArray => new (arrayClass(dtype))(elements as never);

function arrayClass(dtype: DType): TypedArrayClass {
  const found = arrayClasses[dtype];
  if (!found) throw dtype in dtypeTable ? new TypeError(`Elements of type ${dtype} are not kept in typed arrays.`) : noDtype(dtype);
  return found;
}

export const isDType = (value: unknown): value is DType => typeof value === "string" && Object.hasOwn(dtypeTable, value);
export const dtypeNames = Object.keys(dtypeTable) as readonly DType[];
export const dtypeBytes = (dtype: DType): number => dtypeTable[dtype].bytes;
/** The distance from 1 to the next number of each type of floats. */
export const machineEpsilon: Readonly<Partial<Record<DType, number>>> = {
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
  float32: 2 ** -23,
  float64: 2 ** -52,
};

/** What TensorFlow says where there is no memory for a tensor. */
export const noMemoryFor = (shape: readonly number[], dtype: DType): string =>
  `OOM when allocating tensor with shape[${shape}] and type ${dtypeTable[dtype].cName} on /job:localhost/replica:0/task:0/device:CPU:0 by allocator cpu`;

/** TensorFlow's refusal of what names no type. */
export const noDtype = (value: unknown): TypeError =>
  new TypeError(`Cannot convert the argument \`type_value\`: ${pythonRepr(value)} to a TensorFlow DType.`);

function kindOf(dtype: DType): string {
  const row: { readonly kind: string } | undefined = dtypeTable[dtype];
  // JavaScript programs may say anything.
  if (row === undefined) throw noDtype(dtype);
  return row.kind;
}

export const isFloating = (dtype: DType): boolean => kindOf(dtype) === "float";
export const isInteger = (dtype: DType): boolean => kindOf(dtype) === "int" || kindOf(dtype) === "uint";
export const isUnsigned = (dtype: DType): boolean => kindOf(dtype) === "uint";
/** Do gradients flow through values of this type? */
export const isDifferentiable = (dtype: DType): boolean =>
  isFloating(dtype) || isComplex(dtype) || dtype === "resource" || dtype === "variant";

export const isComplex = (dtype: DType): boolean => kindOf(dtype) === "complex";
/** int64 and uint64: elements are bigints in JavaScript. */
export const isBigInteger = (dtype: DType): boolean => dtype === "int64" || dtype === "uint64";

/** `DT_FLOAT` for float32, as NodeDefs print it. */
export const dtypeEnumName = (dtype: DType): string =>
  `DT_${dtype === "float32" ? "FLOAT" : dtype === "float64" ? "DOUBLE" : dtype === "float16" ? "HALF" : dtype.toUpperCase()}`;
const byEnumName = new Map<string, DType>(dtypeNames.map(name => [dtypeEnumName(name), name]));
const byNumber = new Map<number, DType>(dtypeNames.map(name => [dtypeTable[name].number, name]));

/** The type behind `DT_FLOAT`, `DT_FLOAT_REF`, or undefined. */
export const dtypeOfEnumName = (name: string): DType | undefined => byEnumName.get(name.replace(/_REF$/, ""));
/** The type behind a DataType number; reference types are 100 above their base. */
export const dtypeOfNumber = (number: number): DType | undefined => byNumber.get(number > 100 ? number - 100 : number);

/** float16 bits of a number, rounded to nearest even, overflowing to infinity. */
export function toFloat16Bits(value: number): number {
  return roundToHalf(Math.fround(value));
}

const scratch = new DataView(new ArrayBuffer(8));

function roundToHalf(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  // Subnormal halves are multiples of 2^-24.
  const scaled = Math.abs(value) * 2 ** 24;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  return sign | (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor);
}

export function fromFloat16Bits(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** bfloat16 bits of a number, rounded to nearest even. */
export function toBfloat16Bits(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  if ((bits & 0x7fffffff) > 0x7f800000) return ((bits >>> 16) | 0x40) & 0xffff;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export function fromBfloat16Bits(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

/** A float as an integer, before it is brought into the range of `to`: truncated as x86 does it, where what does not fit becomes the least integer of 32 or
 *  64 bits (2^63 for uint64, 0 for uint32). */
export function truncated(x: number, to: DType): number | bigint {
  const whole = Math.trunc(x) + 0;
  const inInt64 = whole >= -(2 ** 63) && whole < 2 ** 63;
  if (to === "int64") return inInt64 ? BigInt(whole) : -(2n ** 63n);
  if (to === "uint64") return inInt64 || (whole > 0 && whole < 2 ** 64) ? BigInt(whole) : 2n ** 63n;
  if (to === "uint32") return inInt64 ? Number(BigInt.asUintN(32, BigInt(whole))) : 0;
  return whole >= -(2 ** 31) && whole < 2 ** 31 ? whole : -(2 ** 31);
}

/** The greatest or lowest finite number of a type. */
export function limitOf(dtype: DType, greatest: boolean): number | bigint {
  const { kind, bytes } = dtypeTable[dtype];
  if (kind === "uint") return greatest ? (bytes === 8 ? 2n ** 64n - 1n : 2 ** (8 * bytes) - 1) : 0;
  if (kind === "int")
    return greatest ? (bytes === 8 ? 2n ** 63n - 1n : 2 ** (8 * bytes - 1) - 1) : bytes === 8 ? -(2n ** 63n) : -(2 ** (8 * bytes - 1));
  const limits: Partial<Record<DType, number>> = {
    float16: 65504,
    bfloat16: (2 - 2 ** -7) * 2 ** 127,
    float32: (2 - 2 ** -23) * 2 ** 127,
    float64: Number.MAX_VALUE,
  };
  const limit = limits[dtype] ?? Number.POSITIVE_INFINITY;
  return greatest ? limit : -limit;
}
