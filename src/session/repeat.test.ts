// Runs and calls that are like one before: what they give is what any run gives, and they ask nobody.
import { expect, test, vi } from "vitest";
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

/** y = 2x and z = x + 1 of rows of any length, and a count of runs. */
function model() {
  const graph = new tf.Graph();
  return graph.asDefault(() => {
    const x = tf.placeholder(tf.float32, [null]);
    const rate = tf.placeholder(tf.float32, []);
    const counter = new tf.Variable(0);
    const count = counter.assignAdd(1);
    return { graph, x, rate, y: x.mul(2), z: x.add(rate), counter, count, init: tf.globalVariablesInitializer() };
  });
}

test("fetches that change between runs, lists made anew and lists changed in place", async () => {
  const { graph, x, rate, y, z, counter, count, init } = model();
  await using session = new tf.Session({ graph });
  await session.run(init);
  const values = (results: unknown): unknown => JSON.parse(JSON.stringify(results, (_, v) => (v instanceof tf.NDArray ? v.toArray() : v)));
  const fetches: tf.Tensor[] = [y, z];
  for (const [row, by] of [
    [[1], 1],
    [[2], 2],
    [[3, 4], 3],
    [[5, 6], 4],
    [[7], 5],
  ] as const) {
    const feeds = [[x, array(...row)] as const, [rate, by] as const];
    const doubled = row.map(v => 2 * v);
    const added = row.map(v => v + by);
    expect(values(await session.run(fetches, feeds))).toEqual([doubled, added]);
    expect(values(await session.run([z, [y, y]], new Map<tf.Tensor, tf.ArrayLike>(feeds)))).toEqual([added, [doubled, doubled]]);
    expect(values(await session.run({ z, inner: { y } }, feeds))).toEqual({ z: added, inner: { y: doubled } });
    expect(values(await session.run({ y, inner: { y } }, feeds))).toEqual({ y: doubled, inner: { y: doubled } });
    expect(values(await session.run(y.name, { [x.name]: [...row] }))).toEqual(doubled);
    expect(values(await session.run([init, "init", z], [...feeds].reverse()))).toEqual([null, null, added]);
    await expect(session.run([y, "absent"], feeds)).rejects.toThrow("absent");
  }
  fetches.reverse();
  expect(values(await session.run(fetches, [[x, array(1)], [rate, 7]]))).toEqual([[8], [2]]); // biome-ignore format: pairs
  fetches.push(y);
  expect(values(await session.run(fetches, [[x, array(1)], [rate, 7]]))).toEqual([[8], [2], [2]]); // biome-ignore format: pairs
  for (let i = 1; i <= 3; i++) expect((await session.run([counter.op, count]))[1].item()).toBe(i);
});

test("what is refused stays refused, and what becomes so too", async () => {
  const { graph, x, y, z } = model();
  const session = new tf.Session({ graph });
  for (let i = 0; i < 3; i++) {
    expect((await session.run(y, [[x, array(i)]])).toArray()).toEqual([2 * i]);
    await expect(session.run(y, [[x, [[i]]]])).rejects.toThrow("Cannot feed value of shape (1, 1) for Tensor");
    await expect(session.run([y, z], [[x, array(i)]])).rejects.toThrow("You must feed a value for placeholder tensor");
    await expect(session.run(y, [[x, null as never]])).rejects.toThrow("Cannot feed value of shape ()");
  }
  x.setShape([1]);
  expect((await session.run(y, [[x, array(1)]])).toArray()).toEqual([2]);
  x.setShape([1]);
  await expect(session.run(y, [[x, array(1, 2)]])).rejects.toThrow("Cannot feed value of shape (2,)");
  graph.preventFeeding(x);
  await expect(session.run(y, [[x, array(1)]])).rejects.toThrow("may not be fed");
  await session.close();
  await expect(session.run(y, [[x, array(1)]])).rejects.toThrow("Attempted to use a closed Session.");
});

test("more kinds of runs than are remembered, at once and in turn", async () => {
  const { graph, x, y } = model();
  await using session = new tf.Session({ graph });
  const row = (n: number): tf.NDArray => array(...Array.from({ length: n }, (_, i) => i + n));
  for (let round = 0; round < 3; round++) {
    for (let n = 1; n <= 12; n++)
      expect((await session.run(y, [[x, row(n)]])).toArray()).toEqual(Array.from({ length: n }, (_, i) => 2 * (i + n)));
    const together = await Promise.all([1, 2, 3, 3, 2].map(n => session.run([y], [[x, row(n)]])));
    expect(together.map(([{ shape }]) => shape[0])).toEqual([1, 2, 3, 3, 2]);
  }
});

test("a run like the last one looks nothing up and copies each feed once", async () => {
  // Events are let in when time has passed, by a run that is like any first one.
  const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now());
  const { graph, x, rate, z, count, init } = model();
  await using session = new tf.Session({ graph, config: { intraOpParallelismThreads: 1 } });
  await session.run(init);
  const [row, by] = [array(1, 2), new tf.NDArray("float32", [], Float32Array.of(3))];
  const call = session.makeCallable([count, z], { feedList: [x, rate] });
  const steps = [
    (): Promise<unknown> => session.run([count, z], new Map([[x, row], [rate, by]])), // biome-ignore format: pairs
    (): Promise<unknown> => session.run([count, z], [[x, row], [rate, by]]), // biome-ignore format: pairs
    (): Promise<unknown> => call(row, by),
  ];
  for (const step of steps) await step();
  const lookUps = [vi.spyOn(graph, "asGraphElement"), vi.spyOn(graph, "isFeedable"), vi.spyOn(graph, "isFetchable")];
  const copies = vi.spyOn(Object.getPrototypeOf(Float32Array.prototype), "set");
  try {
    for (const step of steps) await step();
    expect(lookUps.map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0]);
    expect(copies.mock.calls.length).toBe(2 * steps.length);
  } finally {
    for (const spy of [...lookUps, copies, clock]) spy.mockRestore();
  }
});
