// Elementwise arithmetic, comparison, logic, conversion and sums of tensors. Functions of one argument are math/functions.ts, products of matrices
// math/matrix.ts, reductions math/reduction.ts, special functions and bits special.ts.

import type { DType } from "../../base/dtype.ts";
import { isComplex, isDType, isFloating, isInteger, noDtype } from "../../base/dtype.ts";
import { InternalError, InvalidArgumentError, UnimplementedError, ValueError } from "../../base/errors.ts";
import { NDArray, numbersIn } from "../../base/ndarray.ts";
import { broadcastShapes, sizeOf, TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, describe, literalType, type TensorLike } from "../../graph/conversion.ts";
import {
  defineOp,
  type Gradients,
  type LowerContext,
  type Named,
  type PartialArray,
  type SimplifyContext,
} from "../../graph/op-definition.ts";
import { type IndexedSlices, onValues } from "../../graph/indexed-slices.ts";
import { Tensor } from "../../graph/operation.ts";
import { SparseTensor } from "../../graph/sparse-tensor.ts";
import { equalElements, staticShape, staticValue, staticValues } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { bitcastScalar, castScalar, constantScalar, s } from "../../ir/scalar.ts";
import { collect } from "../arguments.ts";
import { identity, onesLike, reshape, shape, zerosLike } from "../array/array.ts";
import { BroadcastGradientArgs } from "../array/padding.ts";
import { where, whereV2 } from "../array/selection.ts";
import { conj, log, negative, square } from "./functions.ts";
import { reduceSum } from "./reduction.ts";
import { slicesToTensor } from "./segment.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";
import { cTypeOf } from "../flow/tensor-array-failures.ts";
import { VariantArray } from "../flow/variant-array.ts";

/** The types of TensorFlow's arithmetic, in the order of its registry, which messages show. */
const arithmetic = [
  "bfloat16",
  "float16",
  "float32",
  "float64",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "int32",
  "uint32",
  "uint64",
  "int64",
  "complex64",
  "complex128",
] as const satisfies readonly DType[];
const floatsAndComplex = ["bfloat16", "float16", "float32", "float64", "complex64", "complex128"] as const satisfies readonly DType[];

// ---- what binary ops share ----

/** Elementwise with broadcasting. @throws InvalidArgumentError with the kernels' text if the shapes do not fit. */
export function elementwise(f: (x: Scalar, y: Scalar) => Scalar, x: Value, y: Value): Value {
  const [a, b] = [[...x.shape].reverse(), [...y.shape].reverse()];
  if (a.some((d, axis) => axis < b.length && d !== b[axis] && d !== 1 && b[axis] !== 1))
    throw new InvalidArgumentError(`Incompatible shapes: [${x.shape.join(",")}] vs. [${y.shape.join(",")}]`);
  return ir.map(f, x, y);
}

type Axes = readonly number[] | Tensor;

/** The axes to sum a gradient over, as far as the static shapes tell; null where they leave it open. */
function staticReductionAxes(x: TensorShape, y: TensorShape): { x: number[]; y: number[] } | null {
  if (x.dims === null || y.dims === null) return null;
  const rank = Math.max(x.dims.length, y.dims.length);
  const axes = { x: [] as number[], y: [] as number[] };
  for (let axis = 0; axis < rank; axis++) {
    const [i, j] = [axis - rank + x.dims.length, axis - rank + y.dims.length];
    const [d, e] = [i < 0 ? 1 : x.dims[i], j < 0 ? 1 : y.dims[j]];
    if (d === 1 && e !== 1) axes.x.push(axis);
    else if (e === 1 && d !== 1) axes.y.push(axis);
    else if (d === null || e === null) return null;
  }
  return axes;
}

/** Sums gradients over what broadcasting repeated, so that each has its operand's shape. Where static shapes prove that nothing was, they are left alone. */
export function reduceToOperands<X extends Tensor | IndexedSlices | null, Y extends Tensor | IndexedSlices | null>(
  x: Tensor,
  y: Tensor,
  gx: X,
  gy: Y,
): [X, Y] {
  const [xShape, yShape] = [shape(x), shape(y)];
  const known = staticReductionAxes(x.shape, y.shape);
  const dynamic = known === null ? BroadcastGradientArgs({ s0: xShape, s1: yShape }) : null;
  const [xRank, yRank] = [x.shape.rank ?? 0, y.shape.rank ?? 0];
  const reduced = (gradient: Tensor | IndexedSlices, axes: Axes, to: Tensor): Tensor => reshape(sumOver(gradient, axes), to);
  const forX = gx !== null && (known === null || known.x.length > 0 || xRank < yRank) ? reduced(gx, known?.x ?? dynamic!.r0, xShape) : gx;
  const forY = gy !== null && (known === null || known.y.length > 0 || yRank < xRank) ? reduced(gy, known?.y ?? dynamic!.r1, yShape) : gy;
  return [forX as X, forY as Y];
}

