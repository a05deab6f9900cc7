// Special functions in double precision, and the table of host functions every backend may fall back on.
// Methods: power series near the origin, Stirling and Hankel series far out, continued fractions between (DLMF chapters 5-8, 10, 25).
// Prefactors like x^a·e^-x/Γ(a) are computed as e^(-a·φ) with a small φ: as powers they would lose their digits for large a.
// At poles and outside their domains the values are TensorFlow's.

import type { ScalarFunction } from "../ir/scalar.ts";

const epsilon = 2 ** -53;
const eulerGamma = 0.5772156649015329;
const logSqrtTwoPi = 0.9189385332046728;
const manyTerms = 200_000;

/** B₂, B₄, B₆ … */
const bernoulli = [
  1 / 6,
  -1 / 30,
  1 / 42,
  -1 / 30,
  5 / 66,
  -691 / 2730,
  7 / 6,
  -3617 / 510,
  43867 / 798,
  -174611 / 330,
  854513 / 138,
  -236364091 / 2730,
  8553103 / 6,
] as const;

/** sin πx, exactly 0 at integers. */
function sinPi(x: number): number {
  const rest = x - 2 * Math.round(x / 2);
  return Math.sin(Math.PI * (Math.abs(rest) <= 0.5 ? rest : Math.sign(rest) - rest));
}

/** x - log(1 + x), without cancellation near 0: with r = x / (2 + x) it is x·r - 2·(r³/3 + r⁵/5 + …). */
function excessOverLog(x: number): number {
  if (Math.abs(x) > 0.5) return x - Math.log1p(x);
  const r = x / (2 + x);
  let sum = 0;
  let power = r * r * r;
  for (let n = 3; Math.abs(power) > epsilon * Math.abs(x * r) && n < 60; n += 2) {
    sum += power / n;
    power *= r * r;
  }
  return x * r - 2 * sum;
}

/** Σ (q + k)^-s over k ≥ 0 for s > 1 and q > 0: leading terms, then Euler and Maclaurin's formula. */
function hurwitz(s: number, q: number): number {
  let sum = 0;
  let a = q;
  for (; a < 10 + s / 2; a++) {
    const term = a ** -s;
    sum += term;
    if (!(term > epsilon * sum)) return sum;
  }
  const last = a ** -s;
  sum += a ** (1 - s) / (s - 1) + last / 2;
  let factor = (last * s) / (2 * a);
  for (const [k, b] of bernoulli.entries()) {
    const term = b * factor;
    sum += term;
    if (Math.abs(term) < epsilon * sum) break;
    factor *= ((s + 2 * k + 1) * (s + 2 * k + 2)) / ((2 * k + 3) * (2 * k + 4) * a * a);
  }
  return sum;
}

/** Hurwitz's ζ(s, q) = Σ (q + k)^-s; for negative q only at integer s. */
export function zeta(s: number, q: number): number {
  if (s === 1) return Number.POSITIVE_INFINITY;
  if (!(s > 1) || Number.isNaN(q)) return Number.NaN;
  if (q > 0) return s === Number.POSITIVE_INFINITY ? pow(q, -s) : hurwitz(s, q);
  if (q === Math.floor(q)) return s % 2 === 0 || s === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : Number.NaN;
  if (s !== Math.floor(s)) return Number.NaN;
  // The terms below zero are ∓(least)^-s, ∓(least + 1)^-s … up to -q.
  const count = Math.ceil(-q);
  const least = -(q + count - 1);
  const below = hurwitz(s, least) - hurwitz(s, least + count);
  return (s % 2 === 0 ? below : -below) + hurwitz(s, q + count);
}

/** (ζ(n) - 1) / n from n = 2, the Taylor coefficients of lgamma at 2; computed when first asked for. */
let gammaCoefficients: readonly number[] | undefined;

