// DEFLATE in zlib's and gzip's wrappers (RFC 1950 to 1952), for streams that end early or have more behind: what platforms refuse, and TensorFlow, which asks
// zlib for as many bytes as there are, does not. Whole streams are inflate.ts's. Errors are zlib's.

import { adler32, lengthBases } from "./deflate.ts";
import { crc32 } from "./png.ts";

/** A stream that zlib refuses. */
export class InflateError extends Error {}

/** The bytes have come to their end. */
class Ended extends Error {}

class BitReader {
  private readonly bytes: Uint8Array;
  private at: number;
  private held = 0;
  private count = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }
  byte(): number {
    if (this.isAtEnd) throw new Ended();
    return this.bytes[this.at++];
  }
  /** The next bits, the first of them lowest. */
  bits(n: number): number {
    for (; this.count < n; this.count += 8) this.held |= this.byte() << this.count;
    const value = this.held & ((1 << n) - 1);
    this.held >>>= n;
    this.count -= n;
    return value;
  }
  /** On to the next whole byte. */
  align(): void {
    this.held = 0;
    this.count = 0;
  }
  littleEndian(bytes: number): number {
    let value = 0;
    for (let k = 0; k < bytes; k++) value += this.byte() * 2 ** (8 * k);
    return value;
  }
}

const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** A canonical code: how many words have each length, and the symbols in the order of their words. */
interface Code {
  readonly counts: Uint16Array;
  readonly symbols: readonly number[];
}

/** @throws InflateError where the lengths make no code; one that is not complete may have a single word of one bit. */
function codeOf(lengths: readonly number[], refusal: string): Code {
  const counts = new Uint16Array(16);
  for (const length of lengths) counts[length]++;
  let left = 1;
  for (let length = 1; length < 16; length++) left = 2 * left - counts[length];
  const used = lengths.length - counts[0];
  if (left < 0 || (left > 0 && used > 0 && !(used === 1 && counts[1] === 1))) throw new InflateError(refusal);
  counts[0] = 0;
  const symbols = lengths.map((length, symbol) => ({ length, symbol })).filter(({ length }) => length > 0);
  return { counts, symbols: symbols.sort((a, b) => a.length - b.length).map(({ symbol }) => symbol) };
}

/** @throws InflateError for bits that are no word */
function symbolOf(reader: BitReader, { counts, symbols }: Code, refusal: string): number {
  let [word, first, index] = [0, 0, 0];
  for (let length = 1; length < 16; length++) {
    word |= reader.bits(1);
    if (word - first < counts[length]) return symbols[index + word - first];
    index += counts[length];
    first = (first + counts[length]) << 1;
    word <<= 1;
  }
  throw new InflateError(refusal);
}

const fixedLengths = Array.from({ length: 288 }, (_, k) => (k < 144 ? 8 : k < 256 ? 9 : k < 280 ? 7 : 8));

function readCodes(reader: BitReader): { literals: Code; distances: Code } {
  const [literals, distances, given] = [reader.bits(5) + 257, reader.bits(5) + 1, reader.bits(4) + 4];
  if (literals > 286 || distances > 30) throw new InflateError("too many length or distance symbols");
  const ofLengths = Array<number>(19).fill(0);
  for (const place of lengthOrder.slice(0, given)) ofLengths[place] = reader.bits(3);
  const code = codeOf(ofLengths, "invalid code lengths set");
  const lengths: number[] = [];
  while (lengths.length < literals + distances) {
    const symbol = symbolOf(reader, code, "invalid code lengths set");
    if (symbol < 16) lengths.push(symbol);
    else {
      const previous = lengths.at(-1);
      if (symbol === 16 && previous === undefined) throw new InflateError("invalid bit length repeat");
      const times = symbol === 16 ? 3 + reader.bits(2) : symbol === 17 ? 3 + reader.bits(3) : 11 + reader.bits(7);
      if (lengths.length + times > literals + distances) throw new InflateError("invalid bit length repeat");
      for (let k = 0; k < times; k++) lengths.push(symbol === 16 ? (previous as number) : 0);
    }
  }
  if (lengths[256] === 0) throw new InflateError("invalid code -- missing end-of-block");
  return {
    literals: codeOf(lengths.slice(0, literals), "invalid literal/lengths set"),
    distances: codeOf(lengths.slice(literals), "invalid distances set"),
  };
}

