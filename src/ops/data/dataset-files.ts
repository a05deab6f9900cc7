// Nodes of tf.data that keep a dataset in files and read it again (formats/dataset-snapshot.ts): whole, shard by shard, or chunk by chunk.

import { files } from "#platform";
import type { DType } from "../../base/dtype.ts";
import { DataLossError, InvalidArgumentError, NotFoundError, UnimplementedError } from "../../base/errors.ts";
import { folderOf } from "../../base/files.ts";
import type { NDArray } from "../../base/ndarray.ts";
import {
  fileVersion,
  readMetadata,
  shardFile,
  shardFolder,
  shardsOf,
  snapshotRecords,
  SnapshotWriter,
  writeMetadata,
} from "../../formats/dataset-snapshot.ts";
import * as attr from "../../graph/attributes.ts";
import type { FunctionRef } from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import type { Operation } from "../../graph/operation.ts";
import { componentFromBytes, componentToBytes } from "./component-bytes.ts";
import { anyTypes, datasetInput, elementAttrs, handleOutput, made, numberOf, textOf, wrap } from "./dataset-fields.ts";
import { type Call, callOf, type Iteration, iterationOf } from "./dataset-functions.ts";
import { DatasetArray, dataset, type Element, type Elements, generated, type HostDataset, unknown } from "./host-dataset.ts";

// ---- reading ----

interface Reading {
  readonly compression: string;
  readonly dtypes: readonly DType[];
  readonly version: number;
}

function checkVersion(version: number): void {
  if (version === Number(fileVersion)) return;
  if (version === 0 || version === 1)
    throw new UnimplementedError(
      `Snapshot files of version ${version} are not read here: save the dataset again with TensorFlow 2.4 or newer.`,
    );
  throw new InvalidArgumentError(`Snapshot reader version: ${version} is not supported.`);
}

/** The elements of one file: a record for each of their tensors. */
async function* elementsOf(path: string, { compression, dtypes }: Reading): AsyncGenerator<Element, void> {
  const records = snapshotRecords(files, path, compression);
  for (;;) {
    const element: NDArray[] = [];
    for (const [i, dtype] of dtypes.entries()) {
      const next = await records.next();
      if (next.done) return;
      const array = componentFromBytes(next.value);
      if (array === undefined) throw new DataLossError("Unable to parse tensor from stored proto.");
      if (array.dtype !== dtype)
        throw new InvalidArgumentError(`Data type mismatch at component ${i}: expected ${dtype} but got ${array.dtype}.`);
      element.push(array);
    }
    yield element;
  }
}

/** The elements of a shard's files, from one of them on. */
const ofShard = (folder: string, start: number, reading: Reading): HostDataset =>
  generated(unknown, async function* () {
    let skipped = 0;
    // The first file has to be there.
    for (let file = 0; file === 0 || (await files.status(shardFile(folder, file))) !== null; file++)
      for await (const element of elementsOf(shardFile(folder, file), reading)) if (skipped++ >= start) yield element;
  });

/** A dataset whose elements are datasets. */
const ofDatasets = (inputs: readonly HostDataset[]): HostDataset =>
  generated(unknown, function* () {
    for (const input of inputs) yield [wrap(input)];
  });

/** What a dataset saved in a folder holds. */
export const LoadDataset = defineOp("LoadDataset", {
  inputs: { path: "string", readerFuncOtherArgs: "Treader_func_args" },
  outputs: handleOutput,
  attrs: { ...elementAttrs, compression: attr.string(""), readerFunc: attr.func(), Treader_func_args: anyTypes },
  stateful: true,
  ...made,
  host: async ({ path, readerFuncOtherArgs, outputTypes, compression, readerFunc }, { op }) => {
    const folder = textOf(path);
    const metadata = await readMetadata(files, folder);
    if (metadata === undefined) throw new NotFoundError(`Could not find metadata file [${folder}]`);
    const reading = { compression, dtypes: outputTypes, version: Number(metadata.version) };
    checkVersion(reading.version);
    const read = callOf(op, readerFunc, "readerFuncOtherArgs", readerFuncOtherArgs);
    return wrap(
      dataset(Number(metadata.elements), run => {
        let elements: Promise<Elements> | undefined;
        const begin = async (): Promise<Elements> => {
          const shards = await shardsOf(files, folder, metadata.runId);
          const given = await read(run, [wrap(ofDatasets(shards.map(shard => ofShard(shard, 0, reading))))]);
          if (given.length !== 1) throw new InvalidArgumentError("reader_func returns more than one argument.");
          return DatasetArray.of(given[0]).iterate(run);
        };
        return {
          next: async () => {
            elements ??= begin();
            return (await elements).next();
          },
          close: async () => (await elements)?.close(),
        };
      }),
    );
  },
});

