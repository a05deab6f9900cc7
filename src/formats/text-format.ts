// Protobuf's text format (.pbtxt) for every message of the table in messages.ts, as Python's google.protobuf.text_format reads and prints it:
// fields by number, maps by key, floats in their shortest form, bytes as C escapes, Any unpacked. Depth is limited; every complaint names line and column.

import { DataLossError } from "../base/errors.ts";
import { encodeText } from "../base/ndarray.ts";
import { createMessage, type Field, fieldsOf, isEnumeration, isMessage, messageFromBytes, messageToBytes } from "./message-codec.ts";
import { enumerations, type Message, type MessageInit, type MessageName } from "./messages.ts";

type Plain = Record<string, unknown>;

const deepest = 100;
const anyPrefix = "type.googleapis.com/tensorflow.";

// ---- printing ----

/** The text form of a message. TF: google.protobuf.text_format.MessageToString. */
export function messageToText<N extends MessageName>(name: N, message: MessageInit<N>): string {
  const lines: string[] = [];
  printMessage(lines, "", name, createMessage(name, message) as Plain);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

function printMessage(lines: string[], indent: string, name: MessageName, message: Plain): void {
  for (const field of fieldsOf(name)) {
    const value = message[field.name];
    if (value === undefined || value === null) continue;
    if (field.label === "map") printMap(lines, indent, field, value as ReadonlyMap<unknown, unknown>);
    else if (field.label === "repeated") for (const item of value as readonly unknown[]) printField(lines, indent, field, item);
    else if (field.label === "oneof" || isMessage(field.type) || !field.isDefault(value)) printField(lines, indent, field, value);
  }
}

function printField(lines: string[], indent: string, { originalName, type }: Field, value: unknown): void {
  if (!isMessage(type)) lines.push(`${indent}${originalName}: ${scalarText(type, value)}`);
  else printBlock(lines, indent, originalName, inner => printContent(lines, inner, type, value as Plain));
}

function printBlock(lines: string[], indent: string, name: string, body: (indent: string) => void): void {
  lines.push(`${indent}${name} {`);
  body(`${indent}  `);
  lines.push(`${indent}}`);
}

function printContent(lines: string[], indent: string, type: MessageName, value: Plain): void {
  const packed = type === "Any" ? unpacked(value as Message<"Any">) : undefined;
  if (packed)
    printBlock(lines, indent, `[${(value as Message<"Any">).typeUrl}]`, inner => printMessage(lines, inner, packed.name, packed.message));
  else printMessage(lines, indent, type, value);
}

function unpacked({ typeUrl, value }: Message<"Any">): { name: MessageName; message: Plain } | undefined {
  const name = typeUrl.startsWith(anyPrefix) ? typeUrl.slice(anyPrefix.length) : "";
  if (!isMessage(name)) return undefined;
  try {
    return { name, message: messageFromBytes(name, value) };
  } catch {
    // Bytes that are no such message are printed as bytes.
    return undefined;
  }
}

/** Entries in the order of their keys; a key or value at its default is left out. */
function printMap(lines: string[], indent: string, field: Field, map: ReadonlyMap<unknown, unknown>): void {
  const entries = [...map].sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1));
  for (const [key, value] of entries) {
    printBlock(lines, indent, field.originalName, inner => {
      if (key !== "" && key !== 0 && key !== 0n) lines.push(`${inner}key: ${scalarText(field.keyType, key)}`);
      const { type } = field;
      if (isMessage(type)) printBlock(lines, inner, "value", deeper => printContent(lines, deeper, type, value as Plain));
      else if (!field.isDefault(value)) lines.push(`${inner}value: ${scalarText(type, value)}`);
    });
  }
}

function scalarText(type: string, value: unknown): string {
  if (type === "string") return quoted(value as string);
  if (type === "bytes") return quotedBytes(value as Uint8Array);
  if (type === "float") return floatText(shortestFloat(value as number));
  if (type === "double") return floatText(value as number);
  return String(value);
}

