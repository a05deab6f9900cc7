// Linear operators of diagonal matrices: any diagonal, the identity, its multiples, zero.

import { type DType, isComplex } from "../../base/dtype.ts";
import { isInteger } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import type { IndexSpec } from "../../graph/tensor-operators.ts";
import { expandDims, numbersOf, ones, shape as shapeOf, zeros, zerosLike } from "../../ops/array/array.ts";
import { matrixDiag, matrixDiagPart, matrixSetDiag } from "../../ops/array/matrix.ts";
import { broadcastStaticShape } from "../../ops/array/padding.ts";
import { whereV2 } from "../../ops/array/selection.ts";
import { concat, ellipsis, getItem, newaxis, stack } from "../../ops/array/slicing.ts";
import { assertEqual, assertNonNegative, assertPositive, assertRank } from "../../ops/flow/check.ts";
import { noOp, withDependencies } from "../../ops/flow/control-flow.ts";
import { adjoint } from "../../ops/linalg/linalg.ts";
import { abs, conj, imag, log, real, sqrt } from "../../ops/math/functions.ts";
import { cast } from "../../ops/math/cast.ts";
import { equal } from "../../ops/math/comparison.ts";
import { reduceMax, reduceMin, reduceProd, reduceSum } from "../../ops/math/reduction.ts";
import { inNameScope, type NameOption } from "../../ops/named.ts";
import * as operator from "../../ops/operators.ts";
import { assertNoEntriesWithModulusZero, assertZeroImagPart, realOf, shapeTensor } from "./batches.ts";
import { commutingHints, LinearOperator, LinearOperatorLowerTriangular, type LinearOperatorOptions } from "./linear-operator.ts";
import type { Change } from "./slices.ts";

const { add, mul, pow, truediv } = operator;

/** Of a real matrix with a diagonal alone. @throws ValueError for the hint that it is not self-adjoint. */
function diagonalHint(dtype: DType, given: boolean | null | undefined): boolean | null {
  if (isComplex(dtype)) return given ?? null;
  if (given === false) throw new ValueError("A real diagonal operator is always self adjoint.");
  return true;
}

/** A diagonal matrix for each row of `diag` `[..., n]`. TF: tf.linalg.LinearOperatorDiag. */
export class LinearOperatorDiag extends LinearOperator {
  readonly diag: Tensor;

