// Linear operators made of blocks, each an operator: along the diagonal, or on and below it. They take and give lists of tensors as well, one a block.

import { NotImplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { TensorShape } from "../../base/shape.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { expandDims, ones, shape as shapeOf, squeeze, zeros } from "../../ops/array/array.ts";
import { broadcastDynamicShape, broadcastStaticShape } from "../../ops/array/padding.ts";
import { concat, ellipsis, getItem, newaxis, stack } from "../../ops/array/slicing.ts";
import { group } from "../../ops/flow/control-flow.ts";
import { adjoint } from "../../ops/linalg/linalg.ts";
import { exp } from "../../ops/math/functions.ts";
import { cast } from "../../ops/math/cast.ts";
import { inNameScope } from "../../ops/named.ts";
import * as operator from "../../ops/operators.ts";
import { argIsBlockwise, broadcastMatrixBatchDims, splitIntoBlocks } from "./batches.ts";
import { LinearOperatorDiag, LinearOperatorIdentity, LinearOperatorScaledIdentity } from "./diagonal.ts";
import {
  type AdjointOption,
  commonBatch,
  commonBatchTensor,
  commonType,
  hintOfAll,
  LinearOperator,
  LinearOperatorLowerTriangular,
  type LinearOperatorOptions,
  logProductOf,
  nonSingularHint,
  type ProductOptions,
  productOf,
  scopeOnly,
} from "./linear-operator.ts";
import type { Change } from "./slices.ts";
import { LinearOperatorFullMatrix } from "./structured.ts";

const { add, sub } = operator;

type Dimensions = LinearOperator["domainDimension"][];

/** What operators of blocks share: those on the diagonal cut what they are applied to. */
abstract class Blockwise extends LinearOperator {
  /** The blocks on the diagonal. */
  protected abstract readonly diagonalOperators: readonly LinearOperator[];
  protected abstract solveBlocks(rhs: readonly Tensor[], isAdjoint: boolean, adjointArg: boolean): Tensor[];
  protected abstract multiplyBlocks(x: readonly Tensor[], isAdjoint: boolean, adjointArg: boolean): Tensor[];

  private rangeSizes(): Dimensions {
    return this.diagonalOperators.map(block => block.rangeDimension);
  }
  private domainSizes(): Dimensions {
    return this.diagonalOperators.map(block => block.domainDimension);
  }
  /** What an argument is cut by; what TensorFlow cuts by is not always what it compares with. */
  protected cut(arg: Tensor, byRange: boolean, axis: number): readonly Tensor[] {
    const sizes = byRange ? this.rangeSizes() : this.domainSizes();
    return splitIntoBlocks(
      sizes,
      () => this.diagonalOperators.map(block => (byRange ? block.rangeDimensionTensor() : block.domainDimensionTensor())),
      arg,
      axis,
    );
  }
  /** Does a product with the adjoint cut its argument by rows of the blocks? */
  protected abstract readonly cutsByRange: boolean;
  /** Is the adjoint of an argument taken of the whole, before it is cut? */
  protected abstract readonly turnsWhole: boolean;

  /** The argument's blocks as tensors of the right sizes, or undefined if it is one tensor. */
  private blocksOf(arg: unknown, sizes: Dimensions, axis: number): Tensor[] | undefined {
    if (!argIsBlockwise(sizes, arg, axis)) return undefined;
    return arg.map((block, i) => {
      const given = this.argument(block);
      sizes[i].assertIsCompatibleWith(given.shape.at(axis));
      return given;
    });
  }
  private joined(blocks: readonly Tensor[]): Tensor {
    return concat(broadcastMatrixBatchDims(blocks), -2);
  }

  override matmul(x: LinearOperator, options?: ProductOptions): LinearOperator;
  override matmul(x: readonly Tensor[], options?: ProductOptions): Tensor[];
  override matmul(x: TensorLike, options?: ProductOptions): Tensor;
  override matmul(x: TensorLike | LinearOperator | readonly Tensor[], options: ProductOptions = {}): Tensor | Tensor[] | LinearOperator {
    const { adjoint: isAdjoint = false, adjointArg = false, name = "matmul" } = options;
    if (x instanceof LinearOperator) return super.matmul(x, options);
    return this.inScope({ name }, "", () => {
      const axis = adjointArg ? -1 : -2;
      const blocks = this.blocksOf(x, isAdjoint ? this.rangeSizes() : this.domainSizes(), axis);
      if (blocks !== undefined) return this.multiplyBlocks(blocks, isAdjoint, adjointArg);
      const given = this.argument(x as TensorLike, "x");
      (isAdjoint ? this.rangeDimension : this.domainDimension).assertIsCompatibleWith(given.shape.at(axis));
      return this._matmul(given, isAdjoint, adjointArg);
    });
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const blocks = this.cut(x, isAdjoint && this.cutsByRange, adjointArg ? -1 : -2);
    return this.joined(this.multiplyBlocks(blocks, isAdjoint, adjointArg));
  }
  override matvec(x: readonly Tensor[], options?: AdjointOption): Tensor[];
  override matvec(x: TensorLike, options?: AdjointOption): Tensor;
  override matvec(x: TensorLike | readonly Tensor[], options: AdjointOption = {}): Tensor | Tensor[] {
    const { adjoint: isAdjoint = false, name = "matvec" } = options;
    const column = (block: Tensor): Tensor => getItem(block, ellipsis, newaxis);
    return this.inScope({ name }, "", () => {
      const blocks = this.blocksOf(x, isAdjoint ? this.rangeSizes() : this.domainSizes(), -1);
      if (blocks !== undefined) return this.matmul(blocks.map(column), { adjoint: isAdjoint }).map(y => squeeze(y, -1));
      const given = this.argument(x as TensorLike, "x");
      (isAdjoint ? this.rangeDimension : this.domainDimension).assertIsCompatibleWith(given.shape.at(-1));
      return squeeze(this.matmul(column(given), { adjoint: isAdjoint }), -1);
    });
  }
  override solve(rhs: LinearOperator, options?: ProductOptions): LinearOperator;
  override solve(rhs: readonly Tensor[], options?: ProductOptions): Tensor[];
  override solve(rhs: TensorLike, options?: ProductOptions): Tensor;
  override solve(rhs: TensorLike | LinearOperator | readonly Tensor[], options: ProductOptions = {}): Tensor | Tensor[] | LinearOperator {
    const { adjoint: isAdjoint = false, adjointArg = false, name = "solve" } = options;
    this.needSolvable();
    if (rhs instanceof LinearOperator) {
      const [left, right] = this.factors(rhs, isAdjoint, adjointArg, "x");
      return this.inScope({ name }, "", () => this._linopSolve(left, right));
    }
    return this.inScope({ name }, "", () => {
      const axis = adjointArg ? -1 : -2;
      const blocks = this.blocksOf(rhs, isAdjoint ? this.domainSizes() : this.rangeSizes(), axis);
      const turns = adjointArg && this.turnsWhole;
      if (blocks !== undefined) return this.solveBlocks(turns ? blocks.map(block => adjoint(block)) : blocks, isAdjoint, adjointArg);
      const given = this.argument(rhs as TensorLike, "rhs");
      (isAdjoint ? this.domainDimension : this.rangeDimension).assertIsCompatibleWith(given.shape.at(axis));
      const split = this.cut(turns ? adjoint(given) : given, false, turns ? -2 : axis);
      return this.joined(this.solveBlocks(split, isAdjoint, adjointArg));
    });
  }
  override solvevec(rhs: readonly Tensor[], options?: AdjointOption): Tensor[];
  override solvevec(rhs: TensorLike, options?: AdjointOption): Tensor;
  override solvevec(rhs: TensorLike | readonly Tensor[], options: AdjointOption = {}): Tensor | Tensor[] {
    const { adjoint: isAdjoint = false, name = "solve" } = options;
    return this.inScope({ name }, "", () => {
      const blocks = this.blocksOf(rhs, isAdjoint ? this.domainSizes() : this.rangeSizes(), -1);
      if (blocks !== undefined) {
        const columns = blocks.map(block => expandDims(block, -1));
        return this.solve(columns, { adjoint: isAdjoint }).map(x => squeeze(x, -1));
      }
      const given = this.argument(rhs as TensorLike, "rhs");
      (isAdjoint ? this.domainDimension : this.rangeDimension).assertIsCompatibleWith(given.shape.at(-1));
      return squeeze(this.solve(expandDims(given, -1), { adjoint: isAdjoint }), -1);
    });
  }

  protected override _logAbsDeterminant(): Tensor {
    return logProductOf(this.diagonalOperators);
  }
  /** A vector of the whole, of those of the blocks. */
  protected vector(part: "diagPart" | "eigvals"): Tensor {
    const columns = this.diagonalOperators.map(block => getItem(block[part](), ellipsis, newaxis));
    return squeeze(this.joined(columns), -1);
  }
  protected override _diagPart(): Tensor {
    return this.vector("diagPart");
  }
  protected override _eigvals(): Tensor {
    return this.vector("eigvals");
  }
  protected override _trace(): Tensor {
    const [first, ...rest] = this.diagonalOperators;
    return rest.reduce((sum, block) => add(sum, block.trace()), first.trace());
  }
  protected override _assertNonSingular(): Operation {
    return group(...this.diagonalOperators.map(block => block.assertNonSingular()));
  }
  protected sum(sizes: Dimensions): number | null {
    return sizes.some(({ value }) => value === null) ? null : sizes.reduce((sum, { value }) => sum + Number(value), 0);
  }
  protected get sides(): { readonly rows: number | null; readonly columns: number | null } {
    return { rows: this.sum(this.rangeSizes()), columns: this.sum(this.domainSizes()) };
  }
  protected sideTensors(): { readonly rows: Tensor; readonly columns: Tensor } {
    const total = (sizes: readonly Tensor[]): Tensor => sizes.reduce<TensorLike>((sum, size) => add(sum, size), 0) as Tensor;
    const columns = total(this.diagonalOperators.map(block => block.domainDimensionTensor()));
    return { columns, rows: total(this.diagonalOperators.map(block => block.rangeDimensionTensor())) };
  }
  /** Zeros beside a block, as many columns as `count`. */
  protected beside(block: Tensor, outer: Tensor, count: TensorLike): Tensor {
    return zeros(concat([outer, [count] as TensorLike], -1), block.dtype);
  }
}

/** Blocks along the diagonal, zero elsewhere. @throws ValueError for no operators and hints that contradict them, TypeError for operators of several
 *  types. TF: tf.linalg.LinearOperatorBlockDiag. */
export class LinearOperatorBlockDiag extends Blockwise {
  readonly operators: readonly LinearOperator[];
  protected readonly cutsByRange: boolean;
  protected readonly turnsWhole: boolean;

  constructor(operators: readonly LinearOperator[], options: LinearOperatorOptions = {}) {
    const dtype = commonType(
      operators,
      "Expected a non-empty list of operators. Found: []",
      pairs => `Expected all operators to have the same dtype.  Found ${pairs.join("   ")}`,
    );
    const all = (hint: "isNonSingular" | "isSelfAdjoint" | "isPositiveDefinite", property: string): boolean | null =>
      hintOfAll(
        options[hint],
        operators.every(block => block[hint]),
        `The direct sum of ${property} operators is always ${property}.`,
      );
    const isNonSingular = all("isNonSingular", "non-singular");
    const isSelfAdjoint = all("isSelfAdjoint", "self-adjoint");
    const isPositiveDefinite = all("isPositiveDefinite", "positive definite");
    const { isSquare = true } = options;
    const name = scopeOnly(options.name ?? operators.map(block => block.name).join("_ds_"));
    super(dtype, { isNonSingular, isSelfAdjoint, isPositiveDefinite, isSquare, name, parameters: { operators, ...options } });
    this.operators = [...operators];
    [this.cutsByRange, this.turnsWhole] = [true, false];
  }

  protected get diagonalOperators(): readonly LinearOperator[] {
    return this.operators;
  }
  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorBlockDiag(
      this.operators.map(block => change(block, 0)),
      this.parameters,
    );
  }
  protected _shape(): TensorShape {
    const { rows, columns } = this.sides;
    return commonBatch(this.operators).concatenate([rows, columns]);
  }
  protected override _shapeTensor(): Tensor {
    const { rows, columns } = this.sideTensors();
    const matrix = stack([rows, columns]);
    return concat([commonBatchTensor(this.operators), matrix], 0);
  }
  private ofBlocks(blocks: readonly LinearOperator[], options: LinearOperatorOptions): LinearOperator {
    return new LinearOperatorBlockDiag(blocks, { ...options, isSquare: true });
  }
  protected override _linopAdjoint(): LinearOperator {
    return this.ofBlocks(
      this.operators.map(block => block.adjoint()),
      this.hints,
    );
  }
  protected override _linopCholesky(): LinearOperator {
    return this.ofBlocks(
      this.operators.map(block => block.cholesky()),
      { isNonSingular: true },
    );
  }
  protected override _linopInverse(): LinearOperator {
    return this.ofBlocks(
      this.operators.map(block => block.inverse()),
      this.hints,
    );
  }
  protected override _linopMatmul(left: LinearOperator, right: LinearOperator): LinearOperator {
    if (!(right instanceof LinearOperatorBlockDiag)) return super._linopMatmul(left, right);
    const blocks = pairsOf(left, right, "multiply two `LinearOperatorBlockDiag`s together").map(([a, b]) => a.matmul(b));
    return this.ofBlocks(blocks, { isNonSingular: nonSingularHint(left, right) });
  }
  protected override _linopSolve(left: LinearOperator, right: LinearOperator): LinearOperator {
    if (!(right instanceof LinearOperatorBlockDiag)) return super._linopSolve(left, right);
    const blocks = pairsOf(left, right, "solve `LinearOperatorBlockDiag`").map(([a, b]) => a.solve(b));
    return this.ofBlocks(blocks, { isNonSingular: nonSingularHint(left, right) });
  }
  protected multiplyBlocks(x: readonly Tensor[], isAdjoint: boolean, adjointArg: boolean): Tensor[] {
    return this.operators.map((block, i) => block.matmul(x[i], { adjoint: isAdjoint, adjointArg }));
  }
  protected solveBlocks(rhs: readonly Tensor[], isAdjoint: boolean, adjointArg: boolean): Tensor[] {
    return this.operators.map((block, i) => block.solve(rhs[i], { adjoint: isAdjoint, adjointArg }));
  }
  protected override _determinant(): Tensor {
    return productOf(this.operators);
  }
  private needSquareBlocks(what: string): void {
    if (!this.operators.every(block => block.isSquare))
      throw new NotImplementedError(`\`${what}\` not implemented for an operator whose blocks are not square.`);
  }
  protected override _diagPart(): Tensor {
    this.needSquareBlocks("diag_part");
    return super._diagPart();
  }
  protected override _trace(): Tensor {
    this.needSquareBlocks("trace");
    return super._trace();
  }
  protected override _eigvals(): Tensor {
    this.needSquareBlocks("eigvals");
    return super._eigvals();
  }
  protected override _toDense(): Tensor {
    const blocks = broadcastMatrixBatchDims(this.operators.map(block => block.toDense()));
    let columns: TensorLike = 0;
    const rows = blocks.map(block => {
      const outer = getItem(shapeOf(block), [null, -1]);
      const before = this.beside(block, outer, columns);
      columns = add(columns, getItem(shapeOf(block), -1));
      const behind = this.beside(block, outer, sub(this.domainDimensionTensor(), columns));
      return concat([before, block, behind], -1);
    });
    const dense = concat(rows, -2);
    dense.setShape(this.shape);
    return dense;
  }
  protected override _assertSelfAdjoint(): Operation {
    return group(...this.operators.map(block => block.assertSelfAdjoint()));
  }
  protected override _assertPositiveDefinite(): Operation {
    return group(...this.operators.map(block => block.assertPositiveDefinite()));
  }
}

