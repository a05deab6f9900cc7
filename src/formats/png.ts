// PNG pictures, writing: 8 or 16 bits a channel, 1 to 4 channels. Format: the W3C's PNG specification, third edition.

import { deflateNow } from "./deflate.ts";

/** Rows from the top; a pixel is grey, grey and alpha, red green blue, or these and alpha. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** The same with samples of 8 or of 16 bits. */
export interface WidePixels extends Omit<Pixels, "data"> {
  readonly data: Uint8Array | Uint16Array;
}

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const colourTypes = [0, 4, 2, 6];

/** The bytes of a PNG file. */
export function pngFromPixels({ width, height, channels, data: samples }: WidePixels): Uint8Array {
  const isWide = samples instanceof Uint16Array;
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([isWide ? 16 : 8, colourTypes[channels - 1], 0, 0, 0], 8);
  const data = isWide ? highFirst(samples) : samples;
  const rowBytes = width * channels * (isWide ? 2 : 1);
  // Each row begins with its filter: "up" where there is a row above, of which most pictures differ little.
  const rows = new Uint8Array((rowBytes + 1) * height);
  for (let y = 0; y < height; y++) {
    const at = y * (rowBytes + 1);
    rows[at] = y === 0 ? 0 : 2;
    for (let x = 0; x < rowBytes; x++) rows[at + 1 + x] = data[y * rowBytes + x] - (y === 0 ? 0 : data[(y - 1) * rowBytes + x]);
  }
  const pieces = [Uint8Array.from(signature), chunk("IHDR", header), chunk("IDAT", deflateNow(rows)), chunk("IEND", new Uint8Array(0))];
  const result = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}

const highFirst = (samples: Uint16Array): Uint8Array =>
  Uint8Array.from({ length: 2 * samples.length }, (_, i) => samples[i >> 1] >> (i % 2 === 0 ? 8 : 0));

function chunk(name: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = name.charCodeAt(i);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}

let table: Uint32Array | undefined;

/** The checksum of PNG and gzip. */
export function crc32(bytes: Iterable<number>): number {
  table ??= Uint32Array.from({ length: 256 }, (_, i) => {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
  let crc = ~0;
  for (const byte of bytes) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}
