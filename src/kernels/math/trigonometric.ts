// sin, cos, tan and the arc functions, over any Real of double precision; float32 uses them too and rounds once. Reduction by π/2 is exact
// for every double: four parts of π/2 for moderate arguments (Cody and Waite), 2/π to 1344 bits for the rest (Payne and Hanek 1983).
// Polynomials are minimax fits made for this file (Remez, mpmath).

import type { Expr, Local } from "../language/language.ts";
import { f64, f64x, i32, i64, i64x } from "../language/language.ts";
import { type Real, realOf, twoProduct } from "./real.ts";
import type { FunctionRef, ModuleRecorder } from "../language/recorder.ts";

/** (sin(r) - r) / r³ and (cos(r) - 1 + r²/2) / r⁴ in r², on ±π/4. */
const sinCoefficients = [
  -0.16666666666666632, 0.00833333333332237, -0.00019841269829771124, 2.7557313678659287e-6, -2.5050755961220713e-8, 1.5896666531664006e-10,
];
const cosCoefficients = [
  0.0416666666666666, -0.0013888888888874066, 2.4801587289443627e-5, -2.7557314340697227e-7, 2.087572162851806e-9, -1.1359559568065913e-11,
];
/** The same to 37 and 42 bits: for results that are rounded to float32. */
const roughSinCoefficients = [-0.16666666641526215, 0.008333329374034961, -0.0001983933096887673, 2.718274215026244e-6];
const roughCosCoefficients = [0.04166666662265312, -0.0013888883738045687, 2.479951589050351e-5, -2.7209892887350197e-7];
/** (atan(t) - t) / t³ in t², for |t| up to tan(π/8). */
const atanCoefficients = [
  -0.333333333333332, 0.19999999999953663, -0.1428571428020412, 0.11111110783819667, -0.09090897767234164, 0.07692060364628973,
  -0.06663105488954846, 0.058478976410067454, -0.050393319771228906, 0.03806498465921066, -0.017907376848385642,
];

/** (asin(t) - t) / t³ in t², for |t| up to 1/2. */
const asinCoefficients = [
  0.16666666666666669, 0.07499999999998433, 0.04464285714635543, 0.030381944138531247, 0.02237217294214989, 0.017352392720869945,
  0.013971212973553311, 0.011479177415181617, 0.0103228143502052, 0.005457506718563782, 0.01740087944288715, -0.014851887071528912,
  0.028757851367602328,
];

const quarterTurn = { high: Math.PI / 2, low: 6.123233995736766e-17 };
const eighthTurn = { high: Math.PI / 4, low: 3.061616997868383e-17 };
const halfTurn = { high: Math.PI, low: 1.2246467991473532e-16 };

/** π/2 in parts of 33 bits, so that products with integers of 20 bits are exact, and what remains. */
const quarterParts = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32] as const;
const behindFirstPart = 6.077100506506192e-11;
const reductionLimit = 2 ** 19;

/** x = (4m + quadrant)·π/2 + high + low, |high| ≤ π/4. Only the two low bits of `quadrant`, an integer of x's width, count.
 *  There is no `low` where float32 results are wanted. */
interface Reduced {
  readonly quadrant: Local;
  readonly high: Local;
  readonly low: Local | null;
}

