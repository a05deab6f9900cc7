// The entropy-coded scans of JPEG: bits to coefficients, one pass over the picture or several that refine it. Damage is taken as libjpeg takes it: a
// wrong code is a zero, bits behind the end of a segment are zeros, and after a lost restart marker the next one that fits goes on.

import { type CodeLengths, marker, zigzag } from "./jpeg-tables.ts";

/** Why a file cannot be read on. Whoever reads the file puts it in TensorFlow's words. */
export class JpegDamage extends Error {}
/** The file ends before the picture does. */
export class JpegEnd extends JpegDamage {}

/** Codes ready for reading: by their first eight bits, and for longer ones the largest code of each length. */
export interface Decoder {
  /** length · 256 + symbol for codes of up to 8 bits, or 0. */
  readonly short: Uint16Array;
  readonly largest: Int32Array;
  readonly offsets: Int32Array;
  readonly symbols: Uint8Array;
}

/** @throws JpegDamage for lengths that are no prefix code, and for differences of more than 15 bits. */
export function decoderOf({ counts, symbols }: CodeLengths, isDc: boolean): Decoder {
  const short = new Uint16Array(256);
  const largest = new Int32Array(18).fill(-1);
  const offsets = new Int32Array(18);
  let [code, at] = [0, 0];
  for (let length = 1; length <= 16; length++, code <<= 1) {
    const count = counts[length - 1];
    offsets[length] = at - code;
    if (code + count > 1 << length) throw new JpegDamage("A Huffman table has too many codes of a length.");
    for (let i = 0; i < count; i++, code++, at++)
      if (length <= 8) short.fill((length << 8) | symbols[at], code << (8 - length), (code + 1) << (8 - length));
    if (count > 0) largest[length] = code - 1;
  }
  // Everything is a code of 17 bits: the end of the search.
  largest[17] = 0xfffff;
  if (isDc && symbols.subarray(0, at).some(symbol => symbol > 15)) throw new JpegDamage("A Huffman table has a wrong symbol.");
  return { short, largest, offsets, symbols };
}

/** Bytes, the markers among them, and the bits of entropy-coded segments. */
export class JpegReader {
  /** A marker that was met and not yet dealt with, or 0. */
  waiting = 0;
  /** Were bits asked for behind the end of a segment? Blocks stay as they are from there on. */
  isSpent = false;
  private readonly bytes: Uint8Array;
  private at = 0;
  private held = 0;
  private heldBits = 0;
  /** The end of a file that was cut off counts as the end of the picture, once. */
  private mayEnd: boolean;

  constructor(bytes: Uint8Array, mayEnd: boolean) {
    this.bytes = bytes;
    this.mayEnd = mayEnd;
  }

  byte(): number {
    if (this.at < this.bytes.length) return this.bytes[this.at++];
    throw new JpegEnd("The data ends early.");
  }

  short(): number {
    const high = this.byte();
    return (high << 8) | this.byte();
  }

