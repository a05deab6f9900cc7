// Nodes of tf.data that make a dataset from others. A dataset is a value of type variant, made anew where a run needs it. What the nodes do is
// data/dataset-memory.ts; their functions are data/dataset-functions.ts. Elements are made one after the other, when they are asked for: what TensorFlow does
// side by side or ahead of time is the same here as what it does in turn.

import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import * as attr from "../../graph/attributes.ts";
import type { FunctionRef } from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import type { Operation } from "../../graph/operation.ts";
import { need } from "../arguments.ts";
import {
  anyTypes,
  common,
  componentAttrs,
  datasetInput,
  deterministic,
  elementAttrs,
  functionAttrs,
  handleOutput,
  isTrue,
  made,
  metadata,
  numberOf,
  positive,
  scalarInputs,
  textOf,
  wrap,
} from "./dataset-fields.ts";
import { callOf, iterationOf } from "./dataset-functions.ts";
import * as memory from "./dataset-memory.ts";
import * as datasetMemoryFunctions from "./dataset-memory-functions.ts";
import * as datasetMemoryBatches from "./dataset-memory-batches.ts";
import * as hostDataset from "./host-dataset.ts";

const { DatasetArray } = hostDataset;

// ---- functions of elements ----

const functionInputs = { ...datasetInput, otherArguments: "Targuments" } as const;

interface Calling {
  readonly inputDataset: NDArray;
  readonly otherArguments: readonly NDArray[];
}

const f = ({ otherArguments }: Calling, ref: FunctionRef, op: Operation) => callOf(op, ref, "otherArguments", otherArguments);

/** @throws InvalidArgumentError for no calls; -1 leaves their number to us. */
function callsOf(calls: NDArray): number {
  if (numberOf(calls) <= 0 && numberOf(calls) !== -1) throw new InvalidArgumentError("num_parallel_calls must be greater than zero.");
  return numberOf(calls);
}

const mapHost = (
  given: Calling & { f: FunctionRef; preserveCardinality: boolean; numParallelCalls?: NDArray },
  { op }: { op: Operation },
): NDArray => {
  if (given.numParallelCalls) callsOf(given.numParallelCalls);
  return wrap(datasetMemoryFunctions.mapped(DatasetArray.of(given.inputDataset), f(given, given.f, op), given.preserveCardinality));
};

export const MapDataset = defineOp("MapDataset", {
  inputs: functionInputs,
  outputs: handleOutput,
  attrs: {
    ...functionAttrs,
    useInterOpParallelism: attr.bool(true),
    preserveCardinality: attr.bool(false),
    forceSynchronous: attr.bool(false),
    metadata,
  },
  ...made,
  host: mapHost,
});

export const ParallelMapDataset = defineOp("ParallelMapDataset", {
  inputs: { ...functionInputs, numParallelCalls: "int32" },
  outputs: handleOutput,
  attrs: {
    ...functionAttrs,
    useInterOpParallelism: attr.bool(true),
    sloppy: attr.bool(false),
    preserveCardinality: attr.bool(false),
    metadata,
  },
  ...made,
  host: mapHost,
});

export const ParallelMapDatasetV2 = defineOp("ParallelMapDatasetV2", {
  inputs: { ...functionInputs, numParallelCalls: "int64" },
  outputs: handleOutput,
  attrs: {
    ...functionAttrs,
    useInterOpParallelism: attr.bool(true),
    deterministic,
    preserveCardinality: attr.bool(false),
    useUnboundedThreadpool: attr.bool(false),
    metadata,
  },
  ...made,
  host: mapHost,
});

const mapAndBatch = {
  inputs: { ...functionInputs, batchSize: "int64", numParallelCalls: "int64", dropRemainder: "bool" },
  outputs: handleOutput,
  attrs: { ...functionAttrs, preserveCardinality: attr.bool(false) },
  ...made,
  host: (
    given: Calling & { f: FunctionRef; preserveCardinality: boolean; batchSize: NDArray; dropRemainder: NDArray },
    { op }: { op: Operation },
  ): NDArray => {
    const mapped = datasetMemoryFunctions.mapped(DatasetArray.of(given.inputDataset), f(given, given.f, op), given.preserveCardinality);
    return wrap(datasetMemoryBatches.batched(mapped, positive(given.batchSize, "batch_size"), isTrue(given.dropRemainder)));
  },
} as const;

