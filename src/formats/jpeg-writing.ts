// JPEG pictures, writing: gray, or YCbCr with or without fewer samples of color, sequential or progressive, with the codes of annex K or the best ones.
// The files are libjpeg-turbo's to the byte, as TensorFlow asks it: its tables for a quality, its scans, its choice among equal codes.

import { forwardTransform } from "./jpeg-dct.ts";
import { annexAcCodes, annexDcCodes, annexQuantization, type CodeLengths, marker, zigzag } from "./jpeg-tables.ts";
import type { Pixels } from "./png.ts";

export interface JpegStyle {
  /** From 1 to 100; 95. */
  readonly quality?: number;
  readonly isProgressive?: boolean;
  /** Codes made for this picture. */
  readonly isCompact?: boolean;
  /** A quarter of the samples for colors; true. */
  readonly isSubsampled?: boolean;
  /** 1: dots per inch, 2: per centimeter. */
  readonly densityUnit?: number;
  readonly density?: readonly [x: number, y: number];
  /** A description in Adobe's XMP. */
  readonly xmp?: Uint8Array | undefined;
}

/** The bytes of a JPEG file of pixels with 1 or 3 channels. */
export function jpegFromPixels(pixels: Pixels, style: JpegStyle = {}): Uint8Array {
  const { quality = 95, isProgressive = false, isCompact = false, isSubsampled = true } = style;
  const out = new ByteWriter();
  const colors = colorsOf(pixels, isSubsampled, quality);
  writeHead(out, style);
  const tables = colors.length === 1 ? 1 : 2;
  for (let table = 0; table < tables; table++) {
    out.segment(marker.DQT, [table, ...Array.from(zigzag.subarray(0, 64), at => quantizationFor(table, quality)[at])]);
  }
  const { width, height } = pixels;
  const parts = colors.flatMap(({ id, across, down, table }) => [id, 16 * across + down, table]);
  out.segment(isProgressive ? marker.SOF2 : marker.SOF0, [8, ...word(height), ...word(width), colors.length, ...parts]);
  if (isProgressive) for (const scan of progression(colors)) writeScan(out, scan, true);
  else writeScan(out, { colors, from: 0, to: 63, high: 0, low: 0, isSequential: true }, isCompact);
  out.bytes(0xff, marker.EOI);
  return out.finish();
}

const word = (x: number): [number, number] => [(x >> 8) & 255, x & 255];
const letters = (text: string): number[] => Array.from(text, letter => letter.charCodeAt(0));

function writeHead(out: ByteWriter, { densityUnit = 1, density: [x, y] = [300, 300], xmp }: JpegStyle): void {
  out.bytes(0xff, marker.SOI);
  out.segment(marker.APP0, [...letters("JFIF\0"), 1, 1, densityUnit & 255, ...word(x), ...word(y), 0, 0]);
  if (xmp && xmp.length > 0) out.segment(marker.APP1, [...letters("http://ns.adobe.com/xap/1.0/\0"), ...xmp]);
}

/** Annex K's factors for another quality, row by row. */
function quantizationFor(table: number, quality: number): number[] {
  const q = Math.min(Math.max(quality, 1), 100);
  const percent = q < 50 ? Math.floor(5000 / q) : 200 - 2 * q;
  return annexQuantization[table].map(factor => Math.min(Math.max(Math.floor((factor * percent + 50) / 100), 1), 255));
}

// ---- bytes and bits ----

class ByteWriter {
  private buffer = new Uint8Array(4096);
  private used = 0;
  private held = 0;
  private heldBits = 0;

  bytes(...values: readonly number[]): void {
    for (const value of values) this.byte(value);
  }

  private byte(value: number): void {
    if (this.used === this.buffer.length) {
      const larger = new Uint8Array(2 * this.used);
      larger.set(this.buffer);
      this.buffer = larger;
    }
    this.buffer[this.used++] = value;
  }

  segment(code: number, content: readonly number[]): void {
    this.bytes(0xff, code, ...word(content.length + 2));
    for (const value of content) this.byte(value);
  }

