// Places of a cluster's operations, as TensorFlow 2.21 gives them.

import * as tf from "tensorloom";
import { expect, it } from "vitest";

const places = (): string[] =>
  tf
    .getDefaultGraph()
    .getOperations()
    .map(({ name, device }) => `${name} ${device}`);

it("puts variables on parameter servers in turn, all else on the worker", () => {
  using _ = new tf.Graph().asDefault();
  tf.device(tf.train.replicaDeviceSetter({ psTasks: 2, workerDevice: "/job:worker/task:3" }), () => {
    for (const k of [0, 1, 2]) new tf.Variable(1, { name: `v${k}` });
    tf.constant(2);
    tf.device("/cpu:0", () => tf.constant(1));
  });
  expect(places()).toEqual([
    ...[0, 1, 2].flatMap(k => [
      `v${k}/initial_value /job:worker/task:3`,
      `v${k} /job:ps/task:${k % 2}`,
      `v${k}/Assign /job:ps/task:${k % 2}`,
      `v${k}/read /job:ps/task:${k % 2}`,
    ]),
    "Const /job:worker/task:3",
    "Const_1 /job:worker/task:3/device:CPU:0",
  ]);
});

it("takes the number of servers from a cluster; without servers there is nothing to place", () => {
  using _ = new tf.Graph().asDefault();
  const cluster = { ps: ["a:1", "b:2"], worker: ["c:3"] };
  tf.device(tf.train.replicaDeviceSetter({ cluster }), () => ["v", "w"].map(name => new tf.Variable(1, { name })));
  expect(places().filter(line => /^[vw] /.test(line))).toEqual(["v /job:ps/task:0", "w /job:ps/task:1"]);
  expect(tf.train.replicaDeviceSetter()).toBe(null);
  expect(tf.train.replicaDeviceSetter({ cluster: { worker: ["c:3"] } })).toBe(null);
});

it("describes a cluster", () => {
  const cluster = new tf.train.ClusterSpec({ ps: ["a:1", "b:2"], worker: { 1: "c:3", 4: "d" } });
  expect(cluster.asDict()).toEqual({ ps: ["a:1", "b:2"], worker: { 1: "c:3", 4: "d" } });
  expect([cluster.jobs, cluster.numTasks("worker"), cluster.taskIndices("worker")]).toEqual([["ps", "worker"], 2, [1, 4]]);
  expect([cluster.taskAddress("worker", 4), cluster.jobTasks("worker")]).toEqual(["d", [null, "c:3", null, null, "d"]]);
  expect(String(new tf.train.ClusterSpec(cluster))).toBe("ClusterSpec({'ps': ['a:1', 'b:2'], 'worker': {1: 'c:3', 4: 'd'}})");
  expect(() => cluster.numTasks("x")).toThrow("No such job in cluster: 'x'");
  expect(() => cluster.taskAddress("ps", 7)).toThrow("No task with index 7 in job 'ps'");
  expect(() => new tf.train.ClusterSpec([1] as never)).toThrow("`cluster` must be a dictionary mapping one or more job names");
});