export const MapAndBatchDataset = defineOp("MapAndBatchDataset", { ...mapAndBatch, attrs: { ...mapAndBatch.attrs, metadata } });
/** The older name. */
export const ExperimentalMapAndBatchDataset = defineOp("ExperimentalMapAndBatchDataset", mapAndBatch);

const filterHost = (given: Calling & { predicate: FunctionRef }, { op }: { op: Operation }): NDArray =>
  wrap(datasetMemoryFunctions.filtered(DatasetArray.of(given.inputDataset), f(given, given.predicate, op)));
const predicateAttrs = { predicate: attr.func(), Targuments: anyTypes, ...elementAttrs };

export const FilterDataset = defineOp("FilterDataset", {
  inputs: functionInputs,
  outputs: handleOutput,
  attrs: { ...predicateAttrs, metadata },
  ...made,
  host: filterHost,
});

export const ParallelFilterDataset = defineOp("ParallelFilterDataset", {
  inputs: { ...functionInputs, numParallelCalls: "int64" },
  outputs: handleOutput,
  attrs: { ...predicateAttrs, deterministic, metadata },
  ...made,
  host: filterHost,
});

const takeWhile = {
  inputs: functionInputs,
  outputs: handleOutput,
  attrs: predicateAttrs,
  ...made,
  host: (given: Calling & { predicate: FunctionRef }, { op }: { op: Operation }): NDArray =>
    wrap(datasetMemoryFunctions.takenWhile(DatasetArray.of(given.inputDataset), f(given, given.predicate, op))),
} as const;

export const TakeWhileDataset = defineOp("TakeWhileDataset", { ...takeWhile, attrs: { ...predicateAttrs, metadata } });
/** The older name. */
export const ExperimentalTakeWhileDataset = defineOp("ExperimentalTakeWhileDataset", takeWhile);

export const FlatMapDataset = defineOp("FlatMapDataset", {
  inputs: functionInputs,
  outputs: handleOutput,
  attrs: { ...functionAttrs, metadata },
  ...made,
  host: (given, { op }) => wrap(datasetMemoryFunctions.flatMapped(DatasetArray.of(given.inputDataset), f(given, given.f, op))),
});

const cycleInputs = { ...functionInputs, cycleLength: "int64", blockLength: "int64" } as const;
const bufferInputs = { bufferOutputElements: "int64", prefetchInputElements: "int64" } as const;
/** What a cycle is where TensorFlow chooses by the machine. */
const chosenCycle = 10;

interface Interleaving extends Calling {
  readonly f: FunctionRef;
  readonly cycleLength: NDArray;
  readonly blockLength: NDArray;
  readonly numParallelCalls?: NDArray;
  readonly prefetchInputElements?: NDArray;
}

const interleaveHost = (given: Interleaving, { op }: { op: Operation }): NDArray => {
  const asked = numberOf(given.cycleLength);
  const cycle = asked === -1 ? chosenCycle : asked;
  if (cycle <= 0) throw new InvalidArgumentError("cycle_length must be greater than zero.");
  const block = positive(given.blockLength, "block_length");
  const calls = given.numParallelCalls && callsOf(given.numParallelCalls);
  if (calls !== undefined && asked !== -1 && calls > asked)
    throw new InvalidArgumentError(
      `If \`cycle_length\` is set to a fixed value, \`num_parallel_calls\` must be either \`tf.data.AUTOTUNE\` or a value less than or equal to \`cycle_length\`. However, \`num_parallel_calls\` is ${calls} and \`cycle_length\` is ${asked}`,
    );
  return wrap(datasetMemoryFunctions.interleaved(DatasetArray.of(given.inputDataset), f(given, given.f, op), cycle, block));
};