const sumOver = (gradient: Tensor | IndexedSlices, axes: Axes): Tensor =>
  gradient instanceof Tensor
    ? reduceSum(gradient, axes, { keepdims: true })
    : inNameScope(undefined, "Sum", [], scope =>
        reduceSum(slicesToTensor(gradient, { name: "input" }), axes, { keepdims: true, name: String(scope) }),
      );

const sameKnownShape = (x: Tensor, y: Tensor, d: Tensor | IndexedSlices): boolean =>
  d instanceof Tensor && x.shape.isFullyDefined && x.shape.equals(y.shape) && x.shape.equals(d.shape);

/** Nodes that wait for the gradient, so that recomputed values do not live through the forward pass. */
export const after = <R>(d: Tensor, body: () => R): R => d.graph.controlDependencies([d], body);

type BinaryRecord = { readonly x: Tensor; readonly y: Tensor; readonly z: Tensor };
type BinaryGradient = ((record: BinaryRecord, d: { readonly z: Tensor }) => Gradients) | "none";
type GradientOfSum = (record: BinaryRecord, d: { readonly z: Tensor | IndexedSlices }) => Gradients;

interface BinaryRest {
  readonly partial?: (x: number, y: number) => number | null;
  readonly commutative?: boolean;
  readonly simplify?: (record: BinaryRecord, context: SimplifyContext) => Tensor | undefined;
  readonly takesSlices?: boolean;
  /** Raised before the values are made. */
  readonly check?: (x: Value, y: Value, context: LowerContext) => void;
}

const partialOf =
  (f: (x: number, y: number) => number | null) =>
  ({ x, y }: { x: PartialArray | undefined; y: PartialArray | undefined }): PartialArray | undefined => {
    if (!x || !y || (x.shape.length > 0 && y.shape.length > 0 && x.shape.join() !== y.shape.join())) return undefined;
    const shape = x.shape.length >= y.shape.length ? x.shape : y.shape;
    const count = sizeOf(shape);
    const at = ({ shape: own, values }: PartialArray, i: number): number | null => values[own.length === 0 ? 0 : i];
    return {
      shape,
      values: Array.from({ length: count }, (_, i) => {
        const [a, b] = [at(x, i), at(y, i)];
        return a === null || b === null || a === undefined || b === undefined ? null : f(a, b);
      }),
    };
  };

const binaryOp = (
  type: string,
  types: readonly DType[],
  f: (x: Scalar, y: Scalar) => Scalar,
  gradient: BinaryGradient | undefined,
  rest: BinaryRest = {},
) =>
  defineOp(type, {
    inputs: { x: "T", y: "T" },
    outputs: { z: "T" },
    attrs: { T: attr.type(types) },
    shape: ({ x, y }) => broadcastShapes(x, y),
    ...(gradient && { gradient }),
    takesSlices: rest.takesSlices ?? false,
    commutative: rest.commutative ?? false,
    isElementwise: true,
    ...(rest.simplify && { simplify: rest.simplify }),
    ...(rest.partial && { partial: partialOf(rest.partial) }),
    lower: ({ x, y }, context) => {
      rest.check?.(x, y, context);
      return elementwise(f, x, y);
    },
  });

/** Whether all elements of a constant are one number, so that `x op constant` may be x. */
function isAll(array: NDArray | undefined, value: number): boolean {
  if (array === undefined || array.size === 0 || array.size > 64) return false;
  for (let i = 0; i < array.size; i++) if (Number(array.get(i)) !== value || Object.is(array.get(i), -0)) return false;
  return true;
}

/** x where the other operand is neutral and does not broadcast it. */
const neutral =
  (value: number, side: "y" | "both") =>
  ({ x, y, z }: BinaryRecord, { constant }: SimplifyContext): Tensor | undefined => {
    const fits = (operand: Tensor): boolean => operand.shape.isFullyDefined && operand.shape.equals(z.shape);
    if (isComplex(x.dtype) || x.dtype === "string") return undefined;
    if (fits(x) && isAll(constant("y"), value)) return x;
    return side === "both" && fits(y) && isAll(constant("x"), value) ? y : undefined;
  };

// ---- addition, subtraction, multiplication ----

const addGradient: GradientOfSum = ({ x, y }, d): Gradients => {
  if (sameKnownShape(x, y, d.z)) return { x: d.z, y: d.z };
  const [gx, gy] = reduceToOperands(x, y, d.z, d.z);
  return { x: gx, y: gy };
};

