// Second derivatives, as TensorFlow builds them: a loop over the elements of the gradient.

import { convertToTensor, type AsTensor, type TensorLike } from "../graph/conversion.ts";
import type { Tensor } from "../graph/operation.ts";
import { constant, reshape, shape as shapeOf, size } from "../ops/array/array.ts";
import { concat, getItem } from "../ops/array/slicing.ts";
import { whileLoop } from "../ops/flow/control-flow-contexts.ts";
import { less } from "../ops/math/comparison.ts";
import { add } from "../ops/operators.ts";
import { TensorArray } from "../ops/flow/tensor-array.ts";
import { gradients, type GradientsOptions } from "./gradients.ts";

type HessiansOptions = Pick<GradientsOptions, "name" | "colocateGradientsWithOps" | "gateGradients" | "aggregationMethod">;

/** Of the sum of ys, for each x of shape S, the tensor of second derivatives, of shape S + S. TF: tf.hessians.
 *  As in TensorFlow, the name is not used. @throws LookupError if an op on the way has no second gradient. */
export function hessians(
  ys: TensorLike | readonly TensorLike[],
  xs: Tensor | AsTensor | readonly (Tensor | AsTensor)[],
  options: HessiansOptions = {},
): Tensor[] {
  const list = (Array.isArray(xs) ? xs : [xs]) as readonly (Tensor | AsTensor)[];
  const { name: _, ...kwargs } = options;
  return gradients(ys, list, kwargs).map((first, i) => {
    const x = convertToTensor(list[i]);
    const gradient = reshape(first as Tensor, [-1]);
    const n = size(x);
    const [, rows] = whileLoop(
      (j: Tensor) => less(j, n),
      (j: Tensor, result: TensorArray) => [add(j, 1), result.write(j, gradients(getItem(gradient, j), x)[0] as Tensor)],
      [constant(0, "int32"), new TensorArray(x.dtype, { size: n })],
    ) as [Tensor, TensorArray];
    const shape = shapeOf(x);
    return reshape(rows.stack(), concat([shape, shape], 0));
  });
}
