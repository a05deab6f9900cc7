// Unicode: strings from one encoding to another, to code points with their places, and from code points; n-grams of words; joins by segment.
// How malformed bytes count follows ICU: a byte that cannot continue a character ends it.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, OutOfRangeError, ValueError } from "../../base/errors.ts";
import { bytesOfLatin, decodeText, encodeText, NDArray, latinText } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { collect, need } from "../arguments.ts";
import { numbersOf } from "../array/array.ts";
import { bytesAt } from "./string.ts";

// ---- characters of an encoded string ----

/** A code point, -1 for malformed bytes, and where its bytes begin. */
interface Character {
  readonly point: number;
  readonly start: number;
}

function utf8Characters(s: Uint8Array): Character[] {
  const found: Character[] = [];
  for (let start = 0; start < s.length; ) {
    const lead = s[start];
    const more = lead < 0x80 ? 0 : lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : -1;
    let point = more <= 0 ? lead : lead & (0x3f >> more);
    let taken = 0;
    for (; taken < more && start + 1 + taken < s.length; taken++) {
      const byte = s[start + 1 + taken];
      // Overlong forms, surrogates and what is past U+10FFFF show in the second byte.
      const low = taken === 0 && lead === 0xe0 ? 0xa0 : taken === 0 && lead === 0xf0 ? 0x90 : 0x80;
      const high = taken === 0 && lead === 0xed ? 0x9f : taken === 0 && lead === 0xf4 ? 0x8f : 0xbf;
      if (byte < low || byte > high) break;
      point = (point << 6) | (byte & 0x3f);
    }
    found.push({ point: taken === more ? point : -1, start });
    start += 1 + taken;
  }
  return found;
}

/** Text in which a byte b that is no part of a character is the lone surrogate U+DC00 + b. */
export function looseText(bytes: Uint8Array): string {
  const text = decodeText(bytes);
  if (!text.includes("\ufffd")) return text;
  const characters = utf8Characters(bytes);
  return characters
    .map(({ point, start }, k) =>
      point >= 0
        ? String.fromCodePoint(point)
        : Array.from(bytes.subarray(start, characters[k + 1]?.start), byte => String.fromCharCode(0xdc00 + byte)).join(""),
    )
    .join("");
}

/** The inverse of looseText. */
export function looseBytes(text: string): Uint8Array {
  if (!/[\ud800-\udfff]/u.test(text)) return encodeText(text);
  const bytes = Array.from(text, char => {
    const point = char.codePointAt(0) ?? 0;
    return point >= 0xdc00 && point < 0xe000 ? [point - 0xdc00] : [...encodeText(char)];
  });
  return Uint8Array.from(bytes.flat());
}

function utf16Characters(s: Uint8Array, isBig: boolean): Character[] {
  const found: Character[] = [];
  const unit = (at: number): number => (isBig ? (s[at] << 8) | s[at + 1] : (s[at + 1] << 8) | s[at]);
  const isIn = (x: number, from: number): boolean => x >= from && x < from + 0x400;
  for (let start = 0; start < s.length; ) {
    const first = start + 1 < s.length ? unit(start) : -1;
    const second = isIn(first, 0xd800) && start + 3 < s.length ? unit(start + 2) : -1;
    if (isIn(second, 0xdc00)) {
      found.push({ point: 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), start });
      start += 4;
    } else {
      found.push({ point: isIn(first, 0xd800) || isIn(first, 0xdc00) ? -1 : first, start });
      start += 2;
    }
  }
  return found;
}

function utf32Characters(s: Uint8Array, isBig: boolean): Character[] {
  const view = new DataView(s.buffer, s.byteOffset, s.byteLength);
  return Array.from({ length: Math.ceil(s.length / 4) }, (_, k) => {
    const point = 4 * k + 4 <= s.length ? view.getUint32(4 * k, !isBig) : -1;
    return { point: isScalarValue(point) ? point : -1, start: 4 * k };
  });
}

const isScalarValue = (point: number): boolean => point >= 0 && point <= 0x10ffff && !(point >= 0xd800 && point < 0xe000);

const singleBytes = (s: Uint8Array, limit: number): Character[] =>
  Array.from(s, (byte, start) => ({ point: byte < limit ? byte : -1, start }));

