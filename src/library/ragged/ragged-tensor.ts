// RaggedTensor: values in rows of different lengths, nested as deep as wanted, and RaggedTensorValue, what a run gives for one.

import { type DType, isBigInteger } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import type { NDArray, NestedArray } from "../../base/ndarray.ts";
import { pythonStr } from "../../base/python-text.ts";
import { TensorShape } from "../../base/shape.ts";
import type { Callable } from "../../graph/composite.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Named } from "../../graph/op-definition.ts";
import { type Operation, Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { constant, expandDims, ones, rank, reshape, shape as shapeOf, size, zeros } from "../../ops/array/array.ts";
import { gather } from "../../ops/array/gather.ts";
import { range, sequenceMask } from "../../ops/array/ranges.ts";
import { booleanMask, where } from "../../ops/array/selection.ts";
import { concat, getItem, stack, unstack } from "../../ops/array/slicing.ts";
import { assertEqual, assertRankAtLeast } from "../../ops/flow/check.ts";
import { Assert } from "../../ops/flow/control-flow.ts";
import { cond } from "../../ops/flow/control-flow-contexts.ts";
import { cast } from "../../ops/math/cast.ts";
import { equal, logicalAnd, logicalNot } from "../../ops/math/comparison.ts";
import { maximum, minimum } from "../../ops/math/math.ts";
import { cumsum, reduceAll, reduceAny, reduceMax, reduceSum } from "../../ops/math/reduction.ts";
import { inNameScope } from "../../ops/named.ts";
import { add, greater, mul, notEqual, sub } from "../../ops/operators.ts";
import { RaggedTensorToSparse, RaggedTensorToTensor } from "../../ops/sparse/ragged.ts";
import { raggedAnswers } from "./ragged-answers.ts";
import { attachRaggedOperators } from "./ragged-operators.ts";
import { RaggedTensorSpec } from "./ragged-tensor-spec.ts";
import { type PartitionOptions, RowPartition, type SplitsType, wholeNumbers } from "./row-partition.ts";
import { refuseOthers } from "../../ops/arguments.ts";

/** A ragged array: what a run gives for a RaggedTensor, and what may be fed for one. TF: tf.ragged.RaggedTensorValue. */
export class RaggedTensorValue {
  readonly values: NDArray | RaggedTensorValue;
  /** int32 or int64 `[rows + 1]`. */
  readonly rowSplits: NDArray;

  constructor(values: NDArray | RaggedTensorValue, rowSplits: NDArray) {
    if (!/^int(?:32|64)$/.test(rowSplits.dtype) || rowSplits.rank !== 1)
      throw new TypeError("row_splits must be a 1D int32 or int64 numpy array");
    if (values instanceof RaggedTensorValue && values.rowSplits.dtype !== rowSplits.dtype)
      throw new ValueError("row_splits and values.row_splits must have the same dtype");
    this.values = values;
    this.rowSplits = rowSplits;
  }

  get dtype(): DType {
    return this.values.dtype;
  }
  get raggedRank(): number {
    return this.values instanceof RaggedTensorValue ? this.values.raggedRank + 1 : 1;
  }
  get flatValues(): NDArray {
    return this.values instanceof RaggedTensorValue ? this.values.flatValues : this.values;
  }
  get nestedRowSplits(): readonly NDArray[] {
    return [this.rowSplits, ...(this.values instanceof RaggedTensorValue ? this.values.nestedRowSplits : [])];
  }
  /** The number of rows, null for the ragged dimension, those of the values. */
  get shape(): readonly (number | null)[] {
    return [this.rowSplits.size - 1, null, ...this.values.shape.slice(1)];
  }

  /** The rows as nested lists. */
  toList(): unknown[] {
    const values = this.values instanceof RaggedTensorValue ? this.values.toList() : (this.values.toArray() as NestedArray[]);
    const ends = Array.from({ length: this.rowSplits.size }, (_, i) => Number(this.rowSplits.get(i)));
    return ends.slice(1).map((end, row) => values.slice(ends[row], end));
  }

  toString(): string {
    return `<tf.RaggedTensorValue ${JSON.stringify(this.toList(), (_, item) => (typeof item === "bigint" ? Number(item) : item))}>`;
  }
}

type Values = TensorLike | RaggedTensor;
interface FactoryOptions extends Named {
  /** Checks, in part while running, that the rows fit the values; true unless told otherwise. */
  readonly validate?: boolean;
}

interface FromTensorOptions extends Named {
  /** How many elements of each row count. */
  readonly lengths?: TensorLike | null;
  /** The element that fills rows up; it is left off at their ends. */
  readonly padding?: TensorLike | null;
  readonly raggedRank?: number;
  readonly rowSplitsDtype?: SplitsType;
}

interface ToTensorOptions extends Named {
  /** What fills rows up, zero. */
  readonly defaultValue?: TensorLike | null;
  /** The shape of the result, where it is to be another than the bounding one. */
  readonly shape?: TensorShape | readonly (number | null)[] | Tensor | null;
}

/** Values in rows of different lengths. Made by its `from…` functions or by tf.ragged.constant. TF: tf.RaggedTensor. */
export class RaggedTensor {
  readonly values: Tensor | RaggedTensor;
  /** How the values are divided into rows. */
  readonly partition: RowPartition;

  private constructor(values: Tensor | RaggedTensor, partition: RowPartition) {
    values.shape.withRankAtLeast(1);
    attachRaggedOperators(RaggedTensor);
    this.values = values;
    this.partition = partition;
  }

  // ---- factories ----

  private static from(
    scope: string,
    values: Values,
    parts: readonly unknown[],
    { name, validate = true }: FactoryOptions,
    make: (options: PartitionOptions, values: Values) => RowPartition,
  ): RaggedTensor {
    return inNameScope({ name }, scope, [values instanceof RaggedTensor ? values.flatValues : values, parts], () => {
      const hint = values instanceof RaggedTensor ? values.partition.dtype : undefined;
      return RaggedTensor.ofPartition(values, make({ hint, validate }, values), validate);
    });
  }

  private static ofPartition(given: Values, partition: RowPartition, validate: boolean): RaggedTensor {
    if (given instanceof RaggedTensor && given.partition.dtype !== partition.dtype)
      throw new ValueError(
        `Argument \`row_partition\` of RaggedTensor with name: partition must have same dtype as Argument \`values\`. (<dtype: '${partition.dtype}'> vs. <dtype: '${given.partition.dtype}'>).`,
      );
    if (typeof validate !== "boolean") throw new TypeError(`Argument \`validate\` must have type bool. Received ${pythonStr(validate)}.`);
    const values = valuesOf(given);
    const { valueRowids } = partition.known;
    if (valueRowids !== undefined && values.shape.rank !== null)
      new TensorShape(values.shape.rank === 0 ? [] : [values.shape.dim(0)]).assertIsCompatibleWith(valueRowids.shape);
    if (!validate) return new RaggedTensor(values, partition);
    const message = "Arguments to _from_row_partition do not form a valid RaggedTensor";
    const count = rowsOf(values, partition.dtype);
    const checks: Operation[] = [assertEqual(cast(partition.nvals(), partition.dtype), count, { message })];
    if (values instanceof Tensor) checks.push(assertRankAtLeast(values, 1));
    return new RaggedTensor(values, partition.after(checks));
  }

  /** Row i is `values[rowSplits[i]]` up to `values[rowSplits[i + 1]]`. TF: RaggedTensor.from_row_splits. */
  static fromRowSplits(values: Values, rowSplits: TensorLike, options: FactoryOptions = {}): RaggedTensor {
    return RaggedTensor.from("RaggedFromRowSplits", values, [rowSplits], options, known => RowPartition.fromRowSplits(rowSplits, known));
  }
  /** Row i has the next `rowLengths[i]` values. TF: RaggedTensor.from_row_lengths. */
  static fromRowLengths(values: Values, rowLengths: TensorLike, options: FactoryOptions = {}): RaggedTensor {
    return RaggedTensor.from("RaggedFromRowLengths", values, [rowLengths], options, known =>
      RowPartition.fromRowLengths(rowLengths, known),
    );
  }
  /** Value i is in row `valueRowids[i]`; ids do not decrease. TF: RaggedTensor.from_value_rowids. */
  static fromValueRowids(
    values: Values,
    valueRowids: TensorLike,
    { nrows, ...options }: FactoryOptions & { readonly nrows?: TensorLike | null } = {},
  ): RaggedTensor {
    return RaggedTensor.from("RaggedFromValueRowIds", values, [valueRowids, nrows], options, known =>
      RowPartition.fromValueRowids(valueRowids, nrows, known),
    );
  }
  /** Row i begins at `rowStarts[i]`. TF: RaggedTensor.from_row_starts. */
  static fromRowStarts(values: Values, rowStarts: TensorLike, { name, validate = true, ...others }: FactoryOptions = {}): RaggedTensor {
    refuseOthers(others);
    return inNameScope({ name }, "RaggedFromRowStarts", [values, rowStarts], () => {
      const given = valuesOf(values);
      const hint = given instanceof RaggedTensor ? given.partition.dtype : undefined;
      return RaggedTensor.ofPartition(given, RowPartition.fromRowStarts(rowStarts, rowsOf(given, "int32"), { hint, validate }), validate);
    });
  }
  /** Row i ends before `rowLimits[i]`. TF: RaggedTensor.from_row_limits. */
  static fromRowLimits(values: Values, rowLimits: TensorLike, { name, validate = true, ...others }: FactoryOptions = {}): RaggedTensor {
    refuseOthers(others);
    return inNameScope({ name }, "RaggedFromRowLimits", [values, rowLimits], () => {
      const given = valuesOf(values);
      const hint = given instanceof RaggedTensor ? given.partition.dtype : undefined;
      return RaggedTensor.ofPartition(given, RowPartition.fromRowLimits(rowLimits, { hint, validate }), validate);
    });
  }
  /** All rows have `uniformRowLength` values. TF: RaggedTensor.from_uniform_row_length. */
  static fromUniformRowLength(
    values: Values,
    uniformRowLength: TensorLike,
    { nrows, name, validate = true }: FactoryOptions & { readonly nrows?: TensorLike | null } = {},
  ): RaggedTensor {
    return inNameScope({ name }, "RaggedFromUniformRowLength", [values, uniformRowLength, nrows], () => {
      const given = valuesOf(values);
      const hint = given instanceof RaggedTensor ? given.partition.dtype : "int64";
      const length = convertToTensor(uniformRowLength, { name: "UniformRowLength", preferredDtype: hint });
      const known = given.shape.dim(0);
      const count =
        known === null
          ? rowsOf(given, length.dtype as SplitsType)
          : constant(isBigInteger(length.dtype) ? BigInt(known) : known, length.dtype);
      return RaggedTensor.ofPartition(given, RowPartition.fromUniformRowLength(length, count, nrows, { hint, validate }), validate);
    });
  }

  /** Values in rows that are known already, outermost first. */
  static ofPartitions(flatValues: Tensor, partitions: readonly RowPartition[]): RaggedTensor | Tensor {
    return partitions.reduceRight<RaggedTensor | Tensor>((values, rows) => RaggedTensor.ofPartition(values, rows, false), flatValues);
  }

  private static nested(
    scope: string,
    flatValues: Values,
    parts: readonly TensorLike[],
    { name, validate = true }: FactoryOptions,
    add: (values: Values, part: TensorLike, i: number, validate: boolean) => RaggedTensor,
  ): RaggedTensor {
    return inNameScope({ name }, scope, [flatValues, [...parts]], () =>
      parts.reduceRight<Values>((values, part, i) => add(values, part, i, validate), flatValues),
    ) as RaggedTensor;
  }
  /** Splits of every dimension, outermost first. TF: RaggedTensor.from_nested_row_splits. */
  static fromNestedRowSplits(flatValues: Values, nestedRowSplits: readonly TensorLike[], options: FactoryOptions = {}): RaggedTensor {
    return RaggedTensor.nested("RaggedFromNestedRowSplits", flatValues, nestedRowSplits, options, (values, part, _, validate) =>
      RaggedTensor.fromRowSplits(values, part, { validate }),
    );
  }
  /** TF: RaggedTensor.from_nested_row_lengths. */
  static fromNestedRowLengths(flatValues: Values, nestedRowLengths: readonly TensorLike[], options: FactoryOptions = {}): RaggedTensor {
    return RaggedTensor.nested("RaggedFromNestedRowlengths", flatValues, nestedRowLengths, options, (values, part, _, validate) =>
      RaggedTensor.fromRowLengths(values, part, { validate }),
    );
  }
  /** TF: RaggedTensor.from_nested_value_rowids. */
  static fromNestedValueRowids(
    flatValues: Values,
    nestedValueRowids: readonly TensorLike[],
    { nestedNrows, ...options }: FactoryOptions & { readonly nestedNrows?: readonly (TensorLike | null)[] | null } = {},
  ): RaggedTensor {
    if (nestedNrows && nestedNrows.length !== nestedValueRowids.length)
      throw new ValueError(
        `Argument \`nested_nrows\` must have the same length as argument \`nested_value_rowids\`. len(nested_nrows) = ${nestedNrows.length} vs. len(nested_values_rowids) = ${nestedValueRowids.length}.`,
      );
    return RaggedTensor.nested("RaggedFromNestedValueRowIds", flatValues, nestedValueRowids, options, (values, part, i, validate) =>
      RaggedTensor.fromValueRowids(values, part, { nrows: nestedNrows?.[i] ?? null, validate }),
    );
  }

  /** The rows of a dense tensor: whole, of given lengths, or without the padding at their ends. TF: RaggedTensor.from_tensor. */
  static fromTensor(
    tensor: TensorLike,
    { lengths, padding, raggedRank = 1, name, rowSplitsDtype: dtype = "int64", ...others }: FromTensorOptions = {},
  ): RaggedTensor {
    refuseOthers(others);
    if (lengths && padding !== undefined && padding !== null)
      throw new ValueError("Specify argument `lengths` or `padding`, but not both.");
    if (!Number.isInteger(raggedRank)) throw new TypeError(`Argument \`ragged_rank\` must be an int. Received ${pythonStr(raggedRank)}.`);
    if (raggedRank <= 0) throw new ValueError(`Argument \`ragged_rank\` must be greater than 0. Received ${raggedRank}.`);
    return inNameScope({ name }, "RaggedFromTensor", [tensor, lengths, padding], () => {
      const x = convertToTensor(tensor, { name: "tensor" });
      if (x.shape.rank !== null && x.shape.rank < 2)
        throw new ValueError(
          `The rank of a RaggedTensor must be greater than 1, i.e., a list of scalars won't have ragged dimensions. Received argument \`tensor\` with rank ${x.shape.rank}.`,
        );
      x.shape.withRankAtLeast(raggedRank + 1);
      const sizes = shapeOf(x, { outType: dtype });
      const columns = getItem(sizes, 1);
      if (Array.isArray(lengths) && lengths.length > 0 && typeof lengths[0] !== "number" && typeof lengths[0] !== "bigint")
        return RaggedTensor.ofNestedLengths(x, lengths as readonly TensorLike[], raggedRank);
      if (raggedRank > 1) {
        if (x.shape.rank === null) throw new ValueError("Argument `ragged_rank` above 1 needs a tensor whose rank is known.");
        return innerRows(x, raggedRank, { lengths, padding, rowSplitsDtype: dtype });
      }
      const counts = padding === undefined || padding === null ? lengths : unpaddedLengths(x, padding, columns, dtype);
      if (counts !== undefined && counts !== null) {
        const given = wholeNumbers(counts, "lengths", dtype);
        given.shape.withRank(1);
        const kept = maximum(minimum(given, columns), dtype === "int64" ? 0n : 0);
        const limits = cumsum(kept);
        const splits = concat([zeros([1], dtype), limits], 0);
        const values = booleanMask(x, sequenceMask(kept, columns));
        return RaggedTensor.fromRowSplits(values, splits, { validate: false });
      }
      const flat = concat([[mul(getItem(sizes, 0), getItem(sizes, 1))], getItem(sizes, [2, null])], 0);
      const values = reshape(x, flat);
      const [rows, width] = [x.shape.dim(0), x.shape.dim(1)].map((known, axis) =>
        known === null ? getItem(sizes, axis) : constant(dtype === "int64" ? BigInt(known) : known, dtype),
      );
      return RaggedTensor.fromUniformRowLength(values, width, { nrows: rows, validate: false });
    });
  }

  /** The rows of a sparse matrix whose elements stand at the beginning of rows. TF: RaggedTensor.from_sparse. */
  static fromSparse(
    stInput: SparseTensor,
    { name, rowSplitsDtype: dtype = "int64" }: Named & { readonly rowSplitsDtype?: SplitsType } = {},
  ): RaggedTensor {
    if (!(stInput instanceof SparseTensor))
      throw new TypeError("Argument `st_input` must be of type SparseTensor, but is of another type.");
    return inNameScope({ name }, "RaggedFromSparse", [stInput.indices], () => {
      const { indices, values, denseShape } = stInput;
      if (denseShape.shape.dim(0) !== 2 && indices.shape.dim(1) !== 2) throw new ValueError("rank(st_input) must be 2.");
      return indices.graph.controlDependencies([assertRightRagged(indices)], () => {
        const rows = cast(getItem(indices, [], 0), dtype);
        const count = cast(getItem(denseShape, 0), dtype);
        return RaggedTensor.fromValueRowids(values, rows, { nrows: count, validate: false });
      });
    });
  }

  // ---- what it is ----

  get dtype(): DType {
    return this.values.dtype;
  }
  /** The static shape, null for ragged dimensions. */
  get shape(): TensorShape {
    const { staticNrows, staticUniformRowLength } = this.partition;
    return new TensorShape([staticNrows, staticUniformRowLength]).concatenate(this.values.shape.slice(1));
  }
  getShape(): TensorShape {
    return this.shape;
  }
  /** How many dimensions are ragged, or lie outside of one that is. */
  get raggedRank(): number {
    return this.values instanceof RaggedTensor ? this.values.raggedRank + 1 : 1;
  }
  get graph(): Graph {
    return this.flatValues.graph;
  }
  get rowSplits(): Tensor {
    return this.partition.rowSplits;
  }
  get uniformRowLength(): Tensor | null {
    return this.partition.known.uniformRowLength ?? null;
  }
  /** The values without any rows. */
  get flatValues(): Tensor {
    return this.values instanceof RaggedTensor ? this.values.flatValues : this.values;
  }
  get partitions(): readonly RowPartition[] {
    return [this.partition, ...(this.values instanceof RaggedTensor ? this.values.partitions : [])];
  }
  get nestedRowSplits(): readonly Tensor[] {
    return this.partitions.map(({ rowSplits }) => rowSplits);
  }
  /** The row of each value. */
  valueRowids({ name, ...others }: Named = {}): Tensor {
    refuseOthers(others);
    return this.inScope(name, "RaggedValueRowIds", () => this.partition.valueRowids());
  }
  nestedValueRowids({ name, ...others }: Named = {}): readonly Tensor[] {
    refuseOthers(others);
    return this.inScope(name, "RaggedNestedValueRowIds", () => this.levels().map(level => level.valueRowids()));
  }
  nrows({ outType, name }: Named & { readonly outType?: DType | null } = {}): Tensor {
    return this.inScope(name, "RaggedNRows", () => {
      const rows = this.partition.nrows();
      return outType ? cast(rows, outType) : rows;
    });
  }
  rowStarts({ name, ...others }: Named = {}): Tensor {
    refuseOthers(others);
    return this.inScope(name, "RaggedRowStarts", () => this.partition.rowStarts());
  }
  rowLimits({ name, ...others }: Named = {}): Tensor {
    refuseOthers(others);
    return this.inScope(name, "RaggedRowLimits", () => this.partition.rowLimits());
  }
  /** The lengths of the rows. */
  rowLengths(): Tensor {
    return this.partition.rowLengths();
  }
  nestedRowLengths({ name, ...others }: Named = {}): readonly Tensor[] {
    refuseOthers(others);
    return this.inScope(name, "RaggedNestedRowLengths", () => this.levels().map(level => level.rowLengths()));
  }
  /** The least shape that holds all rows; one size of it with `axis`. */
  boundingShape({ axis, name, outType }: Named & { readonly axis?: TensorLike | null; readonly outType?: SplitsType | null } = {}): Tensor {
    const dtype = outType ?? this.partition.dtype;
    const zero = this.partition.dtype === "int64" ? 0n : 0;
    return this.inScope(name, "RaggedBoundingBox", () => {
      if (axis === 0) return sub(getItem(shapeOf(this.rowSplits, { outType: dtype }), 0), 1);
      if (axis === 1) return cast(maximum(reduceMax(this.rowLengths()), zero), dtype);
      const splitSizes = shapeOf(this.rowSplits, { outType: dtype });
      const flatSizes = shapeOf(this.flatValues, { outType: dtype });
      const rows = sub(getItem(splitSizes, 0), 1);
      const longest = this.nestedRowSplits.map(splits =>
        maximum(reduceMax(sub(getItem(splits, [1, null]), getItem(splits, [null, -1]))), zero),
      );
      const inner = getItem(flatSizes, [1, null]);
      const box = concat([stack([rows, ...longest].map(size => cast(size, dtype))), inner], 0);
      return axis === undefined || axis === null ? box : gather(box, axis);
    });
  }
  /** The operations that read its parts. */
  consumers(): Operation[] {
    return [...new Set([this.flatValues, ...this.nestedRowSplits].flatMap(part => part.consumers()))];
  }

  /** The rows of a dense tensor that have the lengths of each dimension. */
  private static ofNestedLengths(x: Tensor, lengths: readonly TensorLike[], raggedRank: number): RaggedTensor {
    const depth = lengths.length;
    if (raggedRank !== 1 && raggedRank !== depth)
      throw new ValueError(
        `If Argument \`lengths\` is a tuple of row_lengths, argument \`ragged_rank\` must be len(lengths): ${depth}. Received ragged_rank: ${raggedRank}.`,
      );
    x.shape.withRankAtLeast(depth + 1);
    const [last] = lengths.slice(-1).map(part => (part instanceof Tensor ? part : convertToTensor(part, { dtype: "int32" })));
    const all = ones([reduceSum(last)] as never, "bool");
    const kept = RaggedTensor.fromNestedRowLengths(all, lengths, { validate: false }).toTensor({ defaultValue: false });
    return RaggedTensor.fromNestedRowLengths(booleanMask(x, kept), lengths, { validate: false });
  }

  // ---- others like it ----

  /** Other values in the same rows. */
  withValues(newValues: Values): RaggedTensor {
    const values = valuesOf(newValues);
    if (!this.values.shape.slice(0, 1).isCompatibleWith(values.shape.slice(0, 1)))
      throw new ValueError(`Shapes ${this.values.shape.slice(0, 1)} and ${values.shape.slice(0, 1)} are incompatible`);
    if (values instanceof RaggedTensor && values.partition.dtype !== this.partition.dtype)
      throw new ValueError(
        "self and new_values have mismatched row_splits dtypes; use RaggedTensor.with_row_splits_dtype() to convert them to compatible dtypes.",
      );
    return new RaggedTensor(values, this.partition);
  }
  /** Other flat values in the same rows. */
  withFlatValues(newValues: Values): RaggedTensor {
    return this.withValues(this.values instanceof RaggedTensor ? this.values.withFlatValues(newValues) : newValues);
  }
  /** The axes from one to another made one: rows of rows become rows. TF: RaggedTensor.merge_dims. @throws ValueError for axes that are not there,
   *  or in the wrong order. */
  mergeDims(outerAxis: number, innerAxis: number): RaggedTensor | Tensor {
    const { rank } = this.shape;
    const [outer, inner] = [outerAxis, innerAxis].map((axis, i) => {
      const name = i === 0 ? "outer_axis" : "inner_axis";
      if (rank === null && axis < 0) throw new ValueError(`${name}=${axis} may only be negative if ndims is statically known.`);
      if (rank !== null && (axis < -rank || axis >= rank))
        throw new ValueError(`${name}=${axis} out of bounds: expected -${rank}<=${name}<${rank}`);
      return axis < 0 ? axis + (rank as number) : axis;
    });
    if (outer > inner) throw new ValueError(`Expected outer_axis (${outer}) to be less than or equal to inner_axis (${inner}).`);
    return mergedAxes(this, outer, inner);
  }

  withRowSplitsDtype(dtype: DType): RaggedTensor {
    if (dtype !== "int32" && dtype !== "int64")
      throw new ValueError(`Argument \`row_splits\` dtype must be int32 or int64. Received <dtype: '${dtype}'>.`);
    if (dtype === this.partition.dtype) return this;
    const values = this.values instanceof RaggedTensor ? this.values.withRowSplitsDtype(dtype) : this.values;
    return new RaggedTensor(values, this.partition.withDtype(dtype));
  }

  /** A dense tensor; short rows are filled up. TF: RaggedTensor.to_tensor. */
  toTensor({ defaultValue, name, shape, ...others }: ToTensorOptions = {}): Tensor {
    refuseOthers(others);
    return this.inScope(name, "RaggedToTensor", () => {
      const given = defaultValue ?? null;
      const fallback = given === null ? zeros([], this.dtype) : convertToTensor(given, { name: "default_value", dtype: this.dtype });
      const [first, ...inner] = this.partitions;
      const { valueRowids } = first.known;
      const pairs: (readonly [string, Tensor])[] =
        valueRowids === undefined
          ? [["ROW_SPLITS", first.rowSplits]]
          : [
              ["FIRST_DIM_SIZE", first.nrows()],
              ["VALUE_ROWIDS", valueRowids],
            ];
      for (const { known, rowSplits } of inner)
        pairs.push(known.valueRowids === undefined ? ["ROW_SPLITS", rowSplits] : ["VALUE_ROWIDS", known.valueRowids]);
      const wanted = shape instanceof Tensor ? null : new TensorShape(shape ?? null);
      const result = RaggedTensorToTensor({
        shape: wanted === null ? cast(shape as Tensor, this.partition.dtype) : sizesOf(wanted, this.partition.dtype),
        values: this.flatValues,
        defaultValue: fallback,
        rowPartitionTensors: pairs.map(([, tensor]) => tensor),
        rowPartitionTypes: pairs.map(([type]) => type),
      });
      if (wanted !== null) {
        const known = this.shape;
        result.setShape(wanted.dims === null ? known : new TensorShape(wanted.dims.map((size, axis) => size ?? known.dim(axis))));
      }
      return result;
    });
  }

  /** A sparse tensor with the same elements. TF: RaggedTensor.to_sparse. */
  toSparse({ name, ...others }: Named = {}): SparseTensor {
    refuseOthers(others);
    return this.inScope(name, "RaggedToSparse", () => {
      const out = RaggedTensorToSparse({ rtNestedSplits: this.nestedRowSplits, rtDenseValues: this.flatValues }, { name });
      return new SparseTensor(out.sparseIndices, out.sparseValues, out.sparseDenseShape);
    });
  }

  toString(): string {
    return `tf.RaggedTensor(values=${this.values}, row_splits=${this.rowSplits})`;
  }

  private inScope<R>(name: Named["name"], fallback: string, body: () => R): R {
    return inNameScope({ name }, fallback, [this.flatValues], body);
  }
  private levels(): readonly RaggedTensor[] {
    return [this, ...(this.values instanceof RaggedTensor ? this.values.levels() : [])];
  }

  /** What a function of the public API does with ragged arguments. @throws TypeError for one that takes none. */
  answer(plain: Callable, given: readonly unknown[]): unknown {
    return RaggedTensor.answer(plain, given);
  }
  /** The same of any function and arguments. */
  static answer(plain: Callable, given: readonly unknown[]): unknown {
    const own = raggedAnswers().get(plain);
    return own === undefined ? plain(...given) : own(plain, ...given);
  }

  /** The same rows, of which sizes are known besides. */
  withKnownShape({ dims }: TensorShape): RaggedTensor {
    if (dims === null) return this;
    const [rows, length, ...inner] = dims;
    const { dtype, known, staticUniformRowLength } = this.partition;
    if (rows !== null) this.rowSplits.setShape([rows + 1]);
    const whole = (count: number): Tensor => constant(dtype === "int64" ? BigInt(count) : count, dtype);
    const nrows = (): Tensor => known.nrows ?? sub(size(this.rowSplits, { outType: dtype }), (dtype === "int64" ? 1n : 1) as number);
    const partition =
      length === null || staticUniformRowLength !== null
        ? this.partition
        : new RowPartition(this.rowSplits, { ...known, uniformRowLength: whole(length), nrows: nrows() });
    const below = new TensorShape([null, ...inner]);
    if (this.values instanceof Tensor) this.values.setShape(below);
    return new RaggedTensor(this.values instanceof Tensor ? this.values : this.values.withKnownShape(below), partition);
  }

  /** What it is, without the values. */
  get typeSpec(): RaggedTensorSpec {
    return RaggedTensorSpec.fromValue(this);
  }

  // ---- what sessions ask ----

  /** The tensors that are fetched and fed in its stead. */
  get parts(): readonly Tensor[] {
    return [this.flatValues, ...this.nestedRowSplits];
  }
  /** The value of which these are the parts. */
  ofParts([flatValues, ...splits]: readonly NDArray[]): RaggedTensorValue {
    return splits.reduceRight<NDArray | RaggedTensorValue>(
      (values, rowSplits) => new RaggedTensorValue(values, rowSplits),
      flatValues,
    ) as RaggedTensorValue;
  }
  /** The parts of a value to feed. @throws TypeError for another thing than a ragged value of the same depth. */
  partsOf(value: unknown): readonly NDArray[] {
    if (!(value instanceof RaggedTensorValue) || value.raggedRank !== this.raggedRank)
      throw new TypeError(
        `The value fed for ${this} is no RaggedTensorValue of ragged rank ${this.raggedRank}. tf.ragged.constantValue makes one of nested lists.`,
      );
    return [value.flatValues, ...value.nestedRowSplits];
  }
}

const valuesOf = (values: Values): Tensor | RaggedTensor =>
  values instanceof RaggedTensor ? values : convertToTensor(values, { name: "values" });
const rowsOf = (values: Tensor | RaggedTensor, outType: SplitsType): Tensor =>
  values instanceof RaggedTensor ? values.nrows({ outType }) : getItem(shapeOf(values, { outType }), 0);

/** Stops the run unless each row of indices begins with 0 and goes on by one. */
function assertRightRagged(indices: Tensor): Operation {
  const rows = getItem(indices, [], [null, -1]);
  const columns = getItem(indices, [], -1);
  const isNewRow = reduceAny(notEqual(getItem(rows, [1, null]), getItem(rows, [null, -1])), 1);
  const isFirst = equal(getItem(columns, [1, null]), 0);
  const later = getItem(columns, [1, null]);
  const isNext = equal(later, add(getItem(columns, [null, -1]), 1));
  const isRight = where(isNewRow, isFirst, isNext) as Tensor;
  const beginsRight = reduceAll(equal(getItem(columns, [null, 1]), 0));
  const isRagged = logicalAnd(beginsRight, reduceAll(isRight));
  return Assert(isRagged, ["SparseTensor is not right-ragged", "SparseTensor.indices =", indices]);
}

/** A shape as the op wants it: -1 where it is open, and alone where the rank is. */
function sizesOf({ dims }: TensorShape, dtype: SplitsType): Tensor {
  const number = (size: number): number => (dtype === "int64" ? (BigInt(size) as never) : size);
  if (dims === null || dims.length === 0) return constant(number(-1), dtype);
  return constant(
    dims.map(size => number(size ?? -1)),
    dtype,
  );
}

/** How long each row is without the padding at its end. */
function unpaddedLengths(x: Tensor, padding: TensorLike, columns: Tensor, dtype: SplitsType): Tensor {
  const element = convertToTensor(padding, { name: "padding", dtype: x.dtype });
  const isPadding = equal(element, x);
  const dimensions = rank(x);
  const axes = range(2, dimensions);
  const isAll = cond(
    greater(dimensions, 2),
    () => reduceAll(isPadding, axes),
    () => isPadding,
  ) as Tensor;
  isAll.setShape([null, null]);
  isAll.setShape(x.shape.slice(0, 2));
  const isValue = cast(logicalNot(isAll), dtype);
  const places = expandDims(range(1, add(columns, 1)), 0);
  return reduceMax(mul(isValue, places), 1);
}

/** Rows of rows of a tensor of known shape. */
function innerRows(x: Tensor, raggedRank: number, options: FromTensorOptions): RaggedTensor {
  const dtype = options.rowSplitsDtype ?? "int64";
  const known = x.shape.isFullyDefined ? x.shape.asNumbers() : undefined;
  const open = known === undefined ? unstack(shapeOf(x, { outType: dtype })) : [];
  const sizeOf = (axis: number): Tensor =>
    known === undefined ? open[axis] : constant(dtype === "int64" ? BigInt(known[axis]) : known[axis], dtype);
  /** How many rows there are down to a dimension. */
  const rows = (count: number): number | Tensor =>
    known?.slice(0, count).reduce((product, size) => product * size, 1) ??
    open.slice(1, count).reduce<Tensor>((product, size) => mul(product, size), open[0]);
  const flat = reshape(x, [rows(raggedRank), ...(known ?? open).slice(raggedRank)] as TensorLike);
  if (known === undefined) flat.setShape([null, ...(x.shape.dims ?? []).slice(raggedRank)]);
  let result = RaggedTensor.fromTensor(flat, options);
  for (let axis = raggedRank - 1; axis > 0; axis--)
    result = RaggedTensor.fromUniformRowLength(result, sizeOf(axis), { nrows: rows(axis), validate: false });
  return result;
}

/** Axes `outer` to `inner`, where the outermost is 0. */
function mergedAxes(value: RaggedTensor | Tensor, outer: number, inner: number): RaggedTensor | Tensor {
  if (outer === inner) return value;
  if (!(value instanceof RaggedTensor)) {
    const sizes = shapeOf(value);
    return reshape(value, concat([sizes.at([0, outer]), [-1], sizes.at([inner + 1, null])], 0));
  }
  if (outer > 1) return value.withValues(mergedAxes(value.values, outer - 1, inner - 1));
  if (outer === 0) return mergedAxes(value.values, 0, inner - 1);
  // Rows of rows: a row ends where the last of its rows does.
  const { values } = value;
  const rows =
    values instanceof RaggedTensor
      ? RaggedTensor.fromRowSplits(values.values, gather(values.rowSplits, value.rowSplits))
      : RaggedTensor.fromRowSplits(
          mergedAxes(values, 0, 1),
          mul(value.rowSplits, cast(getItem(shapeOf(values), 1), value.rowSplits.dtype)),
        );
  return mergedAxes(rows, 1, inner - 1);
}
