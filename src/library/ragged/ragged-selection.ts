// Parts of ragged tensors: rows by their numbers, places of values, what a mask keeps, and `rt.at(…)`, Python's `rt[…]`.
// TF: ops/ragged/ragged_gather_ops, ragged_getitem, ragged_where_op, ragged_array_ops.

import { type DType, isInteger } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Callable } from "../../graph/composite.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import type { IndexSpec } from "../../graph/tensor-operators.ts";
import { collect, refuseOthers } from "../../ops/arguments.ts";
import { expandDims, ones, rank, reshape, shape as shapeOf, size as sizeOf, zeros } from "../../ops/array/array.ts";
import { type GatherOptions, gather, gatherNd } from "../../ops/array/gather.ts";
import { range, repeat } from "../../ops/array/ranges.ts";
import { booleanMask as maskDense, where } from "../../ops/array/selection.ts";
import { concat, ellipsis, getItem, newaxis } from "../../ops/array/slicing.ts";
import { assertEqual, assertGreaterEqual, assertLess } from "../../ops/flow/check.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import { add as addNamed, maximum, minimum } from "../../ops/math/math.ts";
import { cast } from "../../ops/math/cast.ts";
import { countNonzero, cumprod, cumsum, reduceSum } from "../../ops/math/reduction.ts";
import { inNameScope, type NameOption } from "../../ops/named.ts";
import { add, greaterEqual, mul, neg, sub } from "../../ops/operators.ts";
import { RaggedGather } from "../../ops/sparse/ragged.ts";
import { positive } from "./axes.ts";
import { raggedTile } from "./ragged-arrays.ts";
import { binary, converted, isRagged, matchSplits, type Ragged, type RaggedLike } from "./ragged-elementwise.ts";
import { mapFlatValues, range as raggedRange } from "./ragged-functions.ts";
import { expanded, raggedReductions } from "./ragged-reduction.ts";
import { raggedConcat } from "./ragged-stacking.ts";
import { RaggedTensor } from "./ragged-tensor.ts";
import { segmentIdsOf, type SplitsType } from "./row-partition.ts";

// ---- gather ----

/** Rows, or with an axis elements of rows, by their numbers. TF: tf.gather of ragged tensors. */
export function raggedGather(_: Callable, params: RaggedLike, indices: RaggedLike, ...rest: readonly unknown[]): Ragged {
  const { axis, batchDims = 0, name } = collect<GatherOptions>(["validateIndices", "name", "axis", "batchDims"], rest);
  // In TensorFlow 1 the axis is 0 unless given.
  return gathered(params, indices, (axis as number | null | undefined) ?? 0, batchDims, name);
}

/** Of each batch its own. TF: tf.batch_gather of ragged tensors. */
export const raggedBatchGather = (_: Callable, params: RaggedLike, indices: RaggedLike, options?: NameOption): Ragged =>
  gathered(params, indices, null, -1, typeof options === "string" ? options : options?.name);

function gathered(params: RaggedLike, indices: RaggedLike, axis: number | null, batchDims: number, name?: Named["name"]): Ragged {
  return inNameScope({ name }, "RaggedGather", [params, indices], () => {
    const [from, at] = [converted(params, { name: "params" }), converted(indices, { name: "indices", preferredDtype: "int32" })];
    matchSplits(from, at);
    const batches = batchDims === at.shape.rank ? batchDims : positive(batchDims, at.shape.rank, "batch_dims", "rank(indices)");
    if (from.shape.rank !== null && batches >= from.shape.rank) throw new ValueError("batch_dims must be less than rank(params)");
    const along = positive(axis ?? batches, from.shape.rank, "axis", "rank(params)");
    if (along < batches) throw new ValueError("axis must be greater than or equal to batch_dims");
    return gatherAt(from, at, along, batches);
  });
}

