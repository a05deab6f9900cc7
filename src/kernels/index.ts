// Plan → recorded kernels: one function a phase, and `run`, which calls them in order. What recorded code cannot compute is called on the host.

import { dtypeBytes } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import type { Value } from "../ir/program.ts";
import { forEachScalar, loadScalar, type Scalar } from "../ir/scalar.ts";
import { scalarsOfKernel } from "../schedule/draft.ts";
import type { Kernel, Place, Plan } from "../schedule/plan.ts";
import { recordContract } from "./contract.ts";
import { recordCheck, statusGlobal } from "./check.ts";
import { elementRow } from "./element.ts";
import { i32, type KernelModule } from "./language.ts";
import { recordMap } from "./map.ts";
import type { Phase, Recording } from "./phase.ts";
import { Addresses } from "./places.ts";
import { type FunctionRecorder, ModuleRecorder } from "./recorder.ts";
import { recordRandom } from "./random.ts";
import { recordReduce } from "./reduce.ts";
import { isRecordable } from "./scalar-code.ts";
import { recordRows } from "./rows.ts";
import { recordScan } from "./scan.ts";
import { recordScatter } from "./scatter.ts";
import { recordSort } from "./sort.ts";
import type { Target } from "./target.ts";

/** A plan as code for a target: the module, the kernels its host must run, and what each phase is. */
export interface Recorded {
  readonly module: KernelModule;
  /** Kernels that `host(k)` must run, in the order of their numbers. */
  readonly hostKernels: readonly Kernel[];
  /** Checks by number, for the status words. */
  readonly checks: readonly Extract<Kernel, { kind: "check" }>[];
  readonly phases: readonly { readonly name: string; readonly units: number; readonly kernel: Kernel }[];
}

/** Records a plan for a target. */
export function record(plan: Plan, target: Target, options: { isVerified?: boolean } = {}): Recorded {
  const recorder = new PlanRecorder(plan, target);
  const { module } = recorder;
  module.function("run", { exported: true, results: [] }, k => recorder.kernels(plan.kernels, k));
  return { module: module.finish(options), hostKernels: recorder.hostKernels, checks: recorder.checks, phases: recorder.phases };
}

class PlanRecorder implements Recording {
  readonly module: ModuleRecorder;
  readonly places: Map<Value, Place>;
  readonly hostKernels: Kernel[] = [];
  readonly checks: Extract<Kernel, { kind: "check" }>[] = [];
  readonly phases: { name: string; units: number; kernel: Kernel }[] = [];
  private count = 0;

  constructor(plan: Plan, target: Target) {
    this.module = new ModuleRecorder(target);
    this.places = new Map(plan.places);
  }

  name = (kind: string): string => `${kind}${this.count++}`;

  place(value: Value, place: Place): void {
    this.places.set(value, place);
  }

  kernels(kernels: readonly Kernel[], k: FunctionRecorder): void {
    for (const kernel of kernels) this.kernel(kernel, k);
  }

  private kernel(kernel: Kernel, k: FunctionRecorder): void {
    switch (kernel.kind) {
      case "branch":
        return this.branch(kernel, k);
      case "loop":
        return this.loop(kernel, k);
      case "copy":
        return this.copy(kernel, k);
      case "check":
        return this.check(kernel, k);
      default:
        if (!this.canRecord(kernel)) return this.host(kernel, k);
        for (const phase of this.phasesOf(kernel)) {
          this.phases.push({ name: phase.name, units: phase.units, kernel });
          k.call(phase.function, 0, phase.units, ...phase.function.params.slice(2).map(() => 0));
        }
    }
  }

  private phasesOf(kernel: Kernel): Phase[] {
    switch (kernel.kind) {
      case "map":
        return recordMap(kernel, this);
      case "reduce":
        return recordReduce(kernel, this);
      case "rows":
        return recordRows(kernel, this);
      case "contract":
        return recordContract(kernel, this);
      case "scatter":
        return recordScatter(kernel, this);
      case "random":
        return recordRandom(kernel, this);
      case "scan":
        return recordScan(kernel, this);
      case "sort":
        return recordSort(kernel, this);
      default:
        return [];
    }
  }

