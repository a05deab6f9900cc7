// The pipelines of generate/datasets.py, as a program of ours builds them.
import * as tf from "../../src/index.ts";

const { Dataset, experimental } = tf.data;
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
  "sparse slices": () => {
    const entries = [
      [0, 0],
      [0, 2],
      [2, 1],
    ];
    return Dataset.fromSparseTensorSlices(new tf.SparseTensor(entries, [1, 2, 3], [3, 4]));
  },
  unbatch: () => Dataset.range(5).batch(2).apply(experimental.unbatch()),
  "shuffle and repeat": () => Dataset.range(5).apply(experimental.shuffleAndRepeat(3, { count: 2, seed: 10 })),
  enumerate: () => Dataset.fromTensorSlices(["a", "b"]).enumerate(5),
  scan: () => {
    const dataset = Dataset.range(1, 5);
    const zero = i64(0).at(0);
    const sum = (total: tf.Tensor, x: tf.Tensor): [tf.Tensor, tf.Tensor] => [total.add(x), total.mul(x)];
    return dataset.apply(experimental.scan(zero, sum));
  },
  "take while": () => Dataset.range(9).apply(experimental.takeWhile((x: tf.Tensor) => x.less(4))),
  unique: () => Dataset.fromTensorSlices(tf.NDArray.from([3, 1, 3, 2, 1], "int32")).apply(experimental.unique()),
  "group by window": () =>
    Dataset.range(10).apply(
      experimental.groupByWindow(
        (x: tf.Tensor) => x.mod(2),
        (_key: tf.Tensor, window: Dataset) => window.batch(3),
        { windowSize: 3 },
      ),
    ),
  "map and batch": () => Dataset.range(5).apply(experimental.mapAndBatch((x: tf.Tensor) => x.mul(x), 2)),
  "ignore errors": () =>
    Dataset.fromTensorSlices(tf.NDArray.from([1, 0, 2], "int32"))
      .map((x: tf.Tensor) => tf.floordiv(6, x, { name: "floordiv" }))
      .apply(experimental.ignoreErrors()),
  "assert cardinality": () => Dataset.range(3).apply(experimental.assertCardinality(3)),
  "choose from": () =>
    experimental.chooseFromDatasets([Dataset.range(3), Dataset.range(10, 13)], Dataset.fromTensorSlices(i64(0, 1, 1, 0))),
  "parallel interleave, old": () =>
    Dataset.range(4).apply(experimental.parallelInterleave((n: tf.Tensor) => Dataset.fromTensors(n).repeat(3), 2, { blockLength: 2 })),
  counter: () => experimental.Counter({ start: 5, step: 2 }).take(3),
  "random numbers": () => new experimental.RandomDataset({ seed: 4 }).take(3),
  sample: () => experimental.sampleFromDatasets([Dataset.range(3), Dataset.range(10, 13)], { weights: [0.5, 0.5], seed: 3 }),
  bucket: () =>
    Dataset.range(6)
      .map((n: tf.Tensor) => tf.range(n))
      .apply(experimental.bucketBySequenceLength((x: tf.Tensor) => tf.shape(x).at(0), [3], [2, 2])),
  "reduce, cardinality": () => {
    const total = Dataset.range(4).reduce(i64(0).at(0), (a: tf.Tensor, b: tf.Tensor) => a.add(b));
    return Dataset.fromTensors([total, experimental.cardinality(Dataset.range(4)), experimental.getSingleElement(Dataset.range(1))]);
  },
  generator: () =>
    Dataset.fromGenerator(
      () => [
        [1, 2],
        [3, 4],
      ],
      "int32",
      [2],
    ),
  random: () =>
    Dataset.range(3)
      .map(() => tf.randomUniform([], { seed: 7 }))
      .repeat(2),
  strings: () =>
    Dataset.fromTensorSlices(["x y", "z"])
      .map((s: tf.Tensor) => tf.strings.split([s]).values)
      .paddedBatch(2, [null]),
};
