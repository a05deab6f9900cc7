// Ops that only graphs of older versions hold: refused by name where a graph is built, and run as TensorFlow 2.21 runs them when such a graph is read.
import { describe, expect, it, test } from "vitest";
import { encodeText } from "../base/ndarray.ts";
import { createMessage } from "../formats/message-codec.ts";
import type { MessageInit } from "../formats/messages.ts";
import * as tf from "../index.ts";

type Attr = MessageInit<"AttrValue">;
type Node = readonly [name: string, op: string, inputs: readonly (string | tf.NDArray)[], attrs: Readonly<Record<string, Attr>>];

/** A graph of an old version: arrays among the inputs become constants. */
function olderGraph(nodes: readonly Node[], producer: number): tf.Graph {
  const constants = new tf.Graph();
  const named = nodes.map(([name, op, inputs, attr]) => ({
    name,
    op,
    input: inputs.map((given, i) => {
      if (typeof given === "string") return given;
      return constants.asDefault(() => tf.constant(given, { name: `${name}_${i}` })).op.name;
    }),
    attr: new Map(Object.entries(attr)),
  }));
  const message = createMessage("GraphDef", { node: [...constants.asGraphDef().node, ...named], versions: { producer } });
  const graph = new tf.Graph();
  graph.asDefault(() => tf.importGraphDef(message, { name: "" }));
  return graph;
}

const float: Record<string, Attr> = { T: { type: "DT_FLOAT" } };

async function result(node: Node, producer = 1): Promise<unknown> {
  const graph = olderGraph([node], producer);
  await using session = new tf.Session({ graph });
  return (await session.run(graph.getTensorByName(`${node[0]}:0`))).toArray();
}

const image = tf.NDArray.from(
  Array.from({ length: 60 }, (_, i) => i),
  "float32",
  [5, 6, 2],
);
const size = (...sides: number[]): tf.NDArray => tf.NDArray.from(sides.map(BigInt), "int64");
const crop = (seed: number, sides: tf.NDArray, seed2 = 9): Node => [
  "y",
  "RandomCrop",
  [image, sides],
  { ...float, seed: { i: BigInt(seed) }, seed2: { i: BigInt(seed2) } },
];

describe("RandomCrop", () => {
  test.each([
    [1, 44],
    [2, 14],
    [3, 4],
    [4, 32],
    [5, 16],
  ])("seed %i", async (seed, first) => {
    const row = [0, 2].map(x => [x, x + 1].map(k => first + k));
    expect(await result(crop(seed, size(2, 2)))).toEqual([row, row.map(pixel => pixel.map(x => x + 12))]);
  });

  test("goes on from run to run", async () => {
    const graph = olderGraph([crop(3, size(1, 1), 4)], 5);
    const y = graph.getTensorByName("y:0");
    expect(y.shape.toString()).toBe("(1, 1, 2)");
    await using session = new tf.Session({ graph });
    const drawn: unknown[] = [];
    for (let i = 0; i < 8; i++) drawn.push((await session.run(y)).get(0));
    expect(drawn).toEqual([6, 2, 30, 40, 34, 22, 16, 58]);
  });

  test("errors", async () => {
    await expect(result(crop(1, size(6, 6)))).rejects.toThrow(/^height must be >= target_height: height = 5, target_height = 6/);
    await expect(result(crop(1, size(2)))).rejects.toThrow(
      /^Dimension 0 in both shapes must be equal, but are 1 and 2\. Shapes are \[1\] and \[2\]\./,
    );
  });
});

test("AdjustContrast", async () => {
  const scalar = (x: number): tf.NDArray => tf.NDArray.from(x, "float32", []);
  const corner = tf.NDArray.from(
    [
      [
        [0, 1],
        [2, 3],
      ],
      [
        [12, 13],
        [14, 15],
      ],
    ],
    "uint8",
  );
  const contrast = (factor: number, low: number, high: number): Node => [
    "y",
    "AdjustContrast",
    [corner, scalar(factor), scalar(low), scalar(high)],
    { T: { type: "DT_UINT8" } },
  ];
  expect(await result(contrast(0.5, -1e9, 1e9))).toEqual([
    [
      [3.5, 4.5],
      [4.5, 5.5],
    ],
    [
      [9.5, 10.5],
      [10.5, 11.5],
    ],
  ]);
  expect(await result(contrast(3, 10, 5))).toEqual([
    [
      [10, 10],
      [10, 10],
    ],
    [
      [10, 10],
      [10, 10],
    ],
  ]);
  await expect(result(contrast(3, 10, 5), 3)).rejects.toThrow(
    /^Op AdjustContrast is not available in GraphDef version 3\. It has been removed in version 2\. Use AdjustContrastv2 instead\.$/,
  );
});

describe("gradients of Conv3D", () => {
  const numbers = (n: number, ...shape: number[]): tf.NDArray =>
    tf.NDArray.from(
      Array.from({ length: n }, (_, i) => i),
      "float32",
      shape,
    );
  const x = numbers(8, 1, 2, 2, 2, 1);
  const two = tf.NDArray.full("float32", [1, 1, 1, 1, 1], 2);
  const ones = (length: number): { list: { i: bigint[] } } => ({ list: { i: Array<bigint>(length).fill(1n) } });
  const of = (kind: "Input" | "Filter", input = x, outBackprop = x): Node => [
    "y",
    `Conv3DBackprop${kind}`,
    [input, two, outBackprop],
    { ...float, padding: { s: encodeText("SAME") }, strides: ones(5), dilations: ones(5) },
  ];

  it("is what the newer ops give", async () => {
    expect(((await result(of("Input"))) as number[]).flat(4)).toEqual([0, 2, 4, 6, 8, 10, 12, 14]);
    expect(await result(of("Filter"))).toEqual([[[[[140]]]]]);
  });

  it("refuses what does not fit", async () => {
    const half = numbers(4, 1, 1, 2, 2, 1);
    const text = (kind: string): RegExp =>
      new RegExp(
        `^Conv3DBackprop${kind}Op: Size of out_backprop doesn't match computed: actual = 1, computed = 2 spatial_dim: 1 input: 2 filter: 1 output: 1 stride: 1 dilation: 1`,
      );
    await expect(result(of("Input", x, half))).rejects.toThrow(text("Input"));
    await expect(result(of("Filter", x, half))).rejects.toThrow(text("Filter"));
    await expect(result(of("Filter", numbers(8, 2, 2, 2, 1)))).rejects.toThrow(/^input tensor must have 5 dimensions/);
    await expect(result(of("Input", numbers(8, 2, 2, 2, 1)))).rejects.toThrow(/^Shape must be rank 5 but is rank 4/);
  });
});

