// Static shapes, possibly partly known: TensorFlow's TensorShape, and plain functions on fully known shapes.
// A dimension is a number or null (unknown); a shape of unknown rank has `dims === null`.

import { Dimension as DimensionOfShape } from "./dimension.ts";
import { ValueError } from "./errors.ts";
import { iteration } from "./iteration.ts";
import { pythonRepr } from "./python-text.ts";

export type Dimension = number | null;

type DimensionLike = number | InstanceType<typeof DimensionOfShape>;
/** What is accepted where a shape is asked for: an array of dimensions, a single one, a TensorShape, or null for unknown rank. */
export type ShapeLike = TensorShape | readonly (DimensionLike | null | undefined)[] | DimensionLike | null;

/** @throws TypeError for what holds no sizes. */
function sizesOf(dims: unknown): Dimension[] {
  const size = (d: unknown): Dimension =>
    typeof d === "number" && d >= 0 && Number.isInteger(d)
      ? d
      : d === null || d === undefined
        ? null
        : new DimensionOfShape(d as number).value;
  if (Array.isArray(dims)) return dims.map(size);
  if (typeof dims === "string" && dims !== "") {
    const [shown, letter] = [pythonRepr(dims), pythonRepr(dims[0])];
    throw new TypeError(
      `Failed to convert '${shown}' to a shape: '${letter}'could not be converted to a dimension. A shape should either be single dimension (e.g. 10), or an iterable of dimensions (e.g. [1, 10, None]).`,
    );
  }
  if (typeof dims === "object" && dims !== null && Symbol.iterator in dims) return Array.from(dims as Iterable<unknown>, size);
  return dims === "" ? [] : [size(dims)];
}

/** What a shape is not. TensorFlow has two texts for it: the one of Python's TensorShape and, as `reason`, the one of shape functions. */
class WrongShape extends ValueError {
  private readonly asShapeFunction: string;
  constructor(message: string, asShapeFunction: string) {
    super(message);
    this.asShapeFunction = asShapeFunction;
  }
  override get reason(): string {
    return this.asShapeFunction;
  }
}

/** A shape known fully, partly (`null` dimensions) or not at all (`dims === null`). Immutable. TF: tf.TensorShape. */
export class TensorShape {
  readonly dims: readonly Dimension[] | null;
  /** What was given, where bools are among it: they count as sizes, but no node holds them. */
  readonly withBools?: readonly unknown[];

  /** A single number is a shape of one dimension. @throws ValueError if a dimension is negative, TypeError if it is no whole number. */
  constructor(dims: ShapeLike) {
    const plain = dims instanceof TensorShape ? dims.dims : dims;
    this.dims = plain === null || plain === undefined ? null : sizesOf(plain);
    const given: unknown = dims instanceof TensorShape ? dims.withBools : dims;
    if (Array.isArray(given) && given.some(size => typeof size === "boolean")) this.withBools = given;
  }

  static unknown(): TensorShape {
    return new TensorShape(null);
  }

  /** All dimensions unknown, rank known. */
  static unknownOfRank(rank: number): TensorShape {
    return new TensorShape(Array<Dimension>(rank).fill(null));
  }

  get rank(): number | null {
    return this.dims === null ? null : this.dims.length;
  }

  /** One dimension; negative counts from the end; null where unknown. */
  dim(axis: number): Dimension {
    if (this.dims === null) return null;
    return this.dims[axis < 0 ? axis + this.dims.length : axis] ?? null;
  }

  /** One dimension as TensorFlow's object with a `value`; unknown where the rank is. TF: `shape[axis]`. @throws RangeError past the rank.
   *  Of `[start, end]`, as tensors have it, the shape between: `shape.at([-1, null])` is Python's `shape[-1:]`. */
  at(range: readonly (number | null)[]): TensorShape;
  at(axis: number): InstanceType<typeof DimensionOfShape>;
  at(axis: number | readonly (number | null)[]): InstanceType<typeof DimensionOfShape> | TensorShape {
    if (typeof axis !== "number") return this.slice(axis[0] ?? 0, axis[1] ?? undefined);
    if (this.dims !== null && (axis >= this.dims.length || axis < -this.dims.length)) throw new RangeError("list index out of range");
    return new DimensionOfShape(this.dim(axis));
  }

  /** The rank, as `len` of Python tells it. @throws ValueError if it is unknown. */
  get length(): number {
    if (this.dims === null) throw new ValueError("Cannot take the length of shape with unknown rank.");
    return this.dims.length;
  }

  /** Goes through the dimensions as such objects; undefined where the rank is unknown, which JavaScript refuses to go through. */
  get [iteration](): (() => Iterator<InstanceType<typeof DimensionOfShape>>) | undefined {
    const { dims } = this;
    return dims === null ? undefined : () => dims.map(size => new DimensionOfShape(size)).values();
  }

