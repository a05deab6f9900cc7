// Plans as calls of kernels for any size. A device keeps the kernels it has met, by their code; a plan brings a block of numbers for each call.
// Branches, loops and copies are done here, between the calls. Kernels of equal code differ in their numbers alone, so a plan for another
// size finds all of its own, and nothing is compiled.

import { dtypeBytes } from "../../base/dtype.ts";
import { InternalError } from "../../base/errors.ts";
import { sizeOf } from "../../base/shape.ts";
import type { Value } from "../../ir/program.ts";
import { type AnySizeKernel, keyOf, recordAnySize } from "../../kernels/any-size.ts";
import { canRecord } from "../../kernels/index.ts";
import { textOf } from "../../kernels/kernel-text.ts";
import type { KernelModule } from "../../kernels/language/language.ts";
import { type Slot, slotBytes } from "../../kernels/quantities.ts";
import { ModuleRecorder } from "../../kernels/language/recorder.ts";
import { sharedMemory } from "../../kernels/threads.ts";
import type { Kernel, Place, Plan } from "../../schedule/plan.ts";
import type { DeviceMemory } from "./device-memory.ts";
import { type Binding, type Code, importsOf } from "./code.ts";

/** A kernel's function: given its block's address, 1 + the position where a check fails, or 0. */
type Call = (block: number) => number;

/** A step of a plan. Blocks and values are addressed when it is linked. */
type Task =
  | { readonly kind: "kernel"; readonly key: string; readonly at: number; readonly check: number | undefined }
  | { readonly kind: "host"; readonly number: number }
  | { readonly kind: "copy"; readonly from: Value; readonly to: Place | Value; readonly bytes: number }
  | { readonly kind: "branch"; readonly choice: Value; readonly cases: readonly (readonly Task[])[] }
  | { readonly kind: "loop"; readonly condition: readonly Task[]; readonly test: Value; readonly body: readonly Task[] };

/** Runs; false: stop, a check has failed. */
type Run = () => boolean;

/** What recording a kernel gave: the key of its code, and its numbers; an address is that of a value by its number in the kernel's text. */
interface Met {
  readonly key: string;
  readonly slots: readonly (Slot | number)[];
}

/** Kernels whose recording is kept, by their texts. */
const mostMet = 1024;

/** The kernels for any size that a device has compiled. */
export class AnySizeKernels {
  private readonly device: DeviceMemory;
  private readonly compile: (recorded: KernelModule) => Promise<{ readonly module: WebAssembly.Module }>;
  private readonly known = new Map<string, Call>();
  /** Layers of one shape, and what no size of a run changes, are recorded once. In the order of their last use. */
  private readonly met = new Map<string, Met>();

  constructor(device: DeviceMemory, compile: AnySizeKernels["compile"]) {
    this.device = device;
    this.compile = compile;
  }

  /** A plan's code; compiles one module of the kernels that are met for the first time, if there are any. */
  async codeOf(plan: Plan): Promise<Code> {
    const reader = new PlanReader(plan, this.device, this.met);
    const tasks = reader.tasks(plan.kernels);
    const missing = [...reader.kernels].filter(([key]) => !this.known.has(key));
    if (missing.length > 0) await this.add(missing);
    for (const oldest of this.met.keys()) {
      if (this.met.size <= mostMet) break;
      this.met.delete(oldest);
    }
    const { device, known } = this;
    const { slots, hostKernels, checks } = reader;
    const blockBytes = slots.length * slotBytes;
    let block: number | undefined;
    return {
      hostKernels,
      checks,
      heldBytes: blockBytes,
      counts: { kernels: reader.calls + hostKernels.length, moduleBytes: 0, products: reader.products },
      texts: { kernels: () => `${reader.calls} calls of ${reader.kernels.size} kernels for any size, ${slots.length} numbers\n` },
      release: () => {
        if (block !== undefined) device.memory.release(block, blockBytes);
        block = undefined;
      },
      link: binding => {
        block ??= device.memory.allocate(blockBytes, "sizes");
        writeSlots(new DataView(device.memory.buffer, block, blockBytes), slots, binding);
        const run = sequence(tasks, { binding, block, known });
        return () => void run();
      },
    };
  }

