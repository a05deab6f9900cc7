// Functions of elements that take a sparse tensor: they are applied to the elements that are stored. The generated index wraps those of the list.
// TF: sparse_ops._UNARY_OPS.

import { answered, type Callable, type Given, type NotAny } from "../../graph/composite.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import * as functions from "../math/functions.ts";

/** What else a function of elements of a dense tensor takes. */
// any: the options of whichever function
export type OfSparse = <A extends SparseTensor>(x: A & NotAny<A>, ...rest: any[]) => SparseTensor;

/** The functions whose value for 0 is 0, and what TensorFlow takes for such. */
export const functionsOfSparse = (): readonly Callable[] => [
  functions.abs,
  functions.negative,
  functions.asinh,
  functions.sin,
  functions.tan,
  functions.atan,
  functions.asin,
  functions.atanh,
  functions.sign,
  functions.square,
  functions.sqrt,
  functions.erf,
  functions.tanh,
  functions.besselI0e,
  functions.besselI1e,
];

/** What such a function gives: of a sparse tensor one of the same places. */
// any: results of whatever functions
export function answeredForSparse(plain: Callable, given: Given): any {
  const [x, ...rest] = given as [unknown, ...unknown[]];
  if (!(x instanceof SparseTensor)) return answered(plain, given);
  return new SparseTensor(x.indices, plain(x.values, ...rest) as TensorLike, x.denseShape);
}
