// Readers: the records of files whose names come from a queue, one for each read. What a reader is at is kept in the session; reads run on the host, where
// they wait for files and for the queue. TensorFlow 1's input pipelines begin with them.

import { files } from "#platform";
import { InternalError, InvalidArgumentError, OutOfRangeError, UnimplementedError } from "../../base/errors.ts";
import { bytesSource, readFile } from "../../base/files.ts";
import { decodeText, encodeText, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { linesOf } from "../../formats/lines.ts";
import { plainSource, readRecords } from "../../formats/records.ts";
import { WireReader, WireWriter, wireTypes } from "../../formats/wire.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type HostObject } from "../../graph/op-definition.ts";
import type { Operation } from "../../graph/operation.ts";
import { handleFields, objectId, sharedAttrs } from "./host-handles.ts";
import { HostQueue } from "./queue-memory.ts";
import { bytesAt } from "../string/string.ts";

/** A record, and whether its file is known to end with it. */
interface ReaderRecord {
  readonly key: string;
  readonly value: Uint8Array;
  readonly isLast?: boolean;
}

/** Opens a file; what cannot be opened is left behind, what cannot be read is asked for again and again, as TensorFlow does. */
type RecordsOf = (work: string) => Promise<AsyncGenerator<ReaderRecord>>;

interface ReaderKind {
  readonly kind: string;
  readonly recordsOf: RecordsOf;
  /** Its state is a few numbers, which can be saved. */
  readonly canBeSaved?: boolean;
}

/** What a reader's handle stands for. Reads wait for each other. */
class HostReader {
  private readonly name: string;
  private readonly settings: ReaderKind;
  private started = 0n;
  private finished = 0n;
  private produced = 0n;
  private work = "";
  private records: AsyncGenerator<ReaderRecord> | null = null;
  private failure: unknown = null;
  private last: Promise<unknown> = Promise.resolve();

  constructor(name: string, settings: ReaderKind) {
    this.name = name;
    this.settings = settings;
  }

  get recordsProduced(): bigint {
    return this.produced;
  }

  get unitsCompleted(): bigint {
    return this.finished;
  }

  /** Up to `count` records of one file, at least one if any are asked for. @throws OutOfRangeError when the queue is closed and empty. */
  read(queue: HostQueue, count: number, signal: AbortSignal): Promise<readonly ReaderRecord[]> {
    const next = this.last.then(() => this.readNow(queue, count, signal));
    this.last = next.catch(() => undefined);
    return next;
  }

  private async readNow(queue: HostQueue, count: number, signal: AbortSignal): Promise<readonly ReaderRecord[]> {
    if (count < 0) throw new InvalidArgumentError(`num_records must be >= 0 but is: ${count}`);
    if (count === 0) return [];
    for (;;) {
      if (this.records === null) {
        this.work = "";
        const [name] = await queue.dequeue(signal);
        this.work = decodeText(bytesAt(name, 0));
        this.records = await this.settings.recordsOf(this.work);
        this.started++;
      }
      const found: ReaderRecord[] = [];
      while (this.records !== null && found.length < count) {
        const { value, done } = await this.step(this.records);
        if (!done) found.push(value);
        if (done || value.isLast) this.finish();
      }
      if (found.length === 0) continue;
      this.produced += BigInt(found.length);
      return found;
    }
  }

  private async step(records: AsyncGenerator<ReaderRecord>): Promise<IteratorResult<ReaderRecord>> {
    if (this.failure !== null) throw this.failure;
    try {
      return await records.next();
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  private finish(): void {
    this.records = null;
    this.finished = this.started;
  }

  reset(): void {
    this.records = null;
    this.failure = null;
    this.started = 0n;
    this.finished = 0n;
    this.produced = 0n;
    this.work = "";
  }

  /** The bytes of TensorFlow's ReaderBaseState. @throws UnimplementedError for readers inside of files. */
  save(): Uint8Array {
    if (!this.settings.canBeSaved) throw new UnimplementedError("Reader SerializeState");
    const to = new WireWriter();
    for (const [field, value] of [
      [1, this.started],
      [2, this.finished],
      [3, this.produced],
    ] as const) {
      if (value === 0n) continue;
      to.tag(field, wireTypes.varint);
      to.varint(value);
    }
    if (this.work !== "") to.field(4, encodeText(this.work));
    return to.finish();
  }

  async restore(state: Uint8Array): Promise<void> {
    if (!this.settings.canBeSaved) throw new UnimplementedError("Reader RestoreState");
    const found = savedState(state);
    if (found === undefined)
      throw new InvalidArgumentError(`Could not parse state for ${this.settings.kind} '${this.name}': ${escaped(state)}`);
    this.reset();
    [this.started, this.finished, this.produced] = found.counts;
    this.work = found.work;
    if (this.started > this.finished) this.records = await this.settings.recordsOf(this.work);
  }
}

const escaped = (bytes: Uint8Array): string =>
  Array.from(bytes, byte => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`)).join("");

function savedState(bytes: Uint8Array): { counts: [bigint, bigint, bigint]; work: string } | undefined {
  const counts: [bigint, bigint, bigint] = [0n, 0n, 0n];
  let work = "";
  try {
    const reader = new WireReader(bytes, "a reader's state");
    while (!reader.isAtEnd) {
      const { number, wire } = reader.tag();
      if (number >= 1 && number <= 3) counts[number - 1] = reader.varint();
      else if (number === 4) work = decodeText(reader.piece());
      else reader.skip(wire);
    }
  } catch {
    return undefined;
  }
  return counts[0] >= counts[1] && counts.every(count => count >= 0n) ? { counts, work } : undefined;
}

const readerObject = (
  op: Operation,
  attrs: { readonly container: string; readonly sharedName: string },
  settings: ReaderKind,
): HostObject => ({
  id: objectId(settings.kind, attrs, op),
  make: () => new HostReader(attrs.sharedName === "" ? op.name : attrs.sharedName, settings),
});

// ---- kinds ----

async function wholeFile(work: string): Promise<AsyncGenerator<ReaderRecord>> {
  return (async function* record() {
    yield { key: work, value: await readFile(files, work), isLast: true };
  })();
}

/** Lines without their ends, counted from 1; the first few are skipped. */
const numberedLines =
  (skip: number) =>
  async (work: string): Promise<AsyncGenerator<ReaderRecord>> => {
    const bytes = await readFile(files, work);
    return (async function* lines() {
      let number = 0;
      for (const line of linesOf(bytes)) if (++number > skip) yield { key: `${work}:${number}`, value: line.slice() };
    })();
  };

const recordFile =
  (compression: string) =>
  async (work: string): Promise<AsyncGenerator<ReaderRecord>> => {
    const source = bytesSource(work, await readFile(files, work));
    return (async function* records() {
      let offset = 0;
      for await (const value of readRecords(source, compression)) {
        yield { key: `${work}:${offset}`, value };
        offset += value.length + 16;
      }
    })();
  };

interface FixedLengths {
  readonly headerBytes: number;
  readonly recordBytes: number;
  readonly footerBytes: number;
  readonly hopBytes: number;
  readonly encoding: string;
}

const fixedLength =
  ({ headerBytes, recordBytes, footerBytes, hopBytes, encoding }: FixedLengths) =>
  async (work: string): Promise<AsyncGenerator<ReaderRecord>> => {
    const source = await plainSource(bytesSource(work, await readFile(files, work)), encoding);
    const bytes = await source.read(0, source.size);
    if (bytes.length < headerBytes) throw new OutOfRangeError("reached end of file");
    const hop = hopBytes === 0 ? recordBytes : hopBytes;
    return (async function* records() {
      for (let at = headerBytes, n = 0; at + recordBytes <= bytes.length - footerBytes; at += hop, n++)
        yield { key: `${work}:${n}`, value: bytes.slice(at, at + recordBytes) };
    })();
  };

async function identity(work: string): Promise<AsyncGenerator<ReaderRecord>> {
  return (async function* record() {
    yield { key: work, value: encodeText(work), isLast: true };
  })();
}

/** Each file is one record. */
export const WholeFileReaderV2 = defineOp("WholeFileReaderV2", {
  inputs: {},
  outputs: { readerHandle: "resource" },
  attrs: sharedAttrs,
  ...readerFields(),
  resource: (attrs, op) => readerObject(op, attrs, { kind: "WholeFileReader", recordsOf: wholeFile, canBeSaved: true }),
});

/** Each line is a record. */
export const TextLineReaderV2 = defineOp("TextLineReaderV2", {
  inputs: {},
  outputs: { readerHandle: "resource" },
  attrs: { skipHeaderLines: attr.int(0), ...sharedAttrs },
  ...readerFields(),
  resource: (attrs, op) => readerObject(op, attrs, { kind: "TextLineReader", recordsOf: numberedLines(attrs.skipHeaderLines) }),
});

/** Records of TFRecord files. */
export const TFRecordReaderV2 = defineOp("TFRecordReaderV2", {
  inputs: {},
  outputs: { readerHandle: "resource" },
  attrs: { ...sharedAttrs, compressionType: attr.string("") },
  ...readerFields(),
  resource: (attrs, op) => readerObject(op, attrs, { kind: "TFRecordReader", recordsOf: recordFile(attrs.compressionType) }),
});

/** Records of one length between a header and a footer. */
export const FixedLengthRecordReaderV2 = defineOp("FixedLengthRecordReaderV2", {
  inputs: {},
  outputs: { readerHandle: "resource" },
  attrs: {
    headerBytes: attr.int(0),
    recordBytes: attr.int(),
    footerBytes: attr.int(0),
    hopBytes: attr.int(0),
    ...sharedAttrs,
    encoding: attr.string(""),
  },
  ...readerFields(),
  resource: (attrs, op) => {
    for (const [name, value] of [
      ["header_bytes", attrs.headerBytes],
      ["record_bytes", attrs.recordBytes],
      ["footer_bytes", attrs.footerBytes],
      ["hop_bytes", attrs.hopBytes],
    ] as const)
      if (value < 0) throw new InvalidArgumentError(`${name} must be >= 0 not ${value}`);
    return readerObject(op, attrs, { kind: "FixedLengthRecordReader", recordsOf: fixedLength(attrs) });
  },
});

/** Each name from the queue is a record itself. */
export const IdentityReaderV2 = defineOp("IdentityReaderV2", {
  inputs: {},
  outputs: { readerHandle: "resource" },
  attrs: sharedAttrs,
  ...readerFields(),
  resource: (attrs, op) => readerObject(op, attrs, { kind: "IdentityReader", recordsOf: identity, canBeSaved: true }),
});

function readerFields() {
  return { stateful: true, shape: handleFields.shape } as const;
}

// ---- reading ----

function readerOf(handle: object): HostReader {
  if (!(handle instanceof HostReader)) throw new InternalError("The handle is no reader's.");
  return handle;
}

function queueOf(handle: object): HostQueue {
  if (!(handle instanceof HostQueue)) throw new InternalError("The handle is no queue's.");
  const { dtypes } = handle.settings;
  if (dtypes.length !== 1 || dtypes[0] !== "string") throw new InvalidArgumentError("A reader's queue holds one string in each element.");
  return handle;
}

const scalar = new TensorShape([]);
const numberOf = (value: bigint): NDArray => NDArray.full("int64", [], value);

function texts(values: readonly (string | Uint8Array)[], shape: readonly number[]): NDArray {
  const array = NDArray.zeros("string", shape);
  values.forEach((value, i) => void array.set(i, value));
  return array;
}

export const ReaderReadV2 = defineOp("ReaderReadV2", {
  inputs: { readerHandle: "resource", queueHandle: "resource" },
  outputs: { key: "string", value: "string" },
  attrs: {},
  stateful: true,
  waits: true,
  shape: () => [scalar, scalar],
  host: async ({ readerHandle, queueHandle }, { signal }) => {
    const [{ key, value }] = await readerOf(readerHandle).read(queueOf(queueHandle), 1, signal);
    return [texts([key], []), texts([value], [])];
  },
});

/** Up to so many records of one file. */
export const ReaderReadUpToV2 = defineOp("ReaderReadUpToV2", {
  inputs: { readerHandle: "resource", queueHandle: "resource", numRecords: "int64" },
  outputs: { keys: "string", values: "string" },
  attrs: {},
  stateful: true,
  waits: true,
  shape: ({ numRecords }) => {
    numRecords.withRank(0);
    return [new TensorShape([null]), new TensorShape([null])];
  },
  host: async ({ readerHandle, queueHandle, numRecords }, { signal }) => {
    const records = await readerOf(readerHandle).read(queueOf(queueHandle), Number(numRecords.get(0)), signal);
    const all = [records.map(({ key }) => key), records.map(({ value }) => value)];
    return all.map(list => texts(list, [list.length]));
  },
});

export const ReaderNumRecordsProducedV2 = defineOp("ReaderNumRecordsProducedV2", {
  inputs: { readerHandle: "resource" },
  outputs: { recordsProduced: "int64" },
  attrs: {},
  stateful: true,
  shape: () => scalar,
  host: ({ readerHandle }) => numberOf(readerOf(readerHandle).recordsProduced),
});

export const ReaderNumWorkUnitsCompletedV2 = defineOp("ReaderNumWorkUnitsCompletedV2", {
  inputs: { readerHandle: "resource" },
  outputs: { unitsCompleted: "int64" },
  attrs: {},
  stateful: true,
  shape: () => scalar,
  host: ({ readerHandle }) => numberOf(readerOf(readerHandle).unitsCompleted),
});

export const ReaderSerializeStateV2 = defineOp("ReaderSerializeStateV2", {
  inputs: { readerHandle: "resource" },
  outputs: { state: "string" },
  attrs: {},
  stateful: true,
  shape: () => scalar,
  host: ({ readerHandle }) => texts([readerOf(readerHandle).save()], []),
});

export const ReaderRestoreStateV2 = defineOp("ReaderRestoreStateV2", {
  inputs: { readerHandle: "resource", state: "string" },
  outputs: {},
  attrs: {},
  stateful: true,
  shape: ({ state }) => void state.withRank(0),
  host: ({ readerHandle, state }) => readerOf(readerHandle).restore(bytesAt(state, 0)),
});

export const ReaderResetV2 = defineOp("ReaderResetV2", {
  inputs: { readerHandle: "resource" },
  outputs: {},
  attrs: {},
  stateful: true,
  shape: () => undefined,
  host: ({ readerHandle }) => readerOf(readerHandle).reset(),
});
