// Ordinary functions with ragged arguments against recordings of TensorFlow (generate/ragged_functions.py).

import { describe, expect, it } from "vitest";
import { tf as compat } from "../../src/compat.ts";
import * as tf from "../../src/index.ts";
import { compareWithRecording, type Made, parameter } from "./library-programs.ts";

const { RaggedTensor: R, ragged: r } = tf;
type Ragged = tf.RaggedTensor;
const made = (fetch: unknown, feeds?: tf.Feeds): Made => (feeds === undefined ? { fetch } : { fetch, feeds });
const unchecked = { validate: false } as const;
const ints = (list: unknown): Ragged => r.constant(list as number[], { dtype: "int32" }) as Ragged;
const rows = (name = "x"): Ragged => R.fromRowSplits(parameter([3, 1, 4, 1, 5, 9, 2, 6], name), [0, 3, 3, 7, 8], unchecked);
const deepSplits = [
  [0, 2, 3],
  [0, 2, 3, 6],
];
const deep = (): Ragged => R.fromNestedRowSplits(parameter([3, 1, 4, 1, 5, 9], "deep"), deepSplits, unchecked);
const words = (): Ragged => r.constant([["a", "Bc"], [], ["dEf"]]) as Ragged;
const pairsOf = (...values: readonly number[]): number[][] => values.flatMap((value, i) => (i % 2 === 0 ? [[value, values[i + 1]]] : []));
const lengths = (): Ragged => R.fromRowLengths(parameter([1, 2, 3, 4, 5], "v"), [2, 0, 3], unchecked);
const blocks = (): Ragged => R.fromRowSplits(parameter(pairsOf(1, 2, 3, 4, 5, 6), "blocks"), [0, 1, 3], unchecked);
const column = (...values: readonly number[]): number[][] => values.map(value => [value]);

/** What a shape says of itself, in Python's words. */
function described(shape: tf.DynamicRaggedShape): tf.Tensor {
  const word = (value: unknown): string =>
    value === null
      ? "None"
      : typeof value === "boolean"
        ? value
          ? "True"
          : "False"
        : Array.isArray(value)
          ? `[${value.map(word).join(", ")}]`
          : String(value);
  const { rank, innerRank, numRowPartitions, dtype } = shape;
  const uniform = Array.from({ length: rank ?? 0 }, (_, axis) => shape.isUniform(axis));
  const parts = [shape, rank, innerRank, numRowPartitions, dtype, uniform, shape.staticLengths({ raggedLengths: false })];
  return tf.constant(parts.map(word).join("; "));
}