  take(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw new JpegEnd("The data ends early.");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** The content of a marker's segment. */
  segment(): Uint8Array {
    const length = this.short();
    if (length < 2) throw new JpegDamage("A segment has no length.");
    return this.take(length - 2);
  }

  /** The next marker, whatever lies before it; stays `waiting` until `accept`. */
  nextMarker(): number {
    while (this.waiting === 0) this.waiting = this.markerFromHere();
    return this.waiting;
  }

  private markerFromHere(): number {
    for (;;) {
      if (this.isOver()) return marker.EOI;
      if (this.byte() !== 0xff) continue;
      let code = 0xff;
      while (code === 0xff) {
        if (this.isOver()) return marker.EOI;
        code = this.byte();
      }
      if (code !== 0) return code;
    }
  }

  /** True once at the end of a file that may be cut off. */
  private isOver(): boolean {
    if (this.at < this.bytes.length || !this.mayEnd) return false;
    this.mayEnd = false;
    return true;
  }

  accept(): void {
    this.waiting = 0;
  }

  startSegment(): void {
    [this.held, this.heldBits] = [0, 0];
    if (this.waiting === 0) this.isSpent = false;
  }

  private fill(): void {
    while (this.heldBits <= 16 && this.waiting === 0) {
      if (this.isOver()) {
        this.waiting = marker.EOI;
        return;
      }
      let byte = this.byte();
      if (byte === 0xff) {
        do {
          if (this.isOver()) {
            this.waiting = marker.EOI;
            return;
          }
          byte = this.byte();
        } while (byte === 0xff);
        if (byte !== 0) {
          this.waiting = byte;
          return;
        }
        byte = 0xff;
      }
      this.held = ((this.held << 8) | byte) & 0xffffff;
      this.heldBits += 8;
    }
  }

  /** Up to 16 bits. */
  bits(count: number): number {
    if (this.heldBits < count) this.fill();
    if (this.heldBits < count) {
      this.isSpent = true;
      this.held = this.held << (24 - this.heldBits);
      this.heldBits = 24;
    }
    this.heldBits -= count;
    return (this.held >>> this.heldBits) & ((1 << count) - 1);
  }

  symbol({ short, largest, offsets, symbols }: Decoder): number {
    if (this.heldBits < 8) this.fill();
    const ahead = this.heldBits >= 8 ? (this.held >>> (this.heldBits - 8)) & 255 : (this.held << (8 - this.heldBits)) & 255;
    const found = short[ahead];
    const length = found >> 8;
    if (length > 0 && length <= this.heldBits) {
      this.heldBits -= length;
      return found & 255;
    }
    let [code, bits] = [this.bits(1), 1];
    while (code > largest[bits]) {
      code = (code << 1) | this.bits(1);
      bits++;
    }
    return bits > 16 ? 0 : symbols[code + offsets[bits]];
  }

  /** A number of `size` bits, of which a leading 0 means below zero. */
  signed(size: number): number {
    if (size === 0) return 0;
    const value = this.bits(size);
    return value < 1 << (size - 1) ? value - (1 << size) + 1 : value;
  }

  /** Goes to the restart marker that is due, or to what comes closest. */
  restart(due: number): void {
    let code = this.nextMarker();
    for (;;) {
      const ahead = (code - marker.RST0 - due) & 7;
      const isRestart = code >= marker.RST0 && code <= marker.RST7;
      if (isRestart && (ahead === 0 || (ahead > 2 && ahead < 6))) return this.accept();
      // One of the next two: what lies between is lost. Another kind of marker: this scan is over.
      if (code >= marker.SOF0 && (!isRestart || ahead <= 2)) return;
      this.accept();
      code = this.nextMarker();
    }
  }
}

/** One color of the picture. */
export interface Component {
  readonly id: number;
  /** Samples across and down for each unit of the picture. */
  readonly across: number;
  readonly down: number;
  readonly table: number;
  /** Blocks with samples of the picture. */
  readonly blocksWide: number;
  readonly blocksHigh: number;
  /** Blocks of a row in `coefficients`, whole units. */
  readonly stride: number;
  readonly coefficients: Int16Array;
  /** Its factors when its first scan began, row by row. */
  quantization: Uint16Array | undefined;
}

export interface Scan {
  readonly components: readonly ScanComponent[];
  readonly unitsWide: number;
  readonly unitsHigh: number;
  readonly restartInterval: number;
  readonly isProgressive: boolean;
  /** First and last coefficient, and the lowest bit: as it was and as it is after this scan. */
  readonly from: number;
  readonly to: number;
  readonly high: number;
  readonly low: number;
}

export interface ScanComponent {
  readonly component: Component;
  readonly dc: Decoder | undefined;
  readonly ac: Decoder | undefined;
}

/** Reads one block, at `at` of the coefficients. */
type BlockReader = (coefficients: Int16Array, at: number, index: number) => void;

/** Reads the scan's bits into the coefficients of its components; says how many rows of units are whole, all of them but where the file ends. */
export function readScan(reader: JpegReader, scan: Scan): number {
  const progress = { rows: 0 };
  try {
    readUnits(reader, scan, progress);
  } catch (error) {
    if (!(error instanceof JpegEnd)) throw error;
  }
  return progress.rows;
}

function readUnits(reader: JpegReader, scan: Scan, progress: { rows: number }): void {
  const blocks = scan.isProgressive ? new ProgressiveBlocks(reader, scan) : new SequentialBlocks(reader, scan);
  const read: BlockReader = (coefficients, at, index) => blocks.read(coefficients, at, index);
  reader.startSegment();
  reader.isSpent = false;
  let [left, due] = [scan.restartInterval, 0];
  const [only] = scan.components;
  const isAlone = scan.components.length === 1;
  const [wide, high] = isAlone ? [only.component.blocksWide, only.component.blocksHigh] : [scan.unitsWide, scan.unitsHigh];
  for (let y = 0; y < high; y++, progress.rows++)
    for (let x = 0; x < wide; x++) {
      if (scan.restartInterval > 0 && left === 0) {
        reader.restart(due);
        reader.startSegment();
        blocks.reset();
        [left, due] = [scan.restartInterval, (due + 1) & 7];
      }
      left--;
      if (reader.isSpent) continue;
      if (isAlone) read(only.component.coefficients, 64 * (y * only.component.stride + x), 0);
      else
        scan.components.forEach(({ component: { across, down, stride, coefficients } }, index) => {
          for (let row = 0; row < down; row++)
            for (let column = 0; column < across; column++)
              read(coefficients, 64 * ((y * down + row) * stride + x * across + column), index);
        });
    }
}

class SequentialBlocks {
  private readonly reader: JpegReader;
  private readonly scan: Scan;
  private readonly before = new Int32Array(4);

