// tf.data's nodes: a dataset is a value of type variant, made anew where a run needs it, and an iterator is an object of the session. What they do is
// dataset-memory.ts; functions are graphs of their own, kept with the graph whose nodes name them, and are compiled once for each shape they meet.

import { files } from "#platform";
import { InternalError, InvalidArgumentError } from "../base/errors.ts";
import { readFile } from "../base/files.ts";
import { decodeText, encodeText, NDArray } from "../base/ndarray.ts";
import { TensorShape } from "../base/shape.ts";
import { plainSource, readRecords } from "../formats/records.ts";
import * as attr from "../graph/attributes.ts";
import type { FunctionRef } from "../graph/attributes.ts";
import type { FuncGraph } from "../graph/functions.ts";
import type { Graph } from "../graph/graph.ts";
import { defineOp, type HostObject, type SideRun } from "../graph/op-definition.ts";
import type { Operation } from "../graph/operation.ts";
import { Tensor } from "../graph/operation.ts";
import * as memory from "./dataset-memory.ts";
import { objectId } from "./host-handles.ts";
import { change } from "./lookup.ts";
import { rowOf } from "./rows.ts";

const { DatasetArray, HostIterator, IteratorPlace } = memory;

const scalar = new TensorShape([]);

// ---- functions ----

/** What a node may name: a function of elements, a generator of the program, the dataset of a one-shot iterator. */
export type DatasetFunction = FuncGraph | GeneratorFunction | Tensor;
export type GeneratorFunction = (args: readonly NDArray[]) => AsyncGenerator<memory.Element>;

const functionsOf = (graph: Graph): Map<string, DatasetFunction> => graph.attached(functionsOf, () => new Map<string, DatasetFunction>());

/** Keeps a function with a graph under a name of its own. */
export function nameFunction(graph: Graph, prefix: string, func: DatasetFunction): FunctionRef {
  const functions = functionsOf(graph);
  const name = `${prefix}_${functions.size}`;
  functions.set(name, func);
  return { name, attrs: {} };
}

function functionOf(op: Operation, { name }: FunctionRef): DatasetFunction {
  const found = functionsOf(op.graph).get(name);
  if (found === undefined)
    throw new InvalidArgumentError(
      `The function '${name}' of node '${op.name}' is not here.\n\nFunctions of datasets live in the program that made the graph.`,
    );
  return found;
}

/** A function as a call, with the arguments it got besides elements. */
function callOf(op: Operation, ref: FunctionRef, others: readonly NDArray[]): memory.Call {
  const body = functionOf(op, ref);
  if (typeof body === "function" || body instanceof Tensor) throw new InternalError(`'${ref.name}' is no function of elements.`);
  return (run, element) => {
    const given = [...element, ...others];
    return run(body.outputs, new Map(body.inputs.map((input, i) => [input, given[i]])));
  };
}

// ---- datasets ----

const elementAttrs = { outputTypes: attr.types(undefined, { minimum: 1 }), outputShapes: attr.shapes(undefined, 1) };
const metadata = attr.string("");
const common = { ...elementAttrs, metadata };
const made = { shape: () => scalar, gradient: "none" } as const;
const handleOutput = { handle: "variant" } as const;

const wrap = (held: memory.HostDataset): NDArray => new DatasetArray(held);
const numberOf = (array: NDArray): number => Number(array.get(0));
const textOf = (array: NDArray, i = 0): string => decodeText(array.get(i) as Uint8Array);

/** One element. */
export const TensorDataset = defineOp("TensorDataset", {
  inputs: { components: "ToutputTypes" },
  outputs: handleOutput,
  attrs: { ToutputTypes: attr.types(undefined, { minimum: 1 }), outputShapes: attr.shapes(undefined, 1), metadata },
  stateful: true,
  ...made,
  host: ({ components }) => wrap(memory.listOf([components])),
});