/** lgamma(2 + z) for |z| ≤ 1/2: z·(1 - γ) + Σ (ζ(n) - 1)·(-z)ⁿ / n. */
function lgammaAtTwo(z: number): number {
  gammaCoefficients ??= Array.from({ length: 28 }, (_, k) => hurwitz(k + 2, 2) / (k + 2));
  const series = gammaCoefficients.reduceRight((sum, coefficient) => coefficient - z * sum, 0);
  return z * (1 - eulerGamma + z * series);
}

/** lgamma(x) - ((x - 1/2)·log x - x + log √2π) for x > 0: what Stirling's formula leaves. */
function stirlingRest(x: number): number {
  if (x < 10) return lgamma(x) - ((x - 0.5) * Math.log(x) - x + logSqrtTwoPi);
  let sum = 0;
  let power = 1 / x;
  for (const [k, b] of bernoulli.entries()) {
    const term = (b * power) / ((2 * k + 1) * (2 * k + 2));
    sum += term;
    if (Math.abs(term) < epsilon * sum) break;
    power /= x * x;
  }
  return sum;
}

/** log |Γ(x)|; +∞ at 0, -1, -2 … */
export function lgamma(x: number): number {
  if (Number.isNaN(x)) return x;
  if (!Number.isFinite(x) || (x <= 0 && x === Math.floor(x))) return Number.POSITIVE_INFINITY;
  if (x < 0) return Math.log(Math.PI / Math.abs(sinPi(x))) - lgamma(1 - x);
  if (x >= 10) return (x - 0.5) * Math.log(x) - x + logSqrtTwoPi + stirlingRest(x);
  if (x < 0.5) return lgammaAtTwo(x) - Math.log(x) - Math.log1p(x);
  if (x < 1.5) return lgammaAtTwo(x - 1) - Math.log1p(x - 1);
  let product = 1;
  let at = x;
  while (at > 2.5) product *= --at;
  return lgammaAtTwo(at - 2) + Math.log(product);
}

/** The derivative of lgamma; NaN at 0, -1, -2 … */
export function digamma(x: number): number {
  if (x === Number.POSITIVE_INFINITY) return x;
  if (!Number.isFinite(x) || (x <= 0 && x === Math.floor(x))) return Number.NaN;
  if (x < 0) return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x - Math.round(x)));
  let below = 0;
  let at = x;
  for (; at < 10; at++) below += 1 / at;
  let sum = 0;
  let power = 1;
  for (const [k, b] of bernoulli.entries()) {
    power /= at * at;
    sum += (b * power) / (2 * k + 2);
  }
  return Math.log(at) - 0.5 / at - sum - below;
}

/** The n-th derivative of digamma, for integers n ≥ 0. */
export function polygamma(n: number, x: number): number {
  if (n < 0 || n !== Math.floor(n)) return Number.NaN;
  if (n === 0) return digamma(x);
  let factorial = 1;
  for (let k = 2; k <= n && factorial < Number.POSITIVE_INFINITY; k++) factorial *= k;
  return (n % 2 === 0 ? -1 : 1) * factorial * zeta(n + 1, x);
}

/** e^(-x²), with x² in two parts: its rounding error would be magnified by x². */
function expOfMinusSquare(x: number): number {
  const high = Math.fround(x);
  return Math.exp(-high * high) * Math.exp((high - x) * (high + x));
}

export function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x >= 1) return 1 - erfc(x);
  let sum = 1;
  let term = 1;
  for (let n = 1; term > epsilon * sum; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * x * expOfMinusSquare(x) * sum;
}

/** 1 - erf(x). From 1/2 on the trapezoidal rule with step 1/2 for (2x/π)·e^(-x²)·∫ e^(-t²)/(t² + x²) dt over t ≥ 0;
 *  the pole at t = ix adds 2 / (1 - e^(4πx)). */
