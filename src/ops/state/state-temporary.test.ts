// Values that stay in a session under a text, runs that wait for one another at a staging area, and an op that stops the run.

import { expect, it } from "vitest";
import * as tf from "tensorloom";

it("keeps a value in the session until it is deleted", async () => {
  const graph = new tf.Graph();
  const made = graph.asDefault(() => {
    const x = tf.placeholder("float32", [2]);
    const handle = tf.getSessionHandle(tf.multiply(x, 2));
    const [holder, value] = tf.getSessionTensor(null, "float32");
    const [victim, deleter] = tf.deleteSessionTensor(null);
    return { x, handle, holder, value, victim, deleter };
  });
  await using session = new tf.Session({ graph });
  const first = await session.run(made.handle, [[made.x, [1, 2]]]);
  const second = await session.run(made.handle, [[made.x, [5, 6]]]);
  expect((await session.run(made.value, [[made.holder, first]])).toArray()).toEqual([2, 4]);
  expect((await session.run(made.value, [[made.holder, second]])).toArray()).toEqual([10, 12]);
  await session.run(made.deleter, [[made.victim, first]]);
  await expect(session.run(made.value, [[made.holder, first]])).rejects.toThrow("is not in the session store.");
});

it("waits at a staging area for another run, and for room", async () => {
  const graph = new tf.Graph();
  const { put, get } = graph.asDefault(() => ({
    put: tf.rawOps.Stage({ values: [tf.constant([1, 2])], capacity: 1, sharedName: "s" }),
    get: tf.rawOps.Unstage({ dtypes: ["float32"], sharedName: "s" }),
  }));
  await using session = new tf.Session({ graph });
  const taken = session.run([...get]);
  await session.run(put);
  expect((await taken)[0].toArray()).toEqual([1, 2]);
  await session.run(put);
  const waiting = session.run(put);
  await session.run([...get]);
  await waiting;
  expect((await session.run([...get]))[0].toArray()).toEqual([1, 2]);
});

it("stops the run at Abort", async () => {
  const graph = new tf.Graph();
  const stop = graph.asDefault(() => tf.rawOps.Abort({ errorMsg: "enough" }));
  await using session = new tf.Session({ graph });
  await expect(session.run(stop)).rejects.toThrow("enough");
});
