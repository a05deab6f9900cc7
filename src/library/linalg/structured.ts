// Linear operators of matrices with a form of their own: full, tridiagonal, reflections, permutations, and those that Fourier transforms make diagonal.

import { type DType, isComplex, isInteger } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf, type TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import { numbersOf, ones, rank, reshape, shape as shapeOf, zeros, zerosLike } from "../../ops/array/array.ts";
import { gather } from "../../ops/array/gather.ts";
import { matrixDiagPart, MatrixDiagV3, matrixSetDiag } from "../../ops/array/matrix.ts";
import { broadcastDynamicShape, broadcastStaticShape, broadcastTo } from "../../ops/array/padding.ts";
import { range } from "../../ops/array/ranges.ts";
import { reverse, roll, transpose } from "../../ops/array/rearranging.ts";
import { whereV2 } from "../../ops/array/selection.ts";
import { concat, ellipsis, getItem, newaxis, stack, unstack } from "../../ops/array/slicing.ts";
import { argsort } from "../../ops/array/sort.ts";
import { assertEqual, assertInteger, assertLess, assertPositive } from "../../ops/flow/check.ts";
import { group, noOp } from "../../ops/flow/control-flow.ts";
import { tridiagonalMatmul } from "../../ops/linalg/functions.ts";
import { adjoint, tridiagonalSolve } from "../../ops/linalg/linalg.ts";
import { abs, complex, conj, imag, log, real } from "../../ops/math/functions.ts";
import { cast } from "../../ops/math/cast.ts";
import { equal, less } from "../../ops/math/comparison.ts";
import { matmul } from "../../ops/math/matrix.ts";
import { reduceMax, reduceMin, reduceProd, reduceSum } from "../../ops/math/reduction.ts";
import { inNameScope, type NameOption } from "../../ops/named.ts";
import { l2Normalize } from "../../ops/nn/normalization.ts";
import * as operator from "../../ops/operators.ts";
import { fft, fft2d, fft3d, ifft, ifft2d, ifft3d } from "../../ops/signal/fft.ts";
import { assertNoEntriesWithModulusZero, assertZeroImagPart, broadcastMatrixBatchDims, roundoff, shapeTensor } from "./batches.ts";
import { commutingHints, LinearOperator, type LinearOperatorHints, type LinearOperatorOptions } from "./linear-operator.ts";
import type { Change } from "./slices.ts";

const { add, mod, mul, neg, sub, truediv } = operator;

const matrixTypes: readonly DType[] = ["float16", "float32", "float64", "complex64", "complex128"];

/** Any matrices, `[..., rows, columns]`. TF: tf.linalg.LinearOperatorFullMatrix. */
export class LinearOperatorFullMatrix extends LinearOperator {
  readonly matrix: Tensor;

  constructor(matrix: TensorLike, options: LinearOperatorOptions = {}) {
    const { name = "LinearOperatorFullMatrix" } = options;
    const given = inNameScope({ name }, "", [matrix], () => convertToTensor(matrix, { name: "matrix" }));
    if (!matrixTypes.includes(given.dtype)) {
      const allowed = matrixTypes.map(dtype => `tf.${dtype}`).join(", ");
      throw new TypeError(`Argument \`matrix\` must have dtype in [${allowed}]. Received: <dtype: '${given.dtype}'>.`);
    }
    if (given.shape.rank !== null && given.shape.rank < 2)
      throw new ValueError(`Argument \`matrix\` must have at least 2 dimensions. Received: ${given}.`);
    super(given.dtype, { ...options, name, parameters: { matrix, ...options } });
    this.matrix = given;
  }

  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorFullMatrix(change(this.matrix, 2), this.parameters);
  }
  protected _shape(): TensorShape {
    return this.matrix.shape;
  }
  protected override _shapeTensor(): Tensor {
    return shapeOf(this.matrix);
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return matmul(this.matrix, x, { adjointA: isAdjoint, adjointB: adjointArg });
  }
  protected override _toDense(): Tensor {
    return this.matrix;
  }
}

type DiagonalsFormat = "compact" | "matrix" | "sequence";

interface TridiagOptions extends LinearOperatorOptions {
  readonly diagonalsFormat?: DiagonalsFormat;
}

/** Matrices with three diagonals, given as rows [superdiagonal, diagonal, subdiagonal] `[..., 3, n]` ("compact"), as three `[..., n]` ("sequence"), or
 *  as matrices `[..., n, n]` of which these count ("matrix"). TF: tf.linalg.LinearOperatorTridiag. */
