// Phases: the functions a plan is recorded as, each cut into units that threads can take, and what a recording carries along.

import type { Value } from "../ir/program.ts";
import type { Place } from "../schedule/plan.ts";
import type { FunctionRef, ModuleRecorder } from "./recorder.ts";

/** One function (low, high) that does units [low, high) of its work. Units are independent of each other. */
export interface Phase {
  readonly name: string;
  readonly function: FunctionRef;
  readonly units: number;
}

export interface Recording {
  readonly module: ModuleRecorder;
  readonly places: ReadonlyMap<Value, Place>;
  /** A fresh function name. */
  name(kind: string): string;
  /** Says where a value of the kernels' own (scratch, another view of a buffer) lies. */
  place(value: Value, place: Place): void;
}
