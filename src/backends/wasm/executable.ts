// A compiled plan: copy feeds in, one call, copy results out. Nothing is allocated per run but the results.

import type { TypedArray } from "../../base/dtype.ts";
import { dtypeTable, newTypedArray } from "../../base/dtype.ts";
import { InternalError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf } from "../../base/shape.ts";
import type { State, Value } from "../../ir/program.ts";
import { hostFunctionName } from "../../kernels/elementary.ts";
import type { Recorded } from "../../kernels/index.ts";
import { arenaGlobal, constantGlobal, stateGlobal } from "../../kernels/places.ts";
import { controlBytes, controlGlobal, mayWaitGlobal } from "../../kernels/threads.ts";
import { statusGlobal } from "../../kernels/check.ts";
import { printModule } from "../../kernels/print-kernels.ts";
import { printPhases } from "../../kernels/print-phases.ts";
import type { Kernel, Place, Plan } from "../../schedule/plan.ts";
import type { Executable } from "../device.ts";
import { uninitializedError } from "../uninitialized.ts";
import { hostFunctions } from "../special.ts";
import type { HeldState, WasmDevice } from "./device.ts";
import { type HostMemory, runHostKernel } from "./host-kernels.ts";
import type { HeldProgram, ThreadPool } from "./thread-pool.ts";
import { describeWasm, importNamespaces } from "./printer.ts";

export class WasmExecutable implements Executable {
  readonly counts: Readonly<Record<string, number>>;
  readonly texts: Readonly<Record<string, () => string>>;
  private readonly device: WasmDevice;
  private readonly plan: Plan;
  private readonly recorded: Recorded;
  private readonly module: WebAssembly.Module;
  private readonly hostValues: NDArray[] = [];
  private constantsAt: number | undefined;
  private layout = -1;
  private memoryVersion = -1;
  private start: () => void = () => {};
  /** What workers hold of it, where threads share its phases. */
  held: HeldProgram | undefined;
  private controlAt: number | undefined;
  private required: { held: HeldState; state: State; reader: string }[] = [];
  private written: HeldState[] = [];
  private feedViews: (TypedArray | null)[] = [];
  private resultViews: (TypedArray | null)[] = [];
  private status = new Int32Array(2);

  constructor(device: WasmDevice, plan: Plan, recorded: Recorded, module: WebAssembly.Module, moduleBytes: number) {
    this.device = device;
    this.plan = plan;
    this.recorded = recorded;
    this.module = module;
    this.counts = {
      kernels: recorded.phases.length + recorded.hostKernels.length,
      hostKernels: recorded.hostKernels.length,
      arenaBytes: plan.arenaBytes,
      constantBytes: plan.constantBytes,
      moduleBytes,
      threads: device.kernelTarget.threads,
      sharedPhases: recorded.sharedPhases,
      /** All linear memory of the device, as it is when asked. */
      get memoryBytes() {
        return device.memory.buffer.byteLength;
      },
    };
    this.texts = {
      phases: () => printPhases(recorded),
      kernels: () => printModule(recorded.module),
      module: () => describeWasm(recorded.module),
    };
    for (const { data, slot } of plan.hostConstants) this.hostValues[slot] = data;
    this.bind();
  }

  run(feeds: readonly NDArray[]): readonly NDArray[] {
    this.bind();
    for (const { held, state, reader } of this.required) if (!held.isInitialized) throw uninitializedError(state, reader);
    this.copyIn(feeds);
    this.status[0] = 0;
    this.call();
    // A host routine may have grown the memory.
    if (this.memoryVersion !== this.device.memory.version) this.makeViews();
    if (this.status[0] !== 0) throw this.failure();
    for (const held of this.written) held.isInitialized = true;
    return this.plan.results.map((value, i) => this.copyOut(value, i));
  }

  private call(): void {
    const { held } = this;
    if (held === undefined) return this.start();
    const pool = this.device.pool as ThreadPool;
    pool.join(held);
    try {
      this.start();
    } catch (error) {
      held.settle();
      throw error;
    }
    if (held.takeFailure()) throw new InternalError(`A thread stopped: ${pool.failureText()}`);
  }

  // ---- binding: addresses, instance, views ----

  private bind(): void {
    const { device, plan } = this;
    if (this.layout === device.layout && this.memoryVersion === device.memory.version) return;
    device.reserveArena(plan.arenaBytes);
    const held = plan.states.map(({ state }) => device.hold(state));
    this.constantsAt ??= this.placeConstants();
    if (this.layout !== device.layout) {
      this.required = plan.states.flatMap(({ state, reader }, i) => (reader === undefined ? [] : [{ held: held[i], state, reader }]));
      this.written = held.filter((_, i) => plan.states[i].written);
      this.instantiate();
      this.layout = device.layout;
    }
    this.makeViews();
  }

  private placeConstants(): number {
    const at = this.device.memory.allocate(this.plan.constantBytes, "constants");
    for (const { data, offsetBytes } of this.plan.constants)
      this.device.view(data.dtype, at + offsetBytes, data.size).set(data.data as never);
    for (const { data, slot } of this.plan.hostConstants) this.hostValues[slot] = data;
    return at;
  }

