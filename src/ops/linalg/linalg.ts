// Linear algebra on (batches of) matrices: Cholesky, determinants, inverses, solvers, QR, eigenvalues, singular values, with their gradients.
// The arithmetic is real-dense.ts and dense.ts, called as routines (each-matrix.ts); diagonals and bands of matrices are array/matrix.ts, Fourier transforms fft.ts.

import type { DType } from "../../base/dtype.ts";
import { dtypeTable, isComplex } from "../../base/dtype.ts";
import { InvalidArgumentError, NotImplementedError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { broadcastShapes, type Dimension, sameShape, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { collect, need } from "../arguments.ts";
import { expandDims, reshape, shape, squeeze, zerosLike } from "../array/array.ts";
import { eye, matrixBandPart, matrixDiag, matrixDiagPart, matrixSetDiag, matrixTranspose } from "../array/matrix.ts";
import { BroadcastGradientArgs, pad } from "../array/padding.ts";
import { concat, ellipsis, getItem, stack } from "../array/slicing.ts";
import { cond } from "../flow/control-flow-contexts.ts";
import { cast } from "../math/cast.ts";
import { conj, log, real, reciprocal, square } from "../math/functions.ts";
import { matmul } from "../math/matrix.ts";
import { reduceSum } from "../math/reduction.ts";
import { eachComplexMatrix, eachMatrix } from "./each-matrix.ts";
import { solveTridiagonal } from "./dense.ts";
import { inNameScope, type NameOption, named } from "../named.ts";
import * as operator from "../operators.ts";

export const matrixTypes = ["float64", "float32", "float16", "complex64", "complex128"] as const satisfies readonly DType[];
/** Determinants list the same types in another order. */
const determinantTypes = ["float16", "float32", "float64", "complex64", "complex128"] as const satisfies readonly DType[];
const oneMatrix = { inputs: { input: "T" }, outputs: { output: "T" }, attrs: { T: attr.type(matrixTypes) } } as const;

// ---- shapes ----

const checkMatrix = (dims: readonly number[]): void =>
  need(dims.length >= 2, () => `Input tensor 0 must have rank >= 2, got ${dims.length}`);

/** @throws InvalidArgumentError for matrices that are not square. */
function checkSquare(value: Value): void {
  const [rows, columns] = value.shape.slice(-2);
  checkMatrix(value.shape);
  if (rows !== columns) throw new InvalidArgumentError("Input matrix must be square.");
}

export function squareShape(input: TensorShape): TensorShape {
  const known = input.withRankAtLeast(2);
  if (known.dims === null) return known;
  const side = sameSide(known.dim(-2), known.dim(-1));
  return known.slice(0, -2).concatenate([side, side]);
}

/** What is left of batches of square matrices where each becomes a number. */
function batchOfSquares(input: TensorShape): TensorShape {
  const known = input.withRankAtLeast(2);
  if (known.dims !== null) sameSide(known.dim(-1), known.dim(-2));
  return known.slice(0, -2);
}

export function sameSide(a: Dimension, b: Dimension): Dimension {
  if (a !== null && b !== null && a !== b) throw new ValueError(`Dimensions must be equal, but are ${a} and ${b}`);
  return a ?? b;
}

const adjoint = (x: Tensor): Tensor => linalgAdjoint(x);

/** The conjugate transpose of the last two axes. TF: tf.linalg.adjoint. */
function linalgAdjoint(matrix: TensorLike, options?: NameOption): Tensor {
  return inNameScope(options, "adjoint", [matrix], () => matrixTranspose(convertToTensor(matrix, { name: "matrix" }), { conjugate: true }));
}
export { linalgAdjoint as adjoint };

/** What TensorFlow fills results with that it cannot compute: C++ has no NaN of complex types, and gives 0. */
const unknownIn = (dtype: DType): number => (isComplex(dtype) ? 0 : Number.NaN);

// ---- Cholesky ----

export const Cholesky = defineOp("Cholesky", {
  ...oneMatrix,
  shape: ({ input }) => squareShape(input),
  gradient: ({ output: l, T }, d): Gradients => {
    const rows = getItem(shape(l), -1);
    const batch = getItem(shape(l), [null, -2]);
    const inverse = matrixTriangularSolve(l, eye(rows, { batchShape: batch, dtype: T }));
    let middle = matmul(l, d.output, { adjointA: true });
    middle = matrixSetDiag(middle, operator.mul(0.5, matrixDiagPart(middle)));
    middle = matrixBandPart(middle, -1, 0);
    const grad = matmul(matmul(inverse, middle, { adjointA: true }), inverse);
    return { input: operator.mul(operator.add(grad, adjoint(grad)), 0.5) };
  },
  lower: ({ input }) => {
    checkSquare(input);
    return eachMatrix("Cholesky", [input], [input], (field, a) => [field.cholesky(a, unknownIn(input.dtype))]);
  },
});

/** The lower triangle L with `input = L·Lᴴ`, for positive definite `[..., n, n]`. TF: tf.cholesky.
 *  @throws InvalidArgumentError (running) where a matrix is not positive definite. */
export const cholesky = (input: TensorLike, options?: NameOption): Tensor => Cholesky({ input }, named(options));

/** X with A·X = rhs, given the Cholesky factor of A. TF: tf.cholesky_solve(chol, rhs). */
export const choleskySolve = (chol: TensorLike, rhs: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "cholesky_solve", [chol, rhs], () => {
    const y = MatrixTriangularSolve({ matrix: chol, rhs, adjoint: false, lower: true });
    return MatrixTriangularSolve({ matrix: chol, rhs: y, adjoint: true, lower: true });
  });

// ---- determinants, inverse ----

/** d as [..., 1, 1], to scale matrices with. */
const asMatrices = (d: Tensor, like: Tensor): Tensor => reshape(d, concat([shape(like), [1, 1]], 0));

export const MatrixDeterminant = defineOp("MatrixDeterminant", {
  ...oneMatrix,
  attrs: { T: attr.type(determinantTypes) },
  shape: ({ input }) => batchOfSquares(input),
  gradient: ({ input, output }, d): Gradients => {
    const inverse = matrixInverse(input, { adjoint: true });
    return { input: operator.mul(asMatrices(operator.mul(d.output, output), output), inverse) };
  },
  lower: ({ input }) => {
    checkSquare(input);
    return eachMatrix("MatrixDeterminant", [input], [{ dtype: input.dtype, shape: input.shape.slice(0, -2) }], (field, a) => {
      const { sign, logSize } = field.determinant(a);
      field.scaleRows(sign, Float64Array.of(Math.exp(logSize)));
      return [sign];
    });
  },
});

export const LogMatrixDeterminant = defineOp("LogMatrixDeterminant", {
  inputs: { input: "T" },
  outputs: { sign: "T", logAbsDeterminant: "T" },
  attrs: { T: attr.type(determinantTypes) },
  shape: ({ input }) => {
    const batch = batchOfSquares(input);
    return [batch, batch];
  },
  gradient: ({ input, logAbsDeterminant }, d): Gradients => {
    const inverse = matrixInverse(input, { adjoint: true });
    return { input: operator.mul(asMatrices(d.logAbsDeterminant, logAbsDeterminant), inverse) };
  },
  lower: ({ input }) => {
    checkSquare(input);
    const one = { dtype: input.dtype, shape: input.shape.slice(0, -2) };
    return eachMatrix("LogMatrixDeterminant", [input], [one, one], (field, a) => {
      const { sign, logSize } = field.determinant(a);
      return [sign, field.column([logSize])];
    });
  },
});

/** The determinant of `[..., n, n]`. TF: tf.matrix_determinant. */
export const matrixDeterminant = (input: TensorLike, options?: NameOption): Tensor => MatrixDeterminant({ input }, named(options));

/** The determinant's sign and the logarithm of its size. TF: tf.linalg.slogdet. */
export const slogdet = (input: TensorLike, options?: NameOption): { readonly sign: Tensor; readonly logAbsDeterminant: Tensor } =>
  LogMatrixDeterminant({ input }, named(options));

/** log of the determinant of positive definite matrices. TF: tf.linalg.logdet. */
export const logdet = (matrix: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "logdet", [matrix], () => operator.mul(2, reduceSum(log(real(matrixDiagPart(Cholesky({ input: matrix })))), [-1])));

export const MatrixInverse = defineOp("MatrixInverse", {
  ...oneMatrix,
  attrs: { adjoint: attr.bool(false), T: attr.type(matrixTypes) },
  shape: ({ input }) => squareShape(input),
  gradient: ({ output, adjoint: isAdjoint }, d): Gradients => {
    const right = matmul(d.output, output, { adjointA: isAdjoint, adjointB: !isAdjoint });
    return { input: operator.neg(matmul(output, right, { adjointA: !isAdjoint })) };
  },
  lower: ({ input, adjoint: isAdjoint }) => {
    checkSquare(input);
    return eachMatrix("MatrixInverse", [input], [input], (field, a) => [
      field.solve(isAdjoint ? field.adjoint(a) : a, field.identity(input.shape.at(-1) ?? 0), "Input is not invertible."),
    ]);
  },
});

interface AdjointOptions extends Named {
  readonly adjoint?: boolean;
}

/** The inverse, or with `adjoint` that of the conjugate transpose. TF: tf.matrix_inverse(input, adjoint, name).
 *  @throws InvalidArgumentError (running) where a matrix is singular. */
export function matrixInverse(input: TensorLike, ...rest: unknown[]): Tensor {
  const { adjoint: isAdjoint = false, name } = collect<AdjointOptions>(["adjoint", "name"], rest);
  return MatrixInverse({ input, adjoint: isAdjoint }, { name });
}

// ---- systems of equations ----

function solutionShape(matrix: TensorShape, rhs: TensorShape, isSquare: boolean): TensorShape {
  const [a, b] = [isSquare ? squareShape(matrix) : matrix.withRankAtLeast(2), rhs.withRankAtLeast(2)];
  const batch = broadcastOrMerge(a, b);
  if (a.dims !== null && b.dims !== null) sameSide(a.dim(-2), b.dim(-2));
  if (batch.dims === null) return TensorShape.unknown();
  const rows = isSquare
    ? a.dims === null
      ? b.dim(-2)
      : (a.dim(-1) ?? (b.dims === null ? null : b.dim(-2)))
    : a.dims === null
      ? null
      : a.dim(-1);
  return batch.concatenate([rows, b.dims === null ? null : b.dim(-1)]);
}

const broadcastOrMerge = (a: TensorShape, b: TensorShape): TensorShape => {
  const heads = [a, b].map(known => (known.dims === null ? TensorShape.unknown() : known.slice(0, -2)));
  return heads[0].dims !== null && heads[1].dims === null ? heads[0] : heads[0].dims === null ? heads[1] : heads[0].mergeWith(heads[1]);
};

function checkSystem(matrix: Value, rhs: Value): void {
  checkSquare(matrix);
  const [rows, given] = [matrix.shape.at(-2), rhs.shape.at(-2)];
  if (rows !== given) throw new InvalidArgumentError(`Input matrix and rhs are incompatible.`);
}

export const MatrixSolve = defineOp("MatrixSolve", {
  inputs: { matrix: "T", rhs: "T" },
  outputs: { output: "T" },
  attrs: { adjoint: attr.bool(false), T: attr.type(matrixTypes) },
  shape: ({ matrix, rhs }) => solutionShape(matrix, rhs, true),
  checks: ({ matrix, rhs }) => {
    need(matrix.length >= 2, () => `Input tensor 0 must have rank >= 2, got ${matrix.length}`);
    need(matrix.length === rhs.length, () => "All input tensors must have the same rank.");
    need(matrix.at(-1) === matrix.at(-2), () => "First input (lhs) must be a square matrix.");
  },
  gradient: ({ matrix, output, adjoint: isAdjoint }, d): Gradients => {
    const byRhs = matrixSolve(matrix, d.output, { adjoint: !isAdjoint });
    const outer = isAdjoint ? matmul(output, byRhs, { adjointB: true }) : matmul(byRhs, output, { adjointB: true });
    return { matrix: operator.neg(outer), rhs: byRhs };
  },
  lower: ({ matrix, rhs, adjoint: isAdjoint }) => {
    checkSystem(matrix, rhs);
    return eachMatrix("MatrixSolve", [matrix, rhs], [rhs], (field, a, b) => [
      field.solve(isAdjoint ? field.adjoint(a) : a, b, "Input matrix is not invertible."),
    ]);
  },
});

/** X with matrix·X = rhs. TF: tf.matrix_solve(matrix, rhs, adjoint, name). @throws InvalidArgumentError (running) where a matrix is singular. */
export function matrixSolve(matrix: TensorLike, rhs: TensorLike, ...rest: unknown[]): Tensor {
  const { adjoint: isAdjoint = false, name } = collect<AdjointOptions>(["adjoint", "name"], rest);
  return MatrixSolve({ matrix, rhs, adjoint: isAdjoint }, { name });
}

/** Sums a gradient over the batch dimensions that its operand was broadcast along. */
export function toOperands(a: Tensor, b: Tensor, gradA: Tensor, gradB: Tensor): [Tensor, Tensor] {
  if (a.shape.isFullyDefined && b.shape.isFullyDefined && a.shape.slice(0, -2).equals(b.shape.slice(0, -2))) return [gradA, gradB];
  const [sa, sb] = [shape(a), shape(b)];
  const { r0, r1 } = BroadcastGradientArgs({ s0: getItem(sa, [null, -2]), s1: getItem(sb, [null, -2]) });
  return [reshape(reduceSum(gradA, r0), sa), reshape(reduceSum(gradB, r1), sb)];
}

export const MatrixTriangularSolve = defineOp("MatrixTriangularSolve", {
  inputs: { matrix: "T", rhs: "T" },
  outputs: { output: "T" },
  attrs: { lower: attr.bool(true), adjoint: attr.bool(false), T: attr.type(["bfloat16", ...matrixTypes]) },
  shape: ({ matrix, rhs }) => {
    const [a, b] = [squareShape(matrix), rhs.withRankAtLeast(2)];
    if (a.dims === null || b.dims === null) return TensorShape.unknown();
    const rows = sameSide(a.dim(-1), b.dim(-2));
    return broadcastShapes(a.slice(0, -2), b.slice(0, -2)).concatenate([rows, b.dim(-1)]);
  },
  checks: ({ matrix, rhs, lower, adjoint }) => {
    need(matrix.length >= 2, () => `In[0] ndims must be >= 2: ${matrix.length}`);
    need(rhs.length >= 2, () => `In[1] ndims must be >= 2: ${rhs.length}`);
    const [outerA, outerB] = [matrix.slice(0, -2).toReversed(), rhs.slice(0, -2).toReversed()];
    need(
      outerA.every((d, i) => d === 1 || (outerB[i] ?? 1) === 1 || d === outerB[i]),
      () => `In[0] and In[1] must have compatible batch dimensions: [${matrix}] vs. [${rhs}]`,
    );
    const [rows, columns] = matrix.slice(-2);
    need(rows === columns, () => `In[0] matrices in the last dimensions must be square (${columns} =/= ${rows})`);
    need(
      rows === rhs.at(-2),
      () => `In[0] mismatch In[1] shape: ${rows} vs. ${rhs.at(-2)}: [${matrix}] [${rhs}] ${Number(lower)} ${Number(adjoint)}`,
    );
  },
  gradient: ({ matrix, rhs, output, lower: isLower, adjoint: isAdjoint }, d): Gradients => {
    const byRhs = matrixTriangularSolve(matrix, d.output, { lower: isLower, adjoint: !isAdjoint });
    const outer = isAdjoint ? matmul(output, byRhs, { adjointB: true }) : matmul(byRhs, output, { adjointB: true });
    const minus = operator.neg(outer);
    const byMatrix = isLower ? matrixBandPart(minus, -1, 0) : matrixBandPart(minus, 0, -1);
    const [gradMatrix, gradRhs] = toOperands(matrix, rhs, byMatrix, byRhs);
    return { matrix: gradMatrix, rhs: gradRhs };
  },
  lower: ({ matrix, rhs, lower: isLower, adjoint: isAdjoint }) => {
    checkSystem(matrix, rhs);
    const batch = ir.broadcastShape(matrix.shape.slice(0, -2), rhs.shape.slice(0, -2));
    const [a, b] = [matrix, rhs].map(value => ir.broadcastTo(value, [...batch, ...value.shape.slice(-2)]));
    return eachMatrix("MatrixTriangularSolve", [a, b], [b], (field, x, y) => [
      field.solveTriangular(isAdjoint ? field.adjoint(x) : x, y, isLower !== isAdjoint),
    ]);
  },
});

/** X with matrix·X = rhs for a triangular matrix, of which the other triangle is not read. TF: tf.matrix_triangular_solve(matrix, rhs, lower, adjoint, name). */
export function matrixTriangularSolve(matrix: TensorLike, rhs: TensorLike, ...rest: unknown[]): Tensor {
  const {
    lower = true,
    adjoint: isAdjoint = false,
    name,
  } = collect<AdjointOptions & { lower: boolean }>(["lower", "adjoint", "name"], rest);
  return inNameScope({ name }, "triangular_solve", [matrix, rhs], () => MatrixTriangularSolve({ matrix, rhs, lower, adjoint: isAdjoint }));
}

const rankDeficient = "Input matrix was rank deficient or ill-conditioned. Try setting fast=False or provide a larger l2_regularizer > 0.";

/** The least squares solution of least norm, through singular values; the regularizer is added to the squares of those. */
export const MatrixSolveLs = defineOp("MatrixSolveLs", {
  inputs: { matrix: "T", rhs: "T", l2Regularizer: "float64" },
  outputs: { output: "T" },
  attrs: { T: attr.type(matrixTypes), fast: attr.bool(true) },
  shape: ({ matrix, rhs, l2Regularizer }) => {
    l2Regularizer.withRank(0);
    return solutionShape(matrix, rhs, false);
  },
  checks: ({ matrix, rhs, l2Regularizer }) => {
    need(matrix.length >= 2, () => `Input tensor 0 must have rank >= 2, got ${matrix.length}`);
    need(matrix.length === rhs.length, () => "All input tensors must have the same rank.");
    need(sameShape(matrix.slice(0, -2), rhs.slice(0, -2)), () => "All input tensors must have the same outer dimensions.");
    need(matrix.at(-2) === rhs.at(-2), () => "Input matrix and rhs are incompatible.");
    if (!matrix.includes(0) && !rhs.includes(0))
      need(l2Regularizer.length === 0, () => `l2_regularizer must be scalar, got shape [${l2Regularizer}]`);
  },
  gradient: ({ matrix, rhs, l2Regularizer, output, fast }, d): Gradients => {
    if (!fast) throw new ValueError("Gradient not defined for fast=False");
    const record = { a: matrix, b: rhs, x: output, l2: l2Regularizer, dx: d.output };
    const [m, n] = matrix.shape.rank === null ? [null, null] : [matrix.shape.dim(-2), matrix.shape.dim(-1)];
    const gradients = (isTall: boolean) => (): readonly [Tensor, Tensor] => (isTall ? tallGradient : wideGradient)(record);
    if (m !== null && n !== null) return pair(gradients(m >= n)());
    const sizes = getItem(shape(matrix), [-2, null]);
    const isTall = operator.greaterEqual(getItem(sizes, -2), getItem(sizes, -1));
    return pair(cond(isTall, gradients(true), gradients(false)) as readonly Tensor[]);
  },
  compileTimeInputs: ["l2Regularizer"],
  lower: ({ matrix, rhs, l2Regularizer, fast }) => {
    const l2 = Number(l2Regularizer.get(0));
    if (!matrix.shape.includes(0) && !rhs.shape.includes(0)) need(l2 >= 0, () => "l2_regularizer must be >= 0.");
    const [rows, columns] = matrix.shape.slice(-2);
    const count = rhs.shape.at(-1) ?? 0;
    const output = { dtype: rhs.dtype, shape: [...rhs.shape.slice(0, -2), columns, count] };
    return eachMatrix("MatrixSolveLs", [matrix, rhs], [output], (field, a, b) => {
      const { s, u, v } = field.svd(a, false, true, Number.NaN);
      // The zeros that are there: for Eigen no column of what is not finite counts then.
      if (!fast && !s.every(Number.isFinite)) return [];
      const least = (s[0] ?? 0) * Math.max(rows, columns) * 2 ** -52;
      need(!fast || l2 > 0 || !s.some(value => value <= least), () => rankDeficient);
      const projected = field.product(field.adjoint(u), b);
      field.scaleRows(
        projected,
        s.map(value => (value <= least ? 0 : value / (value * value + (fast ? l2 : 0)))),
      );
      return [field.product(v, projected)];
    });
  },
});

const pair = ([matrix, rhs]: readonly Tensor[]): Gradients => ({ matrix, rhs });

type LeastSquares = Readonly<Record<"a" | "b" | "x" | "l2" | "dx", Tensor>>;

/** X = (A*A + λI)⁻¹ A*B, for G = dX and Z = (A*A + λI)⁻¹ G: dB = A Z, dA = B Z* - A (X Z* + Z X*). */
function tallGradient({ a, b, x, l2, dx }: LeastSquares): readonly [Tensor, Tensor] {
  const z = choleskySolve(regularizedGramian(a, cast(l2, a.dtype), true), dx);
  const xz = matmul(x, z, { adjointB: true });
  const both = operator.add(xz, isComplex(a.dtype) ? adjoint(xz) : matrixTranspose(xz));
  const first = operator.neg(matmul(a, both));
  return [operator.add(first, matmul(b, z, { adjointB: true })), matmul(a, z)];
}

/** X = A* (A A* + λI)⁻¹ B, for G = dX and Y = (A A* + λI)⁻¹ B: dB = (A A* + λI)⁻¹ A G, dA = Y (G - A* dB)* - dB (A* Y)*. */
function wideGradient({ a, b, l2, dx }: LeastSquares): readonly [Tensor, Tensor] {
  const chol = regularizedGramian(a, cast(l2, a.dtype), false);
  const db = choleskySolve(chol, matmul(a, dx));
  const y = choleskySolve(chol, b);
  const first = operator.neg(matmul(db, matmul(y, a, { adjointA: true })));
  const rest = operator.sub(dx, matmul(a, db, { adjointA: true }));
  return [operator.add(first, matmul(y, rest, { adjointB: true })), db];
}

interface LeastSquaresOptions extends Named {
  readonly l2Regularizer?: number;
  /** Through the normal equations; otherwise by a complete orthogonal decomposition. */
  readonly fast?: boolean;
}

/** X that minimizes ‖matrix·X - rhs‖² + l2·‖X‖². TF: tf.matrix_solve_ls(matrix, rhs, l2_regularizer, fast, name). */
export function matrixSolveLs(matrix: TensorLike, rhs: TensorLike, ...rest: unknown[]): Tensor {
  const names = ["l2Regularizer", "fast", "name"];
  const { l2Regularizer = 0, fast = true, name } = collect<LeastSquaresOptions>(names, rest);
  const a = convertToTensor(matrix, { name: "matrix" });
  if (a.dtype === "complex128" && l2Regularizer !== 0)
    throw new NotImplementedError("matrix_solve_ls is currently disabled for complex128 and l2_regularizer != 0 due to poor accuracy.");
  if (!fast || isLargeBatch(a)) return MatrixSolveLs({ matrix: a, rhs, l2Regularizer, fast }, { name });
  return inNameScope({ name }, "matrix_solve_ls", [a, rhs, l2Regularizer], () => {
    const solved = (isTall: boolean) => (): Tensor => (isTall ? overdetermined : underdetermined)(a, rhs, l2Regularizer);
    const [m, n] = a.shape.rank === null ? [null, null] : [a.shape.dim(-2), a.shape.dim(-1)];
    if (m !== null && n !== null) return solved(m >= n)();
    const sizes = getItem(shape(a), [-2, null]);
    return cond(operator.greaterEqual(getItem(sizes, -2), getItem(sizes, -1)), solved(true), solved(false)) as Tensor;
  });
}

/** TensorFlow reads the matrices of a large batch once, by one kernel. */
function isLargeBatch(a: Tensor): boolean {
  if (!a.shape.isFullyDefined) return false;
  const dims = a.shape.asNumbers();
  return sizeOf(dims) * dtypeTable[a.dtype].bytes > 256_000 && sizeOf(dims.slice(0, -2)) > Math.min(...dims.slice(-2));
}

/** The Cholesky factor of AᴴA (`first`) or AAᴴ, its diagonal raised by l2. */
function regularizedGramian(a: Tensor, l2: Tensor | number, first: boolean): Tensor {
  const gramian = matmul(a, a, { adjointA: first, adjointB: !first });
  if (l2 === 0) return cholesky(gramian);
  const sizes = shape(a);
  const batch = getItem(sizes, [null, -2]);
  const one = eye(getItem(sizes, first ? -1 : -2), { batchShape: batch, dtype: a.dtype });
  if (a.shape.rank !== null) {
    const side = a.shape.dim(first ? -1 : -2);
    one.setShape(a.shape.slice(0, -2).concatenate([side, side]));
  }
  return cholesky(operator.add(gramian, operator.mul(l2, one)));
}

const overdetermined = (a: Tensor, b: TensorLike, l2: number): Tensor => {
  const chol = regularizedGramian(a, l2, true);
  return choleskySolve(chol, matmul(a, b, { adjointA: true }));
};

const underdetermined = (a: Tensor, b: TensorLike, l2: number): Tensor =>
  matmul(a, choleskySolve(regularizedGramian(a, l2, false), b), { adjointA: true });

export const TridiagonalSolve = defineOp("TridiagonalSolve", {
  inputs: { diagonals: "T", rhs: "T" },
  outputs: { output: "T" },
  attrs: {
    partialPivoting: attr.bool(true),
    perturbSingular: attr.bool(false),
    T: attr.type(["float64", "float32", "complex64", "complex128"]),
  },
  shape: ({ diagonals, rhs }) => {
    const d = diagonals.withRankAtLeast(2);
    const b = rhs.withRankAtLeast(2);
    if (d.dims === null || b.dims === null) return b;
    const batch = d.slice(0, -2).mergeWith(b.slice(0, -2));
    sameSide(d.dim(-1), b.dim(-2));
    const bands = d.dim(-2);
    if (bands !== null && bands !== 3) throw new ValueError(`Dimension must be 3 but is ${bands}`);
    return batch.concatenate(b.slice(-2));
  },
  // With Z = A⁻ᵀ dX: dB = Z, dA = -Z Xᵀ, of which the three diagonals count.
  checks: ({ diagonals, rhs }) => {
    need(diagonals.length >= 2, () => `Input tensor 0 must have rank >= 2, got ${diagonals.length}`);
    need(diagonals.length === rhs.length, () => "All input tensors must have the same rank.");
    const [bands, size] = diagonals.slice(-2);
    need(bands === 3, () => `Expected diagonals to be provided as a matrix with 3 rows, got ${bands} rows.`);
    need(size === rhs.at(-2), () => `Expected the same number of left-hand sides and right-hand sides, got ${size} and ${rhs.at(-2)}.`);
  },
  gradient: ({ diagonals, output: x, partialPivoting, perturbSingular }, d): Gradients => {
    const z = TridiagonalSolve({ diagonals: transposedDiagonals(diagonals), rhs: d.output, partialPivoting, perturbSingular });
    const up = rowProducts(z, shiftedRows(x, 1));
    const down = rowProducts(z, shiftedRows(x, -1));
    return { diagonals: operator.neg(stack([up, rowProducts(z, x), down], -2)), rhs: z };
  },
  lower: ({ diagonals, rhs, perturbSingular }) => {
    if (perturbSingular) throw new UnimplementedError("perturb_singular is only supported on the GPU.");
    return eachComplexMatrix("TridiagonalSolve", [diagonals, rhs], [rhs], (d, b) => [solveTridiagonal(d, b)]);
  },
});

/** Σ over the right sides of a row of one times that of the other. */
const rowProducts = (a: Tensor, b: Tensor): Tensor => reduceSum(operator.mul(a, b), -1);

/** Rows moved up by one (1) or down (-1), with a row of zeros in the place that is left. */
export function shiftedRows(x: Tensor, by: 1 | -1): Tensor {
  const empty = zerosLike(getItem(x, ellipsis, [0, 1], [null, null]));
  return by === 1
    ? concat([getItem(x, ellipsis, [1, null], [null, null]), empty], -2)
    : concat([empty, getItem(x, ellipsis, [0, -1], [null, null])], -2);
}

/** The rows [superdiagonal, diagonal, subdiagonal] of the transposed matrix. */
function transposedDiagonals(diagonals: Tensor): Tensor {
  const row = (k: number): Tensor => expandDims(getItem(diagonals, ellipsis, k, [null, null]), -1);
  const flat = (column: Tensor): Tensor => squeeze(column, [-1]);
  return stack([flat(shiftedRows(row(2), 1)), flat(row(1)), flat(shiftedRows(row(0), -1))], -2);
}

// ---- LU, QR ----

export const Lu = defineOp("Lu", {
  inputs: { input: "T" },
  outputs: { lu: "T", p: "outputIdxType" },
  attrs: { T: attr.type(matrixTypes), outputIdxType: attr.type(attr.indexTypes, "int32") },
  shape: ({ input }) => {
    const square = squareShape(input);
    return [square, square.dims === null ? square : square.slice(0, -1)];
  },
  lower: ({ input, outputIdxType }) => {
    checkSquare(input);
    return eachMatrix("Lu", [input], [input, { dtype: outputIdxType, shape: input.shape.slice(0, -1) }], (field, a) => {
      const { lu, rows } = field.lu(a);
      need(!field.isSingular(lu), () => "Input is not invertible.");
      return [lu, field.column(rows)];
    });
  },
});

/** Lower and upper triangle in one matrix, and the permutation of rows. TF: tf.linalg.lu(input, output_idx_type, name). */
export function lu(input: TensorLike, ...rest: unknown[]): { readonly lu: Tensor; readonly p: Tensor } {
  const { outputIdxType = "int32", name } = collect<Named & { outputIdxType: DType }>(["outputIdxType", "name"], rest);
  return Lu({ input, outputIdxType }, { name });
}

const least = (m: Dimension, n: Dimension): Dimension => {
  if (m === 0 || n === 0) return 0;
  return m === null || n === null ? null : Math.min(m, n);
};

export const Qr = defineOp("Qr", {
  inputs: { input: "T" },
  outputs: { q: "T", r: "T" },
  attrs: { fullMatrices: attr.bool(false), T: attr.type(matrixTypes) },
  checks: ({ input }) => checkMatrix(input),
  shape: ({ input, fullMatrices }) => {
    const known = input.withRankAtLeast(2);
    if (known.dims === null) return [known, known];
    const [batch, m, n] = [known.slice(0, -2), known.dim(-2), known.dim(-1)];
    const p = fullMatrices ? m : least(m, n);
    return [batch.concatenate([m, p]), batch.concatenate([p, n])];
  },
  gradient: ({ input, q, r, fullMatrices }, d): Gradients => {
    const isKnown = r.shape.rank !== null && r.shape.dim(-2) !== null && r.shape.dim(-1) !== null;
    if (!isKnown) throw new NotImplementedError(`QrGrad not implemented with dynamic shapes. Received r.shape: ${r.shape}`);
    const [rows, columns] = [r.shape.dim(-2) as number, r.shape.dim(-1) as number];
    if (rows > columns && q.shape.dim(-2) === q.shape.dim(-1))
      throw new NotImplementedError(
        `QrGrad not implemented when nrows > ncols and full_matrices is true. Received r.shape=${r.shape} with nrows=${rows}and ncols=${columns}.`,
      );
    if (rows >= columns) return { input: deepQrGradient(q, r, d.q, d.r) };
    const y = getItem(input, "...", [null, null], [rows, null]);
    const u = getItem(r, "...", [null, null], [null, rows]);
    const dv = getItem(d.r, "...", [null, null], [rows, null]);
    const du = getItem(d.r, "...", [null, null], [null, rows]);
    const dy = matmul(q, dv);
    const dx = deepQrGradient(q, u, operator.add(d.q, matmul(y, dv, { adjointB: true })), du);
    return { input: concat([dx, dy], -1) };
  },
  lower: ({ input, fullMatrices }) => {
    const [m, n] = input.shape.slice(-2);
    const p = fullMatrices ? m : Math.min(m, n);
    const [batch, dtype] = [input.shape.slice(0, -2), input.dtype];
    const outputs = [
      { dtype, shape: [...batch, m, p] },
      { dtype, shape: [...batch, p, n] },
    ];
    return eachMatrix("Qr", [input], outputs, (field, a) => {
      const { q, r } = field.qr(a, fullMatrices);
      return [q, r];
    });
  },
});

/** X with X·Rᴴ = x, for an upper triangle R. */
const overTriangle = (x: Tensor, r: Tensor): Tensor => adjoint(matrixTriangularSolve(r, adjoint(x), { lower: false, adjoint: false }));

/** For matrices with at least as many rows as columns. */
function deepQrGradient(q: Tensor, r: Tensor, dq: Tensor, dr: Tensor): Tensor {
  const qdq = matmul(q, dq, { adjointA: true });
  const skewQ = operator.sub(qdq, adjoint(qdq));
  const rdr = matmul(r, dr, { adjointB: true });
  const skewR = operator.sub(rdr, adjoint(rdr));
  const triangle = matrixBandPart(operator.add(skewQ, skewR), -1, 0);
  const byR = matmul(q, operator.add(dr, overTriangle(triangle, r)));
  const byQ = overTriangle(operator.sub(dq, matmul(q, qdq)), r);
  const sum = operator.add(byR, byQ);
  if (!isComplex(q.dtype)) return sum;
  const m = operator.sub(rdr, adjoint(qdq));
  const diagonal = matrixSetDiag(zerosLike(m), matrixDiagPart(m));
  const correction = operator.sub(diagonal, cast(real(diagonal), q.dtype));
  return operator.add(sum, overTriangle(matmul(q, adjoint(correction)), r));
}

interface QrOptions extends Named {
  readonly fullMatrices?: boolean;
}

/** input = q·r with orthonormal columns in q and an upper triangle r. TF: tf.qr(input, full_matrices, name). */
export function qr(input: TensorLike, ...rest: unknown[]): { readonly q: Tensor; readonly r: Tensor } {
  const { fullMatrices = false, name } = collect<QrOptions>(["fullMatrices", "name"], rest);
  return Qr({ input, fullMatrices }, { name });
}

// ---- eigenvalues ----

/** 1/x, and 0 at 0. */
export const safeReciprocal = (x: Tensor): Tensor => operator.mul(x, reciprocal(operator.add(operator.mul(x, x), 1e-20)));

export const SelfAdjointEigV2 = defineOp("SelfAdjointEigV2", {
  inputs: { input: "T" },
  outputs: { e: "T", v: "T" },
  attrs: { computeV: attr.bool(true), T: attr.type(matrixTypes) },
  shape: ({ input, computeV }) => {
    const square = squareShape(input);
    if (square.dims === null) return [square, computeV ? square : new TensorShape([0])];
    return [square.slice(0, -1), computeV ? square : new TensorShape([0])];
  },
  gradient: ({ input, e, v, computeV }, d): Gradients =>
    input.graph.controlDependencies([d.e, d.v], () => eigenGradient({ input, e, v, computeV }, d)),
  lower: ({ input, computeV }) => eigenPairs(input, computeV),
});

interface EigenRecord {
  readonly input: Tensor;
  readonly e: Tensor;
  readonly v: Tensor;
  readonly computeV: boolean;
}
function eigenGradient({ input, e, v, computeV }: EigenRecord, d: { readonly e: Tensor; readonly v: Tensor }): Gradients {
  let whole: Tensor;
  if (computeV) {
    const gaps = operator.sub(expandDims(e, -2), expandDims(e, -1));
    const f = matrixSetDiag(safeReciprocal(gaps), zerosLike(e));
    const inner = operator.add(matrixDiag(d.e), operator.mul(f, matmul(v, d.v, { adjointA: true })));
    whole = matmul(v, matmul(inner, v, { adjointB: true }));
  } else {
    const vectors = SelfAdjointEigV2({ input, computeV: true }).v;
    whole = matmul(vectors, matmul(matrixDiag(d.e), vectors, { adjointB: true }));
  }
  // The op reads the lower triangle only.
  const lowerPart = matrixBandPart(operator.add(whole, adjoint(whole)), -1, 0);
  return { input: matrixSetDiag(lowerPart, operator.mul(0.5, matrixDiagPart(lowerPart))) };
}

/** Eigenvalues and, if wanted, eigenvectors. */
export function eigenPairs(input: Value, withVectors: boolean): readonly Value[] {
  checkSquare(input);
  const outputs = [{ dtype: input.dtype, shape: input.shape.slice(0, -1) }, ...(withVectors ? [input] : [])];
  const results = eachMatrix("SelfAdjointEigV2", [input], outputs, (field, a) => {
    const { values, vectors } = field.hermitianEigen(a, withVectors);
    return [field.column(values), ...(withVectors ? [vectors] : [])];
  });
  return withVectors ? results : [results[0], ir.full(input.dtype, [0], 0)];
}

/** Eigenvalues (ascending) and eigenvectors (columns) of Hermitian matrices; the lower triangle is read. TF: tf.self_adjoint_eig. */
export function selfAdjointEig(tensor: TensorLike, options?: NameOption): { readonly e: Tensor; readonly v: Tensor } {
  return SelfAdjointEigV2({ input: tensor, computeV: true }, named(options));
}

/** Eigenvalues of Hermitian matrices, ascending. TF: tf.self_adjoint_eigvals. */
export const selfAdjointEigvals = (tensor: TensorLike, options?: NameOption): Tensor =>
  SelfAdjointEigV2({ input: tensor, computeV: false }, named(options)).e;

// ---- singular values ----

export const Svd = defineOp("Svd", {
  inputs: { input: "T" },
  outputs: { s: "T", u: "T", v: "T" },
  attrs: { computeUv: attr.bool(true), fullMatrices: attr.bool(false), T: attr.type(matrixTypes) },
  checks: ({ input }) => checkMatrix(input),
  shape: ({ input, computeUv, fullMatrices }) => {
    const known = input.withRankAtLeast(2);
    const none = new TensorShape([0]);
    if (known.dims === null) return computeUv ? [known, known, known] : [known, none, none];
    const [batch, m, n] = [known.slice(0, -2), known.dim(-2), known.dim(-1)];
    const p = least(m, n);
    const s = batch.concatenate([p]);
    if (!computeUv) return [s, none, none];
    return [s, batch.concatenate([m, fullMatrices ? m : p]), batch.concatenate([n, fullMatrices ? n : p])];
  },
  gradient: (record, d): Gradients => ({ input: record.computeUv ? svdGradient(record, d) : valuesGradient(record.input, d.s) }),
  lower: ({ input, computeUv, fullMatrices }) => {
    const [m, n] = input.shape.slice(-2);
    const [batch, dtype, p] = [input.shape.slice(0, -2), input.dtype, Math.min(m, n)];
    const vectors = [
      { dtype, shape: [...batch, m, fullMatrices ? m : p] },
      { dtype, shape: [...batch, n, fullMatrices ? n : p] },
    ];
    const results = eachMatrix("Svd", [input], [{ dtype, shape: [...batch, p] }, ...(computeUv ? vectors : [])], (field, a) => {
      const { s, u, v } = field.svd(a, fullMatrices, computeUv, unknownIn(dtype));
      return [field.column(s), ...(computeUv ? [u, v] : [])];
    });
    return computeUv ? results : [results[0], ir.full(dtype, [0], 0), ir.full(dtype, [0], 0)];
  },
});

function valuesGradient(input: Tensor, ds: Tensor): Tensor {
  const diagonal = matrixDiag(ds);
  const { u, v } = Svd({ input, computeUv: true });
  return matmul(u, matmul(diagonal, v, { adjointB: true }));
}

interface SvdRecord {
  readonly input: Tensor;
  readonly s: Tensor;
  readonly u: Tensor;
  readonly v: Tensor;
  readonly fullMatrices: boolean;
}
type SvdGradients = { readonly s: Tensor; readonly u: Tensor; readonly v: Tensor };

/** After Townsend, Differentiating the singular value decomposition (2016), as TensorFlow does. */
function svdGradient({ input, s, u, v, fullMatrices }: SvdRecord, d: SvdGradients): Tensor {
  const rowsOf = ({ shape: known }: Tensor, axis: -1 | -2): Dimension => (known.rank === null ? null : known.dim(axis));
  const [rows, columns] = [rowsOf(input, -2) ?? rowsOf(d.u, -2), rowsOf(input, -1) ?? rowsOf(d.v, -2)];
  if (rows === null || columns === null)
    throw new NotImplementedError("SVD gradient has not been implemented for input with unknown inner matrix shape.");
  if (fullMatrices && Math.abs(rows - columns) > 1)
    throw new UnimplementedError("svd gradient is not implemented for abs(m - n) > 1 when full_matrices is True");
  const isFlipped = rows > columns;
  const [m, n] = isFlipped ? [columns, rows] : [rows, columns];
  const [left, right, dLeft, dRight] = isFlipped ? [v, u, d.v, d.u] : [u, v, d.u, d.v];
  const ofValues = matrixDiag(d.s);
  return input.graph.controlDependencies([d.s, d.u, d.v], () => {
    const sMatrix = matrixDiag(s);
    const squares = square(s);
    const sizes = shape(s);
    const f = matrixSetDiag(safeReciprocal(operator.sub(expandDims(squares, -2), expandDims(squares, -1))), zerosLike(s));
    const inverse = matrixDiag(safeReciprocal(s));
    const [right1, dRight1] = [right, dRight].map(x => getItem(x, "...", [null, null], [null, m]));
    const ofLeft = matmul(left, dLeft, { adjointA: true });
    const ofRight = matmul(right1, dRight1, { adjointA: true });
    const [fLeft, fRight] = [operator.mul(f, ofLeft), operator.mul(f, ofRight)];
    const inner = operator.add(
      operator.add(ofValues, matmul(operator.add(fLeft, adjoint(fLeft)), sMatrix)),
      matmul(sMatrix, operator.add(fRight, adjoint(fRight))),
    );
    let result = matmul(left, matmul(inner, right1, { adjointB: true }));
    if (m !== n) {
      const flipped = matrixTranspose(dRight1, { conjugate: true });
      let rest = operator.sub(flipped, matmul(matmul(flipped, right1), right1, { adjointB: true }));
      if (fullMatrices) {
        const [right2, dRight2] = [right, dRight].map(x => getItem(x, "...", [null, null], [m, n]));
        rest = operator.sub(rest, matmul(matmul(right1, dRight2, { adjointA: true }), right2, { adjointB: true }));
      }
      result = operator.add(result, matmul(matmul(left, inverse), rest));
    }
    if (isComplex(input.dtype)) {
      const one = eye(getItem(sizes, -1), { batchShape: getItem(sizes, [null, -1]), dtype: input.dtype });
      const diagonal = operator.mul(one, ofRight);
      const phase = matmul(inverse, operator.sub(adjoint(diagonal), diagonal));
      result = operator.add(result, operator.mul(0.5, matmul(left, matmul(phase, right1, { adjointB: true }))));
    }
    return isFlipped ? matrixTranspose(result, { conjugate: true }) : result;
  });
}

interface SvdOptions extends Named {
  readonly fullMatrices?: boolean;
  readonly computeUv?: boolean;
}

/** Singular values (descending), and left and right singular vectors as columns: tensor = u·diag(s)·vᴴ.
 *  Without `computeUv` only the values, as one tensor. TF: tf.svd(tensor, full_matrices, compute_uv, name). */
export function svd(tensor: TensorLike, options: SvdOptions & { readonly computeUv: false }): Tensor;
export function svd(tensor: TensorLike, options?: SvdOptions): [s: Tensor, u: Tensor, v: Tensor];
export function svd(tensor: TensorLike, ...rest: unknown[]): Tensor | [s: Tensor, u: Tensor, v: Tensor];
export function svd(tensor: TensorLike, ...rest: unknown[]): Tensor | [s: Tensor, u: Tensor, v: Tensor] {
  const { fullMatrices = false, computeUv = true, name } = collect<SvdOptions>(["fullMatrices", "computeUv", "name"], rest);
  const { s, u, v } = Svd({ input: tensor, computeUv, fullMatrices }, { name });
  return computeUv ? [real(s), u, v] : real(s);
}

interface TridiagonalOptions extends Named {
  readonly diagonalsFormat?: "compact" | "matrix" | "sequence";
  /** Takes the transpose of right-hand sides that are matrices. */
  readonly transposeRhs?: boolean;
  readonly conjugateRhs?: boolean;
  readonly partialPivoting?: boolean;
  readonly perturbSingular?: boolean;
}

const tridiagonalNames = ["diagonalsFormat", "transposeRhs", "conjugateRhs", "name", "partialPivoting", "perturbSingular"] as const;

/** X with A·X = rhs for a tridiagonal A: rows [superdiagonal, diagonal, subdiagonal] `[..., 3, m]` ("compact"), the three in a list ("sequence"), or
 *  the matrix itself ("matrix"). @throws ValueError for another format and sizes that do not fit. TF: tf.linalg.tridiagonal_solve. */
export function tridiagonalSolve(diagonals: TensorLike | readonly TensorLike[], rhs: TensorLike, ...rest: unknown[]): Tensor {
  const given = collect<TridiagonalOptions>(tridiagonalNames, rest);
  const { diagonalsFormat = "compact", transposeRhs, conjugateRhs, name, partialPivoting = true, perturbSingular = false } = given;
  if (perturbSingular && !partialPivoting) throw new ValueError("partial_pivoting must be True if perturb_singular is.");
  const compact = compactDiagonals(diagonals, diagonalsFormat);
  const b = convertToTensor(rhs, { name: "rhs", preferredDtype: compact.dtype });
  const [rankA, rankB] = [compact.shape.rank, b.shape.rank];
  if (rankA) {
    if (rankA < 2) throw new ValueError(`Expected diagonals to have rank at least 2, got ${rankA}`);
    if (rankB && rankB !== rankA && rankB !== rankA - 1)
      throw new ValueError(`Expected the rank of rhs to be ${rankA - 1} or ${rankA}, got ${rankB}`);
    const [own, other] = [compact.shape.slice(0, -2), b.shape.slice(0, rankA - 2)];
    if (rankB && !own.isCompatibleWith(other)) throw new ValueError(`Batch shapes ${own} and ${other} are incompatible`);
  }
  const rows = compact.shape.dim(-2);
  if (rows && rows !== 3) throw new ValueError(`Expected 3 diagonals got ${rows}`);
  const solved = (right: Tensor): Tensor => {
    const [left, equations] = [compact.shape.dim(-1), right.shape.dim(-2)];
    if (left && equations && left !== equations)
      throw new ValueError(`Expected number of left-hand sided and right-hand sides to be equal, got ${left} and ${equations}`);
    return TridiagonalSolve({ diagonals: compact, rhs: right, partialPivoting, perturbSingular }, { name });
  };
  if (rankB && rankA && rankB === rankA - 1) return squeeze(solved(expandDims(conjugateRhs ? conj(b) : b, -1)), -1);
  if (transposeRhs) return solved(matrixTranspose(b, { conjugate: conjugateRhs ?? false }));
  return solved(conjugateRhs ? conj(b) : b);
}

function compactDiagonals(diagonals: TensorLike | readonly TensorLike[], format: string): Tensor {
  if (format === "compact") return convertToTensor(diagonals as TensorLike, { name: "diagonals" });
  if (format === "matrix") {
    const matrix = convertToTensor(diagonals as TensorLike, { name: "diagonals" });
    const [m1, m2] = [matrix.shape.dim(-1), matrix.shape.dim(-2)];
    if (m1 && m2 && m1 !== m2) throw new ValueError(`Expected last two dimensions of diagonals to be same, got ${m1} and ${m2}`);
    return matrixDiagPart(matrix, { k: [-1, 1], paddingValue: 0, align: "LEFT_RIGHT" });
  }
  if (format !== "sequence") throw new ValueError(`Unrecognized diagonals_format: ${format}`);
  if (!Array.isArray(diagonals) || diagonals.length !== 3) throw new ValueError("Expected diagonals to be a sequence of length 3.");
  const [above, main, below] = (diagonals as TensorLike[]).map(diagonal => convertToTensor(diagonal));
  const batch = main.shape.slice(0, -1);
  if (![above, below].every(({ shape: other }) => other.slice(0, -1).isCompatibleWith(batch)))
    throw new ValueError(
      `Tensors representing the three diagonals must have the same shape,except for the last dimension, got ${below.shape}, ${main.shape}, ${above.shape}`,
    );
  const m = main.shape.dim(-1);
  const padded = (diagonal: Tensor, which: string, padding: readonly [number, number]): Tensor => {
    const n = diagonal.shape.dim(-1);
    if (!n || n === m) return diagonal;
    if (m === null || n !== m - 1) throw new ValueError(`Expected ${which} to be have length ${m} or ${(m ?? 0) - 1}, got ${n}.`);
    return pad(diagonal, [...Array.from({ length: diagonal.shape.length - 1 }, () => [0, 0]), [...padding]]);
  };
  const lower = padded(below, "subdiagonal", [1, 0]);
  return stack([padded(above, "superdiagonal", [0, 1]), main, lower], -2);
}
