// Linear operators: matrices that are known by what they do. The base class has every method by way of the dense matrix; a class defines the hooks
// (TensorFlow's names, underscore included) that it can do better. Here too are the four that others are made of: lower triangles (Cholesky factors),
// adjoints, inverses and products. What is known of an operator (hints) decides which way is taken.

import type { Dimension } from "../../base/dimension.ts";
import { type DType, isDType, noDtype } from "../../base/dtype.ts";
import { NotImplementedError, ValueError } from "../../base/errors.ts";
import type { TensorShape } from "../../base/shape.ts";
import type { Callable } from "../../graph/composite.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import { type Operation, Tensor } from "../../graph/operation.ts";
import { expandDims, rank, size, shape as shapeOf, squeeze, zeros } from "../../ops/array/array.ts";
import type { IndexSpec } from "../../graph/tensor-operators.ts";
import { eye, matrixBandPart, matrixDiagPart } from "../../ops/array/matrix.ts";
import { broadcastStaticShape } from "../../ops/array/padding.ts";
import { range } from "../../ops/array/ranges.ts";
import { concat, ellipsis, getItem, stack } from "../../ops/array/slicing.ts";
import { assertEqual, assertLess, assertPositive, assertProperIterable } from "../../ops/flow/check.ts";
import { group } from "../../ops/flow/control-flow.ts";
import {
  adjoint,
  cholesky,
  choleskySolve,
  matrixDeterminant,
  matrixTriangularSolve,
  selfAdjointEigvals,
  slogdet,
  svd,
} from "../../ops/linalg/linalg.ts";
import { abs, conj, exp, log, sign } from "../../ops/math/functions.ts";
import { cast } from "../../ops/math/cast.ts";
import { matmul } from "../../ops/math/matrix.ts";
import { reduceMax, reduceMin, reduceProd, reduceSum } from "../../ops/math/reduction.ts";
import { inNameScope, type NameOption, named } from "../../ops/named.ts";
import * as operator from "../../ops/operators.ts";
import { assertNoEntriesWithModulusZero, matrixSolveWithBroadcast, roundoff, shapeTensor } from "./batches.ts";
import { operatorAnswers } from "./operator-answers.ts";
import { type Change, slicing } from "./slices.ts";

const { add, mul, truediv } = operator;

/** Known to be so, known not to be so, or not known. */
export type Hint = boolean | null;
type Size = InstanceType<typeof Dimension>;
type Parameters = Readonly<Record<string, unknown>>;

/** What may be known of an operator's matrix. */
export interface LinearOperatorHints {
  readonly isNonSingular?: Hint;
  readonly isSelfAdjoint?: Hint;
  /** xᴴ·A·x has a positive real part for every x that is not zero. */
  readonly isPositiveDefinite?: Hint;
  readonly isSquare?: Hint;
}

export interface LinearOperatorOptions extends LinearOperatorHints {
  readonly name?: string | null;
}

interface OwnOptions extends LinearOperatorOptions {
  readonly graphParents?: readonly Tensor[] | null;
  readonly parameters?: Parameters | null;
}

export interface AdjointOption {
  /** Multiplies with (solves for) the conjugate transpose. */
  readonly adjoint?: boolean;
  readonly name?: Named["name"];
}

export interface ProductOptions extends AdjointOption {
  /** Takes the conjugate transpose of the argument. */
  readonly adjointArg?: boolean;
}

/** The base of all linear operators; a class of one's own defines `_shape`, `_matmul`, and what else it can do better. TF: tf.linalg.LinearOperator. */
export abstract class LinearOperator {
  readonly dtype: DType;
  readonly name: string;
  readonly parameters: Parameters;
  readonly graphParents: readonly Tensor[];
  readonly isNonSingular: Hint;
  readonly isSelfAdjoint: Hint;
  readonly isPositiveDefinite: Hint;
  private readonly squareHint: Hint;

  /** @throws ValueError for hints that contradict each other. */
  constructor(dtype: DType, options: OwnOptions = {}) {
    const { graphParents, isSelfAdjoint = null, isPositiveDefinite = null, name, parameters } = options;
    let { isNonSingular = null, isSquare = null } = options;
    if (isPositiveDefinite) {
      if (isNonSingular === false) throw new ValueError("A positive definite matrix is always non-singular.");
      isNonSingular = true;
    }
    if (isNonSingular) {
      if (isSquare === false) throw new ValueError("A non-singular matrix is always square.");
      isSquare = true;
    }
    if (isSelfAdjoint) {
      if (isSquare === false) throw new ValueError("A self-adjoint matrix is always square.");
      isSquare = true;
    }
    if (dtype !== null && !isDType(dtype)) throw noDtype(dtype);
    (graphParents ?? []).forEach((parent, i) => {
      if (!(parent instanceof Tensor)) throw new ValueError(`Graph parent item ${i} is not a Tensor; ${String(parent)}.`);
    });
    this.graphParents = graphParents ?? [];
    this.dtype = dtype;
    [this.isNonSingular, this.isSelfAdjoint, this.isPositiveDefinite] = [isNonSingular, isSelfAdjoint, isPositiveDefinite];
    this.squareHint = isSquare;
    this.parameters = parameters ?? {};
    this.name = name || this.constructor.name;
  }

