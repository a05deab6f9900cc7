// Datasets in files: those that TensorFlow 2.21 saved are read, ours are the same to the byte, and the refusals are its.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { DType } from "../../base/dtype.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { Session } from "../../session/session.ts";
import { constant, identity } from "../array/array.ts";
import { FloorMod } from "../math/math.ts";
import { FlatMapDataset } from "./dataset.ts";
import {
  LoadDataset,
  SaveDataset,
  SaveDatasetV2,
  SnapshotChunkDataset,
  SnapshotDatasetReader,
  SnapshotNestedDatasetReader,
} from "./dataset-files.ts";
import { buildFunction } from "./dataset-functions.ts";
import { TensorSliceDataset } from "./dataset-sources.ts";
import { IteratorGetNext, IteratorV2, MakeIterator } from "./iterator.ts";

const root = mkdtempSync(join(tmpdir(), "tensorloom-saved-"));
afterAll(() => rmSync(root, { recursive: true }));

const scalar = new TensorShape([]);
const outputTypes: readonly DType[] = ["int64", "string", "float32"];
const outputShapes = [scalar, scalar, new TensorShape([2])];
const element = { outputTypes, outputShapes };

// (x, str(x), [x, x + 1]) for x from 0 to 4, in shards by x % 2; and in one shard with Snappy.
const even =
  "DgAAAAAAAADF5Wk/CAkSACIIAAAAAAAAAACIK5XqCAAAAAAAAAD/hiQPCAcSACICATAMg07oEgAAAAAAAAAkH2QlCAESBBICCAIiCAAAAAAAAIA/oSp7vA4AAAAAAAAAxeVpPwgJEgAiCAIAAAAAAAAAGU8SXwgAAAAAAAAA/4YkDwgHEgAiAgEyGkWnRhIAAAAAAAAAJB9kJQgBEgQSAggCIggAAABAAABAQK3yjgcOAAAAAAAAAMXlaT8ICRIAIggEAAAAAAAAAGPtSu8IAAAAAAAAAP+GJA8IBxIAIgIBNNkBdw4SAAAAAAAAACQfZCUIARIEEgIIAiIIAACAQAAAoEBTtOFX";
const odd =
  "DgAAAAAAAADF5Wk/CAkSACIIAQAAAAAAAACgvd9UCAAAAAAAAAD/hiQPCAcSACICATG7Z0/mEgAAAAAAAAAkH2QlCAESBBICCAIiCAAAgD8AAABAVkfZkw4AAAAAAAAAxeVpPwgJEgAiCAMAAAAAAAAAEeFE6QgAAAAAAAAA/4YkDwgHEgAiAgEzbammRBIAAAAAAAAAJB9kJQgBEgQSAggCIggAAEBAAACAQE39ok0=";
const snappy =
  "AAAA07gDBA4ACQEkxeVpPwgJEgAiCAkQFAAAiCuV6hENQP+GJA8IBxIAIgIBMAyDTugSDSUsJB9kJQgBEgQSAggCEToUgD+hKnu8RlgAAAENNAygvd9USlgAEDG7Z0/mXlgAJIA/AAAAQFZH2ZNGWAAAAg1YDBlPEl9KWAAQMhpFp0ZeWAAkAEAAAEBArfKOB0ZYAAADDVgMEeFE6UpYABAzbammRF5YACRAQAAAgEBN/aJNRlgAAAQNWAxj7UrvSlgAEDTZAXcOXlgAJIBAAACgQFO04Vc=";
const metadata = "EhQxNDU2MTU4MTM2NTUwNDA4NTQwMxi5kIfgnK2YAyACKgMJBwEwBcA+AQ==";
const run = "14561581365504085403";

function put(name: string, shards: readonly string[]): string {
  const folder = join(root, name);
  shards.forEach((bytes, i) => {
    mkdirSync(join(folder, run, `0000000${i}.shard`), { recursive: true });
    writeFileSync(join(folder, run, `0000000${i}.shard`, "00000000.snapshot"), Buffer.from(bytes, "base64"));
  });
  writeFileSync(join(folder, "snapshot.metadata"), Buffer.from(metadata, "base64"));
  return folder;
}

/** All elements, each as text. */
async function elementsOf(make: () => Tensor, spec = element): Promise<string[]> {
  const graph = new Graph();
  const { begin, next } = graph.asDefault(() => {
    const iterator = IteratorV2({ sharedName: "", container: "", ...spec });
    return { begin: MakeIterator({ dataset: make(), iterator }), next: IteratorGetNext({ iterator, ...spec }) };
  });
  await using session = new Session({ graph });
  await session.run(begin);
  const found: string[] = [];
  for (;;)
    try {
      const parts = (await session.run([...next])) as NDArray[];
      found.push(parts.map(part => String(part.toArray())).join(" "));
    } catch (error) {
      if ((error as Error).name === "OutOfRangeError") return found;
      throw error;
    }
}

