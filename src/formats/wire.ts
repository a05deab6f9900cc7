// The protobuf wire format: varints, fixed-size numbers, length-delimited pieces. Knows no message.
// The reader trusts no length before it has the bytes; every complaint names its offset.

import { DataLossError } from "../base/errors.ts";

export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

const twoWords = new Int32Array(2);
const oneVarint = new BigUint64Array(twoWords.buffer);

/** Reads a buffer from `offset` up to `end`. */
export class WireReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  offset: number;
  /** The message being read, for errors. */
  private readonly what: string;
  private readonly view: DataView;

  constructor(bytes: Uint8Array, what: string, offset = 0, end = bytes.length, view?: DataView) {
    this.bytes = bytes;
    this.what = what;
    this.offset = offset;
    this.end = end;
    this.view = view ?? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.offset >= this.end;
  }

  fail(reason: string, offset = this.offset): never {
    throw new DataLossError(
      `Error parsing message with type 'tensorflow.${this.what}': Wire format was corrupt\n\nAt byte ${offset}: ${reason}. The file is damaged, cut off, or of another kind.`,
    );
  }

  private need(count: number): void {
    if (count > this.end - this.offset) this.fail(`${count} bytes are announced, ${this.end - this.offset} are left`);
  }

  /** A varint of one byte, as most are; of more, -1, and nothing is read. */
  private shortVarint(): number {
    const byte = this.offset < this.end ? this.bytes[this.offset] : 128;
    if (byte >= 128) return -1;
    this.offset++;
    return byte;
  }

  /** The next field's number and wire type. */
  tag(): { number: number; wire: number } {
    const start = this.offset;
    const short = this.shortVarint();
    const tag = short >= 0 ? short : Number(this.varint());
    const number = Math.floor(tag / 8);
    if (number === 0 || number > 0x1fffffff) this.fail(`${number} is no field number`, start);
    return { number, wire: tag % 8 };
  }

  /** An unsigned 64-bit varint. */
  varint(): bigint {
    this.varintWords(twoWords, 0);
    return oneVarint[0];
  }

  /** A varint as two words of 32 bits, the low one first, put at place `at` of `words`. */
  varintWords(words: Int32Array, at: number): void {
    let low = 0;
    let high = 0;
    for (let i = 0; i < 10; i++) {
      this.need(1);
      const byte = this.bytes[this.offset++];
      const bits = byte & 0x7f;
      if (i < 5) low |= bits << (7 * i);
      if (i > 4) high |= bits << (7 * i - 32);
      else if (i === 4) high = bits >> 4;
      if (byte < 0x80) {
        words[at] = low;
        words[at + 1] = high;
        return;
      }
    }
    this.fail("a varint is longer than ten bytes");
  }

  /** A length, checked against what is left. */
  length(): number {
    const start = this.offset;
    const short = this.shortVarint();
    const length = short >= 0 ? short : this.varint();
    if (length > this.end - this.offset) this.fail(`${length} bytes are announced, ${this.end - this.offset} are left`, start);
    return Number(length);
  }

  /** A reader of the next so many bytes, which this one passes over. */
  part(length: number, what: string): WireReader {
    const start = this.offset;
    this.offset += length;
    return new WireReader(this.bytes, what, start, this.offset, this.view);
  }

  float(): number {
    this.need(4);
    this.offset += 4;
    return this.view.getFloat32(this.offset - 4, true);
  }

  fixed32(): number {
    this.need(4);
    this.offset += 4;
    return this.view.getUint32(this.offset - 4, true);
  }

  double(): number {
    this.need(8);
    this.offset += 8;
    return this.view.getFloat64(this.offset - 8, true);
  }

  /** The next length-delimited piece: a view, not a copy. */
  piece(): Uint8Array {
    const length = this.length();
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }

  /** All that is left: a view, not a copy. */
  rest(): Uint8Array {
    const start = this.offset;
    this.offset = this.end;
    return this.bytes.subarray(start, this.end);
  }

  /** Steps over a field of any kind. */
  skip(wire: number): void {
    if (wire === wireTypes.varint) this.varint();
    else if (wire === wireTypes.fixed64) this.move(8);
    else if (wire === wireTypes.bytes) this.move(this.length());
    else if (wire === wireTypes.fixed32) this.move(4);
    else this.fail(`wire type ${wire} is not used by proto3`);
  }

  private move(count: number): void {
    this.need(count);
    this.offset += count;
  }
}

/** A reader of a field's message, or of another piece, which `reader` passes over. */
export function pieceReader(reader: WireReader, wire: number, what: string): WireReader {
  if (wire !== wireTypes.bytes) reader.fail(`wire type ${wire} where ${what} is expected`);
  return reader.part(reader.length(), what);
}

/** Goes through the fields of a message; a field of which `read` says false is stepped over. */
export function eachField(reader: WireReader, read: (number: number, wire: number) => boolean): void {
  while (!reader.isAtEnd) {
    const { number, wire } = reader.tag();
    if (!read(number, wire)) reader.skip(wire);
  }
}

/** A growing buffer of wire-format bytes. */
export class WireWriter {
  private buffer = new Uint8Array(256);
  private view = new DataView(this.buffer.buffer);
  private used = 0;

  /** What was written so far; the writer may go on. */
  finish(): Uint8Array {
    return this.buffer.slice(0, this.used);
  }

  private room(count: number): number {
    const start = this.used;
    this.used += count;
    if (this.used > this.buffer.length) {
      const larger = new Uint8Array(Math.max(this.used, 2 * this.buffer.length));
      larger.set(this.buffer.subarray(0, start));
      this.buffer = larger;
      this.view = new DataView(larger.buffer);
    }
    return start;
  }

  private byte(value: number): void {
    // Making room may replace the buffer, so it comes first.
    const at = this.room(1);
    this.buffer[at] = value;
  }

  tag(number: number, wire: number): void {
    this.varint(BigInt(number * 8 + wire));
  }

  /** Negative numbers take ten bytes, as in two's complement of 64 bits. */
  varint(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 0x80n; rest >>= 7n) this.byte(Number(rest & 0x7fn) | 0x80);
    this.byte(Number(rest));
  }

  float(value: number): void {
    const at = this.room(4);
    this.view.setFloat32(at, value, true);
  }

  fixed32(value: number): void {
    const at = this.room(4);
    this.view.setUint32(at, value, true);
  }

  double(value: number): void {
    const at = this.room(8);
    this.view.setFloat64(at, value, true);
  }

  /** A field of bytes, text or a message. */
  field(number: number, bytes: Uint8Array): void {
    this.tag(number, wireTypes.bytes);
    this.piece(bytes);
  }

  piece(bytes: Uint8Array): void {
    this.varint(BigInt(bytes.length));
    const at = this.room(bytes.length);
    this.buffer.set(bytes, at);
  }
}

/** The bytes that `write` writes. */
export function written(write: (to: WireWriter) => void): Uint8Array {
  const to = new WireWriter();
  write(to);
  return to.finish();
}
