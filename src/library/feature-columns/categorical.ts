// Columns of categories: ids by hash, by a list or file of words, as they are; weighted; crossed with one another.

import { type DType, isFloating, isInteger } from "../../base/dtype.ts";
import { readNow } from "#platform";
import { NotFoundError, ValueError } from "../../base/errors.ts";
import { linesOf } from "../../formats/lines.ts";
import { pythonStr } from "../../base/python-text.ts";
import { convertToTensor } from "../../graph/conversion.ts";
import { itemsOf } from "../../graph/iterating.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { fill, shape as shapeOf, size } from "../../ops/array/array.ts";
import { range } from "../../ops/array/ranges.ts";
import { whereV2 } from "../../ops/array/selection.ts";
import { InitializeTableFromTextFileV2 } from "../../ops/data/lookup-files.ts";
import { cast, castInteger } from "../../ops/math/cast.ts";
import { logicalOr } from "../../ops/math/comparison.ts";
import { reduceProd } from "../../ops/math/reduction.ts";
import { getItem } from "../../ops/array/slicing.ts";
import { inNameScope } from "../../ops/named.ts";
import { greaterEqual, less } from "../../ops/operators.ts";
import { sparseCrossHashed } from "../../ops/sparse/cross.ts";
import { sparseReshape } from "../../ops/sparse/structure.ts";
import { asString, stringToHashBucketFast } from "../../ops/string/string.ts";
import { type Features, VarLenFeature } from "../features.ts";
import { GraphKeys } from "../variables/graph-keys.ts";
import { KeyValueTensorInitializer, StaticHashTable, StaticVocabularyTable, type TableInitializer } from "../lookup.ts";
import { convertToTensorOrSparseTensor, initScope } from "../graph-inspection.ts";
import {
  type CategoricalColumn,
  dtypeText,
  FeatureColumn,
  type FeatureCache,
  isCategorical,
  requireCompatible,
  requireStringKey,
  requireStringOrInteger,
  sparseSizes,
  toSparse,
  type WeightedIds,
} from "./column.ts";
import { refuseOthers } from "../../ops/arguments.ts";

/** A column of ids that one feature gives. */
abstract class KeyedColumn extends FeatureColumn implements CategoricalColumn {
  readonly key: string;
  readonly dtype: DType;
  abstract readonly numBuckets: number;

  constructor(key: string, dtype: DType) {
    super();
    requireStringKey(key);
    requireStringOrInteger(dtype, `column_name: ${key}`);
    this.key = key;
    this.dtype = dtype;
  }

  get name(): string {
    return this.key;
  }
  get parseExampleSpec(): Features {
    return { [this.key]: new VarLenFeature(this.dtype) };
  }
  transform(features: FeatureCache): SparseTensor {
    return this.idsOf(toSparse(features.feature(this.key)));
  }
  protected abstract idsOf(input: SparseTensor): SparseTensor;
  weightedIds(features: FeatureCache): WeightedIds {
    return { ids: features.of(this), weights: null };
  }
}

class HashedColumn extends KeyedColumn {
  readonly numBuckets: number;
  constructor(key: string, hashBucketSize: number, dtype: DType) {
    if (hashBucketSize === null || hashBucketSize === undefined) throw new ValueError(`hash_bucket_size must be set. key: ${key}`);
    if (hashBucketSize < 1) throw new ValueError(`hash_bucket_size must be at least 1. hash_bucket_size: ${hashBucketSize}, key: ${key}`);
    super(key, dtype);
    this.numBuckets = hashBucketSize;
  }
  protected get kind(): string {
    return "HashedCategoricalColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    return { key: this.key, hash_bucket_size: this.numBuckets, dtype: dtypeText(this.dtype) };
  }
  protected idsOf(input: SparseTensor): SparseTensor {
    requireStringOrInteger(input.dtype, `column_name: ${this.key} input_tensor`);
    requireCompatible(this.key, this.dtype, input.dtype);
    const words = this.dtype === "string" ? input.values : asString(input.values);
    return new SparseTensor(input.indices, stringToHashBucketFast(words, this.numBuckets, { name: "lookup" }), input.denseShape);
  }
}

