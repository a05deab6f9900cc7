// tf.data.experimental: functions for `Dataset.apply`, and what TensorFlow has made methods of since.

import { UnimplementedError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { pythonClass } from "../../base/python-text.ts";
import type { DType } from "../../base/dtype.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import { isOptions } from "../../ops/arguments.ts";
import { getItem } from "../../ops/array/slicing.ts";
import { where } from "../../ops/array/selection.ts";
import * as ops from "../../ops/data/dataset.ts";
import { CSVDatasetV2, DatasetToTFRecord, ParseExampleDatasetV2 } from "../../ops/data/dataset-experimental.ts";
import { ExperimentalGroupByReducerDataset } from "../../ops/data/dataset-rarer.ts";
import { ListDataset } from "../../ops/data/dataset-sources.ts";
import { csvTypes } from "../../ops/string/parsing.ts";
import { constant, zeros } from "../../ops/array/array.ts";
import { less, lessEqual, logicalAnd } from "../../ops/math/comparison.ts";
import { reduceMin } from "../../ops/math/reduction.ts";
import { sub } from "../../ops/operators.ts";
import { assertLess } from "../../ops/flow/check.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { assertSameStructure, mapNested, type Nested } from "../../ops/flow/nested.ts";
import { exampleRequest, type Features, isJoined, type ParsedExamples, withSparseFeatures } from "../features.ts";
import { type ShapeGiven, SparseTensorSpec } from "../../ops/sparse/type-specs.ts";
import { TensorArraySpec } from "../state-specs.ts";
import {
  AUTOTUNE,
  Dataset,
  described,
  elementsOf,
  functionOf,
  merged,
  normalized,
  seedTensors,
  spread,
  stateFunctionOf,
} from "./dataset.ts";
import { ComponentSpec, componentsOf, componentTensors, specOfValue, typesAndShapes } from "./element-spec.ts";
import type { Iterator } from "./iterator.ts";
import type { Optional } from "./optional.ts";
import { refuseOthers } from "../../ops/arguments.ts";

// `any`: what a dataset's function gets follows from the dataset's elements, and may be any nesting
type ElementFunction = (...element: any[]) => Nested;
type Transformation = (dataset: Dataset) => Dataset;

const int64 = (value: TensorLike, name: string): Tensor => convertToTensor(value, { dtype: "int64", name });

/** Dataset.counter with its arguments in turn. TF: tf.data.experimental.Counter. */
export const Counter = ({
  start = 0,
  step = 1,
  dtype = "int64",
  ...others
}: {
  readonly start?: TensorLike;
  readonly step?: TensorLike;
  readonly dtype?: DType;
} = {}): Dataset => {
  refuseOthers(others);
  return Dataset.counter({ start, step, dtype });
};

/** Numbers for ever: int64 scalars below 2³². TF: tf.data.experimental.RandomDataset. */
export class RandomDataset extends Dataset {
  constructor(options: NonNullable<Parameters<typeof Dataset.random>[0]> = {}) {
    const { variantTensor, elementSpec } = Dataset.random(options);
    super(variantTensor, elementSpec);
  }
}

interface CsvOptions {
  readonly compressionType?: TensorLike | null;
  readonly bufferSize?: TensorLike | null;
  /** The first line of each file names the columns. */
  readonly header?: TensorLike;
  readonly fieldDelim?: TensorLike;
  readonly useQuoteDelim?: TensorLike;
  /** A field of this text is missing, too. */
  readonly naValue?: TensorLike;
  /** Columns to keep, ascending. */
  readonly selectCols?: TensorLike | null;
}

/** Rows of files of comma-separated values, a scalar for each column: `recordDefaults` has a column's type, if a field may not be missing, or a vector of the
 *  value in its stead. TF: tf.data.experimental.CsvDataset. @throws InvalidArgumentError while running, for rows that do not fit. */
export class CsvDataset extends Dataset {
  constructor(filenames: TensorLike, recordDefaults: readonly (DType | TensorLike)[], options: CsvOptions = {}) {
    const columns = recordDefaults.map((column, i) =>
      typeof column === "string" && (csvTypes as readonly string[]).includes(column)
        ? constant(NDArray.zeros(column as DType, [0]))
        : convertToTensor(column, { name: `record_defaults_${i}` }),
    );
    const text = (value: TensorLike, name: string): Tensor => convertToTensor(value, { dtype: "string", name });
    const flag = (value: TensorLike, name: string): Tensor => convertToTensor(value, { dtype: "bool", name });
    const inputs = {
      filenames: text(filenames, "filenames"),
      compressionType: text(options.compressionType ?? "", "compression_type"),
      recordDefaults: columns,
      bufferSize: int64(options.bufferSize ?? 256 * 1024, "buffer_size"),
      header: flag(options.header ?? false, "header"),
      fieldDelim: text(options.fieldDelim ?? ",", "field_delim"),
      useQuoteDelim: flag(options.useQuoteDelim ?? true, "use_quote_delim"),
      naValue: text(options.naValue ?? "", "na_value"),
      selectCols: int64(options.selectCols ?? NDArray.zeros("int64", [0]), "select_cols"),
      excludeCols: int64(NDArray.zeros("int64", [0]), "exclude_cols"),
    };
    const scalar = new TensorShape([]);
    super(
      CSVDatasetV2({ ...inputs, outputShapes: columns.map(() => scalar) }),
      columns.map(({ dtype }) => new ComponentSpec(dtype, scalar)),
    );
  }
}

/** For `apply`: fails while running, unless there are so many elements. TF: tf.data.experimental.assert_cardinality. */
export const assertCardinality =
  (expectedCardinality: TensorLike): Transformation =>
  ({ variantTensor, elementSpec }) => {
    const inputs = { inputDataset: variantTensor, cardinality: int64(expectedCardinality, "expected_cardinality") };
    return new Dataset(ops.AssertCardinalityDataset({ ...inputs, ...typesAndShapes(elementSpec) }), elementSpec);
  };

/** How many elements there are, an int64 scalar. TF: tf.data.experimental.cardinality. */
export const cardinality = (dataset: Dataset): Tensor => dataset.cardinality();

/** Dataset.chooseFromDatasets, which goes on here after a dataset that has ended. TF: tf.data.experimental.choose_from_datasets. */
export const chooseFromDatasets = (
  datasets: readonly Dataset[],
  choiceDataset: Dataset,
  { stopOnEmptyDataset = false }: { readonly stopOnEmptyDataset?: boolean } = {},
): Dataset => Dataset.chooseFromDatasets(datasets, choiceDataset, { stopOnEmptyDataset });

/** Dataset.sampleFromDatasets. TF: tf.data.experimental.sample_from_datasets. */
export const sampleFromDatasets: typeof Dataset.sampleFromDatasets = (datasets, options) => Dataset.sampleFromDatasets(datasets, options);

/** For `apply`: Dataset.enumerate. TF: tf.data.experimental.enumerate_dataset. */
export const enumerateDataset = ({ start = 0n, ...others }: { readonly start?: TensorLike } = {}): Transformation => {
  refuseOthers(others);
  return dataset => dataset.enumerate(start);
};

/** The next element of an iterator, or none at the end. TF: tf.data.experimental.get_next_as_optional. */
export const getNextAsOptional = (iterator: Iterator): Optional => iterator.getNextAsOptional();

/** The one element of a dataset. TF: tf.data.experimental.get_single_element. */
export const getSingleElement = (dataset: Dataset): Nested => dataset.getSingleElement();

/** What the elements of a dataset or an iterator are. TF: tf.data.experimental.get_structure. */
export const getStructure = (datasetOrIterator: { readonly elementSpec: Nested }): Nested => datasetOrIterator.elementSpec;

/** A dataset as a tensor of type variant. TF: tf.data.experimental.to_variant. */
export const toVariant = (dataset: Dataset): Tensor => dataset.variantTensor;

/** The dataset that a tensor holds; `structure` is what `getStructure` gave of it. TF: tf.data.experimental.from_variant. */
export const fromVariant = (variant: Tensor, structure: Nested): Dataset => new Dataset(variant, structure);

/** For `apply`: Dataset.groupByWindow. TF: tf.data.experimental.group_by_window. */
export const groupByWindow =
  (...given: Parameters<Dataset["groupByWindow"]>): Transformation =>
  dataset =>
    dataset.groupByWindow(...given);

/** For `apply`: without the elements that fail to be made. TF: tf.data.experimental.ignore_errors. */
export const ignoreErrors = ({ logWarning = false, ...others }: { readonly logWarning?: boolean } = {}): Transformation => {
  refuseOthers(others);
  return dataset => dataset.ignoreErrors({ logWarning });
};

/** For `apply`: Dataset.scan. TF: tf.data.experimental.scan. */
export const scan =
  (initialState: Nested, scanFunc: (state: Nested, element: Nested) => readonly [Nested, Nested]): Transformation =>
  dataset =>
    dataset.scan(initialState, scanFunc);

/** For `apply`: Dataset.takeWhile. TF: tf.data.experimental.take_while. */
export const takeWhile =
  (predicate: ElementFunction): Transformation =>
  dataset =>
    dataset.takeWhile(predicate);

/** For `apply`: Dataset.unbatch. TF: tf.data.experimental.unbatch. */
export const unbatch = (): Transformation => dataset => dataset.unbatch();

/** For `apply`: Dataset.unique. TF: tf.data.experimental.unique. */
export const unique = (): Transformation => dataset => dataset.unique();

interface MapAndBatchOptions {
  readonly numParallelBatches?: number | null;
  readonly dropRemainder?: boolean;
  readonly numParallelCalls?: TensorLike | null;
}

/** For `apply`: map and batch in one node. TF: tf.data.experimental.map_and_batch. */
export const mapAndBatch = (
  mapFunc: ElementFunction,
  batchSize: TensorLike,
  { numParallelBatches = null, dropRemainder = false, numParallelCalls = null, ...others }: MapAndBatchOptions = {},
): Transformation => {
  refuseOthers(others);
  return ({ variantTensor, elementSpec }) => {
    if (numParallelBatches !== null && numParallelCalls !== null)
      throw new ValueError(
        "`map_and_batch_with_legacy_function` allows only one of `num_parallel_batches` and `num_parallel_calls` to be set, but both were set.",
      );
    const { f, spec, otherArguments } = functionOf("tf_data_experimental_map_and_batch", mapFunc, [elementSpec], ([element]) =>
      spread(mapFunc, element),
    );
    const size = int64(batchSize, "batch_size");
    const calls = numParallelCalls ?? (numParallelBatches === null ? batchSize : Number(batchSize) * numParallelBatches);
    const lead = dropRemainder && typeof batchSize === "number" ? batchSize : null;
    const batchSpec = mapNested(spec, leaf => {
      return (leaf as ComponentSpec).batched(lead);
    });
    const inputs = {
      inputDataset: variantTensor,
      otherArguments,
      batchSize: size,
      numParallelCalls: int64(calls, "num_parallel_calls"),
      dropRemainder: convertToTensor(dropRemainder, { dtype: "bool", name: "drop_remainder" }),
    };
    return new Dataset(ops.MapAndBatchDataset({ ...inputs, f, preserveCardinality: true, ...typesAndShapes(batchSpec) }), batchSpec);
  };
};

/** For `apply`: shuffles, and repeats so that the order goes on from one time to the next. TF: tf.data.experimental.shuffle_and_repeat. */
export const shuffleAndRepeat = (
  bufferSize: TensorLike,
  { count = null, seed = null, ...others }: { readonly count?: TensorLike | null; readonly seed?: number | null } = {},
): Transformation => {
  refuseOthers(others);
  return ({ variantTensor, elementSpec }) => {
    const inputs = { inputDataset: variantTensor, bufferSize: int64(bufferSize, "buffer_size"), count: int64(count ?? -1, "count") };
    return new Dataset(ops.ShuffleAndRepeatDataset({ ...inputs, ...seedTensors(seed), ...typesAndShapes(elementSpec) }), elementSpec);
  };
};

/** The same as mapAndBatch. TF: tf.data.experimental.map_and_batch_with_legacy_function. */
export const mapAndBatchWithLegacyFunction: typeof mapAndBatch = (...given) => mapAndBatch(...given);

/** Three functions that make one value of all elements with a key: `initFunc(key)` gives the first state, `reduceFunc(state, element)` the next,
 *  `finalizeFunc(...state)` the value. TF: tf.data.experimental.Reducer. */
export class Reducer {
  readonly initFunc: (key: Tensor) => Nested;
  readonly reduceFunc: (state: Nested, element: Nested) => Nested;
  readonly finalizeFunc: ElementFunction;

  constructor(initFunc: (key: Tensor) => Nested, reduceFunc: (state: Nested, element: Nested) => Nested, finalizeFunc: ElementFunction) {
    this.initFunc = initFunc;
    this.reduceFunc = reduceFunc;
    this.finalizeFunc = finalizeFunc;
  }
}

/** For `apply`: a value for each key (`keyFunc` of the elements, an int64 scalar), in the order in which keys were first met.
 *  TF: tf.data.experimental.group_by_reducer. @throws ValueError for other keys, TypeError if the type of a state changes. */
export const groupByReducer =
  (keyFunc: ElementFunction, { initFunc, reduceFunc, finalizeFunc }: Reducer): Transformation =>
  ({ variantTensor, elementSpec }) => {
    const what = "tf_data_experimental_group_by_reducer";
    const scalar = new ComponentSpec("int64", new TensorShape([]));
    const key = functionOf(what, keyFunc, [elementSpec], ([element]) => spread(keyFunc, element));
    const { spec: given } = key;
    if (!(given instanceof ComponentSpec && given.dtype === "int64" && given.shape.isCompatibleWith([]))) {
      const [types, shapes] = given instanceof ComponentSpec ? [`<dtype: '${given.dtype}'>`, String(given.shape)] : ["several", "several"];
      throw new ValueError(
        `Invalid \`key_func\`. Expected \`key_func\` to return a scalar tf.int64 tensor, but instead \`key_func\` has output types=${types} and shapes=${shapes}.`,
      );
    }
    const init = functionOf(what, initFunc, [scalar], ([first]) => initFunc(first as Tensor));
    const reduce = stateFunctionOf(what, [init.spec, elementSpec], reduceFunc, next => next);
    const finalize = functionOf(what, finalizeFunc, [reduce.spec], ([state]) => spread(finalizeFunc, state));
    const variant = ExperimentalGroupByReducerDataset({
      inputDataset: variantTensor,
      keyFuncOtherArguments: key.otherArguments,
      initFuncOtherArguments: init.otherArguments,
      reduceFuncOtherArguments: reduce.otherArguments,
      finalizeFuncOtherArguments: finalize.otherArguments,
      keyFunc: key.f,
      initFunc: init.f,
      reduceFunc: reduce.f,
      finalizeFunc: finalize.f,
      ...typesAndShapes(finalize.spec),
    });
    return new Dataset(variant as Tensor, finalize.spec);
  };

/** The given elements one after the other; their shapes may differ. TF: tf.data.experimental.from_list. @throws ValueError for no elements. */
export function fromList(elements: readonly Nested[], { name }: Named = {}): Dataset {
  if (!Array.isArray(elements)) throw new ValueError("Invalid `elements`. `elements` must be a list.");
  if (elements.length === 0)
    throw new ValueError(
      "Invalid `elements`. `elements` should not be empty. If you want an empty dataset, use `tf.data.Dataset.range(0)`.",
    );
  const given = elements.map(normalized);
  for (const element of given.slice(1)) assertSameStructure(given[0], element);
  const spec = given.map(specOfValue).reduce(merged);
  const tensors = given.flatMap(element => componentTensors(spec, element));
  return new Dataset(ListDataset({ tensors, ...typesAndShapes(spec) }, { name }), spec);
}

/** For `apply` to a dataset of dictionaries whose number of elements is known: as many elements as `cardinality` says, those behind the last one of zeros.
 *  Under `maskKey` each says whether it is one of the dataset. TF: tf.data.experimental.pad_to_cardinality. @throws ValueError for other elements. */
export const padToCardinality = (
  cardinality: TensorLike,
  { maskKey = "valid", ...others }: { readonly maskKey?: string } = {},
): Transformation => {
  refuseOthers(others);
  return dataset => {
    const { elementSpec } = dataset;
    if (!isOptions(elementSpec)) throw new ValueError("`pad_to_cardinality` requires its input dataset to be a dictionary.");
    const missing = sub(cardinality, dataset.cardinality());
    const zero = (leaf: unknown): Tensor => zeros((leaf as ComponentSpec).shape, (leaf as ComponentSpec).dtype);
    const filler = Dataset.fromTensors({ ...mapNested(elementSpec, zero), [maskKey]: false }).repeat(missing);
    return dataset.map((element: Record<string, Nested>) => ({ ...element, [maskKey]: true })).concatenate(filler);
  };
};

/** Writes a dataset's elements, string scalars, as the records of a file. TF: tf.data.experimental.TFRecordWriter. */
export class TFRecordWriter {
  private readonly filename: Tensor;
  private readonly compressionType: Tensor;

  constructor(filename: TensorLike, { compressionType = null }: { readonly compressionType?: TensorLike | null } = {}) {
    this.filename = convertToTensor(filename, { dtype: "string", name: "filename" });
    this.compressionType = convertToTensor(compressionType ?? "", { dtype: "string", name: "compression_type" });
  }

  /** The operation that writes the file anew. @throws TypeError for other elements than string scalars. */
  write(dataset: Dataset): Operation {
    if (!(dataset instanceof Dataset))
      throw new TypeError(`Invalid \`dataset.\` Expected a \`tf.data.Dataset\` object but got ${pythonClass(dataset)}.`);
    const { elementSpec, variantTensor } = dataset;
    if (!(elementSpec instanceof ComponentSpec && elementSpec.dtype === "string" && elementSpec.shape.isCompatibleWith([]))) {
      const { dtype, shape } = componentsOf(elementSpec)[0];
      throw new TypeError(
        `Invalid \`dataset\`. Expected a\`dataset\` that produces scalar \`tf.string\` elements, but got a dataset which produces elements with shapes ${shape} and types <dtype: '${dtype}'>.`,
      );
    }
    const { filename, compressionType } = this;
    return DatasetToTFRecord({ inputDataset: variantTensor, filename, compressionType });
  }
}

/** @throws UnimplementedError unless the device is the one there is. */
function needProcessor(device: string): void {
  if (!/^(?:\/job:localhost)?(?:\/replica:0)?(?:\/task:0)?\/(?:device:)?cpu:0$/i.test(device))
    throw new UnimplementedError(`Elements cannot be copied to ${device}: there is one device, /cpu:0.`);
}

/** For `apply`: the same elements, which are on the one device there is. TF: tf.data.experimental.copy_to_device. */
export const copyToDevice = (
  targetDevice: string,
  { sourceDevice = "/cpu:0" }: { readonly sourceDevice?: string } = {},
): Transformation => {
  needProcessor(sourceDevice);
  needProcessor(targetDevice);
  return dataset => dataset;
};

/** For `apply`: Dataset.prefetch, on the one device there is. TF: tf.data.experimental.prefetch_to_device. */
export const prefetchToDevice = (device: string, { bufferSize = null }: { readonly bufferSize?: number | null } = {}): Transformation => {
  needProcessor(device);
  return dataset => dataset.prefetch(bufferSize ?? AUTOTUNE);
};

interface ParseOptions {
  readonly numParallelCalls?: TensorLike;
  readonly deterministic?: boolean | null;
}

/** For `apply` to batches of serialized tf.Example messages: their features, a dictionary of tensors. TF: tf.data.experimental.parse_example_dataset.
 *  @throws TypeError for other elements, UnimplementedError for ragged features. */
export const parseExampleDataset = (
  features: Features,
  { numParallelCalls = 1, deterministic = null }: ParseOptions = {},
): Transformation => {
  if (features === null || features === undefined) throw new ValueError("Argument `features` is required, but not specified.");
  return ({ variantTensor, elementSpec }) => {
    if (!(elementSpec instanceof ComponentSpec && elementSpec.dtype === "string" && elementSpec.shape.isCompatibleWith([null])))
      throw new TypeError(`Input dataset should be a dataset of vectors of strings. Instead it is \`${described(elementSpec)}\`.`);
    const request = exampleRequest(features);
    const lead = new TensorShape(elementSpec.shape.dims ?? [null]);
    const spec: Nested = Object.fromEntries([
      ...request.sparseKeys.map((key, i) => [key, new SparseTensorSpec(lead.concatenate([null]), request.sparseTypes[i])] as const),
      ...request.denseKeys.map((key, i) => [key, new ComponentSpec(request.Tdense[i], lead.concatenate(request.denseShapes[i]))] as const),
    ]);
    const inputs = { inputDataset: variantTensor, numParallelCalls: int64(numParallelCalls, "ParseExampleDatasetV2/num_parallel_calls") };
    const attrs = { deterministic: deterministic === null ? "default" : String(deterministic) };
    const parsed = new Dataset(ParseExampleDatasetV2({ ...inputs, ...request, ...attrs, ...typesAndShapes(spec) }), spec);
    return isJoined(features) ? parsed.map((found: ParsedExamples) => withSparseFeatures(found, features), { numParallelCalls }) : parsed;
  };
};

/** @throws ValueError: a graph has no elements to look at before it is run. TF: tf.data.experimental.enable_debug_mode. */
export function enableDebugMode(): never {
  throw new ValueError("`enable_debug_mode() is only supported in eager mode.");
}

interface ParallelInterleaveOptions {
  readonly blockLength?: number;
  readonly sloppy?: boolean;
  readonly bufferOutputElements?: number | null;
  readonly prefetchInputElements?: number | null;
}

/** For `apply`: Dataset.interleave, as its elements come where `sloppy`. TF: tf.data.experimental.parallel_interleave. */
export const parallelInterleave = (
  mapFunc: ElementFunction,
  cycleLength: number,
  { blockLength = 1, sloppy = false, bufferOutputElements = null, prefetchInputElements = null, ...others }: ParallelInterleaveOptions = {},
): Transformation => {
  refuseOthers(others);
  return ({ variantTensor, elementSpec }) => {
    const what = "tf_data_experimental_parallel_interleave";
    const { f, spec, otherArguments } = functionOf(what, mapFunc, [elementSpec], ([element]) => spread(mapFunc, element));
    const inner = elementsOf(spec, "parallel_interleave");
    const inputs = {
      inputDataset: variantTensor,
      otherArguments,
      cycleLength: int64(cycleLength, "cycle_length"),
      blockLength: int64(blockLength, "block_length"),
      bufferOutputElements: int64(bufferOutputElements ?? 2 * blockLength, "buffer_output_elements"),
      prefetchInputElements: int64(prefetchInputElements ?? 2 * cycleLength, "prefetch_input_elements"),
    };
    const attrs = { f, deterministic: String(!sloppy), ...typesAndShapes(inner) };
    return new Dataset(ops.LegacyParallelInterleaveDatasetV2({ ...inputs, ...attrs }), inner);
  };
};

interface BucketOptions {
  readonly paddedShapes?: Nested;
  readonly paddingValues?: Nested;
  readonly padToBucketBoundary?: boolean;
  readonly noPadding?: boolean;
  readonly dropRemainder?: boolean;
}

/** For `apply`: batches of elements of like lengths (`elementLengthFunc`, an int32 scalar), padded. An element goes to the first bucket whose boundary is above its
 *  length; there is a batch size for each bucket, and one for what lies above all. TF: tf.data.experimental.bucket_by_sequence_length.
 *  @throws ValueError unless there is one size more than boundaries. */
export const bucketBySequenceLength = (
  elementLengthFunc: ElementFunction,
  bucketBoundaries: readonly number[],
  bucketBatchSizes: readonly number[],
  {
    paddedShapes = null,
    paddingValues = null,
    padToBucketBoundary = false,
    noPadding = false,
    dropRemainder = false,
    ...others
  }: BucketOptions = {},
): Transformation => {
  refuseOthers(others);
  return dataset => {
    if (bucketBatchSizes.length !== bucketBoundaries.length + 1)
      throw new ValueError(
        `\`len(bucket_batch_sizes)\` must equal \`len(bucket_boundaries) + 1\` but \`len(bucket_batch_sizes)=${bucketBatchSizes.length}\` and \`len(bucket_boundaries)=${bucketBoundaries.length}\`.`,
      );
    const sizes = convertToTensor([...bucketBatchSizes], { dtype: "int64" });
    const lowest = [-(2 ** 31), ...bucketBoundaries];
    const highest = [...bucketBoundaries, 2 ** 31 - 1];
    const bucketOf = (...element: Nested[]): Tensor => {
      const length = convertToTensor(elementLengthFunc(...element));
      const fits = logicalAnd(lessEqual(NDArray.from(lowest, "int32"), length), less(length, NDArray.from(highest, "int32")));
      return reduceMin(where(fits) as Tensor);
    };
    const sizeOf = (bucket: Tensor): Tensor => getItem(sizes, bucket);
    const batch = (bucket: Tensor, window: Dataset): Dataset => {
      const size = sizeOf(bucket);
      if (noPadding) return window.batch(size, { dropRemainder });
      if (!padToBucketBoundary) return window.paddedBatch(size, paddedShapes, { paddingValues, dropRemainder });
      // Where the caller leaves a size open, it is the longest that the bucket may hold.
      const message = "When pad_to_bucket_boundary=True, elements must have length < max(bucket_boundaries).";
      const check = assertLess(bucket, BigInt(bucketBatchSizes.length - 1), { message });
      const longest = getDefaultGraph().controlDependencies([check], () =>
        sub(getItem(convertToTensor([...bucketBoundaries], { dtype: "int64" }), bucket), 1n),
      );
      const shapes = mapNested(paddedShapes ?? window.outputShapes, shape =>
        new TensorShape(shape as TensorShape).asList().map(d => d ?? longest),
      );
      return window.paddedBatch(size, shapes, { paddingValues, dropRemainder });
    };
    return dataset.groupByWindow(bucketOf, batch, { windowSizeFunc: sizeOf });
  };
};

/** Another name of TensorArraySpec, with the type first. TF: tf.data.experimental.TensorArrayStructure. */
export const TensorArrayStructure = (dtype: DType, elementShape: ShapeGiven, dynamicSize: boolean, inferShape: boolean): TensorArraySpec =>
  new TensorArraySpec(elementShape, dtype, { dynamicSize, inferShape });
