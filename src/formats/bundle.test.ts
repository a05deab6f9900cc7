// Checkpoints that TensorFlow wrote are read, and written again byte for byte; damaged ones are refused in its words; parts are read by range.

import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { files as diskFiles } from "#platform";
import { recordedFiles, recordedJson, reports } from "../../test/interchange/files.ts";
import { DataLossError, InvalidArgumentError, NotFoundError, OpError, OutOfRangeError } from "../base/errors.ts";
import { type ByteSource, type FileSystem, MemoryFiles } from "../base/files.ts";
import { encodeText, NDArray } from "../base/ndarray.ts";
import { BundleReader, mergeBundles, type NamedTensor, writeBundle } from "./bundle.ts";
import { CheckpointReader, checkpointStateFromText, checkpointStateToText } from "./checkpoint.ts";
import { writeCheckpointV1 } from "./checkpoint-v1.ts";
import { crc32c as crc32cOf, maskCrc } from "./crc32c.ts";
import { messageToBytes } from "./message-codec.ts";
import { tableToBytes } from "./table.ts";

interface Recorded {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values?: readonly unknown[];
  readonly base64?: readonly string[];
}

const plain = (value: unknown): unknown =>
  typeof value === "bigint" ? String(value) : typeof value === "object" && value !== null && "re" in value ? Object.values(value) : value;
const recordedValues = ({ values, base64 }: Recorded): unknown[] =>
  base64?.map(text => new Uint8Array(Buffer.from(text, "base64"))) ??
  (values ?? []).map(value => (value === "nan" ? Number.NaN : value === "inf" ? 1 / 0 : value === "-inf" ? -1 / 0 : value));
const elements = (array: NDArray): unknown[] => Array.from({ length: array.size }, (_, i) => plain(array.get(i)));

const files = new MemoryFiles(recordedFiles);

test.each(["single", "multishard"])("%s: every tensor of TensorFlow's, and its bytes again", async name => {
  const expected = Object.entries(
    recordedJson(`bundles/${name === "single" ? "expected" : "multishard_expected"}.json`) as Record<string, Recorded>,
  );
  const reader = await CheckpointReader.open(files, `bundles/${name}`);
  const tensors = expected.filter(([key]) => !key.endsWith("#bits"));
  expect([...reader.getVariableToShapeMap().keys()].sort()).toEqual(tensors.map(([key]) => key).sort());
  for (const [key, recorded] of tensors) {
    const array = await reader.getTensor(key);
    expect([key, array.dtype, array.shape]).toEqual([key, recorded.dtype, recorded.shape]);
    expect(elements(array)).toEqual(recordedValues(recorded));
  }
  for (const [key, { values }] of expected.filter(([key]) => key.endsWith("#bits"))) {
    const { data } = await reader.getTensor(key.slice(0, -5));
    const bytes = new Uint8Array((data as Uint8Array).buffer, (data as Uint8Array).byteOffset, (data as Uint8Array).byteLength);
    const width = bytes.length / (values as unknown[]).length;
    expect(
      Array.from(values as (string | number)[], bits =>
        [...Array(width).keys()].map(k => Number((BigInt(bits) >> BigInt(8 * k)) & 255n)),
      ).flat(),
    ).toEqual([...bytes]);
  }
});

test("what is written is what TensorFlow writes, byte for byte", async () => {
  const reader = await CheckpointReader.open(files, "bundles/single");
  const tensors: NamedTensor[] = [];
  const slices: Record<string, string[]> = {
    "part/emb": ["10 4 0,4:0,4", "10 4 4,3:0,4", "10 4 7,3:0,4"],
    "part/cols": ["3 7 0,3:0,4", "3 7 0,3:4,3"],
  };
  for (const name of reader.getVariableToShapeMap().keys())
    for (const shapeAndSlice of slices[name] ?? [""])
      tensors.push({ name, shapeAndSlice, value: await reader.getTensor(name, shapeAndSlice) });
  // Data lies in the order in which the tensors are given.
  tensors.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const own = new MemoryFiles();
  await writeBundle(own, "out", tensors);
  const bytesOf = async (name: string): Promise<Uint8Array> => (await own.open(name)).read(0, (await own.open(name)).size);
  expect(await bytesOf("out.data-00000-of-00001")).toEqual(recordedFiles["bundles/single.data-00000-of-00001"]);
  expect(await bytesOf("out.index")).toEqual(recordedFiles["bundles/single.index"]);
});

