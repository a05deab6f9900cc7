// A compiled plan: copy feeds in, one call, copy results out. Nothing is allocated per run but the results.

import type { TypedArray } from "../../base/dtype.ts";
import { copyTypedArray, dtypeTable } from "../../base/dtype.ts";
import { InternalError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf } from "../../base/shape.ts";
import type { State, Value } from "../../ir/program.ts";
import type { TracedPart } from "../../kernels/estimate.ts";
import { planBound } from "../../schedule/index.ts";
import type { Kernel, Place, Plan } from "../../schedule/plan.ts";
import type { Executable, TracedTime } from "../device.ts";
import { uninitializedError } from "../../ir/uninitialized.ts";
import type { Code } from "./code.ts";
import type { DeviceMemory, HeldState } from "./device-memory.ts";
import { type HostMemory, runHostKernel } from "./host-kernels.ts";
import type { HeldProgram } from "./thread-pool.ts";

export class WasmExecutable implements Executable {
  readonly counts: Readonly<Record<string, number>>;
  readonly texts: Readonly<Record<string, () => string>>;
  readonly parts: Executable["parts"];
  private readonly device: DeviceMemory;
  private readonly plan: Plan;
  private readonly code: Code;
  private readonly hostValues: NDArray[] = [];
  private constantsAt: number | undefined;
  private layout = -1;
  private memoryVersion = -1;
  private start: () => void = () => {};
  private required: { held: HeldState; state: State; reader: string }[] = [];
  private written: HeldState[] = [];
  /** Where each feed of the plan is among those given. */
  private readonly feedNumbers: readonly number[];
  private feedViews: (TypedArray | null)[] = [];
  private resultViews: (TypedArray | null)[] = [];
  private status = new Int32Array(2);
  readonly trace?: TracedTime[];
  private lastMark = 0;

  constructor(device: DeviceMemory, plan: Plan, code: Code, { isTraced = false } = {}) {
    if (isTraced) this.trace = [];
    this.device = device;
    this.plan = plan;
    this.code = code;
    this.feedNumbers = plan.feeds.map(({ name }) => Number(name));
    this.counts = {
      hostKernels: code.hostKernels.length,
      arenaBytes: plan.arenaBytes,
      /** The most bytes alive at once: no arena could be smaller. */
      get arenaBound() {
        return planBound(plan);
      },
      constantBytes: plan.constantBytes,
      ...code.counts,
      /** All linear memory of the device, as it is when asked. */
      get memoryBytes() {
        return device.memory.buffer.byteLength;
      },
    };
    this.texts = code.texts;
    this.parts = code.parts;
    for (const { data, slot } of plan.hostConstants) this.hostValues[slot] = data;
    this.bind();
  }

  run(feeds: readonly NDArray[], into = new Array<NDArray>(this.plan.results.length)): readonly NDArray[] {
    this.bind();
    this.requireInitialized();
    this.copyIn(feeds);
    this.status[0] = 0;
    if (this.trace !== undefined) {
      this.trace.length = 0;
      this.lastMark = performance.now();
    }
    this.start();
    // A host routine may have grown the memory.
    if (this.memoryVersion !== this.device.memory.version) this.makeViews();
    if (this.status[0] !== 0) throw this.failure();
    for (let i = 0; i < this.written.length; i++) this.written[i].isInitialized = true;
    for (let i = 0; i < into.length; i++) into[i] = this.copyOut(this.plan.results[i], this.resultViews[i]);
    if (this.plan.reshaped.length > 0) this.reshape();
    return into;
  }

  /** What workers hold of it, where threads share its phases. */
  get held(): HeldProgram | undefined {
    return this.code.held;
  }

  get heldBytes(): number {
    return this.plan.constantBytes + this.code.heldBytes;
  }

  release(): void {
    if (this.constantsAt !== undefined) this.device.memory.release(this.constantsAt, this.plan.constantBytes);
    this.constantsAt = undefined;
    this.code.release();
  }

  // ---- binding: addresses, instance, views ----

  private bind(): void {
    const { device, plan } = this;
    if (this.layout === device.layout && this.memoryVersion === device.memory.version) return;
    device.reserveArena(plan);
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
    const { device, plan } = this;
    this.start = this.code.link({
      device,
      plan,
      constantsAt: this.constantsAt ?? 0,
      addressOf: value => this.addressOf(value),
      offsetOf: place => this.offsetOf(place),
      host: k => this.host(k),
      mark: part => this.mark(part),
      fail: (k, at) => {
        this.status[0] = k + 1;
        this.status[1] = at;
      },
    });
  }

  private mark(part: TracedPart): void {
    const now = performance.now();
    this.trace?.push({ ...part, begin: this.lastMark, end: now });
    this.lastMark = performance.now();
  }

  private addressOf(value: Value): number {
    const place = this.placeOf(value);
    if (place.region === "host") throw new InternalError(`v${value.id} lives on the host.`);
    return this.offsetOf(place);
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

  // Loops of a run count by themselves: each `for … of` would leave an iterator behind.

  private requireInitialized(): void {
    for (let i = 0; i < this.required.length; i++) {
      const { held, state, reader } = this.required[i];
      if (!held.isInitialized) throw uninitializedError(state, reader);
    }
  }

  private copyIn(feeds: readonly NDArray[]): void {
    const { plan, feedViews } = this;
    for (let i = 0; i < plan.feeds.length; i++) {
      const array = feeds[this.feedNumbers[i]];
      const view = feedViews[i];
      if (view) view.set(array.data as never);
      // A variable may come to hold it, and the caller may change what is fed.
      else this.hostWrite(plan.feeds[i].value, new NDArray(array.dtype, array.shape, array.data.slice()));
    }
    for (let i = 0; i < plan.flags.length; i++) {
      const { state, value } = plan.flags[i];
      const place = this.placeOf(value);
      if (place.region !== "host")
        this.device.view("uint8", this.offsetOf(place), 1)[0] = this.device.find(state.id)?.isInitialized ? 1 : 0;
    }
  }

  /** Gives states memory of another shape, once all that they are to hold has been read. */
  private reshape(): void {
    const { reshaped } = this.plan;
    const arrays = reshaped.map(({ value }) => this.copyOut(value, this.viewOf(value)));
    reshaped.forEach(({ state }, i) => void this.device.become(state, arrays[i]));
  }

  private copyOut(value: Value, view: TypedArray | null): NDArray {
    if (view) return new NDArray(value.dtype, value.shape, copyTypedArray(value.dtype, view));
    const { dtype, data } = this.hostRead(value);
    return new NDArray(dtype, value.shape, data.slice());
  }

  // ---- host kernels ----

  private host(k: number): void {
    runHostKernel(this.code.hostKernels[k], this.hostMemory);
  }

  private readonly hostMemory: HostMemory = {
    read: value => this.hostRead(value),
    write: (value, array) => this.hostWrite(value, array),
    copy: kernel => this.hostCopy(kernel),
  };

  private hostRead(value: Value): NDArray {
    const place = this.placeOf(value);
    // Nobody computes what has no elements.
    if (sizeOf(value.shape) === 0) return NDArray.zeros(value.dtype, value.shape);
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
    const check = this.code.checks[number - 1];
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