/** Encodings of which the platform's decoder says what TensorFlow's ICU says (all bytes, and all pairs of those that have pairs, were compared). */
const platformEncodings: readonly (readonly [pattern: RegExp, label: string])[] = [
  [/^(?:WINDOWS|CP)(125[0124678])$/, "windows-$1"],
  [/^ISO8859([2-8]|9|10|13|14|15)$/, "iso-8859-$1"],
  [/^KOI8R$/, "koi8-r"],
  [/^(?:SHIFTJIS|SJIS|WINDOWS31J)$/, "shift_jis"],
  [/^EUCKR$/, "euc-kr"],
  [/^BIG5$/, "big5"],
];

/** Characters of one or two bytes by a decoder. */
function decodedCharacters(s: Uint8Array, decoder: TextDecoder): Character[] {
  const found: Character[] = [];
  for (let start = 0; start < s.length; ) {
    let [length, text] = [1, decoder.decode(s.subarray(start, start + 1))];
    // What begins a character is malformed by itself, and what ends it well or badly is part of it.
    if (text === malformed && start + 1 < s.length) {
      const pair = decoder.decode(s.subarray(start, start + 2));
      if (pair.length === 1 || !pair.startsWith(malformed)) [length, text] = [2, pair];
    }
    for (const char of text) found.push({ point: char === malformed ? -1 : (char.codePointAt(0) as number), start });
    start += length;
  }
  return found;
}

const malformed = "\ufffd";

function platformReader(encoding: string): ((s: Uint8Array) => Character[]) | undefined {
  const name = encoding.toUpperCase().replace(/[-_]/g, "");
  const known = platformEncodings.find(([pattern]) => pattern.test(name));
  if (known === undefined) return undefined;
  const decoder = new TextDecoder(name.replace(...known));
  // In ISO's tables what the web's take for letters of Windows are control characters.
  const isControl = (byte: number): boolean => name.startsWith("ISO") && byte < 0xa0;
  return s => decodedCharacters(s, decoder).map(each => (isControl(s[each.start]) ? { ...each, point: s[each.start] } : each));
}

/** The reader of an encoding. @throws InvalidArgumentError for one that is not known. */
function readerOf(encoding: string): (s: Uint8Array) => Character[] {
  switch (encoding.toUpperCase().replace(/[-_]/g, "")) {
    case "UTF8":
      return utf8Characters;
    case "UTF16BE":
    case "UTF16":
      return s => utf16Characters(s, true);
    case "UTF16LE":
      return s => utf16Characters(s, false);
    case "UTF32BE":
    case "UTF32":
      return s => utf32Characters(s, true);
    case "UTF32LE":
      return s => utf32Characters(s, false);
    case "ISO88591":
    case "LATIN1":
      return s => singleBytes(s, 256);
    case "USASCII":
    case "ASCII":
      return s => singleBytes(s, 128);
    default: {
      const reader = platformReader(encoding);
      if (reader) return reader;
      throw new InvalidArgumentError(`Could not create converter for input encoding: ${encoding}`);
    }
  }
}

interface Handling {
  readonly errors: "strict" | "replace" | "ignore";
  readonly replacementChar: number;
  readonly replaceControlCharacters?: boolean;
}

function checkReplacement({ replacementChar }: Handling): void {
  if (!isScalarValue(replacementChar)) throw new InvalidArgumentError("replacement_char out of unicode codepoint range");
}

/** Malformed characters left out, replaced or refused. */
function handled(
  characters: readonly Character[],
  { errors, replacementChar, replaceControlCharacters = false }: Handling,
): readonly Character[] {
  if (!replaceControlCharacters && characters.every(({ point }) => point >= 0)) return characters;
  if (errors === "strict" && characters.some(({ point }) => point < 0))
    throw new InvalidArgumentError("Invalid formatting on input string");
  return characters
    .filter(({ point }) => point >= 0 || errors !== "ignore")
    .map(({ point, start }) => {
      const isControl = replaceControlCharacters && point >= 0 && point < 32;
      return { point: point < 0 || isControl ? replacementChar : point, start };
    });
}

const outputEncoding = attr.oneOf(["UTF-8", "UTF-16-BE", "UTF-32-BE"]);
type OutputEncoding = "UTF-8" | "UTF-16-BE" | "UTF-32-BE";

function encoded(points: readonly number[], encoding: OutputEncoding): Uint8Array {
  const text = points.map(point => String.fromCodePoint(point)).join("");
  if (encoding === "UTF-8") return encodeText(text);
  const units = encoding === "UTF-16-BE" ? Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)) : points;
  const width = encoding === "UTF-16-BE" ? 2 : 4;
  const view = new DataView(new ArrayBuffer(units.length * width));
  units.forEach((unit, i) => {
    if (width === 2) view.setUint16(2 * i, unit);
    else view.setUint32(4 * i, unit);
  });
  return new Uint8Array(view.buffer);
}

