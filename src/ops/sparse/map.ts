// Sparse tensors that a session keeps by number, so that batches of them can be put together from the numbers.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { type ElementValue, NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type HostContext } from "../../graph/op-definition.ts";
import { numbersOf } from "../array/array.ts";
import { objectId, sharedAttrs } from "../data/host-handles.ts";
import { checkSparse, valuesOf } from "./serialization.ts";
import { coordinates } from "./structure.ts";
import { cTypeOf } from "../flow/tensor-array-failures.ts";

interface Held {
  /** The numbers of each place in turn. */
  readonly places: readonly number[];
  readonly values: readonly ElementValue[];
  readonly dtype: DType;
  readonly dims: readonly number[];
}

class SparseTensors {
  readonly name: string;
  private readonly held = new Map<number, Held>();
  private next = 0;

  constructor(name: string) {
    this.name = name;
  }

  add(tensor: Held): number {
    this.held.set(this.next, tensor);
    return this.next++;
  }

  take(handles: readonly number[]): Held[] {
    const found = handles.map(handle => {
      const tensor = this.held.get(handle);
      if (!tensor) throw new InvalidArgumentError(`Unable to find SparseTensor: ${handle} in map: ${this.name}`);
      return tensor;
    });
    for (const handle of handles) this.held.delete(handle);
    return found;
  }
}

interface Shared {
  readonly container: string;
  readonly sharedName: string;
}

const mapOf = (shared: Shared, { op, object }: HostContext): SparseTensors => {
  const name = shared.sharedName === "" ? op.name : shared.sharedName;
  return object({ id: objectId("sparseTensors", shared, op), make: () => new SparseTensors(name) }) as SparseTensors;
};

const inputs = { sparseIndices: "int64", sparseValues: "T", sparseShape: "int64" } as const;
const attrs = { T: attr.type(), ...sharedAttrs };

/** Keeps a sparse tensor; gives its number. */
export const AddSparseToTensorsMap = defineOp("AddSparseToTensorsMap", {
  inputs,
  outputs: { sparseHandle: "int64" },
  attrs,
  stateful: true,
  shape: ({ sparseIndices, sparseValues, sparseShape }) => {
    coordinates(sparseIndices, sparseValues, sparseShape);
    return new TensorShape([]);
  },
  host: ({ sparseIndices, sparseValues, sparseShape, ...shared }, context) => {
    checkSparse({ sparseIndices, sparseValues, sparseShape });
    if (sparseIndices.shape[0] !== sparseValues.size)
      throw new InvalidArgumentError(
        `indices and values rows (indexing dimension) must match. (indices = ${sparseIndices.shape[0]}, values = ${sparseValues.size})`,
      );
    if (sparseIndices.shape[1] !== sparseShape.size) throw new InvalidArgumentError("Order length must be SparseTensor rank.");
    const values = Array.from({ length: sparseValues.size }, (_, i) => sparseValues.get(i));
    const held = { places: numbersOf(sparseIndices), values, dtype: sparseValues.dtype, dims: numbersOf(sparseShape) };
    return NDArray.full("int64", [], BigInt(mapOf(shared, context).add(held)));
  },
});

