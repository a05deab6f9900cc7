// Slices of batches of operators, `operator.at(…)`: of each parameter the part that belongs to the matrices that are taken. Parameters have fewer batch
// dimensions than the whole, or of size 1, where they are shared. TF: linalg/slicing.

import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import type { IndexSpec } from "../../graph/tensor-operators.ts";
import { ones, onesLike, shape as shapeOf, size } from "../../ops/array/array.ts";
import { broadcastDynamicShape, broadcastTo } from "../../ops/array/padding.ts";
import { where } from "../../ops/array/selection.ts";
import { concat, ellipsis, getItem, newaxis } from "../../ops/array/slicing.ts";
import { greater, sub } from "../../ops/operators.ts";

/** What becomes of a parameter of which so many dimensions belong to the matrix. */
export type Change = <P extends Tensor | Sliceable>(parameter: P, matrixDimensions: number) => P;

export interface Sliceable {
  batchShapeTensor(): Tensor;
  /** The same operator of other parameters. */
  remade(change: Change): Sliceable;
  at(...slices: readonly IndexSpec[]): Sliceable;
}

/** A parameter with at least the dimensions of `batch`, deep inside of operators too. */
const broadcasting =
  (batch: Tensor): Change =>
  (parameter, matrixDimensions) => {
    if (!(parameter instanceof Tensor)) return parameter.remade(broadcasting(batch)) as typeof parameter;
    const least = concat([batch, ones([matrixDimensions], "int32")], 0);
    return broadcastTo(parameter, broadcastDynamicShape(least, shapeOf(parameter))) as typeof parameter;
  };

/** Slices of the batch as slices of a parameter: where its size is 1, all take its one. @throws ValueError for a second `...`. */
function slicesWithin(slices: readonly IndexSpec[], whole: Tensor, own: Tensor): IndexSpec[] {
  let axis = 0;
  return slices.map((item, i) => {
    if (item === newaxis) return item;
    if (item === ellipsis) {
      if (axis < 0) throw new ValueError(`Found multiple \`...\` in slices (${slices.map(sliceText).join(", ")})`);
      axis = -slices.slice(i + 1).filter(later => later !== newaxis).length;
      return item;
    }
    const isShared = greater(getItem(whole, axis), getItem(own, axis));
    axis++;
    const unlessShared = (place: unknown, ofOne: number): Tensor => {
      const whole = (value: number): NDArray => NDArray.from(value, place instanceof Tensor ? place.dtype : "int32");
      return where(isShared, whole(ofOne), place instanceof Tensor ? place : whole(Number(place)));
    };
    if (!Array.isArray(item)) return unlessShared(item, 0);
    return item.map((bound, k) => (bound === null || bound === undefined ? null : unlessShared(bound, k === 0 ? 0 : 1)));
  });
}

const sliceText = (item: IndexSpec): string => (item === ellipsis ? "Ellipsis" : item === newaxis ? "None" : String(item));

/** Takes slices of the batch of parameters. */
export const slicing =
  (slices: readonly IndexSpec[], batch: Tensor): Change =>
  (given, matrixDimensions) => {
    const parameter = broadcasting(onesLike(batch))(given, matrixDimensions);
    const shape = parameter instanceof Tensor ? shapeOf(parameter) : parameter.batchShapeTensor();
    const own = getItem(shape, [null, sub(size(shape), matrixDimensions)]);
    const isNone = (sizes: Tensor): boolean => constantValue(size(sizes))?.item() === 0;
    if (!isNone(batch) && isNone(own)) return parameter;
    const taken = slicesWithin(slices, batch, own);
    if (matrixDimensions > 0 && !slices.includes(ellipsis)) taken.push(ellipsis);
    for (let k = 0; k < matrixDimensions; k++) taken.push([]);
    return (parameter instanceof Tensor ? getItem(parameter, ...taken) : parameter.at(...taken)) as typeof parameter;
  };
