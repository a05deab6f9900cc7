// Three steps of each optimizer against TensorFlow 2.21 (gradients-and-optimizers.md, section 3), for both kinds of variables, and the names
// of what minimize makes. Sparse updates and longer runs: the golden families `optimizers` and `programs`.

import { describe, expect, test } from "vitest";
import { Graph } from "../../graph/graph.ts";
import type { Operation } from "../../graph/operation.ts";
import { constant } from "../../ops/array/array.ts";
import { add, mul } from "../../ops/operators.ts";
import { square } from "../../ops/math/functions.ts";
import { reduceSum } from "../../ops/math/reduction.ts";
import { gather } from "../../ops/array/gather.ts";
import { Session } from "../../session/session.ts";
import { globalVariablesInitializer } from "../variables/variable-lists.ts";
import { variableScope } from "../variables/variable-scope.ts";
import { nameScope } from "../variables/scopes.ts";
import { Variable } from "../variables/variables.ts";
import { AdadeltaOptimizer } from "./adadelta.ts";
import { AdagradOptimizer } from "./adagrad.ts";
import { AdagradDAOptimizer } from "./adagrad-da.ts";
import { AdamOptimizer } from "./adam.ts";
import { FtrlOptimizer } from "./ftrl.ts";
import { getOrCreateGlobalStep } from "./global-step.ts";
import { GradientDescentOptimizer } from "./gradient-descent.ts";
import { MomentumOptimizer } from "./momentum.ts";
import type { Optimizer } from "./optimizer.ts";
import { ProximalAdagradOptimizer, ProximalGradientDescentOptimizer } from "./proximal.ts";
import { RMSPropOptimizer } from "./rmsprop.ts";

const inGraph = <R>(body: (graph: Graph) => R): R => new Graph().asDefault(body);

const after3: [name: string, make: () => Optimizer, w: number[]][] = [
  ["GradientDescent", () => new GradientDescentOptimizer(0.1), [0.512, -0.432, 0.032]],
  ["Momentum", () => new MomentumOptimizer(0.1, 0.9), [0.062, 1.08, -0.427]],
  ["Nesterov", () => new MomentumOptimizer(0.1, 0.9, { useNesterov: true }), [-0.108352, 0.866592, -0.152032]],
  ["Adagrad", () => new AdagradOptimizer(0.1), [0.782299, -1.775941, 0.291674]],
  [
    "AdagradDA",
    () => new AdagradDAOptimizer(0.1, getOrCreateGlobalStep(), { l1RegularizationStrength: 0.01, l2RegularizationStrength: 0.02 }),
    [-0.078063, 0.089562, -0.061329],
  ],
  ["Adadelta", () => new AdadeltaOptimizer(0.1), [0.999864, -1.999864, 0.499864]],
  ["RMSProp", () => new RMSPropOptimizer(0.1, { momentum: 0.5 }), [0.387154, -1.026647, -0.092244]],
  ["centered RMSProp", () => new RMSPropOptimizer(0.1, { centered: true }), [0.55893, -1.282123, 0.075488]],
  ["Adam", () => new AdamOptimizer(0.1), [0.701587, -1.700624, 0.204872]],
  [
    "Ftrl",
    () => new FtrlOptimizer(0.1, { l1RegularizationStrength: 0.01, l2RegularizationStrength: 0.02 }),
    [0.636251, -1.698439, 0.247666],
  ],
  ["Ftrl with shrinkage", () => new FtrlOptimizer(0.1, { l2ShrinkageRegularizationStrength: 0.03 }), [0.632071, -1.696146, 0.246477]],
  [
    "ProximalGradientDescent",
    () => new ProximalGradientDescentOptimizer(0.1, { l1RegularizationStrength: 0.2, l2RegularizationStrength: 0.1 }),
    [0.449032, -0.380741, 0.000309],
  ],
  [
    "ProximalAdagrad",
    () => new ProximalAdagradOptimizer(0.1, { l1RegularizationStrength: 0.01, l2RegularizationStrength: 0.02 }),
    [0.779265, -1.774602, 0.290421],
  ],
];

describe.each([false, true])("resource variables: %s", useResource => {
  test.each(after3)("%s", async (_, make, expected) => {
    const graph = new Graph();
    const { train, w } = graph.asDefault(() => {
      const w = new Variable([1, -2, 0.5], { name: "w", useResource });
      const b = new Variable(1, { name: "b", useResource });
      const loss = add(reduceSum(mul(square(w), constant([1, 2, 3]))), square(b));
      const optimizer = make();
      const globalStep = optimizer instanceof AdagradDAOptimizer ? getOrCreateGlobalStep() : null;
      return { w, train: optimizer.minimize(loss, globalStep) };
    });
    const session = new Session({ graph });
    await session.run(graph.asDefault(() => globalVariablesInitializer()));
    for (let i = 0; i < 3; i++) await session.run(train);
    const value = await session.run(w);
    for (const [i, x] of expected.entries()) expect(Number(value.get(i))).toBeCloseTo(x, 5);
    await session.close();
  });
});

