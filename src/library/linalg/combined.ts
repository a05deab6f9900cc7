// Linear operators made of others by a formula: Kronecker products, and updates of low rank.

import { isComplex } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { expandDims, reshape, shape as shapeOf } from "../../ops/array/array.ts";
import { matrixDiagPart, matrixTranspose } from "../../ops/array/matrix.ts";
import { broadcastDynamicShape, broadcastStaticShape } from "../../ops/array/padding.ts";
import { concat, ellipsis, getItem, newaxis } from "../../ops/array/slicing.ts";
import { group } from "../../ops/flow/control-flow.ts";
import { cholesky, choleskySolve, matrixDeterminant } from "../../ops/linalg/linalg.ts";
import { abs, conj, exp, log } from "../../ops/math/functions.ts";
import { cast } from "../../ops/math/cast.ts";
import { matmul } from "../../ops/math/matrix.ts";
import { reduceSum } from "../../ops/math/reduction.ts";
import { inNameScope } from "../../ops/named.ts";
import * as operator from "../../ops/operators.ts";
import { knownNumber, matrixSolveWithBroadcast } from "./batches.ts";
import { LinearOperatorDiag, LinearOperatorIdentity } from "./diagonal.ts";
import { commonBatch, commonType, hintOfAll, LinearOperator, type LinearOperatorOptions, scopeOnly } from "./linear-operator.ts";
import type { Change } from "./slices.ts";

const { add, floordiv, mul, pow, sub, truediv } = operator;

/** A shape if it is known, or what tells it while running. */
type Sizes = TensorShape | Tensor;
const sizesOf = (x: Tensor): Sizes => (x.shape.isFullyDefined ? x.shape : shapeOf(x));
const outerSizes = (sizes: Sizes, end: number): Sizes => (sizes instanceof TensorShape ? sizes.slice(0, end) : getItem(sizes, [null, end]));
const sizeAt = (sizes: Sizes, axis: number): number | Tensor =>
  sizes instanceof TensorShape ? (sizes.dim(axis) as number) : getItem(sizes, axis);

/** A shape with sizes behind it: known if all are. */
function concatenated(outer: Sizes, last: readonly (number | Tensor)[]): TensorShape | Tensor {
  const known = last.map(size => (typeof size === "number" ? size : knownNumber(size)));
  if (outer instanceof TensorShape && known.every(size => size !== null)) return outer.concatenate(known);
  return concat([outer, last as TensorLike], 0);
}

const listHint = (property: string, hint: string): string =>
  `The Kronecker product of ${property} operators is always ${property}. Expected argument \`${hint}\` to be True. Received: False.`;

/** The Kronecker product of operators: block (i, j) is element (i, j) of the first times the product of the rest. @throws ValueError for no operators
 *  and hints that contradict them, TypeError for operators of several types. TF: tf.linalg.LinearOperatorKronecker. */
export class LinearOperatorKronecker extends LinearOperator {
  readonly operators: readonly LinearOperator[];

