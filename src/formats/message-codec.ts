// Messages of the table in messages.ts ↔ protobuf bytes and ↔ proto3 JSON. One walk for every message; none is named here.
// JSON is read with original or camelCase field names and written with original ones, as google.protobuf.json_format does.

import { DataLossError, InternalError, ValueError } from "../base/errors.ts";
import { plainBytes } from "../base/files.ts";
import { camelOf, snakeOf } from "../base/names.ts";
import { decodeText, encodeText, latinText } from "../base/ndarray.ts";
import { enumerations, type Message, type MessageInit, type MessageName, messages } from "./messages.ts";
import { pieceReader, WireReader, WireWriter, wireTypes } from "./wire.ts";

/** A field of a message, parsed from the table. */
export interface Field {
  readonly name: string;
  /** As the .proto file has it. */
  readonly originalName: string;
  readonly number: number;
  readonly label: "single" | "repeated" | "oneof" | "map";
  /** Element type, for maps the type of values. */
  readonly type: string;
  readonly keyType: string;
  /** Is this what proto3 leaves out? */
  readonly isDefault: (value: unknown) => boolean;
}

interface Layout {
  /** In the table's order. */
  readonly fields: readonly Field[];
  readonly byOrder: readonly Field[];
  readonly byNumber: ReadonlyMap<number, Field>;
  readonly byName: ReadonlyMap<string, Field>;
}

type Plain = Record<string, unknown>;

const layouts = new Map<string, Layout>();
export const isMessage = (type: string): type is MessageName => Object.hasOwn(messages, type);
export const isEnumeration = (type: string): boolean => Object.hasOwn(enumerations, type);
const deepest = 100;

function layoutOf(message: MessageName): Layout {
  let layout = layouts.get(message);
  if (!layout) {
    const fields = Object.entries(messages[message]).map(([name, text]) => parseField(name, text));
    layout = {
      fields,
      byOrder: [...fields].sort((a, b) => a.number - b.number),
      byNumber: new Map(fields.map(field => [field.number, field])),
      byName: new Map(fields.flatMap(field => [[field.name, field] as const, [snakeOf(field.name), field] as const])),
    };
    layouts.set(message, layout);
  }
  return layout;
}

/** The fields of a message by their numbers. */
export const fieldsOf = (message: MessageName): readonly Field[] => layoutOf(message).byOrder;

function parseField(name: string, text: string): Field {
  const [, label, keyType, valueType, plainType, number] = /^(?:(repeated|oneof) )?(?:map<(\w+), (\w+)>|(\w+)) = (\d+)$/.exec(text) ?? [];
  if (number === undefined) throw new InternalError(`The field ${name}: "${text}" cannot be read.`);
  const type = valueType ?? plainType;
  return {
    name,
    originalName: snakeOf(name),
    number: Number(number),
    label: keyType !== undefined ? "map" : ((label ?? "single") as Field["label"]),
    type,
    keyType: keyType ?? "",
    isDefault: value => isDefault(type, value),
  };
}

const defaults: Readonly<Record<string, unknown>> = {
  string: "",
  bool: false,
  int32: 0,
  uint32: 0,
  fixed32: 0,
  float: 0,
  double: 0,
  int64: 0n,
  uint64: 0n,
};
const noBytes = new Uint8Array(0);

function defaultOf(type: string): unknown {
  if (type === "bytes") return noBytes;
  if (isMessage(type)) return undefined;
  if (isEnumeration(type)) return enumeratorOf(type, 0);
  return defaults[type];
}

const untouched = new WeakSet<object>();

/** Stands for a message that nobody has set, in a field that was read all the same; it is as if the field were not there until it is `touched`. */
export const markUntouched = (message: object): void => void untouched.add(message);
export const markTouched = (message: object): void => void untouched.delete(message);
/** Is a field with this value not set? */
export const isAbsent = (value: unknown): value is undefined | null =>
  value === undefined || value === null || (typeof value === "object" && untouched.has(value));

