// Orders of rows, as TensorFlow 2.21 gives them for the same seeds, keys and counters.

import * as tf from "tensorloom";
import { expect, it, test } from "vitest";

async function valueOf(build: () => tf.Tensor): Promise<unknown> {
  const graph = new tf.Graph();
  const y = graph.asDefault(build);
  await using session = new tf.Session({ graph });
  return (await session.run(y)).toArray();
}

const upTo = (count: number): number[] => [...Array(count).keys()];
const shuffled = (value: tf.TensorLike, seed: readonly number[], options = {}): Promise<unknown> =>
  valueOf(() => tf.random.experimental.statelessShuffle(value, [...seed], options));

test.each([
  ["12 rows", upTo(12), [1, 2], {}, [4, 6, 1, 2, 7, 11, 9, 3, 5, 10, 0, 8]],
  ["philox", upTo(5), [7, 3], { alg: "philox" }, [0, 2, 3, 4, 1]],
  [
    "rows of two",
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    [0, 0],
    {},
    [
      [5, 6],
      [1, 2],
      [3, 4],
    ],
  ],
  ["none", [], [1, 2], {}, []],
  ["a scalar", 3, [1, 2], {}, 3],
  ["one", [5], [1, 2], {}, [5]],
  ["strings", ["a", "b", "c"], [3, 4], {}, ["b", "c", "a"]],
  [
    "40 rows",
    upTo(40),
    [1, 2],
    {},
    [
      20, 27, 30, 34, 11, 25, 35, 16, 19, 1, 14, 36, 8, 4, 0, 7, 12, 21, 2, 3, 6, 23, 17, 33, 15, 29, 31, 22, 24, 5, 18, 28, 9, 32, 10, 26,
      38, 37, 13, 39,
    ],
  ],
] as const)("statelessShuffle: %s", async (_, value, seed, options, expected) => {
  const found = await shuffled(value as tf.TensorLike, seed, options);
  const text = (item: unknown): unknown => (item instanceof Uint8Array ? new TextDecoder().decode(item) : item);
  expect(Array.isArray(found) ? found.map(text) : found).toEqual(expected);
});

const byKey = (key: readonly bigint[] | bigint, counter: readonly bigint[] = [1n, 2n], alg = 1): Promise<unknown> =>
  valueOf(() => {
    const words = (given: readonly bigint[] | bigint): tf.Tensor => tf.constant(given as bigint[], "uint64");
    return tf.rawOps.StatelessShuffle({ value: upTo(8), key: words(key), counter: words(counter), alg });
  });

test.each([
  [0n, 1, [7, 3, 1, 2, 4, 6, 5, 0]],
  [1n, 1, [3, 6, 0, 1, 5, 2, 4, 7]],
  [5n, 1, [7, 5, 6, 4, 0, 1, 2, 3]],
  [1n, 3, [3, 6, 0, 1, 5, 2, 4, 7]],
])("StatelessShuffle: key %s, algorithm %s", async (key, alg, expected) => {
  expect(await byKey([key], [1n, 2n], alg)).toEqual(expected);
});

it("refuses keys of other shapes", async () => {
  await expect(byKey([1n, 2n])).rejects.toThrow("key must have shape [1], not [2]. (Note that batched keys are not supported yet.)");
  await expect(byKey(1n)).rejects.toThrow("key must have shape [1], not []. (Note that batched keys are not supported yet.)");
});

test("integers from their whole range, for null at both ends", async () => {
  const whole = { minval: null, maxval: null };
  expect(await valueOf(() => tf.random.statelessUniform([2], [9254, 7], { ...whole, dtype: "int32" }))).toEqual([1936322448, -1076538974]);
  expect(await valueOf(() => tf.random.statelessUniform([2], [9254, 7], { ...whole, dtype: "uint64" }))).toEqual([
    13823044389446479760n,
    16815899430433004114n,
  ]);
  expect(() => tf.random.statelessUniform([2], [1, 2], { minval: 0, maxval: 5, dtype: "uint32" })).toThrow(
    "Argument `dtype` got invalid value <dtype: 'uint32'> when argument `minval` is not None. Please don't use unsigned integers in this case.",
  );
  expect(() => tf.random.statelessUniform([2], [1, 2], { dtype: "int32" })).toThrow(
    "For integer `dtype` argument <dtype: 'int32'>, argument `minval` and `maxval` must be both None or not None. Got `minval`=0 and `maxval`=None.",
  );
});

test("a constant decides about dropout while the graph is built, and a tensor seeds a shuffle", async () => {
  expect(
    await valueOf(() => {
      tf.setRandomSeed(273);
      const dataset = tf.data.Dataset.range(9)
        .shuffle(4, { seed: tf.constant(8, "int64") })
        .batch(9);
      return tf.data.makeOneShotIterator(dataset).getNext() as tf.Tensor;
    }),
  ).toEqual([0n, 4n, 3n, 5n, 2n, 8n, 1n, 7n, 6n]);
  const dropped = (): tf.Tensor => {
    tf.setRandomSeed(273);
    return tf.layers.dropout(tf.ones([8]), { rate: 0.5, training: tf.constant(true) });
  };
  expect(await valueOf(dropped)).toEqual([0, 0, 2, 0, 2, 2, 2, 2]);
});
