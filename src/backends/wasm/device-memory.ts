// The memory of a device: one linear memory, the variables in it, one arena that all programs of the session share, and who works on it.

import type { DType, TypedArray } from "../../base/dtype.ts";
import { dtypeBytes, newTypedArray, viewTypedArray } from "../../base/dtype.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf } from "../../base/shape.ts";
import type { State } from "../../ir/program.ts";
import type { Target } from "../../kernels/target.ts";
import type { Plan } from "../../schedule/plan.ts";
import { LinearMemory } from "./memory.ts";
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

export class DeviceMemory {
  readonly memory: LinearMemory;
  /** Where threads share work. */
  readonly pool: ThreadPool | undefined;
  readonly kernelTarget: Target;
  readonly statusOffset: number;
  /** Changes whenever a region moves, so that executables bind their globals anew. */
  layout = 0;
  shapeChanges = 0;
  arena: { offset: number; bytes: number } = { offset: 0, bytes: 0 };
  private readonly states = new Map<string, HeldState>();

  constructor(kernelTarget: Target) {
    this.kernelTarget = kernelTarget;
    const isShared = kernelTarget.threads > 1;
    this.memory = new LinearMemory({ shared: isShared });
    this.pool = isShared ? threadPool() : undefined;
    this.pool?.open();
    this.statusOffset = this.memory.allocate(statusBytes, "the status words");
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
      this.states.delete(state.id);
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
    if (held.host) return new NDArray(held.dtype, held.shape, held.host.data.slice());
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
    this.become({ id, dtype: value.dtype, shape: value.shape, role: "variable" }, value);
  }

  /** Makes a state hold a value, in memory of its shape. */
  become(state: State, value: NDArray): void {
    this.fill(this.hold(state), value);
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

/** The largest buffers of a plan's arena, as words of a message. */
export function largestBuffers(plan: Plan): string {
  const buffers = new Map<string, number>();
  for (const [{ dtype, shape }, place] of plan.places)
    if (place.region === "arena") buffers.set(`${dtype}[${shape}]: ${place.bytes} bytes at ${place.offsetBytes}`, place.bytes);
  const largest = [...buffers].sort(([, a], [, b]) => b - a).slice(0, 5);
  return largest.length === 0 ? "" : `; its largest buffers are ${largest.map(([text]) => text).join(", ")}`;
}

const bytesOf = (held: HeldState): number => sizeOf(held.shape) * dtypeBytes(held.dtype);
