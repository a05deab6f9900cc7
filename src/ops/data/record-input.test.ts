// Batches of records in TensorFlow's order, as its kernel gives them with one thread (2.21).

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { NDArray } from "../../base/ndarray.ts";
import { recordToBytes } from "../../formats/records.ts";
import { Graph } from "../../graph/graph.ts";
import { Session } from "../../session/session.ts";
import { FakeQueue, IdentityReader, ReaderRead } from "../older-names.ts";
import { FIFOQueueV2, QueueEnqueueManyV2 } from "./queue.ts";
import { RecordInput } from "./record-input.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-record-input-"));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (name: string, records: readonly string[]): void =>
  writeFileSync(join(folder, name), Buffer.concat(records.map(text => recordToBytes(Buffer.from(text)))));
const upTo = (n: number, of: string): string[] => Array.from({ length: n }, (_, i) => `${of}:${i}`);
put("single", upTo(5, "0"));
// Names in the order in which the recording's folder listed its files.
["5", "3", "4", "0", "1", "2"].forEach((file, i) => void put(`many${i}`, upTo(3, file)));
put("empty", []);

type Settings = Partial<Parameters<typeof RecordInput>[0]>;

async function batches(pattern: string, batchSize: number, times: number, more: Settings = {}): Promise<string[]> {
  const graph = new Graph();
  const records = graph.asDefault(() => RecordInput({ filePattern: join(folder, pattern), batchSize, fileParallelism: 1, ...more }));
  await using session = new Session({ graph });
  const found: string[] = [];
  for (let i = 0; i < times; i++) found.push(((await session.run(records)) as NDArray).toArray().toString());
  return found;
}

test("one file again and again, each time in another order", async () => {
  const orders = ["0:4,0:2,0:1,0:0,0:3", "0:3,0:2,0:1,0:4,0:0", "0:4,0:2,0:0,0:3,0:1", "0:3,0:1,0:4,0:2,0:0"];
  expect(await batches("single", 5, 4)).toEqual(orders);
  expect(await batches("single", 0, 1)).toEqual([""]);
  expect(await batches("single", 3, 2)).toEqual(["0:4,0:2,0:1", "0:0,0:3,0:3"]);
});

test("files are shuffled by the epoch and the seed, and shifted", async () => {
  expect(await batches("many*", 18, 1)).toEqual(["5:0,4:1,1:2,1:0,0:1,0:0,3:1,2:1,3:2,4:2,3:0,2:2,2:0,4:0,5:1,1:1,0:2,5:2"]);
  expect(await batches("many*", 18, 2, { fileRandomSeed: 7, fileShuffleShiftRatio: 0.5 })).toEqual([
    "1:1,0:2,4:1,5:1,5:0,3:1,0:0,2:2,3:0,1:2,0:1,5:2,2:1,4:0,1:0,2:0,4:2,3:2",
    "3:1,0:1,4:1,2:1,1:0,2:0,3:0,5:1,3:2,5:2,4:0,2:2,5:0,1:2,4:2,0:0,0:2,1:1",
  ]);
  expect(await batches("many[1-5]", 15, 2, { fileRandomSeed: 7 })).toEqual([
    "1:0,3:2,4:0,1:2,2:1,3:0,3:1,0:0,1:1,2:0,2:2,4:2,0:2,0:1,4:1",
    "1:2,0:2,1:0,2:1,0:0,3:1,1:1,0:1,2:0,4:1,2:2,3:0,4:2,3:2,4:0",
  ]);
});

test("a small buffer gives every record once", async () => {
  const [first] = await batches("many*", 18, 1, { fileBufferSize: 2 });
  expect(first.split(",").sort()).toEqual(["0", "1", "2", "3", "4", "5"].flatMap(file => upTo(3, file)));
});

test("refusals", async () => {
  await expect(batches("none*", 1, 1)).rejects.toThrow("Found no files at ");
  await expect(batches("single", -1, 1)).rejects.toThrow("batch_size must be non-negative but got -1");
  await expect(batches("single", 1, 1, { fileParallelism: -1 })).rejects.toThrow("file_parallelism should >= 0, got -1");
  await expect(batches("empty", 1, 1)).rejects.toThrow("hold no records");
});

test("a reader of the older kind takes a queue of the newer one through FakeQueue", async () => {
  const graph = new Graph();
  const { put: enqueue, read } = graph.asDefault(() => {
    const queue = FIFOQueueV2({ componentTypes: ["string"], shapes: [] });
    const reader = IdentityReader({});
    return {
      put: QueueEnqueueManyV2({ handle: queue, components: [["a", "b"]] }),
      read: ReaderRead({ readerHandle: reader as never, queueHandle: FakeQueue({ resource: queue }) as never }) as never,
    };
  });
  await using session = new Session({ graph });
  await session.run(enqueue);
  const read1 = (await session.run(read)) as Readonly<Record<string, NDArray>>;
  expect(String(read1.value.toArray())).toBe("a");
});
