// Nodes of tf.data that few pipelines have: forms whose memory is an object of its own, windows and batches cut anew, samples, groups, files by pattern,
// and those that only TensorFlow's own machinery asks for, which give what they are given.

import { InternalError, InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type OpDefinition, renameOp, type UntypedOp } from "../../graph/op-definition.ts";
import { numbersOf } from "../array/array.ts";
import { matchingPaths } from "../string/bytes.ts";
import {
  CacheDataset,
  MaxIntraOpParallelismDataset,
  NonSerializableDataset,
  ParallelInterleaveDataset,
  PrivateThreadPoolDataset,
  seedInputs,
  bufferOf,
  seedsOf,
} from "./dataset.ts";
import {
  anyTypes,
  common,
  datasetInput,
  elementAttrs,
  handleOutput,
  isTrue,
  made,
  numberOf,
  positive,
  scalarInputs,
  textOf,
  wrap,
} from "./dataset-fields.ts";
import { callOf, iterationOf } from "./dataset-functions.ts";
import * as memory from "./dataset-memory.ts";
import * as hostDataset from "./host-dataset.ts";
import * as datasetMemoryBatches from "./dataset-memory-batches.ts";
import { DatasetArray } from "./host-dataset.ts";
import { RandomDataset } from "./dataset-sources.ts";
import { handleFields, sharedAttrs } from "./host-handles.ts";
import { LookupTable } from "./lookup-table.ts";
import { rowOf, stackedRows } from "./rows.ts";

// ---- memory of its own ----

/** Stands where a generator of seeds could be shared; the seeds beside it count. */
export const DummySeedGenerator = defineOp("DummySeedGenerator", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: {},
  ...handleFields,
  resource: (_, { name }) => ({ id: `seedGenerator:${name}`, make: () => ({}) }),
});

/** Stands where a cache could be shared. */
export const DummyMemoryCache = defineOp("DummyMemoryCache", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: {},
  ...handleFields,
  resource: (_, { name }) => ({ id: `memoryCache:${name}`, make: () => ({}) }),
});

export const ShuffleDatasetV3 = defineOp("ShuffleDatasetV3", {
  inputs: { ...datasetInput, bufferSize: "int64", ...seedInputs, seedGenerator: "resource" },
  outputs: handleOutput,
  attrs: { reshuffleEachIteration: attr.bool(true), ...common },
  stateful: true,
  ...made,
  shape: scalarInputs("bufferSize", "seed", "seed2", "seedGenerator"),
  host: ({ inputDataset, bufferSize, seed, seed2, reshuffleEachIteration: reshuffles }) =>
    wrap(
      memory.shuffled(DatasetArray.of(inputDataset), {
        size: bufferOf(bufferSize),
        seeds: seedsOf({ seed, seed2 }),
        reshuffles,
      }),
    ),
});

export const ShuffleAndRepeatDatasetV2 = defineOp("ShuffleAndRepeatDatasetV2", {
  inputs: { ...datasetInput, bufferSize: "int64", ...seedInputs, count: "int64", seedGenerator: "resource" },
  outputs: handleOutput,
  attrs: { reshuffleEachIteration: attr.bool(true), ...common },
  stateful: true,
  ...made,
  shape: scalarInputs("bufferSize", "seed", "seed2", "count", "seedGenerator"),
  host: ({ inputDataset, bufferSize, seed, seed2, count, reshuffleEachIteration: reshuffles }) =>
    wrap(
      memory.shuffled(DatasetArray.of(inputDataset), {
        size: bufferOf(bufferSize),
        seeds: seedsOf({ seed, seed2 }),
        reshuffles,
        count: numberOf(count),
      }),
    ),
});

export const CacheDatasetV2 = renameOp("CacheDatasetV2", CacheDataset, {
  inputs: { ...datasetInput, filename: "string", cache: "resource" },
  stateful: true,
  ...made,
  shape: scalarInputs("filename", "cache"),
});

// ---- windows, batches, samples ----

