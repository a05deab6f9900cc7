// Deflate (RFC 1951) with fixed codes, in a zlib frame (RFC 1950): compression that does not have to be waited for, for pictures made within a
// run. Files that may be waited for are compressed by the platform.

const windowBytes = 32_768;
const hashBits = 15;
/** How many earlier places with the same three bytes are tried. */
const mostTried = 16;
const longest = 258;

export const lengthBases: readonly number[] = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const lengthExtra = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0] as const;
const distanceBases = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385,
  24577,
] as const;

/** Bits, the lowest of each byte first. */
class BitWriter {
  private bytes = new Uint8Array(1024);
  private used = 0;
  private held = 0;
  private heldBits = 0;

  bits(value: number, count: number): void {
    this.held |= value << this.heldBits;
    this.heldBits += count;
    while (this.heldBits >= 8) {
      this.byte(this.held & 255);
      this.held >>>= 8;
      this.heldBits -= 8;
    }
  }

  /** A Huffman code: its highest bit first. */
  code(value: number, count: number): void {
    let turned = 0;
    for (let i = 0; i < count; i++) turned |= ((value >>> i) & 1) << (count - 1 - i);
    this.bits(turned, count);
  }

  align(): void {
    if (this.heldBits > 0) this.bits(0, 8 - this.heldBits);
  }

  byte(value: number): void {
    if (this.used === this.bytes.length) {
      const larger = new Uint8Array(2 * this.used);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[this.used++] = value;
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.used);
  }
}

function literal(out: BitWriter, symbol: number): void {
  if (symbol < 144) out.code(0x30 + symbol, 8);
  else if (symbol < 256) out.code(0x190 + symbol - 144, 9);
  else if (symbol < 280) out.code(symbol - 256, 7);
  else out.code(0xc0 + symbol - 280, 8);
}

const baseIndex = (bases: readonly number[], value: number): number => {
  let at = bases.length - 1;
  while (bases[at] > value) at--;
  return at;
};

function copy(out: BitWriter, length: number, distance: number): void {
  const l = baseIndex(lengthBases, length);
  literal(out, 257 + l);
  out.bits(length - lengthBases[l], lengthExtra[l]);
  const d = baseIndex(distanceBases, distance);
  out.code(d, 5);
  out.bits(distance - distanceBases[d], d < 4 ? 0 : (d >> 1) - 1);
}

/** The bytes compressed, in zlib's frame. */
export function deflateNow(bytes: Uint8Array): Uint8Array {
  const out = new BitWriter();
  out.byte(0x78);
  out.byte(0x9c);
  out.bits(1, 1);
  out.bits(1, 2);
  const heads = new Int32Array(1 << hashBits).fill(-1);
  const previous = new Int32Array(windowBytes).fill(-1);
  const hash = (at: number): number => (((bytes[at] << 10) ^ (bytes[at + 1] << 5) ^ bytes[at + 2]) * 0x9e3b) & ((1 << hashBits) - 1);
  const enter = (at: number): void => {
    if (at + 2 >= bytes.length) return;
    const key = hash(at);
    previous[at % windowBytes] = heads[key];
    heads[key] = at;
  };
  for (let at = 0; at < bytes.length; ) {
    let [length, distance] = [0, 0];
    if (at + 2 < bytes.length) {
      let from = heads[hash(at)];
      for (let tried = 0; tried < mostTried && from >= 0 && at - from <= windowBytes; tried++) {
        let same = 0;
        while (same < longest && at + same < bytes.length && bytes[from + same] === bytes[at + same]) same++;
        if (same > length) [length, distance] = [same, at - from];
        const next = previous[from % windowBytes];
        if (next >= from) break;
        from = next;
      }
    }
    const step = length >= 3 ? length : 1;
    if (length >= 3) copy(out, length, distance);
    else literal(out, bytes[at]);
    for (let i = 0; i < step; i++) enter(at + i);
    at += step;
  }
  literal(out, 256);
  out.align();
  const sum = adler32(bytes);
  for (let shift = 24; shift >= 0; shift -= 8) out.byte((sum >>> shift) & 255);
  return out.finish();
}

/** The checksum of zlib. */
export function adler32(bytes: Iterable<number>): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return ((b << 16) | a) >>> 0;
}