  constructor(operators: readonly LinearOperator[], options: LinearOperatorOptions = {}) {
    const dtype = commonType(
      operators,
      "Argument `operators` must be a list of >=1 operators. Received: [].",
      pairs =>
        `Expected every operation in argument \`operators\` to have the same dtype. Received [${pairs.map(pair => `"${pair}"`).join(", ")}].`,
    );
    const all = (hint: "isNonSingular" | "isSelfAdjoint" | "isPositiveDefinite", property: string, name: string): boolean | null =>
      hintOfAll(
        options[hint],
        operators.every(factor => factor[hint]),
        listHint(property, name),
      );
    const hints = {
      isNonSingular: all("isNonSingular", "non-singular", "is_non_singular"),
      isSelfAdjoint: all("isSelfAdjoint", "self-adjoint", "is_self_adjoint"),
      isPositiveDefinite: all("isPositiveDefinite", "positive-definite", "is_positive_definite"),
      isSquare: options.isSquare ?? null,
    };
    const name = scopeOnly(options.name ?? operators.map(factor => factor.name).join("_x_"));
    super(dtype, { ...hints, name, parameters: { operators, ...options } });
    this.operators = [...operators];
  }

  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorKronecker(
      this.operators.map(factor => change(factor, 0)),
      this.parameters,
    );
  }
  protected _shape(): TensorShape {
    const product = (sizes: readonly (number | null)[]): number | null => sizes.reduce((a, b) => (a === null || b === null ? null : a * b));
    const rows = product(this.operators.map(factor => factor.rangeDimension.value));
    const columns = product(this.operators.map(factor => factor.domainDimension.value));
    return commonBatch(this.operators).concatenate([rows, columns]);
  }
  protected override _shapeTensor(): Tensor {
    const [first, ...rest] = this.operators;
    const columns = rest.reduce((product, factor) => mul(product, factor.domainDimensionTensor()), first.domainDimensionTensor());
    const rows = rest.reduce((product, factor) => mul(product, factor.rangeDimensionTensor()), first.rangeDimensionTensor());
    const batch = rest.reduce((sizes, factor) => broadcastDynamicShape(sizes, factor.batchShapeTensor()), first.batchShapeTensor());
    return concat([batch, [rows, columns] as TensorLike], 0);
  }
  private ofFactors(change: "adjoint" | "inverse" | "cholesky", options: LinearOperatorOptions): LinearOperator {
    return new LinearOperatorKronecker(
      this.operators.map(factor => factor[change]()),
      { ...options, isSquare: true },
    );
  }
  protected override _linopAdjoint(): LinearOperator {
    return this.ofFactors("adjoint", this.hints);
  }
  protected override _linopCholesky(): LinearOperator {
    return this.ofFactors("cholesky", { isNonSingular: true });
  }
  protected override _linopInverse(): LinearOperator {
    return this.ofFactors("inverse", this.hints);
  }

  /** The factors are applied one by one, each to the rows of a matrix that is reshaped for it. */
  private applied(method: "matmul" | "solve", x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const isPart = isComplex(this.dtype);
    let output = !adjointArg ? matrixTranspose(x) : isPart ? conj(x) : x;
    for (const factor of this.operators.toReversed()) {
      const tensor = isAdjoint ? factor.rangeDimensionTensor() : factor.domainDimensionTensor();
      const sizes = sizesOf(output);
      const known = knownNumber(tensor);
      const [inner, columns] = [output.shape.dim(-2), output.shape.dim(-1)];
      let rows: number | Tensor;
      if (known !== null && inner !== null && columns !== null) rows = Math.floor((inner * columns) / known);
      else rows = cast(floordiv(mul(sizeAt(sizes, -2), sizeAt(sizes, -1)), known ?? tensor), "int32");
      output = reshape(output, concatenated(outerSizes(sizes, -2), [rows, known ?? tensor]));
      if (isPart) output = conj(output);
      output = factor[method](output, { adjoint: isAdjoint, adjointArg: true });
    }
    const columns = sizeAt(sizesOf(x), adjointArg ? -2 : -1);
    const rows = isAdjoint ? this.domainDimensionTensor() : this.rangeDimensionTensor();
    output = reshape(output, concatenated(outerSizes(sizesOf(output), -2), [rows, columns]));
    if (x.shape.isFullyDefined) {
      const batch = broadcastStaticShape(x.shape.slice(0, -2), this.batchShape);
      output.setShape(batch.concatenate([isAdjoint ? this.domainDimension : this.rangeDimension, x.shape.dim(adjointArg ? -2 : -1)]));
    }
    return output;
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this.applied("matmul", x, isAdjoint, adjointArg);
  }
  protected override _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this.applied("solve", rhs, isAdjoint, adjointArg);
  }
  /** How often a factor stands in the whole. */
  private copies(total: Tensor, factor: LinearOperator): Tensor {
    return cast(truediv(total, factor.domainDimensionTensor()), factor.dtype);
  }
  protected override _determinant(): Tensor {
    const total = this.domainDimensionTensor();
    const power = (factor: LinearOperator): Tensor => pow(factor.determinant(), this.copies(total, factor));
    return this.operators.reduce<TensorLike>((product, factor) => mul(product, power(factor)), 1) as Tensor;
  }
  protected override _logAbsDeterminant(): Tensor {
    const total = this.domainDimensionTensor();
    const term = (factor: LinearOperator): Tensor => mul(factor.logAbsDeterminant(), this.copies(total, factor));
    return this.operators.reduce<TensorLike>((sum, factor) => add(sum, term(factor)), 0) as Tensor;
  }
  protected override _trace(): Tensor {
    return this.operators.reduce<TensorLike>((product, factor) => mul(product, factor.trace()), 1) as Tensor;
  }
  protected override _diagPart(): Tensor {
    const [first, ...rest] = this.operators;
    const diagonal = rest.reduce((product, factor) => {
      const column = getItem(product, ellipsis, [], newaxis);
      const both = mul(column, getItem(factor.diagPart(), ellipsis, newaxis, []));
      return reshape(both, concat([getItem(shapeOf(both), [null, -2]), [-1]], 0));
    }, first.diagPart());
    const { rangeDimension, domainDimension } = this;
    const isWide = Number(rangeDimension.value) > Number(domainDimension.value);
    diagonal.setShape(this.batchShape.concatenate([isWide ? domainDimension : rangeDimension]));
    return diagonal;
  }
  protected override _toDense(): Tensor {
    const [first, ...rest] = this.operators;
    const dense = rest.reduce((product, factor) => {
      const wide = getItem(product, ellipsis, [], newaxis, [], newaxis);
      const both = mul(wide, getItem(factor.toDense(), ellipsis, newaxis, [], newaxis, []));
      const sizes = sizesOf(both);
      const side = (axis: number): number | Tensor => {
        const [a, b] = [sizeAt(sizes, axis), sizeAt(sizes, axis + 1)];
        return typeof a === "number" && typeof b === "number" ? a * b : mul(a, b);
      };
      return reshape(both, concatenated(outerSizes(sizes, -4), [side(-4), side(-2)]));
    }, first.toDense());
    dense.setShape(this.shape);
    return dense;
  }
  protected override _eigvals(): Tensor {
    const [first, ...rest] = this.operators.map(factor => factor.eigvals());
    const values = rest.reduce((product, other) => {
      const column = getItem(product, ellipsis, newaxis);
      const both = mul(column, getItem(other, ellipsis, newaxis, []));
      return reshape(both, concat([getItem(shapeOf(both), [null, -2]), [-1]], 0));
    }, first);
    values.setShape(this.shape.slice(0, -1));
    return values;
  }
  private ofEach(check: "assertNonSingular" | "assertSelfAdjoint"): Operation {
    if (this.operators.every(factor => factor.isSquare)) return group(...this.operators.map(factor => factor[check]()));
    throw new InvalidArgumentError(
      "All Kronecker factors must be square for the product to be invertible. Expected hint `is_square` to be True for every operator in argument `operators`.",
    );
  }
  protected override _assertNonSingular(): Operation {
    return this.ofEach("assertNonSingular");
  }
  protected override _assertSelfAdjoint(): Operation {
    return this.ofEach("assertSelfAdjoint");
  }
}

