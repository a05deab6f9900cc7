// The conjugate gradient method: solves with a linear operator that is known by its products alone.

import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constant, expandDims, shape as shapeOf, squeeze, zeros } from "../../ops/array/array.ts";
import { broadcastDynamicShape, broadcastTo } from "../../ops/array/padding.ts";
import { concat, ellipsis, getItem, newaxis } from "../../ops/array/slicing.ts";
import { whileLoop } from "../../ops/flow/control-flow-contexts.ts";
import { norm } from "../../ops/linalg/norm.ts";
import { logicalAnd } from "../../ops/math/comparison.ts";
import { matvec } from "../../ops/math/matrix.ts";
import { reduceAny } from "../../ops/math/reduction.ts";
import { inNameScope } from "../../ops/named.ts";
import * as operator from "../../ops/operators.ts";
import type { LinearOperator } from "./linear-operator.ts";

const { add, greater, less, mul, sub, truediv } = operator;

/** Where the method stands after some steps. */
interface ConjugateGradientState {
  /** How many steps were taken. */
  readonly i: Tensor;
  /** The solution so far, `[..., n]`. */
  readonly x: Tensor;
  /** What is left: rhs - A·x. */
  readonly r: Tensor;
  /** The direction of the next step. */
  readonly p: Tensor;
  /** r·M⁻¹·r. */
  readonly gamma: Tensor;
}

interface ConjugateGradientOptions {
  /** An approximation of the inverse. */
  readonly preconditioner?: LinearOperator | null;
  /** Where to begin; at zero by default. */
  readonly x?: TensorLike | null;
  /** How small the rest must be, relative to the first. */
  readonly tol?: number;
  readonly maxIter?: number;
  readonly name?: string | null;
}

/** A·x as `tf.linalg.matvec` makes it of an operator. */
const times = (op: LinearOperator, x: Tensor): Tensor =>
  inNameScope({}, "MatVec", [x], () => squeeze(op.matmul(expandDims(x, -1), { name: null }), -1));

const dot = (x: Tensor, y: Tensor): Tensor => squeeze(matvec(getItem(x, ellipsis, newaxis), y, { adjointA: true }), -1);
const column = (x: Tensor): Tensor => getItem(x, ellipsis, newaxis);

/** x with A·x = rhs for vectors `[..., n]` and a self-adjoint, positive definite operator, by at most `maxIter` products with it.
 *  TF: tf.linalg.experimental.conjugate_gradient(operator, rhs, preconditioner, x, tol, max_iter, name). @throws ValueError for another operator. */
export function conjugateGradient(
  operator: LinearOperator,
  rhs: TensorLike,
  options: ConjugateGradientOptions = {},
): ConjugateGradientState {
  const { preconditioner = null, x = null, tol = 1e-5, maxIter = 20, name } = options;
  if (!(operator.isSelfAdjoint && operator.isPositiveDefinite))
    throw new ValueError("Expected a self-adjoint, positive definite operator.");
  const right = convertToTensor(rhs);
  return inNameScope({ name }, "conjugate_gradient", [], () => {
    let batch = broadcastDynamicShape(getItem(shapeOf(right), [null, -1]), operator.batchShapeTensor());
    if (preconditioner !== null) batch = broadcastDynamicShape(batch, preconditioner.batchShapeTensor());
    const whole = concat([batch, [getItem(shapeOf(right), -1)]], -1);
    const wide = broadcastTo(right, whole);
    const limit = mul(tol, norm(wide, { axis: -1 }));
    const start = x === null ? zeros(whole, right.dtype) : convertToTensor(x);
    const rest = x === null ? wide : sub(right, times(operator, start));
    const direction = preconditioner === null ? rest : times(preconditioner, rest);
    const gamma = dot(rest, direction);
    const i = constant(NDArray.from(0, "int32"));
    const goesOn = (count: Tensor, [, , r]: readonly Tensor[]): Tensor =>
      logicalAnd(less(count, NDArray.from(maxIter, "int32")), reduceAny(greater(norm(r, { axis: -1 }), limit)));
    const step = (count: Tensor, [, at, r, p, before]: readonly Tensor[]): unknown[] => {
      const z = times(operator, p);
      const alpha = truediv(before, dot(p, z));
      const next = add(at, mul(column(alpha), p));
      const left = sub(r, mul(column(alpha), z));
      const q = preconditioner === null ? left : preconditioner.matvec(left);
      const after = dot(left, q);
      const turned = add(q, mul(column(truediv(after, before)), p));
      return [add(count, 1), [add(count, 1), next, left, turned, after]];
    };
    const [, end]: [Tensor, Tensor[]] = whileLoop(goesOn, step, [i, [i, start, rest, direction, gamma]]);
    return { i: end[0], x: end[1], r: end[2], p: end[3], gamma: end[4] };
  });
}
