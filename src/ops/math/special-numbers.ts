// Dawson's integral, the exponential and Fresnel integrals, the dilogarithm and Bessel functions of the kinds J, Y and K, in double precision.
// Series near the origin and asymptotic series far out (DLMF chapters 6, 7, 10, 25); outside their domains the values are TensorFlow's.

const euler = 0.5772156649015329;
const epsilon = 2 ** -53;

/** first + first·ratio(1) + first·ratio(1)·ratio(2) + … until a term no longer counts, or terms begin to grow where `asymptotic`. */
function sumOf(first: number, ratio: (k: number) => number, asymptotic = false): number {
  let [sum, term] = [first, first];
  for (let k = 1; k < 1000; k++) {
    const next = term * ratio(k);
    if (asymptotic && Math.abs(next) > Math.abs(term)) break;
    term = next;
    sum += term;
    if (Math.abs(term) <= epsilon * Math.abs(sum)) break;
  }
  return sum;
}

/** e^(-x²)·∫₀ˣ e^(t²) dt. */
function dawsn(x: number): number {
  const square = x * x;
  if (square > 1e16) return 1 / (2 * x);
  if (square > 49) return sumOf(1 / (2 * x), k => (2 * k - 1) / (2 * square), true);
  return Math.exp(-square) * sumOf(x, k => (square / k) * ((2 * k - 1) / (2 * k + 1)));
}

/** The principal value of ∫ eᵗ/t dt from -∞ to x > 0. */
function expint(x: number): number {
  if (Number.isNaN(x) || x < 0 || x === Infinity) return Number.NaN;
  if (x === 0) return -Infinity;
  if (x > 50) return Math.exp(x - Math.log(x)) * sumOf(1, k => k / x, true);
  return euler + Math.log(x) + sumOf(x, k => (x * k) / ((k + 1) * (k + 1)));
}

/** ∫₀ˣ cos(πt²/2) dt and the same with sin. */
function fresnel(given: number): { cos: number; sin: number } {
  const x = Math.abs(given);
  const sign = given < 0 ? -1 : 1;
  if (Number.isNaN(x)) return { cos: x, sin: x };
  if (x > 1e8) return { cos: sign * 0.5, sin: sign * 0.5 };
  const angle = (Math.PI / 2) * x * x;
  if (x < 1.5) {
    const square = -angle * angle;
    const cos = sumOf(x, k => ((square / (2 * k * (2 * k - 1))) * (4 * k - 3)) / (4 * k + 1));
    const sin = sumOf((x * angle) / 3, k => ((square / (2 * k * (2 * k + 1))) * (4 * k - 1)) / (4 * k + 3));
    return { cos: sign * cos, sin: sign * sin };
  }
  const { re, im } = complementOfErf(x);
  // The phase of a quarter of x², x² taken modulo 4 first.
  const phase = (Math.PI / 2) * ((x * x) % 4);
  const [c, s] = [Math.cos(phase), Math.sin(phase)];
  const [outer, inner] = [c * re - s * im, c * im + s * re];
  // 0.5·(1 + i)·(1 - e^(iφ)·w)
  return { cos: sign * 0.5 * (1 - outer + inner), sin: sign * 0.5 * (1 - outer - inner) };
}

/** w with erfc(z) = e^(iπx²/2)·w for z = (√π/2)·(1 - i)·x: Lentz's continued fraction. */
function complementOfErf(x: number): { re: number; im: number } {
  const times = (a: Pair, b: Pair): Pair => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
  const inverse = ([re, im]: Pair): Pair => {
    const size = re * re + im * im;
    return [re / size, -im / size];
  };
  // 1/(b + a₁/(b + 4 + a₂/(b + 8 + …))) with b = 1 - iπx², aₖ = -2k·(2k - 1)
  let b: Pair = [1, -Math.PI * x * x];
  let d = inverse(b);
  let h = d;
  let c: Pair = [1e300, 0];
  for (let k = 1; k < 500; k++) {
    const a = -2 * k * (2 * k - 1);
    b = [b[0] + 4, b[1]];
    d = inverse([a * d[0] + b[0], a * d[1] + b[1]]);
    const last = inverse(c);
    c = [b[0] + a * last[0], b[1] + a * last[1]];
    const change = times(c, d);
    h = times(h, change);
    if (Math.abs(change[0] - 1) + Math.abs(change[1]) < 4 * epsilon) break;
  }
  const [re, im] = times([x, -x], h);
  return { re, im };
}

type Pair = readonly [re: number, im: number];

const fresnelCos = (x: number): number => fresnel(x).cos;
const fresnelSin = (x: number): number => fresnel(x).sin;

/** B₂/3!, B₄/5!, B₆/7! … */
const dilogarithmSeries = [
  1 / 36,
  -1 / 3600,
  1 / 211680,
  -1 / 10886400,
  1 / 526901760,
  -691 / 16999766784000,
  1 / 1120863744000,
  -3617 / 181400588328960000,
  43867 / 97072790126247936000,
] as const;

/** The dilogarithm of 1 - e^(-u), |u| ≤ 0.7. */
function dilogarithm(u: number): number {
  const square = u * u;
  let power = u * square;
  let sum = 0;
  for (const factor of dilogarithmSeries) {
    sum += factor * power;
    power *= square;
  }
  return u - square / 4 + sum;
}

