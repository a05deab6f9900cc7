// The Schur form of a complex matrix, and the square root and the logarithm read from it; nothing here knows tensors.
// Golub and Van Loan, Matrix Computations, 7.5; Björck and Hammarling 1983; Higham, Functions of Matrices, 11.5.

import { adjointOf, identityMatrix, type Matrix, matrixOf, product, solve } from "./dense.ts";

type Complex = readonly [re: number, im: number];

const copyOf = (a: Matrix): Matrix => ({ ...a, re: a.re.slice(), im: a.im.slice() });
const at = (a: Matrix, i: number, j: number): Complex => [a.re[i * a.columns + j], a.im[i * a.columns + j]];
function put(a: Matrix, i: number, j: number, [re, im]: Complex): void {
  a.re[i * a.columns + j] = re;
  a.im[i * a.columns + j] = im;
}
const add = (a: Complex, b: Complex): Complex => [a[0] + b[0], a[1] + b[1]];
const minus = (a: Complex, b: Complex): Complex => [a[0] - b[0], a[1] - b[1]];
const times = (a: Complex, b: Complex): Complex => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
const conjugate = ([re, im]: Complex): Complex => [re, -im];
const size = ([re, im]: Complex): number => Math.hypot(re, im);
function over(a: Complex, b: Complex): Complex {
  const square = b[0] * b[0] + b[1] * b[1];
  const [re, im] = times(a, conjugate(b));
  return [re / square, im / square];
}
function root(a: Complex): Complex {
  const re = Math.sqrt((size(a) + Math.abs(a[0])) / 2);
  if (re === 0) return [0, 0];
  const im = a[1] / (2 * re);
  return a[0] >= 0 ? [re, im] : [Math.abs(im), a[1] < 0 || Object.is(a[1], -0) ? -re : re];
}

/** A rotation of two rows that takes (a, b) to (r, 0). */
interface Rotation {
  readonly a: Complex;
  readonly b: Complex;
}

function rotationOf(a: Complex, b: Complex): Rotation {
  const r = Math.hypot(size(a), size(b));
  return r === 0 ? { a: [1, 0], b: [0, 0] } : { a: [a[0] / r, a[1] / r], b: [b[0] / r, b[1] / r] };
}

function rotateRows(m: Matrix, { a, b }: Rotation, p: number, q: number): void {
  for (let j = 0; j < m.columns; j++) {
    const [x, y] = [at(m, p, j), at(m, q, j)];
    put(m, p, j, add(times(conjugate(a), x), times(conjugate(b), y)));
    put(m, q, j, minus(times(a, y), times(b, x)));
  }
}

/** The same from the other side, by the adjoint. */
function rotateColumns(m: Matrix, { a, b }: Rotation, p: number, q: number): void {
  for (let i = 0; i < m.rows; i++) {
    const [x, y] = [at(m, i, p), at(m, i, q)];
    put(m, i, p, add(times(a, x), times(b, y)));
    put(m, i, q, minus(times(conjugate(a), y), times(conjugate(b), x)));
  }
}

/** The eigenvalue of the last two rows and columns before `last` that is nearer the corner. */
function shiftOf(t: Matrix, last: number): Complex {
  const [a, b, c, d] = [at(t, last - 1, last - 1), at(t, last - 1, last), at(t, last, last - 1), at(t, last, last)];
  const half: Complex = [(a[0] - d[0]) / 2, (a[1] - d[1]) / 2];
  const delta = root(add(times(half, half), times(b, c)));
  const [plus, less] = [add(half, delta), minus(half, delta)];
  return add(d, size(plus) < size(less) ? plus : less);
}