  get isFullyDefined(): boolean {
    return this.dims !== null && this.dims.every(d => d !== null);
  }

  /** The dimensions as numbers. @throws ValueError if any is unknown. */
  asNumbers(): readonly number[] {
    if (!this.isFullyDefined) throw new ValueError(`Shape ${this} is not fully defined`);
    return this.dims as readonly number[];
  }

  /** The dimensions, null where unknown. TF: as_list. @throws ValueError if the rank is unknown. */
  // any: which of them are numbers the program knows and no type
  asList(): any[] {
    if (this.dims === null) throw new ValueError("as_list() is not defined on an unknown TensorShape.");
    return [...this.dims];
  }

  assertIsFullyDefined(): void {
    this.asNumbers();
  }

  /** Elements in all, or null. */
  get size(): Dimension {
    if (this.dims === null) return null;
    if (this.dims.includes(0)) return 0;
    return this.dims.reduce<Dimension>((product, d) => (product === null || d === null ? null : product * d), 1);
  }

  get numElements(): Dimension {
    return this.size;
  }

  /** The rank, by TensorFlow's older name. */
  get ndims(): number | null {
    return this.rank;
  }

  // Properties here, methods there: pasted programs call them.

  /** TF: TensorShape.is_fully_defined. */
  is_fully_defined(): boolean {
    return this.isFullyDefined;
  }

  /** TF: TensorShape.num_elements. */
  num_elements(): Dimension {
    return this.size;
  }

  /** @throws ValueError unless the rank may be `rank`. TF: TensorShape.assert_has_rank. */
  assertHasRank(rank: number): void {
    if (this.rank !== null && this.rank !== rank) throw new ValueError(`Shape ${this} must have rank ${rank}`);
  }

  /** @throws ValueError unless both may have the same rank. TF: TensorShape.assert_same_rank. */
  assertSameRank(other: ShapeLike): void {
    const that = new TensorShape(other);
    if (this.rank !== null && that.rank !== null && this.rank !== that.rank)
      throw new ValueError(`Shapes ${this} and ${that} must have the same rank`);
  }

  /** @throws ValueError unless one shape may be both. TF: TensorShape.assert_is_compatible_with. */
  assertIsCompatibleWith(other: ShapeLike): void {
    if (!this.isCompatibleWith(other))
      throw new ValueError(`Shapes ${this} and ${Array.isArray(other) ? formatList(other) : String(other)} are incompatible`);
  }

  /** The most that is true of both: dimensions that differ are unknown. TF: TensorShape.most_specific_compatible_shape. */
  mostSpecificCompatibleShape(other: ShapeLike): TensorShape {
    const that = new TensorShape(other);
    if (this.dims === null || that.dims === null || this.dims.length !== that.dims.length) return TensorShape.unknown();
    return new TensorShape(this.dims.map((d, axis) => (d === (that.dims as readonly Dimension[])[axis] ? d : null)));
  }

  /** This shape, checked to have a rank. @throws ValueError with TensorFlow's text. */
  withRank(rank: number): TensorShape {
    if (this.dims === null) return TensorShape.unknownOfRank(rank);
    if (this.dims.length !== rank)
      throw new WrongShape(`Shape ${this} must have rank ${rank}`, `Shape must be rank ${rank} but is rank ${this.dims.length}`);
    return this;
  }

  withRankAtLeast(rank: number): TensorShape {
    if (this.dims !== null && this.dims.length < rank)
      throw new WrongShape(
        `Shape ${this} must have rank at least ${rank}`,
        `Shape must be at least rank ${rank} but is rank ${this.dims.length}`,
      );
    return this;
  }

  withRankAtMost(rank: number): TensorShape {
    if (this.dims !== null && this.dims.length > rank)
      throw new WrongShape(
        `Shape ${this} must have rank at most ${rank}`,
        `Shape must be at most rank ${rank} but is rank ${this.dims.length}`,
      );
    return this;
  }

  /** What both shapes say together. @throws ValueError with TensorFlow's text. */
  mergeWith(given: ShapeLike): TensorShape {
    const other = given instanceof TensorShape ? given : new TensorShape(given);
    if (this.dims === null) return other;
    if (other.dims === null) return this;
    const both = `Shapes ${this} and ${other} are not compatible`;
    if (this.dims.length !== other.dims.length)
      throw new WrongShape(both, `Shapes must be equal rank, but are ${this.dims.length} and ${other.dims.length}`);
    return new TensorShape(
      this.dims.map((d, axis) => {
        const e = (other.dims as readonly Dimension[])[axis];
        if (d !== null && e !== null && d !== e) {
          const where = `Dimension ${axis} in both shapes must be equal, but are ${d} and ${e}`;
          throw new WrongShape(both, `${where}. Shapes are ${this.format()} and ${other.format()}.`);
        }
        return d ?? e;
      }),
    );
  }

