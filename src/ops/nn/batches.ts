// Several leading dimensions taken as one batch, for ops that know only one. Nodes and names are those of TensorFlow's squeeze_batch_dims.

import { NDArray } from "../../base/ndarray.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { numbersOf, reshape, shape } from "../array/array.ts";
import { concat, getItem } from "../array/slicing.ts";
import { inNameScope } from "../named.ts";

type Sizes = readonly (number | null)[];

/** Runs `op` with all dimensions before the last `inner` as one; as it is where there is but one. */
export function withOneBatch(input: Tensor, inner: number, name: Named["name"], op: (one: Tensor, name: Named["name"]) => Tensor): Tensor {
  const { dims } = input.shape;
  if (dims === null || dims.length <= inner + 1) return op(input, name);
  return inNameScope({ name }, "squeeze_batch_dims", [input], () => {
    const sizesOf = (tensor: Tensor, known: Sizes, range: readonly [number | null, number | null]): Tensor | NDArray =>
      known.includes(null) ? getItem(shape(tensor), range) : NDArray.from(known as number[], "int32");
    const own = sizesOf(input, dims.slice(-inner), [-inner, null]);
    const outer = dims.slice(0, -inner);
    const before = sizesOf(input, outer, [null, -inner]);
    const joined = reshape(input, own instanceof NDArray ? [-1, ...numbersOf(own)] : concat([[-1], own], -1));
    const output = op(joined, null);
    const sizes = output.shape.dims?.slice(-inner) ?? Array<null>(inner).fill(null);
    const result = reshape(output, concat([before, sizesOf(output, sizes, [-inner, null])], -1));
    result.setShape([...outer, ...sizes]);
    return result;
  });
}