  constructor(diag: TensorLike, options: LinearOperatorOptions = {}) {
    const { name = "LinearOperatorDiag" } = options;
    const given = inNameScope({ name }, "", [diag], () => convertToTensor(diag, { name: "diag" }));
    if (given.shape.rank === 0) throw new ValueError(`Argument diag must have at least 1 dimension.  Found: ${given}`);
    const isSelfAdjoint = diagonalHint(given.dtype, options.isSelfAdjoint);
    if (options.isSquare === false) throw new ValueError("Only square diagonal operators currently supported.");
    super(given.dtype, { ...options, isSelfAdjoint, isSquare: true, name, parameters: { diag, ...options } });
    this.diag = given;
  }

  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorDiag(change(this.diag, 1), this.parameters);
  }
  protected _shape(): TensorShape {
    return this.diag.shape.concatenate(this.diag.shape.slice(-1));
  }
  protected override _shapeTensor(): Tensor {
    const sizes = shapeOf(this.diag);
    return concat([sizes, [getItem(sizes, -1)]], 0);
  }
  protected override _linopInverse(): LinearOperator {
    return new LinearOperatorDiag(truediv(1, this.diag), { ...this.hints, isSquare: true });
  }
  protected override _linopMatmul(left: LinearOperator, right: LinearOperator): LinearOperator {
    const { diag } = left as LinearOperatorDiag;
    const hints = commutingHints(left, right);
    if (right instanceof LinearOperatorDiag) return new LinearOperatorDiag(mul(diag, right.diag), hints);
    if (right instanceof LinearOperatorScaledIdentity) return new LinearOperatorDiag(mul(diag, right.multiplier), hints);
    if (!(right instanceof LinearOperatorLowerTriangular)) return super._linopMatmul(left, right);
    const rows = getItem(diag, ellipsis, newaxis);
    return new LinearOperatorLowerTriangular(mul(rows, right.toDense()), { ...hints, isPositiveDefinite: null });
  }
  protected override _linopSolve(left: LinearOperator, right: LinearOperator): LinearOperator {
    const { diag } = left as LinearOperatorDiag;
    const hints = commutingHints(left, right);
    if (right instanceof LinearOperatorDiag) return new LinearOperatorDiag(truediv(right.diag, diag), hints);
    if (right instanceof LinearOperatorScaledIdentity) return new LinearOperatorDiag(truediv(right.multiplier, diag), hints);
    if (!(right instanceof LinearOperatorLowerTriangular)) return super._linopSolve(left, right);
    const dense = right.toDense();
    return new LinearOperatorLowerTriangular(truediv(dense, getItem(diag, ellipsis, newaxis)), { ...hints, isPositiveDefinite: null });
  }
  protected override _assertNonSingular(): Operation {
    return assertNoEntriesWithModulusZero(this.diag, "Singular operator:  Diagonal contained zero values.");
  }
  protected override _assertPositiveDefinite(): Operation {
    const message = isComplex(this.dtype)
      ? "Diagonal operator had diagonal entries with non-positive real part, thus was not positive definite."
      : "Real diagonal operator had non-positive diagonal entries, thus was not positive definite.";
    return assertPositive(real(this.diag), { message });
  }
  protected override _assertSelfAdjoint(): Operation {
    return assertZeroImagPart(this.diag, "This diagonal operator contained non-zero imaginary values.   Thus it was not self-adjoint.");
  }
  protected override _linopAdjoint(): LinearOperator {
    return new LinearOperatorDiag(isComplex(this.dtype) ? conj(this.diag) : this.diag, { ...this.hints, isSquare: true });
  }
  protected override _linopCholesky(): LinearOperator {
    return new LinearOperatorDiag(sqrt(this.diag), { isNonSingular: true, isSelfAdjoint: true, isPositiveDefinite: true, isSquare: true });
  }
  private entries(isAdjoint: boolean): Tensor {
    return isAdjoint ? conj(this.diag) : this.diag;
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const diag = this.entries(isAdjoint);
    const given = adjointArg ? adjoint(x) : x;
    return mul(expandDims(diag, -1), given);
  }
  protected override _matvec(x: Tensor, isAdjoint: boolean): Tensor {
    return mul(this.entries(isAdjoint), x);
  }
  protected override _determinant(): Tensor {
    return reduceProd(this.diag, [-1]);
  }
  protected override _logAbsDeterminant(): Tensor {
    const sum = reduceSum(log(abs(this.diag)), [-1]);
    return isComplex(this.dtype) ? cast(sum, this.dtype) : sum;
  }
  protected override _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const diag = this.entries(isAdjoint);
    const given = adjointArg ? adjoint(rhs) : rhs;
    return mul(given, expandDims(truediv(1, diag), -1));
  }
  protected override _toDense(): Tensor {
    return matrixDiag(this.diag);
  }
  protected override _diagPart(): Tensor {
    return this.diag;
  }
  protected override _addToTensor(x: Tensor): Tensor {
    return matrixSetDiag(x, add(this.diag, matrixDiagPart(x)));
  }
  protected override _eigvals(): Tensor {
    return this.diag;
  }
  protected override _cond(): Tensor {
    const size = abs(this.diag);
    return truediv(reduceMax(size, -1), reduceMin(size, -1));
  }
}

// ---- operators that are told their sizes ----

/** A size or list of sizes that was given, with its value where that is known. */
interface Given {
  readonly tensor: Tensor;
  readonly known: NDArray | undefined;
}

