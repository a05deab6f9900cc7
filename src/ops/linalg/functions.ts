// Functions of matrices beyond the inverse: square root, logarithm and exponential; products with tridiagonal matrices, systems with banded ones; the
// gradient of Cholesky's factor as an op of its own.

import { type DType, dtypeTable, isComplex } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex } from "../../ir/index-map.ts";
import { broadcastShapes, mergedDimension, sameShape, TensorShape } from "../../base/shape.ts";
import type { Value } from "../../ir/program.ts";
import { type Scalar, s } from "../../ir/scalar.ts";
import { collect, need } from "../arguments.ts";
import { constant, expandDims, reshape, shape, size } from "../array/array.ts";
import { eye, matrixDiagPart, matrixTranspose } from "../array/matrix.ts";
import { tile } from "../array/padding.ts";
import { concat, ellipsis, getItem, slice } from "../array/slicing.ts";
import { eachComplexMatrix, eachRealMatrix } from "./each-matrix.ts";
import { matrixSolve, matrixTypes, sameSide, shiftedRows, squareShape, toOperands } from "./linalg.ts";
import { solveBanded } from "./dense.ts";
import { realIdentity, type RealMatrix, realMatrix, realProduct, realSolveTriangular, transposeOf } from "./real-dense.ts";
import { exponentialOf, logarithmOf, squareRootOf } from "./schur.ts";
import { add, Sub } from "../math/math.ts";
import { conj } from "../math/functions.ts";
import { matmul } from "../math/matrix.ts";
import { reduceProd, reduceSum } from "../math/reduction.ts";
import { named, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";

function checkSquare(value: Value): void {
  if (value.shape.length < 2) throw new InvalidArgumentError(`Input tensor must have rank >= 2, got ${value.shape.length}`);
  if (value.shape.at(-1) !== value.shape.at(-2)) throw new InvalidArgumentError("Input matrix must be square.");
}

/** A ⊗ B for each two matrices of two batches. */
function kronecker(a: Tensor, b: Tensor): Tensor {
  const [ofA, ofB] = [shape(a), shape(b)];
  const [m, n] = [getItem(ofA, -1), getItem(ofB, -1)];
  const batch = batchOf(ofA);
  const one = NDArray.from([1], "int32");
  const shapeOfA = concat([batch, [m], one, [m], one] as TensorLike[], 0);
  const shapeOfB = concat([batch, one, [n], one, [n]] as TensorLike[], 0);
  const [wideA, wideB] = [reshape(a, shapeOfA), reshape(b, shapeOfB)];
  const order = operator.mul(m, n);
  const whole = concat([batch, [order], [order]] as TensorLike[], 0);
  return reshape(operator.mul(wideA, wideB), whole);
}

/** The dimensions of a shape before the last two. */
const batchOf = (sizes: Tensor): Tensor => slice(sizes, [0], [Sub({ x: size(sizes), y: 2 })] as TensorLike);

interface TridiagonalOptions extends Named {
  readonly diagonalsFormat?: "compact" | "matrix" | "sequence";
}

/** The product of tridiagonal matrices with `rhs` `[..., m, n]`. diagonals: rows [superdiagonal, diagonal, subdiagonal] `[..., 3, m]`
 *  ("compact"), the three `[..., m]` in a list ("sequence"), or matrices `[..., m, m]` of which three diagonals count ("matrix").
 *  @throws ValueError for another format or matrices that are not square. TF: tf.linalg.tridiagonal_matmul. */
export function tridiagonalMatmul(diagonals: TensorLike | readonly TensorLike[], rhs: TensorLike, ...rest: unknown[]): Tensor {
  const { diagonalsFormat = "compact", name } = collect<TridiagonalOptions>(["diagonalsFormat", "name"], rest);
  const [superdiag, maindiag, subdiag] = threeDiagonals(diagonals, diagonalsFormat).map(diagonal => expandDims(diagonal, -2));
  return TridiagonalMatMul({ superdiag, maindiag, subdiag, rhs }, { name });
}

function threeDiagonals(diagonals: TensorLike | readonly TensorLike[], format: string): readonly TensorLike[] {
  if (format === "sequence") return diagonals as readonly TensorLike[];
  if (format !== "compact" && format !== "matrix") throw new ValueError(`Unrecognized diagonals_format: ${format}`);
  const given = convertToTensor(diagonals as TensorLike, { name: "diagonals" });
  const [m2, m1] = given.shape.dims?.slice(-2) ?? [null, null];
  if (format === "matrix" && m1 && m2 && m1 !== m2)
    throw new ValueError(`Expected last two dimensions of diagonals to be same, got ${m1} and ${m2}`);
  const rows = format === "compact" ? given : matrixDiagPart(given, { k: [-1, 1], paddingValue: 0, align: "LEFT_RIGHT" });
  return [0, 1, 2].map(k => getItem(rows, ellipsis, k, []));
}

/** R with R·R = input. Of real matrices without a real root: NaN. */
export const MatrixSquareRoot = defineOp("MatrixSquareRoot", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(matrixTypes) },
  shape: ({ input }) => squareShape(input),
  // From dA = R·dR + dR·R, a system in the elements of dR.
  gradient: ({ output: r, T }, d): Gradients => {
    const sizes = shape(r);
    const n = getItem(sizes, -1);
    const count = reduceProd(getItem(sizes, [0, -2]));
    const ones = reshape(tile(reshape(eye(n, { dtype: T }), [-1]), [count] as TensorLike), sizes);
    const turned = matrixTranspose(r);
    const left = kronecker(ones, turned);
    const system = add(left, kronecker(r, ones));
    const batch = batchOf(sizes);
    const columnShape = concat([batch, [operator.mul(n, n)], NDArray.from([1], "int32")] as TensorLike[], 0);
    const columns = reshape(matrixTranspose(d.output), columnShape);
    return { input: matrixTranspose(reshape(matrixSolve(system, columns), sizes)) };
  },
  lower: ({ input, T }) => {
    checkSquare(input);
    return eachComplexMatrix("MatrixSquareRoot", [input], [input], a => {
      const result = squareRootOf(a);
      const most = result.re.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
      // Rounding leaves small imaginary parts.
      const isReal = isComplex(T) || result.im.every(x => Math.abs(x) <= 1e-7 * most);
      return [isReal ? result : { re: result.re.map(() => Number.NaN), im: result.im }];
    });
  },
});

