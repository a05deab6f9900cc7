// What a failing run leaves behind: variables wholly as they were or wholly updated, and a session that goes on.
import { describe, expect, it } from "vitest";
import * as tf from "../index.ts";

const size = 4096;

describe.each([1, 2])("a run that fails on %d threads", threads => {
  const open = (graph: tf.Graph): tf.Session => new tf.Session({ graph, config: { intraOpParallelismThreads: threads } });

  it("updates a variable wholly or not at all, and later runs are right", async () => {
    const graph = new tf.Graph();
    const { by, at, sum, row, init, v } = graph.asDefault(() => {
      const v = new tf.Variable(tf.zeros([size]), { name: "v" });
      const by = tf.placeholder(tf.float32, null, { name: "by" });
      const at = tf.placeholder(tf.int32, null, { name: "at" });
      return { v, by, at, sum: v.assignAdd(by), row: tf.gather(tf.range(8), at, { name: "row" }), init: tf.globalVariablesInitializer() };
    });
    const session = open(graph);
    await session.run(init);
    const ones = new tf.NDArray("float32", [size], new Float32Array(size).fill(1));
    let expected = 0;
    for (const wrong of [8, -1, 99]) {
      const feeds: [tf.Tensor, unknown][] = [
        [by, ones],
        [at, wrong],
      ];
      await expect(session.run([sum, row], feeds as never)).rejects.toThrow(`indices = ${wrong} is not in [0, 8)`);
      const left = (await session.run(v)).toArray() as number[];
      expect(new Set(left).size).toBe(1);
      expect([expected, expected + 1]).toContain(left[0]);
      const [after, taken] = await session.run([sum, row], [
        [by, ones],
        [at, 3],
      ] as never);
      expected = left[0] + 1;
      expect(new Set((after as tf.NDArray).toArray() as number[])).toEqual(new Set([expected]));
      expect((taken as tf.NDArray).item()).toBe(3);
    }
    await session.close();
  });

  it("leaves a variable as it was where the update itself cannot be", async () => {
    const graph = new tf.Graph();
    const { rows, at, update, init, v } = graph.asDefault(() => {
      const v = new tf.Variable(tf.ones([4, 2]), { name: "v" });
      const at = tf.placeholder(tf.int32, null);
      const rows = tf.placeholder(tf.float32, null);
      return { v, at, rows, update: tf.scatterUpdate(v, at, rows), init: tf.globalVariablesInitializer() };
    });
    const session = open(graph);
    await session.run(init);
    const attempts: [unknown, unknown][] = [
      [[0, 9], tf.NDArray.zeros("float32", [2, 2])],
      [[0, 1], tf.NDArray.zeros("float32", [3, 2])],
      [[0], tf.NDArray.zeros("float32", [1, 3])],
    ];
    for (const [places, values] of attempts) {
      await expect(
        session.run(update, [
          [at, places],
          [rows, values],
        ] as never),
      ).rejects.toThrow(tf.errors.InvalidArgumentError);
      const left = (await session.run(v)).toArray();
      expect(left).toEqual([
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 1],
      ]);
    }
    await session.run(update, [
      [at, [2]],
      [rows, tf.NDArray.zeros("float32", [1, 2])],
    ] as never);
    expect((await session.run(v)).toArray()).toEqual([
      [1, 1],
      [1, 1],
      [0, 0],
      [1, 1],
    ]);
    await session.close();
    await expect(session.run(v)).rejects.toThrow("Attempted to use a closed Session.");
  });

  it("says a variable that holds nothing", async () => {
    const graph = new tf.Graph();
    const read = graph.asDefault(() => new tf.Variable(tf.ones([2]), { name: "w" }).mul(2));
    const session = open(graph);
    await expect(session.run(read)).rejects.toThrow(/^Attempting to use uninitialized value w\n/);
    await session.close();
  });
});
