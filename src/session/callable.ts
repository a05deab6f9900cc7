// What a callable remembers of its last run, so that the next one with the same shapes asks nobody: no signature, no list of feeds, no check twice.

import { type ArrayLike, NDArray } from "../base/ndarray.ts";
import type { Tensor } from "../graph/operation.ts";
import type { Compiled } from "./compile.ts";
import type { FetchPlan } from "./fetches.ts";

/** A program and the values it was last given, in a list that is used again. */
export interface Remembered {
  readonly program: Compiled;
  readonly given: NDArray[];
  /** Of the device, when it was compiled. */
  readonly shapeChanges: number;
}

export interface Callable {
  readonly plan: FetchPlan;
  readonly tensors: readonly Tensor[];
  last?: Remembered | undefined;
}

/** Puts values in place of those given last, if they are arrays of the same types and shapes. */
export function takesAgain(given: NDArray[], values: readonly ArrayLike[]): boolean {
  if (values.length !== given.length) return false;
  for (let i = 0; i < given.length; i++) {
    const value = values[i];
    if (!(value instanceof NDArray) || value.dtype !== given[i].dtype || !isSameShape(value.shape, given[i].shape)) return false;
  }
  for (let i = 0; i < given.length; i++) given[i] = values[i] as NDArray;
  return true;
}

function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
