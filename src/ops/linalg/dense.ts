// Linear algebra on one complex matrix in float64: LU, Cholesky, QR, eigenvalues, singular values; systems of bands, of real numbers too. Other real matrices
// are real-dense.ts. Nothing here knows tensors. After Golub and Van Loan, Matrix Computations.

import { InvalidArgumentError } from "../../base/errors.ts";

/** A row-major complex matrix. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly re: Float64Array;
  readonly im: Float64Array;
}

export const matrixOf = (rows: number, columns: number): Matrix => ({
  rows,
  columns,
  re: new Float64Array(rows * columns),
  im: new Float64Array(rows * columns),
});

export function identityMatrix(n: number): Matrix {
  const result = matrixOf(n, n);
  for (let i = 0; i < n; i++) result.re[i * n + i] = 1;
  return result;
}

const copyOf = (a: Matrix): Matrix => ({ ...a, re: a.re.slice(), im: a.im.slice() });

/** The conjugate transpose. */
export function adjointOf(a: Matrix): Matrix {
  const result = matrixOf(a.columns, a.rows);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < a.columns; j++) {
      result.re[j * a.rows + i] = a.re[i * a.columns + j];
      result.im[j * a.rows + i] = -a.im[i * a.columns + j];
    }
  }
  return result;
}

export function product(a: Matrix, b: Matrix): Matrix {
  const result = matrixOf(a.rows, b.columns);
  for (let i = 0; i < a.rows; i++)
    for (let k = 0; k < a.columns; k++) addProducts(result, i * b.columns, a, i * a.columns + k, b, k * b.columns, b.columns, 1);
  return result;
}

function filled(rows: number, columns: number, value: number): Matrix {
  const result = matrixOf(rows, columns);
  result.re.fill(value);
  return result;
}

const isFinite = ({ re, im }: Matrix): boolean => re.every(Number.isFinite) && im.every(Number.isFinite);

/** to[i + c] += sign · a[j] · b[k + c] for `count` elements in a row. */
function addProducts(to: Matrix, i: number, a: Matrix, j: number, b: Matrix, k: number, count: number, sign: number): void {
  const re = sign * a.re[j];
  const im = sign * a.im[j];
  const toRe = to.re;
  const toIm = to.im;
  const bRe = b.re;
  const bIm = b.im;
  for (let c = 0; c < count; c++) {
    const x = bRe[k + c];
    const y = bIm[k + c];
    toRe[i + c] += re * x;
    // What is real stays so, be it infinite.
    if (im === 0 && y === 0) continue;
    toRe[i + c] -= im * y;
    toIm[i + c] += re * y + im * x;
  }
}

/** to[i] /= by[k] */
function divideBy(to: Matrix, i: number, by: Matrix, k: number): void {
  const [c, d] = [by.re[k], by.im[k]];
  const [a, b] = [to.re[i], to.im[i]];
  if (d === 0) {
    to.re[i] = a / c;
    to.im[i] = b === 0 && c !== 0 ? 0 : b / c;
    return;
  }
  const norm = c * c + d * d;
  to.re[i] = (a * c + b * d) / norm;
  to.im[i] = (b * c - a * d) / norm;
}

function swapRows(a: Matrix, i: number, j: number): void {
  if (i === j) return;
  for (const part of [a.re, a.im]) {
    const row = part.slice(i * a.columns, (i + 1) * a.columns);
    part.copyWithin(i * a.columns, j * a.columns, (j + 1) * a.columns);
    part.set(row, j * a.columns);
  }
}

// ---- LU ----

/** P·A = L·U: L (unit diagonal) below the diagonal of `lu`, U on and above it; `rows[i]` is the row of A that came to row i. */
export interface Factors {
  readonly lu: Matrix;
  readonly rows: readonly number[];
  /** 1 or -1: the sign of the permutation. */
  readonly sign: number;
}

