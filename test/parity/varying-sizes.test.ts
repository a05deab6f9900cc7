// Random programs whose sizes follow from values, with effects and several fetches, against recordings of TensorFlow
// (generate/varying_sizes.py): what runs give, and what they leave in variables.

import { expect, test } from "vitest";
import * as tf from "../../src/index.ts";
import { loadSpec } from "./golden.ts";

type T = tf.Tensor;
type V = tf.Variable;
type Nested = number | readonly Nested[];

interface Run {
  readonly fetches: readonly string[];
  readonly x: readonly number[];
  readonly z: readonly number[];
  readonly t: readonly string[];
  readonly want?: Nested;
  readonly left?: Nested;
  readonly error?: string;
}

interface Recorded {
  readonly seed: number;
  readonly statements: readonly {
    readonly name: string;
    readonly op: string;
    readonly args: readonly (string | number)[];
    readonly after: readonly string[];
  }[];
  readonly runs: readonly Run[];
}

const count = (s: T, most: number): T => tf.cast(tf.minimum(tf.abs(s), most), "int32");
const above = (v: T, c: number | T): T => tf.booleanMask(v, tf.greater(v, c));
const copy = (v: unknown): T => tf.add(v as T, 0);
const zero = (): T => tf.constant(0, "int32");

const words = {
  mask: above,
  uniq: (v: T) => tf.unique(v).y,
  counts: (v: T) => tf.cast(tf.uniqueWithCounts(v).count, "float32"),
  part: (v: T, c: number, k: number) => tf.dynamicPartition(v, tf.cast(tf.greater(v, c), "int32"), 2)[k],
  found: (v: T, c: number) => tf.gather(v, tf.reshape(tf.where(tf.less(v, c)) as T, [-1])),
  concat: (a: T, b: T) => tf.concat([a, b], 0),
  plus: (v: T, s: T) => tf.add(v, s),
  times: (v: T, c: number) => tf.multiply(v, c),
  reverse: (v: T) => tf.reverse(v, [0]),
  cumsum: (v: T) => tf.cumsum(v),
  sum: (v: T) => tf.reduceSum(v),
  size: (v: T) => tf.cast(tf.size(v), "float32"),
  max: (v: T) => tf.reduceMax(tf.concat([v, [-9]], 0)),
  range: (s: T) => tf.cast(tf.range(count(s, 6)), "float32"),
  fill: (s: T, c: number) => tf.fill([count(s, 5)], tf.constant(c, "float32")),
  head: (v: T, s: T) => tf.slice(v, [0], [tf.minimum(count(s, 4), tf.size(v))]),
  words: (t: T) => tf.cast(tf.stringToHashBucketFast(tf.stringSplit(t).values, 7), "float32"),
  random: (seed: number) => tf.floor(tf.randomUniform([3], 0, 5, { seed })),
  drawn: (s: T, seed: number) => tf.floor(tf.randomUniform([count(s, 4)], 0, 5, { seed })),
  read: copy,
  add: (v: V, s: T) => copy(tf.assignAdd(v, s)),
  set: (v: V, x: T) => copy(tf.assign(v, x, { validateShape: false })),
  scatter: (v: V, x: T) => copy(tf.scatterAdd(v, tf.cast(tf.floormod(x, 3), "int32"), x)),
  either: (s: T, c: number, v: T, w: T) =>
    tf.cond(
      tf.greater(tf.identity(s), c),
      () => above(v, c),
      () => tf.multiply(w, 2),
    ) as T,
  addif: (s: T, c: number, u: V, v: T) =>
    tf.cond(
      tf.greater(tf.identity(s), c),
      () => copy(tf.assignAdd(u, tf.reduceSum(tf.unique(v).y))),
      () => tf.constant(-1, "float32"),
    ) as T,
  loop: (outerS: T, outerV: T) => {
    const [s, v] = [tf.identity(outerS), tf.identity(outerV)];
    const step = (i: T, a: T): T[] => [tf.add(i, 1), tf.add(a, tf.reduceSum(above(v, tf.cast(i, "float32"))))];
    return (tf.whileLoop((i: T) => tf.less(i, count(s, 3)), step, [zero(), tf.constant(0, "float32")]) as T[])[1];
  },
  grow: (outerS: T, outerV: T) => {
    const [s, v] = [tf.identity(outerS), tf.identity(outerV)];
    const step = (i: T, a: T): T[] => [tf.add(i, 1), tf.concat([a, tf.unique(v).y], 0)];
    const shapeInvariants = [new tf.TensorShape([]), new tf.TensorShape([null])];
    return (tf.whileLoop((i: T) => tf.less(i, count(s, 3)), step, [zero(), v], { shapeInvariants }) as T[])[1];
  },
  checked: (v: T, s: T) => tf.gather(v, tf.cast(s, "int32")),
  gradient: (v: T, c: number) => tf.gradients(tf.reduceSum(tf.square(above(v, c))), [v])[0] as T,
};

