// TFRecord: each record between its length with a checksum and a checksum of its own; the whole file may be compressed. A length is
// believed after its checksum, and its bytes are asked for only if the file has them.

import { compress, decompress, type Compression } from "#platform";
import { DataLossError, InvalidArgumentError } from "../base/errors.ts";
import { type AppendFile, type ByteSource, bytesSource, type FileSystem, plainBytes, readWhole } from "../base/files.ts";
import { crc32c, maskCrc } from "./crc32c.ts";

/** TF: tf.io.TFRecordCompressionType. */
export type RecordCompression = "" | "GZIP" | "ZLIB";

const headBytes = 12;
const tailBytes = 4;
/** Read ahead so much, so that small records do not cost a read each. */
const windowBytes = 1 << 18;
/** What comes out of a compressed file is bounded. */
const mostDecompressed = 2 ** 32 - 1;

/** A record with its frame. */
export function recordToBytes(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headBytes + data.length + tailBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length % 2 ** 32, true);
  view.setUint32(4, Math.floor(data.length / 2 ** 32), true);
  view.setUint32(8, maskCrc(crc32c(bytes.subarray(0, 8))), true);
  bytes.set(data, headBytes);
  view.setUint32(headBytes + data.length, maskCrc(crc32c(data)), true);
  return bytes;
}

export function compressionOf(text: string | null | undefined): Compression | null {
  const name = text ?? "";
  if (name === "" || name === "NONE") return null;
  if (name === "GZIP") return "gzip";
  if (name === "ZLIB") return "zlib";
  throw new InvalidArgumentError(`Unsupported compression_type:${name}\n\nIt is "", "GZIP" or "ZLIB".`);
}

/** The source itself, or its bytes decompressed. @throws DataLossError if they are damaged. */
export async function plainSource(source: ByteSource, compression: RecordCompression | string): Promise<ByteSource> {
  const kind = compressionOf(compression);
  if (kind === null) return source;
  const bytes = await readWhole(source);
  try {
    return bytesSource(source.name, bytes.length === 0 ? bytes : await decompress(bytes, kind, mostDecompressed));
  } catch (error) {
    const { message, errno = -3 } = error as Error & { readonly errno?: number };
    throw new DataLossError(
      `inflate() failed with error ${errno}: ${message}\n\n${source.name} is damaged, or not compressed as ${compression}.`,
    );
  }
}

/** The records of a source in order. A frame that is cut off at the end is the end (a writer may be at work), as for TensorFlow.
 *  @throws DataLossError in TensorFlow's words, with the offset. */
export async function* readRecords(source: ByteSource, compression: RecordCompression | string = "", from = 0): AsyncGenerator<Uint8Array> {
  const plain = await plainSource(source, compression);
  let window: Uint8Array = new Uint8Array(0);
  let windowAt = from;
  const bytesAt = async (offset: number, length: number): Promise<Uint8Array> => {
    if (offset < windowAt || offset + length > windowAt + window.length) {
      windowAt = offset;
      window = await plain.read(offset, Math.min(Math.max(length, windowBytes), plain.size - offset));
    }
    return window.subarray(offset - windowAt, offset - windowAt + length);
  };
  for (let offset = from; offset + headBytes <= plain.size; ) {
    const length = recordLength(await bytesAt(offset, headBytes), offset, source.name);
    const dataAt = offset + headBytes;
    if (length + tailBytes > plain.size - dataAt) throw truncated(offset, source.name, length, plain.size);
    const data = await bytesAt(dataAt, length + tailBytes);
    yield checkedData(data, length, dataAt, source.name).slice();
    offset = dataAt + length + tailBytes;
  }
}

/** The records that a buffer holds. */
export function recordsOf(given: Uint8Array, name = "records"): Uint8Array[] {
  const bytes = plainBytes(given);
  const result: Uint8Array[] = [];
  for (let offset = 0; offset + headBytes <= bytes.length; ) {
    const length = recordLength(bytes.subarray(offset, offset + headBytes), offset, name);
    const dataAt = offset + headBytes;
    if (length + tailBytes > bytes.length - dataAt) throw truncated(offset, name, length, bytes.length);
    result.push(checkedData(bytes.subarray(dataAt, dataAt + length + tailBytes), length, dataAt, name));
    offset = dataAt + length + tailBytes;
  }
  return result;
}

/** Do these bytes begin a record? Its length has a checksum of its own. */
export function recordHeadFits(head: Uint8Array): boolean {
  if (head.length < headBytes) return false;
  return new DataView(head.buffer, head.byteOffset).getUint32(8, true) === maskCrc(crc32c(head.subarray(0, 8)));
}

function recordLength(head: Uint8Array, offset: number, name: string): number {
  const view = new DataView(head.buffer, head.byteOffset);
  if (!recordHeadFits(head))
    throw new DataLossError(`corrupted record at ${offset} (Is this even a TFRecord file?)\n\n${name}: the length has a wrong checksum.`);
  return view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
}

const truncated = (offset: number, name: string, length: number, size: number): DataLossError =>
  new DataLossError(
    `truncated record at ${offset}' failed with Read less bytes than requested\n\n${name}: a record of ${length} bytes begins there, but the file ends at ${size}.`,
  );

function checkedData(framed: Uint8Array, length: number, offset: number, name: string): Uint8Array {
  const data = framed.subarray(0, length);
  if (new DataView(framed.buffer, framed.byteOffset).getUint32(length, true) !== maskCrc(crc32c(data)))
    throw new DataLossError(`corrupted record at ${offset}\n\n${name}: the data has a wrong checksum.`);
  return data;
}

/** Writes records to a file. A compressed file is written whole when it is closed. */
export class RecordWriter {
  private readonly files: FileSystem;
  private readonly path: string;
  private readonly compression: Compression | null;
  private readonly waiting: Uint8Array[] = [];
  private opened: Promise<AppendFile> | undefined;
  private isClosed = false;

  constructor(files: FileSystem, path: string, compression: RecordCompression | string = "") {
    this.files = files;
    this.path = path;
    this.compression = compressionOf(compression);
  }

  /** Adds a record; it is in the file after `flush` or `close`. */
  write(record: Uint8Array): void {
    if (this.isClosed) throw new InvalidArgumentError(`The writer of ${this.path} was closed.`);
    this.waiting.push(recordToBytes(record));
  }

  /** Waits until all records are in the file. */
  async flush(): Promise<void> {
    if (this.compression !== null) return;
    this.opened ??= this.files.remove(this.path).then(() => this.files.append(this.path));
    const file = await this.opened;
    for (const record of this.waiting.splice(0)) await file.write(record);
    await file.flush();
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    if (this.compression === null) {
      await this.flush();
      await (await this.opened)?.close();
      return;
    }
    const all = new Uint8Array(this.waiting.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const record of this.waiting.splice(0)) {
      all.set(record, at);
      at += record.length;
    }
    await this.files.write(this.path, [await compress(all, this.compression)]);
  }
}