describe("TensorArrays by reference", () => {
  const number = (x: number): tf.NDArray => tf.NDArray.from(x, "int32", []);
  const flow = tf.NDArray.from(0, "float32", []);
  const array = (count: number, isDynamic = false): Node => [
    "a",
    "TensorArray",
    [number(count)],
    { dtype: { type: "DT_FLOAT" }, dynamic_size: { b: isDynamic }, clear_after_read: { b: false } },
  ];
  const unpacked = (rows: tf.NDArray): Node => ["u", "TensorArrayUnpack", ["a", rows, flow], float];
  const rowsOf = (...shape: number[]): tf.NDArray => tf.NDArray.from([...Array(shape.reduce((n, m) => n * m, 1)).keys()], "float32", shape);
  const size: Node = ["y", "TensorArraySize", ["a", "u"], {}];
  const packed: Node = ["y", "TensorArrayPack", ["a", "u"], { dtype: { type: "DT_FLOAT" } }];
  const read: Node = ["y", "TensorArrayRead", ["a", number(1), "u"], { dtype: { type: "DT_FLOAT" } }];
  const run = async (...nodes: Node[]): Promise<unknown> => {
    const graph = olderGraph(nodes, 15);
    await using session = new tf.Session({ graph });
    return (await session.run(graph.getTensorByName("y:0"))).toArray();
  };

  it("takes rows and gives them back", async () => {
    expect(await run(array(2), unpacked(rowsOf(2, 2)), packed)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(await run(array(2), unpacked(rowsOf(2, 2)), read)).toEqual([2, 3]);
    expect(await run(array(2, true), unpacked(rowsOf(3, 1)), size)).toBe(3);
  });

  test.each([
    [false, [1, 2], "Input value must have first dimension equal to the array size (1 vs. 2)"],
    [true, [1, 2], "Input value must have first dimension equal to the array size (1 vs. 2)"],
    [false, [3, 2], "Input value must have first dimension equal to the array size (3 vs. 2)"],
    [false, [], "Input value for unpack must be at least a vector but received shape: []"],
  ])("dynamic %s, rows %j: an error", async (isDynamic, shape, text) => {
    await expect(run(array(2, isDynamic), unpacked(rowsOf(...shape)), size)).rejects.toThrow(text);
  });

  it("knows no shape before the run, and is gone since version 16", () => {
    expect(olderGraph([array(2)], 15).getTensorByName("a:0").shape.dims).toBeNull();
    expect(() => olderGraph([array(2)], 16)).toThrow(
      "Op TensorArray is not available in GraphDef version 16. It has been removed in version 16. Use TensorArrayV3.",
    );
  });
});

test("ops that were removed are not built", () => {
  const refused = (make: () => unknown): [string, string] => {
    try {
      make();
    } catch (error) {
      return [(error as Error).name, (error as Error).message];
    }
    return ["", ""];
  };
  expect(refused(() => tf.rawOps.RandomCrop({ image, size: [2, 2] }))).toEqual([
    "NotImplementedError",
    "Op RandomCrop is not available in GraphDef version 2474. It has been removed in version 8. Random crop is now pure Python.",
  ]);
  const gone = (type: string, version: number, text: string): [string, string] => [
    "NotImplementedError",
    `Op ${type} is not available in GraphDef version 2474. It has been removed in version ${version}. ${text}.`,
  ];
  const { rawOps } = tf;
  expect(refused(() => rawOps.AudioSummary({ tag: "a", tensor: [[1]], sampleRate: 1 }))).toEqual(
    gone("AudioSummary", 15, "Use AudioSummaryV2."),
  );
  expect(refused(() => rawOps.PlaceholderV2({ dtype: "float32", shape: new tf.TensorShape([1]) }))).toEqual(
    gone("PlaceholderV2", 23, "Placeholder now behaves the same as PlaceholderV2."),
  );
  expect(refused(() => rawOps.QuantizeAndDequantize({ input: [1] }))).toEqual(
    gone("QuantizeAndDequantize", 22, "Replaced by QuantizeAndDequantizeV2"),
  );
  expect(refused(() => rawOps.RandomPoisson({ shape: [1], rate: 1 }))).toEqual(gone("RandomPoisson", 25, "Replaced by RandomPoissonV2"));
  expect(refused(() => rawOps.TopK({ input: [1], k: 1 }))).toEqual(gone("TopK", 7, "Use TopKV2 instead"));
  expect(refused(() => rawOps.TensorArrayV2({ size: 1, dtype: "float32" }))).toEqual(gone("TensorArrayV2", 26, "Use TensorArrayV3"));
  expect(refused(() => rawOps.BatchCholesky({ input: [[[1]]] }))).toEqual([
    "NotImplementedError",
    "Op BatchCholesky is not available in GraphDef version 2474. It has been removed in version 13. Use Cholesky instead..",
  ]);
});
