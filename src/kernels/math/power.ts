// pow, erf and erfc: what needs more digits on the way than the result has. Over Reals of double precision; float32 uses them too.
// Rules for pow at zeros, ones, infinities and NaN are C's (Annex F): pow(1, NaN) = pow(NaN, 0) = 1, unlike JavaScript's.

import type { Expr } from "../language/language.ts";
import { exp, log, splitExponent } from "./exponential.ts";
import { type Real, twoProduct, twoSum } from "./real.ts";

/** A number as high + low, |low| at most half a unit in the last place of high. */
interface Pair {
  readonly high: Expr;
  readonly low: Expr;
}

const ln2Pair = { high: 0.6931471803691238, low: 1.9082149292705877e-10, lowest: 1.1612227229362532e-26 };
const twoThirds = { high: 0.6666666666666666, low: 3.700743415417188e-17 };

/** ((2 atanh(s) - 2s) / s³ - 2/3) / s² in s². */
const tailCoefficients = [
  0.4, 0.2857142857142937, 0.22222222221654733, 0.1818181833565416, 0.15384594934597917, 0.13334806212100603, 0.11706195689881364,
  0.11723603622905411,
];

const addPairs = (r: Real, a: Pair, b: Pair): Pair => {
  const sum = twoSum(r, a.high, b.high);
  return fastSum(r, sum.high, r.pin(r.f.add(sum.low, r.f.add(a.low, b.low))));
};

/** high + low where |high| ≥ |low|. */
const fastSum = (r: Real, a: Expr, b: Expr): Pair => {
  const high = r.pin(r.f.add(a, b));
  return { high, low: r.pin(r.f.sub(b, r.f.sub(high, a))) };
};

const multiplyPairs = (r: Real, a: Pair, b: Pair): Pair => {
  const product = twoProduct(r, a.high, b.high);
  const cross = r.f.add(r.f.mul(a.high, b.low), r.f.mul(a.low, b.high));
  return fastSum(r, product.high, r.pin(r.f.add(product.low, cross)));
};

/** log(x) for normal x > 0, times 2^`shift`, to about 68 bits. */
function logPair(r: Real, x: Expr, shift: Expr): Pair {
  const { f } = r;
  const { mantissa, exponent } = splitExponent(r, x);
  const m = r.pin(mantissa);
  const e = r.pin(f.add(r.ofSmallInteger(exponent), shift));
  const fraction = r.pin(f.sub(m, 1));
  // s = (m - 1) / (m + 1): the quotient, then what it leaves of fraction.
  const sum = r.pin(f.add(m, 1));
  const sumLow = f.sub(m, f.sub(sum, 1));
  const quotient = r.pin(f.div(fraction, sum));
  const back = twoProduct(r, quotient, sum);
  const missing = f.sub(f.sub(f.sub(fraction, back.high), back.low), f.mul(quotient, sumLow));
  const s = fastSum(r, quotient, r.pin(f.div(missing, sum)));
  const z = multiplyPairs(r, s, s);
  const tail = r.pin(f.mul(z.high, r.polynomial(z.high, tailCoefficients)));
  const series = fastSum(r, r.number(twoThirds.high), tail);
  const cubic = multiplyPairs(r, multiplyPairs(r, s, z), { high: series.high, low: r.pin(f.add(series.low, twoThirds.low)) });
  const powers = fastSum(r, r.pin(f.mul(e, ln2Pair.high)), r.pin(f.mul(e, ln2Pair.low)));
  const twice = { high: r.pin(f.mul(s.high, 2)), low: r.pin(f.mul(s.low, 2)) };
  return addPairs(r, powers, addPairs(r, twice, cubic));
}

/** |x|^y where |x| is neither zero nor infinite. */
function magnitude(r: Real, size: Expr, y: Expr, isExact: boolean): Expr {
  const { f } = r;
  // Beyond 2^65 the power of every number but 1 is 0 or infinite, while infinity times log 1 would be NaN and exact products overflow.
  const power = r.pin(f.pmax(f.pmin(y, 2 ** 65), -(2 ** 65)));
  if (!isExact) return exp(r, f.mul(power, log(r, size)));
  const isDenormal = r.pin(f.lt(size, 2 ** -1022));
  const normal = r.pin(f.select(isDenormal, f.mul(size, 2 ** 52), size));
  const logarithm = logPair(r, normal, f.select(isDenormal, -52, 0));
  const product = twoProduct(r, power, logarithm.high);
  const low = r.pin(f.add(product.low, f.mul(power, logarithm.low)));
  const isModerate = f.lt(f.abs(product.high), 1000);
  return exp(r, product.high, { low: r.pin(f.select(isModerate, low, 0)) });
}