function emptyMessage(layout: Layout): Plain {
  const result: Plain = {};
  for (const { name, label, type } of layout.fields) {
    if (label === "repeated") result[name] = [];
    else if (label === "map") result[name] = new Map();
    else result[name] = label === "oneof" ? undefined : defaultOf(type);
  }
  return result;
}

/** A message with everything that `init` leaves out at its default, nested messages too. */
export function createMessage<N extends MessageName>(name: N, init: MessageInit<N> = {}): Message<N> {
  return completed(name, init as Plain) as Message<N>;
}

function completed(name: MessageName, init: Plain): Plain {
  const layout = layoutOf(name);
  const result = emptyMessage(layout);
  for (const { name: field, label, type } of layout.fields) {
    const value = init[field];
    if (isAbsent(value)) continue;
    const complete = isMessage(type) ? (item: unknown) => completed(type, item as Plain) : (item: unknown) => exact(type, item);
    if (label === "repeated") result[field] = Array.from(value as Iterable<unknown>, complete);
    else if (label === "map") {
      const entries = value instanceof Map ? [...value] : Object.entries(value as object);
      result[field] = new Map(entries.map(([key, item]) => [key, complete(item)]));
    } else result[field] = complete(value);
  }
  return result;
}

/** Text as bytes, numbers as 64-bit integers or as names of what they number, where those belong. */
export function exact(type: string, value: unknown): unknown {
  if (type === "bytes" && typeof value === "string") return encodeText(value);
  if (isEnumeration(type) && typeof value === "number") return enumeratorOf(type, value);
  return (type === "int64" || type === "uint64") && typeof value === "number" ? BigInt(value) : value;
}

const reverse = new Map<string, Map<number, string>>();

function enumeratorOf(type: string, number: number): string | number {
  let names = reverse.get(type);
  if (!names) {
    names = new Map([...enumerations[type]].map(([name, value]) => [value, name]));
    reverse.set(type, names);
  }
  return names.get(number) ?? number;
}

const numberOf = (type: string, enumerator: string | number): number => {
  const number = typeof enumerator === "number" ? enumerator : enumerations[type].get(enumerator);
  if (number === undefined) throw new ValueError(`${type} has no value named ${enumerator}.`);
  return number;
};

// ---- bytes ----

/** Reads a message. @throws DataLossError naming the offset, for damaged bytes. */
export function messageFromBytes<N extends MessageName>(name: N, bytes: Uint8Array): Message<N> {
  return readMessage(name, new WireReader(plainBytes(bytes), name), 0) as Message<N>;
}

function readMessage(name: MessageName, reader: WireReader, depth: number, into?: Plain): Plain {
  if (depth > deepest) reader.fail(`messages are nested deeper than ${deepest} levels`);
  const layout = layoutOf(name);
  const result = into ?? emptyMessage(layout);
  while (!reader.isAtEnd) {
    const { number, wire } = reader.tag();
    const field = layout.byNumber.get(number);
    if (!field) reader.skip(wire);
    else readField(result, field, reader, wire, depth);
  }
  return result;
}

function readField(result: Plain, field: Field, reader: WireReader, wire: number, depth: number): void {
  const { name, label, type } = field;
  if (label === "map") {
    const [key, value] = readEntry(field, pieceReader(reader, wire, type), depth);
    (result[name] as Map<unknown, unknown>).set(key, value);
  } else if (label === "repeated") {
    const list = result[name] as unknown[];
    const isPacked = wire === wireTypes.bytes && wireOf(type) !== wireTypes.bytes;
    if (!isPacked) list.push(readValue(type, reader, wire, depth));
    else {
      const packed = pieceReader(reader, wire, type);
      if (type === "float") while (!packed.isAtEnd) list.push(packed.float());
      else for (const expected = wireOf(type); !packed.isAtEnd; ) list.push(readValue(type, packed, expected, depth));
    }
  } else if (isMessage(type)) {
    // A message field that comes twice is merged.
    result[name] = readMessage(type, pieceReader(reader, wire, type), depth + 1, result[name] as Plain | undefined);
  } else {
    result[name] = readValue(type, reader, wire, depth);
  }
}