/** The older one, which has datasets at hand before their turn. */
const interleaveAheadHost = (given: Interleaving & { prefetchInputElements: NDArray }, { op }: { op: Operation }): NDArray =>
  wrap(
    datasetMemoryFunctions.interleavedAhead(DatasetArray.of(given.inputDataset), f(given, given.f, op), {
      cycleLength: positive(given.cycleLength, "`cycle_length`"),
      blockLength: positive(given.blockLength, "`block_length`"),
      prefetched: numberOf(given.prefetchInputElements),
    }),
  );

export const InterleaveDataset = defineOp("InterleaveDataset", {
  inputs: cycleInputs,
  outputs: handleOutput,
  attrs: { ...functionAttrs, metadata },
  ...made,
  host: interleaveHost,
});

export const ParallelInterleaveDataset = defineOp("ParallelInterleaveDataset", {
  inputs: { ...cycleInputs, sloppy: "bool", ...bufferInputs },
  outputs: handleOutput,
  attrs: { ...functionAttrs, metadata },
  ...made,
  host: interleaveAheadHost,
});

export const ParallelInterleaveDatasetV2 = defineOp("ParallelInterleaveDatasetV2", {
  inputs: { ...cycleInputs, numParallelCalls: "int64" },
  outputs: handleOutput,
  attrs: { ...functionAttrs, sloppy: attr.bool(false), metadata },
  ...made,
  host: interleaveHost,
});

export const ParallelInterleaveDatasetV3 = defineOp("ParallelInterleaveDatasetV3", {
  inputs: { ...cycleInputs, numParallelCalls: "int64" },
  outputs: handleOutput,
  attrs: { ...functionAttrs, deterministic, metadata },
  ...made,
  host: interleaveHost,
});

export const ParallelInterleaveDatasetV4 = defineOp("ParallelInterleaveDatasetV4", {
  inputs: { ...cycleInputs, ...bufferInputs, numParallelCalls: "int64" },
  outputs: handleOutput,
  attrs: { ...functionAttrs, deterministic, metadata },
  ...made,
  host: interleaveHost,
});

export const LegacyParallelInterleaveDatasetV2 = defineOp("LegacyParallelInterleaveDatasetV2", {
  inputs: { ...cycleInputs, ...bufferInputs },
  outputs: handleOutput,
  attrs: { ...functionAttrs, deterministic, metadata },
  ...made,
  host: interleaveAheadHost,
});

const stateInputs = { ...datasetInput, initialState: "Tstate", otherArguments: "Targuments" } as const;
const scan = {
  inputs: stateInputs,
  outputs: handleOutput,
  attrs: { ...functionAttrs, Tstate: attr.types(undefined, { minimum: 1 }), preserveCardinality: attr.bool(false) },
  ...made,
  host: (
    given: Calling & { f: FunctionRef; initialState: readonly NDArray[]; preserveCardinality: boolean },
    { op }: { op: Operation },
  ): NDArray =>
    wrap(
      datasetMemoryFunctions.scanned(
        DatasetArray.of(given.inputDataset),
        given.initialState,
        f(given, given.f, op),
        given.preserveCardinality,
      ),
    ),
} as const;

export const ScanDataset = defineOp("ScanDataset", { ...scan, attrs: { ...scan.attrs, useDefaultDevice: attr.bool(true), metadata } });
/** The older name. */
export const ExperimentalScanDataset = defineOp("ExperimentalScanDataset", scan);

/** The last state of a function over all elements. */
export const ReduceDataset = defineOp("ReduceDataset", {
  inputs: stateInputs,
  outputs: { components: "outputTypes" },
  attrs: { ...functionAttrs, Tstate: attr.types(undefined, { minimum: 1 }), useInterOpParallelism: attr.bool(true), metadata },
  stateful: true,
  gradient: "none",
  shape: ({ outputShapes }) => [...outputShapes],
  host: (given, context) =>
    datasetMemoryFunctions.reduced(
      DatasetArray.of(given.inputDataset),
      given.initialState,
      f(given, given.f, context.op),
      iterationOf(context),
    ),
});