/** The blocks of two operators, one by one. @throws ValueError if their numbers or sizes differ. */
function pairsOf(left: LinearOperator, right: LinearOperatorBlockDiag, what: string): [LinearOperator, LinearOperator][] {
  const { operators } = left as LinearOperatorBlockDiag;
  if (operators.length !== right.operators.length) throw new ValueError(`Can not efficiently ${what} when number of blocks differ.`);
  return operators.map((block, i) => {
    const [domain, range] = [block.domainDimension, right.operators[i].rangeDimension];
    if (domain.value !== null && range.value !== null && domain.value !== range.value)
      throw new ValueError(`Blocks are incompatible. Expected \`x\` to have dimension ${domain} but got ${range}.`);
    return [block, right.operators[i]];
  });
}

const isSaid = (hint: boolean | null): string => (hint === null ? "None" : hint ? "True" : "False");

/** Blocks on and below the diagonal: row i is a list of i + 1 operators. @throws ValueError for lists of other lengths, sizes that do not fit and hints
 *  that contradict them, TypeError for operators of several types. TF: tf.linalg.LinearOperatorBlockLowerTriangular. */
export class LinearOperatorBlockLowerTriangular extends Blockwise {
  readonly operators: readonly (readonly LinearOperator[])[];
  protected readonly diagonalOperators: readonly LinearOperator[];
  protected readonly cutsByRange: boolean;
  protected readonly turnsWhole: boolean;