/** @throws ValueError for what is known to be no size, TypeError for what is no integer. */
function sizesGiven(value: TensorLike, argument: string, rank: 0 | 1, checks: boolean): Given {
  const plain = shapeTensor(value, rank === 0 ? argument : `${argument}_arg`);
  const known = constantValue(plain);
  const [rankText, complaint] = [`Argument ${argument} must be a ${rank}-D Tensor.`, `Argument ${argument} must be non-negative.`];
  const tensor = checks
    ? withDependencies([assertRank(plain, rank, { message: rankText }), assertNonNegative(plain, { message: complaint })], plain)
    : plain;
  if (!isInteger(tensor.dtype)) throw new TypeError(`Argument ${argument} must be integer type.  Found: ${tensor}`);
  if (known === undefined) return { tensor, known };
  const shown = known.rank === 0 ? String(known.get(0)) : numpyText(numbersOf(known));
  if (known.rank !== rank) throw new ValueError(`${rankText}  Found: ${shown}`);
  if (numbersOf(known).some(size => size < 0)) throw new ValueError(`${complaint}  Found:${rank === 0 ? " " : ""}${shown}`);
  return { tensor, known };
}

/** A list of integers as numpy prints it. */
function numpyText(numbers: readonly number[]): string {
  const width = Math.max(0, ...numbers.map(number => String(number).length));
  return `[${numbers.map(number => String(number).padStart(width)).join(" ")}]`;
}

const knownSize = ({ known }: Given): number | null => (known === undefined ? null : Number(known.get(0)));
const knownShape = (given: Given | undefined): TensorShape =>
  new TensorShape(given === undefined ? [] : given.known === undefined ? null : numbersOf(given.known));

interface SizeOptions extends LinearOperatorOptions {
  /** Checks, while running, that sizes are sizes and fit those of arguments. */
  readonly assertProperShapes?: boolean;
}

/** An operator of `rows` × `columns` that are given, with a batch shape perhaps. */
abstract class Sized extends LinearOperator {
  protected abstract readonly rows: Given;
  protected abstract readonly columns: Given;
  protected abstract readonly batch: Given | undefined;
  protected abstract readonly checks: boolean;

  protected _shape(): TensorShape {
    return knownShape(this.batch).concatenate([knownSize(this.rows), knownSize(this.columns)]);
  }
  protected override _shapeTensor(): Tensor {
    const matrix = stack([this.rows.tensor, this.columns.tensor], 0);
    return this.batch === undefined ? matrix : concat([this.batch.tensor, matrix], 0);
  }
  /** The batch shape that slices leave. @throws ValueError without a batch shape. */
  protected slicedBatch(slices: readonly IndexSpec[]): Tensor {
    if (this.batch === undefined) throw new ValueError("None values not supported.");
    return shapeOf(getItem(ones(this.batch.tensor), ...slices));
  }
  /** An array filled with one number, as large as the batch of operators. */
  protected filled(fill: typeof ones): Tensor {
    return fill(this.batchShape.isFullyDefined ? this.batchShape : this.batchShapeTensor(), this.dtype);
  }
  protected get smallerSide(): number | null {
    const [columns, rows] = [this.domainDimension.value, this.rangeDimension.value];
    return columns === null || rows === null ? null : Math.min(columns, rows);
  }
  protected smallerSideTensor(): Tensor {
    return reduceMin(getItem(this.shapeTensor(), [-2, null]));
  }
  /** The diagonal, filled with one number. */
  protected filledDiagonal(fill: typeof ones): Tensor {
    if (this.shape.isFullyDefined) return fill(this.batchShape.concatenate([this.smallerSide]), this.dtype);
    return fill(concat([this.batchShapeTensor(), [this.smallerSideTensor()]], 0), this.dtype);
  }
  /** `x` with at least the operator's batch shape. */
  protected inBatch(x: Tensor): Tensor {
    if (this.batch === undefined) return x;
    const own = this.batchShape.concatenate([1, 1]);
    const whole = broadcastStaticShape(x.shape, own);
    if (!own.isFullyDefined) return add(x, zeros(concat([this.batchShapeTensor(), [1, 1]], 0), this.dtype));
    return whole.equals(x.shape) ? x : add(x, zeros(own, this.dtype));
  }
  /** `x`, behind a check of its rows where that was asked for. */
  protected checkedRows(x: Tensor): Tensor {
    if (!this.checks) return x;
    const message = "Dimensions are not compatible.  shape[-2] of argument to be the same as this operator";
    return withDependencies([assertEqual(getItem(shapeOf(x), -2), this.domainDimensionTensor(), { message })], x);
  }
}

