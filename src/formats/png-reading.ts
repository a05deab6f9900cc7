// PNG pictures, reading: all colour types, depths and interlacing of the W3C's PNG specification, third edition. Samples come out as they are
// stored, one number each, 1 to 4 a pixel; palettes and transparent colours are resolved.

import { InvalidArgumentError } from "../base/errors.ts";
import { joinBytes } from "../base/files.ts";
import { unzlib } from "./inflate.ts";
import { crc32 } from "./png.ts";

/** Rows from the top; samples of 8 bits, or of 16 where the file has so many. */
export interface DeepPixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly bits: 8 | 16;
  readonly data: Uint16Array;
}

const channelsOf: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

interface Header {
  readonly width: number;
  readonly height: number;
  readonly depth: number;
  readonly colour: number;
  readonly isInterlaced: boolean;
}

/** What is wrong with a file that began well. */
class Damage extends Error {}
const bad = (why: string): Damage => new Damage(why);

/** @throws InvalidArgumentError for files that are damaged. */
export const pixelsFromPng = (bytes: Uint8Array): Promise<DeepPixels> =>
  decoded(bytes).catch((error: unknown) => {
    throw error instanceof Damage ? new InvalidArgumentError(`Invalid PNG data, size ${bytes.length}\n\n${error.message}`) : error;
  });

async function decoded(bytes: Uint8Array): Promise<DeepPixels> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: Header | undefined;
  let palette: Uint8Array | undefined;
  let transparency: Uint8Array | undefined;
  const pieces: Uint8Array[] = [];
  let [hasBegun, hasEnded] = [false, false];
  const refused = (why: string): Error =>
    hasBegun ? bad(why) : new InvalidArgumentError(`Invalid PNG. Failed to initialize decoder.\n\n${why}`);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    hasBegun ||= header !== undefined && name === "IDAT";
    if (length > bytes.length - at - 12) break;
    const content = bytes.subarray(at + 8, at + 8 + length);
    const isWhole = crc32(bytes.subarray(at + 4, at + 8 + length)) === view.getUint32(at + 8 + length);
    // A capital letter: no picture without it. Others are left out.
    if (!isWhole && name[0] <= "Z") throw refused(`The checksum of ${name} is wrong.`);
    if (!isWhole) {
      at += 12 + length;
      continue;
    }
    hasEnded = name === "IEND";
    if (name === "IHDR") header = headerOf(content);
    else if (name === "PLTE") palette = content;
    else if (name === "tRNS") transparency = content;
    else if (name === "IDAT") pieces.push(content);
    else if (hasEnded) break;
    at += 12 + length;
  }
  if (!header || pieces.length === 0) throw refused("It has no header, or no data.");
  const raw = await unzlib(joinBytes(pieces)).catch(() => {
    throw bad("Its compressed data is damaged.");
  });
  if (!hasEnded) throw bad("It has no end.");
  const samples = samplesOf(raw, header);
  return resolved(samples, header, palette, transparency);
}

function headerOf(content: Uint8Array): Header {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  if (content.length !== 13) throw new InvalidArgumentError("Invalid PNG. Failed to initialize decoder.");
  const header = {
    width: view.getUint32(0),
    height: view.getUint32(4),
    depth: content[8],
    colour: content[9],
    isInterlaced: content[12] === 1,
  };
  const isKnown = header.colour in channelsOf && [1, 2, 4, 8, 16].includes(header.depth);
  if (!isKnown || header.width === 0 || header.height === 0 || header.width * header.height > 2 ** 27)
    throw new InvalidArgumentError("Invalid PNG. Failed to initialize decoder.");
  return header;
}

/** The seven passes of an interlaced picture: first column and row, steps. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

function samplesOf(raw: Uint8Array, { width, height, depth, colour, isInterlaced }: Header): Uint16Array {
  const channels = channelsOf[colour];
  const parts = (isInterlaced ? passes : ([[0, 0, 1, 1]] as const)).map(([x0, y0, dx, dy]) => {
    const [columns, rows] = [Math.ceil((width - x0) / dx), Math.ceil((height - y0) / dy)];
    return { x0, y0, dx, dy, columns, rows: columns > 0 ? Math.max(rows, 0) : 0, rowBytes: Math.ceil((columns * channels * depth) / 8) };
  });
  // Before there is room for what the header says, the data for it is there.
  if (parts.reduce((sum, { rows, rowBytes }) => sum + rows * (1 + rowBytes), 0) > raw.length) throw bad("Its data ends early.");
  const out = new Uint16Array(width * height * channels);
  const step = Math.max(1, (channels * depth) >> 3);
  let at = 0;
  for (const { x0, y0, dx, dy, columns, rows, rowBytes } of parts) {
    if (rows === 0) continue;
    let before = new Uint8Array(rowBytes);
    for (let y = 0; y < rows; y++) {
      const row = unfiltered(raw[at], raw.slice(at + 1, at + 1 + rowBytes), before, step);
      at += 1 + rowBytes;
      before = row;
      for (let k = 0; k < columns * channels; k++) {
        const [x, channel] = [x0 + Math.floor(k / channels) * dx, k % channels];
        out[((y0 + y * dy) * width + x) * channels + channel] = sampleAt(row, k, depth);
      }
    }
  }
  return out;
}

function sampleAt(row: Uint8Array, k: number, depth: number): number {
  if (depth === 8) return row[k];
  if (depth === 16) return (row[2 * k] << 8) | row[2 * k + 1];
  const bit = k * depth;
  return (row[bit >> 3] >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
}

function unfiltered(filter: number, row: Uint8Array, above: Uint8Array, step: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(row.length);
  for (let i = 0; i < row.length; i++) {
    const left = i >= step ? out[i - step] : 0;
    const corner = i >= step ? above[i - step] : 0;
    out[i] = row[i] + predicted(filter, left, above[i], corner);
  }
  return out;
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4: {
      const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
      return a <= b && a <= c ? left : b <= c ? up : corner;
    }
    default:
      throw bad(`Filter ${filter} does not exist.`);
  }
}

/** Palette entries and transparent colours as channels; depths below 8 spread over 8 bits. */
function resolved(
  samples: Uint16Array,
  { width, height, depth, colour }: Header,
  palette?: Uint8Array,
  transparency?: Uint8Array,
): DeepPixels {
  const bits = depth === 16 ? 16 : 8;
  const count = width * height;
  const make = (channels: number, of: (pixel: number, channel: number) => number): DeepPixels => ({
    width,
    height,
    channels,
    bits,
    data: Uint16Array.from({ length: count * channels }, (_, k) => of(Math.floor(k / channels), k % channels)),
  });
  if (colour === 3) {
    if (!palette) throw bad("Its palette is missing.");
    return make(transparency ? 4 : 3, (pixel, channel) =>
      channel < 3 ? (palette[3 * samples[pixel] + channel] ?? 0) : (transparency?.[samples[pixel]] ?? 255),
    );
  }
  const spread = depth < 8 ? 255 / ((1 << depth) - 1) : 1;
  const channels = channelsOf[colour];
  if (!transparency || colour > 2) return make(channels, (pixel, channel) => samples[pixel * channels + channel] * spread);
  const clear = Array.from({ length: channels }, (_, k) => (transparency[2 * k] << 8) | transparency[2 * k + 1]);
  const most = bits === 16 ? 65535 : 255;
  return make(channels + 1, (pixel, channel) =>
    channel < channels
      ? samples[pixel * channels + channel] * spread
      : clear.every((value, k) => samples[pixel * channels + k] === value)
        ? 0
        : most,
  );
}
