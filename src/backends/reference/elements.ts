// Elements in JavaScript: floats and integers up to 32 bits are numbers (bool 0 or 1), 64-bit integers bigints, complex {re, im}, strings bytes.
// Reading them from arrays, bringing computed ones into their type's range, and converting between types.

import type { DType } from "../../base/dtype.ts";
import {
  dtypeBytes,
  dtypeTable,
  fromBfloat16Bits,
  fromFloat16Bits,
  isBigInteger,
  isComplex,
  isFloating,
  toBfloat16Bits,
  toFloat16Bits,
  truncated,
} from "../../base/dtype.ts";
import { InternalError } from "../../base/errors.ts";
import type { Complex } from "../../base/ndarray.ts";
import { NDArray } from "../../base/ndarray.ts";

export type Element = number | bigint | Complex | Uint8Array;

export function readElement(array: NDArray, i: number): Element {
  const value = array.get(i);
  return typeof value === "boolean" ? Number(value) : value;
}

/** Reads many elements of one array. */
export function elementReader(array: NDArray): (i: number) => Element {
  const { dtype, data } = array;
  if (dtype === "string") return i => (data as Uint8Array[])[i];
  if (dtype === "float16" || dtype === "bfloat16") return i => readElement(array, i);
  if (!isComplex(dtype)) return i => (data as Float64Array)[i];
  const parts = data as Float64Array;
  return i => ({ re: parts[2 * i], im: parts[2 * i + 1] });
}

/** A constant of the program as an element; a number stands for a complex one without imaginary part, 0 for the empty string. */
export function elementOfConstant(dtype: DType, value: number | bigint): Element {
  if (dtype === "string") return new Uint8Array(0);
  return isComplex(dtype) ? { re: Number(value), im: 0 } : value;
}

/** Brings what was computed in full (double precision, unbounded integers) into a type: rounds floats, wraps integers. */
export function fitTo(dtype: DType): (x: Element) => Element {
  switch (dtype) {
    case "float32":
      return x => Math.fround(x as number);
    case "float16":
      return x => fromFloat16Bits(toFloat16Bits(x as number));
    case "bfloat16":
      return x => fromBfloat16Bits(toBfloat16Bits(x as number));
    case "int64":
      return x => BigInt.asIntN(64, x as bigint);
    case "uint64":
      return x => BigInt.asUintN(64, x as bigint);
    case "complex64":
      return x => ({ re: Math.fround((x as Complex).re), im: Math.fround((x as Complex).im) });
    case "int8":
    case "int16":
    case "int32":
    case "uint8":
    case "uint16":
    case "uint32": {
      const unused = 32 - 8 * dtypeBytes(dtype);
      if (dtype.startsWith("u")) return x => ((x as number) << unused) >>> unused;
      return x => ((x as number) << unused) >> unused;
    }
    default:
      return x => x;
  }
}

/** Conversion as TensorFlow's Cast on x86: floats truncate toward zero, integers wrap, and a float outside the range of a signed type
 *  becomes its least value (types under 32 bits go through int32, uint32 through int64; outside uint64 is 2^63). */
export function castElement(from: DType, to: DType): (x: Element) => Element {
  if (isComplex(from)) {
    if (isComplex(to)) return fitTo(to);
    const castReal = castElement("float64", to);
    return x => castReal((x as Complex).re);
  }
  if (from === "string" || to === "string") throw new InternalError(`There is no cast from ${from} to ${to}.`);
  if (to === "bool") return x => Number(x !== 0 && x !== 0n);
  const fit = fitTo(to);
  if (isComplex(to)) return x => fit({ re: Number(x), im: 0 });
  if (isFloating(to)) return isBigInteger(from) ? x => fit(to === "float64" ? Number(x) : roundToOdd(x as bigint)) : fit;
  if (isFloating(from)) return x => fit(truncated(x as number, to));
  if (isBigInteger(to)) return x => fit(BigInt(x as number | bigint));
  return isBigInteger(from) ? x => fit(Number(BigInt.asIntN(32, x as bigint))) : fit;
}

/** A double between which and the integer no float32 lies, so that rounding it to float32 rounds the integer itself.
 *  (Rounding to double and then to float32 would round twice.) */
function roundToOdd(x: bigint): number {
  const magnitude = x < 0n ? -x : x;
  const excess = BigInt(Math.max(magnitude.toString(2).length - 53, 0));
  const kept = magnitude >> excess;
  const isExact = kept << excess === magnitude;
  const odd = (isExact ? kept : kept | 1n) << excess;
  return Number(x < 0n ? -odd : odd);
}

/** The same bits as another type of the same width. */
export function bitcastElement(from: DType, to: DType): (x: Element) => Element {
  if (dtypeBytes(from) !== dtypeBytes(to) || dtypeTable[from].bytes === 0)
    throw new InternalError(`There is no bitcast from ${from} to ${to}.`);
  const source = NDArray.zeros(from, []);
  const target = NDArray.zeros(to, []);
  const bytesOf = ({ data }: NDArray): Uint8Array => new Uint8Array((data as Float64Array).buffer);
  return x => {
    source.set(0, x);
    bytesOf(target).set(bytesOf(source));
    return readElement(target, 0);
  };
}