interface TypeOption {
  readonly dtype?: DType | null;
}

/** Ids by a hash of the word (or number), for features of unknown vocabulary. TF: tf.feature_column.categorical_column_with_hash_bucket. */
export const categoricalColumnWithHashBucket = (
  key: string,
  hashBucketSize: number,
  { dtype, ...others }: TypeOption = {},
): CategoricalColumn => {
  refuseOthers(others);
  return new HashedColumn(key, hashBucketSize, dtype ?? "string");
};

/** What a column with a vocabulary is told of words outside. */
interface Outside {
  readonly buckets: number;
  readonly fallback: number;
}

/** A column whose ids are places in a vocabulary. */
abstract class VocabularyColumn extends KeyedColumn {
  protected abstract readonly outside: Outside;

  /** What fills the table, made inside the table's scope from what `prepare` made outside of it. */
  protected abstract tableInitializer(keyDtype: DType): () => TableInitializer;

  protected idsOf(given: SparseTensor): SparseTensor {
    requireCompatible(this.key, this.dtype, given.dtype);
    requireStringOrInteger(given.dtype, `column_name: ${this.key} input_tensor`);
    const isWhole = isInteger(given.dtype);
    const keyDtype = isWhole ? "int64" : this.dtype;
    const input = isWhole ? new SparseTensor(given.indices, cast(given.values, "int64"), given.denseShape) : given;
    const { buckets, fallback } = this.outside;
    const table = initScope(() =>
      inNameScope({ name: `${this.key}_lookup` }, "", [], () => {
        const initializer = this.tableInitializer(keyDtype);
        return inNameScope({}, "hash_table", [], () =>
          buckets > 0 ? new StaticVocabularyTable(initializer(), buckets) : new StaticHashTable(initializer(), BigInt(fallback)),
        );
      }),
    );
    return table.lookup(input);
  }
}

type Words = readonly (string | number | bigint)[];

class VocabularyListColumn extends VocabularyColumn {
  readonly numBuckets: number;
  protected readonly outside: Outside;
  private readonly vocabulary: Words;
  private get isText(): boolean {
    return typeof this.vocabulary[0] === "string";
  }
  constructor(key: string, vocabulary: Words, dtype: DType, outside: Outside) {
    super(key, dtype);
    this.vocabulary = vocabulary;
    this.outside = outside;
    this.numBuckets = vocabulary.length + outside.buckets;
  }
  protected get kind(): string {
    return "VocabularyListCategoricalColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    const { buckets, fallback } = this.outside;
    const { key, dtype, vocabulary } = this;
    return { key, vocabulary_list: vocabulary, dtype: dtypeText(dtype), default_value: fallback, num_oov_buckets: buckets };
  }
  protected tableInitializer(): () => TableInitializer {
    const isSmall = !this.isText && this.vocabulary.every(word => BigInt.asIntN(32, BigInt(word)) === BigInt(word));
    const keys = convertToTensor(this.vocabulary as readonly string[], { dtype: this.isText ? "string" : isSmall ? "int32" : "int64" });
    const values = cast(range(size(keys)), "int64");
    return () => new KeyValueTensorInitializer(isInteger(keys.dtype) ? cast(keys, "int64") : keys, values, { name: "table_init" });
  }
}

interface VocabularyOptions extends TypeOption {
  /** The id of words outside, -1. */
  readonly defaultValue?: number | null;
  /** So many ids behind the vocabulary, for words outside by their hash. */
  readonly numOovBuckets?: number | null;
}