const escapes: ReadonlyMap<number, string> = new Map([
  [9, "\\t"],
  [10, "\\n"],
  [13, "\\r"],
  [34, '\\"'],
  [39, "\\'"],
  [92, "\\\\"],
]);
const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, "0")}`;

function quotedBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += escapes.get(byte) ?? (byte < 32 || byte >= 127 ? octal(byte) : String.fromCharCode(byte));
  return `"${text}"`;
}

/** Strings keep what is beyond ASCII. */
const quoted = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is escaped
  `"${text.replace(/[\x00-\x1f"'\\\x7f]/g, char => escapes.get(char.charCodeAt(0)) ?? octal(char.charCodeAt(0)))}"`;

/** The number with the fewest digits (six or more) that is the same as a float32. */
function shortestFloat(value: number): number {
  if (!Number.isFinite(value) || value === 0) return value;
  for (let digits = 6; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === Math.fround(value)) return candidate;
  }
  return Number(value.toPrecision(9));
}

/** As Python prints a float: with a point or an exponent of two digits. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-4 || size >= 1e16)) return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  const text = String(value);
  return text.includes(".") ? text : `${text}.0`;
}

// ---- reading ----

/** Reads the text form of a message; `text` may be the bytes of a file. TF: google.protobuf.text_format.Parse.
 *  @throws DataLossError `LINE:COLUMN : reason`. */
export function messageFromText<N extends MessageName>(name: N, text: string | Uint8Array): Message<N> {
  const reader = new TextReader(typeof text === "string" ? text : new TextDecoder().decode(text));
  return createMessage(name, reader.message(name, "", 0) as MessageInit<N>);
}

