// Calls of functions where edges of order meet what is fed.

import { expect, test } from "vitest";
import * as tf from "../../index.ts";

test("what waits for a fed placeholder waits for nothing, beside calls too", async () => {
  using _graph = new tf.Graph().asDefault();
  const x = tf.placeholder(tf.float32, []);
  const doubled = tf.function((value: tf.Tensor) => value.mul(2))(x) as tf.Tensor;
  const after = tf.controlDependencies([x], () => tf.add(doubled, 1));
  await using session = new tf.Session();
  expect((await session.run(after, [[x, 3]])).item()).toBe(7);
});
