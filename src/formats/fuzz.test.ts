// Hostile bytes: every reader gets mutated files, at random and where it hurts (lengths, counts, offsets, with checksums made right again), and
// must end soon, in bounded memory, with TensorFlow's kinds of error or a value. How many inputs: see test/fuzzing.ts.

import { afterEach, describe, expect, test } from "vitest";
import { fuzz, inputs, mutated, shareOfInputs } from "../../test/fuzzing.ts";
import { recordedFiles } from "../../test/interchange/files.ts";
import { bytesSource, MemoryFiles, readFile } from "../base/files.ts";
import { encodeText, NDArray } from "../base/ndarray.ts";
import { BundleReader, writeBundle } from "./bundle.ts";
import { checkpointStateFromText } from "./checkpoint.ts";
import { CheckpointV1Reader, writeCheckpointV1 } from "./checkpoint-v1.ts";
import { crc32c, maskCrc } from "./crc32c.ts";
import { pixelsFromJpeg } from "./jpeg-reading.ts";
import { jpegFromPixels } from "./jpeg-writing.ts";
import { messageFromBytes, messageToBytes } from "./message-codec.ts";
import { npyFromArray, npyToArray } from "./npy.ts";
import { recordsOf, recordToBytes } from "./records.ts";
import { decompressSnappy } from "./snappy.ts";
import { Table, type TableEntry, tableToBytes } from "./table.ts";
import { parseShapeAndSlice } from "./tensor-slice.ts";

const small = NDArray.from([1, 2, 3]);

/** Changes the inside of a table and makes its checksums right again. */
function mendedTable(entries: readonly { key: Uint8Array; value: Uint8Array }[], random: (n: number) => number): Uint8Array {
  const which = random(entries.length);
  return tableToBytes(entries.map((entry, i) => (i === which ? { ...entry, value: mutated(entry.value, random) } : entry)));
}