function gatherAt(params: Ragged, indices: Ragged, axis: number, batchDims: number): Ragged {
  if (!isRagged(params) && !isRagged(indices)) return gather(params, indices, { axis, batchDims });
  if (batchDims > 0) return gatherOfBatches(params, indices, axis, batchDims);
  if (axis > 1) {
    const rows = isRagged(params) ? params : rowsOf(params, indices as RaggedTensor);
    return rows.withValues(gatherAt(rows.values, indices, axis - 1, 0));
  }
  if (axis === 1) return gatherShifted(params, indices, 1);
  if (isRagged(indices)) return indices.withValues(gatherAt(params, indices.values, 0, 0));
  const { rank } = indices.shape;
  if (rank === null) throw new ValueError("rank(indices) must be known statically");
  const { nestedRowSplits, flatValues } = params as RaggedTensor;
  const { outputNestedSplits, outputDenseValues } = RaggedGather({
    paramsNestedSplits: nestedRowSplits,
    paramsDenseValues: flatValues,
    indices,
    OUTPUT_RAGGED_RANK: rank + nestedRowSplits.length - 1,
  });
  const result = RaggedTensor.fromNestedRowSplits(outputDenseValues, outputNestedSplits, { validate: false });
  if (rank > 1) {
    // TensorFlow notes these on the result, where nothing reads them.
    const sizes = shapeOf(indices, { outType: (params as RaggedTensor).partition.dtype });
    const counts = cumprod(sizes);
    for (let axis = 0; axis < rank - 1; axis++)
      for (const [of, at] of [
        [counts, axis],
        [sizes, axis + 1],
      ] as const)
        getItem(of, at);
  }
  return result;
}

/** Indices into rows become indices into values. */
function gatherShifted(params: Ragged, indices: Ragged, more: number): Ragged {
  if (indices.shape.rank === null) throw new ValueError("rank(indices) must be known statically");
  const flat = isRagged(params) ? params.values : flattened(params);
  const starts = ranked(startsOf(params, indices.dtype), indices.shape.rank + more);
  const adjusted = isRagged(indices) ? binary(addNamed, indices, starts) : add(indices, starts);
  return gatherAt(flat, adjusted, 0, 0);
}

function gatherOfBatches(params: Ragged, indices: Ragged, axis: number, batchDims: number): Ragged {
  if (!params.shape.slice(0, batchDims).isCompatibleWith(indices.shape.slice(0, batchDims)))
    throw new ValueError(`batch shape from indices ${indices.shape.slice(0, batchDims)} does not match params shape ${params.shape}`);
  if (batchDims > 1) {
    const differ = (one: string, other: string): ValueError =>
      new ValueError(
        `batch shape from indices does not match params shape: ragged ${one} dimension corresponds to uniform ${other} dimension`,
      );
    if (isRagged(indices) && !isRagged(params) && indices.uniformRowLength === null) throw differ("indices", "params");
    if (isRagged(params) && !isRagged(indices) && params.uniformRowLength === null) throw differ("params", "indices");
    const from = isRagged(params) ? params : rowsOf(params, indices as RaggedTensor);
    const at = isRagged(indices) ? indices : rowsOf(indices, params as RaggedTensor);
    return from.withValues(gatherAt(from.values, at.values, axis - 1, batchDims - 1));
  }
  if (axis === 1) return gatherShifted(params, indices, 0);
  const rows = isRagged(params) ? params : rowsOf(params, indices as RaggedTensor);
  const repeated = isRagged(indices)
    ? gatherAt(indices, rows.withValues(repeat(range(rows.nrows()), rows.rowLengths(), { axis: 0 })), 0, 0)
    : rows.withValues(repeat(indices, rows.rowLengths(), { axis: 0 }));
  return gatherOfBatches(rows, repeated, axis, batchDims + 1);
}

const rowsOf = (dense: Tensor, like: RaggedTensor): RaggedTensor =>
  RaggedTensor.fromTensor(dense, { raggedRank: 1, rowSplitsDtype: like.partition.dtype });

function flattened(dense: Tensor): Tensor {
  const sizes = shapeOf(dense);
  return reshape(dense, concat([[-1], getItem(sizes, [2, null])], 0));
}

function startsOf(value: Ragged, dtype: DType): Tensor {
  if (isRagged(value)) return cast(value.rowStarts(), dtype);
  const sizes = shapeOf(value, { outType: dtype as SplitsType });
  return mul(range(getItem(sizes, 0)), getItem(sizes, 1));
}