const windowFunctions = {
  inputs: {
    ...datasetInput,
    keyFuncOtherArguments: "Tkey_func_other_arguments",
    reduceFuncOtherArguments: "Treduce_func_other_arguments",
    windowSizeFuncOtherArguments: "Twindow_size_func_other_arguments",
  },
  outputs: handleOutput,
  attrs: {
    keyFunc: attr.func(),
    reduceFunc: attr.func(),
    windowSizeFunc: attr.func(),
    Tkey_func_other_arguments: anyTypes,
    Treduce_func_other_arguments: anyTypes,
    Twindow_size_func_other_arguments: anyTypes,
    ...elementAttrs,
  },
  ...made,
  host: (
    given: { readonly inputDataset: NDArray } & Record<"keyFunc" | "reduceFunc" | "windowSizeFunc", FunctionRef> &
      Record<"keyFuncOtherArguments" | "reduceFuncOtherArguments" | "windowSizeFuncOtherArguments", readonly NDArray[]>,
    { op }: { op: Operation },
  ): NDArray =>
    wrap(
      datasetMemoryFunctions.groupedByWindow(
        DatasetArray.of(given.inputDataset),
        callOf(op, given.keyFunc, "keyFuncOtherArguments", given.keyFuncOtherArguments),
        callOf(op, given.reduceFunc, "reduceFuncOtherArguments", given.reduceFuncOtherArguments),
        callOf(op, given.windowSizeFunc, "windowSizeFuncOtherArguments", given.windowSizeFuncOtherArguments),
      ),
    ),
} as const;

export const GroupByWindowDataset = defineOp("GroupByWindowDataset", {
  ...windowFunctions,
  attrs: { ...windowFunctions.attrs, metadata },
});
/** The older name. */
export const ExperimentalGroupByWindowDataset = defineOp("ExperimentalGroupByWindowDataset", windowFunctions);

// ---- batches ----

export const BatchDataset = defineOp("BatchDataset", {
  inputs: { ...datasetInput, batchSize: "int64" },
  outputs: handleOutput,
  attrs: common,
  ...made,
  shape: scalarInputs("batchSize"),
  host: ({ inputDataset, batchSize }) =>
    wrap(datasetMemoryBatches.batched(DatasetArray.of(inputDataset), positive(batchSize, "Batch size"), false)),
});

const batchHost = ({ inputDataset, batchSize, dropRemainder }: Readonly<Record<"inputDataset" | "batchSize" | "dropRemainder", NDArray>>) =>
  wrap(datasetMemoryBatches.batched(DatasetArray.of(inputDataset), positive(batchSize, "Batch size"), isTrue(dropRemainder)));

export const BatchDatasetV2 = defineOp("BatchDatasetV2", {
  inputs: { ...datasetInput, batchSize: "int64", dropRemainder: "bool" },
  outputs: handleOutput,
  attrs: { parallelCopy: attr.bool(false), ...common },
  ...made,
  shape: scalarInputs("batchSize", "dropRemainder"),
  host: batchHost,
});

export const ParallelBatchDataset = defineOp("ParallelBatchDataset", {
  inputs: { ...datasetInput, batchSize: "int64", numParallelCalls: "int64", dropRemainder: "bool" },
  outputs: handleOutput,
  attrs: { parallelCopy: attr.bool(false), ...elementAttrs, deterministic, metadata },
  ...made,
  shape: scalarInputs("batchSize", "numParallelCalls", "dropRemainder"),
  host: batchHost,
});

const paddedInputs = { ...datasetInput, batchSize: "int64", paddedShapes: "N*int64", paddingValues: "Toutput_types" } as const;

interface Padding {
  readonly inputDataset: NDArray;
  readonly batchSize: NDArray;
  readonly paddedShapes: readonly NDArray[];
  readonly paddingValues: readonly NDArray[];
}

