// Nodes of tf.data from its experimental part: examples and tables of text taken apart, sparse batches, records written, elements packed into one,
// iterators over several devices, and objects that nobody else can name.

import { files } from "#platform";
import { DataLossError, InternalError, InvalidArgumentError, OutOfRangeError } from "../../base/errors.ts";
import { encodeText, latinText, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { RecordWriter } from "../../formats/records.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type HostObject, type LowerContext, type OpDefinition, renameOp, type UntypedOp } from "../../graph/op-definition.ts";
import type { Operation } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { numbersOf } from "../array/array.ts";
import { TensorVariants } from "../flow/variant-array.ts";
import { RaggedArray } from "../sparse/ragged.ts";
import { bytesAt } from "../string/string.ts";
import { csvFields, csvTypes, fillCsvRow } from "../string/parsing.ts";
import { bufferOf, seedInputs, seedsOf } from "./dataset.ts";
import {
  common,
  datasetInput,
  deterministic,
  elementAttrs,
  elementShapes,
  handleOutput,
  isTrue,
  made,
  numberOf,
  positive,
  scalarInputs,
  textOf,
  wrap,
} from "./dataset-fields.ts";
import { iterationOf } from "./dataset-functions.ts";
import * as memory from "./dataset-memory.ts";
import * as datasetMemoryFunctions from "./dataset-memory-functions.ts";
import * as hostDataset from "./host-dataset.ts";
import * as datasetMemoryBatches from "./dataset-memory-batches.ts";
import { DatasetArray } from "./host-dataset.ts";
import { HostIterator, StringHandles } from "./iterator-memory.ts";
import { plainBytesOf, RandomDataset, randomNumbers, refuseCompression } from "./dataset-sources.ts";
import { bytesOf, type FeatureSpecs, featureTypeList, featureTypes, parseFeatures } from "./example.ts";
import { handleFields, objectId } from "./host-handles.ts";
import { change } from "./lookup.ts";

const scalar = new TensorShape([]);

// ---- objects that nobody else can name ----

const deletable = {
  outputs: { handle: "resource", deleter: "variant" },
  stateful: true,
  gradient: "none",
  shape: () => [scalar, scalar],
} as const;
const anonymous =
  (kind: string, make: () => object) =>
  (_attrs: object, { name }: Operation): HostObject => ({ id: `${kind}:anonymous/${name}`, make });
/** The object goes with its session: what deletes it is a word only. */
const deleter = () => ir.full("uint8", [], 0);

const deletes = {
  inputs: { handle: "resource", deleter: "variant" },
  outputs: {},
  attrs: {},
  stateful: true,
  shape: () => undefined,
  lower: () => undefined,
} as const;

export const AnonymousIteratorV2 = defineOp("AnonymousIteratorV2", {
  inputs: {},
  attrs: elementAttrs,
  ...deletable,
  resource: anonymous("iterator", () => new HostIterator()),
  lower: (_, context) => [context.object(), deleter()],
});
export const DeleteIterator = defineOp("DeleteIterator", deletes);

export const AnonymousMemoryCache = defineOp("AnonymousMemoryCache", {
  inputs: {},
  attrs: {},
  ...deletable,
  resource: anonymous("memoryCache", () => ({})),
  lower: (_, context) => [context.object(), deleter()],
});
export const DeleteMemoryCache = defineOp("DeleteMemoryCache", deletes);

/** Seeds of a shuffle that are told by a handle. */
class SeedGenerator {
  seeds: [bigint, bigint] = [0n, 0n];
  reshuffles = true;
}

function generatorOf(handle: object): SeedGenerator {
  if (!(handle instanceof SeedGenerator)) throw new InternalError("The handle is no seed generator's.");
  return handle;
}

function toldSeeds(context: LowerContext, inputs: readonly Parameters<typeof ir.call>[1][number][]) {
  const handle = context.object();
  const generator = generatorOf(context.resource(handle));
  change(handle, "seedGenerator", inputs, ([seed, seed2, reshuffles]) => {
    generator.seeds = seedsOf({ seed, seed2 });
    generator.reshuffles = reshuffles === undefined || isTrue(reshuffles);
  });
  return [handle, deleter()];
}

export const AnonymousRandomSeedGenerator = defineOp("AnonymousRandomSeedGenerator", {
  inputs: seedInputs,
  attrs: {},
  ...deletable,
  resource: anonymous("seedGenerator", () => new SeedGenerator()),
  lower: ({ seed, seed2 }, context) => toldSeeds(context, [seed, seed2]),
});
export const AnonymousSeedGenerator = defineOp("AnonymousSeedGenerator", {
  inputs: { ...seedInputs, reshuffle: "bool" },
  attrs: {},
  ...deletable,
  resource: anonymous("seedGenerator", () => new SeedGenerator()),
  lower: ({ seed, seed2, reshuffle }, context) => toldSeeds(context, [seed, seed2, reshuffle]),
});
export const DeleteRandomSeedGenerator = defineOp("DeleteRandomSeedGenerator", deletes);
export const DeleteSeedGenerator = defineOp("DeleteSeedGenerator", deletes);

export const ShuffleDatasetV2 = defineOp("ShuffleDatasetV2", {
  inputs: { ...datasetInput, bufferSize: "int64", seedGenerator: "resource" },
  outputs: handleOutput,
  attrs: common,
  stateful: true,
  ...made,
  shape: scalarInputs("bufferSize", "seedGenerator"),
  host: ({ inputDataset, bufferSize, seedGenerator }) =>
    wrap(memory.shuffled(DatasetArray.of(inputDataset), { size: bufferOf(bufferSize), ...generatorOf(seedGenerator) })),
});

export const RandomDatasetV2 = renameOp("RandomDatasetV2", RandomDataset, {
  inputs: { ...seedInputs, seedGenerator: "resource" },
  attrs: { rerandomizeEachIteration: attr.bool(false), ...common },
  ...made,
  host: ({ seed, seed2, rerandomizeEachIteration }) => wrap(randomNumbers(seed, seed2, rerandomizeEachIteration)),
});

// ---- iterators over several devices ----

/** Elements in turn for so many shards, each of which asks for its own. */
class MultiDeviceSource {
  readonly source = new HostIterator();
  readonly shards: number;
  incarnation = 0n;
  private waiting: (readonly NDArray[])[][];
  private before: Promise<unknown> = Promise.resolve();
  private given = 0;

  constructor(shards: number) {
    this.shards = shards;
    this.waiting = Array.from({ length: shards }, () => []);
  }

  async begin(held: hostDataset.HostDataset, context: Parameters<HostIterator["begin"]>[1]): Promise<bigint> {
    await this.source.begin(held, context);
    this.waiting = this.waiting.map(() => []);
    this.given = 0;
    return ++this.incarnation;
  }

  /** The next element of a shard. Those of others that come before it wait. */
  next(shard: number, context: Parameters<HostIterator["next"]>[0]): Promise<readonly NDArray[]> {
    const found = this.before.then(async () => {
      for (;;) {
        const ready = this.waiting[shard].shift();
        if (ready) return ready;
        const element = await this.source.next(context);
        this.waiting[this.given++ % this.shards].push(element);
      }
    });
    this.before = found.catch(() => undefined);
    return found;
  }
}

const multiDeviceHandles = new StringHandles<MultiDeviceSource>("multi_device_iterator", "a multi-device iterator");

/** The place of one that a string names, told anew in each run. */
class MultiDevicePlace {
  source: MultiDeviceSource | undefined;
}

function multiDevice(handle: object): MultiDeviceSource {
  const found = handle instanceof MultiDevicePlace ? handle.source : handle;
  if (!(found instanceof MultiDeviceSource)) throw new InternalError("The handle is no multi-device iterator's.");
  return found;
}

const devices = attr.strings(undefined, 1);

export const MultiDeviceIterator = defineOp("MultiDeviceIterator", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: { devices, sharedName: attr.string(), container: attr.string(), ...elementAttrs },
  ...handleFields,
  resource: (attrs, op): HostObject => ({
    id: objectId("multiDeviceIterator", attrs, op),
    make: () => new MultiDeviceSource(attrs.devices.length),
  }),
});
export const AnonymousMultiDeviceIteratorV3 = defineOp("AnonymousMultiDeviceIteratorV3", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: { devices, ...elementAttrs },
  ...handleFields,
  resource: (attrs, op): HostObject => ({
    id: `multiDeviceIterator:anonymous/${op.name}`,
    make: () => new MultiDeviceSource(attrs.devices.length),
  }),
});
export const AnonymousMultiDeviceIterator = defineOp("AnonymousMultiDeviceIterator", {
  inputs: {},
  attrs: { devices, ...elementAttrs },
  ...deletable,
  resource: (attrs, op): HostObject => ({
    id: `multiDeviceIterator:anonymous/${op.name}`,
    make: () => new MultiDeviceSource(attrs.devices.length),
  }),
  lower: (_, context) => [context.object(), deleter()],
});
export const DeleteMultiDeviceIterator = defineOp("DeleteMultiDeviceIterator", {
  inputs: { multiDeviceIterator: "resource", iterators: "N*resource", deleter: "variant" },
  outputs: {},
  attrs: { N: attr.int(undefined, 0) },
  stateful: true,
  shape: () => undefined,
  lower: () => undefined,
});

