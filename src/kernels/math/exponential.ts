// exp, log and what is made of them, over any Real: code, no tables. Polynomials are minimax fits made for this file (Remez, mpmath);
// the reductions are the classical ones (Cody and Waite 1980; the correction terms of log1p and the order of sums in log after Kahan).
// Accuracy is measured in math.test.ts and stated in math.ts.

import type { Expr } from "../language/language.ts";
import { type Real, twoSum } from "./real.ts";

/** ln 2 = high + low, high short enough for exact products with exponents. */
const ln2Single = { high: 355 / 512, low: -0.00021219444005469057 };
const ln2Double = { high: 0.6931471803691238, low: 1.9082149292705877e-10 };
const ln2 = (r: Real) => (r.isDouble ? ln2Double : ln2Single);

/** (exp(r) - 1 - r) / r² on ±ln2/2. */
const expCoefficients = {
  single: [0.5, 0.16666667, 0.041666552, 0.008333301, 0.0013926327, 0.00019899511],
  double: [
    0.5, 0.16666666666666669, 0.041666666666666664, 0.008333333333330011, 0.0013888888888886517, 0.00019841269863303223,
    2.4801587317322748e-5, 2.75572680728901e-6, 2.7557282693108636e-7, 2.5100569275813683e-8, 2.0911367871348534e-9,
  ],
};

/** exp(r) on ±ln2/2, for float32. */
const expSingle = [1, 1, 0.5, 0.16666533052921295, 0.04166724905371666, 0.008367626927793026, 0.0013863202184438705];

/** s/tanh(s) in s² on ±ln2/4, for float32. */
const cotangentSingle = [1, 0.33333250880241394, -0.022133752703666687];

/** (log(1 + f) - f + f²/2) / f³ for 1 + f between √½ and √2. */
const logSingle = [0.3333331, -0.24999987, 0.20002228, -0.16669253, 0.14218628, -0.123842955, 0.11873163, -0.11790221, 0.06915424];

/** (2 atanh(s) - 2s) / s³ as a polynomial in s², for s = f / (2 + f). */
const logDouble = [
  0.6666666666666735, 0.39999999999413105, 0.2857142874277025, 0.22222198530773093, 0.18183566685788838, 0.15313986378821337,
  0.1479662831474739,
];

/** Beyond these exp is 0 or infinite, whatever is added to the exponent later. */
const expRange = (r: Real) => (r.isDouble ? { low: -746, high: 711 } : { low: -105, high: 90 });

/** x = n·ln2 + reduced, reduced (pinned) within ±ln2/2; NaN stays in `reduced`. The low bits of `shifted` are n + `offset`. x is clamped
 *  already. */
function reduceByLn2(r: Real, x: Expr, offset = 0, low?: Expr): { readonly shifted: Expr; readonly reduced: Expr } {
  const { high, low: rest } = ln2(r);
  const { float, shifted } = r.roundedProduct(x, Math.LOG2E, offset);
  const partly = r.f.nmadd(float, rest, r.f.nmadd(float, high, x));
  return { shifted, reduced: r.pin(low === undefined ? partly : r.f.add(partly, low)) };
}

/** exp(reduced) - 1. */
const expm1Reduced = (r: Real, reduced: Expr): Expr => {
  const q = r.polynomial(reduced, r.isDouble ? expCoefficients.double : expCoefficients.single);
  return r.f.add(reduced, r.f.mul(r.pin(r.f.mul(reduced, reduced)), q));
};

const expReduced = (r: Real, reduced: Expr): Expr => (r.isDouble ? r.f.add(expm1Reduced(r, reduced), 1) : r.polynomial(reduced, expSingle));

/** p·2^(e - 2·bias) for e in the low bits of `shifted`, with one rounding where the result is denormal, and infinity where it is too large:
 *  the power is applied in two halves, whose exponents are e/2 rounded down and what that leaves of e. */
function scale(r: Real, p: Expr, shifted: Expr): Expr {
  const { f, i } = r;
  const exponentBits = r.isDouble ? -0x10000000000000n : -0x800000;
  const half = r.pin(i.and(i.shl(shifted, r.format.mantissa - 1), exponentBits));
  return f.mul(f.mul(p, r.ofBits(half)), r.ofBits(i.sub(i.shl(shifted, r.format.mantissa), half)));
}

/** Options: `low` is added to x exactly; the result is multiplied by 2^`exponent` before anything can overflow. */
export function exp(r: Real, x: Expr, { low, exponent = 0 }: { low?: Expr; exponent?: number } = {}): Expr {
  const range = expRange(r);
  // pmin and pmax keep a NaN in their first argument.
  const clamped = r.pin(r.f.pmax(r.f.pmin(x, range.high), range.low));
  const { shifted, reduced } = reduceByLn2(r, clamped, 2 * r.format.bias + exponent, low);
  return scale(r, expReduced(r, reduced), shifted);
}

