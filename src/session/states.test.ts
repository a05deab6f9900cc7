// What a session holds between runs: variables whose shape a run changes, that hold nothing yet, or that were fed; and effects in the conditions of
// loops, which happen once for each time that a condition is asked.

import { describe, expect, test } from "vitest";
import { encodeText } from "../base/ndarray.ts";
import * as tf from "../index.ts";

const backends = ["wasm", "reference"] as const;

/** Runs in a graph and a session of its own; `values` are the results of runs, one after the other. */
async function inSession<T>(
  backend: (typeof backends)[number],
  build: () => T,
  use: (built: T, values: (...fetches: tf.Fetches[]) => Promise<unknown[]>, session: tf.Session) => Promise<void>,
): Promise<void> {
  const graph = new tf.Graph();
  const built = graph.asDefault(build);
  const session = new tf.Session({ graph, config: { backend } });
  const values = async (...fetches: tf.Fetches[]): Promise<unknown[]> => {
    const found: unknown[] = [];
    for (const fetch of fetches) found.push((await session.run(fetch))?.toArray() ?? null);
    return found;
  };
  await use(built, values, session);
  await session.close();
}

const ofAnyShape = (initial: tf.ArrayLike) => new tf.Variable(initial, { validateShape: false });
const assign = (variable: tf.Variable, value: tf.Tensor) => tf.assign(variable, value, { validateShape: false });
const grown = (variable: tf.Variable) => assign(variable, tf.concat([variable, variable], 0));

describe.each(backends)("on %s", backend => {
  test("a variable grows by what it holds, again and again", () =>
    inSession(
      backend,
      () => {
        const v = ofAnyShape([1, 2]);
        const words = new tf.Variable(["a", "b"], { validateShape: false });
        return { v, words, grow: grown(v), more: grown(words), start: tf.globalVariablesInitializer() };
      },
      async ({ v, words, grow, more, start }, values) => {
        const [two, four] = [
          [1, 2, 1, 2],
          [1, 2, 1, 2, 1, 2, 1, 2],
        ];
        expect(await values(start, grow, v, grow, v, start, v, grow)).toEqual([null, two, two, four, four, null, [1, 2], two]);
        expect(await values(more, words, more)).toEqual([
          ["a", "b", "a", "b"],
          ["a", "b", "a", "b"],
          ["a", "b", "a", "b", "a", "b", "a", "b"],
        ]);
      },
    ));

  test("variables take each other's shapes, and what follows sees the new one", () =>
    inSession(
      backend,
      () => {
        const v = ofAnyShape([1, 2]);
        const square = ofAnyShape([
          [1, 2, 3],
          [4, 5, 6],
        ]);
        const turned = assign(square, tf.transpose(square));
        const grow = grown(v);
        const both = tf.group(assign(v, tf.reshape(square, [-1])), turned);
        return { v, square, both, shape: tf.shape(grow), turnedShape: tf.shape(turned), start: tf.globalVariablesInitializer() };
      },
      async ({ v, square, both, shape, turnedShape, start }, values) => {
        const columns = [
          [1, 4],
          [2, 5],
          [3, 6],
        ];
        expect(await values(start, shape, both, v, square)).toEqual([null, [4], null, [1, 2, 3, 4, 5, 6], columns]);
        expect(await values(turnedShape, turnedShape)).toEqual([
          [2, 3],
          [3, 2],
        ]);
      },
    ));

  test("a branch and a loop may change a variable's shape", () =>
    inSession(
      backend,
      () => {
        const v = ofAnyShape([1]);
        const [chosen, count] = [tf.placeholder("bool", []), tf.placeholder("int32", [])];
        const maybe = tf.cond(
          chosen,
          () => tf.identity(grown(v)),
          () => tf.identity(v),
        );
        const often = tf.whileLoop(
          (i: tf.Tensor) => tf.less(i, count),
          (i: tf.Tensor) => tf.controlDependencies([assign(v, tf.concat([v.readValue(), [0]], 0))], () => [tf.add(i, 1)]),
          [tf.constant(0, "int32")],
        ) as tf.Tensor;
        return { v, chosen, maybe, often, count, start: tf.globalVariablesInitializer() };
      },
      async ({ v, chosen, maybe, often, count, start }, values, session) => {
        await session.run(start);
        expect((await session.run(maybe, [[chosen, false]])).toArray()).toEqual([1]);
        expect((await session.run(maybe, [[chosen, true]])).toArray()).toEqual([1, 1]);
        expect(await values(v)).toEqual([[1, 1]]);
        for (const times of [2, 0, 1]) expect((await session.run(often, [[count, times]])).item()).toBe(times);
        expect(await values(v)).toEqual([[1, 1, 0, 0, 0]]);
      },
    ));

  test("a branch that waits for another conditional keeps the arrays it made before", () =>
    inSession(
      backend,
      () => {
        const x = tf.placeholder("float32", []);
        const size = tf.cond(
          tf.greater(x, 0),
          () => x,
          () => tf.negative(x),
        ) as tf.Tensor;
        const rows = tf.constant([1, 2, 3]);
        const either = tf.cond(
          tf.greater(x, 2),
          () => tf.mapFn((row: tf.Tensor) => tf.add(row, size), rows),
          () => rows,
        ) as tf.Tensor;
        return { x, either };
      },
      async ({ x, either }, _, session) => {
        expect((await session.run(either, [[x, 3]])).toArray()).toEqual([4, 5, 6]);
        expect((await session.run(either, [[x, -1]])).toArray()).toEqual([1, 2, 3]);
      },
    ));

  test("looking at what a run compiles to changes no variable", () =>
    inSession(
      backend,
      () => {
        const v = ofAnyShape([1, 2]);
        return { v, longer: assign(v, tf.constant([1, 2, 3])), start: tf.globalVariablesInitializer() };
      },
      async ({ v, longer, start }, values, session) => {
        await session.run(start);
        await session.explain(longer);
        await session.counts(longer);
        expect(await values(v)).toEqual([[1, 2]]);
      },
    ));

  test("a branch that is not taken asks for no variable", () =>
    inSession(
      backend,
      () => {
        const v = new tf.Variable(5, { dtype: "float32", name: "v" });
        const chosen = tf.placeholder("bool", []);
        const read = tf.cond(
          chosen,
          () => v.readValue(),
          () => tf.constant(3, "float32"),
        );
        return { first: v.initializedValue(), chosen, read };
      },
      async ({ first, chosen, read }, values, session) => {
        expect(await values(first)).toEqual([5]);
        expect((await session.run(read, [[chosen, false]])).item()).toBe(3);
        await expect(session.run(read, [[chosen, true]])).rejects.toThrow(/^Attempting to use uninitialized value v\n/);
      },
    ));

  test("a variable of strings is no part of what was fed", () =>
    inSession(
      backend,
      () => {
        const x = tf.placeholder("string", [2]);
        const v = new tf.Variable(["", ""]);
        return { x, v, set: tf.assign(v, x) };
      },
      async ({ x, v, set }, values, session) => {
        const fed = new tf.NDArray("string", [2], ["a", "b"].map(encodeText));
        await session.run(set, [[x, fed]]);
        (fed.data as Uint8Array[])[0] = encodeText("changed");
        expect(await values(v)).toEqual([["a", "b"]]);
      },
    ));

  test("effects of a loop's condition happen once for each time it is asked", () =>
    inSession(
      backend,
      () => {
        const v = new tf.Variable(0, { dtype: "int32" });
        const queue = new tf.FIFOQueue(20, ["int32"], { shapes: [[]] });
        const next = (i: tf.Tensor): tf.Tensor[] => [tf.add(i, 1)];
        const zero = tf.constant(0, "int32");
        const asked = tf.whileLoop((i: tf.Tensor) => tf.controlDependencies([tf.assignAdd(v, 1)], () => tf.less(i, 5)), next, [zero]);
        // The body reads what the condition took.
        const taken = tf.whileLoop(
          (i: tf.Tensor, _sum: tf.Tensor) => tf.less(tf.add(i, tf.assignAdd(v, 10)), 150),
          (i: tf.Tensor, sum: tf.Tensor) => [tf.add(i, 1), tf.add(sum, i)],
          [zero, zero],
        );
        const waited = tf.whileLoop(() => tf.less(queue.dequeue() as tf.Tensor, 5), next, [zero]);
        const fill = queue.enqueueMany([tf.range(10)]);
        return { v, asked, taken, waited, fill, size: queue.size(), start: tf.globalVariablesInitializer() };
      },
      async ({ v, asked, taken, waited, fill, size, start }, values, session) => {
        expect(await values(start, asked as tf.Tensor, v)).toEqual([null, 5, 6]);
        const [i, sum] = (await session.run(taken)) as tf.NDArray[];
        expect([i.item(), sum.item(), ...(await values(v))]).toEqual([13, 78, 146]);
        expect(await values(fill, waited as tf.Tensor, size)).toEqual([null, 5, 4]);
      },
    ));
});

