// Reductions over segments: rows of equal segment number together. Sorted ids (segment_*) fix the number of rows and are known when compiling;
// unsorted ones may be data. Histograms and counts are math/counting.ts.

import type { DType } from "../../base/dtype.ts";
import { isFloating, limitOf } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertIntegers, convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import { defineOp, type Gradients, type Named, type ShapeContext } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { dataIndex, type Index } from "../../ir/index-map.ts";
import type { ScatterCombine, Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { checkListed, collect, need } from "../arguments.ts";
import { expandDims, numbersOf, ones, onesLike, rank, reshape, shape, shapeNode, ZerosLike, zeros, zerosLike } from "../array/array.ts";
import { gather } from "../array/gather.ts";
import { SelectV2, whereV2 } from "../array/selection.ts";
import { concat, getItem, newaxis } from "../array/slicing.ts";
import { cast } from "./cast.ts";
import { divide, Maximum, maximum } from "./math.ts";
import { equal, greater, greaterEqual, logicalAnd } from "./comparison.ts";
import { sqrt } from "./functions.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";

type SegmentKind = "sum" | "mean" | "prod" | "max" | "min";

const combineOf: Record<SegmentKind, ScatterCombine> = { sum: "add", mean: "add", prod: "mul", max: "max", min: "min" };

/** What a segment starts from. */
const startOf = (kind: SegmentKind, dtype: DType): number | bigint =>
  kind === "prod" ? 1 : kind === "max" ? limitOf(dtype, false) : kind === "min" ? limitOf(dtype, true) : 0;

/** What a sorted segment starts from: it is never seen where a segment has no row, so nothing is below it. */
const sortedStart = (kind: SegmentKind, dtype: DType): number | bigint =>
  isFloating(dtype) && kind === "max"
    ? Number.NEGATIVE_INFINITY
    : isFloating(dtype) && kind === "min"
      ? Number.POSITIVE_INFINITY
      : startOf(kind, dtype);

/** rows[ids[r…]] ⊕= data[r…, q…]; ids outside are dropped. */
function scattered(kind: SegmentKind, data: Value, ids: Value, rows: number, start = startOf(kind, data.dtype)): Value {
  const lead = ids.shape.length;
  const base = ir.full(data.dtype, [rows, ...data.shape.slice(lead)], start);
  return ir.scatter(combineOf[kind], base, data.shape, (r: Index[]) => ({
    at: [s.load(ids, r.slice(0, lead)), ...r.slice(lead).map(index => s.index(index))],
    body: s.load(data, r),
  }));
}

// ---- sorted segments ----

/** @throws InvalidArgumentError with the kernel's texts unless the ids are sorted and not negative. */
function checkedIds(ids: NDArray, given?: number): number[] {
  const list = numbersOf(ids);
  const rows = given ?? rowsOf(list);
  need(rows >= rowsOf(list), () => "segment ids must be < num_segments");
  need(list.length === 0 || rows > 0, () => "segment ids must be >= 0");
  list.forEach((id, i) => {
    const next = list[i + 1] ?? Number.POSITIVE_INFINITY;
    need(next >= id, () => "segment ids are not increasing");
    if (next === id) return;
    need(id >= 0 && id < rows, () => `Segment id ${id} out of range [0, ${rows}), possibly because 'segment_ids' input is not sorted.`);
  });
  return list;
}

const rowsOf = (list: readonly number[]): number => (list.length === 0 ? 0 : list[list.length - 1] + 1);

const counts = (list: readonly number[], rows: number): number[] => {
  const result = Array<number>(rows).fill(0);
  for (const id of list) result[id]++;
  return result;
};

/** Rows nobody belongs to hold 0 (of products 1), as TensorFlow's kernels leave them. */
function sortedSegments(kind: SegmentKind, data: Value, list: readonly number[], rows: number): Value {
  const ids = ir.constant(NDArray.from([...list], "int32", [list.length]));
  const sums = scattered(kind, data, ids, rows, sortedStart(kind, data.dtype));
  const sizes = counts(list, rows);
  if (kind === "mean") {
    const table = ir.constant(
      NDArray.from(
        sizes.map(n => Math.max(n, 1)),
        "int32",
        [rows],
      ),
    );
    return ir.generate(sums.shape, i => s.div(s.load(sums, i), s.cast(s.load(table, [i[0]]), data.dtype)));
  }
  if ((kind === "max" || kind === "min") && sizes.includes(0)) {
    const table = ir.constant(NDArray.from(sizes, "int32", [rows]));
    return ir.generate(sums.shape, i => s.select(s.eq(s.load(table, [i[0]]), 0), 0, s.load(sums, i)));
  }
  return sums;
}

type SegmentRecord = { readonly data: Tensor; readonly segmentIds: Tensor; readonly output: Tensor };

const segmentOp = (type: string, kind: SegmentKind, types: readonly DType[], gradient: (record: SegmentRecord, d: Tensor) => Tensor) =>
  defineOp(type, {
    inputs: { data: "T", segmentIds: "Tindices" },
    outputs: { output: "T" },
    attrs: { T: attr.type(types), Tindices: attr.type(attr.indexTypes) },
    shape: ({ data, segmentIds }) => {
      const rows = data.withRankAtLeast(1);
      segmentIds.withRank(1);
      return rows.dims === null ? TensorShape.unknown() : new TensorShape([null, ...rows.dims.slice(1)]);
    },
    gradient: (record: SegmentRecord, d: { readonly output: Tensor }): Gradients => ({ data: gradient(record, d.output) }),
    compileTimeInputs: ["segmentIds"],
    checks: ({ data, segmentIds }) => {
      need(data.length >= 1, () => "input must be at least rank 1");
      need(segmentIds.length === 1, () => "segment_ids should be a vector.");
      need(segmentIds[0] === data[0], () => "segment_ids should be the same size as dimension 0 of input.");
    },
    lower: ({ data, segmentIds }) => {
      const list = checkedIds(segmentIds);
      return sortedSegments(kind, data, list, rowsOf(list));
    },
  });

const extremeGradient = ({ data, segmentIds, output }: SegmentRecord, d: Tensor): Tensor => {
  const none = zerosLike(data, data.dtype);
  const isSelected = equal(data, gather(output, segmentIds));
  const count = segmentSum(cast(isSelected, d.dtype), segmentIds);
  return whereV2(isSelected, gather(divide(d, count), segmentIds), none);
};

/** Each factor's share: the product of the others. One zero in a segment takes all, two leave nothing. */
const productGradient = ({ data, segmentIds, output }: SegmentRecord, d: Tensor): Tensor => {
  const isZero = equal(data, 0);
  const zerosPerRow = SegmentSum({ data: cast(isZero, "int32"), segmentIds });
  const kept = whereV2(greater(zerosPerRow, 1), zerosLike(d), d);
  const nonzero = whereV2(isZero, onesLike(data), data);
  const others = SegmentProd({ data: nonzero, segmentIds });
  const product = gather(output, segmentIds);
  const nonzeroProduct = gather(others, segmentIds);
  const share = whereV2(isZero, nonzeroProduct, operator.truediv(product, nonzero));
  return operator.mul(gather(kept, segmentIds), share);
};

export const SegmentSum = segmentOp("SegmentSum", "sum", attr.numbers, ({ segmentIds }, d) => gather(d, segmentIds));
export const SegmentMean = segmentOp("SegmentMean", "mean", attr.numbers, ({ data, segmentIds }, d) => {
  const length = rank(data);
  const idsShape = shape(segmentIds);
  const rest = ones(expandDims(operator.sub(length, 1), 0), idsShape.dtype);
  const one = ones(concat([idsShape, rest], 0), d.dtype);
  return gather(divide(d, segmentSum(one, segmentIds)), segmentIds);
});
export const SegmentProd = segmentOp("SegmentProd", "prod", attr.numbers, productGradient);
export const SegmentMax = segmentOp("SegmentMax", "max", attr.realNumbers, extremeGradient);
export const SegmentMin = segmentOp("SegmentMin", "min", attr.realNumbers, extremeGradient);

type SegmentFunction = (data: TensorLike, segmentIds: TensorLike, options?: NameOption) => Tensor;

/** Sums of consecutive rows of equal id; ids are sorted. TF: tf.segment_sum. @throws InvalidArgumentError while running if they are not. */
export const segmentSum: SegmentFunction = (data, segmentIds, options) => SegmentSum({ data, segmentIds }, named(options));
export const segmentMean: SegmentFunction = (data, segmentIds, options) => SegmentMean({ data, segmentIds }, named(options));
export const segmentProd: SegmentFunction = (data, segmentIds, options) => SegmentProd({ data, segmentIds }, named(options));
export const segmentMax: SegmentFunction = (data, segmentIds, options) => SegmentMax({ data, segmentIds }, named(options));
export const segmentMin: SegmentFunction = (data, segmentIds, options) => SegmentMin({ data, segmentIds }, named(options));

// ---- unsorted segments ----

function unsortedShape(data: TensorShape, ids: TensorShape, context: ShapeContext): TensorShape {
  context.shapeOf("numSegments").withRank(0);
  const rows = context.scalarSize("numSegments");
  if (data.rank === null || ids.rank === null) return TensorShape.unknown();
  data.checkPrefix(ids);
  return new TensorShape([rows]).concatenate(data.slice(ids.rank));
}

function unsorted(kind: SegmentKind, data: Value, ids: Value, numSegments: NDArray): Value {
  const [rows] = numbersOf(numSegments);
  if (data.shape.slice(0, ids.shape.length).join() !== ids.shape.join())
    throw new InvalidArgumentError(
      `data.shape = [${data.shape.join(",")}] does not start with segment_ids.shape = [${ids.shape.join(",")}]`,
    );
  need(rows >= 0, () => `Input num_segments == ${rows} must not be negative.`);
  // Of no numbers TensorFlow asks nothing.
  if (data.shape.includes(0)) return ir.full(data.dtype, [rows, ...data.shape.slice(ids.shape.length)], startOf(kind, data.dtype));
  ir.check(ids.shape, r => s.lt(s.load(ids, r), rows), {
    label: "segment ids",
    reads: [ids],
    error: (at, read) => {
      const flat = at.reduce((sum, i, axis) => sum * ids.shape[axis] + i, 0);
      return new InvalidArgumentError(
        `segment_ids${at.length === 0 ? "" : `[${at.join(",")}]`} = ${read(ids).get(flat)} is out of range [0, ${rows})`,
      );
    },
  });
  return scattered(kind, data, ids, rows);
}

type UnsortedRecord = { readonly data: Tensor; readonly segmentIds: Tensor; readonly numSegments: Tensor; readonly output: Tensor };

const unsortedOp = (
  type: string,
  kind: SegmentKind,
  types: readonly DType[],
  indexTypes: readonly DType[],
  gradient: (record: UnsortedRecord, d: Tensor) => Tensor,
  takesSlices = false,
) =>
  defineOp(type, {
    inputs: { data: "T", segmentIds: "Tindices", numSegments: "Tnumsegments" },
    outputs: { output: "T" },
    attrs: { T: attr.type(types), Tindices: attr.type(indexTypes), Tnumsegments: attr.type(attr.indexTypes, "int32") },
    shape: ({ data, segmentIds }, context) => unsortedShape(data, segmentIds, context),
    gradient: (record: UnsortedRecord, d: { readonly output: Tensor }): Gradients => ({ data: gradient(record, d.output) }),
    takesSlices,
    checks: ({ numSegments }) => need(numSegments.length === 0, () => `num_segments should be a scalar, not shape [${numSegments}]`),
    lower: ({ data, segmentIds, numSegments }, context) => {
      const limit = context.mayCap ? context.atMost("numSegments") : undefined;
      if (limit === undefined) return unsorted(kind, data, segmentIds, context.required("numSegments"));
      return context.capped(unsorted(kind, data, segmentIds, limit), ir.cast(numSegments, "int32"));
    },
  });

interface Kept {
  readonly values: Tensor;
  readonly clipped: Tensor;
  readonly isPositive: Tensor;
}

/** Rows gathered by id, zero for negative ids. */
function gatherPositive(params: Tensor, ids: Tensor | null, known?: Omit<Kept, "values">): Kept {
  const clipped = known?.clipped ?? maximum(ids as Tensor, zerosLike(ids as Tensor));
  const gathered = gather(params, clipped);
  const isPositive = known?.isPositive ?? spreadCondition(greaterEqual(ids as Tensor, 0), gathered);
  return { values: whereV2(isPositive, gathered, zerosLike(gathered)), clipped, isPositive };
}

function spreadCondition(condition: Tensor, like: Tensor): Tensor {
  const own = shape(condition);
  const rest = ones([operator.sub(rank(like), rank(condition))], own.dtype);
  return operator.and(reshape(condition, concat([own, rest], 0)), onesLike(like, "bool"));
}

const unsortedExtremeGradient = ({ data, segmentIds, numSegments, output }: UnsortedRecord, d: Tensor): Tensor => {
  const { values, clipped, isPositive } = gatherPositive(output, segmentIds);
  const isSelected = logicalAnd(equal(data, values), isPositive);
  const count = unsortedSegmentSum(cast(isSelected, d.dtype), segmentIds, numSegments);
  const { values: shares } = gatherPositive(divide(d, count), null, { clipped, isPositive });
  return whereV2(isSelected, shares, zerosLike(shares));
};

/** Zeros for segments with more than one zero. Slices become dense inside of the selection, as where Python passes them to it. */
function zeroWhere(condition: Tensor, d: Tensor | IndexedSlices, shape: TensorShape): Tensor {
  if (!(d instanceof IndexedSlices)) return whereV2(condition, zerosLike(d), d);
  const none = shape.isFullyDefined
    ? zeros(shape, d.dtype, { name: "zeros_like" })
    : inNameScope(undefined, "zeros_like", [], scope => ZerosLike({ x: slicesToTensor(d, { name: "x" }) }, { name: String(scope) }));
  return inNameScope(undefined, "SelectV2", [], scope =>
    SelectV2({ condition, t: none, e: slicesToTensor(d, { name: "e" }) }, { name: String(scope) }),
  );
}

const unsortedProductGradient = ({ data, segmentIds, numSegments, output }: UnsortedRecord, d: Tensor | IndexedSlices): Tensor => {
  const isZero = equal(data, 0);
  const zerosPerRow = UnsortedSegmentSum({ data: cast(isZero, "int32"), segmentIds, numSegments });
  const kept = zeroWhere(greater(zerosPerRow, 1), d, output.shape);
  const nonzero = whereV2(isZero, onesLike(data), data);
  const others = UnsortedSegmentProd({ data: nonzero, segmentIds, numSegments });
  const clipped = maximum(segmentIds, zerosLike(segmentIds));
  const product = gather(output, clipped);
  const nonzeroProduct = gather(others, clipped);
  const share = whereV2(isZero, nonzeroProduct, operator.truediv(product, data));
  const gathered = gather(kept, clipped);
  const isPositive = spreadCondition(greaterEqual(segmentIds, 0), gathered);
  return operator.mul(whereV2(isPositive, gathered, zerosLike(gathered)), share);
};

export const UnsortedSegmentSum = unsortedOp(
  "UnsortedSegmentSum",
  "sum",
  attr.numbers,
  ["int16", "int32", "int64"],
  ({ segmentIds }, d) => gatherPositive(d, segmentIds).values,
);
export const UnsortedSegmentProd = unsortedOp("UnsortedSegmentProd", "prod", attr.numbers, attr.indexTypes, unsortedProductGradient, true);
export const UnsortedSegmentMax = unsortedOp("UnsortedSegmentMax", "max", attr.realNumbers, attr.indexTypes, unsortedExtremeGradient);
export const UnsortedSegmentMin = unsortedOp("UnsortedSegmentMin", "min", attr.realNumbers, attr.indexTypes, unsortedExtremeGradient);

type UnsortedFunction = (data: TensorLike, segmentIds: TensorLike, numSegments: TensorLike, options?: NameOption) => Tensor;

/** Sums of rows of equal id in any order; negative ids are dropped. TF: tf.unsorted_segment_sum. */
export const unsortedSegmentSum: UnsortedFunction = (data, segmentIds, numSegments, options) =>
  UnsortedSegmentSum({ data, segmentIds, numSegments }, named(options));
export const unsortedSegmentProd: UnsortedFunction = (data, segmentIds, numSegments, options) =>
  UnsortedSegmentProd({ data, segmentIds, numSegments }, named(options));
export const unsortedSegmentMax: UnsortedFunction = (data, segmentIds, numSegments, options) =>
  UnsortedSegmentMax({ data, segmentIds, numSegments }, named(options));
export const unsortedSegmentMin: UnsortedFunction = (data, segmentIds, numSegments, options) =>
  UnsortedSegmentMin({ data, segmentIds, numSegments }, named(options));

/** Whole numbers are int32; a list of nothing holds floats, as numpy has it. */
const integersOf = (value: TensorLike): Tensor =>
  Array.isArray(value) && value.length === 0 ? convertToTensor(value) : convertIntegers(value);

/** How many rows each segment has, at least 1, in a shape that broadcasts against the sums. */
function segmentSizes(data: Tensor, ids: Tensor, numSegments: TensorLike): Tensor {
  const rows = numSegments instanceof Tensor ? numSegments : integersOf(numSegments);
  const one = ones(shapeNode(ids, true), data.dtype);
  const sums = UnsortedSegmentSum({ data: one, segmentIds: ids, numSegments: rows });
  const broadcastable = concat([getItem(rows, newaxis), ones([operator.sub(rank(data), rank(ids))], rows.dtype)], 0);
  return Maximum({ x: reshape(sums, broadcastable), y: 1 });
}

const dividedSegments =
  (fallback: string, divisor: (sizes: Tensor) => Tensor): UnsortedFunction =>
  (data, segmentIds, numSegments, options) =>
    inNameScope(options, fallback, [data, segmentIds], () => {
      const x = convertToTensor(data);
      const ids = integersOf(segmentIds);
      const sizes = segmentSizes(x, ids, numSegments);
      const sums = UnsortedSegmentSum({ data: x, segmentIds: ids, numSegments });
      return operator.truediv(sums, divisor(sizes));
    });

/** Means of rows of equal id. TF: tf.unsorted_segment_mean. */
export const unsortedSegmentMean = dividedSegments("UnsortedSegmentMean", sizes => sizes);
/** Sums divided by the square root of their number. TF: tf.unsorted_segment_sqrt_n. */
export const unsortedSegmentSqrtN = dividedSegments("UnsortedSegmentSqrtN", sizes => sqrt(sizes));

/** The whole tensor that slices describe: rows of equal index add up, absent rows are zero. TF: convert_to_tensor of IndexedSlices.
 *  @throws ValueError if the shape of the whole is unknown. */
export function slicesToTensor(gradient: Tensor | IndexedSlices, options?: NameOption): Tensor {
  if (!(gradient instanceof IndexedSlices)) return gradient;
  const { values, indices, denseShape } = gradient;
  if (denseShape === null) throw new ValueError(`Tensor conversion requested for IndexedSlices without dense_shape: ${gradient}`);
  return unsortedSegmentSum(values, indices, getItem(denseShape, 0), options);
}

// ---- sparse segments: gather and reduce in one ----

type SparseKind = "sum" | "mean" | "sqrtn";

/** Rows data[indices[k]] summed by segmentIds[k], then scaled by the size of the segment. */
function sparseSegments(kind: SparseKind, data: Value, indices: Value, ids: NDArray, rows?: number): Value {
  const last = rowsOf(numbersOf(ids)) - 1;
  need(rows !== undefined || last < 2 ** 31 - 1, () => `Last segment id must be < kintmax, got ${last} limit 2147483647`);
  const list = checkedIds(ids, rows);
  const count = rows ?? rowsOf(list);
  checkListed(count, data.dtype);
  const size = data.shape[0];
  ir.check(indices.shape, r => s.and(s.ge(s.load(indices, r), 0), s.lt(s.load(indices, r), size)), {
    label: "sparse segment",
    reads: [indices],
    error: ([k], read) => new InvalidArgumentError(`Bad: indices[${k}] == ${read(indices).get(k)} out of range [0, ${size})`),
  });
  const picked = ir.generate([list.length, ...data.shape.slice(1)], i =>
    s.load(data, [dataIndex(s.load(indices, [i[0]]), size), ...i.slice(1)]),
  );
  const isShort = data.dtype === "float16" || data.dtype === "bfloat16";
  const sums = scattered(
    "sum",
    isShort ? ir.cast(picked, "float32") : picked,
    ir.constant(NDArray.from(list, "int32", [list.length])),
    count,
  );
  if (kind === "sum") return ir.cast(sums, data.dtype);
  const scale = counts(list, count).map(n => scaleOf(kind, n));
  const table = ir.constant(NDArray.from(scale, sums.dtype, [count]));
  return ir.cast(
    ir.generate(sums.shape, i => s.div(s.load(sums, i), s.load(table, [i[0]]))),
    data.dtype,
  );
}

const scaleOf = (kind: SparseKind, n: number): number =>
  kind === "sum" ? 1 : kind === "mean" ? Math.max(n, 1) : Math.sqrt(Math.max(n, 1));

function sparseShape(data: TensorShape, indices: TensorShape, ids: TensorShape, rows: number | null): TensorShape {
  indices.withRank(1).mergeWith(ids.withRank(1));
  const known = data.withRankAtLeast(1);
  return known.dims === null ? TensorShape.unknown() : new TensorShape([rows, ...known.dims.slice(1)]);
}

const sparseAttrs = (types: readonly DType[]) => ({
  T: attr.type(types),
  Tidx: attr.type(attr.indexTypes, "int32"),
  Tsegmentids: attr.type(attr.indexTypes, "int32"),
});

function checkSparseIds({ data, indices, segmentIds }: Readonly<Record<"data" | "indices" | "segmentIds", readonly number[]>>): void {
  need(indices.length === 1, () => "indices should be a vector.");
  need(segmentIds.length === 1, () => "segment_ids should be a vector.");
  need(segmentIds[0] === indices[0], () => "segment_ids and indices should have same size.");
  need(data.length > 0, () => "Shape must be at least rank 1");
}

const sparseOp = (type: string, kind: SparseKind, types: readonly DType[]) =>
  defineOp(type, {
    inputs: { data: "T", indices: "Tidx", segmentIds: "Tsegmentids" },
    outputs: { output: "T" },
    attrs: { ...sparseAttrs(types), sparseGradient: attr.bool(false) },
    shape: ({ data, indices, segmentIds }) => sparseShape(data, indices, segmentIds, null),
    gradient: (record, d): Gradients => ({ data: sparseGradient(kind, record, d.output) }),
    checks: checkSparseIds,
    compileTimeInputs: ["segmentIds"],
    lower: ({ data, indices, segmentIds }) => sparseSegments(kind, data, indices, segmentIds),
  });

const sparseCountedOp = (type: string, kind: SparseKind, types: readonly DType[]) =>
  defineOp(type, {
    inputs: { data: "T", indices: "Tidx", segmentIds: "Tsegmentids", numSegments: "Tnumsegments" },
    outputs: { output: "T" },
    attrs: { ...sparseAttrs(types), Tnumsegments: attr.type(attr.indexTypes, "int32"), sparseGradient: attr.bool(false) },
    shape: ({ data, indices, segmentIds, numSegments }, context) => {
      const whole = sparseShape(data, indices, segmentIds, null);
      numSegments.withRank(0);
      const rows = context.partial("numSegments")?.values[0] ?? null;
      if (rows !== null && rows < 0) throw new ValueError("Cannot specify a negative value for num_segments");
      return whole.dims === null ? whole : new TensorShape([rows, ...whole.dims.slice(1)]);
    },
    gradient: (record, d): Gradients => ({ data: sparseGradient(kind, record, d.output) }),
    checks: checkSparseIds,
    compileTimeInputs: ["segmentIds", "numSegments"],
    lower: ({ data, indices, segmentIds, numSegments }) => sparseSegments(kind, data, indices, segmentIds, numbersOf(numSegments)[0]),
  });

/** The ids of a gradient's rows: in any order, but the last is none too large. */
function gradientIds(ids: NDArray, segments: number): number[] {
  const list = numbersOf(ids);
  need(rowsOf(list) <= segments, () => "Invalid number of segments");
  for (const id of list) need(id >= 0 && id < segments, () => `Segment id ${id} out of range [0, ${segments}).`);
  return list;
}

/** For every index the gradient of its segment, divided by the segment's scale. */
function spreadSegments(kind: SparseKind, grad: Value, list: readonly number[]): Value {
  const sizes = counts(list, grad.shape[0]);
  const table = ir.constant(NDArray.from([...list], "int32", [list.length]));
  const scale = ir.constant(
    NDArray.from(
      list.map(id => scaleOf(kind, sizes[id])),
      grad.dtype,
      [list.length],
    ),
  );
  return ir.generate([list.length, ...grad.shape.slice(1)], i =>
    s.div(s.load(grad, [dataIndex(s.load(table, [i[0]]), grad.shape[0]), ...i.slice(1)]), s.load(scale, [i[0]])),
  );
}

/** What the shape functions of gradients ask, in their order. */
function checkSparseShapes(grad: TensorShape, indices: TensorShape, ids: TensorShape, rows: TensorShape): void {
  grad.withRankAtLeast(1);
  ids.mergeWith(indices.withRank(1));
  rows.withRank(0);
}

/** data rows get back the gradient of their segment, scaled. */
const sparseGradOp = (type: string, kind: SparseKind) =>
  defineOp(type, {
    inputs: { grad: "T", indices: "Tidx", segmentIds: "Tsegmentids", outputDim0: "int32" },
    outputs: { output: "T" },
    attrs: sparseAttrs(["bfloat16", "float16", "float32", "float64"]),
    shape: ({ grad, indices, segmentIds, outputDim0 }, context) => {
      checkSparseShapes(grad, indices, segmentIds, outputDim0);
      return sparseShape(grad, indices, segmentIds, context.partial("outputDim0")?.values[0] ?? null);
    },
    checks: ({ grad, ...ids }) => checkSparseIds({ data: grad, ...ids }),
    compileTimeInputs: ["segmentIds", "outputDim0"],
    lower: ({ grad, indices, segmentIds, outputDim0 }) => {
      const rows = spreadSegments(kind, grad, gradientIds(segmentIds, grad.shape[0]));
      const [size] = numbersOf(outputDim0);
      if (size === 0) return ir.full(grad.dtype, [0, ...grad.shape.slice(1)], 0);
      ir.check(indices.shape, r => s.and(s.ge(s.load(indices, r), 0), s.lt(s.load(indices, r), size)), {
        label: "sparse segment",
        reads: [indices],
        error: ([k], read) => new InvalidArgumentError(`Index ${read(indices).get(k)} out of range [0, ${size}).`),
      });
      return scattered("sum", rows, indices, size);
    },
  });

/** As sparseGradOp, but only the rows that occur, in order, and which they are. */
const sparseSlicesOp = (type: string, kind: SparseKind) =>
  defineOp(type, {
    inputs: { grad: "T", indices: "Tidx", segmentIds: "Tsegmentids", denseOutputDim0: "int32" },
    outputs: { output: "T", sortedUniqueIndices: "Tidx" },
    attrs: sparseAttrs(["bfloat16", "float16", "float32", "float64"]),
    shape: ({ grad, indices, segmentIds, denseOutputDim0 }) => {
      checkSparseShapes(grad, indices, segmentIds, denseOutputDim0);
      return [sparseShape(grad, indices, segmentIds, null), new TensorShape([null])];
    },
    checks: ({ grad, ...ids }) => checkSparseIds({ data: grad, ...ids }),
    compileTimeInputs: ["indices", "segmentIds"],
    lower: ({ grad, indices, segmentIds, Tidx }) => {
      const rows = numbersOf(indices);
      const occurring = [...new Set(rows)].sort((a, b) => a - b);
      const places = rows.map(row => occurring.indexOf(row));
      const shares = spreadSegments(kind, grad, gradientIds(segmentIds, grad.shape[0]));
      const at = ir.constant(NDArray.from(places, "int32", [places.length]));
      return [scattered("sum", shares, at, occurring.length), ir.constant(NDArray.from(occurring, Tidx, [occurring.length]))];
    },
  });

const floats = ["bfloat16", "float16", "float32", "float64"] as const satisfies readonly DType[];

export const SparseSegmentSumGrad = sparseGradOp("SparseSegmentSumGrad", "sum");
export const SparseSegmentMeanGrad = sparseGradOp("SparseSegmentMeanGrad", "mean");
export const SparseSegmentSqrtNGrad = sparseGradOp("SparseSegmentSqrtNGrad", "sqrtn");
export const SparseSegmentSumGradV2 = sparseSlicesOp("SparseSegmentSumGradV2", "sum");
export const SparseSegmentMeanGradV2 = sparseSlicesOp("SparseSegmentMeanGradV2", "mean");
export const SparseSegmentSqrtNGradV2 = sparseSlicesOp("SparseSegmentSqrtNGradV2", "sqrtn");

const sparseGradients = {
  sum: { dense: () => SparseSegmentSumGrad, slices: () => SparseSegmentSumGradV2 },
  mean: { dense: () => SparseSegmentMeanGrad, slices: () => SparseSegmentMeanGradV2 },
  sqrtn: { dense: () => SparseSegmentSqrtNGrad, slices: () => SparseSegmentSqrtNGradV2 },
};

type SparseRecord = { readonly data: Tensor; readonly indices: Tensor; readonly segmentIds: Tensor; readonly sparseGradient: boolean };

function sparseGradient(
  kind: SparseKind,
  { data, indices, segmentIds, sparseGradient: asSlices }: SparseRecord,
  grad: Tensor,
): Tensor | IndexedSlices {
  if (!asSlices) return sparseGradients[kind].dense()({ grad, indices, segmentIds, outputDim0: getItem(shape(data), 0) });
  const dims = shape(data);
  const { output, sortedUniqueIndices } = sparseGradients[kind].slices()({ grad, indices, segmentIds, denseOutputDim0: getItem(dims, 0) });
  return new IndexedSlices(output, sortedUniqueIndices, dims);
}

export const SparseSegmentSum = sparseOp("SparseSegmentSum", "sum", attr.realNumbers);
export const SparseSegmentMean = sparseOp("SparseSegmentMean", "mean", floats);
export const SparseSegmentSqrtN = sparseOp("SparseSegmentSqrtN", "sqrtn", floats);
export const SparseSegmentSumWithNumSegments = sparseCountedOp("SparseSegmentSumWithNumSegments", "sum", attr.realNumbers);
export const SparseSegmentMeanWithNumSegments = sparseCountedOp("SparseSegmentMeanWithNumSegments", "mean", floats);
export const SparseSegmentSqrtNWithNumSegments = sparseCountedOp("SparseSegmentSqrtNWithNumSegments", "sqrtn", floats);

interface SparseOptions extends Named {
  readonly numSegments?: TensorLike | null;
  readonly sparseGradient?: boolean;
}

type SparseFunction = (data: TensorLike, indices: TensorLike, segmentIds: TensorLike, ...rest: unknown[]) => Tensor;

const sparseFunction =
  (op: () => typeof SparseSegmentSum, counted: () => typeof SparseSegmentSumWithNumSegments): SparseFunction =>
  (data, indices, segmentIds, ...rest) => {
    const { name, numSegments, sparseGradient = false } = collect<SparseOptions>(["name", "numSegments", "sparseGradient"], rest);
    const record = { data, indices, segmentIds, sparseGradient };
    return numSegments === undefined || numSegments === null ? op()(record, { name }) : counted()({ ...record, numSegments }, { name });
  };

/** Sums of the rows of data at `indices`, by sorted segment. TF: tf.sparse_segment_sum(data, indices, segment_ids, name, num_segments). */
export const sparseSegmentSum = sparseFunction(
  () => SparseSegmentSum,
  () => SparseSegmentSumWithNumSegments,
);
export const sparseSegmentMean = sparseFunction(
  () => SparseSegmentMean,
  () => SparseSegmentMeanWithNumSegments,
);
export const sparseSegmentSqrtN = sparseFunction(
  () => SparseSegmentSqrtN,
  () => SparseSegmentSqrtNWithNumSegments,
);
