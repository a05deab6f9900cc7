// Factors of matrices by what they are factors of: real routines, which work in blocks, against their complex kin, and at sizes around a block.

import { describe, expect, test } from "vitest";
import * as complex from "./dense.ts";
import * as real from "./real-dense.ts";

/** Numbers in [-1, 1) that are the same every time. */
function numbers(count: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    return state / 2 ** 31;
  });
}

const matrix = (rows: number, columns: number, seed = 1): real.RealMatrix => real.realMatrix(rows, columns, numbers(rows * columns, seed));
const ofRank = (n: number, rank: number): real.RealMatrix => real.realProduct(matrix(n, rank, 2), matrix(rank, n, 3));
const positive = (n: number): real.RealMatrix => {
  const square = real.realProduct(matrix(n, n), real.transposeOf(matrix(n, n)));
  return real.realMatrix(
    n,
    n,
    square.data.map((x, i) => x + (i % (n + 1) === 0 ? 1 : 0)),
  );
};
const complexOf = ({ rows, columns, data }: real.RealMatrix): complex.Matrix => ({
  rows,
  columns,
  re: data,
  im: new Float64Array(data.length),
});

/** The largest difference of two arrays. */
function distance(a: Float64Array, b: Float64Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0);
}
const isNear = (a: real.RealMatrix, b: real.RealMatrix, within = 1e-11): void => expect(distance(a.data, b.data)).toBeLessThan(within);
const areOrthonormal = (q: real.RealMatrix): void => isNear(real.realProduct(real.transposeOf(q), q), real.realIdentity(q.columns));

const scaled = ({ rows, columns, data }: real.RealMatrix, factors: Float64Array): real.RealMatrix =>
  real.realMatrix(
    rows,
    factors.length,
    Float64Array.from(
      { length: rows * factors.length },
      (_, k) => data[Math.floor(k / factors.length) * columns + (k % factors.length)] * factors[k % factors.length],
    ),
  );

const sizes = [1, 2, 3, 31, 32, 33, 36, 70];

describe.each(sizes)("square matrices of %i rows", n => {
  const a = matrix(n, n);

  test("solutions", () => {
    const [b, expected] = [matrix(n, 3, 5), matrix(n, 3, 6)];
    isNear(real.realProduct(a, real.realSolve(a, b)), b);
    isNear(real.realSolve(a, real.realProduct(a, expected), "singular"), expected, 1e-9);
    const { lu, rows } = real.realLu(a);
    const other = complex.luOf(complexOf(a));
    expect(rows).toEqual(other.rows);
    expect(distance(lu.data, other.lu.re)).toBeLessThan(1e-11);
    expect(real.realDeterminant(a).logSize).toBeCloseTo(complex.determinantOf(complexOf(a)).logSize, 10);
    expect(real.realDeterminant(a).sign).toBe(complex.determinantOf(complexOf(a)).sign[0]);
  });

  test("Cholesky's factor", () => {
    const l = real.realCholesky(positive(n));
    isNear(real.realProduct(l, real.transposeOf(l)), positive(n));
    isNear(real.realProduct(real.transposeOf(l), real.realSolveTriangular(real.transposeOf(l), matrix(n, 2), false)), matrix(n, 2));
    const last = real.realMatrix(
      n,
      n,
      positive(n).data.map((x, i) => (i === n * n - 1 ? -1 : x)),
    );
    expect(Number.isNaN(real.realCholesky(last).data[0])).toBe(true);
  });

  test("eigenvalues of symmetric matrices", () => {
    for (const symmetric of [positive(n), ofRank(n, 0), real.realProduct(ofRank(n, 1), real.transposeOf(ofRank(n, 1)))]) {
      const { values, vectors } = real.symmetricEigen(symmetric, true);
      areOrthonormal(vectors);
      isNear(real.realProduct(scaled(vectors, values), real.transposeOf(vectors)), symmetric, 1e-10);
      expect(values).toEqual(values.toSorted());
      expect(real.symmetricEigen(symmetric, false).values).toEqual(values);
    }
  });
});

