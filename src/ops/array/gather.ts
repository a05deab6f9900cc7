// Reading and writing at indices that are data: gather and scatter, by rows or by whole positions.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sameShape, sizeOf, stridesOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertIntegers, convertToTensor, isRowSource, type TensorLike } from "../../graph/conversion.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import { defineOp, type Gradients, type LowerContext, type Named, type ShapeContext } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticValue } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import { constantIndex, dataIndex, type Index } from "../../ir/index-map.ts";
import type { ScatterCombine, Value } from "../../ir/program.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { s } from "../../ir/scalar.ts";
import { collect, need } from "../arguments.ts";
import { expandDims, identity, numbersOf, ones, rank, reshape, shape, size, squeeze, zeros, zerosLike } from "./array.ts";
import { tile } from "./padding.ts";
import { meshgrid, Range, range } from "./ranges.ts";
import { transpose } from "./rearranging.ts";
import { concat, getItem, stack, unstack } from "./slicing.ts";
import { Cast, cast } from "../math/cast.ts";
import { equal } from "../math/comparison.ts";
import { Prod } from "../math/reduction.ts";
import { unsortedSegmentSum } from "../math/segment.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";

const gatherTypes = ["int16", "int32", "int64"] as const satisfies readonly DType[];

// ---- gather ----

/** Stops the run if an index is out of range; known indices are looked at now. */
function checkIndices(indices: Value, size: number, context: LowerContext): void {
  const failed = (at: readonly number[], value: number | bigint): InvalidArgumentError =>
    new InvalidArgumentError(`indices${at.length === 0 ? "" : `[${at.join(",")}]`} = ${value} is not in [0, ${size})`);
  const known = context.known("indices");
  if (known) {
    const bad = numbersOf(known).findIndex(k => k < 0 || k >= size);
    if (bad >= 0) throw failed(positionOf(bad, known.shape), numbersOf(known)[bad]);
    return;
  }
  ir.check(
    indices.shape,
    r => {
      const at = s.load(indices, r);
      return s.and(s.ge(at, 0), s.lt(at, size));
    },
    { label: "gather", reads: [indices], error: (at, read) => failed(at, read(indices).get(flatPosition(at, indices.shape)) as number) },
  );
}

const flatPosition = (at: readonly number[], dims: readonly number[]): number => at.reduce((flat, i, axis) => flat * dims[axis] + i, 0);
const positionOf = (flat: number, dims: readonly number[]): number[] => {
  let rest = flat;
  return [...dims]
    .reverse()
    .map(d => {
      const i = rest % d;
      rest = Math.floor(rest / d);
      return i;
    })
    .reverse();
};

/** out[p…, k…, q…] = params[p…, indices[batch…, k…], q…]. */
function gathered(params: Value, indices: Value, axis: number, batchDims: number, context: LowerContext): Value {
  const size = params.shape[axis];
  const inner = indices.shape.length - batchDims;
  const dims = [...params.shape.slice(0, axis), ...indices.shape.slice(batchDims), ...params.shape.slice(axis + 1)];
  // Where there is nothing to take, TensorFlow looks at no index.
  if (sizeOf(dims) > 0) checkIndices(indices, size, context);
  if (size === 0 || sizeOf(dims) === 0) return ir.full(params.dtype, dims, 0);
  return ir.generate(dims, i => {
    const at = dataIndex(s.load(indices, [...i.slice(0, batchDims), ...i.slice(axis, axis + inner)]), size);
    return s.load(params, [...i.slice(0, axis), at, ...i.slice(axis + inner)]);
  });
}

export const Gather = defineOp("Gather", {
  inputs: { params: "Tparams", indices: "Tindices" },
  outputs: { output: "Tparams" },
  attrs: { validateIndices: attr.bool(true), Tparams: attr.type(), Tindices: attr.type(attr.indexTypes) },
  shape: ({ params, indices }) => indices.concatenate(params.withRankAtLeast(1).slice(1)),
  gradient: ({ params, indices }, d): Gradients => {
    const paramsShape = params.graph.colocateWith(params, undefined, () => shape(params));
    return { params: rowsGradient(paramsShape, indices, expandDims(size(indices), 0), d.output) };
  },
  checks: ({ params }) => need(params.length > 0, () => "params must be at least 1 dimensional"),
  lower: ({ params, indices }, context) => gathered(params, indices, 0, 0, context),
  movesHandles: true,
});