interface IdentityOptions extends SizeOptions {
  readonly batchShape?: TensorLike | null;
  readonly dtype?: DType | null;
}

/** @throws ValueError for a hint that is not true of any operator of a class. */
function needHints(given: Readonly<Record<string, boolean | null>>, what: string): void {
  for (const [property, hint] of Object.entries(given)) if (!hint) throw new ValueError(`${what} is always ${property}.`);
}

/** The identity: matrices `[...batchShape, numRows, numRows]`. TF: tf.linalg.LinearOperatorIdentity. */
export class LinearOperatorIdentity extends Sized {
  protected readonly rows: Given;
  protected readonly batch: Given | undefined;
  protected readonly checks: boolean;

  constructor(numRows: TensorLike, options: IdentityOptions = {}) {
    const { batchShape, isNonSingular = true, isSelfAdjoint = true, isPositiveDefinite = true, isSquare = true } = options;
    const { assertProperShapes: checks = false, name = "LinearOperatorIdentity" } = options;
    needHints(
      { "self adjoint": isSelfAdjoint, "non-singular": isNonSingular, "positive-definite": isPositiveDefinite, square: isSquare },
      "An identity operator",
    );
    const sizes = inNameScope({ name }, "", [], () => {
      const rows = sizesGiven(numRows, "num_rows", 0, checks);
      return {
        rows,
        batch: batchShape === undefined || batchShape === null ? undefined : sizesGiven(batchShape, "batch_shape", 1, checks),
      };
    });
    const hints = { isNonSingular, isSelfAdjoint, isPositiveDefinite, isSquare };
    super(options.dtype ?? "float32", { ...hints, name, parameters: { numRows, ...options } });
    [this.rows, this.batch, this.checks] = [sizes.rows, sizes.batch, checks];
  }

  override at(...slices: readonly IndexSpec[]): LinearOperator {
    const { parameters } = this;
    return new LinearOperatorIdentity(parameters.numRows as TensorLike, { ...parameters, batchShape: this.slicedBatch(slices) });
  }
  protected override get role(): "identity" {
    return "identity";
  }
  protected get columns(): Given {
    return this.rows;
  }
  protected override _linopAdjoint(): LinearOperator {
    return this;
  }
  protected override _linopCholesky(): LinearOperator {
    const { batchShape, dtype } = this;
    return new LinearOperatorIdentity(this.rows.tensor, { batchShape, dtype });
  }
  protected override _linopInverse(): LinearOperator {
    return this;
  }
  protected override _linopMatmul(_left: LinearOperator, right: LinearOperator): LinearOperator {
    return right;
  }
  protected override _linopSolve(_left: LinearOperator, right: LinearOperator): LinearOperator {
    return right;
  }
  protected override _assertNonSingular(): Operation {
    return noOp({ name: "assert_non_singular" });
  }
  protected override _assertPositiveDefinite(): Operation {
    return noOp({ name: "assert_positive_definite" });
  }
  protected override _assertSelfAdjoint(): Operation {
    return noOp({ name: "assert_self_adjoint" });
  }
  protected _matmul(x: Tensor, _isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this.inBatch(this.checkedRows(adjointArg ? adjoint(x) : x));
  }
  protected override _determinant(): Tensor {
    return ones(this.batchShapeTensor(), this.dtype);
  }
  protected override _logAbsDeterminant(): Tensor {
    return zeros(this.batchShapeTensor(), this.dtype);
  }
  protected override _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this._matmul(rhs, isAdjoint, adjointArg);
  }
  protected override _trace(): Tensor {
    const batch = this.filled(ones);
    return mul(this.smallerSide ?? cast(this.smallerSideTensor(), this.dtype), batch);
  }
  protected override _diagPart(): Tensor {
    return this.filledDiagonal(ones);
  }
  override addToTensor(x: TensorLike, option?: NameOption): Tensor {
    return this.inScope(option, "add_to_tensor", () => {
      const mat = convertToTensor(x, { name: "mat" });
      return matrixSetDiag(mat, add(1, matrixDiagPart(mat)));
    });
  }
  protected override _eigvals(): Tensor {
    return this.filledDiagonal(ones);
  }
  protected override _cond(): Tensor {
    return ones(this.batchShapeTensor(), this.dtype);
  }
}

