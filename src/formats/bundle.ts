// Checkpoints V2 ("tensor bundles"): `P.index`, a sorted table of names, and `P.data-SSSSS-of-NNNNN`, the elements. Tensors are read one by
// one by their byte range, so a file may be larger than memory. Writing is atomic: see `writeBundle`.

import type { DType } from "../base/dtype.ts";
import { dtypeEnumName, dtypeTable, newTypedArray } from "../base/dtype.ts";
import { DataLossError, InvalidArgumentError, NotFoundError, UnimplementedError } from "../base/errors.ts";
import { type ByteSource, type FileSystem, fileNameOf, folderOf, joinPath } from "../base/files.ts";
import { decodeText, encodeText, NDArray } from "../base/ndarray.ts";
import { sameShape, sizeOf } from "../base/shape.ts";
import { readStrings, stringPieces } from "./bundle-strings.ts";
import { crc32c, maskCrc, unmaskCrc } from "./crc32c.ts";
import { messageFromBytes, messageToBytes } from "./message-codec.ts";
import type { Message, MessageInit } from "./messages.ts";
import { compareBytes, Table, type TableEntry, tableToBytes } from "./table.ts";
import { dtypeOfEnumerator } from "./tensor-message.ts";
import { copyBox, type Extent, intersection, parseShapeAndSlice, sliceKey, tiles } from "./tensor-slice.ts";

/** What a checkpoint says of one tensor. */
export interface TensorEntry {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

interface StoredEntry extends TensorEntry {
  readonly shard: number;
  readonly offset: number;
  readonly size: number;
  readonly crc: number;
  readonly slices: readonly (readonly Extent[])[];
  /** The same as their keys have them: -1 for the length of whole dimensions. */
  readonly keys: readonly (readonly Extent[])[];
}

const digits = (n: number): string => String(n).padStart(5, "0");
const dataName = (prefix: string, shard: number, shards: number): string => `${prefix}.data-${digits(shard)}-of-${digits(shards)}`;
const indexName = (prefix: string): string => `${prefix}.index`;
const mostShards = 99_999;
const mostDimensions = 254;
/** Readers of version 1 read what we write, and we read what they do. */
const version = { producer: 1 };

/** A checkpoint being read. */
export class BundleReader {
  readonly prefix: string;
  private readonly files: FileSystem;
  private readonly index: ByteSource;
  private readonly table: Table;
  private readonly shards: number;
  private readonly data = new Map<number, Promise<ByteSource>>();

  private constructor(files: FileSystem, prefix: string, index: ByteSource, table: Table, shards: number) {
    this.files = files;
    this.prefix = prefix;
    this.index = index;
    this.table = table;
    this.shards = shards;
  }

