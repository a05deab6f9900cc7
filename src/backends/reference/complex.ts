// Complex arithmetic for the reference backend: textbook formulas in double precision, branch cuts as in C and numpy.

import type { Complex } from "../../base/ndarray.ts";

const of = (re: number, im: number): Complex => ({ re, im });
const one = of(1, 0);

const add = (x: Complex, y: Complex): Complex => of(x.re + y.re, x.im + y.im);
const sub = (x: Complex, y: Complex): Complex => of(x.re - y.re, x.im - y.im);
const mul = (x: Complex, y: Complex): Complex => of(x.re * y.re - x.im * y.im, x.re * y.im + x.im * y.re);
const scale = (x: Complex, by: number): Complex => of(x.re * by, x.im * by);
const abs = (x: Complex): number => Math.hypot(x.re, x.im);
const arg = (x: Complex): number => Math.atan2(x.im, x.re);

/** Smith's method: no overflow where the quotient does not overflow. */
function div(x: Complex, y: Complex): Complex {
  if (!(Number.isFinite(y.re) && Number.isFinite(y.im)) && Number.isFinite(x.re) && Number.isFinite(x.im)) return overInfinity(x, y);
  if (Math.abs(y.re) >= Math.abs(y.im)) {
    const ratio = y.im === 0 ? 0 : y.im / y.re;
    const bottom = y.re + y.im * ratio;
    return of((x.re + x.im * ratio) / bottom, (x.im - x.re * ratio) / bottom);
  }
  const ratio = y.re / y.im;
  const bottom = y.re * ratio + y.im;
  return of((x.re * ratio + x.im) / bottom, (x.im * ratio - x.re) / bottom);
}

/** What is finite, divided by what is infinite, is 0, as in C. */
function overInfinity(x: Complex, y: Complex): Complex {
  if (!(Math.abs(y.re) === Infinity || Math.abs(y.im) === Infinity)) return of(Number.NaN, Number.NaN);
  const unit = (part: number): number => (Number.isNaN(part) ? 0 : Math.abs(part) === Infinity ? Math.sign(part) : 0 * part);
  const [re, im] = [unit(y.re), unit(y.im)];
  return of(0 * (x.re * re + x.im * im), 0 * (x.im * re - x.re * im));
}

function sqrt(x: Complex): Complex {
  if (x.re === 0 && x.im === 0) return of(0, x.im);
  if (Math.abs(x.im) === Infinity) return of(Infinity, x.im);
  const half = Math.sqrt((Math.abs(x.re) + abs(x)) / 2);
  const other = Math.abs(x.im) / (2 * half);
  const signed = (y: number): number => (x.im < 0 || Object.is(x.im, -0) ? -y : y);
  return x.re >= 0 ? of(half, signed(other)) : of(other, signed(half));
}

const exp = (x: Complex): Complex => {
  const size = Math.exp(x.re);
  // As in C: infinite whatever the angle, or nothing.
  if (Math.abs(x.re) === Infinity && !Number.isFinite(x.im)) return of(size, x.re > 0 ? Number.NaN : size);
  return x.im === 0 ? of(size, x.im) : of(size * Math.cos(x.im), size * Math.sin(x.im));
};

const log = (x: Complex): Complex => of(logAbs(x), arg(x));

/** log |x| without cancellation near |x| = 1. */
function logAbs(x: Complex): number {
  const [small, large] = [Math.abs(x.re), Math.abs(x.im)].sort((a, b) => a - b);
  if (large > 0.5 && large < 2) return Math.log1p((large - 1) * (large + 1) + small * small) / 2;
  return Math.log(abs(x));
}

const log1p = (x: Complex): Complex =>
  x.im === 0 && x.re > -1 ? of(Math.log1p(x.re), x.im) : of(Math.log1p(x.re * (2 + x.re) + x.im * x.im) / 2, Math.atan2(x.im, 1 + x.re));

