// How TensorFlow writes the values of a tensor into messages (Assert, Print): the first few elements, rows in brackets, `...` for the rest.

import { dtypeTable } from "../../base/dtype.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { decodeText } from "../../base/ndarray.ts";

/** The first `limit` elements (all if negative): `1 2 3...`, `[1 2][3...]...`. */
export function summarize(array: NDArray, limit: number): string {
  const most = limit < 0 ? array.size : Math.min(limit, array.size);
  let next = 0;
  const rows = (axis: number): string => {
    if (next >= most) return "";
    const length = array.shape[axis];
    let text = "";
    if (axis === array.rank - 1) {
      for (let i = 0; i < length; i++) {
        if (next >= most) return axis === 0 ? text : `${text}...`;
        text += (i > 0 ? " " : "") + element(array, next++);
      }
      return text;
    }
    for (let i = 0; i < length && next < most; i++) text += `[${rows(axis + 1)}]`;
    return text;
  };
  const text = array.rank === 0 ? (most > 0 ? element(array, 0) : "") : rows(0);
  return array.size > most ? `${text}...` : text;
}

/** A tensor as C++ shows it in errors: type, shape and the first three elements. */
export const shown = (array: NDArray): string =>
  `Tensor<type: ${dtypeTable[array.dtype].cName} shape: [${array.shape}] values: ${summarize(array, 3)}>`;

/** One element as C++ prints it. */
export function element(array: NDArray, i: number): string {
  const value = array.get(i);
  if (value instanceof Uint8Array) return decodeText(value);
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "bigint") return String(value);
  if (typeof value === "object") return `(${float(value.re, array.dtype === "complex64")},${float(value.im, array.dtype === "complex64")})`;
  return array.dtype.includes("float") ? float(value as number, array.dtype !== "float64") : String(value);
}

/** C's shortest form: six significant digits (15 for doubles) if they give the number back, else nine (17). */
function float(x: number, isSingle: boolean): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x < 0 ? "-inf" : "inf";
  const short = general(x, isSingle ? 6 : 15);
  const read = isSingle ? Math.fround(Number(short)) : Number(short);
  return read === x ? short : general(x, isSingle ? 9 : 17);
}

/** C's %.{digits}g. */
function general(x: number, digits: number): string {
  if (x === 0) return Object.is(x, -0) ? "-0" : "0";
  const [mantissa, power] = x.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  const trim = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (exponent < -4 || exponent >= digits)
    return `${trim(mantissa)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  return trim(x.toFixed(Math.max(digits - 1 - exponent, 0)));
}
