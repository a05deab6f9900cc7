// Operations on the bits of integers. TF: tf.bitwise.

import type { DType } from "../../base/dtype.ts";
import { dtypeTable } from "../../base/dtype.ts";
import { broadcastShapes } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { s } from "../../ir/scalar.ts";
import { elementwise } from "./elementwise.ts";
import { named, type NameOption } from "../named.ts";

const integers = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"] as const satisfies readonly DType[];

const bitOp = (type: string, f: (x: Scalar, y: Scalar) => Scalar, commutative: boolean) =>
  defineOp(type, {
    inputs: { x: "T", y: "T" },
    outputs: { z: "T" },
    attrs: { T: attr.type(integers) },
    shape: ({ x, y }) => broadcastShapes(x, y),
    gradient: "none",
    commutative,
    lower: ({ x, y }) => elementwise(f, x, y),
  });

/** TensorFlow limits a shift count to [0, width). */
const shift =
  (f: (x: Scalar, y: Scalar) => Scalar) =>
  (x: Scalar, y: Scalar): Scalar =>
    f(x, s.min(s.max(y, 0), 8 * dtypeTable[x.dtype].bytes - 1));

export const BitwiseAnd = bitOp("BitwiseAnd", s.and, true);
export const BitwiseOr = bitOp("BitwiseOr", s.or, true);
export const BitwiseXor = bitOp("BitwiseXor", s.xor, true);
export const LeftShift = bitOp("LeftShift", shift(s.shl), false);
export const RightShift = bitOp("RightShift", shift(s.shr), false);

export const Invert = defineOp("Invert", {
  inputs: { x: "T" },
  outputs: { y: "T" },
  attrs: { T: attr.type(integers) },
  shape: ({ x }) => x,
  gradient: "none",
  lower: ({ x }) => ir.map(s.not, x),
});

export const PopulationCount = defineOp("PopulationCount", {
  inputs: { x: "T" },
  outputs: { y: "uint8" },
  attrs: { T: attr.type(integers) },
  shape: ({ x }) => x,
  gradient: "none",
  lower: ({ x }) => ir.map(v => s.cast(s.popcount(v), "uint8"), x),
});

export const bitwiseAnd = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => BitwiseAnd({ x, y }, named(options));
export const bitwiseOr = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => BitwiseOr({ x, y }, named(options));
export const bitwiseXor = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => BitwiseXor({ x, y }, named(options));
export const invert = (x: TensorLike, options?: NameOption): Tensor => Invert({ x }, named(options));
export const leftShift = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => LeftShift({ x, y }, named(options));
export const rightShift = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => RightShift({ x, y }, named(options));
