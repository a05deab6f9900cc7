// How values are divided into rows: row splits, and what else is known (the lengths of rows, the row of each value), so that nothing is computed twice.
// The factories make TensorFlow's nodes, its checks while running included. TF: ops/ragged/row_partition.

import { type DType, isBigInteger, isInteger } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import type { Dimension } from "../../base/shape.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { type Operation, Tensor } from "../../graph/operation.ts";
import { constantValue } from "../../graph/shape-inference.ts";
import { constant, numbersOf, shape as shapeOf, zeros } from "../../ops/array/array.ts";
import { range, repeat } from "../../ops/array/ranges.ts";
import { concat, getItem } from "../../ops/array/slicing.ts";
import { assertEqual, assertGreaterEqual, assertLess, assertLessEqual, assertNonNegative, assertRank } from "../../ops/flow/check.ts";
import { withDependencies } from "../../ops/flow/control-flow.ts";
import { Cast, cast } from "../../ops/math/cast.ts";
import { maximum } from "../../ops/math/math.ts";
import { bincount } from "../../ops/math/counting.ts";
import { cumsum } from "../../ops/math/reduction.ts";
import { inNameScope } from "../../ops/named.ts";
import { add, floordiv, mul, sub } from "../../ops/operators.ts";

export type SplitsType = "int32" | "int64";

interface Known {
  readonly rowLengths?: Tensor | undefined;
  readonly valueRowids?: Tensor | undefined;
  readonly nrows?: Tensor | undefined;
  readonly uniformRowLength?: Tensor | undefined;
}

export interface PartitionOptions {
  /** The type of numbers that have none of their own. */
  readonly hint?: SplitsType | undefined;
  readonly validate: boolean;
}

/** A whole number of a partition's type. */
const whole = (value: number, dtype: DType): Tensor => constant(isBigInteger(dtype) ? BigInt(value) : value, dtype);

function converted(value: TensorLike, name: string, hint: SplitsType = "int64"): Tensor {
  const tensor = convertToTensor(value, { name, preferredDtype: hint });
  if (tensor.dtype !== "int32" && tensor.dtype !== "int64") throw new ValueError(`${name} must have dtype int32 or int64`);
  return tensor;
}

const assertZero = (x: Tensor, message: string): Operation => assertEqual(x, whole(0, x.dtype), { message });
const assertIncreasing = (x: Tensor, message: string): Operation =>
  assertNonNegative(sub(getItem(x, [1, null]), getItem(x, [null, -1])), { message });

/** The rows of a ragged dimension. */
export class RowPartition {
  readonly rowSplits: Tensor;
  readonly known: Known;

  constructor(rowSplits: Tensor, known: Known = {}) {
    rowSplits.shape.withRank(1);
    this.rowSplits = rowSplits;
    this.known = known;
  }

  get dtype(): SplitsType {
    return this.rowSplits.dtype as SplitsType;
  }

  static fromRowSplits(given: TensorLike, { hint, validate }: PartitionOptions): RowPartition {
    if (Array.isArray(given) && given.length === 0) throw new ValueError("row_splits tensor may not be empty.");
    return inNameScope({}, "RowPartitionFromRowSplits", [given], () => {
      const splits = converted(given, "row_splits", hint);
      splits.shape.withRank(1);
      if (!validate) return new RowPartition(splits);
      const says = "Arguments to from_row_splits do not form a valid RaggedTensor:";
      const isVector = assertRank(splits, 1, { message: `${says}rank` });
      const isZero = assertZero(getItem(splits, 0), `${says}zero`);
      return new RowPartition(withDependencies([isVector, isZero, assertIncreasing(splits, `${says}monotonic`)], splits));
    });
  }

  static fromRowLengths(given: TensorLike, { hint, validate }: PartitionOptions): RowPartition {
    return inNameScope({}, "RowPartitionFromRowLengths", [given], () => {
      let lengths = converted(given, "row_lengths", hint);
      lengths.shape.withRank(1);
      if (validate) {
        const message = "Arguments to from_row_lengths do not form a valid RowPartition";
        const isVector = assertRank(lengths, 1, { message });
        lengths = withDependencies([isVector, assertNonNegative(lengths, { message })], lengths);
      }
      const splits = concat([[0], cumsum(lengths)], 0);
      return new RowPartition(splits, { rowLengths: lengths });
    });
  }

