// Records and examples that TensorFlow wrote, its words for damaged ones, and our own read back.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import { afterAll, describe, expect, test } from "vitest";
import { recordedFiles, recordedJson, reports } from "../../test/interchange/files.ts";
import { bytesSource } from "../base/files.ts";
import { messageFromBytes, messageFromJson } from "./message-codec.ts";
import { readRecords, recordsOf } from "./records.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-records-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = async (name: string, compression = ""): Promise<Uint8Array[]> =>
  Array.fromAsync(readRecords(bytesSource(name, recordedFiles[name]), compression));
const decoded = recordedJson("tfrecord/decoded.json") as { examples: object[]; sequence_example: object };

test.each([
  ["plain", ""],
  ["gzip", "GZIP"],
  ["zlib", "ZLIB"],
])("%s: the examples of TensorFlow", async (name, compression) => {
  const records = await read(`tfrecord/${name}.tfrecord`, compression);
  expect(records.at(-1)).toHaveLength(0);
  expect(records.slice(0, -1).map(record => messageFromBytes("Example", record))).toEqual(
    decoded.examples.map(example => messageFromJson("Example", example)),
  );
});

test("the sequence example, and its bytes again", () => {
  const bytes = recordedFiles["tfrecord/sequence_example.pb"];
  const message = tf.train.SequenceExample.FromString(bytes);
  expect({ ...message }).toEqual(messageFromJson("SequenceExample", decoded.sequence_example));
  expect(message.SerializeToString()).toHaveLength(bytes.length);
});

test.each([
  ["", "plain"],
  ["GZIP", "gzip"],
  ["ZLIB", "zlib"],
] as const)("written with %j, read back", async (compression, name) => {
  const path = join(folder, name);
  const writer = new tf.io.TFRecordWriter(path, compression);
  const example = new tf.train.Example({
    features: {
      feature: {
        id: { int64List: { value: [1, -2n] } },
        raw: { bytesList: { value: ["a", Uint8Array.of(0, 255)] } },
        x: { floatList: { value: [0.5] } },
      },
    },
  });
  const records = [example.SerializeToString(), new Uint8Array(0), new Uint8Array(300_000).map((_, i) => i % 251)];
  for (const record of records) writer.write(record);
  await writer.close();
  expect(await Array.fromAsync(tf.io.tfRecordIterator(path, compression))).toEqual(records);
  expect(tf.train.Example.FromString(records[0]).features?.feature.get("id")?.int64List?.value).toEqual([1n, -2n]);
  if (compression === "") expect(recordsOf(new Uint8Array(readFileSync(path)))).toEqual(records);
});

describe("damage", () => {
  test.each(Object.keys(recordedFiles).filter(name => /corrupted\/.*tfrecord$/.test(name)))("%s: TensorFlow's words", async name => {
    const { error, message } = reports[name.slice(10, -9)];
    if (error === null) expect(await read(name)).toHaveLength(1);
    else {
      await expect(read(name)).rejects.toThrow((message as string).split("; ")[0]);
      await expect(read(name)).rejects.toBeInstanceOf(tf.errors.DataLossError);
      expect(() => recordsOf(recordedFiles[name], name)).toThrow(message as string);
    }
  });

  test("of compressed files", async () => {
    const cut = recordedFiles["tfrecord/gzip.tfrecord"].slice(0, 100);
    await expect(Array.fromAsync(readRecords(bytesSource("cut", cut), "GZIP"))).rejects.toThrow(
      /^inflate\(\) failed with error .*\n\ncut is damaged/,
    );
    await expect(Array.fromAsync(readRecords(bytesSource("cut", cut), "LZ4"))).rejects.toThrow("Unsupported compression_type:LZ4");
  });
});

test("options by place and by name, unknown compressions and text in the place of bytes", async () => {
  const path = join(folder, "options");
  const options = new tf.io.TFRecordOptions("GZIP", { compressionLevel: 9 });
  expect(new tf.io.TFRecordOptions({ compressionType: tf.io.TFRecordCompressionType.GZIP }).compressionType).toBe("GZIP");
  {
    await using writer = new tf.io.TFRecordWriter(path, { options });
    writer.write(Uint8Array.of(7));
  }
  expect(await Array.fromAsync(tf.io.tfRecordIterator(path, { options }))).toEqual([Uint8Array.of(7)]);
  expect(() => new tf.io.TFRecordOptions("LZ4" as "GZIP")).toThrow("Unsupported compression_type:LZ4");
  expect(() => tf.train.Example.FromString("text")).toThrow(/^expected bytes, str found/);
});