  // ---- hooks ----

  protected abstract _shape(): TensorShape;
  protected abstract _matmul(x: Tensor, adjoint: boolean, adjointArg: boolean): Tensor;

  protected _shapeTensor(): Tensor {
    throw new NotImplementedError("_shape_tensor is not implemented.");
  }
  protected _batchShapeTensor(given?: Tensor): Tensor {
    if (this.batchShape.isFullyDefined) return shapeTensor(this.batchShape.asList(), "batch_shape");
    return getItem(given ?? this.shapeTensor(), [null, -2]);
  }
  protected _tensorRankTensor(): Tensor {
    const { tensorRank } = this;
    return tensorRank === null ? size(this.shapeTensor()) : shapeTensor(tensorRank);
  }
  protected _domainDimensionTensor(given?: Tensor): Tensor {
    const { value } = this.domainDimension;
    return value === null ? getItem(given ?? this.shapeTensor(), -1) : shapeTensor(value);
  }
  protected _rangeDimensionTensor(given?: Tensor): Tensor {
    const { value } = this.rangeDimension;
    return value === null ? getItem(given ?? this.shapeTensor(), -2) : shapeTensor(value);
  }
  protected _assertNonSingular(): Operation {
    if (this.canUseCholesky) return this.assertPositiveDefinite();
    const values = svd(this.toDense(), { computeUv: false });
    const cond = truediv(reduceMax(values, -1), reduceMin(values, -1));
    return assertLess(cond, this.maxConditionNumber(), { message: "Singular matrix up to precision epsilon." });
  }
  protected _assertPositiveDefinite(): Operation {
    if (!this.isSelfAdjoint) throw new NotImplementedError("assert_positive_definite is not implemented.");
    return assertPositive(matrixDiagPart(cholesky(this.toDense())), { message: "Matrix was not positive definite." });
  }
  protected _assertSelfAdjoint(): Operation {
    const dense = this.toDense();
    return assertEqual(dense, adjoint(dense), { message: "Matrix was not equal to its adjoint." });
  }
  protected _matvec(x: Tensor, isAdjoint: boolean): Tensor {
    return squeeze(this.matmul(expandDims(x, -1), { adjoint: isAdjoint }), -1);
  }
  protected _determinant(): Tensor {
    return this.canUseCholesky ? exp(this.logAbsDeterminant()) : matrixDeterminant(this.toDense());
  }
  protected _logAbsDeterminant(): Tensor {
    if (!this.canUseCholesky) return slogdet(this.toDense()).logAbsDeterminant;
    const diagonal = matrixDiagPart(cholesky(this.toDense()));
    return mul(2, reduceSum(log(diagonal), [-1]));
  }
  protected _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this.denseSolve(rhs, isAdjoint, adjointArg);
  }
  protected _solvevec(rhs: Tensor, isAdjoint: boolean): Tensor {
    return squeeze(this.solve(expandDims(rhs, -1), { adjoint: isAdjoint }), -1);
  }
  protected _toDense(): Tensor {
    const batchShape: TensorLike = this.batchShape.isFullyDefined ? this.batchShape.asList() : this.batchShapeTensor();
    const rows = this.domainDimension.value ?? this.domainDimensionTensor();
    return this.matmul(eye(rows, { batchShape, dtype: this.dtype }));
  }
  protected _diagPart(): Tensor {
    return matrixDiagPart(this.toDense());
  }
  protected _trace(): Tensor {
    return reduceSum(this.diagPart(), -1);
  }
  protected _addToTensor(x: Tensor): Tensor {
    return add(this.toDense(), x);
  }
  protected _eigvals(): Tensor {
    return selfAdjointEigvals(this.toDense());
  }
  /** The operator made again, of what `change` gives for each tensor and operator it is made of. */
  protected _remade(_change: Change): LinearOperator {
    throw new NotImplementedError(
      `${this.constructor.name} says of no parameter what belongs to a matrix: it is made of nothing that slices.`,
    );
  }
  protected _cond(): Tensor {
    const values = this.isSelfAdjoint ? abs(this._eigvals()) : svd(this.toDense(), { computeUv: false });
    return truediv(reduceMax(values, -1), reduceMin(values, -1));
  }
  protected _linopAdjoint(): LinearOperator {
    return new LinearOperatorAdjoint(this, this.hints);
  }
  protected _linopInverse(): LinearOperator {
    return new LinearOperatorInversion(this, this.hints);
  }
  protected _linopCholesky(): LinearOperator {
    return new LinearOperatorLowerTriangular(cholesky(this.toDense()), { isNonSingular: true, isSelfAdjoint: false, isSquare: true });
  }
  protected _linopMatmul(left: LinearOperator, right: LinearOperator): LinearOperator {
    const { role } = right;
    if (role === "identity") return left;
    if (role !== "zeros") return new LinearOperatorComposition([left, right], productHints(left, right));
    if (right.isSquare && left.isSquare) return right;
    throw new ValueError("Matmul with non-square `LinearOperator`s or non-square `LinearOperatorZeros` not supported at this time.");
  }
  protected _linopSolve(left: LinearOperator, right: LinearOperator): LinearOperator {
    if (right.role === "identity") return left.inverse();
    return new LinearOperatorComposition([new LinearOperatorInversion(left), right], productHints(left, right));
  }

  /** What products with this operator may be simplified by. */
  protected get role(): "identity" | "zeros" | null {
    return null;
  }

  // ---- what is known ----

  /** The sizes of the matrices, batch dimensions first, as far as they are known. */
  get shape(): TensorShape {
    return this._shape();
  }
  get batchShape(): TensorShape {
    return this.shape.slice(0, -2);
  }
  get tensorRank(): number | null {
    return getDefaultGraph().nameScope(`${this.name}/tensor_rank`, () => this.shape.rank);
  }
  /** How many columns the matrices have. */
  get domainDimension(): Size {
    return this.shape.at(-1);
  }
  /** How many rows the matrices have. */
  get rangeDimension(): Size {
    return this.shape.at(-2);
  }
  /** @throws ValueError if the hint was that it is not, and it is. */
  get isSquare(): Hint {
    const isSame = sameSize(this.domainDimension, this.rangeDimension);
    if (this.squareHint === false && isSame) throw new ValueError("User set is_square hint to False, but the operator was square.");
    return this.squareHint ?? isSame;
  }
  protected get hints(): LinearOperatorHints {
    const { isNonSingular, isSelfAdjoint, isPositiveDefinite, isSquare } = this;
    return { isNonSingular, isSelfAdjoint, isPositiveDefinite, isSquare };
  }
  protected get canUseCholesky(): boolean {
    return Boolean(this.isSelfAdjoint && this.isPositiveDefinite);
  }

  /** `[..., rows, columns]`. */
  shapeTensor(option?: NameOption): Tensor {
    return this.inScope(option, "shape_tensor", () => (this.shape.isFullyDefined ? shapeTensor(this.shape.asList()) : this._shapeTensor()));
  }
  batchShapeTensor(option?: NameOption): Tensor {
    return this.inScope(option, "batch_shape_tensor", () => this._batchShapeTensor());
  }
  tensorRankTensor(option?: NameOption): Tensor {
    return this.inScope(option, "tensor_rank_tensor", () => this._tensorRankTensor());
  }
  domainDimensionTensor(option?: NameOption): Tensor {
    return this.inScope(option, "domain_dimension_tensor", () => this._domainDimensionTensor());
  }
  rangeDimensionTensor(option?: NameOption): Tensor {
    return this.inScope(option, "range_dimension_tensor", () => this._rangeDimensionTensor());
  }

  /** An operation that fails unless the matrices are far from singular. */
  assertNonSingular(option?: NameOption): Operation {
    return this.inScope(option, "assert_non_singular", () => this._assertNonSingular());
  }
  assertPositiveDefinite(option?: NameOption): Operation {
    return this.inScope(option, "assert_positive_definite", () => this._assertPositiveDefinite());
  }
  assertSelfAdjoint(option?: NameOption): Operation {
    return this.inScope(option, "assert_self_adjoint", () => this._assertSelfAdjoint());
  }

  // ---- what it does ----

  /** A·x for matrices `[..., columns, k]`, or the product with another operator. @throws ValueError for sizes that do not fit. */
  matmul(x: LinearOperator, options?: ProductOptions): LinearOperator;
  matmul(x: TensorLike, options?: ProductOptions): Tensor;
  matmul(x: TensorLike | LinearOperator, options: ProductOptions = {}): Tensor | LinearOperator {
    const { adjoint: isAdjoint = false, adjointArg = false, name = "matmul" } = options;
    if (x instanceof LinearOperator) {
      const [left, right] = this.factors(x, isAdjoint, adjointArg, "x");
      return this.inScope({ name }, "", () => this._linopMatmul(left, right));
    }
    return this.inScope({ name }, "", () =>
      this._matmul(this.fitting(x, "x", isAdjoint ? -2 : -1, adjointArg ? -1 : -2), isAdjoint, adjointArg),
    );
  }

  /** A·x for vectors `[..., columns]`. */
  matvec(x: TensorLike, options: AdjointOption = {}): Tensor {
    const { adjoint: isAdjoint = false, name = "matvec" } = options;
    return this.inScope({ name }, "", () => this._matvec(this.fitting(x, "x", isAdjoint ? -2 : -1, -1), isAdjoint));
  }

  /** X with A·X = rhs, for `[..., rows, k]` or another operator. @throws NotImplementedError where A is known to be singular or not square. */
  solve(rhs: LinearOperator, options?: ProductOptions): LinearOperator;
  solve(rhs: TensorLike, options?: ProductOptions): Tensor;
  solve(rhs: TensorLike | LinearOperator, options: ProductOptions = {}): Tensor | LinearOperator {
    const { adjoint: isAdjoint = false, adjointArg = false, name = "solve" } = options;
    this.needSolvable();
    if (rhs instanceof LinearOperator) {
      const [left, right] = this.factors(rhs, isAdjoint, adjointArg, "rhs");
      return this.inScope({ name }, "", () => this._linopSolve(left, right));
    }
    return this.inScope({ name }, "", () =>
      this._solve(this.fitting(rhs, "rhs", isAdjoint ? -1 : -2, adjointArg ? -1 : -2), isAdjoint, adjointArg),
    );
  }

  /** x with A·x = rhs, for vectors `[..., rows]`. */
  solvevec(rhs: TensorLike, options: AdjointOption = {}): Tensor {
    const { adjoint: isAdjoint = false, name = "solve" } = options;
    return this.inScope({ name }, "", () => this._solvevec(this.fitting(rhs, "rhs", isAdjoint ? -1 : -2, -1), isAdjoint));
  }

  /** The determinants, `[...]`. @throws NotImplementedError where the matrices are known not to be square. */
  determinant(option?: NameOption): Tensor {
    this.needDeterminant();
    return this.inScope(option, "det", () => this._determinant());
  }
  logAbsDeterminant(option?: NameOption): Tensor {
    this.needDeterminant();
    return this.inScope(option, "log_abs_det", () => this._logAbsDeterminant());
  }

  /** The conjugate transpose; itself where that is known to be the same. */
  adjoint(option?: NameOption): LinearOperator {
    return this.isSelfAdjoint === true ? this : this.inScope(option, "adjoint", () => this._linopAdjoint());
  }
  get H(): LinearOperator {
    return this.adjoint();
  }
  /** @throws ValueError where there is none. */
  inverse(option?: NameOption): LinearOperator {
    if (this.isSquare === false) throw new ValueError("Cannot take the Inverse: This operator represents a non square matrix.");
    if (this.isNonSingular === false) throw new ValueError("Cannot take the Inverse: This operator represents a singular matrix.");
    return this.inScope(option, "inverse", () => this._linopInverse());
  }
  /** The lower triangle L with L·Lᴴ = A. @throws ValueError unless A is known to be self-adjoint and positive definite. */
  cholesky(option?: NameOption): LinearOperator {
    if (!this.canUseCholesky) throw new ValueError("Cannot take the Cholesky decomposition: Not a positive definite self adjoint matrix.");
    return this.inScope(option, "cholesky", () => this._linopCholesky());
  }

  /** The matrices themselves, `[..., rows, columns]`. */
  toDense(option?: NameOption): Tensor {
    return this.inScope(option, "to_dense", () => this._toDense());
  }
  diagPart(option?: NameOption): Tensor {
    return this.inScope(option, "diag_part", () => this._diagPart());
  }
  /** The sum of the diagonal. */
  trace(option?: NameOption): Tensor {
    return this.inScope(option, "trace", () => this._trace());
  }
  /** A + x. */
  addToTensor(x: TensorLike, option?: NameOption): Tensor {
    return this.inScope(option, "add_to_tensor", () => this._addToTensor(this.argument(x, "x")));
  }
  /** The eigenvalues. @throws NotImplementedError unless A is known to be self-adjoint. */
  eigvals(option?: NameOption): Tensor {
    if (!this.isSelfAdjoint) throw new NotImplementedError("Only self-adjoint matrices are supported.");
    return this.inScope(option, "eigvals", () => this._eigvals());
  }
  /** The largest singular value over the smallest. */
  cond(option?: NameOption): Tensor {
    return this.inScope(option, "cond", () => this._cond());
  }

  /** Of a batch of matrices those at these places: numbers, ranges, `tf.ellipsis` and `tf.newaxis` for its dimensions, as of a tensor's.
   *  @throws ValueError for places outside of the batch. TF: LinearOperator.__getitem__. */
  at(...slices: readonly IndexSpec[]): LinearOperator {
    const isWhole = slices.length === 1 && slices[0] === ellipsis;
    return this._remade(isWhole ? parameter => parameter : slicing(slices, this.batchShapeTensor()));
  }
  /** For operators that are made of this one. */
  remade(change: Change): LinearOperator {
    return this._remade(change);
  }
  /** What a function of the public API does with an operator. @throws TypeError for one that takes none. */
  answer(plain: Callable, given: readonly unknown[]): unknown {
    const own = operatorAnswers().get(plain);
    return own === undefined ? plain(...given) : own.answer(plain, ...given);
  }

  // ---- how they do it ----

  /** In a scope of the method's own, under this operator's name; without a name, in one of the operator's name. */
  protected inScope<R>(option: NameOption | undefined, fallback: string, body: () => R): R {
    const { name = fallback } = named(option);
    return getDefaultGraph().nameScope(name === null ? this.name : `${this.name}/${name}`, body);
  }

  /** An argument as a tensor of the operator's type. */
  protected argument(x: TensorLike, name?: string): Tensor {
    const given = convertToTensor(x, { name });
    if (given.dtype !== this.dtype) {
      const [own, other] = [this.dtype, given.dtype].map(dtype => `<dtype: '${dtype}'>`);
      throw new TypeError(`Expected argument to have dtype ${own}.  Found: ${other} in tensor ${given}`);
    }
    return given;
  }

  /** An argument whose size along `theirs` is this operator's along `own`. */
  private fitting(x: TensorLike, name: string, own: number, theirs: number): Tensor {
    const given = this.argument(x, name);
    this.shape.at(own).assertIsCompatibleWith(given.shape.at(theirs));
    return given;
  }

  /** Both operators of a product, if their sizes fit. */
  protected factors(x: LinearOperator, isAdjoint: boolean, adjointArg: boolean, argument: string): [LinearOperator, LinearOperator] {
    const [left, right] = [isAdjoint ? this.adjoint() : this, adjointArg ? x.adjoint() : x];
    if (sameSize(right.rangeDimension, left.domainDimension) === false)
      throw new ValueError(
        `Operators are incompatible. Expected \`${argument}\` to have dimension ${left.domainDimension} but got ${right.rangeDimension}.`,
      );
    return [left, right];
  }

  protected needSolvable(): void {
    if (this.isNonSingular === false)
      throw new NotImplementedError("Exact solve not implemented for an operator that is expected to be singular.");
    if (this.isSquare === false)
      throw new NotImplementedError("Exact solve not implemented for an operator that is expected to not be square.");
  }

  private needDeterminant(): void {
    if (this.isSquare === false)
      throw new NotImplementedError("Determinant not implemented for an operator that is expected to not be square.");
  }

  protected denseSolve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    if (this.isSquare === false) throw new NotImplementedError("Solve is not yet implemented for non-square operators.");
    const given = adjointArg ? adjoint(rhs) : rhs;
    if (this.canUseCholesky) return choleskySolve(cholesky(this.toDense()), given);
    return matrixSolveWithBroadcast(this.toDense(), given, isAdjoint);
  }

  /** The largest condition number at which a matrix does not count as singular. */
  private maxConditionNumber(): Tensor {
    return inNameScope("max_nonsingular_condition_number", "", [], () => {
      const sizes = [cast(this.rangeDimensionTensor(), this.dtype), cast(this.domainDimensionTensor(), this.dtype)];
      const limits = [100, ...sizes] as TensorLike;
      const largest = cast(reduceMax(limits, range(0, rank(limits))), this.dtype);
      return truediv(1, mul(largest, roundoff(this.dtype)));
    });
  }
}