export const GatherV2 = defineOp("GatherV2", {
  inputs: { params: "Tparams", indices: "Tindices", axis: "Taxis" },
  outputs: { output: "Tparams" },
  attrs: { batchDims: attr.int(0), Tparams: attr.type(), Tindices: attr.type(gatherTypes), Taxis: attr.type(attr.indexTypes) },
  shape: ({ params, indices, axis, batchDims }, context) => {
    axis.withRank(0);
    return gatheredShape(params, indices, batchDims, context);
  },
  checks: ({ params, axis }) => {
    need(params.length > 0, () => "params must be at least 1 dimensional");
    need(axis.length === 0, () => "axis must be scalar");
  },
  gradient: ({ params, indices, axis, batchDims }, d): Gradients => ({
    params: gatherGradient(params, indices, axis, batchDims, d.output),
  }),
  compileTimeInputs: ["axis"],
  movesHandles: true,
  partial: ({ params, indices, axis }) => {
    if (params?.shape.length !== 1 || params.values.includes(null) || !indices || axis?.values[0] !== 0) return undefined;
    return { shape: indices.shape, values: indices.values.map(i => (i === null ? null : (params.values[i] ?? null))) };
  },
  lower: ({ params, indices, axis, batchDims }, context) => {
    const length = params.shape.length;
    const [given] = numbersOf(axis);
    const least = given < 0 ? -given : given + 1;
    need(least <= length, () => `Shape must be at least rank ${least} but is rank ${length}`);
    const at = given < 0 ? given + length : given;
    const most = indices.shape.length;
    need(
      batchDims === 0 || (batchDims >= -most && batchDims <= most),
      () => `Expected batch_dims in the range [${-most}, ${most}], but got ${batchDims}`,
    );
    const batch = batchDims < 0 ? batchDims + most : batchDims;
    need(batch < length, () => `batch_dims (${batch}) must be less than rank(params) (${length}).`);
    need(batch <= at, () => `batch_dims (${batch}) must be less than or equal to axis (${at}).`);
    params.shape.slice(0, batch).forEach((d, i) => {
      if (d !== indices.shape[i])
        throw new InvalidArgumentError(`params.shape[${i}]: ${d} should be equal to indices.shape[${i}]: ${indices.shape[i]}`);
    });
    return gathered(params, indices, at, batch, context);
  },
});

function gatheredShape(params: TensorShape, indices: TensorShape, batchDims: number, context: ShapeContext): TensorShape {
  const axis = context.partial("axis")?.values[0];
  params.withRankAtLeast(1);
  if (axis !== undefined && axis !== null) params.withRankAtLeast(axis < 0 ? -axis : axis + 1);
  indices.withRankAtLeast(Math.abs(batchDims));
  params.withRankAtLeast(batchDims < 0 ? -batchDims : batchDims + 1);
  if (params.dims === null || indices.dims === null) return TensorShape.unknown();
  const length = params.dims.length;
  const batch = batchDims < 0 ? batchDims + indices.dims.length : batchDims;
  if (axis === undefined || axis === null) return TensorShape.unknownOfRank(length - 1 + indices.dims.length - batch);
  const at = axis < 0 ? axis + length : axis;
  return params
    .slice(0, at)
    .concatenate(indices.slice(batch))
    .concatenate(params.slice(at + 1));
}

/** The gradient of gathered rows: the rows themselves, with their indices. */
function rowsGradient(paramsShape: Tensor, indices: Tensor, count: Tensor, d: Tensor): IndexedSlices {
  const valuesShape = concat([count, getItem(paramsShape, [1, null])], 0);
  const values = reshape(d, valuesShape);
  return new IndexedSlices(values, reshape(indices, count), paramsShape);
}

function gatherGradient(params: Tensor, indices: Tensor, axis: Tensor, givenBatch: number, d: Tensor): Tensor | IndexedSlices {
  const batchDims = givenBatch < 0 ? givenBatch + (indices.shape.rank ?? Number.NaN) : givenBatch;
  if (Number.isNaN(batchDims))
    throw new ValueError(
      `Currently, it is unsupported to take the gradient of tf.gather when batch_dims < 0 and the rank of the indices is unknown. Please pass a positive batch_dims or use tf.ensure_shape to update the shape of indices when calling tf.gather. Got batch_dims=${givenBatch} and indices=${indices}`,
    );
  const paramsShape = params.graph.colocateWith(params, undefined, () => shape(params));
  const count = expandDims(size(indices), 0);
  if (Number(staticValue(axis)?.item()) === 0) return rowsGradient(paramsShape, indices, count, d);
  const outer = getItem(paramsShape, [null, axis]);
  const inner = getItem(getItem(paramsShape, [axis, null]), [1, null]);
  const valuesShape = concat([outer, [-1], inner], 0);
  const [valuesDims, axisDims] = [size(valuesShape), size(outer)];
  const outerBatch = range(batchDims);
  const batchAxes = range(batchDims, axisDims);
  const innerAxes = range(operator.add(axisDims, 1), valuesDims);
  const values = reshape(d, valuesShape);
  const order = concat([outerBatch, [axisDims], batchAxes, innerAxes], 0);
  const turned = transpose(values, order);
  const turnedShape = gather(paramsShape, order);
  const byRow = batchedRowsGradient(turnedShape, turned, indices, batchDims, getItem(paramsShape, axis));
  const back = concat([outerBatch, operator.add(batchAxes, 1), [batchDims], innerAxes], 0);
  return reshape(transpose(byRow, back), shape(params));
}