/** x^y. `isExact`: for double results; without it the result is good for float32. */
export function pow(r: Real, x: Expr, y: Expr, isExact: boolean): Expr {
  const { f } = r;
  const [base, power] = [r.pin(x), r.pin(y)];
  const size = r.pin(f.abs(base));
  const atEdge = f.select(f.gt(power, 0), size, f.div(1, size));
  const plain = r.pin(magnitude(r, size, power, isExact));
  const value = r.pin(f.select(f.gt(size, 0), f.select(f.lt(size, Number.POSITIVE_INFINITY), plain, atEdge), atEdge));
  const isInteger = r.pin(f.eq(f.trunc(power), power));
  const parity = f.select(f.ne(f.mul(f.trunc(f.mul(power, 0.5)), 2), power), -1, 1);
  const sign = f.select(f.lt(f.copySign(1, base), 0), f.select(isInteger, parity, 1), 1);
  const signed = r.pin(f.mul(value, sign));
  const rootOfNegative = f.select(f.gt(base, Number.NEGATIVE_INFINITY), f.select(f.lt(base, 0), Number.NaN, signed), signed);
  const result = f.select(isInteger, signed, rootOfNegative);
  const unlessNaN = f.select(f.ne(power, power), power, result);
  return f.select(f.eq(power, 0), 1, f.select(f.eq(base, 1), 1, unlessNaN));
}

// The error function.

/** erf(x) / x - 1 in x²: for |x| up to 1 in single, up to ½ in double precision. */
const erfSingleCoefficients = [
  0.12837917, -0.37612638, 0.11283783, -0.026865445, 0.005221075, -0.0008484712, 0.00011270546, -0.0000096801405,
];
const erfDoubleCoefficients = [
  0.1283791670955126, -0.3761263890318375, 0.1128379167095487, -0.02686617064500007, 0.005223977622023461, -0.000854832651140604,
  0.00012055286243324839, -1.4923004808322486e-5, 1.6371261007332067e-6, -1.4621112916737678e-7,
];
/** -log(erfc(x)) for x from 1 to 4. */
const logErfcCoefficients = [
  -0.00020436694, 1.1296612, 0.63303953, 0.10863911, -0.025373649, 0.00428243, -0.00046380254, 0.000025317308, -2.5151044e-7,
];
/** erfc(x)·exp(x²)·(1 + 2x) in (x - 4) / (x + 4), for x from ½ to 28. */
const erfcCoefficients = [
  1.2329951186255526, -0.13962111684056253, 0.015379652102619027, 0.0680970542546948, -0.10103906603625375, 0.09373283499828751,
  -0.06633036581360713, 0.03716751553818893, -0.01619773403826592, 0.0050319699756138135, -0.0007577734486762808, -0.00019925671345040716,
  0.00015062249512264785, -2.4398983809134553e-5, -1.12247322473501e-5, 5.7086428044048145e-6, 2.9955790685567077e-7, -8.22559563206072e-7,
  6.702452833728971e-8, 1.0568025135820959e-7, -1.2224048303152388e-8, -1.0476718674668371e-8,
];

/** x·(1 + P(x²)). */
const erfNearZero = (r: Real, x: Expr, coefficients: readonly number[]): Expr =>
  r.f.madd(x, r.polynomial(r.pin(r.f.mul(x, x)), coefficients), x);

/** erf in float32 arithmetic. */
export function erfSingle(r: Real, x: Expr): Expr {
  const { f } = r;
  const value = r.pin(x);
  const size = r.pin(f.abs(value));
  const far = f.sub(1, exp(r, f.neg(r.polynomial(r.pin(f.pmin(size, 4)), logErfcCoefficients))));
  return f.select(f.lt(size, 1), erfNearZero(r, value, erfSingleCoefficients), f.copySign(far, value));
}

/** erfc(x) for x ≥ ½; 0 behind 28. */
function erfcFar(r: Real, x: Expr): Expr {
  const { f } = r;
  const size = r.pin(f.pmin(x, 28));
  const square = twoProduct(r, size, size);
  const t = r.pin(f.div(f.sub(size, 4), f.add(size, 4)));
  const scaled = f.div(r.polynomial(t, erfcCoefficients), f.add(f.mul(size, 2), 1));
  return f.mul(exp(r, f.neg(square.high), { low: r.pin(f.neg(square.low)) }), scaled);
}

export function erf(r: Real, x: Expr): Expr {
  const { f } = r;
  const value = r.pin(x);
  const size = r.pin(f.abs(value));
  const far = f.copySign(f.sub(1, erfcFar(r, size)), value);
  return f.select(f.lt(size, 0.5), erfNearZero(r, value, erfDoubleCoefficients), far);
}

export function erfc(r: Real, x: Expr): Expr {
  const { f } = r;
  const value = r.pin(x);
  const size = r.pin(f.abs(value));
  const far = r.pin(erfcFar(r, size));
  const near = f.sub(1, erfNearZero(r, value, erfDoubleCoefficients));
  return f.select(f.lt(size, 0.5), near, f.select(f.lt(value, 0), f.sub(2, far), far));
}
