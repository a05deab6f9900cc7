// TensorProto and TensorShapeProto ↔ NDArray and TensorShape, with TensorFlow's choice of field for each type.

import { type DType, dtypeEnumName, dtypeOfEnumName, dtypeOfNumber, dtypeTable, viewTypedArray } from "../base/dtype.ts";
import { InvalidArgumentError, ResourceExhaustedError, UnimplementedError } from "../base/errors.ts";
import { plainBytes } from "../base/files.ts";
import { type ElementValue, NDArray } from "../base/ndarray.ts";
import { sizeOf, TensorShape } from "../base/shape.ts";
import { createMessage } from "./message-codec.ts";
import type { Message, MessageInit } from "./messages.ts";

/** The type behind an enumerator, reference types as their base; undefined if tensorloom does not know it. */
export const dtypeOfEnumerator = (value: string | number): DType | undefined =>
  typeof value === "number" ? dtypeOfNumber(value) : dtypeOfEnumName(value);

export function shapeFromMessage(message: Message<"TensorShapeProto"> | undefined): TensorShape {
  if (message === undefined) return new TensorShape([]);
  if (message.unknownRank) return TensorShape.unknown();
  return new TensorShape(message.dim.map(({ size }) => (size < 0n ? null : Number(size))));
}

export function shapeToMessage(shape: TensorShape): Message<"TensorShapeProto"> {
  if (shape.dims === null) return createMessage("TensorShapeProto", { unknownRank: true });
  return createMessage("TensorShapeProto", { dim: shape.dims.map(size => ({ size: BigInt(size ?? -1) })) });
}

/** The field that holds single values of a type. Complex values are pairs in it. */
const valueFields = {
  float32: "floatVal",
  float64: "doubleVal",
  int32: "intVal",
  uint8: "intVal",
  int16: "intVal",
  int8: "intVal",
  uint16: "intVal",
  qint8: "intVal",
  quint8: "intVal",
  qint16: "intVal",
  quint16: "intVal",
  qint32: "intVal",
  string: "stringVal",
  complex64: "scomplexVal",
  int64: "int64Val",
  bool: "boolVal",
  complex128: "dcomplexVal",
  float16: "halfVal",
  bfloat16: "halfVal",
  uint32: "uint32Val",
  uint64: "uint64Val",
} as const satisfies Partial<Record<DType, keyof Message<"TensorProto">>>;

const fieldOf = (dtype: DType): (typeof valueFields)[keyof typeof valueFields] => {
  if (!(dtype in valueFields)) throw new UnimplementedError(`Tensors of type ${dtype} in files are not supported.`);
  return valueFields[dtype as keyof typeof valueFields];
};

/** How many values of a type a message holds one by one. */
export const countValues = (message: Message<"TensorProto">, dtype: DType): number =>
  message[fieldOf(dtype)].length / (isPairs(dtype) ? 2 : 1);

/** The array a tensor message holds: raw content, or values of which the last one repeats.
 *  @throws InvalidArgumentError if it is damaged; UnimplementedError for types without arrays (resource, variant). */
export function arrayFromMessage(message: Message<"TensorProto">): NDArray {
  const dtype = dtypeOfEnumerator(message.dtype);
  if (dtype === undefined) throw new UnimplementedError(`A tensor of type ${message.dtype} cannot be read.`);
  const told = shapeFromMessage(message.tensorShape);
  // Of an unknown rank is a scalar.
  const shape = told.dims === null ? new TensorShape([]) : told;
  if (!shape.isFullyDefined) throw new InvalidArgumentError(`Cannot parse tensor from proto\n\nIts shape ${shape} is not fully known.`);
  const dims = shape.asNumbers();
  const field = fieldOf(dtype);
  // Of no elements TensorFlow reads nothing; Python writes one value for them all (`tf.zeros([0], tf.string)`).
  if (shape.size === 0) return NDArray.zeros(dtype, dims);
  if (message.tensorContent.length > 0 && dtype !== "string")
    return new NDArray(dtype, dims, contentOf(message.tensorContent, dtype, shape.size as number));
  const values = message[field] as readonly ElementValue[];
  return isPairs(dtype) ? fromPairs(dtype, dims, values as readonly number[]) : fromValues(dtype, dims, values);
}

const isPairs = (dtype: DType): boolean => dtypeTable[dtype].kind === "complex";

function contentOf(bytes: Uint8Array, dtype: DType, size: number): NDArray["data"] {
  const expected = size * dtypeTable[dtype].bytes;
  if (bytes.length !== expected)
    throw new InvalidArgumentError(`Cannot parse tensor from proto\n\nIts content has ${bytes.length} bytes where ${expected} belong.`);
  return viewTypedArray(dtype, plainBytes(bytes).slice().buffer, 0, size);
}

/** A message may say of a few values that they fill a large tensor: larger than this it is not believed. */
const mostFilled = 2 ** 30;

function fromValues(dtype: DType, dims: readonly number[], values: readonly ElementValue[]): NDArray {
  const bytes = sizeOf(dims) * Math.max(dtypeTable[dtype].bytes, 8);
  if (bytes > mostFilled && sizeOf(dims) > values.length)
    throw new ResourceExhaustedError(
      `Cannot parse tensor from proto\n\nIts shape [${dims}] is larger than the ${values.length} values it holds may fill.`,
    );
  const array = NDArray.zeros(dtype, dims);
  // What is there beyond the shape TensorFlow does not read.
  if (values.length === 0) return array;
  // Half-precision values are given as their bits, which is also how arrays keep them.
  const isBits = dtype === "float16" || dtype === "bfloat16";
  for (let i = 0; i < array.size; i++) {
    const value = values[Math.min(i, values.length - 1)];
    if (isBits) (array.data as Uint16Array)[i] = value as number;
    else array.set(i, value);
  }
  return array;
}

function fromPairs(dtype: DType, dims: readonly number[], words: readonly number[]): NDArray {
  const pairs = Array.from({ length: Math.floor(words.length / 2) }, (_, i) => ({ re: words[2 * i], im: words[2 * i + 1] }));
  return fromValues(dtype, dims, pairs);
}

/** Types whose longer tensors TensorFlow writes as raw content. */
const rawTypes = new Set<DType>([
  "float16",
  "float32",
  "float64",
  "int32",
  "uint8",
  "int16",
  "int8",
  "int64",
  "uint16",
  "uint32",
  "uint64",
]);

/** The message TensorFlow's make_tensor_proto makes: a single element in its typed field, more as raw content, strings, bools and complex always typed. */
export function arrayToMessage(array: NDArray): Message<"TensorProto"> {
  const { dtype, size } = array;
  const head: MessageInit<"TensorProto"> = { dtype: dtypeEnumName(dtype), tensorShape: shapeToMessage(new TensorShape(array.shape)) };
  if (size === 0) return createMessage("TensorProto", head);
  if (size > 1 && rawTypes.has(dtype)) {
    const { buffer, byteOffset, byteLength } = array.data as Uint8Array;
    return createMessage("TensorProto", { ...head, tensorContent: new Uint8Array(buffer, byteOffset, byteLength).slice() });
  }
  return createMessage("TensorProto", { ...head, ...arrayToTypedValues(array) });
}

/** The field of single values alone, without type and shape. */
export function arrayToTypedValues({ dtype, data }: NDArray): MessageInit<"TensorProto"> {
  const words = Array.from(data as ArrayLike<number | bigint | Uint8Array>);
  return { [fieldOf(dtype)]: dtype === "bool" ? words.map(word => word !== 0) : words };
}
