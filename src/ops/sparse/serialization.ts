// Sparse tensors as strings: indices, values and shape, each the bytes of a TensorProto, or as variants that hold the three themselves; and read again, several joined along new first dimensions.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { type ElementValue, NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { collect, need } from "../arguments.ts";
import { numbersOf } from "../array/array.ts";
import { packedTensor, tensorOfBytes } from "../string/bytes.ts";
import { checkedSizes, checkOrder, checkSparseParts } from "./parts.ts";
import { coordinates } from "./structure.ts";
import { TensorVariants } from "../flow/variant-array.ts";
import { bytesAt } from "../string/string.ts";
import { cTypeOf } from "../flow/tensor-array-failures.ts";

const inputs = { sparseIndices: "int64", sparseValues: "T", sparseShape: "int64" } as const;
const attrs = { T: attr.type(), outType: attr.type(["string", "variant"], "string") };

interface SparseArrays {
  readonly sparseIndices: NDArray;
  readonly sparseValues: NDArray;
  readonly sparseShape: NDArray;
}

export function checkSparse({ sparseIndices, sparseValues, sparseShape }: SparseArrays): void {
  const [indices, values, shape] = [sparseIndices, sparseValues, sparseShape].map(({ shape: dims }) => `[${dims}]`);
  if (sparseIndices.rank !== 2) throw new InvalidArgumentError(`Input indices should be a matrix but received shape ${indices}`);
  if (sparseValues.rank !== 1) throw new InvalidArgumentError(`Input values should be a vector but received shape ${values}`);
  if (sparseShape.rank !== 1) throw new InvalidArgumentError(`Input shape should be a vector but received shape ${shape}`);
}

/** Arrays as strings, or as variants. */
function packed(outType: DType, shape: readonly number[], arrays: readonly NDArray[]): NDArray {
  if (outType === "variant") return new TensorVariants(shape, arrays);
  const out = NDArray.zeros("string", shape);
  arrays.forEach((array, k) => void out.set(k, packedTensor(array)));
  return out;
}

/** One sparse tensor as three strings. */
export const SerializeSparse = defineOp("SerializeSparse", {
  inputs,
  outputs: { serializedSparse: "outType" },
  attrs,
  gradient: "none",
  shape: ({ sparseIndices, sparseValues, sparseShape }) => {
    coordinates(sparseIndices, sparseValues, sparseShape);
    return new TensorShape([3]);
  },
  host: given => {
    checkSparse(given);
    return packed(given.outType, [3], [given.sparseIndices, given.sparseValues, given.sparseShape]);
  },
});

const int64 = (numbers: readonly number[], shape: readonly number[]): NDArray => NDArray.from(numbers.map(BigInt), "int64", shape);

export function valuesOf(dtype: DType, values: readonly ElementValue[]): NDArray {
  const array = NDArray.zeros(dtype, [values.length]);
  values.forEach((value, i) => void array.set(i, value));
  return array;
}

/** Each entry along the first dimension as three strings. */
export const SerializeManySparse = defineOp("SerializeManySparse", {
  inputs,
  outputs: { serializedSparse: "outType" },
  attrs,
  gradient: "none",
  shape: ({ sparseIndices, sparseValues, sparseShape }) => {
    coordinates(sparseIndices, sparseValues, sparseShape);
    return new TensorShape([null, 3]);
  },
  host: given => {
    checkSparse(given);
    const { sparseIndices, sparseValues, sparseShape } = given;
    const rank = sparseShape.size - 1;
    need(rank > 0, () => `Rank of input SparseTensor should be > 1, but saw rank: ${rank + 1}`);
    checkSparseParts(sparseIndices.shape, sparseValues.shape, rank + 1);
    const [count, ...rest] = checkedSizes(sparseShape);
    checkOrder(sparseIndices, [count, ...rest]);
    const rows = Array.from({ length: count }, () => ({ places: [] as number[], values: [] as ElementValue[] }));
    for (let k = 0; k < sparseValues.size; k++) {
      const [row, ...place] = Array.from({ length: rank + 1 }, (_, axis) => Number(sparseIndices.get(k * (rank + 1) + axis)));
      rows[row].places.push(...place);
      rows[row].values.push(sparseValues.get(k));
    }
    const parts = rows.flatMap(({ places, values }) => [
      int64(places, [values.length, rank]),
      valuesOf(sparseValues.dtype, values),
      int64(rest, [rank]),
    ]);
    return packed(given.outType, [count, 3], parts);
  },
});

