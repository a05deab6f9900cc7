// Eigenvalues and eigenvectors of a real square matrix by Francis' double QR steps, after Peters and Wilkinson, "Eigenvectors of real and complex
// matrices by LR and QR triangularizations" (1970), and Golub and Van Loan, Matrix Computations, 7.5. Eigenvalues come in the order of the diagonal,
// which is the one that TensorFlow gives.

import { type Matrix, matrixOf } from "./dense.ts";

/** A = Q·T·Qᵀ, both row-major n × n; T has blocks of one or two rows on its diagonal. */
interface RealSchur {
  readonly n: number;
  readonly q: Float64Array;
  readonly t: Float64Array;
}

const epsilon = Number.EPSILON;

/** I - τ·v·vᵀ with v[0] = 1, taking x to (β, 0 …). */
interface Reflection {
  readonly v: readonly number[];
  readonly tau: number;
  readonly beta: number;
}

function reflectionOf(x: readonly number[]): Reflection {
  let tail = 0;
  for (let k = 1; k < x.length; k++) tail = Math.hypot(tail, x[k]);
  if (tail === 0) return { v: x.map((_, k) => (k === 0 ? 1 : 0)), tau: 0, beta: x[0] };
  const beta = (x[0] >= 0 ? -1 : 1) * Math.hypot(x[0], tail);
  return { v: x.map((value, k) => (k === 0 ? 1 : value / (x[0] - beta))), tau: (beta - x[0]) / beta, beta };
}

/** Applies the reflection to rows `first` … of the columns from `from` on. */
function reflectRows(a: Float64Array, n: number, { v, tau }: Reflection, first: number, from: number): void {
  const sums = new Float64Array(n);
  for (let k = 0; k < v.length; k++) {
    const row = (first + k) * n;
    const x = v[k];
    for (let j = from; j < n; j++) sums[j] += x * a[row + j];
  }
  for (let k = 0; k < v.length; k++) {
    const row = (first + k) * n;
    const x = tau * v[k];
    for (let j = from; j < n; j++) a[row + j] -= x * sums[j];
  }
}

/** Applies it to columns `first` … of the rows before `to`. */
function reflectColumns(a: Float64Array, n: number, { v, tau }: Reflection, first: number, to: number): void {
  for (let i = 0; i < to; i++) {
    const row = i * n + first;
    let sum = 0;
    for (let k = 0; k < v.length; k++) sum += v[k] * a[row + k];
    sum *= tau;
    for (let k = 0; k < v.length; k++) a[row + k] -= sum * v[k];
  }
}

function identity(n: number): Float64Array {
  const q = new Float64Array(n * n);
  for (let i = 0; i < n; i++) q[i * n + i] = 1;
  return q;
}

/** Makes everything below the first subdiagonal zero. */
function toHessenberg({ n, q, t }: RealSchur): void {
  for (let k = 0; k + 2 < n; k++) {
    const reflection = reflectionOf(Array.from({ length: n - k - 1 }, (_, i) => t[(k + 1 + i) * n + k]));
    reflectRows(t, n, reflection, k + 1, k);
    reflectColumns(t, n, reflection, k + 1, n);
    reflectColumns(q, n, reflection, k + 1, n);
    t[(k + 1) * n + k] = reflection.beta;
    for (let i = k + 2; i < n; i++) t[i * n + k] = 0;
  }
}

/** The two shifts of a step by their sum's parts and their product's rest: corner, the one before, product off the diagonal. */
type Shifts = readonly [corner: number, before: number, product: number];

/** One double step on rows first … last. */
function francisStep({ n, q, t }: RealSchur, first: number, last: number, [corner, before, product]: Shifts): void {
  const at = (i: number, j: number): number => t[i * n + j];
  let start = last - 2;
  let head: number[] = [];
  for (; ; start--) {
    const diagonal = at(start, start);
    const [r, s] = [corner - diagonal, before - diagonal];
    head = [
      (r * s - product) / at(start + 1, start) + at(start, start + 1),
      at(start + 1, start + 1) - diagonal - r - s,
      at(start + 2, start + 1),
    ];
    if (start === first) break;
    const left = at(start, start - 1) * (Math.abs(head[1]) + Math.abs(head[2]));
    const right = head[0] * (Math.abs(at(start - 1, start - 1)) + Math.abs(diagonal) + Math.abs(at(start + 1, start + 1)));
    if (Math.abs(left) < epsilon * right) break;
  }
  for (let k = start; k < last; k++) {
    const count = k === last - 1 ? 2 : 3;
    const reflection = reflectionOf(k === start ? head : Array.from({ length: count }, (_, i) => at(k + i, k - 1)));
    if (reflection.beta === 0) continue;
    if (k > start) t[k * n + k - 1] = reflection.beta;
    else if (k > first) t[k * n + k - 1] *= -1;
    reflectRows(t, n, reflection, k, k);
    reflectColumns(t, n, reflection, k, Math.min(last, k + 3) + 1);
    reflectColumns(q, n, reflection, k, n);
  }
  for (let i = start + 2; i <= last; i++) for (let j = Math.max(start, i - 3); j < i - 1; j++) t[i * n + j] = 0;
}

