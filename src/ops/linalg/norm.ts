// Norms of vectors and matrices.

import { ValueError } from "../../base/errors.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { pythonStr } from "../../base/python-text.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect, eitherName } from "../arguments.ts";
import { expandDims, squeeze } from "../array/array.ts";
import { transpose } from "../array/rearranging.ts";
import { svd } from "./linalg.ts";
import { pow } from "../math/math.ts";
import { abs, conj, sqrt } from "../math/functions.ts";
import { reduceMax, reduceSum } from "../math/reduction.ts";
import { inNameScope } from "../named.ts";
import * as operator from "../operators.ts";

interface NormOptions extends Named {
  /** "euclidean" (the default), "fro", Infinity, or any p > 0; of matrices 1, 2, Infinity, "fro". */
  readonly ord?: "euclidean" | "fro" | number;
  /** One axis: norms of vectors; two: of matrices; null: of the whole tensor as one vector. */
  readonly axis?: number | readonly number[] | null;
  readonly keepdims?: boolean | null;
  /** Older name of `keepdims`. */
  readonly keepDims?: boolean | null;
}

/** The norm of vectors, matrices or the whole tensor. TF: tf.norm(tensor, ord, axis, keepdims, name).
 *  @throws ValueError for an order or axis that does not fit. */
export function norm(tensor: TensorLike, ...rest: unknown[]): Tensor {
  const { ord = "euclidean", axis, name, ...given } = collect<NormOptions>(["ord", "axis", "keepdims", "name", "keepDims"], rest);
  const keepdims = eitherName("keepdims", given.keepdims, "keep_dims", given.keepDims) ?? false;
  const isMatrix = Array.isArray(axis) && axis.length === 2;
  const axes = axis === undefined || axis === null ? null : typeof axis === "number" ? [axis] : [...axis];
  checkArguments(ord, axis, isMatrix);
  return inNameScope({ name }, "norm", [tensor], () => {
    const x = convertToTensor(tensor);
    const result = isMatrix ? matrixNorm(x, ord, axes as number[]) : vectorNorm(x, ord, axes);
    return keepdims ? result : squeeze(result, axes);
  });
}

function checkArguments(ord: NonNullable<NormOptions["ord"]>, axis: NormOptions["axis"], isMatrix: boolean): void {
  if (isMatrix) {
    const [a, b] = axis as readonly number[];
    if (a === b) throw new ValueError(`'axis' must be None, an integer, or a tuple of 2 unique integers, got (${a}, ${b})`);
    if (!["euclidean", "fro", 1, 2, Infinity].includes(ord))
      throw new ValueError(`'ord' must be a supported matrix norm in ['euclidean', 'fro', 1, 2, inf], got ${pythonStr(ord)}`);
    return;
  }
  if (axis !== undefined && axis !== null && !Number.isInteger(axis))
    throw new ValueError(`'axis' must be None, an integer, or a tuple of 2 unique integers, got ${pythonStr(axis)}`);
  if ((typeof ord === "string" && ord !== "euclidean") || (typeof ord === "number" && !(ord > 0)))
    throw new ValueError(`'ord' must be a supported vector norm, got ${ord}`);
}

const euclidean = (x: Tensor, axes: readonly number[] | null): Tensor =>
  sqrt(reduceSum(operator.mul(x, conj(x)), axes, { keepdims: true }));

function vectorNorm(x: Tensor, ord: NonNullable<NormOptions["ord"]>, axes: readonly number[] | null): Tensor {
  if (ord === "euclidean" || ord === 2) return euclidean(x, axes);
  const magnitude = abs(x);
  const axis = axes === null ? null : axes[0];
  if (ord === 1) return reduceSum(magnitude, axis, { keepdims: true });
  if (ord === Infinity) return reduceMax(magnitude, axis, { keepdims: true });
  return pow(reduceSum(pow(magnitude, ord as number), axes, { keepdims: true }), 1 / (ord as number));
}

function matrixNorm(x: Tensor, ord: NonNullable<NormOptions["ord"]>, [rows, columns]: readonly number[]): Tensor {
  if (ord === "euclidean" || ord === "fro") return euclidean(x, [rows, columns]);
  if (ord === 2) return spectralNorm(x, rows, columns);
  const magnitude = abs(x);
  if (ord === 1) return reduceMax(reduceSum(magnitude, rows, { keepdims: true }), columns, { keepdims: true });
  return reduceMax(reduceSum(magnitude, columns, { keepdims: true }), rows, { keepdims: true });
}

/** The greatest singular value. */
function spectralNorm(x: Tensor, rows: number, columns: number): Tensor {
  const rank = x.shape.rank;
  if (rank === null) throw new ValueError("The spectral norm (ord 2) needs a tensor of known rank.");
  const matrix = [rows, columns].map(axis => (axis < 0 ? axis + rank : axis));
  const order = [...Array.from({ length: rank }, (_, k) => k).filter(k => !matrix.includes(k)), ...matrix];
  const values = svd(transpose(x, order), { computeUv: false });
  const greatest = expandDims(reduceMax(abs(values), -1, { keepdims: true }), -1);
  return transpose(
    greatest,
    order.map((_, k) => order.indexOf(k)),
  );
}
