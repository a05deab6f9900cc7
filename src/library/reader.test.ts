// Readers against TensorFlow 2.21: keys, values, counts and errors, on files made here.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { NDArray } from "../base/ndarray.ts";
import { recordToBytes } from "../formats/records.ts";
import { Graph } from "../graph/graph.ts";
import { Session } from "../session/session.ts";
import { FIFOQueue } from "./queue.ts";
import { FixedLengthRecordReader, IdentityReader, type ReaderBase, TextLineReader, TFRecordReader, WholeFileReader } from "./reader.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-readers-"));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (name: string, bytes: Uint8Array | string): void => writeFileSync(join(folder, name), bytes);
put("a", "h\nx\r\ny\n\nz");
put("empty", "");
put("c", "q\n");
put("fixed", "HHabcdefghFFF");
put("records", Buffer.concat(["one", "", "three"].map(text => recordToBytes(Buffer.from(text)))));

/** Key and value of each read, with the counts behind it, and what ends it. */
async function readAll(
  make: () => ReaderBase,
  names: readonly string[],
  upTo?: number,
): Promise<{ reads: unknown[]; error: string; after: unknown }> {
  const graph = new Graph();
  const built = graph.asDefault(() => {
    const queue = new FIFOQueue(10, "string", { shapes: [[]] });
    const reader = make();
    return {
      read: [...(upTo === undefined ? reader.read(queue) : reader.readUpTo(queue, upTo))],
      counts: [reader.numRecordsProduced(), reader.numWorkUnitsCompleted()],
      enqueue: queue.enqueueMany([names.map(name => join(folder, name))]),
      close: queue.close(),
      reset: reader.reset(),
      state: reader.serializeState(),
    };
  });
  await using session = new Session({ graph });
  await session.run(built.enqueue);
  await session.run(built.close);
  const plain = (arrays: readonly NDArray[]): unknown[] =>
    arrays.map(array =>
      JSON.parse(
        JSON.stringify(array.toArray(), (_, item) => (typeof item === "bigint" ? Number(item) : item)).replaceAll(`${folder}/`, ""),
      ),
    );
  const reads: unknown[] = [];
  const counts = async (): Promise<unknown[]> => plain((await session.run(built.counts)) as NDArray[]);
  for (;;) {
    try {
      reads.push([...plain((await session.run(built.read)) as NDArray[]), ...(await counts())]);
    } catch (error) {
      const after = [...(await counts())];
      await session.run(built.reset);
      expect(await counts()).toEqual([0, 0]);
      return { reads, error: (error as Error).message.split("\n")[0].replaceAll(`${folder}/`, ""), after };
    }
  }
}

const closed = "FIFOQueue '_0_fifo_queue' is closed and has insufficient elements (requested 1, current size 0)";

test("lines", async () => {
  expect(await readAll(() => new TextLineReader(), ["a", "empty", "c"])).toEqual({
    reads: [
      ["a:1", "h", 1, 0],
      ["a:2", "x", 2, 0],
      ["a:3", "y", 3, 0],
      ["a:4", "", 4, 0],
      ["a:5", "z", 5, 0],
      ["c:1", "q", 6, 2],
    ],
    error: closed,
    after: [6, 3],
  });
  const { reads, after } = await readAll(() => new TextLineReader({ skipHeaderLines: 1 }), ["a", "c"]);
  expect([reads[0], reads.length, after]).toEqual([["a:2", "x", 1, 0], 4, [4, 2]]);
});

test("none at once, without waiting for a file", async () => {
  const graph = new Graph();
  const none = graph.asDefault(() => new TextLineReader().readUpTo(new FIFOQueue(1, "string"), 0));
  await using session = new Session({ graph });
  expect((await session.run([...none])).map(array => array.shape)).toEqual([[0], [0]]);
});

test("several at once, of one file", async () => {
  expect(await readAll(() => new TextLineReader(), ["a", "c"], 3)).toEqual({
    reads: [
      [["a:1", "a:2", "a:3"], ["h", "x", "y"], 3, 0],
      [["a:4", "a:5"], ["", "z"], 5, 1],
      [["c:1"], ["q"], 6, 2],
    ],
    error: closed,
    after: [6, 2],
  });
});

