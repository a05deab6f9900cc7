// Fields of serialized protocol buffers as tensors, and back. Messages are described by a FileDescriptorSet, in a file or in the attribute itself, or are
// TensorFlow's own.

import { files } from "#platform";
import { type DType, dtypeEnumName, dtypeTable } from "../../base/dtype.ts";
import { DataLossError, InvalidArgumentError, UnimplementedError } from "../../base/errors.ts";
import { readFile } from "../../base/files.ts";
import { type ElementValue, encodeText, NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import {
  type Descriptions,
  descriptionsFrom,
  type FieldDescription,
  type FieldKind,
  isScalar,
  ownDescriptions,
} from "../../formats/descriptors.ts";
import { WireReader, WireWriter, wireTypes } from "../../formats/wire.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../arguments.ts";
import { bytesAt } from "./string.ts";

// ---- descriptions ----

const inline = "bytes://";

/** @throws InvalidArgumentError with TensorFlow's text for what is no FileDescriptorSet. */
async function descriptionsOf(source: string): Promise<Descriptions> {
  if (source === "" || source === "local://") return ownDescriptions;
  const refused = (): InvalidArgumentError =>
    new InvalidArgumentError(
      `Source does not represent serialized file descriptor set proto. This may be due to a missing dependency on the file containing REGISTER_DESCRIPTOR_POOL("${source}", ...);`,
    );
  // An attribute is a text here; bytes that were none are lost.
  if (source.startsWith(inline) && source.includes("\ufffd"))
    throw new UnimplementedError(
      `The descriptor source holds bytes that are no text; write them to a file, and give its name in place of ${inline}.`,
    );
  try {
    const bytes = source.startsWith(inline) ? encodeText(source.slice(inline.length)) : await readFile(files, source);
    return descriptionsFrom(bytes);
  } catch {
    throw refused();
  }
}

/** The fields of these names, in this order. */
async function fieldsOf(source: string, messageType: string, names: readonly string[]): Promise<FieldDescription[]> {
  const fields = (await descriptionsOf(source))(messageType);
  if (fields === undefined) throw new InvalidArgumentError(`No descriptor found for message type ${messageType}`);
  return names.map(name => {
    const field = fields.get(name);
    if (field === undefined) throw new InvalidArgumentError(`Unknown field: ${name} in message type ${messageType}`);
    return field;
  });
}

/** What C++ calls the type of a field's values. */
function valueType(kind: FieldKind): string {
  switch (kind) {
    case "fixed32":
      return "uint32";
    case "fixed64":
      return "uint64";
    case "sint32":
    case "sfixed32":
      return "int32";
    case "sint64":
    case "sfixed64":
      return "int64";
    case "bytes":
      return "string";
    case "group":
      return "message";
  }
  return kind;
}

/** Types of tensors that the values of a type are read into, or written from. */
const tensorTypes: Readonly<Record<string, readonly DType[]>> = {
  double: ["float64"],
  float: ["float32", "float64"],
  int64: ["int64"],
  uint64: ["uint64"],
  int32: ["int32", "int64"],
  uint32: ["uint32", "uint64"],
  bool: ["bool"],
  enum: ["int32"],
  string: ["string"],
  message: ["string"],
};

// ---- wire ----

const wireOf = (kind: FieldKind): number => {
  if (!isScalar(kind)) return wireTypes.bytes;
  if (kind === "double" || kind.endsWith("fixed64")) return wireTypes.fixed64;
  return kind === "float" || kind.endsWith("fixed32") ? wireTypes.fixed32 : wireTypes.varint;
};

const fixed64 = (reader: WireReader): bigint => BigInt(reader.fixed32()) | (BigInt(reader.fixed32()) << 32n);
const unzigzag = (value: bigint): bigint => (value >> 1n) ^ -(value & 1n);

function readValue(reader: WireReader, kind: FieldKind): ElementValue {
  switch (kind) {
    case "double":
      return reader.double();
    case "float":
      return reader.float();
    case "int32":
    case "enum":
      return Number(BigInt.asIntN(32, reader.varint()));
    case "uint32":
      return Number(BigInt.asUintN(32, reader.varint()));
    case "int64":
      return BigInt.asIntN(64, reader.varint());
    case "uint64":
      return reader.varint();
    case "sint32":
      return Number(unzigzag(BigInt.asUintN(32, reader.varint())));
    case "sint64":
      return unzigzag(reader.varint());
    case "fixed32":
      return reader.fixed32();
    case "sfixed32":
      return reader.fixed32() | 0;
    case "fixed64":
      return fixed64(reader);
    case "sfixed64":
      return BigInt.asIntN(64, fixed64(reader));
    case "bool":
      return reader.varint() !== 0n;
    case "string":
    case "bytes":
    case "message":
    case "group":
      return reader.piece();
  }
}

/** The values of some fields in a message, in the order of the fields. What another wire type has is passed over. */
function valuesIn(bytes: Uint8Array, fields: readonly FieldDescription[]): ElementValue[][] {
  const found: ElementValue[][] = fields.map(() => []);
  const places = new Map<number, number>();
  // Of a field that is asked for twice the first has the values, as in TensorFlow.
  fields.forEach(({ number }, k) => void (places.has(number) || places.set(number, k)));
  const reader = new WireReader(bytes, "Message");
  while (!reader.isAtEnd) {
    const { number, wire } = told(() => reader.tag(), "CountFields: Failed to consume entire buffer");
    const place = places.get(number);
    if (place === undefined) {
      told(() => reader.skip(wire), "Failed skipping unrequested field");
      continue;
    }
    const { kind, isRepeated } = fields[place];
    const isPacked = wire === wireTypes.bytes && isRepeated && isScalar(kind);
    told(
      () => {
        if (wire === wireOf(kind)) {
          const value = readValue(reader, kind);
          if (isRepeated) found[place].push(value);
          else found[place] = [value];
        } else if (isPacked) {
          const packed = new WireReader(reader.piece(), "Message");
          while (!packed.isAtEnd) found[place].push(readValue(packed, kind));
        } else reader.skip(wire);
      },
      isPacked ? "ReadPackedValues: Skipping packed field failed" : "ReadValue: Failed skipping field when counting",
    );
  }
  return found;
}

function told<T>(read: () => T, reason: string): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DataLossError) throw new DataLossError(reason);
    throw error;
  }
}