/** How far results of expNonPositive are held above the denormal numbers until they are rounded. */
const lift = 64;

/** exp(min(x, 0)). Nothing overflows, so that one power, lifted out of the denormal numbers, and a constant do for the two of `scale`. */
export function expNonPositive(r: Real, x: Expr): Expr {
  const clamped = r.pin(r.f.pmax(r.f.pmin(x, 0), expRange(r).low));
  const { shifted, reduced } = reduceByLn2(r, clamped, r.format.bias + lift);
  return r.f.mul(r.f.mul(expReduced(r, reduced), r.ofBits(r.i.shl(shifted, r.format.mantissa))), 2 ** -lift);
}

/** 2^n and 1 - 2^-n. */
function powerAndRest(r: Real, n: Expr): { readonly power: Expr; readonly rest: Expr } {
  const { f, i, format } = r;
  const power = r.pin(r.powerOfTwo(n));
  const one = r.isDouble ? BigInt(format.bias) << BigInt(format.mantissa) : format.bias * 2 ** format.mantissa;
  return { power, rest: f.sub(1, r.ofBits(i.sub(typeof one === "bigint" ? 2n * one : 2 * one, r.bitsOf(power)))) };
}

/** As expm1Near, with what its rounding lost: for quotients of doubles that should be right to two units. */
function expm1Pair(r: Real, x: Expr): { readonly high: Expr; readonly low: Expr } {
  const { f } = r;
  const { high, low } = ln2(r);
  const { float, shifted } = r.roundedProduct(x, Math.LOG2E);
  const exact = r.pin(f.nmadd(float, high, x));
  const small = r.pin(f.mul(float, low));
  const reduced = r.pin(f.sub(exact, small));
  const lost = f.sub(f.sub(exact, reduced), small);
  const series = r.pin(f.mul(f.mul(reduced, reduced), r.polynomial(reduced, expCoefficients.double)));
  const p = r.pin(f.add(reduced, series));
  const pLost = f.add(f.sub(series, f.sub(p, reduced)), lost);
  const { power, rest } = powerAndRest(r, r.pin(r.smallInteger(shifted)));
  const sum = twoSum(r, r.pin(rest), p);
  return { high: r.pin(f.mul(sum.high, power)), low: r.pin(f.mul(f.add(sum.low, pLost), power)) };
}

export function expm1(r: Real, x: Expr): Expr {
  const { f, i } = r;
  const value = r.pin(x);
  const lowest = r.isDouble ? -38 : -18;
  const clamped = r.pin(f.pmax(f.pmin(value, expRange(r).high), lowest));
  const { shifted, reduced } = reduceByLn2(r, clamped, 2 * r.format.bias);
  const n = r.smallInteger(shifted, 2 * r.format.bias);
  const p = expm1Reduced(r, reduced);
  // 2^-n is nothing beside 1 long before its exponent leaves the normal numbers.
  const offset = f.sub(1, r.powerOfTwo(i.neg(i.min(n, 64))));
  // The sign is that of x; said aloud, it keeps -0.
  return f.copySign(scale(r, f.add(p, offset), shifted), value);
}

/** x = mantissa·2^exponent with the mantissa between √½ and √2, for normal x > 0. */
export function splitExponent(r: Real, x: Expr): { readonly mantissa: Expr; readonly exponent: Expr } {
  const { i, format } = r;
  const rootHalf = r.isDouble ? 0x3fe6a09e667f3bcdn : 0x3f3504f3;
  const mask = r.isDouble ? 0xfffffffffffffn : 0x7fffff;
  const shifted = r.pin(i.sub(r.bitsOf(x), rootHalf));
  return { mantissa: r.ofBits(i.add(i.and(shifted, mask), rootHalf)), exponent: r.pin(i.shr(shifted, format.mantissa)) };
}

