// Event files: TensorFlow's are read, ours are read by us and, where it is installed, by TensorBoard's own loader.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import { afterAll, expect, test } from "vitest";
import { recordedFiles, recordedJson } from "../../test/interchange/files.ts";
import { messageFromBytes, messageToBytes, messageToJson } from "../formats/message-codec.ts";
import { recordsOf } from "../formats/records.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-events-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const only = (path: string): string => {
  const names = readdirSync(path);
  expect(names).toHaveLength(1);
  return join(path, names[0]);
};

const kinds = ["fileVersion", "graphDef", "metaGraphDef", "summary", "sessionLog", "taggedRunMetadata", "logMessage"] as const;
const kindOf = (event: tf.Event | object): string | undefined => kinds.find(kind => (event as Record<string, unknown>)[kind] !== undefined);

test("TensorFlow's event file", () => {
  const events = recordsOf(recordedFiles["events/events.out.tfevents.1700000000.fixture"]).map(record => messageFromBytes("Event", record));
  const expected = recordedJson("events/decoded.json") as { what: string; step: number; wall_time: number; nodes?: string[] }[];
  expect(events.map(kindOf)).toEqual(expected.map(({ what }) => what.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())));
  expect(events.map(({ step, wallTime }) => [Number(step), wallTime])).toEqual(expected.map(event => [event.step, event.wall_time]));
  const graph = messageFromBytes("GraphDef", events[1].graphDef as Uint8Array);
  expect(graph.node.map(({ name }) => name)).toEqual(expected[1].nodes);
});

/** A run with everything in it. */
async function writeRun(path: string): Promise<void> {
  const graph = new tf.Graph();
  const { merged, x } = graph.asDefault(() => {
    const given = tf.placeholder("float32", [null], { name: "x" });
    tf.summary.scalar("loss", tf.reduceSum(given));
    tf.summary.histogram("values", given);
    tf.summary.image("pictures", tf.reshape(given, [1, 2, 2, 1]));
    tf.summary.audio("tone", tf.reshape(given, [1, 4]), 8000);
    tf.summary.text("note", tf.constant("words"));
    return { merged: tf.summary.mergeAll() as tf.Tensor, x: given };
  });
  const session = new tf.Session({ graph });
  const writer = new tf.summary.FileWriter(path, graph, { flushSecs: 60 });
  for (let step = 0; step < 12; step++) writer.addSummary(await session.run(merged, [[x, [step, 0.5, -1, 2]]]), step);
  writer.addRunMetadata(
    { stepStats: { devStats: [{ device: "cpu", nodeStats: [{ nodeName: "x", allStartMicros: 1n, allEndRelMicros: 2n }] }] } },
    "run1",
  );
  writer.addSummary({ value: [{ tag: "own", simpleValue: 0.25 }] }, 3);
  writer.addSessionLog({ status: "STOP" }, { globalStep: 12 });
  await writer.close();
  await session.close();
}

test("what is written is read again", async () => {
  const path = join(folder, "run");
  await writeRun(path);
  const events = await Array.fromAsync(tf.train.summaryIterator(only(path)));
  expect(events.map(kindOf)).toEqual([
    "fileVersion",
    "graphDef",
    "metaGraphDef",
    ...Array(12).fill("summary"),
    "taggedRunMetadata",
    "summary",
    "sessionLog",
  ]);
  expect(events[0].fileVersion).toBe("brain.Event:2");
  const meta = messageFromBytes("MetaGraphDef", events[2].metaGraphDef as Uint8Array);
  expect(Buffer.compare(messageToBytes("GraphDef", meta.graphDef ?? {}), events[1].graphDef as Uint8Array)).toBe(0);
  expect([meta.collectionDef.get("summaries")?.nodeList?.value[0], meta.metaInfoDef?.strippedOpList?.op.length]).toEqual([
    "loss:0",
    new Set(meta.graphDef?.node.map(({ op }) => op)).size,
  ]);
  const { value } = events[3].summary as NonNullable<tf.Event["summary"]>;
  expect(value.map(({ tag }) => tag)).toEqual(["loss", "values", "pictures/image/0", "tone/audio/0", "note"]);
  expect([value[0].simpleValue, value[4].metadata?.pluginData?.pluginName]).toEqual([1.5, "text"]);
  // The plugin is told once a tag.
  expect(events[4].summary?.value[4].metadata).toBe(undefined);
  expect(
    messageToJson("RunMetadata", messageFromBytes("RunMetadata", events[15].taggedRunMetadata?.runMetadata as Uint8Array)),
  ).toMatchObject({
    step_stats: { dev_stats: [{ device: "cpu" }] },
  });
});