function writeValue(writer: WireWriter, kind: FieldKind, value: ElementValue): void {
  if (value instanceof Uint8Array) return writer.piece(value);
  if (typeof value === "object") throw new InvalidArgumentError("A field holds no complex numbers.");
  switch (kind) {
    case "double":
      return writer.double(Number(value));
    case "float":
      return writer.float(Number(value));
    case "sint32":
    case "sint64": {
      const whole = BigInt(value);
      return writer.varint(whole < 0n ? -2n * whole - 1n : 2n * whole);
    }
    case "fixed32":
    case "sfixed32":
      return writer.fixed32(Number(value));
    case "fixed64":
    case "sfixed64": {
      const whole = BigInt.asUintN(64, BigInt(value));
      writer.fixed32(Number(whole & 0xffffffffn));
      return writer.fixed32(Number(whole >> 32n));
    }
  }
  writer.varint(BigInt(value));
}

/** TensorFlow reads an int32 into an int64 by its bits, without their sign. */
const widened = (value: ElementValue, kind: FieldKind, dtype: DType): ElementValue =>
  kind === "int32" && dtype === "int64" ? BigInt.asUintN(32, BigInt(Number(value))) : value;

// ---- ops ----

/** How many values each field has in each message, `[…, fields]`, and the values of each, `[…, most there are]`, with defaults behind them. */
export const DecodeProtoV2 = defineOp("DecodeProtoV2", {
  inputs: { bytes: "string" },
  outputs: { sizes: "int32", values: "outputTypes" },
  attrs: {
    messageType: attr.string(),
    fieldNames: attr.strings(),
    outputTypes: attr.types(undefined, { minimum: 0 }),
    descriptorSource: attr.string("local://"),
    messageFormat: attr.string("binary"),
    sanitize: attr.bool(false),
  },
  gradient: "none",
  shape: ({ bytes, outputTypes }) => [
    bytes.concatenate(new TensorShape([outputTypes.length])),
    ...outputTypes.map(() => bytes.concatenate(new TensorShape([null]))),
  ],
  host: async ({ bytes, messageType, fieldNames, outputTypes, descriptorSource, messageFormat, sanitize }) => {
    if (fieldNames.length !== outputTypes.length)
      throw new InvalidArgumentError("field_names and output_types attributes must have the same length");
    const fields = await fieldsOf(descriptorSource, messageType, fieldNames);
    fields.forEach(({ name, kind }, k) => {
      const type = valueType(kind);
      if (!tensorTypes[type].includes(outputTypes[k]))
        throw new InvalidArgumentError(`Unexpected output type for ${messageType}.${name}: ${type} to ${dtypeEnumName(outputTypes[k])}`);
    });
    if (messageFormat === "text") throw new UnimplementedError("Messages in text format are not decoded; serialize them.");
    if (messageFormat !== "binary") throw new InvalidArgumentError("format must be one of binary or text");
    if (sanitize && fields.some(({ kind }) => valueType(kind) === "message"))
      throw new UnimplementedError("Messages within messages are not written anew; decode without sanitize.");
    if (bytes.size === 0) throw new InvalidArgumentError("Bufs argument must contain at least one value");
    const found = Array.from({ length: bytes.size }, (_, i) => valuesIn(bytesAt(bytes, i), fields));
    const sizes = found.flatMap(values => values.map(of => of.length));
    const values = fields.map(({ isRepeated, fallback }, k) => {
      const most = Math.max(1, ...found.map(of => of[k].length));
      const out = NDArray.zeros(outputTypes[k], [...bytes.shape, most]);
      for (let i = 0; i < out.size; i++) {
        const value = found[Math.floor(i / most)][k][i % most];
        if (value !== undefined) out.set(i, widened(value, fields[k].kind, outputTypes[k]));
        else if (!isRepeated) out.set(i, fallback);
      }
      return out;
    });
    return [NDArray.from(sizes, "int32", [...bytes.shape, fields.length]), ...values];
  },
});