const padded = ({ inputDataset, batchSize, paddedShapes, paddingValues }: Padding, dropsRemainder: boolean): NDArray =>
  wrap(
    datasetMemoryBatches.paddedBatched(DatasetArray.of(inputDataset), positive(batchSize, "Batch size"), dropsRemainder, {
      shapes: paddedShapes.map(shape => Array.from({ length: shape.size }, (_, i) => Number(shape.get(i)))),
      paddings: paddingValues.map(value => value.get(0)),
    }),
  );

export const PaddedBatchDataset = defineOp("PaddedBatchDataset", {
  inputs: paddedInputs,
  outputs: handleOutput,
  attrs: { ...componentAttrs, N: attr.int(undefined, 1), metadata },
  ...made,
  host: given => padded(given, false),
});

export const PaddedBatchDatasetV2 = defineOp("PaddedBatchDatasetV2", {
  inputs: { ...paddedInputs, dropRemainder: "bool" },
  outputs: handleOutput,
  attrs: { parallelCopy: attr.bool(false), ...componentAttrs, N: attr.int(undefined, 1), metadata },
  ...made,
  shape: scalarInputs("batchSize", "dropRemainder"),
  host: given => padded(given, isTrue(given.dropRemainder)),
});

const unbatch = {
  inputs: datasetInput,
  outputs: handleOutput,
  attrs: elementAttrs,
  ...made,
  host: ({ inputDataset }: { inputDataset: NDArray }): NDArray => wrap(datasetMemoryBatches.unbatched(DatasetArray.of(inputDataset))),
} as const;

export const UnbatchDataset = defineOp("UnbatchDataset", { ...unbatch, attrs: common });
/** The older name. */
export const ExperimentalUnbatchDataset = defineOp("ExperimentalUnbatchDataset", unbatch);

export const WindowDataset = defineOp("WindowDataset", {
  inputs: { ...datasetInput, size: "int64", shift: "int64", stride: "int64", dropRemainder: "bool" },
  outputs: handleOutput,
  attrs: common,
  ...made,
  shape: scalarInputs("size", "shift", "stride", "dropRemainder"),
  host: ({ inputDataset, size, shift, stride, dropRemainder }) =>
    wrap(
      datasetMemoryBatches.windowed(
        DatasetArray.of(inputDataset),
        positive(size, "Window size"),
        positive(shift, "Window shift"),
        positive(stride, "Window stride"),
        isTrue(dropRemainder),
      ),
    ),
});

// ---- order and number ----

export const seedInputs = { seed: "int64", seed2: "int64" } as const;
export const seedsOf = ({ seed, seed2 }: { seed: NDArray; seed2: NDArray }): [bigint, bigint] => [
  seed.get(0) as bigint,
  seed2.get(0) as bigint,
];

/** @throws InvalidArgumentError for other buffers than of some elements, or of all (-2). */
export const bufferOf = (size: NDArray): number => {
  if (numberOf(size) === hostDataset.unknown) return Number.POSITIVE_INFINITY;
  if (numberOf(size) <= 0) throw new InvalidArgumentError("buffer_size must be greater than zero or UNKNOWN_CARDINALITY");
  return numberOf(size);
};

export const ShuffleDataset = defineOp("ShuffleDataset", {
  inputs: { ...datasetInput, bufferSize: "int64", ...seedInputs },
  outputs: handleOutput,
  attrs: { reshuffleEachIteration: attr.bool(true), ...common },
  ...made,
  shape: scalarInputs("bufferSize", "seed", "seed2"),
  host: ({ inputDataset, bufferSize, reshuffleEachIteration, ...seeds }) =>
    wrap(
      memory.shuffled(DatasetArray.of(inputDataset), {
        size: bufferOf(bufferSize),
        seeds: seedsOf(seeds),
        reshuffles: reshuffleEachIteration,
      }),
    ),
});