export function erfc(x: number): number {
  if (x < 0.5) return x < -1 ? 2 - erfc(-x) : 1 - erf(x);
  if (x > 28) return 0;
  let sum = 1 / (2 * x * x);
  for (let n = 1; n <= 13; n++) sum += Math.exp(-n * n * 0.25) / (n * n * 0.25 + x * x);
  return (x / Math.PI) * expOfMinusSquare(x) * sum + (x < 2 * Math.PI ? 2 / (1 - Math.exp(4 * Math.PI * x)) : 0);
}

const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

/** The quantile function of the normal distribution. Newton's method from a rational guess (Abramowitz and Stegun 26.2.23): on erf in the
 *  middle, on the logarithm in the tails. */
export function ndtri(p: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  const tail = Math.min(p, 1 - p);
  if (tail === 0) return p === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const t = Math.sqrt(-2 * Math.log(tail));
  let x = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  const middle = Math.abs(p - 0.5);
  for (let step = 0; step < 4; step++) {
    if (middle < 0.25) x -= (erf(x * Math.SQRT1_2) / 2 - middle) / normalDensity(x);
    else {
      const reached = erfc(x * Math.SQRT1_2) / 2;
      x += (Math.log(reached / tail) * reached) / normalDensity(x);
    }
  }
  return p < 0.5 ? -x : x;
}

/** e^-|x|·I_order(|x|) for orders 0 and 1: the power series up to 20, Hankel's expansion beyond. */
function besselIe(order: 0 | 1, x: number): number {
  let sum = 1;
  let term = 1;
  if (x <= 20) {
    for (let k = 1; term > epsilon * sum; k++) {
      term *= (x * x) / (4 * k * (k + order));
      sum += term;
    }
    return Math.exp(-x) * sum * (order === 1 ? x / 2 : 1);
  }
  for (let k = 1; k <= 30 && Math.abs(term) > epsilon; k++) {
    term *= ((2 * k - 1) ** 2 - 4 * order) / (8 * k * x);
    sum += term;
  }
  // √x apart, for 2πx overflows where I_order·e^-x does not.
  return sum / (Math.sqrt(2 * Math.PI) * Math.sqrt(x));
}

export const besselI0e = (x: number): number => besselIe(0, Math.abs(x));
export const besselI1e = (x: number): number => (x < 0 ? -besselIe(1, -x) : besselIe(1, x));

/** x^a·e^-x / Γ(a + 1). */
function gammaPrefactor(a: number, x: number): number {
  if (a >= 10) {
    // Far below a, (x - a) / a has forgotten x.
    const excess = x < a / 8 ? x / a - 1 - Math.log(x / a) : excessOverLog((x - a) / a);
    return Math.exp(-a * excess - stirlingRest(a)) / Math.sqrt(2 * Math.PI * a);
  }
  if (x > 700) return Math.exp(a * Math.log(x) - x - lgamma(a + 1));
  return x ** a * Math.exp(-x - lgamma(a + 1));
}

/** S = Σ xⁿ / ((a + 1)…(a + n)), with which P(a, x) = prefactor·S; and dS/da. */
function gammaSeries(a: number, x: number): { sum: number; slope: number } {
  let sum = 1;
  let slope = 0;
  let term = 1;
  let termSlope = 0;
  for (let n = 1; n < manyTerms; n++) {
    term *= x / (a + n);
    termSlope = (termSlope * x - term) / (a + n);
    sum += term;
    slope += termSlope;
    if (term <= epsilon * sum && Math.abs(termSlope) <= epsilon * Math.abs(slope)) break;
  }
  return { sum, slope };
}