/** A message for each row of `sizes`, with so many of the values of each field. */
export const EncodeProto = defineOp("EncodeProto", {
  inputs: { sizes: "int32", values: "Tinput_types" },
  outputs: { bytes: "string" },
  attrs: {
    fieldNames: attr.strings(),
    messageType: attr.string(),
    descriptorSource: attr.string("local://"),
    Tinput_types: attr.types(undefined, { minimum: 1 }),
  },
  gradient: "none",
  // TensorFlow's looks at the values only.
  shape: ({ values }) => {
    const outer = (shape: TensorShape): TensorShape =>
      shape.dims === null ? TensorShape.unknown() : new TensorShape(shape.withRankAtLeast(2).dims?.slice(0, -1) ?? null);
    return values.reduce((known, shape) => known.mergeWith(outer(shape)), TensorShape.unknown());
  },
  host: async ({ sizes, values, fieldNames, messageType, descriptorSource }) => {
    const fields = await fieldsOf(descriptorSource, messageType, fieldNames);
    if (values.length !== fields.length) throw new InvalidArgumentError("Length of inputs list must match field_names");
    values.forEach(({ dtype }, k) => {
      const type = valueType(fields[k].kind);
      if (!tensorTypes[type].includes(dtype))
        throw new InvalidArgumentError(
          `Incompatible type for field ${fields[k].name}.  Saw dtype: ${dtypeTable[dtype].cName} but field type is: ${type}`,
        );
    });
    const outer = values[0].shape.slice(0, -1);
    values.forEach(({ rank, shape }, k) => {
      if (rank < 2)
        throw new InvalidArgumentError(
          `Invalid shape for field ${fields[k].name}.  Saw shape [${shape}] but it should be at least a matrix.`,
        );
      if (shape.slice(0, -1).join() !== outer.join())
        throw new InvalidArgumentError(`Values must match up to the last dimension: [${values[0].shape}] vs. [${shape}]`);
    });
    const expected = [...outer, fields.length];
    if (sizes.shape.join() !== expected.join())
      throw new InvalidArgumentError(`sizes should be batch_size + [len(field_names)].  Saw: [${sizes.shape}] but expected: [${expected}]`);
    // Fields are written in the order of their numbers.
    const order = fields.map((_, k) => k).sort((a, b) => fields[a].number - fields[b].number);
    const messages = Array.from({ length: sizeOf(outer) }, (_, message) => {
      const writer = new WireWriter();
      for (const k of order) {
        const width = values[k].shape[values[k].rank - 1];
        const count = Number(sizes.get(message * fields.length + k));
        if (count > width)
          throw new InvalidArgumentError(
            `Size to write must not be larger than value tensor; but saw: ${count} > ${width} at message ${message} field ${k}`,
          );
        // A negative count writes an empty piece where values are packed.
        if (count === 0) continue;
        writeField(
          writer,
          fields[k],
          Array.from({ length: Math.max(count, 0) }, (_, i) => values[k].get(message * width + i)),
        );
      }
      return writer.finish();
    });
    return new NDArray("string", outer, messages);
  },
});

