// What Python's TensorFlow knows of tensors while a graph is built, and what it does not: the rules of tensor_util.constant_value in TensorFlow 2.21.
import { expect, test } from "vitest";
import * as tf from "../index.ts";
import { staticShape, staticValue } from "./static-value.ts";

const build = <R>(body: () => R): R => new tf.Graph().asDefault(body);
const valueOf = (make: () => tf.Tensor): unknown => build(() => staticValue(make())?.toArray());
const ints = (values: readonly number[]): tf.Tensor => tf.constant([...values], "int32");

test("values are seen through the ops that Python's constant_value knows", () => {
  expect(valueOf(() => tf.shape(tf.placeholder("float32", [2, 3])))).toEqual([2, 3]);
  expect(valueOf(() => tf.cast(tf.range(0, 6, 2), "float32"))).toEqual([0, 2, 4]);
  expect(valueOf(() => tf.concat([ints([1, 2]), tf.stack([3, 4].map(n => tf.constant(n, "int32")))], 0))).toEqual([1, 2, 3, 4]);
  expect(valueOf(() => tf.concat([tf.reshape(ints([]), [2, 0]), tf.ones([2, 1], "int32")], 1))).toBeUndefined();
  expect(
    valueOf(
      () =>
        tf.unstack(
          tf.constant(
            [
              [1, 2],
              [3, 4],
            ],
            "int32",
          ),
        )[1],
    ),
  ).toEqual([3, 4]);
  expect(
    valueOf(
      () =>
        tf.split(
          tf.constant(
            [
              [1, 2],
              [3, 4],
            ],
            "int32",
          ),
          2,
          1,
        )[1],
    ),
  ).toEqual([[2], [4]]);
  expect(valueOf(() => tf.fill([2], tf.constant(7, "int32")))).toEqual([7, 7]);
  expect(valueOf(() => tf.equal(tf.constant([[1], [2]], "int32"), ints([2, 1])))).toEqual([
    [false, true],
    [true, false],
  ]);
  expect(valueOf(() => tf.notEqual(ints([1, 2]), ints([1, 3])))).toEqual([false, true]);
  expect(valueOf(() => tf.identity(tf.stopGradient(tf.rank(tf.placeholder("float32", [null, 2])))))).toEqual(2);
});

test("nothing is known of sums, slices or placeholders, though shape functions see more", () => {
  expect(valueOf(() => tf.add(ints([1]), ints([2])))).toBeUndefined();
  expect(valueOf(() => tf.shape(tf.placeholder("float32", [2, 3])).at(0))).toBeUndefined();
  expect(valueOf(() => tf.shape(tf.placeholder("float32", [2, null])))).toBeUndefined();
  expect(valueOf(() => tf.stack([ints([1]), ints([2])], 1))).toBeUndefined();
});

test("shapes are followed through partly known vectors", () => {
  const dims = (make: () => tf.Tensor): unknown => build(() => staticShape(make()).dims);
  const partly = (): tf.Tensor => tf.shape(tf.placeholder("float32", [null, 3, 4]));
  expect(dims(partly)).toEqual([null, 3, 4]);
  expect(dims(() => tf.cast(partly(), "int64"))).toEqual([null, 3, 4]);
  expect(dims(() => partly().at([1, null]))).toEqual([3, 4]);
  expect(dims(() => partly().at([null, -1]))).toEqual([null, 3]);
  expect(dims(() => tf.concat([ints([5]), partly()], 0))).toEqual([5, null, 3, 4]);
  expect(dims(() => tf.stack([tf.constant(2, "int32"), tf.placeholder("int32", [])]))).toEqual([2, null]);
  expect(dims(() => tf.constant(-1, "int32"))).toBeNull();
  expect(() => dims(() => tf.constant(3, "int32"))).toThrow("Received a scalar value '3' as shape");
});