/** Multiples of the identity: a matrix `[numRows, numRows]` for each element of `multiplier`. TF: tf.linalg.LinearOperatorScaledIdentity. */
export class LinearOperatorScaledIdentity extends Sized {
  readonly multiplier: Tensor;
  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorScaledIdentity(this.parameters.numRows as TensorLike, change(this.multiplier, 0), this.parameters);
  }
  protected readonly rows: Given;
  protected readonly checks: boolean;
  private readonly count: { readonly own: Tensor; readonly real: Tensor };

  constructor(numRows: TensorLike, multiplier: TensorLike, options: SizeOptions = {}) {
    const { isSquare = true, assertProperShapes: checks = false, name = "LinearOperatorScaledIdentity" } = options;
    const made = inNameScope({ name }, "", [multiplier, numRows], () => {
      const given = convertToTensor(multiplier, { name: "multiplier" });
      const isSelfAdjoint = diagonalHint(given.dtype, options.isSelfAdjoint);
      if (!isSquare) throw new ValueError("A ScaledIdentity operator is always square.");
      const rows = sizesGiven(numRows, "num_rows", 0, checks);
      const count = { own: cast(rows.tensor, given.dtype), real: cast(rows.tensor, realOf(given.dtype)) };
      return { given, isSelfAdjoint, rows, count };
    });
    const { given, isSelfAdjoint, rows, count } = made;
    super(given.dtype, { ...options, isSelfAdjoint, isSquare, name, parameters: { numRows, multiplier, ...options } });
    [this.multiplier, this.rows, this.checks, this.count] = [given, rows, checks, count];
  }

  protected get columns(): Given {
    return this.rows;
  }
  protected get batch(): undefined {
    return undefined;
  }
  protected override _shape(): TensorShape {
    return this.multiplier.shape.concatenate(super._shape());
  }
  protected override _shapeTensor(): Tensor {
    const matrix = super._shapeTensor();
    return concat([shapeOf(this.multiplier), matrix], 0);
  }
  protected override _assertNonSingular(): Operation {
    return assertPositive(abs(this.multiplier), { message: "LinearOperator was singular" });
  }
  protected override _assertPositiveDefinite(): Operation {
    return assertPositive(real(this.multiplier), { message: "LinearOperator was not positive definite." });
  }
  protected override _assertSelfAdjoint(): Operation {
    const part = imag(this.multiplier);
    return assertEqual(zerosLike(part), part, { message: "LinearOperator was not self-adjoint" });
  }
  private asMatrices(isConjugate: boolean): Tensor {
    const matrices = expandDims(expandDims(this.multiplier, -1), -1);
    return isConjugate ? conj(matrices) : matrices;
  }
  protected override _linopAdjoint(): LinearOperator {
    const multiplier = isComplex(this.dtype) ? conj(this.multiplier) : this.multiplier;
    return new LinearOperatorScaledIdentity(this.rows.tensor, multiplier, { ...this.hints, isSquare: true });
  }
  protected override _linopCholesky(): LinearOperator {
    const hints = { isNonSingular: true, isSelfAdjoint: true, isPositiveDefinite: true, isSquare: true };
    return new LinearOperatorScaledIdentity(this.rows.tensor, sqrt(this.multiplier), hints);
  }
  protected override _linopInverse(): LinearOperator {
    return new LinearOperatorScaledIdentity(this.rows.tensor, truediv(1, this.multiplier), {
      ...this.hints,
      isSelfAdjoint: true,
      isSquare: true,
    });
  }
  /** A product with another diagonal operator, by what the diagonals are combined with. */
  private combined(
    left: LinearOperator,
    right: LinearOperator,
    combine: (left: Tensor, right: Tensor) => Tensor,
  ): LinearOperator | undefined {
    const { multiplier } = left as LinearOperatorScaledIdentity;
    const hints = commutingHints(left, right);
    if (right instanceof LinearOperatorScaledIdentity)
      return new LinearOperatorScaledIdentity(left.domainDimensionTensor(), combine(multiplier, right.multiplier), hints);
    return right instanceof LinearOperatorDiag ? new LinearOperatorDiag(combine(multiplier, right.diag), hints) : undefined;
  }
  protected override _linopMatmul(left: LinearOperator, right: LinearOperator): LinearOperator {
    const combine = (a: Tensor, b: Tensor): Tensor => (right instanceof LinearOperatorDiag ? mul(b, a) : mul(a, b));
    return this.combined(left, right, combine) ?? super._linopMatmul(left, right);
  }
  protected override _linopSolve(left: LinearOperator, right: LinearOperator): LinearOperator {
    return this.combined(left, right, (a, b) => truediv(b, a)) ?? super._linopSolve(left, right);
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const given = this.checkedRows(adjointArg ? adjoint(x) : x);
    return mul(given, this.asMatrices(isAdjoint));
  }
  protected override _determinant(): Tensor {
    return pow(this.multiplier, this.count.own);
  }
  protected override _logAbsDeterminant(): Tensor {
    return mul(this.count.real, log(abs(this.multiplier)));
  }
  protected override _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const given = this.checkedRows(adjointArg ? adjoint(rhs) : rhs);
    return truediv(given, this.asMatrices(isAdjoint));
  }
  protected override _trace(): Tensor {
    const batch = this.filled(ones);
    return mul(mul(this.multiplier, this.smallerSide ?? cast(this.smallerSideTensor(), this.dtype)), batch);
  }
  protected override _diagPart(): Tensor {
    const diagonal = this.filledDiagonal(ones);
    return mul(diagonal, getItem(this.multiplier, ellipsis, newaxis));
  }
  override addToTensor(x: TensorLike, option?: NameOption): Tensor {
    return this.inScope(option, "add_to_tensor", () => {
      const rows = expandDims(this.multiplier, -1);
      const mat = convertToTensor(x, { name: "mat" });
      return matrixSetDiag(mat, add(rows, matrixDiagPart(mat)));
    });
  }
  protected override _eigvals(): Tensor {
    return this._diagPart();
  }
  protected override _cond(): Tensor {
    const isZero = equal(this.multiplier, 0);
    return whereV2(isZero, cast(NDArray.from(Number.NaN, "float32"), this.dtype), cast(NDArray.from(1, "float32"), this.dtype));
  }
}