/** Batches of `windowSize` elements, the next beginning `windowShift` further, `windowStride` apart within one. */
export const SlidingWindowDataset = defineOp("SlidingWindowDataset", {
  inputs: { ...datasetInput, windowSize: "int64", windowShift: "int64", windowStride: "int64" },
  outputs: handleOutput,
  attrs: { dropRemainder: attr.bool(true), ...elementAttrs },
  ...made,
  shape: scalarInputs("windowSize", "windowShift", "windowStride"),
  host: ({ inputDataset, windowSize, windowShift, windowStride, dropRemainder }) => {
    const [size, shift, stride] = [
      positive(windowSize, "Window size"),
      positive(windowShift, "Window shift"),
      positive(windowStride, "Window stride"),
    ];
    // The older name has no such attribute.
    const dropsRemainder = dropRemainder ?? true;
    return wrap(datasetMemoryBatches.slidingBatches(DatasetArray.of(inputDataset), { size, shift, stride, dropsRemainder }));
  },
});

/** Each element with a chance of `rate`. */
export const SamplingDataset = defineOp("SamplingDataset", {
  inputs: { ...datasetInput, rate: "float32", ...seedInputs },
  outputs: handleOutput,
  attrs: elementAttrs,
  ...made,
  host: ({ inputDataset, rate, ...seeds }) =>
    wrap(datasetMemoryBatches.sampled(DatasetArray.of(inputDataset), numberOf(rate), seedsOf(seeds))),
});

/** The rows of batches in batches of other sizes, which come in turn. */
export const RebatchDatasetV2 = defineOp("RebatchDatasetV2", {
  inputs: { ...datasetInput, batchSizes: "int64", dropRemainder: "bool" },
  outputs: handleOutput,
  attrs: elementAttrs,
  ...made,
  host: ({ inputDataset, batchSizes, dropRemainder }) => {
    if (batchSizes.rank > 1) throw new InvalidArgumentError("`batch_sizes` must be a scalar or a vector.");
    const sizes = numbersOf(batchSizes);
    if (sizes.length === 0 || sizes.some(size => size < 0) || sizes.every(size => size === 0))
      throw new InvalidArgumentError(`\`batch_sizes\` must be positive, got [${sizes}].`);
    return wrap(datasetMemoryBatches.rebatched(DatasetArray.of(inputDataset), sizes, isTrue(dropRemainder)));
  },
});

/** Elements reduced by their keys: one result a key, in the order of keys. */
const byReducer = {
  inputs: {
    ...datasetInput,
    keyFuncOtherArguments: "Tkey_func_other_arguments",
    initFuncOtherArguments: "Tinit_func_other_arguments",
    reduceFuncOtherArguments: "Treduce_func_other_arguments",
    finalizeFuncOtherArguments: "Tfinalize_func_other_arguments",
  },
  outputs: handleOutput,
  attrs: {
    keyFunc: attr.func(),
    initFunc: attr.func(),
    reduceFunc: attr.func(),
    finalizeFunc: attr.func(),
    Tkey_func_other_arguments: anyTypes,
    Tinit_func_other_arguments: anyTypes,
    Treduce_func_other_arguments: anyTypes,
    Tfinalize_func_other_arguments: anyTypes,
    ...elementAttrs,
  },
  stateful: true,
  ...made,
} as const;

export const GroupByReducerDataset = defineOp("GroupByReducerDataset", {
  ...byReducer,
  host: (given, { op }) =>
    wrap(
      datasetMemoryBatches.groupedByReducer(DatasetArray.of(given.inputDataset), {
        keyOf: callOf(op, given.keyFunc, "keyFuncOtherArguments", given.keyFuncOtherArguments),
        begin: callOf(op, given.initFunc, "initFuncOtherArguments", given.initFuncOtherArguments),
        reduce: callOf(op, given.reduceFunc, "reduceFuncOtherArguments", given.reduceFuncOtherArguments),
        finish: callOf(op, given.finalizeFunc, "finalizeFuncOtherArguments", given.finalizeFuncOtherArguments),
      }),
    ),
});