export const AddV2 = binaryOp(
  "AddV2",
  [
    "bfloat16",
    "float16",
    "float32",
    "float64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "int8",
    "int16",
    "int32",
    "int64",
    "complex64",
    "complex128",
  ],
  s.add,
  addGradient,
  { partial: (x, y) => x + y, commutative: true, takesSlices: true },
);

const joinStrings = (x: Value, y: Value): Value => {
  const [out] = ir.call(
    {
      name: "Add",
      run: ([a, b], [z]) => {
        for (let i = 0; i < z.size; i++) {
          const [left, right] = [a.get(a.size === 1 ? 0 : i) as Uint8Array, b.get(b.size === 1 ? 0 : i) as Uint8Array];
          z.set(i, Uint8Array.from([...left, ...right]));
        }
      },
    },
    [x, y].map(value => (value.shape.length === 0 ? value : ir.broadcastTo(value, ir.broadcastShape(x.shape, y.shape)))),
    [{ dtype: "string", shape: ir.broadcastShape(x.shape, y.shape) }],
  );
  return out;
};

/** The older AddV2, and concatenation of strings. */
export const Add = defineOp("Add", {
  inputs: { x: "T", y: "T" },
  outputs: { z: "T" },
  attrs: {
    T: attr.type([
      "bfloat16",
      "float16",
      "float32",
      "float64",
      "uint8",
      "int8",
      "int16",
      "int32",
      "int64",
      "complex64",
      "complex128",
      "string",
    ]),
  },
  shape: ({ x, y }) => broadcastShapes(x, y),
  gradient: addGradient,
  takesSlices: true,
  partial: partialOf((x, y) => x + y),
  lower: ({ x, y, T }) => (T === "string" ? joinStrings(x, y) : elementwise(s.add, x, y)),
});

export const Sub = binaryOp(
  "Sub",
  [
    "bfloat16",
    "float16",
    "float32",
    "float64",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "int32",
    "int64",
    "complex64",
    "complex128",
    "uint32",
    "uint64",
  ],
  s.sub,
  ({ x, y }, d: { readonly z: Tensor | IndexedSlices }): Gradients => {
    const minus = onValues(d.z, operator.neg);
    if (sameKnownShape(x, y, d.z)) return { x: d.z, y: minus };
    const [gx, gy] = reduceToOperands(x, y, d.z, minus);
    return { x: gx, y: gy };
  },
  { partial: (x, y) => x - y, simplify: neutral(0, "y"), takesSlices: true },
);

export const Mul = binaryOp(
  "Mul",
  arithmetic,
  s.mul,
  ({ x, y }, d): Gradients => {
    if (sameKnownShape(x, y, d.z) && (d.z.dtype === "float32" || d.z.dtype === "int32"))
      return { x: Mul({ x: d.z, y }), y: Mul({ x: d.z, y: x }) };
    const gx = Mul({ x: d.z, y: conj(y) });
    const [forX, forY] = reduceToOperands(x, y, gx, Mul({ x: conj(x), y: d.z }));
    return { x: forX, y: forY };
  },
  { partial: (x, y) => x * y + 0, commutative: true, simplify: neutral(1, "both") },
);

const zeroWhere = (isZero: Scalar, value: Scalar): Scalar => s.select(isZero, 0, value);

/** x·y, but 0 where y is 0, whatever x is. */
export const MulNoNan = binaryOp(
  "MulNoNan",
  floatsAndComplex,
  (x, y) => zeroWhere(s.eq(y, 0), s.mul(x, y)),
  ({ x, y }, d): Gradients => {
    const [gx, gy] = [MulNoNan({ x: d.z, y }), MulNoNan({ x, y: d.z })];
    if (sameKnownShape(x, y, d.z)) return { x: gx, y: gy };
    const [forX, forY] = reduceToOperands(x, y, gx, gy);
    return { x: forX, y: forY };
  },
);

// ---- division ----

const zeroDivisor = (): Error => new InvalidArgumentError("Integer division by zero");
/** What the truncating kernels say of it. */
const zeroTruncated = (): Error => new InternalError("Unexpected error in binary operator (only integer div and mod should have errors)");

const refuseZero = (y: Value, error: () => Error): void =>
  ir.check(y.shape, r => s.ne(s.load(y, r), 0), { label: "division by zero", reads: [], error });

/** Integers only: stops the run at a zero divisor, unless the divisor is a constant without one, or nothing is divided. */
const checkDivisor = (x: Value, y: Value, { known }: LowerContext, error = zeroDivisor): void => {
  if (!isInteger(y.dtype) || x.shape.includes(0)) return;
  const divisor = known("y");
  if (!divisor || numbersIn(divisor).includes(0)) refuseZero(y, error);
};
const checkTruncated = (x: Value, y: Value, context: LowerContext): void => checkDivisor(x, y, context, zeroTruncated);