const errorsAttr = attr.oneOf(["strict", "replace", "ignore"], "replace");
const handlingAttrs = { errors: errorsAttr, replacementChar: attr.int(65533), replaceControlCharacters: attr.bool(false) };

/** Strings from one encoding to another. */
export const UnicodeTranscode = defineOp("UnicodeTranscode", {
  inputs: { input: "string" },
  outputs: { output: "string" },
  attrs: { inputEncoding: attr.string(), outputEncoding, ...handlingAttrs },
  shape: ({ input }) => input,
  lower: ({ input, inputEncoding, outputEncoding: to, ...handling }) => {
    checkReplacement(handling);
    const read = readerOf(inputEncoding);
    const run = ([given]: readonly NDArray[], [out]: readonly NDArray[]): void => {
      for (let i = 0; i < given.size; i++) {
        const points = handled(read(bytesAt(given, i)), handling).map(({ point }) => point);
        out.set(i, encoded(points, to));
      }
    };
    return ir.call({ name: "UnicodeTranscode", run }, [input], [input])[0];
  },
});

const decodingAttrs = { inputEncoding: attr.string(), ...handlingAttrs, Tsplits: attr.type(attr.indexTypes, "int64") };

/** Strings of any shape are decoded in their order. */
const decodedShapes = (input: TensorShape): TensorShape[] => {
  const count = input.size;
  return [new TensorShape([count === null ? null : count + 1]), new TensorShape([null]), new TensorShape([null])];
};

interface Decoding extends Handling {
  readonly inputEncoding: string;
}

/** Where the rows begin, the code points, and the numbers of the bytes those begin at. */
function decoded(input: NDArray, Tsplits: DType, { inputEncoding, ...handling }: Decoding): NDArray[] {
  checkReplacement(handling);
  const read = readerOf(inputEncoding);
  const rows = Array.from({ length: input.size }, (_, i) => handled(read(bytesAt(input, i)), handling));
  const all = rows.flat();
  const points = NDArray.zeros("int32", [all.length]);
  const starts = NDArray.zeros("int64", [all.length]);
  for (let i = 0; i < all.length; i++) {
    (points.data as Int32Array)[i] = all[i].point;
    (starts.data as BigInt64Array)[i] = BigInt(all[i].start);
  }
  return [splitsOf(rows, Tsplits), points, starts];
}

/** Code points of strings, with the number of the byte that each begins at. */
export const UnicodeDecodeWithOffsets = defineOp("UnicodeDecodeWithOffsets", {
  inputs: { input: "string" },
  outputs: { rowSplits: "Tsplits", charValues: "int32", charToByteStarts: "int64" },
  attrs: decodingAttrs,
  shape: ({ input }) => decodedShapes(input),
  host: ({ input, Tsplits, ...decoding }) => decoded(input, Tsplits, decoding),
});

/** Code points of strings. */
export const UnicodeDecode = defineOp("UnicodeDecode", {
  inputs: { input: "string" },
  outputs: { rowSplits: "Tsplits", charValues: "int32" },
  attrs: decodingAttrs,
  shape: ({ input }) => decodedShapes(input).slice(0, 2),
  host: ({ input, Tsplits, ...decoding }) => decoded(input, Tsplits, decoding).slice(0, 2),
});

function splitsOf(rows: readonly (readonly unknown[])[], dtype: DType): NDArray {
  const splits = NDArray.zeros(dtype, [rows.length + 1]);
  let end = 0;
  rows.forEach((row, i) => {
    end += row.length;
    splits.set(i + 1, end);
  });
  return splits;
}