function outsideOf(key: string, { defaultValue, numOovBuckets }: VocabularyOptions, isDefault: (value: number) => boolean): Outside {
  const buckets = numOovBuckets ?? 0;
  const fallback = defaultValue ?? null;
  if (buckets !== 0) {
    if (fallback !== null && !isDefault(fallback)) throw new ValueError(`Can't specify both num_oov_buckets and default_value in ${key}.`);
    if (buckets < 0) throw new ValueError(`Invalid num_oov_buckets ${buckets} in ${key}.`);
  }
  return { buckets, fallback: fallback ?? -1 };
}

/** Ids by place in a list of words or numbers. TF: tf.feature_column.categorical_column_with_vocabulary_list. */
export function categoricalColumnWithVocabularyList(key: string, given: Words, options: VocabularyOptions = {}): CategoricalColumn {
  // A text is the list of its letters, as in Python.
  const vocabularyList = typeof given === "string" ? itemsOf(given as Words) : given;
  const shown = `[${(vocabularyList ?? []).map(word => (typeof word === "string" ? `'${word}'` : String(word))).join(", ")}]`;
  if (!vocabularyList || vocabularyList.length < 1)
    throw new ValueError(`vocabulary_list ${vocabularyList ? shown : "None"} must be non-empty, column_name: ${key}`);
  if (new Set(vocabularyList).size !== vocabularyList.length)
    throw new ValueError(`Duplicate keys in vocabulary_list ${shown}, column_name: ${key}`);
  const own: DType = typeof vocabularyList[0] === "string" ? "string" : "int64";
  const outside = outsideOf(key, options, value => value === -1);
  const dtype = options.dtype ?? own;
  if (isInteger(dtype) !== isInteger(own))
    throw new ValueError(`dtype <dtype: '${dtype}'> and vocabulary dtype <dtype: '${own}'> do not match, column_name: ${key}`);
  return new VocabularyListColumn(key, vocabularyList, dtype, outside);
}

class VocabularyFileColumn extends VocabularyColumn {
  readonly numBuckets: number;
  protected readonly outside: Outside;
  private readonly file: string;
  private readonly vocabularySize: number;
  constructor(key: string, file: string, vocabularySize: number, dtype: DType, outside: Outside) {
    super(key, dtype);
    this.file = file;
    this.vocabularySize = vocabularySize;
    this.outside = outside;
    this.numBuckets = vocabularySize + outside.buckets;
  }
  protected get kind(): string {
    return "VocabularyFileCategoricalColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    const { buckets, fallback } = this.outside;
    const { key, file, vocabularySize, dtype } = this;
    const sizes = { vocabulary_size: vocabularySize, num_oov_buckets: buckets, dtype: dtypeText(dtype) };
    return { key, vocabulary_file: file, ...sizes, default_value: fallback, file_format: null };
  }
  protected tableInitializer(keyDtype: DType): () => TableInitializer {
    return () => new LineInitializer(this.file, this.vocabularySize, keyDtype);
  }
}

/** Fills a table with the lines of a file as keys and their numbers as values. */
class LineInitializer implements TableInitializer {
  readonly keyDtype: DType;
  readonly valueDtype: DType = "int64";
  private readonly file: string;
  private readonly lines: number;
  constructor(file: string, lines: number, keyDtype: DType) {
    this.file = file;
    this.lines = lines;
    this.keyDtype = keyDtype;
  }
  initialize({ resourceHandle }: { readonly resourceHandle: Tensor }): Operation {
    const { graph } = resourceHandle;
    return inNameScope({ name: "table_init" }, "", [resourceHandle], () => {
      const filename = convertToTensor(this.file, { dtype: "string", name: "asset_filepath" });
      const operation = InitializeTableFromTextFileV2({
        tableHandle: resourceHandle,
        filename,
        keyIndex: -2,
        valueIndex: -1,
        vocabSize: this.lines,
        delimiter: "\t",
      });
      graph.addToCollection(GraphKeys.TABLE_INITIALIZERS, operation);
      graph.addToCollection(GraphKeys.ASSET_FILEPATHS, filename);
      return operation;
    });
  }
}