export class LinearOperatorTridiag extends LinearOperator {
  readonly diagonals: Tensor | readonly Tensor[];
  readonly diagonalsFormat: DiagonalsFormat;

  constructor(diagonals: TensorLike | readonly TensorLike[], options: TridiagOptions = {}) {
    const { diagonalsFormat = "compact", name = "LinearOperatorTridiag" } = options;
    const given = inNameScope({ name }, "", [diagonals], () => {
      if (!["compact", "matrix", "sequence"].includes(diagonalsFormat))
        throw new ValueError(`Argument \`diagonals_format\` must be one of compact, matrix, or sequence. Received : ${diagonalsFormat}.`);
      if (diagonalsFormat !== "sequence") return convertToTensor(diagonals as TensorLike, { name: "diagonals" });
      return (diagonals as readonly TensorLike[]).map((diagonal, i) => convertToTensor(diagonal, { name: `diag_${i}` }));
    });
    const [{ dtype }] = [given].flat() as Tensor[];
    super(dtype, { ...options, name, parameters: { diagonals, ...options } });
    [this.diagonals, this.diagonalsFormat] = [given, diagonalsFormat];
  }

  /** The three in a list, or all in one tensor. */
  private get list(): readonly Tensor[] | undefined {
    return this.diagonalsFormat === "sequence" ? (this.diagonals as readonly Tensor[]) : undefined;
  }
  private get whole(): Tensor {
    return this.diagonals as Tensor;
  }
  protected override _remade(change: Change): LinearOperator {
    const { list } = this;
    return new LinearOperatorTridiag(
      list === undefined ? change(this.whole, 2) : list.map(diagonal => change(diagonal, 1)),
      this.parameters,
    );
  }
  protected _shape(): TensorShape {
    if (this.diagonalsFormat === "matrix") return this.whole.shape;
    const { list } = this;
    const batch = list ? list.map(({ shape }) => shape.slice(0, -1)).reduce(broadcastStaticShape) : this.whole.shape.slice(0, -2);
    const side = (list ? list[1] : this.whole).shape.dim(-1);
    return batch.concatenate([side, side]);
  }
  protected override _shapeTensor(diagonals: Tensor | readonly Tensor[] = this.diagonals): Tensor {
    if (this.diagonalsFormat === "matrix") return shapeOf(diagonals as Tensor);
    const { list } = this;
    let sizes: Tensor;
    if (list === undefined) sizes = shapeOf(getItem(diagonals as Tensor, ellipsis, 0, []));
    else {
      const batchOf = (diagonal: Tensor): Tensor => getItem(shapeOf(diagonal), [null, -1]);
      const two = broadcastDynamicShape(batchOf(list[0]), batchOf(list[1]));
      sizes = concat([broadcastDynamicShape(two, batchOf(list[2])), [getItem(shapeOf(list[1]), -1)]], 0);
    }
    return concat([sizes, [getItem(sizes, -1)]], -1);
  }
  protected override _assertSelfAdjoint(): Operation {
    if (this.diagonalsFormat === "matrix")
      return group(assertEqual(this.whole, adjoint(this.whole), { message: "Matrix was not equal to its adjoint." }));
    const row = (k: number): Tensor => (this.list ? this.list[k] : getItem(this.whole, ellipsis, k, []));
    const isReal = assertZeroImagPart(row(1), "This tridiagonal operator contained non-zero imaginary values on the diagonal.");
    const below = roll(row(2), -1, -1);
    const first = conj(getItem(below, ellipsis, [null, -1]));
    const above = this.list ? getItem(this.list[0], ellipsis, [null, -1]) : getItem(this.whole, ellipsis, 0, [null, -1]);
    const message = "This tridiagonal operator has non-conjugate subdiagonal and superdiagonal.";
    return group(isReal, assertEqual(first, above, { message }));
  }
  private diagonalsFor(isAdjoint: boolean): Tensor | readonly Tensor[] {
    if (!isAdjoint) return this.diagonals;
    if (this.diagonalsFormat === "matrix") return adjoint(this.whole);
    if (this.list) {
      const [first, middle, last] = this.list.toReversed().map(diagonal => conj(diagonal));
      return [roll(first, -1, -1), middle, roll(last, 1, -1)];
    }
    const [above, middle, below] = unstack(conj(this.whole), 3, -2);
    return stack([roll(below, -1, -1), middle, roll(above, 1, -1)], -2);
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const diagonals = this.diagonalsFor(isAdjoint);
    return tridiagonalMatmul(diagonals, adjointArg ? adjoint(x) : x, { diagonalsFormat: this.diagonalsFormat });
  }
  protected override _solve(given: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const diagonals = this.diagonalsFor(isAdjoint);
    const sizes = shapeOf(given);
    const side = getItem(this._shapeTensor(diagonals), -1);
    const batch = broadcastDynamicShape(getItem(this._shapeTensor(diagonals), [null, -2]), getItem(sizes, [null, -2]));
    const rhs = broadcastTo(given, concat([batch, getItem(sizes, [-2, null])], -1));
    const wide = (diagonal: Tensor, ...last: TensorLike[]): Tensor => broadcastTo(diagonal, concat([batch, last as TensorLike], -1));
    const own = this.list
      ? (diagonals as readonly Tensor[]).map(diagonal => wide(diagonal, side))
      : wide(diagonals as Tensor, this.diagonalsFormat === "matrix" ? side : 3, side);
    return tridiagonalSolve(own, rhs, { diagonalsFormat: this.diagonalsFormat, transposeRhs: adjointArg, conjugateRhs: adjointArg });
  }
  protected override _diagPart(): Tensor {
    if (this.diagonalsFormat === "matrix") return matrixDiagPart(this.whole);
    if (this.list) return broadcastTo(this.list[1], getItem(this.shapeTensor(), [null, -1]));
    return getItem(this.whole, ellipsis, 1, []);
  }
  protected override _toDense(): Tensor {
    if (this.diagonalsFormat === "matrix") return this.whole;
    const diagonal = this.list ? stack(this.list, -2) : this.whole;
    return MatrixDiagV3({ diagonal, k: [-1, 1], numRows: -1, numCols: -1, paddingValue: 0, align: "LEFT_RIGHT" });
  }
}