/** Sums rows of equal index; with batch dimensions each batch has its own rows. */
function batchedRowsGradient(paramsShape: Tensor, values: Tensor, indices: Tensor, batchDims: number, dimSize: Tensor): Tensor {
  const count = expandDims(size(indices), 0);
  if (batchDims === 0) return unsortedSegmentSum(values, reshape(indices, count), dimSize);
  const valuesShape = shape(values);
  const outer = getItem(valuesShape, [null, batchDims]);
  const inner = getItem(getItem(valuesShape, [batchDims, null]), [1, null]);
  const batches = Prod({ input: outer, reductionIndices: [0] });
  const flatShape = concat([[-1], inner], 0);
  const all = operator.mul(dimSize, batches);
  const positions = batchOffsets(paramsShape, indices, batchDims);
  const flat = reshape(values, flatShape);
  const sums = unsortedSegmentSum(flat, reshape(positions, count), all);
  return reshape(sums, concat([outer, flatShape], 0));
}

/** Indices into the batches laid end to end. */
function batchOffsets(paramsShape: Tensor, indices: Tensor, batchDims: number): Tensor {
  let result = indices;
  const dims = cast(paramsShape, indices.dtype);
  let stride = ones([], indices.dtype);
  for (let dim = batchDims; dim > 0; dim--) {
    const extent = getItem(dims, dim - 1);
    stride = operator.mul(stride, getItem(dims, dim));
    const offsets = operator.mul(range(zeros([], indices.dtype), extent, ones([], indices.dtype)), stride);
    const onesOf = (count: TensorLike): Tensor => tile(NDArray.from([1], "int32"), [count]);
    const before = onesOf(dim - 1);
    const extentShape = concat([before, [cast(extent, "int32")], onesOf(operator.sub(rank(indices), dim))], 0);
    result = operator.add(result, reshape(offsets, extentShape));
  }
  return result;
}

export interface GatherOptions extends Named {
  readonly axis?: TensorLike | null;
  /** Leading axes that params and indices share. */
  readonly batchDims?: number;
  readonly validateIndices?: boolean | null;
}

/** Slices of params along `axis` (0) at the given indices. TF: tf.gather(params, indices, validate_indices, name, axis, batch_dims).
 *  @throws InvalidArgumentError while running for an index out of range. */
export function gather(params: TensorLike, indices: TensorLike, ...rest: unknown[]): Tensor;
export function gather(params: TensorLike, indices: TensorLike, options?: GatherOptions): Tensor;
export function gather(params: TensorLike, indices: TensorLike, ...rest: unknown[]): Tensor {
  const { axis, batchDims = 0, name } = collect<GatherOptions>(["validateIndices", "name", "axis", "batchDims"], rest);
  const at = axis ?? batchDims;
  if (isRowSource(params) && (at instanceof Tensor ? Number(staticValue(at)?.item()) === 0 : at === 0))
    return params.sparseRead(indices, { name });
  return GatherV2({ params, indices, axis: at, batchDims }, { name });
}

/** gather with all axes of the indices but the last shared with params. TF: tf.batch_gather. */
export const batchGather = (params: TensorLike, indices: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "BatchGather", [params, indices], () => {
    const at =
      typeof indices === "number" ? convertToTensor(indices, { name: "indices", dtype: "int32" }) : convertIntegers(indices, "indices");
    const from = convertToTensor(params, { name: "params" });
    return gatherRowsOfBatches(from, at);
  });

