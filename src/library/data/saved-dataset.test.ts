// Datasets kept in folders: what TensorFlow 2.21 wrote of elements' types is read and written to the byte, sparse and ragged elements come back.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { structuredFromBytes, structuredToBytes } from "../../formats/structured-value.ts";
import * as tf from "../../index.ts";
import type { Nested } from "../../ops/flow/nested.ts";
import { described } from "./dataset.ts";
import { loadDataset, saveDataset } from "./saved-dataset.ts";

const root = mkdtempSync(join(tmpdir(), "tensorloom-saved-dataset-"));
afterAll(() => rmSync(root, { recursive: true }));

const { Dataset } = tf.data;
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

/** What TensorFlow wrote for elements, and how Python prints them. */
const specs: readonly (readonly [hex: string, text: string])[] = [
  ["8a020412001809", "TensorSpec(shape=(), dtype=tf.int64, name=None)"],
  ["8a02090a0171120218011801", "TensorSpec(shape=<unknown>, dtype=tf.float32, name='q')"],
  [
    "aa03200a100a0161120b8a020812041202080118010a0c0a016212078a020412001803",
    "{'a': TensorSpec(shape=(1,), dtype=tf.float32, name=None), 'b': TensorSpec(shape=(), dtype=tf.int32, name=None)}",
  ],
  [
    "a2032a0a078a0204120018030a1fa2031c0a078a0204120018030a11aa030e0a0c0a017812078a020412001801",
    "(TensorSpec(shape=(), dtype=tf.int32, name=None), (TensorSpec(shape=(), dtype=tf.int32, name=None), {'x': TensorSpec(shape=(), dtype=tf.float32, name=None)}))",
  ],
  [
    "92022d08011215a203120a0bfa010812020802120208030a038002011a1053706172736554656e736f72537065632003",
    "SparseTensorSpec(TensorShape([Dimension(2), Dimension(3)]), tf.float32)",
  ],
  [
    "92023f08031227a203240a14fa011112020802120b08ffffffffffffffffff010a038002030a0260020a038002091a1052616767656454656e736f72537065632002",
    "RaggedTensorSpec(TensorShape([Dimension(2), Dimension(None)]), tf.int32, 1, tf.int64)",
  ],
  [
    "92022408051211a2030e0a078a0204120018090a03fa01001a0b44617461736574537065632001",
    "DatasetSpec(TensorSpec(shape=(), dtype=tf.int64, name=None), TensorShape([]))",
  ],
];
// A named tuple is a list here.
const namedTuple = "b2031f0a0150120c0a017512078a020412001803120c0a017612078a020412001801";

/** Scopes take no function that waits: what it gives is handed on in an object. */
const inGraph = <T>(graph: tf.Graph, body: () => Promise<T>): Promise<T> => graph.asDefault(() => ({ waiting: body() })).waiting;

async function elementsOf(dataset: tf.data.Dataset): Promise<unknown[]> {
  const next = dataset.makeOneShotIterator().getNext();
  await using session = new tf.Session();
  const found: unknown[] = [];
  for (;;)
    try {
      found.push(await session.run(next as tf.Tensor));
    } catch (error) {
      if (error instanceof tf.errors.OutOfRangeError) return found;
      throw error;
    }
}

describe("elements' types", () => {
  test.each(specs)("%s", async (hex, text) => {
    expect(Buffer.from(structuredToBytes(structuredFromBytes(bytesOf(hex)))).toString("hex")).toBe(hex);
    const folder = mkdtempSync(join(root, "spec-"));
    writeFileSync(join(folder, "dataset_spec.pb"), bytesOf(hex));
    const { elementSpec } = await inGraph(new tf.Graph(), () => loadDataset(folder));
    expect(described(elementSpec)).toBe(text);
  });

  test("in a named tuple, and in nothing that is one", async () => {
    const folder = mkdtempSync(join(root, "spec-"));
    const load = (hex: string): Promise<tf.data.Dataset> => {
      writeFileSync(join(folder, "dataset_spec.pb"), bytesOf(hex));
      return inGraph(new tf.Graph(), () => loadDataset(folder));
    };
    expect((await load(namedTuple)).elementSpec).toHaveLength(2);
    expect(Buffer.from(structuredToBytes(structuredFromBytes(bytesOf(namedTuple)))).toString("hex")).toBe(
      namedTuple.replace("0a0150", "").replace("1f", "1c"),
    );
    await expect(load("920208080c1a0453706563")).rejects.toThrow(/^Elements of Spec cannot be loaded/);
    await expect(load("8a02ff")).rejects.toThrow(/^Error parsing message with type 'tensorflow.StructuredValue'/);
    await expect(load("ba0300")).rejects.toThrow("A structure with a value of kind 55 cannot be read here.");
    await expect(loadDataset(join(folder, "none"))).rejects.toThrow(
      `tf.data snapshot element_spec file not found: ${join(folder, "none", "dataset_spec.pb")}.`,
    );
  });
});

