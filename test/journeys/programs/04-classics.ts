// Linear regression, logistic regression, k-means, nearest neighbour.

import * as tf from "tensorloom";
import { type Data, float64, numbers, oneHot, range, type Journal, rowsOf, slice } from "./record.ts";

async function linearRegression(data: Data, record: Journal): Promise<void> {
  const [xs, ys] = [data.line_x, data.line_y];
  const [X, Y] = [tf.placeholder("float32"), tf.placeholder("float32")];
  const W = new tf.Variable(0.3, { name: "weight" });
  const b = new tf.Variable(-0.2, { name: "bias" });
  const pred = tf.add(tf.multiply(X, W), b);
  const cost = tf.reduceSum(tf.pow(pred.sub(Y), 2)).truediv(2 * xs.size);
  const optimizer = new tf.train.GradientDescentOptimizer(0.05).minimize(cost);
  record.graph("linear");
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  await record.initial(session, "linear");
  const feedOf = (x: tf.NDArray | number, y: tf.NDArray | number) =>
    new Map<tf.Tensor, tf.NDArray | number>([
      [X, x],
      [Y, y],
    ]);
  for (let epoch = 0; epoch < 20; epoch++) {
    for (let i = 0; i < xs.size; i++) await session.run(optimizer, feedOf(Number(xs.get(i)), Number(ys.get(i))));
    const [linearCost, linearW, linearB] = await session.run([cost, W, b], feedOf(xs, ys));
    record.step({ linear_cost: linearCost, linear_w: linearW, linear_b: linearB });
  }
  await record.final(session, "linear");
}

async function logisticRegression(data: Data, record: Journal): Promise<void> {
  const onehot = oneHot(data.classes, 4);
  const x = tf.placeholder("float32", [null, 6]);
  const y = tf.placeholder("float32", [null, 4]);
  const W = new tf.Variable(tf.zeros([6, 4]));
  const b = new tf.Variable(tf.zeros([4]));
  const pred = tf.nn.softmax(tf.matmul(x, W).add(b));
  const cost = tf.reduceMean(tf.reduceSum(y.mul(tf.log(pred)), { reductionIndices: 1 }).neg());
  const optimizer = new tf.train.GradientDescentOptimizer(0.5).minimize(cost);
  const correct = tf.equal(tf.argmax(pred, 1), tf.argmax(y, 1));
  const accuracy = tf.reduceMean(tf.cast(correct, "float32"));
  const init = tf.globalVariablesInitializer();
  record.graph("logistic");
  await using session = new tf.Session();
  await session.run(init);
  await record.initial(session, "logistic");
  const feedOf = (from: number, to: number) =>
    new Map([
      [x, slice(data.inputs, from, to)],
      [y, slice(onehot, from, to)],
    ]);
  for (let i = 0; i < 30; i++) {
    const at = (i * 20) % 80;
    record.step({ logistic_cost: (await session.run([optimizer, cost], feedOf(at, at + 20)))[1] });
  }
  record.value("logistic accuracy", await session.run(accuracy, feedOf(0, 90)));
  await record.final(session, "logistic");
}

async function kMeans(data: Data, record: Journal, k = 3): Promise<void> {
  const points = tf.constant(data.points);
  const centroids = new tf.Variable(tf.slice(points, [0, 0], [k, -1]), { name: "centroids" });
  const assignments = new tf.Variable(tf.zeros([60], "int64"), { name: "assignments" });
  const distances = tf.reduceSum(tf.square(tf.subtract(tf.expandDims(points, 0), tf.expandDims(centroids, 1))), 2);
  const nearest = tf.argmin(distances, 0);
  const didChange = tf.reduceAny(tf.notEqual(nearest, assignments));
  const total = tf.unsortedSegmentSum(points, nearest, k);
  const count = tf.unsortedSegmentSum(tf.ones([60, 1]), nearest, k);
  const update = tf.controlDependencies([didChange], () =>
    tf.group(centroids.assign(total.truediv(tf.maximum(count, 1))), assignments.assign(nearest)),
  );
  const spread = tf.reduceMean(tf.reduceMin(distances, 0));
  record.graph("kmeans");
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  for (let i = 0; i < 10; i++) {
    const [changed, value] = await session.run([didChange, spread, update]);
    record.step({ kmeans_changed: changed, kmeans_spread: value });
  }
  record.value("kmeans assignments", await session.run(assignments));
  record.value("kmeans centroids", await session.run(centroids));
  const { y, count: counts } = tf.uniqueWithCounts(assignments);
  record.value("kmeans groups", await session.run([y, counts]));
  await record.final(session, "kmeans");
}

async function nearestNeighbour(data: Data, record: Journal): Promise<void> {
  const xtr = tf.placeholder("float32", [null, 2]);
  const xte = tf.placeholder("float32", [2]);
  const distance = tf.reduceSum(tf.abs(tf.add(xtr, tf.negative(xte))), { reductionIndices: 1 });
  const pred = tf.argMin(distance, 0);
  const { values, indices } = tf.nn.topK(tf.negative(distance), 5);
  await using session = new tf.Session();
  const feedOf = (i: number) =>
    new Map([
      [xtr, slice(data.points, 0, 40)],
      [xte, rowsOf(data.points, [i]).reshape([2])],
    ]);
  const found: [number, number[]][] = [];
  for (let i = 40; i < 60; i++)
    found.push([Number((await session.run(pred, feedOf(i))).item()), numbers(await session.run(indices, feedOf(i)))]);
  record.value("neighbours", found);
  const group = numbers(data.group);
  const right = range(0, found.length).filter(n => group[found[n][0]] === group[40 + n]).length / found.length;
  record.value("right", float64(right));
  record.value("last distances", await session.run(values, feedOf(59)));
}

export async function main(data: Data, record: Journal): Promise<void> {
  for (const part of [linearRegression, logisticRegression, kMeans, nearestNeighbour]) {
    using _ = new tf.Graph().asDefault();
    await part(data, record);
  }
}
