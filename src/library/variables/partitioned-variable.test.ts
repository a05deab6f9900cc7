// Variables in parts: TensorFlow's nodes, errors and partitions; saved as slices of a whole that fits other partitions.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import { afterAll, describe, expect, it, test } from "vitest";
import type { AssignmentMap } from "../../io/saver-initialize.ts";
import { PartitionedVariable, type Partitioner } from "./partitioned-variable.ts";
import type { VariableInitializer } from "./variable-scope.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-parts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fixed = tf.fixedSizePartitioner;
const inGraph = <T>(body: () => T): { graph: tf.Graph; made: T } => {
  const graph = new tf.Graph();
  return { graph, made: graph.asDefault(body) };
};
const nodes = (graph: tf.Graph): string[] => graph.getOperations().map(({ name, type }) => `${name} ${type}`);
const range = (rows: number, columns: number): number[][] =>
  Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => i * columns + j));

test("the nodes are TensorFlow's", () => {
  const { graph, made } = inGraph(() => {
    const v = tf.getVariable("v", [5, 3], { partitioner: fixed(2), initializer: tf.zerosInitializer() });
    tf.convertToTensor(v);
    return v;
  });
  expect(nodes(graph)).toEqual([
    "v/part_0/Initializer/zeros Const",
    "v/part_0 VariableV2",
    "v/part_0/Assign Assign",
    "v/part_0/read Identity",
    "v/part_1/Initializer/zeros Const",
    "v/part_1 VariableV2",
    "v/part_1/Assign Assign",
    "v/part_1/read Identity",
    "v/ConcatPartitions/concat/axis Const",
    "v/ConcatPartitions/concat ConcatV2",
    "v Identity",
  ]);
  expect([...made].map(({ name, shape, saveSliceInfo }) => `${name} ${shape} ${saveSliceInfo?.spec}`)).toEqual([
    "v/part_0:0 (3, 3) 5 3 0,3:0,3",
    "v/part_1:0 (2, 3) 5 3 3,2:0,3",
  ]);
  expect([made.name, String(made.shape), made.dtype]).toEqual(["v", "(5, 3)", "float32"]);
});

test("scopes hand their partitioner on; regularizers and slots are the parts' own", () => {
  const { graph, made } = inGraph(() => {
    const options = { partitioner: fixed(2), regularizer: (value: tf.Tensor) => tf.reduceSum(value), initializer: tf.zerosInitializer() };
    const [v, s] = tf.variableScope("s", options, () => [tf.getVariable("v", [4]), tf.getVariable("s", [])]);
    const again = tf.variableScope("s", { reuse: true }, () => tf.getVariable("v"));
    new tf.train.AdamOptimizer().minimize(tf.reduceSum(v));
    return { v, s, again, saver: new tf.train.Saver() };
  });
  expect(made.again).toBe(made.v);
  expect(made.s).toBeInstanceOf(tf.Variable);
  expect(graph.getCollection("regularization_losses").map(loss => loss.name)).toEqual([
    "s/v/part_0/Regularizer/Sum:0",
    "s/v/part_1/Regularizer/Sum:0",
    "s/s/Regularizer/Sum:0",
  ]);
  const [names, slices] = graph
    .getOperationByName("save/SaveV2")
    .inputs.slice(1, 3)
    .map(({ op }) => (op.attrs.value as tf.NDArray).toArray() as string[]);
  expect(names.map((name, i) => `${name} ${slices[i]}`.trim())).toEqual([
    "beta1_power",
    "beta2_power",
    "s/s",
    "s/v 4 0,2",
    "s/v 4 2,2",
    "s/v/Adam 4 0,2",
    "s/v/Adam 4 2,2",
    "s/v/Adam_1 4 0,2",
    "s/v/Adam_1 4 2,2",
  ]);
  expect(graph.getOperations().map(({ name }) => name)).toContain("Adam/update_s/v/part_1/ApplyAdam");
});