  constructor(operators: readonly (readonly LinearOperator[])[], options: LinearOperatorOptions = {}) {
    const { name = "LinearOperatorBlockLowerTriangular", isSelfAdjoint, isPositiveDefinite } = options;
    if (operators.length === 0) throw new ValueError("Argument `operators` must be a list of >=1 operators. Received: [].");
    const diagonal = operators.map(row => row[row.length - 1]);
    const dtype = commonType(operators.flat(), "", pairs => `Expected all operators to have the same dtype.  Found ${pairs.join("   ")}`);
    const isNonSingular = triangularHint(diagonal, options.isNonSingular ?? null);
    needTriangle(operators);
    if (options.isSquare === false)
      throw new ValueError(
        "`LinearOperatorBlockLowerTriangular` must be square. Expected argument `is_square` to be True. Received: False.",
      );
    diagonal.forEach((block, i) => {
      if (block.isSquare === false)
        throw new ValueError(
          `Matrices on the diagonal (the final elements of each row-partition in the \`operators\` list) must be square. Expected argument \`operators[${i}][-1].is_square\` to be True. Received: False.`,
        );
    });
    const hints = { isNonSingular, isSelfAdjoint, isPositiveDefinite, isSquare: true };
    super(dtype, { ...hints, name: scopeOnly(name as string), parameters: { operators, ...options } });
    [this.operators, this.diagonalOperators] = [operators.map(row => [...row]), diagonal];
    [this.cutsByRange, this.turnsWhole] = [false, true];
  }

  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorBlockLowerTriangular(
      this.operators.map(row => row.map(block => change(block, 0))),
      this.parameters,
    );
  }
  protected _shape(): TensorShape {
    const { rows, columns } = this.sides;
    return commonBatch(this.operators.flat()).concatenate([columns, rows]);
  }
  protected override _shapeTensor(): Tensor {
    const { rows, columns } = this.sideTensors();
    const matrix = stack([columns, rows]);
    const [first, ...rest] = this.operators.flat();
    const batch = rest.reduce((sizes, block) => broadcastDynamicShape(sizes, block.batchShapeTensor()), first.batchShapeTensor());
    return concat([batch, matrix], 0);
  }
  /** Row by row from above: what is below the diagonal of the inverse follows from the rows above. */
  protected override _linopInverse(): LinearOperator {
    const { operators } = this;
    const options = { ...this.hints, isSquare: true };
    if (operators.length === 1) return new LinearOperatorBlockLowerTriangular([[operators[0][0].inverse()]], options);
    const above = new LinearOperatorBlockLowerTriangular(operators.slice(0, -1)).inverse() as LinearOperatorBlockLowerTriangular;
    const bottom = operators[operators.length - 1];
    const corner = bottom[bottom.length - 1].inverse();
    const row = above.operators.map((_, i) => {
      const products = above.operators.slice(i).map((upper, j) => {
        const product = bottom[i + j].matmul(upper[i]);
        return isSummable(product) ? product : new LinearOperatorFullMatrix(product.toDense());
      });
      const block = corner.matmul(sumOf(products));
      const rows = corner.domainDimensionTensor();
      const minusOne = cast(NDArray.from(-1, "int32"), block.dtype);
      return new LinearOperatorScaledIdentity(rows, minusOne).matmul(block);
    });
    return new LinearOperatorBlockLowerTriangular([...above.operators, [...row, corner]], options);
  }
  protected multiplyBlocks(x: readonly Tensor[], isAdjoint: boolean, adjointArg: boolean): Tensor[] {
    return this.operators.map((row, i) => {
      const blocks = isAdjoint ? this.operators.slice(i).map(below => below[i]) : row;
      const products = blocks.map((block, j) => (): Tensor => block.matmul(x[isAdjoint ? i + j : j], { adjoint: isAdjoint, adjointArg }));
      return products.slice(1).reduce((sum, product) => add(sum, product()), products[0]());
    });
  }
  protected solveBlocks(rhs: readonly Tensor[], isAdjoint: boolean): Tensor[] {
    const solutions: Tensor[] = [];
    const { operators } = this;
    const order = operators.map((_, i) => i);
    for (const i of isAdjoint ? order.toReversed() : order) {
      const known = isAdjoint ? order.slice(i + 1).toReversed() : order.slice(0, i);
      const rest = known.reduce((y, j) => {
        const block = isAdjoint ? operators[j][i] : operators[i][j];
        return sub(y, block.matmul(solutions[j], { adjoint: isAdjoint }));
      }, rhs[i]);
      solutions[i] = this.diagonalOperators[i].solve(rest, { adjoint: isAdjoint });
    }
    return solutions;
  }
  protected override _determinant(): Tensor {
    if (this.diagonalOperators.every(block => block.isPositiveDefinite)) return exp(this._logAbsDeterminant());
    return productOf(this.diagonalOperators);
  }
  protected override _toDense(): Tensor {
    const flat = broadcastMatrixBatchDims(this.operators.flat().map(block => block.toDense()));
    let columns: TensorLike = 0;
    const rows = this.operators.map((row, i) => {
      const start = (i * (i + 1)) / 2;
      const blocks = flat.slice(start, start + row.length);
      const outer = getItem(shapeOf(blocks[0]), [null, -1]);
      columns = add(columns, getItem(shapeOf(blocks[blocks.length - 1]), -1));
      return concat([...blocks, this.beside(blocks[0], outer, sub(this.domainDimensionTensor(), columns))], -1);
    });
    const dense = concat(rows, -2);
    dense.setShape(this.shape);
    return dense;
  }
}

