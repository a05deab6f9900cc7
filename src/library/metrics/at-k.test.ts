// Metrics at k against TensorFlow's numbers, after two batches that are the same.
import { expect, it } from "vitest";
import * as tf from "../../index.ts";

it("gives TensorFlow's numbers for dense and sparse labels, one class, and weights", async () => {
  using _ = new tf.Graph().asDefault();
  const scores = [
    [0.1, 0.4, 0.3, 0.2],
    [0.7, 0.1, 0.15, 0.05],
    [0.25, 0.2, 0.3, 0.35],
  ];
  const predictions = tf.constant(scores);
  const labels = tf.constant(
    [
      [1, 2],
      [3, 1],
      [2, 0],
    ],
    { dtype: "int64" },
  );
  const places = [
    [0, 0],
    [0, 1],
    [1, 0],
    [2, 0],
  ];
  const sparse = new tf.SparseTensor(places, tf.constant([1, 3, 0, 9], { dtype: "int64" }), [3, 2]);
  const weights = tf.constant([1, 0.5, 2]);
  const metrics = [
    tf.metrics.precisionAtK(labels, predictions, 2),
    tf.metrics.precisionAtK(labels, predictions, 2, { classId: 1, weights }),
    tf.metrics.recallAtK(labels, predictions, 3),
    tf.metrics.recallAtK(sparse, predictions, 1),
    tf.metrics.averagePrecisionAtK(labels, predictions, 3),
    tf.metrics.averagePrecisionAtK(sparse, predictions, 2, { weights }),
  ];
  await using session = new tf.Session();
  await session.run(tf.localVariablesInitializer());
  const updates = metrics.map(([, update]) => update);
  await session.run(updates);
  await session.run(updates);
  const values = ((await session.run(metrics.map(([value]) => value))) as tf.NDArray[]).map(value => value.item());
  const want = [0.5, 1.0, 0.8333333333333334, 0.5, 0.5833333333333334, 0.2857142857142857];
  for (const [i, value] of values.entries()) expect(value, String(i)).toBeCloseTo(want[i], 12);
});

it("refuses what TensorFlow refuses", () => {
  using _ = new tf.Graph().asDefault();
  expect(() => tf.metrics.averagePrecisionAtK([[0]], [[0.5]], 0)).toThrow("Invalid k=0. `k` should be >= 1.");
  const labels = tf.placeholder("int64", [2, 2, 2]);
  expect(() => tf.metrics.recallAtTopK(labels, tf.placeholder("int64", [2, 3]))).toThrow(
    "Unexpected labels shape (2, 2, 2) for predictions shape (2, 3).",
  );
});
