// Batches and their rows as arrays: what queues and datasets take apart and put together.

import { type DType, wordsPerElement } from "../../base/dtype.ts";
import { type ElementValue, NDArray } from "../../base/ndarray.ts";
import { sizeOf } from "../../base/shape.ts";
import { holdsVariants } from "../flow/variant-array.ts";

/** Element `i` along the first axis, as an array of its own. */
export function rowOf(batch: NDArray, i: number): NDArray {
  const shape = batch.shape.slice(1);
  if (holdsVariants(batch)) return batch.withItems(shape, batch.items.slice(i * sizeOf(shape), (i + 1) * sizeOf(shape)));
  const words = sizeOf(shape) * wordsPerElement(batch.dtype);
  return new NDArray(batch.dtype, shape, batch.data.slice(i * words, (i + 1) * words));
}

/** Arrays of one rank along a new first axis. Axes without a size in `sizes` get that of the largest; smaller arrays are padded at their ends. */
export function stackedRows(
  dtype: DType,
  parts: readonly NDArray[],
  sizes: readonly (number | undefined)[],
  padding?: ElementValue,
): NDArray {
  const dims = sizes.map((size, axis) => size ?? Math.max(0, ...parts.map(({ shape }) => shape[axis])));
  const shape = [parts.length, ...dims];
  if (parts.length > 0 && parts.every(holdsVariants))
    return parts[0].withItems(
      shape,
      parts.flatMap(part => part.items),
    );
  const out = padding === undefined ? NDArray.zeros(dtype, shape) : NDArray.full(dtype, shape, padding);
  const step = sizeOf(dims);
  parts.forEach((part, i) => {
    const isWhole = part.shape.every((size, axis) => size === dims[axis]);
    for (let k = 0; k < part.size; k++) out.set(i * step + (isWhole ? k : placeIn(k, part.shape, dims)), part.get(k));
  });
  return out;
}

/** The flat place of element `k` of a smaller array in the corner of a larger one. */
function placeIn(k: number, from: readonly number[], to: readonly number[]): number {
  let rest = k;
  let place = 0;
  let stride = 1;
  for (let axis = from.length - 1; axis >= 0; axis--) {
    place += (rest % from[axis]) * stride;
    rest = Math.floor(rest / from[axis]);
    stride *= to[axis];
  }
  return place;
}
