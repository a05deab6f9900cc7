// What is several tensors to a graph and one thing to a program: a ragged tensor. Sessions fetch and feed its parts.

import type { NDArray } from "../base/ndarray.ts";
import type { Tensor } from "./operation.ts";

/** What a run gives for a composite, which may be fed for one. */
export interface CompositeValue {
  readonly nestedRowSplits: readonly NDArray[];
}

export interface Composite {
  readonly parts: readonly Tensor[];
  /** The value of which these are the parts. */
  ofParts(parts: readonly NDArray[]): CompositeValue;
  /** The parts of a value. @throws TypeError for a value of another kind. */
  partsOf(value: unknown): readonly NDArray[];
}

/** A value that functions of the public API leave themselves to: it answers in their stead. TF: util/dispatch. */
interface Answering {
  answer(plain: Callable, given: readonly unknown[]): unknown;
}
// any: functions of whatever arguments
export type Callable = (...given: any[]) => unknown;

const isAnswering = (value: unknown): value is Answering => typeof value === "object" && value !== null && "answer" in value;

/** The first argument that answers for itself, one level of lists looked into; lists of numbers are not walked through. */
function answering(given: readonly unknown[], depth = 1): Answering | undefined {
  for (const value of given) {
    if (isAnswering(value)) return value;
    if (depth > 0 && Array.isArray(value)) {
      const inner = answering(value, depth - 1);
      if (inner !== undefined) return inner;
    }
    if (depth === 0 && typeof value !== "object") return undefined;
  }
  return undefined;
}

/** The same function, but arguments that answer for themselves do; they know it as `key`. */
export function dispatched<F extends Callable, D extends Callable = F>(plain: F, key: () => Callable = () => plain): D {
  return ((...given: unknown[]): unknown => {
    const own = answering(given);
    return own === undefined ? plain(...given) : own.answer(key(), given);
  }) as Callable as D;
}

export const isComposite = (value: unknown): value is Composite => typeof value === "object" && value !== null && "ofParts" in value;
