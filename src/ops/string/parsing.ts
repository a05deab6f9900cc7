// Taking strings apart: splitting, raw bytes, CSV, Unicode code points; and putting tensors into a text.
// How many parts there are is only known while running, so these strings end a segment of the run.

import type { DType } from "../../base/dtype.ts";
import { dtypeBytes, dtypeTable, isComplex } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { bytesOfLatin, decodeText, encodeText, latinText, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { collect, eitherName, need } from "../arguments.ts";
import { placesInRows } from "../sparse/parts.ts";
import { type NameOption, named } from "../named.ts";
import { bytesAt, isSpace, parseNumber } from "./string.ts";
import { looseBytes, looseText } from "./unicode.ts";
import { element } from "../summary/tensor-summary.ts";

const stringsOf = (array: NDArray): Uint8Array[] => Array.from({ length: array.size }, (_, i) => bytesAt(array, i));

// ---- splitting ----

/** Each byte of `delimiter` separates; without any, every byte is a part. */
function splitterAtAny(delimiter: Uint8Array, skipEmpty: boolean): (s: Uint8Array) => Uint8Array[] {
  if (delimiter.length === 0) return s => Array.from(s, byte => Uint8Array.of(byte));
  const separates = new Uint8Array(256);
  for (const byte of delimiter) separates[byte] = 1;
  return s => {
    const parts: Uint8Array[] = [];
    // Of an empty string TensorFlow makes nothing, even where empty parts count.
    if (s.length === 0) return parts;
    let from = 0;
    for (let i = 0; i <= s.length; i++) {
      if (i < s.length && separates[s[i]] === 0) continue;
      if (!skipEmpty || i > from) parts.push(s.slice(from, i));
      from = i + 1;
    }
    return parts;
  };
}

/** As Python's str.split: at `separator`, or (empty) at runs of whitespace; at most `most` times. */
function splitLikePython(s: Uint8Array, separator: Uint8Array, most: number): Uint8Array[] {
  if (most === 0) return [s];
  if (separator.length === 0) return splitWords(s, most);
  const parts: Uint8Array[] = [];
  let from = 0;
  while (most < 0 || parts.length < most) {
    const found = placeOf(s, separator, from);
    if (found < 0) break;
    parts.push(s.slice(from, found));
    from = found + separator.length;
  }
  parts.push(s.slice(from));
  return parts;
}

/** Of words TensorFlow keeps what is behind the last one as it is, also where that is nothing, and cuts no text that it shall not split. */
function splitWords(s: Uint8Array, most: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const behindSpaces = (from: number): number => {
    let at = from;
    while (at < s.length && isSpace(s[at])) at++;
    return at;
  };
  for (let at = behindSpaces(0); at < s.length; ) {
    const from = at;
    while (at < s.length && !isSpace(s[at])) at++;
    parts.push(s.slice(from, at));
    at = behindSpaces(at);
    if (parts.length === most) return [...parts, s.slice(at)];
  }
  return parts;
}

/** Where bytes stand in others, from a place on; -1: nowhere. */
function placeOf(s: Uint8Array, wanted: Uint8Array, from: number): number {
  for (let at = s.indexOf(wanted[0], from); at >= 0; at = s.indexOf(wanted[0], at + 1)) {
    let same = 1;
    while (same < wanted.length && s[at + same] === wanted[same]) same++;
    if (same === wanted.length) return at;
  }
  return -1;
}

/** Rows of parts as a sparse matrix: positions, parts, shape. */
function sparse(rows: readonly Uint8Array[][]): [indices: Value, values: Value, shape: Value] {
  const parts = rows.flat();
  const lengths = rows.map(({ length }) => length);
  const widest = lengths.reduce((most, length) => Math.max(most, length), 0);
  return [
    ir.constant(placesInRows(lengths)),
    ir.constant(new NDArray("string", [parts.length], parts)),
    ir.constant(NDArray.from([rows.length, widest], "int64")),
  ];
}

const sparseShapes = (input: TensorShape): TensorShape[] => {
  input.withRank(1);
  return [new TensorShape([null, 2]), new TensorShape([null]), new TensorShape([2])];
};
function checkSplit(input: readonly number[], separator: Readonly<Record<string, readonly number[]>>): void {
  need(input.length === 1, () => `input must be a vector, got shape: [${input}]`);
  for (const [name, dims] of Object.entries(separator)) need(dims.length === 0, () => `${name} must be a scalar, got shape: [${dims}]`);
}
const sparseOutputs = { indices: "int64", values: "string", shape: "int64" } as const;

export const StringSplit = defineOp("StringSplit", {
  inputs: { input: "string", delimiter: "string" },
  outputs: sparseOutputs,
  attrs: { skipEmpty: attr.bool(true) },
  shape: ({ input, delimiter }) => {
    const shapes = sparseShapes(input);
    delimiter.withRank(0);
    return shapes;
  },
  gradient: "none",
  checks: ({ input, delimiter }) => checkSplit(input, { delimiter }),
  compileTimeInputs: ["input", "delimiter"],
  lower: ({ input, delimiter, skipEmpty }) => {
    const split = splitterAtAny(bytesAt(delimiter, 0), skipEmpty);
    return sparse(stringsOf(input).map(split));
  },
});

export const StringSplitV2 = defineOp("StringSplitV2", {
  inputs: { input: "string", sep: "string" },
  outputs: sparseOutputs,
  attrs: { maxsplit: attr.int(-1) },
  shape: ({ input, sep }) => {
    sep.withRank(0);
    return sparseShapes(input);
  },
  gradient: "none",
  checks: ({ input, sep }) => checkSplit(input, { sep }),
  compileTimeInputs: ["input", "sep"],
  lower: ({ input, sep, maxsplit }) => {
    const by = bytesAt(sep, 0);
    return sparse(stringsOf(input).map(s => splitLikePython(s, by, maxsplit)));
  },
});

// ---- raw bytes ----

const rawTypes = [
  "float16",
  "float32",
  "float64",
  "int32",
  "uint16",
  "uint8",
  "int16",
  "int8",
  "int64",
  "complex64",
  "complex128",
  "bool",
  "bfloat16",
] as const satisfies readonly DType[];

export const DecodeRaw = defineOp("DecodeRaw", {
  inputs: { bytes: "string" },
  outputs: { output: "outType" },
  attrs: { outType: attr.type(rawTypes), littleEndian: attr.bool(true) },
  shape: ({ bytes }) => bytes.concatenate([null]),
  gradient: "none",
  compileTimeInputs: ["bytes"],
  lower: ({ bytes, outType, littleEndian }) => {
    const strings = stringsOf(bytes);
    const length = strings[0]?.length ?? 0;
    strings.forEach((s, i) => {
      if (s.length !== length)
        throw new InvalidArgumentError(
          `DecodeRaw requires input strings to all be the same size, but element ${i} has size ${length} != ${s.length}`,
        );
    });
    const size = dtypeBytes(outType);
    if (length % size !== 0)
      throw new InvalidArgumentError(
        `Input to DecodeRaw has length ${length} that is not a multiple of ${size}, the size of ${dtypeTable[outType].cName}`,
      );
    const result = NDArray.zeros(outType, [...bytes.shape, length / size]);
    const to = new Uint8Array(result.data.length === 0 ? 0 : length * strings.length);
    strings.forEach((s, i) => void to.set(s, i * length));
    const word = outType.startsWith("complex") ? size / 2 : size;
    if (!littleEndian) for (let at = 0; at < to.length; at += word) to.subarray(at, at + word).reverse();
    const data = result.data as Uint8Array;
    if (to.length > 0) new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(to);
    return ir.constant(result);
  },
});

interface RawOptions extends Named {
  readonly outType?: DType;
  readonly littleEndian?: boolean;
  /** An older name of the first argument. */
  readonly bytes?: TensorLike | null;
}

/** Bytes taken as numbers: strings of one length → one more axis. TF: tf.decode_raw(input_bytes, out_type, little_endian, name). */
export function decodeRaw(inputBytes: TensorLike | null, ...rest: unknown[]): Tensor {
  const { outType, littleEndian, name, bytes } = collect<RawOptions>(["outType", "littleEndian", "name", "bytes"], rest);
  return DecodeRaw({ bytes: eitherName("input_bytes", inputBytes, "bytes", bytes) as TensorLike, outType, littleEndian }, { name });
}

// ---- CSV ----

/** What is said of quotes where they may not be. */
const misplaced: { unquoted: string; unended: string; after: string; isReadOn?: boolean } = {
  unquoted: "Unquoted fields cannot have quotes/CRLFs inside",
  unended: "Quoted field has to end with quote followed by delim or end",
  after: "Quote inside a string has to be escaped by another quote",
};

/** The fields of one record (RFC 4180), the first `limit` of them. @throws InvalidArgumentError for misplaced quotes. */
export function csvFields(record: Uint8Array, delimiter: string, useQuotes: boolean, texts = misplaced, limit = Infinity): string[] {
  const text = latinText(record);
  const fields: string[] = [];
  let at = 0;
  while (fields.length < limit) {
    if (useQuotes && text[at] === '"') {
      let field = "";
      let isMisplaced = false;
      at++;
      for (;;) {
        const quote = text.indexOf('"', at);
        if (quote < 0) throw new InvalidArgumentError(texts.unended);
        field += text.slice(at, quote);
        at = quote + 1;
        if (at >= text.length || text[at] === delimiter) break;
        isMisplaced ||= text[at] !== '"';
        if (isMisplaced && !texts.isReadOn) break;
        field += '"';
        at++;
      }
      if (isMisplaced) throw new InvalidArgumentError(texts.after);
      fields.push(field);
    } else {
      const end = text.indexOf(delimiter, at);
      const field = text.slice(at, end < 0 ? text.length : end);
      if (/[\n\r]/.test(field) || (useQuotes && field.includes('"'))) throw new InvalidArgumentError(texts.unquoted);
      fields.push(field);
      at = end < 0 ? text.length : end;
    }
    if (at >= text.length) break;
    at++;
  }
  return fields;
}

export const csvTypes = ["float32", "float64", "int32", "int64", "string"] as const satisfies readonly DType[];

interface Csv {
  readonly fieldDelim: string;
  readonly useQuoteDelim: boolean;
  readonly naValue: string;
  readonly selectCols: readonly number[];
}

function readRecord(record: Uint8Array, row: number, types: readonly DType[], csv: Csv): string[] {
  // Line ends before a field count for nothing, and a record of nothing else has no field.
  const start = record.findIndex(byte => byte !== 10 && byte !== 13);
  const limit = csv.selectCols.length === 0 ? Infinity : Math.max(...csv.selectCols) + 1;
  const all = start < 0 ? [] : csvFields(record.subarray(start), csv.fieldDelim, csv.useQuoteDelim, misplaced, limit);
  const fields = csv.selectCols.length === 0 ? all : csv.selectCols.map(column => all[column] as string | undefined);
  const count = csv.selectCols.length === 0 ? all.length : fields.filter(field => field !== undefined).length;
  if (count !== types.length) throw new InvalidArgumentError(`Expect ${types.length} fields but have ${count} in record ${row}`);
  return fields as string[];
}

/** Puts the fields of a record where they belong; `place` tells which record it is. */
export function fillCsvRow(
  fields: readonly string[],
  row: number,
  types: readonly DType[],
  defaults: readonly NDArray[],
  results: readonly NDArray[],
  na: string,
  place = `record ${row}`,
): void {
  for (let k = 0; k < fields.length; k++) {
    const field = fields[k];
    if (field === "" || field === na) {
      if (defaults[k].size === 0) throw new InvalidArgumentError(`Field ${k} is required but missing in ${place}!`);
      results[k].set(row, defaults[k].get(0));
    } else if (types[k] === "string") results[k].set(row, bytesOfLatin(field));
    else {
      const value = parseNumber(bytesOfLatin(field), types[k]);
      if (value === undefined)
        throw new InvalidArgumentError(
          `Field ${k} in ${place} is not a valid ${dtypeTable[types[k]].cName}: ${decodeText(bytesOfLatin(field))}`,
        );
      results[k].set(row, value);
    }
  }
}

export const DecodeCSV = defineOp("DecodeCSV", {
  inputs: { records: "string", recordDefaults: "OUT_TYPE" },
  outputs: { output: "OUT_TYPE" },
  attrs: {
    OUT_TYPE: attr.types(undefined, { allowed: csvTypes, minimum: 1 }),
    fieldDelim: attr.string(","),
    useQuoteDelim: attr.bool(true),
    naValue: attr.string(""),
    selectCols: attr.ints([]),
  },
  shape: ({ records, recordDefaults }) => {
    recordDefaults.forEach(shape => {
      if (shape.rank !== null && shape.rank > 1) throw new ValueError(`Shape must be at most rank 1 but is rank ${shape.rank}`);
      if (shape.rank === 1 && (shape.dim(0) ?? 0) > 1)
        throw new ValueError("Shape of a default must be a length-0 or length-1 vector, or a scalar.");
    });
    return recordDefaults.map(() => records);
  },
  checks: ({ recordDefaults }) =>
    recordDefaults.forEach((dims, i) => {
      need(dims.length < 2, () => "Each record default should be at most rank 1");
      need((dims[0] ?? 0) < 2, () => `There should only be 1 default per field but field ${i} has ${dims[0]}`);
    }),
  lower: ({ records, recordDefaults, OUT_TYPE: types, ...csv }) => {
    need(encodeText(csv.fieldDelim).length === 1, () => "field_delim should be only 1 char");
    const missing = latinText(encodeText(csv.naValue));
    const run = ([lines, ...defaults]: readonly NDArray[], results: readonly NDArray[]): void => {
      for (let row = 0; row < lines.size; row++)
        fillCsvRow(readRecord(bytesAt(lines, row), row, types, csv), row, types, defaults, results, missing);
    };
    return ir.call(
      { name: "DecodeCSV", run },
      [records, ...recordDefaults],
      types.map(dtype => ({ dtype, shape: records.shape })),
    );
  },
});

interface CsvOptions extends Named {
  readonly fieldDelim?: string;
  readonly useQuoteDelim?: boolean;
  /** A field of this text is missing too. */
  readonly naValue?: string;
  /** Columns to keep, ascending. */
  readonly selectCols?: readonly number[];
}

/** Columns of CSV records; each default gives the column's type, and its value where a field is empty ([]: must not be).
 *  TF: tf.decode_csv(records, record_defaults, field_delim, use_quote_delim, name, na_value, select_cols). */
export function decodeCsv(records: TensorLike, recordDefaults: readonly TensorLike[], ...rest: unknown[]): readonly Tensor[] {
  const { name, ...options } = collect<CsvOptions>(["fieldDelim", "useQuoteDelim", "name", "naValue", "selectCols"], rest);
  return DecodeCSV({ records, recordDefaults, ...options }, { name });
}

// ---- Unicode ----

/** Scripts by ICU's numbers: a number, then those that follow from it on. */
const scriptRuns =
  "0 Common Inherited Arabic Armenian Bengali Bopomofo Cherokee Coptic Cyrillic Deseret Devanagari Ethiopic Georgian Gothic Greek Gujarati Gurmukhi Han Hangul Hebrew Hiragana Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Ogham Old_Italic Oriya Runic Sinhala Syriac Tamil Telugu Thaana Thai Tibetan Canadian_Aboriginal Yi Tagalog Hanunoo Buhid Tagbanwa Braille Cypriot Limbu Linear_B Osmanya Shavian Tai_Le Ugaritic 55 Buginese Glagolitic Kharoshthi Syloti_Nagri New_Tai_Lue Tifinagh Old_Persian Balinese Batak 65 Brahmi Cham 71 Egyptian_Hieroglyphs 75 Pahawh_Hmong Old_Hungarian 78 Javanese Kayah_Li 82 Lepcha Linear_A Mandaic 86 Meroitic_Hieroglyphs Nko Old_Turkic Old_Permic Phags_Pa Phoenician Miao 99 Vai 101 Cuneiform 104 Carian 106 Tai_Tham Lycian Lydian Ol_Chiki Rejang Saurashtra SignWriting Sundanese 115 Meetei_Mayek Imperial_Aramaic Avestan Chakma 120 Kaithi Manichaean Inscriptional_Pahlavi Psalter_Pahlavi 125 Inscriptional_Parthian Samaritan Tai_Viet 130 Bamum Lisu 133 Old_South_Arabian Bassa_Vah Duployan Elbasan Grantha 140 Mende_Kikakui Meroitic_Cursive Old_North_Arabian Nabataean Palmyrene Khudawadi Warang_Citi 149 Mro Nushu Sharada Sora_Sompeng Takri Tangut 156 Anatolian_Hieroglyphs Khojki Tirhuta Caucasian_Albanian Mahajani Ahom Hatran Modi Multani Pau_Cin_Hau Siddham Adlam Bhaiksuki Marchen Newa Osage 175 Masaram_Gondi Soyombo Zanabazar_Square Dogra Gunjala_Gondi Makasar Medefaidrin Hanifi_Rohingya Sogdian Old_Sogdian Elymaic Nyiakeng_Puachue_Hmong Nandinagari Wancho Chorasmian Dives_Akuru Khitan_Small_Script Yezidi";

let scripts: readonly (readonly [script: RegExp, number: number])[] | undefined;

function scriptsByNumber(): readonly (readonly [script: RegExp, number: number])[] {
  let next = 0;
  return scriptRuns.split(" ").flatMap((word): [RegExp, number][] => {
    if (/^\d/.test(word)) next = Number(word);
    return /^\d/.test(word) ? [] : [[new RegExp(`\\p{Script=${word}}`, "u"), next++]];
  });
}

/** Code points without a script, or of one that is newer than Unicode 13 (TensorFlow's ICU), have that of unknown ones, 103. */
function scriptOf(point: number): number {
  if (point < 0 || point > 0x10ffff) return -1;
  scripts ??= scriptsByNumber();
  const char = String.fromCodePoint(point);
  return scripts.find(([script]) => script.test(char))?.[1] ?? 103;
}

export const UnicodeScript = defineOp("UnicodeScript", {
  inputs: { input: "int32" },
  outputs: { output: "int32" },
  attrs: {},
  shape: ({ input }) => input,
  gradient: "none",
  lower: ({ input }) => {
    const run = ([points]: readonly NDArray[], [result]: readonly NDArray[]): void => {
      for (let i = 0; i < result.size; i++) result.set(i, scriptOf(Number(points.get(i))));
    };
    const [out] = ir.call({ name: "UnicodeScript", run }, [input], [input]);
    return out;
  },
});

/** The script of each code point, by ICU's numbers. TF: tf.strings.unicode_script. */
export const unicodeScript = (input: TensorLike, options?: NameOption): Tensor => UnicodeScript({ input }, named(options));

// ---- formatting ----

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "'": "\\'", "\\": "\\\\" };
/** As in a string of C: quotes, backslashes and what ASCII does not print have a backslash before them. */
const escaped = (text: string): string =>
  Array.from(text, char => {
    const code = char.charCodeAt(0);
    return escapes[char] ?? (code < 32 || code === 127 ? `\\${code.toString(8).padStart(3, "0")}` : char);
  }).join("");