function triangularHint(diagonal: readonly LinearOperator[], given: boolean | null): boolean | null {
  const complaint = (what: string, always: string): string =>
    `A blockwise lower-triangular operator with ${what} on the main diagonal is always ${always}. Expected argument \`is_non_singular\` to be True. Received: ${isSaid(given)}.`;
  if (diagonal.every(block => block?.isNonSingular)) {
    if (given === false) throw new ValueError(complaint("non-singular operators", "non-singular"));
    return true;
  }
  if (!diagonal.some(block => block?.isNonSingular === false)) return null;
  if (given) throw new ValueError(complaint("a singular operator", "singular"));
  return false;
}

function needTriangle(operators: readonly (readonly LinearOperator[])[]): void {
  operators.forEach((row, i) => {
    if (row.length !== i + 1)
      throw new ValueError(`Argument \`operators[${i}]\` must contain \`${i + 1}\` blocks. Received: ${row.length} blocks.`);
  });
  const compare = (
    side: "domainDimension" | "rangeDimension",
    name: string,
    a: readonly [number, number],
    b: readonly [number, number],
  ): void => {
    const [one, other] = [a, b].map(([i, j]) => operators[i][j][side]);
    if (one.value === null || other.value === null || one.value === other.value) return;
    const place = ([i, j]: readonly [number, number]): string => `\`operators[${i}][${j}].${name}\``;
    throw new ValueError(`Argument ${place(a)} (${one}) must be the same as ${place(b)} (${other}).`);
  };
  for (let i = 1; i < operators.length; i++)
    for (let j = 0; j < i; j++) {
      compare("domainDimension", "domain_dimension", [i, j], [i - 1, j]);
      compare("rangeDimension", "range_dimension", [i, j], [i, j + 1]);
    }
}