  private instantiate(): void {
    const { device, module, plan } = this;
    const globals: Record<string, number> = {
      [arenaGlobal]: device.arena.offset,
      [constantGlobal]: this.constantsAt ?? 0,
      [statusGlobal]: device.statusOffset,
    };
    for (const { state } of plan.states) globals[stateGlobal(state.id)] = device.hold(state).offset;
    const host: Record<string, (...args: number[]) => number | void> = { host: k => this.host(k) };
    for (const { name } of this.recorded.module.imports) if (name !== "host") host[name] = importedFunction(name);
    if (this.recorded.sharedPhases > 0) this.share(globals);
    const instance = new WebAssembly.Instance(module, {
      [importNamespaces.memory]: { memory: device.memory.memory },
      [importNamespaces.globals]: globals,
      [importNamespaces.functions]: host,
    });
    this.start = instance.exports.run as () => void;
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

  private makeViews(): void {
    const { device, plan } = this;
    this.status = new Int32Array(device.memory.buffer, device.statusOffset, 2);
    this.feedViews = plan.feeds.map(({ value }) => this.viewOf(value));
    this.resultViews = plan.results.map(value => this.viewOf(value));
    this.memoryVersion = device.memory.version;
  }

  private offsetOf(place: Exclude<Place, { region: "host" }>): number {
    switch (place.region) {
      case "arena":
        return this.device.arena.offset + place.offsetBytes;
      case "constant":
        return (this.constantsAt ?? 0) + place.offsetBytes;
      case "state":
        return this.device.hold(place.state).offset;
    }
  }

  private placeOf(value: Value): Place {
    const place = this.plan.places.get(value);
    if (!place) throw new InternalError(`v${value.id} has no place.`);
    return place;
  }

  private viewOf(value: Value): TypedArray | null {
    const place = this.placeOf(value);
    return place.region === "host" || dtypeTable[value.dtype].bytes === 0
      ? null
      : this.device.view(value.dtype, this.offsetOf(place), sizeOf(value.shape));
  }

  // ---- data ----

  private copyIn(feeds: readonly NDArray[]): void {
    const { plan, feedViews } = this;
    for (let i = 0; i < plan.feeds.length; i++) {
      const array = feeds[Number(plan.feeds[i].name)];
      const view = feedViews[i];
      if (view) view.set(array.data as never);
      else this.hostWrite(plan.feeds[i].value, array);
    }
    for (const { state, value } of plan.flags) {
      const place = this.placeOf(value);
      if (place.region !== "host")
        this.device.view("uint8", this.offsetOf(place), 1)[0] = this.device.find(state.id)?.isInitialized ? 1 : 0;
    }
  }

  private copyOut(value: Value, i: number): NDArray {
    const view = this.resultViews[i];
    if (!view) {
      const { dtype, data } = this.hostRead(value);
      return new NDArray(dtype, value.shape, data.slice());
    }
    const copy = newTypedArray(value.dtype, sizeOf(value.shape));
    copy.set(view as never);
    return new NDArray(value.dtype, value.shape, copy);
  }

  // ---- host kernels ----

  private host(k: number): void {
    runHostKernel(this.recorded.hostKernels[k], this.hostMemory);
  }

  private readonly hostMemory: HostMemory = {
    read: value => this.hostRead(value),
    write: (value, array) => this.hostWrite(value, array),
    copy: kernel => this.hostCopy(kernel),
  };

  private hostRead(value: Value): NDArray {
    const place = this.placeOf(value);
    if (place.region === "host") return this.hostValues[place.slot];
    if (place.region === "state" && dtypeTable[value.dtype].bytes === 0) return this.device.hold(place.state).host as NDArray;
    return new NDArray(value.dtype, value.shape, this.device.view(value.dtype, this.offsetOf(place), sizeOf(value.shape)));
  }

  private hostWrite(value: Value, array: NDArray): void {
    const place = this.placeOf(value);
    if (place.region === "host") this.hostValues[place.slot] = array;
    else if (place.region === "state" && dtypeTable[value.dtype].bytes === 0) this.device.hold(place.state).host = array;
    else this.device.view(value.dtype, this.offsetOf(place), sizeOf(value.shape)).set(array.data as never);
  }

  private hostCopy({ from, to }: Extract<Kernel, { kind: "copy" }>): void {
    const array = this.hostRead(from);
    if (to.region === "host") this.hostValues[to.slot] = array;
    else if (to.region === "state" && dtypeTable[from.dtype].bytes === 0) this.device.hold(to.state).host = array;
    else this.device.view(from.dtype, this.offsetOf(to), sizeOf(from.shape)).set(array.data as never);
  }

  // ---- failures ----

  private failure(): Error {
    const [number, flat] = this.status;
    const check = this.recorded.checks[number - 1];
    if (!check) return new InternalError(`The run stopped with status ${number}.`);
    let rest = flat;
    const at = [...check.over]
      .reverse()
      .map(size => {
        const position = rest % size;
        rest = Math.floor(rest / size);
        return position;
      })
      .reverse();
    return check.failure.error(at, value => this.hostRead(value));
  }
}

function importedFunction(name: string): (...args: number[]) => number {
  for (const [fn, implementation] of Object.entries(hostFunctions) as [keyof typeof hostFunctions, (...args: number[]) => number][]) {
    if (hostFunctionName(fn) === name) return implementation;
  }
  throw new InternalError(`The module imports ${name}, which the host does not have.`);
}
