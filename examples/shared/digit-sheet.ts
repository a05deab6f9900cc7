// Draws digits side by side into one picture, each with, if known, the digit it is (green) and the digit it was taken for (red).

import { pixels, side } from "./digits.ts";
import type { Picture } from "./png.ts";

/** One digit: 28 x 28 bytes, 255 is ink. */
export type Cell = { readonly image: Uint8Array; readonly truth?: number; readonly predicted?: number };

type Colour = readonly [red: number, green: number, blue: number];
const background: Colour = [40, 40, 40];
const green: Colour = [90, 220, 120];
const red: Colour = [255, 90, 90];

// Digits of 3 x 5 points, a row per number, the left point its highest bit.
const glyphs = [
  [7, 5, 5, 5, 7],
  [2, 6, 2, 2, 7],
  [7, 1, 7, 4, 7],
  [7, 1, 7, 1, 7],
  [5, 5, 7, 1, 1],
  [7, 4, 7, 1, 7],
  [7, 4, 7, 5, 7],
  [7, 1, 1, 1, 1],
  [7, 5, 7, 5, 7],
  [7, 5, 7, 1, 7],
];
const glyphHeight = 5;

/** An RGB picture of the cells, row by row; every pixel of a digit becomes a square of `scale` pixels. */
export function digitSheet(cells: readonly Cell[], { columns = 16, scale = 2 } = {}): Picture {
  const labelled = cells.some(cell => cell.truth !== undefined || cell.predicted !== undefined);
  const cellWidth = side + 2;
  const cellHeight = side + 2 + (labelled ? glyphHeight + 1 : 0);
  const width = columns * cellWidth * scale;
  const height = Math.max(1, Math.ceil(cells.length / columns)) * cellHeight * scale;
  const data = new Uint8Array(width * height * 3);
  for (let k = 0; k < data.length; k++) data[k] = background[k % 3];

  const point = (x: number, y: number, colour: Colour) => {
    for (let dy = 0; dy < scale; dy++) {
      for (let dx = 0; dx < scale; dx++) data.set(colour, 3 * ((y * scale + dy) * width + x * scale + dx));
    }
  };
  const glyph = (digit: number, left: number, top: number, colour: Colour) => {
    glyphs[digit].forEach((row, y) => {
      for (let x = 0; x < 3; x++) if (row & (4 >> x)) point(left + x, top + y, colour);
    });
  };
  cells.forEach(({ image, truth, predicted }, k) => {
    const left = (k % columns) * cellWidth + 1;
    const top = Math.floor(k / columns) * cellHeight + 1;
    for (let p = 0; p < pixels; p++) point(left + (p % side), top + Math.floor(p / side), [image[p], image[p], image[p]]);
    if (truth !== undefined) glyph(truth, left + 1, top + side + 1, green);
    if (predicted !== undefined) glyph(predicted, left + side - 4, top + side + 1, red);
  });
  return { width, height, channels: 3, data };
}