// ---- what products know of their factors ----

const sameSize = (a: Size, b: Size): Hint => (a.value === null || b.value === null ? null : a.value === b.value);

/** Of a product of operators that commute. */
export const commutingHints = (a: LinearOperator, b: LinearOperator): LinearOperatorHints => {
  const [one, other] = [a.isSelfAdjoint, b.isSelfAdjoint];
  const isDefinite = [a, b].every(factor => factor.isPositiveDefinite === true && factor.isSelfAdjoint === true);
  return {
    isNonSingular: nonSingularHint(a, b),
    isSelfAdjoint: one && other ? true : one !== null && other !== null && one !== other ? false : null,
    isPositiveDefinite: isDefinite ? true : null,
    isSquare: true,
  };
};

export function nonSingularHint(a: LinearOperator, b: LinearOperator): Hint {
  if (a.isNonSingular === false || b.isNonSingular === false) return false;
  return a.isNonSingular && b.isNonSingular;
}

function squareHintOf(a: LinearOperator, b: LinearOperator): Hint {
  const [one, other] = [a.isSquare, b.isSquare];
  if (one && other) return true;
  if (one === false && other === false) return sameSize(a.rangeDimension, b.domainDimension);
  return one !== other && one !== null && other !== null ? false : null;
}

function productHints(a: LinearOperator, b: LinearOperator): LinearOperatorHints {
  const isSquare = squareHintOf(a, b);
  if (isSquare) return { isSquare, isNonSingular: nonSingularHint(a, b) };
  return isSquare === null ? {} : { isSquare, isNonSingular: false, isSelfAdjoint: false, isPositiveDefinite: false };
}

