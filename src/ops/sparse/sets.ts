// Sets along the last dimension of dense and sparse tensors: union, intersection, differences, sizes. The elements of a result's set are sorted.
// How many there are is known only while running, so these ops run on the host between segments.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { type ElementValue, NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertIntegers, convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import * as ir from "../../ir/build.ts";
import { numbersOf } from "../array/array.ts";
import { placesOf } from "./sparse.ts";
import { refuseOthers } from "../arguments.ts";

const admitted = ["int8", "int16", "int32", "int64", "uint8", "uint16", "string"] as const;
const elementTypes = attr.type(admitted);

// ---- sets on the host ----

/** Sets by the row-major place of their group; the elements by a key that tells them apart. */
interface Sets {
  /** All dimensions but the last. */
  readonly groupShape: readonly number[];
  readonly groups: ReadonlyMap<number, ReadonlyMap<string, ElementValue>>;
}

const keyOf = (value: ElementValue): string => (value instanceof Uint8Array ? value.join() : String(value));

function compare(a: ElementValue, b: ElementValue): number {
  if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return a < b ? -1 : a > b ? 1 : 0;
  const differs = a.findIndex((byte, i) => byte !== b[i]);
  return differs < 0 || differs >= b.length ? a.length - b.length : a[differs] - b[differs];
}

function setsOf(values: NDArray, shape: readonly number[], groupAt: (n: number) => number): Sets {
  const groups = new Map<number, Map<string, ElementValue>>();
  for (let n = 0; n < values.size; n++) {
    const group = groups.get(groupAt(n)) ?? new Map<string, ElementValue>();
    group.set(keyOf(values.get(n)), values.get(n));
    groups.set(groupAt(n), group);
  }
  return { groupShape: shape.slice(0, -1), groups };
}

function denseSets(values: NDArray): Sets {
  const { shape } = values;
  if (shape.length < 2) throw new InvalidArgumentError(`Shape [${shape}] has rank ${shape.length} < 2`);
  const last = shape[shape.length - 1];
  return setsOf(values, shape, n => Math.floor(n / last));
}

function sparseSets(indices: NDArray, values: NDArray, denseShape: NDArray, mustBeValid: boolean): Sets {
  const shape = numbersOf(denseShape);
  const rank = shape.length;
  if (rank < 2) throw new InvalidArgumentError(`Invalid rank ${rank}.`);
  if (indices.shape[1] !== rank) throw new InvalidArgumentError(`Expected rank ${rank}, got ${indices.shape[1]}.`);
  if (mustBeValid) placesOf(indices, values.size, shape, true);
  const groupAt = (n: number): number => {
    let place = 0;
    for (let axis = 0; axis < rank - 1; axis++) place = place * shape[axis] + Number(indices.get(n * rank + axis));
    return place;
  };
  return setsOf(values, shape, groupAt);
}

type Group = ReadonlyMap<string, ElementValue>;
const none: Group = new Map();
const without = (a: Group, b: Group): ElementValue[] => [...a].filter(([key]) => !b.has(key)).map(([, value]) => value);
const operations: Readonly<Record<string, (a: Group, b: Group) => ElementValue[]>> = {
  "a-b": without,
  "b-a": (a, b) => without(b, a),
  intersection: (a, b) => [...a].filter(([key]) => b.has(key)).map(([, value]) => value),
  union: (a, b) => [...new Map([...a, ...b]).values()],
};

/** Indices, values and shape of the sets made of each two. */
function combined(a: Sets, b: Sets, setOperation: string, like: NDArray): readonly NDArray[] {
  const combine = Object.hasOwn(operations, setOperation.toLowerCase()) ? operations[setOperation.toLowerCase()] : undefined;
  if (!combine) throw new InvalidArgumentError(`Invalid set_operation ${setOperation}.`);
  const { groupShape } = a;
  if (groupShape.join() !== b.groupShape.join()) throw new InvalidArgumentError(`Mismatched shapes [${groupShape}] vs [${b.groupShape}]`);
  const sets = [...new Set([...a.groups.keys(), ...b.groups.keys()])]
    .sort((x, y) => x - y)
    .map(place => ({ place, elements: combine(a.groups.get(place) ?? none, b.groups.get(place) ?? none).sort(compare) }));
  const count = sets.reduce((sum, { elements }) => sum + elements.length, 0);
  const rank = groupShape.length + 1;
  const indices = NDArray.zeros("int64", [count, rank]);
  const values = NDArray.zeros(like.dtype, [count]);
  let n = 0;
  for (const { place, elements } of sets) {
    elements.forEach((value, k) => {
      let rest = place;
      for (let axis = rank - 2; axis >= 0; axis--) {
        indices.set(n * rank + axis, rest % groupShape[axis]);
        rest = Math.floor(rest / groupShape[axis]);
      }
      indices.set(n * rank + rank - 1, k);
      values.set(n++, value);
    });
  }
  const widest = sets.reduce((most, { elements }) => Math.max(most, elements.length), 0);
  return [indices, values, NDArray.from([...groupShape, widest], "int64")];
}