/** Splits the block of rows last - 1 and last in two, if its eigenvalues are real. */
function splitBlock({ n, q, t }: RealSchur, last: number): void {
  const half = (t[(last - 1) * n + last - 1] - t[last * n + last]) / 2;
  const square = half * half + t[last * n + last - 1] * t[(last - 1) * n + last];
  if (square < 0) return;
  const [x, y] = [half + (half >= 0 ? 1 : -1) * Math.sqrt(square), t[last * n + last - 1]];
  const length = Math.hypot(x, y);
  const [c, s] = length === 0 ? [1, 0] : [x / length, y / length];
  const turn = (a: Float64Array, p: number, r: number): void => {
    [a[p], a[r]] = [c * a[p] + s * a[r], c * a[r] - s * a[p]];
  };
  for (let j = last - 1; j < n; j++) turn(t, (last - 1) * n + j, last * n + j);
  for (let i = 0; i <= last; i++) turn(t, i * n + last - 1, i * n + last);
  for (let i = 0; i < n; i++) turn(q, i * n + last - 1, i * n + last);
  t[last * n + last - 1] = 0;
}

/** Undefined where the steps do not come to an end. */
function realSchurOf(n: number, elements: Float64Array): RealSchur | undefined {
  const scale = elements.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const form: RealSchur = { n, q: identity(n), t: elements.map(x => (scale === 0 ? x : x / scale)) };
  const { t } = form;
  toHessenberg(form);
  const norm = t.reduce((sum, x) => sum + Math.abs(x), 0);
  const nothing = norm * epsilon * epsilon;
  let shifted = 0;
  const shiftBy = (by: number, last: number): void => {
    shifted += by;
    for (let i = 0; i <= last; i++) t[i * n + i] -= by;
  };
  for (let last = n - 1, turns = 0, left = 40 * n; last >= 0; ) {
    const at = (i: number, j: number): number => t[i * n + j];
    let first = last;
    const isSmall = (k: number): boolean =>
      Math.abs(at(k, k - 1)) <= Math.max(epsilon * (Math.abs(at(k - 1, k - 1)) + Math.abs(at(k, k))), nothing);
    while (first > 0 && !isSmall(first)) first--;
    if (first >= last - 1) {
      const size = last - first + 1;
      for (let i = first; i <= last; i++) t[i * n + i] += shifted;
      if (size === 2) splitBlock(form, last);
      if (first > 0) t[first * n + first - 1] = 0;
      last -= size;
      turns = 0;
      continue;
    }
    let shifts: Shifts = [at(last, last), at(last - 1, last - 1), at(last, last - 1) * at(last - 1, last)];
    // Wilkinson's exceptional shifts.
    if (turns === 10) {
      shiftBy(shifts[0], last);
      const s = Math.abs(at(last, last - 1)) + Math.abs(at(last - 1, last - 2));
      shifts = [0.75 * s, 0.75 * s, -0.4375 * s * s];
    } else if (turns === 30) {
      const half = (shifts[1] - shifts[0]) / 2;
      const square = half * half + shifts[2];
      if (square > 0) {
        const root = (shifts[1] < shifts[0] ? -1 : 1) * Math.sqrt(square);
        shiftBy(shifts[0] - shifts[2] / (root + half), last);
        shifts = [0.964, 0.964, 0.964];
      }
    }
    turns++;
    if (left-- === 0) return undefined;
    francisStep(form, first, last, shifts);
  }
  for (let i = 0; i < t.length; i++) t[i] *= scale;
  return form;
}