function ranked(tensor: Tensor, wanted: number): Tensor {
  const sizes = shapeOf(tensor);
  const more = ones([sub(wanted, rank(tensor))] as never, sizes.dtype);
  return reshape(tensor, concat([sizes, more], 0));
}

/** Elements by their positions. TF: tf.gather_nd of ragged tensors. @throws ValueError for positions whose number or rank is not known. */
export function raggedGatherNd(plain: Callable, params: RaggedLike, indices: RaggedLike, ...rest: readonly unknown[]): Ragged {
  const names = ["name", "batchDims", "badIndicesPolicy"];
  const { name, batchDims = 0, badIndicesPolicy = "" } = collect<Named & { batchDims: number; badIndicesPolicy: string }>(names, rest);
  if (batchDims !== 0) throw new ValueError("batch_dims != 0 is not supported for ragged gather yet.");
  if (!["", "DEFAULT"].includes(badIndicesPolicy)) throw new ValueError("non-default bad_indices_policy not supported for ragged gather");
  return inNameScope({ name }, "RaggedGatherNd", [params, indices], () => {
    const [from, at] = [converted(params, { name: "params" }), converted(indices, { name: "indices", preferredDtype: "int32" })];
    matchSplits(from, at);
    const { rank: ranks } = at.shape;
    if (ranks === null) throw new ValueError("indices.rank be statically known.");
    if (ranks === 0) throw new ValueError("indices.rank must be at least 1.");
    if (isRagged(at) && ranks === at.raggedRank + 1) throw new ValueError("The innermost dimension of indices may not be ragged");
    const size = at.shape.dim(ranks - 1);
    if (size === null) throw new ValueError("indices.shape[-1] must be statically known.");
    const again = (inner: Ragged, tuples: Tensor): Ragged =>
      isRagged(inner) ? raggedGatherNd(plain, inner, tuples) : gatherNd(inner, tuples);
    if (ranks > 2) {
      const dtype = (isRagged(from) ? from : (at as RaggedTensor)).partition.dtype;
      const rows = isRagged(at) ? at : RaggedTensor.fromTensor(at, { raggedRank: ranks - 2, rowSplitsDtype: dtype });
      const result = rows.withFlatValues(again(from, rows.flatValues));
      return !isRagged(at) && result.raggedRank === ranks - 2 ? result.toTensor() : result;
    }
    return rowsAtPositions(from as RaggedTensor, at as Tensor, ranks, size);
  });
}

function rowsAtPositions(params: RaggedTensor, indices: Tensor, ranks: number, size: number): Ragged {
  if (size === 0) {
    const more = add(rank(params.flatValues), params.raggedRank);
    const wide = Array.from({ length: ranks - 1 }).reduce<RaggedTensor>(value => expanded(value, 0), params);
    return raggedTile(null, wide, concat([getItem(shapeOf(indices), [null, -1]), ones([more] as never, "int32")], 0));
  }
  if (size === 1) return gathered(params, reshape(indices, [-1]), 0, 0);
  const at = cast(indices, params.partition.dtype);
  const column = (k: number): Tensor => getItem(at, ellipsis, k);
  let places = add(gather(params.rowSplits, column(0)), column(1));
  let values: Ragged = params.values;
  for (let k = 2; k < size; k++) {
    if (!isRagged(values)) return gatherNd(values, concat([expandDims(places, 1), getItem(at, ellipsis, [k, null])], 1));
    places = add(gather(values.rowStarts(), places), column(k));
    values = values.values;
  }
  return gathered(values, places, 0, 0);
}

// ---- masks and conditions ----

