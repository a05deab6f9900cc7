// Crosses of columns: for each row, every combination of the columns' features, joined as text or hashed. The buckets are TensorFlow's.

import { InvalidArgumentError } from "../../base/errors.ts";
import { encodeText, NDArray } from "../../base/ndarray.ts";
import { TensorShape, sizeOf } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { collect, need } from "../arguments.ts";
import { cast } from "../math/cast.ts";
import { bytesAt } from "../string/string.ts";
import { fingerprint64, sipHash } from "../string/hash.ts";
import { shown as tensorText } from "../summary/tensor-summary.ts";

// ---- columns ----

/** The features of each row: where they stand in `values`. */
export interface Column {
  readonly values: NDArray;
  readonly isSparse: boolean;
  readonly rows: readonly (readonly number[])[];
}

interface ColumnInputs {
  readonly indices: readonly NDArray[];
  readonly values: readonly NDArray[];
  readonly shapes: readonly NDArray[];
  readonly denseInputs: readonly NDArray[];
}

/** @throws InvalidArgumentError with TensorFlow's text for columns that do not fit together. */
function checkColumns({ indices, values, shapes, denseInputs }: ColumnInputs): number {
  const refuse = (message: string): never => {
    throw new InvalidArgumentError(message);
  };
  indices.forEach(({ shape }, i) => {
    if (shape.length !== 2) refuse(`Input indices should be a matrix but received shape [${shape}] at position ${i}`);
    if (shape[1] !== 2) refuse(`Expected D2 of index to be 2 got ${shape[1]} at position ${i}`);
  });
  if (values.length !== indices.length) refuse(`Expected ${indices.length} input values, got ${values.length}`);
  values.forEach(({ shape }, i) => {
    if (shape.length !== 1) refuse(`Input values should be a vector but received shape [${shape}] at position ${i}`);
    const [count] = indices[i].shape;
    if (shape[0] !== count) refuse(`Expected size of values to be ${count} got ${shape[0]} at position ${i}`);
  });
  shapes.forEach(({ shape, size }, i) => {
    if (shape.length !== 1) refuse(`Input shapes should be a vector but received shape [${shape}] at position ${i}`);
    if (size !== 2) refuse(`shape should imply a 2D tensor, but got [${shape}] at position ${i}`);
  });
  denseInputs.forEach(({ shape }, i) => {
    if (shape.length !== 2) refuse(`Dense inputs should be a matrix but received shape [${shape}] at position ${i}`);
  });
  const rows = shapes.length > 0 ? Number(shapes[0].get(0)) : (denseInputs[0]?.shape[0] ?? 0);
  shapes.forEach((shape, i) => {
    if (Number(shape.get(0)) !== rows) refuse(`Expected batch size ${rows} got ${shape.get(0)} at position ${i}`);
  });
  denseInputs.forEach(({ shape }, i) => {
    if (shape[0] !== rows) refuse(`Expected batch size ${rows} got ${shape[0]} at dense tensor ${i}`);
  });
  return rows;
}

function columnsOf(inputs: ColumnInputs, count: number): Column[] {
  const sparse = inputs.indices.map((at, i): Column => {
    const rows: number[][] = Array.from({ length: count }, () => []);
    for (let k = 0; k < at.shape[0]; k++) rows[Number(at.get(2 * k))]?.push(k);
    return { values: inputs.values[i], isSparse: true, rows };
  });
  const dense = inputs.denseInputs.map((values): Column => {
    const [, width] = values.shape;
    const rows = Array.from({ length: count }, (_, row) => Array.from({ length: width }, (_, k) => row * width + k));
    return { values, isSparse: false, rows };
  });
  return [...sparse, ...dense];
}

/** All combinations of one item of each list, the last list going round first. */
export const combinations = (lists: readonly (readonly number[])[]): number[][] =>
  lists.reduce<number[][]>((all, list) => all.flatMap(prefix => list.map(item => [...prefix, item])), [[]]);

