// What follows from a factored matrix: solutions by LU, pseudo-inverses and ranks by singular values; and normalized tensors.

import { isFloating, machineEpsilon, type DType } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { collect } from "../arguments.ts";
import { expandDims, identity, ones, rank, reshape, shape } from "../array/array.ts";
import { gather, gatherNd } from "../array/gather.ts";
import { eye, matrixBandPart, matrixSetDiag } from "../array/matrix.ts";
import { broadcastDynamicShape, broadcastTo } from "../array/padding.ts";
import { range } from "../array/ranges.ts";
import { invertPermutation } from "../array/rearranging.ts";
import { whereV2 } from "../array/selection.ts";
import { concat, getItem, newaxis, split, stack } from "../array/slicing.ts";
import { assertEqual, assertRank, assertRankAtLeast } from "../flow/check.ts";
import { mapFn } from "../flow/functional.ts";
import { matrixTriangularSolve, svd } from "./linalg.ts";
import { norm } from "./norm.ts";
import { cast } from "../math/cast.ts";
import { maximum } from "../math/math.ts";
import { matmul } from "../math/matrix.ts";
import { reduceMax, reduceProd, reduceSum } from "../math/reduction.ts";
import { inNameScope } from "../named.ts";
import * as operator from "../operators.ts";

interface Checked extends Named {
  /** Adds the checks that shapes do not answer yet to the graph. */
  readonly validateArgs?: boolean;
}

/** The tensors after the checks of a run, if there are any. */
const after = (checks: readonly Operation[], tensors: readonly Tensor[]): readonly Tensor[] =>
  checks.length === 0 ? tensors : getDefaultGraph().controlDependencies(checks, () => tensors.map(x => identity(x)));

// ---- LU ----

function checkFactors(lowerUpper: Tensor, perm: Tensor, validates: boolean): Operation[] {
  const checks: Operation[] = [];
  const demand = (holds: boolean | undefined, message: string, check: () => Operation): void => {
    if (holds === false) throw new ValueError(message);
    if (holds === undefined && validates) checks.push(check());
  };
  const [r, p] = [lowerUpper.shape.rank, perm.shape.rank];
  const message = "Input `lower_upper` must have at least 2 dimensions.";
  // TensorFlow adds this check also where it knows the rank.
  demand(r !== null && r < 2 ? false : undefined, message, () => assertRankAtLeast(lowerUpper, 2, { message }));
  const ranks = "`rank(lower_upper)` must equal `rank(perm) + 1`";
  demand(r === null || p === null ? undefined : r === p + 1, ranks, () =>
    assertRank(lowerUpper, operator.add(rank(perm), 1), { message: ranks }),
  );
  const square = "`lower_upper` must be square.";
  const dims = lowerUpper.shape.dims;
  const isKnown = dims?.slice(0, -2).every(d => d !== null);
  const [m, n] = dims?.slice(-2) ?? [null, null];
  demand(isKnown ? m === null || n === null || m === n : undefined, square, () => {
    const [rows, columns] = split(getItem(shape(lowerUpper), [-2, null]), 2);
    return assertEqual(rows, columns, { message: square });
  });
  return checks;
}

interface FactorNames {
  readonly lowerUpper: TensorLike;
  readonly perm: TensorLike;
}

function convertFactors({ lowerUpper, perm }: FactorNames): [lowerUpper: Tensor, perm: Tensor] {
  return [
    convertToTensor(lowerUpper, { name: "lower_upper", preferredDtype: "float32" }),
    convertToTensor(perm, { name: "perm", preferredDtype: "int32" }),
  ];
}

/** The factor below the diagonal, with ones on it. */
const lowerFactor = (lowerUpper: Tensor, dims?: Tensor): Tensor => {
  const lower = matrixBandPart(lowerUpper, -1, 0);
  return matrixSetDiag(lower, ones(getItem(dims ?? shape(lowerUpper), [null, -1]), lowerUpper.dtype));
};

/** X with A·X = rhs `[..., m, n]`, from `lowerUpper` `[..., m, m]` and `perm` `[..., m]` as tf.linalg.lu gives them for A.
 *  @throws ValueError for shapes that do not fit. TF: tf.linalg.lu_solve(lower_upper, perm, rhs, validate_args, name). */