/** What an operator and its adjoint or inverse have in common. @throws ValueError where the hint says otherwise. */
function combinedHint(own: Hint, given: Hint | undefined, property: string, change: string): Hint {
  if ((own === false && given) || (own && given === false))
    throw new ValueError(`An operator is ${property} if and only if its ${change} is ${property}.`);
  if (own || given) return true;
  return own === false || given === false ? false : null;
}

const combinedHints = (operand: LinearOperator, given: LinearOperatorHints, change: string): LinearOperatorHints => ({
  isSquare: combinedHint(operand.isSquare, given.isSquare, "square", change),
  isNonSingular: combinedHint(operand.isNonSingular, given.isNonSingular, "non-singular", change),
  isSelfAdjoint: combinedHint(operand.isSelfAdjoint, given.isSelfAdjoint, "self-adjoint", change),
  isPositiveDefinite: combinedHint(operand.isPositiveDefinite, given.isPositiveDefinite, "positive-definite", change),
});

/** Opens and closes the scope that TensorFlow opens around a constructor that makes no nodes: the name counts as used. */
export const scopeOnly = (name: string): string => getDefaultGraph().nameScope(name, () => name);

/** The type that all operators have. @throws ValueError if there is none, TypeError if types differ. */
export function commonType(operators: readonly LinearOperator[], none: string, differ: (pairs: readonly string[]) => string): DType {
  assertProperIterable(operators);
  if (operators.length === 0) throw new ValueError(none);
  const [{ dtype }] = operators;
  if (operators.some(other => other.dtype !== dtype))
    throw new TypeError(differ(operators.map(other => `('${other.name}', tf.${other.dtype})`)));
  return dtype;
}

