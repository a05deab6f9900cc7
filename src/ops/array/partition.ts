// Ops whose results depend on which values occur: dynamicPartition, dynamicStitch, unique, set difference, searching.
// Where a result's size is known only with the values, the run is cut there (compileTimeInputs).

import type { DType } from "../../base/dtype.ts";
import { isBigInteger, isInteger, wordsPerElement } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { latinText, NDArray, numbersIn } from "../../base/ndarray.ts";
import type { Dimension } from "../../base/shape.ts";
import { sameShape, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertIntegers, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type LowerContext, type Named, type ShapeContext } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex, dataIndex, divIndex, type Index, modIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { type Scalar, s } from "../../ir/scalar.ts";
import { collect, need } from "../arguments.ts";
import { numbersOf, reshape, shape, shapeNode } from "./array.ts";
import { gather } from "./gather.ts";
import { range } from "./ranges.ts";
import { getItem } from "./slicing.ts";
import { reduceProd } from "../math/reduction.ts";
import { named, type NameOption } from "../named.ts";

/** The rows of a value at known positions, in order: an ordinary load through a constant table. */
function rowsAt(value: Value, rows: readonly number[]): Value {
  const dims = [rows.length, ...value.shape.slice(1)];
  if (rows.length === 0 || value.shape[0] === 0) return ir.full(value.dtype, dims, 0);
  const table = ir.constant(NDArray.from([...rows], "int32", [rows.length]));
  return ir.generate(dims, i => s.load(value, [dataIndex(s.load(table, [i[0]]), value.shape[0]), ...i.slice(1)]));
}

const flatRows = (value: Value, lead: number): Value => ir.reshape(value, [sizeOf(value.shape.slice(0, lead)), ...value.shape.slice(lead)]);

// ---- partition and stitch ----

export const DynamicPartition = defineOp("DynamicPartition", {
  inputs: { data: "T", partitions: "int32" },
  outputs: { outputs: "numPartitions*T" },
  attrs: { numPartitions: attr.int(undefined, 1), T: attr.type() },
  shape: ({ data, partitions, numPartitions }) => {
    if (partitions.rank === null || data.rank === null) return Array.from({ length: numPartitions }, () => TensorShape.unknown());
    data.checkPrefix(partitions);
    const piece = new TensorShape([null]).concatenate(data.slice(partitions.rank));
    return Array.from({ length: numPartitions }, () => piece);
  },
  gradient: ({ data, partitions, numPartitions }, d): Gradients => {
    const prefix = shape(partitions);
    const indices = reshape(range(reduceProd(prefix)), prefix);
    const parted = dynamicPartition(indices, partitions, numPartitions);
    const stitched = ParallelDynamicStitch({ indices: parted, data: d.outputs });
    return { data: reshape(stitched, shape(data)) };
  },
  compileTimeInputs: ["partitions"],
  lower: ({ data, partitions, numPartitions }) => {
    const lead = partitions.rank;
    if (data.shape.slice(0, lead).join() !== partitions.shape.join())
      throw new InvalidArgumentError(
        `data.shape must start with partitions.shape, got data.shape = [${data.shape.join(",")}], partitions.shape = [${partitions.shape.join(",")}]`,
      );
    const list = numbersOf(partitions);
    const bad = list.findIndex(p => p < 0 || p >= numPartitions);
    if (bad >= 0) throw new InvalidArgumentError(`partitions${at(bad, partitions.shape)} = ${list[bad]} is not in [0, ${numPartitions})`);
    const rows = flatRows(data, lead);
    return Array.from({ length: numPartitions }, (_, p) =>
      rowsAt(
        rows,
        list.flatMap((own, row) => (own === p ? [row] : [])),
      ),
    );
  },
});

/** `[1,2]` for a position in a shape, nothing for a scalar. */
function at(flat: number, dims: readonly number[]): string {
  if (dims.length === 0) return "";
  const position: number[] = [];
  let rest = flat;
  for (const d of [...dims].reverse()) {
    position.unshift(rest % d);
    rest = Math.floor(rest / d);
  }
  return `[${position.join(",")}]`;
}

