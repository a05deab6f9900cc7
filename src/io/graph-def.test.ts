// Import's rules and messages (those of TensorFlow's importer, recorded in spec/session.md and fixtures), and that export and import are inverse.
import { describe, expect, it } from "vitest";
import { NDArray } from "../base/ndarray.ts";
import type { TensorShape } from "../base/shape.ts";
import { messageFromJson, messageToBytes, messageToJson } from "../formats/message-codec.ts";
import { Const } from "../graph/conversion.ts";
import { Graph } from "../graph/graph.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { AddV2 } from "../ops/math/math.ts";
import { exportGraphDef, importGraphDef, type ImportGraphDefOptions } from "./graph-def.ts";

type Json = Record<string, unknown>;
const float = { type: "DT_FLOAT" };
const x: Json = { name: "x", op: "Placeholder", attr: { dtype: float, shape: { shape: { dim: [{ size: "2" }, { size: "-1" }] } } } };
const node = (name: string, op: string, input: string[], attr: Json = { T: float }): Json => ({ name, op, input, attr });

function imported(
  nodes: Json[],
  options: ImportGraphDefOptions = {},
  rest: Json = {},
): { graph: Graph; elements: (Operation | Tensor)[] | null } {
  const graph = new Graph();
  return { graph, elements: graph.asDefault(() => importGraphDef({ node: nodes, ...rest }, options)) };
}
const namesOf = (graph: Graph): string[] => graph.getOperations().map(op => op.name);