/** Reflections at the hyperplanes that `reflectionAxis` `[..., n]` is normal to. TF: tf.linalg.LinearOperatorHouseholder. */
export class LinearOperatorHouseholder extends LinearOperator {
  readonly reflectionAxis: Tensor;

  constructor(reflectionAxis: TensorLike, options: LinearOperatorOptions = {}) {
    const { name = "LinearOperatorHouseholder" } = options;
    const given = inNameScope({ name }, "", [reflectionAxis], () => convertToTensor(reflectionAxis, { name: "reflection_axis" }));
    if (given.shape.rank === 0) throw new ValueError(`Argument reflection_axis must have at least 1 dimension.  Found: ${given}`);
    if (options.isSelfAdjoint === false) throw new ValueError("A Householder operator is always self adjoint.");
    if (options.isPositiveDefinite === true) throw new ValueError("A Householder operator is always non-positive definite.");
    if (options.isSquare === false) throw new ValueError("A Householder operator is always square.");
    const hints = { isNonSingular: options.isNonSingular ?? null, isSelfAdjoint: true, isPositiveDefinite: false, isSquare: true };
    super(given.dtype, { ...hints, name, parameters: { reflectionAxis, ...options } });
    this.reflectionAxis = given;
  }

  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorHouseholder(change(this.reflectionAxis, 1), this.parameters);
  }
  protected _shape(): TensorShape {
    const { shape } = this.reflectionAxis;
    return shape.concatenate(shape.slice(-1));
  }
  protected override _shapeTensor(): Tensor {
    const sizes = shapeOf(this.reflectionAxis);
    return concat([sizes, [getItem(sizes, -1)]], 0);
  }
  protected override _assertNonSingular(): Operation {
    return noOp({ name: "assert_non_singular" });
  }
  protected override _assertPositiveDefinite(): Operation {
    throw new InvalidArgumentError("Householder operators are always non-positive definite.");
  }
  protected override _assertSelfAdjoint(): Operation {
    return noOp({ name: "assert_self_adjoint" });
  }
  protected override _linopAdjoint(): LinearOperator {
    return this;
  }
  protected override _linopInverse(): LinearOperator {
    return this;
  }
  private unit(): Tensor {
    return l2Normalize(this.reflectionAxis, -1);
  }
  protected _matmul(x: Tensor, _isAdjoint: boolean, adjointArg: boolean): Tensor {
    const given = adjointArg ? adjoint(x) : x;
    const column = getItem(this.unit(), ellipsis, newaxis);
    const along = matmul(column, given, { adjointA: true });
    return sub(given, mul(mul(2, column), along));
  }
  protected override _trace(): Tensor {
    const sizes = this.shapeTensor();
    const count = cast(sub(this._domainDimensionTensor(sizes), 2), this.dtype);
    return mul(count, ones(this._batchShapeTensor(sizes), this.dtype));
  }
  protected override _determinant(): Tensor {
    return neg(ones(this.batchShapeTensor(), this.dtype));
  }
  protected override _logAbsDeterminant(): Tensor {
    return zeros(this.batchShapeTensor(), this.dtype);
  }
  protected override _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this._matmul(rhs, isAdjoint, adjointArg);
  }
  protected override _toDense(): Tensor {
    const column = getItem(this.unit(), ellipsis, newaxis);
    const matrix = mul(-2, matmul(column, column, { adjointB: true }));
    return matrixSetDiag(matrix, add(1, matrixDiagPart(matrix)));
  }
  protected override _diagPart(): Tensor {
    const unit = this.unit();
    return sub(1, mul(mul(2, unit), conj(unit)));
  }
  protected override _eigvals(): Tensor {
    const sizes = shapeOf(this.reflectionAxis);
    const count = getItem(sizes, -1);
    const batch = (): Tensor => getItem(sizes, [null, -1]);
    const [most, one] = [concat([batch(), [sub(count, 1)]], -1), concat([batch(), [1]], -1)];
    const positive = ones(most, this.dtype);
    return concat([neg(ones(one, this.dtype)), positive], -1);
  }
  protected override _cond(): Tensor {
    return ones(this.batchShapeTensor(), this.dtype);
  }
}

