// Datasets of batches straight from files: rows of comma-separated values by the names of their columns, and examples by the names of their features.
// TF: tf.data.experimental.{make_csv_dataset,make_batched_features_dataset}.

import type { DType } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { decodeText, encodeText, NDArray } from "../../base/ndarray.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constant } from "../../ops/array/array.ts";
import { plainBytesOf } from "../../ops/data/dataset-sources.ts";
import type { Nested } from "../../ops/flow/nested.ts";
import { matchingPaths } from "../../ops/string/bytes.ts";
import { csvFields, csvTypes } from "../../ops/string/parsing.ts";
import type { Features } from "../features.ts";
import { AUTOTUNE, Dataset } from "./dataset.ts";
import type { ComponentSpec } from "./element-spec.ts";
import { CsvDataset, parallelInterleave, parseExampleDataset } from "./experimental.ts";
import { Options } from "./options.ts";
import { TFRecordDataset } from "./readers.ts";

interface ReadingOptions {
  /** So many times; for ever without it. */
  readonly numEpochs?: number | null;
  /** Files and elements in random order. Default true. */
  readonly shuffle?: boolean;
  readonly shuffleBufferSize?: number;
  readonly shuffleSeed?: number | null;
  readonly prefetchBufferSize?: number | null;
}

/** The elements of a dataset for each file, so many files in turn. */
function ofEachFile(names: Dataset, read: (name: Tensor) => Dataset, inTurn: number, sloppy: boolean): Dataset {
  if (inTurn !== AUTOTUNE) return names.apply(parallelInterleave(read, inTurn, { sloppy }));
  const options = new Options();
  options.deterministic = !sloppy;
  return names.interleave(read, { numParallelCalls: inTurn }).withOptions(options);
}

function shuffledAndRepeated(
  dataset: Dataset,
  { numEpochs = null, shuffle = true, shuffleBufferSize = 10_000, shuffleSeed = null }: ReadingOptions,
): Dataset {
  const ordered = shuffle ? dataset.shuffle(shuffleBufferSize, { seed: shuffleSeed }) : dataset;
  return numEpochs === 1 ? ordered : ordered.repeat(numEpochs);
}

// ---- rows of comma-separated values ----

interface CsvOptions extends ReadingOptions {
  /** Of all columns in the files; without it the first lines of the files are the names. */
  readonly columnNames?: readonly string[] | null;
  /** For each column that is read its type, or the value where a field is empty; without it both follow from the first rows. */
  readonly columnDefaults?: readonly (DType | TensorLike)[] | null;
  /** The column that stands apart as the label. */
  readonly labelName?: string | null;
  /** Columns to read, by name or number. */
  readonly selectColumns?: readonly (string | number)[] | null;
  readonly fieldDelim?: string;
  readonly useQuoteDelim?: boolean;
  readonly naValue?: string;
  readonly header?: boolean;
  readonly numParallelReads?: number | null;
  readonly sloppy?: boolean;
  readonly numRowsForInference?: number | null;
  /** "GZIP", "ZLIB" or "". */
  readonly compressionType?: string | null;
  readonly ignoreErrors?: boolean;
  readonly encoding?: string;
}

/** The names of the files that match, in order. @throws ValueError where there are none. */
async function namesOfFiles(pattern: string | readonly string[]): Promise<string[]> {
  const patterns = [pattern].flat();
  if (patterns.length === 0) throw new ValueError("Argument `file_pattern` should not be empty.");
  const found = (await Promise.all(patterns.map(matchingPaths))).flat();
  if (found.length === 0) throw new ValueError(`No files match \`file_pattern\` ${pattern}.`);
  return found.sort();
}

const asDefaults = (columns: readonly (DType | TensorLike)[]): (DType | TensorLike)[] =>
  columns.map(column =>
    typeof column === "string" && (csvTypes as readonly string[]).includes(column) ? constant(NDArray.zeros(column as DType, [0])) : column,
  );