function stitchedShape(indices: readonly TensorShape[], data: readonly TensorShape[], rows: Dimension): TensorShape {
  let rest = TensorShape.unknown();
  indices.forEach((index, k) => {
    if (index.rank === null || data[k].rank === null) return;
    data[k].checkPrefix(index);
    rest = rest.mergeWith(data[k].slice(index.rank));
  });
  return new TensorShape([rows]).concatenate(rest);
}

/** merged[indices[k][i]] = data[k][i]; later pieces win; rows nobody writes are zero. */
function stitched(indices: readonly NDArray[], data: readonly Value[]): Value {
  const rest = data[0].shape.slice(indices[0].rank);
  const lists = indices.map(numbersOf);
  const count = Math.max(-1, ...lists.flat()) + 1;
  for (const list of lists) {
    const bad = list.findIndex(i => i < 0);
    need(bad < 0, () => `indices[${bad}] is out of range`);
  }
  need(count < 2 ** 31, () => `Expected a non-negative size, got ${count | 0}`);
  const rows = data.map(({ shape }, k) => {
    const { rank, shape: places } = indices[k];
    need(
      sameShape(shape.slice(0, rank), places),
      () => `data[${k}].shape = [${shape}] does not start with indices[${k}].shape = [${places}]`,
    );
    need(
      sameShape(shape.slice(rank), rest),
      () =>
        `Need data[0].shape[${indices[0].rank}:] = data[${k}].shape[${rank}:], got data[0].shape = [${data[0].shape}], data[${k}].shape = [${shape}], indices[0].shape = [${indices[0].shape}], indices[${k}].shape = [${places}]`,
    );
    return flatRows(data[k], rank);
  });
  // A table says where each row comes from in all pieces laid end to end; the row after them is zero.
  const table = Array<number>(count).fill(lists.flat().length);
  let from = 0;
  for (const list of lists) {
    list.forEach((i, row) => void (table[i] = from + row));
    from += list.length;
  }
  const all = ir.concat([...rows.filter(({ shape: [n] }) => n > 0), ir.full(data[0].dtype, [1, ...rest], 0)], 0);
  return rowsAt(all, table);
}

const stitchFields = {
  inputs: { indices: "N*int32", data: "N*T" },
  outputs: { merged: "T" },
  attrs: { N: attr.int(undefined, 1), T: attr.type() },
  compileTimeInputs: ["indices"],
  isLenient: true,
} as const;

type StitchRecord = { readonly indices: readonly TensorShape[]; readonly data: readonly TensorShape[] };
function stitchShape({ indices, data }: StitchRecord, context: ShapeContext): TensorShape {
  const known = indices.map((_, k) => context.constant("indices", k));
  const rows = known.some(list => list === undefined) ? null : Math.max(-1, ...known.flatMap(list => (list ? numbersOf(list) : []))) + 1;
  return stitchedShape(indices, data, rows);
}

export const DynamicStitch = defineOp("DynamicStitch", {
  ...stitchFields,
  shape: stitchShape,
  gradient: ({ indices }, d): Gradients => ({ data: indices.map(index => gather(d.merged, index)) }),
  partial: ({ indices, data }) => {
    if (
      indices.some(list => !list || list.values.includes(null)) ||
      data.some(list => !list || list.shape.length > 1 || list.values.includes(null))
    )
      return undefined;
    const values: (number | null)[] = [];
    indices.forEach((list, k) => {
      list?.values.forEach((i, row) => void (values[i as number] = data[k]?.values[row] ?? null));
    });
    return { shape: [values.length], values: Array.from(values, v => v ?? null) };
  },
  lower: ({ indices, data }) => stitched(indices, data),
});