interface FileOptions extends VocabularyOptions {
  /** How many lines of the file count: all without it. In a browser it has to be given, for no file is read there while a graph is built. */
  readonly vocabularySize?: number | null;
}

function linesIn(file: string, key: string): number {
  try {
    return [...linesOf(readNow(file))].length;
  } catch (error) {
    if (error instanceof NotFoundError) throw new ValueError(`vocabulary_file in ${key} does not exist.`);
    throw error;
  }
}

/** Ids by line in a file. TF: tf.feature_column.categorical_column_with_vocabulary_file. */
export function categoricalColumnWithVocabularyFile(key: string, vocabularyFile: string, options: FileOptions = {}): CategoricalColumn {
  if (!vocabularyFile) throw new ValueError(`Missing vocabulary_file in ${key}.`);
  const { dtype } = options;
  const vocabularySize = options.vocabularySize ?? linesIn(vocabularyFile, key);
  if (vocabularySize < 1) throw new ValueError(`Invalid vocabulary_size in ${key}.`);
  return new VocabularyFileColumn(
    key,
    vocabularyFile,
    vocabularySize,
    dtype ?? "string",
    outsideOf(key, options, () => false),
  );
}

class IdentityColumn extends KeyedColumn {
  readonly numBuckets: number;
  private readonly fallback: number | null;
  constructor(key: string, numBuckets: number, fallback: number | null) {
    if (numBuckets < 1) throw new ValueError(`num_buckets ${numBuckets} < 1, column_name ${key}`);
    if (fallback !== null && (fallback < 0 || fallback >= numBuckets))
      throw new ValueError(`default_value ${fallback} not in range [0, ${numBuckets}), column_name ${key}`);
    super(key, "int64");
    this.numBuckets = numBuckets;
    this.fallback = fallback;
  }
  protected get kind(): string {
    return "IdentityCategoricalColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    return { key: this.key, number_buckets: this.numBuckets, default_value: this.fallback };
  }
  protected idsOf(input: SparseTensor): SparseTensor {
    if (!isInteger(input.dtype)) throw new ValueError(`Invalid input, not integer. key: ${this.key} dtype: <dtype: '${input.dtype}'>`);
    let values = input.dtype === "int64" ? input.values : cast(input.values, "int64", { name: "values" });
    if (this.fallback !== null) {
      values = cast(input.values, "int64", { name: "values" });
      const buckets = castInteger(this.numBuckets, "int64", "num_buckets");
      const zero = castInteger(0, "int64", "zero");
      const isBelow = less(values, zero);
      const isOutside = logicalOr(isBelow, greaterEqual(values, buckets), { name: "out_of_range" });
      const sizes = shapeOf(values);
      const fallbacks = fill(sizes, castInteger(this.fallback, "int64"), { name: "default_values" });
      values = whereV2(isOutside, fallbacks, values);
    }
    return new SparseTensor(input.indices, values, input.denseShape);
  }
}

/** Ids as they are; those outside [0, numBuckets) become `defaultValue` where it is given. TF: tf.feature_column.categorical_column_with_identity. */
export const categoricalColumnWithIdentity = (
  key: string,
  numBuckets: number,
  { defaultValue }: { readonly defaultValue?: number | null } = {},
): CategoricalColumn => new IdentityColumn(key, numBuckets, defaultValue ?? null);

