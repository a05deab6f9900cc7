// Counting the values of each row of dense, sparse and ragged tensors: as dense bins, or as a sparse tensor of those values that occur.
// How many occur is known only while running, so these run on the host between segments, as do bins of ragged rows.

import type { DType } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { type ElementValue, NDArray } from "../../base/ndarray.ts";
import { sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type ShapeContext } from "../../graph/op-definition.ts";
import { numbersOf } from "../array/array.ts";
import { sumOf } from "../sparse/structure.ts";

const countTypes = attr.type(["int32", "int64", "float32", "float64"]);
const indexType = attr.type(attr.indexTypes);

// ---- sparse counts ----

const countAttrs = {
  T: indexType,
  minlength: attr.int(-1, -1),
  maxlength: attr.int(-1, -1),
  binaryOutput: attr.bool(),
  outputType: countTypes,
};
const countOutputs = { outputIndices: "int64", outputValues: "outputType", outputDenseShape: "int64" } as const;

interface CountAttrs {
  readonly minlength: number;
  readonly maxlength: number;
  readonly binaryOutput: boolean;
  readonly outputType: DType;
}

const countShapes = (rank: number | null): TensorShape[] => [
  new TensorShape([null, rank]),
  new TensorShape([null]),
  new TensorShape([rank]),
];

/** Counts by value, for each row; `rowOf` tells the row of an element. `rows` is undefined for a tensor that is one row itself. */
function counted(values: NDArray, weights: NDArray, rows: number | undefined, rowOf: (n: number) => number, attrs: CountAttrs): NDArray[] {
  const { minlength, maxlength, binaryOutput, outputType } = attrs;
  const isWeighted = weights.size > 0;
  if (isWeighted && weights.shape.join() !== values.shape.join())
    throw new InvalidArgumentError(
      `Weights and values must have the same shape. Weight shape: [${weights.shape}]; values shape: [${values.shape}]`,
    );
  const numbers = Array.from({ length: values.size }, (_, n) => Number(values.get(n)));
  if (numbers.some(value => value < 0)) throw new InvalidArgumentError("Input values must all be non-negative");
  const one: ElementValue = outputType === "int64" ? 1n : 1;
  const bins = Array.from({ length: rows ?? 1 }, () => new Map<number, ElementValue>());
  let greatest = 0;
  numbers.forEach((value, n) => {
    if (maxlength >= 0 && value >= maxlength) return;
    greatest = Math.max(greatest, value);
    const bin = bins[rowOf(n)];
    bin.set(value, binaryOutput ? one : sumOf(bin.get(value), isWeighted ? weights.get(n) : one));
  });
  const entries = bins.flatMap((bin, row) => [...bin].sort(([a], [b]) => a - b).map(([value, count]) => ({ row, value, count })));
  const places = entries.map(({ row, value }) => (rows === undefined ? [value] : [row, value]));
  const width = maxlength >= 0 ? maxlength : Math.max(greatest + 1, minlength);
  const int64 = (list: readonly number[], shape: readonly number[]): NDArray => NDArray.from(list.map(BigInt), "int64", shape);
  return [
    int64(places.flat(), [entries.length, rows === undefined ? 1 : 2]),
    NDArray.from(
      entries.map(({ count }) => count),
      outputType,
      [entries.length],
    ),
    int64(rows === undefined ? [width] : [rows, width], [rows === undefined ? 1 : 2]),
  ];
}

/** The values that occur in a vector, or in each row of a matrix, with their counts (sums of weights; ones if binary). */
export const DenseCountSparseOutput = defineOp("DenseCountSparseOutput", {
  inputs: { values: "T", weights: "outputType" },
  outputs: countOutputs,
  attrs: countAttrs,
  shape: ({ values, weights }) => {
    if (weights.rank !== null && !weights.dims?.includes(0)) weights.mergeWith(values);
    return countShapes(values.rank);
  },
  host: ({ values, weights, ...attrs }) => {
    const { shape } = values;
    if (shape.length !== 1 && shape.length !== 2)
      throw new InvalidArgumentError(`Input must be a 1 or 2-dimensional tensor. Got: [${shape}]`);
    if (shape.length === 1) return counted(values, weights, undefined, () => 0, attrs);
    if (shape[0] === 0) throw new InvalidArgumentError("Invalid input: Shapes dimension cannot be 0.");
    return counted(values, weights, shape[0], n => Math.floor(n / shape[1]), attrs);
  },
});

