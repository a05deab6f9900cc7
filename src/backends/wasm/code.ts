// The code of a plan and how it is bound to where things lie: a module of its own here, calls of shared kernels in any-size.ts.

import { InternalError } from "../../base/errors.ts";
import type { Value } from "../../ir/program.ts";
import { statusGlobal } from "../../kernels/check.ts";
import { hostFunctionPrefix } from "../../kernels/math/elementary.ts";
import { type EstimatedPart, estimateParts, type TracedPart } from "../../kernels/estimate.ts";
import { hostPart, type Recorded } from "../../kernels/index.ts";
import type { KernelModule } from "../../kernels/language/language.ts";
import { arenaGlobal, constantGlobal, stateGlobal } from "../../kernels/places.ts";
import { printModule } from "../../kernels/language/print-kernels.ts";
import { printPhases } from "../../kernels/language/print-phases.ts";
import { controlBytes, controlGlobal, failures, mayWaitGlobal } from "../../kernels/threads.ts";
import type { Place, Plan } from "../../schedule/plan.ts";
import { hostFunctions, loadSpecialFunctions } from "../host-functions.ts";
import type { DeviceMemory } from "./device-memory.ts";
import { describeWasm, importNamespaces } from "./printer.ts";
import type { HeldProgram, ThreadPool } from "./thread-pool.ts";

/** What code must know of the executable it is bound to. */
export interface Binding {
  readonly device: DeviceMemory;
  readonly plan: Plan;
  readonly constantsAt: number;
  addressOf(value: Value): number;
  offsetOf(place: Exclude<Place, { region: "host" }>): number;
  host(k: number): void;
  /** In traced code: a part has ended. */
  mark(part: TracedPart): void;
  /** Says that check number `k` failed at a flat position. */
  fail(k: number, at: number): void;
}

/** A plan's code, whatever its form. */
export interface Code extends Pick<Recorded, "hostKernels" | "checks"> {
  /** Bytes of its own in memory. */
  readonly heldBytes: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly texts: Readonly<Record<string, () => string>>;
  /** Its parts and what each should take, where they are a plan's own. */
  readonly parts?: () => readonly EstimatedPart[];
  /** What workers hold of it, where threads share its phases. */
  readonly held?: HeldProgram | undefined;
  /** Binds it to where everything lies now; gives what runs it once. */
  link(binding: Binding): () => void;
  release(): void;
}

/** A module of the plan's own. */
export class OwnCode implements Code {
  readonly hostKernels: Recorded["hostKernels"];
  readonly checks: Recorded["checks"];
  readonly heldBytes = 0;
  readonly counts: Readonly<Record<string, number>>;
  readonly texts: Readonly<Record<string, () => string>>;
  readonly parts: () => readonly EstimatedPart[];
  held: HeldProgram | undefined;
  private readonly device: DeviceMemory;
  private readonly recorded: Recorded;
  private readonly module: WebAssembly.Module;
  private controlAt: number | undefined;

  constructor(device: DeviceMemory, recorded: Recorded, module: WebAssembly.Module, moduleBytes: number) {
    const { hostKernels, checks, phases, sharedPhases, reusedForms } = recorded;
    this.device = device;
    this.recorded = recorded;
    this.module = module;
    this.hostKernels = hostKernels;
    this.checks = checks;
    this.counts = {
      kernels: phases.length + hostKernels.length,
      moduleBytes,
      threads: device.kernelTarget.threads,
      sharedPhases,
      reusedForms,
    };
    this.parts = () => estimateParts([...phases, ...hostKernels.map(hostPart)], device.kernelTarget);
    this.texts = {
      phases: () => printPhases(recorded),
      kernels: () => printModule(recorded.module),
      module: () => describeWasm(recorded.module),
    };
  }

