// sin, cos and log of float64 rounded correctly (all but a few in a million), by arithmetic on unevaluated sums of two doubles. Only for float64
// random normals, where JavaScript's own functions differ from the C library's in the last place. Dekker 1971, Knuth's two-sum.
// Series of such sums are slow. So they make a table, at first use; from its nearest point a few terms give 65 bits, which nearly always tell how
// to round (Ziv 1991), and where they do not, the series do.

/** high + low, |low| at most half a unit in the last place of high. */
interface Pair {
  readonly high: number;
  readonly low: number;
}

const pair = (high: number, low: number): Pair => {
  const sum = high + low;
  return { high: sum, low: low - (sum - high) };
};

/** What a sum, rounded to `high`, has lost. */
function sumError(high: number, a: number, b: number): number {
  const part = high - a;
  return a - (high - part) + (b - part);
}

function twoSum(a: number, b: number): Pair {
  const high = a + b;
  return { high, low: sumError(high, a, b) };
}

/** The upper half of a number's digits (Veltkamp). */
function upperHalf(x: number): number {
  const spread = 134217729 * x;
  return spread - (spread - x);
}

/** What a product, rounded to `high`, has lost. */
function lostBy(high: number, a: number, b: number): number {
  const [ah, bh] = [upperHalf(a), upperHalf(b)];
  const [al, bl] = [a - ah, b - bh];
  return ah * bh - high + ah * bl + al * bh + al * bl;
}

function twoProduct(a: number, b: number): Pair {
  const high = a * b;
  return { high, low: lostBy(high, a, b) };
}

function add(x: Pair, y: Pair): Pair {
  const sum = twoSum(x.high, y.high);
  return pair(sum.high, sum.low + x.low + y.low);
}

function multiply(x: Pair, y: Pair): Pair {
  const product = twoProduct(x.high, y.high);
  return pair(product.high, product.low + x.high * y.low + x.low * y.high);
}

function divideByInteger(x: Pair, n: number): Pair {
  const first = x.high / n;
  const back = twoProduct(first, n);
  return pair(first, (x.high - back.high - back.low + x.low) / n);
}

/** π/2 in three parts. */
const halfPi = [1.5707963267948966, 6.123233995736766e-17, -1.4973849048591833e-33] as const;

/** Σ of (-1)^k r^(2k+start) / (2k+start)!. */
function alternatingSeries(r: Pair, start: 0 | 1): Pair {
  const square = multiply(r, r);
  let term: Pair = start === 1 ? r : { high: 1, low: 0 };
  let sum = term;
  for (let k = start + 2; k < 30; k += 2) {
    term = divideByInteger(multiply(term, square), -k * (k - 1));
    sum = add(sum, term);
  }
  return sum;
}

interface Table {
  readonly high: Float64Array;
  readonly low: Float64Array;
}

function tabulate(size: number, entry: (i: number) => Pair): Table {
  const entries = Array.from({ length: size }, (_, i) => entry(i));
  return { high: Float64Array.from(entries, x => x.high), low: Float64Array.from(entries, x => x.low) };
}

/** Whether a sum that may be off by 2^-64 of itself could round to another number. */
function isInDoubt(high: number, low: number): boolean {
  const doubt = high * 2 ** -64;
  return high + (low + doubt) !== high + (low - doubt);
}

// ---- sin and cos ----

const steps = 256;
/** π/512 in three parts, of which the first two times an integer of 11 bits are exact. */
const step = [0.006135923151539657, 2.9076357345625995e-15, 2.4876238919964648e-27] as const;

let sineTable: Table | undefined;

/** sin of every step from 0 to π/2. */
function sines(): Table {
  const width: Pair = { high: halfPi[0] / steps, low: halfPi[1] / steps };
  const angle = (i: number): Pair => multiply({ high: i, low: 0 }, width);
  sineTable ??= tabulate(steps + 1, i => (2 * i <= steps ? alternatingSeries(angle(i), 1) : alternatingSeries(angle(steps - i), 0)));
  return sineTable;
}

/** sin and cos of an angle in [0, 7). */
export function sineAndCosine64(x: number, out: Float64Array): void {
  const { high, low } = sines();
  const n = Math.round(x / step[0]);
  const near = x - n * step[0];
  const r = near - n * step[1];
  const rest = near - r - n * step[1] - n * step[2];
  const r2 = r * r;
  // sin r - r and cos r - 1.
  const sineRest = rest - r2 * r * (1 / 6 - r2 * (1 / 120 - r2 / 5040));
  const cosineRest = -r2 * (0.5 - r2 * (1 / 24 - r2 / 720));
  const i = n & (steps - 1);
  const sh = high[i];
  const sl = low[i];
  const ch = high[steps - i];
  const cl = low[steps - i];
  const quarter = (n >> 8) & 3;
  const sine = rotated(sh, sl, ch, cl);
  const cosine = rotated(ch, cl, -sh, -sl);
  if (Number.isNaN(sine) || Number.isNaN(cosine)) {
    sineAndCosineBySeries(x, out);
    return;
  }
  out[0] = quarter === 0 ? sine : quarter === 1 ? cosine : quarter === 2 ? -sine : -cosine;
  out[1] = quarter === 0 ? cosine : quarter === 1 ? -sine : quarter === 2 ? -cosine : sine;

  /** a cos r + b sin r, or NaN where its rounding is in doubt. */
  function rotated(ah: number, al: number, bh: number, bl: number): number {
    const turned = bh * r;
    const sum = ah + turned;
    const less = sumError(sum, ah, turned) + (lostBy(turned, bh, r) + al + (ah * cosineRest + bh * sineRest + bl * r));
    return isInDoubt(sum, less) ? Number.NaN : sum + less;
  }
}