export const ParallelDynamicStitch = defineOp("ParallelDynamicStitch", {
  ...stitchFields,
  shape: stitchShape,
  gradient: ({ indices }, d): Gradients => ({ data: indices.map(index => gather(d.merged, index)) }),
  lower: ({ indices, data }) => stitched(indices, data),
});

/** The rows of data sorted into `numPartitions` tensors by their number in `partitions`. TF: tf.dynamic_partition. */
export const dynamicPartition = (
  data: TensorLike,
  partitions: TensorLike,
  numPartitions: number,
  options?: NameOption,
): readonly Tensor[] => DynamicPartition({ data, partitions, numPartitions }, named(options));
/** One tensor of the rows of several, each at its index; of equal indices the last wins. TF: tf.dynamic_stitch. */
export const dynamicStitch = (indices: readonly TensorLike[], data: readonly TensorLike[], options?: NameOption): Tensor =>
  DynamicStitch({ indices, data }, named(options));

// ---- unique, set difference ----

/** Equal elements have equal keys; undefined for NaN, which equals nothing. Vectors of 16-bit floats TensorFlow goes through by bits: zeros of both
 *  signs differ there, but not in rows. */
function keyOf(array: NDArray, i: number): string | undefined {
  const value = array.get(i);
  if (value instanceof Uint8Array) return latinText(value);
  const parts = typeof value === "object" ? [value.re, value.im] : [value];
  if (parts.some(part => Number.isNaN(part))) return undefined;
  const isByBits = array.rank === 1 && (array.dtype === "float16" || array.dtype === "bfloat16");
  return parts.map(part => (isByBits && Object.is(part, -0) ? "-0" : String(part))).join("+");
}

/** Distinct rows along an axis in order of first occurrence: their positions, and for each row which it is. */
function distinct(array: NDArray, axis: number): { first: number[]; which: number[]; counts: number[] } {
  const length = array.shape[axis] ?? 1;
  const key = rowKeys(array, axis);
  const seen = new Map<unknown, number>();
  const result = { first: [] as number[], which: [] as number[], counts: [] as number[] };
  for (let row = 0; row < length; row++) {
    const value = key(row);
    let k = seen.get(value);
    if (k === undefined) {
      k = result.first.length;
      seen.set(value, k);
      result.first.push(row);
      result.counts.push(0);
    }
    result.counts[k]++;
    result.which.push(k);
  }
  return result;
}

/** Equal rows have equal keys. */
function rowKeys(array: NDArray, axis: number): (row: number) => unknown {
  const outer = sizeOf(array.shape.slice(0, axis));
  const length = array.shape[axis] ?? 1;
  const inner = sizeOf(array.shape.slice(axis + 1));
  if (outer * inner === 1) {
    const { data, dtype } = array;
    // Numbers are their own keys, but NaN, which equals nothing.
    if (isInteger(dtype)) return row => data[row];
    if (dtype === "float32" || dtype === "float64") return row => (Number.isNaN(data[row]) ? {} : data[row]);
  }
  return row => {
    const keys: (string | undefined)[] = [];
    for (let o = 0; o < outer; o++) for (let i = 0; i < inner; i++) keys.push(keyOf(array, (o * length + row) * inner + i));
    return keys.includes(undefined) ? keys : keys.join("\u0000");
  };
}

/** Elements of an array at positions along an axis. */
function taken(array: NDArray, axis: number, rows: readonly number[]): NDArray {
  const dims = array.shape.length === 0 ? [rows.length] : array.shape.with(axis, rows.length);
  const result = NDArray.zeros(array.dtype, dims);
  // As they lie in memory, whatever the type.
  const [from, into] = [array.data as Float64Array, result.data as Float64Array];
  const words = sizeOf(array.shape.slice(axis + 1)) * wordsPerElement(array.dtype);
  const length = array.shape[axis] ?? 1;
  const outer = sizeOf(array.shape.slice(0, axis));
  let to = 0;
  for (let o = 0; o < outer; o++) for (const row of rows) for (let i = 0; i < words; i++) into[to++] = from[(o * length + row) * words + i];
  return result;
}

