// Unicode, n-grams and joins by segment, as TensorFlow 2.21 answered.

import { expect, test } from "vitest";
import { valueOf, valuesOf } from "../../../test/values.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constant, placeholderWithDefault } from "../array/array.ts";
import { encodeBase64 } from "./string.ts";
import { StringNGrams, UnicodeDecodeWithOffsets, UnicodeEncode, unicodeTranscode, unsortedSegmentJoin } from "./unicode.ts";

const bytes = (...rows: number[][]): NDArray => {
  const array = NDArray.zeros("string", [rows.length]);
  rows.forEach((row, i) => void array.set(i, Uint8Array.from(row)));
  return array;
};
/** Text, a stray byte, nothing, an encoded surrogate, a pair in UTF-16. */
const mixed = (): Tensor =>
  constant(bytes([104, 195, 169, 195, 169], [97, 255, 98, 0], [], [0xed, 0xa0, 0x80, 120], [0xf0, 0x9f, 0x98, 0x80, 122]));
const bigs = (...values: number[]): bigint[] => values.map(BigInt);
/** As bytes that can be compared. */
const hexOf = async (build: () => Tensor): Promise<string[]> =>
  ((await valueOf(() => encodeBase64(build(), { pad: true }))) as string[]).map(text =>
    Buffer.from(text.replaceAll("-", "+").replaceAll("_", "/"), "base64").toString("latin1"),
  );

test("from UTF-8", async () => {
  const r = "\xef\xbf\xbd";
  expect(await hexOf(() => unicodeTranscode(mixed(), "UTF-8", "UTF-8"))).toEqual([
    "h\xc3\xa9\xc3\xa9",
    `a${r}b\0`,
    "",
    `${r}${r}${r}x`,
    "\xf0\x9f\x98\x80z",
  ]);
  expect(await hexOf(() => unicodeTranscode(mixed(), "UTF-8", "UTF-16-BE", { errors: "ignore" }))).toEqual([
    "\0h\0\xe9\0\xe9",
    "\0a\0b\0\0",
    "",
    "\0x",
    "\xd8=\xde\0\0z",
  ]);
  expect((await hexOf(() => unicodeTranscode(mixed(), "UTF-8", "UTF-32-BE")))[4]).toBe("\0\x01\xf6\0\0\0\0z");
  const options = { replacementChar: 63, replaceControlCharacters: true };
  expect((await hexOf(() => unicodeTranscode(mixed(), "UTF-8", "UTF-8", options))).slice(1, 4)).toEqual(["a?b?", "", "???x"]);
});

test("from other encodings", async () => {
  const from = (encoding: string, ...rows: number[][]): Promise<string[]> =>
    hexOf(() => unicodeTranscode(constant(bytes(...rows)), encoding, "UTF-8"));
  const face = "h\xc3\xa9\xf0\x9f\x98\x80";
  const r = "\xef\xbf\xbd";
  expect(await from("UTF-16-BE", [0, 104, 0, 233, 0xd8, 0x3d, 0xde, 0], [0, 97, 0xd8], [0xd8, 0, 0, 97])).toEqual([face, `a${r}`, `${r}a`]);
  expect(await from("UTF-16-LE", [104, 0, 233, 0, 0x3d, 0xd8, 0, 0xde])).toEqual([face]);
  expect(await from("UTF-32-BE", [0, 0, 0, 104], [0, 0, 0])).toEqual(["h", r]);
  expect(await from("ISO-8859-1", [104, 233])).toEqual(["h\xc3\xa9"]);
  expect(await from("US-ASCII", [104, 233])).toEqual([`h${r}`]);
  expect(await from("windows-1252", [0x80, 0x81, 0xe9])).toEqual(["\xe2\x82\xac\xc2\x81\xc3\xa9"]);
  expect(await from("ISO-8859-9", [0x80, 0xfd])).toEqual(["\xc2\x80\xc4\xb1"]);
  expect(await from("SHIFT-JIS", [0x83, 0x65, 0x83, 0x58, 0xb1], [0x80, 0x81, 0xe9, 0x9f], [0x81, 0x20])).toEqual([
    "\xe3\x83\x86\xe3\x82\xb9\xef\xbd\xb1",
    r + r + r,
    `${r} `,
  ]);
  await expect(from("EUC-JP", [104])).rejects.toThrow("Could not create converter for input encoding: EUC-JP");
});

test("code points and where they begin", async () => {
  const decoded = (errors: "replace" | "ignore"): Promise<unknown[]> =>
    valuesOf(() => {
      const made = UnicodeDecodeWithOffsets({ input: mixed(), inputEncoding: "UTF-8", errors });
      return [made.rowSplits, made.charValues, made.charToByteStarts];
    });
  expect(await decoded("replace")).toEqual([
    bigs(0, 3, 7, 7, 11, 13),
    [104, 233, 233, 97, 65533, 98, 0, 65533, 65533, 65533, 120, 128512, 122],
    bigs(0, 1, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 4),
  ]);
  expect(await decoded("ignore")).toEqual([
    bigs(0, 3, 6, 6, 7, 9),
    [104, 233, 233, 97, 98, 0, 120, 128512, 122],
    bigs(0, 1, 3, 0, 2, 3, 3, 0, 4),
  ]);
});