/** Rows of the batches laid end to end, as TensorFlow has made this function since before GatherV2 knew batches. */
function gatherRowsOfBatches(params: Tensor, indices: Tensor): Tensor {
  const { rank: length } = indices.shape;
  if (length === null) throw new ValueError("batch_gather does not allow indices with unknown shape.");
  const batchDims = length - 1;
  const check = (rank: number | null, name: string): void => {
    if (rank !== null && (batchDims < 0 || batchDims >= rank))
      throw new ValueError(`Argument \`batch_dims\` = ${batchDims} must be less than rank(\`${name}\`) = ${rank}`);
  };
  check(batchDims < 0 ? 0 : length, "indices");
  check(params.shape.rank, "params");
  const [indicesShape, paramsShape] = [shape(indices), shape(params)];
  const { dtype } = indices;
  let stride = ones([], dtype);
  const dims = Cast({ x: paramsShape, DstT: dtype });
  let positions = indices;
  for (let dim = batchDims; dim > 0; dim--) {
    const extent = getItem(dims, dim - 1);
    stride = operator.mul(stride, getItem(dims, dim));
    const start = zeros([], dtype);
    const offsets = operator.mul(Range({ start, limit: extent, delta: ones([], dtype) }), stride);
    const ofRank = [...Array<number>(dim - 1).fill(1), extent, ...Array<number>(length - dim).fill(1)];
    positions = operator.add(positions, reshape(offsets, stack(ofRank)));
  }
  const flat = reshape(positions, [-1]);
  const outer = getItem(paramsShape, [batchDims + 1, null]);
  const rows = Prod({ input: getItem(paramsShape, [null, batchDims + 1]), reductionIndices: [0] });
  const result = reshape(gather(reshape(params, concat([[rows], outer], 0)), flat), concat([indicesShape, outer], 0));
  result.setShape(
    indices.shape
      .slice(0, batchDims)
      .mergeWith(params.shape.slice(0, batchDims))
      .concatenate(indices.shape.slice(batchDims))
      .concatenate(params.shape.slice(batchDims + 1)),
  );
  return result;
}

// ---- positions ----

const notWithin = (
  what: string,
  at: readonly number[],
  position: readonly (number | bigint)[],
  dims: readonly number[],
  tail = "",
): InvalidArgumentError =>
  new InvalidArgumentError(
    `indices${at.length === 0 ? "" : `[${at.join(",")}]`} = [${position.join(", ")}] does not index into ${what} [${dims.join(",")}]${tail}`,
  );

/** Stops the run if a row of `indices` is no position in `dims`; of several such rows the first one is named, or the last. */
function checkPositions(
  indices: Value,
  dims: readonly number[],
  depth: number,
  error: (at: readonly number[], position: readonly (number | bigint)[]) => Error,
  named: "first" | "last" = "first",
): void {
  if (depth === 0) return;
  const rows = indices.shape.slice(0, -1);
  ir.check(
    rows,
    r =>
      Array.from({ length: depth }, (_, k) => {
        const at = s.load(indices, [...r, constantIndex(k)]);
        return s.and(s.ge(at, 0), s.lt(at, dims[k]));
      }).reduce((all, ok) => s.and(all, ok)),
    {
      label: "indices",
      reads: [indices],
      error: (at, read) => {
        const array: NDArray = read(indices);
        const position = (row: number): number[] => Array.from({ length: depth }, (_, k) => array.get(row * depth + k) as number);
        if (named === "first") return error(at, position(flatPosition(at, rows)));
        let row = sizeOf(rows) - 1;
        while (position(row).every((x, k) => x >= 0 && x < dims[k])) row--;
        return error(
          stridesOf(rows).map((stride, axis) => Math.floor(row / stride) % rows[axis]),
          position(row),
        );
      },
    },
  );
}

const policy = { badIndicesPolicy: attr.string("") };
const ignoresBad = (badIndicesPolicy: string): boolean => badIndicesPolicy === "IGNORE";

