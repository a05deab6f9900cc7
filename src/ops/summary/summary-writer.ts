// Summaries that a run writes itself: a writer lives in the session and appends events to a file. TensorFlow 2's summaries are made of these operations;
// tf.summary.FileWriter (io/summary-writer.ts) writes what runs have given.

import { files, hostname, processId } from "#platform";
import { DataLossError, InternalError, InvalidArgumentError, NotFoundError, UnimplementedError } from "../../base/errors.ts";
import { type AppendFile, joinPath } from "../../base/files.ts";
import { decodeText, type NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { eventFileName, eventRecord, firstEventRecord, wallTime } from "../../formats/event-files.ts";
import { messageFromBytes } from "../../formats/message-codec.ts";
import type { Message, MessageInit, MessageName } from "../../formats/messages.ts";
import { recordToBytes } from "../../formats/records.ts";
import { arrayToMessage } from "../../formats/tensor-message.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { bytesAt } from "../string/string.ts";
import {
  audioValues,
  checkAudioShape,
  checkBadColor,
  checkImageShape,
  finiteHistogram,
  imageValues,
  type SummaryValues,
  scalarTag,
} from "./summary.ts";

interface WriterSettings {
  readonly logdir: string;
  readonly maxQueue: number;
  readonly flushMillis: number;
  readonly suffix: string;
}

let opened = 0;

/** What a writer's handle stands for: at first nothing, and nothing again when it is closed. What is asked of it is done in turn. */
class HostSummaryWriter {
  private readonly container: string;
  private readonly sharedName: string;
  private settings: WriterSettings | undefined;
  private file: AppendFile | undefined;
  private waiting: Uint8Array[] = [];
  private flushedAt = 0;
  private wasOpen = false;
  private last: Promise<unknown> = Promise.resolve();

  constructor(container: string, sharedName: string) {
    this.container = container === "" ? "localhost" : container;
    this.sharedName = sharedName;
  }

  /** A writer that is open stays with its file. */
  open(settings: WriterSettings): Promise<void> {
    return this.inTurn(async () => {
      if (this.file) return;
      await files.makeFolder(settings.logdir);
      const name = eventFileName(`${hostname()}.${processId()}.${opened++}${settings.suffix}`);
      this.file = await files.append(joinPath(settings.logdir, name));
      this.settings = settings;
      this.wasOpen = true;
      this.waiting = [firstEventRecord("tensorloom.ops.summary-writer")];
      await this.writeOut(this.file);
    });
  }

  /** Events wait until there are more than `maxQueue`, or one comes `flushMillis` after the last were written. */
  add(record: Uint8Array): Promise<void> {
    return this.inTurn(async () => {
      const [file, { maxQueue, flushMillis }] = this.mustBeOpen(true);
      this.waiting.push(record);
      if (this.waiting.length > maxQueue || performance.now() - this.flushedAt > flushMillis) await this.writeOut(file);
    });
  }

  flush(): Promise<void> {
    return this.inTurn(() => this.writeOut(this.mustBeOpen(true)[0]));
  }

  close(): Promise<void> {
    return this.inTurn(() => this.end(this.mustBeOpen(false)[0]));
  }

  /** The session ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.inTurn(async () => this.file && this.end(this.file));
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    return result;
  }

  private async end(file: AppendFile): Promise<void> {
    this.file = undefined;
    try {
      await this.writeOut(file);
    } finally {
      await file.close();
    }
  }

  private async writeOut(file: AppendFile): Promise<void> {
    this.flushedAt = performance.now();
    for (const record of this.waiting.splice(0)) await file.write(record);
    await file.flush();
  }

  private mustBeOpen(isLookedUp: boolean): readonly [AppendFile, WriterSettings] {
    if (this.file && this.settings) return [this.file, this.settings];
    const { container, sharedName } = this;
    // A container begins with the first object in it.
    if (this.wasOpen) throw new NotFoundError(`Resource ${container}/${sharedName}/N10tensorflow22SummaryWriterInterfaceE does not exist.`);
    const missing = isLookedUp ? ` (Could not find resource: ${container}/${sharedName})` : "";
    throw new NotFoundError(`Container ${container} does not exist.${missing}\n\nRun the operation of createSummaryFileWriter first.`);
  }
}

function writerOf(handle: object): HostSummaryWriter {
  if (!(handle instanceof HostSummaryWriter)) throw new InternalError("The handle is no summary writer's.");
  return handle;
}

const common = { outputs: {}, stateful: true, shape: () => undefined } as const;

/** A handle; writers of one name are one, the empty name included. */
export const SummaryWriter = defineOp("SummaryWriter", {
  inputs: {},
  outputs: { writer: "resource" },
  attrs: { sharedName: attr.string(""), container: attr.string("") },
  stateful: true,
  shape: () => new TensorShape([]),
  resource: ({ container, sharedName }) => ({
    id: `SummaryWriter:${container}/${sharedName}`,
    make: () => new HostSummaryWriter(container, sharedName),
  }),
});

/** Opens a file in a folder, which is made if need be. */
export const CreateSummaryFileWriter = defineOp("CreateSummaryFileWriter", {
  inputs: { writer: "resource", logdir: "string", maxQueue: "int32", flushMillis: "int32", filenameSuffix: "string" },
  attrs: {},
  ...common,
  host: ({ writer, logdir, maxQueue, flushMillis, filenameSuffix }) => {
    for (const [name, { rank }] of [
      ["max_queue", maxQueue],
      ["flush_millis", flushMillis],
      ["logdir", logdir],
      ["filename_suffix", filenameSuffix],
    ] as const)
      if (rank !== 0) throw new InvalidArgumentError(`${name} must be a scalar`);
    return writerOf(writer).open({
      logdir: decodeText(bytesAt(logdir, 0)),
      maxQueue: Number(maxQueue.get(0)),
      flushMillis: Number(flushMillis.get(0)),
      suffix: decodeText(bytesAt(filenameSuffix, 0)),
    });
  },
});

export const FlushSummaryWriter = defineOp("FlushSummaryWriter", {
  inputs: { writer: "resource" },
  attrs: {},
  ...common,
  host: ({ writer }) => writerOf(writer).flush(),
});

/** Writes what waits and ends the file. */
export const CloseSummaryWriter = defineOp("CloseSummaryWriter", {
  inputs: { writer: "resource" },
  attrs: {},
  ...common,
  host: ({ writer }) => writerOf(writer).close(),
});

/** The one element of an input. */
function only(array: NDArray, name: string): NDArray {
  if (array.size !== 1) throw new InvalidArgumentError(`${name} must be scalar, got shape [${array.shape}]`);
  return array;
}

function addEvent(writer: object, step: NDArray, event: MessageInit<"Event">): Promise<void> {
  return writerOf(writer).add(eventRecord({ wallTime: wallTime(), step: only(step, "step").get(0) as bigint, ...event }));
}

const addValues = (writer: object, step: NDArray, value: SummaryValues): Promise<void> => addEvent(writer, step, { summary: { value } });

/** @throws DataLossError with `reason` for bytes that are no such message. */
function parsed<N extends MessageName>(name: N, bytes: Uint8Array, reason: string): Message<N> {
  try {
    return messageFromBytes(name, bytes);
  } catch (error) {
    throw new DataLossError(`${reason}\n\n${(error as Error).message}`);
  }
}

/** A tensor with its metadata, which tells TensorBoard's plugin. */
export const WriteSummary = defineOp("WriteSummary", {
  inputs: { writer: "resource", step: "int64", tensor: "T", tag: "string", summaryMetadata: "string" },
  attrs: { T: attr.type() },
  ...common,
  host: ({ writer, step, tensor, tag, summaryMetadata }) => {
    const bytes = bytesAt(only(summaryMetadata, "summary_metadata"), 0);
    const metadata = bytes.length === 0 ? undefined : parsed("SummaryMetadata", bytes, "Bad tf.SummaryMetadata binary proto tensor string");
    return addValues(writer, step, [{ tag: scalarTag(tag), tensor: arrayToMessage(tensor), metadata }]);
  },
});

/** TensorFlow's writer has no case for bfloat16. */
function checkNumbers({ dtype }: NDArray): void {
  if (dtype === "bfloat16") throw new UnimplementedError("SummaryFileWriter bfloat16 not supported.");
}

export const WriteScalarSummary = defineOp("WriteScalarSummary", {
  inputs: { writer: "resource", step: "int64", tag: "string", value: "T" },
  attrs: { T: attr.type(attr.realNumbers) },
  ...common,
  host: ({ writer, step, tag, value }) => {
    checkNumbers(value);
    // Of several, TensorFlow writes the first.
    if (value.size === 0) throw new InvalidArgumentError(`value must be scalar, got shape [${value.shape}]`);
    return addValues(writer, step, [{ tag: scalarTag(tag), simpleValue: Number(value.get(0)) }]);
  },
});

export const WriteHistogramSummary = defineOp("WriteHistogramSummary", {
  inputs: { writer: "resource", step: "int64", tag: "string", values: "T" },
  attrs: { T: attr.type([...attr.realNumbers, "bool"], "float32") },
  ...common,
  host: ({ writer, step, tag, values }) => {
    checkNumbers(values);
    const name = scalarTag(tag);
    return addValues(writer, step, [{ tag: name, histo: finiteHistogram(values, name) }]);
  },
});

export const WriteImageSummary = defineOp("WriteImageSummary", {
  inputs: { writer: "resource", step: "int64", tag: "string", tensor: "T", badColor: "uint8" },
  attrs: { maxImages: attr.int(3, 1), T: attr.type(["uint8", "float64", "float32", "float16"], "float32") },
  ...common,
  host: ({ writer, step, tag, tensor, badColor, maxImages }) => {
    checkImageShape(tensor.shape);
    // Bytes are taken as they are: none of them is bad.
    if (tensor.dtype !== "uint8") {
      if (badColor.rank !== 1) throw new InvalidArgumentError(`bad_color must be a vector, got shape [${badColor.shape}]`);
      checkBadColor(badColor, tensor.shape[3]);
    }
    return addValues(writer, step, imageValues(scalarTag(tag), tensor, maxImages, badColor));
  },
});

export const WriteAudioSummary = defineOp("WriteAudioSummary", {
  inputs: { writer: "resource", step: "int64", tag: "string", tensor: "float32", sampleRate: "float32" },
  attrs: { maxOutputs: attr.int(3, 1) },
  ...common,
  host: ({ writer, step, tag, tensor, sampleRate, maxOutputs }) => {
    checkAudioShape(tensor.shape);
    const rate = Number(only(sampleRate, "sample_rate").get(0));
    return addValues(writer, step, audioValues(scalarTag(tag), tensor, rate, maxOutputs));
  },
});

/** The values of summaries that are there as bytes, in one event. */
export const WriteRawProtoSummary = defineOp("WriteRawProtoSummary", {
  inputs: { writer: "resource", step: "int64", tensor: "string" },
  attrs: {},
  ...common,
  host: ({ writer, step, tensor }) => {
    if (tensor.size === 0) return addEvent(writer, step, {});
    const summaries = Array.from({ length: tensor.size }, (_, i) =>
      parsed("Summary", bytesAt(tensor, i), `Bad tf.compat.v1.Summary binary proto tensor string at index ${i}`),
    );
    return addValues(
      writer,
      step,
      summaries.flatMap(({ value }) => value),
    );
  },
});

/** A GraphDef for TensorBoard's graph view. */
export const WriteGraphSummary = defineOp("WriteGraphSummary", {
  inputs: { writer: "resource", step: "int64", tensor: "string" },
  attrs: {},
  ...common,
  host: ({ writer, step, tensor }) => {
    const graphDef = bytesAt(only(tensor, "tensor"), 0);
    parsed("GraphDef", graphDef, "Bad tf.GraphDef binary proto tensor string");
    return addEvent(writer, step, { graphDef });
  },
});

/** An event as it is, with its own step and time. */
export const ImportEvent = defineOp("ImportEvent", {
  inputs: { writer: "resource", event: "string" },
  attrs: {},
  ...common,
  host: ({ writer, event }) => {
    const bytes = bytesAt(only(event, "event"), 0);
    parsed("Event", bytes, "Bad tf.Event binary proto tensor string");
    return writerOf(writer).add(recordToBytes(bytes));
  },
});
