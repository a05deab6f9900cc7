import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import { digitSheet } from "./digit-sheet.ts";
import { pixels } from "./digits.ts";
import { encodePng, type Picture } from "./png.ts";

const noise = (length: number) => Uint8Array.from({ length }, (_, k) => (k * 167 + (k >> 3) * 31) & 255);

describe("encodePng", () => {
  test.each([
    [1, 1, 1],
    [7, 5, 1],
    [1, 9, 3],
    [33, 20, 3],
    [300, 400, 3],
  ] as const)("fast-png reads back %i x %i pixels of %i channels", (width, height, channels) => {
    const data = noise(width * height * channels);
    const decoded = decode(encodePng({ width, height, channels, data }), { checkCrc: true });
    expect(decoded).toMatchObject({ width, height, channels, depth: 8 });
    expect(decoded.data).toEqual(data);
  });

  test.each([
    [{ width: 0, height: 2, channels: 1, data: new Uint8Array() }, "a PNG cannot be 0 x 2 pixels"],
    [{ width: 1.5, height: 2, channels: 1, data: new Uint8Array(3) }, "a PNG cannot be 1.5 x 2 pixels"],
    [{ width: 2, height: 2, channels: 3, data: new Uint8Array(4) }, "2 x 2 pixels of 3 bytes are 12 bytes, given 4"],
  ] satisfies [Picture, string][])("refuses %o", (picture, message) => {
    expect(() => encodePng(picture)).toThrow(new RangeError(message));
  });
});

describe("digitSheet", () => {
  const inked = new Uint8Array(pixels).fill(200);

  test("lays digits out in rows", () => {
    const { width, height, channels, data } = digitSheet([{ image: inked }, { image: inked }, { image: inked }], { columns: 2, scale: 1 });
    expect([width, height, channels]).toEqual([2 * 30, 2 * 30, 3]);
    const grey = (x: number, y: number) => data[3 * (y * width + x)];
    expect([grey(1, 1), grey(28, 28), grey(31, 1), grey(1, 31)]).toEqual([200, 200, 200, 200]);
    expect([grey(0, 0), grey(29, 29)]).toEqual([40, 40]);
    expect([grey(31, 31), grey(59, 59)]).toEqual([40, 40]);
  });

  test("scales", () => {
    const { width, height } = digitSheet([{ image: inked }], { columns: 1, scale: 3 });
    expect([width, height]).toEqual([90, 90]);
  });

  test("writes the true digit in green and the predicted one in red", () => {
    const { width, height, data } = digitSheet([{ image: inked, truth: 1, predicted: 7 }], { columns: 1, scale: 1 });
    const count = (red: number, green: number) => {
      let found = 0;
      for (let k = 0; k < width * height; k++) if (data[3 * k] === red && data[3 * k + 1] === green) found++;
      return found;
    };
    expect(height).toBeGreaterThan(30);
    expect(count(90, 220)).toBe(8); // a 1 of 3 x 5 points: 8 of them inked
    expect(count(255, 90)).toBe(7); // a 7: 3 across, 4 down
  });
});
