// Arrays of older graphs give what today's give: a graph is built with these, its nodes are renamed, and both are run.

import * as tf from "tensorloom";
import { describe, expect, it, test } from "vitest";
import { createMessage } from "../../formats/message-codec.ts";

/** The graph with arrays whose handles are strings (V2), or references to strings (""). */
function inOlderWords(graph: tf.Graph, version: "V2" | ""): tf.Graph {
  const { node } = graph.asGraphDef();
  const arrays = new Set(node.filter(({ op }) => /^TensorArray(?:Grad)?V3$/.test(op)).map(({ name }) => name));
  const isHandle = (input: string): boolean => arrays.has(input);
  const zero = graph.asDefault(() => tf.constant(0, { name: "noFlow" })).op.name;
  const renamed = node.map(given => {
    const isEnter = given.op === "Enter" && isHandle(given.input[0]);
    const attr = new Map(given.attr);
    attr.delete("identical_element_shapes");
    if (isEnter) attr.set("T", { ...(attr.get("T") as tf.AttrValue), type: "DT_STRING" });
    const flowOf = (input: string): string => (input.endsWith(":1") && isHandle(input.slice(0, -2)) ? zero : input);
    const op = isEnter && version === "" ? "RefEnter" : given.op.replace(/^(TensorArray\w*)V3$/, `$1${version}`);
    return { ...given, op, attr, input: given.input.map(flowOf) };
  });
  const flow = graph.asGraphDef().node.filter(({ name }) => name === zero);
  const message = createMessage("GraphDef", { node: [...flow, ...renamed], versions: { producer: version === "V2" ? 25 : 15 } });
  const older = new tf.Graph();
  older.asDefault(() => tf.importGraphDef(message, { name: "" }));
  return older;
}

async function values(graph: tf.Graph, names: readonly string[], feeds: Readonly<Record<string, number>>): Promise<unknown[]> {
  await using session = new tf.Session({ graph });
  const results = await session.run(
    names.map(name => graph.getTensorByName(name)),
    { feedDict: feeds },
  );
  return results.map(result => (result as tf.NDArray).toArray());
}

interface Case {
  readonly name: string;
  readonly build: () => readonly tf.Tensor[];
  readonly feeds?: Readonly<Record<string, number>>;
}

const graphs: readonly Case[] = [
  {
    name: "single elements, all, and some",
    build: () => {
      const array = new tf.TensorArray("float32", 3, { clearAfterRead: false }).write(0, [1, 2]).write(1, [3, 4]).write(2, [5, 6]);
      return [
        array.read(1),
        array.stack(),
        array.gather([2, 0]),
        array.concat(),
        tf.rawOps.TensorArraySizeV3({ handle: array.handle, flowIn: array.flow }),
      ];
    },
  },
  {
    name: "parts of several sizes",
    build: () => {
      const array = new tf.TensorArray("float32", 2, { clearAfterRead: false, inferShape: false }).split([1, 2, 3], [1, 2]);
      return [array.read(1), array.concat()];
    },
  },
  {
    name: "gradients, two for one element",
    build: () => {
      const x = tf.constant([
        [1, 2],
        [3, 4],
      ]);
      const array = new tf.TensorArray("float32", 2, { clearAfterRead: false }).unstack(x);
      const y = tf.add(tf.multiply(array.read(1), 3), tf.multiply(array.read(1), array.read(0)));
      return [y, tf.gradients(y, x)[0] as tf.Tensor];
    },
  },
  {
    name: "a loop, and its gradient",
    build: () => {
      const x = tf.constant([1, 2, 3]);
      const given = new tf.TensorArray("float32", 3, { clearAfterRead: false }).unstack(x);
      const [, out] = tf.whileLoop(
        (i: tf.Tensor) => tf.less(i, 3),
        (i: tf.Tensor, array: tf.TensorArray) => [tf.add(i, 1), array.write(i, tf.square(given.read(i)))],
        [tf.constant(0, "int32"), new tf.TensorArray("float32", 3)],
      );
      const y = (out as tf.TensorArray).stack();
      return [y, tf.gradients(y, x)[0] as tf.Tensor];
    },
  },
  {
    name: "a loop that makes an array grow at places that are only known while it runs",
    build: () => {
      const n = tf.placeholder("int32", { shape: [], name: "n" });
      const [, out] = tf.whileLoop(
        (i: tf.Tensor) => tf.less(i, n),
        (i: tf.Tensor, array: tf.TensorArray) => [tf.add(i, 1), array.write(i, tf.cast(i, "float32"))],
        [tf.constant(0, "int32"), new tf.TensorArray("float32", 0, { dynamicSize: true })],
      );
      return [(out as tf.TensorArray).stack()];
    },
    feeds: { "n:0": 4 },
  },
];

