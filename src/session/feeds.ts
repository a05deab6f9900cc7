// Feeds: pairs, a Map or an object of names; keys resolved to tensors, values converted as numpy would and checked against static shapes.

import { type DType, dtypeTable, isFloating, isInteger } from "../base/dtype.ts";
import { ValueError, withHint } from "../base/errors.ts";
import type { ArrayLike } from "../base/ndarray.ts";
import { isTypedArray, NDArray } from "../base/ndarray.ts";
import { formatTuple } from "../base/shape.ts";
import { pythonType } from "../base/python-text.ts";
import type { Graph } from "../graph/graph.ts";
import { IndexedSlices, partsOfSlices } from "../graph/indexed-slices.ts";
import { itemsOf } from "../graph/iterating.ts";
import { representation } from "../graph/conversion.ts";
import { Tensor } from "../graph/operation.ts";
import { SparseTensor } from "../graph/sparse-tensor.ts";
import { type Composite, type CompositeValue, isComposite } from "../graph/composite.ts";

/** What may be fed: tensors, variables or names with their values. */
export type FeedKey = Tensor | SparseTensor | IndexedSlices | Composite | string | { asGraphElement(): unknown } | readonly FeedKey[];
type SparseTensorParts = { readonly [K in "indices" | "values" | "denseShape"]: ArrayLike };
/** For a sparse tensor: its parts by name, or [indices, values, denseShape]; for a list of keys a list. */
export type FeedValue = ArrayLike | SparseTensorParts | CompositeValue | readonly FeedValue[];
export type Feeds = readonly (readonly [FeedKey, FeedValue])[] | ReadonlyMap<FeedKey, FeedValue> | { readonly [name: string]: ArrayLike };

export interface Feed {
  readonly tensor: Tensor;
  readonly value: NDArray;
}

/** @throws TypeError or ValueError with TensorFlow's text for wrong keys, values and shapes. */
export function resolveFeeds(graph: Graph, feeds: Feeds | null | undefined): Feed[] {
  const resolved = new Map<Tensor, Feed>();
  for (const [key, value] of [...entriesOf(feeds)].flatMap(partsOf)) {
    const tensor = keyTensor(graph, key);
    if (!graph.isFeedable(tensor)) throw new ValueError(`Tensor ${tensor.name} may not be fed.`);
    resolved.set(tensor, { tensor, value: feedValue(tensor, value) });
  }
  return [...resolved.values()];
}

/** A sparse tensor is fed as its three parts, a ragged one as values and splits. */
function partsOf([key, value]: readonly [unknown, FeedValue]): (readonly [unknown, ArrayLike])[] {
  if (isComposite(key)) {
    const given = key.partsOf(value);
    return key.parts.map((part, i) => [part, given[i]]);
  }
  if (Array.isArray(key)) return nestedParts(key, value);
  if (key instanceof IndexedSlices) return inTurn(partsOfSlices(key), value);
  if (!(key instanceof SparseTensor)) return [[key, value as ArrayLike]];
  const given = value as Partial<SparseTensorParts> | null;
  return inTurn([key.indices, key.values, key.denseShape], given?.indices ? [given.indices, given.values, given.denseShape] : value);
}

/** Parts with values in their order; as many as there are of both. @throws TypeError for what is no list. */
function inTurn(parts: readonly Tensor[], value: unknown): (readonly [unknown, ArrayLike])[] {
  if (value === null || typeof value !== "object" || !(Symbol.iterator in value || value instanceof NDArray))
    throw new TypeError(`'${pythonType(value)}' object is not iterable`);
  const given = value instanceof NDArray ? rowsOf(value) : [...(value as Iterable<ArrayLike>)];
  return parts.slice(0, given.length).map((part, i) => [part, given[i]]);
}

/** A nest of tensors, such as the states of cells, is fed with as many arrays; lists of numbers are taken apart to the last, as TensorFlow does. */
function nestedParts(key: readonly unknown[], value: unknown): (readonly [unknown, ArrayLike])[] {
  const [keys, values] = [key, [value]].map(leavesOf);
  if (keys.length !== values.length)
    throw withHint(
      new ValueError(
        `Could not flatten dictionary. Key had ${keys.length} elements, but value had ${values.length} elements. Key: ${representation(keys)}, value: ${representation(values)}.`,
      ),
      "Feed each tensor an array: tf.NDArray.from([1, 2]), or what a run gave.",
    );
  return keys.flatMap((part, i) => partsOf([part, values[i] as FeedValue]));
}

const leavesOf = (nest: readonly unknown[]): unknown[] => nest.flatMap(item => (Array.isArray(item) ? leavesOf(item) : [item]));

