// Sorted string tables in LevelDB's layout: what checkpoints keep their names in. Blocks of prefix-compressed entries, an index of the
// blocks, a footer of 48 bytes. Blocks are read when they are asked for; no length is trusted before the bytes are there.

import { DataLossError } from "../base/errors.ts";
import type { ByteSource } from "../base/files.ts";
import { crc32c, maskCrc } from "./crc32c.ts";
import { decompressSnappy } from "./snappy.ts";

const footerBytes = 48;
const trailerBytes = 5;
const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];
/** Are these the last bytes of a table? */
export const isTableEnd = (tail: Uint8Array): boolean => tail.length === magic.length && magic.every((byte, i) => tail[i] === byte);

/** A data block is closed when it reaches this size, as TensorFlow's. */
const blockBytes = 256 * 1024;
const restartInterval = 16;

export interface TableEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/** Unsigned byte order. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** Varints of up to 53 bits in a buffer, and where reading stands. */
class Cursor {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;
  private readonly fail: (reason: string, offset: number) => never;
  constructor(bytes: Uint8Array, end: number, fail: (reason: string, offset: number) => never, offset = 0) {
    this.bytes = bytes;
    this.end = end;
    this.fail = fail;
    this.offset = offset;
  }
  varint(): number {
    let value = 0;
    for (let i = 0; i < 8; i++) {
      if (this.offset >= this.end) this.fail("a number is cut off", this.offset);
      const byte = this.bytes[this.offset++];
      value += (byte & 127) * 2 ** (7 * i);
      if (byte < 128) return Number.isSafeInteger(value) ? value : this.fail("a number is out of range", this.offset);
    }
    return this.fail("a number has no end", this.offset);
  }
  take(length: number): Uint8Array {
    if (length > this.end - this.offset) this.fail(`${length} bytes are announced, ${this.end - this.offset} are left`, this.offset);
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }
}

/** A table being read. */
export class Table {
  private readonly source: ByteSource;
  private readonly index: readonly { readonly last: Uint8Array; readonly handle: BlockHandle }[];
  private cached: { readonly offset: number; readonly entries: readonly TableEntry[] } | undefined;

  private constructor(source: ByteSource, index: readonly TableEntry[]) {
    this.source = source;
    this.index = index.map(({ key, value }) => ({
      last: key,
      handle: readHandle(new Cursor(value, value.length, at => damaged(source, at)), source),
    }));
  }

  /** Reads footer and index. @throws DataLossError in TensorFlow's words if it is no table. */
  static async open(source: ByteSource): Promise<Table> {
    if (source.size < footerBytes) throw damagedFile(source, "file is too short to be an sstable", `It has ${source.size} bytes.`);
    const footer = await source.read(source.size - footerBytes, footerBytes);
    if (!isTableEnd(footer.subarray(footerBytes - magic.length)))
      throw damagedFile(source, "not an sstable (bad magic number)", "Its last 8 bytes are not those of a checkpoint index.");
    const cursor = new Cursor(footer, footerBytes - 8, reason => damaged(source, `the footer: ${reason}`));
    readHandle(cursor, source);
    return new Table(source, await readBlock(source, readHandle(cursor, source)));
  }

  get blocks(): number {
    return this.index.length;
  }

