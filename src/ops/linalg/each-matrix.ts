// Matrices inside arrays: how an op applies a routine to each of a batch. Real and complex matrices have routines of their own (real-dense.ts, dense.ts);
// a Field has both under one set of names, so that an op is said once.

import { isComplex, isFloating } from "../../base/dtype.ts";
import { type NDArray, numbersIn } from "../../base/ndarray.ts";
import { sizeOf } from "../../base/shape.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import * as complex from "./dense.ts";
import * as real from "./real-dense.ts";

/** What ops ask of matrices M. */
export interface Field<M> {
  /** The matrix whose elements begin with number `at`; complex ones lie there as pairs. */
  read(numbers: ArrayLike<number>, at: number, rows: number, columns: number): M;
  write(array: NDArray, at: number, matrix: M): void;
  /** Numbers as a column. */
  column(numbers: readonly number[] | Float64Array): M;
  identity(n: number): M;
  adjoint(a: M): M;
  product(a: M, b: M): M;
  /** Is there a pivot of 0, or a first one that is NaN? */
  isSingular(lu: M): boolean;
  cholesky(a: M, unknown: number): M;
  lu(a: M): { readonly lu: M; readonly rows: readonly number[] };
  solve(a: M, b: M, complaint?: string): M;
  solveTriangular(a: M, b: M, isLower: boolean): M;
  /** The sign, and the logarithm of the size. */
  determinant(a: M): { readonly sign: M; readonly logSize: number };
  qr(a: M, full: boolean): { readonly q: M; readonly r: M };
  hermitianEigen(a: M, withVectors: boolean): { readonly values: Float64Array; readonly vectors: M };
  svd(a: M, full: boolean, withVectors: boolean, unknown: number): { readonly s: Float64Array; readonly u: M; readonly v: M };
  /** Row i times factors[i]. */
  scaleRows(a: M, factors: Float64Array): void;
}

export const realField: Field<real.RealMatrix> = {
  read: (numbers, at, rows, columns) => {
    const result = real.realMatrix(rows, columns);
    for (let i = 0; i < result.data.length; i++) result.data[i] = numbers[at + i];
    return result;
  },
  write: (array, at, { data }) => {
    if (array.dtype === "float32" || array.dtype === "float64") (array.data as Float64Array).set(data, at);
    else data.forEach((x, i) => void array.set(at + i, x));
  },
  column: numbers => real.realMatrix(numbers.length, 1, Float64Array.from(numbers)),
  identity: real.realIdentity,
  adjoint: real.transposeOf,
  product: real.realProduct,
  isSingular: ({ rows, data }) => Number.isNaN(data[0]) || Array.from({ length: rows }, (_, i) => data[i * (rows + 1)]).includes(0),
  cholesky: real.realCholesky,
  lu: real.realLu,
  solve: real.realSolve,
  solveTriangular: real.realSolveTriangular,
  determinant: a => {
    const { sign, logSize } = real.realDeterminant(a);
    return { sign: real.realMatrix(1, 1, Float64Array.of(sign)), logSize };
  },
  qr: real.realQr,
  hermitianEigen: real.symmetricEigen,
  svd: real.realSvd,
  scaleRows: ({ columns, data }, factors) => {
    for (let i = 0; i < data.length; i++) data[i] *= factors[Math.floor(i / columns)];
  },
};