/** One shard of a saved dataset, from an element on. */
export const SnapshotDatasetReader = defineOp("SnapshotDatasetReader", {
  inputs: { shardDir: "string", startIndex: "int64" },
  outputs: handleOutput,
  attrs: { ...elementAttrs, compression: attr.string(""), version: attr.int() },
  ...made,
  host: ({ shardDir, startIndex, outputTypes, compression, version }) => {
    checkVersion(version);
    return wrap(ofShard(textOf(shardDir), numberOf(startIndex), { compression, dtypes: outputTypes, version }));
  },
});

/** A dataset of datasets. */
export const SnapshotNestedDatasetReader = defineOp("SnapshotNestedDatasetReader", {
  inputs: { inputs: "N*variant" },
  outputs: handleOutput,
  attrs: { ...elementAttrs, N: attr.int(undefined, 1) },
  ...made,
  host: ({ inputs }) => wrap(ofDatasets(inputs.map(DatasetArray.of))),
});

/** One file of a saved dataset. */
export const SnapshotChunkDataset = defineOp("SnapshotChunkDataset", {
  inputs: { chunkFile: "string" },
  outputs: handleOutput,
  attrs: { ...elementAttrs, compression: attr.string("") },
  ...made,
  host: ({ chunkFile, outputTypes, compression }) =>
    wrap(generated(unknown, () => elementsOf(textOf(chunkFile), { compression, dtypes: outputTypes, version: Number(fileVersion) }))),
});

// ---- writing ----

const savedAttrs = { compression: attr.string(""), shardFunc: attr.func(), useShardFunc: attr.bool(true), Tshard_func_args: anyTypes };
const savedInputs = { ...datasetInput, path: "string", shardFuncOtherArgs: "Tshard_func_args" } as const;

interface Saved {
  readonly inputDataset: NDArray;
  readonly path: NDArray;
  readonly shardFuncOtherArgs: readonly NDArray[];
  readonly compression: string;
  readonly shardFunc: FunctionRef;
  readonly useShardFunc: boolean;
}

const newRunId = (): string => String(globalThis.crypto.getRandomValues(new BigUint64Array(1))[0]);

/** The elements of a dataset, each written before it is handed on. `known` is what the metadata tell of their number, where they are not counted. */
function saved({ inputDataset, path, compression, useShardFunc, ...rest }: Saved, op: Operation, known?: number): HostDataset {
  const input = DatasetArray.of(inputDataset);
  const folder = textOf(path);
  const shardOf: Call = callOf(op, rest.shardFunc, "shardFuncOtherArgs", rest.shardFuncOtherArgs);
  return dataset(input.cardinality, (run: Iteration) => {
    const source = input.iterate(run);
    const runId = newRunId();
    const writers = new Map<bigint, SnapshotWriter>();
    let [count, state]: [number, "new" | "open" | "ended"] = [0, "new"];
    let dtypes: readonly DType[] = [];
    const note = (isFinal: boolean): Promise<void> =>
      writeMetadata(files, folder, { runId, version: fileVersion, elements: isFinal ? BigInt(known ?? count) : 0n, isFinal }, dtypes);
    const closeAll = async (): Promise<void> => {
      for (const writer of writers.values()) await writer.close();
      writers.clear();
    };
    const write = async (element: Element): Promise<void> => {
      let shard = 0n;
      if (useShardFunc) {
        const given = await shardOf(run, element);
        if (given.length !== 1 || given[0].dtype !== "int64" || given[0].size !== 1)
          throw new InvalidArgumentError("`shard_func` must return a scalar int64.");
        shard = given[0].get(0) as bigint;
      }
      let writer = writers.get(shard);
      if (writer === undefined) {
        const file = shardFile(shardFolder(folder, runId, shard), 0);
        await files.makeFolder(folderOf(file));
        writer = new SnapshotWriter(files, file, compression);
        writers.set(shard, writer);
      }
      await writer.write(element.map(componentToBytes));
    };
    return {
      next: async () => {
        if (state === "ended") return undefined;
        const element = await source.next();
        if (element !== undefined) dtypes = element.map(({ dtype }) => dtype);
        if (state === "new") await note(false);
        state = "open";
        if (element === undefined) {
          state = "ended";
          await closeAll();
          await note(true);
          return undefined;
        }
        count++;
        await write(element);
        return element;
      },
      close: async () => {
        await closeAll();
        await source.close();
      },
    };
  });
}

/** Writes a dataset into a folder. */
export const SaveDataset = defineOp("SaveDataset", {
  inputs: savedInputs,
  outputs: {},
  attrs: savedAttrs,
  stateful: true,
  gradient: "none",
  shape: () => undefined,
  host: async (given, context) => {
    const elements = saved(given, context.op).iterate(iterationOf(context));
    try {
      while ((await elements.next()) !== undefined);
    } finally {
      await elements.close();
    }
  },
});

/** The same elements, which are written into a folder while they are asked for. */
export const SaveDatasetV2 = defineOp("SaveDatasetV2", {
  inputs: savedInputs,
  outputs: handleOutput,
  attrs: { ...savedAttrs, ...elementAttrs },
  stateful: true,
  ...made,
  host: (given, { op }) => wrap(saved(given, op, DatasetArray.of(given.inputDataset).cardinality)),
});