/** `fitsConjugates`: TensorFlow asks the conjugates of the operands for their shapes. */
const divisionGradient =
  (divide: (x: TensorLike, y: TensorLike) => Tensor, fitsConjugates = false): BinaryGradient =>
  ({ x, y }, d): Gradients => {
    const [cx, cy] = [conj(x), conj(y)];
    const gx = divide(d.z, cy);
    const gy = operator.mul(d.z, divide(divide(operator.neg(cx), cy), cy));
    const [forX, forY] = fitsConjugates ? reduceToOperands(cx, cy, gx, gy) : reduceToOperands(x, y, gx, gy);
    return { x: forX, y: forY };
  };

const floorDivNumbers = (x: number, y: number): number | null => (y === 0 ? null : Math.floor(x / y));
const truncateDivNumbers = (x: number, y: number): number | null => (y === 0 ? null : Math.trunc(x / y));

export const RealDiv = binaryOp(
  "RealDiv",
  arithmetic,
  s.div,
  divisionGradient((x, y) => RealDiv({ x, y })),
  { simplify: neutral(1, "y") },
);

/** Integers truncate. */
export const Div = binaryOp(
  "Div",
  arithmetic,
  s.div,
  divisionGradient((x, y) => truediv(x, y)),
  {
    partial: truncateDivNumbers,
    simplify: neutral(1, "y"),
    check: checkDivisor,
  },
);

export const FloorDiv = binaryOp("FloorDiv", arithmetic, s.floorDiv, () => ({}), { partial: floorDivNumbers, check: checkDivisor });
export const TruncateDiv = binaryOp(
  "TruncateDiv",
  arithmetic,
  (x, y) => (isInteger(x.dtype) ? s.div(x, y) : s.trunc(s.div(x, y))),
  () => ({}),
  {
    partial: truncateDivNumbers,
    check: checkTruncated,
  },
);

/** The remainder with the sign of the divisor. */
export const FloorMod = binaryOp(
  "FloorMod",
  ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bfloat16", "float16", "float32", "float64"],
  s.floorMod,
  ({ x, y }, d): Gradients => {
    const [forX, forY] = reduceToOperands(x, y, d.z, operator.mul(d.z, negative(FloorDiv({ x, y }))));
    return { x: forX, y: forY };
  },
  { partial: (x, y) => (y === 0 ? null : x - Math.floor(x / y) * y), check: checkDivisor },
);

/** The remainder with the sign of the dividend. */
export const TruncateMod = binaryOp("TruncateMod", ["int32", "int64", "bfloat16", "float16", "float32", "float64"], s.rem, undefined, {
  partial: (x, y) => (y === 0 ? null : x % y),
  check: checkTruncated,
});

export const Mod = binaryOp("Mod", ["int32", "int64", "float16", "float16", "bfloat16", "float32", "float64"], s.rem, undefined, {
  partial: (x, y) => (y === 0 ? null : x % y),
  check: checkDivisor,
});

/** x/y, but 0 where y is 0. */
export const DivNoNan = binaryOp(
  "DivNoNan",
  ["float16", "float32", "bfloat16", "float64", "complex64", "complex128"],
  (x, y) => zeroWhere(s.eq(y, 0), s.div(x, y)),
  divisionGradient((x, y) => divNoNan(x, y), true),
);

// ---- powers, extremes, differences ----

const refuseNegativePower = (y: Value): void =>
  ir.check(y.shape, r => s.ge(s.load(y, r), 0), {
    label: "power",
    reads: [],
    error: () => new InvalidArgumentError("Integers to negative integer powers are not allowed"),
  });

export const Pow = binaryOp(
  "Pow",
  ["bfloat16", "float32", "float16", "float64", "int8", "int16", "int32", "int64", "complex64", "complex128"],
  (x, y) => powerOf(x, y),
  ({ x, y, z }, d): Gradients => {
    const [cx, cy] = [conj(x), conj(y)];
    const gx = operator.mul(operator.mul(d.z, cy), pow(cx, operator.sub(cy, 1)));
    // The logarithm is taken only where x is positive, so that the gradient of y is 0 elsewhere.
    const mask = isComplex(x.dtype) ? notEqual(cx, 0) : operator.greater(cx, 0);
    const logarithm = where(mask, log(where(mask, cx, onesLike(x))), zerosLike(x));
    const gy = operator.mul(operator.mul(d.z, conj(z)), logarithm);
    const [forX, forY] = reduceToOperands(x, y, gx, gy);
    return { x: forX, y: forY };
  },
  { simplify: neutral(1, "y"), check: (_, y) => void (isInteger(y.dtype) && refuseNegativePower(y)) },
);