export const complexField: Field<complex.Matrix> = {
  read: (numbers, at, rows, columns) => {
    const result = complex.matrixOf(rows, columns);
    for (let i = 0; i < result.re.length; i++) {
      result.re[i] = numbers[2 * (at + i)];
      result.im[i] = numbers[2 * (at + i) + 1];
    }
    return result;
  },
  write: (array, at, { re, im }) => {
    const hasParts = isComplex(array.dtype);
    for (let i = 0; i < re.length; i++) array.set(at + i, hasParts ? { re: re[i], im: im[i] } : re[i]);
  },
  column: numbers => ({ rows: numbers.length, columns: 1, re: Float64Array.from(numbers), im: new Float64Array(numbers.length) }),
  identity: complex.identityMatrix,
  adjoint: complex.adjointOf,
  product: complex.product,
  isSingular: ({ rows, re, im }) =>
    (rows > 0 && Number.isNaN(re[0] + im[0])) ||
    Array.from({ length: rows }, (_, i) => i * (rows + 1)).some(at => re[at] === 0 && im[at] === 0),
  cholesky: complex.choleskyOf,
  lu: complex.luOf,
  solve: complex.solve,
  solveTriangular: complex.solveTriangular,
  determinant: a => {
    const { sign, logSize } = complex.determinantOf(a);
    return { sign: { rows: 1, columns: 1, re: Float64Array.of(sign[0]), im: Float64Array.of(sign[1]) }, logSize };
  },
  qr: complex.qrOf,
  hermitianEigen: complex.hermitianEigen,
  svd: (a, full, _, unknown) => complex.svdOf(a, full, unknown),
  scaleRows: ({ columns, re, im }, factors) => {
    for (const part of [re, im]) for (let i = 0; i < part.length; i++) part[i] *= factors[Math.floor(i / columns)];
  },
};

/** Real matrices read as complex ones, for routines that know no others. */
const widened: Pick<Field<complex.Matrix>, "read"> = {
  read: (numbers, at, rows, columns) => {
    const { data } = realField.read(numbers, at, rows, columns);
    return { rows, columns, re: data, im: new Float64Array(data.length) };
  },
};

/** An output of a routine: where it has one dimension less or two, matrices of one column or of one element go. */
type Output = Pick<Value, "dtype" | "shape">;

function eachOf<M, R>(
  { read }: Pick<Field<M>, "read">,
  { write }: Pick<Field<R>, "write">,
  name: string,
  inputs: readonly Value[],
  outputs: readonly Output[],
  f: (...matrices: M[]) => readonly R[],
): readonly Value[] {
  const run = (given: readonly NDArray[], results: readonly NDArray[]): void => {
    const batch = sizeOf(given[0].shape.slice(0, -2));
    const numbers = given.map(numbersIn);
    for (let b = 0; b < batch; b++) {
      const matrices = given.map(({ shape }, k) => {
        const [rows, columns] = shape.slice(-2);
        return read(numbers[k], b * rows * columns, rows, columns);
      });
      f(...matrices).forEach((result, k) => void write(results[k], b * (results[k].size / batch), result));
    }
  };
  return ir.call({ name, run }, inputs, outputs);
}

/** Applies `f` to the matrices of each place in a batch. */
export const eachMatrix = (
  name: string,
  inputs: readonly Value[],
  outputs: readonly Output[],
  f: <M>(field: Field<M>, ...matrices: M[]) => readonly M[],
): readonly Value[] =>
  isComplex(inputs[0].dtype)
    ? eachOf(complexField, complexField, name, inputs, outputs, (...matrices: complex.Matrix[]) => f(complexField, ...matrices))
    : eachOf(realField, realField, name, inputs, outputs, (...matrices: real.RealMatrix[]) => f(realField, ...matrices));

/** The same by a function that knows real matrices alone. */
export const eachRealMatrix = (
  name: string,
  inputs: readonly Value[],
  outputs: readonly Output[],
  f: (...matrices: real.RealMatrix[]) => readonly real.RealMatrix[],
): readonly Value[] => eachOf(realField, realField, name, inputs, outputs, f);

/** The same by a function of complex matrices, as which real ones are read. */
export const eachComplexMatrix = (
  name: string,
  inputs: readonly Value[],
  outputs: readonly Output[],
  f: (...matrices: complex.Matrix[]) => readonly Pick<complex.Matrix, "re" | "im">[],
): readonly Value[] => eachOf(isFloating(inputs[0].dtype) ? widened : complexField, complexField, name, inputs, outputs, f);
