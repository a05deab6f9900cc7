// Strings taken apart into rows of different lengths (bytes, characters, code points, n-grams), and put together again. The ops are in ops/string/unicode.ts.

import { ValueError } from "../../base/errors.ts";
import { type ConversionOptions, convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { collect, eitherName } from "../../ops/arguments.ts";
import { expandDims, reshape, shape as shapeOf } from "../../ops/array/array.ts";
import { concat, getItem, stack } from "../../ops/array/slicing.ts";
import { inNameScope } from "../../ops/named.ts";
import { StringSplit, StringSplitV2 } from "../../ops/string/parsing.ts";
import { StringNGrams, UnicodeDecode, UnicodeDecodeWithOffsets, UnicodeEncode } from "../../ops/string/unicode.ts";
import { RaggedTensor } from "./ragged-tensor.ts";
import { type PartsOptions, rowsOfParts, type SparseParts, unknownResult } from "./string-split.ts";

type Strings = TensorLike | RaggedTensor;
type Split = Tensor | RaggedTensor;

const flatOf = (input: Strings): TensorLike => (input instanceof RaggedTensor ? input.flatValues : input);
const given = (input: Strings, options: ConversionOptions = {}): Split =>
  input instanceof RaggedTensor ? input : convertToTensor(input, options);
const scoped = <R>({ name }: Named, fallback: string, input: Strings, body: () => R): R =>
  inNameScope({ name }, fallback, [flatOf(input)], body);

/** The bytes of each string, as strings of one byte: one ragged dimension more than the input has (of a scalar, a vector). TF: tf.strings.bytes_split.
 *  @throws ValueError for a rank that is not known. */
export function bytesSplit(input: Strings, options: Named = {}): Split {
  return scoped(options, "StringsByteSplit", input, () => {
    const strings = given(input, { name: "input" });
    if (strings instanceof RaggedTensor) return strings.withFlatValues(bytesSplit(strings.flatValues) as Tensor);
    const { rank } = strings.shape;
    if (rank === null) throw new ValueError("input must have a statically-known rank.");
    if (rank === 0) return rowOf(bytesSplit(stack([strings])));
    if (rank > 1) return bytesSplit(RaggedTensor.fromTensor(strings));
    return rowsOfParts(StringSplit({ input: strings, delimiter: "", skipEmpty: false }));
  });
}

/** The only row of a ragged tensor, with the nodes of `ragged[0]`. */
function rowOf(ragged: Split): Tensor {
  if (ragged instanceof Tensor) return getItem(ragged, 0);
  return inNameScope({}, "RaggedGetItem", [ragged.rowSplits], () => {
    const starts = getItem(ragged.rowSplits, [null, -1]);
    const limits = getItem(ragged.rowSplits, [1, null]);
    return getItem(getItem(ragged.values as Tensor, [getItem(starts, 0), getItem(limits, 0)]));
  });
}

interface AtTextOptions extends PartsOptions {
  readonly maxsplit?: number;
  readonly source?: Strings | null;
}
/** Parts of each string as Python's str.split gives them: one dimension more than the input has.
 *  TF: tf.strings.split(input, sep, maxsplit, result_type, source, name). @throws ValueError for another type of result. */
export function split(input: Strings | null, options: AtTextOptions & { readonly resultType: "RaggedTensor" }): RaggedTensor;
export function split(input: Strings | null, ...rest: unknown[]): SparseTensor;
export function split(input: Strings | null, ...rest: unknown[]): SparseTensor | RaggedTensor {
  const { sep, maxsplit, resultType, source, name } = collect<AtTextOptions>(["sep", "maxsplit", "resultType", "source", "name"], rest);
  const texts = eitherName("input", input, "source", source) as Strings;
  return scoped({ name }, "StringSplit", texts, () => {
    const whole = given(texts, { dtype: "string", name: "input" });
    const strings = whole.shape.rank === 0 ? expandDims(whole as Tensor, 0) : whole;
    if (resultType === "RaggedTensor") return splitRows(strings, sep, maxsplit) as RaggedTensor;
    if ((resultType ?? "SparseTensor") !== "SparseTensor") return unknownResult();
    if (strings.shape.rank !== 1) return (splitRows(strings, sep, maxsplit) as RaggedTensor).toSparse();
    const { indices, values, shape } = splitVector(strings as Tensor, sep, maxsplit);
    return new SparseTensor(indices, values, shape);
  });
}

const splitVector = (input: Tensor, sep: TensorLike | null | undefined, maxsplit: number | undefined): SparseParts =>
  StringSplitV2({ input, sep: convertToTensor(sep ?? "", { dtype: "string" }), maxsplit });

/** A tensor whose rank is not known is taken for a vector. */
function splitRows(input: Split, sep: TensorLike | null | undefined, maxsplit: number | undefined): Split {
  return inNameScope({}, "StringSplit", [flatOf(input)], () => {
    if (input instanceof RaggedTensor) return input.withFlatValues(splitRows(input.flatValues, sep, maxsplit));
    const { rank } = input.shape;
    if (rank === null || rank === 1) return rowsOfParts(splitVector(input, sep, maxsplit));
    if (rank === 0) return rowOf(splitRows(stack([input]), sep, maxsplit));
    return splitRows(RaggedTensor.fromTensor(input), sep, maxsplit);
  });
}

/** How text can be written. */
type Encoding = "UTF-8" | "UTF-16-BE" | "UTF-32-BE";
type Errors = "strict" | "replace" | "ignore";
interface SplitOptions extends Named {
  /** What malformed input does: stops the run, is replaced, or is left out. */
  readonly errors?: Errors;
  readonly replacementChar?: number;
}
interface DecodeOptions extends SplitOptions {
  readonly replaceControlCharacters?: boolean;
}

/** Code points and where they begin, one ragged dimension more than the input has. */
function decode(
  input: Strings,
  inputEncoding: string,
  { errors = "replace", replacementChar = 0xfffd, replaceControlCharacters = false }: DecodeOptions,
  withOffsets: boolean,
): Split[] {
  let strings = given(input, { name: "input" });
  const { rank } = strings.shape;
  if (rank === null) throw new ValueError("Rank of `input` must be statically known.");
  if (rank > 1 && strings instanceof Tensor) strings = RaggedTensor.fromTensor(strings, { raggedRank: rank - 1 });
  else if (strings instanceof RaggedTensor && strings.raggedRank < rank - 1)
    strings = ofFlatValues(strings, RaggedTensor.fromTensor(strings.flatValues, { raggedRank: rank - strings.raggedRank - 1 }));
  const whole = strings;
  const flat = reshape(flatOf(whole), [-1]);
  const handling = { input: flat, inputEncoding, errors, replacementChar, replaceControlCharacters };
  const made = withOffsets ? UnicodeDecodeWithOffsets(handling) : UnicodeDecode(handling);
  const values: Tensor[] = "charToByteStarts" in made ? [made.charValues, made.charToByteStarts as Tensor] : [made.charValues];
  if (rank === 0) return values;
  return values.map(part => {
    const rows = RaggedTensor.fromRowSplits(part, made.rowSplits, { validate: false });
    return whole instanceof RaggedTensor ? ofFlatValues(whole, rows) : rows;
  });
}

/** The same rows around values that have rows themselves. */
const ofFlatValues = (ragged: RaggedTensor, values: RaggedTensor): RaggedTensor =>
  ragged.withValues(ragged.values instanceof RaggedTensor ? ofFlatValues(ragged.values, values) : values);

/** The code points (int32) of each string: one ragged dimension more than the input has. TF: tf.strings.unicode_decode. */
export const unicodeDecode = (input: Strings, inputEncoding: string, options: DecodeOptions = {}): Split =>
  scoped(options, "UnicodeDecode", input, () => decode(input, inputEncoding, options, false)[0]);

/** The same, and the byte of the string that each code point begins at (int64). TF: tf.strings.unicode_decode_with_offsets. */
export const unicodeDecodeWithOffsets = (input: Strings, inputEncoding: string, options: DecodeOptions = {}): [Split, Split] =>
  scoped(options, "UnicodeDecodeWithOffsets", input, () => decode(input, inputEncoding, options, true) as [Split, Split]);

/** The characters of each string, as strings: one ragged dimension more than the input has. TF: tf.strings.unicode_split. */
export const unicodeSplit = (input: Strings, inputEncoding: Encoding, options: SplitOptions = {}): Split =>
  scoped(options, "UnicodeSplit", input, () => {
    const [codepoints] = decode(input, inputEncoding, { ...options, replaceControlCharacters: false }, false);
    return unicodeEncode(alone(codepoints), inputEncoding, { errors: options.errors, replacementChar: options.replacementChar });
  });

/** The same, and the byte that each character begins at (int64). TF: tf.strings.unicode_split_with_offsets. */
export const unicodeSplitWithOffsets = (input: Strings, inputEncoding: Encoding, options: SplitOptions = {}): [Split, Split] =>
  scoped(options, "UnicodeSplitWithOffsets", input, () => {
    const [codepoints, offsets] = decode(input, inputEncoding, { ...options, replaceControlCharacters: false }, true);
    const { errors, replacementChar } = options;
    return [unicodeEncode(alone(codepoints), inputEncoding, { errors, replacementChar }), offsets];
  });

/** Each value as a row of its own. */
function alone(codepoints: Split): Split {
  return inNameScope({}, "RaggedExpandDims", [flatOf(codepoints)], () =>
    codepoints instanceof Tensor ? expandDims(codepoints, -1) : innermostAlone(codepoints),
  );
}
const innermostAlone = (codepoints: RaggedTensor): RaggedTensor =>
  codepoints.withValues(
    codepoints.values instanceof RaggedTensor
      ? inNameScope({}, "RaggedExpandDims", [codepoints.flatValues], () => innermostAlone(codepoints.values as RaggedTensor))
      : expandDims(codepoints.values, 1),
  );

/** Strings of code points: the innermost dimension becomes a string. TF: tf.strings.unicode_encode. @throws ValueError for scalars and unknown ranks. */
export function unicodeEncode(input: Strings, outputEncoding: Encoding, options: SplitOptions = {}): Split {
  const { errors = "replace", replacementChar = 65533 } = options;
  const again = (part: Strings): Split => unicodeEncode(part, outputEncoding, { errors, replacementChar });
  return scoped(options, "UnicodeEncode", input, () => {
    const points = given(input, { preferredDtype: "int32" });
    const { rank } = points.shape;
    if (rank === null) throw new ValueError("Rank of input_tensor must be statically known.");
    if (points instanceof RaggedTensor) {
      if ((points.flatValues.shape.rank ?? 1) > 1) return points.withFlatValues(again(points.flatValues) as Tensor);
      if (points.values instanceof RaggedTensor) return points.withValues(again(points.values));
      return UnicodeEncode({ inputValues: points.values, inputSplits: points.rowSplits, outputEncoding, errors, replacementChar });
    }
    if (rank === 0) throw new ValueError("input_tensor's rank must be at least 1.");
    if (rank === 2) return again(RaggedTensor.fromTensor(points));
    if (rank > 2) {
      const rows = reshape(points, stack([-1, getItem(shapeOf(points), -1)]));
      return reshape(again(rows) as Tensor, points.shape.slice(0, -1));
    }
    const splits = stack([0, getItem(shapeOf(points, { outType: "int32" }), 0)]);
    return reshape(again(RaggedTensor.fromRowSplits(points, splits, { validate: false })) as Tensor, []);
  });
}

interface NgramOptions extends Named {
  readonly separator?: string;
  /** What stands before and after each row: one string for both, or [left, right]. */
  readonly padValues?: string | readonly [string, string] | null;
  /** How many of them at most; as many as the width less one unless given. */
  readonly paddingWidth?: number | null;
  /** A row shorter than the width gives one n-gram of itself. */
  readonly preserveShortSequences?: boolean;
}

/** Runs of `ngramWidth` neighbours in each row, joined. TF: tf.strings.ngrams. @throws ValueError and TypeError for widths and pads that are none. */
export function ngrams(data: Strings, ngramWidth: number | readonly number[], options: NgramOptions = {}): Split {
  const { separator = " ", padValues = null, paddingWidth = null, preserveShortSequences = false, name } = options;
  return scoped(options, "StringNGrams", data, () => {
    const pads = padValues === null ? ["", ""] : typeof padValues === "string" ? [padValues, padValues] : padValues;
    if (!Array.isArray(pads) || !pads.every(pad => typeof pad === "string"))
      throw new TypeError("pad_values must be a string, tuple of strings, or None.");
    if (paddingWidth !== null && paddingWidth < 1) throw new ValueError("padding_width must be greater than 0.");
    if (paddingWidth !== null && padValues === null) throw new ValueError("pad_values must be provided if padding_width is set.");
    const words = given(data, { name: "data", dtype: "string" });
    const dense = words instanceof Tensor ? concat([getItem(shapeOf(words), [null, -1]), [-1]], 0) : undefined;
    const back = (output: RaggedTensor): Split => (dense === undefined ? output : reshape(output.flatValues, dense));
    let rows: RaggedTensor;
    if (words instanceof RaggedTensor) rows = words;
    else {
      const { rank } = words.shape;
      if (rank === null) throw new ValueError("Rank of data must be known.");
      if (rank === 0) throw new ValueError("Data must have rank>0");
      if (rank === 1) return rowOf(ngrams(RaggedTensor.fromRowStarts(words, [0], { validate: false }), ngramWidth, options));
      rows = RaggedTensor.fromTensor(words, { raggedRank: rank - 1 });
    }
    if (rows.values instanceof RaggedTensor) return back(rows.withValues(ngrams(rows.values, ngramWidth, { ...options, name })));
    const widths = Array.isArray(ngramWidth) ? (ngramWidth as readonly number[]) : [Number(ngramWidth)];
    if (widths.some(width => width < 1))
      throw new ValueError(
        `All ngram_widths must be greater than 0. Got ${typeof ngramWidth === "number" ? ngramWidth : `[${widths.join(", ")}]`}`,
      );
    const made = StringNGrams({
      data: rows.flatValues,
      dataSplits: rows.rowSplits,
      separator,
      ngramWidths: widths,
      leftPad: pads[0],
      rightPad: pads[1],
      padWidth: padValues === null ? 0 : (paddingWidth ?? -1),
      preserveShortSequences,
    });
    return back(RaggedTensor.fromRowSplits(made.ngrams, made.ngramsSplits, { validate: false }));
  });
}