/** Strings from rows of code points. */
export const UnicodeEncode = defineOp("UnicodeEncode", {
  inputs: { inputValues: "int32", inputSplits: "Tsplits" },
  outputs: { output: "string" },
  attrs: {
    errors: attr.oneOf(["ignore", "replace", "strict"], "replace"),
    outputEncoding,
    replacementChar: attr.int(65533),
    Tsplits: attr.type(attr.indexTypes, "int64"),
  },
  shape: ({ inputValues, inputSplits }) => {
    inputValues.withRank(1);
    const count = inputSplits.withRank(1).dim(0);
    if (count === 0) throw new ValueError("Negative dimension size caused by subtracting 1 from 0");
    return new TensorShape([count === null ? null : count - 1]);
  },
  host: ({ inputValues, inputSplits, errors, outputEncoding: to, replacementChar }) => {
    checkReplacement({ errors, replacementChar });
    const [points, splits] = [numbersOf(inputValues), numbersOf(inputSplits)];
    if (splits[0] !== 0) throw new InvalidArgumentError("First value in input_splits must be zero.");
    if (splits.at(-1) !== points.length)
      throw new InvalidArgumentError("Last value in input_splits must be equal to length of input_tensor.");
    if (splits.some((split, i) => i > 0 && split < splits[i - 1]))
      throw new InvalidArgumentError("Values in input_splits must be equal or in ascending order.");
    const output = NDArray.zeros("string", [splits.length - 1]);
    for (let i = 0; i < output.size; i++) {
      const row = points.slice(splits[i], splits[i + 1]);
      if (errors === "strict" && !row.every(isScalarValue))
        throw new InvalidArgumentError("Code point is out of range for Unicode, or is a surrogate.");
      const good = errors === "ignore" ? row.filter(isScalarValue) : row.map(point => (isScalarValue(point) ? point : replacementChar));
      output.set(i, encoded(good, to));
    }
    return output;
  },
});

// ---- n-grams ----

/** n-grams of the rows of a ragged tensor of words. */
export const StringNGrams = defineOp("StringNGrams", {
  inputs: { data: "string", dataSplits: "Tsplits" },
  outputs: { ngrams: "string", ngramsSplits: "Tsplits" },
  attrs: {
    separator: attr.string(),
    ngramWidths: attr.ints(undefined, 0),
    leftPad: attr.string(),
    rightPad: attr.string(),
    padWidth: attr.int(),
    preserveShortSequences: attr.bool(),
    Tsplits: attr.type(attr.indexTypes, "int64"),
  },
  shape: ({ data, dataSplits }) => {
    data.withRank(1);
    return [new TensorShape([null]), dataSplits.withRank(1)];
  },
  host: ({ data, dataSplits, separator, ngramWidths, leftPad, rightPad, padWidth, preserveShortSequences, Tsplits }) => {
    if (ngramWidths.some(width => width <= 0)) throw new InvalidArgumentError("ngram_widths must contain positive values");
    const splits = numbersOf(dataSplits);
    checkSplits(splits, data.size);
    // Without words there is nothing to pad, either.
    if (splits.length === 0 || data.size === 0)
      return [
        data,
        splitsOf(
          splits.slice(1).map(() => []),
          Tsplits,
        ),
      ];
    const words = Array.from({ length: data.size }, (_, i) => latinText(bytesAt(data, i)));
    const [left, right, between] = [leftPad, rightPad, separator].map(text => latinText(encodeText(text)));
    const paddingFor = (width: number): number => Math.min(padWidth < 0 ? width - 1 : padWidth, width - 1);
    const rows = splits.slice(1).map((end, i) => {
      const row = words.slice(splits[i], end);
      const grams = ngramWidths.flatMap(width => {
        const padding = paddingFor(width);
        const padded = [...Array<string>(padding).fill(left), ...row, ...Array<string>(padding).fill(right)];
        return Array.from({ length: Math.max(0, padded.length - width + 1) }, (_, k) => padded.slice(k, k + width).join(between));
      });
      if (grams.length > 0 || !preserveShortSequences || row.length === 0) return grams;
      const padding = Math.max(0, padWidth);
      return [[...Array<string>(padding).fill(left), ...row, ...Array<string>(padding).fill(right)].join(between)];
    });
    const all = rows.flat();
    const ngrams = NDArray.zeros("string", [all.length]);
    all.forEach((text, i) => void ngrams.set(i, bytesOfLatin(text)));
    return [ngrams, splitsOf(rows, Tsplits)];
  },
});

function checkSplits(splits: readonly number[], size: number): void {
  if (splits.length === 0) return;
  if (splits[0] !== 0) throw new InvalidArgumentError(`First split value must be 0, got ${splits[0]}`);
  splits.slice(1).forEach((split, i) => {
    if (split < splits[i] || split > size)
      throw new InvalidArgumentError(`Invalid split value ${split}, must be in [${splits[i]}, ${size}]`);
  });
  if (splits.at(-1) !== size) throw new InvalidArgumentError(`Last split value must be data size. Expected ${size}, got ${splits.at(-1)}`);
}