// ---- ops ----

const results = { resultIndices: "int64", resultValues: "T", resultShape: "int64" } as const;
const setAttrs = { setOperation: attr.string(), validateIndices: attr.bool(true), T: elementTypes };

const resultShapes = (rank: number | null): TensorShape[] => [
  new TensorShape([null, rank]),
  new TensorShape([null]),
  new TensorShape([rank]),
];

/** The rank of a sparse tensor, from whichever part tells it. @throws ValueError for parts that do not fit. */
function sparseRank(indices: TensorShape, values: TensorShape, shape: TensorShape): number | null {
  const [places, elements, sizes] = [indices.withRank(2), values.withRank(1), shape.withRank(1)];
  const [rows, count] = [places.dim(0), elements.dim(0)];
  if (rows !== null && count !== null && rows !== count)
    throw new ValueError(`Number of elements in index (${rows}) and values (${count}) do not match.`);
  const [width, rank] = [places.dim(1), sizes.dim(0)];
  if (width !== null && rank !== null && width !== rank)
    throw new ValueError(`Index rank (${width}) and shape rank (${rank}) do not match.`);
  return rank;
}

export const DenseToDenseSetOperation = defineOp("DenseToDenseSetOperation", {
  inputs: { set1: "T", set2: "T" },
  outputs: results,
  attrs: setAttrs,
  gradient: "none",
  shape: ({ set1, set2 }) => {
    const first = set1.withRankAtLeast(2);
    if (first.rank === null) return resultShapes(set2.withRankAtLeast(2).rank);
    const second = set2.withRank(first.rank);
    if (second.rank !== null) first.slice(0, -1).mergeWith(second.slice(0, -1));
    return resultShapes(first.rank);
  },
  // Where the sets are known when compiling (dimensions, in a check of weights) so are the results.
  compileTimeInputs: ["set1", "set2"],
  lower: ({ set1, set2, setOperation }) => combined(denseSets(set1), denseSets(set2), setOperation, set1).map(array => ir.constant(array)),
});

export const DenseToSparseSetOperation = defineOp("DenseToSparseSetOperation", {
  inputs: { set1: "T", set2Indices: "int64", set2Values: "T", set2Shape: "int64" },
  outputs: results,
  attrs: setAttrs,
  gradient: "none",
  shape: ({ set1, set2Indices, set2Values, set2Shape }) => {
    const rank = sparseRank(set2Indices, set2Values, set2Shape);
    if (rank !== null) set1.withRank(rank);
    return resultShapes(set1.withRankAtLeast(2).rank ?? rank);
  },
  host: ({ set1, set2Indices, set2Values, set2Shape, setOperation, validateIndices }) =>
    combined(denseSets(set1), sparseSets(set2Indices, set2Values, set2Shape, validateIndices), setOperation, set1),
});

export const SparseToSparseSetOperation = defineOp("SparseToSparseSetOperation", {
  inputs: {
    set1Indices: "int64",
    set1Values: "T",
    set1Shape: "int64",
    set2Indices: "int64",
    set2Values: "T",
    set2Shape: "int64",
  },
  outputs: results,
  attrs: setAttrs,
  gradient: "none",
  shape: ({ set1Indices, set1Values, set1Shape, set2Indices, set2Values, set2Shape }) => {
    const first = sparseRank(set1Indices, set1Values, set1Shape);
    const second = sparseRank(set2Indices, set2Values, set2Shape);
    if (first !== null && second !== null && first !== second)
      throw new ValueError(`Dimensions must be equal, but are ${first} and ${second}`);
    return resultShapes(first ?? second);
  },
  host: ({ set1Indices, set1Values, set1Shape, set2Indices, set2Values, set2Shape, setOperation, validateIndices }) =>
    combined(
      sparseSets(set1Indices, set1Values, set1Shape, validateIndices),
      sparseSets(set2Indices, set2Values, set2Shape, validateIndices),
      setOperation,
      set1Values,
    ),
});

