// Arithmetic of sizes: on numbers where they are known when the graph is built, else by nodes.

import type { Tensor } from "../graph/operation.ts";
import * as operator from "./operators.ts";

/** A size that is known, or one that is computed while running. */
export type Size = number | Tensor;

const areNumbers = (sizes: readonly [Size, Size]): sizes is readonly [number, number] => sizes.every(size => typeof size === "number");

export const plus = (...sizes: readonly [Size, Size]): Size => (areNumbers(sizes) ? sizes[0] + sizes[1] : operator.add(...sizes));
export const minus = (...sizes: readonly [Size, Size]): Size => (areNumbers(sizes) ? sizes[0] - sizes[1] : operator.sub(...sizes));
export const times = (...sizes: readonly [Size, Size]): Size => (areNumbers(sizes) ? sizes[0] * sizes[1] : operator.mul(...sizes));
export const quotient = (...sizes: readonly [Size, Size]): Size =>
  areNumbers(sizes) ? Math.floor(sizes[0] / sizes[1]) : operator.floordiv(...sizes);
export const modulo = (...sizes: readonly [Size, Size]): Size =>
  areNumbers(sizes) ? ((sizes[0] % sizes[1]) + sizes[1]) % sizes[1] : operator.mod(...sizes);
export const negative = (size: Size): Size => (typeof size === "number" ? -size : operator.neg(size));
