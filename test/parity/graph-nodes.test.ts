// Pieces of TensorFlow's Python API that are made of ops, against the nodes that TensorFlow makes for them: names, types, inputs, small constants.
// Recorded by generate/graph_nodes.py.
import { describe, expect, it } from "vitest";
import * as tf from "../../src/index.ts";
import { loadSpec } from "./golden.ts";

const recorded = loadSpec("graph-nodes") as Readonly<Record<string, readonly string[]>>;

function constantText(array: tf.NDArray): string {
  if (!/int|bool/.test(array.dtype)) return array.dtype;
  const shown = Array.from({ length: Math.min(8, array.size) }, (_, i) => String(array.get(i)));
  return shown.map(text => (text === "true" ? "True" : text === "false" ? "False" : text)).join(" ");
}

const nodes = (): string[] =>
  tf
    .getDefaultGraph()
    .getOperations()
    .map(op => {
      const inputs = `${op.inputs.map(({ name }) => name).join(",")}|${op.controlInputs.map(({ name }) => name).join(",")}`;
      return `${op.name} ${op.type} ${inputs} ${op.type === "Const" ? constantText(op.attrs.value as tf.NDArray) : ""}`.trim();
    });

const programs: Readonly<Record<string, () => void>> = {
  layers() {
    const { layers } = tf;
    const x1 = tf.placeholder("float32", [null, 12, 3], { name: "x1" });
    const x2 = tf.placeholder("float32", [null, 9, 8, 2], { name: "x2" });
    const x3 = tf.placeholder("float32", [2, 5, 6, 7, 2], { name: "x3" });
    const c1 = tf.placeholder("float32", [null, 3, 12], { name: "c1" });
    layers.conv1d(x1, 4, 3);
    layers.conv1d(x1, 4, 3, { strides: 2, padding: "same", activation: tf.nn.relu, name: "a" });
    layers.conv1d(x1, 4, 3, { padding: "causal", dilationRate: 2 });
    layers.conv1d(c1, 4, 3, { dataFormat: "channels_first" });
    layers.conv1d(x1, 4, 3, { dilationRate: 2, useBias: false });
    layers.conv3d(x3, 4, 2);
    layers.conv3d(x3, 4, [1, 2, 2], { strides: [1, 2, 2], padding: "same", name: "v", kernelInitializer: "he_normal" });
    layers.conv3dTranspose(x3, 3, 2, { strides: 2, padding: "same" });
    layers.conv3dTranspose(x3, 3, [2, 3, 2]);
    layers.separableConv1d(x1, 5, 3, { depthMultiplier: 2 });
    layers.separableConv1d(x1, 5, 3, { padding: "causal" });
    layers.maxPooling1d(x1, 2, 2);
    layers.averagePooling1d(x1, 3, 1, { padding: "same" });
    layers.maxPooling3d(x3, 2, 2);
    layers.averagePooling3d(x3, [1, 2, 2], 1, "same");
    layers.averagePooling3d(x3, 2, 1, { dataFormat: "channels_first" });
    layers.conv2d(x2, 3, 3, { dilationRate: 2, activation: "relu" });
    layers.conv2dTranspose(x2, 3, 3, 2);
    const dense = new layers.Dense(4, { activation: "tanh", kernelInitializer: "zeros" });
    dense(x2);
    dense(x2);
    new layers.BatchNormalization()(x2, { training: true });
  },

  gradients() {
    const x = tf.placeholder("float32", [3], { name: "x" });
    tf.hessians(tf.reduceSum(tf.multiply(tf.pow(x, 3), tf.reverse(x, [0]))), x);
    const product = tf.customGradient((a, b) => [tf.multiply(a, b), d => [tf.multiply(d, 10), tf.multiply(d, 20)]]);
    tf.gradients(product(x, tf.add(x, 1)), x);
    tf.gradients(tf.gradPassThrough(tf.sign)(x), x);
  },

  metrics() {
    const labels = tf.placeholder("int64", [null, 2], { name: "labels" });
    const one = tf.placeholder("int64", [null], { name: "one" });
    const predictions = tf.placeholder("float32", [null, 4], { name: "predictions" });
    const sparse = tf.sparsePlaceholder("int64", [null, null], { name: "sparse" });
    tf.metrics.precisionAtK(labels, predictions, 2);
    tf.metrics.precisionAtK(one, predictions, 2, { classId: 1 });
    tf.metrics.recallAtK(labels, predictions, 3, { classId: 0 });
    tf.metrics.recallAtK(sparse, predictions, 1, { name: "mine" });
    tf.metrics.averagePrecisionAtK(labels, predictions, 2);
    tf.metrics.averagePrecisionAtK(sparse, predictions, 3);
  },

  sparse() {
    const places = [
      [0, 0],
      [0, 1],
      [2, 0],
    ];
    const ids = new tf.SparseTensor(places, tf.constant([1, 3, 0], { dtype: "int64" }), [3, 2]);
    const weights = new tf.SparseTensor(places, [0.5, 2, 1], [3, 2]);
    const table = tf.placeholder("float32", [5, 2], { name: "table" });
    const other = tf.placeholder("float32", [4, 2], { name: "other" });
    tf.nn.embeddingLookupSparse(table, ids, null);
    tf.nn.embeddingLookupSparse(table, ids, weights, { combiner: "sqrtn" });
    tf.nn.embeddingLookupSparse([table, other], ids, weights, { combiner: "mean", partitionStrategy: "div" });
    tf.nn.embeddingLookupSparse([table, other], ids, null, { combiner: "sum" });
    tf.nn.safeEmbeddingLookupSparse(table, ids, weights, { combiner: "sum", defaultId: 2, name: "safe" });
    tf.sparse.fromDense(table);
    tf.sparse.eye(3);
    tf.sparse.expandDims(weights, { axis: 0 });
    tf.sparse.resetShape(weights);
    tf.sparse.resetShape(weights, [4, 4]);
    tf.sparse.mask(new tf.IndexedSlices(table, tf.constant([1, 3, 5, 7, 9], { dtype: "int32" })), [3]);
  },

  sequences() {
    const one = tf.placeholder("string", [], { name: "one" });
    const contextFeatures = {
      n: new tf.FixedLenFeature([], "int64", { defaultValue: 3 }),
      w: new tf.VarLenFeature("float32"),
      k: new tf.FixedLenFeature([2], "string"),
    };
    const sequenceFeatures = {
      ids: new tf.FixedLenSequenceFeature([], "int64", { allowMissing: true }),
      words: new tf.VarLenFeature("string"),
      p: new tf.FixedLenSequenceFeature([2], "float32"),
    };
    tf.parseSingleSequenceExample(one, { contextFeatures, sequenceFeatures });
    tf.parseSingleSequenceExample("abc", { contextFeatures, sequenceFeatures, exampleName: "who", name: "mine" });
    const many = tf.placeholder("string", [null], { name: "many" });
    tf.io.parseSequenceExample(many, { contextFeatures, sequenceFeatures });
    tf.io.parseSequenceExample(["a", "b"], { sequenceFeatures, exampleNames: ["p", "q"], name: "batch" });
    tf.io.decodeJsonExample(one);
  },

  matrices() {
    const { linalg, nn } = tf;
    const a = tf.placeholder("float32", [2, 3, 3], { name: "a" });
    const b = tf.placeholder("float32", [3, 2], { name: "b" });
    const free = tf.placeholder("float32", null, { name: "free" });
    for (const matrix of [b.at([], [null, 2]).at([null, 2]), a]) {
      const { lu, p } = linalg.lu(matrix);
      linalg.luReconstruct(lu, p);
      linalg.luMatrixInverse(lu, p);
    }
    const { lu, p } = linalg.lu(free);
    linalg.luSolve(lu, p, b, { validateArgs: true, name: "solved" });
    linalg.luReconstruct(lu, p, { validateArgs: true });
    linalg.pinv(b);
    linalg.pinv(tf.placeholder("float64", [null, 2]), { rcond: 0.1, name: "inverse" });
    linalg.matrixRank(b);
    linalg.matrixRank(tf.placeholder("float32", [null, 2]), { tol: 0.5 });
    linalg.matrixRank(tf.placeholder("float32", [null, 2]), { name: "order" });
    linalg.normalize(b);
    linalg.normalize(b, { ord: 1, axis: 1, name: "ones" });
    linalg.expm(a);
    linalg.expm(tf.placeholder("float64", [null, null]), { name: "power" });
    linalg.tridiagonalMatmul(a.at(0), b);
    linalg.tridiagonalMatmul(a.at(1), b, { diagonalsFormat: "matrix" });
    const rows = [0, 1, 2].map(k => a.at(0).at(k));
    linalg.tridiagonalMatmul(rows, b, { diagonalsFormat: "sequence", name: "three" });
    const line = tf.placeholder("float32", [1, 6, 2], { name: "line" });
    const taps = tf.placeholder("float32", [3, 2, 2], { name: "taps" });
    nn.conv1dTranspose(line, taps, [1, 12, 2], 2);
    nn.conv1dTranspose(tf.transpose(line, [0, 2, 1]), taps, tf.constant([1, 2, 8], "int32"), 1, { padding: "VALID", dataFormat: "NCW" });
    nn.convTranspose(line, taps, [1, 12, 2], 2, { name: "any" });
    nn.convTranspose(line.at([], tf.newaxis), taps.at(tf.newaxis), tf.constant([1, 1, 6, 2], "int32"), 1);
    tf.assertRankIn(a, [2, 3]);
  },
};

describe("nodes are TensorFlow's", () => {
  it.each(Object.keys(recorded))("%s", name => {
    using _ = new tf.Graph().asDefault();
    programs[name]();
    expect(nodes()).toEqual(recorded[name]);
  });

  it("and every program is recorded", () => {
    expect(Object.keys(programs)).toEqual(Object.keys(recorded));
  });
});