const isId = (dtype: DType): boolean => dtype === "int32" || dtype === "int64";

/** Distinct ids of a run's own values, in order of first occurrence, at the most there can be: sorting brings equal ones together. */
function distinctIds(x: Value, outIdx: DType, { capped }: LowerContext): [y: Value, idx: Value] {
  const [n] = x.shape;
  if (n === 0) return [x, ir.full(outIdx, [0], 0)];
  const one = s.constant("int32", 1);
  const nowhere = s.constant("int32", -1);
  const zeros = ir.full("int32", [n], 0);
  const { values, indices: from } = ir.sort(x, n, false);
  // Sorting is stable, so the head of each group of equals is the one that comes first in x.
  const isHead = ir.generate([n], ([i]) => {
    const previous = addIndex(i, constantIndex(-1));
    const differs = s.ne(s.load(values, [i]), s.load(values, [previous]));
    return s.guard([{ index: previous, low: 0, high: n }], s.cast(differs, "int32"), one);
  });
  const group = ir.scan(isHead, 0, "sum");
  const isFirst = ir.scatter("assign", zeros, [n], r => ({ at: [s.load(from, r)], body: s.load(isHead, r) }));
  const before = ir.scan(isFirst, 0, "sum", { exclusive: true });
  const chosen = (flag: Scalar, at: Scalar): Scalar => s.select(s.ne(flag, 0), at, nowhere);
  const positionOf = ir.scatter("assign", zeros, [n], r => ({
    at: [chosen(s.load(isHead, r), s.sub(s.load(group, r), 1))],
    body: s.load(before, [dataIndex(s.load(from, r), n)]),
  }));
  const idx = ir.scatter("assign", ir.full(outIdx, [n], 0), [n], r => ({
    at: [s.load(from, r)],
    body: s.cast(s.load(positionOf, [dataIndex(s.sub(s.load(group, r), 1), n)]), outIdx),
  }));
  const y = ir.scatter("assign", ir.full(x.dtype, [n], 0), [n], r => ({
    at: [chosen(s.load(isFirst, r), s.load(before, r))],
    body: s.load(x, r),
  }));
  return [capped(y, ir.reduce("sum", isFirst, [0])), idx];
}

function vector(values: readonly number[], dtype: DType): Value {
  const array = NDArray.zeros(dtype, [values.length]);
  for (let i = 0; i < values.length; i++) array.set(i, values[i]);
  return ir.constant(array);
}
const unknownVector = new TensorShape([null]);
/** The shape itself, also where it is unknown, of what has to be a vector. */
const vectorLike = (x: TensorShape): TensorShape => (x.rank === null ? x : x.withRank(1));

export const Unique = defineOp("Unique", {
  inputs: { x: "T" },
  outputs: { y: "T", idx: "outIdx" },
  attrs: { T: attr.type(), outIdx: attr.type(attr.indexTypes, "int32") },
  shape: ({ x }) => [unknownVector, vectorLike(x)],
  partial: ({ x, outputIndex }) => {
    if (x === undefined || x.values.includes(null)) return undefined;
    const values = [...new Set(x.values)];
    return outputIndex === 0
      ? { shape: [values.length], values }
      : { shape: x.shape, values: x.values.map(value => values.indexOf(value)) };
  },
  sizesFromValues: true,
  lower: ({ x, outIdx }, context) => {
    need(x.shape.length === 1, () => "unique expects a 1D vector.");
    if (context.known("x") === undefined && context.mayCap && isId(x.dtype)) return distinctIds(x, outIdx, context);
    const array = context.required("x");
    const { first, which } = distinct(array, 0);
    return [ir.constant(taken(array, 0, first)), vector(which, outIdx)];
  },
});