describe("importGraphDef", () => {
  it("names the node and the output whose written shape contradicts", () => {
    const shapes = { list: { shape: [{ dim: [{ size: "3" }, { size: "-1" }] }] } };
    expect(() => imported([{ ...x, attr: { ...(x.attr as Json), _output_shapes: shapes } }])).toThrow(
      "Node 'import/x' has an _output_shapes attribute inconsistent with the GraphDef for output #0: Dimension 0 in both shapes must be equal, but are 2 and 3. Shapes are [2,?] and [3,?].",
    );
  });

  it("takes a Buffer of Node's, whose slices are no copies", () => {
    const values = [1.5, -2.5, 3.5];
    const graph = new Graph();
    graph.asDefault(() => Const({ value: NDArray.from(values, "float32"), dtype: "float32" }, { name: "c" }));
    const buffer = Buffer.concat([messageToBytes("GraphDef", exportGraphDef(graph))]);
    const again = new Graph();
    again.asDefault(() => importGraphDef(buffer, { name: "" }));
    buffer.fill(0);
    expect((again.getOperationByName("c").attrs.value as NDArray).toArray()).toEqual(values);
  });

  it("refuses what is no graph, text too: messageFromText reads that", () => {
    for (const given of ["abc", 3, null, []])
      expect(() => importGraphDef(given as object)).toThrow(/^Argument `graph_def` must be a GraphDef proto\.\n\n/);
  });

  it("prefixes names with import, import_1, a given name or nothing", () => {
    const graph = new Graph();
    graph.asDefault(() => {
      importGraphDef({ node: [x] });
      importGraphDef({ node: [x] });
      importGraphDef({ node: [x] }, { name: "mine" });
      importGraphDef({ node: [x] }, { name: "" });
      importGraphDef({ node: [x] }, { name: "" });
      graph.nameScope("outer", () => importGraphDef({ node: [x, { ...x, name: "X" }] }, { name: "in" }));
    });
    expect(namesOf(graph)).toEqual(["import/x", "import_1/x", "mine/x", "x", "x_1", "outer/in/x", "outer/in/X"]);
    expect(graph.uniqueName("x")).toBe("x_2");
  });

  it("orders nodes by what they read, fills defaults, keeps devices, control inputs and colocation", () => {
    const nodes = [
      node("y", "Neg", ["a", "^x"]),
      { ...node("a", "Abs", ["x"], { T: float, _class: { list: { s: [btoa("loc:@x")] } }, _note: { i: "7" } }), device: "/job:ps" },
      x,
      node("s", "Sum", ["y", "d"]),
      node("d", "Const", [], intConst([0])),
    ];
    const { graph } = imported(nodes);
    const [first, abs, neg] = graph.getOperations();
    expect(namesOf(graph)).toEqual(["import/x", "import/a", "import/y", "import/d", "import/s"]);
    expect([abs.colocation, abs.attrs._note, neg.controlInputs]).toEqual([["loc:@import/x"], 7, [first]]);
    expect(graph.getOperationByName("import/s").attrs).toMatchObject({ keepDims: false, Tidx: "int32" });
    expect(abs.outputs[0].shape.dims).toEqual([2, null]);
  });

  it("takes inputs from the input map and returns elements by their names in the GraphDef", () => {
    const graph = new Graph();
    graph.asDefault(() => {
      const other = Const({ value: NDArray.full("float32", [2, 3], 1), dtype: "float32" }, { name: "other" });
      const nodes = [x, node("y", "Neg", ["x"])];
      const [y, op, mapped] = importGraphDef({ node: nodes }, { inputMap: { x: other }, returnElements: ["y:0", "y", "x:0"] });
      expect([(y as Tensor).name, (y as Tensor).shape.dims, (op as Operation).type, mapped]).toEqual(["import/y:0", [2, 3], "Neg", other]);
    });
  });

  it("closes while loops", () => {
    const frame = { T: float, frame_name: { s: btoa("f") } };
    const nodes = [
      x,
      node("enter", "Enter", ["x"], { ...frame, is_constant: { b: false }, parallel_iterations: { i: "10" } }),
      node("merge", "Merge", ["enter", "next"], { T: float, N: { i: "2" } }),
      node("next", "NextIteration", ["merge"]),
    ];
    const { graph } = imported(nodes, { name: "" });
    const merge = graph.getOperationByName("merge");
    expect(merge.inputs.map(({ name }) => name)).toEqual(["enter:0", "next:0"]);
    expect(merge.outputs[0].shape.dims).toBeNull();
  });

  it("tells a scalar placeholder from an unknown one by the producer's version", () => {
    const scalar = node("p", "Placeholder", [], { dtype: float, shape: { shape: {} } });
    const shapeUnder = (producer: number): TensorShape =>
      imported([scalar], { name: "" }, { versions: { producer } }).graph.getTensorByName("p:0").shape;
    expect([shapeUnder(23).dims, shapeUnder(24).dims]).toEqual([null, []]);
  });

  it("drops unknown attributes at the producer's default", () => {
    const nodes = [x, node("y", "Neg", ["x"], { T: float, newer: { b: true } })];
    const producerOpList = { op: [{ name: "Neg", attr: [{ name: "newer", type: "bool", defaultValue: { b: true } }] }] };
    expect(() => imported(nodes)).toThrow("NodeDef mentions attr 'newer' not in Op<name=Neg; signature=x:T -> y:T; attr=T:type,allowed=[");
    expect(imported(nodes, { producerOpList }).graph.getOperations()).toHaveLength(2);
  });

  it.each<[string, Json[], ImportGraphDefOptions, Json, string]>([
    ["double names", [x, x], {}, {}, "Node 'x' is not unique"],
    ["missing inputs", [node("probs", "Softmax", ["not_there"])], {}, {}, "Node 'probs': Unknown input node 'not_there'"],
    [
      "outputs that are not there",
      [x, node("y", "Neg", ["x:3"])],
      {},
      {},
      "Node 'y': Connecting to invalid output 3 of source node import/x which has 1 outputs.",
    ],
    [
      "missing attributes",
      [x, node("probs", "Softmax", ["x"], {})],
      {},
      {},
      "NodeDef missing attr 'T' from Op<name=Softmax; signature=logits:T -> softmax:T; attr=T:type,allowed=[DT_HALF, DT_BFLOAT16, DT_FLOAT, DT_DOUBLE]>; NodeDef: {{node probs}}",
    ],
    [
      "wrong types",
      [x, node("y", "Neg", ["x"], { T: { type: "DT_INT32" } })],
      {},
      {},
      "Input 0 of node import/y was passed float from import/x:0 incompatible with expected int32.",
    ],
    [
      "wrong counts",
      [x, node("y", "Neg", ["x", "x"])],
      {},
      {},
      "NodeDef expected inputs 'float' do not match 2 inputs specified; Op<name=Neg;",
    ],
    ["cycles", [node("a", "Neg", ["b"]), node("b", "Neg", ["a"])], {}, {}, "A cycle in the graph goes through 'a' and 'b'."],
    ["unused input maps", [x], { inputMap: { "zz:0": 1 } }, {}, "Attempted to map inputs that were not found in graph_def: [zz:0]"],
    ["unknown return tensors", [x], { returnElements: ["zz:0"] }, {}, "Requested return tensor 'zz:0' not found in graph def"],
    ["unknown return nodes", [x], { returnElements: ["zz"] }, {}, "Requested return node 'zz' not found in graph def"],
    [
      "graphs of a later TensorFlow",
      [x],
      {},
      { versions: { min_consumer: 99999 } },
      "GraphDef min consumer version 99999 above current version 2474 for TensorFlow 2.21.0.  Please upgrade TensorFlow.",
    ],
    [
      "wrong attribute kinds",
      [x, node("y", "Neg", ["x"], { T: { i: "1" } })],
      {},
      {},
      "AttrValue had value with type 'int' when 'type' expected",
    ],
    [
      "shapes that do not fit",
      [x, node("y", "Transpose", ["x", "p"], { T: float, Tperm: { type: "DT_INT32" } }), node("p", "Const", [], intConst([0, 1, 2]))],
      {},
      {},
      "Dimension must be",
    ],
  ])("refuses %s in TensorFlow's words", (_, nodes, options, rest, message) => {
    expect(() => imported(nodes, options, rest)).toThrow(message);
  });

  it.each([
    ["CudnnRNNV3", "cuDNN's recurrent network"],
    ["TPUReplicateMetadata", "part of a program for TPUs"],
    ["XlaLaunch", "part of a program that XLA compiles"],
    ["_XlaRun", "part of a program that XLA compiles"],
    ["NcclAllReduce", "an exchange between GPUs"],
    ["CollectivePermute", "an exchange among workers"],
    ["_MklConv2D", "put in by TensorFlow itself"],
    ["BoostedTreesPredict", "gradient boosted trees"],
    ["LMDBDataset", "reads a database"],
  ])("says of %s what it is and what to do", (type, reason) => {
    expect(() => imported([x, node("a", type, ["x"])])).toThrow(`${type} (1 node, ${reason}`);
  });

  it("reports all unknown ops at once, with counts", () => {
    const nodes = [x, node("a", "Nope", ["x"]), node("b", "Nope", ["x"]), node("c", "XlaLaunch", ["x"])];
    expect(() => imported(nodes)).toThrow(
      /^Op type not registered 'Nope' in binary running on .*\n\nMissing in all: Nope \(2 nodes\), XlaLaunch \(1 node, part of a program/,
    );
  });
});

describe("exportGraphDef", () => {
  it("writes what import reads, to the same bytes", () => {
    const graph = new Graph();
    graph.asDefault(() => {
      const a = Const({ value: NDArray.from([1, 2.5], "float32"), dtype: "float32" }, { name: "a" });
      graph.device("/job:ps/task:1", () => graph.controlDependencies([a], () => AddV2({ x: a, y: 1 }, { name: "sum" })));
      graph.colocateWith(a.op, undefined, () => AddV2({ x: a, y: a }, { name: "beside" }));
      importGraphDef({
        node: [{ ...x, attr: { ...(x.attr as Json), _tag: { list: { f: [1, 2] } } } }],
        library: { function: [{ signature: { name: "g" } }] },
      });
    });
    const message = exportGraphDef(graph);
    const again = new Graph();
    again.asDefault(() => importGraphDef(messageToBytes("GraphDef", message), { name: "" }));
    expect(messageToJson("GraphDef", exportGraphDef(again))).toEqual(messageToJson("GraphDef", message));
    expect(message.node.map(({ name, input }) => [name, ...input])).toEqual([
      ["a"],
      ["sum/y", "^a"],
      ["sum", "a", "sum/y"],
      ["beside", "a", "a"],
      ["import/x"],
    ]);
    expect(message.node[2].device).toBe("/job:ps/task:1");
    expect(message.node[4].attr.get("_tag")?.list?.f).toEqual([1, 2]);
    expect(message.versions?.producer).toBe(2474);
  });

  it("writes tensors as TensorFlow does: one element in its field, more as raw content", () => {
    const graph = new Graph();
    const tensors = graph.asDefault(() =>
      [
        NDArray.from(3, "int32"),
        NDArray.from([1, 2], "int64"),
        NDArray.from([true, false], "bool"),
        NDArray.from(["a", ""], "string"),
        NDArray.from(1.5, "float16"),
      ].map(value => Const({ value, dtype: value.dtype })),
    );
    const values = exportGraphDef(graph).node.map(({ attr }) => messageToJson("AttrValue", attr.get("value") ?? {}).tensor);
    expect(tensors).toHaveLength(5);
    expect(values).toEqual([
      { dtype: "DT_INT32", tensor_shape: {}, int_val: [3] },
      { dtype: "DT_INT64", tensor_shape: { dim: [{ size: "2" }] }, tensor_content: "AQAAAAAAAAACAAAAAAAAAA==" },
      { dtype: "DT_BOOL", tensor_shape: { dim: [{ size: "2" }] }, bool_val: [true, false] },
      { dtype: "DT_STRING", tensor_shape: { dim: [{ size: "2" }] }, string_val: ["YQ==", ""] },
      { dtype: "DT_HALF", tensor_shape: {}, half_val: [0x3e00] },
    ]);
    expect(messageFromJson("TensorProto", values[4]).halfVal).toEqual([15872]);
  });
});

function intConst(values: number[]): Json {
  return {
    dtype: { type: "DT_INT32" },
    value: { tensor: { dtype: "DT_INT32", tensor_shape: { dim: [{ size: String(values.length) }] }, int_val: values } },
  };
}
