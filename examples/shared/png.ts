// Writes PNG pictures: grey or RGB, 8 bits, over the zlib that Node has. Reading them is not here.
// Format: the W3C's PNG specification, third edition; chunks in section 5, filters in section 9.

import { crc32, deflateSync } from "node:zlib";

/** A picture, row by row from the top; a pixel is `channels` bytes: one of grey, or red, green, blue. */
export type Picture = { readonly width: number; readonly height: number; readonly channels: 1 | 3; readonly data: Uint8Array };

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const greyColour = 0;
const rgbColour = 2;

/** The bytes of a PNG file.
 *  @throws RangeError if width or height is no whole number from 1 to 2^31 - 1, or `data` does not hold width x height x channels bytes. */
export function encodePng({ width, height, channels, data }: Picture): Uint8Array {
  for (const size of [width, height]) {
    if (!Number.isInteger(size) || size < 1 || size > 0x7fffffff) throw new RangeError(`a PNG cannot be ${width} x ${height} pixels`);
  }
  if (data.length !== width * height * channels) {
    throw new RangeError(`${width} x ${height} pixels of ${channels} bytes are ${width * height * channels} bytes, given ${data.length}`);
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, channels === 1 ? greyColour : rgbColour, 0, 0, 0], 8);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(filtered(data, height))),
    chunk("IEND", new Uint8Array()),
  ]);
}

/** Each row behind a zero byte, the filter "none": the flat black of our pictures packs well without one. */
function filtered(data: Uint8Array, height: number): Uint8Array {
  const rowBytes = data.length / height;
  const rows = new Uint8Array((rowBytes + 1) * height);
  for (let y = 0; y < height; y++) rows.set(data.subarray(y * rowBytes, (y + 1) * rowBytes), y * (rowBytes + 1) + 1);
  return rows;
}

/** Length, name, content and the check sum over name and content. */
function chunk(name: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  for (let k = 0; k < 4; k++) bytes[4 + k] = name.charCodeAt(k);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}