  /** @throws NotFoundError without a file `prefix.index`; DataLossError if it is damaged. */
  static async open(files: FileSystem, prefix: string): Promise<BundleReader> {
    const index = await files.open(indexName(prefix)).catch((error: unknown) => {
      if (!(error instanceof NotFoundError)) throw error;
      throw new NotFoundError(`Unsuccessful TensorSliceReader constructor: Failed to find any matching files for ${prefix}`);
    });
    try {
      const table = await Table.open(index);
      return new BundleReader(files, prefix, index, table, await readHeader(index, table));
    } catch (error) {
      await index.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.index.close();
    const opened = await Promise.allSettled(this.data.values());
    for (const result of opened) if (result.status === "fulfilled") await result.value.close();
    this.data.clear();
  }

  /** All tensors by name, partitioned ones once. Names are in order. */
  async tensors(): Promise<Map<string, TensorEntry>> {
    const result = new Map<string, TensorEntry>();
    for await (const { key, value } of this.table.entries()) {
      if (key.length === 0 || key[0] === 0) continue;
      const { dtype, shape } = this.parse(decodeText(key), value);
      result.set(decodeText(key), { dtype, shape });
    }
    return result;
  }

  async find(name: string): Promise<TensorEntry | undefined> {
    const entry = await this.entry(name);
    return entry && { dtype: entry.dtype, shape: entry.shape };
  }

  /** A tensor, or the box of it that `shapeAndSlice` names. @throws NotFoundError, DataLossError; InvalidArgumentError if the shapes differ. */
  async read(name: string, shapeAndSlice = ""): Promise<NDArray> {
    const entry = await this.entry(name);
    if (!entry) throw new NotFoundError(`Key ${name} not found in checkpoint`);
    const wanted = parseShapeAndSlice(shapeAndSlice);
    if (wanted && !sameShape(wanted.shape, entry.shape))
      throw new InvalidArgumentError(
        `tensor_name = ${name}; shape in shape_and_slice spec [${wanted.shape}] does not match the shape stored in checkpoint: [${entry.shape}]`,
      );
    refuseHandles(name, entry.dtype);
    const whole = entry.shape.map(length => ({ start: 0, length }));
    const isPart = wanted?.extents.some(({ start, length }, axis) => start !== 0 || length !== entry.shape[axis]) ?? false;
    if (entry.slices.length > 0) return this.assemble(name, entry, wanted?.extents ?? whole);
    if (!isPart || !wanted) return this.stored(name, entry);
    const rows = await this.rows(name, entry, wanted.extents);
    if (rows) return rows;
    const result = NDArray.zeros(
      entry.dtype,
      wanted.extents.map(({ length }) => length),
    );
    copyBox(await this.stored(name, entry), whole, result, wanted.extents, wanted.extents);
    return result;
  }

  private async entry(name: string): Promise<StoredEntry | undefined> {
    const value = name === "" ? undefined : await this.table.get(encodeText(name));
    return value && this.parse(name, value);
  }

  private parse(name: string, value: Uint8Array): StoredEntry {
    const message = named(`${indexName(this.prefix)}, entry ${name}`, () => messageFromBytes("BundleEntryProto", value));
    const fail = (reason: string): never => {
      throw new DataLossError(`Invalid entry in checkpoint index\n\n${indexName(this.prefix)}, entry ${name}: ${reason}.`);
    };
    const dtype = dtypeOfEnumerator(message.dtype);
    if (dtype === undefined) return fail(`its type ${message.dtype} is not known`);
    const shape = (message.shape?.dim ?? []).map(({ size }) => Number(size));
    if (shape.length > mostDimensions || message.shape?.unknownRank || shape.some(size => size < 0))
      fail(`its shape [${shape}] is not a shape`);
    const elements = sizeOf(shape);
    if (!Number.isSafeInteger(elements)) fail(`its shape [${shape}] is too large`);
    if (message.shardId < 0 || message.shardId >= this.shards) fail(`shard ${message.shardId} is not one of ${this.shards}`);
    const [offset, size] = [Number(message.offset), Number(message.size)];
    if (offset < 0 || size < 0 || !Number.isSafeInteger(offset + size)) fail(`its place ${offset}, ${size} is not a place`);
    const keys = message.slices.map(({ extent }) => {
      if (extent.length !== shape.length) fail(`a slice has ${extent.length} dimensions where the tensor has ${shape.length}`);
      return extent.map(({ start, length }) => ({ start: Number(start), length: length === undefined ? -1 : Number(length) }));
    });
    const slices = keys.map(key => key.map(({ start, length }, axis) => ({ start, length: length === -1 ? shape[axis] : length })));
    if (slices.some(slice => slice.some(({ start, length }, axis) => start < 0 || length < 0 || start + length > shape[axis])))
      fail("a slice reaches out of the tensor");
    const bytes = dtypeTable[dtype].bytes;
    if (slices.length === 0 && bytes > 0 && size !== elements * bytes)
      fail(`it has ${size} bytes, but its shape [${shape}] of ${dtype} takes ${elements * bytes}`);
    return { dtype, shape, shard: message.shardId, offset, size, crc: message.crc32c, slices, keys };
  }

  /** The elements of an entry that has some. */
  private async stored(name: string, entry: StoredEntry): Promise<NDArray> {
    const { dtype, shape, shard, offset, size } = entry;
    const source = await this.shard(shard);
    const bytes = await source.read(offset, size);
    const where = `TensorBundle at ${this.prefix} shard ${shard} (${size} bytes)`;
    if (dtype === "string") {
      const { strings, crc } = readStrings(bytes, sizeOf(shape), `${source.name}, tensor ${name} at byte ${offset}`);
      checkCrc(entry, crc, where, name);
      return new NDArray(dtype, shape, strings);
    }
    checkCrc(entry, crc32c(bytes), where, name);
    return new NDArray(dtype, shape, elementsOf(dtype, bytes));
  }

  /** Whole rows lie one after another, so only their bytes need be read; without a checksum then, which is over all. */
  private async rows(name: string, entry: StoredEntry, extents: readonly Extent[]): Promise<NDArray | undefined> {
    const { dtype, shape } = entry;
    const isRows = extents.slice(1).every(({ start, length }, axis) => start === 0 && length === shape[axis + 1]);
    if (dtype === "string" || extents.length === 0 || !isRows) return undefined;
    const rowBytes = sizeOf(shape.slice(1)) * dtypeTable[dtype].bytes;
    const [{ start, length }] = extents;
    const bytes = await (await this.shard(entry.shard)).read(entry.offset + start * rowBytes, length * rowBytes);
    return new NDArray(dtype, [length, ...shape.slice(1)], elementsOf(dtype, bytes));
  }

  /** A box put together of the slices it meets. */
  private async assemble(name: string, { dtype, slices, keys, shape }: StoredEntry, box: readonly Extent[]): Promise<NDArray> {
    if (!tiles(slices, box))
      throw new DataLossError(
        `Does not have sufficient slices for partitioned tensor ${name} to restore in slice\n\n${indexName(this.prefix)}: the slices of [${shape}] do not make up what is asked for.`,
      );
    const result = NDArray.zeros(
      dtype,
      box.map(({ length }) => length),
    );
    for (const [i, slice] of slices.entries()) {
      const shared = intersection(slice, box);
      if (!shared) continue;
      const value = await this.table.get(sliceKey(name, keys[i]));
      if (!value)
        throw new DataLossError(`Invalid entry in checkpoint index\n\n${indexName(this.prefix)}: a slice of ${name} has no data.`);
      const part = this.parse(name, value);
      const shapes = [part.shape, slice.map(({ length }) => length)] as const;
      if (part.dtype !== dtype || part.slices.length > 0 || !sameShape(...shapes))
        throw new DataLossError(
          `Invalid entry in checkpoint index\n\n${indexName(this.prefix)}: a slice of ${name} is of another type or shape than announced.`,
        );
      copyBox(await this.stored(name, part), slice, result, box, shared);
    }
    return result;
  }

  private shard(shard: number): Promise<ByteSource> {
    let source = this.data.get(shard);
    if (!source) {
      source = this.files.open(dataName(this.prefix, shard, this.shards));
      this.data.set(shard, source);
    }
    return source;
  }
}

/** Adds to an error of damaged bytes where they are. */
function named<T>(where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DataLossError) throw new DataLossError(`${error.message}\n${where}.`);
    throw error;
  }
}

