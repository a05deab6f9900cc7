// The scalar functions by kind of element. Results are computed in full and then fitted to the type: rounded once, or wrapped.

import type { DType } from "../../base/dtype.ts";
import { dtypeBytes, dtypeTable, isBigInteger } from "../../base/dtype.ts";
import { InternalError } from "../../base/errors.ts";
import type { ScalarFunction } from "../../ir/scalar.ts";
import { isDefinedFor, resultType, scalarFunctions } from "../../ir/scalar.ts";
import { hostFunctions } from "../host-functions.ts";
import { complexFunctions } from "./complex.ts";
import type { Element } from "./elements.ts";
import { fitTo } from "./elements.ts";

type ElementFunction = (...args: Element[]) => Element;

const comparisons = {
  eq: (x: number | bigint, y: number | bigint) => Number(x === y),
  ne: (x: number | bigint, y: number | bigint) => Number(x !== y),
  lt: (x: number | bigint, y: number | bigint) => Number(x < y),
  le: (x: number | bigint, y: number | bigint) => Number(x <= y),
  gt: (x: number | bigint, y: number | bigint) => Number(x > y),
  ge: (x: number | bigint, y: number | bigint) => Number(x >= y),
};

const arithmetic = {
  add: (x: number, y: number) => x + y,
  sub: (x: number, y: number) => x - y,
  neg: (x: number) => -x,
  min: Math.min,
  max: Math.max,
  abs: Math.abs,
  sign: (x: number) => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? 0 : x),
};

const realFunctions = {
  ...comparisons,
  ...arithmetic,
  ...hostFunctions,
  mul: (x: number, y: number) => x * y,
  div: (x: number, y: number) => x / y,
  sqrt: Math.sqrt,
  rsqrt: (x: number) => 1 / Math.sqrt(x),
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
};

/** The neighbour of x toward y among floats of `bits` (32 or 64) bits: the next or the previous bit pattern. */
function nextAfter(bits: 32 | 64, x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number.NaN;
  if (x === y) return y;
  if (x === 0) return y > 0 ? (bits === 32 ? 2 ** -149 : 2 ** -1074) : bits === 32 ? -(2 ** -149) : -(2 ** -1074);
  const view = new DataView(new ArrayBuffer(8));
  const step = x > 0 === y > x ? 1 : -1;
  if (bits === 32) {
    view.setFloat32(0, x);
    view.setInt32(0, view.getInt32(0) + step);
    return view.getFloat32(0);
  }
  view.setFloat64(0, x);
  view.setBigInt64(0, view.getBigInt64(0) + BigInt(step));
  return view.getFloat64(0);
}

const integerFunctions = {
  ...comparisons,
  ...arithmetic,
  mul: Math.imul,
  div: (x: number, y: number) => (y === 0 ? 0 : Math.trunc(x / y)),
  rem: (x: number, y: number) => (y === 0 ? 0 : x % y),
  pow: (x: number, y: number) => Number(integerPower(BigInt(x), BigInt(y), 32)),
  and: (x: number, y: number) => x & y,
  or: (x: number, y: number) => x | y,
  xor: (x: number, y: number) => x ^ y,
  not: (x: number) => ~x,
};

const bigintFunctions = {
  ...comparisons,
  add: (x: bigint, y: bigint) => x + y,
  sub: (x: bigint, y: bigint) => x - y,
  mul: (x: bigint, y: bigint) => x * y,
  div: (x: bigint, y: bigint) => (y === 0n ? 0n : x / y),
  rem: (x: bigint, y: bigint) => (y === 0n ? 0n : x % y),
  pow: (x: bigint, y: bigint) => integerPower(x, y, 64),
  neg: (x: bigint) => -x,
  min: (x: bigint, y: bigint) => (x < y ? x : y),
  max: (x: bigint, y: bigint) => (x > y ? x : y),
  abs: (x: bigint) => (x < 0n ? -x : x),
  sign: (x: bigint) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
  and: (x: bigint, y: bigint) => x & y,
  or: (x: bigint, y: bigint) => x | y,
  xor: (x: bigint, y: bigint) => x ^ y,
  not: (x: bigint) => ~x,
};