/** A property that the whole has if all parts have it. @throws ValueError where the hint says otherwise. */
export function hintOfAll(given: Hint | undefined, isSo: boolean, complaint: string): Hint {
  if (isSo && given === false) throw new ValueError(complaint);
  return isSo ? true : (given ?? null);
}

/** The batch shape of several operators together. */
export const commonBatch = (operators: readonly LinearOperator[]): TensorShape =>
  operators.map(({ batchShape }) => batchShape).reduce(broadcastStaticShape);

/** The same while running: sums of empty arrays broadcast like their shapes. */
export function commonBatchTensor(operators: readonly LinearOperator[]): Tensor {
  const [first, ...rest] = operators;
  return shapeOf(rest.reduce((sum, other) => add(sum, zeros(other.batchShapeTensor())), zeros(first.batchShapeTensor())));
}

// ---- the operators that others are made of ----

/** The lower triangles of matrices `[..., n, n]`; what is above counts as zero. TF: tf.linalg.LinearOperatorLowerTriangular. */
export class LinearOperatorLowerTriangular extends LinearOperator {
  readonly tril: Tensor;

  constructor(tril: TensorLike, options: LinearOperatorOptions = {}) {
    const { name = "LinearOperatorLowerTriangular" } = options;
    if (options.isSquare === false) throw new ValueError("Only square lower triangular operators supported at this time.");
    const given = inNameScope({ name }, "", [tril], () => convertToTensor(tril, { name: "tril" }));
    if (given.shape.rank !== null && given.shape.rank < 2)
      throw new ValueError(`Argument tril must have at least 2 dimensions.  Found: ${given}`);
    super(given.dtype, { ...options, isSquare: true, name, parameters: { tril, ...options } });
    this.tril = given;
  }

