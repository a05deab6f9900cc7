// A read of a ref variable is another name of its memory: who waits for an update of the variable sees the new value through an old read.

import { expect, it } from "vitest";
import { Graph } from "../graph/graph.ts";
import { globalVariablesInitializer } from "../library/variables/variable-lists.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { Tensor } from "../graph/operation.ts";
import { assign, assignAdd, Variable } from "../library/variables/variables.ts";
import { constant, zeros } from "../ops/array/array.ts";
import { cond, whileLoop } from "../ops/flow/control-flow-contexts.ts";
import { greater, less } from "../ops/math/comparison.ts";
import { square } from "../ops/math/functions.ts";
import { multiply } from "../ops/math/math.ts";
import { add } from "../ops/operators.ts";
import { Session } from "./session.ts";

it("gives what waits for an update the new value, and what does not the old one", async () => {
  const graph = new Graph();
  using _ = graph.asDefault();
  const v = new Variable(3, { dtype: "float32", name: "v" });
  const w = new Variable(10, { dtype: "float32", name: "w" });
  const before = square(v);
  const update = assign(v, add(before, 1));
  const [after, other] = graph.controlDependencies([update as never], () => [square(v), square(w)]);
  await using session = new Session({ graph });
  await session.run(globalVariablesInitializer());
  const values = await session.run([before, after, other]);
  expect(values.map(value => value.item())).toEqual([9, 100, 100]);
});

it("counts what is waited for through operands, as TensorFlow gives it: 5 + v, w · (w + 1), and a target that follows a trained weight", async () => {
  const graph = new Graph();
  using _ = graph.asDefault();
  const v = new Variable(1, { dtype: "float32", name: "v" });
  const w = new Variable([1, 1], { dtype: "float32", name: "w" });
  const sum = add(assign(v, 5) as never, v);
  const product = multiply(assignAdd(w, [1, 1]) as never, w);
  const [weight, target] = [new Variable(4, { dtype: "float32", name: "m" }), new Variable(0, { dtype: "float32", name: "t" })];
  const train = assign(weight, multiply(weight, 0.5));
  // The multiplication waits for the training through its constant alone.
  const follow = graph.controlDependencies([train as never], () => assign(target, multiply(0.1, weight)));
  await using session = new Session({ graph });
  await session.run(globalVariablesInitializer());
  expect(((await session.run(sum)) as NDArray).toArray()).toEqual(10);
  expect(((await session.run(product)) as NDArray).toArray()).toEqual([4, 4]);
  expect(((await session.run(follow as never)) as NDArray).toArray()).toBeCloseTo(0.2, 6);
});

it("keeps what is fed in place of a read, behind an update too", async () => {
  const graph = new Graph();
  using _ = graph.asDefault();
  const v = new Variable(1, { dtype: "float32", name: "v" });
  const read = v.value();
  const update = assign(v, 5);
  const after = graph.controlDependencies([update as never], () => add(read, 0));
  await using session = new Session({ graph });
  await session.run(globalVariablesInitializer());
  expect((await session.run([after, add(update, read)], [[read, 100]])).map(value => value.item())).toEqual([100, 105]);
});

it("in branches and loops too, as TensorFlow gives it", async () => {
  const graph = new Graph();
  using _ = graph.asDefault();
  const v = new Variable([0.5, 0.5], { name: "v" });
  const w = new Variable(1, { dtype: "float32", name: "w" });
  const after = (update: unknown, body: () => Tensor): Tensor => graph.controlDependencies([update as never], body);
  const [, looped] = whileLoop(
    (i: Tensor) => less(i, 3),
    (i: Tensor, sum: Tensor) => [add(i, 1), after(assignAdd(v, [1, 1]), () => add(sum, multiply(v, 2)))],
    [constant(0, "int32"), zeros([2])],
    { parallelIterations: 1 },
  );
  const inner = (): Tensor =>
    cond(
      greater(w, 2),
      () => multiply(w, 10),
      () => multiply(w, 100),
    );
  const branched = cond(
    constant(true),
    () => after(assign(w, 3), inner),
    () => multiply(w, 1),
  );
  const [, both] = whileLoop(
    (i: Tensor) => less(i, 4),
    (i: Tensor, sum: Tensor) => [
      add(i, 1),
      cond(
        greater(i, 0),
        () => after(assignAdd(w, 1), () => add(sum, w)),
        () => sum,
      ),
    ],
    [constant(0, "int32"), constant(0)],
    { parallelIterations: 1 },
  );
  await using session = new Session({ graph });
  await session.run(globalVariablesInitializer());
  const values = [];
  for (const fetch of [looped, branched, both]) values.push((await session.run(fetch)).toArray());
  expect(values).toEqual([[15, 15], 30, 15]);
});