/** The same of a sparse vector, or of each row (first dimension) of a sparse tensor. */
export const SparseCountSparseOutput = defineOp("SparseCountSparseOutput", {
  inputs: { indices: "int64", values: "T", denseShape: "int64", weights: "outputType" },
  outputs: countOutputs,
  attrs: countAttrs,
  shape: ({ indices }) => countShapes(indices.withRank(2).dim(1)),
  host: ({ indices, values, denseShape, weights, ...attrs }) => {
    const sizes = numbersOf(denseShape);
    const [count, rank] = [indices.shape[0] ?? 0, indices.shape[1] ?? 0];
    if (indices.rank !== 2) throw new InvalidArgumentError(`Input indices must be a 2-dimensional tensor. Got: [${indices.shape}]`);
    if (values.rank !== 1) throw new InvalidArgumentError(`Input values must be a 1-dimensional tensor. Got: [${values.shape}]`);
    if (denseShape.rank !== 1)
      throw new InvalidArgumentError(`Input dense_shape must be a 1-dimensional tensor. Got: [${denseShape.shape}]`);
    if (values.size !== count)
      throw new InvalidArgumentError(
        `Number of values must match first dimension of indices.Got ${values.size} values, indices shape: [${indices.shape}]`,
      );
    if (sizes.length !== rank)
      throw new InvalidArgumentError(
        `Number of dimensions must match second dimension of indices.Got ${sizes.length} dimensions, indices shape: [${indices.shape}]`,
      );
    for (let n = 0; n < count; n++)
      sizes.forEach((size, axis) => {
        const at = Number(indices.get(n * rank + axis));
        if (at < 0 || at >= size)
          throw new InvalidArgumentError(
            `Invalid index value at ${n}: dimension ${axis} has value ${at} which is not in [0, ${size}) (as given by dense shape Tensor<type: int64 shape: [${rank}] values: ${sizes.join(" ")}>`,
          );
      });
    if (rank === 1) return counted(values, weights, undefined, () => 0, attrs);
    if (sizes[0] === 0) throw new InvalidArgumentError("Cannot allocate 0 batches, is the dense shape too wide?");
    return counted(values, weights, sizes[0], n => Number(indices.get(n * rank)), attrs);
  },
});

/** The row of each value. @throws InvalidArgumentError for splits that do not begin at 0 or end elsewhere than the values. */
function rowsOfSplits(splits: NDArray, count: number, least: number, tooFew: string): number[] {
  const ends = numbersOf(splits);
  if (ends.length < least) throw new InvalidArgumentError(tooFew);
  if (ends[0] !== 0) throw new InvalidArgumentError(`Splits must start with 0, not with ${ends[0]}`);
  const last = ends[ends.length - 1];
  if (last !== count) throw new InvalidArgumentError(`Splits must end with the number of values, got ${last} instead of ${count}`);
  let row = 0;
  return Array.from({ length: count }, (_, n) => {
    while (n >= ends[row]) row++;
    return row - 1;
  });
}

/** The same of the rows of a ragged matrix: row r is `values[splits[r]…splits[r + 1])`. */
export const RaggedCountSparseOutput = defineOp("RaggedCountSparseOutput", {
  inputs: { splits: "int64", values: "T", weights: "outputType" },
  outputs: countOutputs,
  attrs: countAttrs,
  shape: ({ values }) => countShapes(values.rank === null ? null : values.rank + 1),
  host: ({ splits, values, weights, ...attrs }) => {
    const rows = rowsOfSplits(splits, values.size, 2, "Must provide at least 2 elements for the splits argument");
    return counted(values, weights, splits.size - 1, n => rows[n], attrs);
  },
});

// ---- dense bins ----

const binAttrs = { Tidx: indexType, T: countTypes, binaryOutput: attr.bool(false) };

