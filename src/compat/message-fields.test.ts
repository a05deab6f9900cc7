// Messages in the way of Python's programs. What is expected of each was asked of TensorFlow 2.21.
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tf } from "../compat.ts";

describe("messages through the compat door", () => {
  it("are made with those that are declared inside of them", () => {
    const summary = tf.Summary({ value: [tf.Summary.Value({ tag: "loss", simple_value: 0.5 })] });
    expect(Array.from(summary.SerializeToString())).toEqual([10, 11, 10, 4, 108, 111, 115, 115, 21, 0, 0, 0, 63]);
    expect(summary.value[0].simple_value).toBe(0.5);
    expect(summary.value[0].HasField("simple_value")).toBe(true);
    expect(summary.value[0].WhichOneof("value")).toBe("simple_value");
  });

  it("grow by add, append and extend", () => {
    const summary = tf.Summary();
    summary.value.add({ tag: "a", simple_value: 1 });
    summary.value.extend([tf.Summary.Value({ tag: "b" }), tf.Summary.Value({ tag: "c" })]);
    summary.value.append(tf.Summary.Value({ tag: "d" }));
    expect(tf.Summary.FromString(summary.SerializeToString()).value.map(({ tag }) => tag)).toEqual(["a", "b", "c", "d"]);
  });

  it("are filled through fields that nobody has set, and only when something is put there", () => {
    const example = tf.train.Example();
    example.features.feature.x.int64_list.value.extend([1, 2]);
    example.features.feature.y.bytes_list.value.append("hi");
    expect(example.features.feature.z.float_list.value).toEqual([]);
    const read = tf.train.Example.FromString(example.SerializeToString());
    expect(read.features.feature.x.int64_list.value).toEqual([1n, 2n]);
    expect(read.features.feature.y.WhichOneof("kind")).toBe("bytes_list");
    expect([...read.features.feature.keys()]).toEqual(["x", "y"]);
    expect(tf.train.Example().features.feature.size).toBe(0);
    expect(tf.train.Example().ByteSize()).toBe(0);
  });

  it("keep of fields that exclude each other the last", () => {
    const feature = tf.train.Feature();
    feature.int64_list.value.append(1);
    feature.float_list.value.append(2);
    expect(feature.WhichOneof("kind")).toBe("float_list");
    expect(feature.int64_list.value).toEqual([]);
  });

  it("refuse what is no field, at any depth", () => {
    expect(() => tf.Summary({ valu: [] })).toThrow('Protocol message Summary has no "valu" field.');
    expect(() => tf.Summary({ value: [{ simple: 1 }] })).toThrow('has no "simple" field.');
  });

  it("make graphs node by node", () => {
    const graphDef = tf.GraphDef();
    graphDef.versions.CopyFrom(tf.get_default_graph().as_graph_def().versions);
    const node = graphDef.node.add({ name: "c", op: "Const" });
    node.attr.dtype.CopyFrom(tf.AttrValue({ type: 1 }));
    node.attr.value.CopyFrom(tf.AttrValue({ tensor: tf.make_tensor_proto([1, 2]) }));
    graphDef.node.extend([tf.NodeDef({ name: "d", op: "Identity", input: ["c"] })]);
    graphDef.node[1].attr.T.CopyFrom(tf.AttrValue({ type: 1 }));
    const d = tf.import_graph_def(graphDef, { name: "imported", return_elements: ["d:0"] })?.[0];
    const { node_def: written } = tf.get_default_graph().get_operation_by_name("imported/d");
    expect(String(d)).toBe('Tensor("imported/d:0", shape=(2,), dtype=float32)');
    expect(written.attr.T.type).toBe("DT_FLOAT");
  });

  it("tell their fields, and take in bytes", () => {
    const node = tf.NodeDef({ name: "n", op: "NoOp" });
    expect(node.ListFields().map(([field, value]) => [field.name, value])).toEqual([
      ["name", "n"],
      ["op", "NoOp"],
    ]);
    node.MergeFromString(tf.NodeDef({ device: "/cpu:0" }).SerializePartialToString());
    expect([node.name, node.device]).toEqual(["n", "/cpu:0"]);
    expect(tf.LogMessage.WARN).toBe(30);
  });

  it("are whole wherever they come from", async () => {
    const logdir = join(mkdtempSync(join(tmpdir(), "events-")), "log");
    const writer = tf.summary.FileWriter(logdir);
    writer.add_summary(tf.Summary({ value: [{ tag: "a", simple_value: 3 }] }), 4);
    await writer.close();
    const seen: unknown[] = [];
    for (const file of readdirSync(logdir))
      for await (const e of tf.train.summary_iterator(join(logdir, file)))
        seen.push([e.HasField("summary"), e.WhichOneof("what"), e.summary.value.map(v => [v.tag, v.simple_value, v.image.height])]);
    expect(seen).toEqual([
      [false, "file_version", []],
      [true, "summary", [["a", 3, 0]]],
    ]);
    const graph = tf.Graph();
    using _ = graph.as_default();
    const x = tf.placeholder(tf.float32, [null, 2], "x");
    const y = x.mul(tf.Variable([1, 2], { name: "v" }));
    expect(y.op.op_def.input_arg.map(arg => arg.type_attr)).toEqual(["T", "T"]);
    const signature = tf.saved_model.predict_signature_def({ x }, { y });
    expect([signature.method_name, signature.inputs.x.tensor_shape.dim.map(d => d.size)]).toEqual([
      "tensorflow/serving/predict",
      [-1n, 2n],
    ]);
    expect(tf.saved_model.build_tensor_info(y).HasField("tensor_shape")).toBe(true);
    const saver = tf.train.Saver([graph.get_collection("variables")[0]], { max_to_keep: 2 });
    expect([saver.as_saver_def()?.max_to_keep, saver.saver_def?.filename_tensor_name]).toEqual([2, "save/Const:0"]);
    const value = tf.AttrValue();
    expect([value.WhichOneof("value"), value.list.i, value.tensor.float_val]).toEqual([null, [], []]);
    value.list.i.append(3);
    expect([value.WhichOneof("value"), tf.AttrValue.FromString(value.SerializeToString()).list.i]).toEqual(["list", [3n]]);
  });
});
