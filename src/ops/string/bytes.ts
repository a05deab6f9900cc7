// Bytes as tensors and back: serialized tensors, compressed strings, padded raw bytes, and whole files read and written.

import { files } from "#platform";
import { type DType, dtypeBytes, dtypeEnumName, dtypeTable, viewTypedArray } from "../../base/dtype.ts";
import { DataLossError, InternalError, InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { fileNameOf, folderOf, joinPath, readFile as readBytes } from "../../base/files.ts";
import { decodeText, NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import { unzlib } from "../../formats/inflate.ts";
import { InflateError, inflateRest } from "../../formats/inflate-rest.ts";
import { base64FromBytes, createMessage, messageFromBytes, messageToBytes } from "../../formats/message-codec.ts";
import type { Message } from "../../formats/messages.ts";
import { arrayFromMessage, arrayToTypedValues, dtypeOfEnumerator, shapeToMessage } from "../../formats/tensor-message.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { call } from "../../ir/build.ts";
import { named, type NameOption } from "../named.ts";
import { bytesAt } from "./string.ts";
import { need, refuseOthers } from "../arguments.ts";

const scalar = new TensorShape([]);

// ---- tensors in messages ----

/** A tensor as the bytes of a TensorProto. */
export const SerializeTensor = defineOp("SerializeTensor", {
  inputs: { tensor: "T" },
  outputs: { serialized: "string" },
  attrs: { T: attr.type() },
  gradient: "none",
  shape: () => scalar,
  lower: ({ tensor }) => {
    const run = ([array]: readonly NDArray[], [out]: readonly NDArray[]): void => out.set(0, bytesOfTensor(array));
    return call({ name: "serializeTensor", run }, [tensor], [{ dtype: "string", shape: [] }])[0];
  },
});

/** Numbers as raw content, strings one by one. */
function bytesOfTensor(array: NDArray): Uint8Array {
  const head = { dtype: dtypeEnumName(array.dtype), tensorShape: shapeToMessage(new TensorShape(array.shape)) };
  if (array.dtype === "string")
    return messageToBytes("TensorProto", createMessage("TensorProto", { ...head, ...arrayToTypedValues(array) }));
  const { buffer, byteOffset, byteLength } = array.data as Uint8Array;
  return messageToBytes(
    "TensorProto",
    createMessage("TensorProto", { ...head, tensorContent: new Uint8Array(buffer, byteOffset, byteLength).slice() }),
  );
}

/** The same with strings, too, as content: their lengths, then what they hold. */
export function packedTensor(array: NDArray): Uint8Array {
  if (array.dtype !== "string") return bytesOfTensor(array);
  const head = { dtype: dtypeEnumName(array.dtype), tensorShape: shapeToMessage(new TensorShape(array.shape)) };
  const strings = array.data as readonly Uint8Array[];
  const tensorContent = Uint8Array.from([...strings.flatMap(({ length }) => varint(length)), ...strings.flatMap(bytes => [...bytes])]);
  return messageToBytes("TensorProto", createMessage("TensorProto", { ...head, tensorContent }));
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

/** Strings out of such content. */
function unpackedStrings(content: Uint8Array, shape: readonly number[]): NDArray {
  const out = NDArray.zeros("string", shape);
  let at = 0;
  const lengths = Array.from({ length: out.size }, () => {
    let length = 0;
    for (let scale = 1, byte = 128; byte >= 128; scale *= 128) {
      byte = content[at++];
      length += (byte % 128) * scale;
    }
    return length;
  });
  lengths.forEach((length, i) => {
    out.set(i, content.slice(at, at + length));
    at += length;
  });
  return out;
}

/** The tensor in the bytes of a TensorProto, or undefined if they are none. */
export function tensorOfBytes(bytes: Uint8Array): NDArray | undefined {
  try {
    const message = messageFromBytes("TensorProto", bytes);
    const dtype = dtypeOfEnumerator(message.dtype);
    if (dtype === undefined) return undefined;
    if (dtype !== "string" || message.tensorContent.length === 0) return arrayFromMessage(message);
    return unpackedStrings(message.tensorContent, arrayFromMessage({ ...message, tensorContent: new Uint8Array(0) }).shape);
  } catch {
    return undefined;
  }
}

/** The tensor in the bytes of a TensorProto. */
export const ParseTensor = defineOp("ParseTensor", {
  inputs: { serialized: "string" },
  outputs: { output: "outType" },
  attrs: { outType: attr.type() },
  gradient: "none",
  shape: () => TensorShape.unknown(),
  host: ({ serialized, outType }) => {
    if (serialized.rank !== 0) throw new InvalidArgumentError(`Expected \`serialized\` to be a scalar, got shape: [${serialized.shape}]`);
    const bytes = bytesAt(serialized, 0);
    let message: Message<"TensorProto">;
    try {
      message = messageFromBytes("TensorProto", bytes);
    } catch {
      throw new InvalidArgumentError(`Could not parse \`serialized\` as TensorProto, base64: ${base64FromBytes(bytes)}`);
    }
    const found = dtypeOfEnumerator(message.dtype);
    if (found !== outType)
      throw new InvalidArgumentError(`Type mismatch between parsed tensor (${shown(found)}) and dtype (${shown(outType)})`);
    return arrayFromMessage(message);
  },
});

const shown = (dtype: DType | undefined): string => (dtype === undefined ? "INVALID" : dtypeTable[dtype].cName);

/** A tensor as bytes. TF: tf.serialize_tensor. */
export const serializeTensor = (tensor: TensorLike, options?: NameOption): Tensor => SerializeTensor({ tensor }, named(options));

/** The tensor of type `outType` in the bytes of a TensorProto. TF: tf.parse_tensor. */
export const parseTensor = (serialized: TensorLike, outType: DType, options?: NameOption): Tensor =>
  ParseTensor({ serialized, outType }, named(options));

// ---- compressed and padded bytes ----

/** Nothing is nothing, compressed or not. */
const inflated = async (bytes: Uint8Array, format: "gzip" | "deflate"): Promise<Uint8Array> =>
  bytes.length === 0
    ? bytes
    : unzlib(bytes, format).catch(() => {
        try {
          return inflateRest(bytes, format);
        } catch (error) {
          throw error instanceof InflateError ? new DataLossError(`inflate() failed with error -3: ${error.message}`) : error;
        }
      });

/** Strings compressed by gzip or zlib as they were. */
export const DecodeCompressed = defineOp("DecodeCompressed", {
  inputs: { bytes: "string" },
  outputs: { output: "string" },
  attrs: { compressionType: attr.string("") },
  gradient: "none",
  shape: ({ bytes }) => bytes,
  host: async ({ bytes, compressionType }) => {
    if (!["", "ZLIB", "GZIP"].includes(compressionType))
      throw new InvalidArgumentError("Only ZLIB, ZSTD, GZIP or NONE are supported compressions");
    const out = NDArray.zeros("string", bytes.shape);
    for (let i = 0; i < bytes.size; i++) {
      const given = bytesAt(bytes, i);
      out.set(i, compressionType === "" ? given : await inflated(given, compressionType === "GZIP" ? "gzip" : "deflate"));
    }
    return out;
  },
});

interface CompressedOptions {
  /** "ZLIB", "GZIP" or "" (not at all). */
  readonly compressionType?: string;
  readonly name?: string | null;
}

/** Strings compressed by gzip or zlib as they were. TF: tf.decode_compressed. */
export const decodeCompressed = (bytes: TensorLike, { compressionType = "", name, ...others }: CompressedOptions = {}): Tensor => {
  refuseOthers(others);
  return DecodeCompressed({ bytes, compressionType }, { name });
};

const paddedTypes = ["float16", "float32", "float64", "int32", "uint16", "uint8", "int16", "int8", "int64", "bfloat16"] as const;

/** Bytes as numbers, cut or filled with zero bytes to a length. */
export const DecodePaddedRaw = defineOp("DecodePaddedRaw", {
  inputs: { inputBytes: "string", fixedLength: "int32" },
  outputs: { output: "outType" },
  attrs: { outType: attr.type(paddedTypes), littleEndian: attr.bool(true) },
  gradient: "none",
  compileTimeInputs: ["fixedLength"],
  shape: ({ inputBytes, fixedLength, outType }, context) => {
    fixedLength.withRank(0);
    const length = context.constant("fixedLength")?.get(0);
    if (length !== undefined && Number(length) % dtypeBytes(outType) !== 0)
      throw new ValueError(`Dimension size must be evenly divisible by ${dtypeBytes(outType)} but is ${length}`);
    if (inputBytes.dims === null) return TensorShape.unknown();
    return new TensorShape([...inputBytes.dims, length === undefined ? null : Number(length) / dtypeBytes(outType)]);
  },
  lower: ({ inputBytes, fixedLength, outType, littleEndian }) => {
    const length = Number(fixedLength.get(0));
    const width = dtypeBytes(outType);
    if (length <= 0) throw new InvalidArgumentError(`fixed_length (${length}) must be greater than zero.`);
    if (length % width !== 0)
      throw new InvalidArgumentError(`fixed_length (${length}) must be a multiple of the size of out_type (${width})`);
    const run = ([given]: readonly NDArray[], [out]: readonly NDArray[]): void => {
      const raw = new Uint8Array(given.size * length);
      for (let i = 0; i < given.size; i++) raw.set(bytesAt(given, i).subarray(0, length), i * length);
      if (!littleEndian) for (let at = 0; at < raw.length; at += width) raw.subarray(at, at + width).reverse();
      (out.data as Uint8Array).set(viewTypedArray(outType, raw.buffer, 0, out.size) as Uint8Array);
    };
    const shape = [...inputBytes.shape, length / width];
    return call({ name: "decodePaddedRaw", run }, [inputBytes], [{ dtype: outType, shape }])[0];
  },
});

// ---- files ----

const textAt = (array: NDArray, i = 0): string => decodeText(bytesAt(array, i));

export const ReadFile = defineOp("ReadFile", {
  inputs: { filename: "string" },
  outputs: { contents: "string" },
  attrs: {},
  gradient: "none",
  shape: ({ filename }) => filename.withRank(0),
  host: async ({ filename }) => {
    const out = NDArray.zeros("string", []);
    out.set(0, await readBytes(files, textAt(filename)));
    return out;
  },
});

export const WriteFile = defineOp("WriteFile", {
  inputs: { filename: "string", contents: "string" },
  outputs: {},
  attrs: {},
  gradient: "none",
  stateful: true,
  shape: ({ filename, contents }) => {
    filename.withRank(0);
    contents.withRank(0);
  },
  host: async ({ filename, contents }) => {
    const path = textAt(filename);
    if (folderOf(path) !== "") await files.makeFolder(folderOf(path));
    await files.write(path, [bytesAt(contents, 0)]);
  },
});

/** An array of which a file begins with the bytes. */
export const ImmutableConst = defineOp("ImmutableConst", {
  inputs: {},
  outputs: { tensor: "dtype" },
  attrs: { dtype: attr.type(), shape: attr.shape(), memoryRegionName: attr.string() },
  shape: ({ shape }) => shape,
  host: async ({ dtype, shape, memoryRegionName }) => {
    need(dtype !== "resource" && dtype !== "variant", () => "Resource and variant dtypes are invalid for this op.");
    need(shape.isFullyDefined, () => `${shape.format()} is not a fully defined shape`);
    const source = await files.open(memoryRegionName);
    try {
      need(dtype !== "string", () => "Sorry, DT_STRING is not currently supported for ImmutableConstOp.", UnimplementedError);
      const sizes = shape.asNumbers();
      const length = sizeOf(sizes) * dtypeBytes(dtype);
      need(
        length <= source.size,
        () => `Readonly memory region has wrong length (${source.size}) when allocating ${length}`,
        InternalError,
      );
      return new NDArray(dtype, sizes, viewTypedArray(dtype, (await source.read(0, length)).slice().buffer, 0, sizeOf(sizes)));
    } finally {
      await source.close();
    }
  },
});

/** A shell pattern (`*`, `?`, `[a-c]`) as a regular expression. */
const patternOf = (text: string): RegExp =>
  new RegExp(
    `^${text
      .replace(/[.+^${}()|\\]/g, "\\$&")
      .replace(/\*/g, "[^/]*")
      .replace(/\?/g, "[^/]")}$`,
  );

export async function matchingPaths(pattern: string): Promise<string[]> {
  if (!/[*?[]/.test(pattern)) return (await files.status(pattern)) === null ? [] : [pattern];
  const folder = folderOf(pattern);
  const inside = /[*?[]/.test(folder) ? await matchingPaths(folder) : [folder];
  const name = patternOf(fileNameOf(pattern));
  const lists = await Promise.all(
    inside.map(async at => (await files.list(at === "" ? "." : at)).filter(found => name.test(found)).map(found => joinPath(at, found))),
  );
  return lists.flat();
}

/** Names of the files that match patterns, sorted. */
export const MatchingFiles = defineOp("MatchingFiles", {
  inputs: { pattern: "string" },
  outputs: { filenames: "string" },
  attrs: {},
  gradient: "none",
  shape: ({ pattern }) => {
    pattern.withRankAtMost(1);
    return new TensorShape([null]);
  },
  host: async ({ pattern }) => {
    const found = (await Promise.all(Array.from({ length: pattern.size }, (_, i) => matchingPaths(textAt(pattern, i))))).flat();
    return NDArray.from([...new Set(found)].sort(), "string", [new Set(found).size]);
  },
});

/** The whole contents of a file as a string. TF: tf.read_file. @throws NotFoundError while running. */
export const readFile = (filename: TensorLike, options?: NameOption): Tensor => ReadFile({ filename }, named(options));

/** Writes a string as a file, making its folder. TF: tf.write_file. */
export const writeFile = (filename: TensorLike, contents: TensorLike, options?: NameOption): Operation =>
  WriteFile({ filename, contents }, named(options));

/** The names of files that match a pattern (or several) of `*`, `?` and `[…]`, sorted. TF: tf.matching_files. */
export const matchingFiles = (pattern: TensorLike, options?: NameOption): Tensor => MatchingFiles({ pattern }, named(options));