  /** The value of a key. */
  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const block = this.index[this.lowerBound(key)];
    if (!block) return undefined;
    const entries = await this.block(block.handle);
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(entries[middle].key, key) < 0) low = middle + 1;
      else high = middle;
    }
    const found = entries[low];
    return found && compareBytes(found.key, key) === 0 ? found.value : undefined;
  }

  /** All entries in order. @throws DataLossError if the order is broken. */
  async *entries(): AsyncGenerator<TableEntry> {
    let last: Uint8Array | undefined;
    for (const { handle } of this.index) {
      for (const entry of await this.block(handle)) {
        if (last && compareBytes(last, entry.key) >= 0) damaged(this.source, "its keys are out of order", handle.offset);
        last = entry.key;
        yield entry;
      }
    }
  }

  /** The first block whose last key is not before `key`. */
  private lowerBound(key: Uint8Array): number {
    let low = 0;
    let high = this.index.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compareBytes(this.index[middle].last, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private async block(handle: BlockHandle): Promise<readonly TableEntry[]> {
    if (this.cached?.offset !== handle.offset) this.cached = { offset: handle.offset, entries: await readBlock(this.source, handle) };
    return this.cached.entries;
  }
}

const damagedFile = (source: ByteSource, words: string, hint: string): DataLossError =>
  new DataLossError(`${words}\n\n${source.name}: ${hint}`);

function damaged(source: ByteSource, reason: string, offset = 0): never {
  throw damagedFile(source, "corrupted sstable block", `at byte ${offset}: ${reason}.`);
}

function readHandle(cursor: Cursor, source: ByteSource): BlockHandle {
  const handle = { offset: cursor.varint(), size: cursor.varint() };
  if (handle.offset + handle.size + trailerBytes > source.size - footerBytes)
    damaged(source, `a block of ${handle.size} bytes does not fit into the file`, handle.offset);
  return handle;
}

async function readBlock(source: ByteSource, { offset, size }: BlockHandle): Promise<TableEntry[]> {
  const bytes = await source.read(offset, size + trailerBytes);
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(size + 1, true);
  if (maskCrc(crc32c(bytes.subarray(0, size + 1))) !== stored)
    throw damagedFile(source, "block checksum mismatch", `the block of ${size} bytes at byte ${offset} is damaged.`);
  const kind = bytes[size];
  if (kind > 1) damaged(source, `compression ${kind} is not known`, offset + size);
  return readEntries(kind === 1 ? decompressSnappy(bytes.subarray(0, size), source.name) : bytes.subarray(0, size), source, offset);
}

function readEntries(block: Uint8Array, source: ByteSource, blockOffset: number): TableEntry[] {
  const fail = (reason: string, offset: number): never => damaged(source, reason, blockOffset + offset);
  if (block.length < 4) fail("the block is too short", 0);
  const restarts = new DataView(block.buffer, block.byteOffset).getUint32(block.length - 4, true);
  if (restarts > (block.length - 4) / 4) fail(`${restarts} restart points do not fit`, block.length - 4);
  const cursor = new Cursor(block, block.length - 4 - 4 * restarts, fail);
  const entries: TableEntry[] = [];
  let previous = new Uint8Array(0);
  while (cursor.offset < cursor.end) {
    const shared = cursor.varint();
    const unshared = cursor.varint();
    const valueLength = cursor.varint();
    if (shared > previous.length) fail(`an entry shares ${shared} bytes of a key of ${previous.length}`, cursor.offset);
    const rest = cursor.take(unshared);
    const key = new Uint8Array(shared + unshared);
    key.set(previous.subarray(0, shared));
    key.set(rest, shared);
    entries.push({ key, value: cursor.take(valueLength) });
    previous = key;
  }
  return entries;
}

// ---- writing ----

class BlockWriter {
  private readonly pieces: number[] = [];
  private readonly interval: number;
  private restarts = [0];
  private count = 0;
  private last = new Uint8Array(0);

  constructor(interval: number) {
    this.interval = interval;
  }

  get isEmpty(): boolean {
    return this.pieces.length === 0;
  }

  get size(): number {
    return this.pieces.length + 4 * (this.restarts.length + 1);
  }

  add(key: Uint8Array, value: Uint8Array): void {
    let shared = 0;
    if (this.count === this.interval) {
      this.restarts.push(this.pieces.length);
      this.count = 0;
    } else while (shared < key.length && shared < this.last.length && key[shared] === this.last[shared]) shared++;
    this.pieces.push(...varint(shared), ...varint(key.length - shared), ...varint(value.length));
    for (const byte of key.subarray(shared)) this.pieces.push(byte);
    for (const byte of value) this.pieces.push(byte);
    this.last = key.slice();
    this.count++;
  }

  /** Contents and trailer. */
  finish(): Uint8Array {
    const result = new Uint8Array(this.size + trailerBytes);
    result.set(this.pieces);
    const view = new DataView(result.buffer);
    this.restarts.forEach((offset, i) => void view.setUint32(this.pieces.length + 4 * i, offset, true));
    view.setUint32(this.size - 4, this.restarts.length, true);
    view.setUint32(this.size + 1, maskCrc(crc32c(result.subarray(0, this.size + 1))), true);
    return result;
  }
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return [...bytes, value];
}

/** The bytes of a table of entries given in order. The same entries give the bytes that TensorFlow writes. */
export function tableToBytes(entries: Iterable<TableEntry>): Uint8Array {
  const pieces: Uint8Array[] = [];
  let offset = 0;
  const place = (block: BlockWriter): number[] => {
    const bytes = block.finish();
    const handle = [...varint(offset), ...varint(bytes.length - trailerBytes)];
    pieces.push(bytes);
    offset += bytes.length;
    return handle;
  };
  const index = new BlockWriter(1);
  let block = new BlockWriter(restartInterval);
  let last: Uint8Array = new Uint8Array(0);
  let waiting: number[] | undefined;
  for (const { key, value } of entries) {
    if (waiting) index.add(separator(last, key), Uint8Array.from(waiting));
    waiting = undefined;
    block.add(key, value);
    last = key;
    if (block.size < blockBytes) continue;
    waiting = place(block);
    block = new BlockWriter(restartInterval);
  }
  if (!block.isEmpty) waiting = place(block);
  if (waiting) index.add(successor(last), Uint8Array.from(waiting));
  const metaIndex = place(new BlockWriter(restartInterval));
  const footer = new Uint8Array(footerBytes);
  footer.set([...metaIndex, ...place(index)]);
  footer.set(magic, footerBytes - 8);
  pieces.push(footer);
  const result = new Uint8Array(offset + footerBytes);
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}

/** A short key ≥ `last` and < `next`. */
function separator(last: Uint8Array, next: Uint8Array): Uint8Array {
  let i = 0;
  while (i < last.length && i < next.length && last[i] === next[i]) i++;
  if (i >= last.length || i >= next.length || last[i] === 255 || last[i] + 1 >= next[i]) return last;
  const short = last.slice(0, i + 1);
  short[i]++;
  return short;
}

/** A short key ≥ `last`. */
function successor(last: Uint8Array): Uint8Array {
  const at = last.findIndex(byte => byte !== 255);
  if (at < 0) return last;
  const short = last.slice(0, at + 1);
  short[at]++;
  return short;
}