export const ShuffleAndRepeatDataset = defineOp("ShuffleAndRepeatDataset", {
  inputs: { ...datasetInput, bufferSize: "int64", ...seedInputs, count: "int64" },
  outputs: handleOutput,
  attrs: { ...elementAttrs, reshuffleEachIteration: attr.bool(true), metadata },
  ...made,
  shape: scalarInputs("bufferSize", "seed", "seed2", "count"),
  host: ({ inputDataset, bufferSize, count, reshuffleEachIteration, ...seeds }) =>
    wrap(
      memory.shuffled(DatasetArray.of(inputDataset), {
        size: bufferOf(bufferSize),
        seeds: seedsOf(seeds),
        reshuffles: reshuffleEachIteration,
        count: timesOf(count),
      }),
    ),
});

/** @throws InvalidArgumentError for no times, and for less than for ever. */
function timesOf(count: NDArray): number {
  if (numberOf(count) <= 0 && numberOf(count) !== -1) throw new InvalidArgumentError("count must be greater than zero or equal to -1.");
  return numberOf(count);
}

const countInputs = { ...datasetInput, count: "int64" } as const;

export const RepeatDataset = defineOp("RepeatDataset", {
  inputs: countInputs,
  outputs: handleOutput,
  attrs: common,
  ...made,
  shape: scalarInputs("count"),
  host: ({ inputDataset, count }) => wrap(memory.repeated(DatasetArray.of(inputDataset), numberOf(count))),
});

export const TakeDataset = defineOp("TakeDataset", {
  inputs: countInputs,
  outputs: handleOutput,
  attrs: common,
  ...made,
  shape: scalarInputs("count"),
  host: ({ inputDataset, count }) => wrap(memory.taken(DatasetArray.of(inputDataset), numberOf(count))),
});

export const SkipDataset = defineOp("SkipDataset", {
  inputs: countInputs,
  outputs: handleOutput,
  attrs: common,
  ...made,
  shape: scalarInputs("count"),
  host: ({ inputDataset, count }) => wrap(memory.skipped(DatasetArray.of(inputDataset), numberOf(count))),
});

export const ShardDataset = defineOp("ShardDataset", {
  inputs: { ...datasetInput, numShards: "int64", index: "int64" },
  outputs: handleOutput,
  attrs: { requireNonEmpty: attr.bool(false), ...common },
  ...made,
  shape: scalarInputs("numShards", "index"),
  host: ({ inputDataset, numShards, index }) => {
    const [shards, at] = [numberOf(numShards), numberOf(index)];
    if (shards < 1) throw new InvalidArgumentError(`Number of shards must be greater than zero (currently num_shards = ${shards}).`);
    if (at < 0 || at >= shards) throw new InvalidArgumentError(`Index must be between 0 and ${shards - 1} (currently index = ${at}).`);
    return wrap(memory.sharded(DatasetArray.of(inputDataset), shards, at));
  },
});

export const ZipDataset = defineOp("ZipDataset", {
  inputs: { inputDatasets: "N*variant" },
  outputs: handleOutput,
  attrs: { ...elementAttrs, N: attr.int(undefined, 1), metadata },
  ...made,
  host: ({ inputDatasets }) => wrap(memory.zipped(inputDatasets.map(DatasetArray.of))),
});

export const ConcatenateDataset = defineOp("ConcatenateDataset", {
  inputs: { ...datasetInput, anotherDataset: "variant" },
  outputs: handleOutput,
  attrs: common,
  ...made,
  host: ({ inputDataset, anotherDataset }) => wrap(memory.chained(DatasetArray.of(inputDataset), DatasetArray.of(anotherDataset))),
});

const directedInterleave = {
  inputs: { selectorInputDataset: "variant", dataInputDatasets: "N*variant" },
  outputs: handleOutput,
  attrs: { ...elementAttrs, N: attr.int(undefined, 1) },
  ...made,
} as const;