/** The fraction h = 1/(x+1-a - 1·(1-a)/(x+3-a - …)), with which Q(a, x) = a·prefactor·h; and d log h / da. Lentz's method. */
function gammaFraction(a: number, x: number): { fraction: number; logSlope: number } {
  let d = 1 / (x + 1 - a);
  let dSlope = d * d;
  let c = Number.POSITIVE_INFINITY;
  let cSlope = 0;
  let fraction = d;
  let logSlope = dSlope / d;
  for (let n = 1; n < manyTerms; n++) {
    const top = -n * (n - a);
    const bottom = x + 2 * n + 1 - a;
    const previous = d;
    d = 1 / (bottom + top * d);
    dSlope = d * d * (1 - n * previous - top * dSlope);
    cSlope = -1 + (n - (top * cSlope) / c) / c;
    c = bottom + top / c;
    fraction *= c * d;
    const change = cSlope / c + dSlope / d;
    logSlope += change;
    if (Math.abs(c * d - 1) <= 2 * epsilon && Math.abs(change) <= 2 * epsilon * Math.abs(logSlope)) break;
  }
  return { fraction, logSlope };
}

/** From here on series and fraction take too many terms, and the leading terms of Temme's expansion (DLMF 8.12) suffice. */
const largeA = 1e8;

/** P(a, x) if side = -1, Q(a, x) if side = 1, for large a: a normal distribution in η, where η²/2 = x/a - 1 - log(x/a), and its skewness. */
function igammaLarge(a: number, x: number, side: 1 | -1): number {
  const shift = (x - a) / a;
  const excess = excessOverLog(shift);
  const eta = Math.sign(shift) * Math.sqrt(2 * excess);
  const skewness = Math.abs(shift) < 1e-5 ? -1 / 3 + shift / 12 : 1 / shift - 1 / eta;
  return erfc(side * eta * Math.sqrt(a / 2)) / 2 + (side * skewness * Math.exp(-a * excess)) / Math.sqrt(2 * Math.PI * a);
}

/** The regularized lower incomplete gamma function P(a, x). */
export function igamma(a: number, x: number): number {
  if (x === 0) return 0;
  if (!(x > 0 && a > 0)) return Number.NaN;
  if (a === Number.POSITIVE_INFINITY) return 0;
  if (x === Number.POSITIVE_INFINITY) return 1;
  if (a > largeA) return igammaLarge(a, x, -1);
  if (x > 1 && x > a) return 1 - a * gammaPrefactor(a, x) * gammaFraction(a, x).fraction;
  return gammaPrefactor(a, x) * gammaSeries(a, x).sum;
}

/** Q(a, x) = 1 - P(a, x), small values to full precision. */
export function igammac(a: number, x: number): number {
  if (!(x >= 0 && a > 0)) return Number.NaN;
  if (x === 0) return 1;
  // TensorFlow's kernel has this 0, too.
  if (a === Number.POSITIVE_INFINITY) return x === a ? 0 : 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  if (a > largeA) return igammaLarge(a, x, 1);
  if (x <= 1) return igammacNearZero(a, x);
  return x > a ? a * gammaPrefactor(a, x) * gammaFraction(a, x).fraction : 1 - gammaPrefactor(a, x) * gammaSeries(a, x).sum;
}

/** For x ≤ 1, with e^t = x^a / Γ(a + 1): -(e^t - 1) - a·e^t·Σ (-x)ⁿ / (n!·(a + n)) over n ≥ 1. */
function igammacNearZero(a: number, x: number): number {
  const t = a * Math.log(x) - (a < 0.5 ? lgammaAtTwo(a) - Math.log1p(a) : lgamma(a + 1));
  let sum = 0;
  let power = 1;
  for (let n = 1; n < 30; n++) {
    power *= -x / n;
    sum += power / (a + n);
  }
  return -Math.expm1(t) - a * Math.exp(t) * sum;
}

/** dP(a, x)/da, divided by the density x^(a-1)·e^-x / Γ(a): what both functions below are made of, free of underflow. */
function gammaSlopeOverDensity(a: number, x: number): number {
  if (a > largeA) return -1 - (x - a) / (2 * a);
  if (x > 1 && x > a) {
    const { fraction, logSlope } = gammaFraction(a, x);
    return -x * fraction * (Math.log(x) - digamma(a) + logSlope);
  }
  const { sum, slope } = gammaSeries(a, x);
  return (x / a) * (sum * (Math.log(x) - digamma(a + 1)) + slope);
}