  /** Up to 16 bits of a scan, the highest first. */
  bits(value: number, count: number): void {
    this.held = (this.held << count) | (value & ((1 << count) - 1));
    this.heldBits += count;
    while (this.heldBits >= 8) {
      this.heldBits -= 8;
      const byte = (this.held >> this.heldBits) & 255;
      this.byte(byte);
      if (byte === 0xff) this.byte(0);
    }
    this.held &= 255;
  }

  /** Fills the last byte of a scan with ones. */
  align(): void {
    if (this.heldBits > 0) this.bits(0x7f, 8 - this.heldBits);
  }

  finish(): Uint8Array {
    return this.buffer.slice(0, this.used);
  }
}

// ---- pixels to coefficients ----

interface Color {
  readonly id: number;
  readonly across: number;
  readonly down: number;
  /** 0: luminance, 1: chrominance. */
  readonly table: 0 | 1;
  readonly blocksWide: number;
  readonly blocksHigh: number;
  /** Whole units: blocks of a row, and rows. */
  readonly stride: number;
  readonly rows: number;
  /** Quantized, in zigzag order. */
  readonly coefficients: Int16Array;
}

const fixed = (x: number): number => Math.floor(x * 65536 + 0.5);
const half = 1 << 15;
const center = 128 << 16;

/** Luminance and two differences, as planes. */
function planesOf({ width, height, channels, data }: Pixels): Uint8Array[] {
  if (channels === 1) return [data];
  const planes = [0, 1, 2].map(() => new Uint8Array(width * height));
  const [luminance, blue, red] = planes;
  for (let i = 0; i < width * height; i++) {
    const [r, g, b] = [data[3 * i], data[3 * i + 1], data[3 * i + 2]];
    luminance[i] = (fixed(0.299) * r + fixed(0.587) * g + fixed(0.114) * b + half) >> 16;
    blue[i] = (fixed(0.5) * b - fixed(0.168735892) * r - fixed(0.331264108) * g + center + half - 1) >> 16;
    red[i] = (fixed(0.5) * r - fixed(0.418687589) * g - fixed(0.081312411) * b + center + half - 1) >> 16;
  }
  return planes;
}

function colorsOf(pixels: Pixels, isSubsampled: boolean, quality: number): Color[] {
  const { width, height, channels } = pixels;
  const unit = channels === 3 && isSubsampled ? 2 : 1;
  const [unitsWide, unitsHigh] = [Math.ceil(width / (8 * unit)), Math.ceil(height / (8 * unit))];
  return planesOf(pixels).map((plane, i) => {
    const side = i === 0 ? unit : 1;
    const shrink = unit / side;
    const [blocksWide, blocksHigh] = [Math.ceil(width / (8 * shrink)), Math.ceil(height / (8 * shrink))];
    const stride = unitsWide * side;
    const rows = unitsHigh * side;
    const table = i === 0 ? 0 : 1;
    const coefficients = new Int16Array(64 * stride * rows);
    const color: Color = { id: i + 1, across: side, down: side, table, blocksWide, blocksHigh, stride, rows, coefficients };
    const factors = quantizationFor(table, quality);
    const block = new Int32Array(64);
    for (let y = 0; y < blocksHigh; y++)
      for (let x = 0; x < blocksWide; x++) {
        fillBlock(block, plane, width, height, x, y, shrink);
        forwardTransform(block);
        for (let k = 0; k < 64; k++) {
          const factor = 8 * factors[zigzag[k]];
          const value = block[zigzag[k]];
          const magnitude = Math.floor((Math.abs(value) + (factor >> 1)) / factor);
          coefficients[64 * (y * stride + x) + k] = value < 0 ? -magnitude : magnitude;
        }
      }
    padUnits(color);
    return color;
  });
}

/** 64 samples around 0. Beyond the right edge are its pixels, below the bottom its samples. Means of four are rounded down and up in turn. */
function fillBlock(block: Int32Array, plane: Uint8Array, width: number, height: number, x: number, y: number, shrink: number): void {
  for (let row = 0; row < 8; row++)
    for (let column = 0; column < 8; column++) {
      const [px, py] = [(8 * x + column) * shrink, Math.min(8 * y + row, Math.ceil(height / shrink) - 1) * shrink];
      let sample: number;
      if (shrink === 1) sample = plane[Math.min(py, height - 1) * width + Math.min(px, width - 1)];
      else {
        const [top, bottom] = [Math.min(py, height - 1) * width, Math.min(py + 1, height - 1) * width];
        const [left, right] = [Math.min(px, width - 1), Math.min(px + 1, width - 1)];
        sample = (plane[top + left] + plane[top + right] + plane[bottom + left] + plane[bottom + right] + 1 + (column & 1)) >> 2;
      }
      block[8 * row + column] = sample - 128;
    }
}

