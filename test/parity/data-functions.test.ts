// What makes datasets and tables of datasets, against recordings of TensorFlow (generate/data_functions.py).

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesOfText } from "../../src/base/ndarray.ts";
import * as tf from "../../src/index.ts";
import { compareWithRecording, type Made } from "./library-programs.ts";

const ex = tf.data.experimental;
const folder = mkdtempSync(join(tmpdir(), "data-functions-"));
type Batch = tf.data.Dataset;
// any: elements are what their datasets make
type Element = any;

/** All elements as one. */
function elements(dataset: Batch, batch = 100): Made {
  const iterator = tf.data.makeInitializableIterator(batch > 0 ? dataset.batch(batch) : dataset);
  tf.addToCollection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer);
  return { fetch: iterator.getNext() };
}

function path(name: string, text?: string): string {
  const full = join(folder, name);
  if (text !== undefined) writeFileSync(full, text);
  return full;
}

const numbers = (n: number, dtype: tf.DType = "int64"): Batch =>
  tf.data.Dataset.fromTensorSlices(
    tf.NDArray.from(
      Array.from({ length: n }, (_, i) => i),
      dtype,
    ),
  );
const reducer = (...[init, reduce, finalize]: ConstructorParameters<typeof ex.Reducer>): ((dataset: Batch) => Batch) =>
  ex.groupByReducer((x: tf.Tensor) => tf.cast(x, "int64").mod(3), new ex.Reducer(init, reduce, finalize));
const words = (...list: string[]): Batch => tf.data.Dataset.fromTensorSlices(tf.NDArray.from(list, "string"));
const classes = Int32Array.of(0, 1, 2, 1, 2);
const lastTwo = (name: tf.Tensor): tf.Tensor => tf.strings.substr(name, tf.strings.length(name).sub(2), 2);
const rows = "a,b,c,label\n1,2.5,x,0\n2,3.5,,1\n4,4.5,z,0\n";

function example(i: number): Uint8Array {
  const message = new tf.train.Example({
    features: {
      feature: { a: { int64List: { value: [i] } }, b: { floatList: { value: [i, i + 0.5] } } },
    },
  });
  return message.SerializeToString();
}
const features = {
  a: new tf.FixedLenFeature([], "int64"),
  b: new tf.FixedLenFeature([2], "float32", { defaultValue: [7, 8] }),
};

