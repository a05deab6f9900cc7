// Comparisons of tensors, element by element, and logic of bools.

import { type DType, isFloating } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { broadcastShapes, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import { equalElements, staticValues } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import { bitcastScalar, type Scalar, s } from "../../ir/scalar.ts";
import { collect } from "../arguments.ts";
import { named, type NameOption } from "../named.ts";
import { partialOf, elementwise } from "./elementwise.ts";

const comparisonOp = (type: string, f: (x: Scalar, y: Scalar) => Scalar, partial: (x: number, y: number) => boolean) =>
  defineOp(type, {
    inputs: { x: "T", y: "T" },
    outputs: { z: "bool" },
    attrs: { T: attr.type(attr.realNumbers) },
    shape: ({ x, y }) => broadcastShapes(x, y),
    gradient: "none",
    partial: partialOf((x, y) => Number(partial(x, y))),
    lower: ({ x, y }) => elementwise(f, x, y),
  });

export const Less = comparisonOp("Less", s.lt, (x, y) => x < y);
export const LessEqual = comparisonOp("LessEqual", s.le, (x, y) => x <= y);
export const Greater = comparisonOp("Greater", s.gt, (x, y) => x > y);
export const GreaterEqual = comparisonOp("GreaterEqual", s.ge, (x, y) => x >= y);

/** A quantized number's integer. */
const plainScalar = (x: Scalar): Scalar => (x.dtype.startsWith("q") ? bitcastScalar(x, x.dtype.slice(1) as DType) : x);

const equalityOp = (
  type: string,
  f: (x: Scalar, y: Scalar) => Scalar,
  partial: (x: number, y: number) => boolean,
  ofUnlikeShapes: boolean,
) =>
  defineOp(type, {
    inputs: { x: "T", y: "T" },
    outputs: { z: "bool" },
    attrs: { T: attr.type(), incompatibleShapeError: attr.bool(true) },
    shape: ({ x, y, incompatibleShapeError }) => {
      try {
        return broadcastShapes(x, y);
      } catch (error) {
        if (incompatibleShapeError) throw error;
        return new TensorShape([]);
      }
    },
    gradient: "none",
    commutative: true,
    partial: partialOf((x, y) => Number(partial(x, y))),
    staticValue: ({ x, y }) => {
      const known = staticValues([x, y]);
      if (!known) return undefined;
      const shape = broadcastShapes(x.shape, y.shape).asNumbers();
      return NDArray.from(
        equalElements(known[0], known[1], shape).map(isEqual => isEqual !== ofUnlikeShapes),
        "bool",
        shape,
      );
    },
    lower: ({ x, y, incompatibleShapeError }) => {
      try {
        return elementwise((a, b) => f(plainScalar(a), plainScalar(b)), x, y);
      } catch (error) {
        if (incompatibleShapeError || !(error instanceof InvalidArgumentError)) throw error;
        return ir.full("bool", [], ofUnlikeShapes ? 1 : 0);
      }
    },
  });

export const Equal = equalityOp("Equal", s.eq, (x, y) => x === y, false);
export const NotEqual = equalityOp("NotEqual", s.ne, (x, y) => x !== y, true);

export const ApproximateEqual = defineOp("ApproximateEqual", {
  inputs: { x: "T", y: "T" },
  outputs: { z: "bool" },
  attrs: { T: attr.type(attr.numbers), tolerance: attr.float(Math.fround(1e-5)) },
  shape: ({ x, y }) => x.mergeWith(y),
  gradient: "none",
  commutative: true,
  lower: ({ x, y, tolerance }) =>
    elementwise(
      (a, b) => {
        const distance = s.abs(s.sub(a, b));
        return s.lt(isFloating(distance.dtype) ? distance : s.cast(distance, "float32"), tolerance);
      },
      x,
      y,
    ),
});

const logicOp = (type: string, f: (x: Scalar, y: Scalar) => Scalar, partial: (x: number, y: number) => number) =>
  defineOp(type, {
    inputs: { x: "bool", y: "bool" },
    outputs: { z: "bool" },
    attrs: {},
    shape: ({ x, y }) => broadcastShapes(x, y),
    gradient: "none",
    commutative: true,
    partial: partialOf(partial),
    lower: ({ x, y }) => elementwise(f, x, y),
  });

export const LogicalAnd = logicOp("LogicalAnd", s.and, (x, y) => x & y);
export const LogicalOr = logicOp("LogicalOr", s.or, (x, y) => x | y);

export const LogicalNot = defineOp("LogicalNot", {
  inputs: { x: "bool" },
  outputs: { y: "bool" },
  attrs: {},
  shape: ({ x }) => x,
  gradient: "none",
  partial: ({ x }) => x && { shape: x.shape, values: x.values.map(v => (v === null ? null : 1 - v)) },
  lower: ({ x }) => ir.map(s.not, x),
});

export const equal = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => Equal({ x, y }, named(options));
export const notEqual = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => NotEqual({ x, y }, named(options));
export const less = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => Less({ x, y }, named(options));
export const lessEqual = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => LessEqual({ x, y }, named(options));
export const greater = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => Greater({ x, y }, named(options));
export const greaterEqual = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => GreaterEqual({ x, y }, named(options));
export const approximateEqual = (x: TensorLike, y: TensorLike, ...rest: unknown[]): Tensor => {
  const { tolerance, name } = collect<{ tolerance: number } & Named>(["tolerance", "name"], rest);
  return ApproximateEqual({ x, y, tolerance }, { name });
};

export const logicalAnd = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => LogicalAnd({ x, y }, named(options));
export const logicalOr = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => LogicalOr({ x, y }, named(options));
export const logicalNot = (x: TensorLike, options?: NameOption): Tensor => LogicalNot({ x }, named(options));
export const logicalXor = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor =>
  LogicalAnd({ x: LogicalOr({ x, y }), y: LogicalNot({ x: LogicalAnd({ x, y }) }) }, { name: named(options).name ?? "LogicalXor" });
