// Checkpoints V1: one table whose empty key lists the tensors and whose other keys are slices with their values.

import { dtypeEnumName, dtypeTable } from "../base/dtype.ts";
import { DataLossError, InvalidArgumentError, NotFoundError } from "../base/errors.ts";
import type { ByteSource, FileSystem } from "../base/files.ts";
import { NDArray } from "../base/ndarray.ts";
import { sameShape, sizeOf } from "../base/shape.ts";
import type { NamedTensor, TensorEntry } from "./bundle.ts";
import { createMessage, messageFromBytes, messageToBytes } from "./message-codec.ts";
import type { Message, MessageInit } from "./messages.ts";
import { compareBytes, Table, type TableEntry, tableToBytes } from "./table.ts";
import { arrayFromMessage, arrayToTypedValues, countValues, dtypeOfEnumerator } from "./tensor-message.ts";
import { copyBox, type Extent, intersection, parseShapeAndSlice, sliceKey, tiles } from "./tensor-slice.ts";

interface Stored extends TensorEntry {
  readonly slices: readonly (readonly Extent[])[];
  /** The slices with -1 for full dimensions, as in keys. */
  readonly keys: readonly (readonly Extent[])[];
}

export class CheckpointV1Reader {
  private readonly source: ByteSource;
  private readonly table: Table;
  private readonly held: ReadonlyMap<string, Stored>;

  private constructor(source: ByteSource, table: Table, held: ReadonlyMap<string, Stored>) {
    this.source = source;
    this.table = table;
    this.held = held;
  }

