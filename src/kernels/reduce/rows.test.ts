// Sums whose elements do not lie side by side are as exact as those that do.

import { expect, test } from "vitest";
import * as tf from "../../index.ts";

const each = 200_000;
const rows = 8;

test.each([
  ["between other axes", [rows, each, 3], [1]],
  ["along axes that are left", [2, 4, 3, each], [3]],
] as const)("sums %s", async (_, shape, axis) => {
  let state = 1;
  const numbers = Float32Array.from({ length: rows * each * 3 }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32);
  const graph = new tf.Graph();
  const [x, sum, truth] = graph.asDefault(() => {
    const x = tf.placeholder(tf.float32, shape);
    // Read backwards and in steps, so that no vector of neighbours can be loaded.
    const turned = tf.reverse(x, [shape.length - 1]);
    return [x, tf.reduceSum(turned, [...axis]), tf.reduceSum(tf.cast(turned, tf.float64), [...axis])];
  });
  await using session = new tf.Session({ graph });
  const [got, want] = await session.run([sum, truth], [[x, new tf.NDArray("float32", [...shape], numbers)]]);
  const errors = Array.from({ length: got.size }, (_, i) => Math.abs(Number(got.get(i)) / Number(want.get(i)) - 1));
  expect(Math.max(...errors)).toBeLessThan(4e-7);
});