/** Text of whose bytes each stands as a character. */
const plainText = (latin: string): string => decodeText(Uint8Array.from(latin, char => char.charCodeAt(0)));

/** The records of a file as fields: lines, but for line feeds inside quotes. */
function* rowsOf(text: string, delimiter: string, usesQuotes: boolean): Generator<string[]> {
  let record = "";
  for (const line of text.split(/\r\n|\n|\r/)) {
    record = record === "" ? line : `${record}\n${line}`;
    if (usesQuotes && (record.match(/"/g) ?? []).length % 2 === 1) continue;
    if (record !== "") yield csvFields(encodeText(record), delimiter, usesQuotes).map(plainText);
    record = "";
  }
}

const isInteger = (text: string, bits: number): boolean =>
  /^\s*[+-]?\d+\s*$/.test(text) && BigInt.asIntN(bits, BigInt(text.trim().replace("+", ""))) === BigInt(text.trim().replace("+", ""));
/** NaN and infinities are text: they are not below infinity. */
const isNumber = (text: string): boolean => /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i.test(text);
/** Types from the narrowest on, and whether a field is of it. */
const inferred: readonly (readonly [DType, (text: string) => boolean])[] = [
  ["int32", text => isInteger(text, 32)],
  ["int64", text => isInteger(text, 64)],
  ["float32", text => isNumber(text) && Math.fround(Number(text)) < Number.POSITIVE_INFINITY],
  ["float64", text => isNumber(text) && Number(text) < Number.POSITIVE_INFINITY],
  ["string", () => true],
];

/** The narrowest type that holds the field and those before it. */
function widened(known: DType | undefined, text: string): DType {
  const at = inferred.findIndex(
    ([, fits], i) => fits(text) && (known === undefined || inferred.slice(0, i + 1).some(([type]) => type === known)),
  );
  return inferred[at][0];
}

/** What columns there are, and with which values where fields are empty. */
interface Columns {
  readonly names: readonly string[];
  readonly defaults: readonly (DType | TensorLike)[];
  readonly selected: readonly number[] | null;
}

function columnsOf(paths: readonly string[], texts: readonly string[], options: CsvOptions): Columns {
  const { fieldDelim = ",", useQuoteDelim = true, naValue = "", header = true } = options;
  const { columnNames = null, columnDefaults = null, selectColumns = null, numRowsForInference = 100 } = options;
  const all = columnNames ?? headerOf(paths, texts, options);
  const doubled = all.find((name, i) => all.indexOf(name) < i);
  if (doubled !== undefined)
    throw new ValueError(`Either \`column_names\` argument or CSV header row contains duplicate column names: {'${doubled}'}.`);
  const selected = selectColumns === null ? null : numbersOfColumns(selectColumns, all);
  let defaults = columnDefaults === null ? null : asDefaults(columnDefaults);
  if (defaults === null) {
    const read = selected ?? all.map((_, i) => i);
    const types: (DType | undefined)[] = read.map(() => undefined);
    let count = 0;
    for (const text of texts)
      for (const [i, row] of [...rowsOf(text, fieldDelim, useQuoteDelim)].entries()) {
        if (header && i === 0) continue;
        if (numRowsForInference !== null && count >= numRowsForInference) break;
        if (row.length !== all.length)
          throw new ValueError(`Problem inferring types: CSV row ${i + 1} has ${row.length} number of fields. Expected: ${all.length}.`);
        count++;
        read.forEach((column, k) => {
          if (row[column] !== "" && row[column] !== naValue) types[k] = widened(types[k], row[column]);
        });
      }
    defaults = types.map(type => constant([type === undefined || type === "string" ? "" : 0], { dtype: type ?? "string" }));
  }
  if (selected !== null && defaults.length !== selected.length)
    throw new ValueError(
      `If specified, \`column_defaults\` and \`select_columns\` must have the same length: \`column_defaults\` has length ${defaults.length}, \`select_columns\` has length ${selected.length}.`,
    );
  return { names: selected === null ? all : selected.map(i => all[i]), defaults, selected };
}

/** The names in the first lines, which are the same in all files. */
function headerOf(names: readonly string[], texts: readonly string[], options: CsvOptions): string[] {
  const { fieldDelim = ",", useQuoteDelim = true, header = true } = options;
  if (!header) throw new ValueError("Expected `column_names` or `header` arguments. Neither is provided.");
  const heads = texts.map((text, i) => {
    for (const row of rowsOf(text, fieldDelim, useQuoteDelim)) return row;
    throw new ValueError(`Failed when reading the header line of ${names[i]}. Is it an empty file?`);
  });
  const other = heads.findIndex(head => head.join("\n") !== heads[0].join("\n"));
  if (other >= 0)
    throw new ValueError(
      `All input CSV files should have the same column names in the header row. File ${names[other]} has different column names.`,
    );
  return heads[0];
}

function numbersOfColumns(selected: readonly (string | number)[], names: readonly string[]): number[] {
  const numbers = selected.map(column => {
    if (typeof column === "number") {
      if (column < 0 || column >= names.length)
        throw new ValueError(
          `Column index ${column} specified in \`select_columns\` should be > 0  and <= ${names.length}, which is the number of columns.`,
        );
      return column;
    }
    if (!names.includes(column))
      throw new ValueError(
        `Column ${column} specified in \`select_columns\` must be of one of the columns: dict_keys([${names.map(name => `'${name}'`).join(", ")}]).`,
      );
    return names.indexOf(column);
  });
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  if (sorted.length !== numbers.length) throw new ValueError("The `select_columns` argument contains duplicate columns: set().");
  return sorted;
}

/** Batches of rows of files of comma-separated values: a dictionary of the columns, or a pair of it and the column `labelName`. Names and types of columns
 *  are read from the files before the graph is made, so this is a promise. TF: tf.data.experimental.make_csv_dataset.
 *  @throws ValueError for files that are not there and columns that do not fit. */
export async function makeCsvDataset(
  filePattern: string | readonly string[],
  batchSize: number,
  options: CsvOptions = {},
): Promise<Dataset> {
  const graph = getDefaultGraph();
  const paths = await namesOfFiles(filePattern);
  const texts = await textsOf(paths, options);
  return graph.asDefault(() => csvBatches(paths, texts, batchSize, options));
}

/** What files hold, where names or types of columns follow from it. */
async function textsOf(paths: readonly string[], { columnNames, columnDefaults, compressionType }: CsvOptions): Promise<string[]> {
  if (columnNames && columnDefaults) return [];
  const compression = compressionType ?? "";
  if (compression === "ZLIB") throw new ValueError(`\`compression_type\` ${compression} is not supported for probing columns.`);
  if (compression !== "GZIP" && compression !== "")
    throw new ValueError(`Received unknown \`compression_type\` ${compression}. Expected: GZIP, ZLIB or  (empty string).`);
  const texts: string[] = [];
  for (const path of paths) texts.push(decodeText(await plainBytesOf(path, compression)));
  return texts;
}

function csvBatches(paths: readonly string[], texts: readonly string[], batchSize: number, options: CsvOptions): Dataset {
  const { labelName = null, fieldDelim = ",", useQuoteDelim = true, naValue = "", header = true } = options;
  const { numEpochs = null, shuffle = true, shuffleSeed = null, prefetchBufferSize = null } = options;
  const { numParallelReads = null, sloppy = false, compressionType = null, ignoreErrors = false } = options;
  let names = Dataset.fromTensorSlices(NDArray.from([...paths], "string"));
  if (shuffle) names = names.shuffle(paths.length, { seed: shuffleSeed });
  const columns = columnsOf(paths, texts, options);
  if (labelName !== null && !columns.names.includes(labelName))
    throw new ValueError(
      `\`label_name\` provided must be one of the columns: [${columns.names.map(name => `'${name}'`).join(", ")}]. Received: ${labelName}.`,
    );
  const read = (name: Tensor): Dataset => {
    const { defaults, selected: selectCols } = columns;
    const rows = new CsvDataset(name, defaults, {
      fieldDelim,
      useQuoteDelim,
      naValue,
      header,
      compressionType,
      selectCols: selectCols === null ? null : NDArray.from([...selectCols], "int64"),
    });
    return ignoreErrors ? rows.ignoreErrors() : rows;
  };
  const rows = shuffledAndRepeated(ofEachFile(names, read, numParallelReads ?? 1, sloppy), options);
  const named = (...fields: Tensor[]): Nested => {
    const { [labelName ?? ""]: label, ...features } = Object.fromEntries(columns.names.map((name, i) => [name, fields[i]]));
    return labelName === null ? features : [features, label];
  };
  return rows
    .batch(batchSize, { dropRemainder: numEpochs === null })
    .map(named)
    .prefetch(prefetchBufferSize ?? AUTOTUNE);
}

// ---- examples ----

interface FeatureOptions extends ReadingOptions {
  /** What makes a dataset of a file's name: a class or a function. TFRecordDataset by default. */
  readonly reader?: ((name: Tensor) => Dataset) | (new (name: Tensor) => Dataset) | null;
  /** The feature that stands apart as the label. */
  readonly labelKey?: string | null;
  /** More arguments for the reader. */
  readonly readerArgs?: readonly unknown[] | null;
  readonly readerNumThreads?: number | null;
  readonly parserNumThreads?: number | null;
  readonly sloppyOrdering?: boolean;
  readonly dropFinalBatch?: boolean;
}

/** Batches of the features of tf.Example messages in files: a dictionary, or a pair of it and the feature `labelKey`.
 *  TF: tf.data.experimental.make_batched_features_dataset. @throws ValueError for a label that is no feature. */
export function makeBatchedFeaturesDataset(
  filePattern: TensorLike,
  batchSize: number,
  features: Features,
  options: FeatureOptions = {},
): Dataset {
  const { reader = null, labelKey = null, readerArgs = null, readerNumThreads = null, parserNumThreads = null } = options;
  const { sloppyOrdering = false, dropFinalBatch = false, numEpochs = null, shuffle = true, shuffleSeed = null } = options;
  const names = Dataset.listFiles(filePattern, { shuffle, seed: shuffleSeed });
  const more = readerArgs ?? [];
  const read = (name: Tensor): Dataset => {
    if (reader === null) return new TFRecordDataset(name);
    const isClass = /^class\b/.test(Function.prototype.toString.call(reader));
    return (
      isClass ? Reflect.construct(reader, [name, ...more]) : Reflect.apply(reader as (name: Tensor) => Dataset, undefined, [name, ...more])
    ) as Dataset;
  };
  let records = ofEachFile(names, read, readerNumThreads ?? 1, sloppyOrdering);
  const { elementSpec } = records;
  // Keys and values, as some readers give them.
  if (Array.isArray(elementSpec) && elementSpec.length === 2 && elementSpec.every(spec => (spec as ComponentSpec).dtype === "string"))
    records = records.map((_: Tensor, value: Tensor) => value);
  let batches = shuffledAndRepeated(records, options)
    .batch(batchSize, { dropRemainder: dropFinalBatch || numEpochs === null })
    .apply(parseExampleDataset(features, { numParallelCalls: parserNumThreads ?? 2 }));
  if (labelKey !== null) {
    if (!(labelKey in features))
      throw new ValueError(
        `The \`label_key\` provided (${labelKey}) must be one of the \`features\` keys: dict_keys([${Object.keys(features)
          .map(key => `'${key}'`)
          .join(", ")}]).`,
      );
    batches = batches.map(({ [labelKey]: label, ...others }: Record<string, Tensor>) => [others, label]);
  }
  return batches.prefetch(options.prefetchBufferSize ?? AUTOTUNE);
}
