// Small public names, beside what TensorFlow 2.21 answered: values, nodes, texts.

import * as tf from "tensorloom";
import { describe, expect, it, test } from "vitest";

const nodes = (): string[] =>
  tf
    .getDefaultGraph()
    .getOperations()
    .map(({ name, type }) => `${name} ${type}`);
const run = async (fetch: tf.Fetches, feeds: [tf.Tensor, number][] = []): Promise<unknown> => {
  await using session = new tf.Session();
  const got: unknown = await session.run(fetch, feeds);
  return Array.isArray(got) ? got.map(value => (value as tf.NDArray).toArray()) : (got as tf.NDArray).toArray();
};
const inGraph = <T>(body: () => T): T => new tf.Graph().asDefault(body);

test("versions", () => {
  expect([tf.VERSION, tf.GRAPH_DEF_VERSION, tf.GRAPH_DEF_VERSION_MIN_CONSUMER, tf.GRAPH_DEF_VERSION_MIN_PRODUCER]).toEqual([
    "2.21.0",
    2474,
    0,
    0,
  ]);
  expect(tf.OpError).toBe(tf.errors.OpError);
});

test("shapes", () => {
  const shape = new tf.TensorShape([null, 3]);
  expect(() => shape.assertHasRank(3)).toThrow("Shape (?, 3) must have rank 3");
  expect(() => shape.assertSameRank([1])).toThrow("Shapes (?, 3) and (1,) must have the same rank");
  expect(() => shape.assertIsCompatibleWith([2, 4])).toThrow("Shapes (?, 3) and [2, 4] are incompatible");
  expect(String(shape.mostSpecificCompatibleShape([null, 4]))).toBe("(?, ?)");
  expect(String(shape.mostSpecificCompatibleShape([2, 3]))).toBe("(?, 3)");
  expect([shape.ndims, shape.num_elements(), shape.is_fully_defined(), new tf.TensorShape([2, 3]).num_elements()]).toEqual([
    2,
    null,
    false,
    6,
  ]);
  expect(String(shape.mergeWith([2, null]))).toBe("(2, 3)");
});

describe("nodes", () => {
  it("verifyTensorAllFinite", () =>
    inGraph(() => {
      const x = tf.placeholder("float32", [2], { name: "x" });
      tf.verifyTensorAllFinite(x, "bad");
      expect(nodes()).toEqual(["x Placeholder", "VerifyFinite/CheckNumerics CheckNumerics", "VerifyFinite/control_dependency Identity"]);
      expect(tf.debugging.assertAllFinite).toBe(tf.verifyTensorAllFinite);
      expect(tf.debugging.checkNumerics).toBe(tf.checkNumerics);
      expect(tf.manip.reshape).toBe(tf.reshape);
    }));

  it("matchFilenamesOnce", () =>
    inGraph(() => {
      const variable = tf.train.matchFilenamesOnce("a*");
      expect(tf.localVariables()).toEqual([variable]);
      expect(nodes()).toEqual([
        "matching_filenames/MatchingFiles/pattern Const",
        "matching_filenames/MatchingFiles MatchingFiles",
        "matching_filenames VariableV2",
        "matching_filenames/Assign Assign",
        "matching_filenames/read Identity",
      ]);
    }));

  it("createPartitionedVariables", () =>
    inGraph(() => {
      const made = [
        tf.createPartitionedVariables([6, 2], [3, 1], tf.zerosInitializer(), { name: "p" }),
        tf.createPartitionedVariables([6, 2], [3, 1], tf.zerosInitializer()),
      ];
      const parts = [0, 1, 2];
      expect(made.map(list => list.map(v => v.name))).toEqual(
        ["p", "PartitionedVariable"].map(name => parts.map(k => `${name}/part_${k}:0`)),
      );
      const kinds = ["/Initializer/zeros Const", " VariableV2", "/Assign Assign", "/read Identity"];
      expect(nodes()).toEqual(
        ["p", "PartitionedVariable"].flatMap(name => parts.flatMap(k => kinds.map(kind => `${name}/part_${k}${kind}`))),
      );
      expect(() => tf.createPartitionedVariables([6, 2], [3], tf.zerosInitializer())).toThrow(
        "The 'shape' and 'slicing' of a partitioned Variable must have the length: shape: [6, 2], slicing: [3]",
      );
      expect(() => tf.createPartitionedVariables([], [], tf.zerosInitializer())).toThrow(
        "A partitioned Variable must have rank at least 1: shape: []",
      );
    }));

  it("container", () =>
    inGraph(() => {
      const made = tf.container("here", () => [tf.getVariable("v", [1]).op, tf.constant(1).op, new tf.FIFOQueue(2, "float32").queueRef.op]);
      expect(made.map(op => op.attrs.container)).toEqual(["here", undefined, "here"]);
      expect(tf.getVariable("w", [1]).op.attrs.container).toBe("");
    }));
});