/** A column whose ids have weights. */
export class WeightedColumn extends FeatureColumn implements CategoricalColumn {
  readonly categoricalColumn: CategoricalColumn;
  private readonly weightKey: string;
  private readonly dtype: DType;
  constructor(categoricalColumn: CategoricalColumn, weightKey: string, dtype: DType) {
    super();
    this.categoricalColumn = categoricalColumn;
    this.weightKey = weightKey;
    this.dtype = dtype;
  }
  get name(): string {
    return `${this.categoricalColumn.name}_weighted_by_${this.weightKey}`;
  }
  get numBuckets(): number {
    return this.categoricalColumn.numBuckets;
  }
  get parseExampleSpec(): Features {
    const config = this.categoricalColumn.parseExampleSpec;
    if (this.weightKey in config)
      throw new ValueError(`Parse config ${String(config[this.weightKey])} already exists for ${this.weightKey}.`);
    return { ...config, [this.weightKey]: new VarLenFeature(this.dtype) };
  }
  protected get kind(): string {
    return "WeightedCategoricalColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    const { categoricalColumn, weightKey, dtype } = this;
    return { categorical_column: categoricalColumn, weight_feature_key: weightKey, dtype: dtypeText(dtype) };
  }
  transform(features: FeatureCache): WeightedIds {
    const given = convertToTensorOrSparseTensor(features.feature(this.weightKey) as Tensor);
    if (given.dtype !== this.dtype)
      throw new ValueError(`Bad dtype, expected <dtype: '${this.dtype}'>, but got <dtype: '${given.dtype}'>.`);
    const sparse = toSparse(given, 0);
    const weights = isFloating(sparse.dtype) ? sparse : new SparseTensor(sparse.indices, cast(sparse.values, "float32"), sparse.denseShape);
    return { ids: features.of(this.categoricalColumn), weights };
  }
  weightedIds(features: FeatureCache): WeightedIds {
    return features.of(this);
  }
}

/** A categorical column whose ids count as much as the feature `weightFeatureKey` says. TF: tf.feature_column.weighted_categorical_column. */
export function weightedCategoricalColumn(
  categoricalColumn: CategoricalColumn,
  weightFeatureKey: string,
  { dtype, ...others }: TypeOption = {},
): CategoricalColumn {
  refuseOthers(others);
  const type = dtype ?? "float32";
  if (!isInteger(type) && !isFloating(type)) throw new ValueError(`dtype <dtype: '${type}'> is not convertible to float.`);
  return new WeightedColumn(categoricalColumn, weightFeatureKey, type);
}

type Crossable = string | CategoricalColumn;

class CrossedColumn extends FeatureColumn implements CategoricalColumn {
  readonly numBuckets: number;
  private readonly keys: readonly Crossable[];
  private readonly hashKey: number | null;
  constructor(keys: readonly Crossable[], numBuckets: number, hashKey: number | null) {
    super();
    this.keys = keys;
    this.numBuckets = numBuckets;
    this.hashKey = hashKey;
  }
  /** The keys, those of crosses in place of them. */
  private leaves(): readonly Crossable[] {
    return this.keys.flatMap(key => (key instanceof CrossedColumn ? key.leaves() : [key]));
  }
  get name(): string {
    return this.leaves()
      .map(key => (typeof key === "string" ? key : key.name))
      .sort()
      .join("_X_");
  }
  get parseExampleSpec(): Features {
    return Object.assign(
      {},
      ...this.keys.map(key => (typeof key === "string" ? { [key]: new VarLenFeature("string") } : key.parseExampleSpec)),
    ) as Features;
  }
  protected get kind(): string {
    return "CrossedColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    return { keys: this.keys, hash_bucket_size: this.numBuckets, hash_key: this.hashKey };
  }
  transform(features: FeatureCache): SparseTensor {
    const inputs = this.leaves().map(key => {
      if (typeof key === "string") return features.feature(key);
      const { ids, weights } = key.weightedIds(features);
      if (weights !== null)
        throw new ValueError(
          `crossed_column does not support weight_tensor, but the given column populates weight_tensor. Given column: ${key.name}`,
        );
      return ids;
    });
    return sparseCrossHashed(inputs, { numBuckets: this.numBuckets, hashKey: this.hashKey ?? undefined });
  }
  weightedIds(features: FeatureCache): WeightedIds {
    return { ids: features.of(this), weights: null };
  }
}