/** An element for each slice along the first axis. */
export const TensorSliceDataset = defineOp("TensorSliceDataset", {
  inputs: { components: "ToutputTypes" },
  outputs: handleOutput,
  attrs: {
    ToutputTypes: attr.types(undefined, { minimum: 1 }),
    outputShapes: attr.shapes(undefined, 1),
    isFiles: attr.bool(false),
    metadata,
    replicateOnSplit: attr.bool(false),
  },
  stateful: true,
  ...made,
  host: ({ components }) => {
    const count = components[0].shape[0] ?? 0;
    for (const { shape } of components) {
      if (shape.length === 0) throw new InvalidArgumentError("All components must be at least 1-dimensional");
      if (shape[0] !== count) throw new InvalidArgumentError("All components must have the same size in the 0th dimension");
    }
    return wrap(
      memory.dataset(async function* () {
        for (let i = 0; i < count; i++) yield components.map(component => rowOf(component, i));
      }),
    );
  },
});

export const RangeDataset = defineOp("RangeDataset", {
  inputs: { start: "int64", stop: "int64", step: "int64" },
  outputs: handleOutput,
  attrs: { ...common, replicateOnSplit: attr.bool(false) },
  stateful: true,
  ...made,
  host: ({ start, stop, step, outputTypes }) => {
    const [first, end, by] = [start, stop, step].map(array => array.get(0) as bigint);
    if (by === 0n) throw new InvalidArgumentError("step must be a non-zero integer.");
    return wrap(
      memory.dataset(async function* () {
        for (let i = first; by > 0n ? i < end : i > end; i += by) yield [NDArray.full("int64", [], i).cast(outputTypes[0])];
      }),
    );
  },
});

const functionAttrs = { f: attr.func(), Targuments: attr.types(undefined, { minimum: 0 }), ...elementAttrs };

export const MapDataset = defineOp("MapDataset", {
  inputs: { inputDataset: "variant", otherArguments: "Targuments" },
  outputs: handleOutput,
  attrs: {
    ...functionAttrs,
    useInterOpParallelism: attr.bool(true),
    preserveCardinality: attr.bool(false),
    forceSynchronous: attr.bool(false),
    metadata,
  },
  ...made,
  host: ({ inputDataset, otherArguments, f }, { op }) => wrap(memory.mapped(DatasetArray.of(inputDataset), callOf(op, f, otherArguments))),
});

/** The same as MapDataset: functions run one after the other here. */
export const ParallelMapDatasetV2 = defineOp("ParallelMapDatasetV2", {
  inputs: { inputDataset: "variant", otherArguments: "Targuments", numParallelCalls: "int64" },
  outputs: handleOutput,
  attrs: {
    ...functionAttrs,
    useInterOpParallelism: attr.bool(true),
    deterministic: attr.string("default"),
    preserveCardinality: attr.bool(false),
    useUnboundedThreadpool: attr.bool(false),
    metadata,
  },
  ...made,
  host: ({ inputDataset, otherArguments, f }, { op }) => wrap(memory.mapped(DatasetArray.of(inputDataset), callOf(op, f, otherArguments))),
});

export const FilterDataset = defineOp("FilterDataset", {
  inputs: { inputDataset: "variant", otherArguments: "Targuments" },
  outputs: handleOutput,
  attrs: { predicate: attr.func(), Targuments: attr.types(undefined, { minimum: 0 }), ...common },
  ...made,
  host: ({ inputDataset, otherArguments, predicate }, { op }) =>
    wrap(memory.filtered(DatasetArray.of(inputDataset), callOf(op, predicate, otherArguments))),
});

export const FlatMapDataset = defineOp("FlatMapDataset", {
  inputs: { inputDataset: "variant", otherArguments: "Targuments" },
  outputs: handleOutput,
  attrs: { ...functionAttrs, metadata },
  ...made,
  host: ({ inputDataset, otherArguments, f }, { op }) =>
    wrap(memory.flatMapped(DatasetArray.of(inputDataset), callOf(op, f, otherArguments))),
});

export const InterleaveDataset = defineOp("InterleaveDataset", {
  inputs: { inputDataset: "variant", otherArguments: "Targuments", cycleLength: "int64", blockLength: "int64" },
  outputs: handleOutput,
  attrs: { ...functionAttrs, metadata },
  ...made,
  host: ({ inputDataset, otherArguments, cycleLength, blockLength, f }, { op }) => {
    const [cycle, block] = [numberOf(cycleLength), numberOf(blockLength)];
    if (cycle <= 0) throw new InvalidArgumentError("cycle_length must be greater than zero.");
    if (block <= 0) throw new InvalidArgumentError("block_length must be greater than zero.");
    return wrap(memory.interleaved(DatasetArray.of(inputDataset), callOf(op, f, otherArguments), cycle, block));
  },
});

