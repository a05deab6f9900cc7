// Elementary functions as code in the vector language, by name, for every float lane kind. float32 functions that networks spend their
// time in are float32 code, inlined; all others are double code behind a function of the module, rounded once for float32.
// Formulas and coefficients: math/exponential.ts, math/trigonometric.ts, math/power.ts.
//
// Largest errors in units of the last place: float32 over one bit pattern in 331 of all there are (tanh: all from 0.01 on; 1.65 from 0.55 on), float64 against
// 300 bits (mpmath) over 24 000 arguments each; math.test.ts holds them to this. TensorFlow's own: exp 1.25, tanh 5.47, sigmoid 5.98.
//   float32  exp 0.85 (products rounded: 1.11), expm1 1.41, log 0.78, log1p 0.79, tanh 2.37, sigmoid 2.25, softplus 1.64, erf 1.2,
//            rsqrt 1.49, all others 0.501
//   float64  exp 0.91, expm1 1.6, log log1p sin cos 0.8, pow 1.03, tanh 1.1, sinh 2.0, cosh 1.3, asinh atanh 1.5, acosh 1.6, tan 1.8,
//            asin 1.4, acos 1.0, atan 1.6, atan2 2.3, sigmoid 1.9, softplus 1.4, erf 1.6, erfc 3.4, rsqrt 1.4
// Speed in elements a nanosecond, vectors on Node 24 (fused; in brackets products rounded): on Zen 3 exp 0.96 (0.86), tanh 1.32 (1.1),
// sigmoid 0.94 (0.81); on Zen 4 log 0.7 (0.64), expm1 0.85 (0.65), log1p 0.42, erf 0.34, sin cos 0.3, pow 0.06.
// Zeros keep their signs, denormals are neither lost nor made, NaN and infinities are as in C's Annex F.

import { InternalError } from "../../base/errors.ts";
import type { Expr } from "../language/language.ts";
import { f32, f32x, f64, f64x } from "../language/language.ts";
import * as exponential from "./exponential.ts";
import * as power from "./power.ts";
import { type Real, type RealName, realOf } from "./real.ts";
import * as trigonometric from "./trigonometric.ts";
import type { FunctionRecorder, FunctionRef } from "../language/recorder.ts";

type Unary = (r: Real, x: Expr) => Expr;
type Binary = (r: Real, x: Expr, y: Expr) => Expr;

const rsqrt: Unary = (r, x) => r.f.div(1, r.f.sqrt(x));

/** Double precision, or good enough for float32 once rounded. */
const doubleUnary = {
  exp: exponential.exp,
  expNonPositive: exponential.expNonPositive,
  expm1: exponential.expm1,
  log: exponential.log,
  log1p: exponential.log1p,
  tanh: exponential.tanh,
  sigmoid: exponential.sigmoid,
  softplus: exponential.softplus,
  sinh: exponential.sinh,
  cosh: exponential.cosh,
  asinh: exponential.asinh,
  acosh: exponential.acosh,
  atanh: exponential.atanh,
  sin: trigonometric.sin,
  cos: trigonometric.cos,
  tan: trigonometric.tan,
  asin: trigonometric.asin,
  acos: trigonometric.acos,
  atan: trigonometric.atan,
  erf: power.erf,
  erfc: power.erfc,
  rsqrt,
} as const satisfies Record<string, Unary>;

const doubleBinary = {
  pow: (r, x, y) => power.pow(r, x, y, true),
  atan2: trigonometric.atan2,
} as const satisfies Record<string, Binary>;

/** Shorter double code for results that are rounded to float32. */
const roughUnary: Partial<Record<DoubleName, Unary>> = {
  sin: (r, x) => trigonometric.sin(r, x, true),
  cos: (r, x) => trigonometric.cos(r, x, true),
  tan: (r, x) => trigonometric.tan(r, x, true),
};
const roughBinary: Partial<Record<DoubleName, Binary>> = { pow: (r, x, y) => power.pow(r, x, y, false) };

/** Code in float32 arithmetic. */
const singleUnary: Partial<Record<keyof typeof doubleUnary, Unary>> = {
  exp: exponential.exp,
  expNonPositive: exponential.expNonPositive,
  expm1: exponential.expm1,
  log: exponential.log,
  log1p: exponential.log1p,
  tanh: exponential.tanh,
  sigmoid: exponential.sigmoid,
  softplus: exponential.softplus,
  erf: power.erfSingle,
  rsqrt,
};

/** For float32 a function of double precision, rounded once: right but in about one case of 2^25. What random normals are made of. */
const exactNames = { sinExact: "sin", cosExact: "cos", logExact: "log" } as const;

export type MathFunction = keyof typeof doubleUnary | keyof typeof doubleBinary | keyof typeof exactNames;

const isUnary = (name: string): name is keyof typeof doubleUnary => Object.hasOwn(doubleUnary, name);
const isBinary = (name: string): name is keyof typeof doubleBinary => Object.hasOwn(doubleBinary, name);
const isExact = (name: string): name is keyof typeof exactNames => Object.hasOwn(exactNames, name);

