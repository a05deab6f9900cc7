// tf.random.Generator and the functions around it: the numbers that TensorFlow 2.21 gives.

import { expect, it } from "vitest";
import * as tf from "tensorloom";
import { expectClose } from "../../test/values.ts";

const { Generator } = tf.random;

it("draws one thing after another, and moves on behind each", async () => {
  const graph = new tf.Graph();
  await using session = new tf.Session({ graph });
  const { generator, draws } = graph.asDefault(() => {
    const g = Generator.fromSeed(1234);
    const draws: [tf.Tensor, unknown, bigint][] = [
      [g.normal([3]), [0.9356609, 1.0854305, -0.93788373], 2002n],
      [g.normal([3]), [1.1264246, -1.0338292, 0.25710702], 2770n],
      [g.uniform([2], { dtype: "float64" }), [0.21009101, 0.06987187], 3282n],
      [g.uniform([3], 0, 10, { dtype: "int32" }), [6, 9, 0], 4050n],
      [g.uniformFullInt([2]), [17749347321697340902n, 4328240269465201701n], 4562n],
      [g.truncatedNormal([2]), [0.24427608, 0.38336813], 5074n],
      [
        g.makeSeeds({ count: 2 }),
        [
          [5394157901782015838n, -1253747224176783485n],
          [0n, 0n],
        ],
        5586n,
      ],
      [g.skip(5), [5586n, 0n, 0n], 6866n],
      [g.binomial([1], [10], [0.5]), [5], 58066n],
    ];
    return { generator: g, draws };
  });
  expect(generator.state.name).toBe("random_generator/StateVar:0");
  await session.run(generator.state.initializer);
  for (const [tensor, want, counter] of draws) {
    expectClose((await session.run(tensor)).toArray(), want, 1e-6);
    expect((await session.run(generator.state.value())).toArray()).toEqual([counter, 0n, 0n]);
  }
});

it("has the states that seeds, keys and counters stand for", async () => {
  const graph = new tf.Graph();
  await using session = new tf.Session({ graph });
  const made = graph.asDefault(() => [
    Generator.fromKeyCounter(1, [2, 3], "philox"),
    Generator.fromState([1, 2, 3], 1),
    Generator.fromSeed([1, 2]),
    Generator.fromSeed(2n ** 70n + 3n),
    Generator.fromNonDeterministicState(),
  ]);
  const states: unknown[] = [];
  for (const { state } of made) {
    await session.run(state.initializer);
    states.push((await session.run(state.value())).toArray());
  }
  expect(states.slice(0, 4)).toEqual([
    [2n, 3n, 1n],
    [1n, 2n, 3n],
    [0n, 1n, 2n],
    [3n, 64n, 0n],
  ]);
  expect(states[4]).toHaveLength(3);
  await session.run(graph.asDefault(() => made[0].resetFromSeed(5)) as tf.Tensor);
  expect((await session.run(made[0].state.value())).toArray()).toEqual([5n, 0n, 0n]);
  expect(() => Generator.fromSeed(1, { alg: "threefry" })).toThrow(tf.errors.UnimplementedError);
  expect(() => Generator.fromSeed(1, { alg: "other" })).toThrow("Argument `alg` got unsupported value other.");
});

it("splits seeds, folds numbers into them, and shuffles indices", async () => {
  const graph = new tf.Graph();
  await using session = new tf.Session({ graph });
  const [split, folded, shuffled] = await session.run(
    graph.asDefault(() => [
      tf.random.split([1, 2], 3),
      tf.random.foldIn([1, 2], 5),
      tf.random.experimental.indexShuffle(tf.range(10), [1, 2], 9),
    ]),
  );
  expect(split.toArray()).toEqual([
    [1105988140, 1738052849],
    [-335576002, 370444179],
    [10670227, -246211131],
  ]);
  expect(folded.toArray()).toEqual([1105988140, 5]);
  expect(shuffled.toArray()).toEqual([5, 0, 1, 4, 3, 6, 9, 8, 7, 2]);
});