interface LowRankOptions extends LinearOperatorOptions {
  /** The diagonal of D, `[..., k]`; ones by default. */
  readonly diagUpdate?: TensorLike | null;
  /** `[..., columns, k]`; u by default. */
  readonly v?: TensorLike | null;
  readonly isDiagUpdatePositive?: boolean | null;
}

/** L + U·D·Vᴴ for an operator L, matrices U and V with few columns and a diagonal D: solved by way of k × k matrices. @throws ValueError for hints
 *  that contradict each other and sizes that do not fit. TF: tf.linalg.LinearOperatorLowRankUpdate. */
export class LinearOperatorLowRankUpdate extends LinearOperator {
  readonly baseOperator: LinearOperator;
  readonly u: Tensor;
  readonly v: Tensor;
  readonly diagUpdate: Tensor | null;
  readonly diagOperator: LinearOperator;
  readonly isDiagUpdatePositive: boolean | null;
  private readonly usesCholesky: boolean;

  constructor(baseOperator: LinearOperator, u: TensorLike, options: LowRankOptions = {}) {
    const { diagUpdate = null, v = null, name = "LinearOperatorLowRankUpdate" } = options;
    const { dtype } = baseOperator;
    let { isDiagUpdatePositive = null, isSelfAdjoint = null, isPositiveDefinite = null } = options;
    if (diagUpdate === null) {
      if (isDiagUpdatePositive === false)
        throw new ValueError("Default diagonal is the identity, which is positive.  However, user set 'is_diag_update_positive' to False.");
      isDiagUpdatePositive = true;
    }
    const isDefinite = baseOperator.isPositiveDefinite && baseOperator.isSelfAdjoint;
    const usesCholesky = Boolean(isDefinite && isDiagUpdatePositive && v === null);
    if (baseOperator.isSelfAdjoint && v === null && !isComplex(dtype))
      isSelfAdjoint = hintOfAll(
        isSelfAdjoint,
        true,
        "A = L + UDU^H, with L self-adjoint and D real diagonal.  Since UDU^H is self-adjoint, this must be a self-adjoint operator.",
      );
    if (usesCholesky) {
      if ([isPositiveDefinite, isSelfAdjoint, options.isNonSingular].includes(false))
        throw new ValueError("Arguments imply this is self-adjoint positive-definite operator.");
      [isPositiveDefinite, isSelfAdjoint] = [true, true];
    }
    const made = inNameScope({ name }, "", [], () => {
      const givenU = convertToTensor(u, { name: "u" });
      const givenV = v === null ? givenU : convertToTensor(v, { name: "v" });
      const diag = diagUpdate === null ? null : convertToTensor(diagUpdate, { name: "diag_update" });
      const size = givenU.shape.dim(-1) ?? (diag === null ? getItem(shapeOf(givenU), -1) : 0);
      const diagOperator =
        diag === null
          ? new LinearOperatorIdentity(size, { dtype })
          : new LinearOperatorDiag(diag, { isPositiveDefinite: isDiagUpdatePositive });
      needUpdateShapes(baseOperator, givenU, givenV, diag);
      return { givenU, givenV, diag, diagOperator };
    });
    const { isNonSingular, isSquare } = options;
    const parameters = { baseOperator, u, ...options };
    super(dtype, { isNonSingular, isSelfAdjoint, isPositiveDefinite, isSquare, name, parameters });
    [this.baseOperator, this.u, this.v, this.usesCholesky] = [baseOperator, made.givenU, made.givenV, usesCholesky];
    [this.diagUpdate, this.diagOperator, this.isDiagUpdatePositive] = [made.diag, made.diagOperator, isDiagUpdatePositive];
  }