function writeField(writer: WireWriter, { number, kind, isPacked }: FieldDescription, values: readonly ElementValue[]): void {
  if (isPacked) {
    const packed = new WireWriter();
    for (const value of values) writeValue(packed, kind, value);
    writer.field(number, packed.finish());
    return;
  }
  for (const value of values) {
    writer.tag(number, wireOf(kind));
    writeValue(writer, kind, value);
  }
}

// ---- functions ----

interface DecodeOptions extends Named {
  /** A file with a serialized FileDescriptorSet, or `bytes://` and the set itself where that is text; `local://`: TensorFlow's own messages. */
  readonly descriptorSource?: string;
  readonly messageFormat?: string;
  readonly sanitize?: boolean;
}

/** Fields of serialized messages: how many values each has, int32 `[…, fields]`, and of each field the values, `[…, most there are]`, with the field's default
 *  where a message has none. Submessages come as their bytes.
 *  TF: tf.io.decode_proto(bytes, message_type, field_names, output_types, descriptor_source, message_format, sanitize, name). */
export function decodeProto(
  bytes: TensorLike,
  messageType: string,
  fieldNames: readonly string[],
  outputTypes: readonly DType[],
  ...rest: readonly unknown[]
): { readonly sizes: Tensor; readonly values: readonly Tensor[] } {
  const { name, ...options } = collect<DecodeOptions>(["descriptorSource", "messageFormat", "sanitize", "name"], rest);
  return DecodeProtoV2({ bytes, messageType, fieldNames, outputTypes, ...options }, { name });
}

interface EncodeOptions extends Named {
  readonly descriptorSource?: string;
}

/** Serialized messages: of each field the first `sizes` of its values, `sizes` being int32 `[…, fields]` and values `[…, most there are]`.
 *  TF: tf.io.encode_proto(sizes, values, field_names, message_type, descriptor_source, name). */
export function encodeProto(
  sizes: TensorLike,
  values: readonly TensorLike[],
  fieldNames: readonly string[],
  messageType: string,
  ...rest: readonly unknown[]
): Tensor {
  const { name, ...options } = collect<EncodeOptions>(["descriptorSource", "name"], rest);
  return EncodeProto({ sizes, values, fieldNames, messageType, ...options }, { name });
}
