// The Program: twelve primitives over values of static shape and dtype, in an order that respects their data and effects.
// Meaning of each primitive: docs/ir.md (formula, labelled constraints, example); as code: backends/reference.
// Sources (feed, constant, state) are not primitives: they name where values come from.

import type { DType } from "../base/dtype.ts";
import type { NDArray } from "../base/ndarray.ts";
import type { Index } from "./index-map.ts";
import type { Scalar } from "./scalar.ts";

/** One SSA value. */
export interface Value {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** The one number that all elements are known to have, if so. */
  readonly splat?: number | bigint | undefined;
}

/** Memory that outlives a run: a variable, or the generator of a random op. Identified by `id` within a session.
 *  "scratch" belongs to one run and begins as zeros (a TensorArray's elements): lowering threads it as a value, no Program names it. */
export interface State {
  readonly id: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly role: "variable" | "generator" | "scratch";
  /** What it holds when a session first meets it; without this it starts uninitialized. */
  readonly initial?: () => NDArray;
  /** The moment at which it was made, if there is another one each time: one made in a loop's body belongs to its iteration. */
  readonly since?: number;
  /** The object of the session that the state counts the changes of (a table), so that readers and writers keep their order. */
  readonly make?: () => object;
}

export type Combine = "sum" | "prod" | "max" | "min" | "any" | "all" | "argmax" | "argmin";
export type ScatterCombine = "assign" | "add" | "sub" | "mul" | "div" | "min" | "max";

/** An operand of a contraction: zero wherever an index lies outside the source. */
export interface Operand {
  readonly source: Value;
  readonly at: readonly Index[];
}

/** Steps inside a branch or a loop. They may read values made before it; `params` are set anew at each entry. */
export interface Region {
  readonly params: readonly Value[];
  readonly steps: readonly Step[];
  readonly results: readonly Value[];
}

/** Something the twelve cannot say: linear algebra, strings, host functions. Inputs and outputs are whole arrays. */
export interface Routine {
  readonly name: string;
  /** Fills `outputs`, which are zeros (or empty strings), in place. Must not keep its arguments. */
  run(inputs: readonly NDArray[], outputs: readonly NDArray[]): void;
}

/** What is raised when a check fails: `at` is the first failing position, `read` gives values computed so far. */
export interface Failure {
  readonly label: string;
  readonly reads: readonly Value[];
  error(at: readonly number[], read: (value: Value) => NDArray): Error;
}

export type Step =
  | { readonly kind: "feed"; readonly out: Value; readonly name: string }
  | { readonly kind: "constant"; readonly out: Value; readonly data: NDArray }
  /** The value a state holds when the run begins. `reader` is the node to blame if it was never initialized. */
  /** `isDemanded`: the state must hold something even if nobody uses the value. */
  | { readonly kind: "state"; readonly out: Value; readonly state: State; readonly reader: string; readonly isDemanded?: boolean }
  /** 1 if a variable holds a value when the run begins. */
  | { readonly kind: "initialized"; readonly out: Value; readonly state: State }
  /** out[i] = body(i). */
  | { readonly kind: "map"; readonly out: Value; readonly body: Scalar }
  /** out[i] = ⊕ over r of body(i, r); axes of `over` follow those of `out`. argmax and argmin give the first best r, flattened; NaN never wins there. */
  | { readonly kind: "reduce"; readonly out: Value; readonly over: readonly number[]; readonly combine: Combine; readonly body: Scalar }
  /** out[i] = Σ over r of left(i, r)·right(i, r); operand indices are affine. */
  | { readonly kind: "contract"; readonly out: Value; readonly over: readonly number[]; readonly left: Operand; readonly right: Operand }
  /** Running sum or product along an axis. */
  | {
      readonly kind: "scan";
      readonly out: Value;
      readonly source: Value;
      readonly axis: number;
      readonly combine: "sum" | "prod" | "max" | "logsumexp";
      readonly exclusive: boolean;
      readonly reverse: boolean;
    }
  /** out = base, then for r in row-major order out[at(r)] ⊕= body(r); positions outside are dropped. */
  | {
      readonly kind: "scatter";
      readonly out: Value;
      readonly base: Value;
      readonly over: readonly number[];
      readonly at: readonly Scalar[];
      readonly combine: ScatterCombine;
      readonly body: Scalar;
    }
  /** The first `count` of each row (last axis) in order, stable; NaN counts as the largest. Indices are int32. */
  | {
      readonly kind: "sort";
      readonly values: Value;
      readonly indices: Value;
      readonly source: Value;
      readonly descending: boolean;
    }
  /** Philox4x32-10 words: word w of block ⌊w/4⌋, of the generator state [seed, seed2, blocks used] (int64[3]). */
  | { readonly kind: "random"; readonly out: Value; readonly state: Value }
  /** Stops the run at the first r where ok(r) is false. */
  | { readonly kind: "check"; readonly over: readonly number[]; readonly ok: Scalar; readonly failure: Failure }
  /** What the state holds from the next run on. `isReshaped`: it had another shape when the run began, so its memory is made anew after the run. */
  | { readonly kind: "update"; readonly state: State; readonly value: Value; readonly isReshaped?: boolean }
  /** Runs case 0 for false, 1 for true, else the case of that number; outside of them the last. */
  | { readonly kind: "branch"; readonly outs: readonly Value[]; readonly choice: Value; readonly cases: readonly Region[] }
  /** outs = initial; while condition(outs): outs = body(outs). */
  | {
      readonly kind: "loop";
      readonly outs: readonly Value[];
      readonly initial: readonly Value[];
      readonly condition: Region;
      readonly body: Region;
    }
  | { readonly kind: "call"; readonly outs: readonly Value[]; readonly routine: Routine; readonly inputs: readonly Value[] };

export interface Program {
  readonly steps: readonly Step[];
  /** What a run returns, in the order of the fetches. */
  readonly results: readonly Value[];
  /** The node of the graph that made a value: for people, nothing depends on it. */
  readonly origins?: ReadonlyMap<Value, string>;
}

/** The values a step defines. */
export function outputsOf(step: Step): readonly Value[] {
  switch (step.kind) {
    case "check":
    case "update":
      return [];
    case "sort":
      return [step.values, step.indices];
    case "branch":
    case "loop":
    case "call":
      return step.outs;
    default:
      return [step.out];
  }
}
