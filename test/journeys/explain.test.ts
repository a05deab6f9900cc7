// Every stage of the compiler prints: what a user sees from session.explain, from the graph to the module.
import { expect, test } from "vitest";
import wabt from "wabt";
import { WasmDevice } from "../../src/backends/wasm/device.ts";
import { engineTarget } from "../../src/backends/wasm/features.ts";
import { printWasm } from "../../src/backends/wasm/printer.ts";
import * as tf from "../../src/index.ts";
import { record } from "../../src/kernels/index.ts";
import { schedule } from "../../src/schedule/index.ts";
import * as known from "../plans/known-programs.ts";

function trainingStep() {
  const x = tf.placeholder(tf.float32, [6, 8, 8, 1], { name: "images" });
  const labels = tf.placeholder(tf.int32, [6], { name: "labels" });
  const w = tf.getVariable("w", [3, 3, 1, 4], { initializer: tf.truncatedNormalInitializer({ stddev: 0.1, seed: 1 }) });
  const pooled = tf.nn.maxPool(tf.nn.relu(tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME")), [1, 2, 2, 1], [1, 2, 2, 1], "SAME");
  const dense = tf.getVariable("dense", [64, 3], { initializer: tf.truncatedNormalInitializer({ stddev: 0.1, seed: 2 }) });
  const logits = tf.matmul(tf.reshape(pooled, [6, 64]), dense);
  const loss = tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
  return { x, labels, fetches: [loss, new tf.train.GradientDescentOptimizer(0.1).minimize(loss)] };
}

test("session.explain shows each stage, in order, whole and readable", async () => {
  const graph = new tf.Graph();
  const { x, labels, fetches } = graph.asDefault(trainingStep);
  const session = new tf.Session({ graph });
  const stages = await session.explain(fetches, [
    [x, tf.NDArray.zeros("float32", [6, 8, 8, 1])],
    [labels, tf.NDArray.zeros("int32", [6])],
  ]);
  const counts = await session.counts(fetches, [
    [x, tf.NDArray.zeros("float32", [6, 8, 8, 1])],
    [labels, tf.NDArray.zeros("int32", [6])],
  ]);
  await session.close();

  expect(Object.keys(stages)).toEqual(["graph", "program", "plan", "phases", "kernels", "module", "times"]);
  expect(stages.graph).toMatch(/^feed images:0$/m);
  expect(stages.graph).toMatch(/^Conv2D = Conv2D\(images:0, w\/read:0\) : float32\[6,8,8,4\]$/m);
  expect(stages.program).toMatch(/contract float32\[6,8,8,4\] over \[3,3,1\]/);
  expect(stages.program).toMatch(/update "variable:w" with v\d+/);
  expect(stages.plan).toMatch(/^arena \d+ bytes/);
  expect(stages.plan).toMatch(/^state variable:w float32\[3,3,1,4\] read written$/m);
  expect(stages.phases).toMatch(/^contract\d+ +\d+ units {2}contract \[6,8,8,4\] over \[3,3,1\] → float32$/m);
  // One line for each function that the step calls.
  expect(stages.phases.trimEnd().split("\n")).toHaveLength(counts.kernels);
  expect(stages.kernels).toMatch(/^func contract\d+\.tile\dx\d\(/m);
  expect(stages.kernels).toMatch(/f32x\.(madd|mul)/);
  expect(stages.module).toMatch(new RegExp(`^module of ${counts.moduleBytes} bytes`));
  expect(stages.module).toMatch(/^export func run\(\) \d+ bytes$/m);
  for (const text of Object.values(stages)) {
    expect(text).not.toMatch(/undefined|\[object|NaN bytes/);
    expect(Math.max(...text.split("\n").map(line => line.length))).toBeLessThan(2000);
  }
});

test.each([
  ["softmax", known.softmax],
  ["a convolution layer", known.convolutionLayer],
  ["a step of Adam", known.adamStep],
  ["a recurrent loop", known.recurrentLoop],
] as const)("the module of %s reads as text by wabt", async (_, make) => {
  const { readWasm } = await wabt();
  const target = engineTarget({ deterministic: true });
  const device = new WasmDevice(target);
  const { module } = record(schedule(make(), device.target), target);
  const disassembled = readWasm(printWasm(module), { readDebugNames: true });
  const wat = disassembled.toText({ foldExprs: true });
  disassembled.destroy();
  expect(wat).toMatch(/^\(module/);
  expect(wat).toMatch(/\(func \$run /);
  expect(wat).toMatch(/\(export "run" \(func (\d+|\$run)\)\)/);
});
