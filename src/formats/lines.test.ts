// The lines that TensorFlow 2.21's readers find in the same files.

import { expect, test } from "vitest";
import { decodeText, encodeText } from "../base/ndarray.ts";
import { linesOf } from "./lines.ts";

const cases: [text: string, lines: string[], withoutReturns: string[]][] = [
  ["a\rb\r\n\rc\r", ["a\rb", "\rc"], ["ab", "c"]],
  ["x\r\n\ny\n\r", ["x", "", "y"], ["x", "", "y"]],
  ["x", ["x"], ["x"]],
  ["", [], []],
];
test.each(cases)("%j", (text, lines, withoutReturns) => {
  expect(Array.from(linesOf(encodeText(text)), decodeText)).toEqual(lines);
  expect(Array.from(linesOf(encodeText(text), { dropsReturns: true }), decodeText)).toEqual(withoutReturns);
});