export const MultiDeviceIteratorInit = defineOp("MultiDeviceIteratorInit", {
  inputs: { dataset: "variant", multiDeviceIterator: "resource", maxBufferSize: "int64" },
  outputs: { incarnationId: "int64" },
  attrs: {},
  stateful: true,
  ...made,
  host: async ({ dataset, multiDeviceIterator }, context) =>
    NDArray.full("int64", [], await multiDevice(multiDeviceIterator).begin(DatasetArray.of(dataset), context)),
});

export const MultiDeviceIteratorGetNextFromShard = defineOp("MultiDeviceIteratorGetNextFromShard", {
  inputs: { multiDeviceIterator: "resource", shardNum: "int32", incarnationId: "int64" },
  outputs: { components: "outputTypes" },
  attrs: elementAttrs,
  stateful: true,
  gradient: "none",
  shape: ({ multiDeviceIterator, ...of }) => {
    multiDeviceIterator.withRank(0);
    return elementShapes(of);
  },
  host: ({ multiDeviceIterator, shardNum, incarnationId }, context) => {
    const source = multiDevice(multiDeviceIterator);
    if (incarnationId.get(0) !== source.incarnation)
      throw new InvalidArgumentError(`Invalid incarnation id. Provided: ${incarnationId.get(0)}; Expected: ${source.incarnation}`);
    const shard = numberOf(shardNum);
    if (shard < 0 || shard >= source.shards)
      throw new InvalidArgumentError(`shard_num must be at least 0 and less than ${source.shards}, not ${shard}.`);
    return source.next(shard, context);
  },
});

