// map_fn, scan, foldl and foldr: loops over the first axis of tensors, with TensorFlow's nodes. Elements come from TensorArrays, results go into them.

import { type DType, noDtype } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { constant, shape } from "../array/array.ts";
import { getItem } from "../array/slicing.ts";
import { collect, isOptions } from "../arguments.ts";
import { whileLoop } from "./control-flow-contexts.ts";
import { AddV2, Sub } from "../math/math.ts";
import { Greater, GreaterEqual, Less } from "../math/comparison.ts";
import { inNameScope } from "../named.ts";
import { ComponentSpec, ownSpec, componentSpecFrom } from "../sparse/type-specs.ts";
import { assertSameStructure, flatten, mapNested, type Nested, packAs } from "./nested.ts";
import { TensorArray } from "./tensor-array.ts";

interface LoopOptions extends Named {
  readonly parallelIterations?: number | null;
  readonly backProp?: boolean | null;
  readonly swapMemory?: boolean | null;
}

type Count = number | Tensor;

const plus = (a: Count, b: number): Count => (typeof a === "number" ? a + b : AddV2({ x: a, y: b }, { name: "add" }));
const minus = (a: Count, b: number): Count => (typeof a === "number" ? a - b : Sub({ x: a, y: b }, { name: "sub" }));

/** What a loop begins to count at: numbers are int32 here. */
const toCounter = (value: Count): Tensor | NDArray => (typeof value === "number" ? NDArray.full("int32", [], value) : value);

const loopOptions = (given: LoopOptions, maximumIterations: Count): object => ({
  parallelIterations: given.parallelIterations ?? 10,
  backProp: given.backProp ?? true,
  swapMemory: given.swapMemory ?? false,
  maximumIterations,
});

function requireFunction(fn: unknown): void {
  if (typeof fn !== "function") throw new TypeError(`${String(fn)} is not callable. Please provide a callable function.`);
}

const toElements = (elems: Nested): Tensor[] => flatten(elems).map(elem => convertToTensor(elem as TensorLike, { name: "elem" }));

/** The length of the first axis, as a number where it is known (and, for `counts`, not 0). */
const lengthOf = (elem: Tensor, isZeroKnown = false): Count => {
  const length = elem.shape.dim(0);
  return length === null || (length === 0 && !isZeroKnown) ? getItem(shape(elem), 0) : length;
};

/** The first dimension that all have. @throws ValueError if they differ. */
function commonLength(elems: readonly Tensor[]): number | null {
  const dims = elems.map(elem => elem.shape.withRankAtLeast(1).dim(0));
  const [first] = dims;
  for (const other of dims.slice(1))
    if (first !== null && other !== null && first !== other) throw new ValueError(`Dimensions ${first} and ${other} are not compatible`);
  return first;
}

/** Says the first dimension of results. */
function stateLength(results: readonly Tensor[], length: number | null): void {
  for (const result of results)
    result.setShape(new TensorShape([length]).concatenate(new TensorShape(result.shape.dims && result.shape.dims.slice(1))));
}

interface MapOptions extends LoopOptions {
  /** The types of what `fn` returns, in the same structure, where they differ from those of `elems`. */
  readonly dtype?: Nested;
  readonly fnOutputSignature?: Nested;
  /** All results of `fn` have the same shape. */
  readonly inferShape?: boolean | null;
}

const isKind = (value: unknown): value is ComponentSpec => value instanceof ComponentSpec;
const isType = (value: unknown): boolean => typeof value === "string" || isKind(value);
/** What a value is to a loop that is one thing to a program and one tensor there: a sparse or a ragged tensor. */
const kindOfValue = (value: unknown): ComponentSpec | undefined =>
  value instanceof SparseTensor ? componentSpecFrom(value) : ownSpec(value);

/** `fn` of each slice of `elems` along the first axis, stacked. `elems` may be a structure of tensors; `fn` then gets that structure of slices.
 *  Slices and results may be sparse or ragged: `dtype` then has a SparseTensorSpec or RaggedTensorSpec at their places. TF: tf.map_fn. */
