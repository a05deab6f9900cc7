// Rows of embeddings added up by sparse ids: tf.nn.embedding_lookup_sparse and the one that minds bad ids. Dense lookups: nn/embedding.ts.

import { ValueError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { pythonClass } from "../../base/python-text.ts";
import type { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { collect } from "../arguments.ts";
import { expandDims, ones, onesLike, rank, reshape, shape as shapeOf, size, zerosLike } from "../array/array.ts";
import { gather } from "../array/gather.ts";
import { tile } from "../array/padding.ts";
import { unique } from "../array/partition.ts";
import { where } from "../array/selection.ts";
import { concat, getItem, slice, stack } from "../array/slicing.ts";
import { cast } from "../math/cast.ts";
import { divNoNan, pow } from "../math/math.ts";
import { greater, greaterEqual, logicalAnd } from "../math/comparison.ts";
import { sqrt } from "../math/functions.ts";
import { reduceProd } from "../math/reduction.ts";
import { segmentSum, sparseSegmentMean, sparseSegmentSqrtN, sparseSegmentSum } from "../math/segment.ts";
import { inNameScope } from "../named.ts";
import { embeddingLookup, piecesOf } from "./embedding.ts";
import { mul, sub } from "../operators.ts";
import { sparseFillEmptyRows, sparseReshape, sparseRetain } from "../sparse/structure.ts";

type Combiner = "sum" | "mean" | "sqrtn";
export type Params = TensorLike | readonly TensorLike[];

export interface SparseLookupOptions {
  readonly partitionStrategy?: "mod" | "div" | null;
  readonly name?: string | null;
  /** How the rows of one example are put together: their weighted sum, that over the sum of the weights (default), or over the root of the sum of
   *  their squares. */
  readonly combiner?: Combiner | null;
  /** Rows longer than this are scaled down to it. */
  readonly maxNorm?: number | null;
  /** Rows of one table are taken as they are looked up, each as often as it comes; gradients are then dense. */
  readonly allowFastLookup?: boolean | null;
}

export const tablesOf = (params: Params): readonly TensorLike[] =>
  Array.isArray(params) && params.every(item => typeof item === "number" || Array.isArray(item))
    ? [params as TensorLike]
    : piecesOf(params);

/** For each row of `spIds` [examples, any] the combined rows of `params`: shape [examples] + params.shape[1:]. `spWeights` has the same places, or is
 *  null for ones. TF: tf.nn.embedding_lookup_sparse. @throws TypeError unless ids and weights are sparse; ValueError for another combiner. */
export function embeddingLookupSparse(params: Params, spIds: SparseTensor, spWeights: SparseTensor | null, ...given: unknown[]): Tensor {
  const options = collect<SparseLookupOptions>(lookupNames, given);
  const combiner = lookupCombiner(options.combiner);
  if (!(spIds instanceof SparseTensor)) throw new TypeError(`sp_ids must be SparseTensor, got ${pythonClass(spIds)}`);
  if (spWeights !== null && !(spWeights instanceof SparseTensor))
    throw new TypeError(`sp_weights must be either None or SparseTensor,got ${pythonClass(spWeights)}`);
  const tables = tablesOf(params);
  return inNameScope({ name: options.name }, "embedding_lookup_sparse", [...tables, spIds.values], scope => {
    const segments = getItem(spIds.indices, [], 0);
    return combinedLookup(tables, spIds.values, segments, spWeights?.values ?? null, { ...options, combiner }, String(scope));
  });
}

export const lookupNames = ["partitionStrategy", "name", "combiner", "maxNorm", "allowFastLookup"];

/** @throws ValueError for another combiner. */
export function lookupCombiner(given: Combiner | null | undefined): Combiner {
  const combiner = given ?? "mean";
  if (!["mean", "sqrtn", "sum"].includes(combiner))
    throw new ValueError(`combiner must be one of 'mean', 'sqrtn' or 'sum', got ${combiner}`);
  return combiner;
}

/** The rows of `ids`, weighed or not, combined where `segments` are the same. */
export function combinedLookup(
  tables: readonly TensorLike[],
  values: Tensor,
  segments: Tensor,
  weights: Tensor | null,
  { combiner, ...options }: SparseLookupOptions & { readonly combiner: Combiner },
  name: string,
): Tensor {
  const isFast = options.allowFastLookup ?? false;
  if ((weights === null || isFast) && tables.length === 1 && (options.maxNorm ?? null) === null) {
    const table = convertToTensor(tables[0], { name: "params" });
    if (weights === null) return combinedRows(combiner, table, values, segments, name, !isFast);
    return weightedRows(combiner, gather(table, values), weights, cast(segments, "int32"), name);
  }
  const { y: ids, idx } = unique(values);
  const rows = embeddingLookup(tables, ids, { partitionStrategy: options.partitionStrategy, maxNorm: options.maxNorm });
  if (weights === null) return combinedRows(combiner, rows, idx, segments, name);
  const narrow = cast(segments, "int32");
  return weightedRows(combiner, gather(rows, idx), weights, narrow, name);
}

function combinedRows(combiner: Combiner, rows: Tensor, idx: Tensor, segments: Tensor, name: string, sparseGradient = false): Tensor {
  const combine = { sum: sparseSegmentSum, mean: sparseSegmentMean, sqrtn: sparseSegmentSqrtN }[combiner];
  return combine(rows, idx, segments, { name, sparseGradient });
}

function weightedRows(combiner: Combiner, given: Tensor, givenWeights: Tensor, segments: Tensor, name: string): Tensor {
  const rows = given.dtype === "float16" || given.dtype === "bfloat16" ? cast(given, "float32") : given;
  let weights = givenWeights.dtype === rows.dtype ? givenWeights : cast(givenWeights, rows.dtype);
  const count = expandDims(sub(rank(rows), 1), 0);
  const own = shapeOf(weights);
  const { shape } = weights;
  weights = reshape(weights, concat([own, ones(count as TensorLike as never, own.dtype)], 0));
  if (rows.shape.rank !== null) weights.setShape(shape.concatenate(new TensorShape(Array<number>(rows.shape.rank - 1).fill(1))));
  const weighted = mul(rows, weights);
  const back = (result: Tensor): Tensor => (result.dtype === given.dtype ? result : cast(result, given.dtype));
  if (combiner === "sum") return back(segmentSum(weighted, segments, { name }));
  const sums = segmentSum(weighted, segments);
  if (combiner === "mean") return back(divNoNan(sums, segmentSum(weights, segments), { name }));
  return back(divNoNan(sums, sqrt(segmentSum(pow(weights, 2), segments)), { name }));
}

export interface SafeLookupOptions<Weights = SparseTensor> extends SparseLookupOptions {
  readonly sparseWeights?: Weights | null;
  /** The row that examples without ids get; null: zeros. */
  readonly defaultId?: number | null;
}

export const safeLookupNames = ["sparseWeights", "combiner", "defaultId", "name", "partitionStrategy", "maxNorm", "allowFastLookup"];

/** As embeddingLookupSparse, but for any rank [..., any], without ids below 0 and weights that are not above 0, and with zeros (or the row `defaultId`)
 *  for examples that have none. TF: tf.nn.safe_embedding_lookup_sparse. @throws ValueError without weights of embeddings. */
export function safeEmbeddingLookupSparse(embeddingWeights: Params, sparseIds: SparseTensor, ...given: unknown[]): Tensor {
  const options = collect<SafeLookupOptions>(safeLookupNames, given);
  if (embeddingWeights === null || embeddingWeights === undefined) throw new ValueError("Missing embedding_weights None.");
  const tables = tablesOf(embeddingWeights);
  if (tables.length === 0 || (Array.isArray(embeddingWeights) && embeddingWeights.length === 0))
    throw new ValueError("Missing embedding_weights [].");
  const { combiner = "mean", defaultId = null, partitionStrategy = "div", maxNorm, allowFastLookup } = options;
  const tensors = tables.map(table => convertToTensor(table));
  return inNameScope({ name: options.name }, "embedding_lookup", tensors, scope => {
    const original = sparseIds.denseShape;
    const known = original.shape.dim(0);
    const originalRank: TensorLike = known ?? size(original);
    const last = known === null ? sub(originalRank, 1) : known - 1;
    const outer = (shape: Tensor): Tensor => slice(shape, [0], [last] as TensorLike);
    const sizes = [reduceProd(outer(original)), gather(original, last)];
    // TensorFlow converts the list inside of a cast that has nothing to do.
    const flat = original.graph.nameScope("Cast", () => stack(sizes, { name: "x" }));
    let ids = sparseReshape(sparseIds, flat);
    let weights = options.sparseWeights ?? null;
    if (weights !== null) weights = new SparseTensor(ids.indices, weights.values, ids.denseShape);
    let isValid = greaterEqual(ids.values, 0);
    if (weights !== null) isValid = logicalAnd(isValid, onesLike(weights.values, { dtype: "bool" }));
    ids = sparseRetain(ids, isValid);
    if (weights !== null) weights = sparseRetain(weights, isValid);
    if (combiner !== "sum" && weights !== null) {
      const isAbove = greater(weights.values, 0);
      ids = sparseRetain(ids, isAbove);
      weights = sparseRetain(weights, isAbove);
    }
    const [filledIds, isEmpty] = sparseFillEmptyRows(ids, defaultId ?? 0);
    const filledWeights = weights === null ? null : sparseFillEmptyRows(weights, 1)[0];
    const name = defaultId === null ? null : String(scope);
    let result = embeddingLookupSparse(tensors, filledIds, filledWeights, { combiner, partitionStrategy, name, maxNorm, allowFastLookup });
    if (defaultId === null) {
      const isEmptyRow = tile(reshape(isEmpty, [-1, 1]), stack([1, getItem(shapeOf(result), 1)]));
      result = where(isEmptyRow, zerosLike(result), result, { name: String(scope) }) as Tensor;
    }
    const rest = result.shape.slice(1);
    const final = reshape(result, concat([outer(cast(original, "int32")), slice(shapeOf(result), [1], [-1])], 0));
    if (known !== null) final.setShape(new TensorShape(Array<null>(known - 1).fill(null)).concatenate(rest));
    return final;
  });
}