/** What a mask keeps, in rows of what is left. TF: tf.ragged.boolean_mask. @throws ValueError for a scalar mask, and one of unknown rank. */
export function booleanMask(data: RaggedLike, mask: RaggedLike, { name, ...others }: Named = {}): Ragged {
  refuseOthers(others);
  return inNameScope({ name }, "RaggedMask", [data, mask], () => {
    const values = converted(data, { name: "data" });
    const kept = isRagged(mask) ? mask : convertToTensor(mask, { dtype: "bool", name: "mask" });
    const dtype = matchSplits(values, kept) ?? "int64";
    const { rank } = kept.shape;
    if (rank === null) throw new ValueError("mask.shape.ndims must be known statically.");
    if (rank === 0) throw new ValueError("mask cannot be scalar.");
    if (isRagged(kept)) return maskedRows(values, kept, dtype);
    if (!isRagged(values)) return maskedDense(values, kept, rank, dtype);
    if (rank > 1) {
      const raggedRank = Math.min(values.raggedRank, rank - 1);
      return booleanMask(values, RaggedTensor.fromTensor(kept, { raggedRank, rowSplitsDtype: values.partition.dtype }));
    }
    const splits = splitsOf(maskDense(values.rowLengths(), kept));
    const ids = segmentIdsOf(values.rowSplits);
    return RaggedTensor.fromRowSplits(booleanMask(values.values, gather(kept, ids)), splits, { validate: false });
  });
}

const splitsOf = (lengths: Tensor): Tensor => concat([[0], cumsum(lengths)], -1);

function maskedRows(given: Ragged, mask: RaggedTensor, dtype: SplitsType): Ragged {
  const data = isRagged(given)
    ? given
    : RaggedTensor.fromTensor(given, { raggedRank: mask.raggedRank, rowSplitsDtype: mask.partition.dtype });
  const message = "Inputs must have identical ragged splits";
  const outer = data.nestedRowSplits.slice(0, mask.raggedRank);
  if (outer.length !== mask.raggedRank) throw new ValueError(message);
  const checks = mask.nestedRowSplits.map((splits, i) => assertEqual(splits, outer[i], { message }));
  return getDefaultGraph().controlDependencies(checks, () => {
    const splits: Tensor[] = [];
    let [values, kept]: [Ragged, Ragged] = [data, mask];
    while (isRagged(kept)) {
      if ((kept.shape.rank ?? 0) > 2) splits.push(kept.rowSplits);
      else {
        const counted = raggedReductions.sum(reduceSum, mapFlatValues(cast as never, kept, dtype), 1) as Tensor;
        splits.push(splitsOf(counted));
      }
      [values, kept] = [(values as RaggedTensor).values, kept.values];
    }
    return RaggedTensor.fromNestedRowSplits(booleanMask(values, kept), splits, { validate: false });
  });
}

function maskedDense(data: Tensor, mask: Tensor, rank: number, dtype: SplitsType): Ragged {
  const values = maskDense(data, mask);
  if (rank < 2) return values;
  const lengths = reshape(countNonzero(mask, -1, { dtype }), [-1]);
  let result = RaggedTensor.fromRowLengths(values, lengths, { validate: false });
  if (rank === 2) return result;
  const sizes = shapeOf(mask, { outType: dtype });
  const counts = add(cumprod(sizes), 1);
  for (let axis = rank - 3; axis >= 0; axis--) {
    const size = getItem(sizes, axis + 1);
    result = RaggedTensor.fromRowSplits(result, mul(range(getItem(counts, axis)), size), { validate: false });
  }
  return result;
}

/** Elements of x or y, or the positions that are true. TF: tf.where of ragged tensors. */
export function raggedWhere(_: Callable, condition: RaggedLike, ...rest: readonly unknown[]): Ragged {
  const { x, y, name } = collect<Named & { x: RaggedLike; y: RaggedLike }>(["x", "y", "name"], rest);
  const [isX, isY] = [x, y].map(given => given !== undefined && given !== null);
  if (isX !== isY) throw new ValueError("x and y must be either both None or both non-None");
  return inNameScope("RaggedWhere", String(name), [condition, x, y], () => {
    const test = converted(condition, { name: "condition" });
    if (!isX) return positionsOf(test);
    const [a, b] = [converted(x as RaggedLike, { name: "x" }), converted(y as RaggedLike, { name: "y" })];
    matchSplits(test, a, b);
    if (isRagged(test) && isRagged(a) && isRagged(b)) return mapFlatValues(where as never, test, a, b);
    if (isRagged(test)) throw new ValueError("Input shapes do not match.");
    test.shape.assertHasRank(1);
    const both = raggedConcat(concat, [a, b], 0) as RaggedTensor;
    const outType = both.partition.dtype;
    const [first, second] = [a, b].map(part => (isRagged(part) ? part.nrows({ outType }) : getItem(shapeOf(part, { outType }), 0)));
    return gathered(both, where(test, range(first), add(first, range(second))) as Tensor, 0, 0);
  });
}

