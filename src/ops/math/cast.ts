// Conversions between types.

import { type DType, isDType, noDtype } from "../../base/dtype.ts";
import { UnimplementedError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import type { NotAny } from "../../graph/composite.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import { IndexedSlices, onValues } from "../../graph/indexed-slices.ts";
import { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { staticShape, staticValue } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { bitcastScalar, castScalar, constantScalar, s } from "../../ir/scalar.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import { cTypeOf } from "../flow/tensor-array-failures.ts";

const differentiableTypes: readonly DType[] = ["float16", "float32", "float64", "bfloat16", "complex64", "complex128"];

export const Cast = defineOp("Cast", {
  inputs: { x: "SrcT" },
  outputs: { y: "DstT" },
  attrs: { SrcT: attr.type(), DstT: attr.type(), Truncate: attr.bool(false) },
  shape: ({ x }) => x,
  gradient: ({ x, SrcT, DstT }, d: { readonly y: Tensor | IndexedSlices }): Gradients => ({
    x: differentiableTypes.includes(SrcT) && differentiableTypes.includes(DstT) ? onValues(d.y, values => cast(values, x.dtype)) : null,
  }),
  takesSlices: true,
  partial: ({ x, DstT }) => (["int32", "int64", "float32", "float64"].includes(DstT) ? x : undefined),
  followsShapes: true,
  staticValue: ({ x, DstT }) => staticValue(x)?.cast(DstT),
  staticShape: ({ x, DstT }) => {
    const shape = staticShape(x);
    return shape.dims === null || DstT === "int32" || DstT === "int64" ? shape : TensorShape.unknownOfRank(shape.dims.length);
  },
  simplify: ({ x, SrcT, DstT }) => (SrcT === DstT ? x : undefined),
  lower: ({ x, DstT, Truncate }) => castTo(x, DstT, Truncate),
});

/** Bits behind those that a narrower float keeps. */
const droppedBits: Partial<Record<DType, Partial<Record<DType, bigint>>>> = {
  float32: { float16: 13n, bfloat16: 16n },
  float64: { float16: 42n, bfloat16: 45n, float32: 29n },
};

/** What Cast gives. `truncates`: of floats, bits that do not fit are dropped rather than rounded. */
export function castTo(x: Value, to: DType, truncates: boolean): Value {
  if ((x.dtype === "string") !== (to === "string"))
    throw new UnimplementedError(`Cast ${cTypeOf(x.dtype)} to ${cTypeOf(to)} is not supported`);
  const dropped = truncates ? droppedBits[x.dtype]?.[to] : undefined;
  if (dropped === undefined) return ir.cast(x, to);
  const bits = x.dtype === "float32" ? "int32" : "int64";
  const kept = -1n << dropped;
  const mask = constantScalar(bits, bits === "int32" ? Number(kept) : kept);
  return ir.map(value => {
    const whole = bitcastScalar(s.and(bitcastScalar(value, bits), mask), x.dtype);
    return castScalar(s.select(s.isNan(value), value, whole), to);
  }, x);
}

/** Converts to another type: to integers truncating toward zero, between them wrapping; a tensor of that type is returned as it is. A number with a fraction
 *  is a float32 first, as in Python: `cast(0.1, "float64")` is 0.10000000149011612. Of a sparse tensor
 *  the values are. TF: tf.cast. */
export function cast(x: SparseTensor, dtype: DType, options?: NameOption): SparseTensor;
export function cast<S extends IndexedSlices>(x: S & NotAny<S>, dtype: DType, options?: NameOption): IndexedSlices;
export function cast(x: TensorLike, dtype: DType, options?: NameOption): Tensor;
export function cast(
  x: TensorLike | SparseTensor | IndexedSlices,
  dtype: DType,
  options?: NameOption,
): Tensor | SparseTensor | IndexedSlices {
  if (!isDType(dtype)) throw noDtype(dtype);
  if (x instanceof Tensor && x.dtype === dtype) return x;
  if (x instanceof SparseTensor) return castSparse(x, dtype, options);
  if (x instanceof IndexedSlices) return inNameScope(options, "Cast", [x], scope => onValues(x, values => cast(values, dtype, scope)));
  return inNameScope(options, "Cast", [x], scope => {
    // Numbers that may be Python's floats are float32 first; whole ones follow the cast. Arrays have a type, and are cast as tensors are.
    const isTyped = x instanceof NDArray || ArrayBuffer.isView(x) || hasFraction(x);
    const tensor = convertToTensor(x, x instanceof Tensor ? {} : { name: "x", preferredDtype: isTyped ? undefined : dtype });
    return tensor.dtype === dtype ? tensor : Cast({ x: tensor, DstT: dtype }, scope);
  });
}

/** Is it a number with a fraction, or a list that holds one? Such is a float32 in TensorFlow, whatever stands beside it. */
export const hasFraction = (x: unknown): boolean =>
  Array.isArray(x) ? x.some(hasFraction) : typeof x === "number" && Number.isFinite(x) && !Number.isInteger(x);

const castSparse = (x: SparseTensor, dtype: DType, options?: NameOption): SparseTensor =>
  inNameScope(options, "Cast", [x.values], scope => new SparseTensor(x.indices, cast(x.values, dtype, scope), x.denseShape));

const castFrom =
  (type: DType) =>
  (value: TensorLike, dtype: DType, options?: NameOption): Tensor =>
    inNameScope(options, "Cast", [], scope => {
      const x = convertToTensor(value, { name: "x", dtype: type });
      return dtype === type ? x : Cast({ x, DstT: dtype }, scope);
    });
/** A whole number (or several) as Python's `cast` takes it: an int32 first. */
export const castInteger = castFrom("int32");
/** A number as Python's `cast` takes it where it has a point: a float32 first. */
export const castFloat = castFrom("float32");

export const toFloat = (x: TensorLike, options?: NameOption): Tensor => cast(x, "float32", { name: named(options).name ?? "ToFloat" });
export const toDouble = (x: TensorLike, options?: NameOption): Tensor => cast(x, "float64", { name: named(options).name ?? "ToDouble" });
export const toInt32 = (x: TensorLike, options?: NameOption): Tensor => cast(x, "int32", { name: named(options).name ?? "ToInt32" });
export const toInt64 = (x: TensorLike, options?: NameOption): Tensor => cast(x, "int64", { name: named(options).name ?? "ToInt64" });
export const toBfloat16 = (x: TensorLike, options?: NameOption): Tensor =>
  cast(x, "bfloat16", { name: named(options).name ?? "ToBFloat16" });
export const toComplex64 = (x: TensorLike, options?: NameOption): Tensor =>
  cast(x, "complex64", { name: named(options).name ?? "ToComplex64" });
export const toComplex128 = (x: TensorLike, options?: NameOption): Tensor =>
  cast(x, "complex128", { name: named(options).name ?? "ToComplex128" });
