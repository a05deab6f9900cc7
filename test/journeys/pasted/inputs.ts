// What the programs of this folder are fed with, the same numbers as recording.py makes, and how they show results.

import * as tf from "tensorloom/compat";

/** Takes a named result: arrays, numbers, texts, and lists of them. */
export type Show = (name: string, value: unknown) => void;

/** Numbers in [0, 1). */
export function rnd(seed: number, ...shape: number[]): tf.NDArray {
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const size = shape.reduce((a, b) => a * b, 1);
  return new tf.NDArray("float32", shape, Float32Array.from({ length: size }, next));
}

/** Whole numbers from 0 to below `high`. */
export function ints(seed: number, high: number, ...shape: number[]): tf.NDArray {
  const scaled = Int32Array.from(rnd(seed, ...shape).data as Float32Array, x => Math.floor(Math.fround(x * high)));
  return new tf.NDArray("int32", shape, scaled);
}

/** The array of what `f` makes of every number. */
export const each = (array: tf.NDArray, f: (x: number) => number): tf.NDArray =>
  new tf.NDArray(array.dtype, array.shape, (array.data as Float32Array).map(f));

/** Python's range. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Every node of the graph with its inputs. */
export const nodes = (): string =>
  tf
    .get_default_graph()
    .get_operations()
    .map(op => `${op.name} ${op.type} ${[...op.inputs].map(input => input.name).join(" ")}`)
    .join("\n");

/** Python's operators with a number on the left, by the names that they give to nodes. */
export const plus = (x: number, y: tf.TensorLike): tf.Tensor => tf.add(x, y, { name: "add" });
export const minus = (x: number, y: tf.TensorLike): tf.Tensor => tf.subtract(x, y, { name: "sub" });
export const times = (x: number, y: tf.TensorLike): tf.Tensor => tf.multiply(x, y, { name: "mul" });
export const over = (x: number, y: tf.TensorLike): tf.Tensor => tf.truediv(x, y, { name: "truediv" });