const programs: Readonly<Record<string, () => Made | Promise<Made>>> = {
  options() {
    const given = new tf.data.Options();
    given.deterministic = false;
    given.threading.privateThreadpoolSize = 3;
    given.experimentalOptimization.mapFusion = true;
    const other = new tf.data.Options();
    other.experimentalSlack = true;
    other.autotune.ramBudget = 2 ** 40;
    other.autotune.autotuneAlgorithm = ex.AutotuneAlgorithm.HILL_CLIMB;
    other.experimentalDistribute.autoShardPolicy = ex.AutoShardPolicy.OFF;
    other.experimentalExternalStatePolicy = ex.ExternalStatePolicy.FAIL;
    const dataset = numbers(4)
      .withOptions(given)
      .map((x: tf.Tensor) => x.add(1))
      .withOptions(other);
    const found = dataset.options();
    const said = [found.deterministic, found.experimentalSlack, found.threading.privateThreadpoolSize, found.autotune.ramBudget];
    const [, bytes] = tf
      .getDefaultGraph()
      .getOperations()
      .filter(({ type }) => type === "OptionsDataset")
      .map(op => [...bytesOfText(op.getAttr("serializedOptions") as string)]);
    return { fetch: [elements(dataset).fetch, tf.constant(said.map(Number), "int64"), tf.constant(bytes, "int32")] };
  },
  unknown_option() {
    Object.assign(new tf.data.Options(), { determinstic: true });
    return { fetch: [] };
  },
  wrong_option() {
    new tf.data.Options().threading.privateThreadpoolSize = 2.5;
    return { fetch: [] };
  },
  locked_options() {
    numbers(3).options().autotune.enabled = true;
    return { fetch: [] };
  },
  reduced: () =>
    elements(
      numbers(10).apply(
        reducer(
          key => key.mul(100),
          (sum: tf.Tensor, x: tf.Tensor) => sum.add(x),
          (sum: tf.Tensor) => sum,
        ),
      ),
    ),
  reduced_pairs: () =>
    elements(
      numbers(7, "float32").apply(
        reducer(
          () => [tf.constant(0), tf.constant(0)].map(zero => tf.cast(zero, "float32")),
          ([sum, count]: Element, x: tf.Tensor) => [sum.add(x), count.add(1)],
          (sum: tf.Tensor, count: tf.Tensor) => sum.div(count),
        ),
      ),
    ),
  wrong_keys: () =>
    elements(
      numbers(3).apply(
        ex.groupByReducer(
          (x: tf.Tensor) => tf.cast(x, "float32"),
          new ex.Reducer(
            () => 0,
            (sum: Element) => sum,
            (sum: Element) => sum,
          ),
        ),
      ),
    ),
  listed: () =>
    elements(
      ex.fromList([
        [tf.NDArray.from(1, "int32"), tf.NDArray.from("a", "string")],
        [tf.NDArray.from(2, "int32"), tf.NDArray.from("b", "string")],
      ]),
    ),
  listed_shapes: () => elements(ex.fromList([Float32Array.of(1), Float32Array.of(2, 3)]), 0),
  listed_nothing: () => elements(ex.fromList([])),
  filled_up() {
    const dataset = tf.data.Dataset.fromTensorSlices({
      a: Int32Array.of(1, 2),
      b: [
        ["x", "y"],
        ["z", "w"],
      ],
    });
    return elements(dataset.apply(ex.padToCardinality(4)));
  },
  filled_up_wrong: () => elements(numbers(2).apply(ex.padToCardinality(4))),
  table: () => ({
    fetch: ex.indexTableFromDataset(words("a", "b", "c")).lookup(
      tf.constant([
        ["c", "x"],
        ["a", "b"],
      ]),
    ),
  }),
  table_with_buckets() {
    const known = ex.indexTableFromDataset(words("a", "b", "c"), { numOovBuckets: 3, vocabSize: 3, name: "vocabulary" });
    return { fetch: [known.lookup(tf.constant(["c", "x", "yy"])), known.size()] };
  },
  table_of_pairs() {
    const pairs = tf.data.Dataset.fromTensorSlices([BigInt64Array.of(4n, 5n), tf.NDArray.from(["four", "five"], "string")]);
    const known = ex.tableFromDataset(pairs, { defaultValue: "none", keyDtype: "int64" });
    return { fetch: known.lookup(tf.constant([5, 6], "int64")) };
  },
  table_by_initializer() {
    const pairs = tf.data.Dataset.fromTensorSlices([tf.NDArray.from(["a", "b"], "string"), BigInt64Array.of(3n, 4n)]);
    const known = new tf.lookup.StaticHashTable(new ex.DatasetInitializer(pairs), -5);
    return { fetch: known.lookup(tf.constant(["b", "q"])) };
  },
  table_without_default: () => ({
    fetch: ex.tableFromDataset(tf.data.Dataset.fromTensorSlices([Int32Array.of(1), tf.NDArray.from(["a"], "string")])),
  }),
  table_of_negative_buckets: () => ({ fetch: ex.indexTableFromDataset(numbers(3), { numOovBuckets: -1 }) }),
  table_of_nothing: () => ({ fetch: ex.indexTableFromDataset(numbers(3), { vocabSize: 0 }) }),
  resampled: () =>
    elements(
      tf.data.Dataset.fromTensorSlices(classes)
        .repeat()
        .apply(ex.rejectionResample((x: tf.Tensor) => x, [0.1, 0.45, 0.45], { initialDist: [0.2, 0.4, 0.4], seed: 3 })),
      20,
    ),
  resampled_as_it_is: () =>
    elements(
      numbers(6)
        .map((x: tf.Tensor) => [x, x.mul(2)])
        .apply(ex.rejectionResample((x: tf.Tensor) => tf.cast(x.mod(2), "int32"), [0.5, 0.5], { initialDist: [0.5, 0.5], seed: 3 })),
      4,
    ),
  resampled_by_estimate: () =>
    elements(
      tf.data.Dataset.fromTensorSlices(classes)
        .repeat()
        .apply(ex.rejectionResample((x: tf.Tensor) => x, [0.1, 0.45, 0.45], { seed: 3 })),
      20,
    ),
  found_files() {
    for (const name of ["a1", "a2", "b1"]) path(name, "");
    return elements(tf.data.Dataset.listFiles([path("a*"), path("b?")], { shuffle: false }).map(lastTwo));
  },
  found_files_in_disorder: () => elements(tf.data.Dataset.listFiles(path("[ab]*"), { seed: 3 }).map(lastTwo)),
  csv_read: async () =>
    elements(await ex.makeCsvDataset(path("one.csv", rows), 2, { labelName: "label", shuffle: false, numEpochs: 1 }), 0),
  csv_selected: async () =>
    elements(
      await ex.makeCsvDataset([path("one.csv", rows)], 3, {
        selectColumns: ["c", 0],
        columnDefaults: ["int64", "q"],
        shuffleSeed: 2,
        numParallelReads: 2,
        ignoreErrors: true,
      }),
      0,
    ),
  csv_types: async () =>
    elements(
      await ex.makeCsvDataset(path("types.csv", "1,3000000000,1.5,1e300,t\n7,1,nan,2,5\n"), 2, {
        columnNames: ["i", "l", "f", "d", "s"],
        header: false,
        shuffle: false,
        numEpochs: 1,
      }),
      0,
    ),
  csv_label_missing: async () => elements(await ex.makeCsvDataset(path("one.csv", rows), 2, { labelName: "zz" })),
  csv_doubled: async () => elements(await ex.makeCsvDataset(path("one.csv", rows), 2, { selectColumns: ["a", 0] })),
  csv_nameless: async () => elements(await ex.makeCsvDataset(path("one.csv", rows), 2, { header: false })),
  examples_parsed() {
    const dataset = tf.data.Dataset.fromTensorSlices(new tf.NDArray("string", [4], [0, 1, 2, 3].map(example))).batch(2);
    return elements(dataset.apply(ex.parseExampleDataset(features, { numParallelCalls: 2 })), 0);
  },
  examples_sparse() {
    const kinds = { a: new tf.VarLenFeature("int64"), b: new tf.FixedLenFeature([2], "float32") };
    const dataset = tf.data.Dataset.fromTensorSlices(new tf.NDArray("string", [4], [0, 1, 2, 3].map(example))).batch(2);
    return elements(dataset.apply(ex.parseExampleDataset(kinds)), 0);
  },
  examples_joined() {
    const kinds = { s: new tf.SparseFeature("a", "b", "float32", 10), a: new tf.VarLenFeature("int64") };
    const short = (i: number): Uint8Array =>
      new tf.train.Example({
        features: { feature: { a: { int64List: { value: [i, i + 2] } }, b: { floatList: { value: [i, i + 0.5] } } } },
      }).SerializeToString();
    const dataset = tf.data.Dataset.fromTensorSlices(new tf.NDArray("string", [4], [0, 1, 2, 3].map(short))).batch(2);
    return elements(dataset.apply(ex.parseExampleDataset(kinds)), 0);
  },
  async examples_of_files() {
    const writer = new tf.pythonIo.TFRecordWriter(path("r.tfrecord"));
    for (const i of [0, 1, 2, 3, 4]) writer.write(example(i));
    await writer.close();
    return elements(ex.makeBatchedFeaturesDataset(path("r.tfrecord"), 3, features, { shuffle: false, numEpochs: 1, labelKey: "a" }), 0);
  },
  written: () => ({ fetch: new ex.TFRecordWriter("x").write(numbers(3)) }),
  weighted: () => elements(ex.sampleFromDatasets([numbers(6), tf.data.Dataset.range(100, 106)], { weights: [0.3, 0.7], seed: 4 })),
  legacy_functions() {
    const dataset = numbers(6)
      .mapWithLegacyFunction((x: tf.Tensor) => x.add(1))
      .filterWithLegacyFunction((x: tf.Tensor) => tf.greater(x, 2));
    return elements(dataset.apply(ex.mapAndBatchWithLegacyFunction((x: tf.Tensor) => x.mul(2), 2)));
  },
  as_numpy: () => ({ fetch: numbers(3).asNumpyIterator() }),
};

compareWithRecording("data-functions", programs);
