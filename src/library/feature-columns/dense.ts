// Columns of numbers: numeric features, buckets of them, embeddings and one-hot rows of categories.

import { type DType, isFloating, isInteger } from "../../base/dtype.ts";
import { pythonRepr, pythonStr } from "../../base/python-text.ts";
import { NotImplementedError, ValueError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { expandDims, oneHot, reshape, shape as shapeOf } from "../../ops/array/array.ts";
import { scatterNd } from "../../ops/array/gather.ts";
import { tile } from "../../ops/array/padding.ts";
import { range } from "../../ops/array/ranges.ts";
import { transpose } from "../../ops/array/rearranging.ts";
import { getItem, stack } from "../../ops/array/slicing.ts";
import { cast } from "../../ops/math/cast.ts";
import { Bucketize } from "../../ops/math/counting.ts";
import { reduceSum } from "../../ops/math/reduction.ts";
import { embeddingLookupSparse, safeEmbeddingLookupSparse } from "../../ops/nn/embedding-sparse.ts";
import { add, mul } from "../../ops/operators.ts";
import { sparseTensorToDense } from "../../ops/sparse/sparse.ts";
import { sparseMerge, sparseSlice } from "../../ops/sparse/structure.ts";
import { FixedLenFeature, type Features, VarLenFeature } from "../features.ts";
import { truncatedNormalInitializer } from "../variables/initializers.ts";
import { getVariable, type VariableInitializer } from "../variables/variable-scope.ts";
import type { Variable } from "../variables/variables.ts";
import { SequenceColumn, WeightedColumn } from "./categorical.ts";
import {
  byName,
  type CategoricalColumn,
  type DenseColumn,
  dtypeText,
  FeatureColumn,
  type FeatureCache,
  isCategorical,
  requireStringKey,
  type WeightedIds,
  type WeightOptions,
} from "./column.ts";

type Numbers = number | readonly Numbers[];
const leaves = (value: Numbers): readonly number[] => (Array.isArray(value) ? value.flatMap(leaves) : [value as number]);
const tuple = (items: readonly unknown[]): string => `(${items.map(item => pythonRepr(item)).join(", ")}${items.length === 1 ? "," : ""})`;
type Normalizer = (values: Tensor) => Tensor;

interface NumericOptions {
  /** The shape of one example's values, [1]. */
  readonly shape?: number | readonly number[] | null;
  /** What a parser gives where the feature is missing: a number for all, or numbers of the shape. */
  readonly defaultValue?: Numbers | null;
  readonly dtype?: DType | null;
  /** Applied before the values become float32. */
  readonly normalizerFn?: Normalizer | null;
}

/** The dimensions of an example's values. @throws TypeError for fractions, ValueError below 1. */
function checkedShape(given: NumericOptions["shape"], key: string): readonly number[] {
  const shape: readonly number[] = Array.isArray(given) ? given : [(given ?? 1) as number];
  for (const size of shape) {
    if (!Number.isInteger(size)) throw new TypeError(`shape dimensions must be integer. shape: ${tuple(shape)}, key: ${key}`);
    if (size < 1) throw new ValueError(`shape dimensions must be greater than 0. shape: ${tuple(shape)}, key: ${key}`);
  }
  return shape;
}

const fits = (value: Numbers, [size, ...rest]: readonly number[]): boolean =>
  typeof value === "number" ? size === undefined : size === value.length && value.every(item => fits(item, rest));
const filled = (value: number, [size, ...rest]: readonly number[]): Numbers =>
  size === undefined ? value : Array.from({ length: size }, () => filled(value, rest));

function checkedDefault(value: Numbers | null | undefined, shape: readonly number[], dtype: DType, key: string): Numbers | null {
  if (value === undefined || value === null) return null;
  const isNumber = (leaf: unknown): boolean => (isFloating(dtype) ? typeof leaf === "number" : Number.isInteger(leaf));
  if (!leaves(value).every(isNumber))
    throw new TypeError(
      `default_value must be compatible with dtype. default_value: ${pythonStr(value)}, dtype: <dtype: '${dtype}'>, key: ${key}`,
    );
  if (typeof value === "number") return filled(value, shape);
  if (!fits(value, shape))
    throw new ValueError(
      `The shape of default_value must be equal to given shape. default_value: ${pythonStr(value)}, shape: ${tuple(shape)}, key: ${key}`,
    );
  return value;
}

function checkedNumbers(key: string, { shape, dtype, normalizerFn }: NumericOptions): { shape: readonly number[]; dtype: DType } {
  const type = dtype ?? "float32";
  const dims = checkedShape(shape, key);
  if (!isInteger(type) && !isFloating(type))
    throw new ValueError(`dtype must be convertible to float. dtype: <dtype: '${type}'>, key: ${key}`);
  if (normalizerFn && typeof normalizerFn !== "function")
    throw new TypeError(`normalizer_fn must be a callable. Given: ${pythonStr(normalizerFn)}`);
  return { shape: dims, dtype: type };
}

class NumericColumn extends FeatureColumn implements DenseColumn {
  readonly key: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  private readonly fallback: Numbers | null;
  private readonly normalizer: Normalizer | null;

  constructor(key: string, options: NumericOptions) {
    super();
    const { shape, dtype } = checkedNumbers(key, options);
    this.shape = shape;
    this.dtype = dtype;
    this.fallback = checkedDefault(options.defaultValue, shape, dtype, key);
    this.normalizer = options.normalizerFn ?? null;
    requireStringKey(key);
    this.key = key;
  }
  get name(): string {
    return this.key;
  }
  get variableShape(): TensorShape {
    return new TensorShape(this.shape);
  }
  get parseExampleSpec(): Features {
    return { [this.key]: new FixedLenFeature(this.shape, this.dtype, { defaultValue: this.fallback as TensorLike | null }) };
  }
  protected get kind(): string {
    return "NumericColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    const { key, shape, fallback, dtype, normalizer } = this;
    return { key, shape, default_value: fallback, dtype: dtypeText(dtype), normalizer_fn: normalizer };
  }
  transform(features: FeatureCache): Tensor {
    const given = features.feature(this.key);
    if (given instanceof SparseTensor)
      throw new ValueError(
        `The corresponding Tensor of numerical column must be a Tensor. SparseTensor is not supported. key: ${this.key}`,
      );
    return cast(this.normalizer === null ? given : this.normalizer(given), "float32");
  }
  denseTensor(features: FeatureCache): Tensor {
    return features.of(this);
  }
}

/** Numbers as they are. TF: tf.feature_column.numeric_column. */
export const numericColumn = (key: string, options: NumericOptions = {}): DenseColumn => new NumericColumn(key, options);

class BucketizedColumn extends FeatureColumn implements DenseColumn, CategoricalColumn {
  private readonly source: NumericColumn;
  private readonly boundaries: readonly number[];
  constructor(source: NumericColumn, boundaries: readonly number[]) {
    super();
    this.source = source;
    this.boundaries = boundaries;
  }
  get name(): string {
    return `${this.source.name}_bucketized`;
  }
  get parseExampleSpec(): Features {
    return this.source.parseExampleSpec;
  }
  private get perNumber(): number {
    return this.boundaries.length + 1;
  }
  get numBuckets(): number {
    return this.perNumber * this.source.shape[0];
  }
  get variableShape(): TensorShape {
    return new TensorShape([...this.source.shape, this.perNumber]);
  }
  protected get kind(): string {
    return "BucketizedColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    return { source_column: this.source, boundaries: this.boundaries };
  }
  transform(features: FeatureCache): Tensor {
    return Bucketize({ input: features.of<Tensor>(this.source), boundaries: this.boundaries });
  }
  denseTensor(features: FeatureCache): Tensor {
    const buckets = cast(features.of<Tensor>(this), "int64");
    return oneHot(buckets, this.perNumber, { onValue: 1, offValue: 0, dtype: "float32" });
  }
  weightedIds(features: FeatureCache): WeightedIds {
    const buckets = features.of<Tensor>(this);
    const batch = getItem(shapeOf(buckets), 0);
    const [count] = this.source.shape;
    const rows = reshape(tile(expandDims(range(0, batch), 1), [1, count]), [-1]);
    const columns = tile(range(0, count), [batch]);
    const flat = reshape(buckets, [-1]);
    const values = add(flat, mul(this.perNumber, columns));
    const indices = cast(transpose(stack([rows, columns])), "int64");
    const sizes = cast(stack([batch, count]), "int64");
    return { ids: new SparseTensor(indices, values, sizes), weights: null };
  }
}

/** Which of the buckets between `boundaries` a number is in, as one-hot rows or as ids. TF: tf.feature_column.bucketized_column. */
export function bucketizedColumn(sourceColumn: DenseColumn, boundaries: readonly number[]): DenseColumn & CategoricalColumn {
  if (!(sourceColumn instanceof NumericColumn))
    throw new ValueError(`source_column must be a column generated with numeric_column(). Given: ${pythonStr(sourceColumn)}`);
  if (sourceColumn.shape.length > 1) throw new ValueError(`source_column must be one-dimensional column. Given: ${sourceColumn}`);
  if (!boundaries || boundaries.length === 0) throw new ValueError("boundaries must not be empty.");
  if (!Array.isArray(boundaries) || boundaries.some((bound, i) => i > 0 && boundaries[i - 1] >= bound))
    throw new ValueError("boundaries must be a sorted list.");
  return new BucketizedColumn(sourceColumn, [...boundaries]);
}

interface EmbeddingOptions {
  /** How the rows of several ids become one: "mean", "sqrtn" or "sum". */
  readonly combiner?: "mean" | "sqrtn" | "sum" | null;
  /** Unless given, a truncated normal with standard deviation 1/√dimension. */
  readonly initializer?: VariableInitializer | null;
  readonly ckptToLoadFrom?: string | null;
  readonly tensorNameInCkpt?: string | null;
  /** Rows of the table are scaled down to this norm. */
  readonly maxNorm?: number | null;
  readonly trainable?: boolean | null;
  readonly useSafeEmbeddingLookup?: boolean | null;
}

/** @throws ValueError for bad options; NotImplementedError for tables from a checkpoint. */
function checkedEmbedding(dimension: number, options: EmbeddingOptions): Required<EmbeddingOptions> & { initializer: VariableInitializer } {
  if (dimension === null || dimension === undefined || dimension < 1) throw new ValueError(`Invalid dimension ${dimension ?? "None"}.`);
  const { ckptToLoadFrom = null, tensorNameInCkpt = null, initializer } = options;
  if ((ckptToLoadFrom === null) !== (tensorNameInCkpt === null))
    throw new ValueError("Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them.");
  if (ckptToLoadFrom !== null)
    throw new NotImplementedError(
      "ckpt_to_load_from: an embedding column is not filled from a checkpoint; use tf.train.initFromCheckpoint.",
    );
  return {
    ckptToLoadFrom,
    tensorNameInCkpt,
    combiner: options.combiner ?? "mean",
    maxNorm: options.maxNorm ?? null,
    trainable: options.trainable ?? true,
    useSafeEmbeddingLookup: options.useSafeEmbeddingLookup ?? true,
    initializer: initializer ?? truncatedNormalInitializer({ mean: 0, stddev: 1 / Math.sqrt(dimension) }),
  };
}

/** A column with a table of rows, one for each id. */
abstract class TableColumn extends FeatureColumn implements DenseColumn {
  readonly categoricalColumn: CategoricalColumn;
  protected readonly dimension: number;
  protected readonly settings: ReturnType<typeof checkedEmbedding>;
  constructor(categoricalColumn: CategoricalColumn, dimension: number, settings: ReturnType<typeof checkedEmbedding>) {
    super();
    this.categoricalColumn = categoricalColumn;
    this.dimension = dimension;
    this.settings = settings;
  }
  get parseExampleSpec(): Features {
    return this.categoricalColumn.parseExampleSpec;
  }
  get variableShape(): TensorShape {
    return new TensorShape([this.dimension]);
  }
  transform(features: FeatureCache): unknown {
    return features.of(this.categoricalColumn);
  }
  abstract denseTensor(features: FeatureCache, weights: WeightOptions): Tensor;

  protected refuseSequence(): void {
    if (this.categoricalColumn instanceof SequenceColumn)
      throw new ValueError(
        `In embedding_column: ${this.name}. categorical_column must not be of type _SequenceCategoricalColumn. Suggested fix A: If you wish to use DenseFeatures, use a non-sequence categorical_column_with_*. Suggested fix B: If you wish to create sequence input, use SequenceFeatures instead of DenseFeatures. Given (type SequenceCategoricalColumn): ${this.categoricalColumn}`,
      );
  }
  protected newTable({ collections, trainable }: WeightOptions): Variable {
    return getVariable("embedding_weights", [this.categoricalColumn.numBuckets, this.dimension], {
      dtype: "float32",
      initializer: this.settings.initializer,
      trainable: this.settings.trainable === true && trainable,
      collections,
    });
  }
  protected lookup({ ids, weights }: WeightedIds, table: Variable): Tensor {
    const { combiner, maxNorm, useSafeEmbeddingLookup } = this.settings;
    const rank = ids.denseShape.shape.dim(0);
    const options = { combiner, maxNorm, name: `${this.name}_weights` };
    const isPlain = !useSafeEmbeddingLookup && rank !== null && rank <= 2;
    return isPlain
      ? embeddingLookupSparse(table, ids, weights, { ...options, partitionStrategy: "div" })
      : safeEmbeddingLookupSparse(table, ids, { ...options, sparseWeights: weights });
  }
}

class EmbeddingColumn extends TableColumn {
  get name(): string {
    return `${this.categoricalColumn.name}_embedding`;
  }
  protected get kind(): string {
    return "EmbeddingColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    const { combiner, initializer, ckptToLoadFrom, tensorNameInCkpt, maxNorm, trainable, useSafeEmbeddingLookup } = this.settings;
    const table = {
      dimension: this.dimension,
      combiner,
      initializer,
      ckpt_to_load_from: ckptToLoadFrom,
      tensor_name_in_ckpt: tensorNameInCkpt,
    };
    return {
      categorical_column: this.categoricalColumn,
      ...table,
      max_norm: maxNorm,
      trainable,
      use_safe_embedding_lookup: useSafeEmbeddingLookup,
    };
  }
  denseTensor(features: FeatureCache, weights: WeightOptions): Tensor {
    this.refuseSequence();
    const ids = this.categoricalColumn.weightedIds(features);
    return this.lookup(ids, this.newTable(weights));
  }
}

/** Rows of a trained table, one for each id, combined where an example has several. TF: tf.feature_column.embedding_column. */
export function embeddingColumn(categoricalColumn: CategoricalColumn, dimension: number, options: EmbeddingOptions = {}): DenseColumn {
  const settings = checkedEmbedding(dimension, options);
  if (typeof settings.initializer !== "function")
    throw new ValueError(`initializer must be callable if specified. Embedding of column_name: ${categoricalColumn.name}`);
  return new EmbeddingColumn(categoricalColumn, dimension, settings);
}

class SharedEmbeddingColumn extends TableColumn {
  private readonly collection: string;
  constructor(column: CategoricalColumn, dimension: number, settings: ReturnType<typeof checkedEmbedding>, collection: string) {
    super(column, dimension, settings);
    this.collection = collection;
  }
  get name(): string {
    return `${this.categoricalColumn.name}_shared_embedding`;
  }
  override get scopeName(): string {
    return this.collection;
  }
  protected get kind(): string {
    return "_SharedEmbeddingColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    return { categorical_column: this.categoricalColumn, dimension: this.dimension, shared_embedding_collection_name: this.collection };
  }
  denseTensor(features: FeatureCache, weights: WeightOptions): Tensor {
    this.refuseSequence();
    const graph = getDefaultGraph();
    return graph.nameScope(this.name, () => {
      const ids = this.categoricalColumn.weightedIds(features);
      return this.lookup(ids, this.sharedTable(weights));
    });
  }
  private sharedTable(weights: WeightOptions): Variable {
    const graph = getDefaultGraph();
    const known = graph.getCollection(this.collection) as Variable[];
    if (known.length > 1)
      throw new ValueError(
        `Collection ${String(known)} can only contain one variable. Suggested fix A: Choose a unique name for this collection. Suggested fix B: Do not add any variables to this collection. The feature_column library already adds a variable under the hood.`,
      );
    if (known.length === 0) {
      const table = this.newTable(weights);
      graph.addToCollection(this.collection, table);
      return table;
    }
    const [table] = known;
    const expected = new TensorShape([this.categoricalColumn.numBuckets, this.dimension]);
    if (!table.shape.equals(expected))
      throw new ValueError(
        `Shared embedding collection ${this.collection} contains variable ${table.name} of unexpected shape ${table.shape}. Expected shape is ${expected}. Suggested fix A: Choose a unique name for this collection. Suggested fix B: Do not add any variables to this collection. The feature_column library already adds a variable under the hood.`,
      );
    return table;
  }
}

interface SharedOptions extends EmbeddingOptions {
  /** The collection that holds the table, which also names its scope. */
  readonly sharedEmbeddingCollectionName?: string | null;
}

/** Behind weights and sequences, the column that tells what the ids are. */
function innermost(column: CategoricalColumn): CategoricalColumn {
  return column instanceof WeightedColumn || column instanceof SequenceColumn ? innermost(column.categoricalColumn) : column;
}

/** Embedding columns with one table for all; they have to be of one kind, with as many ids. TF: tf.feature_column.shared_embedding_columns. */
export function sharedEmbeddingColumns(
  categoricalColumns: readonly CategoricalColumn[],
  dimension: number,
  options: SharedOptions = {},
): DenseColumn[] {
  const settings = checkedEmbedding(dimension, options);
  if (typeof settings.initializer !== "function") throw new ValueError("initializer must be callable if specified.");
  const sorted = [...categoricalColumns].sort(byName);
  const [first, ...others] = sorted.map(innermost);
  for (const column of others) {
    if (column.constructor !== first.constructor)
      throw new ValueError(
        `To use shared_embedding_column, all categorical_columns must have the same type, or be weighted_categorical_column or sequence column of the same type. Given column: ${first} of type: ${first.constructor.name} does not match given column: ${column} of type: ${column.constructor.name}`,
      );
    if (column.numBuckets !== first.numBuckets)
      throw new ValueError(
        `To use shared_embedding_column, all categorical_columns must have the same number of buckets. ven column: ${first} with buckets: ${first.numBuckets} does  not match column: ${column} with buckets: ${column.numBuckets}`,
      );
  }
  const collection = options.sharedEmbeddingCollectionName || `${sorted.map(({ name }) => name).join("_")}_shared_embedding`;
  return categoricalColumns.map(column => new SharedEmbeddingColumn(column, dimension, settings, collection));
}

class IndicatorColumn extends FeatureColumn implements DenseColumn {
  private readonly categoricalColumn: CategoricalColumn;
  constructor(categoricalColumn: CategoricalColumn) {
    super();
    this.categoricalColumn = categoricalColumn;
  }
  get name(): string {
    return `${this.categoricalColumn.name}_indicator`;
  }
  get parseExampleSpec(): Features {
    return this.categoricalColumn.parseExampleSpec;
  }
  get variableShape(): TensorShape {
    return new TensorShape([1, this.categoricalColumn.numBuckets]);
  }
  protected get kind(): string {
    return "IndicatorColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    return { categorical_column: this.categoricalColumn };
  }
  transform(features: FeatureCache): Tensor {
    const { ids, weights } = this.categoricalColumn.weightedIds(features);
    const count = this.categoricalColumn.numBuckets;
    if (weights !== null) {
      const merged = sparseMerge(ids, weights, count);
      const sliced = sparseSlice(merged, [0, 0], merged.denseShape);
      return scatterNd(sliced.indices, sliced.values, sliced.denseShape);
    }
    const dense = sparseTensorToDense(ids, { defaultValue: -1 });
    return reduceSum(oneHot(dense, count, { onValue: 1, offValue: 0, dtype: "float32" }), [-2]);
  }
  denseTensor(features: FeatureCache): Tensor {
    if (this.categoricalColumn instanceof SequenceColumn)
      throw new ValueError(
        `In indicator_column: ${this.name}. categorical_column must not be of type _SequenceCategoricalColumn. Suggested fix A: If you wish to use DenseFeatures, use a non-sequence categorical_column_with_*. Suggested fix B: If you wish to create sequence input, use SequenceFeatures instead of DenseFeatures. Given (type SequenceCategoricalColumn): ${this.categoricalColumn}`,
      );
    return features.of(this);
  }
}

/** A row of counts (or weights), one for each id. TF: tf.feature_column.indicator_column. */
export function indicatorColumn(categoricalColumn: CategoricalColumn): DenseColumn {
  if (!isCategorical(categoricalColumn))
    throw new ValueError(`Unsupported input type. Input must be a CategoricalColumn. Given: ${pythonStr(categoricalColumn)}`);
  return new IndicatorColumn(categoricalColumn);
}

class SequenceNumericColumn extends FeatureColumn {
  private readonly key: string;
  private readonly shape: readonly number[];
  private readonly dtype: DType;
  private readonly options: NumericOptions;
  constructor(key: string, options: NumericOptions) {
    super();
    const { shape, dtype } = checkedNumbers(key, options);
    this.key = key;
    this.shape = shape;
    this.dtype = dtype;
    this.options = options;
  }
  get name(): string {
    return this.key;
  }
  get parseExampleSpec(): Features {
    return { [this.key]: new VarLenFeature(this.dtype) };
  }
  protected get kind(): string {
    return "SequenceNumericColumn";
  }
  protected fields(): Readonly<Record<string, unknown>> {
    const { key, shape, dtype, options } = this;
    return { key, shape, default_value: options.defaultValue ?? 0, dtype: dtypeText(dtype), normalizer_fn: options.normalizerFn };
  }
  transform(features: FeatureCache): unknown {
    const given = features.feature(this.key);
    return this.options.normalizerFn ? this.options.normalizerFn(given as Tensor) : given;
  }
}

/** Numbers that stand in a sequence. TF: tf.feature_column.sequence_numeric_column. */
export const sequenceNumericColumn = (key: string, options: NumericOptions = {}): FeatureColumn => new SequenceNumericColumn(key, options);
