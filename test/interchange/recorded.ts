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