export const MultiDeviceIteratorToStringHandle = defineOp("MultiDeviceIteratorToStringHandle", {
  inputs: { multiDeviceIterator: "resource" },
  outputs: { stringHandle: "string" },
  attrs: {},
  stateful: true,
  ...made,
  host: ({ multiDeviceIterator }) => NDArray.from(multiDeviceHandles.of(multiDevice(multiDeviceIterator)), "string"),
});

/** The iterator of a string that MultiDeviceIteratorToStringHandle gave. */
export const MultiDeviceIteratorFromStringHandle = defineOp("MultiDeviceIteratorFromStringHandle", {
  inputs: { stringHandle: "string" },
  outputs: { multiDeviceIterator: "resource" },
  attrs: { outputTypes: attr.types([], { minimum: 0 }), outputShapes: attr.shapes([], 0) },
  ...handleFields,
  resource: (_, op): HostObject => ({ id: `multiDeviceIteratorPlace:${op.name}`, make: () => new MultiDevicePlace() }),
  lower: ({ stringHandle }, context) => {
    const handle = context.object();
    const place = context.resource(handle) as MultiDevicePlace;
    change(handle, "multiDeviceIteratorOfString", [stringHandle], ([text]) => {
      place.source = multiDeviceHandles.find(textOf(text));
    });
    return handle;
  },
});

