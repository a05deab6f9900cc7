// String tensors in a checkpoint's data: all lengths, a checksum of the lengths, all bytes. The lengths enter the checksum as 32-bit numbers
// (64-bit where they do not fit), not as the varints that are stored.

import { DataLossError } from "../base/errors.ts";
import { joinBytes } from "../base/files.ts";
import { crc32c, maskCrc } from "./crc32c.ts";

/** The pieces to write, and the checksum of the tensor (not masked). */
export function stringPieces(strings: readonly Uint8Array[]): { readonly pieces: readonly Uint8Array[]; readonly crc: number } {
  const lengths: number[] = [];
  let crc = 0;
  for (const { length } of strings) {
    let rest = length;
    for (; rest >= 128; rest = Math.floor(rest / 128)) lengths.push((rest % 128) + 128);
    lengths.push(rest);
    crc = crc32c(fixedLength(length), crc);
  }
  const checksum = new Uint8Array(4);
  new DataView(checksum.buffer).setUint32(0, maskCrc(crc), true);
  crc = crc32c(checksum, crc);
  const all = joinBytes(strings.length === 0 ? [new Uint8Array(0)] : strings);
  return { pieces: [Uint8Array.from(lengths), checksum, all], crc: crc32c(all, crc) };
}

function fixedLength(length: number): Uint8Array {
  const isWide = length > 0xffffffff;
  const bytes = new Uint8Array(isWide ? 8 : 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length % 2 ** 32, true);
  if (isWide) view.setUint32(4, Math.floor(length / 2 ** 32), true);
  return bytes;
}

/** The strings, and the checksum of what was read. @throws DataLossError if the lengths do not fit. */
export function readStrings(bytes: Uint8Array, count: number, what: string): { readonly strings: Uint8Array[]; readonly crc: number } {
  const fail = (reason: string): never => {
    throw new DataLossError(`Malformed string tensor\n\n${what}: ${reason}.`);
  };
  // Each string has at least its length's byte.
  if (count + 4 > bytes.length) fail(`${bytes.length} bytes cannot hold ${count} strings`);
  let at = 0;
  let crc = 0;
  const lengths = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let length = 0;
    for (let shift = 0; ; shift++) {
      if (at >= bytes.length || shift > 7) fail(`the length of string ${i} is damaged`);
      const byte = bytes[at++];
      length += (byte & 127) * 2 ** (7 * shift);
      if (byte < 128) break;
    }
    lengths[i] = length;
    crc = crc32c(fixedLength(length), crc);
  }
  if (at + 4 > bytes.length) fail("it is cut off after the lengths");
  if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true) !== maskCrc(crc))
    fail("the lengths do not have the checksum that is stored with them");
  crc = crc32c(bytes.subarray(at), crc);
  at += 4;
  const strings: Uint8Array[] = [];
  for (const length of lengths) {
    if (length > bytes.length - at) fail(`a string of ${length} bytes does not fit`);
    strings.push(bytes.slice(at, at + length));
    at += length;
  }
  if (at !== bytes.length) fail(`${bytes.length - at} bytes are left over`);
  return { strings, crc };
}