/** e^x - 1: the real part is expm1(re)·cos(im) - 2·sin²(im/2). */
const expm1 = (x: Complex): Complex => {
  if (x.im === 0) return of(Math.expm1(x.re), x.im);
  const half = Math.sin(x.im / 2);
  return of(Math.expm1(x.re) * Math.cos(x.im) - 2 * half * half, Math.exp(x.re) * Math.sin(x.im));
};

// Zeros, infinities and NaN as C has them (its annex G): on an axis the other part stays zero, and what is infinite is so in every direction.

const isInfinite = (x: number): boolean => Math.abs(x) === Infinity;
const isFinite = (x: Complex): boolean => Number.isFinite(x.re) && Number.isFinite(x.im);
const isNegative = (x: number): boolean => x < 0 || Object.is(x, -0);
const withSign = (size: number, x: number): number => (isNegative(x) ? -size : size);

function sinh(x: Complex): Complex {
  if (x.im === 0) return of(Math.sinh(x.re), x.im);
  const [cos, sin] = [Math.cos(x.im), Math.sin(x.im)];
  if (!Number.isFinite(x.im) && (x.re === 0 || isInfinite(x.re))) return of(x.re === 0 ? x.re : Infinity, sin);
  return of(Math.sinh(x.re) * cos, Math.cosh(x.re) * sin);
}

function cosh(x: Complex): Complex {
  if (x.im === 0) return of(Math.cosh(x.re), Number.isNaN(x.re) ? x.im : withSign(1, x.re) * x.im);
  const [cos, sin] = [Math.cos(x.im), Math.sin(x.im)];
  if (!Number.isFinite(x.im) && isInfinite(x.re)) return of(Infinity, sin);
  return of(Math.cosh(x.re) * cos, x.re === 0 && !Number.isFinite(x.im) ? 0 : Math.sinh(x.re) * sin);
}

function tanh(x: Complex): Complex {
  const [sin, cos] = [Math.sin(x.im), Math.cos(x.im)];
  if (isInfinite(x.re)) return of(Math.sign(x.re), withSign(0, Math.abs(x.im) > 1 && Number.isFinite(x.im) ? sin * cos : x.im));
  if (x.im === 0) return of(Math.tanh(x.re), x.im);
  if (x.re === 0) return of(x.re, sin / cos);
  if (Math.abs(x.re) > 20 && Number.isFinite(x.im)) return of(Math.sign(x.re), (4 * sin * cos) / Math.exp(2 * Math.abs(x.re)));
  const wide = Math.sinh(x.re);
  const bottom = wide * wide + cos * cos;
  return of((wide * Math.cosh(x.re)) / bottom, (sin * cos) / bottom);
}

/** f(i·x), turned back by -i: how sin is made of sinh, atan of atanh. */
const turned = (f: (x: Complex) => Complex) => (x: Complex) => {
  const y = f(of(-x.im, x.re));
  return of(y.im, -y.re);
};

function sin(x: Complex): Complex {
  const { re, im } = turned(sinh)(x);
  // C leaves the sign open; its library has this one.
  return of(re, Number.isNaN(re) && isInfinite(im) ? Infinity : im);
}
const cos = (x: Complex): Complex => cosh(of(-x.im, x.re));
const tan = turned(tanh);

/** √(1 + x) and √(1 - x), of which the inverse functions are made (W. Kahan, Branch cuts for complex elementary functions, 1987). */
const rootsAbout = (x: Complex): [plus: Complex, minus: Complex] => [sqrt(of(1 + x.re, x.im)), sqrt(of(1 - x.re, -x.im))];

function acos(x: Complex): Complex {
  if (!isFinite(x)) return acosBeyond(x);
  const [plus, minus] = rootsAbout(x);
  return of(2 * Math.atan2(minus.re, plus.re), Math.asinh(plus.re * minus.im - plus.im * minus.re));
}

function acosBeyond({ re, im }: Complex): Complex {
  if (isInfinite(re)) {
    if (Number.isNaN(im)) return of(im, -Infinity);
    const angle = isInfinite(im) ? (re > 0 ? Math.PI / 4 : (3 * Math.PI) / 4) : re > 0 ? 0 : Math.PI;
    return of(angle, withSign(-Infinity, im));
  }
  if (isInfinite(im)) return of(Number.isNaN(re) ? re : Math.PI / 2, -im);
  return of(re === 0 ? Math.PI / 2 : Number.NaN, Number.NaN);
}