  static fromValueRowids(given: TensorLike, count: TensorLike | null | undefined, { hint, validate }: PartitionOptions): RowPartition {
    return inNameScope({}, "RowPartitionFromValueRowIds", [given, count], () => {
      let rowids = converted(given, "value_rowids", hint);
      const { nrows, rows } = rowCount(rowids, count);
      rowids.shape.withRank(1);
      nrows.shape.withRank(0);
      if (validate) {
        const message = "Arguments to from_value_rowids do not form a valid RowPartition";
        const checks = [assertRank(rowids, 1, { message }), assertRank(nrows, 0, { message })];
        checks.push(assertNonNegative(getItem(rowids, [null, 1]), { message }), assertIncreasing(rowids, message));
        checks.push(assertLess(getItem(rowids, [-1, null]), nrows, { message }));
        rowids = withDependencies(checks, rowids);
      }
      const narrow = cast(rowids, "int32");
      const most = cast(nrows, "int32");
      const rowLengths = bincount(narrow, { minlength: most, maxlength: most, dtype: rowids.dtype as SplitsType });
      const splits = concat([[0], cumsum(rowLengths)], 0);
      if (rows !== null) {
        rowLengths.setShape([rows]);
        splits.setShape([rows + 1]);
      }
      return new RowPartition(splits, { rowLengths, valueRowids: rowids, nrows });
    });
  }

  static fromRowStarts(given: TensorLike, count: Tensor, { hint, validate }: PartitionOptions): RowPartition {
    return inNameScope({}, "RowPartitionFromRowStarts", [given], () => {
      let starts = converted(given, "row_starts", hint);
      starts.shape.withRank(1);
      const values = cast(count, starts.dtype);
      if (validate) {
        const message = "Arguments to from_row_starts do not form a valid RaggedTensor";
        const isVector = assertRank(starts, 1, { message });
        const isZero = assertZero(getItem(starts, [null, 1]), message);
        const isIncreasing = assertIncreasing(starts, message);
        const isInside = assertLessEqual(getItem(starts, [-1, null]), values, { message });
        starts = withDependencies([isVector, isZero, isIncreasing, isInside], starts);
      }
      return new RowPartition(concat([starts, [values]], 0));
    });
  }

  static fromRowLimits(given: TensorLike, { hint, validate }: PartitionOptions): RowPartition {
    return inNameScope({}, "RowPartitionFromRowLimits", [given], () => {
      let limits = converted(given, "row_limits", hint);
      limits.shape.withRank(1);
      if (validate) {
        const message = "Arguments to from_row_limits do not form a valid RaggedTensor";
        const isVector = assertRank(limits, 1, { message });
        const isPositive = assertNonNegative(getItem(limits, [null, 1]), { message });
        limits = withDependencies([isVector, isPositive, assertIncreasing(limits, message)], limits);
      }
      return new RowPartition(concat([zeros([1], limits.dtype), limits], 0));
    });
  }

  /** Rows of one length: `nvals` values, in `nrows` rows if that is given. */
  static fromUniformRowLength(
    length: Tensor,
    nvals: Tensor,
    count: TensorLike | null | undefined,
    { validate }: PartitionOptions,
  ): RowPartition {
    return inNameScope({}, "RowPartitionFromUniformRowLength", [length, count], () => {
      length.shape.withRank(0);
      const { dtype } = length;
      const [size, values] = [knownNumber(length), knownNumber(nvals)];
      const nrows = uniformRows(length, nvals, count, size);
      const isGiven = count !== null && count !== undefined;
      const rows = isGiven || size === 0 ? knownNumber(nrows) : null;
      const splits =
        rows !== null && size !== null
          ? constant(Array.from({ length: rows + 1 }, (_, i) => (dtype === "int64" ? BigInt(i * size) : i * size)) as number[], dtype)
          : mul(range(add(nrows, 1), { dtype }), length);
      if (!validate) return new RowPartition(splits, { nrows, uniformRowLength: length });
      const checks: Operation[] = [];
      if (rows === null || size === null || values === null) {
        const data = ["uniform_row_length", length, "times nrows", nrows, "must equal nvals", nvals];
        checks.push(assertEqual(mul(nrows, length), nvals, { data }));
      } else if (rows * size !== values) throw new ValueError(`uniform_row_length=${size} times nrows=${rows} must equal nvals=${values}`);
      if (size === null) checks.push(assertGreaterEqual(length, whole(0, dtype), { message: "uniform_row_length must be >= 0." }));
      else if (size < 0) throw new ValueError("uniform_row_length must be >= 0.");
      return new RowPartition(withDependencies(checks, splits), { nrows, uniformRowLength: length });
    });
  }

  /** The same, its splits only there after `checks`. */
  after(checks: readonly Operation[]): RowPartition {
    return new RowPartition(withDependencies(checks, this.rowSplits), this.known);
  }