function reduceByQuarterTurns(r: Real, x: Expr, isRough: boolean): Reduced {
  const { k, f } = r;
  const [p1, p2, p3, p4] = quarterParts;
  const { float: n, shifted } = r.roundedProduct(x, 2 / Math.PI);
  if (isRough) {
    // 2^-67 beside arguments that come no nearer to a multiple of π/2 than 2^-33.
    const high = k.let(f.sub(f.sub(x, f.mul(n, p1)), f.mul(n, behindFirstPart)), "high");
    return withLargeLanes(r, x, { quadrant: k.let(r.smallInteger(shifted), "quadrant"), high, low: null });
  }
  // Exact differences: n·p1 and n·p2 have no rounding, and what the subtractions lose is carried on.
  const a = r.pin(f.sub(x, f.mul(n, p1)));
  const b = r.pin(f.mul(n, p2));
  const c = r.pin(f.sub(a, b));
  const lostB = f.sub(f.sub(a, c), b);
  const d = r.pin(f.sub(f.mul(n, p3), lostB));
  const e = r.pin(f.sub(c, d));
  const lostD = f.sub(f.sub(c, e), d);
  const rest = r.pin(f.sub(f.mul(n, p4), lostD));
  const high = k.let(f.sub(e, rest), "high");
  return withLargeLanes(r, x, {
    quadrant: k.let(r.smallInteger(shifted), "quadrant"),
    high,
    low: k.let(f.sub(f.sub(e, high), rest), "low"),
  });
}

function withLargeLanes(r: Real, x: Expr, reduced: Reduced): Reduced {
  const { k, f } = r;
  const isLarge = r.pin(f.gt(f.abs(x), reductionLimit));
  k.if(r.any(isLarge), () => reduceLarge(r, x, reduced));
  return reduced;
}

/** Replaces the reduction of large lanes, one by one. */
function reduceLarge(r: Real, x: Expr, { quadrant, high, low }: Reduced): void {
  const { k } = r;
  const callee = largeReduction(k.module);
  if (!r.isVector) {
    const [n, h, l] = k.call(callee, x);
    k.set(quadrant as Local<"i64">, n as Local<"i64">);
    k.set(high as Local<"f64">, h as Local<"f64">);
    if (low !== null) k.set(low as Local<"f64">, l as Local<"f64">);
    return;
  }
  const vector = x as Expr<"vec">;
  for (let lane = 0; lane < k.target.lanes64; lane++) {
    const value = k.let(f64x.extract(vector, lane));
    k.if(f64.gt(f64.abs(value), reductionLimit), () => {
      const [n, h, l] = k.call(callee, value);
      k.set(quadrant as Local<"vec">, i64x.insert(quadrant as Local<"vec">, lane, n as Local<"i64">));
      k.set(high as Local<"vec">, f64x.insert(high as Local<"vec">, lane, h as Local<"f64">));
      if (low !== null) k.set(low as Local<"vec">, f64x.insert(low as Local<"vec">, lane, l as Local<"f64">));
    });
  }
}

/** The bits of 2/π behind the binary point, 64 at a time, after a word of zeros. */
const twoOverPi = [
  0n,
  0xa2f9836e4e441529n,
  0xfc2757d1f534ddc0n,
  0xdb6295993c439041n,
  0xfe5163abdebbc561n,
  0xb7246e3a424dd2e0n,
  0x06492eea09d1921cn,
  0xfe1deb1cb129a73en,
  0xe88235f52ebb4484n,
  0xe99c7026b45f7e41n,
  0x3991d639835339f4n,
  0x9c845f8bbdf9283bn,
  0x1ff897ffde05980fn,
  0xef2f118b5a0a6d1fn,
  0x6d367ecf27cb09b7n,
  0x4f463f669e5fea2dn,
  0x7527bac7ebe5f17bn,
  0x3d0739f78a5292ean,
  0x6bfb5fb11f8d5d08n,
  0x56033046fc7b6babn,
  0xf0cfbc209af4361dn,
  0xa9e391615ee61000n,
] as const;

/** A word of 2/π by its number, found by halving: no table in memory is needed for what happens so rarely. */
const wordOfTwoOverPi = (m: ModuleRecorder): FunctionRef =>
  m.once("math.twoOverPi", () =>
    m.function("math.twoOverPi", { params: { index: "i32" }, results: ["i64"] }, (k, { index }) => {
      const choose = (first: number, end: number): void => {
        if (end - first === 1) {
          k.return(twoOverPi[first]);
          return;
        }
        const middle = (first + end) >> 1;
        k.if(
          i32.lt(index, middle),
          () => choose(first, middle),
          () => choose(middle, end),
        );
      };
      choose(0, twoOverPi.length);
    }),
  );