describe("a saved dataset", () => {
  test("comes back, sparse and ragged elements with it", async () => {
    const graph = new tf.Graph();
    const path = join(root, "nested", "kept");
    const { made, waiting } = graph.asDefault(() => {
      const made = Dataset.range(1, 4).map((n: tf.Tensor) => [
        { n, text: tf.asString(n) },
        tf.RaggedTensor.fromRowLengths(tf.range(n), tf.reshape(n, [1])),
        tf.sparse.fromDense(tf.range(n)),
      ]);
      return {
        made,
        ...tf.nameScope("kept", () => ({
          waiting: saveDataset(made, path, { shardFunc: ({ n }: { n: tf.Tensor }) => tf.mod(n, 2n), compression: "GZIP" }),
        })),
      };
    });
    const saved = await waiting;
    expect([saved.type, saved.name, existsSync(join(path, "dataset_spec.pb"))]).toEqual(["SaveDataset", "kept/SaveDataset", true]);
    await using session = new tf.Session({ graph });
    await session.run(saved);
    const [run] = readdirSync(path).filter(name => /^\d+$/.test(name));
    expect(readdirSync(join(path, run)).map(name => Number.parseInt(name, 10))).toEqual([0, 1]);

    const other = new tf.Graph();
    const one = (shards: tf.data.Dataset): tf.data.Dataset => shards.flatMap((shard: tf.data.Dataset) => shard);
    const loaded = await inGraph(other, () => loadDataset(path, { compression: "GZIP", readerFunc: one }));
    expect(described(loaded.elementSpec)).toBe(described(made.elementSpec));
    const found = (await inGraph(other, () => elementsOf(loaded))) as [
      { n: tf.NDArray; text: tf.NDArray },
      { toList(): unknown },
      tf.SparseTensorValue,
    ][];
    expect(found.map(([{ n, text }, rows, sparse]) => [Number(n.item()), text.item(), rows.toList(), sparse.values.toArray()])).toEqual(
      [
        [2, "2", [[0, 1]], [1]],
        [1, "1", [[0]], []],
        [3, "3", [[0, 1, 2]], [1, 2]],
      ].map(([n, text, rows, values]) => [n, text, (rows as number[][]).map(row => row.map(BigInt)), (values as number[]).map(BigInt)]),
    );
    const given = await inGraph(other, () => loadDataset(path, { compression: "GZIP", elementSpec: loaded.elementSpec }));
    expect(await inGraph(other, () => elementsOf(given))).toHaveLength(3);
  });

  test("is in one shard without a function, and holds no datasets", async () => {
    const graph = new tf.Graph();
    const path = join(root, "plain");
    const [saved, windows] = await inGraph(graph, () =>
      Promise.all([saveDataset(Dataset.range(3), path), saveDataset(Dataset.range(3).window(2), join(root, "windows"))]),
    );
    await using session = new tf.Session({ graph });
    await session.run(saved);
    expect(readFileSync(join(path, "dataset_spec.pb")).toString("hex")).toBe("8a020412001809");
    await expect(session.run(windows)).rejects.toThrow(/^Elements that hold datasets, optionals or lists cannot be saved\./);
    await expect(inGraph(graph, () => saveDataset(Dataset.range(3), path, { shards: 2 } as object))).rejects.toThrow(/shards/);
    const loaded = await inGraph(graph, () => loadDataset(path));
    expect((await inGraph(graph, () => elementsOf(loaded))).map(String)).toEqual(["0", "1", "2"]);
  });

  test("is waited for", async () => {
    const path = join(root, "later");
    const graph = new tf.Graph();
    const loading = inGraph(graph, () => loadDataset(path, { wait: true, elementSpec: new tf.TensorSpec([], "int64") }));
    expect((await loading).elementSpec).toBeInstanceOf(tf.TensorSpec);
    mkdirSync(path);
  });
});

describe("settings of datasets", () => {
  const make = <T>(body: () => T): T => new tf.Graph().asDefault(() => ({ made: body() })).made;

  test("random numbers are drawn anew where that is asked for", () =>
    make(async () => {
      const given = [true, false].map(rerandomizeEachIteration => Dataset.random({ seed: 3, rerandomizeEachIteration }));
      expect(given.map(({ variantTensor }) => variantTensor.op.type)).toEqual(["RandomDatasetV2", "RandomDataset"]);
      const twice = given.map(dataset => dataset.take(2).repeat(2));
      const graph = tf.getDefaultGraph();
      const iterators = graph.asDefault(() =>
        twice.map(dataset => {
          const iterator = dataset.makeInitializableIterator();
          return { initializer: iterator.initializer, next: iterator.getNext() as tf.Tensor };
        }),
      );
      await using session = new tf.Session({ graph });
      const found: number[][] = [];
      for (const { initializer, next } of iterators) {
        await session.run(initializer);
        const numbers: number[] = [];
        while (numbers.length < 4) numbers.push(Number((await session.run(next)).item()));
        found.push(numbers);
      }
      // As TensorFlow's, in all iterations.
      expect(found[0]).toEqual([2698304964, 3230936430, 1595858328, 3580113443]);
      expect(found[1].slice(2)).toEqual(found[1].slice(0, 2));
    }));

  test("map takes what TensorFlow's takes", () =>
    make(() => {
      const double = (x: tf.Tensor): Nested => x.mul(2n);
      const { op } = Dataset.range(3).map(double, { synchronous: true }).variantTensor;
      expect([op.type, op.attrs.forceSynchronous]).toEqual(["MapDataset", true]);
      expect(Dataset.range(3).map(double, { numParallelCalls: 2, useUnboundedThreadpool: true }).variantTensor.op.type).toBe(
        "ParallelMapDatasetV2",
      );
      expect(() => Dataset.range(3).map(double, { numParallelCalls: 2, synchronous: true })).toThrow(
        "('`synchronous` is not supported with `num_parallel_calls`, but `num_parallel_calls` was set to ', 2)",
      );
    }));
});