/** The device of an iterator: there is one. */
const iteratorDevice = {
  inputs: { resource: "resource" },
  outputs: { device: "string" },
  attrs: {},
  stateful: true,
  ...made,
  host: () => new NDArray("string", [], [encodeText("/job:localhost/replica:0/task:0/device:CPU:0")]),
} as const;
export const IteratorGetDevice = defineOp("IteratorGetDevice", iteratorDevice);
export const ExperimentalIteratorGetDevice = defineOp("ExperimentalIteratorGetDevice", iteratorDevice);

// ---- examples ----

const exampleAttrs = {
  sparseKeys: attr.strings(undefined, 0),
  denseKeys: attr.strings(undefined, 0),
  sparseTypes: featureTypeList(),
  Tdense: featureTypeList(),
  denseShapes: attr.shapes(undefined, 0),
  ...elementAttrs,
};
const raggedAttrs = {
  raggedKeys: attr.strings([], 0),
  raggedValueTypes: attr.types([], { allowed: featureTypes, minimum: 0 }),
  raggedSplitTypes: attr.types([], { allowed: attr.indexTypes, minimum: 0 }),
};

/** Batches of serialized examples as their features, in the order of the features' names: dense ones, sparse ones as three variants, ragged as one. */
export const ParseExampleDatasetV2 = defineOp("ParseExampleDatasetV2", {
  inputs: { ...datasetInput, numParallelCalls: "int64", denseDefaults: "Tdense" },
  outputs: handleOutput,
  attrs: { ...exampleAttrs, deterministic, ...raggedAttrs },
  ...made,
  host: given => {
    const { denseDefaults, sparseKeys, denseKeys, sparseTypes, Tdense, denseShapes } = given;
    // The older form knows none.
    const { raggedKeys = [], raggedValueTypes = [], raggedSplitTypes = [] } = given;
    const specs: FeatureSpecs = {
      sparse: sparseKeys.map((key, i) => ({ key, dtype: sparseTypes[i] })),
      dense: denseKeys.map((key, i) => ({ key, dtype: Tdense[i], shape: denseShapes[i], fallback: denseDefaults[i] })),
      ragged: raggedKeys.map((key, i) => ({ key, dtype: raggedValueTypes[i], splits: raggedSplitTypes[i] })),
    };
    specs.dense.forEach(({ shape, fallback }, i) => {
      if (fallback.size > 0 && shape.isFullyDefined && shape.dims?.join() !== fallback.shape.join())
        throw new InvalidArgumentError(
          `def_value[${i}].shape() == [${fallback.shape}] is not compatible with dense_shapes_[${i}] == [${shape.dims}]`,
        );
    });
    const parse = ([serialized]: readonly NDArray[]): NDArray[] => {
      if (serialized.rank !== 1)
        throw new InvalidArgumentError("Expected serialized to be a vector of strings, as batches of examples are.");
      const parsed = parseFeatures(bytesOf(serialized), [], specs);
      const byName = [
        ...specs.sparse.map(({ key }, i) => ({
          key,
          value: new TensorVariants([3], [parsed.sparseIndices[i], parsed.sparseValues[i], parsed.sparseShapes[i]]),
        })),
        ...specs.dense.map(({ key }, i) => ({ key, value: parsed.denseValues[i] })),
        ...specs.ragged.map(({ key }, i) => ({
          key,
          value: new RaggedArray([], [{ splits: [parsed.raggedSplits[i]], values: parsed.raggedValues[i] }]),
        })),
      ];
      return byName.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key))).map(({ value }) => value);
    };
    return wrap(datasetMemoryFunctions.mapped(DatasetArray.of(given.inputDataset), async (_, element) => parse(element), true));
  },
});
export const ParseExampleDataset = renameOp("ParseExampleDataset", ParseExampleDatasetV2, {
  attrs: { ...exampleAttrs, sloppy: attr.bool(false), ...raggedAttrs },
  ...made,
});
export const ExperimentalParseExampleDataset = renameOp("ExperimentalParseExampleDataset", ParseExampleDatasetV2, {
  attrs: { ...exampleAttrs, sloppy: attr.bool(false) },
  ...made,
});

// ---- tables of text ----