export function luOf(a: Matrix): Factors {
  const lu = copyOf(a);
  const n = a.rows;
  const rows = Array.from({ length: n }, (_, i) => i);
  let sign = 1;
  for (let k = 0; k < n; k++) {
    let pivot = k;
    const size = (i: number): number => Math.hypot(lu.re[i * n + k], lu.im[i * n + k]);
    for (let i = k + 1; i < n; i++) if (size(i) > size(pivot)) pivot = i;
    if (pivot !== k) {
      swapRows(lu, k, pivot);
      [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
      sign = -sign;
    }
    if (size(k) === 0) continue;
    for (let i = k + 1; i < n; i++) {
      divideBy(lu, i * n + k, lu, k * n + k);
      addProducts(lu, i * n + k + 1, lu, i * n + k, lu, k * n + k + 1, n - k - 1, -1);
    }
  }
  return { lu, rows, sign };
}

const sizeAt = (a: Matrix, i: number): number => Math.hypot(a.re[i], a.im[i]);

/** The least size on the diagonal. As Eigen's, it is NaN only where the first is: such matrices are not told from regular ones. */
function leastPivot(lu: Matrix): number {
  let least = sizeAt(lu, 0);
  for (let i = 1; i < lu.rows; i++) {
    const size = sizeAt(lu, i * lu.rows + i);
    if (size < least) least = size;
  }
  return least;
}

/** X with A·X = B. @throws InvalidArgumentError with `complaint` if A is singular; without one X is NaN then. */
export function solve(a: Matrix, b: Matrix, complaint?: string): Matrix {
  const { lu, rows } = luOf(a);
  const n = a.rows;
  const x = matrixOf(b.rows, b.columns);
  if (n > 0 && !(leastPivot(lu) > 0)) {
    if (complaint !== undefined) throw new InvalidArgumentError(complaint);
    return filled(b.rows, b.columns, Number.NaN);
  }
  rows.forEach((from, to) => {
    x.re.set(b.re.subarray(from * b.columns, (from + 1) * b.columns), to * b.columns);
    x.im.set(b.im.subarray(from * b.columns, (from + 1) * b.columns), to * b.columns);
  });
  substitute(lu, x, true, true);
  substitute(lu, x, false, false);
  return x;
}

/** Solves a triangular system in place; `isUnit`: the diagonal is taken as ones. */
function substitute(a: Matrix, x: Matrix, isLower: boolean, isUnit: boolean): void {
  const n = a.rows;
  for (let step = 0; step < n; step++) {
    const i = isLower ? step : n - 1 - step;
    for (let k = isLower ? 0 : i + 1; k < (isLower ? i : n); k++)
      addProducts(x, i * x.columns, a, i * n + k, x, k * x.columns, x.columns, -1);
    if (!isUnit) for (let j = 0; j < x.columns; j++) divideBy(x, i * x.columns + j, a, i * n + i);
  }
}

/** X with A·X = B for a triangular A; a zero on the diagonal divides as IEEE says. */
export function solveTriangular(a: Matrix, b: Matrix, isLower: boolean): Matrix {
  const x = copyOf(b);
  substitute(a, x, isLower, false);
  return x;
}

/** X with A·X = B for a tridiagonal A, `d` having rows [superdiagonal, diagonal, subdiagonal]; NaN if A is singular. */
export function solveTridiagonal(d: Matrix, b: Matrix): Matrix {
  const n = d.columns;
  const x = copyOf(b);
  // Row k: the elements in columns k to k + 2 once rows are exchanged; those of the row below still begin there, too.
  const u = matrixOf(n, 3);
  const put = (row: number, column: number, from: number): void => {
    u.re[3 * row + column] = d.re[from];
    u.im[3 * row + column] = d.im[from];
  };
  for (let i = 0; i < n; i++) {
    const shift = i === 0 ? 0 : 1;
    if (i > 0) put(i, 0, 2 * n + i);
    put(i, shift, n + i);
    if (i + 1 < n) put(i, shift + 1, i);
  }
  let isSingular = false;
  for (let k = 0; k < n; k++) {
    const [own, next] = [3 * k, 3 * k + 3];
    if (k + 1 < n) {
      // As TensorFlow's: what is not a number goes up, too.
      if (!(sizeAt(u, own) >= sizeAt(u, next))) for (const rows of [u, x]) swapRows(rows, k, k + 1);
      if (sizeAt(u, own) !== 0) {
        divideBy(u, next, u, own);
        addProducts(u, next + 1, u, next, u, own + 1, 2, -1);
        addProducts(x, (k + 1) * x.columns, u, next, x, k * x.columns, x.columns, -1);
      }
      for (const part of [u.re, u.im]) {
        part.copyWithin(next, next + 1, next + 3);
        part[next + 2] = 0;
      }
    }
    isSingular ||= sizeAt(u, own) === 0;
  }
  if (isSingular) return filled(b.rows, b.columns, Number.NaN);
  for (let i = n - 1; i >= 0; i--) {
    for (let away = 1; away < Math.min(3, n - i); away++)
      addProducts(x, i * x.columns, u, 3 * i + away, x, (i + away) * x.columns, x.columns, -1);
    for (let j = 0; j < x.columns; j++) divideBy(x, i * x.columns + j, u, 3 * i);
  }
  return x;
}

/** X with A·X = B, or with Aᴴ·X, for a triangular A whose diagonals are the rows of `bands`: of a lower one the main diagonal first, of an upper one last. */
export function solveBanded(bands: Matrix, b: Matrix, isLower: boolean, isAdjoint: boolean): Matrix {
  const n = bands.columns;
  const x = copyOf(b);
  const forward = isLower !== isAdjoint;
  for (let step = 0; step < n; step++) {
    const i = forward ? step : n - 1 - step;
    const element = matrixOf(1, 1);
    const take = (away: number): void => {
      const from = (isLower ? away : bands.rows - 1 - away) * n + (isAdjoint ? (isLower ? i + away : i - away) : i);
      [element.re[0], element.im[0]] = [bands.re[from], isAdjoint ? -bands.im[from] : bands.im[from]];
    };
    for (let away = Math.min(bands.rows - 1, step); away > 0; away--) {
      take(away);
      addProducts(x, i * x.columns, element, 0, x, (forward ? i - away : i + away) * x.columns, x.columns, -1);
    }
    take(0);
    for (let j = 0; j < x.columns; j++) divideBy(x, i * x.columns + j, element, 0);
  }
  return x;
}

/** The determinant as a unit number and the logarithm of its size. */
export function determinantOf(a: Matrix): { sign: readonly [re: number, im: number]; logSize: number } {
  const { lu, sign } = luOf(a);
  let [re, im, logSize] = [sign, 0, 0];
  for (let i = 0; i < a.rows; i++) {
    const [x, y] = [lu.re[i * a.rows + i], lu.im[i * a.rows + i]];
    const size = Math.hypot(x, y);
    if (size === 0) return { sign: [0, 0], logSize: Number.NEGATIVE_INFINITY };
    [re, im] = [(re * x - im * y) / size, (re * y + im * x) / size];
    logSize += Math.log(size);
  }
  return { sign: [re, im], logSize };
}

// ---- Cholesky ----

/** The lower triangle L with A = L·Lᴴ; only the lower triangle of A is read. Unless A is positive definite L is `unknown`. */
export function choleskyOf(a: Matrix, unknown = Number.NaN): Matrix {
  const n = a.rows;
  const l = matrixOf(n, n);
  for (let j = 0; j < n; j++) {
    let diagonal = a.re[j * n + j];
    for (let k = 0; k < j; k++) diagonal -= l.re[j * n + k] ** 2 + l.im[j * n + k] ** 2;
    if (diagonal <= 0) return lowerOf(n, unknown);
    const root = Math.sqrt(diagonal);
    l.re[j * n + j] = root;
    for (let i = j + 1; i < n; i++) {
      let [re, im] = [a.re[i * n + j], a.im[i * n + j]];
      for (let k = 0; k < j; k++) {
        const [p, q] = [i * n + k, j * n + k];
        re -= l.re[p] * l.re[q] + l.im[p] * l.im[q];
        im -= l.im[p] * l.re[q] - l.re[p] * l.im[q];
      }
      l.re[i * n + j] = re / root;
      l.im[i * n + j] = im / root;
    }
  }
  return l;
}

function lowerOf(n: number, value: number): Matrix {
  const l = matrixOf(n, n);
  for (let i = 0; i < n; i++) l.re.fill(value, i * n, i * n + i + 1);
  return l;
}

// ---- QR ----

/** A = Q·R by Householder reflections, with the signs LAPACK and Eigen give; `full`: Q is square. */
export function qrOf(a: Matrix, full: boolean): { q: Matrix; r: Matrix } {
  const { rows: m, columns: n } = a;
  const work = copyOf(a);
  const q = identityMatrix(m);
  for (let k = 0; k < Math.min(m, n); k++) {
    const v = reflector(work, k);
    if (v === undefined) continue;
    reflect(work, v, k);
    reflectRight(q, v, k);
  }
  const p = full ? m : Math.min(m, n);
  const r = matrixOf(p, n);
  for (let i = 0; i < p; i++) for (let j = i; j < n; j++) [r.re[i * n + j], r.im[i * n + j]] = [work.re[i * n + j], work.im[i * n + j]];
  return { q: columnsOf(q, p), r };
}

interface Reflector {
  readonly v: Matrix;
  readonly tauRe: number;
  readonly tauIm: number;
}

/** H = I - τ·v·vᴴ with Hᴴ·x = β·e₁, β real: LAPACK's larfg. Undefined where nothing is to do. */
function reflector(a: Matrix, k: number): Reflector | undefined {
  const [m, n] = [a.rows, a.columns];
  const [alphaRe, alphaIm] = [a.re[k * n + k], a.im[k * n + k]];
  let tail = 0;
  for (let i = k + 1; i < m; i++) tail = Math.hypot(tail, a.re[i * n + k], a.im[i * n + k]);
  if (tail === 0 && alphaIm === 0) return undefined;
  const beta = (alphaRe >= 0 ? -1 : 1) * Math.hypot(alphaRe, alphaIm, tail);
  const v = matrixOf(m, 1);
  v.re[k] = 1;
  const scale = { ...matrixOf(1, 1) };
  scale.re[0] = alphaRe - beta;
  scale.im[0] = alphaIm;
  for (let i = k + 1; i < m; i++) {
    [v.re[i], v.im[i]] = [a.re[i * n + k], a.im[i * n + k]];
    divideBy(v, i, scale, 0);
  }
  return { v, tauRe: (beta - alphaRe) / beta, tauIm: -alphaIm / beta };
}

/** A := Hᴴ·A from row and column k on. */
function reflect(a: Matrix, { v, tauRe, tauIm }: Reflector, k: number): void {
  const [m, n] = [a.rows, a.columns];
  for (let j = k; j < n; j++) {
    let [re, im] = [0, 0];
    for (let i = k; i < m; i++) {
      re += v.re[i] * a.re[i * n + j] + v.im[i] * a.im[i * n + j];
      im += v.re[i] * a.im[i * n + j] - v.im[i] * a.re[i * n + j];
    }
    [re, im] = [tauRe * re + tauIm * im, tauRe * im - tauIm * re];
    for (let i = k; i < m; i++) {
      a.re[i * n + j] -= v.re[i] * re - v.im[i] * im;
      a.im[i * n + j] -= v.re[i] * im + v.im[i] * re;
    }
  }
}

/** Q := Q·H. */
function reflectRight(q: Matrix, { v, tauRe, tauIm }: Reflector, k: number): void {
  const n = q.columns;
  for (let i = 0; i < q.rows; i++) {
    let [re, im] = [0, 0];
    for (let j = k; j < n; j++) {
      re += q.re[i * n + j] * v.re[j] - q.im[i * n + j] * v.im[j];
      im += q.re[i * n + j] * v.im[j] + q.im[i * n + j] * v.re[j];
    }
    [re, im] = [re * tauRe - im * tauIm, re * tauIm + im * tauRe];
    for (let j = k; j < n; j++) {
      q.re[i * n + j] -= re * v.re[j] + im * v.im[j];
      q.im[i * n + j] -= im * v.re[j] - re * v.im[j];
    }
  }
}

function columnsOf(a: Matrix, count: number): Matrix {
  const result = matrixOf(a.rows, count);
  for (let i = 0; i < a.rows; i++) {
    result.re.set(a.re.subarray(i * a.columns, i * a.columns + count), i * count);
    result.im.set(a.im.subarray(i * a.columns, i * a.columns + count), i * count);
  }
  return result;
}

// ---- eigenvalues and singular values, by Jacobi rotations ----

const sweeps = 60;

/** Eigenvalues (ascending) and eigenvectors (columns) of a Hermitian matrix of which the lower triangle is read. */
export function hermitianEigen(given: Matrix): { values: Float64Array; vectors: Matrix } {
  if (!isFinite(given))
    throw new InvalidArgumentError("Self-adjoint eigen decomposition was not successful. The input might not be valid.");
  const n = given.rows;
  const a = hermitianOf(given);
  const v = identityMatrix(n);
  let scale = 0;
  for (let i = 0; i < a.re.length; i++) scale = Math.hypot(scale, a.re[i], a.im[i]);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const [re, im] = [a.re[p * n + q], a.im[p * n + q]];
        const size = Math.hypot(re, im);
        off = Math.max(off, size);
        if (size < 1e-300) continue;
        const rotation = rotationFor(a.re[p * n + p], a.re[q * n + q], re, im, size);
        rotateColumns(a, p, q, rotation);
        rotateRows(a, p, q, rotation);
        rotateColumns(v, p, q, rotation);
      }
    }
    if (off <= 1e-17 * scale || scale === 0) break;
  }
  const values = Float64Array.from({ length: n }, (_, i) => a.re[i * n + i]);
  const order = Array.from(values.keys()).sort((i, j) => values[i] - values[j]);
  return { values: Float64Array.from(order, i => values[i]), vectors: pickColumns(v, order) };
}