const programs: Readonly<Record<string, () => Made>> = {
  elements() {
    const [x, d] = [rows(), deep()];
    const first = [tf.abs(x), tf.square(x, { name: "sq" }), tf.exp(d), tf.cast(x, "int32"), tf.zerosLike(d), tf.nn.relu(x)];
    return made([...first, tf.clipByValue(x, 2, 4), tf.isNan(x), tf.sigmoid(x), tf.toInt32(x), tf.round(x)]);
  },
  text() {
    const w = words();
    const first = [tf.strings.lower(w), tf.strings.length(w), tf.strings.toHashBucketFast(w, 10), tf.strings.join([w, w], "-")];
    const replaced = tf.strings.regexReplace(w, "[A-Z]", "_");
    return made([...first, replaced, tf.asString(ints([[1], [2, 3]])), tf.strings.substr(w, 0, 1)]);
  },
  scalars() {
    const x = rows();
    const first = [tf.add(x, 1), x.add(1), tf.multiply(2, x), x.sub(tf.constant(1)), x.truediv(2), x.pow(2), x.neg(), x.less(3)];
    const second = [tf.maximum(x, 2), tf.constant(2).mul(x as never), tf.constant(2).sub(x as never), tf.greater(x, 2), tf.mod(x, 2)];
    return made([...first, ...second, x.floordiv(2), tf.logicalAnd(x.greater(1), x.less(5))]);
  },
  inner() {
    const values = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    const x = R.fromRowSplits(parameter(values, "x"), [0, 1, 3], unchecked);
    return made([x.add(tf.constant([10, 20])), tf.multiply([1, 2], x)]);
  },
  same_rows() {
    const [x, d] = [rows(), deep()];
    return made([x.add(x), tf.multiply(x, x.withValues(tf.add(x.values as tf.Tensor, 1, "add"))), d.mul(d)]);
  },
  wide_rows() {
    const x = rows();
    const first = [x.add(tf.constant(column(10, 20, 30, 40))), x.mul(rows("y"))];
    return made([...first, x.add(tf.constant([[100]])), tf.add(tf.constant([5]), x)]);
  },
  wide_deep() {
    const d = deep();
    const first = [d.add(tf.constant([[[10]], [[20]]])), d.add(tf.constant([[[1]]]))];
    return made([...first, d.mul(R.fromRowSplits(parameter(column(1, 2, 3), "y"), [0, 2, 3], unchecked))]);
  },
  wide_open() {
    const x = rows();
    const given = tf.placeholder("float32", [null, null], { name: "column" });
    return made([x.mul(given), tf.add(given, x)], new Map([[given, column(1, 2, 3, 4)]]));
  },
  sums() {
    const x = rows();
    const first = [tf.reduceSum(x), tf.reduceSum(x, 0), tf.reduceSum(x, 1), tf.reduceSum(x, { axis: -1, keepdims: true })];
    const second = [tf.reduceSum(x, [0, 1]), tf.reduceMax(x, 1), tf.reduceMin(x, 0), tf.reduceProd(x, 1, { name: "p" })];
    return made([...first, ...second, tf.reduceSum(x, { keepdims: true })]);
  },
  means() {
    const x = R.fromRowSplits(parameter([3, 1, 4, 1, 5, 9, 2, 6], "x"), [0, 3, 4, 8], unchecked);
    const first = [tf.reduceMean(x), tf.reduceMean(x, 0), tf.reduceMean(x, 1)];
    return made([...first, tf.math.reduceVariance(x), tf.math.reduceVariance(x, 1), tf.math.reduceStd(x)]);
  },
  deep_sums() {
    const d = deep();
    const first = [tf.reduceSum(d, 0), tf.reduceSum(d, 1), tf.reduceSum(d, 2), tf.reduceMean(d, 1), tf.reduceSum(d, [0, 2])];
    return made([...first, tf.reduceMax(d, { axis: 2, keepdims: true })]);
  },
  truths() {
    const b = r.constant([[true, false], [], [true]]) as Ragged;
    return made([tf.reduceAll(b, 1), tf.reduceAny(b, 1), tf.reduceAny(b, 0), tf.reduceAll(b), tf.logicalNot(b)]);
  },
  segments() {
    const { unsortedSegmentSum, unsortedSegmentMean, unsortedSegmentMax } = tf.math;
    const x = rows();
    return made([unsortedSegmentSum(x, [0, 1, 0, 1], 3), unsortedSegmentMean(x, [0, 1, 0, 1], 2), unsortedSegmentMax(x, [1, 1, 0, 0], 2)]);
  },
  joined() {
    const [x, d] = [rows(), rows("y")];
    const first = [tf.concat([x, d], 0), tf.concat([x, d], 1), tf.concat([x, tf.constant(column(1, 2, 3, 4))], -1)];
    return made([...first, tf.stack([x, d]), tf.stack([x, d], 1), tf.concat([x], 0)]);
  },
  dimensions() {
    const [x, d] = [rows(), deep()];
    const first = [tf.expandDims(x, 0), tf.expandDims(x, 1), tf.expandDims(x, -1), tf.expandDims(d, 2)];
    return made([...first, tf.size(x), tf.rank(d), tf.size(d, { outType: "int64" })]);
  },
  squeezed() {
    const x = rows();
    const wide = (axis: number): Ragged => tf.expandDims(x, axis) as Ragged;
    return made([tf.squeeze(wide(0), [0]), tf.squeeze(wide(1), { axis: 1 }), tf.squeeze(wide(2), 2)]);
  },
  tiled() {
    const [x, d] = [rows(), deep()];
    return made([tf.tile(x, [2, 1]), tf.tile(x, [1, 2]), tf.tile(d, [1, 2, 2])]);
  },
  hot() {
    const ids = ints([[0, 2], [], [1]]);
    const table = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    const first = [tf.oneHot(ids, 3), tf.oneHot(ids, 3, { onValue: 5, offValue: -1, axis: 2, dtype: "int32" })];
    return made([...first, tf.nn.embeddingLookup(parameter(table, "table"), ids)]);
  },
  reversed_rows() {
    const [x, d] = [rows(), deep()];
    return made([tf.reverse(x, [0]), tf.reverse(x, [1]), tf.reverse(d, [0, 2]), tf.reverse(d, [-1])]);
  },
  gathered() {
    const x = rows();
    const ids = ints([[0], [2, 3]]);
    const pairs = [
      [0, 1],
      [2, 3],
    ];
    return made([tf.gather(x, [2, 0]), tf.gather(x, ids), tf.gather(tf.constant([1, 2, 3, 4]), ids), tf.gather(x, pairs)]);
  },
  wide_gathered: () => made(tf.batchGather(rows(), ints([[0, 2], [], [1], [0]]))),
  positions() {
    const [x, d] = [rows(), deep()];
    const at = (...list: readonly (readonly number[])[]): tf.TensorLike => list;
    const first = [tf.gatherNd(x, at([0, 1], [2, 3])), tf.gatherNd(x, at([2], [0])), tf.gatherNd(d, at([0, 0, 1], [1, 0, 2]))];
    return made([...first, tf.gatherNd(d, [at([0, 1], [1, 0])])]);
  },
  conditions() {
    const x = rows();
    const m = x.greater(2);
    const first = [tf.where(m), tf.where(m, x, x.neg()), tf.where([true, false, true, false], x, x.mul(10))];
    return made([...first, tf.where(r.constant([[[true], [false, true]], [[true]]]) as Ragged)]);
  },
  masked() {
    const [x, d] = [rows(), deep()];
    const square = tf.NDArray.from([1, 2, 3, 4], "int32", [2, 2]);
    const corner = [
      [true, false],
      [true, true],
    ];
    const first = [r.booleanMask(x, x.greater(2)), r.booleanMask(x, [true, false, false, true]), r.booleanMask(square, corner)];
    return made([...first, r.booleanMask(d, d.greater(3)), r.booleanMask(d, r.constant([[true, false], [true]]))]);
  },
  partitions() {
    const x = rows();
    const first = [
      r.stackDynamicPartitions(tf.NDArray.from([1, 2, 3, 4], "int32"), [1, 0, 1, 3], 4),
      r.stackDynamicPartitions(x, [0, 1, 1, 0], 2),
    ];
    return made([...first, ...tf.dynamicPartition(x, [0, 1, 1, 0], 2)]);
  },
  items() {
    const [x, d] = [rows(), deep()];
    const first = [x.at(0), x.at(-1), x.at([1, null]), x.at([null, 2]), x.at([null, null, 2]), x.at([], [1, null]), x.at([], [null, -1])];
    const second = [x.at([], [null, null, -1]), x.at(2, 1), d.at(0, 1), d.at([1, null], [0, 1]), d.at([], [], [1, null])];
    return made([...first, ...second, d.at(tf.ellipsis, [null, 1]), d.at(0), x.at([null, null, -1])]);
  },
  open_items() {
    const x = rows();
    const at = tf.placeholder("int32", [], { name: "at" });
    return made([x.at(at), x.at([at, null]), x.at([], [at, null])], new Map([[at, 1]]));
  },
  running() {
    const [x, d] = [rows(), deep()];
    return made([tf.cumsum(x, 1), tf.cumsum(d, 2, { exclusive: true }), tf.cumsum(x, { axis: -1, reverse: true })]);
  },
  added() {
    const x = rows();
    return made([tf.addN([x, x, x]), tf.nn.dropout(x, { rate: 0 })]);
  },
  asserted() {
    const x = rows();
    const check = tf.assertLess(x, 10);
    return tf.controlDependencies([check], () => made([tf.identity(x.flatValues)]));
  },
  other_ranks: () => made(tf.concat([rows(), deep()], 0)),
  bad_axis: () => made(tf.reduceSum(rows(), 2)),
  bad_squeeze: () => made(tf.squeeze(rows())),
  bad_index: () => made(rows().at([], 0)),
  bad_one_hot: () => made(tf.oneHot(ints([[0], [1]]), 2, { axis: 1 })),
  bad_splits_types() {
    const x = rows();
    return made(x.add(x.withRowSplitsDtype("int32")));
  },
  bad_mask: () => made(r.booleanMask(rows(), true)),
  bad_where: () => made(tf.where(rows().greater(0), rows(), 1)),
  products() {
    const matrices = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [1, 0, 2, 1],
    ].map(([a, b, c, d]) => [
      [a, b],
      [c, d],
    ]);
    const b = parameter(matrices, "b");
    const a = R.fromRowSplits(parameter(pairsOf(1, 2, 3, 4, 5, 6), "a"), [0, 2, 2, 3], unchecked);
    const square = R.fromRowLengths(parameter([1, 2, 3, 4], "square"), [2, 2]);
    const first = [tf.matmul(a, b), tf.matmul(a, b, { transposeB: true }), tf.matmul(square, tf.constant(pairsOf(1, 0, 2, 3)))];
    return made([...first, tf.matmul(square, square, { transposeA: true })]);
  },
  products_by_row() {
    const splits = [
      [0, 2, 3],
      [0, 2, 4, 10],
    ];
    const a = R.fromNestedRowSplits(parameter([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], "a"), splits, unchecked);
    const b = R.fromRowSplits(parameter(column(1, 2, 3, 4, 5, 6, 7, 8), "b"), [0, 2, 8], unchecked);
    return made([tf.matmul(a, b), tf.matmul(a, a, { transposeB: true }), tf.matmul(b, b, { transposeA: true })]);
  },
  products_of_batches() {
    const inner = R.fromRowSplits(parameter(pairsOf(1, 2, 3, 4, 5, 6), "a"), [0, 2, 3], unchecked);
    const a = R.fromRowSplits(inner, [0, 1, 2], unchecked);
    return made([tf.matmul(a, parameter([[pairsOf(1, 2, 3, 4)], [pairsOf(5, 6, 7, 8)]], "b"))]);
  },
  cut() {
    const values = [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ];
    const x = R.fromRowLengths(parameter(values, "x"), [1, 0, 2, 0]);
    const first = [
      ...tf.split(x, 2),
      ...tf.split(x, [1, 2], { axis: 2 }),
      ...tf.split(x, tf.constant([1, 3], { dtype: "int32" }), { num: 2 }),
    ];
    return made([...first, ...tf.split(rows(), [1, 0, 3]), ...tf.split(x, 1)]);
  },
  mapped() {
    const [x, d] = [rows(), deep()];
    const sums = tf.mapFn((row: tf.Tensor) => tf.reduceSum(row), x, { dtype: "float32" });
    const first = [sums, tf.mapFn((row: tf.Tensor) => row.mul(2), x)];
    const fnOutputSignature = new tf.RaggedTensorSpec([null], "float32", { raggedRank: 0 });
    const second = [tf.mapFn((row: Ragged) => tf.reduceSum(row, 1), d, { fnOutputSignature })];
    return made([...first, ...second, tf.mapFn((row: Ragged) => row.add(1), d)]);
  },
  mapped_to_rows() {
    const x = parameter([2, 0, 3], "x");
    const spec = new tf.RaggedTensorSpec([null], "float32", { raggedRank: 0 });
    const counted = tf.mapFn((n: tf.Tensor) => tf.range(n), x, spec);
    const both = ([row, more]: readonly tf.Tensor[]): tf.Tensor[] => [row.add(more), tf.size(row)];
    return made([counted, ...tf.mapFn(both, [rows(), tf.constant([1, 2, 3, 4])], [spec, "int32"])]);
  },
  looked_up() {
    const ids = ints([[0, 2], [1], [1, 1, 0]]);
    const w = R.fromRowLengths(parameter([1, 2, 0.5, 1, 2, 3], "w"), [2, 1, 3]);
    const table = parameter(pairsOf(1, 2, 3, 4, 5, 6), "table");
    const look = tf.nn.embeddingLookupSparse;
    const first = [
      look(table, ids, null),
      look(table, ids, w, { combiner: "sum" }),
      look(table, ids, w, { combiner: "sqrtn", maxNorm: 3 }),
    ];
    return made([...first, look([table, parameter([[7, 8]], "more")], ids, null, { combiner: "sum" })]);
  },
  looked_up_safely() {
    const ids = ints([[0, 2], [], [-1, 1], [-5]]);
    const w = R.fromRowLengths(parameter([1, 2, 0.5, 1, 2], "w"), [2, 0, 2, 1]);
    const table = parameter(pairsOf(1, 2, 3, 4, 5, 6), "table");
    const look = tf.nn.safeEmbeddingLookupSparse;
    return made([look(table, ids), look(table, ids, w, { combiner: "sum" }), look(table, ids, w, { defaultId: 2 })]);
  },
  joined_rows() {
    const w = words();
    const { reduceJoin } = tf.strings;
    const first = [reduceJoin(w, 1), reduceJoin(w, 0, { separator: "-" }), tf.reduceJoin(w, { axis: [1], keepdims: true })];
    return made([...first, reduceJoin(w)]);
  },
  counted() {
    const x = ints([[1, 1], [2, 3, 2], []]);
    const w = R.fromRowLengths(tf.constant([1, 5, 0.5, 1, 2]), [2, 3, 0]);
    const weights = (): Ragged => r.constant([[1, 5], [0.5, 1, 2], []], { dtype: "float32" }) as Ragged;
    const first = [tf.bincount(x), tf.bincount(x, { weights: weights(), minlength: 6 }), tf.math.bincount(x, { maxlength: 2 })];
    const { bincount } = tf.sparse;
    return made([...first, bincount(x), bincount(x, { axis: -1 }), bincount(x, { weights: w, axis: -1, minlength: 5 })]);
  },
  typed: () => tf.controlDependencies([tf.assertType(rows(), "float32")], () => made([tf.constant(1)])),
  shapes() {
    const [x, d, b, v] = [rows(), deep(), blocks(), lengths()];
    const wide = tf.shape(x, { outType: "int64" });
    const first = [tf.shape(x).innerShape, wide.innerShape, tf.shape(x).rowPartitions[0].rowSplits, wide.rowPartitions[0].rowSplits];
    const second = [tf.shape(x), tf.shape(d, { name: "of_deep" }), tf.shape(b), tf.shape(v), tf.shape(d, { outType: "int64" })];
    return made([...first, ...second.map(described)]);
  },
  sizes() {
    const [b, d] = [blocks(), deep()];
    const s = tf.shape(b);
    const first = [s.at(0), s.at(2), s.at(-1), described(s.at([null, 1])), described(s.at([null, 2])), described(s.at([]))];
    const second = [s.at([null, 2]).innerShape, tf.shape(d).at(0), described(tf.shape(d).at([null, 2]))];
    return made([...first, ...second, tf.shape(d).at([null, 2]).innerShape]);
  },
  open_sizes() {
    const x = r.placeholder("float32", 1, { valueShape: [2] }) as Ragged;
    const s = tf.shape(x);
    const fed = r.constantValue(
      [[pairsOf(1, 2)], [], [pairsOf(3, 4, 5, 6)]].map(list => list.flat()),
      {
        dtype: "float32",
        innerShape: [2],
      },
    ) as tf.ragged.RaggedTensorValue;
    return made([s.at(0), s.at(2), s.innerShape, s.rowPartitions[0].rowSplits, tf.zeros(s)], new Map([[x, fed]]));
  },
  filled() {
    const [x, d, b] = [rows(), deep(), blocks()];
    const first = [tf.zeros(tf.shape(x)), tf.ones(tf.shape(d), "int32"), tf.fill(tf.shape(b), 3, { name: "threes" })];
    return made([...first, tf.zeros(tf.shape(x, { outType: "int64" }), { name: "none" })]);
  },
  reshaped() {
    const [x, d] = [rows(), deep()];
    const flat = parameter([2, 7, 1, 8, 2, 8, 1, 8], "flat");
    const square = (): Ragged => tf.square(tf.reshape(flat, tf.shape(x)) as Ragged);
    const first = [tf.reshape(x, [-1]), tf.reshape(d, [3, 2], { name: "pairs" }), square(), tf.reduceSum(square(), 1)];
    const whole = tf.NDArray.from([1, 2, 3, 4, 5, 6], "int32", [2, 3]);
    return made([...first, tf.reshape(x, tf.shape(x), { name: "same" }), tf.reshape(tf.constant(whole), tf.shape(d))]);
  },
  spread() {
    const [x, d, b] = [rows(), deep(), blocks()];
    const s = tf.shape(x);
    const of = (given: tf.TensorLike | Ragged, shape: tf.DynamicRaggedShape, name?: string) => tf.broadcastTo(given, shape, { name });
    const tall = parameter(column(1, 2, 3, 4), "column");
    const first = [of(7, s), of(tall, s), of([[5]], s, "fives"), of([5], s), of(x, tf.shape(x, { outType: "int64" }))];
    const second = [of([10, 20], tf.shape(b)), of([[[1, 2]]], tf.shape(b)), of([[[1]], [[2]]], tf.shape(d))];
    const third = [of([[10], [20]], tf.shape(b).at([null, 2])), tf.reduceSum(of(tall, s) as Ragged, 1)];
    return made([...first, ...second, ...third]);
  },
  bad_spread_type: () => made(tf.broadcastTo(rows(), tf.shape(rows()))),
  bad_spread_rank: () => made(tf.broadcastTo([[[1]]], tf.shape(rows()))),
  bad_size: () => made(tf.shape(rows()).at(1)),
  bad_last_size: () => made(tf.shape(rows()).at(-1)),
  bad_sizes: () => made(tf.shape(rows()).at([1, null])),
  shown() {
    const [x, d, w] = [ints([[3, 1, 4], [], [1, 5, 9, 2], [6]]), ints([[[1, 2], [3]], [], [[4, 5, 6]]]), words()];
    const { format } = tf.strings;
    const pair = (): tf.Tensor => tf.constant([1, 2], { dtype: "int32" });
    const first = [format("rows {}", x), format("{} and {}!", [x, pair()]), format("{}", d), format("{}", w)];
    const truths = (): Ragged => r.constant([[true], [false, true]]) as Ragged;
    const second = [format("%", x, { placeholder: "%", summarize: 1 }), format("{}", truths(), { summarize: -1 })];
    return made([...first, ...second, format("{}", r.constant([["it's", "a\\b"]]) as Ragged)]);
  },
  resized() {
    const pixels = parameter(column(1, 2, 3, 4, 5, 6, 7, 8), "pixels");
    const sizes = [
      [2, 1],
      [3, 3, 2],
    ];
    const images = R.fromNestedRowLengths(pixels, sizes, unchecked);
    const { resize, resizeImages } = tf.image;
    const first = [resizeImages(images, [2, 2]), resize(images, [4, 3], { method: "nearest", name: "near" })];
    return made([...first, resizeImages(images, [3, 5], { alignCorners: true })]);
  },
  bad_format: () => made(tf.strings.format("{} {}", rows())),
  bad_summary: () => made(tf.strings.format("{}", rows(), { summarize: 0 })),
  bad_images: () => made(tf.image.resize(deep(), [2, 2])),
  bad_product: () => made(tf.matmul(rows(), tf.constant([1]))),
  bad_product_types: () => made(tf.matmul(rows(), tf.constant([[1]], { dtype: "int32" }))),
  bad_product_rows: () => made([tf.matmul(rows(), tf.constant(column(1, 2, 3, 4)))]),
  bad_split: () => made(tf.split(rows(), 2, { axis: 1 })),
  bad_split_count: () => made(tf.split(rows(), 0)),
  bad_map: () =>
    made(tf.mapFn((row: tf.Tensor) => tf.reduceSum(row), rows(), new tf.RaggedTensorSpec([null], "float32", { raggedRank: 0 }))),
  bad_combiner: () => made(tf.nn.embeddingLookupSparse(tf.constant([[1]]), ints([[0]]), null, { combiner: "max" as "sum" })),
  bad_counts: () => made(tf.sparse.bincount(ints([[0]]), { axis: 1 })),
};

