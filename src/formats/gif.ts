// GIF pictures and animations, reading: frames drawn one over another on the whole canvas. CompuServe's GIF89a specification.

import { InvalidArgumentError } from "../base/errors.ts";

/** Frames of red, green and blue, rows from the top. */
export interface Frames {
  readonly width: number;
  readonly height: number;
  readonly frames: readonly Uint8Array[];
}

const bad = (why: string): InvalidArgumentError => new InvalidArgumentError(`Invalid GIF data (size 0), ${why}`);

class GifReader {
  private readonly bytes: Uint8Array;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw bad("the data ends early");
    return this.bytes[this.at++];
  }

  short(): number {
    const low = this.byte();
    return low | (this.byte() << 8);
  }

  take(count: number): Uint8Array {
    if (this.at + count > this.bytes.length) throw bad("the data ends early");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /** Blocks of up to 255 bytes up to an empty one. */
  blocks(): Uint8Array {
    const parts: number[] = [];
    for (let size = this.byte(); size > 0; size = this.byte()) parts.push(...this.take(size));
    return Uint8Array.from(parts);
  }
}

interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** @throws InvalidArgumentError for files that are damaged. */
export function framesFromGif(bytes: Uint8Array): Frames {
  const reader = new GifReader(bytes);
  reader.take(6);
  const [width, height] = [reader.short(), reader.short()];
  const flags = reader.byte();
  reader.take(2);
  const shared = flags & 0x80 ? reader.take(3 * (2 << (flags & 7))) : undefined;
  const frames: Uint8Array[] = [];
  // A code of three bits stands for 4096 pixels at most; small files may still say of a large canvas that a small frame is on it.
  const mostPixels = Math.max(2 ** 24, Math.ceil((bytes.length * 8 * 4096) / 3));
  const refuseLarge = (pixels: number): void => {
    if (pixels > mostPixels) throw bad(`${bytes.length} bytes cannot hold ${pixels} pixels`);
  };
  let transparent = -1;
  for (let kind = reader.byte(); kind !== 0x3b; kind = reader.byte()) {
    if (kind === 0x21) {
      const label = reader.byte();
      const content = reader.blocks();
      if (label === 0xf9) transparent = content[0] & 1 ? content[3] : -1;
    } else if (kind === 0x2c) {
      const place: Place = { left: reader.short(), top: reader.short(), width: reader.short(), height: reader.short() };
      const local = reader.byte();
      const palette = local & 0x80 ? reader.take(3 * (2 << (local & 7))) : shared;
      if (!palette) throw bad("a palette is missing");
      refuseLarge(place.width * place.height);
      refuseLarge((frames.length + 1) * width * height);
      const codes = unpacked(reader.byte(), reader.blocks(), place.width * place.height);
      const canvas = frames.at(-1)?.slice() ?? new Uint8Array(3 * width * height);
      draw(canvas, width, height, place, (local & 0x40) !== 0, codes, palette, transparent);
      frames.push(canvas);
      transparent = -1;
    } else throw bad(`block ${kind} is unknown`);
  }
  if (frames.length === 0) throw bad("there is no frame");
  return { width, height, frames };
}

/** LZW with codes of growing width. */
function unpacked(minimum: number, bytes: Uint8Array, count: number): Uint8Array {
  const out = new Uint8Array(count);
  const [clear, end] = [1 << minimum, (1 << minimum) + 1];
  const prefix = new Uint16Array(4096);
  const last = new Uint8Array(4096);
  const stack = new Uint8Array(4097);
  let [next, width, before, first] = [clear + 2, minimum + 1, -1, 0];
  let [bits, held, written] = [0, 0, 0];
  for (const byte of bytes) {
    held |= byte << bits;
    bits += 8;
    while (bits >= width && written < count) {
      const code = held & ((1 << width) - 1);
      held >>>= width;
      bits -= width;
      if (code === end) return out;
      if (code === clear) {
        [next, width, before] = [clear + 2, minimum + 1, -1];
        continue;
      }
      if (code > next || (code === next && before < 0)) throw bad("a code is out of range");
      let depth = 0;
      let walk = code;
      if (code === next) {
        stack[depth++] = first;
        walk = before;
      }
      for (; walk >= clear; walk = prefix[walk]) stack[depth++] = last[walk];
      first = walk;
      stack[depth++] = walk;
      while (depth > 0 && written < count) out[written++] = stack[--depth];
      if (before >= 0 && next < 4096) {
        prefix[next] = before;
        last[next] = first;
        next++;
        if (next === 1 << width && width < 12) width++;
      }
      before = code;
    }
  }
  return out;
}

const interlaced = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;

function draw(
  canvas: Uint8Array,
  width: number,
  height: number,
  place: Place,
  isInterlaced: boolean,
  codes: Uint8Array,
  palette: Uint8Array,
  transparent: number,
): void {
  const order = isInterlaced
    ? interlaced.flatMap(([from, step]) =>
        Array.from({ length: Math.max(0, Math.ceil((place.height - from) / step)) }, (_, i) => from + i * step),
      )
    : Array.from({ length: place.height }, (_, y) => y);
  order.forEach((y, row) => {
    for (let x = 0; x < place.width; x++) {
      const code = codes[row * place.width + x];
      const [column, line] = [place.left + x, place.top + y];
      if (code === transparent || column >= width || line >= height) continue;
      canvas.set(palette.subarray(3 * code, 3 * code + 3), 3 * (line * width + column));
    }
  });
}
