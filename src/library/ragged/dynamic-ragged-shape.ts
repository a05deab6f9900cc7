// The shape of a ragged tensor: how its rows divide values, and the shape of the values. tf.shape gives it; functions that take a shape take it, too, and
// then give ragged tensors. TF: tf.experimental.DynamicRaggedShape.

import { ValueError } from "../../base/errors.ts";
import type { Dimension } from "../../base/shape.ts";
import type { Callable } from "../../graph/composite.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constantValue, partialValue } from "../../graph/shape-inference.ts";
import { collect } from "../../ops/arguments.ts";
import { constant, numbersOf, shape as shapeOf } from "../../ops/array/array.ts";
import { gather } from "../../ops/array/gather.ts";
import { broadcastTo } from "../../ops/array/padding.ts";
import { concat, getItem, stack } from "../../ops/array/slicing.ts";
import { assertEqual } from "../../ops/flow/check.ts";
import { withDependencies } from "../../ops/flow/control-flow.ts";
import { cast } from "../../ops/math/cast.ts";
import { inNameScope, type NameOption } from "../../ops/named.ts";
import { add, mul, sub } from "../../ops/operators.ts";
import { range } from "../../ops/array/ranges.ts";
import { converted, isRagged, levelsOf, type Ragged, type RaggedLike, scoped, stretch } from "./ragged-elementwise.ts";
import { RaggedTensor } from "./ragged-tensor.ts";
import type { RowPartition, SplitsType } from "./row-partition.ts";

/** Where a slice of a shape begins and ends, as in `tensor.at([0, 2])`. */
type Bounds = readonly [from?: number | null, to?: number | null];

/** The shape of a ragged tensor, which no one tensor holds. TF: tf.experimental.DynamicRaggedShape. */
export class DynamicRaggedShape {
  /** How the rows of each ragged dimension divide the next, outermost first. */
  readonly rowPartitions: readonly RowPartition[];
  /** The shape of the flat values, `[innerRank]`. */
  readonly innerShape: Tensor;
  private readonly innerSizes: readonly Dimension[] | null;

  private constructor(rowPartitions: readonly RowPartition[], innerShape: Tensor, dtype: SplitsType, isInnerKnown = true) {
    this.rowPartitions = rowPartitions.map(rows => rows.withDtype(dtype));
    this.innerShape = innerShape.dtype === dtype ? innerShape : cast(innerShape, dtype);
    const rank = this.innerShape.shape.dim(0);
    const known = isInnerKnown
      ? partialValue(this.innerShape)?.values.map(size => (size === null || size < 0 ? null : Number(size)))
      : undefined;
    this.innerSizes = known ?? (rank === null ? null : Array.from({ length: rank }, () => null));
  }

  /** The shape of a ragged or dense tensor; its numbers are of the type of the rows unless told otherwise. */
  static fromTensor(value: Ragged, { dtype }: { readonly dtype?: SplitsType | null } = {}): DynamicRaggedShape {
    const partitions = isRagged(value) ? value.partitions : [];
    const flat = isRagged(value) ? value.flatValues : value;
    return new DynamicRaggedShape(partitions, shapeOf(flat), dtype ?? partitions[0]?.dtype ?? "int64");
  }

  get dtype(): SplitsType {
    return this.innerShape.dtype as SplitsType;
  }
  get numRowPartitions(): number {
    return this.rowPartitions.length;
  }
  get innerRank(): number | null {
    return this.innerSizes?.length ?? null;
  }
  get rank(): number | null {
    return this.innerRank === null ? null : this.numRowPartitions + this.innerRank;
  }
  /** Have all rows along an axis as many elements? @throws RangeError for an axis that is none. */
  isUniform(axis: number): boolean {
    if (axis < 0) throw new RangeError("Negative axis values are not supported");
    if (this.rank !== null && axis >= this.rank) throw new RangeError(`Expected axis=${axis} < rank=${this.rank}`);
    return axis === 0 || axis > this.numRowPartitions || this.rowPartitions[axis - 1].known.uniformRowLength !== undefined;
  }

