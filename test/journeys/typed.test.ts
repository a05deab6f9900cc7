// Programs in our own spelling as people write them, with no cast and no type written down but a function's parameters: that this file type-checks is
// half of the test. Arguments that have a default are given by place or by name.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import { afterEach, expect, it } from "vitest";

afterEach(() => tf.resetDefaultGraph());

it("gradients are clipped, scaled, averaged and applied", async () => {
  const w = tf.getVariable("w", [3, 2], { initializer: tf.onesInitializer() });
  const x = tf.placeholder(tf.float32, [null, 3]);
  const loss = tf.reduceMean(tf.square(tf.matmul(x, w)));
  const optimizer = new tf.train.GradientDescentOptimizer(0.1);
  const pairs = optimizer.computeGradients(loss).map(([g, v]) => [tf.clipByValue(g.mul(0.5), -1, 1), v]);
  const train = optimizer.applyGradients(pairs);
  const penalty = tf.gradients(loss, x)[0].sub(1).pow(2);
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  const [value, slopes] = await session.run([loss, penalty, train], [[x, [[1, 2, 3]]]]);
  expect(value.data[0] - 36).toBe(0);
  expect(Math.max(...slopes.data)).toBeCloseTo(121, 3);
  const columns = w.shape.asList()[1] * 3;
  expect(tf.reshape(w, [columns, -1]).shape.asList()).toEqual([6, 1]);
});

it("rows of an embedding's gradient stay rows, each clipped by itself", async () => {
  const table = tf.getVariable("table", [3, 2], { initializer: tf.onesInitializer() });
  const loss = tf.reduceSum(tf.gather(table, [0, 0, 1]).mul(3));
  const optimizer = new tf.train.MomentumOptimizer(1, 0.5);
  const clipped = optimizer.computeGradients(loss).map(([g, v]) => [tf.scalarMul(0.5, tf.cast(tf.clipByValue(g, -1, 2), tf.float32)), v]);
  expect(clipped[0][0]).toBeInstanceOf(tf.IndexedSlices);
  const train = optimizer.applyGradients(clipped);
  const slices = tf.cast(tf.gradients(loss, [table])[0], tf.float64);
  expect(String(slices)).toContain('values=Tensor("Cast_1:0", shape=(3, 2), dtype=float64)');
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await session.run(train);
  // TensorFlow's: row 0 is looked up twice, and its two rows of 3 are clipped to 2 before they are added.
  expect((await session.run(table)).toArray()).toEqual([
    [-1, -1],
    [0, 0],
    [1, 1],
  ]);
});

it("arguments with a default are taken by name", async () => {
  const inside = tf.variableScope("a", () => tf.getVariable("v", [2], { regularizer: w => tf.nn.l2Loss(w) }));
  tf.variableScope("b", () => tf.getVariable("v", [2]));
  tf.losses.addLoss(tf.constant(1, { name: "a/loss" }));
  tf.losses.addLoss(tf.constant(1, { name: "b/loss" }));
  const { GLOBAL_VARIABLES } = tf.GraphKeys;
  for (const found of [
    tf.trainableVariables({ scope: "a/" }),
    tf.globalVariables({ scope: "a/" }),
    tf.getCollection(GLOBAL_VARIABLES, { scope: "a/" }),
  ])
    expect(found).toEqual([inside]);
  expect(tf.losses.getLosses({ scope: "a/" }).map(loss => loss.name)).toEqual(["a/loss:0"]);
  expect(tf.losses.getRegularizationLosses({ scope: "b/" })).toEqual([]);
  expect(() => tf.trainableVariables(JSON.parse('{"scopes": "a"}'))).toThrow("got an unexpected keyword argument 'scopes'");
  const averages = new tf.train.ExponentialMovingAverage(0.5);
  averages.apply({ varList: [inside] });
  expect(averages.average(inside)?.name).toBe("a/v/ExponentialMovingAverage:0");

  const numbers = tf.data.Dataset.fromGenerator(
    function* () {
      yield [1];
      yield [2, 3];
    },
    { outputTypes: tf.int32, outputShapes: [null] },
  );
  const padded = numbers.repeat({ count: 1 }).paddedBatch(2, { paddedShapes: [null], paddingValues: 7 });
  const iterator = tf.data.Iterator.fromStructure(padded.outputTypes, { outputShapes: padded.outputShapes });
  const next = iterator.getNext();
  expect(next.shape.asList()).toEqual([null, null]);
  await using session = new tf.Session();
  await session.run(iterator.makeInitializer(padded));
  expect((await session.run(next)).toArray()).toEqual([
    [1, 7],
    [2, 3],
  ]);

  const folder = mkdtempSync(join(tmpdir(), "typed-"));
  await session.run(tf.globalVariablesInitializer());
  await new tf.train.Saver({ varList: [inside] }).save(session, join(folder, "model"), { latestFilename: "last" });
  expect(await tf.train.latestCheckpoint(folder, { latestFilename: "last" })).toBe(join(folder, "model"));
  expect(await tf.train.latestCheckpoint(folder)).toBeNull();
  rmSync(folder, { recursive: true });
});

it("sparse values of arrays and lists, elements one by one, rows of strings, what an import returns", async () => {
  const sparse = tf.sparsePlaceholder(tf.float32);
  const words = tf.ragged.mapFlatValues(tf.strings.length, tf.strings.split(tf.constant(["to be", "or"]), { resultType: "RaggedTensor" }));
  await using session = new tf.Session();
  const dense = await session.run(tf.sparse.toDense(sparse), [
    [sparse, new tf.SparseTensorValue([[0], [2]], tf.NDArray.from([1, 2]), [3])],
  ]);
  expect([...dense.data.map(x => x * 2)]).toEqual([2, 0, 4]);
  expect((await session.run(words.toTensor())).toArray()).toEqual([
    [2, 2],
    [2, 0],
  ]);
  const graphDef = tf.getDefaultGraph().asGraphDef();
  const [sum] = tf.importGraphDef(graphDef, { returnElements: [words.flatValues.name], name: "again" });
  expect(sum.add(1).dtype).toBe("int32");
});

it("a getter gives a tensor for a variable", () => {
  const half: tf.CustomGetter = (getter, name, options) => tf.cast(getter(name, options), tf.float16);
  using _ = tf.variableScope("half", { customGetter: half });
  expect(tf.getVariable("v", [2]).dtype).toBe("float16");
  expect(tf.globalVariables().map(v => v.dtype)).toEqual(["float32"]);
});

it("sums of a collection and a layer's kernel are tensors and variables", () => {
  const layer = new tf.layers.Dense(3);
  const hidden = layer.apply(tf.zeros([2, 4]));
  tf.addToCollection("losses", tf.reduceSum(tf.matmul(hidden, layer.kernel, { transposeB: true })));
  expect(tf.addN(tf.getCollection("losses")).add(1).shape.asList()).toEqual([]);
});
