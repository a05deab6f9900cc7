// sin, cos and log of float64 rounded correctly (all but a few in a million), by arithmetic on unevaluated sums of two doubles. Only for float64
// random normals, where JavaScript's own functions differ from the C library's in the last place. Dekker 1971, Knuth's two-sum.

/** high + low, |low| at most half a unit in the last place of high. */
interface Pair {
  readonly high: number;
  readonly low: number;
}

const pair = (high: number, low: number): Pair => {
  const sum = high + low;
  return { high: sum, low: low - (sum - high) };
};

function twoSum(a: number, b: number): Pair {
  const high = a + b;
  const part = high - a;
  return { high, low: a - (high - part) + (b - part) };
}

function twoProduct(a: number, b: number): Pair {
  const high = a * b;
  const [a1, b1] = [134217729 * a, 134217729 * b];
  const [ah, bh] = [a1 - (a1 - a), b1 - (b1 - b)];
  const [al, bl] = [a - ah, b - bh];
  return { high, low: ah * bh - high + ah * bl + al * bh + al * bl };
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

/** sin and cos of an angle in [0, 7). */
export function sineAndCosine64(x: number, out: Float64Array): void {
  const n = Math.round(x / halfPi[0]);
  const r = add(add({ high: x, low: 0 }, twoProduct(-n, halfPi[0])), add(twoProduct(-n, halfPi[1]), { high: -n * halfPi[2], low: 0 }));
  const [sine, cosine] = [alternatingSeries(r, 1).high, alternatingSeries(r, 0).high];
  out[0] = [sine, cosine, -sine, -cosine][n % 4];
  out[1] = [cosine, -sine, -cosine, sine][n % 4];
}

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
export function logarithm64(x: number): number {
  const guess = Math.log(x);
  const ratio = add(multiply({ high: x, low: 0 }, exponential(-guess)), { high: -1, low: 0 });
  const error = ratio.high + ratio.low;
  return guess + (error - (error * error) / 2);
}
