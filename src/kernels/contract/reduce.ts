// A contraction as a reduction of products: for those that have no matrix form, and for the host.

import { sizeOf } from "../../base/shape.ts";
import type { Operand, Value } from "../../ir/program.ts";
import { type ContractKernel, paddedReduce, type Padding } from "./plan.ts";
import { isHalf } from "../halves.ts";
import { applyScalar, castScalar, constantScalar, guardScalar, loadScalar, type Scalar } from "../../ir/scalar.ts";
import { isUnrolled, partialsOf } from "../reduce/reduce.ts";
import type { ReduceKernel } from "../reduce/work.ts";

/** A contraction as a reduction of products, zero outside its operands. Products and sums of halves are taken in float32. */
export function asReduce({ shape, over, left, right, stores }: ContractKernel): ReduceKernel {
  const element = ({ source, at }: Operand): Scalar =>
    guardScalar(
      at.map((index, axis) => ({ index, low: 0, high: source.shape[axis] })),
      loadScalar(source, at),
      constantScalar(source.dtype, 0),
    );
  const wide = (x: Scalar): Scalar => (isHalf(x.dtype) ? castScalar(x, "float32") : x);
  return {
    kind: "reduce",
    shape,
    over,
    combine: "sum",
    body: applyScalar("mul", wide(element(left)), wide(element(right))),
    accumulator: left.source.dtype,
    stores,
  };
}

export interface ProductSums {
  readonly paddings: readonly Padding[];
  readonly reduce: ReduceKernel;
  /** Results of slices. */
  readonly partial: Value | undefined;
}

/** Windows of more places have too many kinds of edges. */
const mostPlaces = 9;
/** Smaller sources are copied within the second cache, which takes less than code for all kinds of edges is worth. */
const fewestBytes = 2 ** 18;

/** A contraction without a matrix form: its operands padded, so that no index lies outside, and reduced, where it pays in slices. Small windows over
 *  large images are not padded: a copy costs more than the edges, which maps cut off. */
export function sumOfProducts(kernel: ContractKernel): ProductSums {
  const whole = asReduce(kernel);
  const padded = paddedReduce(kernel);
  if (!padded) return { paddings: [], reduce: whole, partial: partialsOf([whole])[0] };
  const copied = padded.paddings.reduce((sum, { from }) => sum + sizeOf(from.shape), 0);
  const isLarge = 4 * copied >= fewestBytes && 2 * copied >= sizeOf(kernel.shape);
  if (isLarge && sizeOf(kernel.over) <= mostPlaces && isUnrolled(whole)) return { paddings: [], reduce: whole, partial: undefined };
  const reduce = asReduce(padded.kernel);
  return { paddings: padded.paddings, reduce, partial: partialsOf([reduce])[0] };
}