const csvInputs = {
  filenames: "string",
  compressionType: "string",
  bufferSize: "int64",
  header: "bool",
  fieldDelim: "string",
  useQuoteDelim: "bool",
  naValue: "string",
  selectCols: "int64",
  recordDefaults: "outputTypes",
} as const;
const csvAttrs = { outputTypes: attr.types(undefined, { allowed: csvTypes, minimum: 1 }), outputShapes: attr.shapes(undefined, 1) };

const [lineFeed, carriageReturn, quote] = [10, 13, 34];

const csvTexts = {
  unquoted: "Unquoted fields cannot have quotes inside",
  unended: "Reached end of file without closing quoted field in record",
  after: "Quote inside a string has to be escaped by another quote",
  isReadOn: true,
};

/** Records of a table: lines, but for line feeds inside quotes. A quote opens where a field begins. */
function* csvRecords(bytes: Uint8Array, delimiter: number, usesQuotes: boolean): Generator<Uint8Array> {
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isQuoted) {
      if (byte !== quote) continue;
      const next = bytes[at + 1];
      // What follows a quote and is none of these is part of the field, which is refused when it has ended.
      isQuoted = ![delimiter, lineFeed, carriageReturn, undefined].includes(next);
      if (isQuoted) at++;
    } else if (usesQuotes && byte === quote && (at === start || bytes[at - 1] === delimiter)) isQuoted = true;
    else if (byte === lineFeed || byte === carriageReturn) {
      yield bytes.subarray(start, at);
      if (byte === carriageReturn && bytes[at + 1] === lineFeed) at++;
      start = at + 1;
    }
  }
  if (start < bytes.length) yield bytes.subarray(start);
}

/** Rows of files of comma-separated values, a component for each column. */
export const CSVDatasetV2 = defineOp("CSVDatasetV2", {
  inputs: { ...csvInputs, excludeCols: "int64" },
  outputs: handleOutput,
  attrs: csvAttrs,
  stateful: true,
  ...made,
  host: given => {
    const { filenames, recordDefaults, outputTypes } = given;
    if (filenames.rank > 1) throw new InvalidArgumentError("`filenames` must be a scalar or a vector.");
    const delimiter = textOf(given.fieldDelim);
    if (delimiter.length !== 1) throw new InvalidArgumentError("field_delim should be only 1 char");
    const [chosen, excluded] = [numbersOf(given.selectCols), given.excludeCols ? numbersOf(given.excludeCols) : []];
    for (const [columns, name] of [
      [chosen, "select_cols"],
      [excluded, "exclude_cols"],
    ] as const)
      if (columns.some((column, i) => column < 0 || (i > 0 && column <= columns[i - 1])))
        throw new InvalidArgumentError(`${name} should be strictly increasing indices`);
    if (chosen.length > 0 && chosen.length !== outputTypes.length) throw new InvalidArgumentError("select_cols should match output size");
    if (chosen.length > 0 && excluded.length > 0) throw new InvalidArgumentError("Either select_cols or exclude_cols should be empty");
    const [usesQuotes, hasHeader] = [isTrue(given.useQuoteDelim), isTrue(given.header)];
    const missing = latinText(bytesAt(given.naValue, 0));
    const rowOf = (record: Uint8Array): NDArray[] => {
      const all = csvFields(record, delimiter, usesQuotes, csvTexts);
      const kept =
        chosen.length > 0
          ? chosen.filter(column => column < all.length).map(column => all[column])
          : all.filter((_, k) => !excluded.includes(k));
      const row = outputTypes.map(dtype => NDArray.zeros(dtype, []));
      fillCsvRow(kept.slice(0, row.length), 0, outputTypes, recordDefaults, row, missing, "record");
      if (kept.length !== row.length)
        throw new InvalidArgumentError(`Expect ${row.length} fields but have ${kept.length > row.length ? "more" : kept.length} in record`);
      return row;
    };
    const compression = textOf(given.compressionType);
    refuseCompression(compression, `Unsupported compression_type: ${compression}.`);
    const records = hostDataset.ofFiles(filenames.size, async i => {
      const found = csvRecords(await plainBytesOf(textOf(filenames, i), compression), delimiter.charCodeAt(0), usesQuotes);
      const isHeadless = hasHeader && found.next().done;
      return (function* () {
        if (isHeadless) throw new InvalidArgumentError("Can't read header of file");
        for (const record of found) yield [new NDArray("string", [], [record])];
      })();
    });
    const { iterate, cardinality } = datasetMemoryFunctions.mapped(records, async (_, [record]) => rowOf(bytesAt(record, 0)), false);
    return wrap({ iterate, cardinality });
  },
});
const olderCsv = (type: string): UntypedOp => renameOp(type, CSVDatasetV2, { inputs: csvInputs, ...made });
export const CSVDataset = olderCsv("CSVDataset");
export const ExperimentalCSVDataset = olderCsv("ExperimentalCSVDataset");