/** A = Q·T·Qᴴ with a unitary Q and an upper triangular T: rotations to Hessenberg form, then shifted QR steps. */
function schurOf(a: Matrix): { q: Matrix; t: Matrix } {
  const n = a.rows;
  const t = copyOf(a);
  const q = identityMatrix(n);
  const turn = (rotation: Rotation, i: number, j: number): void => {
    rotateRows(t, rotation, i, j);
    rotateColumns(t, rotation, i, j);
    rotateColumns(q, rotation, i, j);
  };
  for (let k = 0; k + 2 < n; k++) for (let i = k + 2; i < n; i++) turn(rotationOf(at(t, k + 1, k), at(t, i, k)), k + 1, i);
  for (let last = n - 1, steps = 0; last > 0; ) {
    let first = last;
    const isSmall = (k: number): boolean => size(at(t, k, k - 1)) <= 2 ** -53 * (size(at(t, k, k)) + size(at(t, k - 1, k - 1)));
    while (first > 0 && !isSmall(first)) first--;
    if (first > 0) put(t, first, first - 1, [0, 0]);
    // What is not finite never gets small.
    if (first === last || ++steps > 100 * n) {
      last--;
      continue;
    }
    // Every tenth step another shift, should the first ones go round in circles.
    const shift: Complex = steps % 10 === 0 ? [size(at(t, last, last - 1)), 0] : shiftOf(t, last);
    for (let k = first; k <= last; k++) put(t, k, k, minus(at(t, k, k), shift));
    const rotations: Rotation[] = [];
    for (let k = first; k < last; k++) {
      rotations.push(rotationOf(at(t, k, k), at(t, k + 1, k)));
      rotateRows(t, rotations[k - first], k, k + 1);
    }
    rotations.forEach((rotation, i) => {
      rotateColumns(t, rotation, first + i, first + i + 1);
      rotateColumns(q, rotation, first + i, first + i + 1);
    });
    for (let k = first; k <= last; k++) put(t, k, k, add(at(t, k, k), shift));
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) put(t, i, j, [0, 0]);
  return { q, t };
}

/** f(A) = Q·f(T)·Qᴴ. */
function ofTriangle(a: Matrix, f: (t: Matrix) => Matrix): Matrix {
  const { q, t } = schurOf(a);
  return product(product(q, f(t)), adjointOf(q));
}

function triangularRoot(t: Matrix): Matrix {
  const n = t.rows;
  const r = matrixOf(n, n);
  for (let j = 0; j < n; j++) {
    put(r, j, j, root(at(t, j, j)));
    for (let i = j - 1; i >= 0; i--) {
      let rest = at(t, i, j);
      for (let k = i + 1; k < j; k++) rest = minus(rest, times(at(r, i, k), at(r, k, j)));
      if (size(rest) !== 0) put(r, i, j, over(rest, add(at(r, i, i), at(r, j, j))));
    }
  }
  return r;
}

/** R with R·R = A and eigenvalues in the right half plane. */
export const squareRootOf = (a: Matrix): Matrix => ofTriangle(a, triangularRoot);

/** Nodes and weights of Gauss and Legendre's rule with eight points, for half of [-1, 1]. */
const gauss = [
  [0.1834346424956498, 0.362683783378362],
  [0.525532409916329, 0.3137066458778873],
  [0.7966664774136267, 0.2223810344533745],
  [0.9602898564975363, 0.1012285362903763],
] as const;

/** log(I + X) = ∫₀¹ X·(I + s·X)⁻¹ ds for small X. */
function logarithmNearOne(x: Matrix): Matrix {
  const sum = matrixOf(x.rows, x.rows);
  for (const [node, weight] of gauss) {
    for (const s of [(1 + node) / 2, (1 - node) / 2]) {
      const shifted = identityMatrix(x.rows);
      for (let k = 0; k < shifted.re.length; k++) {
        shifted.re[k] += s * x.re[k];
        shifted.im[k] += s * x.im[k];
      }
      const part = solve(shifted, x, "Input matrix is not invertible.");
      for (let k = 0; k < sum.re.length; k++) {
        sum.re[k] += (weight / 2) * part.re[k];
        sum.im[k] += (weight / 2) * part.im[k];
      }
    }
  }
  return sum;
}

