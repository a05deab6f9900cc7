// Conditionals of Switches and Merges that control dependencies cut across. Expected numbers are TensorFlow 2.21's.

import { expect, test } from "vitest";
import * as tf from "../index.ts";

test("a step under the updates of one side of a conditional runs where that side is taken, with its gradients", async () => {
  using _graph = new tf.Graph().asDefault();
  const x = tf.placeholder(tf.float32, [null, 3]);
  const y = tf.placeholder(tf.float32, [null, 1]);
  const isTraining = tf.placeholder(tf.bool, []);
  const w = new tf.Variable([
    [-1, -0.6],
    [-0.2, 0.2],
    [0.6, 1],
  ]);
  const scale = new tf.Variable([1, 1]);
  const mean = new tf.Variable([0, 0], { trainable: false });
  const product = tf.matmul(x, w);
  const updates: tf.Operation[] = [];
  const normal = tf.cond(
    isTraining,
    () => {
      const of = tf.reduceMean(product, 0);
      updates.push(tf.assignSub(mean, mean.sub(of).mul(0.5)).op);
      return product.sub(of).mul(scale);
    },
    () => product.sub(mean).mul(scale),
  );
  const loss = tf.reduceMean(tf.square(tf.reduceSum(tf.nn.relu(normal), 1, { keepdims: true }).sub(y)));
  const step = tf.controlDependencies(updates, () => new tf.train.GradientDescentOptimizer(0.1).minimize(loss));
  const feeds = (training: boolean): tf.Feeds => [
    [
      x,
      [
        [1, 2, 3],
        [4, 5, 6.5],
        [0, 1, 0],
      ],
    ],
    [y, [[1], [2], [3]]],
    [isTraining, training],
  ];
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  for (const expected of [2.87, 0.1347394, 0.08473126])
    expect(Number((await session.run([step, loss], feeds(true)))[1].data[0])).toBeCloseTo(expected, 5);
  await session.run(step, feeds(false));
  expect(Number((await session.run(loss, feeds(false))).data[0])).toBeCloseTo(0.39003584, 5);
  const values = await session.run([scale, mean]);
  [0.9922168, 0.9258161, -2.600311, 2.189356].forEach((expected, i) => {
    expect(Number(values[i >> 1].data[i & 1])).toBeCloseTo(expected, 5);
  });
});

test("what waits for both sides of a conditional never runs, and has no value to fetch", async () => {
  using _graph = new tf.Graph().asDefault();
  const isLeft = tf.placeholder(tf.bool, []);
  const count = new tf.Variable(0);
  const sides: tf.Operation[] = [];
  const side = (amount: number) => () => {
    sides.push(tf.assignAdd(count, amount).op);
    return tf.identity(tf.constant(amount));
  };
  const chosen = tf.cond(isLeft, side(1), side(2));
  const [both, never] = tf.controlDependencies(sides, () => [tf.noOp(), tf.identity(chosen)] as const);
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await session.run([both], [[isLeft, true]]);
  expect(Number((await session.run(count)).data[0])).toBe(1);
  await expect(session.run(never, [[isLeft, true]])).rejects.toThrow("Retval[0] does not have value");
});

test("what waits for one side of a conditional has no value to fetch when the other is taken", async () => {
  using _graph = new tf.Graph().asDefault();
  const x = tf.placeholder("float32", [null]);
  const isLeft = tf.placeholder(tf.bool, []);
  const made: tf.Tensor[] = [];
  const side = (value: () => tf.Tensor) => () => {
    made.push(value());
    return made[made.length - 1];
  };
  const plain = tf.cond(
    isLeft,
    side(() => tf.add(tf.reduceSum(x), 1)),
    side(() => tf.multiply(tf.reduceSum(x), 2)),
  );
  // Chosen between two parts of a run.
  const cut = tf.cond(
    isLeft,
    side(() => tf.unique(x).y),
    side(() => tf.negative(x)),
  );
  const [left, right, leftCut, rightCut] = made.map(each => tf.controlDependencies([each], () => tf.add(tf.reduceSum(x), 5)));
  const doubled = tf.multiply(made[1], 2);
  await using session = new tf.Session();
  const run = async (fetches: readonly tf.Tensor[], taken: boolean): Promise<number[]> => {
    const feeds: tf.Feeds = [
      [x, [1, 1]],
      [isLeft, taken],
    ];
    return (await session.run(fetches, feeds)).map(value => Number(value.data[0]));
  };
  expect(await run([plain, left, leftCut], true)).toEqual([3, 7, 7]);
  expect(await run([cut, right, rightCut, doubled], false)).toEqual([-1, 7, 7, 8]);
  await expect(run([plain, left], false)).rejects.toThrow("Retval[1] does not have value");
  await expect(run([doubled], true)).rejects.toThrow("Retval[0] does not have value");
  await expect(run([x, cut, leftCut], false)).rejects.toThrow("Retval[2] does not have value");
  await expect(run([rightCut], true)).rejects.toThrow("Retval[0] does not have value");
});