/** exponent·ln2 + log(1 + fraction) + correction; fraction is pinned. */
function logSum(r: Real, fraction: Expr, exponent: Expr, correction?: Expr): Expr {
  const { f } = r;
  const { high, low } = ln2(r);
  const e = r.pin(exponent);
  const tail = correction === undefined ? f.mul(e, low) : f.madd(e, low, correction);
  const square = r.pin(f.mul(fraction, fraction));
  if (!r.isDouble) {
    const cubic = f.mul(f.mul(square, fraction), r.polynomial(fraction, logSingle));
    const rest = f.sub(f.add(cubic, tail), f.mul(square, 0.5));
    return f.madd(e, high, f.add(fraction, rest));
  }
  const s = r.pin(f.div(fraction, f.add(fraction, 2)));
  const z = r.pin(f.mul(s, s));
  const half = r.pin(f.mul(square, 0.5));
  const series = f.mul(s, f.add(half, f.mul(z, r.polynomial(z, logDouble))));
  return f.madd(e, high, f.sub(fraction, f.sub(half, f.add(series, tail))));
}

/** `result` for 0 < x < ∞; -∞ at 0, NaN below, x itself for +∞ and NaN. */
function logSpecial(r: Real, x: Expr, result: Expr): Expr {
  const { f } = r;
  const atZero = f.select(f.eq(x, 0), Number.NEGATIVE_INFINITY, Number.NaN);
  return f.select(f.gt(x, 0), f.select(f.lt(x, Number.POSITIVE_INFINITY), result, x), atZero);
}

/** `usual`, unless some lane of x is not a normal positive number: then `careful` decides for all. One comparison of bits, which makes log
 *  1.3 to 1.5 times as fast as selecting every time. */
function unlessOdd(r: Real, x: Expr, usual: Expr, careful: () => Expr): Expr {
  const { i, k } = r;
  // The bits of normal positive numbers, moved to the lower end of the signed integers.
  const [toLowest, end] = r.isDouble ? [0x7ff0000000000000n, -0x20000000000000n] : [0x7f800000, -0x1000000];
  const result = k.let(usual);
  k.if(r.any(i.ge(i.add(r.bitsOf(x), toLowest), end)), () => k.set(result, careful()));
  return result;
}

export function log(r: Real, x: Expr): Expr {
  const { f } = r;
  const value = r.pin(x);
  const ofNormal = (normal: Expr, shift: Expr | number) => {
    const { mantissa, exponent } = splitExponent(r, normal);
    return logSum(r, r.pin(f.sub(mantissa, 1)), shift === 0 ? r.ofSmallInteger(exponent) : f.add(r.ofSmallInteger(exponent), shift));
  };
  return unlessOdd(r, value, ofNormal(value, 0), () => {
    const isDenormal = r.pin(f.lt(value, 2 ** (1 - r.format.bias)));
    const normal = r.pin(f.select(isDenormal, f.mul(value, 2 ** r.format.mantissa), value));
    return logSpecial(r, value, ofNormal(normal, f.select(isDenormal, -r.format.mantissa, 0)));
  });
}

export function log1p(r: Real, x: Expr): Expr {
  const { f } = r;
  const value = r.pin(x);
  const sum = r.pin(f.add(value, 1));
  const { mantissa, exponent } = splitExponent(r, sum);
  const e = r.pin(r.ofSmallInteger(exponent));
  const isNear = r.pin(f.eq(e, 0));
  // What rounding took from 1 + x, divided by the sum. Of the two differences the one with the smaller subtrahend is exact.
  const lost = f.select(f.gt(value, 1), f.sub(1, f.sub(sum, value)), f.sub(value, f.sub(sum, 1)));
  const correction = r.pin(f.select(isNear, 0, f.div(lost, sum)));
  const fraction = r.pin(f.select(isNear, value, f.sub(mantissa, 1)));
  // The sign is that of x; said aloud, it keeps -0.
  const usual = r.pin(f.copySign(logSum(r, fraction, e, correction), value));
  return unlessOdd(r, sum, usual, () => logSpecial(r, sum, usual));
}

/** For doubles e / (e + 2), where e = exp(2|x|) - 1; shorter in single precision. */
export function tanh(r: Real, x: Expr): Expr {
  const { f } = r;
  const value = r.pin(x);
  if (!r.isDouble) return tanhSingle(r, value);
  const size = r.pin(f.pmin(f.abs(value), 20));
  const e = expm1Pair(r, r.pin(f.add(size, size)));
  const divisor = twoSum(r, e.high, r.number(2));
  const quotient = r.pin(f.div(e.high, divisor.high));
  const missing = f.sub(e.low, f.mul(quotient, f.add(divisor.low, e.low)));
  return f.copySign(f.add(quotient, f.div(missing, divisor.high)), value);
}

/** With |x| = n·ln2/2 + s, q = s/tanh(s) and w = 2^-n it is (q + s - w·(q - s)) / (q + s + w·(q - s)). The numerator is summed so that n = 0 leaves
 *  2s exactly, and the divisor is made of the rounded numerator: where w is small, what the one lost the other has lost too. */
