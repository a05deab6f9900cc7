// What Python knows of a tensor's value while a graph is built: TensorFlow's `constant_value` and `constant_value_as_shape`. Functions that make nodes
// choose by it which ones to make, so it sees through the ops whose entries say so (`staticValue`, `staticShape`) and no others. What shape functions see,
// which is more, is in shape-inference.ts.

import type { DType } from "../base/dtype.ts";
import { ValueError } from "../base/errors.ts";
import { type ElementValue, NDArray } from "../base/ndarray.ts";
import { sizeOf, TensorShape } from "../base/shape.ts";
import { groupByName } from "./build-operation.ts";
import type { Operation, Tensor } from "./operation.ts";

/** The value of a tensor, if Python's TensorFlow knows it while the graph is built. TF: constant_value. */
export const staticValue = (tensor: Tensor): NDArray | undefined =>
  tensor.op.definition.staticValue?.(inputsOf(tensor.op), tensor.valueIndex, tensor);

/** The shape that an integer vector (or the scalar -1) stands for, as far as Python's TensorFlow knows it. TF: constant_value_as_shape. */
export function staticShape(tensor: Tensor): TensorShape {
  if (tensor.shape.rank === 0) {
    const value = staticValue(tensor)?.get(0);
    if (value !== undefined && Number(value) === -1) return TensorShape.unknown();
    throw new ValueError(
      value === undefined
        ? "Received a scalar with unknown value as shape; require a statically known scalar with value '-1' to describe an unknown shape."
        : `Received a scalar value '${value}' as shape; require a statically known scalar with value '-1' to describe an unknown shape.`,
    );
  }
  const length = tensor.shape.withRank(1).dim(0);
  if (length === 0) return new TensorShape([]);
  const followed = tensor.op.definition.staticShape?.(inputsOf(tensor.op));
  if (followed) return followed;
  const value = staticValue(tensor);
  const unknown = length === null ? TensorShape.unknown() : TensorShape.unknownOfRank(length);
  return value === undefined ? unknown : unknown.mergeWith(shapeOfNumbers(value));
}

/** A shape from numbers, unknown where they are negative. */
const shapeOfNumbers = (value: NDArray): TensorShape =>
  new TensorShape(Array.from({ length: value.size }, (_, i) => Number(value.get(i))).map(d => (d < 0 ? null : d)));

const inputsOf = ({ definition, attrs, inputs }: Operation): Readonly<Record<string, unknown>> => ({
  ...groupByName(definition, "inputs", attrs, inputs),
  ...attrs,
});

// ---- what entries compute with ----

/** The values of all tensors, or nothing. */
export function staticValues(tensors: readonly Tensor[]): NDArray[] | undefined {
  const values: NDArray[] = [];
  for (const tensor of tensors) {
    const value = staticValue(tensor);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

/** Arrays joined along an axis. */
export function joinArrays(arrays: readonly NDArray[], givenAxis: number): NDArray {
  const [{ dtype, shape }] = arrays;
  const axis = givenAxis < 0 ? givenAxis + shape.length : givenAxis;
  const rows = arrays.map(array => sizeOf(array.shape.slice(axis)));
  return arrayOf(
    dtype,
    shape.with(
      axis,
      arrays.reduce((sum, array) => sum + array.shape[axis], 0),
    ),
    function* () {
      for (let row = 0; row < sizeOf(shape.slice(0, axis)); row++)
        for (const [k, array] of arrays.entries()) for (let i = 0; i < rows[k]; i++) yield array.get(row * rows[k] + i);
    },
  );
}

/** Part `index` of an array that is cut into `count` equal ones along an axis. */
export function partOfArray(array: NDArray, givenAxis: number, count: number, index: number): NDArray {
  const axis = givenAxis < 0 ? givenAxis + array.rank : givenAxis;
  const shape = array.shape.with(axis, array.shape[axis] / count);
  const row = sizeOf(shape.slice(axis));
  return arrayOf(array.dtype, shape, function* () {
    for (let outer = 0; outer < sizeOf(shape.slice(0, axis)); outer++)
      for (let i = 0; i < row; i++) yield array.get((outer * count + index) * row + i);
  });
}

/** Whether elements are equal, pair by pair, broadcast to `shape`. */
export function equalElements(x: NDArray, y: NDArray, shape: readonly number[]): boolean[] {
  return Array.from({ length: sizeOf(shape) }, (_, i) =>
    same(x.get(broadcastPosition(x, shape, i)), y.get(broadcastPosition(y, shape, i))),
  );
}

const same = (a: ElementValue, b: ElementValue): boolean =>
  typeof a === "object" ? Object.entries(a).join() === Object.entries(b).join() : a === b;

/** Where in an array stands what element `i` of a broadcast result reads. */
function broadcastPosition({ shape: own }: NDArray, shape: readonly number[], i: number): number {
  let position = 0;
  let step = 1;
  let rest = i;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = own[axis - shape.length + own.length] ?? 1;
    if (size > 1) position += (rest % shape[axis]) * step;
    step *= size;
    rest = Math.floor(rest / shape[axis]);
  }
  return position;
}

function arrayOf(dtype: DType, shape: readonly number[], elements: () => Iterable<ElementValue>): NDArray {
  const result = NDArray.zeros(dtype, shape);
  let at = 0;
  for (const element of elements()) result.set(at++, element);
  return result;
}