export function luSolve(lowerUpper: TensorLike, perm: TensorLike, rhs: TensorLike, ...rest: unknown[]): Tensor {
  const { validateArgs = false, name } = collect<Checked>(["validateArgs", "name"], rest);
  return inNameScope({ name }, "lu_solve", [], () => {
    const factors = convertFactors({ lowerUpper, perm });
    const right = convertToTensor(rhs, { name: "rhs", preferredDtype: factors[0].dtype });
    const checks = checkFactors(...factors, validateArgs);
    const message = "Input `rhs` must have at least 2 dimensions.";
    if (right.shape.rank !== null && right.shape.rank < 2) throw new ValueError(message);
    if (right.shape.rank === null && validateArgs) checks.push(assertRankAtLeast(right, 2, { message }));
    const [side, rows] = [factors[0].shape.dims?.at(-1), right.shape.dims?.at(-2)];
    if (typeof side === "number" && typeof rows === "number" && side !== rows)
      throw new ValueError("`lower_upper.shape[-1]` must equal `rhs.shape[-1]`.");
    const [lu, order, b] = after(checks, [...factors, right]);
    const permuted = b.shape.rank === 2 && order.shape.rank === 1 ? gather(b, order, { axis: -2 }) : permutedBatch(b, order);
    const lower = lowerFactor(lu);
    return matrixTriangularSolve(lu, matrixTriangularSolve(lower, permuted), { lower: false });
  });
}

/** Rows of each matrix in the order of its permutation, for batches that broadcast. */
function permutedBatch(rhs: Tensor, perm: Tensor): Tensor {
  const rhsShape = shape(rhs);
  const batch = broadcastDynamicShape(getItem(rhsShape, [null, -2]), getItem(shape(perm), [null, -1]));
  const [d, m] = [getItem(rhsShape, -2), getItem(rhsShape, -1)];
  const whole = concat([batch, [d, m]], 0);
  const rows = reshape(broadcastTo(rhs, whole), [-1, d, m]);
  const order = reshape(broadcastTo(perm, getItem(whole, [null, -1])), [-1, d]);
  const count = reduceProd(batch);
  const examples = broadcastTo(getItem(range(count), [], newaxis), [count, d]);
  return reshape(gatherNd(rows, stack([examples, order], { axis: -1 })), whole);
}

/** A⁻¹ from the factors of A. TF: tf.linalg.lu_matrix_inverse(lower_upper, perm, validate_args, name). */
export function luMatrixInverse(lowerUpper: TensorLike, perm: TensorLike, ...rest: unknown[]): Tensor {
  const { validateArgs = false, name } = collect<Checked>(["validateArgs", "name"], rest);
  return inNameScope({ name }, "lu_matrix_inverse", [], () => {
    const factors = convertFactors({ lowerUpper, perm });
    const [lu, order] = after(checkFactors(...factors, validateArgs), factors);
    const dims = shape(lu);
    const rhs = eye(getItem(dims, -1), { batchShape: getItem(dims, [null, -2]), dtype: lu.dtype });
    return luSolve(lu, order, rhs, { validateArgs: false });
  });
}

/** A from its factors. TF: tf.linalg.lu_reconstruct(lower_upper, perm, validate_args, name). */
export function luReconstruct(lowerUpper: TensorLike, perm: TensorLike, ...rest: unknown[]): Tensor {
  const { validateArgs = false, name } = collect<Checked>(["validateArgs", "name"], rest);
  return inNameScope({ name }, "lu_reconstruct", [], () => {
    const factors = convertFactors({ lowerUpper, perm });
    const [lu, order] = after(checkFactors(...factors, validateArgs), factors);
    const dims = shape(lu);
    const product = matmul(lowerFactor(lu, dims), matrixBandPart(lu, 0, -1));
    const result = lu.shape.rank === 2 ? gather(product, invertPermutation(order)) : unpermutedBatch(product, order, dims);
    result.setShape(lu.shape);
    return result;
  });
}

function unpermutedBatch(product: Tensor, perm: Tensor, dims: Tensor): Tensor {
  const count = reduceProd(getItem(dims, [null, -2]));
  const d = getItem(dims, -1);
  const matrices = reshape(product, [count, d, d]);
  const order = mapFn(row => invertPermutation(row as Tensor), reshape(perm, [count, d])) as Tensor;
  const examples = broadcastTo(getItem(range(count), [], newaxis), [count, d]);
  return reshape(gatherNd(matrices, stack([examples, order], { axis: -1 })), dims);
}

// ---- singular values ----

function checkMatrix(a: Tensor, validates: boolean): Operation[] {
  if (!isFloating(a.dtype)) throw new TypeError(`Input \`a\` must have \`float\`-like \`dtype\` (saw ${a.dtype}).`);
  const { rank: known } = a.shape;
  if (known !== null && known < 2) throw new ValueError(`Input \`a\` must have at least 2 dimensions (saw: ${known}).`);
  const message = "Input `a` must have at least 2 dimensions.";
  return known === null && validates ? [assertRankAtLeast(a, 2, { message })] : [];
}

