// Ways to combine: what a reduction or a running combination begins with, and one step of it, for scalars and for vectors.

import type { DType } from "../base/dtype.ts";
import type { Combine } from "../ir/program.ts";
import { type Fold, folds } from "../ir/scalar.ts";
import { elementOf } from "./element.ts";
import { type Expr, lanes } from "./language/language.ts";

/** What an empty reduction gives. */
export function identityOf(combine: Combine, dtype: DType): number | bigint {
  switch (combine) {
    case "sum":
    case "any":
    case "argmax":
    case "argmin":
      return 0;
    case "prod":
    case "all":
      return 1;
    default:
      return extreme(dtype, combine === "max" ? "lowest" : "highest");
  }
}

/** The least or the greatest value of a type. */
export function extreme(dtype: DType, which: "lowest" | "highest"): number | bigint {
  const { isFloat, isUnsigned, bits, scalar } = elementOf(dtype);
  if (isFloat) return which === "lowest" ? -Infinity : Infinity;
  const high = isUnsigned ? 2n ** BigInt(bits) - 1n : 2n ** BigInt(bits - 1) - 1n;
  const low = isUnsigned ? 0n : -(2n ** BigInt(bits - 1));
  const value = which === "lowest" ? low : high;
  return scalar === "i64" ? value : Number(value);
}

/** One step of a reduction of scalars. */
export function scalarFold(combine: Fold, dtype: DType): (a: Expr, b: Expr) => Expr {
  const { scalar, isUnsigned, isFloat } = elementOf(dtype);
  const L = lanes[scalar] as object as Record<string, (...args: Expr[]) => Expr>;
  const fn = folds[combine];
  if (isFloat || (fn !== "max" && fn !== "min")) return (a, b) => L[fn](a, b);
  const test = `${fn === "max" ? "gt" : "lt"}${isUnsigned ? "U" : ""}`;
  return (a, b) => L.select(L[test](a, b), a, b);
}

export const vectorFold = (combine: Fold, lane: "f32x" | "i32x"): ((a: Expr<"vec">, b: Expr<"vec">) => Expr<"vec">) => {
  const L = lanes[lane] as object as Record<string, (a: Expr<"vec">, b: Expr<"vec">) => Expr<"vec">>;
  return (a, b) => L[folds[combine]](a, b);
};