export const GatherNd = defineOp("GatherNd", {
  inputs: { params: "Tparams", indices: "Tindices" },
  outputs: { output: "Tparams" },
  attrs: { Tparams: attr.type(), Tindices: attr.type(gatherTypes), ...policy },
  shape: ({ params, indices }) => {
    if (params.dims === null || indices.dims === null) return TensorShape.unknown();
    const depth = indices.withRankAtLeast(1).dim(-1);
    if (depth === null) return TensorShape.unknown();
    if (depth > params.dims.length)
      throw new ValueError(
        `indices.shape[-1] must be <= params.rank, but saw indices shape: ${indices.format()} and params shape: ${params.format()}`,
      );
    return indices.slice(0, -1).concatenate(params.slice(depth));
  },
  checks: ({ params, indices }) => {
    need(params.length >= 1, () => "params must be at least a vector");
    need(indices.length >= 1, () => "indices must be at least a vector");
    const depth = indices[indices.length - 1];
    need(depth <= params.length, () => `index innermost dimension length must be <= params rank; saw: ${depth} vs. ${params.length}`);
    const count = sizeOf(indices.slice(0, -1));
    need(count === 0 || !params.includes(0), () => `Requested more than 0 entries, but params is empty.  Params shape: [${params}]`);
  },
  gradient: ({ params, indices, badIndicesPolicy }, d): Gradients => {
    const paramsShape = shape(params, { outType: indices.dtype });
    if (indices.shape.rank === 2 && indices.shape.dim(-1) === 1)
      return { params: new IndexedSlices(d.output, squeeze(indices, -1), paramsShape) };
    return { params: ScatterNd({ indices, updates: d.output, shape: paramsShape, badIndicesPolicy }) };
  },
  lower: ({ params, indices, badIndicesPolicy }, { name }) => {
    const depth = indices.shape[indices.shape.length - 1];
    const rows = indices.shape.slice(0, -1);
    const dims = [...rows, ...params.shape.slice(depth)];
    if (depth > params.shape.length)
      throw new InvalidArgumentError(`index innermost dimension length must be <= params rank; saw: ${depth} vs. ${params.shape.length}`);
    if (!ignoresBad(badIndicesPolicy))
      checkPositions(
        indices,
        params.shape,
        depth,
        (at, position) => notWithin("param shape", at, position, params.shape, `, node name: ${name}`),
        "last",
      );
    if (sizeOf(dims) === 0 || sizeOf(params.shape) === 0) return ir.full(params.dtype, dims, 0);
    return ir.generate(dims, i => {
      const row = i.slice(0, rows.length);
      const part = (k: number): Scalar => s.load(indices, [...row, constantIndex(k)]);
      const at = Array.from({ length: depth }, (_, k) => dataIndex(part(k), params.shape[k]));
      const value = s.load(params, [...at, ...i.slice(rows.length)]);
      if (!ignoresBad(badIndicesPolicy) || depth === 0) return value;
      const isInside = at.map((_, k) => s.and(s.ge(part(k), 0), s.lt(part(k), params.shape[k]))).reduce((all, ok) => s.and(all, ok));
      return s.select(isInside, value, 0);
    });
  },
});

/** updates[r…, q…] joined into the base at indices[r…]. */
function scatterRows(combine: ScatterCombine, base: Value, indices: Value, updates: Value): Value {
  const depth = indices.shape[indices.shape.length - 1];
  const rows = indices.shape.length - 1;
  return ir.scatter(combine, base, updates.shape, (r: Index[]) => ({
    at: [
      ...Array.from({ length: depth }, (_, k) => s.load(indices, [...r.slice(0, rows), constantIndex(k)])),
      ...r.slice(rows).map(index => s.index(index)),
    ],
    body: s.load(updates, r),
  }));
}

function checkUpdates(indices: TensorShape, updates: TensorShape, output: TensorShape): void {
  const has = ({ size }: TensorShape): boolean => size !== null && size > 0;
  if (output.size === 0 && (has(indices) || has(updates))) throw new ValueError("Indices and updates specified for empty input");
  if (!updates.dims?.length || indices.dims === null || output.dims === null) return;
  const depth = indices.withRankAtLeast(1).dim(-1);
  if (depth === null) return;
  const rows = indices.dims.length - 1;
  const place = `indices.shape:${indices.format()}, updates.shape:${updates.format()}`;
  const compare = (ours: string, part: TensorShape, theirs: string, other: TensorShape): void => {
    try {
      part.mergeWith(other);
    } catch (error) {
      const [reason] = (error as ValueError).reason.split("\n\n");
      throw new ValueError(`Dimensions ${ours} = ${part.format()} must match dimensions ${theirs} = ${other.format()}: ${reason}`, place);
    }
  };
  compare(
    `[0,${rows}) of indices[shape=${indices.format()}]`,
    indices.slice(0, -1),
    `[0,${rows}) of updates[shape=${updates.format()}]`,
    updates.slice(0, rows),
  );
  compare(
    `[${depth},${output.dims.length}) of input[shape=${output.format()}]`,
    output.slice(depth),
    `[${rows},${updates.dims.length}) of updates[shape=${updates.format()}]`,
    updates.slice(rows),
  );
}

type Dims = readonly number[];

/** What both kinds of scatter refuse first. */
function checkRanks(at: Dims, updates: Dims): void {
  need(at.length >= 1, () => `Indices shape must have rank at least one. Found:[${at}]`);
  need(updates.length >= 1, () => `Updates shape must have rank at least one. Found:[${updates}]`);
}

/** What both refuse next. `given` is how many numbers say what the result is like. */
function checkFilled(at: Dims, updates: Dims, given: number): void {
  const [rows, elements] = [sizeOf(at), sizeOf(updates)];
  need(
    (rows === 0 && elements === 0) || (given !== 0 && rows !== 0 && elements !== 0),
    () => "Indices and updates specified for empty output shape",
  );
}

