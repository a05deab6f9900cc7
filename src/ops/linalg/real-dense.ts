// Dense linear algebra on one real matrix, in float64: LU, Cholesky, QR, eigenvalues of symmetric matrices, singular values. The complex kin is dense.ts.
// Loops run along rows, which lie in memory one after the other; what a step does to many elements is a product of blocks. After Golub and Van Loan,
// Matrix Computations: 3.4 (LU in blocks), 5.2 (Householder's QR), 8.3 (symmetric QR steps), 8.6 (singular values).

import { InvalidArgumentError } from "../../base/errors.ts";

/** A row-major matrix. */
export interface RealMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

export const realMatrix = (rows: number, columns: number, data: Float64Array = new Float64Array(rows * columns)): RealMatrix => ({
  rows,
  columns,
  data,
});

export function realIdentity(n: number): RealMatrix {
  const result = realMatrix(n, n);
  for (let i = 0; i < n; i++) result.data[i * n + i] = 1;
  return result;
}

export function transposeOf({ rows, columns, data }: RealMatrix): RealMatrix {
  const result = realMatrix(columns, rows);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result.data[j * rows + i] = data[i * columns + j];
  return result;
}

const isFinite = ({ data }: RealMatrix): boolean => data.every(Number.isFinite);

const filled = (rows: number, columns: number, value: number): RealMatrix =>
  realMatrix(rows, columns, new Float64Array(rows * columns).fill(value));

/** A block of a matrix: its elements from `at` on, rows `stride` apart. */
interface Block {
  readonly data: Float64Array;
  readonly at: number;
  readonly stride: number;
}

/** C += sign·A·B for a block C of rows × columns. Two rows of C take four rows of B at a time, so that what is loaded is used more than once. */
function addProduct(c: Block, a: Block, b: Block, rows: number, columns: number, depth: number, sign: 1 | -1): void {
  const x = c.data;
  const y = a.data;
  const z = b.data;
  for (let k = 0; k < depth; k += 4) {
    const from = b.at + k * b.stride;
    const isWhole = k + 4 <= depth;
    for (let i = 0; i < rows; i += isWhole ? 2 : 1) {
      const to = c.at + i * c.stride;
      const factors = a.at + i * a.stride + k;
      if (!isWhole) for (let d = 0; d < depth - k; d++) addMultiple(x, to, sign * y[factors + d], z, from + d * b.stride, columns);
      else if (i + 1 < rows) addFourToTwo(x, to, c.stride, y, factors, a.stride, sign, z, from, b.stride, columns);
      else addFour(x, to, y, factors, sign, z, from, b.stride, columns);
    }
  }
}

function addMultiple(x: Float64Array, to: number, factor: number, z: Float64Array, from: number, count: number): void {
  for (let j = 0; j < count; j++) x[to + j] += factor * z[from + j];
}

function addFour(
  x: Float64Array,
  to: number,
  y: Float64Array,
  at: number,
  sign: number,
  z: Float64Array,
  from: number,
  stride: number,
  count: number,
): void {
  const p0 = sign * y[at];
  const p1 = sign * y[at + 1];
  const p2 = sign * y[at + 2];
  const p3 = sign * y[at + 3];
  const b1 = from + stride;
  const b2 = b1 + stride;
  const b3 = b2 + stride;
  for (let j = 0; j < count; j++) x[to + j] += p0 * z[from + j] + p1 * z[b1 + j] + p2 * z[b2 + j] + p3 * z[b3 + j];
}

function addFourToTwo(
  x: Float64Array,
  to: number,
  strideX: number,
  y: Float64Array,
  at: number,
  strideY: number,
  sign: number,
  z: Float64Array,
  from: number,
  stride: number,
  count: number,
): void {
  const p0 = sign * y[at];
  const p1 = sign * y[at + 1];
  const p2 = sign * y[at + 2];
  const p3 = sign * y[at + 3];
  const q0 = sign * y[at + strideY];
  const q1 = sign * y[at + strideY + 1];
  const q2 = sign * y[at + strideY + 2];
  const q3 = sign * y[at + strideY + 3];
  const b1 = from + stride;
  const b2 = b1 + stride;
  const b3 = b2 + stride;
  const second = to + strideX;
  for (let j = 0; j < count; j++) {
    const z0 = z[from + j];
    const z1 = z[b1 + j];
    const z2 = z[b2 + j];
    const z3 = z[b3 + j];
    x[to + j] += p0 * z0 + p1 * z1 + p2 * z2 + p3 * z3;
    x[second + j] += q0 * z0 + q1 * z1 + q2 * z2 + q3 * z3;
  }
}