function hermitianOf(a: Matrix): Matrix {
  const n = a.rows;
  const result = matrixOf(n, n);
  for (let i = 0; i < n; i++) {
    result.re[i * n + i] = a.re[i * n + i];
    for (let j = 0; j < i; j++) {
      result.re[i * n + j] = result.re[j * n + i] = a.re[i * n + j];
      result.im[i * n + j] = a.im[i * n + j];
      result.im[j * n + i] = -a.im[i * n + j];
    }
  }
  return result;
}

interface Rotation {
  readonly c: number;
  readonly s: number;
  /** The phase of the element to make zero. */
  readonly re: number;
  readonly im: number;
}

/** The rotation that makes the element (re, im) between diagonal elements `first` and `second` zero. */
function rotationFor(first: number, second: number, re: number, im: number, size: number): Rotation {
  const theta = (second - first) / (2 * size);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  return { c, s: t * c, re: re / size, im: im / size };
}

/** Columns (p, q) := (c·p - s·conj(e)·q, s·e·p + c·q) for the phase e. */
function rotateColumns(a: Matrix, p: number, q: number, { c, s, re, im }: Rotation): void {
  for (let i = 0; i < a.rows; i++) {
    const x = i * a.columns + p;
    const y = i * a.columns + q;
    const xr = a.re[x];
    const xi = a.im[x];
    const yr = a.re[y];
    const yi = a.im[y];
    a.re[x] = c * xr - s * (re * yr + im * yi);
    a.im[x] = c * xi - s * (re * yi - im * yr);
    a.re[y] = s * (re * xr - im * xi) + c * yr;
    a.im[y] = s * (re * xi + im * xr) + c * yi;
  }
}