/** The next element of whichever dataset the selector names. */
export const DirectedInterleaveDataset = defineOp("DirectedInterleaveDataset", {
  ...directedInterleave,
  attrs: { ...directedInterleave.attrs, stopOnEmptyDataset: attr.bool(false) },
  host: ({ selectorInputDataset, dataInputDatasets, stopOnEmptyDataset }) =>
    wrap(memory.directed(DatasetArray.of(selectorInputDataset), dataInputDatasets.map(DatasetArray.of), stopOnEmptyDataset)),
});
/** The older name. */
export const ExperimentalDirectedInterleaveDataset = defineOp("ExperimentalDirectedInterleaveDataset", {
  ...directedInterleave,
  host: ({ selectorInputDataset, dataInputDatasets }) =>
    wrap(memory.directed(DatasetArray.of(selectorInputDataset), dataInputDatasets.map(DatasetArray.of), false)),
});

const distinct = {
  inputs: datasetInput,
  outputs: handleOutput,
  attrs: elementAttrs,
  ...made,
  host: ({ inputDataset, outputTypes }: { inputDataset: NDArray; outputTypes: readonly string[] }, { op }: { op: Operation }): NDArray => {
    need(outputTypes.length === 1, () => `${op.type} only supports inputs with a single component.`);
    need(
      ["int32", "int64", "string"].includes(outputTypes[0]),
      () => `${op.type} only supports inputs with a single \`tf.int32\`, \`tf.int64\`, or \`tf.string\` component.`,
    );
    return wrap(memory.unique(DatasetArray.of(inputDataset)));
  },
} as const;

export const UniqueDataset = defineOp("UniqueDataset", { ...distinct, attrs: common });
/** The older name. */
export const ExperimentalUniqueDataset = defineOp("ExperimentalUniqueDataset", distinct);

const ignoreErrors = {
  inputs: datasetInput,
  outputs: handleOutput,
  attrs: { ...elementAttrs, logWarning: attr.bool(false) },
  ...made,
  host: ({ inputDataset }: { inputDataset: NDArray }): NDArray => wrap(memory.withoutErrors(DatasetArray.of(inputDataset))),
} as const;

export const IgnoreErrorsDataset = defineOp("IgnoreErrorsDataset", ignoreErrors);
/** The older name. */
export const ExperimentalIgnoreErrorsDataset = defineOp("ExperimentalIgnoreErrorsDataset", ignoreErrors);

export const AssertCardinalityDataset = defineOp("AssertCardinalityDataset", {
  inputs: { ...datasetInput, cardinality: "int64" },
  outputs: handleOutput,
  attrs: elementAttrs,
  ...made,
  host: ({ inputDataset, cardinality }) => wrap(memory.counted(DatasetArray.of(inputDataset), numberOf(cardinality))),
});

export const CacheDataset = defineOp("CacheDataset", {
  inputs: { ...datasetInput, filename: "string" },
  outputs: handleOutput,
  attrs: common,
  ...made,
  shape: scalarInputs("filename"),
  host: ({ inputDataset, filename }) => {
    if (textOf(filename) !== "")
      throw new InvalidArgumentError("A cache in a file is not supported.\n\nLeave the file name out to keep the elements in memory.");
    return wrap(memory.cached(DatasetArray.of(inputDataset)));
  },
});

// ---- the same elements: what tells TensorFlow how to make them ----

const passed = ({ inputDataset }: { readonly inputDataset: NDArray }): NDArray => inputDataset;

export const PrefetchDataset = defineOp("PrefetchDataset", {
  inputs: { ...datasetInput, bufferSize: "int64" },
  outputs: handleOutput,
  attrs: { ...elementAttrs, slackPeriod: attr.int(0), legacyAutotune: attr.bool(true), bufferSizeMin: attr.int(0), metadata },
  ...made,
  shape: scalarInputs("bufferSize"),
  host: passed,
});

export const OptionsDataset = defineOp("OptionsDataset", {
  inputs: datasetInput,
  outputs: handleOutput,
  attrs: { serializedOptions: attr.string(), ...common },
  ...made,
  host: passed,
});