const whole = ({ data, columns }: RealMatrix): Block => ({ data, at: 0, stride: columns });

export function realProduct(a: RealMatrix, b: RealMatrix): RealMatrix {
  const result = realMatrix(a.rows, b.columns);
  addProduct(whole(result), whole(a), whole(b), a.rows, b.columns, a.columns, 1);
  return result;
}

/** Rows and columns that are factored or solved by themselves before the rest is brought up to date. */
const panel = 32;

// ---- LU ----

/** P·A = L·U: L (unit diagonal) below the diagonal of `lu`, U on and above it; `rows[i]` is the row of A that came to row i. */
export interface RealFactors {
  readonly lu: RealMatrix;
  readonly rows: readonly number[];
  /** 1 or -1: the sign of the permutation. */
  readonly sign: number;
}

export function realLu(a: RealMatrix): RealFactors {
  const n = a.rows;
  const data = a.data.slice();
  const rows = Array.from({ length: n }, (_, i) => i);
  let sign = 1;
  const block = (i: number, j: number): Block => ({ data, at: i * n + j, stride: n });
  for (let start = 0; start < n; start += panel) {
    const end = Math.min(start + panel, n);
    for (let k = start; k < end; k++) {
      let pivot = k;
      for (let i = k + 1; i < n; i++) if (Math.abs(data[i * n + k]) > Math.abs(data[pivot * n + k])) pivot = i;
      if (pivot !== k) {
        const row = data.slice(k * n, (k + 1) * n);
        data.copyWithin(k * n, pivot * n, (pivot + 1) * n);
        data.set(row, pivot * n);
        [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
        sign = -sign;
      }
      const diagonal = data[k * n + k];
      if (diagonal === 0) continue;
      for (let i = k + 1; i < n; i++) {
        const factor = data[i * n + k] / diagonal;
        data[i * n + k] = factor;
        for (let j = k + 1; j < end; j++) data[i * n + j] -= factor * data[k * n + j];
      }
    }
    for (let k = start + 1; k < end; k++) addProduct(block(k, end), block(k, start), block(start, end), 1, n - end, k - start, -1);
    addProduct(block(end, end), block(end, start), block(start, end), n - end, n - end, end - start, -1);
  }
  return { lu: realMatrix(n, n, data), rows, sign };
}

/** The least size on the diagonal. As Eigen's, it is NaN only where the first is: such matrices are not told from regular ones. */
function leastPivot({ rows, data }: RealMatrix): number {
  let least = Math.abs(data[0]);
  for (let i = 1; i < rows; i++) {
    const size = Math.abs(data[i * rows + i]);
    if (size < least) least = size;
  }
  return least;
}

/** X with A·X = B. @throws InvalidArgumentError with `complaint` if A is singular; without one X is NaN then. */
export function realSolve(a: RealMatrix, b: RealMatrix, complaint?: string): RealMatrix {
  const { lu, rows } = realLu(a);
  if (a.rows > 0 && !(leastPivot(lu) > 0)) {
    if (complaint !== undefined) throw new InvalidArgumentError(complaint);
    return filled(b.rows, b.columns, Number.NaN);
  }
  const x = realMatrix(b.rows, b.columns);
  rows.forEach((from, to) => void x.data.set(b.data.subarray(from * b.columns, (from + 1) * b.columns), to * b.columns));
  substitute(lu, x, true, true);
  substitute(lu, x, false, false);
  return x;
}

/** Solves a triangular system in place; `isUnit`: the diagonal is taken as ones. */
function substitute({ rows: n, data: a }: RealMatrix, { columns, data: x }: RealMatrix, isLower: boolean, isUnit: boolean): void {
  const ofA = (i: number, j: number): Block => ({ data: a, at: i * n + j, stride: n });
  const ofX = (i: number): Block => ({ data: x, at: i * columns, stride: columns });
  for (let done = 0; done < n; done += panel) {
    const count = Math.min(panel, n - done);
    const start = isLower ? done : n - done - count;
    const end = start + count;
    // What the rows solved so far say of these, then these from the first solved to the last.
    const [from, to] = isLower ? [0, start] : [end, n];
    addProduct(ofX(start), ofA(start, from), ofX(from), count, columns, to - from, -1);
    for (let step = 0; step < count; step++) {
      const i = isLower ? start + step : end - 1 - step;
      const [first, last] = isLower ? [start, i] : [i + 1, end];
      addProduct(ofX(i), ofA(i, first), ofX(first), 1, columns, last - first, -1);
      const diagonal = a[i * n + i];
      if (!isUnit) for (let j = i * columns; j < (i + 1) * columns; j++) x[j] /= diagonal;
    }
  }
}

/** X with A·X = B for a triangular A; a zero on the diagonal divides as IEEE says. */
export function realSolveTriangular(a: RealMatrix, b: RealMatrix, isLower: boolean): RealMatrix {
  const x = realMatrix(b.rows, b.columns, b.data.slice());
  substitute(a, x, isLower, false);
  return x;
}

/** The determinant's sign and the logarithm of its size. */
export function realDeterminant(a: RealMatrix): { sign: number; logSize: number } {
  const { lu, sign } = realLu(a);
  let [product, logSize] = [sign, 0];
  for (let i = 0; i < a.rows; i++) {
    const pivot = lu.data[i * a.rows + i];
    if (pivot === 0) return { sign: 0, logSize: Number.NEGATIVE_INFINITY };
    product *= Math.sign(pivot);
    logSize += Math.log(Math.abs(pivot));
  }
  return { sign: product, logSize };
}

// ---- Cholesky ----

/** The lower triangle L with A = L·Lᵀ; only the lower triangle of A is read. Unless A is positive definite L is `unknown`. */
export function realCholesky(a: RealMatrix, unknown = Number.NaN): RealMatrix {
  const n = a.rows;
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = i * n;
    for (let j = 0; j < i; j += 4) {
      // Four elements share the loads of their row as far as all its elements are known.
      const [r0, r1, r2, r3] = [j * n, Math.min(j + 1, i) * n, Math.min(j + 2, i) * n, Math.min(j + 3, i) * n];
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let k = 0; k < j; k++) {
        const x = l[row + k];
        s0 += x * l[r0 + k];
        s1 += x * l[r1 + k];
        s2 += x * l[r2 + k];
        s3 += x * l[r3 + k];
      }
      const sums = [s0, s1, s2, s3];
      for (let c = j; c < Math.min(j + 4, i); c++) {
        let rest = a.data[row + c] - sums[c - j];
        for (let k = j; k < c; k++) rest -= l[row + k] * l[c * n + k];
        l[row + c] = rest / l[c * n + c];
      }
    }
    let diagonal = a.data[row + i];
    for (let k = 0; k < i; k++) diagonal -= l[row + k] * l[row + k];
    if (diagonal <= 0) return lowerOf(n, unknown);
    l[row + i] = Math.sqrt(diagonal);
  }
  return realMatrix(n, n, l);
}