test("strings of code points", async () => {
  const points = () => ({
    inputValues: constant([104, 233, 128512, 0xd800, 0x110000, 65, 7], "int32"),
    inputSplits: NDArray.from(bigs(0, 3, 3, 7), "int64"),
  });
  expect(await hexOf(() => UnicodeEncode({ ...points(), outputEncoding: "UTF-8" }))).toEqual([
    "h\xc3\xa9\xf0\x9f\x98\x80",
    "",
    "\xef\xbf\xbd\xef\xbf\xbdA\x07",
  ]);
  expect(await hexOf(() => UnicodeEncode({ ...points(), outputEncoding: "UTF-16-BE", errors: "ignore" }))).toEqual([
    "\0h\0\xe9\xd8=\xde\0",
    "",
    "\0A\0\x07",
  ]);
});

const grams = (splits: number[], words: string[], options: Partial<Parameters<typeof StringNGrams>[0]>): Promise<unknown[]> =>
  valuesOf(() => {
    const padding = { separator: "|", leftPad: "", rightPad: "", padWidth: 0, preserveShortSequences: false };
    const made = StringNGrams({
      data: words,
      dataSplits: NDArray.from(bigs(...splits), "int64"),
      ngramWidths: [2],
      ...padding,
      ...options,
    });
    return [made.ngrams, made.ngramsSplits];
  });

test.each<readonly [Partial<Parameters<typeof StringNGrams>[0]>, string, bigint[]]>([
  [{ leftPad: "L", rightPad: "R", padWidth: -1 }, "L|a a|b b|R L|R L|c c|d d|e e|R", bigs(0, 3, 4, 8)],
  [{ ngramWidths: [1, 3], leftPad: "L", rightPad: "R", padWidth: 1 }, "a b L|a|b a|b|R c d e L|c|d c|d|e d|e|R", bigs(0, 4, 4, 10)],
  [{ ngramWidths: [3] }, "c|d|e", bigs(0, 0, 0, 1)],
  [{ ngramWidths: [3], preserveShortSequences: true }, "a|b c|d|e", bigs(0, 1, 1, 2)],
  [{ ngramWidths: [5], leftPad: "<", padWidth: 1, preserveShortSequences: true }, "<|a|b| <|c|d|e|", bigs(0, 1, 1, 2)],
])("n-grams %#", async (options, text, splits) => {
  expect(await grams([0, 2, 2, 5], ["a", "b", "c", "d", "e"], options)).toEqual([text.split(" "), splits]);
});

test("joined by segment", async () => {
  expect(await valueOf(() => unsortedSegmentJoin(["a", "b", "c"], [1, 0, 1], 3, { separator: "-" }))).toEqual(["b", "a-c", ""]);
  const pairs = [
    ["a", "b"],
    ["c", "d"],
  ];
  expect(await valueOf(() => unsortedSegmentJoin(pairs, [1, 1], 2, { separator: "-" }))).toEqual([
    ["", ""],
    ["a-c", "b-d"],
  ]);
});

const late = (values: number[]): Tensor => placeholderWithDefault(constant(values, "int32"), null);
test.each<readonly [() => Promise<unknown>, string]>([
  [() => valueOf(() => unicodeTranscode(mixed(), "UTF-8", "UTF-8", { errors: "strict" })), "Invalid formatting on input string"],
  [() => valueOf(() => unicodeTranscode(mixed(), "nope", "UTF-8")), "Could not create converter for input encoding: nope"],
  [
    () => valueOf(() => unicodeTranscode(mixed(), "UTF-8", "UTF-8", { replacementChar: 0x110000 })),
    "replacement_char out of unicode codepoint range",
  ],
  [
    () => valueOf(() => UnicodeEncode({ inputValues: [65], inputSplits: late([0, 2]), outputEncoding: "UTF-8" })),
    "Last value in input_splits must be equal to length of input_tensor.",
  ],
  [() => grams([0, 2], ["a"], {}), "Invalid split value 2, must be in [0, 1]"],
  [() => grams([1, 1], ["a"], {}), "First split value must be 0, got 1"],
  [() => grams([0, 1], ["a"], { ngramWidths: [0] }), "ngram_widths must contain positive values"],
  [
    () => valueOf(() => unsortedSegmentJoin(["a", "b"], [1, -1], 2)),
    "segment_ids are not allowed to exceed num_segments or to have negative values.",
  ],
  [
    () => valueOf(() => unsortedSegmentJoin(["a", "b", "c"], late([1, 1]), 2)),
    "Segment dimension is 2 while input dimension is 1 in rank 0",
  ],
])("refused %#", async (run, text) => {
  await expect(run()).rejects.toThrow(text);
});
