// What values are that are no elements of datasets: rows of a larger tensor, TensorArrays, nothing. Tensors and sparse tensors: ops/sparse/type-specs.ts.

import { type DType, isDType, noDtype } from "../base/dtype.ts";
import { TensorShape } from "../base/shape.ts";
import { IndexedSlices } from "../graph/indexed-slices.ts";
import { refuseOthers } from "../ops/arguments.ts";
import { TensorArray } from "../ops/flow/tensor-array.ts";
import { asShape, componentSpecFrom, type ShapeGiven, shapeText, TypeSpec } from "../ops/sparse/type-specs.ts";

function typeOf(dtype: DType): DType {
  if (!isDType(dtype)) throw noDtype(dtype);
  return dtype;
}

/** What rows of a larger tensor are: the shape and type of the whole, the types of their numbers and of the whole's shape if it is told, how many rows.
 *  TF: tf.IndexedSlicesSpec(shape, dtype, indices_dtype, dense_shape_dtype, indices_shape). */
export class IndexedSlicesSpec extends TypeSpec {
  override readonly shape: TensorShape;
  override readonly dtype: DType;
  private readonly indicesDtype: DType;
  private readonly denseShapeDtype: DType | null;
  private readonly indicesShape: TensorShape;

  constructor(
    shape: ShapeGiven = null,
    dtype: DType = "float32",
    indicesDtype: DType = "int64",
    denseShapeDtype: DType | null = null,
    indicesShape: ShapeGiven = null,
  ) {
    super();
    this.shape = asShape(shape);
    this.dtype = typeOf(dtype);
    this.indicesDtype = typeOf(indicesDtype);
    this.denseShapeDtype = denseShapeDtype && typeOf(denseShapeDtype);
    this.indicesShape = indicesShape === null ? new TensorShape([null]) : asShape(indicesShape);
  }

  get valueType(): typeof IndexedSlices {
    return IndexedSlices;
  }
  override isCompatibleWith(specOrValue: unknown): boolean {
    const other = specOrValue instanceof IndexedSlices ? sliceSpec(specOrValue) : specOrValue;
    if (!(other instanceof IndexedSlicesSpec)) return false;
    const isSame = other.dtype === this.dtype && other.indicesDtype === this.indicesDtype && other.denseShapeDtype === this.denseShapeDtype;
    return isSame && this.shape.isCompatibleWith(other.shape) && this.indicesShape.isCompatibleWith(other.indicesShape);
  }
  override toString(): string {
    const { shape, dtype, indicesDtype, denseShapeDtype: dense, indicesShape } = this;
    return `IndexedSlicesSpec(${shapeText(shape)}, tf.${dtype}, tf.${indicesDtype}, ${dense ? `tf.${dense}` : "None"}, ${shapeText(indicesShape)})`;
  }
}

/** The spec of rows: the whole has as many dimensions as they, of sizes that are told or not. */
function sliceSpec({ values, indices, denseShape, shape }: IndexedSlices): IndexedSlicesSpec {
  const rest = values.shape.dims && new TensorShape([null, ...values.shape.dims.slice(1)]);
  return new IndexedSlicesSpec(denseShape ? shape : rest, values.dtype, indices.dtype, denseShape?.dtype ?? null, indices.shape);
}

interface ArrayOptions {
  readonly dynamicSize?: boolean;
  readonly inferShape?: boolean;
}

/** What a TensorArray is. TF: tf.TensorArraySpec(element_shape, dtype, dynamic_size, infer_shape). */
export class TensorArraySpec extends TypeSpec {
  override readonly shape: TensorShape;
  override readonly dtype: DType;
  private readonly dynamicSize: boolean;
  private readonly inferShape: boolean;

  constructor(
    elementShape: ShapeGiven = null,
    dtype: DType = "float32",
    { dynamicSize = false, inferShape = true, ...others }: ArrayOptions = {},
  ) {
    super();
    refuseOthers(others);
    this.shape = asShape(elementShape);
    this.dtype = typeOf(dtype);
    this.dynamicSize = dynamicSize;
    this.inferShape = inferShape;
  }
  /** TF: TensorArraySpec.from_value. @throws TypeError for what is no TensorArray. */
  static fromValue(value: TensorArray): TensorArraySpec {
    if (!(value instanceof TensorArray)) throw new TypeError(`Expected value to be a TensorArray, but got: \`${typeof value}\`.`);
    const { elementShape, dtype, dynamicSize, infersShape: inferShape } = value;
    return new TensorArraySpec(elementShape, dtype, { dynamicSize, inferShape });
  }

  get valueType(): typeof TensorArray {
    return TensorArray;
  }
  override isCompatibleWith(specOrValue: unknown): boolean {
    const other = specOrValue instanceof TensorArray ? TensorArraySpec.fromValue(specOrValue) : specOrValue;
    if (!(other instanceof TensorArraySpec) || other.dtype !== this.dtype || other.dynamicSize !== this.dynamicSize) return false;
    return this.shape.isCompatibleWith(other.shape);
  }
  override toString(): string {
    const flag = (value: boolean): string => (value ? "True" : "False");
    return `TensorArraySpec(${shapeText(this.shape)}, tf.${this.dtype}, ${flag(this.dynamicSize)}, ${flag(this.inferShape)})`;
  }
}

/** What None is: a value that is not there. TF: tf.NoneTensorSpec. */
export class NoneTensorSpec extends TypeSpec {
  override readonly shape: TensorShape = TensorShape.unknown();
  override readonly dtype: DType = "variant";

  static fromValue(_value: unknown): NoneTensorSpec {
    return new NoneTensorSpec();
  }
  override isCompatibleWith(specOrValue: unknown): boolean {
    return specOrValue === null || specOrValue instanceof NoneTensorSpec;
  }
  override toString(): string {
    return "NoneTensorSpec()";
  }
}

/** The spec of a value: a tensor, an array, a sparse or a ragged tensor, rows of a larger one, a TensorArray, or null. TF: tf.type_spec_from_value.
 *  @throws TypeError for other values. */
export function typeSpecFromValue(value: unknown): TypeSpec {
  if (value === null) return new NoneTensorSpec();
  if (value instanceof IndexedSlices) return sliceSpec(value);
  return value instanceof TensorArray ? TensorArraySpec.fromValue(value) : componentSpecFrom(value);
}
