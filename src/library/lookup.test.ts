// Tables: what is found, what is refused, order of changes within a run, and inside branches; on both backends.

import * as tf from "tensorloom";
import { describe, expect, test } from "vitest";

describe.each(["wasm", "reference"] as const)("on %s", backend => {
  async function inSession<T>(build: () => T, use: (session: tf.Session, built: T) => Promise<void>): Promise<void> {
    const graph = new tf.Graph();
    const built = graph.asDefault(build);
    const session = new tf.Session({ graph, config: { backend } });
    await use(session, built).finally(() => session.close());
  }
  const words = (): tf.lookup.StaticHashTable =>
    new tf.lookup.StaticHashTable(new tf.lookup.KeyValueTensorInitializer(["a", "b", "c"], tf.constant([1, 2, 3], tf.int64)), -1n);

  test("a static table is filled once and then asked", () =>
    inSession(
      () => {
        const table = words();
        const keys = tf.placeholder(tf.string, [null, 2]);
        return { table, keys, found: table.lookup(keys), size: table.size(), all: table.export(), start: tf.tablesInitializer() };
      },
      async (session, { keys, found, size, all, start }) => {
        const feeds = [[keys, [["b", "zzz"]]]] as tf.Feeds;
        await expect(session.run(found, feeds)).rejects.toThrow(/^Table not initialized\./);
        expect((await session.run(size)).item()).toBe(0n);
        await session.run(start);
        await session.run(start);
        expect(found.shape.dims).toEqual([null, 2]);
        expect((await session.run(found, feeds)).toArray()).toEqual([[2n, -1n]]);
        const got = await session.run([all.keys, all.values, size]);
        expect(got.map(array => array.toArray())).toEqual([["a", "b", "c"], [1n, 2n, 3n], 3n]);
      },
    ));

  test("different values of one key are refused", () =>
    inSession(
      () => {
        const twice = new tf.lookup.KeyValueTensorInitializer(["a", "a"], tf.constant([1, 2], tf.int64));
        return new tf.lookup.StaticHashTable(twice, 0n).initializer;
      },
      async (session, start) => {
        const text = /^HashTable has different value for same key\. Key a has 1 and trying to add value 2/;
        await expect(session.run(start)).rejects.toThrow(text);
      },
    ));

  test("unknown words go to hash buckets", () =>
    inSession(
      () => {
        const ids = new tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([0, 1], tf.int64));
        const table = new tf.lookup.StaticVocabularyTable(ids, 3);
        return { found: table.lookup(tf.constant(["b", "hello", "world", "a"])), size: table.size(), start: tf.tablesInitializer() };
      },
      async (session, { found, size, start }) => {
        await session.run(start);
        expect((await session.run(found)).toArray()).toEqual([1n, 3n, 3n, 0n]);
        expect((await session.run(size)).item()).toBe(5n);
      },
    ));

  test("changes keep their order, and branches may make them", () =>
    inSession(
      () => {
        const table = new tf.lookup.experimental.MutableHashTable(tf.int64, tf.float32, [0, 0]);
        const isWanted = tf.placeholder(tf.bool, []);
        const key = tf.constant([7], tf.int64);
        const before = table.lookup(key);
        const added = tf.controlDependencies([before], () => table.insert(key, [[1, 2]]));
        const after = tf.controlDependencies([added], () => table.lookup(key));
        const maybe = tf.cond(
          isWanted,
          () => tf.controlDependencies([table.insert(tf.constant([8], tf.int64), [[3, 4]])], () => tf.constant(1)),
          () => tf.constant(0),
        ) as tf.Tensor;
        const gone = table.remove(key);
        return { before, after, maybe, isWanted, gone, size: table.size(), all: table.export() };
      },
      async (session, { before, after, maybe, isWanted, gone, size, all }) => {
        const [first, second] = await session.run([before, after]);
        expect([first.toArray(), second.toArray()]).toEqual([[[0, 0]], [[1, 2]]]);
        await session.run(maybe, [[isWanted, false]]);
        expect((await session.run(size)).item()).toBe(1n);
        await session.run(maybe, [[isWanted, true]]);
        await session.run(gone);
        expect((await session.run(all.values)).toArray()).toEqual([[3, 4]]);
      },
    ));

  test("a dense table keeps its marks apart", () =>
    inSession(
      () => {
        const table = new tf.lookup.experimental.DenseHashTable(tf.int64, tf.int64, -1n, 0n, -1n, { initialNumBuckets: 4 });
        const some = table.insert(tf.constant([5, 6], tf.int64), tf.constant([50, 60], tf.int64));
        const bad = table.insert(tf.constant([0], tf.int64), tf.constant([1], tf.int64));
        return { some, bad, found: table.lookup(tf.constant([6, 9], tf.int64)), size: table.size(), all: table.export() };
      },
      async (session, { some, bad, found, size, all }) => {
        await session.run(some);
        await expect(session.run(bad)).rejects.toThrow(/^Using the empty_key as a table key is not allowed/);
        expect((await session.run(found)).toArray()).toEqual([60n, -1n]);
        expect((await session.run(size)).item()).toBe(2n);
        expect((await session.run(all.keys)).toArray()).toEqual([[0n], [5n], [6n], [0n]]);
      },
    ));
});