interface ZerosOptions extends IdentityOptions {
  /** As many columns as rows by default. */
  readonly numColumns?: TensorLike | null;
}

/** Matrices of zeros, `[...batchShape, numRows, numColumns]`. TF: tf.linalg.LinearOperatorZeros. */
export class LinearOperatorZeros extends Sized {
  protected readonly rows: Given;
  protected readonly columns: Given;
  protected readonly batch: Given | undefined;
  protected readonly checks: boolean;

  constructor(numRows: TensorLike, options: ZerosOptions = {}) {
    const { numColumns, batchShape, isNonSingular = false, isSelfAdjoint = true, isPositiveDefinite = false, isSquare = true } = options;
    const { assertProperShapes: checks = false, name = "LinearOperatorZeros" } = options;
    if (!isSelfAdjoint && isSquare) throw new ValueError("A zero operator is always self adjoint.");
    if (isNonSingular) throw new ValueError("A zero operator is always singular.");
    if (isPositiveDefinite) throw new ValueError("A zero operator is always not positive-definite.");
    if (isSelfAdjoint && isSquare === false) throw new ValueError("A self-adjoint matrix is always square.");
    const sizes = inNameScope({ name }, "", [], () => {
      const [row, column] = [shapeTensor(numRows, "num_rows"), shapeTensor(numColumns ?? numRows, "num_columns")];
      const [rows, columns] = [sizesGiven(row, "num_rows", 0, checks), sizesGiven(column, "num_columns", 0, checks)];
      const [m, n] = [knownSize(rows), knownSize(columns)];
      if (m !== null && n !== null && isSquare && m !== n)
        throw new ValueError(`LinearOperatorZeros initialized as is_square=True, but got num_rows(${m}) != num_columns(${n})`);
      return {
        rows,
        columns,
        batch: batchShape === undefined || batchShape === null ? undefined : sizesGiven(batchShape, "batch_shape", 1, checks),
      };
    });
    const hints = { isNonSingular, isSelfAdjoint, isPositiveDefinite, isSquare };
    super(options.dtype ?? "float32", { ...hints, name, parameters: { numRows, ...options } });
    [this.rows, this.columns, this.batch, this.checks] = [sizes.rows, sizes.columns, sizes.batch, checks];
  }

