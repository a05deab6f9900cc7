// Event files, TensorBoard's and TensorFlow's: a record for each event. FileWriter collects events and writes them in the background;
// summaryIterator reads them back.

import { pythonClass, pythonType, textOf } from "../base/python-text.ts";
import { files, hostname } from "#platform";
import { ValueError } from "../base/errors.ts";
import { type AppendFile, joinPath } from "../base/files.ts";
import type { NDArray } from "../base/ndarray.ts";
import { eventFileName, eventRecord, firstEventRecord, wallTime } from "../formats/event-files.ts";
import { messageClass, type MessageObject } from "../formats/message-class.ts";
import { messageFromBytes, messageToBytes } from "../formats/message-codec.ts";
import type { MessageInit } from "../formats/messages.ts";
import { readRecords } from "../formats/records.ts";
import { getDefaultGraph } from "../graph/default-graph.ts";
import { Graph } from "../graph/graph.ts";
import { type ByName, byName, collect } from "../ops/arguments.ts";
import { exportGraphDef, type GraphDefMessage } from "./graph-def.ts";
import { metaGraphOf } from "./meta-graph.ts";

/** A summary as a message: `new tf.Summary({ value: [{ tag: "loss", simpleValue: 0.5 }] })`. TF: tf.Summary. */
export const Summary = messageClass("Summary", { Value: "SummaryValue", Image: "SummaryImage", Audio: "SummaryAudio" });
export type Summary = MessageObject<"Summary">;
/** One record of an event file. TF: tf.Event. */
export const Event = messageClass("Event");
export type Event = MessageObject<"Event">;
/** Start or stop of a session. TF: tf.SessionLog. */
export const SessionLog = Object.assign(messageClass("SessionLog"), { STATUS_UNSPECIFIED: 0, START: 1, STOP: 2, CHECKPOINT: 3 } as const);
export type SessionLog = MessageObject<"SessionLog">;
export const TaggedRunMetadata = messageClass("TaggedRunMetadata");
export const HistogramProto = messageClass("HistogramProto");

export interface FileWriterOptions {
  /** Written into the file, so that TensorBoard shows it. */
  readonly graph?: Graph | GraphDefMessage | null;
  /** So many events may wait before they are written. */
  readonly maxQueue?: number;
  /** Events wait no longer than so many seconds. */
  readonly flushSecs?: number;
  readonly graphDef?: GraphDefMessage | null;
  readonly filenameSuffix?: string | null;
}

type Step = number | bigint | NDArray | null;
interface StepOption {
  readonly globalStep?: Step;
}

const stepOf = (step: Step | undefined): bigint =>
  step === null || step === undefined ? 0n : typeof step === "bigint" ? step : BigInt(Math.trunc(Number(step)));

let opened = 0;

/** Writes summaries and graphs for TensorBoard into a folder: `const writer = new tf.summary.FileWriter("out/run", graph)`,
 *  `writer.addSummary(value, step)`, `await writer.close()`. Adding does not wait; what fails is raised by the next call. TF: tf.summary.FileWriter. */
export class FileWriter {
  private readonly logdir: string;
  private readonly options: FileWriterOptions;
  private waiting: Uint8Array[] = [];
  private file: Promise<AppendFile> | undefined;
  private work: Promise<void> = Promise.resolve();
  private failure: unknown;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isClosed = false;
  private readonly seenTags = new Set<string>();
  private readonly runTags = new Set<string>();

  constructor(logdir: string, ...rest: readonly (FileWriterOptions | Graph | GraphDefMessage | number | null | undefined)[]) {
    const options = collect<FileWriterOptions>(["graph", "maxQueue", "flushSecs", "graphDef", "filenameSuffix", "session"], rest);
    if (typeof logdir !== "string" || logdir === "") throw new TypeError("Argument `logdir` must be the path of a folder.");
    textOf(options.filenameSuffix ?? "");
    this.logdir = logdir;
    this.options = options;
    this.begin();
    const { graph = null, graphDef = null } = options;
    if (graph === null && graphDef === null) return;
    this.addGraph(graph, { graphDef });
    this.addMetaGraph(metaGraphOf(graph instanceof Graph ? { graph } : { graphDef: graph ?? graphDef }));
  }

  getLogdir(): string {
    return this.logdir;
  }

  /** A summary: what a summary node gave, its bytes, or a message. */
  addSummary(summary: NDArray | Uint8Array | MessageInit<"Summary">, globalStep: ByName<"globalStep", Step> = null): void {
    const message = summaryOf(summary);
    const value = (message.value ?? []).map(item => {
      if (!item.metadata || item.tag === undefined) return item;
      // Metadata once a tag is enough.
      if (this.seenTags.has(item.tag)) return { ...item, metadata: undefined };
      this.seenTags.add(item.tag);
      return item;
    });
    this.add({ summary: { value } }, byName("globalStep", globalStep) ?? null);
  }

  addSessionLog(sessionLog: MessageInit<"SessionLog">, { globalStep }: StepOption = {}): void {
    if (typeof sessionLog !== "object" || sessionLog === null)
      throw new TypeError(
        `Parameter to initialize message field must be dict or instance of same class: expected <class 'tensorflow.core.util.event_pb2.SessionLog'> got <class '${pythonType(sessionLog)}'>.`,
      );
    this.add({ sessionLog }, globalStep);
  }

