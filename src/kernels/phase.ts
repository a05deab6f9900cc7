// Phases: the functions a plan is recorded as, each cut into units that threads can take, and what a recording carries along.

import type { Value } from "../ir/program.ts";
import type { WithScratch } from "../schedule/plan.ts";
import type { CodePlace, ScratchPlace } from "./places.ts";
import type { FunctionRef, ModuleRecorder } from "./language/recorder.ts";

/** One function that does units [low, high) of its work. Units are independent of each other, and what one of them computes does not depend
 *  on which others are done in the same call: so results are the same bits however threads share them.
 *  Takes (low, high), or (low, high, thread) if it has scratch of its own for each of `target.threads` threads, numbered from 0. */
export interface Phase {
  readonly name: string;
  readonly function: FunctionRef;
  readonly units: number;
  /** What all units cost together, as schedule/cost.ts counts (a multiply-add of vectors is 1 an element): decides whether threads share them. */
  readonly work: number;
  /** The values whose addresses the code reads from variables, by number (language/common-code.ts). */
  readonly values?: readonly Value[];
  /** The phases that it calls, where it is several in one (language/join-phases.ts). */
  readonly joined?: readonly Phase[];
}

/** What kernels without scratch are recorded with. */
export interface NamedRecording {
  readonly module: ModuleRecorder;
  readonly places: ReadonlyMap<Value, CodePlace>;
  /** A fresh function name. */
  name(kind: string): string;
}

export interface Recording extends NamedRecording {
  /** Says where a value of the kernels' own (scratch, another view of a buffer) lies. */
  place(value: Value, place: CodePlace): void;
  /** Where a kernel's scratch lies, if the plan gave it some. */
  scratchOf(kernel: WithScratch): ScratchPlace | undefined;
}