test("nine thousand names in two blocks: the bytes of TensorFlow's index", async () => {
  const names = Array.from({ length: 9000 }, (_, i) => `${createHash("md5").update(String(i)).digest("hex")}/${i}`);
  const own = new MemoryFiles();
  const tensors = names.map((name, i) => ({ name, value: NDArray.from(i, "int32") }));
  await writeBundle(own, "many", tensors);
  const index = await own.open("many.index");
  expect(
    createHash("sha256")
      .update(await index.read(0, index.size))
      .digest("hex"),
  ).toBe("c1ed0ebc63e0edf8630df23677c3894e1a0030399ec3886e900ee7bf569a3f1c");
  const reader = await BundleReader.open(own, "many");
  expect((await reader.read(names[4321])).item()).toBe(4321);
});

test("version 1 is read, and written so that it is read again", async () => {
  const reader = await CheckpointReader.open(files, "bundles/v1.ckpt");
  expect((await reader.getTensor("a")).toArray()).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9, 10, 11],
  ]);
  expect((await reader.getTensor("b")).toArray()).toEqual([7n, -8n]);
  expect((await reader.getTensor("a", "3 4 1,2:1,2")).toArray()).toEqual([
    [5, 6],
    [9, 10],
  ]);
  const own = new MemoryFiles();
  await writeCheckpointV1(own, "v1", [
    { name: "a", value: await reader.getTensor("a") },
    { name: "b", value: await reader.getTensor("b") },
  ]);
  expect(await (await own.open("v1")).read(0, 253)).toEqual(recordedFiles["bundles/v1.ckpt"]);
});