describe.each([false, true])("resource variables: %s", useResource => {
  it("are read, set and looked up as a whole", async () => {
    const { graph, made } = inGraph(() => {
      const v = tf.getVariable("v", [5, 2], { initializer: range(5, 2), partitioner: fixed(3), useResource });
      const ids = tf.constant(
        [
          [4, 0],
          [2, 1],
        ],
        "int32",
      );
      return {
        init: tf.globalVariablesInitializer(),
        value: v.asTensor(),
        rows: tf.nn.embeddingLookup(v, ids, { partitionStrategy: "div" }),
        gradient: tf.gradients(tf.reduceSum(tf.square(tf.matmul(v, tf.ones([2, 1])))), v.parts.slice())[2] as tf.Tensor,
        add: tf.group(...v.assignAdd(tf.ones([5, 2]), { readValue: false })),
        set: v.assign(tf.zeros([5, 2])),
      };
    });
    const session = new tf.Session({ graph });
    await session.run(made.init);
    const [value, rows, gradient] = await session.run([made.value, made.rows, made.gradient]);
    expect(value.toArray()).toEqual(range(5, 2));
    expect(rows.toArray()).toEqual([
      [
        [8, 9],
        [0, 1],
      ],
      [
        [4, 5],
        [2, 3],
      ],
    ]);
    expect(gradient.toArray()).toEqual([[34, 34]]);
    await session.run(made.add);
    expect((await session.run(made.value)).toArray()).toEqual(range(5, 2).map(row => row.map(x => x + 1)));
    expect((await session.run(made.set)).map(part => part?.shape)).toEqual([
      [2, 2],
      [2, 2],
      [1, 2],
    ]);
    expect((await session.run(made.value)).toArray().flat()).toEqual(Array(10).fill(0));
    await session.close();
  });

  it("are restored in other partitions, and begin with a checkpoint's values", async () => {
    const path = join(folder, `model-${useResource}`);
    const build = (partitioner: Partitioner | null, initializer: VariableInitializer = tf.onesInitializer()) =>
      inGraph(() => {
        const v = tf.getVariable("s/v", [7, 4], { partitioner, useResource, initializer });
        return { v, value: tf.convertToTensor(v), init: tf.globalVariablesInitializer(), saver: new tf.train.Saver() };
      });
    const { graph, made } = build(fixed(3), range(7, 4));
    const session = new tf.Session({ graph });
    await session.run(made.init);
    await made.saver.save(session, path);
    await session.close();
    expect((await tf.train.loadVariable(path, "s/v")).toArray()).toEqual(range(7, 4));
    expect(await tf.train.listVariables(path)).toEqual([["s/v", [7, 4]]]);
    for (const partitioner of [null, fixed(2), fixed(4, { axis: 1 }), fixed(1), fixed(7)]) {
      const other = build(partitioner);
      const reader = new tf.Session({ graph: other.graph });
      await other.made.saver.restore(reader, path);
      expect((await reader.run(other.made.value)).toArray()).toEqual(range(7, 4));
      await reader.close();
      for (const map of maps(other.made.v)) {
        {
          using _scope = other.graph.asDefault();
          await tf.train.initFromCheckpoint(path, map);
        }
        const beginner = new tf.Session({ graph: other.graph });
        await beginner.run(other.graph.asDefault(() => tf.globalVariablesInitializer()));
        expect((await beginner.run(other.made.value)).toArray()).toEqual(range(7, 4));
        await beginner.close();
      }
    }
    const meta = join(folder, `model-${useResource}.meta`);
    const imported = new tf.Graph();
    const saver = (await tf.train.importMetaGraph(meta, { graph: imported })) as tf.train.Saver;
    const reader = new tf.Session({ graph: imported });
    await saver.restore(reader, path);
    expect(imported.getCollection("variables").map(variable => variable.saveSliceInfo?.spec)).toEqual([
      "7 4 0,3:0,4",
      "7 4 3,2:0,4",
      "7 4 5,2:0,4",
    ]);
    await reader.close();
  });
});

