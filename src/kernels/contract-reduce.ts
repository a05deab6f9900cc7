// A contraction as a reduction of products: for those that have no matrix form, and for the host.

import type { Operand } from "../ir/program.ts";
import { isHalf } from "./halves.ts";
import { applyScalar, castScalar, constantScalar, guardScalar, loadScalar, type Scalar } from "../ir/scalar.ts";
import type { Kernel } from "../schedule/plan.ts";

/** A contraction as a reduction of products, zero outside its operands. Products and sums of halves are taken in float32. */
export function asReduce({ shape, over, left, right, stores }: Extract<Kernel, { kind: "contract" }>): Extract<Kernel, { kind: "reduce" }> {
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