const space = /(?:\s+|#[^\n]*)*/y;
const identifier = /[A-Za-z_][\w]*/y;
const anyName = /[\w./%~!$&()*+,;=-]+/y;
const stringStart = /["']/y;
// Long runs without escapes are taken whole; a literal ends on its own line.
const stringPart = { '"': /[^"\\\n]*/y, "'": /[^'\\\n]*/y } as const;
const numberToken = /-?\s*(?:0[xX][0-9A-Fa-f]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?|[A-Za-z]\w*)/y;

class TextReader {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
    this.skipSpace();
  }

  private fail(reason: string, at = this.at, isQuoted = true): never {
    const before = this.text.slice(0, at);
    const line = before.split("\n").length;
    const start = before.lastIndexOf("\n") + 1;
    const end = this.text.indexOf("\n", at);
    const quote = isQuoted ? `'${this.text.slice(start, end < 0 ? undefined : end).slice(0, 200)}': ` : "";
    throw new DataLossError(`${line}:${at - start + 1} : ${quote}${reason}`);
  }

  private skipSpace(): void {
    space.lastIndex = this.at;
    space.exec(this.text);
    this.at = Math.max(this.at, space.lastIndex);
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) return undefined;
    this.at += found.length;
    this.skipSpace();
    return found;
  }

  private tryChar(char: string): boolean {
    if (this.text[this.at] !== char) return false;
    this.at++;
    this.skipSpace();
    return true;
  }

  private need(char: string): void {
    if (!this.tryChar(char)) this.fail(`Expected "${char}".`, this.at, false);
  }

  /** Fields up to `end` ("" for the end of the text). */
  message(name: MessageName, end: string, depth: number): Plain {
    if (depth > deepest) this.fail(`Message too deep. Max recursion depth is ${deepest}`, this.at, false);
    const result: Plain = {};
    const byName = new Map(fieldsOf(name).map(field => [field.originalName, field]));
    const opened = this.at;
    for (;;) {
      if (this.at >= this.text.length) {
        if (end === "") return result;
        this.fail(`Expected "${end}".`, opened, false);
      }
      if (end !== "" && this.tryChar(end)) return result;
      if (name === "Any" && this.text[this.at] === "[") this.anyField(result, depth);
      else this.field(result, name, byName, depth);
      if (!this.tryChar(",")) this.tryChar(";");
    }
  }

  private field(result: Plain, name: MessageName, byName: ReadonlyMap<string, Field>, depth: number): void {
    const start = this.at;
    const key = this.take(identifier);
    if (key === undefined) this.fail(`Expected identifier or number, got ${this.text[this.at]}.`);
    const field = byName.get(key);
    if (!field) this.fail(`Message type "tensorflow.${name}" has no field named "${key}".`, start, false);
    this.claim(result, name, field, start);
    const hasColon = this.tryChar(":");
    if (!hasColon && !isMessage(field.type) && field.label !== "map") this.fail('Expected ":".', this.at, false);
    if (field.label === "map") this.each(() => this.mapEntry(result, field, depth));
    else if (field.label !== "repeated") result[field.name] = this.value(field.type, depth);
    else {
      result[field.name] ??= [];
      const list = result[field.name] as unknown[];
      this.each(() => void list.push(this.value(field.type, depth)));
    }
  }

  /** @throws DataLossError for a field that is there twice, or beside another of its oneof. */
  private claim(result: Plain, name: MessageName, field: Field, start: number): void {
    if (field.label === "repeated" || field.label === "map") return;
    if (result[field.name] !== undefined)
      this.fail(`Message type "tensorflow.${name}" should not have multiple "${field.originalName}" fields.`, start, false);
    if (field.label !== "oneof") return;
    const other = fieldsOf(name).find(({ label, name: otherName }) => label === "oneof" && result[otherName] !== undefined);
    if (other)
      this.fail(
        `Field "${field.originalName}" is specified along with field "${other.originalName}", another member of a oneof for message type "tensorflow.${name}".`,
        start,
        false,
      );
  }

  /** One value, or a list of them in brackets. */
  private each(one: () => void): void {
    if (!this.tryChar("[")) return one();
    if (this.tryChar("]")) return;
    do one();
    while (this.tryChar(","));
    this.need("]");
  }

  private block<R>(body: (end: string) => R): R {
    if (this.tryChar("{")) return body("}");
    if (this.tryChar("<")) return body(">");
    return this.fail('Expected "{".', this.at, false);
  }

  private mapEntry(result: Plain, field: Field, depth: number): void {
    result[field.name] ??= new Map();
    this.block(end => {
      let key: unknown = field.keyType === "string" ? "" : 0;
      let value: unknown = isMessage(field.type) ? {} : createDefault(field);
      while (!this.tryChar(end)) {
        const start = this.at;
        const part = this.take(identifier);
        if (part !== "key" && part !== "value") this.fail(`Expected "${end}".`, start, false);
        this.tryChar(":");
        if (part === "key") key = this.value(field.keyType, depth);
        else value = this.value(field.type, depth + 1);
        if (!this.tryChar(",")) this.tryChar(";");
      }
      (result[field.name] as Map<unknown, unknown>).set(key, value);
    });
  }

  private anyField(result: Plain, depth: number): void {
    this.need("[");
    const start = this.at;
    const typeUrl = this.take(anyName) ?? this.fail("Expected a type URL.");
    this.need("]");
    const name = typeUrl.slice(typeUrl.lastIndexOf("/") + 1).replace(/^tensorflow\./, "");
    if (!isMessage(name)) this.fail(`Type ${typeUrl} packed in an Any is not known.`, start, false);
    this.tryChar(":");
    const message = this.block(end => this.message(name, end, depth + 1));
    result.typeUrl = typeUrl;
    result.value = messageToBytes(name, message as MessageInit<typeof name>);
  }

  private value(type: string, depth: number): unknown {
    if (isMessage(type)) return this.block(end => this.message(type, end, depth + 1));
    if (type === "string" || type === "bytes") return this.stringValue(type);
    if (isEnumeration(type)) return this.enumerator(type);
    const start = this.at;
    const token = this.take(numberToken)?.replace(/\s/g, "");
    if (token === undefined)
      this.fail(
        type === "bool"
          ? 'Expected "true" or "false".'
          : `Couldn't parse ${isFloat(type) ? "float" : "integer"}: ${this.text[start] ?? ""}`,
        start,
      );
    if (type === "bool") return this.truth(token, start);
    return isFloat(type) ? this.float(token, type, start) : this.integer(token, type, start);
  }

  private truth(token: string, start: number): boolean {
    if (/^(?:true|t|True|1)$/.test(token)) return true;
    if (/^(?:false|f|False|0)$/.test(token)) return false;
    return this.fail('Expected "true" or "false".', start);
  }

  private enumerator(type: string): string | number {
    const start = this.at;
    const token = this.take(numberToken);
    if (token === undefined) this.fail(`Enum type "tensorflow.${type}" has no value named ${this.text[start] ?? ""}.`, start);
    if (/^-?\d/.test(token)) {
      const number = Number(this.integer(token, "int32", start));
      return [...enumerations[type]].find(([, value]) => value === number)?.[0] ?? number;
    }
    if (!enumerations[type].has(token)) this.fail(`Enum type "tensorflow.${type}" has no value named ${token}.`, start);
    return token;
  }

  private float(token: string, type: string, start: number): number {
    const word = /^(-?)(inf|infinity|nan)f?$/i.exec(token);
    const sign = token.startsWith("-") ? -1 : 1;
    if (word) return word[2].toLowerCase() === "nan" ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    const isHex = /^-?0x/i.test(token);
    const number = isHex ? sign * Number(token.replace("-", "")) : Number(token.replace(/f$/i, ""));
    if (Number.isNaN(number)) this.fail(`Couldn't parse float: ${token}`, start);
    return type === "float" ? Math.fround(number) : number;
  }

  private integer(token: string, type: string, start: number): number | bigint {
    const [, minus, digits] = /^(-?)(0[xX][0-9A-Fa-f]+|\d+)$/.exec(token) ?? [];
    if (digits === undefined) this.fail(`Couldn't parse integer: ${token}`, start);
    if (/^0\d/.test(digits) && /[89]/.test(digits)) this.fail(`Couldn't parse integer: ${token}`, start);
    // More digits than any 64-bit number has are not worth reading.
    const size = digits.length > 24 ? 2n ** 65n : BigInt(/^0\d/.test(digits) ? `0o${digits}` : digits);
    const value = minus ? -size : size;
    const [low, high] = ranges[type];
    if (value < low || value > high) this.fail(`Value out of range: ${token}`, start);
    return type === "int64" || type === "uint64" ? value : Number(value);
  }

  /** Adjacent literals are one. */
  private stringValue(type: "string" | "bytes"): string | Uint8Array {
    const start = this.at;
    const parts: Uint8Array[] = [];
    while (this.at < this.text.length) {
      stringStart.lastIndex = this.at;
      const quote = stringStart.exec(this.text)?.[0] as '"' | "'" | undefined;
      if (quote === undefined) break;
      this.literal(quote, parts);
    }
    if (this.at === start) this.fail(`Expected string but found: '${this.text[start] ?? ""}'`, start);
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let to = 0;
    for (const part of parts) {
      bytes.set(part, to);
      to += part.length;
    }
    if (type === "bytes") return bytes;
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return this.fail("A string is not valid UTF-8.", start);
    }
  }

  private literal(quote: '"' | "'", parts: Uint8Array[]): void {
    const start = this.at;
    this.at++;
    for (;;) {
      const plain = stringPart[quote];
      plain.lastIndex = this.at;
      const run = plain.exec(this.text)?.[0] ?? "";
      if (run !== "") parts.push(encodeText(run));
      this.at += run.length;
      const next = this.text[this.at];
      if (next === quote) break;
      if (next !== "\\") this.fail(`String missing ending quote: '${this.text.slice(start, this.at).slice(0, 80)}'`, start);
      parts.push(this.escape());
    }
    this.at++;
    this.skipSpace();
  }

  private escape(): Uint8Array {
    const start = this.at;
    escapeToken.lastIndex = start;
    const [whole, simple, digits, hex, short, long] = escapeToken.exec(this.text) ?? [];
    if (whole === undefined) this.fail(`A string has an escape that is not known: ${this.text.slice(start, start + 2)}`, start);
    this.at += whole.length;
    if (simple !== undefined) return new Uint8Array([simpleEscapes.get(simple) ?? simple.charCodeAt(0)]);
    if (digits !== undefined) return new Uint8Array([Number.parseInt(digits, 8) & 0xff]);
    if (hex !== undefined) return new Uint8Array([Number.parseInt(hex, 16)]);
    const point = Number.parseInt(short ?? long, 16);
    if (point > 0x10ffff) this.fail(`There is no character ${whole}`, start);
    return encodeText(String.fromCodePoint(point));
  }
}

const escapeToken = /\\(?:([abfnrtv\\'"?])|([0-7]{1,3})|[xX]([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/y;
const simpleEscapes: ReadonlyMap<string, number> = new Map([
  ["a", 7],
  ["b", 8],
  ["f", 12],
  ["n", 10],
  ["r", 13],
  ["t", 9],
  ["v", 11],
]);
const isFloat = (type: string): boolean => type === "float" || type === "double";
const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};
const createDefault = ({ type }: Field): unknown => (type === "string" ? "" : type === "bytes" ? new Uint8Array(0) : 0);
