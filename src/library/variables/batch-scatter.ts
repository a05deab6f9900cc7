// Elements of variables replaced row by row of a batch. TF: state_ops.batch_scatter_update.

import { ValueError } from "../../base/errors.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { expandDims, onesLike, reshape, shape as shapeOf } from "../../ops/array/array.ts";
import { Range } from "../../ops/array/ranges.ts";
import { concat, getItem } from "../../ops/array/slicing.ts";
import { Cast } from "../../ops/math/cast.ts";
import { inNameScope } from "../../ops/named.ts";
import { mul } from "../../ops/operators.ts";
import { scatterNdUpdate, type Variable } from "./variables.ts";
import { refuseOthers } from "../../ops/arguments.ts";

interface BatchScatterOptions extends Named {
  readonly useLocking?: boolean;
}

/** Elements of each row of `ref` replaced: `ref[b, indices[b, i]] = updates[b, i]`; all dimensions of `indices` but the last are rows.
 *  TF: tf.batch_scatter_update. @throws ValueError for indices of unknown rank. */
export function batchScatterUpdate(
  ref: Variable | Tensor,
  indices: TensorLike,
  updates: TensorLike,
  { useLocking = true, name, ...others }: BatchScatterOptions = {},
): Tensor | Variable {
  refuseOthers(others);
  const update = (): Tensor | Variable =>
    scatterNdUpdate(ref, positionsOf(convertToTensor(indices, { name: "indices", preferredDtype: "int32" })), updates, { useLocking });
  return name ? inNameScope({ name }, String(name), [ref], update) : update();
}

/** The whole position of each element that a row of indices names. */
function positionsOf(indices: Tensor): Tensor {
  const sizes = shapeOf(indices);
  const { rank } = indices.shape;
  if (rank === null) throw new ValueError("batch_gather does not allow indices with unknown shape.");
  const last = expandDims(indices, -1);
  const leading = Array.from({ length: rank - 1 }, (_, axis) => {
    const size = getItem(sizes, axis);
    const along = Array.from({ length: rank + 1 }, (_, k): TensorLike => (k === axis ? size : 1));
    const rows = reshape(Range({ start: 0, limit: size, delta: 1 }), along);
    return mul(rows.dtype === last.dtype ? rows : Cast({ x: rows, DstT: last.dtype }), onesLike(last));
  });
  return concat([...leading, last], -1);
}