function positionsOf(condition: Ragged): Tensor {
  if (!isRagged(condition)) return where(condition) as Tensor;
  const inner = positionsOf(condition.values);
  const test = condition.withRowSplitsDtype(inner.dtype);
  const first = getItem(inner, [], 0);
  const rows = gather(test.valueRowids(), first);
  const columns = sub(first, gather(test.rowSplits, rows));
  return concat([expandDims(rows, 1), expandDims(columns, 1), getItem(inner, [], [1, null])], 1);
}

// ---- rt[…] ----

type Span = readonly (number | bigint | Tensor | null | undefined)[];
/** Bare numbers are int32, as Python's. */
const whole = (value: unknown): TensorLike => (value instanceof Tensor ? value : NDArray.from(value as number, "int32"));
const isSpan = (key: unknown): key is Span => Array.isArray(key);
const isWhole = (span: Span): boolean => span.every(bound => bound === null || bound === undefined);

/** `rt[key, …]`. TF: RaggedTensor.__getitem__. @throws ValueError for an index into a ragged dimension. */
export const raggedGetItem = (rows: RaggedTensor, ...keys: readonly IndexSpec[]): Ragged =>
  inNameScope({}, "RaggedGetItem", [rows, keys.flat().filter(key => key instanceof Tensor)], () => itemOf(rows, keys));

function itemOf(rows: RaggedTensor, keys: readonly IndexSpec[]): Ragged {
  if (keys.length === 0) return rows;
  const [key, ...inner] = keys;
  if (key === ellipsis) return itemOf(rows, withoutEllipsis(keys, rows.shape.rank));
  if (key === newaxis) {
    const item = itemOf(rows, inner) as RaggedTensor;
    return RaggedTensor.fromUniformRowLength(item, sub(splitCount(item), 1), { nrows: 1, validate: false });
  }
  if (isSpan(key)) {
    const sliced = slicedRows(rows, key);
    const { uniformRowLength } = rows;
    if (uniformRowLength === null) return innerItem(sliced, inner);
    return innerItem(RaggedTensor.fromUniformRowLength(sliced.values, uniformRowLength, { nrows: sliced.nrows() }), inner);
  }
  const [starts, limits] = [getItem(rows.rowSplits, [null, -1]), getItem(rows.rowSplits, [1, null])];
  const row = part(rows.values, [getItem(starts, key), getItem(limits, key)]);
  return isRagged(row) ? raggedGetItem(row, ...inner) : getItem(row, ...inner);
}

const part = (values: Ragged, ...keys: readonly IndexSpec[]): Ragged =>
  isRagged(values) ? raggedGetItem(values, ...keys) : getItem(values, ...keys);

function splitCount({ rowSplits, partition }: RaggedTensor): Tensor {
  const known = rowSplits.shape.dim(0);
  const { dtype } = partition;
  return known === null
    ? getItem(shapeOf(rowSplits, { outType: dtype }), 0)
    : convertToTensor((dtype === "int64" ? BigInt(known) : known) as number, { dtype });
}

function slicedRows(rows: RaggedTensor, span: Span): RaggedTensor {
  if (isWhole(span)) return rows;
  const starts = getItem(getItem(rows.rowSplits, [null, -1]), span);
  const limits = getItem(getItem(rows.rowSplits, [1, null]), span);
  const zero = zeros([1], rows.partition.dtype);
  const step = span[2] ?? null;
  if (step !== null && step !== 1) return ofRanges(starts, limits, 1, rows.values);
  const splits = concat([getItem(zero, [sizeOf(starts), null]), getItem(starts, [null, 1]), limits], 0);
  const [first, last] = [getItem(splits, 0), getItem(splits, -1)];
  return RaggedTensor.fromRowSplits(part(rows.values, [first, last]), sub(splits, first), { validate: false });
}

