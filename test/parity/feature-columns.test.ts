// tf.feature_column against recordings of TensorFlow (generate/feature_columns.py).

import { describe, expect, it } from "vitest";
import { tf as compat } from "../../src/compat.ts";
import * as tf from "../../src/index.ts";
import { compareWithRecording, type Made } from "./library-programs.ts";

const c = tf.featureColumn;
const made = (fetch: unknown, feeds?: tf.Feeds): Made => (feeds === undefined ? { fetch } : { fetch, feeds });

/** A table of 0, 0.1, 0.2 … */
const counting = (shape: readonly (number | null)[]): tf.Tensor => {
  const sizes = shape.map(Number);
  const count = sizes.reduce((a, b) => a * b, 1);
  return tf.constant(
    tf.NDArray.from(
      Float32Array.from({ length: count }, (_, i) => Math.fround(i) / 10),
      "float32",
      sizes,
    ),
  );
};
const int64 = (values: tf.ArrayLike): tf.Tensor => tf.constant(values, { dtype: "int64" });
const int32 = (values: tf.ArrayLike): tf.Tensor => tf.constant(values, { dtype: "int32" });
const float32 = (values: tf.ArrayLike): tf.Tensor => tf.constant(values, { dtype: "float32" });
const places = [
  [0, 0],
  [1, 0],
  [1, 1],
];
const sparse = (values: tf.Tensor): tf.SparseTensor => new tf.SparseTensor(places, values, [3, 2]);
const sparseWords = (): tf.SparseTensor => sparse(tf.constant(["a", "c", "q"]));
const pair = (a: number, b: number): number[][] => [[a], [b]];
const table = { initializer: counting as never };

