// Callables: what they give is what session.run gives, whether a call is like the last one or not.
import { expect, test } from "vitest";
import * as tf from "../index.ts";

const array = (...values: number[]): tf.NDArray => new tf.NDArray("float32", [values.length], Float32Array.from(values));

test("calls of the same shape, of others, of lists, in a row and at once", async () => {
  const graph = new tf.Graph();
  const { x, doubled, count, init } = graph.asDefault(() => {
    const x = tf.placeholder(tf.float32, [null]);
    const counter = new tf.Variable(0);
    return { x, doubled: x.mul(2), count: counter.assignAdd(1), init: tf.globalVariablesInitializer() };
  });
  const session = new tf.Session({ graph });
  await session.run(init);
  const call = session.makeCallable({ doubled, counts: [count] }, { feedList: [x] });
  const rows = [[1], [2], [1, 2], [3, 4], [5], [6]];
  for (const row of rows) expect((await call(array(...row))).doubled.toArray()).toEqual(row.map(value => 2 * value));
  expect((await call([7])).doubled.toArray()).toEqual([14]);
  const together = await Promise.all([...rows.map(row => call(array(...row))), session.run(doubled, [[x, [9]]])]);
  expect(together.slice(0, -1).map(result => (result as { counts: tf.NDArray[] }).counts[0].item())).toEqual([8, 9, 10, 11, 12, 13]);
  await expect(call(new tf.NDArray("float32", [1, 1], new Float32Array(1)))).rejects.toThrow("Cannot feed value of shape (1, 1)");
  const last = call(array(1));
  await session.close();
  expect((await last).doubled.toArray()).toEqual([2]);
  await expect(call(array(1))).rejects.toThrow("Attempted to use a closed Session.");
});

test("calls that wait for each other, and calls that fail", async () => {
  const graph = new tf.Graph();
  const { x, put, get, checked } = graph.asDefault(() => {
    const x = tf.placeholder(tf.float32, [1]);
    const queue = new tf.FIFOQueue(1, [tf.float32], { shapes: [[1]] });
    return { x, put: queue.enqueue([x]), get: queue.dequeue() as tf.Tensor, checked: tf.checkNumerics(x, "no number") };
  });
  const session = new tf.Session({ graph });
  const [enqueue, dequeue, check] = [put, get, checked].map(fetch =>
    session.makeCallable(fetch as tf.Tensor, { feedList: fetch === get ? [] : [x] }),
  );
  for (let round = 0; round < 5; round++) {
    const taken = dequeue();
    await enqueue(array(round));
    expect((await taken).toArray()).toEqual([round]);
  }
  for (let round = 0; round < 3; round++) {
    expect((await check(array(1))).toArray()).toEqual([1]);
    await expect(check(array(Number.NaN))).rejects.toThrow("no number");
  }
  await session.close();
});
