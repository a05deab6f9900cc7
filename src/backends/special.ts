// Special functions in double precision, which host-functions.ts loads for programs that have one.
// Methods: power series near the origin, Stirling and Hankel series far out, continued fractions between (DLMF chapters 5-8, 10, 25).
// Prefactors like x^a·e^-x/Γ(a) are computed as e^(-a·φ) with a small φ: as powers they would lose their digits for large a.
// At poles and outside their domains the values are TensorFlow's.

import type { ScalarFunction } from "../ir/scalar.ts";

const epsilon = 2 ** -53;
const oneLessEulerGamma = 0.42278433509846713;
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
  // 1 to an infinite power is NaN in JavaScript.
  if (q > 0 && s === Number.POSITIVE_INFINITY) return q === 1 ? 1 : q ** -s;
  if (q > 0) return hurwitz(s, q);
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

/** (lgamma(2 + z) - lgamma(2 + start)) / (z - start) for both from -3/4 to 1/2; lgamma(2 + z) = z·(1 - γ) + Σ (ζ(n) - 1)·(-z)ⁿ / n. */
function lgammaSlopeAtTwo(z: number, start: number): number {
  gammaCoefficients ??= [0, oneLessEulerGamma, ...Array.from({ length: 40 }, (_, k) => ((-1) ** k * hurwitz(k + 2, 2)) / (k + 2))];
  return dividedDifference(gammaCoefficients, z, start);
}

/** lgamma(2 + z) for z from -3/4 to 1/2. */
const lgammaAtTwo = (z: number): number => z * lgammaSlopeAtTwo(z, 0);

/** (p(x) - p(y)) / (x - y) for p(x) = c[0] + c[1]·x + …, without a difference: Horner's rule and its derivative, each at one of the two. */
function dividedDifference(coefficients: readonly number[], x: number, y: number): number {
  let [value, slope] = [0, 0];
  for (let n = coefficients.length - 1; n >= 0; n--) {
    slope = slope * x + value;
    value = value * y + (coefficients[n] as number);
  }
  return slope;
}

const polynomial = (coefficients: readonly number[], x: number): number => coefficients.reduceRight((sum, c) => sum * x + c, 0);

/** Where |Γ(-n + e)| is 1: e below and above -n, in two parts, from n = 2 on; from n = 18 on no double is as near to -n (mpmath). */
const gammaOnes: readonly (readonly [below: readonly [number, number], above: readonly [number, number]])[] = [
  [
    [-0.45702473822080064, 1.843554041574456e-17],
    [0, 0],
  ],
  [
    [-0.14358088834998006, 3.862806401714152e-18],
    [0.2523173532725874, -2.04688991691325e-17],
  ],
  [
    [-0.03936183974053688, 3.2731379225891636e-18],
    [0.04470571514140207, 8.223977942582053e-19],
  ],
  [
    [-0.008218168322593521, -5.582665915956405e-19],
    [0.008455359439952277, 8.231751957350036e-19],
  ],
  [
    [-0.0013852944531550972, -2.6295731811446077e-20],
    [0.0013925199191243706, -7.090441230646531e-20],
  ],
  [
    [-0.00019833340732475162, 1.1820573401560963e-20],
    [0.0001984921093623021, 6.263909978492175e-21],
  ],
  [
    [-2.48002706819597e-5, 1.0083974251164085e-21],
    [2.4802904179335845e-5, 3.15397713595963e-22],
  ],
  [
    [-2.7557148226503463e-6, -5.624459871432079e-23],
    [2.7557490225318057e-6, -6.500300408654724e-23],
  ],
  [
    [-2.755730136466002e-7, -2.4472526783403563e-23],
    [2.7557337083353163e-7, 1.4502658434955713e-23],
  ],
  [
    [-2.5052106852407546e-8, 1.2924868620853802e-24],
    [2.5052109918476226e-8, -6.807394864189793e-25],
  ],
  [
    [-2.087675687777539e-9, -4.849684877236172e-26],
    [2.087675709796081e-9, -8.658839215884982e-26],
  ],
  [
    [-1.6059043830108875e-10, 7.046449983196074e-27],
    [1.6059043843534355e-10, 6.465141936497467e-27],
  ],
  [
    [-1.147074559737784e-11, 4.194056116105366e-28],
    [1.147074559808161e-11, -7.830340218001236e-28],
  ],
  [
    [-7.647163731803788e-13, 4.886154187641447e-29],
    [7.647163731835846e-13, -3.8035184915187745e-29],
  ],
  [
    [-4.779477332386745e-14, -1.811833433216651e-30],
    [4.779477332388026e-14, -9.319923331229129e-31],
  ],
  [
    [-2.811457254345498e-15, -2.2878206410005478e-32],
    [2.8114572543455435e-15, -8.713180440266469e-32],
  ],
];

/** lgamma between -17.5 and -2, but for the half behind -2 where it has no zero: how far |Γ| is from 1 where it is 1 next, factor by factor of
 *  Γ(x) = Γ(x + n + 2) / (x·(x + 1) … (x + n + 1)). */