const positive = (size: NDArray, name: string): number => {
  if (numberOf(size) <= 0) throw new InvalidArgumentError(`${name} must be greater than zero.`);
  return numberOf(size);
};

export const BatchDatasetV2 = defineOp("BatchDatasetV2", {
  inputs: { inputDataset: "variant", batchSize: "int64", dropRemainder: "bool" },
  outputs: handleOutput,
  attrs: { parallelCopy: attr.bool(false), ...common },
  ...made,
  host: ({ inputDataset, batchSize, dropRemainder }) =>
    wrap(memory.batched(DatasetArray.of(inputDataset), positive(batchSize, "Batch size"), Boolean(dropRemainder.get(0)))),
});

export const PaddedBatchDatasetV2 = defineOp("PaddedBatchDatasetV2", {
  inputs: {
    inputDataset: "variant",
    batchSize: "int64",
    paddedShapes: "N*int64",
    paddingValues: "ToutputTypes",
    dropRemainder: "bool",
  },
  outputs: handleOutput,
  attrs: {
    parallelCopy: attr.bool(false),
    ToutputTypes: attr.types(undefined, { minimum: 1 }),
    outputShapes: attr.shapes(undefined, 1),
    N: attr.int(undefined, 1),
    metadata,
  },
  ...made,
  host: ({ inputDataset, batchSize, paddedShapes, paddingValues, dropRemainder }) =>
    wrap(
      memory.paddedBatched(
        DatasetArray.of(inputDataset),
        positive(batchSize, "Batch size"),
        Boolean(dropRemainder.get(0)),
        paddedShapes.map(shape => Array.from({ length: shape.size }, (_, i) => Number(shape.get(i)))),
        paddingValues.map(value => value.get(0)),
      ),
    ),
});

export const ShuffleDataset = defineOp("ShuffleDataset", {
  inputs: { inputDataset: "variant", bufferSize: "int64", seed: "int64", seed2: "int64" },
  outputs: handleOutput,
  attrs: { reshuffleEachIteration: attr.bool(true), ...common },
  ...made,
  host: ({ inputDataset, bufferSize, seed, seed2, reshuffleEachIteration }) =>
    wrap(
      memory.shuffled(
        DatasetArray.of(inputDataset),
        positive(bufferSize, "buffer_size"),
        [seed.get(0) as bigint, seed2.get(0) as bigint],
        reshuffleEachIteration,
      ),
    ),
});

export const RepeatDataset = defineOp("RepeatDataset", {
  inputs: { inputDataset: "variant", count: "int64" },
  outputs: handleOutput,
  attrs: common,
  ...made,
  host: ({ inputDataset, count }) => wrap(memory.repeated(DatasetArray.of(inputDataset), numberOf(count))),
});

export const TakeDataset = defineOp("TakeDataset", {
  inputs: { inputDataset: "variant", count: "int64" },
  outputs: handleOutput,
  attrs: common,
  ...made,
  host: ({ inputDataset, count }) => wrap(memory.taken(DatasetArray.of(inputDataset), numberOf(count))),
});

export const SkipDataset = defineOp("SkipDataset", {
  inputs: { inputDataset: "variant", count: "int64" },
  outputs: handleOutput,
  attrs: common,
  ...made,
  host: ({ inputDataset, count }) => wrap(memory.skipped(DatasetArray.of(inputDataset), numberOf(count))),
});

export const ShardDataset = defineOp("ShardDataset", {
  inputs: { inputDataset: "variant", numShards: "int64", index: "int64" },
  outputs: handleOutput,
  attrs: { requireNonEmpty: attr.bool(false), ...common },
  ...made,
  host: ({ inputDataset, numShards, index }) => {
    const [shards, at] = [numberOf(numShards), numberOf(index)];
    if (shards < 1) throw new InvalidArgumentError(`Number of shards must be greater than zero (currently num_shards = ${shards}).`);
    if (at < 0 || at >= shards)
      throw new InvalidArgumentError(`Index must be between 0 and ${shards - 1} (currently index = ${at}, num_shards = ${shards}).`);
    return wrap(memory.sharded(DatasetArray.of(inputDataset), shards, at));
  },
});