/** The names of files that match one of the patterns, in order. */
export const MatchingFilesDataset = defineOp("MatchingFilesDataset", {
  inputs: { patterns: "string" },
  outputs: handleOutput,
  attrs: {},
  stateful: true,
  ...made,
  host: async ({ patterns }) => {
    const found = await Promise.all(Array.from({ length: patterns.size }, (_, i) => matchingPaths(textOf(patterns, i))));
    return wrap(hostDataset.listOf([...new Set(found.flat())].sort().map(name => [NDArray.from(name, "string")])));
  },
});

// ---- functions and tables ----

/** Calls a function on the rows of its arguments; its results are rows again. */
export const MapDefun = defineOp("MapDefun", {
  inputs: { arguments: "Targuments", capturedInputs: "Tcaptured" },
  outputs: { output: "outputTypes" },
  attrs: {
    Targuments: attr.types(undefined, { minimum: 1 }),
    Tcaptured: attr.types([], { minimum: 0 }),
    ...elementAttrs,
    f: attr.func(),
    maxIntraOpParallelism: attr.int(1),
  },
  shape: ({ arguments: given, outputShapes }) => {
    const rows = given.reduce<number | null>(
      (known, shape) => known ?? (shape.dims === null ? null : shape.withRankAtLeast(1).dim(0)),
      null,
    );
    return outputShapes.map(shape => new TensorShape([rows]).concatenate(shape));
  },
  host: async ({ arguments: given, capturedInputs, f, outputTypes, outputShapes }, context) => {
    const count = given[0].shape[0];
    for (const { shape } of given) {
      if (shape.length === 0) throw new InvalidArgumentError("All inputs must have rank at least 1.");
      if (shape[0] !== count)
        throw new InvalidArgumentError(
          `All inputs must have the same dimension 0. Input has leading dim ${shape[0]} while all previous inputs have leading dim ${count}`,
        );
    }
    const call = callOf(context.op, f, "capturedInputs", capturedInputs);
    const run = iterationOf(context);
    const results: (readonly NDArray[])[] = [];
    for (let i = 0; i < count; i++)
      results.push(
        await call(
          run,
          given.map(array => rowOf(array, i)),
        ),
      );
    return outputTypes.map((dtype, k) => {
      const sizes = results[0]?.[k].shape ?? (outputShapes[k].dims ?? []).map(size => size ?? 0);
      return stackedRows(
        dtype,
        results.map(row => row[k]),
        sizes,
      );
    });
  },
});

/** Fills a table with a dataset's pairs of key and value. */
export const InitializeTableFromDataset = defineOp("InitializeTableFromDataset", {
  inputs: { tableHandle: "resource", dataset: "variant" },
  outputs: {},
  attrs: {},
  stateful: true,
  shape: ({ tableHandle, dataset }) => {
    tableHandle.withRank(0);
    dataset.withRank(0);
  },
  host: async ({ tableHandle, dataset }, context) => {
    if (!(tableHandle instanceof LookupTable)) throw new InternalError("The handle is no table's.");
    const source = DatasetArray.of(dataset).iterate(iterationOf(context));
    const [keys, values]: NDArray[][] = [[], []];
    for (let pair = await source.next(); pair !== undefined; pair = await source.next()) {
      if (pair.length !== 2) throw new InvalidArgumentError(`Dataset should have two output types only, but it has ${pair.length}.`);
      keys.push(pair[0]);
      values.push(pair[1]);
    }
    const { keyDtype, valueDtype } = tableHandle.types;
    tableHandle.fill(stackedRows(keyDtype, keys, keys[0]?.shape ?? []), stackedRows(valueDtype, values, values[0]?.shape ?? []));
  },
});

// ---- the same elements ----

const passes = <const N extends string, const I extends Readonly<Record<string, string>>>(
  type: N,
  more: I,
  attrs: Readonly<Record<string, attr.Attr>> = {},
  stateful = false,
): UntypedOp =>
  renameOp(type, NonSerializableDataset, {
    inputs: { ...datasetInput, ...more },
    attrs: { ...attrs, ...elementAttrs },
    stateful,
    ...made,
    shape: scalarInputs(...("tag" in more ? ["tag"] : [])),
  });