describe("parts", () => {
  const boxes = ["10 4 0,10:0,4", "10 4 3,5:-", "10 4 2,6:1,2", "10 4 -:3,1", "10 4 0,0:-"];
  test.each(boxes)("of a partitioned tensor: %s", async box => {
    const reader = await BundleReader.open(files, "bundles/single");
    const whole = (await reader.read("part/emb")).toArray() as number[][];
    const [rows, columns] = box
      .split(" ")[2]
      .split(":")
      .map((part, axis) => (part === "-" ? [0, [10, 4][axis]] : part.split(",").map(Number)));
    const expected = whole.slice(rows[0], rows[0] + rows[1]).map(row => row.slice(columns[0], columns[0] + columns[1]));
    expect((await reader.read("part/emb", box)).toArray()).toEqual(expected);
  });

  test("of a file of 5 GB one variable, its bytes and no more", async () => {
    let asked = 0;
    const sparse: ByteSource = {
      name: "huge",
      size: 5e9,
      read: async (offset, length) => {
        asked += length;
        return new Uint8Array(length).fill(offset % 251);
      },
      close: async () => {},
    };
    const rows = { dtype: "DT_UINT8", shape: { dim: [{ size: 1000n }, { size: 4_000_000n }] }, offset: 500_000_000n, size: 4_000_000_000n };
    const index = tableToBytes([
      { key: new Uint8Array(0), value: messageToBytes("BundleHeaderProto", { numShards: 1, version: { producer: 1 } }) },
      { key: encodeText("rows"), value: messageToBytes("BundleEntryProto", rows) },
    ]);
    const held = new MemoryFiles({ "huge.index": index });
    const open = held.open.bind(held);
    held.open = async path => (path.endsWith(".index") ? open(path) : sparse);
    const part = await (await BundleReader.open(held, "huge")).read("rows", "1000 4000000 900,2:-");
    expect([part.shape, asked]).toEqual([[2, 4_000_000], 8_000_000]);
    expect(part.get(0)).toBe((500_000_000 + 900 * 4_000_000) % 251);
  });

  test("of a file of 5 GB on the disk one variable whole, with a handful of reads", async () => {
    // The file is a hole but for the last variable, so it takes no room.
    const folder = mkdtempSync(join(tmpdir(), "bundle-"));
    const [offset, given] = [4_999_999_488, Float32Array.from({ length: 100 }, (_, i) => i / 8)];
    const shape = (size: bigint): object => ({ shape: { dim: [{ size }] } });
    const crc32c = maskCrc(crc32cOf(new Uint8Array(given.buffer)));
    const index = tableToBytes([
      { key: new Uint8Array(0), value: messageToBytes("BundleHeaderProto", { numShards: 1, version: { producer: 1 } }) },
      ...[
        ["huge", { dtype: "DT_UINT8", ...shape(BigInt(offset)), size: BigInt(offset) }] as const,
        ["last", { dtype: "DT_FLOAT", ...shape(100n), offset: BigInt(offset), size: 400n, crc32c }] as const,
      ].map(([name, entry]) => ({ key: encodeText(name), value: messageToBytes("BundleEntryProto", entry) })),
    ]);
    try {
      writeFileSync(join(folder, "m.index"), index);
      const data = openSync(join(folder, "m.data-00000-of-00001"), "w");
      writeSync(data, new Uint8Array(given.buffer), 0, 400, offset);
      closeSync(data);
      const reads: number[] = [];
      const counted: FileSystem = {
        ...diskFiles,
        open: async path => {
          const source = await diskFiles.open(path);
          const read = async (from: number, length: number): Promise<Uint8Array> => {
            reads.push(length);
            return source.read(from, length);
          };
          return { name: source.name, size: source.size, read, close: () => source.close() };
        },
      };
      const held = process.memoryUsage().arrayBuffers;
      const reader = await CheckpointReader.open(counted, join(folder, "m"));
      expect((await reader.getTensor("last")).data).toEqual(given);
      expect(reader.getVariableToShapeMap().get("huge")).toEqual([offset]);
      await reader.close();
      expect(reads.at(-1)).toBe(400);
      // Besides, the index: some parts of it more than once.
      expect(reads.slice(0, -1).reduce((sum, length) => sum + length, 0)).toBeLessThan(4 * index.length);
      expect(process.memoryUsage().arrayBuffers - held).toBeLessThan(1 << 24);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each([
    ["10 4 0,11:-", InvalidArgumentError],
    ["10 5 -:-", InvalidArgumentError],
    ["x", InvalidArgumentError],
    ["10 4 1:2", InvalidArgumentError],
    ["10 4 -", InvalidArgumentError],
  ])("%s is refused", async (box, Class) => {
    const reader = await BundleReader.open(files, "bundles/single");
    await expect(reader.read("part/emb", box)).rejects.toBeInstanceOf(Class);
  });
});

describe("damage", () => {
  const prefixes = [
    ...new Set(
      Object.keys(recordedFiles)
        .filter(name => /^corrupted\/.*\.index$/.test(name))
        .map(name => name.slice(10, -6)),
    ),
  ];
  test.each(prefixes)("%s: TensorFlow's error", async name => {
    const { code, message } = reports[`${name} (RestoreV2)`];
    const read = async (): Promise<unknown> => {
      const reader = await BundleReader.open(files, `corrupted/${name}`);
      for (const tensor of (await reader.tensors()).keys()) await reader.read(tensor);
      return null;
    };
    const error = await read().catch((found: unknown) => found);
    // A shard that is missing is noticed when a tensor in it is asked for: TensorFlow's case asked for others.
    if (name === "missing_shard") expect(error).toBeInstanceOf(NotFoundError);
    else {
      expect(error).toBeInstanceOf(OpError);
      expect((error as OpError).code).toBe(code);
      expect((error as OpError).message.startsWith(message as string)).toBe(true);
      expect((error as OpError).message).toContain(name);
    }
  });

  test("what is not there", async () => {
    await expect(BundleReader.open(files, "bundles/none")).rejects.toThrow(
      new NotFoundError("Unsuccessful TensorSliceReader constructor: Failed to find any matching files for bundles/none"),
    );
    const reader = await BundleReader.open(files, "bundles/single");
    await expect(reader.read("none")).rejects.toThrow(new NotFoundError("Key none not found in checkpoint"));
    await reader.close();
  });

  test.each([
    ["no shards", { numShards: 0 }, DataLossError],
    ["big-endian", { numShards: 1, endianness: "BIG" }, OpError],
    ["a version of the future", { numShards: 1, version: { minConsumer: 2 } }, InvalidArgumentError],
  ] as const)("%s", async (_, header, Class) => {
    const held = new MemoryFiles({
      "m.index": tableToBytes([{ key: new Uint8Array(0), value: messageToBytes("BundleHeaderProto", header) }]),
    });
    await expect(BundleReader.open(held, "m")).rejects.toBeInstanceOf(Class);
  });

  test.each([
    ["a place behind the file", { offset: 1000n, size: 4n }, OutOfRangeError],
    ["a size that does not fit the shape", { size: 400_000_000n }, DataLossError],
    ["a shard that is not there", { size: 4n, shardId: 7 }, DataLossError],
    ["a shape beyond numbers", { shape: { dim: [{ size: 1n << 62n }, { size: 1n << 62n }] } }, DataLossError],
    ["a negative size", { shape: { dim: [{ size: -1n }] } }, DataLossError],
    [
      "slices that do not make it up",
      { shape: { dim: [{ size: 1n << 40n }] }, slices: [{ extent: [{ start: 0n, length: 1n }] }] },
      DataLossError,
    ],
  ] as const)("an entry with %s", async (_, entry, Class) => {
    const index = tableToBytes([
      { key: new Uint8Array(0), value: messageToBytes("BundleHeaderProto", { numShards: 1 }) },
      { key: encodeText("x"), value: messageToBytes("BundleEntryProto", { dtype: "DT_FLOAT", ...entry }) },
    ]);
    const held = new MemoryFiles({ "m.index": index, "m.data-00000-of-00001": new Uint8Array(4) });
    const reader = await BundleReader.open(held, "m");
    const error = await reader.read("x").catch((found: unknown) => found);
    expect(error).toBeInstanceOf(Class);
    expect((error as Error).message).toContain("m.");
  });
});

test("checkpoints are merged, slices of one tensor gathered", async () => {
  const held = new MemoryFiles();
  const row = (value: number): NDArray => NDArray.from([[value, value]]);
  await writeBundle(held, "t/a", [
    { name: "p", value: row(1), shapeAndSlice: "2 2 0,1:-" },
    { name: "x", value: NDArray.from(1) },
  ]);
  await writeBundle(held, "t/b", [
    { name: "p", value: row(2), shapeAndSlice: "2 2 1,1:-" },
    { name: "y", value: NDArray.from(2) },
  ]);
  await mergeBundles(held, ["t/a", "t/b"], "m");
  const reader = await BundleReader.open(held, "m");
  expect((await reader.read("p")).toArray()).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect([(await reader.read("x")).item(), (await reader.read("y")).item()]).toEqual([1, 2]);
  expect(await held.list("t")).toEqual([]);
  await expect(mergeBundles(held, ["t/none"], "m")).rejects.toBeInstanceOf(NotFoundError);
  await expect(
    writeBundle(held, "d", [
      { name: "x", value: row(1) },
      { name: "x", value: row(1) },
    ]),
  ).rejects.toThrow("Adding duplicate key: x");
});

test("saved again, the old checkpoint is whole until the new one is", async () => {
  const held = new MemoryFiles();
  await writeBundle(held, "m", [{ name: "x", value: NDArray.from(1) }]);
  const write = held.write.bind(held);
  held.write = async (path, pieces) => {
    if (path.endsWith(".index")) expect((await (await BundleReader.open(held, "m")).read("x")).item()).toBe(1);
    await write(path, pieces);
    expect((await (await BundleReader.open(held, "m")).read("x")).item()).toBe(path.endsWith(".index") ? 2 : 1);
  };
  await writeBundle(held, "m", [{ name: "x", value: NDArray.from(2) }]);
  expect(await held.list(".")).toEqual(["m.data-00000-of-00002", "m.data-00001-of-00002", "m.index"]);
});

test("saved again after a save that ended before it removed what was old", async () => {
  const held = new MemoryFiles();
  await writeBundle(held, "m", [{ name: "x", value: NDArray.from(1) }]);
  const remove = held.remove.bind(held);
  held.remove = () => Promise.reject(new Error("ended"));
  await expect(writeBundle(held, "m", [{ name: "x", value: NDArray.from(2) }])).rejects.toThrow("ended");
  held.remove = remove;
  const write = held.write.bind(held);
  held.write = async (path, pieces) => {
    await write(path, pieces);
    if (!path.endsWith(".index")) expect((await (await BundleReader.open(held, "m")).read("x")).item()).toBe(2);
  };
  await writeBundle(held, "m", [{ name: "x", value: NDArray.from(3) }]);
  expect((await held.list(".")).filter(name => name.includes(".data-")).map(name => name.slice(-5))).toEqual(["00003", "00003", "00003"]);
});

test("the state file", () => {
  const state = {
    modelCheckpointPath: 'a "b"\\é\n',
    allModelCheckpointPaths: ["x", "y"],
    allModelCheckpointTimestamps: [1.5, 2],
    lastPreservedTimestamp: 3,
  };
  expect(checkpointStateFromText(checkpointStateToText(state))).toEqual(state);
  expect(checkpointStateFromText('# c\nmodel_checkpoint_path : \'a\' "b"; all_model_checkpoint_paths:"\\x41\\101"')).toMatchObject({
    modelCheckpointPath: "ab",
    allModelCheckpointPaths: ["AA"],
  });
  expect(() => checkpointStateFromText('model_checkpoint_path: "a', "checkpoint")).toThrow(/^checkpoint: .*1:/s);
});
