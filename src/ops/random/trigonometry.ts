// sin, cos and log as the C library rounds them that TensorFlow's golden random numbers were made with (glibc 2.28 and later on x86-64).
// Single precision is evaluated in double precision by short polynomials and rounded once, which is off by one in the last place about once in a
// hundred times; being bit for bit the same takes the same polynomials. Their coefficients are those of Arm's optimized routines (MIT), which
// glibc uses. Double precision is within 0.52 to 0.55 units of the last place there; here it is computed in twice the precision and rounded.

import { constant } from "../../ir/build.ts";
import { dataIndex } from "../../ir/index-map.ts";
import { NDArray } from "../../base/ndarray.ts";
import { bitcastScalar, castScalar, constantScalar, loadScalar, type Scalar, s } from "../../ir/scalar.ts";

// ---- single precision ----

const halfPi = 1.5707963267948966;
const twoOverPi = 0.6366197723675814;
const sineTerms = [-0.16666654943701084, 0.008332178146138854, -0.00019517298981385725] as const;
const cosineTerms = [-0.49999999725108224, 0.041666623324344516, -0.001388676379437604, 2.4390450703564542e-5] as const;
const ln2 = Math.LN2;
const logTerms = [-0.25089342214237154, 0.333456765744066, -0.4999997485802103] as const;
/** 1/c and log c for a c near the middle of each sixteenth of [0.7, 1.4). */
const inverses = [
  1.398907162146528, 1.3403141896637998, 1.286432210124115, 1.2367150214269895, 1.1906977166711752, 1.1479821020556429, 1.1082251448272158,
  1.0711297413057381, 1.036437278977283, 1, 0.9492859795739057, 0.8951049428609004, 0.8476821620351103, 0.8050314851692001,
  0.7664671008843108, 0.731428603316328,
] as const;
const logarithms = [
  -0.33569133332882284, -0.2929040563774074, -0.2518726580937369, -0.21245868807117255, -0.17453945183745634, -0.1380057072319758,
  -0.10275976698545139, -0.06871392447020525, -0.0357891387398228, 0, 0.05204517742929496, 0.11081431298787942, 0.1652495223695143,
  0.21687389031699977, 0.2659635028121397, 0.3127556664073557,
] as const;

/** sin and cos of a float32 angle in [0, 7), rounded, times a radius, in double precision before the last rounding. */
export function pointOfCircle32(angle: number, radius: number, out: Float64Array): void {
  const n = (angle * twoOverPi + 0.5) | 0;
  const r = angle - n * halfPi;
  const r2 = r * r;
  const r3 = r * r2;
  const r4 = r2 * r2;
  const y = Math.fround(r + r3 * sineTerms[0] + r3 * r2 * (sineTerms[1] + r2 * sineTerms[2])) * radius;
  const x = Math.fround(1 + r2 * cosineTerms[0] + r4 * cosineTerms[1] + r4 * r2 * (cosineTerms[2] + r2 * cosineTerms[3])) * radius;
  const isTurned = n === 2 || n === 3;
  const isOdd = (n & 1) === 1;
  const sine = isOdd ? x : y;
  const cosine = isOdd ? -y : x;
  out[0] = isTurned ? -sine : sine;
  out[1] = isTurned ? -cosine : cosine;
}

const asFloat = new Float32Array(1);
const asInteger = new Int32Array(asFloat.buffer);
const logOffset = 0x3f330000;

/** The logarithm of a positive normal float32, in double precision before the last rounding. */
export function logarithm32(x: number): number {
  asFloat[0] = x;
  const bits = asInteger[0];
  const shifted = (bits - logOffset) | 0;
  const i = (shifted >> 19) & 15;
  asInteger[0] = bits - (shifted & 0xff800000);
  const r = asFloat[0] * inverses[i] - 1;
  const r2 = r * r;
  const whole = logarithms[i] + (shifted >> 23) * ln2;
  return (logTerms[0] * r2 + (logTerms[1] * r + logTerms[2])) * r2 + (whole + r);
}

const wide = (x: number): Scalar => constantScalar("float64", x);

/** sin (or cos) of a float32 angle as an expression. */
export function trigonometric32(x: Scalar, isSine: boolean): Scalar {
  const v = castScalar(x, "float64");
  const n = s.floor(s.add(s.mul(v, wide(twoOverPi)), wide(0.5)));
  const r = s.sub(v, s.mul(n, wide(halfPi)));
  const r2 = s.mul(r, r);
  const r3 = s.mul(r, r2);
  const sine = s.add(
    s.add(r, s.mul(r3, wide(sineTerms[0]))),
    s.mul(s.mul(r3, r2), s.add(wide(sineTerms[1]), s.mul(r2, wide(sineTerms[2])))),
  );
  const r4 = s.mul(r2, r2);
  const upper = s.mul(s.mul(r4, r2), s.add(wide(cosineTerms[2]), s.mul(r2, wide(cosineTerms[3]))));
  const cosine = s.add(s.add(s.add(wide(1), s.mul(r2, wide(cosineTerms[0]))), s.mul(r4, wide(cosineTerms[1]))), upper);
  const isOdd = s.or(s.eq(n, wide(1)), s.eq(n, wide(3)));
  const [even, odd] = isSine ? [sine, cosine] : [cosine, sine];
  const isNegative = s.or(s.eq(n, wide(2)), s.eq(n, wide(isSine ? 3 : 1)));
  const value = s.select(isOdd, odd, even);
  return castScalar(s.select(isNegative, s.neg(value), value), "float32");
}

/** The logarithm of a positive normal float32 as an expression. */
export function logarithm32Scalar(): (x: Scalar) => Scalar {
  const inverseTable = constant(new NDArray("float64", [16], Float64Array.from(inverses)));
  const logTable = constant(new NDArray("float64", [16], Float64Array.from(logarithms)));
  return x => {
    const bits = bitcastScalar(x, "int32");
    const shifted = s.sub(bits, logOffset);
    const i = [dataIndex(s.and(s.shr(shifted, 19), 15), 16)];
    const mantissa = castScalar(bitcastScalar(s.sub(bits, s.and(shifted, 0xff800000 | 0)), "float32"), "float64");
    const r = s.sub(s.mul(mantissa, loadScalar(inverseTable, i)), wide(1));
    const r2 = s.mul(r, r);
    const whole = s.add(loadScalar(logTable, i), s.mul(castScalar(s.shr(shifted, 23), "float64"), wide(ln2)));
    const upper = s.add(s.mul(r2, wide(logTerms[0])), s.add(s.mul(r, wide(logTerms[1])), wide(logTerms[2])));
    return castScalar(s.add(s.mul(upper, r2), s.add(whole, r)), "float32");
  };
}