/** dP(a, x)/da. */
export function igammaGradA(a: number, x: number): number {
  if (x === 0) return 0;
  if (!(x > 0 && a > 0)) return Number.NaN;
  if (a === Number.POSITIVE_INFINITY || x === Number.POSITIVE_INFINITY) return 0;
  return (gammaSlopeOverDensity(a, x) * a * gammaPrefactor(a, x)) / x;
}

/** d sample / d alpha at a fixed quantile: -(dP/da) / density. */
export function randomGammaGrad(alpha: number, sample: number): number {
  if (sample === 0) return 0;
  if (!(sample > 0 && alpha > 0)) return Number.NaN;
  if (alpha === Number.POSITIVE_INFINITY || sample === Number.POSITIVE_INFINITY) return Number.NaN;
  return -gammaSlopeOverDensity(alpha, sample);
}

/** x^a·(1-x)^b / B(a, b). With c = a + b the powers are (xc/a)^a·((1-x)c/b)^b, whose logarithm is -a·φ - b·φ. */
function betaPrefactor(a: number, b: number, x: number): number {
  const shift = x * b - (1 - x) * a;
  const powers = -a * excessOverLog(shift / a) - b * excessOverLog(-shift / b);
  return Math.sqrt((a / (a + b)) * (b / (2 * Math.PI))) * Math.exp(powers + stirlingRest(a + b) - stirlingRest(a) - stirlingRest(b));
}

/** The continued fraction 8.17.22 of DLMF by Lentz's method; converges quickly for x < (a + 1) / (a + b + 2). */
function betaFraction(a: number, b: number, x: number): number {
  let d = 1;
  let c = Number.POSITIVE_INFINITY;
  let fraction = 1;
  for (let n = 1; n < manyTerms; n++) {
    const m = Math.floor(n / 2);
    const top = n % 2 === 0 ? m * (b - m) : -(a + m) * (a + b + m);
    const ratio = (top * x) / ((a + n - 1) * (a + n));
    d = 1 / (1 + ratio * d);
    c = 1 + ratio / c;
    fraction *= c * d;
    if (Math.abs(c * d - 1) <= 2 * epsilon) break;
  }
  return fraction;
}

/** The regularized incomplete beta function I_x(a, b). */
export function betainc(a: number, b: number, x: number): number {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1) || a + b === Number.POSITIVE_INFINITY) return Number.NaN;
  if (x === 0 || x === 1) return x;
  if (x < (a + 1) / (a + b + 2)) return (betaPrefactor(a, b, x) / a) * betaFraction(a, b, x);
  return 1 - (betaPrefactor(a, b, x) / b) * betaFraction(b, a, 1 - x);
}

/** x^y as C has it: JavaScript says NaN for 1^NaN and (±1)^±∞. */
function pow(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y;
}

/** To the nearest integer, halves to even: adding 2^52 leaves no room for a fraction. */
function round(x: number): number {
  const size = Math.abs(x);
  if (!(size < 2 ** 52)) return x;
  const whole = size + 2 ** 52 - 2 ** 52;
  return x < 0 || Object.is(x, -0) ? -whole : whole;
}

/** Functions of real numbers in double precision, by their names in scalar expressions. A backend imports those it does not generate itself,
 *  and rounds their results to its type. */
export const hostFunctions = {
  pow,
  round,
  atan2: Math.atan2,
  rem: (x: number, y: number) => x % y,
  exp: Math.exp,
  expNonPositive: (x: number) => (x > 0 ? 1 : Math.exp(x)),
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  erf,
  erfc,
  lgamma,
  digamma,
  ndtri,
  besselI0e,
  besselI1e,
  igamma,
  igammac,
  igammaGradA,
  zeta,
  polygamma,
  betainc,
  randomGammaGrad,
  sinExact: Math.sin,
  cosExact: Math.cos,
  logExact: Math.log,
} as const satisfies Partial<Record<ScalarFunction, (...x: number[]) => number>>;