  withDtype(dtype: SplitsType): RowPartition {
    if (dtype === this.dtype) return this;
    const other = (tensor: Tensor | undefined): Tensor | undefined => tensor && cast(tensor, dtype);
    const { rowLengths, valueRowids, nrows, uniformRowLength } = this.known;
    return new RowPartition(cast(this.rowSplits, dtype), {
      rowLengths: other(rowLengths),
      valueRowids: other(valueRowids),
      nrows: other(nrows),
      uniformRowLength: other(uniformRowLength),
    });
  }

  nvals(): Tensor {
    return getItem(this.rowSplits, -1);
  }
  nrows(): Tensor {
    if (this.known.nrows) return this.known.nrows;
    const splits = this.rowSplits.shape.dim(0);
    if (splits !== null) return whole(splits - 1, this.dtype);
    return sub(getItem(shapeOf(this.rowSplits, { outType: this.dtype }), 0), 1);
  }
  valueRowids(): Tensor {
    return this.known.valueRowids ?? segmentIdsOf(this.rowSplits);
  }
  rowStarts(): Tensor {
    return getItem(this.rowSplits, [null, -1]);
  }
  rowLimits(): Tensor {
    return getItem(this.rowSplits, [1, null]);
  }
  rowLengths(): Tensor {
    return this.known.rowLengths ?? sub(this.rowLimits(), this.rowStarts());
  }

  get staticNrows(): Dimension {
    const splits = this.rowSplits.shape.dim(0);
    if (splits !== null) return splits - 1;
    return this.known.rowLengths?.shape.dim(0) ?? (this.known.nrows ? knownNumber(this.known.nrows) : null);
  }
  get staticUniformRowLength(): Dimension {
    return this.known.uniformRowLength ? knownNumber(this.known.uniformRowLength) : null;
  }
}

function knownNumber(tensor: Tensor): number | null {
  const known = constantValue(tensor);
  return known === undefined ? null : numbersOf(known)[0];
}

/** How many rows there are: as given, or up to the last row that has a value. */
function rowCount(rowids: Tensor, given: TensorLike | null | undefined): { nrows: Tensor; rows: number | null } {
  const known = constantValue(rowids);
  const last = known === undefined ? null : (numbersOf(known).at(-1) ?? -1);
  if (given === null || given === undefined) {
    if (last !== null) return { nrows: convertToTensor(last + 1, { dtype: rowids.dtype, name: "nrows" }), rows: last + 1 };
    return { nrows: add(getItem(concat([getItem(rowids, [-1, null]), [-1]], 0), 0), 1), rows: null };
  }
  const nrows = convertToTensor(given, { dtype: rowids.dtype, name: "nrows" });
  const rows = knownNumber(nrows);
  if (rows !== null && rows < 0) throw new ValueError(`Expected nrows >= 0; got ${rows}`);
  if (rows !== null && last !== null && rows < last + 1)
    throw new ValueError(`Expected nrows >= value_rowids[-1] + 1; got nrows=${rows}, value_rowids[-1]=${last}`);
  return { nrows, rows };
}

function uniformRows(length: Tensor, nvals: Tensor, given: TensorLike | null | undefined, size: number | null): Tensor {
  const { dtype } = length;
  if (given !== null && given !== undefined) return convertToTensor(given, { dtype, name: "nrows" });
  if (size === 0) return whole(0, dtype);
  return floordiv(nvals, size === null ? maximum(length, whole(1, dtype)) : size);
}

/** The row of each value. TF: tf.ragged.row_splits_to_segment_ids. */
export function segmentIdsOf(splits: TensorLike, name?: string | null, outType?: SplitsType | null): Tensor {
  return inNameScope({ name }, "RaggedSplitsToSegmentIds", [splits], () => {
    const tensor = convertToTensor(splits, { name: "splits", preferredDtype: "int64" });
    if (tensor.dtype !== "int32" && tensor.dtype !== "int64") throw new ValueError("splits must have dtype int32 or int64");
    tensor.shape.withRank(1);
    if (tensor.shape.dim(0) === 0) throw new ValueError("Invalid row_splits: []");
    const lengths = sub(getItem(tensor, [1, null]), getItem(tensor, [null, -1]));
    const nrows = sub(getItem(shapeOf(tensor, { outType: outType ?? tensor.dtype }), -1), 1);
    return repeat(range(nrows), lengths, { axis: 0 });
  });
}

/** Whole numbers of a type, by way of int32 where they have none of their own. */
export function wholeNumbers(given: TensorLike, name: string, dtype: DType): Tensor {
  const tensor = convertToTensor(given, given instanceof Tensor ? {} : { name, preferredDtype: "int32" });
  if (!isInteger(tensor.dtype))
    throw new TypeError(
      `Argument \`tensor\` (name: ${name}) must be of type integer. Received \`tensor\` = ${tensor} of dtype: <dtype: '${tensor.dtype}'>`,
    );
  return Cast({ x: tensor, DstT: dtype });
}
