// Products of ragged matrices, and combined rows of tables for ragged ids. TF: ops/ragged/ragged_math_ops (matmul), ragged_embedding_ops.

import { ValueError } from "../../base/errors.ts";
import { TensorShape } from "../../base/shape.ts";
import type { Callable } from "../../graph/composite.ts";
import { convertToTensor, isRowSource, type TensorLike } from "../../graph/conversion.ts";
import { getDefaultGraph } from "../../graph/default-graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { collect } from "../../ops/arguments.ts";
import { expandDims, reshape, shape as shapeOf, size, squeeze, zerosLike } from "../../ops/array/array.ts";
import { tile } from "../../ops/array/padding.ts";
import { repeat } from "../../ops/array/ranges.ts";
import { booleanMask, where } from "../../ops/array/selection.ts";
import { getItem, stack } from "../../ops/array/slicing.ts";
import { assertEqual } from "../../ops/flow/check.ts";
import { mapFn } from "../../ops/flow/functional.ts";
import { greater, greaterEqual } from "../../ops/math/comparison.ts";
import { matmul, type MatmulOptions, matmulNames } from "../../ops/math/matrix.ts";
import { inNameScope } from "../../ops/named.ts";
import {
  combinedLookup,
  lookupCombiner,
  lookupNames,
  type Params,
  safeLookupNames,
  type SafeLookupOptions,
  type SparseLookupOptions,
  tablesOf,
} from "../../ops/nn/embedding-sparse.ts";
import { RaggedFillEmptyRows } from "../../ops/sparse/ragged.ts";
import { converted, isRagged, type Ragged, type RaggedLike } from "./ragged-elementwise.ts";
import { RaggedTensor } from "./ragged-tensor.ts";
import { RaggedTensorSpec } from "./ragged-tensor-spec.ts";

// ---- products ----

type Options = Partial<MatmulOptions>;

/** Matrices of ragged rows, which are to be as long as they have to be. @throws ValueError for types or ranks that differ. */
export function raggedMatmul(_: Callable, a: RaggedLike, b: RaggedLike, ...rest: readonly unknown[]): Ragged {
  const { name, gradA: _a, gradB: _b, ...options } = collect<MatmulOptions>(matmulNames, rest);
  for (const side of ["A", "B"] as const)
    if (options[`transpose${side}`] && options[`adjoint${side}`])
      throw new ValueError(`Only one of transpose_${side.toLowerCase()} and adjoint_${side.toLowerCase()} can be True.`);
  return inNameScope({ name }, "RaggedMatMul", [a, b], () => {
    const [x, y] = [converted(a, { name: "a" }), converted(b, { name: "b" })];
    if (x.dtype !== y.dtype) throw new ValueError("`a` and `b` must have the same dtype.");
    const [own, other] = [x.shape.rank, y.shape.rank];
    if (own === null && other === null)
      throw new ValueError("matmul requires at least one input to have known rank if either input is ragged.");
    const rank = (own ?? other) as number;
    if ((own !== null && other !== null && own !== other) || rank < 2) throw new ValueError("`a` and `b` must have the same rank.");
    return product(x, y, rank, options);
  });
}

function product(a: Ragged, b: Ragged, rank: number, options: Options): Ragged {
  if (!isRagged(a) && !isRagged(b)) return matmul(a, b, options);
  if (rank === 2) return wholeMatrices(a, b, options);
  if (rank > 3) {
    const [x, y] = [a, b].map(side => (isRagged(side) ? side : RaggedTensor.fromTensor(side, { raggedRank: 1 })));
    const isSame = assertEqual(x.rowSplits, y.rowSplits, { message: "Batch dimensions of `a` and `b` do not have the same size." });
    return getDefaultGraph().controlDependencies([isSame], () =>
      x.withValues(inNameScope({}, "RaggedMatMul", [x.values, y.values], () => product(x.values, y.values, rank - 1, options))),
    );
  }
  const isTurned = options.transposeA || options.adjointA;
  if (isRagged(a) && a.raggedRank === 1 && !isRagged(b) && !isTurned) {
    const rows = expandDims(a.values as Tensor, 1);
    const matrices = repeat(b, a.rowLengths(), { axis: 0 });
    return a.withValues(squeeze(matmul(rows, matrices, options), 1));
  }
  return matrixByMatrix(a, b, options);
}

/** Rows of one length are a matrix, which the run checks. */
function wholeMatrices(a: Ragged, b: Ragged, options: Options): Tensor {
  const checks: ReturnType<typeof assertEqual>[] = [];
  const whole = (side: Ragged): Tensor => {
    if (!isRagged(side)) return side;
    const count = size(side.flatValues);
    const dense = side.toTensor();
    const message = "The matrices in `a` and `b` may not be ragged in their innermost dimension.";
    checks.push(assertEqual(count, size(dense), { message }));
    return dense;
  };
  const [x, y] = [whole(a), whole(b)];
  return getDefaultGraph().controlDependencies(checks, () => matmul(x, y, options));
}