  static async open(files: FileSystem, path: string): Promise<CheckpointV1Reader> {
    const source = await files.open(path);
    try {
      const table = await Table.open(source);
      const value = await table.get(new Uint8Array(0));
      if (!value) throw new DataLossError(`${path} has no list of tensors\n\nIt is a table, but not a checkpoint of version 1.`);
      const { meta } = messageFromBytes("SavedTensorSlices", value);
      return new CheckpointV1Reader(source, table, new Map((meta?.tensor ?? []).map(tensor => [tensor.name, storedOf(tensor, path)])));
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.source.close();
  }

  async tensors(): Promise<Map<string, TensorEntry>> {
    return new Map([...this.held].map(([name, { dtype, shape }]) => [name, { dtype, shape }]));
  }

  async find(name: string): Promise<TensorEntry | undefined> {
    return this.held.get(name);
  }

  async read(name: string, shapeAndSlice = ""): Promise<NDArray> {
    const stored = this.held.get(name);
    if (!stored) throw new NotFoundError(`Tensor name "${name}" not found in checkpoint files ${this.source.name}`);
    const wanted = parseShapeAndSlice(shapeAndSlice);
    if (wanted && !sameShape(wanted.shape, stored.shape))
      throw new InvalidArgumentError(
        `Shape in shape_and_slice spec [${wanted.shape}] does not match the shape in the save file: [${stored.shape}]`,
      );
    const box = wanted?.extents ?? stored.shape.map(length => ({ start: 0, length }));
    if (!tiles(stored.slices, box)) throw this.damaged(name, "its slices do not make it up");
    const parts: { slice: readonly Extent[]; value: NDArray; shared: readonly Extent[] }[] = [];
    for (const [i, slice] of stored.slices.entries()) {
      const shared = intersection(slice, box);
      if (shared) parts.push({ slice, shared, value: await this.slice(name, stored, i) });
    }
    const result = NDArray.zeros(
      stored.dtype,
      box.map(({ length }) => length),
    );
    for (const { slice, value, shared } of parts) copyBox(value, slice, result, box, shared);
    return result;
  }

  private async slice(name: string, { dtype, slices, keys }: Stored, i: number): Promise<NDArray> {
    const bytes = await this.table.get(sliceKey(name, keys[i]));
    const data = bytes && messageFromBytes("SavedTensorSlices", bytes).data?.data;
    if (!data) throw this.damaged(name, "a slice has no data");
    const shape = slices[i].map(({ length }) => length);
    const count = countValues(data, dtype);
    if (count !== sizeOf(shape)) throw this.damaged(name, `${count} values are stored for a slice of shape [${shape}]`);
    const dim = shape.map(size => ({ size: BigInt(size) }));
    return arrayFromMessage({ ...data, dtype: dtypeEnumName(dtype), tensorShape: createMessage("TensorShapeProto", { dim }) });
  }

  private damaged(name: string, reason: string): DataLossError {
    return new DataLossError(`Damaged checkpoint ${this.source.name}\n\nTensor ${name}: ${reason}.`);
  }
}

function storedOf(tensor: Message<"SavedSliceMeta">, path: string): Stored {
  const fail = (reason: string): never => {
    throw new DataLossError(`Damaged checkpoint ${path}\n\nTensor ${tensor.name}: ${reason}.`);
  };
  const dtype = dtypeOfEnumerator(tensor.type);
  if (dtype === undefined || dtypeTable[dtype].kind === "handle") return fail(`its type ${tensor.type} cannot be read`);
  const shape = (tensor.shape?.dim ?? []).map(({ size }) => Number(size));
  if (shape.length > 254 || shape.some(size => size < 0) || !Number.isSafeInteger(sizeOf(shape)))
    fail(`its shape [${shape}] is not a shape`);
  const keys = tensor.slice.map(({ extent }) => {
    if (extent.length !== shape.length) fail(`a slice has ${extent.length} dimensions where the tensor has ${shape.length}`);
    return extent.map(({ start, length }) => ({ start: Number(start), length: length === undefined ? -1 : Number(length) }));
  });
  const slices = keys.map(key => key.map(({ start, length }, axis) => ({ start, length: length < 0 ? shape[axis] : length })));
  if (slices.some(slice => slice.some(({ start, length }, axis) => start < 0 || start + length > shape[axis])))
    fail("a slice reaches out of it");
  return { dtype, shape, slices, keys };
}

/** Writes a checkpoint of version 1, all or nothing. */
export async function writeCheckpointV1(files: FileSystem, path: string, tensors: readonly NamedTensor[]): Promise<void> {
  const metas = new Map<string, { shape: readonly number[]; type: string; slice: MessageInit<"TensorSliceProto">[] }>();
  const entries: TableEntry[] = [];
  for (const { name, value, shapeAndSlice = "" } of tensors) {
    const spec = parseShapeAndSlice(shapeAndSlice);
    const shape = spec?.shape ?? value.shape;
    const extents = shape.map((size, axis) => {
      const { start, length } = spec?.extents[axis] ?? { start: 0, length: size };
      return start === 0 && length === size ? { start: 0, length: -1 } : { start, length };
    });
    const slice = { extent: extents.map(({ start, length }) => (length < 0 ? {} : { start: BigInt(start), length: BigInt(length) })) };
    const meta = metas.get(name) ?? { shape, type: dtypeEnumName(value.dtype), slice: [] };
    if (metas.has(name) && (!spec || !sameShape(meta.shape, shape))) throw new InvalidArgumentError(`Adding duplicate key: ${name}`);
    meta.slice.push(slice);
    metas.set(name, meta);
    entries.push({
      key: sliceKey(name, extents),
      value: messageToBytes("SavedTensorSlices", { data: { name, slice, data: arrayToTypedValues(value) } }),
    });
  }
  const tensor = [...metas].map(([name, { shape, type, slice }]) => ({
    name,
    shape: { dim: shape.map(size => ({ size: BigInt(size) })) },
    type,
    slice,
  }));
  const list = messageToBytes("SavedTensorSlices", { meta: { tensor, versions: { producer: 1 } } });
  entries.sort((a, b) => compareBytes(a.key, b.key));
  await files.write(path, [tableToBytes([{ key: new Uint8Array(0), value: list }, ...entries])]);
}