async function readHeader(index: ByteSource, table: Table): Promise<number> {
  const lost = (reason: string): DataLossError =>
    new DataLossError(
      `Unable to read file (${index.name}). Perhaps the file is corrupt or was produced by a newer version of TensorFlow with format changes (failed to seek to header entry): ${reason}`,
    );
  const value = await table.get(new Uint8Array(0)).catch((error: unknown) => {
    throw error instanceof DataLossError ? lost(error.message) : error;
  });
  if (!value) throw lost("there is none");
  const header = named(index.name, () => messageFromBytes("BundleHeaderProto", value));
  if (header.numShards <= 0 || header.numShards > mostShards)
    throw new DataLossError(`Invalid number of shards: ${header.numShards}\n\n${index.name}, header.`);
  if (header.endianness !== "LITTLE")
    throw new UnimplementedError(
      `Reading a bundle with different endianness from the reader\n\n${index.name} was written on a big-endian machine.`,
    );
  if ((header.version?.minConsumer ?? 0) > version.producer)
    throw new InvalidArgumentError(
      `Checkpoint min consumer version ${header.version?.minConsumer} above current version ${version.producer} for TensorFlow.  Please upgrade TensorFlow.\n\n${index.name}, header.`,
    );
  return header.numShards;
}

function checkCrc({ crc, offset }: StoredEntry, found: number, where: string, name: string): void {
  if (maskCrc(found) === crc) return;
  throw new DataLossError(
    `${where}: Checksum does not match: stored ${unmaskCrc(crc)} vs. calculated on the restored bytes ${found}\n\nTensor ${name} at byte ${offset} is damaged.`,
  );
}

function refuseHandles(name: string, dtype: DType): void {
  if (dtypeTable[dtype].kind === "handle")
    throw new UnimplementedError(
      `Tensor ${name} is of type ${dtype}, which checkpoints hold in a form of their own that is not read here.`,
    );
}

/** Elements as a typed array over the bytes read, moved only if they lie askew. */
function elementsOf(dtype: DType, bytes: Uint8Array): NDArray["data"] {
  const empty = newTypedArray(dtype, 0);
  const aligned = bytes.byteOffset % empty.BYTES_PER_ELEMENT === 0 ? bytes : new Uint8Array(bytes);
  const Class = empty.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => Uint8Array;
  return new Class(aligned.buffer, aligned.byteOffset, aligned.byteLength / empty.BYTES_PER_ELEMENT);
}