// ---- batches ----

/** Batches of dense elements, each no larger than a row, as sparse tensors in three variants. */
export const DenseToSparseBatchDataset = defineOp("DenseToSparseBatchDataset", {
  inputs: { ...datasetInput, batchSize: "int64", rowShape: "int64" },
  outputs: handleOutput,
  attrs: elementAttrs,
  ...made,
  shape: ({ batchSize, rowShape }) => {
    batchSize.withRank(0);
    rowShape.withRank(1);
    return new TensorShape([]);
  },
  host: ({ inputDataset, batchSize, rowShape }, { name }) => {
    const size = positive(batchSize, "Batch size");
    if (rowShape.rank !== 1) throw new InvalidArgumentError("row_shape must be a vector");
    const wanted = numbersOf(rowShape);
    if (wanted.some(d => d < -1)) throw new InvalidArgumentError(`Node '${name}': Dimension of row_shape must be >= -1, got [${wanted}]`);
    const input = DatasetArray.of(inputDataset);
    const checked = (row: NDArray): NDArray => {
      const [is, may] = [`Input element had shape ([${row.shape}])`, `the row shape ([${wanted}]).`];
      if (row.rank !== wanted.length) throw new InvalidArgumentError(`${is} that is incompatible with ${may}`);
      if (row.shape.some((d, axis) => wanted[axis] !== -1 && d > wanted[axis])) throw new DataLossError(`${is} that is larger than ${may}`);
      return row;
    };
    const join = (rows: readonly NDArray[]): NDArray[] => {
      const dims = wanted.map((d, axis) => (d === -1 ? Math.max(...rows.map(row => row.shape[axis])) : d));
      const places: bigint[] = [];
      const values = NDArray.zeros(rows[0].dtype, [rows.reduce((sum, row) => sum + row.size, 0)]);
      let next = 0;
      rows.forEach((row, r) => {
        for (let k = 0; k < row.size; k++) {
          let rest = k;
          const at = row.shape.map(() => 0n);
          for (let axis = row.rank - 1; axis >= 0; axis--) {
            at[axis] = BigInt(rest % row.shape[axis]);
            rest = Math.floor(rest / row.shape[axis]);
          }
          places.push(BigInt(r), ...at);
          values.set(next++, row.get(k));
        }
      });
      const rank = dims.length + 1;
      return [
        new TensorVariants(
          [3],
          [
            new NDArray("int64", [values.size, rank], BigInt64Array.from(places)),
            values,
            new NDArray("int64", [rank], BigInt64Array.from([rows.length, ...dims].map(BigInt))),
          ],
        ),
      ];
    };
    return wrap(
      hostDataset.dataset(input.cardinality < 0 ? input.cardinality : Math.ceil(input.cardinality / size), run => {
        const source = input.iterate(run);
        return {
          next: async () => {
            const rows: NDArray[] = [];
            while (rows.length < size) {
              const element = await source.next();
              if (element === undefined) break;
              rows.push(checked(element[0]));
            }
            return rows.length === 0 ? undefined : join(rows);
          },
          close: () => source.close(),
        };
      }),
    );
  },
});

/** Each batch in so many parts of equal size, the last smaller, for replicas that take them in turn. */
export const RebatchDataset = defineOp("RebatchDataset", {
  inputs: { ...datasetInput, numReplicas: "int64" },
  outputs: handleOutput,
  attrs: { ...elementAttrs, useFallback: attr.bool(true) },
  ...made,
  host: ({ inputDataset, numReplicas }) => {
    const count = numberOf(numReplicas);
    if (count <= 0) throw new InvalidArgumentError("num_replicas must be greater than zero.");
    return wrap(datasetMemoryBatches.cutBatches(DatasetArray.of(inputDataset), count));
  },
});