  link({ plan, constantsAt, host, mark }: Binding): () => void {
    const { device, recorded, module } = this;
    const { parts } = recorded;
    const globals: Record<string, number> = {
      [arenaGlobal]: device.arena.offset,
      [constantGlobal]: constantsAt,
      [statusGlobal]: device.statusOffset,
    };
    for (const { state } of plan.states) globals[stateGlobal(state.id)] = device.hold(state).offset;
    if (recorded.sharedPhases > 0) this.share(globals);
    const instance = new WebAssembly.Instance(module, importsOf(recorded.module, device, globals, { host, mark: k => mark(parts[k]) }));
    const start = instance.exports.run as () => void;
    const { held } = this;
    return held === undefined ? start : () => this.callOnThreads(start, held, device.pool as ThreadPool);
  }

  private callOnThreads(start: () => void, held: HeldProgram, pool: ThreadPool): void {
    pool.join(held);
    held.begin();
    try {
      start();
    } catch (error) {
      if (!held.settle()) this.abandon(pool);
      // Of a worker that failed in this run the next one is not to hear.
      held.takeFailure();
      throw error;
    } finally {
      held.end();
    }
    const failure = held.takeFailure();
    if (failure === failures.trapped) throw new InternalError(`A thread stopped: ${pool.failureText()}`);
    if (failure !== failures.late) return;
    this.abandon(pool);
    throw new InternalError(
      "A thread has begun a part of this run and did not finish it. It may have been ended from outside. The next run has new threads.",
    );
  }

  /** Leaves a worker that does not answer, and the control words it may still write. */
  private abandon(pool: ThreadPool): void {
    pool.restart();
    this.controlAt = undefined;
    this.device.layout++;
  }

  release(): void {
    const { device, held, controlAt } = this;
    // Where a worker is still inside, its control words stay what they are.
    if (held !== undefined && device.pool?.retire(held) && controlAt !== undefined) device.memory.release(controlAt, controlBytes);
    this.held = undefined;
    this.controlAt = undefined;
  }

  /** Gives the program to the workers, with control words that no worker of the program's former place can still be looking at. */
  private share(globals: Record<string, number>): void {
    const { device, module, recorded } = this;
    const pool = device.pool as ThreadPool;
    if (this.held !== undefined && !pool.retire(this.held)) this.controlAt = undefined;
    this.controlAt ??= device.memory.allocate(controlBytes, "the control words of threads");
    globals[controlGlobal] = this.controlAt;
    globals[mayWaitGlobal] = pool.mayWait ? 1 : 0;
    new Int32Array(device.memory.buffer, this.controlAt, controlBytes / 4).fill(0);
    this.held = pool.hold({
      module,
      memory: device.memory.memory,
      globals,
      functions: recorded.module.imports.map(({ name }) => name),
      threads: device.kernelTarget.threads,
      controlAt: this.controlAt,
    });
  }
}

/** What a module imports: the memory, numbers, and functions of the host. */
export function importsOf(
  { imports }: KernelModule,
  device: DeviceMemory,
  globals: Record<string, number>,
  own: Record<string, (...args: number[]) => number | void>,
): WebAssembly.Imports {
  const functions = { ...own };
  for (const { name } of imports) functions[name] ??= importedFunction(name);
  return {
    [importNamespaces.memory]: { memory: device.memory.memory },
    [importNamespaces.globals]: globals,
    [importNamespaces.functions]: functions,
  };
}

/** Loads the special functions where a module asks the host for some function. */
export async function loadFunctions({ imports }: KernelModule): Promise<void> {
  if (imports.some(({ name }) => name.startsWith(hostFunctionPrefix))) await loadSpecialFunctions();
}

/** The same for kernels that run on the host. */
export async function loadFunctionsOfHost({ hostKernels }: Pick<Recorded, "hostKernels">): Promise<void> {
  if (hostKernels.some(({ kind }) => kind !== "call")) await loadSpecialFunctions();
}

function importedFunction(name: string): (...args: number[]) => number {
  const functions: Readonly<Record<string, (...args: number[]) => number>> = hostFunctions;
  const found = functions[name.slice(hostFunctionPrefix.length)];
  if (found === undefined) throw new InternalError(`The module imports ${name}, which the host does not have.`);
  return found;
}