const expectClose = (got: Nested, want: Nested, where: string): void => {
  if (typeof want === "number") expect(Math.abs((got as number) - want), where).toBeLessThanOrEqual(1e-4 * (1 + Math.abs(want)));
  else {
    expect((got as readonly Nested[]).length, where).toBe(want.length);
    want.forEach((each, i) => void expectClose((got as readonly Nested[])[i], each, where));
  }
};

const arrays = (values: readonly (tf.NDArray | null)[]): Nested => values.map(value => value?.toArray() as Nested);
const vector = (values: readonly number[]): tf.NDArray => tf.NDArray.from([...values], "float32", [values.length]);

async function expectAsRecorded({ seed, statements, runs }: Recorded): Promise<void> {
  const graph = new tf.Graph();
  const { given, start } = graph.asDefault(() => {
    tf.setRandomSeed(7);
    const given: Record<string, T | V> = {
      x: tf.placeholder("float32", [null], { name: "x" }),
      z: tf.placeholder("float32", [null], { name: "z" }),
      t: tf.placeholder("string", [null], { name: "t" }),
      u: new tf.Variable(1, { name: "u", dtype: "float32" }),
      w: new tf.Variable([1, 2, 3], { name: "w", dtype: "float32" }),
      d: new tf.Variable([1, 2], { name: "d", dtype: "float32", validateShape: false }),
    };
    for (const { name, op, args, after } of statements) {
      const make = words[op as keyof typeof words] as (...args: unknown[]) => T;
      given[name] = tf.controlDependencies(
        after.map(each => given[each] as T),
        () => make(...args.map(arg => (typeof arg === "string" ? given[arg] : arg))),
      );
    }
    return { given, start: tf.globalVariablesInitializer() };
  });
  const session = new tf.Session({ graph });
  await session.run(start);
  for (const [k, { fetches, x, z, t, want, left, error }] of runs.entries()) {
    const where = `seed ${seed}, run ${k}`;
    const feeds: tf.Feeds = [
      [given.x as T, vector(x)],
      [given.z as T, vector(z)],
      [given.t as T, [...t]],
    ];
    const run = session.run(
      fetches.map(fetch => given[fetch] as T),
      feeds,
    );
    if (error !== undefined) {
      await expect(run, where).rejects.toThrow(expect.objectContaining({ name: error }));
      await session.run(start);
      continue;
    }
    expectClose(arrays(await run), want as Nested, where);
    expectClose(arrays(await session.run([given.u as V, given.w as V, given.d as V])), left as Nested, where);
  }
  await session.close();
}

const recorded = loadSpec("varying-sizes") as readonly Recorded[];

test.each([0, 1, 2, 3])("part %d of the programs", async part => {
  for (const program of recorded.filter(({ seed }) => seed % 4 === part)) await expectAsRecorded(program);
});