test("whole files, names, records, pieces of one length", async () => {
  expect((await readAll(() => new WholeFileReader(), ["a", "c"])).reads).toEqual([
    ["a", "h\nx\r\ny\n\nz", 1, 1],
    ["c", "q\n", 2, 2],
  ]);
  expect((await readAll(() => new IdentityReader(), ["a"])).reads).toEqual([["a", "a", 1, 1]]);
  expect((await readAll(() => new TFRecordReader(), ["records", "records"])).reads.slice(0, 4)).toEqual([
    ["records:0", "one", 1, 0],
    ["records:19", "", 2, 0],
    ["records:35", "three", 3, 0],
    ["records:0", "one", 4, 1],
  ]);
  const pieces = async (...lengths: [number, object]): Promise<unknown[]> =>
    (await readAll(() => new FixedLengthRecordReader(...lengths), ["fixed"])).reads.map(read => (read as unknown[]).slice(0, 2));
  expect(await pieces(3, { headerBytes: 2, footerBytes: 3 })).toEqual([
    ["fixed:0", "abc"],
    ["fixed:1", "def"],
  ]);
  expect(await pieces(4, { headerBytes: 2, footerBytes: 3, hopBytes: 2 })).toEqual([
    ["fixed:0", "abcd"],
    ["fixed:1", "cdef"],
    ["fixed:2", "efgh"],
  ]);
});

test("a file that is not there", async () => {
  expect(await readAll(() => new TextLineReader(), ["nothing"])).toEqual({
    reads: [],
    error: "nothing; No such file or directory",
    after: [0, 0],
  });
});

test("states", async () => {
  using _ = new Graph().asDefault();
  const queue = new FIFOQueue(10, "string", { shapes: [[]] });
  const [whole, lines] = [new WholeFileReader(), new TextLineReader()];
  const read = whole.read(queue);
  const enqueue = queue.enqueueMany([[join(folder, "a"), join(folder, "c")]]);
  await using session = new Session();
  await session.run(enqueue);
  await session.run(read[1]);
  const state = (await session.run(whole.serializeState())) as NDArray;
  expect([...(state.get(0) as Uint8Array)].slice(0, 6)).toEqual([8, 1, 16, 1, 24, 1]);
  await session.run(whole.reset());
  await session.run(whole.restoreState(state));
  expect(((await session.run(whole.numRecordsProduced())) as NDArray).item()).toBe(1n);
  await expect(session.run(lines.serializeState())).rejects.toThrow("Reader SerializeState");
  await expect(session.run(whole.restoreState("\u00ff"))).rejects.toThrow("Could not parse state for WholeFileReader 'WholeFileReaderV2'");
});

test("what cannot be read is told again, what cannot be opened is left behind", async () => {
  const good = recordToBytes(Buffer.from("one"));
  const bad = recordToBytes(Buffer.from("two"));
  bad[bad.length - 1] ^= 1;
  put("long", "HHHHHHHHHHabcde");
  put("damaged", Buffer.concat([good, bad]));
  const graph = new Graph();
  const built = graph.asDefault(() => {
    const files = (...names: string[]) => {
      const queue = new FIFOQueue(9, "string", { shapes: [[]] });
      return { queue, fill: [queue.enqueueMany([names.map(name => join(folder, name))])] };
    };
    const [records, fixed] = [files("damaged", "records"), files("a", "fixed", "long")];
    return {
      fill: [...records.fill, ...fixed.fill],
      record: new TFRecordReader().read(records.queue)[1],
      fixed: new FixedLengthRecordReader(5, { headerBytes: 10 }).readUpTo(fixed.queue, 1)[1],
    };
  });
  await using session = new Session({ graph });
  await session.run(built.fill);
  const read = (tensor: typeof built.record): Promise<string> =>
    session.run(tensor).then(
      value => JSON.stringify((value as NDArray).toArray()),
      error => (error as Error).message.split("\n")[0],
    );
  expect([await read(built.record), await read(built.record), await read(built.record)]).toEqual([
    '"one"',
    "corrupted record at 31",
    "corrupted record at 31",
  ]);
  // The first file has fewer bytes than a header, the second no record behind it.
  expect([await read(built.fixed), await read(built.fixed)]).toEqual(["reached end of file", '["abcde"]']);
});