function tanhSingle(r: Real, value: Expr): Expr {
  const { f, i, format } = r;
  const size = r.pin(f.pmin(f.abs(value), 9.1));
  const { float, shifted } = r.roundedProduct(size, -2 * Math.LOG2E, format.bias);
  const s = r.pin(f.madd(float, Math.LN2 / 2, size));
  const q = r.pin(r.polynomial(r.pin(f.mul(s, s)), cotangentSingle));
  const w = r.pin(r.ofBits(i.shl(shifted, format.mantissa)));
  const above = r.pin(f.madd(f.sub(1, w), q, f.mul(f.add(w, 1), s)));
  const quotient = f.div(above, f.madd(f.add(w, w), f.sub(q, s), above));
  return r.ofBits(i.or(i.and(r.bitsOf(value), -0x80000000), r.bitsOf(quotient)));
}

/** 1 / (1 + exp(-x)), relative to its small values too. For x = n·ln2 + reduced that is p / (p + 2^-n), p = exp(reduced). In single precision
 *  both are taken 2^-40 times, so that no power leaves the normal numbers where the result is denormal. */
export function sigmoid(r: Real, x: Expr): Expr {
  const { f, i } = r;
  if (r.isDouble) {
    const value = r.pin(x);
    const e = r.pin(exp(r, f.neg(f.abs(value))));
    return f.div(f.select(f.lt(value, 0), e, 1), f.add(e, 1));
  }
  const down = 40;
  const clamped = r.pin(f.pmax(f.pmin(x, 18), expRange(r).low));
  const { shifted, reduced } = reduceByLn2(r, clamped);
  const p = r.pin(
    r.polynomial(
      reduced,
      expSingle.map(c => c * 2 ** -down),
    ),
  );
  // What stands above the low bits of `shifted` is lost in the shift.
  const power = i.sub((r.format.bias - down) * 2 ** r.format.mantissa, i.shl(shifted, r.format.mantissa));
  return f.div(p, f.add(p, r.ofBits(power)));
}

/** log(1 + exp(x)). */
export function softplus(r: Real, x: Expr): Expr {
  const { f } = r;
  const value = r.pin(x);
  return f.add(f.pmax(value, 0), log1p(r, exp(r, f.neg(f.abs(value)))));
}

/** For doubles; half of exp(|x|) is computed at once, so that only true overflow overflows. */
export function sinh(r: Real, x: Expr): Expr {
  const { f } = r;
  const size = r.pin(f.abs(r.pin(x)));
  const isLarge = f.gt(size, 22);
  const e = r.pin(expm1(r, f.pmin(size, 22)));
  const small = f.mul(f.add(e, f.div(e, f.add(e, 1))), 0.5);
  return f.copySign(f.select(isLarge, exp(r, size, { exponent: -1 }), small), x);
}

export function cosh(r: Real, x: Expr): Expr {
  const half = r.pin(exp(r, r.f.abs(x), { exponent: -1 }));
  return r.f.add(half, r.f.div(0.25, half));
}

/** For doubles: beyond 2^28 the root is x itself. */
const hugeDouble = 2 ** 28;

export function asinh(r: Real, x: Expr): Expr {
  const { f } = r;
  const value = r.pin(x);
  const size = r.pin(f.abs(value));
  const isLarge = r.pin(f.gt(size, hugeDouble));
  const square = r.pin(f.mul(size, size));
  const near = log1p(r, f.add(size, f.div(square, f.add(f.sqrt(f.add(square, 1)), 1))));
  const far = f.add(log(r, size), Math.LN2);
  return f.copySign(f.select(isLarge, far, near), value);
}

export function acosh(r: Real, x: Expr): Expr {
  const { f } = r;
  const value = r.pin(x);
  const over = r.pin(f.sub(value, 1));
  const near = log1p(r, f.add(over, f.sqrt(f.madd(over, over, f.mul(over, 2)))));
  const far = f.add(log(r, value), Math.LN2);
  const result = f.select(f.gt(value, hugeDouble), far, near);
  return f.select(f.lt(value, 1), Number.NaN, result);
}

export function atanh(r: Real, x: Expr): Expr {
  const { f } = r;
  const value = r.pin(x);
  const size = r.pin(f.abs(value));
  const doubled = r.pin(f.mul(size, 2));
  // 2x/(1 - x) = 2x + 2x·x/(1 - x): the sum keeps small x exact.
  const ratio = f.select(f.lt(size, 0.5), f.add(doubled, f.div(f.mul(doubled, size), f.sub(1, size))), f.div(doubled, f.sub(1, size)));
  return f.copySign(f.mul(log1p(r, ratio), 0.5), value);
}
