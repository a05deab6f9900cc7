// Writes PNG pictures, grey or RGB: the writer of tensorloom/formats behind a check of what it is given. Reading them is not here.

import { pngFromPixels } from "tensorloom/formats";

/** A picture, row by row from the top; a pixel is `channels` bytes: one of grey, or red, green, blue. */
export type Picture = { readonly width: number; readonly height: number; readonly channels: 1 | 3; readonly data: Uint8Array };

/** The bytes of a PNG file.
 *  @throws RangeError if width or height is no whole number from 1 to 2^31 - 1, or `data` does not hold width x height x channels bytes. */
export function encodePng({ width, height, channels, data }: Picture): Uint8Array {
  for (const size of [width, height]) {
    if (!Number.isInteger(size) || size < 1 || size > 0x7fffffff) throw new RangeError(`a PNG cannot be ${width} x ${height} pixels`);
  }
  if (data.length !== width * height * channels) {
    throw new RangeError(`${width} x ${height} pixels of ${channels} bytes are ${width * height * channels} bytes, given ${data.length}`);
  }
  return pngFromPixels({ width, height, channels, data });
}
