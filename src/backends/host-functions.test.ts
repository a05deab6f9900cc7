// Special functions are loaded when a program needs one.
import * as tf from "tensorloom";
import { expect, it } from "vitest";
import { hostFunctions, NeedsFunctions } from "./host-functions.ts";

// In this order: what is loaded stays.
it("loads special functions when a shape that is computed while compiling needs one", async () => {
  expect(() => hostFunctions.lgamma(4)).toThrow(NeedsFunctions);
  const count = tf.cast(tf.round(tf.exp(tf.lgamma(tf.constant(4)))), tf.int32);
  await using session = new tf.Session();
  expect(String(await session.run(tf.reduceSum(tf.fill([count], 1))))).toBe("6");
  expect(hostFunctions.lgamma(4)).toBeCloseTo(Math.log(6), 14);
});
