// Where nodes say that they were made.
import { expect, test } from "vitest";
import * as tf from "../index.ts";

test("a node was made on the user's line, all nodes of a gradient on the one that asked for it", () => {
  const graph = new tf.Graph();
  graph.asDefault(() => {
    const x = tf.placeholder(tf.float32, [3], { name: "x" });
    let y: tf.Tensor = x;
    for (let i = 0; i < 20; i++) y = tf.tanh(y);
    expect(String(x.op.location)).toMatch(/location\.test\.ts:8:/);
    const before = graph.getOperations().length;
    tf.gradients(y, x);
    const made = graph.getOperations().slice(before);
    expect(made.length).toBeGreaterThan(20);
    expect(new Set(made.map(op => op.location)).size).toBe(1);
    expect(String(made[0].location)).toMatch(/location\.test\.ts:13:/);
    expect(String(tf.tanh(y).op.location)).toMatch(/location\.test\.ts:18:/);
  });
});

test("the nodes of a variable and those of an optimizer were made on one line each", () => {
  const graph = new tf.Graph();
  graph.asDefault(() => {
    const v = new tf.Variable(new tf.NDArray("float32", [2], new Float32Array(2)));
    const made = graph.getOperations();
    expect(made.length).toBe(4);
    expect(new Set(made.map(op => op.location)).size).toBe(1);
    expect(String(v.op.location)).toMatch(/location\.test\.ts:25:/);
    const loss = tf.reduceSum(tf.square(v));
    const before = graph.getOperations().length;
    new tf.train.AdamOptimizer(0.1).minimize(loss);
    const trained = graph.getOperations().slice(before);
    expect(new Set(trained.map(op => String(op.location))).size).toBe(1);
    expect(String(trained[0].location)).toMatch(/location\.test\.ts:32:/);
  });
});