/** The elements as they are: nothing runs ahead here. */
export const PrefetchDataset = defineOp("PrefetchDataset", {
  inputs: { inputDataset: "variant", bufferSize: "int64" },
  outputs: handleOutput,
  attrs: { ...elementAttrs, slackPeriod: attr.int(0), legacyAutotune: attr.bool(true), bufferSizeMin: attr.int(0), metadata },
  ...made,
  host: ({ inputDataset }) => inputDataset,
});

export const ZipDataset = defineOp("ZipDataset", {
  inputs: { inputDatasets: "N*variant" },
  outputs: handleOutput,
  attrs: { ...elementAttrs, N: attr.int(undefined, 1), metadata },
  ...made,
  host: ({ inputDatasets }) => wrap(memory.zipped(inputDatasets.map(DatasetArray.of))),
});

export const ConcatenateDataset = defineOp("ConcatenateDataset", {
  inputs: { inputDataset: "variant", anotherDataset: "variant" },
  outputs: handleOutput,
  attrs: common,
  ...made,
  host: ({ inputDataset, anotherDataset }) => wrap(memory.chained(DatasetArray.of(inputDataset), DatasetArray.of(anotherDataset))),
});

export const CacheDataset = defineOp("CacheDataset", {
  inputs: { inputDataset: "variant", filename: "string" },
  outputs: handleOutput,
  attrs: common,
  ...made,
  host: ({ inputDataset, filename }) => {
    if (textOf(filename) !== "")
      throw new InvalidArgumentError("A cache in a file is not supported.\n\nLeave the file name out to keep the elements in memory.");
    return wrap(memory.cached(DatasetArray.of(inputDataset)));
  },
});

export const WindowDataset = defineOp("WindowDataset", {
  inputs: { inputDataset: "variant", size: "int64", shift: "int64", stride: "int64", dropRemainder: "bool" },
  outputs: handleOutput,
  attrs: common,
  ...made,
  host: ({ inputDataset, size, shift, stride, dropRemainder }) =>
    wrap(
      memory.windowed(
        DatasetArray.of(inputDataset),
        positive(size, "Window size"),
        positive(shift, "Window shift"),
        positive(stride, "Window stride"),
        Boolean(dropRemainder.get(0)),
      ),
    ),
});

/** What a generator function of the program gives. */
export const GeneratorDataset = defineOp("GeneratorDataset", {
  inputs: { initFuncOtherArgs: "TinitFuncArgs", nextFuncOtherArgs: "TnextFuncArgs", finalizeFuncOtherArgs: "TfinalizeFuncArgs" },
  outputs: handleOutput,
  attrs: {
    initFunc: attr.func(),
    nextFunc: attr.func(),
    finalizeFunc: attr.func(),
    TinitFuncArgs: attr.types(undefined, { minimum: 0 }),
    TnextFuncArgs: attr.types(undefined, { minimum: 0 }),
    TfinalizeFuncArgs: attr.types(undefined, { minimum: 0 }),
    ...common,
  },
  stateful: true,
  ...made,
  host: ({ initFuncOtherArgs, initFunc }, { op }) => {
    const generator = functionOf(op, initFunc);
    if (typeof generator !== "function") throw new InternalError(`'${initFunc.name}' is no generator.`);
    return wrap(memory.dataset(() => generator(initFuncOtherArgs)));
  },
});

// ---- files ----

const fileInputs = { filenames: "string", compressionType: "string", bufferSize: "int64" } as const;

/** Elements of files one after the other. */
const ofFiles = (filenames: NDArray, read: (path: string) => AsyncIterable<Uint8Array>): NDArray =>
  wrap(
    memory.dataset(async function* () {
      for (let i = 0; i < filenames.size; i++)
        for await (const bytes of read(textOf(filenames, i))) yield [new NDArray("string", [], [bytes])];
    }),
  );

export const TFRecordDataset = defineOp("TFRecordDataset", {
  inputs: fileInputs,
  outputs: handleOutput,
  attrs: { metadata },
  stateful: true,
  ...made,
  host: ({ filenames, compressionType }) =>
    ofFiles(filenames, async function* (path) {
      const source = await files.open(path);
      try {
        yield* readRecords(source, textOf(compressionType));
      } finally {
        await source.close();
      }
    }),
});