  /** The length of each dimension as far as it is known: of a ragged one a list, null where it is not known, "..." for inner dimensions of unknown number. */
  staticLengths({ raggedLengths = true }: { readonly raggedLengths?: boolean } = {}): (Dimension | readonly number[] | "...")[] {
    const inner = this.innerSizes ?? ["..." as const];
    if (this.numRowPartitions === 0) return [...inner];
    const rows = this.rowPartitions.map(partition => {
      if (partition.known.uniformRowLength !== undefined) return partition.staticUniformRowLength;
      const lengths = raggedLengths && partition.known.rowLengths ? constantValue(partition.known.rowLengths) : undefined;
      return lengths === undefined ? null : numbersOf(lengths);
    });
    return [this.rowPartitions[0].staticNrows, ...rows, ...(this.innerSizes === null ? inner : inner.slice(1))];
  }

  withDtype(dtype: SplitsType): DynamicRaggedShape {
    return dtype === this.dtype ? this : new DynamicRaggedShape(this.rowPartitions, this.innerShape, dtype);
  }

  /** Python's `shape[…]`: `shape.at(0)` is the size of a dimension, `shape.at([null, 2])` the shape of the outermost two.
   *  @throws ValueError for a ragged dimension. */
  at(index: number): Tensor;
  at(bounds: Bounds): DynamicRaggedShape;
  at(index: number | Bounds): Tensor | DynamicRaggedShape {
    const { rank } = this;
    if (typeof index !== "number") return this.slice(index);
    if (index < 0 && rank === null) throw new ValueError("Rank must be known to use __getitem__ with a negative index.");
    return this.dimension(index < 0 ? index + (rank as number) : index);
  }

  private dimension(index: number): Tensor {
    const { rank, numRowPartitions: depth } = this;
    if (depth === 0 || index > depth + 1) {
      if (rank === null) throw new ValueError("Rank must be known to use __getitem__ on a large index.");
      if (index >= rank) throw new RangeError(`Index is too big: ${index}>=${rank}`);
    }
    if (index < 0) throw new RangeError(`Index must be non-negative: ${index}`);
    if (!this.isUniform(index)) throw new ValueError(`Index ${index} is not uniform`);
    if (index > 0 && index <= depth) return this.rowPartitions[index - 1].known.uniformRowLength as Tensor;
    const isRows = index === 0 && depth > 0;
    const size = isRows ? this.rowPartitions[0].staticNrows : (this.innerSizes?.[index - depth] ?? null);
    if (size !== null) return constant((this.dtype === "int64" ? BigInt(size) : size) as number, this.dtype);
    return isRows ? this.rowPartitions[0].nrows() : getItem(this.innerShape, index - depth);
  }

  private slice([from, to]: Bounds): DynamicRaggedShape {
    const { rank, numRowPartitions: depth, dtype } = this;
    const bound = (given: number | null | undefined, fallback: number | null): number => {
      const value = given ?? fallback;
      if (value === null) throw new ValueError("Rank must be known to use __getitem__ without a stop.");
      if (value >= 0) return rank === null ? value : Math.min(rank, value);
      if (rank === null) throw new ValueError("Rank must be known to use __getitem__ on a negative index.");
      return Math.max(0, value + rank);
    };
    const [start, stop] = [bound(from, 0), bound(to, rank)];
    if (stop <= start) return new DynamicRaggedShape([], constant([], "int32"), "int64");
    if (start > 0) {
      const sizes = Array.from({ length: stop }, (_, axis) => axis);
      if (sizes.some(axis => !this.isUniform(axis))) throw new ValueError("All relevant dimensions must be uniform");
      return new DynamicRaggedShape([], stack(sizes.slice(start).map(axis => this.dimension(axis))), dtype);
    }
    if (stop === rank) return this;
    if (stop > depth) return new DynamicRaggedShape(this.rowPartitions, getItem(this.innerShape, [null, stop - depth]), dtype, false);
    // Without rows there is nothing that its numbers took their type from.
    if (stop === 1) return new DynamicRaggedShape([], stack([this.rowPartitions[0].nrows()]), "int64");
    const rows = this.rowPartitions.slice(0, stop - 1);
    return new DynamicRaggedShape(rows, stack([rows[stop - 2].nvals()]), dtype);
  }

  /** Flat values of this shape as what has it. */
  rowsOf(flatValues: Tensor): Ragged {
    return RaggedTensor.ofPartitions(flatValues, this.rowPartitions);
  }

  /** What a function of the public API does with a ragged shape. */
  answer(plain: Callable, given: readonly unknown[]): unknown {
    return RaggedTensor.answer(plain, given);
  }