test("a signature in use stays when there are too many", async () => {
  const graph = new tf.Graph();
  const { x, y } = graph.asDefault(() => {
    const given = tf.placeholder("float32", [null], { name: "x" });
    return { x: given, y: tf.negative(given, { name: "y" }) };
  });
  const session = new tf.Session({ graph, config: { backend: "reference" } });
  let released = 0;
  const often = (size: number): Promise<unknown> => session.run("y:0", { "x:0": tf.NDArray.zeros("float32", [size]) });
  await often(0);
  for (const compiled of session["compiled"].values()) {
    const release = (await compiled).release.bind(compiled);
    const counted = (): void => {
      released++;
      release();
    };
    Object.assign(await compiled, { release: counted });
  }
  for (let size = 1; size < 300; size++) {
    await often(size);
    await often(0);
  }
  expect(released).toBe(0);
  expect([x.op.name, y.op.name]).toEqual(["x", "y"]);
  await session.close();
});

test.each(backends)("a case may write a variable that holds nothing, and another leave it so, on %s", async backend => {
  const graph = new tf.Graph();
  using _graph = graph.asDefault();
  const v = new tf.Variable(3, { dtype: "float32" });
  const isTaken = tf.placeholder("bool", []);
  const chosen = tf.cond(
    isTaken,
    () => tf.identity(tf.assign(v, 8)),
    () => tf.constant(1, "float32"),
  );
  await using session = new tf.Session({ graph, config: { backend } });
  expect((await session.run(chosen, [[isTaken, false]])).item()).toBe(1);
  expect((await session.run(tf.isVariableInitialized(v))).item()).toBe(false);
  expect((await session.run(chosen, [[isTaken, true]])).item()).toBe(8);
  expect((await session.run(v)).item()).toBe(8);
});