export const SetSize = defineOp("SetSize", {
  inputs: { setIndices: "int64", setValues: "T", setShape: "int64" },
  outputs: { size: "int32" },
  attrs: { validateIndices: attr.bool(true), T: elementTypes },
  gradient: "none",
  shape: () => TensorShape.unknown(),
  host: ({ setIndices, setValues, setShape, validateIndices }) => {
    const { groupShape, groups } = sparseSets(setIndices, setValues, setShape, validateIndices);
    return NDArray.from(
      Array.from({ length: sizeOf(groupShape) }, (_, place) => groups.get(place)?.size ?? 0),
      "int32",
      groupShape,
    );
  },
});

// ---- public functions ----

type SetLike = TensorLike | SparseTensor;
interface SetOptions {
  /** Check that the indices of sparse sets are in range and in order. Default true. */
  readonly validateIndices?: boolean;
}

function setOperation(a: SetLike, b: SetLike, operation: string, { validateIndices = true }: SetOptions): SparseTensor {
  const first = a instanceof SparseTensor ? a : convertToTensor(a, { name: "a" });
  if (!(admitted as readonly DType[]).includes(first.dtype)) {
    const names = "tf.int32, tf.uint8, tf.int16, tf.int8, tf.string, tf.int64, tf.uint16";
    throw new TypeError(`'a' has invalid dtype \`<dtype: '${first.dtype}'>\` not in supported dtypes: \`frozenset({${names}})\`.`);
  }
  const second = b instanceof SparseTensor ? b : convertToTensor(b, { name: "b" });
  if (second.dtype !== first.dtype) throw new TypeError(`Types don't match, <dtype: '${first.dtype}'> vs <dtype: '${second.dtype}'>.`);
  const isFlipped = first instanceof SparseTensor && !(second instanceof SparseTensor);
  return isFlipped
    ? operatedOn(second, first, operation === "a-b" ? "b-a" : operation, validateIndices)
    : operatedOn(first, second, operation, validateIndices);
}

function operatedOn(a: Tensor | SparseTensor, b: Tensor | SparseTensor, operation: string, validateIndices: boolean): SparseTensor {
  const options = { setOperation: operation, validateIndices };
  if (a instanceof SparseTensor && b instanceof SparseTensor) {
    const made = SparseToSparseSetOperation({
      set1Indices: a.indices,
      set1Values: a.values,
      set1Shape: a.denseShape,
      set2Indices: b.indices,
      set2Values: b.values,
      set2Shape: b.denseShape,
      ...options,
    });
    return new SparseTensor(made.resultIndices, made.resultValues, made.resultShape);
  }
  const made =
    b instanceof SparseTensor
      ? DenseToSparseSetOperation({
          set1: a as Tensor,
          set2Indices: b.indices,
          set2Values: b.values,
          set2Shape: b.denseShape,
          ...options,
        })
      : DenseToDenseSetOperation({ set1: a as Tensor, set2: b, ...options });
  return new SparseTensor(made.resultIndices, made.resultValues, made.resultShape);
}

/** Elements that are in the sets of both along the last dimension. TF: tf.sets.intersection. */
export const setIntersection = (a: SetLike, b: SetLike, options: SetOptions = {}): SparseTensor =>
  setOperation(a, b, "intersection", options);
/** Elements that are in the sets of either along the last dimension. TF: tf.sets.union. */
export const setUnion = (a: SetLike, b: SetLike, options: SetOptions = {}): SparseTensor => setOperation(a, b, "union", options);

interface DifferenceOptions extends SetOptions {
  /** a without b, rather than b without a. Default true. */
  readonly aminusb?: boolean;
}
/** Elements of one set along the last dimension that are not in the other. TF: tf.sets.difference. */
export const setDifference = (a: SetLike, b: SetLike, { aminusb = true, ...options }: DifferenceOptions = {}): SparseTensor =>
  setOperation(a, b, aminusb ? "a-b" : "b-a", options);

/** How many different elements the sets along the last dimension of a sparse tensor have, int32. TF: tf.sets.size. @throws TypeError for a dense tensor. */
export function setSize(a: SparseTensor, { validateIndices = true, ...others }: SetOptions = {}): Tensor {
  refuseOthers(others);
  if (!(a instanceof SparseTensor)) throw new TypeError(`Expected \`SparseTensor\`, got ${convertIntegers(a, "a")}.`);
  return SetSize({ setIndices: a.indices, setValues: a.values, setShape: a.denseShape, validateIndices });
}
export { setDifference as difference, setIntersection as intersection, setSize as size, setUnion as union };