export const UniqueWithCounts = defineOp("UniqueWithCounts", {
  inputs: { x: "T" },
  outputs: { y: "T", idx: "outIdx", count: "outIdx" },
  attrs: { T: attr.type(), outIdx: attr.type(attr.indexTypes, "int32") },
  shape: ({ x }) => [unknownVector, x, unknownVector],
  compileTimeInputs: ["x"],
  lower: ({ x, outIdx }) => {
    need(x.rank === 1, () => "unique expects a 1D vector.");
    const { first, which, counts } = distinct(x, 0);
    return [ir.constant(taken(x, 0, first)), vector(which, outIdx), vector(counts, outIdx)];
  },
});

const axisOf = (axis: NDArray, length: number): number => {
  if (axis.size === 0) need(length === 1, () => "unique expects a 1D vector.");
  const [k] = axis.size === 0 ? [0] : numbersOf(axis);
  if (k < -length || k >= length) throw new InvalidArgumentError(`axis has to be between [0, ${length})`);
  return k < 0 ? k + length : k;
};

function checkUniqueAxis({ axis }: { readonly axis: readonly number[] }): void {
  need(axis.length === 1, () => "axis expects a 1D vector.");
  need(axis[0] <= 1, () => "axis does not support input tensors larger than 1 elements");
}

function axisShapes(x: TensorShape, axis: TensorShape, context: ShapeContext): [y: TensorShape, idx: TensorShape] {
  const given = context.constant("axis");
  if (x.dims === null) return [x, unknownVector];
  const rank = x.dims.length;
  const y = TensorShape.unknownOfRank(rank);
  if (given === undefined) return [y, unknownVector];
  if (axis.rank !== 1) throw new ValueError("axis expects a 1D vector.");
  if (given.size > 1) throw new ValueError("axis does not support input tensors larger than 1 elements.");
  if (given.size === 0) {
    if (rank !== 1) throw new ValueError("x expects a 1D vector.");
    return [y, x];
  }
  const [k] = numbersOf(given);
  if (k < -rank || k >= rank) throw new ValueError(`axis expects to be in the range [${-rank}, ${rank})`);
  return [y, new TensorShape([x.dims[k < 0 ? k + rank : k]])];
}

export const UniqueV2 = defineOp("UniqueV2", {
  inputs: { x: "T", axis: "Taxis" },
  outputs: { y: "T", idx: "outIdx" },
  attrs: { T: attr.type(), Taxis: attr.type(attr.indexTypes, "int64"), outIdx: attr.type(attr.indexTypes, "int32") },
  shape: ({ x, axis }, context) => axisShapes(x, axis, context),
  isLenient: true,
  checks: checkUniqueAxis,
  compileTimeInputs: ["x", "axis"],
  lower: ({ x, axis, outIdx }) => {
    const along = axisOf(axis, x.rank);
    const { first, which } = distinct(x, along);
    return [ir.constant(taken(x, along, first)), vector(which, outIdx)];
  },
});

export const UniqueWithCountsV2 = defineOp("UniqueWithCountsV2", {
  inputs: { x: "T", axis: "Taxis" },
  outputs: { y: "T", idx: "outIdx", count: "outIdx" },
  attrs: { T: attr.type(), Taxis: attr.type(attr.indexTypes, "int64"), outIdx: attr.type(attr.indexTypes, "int32") },
  shape: ({ x, axis }, context) => [...axisShapes(x, axis, context), unknownVector],
  isLenient: true,
  checks: checkUniqueAxis,
  compileTimeInputs: ["x", "axis"],
  lower: ({ x, axis, outIdx }) => {
    const along = axisOf(axis, x.rank);
    const { first, which, counts } = distinct(x, along);
    return [ir.constant(taken(x, along, first)), vector(which, outIdx), vector(counts, outIdx)];
  },
});