describe.each(["V2", ""] as const)("TensorArray%s", version => {
  test.each(graphs)("$name", async ({ build, feeds = {} }) => {
    const graph = new tf.Graph();
    const names = graph.asDefault(build).map(({ name }) => name);
    const now = await values(graph, names, feeds);
    expect(await values(inOlderWords(graph, version), names, feeds)).toEqual(now);
  });

  it("has a handle that is no result of a run", async () => {
    const graph = new tf.Graph();
    const { name } = graph.asDefault(() => new tf.TensorArray("float32", 2).handle);
    for (const given of [graph, inOlderWords(graph, version)])
      await expect(values(given, [name], {})).rejects.toThrow(
        `Tensor ${name} stands for an object that lives for one run: it cannot be fetched.`,
      );
  });
});

describe("TensorArrayGradWithShape", () => {
  type Array = { handle: tf.Tensor; flow: tf.Tensor };
  const { rawOps } = tf;
  const gradient = ({ handle, flow }: Array, shapeToPrepend: tf.TensorLike): Array => {
    const made = rawOps.TensorArrayGradWithShape({ handle, flowIn: flow, shapeToPrepend, source: "gradients" });
    return { handle: made.gradHandle, flow: made.flowOut };
  };
  const array = (elementShape: readonly (number | null)[] | null, size = 2): Array =>
    rawOps.TensorArrayV3({ size, dtype: "float32", elementShape: new tf.TensorShape(elementShape && [...elementShape]) });
  const write = ({ handle, flow }: Array, value: tf.TensorLike, index = 1): Array => ({
    handle,
    flow: rawOps.TensorArrayWriteV3({ handle, index, value: tf.convertToTensor(value, { dtype: "float32" }), flowIn: flow }),
  });
  const read = ({ handle, flow }: Array, index = 1): tf.Tensor =>
    rawOps.TensorArrayReadV3({ handle, index, flowIn: flow, dtype: "float32" });
  const run = async (build: () => tf.Tensor): Promise<unknown> => {
    const graph = new tf.Graph();
    const y = graph.asDefault(build);
    return (await values(graph, [y.name], {}))[0];
  };
  const six = [
    [0, 1],
    [2, 3],
    [4, 5],
  ];

  it("has more dimensions, and adds", async () => {
    const zeros = six.map(() => [0, 0]);
    expect(await run(() => read(gradient(write(array([2]), [1, 2]), [3])))).toEqual(zeros);
    expect(await run(() => read(gradient(write(array(null), [1, 2]), [3])))).toEqual(zeros);
    expect(await run(() => read(write(write(gradient(write(array(null), [1, 2]), [3]), six), six)))).toEqual(
      six.map(row => row.map(x => 2 * x)),
    );
    expect(await run(() => read(write(gradient(array([2]), [3]), six)))).toEqual(six);
    expect(await run(() => read(gradient(array([2, 1]), [])))).toEqual([[0], [0]]);
  });

  it("knows how many dimensions there are before the others", () => {
    const shape = (elementShape: readonly (number | null)[] | null): unknown =>
      new tf.Graph().asDefault(() => read(gradient(array(elementShape), [3, 4])).shape.dims);
    expect(shape([2])).toEqual([null, null, 2]);
    expect(shape([null])).toBeNull();
    expect(shape(null)).toBeNull();
  });

  it("refuses what is no shape", async () => {
    await expect(run(() => read(gradient(array([1]), 2)))).rejects.toThrow("shape must be a vector of {int32,int64}, got shape []");
    await expect(run(() => read(gradient(array([1]), [-1])))).rejects.toThrow("Dimension -1 must be >= 0");
    await expect(run(() => read(write(gradient(array([1]), [3]), [[1], [1]])))).rejects.toThrow(/the value shape is \[2,1\]/);
  });
});
