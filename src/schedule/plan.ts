// The Plan: what schedule makes of a Program. Kernels in order, and a place in memory for every value that exists as an array.
// Expressions inside kernels are the Program's scalars after fusion; every value they load has a place. Nothing here knows a machine.

import type { NDArray } from "../base/ndarray.ts";
import type { Combine, Operand, State, Step, Value } from "../ir/program.ts";
import type { Scalar } from "../ir/scalar.ts";

/** Where a value lies: a byte offset in the arena (reused within a run), among the constants, or at the start of a state's own memory. */
export type Place =
  | { readonly region: "arena"; readonly offsetBytes: number; readonly bytes: number }
  | { readonly region: "constant"; readonly offsetBytes: number; readonly bytes: number }
  | { readonly region: "state"; readonly state: State; readonly bytes: number }
  /** Strings and other values without a fixed size: a slot on the host. */
  | { readonly region: "host"; readonly slot: number };

/** out[i] = body(i), written at the kernel's own index. Several stores of one kernel share its loops and common subexpressions (equal
 *  subexpressions are the same object). `out` has as many elements as the kernel has positions, sometimes under another shape: then the
 *  element at the same row-major position is meant. An out may lie in the memory of a value that the kernel loads: only in maps, and
 *  only where every such load reads the very position that is written. So all stores of a position are evaluated before the first of
 *  them is written, and no position is computed twice (no overlapping tails) in such a kernel. */
export interface Store {
  readonly out: Value;
  readonly body: Scalar;
}

/** What is done with a row before the next is begun: `before` it, one element a row; then along its columns the reductions, column sums and
 *  stores, all evaluated at a column before any is stored; then the reductions' epilogues, one element a row. */
export interface RowPass {
  readonly before: readonly Store[];
  readonly reductions: readonly { readonly combine: Fold; readonly body: Scalar; readonly stores: readonly Store[] }[];
  /** `out` has a row for each block of rows: their combination, column by column, in the order of the rows. */
  readonly columns: readonly { readonly combine: Fold; readonly body: Scalar; readonly out: Value }[];
  readonly stores: readonly Store[];
}

type Fold = Exclude<Combine, "argmax" | "argmin">;

export type Kernel =
  | { readonly kind: "map"; readonly shape: readonly number[]; readonly stores: readonly Store[] }
  /** Bodies of stores may use `accumulator`, the finished reduction at their index (the epilogue). */
  | {
      readonly kind: "reduce";
      readonly shape: readonly number[];
      readonly over: readonly number[];
      readonly combine: Combine;
      readonly body: Scalar;
      /** Type of the accumulator: the body's, or int32/int64 for argmax and argmin. */
      readonly accumulator: Value["dtype"];
      readonly stores: readonly Store[];
      /** Scratch for partial results of long reductions to a few. */
      readonly scratch?: { readonly offsetBytes: number; readonly bytes: number };
    }
  /** Reductions of one shape over one space, in the same loops: what they read in common is read once. */
  | {
      readonly kind: "reductions";
      readonly reductions: readonly Extract<Kernel, { kind: "reduce" }>[];
      readonly scratch?: { readonly offsetBytes: number; readonly bytes: number };
    }
  /** Row after row, the passes in their order; axis 0 is the row, axis 1 the column. A pass may load what the kernel stored before in the
   *  same row. Rows are float32 and independent of each other, but for column sums: those of a block of rows belong together. */
  | {
      readonly kind: "rows";
      readonly rows: number;
      readonly length: number;
      /** Rows of one unit of work; 1 without column sums. */
      readonly blockRows: number;
      readonly passes: readonly RowPass[];
    }
  | {
      readonly kind: "contract";
      readonly shape: readonly number[];
      readonly over: readonly number[];
      readonly left: Operand;
      readonly right: Operand;
      readonly stores: readonly Store[];
      /** What the target's code copies of an operand in any case, made before (pack-once.ts). */
      readonly panels?: Value;
      /** Scratch for packed panels and padded copies, in the arena; sized by the target's contract planner. */
      readonly scratch?: { readonly offsetBytes: number; readonly bytes: number };
    }
  /** As in the Program. */
  | Extract<Step, { kind: "scan" | "random" | "check" | "call" }>
  /** `inPlace`: base and out share a place, so base is not copied. */
  | (Extract<Step, { kind: "scatter" }> & { readonly inPlace: boolean })
  | (Extract<Step, { kind: "sort" }> & { readonly scratch?: { readonly offsetBytes: number; readonly bytes: number } })
  /** Maps of which none reads or overwrites what another writes, as one kernel: no thread waits between them. */
  | { readonly kind: "sweep"; readonly maps: readonly Extract<Kernel, { kind: "map" }>[] }
  /** Copies all bytes of a value to another place of the same size. */
  | { readonly kind: "copy"; readonly from: Value; readonly to: Place }
  | { readonly kind: "branch"; readonly choice: Value; readonly cases: readonly (readonly Kernel[])[] }
  /** Runs `condition`; while `test` is true runs `body`, then `condition` again. Carried values are copied by kernels of the body. */
  | { readonly kind: "loop"; readonly condition: readonly Kernel[]; readonly test: Value; readonly body: readonly Kernel[] };

export interface Plan {
  readonly kernels: readonly Kernel[];
  /** The place of every value that a kernel loads or stores. */
  readonly places: ReadonlyMap<Value, Place>;
  readonly feeds: readonly { readonly name: string; readonly value: Value }[];
  readonly results: readonly Value[];
  /** States whose memory has another shape after the run, and what they hold then: nothing of the plan touches it. */
  readonly reshaped: readonly { readonly state: State; readonly value: Value }[];
  /** States the plan touches, with the node to blame if one that is read was never initialized. */
  readonly states: readonly { readonly state: State; readonly reader: string | undefined; readonly written: boolean }[];
  /** One-byte flags that the host sets before a run: is this variable initialized? */
  readonly flags: readonly { readonly state: State; readonly value: Value }[];
  readonly constants: readonly { readonly data: NDArray; readonly offsetBytes: number }[];
  /** Constants without a fixed element size, by the slot of their place. */
  readonly hostConstants: readonly { readonly data: NDArray; readonly slot: number }[];
  readonly constantBytes: number;
  readonly arenaBytes: number;
  readonly hostSlots: number;
}

/** Kernels that may be given scratch of their own. */
export type WithScratch = Extract<Kernel, { kind: "reduce" | "reductions" | "contract" | "sort" }>;

const scratchKinds: ReadonlySet<string> = new Set<WithScratch["kind"]>(["reduce", "reductions", "contract", "sort"]);

export const mayHaveScratch = <K extends { readonly kind: string }>(kernel: K): kernel is Extract<K, { kind: WithScratch["kind"] }> =>
  scratchKinds.has(kernel.kind);

/** What a contraction copies of an operand, in the order in which a target reads it: a map over `shape`. */
export interface Panels {
  readonly source: Value;
  readonly shape: readonly number[];
  readonly body: Scalar;
}

/** What schedule must know of the machine: how much scratch a kernel wants. Offsets are multiples of `alignment` bytes. */
export interface ScheduleTarget {
  readonly alignment: number;
  /** Kernels are shared by all sizes: none is joined with others for the sake of some. */
  readonly isAnySize?: boolean;
  scratchBytes(kernel: Kernel): number;
  /** Undefined where a contraction copies nothing that others could share. */
  panelsOf?(kernel: Extract<Kernel, { kind: "contract" }>): Panels | undefined;
}
