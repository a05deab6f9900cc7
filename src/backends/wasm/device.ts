// A device of the wasm backend: one linear memory, the variables in it, one arena that all programs of the session share.

import type { DType, TypedArray } from "../../base/dtype.ts";
import { dtypeBytes, newTypedArray, viewTypedArray } from "../../base/dtype.ts";
import { InternalError, ResourceExhaustedError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf } from "../../base/shape.ts";
import type { Program, State } from "../../ir/program.ts";
import { KeptCode } from "../../kernels/common-code.ts";
import { type Recorded, record } from "../../kernels/index.ts";
import type { KernelModule } from "../../kernels/language.ts";
import type { Target } from "../../kernels/target.ts";
import { verifyModule } from "../../kernels/verify-kernels.ts";
import type { Plan, ScheduleTarget } from "../../schedule/plan.ts";
import { type CompileOptions, type Device, type Executable, resourceKeeper } from "../device.ts";
import { AnySizeKernels } from "./any-size.ts";
import { OwnCode } from "./code.ts";
import { WasmExecutable } from "./executable.ts";
import { alignment, LinearMemory } from "./memory.ts";
import { ModuleCache } from "./module-cache.ts";
import { printWasm } from "./printer.ts";
import { type ThreadPool, threadPool } from "./thread-pool.ts";

/** A state in memory. */
export interface HeldState {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly bytes: number;
  isInitialized: boolean;
  /** Strings and the like, which have no bytes in memory. */
  host?: NDArray | undefined;
  /** What it begins with, if not with nothing. */
  readonly initial?: State["initial"];
}

const statusBytes = 16;

const compiled = new ModuleCache();

export class WasmDevice implements Device {
  readonly name = "wasm";
  readonly memory: LinearMemory;
  /** Where threads share work. */
  readonly pool: ThreadPool | undefined;
  readonly kernelTarget: Target;
  readonly target: ScheduleTarget;
  readonly anySizeTarget: ScheduleTarget = { alignment, scratchBytes: () => 0, isAnySize: true };
  modules = 0;
  readonly statusOffset: number;
  /** Changes whenever a region moves, so that executables bind their globals anew. */
  layout = 0;
  shapeChanges = 0;
  arena: { offset: number; bytes: number } = { offset: 0, bytes: 0 };
  private readonly states = new Map<string, HeldState>();
  private readonly keptCode = new KeptCode();
  private readonly anySize = new AnySizeKernels(this);
  private readonly keeper = resourceKeeper();
  readonly resource = this.keeper.resource;
  readonly endResources = this.keeper.endResources;

  constructor(kernelTarget: Target, scratchBytes: ScheduleTarget["scratchBytes"]) {
    this.kernelTarget = kernelTarget;
    const isShared = kernelTarget.threads > 1;
    this.memory = new LinearMemory({ shared: isShared });
    this.pool = isShared ? threadPool() : undefined;
    this.pool?.open();
    this.target = { alignment, scratchBytes };
    this.statusOffset = this.memory.allocate(statusBytes, "the status words");
  }

  async compile(
    _program: Program,
    plan: Plan | null,
    { anySize = false, isTraced = false, fixed }: CompileOptions = {},
  ): Promise<Executable> {
    if (!plan) throw new InternalError("The wasm backend was given no plan.");
    refuseTooLarge(plan);
    if (anySize) return new WasmExecutable(this, plan, await this.anySize.codeOf(plan));
    const recorded: Recorded = record(plan, this.kernelTarget, {
      isVerified: false,
      isTraced,
      keeping: fixed && { code: this.keptCode, fixed },
    });
    const { module, bytes } = await this.compileModule(recorded.module);
    return new WasmExecutable(this, plan, new OwnCode(this, recorded, module, bytes), { isTraced });
  }

  async compileModule(recorded: KernelModule): Promise<{ module: WebAssembly.Module; bytes: number }> {
    const bytes = printWasm(recorded);
    this.modules++;
    const module = await compiled.compile(bytes).catch((error: unknown) => {
      // The engine checks types and scopes itself; where it objects, the verifier says what about in words of the language.
      verifyModule(recorded);
      throw new InternalError(`The engine refuses the module: ${String(error)}`);
    });
    return { module, bytes: bytes.length };
  }

