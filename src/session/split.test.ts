// What a run does before a cut, and in which order it reads and writes variables on its two sides.

import { describe, expect, test } from "vitest";
import * as tf from "../index.ts";

const feedsOf = (x: tf.Tensor, values: readonly number[]): tf.Feeds => [[x, tf.NDArray.from([...values], "float32", [values.length])]];

/** Values of fetches for several feeds of one placeholder [n], after initializing. */
async function inSession<T>(
  build: (x: tf.Tensor) => T,
  use: (built: T, session: tf.Session, x: tf.Tensor) => Promise<void>,
): Promise<void> {
  const graph = new tf.Graph();
  const { built, x, start } = graph.asDefault(() => {
    const x = tf.placeholder("float32", [null]);
    return { built: build(x), x, start: tf.globalVariablesInitializer() };
  });
  const session = new tf.Session({ graph });
  await session.run(start);
  await use(built, session, x);
  await session.close();
}

const positive = (x: tf.Tensor): tf.Tensor => tf.booleanMask(x, tf.greater(x, 0));

test("a training step beside a masked measure is before the cut, and what crosses is read as it was", () =>
  inSession(
    x => {
      const w = new tf.Variable(1, { dtype: "float32" });
      const errors = tf.square(tf.subtract(tf.multiply(x, w), 2));
      const train = new tf.train.GradientDescentOptimizer(0.25).minimize(tf.reduceMean(errors));
      return { w, fetches: [train, positive(errors), tf.multiply(positive(x), w)] };
    },
    async ({ w, fetches }, session, x) => {
      const run = async (values: readonly number[]): Promise<unknown[]> =>
        (await session.run(fetches, feedsOf(x, values))).slice(1).map(value => value?.toArray());
      expect(await run([1, 2])).toEqual([[1], [1, 2]]);
      expect((await session.run(w)).item()).toBe(1.25);
      expect(await run([2, -1, 4])).toEqual([
        [0.25, 10.5625, 9],
        [2.5, 5],
      ]);
      const { graph } = await session.explain(fetches, feedsOf(x, [1, 1, 1]));
      expect(graph).toContain("target GradientDescent");
    },
  ));

describe("variables on both sides of a cut", () => {
  test("a write that does not wait for the cut comes after a read that does", () =>
    inSession(
      x => {
        const v = new tf.Variable([1, 2, 3]);
        const rows = tf.gather(v.op.outputs[0], tf.cast(positive(x), "int32"));
        return { rows, add: tf.assignAdd(v, [10, 10, 10]), v };
      },
      async ({ rows, add, v }, session, x) => {
        const [read] = await session.run([rows, add.op], feedsOf(x, [1, -1, 2]));
        expect(read.toArray()).toEqual([2, 3]);
        expect((await session.run(v)).toArray()).toEqual([11, 12, 13]);
      },
    ));

  test("who waits for an update before the cut sees it through an older read behind the cut", () =>
    inSession(
      x => {
        const v = new tf.Variable(3, { dtype: "float32" });
        const old = tf.square(v);
        const update = tf.assign(v, tf.add(old, 1));
        const [after] = tf.controlDependencies([update.op], () => [tf.add(tf.reduceSum(positive(x)), v)]);
        return { old: tf.add(tf.reduceSum(positive(x)), old), update, after };
      },
      async ({ old, after }, session, x) => {
        const values = await session.run([old, after], feedsOf(x, [1, -1]));
        expect(values.map(value => value.item())).toEqual([10, 11]);
      },
    ));

  test("an update that waits for what is behind the cut is not done where that fails", () =>
    inSession(
      x => {
        const [v, w] = [new tf.Variable(0), new tf.Variable(0)];
        const bad = tf.gather(tf.constant([1, 2]), tf.cast(positive(x), "int32"));
        const [late] = tf.controlDependencies([bad.op], () => [tf.assignAdd(v, 1)]);
        return { v, both: tf.group(late, tf.assignAdd(w, 1)) };
      },
      async ({ v, both }, session, x) => {
        await expect(session.run(both, feedsOf(x, [7]))).rejects.toThrow("is not in [0, 2)");
        expect((await session.run(v)).item()).toBe(0);
        await session.run(both, feedsOf(x, [1, -1]));
        expect((await session.run(v)).item()).toBe(1);
      },
    ));
});

// Attention decoders: the gradient of the first step chooses by the same predicate again, behind a loop that runs iteration by iteration.
test("what a gradient keeps of the side of a conditional that was not taken crosses a cut", async () => {
  using _ = new tf.Graph().asDefault();
  const [x, n] = [tf.placeholder("float32", [null, 2]), tf.placeholder("int32", [null])];
  const rows = tf.booleanMask(x, x.at([], 0).greater(-5));
  const array = new tf.TensorArray("float32", tf.shape(rows).at(0), { elementShape: [2] }).unstack(rows);
  const none = (): tf.Tensor => tf.zeros([2]);
  const start = tf.cond(tf.reduceAll(n.lessEqual(0)), none, () => array.read(0));
  const [, , written] = tf.whileLoop(
    (_i, _state, _written, done) => tf.logicalNot(tf.reduceAll(done)),
    (i, state, written, _done) => {
      const next = i.add(1);
      const done = next.greaterEqual(n);
      return [next, tf.cond(tf.reduceAll(done), none, () => array.read(next)), written.write(i, state.mul(start)), done] as const;
    },
    [tf.constant(0, "int32"), start, new tf.TensorArray("float32", 0, { dynamicSize: true, elementShape: [2] }), n.lessEqual(0)] as const,
  );
  const gradient = tf.convertToTensor(tf.gradients(tf.reduceSum(tf.square(written.stack())), x)[0]);
  await using session = new tf.Session();
  const run = async (lengths: number[]): Promise<unknown> =>
    (
      await session.run(gradient, [
        [
          x,
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
        ],
        [n, lengths],
      ])
    ).toArray();
  expect(await run([0, 0])).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  expect(await run([3, 0])).toEqual([
    [72, 240],
    [6, 32],
    [10, 48],
  ]);
  expect(await run([2, 1])).toEqual([
    [22, 96],
    [6, 32],
    [0, 0],
  ]);
});