  constructor(reader: JpegReader, scan: Scan) {
    [this.reader, this.scan] = [reader, scan];
    if (scan.components.some(({ dc, ac }) => !dc || !ac)) throw new JpegDamage("A Huffman table is missing.");
  }

  reset(): void {
    this.before.fill(0);
  }

  read(coefficients: Int16Array, at: number, index: number): void {
    const { dc, ac } = this.scan.components[index];
    if (!dc || !ac) return;
    this.before[index] += this.reader.signed(this.reader.symbol(dc));
    coefficients[at] = this.before[index];
    for (let k = 1; k < 64; k++) {
      const symbol = this.reader.symbol(ac);
      const [zeros, size] = [symbol >> 4, symbol & 15];
      if (size > 0) {
        k += zeros;
        coefficients[at + zigzag[k]] = this.reader.signed(size);
      } else if (zeros === 15) k += 15;
      else break;
    }
  }
}

class ProgressiveBlocks {
  readonly read: BlockReader;
  private readonly reader: JpegReader;
  private readonly scan: Scan;
  private readonly before = new Int32Array(4);
  /** How many more blocks have nothing (new) in this scan. */
  private empty = 0;

  constructor(reader: JpegReader, scan: Scan) {
    [this.reader, this.scan] = [reader, scan];
    const { from, to, high, low, components } = scan;
    const isBand = from === 0 ? to === 0 : from <= to && to < 64 && components.length === 1;
    if (!isBand || (high !== 0 && low !== high - 1) || low > 13) throw new JpegDamage("A scan of a progressive picture has wrong bounds.");
    const isMissing = from === 0 ? high === 0 && components.some(({ dc }) => !dc) : !components[0].ac;
    if (isMissing) throw new JpegDamage("A Huffman table is missing.");
    if (from === 0) this.read = high === 0 ? this.firstDc : this.nextDc;
    else this.read = high === 0 ? this.firstAc : this.nextAc;
  }

  reset(): void {
    this.before.fill(0);
    this.empty = 0;
  }

  private readonly firstDc: BlockReader = (coefficients, at, index) => {
    const { dc } = this.scan.components[index];
    if (!dc) return;
    this.before[index] += this.reader.signed(this.reader.symbol(dc));
    coefficients[at] = this.before[index] << this.scan.low;
  };

  private readonly nextDc: BlockReader = (coefficients, at) => {
    if (this.reader.bits(1)) coefficients[at] |= 1 << this.scan.low;
  };

  private readonly firstAc: BlockReader = (coefficients, at) => {
    const { ac } = this.scan.components[0];
    if (this.empty > 0) this.empty--;
    else if (ac)
      for (let k = this.scan.from; k <= this.scan.to; k++) {
        const symbol = this.reader.symbol(ac);
        const [zeros, size] = [symbol >> 4, symbol & 15];
        if (size > 0) {
          k += zeros;
          coefficients[at + zigzag[k]] = this.reader.signed(size) << this.scan.low;
        } else if (zeros === 15) k += 15;
        else {
          this.empty = (1 << zeros) + this.reader.bits(zeros) - 1;
          break;
        }
      }
  };

  private readonly nextAc: BlockReader = (coefficients, at) => {
    const { ac } = this.scan.components[0];
    const { to, low } = this.scan;
    let k = this.scan.from;
    if (this.empty === 0 && ac)
      for (; k <= to; k++) {
        const symbol = this.reader.symbol(ac);
        let zeros = symbol >> 4;
        let fresh = 0;
        if ((symbol & 15) > 0) fresh = this.reader.bits(1) ? 1 << low : -1 << low;
        else if (zeros < 15) {
          this.empty = (1 << zeros) + this.reader.bits(zeros);
          break;
        }
        // Coefficients that are known are refined on the way over `zeros` that are not.
        for (; k <= to; k++) {
          if (coefficients[at + zigzag[k]] !== 0) this.refine(coefficients, at + zigzag[k]);
          else if (--zeros < 0) break;
        }
        if (fresh !== 0) coefficients[at + zigzag[k]] = fresh;
      }
    if (this.empty > 0) {
      for (; k <= to; k++) if (coefficients[at + zigzag[k]] !== 0) this.refine(coefficients, at + zigzag[k]);
      this.empty--;
    }
  };

  private refine(coefficients: Int16Array, at: number): void {
    const bit = 1 << this.scan.low;
    if (!this.reader.bits(1) || (coefficients[at] & bit) !== 0) return;
    coefficients[at] += coefficients[at] >= 0 ? bit : -bit;
  }
}
