// Plan → recorded kernels: one function a phase, and `run`, which calls them in order. What recorded code cannot compute is called on the host.

import { dtypeBytes } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import type { Value } from "../ir/program.ts";
import { forEachScalar, loadScalar, type Scalar } from "../ir/scalar.ts";
import { scalarsOfKernel, writesOfKernel } from "../schedule/draft.ts";
import type { Kernel, Plan, WithScratch } from "../schedule/plan.ts";
import { recordContract } from "./contract/contract.ts";
import { recordCheck, statusGlobal } from "./check.ts";
import { elementRow } from "./element.ts";
import type { CostedPart, TracedPart } from "./estimate.ts";
import { i32, type KernelModule } from "./language/language.ts";
import { recordMap } from "./map.ts";
import type { Phase, Recording } from "./phase.ts";
import { Addresses, type CodePlace, type ScratchPlace } from "./places.ts";
import { CommonCode, type Keeping } from "./language/common-code.ts";
import { type FunctionRecorder, ModuleRecorder } from "./language/recorder.ts";
import { recordRandom } from "./random.ts";
import { recordReduce, recordReductions } from "./reduce/reduce.ts";
import { isRecordable } from "./language/scalar-code.ts";
import { recordRows } from "./rows.ts";
import { recordScan } from "./scan.ts";
import { recordScatter } from "./scatter.ts";
import { recordSort } from "./sort.ts";
import { recordSweep } from "./sweep.ts";
import type { Target } from "./target.ts";
import { Sharing, type SharingRules, sharedMemory, usualRules } from "./threads.ts";

/** A plan as code for a target: the module, the kernels its host must run, and what each phase is. */
export interface Recorded {
  readonly module: KernelModule;
  /** Phases that threads share; where there are none, no thread is needed. */
  readonly sharedPhases: number;
  /** Kernels that `host(k)` must run, in the order of their numbers. */
  readonly hostKernels: readonly Kernel[];
  /** Checks by number, for the status words. */
  readonly checks: readonly Extract<Kernel, { kind: "check" }>[];
  readonly phases: readonly RecordedPhase[];
  /** Forms of kernels whose functions were there already, recorded for another plan. */
  readonly reusedForms: number;
  /** Of a recording that is traced: what ends where it calls `mark(k)`, in the order of these numbers. */
  readonly parts: readonly TracedPart[];
}

/** A phase as a function of the module. */
export interface RecordedPhase extends CostedPart, Phase {}

/** What stands for a kernel of the host, whose work nobody knows. */
export const hostPart = (kernel: Kernel, number: number): CostedPart => ({ name: `host(${number})`, kernel, work: 0, threads: 1 });

export interface RecordOptions {
  readonly isVerified?: boolean;
  /** Tell the host when each part has ended. Not so recorded, a module holds nothing of it. */
  readonly isTraced?: boolean;
  readonly sharing?: SharingRules;
  /** Kernels of one form, fewer than which have functions of their own. */
  readonly fewestAlike?: number;
  /** Where a plan for another size of a feed may follow, what it may have as well. */
  readonly keeping?: Keeping | undefined;
}

/** Writes what was recorded before into `run`. */
type Emit = (k: FunctionRecorder) => void;

/** Records a plan for a target. */
export function record(
  plan: Plan,
  target: Target,
  { isVerified = true, isTraced = false, sharing = usualRules, fewestAlike = 2, keeping }: RecordOptions = {},
): Recorded {
  const recorder = new PlanRecorder(plan, target, { isTraced, sharing, fewestAlike, keeping });
  const { module } = recorder;
  const emit = recorder.kernels(plan.kernels);
  module.function("run", { exported: true, results: [] }, emit);
  return {
    sharedPhases: recorder.finishSharing(),
    module: module.finish({ isVerified }),
    hostKernels: recorder.hostKernels,
    checks: recorder.checks,
    phases: recorder.phases,
    reusedForms: recorder.reusedForms,
    parts: recorder.parts,
  };
}

/** How often the body of a loop is taken to run. */
const usualPasses = 8;

class PlanRecorder implements Recording {
  readonly module: ModuleRecorder;
  readonly places: Map<Value, CodePlace>;
  readonly hostKernels: Kernel[] = [];
  readonly checks: Extract<Kernel, { kind: "check" }>[] = [];
  readonly phases: (RecordedPhase & { threads: number })[] = [];
  readonly parts: TracedPart[] = [];
  private readonly isTraced: boolean;
  private readonly sharing: Sharing;
  private readonly common: CommonCode;
  private count = 0;
  /** What phases worth sharing cost together. */
  private sharedWork = 0;
  private passes = 1;