/** The upper half of the product of two unsigned 64-bit numbers. */
const upperProduct = (m: ModuleRecorder): FunctionRef =>
  m.once("math.upperProduct", () =>
    m.function("math.upperProduct", { params: { a: "i64", b: "i64" }, results: ["i64"] }, (k, { a, b }) => {
      const low = (x: Expr<"i64">) => i64.and(x, 0xffffffffn);
      const high = (x: Expr<"i64">) => i64.shrU(x, 32);
      const [al, ah, bl, bh] = [low(a), high(a), low(b), high(b)].map(part => k.let(part));
      const cross = k.let(i64.add(i64.mul(ah, bl), high(i64.mul(al, bl))));
      const middle = i64.add(i64.mul(al, bh), low(cross));
      k.return(i64.add(i64.add(i64.mul(ah, bh), high(cross)), high(middle)));
    }),
  );

/** x·2/π modulo 4 for |x| ≥ 2^19 from the 192 bits of 2/π that matter: those before give multiples of 4, those behind less than 2^-125.
 *  Gives quadrant, high, low as of `Reduced`; NaN for infinities and NaN. */
const largeReduction = (m: ModuleRecorder): FunctionRef =>
  m.once("math.reduceLarge", () =>
    m.function("math.reduceLarge", { params: { x: "f64" }, results: ["i64", "f64", "f64"] }, (k, { x }) => {
      const word = wordOfTwoOverPi(m);
      const bits = k.let(i64.ofBits(x));
      const exponent = k.let(i32.fromI64(i64.and(i64.shrU(bits, 52), 0x7ffn)));
      k.if(i32.eq(exponent, 0x7ff), () => k.return(0n, f64.sub(x, x), f64.sub(x, x)));
      const mantissa = k.let(i64.or(i64.and(bits, 0xfffffffffffffn), 1n << 52n));
      // x = mantissa·2^e; the first e - 2 bits of 2/π are left out, and a word of zeros stands before the first bit.
      const first = k.let(i32.add(exponent, 64 - 2 - 1075));
      const index = k.let(i32.shrU(first, 6));
      const shift = k.let(i64.fromI32(i32.and(first, 63)));
      const words = [0, 1, 2, 3].map(i => k.call1("i64", word, i32.add(index, i)));
      const count = i32.fromI64(shift);
      const aligned = [0, 1, 2].map(i => k.let(i64.or(i64.shl(words[i], count), i64.shrU(i64.shrU(words[i + 1], 1), i32.sub(63, count)))));
      const upper = upperProduct(m);
      const middle = k.let(i64.mul(mantissa, aligned[1]));
      const below = k.let(i64.add(middle, k.call1("i64", upper, mantissa, aligned[2])));
      const carry = i64.fromI32U(i64.ltU(below, middle));
      const above = k.let(i64.add(i64.add(i64.mul(mantissa, aligned[0]), k.call1("i64", upper, mantissa, aligned[1])), carry));
      // above:below is x·2/π modulo 4 as a fraction of 4. Two bits are the quadrant; the rest, read as signed, is the nearest way to it.
      const fraction = k.let(i64.or(i64.shl(above, 2), i64.shrU(below, 62)));
      const behind = i64.shl(below, 2);
      const quadrant = k.let(i64.add(i64.shrU(above, 62), i64.shrU(fraction, 63)));
      const big = k.let(f64.mul(f64.fromI64(i64.and(fraction, ~0x7ffn)), 2 ** -64));
      const little = k.let(f64.add(f64.mul(f64.fromI64(i64.and(fraction, 0x7ffn)), 2 ** -64), f64.mul(f64.fromI64U(behind), 2 ** -128)));
      const turn = k.let(f64.add(big, little));
      const rest = k.let(f64.add(f64.sub(big, turn), little));
      // (turn + rest)·(π/2) in two doubles.
      const real = realOf(k, "f64");
      const product = twoProduct(real, turn, f64.const(quarterTurn.high));
      const below1 = f64.add(f64.mul(turn, quarterTurn.low), f64.mul(rest, quarterTurn.high));
      const tail = k.let(f64.add(product.low as Expr<"f64">, below1));
      const high = k.let(f64.add(product.high as Expr<"f64">, tail));
      const low = k.let(f64.add(f64.sub(product.high as Expr<"f64">, high), tail));
      const isNegative = k.let(i64.lt(bits, 0n));
      const signed = (value: Expr<"f64">) => f64.select(isNegative, f64.neg(value), value);
      k.return(i64.select(isNegative, i64.neg(quadrant), quadrant), signed(high), signed(low));
    }),
  );

