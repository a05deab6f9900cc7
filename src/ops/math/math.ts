// Arithmetic of two tensors, element by element. Comparisons and logic math/comparison.ts, conversions
// math/cast.ts, sums of several tensors math/add-n.ts, functions of one argument math/functions.ts, products of matrices math/matrix.ts.

import { type DType, isComplex, isFloating, isInteger } from "../../base/dtype.ts";
import { InternalError, InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { type NDArray, numbersIn } from "../../base/ndarray.ts";
import { broadcastShapes, type TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, describe, isAsTensor, literalType, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type LowerContext, type SimplifyContext } from "../../graph/op-definition.ts";
import type { NotAny } from "../../graph/composite.ts";
import { type IndexedSlices, onValues } from "../../graph/indexed-slices.ts";
import { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { type Scalar, s } from "../../ir/scalar.ts";
import { onesLike, reshape, shape, zerosLike } from "../array/array.ts";
import { BroadcastGradientArgs } from "../array/padding.ts";
import { where, whereV2 } from "../array/selection.ts";
import { conj, log, negative, square } from "./functions.ts";
import { reduceSum } from "./reduction.ts";
import { slicesToTensor } from "./segment.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";
import { partialOf, elementwise } from "./elementwise.ts";
import { notEqual, greaterEqual, lessEqual } from "./comparison.ts";
import { cast } from "./cast.ts";

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

/** `scalar` · x; slices stay slices. TF: tf.scalar_mul. @throws ValueError unless the first is a scalar. */
export function scalarMul<S extends IndexedSlices>(scalar: TensorLike, x: S & NotAny<S>, options?: NameOption): IndexedSlices;
export function scalarMul(scalar: TensorLike, x: TensorLike, options?: NameOption): Tensor;
export function scalarMul(scalar: TensorLike, x: TensorLike | IndexedSlices, options?: NameOption): Tensor | IndexedSlices {
  return onValues(x, values => {
    const tensor = convertToTensor(values);
    const factor = convertToTensor(scalar, { dtype: tensor.dtype, name: "scalar" });
    if (factor.shape.rank !== 0) throw new ValueError(`The input scalar must be a 0-D value. Received shape ${factor.shape}.`);
    return Mul({ x: factor, y: tensor }, named(options));
  });
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
    convertToTensor(value, { name, preferredDtype: isCertain ? undefined : dtype });
  const pair: [Tensor, Tensor] = [tensor(x, a.isCertain, "x"), tensor(y, b.isCertain, "y")];
  if (pair[0].dtype !== pair[1].dtype)
    throw new TypeError(`\`x\` and \`y\` must have the same dtype, got tf.${pair[0].dtype} != tf.${pair[1].dtype}.`);
  return pair;
}

const dividedTypes =
  "tf.uint8, tf.int8, tf.uint16, tf.int16, tf.uint32, tf.int32, tf.uint64, tf.int64, tf.bfloat16, tf.float16, tf.float32, tf.float64, tf.complex64, tf.complex128";

const dividing = (options: NameOption | undefined, fallback: string, x: TensorLike, y: TensorLike, op: typeof RealDiv): Tensor =>
  inNameScope(options, fallback, [x, y], scope => {
    const isLed = op === DivNoNan && !isTensor(x) && y instanceof Tensor;
    const [a, b] = isLed ? [convertToTensor(x, { name: "x", dtype: y.dtype }), y] : operands(x, y);
    const type = trueDivisionTypes[a.dtype];
    if (type === undefined && !isFloating(a.dtype) && !isComplex(a.dtype))
      throw new TypeError(
        `Invalid dtype tf.${a.dtype} in ${op === RealDiv ? "__truediv__" : "tf.math.divide_no_nan"}. Expected one of {${dividedTypes}}.`,
      );
    return op(type ? { x: cast(a, type), y: cast(b, type) } : { x: a, y: b }, scope);
  });

/** x / y; integers become floats first (int32 and int64 float64, smaller ones float32). TF: tf.truediv. */
export const truediv = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor => dividing(options, "truediv", x, y, RealDiv);
/** The same as truediv; a bare x has the type of a tensor y. TF: tf.divide. */
export const divide = (x: TensorLike, y: TensorLike, options?: NameOption): Tensor =>
  truediv(y instanceof Tensor && !isTensor(x) && !named(options).name ? convertToTensor(x, { dtype: y.dtype }) : x, y, options);
const isTensor = (x: TensorLike): boolean => x instanceof Tensor || isAsTensor(x);
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

/** t limited to [clipValueMin, clipValueMax]; of slices the values, each by itself. TF: tf.clip_by_value. */
export function clipByValue<S extends IndexedSlices>(
  t: S & NotAny<S>,
  clipValueMin: TensorLike,
  clipValueMax: TensorLike,
  options?: NameOption,
): IndexedSlices;
export function clipByValue(t: TensorLike, clipValueMin: TensorLike, clipValueMax: TensorLike, options?: NameOption): Tensor;
export function clipByValue(
  t: TensorLike | IndexedSlices,
  clipValueMin: TensorLike,
  clipValueMax: TensorLike,
  options?: NameOption,
): Tensor | IndexedSlices {
  return inNameScope(options, "clip_by_value", [t, clipValueMin, clipValueMax], scope =>
    onValues(t, values => {
      const x = convertToTensor(values, { name: "t" });
      const low = minimum(x, clipValueMax);
      if (!x.shape.isCompatibleWith(low.shape)) throw new ValueError(`Shapes ${x.shape} and ${low.shape} are incompatible`);
      return Maximum({ x: low, y: clipValueMin }, scope);
    }),
  );
}