  private canRecord(kernel: Kernel): boolean {
    if (kernel.kind === "scan" || kernel.kind === "sort")
      return elementRow(kernel.source.dtype) !== undefined && this.places.get(kernel.source)?.region !== "host";
    const scalars = scalarsOf(kernel);
    if (scalars === undefined) return false;
    let can = true;
    for (const scalar of scalars)
      forEachScalar(scalar, node => {
        can &&= isRecordable(node) && (node.kind !== "load" || this.places.get(node.source)?.region !== "host");
      });
    return can && valuesWritten(kernel).every(({ dtype }) => elementRow(dtype) !== undefined);
  }

  private host(kernel: Kernel, k: FunctionRecorder): void {
    k.call(this.module.import("host", ["i32"]), this.hostKernels.length);
    this.hostKernels.push(kernel);
    // A routine may refuse: the host then sets the status.
    this.stopIfFailed(k);
  }

  private check(kernel: Extract<Kernel, { kind: "check" }>, k: FunctionRecorder): void {
    const number = this.checks.length;
    this.checks.push(kernel);
    let can = true;
    forEachScalar(kernel.ok, node => {
      can &&= isRecordable(node) && (node.kind !== "load" || this.places.get(node.source)?.region !== "host");
    });
    if (!can) return this.host(kernel, k);
    const phase = recordCheck(kernel, number, this);
    this.phases.push({ name: phase.name, units: 1, kernel });
    k.call(phase.function, 0, 1);
    this.stopIfFailed(k);
  }

  private stopIfFailed(k: FunctionRecorder): void {
    k.if(i32.load(this.module.global(statusGlobal)), () => k.return());
  }

  private copy({ from, to }: Extract<Kernel, { kind: "copy" }>, k: FunctionRecorder): void {
    const source = this.places.get(from);
    if (source?.region === "host" || to.region === "host") return this.host({ kind: "copy", from, to }, k);
    const addresses = new Addresses(k, this.places);
    k.copyBytes(addresses.number(addresses.at(to)), addresses.number(addresses.of(from)), sizeOf(from.shape) * dtypeBytes(from.dtype));
  }

  private branch({ choice, cases }: Extract<Kernel, { kind: "branch" }>, k: FunctionRecorder): void {
    const addresses = new Addresses(k, this.places);
    const { base, offset } = addresses.of(choice);
    const chosen = k.let(choice.dtype === "bool" ? i32.loadNarrow("u8", base, offset) : i32.load(base, offset));
    const last = cases.length - 1;
    const nest = (c: number): void => {
      if (c === last) this.kernels(cases[c], k);
      else
        k.if(
          i32.eq(chosen, c),
          () => this.kernels(cases[c], k),
          () => nest(c + 1),
        );
    };
    nest(0);
  }

  private loop({ condition, test, body }: Extract<Kernel, { kind: "loop" }>, k: FunctionRecorder): void {
    const { base, offset } = new Addresses(k, this.places).of(test);
    this.kernels(condition, k);
    k.while(i32.loadNarrow("u8", base, offset), () => {
      this.kernels(body, k);
      this.kernels(condition, k);
    });
  }
}

/** The expressions a kernel evaluates, or undefined if it is not made of expressions. */
function scalarsOf(kernel: Kernel): readonly Scalar[] | undefined {
  switch (kernel.kind) {
    case "map":
      return kernel.stores.map(({ body }) => body);
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
    case "rows":
      return scalarsOfKernel(kernel);
    case "random":
      return [];
    default:
      return undefined;
  }
}

const valuesWritten = (kernel: Kernel): readonly Value[] =>
  "stores" in kernel ? kernel.stores.map(({ out }) => out) : kernel.kind === "scatter" ? [kernel.out] : [];