  override at(...slices: readonly IndexSpec[]): LinearOperator {
    const { parameters } = this;
    return new LinearOperatorZeros(parameters.numRows as TensorLike, { ...parameters, batchShape: this.slicedBatch(slices) });
  }
  protected override get role(): "zeros" {
    return "zeros";
  }
  protected override _assertNonSingular(): Operation {
    throw new InvalidArgumentError("Zero operators are always non-invertible.");
  }
  protected override _assertPositiveDefinite(): Operation {
    throw new InvalidArgumentError("Zero operators are always non-positive definite.");
  }
  protected override _assertSelfAdjoint(): Operation {
    return noOp({ name: "assert_self_adjoint" });
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const given = this.checks ? this.checkedRows(adjointArg ? adjoint(x) : x) : x;
    const size = (axis: number): Tensor => getItem(shapeOf(given), axis);
    if (this.isSquare) {
      const sizes = adjointArg ? concat([getItem(shapeOf(given), [null, -2]), [size(-1), size(-2)]], 0) : shapeOf(given);
      return this.inBatch(zeros(sizes, x.dtype));
    }
    const sizes = shapeOf(given);
    const rows = (isAdjoint ? this.columns : this.rows).tensor;
    const columns = getItem(sizes, adjointArg ? -2 : -1);
    return this.inBatch(zeros(concat([getItem(sizes, [null, -2]), [rows, columns]], 0), x.dtype));
  }
  protected override _linopMatmul(left: LinearOperator, right: LinearOperator): LinearOperator {
    if (left.isSquare && right.isSquare) return left;
    throw new ValueError("Matmul with non-square `LinearOperator`s or non-square `LinearOperatorZeros` not supported at this time.");
  }
  protected override _determinant(): Tensor {
    return this.filled(zeros);
  }
  protected override _trace(): Tensor {
    return this.filled(zeros);
  }
  protected override _diagPart(): Tensor {
    return this.filledDiagonal(zeros);
  }
  override addToTensor(x: TensorLike): Tensor {
    return this.inBatch(convertToTensor(x));
  }
  protected override _eigvals(): Tensor {
    return this.filledDiagonal(zeros);
  }
}