/** Sine and cosine of high + low. */
function sinOfReduced(r: Real, high: Expr, low: Expr | null, square: Expr): Expr {
  const { f } = r;
  const cubic = f.mul(f.mul(high, square), r.polynomial(square, low === null ? roughSinCoefficients : sinCoefficients));
  return f.add(high, low === null ? cubic : f.add(cubic, low));
}

function cosOfReduced(r: Real, high: Expr, low: Expr | null, square: Expr): Expr {
  const { f } = r;
  const half = r.pin(f.mul(square, 0.5));
  const fourth = r.pin(f.mul(square, square));
  if (low === null) return f.madd(fourth, r.polynomial(square, roughCosCoefficients), f.sub(1, half));
  const first = r.pin(f.sub(1, half));
  const series = f.sub(f.mul(fourth, r.polynomial(square, cosCoefficients)), f.mul(high, low));
  return f.add(first, f.add(f.sub(f.sub(1, first), half), series));
}

/** Both, and the quadrant as an integer of x's width. */
function sinAndCos(r: Real, x: Expr, isRough: boolean) {
  const { quadrant, high, low } = reduceByQuarterTurns(r, x, isRough);
  const square = r.pin(r.f.mul(high, high));
  return { quadrant, sin: r.pin(sinOfReduced(r, high, low, square)), cos: r.pin(cosOfReduced(r, high, low, square)) };
}

/** Flips the sign where the second lowest bit of the quadrant is set. */
const flipped = (r: Real, value: Expr, quadrant: Expr): Expr => {
  const sign = r.i.shl(r.i.and(quadrant, 2), 62);
  return r.ofBits(r.i.xor(r.bitsOf(value), sign));
};

const isOdd = (r: Real, integer: Expr): Expr => r.i.ne(r.i.and(integer, 1), 0);

/** Where sin(x) and tan(x) are x to the last bit; keeps -0. */
const isTiny = (r: Real, x: Expr): Expr => r.f.lt(r.f.abs(x), 2 ** -27);

/** `isRough`: to 37 bits, for float32 results. */
export function sin(r: Real, x: Expr, isRough = false): Expr {
  const value = r.pin(x);
  const { quadrant, sin: s, cos: c } = sinAndCos(r, value, isRough);
  return r.f.select(isTiny(r, value), value, flipped(r, r.f.select(isOdd(r, quadrant), c, s), quadrant));
}

export function cos(r: Real, x: Expr, isRough = false): Expr {
  const { quadrant, sin: s, cos: c } = sinAndCos(r, r.pin(x), isRough);
  return flipped(r, r.f.select(isOdd(r, quadrant), s, c), r.i.add(quadrant, 1));
}

export function tan(r: Real, x: Expr, isRough = false): Expr {
  const { f } = r;
  const value = r.pin(x);
  const { quadrant, sin: s, cos: c } = sinAndCos(r, value, isRough);
  const odd = r.pin(isOdd(r, quadrant));
  const ratio = f.div(f.select(odd, f.neg(c), s), f.select(odd, s, c));
  return f.select(isTiny(r, value), value, ratio);
}

