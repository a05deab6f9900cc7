// Look-ups and rankings: embedding look-up (also over partitions), top k, in top k.

import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertIntegers, convertToTensor, isAsTensor, isRowSource, type RowSource, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import { defineOp, type Gradients, type Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { cast as castValue, generate, reduceOver, sort } from "../../ir/build.ts";
import { dataIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { castScalar, loadScalar, s } from "../../ir/scalar.ts";
import { collect, need } from "../arguments.ts";
import {
  constant,
  expandDims,
  identity,
  numbersOf,
  onesLike,
  rank,
  reshape,
  shape as shapeOf,
  size as sizeOf,
  zeros,
} from "../array/array.ts";
import { gather, scatterNd } from "../array/gather.ts";
import { DynamicPartition, ParallelDynamicStitch } from "../array/partition.ts";
import { range } from "../array/ranges.ts";
import { Select } from "../array/selection.ts";
import { concat, getItem, stack } from "../array/slicing.ts";
import { AddV2, FloorDiv, FloorMod, Maximum, Mul, RealDiv, Sub } from "../math/math.ts";
import { cast } from "../math/cast.ts";
import { Greater, Less } from "../math/comparison.ts";
import { Sqrt } from "../math/functions.ts";
import { reduceProd, reduceSum } from "../math/reduction.ts";
import { inNameScope, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";

// ---- top k ----

function topShape(input: TensorShape, k: number | null): TensorShape {
  const given = input.withRankAtLeast(1);
  if (given.dims === null) return given;
  const last = given.dim(-1);
  if (k !== null && last !== null && last < k) throw new ValueError(`input must have last dimension >= k = ${k} but is ${last}`);
  return new TensorShape([...given.dims.slice(0, -1), k]);
}

function largest(input: Value, k: number): { values: Value; indices: Value } {
  if (input.shape.length < 1) throw new InvalidArgumentError(`input must be >= 1-D, got shape [${input.shape}]`);
  const last = input.shape[input.shape.length - 1];
  if (last < k) throw new InvalidArgumentError(`input must have at least k columns. Had ${last}, needed ${k}`);
  return sort(input, k, true);
}

/** Gradients go back to the elements that were chosen. */
export function spreadToChosen(input: Tensor, indices: Tensor, d: Tensor): Tensor {
  const flat = cast(indices, "int32");
  const [inputShape, chosenShape] = [shapeOf(input), shapeOf(flat)];
  const lastOf = (dims: Tensor): Tensor => gather(cast(dims, "int64"), operator.sub(sizeOf(dims), 1));
  const width = lastOf(chosenShape);
  const rows = reshape(flat, stack([-1, width]));
  const length = lastOf(inputShape);
  const count = getItem(shapeOf(rows), 0);
  const starts = expandDims(range(0, operator.mul(cast(count, "int64"), length), length), -1);
  const places = reshape(operator.add(rows, cast(starts, "int32")), [-1]);
  return reshape(scatterNd(expandDims(places, -1), reshape(d, [-1]), [reduceProd(inputShape)]), inputShape);
}

/** The k largest elements of each row (last axis), in falling order, equal ones by position; and their positions. */
export const TopKV2 = defineOp("TopKV2", {
  inputs: { input: "T", k: "Tk" },
  outputs: { values: "T", indices: "indexType" },
  attrs: {
    sorted: attr.bool(true),
    T: attr.type(attr.realNumbers),
    Tk: attr.type(["int16", "int32", "int64"], "int32"),
    indexType: attr.type(["int16", "int32", "int64"], "int32"),
  },
  checks: ({ k }) => need(k.length === 0, () => `k must be scalar, got shape [${k}]`),
  compileTimeInputs: ["k"],
  shape: ({ input }, context) => {
    const shape = topShape(input, context.scalarSize("k"));
    return [shape, shape];
  },
  gradient: ({ input, indices }, d): Gradients => {
    const spread = spreadToChosen(input, indices, d.values);
    return { input: spread, k: zeros([], "int32") };
  },
  lower: ({ input, k, indexType }) => {
    const [count] = numbersOf(k);
    if (count < 0) throw new InvalidArgumentError(`Need k >= 0, got ${count}`);
    const { values, indices } = largest(input, count);
    return [values, castValue(indices, indexType)];
  },
});

/** The version with k as an attribute. */
export const TopK = defineOp("TopK", {
  inputs: { input: "T" },
  outputs: { values: "T", indices: "int32" },
  attrs: { k: attr.int(undefined, 0), sorted: attr.bool(true), T: attr.type(attr.realNumbers) },
  removed: [7, "Use TopKV2 instead"],
  shape: ({ input, k }) => {
    const shape = topShape(input, k);
    return [shape, shape];
  },
  gradient: ({ input, indices }, d): Gradients => ({ input: spreadToChosen(input, indices, d.values) }),
  lower: ({ input, k }) => {
    const { values, indices } = largest(input, k);
    return [values, indices];
  },
});

interface TopKOptions extends Named {
  readonly k?: TensorLike | null;
  readonly sorted?: boolean | null;
  readonly indexType?: "int16" | "int32" | "int64" | null;
}

/** The k largest elements along the last axis and their positions, as `{ values, indices }`, in falling order; equal ones by position.
 *  TF: tf.nn.top_k. */
export function topK(
  input: TensorLike,
  k?: TensorLike | TopKOptions,
  options?: TopKOptions,
): { readonly values: Tensor; readonly indices: Tensor } {
  const given = collect<TopKOptions>(["k", "sorted", "indexType", "name"], [k, options]);
  return TopKV2({ input, k: given.k ?? 1, sorted: given.sorted ?? true, indexType: given.indexType ?? "int32" }, { name: given.name });
}

/** Is the target among the k largest? Equal scores at the edge count as in; rows that are not finite, and targets out of range, as out. */
function isInTop(predictions: Value, targets: Value, k: number): Value {
  const [rows, classes] = predictions.shape;
  if (predictions.shape.length !== 2) throw new InvalidArgumentError("predictions must be 2-dimensional");
  if (targets.shape.length !== 1) throw new InvalidArgumentError("targets must be 1-dimensional");
  if (targets.shape[0] !== rows)
    throw new InvalidArgumentError(`First dimension of predictions ${rows} must match length of targets ${targets.shape[0]}`);
  const target = generate([rows], ([n]) => loadScalar(predictions, [n, dataIndex(loadScalar(targets, [n]), classes)]));
  const better = reduceOver("sum", [rows], [classes], ([n], [c]) =>
    castScalar(s.gt(loadScalar(predictions, [n, c]), loadScalar(target, [n])), "int32"),
  );
  const isFinite = reduceOver("all", [rows], [classes], ([n], [c]) => {
    const x = loadScalar(predictions, [n, c]);
    return s.eq(s.sub(x, x), 0);
  });
  return generate([rows], ([n]) => {
    const label = loadScalar(targets, [n]);
    const inRange = s.and(s.ge(label, 0), s.lt(label, classes));
    return s.and(s.and(loadScalar(isFinite, [n]), inRange), s.lt(loadScalar(better, [n]), k));
  });
}

function precisionShape(predictions: TensorShape, targets: TensorShape): TensorShape {
  const [d, e] = [predictions.withRank(2).dim(0), targets.withRank(1).dim(0)];
  if (d !== null && e !== null && d !== e) throw new ValueError(`Dimensions must be equal, but are ${d} and ${e}`);
  return new TensorShape([d ?? e]);
}

export const InTopKV2 = defineOp("InTopKV2", {
  inputs: { predictions: "float32", targets: "T", k: "T" },
  outputs: { precision: "bool" },
  attrs: { T: attr.type(attr.indexTypes, "int32") },
  checks: ({ k }) => need(k.length === 0, () => `k must be 0-D, got shape [${k}]`),
  gradient: "none",
  compileTimeInputs: ["k"],
  shape: ({ predictions, targets }) => precisionShape(predictions, targets),
  lower: ({ predictions, targets, k }) => isInTop(predictions, targets, numbersOf(k)[0]),
});

export const InTopK = defineOp("InTopK", {
  inputs: { predictions: "float32", targets: "T" },
  outputs: { precision: "bool" },
  attrs: { k: attr.int(), T: attr.type(attr.indexTypes, "int32") },
  gradient: "none",
  shape: ({ predictions, targets }) => precisionShape(predictions, targets),
  lower: ({ predictions, targets, k }) => isInTop(predictions, targets, k),
});

/** For each row of `predictions` `[batch, classes]`: is class `targets[i]` among its k largest? TF: tf.nn.in_top_k. */
export function inTopK(predictions: TensorLike, targets: TensorLike, k: TensorLike, option?: NameOption): Tensor {
  return inNameScope(option, "in_top_k", [predictions, targets], () => InTopKV2({ predictions, targets, k }));
}

// ---- embeddings ----

interface EmbeddingOptions extends Named {
  /** How ids are spread over several params: "mod" (id mod count) or "div" (blocks). */
  readonly partitionStrategy?: "mod" | "div" | null;
  /** Without effect, as in TensorFlow: ids are always checked. */
  readonly validateIndices?: boolean | null;
  /** Rows longer than this are scaled down to it. */
  readonly maxNorm?: number | null;
}

/** Rows of `params` by `ids`: shape ids.shape + params.shape[1:]. A list of params is one table in pieces. TF: tf.nn.embedding_lookup. */
export function embeddingLookup(params: TensorLike | readonly TensorLike[], ids: TensorLike, ...given: unknown[]): Tensor {
  const { partitionStrategy, name, maxNorm } = collect<EmbeddingOptions>(
    ["partitionStrategy", "name", "validateIndices", "maxNorm"],
    given,
  );
  if (params === null || params === undefined) throw new ValueError("params must be specified");
  const tables = piecesOf(params);
  if (tables.length === 0) throw new ValueError("Length of params is currently 0. Need at least one param.");
  return inNameScope({ name }, "embedding_lookup", [...tables, ids], scope => {
    const wanted = convertIntegers(ids, "ids");
    const [first] = tables;
    if (first === null) throw new ValueError("Trying to reset colocation (op is None) but ignore_existing is not True");
    if (tables.length === 1) {
      const table = isAsTensor(first) ? first : convertToTensor(first, { name: "params_0" });
      const { op } = isAsTensor(table) ? table.asGraphTensor({ asRef: true }) : table;
      const look = (): Tensor => clipped(gather(table, wanted, { name: String(scope) }), wanted, maxNorm);
      return identity(op.graph.colocateWith(op, undefined, look));
    }
    return lookUpPieces(tables, wanted, partitionStrategy ?? "mod", maxNorm, String(scope));
  });
}

/** A list's items, and the parts of a variable that is kept in several. */
export function piecesOf(params: TensorLike | readonly TensorLike[]): readonly TensorLike[] {
  if (Array.isArray(params)) return params as readonly TensorLike[];
  const isInParts = isAsTensor(params) && Symbol.iterator in params;
  return isInParts ? [...(params as Iterable<TensorLike>)] : [params as TensorLike];
}

/** Rows scaled down to a norm. */
function clipped(rows: Tensor, ids: Tensor, maxNorm: number | null | undefined): Tensor {
  if (maxNorm === null || maxNorm === undefined) return rows;
  // As in TensorFlow, a rank of 0 is asked of the run, too.
  const [from, to] = [ids, rows].map(x => x.shape.rank || rank(x));
  const axes =
    typeof from === "number" && typeof to === "number" ? Array.from({ length: to - from }, (_, axis) => from + axis) : range(from, to);
  return inNameScope("clip_by_norm", "clip_by_norm", [rows], scope => {
    const squares = reduceSum(Mul({ x: rows, y: rows }, { name: "mul" }), axes, { keepdims: true });
    // The square root of 0 has no gradient: rows of zeros are given the root of 1 and then 0 again.
    const isPositive = Greater({ x: squares, y: 0 });
    const root = Sqrt({ x: Select({ condition: isPositive, t: squares, e: onesLike(squares) }) });
    const norm = Select({ condition: isPositive, t: root, e: squares });
    const scaled = RealDiv({ x: Mul({ x: rows, y: maxNorm }, { name: "mul" }), y: Maximum({ x: norm, y: maxNorm }) }, { name: "truediv" });
    return identity(scaled, { name: String(scope) });
  });
}

/** Sends each id to the piece that holds it, gathers there, and puts the rows back in order. */
function lookUpPieces(
  tables: readonly TensorLike[],
  ids: Tensor,
  strategy: string,
  maxNorm: number | null | undefined,
  scope: string,
): Tensor {
  const count = tables.length;
  const pieces = tables.map((table, p) =>
    table instanceof Tensor || isRowSource(table) ? table : convertToTensor(table, { name: `params_${p}` }),
  );
  const placeOf = (table: Tensor | RowSource): Tensor => (table instanceof Tensor ? table : table.asGraphTensor({ asRef: true }));
  const flat = reshape(ids, [-1]);
  const original = range(sizeOf(flat));
  const { piece, row } = strategy === "mod" ? placeByMod(flat, count) : placeByBlocks(flat, pieces, strategy);
  const partitions = cast(piece, "int32");
  const rows = DynamicPartition({ data: row, partitions, numPartitions: count });
  const places = DynamicPartition({ data: original, partitions, numPartitions: count });
  const graph = getDefaultGraph();
  const found = pieces.map((table, p) => graph.colocateWith(placeOf(table), undefined, () => gather(table, rows[p])));
  const stitched = ParallelDynamicStitch({ indices: places, data: found }, { name: scope });
  const element = pieces.map(table => table.shape.slice(1)).reduce((a, b) => a.mergeWith(b));
  const idsShape = shapeOf(ids);
  const rest = element.isFullyDefined ? [...element.asNumbers()] : getItem(shapeOf(pieces[0]), [1, null]);
  const result = reshape(stitched, concat([idsShape, Array.isArray(rest) ? Int32Array.from(rest) : rest], 0));
  result.setShape(ids.shape.concatenate(element));
  return clipped(result, ids, maxNorm);
}

const placeByMod = (ids: Tensor, count: number): { piece: Tensor; row: Tensor } => ({
  piece: FloorMod({ x: ids, y: count }, { name: "mod" }),
  row: FloorDiv({ x: ids, y: count }, { name: "floordiv" }),
});

/** Consecutive blocks, the first ones larger by one row where the table does not divide. */
function placeByBlocks(ids: Tensor, pieces: readonly (Tensor | RowSource)[], strategy: string): { piece: Tensor; row: Tensor } {
  if (strategy !== "div") throw new ValueError(`Unrecognized partition strategy: ${strategy}.Must be one of either \`mod\` or \`div\`.`);
  const heights = pieces.map(table => table.shape.dim(0));
  const total = heights.includes(null)
    ? reduceSum(stack(pieces.map((table, p) => heights[p] ?? getItem(shapeOf(table), 0))))
    : constant(
        (heights as number[]).reduce((a, b) => a + b, 0),
        ids.dtype,
      );
  const all = total.dtype === ids.dtype ? total : cast(total, ids.dtype);
  const each = FloorDiv({ x: all, y: pieces.length }, { name: "floordiv" });
  const extras = FloorMod({ x: all, y: pieces.length }, { name: "mod" });
  const withExtra = FloorDiv({ x: ids, y: AddV2({ x: each, y: 1 }, { name: "add" }) }, { name: "floordiv" });
  const without = FloorDiv({ x: Sub({ x: ids, y: extras }, { name: "sub" }), y: each }, { name: "floordiv" });
  const piece = Maximum({ x: withExtra, y: without });
  const isEarly = Less({ x: piece, y: extras });
  const early = FloorMod({ x: ids, y: AddV2({ x: each, y: 1 }, { name: "add" }) }, { name: "mod" });
  const late = FloorMod({ x: Sub({ x: ids, y: extras }, { name: "sub" }), y: each }, { name: "mod" });
  return { piece, row: Select({ condition: isEarly, t: early, e: late }) };
}