const epsilonOf = (dtype: DType): number => machineEpsilon[dtype] ?? 0;

/** How many singular values of matrices `[..., m, n]` are above `tol` (the machine's epsilon · max(m, n) · the largest one), as int32 `[...]`.
 *  @throws TypeError unless `a` has floats; ValueError below two dimensions. TF: tf.linalg.matrix_rank(a, tol, validate_args, name). */
export function matrixRank(a: TensorLike, ...rest: unknown[]): Tensor {
  const { tol, validateArgs = false, name } = collect<Checked & { tol?: TensorLike | null }>(["tol", "validateArgs", "name"], rest);
  return inNameScope({ name }, "matrix_rank", [], () => {
    const given = convertToTensor(a, { name: "a", preferredDtype: "float32" });
    const [matrix] = after(checkMatrix(given, validateArgs), [given]);
    const values = svd(matrix, { computeUv: false });
    return reduceSum(cast(operator.greater(values, tol ?? smallest(matrix, values)), "int32"), -1);
  });
}

function smallest(matrix: Tensor, values: Tensor): Tensor {
  const sides = matrix.shape.dims?.slice(-2) ?? [null];
  const largest = sides.every(d => d !== null)
    ? convertToTensor(Math.max(...(sides as number[])), { name: "Cast/x", dtype: "int64" })
    : reduceMax(getItem(shape(matrix), [-2, null]));
  return operator.mul(operator.mul(epsilonOf(matrix.dtype), cast(largest, matrix.dtype)), reduceMax(values, -1, { keepdims: true }));
}

/** The Moore-Penrose inverse `[..., n, m]` of matrices `[..., m, n]`; singular values below `rcond` times the largest count as zero
 *  (10 · max(m, n) · the machine's epsilon). TF: tf.linalg.pinv(a, rcond, validate_args, name).
 *  @throws TypeError unless `a` has floats; ValueError below two dimensions. */
export function pinv(a: TensorLike, ...rest: unknown[]): Tensor {
  const { rcond, validateArgs = false, name } = collect<Checked & { rcond?: TensorLike | null }>(["rcond", "validateArgs", "name"], rest);
  return inNameScope({ name }, "pinv", [], () => {
    const given = convertToTensor(a, { name: "a" });
    const [matrix] = after(checkMatrix(given, validateArgs), [given]);
    const { dtype } = matrix;
    const least = convertToTensor(rcond ?? relativeLeast(matrix), { name: "rcond", dtype });
    const [values, u, v] = svd(matrix, { fullMatrices: false, computeUv: true });
    const cutoff = operator.mul(least, reduceMax(values, -1));
    const kept = whereV2(
      operator.greater(values, expandDims(cutoff, -1)),
      values,
      convertToTensor(Infinity, { dtype, name: "SelectV2/e" }),
    );
    const inverse = matmul(operator.truediv(v, expandDims(kept, -2)), u, { adjointB: true });
    const { dims } = matrix.shape;
    if (dims !== null) inverse.setShape([...dims.slice(0, -2), dims[dims.length - 1], dims[dims.length - 2]]);
    return inverse;
  });
}

function relativeLeast(matrix: Tensor): number | Tensor {
  const side = (k: -2 | -1): number | Tensor => matrix.shape.dims?.at(k) ?? getItem(shape(matrix), k);
  const [rows, columns] = [side(-2), side(-1)];
  const epsilon = epsilonOf(matrix.dtype);
  if (typeof rows === "number" && typeof columns === "number") return 10 * Math.max(rows, columns) * epsilon;
  return operator.mul(operator.mul(10, cast(maximum(rows, columns), matrix.dtype)), epsilon);
}

// ---- norms ----

interface NormalizeOptions extends Named {
  readonly ord?: "euclidean" | "fro" | number;
  readonly axis?: number | readonly number[] | null;
}

/** The tensor divided by its norm along `axis`, and that norm. `ord` and `axis` are those of tf.norm.
 *  TF: tf.linalg.normalize(tensor, ord, axis, name). */
export function normalize(tensor: TensorLike, ...rest: unknown[]): [normalized: Tensor, norm: Tensor] {
  const { ord = "euclidean", axis, name } = collect<NormalizeOptions>(["ord", "axis", "name"], rest);
  return inNameScope({ name }, "normalize", [tensor], () => {
    const x = convertToTensor(tensor);
    const size = cast(norm(x, { ord, axis: axis ?? null, keepdims: true }), x.dtype);
    return [operator.truediv(x, size), size];
  });
}
