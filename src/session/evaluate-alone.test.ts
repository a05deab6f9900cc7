// What shapes are made of is followed through any operations on constants. Shapes recorded from TensorFlow 2.21.
import { describe, expect, it } from "vitest";
import * as tf from "../index.ts";
import { Graph } from "../graph/graph.ts";

const inGraph = <R>(body: () => R): R => new Graph().asDefault(body);

describe("shapes made of computed constants", () => {
  it("follows floats, and through operations that say nothing of their values themselves", () => {
    inGraph(() => {
      const exact = tf.cast(tf.round(tf.exp(tf.constant([1, 2], { dtype: "float32" }))), "int32");
      expect(tf.fill(exact, 1).shape.asList()).toEqual([3, 7]);
      expect(tf.signal.kaiserWindow(6).shape.asList()).toEqual([6]);
      const repeated = tf.repeat(tf.placeholder("float32", { shape: [3, 2] }), [1, 2, 0], { axis: 0 });
      expect(repeated.op.graph.getOperationByName("Repeat/SequenceMask/Less").outputs[0].shape.asList()).toEqual([3, 2]);
    });
  });

  it("follows a Switch to the side that is alive", () => {
    inGraph(() => {
      const { outputFalse, outputTrue } = tf.rawOps.Switch({ data: tf.constant([2, 3], { dtype: "int32" }), pred: true });
      expect(tf.fill(outputTrue, 0).shape.asList()).toEqual([2, 3]);
      expect(tf.fill(outputFalse, 0).shape.asList()).toEqual([null, null]);
    });
  });

  it("knows nothing of what may be fed, is random or fails", () => {
    inGraph(() => {
      const one = tf.constant(1);
      const given = tf.placeholderWithDefault(tf.constant([2, 3], { dtype: "int32" }), [2]);
      const random = tf.randomUniform([2], { minval: 1, maxval: 5, dtype: "int32" });
      const failing = tf.gather(tf.bitwise.invert(tf.constant([2, 3], { dtype: "int32" })), [0, 9]);
      for (const size of [given, random, failing]) expect(tf.fill(size, one).shape.asList()).toEqual([null, null]);
    });
  });

  it("leaves what is large to the run", () => {
    inGraph(() => {
      const sum = tf.reduceSum(tf.exp(tf.zeros([300, 300])));
      expect(tf.fill([tf.cast(sum, "int32")], 0).shape.asList()).toEqual([null]);
    });
  });
});
