// Snappy's raw format, reading only: a length, then literals and copies of what was already written. Old checkpoints compress blocks so.

import { DataLossError } from "../base/errors.ts";

/** @throws DataLossError naming the offset; lengths are checked against `mostBytes` and what is there before anything is allocated. */
export function decompressSnappy(bytes: Uint8Array, name: string, mostBytes = 1 << 28): Uint8Array {
  let at = 0;
  const fail = (reason: string): never => {
    throw new DataLossError(`corrupted compressed block contents\n\n${name}, byte ${at} of the compressed block: ${reason}.`);
  };
  const byte = (): number => (at < bytes.length ? bytes[at++] : fail("the data ends early"));
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    const next = byte();
    if (shift > 28) fail("the length is longer than five bytes");
    size += (next & 127) * 2 ** shift;
    if (next < 128) break;
  }
  // A copy makes at most 64 bytes of three.
  if (size > mostBytes || size > bytes.length * 64) fail(`${size} bytes are announced`);
  const out = new Uint8Array(size);
  let used = 0;
  const littleEndian = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++) value += byte() * 2 ** (8 * i);
    return value;
  };
  while (at < bytes.length) {
    const tag = byte();
    const kind = tag & 3;
    if (kind === 0) {
      const short = tag >> 2;
      const length = 1 + (short < 60 ? short : littleEndian(short - 59));
      if (length > bytes.length - at || length > size - used) fail(`a literal of ${length} bytes does not fit`);
      out.set(bytes.subarray(at, at + length), used);
      at += length;
      used += length;
      continue;
    }
    const length = kind === 1 ? 4 + ((tag >> 2) & 7) : 1 + (tag >> 2);
    const offset = kind === 1 ? (tag >> 5) * 256 + byte() : littleEndian(kind === 2 ? 2 : 4);
    if (offset === 0 || offset > used || length > size - used) fail(`a copy of ${length} bytes from ${offset} before does not fit`);
    for (let i = 0; i < length; i++) out[used + i] = out[used - offset + i];
    used += length;
  }
  if (used !== size) fail(`${used} bytes came out where ${size} were announced`);
  return out;
}