/** Square roots until the matrix is near one, whose logarithm is then doubled as often. Without an inverse there is none: NaN. */
function triangularLogarithm(t: Matrix): Matrix {
  const n = t.rows;
  const diagonal = Array.from({ length: n }, (_, i) => at(t, i, i));
  if (t.re.some(Number.isNaN) || diagonal.some(value => size(value) === 0)) {
    const none = matrixOf(n, n);
    none.re.fill(Number.NaN);
    none.im.fill(Number.NaN);
    return none;
  }
  let [near, halvings] = [t, 0];
  const excess = (m: Matrix): Matrix => {
    const x = copyOf(m);
    for (let i = 0; i < n; i++) x.re[i * n + i] -= 1;
    return x;
  };
  const isFar = (m: Matrix): boolean => excess(m).re.some((re, k) => Math.hypot(re, m.im[k]) > 0.2 / n);
  for (; isFar(near) && halvings < 60; halvings++) near = triangularRoot(near);
  const result = logarithmNearOne(excess(near));
  for (let k = 0; k < n * n; k++) {
    result.re[k] *= 2 ** halvings;
    result.im[k] *= 2 ** halvings;
  }
  diagonal.forEach((value, i) => void put(result, i, i, [Math.log(size(value)), Math.atan2(value[1], value[0])]));
  return result;
}

/** The principal logarithm. */
export const logarithmOf = (a: Matrix): Matrix => ofTriangle(a, triangularLogarithm);

/** Eigenvalues, the smallest first, and eigenvectors of length one as columns. */
export function triangularEigen(a: Matrix): { values: Matrix; vectors: Matrix } {
  const n = a.rows;
  const { q, t } = schurOf(a);
  const x = matrixOf(n, n);
  const least = 2 ** -52 * (t.re.reduce((sum, re, k) => sum + Math.hypot(re, t.im[k]), 0) || 1);
  for (let k = 0; k < n; k++) {
    put(x, k, k, [1, 0]);
    for (let i = k - 1; i >= 0; i--) {
      let rest: Complex = [0, 0];
      for (let j = i + 1; j <= k; j++) rest = minus(rest, times(at(t, i, j), at(x, j, k)));
      const gap = minus(at(t, i, i), at(t, k, k));
      put(x, i, k, over(rest, size(gap) === 0 ? [least, 0] : gap));
    }
  }
  const all = product(q, x);
  const order = Array.from({ length: n }, (_, k) => k).sort((i, j) => size(at(t, i, i)) - size(at(t, j, j)));
  const [values, vectors] = [matrixOf(n, 1), matrixOf(n, n)];
  order.forEach((from, to) => {
    put(values, to, 0, at(t, from, from));
    let length = 0;
    for (let i = 0; i < n; i++) length = Math.hypot(length, size(at(all, i, from)));
    for (let i = 0; i < n; i++) put(vectors, i, to, over(at(all, i, from), [length, 0]));
  });
  return { values, vectors };
}

/** The exponential by its series, after halving until the matrix is small, and squaring as often. */
export function exponentialOf(a: Matrix): Matrix {
  const n = a.rows;
  let norm = 0;
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += size(at(a, i, j));
    norm = Math.max(norm, sum);
  }
  const halvings = norm > 0.25 && Number.isFinite(norm) ? Math.ceil(Math.log2(norm)) + 2 : 0;
  const small = copyOf(a);
  for (const part of [small.re, small.im]) for (let k = 0; k < part.length; k++) part[k] /= 2 ** halvings;
  let result = identityMatrix(n);
  // Horner's scheme: 0.25¹⁴/14! is far below double precision.
  for (let k = 14; k > 0; k--) {
    result = product(small, result);
    for (const part of [result.re, result.im]) for (let i = 0; i < part.length; i++) part[i] /= k;
    for (let i = 0; i < n; i++) result.re[i * n + i] += 1;
  }
  for (let k = 0; k < halvings; k++) result = product(result, result);
  return result;
}