  isCompatibleWith(other: ShapeLike): boolean {
    const that = new TensorShape(other);
    if (this.dims === null || that.dims === null) return true;
    if (this.dims.length !== that.dims.length) return false;
    return this.dims.every((d, axis) => {
      const e = (that.dims as readonly Dimension[])[axis];
      return d === null || e === null || d === e;
    });
  }

  concatenate(other: ShapeLike): TensorShape {
    const that = new TensorShape(other);
    if (this.dims === null || that.dims === null) return TensorShape.unknown();
    return new TensorShape([...this.dims, ...that.dims]);
  }

  /** @throws ValueError unless the leading dimensions may be those of `prefix`. */
  checkPrefix(prefix: TensorShape): void {
    if (this.dims === null || prefix.dims === null) return;
    this.withRankAtLeast(prefix.dims.length);
    for (const [axis, other] of prefix.dims.entries()) {
      const own = this.dims[axis];
      mergedDimension(own, other);
    }
  }

  /** Dimensions from `start` to `end`, as Array.slice counts. */
  slice(start: number, end?: number): TensorShape {
    return new TensorShape(this.dims === null ? null : this.dims.slice(start, end));
  }

  equals(other: ShapeLike): boolean {
    const that = new TensorShape(other);
    if (this.dims === null || that.dims === null) return this.dims === that.dims;
    return this.dims.length === that.dims.length && this.dims.every((d, i) => d === (that.dims as readonly Dimension[])[i]);
  }

  /** As Python prints it: `(?, 3)`, `(2,)`, `()`, `<unknown>`. */
  toString(): string {
    if (this.dims === null) return "<unknown>";
    return formatTuple(this.dims);
  }

  /** As shape functions print it: `[?,3]`, `[]`, `<unknown>` as `?`. */
  format(): string {
    return this.dims === null ? "<unknown>" : `[${this.dims.map(d => d ?? "?").join(",")}]`;
  }
}

/** `[2, None]`: a Python list of dimensions. */
const formatList = (dims: readonly unknown[]): string => `[${dims.map(d => d ?? "None").join(", ")}]`;

/** `(2, 3)`, `(2,)`, `()`: a Python tuple of dimensions. */
export function formatTuple(dims: readonly Dimension[]): string {
  const parts = dims.map(d => (d === null ? "?" : String(d)));
  return parts.length === 1 ? `(${parts[0]},)` : `(${parts.join(", ")})`;
}

/** What both dimensions say together. @throws ValueError with the text of shape functions. */
export function mergedDimension(d: Dimension, e: Dimension): Dimension {
  if (d !== null && e !== null && d !== e) throw new ValueError(`Dimensions must be equal, but are ${d} and ${e}`);
  return d ?? e;
}

/** @throws ValueError unless a list of an op's attributes has one value for each dimension. */
export function checkLength(type: string, name: string, list: readonly unknown[], length: number): void {
  if (list.length !== length)
    throw new ValueError(`${type} requires the ${name} attribute to contain ${length} values, but got: ${list.length}`);
}

/** Elements of a fully known shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis];
  return size;
}

/** Row-major strides in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}

export const sameShape = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** The shape that two partly known shapes broadcast to. @throws ValueError with TensorFlow's text. */
export function broadcastShapes(a: TensorShape, b: TensorShape): TensorShape {
  if (a.dims === null || b.dims === null) return TensorShape.unknown();
  const rank = Math.max(a.dims.length, b.dims.length);
  const dims: Dimension[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const d = axis < rank - a.dims.length ? 1 : a.dims[axis - rank + a.dims.length];
    const e = axis < rank - b.dims.length ? 1 : b.dims[axis - rank + b.dims.length];
    dims.push(broadcastDimension(d, e));
  }
  return new TensorShape(dims);
}

function broadcastDimension(d: Dimension, e: Dimension): Dimension {
  if (d === 1) return e;
  if (e === 1) return d;
  // An unknown dimension may be 1 or must be equal; against 0 both may come out.
  if (d === null || e === null) return (d ?? e ?? 0) > 1 ? (d ?? e) : null;
  if (d !== e) throw new ValueError(`Dimensions must be equal, but are ${d} and ${e}`);
  return d;
}

/** What was given, as a shape. */
export const asShape = (given: ShapeLike): TensorShape => (given instanceof TensorShape ? given : new TensorShape(given));