/** What both refuse last: a vector of indices counts as several there, and as one position before. */
function checkWhole(output: Dims, at: Dims, updates: Dims): void {
  need(output.length >= 1, () => `Output must be at least 1-D, got shape: [${output}]`);
  need(
    !output.includes(0) || (at.includes(0) && updates.includes(0)),
    () => `Indices and updates specified for empty output.  indices shape: [${at}]`,
  );
  if (at.length > 1)
    return need(
      at[at.length - 1] >= 1 || output.includes(0),
      () => "Only indices.shape[-1] values between 1 and 5 are currently supported.  Requested rank: 0",
    );
  const range = (from: number, to: number, what: string, dims: Dims): string => `[${from},${to}) of ${what}[shape=[${dims}]]`;
  need(
    updates[0] === at[0],
    () => `Dimensions ${range(0, 1, "indices", at)} = ${at[0]} must match dimensions ${range(0, 1, "updates", updates)} = ${updates[0]}`,
  );
  need(
    sameShape(updates.slice(1), output.slice(1)),
    () => `Dimensions ${range(1, output.length, "input", output)} must match dimensions ${range(1, updates.length, "updates", updates)}`,
  );
}

/** @throws InvalidArgumentError with ScatterNd's texts. */
function checkScattered(output: Dims, at: Dims, updates: Dims): void {
  checkRanks(at, updates);
  checkFilled(at, updates, output.length);
  const rows = at.length - 1;
  const depth = at[rows];
  need(
    at.slice(0, rows).every((size, k) => size === updates[k]),
    () => `Dimensions [0,${rows}) of indices[shape=[${at}]] must match dimensions [0,${rows}) of updates[shape=[${updates}]]`,
  );
  need(
    updates.length - rows === output.length - depth && sameShape(output.slice(depth), updates.slice(rows)),
    () =>
      `Dimensions [${depth},${output.length}) of input[shape=[${output}]] must match dimensions [${rows},${updates.length}) of updates[shape=[${updates}]]`,
  );
  checkWhole(output, at, updates);
}

/** Zeros of a shape with the updates added at positions; equal positions add up. */
export const ScatterNd = defineOp("ScatterNd", {
  inputs: { indices: "Tindices", updates: "T", shape: "Tindices" },
  outputs: { output: "T" },
  attrs: { T: attr.type(), Tindices: attr.type(gatherTypes), ...policy },
  shape: ({ indices, updates }, context) => {
    const output = context.shapeFrom("shape");
    indices.withRankAtLeast(1);
    updates.withRankAtLeast(1);
    checkUpdates(indices, updates, output);
    return output;
  },
  isLenient: true,
  checks: ({ indices, updates, shape: wanted }) => {
    checkRanks(indices, updates);
    need(wanted.length === 1, () => "Shape must be a vector");
    checkFilled(indices, updates, wanted[0]);
  },
  gradient: ({ indices }, d): Gradients => ({ updates: gatherNd(d.output, indices) }),
  compileTimeInputs: ["shape"],
  lower: ({ indices, updates, shape: wanted, badIndicesPolicy }) => {
    const dims = numbersOf(wanted);
    for (const size of dims) need(size >= 0, () => `Dimension ${size} must be >= 0`);
    const depth = indices.shape[indices.shape.length - 1];
    checkScattered(dims, indices.shape, updates.shape);
    if (!ignoresBad(badIndicesPolicy)) checkTargets(indices, dims, depth);
    const isBool = updates.dtype === "bool";
    return scatterRows(isBool ? "assign" : "add", ir.full(updates.dtype, dims, 0), indices, updates);
  },
});

/** Stops the run if a position lies outside of what is scattered into; the last such one is named. */
const checkTargets = (indices: Value, dims: Dims, depth: number): void =>
  checkPositions(indices, dims, depth, (at, position) => notWithin("shape", at, position, dims), "last");

type TensorScatterGradient = (
  record: { tensor: Tensor; indices: Tensor; updates: Tensor; output: Tensor; badIndicesPolicy: string },
  d: Tensor,
) => Gradients;

