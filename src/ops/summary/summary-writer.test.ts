// Summary writers of a session: the events and errors of TensorFlow 2.21's graph mode.

import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom";
import { afterAll, expect, test } from "vitest";
import { createMessage, messageFromBytes, messageToBytes } from "../../formats/message-codec.ts";
import { arrayFromMessage } from "../../formats/tensor-message.ts";

const folder = mkdtempSync(join(tmpdir(), "tensorloom-writers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => join(folder, String(folders++));

/** Strings that are bytes. */
function strings(values: readonly Uint8Array[], shape: readonly number[] = []): tf.NDArray {
  const array = tf.NDArray.zeros("string", shape);
  values.forEach((value, i) => void array.set(i, value));
  return array;
}

const sizes = (path: string): number[] => readdirSync(path).map(name => statSync(join(path, name)).size);

async function eventsOf(path: string): Promise<tf.Event[]> {
  const names = readdirSync(path);
  expect(names).toHaveLength(1);
  return (await Array.fromAsync(tf.train.summaryIterator(join(path, names[0])))) as tf.Event[];
}

type Write = (writer: tf.Tensor, step: tf.Tensor) => tf.Operation;
const create = (writer: tf.Tensor, logdir: tf.TensorLike, maxQueue: tf.TensorLike = 10, flushMillis = 100_000): tf.Operation =>
  tf.rawOps.CreateSummaryFileWriter({ writer, logdir, maxQueue, flushMillis, filenameSuffix: ".v2" });
const int64 = (value: number): tf.Tensor => tf.constant(value, { dtype: "int64" });

const outcome = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => "",
    (error: Error) => `${error.constructor.name}: ${error.message.split("\n")[0]}`,
  );

/** Runs operations one after another in a session that is closed in the end: what failed, and the events but the first. */
async function written(writes: readonly Write[]): Promise<{ failures: string[]; events: tf.Event[] }> {
  const path = newFolder();
  const graph = new tf.Graph();
  const steps = graph.asDefault(() => {
    const writer = tf.rawOps.SummaryWriter({});
    const step = int64(4);
    return [create(writer, path), ...writes.map(write => write(writer, step))];
  });
  const session = new tf.Session({ graph });
  const failures: string[] = [];
  for (const step of steps) failures.push(await outcome(session.run(step)));
  await session.close();
  const [first, ...events] = await eventsOf(path);
  expect([failures[0], first.fileVersion]).toEqual(["", "brain.Event:2"]);
  expect(events.every(({ wallTime }) => wallTime === 12.5 || Math.abs(wallTime - Date.now() / 1000) < 60)).toBe(true);
  return { failures: failures.slice(1).filter(text => text !== ""), events };
}

const valuesOf = ({ step, summary }: tf.Event): readonly NonNullable<tf.Event["summary"]>["value"][number][] => {
  expect(step).toBe(4n);
  return summary?.value ?? [];
};

test("scalars are simple values of every type but bfloat16", async () => {
  const scalar =
    (value: tf.ArrayLike, dtype: tf.DType): Write =>
    (writer, step) =>
      tf.rawOps.WriteScalarSummary({ writer, step, tag: "a", value: tf.constant(value, { dtype }) });
  const { failures, events } = await written([
    scalar(1.5, "float32"),
    scalar(2.25, "float64"),
    scalar(7, "int64"),
    scalar(0.5, "float16"),
    scalar(2 ** 31, "uint32"),
    scalar(-4, "int8"),
    scalar([1, 2], "float32"),
    scalar(3, "bfloat16"),
    scalar([], "float32"),
    (writer, step) => tf.rawOps.WriteScalarSummary({ writer, step, tag: ["b", "c"], value: 1 }),
  ]);
  expect(events.flatMap(valuesOf).map(({ tag, simpleValue }) => [tag, simpleValue])).toEqual(
    [1.5, 2.25, 7, 0.5, 2147483648, -4, 1].map(value => ["a", value]),
  );
  expect(failures).toEqual([
    "UnimplementedError: SummaryFileWriter bfloat16 not supported.",
    "InvalidArgumentError: value must be scalar, got shape [0]",
    "InvalidArgumentError: tag must be scalar",
  ]);
});

test("tensors with metadata", async () => {
  const metadata = messageToBytes("SummaryMetadata", { summaryDescription: "hello", pluginData: { pluginName: "scalars" } });
  const tensor =
    (value: tf.TensorLike, summaryMetadata: tf.TensorLike): Write =>
    (writer, step) =>
      tf.rawOps.WriteSummary({ writer, step, tensor: tf.convertToTensor(value), tag: "t", summaryMetadata });
  const { failures, events } = await written([
    tensor(1.5, strings([metadata])),
    tensor(tf.NDArray.from([1, 2], "int32"), ""),
    tensor(["x", "yy"], strings([metadata])),
    tensor(1, strings([new Uint8Array([255, 255, 255])])),
  ]);
  const values = events.flatMap(valuesOf);
  expect(values.map(({ metadata }) => metadata && [metadata.summaryDescription, metadata.pluginData?.pluginName])).toEqual([
    ["hello", "scalars"],
    undefined,
    ["hello", "scalars"],
  ]);
  const tensors = values.map(item => arrayFromMessage(createMessage("TensorProto", item.tensor)));
  expect(tensors.map(array => [array.dtype, array.toArray()])).toEqual([
    ["float32", 1.5],
    ["int32", [1, 2]],
    ["string", ["x", "yy"]],
  ]);
  expect(failures).toEqual(["DataLossError: Bad tf.SummaryMetadata binary proto tensor string"]);
});

test("histograms", async () => {
  const histogram =
    (values: tf.ArrayLike, dtype: tf.DType = "float32"): Write =>
    (writer, step) =>
      tf.rawOps.WriteHistogramSummary({ writer, step, tag: "t", values: tf.constant(values, { dtype }) });
  const { failures, events } = await written([
    histogram([1, 2], "int32"),
    histogram([true, false, true], "bool"),
    histogram([]),
    histogram([Number.NaN, 1]),
    histogram([Number.POSITIVE_INFINITY, 1]),
    histogram([1], "bfloat16"),
  ]);
  expect(events.flatMap(valuesOf).map(({ histo }) => histo)).toMatchObject([
    {
      min: 1,
      max: 2,
      num: 2,
      sum: 3,
      sumSquares: 5,
      bucketLimit: [0.917246389039776, 1.0089710279437536, 1.9661990955585713, 2.1628190051144287, Number.MAX_VALUE],
      bucket: [0, 1, 0, 1, 0],
    },
    { min: 0, max: 1, num: 3, sum: 2, sumSquares: 2, bucket: [0, 1, 0, 2, 0] },
    { min: Number.MAX_VALUE, max: -Number.MAX_VALUE, num: 0, bucketLimit: [Number.MAX_VALUE], bucket: [0] },
  ]);
  expect(failures).toEqual([
    "InvalidArgumentError: Nan in summary histogram for: t",
    "InvalidArgumentError: Infinity in summary histogram for: t",
    "UnimplementedError: SummaryFileWriter bfloat16 not supported.",
  ]);
});

test("images and sounds are those of the operations that give summaries", async () => {
  const pixels = tf.NDArray.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], "float32", [1, 2, 2, 3]);
  const red = tf.NDArray.from([255, 0, 0, 255], "uint8");
  const image =
    (tensor: tf.TensorLike, badColor: tf.TensorLike = red, maxImages = 2): Write =>
    (writer, step) =>
      tf.rawOps.WriteImageSummary({ writer, step, tag: "t", tensor: tf.convertToTensor(tensor), badColor, maxImages });
  const clip = [[0.5, -0.5]];
  const sound =
    (sampleRate: number, tensor: tf.TensorLike = clip, maxOutputs = 2): Write =>
    (writer, step) =>
      tf.rawOps.WriteAudioSummary({ writer, step, tag: "t", tensor, sampleRate, maxOutputs });
  const { failures, events } = await written([
    image(pixels),
    image(pixels, red, 1),
    image(pixels.cast("uint8"), tf.NDArray.from([255, 0], "uint8")),
    sound(8000),
    image(tf.NDArray.zeros("float32", [2, 2, 3])),
    image(tf.NDArray.zeros("float32", [1, 2, 2, 2])),
    image(pixels, tf.NDArray.from([255, 0], "uint8")),
    image(pixels, tf.NDArray.from([[255, 0]], "uint8")),
    sound(-1),
    sound(8000, [0.5]),
  ]);
  const values = events.flatMap(valuesOf);
  expect(values.map(({ tag }) => tag)).toEqual(["t/image/0", "t/image", "t/image/0", "t/audio/0"]);
  const graph = new tf.Graph();
  const given = graph.asDefault(() => [
    tf.rawOps.ImageSummary({ tag: "t", tensor: tf.convertToTensor(pixels) }),
    tf.rawOps.AudioSummaryV2({ tag: "t", tensor: clip, sampleRate: 8000 }),
  ]);
  const [pictures, sounds] = await new tf.Session({ graph }).run(given);
  expect(values[0]).toEqual(messageFromBytes("Summary", pictures.get(0) as Uint8Array).value[0]);
  expect(values[3]).toEqual(messageFromBytes("Summary", sounds.get(0) as Uint8Array).value[0]);
  expect(failures).toEqual([
    "InvalidArgumentError: Tensor must be 4-D with last dim 1, 3, or 4, not [2,2,3]",
    "InvalidArgumentError: Tensor must be 4-D with last dim 1, 3, or 4, not [1,2,2,2]",
    "InvalidArgumentError: expected depth <= bad_color.size, got depth = 3, bad_color.size = 2",
    "InvalidArgumentError: bad_color must be a vector, got shape [1,2]",
    "InvalidArgumentError: sample_rate must be > 0",
    "InvalidArgumentError: Input should be 3-D or 2-D",
  ]);
});