const maps = (variable: tf.Variable | PartitionedVariable): AssignmentMap[] => [{ "s/": "s/" }, { "s/v": "s/v" }, { "s/v": variable }];

test("initializers know of the whole", async () => {
  const { graph, made } = inGraph(
    () =>
      [
        tf.getVariable("v", [400, 4], {
          partitioner: fixed(8, { axis: 0 }),
          initializer: tf.varianceScalingInitializer({ mode: "fan_in", distribution: "uniform" }),
        }),
        tf.globalVariablesInitializer(),
      ] as const,
  );
  const session = new tf.Session({ graph });
  await session.run(made[1]);
  const largest = Math.max(...((await session.run(made[0].asTensor())).data as Float32Array));
  expect(largest).toBeLessThan(Math.sqrt(3 / 400));
  expect(largest).toBeGreaterThan(0.9 * Math.sqrt(3 / 400));
  await session.close();
});

test.each([
  ["randomNormalInitializer", tf.randomNormalInitializer, 0],
  ["constantInitializer", tf.constantInitializer, 0],
  ["zerosInitializer", tf.zerosInitializer, 0],
  ["onesInitializer", tf.onesInitializer, 1],
] as const)("%s stands for what it makes of nothing", async (_, initializer, mean) => {
  const { graph, made } = inGraph(() => tf.getVariable("v", [40, 3], { initializer }));
  const session = new tf.Session({ graph });
  await session.run(made.initializer);
  const values = (await session.run(made)).data as Float32Array;
  const sum = values.reduce((a, b) => a + b, 0);
  // With the shape taken for its first setting the mean would be 40 or 3.
  expect(Math.abs(sum / values.length - mean)).toBeLessThan(1);
  await session.close();
});

test("layers make variables in parts under such a scope", async () => {
  const { graph, made } = inGraph(() => {
    const x = tf.ones([2, 3]);
    const y = tf.variableScope("net", { partitioner: fixed(2) }, () => tf.layers.dense(x, 4, { kernelInitializer: tf.onesInitializer() }));
    return { y, init: tf.globalVariablesInitializer(), names: tf.globalVariables().map(({ name }) => name) };
  });
  expect(made.names).toEqual([
    "net/dense/kernel/part_0:0",
    "net/dense/kernel/part_1:0",
    "net/dense/bias/part_0:0",
    "net/dense/bias/part_1:0",
  ]);
  const session = new tf.Session({ graph });
  await session.run(made.init);
  expect((await session.run(made.y)).toArray()).toEqual([
    [3, 3, 3, 3],
    [3, 3, 3, 3],
  ]);
  await session.close();
});

test("cells of LSTMs cut their kernels", async () => {
  const { graph, made } = inGraph(() => {
    const cell = (options: object) => new tf.nn.rnnCell.LSTMCell(4, { numProj: 2, initializer: tf.onesInitializer(), ...options });
    const run = (name: string, options: object) =>
      tf.variableScope(name, () => tf.nn.dynamicRnn(cell(options), tf.ones([1, 3, 2]), { dtype: tf.float32 })[0]) as tf.Tensor;
    return { whole: run("a", {}), cut: run("b", { numUnitShards: 3, numProjShards: 2 }), init: tf.globalVariablesInitializer() };
  });
  const names = graph.getCollection("variables", "b/").map(({ name }) => name.replace("b/rnn/lstm_cell/", ""));
  expect(names).toEqual([
    "kernel/part_0:0",
    "kernel/part_1:0",
    "kernel/part_2:0",
    "bias:0",
    "projection/kernel/part_0:0",
    "projection/kernel/part_1:0",
  ]);
  const session = new tf.Session({ graph });
  await session.run(made.init);
  const [whole, cut] = await session.run([made.whole, made.cut]);
  expect(cut.toArray()).toEqual(whole.toArray());
  await session.close();
});