/** Small whole exponents as products: exact, and fast on every machine. */
function powerOf(x: Scalar, y: Scalar): Scalar {
  if (y.kind !== "constant" || !isFloating(x.dtype)) return s.pow(x, y);
  switch (y.value) {
    case 2:
      return s.square(x);
    case 3:
      return s.mul(s.square(x), x);
    case 0.5:
      return s.sqrt(x);
    case -1:
      return s.div(s.constant(x.dtype, 1), x);
    default:
      return s.pow(x, y);
  }
}

const ordered = [
  "bfloat16",
  "float16",
  "float32",
  "float64",
  "int8",
  "uint8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
] as const satisfies readonly DType[];

const extremeGradient =
  (selects: (x: TensorLike, y: TensorLike) => Tensor): BinaryGradient =>
  ({ x, y }, d): Gradients => {
    const zeros = zerosLike(d.z);
    const mask = selects(x, y);
    const [forX, forY] = reduceToOperands(x, y, whereV2(mask, d.z, zeros), whereV2(mask, zeros, d.z));
    return { x: forX, y: forY };
  };

export const Maximum = binaryOp(
  "Maximum",
  ordered,
  s.max,
  extremeGradient((x, y) => greaterEqual(x, y)),
  { partial: Math.max },
);
export const Minimum = binaryOp(
  "Minimum",
  ordered,
  s.min,
  extremeGradient((x, y) => lessEqual(x, y)),
  { partial: Math.min },
);

/** (x − y)², of complex numbers |x − y|². */
export const SquaredDifference = binaryOp(
  "SquaredDifference",
  ["bfloat16", "float16", "float32", "float64", "int32", "int64", "complex64", "complex128"],
  (x, y) => {
    const difference = s.sub(x, y);
    return s.mul(isComplex(x.dtype) ? s.conj(difference) : difference, difference);
  },
  ({ x, y }, d): Gradients => {
    const gx = after(d.z, () => operator.mul(scalarMul(2, d.z), operator.sub(x, y)));
    const gy = operator.neg(gx);
    if (sameKnownShape(x, y, d.z)) return { x: gx, y: gy };
    const [forX, forY] = reduceToOperands(x, y, gx, gy);
    return { x: forX, y: forY };
  },
  { commutative: true },
);

export const Atan2 = defineOp("Atan2", {
  inputs: { y: "T", x: "T" },
  outputs: { z: "T" },
  attrs: { T: attr.type(["bfloat16", "float16", "float32", "float64"]) },
  shape: ({ y, x }) => broadcastShapes(y, x),
  gradient: ({ y, x }, d): Gradients =>
    after(d.z, () => {
      const inverse = operator.truediv(d.z, operator.add(square(y), square(x)));
      const [gy, gx] = reduceToOperands(y, x, operator.mul(x, inverse), operator.mul(operator.neg(y), inverse));
      return { y: gy, x: gx };
    }),
  lower: ({ y, x }) => elementwise(s.atan2, y, x),
});

// ---- products with logarithms and quotients that are 0 where x is 0 ----

/** Sums over broadcast axes by BroadcastGradientArgs alone, as these gradients do in TensorFlow. */
export function reduceAlways(
  x: Tensor,
  y: Tensor,
  d: Tensor,
  partials: () => readonly [Tensor | null, Tensor | null],
): [Tensor | null, Tensor | null] {
  const [sx, sy] = [shape(x), shape(y)];
  const { r0, r1 } = BroadcastGradientArgs({ s0: sx, s1: sy });
  return after(d, () => {
    const [px, py] = partials();
    const back = (partial: Tensor | null, axes: Tensor, to: Tensor): Tensor | null =>
      partial === null ? null : reshape(reduceSum(operator.mul(partial, d), axes), to);
    return [back(px, r0, sx), back(py, r1, sy)];
  });
}

const oneWhereNonzero = (x: Tensor): Tensor => cast(notEqual(x, cast(0, x.dtype)), x.dtype);

const zeroAwareOp = (
  type: string,
  f: (x: Scalar, y: Scalar) => Scalar,
  byX: (nonzero: Tensor, y: Tensor) => Tensor,
  byY: (x: Tensor, y: Tensor) => Tensor,
) =>
  binaryOp(
    type,
    ["float16", "bfloat16", "float32", "float64", "complex64", "complex128"],
    // The zero is x itself, sign and all.
    (x, y) => s.select(s.eq(x, 0), x, f(x, y)),
    ({ x, y }, d): Gradients => {
      const [gx, gy] = reduceAlways(x, y, d.z, () => [byX(oneWhereNonzero(x), y), byY(x, y)]);
      return { x: gx, y: gy };
    },
  );