export const ModelDataset = defineOp("ModelDataset", {
  inputs: datasetInput,
  outputs: handleOutput,
  attrs: { algorithm: attr.int(0), cpuBudget: attr.int(0), ramBudget: attr.int(0), ...elementAttrs },
  ...made,
  host: passed,
});

const optimized = {
  outputs: handleOutput,
  attrs: { ...elementAttrs, optimizationConfigs: attr.strings([]) },
  ...made,
  host: passed,
} as const;

export const OptimizeDataset = defineOp("OptimizeDataset", { inputs: { ...datasetInput, optimizations: "string" }, ...optimized });

export const OptimizeDatasetV2 = defineOp("OptimizeDatasetV2", {
  inputs: { ...datasetInput, optimizationsEnabled: "string", optimizationsDisabled: "string", optimizationsDefault: "string" },
  ...optimized,
});

export const FinalizeDataset = defineOp("FinalizeDataset", {
  inputs: datasetInput,
  outputs: handleOutput,
  attrs: { hasCapturedRef: attr.bool(false), ...elementAttrs },
  ...made,
  host: passed,
});

export const RewriteDataset = defineOp("RewriteDataset", {
  inputs: { ...datasetInput, rewriteName: "string" },
  outputs: handleOutput,
  attrs: elementAttrs,
  ...made,
  host: passed,
});

export const NonSerializableDataset = defineOp("NonSerializableDataset", {
  inputs: datasetInput,
  outputs: handleOutput,
  attrs: elementAttrs,
  ...made,
  host: passed,
});

export const PrivateThreadPoolDataset = defineOp("PrivateThreadPoolDataset", {
  inputs: { ...datasetInput, numThreads: "int64" },
  outputs: handleOutput,
  attrs: elementAttrs,
  ...made,
  host: passed,
});

export const MaxIntraOpParallelismDataset = defineOp("MaxIntraOpParallelismDataset", {
  inputs: { ...datasetInput, maxIntraOpParallelism: "int64" },
  outputs: handleOutput,
  attrs: elementAttrs,
  ...made,
  host: passed,
});

// ---- of whole datasets ----

const cardinalityOf = {
  inputs: datasetInput,
  outputs: { cardinality: "int64" },
  attrs: {},
  ...made,
  host: ({ inputDataset }: { inputDataset: NDArray }): NDArray =>
    NDArray.full("int64", [], BigInt(DatasetArray.of(inputDataset).cardinality)),
} as const;

/** How many elements there are; -1 without end, -2 where that is not known. */
export const DatasetCardinality = defineOp("DatasetCardinality", { ...cardinalityOf, attrs: { cardinalityOptions: attr.string("") } });
/** The older name. */
export const ExperimentalDatasetCardinality = defineOp("ExperimentalDatasetCardinality", cardinalityOf);

/** The one element. */
export const DatasetToSingleElement = defineOp("DatasetToSingleElement", {
  inputs: { dataset: "variant" },
  outputs: { components: "outputTypes" },
  attrs: common,
  stateful: true,
  gradient: "none",
  shape: ({ outputShapes }) => [...outputShapes],
  host: async ({ dataset }, context) => {
    const elements = DatasetArray.of(dataset).iterate(iterationOf(context));
    try {
      const only = await elements.next();
      if (only === undefined) throw new InvalidArgumentError("Dataset was empty.");
      if ((await elements.next()) !== undefined) throw new InvalidArgumentError("Dataset had more than one element.");
      return only;
    } finally {
      await elements.close();
    }
  },
});

const variantCopy = { inputs: { inputHandle: "variant" }, outputs: { outputHandle: "variant" }, attrs: {}, ...made } as const;

/** Hands a dataset on, as a value that may leave its device. */
export const WrapDatasetVariant = defineOp("WrapDatasetVariant", { ...variantCopy, host: ({ inputHandle }) => inputHandle });
export const UnwrapDatasetVariant = defineOp("UnwrapDatasetVariant", { ...variantCopy, host: ({ inputHandle }) => inputHandle });
