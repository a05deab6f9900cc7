// Arrays as the generators of this folder record them.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { DType } from "../../src/base/dtype.ts";
import { NDArray } from "../../src/base/ndarray.ts";

export interface RecordedArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: readonly (number | boolean | string)[];
  /** Strings, where they are not in `values`. */
  readonly base64?: readonly string[];
}

/** Strings are base64, 64-bit integers decimal text. */
export function arrayOf({ dtype, shape, values, base64 }: RecordedArray): NDArray {
  const array = NDArray.zeros(dtype, shape);
  (base64 ?? values).forEach((value, i) => {
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

/** The files that generate/pack.py has put into one. */
export function packed(name: string): ReadonlyMap<string, Uint8Array> {
  const text = gunzipSync(readFileSync(new URL(`data/${name}.json.gz`, import.meta.url))).toString();
  const given = JSON.parse(text) as { readonly files?: Readonly<Record<string, string>> } & Readonly<Record<string, string>>;
  return new Map(
    Object.entries(given.files ?? given).map(([path, content]) => [path, new Uint8Array(Buffer.from(content as string, "base64"))]),
  );
}

/** Writes files into a folder. */
export function unpack(files: ReadonlyMap<string, Uint8Array>, folder: string): void {
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}