  private triangle(): Tensor {
    return matrixBandPart(this.tril, -1, 0);
  }
  private diagonal(): Tensor {
    return matrixDiagPart(this.tril);
  }
  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorLowerTriangular(change(this.tril, 2), this.parameters);
  }
  protected _shape(): TensorShape {
    return this.tril.shape;
  }
  protected override _shapeTensor(): Tensor {
    return shapeOf(this.tril);
  }
  protected override _assertNonSingular(): Operation {
    return assertNoEntriesWithModulusZero(this.diagonal(), "Singular operator:  Diagonal contained zero values.");
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return matmul(this.triangle(), x, { adjointA: isAdjoint, adjointB: adjointArg });
  }
  protected override _linopMatmul(left: LinearOperator, right: LinearOperator): LinearOperator {
    if (!("diag" in right && right.diag instanceof Tensor)) return super._linopMatmul(left, right);
    const { isNonSingular, isSelfAdjoint } = commutingHints(right, left);
    return new LinearOperatorLowerTriangular(mul(left.toDense(), right.diag), { isNonSingular, isSelfAdjoint, isSquare: true });
  }
  protected override _determinant(): Tensor {
    return reduceProd(this.diagonal(), [-1]);
  }
  protected override _logAbsDeterminant(): Tensor {
    return reduceSum(log(abs(this.diagonal())), [-1]);
  }
  protected override _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const given = adjointArg ? adjoint(rhs) : rhs;
    return matrixTriangularSolve(this.triangle(), given, { lower: true, adjoint: isAdjoint });
  }
  protected override _toDense(): Tensor {
    return this.triangle();
  }
  protected override _eigvals(): Tensor {
    return this.diagonal();
  }
}

/** The conjugate transpose of an operator. TF: tf.linalg.LinearOperatorAdjoint. */
export class LinearOperatorAdjoint extends LinearOperator {
  readonly operator: LinearOperator;

  constructor(operator: LinearOperator, options: LinearOperatorOptions = {}) {
    const hints = combinedHints(operator, options, "adjoint");
    const name = options.name ?? `${operator.name}_adjoint`;
    super(operator.dtype, { ...hints, name: scopeOnly(name), parameters: { operator, ...options } });
    this.operator = operator;
  }

