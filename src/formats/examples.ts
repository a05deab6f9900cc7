// tf.Example and tf.SequenceExample taken apart where they lie: a feature is found, checked and counted first, and its values are read straight into the batch
// they belong to. Input pipelines read millions of numbers so, and an object for each would be most of the work. Other readers take these messages as all
// others, by message-codec.ts.

import type { DType } from "../base/dtype.ts";
import { decodeText, NDArray } from "../base/ndarray.ts";
import { eachField, pieceReader, WireReader, wireTypes } from "./wire.ts";

/** null: a message without a list of any type. */
export type Feature = FeatureValues | null;
export type Features = Map<string, Feature>;

// ---- the values of a feature ----

/** Where values go: an array, and its numbers as words of 32 bits. */
interface Target {
  readonly array: NDArray;
  readonly words: Int32Array;
}

const noWords = new Int32Array(0);
const targetOf = (array: NDArray): Target => ({
  array,
  words: array.dtype === "int64" ? new Int32Array((array.data as BigInt64Array).buffer) : noWords,
});

const skipped = new Int32Array(2);

/** The lists of a Feature by their field numbers, from 1 on. */
const kinds = [
  {
    dtype: "string",
    wire: wireTypes.bytes,
    check: (reader: WireReader) => reader.skip(wireTypes.bytes),
    read: (reader: WireReader, { array }: Target, at: number) => {
      (array.data as Uint8Array[])[at] = reader.piece().slice();
    },
  },
  {
    dtype: "float32",
    wire: wireTypes.fixed32,
    check: (reader: WireReader) => void reader.float(),
    read: (reader: WireReader, { array }: Target, at: number) => {
      (array.data as Float32Array)[at] = reader.float();
    },
  },
  {
    dtype: "int64",
    wire: wireTypes.varint,
    check: (reader: WireReader) => reader.varintWords(skipped, 0),
    read: (reader: WireReader, { words }: Target, at: number) => reader.varintWords(words, 2 * at),
  },
] as const;

/** Values of a feature, counted and found whole, still in their bytes. */
export class FeatureValues {
  readonly kind: (typeof kinds)[number];
  size = 0;
  private readonly lists: { readonly reader: WireReader; readonly start: number }[] = [];

  constructor(kind: (typeof kinds)[number]) {
    this.kind = kind;
  }

  get dtype(): "string" | "float32" | "int64" {
    return this.kind.dtype;
  }

  /** Values that come behind those there are: a list that comes twice is merged. */
  add(reader: WireReader): void {
    const { check, wire } = this.kind;
    this.lists.push({ reader, start: reader.offset });
    eachField(reader, (number, found) => {
      if (number !== 1) return false;
      if (found === wire) {
        check(reader);
        this.size++;
      } else for (const packed = pieceReader(reader, found, "a list"); !packed.isAtEnd; this.size++) check(packed);
      return true;
    });
  }

  /** Puts the values at place `at` of an array of their type. */
  copyTo(target: Target, at: number): void {
    const { read, wire } = this.kind;
    let next = at;
    for (const { reader, start } of this.lists) {
      reader.offset = start;
      eachField(reader, (number, found) => {
        if (number !== 1) return false;
        if (found === wire) read(reader, target, next++);
        else for (const packed = pieceReader(reader, found, "a list"); !packed.isAtEnd; ) read(packed, target, next++);
        return true;
      });
    }
  }
}

type Rows = readonly (Feature | undefined)[];

/** The most values that a feature has. */
export const longest = (rows: Rows): number => rows.reduce((most, row) => Math.max(most, row?.size ?? 0), 0);

/** The values of features, one behind the other. */
export function joined(dtype: DType, rows: Rows): NDArray {
  const array = NDArray.zeros(dtype, [rows.reduce((sum, row) => sum + (row?.size ?? 0), 0)]);
  place(array, rows, (_, end) => end);
  return array;
}

/** Puts features into an array, each where `start` says, given its row and where the one before ended. */
export function place(array: NDArray, rows: Rows, start: (row: number, end: number) => number): void {
  const target = targetOf(array);
  let end = 0;
  rows.forEach((row, i) => {
    const at = start(i, end);
    row?.copyTo(target, at);
    end = at + (row?.size ?? 0);
  });
}

/** Rows of `most` values each: what a row lacks is of the fallback, its one value everywhere; without one zero. */
export function padded(dtype: DType, rows: Rows, most: number, fallback: NDArray, shape: readonly number[]): NDArray {
  const out = NDArray.zeros(dtype, shape);
  place(out, rows, row => row * most);
  if (fallback.size > 0)
    rows.forEach((values, row) => {
      for (let k = values?.size ?? 0; k < most; k++) out.set(row * most + k, fallback.get(fallback.size === most ? k : 0));
    });
  return out;
}

// ---- messages ----

function feature(reader: WireReader): Feature {
  const found: (FeatureValues | undefined)[] = [];
  eachField(reader, (number, wire) => {
    if (number > kinds.length) return false;
    found[number] ??= new FeatureValues(kinds[number - 1]);
    found[number].add(pieceReader(reader, wire, "a list"));
    return true;
  });
  return found[2] ?? found[3] ?? found[1] ?? null;
}

/** The entries of a map's field 1, read by `value`; of a key that comes twice the last. */
function entries<V>(reader: WireReader, into: Map<string, V>, value: (reader: WireReader) => V, empty: V): void {
  eachField(reader, (number, wire) => {
    if (number !== 1) return false;
    const entry = pieceReader(reader, wire, "an entry");
    let key = "";
    let found = empty;
    eachField(entry, (which, kind) => {
      if (which > 2) return false;
      const piece = pieceReader(entry, kind, "an entry's part");
      if (which === 1) key = decodeText(piece.rest());
      else found = value(piece);
      return true;
    });
    into.set(key, found);
    return true;
  });
}

function featureList(reader: WireReader): Feature[] {
  const list: Feature[] = [];
  eachField(reader, (number, wire) => {
    if (number === 1) list.push(feature(pieceReader(reader, wire, "Feature")));
    return number === 1;
  });
  return list;
}

/** The features of an Example. @throws DataLossError for damaged bytes. */
export function exampleFromBytes(bytes: Uint8Array): Features {
  const features: Features = new Map();
  const reader = new WireReader(bytes, "Example");
  eachField(reader, (number, wire) => {
    if (number === 1) entries(pieceReader(reader, wire, "Features"), features, feature, null);
    return number === 1;
  });
  return features;
}

/** The features of a SequenceExample's context, and its lists of features along time. @throws DataLossError for damaged bytes. */
export function sequenceExampleFromBytes(bytes: Uint8Array): { readonly context: Features; readonly lists: Map<string, Feature[]> } {
  const context: Features = new Map();
  const lists = new Map<string, Feature[]>();
  const reader = new WireReader(bytes, "SequenceExample");
  eachField(reader, (number, wire) => {
    if (number === 1) entries(pieceReader(reader, wire, "Features"), context, feature, null);
    else if (number === 2) entries<Feature[]>(pieceReader(reader, wire, "FeatureLists"), lists, featureList, []);
    return number <= 2;
  });
  return { context, lists };
}
