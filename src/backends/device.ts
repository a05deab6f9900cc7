// What a session asks of a backend: a device that holds variables, and executables compiled for it. Backends know primitives, never ops.

import type { NDArray } from "../base/ndarray.ts";
import type { Program, Value } from "../ir/program.ts";
import type { EstimatedPart } from "../kernels/estimate.ts";
import type { TracedPart } from "../kernels/estimate.ts";
import type { Plan, ScheduleTarget } from "../schedule/plan.ts";

/** A compiled Program. Feeds in the order of their names ("0", "1", …); results in the order of the Program's. */
export interface Executable {
  /** Runs once. Variables stay on the device. `into` is a list that may be used for the results, in place of a new one. @throws the error of the first failing check, or FailedPreconditionError for an uninitialized variable. */
  run(feeds: readonly NDArray[], into?: NDArray[]): readonly NDArray[] | Promise<readonly NDArray[]>;
  /** Readable stages after the plan: kernels, module. */
  readonly texts: Readonly<Record<string, () => string>>;
  /** Exact figures: kernels, bytes. */
  readonly counts: Readonly<Record<string, number>>;
  /** Bytes that it holds besides what all programs share. */
  readonly heldBytes: number;
  /** Its parts and what each should take; undefined where its code is not its own. */
  readonly parts?: (() => readonly EstimatedPart[]) | undefined;
  /** Of one compiled to be traced: what its last run did, in order. */
  readonly trace?: readonly TracedTime[];
  /** Gives back what it holds; it must not run afterwards. */
  release(): void;
}

/** A part of a traced run, from and to in milliseconds of `performance.now()`. */
export interface TracedTime extends TracedPart {
  readonly begin: number;
  readonly end: number;
}

export interface CompileOptions {
  /** Code that is shared by Programs which differ in sizes alone: slower to run, but a size met for the first time compiles nothing. */
  readonly anySize?: boolean;
  /** Code that tells when each part has ended (`Executable.trace`); it is never for any size. */
  readonly isTraced?: boolean;
  /** Where a Program for feeds of other shapes may follow: the values whose shapes will be the same. */
  readonly fixed?: ReadonlySet<Value> | undefined;
}

/** One session's memory and compiled programs. */
export interface Device {
  readonly name: string;
  /** What schedule must know, or null where Programs run as they are. */
  readonly target: ScheduleTarget | null;
  /** The same for code of any size. */
  readonly anySizeTarget: ScheduleTarget | null;
  /** Modules compiled so far. */
  readonly modules: number;
  /** Counts the variables that came to hold another shape: programs compiled before do not fit any more. */
  readonly shapeChanges: number;
  compile(program: Program, plan: Plan | null, options?: CompileOptions): Promise<Executable>;
  /** The contents of a state, or undefined if it holds nothing. */
  readState(id: string): NDArray | undefined;
  /** The shape of what a state holds, without copying it. */
  stateShape(id: string): readonly number[] | undefined;
  writeState(id: string, value: NDArray): void;
  dropState(id: string): void;
  /** States whose ids begin so and that began with a value (generators) have it again. */
  restart(prefix: string): void;
  /** An object of the session's own that no kernel touches (a table, a queue), made when first asked for. */
  resource(id: string, make: () => object): object;
  /** Ends the objects that have an end of their own (open files). */
  endResources(): Promise<void>;
  /** Releases all memory. */
  close(): void;
}

/** What a device's `resource` and `endResources` are: objects by id, each made once. */
export function resourceKeeper(): Pick<Device, "resource" | "endResources"> {
  const kept = new Map<string, object>();
  return {
    resource: (id, make) => {
      const object = kept.get(id) ?? make();
      kept.set(id, object);
      return object;
    },
    endResources: async () => {
      const objects: readonly Partial<AsyncDisposable>[] = [...kept.values()];
      kept.clear();
      await Promise.all(objects.map(object => object[Symbol.asyncDispose]?.()));
    },
  };
}