const [lineFeed, carriageReturn] = [10, 13];

function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(lineFeed, start);
    const end = found < 0 ? bytes.length : found;
    yield bytes.slice(start, end > start && bytes[end - 1] === carriageReturn ? end - 1 : end);
    start = end + 1;
  }
}

export const TextLineDataset = defineOp("TextLineDataset", {
  inputs: fileInputs,
  outputs: handleOutput,
  attrs: { metadata },
  stateful: true,
  ...made,
  host: ({ filenames, compressionType }) =>
    ofFiles(filenames, async function* (path) {
      const plain = textOf(compressionType) === "" ? await readFile(files, path) : await decompressed(path, textOf(compressionType));
      yield* linesOf(plain);
    }),
});

async function decompressed(path: string, compression: string): Promise<Uint8Array> {
  const source = await files.open(path);
  try {
    const plain = await plainSource(source, compression);
    return await plain.read(0, plain.size);
  } finally {
    await source.close();
  }
}

// ---- iterators ----

function iteratorOf(handle: object): memory.HostIterator {
  const found = handle instanceof IteratorPlace ? handle.iterator : handle;
  if (!(found instanceof HostIterator)) throw new InternalError("The handle is no iterator's.");
  return found;
}

export const IteratorV2 = defineOp("IteratorV2", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: { sharedName: attr.string(), container: attr.string(), ...elementAttrs },
  stateful: true,
  ...made,
  resource: (attrs, op): HostObject => ({ id: objectId("iterator", attrs, op), make: () => new HostIterator() }),
});

/** Begins with the dataset that its function names, when first asked. */
export const OneShotIterator = defineOp("OneShotIterator", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: { datasetFactory: attr.func(), ...elementAttrs, container: attr.string(""), sharedName: attr.string("") },
  stateful: true,
  ...made,
  resource: (attrs, op): HostObject => ({
    id: objectId("iterator", attrs, op),
    make: () =>
      new HostIterator(async (run: SideRun) => {
        const source = functionOf(op, attrs.datasetFactory);
        if (!(source instanceof Tensor)) throw new InternalError(`'${attrs.datasetFactory.name}' is no dataset.`);
        return DatasetArray.of((await run([source], new Map()))[0]);
      }),
  }),
});

/** Begins an iterator, or begins it again. */
export const MakeIterator = defineOp("MakeIterator", {
  inputs: { dataset: "variant", iterator: "resource" },
  outputs: {},
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: () => undefined,
  host: ({ dataset, iterator }, { run }) => iteratorOf(iterator).begin(DatasetArray.of(dataset), run),
});

export const IteratorGetNext = defineOp("IteratorGetNext", {
  inputs: { iterator: "resource" },
  outputs: { components: "outputTypes" },
  attrs: elementAttrs,
  stateful: true,
  gradient: "none",
  shape: ({ outputShapes }) => [...outputShapes],
  host: ({ iterator }, { run }) => iteratorOf(iterator).next(run),
});

export const IteratorToStringHandle = defineOp("IteratorToStringHandle", {
  inputs: { resourceHandle: "resource" },
  outputs: { stringHandle: "string" },
  attrs: {},
  stateful: true,
  ...made,
  host: ({ resourceHandle }) => new NDArray("string", [], [encodeText(iteratorOf(resourceHandle).handle)]),
});

/** The iterator of a string that IteratorToStringHandle gave. */
export const IteratorFromStringHandleV2 = defineOp("IteratorFromStringHandleV2", {
  inputs: { stringHandle: "string" },
  outputs: { resourceHandle: "resource" },
  attrs: { outputTypes: attr.types([], { minimum: 0 }), outputShapes: attr.shapes([], 0) },
  stateful: true,
  ...made,
  resource: (_attrs, op): HostObject => ({ id: `iteratorPlace:${op.name}`, make: () => new IteratorPlace() }),
  lower: ({ stringHandle }, context) => {
    const handle = context.object();
    const place = context.resource(handle);
    if (!(place instanceof IteratorPlace)) throw new InternalError(`'${handle.state.id}' is no iterator's place.`);
    change(handle, "iteratorOfString", [stringHandle], ([text]) => {
      place.iterator = HostIterator.find(textOf(text));
    });
    return handle;
  },
});
