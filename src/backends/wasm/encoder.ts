// Bytes of a WebAssembly module: LEB128 numbers, sections, and the instructions the printer uses under the specification's names.
// What the instructions are used for is in instructions.ts and printer.ts. Source: WebAssembly Core Specification 2.0 with the
// threads and relaxed SIMD proposals.

const utf8 = new TextEncoder();

/** A growing buffer of bytes with the number encodings of WebAssembly. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  bytes(values: ArrayLike<number>): void {
    this.#reserve(values.length);
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** Unsigned LEB128 of a number below 2^32. */
  u32(value: number): void {
    if (value >>> 0 < 0x80) {
      this.byte(value);
      return;
    }
    this.#reserve(5);
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Signed LEB128 of an int32. */
  s32(value: number): void {
    this.#reserve(5);
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>= 7;
    }
    this.#bytes[this.#length++] = rest & 0x7f;
  }

  /** Signed LEB128 of an int64. */
  s64(value: bigint): void {
    this.#reserve(10);
    let rest = BigInt.asIntN(64, value);
    while (rest < -64n || rest > 63n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest & 0x7fn);
  }

  f32(value: number): void {
    this.#reserve(4);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  /** A length and UTF-8 bytes. */
  name(text: string): void {
    this.sized(utf8.encode(text));
  }

  /** A length and bytes. */
  sized(values: ArrayLike<number>): void {
    this.u32(values.length);
    this.bytes(values);
  }

  /** The opcode of an instruction, with its prefix. */
  instruction(opcode: number): void {
    if (opcode < 0x100) this.byte(opcode);
    else {
      this.byte(opcode >>> 16);
      this.u32(opcode & 0xffff);
    }
  }

  /** An opcode without prefix and the number behind it. Written out, as nearly every second instruction is one of these. */
  indexed(opcode: number, index: number): void {
    const at = this.#length;
    if (index >>> 0 < 0x80 && at + 2 <= this.#bytes.length) {
      this.#bytes[at] = opcode;
      this.#bytes[at + 1] = index;
      this.#length = at + 2;
      return;
    }
    this.byte(opcode);
    this.u32(index);
  }

  /** Forgets what was written and keeps the room. */
  clear(): void {
    this.#length = 0;
  }

  /** The bytes so far. Shares memory with the writer. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + count));
    grown.set(this.finish());
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

export const sections = { custom: 0, type: 1, import: 2, function: 3, global: 6, export: 7, code: 10, data: 11 } as const;

/** Value types and the type of a block without results. */
export const valueTypes = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type WasmType = keyof typeof valueTypes;
export const emptyBlock = 0x40;

/** Appends a section: its number, its size, its content. */
export function section(module: ByteWriter, id: number, write: (content: ByteWriter) => void): void {
  const content = new ByteWriter();
  write(content);
  module.byte(id);
  module.sized(content.finish());
}

/** The bytes every module begins with: magic number and version. */
export const preamble: readonly number[] = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** Opcodes with a prefix byte are held as prefix · 65536 + number. */
export const misc = (number: number): number => 0xfc0000 + number;
export const simd = (number: number): number => 0xfd0000 + number;
export const atomic = (number: number): number => 0xfe0000 + number;

/** Instructions with a part of their own in the printer. Those that are one row of an operation stand in instructions.ts. */
export const op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  br_if: 0x0d,
  return: 0x0f,
  call: 0x10,
  select: 0x1b,
  "local.get": 0x20,
  "local.set": 0x21,
  "local.tee": 0x22,
  "global.get": 0x23,
  "global.set": 0x24,
  "i32.const": 0x41,
  "i64.const": 0x42,
  "f32.const": 0x43,
  "f64.const": 0x44,
  "i32.lt_s": 0x48,
  "i32.gt_s": 0x4a,
  "i32.add": 0x6a,
  "i32.sub": 0x6b,
  "i32.xor": 0x73,
  "i32.shr_s": 0x75,
  "i64.sub": 0x7d,
  "i64.xor": 0x85,
  "i64.shr_s": 0x87,
  "i64.extend_i32_u": 0xad,
  "memory.copy": misc(10),
  "memory.fill": misc(11),
  "v128.load": simd(0),
  "v128.load8x8_s": simd(1),
  "v128.load8x8_u": simd(2),
  "v128.load16x4_s": simd(3),
  "v128.load16x4_u": simd(4),
  "v128.load32x2_s": simd(5),
  "v128.load32x2_u": simd(6),
  "v128.load8_splat": simd(7),
  "v128.load16_splat": simd(8),
  "v128.load32_splat": simd(9),
  "v128.load64_splat": simd(10),
  "v128.store": simd(11),
  "v128.const": simd(12),
  "i8x16.shuffle": simd(13),
  "v128.and": simd(78),
  "v128.xor": simd(81),
  "v128.bitselect": simd(82),
  "v128.load8_lane": simd(84),
  "v128.load16_lane": simd(85),
  "v128.load32_lane": simd(86),
  "v128.load64_lane": simd(87),
  "v128.store8_lane": simd(88),
  "v128.store16_lane": simd(89),
  "v128.store32_lane": simd(90),
  "v128.store64_lane": simd(91),
  "v128.load32_zero": simd(92),
  "v128.load64_zero": simd(93),
  "f32x4.demote_f64x2_zero": simd(94),
  "f64x2.promote_low_f32x4": simd(95),
  "i16x8.extend_low_i8x16_s": simd(135),
  "i16x8.extend_low_i8x16_u": simd(137),
  "i32x4.extend_low_i16x8_s": simd(167),
  "i32x4.extend_low_i16x8_u": simd(169),
  "i64x2.gt_s": simd(217),
  "f32x4.relaxed_madd": simd(0x105),
  "f32x4.relaxed_nmadd": simd(0x106),
  "f64x2.relaxed_madd": simd(0x107),
  "f64x2.relaxed_nmadd": simd(0x108),
  "memory.atomic.notify": atomic(0x00),
  "memory.atomic.wait32": atomic(0x01),
  "i32.atomic.load": atomic(0x10),
  "i32.atomic.store": atomic(0x17),
  "i32.atomic.rmw.add": atomic(0x1e),
  "i32.atomic.rmw.xchg": atomic(0x41),
  "i32.atomic.rmw.cmpxchg": atomic(0x48),
} as const;