  toString(): string {
    const text = (length: Dimension | readonly number[] | "..."): string =>
      length === null ? "None" : typeof length === "object" ? `(${length.join(", ")}${length.length === 1 ? "," : ""})` : String(length);
    return `<DynamicRaggedShape lengths=[${this.staticLengths().map(text).join(", ")}] num_row_partitions=${this.numRowPartitions}>`;
  }
}

/** The shape of a ragged tensor. */
export function raggedShape(_: Callable, input: RaggedTensor, ...rest: readonly unknown[]): DynamicRaggedShape {
  const { name, outType = "int32" } = collect<{ name: string; outType: SplitsType }>(["name", "outType"], rest);
  return inNameScope({ name }, "RaggedShape", [input], () => DynamicRaggedShape.fromTensor(input, { dtype: outType }));
}

/** The values in the rows of a ragged shape, or in a dense tensor. */
export const raggedReshape = (plain: Callable, tensor: RaggedLike, shape: DynamicRaggedShape | TensorLike, options?: NameOption): Ragged =>
  scoped([options], () => {
    const value = converted(tensor, { name: "tensor" });
    const flat = isRagged(value) ? value.flatValues : value;
    if (!(shape instanceof DynamicRaggedShape))
      return plain(flat, convertToTensor(shape, { name: "shape", preferredDtype: "int32" })) as Tensor;
    return shape.rowsOf(plain(flat, shape.innerShape) as Tensor);
  });

/** tf.zeros, tf.ones, tf.fill of a ragged shape. */
export const filledRows = (plain: Callable, shape: DynamicRaggedShape, ...rest: readonly unknown[]): Ragged =>
  shape.rowsOf(plain(shape.innerShape, ...rest) as Tensor);

/** Repeated to a ragged shape. @throws ValueError for more dimensions than the shape's, TypeError for a shape that is not ragged. */
export const raggedBroadcastTo = (plain: Callable, input: RaggedLike, shape: DynamicRaggedShape, options?: NameOption): Ragged =>
  scoped([options], () => {
    const value = converted(input);
    if (!(shape instanceof DynamicRaggedShape)) return plain(value, shape) as Ragged;
    const { dtype } = shape;
    if (isRagged(value) && value.partition.dtype !== dtype && shape.numRowPartitions > 0)
      throw new ValueError("Cannot coerce row_splits.dtype");
    const [from, to] = [value.shape.rank, shape.rank];
    if (from === null || to === null) throw new ValueError("Rank of source and target must be statically known");
    if (from > to) throw new ValueError("Cannot broadcast to a shape with smaller rank");
    const sizes = cast(shape.innerShape, "int32");
    const padding = to - from;
    const depth = shape.numRowPartitions;
    if (isRagged(value) && value.raggedRank + padding > depth) throw new ValueError("Cannot get an inner shape over a ragged dimension");
    // What has no more dimensions than the shape's values is repeated as they are.
    if (padding > depth) return shape.rowsOf(broadcastTo(value as Tensor, sizes));
    return shape.rowsOf(broadcastTo(stretched(value, padding, shape, dtype), sizes));
  });

/** The flat values that stand in each row of a shape. A dimension of size 1 that is not ragged is stretched, others have to be those of the shape. */
function stretched(value: Ragged, padding: number, shape: DynamicRaggedShape, dtype: SplitsType): Tensor {
  const zero = constant([dtype === "int64" ? 0n : 0] as number[], dtype);
  const { levels, values } = levelsOf(value, padding, shape.numRowPartitions, dtype);
  const rows = shape.numRowPartitions === 0 ? getItem(shape.innerShape, 0) : shape.rowPartitions[0].nrows();
  let places = zero;
  for (const [k, { lengths: own, starts, uniform }] of levels.entries()) {
    const partition = k === 0 ? null : shape.rowPartitions[k - 1];
    const lengths = partition === null ? stack([rows]) : partition.rowLengths();
    const splits = partition === null ? concat([zero, lengths], 0) : partition.rowSplits;
    const z = stretch(uniform, dtype);
    const needed = gather(own, places);
    const check =
      z === 0 ? [] : [assertEqual(z === 1 ? needed : mul(needed, z), z === 1 ? lengths : mul(lengths, z), { message: "Cannot broadcast" })];
    const rowids = partition === null ? mul(range(rows), zero) : partition.valueRowids();
    const first = gather(starts, gather(places, rowids));
    const offsets = sub(range(getItem(splits, -1)), gather(splits, rowids));
    places = withDependencies(check, z === 0 ? first : add(first, z === 1 ? offsets : mul(offsets, z)));
  }
  return gather(values, places);
}