/** atan(q) for q from 0 to 1. */
function atanOfUnit(r: Real, q: Expr): Expr {
  const { f } = r;
  const isUpper = r.pin(f.gt(q, Math.SQRT2 - 1));
  const t = r.pin(f.select(isUpper, f.div(f.sub(q, 1), f.add(q, 1)), q));
  const z = r.pin(f.mul(t, t));
  const p = r.pin(f.madd(f.mul(t, z), r.polynomial(z, atanCoefficients), t));
  return f.select(isUpper, f.add(f.add(p, eighthTurn.low), eighthTurn.high), p);
}

/** π/2 - angle where asked. */
const complement = (r: Real, asked: Expr, angle: Expr): Expr =>
  r.f.select(asked, r.f.sub(quarterTurn.high, r.f.sub(angle, quarterTurn.low)), angle);

export function atan(r: Real, x: Expr): Expr {
  const { f } = r;
  const value = r.pin(x);
  const size = r.pin(f.abs(value));
  const isSteep = r.pin(f.gt(size, 1));
  const angle = r.pin(atanOfUnit(r, r.pin(f.select(isSteep, f.div(1, size), size))));
  return f.copySign(complement(r, isSteep, angle), value);
}

/** The angle of (x, y): in all quadrants, at zeros and infinities as C has it. */
export function atan2(r: Real, y: Expr, x: Expr): Expr {
  const { f } = r;
  const [up, right] = [r.pin(y), r.pin(x)];
  const [a, b] = [r.pin(f.abs(up)), r.pin(f.abs(right))];
  const [less, more] = [r.pin(f.min(a, b)), r.pin(f.max(a, b))];
  const quotient = f.select(f.eq(less, Number.POSITIVE_INFINITY), 1, f.div(less, more));
  const angle = r.pin(atanOfUnit(r, r.pin(f.select(f.eq(more, 0), 0, quotient))));
  const acute = r.pin(complement(r, f.gt(a, b), angle));
  const isLeft = f.lt(f.copySign(1, right), 0);
  const obtuse = f.sub(halfTurn.high, f.sub(acute, halfTurn.low));
  return f.copySign(f.select(isLeft, obtuse, acute), up);
}

/** asin(√z) for z = x² where |x| ≤ 1/2, else for z = (1 - |x|)/2, which is half the angle to ±1; NaN beyond. */
function arcOfSide(r: Real, x: Expr): { readonly isSteep: Expr; readonly angle: Expr } {
  const { f } = r;
  const side = r.pin(f.abs(x));
  const isSteep = r.pin(f.gt(side, 0.5));
  const z = r.pin(f.select(isSteep, f.mul(f.sub(1, side), 0.5), f.mul(side, side)));
  const root = r.pin(f.select(isSteep, f.sqrt(z), side));
  return { isSteep, angle: r.pin(f.madd(root, f.mul(z, r.polynomial(z, asinCoefficients)), root)) };
}

export const asin = (r: Real, x: Expr): Expr => {
  const { f } = r;
  const value = r.pin(x);
  const { isSteep, angle } = arcOfSide(r, value);
  return f.copySign(complement(r, isSteep, f.select(isSteep, f.add(angle, angle), angle)), value);
};

export const acos = (r: Real, x: Expr): Expr => {
  const { f } = r;
  const value = r.pin(x);
  const { isSteep, angle } = arcOfSide(r, value);
  const twice = r.pin(f.add(angle, angle));
  const obtuse = f.sub(halfTurn.high, f.sub(twice, halfTurn.low));
  const flat = f.sub(quarterTurn.high, f.sub(f.copySign(angle, value), quarterTurn.low));
  return f.select(isSteep, f.select(f.lt(value, 0), obtuse, twice), flat);
};