function lgammaBetweenZeros(x: number): number {
  const n = x > -2.6 ? 2 : -Math.round(x);
  const rest = x + n;
  const [high, low] = (gammaOnes[n - 2] as (typeof gammaOnes)[number])[rest < 0 ? 0 : 1];
  const distance = rest - high - low;
  let growth = 0;
  for (let k = 1; k >= -n; k--) {
    if (k === 0) continue;
    const factor = distance / (high + k);
    growth += factor + growth * factor;
  }
  const nearest = Math.abs(distance / high) < 0.5 ? Math.log1p(distance / high) : Math.log(rest / high);
  return distance * lgammaSlopeAtTwo(rest, high) - Math.log1p(growth) - nearest;
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
  if (x < -2 && x > -17.5) return lgammaBetweenZeros(x);
  if (x < 0) return Math.log(Math.PI / Math.abs(sinPi(x))) - lgamma(1 - x);
  if (x >= 10) return (x - 0.5) * Math.log(x) - x + logSqrtTwoPi + stirlingRest(x);
  if (x < 0.5) return lgammaAtTwo(x) - Math.log(x) - Math.log1p(x);
  if (x < 1.25) return lgammaAtTwo(x - 1) - Math.log1p(x - 1);
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
  if (x < 10) return digammaFromZero(x);
  return Math.log(x) - 0.5 / x - polynomial(digammaCoefficients, 1 / (x * x));
}

/** Of x^-2k in log(x) - 1/(2·x) - digamma(x) for large x. */
const digammaCoefficients: readonly number[] = [0, ...bernoulli.map((b, k) => b / (2 * k + 2))];

/** digamma for x from 0 to 10: digamma(x + 10) - Σ 1 / (x + k), term by term less the same of its zero, so that nothing cancels. */
function digammaFromZero(x: number): number {
  const zero = 1.4616321449683622;
  const distance = x - zero - 9.549995429965697e-17;
  let slope = 0;
  for (let k = 9; k >= 0; k--) slope += 1 / ((x + k) * (zero + k));
  const [at, start] = [x + 10, zero + 10];
  const [u, v] = [1 / (at * at), 1 / (start * start)];
  slope += 0.5 / (at * start) + dividedDifference(digammaCoefficients, u, v) * (at + start) * u * v;
  return Math.log1p(distance / start) + distance * slope;
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

/** (x/√2π - w) / w³ in `quantileReach - w²` for the quantile x of 1/2 + w: a rational fit made for this file (mpmath). */
const quantileNumerator = [
  1.539061302016663, 31.620727577184812, 233.59165881585983, 750.0243640919292, 995.3834220498667, 405.7868180467141, 6.142623668604669,
];
const quantileDenominator = [
  1.0, 24.550724408500496, 228.76090647632424, 1009.5120684434934, 2144.516337273202, 1964.3141906616447, 550.4117038390433,
];
const quantileReach = 0.1325;

/** The quantile function of the normal distribution: a rational function in the middle; in the tails Newton's method on the logarithm from a
 *  rational guess (Abramowitz and Stegun 26.2.23). */
export function ndtri(p: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  const w = p - 0.5;
  const square = w * w;
  if (square < quantileReach) {
    const from = quantileReach - square;
    return Math.sqrt(2 * Math.PI) * (w + w * ((square * polynomial(quantileNumerator, from)) / polynomial(quantileDenominator, from)));
  }
  const tail = Math.min(p, 1 - p);
  if (tail === 0) return p === 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  const t = Math.sqrt(-2 * Math.log(tail));
  let x = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (let step = 0; step < 4; step++) {
    const reached = erfc(x * Math.SQRT1_2) / 2;
    x += (Math.log(reached / tail) * reached) / normalDensity(x);
  }
  return p < 0.5 ? -x : x;
}

/** e^-|x|·I_order(|x|) for orders 0 and 1. Up to 20 the midpoint rule for the means of e^(x·(cos θ - 1)) and x·sin²θ·e^(x·(cos θ - 1)) over
 *  0 … π, which converges faster than any power and adds positive numbers only; beyond, Hankel's expansion from its last term on. */
function besselIe(order: 0 | 1, x: number): number {
  if (x <= 20) {
    const points = Math.ceil(8 + 3.5 * Math.sqrt(x));
    let sum = 0;
    for (let k = 0; k < points; k++) {
      const half = Math.sin((Math.PI * (k + 0.5)) / (2 * points)) ** 2;
      sum += Math.exp(-2 * x * half) * (order === 1 ? 4 * half * (1 - half) : 1);
    }
    return (sum / points) * (order === 1 ? x : 1);
  }
  const terms = [1];
  for (let k = 1; k <= 30 && Math.abs(terms[0] as number) > epsilon / 16; k++) {
    terms.unshift(((terms[0] as number) * ((2 * k - 1) ** 2 - 4 * order)) / (8 * k * x));
  }
  // √x apart, for 2πx overflows where I_order·e^-x does not.
  return terms.reduce((sum, term) => sum + term, 0) / (Math.sqrt(2 * Math.PI) * Math.sqrt(x));
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

/** By their names in scalar expressions. */
export const specialFunctions = {
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
} as const satisfies Partial<Record<ScalarFunction, (...x: number[]) => number>>;