function rotateRows(a: Matrix, p: number, q: number, { c, s, re, im }: Rotation): void {
  for (let j = 0; j < a.columns; j++) {
    const x = p * a.columns + j;
    const y = q * a.columns + j;
    const xr = a.re[x];
    const xi = a.im[x];
    const yr = a.re[y];
    const yi = a.im[y];
    a.re[x] = c * xr - s * (re * yr - im * yi);
    a.im[x] = c * xi - s * (re * yi + im * yr);
    a.re[y] = s * (re * xr + im * xi) + c * yr;
    a.im[y] = s * (re * xi - im * xr) + c * yi;
  }
}

function pickColumns(a: Matrix, order: readonly number[]): Matrix {
  const result = matrixOf(a.rows, order.length);
  for (let i = 0; i < a.rows; i++)
    order.forEach((from, to) => {
      result.re[i * order.length + to] = a.re[i * a.columns + from];
      result.im[i * order.length + to] = a.im[i * a.columns + from];
    });
  return result;
}

/** A = U·diag(s)·Vᴴ with s descending, by one-sided Jacobi; `full`: U and V are square. */
export function svdOf(a: Matrix, full: boolean, unknown = Number.NaN): { s: Float64Array; u: Matrix; v: Matrix } {
  if (a.rows < a.columns) {
    const { s, u, v } = svdOf(adjointOf(a), full, unknown);
    return { s, u: v, v: u };
  }
  const n = a.columns;
  if (!isFinite(a))
    return { s: new Float64Array(n).fill(unknown), u: filled(a.rows, full ? a.rows : n, unknown), v: filled(n, n, unknown) };
  const w = copyOf(a);
  const v = identityMatrix(n);
  for (let sweep = 0; sweep < sweeps; sweep++) if (!orthogonalize(w, v)) break;
  const norms = Float64Array.from({ length: n }, (_, j) => columnNorm(w, j));
  const order = Array.from(norms.keys()).sort((i, j) => norms[j] - norms[i]);
  const s = Float64Array.from(order, i => norms[i]);
  return { s, u: unitColumns(pickColumns(w, order), s, full ? a.rows : n), v: pickColumns(v, order) };
}

