// Special functions of several arguments (incomplete gamma and beta, zeta, polygamma), cross products, saturating casts.

import type { DType } from "../../base/dtype.ts";
import { pythonClass } from "../../base/python-text.ts";
import { isComplex, isFloating, isInteger, limitOf } from "../../base/dtype.ts";
import { FailedPreconditionError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { broadcastShapes, sameShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { constantIndex } from "../../ir/index-map.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { s } from "../../ir/scalar.ts";
import { need } from "../arguments.ts";
import { ones, reshape, shape, zeros, zerosLike } from "../array/array.ts";
import { BroadcastGradientArgs } from "../array/padding.ts";
import { where } from "../array/selection.ts";
import { cast } from "./cast.ts";
import { elementwise } from "./elementwise.ts";
import { greater, less, logicalOr } from "./comparison.ts";
import { reduceAlways, xlog1py, xlogy } from "./math.ts";
import { exp, lgamma, log, real } from "./functions.ts";
import { reduceSum } from "./reduction.ts";
import { inNameScope, named, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";

const floats = ["bfloat16", "float16", "float32", "float64"] as const satisfies readonly DType[];
const wide = ["float32", "float64"] as const satisfies readonly DType[];

// ---- incomplete gamma functions ----

/** By a: igammaGradA; by x: x^(a−1)·e^−x / Γ(a). */
function igammaGradients(a: Tensor, x: Tensor, dz: Tensor): [Tensor | null, Tensor | null] {
  return reduceAlways(a, x, dz, () => {
    const byA = IgammaGradA({ a, x });
    const logarithm = operator.sub(operator.add(operator.neg(x), operator.mul(operator.sub(a, 1), log(x))), lgamma(a));
    return [byA, exp(logarithm)];
  });
}

export const Igamma = defineOp("Igamma", {
  inputs: { a: "T", x: "T" },
  outputs: { z: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ a, x }) => broadcastShapes(a, x),
  gradient: ({ a, x }, d): Gradients => {
    const [ga, gx] = igammaGradients(a, x, d.z);
    return { a: ga, x: gx };
  },
  lower: ({ a, x }) => elementwise(s.igamma, a, x),
});

export const Igammac = defineOp("Igammac", {
  inputs: { a: "T", x: "T" },
  outputs: { z: "T" },
  attrs: { T: attr.type(floats) },
  shape: ({ a, x }) => broadcastShapes(a, x),
  gradient: ({ a, x }, d): Gradients => {
    const [ga, gx] = igammaGradients(a, x, d.z);
    return { a: ga && operator.neg(ga), x: gx && operator.neg(gx) };
  },
  lower: ({ a, x }) => elementwise(s.igammac, a, x),
});

export const IgammaGradA = defineOp("IgammaGradA", {
  inputs: { a: "T", x: "T" },
  outputs: { z: "T" },
  attrs: { T: attr.type(wide) },
  shape: ({ a, x }) => broadcastShapes(a, x),
  lower: ({ a, x }) => elementwise(s.igammaGradA, a, x),
});

// ---- zeta, polygamma, beta ----

/** ζ(x, q) = Σ (q + n)^−x. */
export const Zeta = defineOp("Zeta", {
  inputs: { x: "T", q: "T" },
  outputs: { z: "T" },
  attrs: { T: attr.type(wide) },
  shape: ({ x, q }) => broadcastShapes(x, q),
  gradient: ({ x, q }, d): Gradients => {
    const [, gq] = reduceAlways(x, q, d.z, () => [null, operator.mul(operator.neg(x), zeta(operator.add(x, 1), q))]);
    return { q: gq };
  },
  lower: ({ x, q }) => elementwise(s.zeta, x, q),
});

/** The a-th derivative of digamma. */
export const Polygamma = defineOp("Polygamma", {
  inputs: { a: "T", x: "T" },
  outputs: { z: "T" },
  attrs: { T: attr.type(wide) },
  shape: ({ a, x }) => broadcastShapes(a, x),
  gradient: ({ a, x }, d): Gradients => {
    const [, gx] = reduceAlways(a, x, d.z, () => [null, polygamma(operator.add(a, 1), x)]);
    return { x: gx };
  },
  lower: ({ a, x }) => elementwise(s.polygamma, a, x),
});

export const Betainc = defineOp("Betainc", {
  inputs: { a: "T", b: "T", x: "T" },
  outputs: { z: "T" },
  attrs: { T: attr.type(wide) },
  shape: ({ a, b, x }) => {
    // Scalars go with any shape; the others must agree.
    const full = [a, b, x].filter(({ rank }) => rank !== 0);
    return full.length === 0 ? a : full.reduce((merged, next) => merged.mergeWith(next));
  },
  gradient: ({ a, b, x }, d): Gradients => {
    const [sa, sx] = [shape(a), shape(x)];
    const { r1 } = BroadcastGradientArgs({ s0: sa, s1: sx });
    const logBeta = operator.sub(operator.add(lgamma(a), lgamma(b)), lgamma(operator.add(a, b)));
    const powers = operator.add(xlog1py(operator.sub(b, 1), operator.neg(x)), xlogy(operator.sub(a, 1), x));
    const partial = exp(operator.sub(powers, logBeta));
    return { x: reshape(reduceSum(operator.mul(partial, d.z), r1), sx) };
  },
  lower: ({ a, b, x }) => {
    const isPair = (one: readonly number[], other: readonly number[]): boolean =>
      one.length === 0 || other.length === 0 || sameShape(one, other);
    need(isPair(a.shape, b.shape), () => `Shapes of a and b are inconsistent: [${a.shape}] vs. [${b.shape}]`);
    need(isPair(a.shape, x.shape), () => `Shapes of a and x are inconsistent: [${a.shape}] vs. [${x.shape}]`);
    need(isPair(b.shape, x.shape), () => `Shapes of b and x are inconsistent: [${b.shape}] vs. [${x.shape}]`);
    return ir.map((p, q, y) => s.betainc(p, q, y), a, b, x);
  },
});

export const NextAfter = defineOp("NextAfter", {
  inputs: { x1: "T", x2: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["float64", "float32"], "float32") },
  shape: ({ x1, x2 }) => broadcastShapes(x1, x2),
  // Almost the identity in x1; the direction x2 does not matter.
  gradient: ({ x1, x2 }, d): Gradients => {
    const [first, second] = [shape(x1), shape(x2)];
    const { r0, r1 } = BroadcastGradientArgs({ s0: first, s1: second });
    return x1.graph.controlDependencies([d.output.op], () => {
      const [one, none] = [ones(first, x1.dtype), zeros(second, x2.dtype)];
      const back = (slope: Tensor, axes: Tensor, to: Tensor): Tensor => reshape(reduceSum(operator.mul(slope, d.output), axes), to);
      return { x1: back(one, r0, first), x2: back(none, r1, second) };
    });
  },
  lower: ({ x1, x2 }) => elementwise(s.nextAfter, x1, x2),
});

/** The regularized lower incomplete gamma function P(a, x). TF: tf.igamma. */
export const igamma = (a: TensorLike, x: TensorLike, options?: NameOption): Tensor => Igamma({ a, x }, named(options));
/** 1 − P(a, x). TF: tf.igammac. */
export const igammac = (a: TensorLike, x: TensorLike, options?: NameOption): Tensor => Igammac({ a, x }, named(options));
export const zeta = (x: TensorLike, q: TensorLike, options?: NameOption): Tensor => Zeta({ x, q }, named(options));
export const polygamma = (a: TensorLike, x: TensorLike, options?: NameOption): Tensor => Polygamma({ a, x }, named(options));
/** The regularized incomplete beta function. TF: tf.betainc. */
export const betainc = (a: TensorLike, b: TensorLike, x: TensorLike, options?: NameOption): Tensor => Betainc({ a, b, x }, named(options));
/** The next number after x1 in the direction of x2. TF: tf.math.nextafter. */
export const nextafter = (x1: TensorLike, x2: TensorLike, options?: NameOption): Tensor => NextAfter({ x1, x2 }, named(options));

/** log B(x) over the last axis: Σ log Γ(xᵢ) − log Γ(Σ xᵢ). TF: tf.lbeta. */
export const lbeta = (x: TensorLike, options?: NameOption): Tensor =>
  inNameScope(options, "lbeta", [x], () => {
    const tensor = convertToTensor(x, { name: "x" });
    const logProduct = reduceSum(lgamma(tensor), [-1]);
    return operator.sub(logProduct, lgamma(reduceSum(tensor, [-1])));
  });

// ---- vectors ----

export const Cross = defineOp("Cross", {
  inputs: { a: "T", b: "T" },
  outputs: { product: "T" },
  attrs: { T: attr.type(attr.realNumbers) },
  shape: ({ a, b }) => {
    const merged = a.withRankAtLeast(1).mergeWith(b.withRankAtLeast(1));
    const last = merged.dim(-1);
    if (last !== null && last !== 3) throw new ValueError(`Dimension must be 3 but is ${last}`);
    return merged;
  },
  checks: ({ a, b }) => {
    need(sameShape(a, b), () => `Both inputs must be of same shape: [${a}] vs. [${b}]`);
    need(a.length >= 1, () => "Input must be at least 1D");
    need(a[a.length - 1] === 3, () => "Cross-products are only defined for 3-element vectors.", FailedPreconditionError);
  },
  gradient: ({ a, b }, d): Gradients => ({ a: cross(b, d.product), b: cross(d.product, a) }),
  lower: ({ a, b }) => {
    const last = a.shape.length - 1;
    return ir.generate(a.shape, i => {
      const of = (value: typeof a, k: number): Scalar => s.load(value, [...i.slice(0, last), constantIndex(k)]);
      const part = (k: number): Scalar =>
        s.sub(s.mul(of(a, (k + 1) % 3), of(b, (k + 2) % 3)), s.mul(of(a, (k + 2) % 3), of(b, (k + 1) % 3)));
      return s.guard([{ index: i[last], low: 0, high: 1 }], part(0), s.guard([{ index: i[last], low: 1, high: 2 }], part(1), part(2)));
    });
  },
});

/** The cross product of vectors of three, over the last axis. TF: tf.cross. */
export const cross = (a: TensorLike, b: TensorLike, options?: NameOption): Tensor => Cross({ a, b }, named(options));

// ---- casts that clamp ----

/** The least and the greatest number of a type, as double-precision numbers can say them. @throws TypeError as TensorFlow's DType.min. */
function limitsOf(dtype: DType): [low: number, high: number] {
  if (dtype.includes("qint"))
    throw new TypeError(`Cannot find minimum value of <dtype: '${dtype}'> with quantized type <dtype: '${dtype}'>.`);
  if (!isFloating(dtype) && !isInteger(dtype))
    throw new TypeError(`Cannot find minimum value of <dtype: '${dtype}'> with type <dtype: '${dtype}'>.`);
  return [Number(limitOf(dtype, false)), Number(limitOf(dtype, true))];
}

/** The greatest number of a type that does not exceed `limit` in magnitude. */
function within(limit: number, dtype: DType): number | bigint {
  if (dtype === "int64") return limit >= 2 ** 63 ? 2n ** 63n - 1n : BigInt(limit);
  if (dtype === "uint64") return limit >= 2 ** 64 ? 2n ** 64n - 1n : BigInt(limit);
  if (!isFloating(dtype)) return limit;
  const array = NDArray.full(dtype, [], limit);
  const held = Number(array.get(0));
  if (Math.abs(held) <= Math.abs(limit)) return held;
  const bits = array.data as Uint32Array;
  const words = dtype === "float32" ? new Uint32Array(bits.buffer, bits.byteOffset, 1) : (array.data as Uint16Array);
  if (dtype !== "float64") words[0] -= 1;
  return Number(array.get(0));
}

/** By comparisons, as in TensorFlow: a bound that is NaN bounds nothing, and NaN stays NaN. */
const clip = (x: Scalar, low: Scalar, high: Scalar): Scalar => {
  const under = s.select(s.lt(high, x), high, x);
  return s.select(s.lt(under, low), low, under);
};
/** Complex numbers have no order; TensorFlow clips their parts. */
const clipParts = (...xs: [Scalar, Scalar, Scalar]): Scalar =>
  s.complex(clip(...(xs.map(s.real) as typeof xs)), clip(...(xs.map(s.imag) as typeof xs)));

export const ClipByValue = defineOp("ClipByValue", {
  inputs: { t: "T", clipValueMin: "T", clipValueMax: "T" },
  outputs: { output: "T" },
  attrs: { T: attr.type(attr.numbers) },
  shape: ({ t }) => t,
  gradient: ({ t, clipValueMin, clipValueMax }, d): Gradients => {
    const [isLow, isHigh] = [less(t, clipValueMin), greater(t, clipValueMax)];
    const none = zerosLike(d.output);
    const toBound = (bound: Tensor, isThere: Tensor): Tensor => {
      const { r1 } = BroadcastGradientArgs({ s0: shape(t), s1: shape(bound) });
      return reshape(reduceSum(where(isThere, d.output, none), r1), shape(bound));
    };
    return {
      t: where(logicalOr(isLow, isHigh), none, d.output),
      clipValueMin: toBound(clipValueMin, isLow),
      clipValueMax: toBound(clipValueMax, isHigh),
    };
  },
  checks: ({ t, clipValueMin, clipValueMax }) =>
    need(
      [clipValueMin, clipValueMax].every(bound => bound.length === 0 || sameShape(bound, t)),
      () =>
        `clip_value_min and clip_value_max must be either of the same shape as input, or a scalar. input shape: [${t}]clip_value_min shape: [${clipValueMin}]clip_value_max shape: [${clipValueMax}]`,
    ),
  lower: ({ t, clipValueMin, clipValueMax }) => ir.map(isComplex(t.dtype) ? clipParts : clip, t, clipValueMin, clipValueMax),
});

/** Complex numbers are clamped part by part, and only where the type is narrower. */
function saturateComplex(x: Tensor, dtype: DType, scope: NameOption): Tensor {
  if (x.dtype !== "complex128" || dtype !== "complex64") return cast(x, dtype, scope);
  const [low, high] = limitsOf("float32");
  const bound = (limit: number): Tensor => convertToTensor(NDArray.full("complex128", [], { re: limit, im: limit }));
  return cast(ClipByValue({ t: x, clipValueMin: bound(low), clipValueMax: bound(high) }, { name: "clamp" }), dtype, scope);
}

/** Casts, clamping to the range of the type instead of wrapping. TF: tf.saturate_cast. */
export const saturateCast = (value: TensorLike, dtype: DType, options?: NameOption): Tensor =>
  inNameScope(options, "saturate_cast", [value], scope => {
    const given = convertToTensor(value, { name: "value" });
    if (isComplex(dtype) && isComplex(given.dtype)) return saturateComplex(given, dtype, scope);
    const x = isComplex(given.dtype) ? real(given) : given;
    const [own, other] = [limitsOf(x.dtype), limitsOf(dtype === "complex64" ? "float32" : dtype === "complex128" ? "float64" : dtype)];
    const low = convertToTensor(within(Math.max(own[0], other[0]), x.dtype), { dtype: x.dtype });
    const high = convertToTensor(within(Math.min(own[1], other[1]), x.dtype), { dtype: x.dtype });
    return cast(ClipByValue({ t: x, clipValueMin: low, clipValueMax: high }, { name: "clamp" }), dtype, scope);
  });

// ---- polynomials ----

/** c₀·xⁿ + c₁·xⁿ⁻¹ + … + cₙ, by Horner's rule. TF: tf.math.polyval. @throws ValueError unless the coefficients are a list. */
export function polyval(coeffs: readonly TensorLike[], x: TensorLike, options?: NameOption): Tensor {
  if (!Array.isArray(coeffs)) throw new ValueError(`Argument coeffs must be list type. Received type ${pythonClass(coeffs)}.`);
  return inNameScope(options, "polyval", [...coeffs, x], scope => {
    const at = convertToTensor(x, { name: "x" });
    if (coeffs.length === 0) return zerosLike(at, { name: scope.name });
    const list = (coeffs as readonly TensorLike[]).map((c, k) => convertToTensor(c, { name: `coeff_${k}`, preferredDtype: at.dtype }));
    return list.reduce((sum, c) => operator.add(c, operator.mul(sum, at)));
  });
}
