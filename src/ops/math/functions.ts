// Elementwise functions of one argument: powers and roots, exponentials, trigonometry, error functions, rounding, complex parts.
// Each is a row: TensorFlow's name, its types, the scalar function, the gradient. Special functions of two arguments are special.ts.

import type { DType } from "../../base/dtype.ts";
import { isComplex, isFloating, isInteger } from "../../base/dtype.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { broadcastShapes, sizeOf } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients, type PartialArray } from "../../graph/op-definition.ts";
import { type IndexedSlices, onValues } from "../../graph/indexed-slices.ts";
import type { Operation, Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { castScalar, s } from "../../ir/scalar.ts";
import { need } from "../arguments.ts";
import { constant, onesLike, zerosLike } from "../array/array.ts";
import { where, whereV2 } from "../array/selection.ts";
import { add, after, div, DivNoNan, divNoNan, multiply, reduceToOperands, subtract } from "./math.ts";
import { cast } from "./cast.ts";
import { elementwise } from "./elementwise.ts";
import { equal } from "./comparison.ts";
import { polygamma } from "./special.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import { softplus } from "../nn/nn.ts";
import * as operator from "../operators.ts";
import { mul, truediv } from "../operators.ts";

const floats = ["bfloat16", "float16", "float32", "float64"] as const satisfies readonly DType[];
const floatsAndComplex = [...floats, "complex64", "complex128"] as const satisfies readonly DType[];
const signed = [...floats, "int8", "int16", "int32", "int64"] as const satisfies readonly DType[];
const signedAndComplex = [...signed, "complex64", "complex128"] as const satisfies readonly DType[];

type UnaryRecord = { readonly x: Tensor; readonly y: Tensor };
type UnaryGradient = (record: UnaryRecord, dy: Tensor) => Tensor | IndexedSlices | null;

const partialOf =
  (f: (x: number) => number) =>
  ({ x }: { x: PartialArray | undefined }): PartialArray | undefined =>
    x && { shape: x.shape, values: x.values.map(v => (v === null ? null : f(v))) };

/** The common case. The gradient's nodes wait for dy, as most of TensorFlow's do (`waits`). */
interface UnaryOptions {
  readonly waits?: boolean;
  readonly takesSlices?: boolean;
  readonly partial?: (x: number) => number;
  readonly checks?: (record: { readonly T: DType }, op: Operation) => void;
}

const unaryOp = (
  type: string,
  types: readonly DType[],
  f: (x: Scalar) => Scalar,
  gradient: UnaryGradient | "none" | undefined,
  { waits = true, takesSlices = false, partial, checks }: UnaryOptions = {},
) =>
  defineOp(type, {
    inputs: { x: "T" },
    outputs: { y: "T" },
    attrs: { T: attr.type(types) },
    shape: ({ x }) => x,
    ...(gradient === "none" && { gradient }),
    ...(typeof gradient === "function" && {
      gradient: (record: UnaryRecord, d: { readonly y: Tensor }): Gradients => ({
        x: waits ? after(d.y, () => gradient(record, d.y)) : gradient(record, d.y),
      }),
    }),
    takesSlices,
    ...(partial && { partial: partialOf(partial) }),
    ...(checks && { checks }),
    isElementwise: true,
    lower: ({ x }) => ir.map(f, x),
  });

const noGradient: UnaryGradient = () => null;

// ---- signs, squares, roots ----

export const Neg = unaryOp("Neg", signedAndComplex, s.neg, (_, dy) => onValues(dy, operator.neg), {
  waits: false,
  takesSlices: true,
  partial: x => -x,
});
export const Abs = unaryOp("Abs", signed, s.abs, ({ x }, dy) => mul(dy, sign(x)), { waits: false, partial: Math.abs });
export const Sign = unaryOp("Sign", signedAndComplex, s.sign, ({ x }) => zerosLike(x), { waits: false, partial: Math.sign });

export const Square = unaryOp(
  "Square",
  [...signed, "uint8", "uint16", "uint32", "uint64", "complex64", "complex128"],
  s.square,
  ({ x }, dy) => {
    const cx = conj(x);
    return multiply(dy, multiply(cx, constant(2, cx.dtype)));
  },
  { partial: x => x * x },
);

export const Sqrt = unaryOp("Sqrt", floatsAndComplex, s.sqrt, ({ y }, dy) => SqrtGrad({ y, dy }), { waits: false });
export const Rsqrt = unaryOp("Rsqrt", floatsAndComplex, s.rsqrt, ({ y }, dy) => RsqrtGrad({ y, dy }), { waits: false });
const reciprocalOf = (x: Scalar): Scalar =>
  s.div(s.constant(x.dtype, isComplex(x.dtype) || !x.dtype.endsWith("64") || x.dtype === "float64" ? 1 : 1n), x);
export const Reciprocal = unaryOp("Reciprocal", signedAndComplex, reciprocalOf, ({ y }, dy) => ReciprocalGrad({ y, dy }), { waits: false });
/** The older Reciprocal. */
export const Inv = unaryOp("Inv", signedAndComplex, reciprocalOf, ({ y }, dy) => ReciprocalGrad({ y, dy }), { waits: false });

// ---- gradients of their own: functions of the result y and of dy, in TensorFlow's order: in float16 factors leave the range by turns ----

type GradRecord = { readonly y: Tensor; readonly dy: Tensor; readonly z: Tensor };

const conjugated = (x: Scalar): Scalar => (isComplex(x.dtype) ? s.conj(x) : x);

const gradOp = (
  type: string,
  f: (y: Scalar, dy: Scalar) => Scalar,
  gradient: (record: GradRecord, d: Tensor) => readonly [y: Tensor, dy: Tensor],
) =>
  defineOp(type, {
    inputs: { y: "T", dy: "T" },
    outputs: { z: "T" },
    attrs: { T: attr.type(floatsAndComplex) },
    shape: ({ y }) => y,
    gradient: (record, d): Gradients => {
      const [y, dy] = after(d.z, () => gradient(record, d.z));
      return { y, dy };
    },
    lower: ({ y, dy }) => {
      const [count, other] = [sizeOf(y.shape), sizeOf(dy.shape)];
      need(count === other, () => `The two arguments to a cwise op must have same number of elements, got ${count} and ${other}`);
      return elementwise(f, y, ir.reshape(dy, y.shape));
    },
  });

/** 0 where dy is 0, whatever the other factor: TensorFlow's kernels do so, which keeps `where(x > 0, sqrt(x), 0)` free of NaN. */
const zeroWithGradient = (dy: Scalar, value: Scalar): Scalar => s.select(s.eq(dy, 0), 0, value);

export const SqrtGrad = gradOp(
  "SqrtGrad",
  (y, dy) => zeroWithGradient(dy, s.mul(dy, s.div(0.5, conjugated(y)))),
  ({ y, z }, d) => {
    const ga = truediv(d, y);
    return [mul(operator.neg(conj(ga)), z), mul(0.5, ga)];
  },
);

export const RsqrtGrad = gradOp(
  "RsqrtGrad",
  (y, dy) => zeroWithGradient(dy, s.mul(s.mul(dy, conjugated(y)), s.mul(s.square(conjugated(y)), -0.5))),
  ({ y, dy }, d) => {
    const [ca, cg] = [conj(y), conj(d)];
    return [mul(mul(mul(-1.5, cg), dy), square(ca)), RsqrtGrad({ y: ca, dy: d })];
  },
);

const reciprocalGradFields = [
  // One factor after the other: of y² the float32 range ends where |y| is 10¹⁹.
  (y: Scalar, dy: Scalar) => zeroWithGradient(dy, s.mul(s.mul(s.neg(conjugated(y)), dy), conjugated(y))),
  ({ y, dy }: GradRecord, d: Tensor) => {
    const [ca, cg] = [conj(y), conj(d)];
    return [mul(mul(mul(cg, -2), dy), ca), ReciprocalGrad({ y: ca, dy: d })] as const;
  },
] as const;

export const ReciprocalGrad = gradOp("ReciprocalGrad", ...reciprocalGradFields);
export const InvGrad = gradOp("InvGrad", ...reciprocalGradFields);

export const TanhGrad = gradOp(
  "TanhGrad",
  (y, dy) => s.mul(dy, s.sub(1, s.square(y))),
  ({ y, dy }, d) => {
    const [a, b] = [conj(y), conj(dy)];
    return [mul(mul(mul(d, -2), b), a), TanhGrad({ y: a, dy: d })];
  },
);

export const SigmoidGrad = gradOp(
  "SigmoidGrad",
  (y, dy) => s.mul(dy, s.mul(y, s.sub(1, y))),
  ({ y, dy }, d) => {
    const [a, b] = [conj(y), conj(dy)];
    const gb = mul(d, b);
    return [operator.sub(gb, mul(mul(2, gb), a)), SigmoidGrad({ y: a, dy: d })];
  },
);

// ---- exponentials and logarithms ----

export const Exp = unaryOp("Exp", floatsAndComplex, s.exp, ({ y }, dy) => mul(dy, conj(y)));
export const Expm1 = unaryOp("Expm1", floatsAndComplex, s.expm1, ({ x }, dy) => mul(dy, exp(conj(x))));
export const Log = unaryOp("Log", floatsAndComplex, s.log, ({ x }, dy) => mul(dy, reciprocal(conj(x))));
export const Log1p = unaryOp("Log1p", floatsAndComplex, s.log1p, ({ x }, dy) => mul(dy, reciprocal(operator.add(1, conj(x)))));
export const Tanh = unaryOp("Tanh", floatsAndComplex, s.tanh, ({ y }, dy) => TanhGrad({ y: conj(y), dy }));
export const Sigmoid = unaryOp("Sigmoid", floatsAndComplex, s.sigmoid, ({ y }, dy) => SigmoidGrad({ y: conj(y), dy }));

// ---- trigonometry ----

const one = (d: Tensor): Tensor => constant(1, d.dtype);
const inverseRootOf1MinusSquare = (x: Tensor, dy: Tensor): Tensor => {
  const x2 = square(conj(x));
  return reciprocal(sqrt(subtract(one(dy), x2)));
};

export const Sin = unaryOp("Sin", floatsAndComplex, s.sin, ({ x }, dy) => mul(dy, cos(conj(x))));
export const Cos = unaryOp("Cos", floatsAndComplex, s.cos, ({ x }, dy) => mul(operator.neg(dy), sin(conj(x))));
export const Tan = unaryOp("Tan", floatsAndComplex, s.tan, ({ x }, dy) => mul(square(reciprocal(cos(conj(x)))), dy));
export const Asin = unaryOp("Asin", floatsAndComplex, s.asin, ({ x }, dy) => mul(dy, inverseRootOf1MinusSquare(x, dy)));
export const Acos = unaryOp("Acos", floatsAndComplex, s.acos, ({ x }, dy) => {
  const inverse = inverseRootOf1MinusSquare(x, dy);
  return mul(operator.neg(dy), inverse);
});
export const Atan = unaryOp("Atan", floatsAndComplex, s.atan, ({ x }, dy) => {
  const x2 = square(conj(x));
  return mul(dy, reciprocal(add(one(dy), x2)));
});
export const Sinh = unaryOp("Sinh", floatsAndComplex, s.sinh, ({ x }, dy) => mul(dy, cosh(conj(x))));
export const Cosh = unaryOp("Cosh", floatsAndComplex, s.cosh, ({ x }, dy) => mul(dy, sinh(conj(x))));
export const Asinh = unaryOp("Asinh", floatsAndComplex, s.asinh, ({ y }, dy) => truediv(dy, cosh(conj(y))));
export const Acosh = unaryOp("Acosh", floatsAndComplex, s.acosh, ({ y }, dy) => truediv(dy, sinh(conj(y))));
export const Atanh = unaryOp("Atanh", floatsAndComplex, s.atanh, ({ x }, dy) => {
  const x2 = square(conj(x));
  return mul(dy, reciprocal(subtract(one(dy), x2)));
});

// ---- error functions, gamma functions, Bessel functions ----

const gaussian =
  (factor: number): UnaryGradient =>
  ({ x }, dy) => {
    const scale = constant(factor, dy.dtype);
    return after(dy, () => mul(mul(dy, scale), exp(operator.neg(square(conj(x))))));
  };

export const Erf = unaryOp("Erf", floats, s.erf, gaussian(2 / Math.sqrt(Math.PI)), { waits: false });
export const Erfc = unaryOp("Erfc", floats, s.erfc, gaussian(-2 / Math.sqrt(Math.PI)), { waits: false });

/** The normal quantile gives the inverse error function: erfinv(x) = ndtri((x + 1) / 2) / √2. */
const erfinvOf = (x: Scalar): Scalar => s.mul(s.ndtri(s.mul(s.add(x, 1), 0.5)), Math.SQRT1_2);

export const Erfinv = unaryOp(
  "Erfinv",
  floats,
  erfinvOf,
  ({ y }, dy) => {
    const scale = constant(Math.sqrt(Math.PI) / 2, dy.dtype);
    return after(dy, () => mul(mul(dy, scale), exp(square(y))));
  },
  { waits: false },
);

export const Ndtri = unaryOp(
  "Ndtri",
  floats,
  s.ndtri,
  ({ y }, dy) => {
    const scale = constant(Math.sqrt(2 * Math.PI), dy.dtype);
    return after(dy, () => mul(mul(dy, scale), exp(truediv(square(y), 2))));
  },
  { waits: false },
);

export const Lgamma = unaryOp("Lgamma", floats, s.lgamma, ({ x }, dy) => mul(dy, digamma(x)));
export const Digamma = unaryOp("Digamma", floats, s.digamma, ({ x }, dy) => {
  const partial = polygamma(constant(1, x.dtype), x);
  return mul(dy, partial);
});

/** A function divided by e^-|x|, which may be out of float16's range where the result is not. */
const unscaled = (scaled: (x: Scalar) => Scalar, x: Scalar): Scalar => {
  const wide = castScalar(x, x.dtype === "float64" ? "float64" : "float32");
  return castScalar(s.mul(scaled(wide), s.exp(s.abs(wide))), x.dtype);
};

export const BesselI0 = unaryOp(
  "BesselI0",
  floats,
  x => unscaled(s.besselI0e, x),
  ({ x }, dy) => {
    const partial = besselI1(x);
    return mul(dy, partial);
  },
);
export const BesselI0e = unaryOp("BesselI0e", floats, s.besselI0e, ({ x, y }, dy) => {
  const partial = operator.sub(besselI1e(x), mul(sign(x), y));
  return mul(dy, partial);
});
export const BesselI1 = unaryOp(
  "BesselI1",
  floats,
  x => unscaled(s.besselI1e, x),
  ({ x, y }, dy) => {
    const slope = whereV2(equal(x, 0), cast(1, x.dtype), operator.sub(besselI0(x), div(y, x)));
    return mul(dy, slope);
  },
);
export const BesselI1e = unaryOp("BesselI1e", floats, s.besselI1e, ({ x, y }, dy) => {
  const slope = whereV2(equal(x, 0), cast(0.5, x.dtype), operator.sub(besselI0e(x), mul(y, operator.add(sign(x), reciprocal(x)))));
  return mul(dy, slope);
});

// ---- rounding and tests ----

const ofFloats =
  (f: (x: Scalar) => Scalar) =>
  (x: Scalar): Scalar =>
    isInteger(x.dtype) ? x : f(x);

export const Floor = unaryOp("Floor", floats, s.floor, noGradient);
export const Ceil = unaryOp("Ceil", floats, s.ceil, noGradient);
/** To the nearest integer, halves to even. */
export const Round = unaryOp("Round", signedAndComplex, ofFloats(s.round), noGradient, {
  checks: ({ T }, { name }) =>
    need(
      !isComplex(T),
      () => `No OpKernel was registered to support Op 'Round' used by {{node ${name}}} with these attrs: [T=DT_${T.toUpperCase()}]`,
    ),
});
export const Rint = unaryOp("Rint", floats, s.round, noGradient);

const testOp = (type: string, f: (x: Scalar) => Scalar) =>
  defineOp(type, {
    inputs: { x: "T" },
    outputs: { y: "bool" },
    attrs: { T: attr.type(floats) },
    shape: ({ x }) => x,
    gradient: "none",
    lower: ({ x }) => ir.map(f, x),
  });

export const IsNan = testOp("IsNan", s.isNan);
export const IsInf = testOp("IsInf", x => s.eq(s.abs(x), Number.POSITIVE_INFINITY));
export const IsFinite = testOp("IsFinite", x => s.eq(s.sub(x, x), 0));

// ---- complex numbers ----

const complexTypes = ["complex64", "complex128"] as const satisfies readonly DType[];
const partTypes = ["float32", "float64"] as const satisfies readonly DType[];

const partOp = (type: string, f: (x: Scalar) => Scalar, gradient: (input: Tensor, dy: Tensor) => Tensor) =>
  defineOp(type, {
    inputs: { input: "T" },
    outputs: { output: "Tout" },
    attrs: { T: attr.type(complexTypes, "complex64"), Tout: attr.type(partTypes, "float32") },
    shape: ({ input }) => input,
    gradient: ({ input }, d): Gradients => ({ input: gradient(input, d.output) }),
    lower: ({ input }) => ir.map(f, input),
  });

const zero = (d: Tensor): Tensor => constant(0, d.dtype);

export const Real = partOp("Real", s.real, (_, dy) => complex(dy, zero(dy)));
export const Imag = partOp("Imag", s.imag, (_, dy) => complex(zero(dy), dy));
export const Angle = partOp("Angle", s.arg, (input, dy) =>
  after(dy, () => {
    const [re, im] = [real(input), imag(input)];
    const z = reciprocal(complex(im, re));
    return mul(operator.neg(complex(dy, zero(dy))), z);
  }),
);

export const ComplexAbs = defineOp("ComplexAbs", {
  inputs: { x: "T" },
  outputs: { y: "Tout" },
  attrs: { T: attr.type(complexTypes, "complex64"), Tout: attr.type(partTypes, "float32") },
  shape: ({ x }) => x,
  gradient: ({ x, y }, d): Gradients => ({ x: divNoNan(mul(complex(d.y, zerosLike(d.y)), x), complex(y, zerosLike(y))) }),
  lower: ({ x, Tout }) => {
    const own = x.dtype === "complex64" ? "float32" : "float64";
    if (Tout !== own) {
      const kernel = (to: DType): string => `${x.dtype}->${to === "float32" ? "float" : "double"}`;
      throw new InvalidArgumentError(`Signature mismatch, have: ${kernel(Tout)} expected: ${kernel(own)}`);
    }
    return ir.map(s.abs, x);
  },
});

export const Conj = defineOp("Conj", {
  inputs: { input: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type([...complexTypes, "variant"], "complex64") },
  shape: ({ input }) => input,
  gradient: (_, d): Gradients => ({ input: conj(d.output) }),
  lower: ({ input }) => ir.map(s.conj, input),
});

export const Complex = defineOp("Complex", {
  inputs: { real: "T", imag: "T" },
  outputs: { out: "Tout" },
  attrs: { T: attr.type(partTypes, "float32"), Tout: attr.type(complexTypes, "complex64") },
  shape: ({ real: x, imag: y }) => broadcastShapes(x, y),
  gradient: ({ real: x, imag: y }, d): Gradients => {
    const [gx, gy] = reduceToOperands(x, y, real(d.out), imag(d.out));
    return { real: gx, imag: gy };
  },
  lower: ({ real: x, imag: y }) => elementwise(s.complex, x, y),
});

const partType = (dtype: DType): "float32" | "float64" => (dtype === "complex64" ? "float32" : "float64");

/** real + i·imag, of two float tensors. TF: tf.complex. @throws TypeError for other types. */
export function complex(realPart: TensorLike, imagPart: TensorLike, options?: NameOption): Tensor {
  const x = convertToTensor(realPart, { name: "real" });
  const y = convertToTensor(imagPart, { name: "imag" });
  if (x.dtype !== y.dtype || (x.dtype !== "float32" && x.dtype !== "float64"))
    throw new TypeError(
      `The \`real\` and \`imag\` components have incorrect types: ${x.dtype} ${y.dtype}. They must be consistent, and one of [tf.float32, tf.float64]`,
    );
  return inNameScope(options, "Complex", [x, y], scope =>
    Complex({ real: x, imag: y, Tout: x.dtype === "float64" ? "complex128" : "complex64" }, scope),
  );
}

/** The real part; real tensors are returned as they are. TF: tf.real. */
export const real = (input: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "Real", [input], scope => {
    const x = convertToTensor(input, { name: "input" });
    if (isComplex(x.dtype)) return Real({ input: x, Tout: partType(x.dtype) }, scope);
    if (isFloating(x.dtype) || isInteger(x.dtype)) return x;
    throw new TypeError(`input must be a numeric tensor, but got tensor with dtype <dtype: '${x.dtype}'>`);
  });

/** The imaginary part; of real tensors zeros. TF: tf.imag. */
export const imag = (input: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "Imag", [input], scope => {
    const x = convertToTensor(input, { name: "input" });
    return isComplex(x.dtype) ? Imag({ input: x, Tout: partType(x.dtype) }, scope) : zerosLike(x);
  });

/** The argument, in (−π, π]; of real tensors 0 or π. TF: tf.angle. */
export const angle = (input: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "Angle", [input], scope => {
    const x = convertToTensor(input, { name: "input" });
    if (isComplex(x.dtype)) return Angle({ input: x, Tout: partType(x.dtype) }, scope);
    return where(operator.less(x, 0), mul(constant(Math.PI, x.dtype), onesLike(x)), zerosLike(x));
  });

/** The complex conjugate; real tensors are returned as they are, without a node. TF: tf.conj. */
export function conj(x: TensorLike, options?: NameOption): Tensor {
  const tensor = convertToTensor(x, { name: "x" });
  if (isComplex(tensor.dtype) || tensor.dtype === "variant") return Conj({ input: tensor }, named(options));
  if (!isFloating(tensor.dtype) && !isInteger(tensor.dtype))
    throw new TypeError(`Expected numeric or variant tensor, got dtype tf.${tensor.dtype}.`);
  return tensor;
}

// ---- the functions ----

type UnaryOp = typeof Exp;
const plain =
  (op: UnaryOp) =>
  (x: TensorLike, options?: NameOption): Tensor =>
    op({ x }, named(options));
/** Functions that keep their node inside a scope of another name. */
const scoped =
  (op: UnaryOp, fallback: string) =>
  (x: TensorLike, options?: NameOption): Tensor =>
    inNameScope(options, fallback, [x], () => op({ x }));

export const negative = plain(Neg);
/** |x|; of complex numbers the modulus. TF: tf.abs. */
export const abs = (x: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "Abs", [x], scope => {
    const tensor = convertToTensor(x, { name: "x" });
    return isComplex(tensor.dtype) ? ComplexAbs({ x: tensor, Tout: partType(tensor.dtype) }, scope) : Abs({ x: tensor }, scope);
  });
/** −1, 0 or 1; of complex numbers x / |x|. TF: tf.sign. */
export function sign(x: TensorLike, options?: NameOption): Tensor {
  const tensor = convertToTensor(x);
  if (!isComplex(tensor.dtype)) return Sign({ x: tensor }, named(options));
  return divNoNan(tensor, cast(ComplexAbs({ x: tensor, Tout: partType(tensor.dtype) }), tensor.dtype), options);
}
export const square = plain(Square);
export const sqrt = plain(Sqrt);
/** 1 / √x. TF: tf.rsqrt. */
export const rsqrt = plain(Rsqrt);
export const reciprocal = plain(Reciprocal);
/** 1 / x, but 0 where x is 0. TF: tf.math.reciprocal_no_nan. */
export const reciprocalNoNan = (x: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "reciprocal_no_nan", [x], scope => {
    const tensor = convertToTensor(x, { name: "x" });
    return DivNoNan({ x: constant(1, tensor.dtype, [], "one"), y: tensor }, scope);
  });
export const exp = plain(Exp);
/** eˣ − 1, exact for small x. TF: tf.math.expm1. */
export const expm1 = plain(Expm1);
/** The natural logarithm. TF: tf.log. */
export const log = plain(Log);
/** log(1 + x), exact for small x. TF: tf.log1p. */
export const log1p = plain(Log1p);
export const tanh = plain(Tanh);
/** 1 / (1 + e⁻ˣ). TF: tf.sigmoid. */
export const sigmoid = plain(Sigmoid);
/** log(1 / (1 + e⁻ˣ)), safe for large negative x. TF: tf.log_sigmoid. */
export const logSigmoid = (x: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "LogSigmoid", [x], scope => Neg({ x: softplus(operator.neg(convertToTensor(x, { name: "x" }))) }, scope));
export const sin = plain(Sin);
export const cos = plain(Cos);
export const tan = plain(Tan);
export const asin = plain(Asin);
export const acos = plain(Acos);
export const atan = plain(Atan);
export const sinh = plain(Sinh);
export const cosh = plain(Cosh);
export const asinh = plain(Asinh);
export const acosh = plain(Acosh);
export const atanh = plain(Atanh);
export const erf = plain(Erf);
export const erfc = plain(Erfc);
export const erfinv = scoped(Erfinv, "erfinv");
/** The quantile of the standard normal distribution. TF: tf.math.ndtri. */
export const ndtri = scoped(Ndtri, "ndtri");
export const erfcinv = (x: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "erfcinv", [x], () => {
    const tensor = convertToTensor(x, { name: "start" });
    return mul(operator.neg(ndtri(operator.mul(0.5, tensor))), Math.sqrt(0.5));
  });
/** log |Γ(x)|. TF: tf.lgamma. */
export const lgamma = plain(Lgamma);
/** The derivative of lgamma. TF: tf.digamma. */
export const digamma = plain(Digamma);
export const besselI0 = scoped(BesselI0, "bessel_i0");
export const besselI0e = scoped(BesselI0e, "bessel_i0e");
export const besselI1 = scoped(BesselI1, "bessel_i1");
export const besselI1e = scoped(BesselI1e, "bessel_i1e");
export const floor = plain(Floor);
export const ceil = plain(Ceil);
/** To the nearest integer, halves to even; integers are returned as they are. TF: tf.round. */
export function round(x: TensorLike, options?: NameOption): Tensor {
  const tensor = convertToTensor(x, { name: "x" });
  return isInteger(tensor.dtype) ? tensor : Round({ x: tensor }, named(options));
}
export const rint = plain(Rint);
export const isNan = (x: TensorLike, options?: NameOption): Tensor => IsNan({ x }, named(options));
export const isInf = (x: TensorLike, options?: NameOption): Tensor => IsInf({ x }, named(options));
export const isFinite = (x: TensorLike, options?: NameOption): Tensor => IsFinite({ x }, named(options));
