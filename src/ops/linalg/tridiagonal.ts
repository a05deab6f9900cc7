// Eigenvalues of symmetric matrices of three diagonals: those of the whole matrix, which TensorFlow finds by bisection.

import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { matrixDiag } from "../array/matrix.ts";
import { booleanMask } from "../array/selection.ts";
import { slice } from "../array/slicing.ts";
import { conj, real } from "../math/functions.ts";
import { greater, lessEqual, logicalAnd } from "../math/comparison.ts";
import { inNameScope } from "../named.ts";
import { add } from "../operators.ts";
import { selfAdjointEig, selfAdjointEigvals } from "./linalg.ts";

interface TridiagonalOptions extends Named {
  readonly eigvalsOnly?: boolean;
  /** All ("a"), those in the interval (`selectRange[0]`, `selectRange[1]`] ("v"), or those with these numbers in ascending order, both included ("i"). */
  readonly select?: "a" | "v" | "i";
  readonly selectRange?: readonly [from: number, to: number] | null;
  /** Accepted: eigenvalues are as exact as their type. */
  readonly tol?: number | null;
}

/** The eigenvalues, ascending, of the Hermitian matrix whose diagonal is `alpha` `[n]` and whose diagonal above it `beta` `[n - 1]`; with `eigvalsOnly` false a pair of
 *  them and the eigenvectors, as columns of length one. TF: tf.linalg.eigh_tridiagonal. @throws ValueError for types that differ and choices that are none. */
export function eighTridiagonal(
  alpha: TensorLike,
  beta: TensorLike,
  options?: TridiagonalOptions & { readonly eigvalsOnly?: true },
): Tensor;
export function eighTridiagonal(
  alpha: TensorLike,
  beta: TensorLike,
  options: TridiagonalOptions,
): Tensor | [values: Tensor, vectors: Tensor];
export function eighTridiagonal(
  alpha: TensorLike,
  beta: TensorLike,
  options: TridiagonalOptions = {},
): Tensor | [values: Tensor, vectors: Tensor] {
  const { eigvalsOnly = true, select = "a", selectRange = null } = options;
  return inNameScope({ name: options.name }, "eigh_tridiagonal", [alpha, beta], () => {
    const [diagonal, above] = [convertToTensor(alpha, { name: "alpha" }), convertToTensor(beta, { name: "beta" })];
    if (diagonal.dtype !== above.dtype) throw new ValueError("'alpha' and 'beta' must have the same type.");
    if (!["a", "v", "i"].includes(select)) throw new ValueError("'select must have a value in {'a', 'i', 'v'}.");
    const [from, to] = selectRange ?? [0, -1];
    if (select === "i" && from > to) throw new InvalidArgumentError("Got empty index range in select_range.");
    if (select === "v" && from >= to) throw new InvalidArgumentError("Got empty interval in select_range.");
    const matrix = add(add(matrixDiag(diagonal), matrixDiag(above, { k: 1 })), matrixDiag(conj(above), { k: -1 }));
    const { e, v } = eigvalsOnly ? { e: selfAdjointEigvals(matrix), v: null } : selfAdjointEig(matrix);
    const values = e.dtype.startsWith("complex") ? real(e) : e;
    const chosen = (tensor: Tensor, isMatrix: boolean): Tensor => {
      if (select === "a") return tensor;
      if (select === "i") return slice(tensor, isMatrix ? [0, from] : [from], isMatrix ? [-1, to - from + 1] : [to - from + 1]);
      return booleanMask(tensor, logicalAnd(greater(values, from), lessEqual(values, to)), { axis: isMatrix ? 1 : 0 });
    };
    return v === null ? chosen(values, false) : [chosen(values, false), chosen(v, true)];
  });
}