function readEntry({ keyType, type }: Field, reader: WireReader, depth: number): [unknown, unknown] {
  let key = defaultOf(keyType);
  let value = isMessage(type) ? emptyMessage(layoutOf(type)) : defaultOf(type);
  while (!reader.isAtEnd) {
    const { number, wire } = reader.tag();
    if (number === 1) key = readValue(keyType, reader, wire, depth);
    else if (number === 2) value = readValue(type, reader, wire, depth);
    else reader.skip(wire);
  }
  return [key, value];
}

function wireOf(type: string): number {
  if (type === "float" || type === "fixed32") return wireTypes.fixed32;
  if (type === "double") return wireTypes.fixed64;
  return type === "string" || type === "bytes" || isMessage(type) ? wireTypes.bytes : wireTypes.varint;
}

function readValue(type: string, reader: WireReader, wire: number, depth: number): unknown {
  if (isMessage(type)) return readMessage(type, pieceReader(reader, wire, type), depth + 1);
  if (wire !== wireOf(type)) reader.fail(`wire type ${wire} where ${type} is expected`);
  switch (type) {
    case "string":
      return decodeText(reader.piece());
    case "bytes":
      return reader.piece().slice();
    case "float":
      return reader.float();
    case "fixed32":
      return reader.fixed32();
    case "double":
      return reader.double();
    case "bool":
      return reader.varint() !== 0n;
    case "int64":
      return BigInt.asIntN(64, reader.varint());
    case "uint64":
      return reader.varint();
    case "uint32":
      return Number(BigInt.asUintN(32, reader.varint()));
    default: {
      const number = Number(BigInt.asIntN(32, reader.varint()));
      return type === "int32" ? number : enumeratorOf(type, number);
    }
  }
}

/** Writes a message: fields in the order of their numbers, maps sorted by key, numbers packed, defaults left out; the same bytes every time. */
export function messageToBytes<N extends MessageName>(name: N, message: MessageInit<N>): Uint8Array {
  return written(name, message as Plain);
}

function written(name: MessageName, message: Plain): Uint8Array {
  const writer = new WireWriter();
  for (const field of fieldsOf(name)) {
    const value = message[field.name];
    if (!isAbsent(value)) writeField(writer, field, value);
  }
  return writer.finish();
}