interface PermutationOptions extends LinearOperatorOptions {
  readonly dtype?: DType;
}

/** Matrices whose row i is row `perm[i]` of the identity: rows of what they are multiplied with change places. TF: tf.linalg.LinearOperatorPermutation. */
export class LinearOperatorPermutation extends LinearOperator {
  readonly perm: Tensor;

  constructor(perm: TensorLike, options: PermutationOptions = {}) {
    const { dtype = "float32", name = "LinearOperatorPermutation" } = options;
    const given = inNameScope({ name }, "", [perm], () => shapeTensor(perm, "perm"));
    if (given.shape.rank === 0) throw new ValueError(`Argument \`perm\` must have at least 1 dimension. Received: ${given}.`);
    if (!isInteger(given.dtype)) throw new TypeError(`Argument \`perm\` must be integer dtype. Received: ${given}.`);
    const known = constantValue(given);
    if (known !== undefined) needPermutations(numbersOf(known), known.shape[known.rank - 1]);
    for (const [property, hint] of [
      ["is_non_singular", options.isNonSingular],
      ["is_square", options.isSquare],
    ] as const)
      if (hint === false) {
        const what = property === "is_square" ? "square" : "non-singular";
        throw new ValueError(`A Permutation operator is always ${what}. Expected argument \`${property}\` to be True. Received: False.`);
      }
    super(dtype, { ...options, isSquare: true, name, parameters: { perm, ...options } });
    this.perm = given;
  }

  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorPermutation(change(this.perm, 1), this.parameters);
  }
  protected _shape(): TensorShape {
    return this.perm.shape.concatenate(this.perm.shape.slice(-1));
  }
  protected override _shapeTensor(): Tensor {
    const sizes = shapeOf(this.perm);
    return concat([sizes, [getItem(sizes, -1)]], 0);
  }
  protected override _assertNonSingular(): Operation {
    return noOp({ name: "assert_non_singular" });
  }
  protected override _domainDimensionTensor(): Tensor {
    return getItem(shapeOf(this.perm), -1);
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const order = isAdjoint && !this.isSelfAdjoint ? argsort(this.perm, { axis: -1 }) : this.perm;
    const given = adjointArg ? adjoint(x) : x;
    const rows = broadcastDynamicShape(getItem(shapeOf(given), [null, -1]), shapeOf(order));
    const columns = getItem(shapeOf(given), -1);
    const whole = concat([rows, [columns]], -1);
    const [wide, wideOrder] = [broadcastTo(given, whole), broadcastTo(order, rows)];
    const count = getItem(shapeOf(wide), -2);
    const flat = reshape(wide, [-1, count, columns] as TensorLike);
    const flatOrder = reshape(wideOrder, [-1, count] as TensorLike);
    return reshape(gather(flat, flatOrder, { axis: -2, batchDims: 1 }), whole);
  }
  protected override _logAbsDeterminant(): Tensor {
    return zeros(this.batchShapeTensor(), this.dtype);
  }
  protected override _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    return this._matmul(rhs, !isAdjoint, adjointArg);
  }
  protected override _toDense(): Tensor {
    const places = range(0, this._domainDimensionTensor());
    return cast(equal(places, getItem(this.perm, ellipsis, newaxis)), this.dtype);
  }
  protected override _diagPart(): Tensor {
    return cast(equal(range(0, this._domainDimensionTensor()), this.perm), this.dtype);
  }
  protected override _cond(): Tensor {
    return ones(this.batchShapeTensor(), this.dtype);
  }
}