/** One shard after the other. */
function inTurn(): ReturnType<typeof buildFunction>["f"] {
  const variant = [{ dtype: "variant" as const, shape: scalar }];
  const own = buildFunction("x", { name: "own" }, variant, ([inner]) => [identity(inner)]);
  return buildFunction("x", { name: "reader" }, variant, ([datasets]) => [
    FlatMapDataset({ inputDataset: datasets, otherArguments: [], f: own.f, ...element }),
  ]).f;
}
const load = (path: string, compression = "", spec = element): Tensor =>
  LoadDataset({ path, readerFuncOtherArgs: [], readerFunc: inTurn(), compression, ...spec });

const rows = (numbers: readonly number[]): string[] => numbers.map(x => `${x} ${x} ${x},${x + 1}`);

test("what TensorFlow saved", async () => {
  const plain = put("plain", [even, odd]);
  expect(await elementsOf(() => load(plain))).toEqual(rows([0, 2, 4, 1, 3]));
  const packed = put("packed", [snappy]);
  expect(await elementsOf(() => load(packed, "SNAPPY"))).toEqual(rows([0, 1, 2, 3, 4]));
  const shard = (i: number): string => join(plain, run, `0000000${i}.shard`);
  expect(await elementsOf(() => SnapshotDatasetReader({ shardDir: shard(0), startIndex: 1, version: 2, ...element }))).toEqual(
    rows([2, 4]),
  );
  expect(await elementsOf(() => SnapshotChunkDataset({ chunkFile: join(shard(1), "00000000.snapshot"), ...element }))).toEqual(
    rows([1, 3]),
  );
  const nested = await elementsOf(() => {
    const readers = [1, 0].map(i => SnapshotDatasetReader({ shardDir: shard(i), startIndex: 0, version: 2, ...element }));
    const own = buildFunction("x", { name: "own" }, [{ dtype: "variant", shape: scalar }], ([inner]) => [identity(inner)]);
    const all = SnapshotNestedDatasetReader({ inputs: readers, outputTypes: ["variant"], outputShapes: [scalar] });
    return FlatMapDataset({ inputDataset: all, otherArguments: [], f: own.f, ...element });
  });
  expect(nested).toEqual(rows([1, 3, 0, 2, 4]));
});

const numbers = [0, 1, 2, 3, 4];
const source = (): Tensor =>
  TensorSliceDataset({
    components: [
      NDArray.from(numbers.map(BigInt), "int64", [5]),
      constant(numbers.map(String)),
      NDArray.from(
        numbers.flatMap(x => [x, x + 1]),
        "float32",
        [5, 2],
      ),
    ],
    outputShapes,
  });
const byParity = (): ReturnType<typeof buildFunction>["f"] =>
  buildFunction(
    "x",
    { name: "shard" },
    outputTypes.map((dtype, i) => ({ dtype, shape: outputShapes[i] })),
    ([x]) => [FloorMod({ x, y: NDArray.full("int64", [], 2n) })],
  ).f;

test("what is saved here, in TensorFlow's bytes", async () => {
  for (const compression of ["", "GZIP", "SNAPPY"]) {
    const path = join(root, `ours${compression}`);
    const graph = new Graph();
    const save = graph.asDefault(() =>
      SaveDataset({ inputDataset: source(), path, shardFuncOtherArgs: [], shardFunc: byParity(), compression }),
    );
    await using session = new Session({ graph });
    await session.run(save);
    expect(await elementsOf(() => load(path, compression))).toEqual(rows([0, 2, 4, 1, 3]));
    if (compression !== "") continue;
    const [folder] = readdirSync(path).filter(name => /^\d+$/.test(name));
    const bytes = [0, 1].map(i => readFileSync(join(path, folder, `0000000${i}.shard`, "00000000.snapshot")).toString("base64"));
    expect(bytes).toEqual([even, odd]);
  }
  const path = join(root, "passed");
  const passed = await elementsOf(() =>
    SaveDatasetV2({ inputDataset: source(), path, shardFuncOtherArgs: [], shardFunc: byParity(), useShardFunc: false, ...element }),
  );
  expect(passed).toEqual(rows(numbers));
  expect(await elementsOf(() => load(path))).toEqual(rows(numbers));
});

test("refusals", async () => {
  await expect(elementsOf(() => load(join(root, "none")))).rejects.toThrow(`Could not find metadata file [${join(root, "none")}]`);
  const wrong = { outputTypes: ["int64", "int64", "float32"] as const, outputShapes };
  await expect(elementsOf(() => load(put("types", [even]), "", wrong), wrong)).rejects.toThrow(
    "Data type mismatch at component 1: expected int64 but got string.",
  );
  await expect(elementsOf(() => SnapshotDatasetReader({ shardDir: root, startIndex: 0, version: 7, ...element }))).rejects.toThrow(
    "Snapshot reader version: 7 is not supported.",
  );
});