/** An array in brackets, of long axes only `most` elements at each end; complex numbers are not printed, as in TensorFlow. */
function printed(array: NDArray, most: number): string {
  const { rank, size } = array;
  const count = most < 0 ? size : Math.min(most, size);
  if (isComplex(array.dtype)) {
    const marks = `${Array(count).fill("?").join(" ")}${count < size ? "..." : ""}`;
    return rank === 0 ? marks : `[${marks}]`;
  }
  const text = (i: number): string => (array.dtype === "string" ? `"${escaped(looseText(bytesAt(array, i)))}"` : element(array, i));
  const build = (axis: number, from: number, step: number): string => {
    if (axis === rank) return text(from);
    const length = array.shape[axis];
    const inner = step / Math.max(length, 1);
    const space = axis === rank - 1 ? " " : `${"\n".repeat(rank - axis - 1)}${" ".repeat(axis + 1)}`;
    const part = (i: number): string => (i > 0 ? space : "") + build(axis + 1, from + i * inner, inner);
    const parts = Array.from({ length: Math.min(count, length) }, (_, i) => part(i));
    if (length > 2 * count) parts.push(`${space}...`);
    for (let i = Math.max(count, length - count); i < length; i++) parts.push(part(i));
    return `[${parts.join("")}]`;
  };
  return build(0, 0, size);
}