describe("errors are TensorFlow's", () => {
  const make = (shape: tf.ShapeLike, partitioner: Partitioner, name = "v") => tf.getVariable(name, shape, { partitioner });
  const reusing = (body: () => unknown) => () => {
    make([5, 3], fixed(2));
    tf.variableScope(tf.getVariableScope(), { reuse: true }, body);
  };
  it.each<[string, () => unknown]>([
    ["Shape of a new partitioned variable must be fully defined, but instead was (5, ?).", () => make([5, null], fixed(2))],
    ["Partitioner returned a partition list that does not match the Variable's rank: [2] vs. (5, 3)", () => make([5, 3], () => [2])],
    ["Can only slice a variable along one dimension: shape: (5, 3), partitioning: [2, 2]", () => make([5, 3], () => [2, 2])],
    ["Partitioner returned zero partitions for some axes: [0, 2]", () => make([5, 3], () => [0, 2])],
    [
      "A partitioner was provided, but an unpartitioned version of the variable was found: v.  Perhaps a variable of the same name was already created without partitioning?",
      () => [tf.getVariable("v", [5, 3]), make([5, 3], fixed(2))],
    ],
    [
      "No partitioner was provided, but a partitioned version of the variable was found: v/part_0. Perhaps a variable of the same name was already created with partitioning?",
      () => [make([5, 3], fixed(2)), tf.getVariable("v", [5, 3])],
    ],
    [
      "Partitioned variable with name v already exists. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?",
      () => [make([5, 3], fixed(2)), make([5, 3], fixed(2))],
    ],
    [
      "Trying to reuse partitioned variable v, but specified partitions [3, 1] and found partitions [2, 1].",
      reusing(() => make([5, 3], fixed(3))),
    ],
    ["Trying to reuse partitioned variable v, but specified shape (6, 3) and found shape (5, 3).", reusing(() => make([6, 3], fixed(2)))],
    [
      "PartitionedVariable w does not exist, or was not created with tf.get_variable(). Did you mean to set reuse=False or reuse=tf.AUTO_REUSE in VarScope?",
      reusing(() => make([5, 3], fixed(2), "w")),
    ],
  ])("%s", (text, body) => {
    expect(() => inGraph(body)).toThrow(text);
  });
});

// Recorded from TensorFlow.
test.each([
  [
    [100, 10],
    "float32",
    [
      [10, 1],
      [1, 10],
      [3, 1],
      [100, 1],
    ],
    [
      [1, 1],
      [5, 1],
      [1, 10],
    ],
  ],
  [
    [10, 100],
    "float64",
    [
      [10, 1],
      [1, 20],
      [3, 1],
      [10, 1],
    ],
    [
      [1, 1],
      [5, 1],
      [1, 20],
    ],
  ],
  [[7], "string", [[1], [1], [2], [7]], [[1], [2], [2]]],
  [
    [1000, 3],
    "int32",
    [
      [31, 1],
      [1, 3],
      [3, 1],
      [1000, 1],
    ],
    [
      [1, 1],
      [5, 1],
      [1, 3],
    ],
  ],
] as const)("partitions of %j %s", (dims, dtype, bySize, byCount) => {
  const axis = dims.length - 1;
  const sizes = [
    [400, {}],
    [400, { axis }],
    [64, { maxShards: 3 }],
    [1, {}],
  ] as const;
  const shape = new tf.TensorShape(dims);
  expect(sizes.map(([bytes, options]) => tf.variableAxisSizePartitioner(bytes, options)(shape, dtype))).toEqual(bySize);
  const counts = [{}, { maxPartitions: 5, minSliceSize: 100 }, { maxPartitions: 20, minSliceSize: 64, axis }];
  expect(counts.map(options => tf.minMaxVariablePartitioner(options)(shape, dtype))).toEqual(byCount);
});

test("a class of its own", () => {
  const { made } = inGraph(() => tf.getVariable("v", [4], { partitioner: fixed(2) }));
  expect(made).toBeInstanceOf(PartitionedVariable);
  expect(String(made)).toBe("<tf.PartitionedVariable 'v' shape=(4,) dtype=float32 in 2 parts>");
});
