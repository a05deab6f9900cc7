// numpy's .npy files: one array, its type and shape in a line of Python before the elements.

import { type DType, dtypeTable, viewTypedArray, wordsPerElement } from "../base/dtype.ts";
import { DataLossError, UnimplementedError } from "../base/errors.ts";
import { plainBytes } from "../base/files.ts";
import { decodeText, encodeText, NDArray } from "../base/ndarray.ts";
import { sizeOf } from "../base/shape.ts";

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const;
const alignment = 64;

/** numpy's names of types, without the byte order. */
const names: Partial<Record<DType, string>> = {
  float16: "f2",
  float32: "f4",
  float64: "f8",
  int8: "i1",
  int16: "i2",
  int32: "i4",
  int64: "i8",
  uint8: "u1",
  uint16: "u2",
  uint32: "u4",
  uint64: "u8",
  bool: "b1",
  complex64: "c8",
  complex128: "c16",
};

/** The file of an array. @throws UnimplementedError for types that numpy has none for (strings, bfloat16). */
export function npyFromArray({ dtype, shape, data }: NDArray): Uint8Array {
  const name = names[dtype];
  if (name === undefined) throw new UnimplementedError(`Arrays of type ${dtype} cannot be written as .npy.`);
  const order = name.endsWith("1") ? "|" : "<";
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${order}${name}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const headBytes = Math.ceil((10 + text.length + 1) / alignment) * alignment;
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  const result = new Uint8Array(headBytes + byteLength);
  result.set([...magic, 1, 0]);
  new DataView(result.buffer).setUint16(8, headBytes - 10, true);
  result.set(encodeText(`${text.padEnd(headBytes - 11)}\n`), 10);
  result.set(new Uint8Array(buffer, byteOffset, byteLength), headBytes);
  return result;
}

/** The array of a file. @throws DataLossError if it is damaged; UnimplementedError for types and orders that are not read. */
export function npyToArray(bytes: Uint8Array, name = "array.npy"): NDArray {
  const fail = (reason: string): never => {
    throw new DataLossError(`${name} is no array of numpy's\n\n${reason}.`);
  };
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte)) fail("It does not begin as .npy files do");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const isShort = bytes[6] === 1;
  const from = isShort ? 10 : 12;
  const headBytes = from + (isShort ? view.getUint16(8, true) : view.getUint32(8, true));
  if (headBytes > bytes.length) fail(`Its head of ${headBytes} bytes is cut off`);
  const head = decodeText(bytes.subarray(from, headBytes));
  const [, order, type] = /'descr':\s*'([<>|=])(\w+)'/.exec(head) ?? [];
  const [, fortran] = /'fortran_order':\s*(True|False)/.exec(head) ?? [];
  const [, list] = /'shape':\s*\(([\d,\s]*)\)/.exec(head) ?? [];
  if (type === undefined || fortran === undefined || list === undefined) fail("Its head does not tell type, order and shape");
  const dtype = (Object.keys(names) as DType[]).find(key => names[key] === type);
  if (dtype === undefined || (order === ">" && !type.endsWith("1")))
    throw new UnimplementedError(`${name} holds elements '${order}${type}', which are not read.`);
  const shape = list
    .split(",")
    .filter(part => part.trim() !== "")
    .map(Number);
  const size = sizeOf(shape);
  const expected = size * dtypeTable[dtype].bytes;
  if (shape.length > 254 || expected !== bytes.length - headBytes)
    fail(`Its shape [${shape}] takes ${expected} bytes, ${bytes.length - headBytes} are there`);
  const elements = viewTypedArray(dtype, plainBytes(bytes).slice(headBytes).buffer, 0, size);
  const array = new NDArray(dtype, shape, elements);
  return fortran === "True" && shape.length > 1 ? fromColumns(array) : array;
}

/** Elements that lie with the first index fastest, turned to the last fastest. */
function fromColumns({ dtype, shape, data }: NDArray): NDArray {
  const result = NDArray.zeros(dtype, shape);
  const words = wordsPerElement(dtype);
  const [source, target] = [data as Float64Array, result.data as Float64Array];
  const index = shape.map(() => 0);
  for (let i = 0; i < sizeOf(shape); i++) {
    let at = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) at = at * shape[axis] + index[axis];
    for (let word = 0; word < words; word++) target[i * words + word] = source[at * words + word];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return result;
}