/** Blocks that only fill up a unit have the mean of the block before them, and below the picture that of the last block of the unit above. */
function padUnits({ across, blocksWide, blocksHigh, stride, rows, coefficients }: Color): void {
  for (let y = 0; y < blocksHigh; y++)
    for (let x = blocksWide; x < stride; x++) coefficients[64 * (y * stride + x)] = coefficients[64 * (y * stride + x - 1)];
  for (let y = blocksHigh; y < rows; y++)
    for (let x = 0; x < stride; x++) {
      const last = x - (x % across) + across - 1;
      coefficients[64 * (y * stride + x)] = coefficients[64 * ((y - 1) * stride + last)];
    }
}

// ---- scans ----

interface OutputScan {
  readonly colors: readonly Color[];
  readonly from: number;
  readonly to: number;
  /** The lowest bit that is known already, and that after this scan. */
  readonly high: number;
  readonly low: number;
  readonly isSequential?: boolean;
}

/** The scans of libjpeg's "simple progression". */
function progression(colors: readonly Color[]): OutputScan[] {
  const scan = (chosen: readonly Color[], from: number, to: number, high: number, low: number): OutputScan => ({
    colors: chosen,
    from,
    to,
    high,
    low,
  });
  const [luminance, blue, red] = colors.map(color => [color]);
  const means = [scan(colors, 0, 0, 0, 1), scan(colors, 0, 0, 1, 0)];
  if (colors.length === 1)
    return [means[0], scan(colors, 1, 5, 0, 2), scan(colors, 6, 63, 0, 2), scan(colors, 1, 63, 2, 1), means[1], scan(colors, 1, 63, 1, 0)];
  return [
    means[0],
    scan(luminance, 1, 5, 0, 2),
    scan(red, 1, 63, 0, 1),
    scan(blue, 1, 63, 0, 1),
    scan(luminance, 6, 63, 0, 2),
    scan(luminance, 1, 63, 2, 1),
    means[1],
    scan(red, 1, 63, 1, 0),
    scan(blue, 1, 63, 1, 0),
    scan(luminance, 1, 63, 1, 0),
  ];
}

/** Where symbols and bits go: they are counted first where codes are made for them, and written then. */
interface Sink {
  /** A symbol of table `table`: its code, and bits that come as they are. */
  symbol(isDc: boolean, table: 0 | 1, symbol: number, extra?: number, extraBits?: number): void;
  bits(value: number, count: number): void;
}

function writeScan(out: ByteWriter, scan: OutputScan, isCompact: boolean): void {
  const { colors, from, to, high, low, isSequential = false } = scan;
  const usesDc = from === 0 && high === 0;
  const usesAc = to > 0;
  const key = (isDc: boolean, table: number): number => (isDc ? table : 2 + table);
  const standard = [...annexDcCodes(), ...annexAcCodes()];
  let codes = standard;
  if (isCompact) {
    const counts = [0, 1, 2, 3].map(() => new Float64Array(257));
    encodeScan(scan, { symbol: (isDc, table, symbol) => void counts[key(isDc, table)][symbol]++, bits: () => {} });
    codes = counts.map(bestCodes);
  }
  const written = new Set<number>();
  for (const { table } of colors)
    for (const isDc of [true, false]) {
      const which = key(isDc, table);
      if (!(isDc ? usesDc : usesAc) || written.has(which)) continue;
      written.add(which);
      const { counts, symbols } = codes[which];
      out.segment(marker.DHT, [(isDc ? 0 : 16) + table, ...counts, ...symbols]);
    }
  const selectors = colors.flatMap(({ id, table }) => [id, isSequential ? 17 * table : (usesDc ? 16 * table : 0) + (usesAc ? table : 0)]);
  out.segment(marker.SOS, [colors.length, ...selectors, from, to, 16 * high + low]);
  const words = codes.map(codeWords);
  encodeScan(scan, {
    symbol: (isDc, table, symbol, extra = 0, extraBits = 0) => {
      const { code, length } = words[key(isDc, table)];
      out.bits(code[symbol], length[symbol]);
      if (extraBits > 0) out.bits(extra, extraBits);
    },
    bits: (value, count) => void out.bits(value, count),
  });
  out.align();
}

