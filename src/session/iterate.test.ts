// Branches and loops whose insides need sizes that are only known while running, on both backends; and loops that do not need it.

import { describe, expect, test } from "vitest";
import type { DType } from "../base/dtype.ts";
import * as tf from "../index.ts";

const array = (values: readonly number[], dtype: DType, shape: readonly number[] = [values.length]): tf.NDArray =>
  tf.NDArray.from([...values], dtype, [...shape]);
const int = (value: number): tf.NDArray => array([value], "int32", []);
const zero = () => tf.constant(0, "int32");
const unknownLength = () => new tf.TensorShape([null]);

type Nested = number | readonly Nested[];

interface Built {
  readonly fetches: readonly tf.Tensor[];
  readonly runs: readonly { readonly feeds: [tf.Tensor, tf.NDArray][]; readonly expected: readonly Nested[] }[];
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

  test("what iterations give, collected in a TensorArray", () =>
    expectResults(() => {
      const x = tf.placeholder("int32", [null, 3]);
      const y = tf.mapFn((row: tf.Tensor) => tf.size(tf.unique(row).y), x) as tf.Tensor;
      return {
        fetches: [y, tf.add(y, 1)],
        runs: [
          {
            feeds: [[x, array([1, 1, 3, 2, 2, 2], "int32", [2, 3])]],
            expected: [
              [2, 1],
              [3, 2],
            ],
          },
          { feeds: [[x, array([1, 2, 3], "int32", [1, 3])]], expected: [[3], [4]] },
          { feeds: [[x, array([], "int32", [0, 3])]], expected: [[], []] },
        ],
      };
    }));

  test("pieces of different sizes, written and joined", () =>
    expectResults(() => {
      const x = tf.placeholder("float32", [null]);
      const start = new tf.TensorArray("float32", 0, { dynamicSize: true, inferShape: false });
      const [, pieces] = tf.whileLoop(
        (i: tf.Tensor) => tf.less(i, 3),
        (i: tf.Tensor, pieces: tf.TensorArray) => [tf.add(i, 1), pieces.write(i, tf.booleanMask(x, tf.greater(x, tf.cast(i, "float32"))))],
        [zero(), start],
      ) as [tf.Tensor, tf.TensorArray];
      return {
        fetches: [pieces.concat(), pieces.size()],
        runs: [
          { feeds: [[x, array([0.5, 1.5, 2.5], "float32")]], expected: [[0.5, 1.5, 2.5, 1.5, 2.5, 2.5], 3] },
          { feeds: [[x, array([-1], "float32")]], expected: [[], 3] },
        ],
      };
    }));

  test("gradients of a loop that selects while it runs", () =>
    expectResults(() => {
      const x = tf.placeholder("float32", [null]);
      const w = tf.placeholder("float32", []);
      const [, sum] = tf.whileLoop(
        (i: tf.Tensor) => tf.less(i, 3),
        (i: tf.Tensor, sum: tf.Tensor) => {
          const kept = tf.booleanMask(x, tf.greater(x, tf.cast(i, "float32")));
          return [tf.add(i, 1), tf.add(tf.multiply(sum, w), tf.reduceSum(tf.square(kept)))];
        },
        [zero(), tf.constant(1, "float32")],
      ) as tf.Tensor[];
      return {
        fetches: [sum, ...(tf.gradients(sum, [x, w]) as tf.Tensor[])],
        runs: [
          {
            feeds: [
              [x, array([0.5, 1.5, 2.5], "float32")],
              [w, array([2], "float32", [])],
            ],
            expected: [66.25, [4, 18, 35], 55.5],
          },
          {
            feeds: [
              [x, array([1.5], "float32")],
              [w, array([1], "float32", [])],
            ],
            expected: [5.5, [6], 9.75],
          },
        ],
      };
    }));

  test("gradients through a map over rows that selects", () =>
    expectResults(() => {
      const x = tf.placeholder("float32", [null, 3]);
      const y = tf.mapFn((row: tf.Tensor) => tf.reduceSum(tf.square(tf.booleanMask(row, tf.greater(row, 1)))), x) as tf.Tensor;
      return {
        fetches: [y, ...(tf.gradients(y, [x]) as tf.Tensor[])],
        runs: [
          {
            feeds: [[x, array([1, 2, 3, 0, 0, 4], "float32", [2, 3])]],
            expected: [
              [13, 16],
              [
                [0, 4, 6],
                [0, 0, 8],
              ],
            ],
          },
        ],
      };
    }));

  test("gradients of loops in loops with a branch", () =>
    expectResults(() => {
      const x = tf.placeholder("float32", [null]);
      const inner = (start: tf.Tensor, outer: tf.Tensor) =>
        (
          tf.whileLoop(
            (j: tf.Tensor) => tf.less(j, 2),
            (j: tf.Tensor, v: tf.Tensor) => {
              const kept = tf.booleanMask(x, tf.greater(x, tf.cast(tf.add(j, outer), "float32")));
              const next = tf.cond(
                tf.greater(j, 0),
                () => tf.multiply(v, tf.reduceSum(kept)),
                () => tf.add(v, tf.reduceSum(tf.square(kept))),
              ) as tf.Tensor;
              return [tf.add(j, 1), next];
            },
            [zero(), start],
          ) as tf.Tensor[]
        )[1];
      const [, result] = tf.whileLoop(
        (i: tf.Tensor) => tf.less(i, 2),
        (i: tf.Tensor, v: tf.Tensor) => [tf.add(i, 1), inner(v, i)],
        [zero(), tf.constant(1, "float32")],
      ) as tf.Tensor[];
      return {
        fetches: [result, ...(tf.gradients(result, [x]) as tf.Tensor[])],
        runs: [{ feeds: [[x, array([0.5, 1.5, 2.5], "float32")]], expected: [118.75, [10, 61.875, 134.375]] }],
      };
    }));
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