/** The elements of x that are not in y, and where they are. */
export const ListDiff = defineOp("ListDiff", {
  inputs: { x: "T", y: "T" },
  outputs: { out: "T", idx: "outIdx" },
  attrs: { T: attr.type(), outIdx: attr.type(attr.indexTypes, "int32") },
  shape: ({ x, y }) => {
    x.withRank(1);
    y.withRank(1);
    return [unknownVector, unknownVector];
  },
  checks: ({ x, y }) => {
    need(x.length === 1, () => "x should be a 1D vector.");
    need(y.length === 1, () => "y should be a 1D vector.");
  },
  compileTimeInputs: ["x", "y"],
  partial: ({ x, y, outputIndex }) => {
    if (!x || !y || x.values.includes(null) || y.values.includes(null)) return undefined;
    const kept = x.values.flatMap((v, i) => (y.values.includes(v) ? [] : [outputIndex === 0 ? v : i]));
    return { shape: [kept.length], values: kept };
  },
  lower: ({ x, y, outIdx }) => {
    const gone = new Set(Array.from({ length: y.size }, (_, i) => keyOf(y, i)));
    const kept = Array.from({ length: x.size }, (_, i) => i).filter(i => {
      const key = keyOf(x, i);
      return key === undefined || !gone.has(key);
    });
    return [ir.constant(taken(x, 0, kept)), vector(kept, outIdx)];
  },
});

interface UniqueOptions extends Named {
  readonly outIdx?: DType;
}

/** The distinct elements of a vector in order of first occurrence, and for each element which it is. TF: tf.unique(x, out_idx, name). */
export function unique(x: TensorLike, ...rest: unknown[]): { readonly y: Tensor; readonly idx: Tensor } {
  const { outIdx = "int32", name } = collect<UniqueOptions>(["outIdx", "name"], rest);
  return Unique({ x, outIdx }, { name });
}

/** unique, and how often each occurs. TF: tf.unique_with_counts(x, out_idx, name). */
export function uniqueWithCounts(x: TensorLike, ...rest: unknown[]): { readonly y: Tensor; readonly idx: Tensor; readonly count: Tensor } {
  const { outIdx = "int32", name } = collect<UniqueOptions>(["outIdx", "name"], rest);
  return UniqueWithCounts({ x, outIdx }, { name });
}

/** The elements of x that are not in y, in order, and their positions. TF: tf.setdiff1d(x, y, index_dtype, name). */
export function setdiff1d(x: TensorLike, y: TensorLike, ...rest: unknown[]): { readonly out: Tensor; readonly idx: Tensor } {
  const { indexDtype = "int32", name } = collect<Named & { indexDtype: DType }>(["indexDtype", "name"], rest);
  return ListDiff({ x, y, outIdx: indexDtype }, { name });
}

// ---- searching ----

/** How many elements of each sorted row are below (or, inclusive, not above) each value: halving, as the C++ library does it, for rows that are not sorted. */
function positions(sorted: Value, values: Value, inclusive: boolean, dtype: DType): Value {
  const run = ([rows, wanted]: readonly NDArray[], [found]: readonly NDArray[]): void => {
    const [n, each] = [rows.shape[1], wanted.shape[1]];
    const [inRows, values] = [rows, wanted].map(array => (isBigInteger(array.dtype) ? (array.data as BigInt64Array) : numbersIn(array)));
    const places = dtype === "int32" ? (found.data as Int32Array) : new Int32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const start = Math.floor(i / each) * n;
      const value = values[i];
      let first = 0;
      for (let left = n; left > 0; ) {
        const half = left >> 1;
        const middle = inRows[start + first + half];
        if (inclusive ? !(value < middle) : middle < value) {
          first += half + 1;
          left -= half + 1;
        } else left = half;
      }
      places[i] = first;
    }
    if (dtype === "int64") for (let i = 0; i < values.length; i++) (found.data as BigInt64Array)[i] = BigInt(places[i]);
  };
  return ir.call({ name: "positions", run }, [sorted, values], [{ dtype, shape: values.shape }])[0];
}