describe("sparse gradients", () => {
  const rows: [name: string, make: () => Optimizer, v: number[]][] = [
    ["GradientDescent", () => new GradientDescentOptimizer(0.1), [0.2, 2, 2.6]],
    ["Momentum", () => new MomentumOptimizer(0.1, 0.9), [-0.16, 2, 2.42]],
    ["Adagrad", () => new AdagradOptimizer(0.1), [0.829711, 2, 2.830954]],
    ["Adam", () => new AdamOptimizer(0.1), [0.8, 2, 2.8]],
    ["RMSProp", () => new RMSPropOptimizer(0.1), [0.543159, 2, 2.664971]],
    ["Ftrl", () => new FtrlOptimizer(0.1), [0.7509, 2, 2.362433]],
  ];
  test.each(rows)("%s touches only the rows it is given", async (_, make, expected) => {
    const graph = new Graph();
    const { train, v } = graph.asDefault(() => {
      const v = new Variable([1, 2, 3], { name: "v" });
      const loss = reduceSum(mul(gather(v, constant([0, 2, 0], "int32")), constant([1, 2, 3])));
      return { v, train: make().minimize(loss) };
    });
    const session = new Session({ graph });
    await session.run(graph.asDefault(() => globalVariablesInitializer()));
    for (let i = 0; i < 2; i++) await session.run(train);
    const value = await session.run(v);
    for (const [i, x] of expected.entries()) expect(Number(value.get(i))).toBeCloseTo(x, 5);
    await session.close();
  });
});

describe("minimize", () => {
  const lossOf = (w: Variable) => reduceSum(square(w));
  const names = (ops: readonly Operation[]): string[] => ops.map(({ name }) => name);

  test("names slots and powers as TensorFlow", () => {
    inGraph(graph => {
      const [a, b] = ["a", "b"].map(name => new Variable([1], { name }));
      const before = graph.version;
      const optimizer = new AdamOptimizer();
      const train = nameScope("train", () => optimizer.minimize(add(lossOf(a), lossOf(b))));
      const held = graph
        .getOperations()
        .slice(before)
        .filter(({ type }) => type === "VariableV2");
      expect(names(held)).toEqual(["train/beta1_power", "train/beta2_power", "a/Adam", "a/Adam_1", "b/Adam", "b/Adam_1"]);
      expect(train.name).toBe("train/Adam");
      expect(names(train.controlInputs)).toEqual([
        "train/Adam/update_a/ApplyAdam",
        "train/Adam/update_b/ApplyAdam",
        "train/Adam/Assign",
        "train/Adam/Assign_1",
      ]);
      expect(optimizer.getSlotNames()).toEqual(["m", "v"]);
      expect(optimizer.getSlot(a, "v")?.name).toBe("a/Adam_1:0");
      expect(graph.getCollection("train_op")).toEqual([train]);
    });
  });

  test("prefixes slots by the variable scope", () => {
    inGraph(() => {
      const w = new Variable([1], { name: "w" });
      const optimizer = new MomentumOptimizer(0.1, 0.9);
      variableScope("s", () => optimizer.minimize(lossOf(w)));
      expect(optimizer.getSlot(w, "momentum")?.name).toBe("s/w/Momentum:0");
    });
  });

  test("counts a global step after the updates", () => {
    inGraph(() => {
      const w = new Variable([1], { name: "w" });
      const step = new Variable(0, { name: "step", trainable: false });
      const train = new GradientDescentOptimizer(0.1).minimize(lossOf(w), step);
      expect([train.name, train.type]).toEqual(["GradientDescent", "AssignAdd"]);
      expect(names(train.controlInputs)).toEqual([]);
      expect(names(train.inputs[1].op.controlInputs)).toEqual(["GradientDescent/update"]);
    });
  });

  test("applies a variable's constraint after its update", () => {
    inGraph(() => {
      const w = new Variable([1], { name: "w", constraint: value => mul(value, 0.5) });
      const train = new GradientDescentOptimizer(0.1).minimize(lossOf(w));
      expect(names(train.controlInputs)).toEqual(["GradientDescent/update_w/Assign"]);
    });
  });

  test("refuses what cannot be trained, in TensorFlow's words", () => {
    inGraph(() => {
      const w = new Variable([1], { name: "w" });
      const optimizer = new GradientDescentOptimizer(0.1);
      expect(() => optimizer.minimize(constant([1, 2], "int32"))).toThrow(
        "Invalid type tf.int32 for Const:0, expected: [tf.float32, tf.float64, tf.float16, tf.bfloat16].",
      );
      expect(() => optimizer.minimize(lossOf(w), { varList: [] })).toThrow("No variables to optimize.");
      expect(() => optimizer.applyGradients([])).toThrow("No variables provided.");
      expect(() => optimizer.applyGradients([[null, w]])).toThrow(
        `No gradients provided for any variable: ["<tf.Variable 'w:0' shape=(1,) dtype=float32_ref>"].`,
      );
      expect(() => optimizer.minimize(constant(1), { varList: w })).toThrow(
        "No gradients provided for any variable, check your graph for ops that do not support gradients, between variables",
      );
      expect(() => optimizer.minimize(lossOf(w), { gateGradients: 7 as never })).toThrow(
        "gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH.  Not 7",
      );
    });
  });
});