/** The principal logarithm of complex matrices. */
export const MatrixLogarithm = defineOp("MatrixLogarithm", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["complex64", "complex128"]) },
  shape: ({ input }) => squareShape(input),
  lower: ({ input }) => {
    checkSquare(input);
    return eachComplexMatrix("MatrixLogarithm", [input], [input], a => [logarithmOf(a)]);
  },
});

/** The exponential of square matrices, as graphs before version 27 hold it. */
export const MatrixExponential = defineOp("MatrixExponential", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(matrixTypes) },
  removed: [27, "Use Python implementation tf.linalg.matrix_exponential instead."],
  shape: ({ input }) => squareShape(input),
  lower: ({ input }) => {
    checkSquare(input);
    return eachComplexMatrix("MatrixExponential", [input], [input], a => [exponentialOf(a)]);
  },
});

/** The gradient for A of a factor L of A = L·Lᵀ, given that for L. */
export const CholeskyGrad = defineOp("CholeskyGrad", {
  inputs: { l: "T", grad: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["float16", "float32", "float64"]) },
  shape: ({ l }) => squareShape(l),
  checks: ({ l, grad }) => {
    need(l.length >= 2, () => `Input tensor 0 must have rank >= 2, got ${l.length}`);
    need(l.length === grad.length, () => "All input tensors must have the same rank.");
    need(sameShape(l.slice(0, -2), grad.slice(0, -2)), () => "All input tensors must have the same outer dimensions.");
    need(sameShape(l, grad), () => "Inputs (L and grad) must have the same shape.");
    need(l.at(-1) === l.at(-2), () => "Inputs must be a square matrices.");
  },
  lower: ({ l, grad }) =>
    eachRealMatrix("CholeskyGrad", [l, grad], [l], (factor, slope) => {
      const n = factor.rows;
      const middle = realProduct(transposeOf(lowerPart(factor)), lowerPart(slope));
      for (let i = 0; i < n; i++) for (let j = i; j < n; j++) middle.data[i * n + j] *= i === j ? 0.5 : 0;
      const inverse = realSolveTriangular(factor, realIdentity(n), true);
      const whole = realProduct(realProduct(transposeOf(inverse), middle), inverse);
      const flipped = transposeOf(whole);
      return [
        realMatrix(
          n,
          n,
          whole.data.map((x, k) => (x + flipped.data[k]) / 2),
        ),
      ];
    }),
});