function needPermutations(places: readonly number[], count: number): void {
  for (let at = 0; at < places.length; at += count) {
    const sorted = places.slice(at, at + count).toSorted((a, b) => a - b);
    if (sorted.some((place, i) => place !== i))
      throw new ValueError(`Argument \`perm\` must be a vector of unique integers from 0 to ${count - 1}.`);
  }
}

// ---- what Fourier transforms make diagonal ----

/** Any number as a complex one; real ones of double precision keep it. */
const asComplex = (x: Tensor): Tensor => (isComplex(x.dtype) ? x : cast(x, x.dtype === "float64" ? "complex128" : "complex64"));

/** Axes moved around by one: the last becomes the first, or the first the last. */
const rotated = (x: Tensor, by: 1 | -1): Tensor =>
  inNameScope("rotate_transpose", "", [x], () => {
    const shift = shapeTensor(by, "shift");
    assertInteger(shift);
    const count = x.shape.rank;
    if (count !== null) {
      const order = Array.from({ length: count }, (_, axis) => (axis - by + count) % count);
      return count < 2 ? x : transpose(x, NDArray.from(order, "int64"));
    }
    const axes = rank(x);
    const first = whereV2(less(shift, 0), mod(neg(shift), axes), sub(axes, mod(shift, axes)));
    const [before, behind] = [range(0, first), range(first, axes)];
    return transpose(x, concat([behind, before], 0));
  });

interface CirculantOptions extends LinearOperatorOptions {
  /** The type of what the operator takes and gives: real where the spectrum is that of a real kernel. */
  readonly inputOutputDtype?: DType;
}

const forward = [fft, fft2d, fft3d];
const backward = [ifft, ifft2d, ifft3d];

/** Matrices that are diagonal after a Fourier transform over `blockDepth` dimensions. */
abstract class Circulant extends LinearOperator {
  readonly spectrum: Tensor;
  readonly blockDepth: number;

  constructor(spectrum: TensorLike, blockDepth: number, options: CirculantOptions) {
    const { inputOutputDtype = "complex64", name } = options;
    const given = inNameScope({ name }, "", [spectrum], () => convertToTensor(spectrum, { name: "spectrum" }));
    if (given.shape.rank !== null && given.shape.rank < blockDepth)
      throw new ValueError(`Argument \`spectrum\` must have at least ${blockDepth} dimensions. Received: ${given}.`);
    let { isSelfAdjoint } = options;
    if (!isComplex(given.dtype)) {
      if (isSelfAdjoint === false)
        throw new ValueError(
          "A real spectrum always corresponds to a self-adjoint operator. Expected argument `is_self_adjoint` to be True when `spectrum.dtype.is_complex` = True. Received: False.",
        );
      isSelfAdjoint = true;
    }
    if (options.isSquare === false)
      throw new ValueError(
        "A [[nested] block] circulant operator is always square. Expected argument `is_square` to be True. Received: False.",
      );
    super(inputOutputDtype, {
      ...options,
      isSelfAdjoint: isSelfAdjoint ?? null,
      isSquare: true,
      name,
      parameters: { spectrum, ...options },
    });
    [this.spectrum, this.blockDepth] = [given, blockDepth];
  }

