// Elementary functions by name: code of math.ts where there is some, else a function of the host taking and giving doubles.

import type { ScalarFunction } from "../ir/scalar.ts";
import { type Expr, f32, f64 } from "./language.ts";
import type { FunctionRecorder } from "./recorder.ts";

/** Functions of one to three doubles that the host answers; import names are `math:NAME`. */
const hostArity: Partial<Record<ScalarFunction, number>> = {
  rem: 2, pow: 2, atan2: 2, nextAfter: 2, exp: 1, expm1: 1, log: 1, log1p: 1, sin: 1, cos: 1, tan: 1, asin: 1, acos: 1, atan: 1, sinh: 1, cosh: 1, tanh: 1,
  asinh: 1, acosh: 1, atanh: 1, sigmoid: 1, erf: 1, erfc: 1, lgamma: 1, digamma: 1, ndtri: 1, besselI0e: 1, besselI1e: 1, igamma: 2, igammac: 2,
  igammaGradA: 2, zeta: 2, polygamma: 2, betainc: 3, sinExact: 1, cosExact: 1, logExact: 1,
};

export const hostFunctionName = (fn: ScalarFunction, lane: "f32" | "f64"): string => (fn === "nextAfter" && lane === "f32" ? "math:nextAfter32" : `math:${fn}`);

export const isElementary = (fn: ScalarFunction): boolean => hostArity[fn] !== undefined;

export function elementary(fn: ScalarFunction, lane: "f32" | "f64", args: readonly Expr[], k: FunctionRecorder): Expr {
  const wide = lane === "f32" ? args.map(arg => f64.fromF32(arg as Expr<"f32">)) : args;
  const ref = k.module.import(
    hostFunctionName(fn, lane),
    wide.map(() => "f64" as const),
    ["f64"],
  );
  const result = k.call1("f64", ref, ...wide);
  return lane === "f32" ? f32.fromF64(result) : result;
}