describe.each([
  [1, 4],
  [4, 1],
  [33, 40],
  [70, 12],
  [8, 8],
  [50, 50],
  [0, 3],
  [3, 0],
] as const)("%i rows, %i columns", (m, n) => {
  const rank = Math.min(m, n);
  const cases = [matrix(m, n), real.realMatrix(m, n), real.realProduct(matrix(m, Math.ceil(rank / 2)), matrix(Math.ceil(rank / 2), n))];

  test.each([true, false])("singular values and QR, all columns: %s", full => {
    for (const a of cases) {
      const { s, u, v } = real.realSvd(a, full);
      expect([u.columns, v.columns]).toEqual(full ? [m, n] : [rank, rank]);
      areOrthonormal(u);
      areOrthonormal(v);
      isNear(
        real.realProduct(
          scaled(u, s),
          real.transposeOf(
            scaled(
              v,
              s.map(() => 1),
            ),
          ),
        ),
        a,
      );
      expect(s).toEqual(s.toSorted().reverse());
      expect(distance(s, complex.svdOf(complexOf(a), false).s)).toBeLessThan(1e-11);
      expect(real.realSvd(a, full, false).s).toEqual(s);
      const { q, r } = real.realQr(a, full);
      areOrthonormal(q);
      isNear(real.realProduct(q, r), a);
    }
  });
});

test("singular values of what is very large, very small or not finite", () => {
  for (const scale of [1e300, 1e-300, 5e-324]) {
    const a = real.realMatrix(2, 2, Float64Array.of(3 * scale, 0, 4 * scale, 5 * scale));
    const { s } = real.realSvd(a, false);
    expect(s[0] / scale).toBeCloseTo(scale === 5e-324 ? 7 : 6.708203932499369, 9);
  }
  expect(real.realSvd(real.realMatrix(2, 2, Float64Array.of(1, Infinity, 2, 3)), false).s).toEqual(Float64Array.of(NaN, NaN));
});

/** The whole matrix of which function `at` gives the elements. */
const whole = (n: number, at: (i: number, j: number) => readonly [re: number, im: number]): complex.Matrix => {
  const result = complex.matrixOf(n, n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) [result.re[i * n + j], result.im[i * n + j]] = at(i, j);
  return result;
};

test("systems of bands give what the whole matrices do", () => {
  for (const [bands, n] of [
    [1, 4],
    [2, 6],
    [3, 5],
    [4, 4],
  ]) {
    const given: complex.Matrix = { rows: bands, columns: n, re: numbers(bands * n, 7).map(x => x + 2), im: numbers(bands * n, 8) };
    const b: complex.Matrix = { rows: n, columns: 2, re: numbers(2 * n, 9), im: numbers(2 * n, 10) };
    for (const isLower of [true, false]) {
      const a = whole(n, (i, j) => {
        const away = isLower ? i - j : j - i;
        const from = (isLower ? away : bands - 1 - away) * n + i;
        return away < 0 || away >= bands ? [0, 0] : [given.re[from], given.im[from]];
      });
      for (const isAdjoint of [true, false]) {
        const expected = complex.solve(isAdjoint ? complex.adjointOf(a) : a, b);
        const x = complex.solveBanded(given, b, isLower, isAdjoint);
        expect(distance(x.re, expected.re) + distance(x.im, expected.im)).toBeLessThan(1e-11);
      }
    }
  }
  for (const n of [1, 2, 3, 9]) {
    const d: complex.Matrix = { rows: 3, columns: n, re: numbers(3 * n, 11), im: numbers(3 * n, 12) };
    const b: complex.Matrix = { rows: n, columns: 2, re: numbers(2 * n, 13), im: numbers(2 * n, 14) };
    const a = whole(n, (i, j) => {
      const from = (1 + i - j) * n + i;
      return Math.abs(i - j) > 1 ? [0, 0] : [d.re[from], d.im[from]];
    });
    const [x, expected] = [complex.solveTridiagonal(d, b), complex.solve(a, b)];
    expect(distance(x.re, expected.re) + distance(x.im, expected.im)).toBeLessThan(1e-10);
  }
});