/** Strings of sparse tensors, three each, as one sparse tensor with the strings' other dimensions in front. */
function deserialized(serialized: NDArray, dtype: DType): NDArray[] {
  const lead = serialized.shape.slice(0, -1);
  const count = sizeOf(lead);
  const parts = Array.from({ length: count }, (_, i) => {
    const [indices, values, shape] = [0, 1, 2].map(k =>
      serialized instanceof TensorVariants ? serialized.items[3 * i + k] : tensorOfBytes(bytesAt(serialized, 3 * i + k)),
    );
    if (!indices || !values || !shape) throw new InvalidArgumentError("Could not parse serialized proto");
    if (values.dtype !== dtype)
      throw new InvalidArgumentError(
        `Requested SparseTensor of type ${cTypeOf(dtype)} but SparseTensor[${i}].values.dtype() == ${cTypeOf(values.dtype)}`,
      );
    const name = `SparseTensor[${i}]`;
    need(
      indices.shape[0] === values.shape[0],
      () =>
        `Expected row counts of ${name}.indices and ${name}.values to match but they do not: ${indices.shape[0]} vs. ${values.shape[0]}`,
    );
    need(
      indices.shape[1] === shape.size,
      () =>
        `Expected column counts of ${name}.indices to match size of ${name}.shape but they do not: ${indices.shape[1]} vs. ${shape.size}`,
    );
    return { indices, values, dims: numbersOf(shape) };
  });
  const rank = parts[0]?.dims.length ?? 0;
  const differing = parts.findIndex(({ dims }) => dims.length !== rank);
  if (differing >= 0)
    throw new InvalidArgumentError(
      `Inconsistent shape across SparseTensors: rank prior to SparseTensor[${differing}] was: ${rank} but rank of SparseTensor[${differing}] is: ${parts[differing].dims.length}`,
    );
  const dims = Array.from({ length: rank }, (_, axis) => Math.max(...parts.map(part => part.dims[axis])));
  const places = parts.flatMap(({ indices, values }, i) => {
    const outer = placeIn(i, lead);
    const inner = numbersOf(indices);
    return Array.from({ length: values.size }, (_, k) => [...outer, ...inner.slice(k * rank, (k + 1) * rank)]).flat();
  });
  const values = parts.flatMap(part => Array.from({ length: part.values.size }, (_, k) => part.values.get(k)));
  const whole = [...lead, ...dims];
  return [int64(places, [values.length, whole.length]), valuesOf(dtype, values), int64(whole, [whole.length])];
}

/** The indices of element `at` of an array. */
function placeIn(at: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let rest = at;
  for (const size of [...shape].reverse()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return place;
}

const sparseOutputs = { sparseIndices: "int64", sparseValues: "dtype", sparseShape: "int64" } as const;

export const DeserializeManySparse = defineOp("DeserializeManySparse", {
  inputs: { serializedSparse: "string" },
  outputs: sparseOutputs,
  attrs: { dtype: attr.type() },
  gradient: "none",
  shape: ({ serializedSparse }) => {
    const columns = serializedSparse.withRank(2).dim(1);
    if (columns !== null && columns !== 3) throw new ValueError(`Dimension must be 3 but is ${columns}`);
    return [new TensorShape([null, null]), new TensorShape([null]), new TensorShape([null])];
  },
  host: ({ serializedSparse, dtype }) => {
    if (serializedSparse.rank !== 2)
      throw new InvalidArgumentError(`Serialized sparse should be a matrix, but received shape: [${serializedSparse.shape}]`);
    if (serializedSparse.shape[1] !== 3)
      throw new InvalidArgumentError(`Serialize sparse input must have 3 columns but received shape: [${serializedSparse.shape}]`);
    return deserialized(serializedSparse, dtype);
  },
});

export const DeserializeSparse = defineOp("DeserializeSparse", {
  inputs: { serializedSparse: "Tserialized" },
  outputs: sparseOutputs,
  attrs: { dtype: attr.type(), Tserialized: attr.type(["string", "variant"], "string") },
  gradient: "none",
  shape: ({ serializedSparse }) => {
    const last = serializedSparse.withRankAtLeast(1).dim(-1);
    if (last !== null && last !== 3) throw new ValueError(`Dimension must be 3 but is ${last}`);
    return [new TensorShape([null, null]), new TensorShape([null]), new TensorShape([null])];
  },
  host: ({ serializedSparse, dtype }) => {
    if (serializedSparse.rank === 0) throw new InvalidArgumentError("Serialized sparse should have non-zero rank but received shape []");
    if (serializedSparse.shape[serializedSparse.rank - 1] !== 3)
      throw new InvalidArgumentError(`Serialized sparse should have 3 as the last dimension [${serializedSparse.shape}]`);
    return deserialized(serializedSparse, dtype);
  },
});

// ---- functions ----

interface Options {
  readonly outType?: "string";
  readonly name?: string | null;
  readonly rank?: number | null;
}

const record = (sparse: SparseTensor) => {
  if (!(sparse instanceof SparseTensor)) throw new TypeError(`Input must be a SparseTensor.`);
  return { sparseIndices: sparse.indices, sparseValues: sparse.values, sparseShape: sparse.denseShape };
};

/** A sparse tensor as a vector of three strings. TF: tf.serialize_sparse(sp_input, name, out_type). */
export function serializeSparse(spInput: SparseTensor, ...rest: unknown[]): Tensor {
  const { name, outType = "string" } = collect<Options>(["name", "outType"], rest);
  return SerializeSparse({ ...record(spInput), outType }, { name });
}

/** Each entry along the first dimension as a row `[N, 3]` of strings. TF: tf.serialize_many_sparse(sp_input, name, out_type).
 *  @throws InvalidArgumentError (running) below rank 2. */
export function serializeManySparse(spInput: SparseTensor, ...rest: unknown[]): Tensor {
  const { name, outType = "string" } = collect<Options>(["name", "outType"], rest);
  return SerializeManySparse({ ...record(spInput), outType }, { name });
}

/** The sparse tensors of the rows `[N, 3]`, joined along a new first dimension. TF: tf.deserialize_many_sparse(serialized_sparse, dtype, rank, name). */
export function deserializeManySparse(serializedSparse: TensorLike, dtype: DType, ...rest: unknown[]): SparseTensor {
  const { rank, name } = collect<Options>(["rank", "name"], rest);
  const made = DeserializeManySparse({ serializedSparse, dtype }, { name });
  made.sparseIndices.setShape([null, rank ?? null]);
  made.sparseShape.setShape([rank ?? null]);
  return new SparseTensor(made.sparseIndices, made.sparseValues, made.sparseShape);
}