  protected override _assertSelfAdjoint(): Operation {
    if (this.u === this.v && this.diagUpdate === null) return this.baseOperator.assertSelfAdjoint();
    return this.inScope({}, "assert_self_adjoint", () => super._assertSelfAdjoint());
  }
  protected override _remade(change: Change): LinearOperator {
    const [baseOperator, u] = [change(this.baseOperator, 0), change(this.u, 2)];
    const diagUpdate = this.diagUpdate === null ? null : change(this.diagUpdate, 1);
    return new LinearOperatorLowRankUpdate(baseOperator, u, { ...this.parameters, diagUpdate, v: change(this.v, 2) });
  }
  protected _shape(): TensorShape {
    const parts = [this.diagOperator.batchShape, this.u.shape.slice(0, -2), this.v.shape.slice(0, -2)];
    const { batchShape, shape } = this.baseOperator;
    return parts.reduce(broadcastStaticShape, batchShape).concatenate(shape.slice(-2));
  }
  protected override _shapeTensor(): Tensor {
    let batch = broadcastDynamicShape(this.baseOperator.batchShapeTensor(), this.diagOperator.batchShapeTensor());
    batch = broadcastDynamicShape(batch, getItem(shapeOf(this.u), [null, -2]));
    batch = broadcastDynamicShape(batch, getItem(shapeOf(this.v), [null, -2]));
    return concat([batch, getItem(this.baseOperator.shapeTensor(), [-2, null])], 0);
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const leading = this.baseOperator.matmul(x, { adjoint: isAdjoint, adjointArg });
    const [left, right] = isAdjoint ? [this.v, this.u] : [this.u, this.v];
    const along = matmul(right, x, { adjointA: true, adjointB: adjointArg });
    return add(leading, matmul(left, this.diagOperator.matmul(along, { adjoint: isAdjoint })));
  }
  protected override _determinant(): Tensor {
    if (this.isPositiveDefinite) return exp(this.logAbsDeterminant());
    const own = matrixDeterminant(this.capacitance());
    const diagonal = this.diagOperator.determinant();
    const base = this.baseOperator.determinant();
    return mul(mul(own, diagonal), base);
  }
  protected override _diagPart(): Tensor {
    let product = mul(this.u, conj(this.v));
    if (this.diagUpdate !== null) product = mul(product, expandDims(this.diagUpdate, -2));
    return add(reduceSum(product, -1), this.baseOperator.diagPart());
  }
  protected override _logAbsDeterminant(): Tensor {
    const diagonal = this.diagOperator.logAbsDeterminant();
    const base = this.baseOperator.logAbsDeterminant();
    const own = this.capacitance();
    return add(add(this.logSize(own), diagonal), base);
  }
  private logSize(capacitance: Tensor): Tensor {
    if (this.usesCholesky) return mul(2, reduceSum(log(matrixDiagPart(cholesky(capacitance))), [-1]));
    const size = log(abs(matrixDeterminant(capacitance)));
    return isComplex(this.dtype) ? cast(size, this.dtype) : size;
  }
  /** By the Woodbury formula. */
  protected override _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const { baseOperator: base } = this;
    if (base.isNonSingular === false)
      throw new ValueError("Solve not implemented unless this is a perturbation of a non-singular LinearOperator.");
    const [u, v] = isAdjoint ? [this.v, this.u] : [this.u, this.v];
    const capacitance = this.capacitance();
    const leading = base.solve(rhs, { adjoint: isAdjoint, adjointArg });
    const along = matmul(v, leading, { adjointA: true });
    const inner = this.usesCholesky ? choleskySolve(cholesky(capacitance), along) : matrixSolveWithBroadcast(capacitance, along, isAdjoint);
    return sub(leading, base.solve(matmul(u, inner), { adjoint: isAdjoint }));
  }
  /** D⁻¹ + Vᴴ·L⁻¹·U. */
  private capacitance(): Tensor {
    const along = matmul(this.v, this.baseOperator.solve(this.u), { adjointA: true });
    return this.diagOperator.inverse().addToTensor(along);
  }
}

function needUpdateShapes(base: LinearOperator, u: Tensor, v: Tensor, diag: Tensor | null): void {
  const both = broadcastStaticShape(u.shape, v.shape);
  const batch = broadcastStaticShape(base.batchShape, both.slice(0, -2));
  base.domainDimension.assertIsCompatibleWith(both.dim(-2));
  if (diag === null) return;
  both.at(-1).assertIsCompatibleWith(diag.shape.dim(-1));
  broadcastStaticShape(batch, diag.shape.slice(0, -1));
}