  /** A graph for TensorBoard's graph view. @throws ValueError if both forms are given, TypeError if neither. */
  addGraph(
    graph: Graph | GraphDefMessage | null,
    { globalStep, graphDef = null }: StepOption & { readonly graphDef?: GraphDefMessage | null } = {},
  ): void {
    if (graph !== null && graphDef !== null) throw new ValueError("Please pass only graph, or graph_def (deprecated), but not both.");
    const message = graph instanceof Graph ? exportGraphDef(graph, { addShapes: true }) : (graph ?? graphDef);
    if (!Array.isArray(message?.node)) throw new TypeError("The passed graph must be an instance of `Graph` or the deprecated `GraphDef`");
    this.add({ graphDef: messageToBytes("GraphDef", message) }, globalStep);
  }

  addMetaGraph(metaGraphDef: MessageInit<"MetaGraphDef">, { globalStep }: StepOption = {}): void {
    if (typeof metaGraphDef !== "object" || metaGraphDef === null)
      throw new TypeError(`meta_graph_def must be type MetaGraphDef, saw type: ${pythonClass(metaGraphDef)}`);
    this.add({ metaGraphDef: messageToBytes("MetaGraphDef", metaGraphDef) }, globalStep);
  }

  /** What a run took, under a tag that is used once. @throws ValueError if it was used. */
  addRunMetadata(runMetadata: MessageInit<"RunMetadata"> | Uint8Array, tag: string, { globalStep }: StepOption = {}): void {
    if (this.runTags.has(tag)) throw new ValueError("The provided tag was already used for this event type");
    this.runTags.add(tag);
    const bytes = runMetadata instanceof Uint8Array ? runMetadata : messageToBytes("RunMetadata", runMetadata);
    this.add({ taggedRunMetadata: { tag, runMetadata: bytes } }, globalStep);
  }

  /** An event as it is. */
  addEvent(event: MessageInit<"Event">): void {
    if (this.isClosed) {
      console.warn("Attempting to use a closed FileWriter. The operation will be a noop unless the FileWriter is explicitly reopened.");
      return;
    }
    this.raise();
    this.waiting.push(eventRecord(event));
    const { maxQueue = 10, flushSecs = 120 } = this.options;
    if (this.waiting.length >= maxQueue) this.write();
    else if (this.timer === undefined) {
      this.timer = setTimeout(() => this.write(), flushSecs * 1000);
      // A timer alone keeps no program from ending.
      (this.timer as { unref?: () => void }).unref?.();
    }
  }

  /** Waits until all events are in the file. */
  async flush(): Promise<void> {
    this.write();
    await this.work;
    this.raise();
    await (await this.file)?.flush();
  }

  /** Writes what waits and ends the file. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.write();
    await this.work;
    const file = await this.file;
    this.file = undefined;
    this.raise();
    await file?.flush();
    await file?.close();
  }

  /** After `close`: goes on in a new file. */
  reopen(): void {
    if (!this.isClosed) return;
    this.isClosed = false;
    this.begin();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private add(event: MessageInit<"Event">, step: Step | undefined): void {
    this.addEvent({ ...event, wallTime: wallTime(), step: stepOf(step) });
  }

  /** The first event of a file says what it is. */
  private begin(): void {
    // Files of one second and machine are kept apart by a number.
    const number = opened++ === 0 ? "" : `.${opened - 1}`;
    const path = joinPath(this.logdir, eventFileName(`${hostname()}${number}${this.options.filenameSuffix ?? ""}`));
    this.file = files.makeFolder(this.logdir).then(() => files.append(path));
    this.file.catch((error: unknown) => void (this.failure ??= error));
    this.waiting.push(firstEventRecord("tensorloom.io.summary-writer"));
  }

  private write(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const records = this.waiting.splice(0);
    const target = this.file;
    if (records.length === 0 || target === undefined) return;
    this.work = this.work.then(async () => {
      try {
        const file = await target;
        for (const record of records) await file.write(record);
      } catch (error) {
        this.failure ??= error;
      }
    });
  }

  private raise(): void {
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
  }
}

function summaryOf(summary: NDArray | Uint8Array | MessageInit<"Summary">): MessageInit<"Summary"> {
  if (summary instanceof Uint8Array) return messageFromBytes("Summary", summary);
  if ("dtype" in summary) return messageFromBytes("Summary", summary.get(0) as Uint8Array);
  return summary;
}

const cached = new Map<string, FileWriter>();

/** One writer for each folder; its file begins with what the default graph then holds. TF: tf.summary.FileWriterCache. */
export class FileWriterCache {
  static get(logdir: string): FileWriter {
    const writer = cached.get(logdir) ?? new FileWriter(logdir, { graph: getDefaultGraph() });
    cached.set(logdir, writer);
    return writer;
  }

  /** Closes and forgets all of them. */
  static async clear(): Promise<void> {
    const writers = [...cached.values()];
    cached.clear();
    await Promise.all(writers.map(writer => writer.close()));
  }
}

/** The events of a file, in order; a record that is still being written is the end. TF: tf.train.summary_iterator. */
export async function* summaryIterator(path: string): AsyncGenerator<MessageObject<"Event">> {
  const source = await files.open(path);
  try {
    for await (const record of readRecords(source)) yield Event.FromString(record);
  } finally {
    await source.close();
  }
}
