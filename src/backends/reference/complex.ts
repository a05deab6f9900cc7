// Complex arithmetic for the reference backend: textbook formulas in double precision, branch cuts as in C and numpy.

import type { Complex } from "../../base/ndarray.ts";

const of = (re: number, im: number): Complex => ({ re, im });
const one = of(1, 0);
const i = of(0, 1);

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
  const unit = (part: number): number => (Math.abs(part) === Infinity ? Math.sign(part) : 0 * part);
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

const log1p = (x: Complex): Complex => of(Math.log1p(x.re * (2 + x.re) + x.im * x.im) / 2, Math.atan2(x.im, 1 + x.re));

/** e^x - 1: the real part is expm1(re)·cos(im) - 2·sin²(im/2). */
const expm1 = (x: Complex): Complex => {
  const half = Math.sin(x.im / 2);
  return of(Math.expm1(x.re) * Math.cos(x.im) - 2 * half * half, Math.exp(x.re) * Math.sin(x.im));
};

const sinh = (x: Complex): Complex => of(Math.sinh(x.re) * Math.cos(x.im), Math.cosh(x.re) * Math.sin(x.im));
const cosh = (x: Complex): Complex => of(Math.cosh(x.re) * Math.cos(x.im), Math.sinh(x.re) * Math.sin(x.im));

function tanh(x: Complex): Complex {
  if (Math.abs(x.re) > 20) return of(Math.sign(x.re), (4 * Math.sin(x.im) * Math.cos(x.im)) / Math.exp(2 * Math.abs(x.re)));
  const tangent = Math.tan(x.im);
  const hyperbolic = Math.tanh(x.re);
  return div(of(hyperbolic, tangent), of(1, hyperbolic * tangent));
}

/** f(i·x), turned back by -i: how sin is made of sinh, atan of atanh. */
const turned = (f: (x: Complex) => Complex) => (x: Complex) => {
  const y = f(of(-x.im, x.re));
  return of(y.im, -y.re);
};

const sin = turned(sinh);
const cos = (x: Complex): Complex => cosh(of(-x.im, x.re));
const tan = turned(tanh);

/** asinh z = log(z + √(z² + 1)); odd, so computed where z + √… does not cancel. */
function asinh(x: Complex): Complex {
  if (x.re < 0 || Object.is(x.re, -0)) return scale(asinh(scale(x, -1)), -1);
  return log(add(x, mul(sqrt(add(x, i)), sqrt(sub(x, i)))));
}

/** log(z + √(z + 1)·√(z - 1)), which has the principal branch everywhere. */
const acosh = (x: Complex): Complex => log(add(x, mul(sqrt(add(x, one)), sqrt(sub(x, one)))));

/** (log1p z - log1p(-z)) / 2. */
const atanh = (x: Complex): Complex => scale(sub(log1p(x), log1p(scale(x, -1))), 0.5);

const asin = turned(asinh);
const acos = (x: Complex): Complex => sub(of(Math.PI / 2, 0), asin(x));
const atan = turned(atanh);

function pow(x: Complex, y: Complex): Complex {
  if (y.re === 0 && y.im === 0) return one;
  if (x.re === 0 && x.im === 0) return y.re > 0 ? of(0, 0) : of(Number.NaN, Number.NaN);
  return exp(mul(y, log(x)));
}

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
