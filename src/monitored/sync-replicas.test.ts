// SyncReplicasOptimizer: TensorFlow's nodes, and steps that are made of means.
import { expect, it } from "vitest";
import * as tf from "../index.ts";

it("aggregates gradients under TensorFlow's names", async () => {
  using _ = new tf.Graph().asDefault();
  const x = tf.placeholder("float32", [2], { name: "x" });
  const w = new tf.Variable([1, 2], { name: "w" });
  const e = new tf.Variable(
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    { name: "e" },
  );
  const loss = tf.reduceSum(w.mul(x)).add(tf.reduceSum(tf.gather(e, [0, 2])));
  const globalStep = tf.train.getOrCreateGlobalStep();
  const optimizer = new tf.train.SyncReplicasOptimizer(new tf.train.GradientDescentOptimizer(0.5), 1);
  expect(() => optimizer.getChiefQueueRunner()).toThrow("Should be called after apply_gradients().");
  const train = optimizer.minimize(loss, globalStep);
  const hook = optimizer.makeSessionRunHook(true, 0);
  const graph = tf.getDefaultGraph();
  const own = graph.getOperations().map(op => op.name);
  for (const name of [
    "sync_rep_local_step",
    "sync_replicas/conditional_accumulator",
    "sync_replicas/ResourceAccumulatorApplyGradient",
    "sync_replicas/SparseAccumulatorTakeGradient",
    "GradientDescent/update_w/ApplyGradientDescent",
    "sync_token_q",
    "sync_token_q_Dequeue",
    "Assign_1",
    "sync_token_q_EnqueueMany",
    "sync_replicas/SetGlobalStep_1",
    "sync_replicas/group_deps",
  ])
    expect(own).toContain(name);
  expect(train.name).toBe("Assign_1");
  const session = await tf.train.MonitoredTrainingSession({ hooks: [hook], stopGracePeriodSecs: 0 });
  // No token is there at first, so that a run ends when its gradient has made a step.
  for (let i = 1; i <= 3; i++) await session.run(train, [[x, [i, 1]]]);
  const [step, weights, rows] = await session.run([globalStep, w, e], [[x, [0, 0]]]);
  expect(step.item()).toBe(3n);
  expect(weights.toArray()).toEqual([-2, 0.5]);
  expect(rows.toArray()).toEqual([
    [-0.5, 0.5],
    [3, 4],
    [3.5, 4.5],
  ]);
  await session.close();
});

it("waits for as many gradients as are aggregated", async () => {
  using _ = new tf.Graph().asDefault();
  const x = tf.placeholder("float32", []);
  const w = new tf.Variable(0, { name: "w" });
  const globalStep = tf.train.getOrCreateGlobalStep();
  const optimizer = new tf.train.SyncReplicasOptimizer(new tf.train.GradientDescentOptimizer(1), 2, { totalNumReplicas: 1 });
  const train = optimizer.minimize(w.mul(x), { globalStep });
  expect(() => optimizer.getInitTokensOp(0)).toThrow("Too few tokens to finish the first step: 0 (given) vs 1 (needed)");
  const hook = optimizer.makeSessionRunHook(true, 1);
  const session = await tf.train.MonitoredTrainingSession({ hooks: [hook], stopGracePeriodSecs: 0 });
  await session.run(train, [[x, 2]]);
  expect((await session.run(w)).item()).toBe(0);
  await session.run(train, [[x, 6]]);
  expect((await session.run([w, globalStep])).map(value => Number(value.item()))).toEqual([-4, 1]);
  await session.close();
});