function writeField(writer: WireWriter, { number, label, type, keyType }: Field, value: unknown): void {
  if (label === "map") {
    for (const [key, item] of [...(value as Map<string | number, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const entry = new WireWriter();
      writeValue(entry, 1, keyType, key);
      writeValue(entry, 2, type, item);
      writer.field(number, entry.finish());
    }
  } else if (label === "repeated") {
    const list = value as unknown[];
    if (wireOf(type) === wireTypes.bytes) for (const item of list) writeValue(writer, number, type, item);
    else if (list.length > 0) {
      const packed = new WireWriter();
      for (const item of list) writeBare(packed, type, item);
      writer.field(number, packed.finish());
    }
  } else if (label === "oneof" || isMessage(type) || !isDefault(type, value)) {
    writeValue(writer, number, type, value);
  }
}

const isDefault = (type: string, value: unknown): boolean =>
  type === "bytes"
    ? (value as Uint8Array).length === 0
    : isEnumeration(type)
      ? numberOf(type, value as string) === 0
      : value === defaults[type] && !Object.is(value, -0);

function writeValue(writer: WireWriter, number: number, type: string, value: unknown): void {
  writer.tag(number, wireOf(type));
  writeBare(writer, type, value);
}

function writeBare(writer: WireWriter, type: string, value: unknown): void {
  if (isMessage(type)) writer.piece(written(type, value as Plain));
  else if (type === "string") writer.piece(encodeText(value as string));
  else if (type === "bytes") writer.piece(value as Uint8Array);
  else if (type === "float") writer.float(value as number);
  else if (type === "double") writer.double(value as number);
  else if (type === "fixed32") writer.fixed32(value as number);
  else if (isEnumeration(type)) writer.varint(BigInt(numberOf(type, value as string)));
  else writer.varint(BigInt(value as bigint | number | boolean));
}

// ---- JSON ----

/** A message from parsed proto3 JSON, unknown fields ignored. @throws DataLossError naming the path of what does not fit. */
export function messageFromJson<N extends MessageName>(name: N, json: unknown): Message<N> {
  return fromJson(name, json, name) as Message<N>;
}

function fromJson(name: MessageName, json: unknown, path: string): Plain {
  if (typeof json !== "object" || json === null || Array.isArray(json)) refuse(path, "an object", json);
  const layout = layoutOf(name);
  const result = emptyMessage(layout);
  for (const [key, value] of Object.entries(json)) {
    const field = layout.byName.get(key) ?? layout.byName.get(camelOf(key));
    if (!field || value === null || value === undefined) continue;
    result[field.name] = fieldFromJson(field, value, `${path}.${key}`);
  }
  return result;
}

function fieldFromJson({ label, type, keyType }: Field, value: unknown, path: string): unknown {
  if (label === "repeated") {
    if (!Array.isArray(value)) refuse(path, "a list", value);
    return value.map((item, i) => valueFromJson(type, item, `${path}[${i}]`));
  }
  if (label !== "map") return valueFromJson(type, value, path);
  if (typeof value !== "object" || value === null) refuse(path, "an object", value);
  return new Map(
    Object.entries(value).map(([key, item]) => [valueFromJson(keyType, key, path), valueFromJson(type, item, `${path}.${key}`)]),
  );
}

function refuse(path: string, expected: string, value: unknown): never {
  throw new DataLossError(`Error parsing JSON of a message: ${path} should be ${expected}, but is ${JSON.stringify(value)?.slice(0, 80)}.`);
}

function valueFromJson(type: string, value: unknown, path: string): unknown {
  if (isMessage(type)) return fromJson(type, value, path);
  if (isEnumeration(type)) return typeof value === "string" ? value : enumeratorOf(type, Number(value));
  switch (type) {
    case "string":
      return typeof value === "string" ? value : refuse(path, "text", value);
    case "bytes":
      return typeof value === "string" ? bytesFromBase64(value, path) : refuse(path, "base64 text", value);
    case "bool":
      return value === true || value === "true";
    case "int64":
    case "uint64":
      return bigFromJson(value, path);
    default: {
      const number = Number(value);
      if (Number.isNaN(number) && value !== "NaN") refuse(path, "a number", value);
      return type === "float" ? Math.fround(number) : number;
    }
  }
}

function bigFromJson(value: unknown, path: string): bigint {
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  if (typeof value === "string" && /^-?\d+$/.test(value)) return BigInt(value);
  return refuse(path, "a whole number", value);
}

/** Bytes of base64 text, in either of its two alphabets. */
export function bytesFromBase64(text: string, path = "base64 text"): Uint8Array {
  let binary: string;
  try {
    binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return refuse(path, "base64 text", text);
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

export const base64FromBytes = (bytes: Uint8Array): string => btoa(latinText(bytes));

/** Proto3 JSON with original field names: defaults left out, 64-bit integers as text, bytes as base64. */
export function messageToJson<N extends MessageName>(name: N, message: MessageInit<N>): Record<string, unknown> {
  return toJson(name, message as Plain);
}

function toJson(name: MessageName, message: Plain): Plain {
  const result: Plain = {};
  for (const { name: field, label, type } of layoutOf(name).fields) {
    const value = message[field];
    if (isAbsent(value)) continue;
    const key = snakeOf(field);
    if (label === "repeated") {
      if ((value as unknown[]).length > 0) result[key] = (value as unknown[]).map(item => valueToJson(type, item));
    } else if (label === "map") {
      const entries = [...(value as Map<unknown, unknown>)].map(([k, item]) => [String(k), valueToJson(type, item)] as const);
      if (entries.length > 0) result[key] = Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
    } else if (label === "oneof" || isMessage(type) || !isDefault(type, value)) {
      result[key] = valueToJson(type, value);
    }
  }
  return result;
}

function valueToJson(type: string, value: unknown): unknown {
  if (isMessage(type)) return toJson(type, value as Plain);
  if (type === "bytes") return base64FromBytes(value as Uint8Array);
  if (type === "int64" || type === "uint64") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value;
}