function sineAndCosineBySeries(x: number, out: Float64Array): void {
  const n = Math.round(x / halfPi[0]);
  const r = add(add({ high: x, low: 0 }, twoProduct(-n, halfPi[0])), add(twoProduct(-n, halfPi[1]), { high: -n * halfPi[2], low: 0 }));
  const [sine, cosine] = [alternatingSeries(r, 1).high, alternatingSeries(r, 0).high];
  out[0] = [sine, cosine, -sine, -cosine][n % 4];
  out[1] = [cosine, -sine, -cosine, sine][n % 4];
}

// ---- log ----

const ln2: Pair = { high: Math.LN2, low: 2.3190468138462996e-17 };

/** e^y for |y| below 20. */
function exponential(y: number): Pair {
  const k = Math.round(y / ln2.high);
  const reduced = add({ high: y, low: 0 }, multiply({ high: -k, low: 0 }, ln2));
  // (e^(r/64))^64: few terms, six squarings.
  const r: Pair = { high: reduced.high / 64, low: reduced.low / 64 };
  let term: Pair = { high: 1, low: 0 };
  let sum = term;
  for (let i = 1; i < 14; i++) {
    term = divideByInteger(multiply(term, r), i);
    sum = add(sum, term);
  }
  for (let i = 0; i < 6; i++) sum = multiply(sum, sum);
  return { high: sum.high * 2 ** k, low: sum.low * 2 ** k };
}

/** The natural logarithm of a number in [1e-7, 1), by one step of Newton's method from JavaScript's. */
function logarithmBySeries(x: number): Pair {
  const guess = Math.log(x);
  const ratio = add(multiply({ high: x, low: 0 }, exponential(-guess)), { high: -1, low: 0 });
  const error = ratio.high + ratio.low;
  return { high: guess, low: error - (error * error) / 2 };
}

/** log 2 in two parts, of which the first times a small integer is exact. */
const ln2Parts = [0.6931471805599188, 2.6557520756679704e-14] as const;
/** A number of 9 bits near the inverse of the middle of each 128th of [1, 2). */
const inverse = (i: number): number => Math.round(512 / (1 + (i + 0.5) / 128)) / 512;
const bits = new Int32Array(2);
const mantissa = new Float64Array(bits.buffer);

let inverses: Float64Array | undefined;
let logarithms: Table | undefined;

/** The natural logarithm of a number in [1e-7, 1). */
export function logarithm64(x: number): number {
  inverses ??= Float64Array.from({ length: 128 }, (_, i) => inverse(i));
  logarithms ??= tabulate(128, i => logarithmBySeries(inverse(i)));
  let [base, baseRest, r, rest] = [0, 0, x - 1, 0];
  if (x < 0.99) {
    mantissa[0] = x;
    const exponent = (bits[1] >> 20) - 1023;
    const i = (bits[1] >> 13) & 127;
    bits[1] = (bits[1] & 0xfffff) | 0x3ff00000;
    const product = mantissa[0] * inverses[i];
    r = product - 1;
    rest = lostBy(product, mantissa[0], inverses[i]);
    const whole = exponent * ln2Parts[0];
    base = whole - logarithms.high[i];
    baseRest = whole - base - logarithms.high[i] + (exponent * ln2Parts[1] - logarithms.low[i]);
  }
  // log(1 + r) = r - r²/2 + r³/3 - …, of which the first two terms are needed in full.
  const square = r * r;
  const first = base + r;
  const sum = first - square / 2;
  const lost = sumError(first, base, r) + sumError(sum, first, -square / 2) - lostBy(square, r, r) / 2 - r * rest;
  const more = square * r * (1 / 3 - r * (1 / 4 - r * (1 / 5 - r * (1 / 6 - r * (1 / 7 - r * (1 / 8 - r * (1 / 9 - r / 10)))))));
  const less = lost + (baseRest + rest + more);
  // Next to 1 the series themselves lose digits.
  if (x >= 0.99 || !isInDoubt(sum, less)) return sum + less;
  const { high, low } = logarithmBySeries(x);
  return high + low;
}