export const Xlogy = zeroAwareOp(
  "Xlogy",
  (x, y) => s.mul(x, s.log(y)),
  (x, y) => Xlogy({ x, y }),
  (x, y) => Xdivy({ x, y }),
);
export const Xlog1py = zeroAwareOp(
  "Xlog1py",
  (x, y) => s.mul(x, s.log1p(y)),
  (x, y) => Xlog1py({ x, y }),
  (x, y) => Xdivy({ x, y: operator.add(y, 1) }),
);
export const Xdivy = zeroAwareOp(
  "Xdivy",
  s.div,
  (x, y) => Xdivy({ x, y }),
  (x, y) => Xdivy({ x: negative(x), y: operator.pow(y, 2) }),
);

// ---- comparison and logic ----

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
        return elementwise(f, x, y);
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

// ---- conversion ----

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

/** Converts to another type: to integers truncating toward zero, between them wrapping; a tensor of that type is returned as it is. Of a sparse tensor
 *  the values are. TF: tf.cast. */
export function cast(x: SparseTensor, dtype: DType, options?: NameOption): SparseTensor;
export function cast(x: TensorLike, dtype: DType, options?: NameOption): Tensor;
export function cast(x: TensorLike | SparseTensor, dtype: DType, options?: NameOption): Tensor | SparseTensor {
  if (!isDType(dtype)) throw noDtype(dtype);
  if (x instanceof Tensor && x.dtype === dtype) return x;
  if (x instanceof SparseTensor) return castSparse(x, dtype, options);
  return inNameScope(options, "Cast", [x], scope => {
    // Numbers of no type follow the cast; arrays have one, and are cast as tensors are.
    const isTyped = x instanceof NDArray || ArrayBuffer.isView(x);
    const tensor = convertToTensor(x, x instanceof Tensor ? {} : { name: "x", preferredDtype: isTyped ? undefined : dtype });
    return tensor.dtype === dtype ? tensor : Cast({ x: tensor, DstT: dtype }, scope);
  });
}

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

// ---- sums of several tensors ----

/** The common shape of tensors. @throws ValueError naming the one that differs. */
function mergedShape(shapes: readonly TensorShape[]): TensorShape {
  let merged = shapes[shapes.length - 1];
  for (let k = shapes.length - 2; k >= 0; k--) {
    try {
      merged = shapes[k].mergeWith(merged);
    } catch (error) {
      throw new ValueError(`${(error as ValueError).reason}\n\tFrom merging shape ${k} with other shapes.`);
    }
  }
  return merged;
}

function sumOf(inputs: readonly Value[], { name, keepOnHost }: LowerContext): Value {
  const [first] = inputs;
  if (first.dtype === "variant") keepOnHost();
  inputs.forEach(({ shape: other }, k) => {
    if (other.join() !== first.shape.join())
      throw new InvalidArgumentError(
        `Inputs to operation ${name} of type AddN must have the same size and shape.  Input 0: [${first.shape.join(",")}] != input ${k}: [${other.join(",")}]`,
      );
  });
  return ir.generate(first.shape, i => inputs.map(input => s.load(input, i)).reduce((sum, x) => s.add(sum, x)));
}

export const AddN = defineOp("AddN", {
  inputs: { inputs: "N*T" },
  outputs: { sum: "T" },
  attrs: { N: attr.int(undefined, 1), T: attr.type([...attr.numbers, "variant"]) },
  shape: ({ inputs }) => mergedShape(inputs),
  holds: (_, context) => context.handle("inputs"),
  gradient: ({ inputs }, d): Gradients => ({ inputs: inputs.map(() => d.sum) }),
  takesSlices: true,
  commutative: true,
  lower: ({ inputs }, context) => sumOf(inputs, context),
  onHost: ({ inputs }) => [inputs.map(VariantArray.of).reduce((sum, x) => sum.plus(x))],
});

export const AccumulateNV2 = defineOp("AccumulateNV2", {
  inputs: { inputs: "N*T" },
  outputs: { sum: "T" },
  attrs: { N: attr.int(undefined, 1), T: attr.type(attr.numbers), shape: attr.shape() },
  shape: ({ inputs, shape }) => mergedShape(inputs).mergeWith(shape),
  gradient: ({ inputs }, d): Gradients => ({ inputs: inputs.map(() => d.sum) }),
  takesSlices: true,
  commutative: true,
  lower: ({ inputs }, context) => sumOf(inputs, context),
});

