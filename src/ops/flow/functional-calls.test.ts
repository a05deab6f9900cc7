// Calls of functions where edges of order meet what is fed.

import { expect, test } from "vitest";
import { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { TensorShape } from "../../base/shape.ts";
import * as tf from "../../index.ts";
import { addFunction, traceBody } from "../data/dataset-functions.ts";
import { AssignAddVariableOp } from "../state/state.ts";
import { If, PartitionedCall, While } from "./functional-calls.ts";

test("what waits for a fed placeholder waits for nothing, beside calls too", async () => {
  using _graph = new tf.Graph().asDefault();
  const x = tf.placeholder(tf.float32, []);
  const doubled = tf.function((value: tf.Tensor) => value.mul(2))(x) as tf.Tensor;
  const after = tf.controlDependencies([x], () => tf.add(doubled, 1));
  await using session = new tf.Session();
  expect((await session.run(after, [[x, 3]])).item()).toBe(7);
});

test("a loop's variable that stays the same is there after the effects that it waits for", async () => {
  using _graph = new tf.Graph().asDefault();
  const count = tf.getVariable("count", [], { initializer: tf.zerosInitializer(), useResource: true });
  const handle = count.handle as Tensor;
  const args = [tf.constant(0, "int32"), tf.constant(7), handle];
  const functionOf = (name: string, build: (vars: Tensor[]) => Tensor[]) => {
    const body = traceBody(
      new Graph(),
      args.map(({ dtype }) => ({ dtype, shape: new TensorShape([]) })),
      build,
    );
    return addFunction("", name, { ...body, effects: [] });
  };
  const [, same] = While({
    input: args,
    T: args.map(({ dtype }) => dtype),
    cond: functionOf("goes_on", ([i]) => [tf.less(i, tf.constant(3, "int32"))]),
    body: functionOf("step", ([i, a, v]) => {
      const add = AssignAddVariableOp({ resource: v, value: tf.constant(1), dtype: "float32" });
      return [i.add(1), tf.controlDependencies([add], () => tf.identity(a)), v];
    }),
    outputShapes: args.map(({ shape }) => shape),
  }) as readonly Tensor[];
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  expect((await session.run(same)).item()).toBe(7);
  expect((await session.run(count)).item()).toBe(3);
});

test("what only passes by a loop is there after the effects that its body names", async () => {
  using _graph = new tf.Graph().asDefault();
  const count = tf.getVariable("count", [], { initializer: tf.zerosInitializer(), useResource: true });
  const args = [tf.constant(0, "int32"), tf.constant(7), count.handle as Tensor];
  const types = args.map(({ dtype }) => ({ dtype, shape: new TensorShape([]) }));
  const named: tf.Operation[] = [];
  const goesOn = traceBody(new Graph(), types, ([i]) => [tf.less(i, tf.constant(3, "int32"))]);
  const step = traceBody(new Graph(), types, ([i, a, v]) => {
    named.push(AssignAddVariableOp({ resource: v, value: tf.constant(1), dtype: "float32" }));
    return [i.add(1), a, v];
  });
  const [, passing] = While({
    input: args,
    T: args.map(({ dtype }) => dtype),
    cond: addFunction("", "goes_on_by", { ...goesOn, effects: [] }),
    body: addFunction("", "step_by", { ...step, effects: named, named }),
    outputShapes: args.map(({ shape }) => shape),
  }) as readonly Tensor[];
  const read = tf.identity(passing);
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  expect((await session.run(read)).item()).toBe(7);
  expect((await session.run(count)).item()).toBe(3);
});

test("who fetches one result of a call fetches all that the call reads", async () => {
  using _graph = new tf.Graph().asDefault();
  const count = tf.getVariable("count", [], { initializer: tf.zerosInitializer(), useResource: true });
  const body = traceBody(
    new Graph(),
    ["a", "b"].map(() => ({ dtype: "float32", shape: new TensorShape([]) })),
    ([a, b]) => [a.add(1), b],
  );
  const args = [tf.constant(4), tf.assignAdd(count, 1) as Tensor];
  const types = { Tin: ["float32", "float32"], Tout: ["float32", "float32"] } as const;
  const [first] = PartitionedCall({ args, ...types, f: addFunction("", "both", { ...body, effects: [] }) }) as readonly Tensor[];
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  expect((await session.run(first)).item()).toBe(5);
  expect((await session.run(count)).item()).toBe(1);
  expect((await session.run(tf.identity(first))).item()).toBe(5);
  expect((await session.run(count)).item()).toBe(1);
});

test("a branch has the effects that its function names, and no others", async () => {
  using _graph = new tf.Graph().asDefault();
  const count = tf.getVariable("count", [], { initializer: tf.zerosInitializer(), useResource: true });
  const handle = count.handle as Tensor;
  const branchOf = (name: string, isNamed: boolean) => {
    const effects: tf.Operation[] = [];
    const body = traceBody(new Graph(), [{ dtype: "resource", shape: new TensorShape([]) }], ([v]) => {
      effects.push(AssignAddVariableOp({ resource: v, value: tf.constant(1), dtype: "float32" }));
      return [tf.constant(5)];
    });
    return addFunction("", name, { ...body, effects, named: isNamed ? effects : [] });
  };
  const isNamed = tf.placeholder("bool", []);
  const [chosen] = If({
    cond: isNamed,
    input: [handle],
    Tcond: "bool",
    Tin: ["resource"],
    Tout: ["float32"],
    thenBranch: branchOf("named", true),
    elseBranch: branchOf("unnamed", false),
  }) as readonly Tensor[];
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  for (const [named, counted] of [
    [false, 0],
    [true, 1],
  ] as const) {
    expect((await session.run(chosen, [[isNamed, named]])).item()).toBe(5);
    expect((await session.run(count)).item()).toBe(counted);
  }
});