describe("fuzzing", () => {
  const { stackTraceLimit } = Error;
  afterEach(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  test.each(["GraphDef", "MetaGraphDef", "Event", "Example", "SavedTensorSlices", "BundleEntryProto"] as const)(
    "messages: %s",
    async name => {
      const seeds = {
        GraphDef: [
          messageToBytes("GraphDef", { node: [{ name: "x", op: "Const", input: ["a"], attr: new Map([["T", { type: "DT_FLOAT" }]]) }] }),
        ],
        MetaGraphDef: [
          messageToBytes("MetaGraphDef", { saverDef: { version: "V2" }, collectionDef: new Map([["a", { nodeList: { value: ["x"] } }]]) }),
        ],
        Event: [messageToBytes("Event", { wallTime: 1, summary: { value: [{ tag: "a", simpleValue: 1 }] } })],
        Example: [recordedFiles["tfrecord/plain.tfrecord"].slice(12, 87)],
        SavedTensorSlices: [messageToBytes("SavedTensorSlices", { data: { name: "a", data: { floatVal: [1, 2] } } })],
        BundleEntryProto: [messageToBytes("BundleEntryProto", { dtype: "DT_FLOAT", shape: { dim: [{ size: 3n }] }, size: 12n })],
      };
      await fuzz(seeds[name], bytes => messageFromBytes(name, bytes), shareOfInputs(1 / 5));
    },
  );

  const readAll = async (files: MemoryFiles): Promise<void> => {
    const reader = await BundleReader.open(files, "m");
    for (const name of (await reader.tensors()).keys()) await reader.read(name);
  };

  /** A checkpoint of a tensor, of strings and of a tensor in three slices: its index, and its data. */
  const sample = async (): Promise<[index: Uint8Array, data: Uint8Array]> => {
    const files = new MemoryFiles();
    await writeBundle(files, "m", [
      { name: "a", value: small },
      { name: "s", value: NDArray.from(["x", "yz"]) },
      { name: "p", value: small, shapeAndSlice: "5 1,3" },
      { name: "p", value: NDArray.from([1]), shapeAndSlice: "5 0,1" },
      { name: "p", value: NDArray.from([1]), shapeAndSlice: "5 4,1" },
    ]);
    return Promise.all([readFile(files, "m.index"), readFile(files, "m.data-00000-of-00001")]);
  };

  test("checkpoints: bytes of the index", async () => {
    const [index, data] = await sample();
    await fuzz([index], bytes => readAll(new MemoryFiles({ "m.index": bytes, "m.data-00000-of-00001": data })));
  });

  test("checkpoints: entries, under right checksums", async () => {
    const [index, data] = await sample();
    const entries: TableEntry[] = [];
    for await (const { key, value } of (await Table.open(bytesSource("m.index", index))).entries())
      entries.push({ key: key.slice(), value: value.slice() });
    const { accepted } = await fuzz([new Uint8Array(8)], (_, random) =>
      readAll(new MemoryFiles({ "m.index": mendedTable(entries, random), "m.data-00000-of-00001": data })),
    );
    expect(accepted).toBeGreaterThan(0);
  });

  test("checkpoints of version 1, under right checksums", async () => {
    const files = new MemoryFiles();
    await writeCheckpointV1(files, "m", [{ name: "a", value: small }]);
    const list = messageToBytes("SavedTensorSlices", {
      meta: { tensor: [{ name: "a", type: "DT_FLOAT", shape: { dim: [{ size: 3n }] }, slice: [{ extent: [{}] }] }] },
    });
    const entry = {
      key: Uint8Array.of(0, 97, 0, 1, 1, 1, 0x80, 0x7f),
      value: messageToBytes("SavedTensorSlices", { data: { name: "a", data: { floatVal: [1, 2, 3] } } }),
    };
    const readV1 = async (bytes: Uint8Array): Promise<void> => {
      const reader = await CheckpointV1Reader.open(new MemoryFiles({ m: bytes }), "m");
      for (const name of (await reader.tensors()).keys()) await reader.read(name);
    };
    const raw = await (await files.open("m")).read(0, (await files.open("m")).size);
    await fuzz([raw], (bytes, random) =>
      readV1(random(2) === 0 ? bytes : mendedTable([{ key: new Uint8Array(0), value: list }, entry], random)),
    );
  });

  test("records, lengths under right checksums too", async () => {
    const seeds = [
      recordToBytes(encodeText("abc")),
      Uint8Array.from([...recordToBytes(new Uint8Array(0)), ...recordToBytes(encodeText("x"))]),
    ];
    await fuzz(seeds, (bytes, random) => {
      if (bytes.length >= 12 && random(2) === 0) new DataView(bytes.buffer).setUint32(8, maskCrc(crc32c(bytes.subarray(0, 8))), true);
      return recordsOf(bytes, "fuzzed");
    });
  });

  test("events in records under right checksums", async () => {
    const event = messageToBytes("Event", { wallTime: 1, step: 2n, summary: { value: [{ tag: "a", simpleValue: 1 }] } });
    await fuzz([event], bytes => recordsOf(recordToBytes(bytes), "fuzzed").map(record => messageFromBytes("Event", record)));
  });

  test("snappy blocks", async () => {
    await fuzz([Uint8Array.of(11, 12, 97, 98, 99, 100, 0x0d, 4, 0x04, 1, 2)], bytes => decompressSnappy(bytes, "fuzzed"));
  });

  test("state files and slice specifications", async () => {
    const decoder = new TextDecoder("latin1");
    await fuzz([encodeText('model_checkpoint_path: "a\\"b"\nall_model_checkpoint_paths: "c"\n')], bytes =>
      checkpointStateFromText(decoder.decode(bytes)),
    );
    await fuzz([encodeText("10 4 4,3:0,4"), encodeText("5 -")], bytes => parseShapeAndSlice(decoder.decode(bytes)));
  });

  test("JPEG pictures", async () => {
    const data = Uint8Array.from({ length: 20 * 17 * 3 }, (_, i) => (i * i) % 251);
    const picture = { width: 20, height: 17, channels: 3, data };
    const files = [false, true].map(isProgressive => jpegFromPixels(picture, { isProgressive, quality: 30 }));
    const ratios = [1, 2, 4, 8] as const;
    await fuzz(
      files,
      (bytes, random) => pixelsFromJpeg(bytes, { ratio: ratios[random(4)], mayBeCutOff: random(8) === 0 }),
      Math.max(inputs, 5_000),
    );
  });

  test("npy arrays", async () => {
    await fuzz([npyFromArray(small), npyFromArray(NDArray.from([[1n, 2n]], "int64"))], bytes => npyToArray(bytes, "fuzzed"));
  });
});
