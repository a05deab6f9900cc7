// What the parts of a sparse tensor have to be before a kernel reads them, in TensorFlow's words.

import { NDArray } from "../../base/ndarray.ts";
import { need } from "../arguments.ts";

/** What TensorFlow asks of the parts of a sparse tensor before a kernel reads it. */
export function checkSparseParts(indices: readonly number[], values: readonly number[], rank: number): void {
  const [rows = 1] = indices;
  const [count] = values;
  need(values.length === 1, () => `vals must be a vec, but got: [${values}]`);
  need(rows === count, () => `indices and values rows (indexing dimension) must match. (indices = ${rows}, values = ${count})`);
  need(indices.length === 2, () => `indices must be a matrix, but got: [${indices}]`);
  need(indices[1] === rank, () => "Order length must be SparseTensor rank.");
}

/** A sparse tensor's dense shape, its sizes checked. */
export function checkedSizes(shape: NDArray): number[] {
  const dims = Array.from({ length: shape.size }, (_, axis) => Number(shape.get(axis)));
  for (const size of dims) need(size >= 0, () => `Expected shape dimensions to be non-negative, got ${size}`);
  return dims;
}

/** Where the elements of rows of some lengths stand: [row, k], or of one row by itself [k]. */
export function placesInRows(lengths: readonly number[], hasRows = true): NDArray {
  let count = 0;
  for (const length of lengths) count += length;
  const places = NDArray.zeros("int64", [count, hasRows ? 2 : 1]);
  const data = places.data as BigInt64Array;
  let at = 0;
  for (let row = 0; row < lengths.length; row++)
    for (let k = 0; k < lengths[row]; k++) {
      if (hasRows) data[at++] = BigInt(row);
      data[at++] = BigInt(k);
    }
  return places;
}

/** How TensorFlow ends what it says of coordinates that are not in order. */
export const sortedAdvice = "Many sparse ops require sorted indices.\n    Use `tf.sparse.reorder` to create a correctly ordered copy.\n\n";

/** Coordinates lie inside the shape, each once and in order. @throws InvalidArgumentError with TensorFlow's texts. */
export function checkOrder(indices: NDArray, dims: readonly number[], what = ""): void {
  const rank = dims.length;
  const at = (n: number): number[] => Array.from({ length: rank }, (_, axis) => Number(indices.get(n * rank + axis)));
  for (let n = 0; n < indices.shape[0]; n++) {
    const place = at(n);
    const text = `${what}indices[${n}] = [${place}] is`;
    need(
      place.every((x, axis) => x >= 0 && x < dims[axis]),
      () => `${text} out of bounds: need 0 <= index < [${dims}]`,
    );
    if (n === 0) continue;
    const before = at(n - 1);
    const first = place.findIndex((x, axis) => x !== before[axis]);
    need(first >= 0, () => `${text} repeated`);
    need(place[first] > before[first], () => `${text} out of order. ${sortedAdvice}`);
  }
}
