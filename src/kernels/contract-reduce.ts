// A contraction as a reduction of products: for those that have no matrix form, and for the host.

import type { Operand } from "../ir/program.ts";
import { applyScalar, constantScalar, guardScalar, loadScalar, type Scalar } from "../ir/scalar.ts";
import type { Kernel } from "../schedule/plan.ts";

/** A contraction as a reduction of products, zero outside its operands. */
export function asReduce({ shape, over, left, right, stores }: Extract<Kernel, { kind: "contract" }>): Extract<Kernel, { kind: "reduce" }> {
  const element = ({ source, at }: Operand): Scalar =>
    guardScalar(
      at.map((index, axis) => ({ index, low: 0, high: source.shape[axis] })),
      loadScalar(source, at),
      constantScalar(source.dtype, 0),
    );
  return {
    kind: "reduce",
    shape,
    over,
    combine: "sum",
    body: applyScalar("mul", element(left), element(right)),
    accumulator: left.source.dtype,
    stores,
  };
}