/** @throws InvalidArgumentError with the texts of TensorScatterUpdate and its kind. */
function checkUpdateShapes(output: Dims, at: Dims, updates: Dims): void {
  checkRanks(at, updates);
  checkFilled(at, updates, sizeOf(output));
  const rows = at.length - 1;
  const depth = at[rows];
  need(
    updates.length >= rows && at.slice(0, rows).every((d, k) => d === updates[k]),
    () => `Outer dimensions of indices and update must match. Indices shape: [${at}], updates shape:[${updates}]`,
  );
  const inner = updates.length - rows;
  need(
    output.length - depth === inner,
    () => `Inner dimensions of output shape must match inner dimensions of updates shape. Output: [${output}] updates: [${updates}]`,
  );
  need(
    sameShape(output.slice(depth), updates.slice(rows)),
    () =>
      `The inner ${inner} dimensions of output.shape=[${output}] must match the inner ${inner} dimensions of updates.shape=[${updates}]`,
  );
  checkWhole(output, at, updates);
}

const tensorScatterOp = (type: string, combine: ScatterCombine, indexTypes: readonly DType[], gradient: TensorScatterGradient) =>
  defineOp(type, {
    inputs: { tensor: "T", indices: "Tindices", updates: "T" },
    outputs: { output: "T" },
    attrs: { T: attr.type(), Tindices: attr.type(indexTypes), ...policy },
    shape: ({ tensor, indices, updates }) => {
      const whole = tensor.withRankAtLeast(1);
      checkUpdates(indices.withRankAtLeast(1), updates, whole);
      return whole;
    },
    gradient: (record, d): Gradients => gradient(record, d.output),
    isLenient: true,
    checks: ({ tensor, indices, updates }) => checkUpdateShapes(tensor, indices, updates),
    lower: ({ tensor, indices, updates, badIndicesPolicy }) => {
      const depth = indices.shape[indices.shape.length - 1];
      if (!ignoresBad(badIndicesPolicy)) checkTargets(indices, tensor.shape, depth);
      return scatterRows(combine, tensor, indices, updates);
    },
  });

const extremeScatterGradient: TensorScatterGradient = ({ tensor, indices, updates, output, badIndicesPolicy }, d) => {
  const own = cast(equal(tensor, output), d.dtype);
  const kept = GatherNd({ params: output, indices, badIndicesPolicy });
  const theirs = cast(equal(updates, kept), d.dtype);
  const scattered = ScatterNd({ indices, updates: theirs, shape: shape(tensor, { outType: indices.dtype }), badIndicesPolicy });
  const indicators = operator.add(own, scattered);
  return {
    tensor: operator.truediv(operator.mul(d, own), indicators),
    updates: operator.mul(GatherNd({ params: operator.truediv(d, indicators), indices, badIndicesPolicy }), theirs),
  };
};

export const TensorScatterUpdate = tensorScatterOp(
  "TensorScatterUpdate",
  "assign",
  [...gatherTypes, "uint16"],
  ({ indices, updates }, d) => {
    const byUpdates = gatherNd(d, indices);
    return { tensor: tensorScatterUpdate(identity(d), indices, zerosLike(updates, d.dtype)), updates: byUpdates };
  },
);
export const TensorScatterAdd = tensorScatterOp("TensorScatterAdd", "add", attr.indexTypes, ({ indices }, d) => ({
  updates: gatherNd(d, indices),
  tensor: identity(d),
}));
export const TensorScatterSub = tensorScatterOp("TensorScatterSub", "sub", attr.indexTypes, ({ indices }, d) => {
  const byUpdates = gatherNd(d, indices);
  return { tensor: identity(d), updates: operator.neg(byUpdates) };
});
export const TensorScatterMin = tensorScatterOp("TensorScatterMin", "min", attr.indexTypes, extremeScatterGradient);
export const TensorScatterMax = tensorScatterOp("TensorScatterMax", "max", attr.indexTypes, extremeScatterGradient);

export const ScatterNdNonAliasingAdd = defineOp("ScatterNdNonAliasingAdd", {
  inputs: { input: "T", indices: "Tindices", updates: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type([...attr.numbers, "bool"]), Tindices: attr.type(attr.indexTypes), ...policy },
  shape: ({ input, indices, updates }) => {
    checkUpdates(indices, updates, input);
    return input;
  },
  gradient: ({ indices }, d): Gradients => ({ input: d.output, updates: gatherNd(d.output, indices) }),
  lower: ({ input, indices, updates }) => {
    const depth = indices.shape[indices.shape.length - 1];
    checkTargets(indices, input.shape, depth);
    return scatterRows(updates.dtype === "bool" ? "assign" : "add", input, indices, updates);
  },
});

interface PositionOptions extends Named {
  readonly batchDims?: number;
  readonly badIndicesPolicy?: string;
}

/** params at the positions in the rows of `indices`: `[…, depth]` → `[…, rest of params]`. TF: tf.gather_nd(params, indices, name, batch_dims).
 *  @throws InvalidArgumentError while running for a position out of range. */
