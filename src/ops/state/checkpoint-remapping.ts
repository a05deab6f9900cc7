// Matrices of checkpoints whose rows or columns belong to the words of a vocabulary, brought into the order of another: what tf.train.warm_start
// initializes variables with. Files are read on the host.

import { files } from "#platform";
import { InvalidArgumentError, NotFoundError } from "../../base/errors.ts";
import { readFile } from "../../base/files.ts";
import { decodeText, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { linesOf } from "../../formats/lines.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { bytesAt } from "../string/string.ts";

const wordsOf = async (path: string): Promise<string[]> => Array.from(linesOf(await readFile(files, path)), decodeText);

interface Vocabularies {
  /** Files of a word a line. */
  readonly newVocab: string;
  readonly oldVocab: string;
  /** So many words of the old one count; -1: all. */
  readonly oldVocabSize: number;
}

/** For `count` words of the new vocabulary, from `offset` on, their places in the old one, or -1. @throws InvalidArgumentError if there are fewer. */
export async function vocabularyPlaces(
  { newVocab, oldVocab, oldVocabSize }: Vocabularies,
  offset: number,
  count: number,
): Promise<bigint[]> {
  const [all, old] = await Promise.all([wordsOf(newVocab), wordsOf(oldVocab)]);
  if (count > 0 && offset + count > all.length)
    throw new InvalidArgumentError(
      `The vocabulary ${newVocab} has ${all.length} words; those from ${offset} to below ${offset + count} were asked for.`,
    );
  const places = new Map((oldVocabSize < 0 ? old : old.slice(0, oldVocabSize)).map((word, i) => [word, BigInt(i)]));
  return all.slice(offset, offset + count).map(word => places.get(word) ?? -1n);
}

/** For each of some consecutive words of a new vocabulary its place in an old one, or -1; and how many are there. Files hold a word a line. */
export const GenerateVocabRemapping = defineOp("GenerateVocabRemapping", {
  inputs: { newVocabFile: "string", oldVocabFile: "string" },
  outputs: { remapping: "int64", numPresent: "int32" },
  attrs: {
    newVocabOffset: attr.int(undefined, 0),
    numNewVocab: attr.int(undefined, 0),
    oldVocabSize: attr.int(-1, -1),
  },
  shape: ({ newVocabFile, oldVocabFile, numNewVocab }) => {
    newVocabFile.withRank(0);
    oldVocabFile.withRank(0);
    return [new TensorShape([numNewVocab]), new TensorShape([])];
  },
  gradient: "none",
  host: async ({ newVocabFile, oldVocabFile, newVocabOffset, numNewVocab, oldVocabSize }) => {
    const [newVocab, oldVocab] = [newVocabFile, oldVocabFile].map(path => decodeText(bytesAt(path, 0)));
    const places = await vocabularyPlaces({ newVocab, oldVocab, oldVocabSize }, newVocabOffset, numNewVocab);
    const present = places.filter(place => place >= 0n).length;
    return [new NDArray("int64", [numNewVocab], BigInt64Array.from(places)), new NDArray("int32", [], Int32Array.of(present))];
  },
});

/** Of a matrix in a checkpoint the rows and columns that remappings name, in their order; where one is -1, the next of `initializingValues`. */
export const LoadAndRemapMatrix = defineOp("LoadAndRemapMatrix", {
  inputs: { ckptPath: "string", oldTensorName: "string", rowRemapping: "int64", colRemapping: "int64", initializingValues: "float32" },
  outputs: { outputMatrix: "float32" },
  attrs: { numRows: attr.int(undefined, 0), numCols: attr.int(undefined, 1), maxRowsInMemory: attr.int(-1) },
  stateful: true,
  shape: ({ rowRemapping, colRemapping, numRows, numCols }) => {
    rowRemapping.withRank(1);
    colRemapping.withRank(1);
    return new TensorShape([numRows, numCols]);
  },
  gradient: "none",
  host: async ({ ckptPath, oldTensorName, rowRemapping, colRemapping, initializingValues, numRows, numCols }) => {
    const [path, name] = [decodeText(bytesAt(ckptPath, 0)), decodeText(bytesAt(oldTensorName, 0))];
    const old = await matrixOf(path, name);
    const rows = placesOf(rowRemapping, "row", numRows, old.shape[0]);
    const columns =
      colRemapping.size === 0 ? Array.from({ length: numCols }, (_, i) => i) : placesOf(colRemapping, "column", numCols, old.shape[1]);
    if (columns.length > 0 && Math.max(...columns) >= old.shape[1])
      throw new InvalidArgumentError(`Tensor ${name} in checkpoint ${path} has ${old.shape[1]} columns, not ${numCols}.`);
    const result = new Float32Array(numRows * numCols);
    let used = 0;
    for (const [i, row] of rows.entries())
      for (const [j, column] of columns.entries()) {
        const isOld = row >= 0 && column >= 0;
        result[i * numCols + j] = Number(
          isOld ? old.get(row * old.shape[1] + column) : used < initializingValues.size ? initializingValues.get(used) : 0,
        );
        if (!isOld) used++;
      }
    if (used !== initializingValues.size)
      throw new InvalidArgumentError(`There are ${initializingValues.size} initializing values for the ${used} elements that are new.`);
    return new NDArray("float32", [numRows, numCols], result);
  },
});

async function matrixOf(path: string, name: string): Promise<NDArray> {
  const { openCheckpoint } = await import("../../formats/checkpoint.ts");
  const reader = await openCheckpoint(files, path);
  try {
    const entry = await reader.find(name);
    if (!entry) throw new NotFoundError(`Tensor name "${name}" not found in checkpoint files ${path}`);
    if (entry.shape.length !== 2 || entry.dtype !== "float32")
      throw new InvalidArgumentError(`Tensor ${name} in checkpoint ${path} is ${entry.dtype} [${entry.shape}], not a matrix of float32.`);
    return await reader.read(name);
  } finally {
    await reader.close();
  }
}

function placesOf(remapping: NDArray, what: string, wanted: number, held: number): number[] {
  const places = Array.from({ length: remapping.size }, (_, i) => Number(remapping.get(i)));
  if (places.length !== wanted)
    throw new InvalidArgumentError(`Size of ${what}_remapping is ${places.length} instead of the expected ${wanted}`);
  const outside = places.find(place => place < -1 || place >= held);
  if (outside !== undefined) throw new InvalidArgumentError(`The ${what} ${outside} is not one of the ${held} of the checkpoint's matrix.`);
  const kept = places.filter(place => place >= 0);
  if (new Set(kept).size < kept.length) throw new InvalidArgumentError(`A ${what} of the checkpoint's matrix is asked for twice.`);
  return places;
}
