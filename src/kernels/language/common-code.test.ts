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

type Next = (state: tf.Tensor, series: readonly tf.Tensor[], t: number) => tf.Tensor;

const slices: readonly [name: string, isShared: boolean, next: Next][] = [
  ["from one place on", true, (state, series, t) => state.add(series[t])],
  ["from its end back", true, (state, series, t) => state.add(tf.reverse(series[t], [1]))],
  ["from two places on", false, (state, series, t) => state.add(series[t].sub(series[t - 1]))],
];

test.each(slices)("steps that read an array %s", async (_, isShared, next) => {
  const graph = new tf.Graph();
  const [size, width] = [12, 5];
  const { result, x } = graph.asDefault(() => {
    const input = tf.placeholder(tf.float32, [3, size, width]);
    const series = tf.unstack(input, { axis: 1 }) as readonly tf.Tensor[];
    let state = series[0];
    for (let t = 1; t < size; t++) state = tf.tanh(tf.cumsum(next(state, series, t), { axis: 1 }));
    return { result: state, x: input };
  });
  const feeds: tf.Feeds = [
    [
      x,
      new tf.NDArray(
        "float32",
        [3, size, width],
        Float32Array.from({ length: 3 * size * width }, (_, i) => Math.sin(i * i)),
      ),
    ],
  ];
  const session = new tf.Session({ graph });
  const reference = new tf.Session({ graph, config: { backend: "reference" } });
  const [got, want] = [await session.run(result, feeds), await reference.run(result, feeds)];
  for (const [i, value] of got.data.entries()) expect(value).toBeCloseTo(Number(want.data[i]), 5);
  const { phases } = await session.explain(result, feeds);
  const most = Math.max(1, ...[...phases.matchAll(/, (\d+) times/g)].map(([, times]) => Number(times)));
  expect(most).toBeGreaterThanOrEqual(isShared ? size - 2 : 1);
  await session.close();
  await reference.close();
});
