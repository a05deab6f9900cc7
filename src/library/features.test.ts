// tf.Example messages parsed, bytes of tensors and files: answers and error texts of TensorFlow 2.21.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import { expect, test } from "vitest";

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), char => char.charCodeAt(0));
const examples = [
  "Cl0KDAoBdhIHGgUKAwECAwoTCgN2YWwSDBIKCggAAAA/AACAPgoLCgF3EgYaBAoCBwgKEQoBYRIMEgoKCAAAgD8AAABACgoKAXMSBQoDCgF4CgwKAml4EgYaBAoCAAM=",
  "ClIKEwoBdhIOGgwKCvv//////////wEKDwoDdmFsEggSBgoEAAAQQQoKCgF3EgUaAwoBCQoRCgFhEgwSCgoIAABAQAAAgEAKCwoCaXgSBRoDCgEB",
].map(bytesOf);
const both = (): tf.NDArray => {
  const array = tf.NDArray.zeros("string", [2]);
  examples.forEach((bytes, i) => void array.set(i, bytes));
  return array;
};
const one = (i: number): tf.NDArray => tf.NDArray.full("string", [], examples[i]);

async function values<T extends tf.Fetches>(build: () => T): Promise<tf.Results<T>> {
  const graph = new tf.Graph();
  const built = graph.asDefault(build);
  const session = new tf.Session({ graph });
  return session.run(built).finally(() => session.close());
}
const refusal = (build: () => tf.Fetches): Promise<string> =>
  values(build).then(
    () => "nothing",
    (error: Error) => error.message.split("\n")[0],
  );
const plain = (array: tf.NDArray): unknown => (array.dtype === "int64" ? array.cast("float64") : array).toArray();

const features = () => ({
  a: new tf.FixedLenFeature([2], tf.float32),
  s: new tf.FixedLenFeature([], tf.string, { defaultValue: "dflt" }),
  v: new tf.VarLenFeature(tf.int64),
  sp: new tf.SparseFeature("ix", "val", tf.float32, 5),
  w: new tf.FixedLenSequenceFeature([], tf.int64, { allowMissing: true }),
});

test("a batch of examples", async () => {
  const found = await values(() => {
    const { a, s, v, sp, w } = tf.parseExample(both(), features());
    return [a, s, w, v.indices, v.values, v.denseShape, sp.indices, sp.values, sp.denseShape];
  });
  expect(found.map(plain)).toEqual([
    [
      [1, 2],
      [3, 4],
    ],
    ["x", "dflt"],
    [
      [7, 8],
      [9, 0],
    ],
    [
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
    ],
    [1, 2, 3, -5],
    [2, 3],
    [
      [0, 0],
      [0, 3],
      [1, 1],
    ],
    [0.5, 0.25, 9],
    [2, 5],
  ]);
});

test("one example", async () => {
  const found = await values(() => {
    const { a, s, v, sp, w } = tf.parseSingleExample(one(0), features());
    expect(a.shape.dims).toEqual([2]);
    return [a, s, w, v.indices, v.values, v.denseShape, sp.indices, sp.values, sp.denseShape];
  });
  expect(found.map(plain)).toEqual([[1, 2], "x", [7, 8], [[0], [1], [2]], [1, 2, 3], [3], [[0], [3]], [0.5, 0.25], [5]]);
});

test("what is refused", async () => {
  const text = (key: string, feature: tf.FixedLenFeature): Promise<string> =>
    refusal(() => tf.parseExample(both().reshape([2]), { [key]: feature })[key]);
  expect(await text("s", new tf.FixedLenFeature([], tf.string))).toBe(
    "Name: <unknown>, Feature: s (data type: string) is required but could not be found.",
  );
  expect(await text("a", new tf.FixedLenFeature([3], tf.float32))).toBe(
    "Name: <unknown>, Key: a, Index: 0.  Number of float values != expected.  Values size: 2 but output shape: [3]",
  );
  expect(await text("a", new tf.FixedLenFeature([2], tf.int64))).toBe(
    "Name: <unknown>, Key: a, Index: 0.  Data types don't match. Data type: float but expected type: int64",
  );
  expect(await refusal(() => tf.parseExample(["garbage"], { a: new tf.FixedLenFeature([2], tf.int64) }).a)).toBe(
    "Could not parse example input, value: 'garbage'",
  );
  expect(await refusal(() => tf.parseSingleExample(one(1), { s: new tf.FixedLenFeature([], tf.string) }).s)).toBe(
    "Feature: s (data type: string) is required but could not be found.",
  );
  expect(await refusal(() => tf.parseTensor("garbage", tf.float32))).toBe(
    "Could not parse `serialized` as TensorProto, base64: Z2FyYmFnZQ==",
  );
  expect(await refusal(() => tf.parseTensor(tf.serializeTensor(tf.constant(1, tf.int32)), tf.float32))).toBe(
    "Type mismatch between parsed tensor (int32) and dtype (float)",
  );
  expect(await refusal(() => tf.decodeCompressed(["abc"], { compressionType: "GZIP" }))).toBe(
    "inflate() failed with error -3: incorrect header check",
  );
  expect(await refusal(() => tf.decodeCompressed(["abc"], { compressionType: "FOO" }))).toBe(
    "Only ZLIB, ZSTD, GZIP or NONE are supported compressions",
  );
});

test("tensors as bytes", async () => {
  const rows = [
    [() => tf.constant([1, 2]), "CAESBBICCAIiCAAAgD8AAABA"],
    [() => tf.constant(["a", "bc"]), "CAcSBBICCAJCAWFCAmJj"],
    [() => tf.constant([true, false]), "CAoSBBICCAIiAgEA"],
  ] as const;
  for (const [build, base64] of rows) {
    const [bytes] = await values(() => [tf.serializeTensor(build())]);
    expect(bytes.get(0)).toEqual(bytesOf(base64));
    const [back] = await values(() => [tf.parseTensor(tf.serializeTensor(build()), build().dtype)]);
    expect(back.toArray()).toEqual((await values(() => [build()]))[0].toArray());
  }
});

test("padded bytes", async () => {
  const padded = await values(() =>
    tf.rawOps.DecodePaddedRaw({ inputBytes: ["ab", "abcdef"], fixedLength: 4, outType: "int16", littleEndian: false }),
  );
  expect(padded.toArray()).toEqual([
    [0x6162, 0],
    [0x6162, 0x6364],
  ]);
});

test("files written, found and read", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tensorloom-"));
  try {
    const path = join(folder, "inner", "one.txt");
    await values(() => tf.writeFile(path, "hello"));
    expect((await values(() => tf.readFile(path))).item()).toBe("hello");
    expect((await values(() => tf.matchingFiles(join(folder, "*", "o?e.*")))).toArray()).toEqual([path]);
    expect(await refusal(() => tf.readFile(join(folder, "none")))).toBe(`${join(folder, "none")}; No such file or directory`);
  } finally {
    await rm(folder, { recursive: true });
  }
});