test("messages that are there as bytes", async () => {
  const summary = messageToBytes("Summary", { value: [{ tag: "r", simpleValue: 4 }] });
  const graphDef = messageToBytes("GraphDef", { node: [{ name: "n", op: "NoOp" }] });
  const event = messageToBytes("Event", { wallTime: 12.5, step: 8n, summary: { value: [{ tag: "r", simpleValue: 4 }] } });
  const bad = new Uint8Array([255, 255]);
  const raw =
    (tensor: tf.TensorLike): Write =>
    (writer, step) =>
      tf.rawOps.WriteRawProtoSummary({ writer, step, tensor });
  const { failures, events } = await written([
    raw(strings([summary])),
    raw(strings([summary, summary], [2])),
    raw(tf.NDArray.zeros("string", [0])),
    raw(strings([summary, bad], [2])),
    (writer, step) => tf.rawOps.WriteGraphSummary({ writer, step, tensor: strings([graphDef]) }),
    (writer, step) => tf.rawOps.WriteGraphSummary({ writer, step, tensor: strings([bad]) }),
    writer => tf.rawOps.ImportEvent({ writer, event: strings([event]) }),
    writer => tf.rawOps.ImportEvent({ writer, event: strings([bad]) }),
  ]);
  expect(events.slice(0, 3).map(item => valuesOf(item).map(({ tag, simpleValue }) => [tag, simpleValue]))).toEqual([
    [["r", 4]],
    [
      ["r", 4],
      ["r", 4],
    ],
    [],
  ]);
  expect([events[2].summary, events[3].graphDef, events[3].step]).toEqual([undefined, graphDef, 4n]);
  expect(messageToBytes("Event", events[4])).toEqual(event);
  expect(events).toHaveLength(5);
  expect(failures).toEqual([
    "DataLossError: Bad tf.compat.v1.Summary binary proto tensor string at index 1",
    "DataLossError: Bad tf.GraphDef binary proto tensor string",
    "DataLossError: Bad tf.Event binary proto tensor string",
  ]);
});

