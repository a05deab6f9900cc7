// Descriptions of messages as protobuf writes them (a serialized FileDescriptorSet), for messages that are known only while running; and the same of the
// messages in the house's own table.

import { InvalidArgumentError } from "../base/errors.ts";
import { decodeText, encodeText } from "../base/ndarray.ts";
import { fieldsOf, isMessage } from "./message-codec.ts";
import { eachField, WireReader, wireTypes } from "./wire.ts";

/** Kinds of fields by their number in descriptor.proto. */
const kinds = [
  "",
  "double",
  "float",
  "int64",
  "uint64",
  "int32",
  "fixed64",
  "fixed32",
  "bool",
  "string",
  "group",
  "message",
  "bytes",
  "uint32",
  "enum",
  "sfixed32",
  "sfixed64",
  "sint32",
  "sint64",
] as const;
export type FieldKind = Exclude<(typeof kinds)[number], "">;

export interface FieldDescription {
  readonly name: string;
  readonly number: number;
  readonly kind: FieldKind;
  readonly isRepeated: boolean;
  readonly isPacked: boolean;
  /** What a message holds that does not say. */
  readonly fallback: number | bigint | boolean | Uint8Array;
}

/** A message's fields by their names; undefined if there is no such message. */
export type Descriptions = (message: string) => ReadonlyMap<string, FieldDescription> | undefined;

const repeated = 3;

interface RawField {
  name: string;
  number: number;
  label: number;
  type: number;
  typeName: string;
  fallback: string | undefined;
  packed: boolean | undefined;
}

interface RawMessage {
  readonly name: string;
  readonly fields: readonly RawField[];
}

type Handler = (reader: WireReader, wire: number) => void;

/** Reads a message by the numbers of its fields. */
function read(bytes: Uint8Array, handlers: Readonly<Record<number, Handler>>): void {
  const reader = new WireReader(bytes, "FileDescriptorSet");
  eachField(reader, (number, wire) => {
    handlers[number]?.(reader, wire);
    return number in handlers;
  });
}

const textOf = (reader: WireReader): string => decodeText(reader.piece());
const numberOf = (reader: WireReader): number => Number(BigInt.asIntN(32, reader.varint()));

/** All messages and the first values of all enumerations of a set, by their full names. */
class DescriptorSet {
  readonly messages = new Map<string, { readonly raw: RawMessage; readonly packsByDefault: boolean }>();
  readonly enums = new Map<string, ReadonlyMap<string, number>>();

  file(bytes: Uint8Array): void {
    let [scope, syntax] = ["", "proto2"];
    const pieces: [of: "message" | "enum", bytes: Uint8Array][] = [];
    read(bytes, {
      2: reader => void (scope = textOf(reader)),
      4: reader => void pieces.push(["message", reader.piece()]),
      5: reader => void pieces.push(["enum", reader.piece()]),
      12: reader => void (syntax = textOf(reader)),
    });
    for (const [of, piece] of pieces) {
      if (of === "message") this.message(piece, scope, syntax === "proto3");
      else this.enumeration(piece, scope);
    }
  }

  private message(bytes: Uint8Array, scope: string, packsByDefault: boolean): void {
    let name = "";
    const fields: RawField[] = [];
    const nested: Uint8Array[] = [];
    const enums: Uint8Array[] = [];
    read(bytes, {
      1: reader => void (name = textOf(reader)),
      2: reader => void fields.push(fieldFrom(reader.piece())),
      3: reader => void nested.push(reader.piece()),
      4: reader => void enums.push(reader.piece()),
    });
    const full = scope === "" ? name : `${scope}.${name}`;
    this.messages.set(full, { raw: { name: full, fields }, packsByDefault });
    for (const inner of nested) this.message(inner, full, packsByDefault);
    for (const inner of enums) this.enumeration(inner, full);
  }

