// What TensorFlow says where a tensor stands in the place of a list or of a condition: what it holds is only known while running.

import { pythonType } from "../base/python-text.ts";
import { isAsTensor } from "./conversion.ts";
import { Tensor } from "./operation.ts";

/** TF: tf.errors.OperatorNotAllowedInGraphError, a TypeError that TensorFlow 1 does not export. */
export class OperatorNotAllowedInGraphError extends TypeError {
  override readonly name: string = "OperatorNotAllowedInGraphError";
}

const notAllowed = (what: string): OperatorNotAllowedInGraphError =>
  new OperatorNotAllowedInGraphError(
    `${what} is not allowed. You can attempt the following resolutions to the problem: If you are running in Graph mode, use Eager execution mode or decorate this function with @tf.function. If you are using AutoGraph, you can try decorating this function with @tf.function. If that does not work, then you may be using an unsupported feature or your source code may not be visible to AutoGraph. See https://github.com/tensorflow/tensorflow/blob/master/tensorflow/python/autograph/g3doc/reference/limitations.md#access-to-source-code for more information.\n\nA list of tensors is wanted: put it in brackets, or tf.unstack it.`,
  );

const isSymbolic = (value: unknown): boolean => value instanceof Tensor || isAsTensor(value);

/** The items of a list as Python goes through them: letters of a text. `asks` says that it is asked first whether there are any.
 *  @throws TypeError for what has no items, a tensor among it. */
export function itemsOf<T>(values: readonly T[], asks?: "asks"): readonly T[];
export function itemsOf(values: unknown, asks?: "asks"): readonly unknown[];
export function itemsOf(values: unknown, asks?: "asks"): readonly unknown[] {
  if (Array.isArray(values)) return values;
  if (typeof values === "string") return [...values];
  if (isSymbolic(values))
    throw notAllowed(asks ? "Using a symbolic `tf.Tensor` as a Python `bool`" : "Iterating over a symbolic `tf.Tensor`");
  throw new TypeError(`'${pythonType(values)}' object is not iterable`);
}