function lowerPart({ rows, columns, data }: RealMatrix): RealMatrix {
  const result = realMatrix(rows, columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j <= i; j++) result.data[i * columns + j] = data[i * columns + j];
  return result;
}

/** X with A·X = rhs for a triangular A of which `matrix` `[..., bands, m]` holds diagonals: of a lower one the main diagonal first, of an upper one last. */
export const BandedTriangularSolve = defineOp("BandedTriangularSolve", {
  inputs: { matrix: "T", rhs: "T" },
  outputs: { output: "T" },
  attrs: { lower: attr.bool(true), adjoint: attr.bool(false), T: attr.type(matrixTypes) },
  shape: ({ matrix, rhs }) => {
    const [a, b] = [matrix.withRankAtLeast(2), rhs.withRankAtLeast(2)];
    if (a.dims === null || b.dims === null) return TensorShape.unknown();
    const [bands, size] = [a.dim(-2), a.dim(-1)];
    if (bands !== null && bands <= 0) throw new ValueError(`Number of bands must be positive, but is ${bands}`);
    if (bands !== null && size !== null && bands > size)
      throw new ValueError(`Number of bands ${bands} cannot exceed the size of the matrix ${size}`);
    return broadcastShapes(a.slice(0, -2), b.slice(0, -2)).concatenate([sameSide(size, b.dim(-2)), b.dim(-1)]);
  },
  checks: ({ matrix, rhs, T }) => {
    for (const [i, { length }] of [matrix, rhs].entries()) need(length >= 2, () => `In[${i}] ndims must be >= 2: ${length}`);
    for (const [i, dims] of [matrix, rhs].entries())
      need(!dims.includes(0), () => `In[${i}] must not be an empty tensor: Tensor<type: ${dtypeTable[T].cName} shape: [${dims}] values: >`);
  },
  gradient: ({ matrix, rhs, output, lower: isLower, adjoint: isAdjoint }, d): Gradients => {
    const bands = matrix.shape.dims === null ? null : matrix.shape.dim(-2);
    const farthest = operator.sub(bands === null ? getItem(shape(matrix), -2) : constant(bands, "int32"), 1);
    const byRhs = BandedTriangularSolve({ matrix, rhs: d.output, lower: isLower, adjoint: !isAdjoint });
    const whole = isAdjoint ? matmul(output, byRhs, { adjointB: true }) : matmul(byRhs, output, { adjointB: true });
    const k = isLower ? [operator.neg(farthest), 0] : [0, farthest];
    const diagonals = matrixDiagPart(operator.neg(whole), { k, align: "LEFT_RIGHT" });
    // A single diagonal comes without its axis, on which TensorFlow's gradient fails.
    const rows = concat([getItem(shape(whole), [null, -2]), getItem(shape(matrix), [-2, null])], 0);
    const byMatrix = bands === null || bands === 1 ? reshape(diagonals, rows) : diagonals;
    const [gradMatrix, gradRhs] = toOperands(matrix, rhs, byMatrix, byRhs);
    return { matrix: gradMatrix, rhs: gradRhs };
  },
  lower: ({ matrix, rhs, lower: isLower, adjoint: isAdjoint }) => {
    const [bands, size] = matrix.shape.slice(-2);
    if (bands === 0) throw new InvalidArgumentError("In[0] must have at least one band: 0");
    if (size !== rhs.shape.at(-2))
      throw new InvalidArgumentError(
        `In[0] mismatch In[1] shape: ${size} vs. ${rhs.shape.at(-2)}: [${matrix.shape}] [${rhs.shape}] ${Number(isLower)} ${Number(isAdjoint)}`,
      );
    const [left, right] = [matrix, rhs].map(({ shape }) => shape.slice(0, -2).reverse());
    if (left.some((d, k) => d !== 1 && k < right.length && right[k] !== 1 && right[k] !== d))
      throw new InvalidArgumentError(`In[0] and In[1] must have compatible batch dimensions: [${matrix.shape}] vs. [${rhs.shape}]`);
    const batch = ir.broadcastShape(matrix.shape.slice(0, -2), rhs.shape.slice(0, -2));
    const [a, b] = [matrix, rhs].map(value => ir.broadcastTo(value, [...batch, ...value.shape.slice(-2)]));
    return eachComplexMatrix("BandedTriangularSolve", [a, b], [b], (diagonals, x) => {
      const main = isLower ? 0 : bands - 1;
      // Unlike its dense kin this kernel refuses a zero on the diagonal.
      for (let i = main * size; i < (main + 1) * size; i++)
        need(Math.abs(diagonals.re[i]) + Math.abs(diagonals.im[i]) > 0, () => "Input matrix is not invertible.");
      return [solveBanded(diagonals, x, isLower, isAdjoint)];
    });
  },
});

