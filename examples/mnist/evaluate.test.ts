import * as tf from "tensorloom";
import { expect, test } from "vitest";
import { type Digits, pixels } from "../shared/digits.ts";
import { evaluate, mistakeRows } from "./evaluate.ts";
import { learningRateShare } from "./model.ts";

test("evaluate counts over all batches, the smaller last one too", async () => {
  const count = 1203;
  const digits: Digits = {
    count,
    images: Uint8Array.from({ length: count * pixels }, (_, k) => (Math.floor(k / pixels) % 10) * 20),
    labels: Uint8Array.from({ length: count }, (_, k) => k % 10),
  };
  const graph = new tf.Graph();
  const { images, predicted } = graph.asDefault(() => {
    const images = tf.placeholder(tf.float32, [null, 28, 28, 1]);
    // Reads the digit off the grey of its paper, but takes every 9 for a 4.
    const digit = tf.cast(tf.reduceMax(images, [1, 2, 3]).mul(12.75).add(0.5), tf.int32);
    return { images, predicted: tf.where(tf.equal(digit, 9), tf.onesLike(digit).mul(4), digit) };
  });
  const session = new tf.Session({ graph });
  const { accuracy, confusion, mistakes } = await evaluate(session, { images, predicted }, digits);
  await session.close();
  expect(accuracy).toBe(1 - 120 / count);
  expect(confusion[9]).toEqual([0, 0, 0, 0, 120, 0, 0, 0, 0, 0]);
  expect(confusion[0]).toEqual([121, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(mistakes).toHaveLength(120);
  expect(mistakes.at(-1)).toEqual({ index: 1199, truth: 9, predicted: 4 });
});

test("mistakes are listed in rows of 16", () => {
  const mistakes = Array.from({ length: 18 }, (_, index) => ({ index, truth: 4, predicted: 9 }));
  expect(mistakeRows(mistakes)).toEqual([`  row  1: ${new Array(16).fill("4>9").join(" ")}`, "  row  2: 4>9 4>9"]);
});

test("the learning rate climbs for a twentieth of the training and falls to almost nothing", () => {
  const shares = Array.from({ length: 1000 }, (_, step) => learningRateShare(step, 1000));
  expect(shares[0]).toBeCloseTo(1 / 50, 10);
  expect(shares.indexOf(Math.max(...shares))).toBe(49);
  expect(Math.max(...shares)).toBeCloseTo(0.951, 10);
  expect(shares[999]).toBeCloseTo(0.001, 10);
  expect(shares.every(share => share > 0 && share < 1)).toBe(true);
});

test.each([1, 2, 5])("a training of %i steps learns in each of them", steps => {
  for (let step = 0; step < steps; step++) expect(learningRateShare(step, steps)).toBeGreaterThan(0);
});