/** The sum of tensors of one shape; a single one is returned as it is. TF: tf.add_n. @throws ValueError for an empty list. */
export function addN(inputs: readonly TensorLike[], options?: NameOption): Tensor {
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw new ValueError("Inputs must be an iterable of at least one Tensor/IndexedSlices with the same dtype and shape.");
  const { name } = named(options);
  if (inputs.length === 1) return name ? identity(inputs[0], { name }) : convertToTensor(inputs[0]);
  return AddN({ inputs }, { name });
}

interface AccumulateOptions extends Named {
  readonly shape?: readonly (number | null)[] | TensorShape | null;
  readonly tensorDtype?: DType | null;
}

/** The sum of tensors of one shape. TF: tf.accumulate_n. */
export function accumulateN(inputs: readonly Tensor[], ...rest: unknown[]): Tensor {
  const { shape: given, tensorDtype, name } = collect<AccumulateOptions>(["shape", "tensorDtype", "name"], rest);
  if (!Array.isArray(inputs) || inputs.length === 0)
    throw new ValueError("inputs must be a list of at least one Tensor with the same dtype and shape");
  let merged = new TensorShape(given ?? null);
  for (const input of inputs) merged = merged.mergeWith(input.shape);
  if (tensorDtype && tensorDtype !== inputs[0].dtype)
    throw new TypeError(
      `The \`tensor_dtype\` argument is ${tensorDtype}, but \`input\` is of type ${inputs[0].dtype}. These must be equal. Try casting the input to the desired type.`,
    );
  if (inputs.length === 1 && !name) return inputs[0];
  return inputs.length === 1 ? identity(inputs[0], { name }) : addN(inputs, { name });
}

// ---- the functions ----

/** x + y, with broadcasting; strings are joined. TF: tf.add. */
export const add = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => addNamed(x, y, options, "Add");

/** Addition under another default name. A bare operand takes the type of the other if it can; else the op says that the types differ. */
export const addNamed = (x: TensorLike, y: TensorLike, options: NameOption | undefined, fallback: string): Tensor =>
  inNameScope(options, fallback, [x, y], scope => {
    const [a, b] = [literalType(x), literalType(y)];
    const preferred = a.isCertain ? a.dtype : b.isCertain ? b.dtype : a.dtype;
    const convert = (value: TensorLike, isCertain: boolean, name: string): Tensor =>
      convertToTensor(value, isCertain ? { name } : { name, preferredDtype: preferred });
    const pair = { x: convert(x, a.isCertain, "x"), y: convert(y, b.isCertain, "y") };
    return pair.x.dtype === "string" ? Add(pair, scope) : AddV2(pair, scope);
  });
/** x − y, with broadcasting. TF: tf.subtract. */
export const subtract = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => Sub({ x, y }, named(options));
/** x · y elementwise, with broadcasting. TF: tf.multiply. */
export const multiply = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => Mul({ x, y }, named(options));
export const multiplyNoNan = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "multiply_no_nan", [x, y], scope => {
    const [a, b] = pairOf(x, y);
    return MulNoNan({ x: a, y: b }, scope);
  });

/** `scalar` · x. TF: tf.scalar_mul. @throws ValueError unless the first is a scalar. */
export function scalarMul(scalar: TensorLike, x: TensorLike, options?: NameOption): Tensor {
  const tensor = convertToTensor(x);
  const factor = convertToTensor(scalar, { dtype: tensor.dtype, name: "scalar" });
  if (factor.shape.rank !== 0) throw new ValueError(`The input scalar must be a 0-D value. Received shape ${factor.shape}.`);
  return Mul({ x: factor, y: tensor }, named(options));
}

/** What integers become before true division. */
const trueDivisionTypes: Partial<Record<DType, DType>> = {
  uint8: "float32",
  int8: "float32",
  uint16: "float32",
  int16: "float32",
  uint32: "float64",
  int32: "float64",
  uint64: "float64",
  int64: "float64",
};

/** Both operands as tensors of the first one's type. @throws ValueError if the second has another. */
function pairOf(x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const first = convertToTensor(x, { name: "x" });
  if (y instanceof Tensor && y.dtype !== first.dtype)
    throw new ValueError(`y: Tensor conversion requested dtype ${first.dtype} for Tensor with dtype ${y.dtype}: ${describe(y)}`);
  return [first, convertToTensor(y, { name: "y", dtype: first.dtype })];
}