export const StringFormat = defineOp("StringFormat", {
  inputs: { inputs: "T" },
  outputs: { output: "string" },
  attrs: { T: attr.types(undefined, { minimum: 0 }), template: attr.string("%s"), placeholder: attr.string("%s"), summarize: attr.int(3) },
  shape: () => new TensorShape([]),
  gradient: "none",
  lower: ({ inputs, template, placeholder, summarize }) => {
    const parts = template.split(placeholder);
    if (parts.length !== inputs.length + 1)
      throw new InvalidArgumentError(`num placeholders in template and num inputs must match: ${parts.length - 1} vs. ${inputs.length}`);
    const run = (given: readonly NDArray[], [result]: readonly NDArray[]): void =>
      result.set(0, looseBytes(parts.map((part, i) => (i === 0 ? part : printed(given[i - 1], summarize) + part)).join("")));
    const [out] = ir.call({ name: "StringFormat", run }, inputs, [{ dtype: "string", shape: [] }]);
    return out;
  },
});

interface FormatOptions extends Named {
  readonly placeholder?: string;
  /** How many elements at each end of a long axis are shown; -1: all. */
  readonly summarize?: number;
}

/** The template with each `{}` replaced by a tensor as text. TF: tf.strings.format(template, inputs, placeholder, summarize, name). */
export function format(template: string, inputs: TensorLike | readonly TensorLike[], ...rest: unknown[]): Tensor {
  const { placeholder = "{}", summarize, name } = collect<FormatOptions>(["placeholder", "summarize", "name"], rest);
  if (typeof inputs === "string") throw new TypeError(`Expected list for 'inputs' argument to 'StringFormat' Op, not ${inputs}.`);
  const list = Array.isArray(inputs) ? (inputs as readonly TensorLike[]) : [inputs as TensorLike];
  const places = template.split(placeholder).length - 1;
  if (places !== list.length)
    throw new ValueError(
      `The template expects ${places} tensors, but the inputs only has ${list.length}. Please ensure the number of placeholders in template matches inputs length.`,
    );
  return StringFormat({ inputs: list, template, placeholder, summarize }, { name });
}
