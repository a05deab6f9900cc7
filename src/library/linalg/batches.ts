// What linear operators share on matrices of different batch shapes: broadcasting, solving, and arguments given block by block.

import type { Dimension } from "../../base/dimension.ts";
import type { DType } from "../../base/dtype.ts";
import { DType as ElementType } from "../../base/dtype-class.ts";
import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { convertToTensor, describe, type TensorLike } from "../../graph/conversion.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import { reshape, shape as shapeOf } from "../../ops/array/array.ts";
import { matrixTranspose } from "../../ops/array/matrix.ts";
import { broadcastDynamicShape, broadcastStaticShape, broadcastTo } from "../../ops/array/padding.ts";
import { transpose } from "../../ops/array/rearranging.ts";
import { concat, getItem, split } from "../../ops/array/slicing.ts";
import { assertEqual, assertLess } from "../../ops/flow/check.ts";
import { noOp } from "../../ops/flow/control-flow.ts";
import { abs, imag } from "../../ops/math/functions.ts";
import { matrixSolve } from "../../ops/linalg/linalg.ts";
import { inNameScope } from "../../ops/named.ts";

/** Sizes or places as a tensor: numbers are int32 where they are whole. */
export function shapeTensor(sizes: TensorLike, name?: string): Tensor {
  const numbers: unknown[] | undefined = typeof sizes === "number" ? [sizes] : Array.isArray(sizes) ? sizes.flat(8) : undefined;
  const isWhole = numbers?.every(size => Number.isInteger(size));
  return convertToTensor(sizes, isWhole ? { name, dtype: "int32" } : { name });
}

/** Matrices broadcast to one batch shape. @throws ValueError for what is no matrix. */
export function broadcastMatrixBatchDims(matrices: readonly TensorLike[]): Tensor[] {
  return inNameScope({}, "broadcast_matrix_batch_dims", matrices, () => {
    const given = matrices.map(matrix => {
      const tensor = convertToTensor(matrix);
      if (tensor.shape.rank !== null && tensor.shape.rank < 2)
        throw new ValueError(`Expected [batch] matrix to have at least two dimensions. Found: ${describe(tensor)}.`);
      return tensor;
    });
    if (given.length < 2) return given;
    const known = given.map(matrix => matrix.shape.slice(0, -2)).reduce(broadcastStaticShape);
    const whole = (batch: TensorLike, matrix: Tensor): Tensor =>
      broadcastTo(matrix, concat([batch, getItem(shapeOf(matrix), [-2, null])], 0));
    if (known.isFullyDefined)
      return given.map(matrix => (matrix.shape.slice(0, -2).equals(known) ? matrix : whole(known.asList(), matrix)));
    const batchOf = (matrix: Tensor): Tensor => getItem(shapeOf(matrix), [null, -2]);
    const batch = given.slice(1).reduce((sizes, matrix) => broadcastDynamicShape(sizes, batchOf(matrix)), batchOf(given[0]));
    return given.map(matrix => whole(batch, matrix));
  });
}

/** The solution of `matrix · x = rhs`, whose batch shapes may differ. */
export const matrixSolveWithBroadcast = (matrix: TensorLike, rhs: TensorLike, adjoint: boolean): Tensor =>
  inNameScope({}, "MatrixSolveWithBroadcast", [matrix, rhs], () => {
    const a = convertToTensor(matrix, { name: "matrix" });
    const b = convertToTensor(rhs, { name: "rhs", dtype: a.dtype });
    const beside = besideEachOther(a, b, adjoint);
    if (beside !== undefined) {
      const [left, right] = broadcastMatrixBatchDims([beside.a, beside.b]);
      return beside.undo(matrixSolve(left, right, { adjoint: false }));
    }
    const [left, right] = broadcastMatrixBatchDims([a, b]);
    return matrixSolve(left, right, { adjoint });
  });