/** Keeps each entry along the first dimension; gives their numbers. */
export const AddManySparseToTensorsMap = defineOp("AddManySparseToTensorsMap", {
  inputs,
  outputs: { sparseHandles: "int64" },
  attrs,
  stateful: true,
  shape: ({ sparseIndices, sparseValues, sparseShape }) => {
    coordinates(sparseIndices, sparseValues, sparseShape);
    return new TensorShape([null]);
  },
  host: ({ sparseIndices, sparseValues, sparseShape, ...shared }, context) => {
    checkSparse({ sparseIndices, sparseValues, sparseShape });
    const [dims, given] = [numbersOf(sparseShape), numbersOf(sparseIndices)];
    const [count, width] = sparseIndices.shape;
    if (dims.length === 0 || dims.length !== width)
      throw new InvalidArgumentError(
        `Number of dimensions must match second dimension of indices. Got ${dims.length} dimensions, indices shape: [${count},${width}]`,
      );
    if (count !== sparseValues.size)
      throw new InvalidArgumentError(
        `Number of values must match first dimension of indices. Got ${sparseValues.size} values, indices shape: [${count},${width}]`,
      );
    const [rows, ...rest] = dims;
    if (rest.length === 0) throw new InvalidArgumentError("Rank of input SparseTensor should be > 1, but saw rank: 1");
    const parts = Array.from({ length: rows }, () => ({ places: [] as number[], values: [] as ElementValue[] }));
    let before: readonly number[] = [];
    for (let n = 0; n < count; n++) {
      const place = given.slice(n * width, (n + 1) * width);
      const refuse = (reason: string): never => {
        throw new InvalidArgumentError(`indices[${n}] = [${place}] is ${reason}`);
      };
      if (place.some((index, axis) => index < 0 || index >= dims[axis])) refuse(`out of bounds: need 0 <= index < [${dims}]`);
      const differs = place.findIndex((index, axis) => index !== before[axis]);
      if (n > 0 && differs < 0) refuse("repeated");
      if (n > 0 && place[differs] < before[differs])
        refuse("out of order. Many sparse ops require sorted indices.\n    Use `tf.sparse.reorder` to create a correctly ordered copy.");
      parts[place[0]].places.push(...place.slice(1));
      parts[place[0]].values.push(sparseValues.get(n));
      before = place;
    }
    const map = mapOf(shared, context);
    const handles = parts.map(part => BigInt(map.add({ ...part, dtype: sparseValues.dtype, dims: rest })));
    return NDArray.from(handles, "int64", [rows]);
  },
});

/** The tensors of some numbers along a new first dimension, as large as the largest of them; they are kept no longer. */
export const TakeManySparseFromTensorsMap = defineOp("TakeManySparseFromTensorsMap", {
  inputs: { sparseHandles: "int64" },
  outputs: { sparseIndices: "int64", sparseValues: "dtype", sparseShape: "int64" },
  attrs: { dtype: attr.type(), ...sharedAttrs },
  stateful: true,
  shape: ({ sparseHandles }) => {
    sparseHandles.withRank(1);
    return [new TensorShape([null, null]), new TensorShape([null]), new TensorShape([null])];
  },
  host: ({ sparseHandles, dtype, ...shared }, context) => {
    if (sparseHandles.rank !== 1)
      throw new InvalidArgumentError(`sparse_handles should be a vector but received shape [${sparseHandles.shape}]`);
    if (sparseHandles.size === 0)
      throw new InvalidArgumentError("Must have at least 1 serialized SparseTensor, but input matrix has 0 rows");
    const parts = mapOf(shared, context).take(numbersOf(sparseHandles));
    parts.forEach((part, i) => {
      if (part.dtype !== dtype)
        throw new InvalidArgumentError(
          `Requested SparseTensor of type ${cTypeOf(dtype)} but SparseTensor[${i}].values.dtype() == ${cTypeOf(part.dtype)}`,
        );
      if (part.dims.length !== parts[0].dims.length)
        throw new InvalidArgumentError(
          `Inconsistent rank across SparseTensors: rank prior to SparseTensor[${i}] was: ${parts[0].dims.length + 1} but rank of SparseTensor[${i}] is: ${part.dims.length + 1}`,
        );
    });
    const rank = parts[0].dims.length;
    const dims = [parts.length, ...parts[0].dims.map((_, axis) => Math.max(...parts.map(part => part.dims[axis])))];
    const values = parts.flatMap(part => part.values);
    const places = parts.flatMap((part, i) => part.values.flatMap((_, n) => [i, ...part.places.slice(n * rank, (n + 1) * rank)]));
    return [
      NDArray.from(places.map(BigInt), "int64", [values.length, rank + 1]),
      valuesOf(dtype, values),
      NDArray.from(dims.map(BigInt), "int64", [rank + 1]),
    ];
  },
});