  private conjugated(tensor: Tensor): Tensor {
    return this.isSelfAdjoint ? tensor : conj(tensor);
  }
  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorAdjoint(change(this.operator, 0), this.parameters);
  }
  protected override _linopAdjoint(): LinearOperator {
    return this.operator;
  }
  protected override _assertNonSingular(): Operation {
    return this.operator.assertNonSingular();
  }
  protected override _assertPositiveDefinite(): Operation {
    return this.operator.assertPositiveDefinite();
  }
  protected override _assertSelfAdjoint(): Operation {
    return this.operator.assertSelfAdjoint();
  }
  protected _shape(): TensorShape {
    const { shape } = this.operator;
    return shape.slice(0, -2).concatenate(shape.rank === null ? null : [shape.dim(-1), shape.dim(-2)]);
  }
  protected override _shapeTensor(): Tensor {
    const shape = this.operator.shapeTensor();
    const batch = getItem(shape, [null, -2]);
    return concat([batch, [getItem(shape, -1), getItem(shape, -2)] as TensorLike], -1);
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this.operator.matmul(x, { adjoint: !isAdjoint, adjointArg });
  }
  protected override _matvec(x: Tensor, isAdjoint: boolean): Tensor {
    return this.operator.matvec(x, { adjoint: !isAdjoint });
  }
  protected override _determinant(): Tensor {
    return this.conjugated(this.operator.determinant());
  }
  protected override _logAbsDeterminant(): Tensor {
    return this.operator.logAbsDeterminant();
  }
  protected override _trace(): Tensor {
    return this.conjugated(this.operator.trace());
  }
  protected override _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this.operator.solve(rhs, { adjoint: !isAdjoint, adjointArg });
  }
  protected override _solvevec(rhs: Tensor, isAdjoint: boolean): Tensor {
    return this.operator.solvevec(rhs, { adjoint: !isAdjoint });
  }
  protected override _toDense(): Tensor {
    return this.isSelfAdjoint ? this.operator.toDense() : adjoint(this.operator.toDense());
  }
  protected override _eigvals(): Tensor {
    const values = this.operator.eigvals();
    return this.operator.isSelfAdjoint ? values : conj(values);
  }
  protected override _cond(): Tensor {
    return this.operator.cond();
  }
}

/** The inverse of an operator. @throws ValueError for one that is known to have none. TF: tf.linalg.LinearOperatorInversion. */
export class LinearOperatorInversion extends LinearOperator {
  readonly operator: LinearOperator;

  constructor(operator: LinearOperator, options: LinearOperatorOptions = {}) {
    needInvertible("is_non_singular", operator.isNonSingular, options.isNonSingular ?? null);
    needInvertible("is_square", operator.isSquare, options.isSquare ?? null);
    const hints = combinedHints(operator, options, "inverse");
    const name = options.name ?? `${operator.name}_inv`;
    super(operator.dtype, { ...hints, name: scopeOnly(name), parameters: { operator, ...options } });
    this.operator = operator;
  }

  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorInversion(change(this.operator, 0), this.parameters);
  }
  protected override _linopInverse(): LinearOperator {
    return this.operator;
  }
  protected override _linopSolve(left: LinearOperator, right: LinearOperator): LinearOperator {
    return (left as LinearOperatorInversion).operator.matmul(right);
  }
  protected override _assertNonSingular(): Operation {
    return this.operator.assertNonSingular();
  }
  protected override _assertPositiveDefinite(): Operation {
    return this.operator.assertPositiveDefinite();
  }
  protected override _assertSelfAdjoint(): Operation {
    return this.operator.assertSelfAdjoint();
  }
  protected _shape(): TensorShape {
    return this.operator.shape;
  }
  protected override _shapeTensor(): Tensor {
    return this.operator.shapeTensor();
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this.operator.solve(x, { adjoint: isAdjoint, adjointArg });
  }
  protected override _determinant(): Tensor {
    return truediv(1, this.operator.determinant());
  }
  protected override _logAbsDeterminant(): Tensor {
    return mul(-1, this.operator.logAbsDeterminant());
  }
  protected override _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this.operator.matmul(rhs, { adjoint: isAdjoint, adjointArg });
  }
  protected override _eigvals(): Tensor {
    return truediv(1, this.operator.eigvals());
  }
  protected override _cond(): Tensor {
    return this.operator.cond();
  }
}

function needInvertible(hint: string, own: Hint, given: Hint): void {
  if (own !== false && given !== false) return;
  const [had, wanted] = [own, given].map(value => (value === null ? "None" : value ? "True" : "False"));
  throw new ValueError(
    `Argument \`${hint}\` or argument \`operator\` must have supplied hint \`${hint}\` equal to \`True\` or \`None\`. Found \`operator.${hint}\`: ${had}, \`${hint}\`: ${wanted}.`,
  );
}

/** Is one the adjoint of the other? Asking makes adjoints, as in TensorFlow. */
function isAdjointPair(x: LinearOperator, y: LinearOperator): boolean {
  if (x === y && x.isSelfAdjoint !== null) return x.isSelfAdjoint;
  return x.H === y || y.H === x;
}