/** x^y modulo 2^bits; for negative y the quotient 1 / x^-y, truncated, where 1/0 = 0. */
function integerPower(x: bigint, y: bigint, bits: number): bigint {
  if (y < 0n) return x === 1n || x === -1n ? (y % 2n === 0n ? 1n : x) : 0n;
  let result = 1n;
  let square = x;
  for (let rest = y; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = BigInt.asIntN(bits, result * square);
    square = BigInt.asIntN(bits, square * square);
  }
  return result;
}

/** Functions of integers that depend on their width. */
function widthFunctions(dtype: DType): Partial<Record<ScalarFunction, ElementFunction>> {
  const bits = 8 * dtypeBytes(dtype);
  const big = (x: Element): bigint => BigInt.asUintN(bits, BigInt(x as number | bigint));
  const count = (y: Element): bigint => big(y) % BigInt(bits);
  const back = (x: bigint): Element => (isBigInteger(dtype) ? x : Number(BigInt.asIntN(bits, x)));
  return {
    shl: (x, y) => back(big(x) << count(y)),
    shr: (x, y) => back((dtypeTable[dtype].kind === "uint" ? big(x) : BigInt.asIntN(bits, big(x))) >> count(y)),
    popcount: x => back(BigInt(big(x).toString(2).replaceAll("0", "").length)),
  };
}

const boolFunctions = {
  ...comparisons,
  min: Math.min,
  max: Math.max,
  and: (x: number, y: number) => x & y,
  or: (x: number, y: number) => x | y,
  xor: (x: number, y: number) => x ^ y,
  not: (x: number) => 1 - x,
};

/** Negative, zero or positive as the bytes of x sort before, with or after those of y. */
export function compareBytes(x: Uint8Array, y: Uint8Array): number {
  const at = x.findIndex((byte, i) => byte !== y[i]);
  return at < 0 ? x.length - y.length : x[at] - (y[at] ?? -1);
}

const stringFunctions = {
  eq: (x: Uint8Array, y: Uint8Array) => Number(compareBytes(x, y) === 0),
  ne: (x: Uint8Array, y: Uint8Array) => Number(compareBytes(x, y) !== 0),
  lt: (x: Uint8Array, y: Uint8Array) => Number(compareBytes(x, y) < 0),
  le: (x: Uint8Array, y: Uint8Array) => Number(compareBytes(x, y) <= 0),
  gt: (x: Uint8Array, y: Uint8Array) => Number(compareBytes(x, y) > 0),
  ge: (x: Uint8Array, y: Uint8Array) => Number(compareBytes(x, y) >= 0),
};

const floatOnly = (dtype: DType) => ({
  complex: (re: number, im: number) => ({ re, im }),
  ...(dtype === "float32" ? { nextAfter: (x: number, y: number) => nextAfter(32, x, y) } : {}),
  ...(dtype === "float64" ? { nextAfter: (x: number, y: number) => nextAfter(64, x, y) } : {}),
});

/** All functions that elements of a type have, unfitted. */
function functionsFor(dtype: DType): object {
  switch (dtypeTable[dtype].kind) {
    case "float":
      return { ...realFunctions, ...floatOnly(dtype) };
    case "int":
    case "uint":
      return { ...(isBigInteger(dtype) ? bigintFunctions : integerFunctions), ...widthFunctions(dtype) };
    case "bool":
      return boolFunctions;
    case "complex":
      return complexFunctions;
    case "string":
      return stringFunctions;
    case "handle":
      return {};
  }
}

/** A scalar function on arguments of type `dtype`, its result rounded or wrapped to the result's type. */
export function elementFunction(fn: ScalarFunction, dtype: DType): ElementFunction {
  const functions = functionsFor(dtype) as Partial<Record<ScalarFunction, ElementFunction>>;
  const f = functions[fn];
  if (!f || !isDefinedFor(fn, dtype)) throw new InternalError(`The scalar function ${fn} is not defined for ${dtype}.`);
  const fit = fitTo(resultType(scalarFunctions[fn].result, dtype));
  if (scalarFunctions[fn].arity === 1) return x => fit(f(x));
  if (scalarFunctions[fn].arity === 2) return (x, y) => fit(f(x, y));
  return (x, y, z) => fit(f(x, y, z));
}