const tridiagonalTypes = ["float64", "float32", "complex64", "complex128"] as const satisfies readonly DType[];

/** A tridiagonal matrix times matrices: output[i] = subdiag[i]·rhs[i-1] + maindiag[i]·rhs[i] + superdiag[i]·rhs[i+1]. */
export const TridiagonalMatMul = defineOp("TridiagonalMatMul", {
  inputs: { superdiag: "T", maindiag: "T", subdiag: "T", rhs: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(tridiagonalTypes) },
  shape: ({ superdiag, maindiag, subdiag, rhs }) => {
    const whole = rhs.withRankAtLeast(2);
    const batches = whole.slice(0, -2);
    for (const diagonal of [superdiag, maindiag, subdiag]) {
      const row = diagonal.withRankAtLeast(2);
      row.slice(0, -2).mergeWith(batches);
      mergedDimension(row.dim(-1), whole.dim(-2));
    }
    return whole;
  },
  gradient: ({ superdiag, maindiag, subdiag, rhs }, d): Gradients => {
    const [above, on, below] = [superdiag, maindiag, subdiag].map(diagonal => matrixTranspose(diagonal, { conjugate: true }));
    const x = conj(rhs);
    const along = (y: Tensor): Tensor => expandDims(reduceSum(operator.mul(y, d.output), -1), -2);
    return {
      superdiag: along(shiftedRows(x, 1)),
      maindiag: along(x),
      subdiag: along(shiftedRows(x, -1)),
      rhs: operator.add(
        operator.add(shiftedRows(operator.mul(above, d.output), -1), operator.mul(on, d.output)),
        shiftedRows(operator.mul(below, d.output), 1),
      ),
    };
  },
  lower: ({ superdiag, maindiag, subdiag, rhs }) => {
    const rows = rhs.shape[rhs.shape.length - 2] ?? 0;
    const wanted = [...rhs.shape.slice(0, -2), 1, rows];
    [superdiag, maindiag, subdiag].forEach((diagonal, k) => {
      if (diagonal.shape.join() !== wanted.join())
        throw new InvalidArgumentError(
          `The diagonals of TridiagonalMatMul must have shape [${wanted}], but input ${k} has [${diagonal.shape}].`,
        );
    });
    return ir.generate(rhs.shape, i => {
      const [row, column] = i.slice(-2);
      const batch = i.slice(0, -2);
      const term = (diagonal: Value, by: number): Scalar => {
        const from = addIndex(row, constantIndex(by));
        const product = s.mul(s.load(diagonal, [...batch, constantIndex(0), row]), s.load(rhs, [...batch, from, column]));
        return s.guard([{ index: from, low: 0, high: rows }], product, s.constant(rhs.dtype, 0));
      };
      return s.add(s.add(term(subdiag, -1), term(maindiag, 0)), term(superdiag, 1));
    });
  },
});

/** R with R·R = input, for square matrices `[..., n, n]`. TF: tf.linalg.sqrtm. */
export const sqrtm = (input: TensorLike, options?: NameOption): Tensor => MatrixSquareRoot({ input }, named(options));

/** The principal logarithm of complex square matrices `[..., n, n]`. TF: tf.linalg.logm. */
export const logm = (input: TensorLike, options?: NameOption): Tensor => MatrixLogarithm({ input }, named(options));