// ---- sums, which the inverse of a block triangle needs ----

const isDiagonal = (block: LinearOperator): boolean =>
  block instanceof LinearOperatorDiag || block instanceof LinearOperatorIdentity || block instanceof LinearOperatorScaledIdentity;
const isMultiple = (block: LinearOperator): boolean => isDiagonal(block) && !(block instanceof LinearOperatorDiag);
const isTriangular = (block: LinearOperator): boolean => isDiagonal(block) || block instanceof LinearOperatorLowerTriangular;
const isSummable = (block: LinearOperator): boolean => isTriangular(block) || block instanceof LinearOperatorFullMatrix;

/** From the narrowest kind to the widest: what two operators must be for their sum to be of the kind, and the sum. */
const kindsOfSums: readonly {
  readonly scope: string;
  readonly takes: (block: LinearOperator) => boolean;
  readonly add: (a: LinearOperator, b: LinearOperator, options: LinearOperatorOptions) => LinearOperator;
}[] = [
  {
    scope: "AddAndReturnScaledIdentity",
    takes: isMultiple,
    add: (a, b, options) => {
      const [one, other] = [a, b].map(block =>
        block instanceof LinearOperatorScaledIdentity ? block.multiplier : ones(block.batchShapeTensor(), block.dtype),
      );
      return new LinearOperatorScaledIdentity(a.rangeDimensionTensor(), add(one, other), options);
    },
  },
  {
    scope: "AddAndReturnDiag",
    takes: isDiagonal,
    add: (a, b, options) => new LinearOperatorDiag(add(a.diagPart(), b.diagPart()), options),
  },
  { scope: "AddAndReturnTriL", takes: isTriangular, add: (a, b, options) => new LinearOperatorLowerTriangular(denseSum(a, b), options) },
  { scope: "AddAndReturnMatrix", takes: () => true, add: (a, b, options) => new LinearOperatorFullMatrix(denseSum(a, b), options) },
];