const rowsOf = (value: NDArray): ArrayLike[] => Array.from({ length: value.length }, (_, i): ArrayLike => value.at(i));

function entriesOf(feeds: Feeds | null | undefined): Iterable<readonly [unknown, FeedValue]> {
  if (feeds === null || feeds === undefined) return [];
  if (feeds instanceof Map) return feeds.entries();
  if (Array.isArray(feeds)) {
    for (const pair of feeds)
      if (!Array.isArray(pair) || pair.length !== 2)
        throw withHint(
          noDictionary(feeds),
          "Feeds are pairs [tensor, value], a Map, or an object of names: [[x, images], [labels, digits]].",
        );
    return feeds;
  }
  if (typeof feeds === "object" && !(feeds instanceof Tensor) && !isTypedArray(feeds)) return Object.entries(feeds);
  if (feeds instanceof Tensor) itemsOf(feeds, "asks");
  throw noDictionary(feeds);
}

const noDictionary = (feeds: unknown): TypeError =>
  new TypeError(`FlattenDictItems: 'dict' must be a dictionary or collection.Mapping type object, instead of '${pythonType(feeds)}'.`);

/** The tensor that a key of a feed means. @throws TypeError if there is none. */
export function keyTensor(graph: Graph, key: unknown): Tensor {
  try {
    return graph.asGraphElement(key, { allowOperation: false }) as Tensor;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const refused = new TypeError(`Cannot interpret feed_dict key as Tensor: ${error.message}`);
    if (typeof key !== "string") throw refused;
    throw withHint(refused, 'Texts as keys are names of tensors, such as "x:0"; a tensor itself goes into a pair: [[x, value]].');
  }
}

/** Converts a value to a feed of `tensor`. */
export function feedValue(tensor: Tensor, value: ArrayLike): NDArray {
  if ((value as unknown) instanceof Tensor)
    throw new TypeError(
      `The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python scalars, strings, lists, numpy ndarrays, or TensorHandles. For reference, the tensor object was ${value} which was passed to the argument \`feed_dict\` with key ${tensor}.`,
    );
  const { dtype } = tensor;
  if (isWhole(value) && dtype !== "int64" && (isInteger(dtype) || dtype === "bool")) checkRange(tensor, value);
  if (value === undefined || (value === null && !tensor.shape.isCompatibleWith([])))
    throw shapeError([], tensor, "A value is missing: null was fed.");
  const array = NDArray.from(withoutNulls(value, dtype), dtype);
  if (!tensor.shape.isCompatibleWith(array.shape)) throw shapeError(array.shape, tensor, reshapeHint(array, tensor));
  return array;
}

/** Python's None is NaN among numpy's floats and False among its booleans. */
function withoutNulls(value: ArrayLike | null, dtype: DType): ArrayLike {
  if (value === null && (isFloating(dtype) || dtype === "bool")) return dtype === "bool" ? false : Number.NaN;
  return Array.isArray(value) && value.some(item => item === null || Array.isArray(item))
    ? (value.map(item => withoutNulls(item, dtype)) as ArrayLike)
    : (value as ArrayLike);
}

function shapeError(shape: readonly number[], tensor: Tensor, hint: string): ValueError {
  return new ValueError(
    `Cannot feed value of shape ${formatTuple(shape)} for Tensor ${tensor.name}, which has shape ${tensor.shape}`,
    hint,
  );
}

const reshapeHint = (array: NDArray, tensor: Tensor): string => {
  const rank = tensor.shape.rank;
  if (rank !== null && array.rank === rank - 1)
    return "The value has one dimension less: a batch of one needs [value], or new tf.NDArray(dtype, [1, ...shape], data).";
  if (array.rank === 1 && rank !== null && rank > 1)
    return "A typed array is one-dimensional: give it its shape with new tf.NDArray(dtype, shape, data).";
  return "Reshape the value, or declare the placeholder with null for dimensions that vary.";
};

/** A number that Python has as an int. */
const isWhole = (value: unknown): value is number | bigint => typeof value === "bigint" || Number.isInteger(value);

function checkRange({ dtype }: Tensor, value: number | bigint): void {
  const whole = BigInt(value);
  const bits = BigInt(8 * dtypeTable[dtype].bytes);
  const [low, high] =
    dtype === "bool" ? [0n, 1n] : dtype.startsWith("u") ? [0n, (1n << bits) - 1n] : [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
  if (whole < low || whole > high)
    throw new TypeError(
      `Type of feed value ${value} with type <class 'int'> is not compatible with Tensor type <class 'numpy.${dtype}'>. Try explicitly setting the type of the feed tensor to a larger type (e.g. int64).`,
    );
}