/** Calls `visit` for each block in the order of the scan; a color by itself has no filling blocks. */
function eachBlock(colors: readonly Color[], visit: (color: Color, at: number, index: number) => void): void {
  const [first] = colors;
  if (colors.length === 1) {
    for (let y = 0; y < first.blocksHigh; y++) for (let x = 0; x < first.blocksWide; x++) visit(first, 64 * (y * first.stride + x), 0);
    return;
  }
  for (let y = 0; y < first.rows / first.down; y++)
    for (let x = 0; x < first.stride / first.across; x++)
      colors.forEach((color, index) => {
        for (let row = 0; row < color.down; row++)
          for (let column = 0; column < color.across; column++)
            visit(color, 64 * ((y * color.down + row) * color.stride + x * color.across + column), index);
      });
}

const sizeOf = (x: number): number => 32 - Math.clz32(Math.abs(x));
/** A number without its sign: one less, below zero. */
const unsigned = (x: number): number => (x < 0 ? x - 1 : x);

function encodeScan(scan: OutputScan, sink: Sink): void {
  const { colors, from, high, low, isSequential } = scan;
  const before = new Int32Array(4);
  const difference = ({ table, coefficients }: Color, at: number, index: number, shift: number): void => {
    const value = coefficients[at] >> shift;
    const change = value - before[index];
    before[index] = value;
    sink.symbol(true, table, sizeOf(change), unsigned(change), sizeOf(change));
  };
  if (isSequential)
    eachBlock(colors, (color, at, index) => {
      difference(color, at, index, 0);
      encodeAll(color, at, sink);
    });
  else if (from === 0 && high === 0) eachBlock(colors, (color, at, index) => void difference(color, at, index, low));
  else if (from === 0) eachBlock(colors, ({ coefficients }, at) => void sink.bits(coefficients[at] >> low, 1));
  else {
    const band = new BandEncoder(scan, sink);
    eachBlock(colors, (_, at) => void (high === 0 ? band.first(at) : band.next(at)));
    band.end();
  }
}

function encodeAll({ table, coefficients }: Color, at: number, sink: Sink): void {
  let zeros = 0;
  for (let k = 1; k < 64; k++) {
    const value = coefficients[at + k];
    if (value === 0) {
      zeros++;
      continue;
    }
    for (; zeros > 15; zeros -= 16) sink.symbol(false, table, 0xf0);
    const size = sizeOf(value);
    sink.symbol(false, table, 16 * zeros + size, unsigned(value), size);
    zeros = 0;
  }
  if (zeros > 0) sink.symbol(false, table, 0);
}

/** Refining bits are held back until the run of empty blocks they belong to is written. */
const mostHeld = 1000;

/** A band of AC coefficients of a progressive picture, to a first precision or one bit more. */
class BandEncoder {
  private readonly scan: OutputScan;
  private readonly sink: Sink;
  private readonly table: 0 | 1;
  private readonly coefficients: Int16Array;
  private run = 0;
  /** Bits of the blocks in the run. */
  private held: number[] = [];

  constructor(scan: OutputScan, sink: Sink) {
    [this.scan, this.sink] = [scan, sink];
    [{ table: this.table, coefficients: this.coefficients }] = scan.colors;
  }

  first(at: number): void {
    const { from, to, low } = this.scan;
    let zeros = 0;
    for (let k = from; k <= to; k++) {
      const value = this.coefficients[at + k];
      const magnitude = Math.abs(value) >> low;
      if (magnitude === 0) {
        zeros++;
        continue;
      }
      this.end();
      for (; zeros > 15; zeros -= 16) this.sink.symbol(false, this.table, 0xf0);
      const size = sizeOf(magnitude);
      this.sink.symbol(false, this.table, 16 * zeros + size, value < 0 ? ~magnitude : magnitude, size);
      zeros = 0;
    }
    if (zeros > 0 && ++this.run === 0x7fff) this.end();
  }

