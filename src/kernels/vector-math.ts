// Elementary functions of float32 vectors.

import { InternalError } from "../base/errors.ts";
import type { ScalarFunction } from "../ir/scalar.ts";
import type { Expr } from "./language.ts";
import type { FunctionRecorder } from "./recorder.ts";

export const hasVectorMath = (_fn: ScalarFunction): boolean => false;

export function vectorMath(fn: ScalarFunction, _args: readonly Expr<"vec">[], _k: FunctionRecorder): Expr {
  throw new InternalError(`${fn} has no vector code.`);
}