function lowerOf(n: number, value: number): RealMatrix {
  const l = realMatrix(n, n);
  for (let i = 0; i < n; i++) l.data.fill(value, i * n, i * n + i + 1);
  return l;
}

// ---- reflections ----

/** Length of x[from] … x[to - 1]. */
function lengthOf(x: Float64Array, from: number, to: number): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += x[i] * x[i];
  if (sum > 1e-280 && sum < Infinity) return Math.sqrt(sum);
  let length = 0;
  for (let i = from; i < to; i++) length = Math.hypot(length, x[i]);
  return length;
}

/** I - τ·v·vᵀ that takes x[from] … x[to - 1] to (β, 0 …): LAPACK's larfg. v, with 1 as its first, takes the place of x; τ is 0 where nothing is to do. */
function reflector(x: Float64Array, from: number, to: number): { tau: number; beta: number } {
  const alpha = x[from];
  const tail = lengthOf(x, from + 1, to);
  x[from] = 1;
  if (tail === 0) return { tau: 0, beta: alpha };
  const beta = (alpha >= 0 ? -1 : 1) * Math.hypot(alpha, tail);
  for (let i = from + 1; i < to; i++) x[i] /= alpha - beta;
  return { tau: (beta - alpha) / beta, beta };
}

/** Reflects `count` vectors that lie one after the other, `length` apart, from the element at `at` of each on: by v[from] … v[to - 1]. */
function reflectVectors(
  vectors: Float64Array,
  at: number,
  length: number,
  count: number,
  v: Float64Array,
  from: number,
  to: number,
  tau: number,
): void {
  if (tau === 0) return;
  const size = to - from;
  for (let j = 0; j < count; j++) {
    const x = at + j * length;
    // Two sums at once: one would wait for itself.
    let [even, odd] = [0, 0];
    let i = 0;
    for (; i + 1 < size; i += 2) {
      even += v[from + i] * vectors[x + i];
      odd += v[from + i + 1] * vectors[x + i + 1];
    }
    if (i < size) even += v[from + i] * vectors[x + i];
    const sum = tau * (even + odd);
    for (let k = 0; k < size; k++) vectors[x + k] -= sum * v[from + k];
  }
}