  private async add(missing: readonly (readonly [key: string, kernel: AnySizeKernel])[]): Promise<void> {
    const { kernelTarget } = this.device;
    const recorder = new ModuleRecorder(kernelTarget, kernelTarget.threads > 1 ? sharedMemory : undefined);
    for (const [i, [, kernel]] of missing.entries()) recordAnySize(kernel, recorder, `kernel${i}`);
    const recorded = recorder.finish({ isVerified: false });
    const { module } = await this.compile(recorded);
    const { exports } = new WebAssembly.Instance(module, importsOf(recorded, this.device, {}, {}));
    for (const [i, [key]] of missing.entries()) this.known.set(key, exports[`kernel${i}`] as Call);
  }
}

/** A plan as tasks, with what it needs besides. */
class PlanReader {
  readonly slots: Slot[] = [];
  readonly kernels = new Map<string, AnySizeKernel>();
  readonly hostKernels: Kernel[] = [];
  readonly checks: Extract<Kernel, { kind: "check" }>[] = [];
  calls = 0;
  /** Of all contractions; what branches and loops do counts once. */
  products = 0;
  private readonly plan: Plan;
  private readonly recorder: ModuleRecorder;
  private readonly met: Map<string, Met>;

  constructor(plan: Plan, device: DeviceMemory, met: Map<string, Met>) {
    this.plan = plan;
    this.met = met;
    this.recorder = new ModuleRecorder(device.kernelTarget);
  }

  tasks(kernels: readonly Kernel[]): Task[] {
    return kernels.flatMap(kernel => this.tasksOf(kernel));
  }

  private tasksOf(kernel: Kernel): Task[] {
    switch (kernel.kind) {
      case "branch":
        return [{ kind: "branch", choice: kernel.choice, cases: kernel.cases.map(inner => this.tasks(inner)) }];
      case "loop":
        return [{ kind: "loop", condition: this.tasks(kernel.condition), test: kernel.test, body: this.tasks(kernel.body) }];
      case "copy": {
        const { from, to } = kernel;
        const onHost = this.plan.places.get(from)?.region === "host" || to.region === "host";
        return onHost ? [this.host(kernel)] : [{ kind: "copy", from, to, bytes: bytesOf(from) }];
      }
      case "sweep":
        return this.tasks(kernel.maps);
      case "reductions":
        return this.tasks(kernel.reductions);
      case "sort":
      case "rows":
      case "call":
        return [this.host(kernel)];
      case "scatter":
        if (!canRecord(kernel, this.plan.places)) return [this.host(kernel)];
        return isEmpty(kernel) ? this.copyOfBase(kernel) : this.recorded(kernel);
      default:
        if (isEmpty(kernel)) return [];
        return canRecord(kernel, this.plan.places) ? this.recorded(kernel) : [this.host(kernel)];
    }
  }

  private recorded(kernel: AnySizeKernel): Task[] {
    if (kernel.kind === "contract") this.products += sizeOf(kernel.shape) * sizeOf(kernel.over);
    this.calls++;
    const { text, values } = textOf(kernel);
    const met = this.met.get(text) ?? this.meet(kernel, values);
    this.met.delete(text);
    this.met.set(text, met);
    const { key } = met;
    if (!this.kernels.has(key)) this.kernels.set(key, kernel);
    const at = this.slots.length * slotBytes;
    for (const slot of met.slots) this.slots.push(typeof slot === "number" ? { address: values[slot] } : slot);
    const check = kernel.kind === "check" ? this.checks.push(kernel) - 1 : undefined;
    return [...(kernel.kind === "scatter" ? this.copyOfBase(kernel) : []), { kind: "kernel", key, at, check }];
  }