/** Both operands as tensors of one type, in TensorFlow's order and under its names. */
function operands(x: TensorLike, y: TensorLike): [Tensor, Tensor] {
  const [a, b] = [literalType(x), literalType(y)];
  const dtype = a.isCertain ? a.dtype : b.isCertain ? b.dtype : a.dtype;
  const tensor = (value: TensorLike, isCertain: boolean, name: string): Tensor =>
    convertToTensor(value, { name, dtype: isCertain ? undefined : dtype });
  const pair: [Tensor, Tensor] = [tensor(x, a.isCertain, "x"), tensor(y, b.isCertain, "y")];
  if (pair[0].dtype !== pair[1].dtype)
    throw new TypeError(`\`x\` and \`y\` must have the same dtype, got tf.${pair[0].dtype} != tf.${pair[1].dtype}.`);
  return pair;
}

const dividedTypes =
  "tf.uint8, tf.int8, tf.uint16, tf.int16, tf.uint32, tf.int32, tf.uint64, tf.int64, tf.bfloat16, tf.float16, tf.float32, tf.float64, tf.complex64, tf.complex128";

const dividing = (options: NameOption | undefined, fallback: string, x: TensorLike, y: TensorLike, op: typeof RealDiv): Tensor =>
  inNameScope(options, fallback, [x, y], scope => {
    const [a, b] = operands(x, y);
    const type = trueDivisionTypes[a.dtype];
    if (type === undefined && !isFloating(a.dtype) && !isComplex(a.dtype))
      throw new TypeError(
        `Invalid dtype tf.${a.dtype} in ${op === RealDiv ? "__truediv__" : "tf.math.divide_no_nan"}. Expected one of {${dividedTypes}}.`,
      );
    return op(type ? { x: cast(a, type), y: cast(b, type) } : { x: a, y: b }, scope);
  });

/** x / y; integers become floats first (int32 and int64 float64, smaller ones float32). TF: tf.truediv. */
export const truediv = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => dividing(options, "truediv", x, y, RealDiv);
/** The same as truediv. TF: tf.divide. */
export const divide = truediv;
/** x / y; integers round toward minus infinity, as Python 2's `/`. TF: tf.div. */
export const div = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "div", [x, y], scope => {
    const [a, b] = pairOf(x, y);
    return isFloating(a.dtype) || isComplex(a.dtype) ? RealDiv({ x: a, y: b }, scope) : FloorDiv({ x: a, y: b }, scope);
  });
export const realdiv = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => RealDiv({ x, y }, named(options));
/** ⌊x / y⌋. TF: tf.floordiv. */
export const floordiv = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor =>
  FloorDiv({ x, y }, { name: named(options).name ?? "floordiv" });
export const floorDiv = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => FloorDiv({ x, y }, named(options));
/** x − y·⌊x / y⌋: the sign of the divisor. TF: tf.mod, tf.floormod. */
export const floormod = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => FloorMod({ x, y }, named(options));
export const mod = floormod;
export const truncatediv = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => TruncateDiv({ x, y }, named(options));
export const truncatemod = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => TruncateMod({ x, y }, named(options));
/** x / y, but 0 where y is 0. TF: tf.div_no_nan, tf.math.divide_no_nan. */
export const divNoNan = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => dividing(options, "div_no_nan", x, y, DivNoNan);
export const divideNoNan = divNoNan;

/** x to the power y. TF: tf.pow. @throws InvalidArgumentError while running for negative powers of integers. */
export const pow = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => Pow({ x, y }, named(options));
export const maximum = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => Maximum({ x, y }, named(options));
export const minimum = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => Minimum({ x, y }, named(options));
/** (x − y)². TF: tf.squared_difference. */
export const squaredDifference = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor =>
  SquaredDifference({ x, y }, named(options));
/** The angle of the point (x, y), in (−π, π]. TF: tf.atan2(y, x). */
export const atan2 = (y: TensorLike, x: TensorLike, options?: NameOption): Tensor => Atan2({ y, x }, named(options));
const insideScope =
  (op: typeof Xlogy, fallback: string) =>
  (x: TensorLike, y: TensorLike, options?: NameOption): Tensor =>
    inNameScope(options, fallback, [x, y], () => op({ x, y }));
export const xlogy = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => Xlogy({ x, y }, named(options));
export const xlog1py = insideScope(Xlog1py, "xlog1py");
export const xdivy = insideScope(Xdivy, "xdivy");

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

/** t limited to [clipValueMin, clipValueMax]. TF: tf.clip_by_value. */
export const clipByValue = (t: TensorLike, clipValueMin: TensorLike, clipValueMax: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "clip_by_value", [t, clipValueMin, clipValueMax], scope => {
    const x = convertToTensor(t, { name: "t" });
    const low = minimum(x, clipValueMax);
    if (!x.shape.isCompatibleWith(low.shape)) throw new ValueError(`Shapes ${x.shape} and ${low.shape} are incompatible`);
    return Maximum({ x: low, y: clipValueMin }, scope);
  });