  /** Another operator of this class. */
  private alike(spectrum: Tensor, hints: LinearOperatorHints, inputOutputDtype?: DType): LinearOperator {
    const Class = this.constructor as new (spectrum: Tensor, options: CirculantOptions) => LinearOperator;
    return new Class(spectrum, { ...hints, isSquare: true, inputOutputDtype });
  }
  protected override _linopAdjoint(): LinearOperator {
    return this.alike(isComplex(this.spectrum.dtype) ? conj(this.spectrum) : this.spectrum, this.hints);
  }
  protected override _linopInverse(): LinearOperator {
    return this.alike(truediv(1, this.spectrum), this.hints, this.dtype);
  }
  protected override _linopMatmul(left: LinearOperator, right: LinearOperator): LinearOperator {
    if (!(right instanceof Circulant && left instanceof right.constructor)) return super._linopMatmul(left, right);
    return this.alike(mul((left as Circulant).spectrum, right.spectrum), commutingHints(left, right));
  }
  protected override _linopSolve(left: LinearOperator, right: LinearOperator): LinearOperator {
    if (!(right instanceof Circulant && right.constructor === this.constructor)) return super._linopSolve(left, right);
    return this.alike(truediv(right.spectrum, (left as Circulant).spectrum), commutingHints(left, right));
  }

  /** The sizes that the transform runs over, as far as they are known. */
  get blockShape(): TensorShape {
    return this.spectrum.shape.slice(-this.blockDepth);
  }
  blockShapeTensor(): Tensor {
    return this.blockSizes();
  }
  private blockSizes(given?: Tensor): Tensor {
    if (this.blockShape.isFullyDefined) return shapeTensor(this.blockShape.asList(), "block_shape");
    return getItem(given ?? shapeOf(this.spectrum), [-this.blockDepth, null]);
  }
  protected _shape(): TensorShape {
    const { shape } = this.spectrum;
    const count = this.blockShape.isFullyDefined ? sizeOf(this.blockShape.asNumbers()) : null;
    return shape.slice(0, -this.blockDepth).concatenate([count, count]);
  }
  protected override _shapeTensor(spectrum: Tensor = this.spectrum): Tensor {
    const sizes = shapeOf(spectrum);
    const batch = getItem(sizes, [null, -this.blockDepth]);
    const count = reduceProd(getItem(sizes, [-this.blockDepth, null]));
    return concat([batch, [count, count] as TensorLike], 0);
  }
  /** The last axes as one. */
  private flattened(x: Tensor): Tensor {
    if (x.shape.isFullyDefined) {
      const sizes = x.shape.asNumbers();
      return reshape(x, [...sizes.slice(0, -this.blockDepth), sizeOf(sizes.slice(-this.blockDepth))]);
    }
    const sizes = shapeOf(x);
    const [outer, block] = [getItem(sizes, [null, -this.blockDepth]), getItem(sizes, [-this.blockDepth, null])];
    return reshape(x, concat([outer, [reduceProd(block)]], 0));
  }
  /** The columns of matrices as vectors, and those as blocks. */
  private asBlocks(matrix: Tensor): Tensor {
    const vectors = rotated(matrix, 1);
    if (vectors.shape.isFullyDefined && this.blockShape.isFullyDefined)
      return reshape(vectors, vectors.shape.slice(0, -1).concatenate(this.blockShape));
    return reshape(vectors, concat([getItem(shapeOf(vectors), [null, -1]), this.blockShapeTensor()], 0));
  }
  private asMatrix(blocks: Tensor): Tensor {
    return rotated(this.flattened(blocks), -1);
  }
  private transformed(x: Tensor): Tensor {
    return forward[this.blockDepth - 1](asComplex(x));
  }
  private restored(x: Tensor): Tensor {
    return backward[this.blockDepth - 1](asComplex(x));
  }
  /** The first column of the matrices, in blocks: what the operator convolves with. */
  convolutionKernel(option?: NameOption): Tensor {
    return this.inScope(option, "convolution_kernel", () => cast(this.restored(asComplex(this.spectrum)), this.dtype));
  }
  /** An operation that fails unless the kernel is real. */
  assertHermitianSpectrum(option?: NameOption): Operation {
    return this.inScope(option, "assert_hermitian_spectrum", () => {
      const limit = mul(roundoff(this.dtype), this.domainDimensionTensor());
      return assertLess(abs(imag(this.convolutionKernel())), limit, { message: "Spectrum was not Hermitian" });
    });
  }
  protected override _assertNonSingular(): Operation {
    return assertNoEntriesWithModulusZero(this.spectrum, "Singular operator:  Spectrum contained zero values.");
  }
  protected override _assertPositiveDefinite(): Operation {
    return assertPositive(real(this.spectrum), { message: "Not positive definite:  Real part of spectrum was not all positive." });
  }
  protected override _assertSelfAdjoint(): Operation {
    return assertZeroImagPart(this.spectrum, "Not self-adjoint:  The spectrum contained non-zero imaginary part.");
  }
  /** Matrices and the spectrum with one batch shape. */
  private inOneBatch(x: Tensor, spectrum: Tensor): [x: Tensor, spectrum: Tensor] {
    const batch = this._batchShapeTensor(this._shapeTensor(spectrum));
    const column = reshape(spectrum, concat([batch, [-1, 1]], 0));
    const [wide, wideColumn] = broadcastMatrixBatchDims([x, column]);
    const sizes = getItem(shapeOf(wide), [null, -2]);
    return [wide, reshape(wideColumn, concat([sizes, this.blockSizes(shapeOf(spectrum))], 0))];
  }
  private complexSpectrum(isAdjoint: boolean): Tensor {
    const spectrum = asComplex(this.spectrum);
    return isAdjoint ? conj(spectrum) : spectrum;
  }
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const given = adjointArg ? adjoint(x) : x;
    const own = this.complexSpectrum(isAdjoint);
    const [wide, spectrum] = this.inOneBatch(cast(given, own.dtype), own);
    const waves = this.transformed(this.asBlocks(wide));
    return cast(this.asMatrix(this.restored(mul(spectrum, waves))), this.dtype);
  }
  protected override _solve(rhs: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const given = adjointArg ? adjoint(rhs) : rhs;
    const own = this.complexSpectrum(isAdjoint);
    const [wide, spectrum] = this.inOneBatch(given, own);
    const waves = this.transformed(this.asBlocks(wide));
    return cast(this.asMatrix(this.restored(truediv(waves, spectrum))), this.dtype);
  }
  private get blockAxes(): number[] {
    return Array.from({ length: this.blockDepth }, (_, i) => -(i + 1));
  }
  protected override _determinant(): Tensor {
    return cast(reduceProd(this.spectrum, this.blockAxes), this.dtype);
  }
  protected override _logAbsDeterminant(): Tensor {
    return cast(reduceSum(log(abs(this.spectrum)), this.blockAxes), this.dtype);
  }
  protected override _diagPart(): Tensor {
    const sizes = this.shape.isFullyDefined ? this.shape.slice(0, -1) : getItem(this.shapeTensor(), [null, -1]);
    const count = this.shape.isFullyDefined ? NDArray.from(this.domainDimension.value as number, "int32") : this.domainDimensionTensor();
    const diagonal = ones(sizes, this.dtype);
    const value = truediv(this.trace(), cast(count, this.dtype));
    return mul(getItem(value, ellipsis, newaxis), diagonal);
  }
  protected override _trace(): Tensor {
    const axes = this.traceAxes();
    const sum = reduceSum(real(this.spectrum), axes);
    if (!isComplex(this.dtype)) return cast(sum, this.dtype);
    const imaginary = this.isSelfAdjoint ? zerosLike(sum) : reduceSum(imag(this.spectrum), axes);
    return cast(complex(sum, imaginary), this.dtype);
  }
  private traceAxes(): number[] | Tensor {
    const { shape } = this.spectrum;
    if (shape.isFullyDefined) {
      const count = shape.rank as number;
      return Array.from({ length: this.blockDepth }, (_, i) => count - this.blockDepth + i);
    }
    const count = rank(this.spectrum);
    return range(sub(count, this.blockDepth), count);
  }
  protected override _eigvals(): Tensor {
    return this.flattened(this.spectrum);
  }
  protected override _cond(): Tensor {
    const size = abs(this.flattened(this.spectrum));
    return truediv(reduceMax(size, -1), reduceMin(size, -1));
  }
}