/** The product of reflections, as `count` vectors of its columns one after the other: number k reflects elements first + k and on, by row k of `v`. */
function reflected(v: Float64Array, taus: Float64Array, length: number, count: number, first: number): Float64Array {
  const q = new Float64Array(count * length);
  for (let j = 0; j < count; j++) q[j * length + j] = 1;
  for (let k = taus.length - 1; k >= 0; k--) {
    const from = first + k;
    if (from < count) reflectVectors(q, from * length + from, length, count - from, v, k * length + from, (k + 1) * length, taus[k]);
  }
  return q;
}

// ---- QR ----

/** A = Q·R by Householder reflections, with the signs LAPACK and Eigen give; `full`: Q is square. */
export function realQr(a: RealMatrix, full: boolean): { q: RealMatrix; r: RealMatrix } {
  const { rows: m, columns: n } = a;
  const steps = Math.min(m, n);
  const columns = transposeOf(a).data;
  const [taus, diagonal] = [new Float64Array(steps), new Float64Array(steps)];
  for (let k = 0; k < steps; k++) {
    const [from, to] = [k * m + k, (k + 1) * m];
    ({ tau: taus[k], beta: diagonal[k] } = reflector(columns, from, to));
    reflectVectors(columns, from + m, m, n - k - 1, columns, from, to, taus[k]);
  }
  const p = full ? m : steps;
  const r = realMatrix(p, n);
  for (let i = 0; i < steps; i++) {
    r.data[i * n + i] = diagonal[i];
    for (let j = i + 1; j < n; j++) r.data[i * n + j] = columns[j * m + i];
  }
  return { q: transposeOf(realMatrix(p, m, reflected(columns, taus, m, p, 0))), r };
}

// ---- rotations ----

/** Rows p and q (where they begin) := (c·p + s·q, c·q - s·p). */
function rotate(x: Float64Array, p: number, q: number, length: number, c: number, s: number): void {
  for (let k = 0; k < length; k++) {
    const a = x[p + k];
    const b = x[q + k];
    x[p + k] = c * a + s * b;
    x[q + k] = c * b - s * a;
  }
}

/** Vectors as columns, in another order. */
function columnsInOrder(vectors: Float64Array, length: number, order: readonly number[]): RealMatrix {
  const result = realMatrix(length, order.length);
  order.forEach((from, to) => {
    for (let i = 0; i < length; i++) result.data[i * order.length + to] = vectors[from * length + i];
  });
  return result;
}

/** The power of two that brings the largest element near one: dividing by it is exact. */
function scaleOf(data: Float64Array): number {
  let most = 0;
  for (const x of data) most = Math.max(most, Math.abs(x));
  return most === 0 ? 1 : 2 ** Math.max(Math.floor(Math.log2(most)), -1000);
}

const epsilon = Number.EPSILON;

