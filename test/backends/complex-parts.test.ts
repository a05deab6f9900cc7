// Complex arithmetic by parts (schedule/split-complex.ts) against the reference's, which knows complex elements: every kind of step, and special values.

import { describe, expect, test } from "vitest";
import * as tf from "../../src/index.ts";

const length = 12;
const given = (seed: number): Float32Array => Float32Array.from({ length: 2 * length }, (_, k) => 2 * Math.sin(seed * (k + 1) * (k + 1)));

type Build = (a: tf.Tensor, b: tf.Tensor) => tf.Tensor;
const int = (...values: number[]): tf.Tensor => tf.constant(values, "int32");

const builds: Readonly<Record<string, Build>> = {
  arithmetic: (a, b) => tf.div(tf.subtract(tf.multiply(a, b), tf.add(a, b)), tf.negative(b)),
  "parts and sizes": (a, b) => tf.stack([tf.abs(tf.multiply(a, b)), tf.angle(a), tf.real(b), tf.imag(tf.conj(a))], 0),
  "exponential and roots": (a, b) => tf.multiply(tf.exp(a), tf.sqrt(b)),
  "functions of the host": (a, b) => tf.multiply(tf.sin(tf.multiply(a, b)), tf.add(tf.pow(a, b), 1)),
  sums: (a, b) => tf.add(tf.reduceSum(tf.multiply(a, b), 0), tf.reduceMean(a, 0)),
  "a product along an axis": (a, b) => tf.reduceProd(tf.add(a, b), 0),
  "running sums": (a, b) => tf.cumsum(tf.multiply(a, b), 1),
  "products of matrices": (a, b) => tf.matmul(tf.add(a, b), b, { adjointB: true }),
  einsum: (a, b) => tf.einsum("ij,ik->jk", a, b),
  "moved elements": (a, b) =>
    tf.pad(tf.transpose(tf.concat([tf.slice(a, [1, 1], [2, 2]), tf.slice(b, [0, 0], [2, 2])], 1)), [
      [1, 0],
      [0, 2],
    ]),
  gathered: (a, b) => tf.gather(tf.multiply(a, b), int(2, 0, 2)),
  scattered: (a, b) => tf.scatterNd(tf.constant([[1], [1], [0]], "int32"), tf.multiply(a, b), [2, 4]),
  chosen: (a, b) => tf.where(tf.equal(tf.real(a), tf.real(tf.conj(a))), tf.multiply(a, 2), b),
  compared: (a, b) => tf.cast(tf.logicalOr(tf.equal(a, b), tf.notEqual(tf.conj(a), a)), "float32"),
  cast: (a, b) => tf.multiply(tf.cast(a, "complex128"), tf.cast(tf.real(b), "complex128")),
  routines: (a, b) => tf.abs(tf.fft(tf.multiply(a, b))),
  "a loop": (a, b) => {
    const [, last] = tf.whileLoop(
      i => tf.less(i as tf.Tensor, 3),
      (i, z) => [tf.add(i as tf.Tensor, 1), tf.multiply(z as tf.Tensor, b)],
      [tf.constant(0, "int32"), a],
    ) as [tf.Tensor, tf.Tensor];
    return last;
  },
  "a branch": (a, b) =>
    tf.cond(
      tf.greater(tf.reduceSum(tf.real(a)), 100),
      () => tf.add(a, b),
      () => tf.multiply(a, b),
    ) as tf.Tensor,
  gradients: (a, b) => tf.gradients(tf.reduceSum(tf.square(tf.abs(tf.multiply(a, b)))), a)[0] as tf.Tensor,
  "a constant": a => tf.add(tf.multiply(tf.onesLike(a), 2), tf.zerosLike(a)),
};

/** What both backends give. */
async function results(build: Build, arrays: readonly tf.NDArray[]): Promise<tf.NDArray[]> {
  const graph = new tf.Graph();
  const { inputs, output } = graph.asDefault(() => {
    const placeholders = arrays.map(({ dtype, shape }) => tf.placeholder(dtype, shape));
    return { inputs: placeholders, output: build(placeholders[0], placeholders[1]) };
  });
  return Promise.all(
    (["wasm", "reference"] as const).map(async backend => {
      await using session = new tf.Session({ graph, config: { backend, intraOpParallelismThreads: 1 } });
      return (await session.run(output, new Map(inputs.map((x, k) => [x, arrays[k]])))) as tf.NDArray;
    }),
  );
}

const near = (x: number, y: number): boolean =>
  Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y)) || Math.abs(x - y) <= 3e-6 * (1 + Math.abs(y));

test.each(Object.keys(builds))("%s", async name => {
  const [a, b] = [0.7, 1.9].map(seed => new tf.NDArray("complex64", [3, 4], given(seed)));
  const [ours, meant] = await results(builds[name], [a, b]);
  expect([ours.dtype, ours.shape]).toEqual([meant.dtype, meant.shape]);
  expect(Array.from(ours.data as Float32Array).every((x, i) => near(x, Number(meant.data[i])))).toBe(true);
});

describe("special values", () => {
  // What overflows on the way does so as in TensorFlow, by parts of 32 bits; the reference computes in 64.
  const parts = [0, -0, 1, -2, Infinity, -Infinity, NaN];
  const numbers = parts.flatMap(re => parts.map(im => [re, im]));
  const functions: Readonly<Record<string, Build>> = {
    multiply: tf.multiply,
    div: tf.div,
    abs: a => tf.abs(a),
    angle: a => tf.angle(a),
    exp: a => tf.exp(a),
    sqrt: a => tf.sqrt(a),
    conj: a => tf.conj(a),
    equal: (a, b) => tf.cast(tf.equal(a, b), "float32"),
  };

  test.each(Object.keys(functions))("%s", async name => {
    const pairs = numbers.flatMap(x => numbers.map(y => [x, y]));
    const side = (k: number): tf.NDArray => new tf.NDArray("complex64", [pairs.length], Float32Array.from(pairs.flatMap(pair => pair[k])));
    const [ours, meant] = await results(functions[name], [side(0), side(1)]);
    const width = ours.data.length / pairs.length;
    const different = pairs.flatMap(([x, y], i) => {
      const [got, expected] = [ours, meant].map(({ data }) => Array.from((data as Float32Array).slice(i * width, (i + 1) * width)));
      return got.every((part, k) => near(part, expected[k]) && (part !== 0 || Object.is(part, expected[k])))
        ? []
        : [`${x}, ${y}: ${got} for ${expected}`];
    });
    expect(different).toEqual([]);
  });
});
