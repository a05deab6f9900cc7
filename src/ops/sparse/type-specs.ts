// What a value is, without the value: types and shapes of tensors and sparse tensors. Datasets, iterators and loops hold each value as one tensor, and a
// spec says how to come from one to the other: a sparse tensor is three variants. Ragged tensors: ragged/ragged-tensor-spec.ts. TF: framework/type_spec.

import type { DType } from "../../base/dtype.ts";
import { ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { type Dimension, TensorShape } from "../../base/shape.ts";
import { convertToTensor, isAsTensor } from "../../graph/conversion.ts";
import { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { constant } from "../array/array.ts";
import { stack, unstack } from "../array/slicing.ts";
import type { Nested } from "../flow/nested.ts";
import { DeserializeSparse, SerializeManySparse, SerializeSparse } from "./serialization.ts";
import { refuseOthers } from "../arguments.ts";

/** A tensor's type and shape. */
export interface Flat {
  readonly dtype: DType;
  readonly shape: TensorShape;
}

export type ShapeGiven = TensorShape | readonly (number | null)[] | null;
export const asShape = (shape: ShapeGiven | undefined): TensorShape =>
  shape instanceof TensorShape ? shape : new TensorShape(shape ?? null);

/** Variants in a tensor of whatever shape: a value, or several. */
export const variants: Flat = { dtype: "variant", shape: TensorShape.unknown() };

/** What values of one kind are. TF: tf.TypeSpec. */
export abstract class TypeSpec {
  /** The type of the elements. */
  abstract readonly dtype: DType;
  abstract readonly shape: TensorShape;
  /** As Python writes it. */
  abstract toString(): string;
  /** Other specs of the same class with this type: what else must be the same. */
  protected get rest(): readonly unknown[] {
    return [];
  }

  /** Is a value of the other spec, or this value, one of this spec as well, as far as is known? TF: TypeSpec.is_compatible_with. */
  isCompatibleWith(specOrValue: unknown): boolean {
    const other: TypeSpec | undefined = specOrValue instanceof TypeSpec ? specOrValue : (ownSpec(specOrValue) ?? specOf(specOrValue));
    if (other === undefined || other.constructor !== this.constructor) return false;
    const isSame = other.dtype === this.dtype && JSON.stringify(other.rest) === JSON.stringify(this.rest);
    return isSame && this.shape.isCompatibleWith(other.shape);
  }
}

/** Something that stands for itself in datasets and loops: an element's component. */
export class ComponentSpec extends TypeSpec {
  override readonly dtype: DType;
  override readonly shape: TensorShape;
  /** What the elements of a component are that is a dataset itself. */
  readonly inner: Nested | undefined;

  constructor(dtype: DType, shape: TensorShape, inner?: Nested) {
    super();
    this.dtype = dtype;
    this.shape = shape;
    this.inner = inner;
  }

  static of(tensor: Tensor): ComponentSpec {
    return new TensorSpec(tensor.shape, tensor.dtype);
  }

  /** Does a value stand for itself in a graph? */
  get isTensor(): boolean {
    return this.flat.dtype === this.dtype;
  }
  /** The tensor that stands for a value in a graph. */
  get flat(): Flat {
    return { dtype: this.dtype, shape: this.shape };
  }
  /** What a program gets for a tensor that stands for a value. */
  valueFrom(tensor: Tensor): unknown {
    return tensor;
  }
  /** The tensor that stands for a value. */
  tensorOf(value: unknown): Tensor {
    return value as Tensor;
  }
  /** The tensor whose rows stand for the rows of a value. */
  rowsOf(value: unknown): Tensor {
    return value as Tensor;
  }
  withShape(shape: TensorShape): ComponentSpec {
    return new ComponentSpec(this.dtype, shape, this.inner);
  }
  /** Several such values as one, along a new first dimension. */
  batched(size: Dimension): ComponentSpec {
    const { dims } = this.shape;
    return this.withShape(dims === null ? TensorShape.unknown() : new TensorShape([size, ...dims]));
  }
  /** A row of such a value. */
  unbatched(): ComponentSpec {
    const { dims } = this.shape;
    return this.withShape(new TensorShape(dims && dims.slice(1)));
  }
  /** What TensorFlow 1 calls the class of such values. */
  get valueClass(): unknown {
    return Tensor;
  }
  override toString(): string {
    return `TensorSpec(shape=${this.shape}, dtype=tf.${this.dtype}, name=None)`;
  }
}

/** What a tensor is. TF: tf.TensorSpec(shape, dtype, name). */
export class TensorSpec extends ComponentSpec {
  readonly name: string | null;

  constructor(shape: ShapeGiven, dtype: DType = "float32", { name = null, ...others }: { readonly name?: string | null } = {}) {
    refuseOthers(others);
    super(dtype, asShape(shape));
    this.name = name;
  }
  /** TF: TensorSpec.from_tensor. */
  static fromTensor(tensor: Tensor, { name }: { readonly name?: string | null } = {}): TensorSpec {
    return new TensorSpec(tensor.shape, tensor.dtype, { name: name ?? tensor.op.name });
  }
  /** TF: TensorSpec.from_spec. */
  static fromSpec(spec: TypeSpec, { name }: { readonly name?: string | null } = {}): TensorSpec {
    return new TensorSpec(spec.shape, spec.dtype, { name: name ?? (spec instanceof TensorSpec ? spec.name : null) });
  }
  override withShape(shape: TensorShape): TensorSpec {
    return new TensorSpec(shape, this.dtype);
  }
  override toString(): string {
    const name = this.name === null ? "None" : `'${this.name}'`;
    return `TensorSpec(shape=${this.shape}, dtype=tf.${this.dtype}, name=${name})`;
  }
}

/** What a sparse tensor is; `shape` is that of the whole. TF: tf.SparseTensorSpec(shape, dtype). */
export class SparseTensorSpec extends ComponentSpec {
  constructor(shape: ShapeGiven = null, dtype: DType = "float32") {
    super(dtype, asShape(shape));
  }
  override get flat(): Flat {
    return variants;
  }
  override valueFrom(tensor: Tensor): SparseTensor {
    const { shape } = this;
    const { sparseIndices, sparseValues, sparseShape } = DeserializeSparse({ serializedSparse: tensor, dtype: this.dtype });
    sparseIndices.setShape([null, shape.rank]);
    return new SparseTensor(sparseIndices, sparseValues, knownSizes(sparseShape, shape));
  }
  override tensorOf({ indices, values, denseShape }: SparseTensor): Tensor {
    return SerializeSparse({ sparseIndices: indices, sparseValues: values, sparseShape: denseShape, outType: "variant" });
  }
  override rowsOf(value: SparseTensor): Tensor {
    const { indices, values, denseShape } = value;
    if (this.shape.rank === 0)
      throw new ValueError(`Unbatching a sparse tensor is only supported for rank >= 1. Obtained input: ${String(value)}.`);
    return SerializeManySparse({ sparseIndices: indices, sparseValues: values, sparseShape: denseShape, outType: "variant" });
  }
  override withShape(shape: TensorShape): SparseTensorSpec {
    return new SparseTensorSpec(shape, this.dtype);
  }
  override get valueClass(): unknown {
    return SparseTensor;
  }
  override toString(): string {
    return `SparseTensorSpec(${shapeText(this.shape)}, tf.${this.dtype})`;
  }
}

/** Sizes with those that are known in their places. */
function knownSizes(sizes: Tensor, { dims, isFullyDefined, rank }: TensorShape): Tensor {
  const whole = (size: number): NDArray => NDArray.from(BigInt(size), "int64");
  if (dims !== null && isFullyDefined)
    return convertToTensor(
      NDArray.from(
        dims.map(size => BigInt(size as number)),
        "int64",
        [dims.length],
      ),
      { name: "shape" },
    );
  if (dims?.some(size => size !== null)) {
    return stack(unstack(sizes, { num: dims.length }).map((piece, axis) => (dims[axis] === null ? piece : constant(whole(dims[axis])))));
  }
  sizes.setShape([rank]);
  return sizes;
}

export const shapeText = (shape: TensorShape): string =>
  `TensorShape(${shape.dims === null ? "None" : `[${shape.dims.map(size => `Dimension(${size ?? "None"})`).join(", ")}]`})`;

/** The spec that a value has of itself. */
export function ownSpec(value: unknown): ComponentSpec | undefined {
  if (typeof value !== "object" || value === null || !("typeSpec" in value)) return undefined;
  return value.typeSpec instanceof ComponentSpec ? value.typeSpec : undefined;
}

function specOf(value: unknown): ComponentSpec | undefined {
  if (value instanceof SparseTensor) return new SparseTensorSpec(value.shape, value.dtype);
  if (value instanceof Tensor) return new TensorSpec(value.shape, value.dtype);
  if (value instanceof NDArray) return new TensorSpec([...value.shape], value.dtype);
  return isAsTensor(value) ? specOf(convertToTensor(value)) : undefined;
}

/** The spec of a value: a tensor, an array, a sparse or a ragged tensor. @throws TypeError for other values. */
export function componentSpecFrom(value: unknown): ComponentSpec {
  const spec = ownSpec(value) ?? specOf(value);
  if (spec === undefined) throw new TypeError(`Could not build a TypeSpec for ${String(value)} of unsupported type ${typeof value}.`);
  return spec;
}
