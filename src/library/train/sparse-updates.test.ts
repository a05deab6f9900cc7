// Sparse updates with ids that are fed: every optimizer gives what it gives for constant ids (whose repeats are summed while compiling), and
// runs of other ids compile nothing.

import { expect, test, vi } from "vitest";
import type { NDArray } from "../../base/ndarray.ts";
import { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constant, placeholder } from "../../ops/array/array.ts";
import { gather } from "../../ops/array/gather.ts";
import { unique } from "../../ops/array/partition.ts";
import { square } from "../../ops/math/functions.ts";
import { reduceSum } from "../../ops/math/reduction.ts";
import { mul } from "../../ops/operators.ts";
import { Session } from "../../session/session.ts";
import { globalVariablesInitializer } from "../variables/variable-lists.ts";
import { Variable } from "../variables/variables.ts";
import { AdadeltaOptimizer } from "./adadelta.ts";
import { AdagradOptimizer } from "./adagrad.ts";
import { AdamOptimizer } from "./adam.ts";
import { FtrlOptimizer } from "./ftrl.ts";
import { GradientDescentOptimizer } from "./gradient-descent.ts";
import { MomentumOptimizer } from "./momentum.ts";
import type { Optimizer } from "./optimizer.ts";
import { ProximalAdagradOptimizer, ProximalGradientDescentOptimizer } from "./proximal.ts";
import { RMSPropOptimizer } from "./rmsprop.ts";

const makers: [name: string, make: () => Optimizer][] = [
  ["GradientDescent", () => new GradientDescentOptimizer(0.1)],
  ["Momentum", () => new MomentumOptimizer(0.1, 0.9)],
  ["Adam", () => new AdamOptimizer(0.1)],
  ["Adagrad", () => new AdagradOptimizer(0.1)],
  ["RMSProp", () => new RMSPropOptimizer(0.1)],
  ["centered RMSProp", () => new RMSPropOptimizer(0.1, { centered: true, momentum: 0.5 })],
  ["Adadelta", () => new AdadeltaOptimizer(0.1)],
  ["Ftrl", () => new FtrlOptimizer(0.1)],
  ["proximal gradient descent", () => new ProximalGradientDescentOptimizer(0.1)],
  ["proximal Adagrad", () => new ProximalAdagradOptimizer(0.1)],
];

const rows = 7;
const start = Array.from({ length: rows }, (_, i) => [i - 3, 0.5 * i]);
const batches = [
  [5, 0, 5, 5, 3, 0],
  [6, 6, 6, 6, 6, 6],
  [0, 1, 2, 3, 4, 5],
  [2, 1, 2, 1, 6, 0],
];

interface Training {
  readonly feed: readonly number[] | null;
  readonly useResource: boolean;
  readonly backend: "wasm" | "reference";
}

/** The table after a step for each batch, and the modules that were compiled after the first step. */
async function train(make: () => Optimizer, { feed, useResource, backend }: Training): Promise<{ table: NDArray; modules: number }> {
  const graph = new Graph();
  const built = graph.asDefault(() => {
    const table = new Variable(start, { dtype: "float32", name: "table", useResource });
    const ids = feed === null ? batches.map(batch => constant(batch, "int32")) : [placeholder("int32", [batches[0].length])];
    const optimizer = make();
    const steps = ids.map((batch: Tensor) => {
      const weights = constant([1, 2, 3, 4, 5, 6].map(w => [w]));
      return optimizer.minimize(reduceSum(mul(square(gather(table, batch)), weights)));
    });
    return { table, ids, steps, initialize: globalVariablesInitializer() };
  });
  const session = new Session({ graph, config: { backend } });
  await session.run(built.initialize);
  const compiling = vi.spyOn(WebAssembly, "compile");
  let first = 0;
  for (const [k, batch] of batches.entries()) {
    if (feed === null) await session.run(built.steps[k]);
    else await session.run(built.steps[0], [[built.ids[0], batch]]);
    if (k === 0) first = compiling.mock.calls.length;
  }
  const modules = compiling.mock.calls.length - first;
  compiling.mockRestore();
  const table = await session.run(built.table);
  await session.close();
  return { table, modules };
}

test.each(makers)("%s sums repeated rows that are fed", async (_, make) => {
  for (const useResource of [false, true]) {
    const { table: expected } = await train(make, { feed: null, useResource, backend: "reference" });
    const reference = await train(make, { feed: batches[0], useResource, backend: "reference" });
    const wasm = await train(make, { feed: batches[0], useResource, backend: "wasm" });
    for (let i = 0; i < expected.size; i++) {
      expect(Number(reference.table.get(i))).toBeCloseTo(Number(expected.get(i)), 5);
      expect(Number(wasm.table.get(i))).toBeCloseTo(Number(expected.get(i)), 5);
    }
    expect(wasm.modules).toBe(0);
  }
});

test("rows out of range are refused, those beyond the distinct ones are not looked at", async () => {
  const graph = new Graph();
  const { step, ids, table, initialize } = graph.asDefault(() => {
    const table = new Variable(start, { dtype: "float32", name: "table" });
    const ids = placeholder("int64", [3], { name: "ids" });
    const step = new AdagradOptimizer(0.1).minimize(reduceSum(gather(table, ids)));
    return { table, ids, step, initialize: globalVariablesInitializer() };
  });
  const session = new Session({ graph });
  await session.run(initialize);
  await expect(session.run(step, [[ids, [0, rows, 0]]])).rejects.toThrow(`Index ${rows} at offset 1 in indices is out of range`);
  await session.run(step, [[ids, [1, 1, 1]]]);
  const after = await session.run(table);
  expect(after.get(0)).toBe(start[0][0]);
  expect(after.get(2)).not.toBe(start[1][0]);
  await session.close();
});

test("what needs the number of distinct ids has it", async () => {
  const graph = new Graph();
  const { y, sum, ids } = graph.asDefault(() => {
    const ids = placeholder("int32", [5]);
    const { y } = unique(ids);
    return { ids, y, sum: reduceSum(mul(y, 2)) };
  });
  for (const backend of ["wasm", "reference"] as const) {
    const session = new Session({ graph, config: { backend } });
    const [distinct, twice] = await session.run([y, sum], [[ids, [4, 2, 4, 9, 2]]]);
    expect(distinct.toArray()).toEqual([4, 2, 9]);
    expect(twice.item()).toBe(30);
    await session.close();
  }
});
