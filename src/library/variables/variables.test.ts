// Variables and scopes: names, orders and texts as TensorFlow's (graph-and-scopes.md); the golden programs of test/parity cover the rest.

import * as tf from "tensorloom";
import { describe, expect, test } from "vitest";
import type { Message } from "../../formats/messages.ts";
import { Graph } from "../../graph/graph.ts";
import { identity } from "../../ops/array/array.ts";
import { constantInitializer, zerosInitializer } from "./initializers.ts";
import { nameScope } from "./scopes.ts";
import { globalVariables, globalVariablesInitializer, trainableVariables } from "./variable-lists.ts";
import {
  AUTO_REUSE,
  type CustomGetter,
  getLocalVariable,
  getVariable,
  getVariableScope,
  makeTemplate,
  variableScope,
} from "./variable-scope.ts";
import { assign, Variable } from "./variables.ts";

const inGraph = <R>(body: (graph: Graph) => R): R => new Graph().asDefault(body);
const namesOf = (graph: Graph): string[] => graph.getOperations().map(({ name }) => name);

test("assertVariablesInitialized makes the nodes of TensorFlow, which read", () => {
  const graph = new tf.Graph();
  graph.asDefault(() =>
    tf.assertVariablesInitialized([new tf.Variable(1, { name: "v" }), tf.getVariable("r", { shape: [2], useResource: true })]),
  );
  const inputs = graph
    .getOperations()
    .filter(({ type }) => type === "Rank")
    .map(({ inputs: [read] }) => read.op.type);
  expect(inputs).toEqual(["Identity", "ReadVariableOp"]);
});

test.each<[string, (v: Variable) => tf.Fetches | null]>([
  ["a rank", v => tf.assertVariablesInitialized([v])],
  ["ranks", () => tf.assertVariablesInitialized()],
  ["the operation alone", v => (tf.assertVariablesInitialized([v]) as tf.Tensor).op],
  ["a shape", v => tf.rawOps.Shape({ input: v })],
  ["zeros", v => tf.rawOps.ZerosLike({ x: v })],
  ["a read", v => tf.convertToTensor(v).op],
])("a run fails that reads an empty variable for %s", async (_, fetched) => {
  const graph = new tf.Graph();
  using scope = graph.asDefault();
  void scope;
  const fetch = fetched(new tf.Variable([1], { name: "v" })) as tf.Fetches;
  const session = new tf.Session({ graph });
  await expect(session.run(fetch)).rejects.toThrow(/^Attempting to use uninitialized value v\n/);
  await session.run(tf.globalVariablesInitializer());
  await session.run(fetch);
});