/** One sweep of rotations that make columns orthogonal; was any needed? */
function orthogonalize(w: Matrix, v: Matrix): boolean {
  const n = w.columns;
  let isChanged = false;
  for (let p = 0; p < n; p++) {
    for (let q = p + 1; q < n; q++) {
      let [pp, qq, re, im] = [0, 0, 0, 0];
      for (let i = 0; i < w.rows; i++) {
        const x = i * n + p;
        const y = i * n + q;
        pp += w.re[x] * w.re[x] + w.im[x] * w.im[x];
        qq += w.re[y] * w.re[y] + w.im[y] * w.im[y];
        re += w.re[x] * w.re[y] + w.im[x] * w.im[y];
        im += w.re[x] * w.im[y] - w.im[x] * w.re[y];
      }
      const size = Math.hypot(re, im);
      if (size === 0 || size <= 1e-16 * Math.sqrt(pp * qq)) continue;
      isChanged = true;
      const rotation = rotationFor(pp, qq, re, im, size);
      rotateColumns(w, p, q, rotation);
      rotateColumns(v, p, q, rotation);
    }
  }
  return isChanged;
}

function columnNorm(a: Matrix, j: number): number {
  let sum = 0;
  for (let i = 0; i < a.rows; i++) sum += a.re[i * a.columns + j] ** 2 + a.im[i * a.columns + j] ** 2;
  return Math.sqrt(sum);
}