/** Circulant matrices, given by the Fourier transform `[..., n]` of their first columns. TF: tf.linalg.LinearOperatorCirculant. */
export class LinearOperatorCirculant extends Circulant {
  constructor(spectrum: TensorLike, options: CirculantOptions = {}) {
    super(spectrum, 1, { name: "LinearOperatorCirculant", ...options });
  }
  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorCirculant(change(this.spectrum, 1), this.parameters);
  }
}

/** Block circulant matrices of circulant blocks, by the two-dimensional transform `[..., n, m]` of the kernel. TF: tf.linalg.LinearOperatorCirculant2D. */
export class LinearOperatorCirculant2D extends Circulant {
  constructor(spectrum: TensorLike, options: CirculantOptions = {}) {
    super(spectrum, 2, { name: "LinearOperatorCirculant2D", ...options });
  }
  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorCirculant2D(change(this.spectrum, 2), this.parameters);
  }
}

/** The same in three dimensions, by `[..., n, m, k]`. TF: tf.linalg.LinearOperatorCirculant3D. */
export class LinearOperatorCirculant3D extends Circulant {
  constructor(spectrum: TensorLike, options: CirculantOptions = {}) {
    super(spectrum, 3, { name: "LinearOperatorCirculant3D", ...options });
  }
  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorCirculant3D(change(this.spectrum, 3), this.parameters);
  }
}

