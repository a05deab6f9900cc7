// Datasets in folders, as tf.data saves them: a file that names the run, and in the run's folder one folder for each shard with its numbered files. A file has
// the records of a TFRecord file, one tensor each.

import { type DType, dtypeTable } from "../base/dtype.ts";
import { DataLossError } from "../base/errors.ts";
import { bytesSource, type FileSystem, joinBytes, joinPath, readFile } from "../base/files.ts";
import { decodeText, encodeText } from "../base/ndarray.ts";
import { readRecords, recordToBytes, RecordWriter } from "./records.ts";
import { decompressSnappy } from "./snappy.ts";
import { eachField, WireReader, WireWriter, wireTypes } from "./wire.ts";

/** The way in which the files are written; older ones are others. */
export const fileVersion = 2n;

export interface SnapshotMetadata {
  readonly runId: string;
  readonly version: bigint;
  readonly elements: bigint;
  readonly isFinal: boolean;
}

const metadataPath = (folder: string): string => joinPath(folder, "snapshot.metadata");

/** What a folder holds; undefined where there is no such file. */
export async function readMetadata(files: FileSystem, folder: string): Promise<SnapshotMetadata | undefined> {
  if ((await files.status(metadataPath(folder))) === null) return undefined;
  const reader = new WireReader(await readFile(files, metadataPath(folder)), "data.experimental.SnapshotMetadataRecord");
  let [runId, version, elements, isFinal] = ["", 0n, 0n, false];
  eachField(reader, number => {
    if (number === 2) runId = decodeText(reader.piece());
    else if (number === 4) version = reader.varint();
    else if (number === 6) elements = BigInt.asIntN(64, reader.varint());
    else if (number === 1000) isFinal = reader.varint() !== 0n;
    else return false;
    return true;
  });
  return { runId, version, elements, isFinal };
}

export async function writeMetadata(
  files: FileSystem,
  folder: string,
  { runId, version, elements, isFinal }: SnapshotMetadata,
  dtypes: readonly DType[],
): Promise<void> {
  const to = new WireWriter();
  const number = (field: number, value: bigint): void => {
    if (value === 0n) return;
    to.tag(field, wireTypes.varint);
    to.varint(BigInt.asUintN(64, value));
  };
  to.field(2, encodeText(runId));
  number(3, BigInt(Math.round(Date.now() * 1000)));
  number(4, version);
  to.field(
    5,
    Uint8Array.from(dtypes, dtype => dtypeTable[dtype].number),
  );
  number(6, elements);
  number(1000, isFinal ? 1n : 0n);
  await files.makeFolder(folder);
  await files.write(metadataPath(folder), [to.finish()]);
}

const numbered = (n: bigint): string => BigInt.asUintN(64, n).toString().padStart(8, "0");
export const shardFolder = (folder: string, runId: string, shard: bigint): string =>
  joinPath(joinPath(folder, runId), `${numbered(shard)}.shard`);
export const shardFile = (shard: string, file: number): string => joinPath(shard, `${numbered(BigInt(file))}.snapshot`);

/** The folders of a run's shards, in order. */
export async function shardsOf(files: FileSystem, folder: string, runId: string): Promise<string[]> {
  const run = joinPath(folder, runId);
  return (await files.list(run)).filter(name => name.endsWith(".shard")).map(name => joinPath(run, name));
}

// ---- records ----

/** The records of a file, one after the other. A compression that is none of TensorFlow's is none. */
export async function* snapshotRecords(files: FileSystem, path: string, compression: string): AsyncGenerator<Uint8Array> {
  const bytes = await readFile(files, path);
  const plain = compression === "SNAPPY" ? plainOfBlocks(bytes, path) : bytes;
  yield* readRecords(bytesSource(path, plain), ["GZIP", "ZLIB"].includes(compression) ? compression : "");
}

/** Blocks of Snappy, each behind its length. */
function plainOfBlocks(bytes: Uint8Array, path: string): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = at + 4 <= bytes.length ? view.getUint32(at) : bytes.length;
    if (at + 4 + length > bytes.length) throw new DataLossError(`${path} is cut off in a block of Snappy at byte ${at}.`);
    pieces.push(decompressSnappy(bytes.subarray(at + 4, at + 4 + length), path));
    at += 4 + length;
  }
  return joinBytes(pieces);
}

const mostInBlock = 1 << 16;

/** The same bytes in blocks that any reader of Snappy takes: as they are, behind their length. */
function* blocksOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += mostInBlock) {
    const part = bytes.subarray(at, at + mostInBlock);
    const { length } = part;
    const head = [...varint(length), 61 << 2, (length - 1) & 255, (length - 1) >> 8];
    const block = new Uint8Array(4 + head.length + length);
    new DataView(block.buffer).setUint32(0, head.length + length);
    block.set(head, 4);
    block.set(part, 4 + head.length);
    yield block;
  }
}

const varint = (n: number): number[] => (n < 128 ? [n] : [(n % 128) | 128, ...varint(Math.floor(n / 128))]);

/** Writes the records of one file. */
export class SnapshotWriter {
  private readonly files: FileSystem;
  private readonly path: string;
  private readonly writer: RecordWriter | undefined;
  private readonly waiting: Uint8Array[] = [];
  private written = 0;

  constructor(files: FileSystem, path: string, compression: string) {
    this.files = files;
    this.path = path;
    this.writer =
      compression === "SNAPPY" ? undefined : new RecordWriter(files, path, ["GZIP", "ZLIB"].includes(compression) ? compression : "");
  }

  async write(records: readonly Uint8Array[]): Promise<void> {
    if (this.writer === undefined) {
      this.waiting.push(...records.map(recordToBytes));
      return;
    }
    for (const record of records) this.writer.write(record);
    if (++this.written % 128 === 0) await this.writer.flush();
  }

  async close(): Promise<void> {
    if (this.writer === undefined) await this.files.write(this.path, blocksOf(joinBytes(this.waiting)));
    else await this.writer.close();
  }
}