export function mapFn(fn: (elem: Nested) => Nested, elems: Nested, dtype?: Nested, options?: MapOptions): Nested {
  requireFunction(fn);
  // A list or an object of types is a structure here, not options.
  const isTypes =
    isType(dtype) ||
    Array.isArray(dtype) ||
    (isOptions(dtype) && flatten(dtype).every(isType) && !["name", "dtype", "fnOutputSignature"].some(key => key in dtype));
  const given: MapOptions = isTypes || !isOptions(dtype) ? { ...options, dtype: dtype ?? options?.dtype } : dtype;
  const signature: Nested = given.fnOutputSignature ?? given.dtype ?? null;
  if (flatten(elems).length === 0)
    throw new ValueError(
      `elems must be a Tensor or (possibly nested) sequence of Tensors. Got ${JSON.stringify(elems)}, which does not contain any Tensors.`,
    );
  return inNameScope({ name: given.name }, "map", flatten(elems), () => {
    const kinds = flatten(elems).map(kindOfValue);
    const flat = flatten(elems).map((elem, k) => kinds[k]?.rowsOf(elem) ?? convertToTensor(elem as TensorLike, { name: "elem" }));
    if (flat[0].shape.rank === 0) throw new ValueError("Elements in elems must be 1+ dimensional Tensors, not scalars");
    const length = commonLength(flat);
    const n: Count = lengthOf(flat[0]);
    const arrays = flat.map(elem => new TensorArray(elem.dtype, n)).map((array, k) => array.unstack(flat[k]));
    const zero = constant(0, "int32");
    const types = (
      signature === null ? kinds.map((kind, k) => kind?.withShape(TensorShape.unknown()).unbatched() ?? flat[k].dtype) : flatten(signature)
    ) as (DType | ComponentSpec)[];
    const results = types.map(type => {
      if (typeof type !== "string" && typeof type?.flat !== "object") throw noDtype(type);
      const { dtype, shape = null } = typeof type === "string" ? { dtype: type } : type.flat;
      return new TensorArray(dtype, n, { inferShape: given.inferShape ?? true, elementShape: shape });
    });
    const inner = kinds.map(kind => kind?.unbatched());
    const body = (i: Tensor, into: TensorArray[]): Nested[] => {
      const read = arrays.map(array => array.read(i));
      const value = fn(
        packAs(
          elems,
          read.map((item, k) => inner[k]?.valueFrom(item) ?? item),
        ),
      );
      assertSameStructure(signature ?? elems, value);
      const kept = flatten(value).map((item, k) => writtenAs(types[k], item));
      const written = kept.map((item, k) => into[k].write(i, item));
      return [plus(i, 1), written];
    };
    const [, last] = whileLoop((i: Tensor) => Less({ x: i, y: n }), body, [zero, results], loopOptions(given, n)) as [
      Tensor,
      TensorArray[],
    ];
    const stacked = last.map(array => array.stack());
    stateLength(stacked, length);
    return packAs(
      signature ?? elems,
      stacked.map((rows, k) => (typeof types[k] === "string" ? rows : types[k].batched(length).valueFrom(rows))),
    );
  });
}

/** The tensor that is kept of a result. @throws ValueError for one of another kind than was told. */
function writtenAs(type: DType | ComponentSpec, value: unknown): TensorLike {
  if (typeof type === "string" || type.isTensor) return value as TensorLike;
  if (!type.isCompatibleWith(value))
    throw new ValueError(
      `Error in map_fn:\n  Expected \`fn\` to return a:\n    ${String(type)}\n  But it returned a:\n    ${String(kindOfValue(value) ?? value)}\n    (value=${String(value)})\n  To fix, update the \`fn_output_signature\` (or \`dtype\`) argument to \`map_fn\`.`,
    );
  return type.tensorOf(value);
}

interface FoldOptions extends LoopOptions {
  /** What to begin with; the first element if there is none. */
  readonly initializer?: Nested;
}

type Fold = (accumulated: Nested, elem: Nested) => Nested;

const foldArguments = ["initializer", "parallelIterations", "backProp", "swapMemory", "name"];
const scanArguments = ["initializer", "parallelIterations", "backProp", "swapMemory", "inferShape", "reverse", "name"];

const foldOptions = <O extends FoldOptions>(initializer: unknown, options: O | undefined, names = foldArguments): Partial<O> =>
  // An object is an initializer where its fields are no options.
  collect<O>(
    names,
    isOptions(initializer) && !isOptions(options) && Object.keys(initializer).every(key => names.includes(key))
      ? [undefined, initializer]
      : [initializer, options ?? {}],
  );

/** `fn` applied to the slices of `elems` from first to last: fn(fn(a, e0), e1) … TF: tf.foldl. */
export function foldl(fn: Fold, elems: Nested, initializer?: Nested, options?: FoldOptions): Nested {
  return fold("foldl", fn, elems, foldOptions(initializer, options), n => {
    const begin = (hasInitializer: boolean): TensorLike => constant(hasInitializer ? 0 : 1, "int32");
    return { first: 0, begin, goesOn: i => Less({ x: i, y: n }), at: i => i, next: i => plus(i, 1) as Tensor };
  });
}

/** `fn` applied to the slices of `elems` from last to first. TF: tf.foldr. */
export function foldr(fn: Fold, elems: Nested, initializer?: Nested, options?: FoldOptions): Nested {
  return fold("foldr", fn, elems, foldOptions(initializer, options), n => {
    const last = minus(n, 1);
    return {
      first: last,
      begin: hasInitializer => toCounter(hasInitializer ? n : last),
      goesOn: i => Greater({ x: i, y: 0 }),
      at: i => minus(i, 1) as Tensor,
      next: (_, at) => at,
    };
  });
}

