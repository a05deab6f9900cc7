// Python's operators with a number on the left, by the names they give to nodes.

import * as tf from "tensorloom";

export const plus = (x: number, y: tf.TensorLike): tf.Tensor => tf.add(x, y, { name: "add" });
export const minus = (x: number, y: tf.TensorLike): tf.Tensor => tf.subtract(x, y, { name: "sub" });
export const times = (x: number, y: tf.TensorLike): tf.Tensor => tf.multiply(x, y, { name: "mul" });
export const over = (x: number, y: tf.TensorLike): tf.Tensor => tf.truediv(x, y, { name: "truediv" });

/** Python's integers. */
export const int = (value: number | readonly number[]): tf.NDArray => tf.NDArray.from(value as number[], "int32");

/** Python's range. */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
