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

export const isComposite = (value: unknown): value is Composite => typeof value === "object" && value !== null && "ofParts" in value;
