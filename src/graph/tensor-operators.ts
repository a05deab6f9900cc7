// What tensors and variables can do by methods. Types only: ops/operators.ts attaches the functions, so that graph/ stays ignorant of ops.

import type { TensorLike } from "./conversion.ts";
import type { Tensor } from "./operation.ts";

/** One place of `x.at(…)`: an index (negative from the end), `[start, end, step]` with null for open ends, tf.newaxis, tf.ellipsis, or a tensor. */
export type IndexSpec = number | bigint | null | EllipsisIndex | readonly (number | bigint | Tensor | null | undefined)[] | TensorLike;

/** `...` of Python: as many whole dimensions as are left. Its one value is tf.ellipsis. */
export type EllipsisIndex = "...";

/** Operators as methods. Reversed forms (`2 - x`) are functions: `tf.subtract(2, x)`. */
export interface TensorOperators {
  add(y: TensorLike): Tensor;
  sub(y: TensorLike): Tensor;
  mul(y: TensorLike): Tensor;
  /** True division: integers become floats first. */
  div(y: TensorLike): Tensor;
  truediv(y: TensorLike): Tensor;
  floordiv(y: TensorLike): Tensor;
  /** The remainder, with the sign of the divisor. */
  mod(y: TensorLike): Tensor;
  pow(y: TensorLike): Tensor;
  matmul(y: TensorLike): Tensor;
  neg(): Tensor;
  abs(): Tensor;
  less(y: TensorLike): Tensor;
  lessEqual(y: TensorLike): Tensor;
  greater(y: TensorLike): Tensor;
  greaterEqual(y: TensorLike): Tensor;
  /** Elementwise, a bool tensor. */
  equal(y: TensorLike): Tensor;
  notEqual(y: TensorLike): Tensor;
  /** Logical for bool, bitwise for integers; so are `or`, `xor` and `invert`. */
  and(y: TensorLike): Tensor;
  or(y: TensorLike): Tensor;
  xor(y: TensorLike): Tensor;
  invert(): Tensor;
  logicalAnd(y: TensorLike): Tensor;
  logicalOr(y: TensorLike): Tensor;
  logicalNot(): Tensor;
  /** Python's `x[…]`: `x.at(0)`, `x.at([1, null])` for `x[1:]`, `x.at(tf.ellipsis, tf.newaxis)`, `x.at(mask)`. */
  at(...spec: readonly IndexSpec[]): Tensor;
}