/** Rows that are stretched: sizes that only a run knows are arithmetic here, branches there. A size of rows that are cut is looked up there among shapes. */
const otherNodes: ReadonlySet<string> = new Set([
  "wide_rows",
  "wide_deep",
  "wide_open",
  "wide_gathered",
  "cut",
  "shapes",
  "sizes",
  "spread",
]);

describe("functions of ragged tensors", () => {
  compareWithRecording("ragged-functions", programs, otherNodes);

  it("are called under TensorFlow's names", async () => {
    using _ = new tf.Graph().asDefault();
    const rt = compat.ragged.constant([[1, 2], [3]]) as Ragged;
    const sums = compat.reduce_sum(rt as never, { axis: 1 });
    const nine = compat.add(rt as never, { y: 8 });
    const [a, b] = (await new compat.Session().run([sums, nine])) as readonly unknown[] as [tf.NDArray, tf.ragged.RaggedTensorValue];
    expect(a.toArray()).toEqual([3, 3]);
    expect(b.toList()).toEqual([[9, 10], [11]]);
  });

  it("work where TensorFlow 1 has none: softmax, numbers of text, running sums over rows", async () => {
    using _ = new tf.Graph().asDefault();
    const x = rows();
    const numbers = tf.strings.toNumber(r.constant([["1", "2"], ["3"]]) as Ragged);
    const [soft, parsed, sums] = (await new tf.Session().run([tf.reduceSum(tf.nn.softmax(x) as Ragged, 1), numbers, tf.cumsum(x, 0)])) as [
      tf.NDArray,
      ...tf.ragged.RaggedTensorValue[],
    ];
    expect((soft.toArray() as number[]).map(Math.round)).toEqual([1, 0, 1, 1]);
    expect(parsed.toList()).toEqual([[1, 2], [3]]);
    expect(sums.toList()).toEqual([[3, 1, 4], [], [4, 6, 13, 2], [10]]);
  });

  it("stop a run whose rows do not fit", async () => {
    using _ = new tf.Graph().asDefault();
    const other = tf.placeholder("int64", [5]);
    const sum = rows().add(R.fromRowSplits(tf.constant([1, 2]), other, unchecked));
    const run = new tf.Session().run(tf.reduceSum(sum), new Map([[other, [0, 1, 1, 1, 2]]]));
    await expect(run).rejects.toThrow(/Condition x == y did not hold element-wise/);
  });

  it("stop a run whose rows are not those of a shape", async () => {
    using _ = new tf.Graph().asDefault();
    const run = new tf.Session().run(tf.broadcastTo(tf.constant(column(1, 2, 3, 4, 5)), tf.shape(rows())) as Ragged);
    await expect(run).rejects.toThrow(/Cannot broadcast/);
  });

  it("stop a run whose pieces do not come out even", async () => {
    using _ = new tf.Graph().asDefault();
    const run = new tf.Session().run([...tf.split(rows(), [1, 1])]);
    await expect(run).rejects.toThrow(/Cannot exactly split the `axis` dimension of `value` with the given `num_or_size_split`/);
  });

  it("make rows of no rows", async () => {
    using _ = new tf.Graph().asDefault();
    const given = tf.placeholder("float32", [null]);
    const made = tf.mapFn((n: tf.Tensor) => tf.range(n), given, new tf.RaggedTensorSpec([null], "float32", { raggedRank: 0 }));
    const empty = await new tf.Session().run(made as Ragged, new Map([[given, tf.NDArray.zeros("float32", [0])]]));
    expect(empty.toList()).toEqual([]);
  });

  it("have their names", () => {
    expect([tf.abs, tf.nn.relu, tf.matmul, tf.math.reduceSum].map(({ name }) => name)).toEqual(["abs", "relu", "matmul", "reduceSum"]);
  });

  it("refuse what takes no ragged tensors", () => {
    using _ = new tf.Graph().asDefault();
    expect(() => tf.transpose(rows() as never)).toThrow(/RaggedTensor/);
  });
});