export const SleepDataset = defineOp("SleepDataset", {
  inputs: { ...datasetInput, sleepMicroseconds: "int64" },
  outputs: handleOutput,
  attrs: elementAttrs,
  ...made,
  host: ({ inputDataset, sleepMicroseconds }) =>
    wrap(datasetMemoryBatches.delayed(DatasetArray.of(inputDataset), Math.ceil(numberOf(sleepMicroseconds) / 1000))),
});

/** Every so many'th element, where there are several workers. */
export const AutoShardDataset = defineOp("AutoShardDataset", {
  inputs: { ...datasetInput, numWorkers: "int64", index: "int64" },
  outputs: handleOutput,
  attrs: { autoShardPolicy: attr.int(0), ...elementAttrs, numReplicas: attr.int(0) },
  ...made,
  host: ({ inputDataset, numWorkers, index }) => {
    const [count, at] = [numberOf(numWorkers), numberOf(index)];
    if (count < 1) throw new InvalidArgumentError(`num_workers should be >= 1, currently ${count}`);
    if (at < 0 || at >= count) throw new InvalidArgumentError(`index should be >= 0 and < ${count}, currently ${at}`);
    return count === 1 ? inputDataset : wrap(memory.sharded(DatasetArray.of(inputDataset), count, at));
  },
});

export const AssertNextDataset = passes("AssertNextDataset", { transformations: "string" });
export const AssertPrevDataset = passes("AssertPrevDataset", { transformations: "string" });
export const LatencyStatsDataset = passes("LatencyStatsDataset", { tag: "string" });
export const BytesProducedStatsDataset = passes("BytesProducedStatsDataset", { tag: "string" });
export const ThreadPoolDataset = passes("ThreadPoolDataset", { threadPool: "resource" }, {}, true);
export const ThreadPoolHandle = defineOp("ThreadPoolHandle", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: { numThreads: attr.int(), maxIntraOpParallelism: attr.int(1), displayName: attr.string(), ...sharedAttrs },
  ...handleFields,
  resource: (_, { name }) => ({ id: `threadPool:${name}`, make: () => ({}) }),
});

// ---- older names ----

const older = (of: OpDefinition, changes: Partial<OpDefinition> = {}): UntypedOp => renameOp(`Experimental${of.type}`, of, changes);
const { metadata: _, ...functionAttrs } = ParallelInterleaveDataset.attrs;

export const ExperimentalAssertNextDataset = older(AssertNextDataset);
export const ExperimentalAutoShardDataset = older(AutoShardDataset, { attrs: { autoShardPolicy: attr.int(0), ...elementAttrs } });
export const ExperimentalBytesProducedStatsDataset = older(BytesProducedStatsDataset);
export const ExperimentalGroupByReducerDataset = older(GroupByReducerDataset);
export const ExperimentalLatencyStatsDataset = older(LatencyStatsDataset);
export const ExperimentalMatchingFilesDataset = older(MatchingFilesDataset);
export const ExperimentalMaxIntraOpParallelismDataset = older(MaxIntraOpParallelismDataset);
export const ExperimentalNonSerializableDataset = older(NonSerializableDataset);
export const ExperimentalParallelInterleaveDataset = older(ParallelInterleaveDataset, { attrs: functionAttrs });
export const ExperimentalPrivateThreadPoolDataset = older(PrivateThreadPoolDataset);
export const ExperimentalRandomDataset = older(RandomDataset, { attrs: elementAttrs });
export const ExperimentalSleepDataset = older(SleepDataset, {
  shape: ({ inputDataset, sleepMicroseconds }: Readonly<Record<string, TensorShape>>) => {
    for (const one of [inputDataset, sleepMicroseconds]) one.withRankAtMost(0);
    return new TensorShape([]);
  },
});
export const ExperimentalSlidingWindowDataset = older(SlidingWindowDataset, { attrs: elementAttrs });
export const ExperimentalThreadPoolDataset = older(ThreadPoolDataset);
export const ExperimentalThreadPoolHandle = renameOp("ExperimentalThreadPoolHandle", ThreadPoolHandle, handleFields);