function readBlocks(reader: BitReader, out: number[], from: number): void {
  for (let isLast = false; !isLast; ) {
    isLast = reader.bits(1) === 1;
    const kind = reader.bits(2);
    if (kind === 3) throw new InflateError("invalid block type");
    if (kind === 0) {
      reader.align();
      const length = reader.littleEndian(2);
      if (reader.littleEndian(2) !== 0xffff - length) throw new InflateError("invalid stored block lengths");
      for (let k = 0; k < length; k++) out.push(reader.byte());
      continue;
    }
    const { literals, distances } =
      kind === 2 ? readCodes(reader) : { literals: codeOf(fixedLengths, ""), distances: codeOf(Array<number>(32).fill(5), "") };
    for (;;) {
      const symbol = symbolOf(reader, literals, "invalid literal/length code");
      if (symbol === 256) break;
      if (symbol < 256) {
        out.push(symbol);
        continue;
      }
      const place = symbol - 257;
      if (place >= lengthBases.length) throw new InflateError("invalid literal/length code");
      const length = lengthBases[place] + reader.bits(place < 8 || place === 28 ? 0 : (place >> 2) - 1);
      const far = symbolOf(reader, distances, "invalid distance code");
      if (far > 29) throw new InflateError("invalid distance code");
      const extra = far < 2 ? 0 : (far >> 1) - 1;
      const distance = 1 + (far < 4 ? far : (2 + (far & 1)) << extra) + reader.bits(extra);
      if (distance > out.length - from) throw new InflateError("invalid distance too far back");
      for (let k = 0; k < length; k++) out.push(out[out.length - distance]);
    }
  }
  reader.align();
}

function readZlib(reader: BitReader, out: number[]): void {
  const [method, flags] = [reader.byte(), reader.byte()];
  if ((method * 256 + flags) % 31 !== 0) throw new InflateError("incorrect header check");
  if ((method & 15) !== 8) throw new InflateError("unknown compression method");
  if (method >> 4 > 7) throw new InflateError("invalid window size");
  readBlocks(reader, out, 0);
  const sum = adler32(out);
  for (const shift of [24, 16, 8, 0]) if (reader.byte() !== ((sum >>> shift) & 255)) throw new InflateError("incorrect data check");
}

function readGzip(reader: BitReader, out: number[]): void {
  if (reader.littleEndian(2) !== 0x8b1f) throw new InflateError("incorrect header check");
  if (reader.byte() !== 8) throw new InflateError("unknown compression method");
  const flags = reader.byte();
  if (flags & 0xe0) throw new InflateError("unknown header flags set");
  reader.littleEndian(6);
  if (flags & 4) for (let left = reader.littleEndian(2); left > 0; left--) reader.byte();
  for (const flag of [8, 16]) if (flags & flag) while (reader.byte() !== 0);
  if (flags & 2) reader.littleEndian(2);
  const from = out.length;
  readBlocks(reader, out, from);
  const sum = reader.littleEndian(4);
  if (sum !== crc32(out.slice(from))) throw new InflateError("incorrect data check");
  if (reader.littleEndian(4) !== (out.length - from) % 2 ** 32) throw new InflateError("incorrect length check");
}

/** As many bytes as there are in a stream that ends early or has more behind; gzip streams may follow each other. @throws InflateError for what is damaged */
export function inflateRest(bytes: Uint8Array, format: "deflate" | "gzip"): Uint8Array {
  const reader = new BitReader(bytes, 0);
  const out: number[] = [];
  try {
    if (format === "deflate") readZlib(reader, out);
    else while (!reader.isAtEnd) readGzip(reader, out);
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
  }
  return Uint8Array.from(out);
}
