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
export type Given = any[];
export type Callable = (...given: Given) => unknown;

/** What is of type any is taken for dense. */
export type NotAny<A> = 0 extends 1 & A ? never : unknown;

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

/** What a function gives, or what the first of its arguments that answers for itself does; that knows the function as `key`. The generated index writes
 *  a function of its own around each call, which costs no time while it loads and has the name that it is exported by. */
// any: results of whatever functions
export function answered(plain: Callable, given: readonly unknown[], key: Callable = plain): any {
  const own = answering(given);
  return own === undefined ? plain(...given) : own.answer(key, given);
}

export const isComposite = (value: unknown): value is Composite => typeof value === "object" && value !== null && "ofParts" in value;
