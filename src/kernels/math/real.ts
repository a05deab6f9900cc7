// A floating-point lane kind with the integers of its width: what the functions of math-*.ts are written over, so that one source gives
// scalars and vectors, single and double precision. Nothing here knows a function.

import type { Expr, FloatLane, IntegerLane, LaneName, OperationName } from "../language/language.ts";
import { applyOperation, floatLane, integerLane, laneTable, lanes } from "../language/language.ts";
import type { FunctionRecorder } from "../language/recorder.ts";

export type RealName = "f32" | "f64" | "f32x" | "f64x";

/** The layout of a float of this width, and the constant 1.5 · 2^mantissa whose low bits hold a small integer added to it. */
interface Format {
  readonly mantissa: number;
  readonly bias: number;
  readonly magic: number;
  readonly magicBits: number | bigint;
}

const single: Format = { mantissa: 23, bias: 127, magic: 1.5 * 2 ** 23, magicBits: 0x4b400000 };
const double: Format = { mantissa: 52, bias: 1023, magic: 1.5 * 2 ** 52, magicBits: 0x4338000000000000n };

export interface Real {
  readonly k: FunctionRecorder;
  readonly name: RealName;
  readonly isDouble: boolean;
  readonly isVector: boolean;
  readonly format: Format;
  /** Operations on floats, and on integers of the same width. */
  readonly f: FloatLane;
  readonly i: IntegerLane;
  number(value: number): Expr;
  /** Pins a value that is used more than once. */
  pin(value: Expr): Expr;
  bitsOf(x: Expr): Expr;
  ofBits(bits: Expr): Expr;
  /** Does the condition hold in any lane? */
  any(condition: Expr): Expr<"i32">;
  /** p(x) = c[0] + c[1]·x + …, by Horner's rule; x must be pinned. */
  polynomial(x: Expr, coefficients: readonly number[]): Expr;
  /** The nearest integer to x·scale (small against 2^mantissa), as a float and, plus `offset`, as the low bits of `shifted`; all pinned. */
  roundedProduct(x: Expr, scale: number, offset?: number): { readonly float: Expr; readonly shifted: Expr };
  /** The small integer that a rounded product with this offset found. */
  smallInteger(shifted: Expr, offset?: number): Expr;
  /** A small integer as a float. */
  ofSmallInteger(integer: Expr): Expr;
  /** 2^integer for exponents of normal numbers. */
  powerOfTwo(integer: Expr): Expr;
}

export function realOf(k: FunctionRecorder, name: RealName): Real {
  const isDouble = name === "f64" || name === "f64x";
  const isVector = laneTable[name].value === "vec";
  const integerName = `i${name.slice(1)}` as "i32" | "i64" | "i32x" | "i64x";
  const [f, i] = [floatLane(name), integerLane(integerName)];
  const format = isDouble ? double : single;
  const pin = (value: Expr): Expr => (value.kind === "local" || value.kind === "const" ? value : k.let(value));
  const cast = (to: LaneName, x: Expr) => (isVector ? x : applyOperation(`${to}.ofBits` as OperationName, x));
  const real: Real = {
    k,
    name,
    isDouble,
    isVector,
    format,
    f,
    i,
    number: value => constantOf(name, value),
    pin,
    bitsOf: x => cast(integerName, x),
    ofBits: bits => cast(name, bits),
    any: condition =>
      isVector ? (applyOperation(isDouble ? "mask64.any" : "mask32.any", condition) as Expr<"i32">) : (condition as Expr<"i32">),
    polynomial: (x, coefficients) => {
      const [first, ...rest] = [...coefficients].reverse();
      return rest.reduce((sum: Expr, c) => f.madd(sum, x, c), constantOf(name, first));
    },
    roundedProduct: (x, scale, offset = 0) => {
      const shifted = pin(f.madd(x, scale, format.magic + offset));
      return { float: pin(f.sub(shifted, format.magic + offset)), shifted: pin(real.bitsOf(shifted)) };
    },
    smallInteger: (shifted, offset = 0) =>
      i.sub(shifted, typeof format.magicBits === "bigint" ? format.magicBits + BigInt(offset) : format.magicBits + offset),
    ofSmallInteger: integer => f.sub(real.ofBits(i.add(integer, format.magicBits)), format.magic),
    powerOfTwo: integer => real.ofBits(i.shl(i.add(integer, format.bias), format.mantissa)),
  };
  return real;
}

const constantOf = (name: RealName, value: number): Expr => lanes[name].const(value);

/** Veltkamp's constant for doubles: splits 53 bits into halves whose products are exact. */
const splitter = 2 ** 27 + 1;

/** a·b = high + low exactly, for doubles whose product is far from overflow and from denormals (Dekker 1971). Both must be pinned. */
export function twoProduct(r: Real, a: Expr, b: Expr): { readonly high: Expr; readonly low: Expr } {
  const { f } = r;
  const [ah, al] = splitHalves(r, a);
  const [bh, bl] = splitHalves(r, b);
  const high = r.pin(f.mul(a, b));
  const low = f.add(f.add(f.add(f.sub(f.mul(ah, bh), high), f.mul(ah, bl)), f.mul(al, bh)), f.mul(al, bl));
  return { high, low: r.pin(low) };
}

function splitHalves(r: Real, x: Expr): readonly [Expr, Expr] {
  const big = r.pin(r.f.mul(x, splitter));
  const high = r.pin(r.f.sub(big, r.f.sub(big, x)));
  return [high, r.pin(r.f.sub(x, high))];
}

/** a + b = high + low exactly (Knuth). Both must be pinned. */
export function twoSum(r: Real, a: Expr, b: Expr): { readonly high: Expr; readonly low: Expr } {
  const { f } = r;
  const high = r.pin(f.add(a, b));
  const part = r.pin(f.sub(high, a));
  return { high, low: r.pin(f.add(f.sub(a, f.sub(high, part)), f.sub(b, part))) };
}