const denseSum = (a: LinearOperator, b: LinearOperator): Tensor =>
  isDiagonal(a) ? a.addToTensor(b.toDense()) : b.addToTensor(a.toDense());

/** The sum of operators, of the narrowest kind that it is known to have. */
function sumOf(operators: readonly LinearOperator[]): LinearOperator {
  operators.map(({ batchShape }) => batchShape).reduce(broadcastStaticShape);
  return inNameScope("add_operators", "", [], () => {
    let next = operators.toReversed();
    for (const { scope, takes, add: addTwo } of kindsOfSums) {
      const now = next;
      next = [];
      for (let one = now.pop(); one !== undefined; one = now.pop()) {
        const first = one;
        const at = takes(first) ? now.findLastIndex(takes) : -1;
        if (at < 0) {
          next.push(first);
          continue;
        }
        const [other] = now.splice(at, 1);
        const isSelfAdjoint = first.isSelfAdjoint && other.isSelfAdjoint;
        const isPositiveDefinite = first.isPositiveDefinite && other.isPositiveDefinite;
        const hints = { isSelfAdjoint, isPositiveDefinite, isNonSingular: isPositiveDefinite ? true : null };
        const name = `Add/${first.name}__${other.name}/`;
        now.push(inNameScope(scope, "", [], () => addTwo(first, other, { ...hints, name })));
      }
    }
    return next[0];
  });
}
