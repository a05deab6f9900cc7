// Specs of rows, arrays and nothing, batch functions, and Session.reset, as TensorFlow 2.21 answered.

import * as tf from "tensorloom";
import { beforeEach, expect, test } from "vitest";

beforeEach(() => tf.resetDefaultGraph());

test("rows of a larger tensor", () => {
  expect(String(new tf.IndexedSlicesSpec())).toBe(
    "IndexedSlicesSpec(TensorShape(None), tf.float32, tf.int64, None, TensorShape([Dimension(None)]))",
  );
  const spec = new tf.IndexedSlicesSpec([null, 3], "float32", "int32", "int64", [null]);
  const indices = tf.constant([0, 1], "int32");
  const open = new tf.IndexedSlices(tf.zeros([2, 3]), indices);
  const whole = new tf.IndexedSlices(tf.zeros([2, 3]), indices, tf.constant([5, 3], "int64"));
  expect([spec.isCompatibleWith(open), spec.isCompatibleWith(whole), spec.isCompatibleWith(indices)]).toEqual([false, true, false]);
  expect([open, whole].map(value => String(tf.typeSpecFromValue(value)))).toEqual([
    "IndexedSlicesSpec(TensorShape([Dimension(None), Dimension(3)]), tf.float32, tf.int32, None, TensorShape([Dimension(2)]))",
    "IndexedSlicesSpec(TensorShape([Dimension(5), Dimension(3)]), tf.float32, tf.int32, tf.int64, TensorShape([Dimension(2)]))",
  ]);
});

test("TensorArrays and nothing", () => {
  const array = new tf.TensorArray("int32", 3, { elementShape: [2], dynamicSize: true, inferShape: false });
  const spec = new tf.TensorArraySpec([2], "int32", { dynamicSize: true, inferShape: false });
  expect(String(new tf.TensorArraySpec())).toBe("TensorArraySpec(TensorShape(None), tf.float32, False, True)");
  expect(String(tf.typeSpecFromValue(array))).toBe("TensorArraySpec(TensorShape([Dimension(2)]), tf.int32, True, False)");
  expect([spec.isCompatibleWith(array), spec.isCompatibleWith(new tf.TensorArraySpec([2], "int32"))]).toEqual([true, false]);
  expect(String(tf.data.experimental.TensorArrayStructure("int32", [2], true, false))).toBe(String(spec));
  expect(String(tf.typeSpecFromValue(null))).toBe("NoneTensorSpec()");
  expect(new tf.NoneTensorSpec().isCompatibleWith(null)).toBe(true);
});

test("a batch function is one node", async () => {
  const v = new tf.Variable(2, { name: "v" });
  const batched = tf.nondifferentiableBatchFunction(2, 10, 1000, { allowedBatchSizes: [5, 10] });
  const f = batched((a: tf.Tensor, b: tf.Tensor) => [a.mul(v).add(1), tf.reduceSum(b, 1)]);
  const fetched = f(tf.placeholderWithDefault(tf.ones([3, 2]), [null, 2]), tf.ones([3, 2])) as tf.Tensor[];
  const [first] = fetched;
  expect([first.name, first.op.inputs.map(({ name }) => name)]).toEqual([
    "batch/BatchFunction:0",
    ["PlaceholderWithDefault:0", "ones_1:0", "v/read:0"],
  ]);
  const { sharedName, allowedBatchSizes, enableLargeBatchSplitting } = first.op.attrs;
  expect([sharedName, allowedBatchSizes, enableLargeBatchSplitting]).toEqual(["batch/", [5, 10], true]);
  await using session = new tf.Session();
  await session.run(v.initializer);
  const values = (await session.run(fetched)) as tf.NDArray[];
  expect(values.map(value => value.toArray())).toEqual([
    [
      [3, 3],
      [3, 3],
      [3, 3],
    ],
    [2, 2, 2],
  ]);
  expect(() => batched((a: tf.Tensor) => a)(1 as never)).toThrow("All arguments to functions decorated with `batch_function`");
});

test("a reset closes the sessions that are open", async () => {
  const session = new tf.Session();
  await session.run(tf.constant(1));
  await tf.Session.reset("");
  await expect(session.run(tf.constant(1))).rejects.toThrow(/closed/);
  await expect(tf.Session.reset("grpc://x")).rejects.toThrow("No session factory registered for the given session options");
});

test("settings of checkpoints", () => {
  const { enableAsync, experimentalEnableAsyncCheckpoint, experimentalIoDevice } = new tf.train.CheckpointOptions({ enableAsync: true });
  expect([enableAsync, experimentalEnableAsyncCheckpoint, experimentalIoDevice]).toEqual([true, true, null]);
});

test("conv is the op's function", async () => {
  await using session = new tf.Session();
  const made = tf.conv(tf.ones([1, 4, 4, 1]), tf.ones([2, 2, 1, 1]), [1, 1, 1, 1], "VALID", { name: "c" });
  expect([made.name, made.shape.dims, (await session.run(made)).get(0)]).toEqual(["c:0", [1, 3, 3, 1], 4]);
});