/** One of several datasets that give the same elements; which is the fastest is of no matter here. */
export const ChooseFastestDataset = defineOp("ChooseFastestDataset", {
  inputs: { inputDatasets: "N*variant" },
  outputs: handleOutput,
  attrs: { N: attr.int(undefined, 2), numExperiments: attr.int(), ...elementAttrs },
  ...made,
  host: ({ inputDatasets }) => inputDatasets[0],
});

// ---- elements packed, picked, written ----

/** The components of an element in one variant. */
export const CompressElement = defineOp("CompressElement", {
  inputs: { components: "inputTypes" },
  outputs: { compressed: "variant" },
  attrs: { inputTypes: attr.types(undefined, { minimum: 1 }) },
  shape: () => scalar,
  host: ({ components }) => new PackedElement(components),
});

class PackedElement extends NDArray {
  readonly components: readonly NDArray[];

  constructor(components: readonly NDArray[]) {
    super("variant", [], new Uint8Array(1));
    this.components = components;
  }
}

export const UncompressElement = defineOp("UncompressElement", {
  inputs: { compressed: "variant" },
  outputs: { components: "outputTypes" },
  attrs: elementAttrs,
  shape: ({ outputShapes }) => [...outputShapes],
  host: ({ compressed, outputTypes }) => {
    if (!(compressed instanceof PackedElement)) throw new InvalidArgumentError("Tensor must be a compressed element.");
    const { components } = compressed;
    if (components.length !== outputTypes.length)
      throw new InvalidArgumentError(`Expected ${outputTypes.length} outputs from uncompress, but got ${components.length}`);
    components.forEach(({ dtype }, i) => {
      if (dtype !== outputTypes[i])
        throw new InvalidArgumentError(`Expected a tensor of type ${outputTypes[i]} but got a tensor of type ${dtype}`);
    });
    return components;
  },
});

/** The element of a number. */
export const GetElementAtIndex = defineOp("GetElementAtIndex", {
  inputs: { dataset: "variant", index: "int64" },
  outputs: { components: "outputTypes" },
  attrs: elementAttrs,
  shape: ({ dataset, ...of }) => {
    dataset.withRank(0);
    return elementShapes(of);
  },
  host: async ({ dataset, index }, context) => {
    const held = DatasetArray.of(dataset);
    if (index.rank !== 0) throw new InvalidArgumentError("index must be a scalar");
    const at = numberOf(index);
    if (at < 0 || (held.cardinality >= 0 && at >= held.cardinality))
      throw new OutOfRangeError(`Index out of range [0, ${held.cardinality}):${at}`);
    const source = held.iterate(iterationOf(context));
    try {
      for (let i = 0; ; i++) {
        const element = await source.next();
        if (element === undefined) throw new OutOfRangeError(`Index out of range [0, ${i}):${at}`);
        if (i === at) return element;
      }
    } finally {
      await source.close();
    }
  },
});

/** Writes a dataset's strings as the records of a file. */
export const DatasetToTFRecord = defineOp("DatasetToTFRecord", {
  inputs: { ...datasetInput, filename: "string", compressionType: "string" },
  outputs: {},
  attrs: {},
  stateful: true,
  shape: () => undefined,
  host: async ({ inputDataset, filename, compressionType }, context) => {
    const writer = new RecordWriter(files, textOf(filename), textOf(compressionType));
    const source = DatasetArray.of(inputDataset).iterate(iterationOf(context));
    for (let element = await source.next(); element !== undefined; element = await source.next()) writer.write(bytesAt(element[0], 0));
    await writer.close();
  },
});

// ---- older names ----

const older = (of: OpDefinition): UntypedOp => renameOp(`Experimental${of.type}`, of);

export const ExperimentalDenseToSparseBatchDataset = older(DenseToSparseBatchDataset);
export const ExperimentalRebatchDataset = older(RebatchDataset);
export const ExperimentalChooseFastestDataset = older(ChooseFastestDataset);
export const ExperimentalDatasetToTFRecord = older(DatasetToTFRecord);