// ---- joins ----

/** Strings joined by segment, in order. */
export const UnsortedSegmentJoin = defineOp("UnsortedSegmentJoin", {
  inputs: { inputs: "string", segmentIds: "Tindices", numSegments: "Tnumsegments" },
  outputs: { output: "string" },
  attrs: { separator: attr.string(""), Tindices: attr.type(attr.indexTypes), Tnumsegments: attr.type(attr.indexTypes, "int32") },
  compileTimeInputs: ["numSegments"],
  shape: ({ inputs, segmentIds, numSegments }, context) => {
    numSegments.withRank(0);
    const rank = segmentIds.rank;
    if (inputs.rank === null || rank === null) return TensorShape.unknown();
    const leading = inputs.withRankAtLeast(rank).slice(0, rank).dims ?? [];
    for (const [axis, size] of (segmentIds.dims ?? []).entries())
      if (size !== null && leading[axis] !== null && size !== leading[axis])
        throw new ValueError(`Dimensions must be equal, but are ${leading[axis]} and ${size}`);
    const count = context.constant("numSegments")?.get(0);
    if (count !== undefined && Number(count) < 0)
      throw new ValueError(`Dimension size, given by scalar input 2, must be non-negative but is ${String(count)}`);
    return new TensorShape([count === undefined ? null : Number(count)]).concatenate(inputs.slice(rank));
  },
  isLenient: true,
  checks: ({ inputs, segmentIds, numSegments }) => {
    const [rank, most] = [segmentIds.length, inputs.length];
    need(numSegments.length === 0, () => "Number of segments must be a scalar");
    need(rank > 0, () => "Segment_id cannot have rank 0");
    need(rank <= most, () => `Invalid segment_id rank ${rank} for input with ${most} dimension(s)`, OutOfRangeError);
    for (const [axis, size] of segmentIds.entries())
      need(size === inputs[axis], () => `Segment dimension is ${size} while input dimension is ${most} in rank ${axis}`);
  },
  lower: ({ inputs, segmentIds, numSegments, separator }) => {
    const [count] = numbersOf(numSegments);
    if (count < 0) throw new InvalidArgumentError(`Number of segments must be non-negative but got ${count}`);
    const rank = segmentIds.shape.length;
    const inner = inputs.shape.slice(rank);
    const width = sizeOf(inner);
    const run = ([given, ids]: readonly NDArray[], [out]: readonly NDArray[]): void => {
      const parts: string[][] = Array.from({ length: out.size }, () => []);
      for (let n = 0; n < ids.size; n++) {
        const id = Number(ids.get(n));
        if (id < 0 || id >= count)
          throw new InvalidArgumentError("segment_ids are not allowed to exceed num_segments or to have negative values.");
        for (let k = 0; k < width; k++) parts[id * width + k].push(latinText(bytesAt(given, n * width + k)));
      }
      const between = latinText(encodeText(separator));
      // Nothing is put between while all was empty.
      parts.forEach(
        (list, i) => void out.set(i, bytesOfLatin(list.reduce((whole, part) => (whole === "" ? part : whole + between + part), ""))),
      );
    };
    return ir.call({ name: "UnsortedSegmentJoin", run }, [inputs, segmentIds], [{ dtype: "string", shape: [count, ...inner] }])[0];
  },
});

// ---- public functions ----

interface TranscodeOptions extends Named {
  readonly errors?: "strict" | "replace" | "ignore";
  readonly replacementChar?: number;
  readonly replaceControlCharacters?: boolean;
}

/** Strings from one encoding to another. TF: tf.strings.unicode_transcode. */
export function unicodeTranscode(input: TensorLike, inputEncoding: string, outputTo: OutputEncoding, ...rest: unknown[]): Tensor {
  const names = ["errors", "replacementChar", "replaceControlCharacters", "name"];
  const { name, ...options } = collect<TranscodeOptions>(names, rest);
  return UnicodeTranscode({ input, inputEncoding, outputEncoding: outputTo, ...options }, { name });
}

/** The strings of each segment joined in order; ids may come in any order. TF: tf.strings.unsorted_segment_join. */
export function unsortedSegmentJoin(inputs: TensorLike, segmentIds: TensorLike, numSegments: TensorLike, ...rest: unknown[]): Tensor {
  const { separator = "", name } = collect<Named & { separator: string }>(["separator", "name"], rest);
  return UnsortedSegmentJoin({ inputs, segmentIds, numSegments, separator }, { name });
}
