// Kernels that differ in addresses alone have one function, and still compute what each is for.
import { expect, test } from "vitest";
import * as tf from "../../index.ts";

const steps = 6;

/** Steps of a recurrent net, unrolled: the state goes through the same product and the same map each time. */
function unrolled(): { state: tf.Tensor; feeds: tf.Feeds } {
  const x = tf.placeholder(tf.float32, [5, 7]);
  const w = tf.placeholder(tf.float32, [7, 7]);
  let state: tf.Tensor = x;
  for (let step = 0; step < steps; step++) state = tf.tanh(tf.matmul(state, w).add(x));
  const numbers = (size: number): Float32Array => Float32Array.from({ length: size }, (_, i) => Math.sin(i + 1));
  return {
    state,
    feeds: [
      [x, new tf.NDArray("float32", [5, 7], numbers(35))],
      [w, new tf.NDArray("float32", [7, 7], numbers(49))],
    ],
  };
}

test("equal steps share their functions", async () => {
  const graph = new tf.Graph();
  const { state, feeds } = graph.asDefault(() => unrolled());
  const session = new tf.Session({ graph });
  const reference = new tf.Session({ graph, config: { backend: "reference" } });
  const [got, want] = [await session.run(state, feeds), await reference.run(state, feeds)];
  for (let i = 0; i < 35; i++) expect(got.data[i]).toBeCloseTo(Number(want.data[i]), 5);
  const { phases, module } = await session.explain(state, feeds);
  expect(phases).toContain(`, ${steps} times`);
  const products = module.split("\n").filter(line => /^func contract\d+\(/.test(line));
  expect(products).toHaveLength(1);
  await session.close();
  await reference.close();
});