/** Ids by a hash of combinations: of features by name, and of categorical columns (other than hashed ones). TF: tf.feature_column.crossed_column. */
export function crossedColumn(
  keys: readonly Crossable[],
  hashBucketSize: number,
  { hashKey }: { readonly hashKey?: number | null } = {},
): CategoricalColumn {
  if (!hashBucketSize || hashBucketSize < 1)
    throw new ValueError(`hash_bucket_size must be > 1. hash_bucket_size: ${pythonStr(hashBucketSize)}`);
  if (!keys || keys.length < 2) throw new ValueError(`keys must be a list with length > 1. Given: ${pythonStr(keys)}`);
  for (const key of keys) {
    if (typeof key !== "string" && !isCategorical(key))
      throw new ValueError(
        `Unsupported key type. All keys must be either string, or categorical column except HashedCategoricalColumn. Given: ${pythonStr(key)}`,
      );
    if (key instanceof HashedColumn)
      throw new ValueError(
        `categorical_column_with_hash_bucket is not supported for crossing. Hashing before crossing will increase probability of collision. Instead, use the feature name as a string. Given: ${key}`,
      );
  }
  return new CrossedColumn([...keys], hashBucketSize, hashKey ?? null);
}

/** A column whose ids stand in a sequence: `[batch, steps, ids of a step]`. */
export class SequenceColumn extends FeatureColumn implements CategoricalColumn {
  readonly categoricalColumn: CategoricalColumn;
  constructor(categoricalColumn: CategoricalColumn) {
    super();
    this.categoricalColumn = categoricalColumn;
  }
  get name(): string {
    return this.categoricalColumn.name;
  }
  get numBuckets(): number {
    return this.categoricalColumn.numBuckets;
  }
  get parseExampleSpec(): Features {
    return this.categoricalColumn.parseExampleSpec;
  }
  protected get kind(): string {
    return "SequenceCategoricalColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    return { categorical_column: this.categoricalColumn };
  }
  transform(features: FeatureCache): unknown {
    return this.categoricalColumn.transform(features);
  }
  weightedIds(features: FeatureCache): WeightedIds {
    const { ids, weights } = this.categoricalColumn.weightedIds(features);
    const sizes = sparseSizes(ids);
    const wanted = [getItem(sizes, 0), getItem(sizes, 1), reduceProd(getItem(sizes, [2, null]))];
    return { ids: sparseReshape(ids, wanted), weights: weights && sparseReshape(weights, wanted) };
  }
}

/** TF: tf.feature_column.sequence_categorical_column_with_hash_bucket. */
export const sequenceCategoricalColumnWithHashBucket = (key: string, hashBucketSize: number, options: TypeOption = {}): CategoricalColumn =>
  new SequenceColumn(categoricalColumnWithHashBucket(key, hashBucketSize, options));

/** TF: tf.feature_column.sequence_categorical_column_with_identity. */
export const sequenceCategoricalColumnWithIdentity = (
  key: string,
  numBuckets: number,
  options: { readonly defaultValue?: number | null } = {},
): CategoricalColumn => new SequenceColumn(categoricalColumnWithIdentity(key, numBuckets, options));

/** TF: tf.feature_column.sequence_categorical_column_with_vocabulary_list. */
export const sequenceCategoricalColumnWithVocabularyList = (
  key: string,
  vocabularyList: Words,
  options: VocabularyOptions = {},
): CategoricalColumn => new SequenceColumn(categoricalColumnWithVocabularyList(key, vocabularyList, options));

/** TF: tf.feature_column.sequence_categorical_column_with_vocabulary_file. */
export const sequenceCategoricalColumnWithVocabularyFile = (
  key: string,
  vocabularyFile: string,
  options: FileOptions = {},
): CategoricalColumn => new SequenceColumn(categoricalColumnWithVocabularyFile(key, vocabularyFile, options));