  next(at: number): void {
    const { from, to, low } = this.scan;
    const magnitude = (k: number): number => Math.abs(this.coefficients[at + k]) >> low;
    let lastFresh = 0;
    for (let k = from; k <= to; k++) if (magnitude(k) === 1) lastFresh = k;
    let zeros = 0;
    let own: number[] = [];
    for (let k = from; k <= to; k++) {
      const value = magnitude(k);
      if (value === 0) {
        zeros++;
        continue;
      }
      // Sixteen zeros are only worth a symbol if something new comes behind them.
      while (zeros > 15 && k <= lastFresh) {
        this.end();
        this.sink.symbol(false, this.table, 0xf0);
        zeros -= 16;
        this.write(own);
        own = [];
      }
      if (value > 1) {
        own.push(value & 1);
        continue;
      }
      this.end();
      this.sink.symbol(false, this.table, 16 * zeros + 1, this.coefficients[at + k] < 0 ? 0 : 1, 1);
      this.write(own);
      own = [];
      zeros = 0;
    }
    if (zeros === 0 && own.length === 0) return;
    this.run++;
    this.held.push(...own);
    if (this.run === 0x7fff || this.held.length > mostHeld - 63) this.end();
  }

  /** Writes the run of empty blocks. */
  end(): void {
    if (this.run === 0) return;
    const size = sizeOf(this.run) - 1;
    this.sink.symbol(false, this.table, 16 * size, this.run, size);
    this.run = 0;
    this.write(this.held);
    this.held = [];
  }

  private write(bits: readonly number[]): void {
    for (const bit of bits) this.sink.bits(bit, 1);
  }
}

// ---- codes ----

/** The code word of each symbol. */
function codeWords({ counts, symbols }: CodeLengths): { code: Uint16Array; length: Uint8Array } {
  const [code, length] = [new Uint16Array(256), new Uint8Array(256)];
  let [next, at] = [0, 0];
  counts.forEach((count, i) => {
    for (let n = 0; n < count; n++, at++, next++) [code[symbols[at]], length[symbols[at]]] = [next, i + 1];
    next <<= 1;
  });
  return { code, length };
}

/** Huffman's codes for symbols that occur so often, of at most 16 bits (T.81, annex K.2). Of equally rare symbols the last one is taken first. */
function bestCodes(given: Float64Array): CodeLengths {
  const often = given.slice();
  // One more symbol, so that no code is all ones.
  often[256] = 1;
  const sizes = new Uint16Array(257);
  const others = new Int16Array(257).fill(-1);
  const rarest = (except: number): number => {
    let found = -1;
    for (let i = 0; i <= 256; i++) if (often[i] > 0 && i !== except && (found < 0 || often[i] <= often[found])) found = i;
    return found;
  };
  for (;;) {
    const one = rarest(-1);
    const other = rarest(one);
    if (other < 0) break;
    often[one] += often[other];
    often[other] = 0;
    let last = one;
    for (let i = one; i >= 0; i = others[i]) [last, sizes[i]] = [i, sizes[i] + 1];
    others[last] = other;
    for (let i = other; i >= 0; i = others[i]) sizes[i]++;
  }
  const perLength = new Uint16Array(258);
  for (const size of sizes) if (size > 0) perLength[size]++;
  for (let length = 257; length > 16; length--)
    while (perLength[length] > 0) {
      let shorter = length - 2;
      while (perLength[shorter] === 0) shorter--;
      perLength[length] -= 2;
      perLength[length - 1]++;
      perLength[shorter + 1] += 2;
      perLength[shorter]--;
    }
  let longest = 16;
  while (longest > 0 && perLength[longest] === 0) longest--;
  if (longest > 0) perLength[longest]--;
  const symbols = Array.from({ length: 256 }, (_, symbol) => symbol).filter(symbol => sizes[symbol] > 0);
  symbols.sort((a, b) => sizes[a] - sizes[b] || a - b);
  return { counts: Uint8Array.from(perLength.subarray(1, 17)), symbols: Uint8Array.from(symbols) };
}