const boundOp = (type: string, inclusive: boolean) =>
  defineOp(type, {
    inputs: { sortedInputs: "T", values: "T" },
    outputs: { output: "outType" },
    attrs: { T: attr.type(), outType: attr.type(attr.indexTypes, "int32") },
    shape: ({ sortedInputs, values }) => {
      sortedInputs.withRank(2);
      return values.rank === null ? values : values.withRank(2);
    },
    checks: ({ sortedInputs, values }) => {
      need(sortedInputs.length === 2, () => "sorted input argument must be a matrix");
      need(values.length === 2, () => "values argument must be a matrix");
      need(sortedInputs[0] === values[0], () => "Leading dim_size of both tensors must match.");
    },
    lower: ({ sortedInputs, values, outType }) => positions(sortedInputs, values, inclusive, outType),
  });

export const LowerBound = boundOp("LowerBound", false);
export const UpperBound = boundOp("UpperBound", true);

interface SearchOptions extends Named {
  readonly side?: "left" | "right";
  readonly outType?: DType;
}

/** Where values belong in sorted rows: the first ("left") or last ("right") place that keeps the order. TF: tf.searchsorted. */
export function searchsorted(sortedSequence: TensorLike, values: TensorLike, ...rest: unknown[]): Tensor {
  const { side = "left", outType = "int32", name } = collect<SearchOptions>(["side", "outType", "name"], rest);
  if (side !== "left" && side !== "right")
    throw new ValueError(`Argument \`side\` must be either 'right' or 'left'. Received: \`side\` = '${side}'.`);
  const [length, count] = [sortedSequence, values].map(x => getItem(shapeNode(convertIntegers(x), true), -1));
  const record = { sortedInputs: reshape(sortedSequence, [-1, length]), values: reshape(values, [-1, count]), outType };
  return reshape(side === "right" ? UpperBound(record, { name }) : LowerBound(record, { name }), shape(values));
}

/** Positions in a flattened array as coordinates. */
export const UnravelIndex = defineOp("UnravelIndex", {
  inputs: { indices: "Tidx", dims: "Tidx" },
  outputs: { output: "Tidx" },
  attrs: { Tidx: attr.type(attr.indexTypes, "int32") },
  shape: ({ indices, dims }) => {
    const count = dims.withRank(1).dim(0);
    if (indices.rank === null) return TensorShape.unknown();
    return indices.rank === 0 ? new TensorShape([count]) : new TensorShape([count, indices.size]);
  },
  compileTimeInputs: ["dims"],
  lower: ({ indices, dims, Tidx }) => {
    const extents = numbersOf(dims);
    const size = sizeOf(extents);
    ir.check(indices.shape, r => s.and(s.ge(s.load(indices, r), 0), s.lt(s.load(indices, r), size)), {
      label: "UnravelIndex",
      reads: [],
      error: () => new InvalidArgumentError("index is out of bound as with dims"),
    });
    const coordinate = (flat: Index, k: number): Index =>
      modIndex(divIndex(flat, Math.max(sizeOf(extents.slice(k + 1)), 1)), Math.max(extents[k], 1));
    const pick = (flat: Index, axis: Index): ReturnType<typeof s.index> =>
      extents.reduceRight(
        (rest, _, k) => s.guard([{ index: axis, low: k, high: k + 1 }], s.index(coordinate(flat, k), Tidx as "int32"), rest),
        s.constant(Tidx, 0),
      );
    const out = indices.shape.length === 0 ? [extents.length] : [extents.length, sizeOf(indices.shape)];
    const list = ir.reshape(indices, [sizeOf(indices.shape)]);
    return ir.generate(out, i => pick(dataIndex(s.load(list, [i[1] ?? constantIndex(0)]), size), i[0]));
  },
});

/** Coordinates in an array of shape `dims` of flat positions. TF: tf.unravel_index. */
export const unravelIndex = (indices: TensorLike, dims: TensorLike, options?: NameOption): Tensor =>
  UnravelIndex({ indices, dims }, named(options));