/** Is there code for a function of this name? */
export const isMathFunction = (name: string): name is MathFunction => isUnary(name) || isBinary(name) || isExact(name);

/** All functions, with their number of arguments. */
export const mathFunctions: Readonly<Record<MathFunction, 1 | 2>> = Object.fromEntries([
  ...[...Object.keys(doubleUnary), ...Object.keys(exactNames)].map(name => [name, 1]),
  ...Object.keys(doubleBinary).map(name => [name, 2]),
]);

/** Is the function code where it stands for float32? */
export const isInline = (name: MathFunction): boolean => !isExact(name) && isUnary(name) && singleUnary[name] !== undefined;

/** fn(args) for values of a lane kind: f32, f64, f32x or f64x. Statements go to `k`; the result is an expression to be used once. */
export function applyMath(k: FunctionRecorder, lane: RealName, fn: MathFunction, ...args: readonly Expr[]): Expr {
  if (args.length !== mathFunctions[fn]) throw new InternalError(`${fn} takes ${mathFunctions[fn]} arguments, not ${args.length}.`);
  // One value has the bits of a lane, since graphs ask whether a value equals one computed elsewhere (the gradient of a minimum does).
  if (lane === "f32" && k.target.hasRelaxedMadd) return f32x.extract(vectorOfOne(k, fn, args as readonly Expr<"f32">[]), 0);
  const name = isExact(fn) ? exactNames[fn] : fn;
  const isSingle = lane === "f32" || lane === "f32x";
  const inline = isSingle && !isExact(fn) && isUnary(name) ? singleUnary[name] : undefined;
  if (inline !== undefined) return inline(realOf(k, lane), args[0]);
  const callee = isSingle ? roundedFunction(k, lane, name, isExact(fn)) : doubleFunction(k, lane, name, false);
  return k.call(callee, ...args)[0];
}

const vectorOfOne = (k: FunctionRecorder, fn: MathFunction, args: readonly Expr<"f32">[]): Expr<"vec"> =>
  applyMath(k, "f32x", fn, ...args.map(arg => f32x.splat(arg))) as Expr<"vec">;

type DoubleName = keyof typeof doubleUnary | keyof typeof doubleBinary;

const typeOf = (lane: RealName): "f32" | "f64" | "vec" => (lane === "f32" || lane === "f64" ? lane : "vec");

/** The double function of the module; for results that are rounded to float32 the rough one, if there is one. */
function doubleFunction(k: FunctionRecorder, lane: "f64" | "f64x", fn: DoubleName, forSingle: boolean): FunctionRef {
  const [unary, binary] = forSingle ? [roughUnary[fn], roughBinary[fn]] : [];
  const suffix = unary === undefined && binary === undefined ? "" : ".rough";
  return moduleFunction(k, `math.${fn}.${lane}${suffix}`, lane, mathFunctions[fn], (inner, x, y) => {
    const r = realOf(inner, lane);
    return isUnary(fn) ? (unary ?? doubleUnary[fn])(r, x) : (binary ?? doubleBinary[fn])(r, x, y);
  });
}

/** The float32 function of the module that computes in double precision and rounds once; a vector as its two halves. */
function roundedFunction(k: FunctionRecorder, lane: "f32" | "f32x", fn: DoubleName, exact: boolean): FunctionRef {
  return moduleFunction(k, `math.${fn}.${lane}${exact ? ".exact" : ""}`, lane, mathFunctions[fn], (inner, ...given) => {
    const args = given.slice(0, mathFunctions[fn]);
    if (lane === "f32") {
      const wide = args.map(arg => f64.fromF32(arg as Expr<"f32">));
      return f32.fromF64(inner.call1("f64", doubleFunction(k, "f64", fn, !exact), ...wide));
    }
    const callee = doubleFunction(k, "f64x", fn, !exact);
    const count = k.target.lanes32;
    const all = Array.from({ length: count }, (_, i) => i);
    const upper = (v: Expr<"vec">) =>
      f32x.shuffle(
        v,
        v,
        all.map(i => (i + count / 2) % count),
      );
    const vectors = args as readonly Expr<"vec">[];
    const low = inner.call1("vec", callee, ...vectors.map(v => f64x.fromF32Low(v)));
    const high = inner.call1("vec", callee, ...vectors.map(v => f64x.fromF32Low(upper(v))));
    return f32x.shuffle(
      f32x.fromF64(low),
      f32x.fromF64(high),
      all.map(i => (i < count / 2 ? i : i + count / 2)),
    );
  });
}

function moduleFunction(
  k: FunctionRecorder,
  name: string,
  lane: RealName,
  arity: 1 | 2,
  body: (k: FunctionRecorder, x: Expr, y: Expr) => Expr,
): FunctionRef {
  const type = typeOf(lane);
  return k.module.once(name, () =>
    arity === 1
      ? k.module.function(name, { params: { x: type }, results: [type] }, (inner, { x }) => inner.return(body(inner, x, x)))
      : k.module.function(name, { params: { x: type, y: type }, results: [type] }, (inner, { x, y }) => inner.return(body(inner, x, y))),
  );
}
