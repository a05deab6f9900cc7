// Creators of variables, beside what TensorFlow 2.21 did with the same.

import * as tf from "tensorloom";
import { beforeEach, expect, test } from "vitest";

beforeEach(() => tf.resetDefaultGraph());

const scoped = (creator: tf.VariableCreator, body: () => tf.Variable): tf.Variable => tf.variableCreatorScope(creator, body);

test("creators see what variables are made of, the innermost first, and may change it", async () => {
  const seen: string[] = [];
  const outer: tf.VariableCreator = (next, options) => {
    seen.push(`outer ${options.name} ${options.useResource === true}`);
    return next({ ...options, trainable: false });
  };
  const inner: tf.VariableCreator = (next, options) => {
    seen.push(`inner ${options.name} ${options.useResource === true}`);
    return next({ ...options, useResource: true });
  };
  const made = tf.variableCreatorScope(outer, () => [
    scoped(inner, () => new tf.Variable([1, 2], { name: "v" })),
    scoped(inner, () => tf.getVariable("w", [2], { initializer: tf.onesInitializer() })),
    new tf.Variable(3, { name: "u" }),
  ]);
  expect(seen).toEqual(["inner v false", "outer v true", "inner w false", "outer w true", "outer u false"]);
  expect(made.map(({ op }) => op.type)).toEqual(["VarHandleOp", "VarHandleOp", "VariableV2"]);
  expect(made.map(({ trainable }) => trainable)).toEqual([false, false, false]);
  expect(tf.globalVariables()).toEqual(made);
  expect(new tf.Variable(1).trainable).toBe(true);
  await using session = new tf.Session();
  await session.run(tf.globalVariablesInitializer());
  expect((await session.run(made)).map(value => value.toArray())).toEqual([[1, 2], [1, 1], 3]);
});

test("a creator may give a variable that is there", () => {
  const shared = new tf.Variable(1, { name: "shared" });
  expect(
    scoped(
      () => shared,
      () => new tf.Variable(2),
    ),
  ).toBe(shared);
  expect(tf.globalVariables()).toEqual([shared]);
});