// ---- eigenvalues of symmetric matrices ----

/** Eigenvalues (ascending) and eigenvectors (columns) of a symmetric matrix of which the lower triangle is read. */
export function symmetricEigen(given: RealMatrix, withVectors: boolean): { values: Float64Array; vectors: RealMatrix } {
  if (!isFinite(given))
    throw new InvalidArgumentError("Self-adjoint eigen decomposition was not successful. The input might not be valid.");
  const n = given.rows;
  const scale = scaleOf(given.data);
  const { diagonal, beside, v, taus } = tridiagonalOf(given, scale);
  const vectors = withVectors ? reflected(v, taus, n, n, 1) : new Float64Array(0);
  symmetricSteps(diagonal, beside, vectors);
  const order = Array.from(diagonal.keys()).sort((i, j) => diagonal[i] - diagonal[j]);
  return { values: Float64Array.from(order, i => diagonal[i] * scale), vectors: columnsInOrder(vectors, n, withVectors ? order : []) };
}

/** A/scale = Q·T·Qᵀ with a tridiagonal T; Q is a product of reflections, whose vectors are the rows of v. */
function tridiagonalOf({ rows: n, data }: RealMatrix, scale: number) {
  const a = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) a[i * n + j] = a[j * n + i] = data[i * n + j] / scale;
  const [diagonal, beside, taus] = [new Float64Array(n), new Float64Array(n), new Float64Array(Math.max(n - 2, 0))];
  const w = new Float64Array(n);
  for (let k = 0; k < taus.length; k++) {
    // Row k becomes the vector; the rest A := (I - τvvᵀ)·A·(I - τvvᵀ) = A - v·wᵀ - w·vᵀ.
    const row = k * n;
    diagonal[k] = a[row + k];
    ({ tau: taus[k], beta: beside[k] } = reflector(a, row + k + 1, row + n));
    const tau = taus[k];
    if (tau === 0) continue;
    let along = 0;
    for (let i = k + 1; i < n; i++) {
      let [even, odd] = [0, 0];
      let j = k + 1;
      for (; j + 1 < n; j += 2) {
        even += a[i * n + j] * a[row + j];
        odd += a[i * n + j + 1] * a[row + j + 1];
      }
      if (j < n) even += a[i * n + j] * a[row + j];
      w[i] = tau * (even + odd);
      along += w[i] * a[row + i];
    }
    for (let i = k + 1; i < n; i++) w[i] -= (tau / 2) * along * a[row + i];
    for (let i = k + 1; i < n; i++) {
      const [x, y] = [a[row + i], w[i]];
      for (let j = k + 1; j < n; j++) a[i * n + j] -= x * w[j] + y * a[row + j];
    }
  }
  for (let k = taus.length; k < n; k++) {
    diagonal[k] = a[k * n + k];
    if (k + 1 < n) beside[k] = a[k * n + k + 1];
  }
  return { diagonal, beside, v: a, taus };
}

/** QL steps with Wilkinson's shift until nothing is left beside the diagonal; the rows of `vectors` (if there are any) are turned along. */
function symmetricSteps(d: Float64Array, e: Float64Array, vectors: Float64Array): void {
  const n = d.length;
  const isNothing = (k: number): boolean => Math.abs(e[k]) <= epsilon * (Math.abs(d[k]) + Math.abs(d[k + 1])) || Math.abs(e[k]) < 1e-290;
  for (let first = 0, left = 60 * n; first < n && left > 0; left--) {
    let last = first;
    while (last + 1 < n && !isNothing(last)) last++;
    if (last === first) {
      first++;
      continue;
    }
    const half = (d[first + 1] - d[first]) / (2 * e[first]);
    let g = d[last] - d[first] + e[first] / (half + (half >= 0 ? 1 : -1) * Math.hypot(half, 1));
    let [s, c, p] = [1, 1, 0];
    let i = last - 1;
    for (; i >= first; i--) {
      const [f, b] = [s * e[i], c * e[i]];
      const r = Math.sqrt(f * f + g * g);
      e[i + 1] = r;
      if (r === 0) {
        d[i + 1] -= p;
        break;
      }
      [s, c] = [f / r, g / r];
      g = d[i + 1] - p;
      const t = (d[i] - g) * s + 2 * c * b;
      p = s * t;
      d[i + 1] = g + p;
      g = c * t - b;
      if (vectors.length > 0) rotate(vectors, (i + 1) * n, i * n, n, c, s);
    }
    if (i < first) {
      d[first] -= p;
      e[first] = g;
    }
    e[last] = 0;
  }
}