  /** Makes the arena large enough for a plan. Programs compiled before move with it. */
  reserveArena(plan: Plan): void {
    const bytes = plan.arenaBytes;
    if (bytes <= this.arena.bytes) return;
    // A first program gets what it needs. Further growth is by half at least: sizes that creep up would else leave a hole each.
    const ample = Math.ceil(this.arena.bytes * 1.5);
    if (this.arena.bytes > 0) this.memory.release(this.arena.offset, this.arena.bytes);
    this.arena = { offset: 0, bytes: 0 };
    this.layout++;
    const size = ample > bytes && this.memory.hasRoomFor(ample) ? ample : bytes;
    this.arena = { offset: this.memory.allocate(size, "the arena", () => largestBuffers(plan)), bytes: size };
  }

  /** The state's memory, made (uninitialized, or with its initial value) when first met or when its shape changed. */
  hold(state: State): HeldState {
    const known = this.states.get(state.id);
    if (known && known.dtype === state.dtype && known.shape.join() === state.shape.join()) return known;
    if (known) {
      this.memory.release(known.offset, known.bytes);
      this.shapeChanges++;
    }
    const bytes = sizeOf(state.shape) * dtypeBytes(state.dtype);
    const held: HeldState = {
      dtype: state.dtype,
      shape: state.shape,
      bytes,
      offset: this.memory.allocate(bytes, `variable ${state.id}`),
      isInitialized: false,
      initial: state.initial,
    };
    this.states.set(state.id, held);
    this.layout++;
    if (state.initial) this.fill(held, state.initial());
    return held;
  }

  find(id: string): HeldState | undefined {
    return this.states.get(id);
  }

  private fill(held: HeldState, value: NDArray): void {
    held.isInitialized = true;
    if (bytesOf(held) === 0 && held.dtype === "string") held.host = value;
    else this.view(held.dtype, held.offset, sizeOf(held.shape)).set(value.data as never);
  }

  view(dtype: DType, offset: number, elements: number): TypedArray {
    return viewTypedArray(dtype, this.memory.buffer, offset, elements);
  }

  readState(id: string): NDArray | undefined {
    const held = this.states.get(id);
    if (!held?.isInitialized) return undefined;
    if (held.host) return held.host;
    const elements = sizeOf(held.shape);
    const copy = newTypedArray(held.dtype, elements);
    copy.set(this.view(held.dtype, held.offset, elements) as never);
    return new NDArray(held.dtype, held.shape, copy);
  }

  stateShape(id: string): readonly number[] | undefined {
    const held = this.states.get(id);
    return held?.isInitialized ? held.shape : undefined;
  }

  writeState(id: string, value: NDArray): void {
    this.fill(this.hold({ id, dtype: value.dtype, shape: value.shape, role: "variable" }), value);
  }

  dropState(id: string): void {
    const held = this.states.get(id);
    if (held) held.isInitialized = false;
  }

  restart(prefix: string): void {
    for (const [id, held] of this.states) if (held.initial && id.startsWith(prefix)) this.fill(held, held.initial());
  }

  close(): void {
    this.states.clear();
    this.layout++;
    this.pool?.close();
  }
}

const mostArenaBytes = 2 ** 32;
const mostElements = 2 ** 31;

/** @throws ResourceExhaustedError for what 32 bits cannot address, before anything is recorded for it. */
function refuseTooLarge(plan: Plan): void {
  if (plan.arenaBytes > mostArenaBytes)
    throw new ResourceExhaustedError(
      `OOM when allocating ${plan.arenaBytes} bytes for the arena${largestBuffers(plan)}\n\nWebAssembly addresses at most 4 GiB. Use a smaller batch.`,
    );
  for (const value of plan.places.keys())
    if (sizeOf(value.shape) >= mostElements)
      throw new ResourceExhaustedError(
        `OOM when allocating tensor with shape[${value.shape}] and type ${value.dtype}\n\nLoops count elements by signed 32-bit numbers: a tensor has less than 2^31. Use a smaller batch.`,
      );
}

/** The largest buffers of a plan's arena, as words of a message. */
function largestBuffers(plan: Plan): string {
  const buffers = new Map<string, number>();
  for (const [{ dtype, shape }, place] of plan.places)
    if (place.region === "arena") buffers.set(`${dtype}[${shape}]: ${place.bytes} bytes at ${place.offsetBytes}`, place.bytes);
  const largest = [...buffers].sort(([, a], [, b]) => b - a).slice(0, 5);
  return largest.length === 0 ? "" : `; its largest buffers are ${largest.map(([text]) => text).join(", ")}`;
}

const bytesOf = (held: HeldState): number => sizeOf(held.shape) * dtypeBytes(held.dtype);