const python = process.env.TENSORFLOW_PYTHON ?? "python3";
const hasTensorBoard =
  spawnSync(python, ["-c", "import importlib.util as u, sys; sys.exit(u.find_spec('tensorboard') is None)"]).status === 0;

test.skipIf(!hasTensorBoard)("TensorBoard's own loader reads it (skipped where no Python has tensorboard)", async () => {
  const path = join(folder, "board");
  await writeRun(path);
  const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "tensors": 0, "histograms": 0, "audio": 0, "compressedHistograms": 0}).Reload()
g = a.Graph()
def tensor(tag): return [(e.step, len(e.tensor_proto.SerializeToString()) > 0) for e in a.Tensors(tag)]
print("RESULT" + json.dumps({"tags": {k: v for k, v in a.Tags().items()}, "nodes": len(g.node), "loss": [(e.step, e.value) for e in a.Scalars("loss")] if "loss" in a.Tags()["scalars"] else tensor("loss"),
  "pictures": [(e.width, e.height) for e in a.Images("pictures/image/0")] if "pictures/image/0" in a.Tags()["images"] else None}))
`;
  const { stdout, stderr } = spawnSync(python, ["-c", script, path], { encoding: "utf8" });
  const line = stdout.split("\n").find(text => text.startsWith("RESULT"));
  if (line === undefined) throw new Error(stderr);
  const { tags, nodes, loss, pictures } = JSON.parse(line.slice(6));
  expect(tags.scalars).toEqual(["loss", "own"]);
  expect([tags.histograms, tags.images, tags.audio, tags.tensors]).toEqual([["values"], ["pictures/image/0"], ["tone/audio/0"], ["note"]]);
  expect([tags.graph, tags.meta_graph, tags.run_metadata]).toEqual([true, true, ["run1"]]);
  expect(nodes).toBeGreaterThan(10);
  expect(loss).toEqual(Array.from({ length: 12 }, (_, step) => [step, step + 1.5]));
  expect(pictures).toEqual(Array.from({ length: 12 }, () => [2, 2]));
});

test("closing, reopening, the cache, and failure", async () => {
  const path = join(folder, "again");
  const writer = new tf.summary.FileWriter(path);
  writer.addSummary({ value: [{ tag: "a", simpleValue: 1 }] }, 1);
  await writer.flush();
  expect(await Array.fromAsync(tf.train.summaryIterator(only(path)))).toHaveLength(2);
  await writer.close();
  await writer.close();
  writer.reopen();
  writer.addSummary({ value: [{ tag: "a", simpleValue: 2 }] }, 2);
  await writer.close();
  expect(readdirSync(path)).toHaveLength(2);
  const cached = tf.summary.FileWriterCache.get(join(folder, "cached"));
  expect(tf.summary.FileWriterCache.get(join(folder, "cached"))).toBe(cached);
  await tf.summary.FileWriterCache.clear();
  expect(readdirSync(join(folder, "cached"))).toHaveLength(1);
  expect(() => writer.addRunMetadata({}, "t") ?? writer.addRunMetadata({}, "t")).toThrow(
    "The provided tag was already used for this event type",
  );
  const broken = new tf.summary.FileWriter(join(only(join(folder, "cached")), "inside"));
  await expect(broken.flush()).rejects.toBeInstanceOf(tf.errors.OpError);
});
