// Small parts of the top level that programs call while they begin: switches, settings, types by name, conversions, structures, files, errors.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as compat from "../compat.ts";
import * as tf from "../index.ts";

describe("the beginning of a program", () => {
  it("may say that it is TensorFlow 1", () => {
    compat.tf.disable_v2_behavior();
    compat.tf.disable_eager_execution();
    expect([tf.executingEagerly(), tf.controlFlowV2Enabled()]).toEqual([false, false]);
    expect(() => tf.enableEagerExecution()).toThrow("eager execution is not part of tensorloom.");
    expect(tf.config.listPhysicalDevices("GPU")).toEqual([]);
    expect(String(tf.config.listPhysicalDevices()[0])).toBe("PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')");
  });

  it("may configure a session by messages", async () => {
    using _ = new tf.Graph().asDefault();
    const config = compat.tf.ConfigProto({ allow_soft_placement: true });
    (config as { gpu_options: { allow_growth: boolean } }).gpu_options.allow_growth = true;
    expect(config).toMatchObject({ allowSoftPlacement: true, gpuOptions: { allowGrowth: true } });
    await using session = new tf.Session({ config: config as tf.ConfigProto });
    expect((await session.run(tf.constant(2))).item()).toBe(2);
    expect(() => new tf.ConfigProto({ speed: 1 } as object)).toThrow('Protocol message ConfigProto has no "speed" field.');
  });

  it("finds types by name", () => {
    expect([tf.asDtype("half"), tf.asDtype(1), tf.asDtype("int32_ref"), tf.dtypes.float32]).toEqual([
      "float16",
      "float32",
      "int32",
      "float32",
    ]);
    expect(() => tf.asDtype("float31")).toThrow("Cannot convert the argument `type_value`: 'float31' to a TensorFlow DType.");
  });
});

describe("values and structures", () => {
  it("are told apart and converted", () => {
    using _ = new tf.Graph().asDefault();
    const x = tf.constant([1, 2]);
    const v = new tf.Variable(1);
    expect([x, v, 3, "x"].map(tf.isTensor)).toEqual([true, true, false, false]);
    expect([x, v].map(tf.isSymbolicTensor)).toEqual([true, false]);
    expect(tf.getStaticValue(x)?.toArray()).toEqual([1, 2]);
    expect(tf.getStaticValue(tf.placeholder("float32"))).toBeNull();
    expect(tf.makeNdarray(tf.makeTensorProto([[1, 2, 3]], { dtype: "float32", shape: [3, 1] })).shape).toEqual([3, 1]);
    const slices = new tf.IndexedSlices(x, tf.constant([0, 1], { dtype: "int32" }));
    expect(tf.convertToTensorOrIndexedSlices(slices)).toBe(slices);
    expect(tf.nameScope("inner", () => tf.initScope(() => tf.constant(1)).name)).toBe("inner/Const:0");
  });

  it("nest", () => {
    const { nest } = tf;
    const tree = { b: [1, 2], a: 3 };
    expect(nest.flatten(tree)).toEqual([3, 1, 2]);
    expect(nest.mapStructure((x: number, y: number) => x + y, tree, tree)).toEqual({ b: [2, 4], a: 6 });
    expect(nest.packSequenceAs(tree, ["x", "y", "z"])).toEqual({ b: ["y", "z"], a: "x" });
    expect(() => nest.packSequenceAs([1, 2], [1])).toThrow(
      "Could not pack sequence. Structure had 2 atoms, but flat_sequence had 1 items.",
    );
    expect([nest.isNested([]), nest.isNested(1)]).toEqual([true, false]);
  });

  it("have errors with codes", () => {
    const { errors } = tf;
    expect(errors.OUT_OF_RANGE).toBe(11);
    expect(errors.exceptionTypeFromErrorCode(11)).toBe(errors.OutOfRangeError);
    expect(errors.errorCodeFromExceptionType(errors.NotFoundError)).toBe(5);
    expect(() => errors.exceptionTypeFromErrorCode(99)).toThrow(errors.KeyError);
  });
});

describe("tf.io.gfile", () => {
  it("reads, writes, lists and refuses", async () => {
    const { gfile } = tf.io;
    const root = mkdtempSync(join(tmpdir(), "gfile-"));
    try {
      const path = gfile.join(root, "a", "b.txt");
      await gfile.makedirs(gfile.join(root, "a"));
      await using out = new gfile.GFile(path, "w");
      await out.write("one\ntwo\n");
      await out.close();
      await using more = new gfile.GFile(path, "a");
      await more.write("three");
      await more.close();
      await using file = new gfile.GFile(path, { mode: "r" });
      expect([await file.readline(), await file.read(), await file.size()]).toEqual(["one\n", "two\nthree", 13]);
      await file.seek(4);
      expect(await file.readlines()).toEqual(["two\n", "three"]);
      await expect(file.write("x")).rejects.toThrow("File isn't open for writing");
      await gfile.copy(path, gfile.join(root, "c.txt"));
      await expect(gfile.copy(path, gfile.join(root, "c.txt"))).rejects.toThrow("file already exists");
      expect([await gfile.listdir(root), await gfile.glob(gfile.join(root, "*.txt"))]).toEqual([["a", "c.txt"], [join(root, "c.txt")]]);
      const steps = await Array.fromAsync(gfile.walk(root));
      expect(steps).toEqual([
        [root, ["a"], ["c.txt"]],
        [join(root, "a"), [], ["b.txt"]],
      ]);
      await gfile.rename(path, gfile.join(root, "d.txt"));
      expect([await gfile.exists(path), await gfile.isdir(root), (await gfile.stat(join(root, "d.txt"))).length]).toEqual([
        false,
        true,
        13,
      ]);
      await expect(gfile.remove(path)).rejects.toBeInstanceOf(tf.errors.NotFoundError);
      await gfile.rmtree(gfile.join(root, "a"));
      expect(await gfile.exists(gfile.join(root, "a"))).toBe(false);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