describe("Variable", () => {
  test("prints as TensorFlow's notes do", () => {
    inGraph(() => {
      const printed = nameScope("ns1", () => {
        const v1 = new Variable([1], { name: "v" });
        const v2 = getVariable("v", [2, 3]);
        const v3 = new Variable([1], { name: "v" });
        return [v1, v2, v3].map(String);
      });
      expect(printed).toEqual([
        "<tf.Variable 'ns1/v:0' shape=(1,) dtype=float32_ref>",
        "<tf.Variable 'v:0' shape=(2, 3) dtype=float32_ref>",
        "<tf.Variable 'ns1/v_1:0' shape=(1,) dtype=float32_ref>",
      ]);
    });
  });

  test("makes the nodes of a ref variable in order", () => {
    inGraph(graph => {
      const v = new Variable([1, 2], { name: "v" });
      expect(namesOf(graph)).toEqual(["v/initial_value", "v", "v/Assign", "v/read"]);
      expect(v.initializer.colocation).toEqual(["loc:@v"]);
      expect(v.value().name).toBe("v/read:0");
      expect(v.value()).toBe(v.value());
    });
  });

  test("makes the nodes of a resource variable in order", () => {
    inGraph(graph => {
      const v = new Variable([1, 2], { name: "v", useResource: true });
      expect(namesOf(graph)).toEqual([
        "v/Initializer/initial_value",
        "v",
        "v/IsInitialized/VarIsInitializedOp",
        "v/Assign",
        "v/Read/ReadVariableOp",
      ]);
      expect(String(v)).toBe("<tf.Variable 'v:0' shape=(2,) dtype=float32>");
      expect(v.value()).not.toBe(v.value());
      expect(() => v.assign([1, 2, 3])).toThrow(
        "Cannot assign value to variable ' v:0': Shape mismatch.The variable shape (2,), and the assigned value shape (3,) are incompatible.",
      );
      const assigned = v.assign([3, 4]) as Variable;
      expect(String(assigned)).toBe("<tf.Variable 'AssignVariableOp' shape=(2,) dtype=float32>");
      expect(assigned.value().op.controlInputs.map(({ name }) => name)).toEqual(["AssignVariableOp"]);
    });
  });

  test("takes no control inputs from around it", () => {
    inGraph(graph => {
      const a = identity([1], { name: "a" });
      graph.controlDependencies([a], () => void new Variable(() => [1], { name: "v" }));
      for (const op of graph.getOperations()) expect(op.controlInputs).toEqual([]);
    });
  });

  test("guards initial values that read other variables", () => {
    inGraph(graph => {
      const v = new Variable([1], { name: "v" });
      const doubled = identity(v, { name: "twice" });
      new Variable(doubled, { name: "w" });
      const initial = graph.getOperationByName("w/Assign").inputs[1];
      expect(initial.op.name).toBe("twice_w");
      expect(namesOf(graph)).toContain("w/cond/Merge");
    });
  });

  test("refuses what cannot be initialized", () => {
    inGraph(() => {
      expect(() => new Variable(undefined)).toThrow("initial_value must be specified.");
      expect(() => new Variable([1], { collections: "abc" as never })).toThrow(
        "collections argument to Variable constructor must be a list, tuple, or set. Got abc of type <class 'str'>",
      );
      const v = new Variable([1], { name: "v" });
      expect(() => assign(v, [1, 2])).toThrow("Dimension 0 in both shapes must be equal, but are 1 and 2. Shapes are [1] and [2].");
    });
  });
});

describe("getVariable", () => {
  test("ignores name scopes, and keys by the exact name", () => {
    inGraph(() => {
      new Variable([1], { name: "raw" });
      expect(getVariable("raw", [1]).name).toBe("raw_1:0");
      expect(getVariable("m/n", [1]).name).toBe("m/n:0");
      expect(getVariable("M/n", [1]).name).toBe("M/n_1:0");
    });
  });

  test("reuses only as its scope says", () => {
    inGraph(() => {
      expect(() => variableScope("s", { reuse: true }, () => getVariable("v", [1]))).toThrow(
        "Variable s/v does not exist, or was not created with tf.get_variable(). Did you mean to set reuse=tf.AUTO_REUSE in VarScope?",
      );
      const v = variableScope("s", () => getVariable("v", [2]));
      expect(variableScope("s", { reuse: AUTO_REUSE }, () => getVariable("v", [2]))).toBe(v);
      expect(() => variableScope("s", () => getVariable("v", [2]))).toThrow("Variable s/v already exists, disallowed.");
      variableScope("s", { reuse: true }, () => {
        expect(() => getVariable("v", [3])).toThrow("Trying to share variable s/v, but specified shape (3,) and found shape (2,).");
        expect(() => getVariable("v", [2], { dtype: "int32" })).toThrow(
          "Trying to share variable s/v, but specified dtype int32 and found dtype float32_ref.",
        );
      });
    });
  });

  test("calls custom getters from the inside out", () => {
    inGraph(() => {
      const calls: string[] = [];
      const noting =
        (who: string, suffix: string): CustomGetter =>
        (getter, name, options) => {
          calls.push(`${who} ${name}`);
          return getter(name + suffix, options);
        };
      const inner = () => variableScope("b", { customGetter: noting("inner", "_i") }, () => getVariable("v", [1]));
      const v = variableScope("a", { customGetter: noting("outer", "_o") }, inner);
      expect(calls).toEqual(["inner a/b/v", "outer a/b/v_i"]);
      expect(v.name).toBe("a/b/v_i_o:0");
    });
  });

  test("adds regularization losses once", () => {
    inGraph(graph => {
      const regularizer = (value: Parameters<typeof identity>[0]) => identity(value, { name: "penalty" });
      for (let i = 0; i < 2; i++) variableScope("s", { reuse: AUTO_REUSE, regularizer }, () => getVariable("v", [1]));
      expect(graph.getCollection("regularization_losses").map(({ name }) => name)).toEqual(["s/v/Regularizer/penalty:0"]);
      // TensorFlow 2.21 first tries whether there is a loss.
      expect(graph.getOperations().flatMap(({ name }) => (name.endsWith("penalty") ? [name] : []))).toEqual([
        "penalty",
        "s/v/Regularizer/penalty",
      ]);
    });
  });

  test("lists local variables apart", () => {
    inGraph(graph => {
      getLocalVariable("l", [1]);
      getVariable("g", [1], { initializer: constantInitializer(0.5), trainable: false });
      expect(globalVariables().map(({ name }) => name)).toEqual(["g:0"]);
      expect(trainableVariables()).toEqual([]);
      expect(graph.getCollection("local_variables").map(({ name }) => name)).toEqual(["l:0"]);
    });
  });
});

