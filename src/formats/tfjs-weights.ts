// Weights of TensorFlow.js models: a manifest of groups of files, cut anywhere, that hold arrays one after another, some of them quantized.

import { type DType, dtypeTable, viewTypedArray } from "../base/dtype.ts";
import { DataLossError, UnimplementedError } from "../base/errors.ts";
import { plainBytes } from "../base/files.ts";
import { NDArray } from "../base/ndarray.ts";
import { sizeOf } from "../base/shape.ts";

export interface TfjsQuantization {
  readonly dtype: "uint8" | "uint16" | "float16";
  readonly scale?: number;
  readonly min?: number;
}

export interface TfjsWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: TfjsQuantization;
}

/** Files, and the arrays that are in them. */
export interface TfjsWeightGroup {
  readonly paths: readonly string[];
  readonly weights: readonly TfjsWeight[];
}

const dtypes = new Set(["float32", "int32", "bool", "string", "complex64"]);

/** The groups of a manifest as JSON has them. @throws DataLossError where something else is there. */
export function weightGroupsOf(manifest: unknown, where: string): readonly TfjsWeightGroup[] {
  const refuse = (what: string, found: unknown): never => {
    throw new DataLossError(`${where}: ${what} should be there, not ${(JSON.stringify(found) ?? "nothing").slice(0, 80)}.`);
  };
  const listOf = <T>(value: unknown, what: string, isOne: (item: unknown) => item is T): readonly T[] =>
    Array.isArray(value) && value.every(isOne) ? (value as readonly T[]) : refuse(what, value);
  const isText = (value: unknown): value is string => typeof value === "string";
  const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
  const isWeight = (value: unknown): value is TfjsWeight =>
    isRecord(value) && isText(value.name) && isText(value.dtype) && (value.quantization === undefined || isRecord(value.quantization));
  return listOf(manifest ?? [], "a list of groups of weights", isRecord).map(({ paths, weights }) => ({
    paths: listOf(paths, "a list of paths", isText),
    weights: listOf(weights, "a list of weights with names and types", isWeight),
  }));
}

/** The arrays of a group, from its files' bytes joined. @throws DataLossError where they are too few or left over. */
export function readTfjsWeights({ paths, weights }: TfjsWeightGroup, given: Uint8Array): Map<string, NDArray> {
  const bytes = plainBytes(given);
  const where = paths.join(", ");
  const arrays = new Map<string, NDArray>();
  let at = 0;
  const take = (length: number, name: string): Uint8Array => {
    if (!(length <= bytes.length - at))
      throw new DataLossError(`${where}: the weight '${name}' needs ${length} bytes at offset ${at}, ${bytes.length - at} are left.`);
    at += length;
    return bytes.slice(at - length, at);
  };
  for (const weight of weights) {
    const { name, shape, dtype, quantization } = weight;
    if (!dtypes.has(dtype)) throw new UnimplementedError(`${where}: the weight '${name}' has the type ${dtype}, which is not supported.`);
    if (!Array.isArray(shape) || !shape.every(d => Number.isSafeInteger(d) && d >= 0))
      throw new DataLossError(`${where}: the weight '${name}' has no shape, but ${JSON.stringify(shape)}.`);
    if (dtype === "string")
      arrays.set(
        name,
        strings(shape, length => take(length, name)),
      );
    else if (quantization)
      arrays.set(
        name,
        dequantized(weight, quantization, length => take(length, name)),
      );
    else {
      const size = sizeOf(shape);
      const content = take(size * dtypeTable[dtype as DType].bytes, name);
      arrays.set(name, new NDArray(dtype as DType, shape, viewTypedArray(dtype as DType, content.buffer as ArrayBuffer, 0, size)));
    }
  }
  if (at !== bytes.length) throw new DataLossError(`${where}: ${bytes.length - at} bytes are left over after the last weight.`);
  return arrays;
}

type Take = (length: number) => Uint8Array;

function strings(shape: readonly number[], take: Take): NDArray {
  const values: Uint8Array[] = [];
  for (let i = 0; i < sizeOf(shape); i++) {
    const head = take(4);
    values.push(take(new DataView(head.buffer).getUint32(0, true)));
  }
  const array = NDArray.zeros("string", shape);
  values.forEach((value, i) => void array.set(i, value));
  return array;
}

function dequantized({ name, shape, dtype }: TfjsWeight, { dtype: kind, scale = 1, min = 0 }: TfjsQuantization, take: Take): NDArray {
  const size = sizeOf(shape);
  if (kind !== "uint8" && kind !== "uint16" && kind !== "float16")
    throw new UnimplementedError(`The weight '${name}' is quantized to ${String(kind)}, which is not supported.`);
  const content = take(size * (kind === "uint8" ? 1 : 2));
  const stored = new NDArray(kind, shape, viewTypedArray(kind, content.buffer as ArrayBuffer, 0, size));
  const array = NDArray.zeros(dtype as DType, shape);
  for (let i = 0; i < size; i++) {
    const value = kind === "float16" ? Number(stored.get(i)) : Number(stored.get(i)) * scale + min;
    array.set(i, dtype === "int32" ? Math.round(value) : value);
  }
  return array;
}