/** Eigenvalues, and eigenvectors of length one as columns. NaN where the steps do not come to an end. */
export function realEigen(a: Matrix): { values: Matrix; vectors: Matrix } {
  const n = a.rows;
  const [values, vectors] = [matrixOf(n, 1), matrixOf(n, n)];
  const form = a.re.every(Number.isFinite) ? realSchurOf(n, a.re) : undefined;
  if (form === undefined) {
    values.re.fill(Number.NaN);
    vectors.re.fill(Number.NaN);
    return { values, vectors };
  }
  const { q, t } = form;
  /** What stands for a difference of equal eigenvalues. */
  const least = epsilon * (t.reduce((sum, value) => sum + Math.abs(value), 0) || 1);
  const put = (column: number, [re, im]: readonly [Float64Array, Float64Array], isConjugate: boolean): void => {
    let length = 0;
    const turned = [re, im].map(part => {
      const result = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += q[i * n + k] * part[k];
        result[i] = sum;
      }
      return result;
    });
    for (let i = 0; i < n; i++) length = Math.hypot(length, turned[0][i], turned[1][i]);
    for (let i = 0; i < n; i++) {
      vectors.re[i * n + column] = turned[0][i] / length;
      vectors.im[i * n + column] = ((isConjugate ? -1 : 1) * turned[1][i]) / length;
    }
  };
  for (let i = 0; i < n; i++) {
    if (i === n - 1 || t[(i + 1) * n + i] === 0) {
      values.re[i] = t[i * n + i];
      put(i, triangularVector({ ...form, least }, i, t[i * n + i], 0), false);
      continue;
    }
    const half = (t[i * n + i] - t[(i + 1) * n + i + 1]) / 2;
    const im = Math.sqrt(Math.abs(half * half + t[(i + 1) * n + i] * t[i * n + i + 1]));
    values.re[i] = values.re[i + 1] = t[(i + 1) * n + i + 1] + half;
    [values.im[i], values.im[i + 1]] = [im, -im];
    const vector = triangularVector({ ...form, least }, i + 1, values.re[i], im);
    put(i, vector, false);
    put(i + 1, vector, true);
    i++;
  }
  return { values, vectors };
}

type Complex = readonly [re: number, im: number];
const times = (a: Complex, b: Complex): Complex => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
function over(a: Complex, b: Complex): Complex {
  const square = b[0] * b[0] + b[1] * b[1];
  const [re, im] = times(a, [b[0], -b[1]]);
  return [re / square, im / square];
}

/** The eigenvector of T whose last element that is not zero is number `last`: 1, or i of a complex pair. */
function triangularVector(
  { n, t, least }: RealSchur & { readonly least: number },
  last: number,
  re: number,
  im: number,
): [re: Float64Array, im: Float64Array] {
  const x: [Float64Array, Float64Array] = [new Float64Array(n), new Float64Array(n)];
  const put = (i: number, value: Complex): void => void ([x[0][i], x[1][i]] = value);
  const safe = (d: Complex): Complex => (d[0] === 0 && d[1] === 0 ? [least, 0] : d);
  const shifted = (i: number): Complex => [t[i * n + i] - re, -im];
  /** What the known elements leave of row i, with the sign turned. */
  const rest = (i: number, from: number): Complex => {
    let [a, b] = [0, 0];
    for (let k = from; k <= last; k++) {
      a -= t[i * n + k] * x[0][k];
      b -= t[i * n + k] * x[1][k];
    }
    return [a, b];
  };
  let i = last - 1;
  if (im === 0) put(last, [1, 0]);
  else {
    put(last, [0, 1]);
    const [above, below] = [t[(last - 1) * n + last], t[last * n + last - 1]];
    put(
      last - 1,
      Math.abs(below) > Math.abs(above)
        ? over(times([t[last * n + last] - re, -im], [0, -1]), [below, 0])
        : over([0, -above], shifted(last - 1)),
    );
    i--;
  }
  for (; i >= 0; i--) {
    if (i === 0 || t[i * n + i - 1] === 0) {
      put(i, over(rest(i, i + 1), safe(shifted(i))));
      continue;
    }
    // Two rows at once, by Cramer's rule.
    const [b, c] = [t[(i - 1) * n + i], t[i * n + i - 1]];
    const [first, second] = [rest(i - 1, i + 1), rest(i, i + 1)];
    const product = times(shifted(i - 1), shifted(i));
    const determinant = safe([product[0] - b * c, product[1]]);
    const [p, q] = [times(first, shifted(i)), times(second, shifted(i - 1))];
    put(i - 1, over([p[0] - b * second[0], p[1] - b * second[1]], determinant));
    put(i, over([q[0] - c * first[0], q[1] - c * first[1]], determinant));
    i--;
  }
  return x;
}