test("a choice made for a later conditional on the same predicate goes there by the name that a Switch gives it", async () => {
  using _graph = new tf.Graph().asDefault();
  const x = tf.placeholder(tf.float32, []);
  const z = tf.placeholder(tf.float32, [3]);
  const isPositive = tf.greater(x, 0);
  const size = tf.cond(
    isPositive,
    () => tf.identity(x),
    () => tf.negative(x),
  ) as tf.Tensor;
  const odd = (scaled: tf.Tensor): tf.Tensor => {
    const more = tf.add(scaled, x);
    return tf.cond(
      tf.equal(tf.floormod(x, 2), 1),
      () => tf.add(more, x),
      () => z,
    ) as tf.Tensor;
  };
  const whenPositive = (): tf.Tensor => {
    const scaled = tf.multiply(z, size);
    const [isZero, isOne] = [0, 1].map(k => tf.equal(x, k));
    const unlessOne = (): tf.Tensor =>
      tf.cond(
        isOne,
        () => z,
        () => odd(scaled),
      ) as tf.Tensor;
    return tf.cond(isZero, () => z, unlessOne) as tf.Tensor;
  };
  const chosen = tf.cond(isPositive, whenPositive, () => z) as tf.Tensor;
  await using session = new tf.Session();
  const at = async (value: number): Promise<unknown> =>
    (
      await session.run(chosen, [
        [x, value],
        [z, [1, 2, 3]],
      ])
    ).toArray();
  expect([await at(-3), await at(1), await at(2), await at(3)]).toEqual([
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3],
    [9, 12, 15],
  ]);
});

// Numbers of TensorFlow 2.21 for the same program.
test.each([
  [true, [4, 32, 0], [12, 48, 0], [24, 48, 0]],
  [false, [6, 192, 1458], [30, 480, 2430], [120, 960, 3240]],
] as const)("higher gradients of conditionals whose cases differ in size: %s", async (taken, ...expected) => {
  using _graph = new tf.Graph().asDefault();
  const x = tf.placeholder("float32", [3]);
  const [p, q] = [tf.placeholder(tf.bool, []), tf.placeholder(tf.bool, [])];
  const cube = (): tf.Tensor => x.mul(x).mul(x);
  const y = tf.cond(p, () => x.mul(x).at([0, 2]), cube) as tf.Tensor;
  const inner = (): tf.Tensor =>
    tf.cond(
      p,
      () => tf.reduceSum(tf.sin(y)),
      () => tf.reduceSum(tf.cos(y)),
    ) as tf.Tensor;
  const loss = tf.cond(q, () => tf.reduceSum(y.mul(y)), inner) as tf.Tensor;
  const made: tf.Tensor[] = [];
  for (let from = loss; made.length < 3; from = made[made.length - 1]) made.push(tf.gradients(from, x)[0] as tf.Tensor);
  await using session = new tf.Session();
  const feeds: tf.Feeds = [
    [x, [1, 2, 3]],
    [p, taken],
    [q, true],
  ];
  const values = await session.run(made, feeds);
  expect(values.map(value => [...value.data])).toEqual(expected);
});

test("a conditional whose one side waits for another conditional on what surrounds it keeps its own choice", async () => {
  using _graph = new tf.Graph().asDefault();
  const x = tf.placeholder(tf.float32, []);
  const isPositive = tf.greater(x, 0);
  const early = tf.cond(
    tf.less(x, 2),
    () => tf.add(x, 1),
    () => x,
  );
  const late = tf.cond(
    isPositive,
    () => tf.square(x),
    () => tf.add(early, 1),
  );
  const waiting = () => tf.controlDependencies([late], () => tf.add(x, 3));
  const chosen = tf.cond(
    isPositive,
    () => tf.cond(tf.greater(x, 1), waiting, () => tf.square(x)),
    () => x,
  );
  await using session = new tf.Session();
  for (const [given, expected] of [
    [3, 6],
    [0.5, 0.25],
    [-1, -1],
  ])
    expect((await session.run(chosen, [[x, given]])).item()).toBe(expected);
});

test("constants of a function that a loop in a conditional calls are there before the conditional", async () => {
  using _graph = new tf.Graph().asDefault();
  const x = tf.placeholder(tf.float32, []);
  const next = tf.function((value: tf.Tensor) => tf.add(tf.multiply(value, 2), 1));
  const looped = tf.cond(
    tf.greater(x, 1),
    () =>
      tf.whileLoop(
        (i: tf.Tensor) => tf.less(i, 2),
        (i: tf.Tensor, value: tf.Tensor) => [tf.add(i, 1), next(value)],
        [tf.constant(0, "int32"), x],
      )[1] as tf.Tensor,
    () => x,
  );
  await using session = new tf.Session();
  expect((await session.run(looped, [[x, 3]])).item()).toBe(15);
  expect((await session.run(looped, [[x, 1]])).item()).toBe(1);
});

test("a loop's condition draws for each time that it is asked, beside the call of a function too", async () => {
  using _graph = new tf.Graph().asDefault();
  const most = 1000;
  const drawn = tf.whileLoop(
    (i: tf.Tensor) => tf.logicalAnd(tf.less(i, most), tf.less(tf.randomUniform([], 0, 1, { seed: 3 }), 0.7)),
    (i: tf.Tensor) => [tf.add(i, 1)],
    [tf.constant(0, "int32")],
  ) as tf.Tensor;
  const called = tf.function((x: tf.Tensor) => tf.identity(x))(tf.constant(1));
  await using session = new tf.Session();
  const alone = (await Promise.all([1, 2, 3, 4].map(() => session.run(drawn)))).map(count => count.item());
  await using other = new tf.Session();
  const beside = (await Promise.all([1, 2, 3, 4].map(() => other.run([drawn, called])))).map(([count]) => count.item());
  expect(beside).toEqual(alone);
  expect(Math.max(...(beside as number[]))).toBeLessThan(most);
});
