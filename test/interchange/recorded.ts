// Arrays as the generators of this folder record them.
import type { DType } from "../../src/base/dtype.ts";
import { NDArray } from "../../src/base/ndarray.ts";

export interface RecordedArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: readonly (number | boolean | string)[];
}

/** Strings are base64, 64-bit integers decimal text. */
export function arrayOf({ dtype, shape, values }: RecordedArray): NDArray {
  const array = NDArray.zeros(dtype, shape);
  values.forEach((value, i) => {
    if (dtype === "string") array.set(i, new Uint8Array(Buffer.from(value as string, "base64")));
    else
      array.set(i, dtype === "int64" || dtype === "uint64" ? BigInt(value as string) : typeof value === "boolean" ? value : Number(value));
  });
  return array;
}

export function recordedOf(array: NDArray): RecordedArray {
  const values = Array.from({ length: array.size }, (_, i) => {
    const value = array.get(i);
    if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
    return typeof value === "bigint" ? String(value) : (value as number | boolean);
  });
  return { dtype: array.dtype, shape: array.shape, values };
}

/** The largest difference between elements. */
export function difference(a: NDArray, b: NDArray): number {
  if (a.shape.join() !== b.shape.join()) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.size; i++) worst = Math.max(worst, Math.abs(Number(a.get(i)) - Number(b.get(i))));
  return worst;
}