export function gatherNd(params: TensorLike, indices: TensorLike, ...rest: unknown[]): Tensor {
  const { name, batchDims = 0, badIndicesPolicy = "" } = collect<PositionOptions>(["name", "batchDims", "badIndicesPolicy"], rest);
  if (batchDims === 0 && isRowSource(params)) return params.gatherNd(indices, { name });
  if (batchDims === 0) return GatherNd({ params, indices, badIndicesPolicy }, { name });
  return inNameScope({ name }, "BatchGatherND", [params, indices], () => {
    const at = convertToTensor(indices, { name: "indices", dtype: indices instanceof Tensor ? undefined : "int32" });
    return batchGatherNd(convertToTensor(params, { name: "params" }), at, batchDims, badIndicesPolicy);
  });
}

/** The batch's own position goes in front of each index. */
function batchGatherNd(params: Tensor, indices: Tensor, batchDims: number, badIndicesPolicy: string): Tensor {
  if (batchDims < 0) throw new ValueError("tf.gather_nd does not allow negative batch_dims.");
  for (const [name, { rank: length }] of [
    ["indices", indices.shape],
    ["params", params.shape],
  ] as const)
    if (length !== null && batchDims >= length)
      throw new ValueError(`Argument \`batch_dims\` = ${batchDims} must be less than rank(\`${name}\`) = ${length}`);
  const [paramsShape, indicesShape] = [shape(params), shape(indices)];
  const batchShape = getItem(paramsShape, [null, batchDims]);
  const batchSize = Prod({ input: batchShape, reductionIndices: [0] });
  const inner = operator.sub(operator.sub(rank(indices), batchDims), 1);
  const innerShape = getItem(indicesShape, [batchDims, -1]);
  const ranges = unstack(batchShape).map(count => {
    const range = Range({ start: 0, limit: Cast({ x: count, DstT: "int32" }), delta: 1 });
    return Cast({ x: range, DstT: indices.dtype });
  });
  const coordinates = meshgrid(...ranges, { indexing: "ij" }).map(grid => reshape(grid, [-1]));
  const byRow = transpose(stack(coordinates));
  const gridShape = shape(byRow);
  const extents = [getItem(gridShape, [null, 1]), ones(inner, gridShape.dtype), getItem(gridShape, [1, null])];
  const grid = tile(reshape(byRow, concat(extents, 0)), concat([[1], innerShape, [1]], 0));
  const flat = reshape(indices, concat([[batchSize], getItem(indicesShape, [batchDims, null])], 0));
  const result = GatherNd({ params, indices: concat([grid, flat], -1), badIndicesPolicy });
  return reshape(result, concat([batchShape, getItem(shape(result), [1, null])], 0));
}

/** Zeros of `shape` with updates added at the positions in `indices`. TF: tf.scatter_nd. */
export const scatterNd = (indices: TensorLike, updates: TensorLike, shape: TensorLike, ...rest: unknown[]): Tensor => {
  const { badIndicesPolicy = "", name } = collect<PositionOptions>(["badIndicesPolicy", "name"], rest);
  return ScatterNd({ indices, updates, shape, badIndicesPolicy }, { name });
};

type ScatterFunction = (tensor: TensorLike, indices: TensorLike, updates: TensorLike, ...rest: unknown[]) => Tensor;
const scatterer =
  (op: () => typeof TensorScatterAdd): ScatterFunction =>
  (tensor, indices, updates, ...rest) => {
    const { badIndicesPolicy = "", name } = collect<PositionOptions>(["badIndicesPolicy", "name"], rest);
    return op()({ tensor, indices, updates, badIndicesPolicy }, { name });
  };

/** The tensor with positions replaced; of equal positions the last wins. TF: tf.tensor_scatter_update. */
export const tensorScatterUpdate: (tensor: TensorLike, indices: TensorLike, updates: TensorLike, options?: NameOption) => Tensor = (
  tensor,
  indices,
  updates,
  options,
) => TensorScatterUpdate({ tensor, indices, updates }, named(options));
export const tensorScatterNdUpdate = tensorScatterUpdate;
export const tensorScatterAdd = scatterer(() => TensorScatterAdd);
export const tensorScatterNdAdd = tensorScatterAdd;
export const tensorScatterSub = scatterer(() => TensorScatterSub);
export const tensorScatterNdSub = tensorScatterSub;
export const tensorScatterMax = scatterer(() => TensorScatterMax);
export const tensorScatterNdMax = tensorScatterMax;
export const tensorScatterMin = scatterer(() => TensorScatterMin);
export const tensorScatterNdMin = tensorScatterMin;