/** Indices, values and dense shape of the crosses that `make` gives for a feature of each column. */
function crossed<T extends "string" | "int64">(
  inputs: ColumnInputs,
  dtype: T,
  make: (columns: readonly Column[], places: readonly number[]) => string | bigint | Uint8Array,
): NDArray[] {
  const count = checkColumns(inputs);
  const columns = columnsOf(inputs, count);
  const rows = Array.from({ length: count }, (_, row) => combinations(columns.map(({ rows: all }) => all[row])));
  const indices = rows.flatMap((crosses, row) => crosses.flatMap((_, k) => [BigInt(row), BigInt(k)]));
  const made = rows.flatMap(crosses => crosses.map(places => make(columns, places)));
  const values = NDArray.zeros(dtype, [made.length]);
  made.forEach((value, k) => void values.set(k, value));
  const longest = Math.max(0, ...rows.map(({ length }) => length));
  return [NDArray.from(indices, "int64", [made.length, 2]), values, NDArray.from([BigInt(count), BigInt(longest)], "int64")];
}

// ---- text ----

const bytesOf = ({ values }: Column, at: number): Uint8Array =>
  values.dtype === "string" ? bytesAt(values, at) : encodeText(String(values.get(at)));

export const plainSeparator = encodeText("_X_");
export const joined = (separator: Uint8Array) => (columns: readonly Column[], places: readonly number[]) => {
  const parts = columns.flatMap((column, i) => (i === 0 ? [bytesOf(column, places[i])] : [separator, bytesOf(column, places[i])]));
  return Uint8Array.from(parts.flatMap(part => [...part]));
};

// ---- hashes ----

const word = (x: bigint): bigint => BigInt.asUintN(64, x);
const multiplier = 0xc6a4a7935bd1e995n;
const shiftMix = (x: bigint): bigint => x ^ (x >> 47n);

/** One fingerprint of two, as TensorFlow's FingerprintCat64. */
function concatenated(first: bigint, second: bigint): bigint {
  let result = first ^ multiplier;
  result ^= word(shiftMix(word(second * multiplier)) * multiplier);
  result = word(result * multiplier);
  return shiftMix(word(shiftMix(result) * multiplier));
}

const greatest = 2n ** 63n - 1n;
const bucketOf = (hash: bigint, buckets: bigint): bigint => hash % (buckets > 0n ? buckets : greatest);

const plainHash = ({ values }: Column, at: number): bigint =>
  values.dtype === "string" ? fingerprint64(bytesAt(values, at)) : word(values.get(at) as bigint);

/** One hash of a feature of each column, beginning with a key. */
export const hashed = (key: number, buckets: number) => (columns: readonly Column[], places: readonly number[]) =>
  bucketOf(
    columns.reduce((all, column, i) => concatenated(all, plainHash(column, places[i])), word(BigInt(key))),
    BigInt(buckets),
  );

/** Of a whole number TensorFlow hashes the low four bytes (the size of the enumeration that names its type). */
function lowBytes(value: bigint): Uint8Array {
  const low = Number(BigInt.asUintN(32, value));
  return Uint8Array.of(low, low >> 8, low >> 16, low >> 24);
}

function saltedHash({ values, isSparse }: Column, at: number, salt: readonly bigint[] | undefined): bigint {
  const bytes = values.dtype === "string" ? bytesAt(values, at) : lowBytes(values.get(at) as bigint);
  if (salt) return sipHash(bytes, salt[0], salt[1]);
  return values.dtype === "string" || isSparse ? fingerprint64(bytes) : word(values.get(at) as bigint);
}

// ---- ops ----

const columnTypes = ["int64", "string"] as const;
const inputSpecs = { indices: "N*int64", values: "sparseTypes", shapes: "N*int64", denseInputs: "denseTypes" } as const;
const crossShape = (): TensorShape[] => [new TensorShape([null, 2]), new TensorShape([null]), new TensorShape([2])];
const listAttrs = {
  sparseTypes: attr.types(undefined, { allowed: columnTypes, minimum: 0 }),
  denseTypes: attr.types(undefined, { allowed: columnTypes, minimum: 0 }),
};

/** Crosses as text, or as hashes that begin with a key. */
export const SparseCross = defineOp("SparseCross", {
  inputs: inputSpecs,
  outputs: { outputIndices: "int64", outputValues: "outType", outputShape: "int64" },
  attrs: {
    N: attr.int(undefined, 0),
    hashedOutput: attr.bool(),
    numBuckets: attr.int(undefined, 0),
    hashKey: attr.int(),
    ...listAttrs,
    outType: attr.type(columnTypes),
    internalType: attr.type(columnTypes),
  },
  shape: crossShape,
  host: ({ hashedOutput, numBuckets, hashKey, ...inputs }) =>
    hashedOutput ? crossed(inputs, "int64", hashed(hashKey, numBuckets)) : crossed(inputs, "string", joined(plainSeparator)),
});

