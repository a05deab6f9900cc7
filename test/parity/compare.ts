// When a computed array equals the recorded one: the rules of conformance.md.

import type { NDArray } from "../../src/base/ndarray.ts";
import { sameShape } from "../../src/base/shape.ts";
import type { Tolerance } from "./golden.ts";

/** Why `got` is not `want`, or undefined. */
export function difference(got: NDArray, want: NDArray, cmp: Tolerance): string | undefined {
  if (!sameShape(got.shape, want.shape)) return `shape [${got.shape}] for [${want.shape}]`;
  if (carrierOf(got.dtype) !== carrierOf(want.dtype)) return `dtype ${got.dtype} for ${want.dtype}`;
  for (let i = 0; i < want.size; i++) {
    const [a, b] = [got.get(i), want.get(i)];
    if (!isEqual(a, b, cmp) && !isClose(a, b, cmp))
      return `${show(a)} for ${show(b)} at ${i}${typeof cmp === "string" ? "" : ` (rtol ${cmp[0]}, atol ${cmp[1]})`}`;
  }
  return undefined;
}

/** Recorded arrays hold quantized numbers as plain integers. */
const carriers: { readonly [dtype: string]: string } = {
  qint8: "int8",
  quint8: "uint8",
  qint16: "int16",
  quint16: "uint16",
  qint32: "int32",
};
const carrierOf = (dtype: string): string => carriers[dtype] ?? dtype;

type Element = ReturnType<NDArray["get"]>;

function isEqual(got: Element, want: Element, cmp: Tolerance): boolean {
  if (got instanceof Uint8Array || want instanceof Uint8Array) return textOf(got) === textOf(want);
  if (typeof got === "object" && typeof want === "object") return isEqual(got.re, want.re, cmp) && isEqual(got.im, want.im, cmp);
  if (cmp === "bits" && want === 0) return Object.is(got, want);
  return got === want || (Number.isNaN(got) && Number.isNaN(want));
}

/** Complex elements are near by their absolute value. */
function isClose(got: Element, want: Element, cmp: Tolerance): boolean {
  if (typeof cmp === "string") return false;
  const [a, b] = [pairOf(got), pairOf(want)];
  if (a === undefined || b === undefined || !b.every(Number.isFinite)) return false;
  return Math.hypot(a[0] - b[0], a[1] - b[1]) <= cmp[1] + cmp[0] * Math.hypot(...b);
}

function pairOf(value: Element): [number, number] | undefined {
  if (typeof value === "number") return [value, 0];
  return typeof value === "object" && "re" in value ? [value.re, value.im] : undefined;
}

const textOf = (value: Element): string => (value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : String(value));

function show(value: Element): string {
  if (value instanceof Uint8Array) return JSON.stringify(textOf(value).slice(0, 40));
  if (typeof value === "object") return `${value.re} + ${value.im}i`;
  return Object.is(value, -0) ? "-0" : String(value);
}