  private enumeration(bytes: Uint8Array, scope: string): void {
    let name = "";
    const values = new Map<string, number>();
    read(bytes, {
      1: reader => void (name = textOf(reader)),
      2: reader => {
        let [value, number] = ["", 0];
        read(reader.piece(), { 1: inner => void (value = textOf(inner)), 2: inner => void (number = numberOf(inner)) });
        values.set(value, number);
      },
    });
    this.enums.set(scope === "" ? name : `${scope}.${name}`, values);
  }
}

function fieldFrom(bytes: Uint8Array): RawField {
  const field: RawField = { name: "", number: 0, label: 1, type: 0, typeName: "", fallback: undefined, packed: undefined };
  read(bytes, {
    1: reader => void (field.name = textOf(reader)),
    3: reader => void (field.number = numberOf(reader)),
    4: reader => void (field.label = numberOf(reader)),
    5: reader => void (field.type = numberOf(reader)),
    6: reader => void (field.typeName = textOf(reader).replace(/^\./, "")),
    7: reader => void (field.fallback = textOf(reader)),
    8: reader => read(reader.piece(), { 2: inner => void (field.packed = inner.varint() !== 0n) }),
  });
  return field;
}

const isWide = (kind: FieldKind): boolean => kind.endsWith("64");
export const isScalar = (kind: FieldKind): boolean => !["string", "bytes", "message", "group"].includes(kind);

function fallbackOf(kind: FieldKind, text: string | undefined, values: ReadonlyMap<string, number>): FieldDescription["fallback"] {
  if (kind === "enum") return text === undefined ? ([...values.values()][0] ?? 0) : (values.get(text) ?? 0);
  if (kind === "bool") return text === "true";
  if (!isScalar(kind)) return encodeText(kind === "message" || kind === "group" ? "" : (text ?? ""));
  if (isWide(kind)) return BigInt(text ?? 0);
  return text === undefined ? 0 : Number(text.replace(/^(-?)inf$/, "$1Infinity").replace("nan", "NaN"));
}

/** The messages of a serialized FileDescriptorSet. @throws DataLossError if it is none. */
export function descriptionsFrom(bytes: Uint8Array): Descriptions {
  const set = new DescriptorSet();
  read(bytes, {
    1: (reader, wire) => {
      if (wire !== wireTypes.bytes) reader.fail("a file is no message");
      set.file(reader.piece());
    },
  });
  return message => {
    const found = set.messages.get(message);
    if (found === undefined) return undefined;
    const fields = found.raw.fields.map(({ name, number, label, type, typeName, fallback, packed }): FieldDescription => {
      const kind = kinds[type];
      if (kind === undefined || kind === "") throw new InvalidArgumentError(`Field ${name} of ${message} has no type.`);
      const isRepeated = label === repeated;
      return {
        name,
        number,
        kind,
        isRepeated,
        isPacked: isRepeated && isScalar(kind) && (packed ?? found.packsByDefault),
        fallback: fallbackOf(kind, fallback, set.enums.get(typeName) ?? new Map()),
      };
    });
    return new Map(fields.map(field => [field.name, field]));
  };
}

/** Descriptions of TensorFlow's own messages, by their full names (`tensorflow.Example`). */
export const ownDescriptions: Descriptions = message => {
  const name = message.replace(/^tensorflow\./, "");
  if (name === message || !isMessage(name)) return undefined;
  return new Map(
    fieldsOf(name).map(({ originalName, number, label, type }): [string, FieldDescription] => {
      const isRepeated = label === "repeated" || label === "map";
      const kind = label === "map" || isMessage(type) ? "message" : (kinds.find(known => known === type) ?? "enum");
      const own = kind === "" ? "message" : kind;
      const fallback = own === "enum" ? 0 : fallbackOf(own, undefined, new Map());
      return [originalName, { name: originalName, number, kind: own, isRepeated, isPacked: isRepeated && isScalar(own), fallback }];
    }),
  );
};
