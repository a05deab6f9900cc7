// Hostile bytes for the readers that are no room's of their own: pictures, compressed records, TensorFlow.js models on disk, SavedModels' folders, text forms,
// the IDX files of the examples. How many inputs: see test/fuzzing.ts.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync, gzipSync } from "node:zlib";
import { encode } from "fast-png";
import { afterAll, afterEach, describe, expect, it, test } from "vitest";
import { DataFileError, parseIdx } from "../../examples/shared/idx.ts";
import { ValueError } from "../../src/base/errors.ts";
import { bytesSource, MemoryFiles } from "../../src/base/files.ts";
import { encodeText, NDArray } from "../../src/base/ndarray.ts";
import { jpegFromPixels } from "../../src/formats/jpeg-writing.ts";
import { createMessage, messageFromBytes, messageToBytes } from "../../src/formats/message-codec.ts";
import { readRecords, recordToBytes } from "../../src/formats/records.ts";
import { messageFromText, messageToText } from "../../src/formats/text-format.ts";
import * as tf from "../../src/index.ts";
import { readSavedModel } from "../../src/io/saved-model.ts";
import { readTfjsGraphModel } from "../../src/io/tfjs-graph-model.ts";
import { writeTfjsGraphModel } from "../../src/io/tfjs-graph-model-writer.ts";
import { DecodeImage } from "../../src/ops/image/codecs.ts";
import { fuzz, mutated, shareOfInputs } from "../fuzzing.ts";
import { packed, unpack } from "./recorded.ts";

const home = mkdtempSync(join(tmpdir(), "hostile-"));
afterAll(() => rmSync(home, { recursive: true }));
const { stackTraceLimit } = Error;
afterEach(() => {
  Error.stackTraceLimit = stackTraceLimit;
});
const limit = 3_600_000;

// ---- pictures ----

const pixels = Uint8Array.from({ length: 7 * 5 * 3 }, (_, i) => (i * 37) % 256);

function bmp(): Uint8Array {
  const bytes = new Uint8Array(54 + 2 * 8);
  bytes.set(encodeText("BM"));
  const view = new DataView(bytes.buffer);
  for (const [at, value] of [
    [2, bytes.length],
    [10, 54],
    [14, 40],
    [18, 2],
    [22, 2],
  ])
    view.setUint32(at, value, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  return bytes;
}

/** A changed size under a right checksum. */
function mendedPng(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 33) new DataView(bytes.buffer, bytes.byteOffset).setUint32(29, crc32(bytes.subarray(12, 29)));
  return bytes;
}

const pictures: Readonly<Record<string, Uint8Array>> = {
  png: new Uint8Array(encode({ width: 7, height: 5, channels: 3, data: pixels })),
  gif: new Uint8Array(
    Buffer.from("R0lGODlhAwACAIAAAP8AAAAA/yH5BAEKAAAALAAAAAADAAIAAAIDhBMFACH5BAEKAAAALAAAAAADAAIAAAIDjAMFADs=", "base64"),
  ),
  bmp: bmp(),
  jpeg: jpegFromPixels({ width: 7, height: 5, channels: 3, data: pixels }),
};

test.each(Object.keys(pictures))(
  "pictures: %s",
  async kind => {
    const decode = DecodeImage.host as (given: object) => unknown;
    await fuzz([pictures[kind]], (bytes, random) => {
      const contents = NDArray.zeros("string", []);
      contents.set(0, kind === "png" && random(2) === 0 ? mendedPng(bytes) : bytes);
      return decode({ contents, channels: [0, 1, 3, 4][random(4)], dtype: "uint8", expandAnimations: true });
    });
  },
  limit,
);

// ---- records ----

test.each(["GZIP", "ZLIB"])(
  "records compressed as %s",
  async kind => {
    const compress = kind === "GZIP" ? gzipSync : deflateSync;
    const records = Buffer.concat(["abc", "", "x".repeat(300)].map(text => recordToBytes(encodeText(text))));
    const whole = new Uint8Array(compress(records));
    await fuzz([whole], async (bytes, random) => {
      const given = random(2) === 0 ? bytes : new Uint8Array(compress(mutated(new Uint8Array(records), random)));
      let count = 0;
      for await (const _ of readRecords(bytesSource("fuzzed", given), kind)) count++;
      return count;
    });
  },
  limit,
);