// ---- writing ----

/** A tensor to write: under a name, or a slice of it. */
export interface NamedTensor {
  readonly name: string;
  readonly value: NDArray;
  /** As in save ops: `10 4 4,3:0,4`; empty for all. */
  readonly shapeAndSlice?: string;
}

/** Writes a checkpoint. Its data goes to a name that no checkpoint of this prefix uses, then the index replaces the old one: whenever the
 *  process ends, `prefix` names the old checkpoint or the new one, whole. @throws NotFoundError if the folder is missing. */
export async function writeBundle(files: FileSystem, prefix: string, tensors: readonly NamedTensor[]): Promise<void> {
  const { pieces, entries } = encodeTensors(tensors);
  const shards = await freeShardCount(files, prefix, 1);
  await files.write(dataName(prefix, 0, shards), pieces);
  for (let shard = 1; shard < shards; shard++) await files.write(dataName(prefix, shard, shards), []);
  await files.write(indexName(prefix), [indexBytes(entries, shards)]);
  await removeOtherData(files, prefix, shards);
}

function indexBytes(entries: ReadonlyMap<Uint8Array, MessageInit<"BundleEntryProto">>, shards: number): Uint8Array {
  const header: TableEntry = { key: new Uint8Array(0), value: messageToBytes("BundleHeaderProto", { numShards: shards, version }) };
  const list = [...entries].map(([key, entry]): TableEntry => ({ key, value: messageToBytes("BundleEntryProto", entry) }));
  return tableToBytes([header, ...list.sort((a, b) => compareBytes(a.key, b.key))]);
}

/** `least`, or more where data files of this prefix are of that many: those stay whole until the new index is there. */
async function freeShardCount(files: FileSystem, prefix: string, least: number): Promise<number> {
  const taken = new Set((await dataFiles(files, prefix)).map(({ of }) => of));
  let shards = least;
  while (taken.has(shards)) shards++;
  return shards;
}

async function removeOtherData(files: FileSystem, prefix: string, shards: number): Promise<void> {
  for (const { path, of } of await dataFiles(files, prefix)) if (of !== shards) await files.remove(path);
}

/** The data files of a prefix, of all shard counts. */
export async function dataFiles(files: FileSystem, prefix: string): Promise<{ path: string; of: number }[]> {
  const folder = folderOf(prefix);
  const start = `${fileNameOf(prefix)}.data-`;
  const names = await files.list(folder || ".");
  return names
    .filter(name => name.startsWith(start) && /^\d{5}-of-\d{5}$/.test(name.slice(start.length)))
    .map(name => ({ path: joinPath(folder, name), of: Number(name.slice(-5)) }));
}

/** Data in the order of the names, and what the index says of it. */
function encodeTensors(tensors: readonly NamedTensor[]): {
  pieces: Uint8Array[];
  entries: Map<Uint8Array, MessageInit<"BundleEntryProto">>;
} {
  const pieces: Uint8Array[] = [];
  const entries = new Map<Uint8Array, MessageInit<"BundleEntryProto">>();
  const wholes = new Map<
    string,
    { key: Uint8Array; dtype: string; shape: readonly number[]; slices: (readonly Extent[])[]; written: (readonly Extent[])[] }
  >();
  const plain = new Set<string>();
  let offset = 0;
  for (const { name, value, shapeAndSlice = "" } of tensors) {
    const slice = parseShapeAndSlice(shapeAndSlice);
    const stored = encodeTensor(name, value);
    const entry = {
      dtype: dtypeEnumName(value.dtype),
      shape: shapeMessage(value.shape),
      offset: BigInt(offset),
      size: BigInt(stored.size),
      crc32c: stored.crc,
    };
    pieces.push(...stored.pieces);
    offset += stored.size;
    if (name === "") throw new InvalidArgumentError("A tensor without a name cannot be saved.");
    if (!slice) {
      if (plain.has(name) || wholes.has(name)) throw new InvalidArgumentError(`Adding duplicate key: ${name}`);
      plain.add(name);
      entries.set(encodeText(name), entry);
      continue;
    }
    if (
      !sameShape(
        slice.extents.map(({ length }) => length),
        value.shape,
      )
    )
      throw new InvalidArgumentError(
        `Slice in shape_and_slice specification does not match the shape of the tensor to save: ${shapeAndSlice}, tensor: [${value.shape}]`,
      );
    const whole = wholes.get(name) ?? { key: encodeText(name), dtype: entry.dtype, shape: slice.shape, slices: [], written: [] };
    if (plain.has(name) || whole.dtype !== entry.dtype || !sameShape(whole.shape, slice.shape))
      throw new InvalidArgumentError(
        `Mismatching shapes: existing tensor = [${whole.shape}], trying to add name ${name}, shape [${slice.shape}]`,
      );
    if (whole.slices.some(other => intersection(other, slice.extents)))
      throw new InvalidArgumentError(`Overlapping slices: ${name} ${shapeAndSlice}`);
    whole.slices.push(slice.extents);
    whole.written.push(slice.written);
    wholes.set(name, whole);
    entries.set(sliceKey(name, slice.written), entry);
  }
  for (const { key, dtype, shape, written } of wholes.values())
    entries.set(key, { dtype, shape: shapeMessage(shape), slices: written.map(sliceMessage) });
  return { pieces, entries };
}