/** Is the product A·…·Aᴴ? */
const isSymmetricProduct = (operators: readonly LinearOperator[]): boolean =>
  operators.length % 2 === 0 &&
  operators.slice(0, operators.length / 2).every((factor, i) => isAdjointPair(factor, operators[operators.length - 1 - i]));

/** The product of operators, the last of which is applied first. @throws ValueError for no operators and hints that contradict what is known;
 *  TypeError for operators of several types. TF: tf.linalg.LinearOperatorComposition. */
export class LinearOperatorComposition extends LinearOperator {
  readonly operators: readonly LinearOperator[];

  constructor(operators: readonly LinearOperator[], options: LinearOperatorOptions = {}) {
    const dtype = commonType(
      operators,
      "Expected a non-empty list of operators. Found: []",
      pairs => `Expected all operators to have the same dtype.  Found ${pairs.join("   ")}`,
    );
    const isNonSingular = hintOfAll(
      options.isNonSingular,
      operators.every(factor => factor.isNonSingular),
      "The composition of non-singular operators is always non-singular.",
    );
    const isSelfAdjoint = hintOfAll(
      options.isSelfAdjoint,
      (operators.length === 1 && Boolean(operators[0].isSelfAdjoint)) || isSymmetricProduct(operators),
      "The composition was determined to be self-adjoint but user provided incorrect `False` hint.",
    );
    const isSquare = hintOfAll(
      options.isSquare,
      isSymmetricProduct(operators),
      "The composition was determined have the form A @ A.H, hence it must be square. The user provided an incorrect `False` hint.",
    );
    const isPositiveDefinite = hintOfAll(
      options.isPositiveDefinite,
      isSymmetricProduct(operators) && Boolean(isNonSingular),
      "The composition was determined to be non-singular and have the form A @ A.H, hence it must be positive-definite. The user provided an incorrect `False` hint.",
    );
    const name = scopeOnly(options.name ?? operators.map(factor => factor.name).join("_o_"));
    super(dtype, { isNonSingular, isSelfAdjoint, isPositiveDefinite, isSquare, name, parameters: { operators, ...options } });
    this.operators = [...operators];
  }

  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorComposition(
      this.operators.map(factor => change(factor, 0)),
      this.parameters,
    );
  }
  protected _shape(): TensorShape {
    const { operators } = this;
    operators.slice(1).forEach((factor, i) => void operators[i].domainDimension.assertIsCompatibleWith(factor.rangeDimension));
    const [first, last] = [operators[0], operators[operators.length - 1]];
    return commonBatch(operators).concatenate([first.rangeDimension, last.domainDimension]);
  }
  protected override _shapeTensor(): Tensor {
    const { operators } = this;
    const matrix = stack([operators[0].rangeDimensionTensor(), operators[operators.length - 1].domainDimensionTensor()]);
    return concat([commonBatchTensor(operators), matrix], 0);
  }
  protected override _linopCholesky(): LinearOperator {
    const [left] = this.operators;
    if (this.operators.length !== 2 || !isSymmetricProduct(this.operators) || !(left instanceof LinearOperatorLowerTriangular))
      return super._linopCholesky();
    if (left.isPositiveDefinite) return left;
    const { isNonSingular, isSelfAdjoint } = left;
    const signs = expandDims(sign(left.diagPart()), -2);
    return new LinearOperatorLowerTriangular(truediv(left.tril, signs), { isNonSingular, isSelfAdjoint, isSquare: true });
  }
  /** Applies the operators one after the other, in an order; what is the adjoint of the argument is its own only once. */
  private inTurn(order: readonly LinearOperator[], method: "matmul" | "solve", x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return order.reduce((result, factor, i) => factor[method](result, { adjoint: isAdjoint, adjointArg: i === 0 && adjointArg }), x);
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this.inTurn(isAdjoint ? this.operators : this.operators.toReversed(), "matmul", x, isAdjoint, adjointArg);
  }
  protected override _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this.inTurn(isAdjoint ? this.operators.toReversed() : this.operators, "solve", rhs, isAdjoint, adjointArg);
  }
  protected override _determinant(): Tensor {
    return productOf(this.operators);
  }
  protected override _logAbsDeterminant(): Tensor {
    return logProductOf(this.operators);
  }
  protected override _assertNonSingular(): Operation {
    if (!this.operators.every(factor => factor.isSquare)) return super._assertNonSingular();
    return group(...this.operators.map(factor => factor.assertNonSingular()));
  }
}

/** The product of the determinants. */
export const productOf = ([first, ...rest]: readonly LinearOperator[]): Tensor =>
  rest.reduce((product, other) => mul(product, other.determinant()), first.determinant());

/** The logarithm of its size. */
export const logProductOf = ([first, ...rest]: readonly LinearOperator[]): Tensor =>
  rest.reduce((sum, other) => add(sum, other.logAbsDeterminant()), first.logAbsDeterminant());