// ---- models ----

test(
  "TensorFlow.js models: model.json and shards",
  async () => {
    const graph = new tf.Graph();
    graph.asDefault(() => tf.importGraphDef(packed("frozen").get("frozen.pb") as Uint8Array, { name: "" }));
    const path = join(home, "web/model.json");
    const signature = tf.savedModel.predictSignatureDef(
      { x: graph.getTensorByName("features:0") },
      { y: graph.getTensorByName("probs:0") },
    );
    await writeTfjsGraphModel(path, graph.asGraphDef(), signature);
    const json = new Uint8Array(readFileSync(path));
    const shard = join(home, "web/group1-shard1of1.bin");
    const weights = new Uint8Array(readFileSync(shard));
    await fuzz([json], async (bytes, random) => {
      const isWeights = random(4) === 0;
      writeFileSync(path, isWeights ? json : bytes);
      writeFileSync(shard, isWeights ? mutated(weights, random) : weights);
      return readTfjsGraphModel(path);
    });
  },
  limit,
);

const model = packed("saved-model-1").get("saved_model.pb") as Uint8Array;
const slim = messageFromBytes("SavedModel", model);

test(
  "SavedModels' folders: bytes and text",
  async () => {
    const small = {
      savedModelSchemaVersion: 1n,
      metaGraphs: slim.metaGraphs.map(({ metaInfoDef, signatureDef, saverDef, collectionDef }) => ({
        metaInfoDef: { ...metaInfoDef, strippedOpList: undefined },
        signatureDef,
        saverDef,
        collectionDef,
      })),
    };
    const bytes = messageToBytes("SavedModel", small);
    const text = encodeText(messageToText("SavedModel", createMessage("SavedModel", small)));
    await fuzz([bytes], given => readSavedModel("m", new MemoryFiles({ "m/saved_model.pb": given })));
    await fuzz([text], given => readSavedModel("m", new MemoryFiles({ "m/saved_model.pbtxt": given })), shareOfInputs(1 / 4));
  },
  limit,
);

test(
  "text forms",
  async () => {
    const seeds = [
      encodeText('wall_time: 1.5 step: 3 summary { value { tag: "a" simple_value: nan } }'),
      encodeText("summary { value { tag: 'b' tensor { dtype: DT_FLOAT float_val: [1, 2.5f, -inf] } } } # end"),
    ];
    await fuzz(seeds, bytes => messageFromText("Event", bytes));
  },
  limit,
);

test(
  "IDX files",
  async () => {
    const idx = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8);
    await fuzz([idx, new Uint8Array(gzipSync(idx))], bytes => {
      try {
        return parseIdx(bytes, "fuzzed");
      } catch (error) {
        throw error instanceof DataFileError ? new ValueError(error.message) : error;
      }
    });
  },
  limit,
);

describe("names that lead outside of a model's folder", () => {
  it.each(["../secret", "/etc/passwd", "a/../../b", "C:\\windows\\win.ini", "..\\x", "x\0y", ""])("asset %j is refused", async filename => {
    const folder = join(home, "assets");
    unpack(packed("saved-model-1"), folder);
    const metaGraphs = slim.metaGraphs.map(metaGraph => {
      const asset = messageToBytes("AssetFileDef", { filename, tensorInfo: { name: assetTensor } });
      const any = { anyList: { value: [{ typeUrl: "type.googleapis.com/tensorflow.AssetFileDef", value: asset }] } };
      return {
        ...metaGraph,
        collectionDef: new Map([...metaGraph.collectionDef, ["saved_model_assets", createMessage("CollectionDef", any)] as const]),
      };
    });
    writeFileSync(join(folder, "saved_model.pb"), messageToBytes("SavedModel", { ...slim, metaGraphs }));
    const session = new tf.Session({ graph: new tf.Graph() });
    await expect(tf.savedModel.loader.load(session, ["serve"], folder)).rejects.toThrow("lies outside its folder");
    await session.close();
  });
});

const [held] = slim.metaGraphs[0].collectionDef.get("saved_model_assets")?.anyList?.value ?? [];
const assetTensor = messageFromBytes("AssetFileDef", held.value).tensorInfo?.name as string;