  constructor(
    plan: Plan,
    target: Target,
    { isTraced, sharing, fewestAlike, keeping }: Required<Omit<RecordOptions, "isVerified" | "keeping">> & Pick<RecordOptions, "keeping">,
  ) {
    this.isTraced = isTraced;
    this.module = new ModuleRecorder(target, target.threads > 1 ? sharedMemory : undefined);
    this.sharing = new Sharing(this.module, sharing);
    this.places = new Map(plan.places);
    this.common = new CommonCode(plan.kernels, fewestAlike, { recording: this, record: phasesOf, keeping });
  }

  get reusedForms(): number {
    return this.common.reused;
  }

  name = (kind: string): string => `${kind}${this.count++}`;

  place(value: Value, place: CodePlace): void {
    this.places.set(value, place);
  }

  scratchOf({ scratch }: WithScratch): ScratchPlace | undefined {
    return scratch && { region: "arena", offsetBytes: scratch.offsetBytes };
  }

  /** Records the functions of kernels; calls to them are written later, when it is known whether there is enough to share. */
  kernels(kernels: readonly Kernel[]): Emit {
    return inOrder(kernels.map(kernel => this.kernel(kernel)));
  }

  /** Records the functions that share phases; gives how many phases are shared. */
  finishSharing(): number {
    this.sharing.finish();
    return this.sharing.count;
  }

  private kernel(kernel: Kernel): Emit {
    switch (kernel.kind) {
      case "branch":
        return this.branch(kernel);
      case "loop":
        return this.loop(kernel);
      case "copy":
        return this.copy(kernel);
      case "check":
        return this.check(kernel);
      default:
        if (canRecord(kernel, this.places)) return inOrder(this.phasesOf(kernel).map(phase => this.phase(phase, kernel)));
        // Part by part: one may be code where another is not.
        if (kernel.kind === "sweep") return this.kernels(kernel.maps);
        if (kernel.kind === "reductions") return this.kernels(kernel.reductions);
        return this.host(kernel);
    }
  }

  private phasesOf(kernel: Kernel): Phase[] {
    const common = this.common.phasesOf(kernel);
    if (common !== undefined) return common;
    return kernel.kind === "sweep"
      ? recordSweep(kernel, this, (map, named) => this.common.phasesOf(map) ?? recordMap(map, named))
      : phasesOf(kernel, this);
  }

  private phase(phase: Phase, kernel: Kernel): Emit {
    const recorded = { ...phase, kernel, threads: 1 };
    this.phases.push(recorded);
    const isShared = this.sharing.isWorthIt(phase);
    if (isShared) this.sharedWork += phase.work * this.passes;
    return this.traced(phase.name, kernel, k => {
      if (isShared && this.sharing.isRunWorthIt(this.sharedWork)) {
        recorded.threads = Math.min(this.module.target.threads, phase.units);
        this.sharing.share(phase, k);
      } else k.call(phase.function, ...[0, phase.units, 0].slice(0, phase.function.params.length));
    });
  }

  /** Has the host told when a part has ended. */
  private traced(name: string, kernel: Kernel, emit: Emit): Emit {
    if (!this.isTraced) return emit;
    const number = this.parts.push({ name, kernel }) - 1;
    return k => {
      emit(k);
      k.call(this.module.import("mark", ["i32"]), number);
    };
  }

  private host(kernel: Kernel): Emit {
    const number = this.hostKernels.push(kernel) - 1;
    return this.traced(hostPart(kernel, number).name, kernel, k => {
      k.call(this.module.import("host", ["i32"]), number);
      // A routine may refuse: the host then sets the status.
      this.stopIfFailed(k);
    });
  }

  private check(kernel: Extract<Kernel, { kind: "check" }>): Emit {
    const number = this.checks.length;
    this.checks.push(kernel);
    if (!canRecord(kernel, this.places)) return this.host(kernel);
    return inOrder([this.phase(recordCheck(kernel, number, this), kernel), k => this.stopIfFailed(k)]);
  }

  private stopIfFailed(k: FunctionRecorder): void {
    k.if(i32.load(this.module.global(statusGlobal)), () => k.return());
  }