// ---- singular values ----

/** A = U·diag(s)·Vᵀ with s descending; `full`: U and V are square. Without vectors U and V have no columns. */
export function realSvd(
  a: RealMatrix,
  full: boolean,
  withVectors = true,
  unknown = Number.NaN,
): { s: Float64Array; u: RealMatrix; v: RealMatrix } {
  if (a.rows < a.columns) {
    const { s, u, v } = realSvd(transposeOf(a), full, withVectors, unknown);
    return { s, u: v, v: u };
  }
  const { rows: m, columns: n } = a;
  const count = full ? m : n;
  if (!isFinite(a)) return { s: new Float64Array(n).fill(unknown), u: filled(m, count, unknown), v: filled(n, n, unknown) };
  const scale = scaleOf(a.data);
  const { diagonal, above, left, right, leftTaus, rightTaus } = bidiagonalOf(a, scale);
  const u = withVectors ? reflected(left, leftTaus, m, count, 0) : new Float64Array(0);
  const v = withVectors ? reflected(right, rightTaus, n, n, 1) : new Float64Array(0);
  bidiagonalSteps(diagonal, above, u, m, v);
  const order = Array.from(diagonal.keys()).sort((i, j) => diagonal[j] - diagonal[i]);
  const rest = Array.from({ length: count - n }, (_, k) => n + k);
  return {
    s: Float64Array.from(order, i => diagonal[i] * scale),
    u: columnsInOrder(u, m, withVectors ? [...order, ...rest] : []),
    v: columnsInOrder(v, n, withVectors ? order : []),
  };
}

/** A/scale = U·B·Vᵀ with B on the diagonal and the one above it; U and V are products of reflections, whose vectors are the rows of left and right. */
function bidiagonalOf({ rows: m, columns: n, data }: RealMatrix, scale: number) {
  const a = data.map(x => x / scale);
  const [diagonal, above] = [new Float64Array(n), new Float64Array(n)];
  const [left, right] = [new Float64Array(n * m), new Float64Array(Math.max(n - 2, 0) * n)];
  const [leftTaus, rightTaus] = [new Float64Array(n), new Float64Array(Math.max(n - 2, 0))];
  const sums = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    const [from, to] = [k * m + k, (k + 1) * m];
    for (let i = k; i < m; i++) left[k * m + i] = a[i * n + k];
    ({ tau: leftTaus[k], beta: diagonal[k] } = reflector(left, from, to));
    // From the left along rows: all sums first.
    if (leftTaus[k] !== 0 && k + 1 < n) {
      sums.fill(0, k + 1);
      addProduct(
        { data: sums, at: k + 1, stride: n },
        { data: left, at: from, stride: m },
        { data: a, at: k * n + k + 1, stride: n },
        1,
        n - k - 1,
        m - k,
        1,
      );
      for (let i = k; i < m; i++) {
        const factor = leftTaus[k] * left[k * m + i];
        for (let j = k + 1; j < n; j++) a[i * n + j] -= factor * sums[j];
      }
    }
    if (k + 2 < n) {
      right.set(a.subarray(k * n + k + 1, (k + 1) * n), k * n + k + 1);
      ({ tau: rightTaus[k], beta: above[k] } = reflector(right, k * n + k + 1, (k + 1) * n));
      reflectVectors(a, (k + 1) * n + k + 1, n, m - k - 1, right, k * n + k + 1, (k + 1) * n, rightTaus[k]);
    } else if (k + 1 < n) above[k] = a[k * n + k + 1];
  }
  return { diagonal, above, left, right, leftTaus, rightTaus };
}