describe("variableScope", () => {
  test("keeps names apart from name scopes", () => {
    inGraph(() => {
      const opened = [1, 2, 3].map(() => variableScope("a", scope => [scope.name, scope.originalNameScope]));
      expect(opened).toEqual([
        ["a", "a/"],
        ["a", "a_1/"],
        ["a", "a_2/"],
      ]);
      expect(variableScope(null, { defaultName: "a" }, scope => scope.name)).toBe("a_1");
    });
  });

  test("counts default names anew when a scope is entered again", () => {
    inGraph(() => {
      const twice = (): string[] => [1, 2].map(() => variableScope(null, { defaultName: "d" }, scope => scope.name));
      expect(variableScope("outer", twice)).toEqual(["outer/d", "outer/d_1"]);
      expect(variableScope("outer", { reuse: AUTO_REUSE }, twice)).toEqual(["outer/d", "outer/d_1"]);
    });
  });

  test("inherits reuse from strings, not from objects", () => {
    inGraph(() => {
      const plain = variableScope("p", scope => scope);
      variableScope("r", { reuse: true }, () => {
        expect(variableScope("x", { reuse: false }, scope => scope.reuse)).toBe(true);
        expect(variableScope("x", { reuse: AUTO_REUSE }, scope => scope.reuse)).toBe(AUTO_REUSE);
        expect(variableScope(plain, scope => [scope.name, scope.reuse])).toEqual(["p", false]);
      });
    });
  });

  test("works by using", () => {
    inGraph(graph => {
      {
        using scope = variableScope("a");
        expect(getVariableScope()).toBe(scope);
        expect(graph.getNameScope()).toBe("a");
      }
      expect(getVariableScope().name).toBe("");
      expect(graph.getNameScope()).toBe("");
    });
  });

  test("makeTemplate shares the variables of its first call", () => {
    inGraph(graph => {
      const template = makeTemplate("tmpl", () => identity(getVariable("tv", [1], { initializer: zerosInitializer() })));
      expect([template().name, template().name]).toEqual(["tmpl/Identity:0", "tmpl_1/Identity:0"]);
      expect(globalVariables().map(({ name }) => name)).toEqual(["tmpl/tv:0"]);
      expect(globalVariablesInitializer().controlInputs.map(({ name }) => name)).toEqual(["tmpl/tv/Assign"]);
      expect(namesOf(graph)).toContain("init");
    });
  });
});

test("the initializer of a VariableDef may be named by what it gives, as checkpoints that are initial values leave it", () => {
  inGraph(() => {
    const kept = getVariable("kept", [2], { initializer: zerosInitializer() });
    const message = kept.toProto() as Message<"VariableDef">;
    expect(Variable.fromProto({ ...message, initializerName: "kept/Assign:0" }).initializer).toBe(kept.initializer);
  });
});