  private meet(kernel: AnySizeKernel, values: readonly Value[]): Met {
    const { slots, code } = recordAnySize(kernel, this.recorder, `kernel${this.met.size}`);
    const numbers = new Map(values.map((value, number) => [value, number]));
    return { key: keyOf(code), slots: slots.map(slot => ("address" in slot ? (numbers.get(slot.address) as number) : slot)) };
  }

  private copyOfBase({ base, out, inPlace }: Extract<Kernel, { kind: "scatter" }>): Task[] {
    if (inPlace) return [];
    return [{ kind: "copy", from: base, to: out, bytes: bytesOf(out) }];
  }

  private host(kernel: Kernel): Task {
    return { kind: "host", number: this.hostKernels.push(kernel) - 1 };
  }
}

const bytesOf = ({ shape, dtype }: Value): number => sizeOf(shape) * dtypeBytes(dtype);

/** Nothing to compute; what a scatter gives is then its base. */
function isEmpty(kernel: AnySizeKernel): boolean {
  switch (kernel.kind) {
    case "map":
    case "reduce":
    case "contract":
      return sizeOf(kernel.shape) === 0;
    case "scatter":
    case "check":
      return sizeOf(kernel.over) === 0;
    default:
      return sizeOf(kernel.out.shape) === 0;
  }
}

function writeSlots(view: DataView, slots: readonly Slot[], { addressOf }: Binding): void {
  for (const [i, slot] of slots.entries()) {
    const at = i * slotBytes;
    if ("address" in slot) {
      view.setUint32(at, addressOf(slot.address), true);
      continue;
    }
    const { type, value } = slot;
    if (type === "i32") view.setInt32(at, Number(value), true);
    else if (type === "i64") view.setBigInt64(at, BigInt.asIntN(64, BigInt(value)), true);
    else if (type === "f32") view.setFloat32(at, Number(value), true);
    else view.setFloat64(at, Number(value), true);
  }
}

interface Linking {
  readonly binding: Binding;
  readonly block: number;
  readonly known: ReadonlyMap<string, Call>;
}

function sequence(tasks: readonly Task[], linking: Linking): Run {
  const runs = tasks.map(task => linked(task, linking));
  return () => {
    for (const run of runs) if (!run()) return false;
    return true;
  };
}

function linked(task: Task, linking: Linking): Run {
  const { binding, block, known } = linking;
  const { device } = binding;
  switch (task.kind) {
    case "kernel": {
      const call = known.get(task.key);
      if (!call) throw new InternalError("A kernel for any size was not compiled.");
      const at = block + task.at;
      const { check } = task;
      if (check !== undefined)
        return () => {
          const failed = call(at);
          if (failed !== 0) binding.fail(check, failed - 1);
          return failed === 0;
        };
      return () => {
        call(at);
        return true;
      };
    }
    case "host":
      return () => {
        binding.host(task.number);
        return true;
      };
    case "copy": {
      const { bytes } = task;
      const from = binding.addressOf(task.from);
      const to = placeAddress(task.to, binding);
      return () => {
        new Uint8Array(device.memory.buffer).copyWithin(to, from, from + bytes);
        return true;
      };
    }
    case "branch": {
      const cases = task.cases.map(inner => sequence(inner, linking));
      const { choice } = task;
      const at = binding.addressOf(choice);
      const last = cases.length - 1;
      return () => {
        const chosen = device.view(choice.dtype === "bool" ? "uint8" : "int32", at, 1)[0] as number;
        return cases[chosen >= 0 && chosen < last ? chosen : last]();
      };
    }
    case "loop": {
      const condition = sequence(task.condition, linking);
      const body = sequence(task.body, linking);
      const at = binding.addressOf(task.test);
      const goesOn = (): boolean => device.view("uint8", at, 1)[0] !== 0;
      return () => {
        if (!condition()) return false;
        while (goesOn()) if (!body() || !condition()) return false;
        return true;
      };
    }
  }
}

function placeAddress(to: Place | Value, binding: Binding): number {
  if (!("region" in to)) return binding.addressOf(to);
  if (to.region === "host") throw new InternalError("A copy to the host is the host's.");
  return binding.offsetOf(to);
}