/** Golub and Kahan's QR steps until nothing is left above the diagonal, which becomes positive; rows of u and v (if there are any) are turned along. */
function bidiagonalSteps(d: Float64Array, e: Float64Array, u: Float64Array, m: number, v: Float64Array): void {
  const n = d.length;
  const turnLeft = (p: number, q: number, c: number, s: number): void => {
    if (u.length > 0) rotate(u, p * m, q * m, m, c, s);
  };
  const turnRight = (p: number, q: number, c: number, s: number): void => {
    if (v.length > 0) rotate(v, p * n, q * n, n, c, s);
  };
  let norm = 0;
  for (let k = 0; k < n; k++) norm = Math.max(norm, Math.abs(d[k]) + Math.abs(e[k]));
  const nothing = norm * epsilon * 2 ** -10;
  for (let last = n - 1, left = 60 * n; last >= 0; ) {
    let first = last;
    while (
      first > 0 &&
      !(Math.abs(e[first - 1]) <= epsilon * (Math.abs(d[first - 1]) + Math.abs(d[first])) || Math.abs(e[first - 1]) < 1e-290)
    )
      first--;
    if (first > 0) e[first - 1] = 0;
    if (first === last || left-- <= 0) {
      if (d[last] < 0 || Object.is(d[last], -0)) {
        d[last] = -d[last];
        for (let i = last * m; i < Math.min((last + 1) * m, u.length); i++) u[i] = -u[i];
      }
      last--;
      continue;
    }
    let zero = last;
    while (zero >= first && Math.abs(d[zero]) > nothing) zero--;
    if (zero >= first) {
      d[zero] = 0;
      clearBeside(d, e, zero, first, last, turnLeft, turnRight);
      continue;
    }
    // The eigenvalue of the last two rows and columns of BᵀB that is nearer the corner.
    const [a, b, c] = [d[last - 1], d[last], last - 1 > first ? e[last - 2] : 0];
    const f = e[last - 1];
    const delta = ((a - b) * (a + b) + (c - f) * (c + f)) / 2;
    const cross = a * f;
    const shift = cross === 0 ? 0 : (cross / (delta + (delta >= 0 ? 1 : -1) * Math.hypot(delta, cross))) * cross;
    let x = ((d[first] - b) * (d[first] + b) - f * f + shift) / d[first];
    let y = e[first];
    for (let k = first; k < last; k++) {
      let r = Math.hypot(x, y);
      let [co, si] = r === 0 ? [1, 0] : [x / r, y / r];
      if (k > first) e[k - 1] = r;
      x = co * d[k] + si * e[k];
      e[k] = co * e[k] - si * d[k];
      y = si * d[k + 1];
      d[k + 1] *= co;
      turnRight(k, k + 1, co, si);
      r = Math.hypot(x, y);
      [co, si] = r === 0 ? [1, 0] : [x / r, y / r];
      d[k] = r;
      x = co * e[k] + si * d[k + 1];
      d[k + 1] = co * d[k + 1] - si * e[k];
      turnLeft(k, k + 1, co, si);
      if (k + 1 < last) {
        y = si * e[k + 1];
        e[k + 1] *= co;
      }
    }
    e[last - 1] = x;
  }
}

type Turn = (p: number, q: number, c: number, s: number) => void;

/** Where the diagonal is zero its row, or the last column, can be made zero: the matrix falls apart there. */
function clearBeside(d: Float64Array, e: Float64Array, zero: number, first: number, last: number, turnLeft: Turn, turnRight: Turn): void {
  if (zero < last) {
    let f = e[zero];
    e[zero] = 0;
    for (let k = zero + 1; k <= last && f !== 0; k++) {
      const r = Math.hypot(d[k], f);
      const [c, s] = [d[k] / r, f / r];
      d[k] = r;
      f = k < last ? -s * e[k] : 0;
      if (k < last) e[k] *= c;
      turnLeft(k, zero, c, s);
    }
    return;
  }
  let f = e[last - 1];
  e[last - 1] = 0;
  for (let k = last - 1; k >= first && f !== 0; k--) {
    const r = Math.hypot(d[k], f);
    const [c, s] = [d[k] / r, f / r];
    d[k] = r;
    f = k > first ? -s * e[k - 1] : 0;
    if (k > first) e[k - 1] *= c;
    turnRight(k, last, c, s);
  }
}
