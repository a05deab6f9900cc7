// Elementary functions by name: code of math.ts where there is some, else a function of the host taking and giving doubles.

import type { ScalarFunction } from "../../ir/scalar.ts";
import { type Expr, f32, f64 } from "../language/language.ts";
import { applyMath, isInline, isMathFunction } from "./math.ts";
import type { FunctionRecorder } from "../language/recorder.ts";

/** Functions of doubles that only the host has, with their number of arguments; import names are `math:NAME`. */
const hostArity: Partial<Record<ScalarFunction, 1 | 2 | 3>> = {
  rem: 2,
  lgamma: 1,
  digamma: 1,
  ndtri: 1,
  besselI0e: 1,
  besselI1e: 1,
  igamma: 2,
  igammac: 2,
  igammaGradA: 2,
  randomGammaGrad: 2,
  zeta: 2,
  polygamma: 2,
  betainc: 3,
};

export const hostFunctionPrefix = "math:";

export const isElementary = (fn: ScalarFunction): boolean => isMathFunction(fn) || hostArity[fn] !== undefined;

/** One value of a float type. */
export function elementary(fn: ScalarFunction, lane: "f32" | "f64", args: readonly Expr[], k: FunctionRecorder): Expr {
  if (isMathFunction(fn)) return applyMath(k, lane, fn, ...args);
  const wide = lane === "f32" ? args.map(arg => f64.fromF32(arg as Expr<"f32">)) : args;
  const ref = k.module.import(
    hostFunctionPrefix + fn,
    wide.map(() => "f64" as const),
    ["f64"],
  );
  const result = k.call1("f64", ref, ...wide);
  return lane === "f32" ? f32.fromF64(result) : result;
}

export const hasVectorMath = (fn: ScalarFunction): boolean => isMathFunction(fn);

/** Is it code where it stands, for lanes of float32, and not a call? */
export const isInlineFunction = (fn: ScalarFunction): boolean => isMathFunction(fn) && isInline(fn);

/** Lanes of float32. */
export function vectorMath(fn: ScalarFunction, args: readonly Expr<"vec">[], k: FunctionRecorder): Expr {
  if (!isMathFunction(fn)) throw new RangeError(`${fn} has no vector code.`);
  return applyMath(k, "f32x", fn, ...args);
}