function matrixByMatrix(a: Ragged, b: Ragged, options: Options): RaggedTensor {
  const turnsB = options.transposeB || options.adjointB;
  const isWide = isRagged(b) && (b.raggedRank === 2 || Boolean(turnsB));
  const { dtype } = (isRagged(a) ? a : (b as RaggedTensor)).partition;
  const spec = new RaggedTensorSpec(null, options.outputType ?? a.dtype, { raggedRank: isWide ? 1 : 0, rowSplitsDtype: dtype });
  const one = ([x, y]: readonly Ragged[]): Ragged => {
    const matrix = wholeMatrices(x, y, options);
    return isWide ? RaggedTensor.fromTensor(matrix) : matrix;
  };
  const result = mapFn(one, [a, b], { fnOutputSignature: spec }) as RaggedTensor;
  const [x, y] = [a.shape.dims ?? [null, null, null], b.shape.dims ?? [null, null, null]];
  const rows = options.transposeA || options.adjointA ? x[2] : x[1];
  const columns = turnsB ? y[1] : y[2];
  return result.withKnownShape(new TensorShape([x[0], rows, null])).withKnownShape(new TensorShape([y[0], null, columns]));
}

// ---- rows of tables ----

/** The combined rows of a table for each row of ids. @throws TypeError for weights that are not ragged. */
export function raggedEmbeddingLookupSparse(
  _: Callable,
  params: Params,
  ids: RaggedTensor,
  weights: RaggedTensor | null,
  ...rest: readonly unknown[]
): Tensor {
  const options = collect<SparseLookupOptions>(lookupNames, rest);
  const combiner = lookupCombiner(options.combiner);
  const tables = tablesOf(params);
  if (weights !== null) {
    // TensorFlow's own text is not filled in.
    if (!isRagged(weights))
      throw new TypeError(
        "sp_ids must be of the same type as sp_weights, received {type(sp_ids).__name__!r} for sp_ids and {type(sp_weights).__name__!r} for sp_weights.",
      );
    ids.values.shape.assertIsCompatibleWith(weights.values.shape);
    ids.shape.assertIsCompatibleWith(weights.shape);
  }
  return inNameScope({ name: options.name }, "embedding_lookup_sparse", [...tables, ids], scope =>
    combinedLookup(tables, ids.flatValues, ids.valueRowids(), weights?.flatValues ?? null, { ...options, combiner }, String(scope)),
  );
}

/** As that, without ids below 0 and weights that are not above 0, and with zeros (or a row of the table) for rows without ids. */
export function raggedSafeEmbeddingLookupSparse(_: Callable, params: Params, given: RaggedTensor, ...rest: readonly unknown[]): Tensor {
  const options = collect<SafeLookupOptions<RaggedTensor>>(safeLookupNames, rest);
  if (params === null || params === undefined) throw new ValueError("Missing embedding_weights None.");
  const { combiner = "mean", defaultId = null, partitionStrategy = "div", maxNorm, allowFastLookup, sparseWeights = null } = options;
  const dtype = sparseWeights?.dtype;
  const tables = tablesOf(params).map(table =>
    isRowSource(table) && (dtype === undefined || dtype === table.dtype) ? table : convertToTensor(table, { dtype }),
  );
  if (tables.length === 0) throw new ValueError("Missing embedding_weights [].");
  return inNameScope({ name: options.name }, "embedding_lookup", [...tables, given, sparseWeights], scope => {
    let [ids, weights] = kept(given, sparseWeights, greaterEqual(given.values as Tensor, 0));
    if (combiner !== "sum" && weights !== null) [ids, weights] = kept(ids, weights, greater(weights.values as Tensor, 0));
    const [filled, isEmpty] = filledRows(ids, defaultId ?? 0);
    const filledWeights = weights === null ? null : filledRows(weights, 1)[0];
    const name = defaultId === null ? null : String(scope);
    const all = { combiner, partitionStrategy, name, maxNorm, allowFastLookup };
    const result = raggedEmbeddingLookupSparse(where, tables as TensorLike[], filled, filledWeights, all);
    if (defaultId !== null) return result;
    const isEmptyRow = tile(reshape(isEmpty, [-1, 1]), stack([1, getItem(shapeOf(result), 1)]));
    return where(isEmptyRow, zerosLike(result), result, { name: String(scope) }) as Tensor;
  });
}

/** What is to stay of ids and of the weights at their places. */
function kept(ids: RaggedTensor, weights: RaggedTensor | null, isKept: Tensor): [RaggedTensor, RaggedTensor | null] {
  const nrows = ids.nrows();
  const values = booleanMask(ids.values as Tensor, isKept);
  const rowids = booleanMask(ids.valueRowids(), isKept);
  const rows = (of: Tensor): RaggedTensor => RaggedTensor.fromValueRowids(of, rowids, { nrows, validate: false });
  return [rows(values), weights && rows(booleanMask(weights.values as Tensor, isKept))];
}

/** One value in every row that has none, and which those are. */
const filledRows = (rows: RaggedTensor, value: number): [RaggedTensor, Tensor] =>
  inNameScope({}, "RaggedFillEmptyRows", [rows], () => {
    const defaultValue = convertToTensor(value, { dtype: rows.dtype });
    const { outputValueRowids, outputValues, emptyRowIndicator } = RaggedFillEmptyRows({
      valueRowids: rows.valueRowids(),
      values: rows.values as Tensor,
      nrows: rows.nrows(),
      defaultValue,
    });
    return [RaggedTensor.fromValueRowids(outputValues, outputValueRowids, { validate: false }), emptyRowIndicator];
  });
