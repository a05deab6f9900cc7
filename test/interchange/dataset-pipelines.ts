// The pipelines of generate/datasets.py, as a program of ours builds them.
import * as tf from "../../src/index.ts";

const { Dataset } = tf.data;
type Dataset = tf.data.Dataset;

const i64 = (...values: number[]): tf.Tensor => tf.constant(values, { dtype: "int64" });
const int32 = (...values: number[]): tf.Tensor => tf.constant(values, { dtype: "int32" });
const ragged = (): Dataset => Dataset.range(5).map((n: tf.Tensor) => tf.range(n));
const c = (value: number): tf.Tensor => tf.placeholderWithDefault(i64(value).at(0), [], { name: "c" });

function counting(n: number): Dataset {
  const v = tf.getVariable("counter", [], { dtype: "int64", initializer: tf.zerosInitializer(), useResource: true });
  return Dataset.range(n).map(function count(x: tf.Tensor) {
    return tf.controlDependencies([v.assignAdd(x)], () => tf.identity(v.readValue()));
  });
}

export const pipelines: Readonly<Record<string, () => Dataset>> = {
  tensors: () => Dataset.fromTensors([tf.constant([1, 2]), { b: tf.constant(3, { dtype: "int32" }), a: tf.constant("x") }]),
  slices: () =>
    Dataset.fromTensorSlices({
      x: tf.constant([
        [1, 2],
        [3, 4],
      ]),
      y: int32(5, 6),
    }),
  range: () => Dataset.range(10, 0, -3),
  "range of another type": () => Dataset.range(3, { outputType: "float32" }),
  map: () => Dataset.range(4).map((x: tf.Tensor) => [x.mul(2), tf.cast(x, "float32").div(2)]),
  "parallel map": () => Dataset.range(4).map((x: tf.Tensor) => x.add(1), { numParallelCalls: 2 }),
  "parallel map, unordered": () => Dataset.range(1).map((x: tf.Tensor) => x.add(1), { numParallelCalls: 2, deterministic: false }),
  filter: () => Dataset.range(10).filter((x: tf.Tensor) => tf.equal(x.mod(3), 1)),
  "flat map": () =>
    Dataset.range(4).flatMap((n: tf.Tensor) => Dataset.range(n).map((k: tf.Tensor) => k.add(tf.multiply(10, n, { name: "mul" })))),
  interleave: () => Dataset.range(4).interleave((n: tf.Tensor) => Dataset.fromTensors(n).repeat(3), { cycleLength: 2, blockLength: 2 }),
  "parallel interleave": () =>
    Dataset.range(4).interleave((n: tf.Tensor) => Dataset.fromTensors(n).repeat(3), {
      cycleLength: 2,
      blockLength: 2,
      numParallelCalls: 2,
      deterministic: true,
    }),
  batch: () => Dataset.range(5).batch(2),
  "batch, drop remainder": () => Dataset.range(5).batch(2, { dropRemainder: true }),
  "padded batch": () => ragged().paddedBatch(2, [null]),
  "padded batch, values": () => ragged().paddedBatch(2, [6], { paddingValues: tf.constant(-1n, { dtype: "int64" }), dropRemainder: true }),
  window: () =>
    Dataset.range(7)
      .window(3, { shift: 2, stride: 2, dropRemainder: true })
      .flatMap((w: Dataset) => w.batch(3)),
  shuffle: () => Dataset.range(10).shuffle(4, { seed: 7 }),
  "shuffle, repeat": () => Dataset.range(5).shuffle(5, { seed: 8 }).repeat(2),
  "shuffle once, repeat": () => Dataset.range(5).shuffle(5, { seed: 9, reshuffleEachIteration: false }).repeat(2),
  repeat: () => Dataset.range(2).repeat(3),
  "take, skip": () => Dataset.range(10).skip(2).take(3),
  shard: () => Dataset.range(7).shard(3, 1),
  zip: () => Dataset.zip([Dataset.range(3), { k: Dataset.range(10, 20) }]),
  concatenate: () => Dataset.range(2).concatenate(Dataset.range(5, 7)),
  prefetch: () => Dataset.range(3).prefetch(2),
  cache: () => Dataset.range(3).cache().repeat(2),
  "captured tensor": () => {
    const factor = c(5);
    return Dataset.range(3).map((x: tf.Tensor) => x.mul(factor));
  },
  "captured twice": () => {
    const factor = c(100);
    return Dataset.range(3).flatMap((n: tf.Tensor) => Dataset.range(n).map((k: tf.Tensor) => k.mul(factor).add(n)));
  },
  "captured variable": () => {
    const w = tf.getVariable("w", [2], { initializer: tf.constantInitializer([3, 4]) });
    return Dataset.range(3).map((x: tf.Tensor) => tf.cast(x, "float32").mul(w));
  },
  "captured table": () => {
    const keys = tf.constant([0n, 1n], { dtype: "int64" });
    const table = new tf.lookup.StaticHashTable(new tf.lookup.KeyValueTensorInitializer(keys, tf.constant(["a", "b"])), "z");
    return Dataset.range(3).map((x: tf.Tensor) => table.lookup(x));
  },
  "captured resource": () => counting(4),
  random: () =>
    Dataset.range(3)
      .map(() => tf.randomUniform([], { seed: 7 }))
      .repeat(2),
  strings: () =>
    Dataset.fromTensorSlices(["x y", "z"])
      .map((s: tf.Tensor) => tf.strings.split([s]).values)
      .paddedBatch(2, [null]),
};