describe("values", () => {
  it("collapseRepeated", async () => {
    using _ = new tf.Graph().asDefault();
    const rows = tf.constant(
      [
        [1, 1, 2, 2, 1],
        [3, 3, 3, 3, 4],
      ],
      "int32",
    );
    expect(await run([...tf.nn.collapseRepeated(rows, [5, 4])])).toEqual([
      [
        [1, 2, 1],
        [3, 0, 0],
      ],
      [3, 1],
    ]);
  });

  it("computeAverageLoss, scaleRegularizationLoss", async () => {
    using _ = new tf.Graph().asDefault();
    const average = tf.nn.computeAverageLoss([1, 2, 6]);
    const weighted = tf.nn.computeAverageLoss([1, 2, 6], { sampleWeight: [1, 0, 2], globalBatchSize: 6 });
    const [a, b, c] = (await run([average, weighted, tf.nn.scaleRegularizationLoss([1, 2])])) as number[];
    expect([a, Math.fround(2.1666667), c]).toEqual([3, b, 3]);
  });

  it("vectorizedMap", async () => {
    using _ = new tf.Graph().asDefault();
    const pairs = [tf.constant([1, 2, 3]), tf.constant([4, 5, 6])];
    const mapped = tf.vectorizedMap(pair => (pair as tf.Tensor[])[0].mul((pair as tf.Tensor[])[1]).add(1), pairs);
    expect(await run(mapped as tf.Tensor)).toEqual([5, 11, 19]);
  });

  it("switchCase", async () => {
    using _ = new tf.Graph().asDefault();
    const i = tf.placeholder("int32", []);
    const one = (value: number) => () => tf.constant(value);
    const withDefault = tf.switchCase(i, [one(1), one(5)], { default: one(9) }) as tf.Tensor;
    const without = tf.switchCase(i, { 0: one(1), 1: one(5) }) as tf.Tensor;
    const all = async (fetch: tf.Tensor): Promise<unknown[]> => [
      await run(fetch, [[i, 0]]),
      await run(fetch, [[i, 1]]),
      await run(fetch, [[i, 2]]),
      await run(fetch, [[i, -1]]),
    ];
    expect(await all(withDefault)).toEqual([1, 5, 9, 9]);
    expect(await all(without)).toEqual([1, 5, 5, 5]);
    expect(() => tf.switchCase(i, { 0: one(1), 2: one(5) })).toThrow(
      "branch indices (keys) must form contiguous range of [0 to 2) but found {0,2}",
    );
  });

  it("registerTensorConversionFunction", async () => {
    using _ = new tf.Graph().asDefault();
    class Celsius {
      readonly degrees = 7;
    }
    tf.registerTensorConversionFunction(Celsius, (value, _, name) => tf.constant(value.degrees, { name: name ?? "celsius" }));
    expect(await run(tf.convertToTensor(new Celsius() as never).add(1))).toBe(8);
    expect(() => tf.registerTensorConversionFunction(Celsius, 3 as never)).toThrow("conversion_func must be callable: 3");
  });
});

test("settings are told back", () => {
  const { config, debugging } = tf;
  const { optimizer, experimental } = config;
  expect(optimizer.getJit()).toBe("");
  optimizer.setJit(true);
  expect(optimizer.getJit()).toBe("autoclustering");
  optimizer.setJit("x");
  expect(optimizer.getJit()).toBe("");
  expect(experimental.tensorFloat_32ExecutionEnabled()).toBe(true);
  expect(experimental.getDevicePolicy()).toBe("silent");
  expect(() => experimental.setDevicePolicy("x" as "warn")).toThrow(/^Invalid argument `device_policy`: 'x'\. Please refer to/);
  const [device] = config.listPhysicalDevices();
  expect(experimental.getDeviceDetails(device)).toEqual({});
  expect(() => experimental.getMemoryInfo("CPU:0")).toThrow("Allocator stats not available for device 'CPU:0'");
  expect(() => experimental.resetMemoryStats("CPU:0")).toThrow("Cannot reset memory stats for device 'CPU:0'");
  const whole = new config.LogicalDeviceConfiguration();
  expect(config.getLogicalDeviceConfiguration(device)).toBeNull();
  expect(() => config.setLogicalDeviceConfiguration(device, [whole, whole])).toThrow(
    "Virtual devices cannot be modified after being initialized",
  );
  const limited = new config.LogicalDeviceConfiguration({ memoryLimit: 3 });
  expect(() => config.setLogicalDeviceConfiguration(device, [limited])).toThrow(
    "Setting memory limit on CPU virtual devices is currently not supported",
  );
  expect([debugging.isTracebackFilteringEnabled(), debugging.getLogDevicePlacement()]).toEqual([true, false]);
  debugging.disableTracebackFiltering();
  expect(debugging.isTracebackFilteringEnabled()).toBe(false);
  debugging.enableTracebackFiltering();
  expect([tf.savedModel.DEBUG_DIRECTORY, tf.savedModel.DEBUG_INFO_FILENAME_PB]).toEqual(["debug", "saved_model_debug_info.pb"]);
});
