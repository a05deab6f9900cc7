// Runs in parts against what TensorFlow gives, errors included.
import { expect, it } from "vitest";
import * as tf from "../compat.ts";

it("computes nothing twice", async () => {
  using _ = new tf.Graph().as_default();
  const [a, b, c] = ["a", "b", "c"].map(name => tf.placeholder(tf.float32, [], { name }));
  const r1 = tf.add(a, b, { name: "r1" });
  const r2 = tf.multiply(r1, c, { name: "r2" });
  const v = tf.Variable(0, { name: "v" });
  const up = tf.assign_add(v, r1);
  const random = tf.random_uniform([], { seed: 1 });
  const y = tf.add(random, c);
  await using sess = new tf.Session();
  await sess.run(v.initializer);
  let h = sess.partial_run_setup([r1, r2], [a, b, c]);
  const first = await sess.partial_run(h, r1, [
    [a, 1],
    [b, 2],
  ]);
  expect(first.item()).toBe(3);
  await expect(sess.partial_run(h, r1, [])).rejects.toThrow("The fetch r1:0 has already been fetched.");
  await expect(sess.partial_run(h, [], [[a, 3]])).rejects.toThrow("The feed a:0 has already been fed.");
  expect((await sess.partial_run(h, [r2], { feed_dict: [[c, first]] }))[0].item()).toBe(9);
  await expect(sess.partial_run(h, r2)).rejects.toThrow("Must run 'setup' before performing partial runs!");

  h = sess.partial_run_setup([random, y, up], [a, b, c]);
  const [drawn] = await sess.partial_run(h, [random, up], { "a:0": 1, "b:0": 2 });
  const sum = await sess.partial_run(h, y, [[c, 10]]);
  expect(sum.item()).toBe(Math.fround(drawn.item() + 10));
  expect((await sess.run(v)).item()).toBe(3);
});

it("refuses in TensorFlow's words", async () => {
  using _ = new tf.Graph().as_default();
  const [a, c] = ["a", "c"].map(name => tf.placeholder(tf.float32, [], { name }));
  const r1 = tf.square(a, { name: "r1" });
  const r2 = tf.multiply(r1, c, { name: "r2" });
  await using sess = new tf.Session();
  let h = sess.partial_run_setup([r1, r2], [a, c]);
  await expect(sess.partial_run(h, r2, [[a, 1]])).rejects.toThrow("Fetch c:0 can't be computed from the feeds that have been fed so far.");
  h = sess.partial_run_setup([r1], [a]);
  await expect(sess.partial_run(h, r2, [[a, 1]])).rejects.toThrow("The fetch r2:0 was not specified in partial_run_setup.");
  await expect(sess.partial_run(h, r1, [[c, 1]])).rejects.toThrow("The feed c:0 was not specified in partial_run_setup.");
  expect(() => sess.partial_run_setup([], [a])).toThrow("Must specify at least one target to fetch or execute.");
  const ofOperation = sess.partial_run_setup([r1.op]);
  await expect(sess.partial_run(ofOperation, r1.op)).rejects.toThrow("partial_run() requires empty `target_list`.");
});