function innerItem(rows: Ragged, keys: readonly IndexSpec[]): Ragged {
  if (keys.length === 0) return rows;
  if (!isRagged(rows)) return getItem(rows, [], ...keys);
  const [key, ...inner] = keys;
  if (key === ellipsis) return innerItem(rows, withoutEllipsis(keys, rows.values.shape.rank));
  if (key === newaxis) {
    const item = innerItem(rows, inner) as RaggedTensor;
    return RaggedTensor.fromUniformRowLength(item, 1, { nrows: sub(splitCount(item), 1), validate: false });
  }
  if (isSpan(key)) {
    if (isWhole(key)) return rows.withValues(innerItem(rows.values, inner));
    const sliced = slicedColumns(rows, key);
    return sliced.withValues(innerItem(sliced.values, inner));
  }
  const length = rows.uniformRowLength;
  if (length === null) throw new ValueError("Cannot index into an inner ragged dimension.");
  const column = cast(whole(key), length.dtype);
  const message = "Index out of bounds when indexing into a ragged tensor";
  const checks = [assertGreaterEqual(column, neg(length), { message }), assertLess(column, length, { message })];
  return getDefaultGraph().controlDependencies(checks, () => {
    const offset = ifNotNegative(
      column,
      () => column,
      () => add(length, column),
    );
    return innerItem(part(rows.values, [offset, null, length]), inner);
  });
}

function slicedColumns(rows: RaggedTensor, span: Span): RaggedTensor {
  const [start, stop, step] = span;
  const isBound = (bound: unknown): boolean =>
    bound === null || bound === undefined || bound instanceof Tensor || Number.isInteger(Number(bound));
  if (!isBound(start) || !isBound(stop)) throw new TypeError("slice offsets must be integers or None");
  const [starts, limits] = [getItem(rows.rowSplits, [null, -1]), getItem(rows.rowSplits, [1, null])];
  const direction = step ?? 1;
  const low = ifNotNegative(
    direction,
    () => starts,
    () => sub(starts, 1),
  );
  const high = ifNotNegative(
    direction,
    () => limits,
    () => sub(limits, 1),
  );
  const bound = (given: Span[number], fromStart: Tensor, fromEnd: Tensor): Tensor => {
    if (given === null || given === undefined)
      return ifNotNegative(
        direction,
        () => fromStart,
        () => sub(fromEnd, 1),
      );
    const offset = cast(whole(given), starts.dtype);
    return ifNotNegative(
      given,
      () => minimum(add(starts, offset), high),
      () => maximum(add(limits, offset), low),
    );
  };
  const from = bound(start, starts, limits);
  const to = bound(stop, limits, starts);
  const sliced = ofRanges(from, to, step ?? 1, rows.values);
  const { uniformRowLength } = rows;
  if (uniformRowLength === null) return sliced;
  const length = sizeOf(getItem(zeros(uniformRowLength as never, "bool"), span), { outType: uniformRowLength.dtype });
  return RaggedTensor.fromUniformRowLength(sliced.values, length, { nrows: rows.nrows() });
}

function withoutEllipsis(keys: readonly IndexSpec[], rank: number | null): readonly IndexSpec[] {
  if (rank === null) throw new ValueError("Ellipsis not supported for unknown shape RaggedTensors");
  const count = keys.filter(key => key !== newaxis).length;
  if (count > rank + 1) throw new RangeError("Too many indices for RaggedTensor");
  return count === rank + 1 ? keys.slice(1) : [[], ...keys];
}

function ofRanges(starts: Tensor, limits: Tensor, step: number | bigint | Tensor, values: Ragged): RaggedTensor {
  const by = convertToTensor(step as TensorLike, { name: "step", preferredDtype: "int32" });
  if (!isInteger(by.dtype)) throw new TypeError("slice strides must be integers or None");
  const places = raggedRange(starts, { limits, deltas: cast(by, starts.dtype), rowSplitsDtype: starts.dtype as SplitsType });
  const indices = places.values as Tensor;
  return places.withValues(isRagged(values) ? gathered(values, indices, 0, 0) : gather(values, indices));
}

function ifNotNegative(value: number | bigint | Tensor, yes: () => Tensor, no: () => Tensor): Tensor {
  const known = value instanceof Tensor ? constantValue(value)?.item() : value;
  if (known === undefined) return cond(greaterEqual(value as Tensor, 0), yes, no) as Tensor;
  return Number(known) >= 0 ? yes() : no();
}
