// Distribution functions of the standard normal and Laplace distributions, made of ops. TF: ops/distributions/special_math.

import { NDArray } from "../../base/ndarray.ts";
import { convertToTensor } from "../../graph/conversion.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constant, fill, shape as shapeOf, zerosLike } from "../../ops/array/array.ts";
import { whereV2 } from "../../ops/array/selection.ts";
import { greater, less } from "../../ops/math/comparison.ts";
import { maximum, minimum } from "../../ops/math/math.ts";
import { abs, erf, erfc, exp, log, log1p, sqrt, square } from "../../ops/math/functions.ts";
import { inNameScope } from "../../ops/named.ts";
import * as operator from "../../ops/operators.ts";

const { add, mul, neg, sub, truediv } = operator;

function single(x: Tensor, refusal: (dtype: string) => string): Tensor {
  if (x.dtype !== "float32" && x.dtype !== "float64") throw new TypeError(refusal(`<dtype: '${x.dtype}'>`));
  return x;
}

/** Φ(x), the area under the standard normal density up to x. */
export const ndtr = (x: Tensor): Tensor =>
  inNameScope("ndtr", "", [x], () => areaUpTo(single(x, dtype => `x.dtype=${dtype} is not handled, see docstring for supported types.`)));

function areaUpTo(x: Tensor): Tensor {
  const half = constant(0.5 * Math.SQRT2, x.dtype, { name: "half_sqrt_2" });
  const w = mul(x, half);
  const z = abs(w);
  const isNear = less(z, half);
  const near = add(1, erf(w));
  const y = whereV2(isNear, near, whereV2(greater(w, 0), sub(2, erfc(z)), erfc(z)));
  return mul(0.5, y);
}

/** log Φ(x): directly in the middle, by −Φ(−x) far to the right, by the asymptotic series far to the left. */
export const logNdtr = (x: Tensor): Tensor =>
  inNameScope("log_ndtr", "", [x], () => {
    single(x, dtype => `x.dtype=${dtype} is not supported.`);
    const [lower, upper] = x.dtype === "float64" ? [-20, 8] : [-10, 5];
    const isRight = greater(x, upper);
    const right = neg(areaUpTo(neg(x)));
    const isMiddle = greater(x, lower);
    const middle = log(areaUpTo(maximum(x, lower)));
    return whereV2(isRight, right, whereV2(isMiddle, middle, logLeftTail(minimum(x, lower))));
  });

function logLeftTail(x: Tensor): Tensor {
  const scale = sub(sub(mul(-0.5, square(x)), log(neg(x))), 0.5 * Math.log(2 * Math.PI));
  return add(scale, log(asymptoticSeries(x)));
}

/** 1 − 1/x² + 3/x⁴ − 15/x⁶. */
function asymptoticSeries(x: Tensor): Tensor {
  const x2 = square(x);
  let even = zerosLike(x);
  let odd = zerosLike(x);
  let power = x2;
  [1, 3, 15].forEach((factor, i) => {
    const term = truediv(factor, power);
    if (i % 2 === 0) odd = add(odd, term);
    else even = add(even, term);
    power = mul(power, x2);
  });
  return sub(add(1, even), odd);
}

// Rational approximations of the inverse, lowest power first: in the middle, in the tails, far out in them (Cephes, ndtri.c).
const middleOver = [-1.2391658386738125, 13.931260938727968, -56.67628574690703, 98.00107541859997, -59.96335010141079];
const middleUnder = [
  -1.1833162112133, 15.90562251262117, -82.03722561683334, 200.26021238006066, -225.46268785411937, 86.36024213908905, 4.676279128988815,
  1.9544885833814176, 1,
];
const tailOver = [
  -0.0008574567851546854, -0.03504246268278482, -0.1402560791713545, 2.1866330685079025, 14.684956192885803, 44.08050738932008,
  57.16281922464213, 31.525109459989388, 4.0554489230596245,
];
const tailUnder = [
  -0.0009332594808954574, -0.03808064076915783, -0.14218292285478779, 2.504649462083094, 15.04253856929075, 41.3172038254672,
  45.39076351288792, 15.779988325646675, 1,
];
const farOver = [
  6.239745391849833e-9, 2.6580697468673755e-6, 0.00030158155350823543, 0.012371663481782003, 0.20148538954917908, 1.3330346081580755,
  3.9388102529247444, 6.915228890689842, 3.2377489177694603,
];
const farUnder = [
  6.790194080099813e-9, 2.8924786474538068e-6, 0.00032801446468212774, 0.013420400608854318, 0.21623699359449663, 1.3770209948908132,
  3.6798356385616087, 6.02427039364742, 1,
];

const polynomial = (x: Tensor, [lowest, ...rest]: readonly number[]): Tensor =>
  add(lowest, mul(rest.length === 0 ? zerosLike(x) : polynomial(x, rest), x));

/** The x with Φ(x) = p; ∓∞ for p ≤ 0 and p ≥ 1. */
export const ndtri = (p: Tensor): Tensor =>
  inNameScope("ndtri", "", [p], () => {
    single(p, dtype => `p.dtype=${dtype} is not handled, see docstring for supported types.`);
    const scalar = (value: number): NDArray => NDArray.from(value, p.dtype);
    const isUpper = operator.greater(p, -Math.expm1(-2));
    const folded = whereV2(isUpper, sub(1, p), p);
    const isOutside = operator.lessEqual(folded, 0);
    const inside = whereV2(isOutside, fill(shapeOf(p), scalar(0.5)), folded);
    const w = sub(inside, 0.5);
    const w2 = operator.pow(w, 2);
    const ratio = (x: () => Tensor, over: readonly number[], under: readonly number[]): Tensor =>
      truediv(polynomial(x(), over), polynomial(x(), under));
    const cube = mul(w, w2);
    const middle = mul(
      add(
        w,
        mul(
          cube,
          ratio(() => w2, middleOver, middleUnder),
        ),
      ),
      -Math.sqrt(2 * Math.PI),
    );
    const z = sqrt(mul(-2, log(inside)));
    const first = sub(z, truediv(log(z), z));
    const inverse = (): Tensor => truediv(1, z);
    const farTerm = truediv(ratio(inverse, farOver, farUnder), z);
    const tailTerm = truediv(ratio(inverse, tailOver, tailUnder), z);
    const far = sub(first, farTerm);
    const tail = sub(first, tailTerm);
    const isMiddle = operator.greater(inside, Math.exp(-2));
    const x = whereV2(isMiddle, middle, whereV2(operator.greaterEqual(z, 8), far, tail));
    const signed = whereV2(operator.greater(p, 1 - Math.exp(-2)), x, neg(x));
    const infinite = constant(Infinity, p.dtype);
    const infinity = fill(shapeOf(p), infinite);
    const isLowest = operator.lessEqual(p, 0);
    const lowest = neg(infinity);
    return whereV2(isLowest, lowest, whereV2(operator.greaterEqual(p, 1), infinity, signed));
  });

/** The logarithm of the standard Laplace distribution function. */
export const logCdfLaplace = (given: Tensor): Tensor =>
  inNameScope("log_cdf_laplace", "", [given], () => {
    const x = convertToTensor(given, { name: "x" });
    const lower = add(-Math.log(2), x);
    const tail = exp(neg(abs(x)));
    const upper = log1p(mul(-0.5, tail));
    return whereV2(operator.less(x, 0), lower, upper);
  });
