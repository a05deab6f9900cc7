// Saving and restoring as ops: SaveV2, RestoreV2, MergeV2Checkpoints and the older forms. The host does the work, between segments of a run;
// formats/ knows the bytes and is loaded when the first file is read or written. Savers are io/saver.ts.

import { files } from "#platform";
import type { DType } from "../../base/dtype.ts";
import { dtypeTable } from "../../base/dtype.ts";
import { InvalidArgumentError, NotFoundError, ValueError } from "../../base/errors.ts";
import { folderOf } from "../../base/files.ts";
import { decodeText, encodeText, type NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { parseShapeAndSlice } from "../../formats/tensor-slice.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type ShapeContext } from "../../graph/op-definition.ts";
import * as ir from "../../ir/build.ts";
import { bytesAt } from "../string/string.ts";

const scalar = new TensorShape([]);
const textAt = (array: NDArray, i = 0): string => decodeText(bytesAt(array, i));
const textsOf = (array: NDArray): string[] => Array.from({ length: array.size }, (_, i) => textAt(array, i));

/** @throws InvalidArgumentError with TensorFlow's texts unless there is a name and a slice for each tensor. */
function checkCounts(op: string, names: NDArray, slices: NDArray, count: number): void {
  if (names.size !== count || slices.size !== count)
    throw new InvalidArgumentError(
      `Got ${names.size} tensor names and ${slices.size} slice specs for the ${count} tensors of ${op}: there should be one of each for each.`,
    );
}

export const SaveV2 = defineOp("SaveV2", {
  inputs: { prefix: "string", tensorNames: "string", shapeAndSlices: "string", tensors: "dtypes" },
  outputs: {},
  attrs: { dtypes: attr.types(undefined, { minimum: 1 }) },
  stateful: true,
  shape: ({ prefix, tensorNames, shapeAndSlices, dtypes }) => {
    prefix.withRank(0);
    for (const texts of [tensorNames, shapeAndSlices]) {
      const count = texts.withRank(1).dim(0);
      if (count !== null && count !== dtypes.length) throw new ValueError(`Dimension must be ${dtypes.length} but is ${count}`);
    }
  },
  gradient: "none",
  host: async ({ prefix, tensorNames, shapeAndSlices, tensors }) => {
    checkCounts("SaveV2", tensorNames, shapeAndSlices, tensors.length);
    const { writeBundle } = await import("../../formats/bundle.ts");
    const path = textAt(prefix);
    await makeParent(path);
    await writeBundle(
      files,
      path,
      tensors.map((value, i) => ({ name: textAt(tensorNames, i), value, shapeAndSlice: textAt(shapeAndSlices, i) })),
    );
  },
});

/** As TensorFlow, makes the folder that is to hold the files if the one above it is there. */
async function makeParent(path: string): Promise<void> {
  const folder = folderOf(path);
  if (folder === "" || (await files.status(folder)) !== null) return;
  const above = folderOf(folder);
  if (above !== "" && (await files.status(above)) === null) throw new NotFoundError(`${folder}; No such file or directory`);
  await files.makeFolder(folder);
}

/** @throws ValueError for what is no specification: what a kernel refuses is refused while the graph is built. */
function readSpec(text: string): ReturnType<typeof parseShapeAndSlice> {
  try {
    return parseShapeAndSlice(text);
  } catch (error) {
    throw error instanceof InvalidArgumentError ? new ValueError(error.message) : error;
  }
}

/** The shapes that slice specifications promise; nothing is known where the whole tensor is asked for. */
function restoredShapes(context: ShapeContext, input: string, count: number): TensorShape[] {
  const specs = context.constant(input);
  return Array.from({ length: count }, (_, i) => {
    const spec = specs && specs.size === count ? readSpec(textAt(specs, i)) : null;
    return spec ? new TensorShape(spec.extents.map(({ length }) => length)) : TensorShape.unknown();
  });
}

export const RestoreV2 = defineOp("RestoreV2", {
  inputs: { prefix: "string", tensorNames: "string", shapeAndSlices: "string" },
  outputs: { tensors: "dtypes" },
  attrs: { dtypes: attr.types(undefined, { minimum: 1 }) },
  stateful: true,
  shape: ({ prefix, tensorNames, shapeAndSlices, dtypes }, context) => {
    prefix.withRank(0);
    tensorNames.withRank(1).mergeWith(shapeAndSlices.withRank(1));
    return restoredShapes(context, "shapeAndSlices", dtypes.length);
  },
  gradient: "none",
  host: ({ prefix, tensorNames, shapeAndSlices, dtypes }) => {
    checkCounts("RestoreV2", tensorNames, shapeAndSlices, dtypes.length);
    return restored(textAt(prefix), textsOf(tensorNames), textsOf(shapeAndSlices), dtypes);
  },
});

async function restored(prefix: string, names: readonly string[], slices: readonly string[], dtypes: readonly DType[]): Promise<NDArray[]> {
  const { openCheckpoint } = await import("../../formats/checkpoint.ts");
  const reader = await openCheckpoint(files, prefix);
  try {
    const found: NDArray[] = [];
    for (const [i, name] of names.entries()) {
      const entry = await reader.find(name);
      if (entry && entry.dtype !== dtypes[i])
        throw new InvalidArgumentError(
          `tensor_name = ${name}; expected dtype ${dtypeTable[dtypes[i]].cName} does not equal original dtype ${dtypeTable[entry.dtype].cName}`,
        );
      found.push(await reader.read(name, slices[i]));
    }
    return found;
  } finally {
    await reader.close();
  }
}

export const MergeV2Checkpoints = defineOp("MergeV2Checkpoints", {
  inputs: { checkpointPrefixes: "string", destinationPrefix: "string" },
  outputs: {},
  attrs: { deleteOldDirs: attr.bool(true), allowMissingFiles: attr.bool(false) },
  stateful: true,
  shape: ({ checkpointPrefixes, destinationPrefix }) => {
    checkpointPrefixes.withRank(1);
    destinationPrefix.withRank(0);
  },
  gradient: "none",
  host: async ({ checkpointPrefixes, destinationPrefix, deleteOldDirs, allowMissingFiles }) => {
    const { mergeBundles } = await import("../../formats/bundle.ts");
    const prefixes = textsOf(checkpointPrefixes);
    const destination = textAt(destinationPrefix);
    await mergeBundles(files, prefixes, destination, { allowMissing: allowMissingFiles });
    if (!deleteOldDirs) return;
    for (const folder of new Set(prefixes.map(folderOf)))
      if (folder !== folderOf(destination) && (await files.list(folder)).length === 0) await files.removeFolder(folder);
  },
});

const digits = (n: number): string => String(n).padStart(5, "0");

export const ShardedFilename = defineOp("ShardedFilename", {
  inputs: { basename: "string", shard: "int32", numShards: "int32" },
  outputs: { filename: "string" },
  attrs: {},
  shape: () => scalar,
  gradient: "none",
  lower: ({ basename, shard, numShards }) => {
    const run = ([name, k, n]: readonly NDArray[], [result]: readonly NDArray[]): void =>
      result.set(0, encodeText(`${textAt(name)}-${digits(Number(k.get(0)))}-of-${digits(Number(n.get(0)))}`));
    return ir.call({ name: "ShardedFilename", run }, [basename, shard, numShards], [{ dtype: "string", shape: [] }])[0];
  },
});

export const ShardedFilespec = defineOp("ShardedFilespec", {
  inputs: { basename: "string", numShards: "int32" },
  outputs: { filename: "string" },
  attrs: {},
  shape: () => scalar,
  gradient: "none",
  lower: ({ basename, numShards }) => {
    const run = ([name, n]: readonly NDArray[], [result]: readonly NDArray[]): void =>
      result.set(0, encodeText(`${textAt(name)}-?????-of-${digits(Number(n.get(0)))}`));
    return ir.call({ name: "ShardedFilespec", run }, [basename, numShards], [{ dtype: "string", shape: [] }])[0];
  },
});

// ---- the older forms ----

const saveV1 = async (filename: NDArray, names: NDArray, slices: readonly string[], data: readonly NDArray[]): Promise<void> => {
  if (names.size !== data.length) throw new InvalidArgumentError(`Got ${names.size} tensor names but ${data.length} tensors.`);
  const { writeCheckpointV1 } = await import("../../formats/checkpoint-v1.ts");
  await makeParent(textAt(filename));
  await writeCheckpointV1(
    files,
    textAt(filename),
    data.map((value, i) => ({ name: textAt(names, i), value, shapeAndSlice: slices[i] })),
  );
};

export const Save = defineOp("Save", {
  inputs: { filename: "string", tensorNames: "string", data: "T" },
  outputs: {},
  attrs: { T: attr.types(undefined, { minimum: 1 }) },
  stateful: true,
  shape: () => undefined,
  gradient: "none",
  host: ({ filename, tensorNames, data }) =>
    saveV1(
      filename,
      tensorNames,
      data.map(() => ""),
      data,
    ),
});

export const SaveSlices = defineOp("SaveSlices", {
  inputs: { filename: "string", tensorNames: "string", shapesAndSlices: "string", data: "T" },
  outputs: {},
  attrs: { T: attr.types(undefined, { minimum: 1 }) },
  stateful: true,
  shape: () => undefined,
  gradient: "none",
  host: ({ filename, tensorNames, shapesAndSlices, data }) => {
    checkCounts("SaveSlices", tensorNames, shapesAndSlices, data.length);
    return saveV1(filename, tensorNames, textsOf(shapesAndSlices), data);
  },
});

export const Restore = defineOp("Restore", {
  inputs: { filePattern: "string", tensorName: "string" },
  outputs: { tensor: "dt" },
  attrs: { dt: attr.type(), preferredShard: attr.int(-1) },
  stateful: true,
  shape: () => TensorShape.unknown(),
  gradient: "none",
  host: ({ filePattern, tensorName, dt }) => restored(textAt(filePattern), [textAt(tensorName)], [""], [dt]),
});

export const RestoreSlice = defineOp("RestoreSlice", {
  inputs: { filePattern: "string", tensorName: "string", shapeAndSlice: "string" },
  outputs: { tensor: "dt" },
  attrs: { dt: attr.type(), preferredShard: attr.int(-1) },
  stateful: true,
  shape: (_, context) => restoredShapes(context, "shapeAndSlice", 1),
  gradient: "none",
  host: ({ filePattern, tensorName, shapeAndSlice, dt }) =>
    restored(textAt(filePattern), [textAt(tensorName)], [textAt(shapeAndSlice)], [dt]),
});
