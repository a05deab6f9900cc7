// Branches and loops whose insides need sizes that are only known while running, on both backends; and loops that do not need it.

import { describe, expect, test } from "vitest";
import type { DType } from "../base/dtype.ts";
import * as tf from "../index.ts";

const array = (values: readonly number[], dtype: DType, shape: readonly number[] = [values.length]): tf.NDArray =>
  tf.NDArray.from([...values], dtype, [...shape]);
const int = (value: number): tf.NDArray => array([value], "int32", []);
const zero = () => tf.constant(0, "int32");
const unknownLength = () => new tf.TensorShape([null]);

interface Built {
  readonly fetches: readonly tf.Tensor[];
  readonly runs: readonly { readonly feeds: [tf.Tensor, tf.NDArray][]; readonly expected: readonly (number | readonly number[])[] }[];
}

async function expectResults(build: () => Built): Promise<number> {
  const graph = new tf.Graph();
  const { fetches, runs } = graph.asDefault(build);
  let modules = 0;
  for (const backend of ["wasm", "reference"] as const) {
    const session = new tf.Session({ graph, config: { backend } });
    for (const { feeds, expected } of runs) {
      const results = await session.run(fetches, feeds);
      expect(results.map(result => (result.rank === 0 ? Number(result.item()) : result.toArray()))).toEqual(expected);
    }
    modules += (await session.counts(fetches, runs[0].feeds)).modules;
    await session.close();
  }
  return modules;
}

describe("sizes inside", () => {
  test("a loop's body", () =>
    expectResults(() => {
      const x = tf.placeholder("float32", [null]);
      const [i, sum] = tf.whileLoop(
        (i: tf.Tensor) => tf.less(i, 3),
        (i: tf.Tensor, sum: tf.Tensor) => [
          tf.add(i, 1),
          tf.add(sum, tf.reduceSum(tf.booleanMask(x, tf.greater(x, tf.cast(i, "float32"))))),
        ],
        [zero(), tf.constant(0, "float32")],
      ) as tf.Tensor[];
      return {
        fetches: [i, sum],
        runs: [
          { feeds: [[x, array([0.5, 1.5, 2.5, 3.5], "float32")]], expected: [3, 21.5] },
          { feeds: [[x, array([4, -1], "float32")]], expected: [3, 12] },
          { feeds: [[x, array([], "float32")]], expected: [3, 0] },
        ],
      };
    }));

  test("a branch", () =>
    expectResults(() => {
      const x = tf.placeholder("float32", [null]);
      const y = tf.cond(
        tf.greater(tf.reduceSum(x), 0),
        () => tf.reduceSum(tf.booleanMask(x, tf.greater(x, 1))),
        () => tf.reduceSum(tf.unique(x).y),
      ) as tf.Tensor;
      return {
        fetches: [y, tf.add(y, 1)],
        runs: [
          { feeds: [[x, array([0.5, 1.5, 2.5, 3.5], "float32")]], expected: [7.5, 8.5] },
          { feeds: [[x, array([-4, -4, -1], "float32")]], expected: [-5, -4] },
        ],
      };
    }));

  test("a branch in a loop, and what comes before and after", () =>
    expectResults(() => {
      const x = tf.placeholder("int32", [null]);
      const doubled = tf.multiply(x, 2);
      const [, sum] = tf.whileLoop(
        (i: tf.Tensor) => tf.less(i, 4),
        (i: tf.Tensor, sum: tf.Tensor) => {
          const picked = tf.cond(
            tf.equal(tf.floormod(i, 2), 0),
            () => tf.size(tf.unique(doubled).y),
            () => tf.size(tf.where(tf.greater(doubled, i)) as tf.Tensor),
          ) as tf.Tensor;
          return [tf.add(i, 1), tf.add(sum, picked)];
        },
        [zero(), zero()],
      ) as tf.Tensor[];
      return {
        fetches: [tf.add(sum, tf.reduceSum(doubled))],
        // Two distinct numbers, twice; three are above 1, one is above 3; and their sum.
        runs: [{ feeds: [[x, array([1, 1, 2], "int32")]], expected: [2 + 3 + 2 + 1 + 8] }],
      };
    }));

  test("a loop that grows until its own values end it", () =>
    expectResults(() => {
      const limit = tf.placeholder("float32", []);
      const grown = tf.whileLoop(
        (v: tf.Tensor) => tf.less(tf.reduceSum(v), limit),
        (v: tf.Tensor) => [tf.concat([v, tf.expandDims(tf.add(tf.reduceSum(v), 1), 0)], 0)],
        [tf.ones([1])],
        { shapeInvariants: [unknownLength()] },
      ) as tf.Tensor;
      return {
        fetches: [grown],
        runs: [
          { feeds: [[limit, array([5], "float32", [])]], expected: [[1, 2, 4]] },
          { feeds: [[limit, array([100], "float32", [])]], expected: [[1, 2, 4, 8, 16, 32, 64]] },
          { feeds: [[limit, array([0], "float32", [])]], expected: [[1]] },
        ],
      };
    }));

  test("variables that iterations write", async () => {
    const graph = new tf.Graph();
    const { x, last, v, initialize } = graph.asDefault(() => {
      const x = tf.placeholder("float32", [null]);
      const v = new tf.Variable(0, { dtype: "float32", useResource: true });
      const last = tf.whileLoop(
        (i: tf.Tensor) => tf.less(i, 3),
        (i: tf.Tensor) => {
          const kept = tf.booleanMask(x, tf.greater(x, tf.cast(i, "float32")));
          const added = tf.convertToTensor(v.assignAdd(tf.reduceSum(kept)) as tf.Tensor);
          return [tf.getDefaultGraph().controlDependencies([added.op], () => tf.add(i, 1))];
        },
        [zero()],
      ) as tf.Tensor;
      return { x, last, v, initialize: tf.globalVariablesInitializer() };
    });
    const session = new tf.Session({ graph });
    await session.run(initialize);
    await session.run(last, [[x, array([0.5, 1.5, 2.5, 3.5], "float32")]]);
    expect((await session.run(v)).item()).toBe(21.5);
    await session.run(last, [[x, array([4, -1], "float32")]]);
    expect((await session.run(v)).item()).toBe(33.5);
    await session.close();
  });

  test("a loop that collects in a TensorArray: refused by name", async () => {
    const graph = new tf.Graph();
    const { x, y } = graph.asDefault(() => {
      const x = tf.placeholder("int32", [null, 3]);
      return { x, y: tf.mapFn((row: tf.Tensor) => tf.size(tf.unique(row).y), x) as tf.Tensor };
    });
    const session = new tf.Session({ graph });
    await expect(session.run(y, [[x, array([1, 1, 3], "int32", [1, 3])]])).rejects.toThrow("(TensorArrayV3) lives inside one run");
    await session.close();
  });
});

test("a fed number of iterations compiles one module", async () => {
  const modules = await expectResults(() => {
    const n = tf.placeholder("int32", []);
    const [i, sum] = tf.whileLoop(
      (i: tf.Tensor) => tf.less(i, n),
      (i: tf.Tensor, sum: tf.Tensor) => [tf.add(i, 1), tf.add(sum, i)],
      [zero(), zero()],
    ) as tf.Tensor[];
    const run = (count: number) => ({
      feeds: [[n, int(count)]] as [tf.Tensor, tf.NDArray][],
      expected: [count, (count * (count - 1)) / 2 + 0],
    });
    return { fetches: [i, sum], runs: [5, 3000, 0, 77].map(run) };
  });
  expect(modules).toBe(1);
});
