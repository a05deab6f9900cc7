// Elementwise functions that few programs use: Dawson's integral, exponential and Fresnel integrals, the dilogarithm, Bessel functions J, Y, K.
// The numbers are math/special-numbers.ts, called as routines; the Bessel functions I are math/functions.ts.

import type { DType } from "../../base/dtype.ts";
import type { NDArray } from "../../base/ndarray.ts";
import * as attr from "../../graph/attributes.ts";
import type { TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Gradients } from "../../graph/op-definition.ts";
import type { Tensor } from "../../graph/operation.ts";
import * as ir from "../../ir/build.ts";
import { constant, onesLike } from "../array/array.ts";
import { where, whereV2 } from "../array/selection.ts";
import { after, div } from "./math.ts";
import { cast } from "./cast.ts";
import { equal } from "./comparison.ts";
import { cos, exp, log, reciprocal, sin, square } from "./functions.ts";
import { inNameScope, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";
import { specialNumbers as numbers } from "./special-numbers.ts";

const floats = ["bfloat16", "float16", "float32", "float64"] as const satisfies readonly DType[];

type Slope = (x: Tensor, y: Tensor) => Tensor;

const unaryOp = (type: string, f: (x: number) => number, slope: Slope) =>
  defineOp(type, {
    inputs: { x: "T" },
    outputs: { y: "T" },
    attrs: { T: attr.type(floats) },
    shape: ({ x }) => x,
    gradient: ({ x, y }, d): Gradients => ({ x: after(d.y, () => operator.mul(d.y, slope(x, y))) }),
    lower: ({ x }) => {
      const run = ([given]: readonly NDArray[], [result]: readonly NDArray[]): void => {
        for (let i = 0; i < result.size; i++) result.set(i, f(Number(given.get(i))));
      };
      return ir.call({ name: type, run }, [x], [x])[0];
    },
  });

export const Dawsn = unaryOp("Dawsn", numbers.dawsn, (x, y) => operator.sub(1, operator.mul(operator.mul(2, x), y)));
export const Expint = unaryOp("Expint", numbers.expint, x => operator.truediv(exp(x), x));

const angle = (x: Tensor): Tensor => operator.mul(constant(Math.PI / 2, x.dtype), square(x));
export const FresnelCos = unaryOp("FresnelCos", numbers.fresnelCos, x => cos(angle(x)));
export const FresnelSin = unaryOp("FresnelSin", numbers.fresnelSin, x => sin(angle(x)));

export const Spence = unaryOp("Spence", numbers.spence, x => {
  const slope = operator.truediv(log(x), operator.sub(1, x));
  return where(equal(x, 1), operator.neg(onesLike(x)), slope);
});

export const BesselJ0 = unaryOp("BesselJ0", numbers.besselJ0, x => operator.neg(besselJ1(x)));
export const BesselJ1 = unaryOp("BesselJ1", numbers.besselJ1, (x, y) =>
  whereV2(equal(x, 0), cast(0.5, x.dtype), operator.sub(besselJ0(x), div(y, x))),
);
export const BesselY0 = unaryOp("BesselY0", numbers.besselY0, x => operator.neg(besselY1(x)));
export const BesselY1 = unaryOp("BesselY1", numbers.besselY1, (x, y) => operator.sub(besselY0(x), div(y, x)));
export const BesselK0 = unaryOp("BesselK0", numbers.besselK0, x => operator.neg(besselK1(x)));
export const BesselK1 = unaryOp("BesselK1", numbers.besselK1, (x, y) => operator.sub(operator.neg(besselK0(x)), div(y, x)));
export const BesselK0e = unaryOp("BesselK0e", numbers.besselK0e, (x, y) => operator.sub(y, besselK1e(x)));
export const BesselK1e = unaryOp("BesselK1e", numbers.besselK1e, (x, y) =>
  operator.sub(operator.mul(y, operator.sub(1, reciprocal(x))), besselK0e(x)),
);

const scoped =
  (op: typeof Dawsn, fallback: string) =>
  (x: TensorLike, options?: NameOption): Tensor =>
    inNameScope(options, fallback, [x], () => op({ x }));

/** Dawson's integral `e^(-x²)·∫₀ˣ e^(t²) dt`. TF: tf.math.special.dawsn. */
export const dawsn = scoped(Dawsn, "dawsn");
/** The exponential integral Ei, NaN for negative x. TF: tf.math.special.expint. */
export const expint = scoped(Expint, "expint");
/** `∫₀ˣ cos(πt²/2) dt`. TF: tf.math.special.fresnel_cos. */
export const fresnelCos = scoped(FresnelCos, "fresnel_cos");
/** `∫₀ˣ sin(πt²/2) dt`. TF: tf.math.special.fresnel_sin. */
export const fresnelSin = scoped(FresnelSin, "fresnel_sin");
/** The dilogarithm of 1 - x, NaN for negative x. TF: tf.math.special.spence. */
export const spence = scoped(Spence, "spence");
export const besselJ0 = scoped(BesselJ0, "bessel_j0");
export const besselJ1 = scoped(BesselJ1, "bessel_j1");
export const besselY0 = scoped(BesselY0, "bessel_y0");
export const besselY1 = scoped(BesselY1, "bessel_y1");
export const besselK0 = scoped(BesselK0, "bessel_k0");
export const besselK1 = scoped(BesselK1, "bessel_k1");
/** K₀(x)·eˣ. TF: tf.math.special.bessel_k0e. */
export const besselK0e = scoped(BesselK0e, "bessel_k0e");
/** K₁(x)·eˣ. TF: tf.math.special.bessel_k1e. */
export const besselK1e = scoped(BesselK1e, "bessel_k1e");