/** Columns over their norms, completed to `count` orthonormal ones: those of norm (nearly) zero and those beyond the given. */
function unitColumns(a: Matrix, norms: Float64Array, count: number): Matrix {
  const u = matrixOf(a.rows, count);
  const least = (norms[0] ?? 0) * 1e-14;
  let unit = 0;
  for (let j = 0; j < count; j++) {
    if (j < norms.length && norms[j] > least) {
      for (let i = 0; i < a.rows; i++) {
        u.re[i * count + j] = a.re[i * a.columns + j] / norms[j];
        u.im[i * count + j] = a.im[i * a.columns + j] / norms[j];
      }
    } else unit = completeColumn(u, j, unit);
  }
  return u;
}

/** Makes column j a unit vector orthogonal to those before it, out of e_unit or a later one; returns the next to try. */
function completeColumn(u: Matrix, j: number, first: number): number {
  const count = u.columns;
  for (let unit = first; unit < u.rows; unit++) {
    const candidate = matrixOf(u.rows, 1);
    candidate.re[unit] = 1;
    for (let pass = 0; pass < 2; pass++) for (let k = 0; k < j; k++) removeColumn(candidate, u, k);
    const norm = columnNorm(candidate, 0);
    if (norm < 1e-8) continue;
    for (let i = 0; i < u.rows; i++) {
      u.re[i * count + j] = candidate.re[i] / norm;
      u.im[i * count + j] = candidate.im[i] / norm;
    }
    return unit + 1;
  }
  return u.rows;
}

/** x := x - u_k·(u_kᴴ·x) */
function removeColumn(x: Matrix, u: Matrix, k: number): void {
  let [re, im] = [0, 0];
  for (let i = 0; i < u.rows; i++) {
    const at = i * u.columns + k;
    re += u.re[at] * x.re[i] + u.im[at] * x.im[i];
    im += u.re[at] * x.im[i] - u.im[at] * x.re[i];
  }
  for (let i = 0; i < u.rows; i++) {
    const at = i * u.columns + k;
    x.re[i] -= u.re[at] * re - u.im[at] * im;
    x.im[i] -= u.re[at] * im + u.im[at] * re;
  }
}