/** ∫₁ˣ log t/(1 - t) dt: the dilogarithm of 1 - x. */
function spence(x: number): number {
  if (Number.isNaN(x) || x < 0 || x === Infinity) return Number.NaN;
  if (x === 0) return (Math.PI * Math.PI) / 6;
  const log = Math.log(x);
  if (x > 2) return -spence(1 / x) - (log * log) / 2;
  if (x < 0.5) return (Math.PI * Math.PI) / 6 - log * Math.log1p(-x) - dilogarithm(-Math.log1p(-x));
  return dilogarithm(-log);
}

// ---- Bessel functions ----

/** From here on Hankel's asymptotic series are exact to double precision. */
const far = 25;

/** J₀(x), J₁(x) … by Miller's backward recurrence, for 0 < x < far. */
function besselsOfFirstKind(x: number): Float64Array {
  const count = 2 * Math.ceil(x / 2 + 25);
  const values = new Float64Array(count + 2);
  values[count] = 1e-300;
  for (let n = count; n > 0; n--) {
    values[n - 1] = ((2 * n) / x) * values[n] - values[n + 1];
    // Kept in range: what is far larger makes the first ones vanish.
    if (Math.abs(values[n - 1]) > 1e250) for (let k = n - 1; k <= count; k++) values[k] *= 1e-300;
  }
  let total = values[0];
  for (let n = 2; n <= count; n += 2) total += 2 * values[n];
  return values.map(value => value / total);
}

/** Hankel's series: J = √(2/πx)·(p·cos χ - q·sin χ), Y = √(2/πx)·(p·sin χ + q·cos χ), χ = x - (order/2 + 1/4)·π. */
function hankel(order: 0 | 1, x: number): { j: number; y: number } {
  let [p, q, term] = [1, 0, 1];
  for (let k = 1; k < 200; k++) {
    const next = (term * (4 * order * order - (2 * k - 1) ** 2)) / (k * 8 * x);
    if (Math.abs(next) > Math.abs(term) || Math.abs(next) < epsilon / 8) break;
    term = next;
    const sign = k % 4 < 2 ? 1 : -1;
    if (k % 2 === 1) q += sign * term;
    else p += (k % 4 === 0 ? 1 : -1) * term;
  }
  // cos χ and sin χ from those of x, which are reduced exactly.
  const [c, s] = [Math.cos(x), Math.sin(x)];
  const [cos, sin] = order === 0 ? [c + s, s - c] : [s - c, -s - c];
  const scale = Math.sqrt(1 / (Math.PI * x));
  return { j: scale * (p * cos - q * sin), y: scale * (p * sin + q * cos) };
}

function besselJ(order: 0 | 1, given: number): number {
  const x = Math.abs(given);
  if (Number.isNaN(x) || x === Infinity) return Number.NaN;
  const sign = order === 1 && given < 0 ? -1 : 1;
  if (x < 1e-8) return order === 0 ? 1 : given / 2;
  return sign * (x >= far ? hankel(order, x).j : besselsOfFirstKind(x)[order]);
}

const besselJ0 = (x: number): number => besselJ(0, x);
const besselJ1 = (x: number): number => besselJ(1, x);

/** Neumann's series over J. */
function besselY(order: 0 | 1, x: number): number {
  if (Number.isNaN(x) || x === Infinity) return Number.NaN;
  if (x <= 0) return -Infinity;
  if (x >= far) return hankel(order, x).y;
  const log = Math.log(x / 2) + euler;
  if (x < 1e-8) return order === 0 ? (2 / Math.PI) * log : -2 / (Math.PI * x);
  const j = besselsOfFirstKind(x);
  let sum = 0;
  for (let k = 1; 2 * k + order < j.length; k++) {
    const weight = order === 0 ? 2 / k : (2 * k + 1) / (k * (k + 1));
    sum += (k % 2 === 0 ? 1 : -1) * weight * j[2 * k + order];
  }
  if (order === 0) return (2 / Math.PI) * (log * j[0] - sum);
  return (2 / Math.PI) * ((log - 1) * j[1] - sum - j[0] / x);
}

const besselY0 = (x: number): number => besselY(0, x);
const besselY1 = (x: number): number => besselY(1, x);

/** eˣ·K(x) = ∫₀^∞ e^(-x·(cosh t - 1))·cosh(order·t) dt by the trapezoidal rule, which converges exponentially here. */
function besselKe(order: 0 | 1, x: number): number {
  if (Number.isNaN(x)) return x;
  if (x <= 0) return Infinity;
  if (x < 1e-9) return Math.exp(x) * (order === 0 ? -Math.log(x / 2) - euler : 1 / x);
  const step = Math.min(0.15, 0.7 / Math.sqrt(x));
  if (step === 0) return 0;
  let sum = 0.5;
  for (let n = 1; ; n++) {
    const half = Math.sinh((n * step) / 2);
    const exponent = 2 * x * half * half;
    if (exponent > 800) break;
    sum += Math.exp(-exponent) * (order === 0 ? 1 : 1 + 2 * half * half);
  }
  return step * sum;
}

const besselK0e = (x: number): number => besselKe(0, x);
const besselK1e = (x: number): number => besselKe(1, x);
const unscaled = (order: 0 | 1, x: number): number => (x > 800 ? 0 : Math.exp(-Math.max(x, 0)) * besselKe(order, x));
const besselK0 = (x: number): number => unscaled(0, x);
const besselK1 = (x: number): number => unscaled(1, x);

/** All of them by name. */
export const specialNumbers = {
  dawsn,
  expint,
  fresnelCos,
  fresnelSin,
  spence,
  besselJ0,
  besselJ1,
  besselY0,
  besselY1,
  besselK0e,
  besselK1e,
  besselK0,
  besselK1,
} as const;