/** bins[row, value] of weights (ones); values outside count nowhere. */
function binned(
  values: NDArray,
  weights: NDArray,
  size: number,
  rows: number | undefined,
  rowOf: (n: number) => number,
  isBinary: boolean,
) {
  if (weights.size > 0 && weights.size !== values.size)
    throw new InvalidArgumentError(`weights must have as many elements as values: ${weights.size} vs. ${values.size}`);
  const one: ElementValue = weights.dtype === "int64" ? 1n : 1;
  const bins = NDArray.zeros(weights.dtype, rows === undefined ? [size] : [rows, size]);
  for (let n = 0; n < values.size; n++) {
    const value = Number(values.get(n));
    if (value < 0 || value >= size) continue;
    const at = rowOf(n) * size + value;
    bins.set(at, isBinary ? one : sumOf(bins.get(at), weights.size > 0 ? weights.get(n) : one));
  }
  return bins;
}

function binCount(size: NDArray): number {
  if (size.rank !== 0) throw new InvalidArgumentError(`Shape must be rank 0 but is rank ${size.rank}`);
  const [count] = numbersOf(size);
  if (count < 0) throw new InvalidArgumentError(`size (${count}) must be non-negative`);
  return count;
}

function staticBins(context: ShapeContext): TensorShape {
  const sizes = context.constant("denseShape");
  const size = context.constant("size");
  if (size && Number(size.get(0)) < 0) throw new ValueError(`size (${size.get(0)}) must be non-negative`);
  if (sizes && sizes.size > 2) throw new ValueError("Input must be less than rank 2");
  if (!sizes || !size) return TensorShape.unknown();
  return new TensorShape([...(sizes.size === 2 ? [Number(sizes.get(0))] : []), Number(size.get(0))]);
}

/** Bins of a sparse vector, or of each row of a sparse matrix. */
export const SparseBincount = defineOp("SparseBincount", {
  inputs: { indices: "int64", values: "Tidx", denseShape: "int64", size: "Tidx", weights: "T" },
  outputs: { output: "T" },
  attrs: binAttrs,
  shape: ({ size }, context) => {
    size.withRank(0);
    return staticBins(context);
  },
  host: ({ indices, values, denseShape, size, weights, binaryOutput }) => {
    const count = binCount(size);
    const sizes = numbersOf(denseShape);
    const rank = sizes.length;
    if (indices.rank !== 2) throw new InvalidArgumentError(`Sparse indices must be rank 2 but is rank ${indices.rank}`);
    if (values.size !== indices.shape[0])
      throw new InvalidArgumentError(`Number of elements in indices (${indices.shape[0]}) and values (${values.size}) do not match`);
    if (indices.shape[1] !== rank) throw new InvalidArgumentError(`Index rank (${indices.shape[1]}) and shape rank (${rank}) do not match`);
    if (rank > 2) throw new InvalidArgumentError("Input must be less than rank 2");
    for (let n = 0; n < values.size; n++) {
      const at = sizes.map((_, axis) => Number(indices.get(n * rank + axis)));
      if (at.some((index, axis) => index < 0 || index >= sizes[axis]))
        throw new InvalidArgumentError(`Sparse index tuple indices[${n}, :] = [${at.join(", ")}] is out of bounds`);
    }
    return binned(
      values,
      weights,
      count,
      rank === 2 ? sizes[0] : undefined,
      n => (rank === 2 ? Number(indices.get(n * 2)) : 0),
      binaryOutput,
    );
  },
});

/** Bins of each row of a ragged matrix. @throws InvalidArgumentError while running for negative values. */
export const RaggedBincount = defineOp("RaggedBincount", {
  inputs: { splits: "int64", values: "Tidx", size: "Tidx", weights: "T" },
  outputs: { output: "T" },
  attrs: binAttrs,
  shape: () => TensorShape.unknown(),
  host: ({ splits, values, size, weights, binaryOutput }) => {
    const count = binCount(size);
    const rows = rowsOfSplits(splits, sizeOf(values.shape), 1, "Splits must be non-empty");
    for (let n = 0; n < values.size; n++) if (Number(values.get(n)) < 0) throw new InvalidArgumentError("Input must be non-negative");
    return binned(values, weights, count, splits.size - 1, n => rows[n], binaryOutput);
  },
});
