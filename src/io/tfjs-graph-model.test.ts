// A small graph model made by hand: fused nodes, quantized weights, shards cut in the middle of numbers, and training from an inner tensor.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { NDArray } from "../base/ndarray.ts";
import * as tf from "../index.ts";
import { loadTfjsGraphModel } from "./tfjs-graph-model.ts";

const folder = mkdtempSync(join(tmpdir(), "tfjs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const float = { type: "DT_FLOAT" };
const s = (text: string): object => ({ s: btoa(text) });
const constant = (name: string, dtype = "DT_FLOAT"): object => ({
  name,
  op: "Const",
  attr: { dtype: { type: dtype }, value: { tensor: { dtype, tensorShape: {} } } },
});
const nodes = [
  {
    name: "x",
    op: "Placeholder",
    attr: { dtype: float, shape: { shape: { dim: [{ size: "-1" }, { size: "2" }, { size: "2" }, { size: "1" }] } } },
  },
  ...["kernel", "bias", "alpha", "dense", "offset"].map(name => constant(name)),
  constant("shape", "DT_INT32"),
  {
    name: "conv",
    op: "_FusedConv2D",
    input: ["x", "kernel", "bias", "alpha"],
    attr: {
      T: float,
      num_args: { i: "2" },
      fused_ops: { list: { s: [btoa("BiasAdd"), btoa("Prelu")] } },
      epsilon: { f: 0 },
      strides: { list: { i: ["1", "1", "1", "1"] } },
      dilations: { list: { i: ["1", "1", "1", "1"] } },
      padding: s("VALID"),
      data_format: s("NHWC"),
    },
  },
  { name: "flat", op: "Reshape", input: ["conv", "shape"], attr: { T: float, Tshape: { type: "DT_INT32" } } },
  {
    name: "out",
    op: "_FusedMatMul",
    input: ["flat", "dense", "offset"],
    attr: {
      T: float,
      fused_ops: { list: { s: [btoa("BiasAdd"), btoa("Relu")] } },
      num_args: { i: "1" },
      transpose_a: { b: false },
      transpose_b: { b: false },
    },
  },
];
const float16 = (...values: number[]): Uint8Array => {
  const array = NDArray.from(values, "float16");
  return new Uint8Array((array.data as Uint16Array).buffer.slice(0));
};
const content = new Uint8Array([
  ...new Uint8Array(Float32Array.of(1, -2).buffer), // kernel [1,1,1,2]
  ...[0, 255], // bias, uint8: 0.5 and 1.775
  ...float16(0.5, 0.25), // alpha
  ...new Uint8Array(Uint16Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15).buffer), // dense [8,2], uint16
  ...new Uint8Array(Float32Array.of(0.25, -100).buffer), // offset
  ...new Uint8Array(Int32Array.of(-1, 8).buffer), // shape
]);
const weights = [
  { name: "kernel", shape: [1, 1, 1, 2], dtype: "float32" },
  { name: "bias", shape: [2], dtype: "float32", quantization: { dtype: "uint8", scale: 0.005, min: 0.5 } },
  { name: "alpha", shape: [2], dtype: "float32", quantization: { dtype: "float16" } },
  { name: "dense", shape: [8, 2], dtype: "float32", quantization: { dtype: "uint16", scale: 0.5, min: -1 } },
  { name: "offset", shape: [2], dtype: "float32" },
  { name: "shape", shape: [2], dtype: "int32" },
];
const model = {
  format: "graph-model",
  modelTopology: { node: nodes, versions: { producer: 987 } },
  signature: { inputs: { image: { name: "x:0", dtype: "DT_FLOAT" } }, outputs: { score: { name: "out:0" } } },
  weightsManifest: [{ paths: ["a.bin", "b.bin"], weights }],
};

function written(change: object = {}, bytes: Uint8Array = content): string {
  const path = join(folder, "model.json");
  writeFileSync(path, JSON.stringify({ ...model, ...change }));
  writeFileSync(join(folder, "a.bin"), bytes.subarray(0, 7));
  writeFileSync(join(folder, "b.bin"), bytes.subarray(7));
  return path;
}

/** The same by hand. */
function expected(x: readonly number[]): number[] {
  const bias = [0.5, 1.775];
  const conv = x.flatMap(v => [v + bias[0], -2 * v + bias[1]].map((y, c) => (y > 0 ? y : y * [0.5, 0.25][c])));
  return [0.25, -100].map((offset, j) => Math.max(0, offset + conv.reduce((sum, y, i) => sum + y * ((2 * i + j) * 0.5 - 1), 0)));
}

describe("loadTfjsGraphModel", () => {
  it("computes with dequantized weights and fused nodes", async () => {
    const graph = new tf.Graph();
    const { inputs, outputs } = await loadTfjsGraphModel(written(), { graph });
    const session = new tf.Session({ graph });
    const x = [1, -2, 0.5, 3];
    const value = (await session.run(
      outputs.score,
      [[inputs.image, x.map(v => v)]].map(
        ([t, v]) => [t, new NDArray("float32", [1, 2, 2, 1], Float32Array.from(v as number[]))] as [tf.Tensor, NDArray],
      ),
    )) as NDArray;
    expected(x).forEach((y, i) => void expect(value.get(i)).toBeCloseTo(y, 4));
    await session.close();
  });

  it("goes on training from an inner tensor", async () => {
    const graph = new tf.Graph();
    const loaded = await loadTfjsGraphModel(written(), { graph, name: "base" });
    const { train, loss, init } = graph.asDefault(() => {
      const features = loaded.tensor("flat");
      const y = tf.layers.dense(features, 1);
      const error = tf.reduceMean(tf.square(tf.subtract(y, tf.constant([[1], [-1]]))));
      return { train: new tf.train.AdamOptimizer(0.05).minimize(error), loss: error, init: tf.globalVariablesInitializer() };
    });
    const session = new tf.Session({ graph });
    await session.run(init);
    const feeds: [tf.Tensor, NDArray][] = [
      [loaded.inputs.image, new NDArray("float32", [2, 2, 2, 1], Float32Array.of(1, 2, 3, 4, 4, 3, 2, 1))],
    ];
    const [before] = [Number(((await session.run(loss, feeds)) as NDArray).get(0))];
    for (let i = 0; i < 60; i++) await session.run(train, feeds);
    expect(Number(((await session.run(loss, feeds)) as NDArray).get(0))).toBeLessThan(before / 5);
    await session.close();
  });

  it.each<[string, object, Uint8Array | undefined, string]>([
    ["layers models", { format: "layers-model" }, undefined, "is a layers model of Keras, not a graph."],
    ["weights that are cut off", {}, content.subarray(0, 30), "a.bin, b.bin: the weight 'dense' needs 32 bytes at offset 14, 16 are left."],
    ["weights that are left over", {}, new Uint8Array(content.length + 3), "3 bytes are left over after the last weight."],
    ["missing constants", { weightsManifest: [] }, undefined, "model.json: the constant 'kernel' has no weights."],
    ["paths that lead outside", { weightsManifest: [{ paths: ["../a.bin"], weights }] }, undefined, "'../a.bin' lies outside"],
    ["files of another kind", { modelTopology: undefined }, undefined, "has no modelTopology"],
  ])("refuses %s", async (_, change, bytes, message) => {
    await expect(loadTfjsGraphModel(written(change, bytes), { graph: new tf.Graph() })).rejects.toThrow(message);
  });
});