const shapeMessage = (shape: readonly number[]): MessageInit<"TensorShapeProto"> => ({ dim: shape.map(size => ({ size: BigInt(size) })) });

/** Whole dimensions have no length. */
const sliceMessage = (slice: readonly Extent[]): MessageInit<"TensorSliceProto"> => ({
  extent: slice.map(({ start, length }) => (length < 0 ? {} : { start: BigInt(start), length: BigInt(length) })),
});

function encodeTensor(name: string, { dtype, data }: NDArray): { pieces: readonly Uint8Array[]; size: number; crc: number } {
  if (dtype === "string") {
    const { pieces, crc } = stringPieces(data as Uint8Array[]);
    return { pieces, size: pieces.reduce((sum, { length }) => sum + length, 0), crc: maskCrc(crc) };
  }
  if (dtypeTable[dtype].bytes === 0) throw new UnimplementedError(`Tensor ${name} of type ${dtype} cannot be saved.`);
  const { buffer, byteOffset, byteLength } = data as Uint8Array;
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return { pieces: [bytes], size: byteLength, crc: maskCrc(crc32c(bytes)) };
}

// ---- merging ----

/** Makes one checkpoint of several, whose data files are renamed; slices of one tensor are gathered. Atomic like `writeBundle`.
 *  @throws NotFoundError for missing checkpoints unless `allowMissing`; InvalidArgumentError for a tensor that comes twice. */
export async function mergeBundles(
  files: FileSystem,
  prefixes: readonly string[],
  destination: string,
  { allowMissing = false }: { allowMissing?: boolean } = {},
): Promise<void> {
  const merged = new Map<string, { key: Uint8Array; entry: Message<"BundleEntryProto"> }>();
  const moves: string[] = [];
  for (const prefix of prefixes) {
    const index = await files.open(indexName(prefix)).catch((error: unknown) => {
      if (allowMissing && error instanceof NotFoundError) return null;
      throw error;
    });
    if (!index) continue;
    try {
      const table = await Table.open(index);
      const shards = await readHeader(index, table);
      const first = moves.length;
      for (let shard = 0; shard < shards; shard++) moves.push(dataName(prefix, shard, shards));
      for await (const { key, value } of table.entries()) {
        if (key.length === 0) continue;
        const entry = messageFromBytes("BundleEntryProto", value);
        const id = Array.from(key).join();
        const known = merged.get(id);
        if (!known) merged.set(id, { key: key.slice(), entry: { ...entry, shardId: entry.shardId + first } });
        else if (known.entry.slices.length === 0 || entry.slices.length === 0)
          throw new InvalidArgumentError(`Duplicate tensor in the checkpoints to merge: ${decodeText(key)}`);
        else merged.set(id, { key: known.key, entry: { ...known.entry, slices: [...known.entry.slices, ...entry.slices] } });
      }
    } finally {
      await index.close();
    }
  }
  if (moves.length === 0) throw new NotFoundError(`None of the checkpoints to merge is there: ${prefixes.join(", ")}`);
  const shards = await freeShardCount(files, destination, moves.length);
  for (let shard = 0; shard < moves.length; shard++) await files.rename(moves[shard], dataName(destination, shard, shards));
  for (let shard = moves.length; shard < shards; shard++) await files.write(dataName(destination, shard, shards), []);
  // A slice's entry alone says nothing of where its tensor's other slices are, but a shard may only have empty place for shard 0.
  const entries = new Map(
    [...merged.values()].map(({ key, entry }) => [key, entry.slices.length > 0 ? { ...entry, shardId: 0 } : entry] as const),
  );
  await files.write(indexName(destination), [indexBytes(entries, shards)]);
  for (const prefix of prefixes) await files.remove(indexName(prefix));
  await removeOtherData(files, destination, shards);
}