/** Where a matrix has right-hand sides in more dimensions than it has itself, those set side by side: one solution for all. */
function besideEachOther(a: Tensor, b: Tensor, adjoint: boolean): { a: Tensor; b: Tensor; undo: (y: Tensor) => Tensor } | undefined {
  const [rankA, rankB] = [a.shape.rank, b.shape.rank];
  if (rankA === null || rankB === null || rankA >= rankB) return undefined;
  const extra = rankB - rankA;
  const parts = (): [outer: Tensor, main: Tensor] => [getItem(shapeOf(b), [null, extra]), getItem(shapeOf(b), [extra, null])];
  parts();
  const [domain, columns, outer] = [a.shape.dim(adjoint ? -2 : -1), b.shape.dim(-1), b.shape.slice(0, extra).numElements];
  if (domain !== null && columns !== null && outer !== null && (outer < 2 || domain <= columns)) return undefined;
  const turned = adjoint ? matrixTranspose(a, { conjugate: true }) : a;
  const [outerShape, mainShape] = parts();
  const order = Array.from({ length: rankB }, (_, i) => (i + extra) % rankB);
  const permutation = (axes: readonly number[]): NDArray => NDArray.from(axes, "int64");
  const squashed = reshape(transpose(b, permutation(order)), concat([getItem(mainShape, [null, -1]), [-1]], 0));
  return {
    a: turned,
    b: squashed,
    undo: y => {
      const whole = reshape(y, concat([getItem(shapeOf(y), [null, -1]), [getItem(mainShape, -1)], outerShape], 0));
      return transpose(whole, permutation(order.map((_, axis) => order.indexOf(axis))));
    },
  };
}

type Size = InstanceType<typeof Dimension>;

/** Is an argument a list of blocks, one for each of the operator's? @throws ValueError where that cannot be told. */
export function argIsBlockwise(blockSizes: readonly Size[], arg: unknown, axis: number): arg is TensorLike[] {
  if (!Array.isArray(arg) || arg.length !== blockSizes.length) return false;
  if (!arg.some(Array.isArray)) return true;
  const given = arg.map(item => convertToTensor(item as TensorLike).shape.at(axis).value);
  const own = blockSizes.map(({ value }) => value);
  if (own.every(size => size === null)) {
    if (given.length === 1) return false;
    if (given.some(size => size !== given[0])) return true;
    throw new ValueError(
      "Parsing of the input structure is ambiguous. Please input a blockwise iterable of `Tensor`s or a single `Tensor`.",
    );
  }
  if (own.every((size, i) => size === null || size === given[i])) return true;
  const sum = own.reduce<number>((total, size) => total + (size ?? 0), 0);
  const [first] = given;
  if (given.every(size => size === first) && first !== null && first >= sum) return false;
  throw new ValueError("Input dimension does not match operator dimension.");
}

/** One tensor cut into blocks. */
export function splitIntoBlocks(sizes: readonly Size[], tensors: () => readonly Tensor[], arg: Tensor, axis: number): readonly Tensor[] {
  const known = sizes.map(({ value }) => value);
  const isKnown = known.every(size => size !== null);
  return split(arg, isKnown ? (known as number[]) : convertToTensor([...tensors()] as TensorLike), { axis });
}

/** Fails the run where an element is zero. */
export const assertNoEntriesWithModulusZero = (x: TensorLike, message: string): Operation =>
  inNameScope("assert_no_entries_with_modulus_zero", "", [x], () => {
    const given = convertToTensor(x, { name: "x" });
    const size = abs(given);
    return assertLess(convertToTensor(0, { dtype: realOf(given.dtype) }), size, { message });
  });

/** Fails the run where an element is not real. */
export const assertZeroImagPart = (x: TensorLike, message: string): Operation =>
  inNameScope("assert_zero_imag_part", "", [x], () => {
    const given = convertToTensor(x, { name: "x" });
    if (realOf(given.dtype) === given.dtype) return noOp();
    return assertEqual(convertToTensor(0, { dtype: realOf(given.dtype) }), imag(given), { message });
  });

/** The value of a tensor of one number, if it is known. */
export const knownNumber = (tensor: Tensor): number | null => {
  const value = constantValue(tensor);
  return value === undefined ? null : Number(value.get(0));
};

/** The type of the parts of complex numbers; real types stay. */
export const realOf = (dtype: DType): DType => new ElementType(dtype).realDtype;

/** The distance from 1 to the next number, in the type or in that of the parts of its numbers. */
export const roundoff = (dtype: DType): number => 2 ** -({ float16: 10, float64: 52, complex128: 52 }[dtype as string] ?? 23);
