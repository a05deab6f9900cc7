// tf.switch_case: nodes and results are TensorFlow 2.21's.

import { expect, it } from "vitest";
import * as tf from "../../index.ts";

/** Runs a graph with the numbers 0, 1 and 5, and 3 for x. */
async function results(build: (i: tf.Tensor, x: tf.Tensor) => tf.Tensor | tf.Tensor[]): Promise<[string[], unknown[]]> {
  const graph = new tf.Graph();
  using _ = graph.asDefault();
  const i = tf.placeholder("int32", [], { name: "i" });
  const x = tf.placeholder("float32", [], { name: "x" });
  const fetches = build(i, x);
  const nodes = graph.getOperations().map(op => [op.name, op.type, ...op.inputs.map(input => input.op.name)].join(" "));
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  const runs: unknown[] = [];
  for (const k of [0, 1, 5]) {
    const given = (await session.run(fetches, [
      [i, k],
      [x, 3],
    ])) as tf.NDArray | tf.NDArray[];
    runs.push([given].flat().map(array => array.item()));
  }
  return [nodes, runs];
}

it("is one node, and variables made in its branches stand outside of it", async () => {
  const [nodes, runs] = await results(
    (i, x) =>
      tf.switchCase(i, [
        () => tf.getVariable("v", [], { initializer: tf.constantInitializer(2), useResource: false }).mul(x),
        () => tf.nameScope("inner", () => new tf.Variable(5, { dtype: "float32" }).add(x)),
      ]) as tf.Tensor,
  );
  expect(nodes.slice(2)).toEqual([
    "v/Initializer/Const Const",
    "v VariableV2",
    "v/Assign Assign v v/Initializer/Const",
    "v/read Identity v",
    "inner/Variable/Initializer/initial_value Const",
    "inner/Variable VarHandleOp",
    "inner/Variable/IsInitialized/VarIsInitializedOp VarIsInitializedOp inner/Variable",
    "inner/Variable/Assign AssignVariableOp inner/Variable inner/Variable/Initializer/initial_value",
    "inner/Variable/Read/ReadVariableOp ReadVariableOp inner/Variable",
    "switch_case/indexed_case Case i v/read x inner/Variable",
    "switch_case/indexed_case/Identity Identity switch_case/indexed_case",
  ]);
  expect(runs).toEqual([[6], [8], [8]]);
});

it("has gradients", async () => {
  const [, runs] = await results((i, x) => {
    const w = new tf.Variable(5, { dtype: "float32", useResource: true });
    const y = tf.switchCase(i, [() => w.mul(x), () => x.mul(x).mul(w), () => w]) as tf.Tensor;
    return [y, ...(tf.gradients(y, [x, w]) as tf.Tensor[])];
  });
  expect(runs).toEqual([
    [15, 5, 3],
    [45, 30, 9],
    [5, 0, 1],
  ]);
});

it("refuses what TensorFlow refuses", () => {
  using _ = new tf.Graph().asDefault();
  const i = tf.placeholder("int32", []);
  const w = new tf.Variable(5, { dtype: "float32", useResource: false });
  expect(() => tf.switchCase(i, [() => tf.assignAdd(w, 1) as tf.Tensor, () => w])).toThrow(
    "In op 'AssignAdd', input types ([tf.float32, tf.float32]) are not compatible with expected types ([tf.float32_ref, tf.float32])",
  );
  expect(() => tf.switchCase(tf.cast(i, "int64"), [() => w])).toThrow(
    "Input 'branch_index' of 'StatelessCase' Op has type int64 that does not match expected type of int32.",
  );
  expect(() => tf.switchCase(i, [() => tf.constant(1), () => tf.constant(1, "int32")])).toThrow(
    "branches[0] and branches[1] arguments to tf.switch_case must have the same number, type, and overall structure of return values.",
  );
  expect(() => tf.switchCase(i, [() => new tf.Variable(tf.constant(1)).readValue(), () => w])).toThrow(
    "could not be lifted out of a `tf.function`",
  );
});

it("may stand in a loop of plain nodes, as may the call of a function", async () => {
  const [, runs] = await results((i, x) => {
    const twice = tf.function((a: tf.Tensor, b: tf.Tensor) => a.mul(b).sub(1));
    const [, a, v] = tf.whileLoop(
      (k: tf.Tensor) => tf.less(k, 3),
      (k: tf.Tensor, a: tf.Tensor, v: tf.Tensor) => [
        k.add(1),
        tf.switchCase(i, [() => a.add(tf.reduceSum(v)), () => twice(a, tf.cast(k, "float32"))]) as tf.Tensor,
        twice(v, a) as tf.Tensor,
      ],
      [tf.constant(0, "int32"), x, tf.constant([1, 2])],
    ) as tf.Tensor[];
    return [a, tf.reduceSum(v)];
  });
  expect(runs).toEqual([
    [53, 518],
    [-5, 16],
    [-5, 16],
  ]);
});

it("has gradients that are asked for in a branch and go on outside of it", async () => {
  const [, runs] = await results((i, x) => {
    const w = tf.square(x);
    const q = w.mul(x);
    const v = new tf.Variable(3, { dtype: "float32", useResource: true });
    return tf.switchCase(i, [() => tf.gradients(q.mul(v), x)[0] as tf.Tensor, () => tf.gradients(q, w)[0] as tf.Tensor]) as tf.Tensor;
  });
  expect(runs).toEqual([[81], [3], [3]]);
});

it("makes variables in the first call of a function", async () => {
  const [, runs] = await results((_, x) => {
    let made: tf.Variable | undefined;
    const scaled = tf.function((a: tf.Tensor) => {
      made ??= new tf.Variable(2, { dtype: "float32" });
      return made.mul(a).mul(tf.variableScope("", { reuse: true }, () => tf.getVariable("outside", [])));
    });
    tf.getVariable("outside", [], { initializer: tf.constantInitializer(4) });
    return [scaled(x) as tf.Tensor, scaled(tf.constant([5])) as tf.Tensor];
  });
  expect(runs).toEqual([
    [24, 40],
    [24, 40],
    [24, 40],
  ]);
});

it("leaves a variable that only a loop fills filled", async () => {
  using _ = new tf.Graph().asDefault();
  const v = tf.getVariable("v", [], { initializer: tf.zerosInitializer(), useResource: false });
  const [, sum] = tf.whileLoop(
    (i: tf.Tensor) => tf.less(i, 3),
    (i: tf.Tensor, a: tf.Tensor) => [i.add(1), a.add(tf.assign(v, tf.cast(i, "float32")) as tf.Tensor)],
    [tf.constant(0, "int32"), tf.constant(0)],
    { parallelIterations: 1 },
  ) as tf.Tensor[];
  await using session = new tf.Session();
  expect(((await session.run(sum)) as tf.NDArray).item()).toBe(3);
  expect(((await session.run(v)) as tf.NDArray).item()).toBe(2);
});

it("folds from an object of tensors", async () => {
  using _ = new tf.Graph().asDefault();
  const folded = tf.foldl((c, e) => ({ k: (c as { k: tf.Tensor }).k.add(e as tf.Tensor) }), tf.constant([1, 2, 3]), {
    k: tf.constant(0.5),
  });
  await using session = new tf.Session();
  expect(((await session.run((folded as { k: tf.Tensor }).k)) as tf.NDArray).item()).toBe(6.5);
});
