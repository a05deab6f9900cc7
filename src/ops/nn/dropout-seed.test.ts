// A dropout of rate 0 takes its turn among the seeds, as TensorFlow's does.

import * as tf from "tensorloom";
import { expect, test } from "vitest";

test("a dropout that drops nothing counts among the seeds of a graph", () => {
  const seeds = new tf.Graph().asDefault(() => {
    tf.setRandomSeed(935);
    tf.nn.dropout(tf.ones([2]), { keepProb: 1 });
    return tf.getSeed(null);
  });
  expect(seeds).toEqual([935, 1]);
});