const programs: Readonly<Record<string, () => Made>> = {
  numeric() {
    const rows = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    const features = { price: float32([1, 2, 3]), size: int32(rows) };
    const price = c.numericColumn("price", { normalizerFn: x => x.div(2) });
    const outputs = new Map();
    const layer = c.inputLayer(features, [c.numericColumn("size", { shape: [2], dtype: "int32" }), price], {
      colsToOutputTensors: outputs,
    });
    return made([layer, outputs.get(price)]);
  },
  bucketized() {
    const price = c.numericColumn("price", { shape: [2] });
    const rows = [
      [1, 12],
      [-3, 7.5],
    ];
    const features = { price: float32(rows) };
    const column = c.bucketizedColumn(price, [0, 5, 10]);
    return made([c.inputLayer(features, [column]), c.linearModel(features, [column, price])]);
  },
  open_batch() {
    const x = tf.placeholder("float32", [null, 3], { name: "x" });
    const rows = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    return made(c.inputLayer({ x }, c.numericColumn("x", { shape: 3 })), new Map([[x, rows]]));
  },
  open_rank() {
    const x = tf.placeholder("float32", null, { name: "x" });
    return made(c.linearModel({ x }, [c.numericColumn("x")]), new Map([[x, [1, 2]]]));
  },
  embedding() {
    const ids = [
      [0, 3],
      [1, -1],
    ];
    const features = { ids: int64(ids) };
    const column = c.embeddingColumn(c.categoricalColumnWithIdentity("ids", 4), 3, table);
    const variables = new Map();
    return made([c.inputLayer(features, [column], { colsToVars: variables }), variables.get(column)]);
  },
  embedding_normal() {
    const column = c.embeddingColumn(c.categoricalColumnWithHashBucket("words", 7), 2, { combiner: "sqrtn", maxNorm: 0.5 });
    return made(c.inputLayer({ words: sparseWords() }, [column]));
  },
  embedding_plain() {
    const options = { ...table, combiner: "sum", trainable: false, useSafeEmbeddingLookup: false } as const;
    const column = c.embeddingColumn(c.categoricalColumnWithIdentity("ids", 4), 2, options);
    const diagonal = [
      [0, 0],
      [1, 1],
    ];
    return made(c.inputLayer({ ids: new tf.SparseTensor(diagonal, int64([2, 1]), [2, 2]) }, [column]));
  },
  indicator() {
    const column = c.indicatorColumn(c.categoricalColumnWithVocabularyList("words", ["a", "b", "c"]));
    const rows = [
      ["a", "b"],
      ["", "c"],
      ["b", "zz"],
    ];
    return made(c.inputLayer({ words: tf.constant(rows, { name: "words" }) }, [column]));
  },
  vocabulary_defaults() {
    const columns = [
      c.indicatorColumn(c.categoricalColumnWithVocabularyList("words", ["a", "b"], { numOovBuckets: 2 })),
      c.indicatorColumn(c.categoricalColumnWithVocabularyList("numbers", [7, 5, 3], { defaultValue: 0 })),
    ];
    return made(c.inputLayer({ words: sparseWords(), numbers: int32([[7], [3], [9]]) }, columns));
  },
  weighted() {
    const column = c.weightedCategoricalColumn(c.categoricalColumnWithVocabularyList("words", ["a", "b", "c"]), "weights");
    const weights = sparse(float32([0.5, 2, 3]));
    const features = { words: sparse(tf.constant(["a", "c", "b"])), weights };
    return made([
      c.inputLayer(features, [c.indicatorColumn(column)]),
      c.linearModel(features, [column], { sparseCombiner: "mean", units: 2 }),
    ]);
  },
  weighted_dense() {
    const column = c.weightedCategoricalColumn(c.categoricalColumnWithIdentity("ids", 5, { defaultValue: 4 }), "weights");
    const ids = [
      [0, 7],
      [2, 3],
    ];
    const weights = [
      [0.5, 1.5],
      [2, 4],
    ];
    return made(c.inputLayer({ ids: int32(ids), weights: float32(weights) }, c.embeddingColumn(column, 2, table)));
  },
  crossed() {
    const price = c.bucketizedColumn(c.numericColumn("price"), [0, 10]);
    const cross = c.crossedColumn(["words", price], 11);
    const nested = c.crossedColumn([cross, "more"], 13, { hashKey: 5 });
    const given = tf.placeholder("float32", [3, 1], { name: "given" });
    const features = { price: given, words: sparseWords(), more: tf.constant([["x"], ["y"], ["z"]]) };
    const fetch = [c.inputLayer(features, [c.indicatorColumn(cross)]), c.linearModel(features, [nested, price])];
    return made(fetch, new Map([[given, [[1], [-5], [20]]]]));
  },
  shared() {
    const [first, second] = ["first", "second"].map(key => c.categoricalColumnWithIdentity(key, 4));
    const columns = c.sharedEmbeddingColumns([second, first], 2, table);
    return made(c.inputLayer({ first: int32(pair(0, 1)), second: int32(pair(2, 3)) }, columns));
  },
  wide() {
    const features = { price: float32([[1], [2], [4]]), words: sparseWords() };
    const columns = [c.numericColumn("price"), c.categoricalColumnWithHashBucket("words", 5)];
    const variables = new Map();
    const model = c.linearModel(features, columns, { units: 2, colsToVars: variables });
    return made([model, c.linearModel(features, columns, { trainable: false }), variables.get("bias")]);
  },
  twice() {
    const features = { price: float32([[1], [2], [4]]) };
    const columns = [c.numericColumn("price")];
    return tf.variableScope("deep", () => made([c.inputLayer(features, columns), c.inputLayer(features, columns)]));
  },
  missing: () => made(c.inputLayer({ a: float32([1]) }, [c.numericColumn("b")])),
  categorical_input: () => made(c.inputLayer({ a: int32([1]) }, [c.categoricalColumnWithIdentity("a", 3) as never])),
  doubled: () => made(c.inputLayer({ a: float32([1]) }, [c.numericColumn("a"), c.numericColumn("a")])),
  scalar: () => made(c.inputLayer({ a: float32(1) }, [c.numericColumn("a")])),
  batches: () => made(c.inputLayer({ a: float32([1]), b: float32([1, 2]) }, [c.numericColumn("a"), c.numericColumn("b")])),
  bad_boundaries: () => made(c.bucketizedColumn(c.numericColumn("a"), [1, 1])),
  bad_identity: () => made(c.categoricalColumnWithIdentity("a", 3, { defaultValue: 5 })),
  bad_vocabulary: () => made(c.categoricalColumnWithVocabularyList("a", ["x", "x"])),
  bad_dimension: () => made(c.embeddingColumn(c.categoricalColumnWithIdentity("a", 3), 0)),
  bad_cross: () => made(c.crossedColumn(["a"], 3)),
};

describe("tf.feature_column", () => {
  compareWithRecording("feature-columns", programs);

  it("is the same under TensorFlow's names, from parsed examples on", async () => {
    using _ = new tf.Graph().asDefault();
    const fc = compat.feature_column;
    const age = fc.numeric_column("age");
    const word = fc.categorical_column_with_vocabulary_list("word", ["x", "y"]);
    const columns = [age, fc.indicator_column(word)];
    const spec = compat.feature_column.make_parse_example_spec([age, word]);
    const example = { features: { feature: { age: { floatList: { value: [4] } }, word: { bytesList: { value: ["y"] } } } } };
    const bytes = new tf.train.Example(example as never).SerializeToString();
    const parsed = compat.io.parse_example(tf.NDArray.from([bytes], "string", [1]), spec);
    const layer = fc.input_layer(parsed, columns);
    const session = new compat.Session();
    await session.run(compat.tables_initializer());
    expect([...((await session.run(layer)) as tf.NDArray).data]).toEqual([4, 0, 1]);
  });
});
