// What elementwise ops of two operands share: broadcasting, and values that are known in part. Rests on no op, so that every family may begin with it.

import { InvalidArgumentError } from "../../base/errors.ts";
import { sizeOf } from "../../base/shape.ts";
import type { PartialArray } from "../../graph/op-definition.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import type { Scalar } from "../../ir/scalar.ts";

/** Elementwise with broadcasting. @throws InvalidArgumentError with the kernels' text if the shapes do not fit. */
export function elementwise(f: (x: Scalar, y: Scalar) => Scalar, x: Value, y: Value): Value {
  const [a, b] = [[...x.shape].reverse(), [...y.shape].reverse()];
  if (a.some((d, axis) => axis < b.length && d !== b[axis] && d !== 1 && b[axis] !== 1))
    throw new InvalidArgumentError(`Incompatible shapes: [${x.shape.join(",")}] vs. [${y.shape.join(",")}]`);
  return ir.map(f, x, y);
}

export const partialOf =
  (f: (x: number, y: number) => number | null) =>
  ({ x, y }: { x: PartialArray | undefined; y: PartialArray | undefined }): PartialArray | undefined => {
    if (!x || !y || (x.shape.length > 0 && y.shape.length > 0 && x.shape.join() !== y.shape.join())) return undefined;
    const shape = x.shape.length >= y.shape.length ? x.shape : y.shape;
    const count = sizeOf(shape);
    const at = ({ shape: own, values }: PartialArray, i: number): number | null => values[own.length === 0 ? 0 : i];
    return {
      shape,
      values: Array.from({ length: count }, (_, i) => {
        const [a, b] = [at(x, i), at(y, i)];
        return a === null || b === null || a === undefined || b === undefined ? null : f(a, b);
      }),
    };
  };