function asin(x: Complex): Complex {
  if (!isFinite(x)) {
    const { re, im } = acosBeyond(x);
    return of(re === Math.PI / 2 ? withSign(0, x.re) : Math.PI / 2 - re, -im);
  }
  const [plus, minus] = rootsAbout(x);
  return of(Math.atan2(x.re, plus.re * minus.re - plus.im * minus.im), Math.asinh(minus.re * plus.im - minus.im * plus.re));
}

function acosh(x: Complex): Complex {
  if (!isFinite(x)) {
    const { re, im } = acosBeyond(x);
    return of(Math.abs(im), withSign(re, x.im));
  }
  const [minus, plus] = [sqrt(of(x.re - 1, x.im)), sqrt(of(x.re + 1, x.im))];
  return of(Math.asinh(minus.re * plus.re + minus.im * plus.im), 2 * Math.atan2(minus.im, plus.re));
}

/** The imaginary part is half of the angle of (1 + x) / (1 - x), the real one half of the logarithm of its size. */
function atanh({ re, im }: Complex): Complex {
  if (isInfinite(re) || isInfinite(im))
    return of(withSign(0, Number.isNaN(re) ? 0 : re), Number.isNaN(im) ? im : withSign(Math.PI / 2, im));
  if (re === 0) return of(re, Math.atan(im));
  const size = Math.hypot(re, im);
  if (size > 1e150) return of(re / size / size, withSign(Math.PI / 2, im));
  const far = (1 - re) * (1 - re) + im * im;
  return of(Math.log1p((4 * re) / far) / 4, Math.atan2(2 * im, (1 - re) * (1 + re) - im * im) / 2);
}

const asinh = turned(asin);
const atan = turned(atanh);

/** A product that is infinite where a factor is, whatever NaN the parts make, as C has it; powers are made of it. */
function infiniteProduct(x: Complex, y: Complex): Complex {
  const product = mul(x, y);
  const hasInfinity = [x, y].some(({ re, im }) => isInfinite(re) || isInfinite(im));
  if (!hasInfinity || !Number.isNaN(product.re) || !Number.isNaN(product.im)) return product;
  const zero = (part: number): number => (Number.isNaN(part) ? 0 : part);
  const boxed = (z: Complex): Complex =>
    isInfinite(z.re) || isInfinite(z.im)
      ? of(isInfinite(z.re) ? Math.sign(z.re) : 0, isInfinite(z.im) ? Math.sign(z.im) : 0)
      : of(zero(z.re), zero(z.im));
  const direction = mul(boxed(x), boxed(y));
  return of(Infinity * direction.re, Infinity * direction.im);
}

const pow = (x: Complex, y: Complex): Complex => exp(infiniteProduct(y, log(x)));

const equal = (x: Complex, y: Complex): boolean => x.re === y.re && x.im === y.im;

/** The scalar functions that complex numbers have. Comparisons give 0 or 1, `abs`, `arg` and the parts give numbers. */
export const complexFunctions = {
  add,
  sub,
  mul,
  div,
  pow,
  neg: (x: Complex) => of(-x.re, -x.im),
  abs,
  arg,
  sign: (x: Complex) => (x.re === 0 && x.im === 0 ? of(0, 0) : scale(x, 1 / abs(x))),
  sqrt,
  rsqrt: (x: Complex) => div(one, sqrt(x)),
  exp,
  expm1,
  log,
  log1p,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  asinh,
  acosh,
  atanh,
  sigmoid: (x: Complex) => div(one, add(one, exp(scale(x, -1)))),
  real: (x: Complex) => x.re,
  imag: (x: Complex) => x.im,
  conj: (x: Complex) => of(x.re, -x.im),
  eq: (x: Complex, y: Complex) => Number(equal(x, y)),
  ne: (x: Complex, y: Complex) => Number(!equal(x, y)),
};