/** Matrices with the same number along each diagonal, by their first columns and rows `[..., n]`. TF: tf.linalg.LinearOperatorToeplitz. */
export class LinearOperatorToeplitz extends LinearOperator {
  readonly col: Tensor;
  readonly row: Tensor;

  constructor(col: TensorLike, row: TensorLike, options: LinearOperatorOptions = {}) {
    const { name = "LinearOperatorToeplitz" } = options;
    const [givenRow, givenCol] = inNameScope({ name }, "", [row, col], () => [
      convertToTensor(row, { name: "row" }),
      convertToTensor(col, { name: "col" }),
    ]);
    for (const [argument, { shape }, tensor] of [
      ["row", givenRow, givenRow],
      ["col", givenCol, givenCol],
    ] as const)
      if (shape.rank === 0) throw new ValueError(`Argument ${argument} must have at least 1 dimension.  Found: ${tensor}`);
    const [m, n] = [givenRow.shape.dim(-1), givenCol.shape.dim(-1)];
    if (m !== null && n !== null && m !== n) throw new ValueError("Expected square matrix, got row and col with mismatched dimensions.");
    if (options.isSquare === false) throw new ValueError("Only square Toeplitz operators currently supported.");
    super(givenRow.dtype, { ...options, isSquare: true, name, parameters: { col, row, ...options } });
    [this.col, this.row] = [givenCol, givenRow];
  }

  protected override _remade(change: Change): LinearOperator {
    return new LinearOperatorToeplitz(change(this.col, 1), change(this.row, 1), this.parameters);
  }
  protected _shape(): TensorShape {
    const vector = broadcastStaticShape(this.row.shape, this.col.shape);
    return vector.concatenate(vector.slice(-1));
  }
  protected override _shapeTensor(): Tensor {
    const vector = broadcastDynamicShape(shapeOf(this.row), shapeOf(this.col));
    return concat([vector, [getItem(vector, -1)]], 0);
  }
  protected override _assertSelfAdjoint(): Operation {
    const message = "row and col are not the same, and so this operator is not self-adjoint.";
    return assertEqual(this.row, this.col, { message });
  }
  /** The product is that of a circulant matrix twice as large. */
  protected _matmul(x: Tensor, isAdjoint: boolean, adjointArg: boolean): Tensor {
    const { row, col } = this;
    const given = adjointArg ? adjoint(x) : x;
    const twice = concat([given, zerosLike(given)], -2);
    const middle = zerosLike(getItem(col, ellipsis, [0, 1]));
    const wrapped = concat([col, middle, reverse(getItem(row, ellipsis, [1, null]), [-1])], -1);
    const type = row.dtype === "float64" || row.dtype === "complex128" ? "complex128" : "complex64";
    const circulant = new LinearOperatorCirculant(fft(cast(wrapped, type)), { inputOutputDtype: row.dtype });
    const result = circulant.matmul(twice, { adjoint: isAdjoint });
    const count = this._domainDimensionTensor(this._shapeTensor());
    return cast(getItem(result, ellipsis, [null, count], []), this.dtype);
  }
  protected override _trace(): Tensor {
    const count = cast(this.domainDimensionTensor(), this.dtype);
    return mul(count, getItem(this.col, ellipsis, 0));
  }
  protected override _diagPart(): Tensor {
    const entry = getItem(this.col, ellipsis, [0, 1]);
    return mul(entry, ones([this.domainDimensionTensor()] as TensorLike, this.dtype));
  }
  protected override _toDense(): Tensor {
    const sizes = broadcastDynamicShape(shapeOf(this.row), shapeOf(this.col));
    const count = getItem(shapeOf(this.row), -1);
    const [row, col] = [broadcastTo(this.row, sizes), broadcastTo(this.col, sizes)];
    const elements = concat([reverse(col, [-1]), getItem(row, ellipsis, [1, null])], -1);
    const across = range(0, count);
    const down = getItem(range(sub(count, 1), -1, -1), ellipsis, newaxis);
    const places = mod(add(across, down), sub(mul(2, count), 1));
    return gather(elements, places, { axis: -1 });
  }
}
