// Functions of real numbers in double precision that every backend may fall back on. Most programs need no special function, so those of special.ts are
// loaded when one is first asked for: what computes by the reference says so by NeedsFunctions, and is asked again.

import type { ScalarFunction } from "../ir/scalar.ts";
import type { specialFunctions } from "./special.ts";

type Implementation = (...x: number[]) => number;

const specialNames = [
  "erf",
  "erfc",
  "lgamma",
  "digamma",
  "ndtri",
  "besselI0e",
  "besselI1e",
  "igamma",
  "igammac",
  "igammaGradA",
  "zeta",
  "polygamma",
  "betainc",
  "randomGammaGrad",
] as const satisfies readonly SpecialFunction[];
type SpecialFunction = keyof typeof specialFunctions;

let special: Readonly<Record<SpecialFunction, Implementation>> | undefined;

/** A special function is asked for that is not loaded. */
export class NeedsFunctions extends Error {}

export async function loadSpecialFunctions(): Promise<void> {
  special ??= (await import("./special.ts")).specialFunctions;
}

/** What `compute` gives, with special functions loaded if it needs them. */
export async function withSpecialFunctions<T>(compute: () => T): Promise<Awaited<T>> {
  try {
    return await compute();
  } catch (error) {
    if (!(error instanceof NeedsFunctions)) throw error;
    await loadSpecialFunctions();
    return compute() as Awaited<T>;
  }
}

const whenLoaded =
  (fn: SpecialFunction): Implementation =>
  (...x) => {
    if (special === undefined) throw new NeedsFunctions(`${fn} is not loaded.`);
    return special[fn](...x);
  };

/** x^y as C has it: JavaScript says NaN for 1^NaN and (±1)^±∞. */
function pow(x: number, y: number): number {
  return x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y;
}

/** To the nearest integer, halves to even: adding 2^52 leaves no room for a fraction. */
function round(x: number): number {
  const size = Math.abs(x);
  if (!(size < 2 ** 52)) return x;
  const whole = size + 2 ** 52 - 2 ** 52;
  return x < 0 || Object.is(x, -0) ? -whole : whole;
}

/** By their names in scalar expressions. A backend imports those it does not generate itself, and rounds their results to its type. */
export const hostFunctions = {
  pow,
  round,
  atan2: Math.atan2,
  rem: (x: number, y: number) => x % y,
  exp: Math.exp,
  expNonPositive: (x: number) => (x > 0 ? 1 : Math.exp(x)),
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  sinExact: Math.sin,
  cosExact: Math.cos,
  logExact: Math.log,
  ...(Object.fromEntries(specialNames.map(fn => [fn, whenLoaded(fn)])) as Record<SpecialFunction, Implementation>),
} as const satisfies Partial<Record<ScalarFunction, Implementation>>;