/** How a fold counts. */
interface Direction {
  readonly first: Count;
  readonly begin: (hasInitializer: boolean) => TensorLike;
  readonly goesOn: (i: Tensor) => Tensor;
  /** The element that a step reads. */
  readonly at: (i: Tensor) => Tensor;
  readonly next: (i: Tensor, at: Tensor) => Tensor;
}

function fold(name: string, fn: Fold, elems: Nested, given: FoldOptions, direction: (n: Count) => Direction): Nested {
  requireFunction(fn);
  return inNameScope({ name: given.name }, name, flatten(elems), () => {
    const flat = toElements(elems);
    const n: Count = lengthOf(flat[0]);
    const arrays: Nested = packAs(
      elems,
      flat.map(elem => new TensorArray(elem.dtype, n).unstack(elem)),
    );
    const read = (i: TensorLike): Nested => mapNested(arrays, array => (array as TensorArray).read(i));
    const { first, begin, goesOn, at, next } = direction(n);
    const hasInitializer = given.initializer !== undefined && given.initializer !== null;
    const start: Nested = hasInitializer ? given.initializer : read(first);
    const body = (i: Tensor, accumulated: Nested): Nested[] => {
      const position = at(i);
      const result = fn(accumulated, read(position));
      return [next(i, position), result];
    };
    const [, result] = whileLoop((i: Tensor) => goesOn(i), body, [begin(hasInitializer), start], loopOptions(given, n)) as Nested[];
    return result;
  });
}

interface ScanOptions extends FoldOptions {
  readonly inferShape?: boolean | null;
  /** From the last slice to the first; results stay where their slices are. */
  readonly reverse?: boolean | null;
}

/** All the intermediate results of a fold, stacked. TF: tf.scan. */
export function scan(fn: Fold, elems: Nested, initializer?: Nested, options?: ScanOptions): Nested {
  requireFunction(fn);
  const given = foldOptions<ScanOptions>(initializer, options, scanArguments);
  const { reverse = false } = given;
  return inNameScope({ name: given.name }, "scan", flatten(elems), () => {
    const flat = toElements(elems);
    const n: Count = lengthOf(flat[0], true);
    const elementShape = (tensor: Tensor): TensorShape => new TensorShape(tensor.shape.dims && tensor.shape.dims.slice(1));
    const arrays = flat
      .map(elem => new TensorArray(elem.dtype, n, { elementShape: elementShape(elem) }))
      .map((array, k) => array.unstack(flat[k]));
    const hasInitializer = given.initializer !== undefined && given.initializer !== null;
    const structure: Nested = hasInitializer ? given.initializer : elems;
    const first = (): Count => (reverse ? minus(n, 1) : 0);
    const start = hasInitializer
      ? flatten(structure).map(item => convertToTensor(item as TensorLike))
      : arrays.map(array => array.read(first()));
    const inferShape = given.inferShape ?? true;
    const empty = start.map(item => new TensorArray(item.dtype, n, { inferShape, elementShape: inferShape ? item.shape : null }));
    const results = hasInitializer ? empty : empty.map((array, k) => array.write(first(), start[k]));
    const body = (i: Tensor, accumulated: Tensor[], into: TensorArray[]): Nested[] => {
      const slices = packAs(
        elems,
        arrays.map(array => array.read(i)),
      );
      const value = fn(packAs(structure, accumulated), slices);
      assertSameStructure(structure, value);
      const leaves = flatten(value) as TensorLike[];
      const written = leaves.map((item, k) => into[k].write(i, item));
      return [reverse ? minus(i, 1) : plus(i, 1), leaves, written];
    };
    const done = hasInitializer ? 0 : 1;
    const begin = reverse ? minus(minus(n, 1), done) : done;
    const condition = (i: Tensor): Tensor => (reverse ? GreaterEqual({ x: i, y: 0 }) : Less({ x: i, y: n }));
    const [, , last] = whileLoop(condition, body, [toCounter(begin), start, results], loopOptions(given, n)) as [
      Tensor,
      Tensor[],
      TensorArray[],
    ];
    const stacked = last.map(array => array.stack());
    stateLength(stacked, commonLength(flat));
    return packAs(structure, stacked);
  });
}

/** `fn` of each slice of `elems` along the first axis, stacked: `mapFn`, with the types of the results found by trying `fn` on the first slices.
 *  TensorFlow computes all slices at once; `fallbackToWhileLoop` and `warn` are accepted. TF: tf.vectorized_map. */
export function vectorizedMap(
  fn: (elem: Nested) => Nested,
  elems: Nested,
  _options: { readonly fallbackToWhileLoop?: boolean; readonly warn?: boolean } = {},
): Nested {
  requireFunction(fn);
  const flat = toElements(elems);
  const tried = fn(
    packAs(
      elems,
      flat.map(elem => getItem(elem, 0)),
    ),
  );
  return mapFn(
    fn,
    elems,
    mapNested(tried, result => convertToTensor(result as TensorLike).dtype),
  );
}
