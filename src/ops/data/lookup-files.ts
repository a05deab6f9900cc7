// Tables filled from the lines of a text file: vocabularies, as the assets of SavedModels.

import { files } from "#platform";
import type { DType } from "../../base/dtype.ts";
import { InternalError, InvalidArgumentError, OutOfRangeError } from "../../base/errors.ts";
import { readFile } from "../../base/files.ts";
import { decodeText, type ElementValue, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { linesOf } from "../../formats/lines.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { LookupTable } from "./lookup-table.ts";
import { bytesAt } from "../string/string.ts";

/** What an index means that is no column's number. */
const wholeLine = -2;
const lineNumber = -1;

/** Keys and values from a file's lines: columns of them, whole lines, or their numbers. */
export const InitializeTableFromTextFileV2 = defineOp("InitializeTableFromTextFileV2", {
  inputs: { tableHandle: "resource", filename: "string" },
  outputs: {},
  attrs: {
    keyIndex: attr.int(undefined, wholeLine),
    valueIndex: attr.int(undefined, wholeLine),
    vocabSize: attr.int(-1, -1),
    delimiter: attr.string("\t"),
    offset: attr.int(0),
  },
  stateful: true,
  gradient: "none",
  shape: ({ tableHandle, filename }) => {
    tableHandle.withRank(0);
    filename.mergeWith(new TensorShape([]));
  },
  host: async ({ tableHandle, filename, keyIndex, valueIndex, vocabSize, delimiter, offset }) => {
    if (!(tableHandle instanceof LookupTable)) throw new InternalError("The handle is no table's.");
    const path = decodeText(bytesAt(filename, 0));
    const bytes = await readFile(files, path);
    const all = Array.from(linesOf(bytes), decodeText);
    const lines = all.slice(offset, vocabSize > 0 ? offset + vocabSize : undefined);
    const empty = lines.indexOf("");
    if (empty >= 0)
      throw new InvalidArgumentError(
        `Invalid content in ${path}: empty line found at position ${placeAfterLines(bytes, offset + empty + 1)}.`,
      );
    if (vocabSize > lines.length)
      throw new InvalidArgumentError(`Invalid vocab_size in ${path}: expected ${vocabSize} but got ${lines.length}`);
    // TensorFlow's reader asks for a first line.
    if (all.length === 0) throw new OutOfRangeError("Read less bytes than requested");
    const column = (index: number, dtype: DType): NDArray => {
      const array = NDArray.zeros(dtype, [lines.length]);
      lines.forEach((line, i) => void array.set(i, fieldOf(line, i, { index, dtype, delimiter, path })));
      return array;
    };
    tableHandle.fill(column(keyIndex, tableHandle.types.keyDtype), column(valueIndex, tableHandle.types.valueDtype));
    return [];
  },
});

function placeAfterLines(bytes: Uint8Array, count: number): number {
  let place = 0;
  for (let i = 0; i < count; i++) place = bytes.indexOf(10, place) + 1;
  return place;
}

interface Wanted {
  readonly index: number;
  readonly dtype: DType;
  readonly delimiter: string;
  readonly path: string;
}

function fieldOf(line: string, number: number, { index, dtype, delimiter, path }: Wanted): ElementValue {
  const text = index === lineNumber ? String(number) : index === wholeLine ? line : line.split(delimiter)[index];
  if (text === undefined)
    throw new InvalidArgumentError(
      `Invalid number of columns in ${path} line ${number} (${line}) : expected at least ${index + 1} got ${line.split(delimiter).length}`,
    );
  if (dtype === "string") return text;
  const isWhole = dtype === "int64" || dtype === "int32";
  if (!(isWhole ? /^-?\d+$/ : /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/).test(text.trim()))
    throw new InvalidArgumentError(`Field ${text} in line ${number} is not a valid ${dtype}.`);
  return dtype === "int64" ? BigInt(text) : Number(text);
}
