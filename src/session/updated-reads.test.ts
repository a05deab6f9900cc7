// A read of a ref variable is another name of its memory: who waits for an update of the variable sees the new value through an old read.

import { expect, it } from "vitest";
import { Graph } from "../graph/graph.ts";
import { globalVariablesInitializer } from "../library/variable-lists.ts";
import { assign, Variable } from "../library/variables.ts";
import { square } from "../ops/math-functions.ts";
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