  private copy({ from, to }: Extract<Kernel, { kind: "copy" }>): Emit {
    const source = this.places.get(from);
    if (source?.region === "host" || to.region === "host") return this.host({ kind: "copy", from, to });
    return this.traced("copy", { kind: "copy", from, to }, k => {
      const addresses = new Addresses(k, this.places);
      k.copyBytes(addresses.number(addresses.at(to)), addresses.number(addresses.of(from)), sizeOf(from.shape) * dtypeBytes(from.dtype));
    });
  }

  private branch({ choice, cases }: Extract<Kernel, { kind: "branch" }>): Emit {
    const emits = cases.map(kernels => this.kernels(kernels));
    return k => {
      const addresses = new Addresses(k, this.places);
      const { base, offset } = addresses.of(choice);
      const chosen = k.let(choice.dtype === "bool" ? i32.loadNarrow("u8", base, offset) : i32.load(base, offset));
      const last = cases.length - 1;
      const nest = (c: number): void => {
        if (c === last) emits[c](k);
        else
          k.if(
            i32.eq(chosen, c),
            () => emits[c](k),
            () => nest(c + 1),
          );
      };
      nest(0);
    };
  }

  private loop({ condition, test, body }: Extract<Kernel, { kind: "loop" }>): Emit {
    this.passes *= usualPasses;
    const [decide, pass] = [condition, body].map(kernels => this.kernels(kernels));
    this.passes /= usualPasses;
    return k => {
      const { base, offset } = new Addresses(k, this.places).of(test);
      decide(k);
      k.while(i32.loadNarrow("u8", base, offset), () => {
        pass(k);
        decide(k);
      });
    };
  }
}

function phasesOf(kernel: Kernel, recording: Recording): Phase[] {
  switch (kernel.kind) {
    case "map":
      return recordMap(kernel, recording);
    case "sweep":
      return recordSweep(kernel, recording);
    case "reduce":
      return recordReduce(kernel, recording);
    case "reductions":
      return recordReductions(kernel, recording);
    case "rows":
      return recordRows(kernel, recording);
    case "contract":
      return recordContract(kernel, recording);
    case "scatter":
      return recordScatter(kernel, recording);
    case "random":
      return recordRandom(kernel, recording);
    case "scan":
      return recordScan(kernel, recording);
    case "sort":
      return recordSort(kernel, recording);
    default:
      return [];
  }
}

const inOrder =
  (emits: readonly Emit[]): Emit =>
  k => {
    for (const emit of emits) emit(k);
  };

/** Can recorded code compute a kernel, or must the host? */
export function canRecord(kernel: Kernel, places: ReadonlyMap<Value, CodePlace>): boolean {
  if (kernel.kind === "scan" || kernel.kind === "sort")
    return elementRow(kernel.source.dtype) !== undefined && places.get(kernel.source)?.region !== "host";
  const scalars = scalarsOf(kernel);
  if (scalars === undefined) return false;
  let can = true;
  for (const scalar of scalars)
    forEachScalar(scalar, node => {
      can &&= isRecordable(node) && (node.kind !== "load" || places.get(node.source)?.region !== "host");
    });
  return can && valuesWritten(kernel).every(({ dtype }) => elementRow(dtype) !== undefined);
}

/** The expressions a kernel evaluates, or undefined if it is not made of expressions. */
function scalarsOf(kernel: Kernel): readonly Scalar[] | undefined {
  switch (kernel.kind) {
    case "map":
      return kernel.stores.map(({ body }) => body);
    case "sweep":
    case "reductions":
    case "rows":
      return scalarsOfKernel(kernel);
    case "reduce":
      return [kernel.body, ...kernel.stores.map(({ body }) => body)];
    case "contract":
      return [
        loadScalar(kernel.left.source, kernel.left.at),
        loadScalar(kernel.right.source, kernel.right.at),
        ...kernel.stores.map(({ body }) => body),
      ];
    case "scatter":
      return [...kernel.at, kernel.body];
    case "check":
      return [kernel.ok];
    case "random":
      return [];
    default:
      return undefined;
  }
}

function valuesWritten(kernel: Kernel): readonly Value[] {
  if (kernel.kind === "sweep" || kernel.kind === "reductions") return writesOfKernel(kernel);
  if ("stores" in kernel) return kernel.stores.map(({ out }) => out);
  return kernel.kind === "scatter" ? [kernel.out] : [];
}