/** Crosses as text. */
export const SparseCrossV2 = defineOp("SparseCrossV2", {
  inputs: { ...inputSpecs, sep: "string" },
  outputs: { outputIndices: "int64", outputValues: "string", outputShape: "int64" },
  attrs: { N: attr.int(undefined, 0), ...listAttrs },
  shape: crossShape,
  host: ({ sep, ...inputs }) => {
    if (sep.rank !== 0) throw new InvalidArgumentError(`Input separator should be a scalar. Received: ${tensorText(sep)}`);
    return crossed(inputs, "string", joined(bytesAt(sep, 0)));
  },
});

/** Crosses as hashes, of the features' fingerprints or, if strong, of keyed hashes. */
export const SparseCrossHashed = defineOp("SparseCrossHashed", {
  inputs: { ...inputSpecs, numBuckets: "int64", strongHash: "bool", salt: "int64" },
  outputs: { outputIndices: "int64", outputValues: "int64", outputShape: "int64" },
  attrs: { N: attr.int(undefined, 0), ...listAttrs },
  shape: crossShape,
  checks: ({ salt }) => {
    const count = sizeOf(salt);
    return need(count === 2, () => `Input "salt" must have length 2 but has length ${count}`);
  },
  host: ({ numBuckets, strongHash, salt, ...inputs }) => {
    const keys = strongHash.get(0) ? [0, 1].map(k => word(salt.get(k) as bigint)) : undefined;
    return crossed(inputs, "int64", (columns, places) => {
      const hashes = columns.map((column, i) => saltedHash(column, places[i], keys));
      return bucketOf(hashes.reduce(concatenated), numBuckets.get(0) as bigint);
    });
  },
});

// ---- functions ----

type CrossInput = Tensor | SparseTensor;

function crossInputs(inputs: unknown, complaint: string) {
  if (!Array.isArray(inputs)) throw new TypeError("Inputs must be a list");
  if (!inputs.every(input => input instanceof Tensor || input instanceof SparseTensor)) throw new TypeError(complaint);
  const asFeature = (x: Tensor): Tensor => (x.dtype === "string" || x.dtype === "int64" ? x : cast(x, "int64"));
  const sparse = inputs.filter(input => input instanceof SparseTensor);
  return {
    indices: sparse.map(({ indices }) => indices),
    values: sparse.map(({ values }) => asFeature(values)),
    shapes: sparse.map(({ denseShape }) => denseShape),
    denseInputs: inputs.filter(input => input instanceof Tensor).map(asFeature),
  };
}

interface CrossOptions {
  readonly name?: string | null;
  readonly separator?: TensorLike | null;
}

const sparseOf = (made: { outputIndices: Tensor; outputValues: Tensor; outputShape: Tensor }): SparseTensor =>
  new SparseTensor(made.outputIndices, made.outputValues, made.outputShape);

/** For each row every combination of the inputs' features, joined as text; inputs are dense `[batch, n]` or sparse.
 *  TF: tf.sparse.cross(inputs, name, separator). */
export function sparseCross(inputs: readonly CrossInput[], ...rest: unknown[]): SparseTensor {
  const { name, separator } = collect<CrossOptions>(["name", "separator"], rest);
  const sep = convertToTensor(separator ?? "_X_", { dtype: "string" });
  return sparseOf(SparseCrossV2({ ...crossInputs(inputs, "All inputs must be Tensor or SparseTensor."), sep }, { name }));
}

interface HashedOptions {
  readonly numBuckets?: number;
  readonly hashKey?: number | null;
  readonly name?: string | null;
}

/** The same as hashes below numBuckets (if that is above 0). TF: tf.sparse.cross_hashed(inputs, num_buckets, hash_key, name). */
export function sparseCrossHashed(inputs: readonly CrossInput[], ...rest: unknown[]): SparseTensor {
  const { numBuckets = 0, hashKey, name } = collect<HashedOptions>(["numBuckets", "hashKey", "name"], rest);
  const columns = crossInputs(inputs, "All inputs must be SparseTensors");
  const isText = [...columns.values, ...columns.denseInputs].every(({ dtype }) => dtype === "string");
  const types = { outType: "int64", internalType: isText ? "string" : "int64" } as const;
  return sparseOf(SparseCross({ ...columns, ...types, hashedOutput: true, numBuckets, hashKey: hashKey || 0xdecafcaffe }, { name }));
}