test("events wait until there are too many, a flush, or the end of the session", async () => {
  const path = newFolder();
  const graph = new tf.Graph();
  const [open, write, flush] = graph.asDefault(() => {
    const writer = tf.rawOps.SummaryWriter({});
    return [
      create(writer, path, 3),
      tf.rawOps.WriteScalarSummary({ writer, step: int64(3), tag: "a", value: 1 }),
      tf.rawOps.FlushSummaryWriter({ writer }),
    ];
  });
  const session = new tf.Session({ graph });
  await session.run(open);
  const [name] = readdirSync(path);
  expect(name.replace(/\d{10}/, "SECONDS").replace(/\d+\.v2$/, "N.v2")).toBe(
    `events.out.tfevents.SECONDS.${hostname()}.${process.pid}.N.v2`,
  );
  const [head] = sizes(path);
  const record = 39;
  const counts: number[] = [];
  for (const step of [write, write, write, write, write, flush, write]) {
    await session.run(step);
    counts.push((sizes(path)[0] - head) / record);
  }
  expect(counts).toEqual([0, 0, 0, 4, 4, 5, 5]);
  await session.close();
  expect((sizes(path)[0] - head) / record).toBe(6);
});

test("writers that are not open", async () => {
  const [path, other] = [newFolder(), newFolder()];
  const graph = new tf.Graph();
  const session = new tf.Session({ graph });
  const fails = (make: () => tf.Operation): Promise<string> => outcome(session.run(graph.asDefault(make)));
  const [writer, same, held] = graph.asDefault(() => [
    tf.rawOps.SummaryWriter({ sharedName: "q" }),
    tf.rawOps.SummaryWriter({ sharedName: "q" }),
    tf.rawOps.SummaryWriter({ sharedName: "q4", container: "cc" }),
  ]);
  const write = (to: tf.Tensor) => (): tf.Operation => tf.rawOps.WriteScalarSummary({ writer: to, step: int64(3), tag: "a", value: 1 });
  const close = (): tf.Operation => tf.rawOps.CloseSummaryWriter({ writer });
  expect([await fails(write(writer)), await fails(close), await fails(write(held))]).toEqual([
    "NotFoundError: Container localhost does not exist. (Could not find resource: localhost/q)",
    "NotFoundError: Container localhost does not exist.",
    "NotFoundError: Container cc does not exist. (Could not find resource: cc/q4)",
  ]);
  const vector = (value: tf.ArrayLike, dtype: tf.DType): tf.Tensor => tf.constant(value, { dtype });
  expect(await fails(() => create(writer, vector([path], "string")))).toBe("InvalidArgumentError: logdir must be a scalar");
  expect(await fails(() => create(writer, path, vector([10], "int32")))).toBe("InvalidArgumentError: max_queue must be a scalar");
  expect(await fails(() => create(writer, path))).toBe("");
  // A writer that is open keeps its file.
  expect(await fails(() => create(same, other))).toBe("");
  expect([await fails(write(same)), await fails(close), existsSync(other)]).toEqual(["", "", false]);
  const gone = "NotFoundError: Resource localhost/q/N10tensorflow22SummaryWriterInterfaceE does not exist.";
  expect([await fails(write(writer)), await fails(close), await fails(() => tf.rawOps.FlushSummaryWriter({ writer }))]).toEqual([
    gone,
    gone,
    gone,
  ]);
  expect(await eventsOf(path)).toHaveLength(2);
  // It may be opened again, in a file of its own.
  expect([await fails(() => create(writer, path)), await fails(write(writer))]).toEqual(["", ""]);
  await session.close();
  expect(sizes(path)).toHaveLength(2);
});
