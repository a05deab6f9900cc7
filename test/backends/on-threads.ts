// A program run on the wasm backend by so many threads, with everything shared that can be: for tests of what threads must not change.
import { OwnCode } from "../../src/backends/wasm/code.ts";
import { WasmDevice } from "../../src/backends/wasm/device.ts";
import { WasmExecutable } from "../../src/backends/wasm/executable.ts";
import { engineTarget } from "../../src/backends/wasm/features.ts";
import { printWasm } from "../../src/backends/wasm/printer.ts";
import { newTypedArray } from "../../src/base/dtype.ts";
import { NDArray } from "../../src/base/ndarray.ts";
import { sizeOf } from "../../src/base/shape.ts";
import type { Program } from "../../src/ir/program.ts";
import { type Recorded, record, type RecordOptions } from "../../src/kernels/index.ts";
import type { KernelModule } from "../../src/kernels/language/language.ts";
import type { SharingRules } from "../../src/kernels/threads.ts";
import type { Plan } from "../../src/schedule/plan.ts";
import { schedule } from "../../src/schedule/index.ts";
import { type RandomCase, randomNumbers } from "../plans/random-program.ts";
import { numbered } from "./compare-backends.ts";

export const everythingShared: SharingRules = { leastPhase: 0, leastRun: 0, leastChunk: 1, patienceMs: 60_000 };

export function deviceOf(threads: number): WasmDevice {
  const target = engineTarget({ threads });
  return new WasmDevice(target);
}

/** The program compiled for a device, its plan and its recorded module changed on the way. */
export function compiledOn(
  device: WasmDevice,
  given: RandomCase,
  change = (module: KernelModule): KernelModule => module,
  changePlan = (plan: Plan): Plan => plan,
  recording: RecordOptions = {},
): WasmExecutable {
  const { program, states } = numbered(given);
  const plan = changePlan(schedule(program, device.target));
  const recorded: Recorded = record(plan, device.kernelTarget, { sharing: everythingShared, ...recording });
  const bytes = printWasm(change(recorded.module));
  for (const [id, value] of states) device.writeState(id, value);
  return new WasmExecutable(device, plan, new OwnCode(device, recorded, new WebAssembly.Module(bytes), bytes.length));
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Waits, without letting events in, until every worker is in the program. */
export function untilAllAreIn(device: WasmDevice, { held }: WasmExecutable): void {
  if (!held || !device.pool) return;
  device.pool.join(held);
  const end = performance.now() + 20_000;
  while (device.pool.inside(held) < device.kernelTarget.threads - 1) {
    if (performance.now() > end) throw new Error(`only ${device.pool.inside(held)} workers came`);
    Atomics.wait(sleeper, 0, 0, 0.2);
  }
}

export interface ThreadedRun {
  /** Results and states after each of two runs, or the error. */
  readonly outcomes: readonly (readonly NDArray[] | string)[];
  readonly chunksOfWorkers: number;
}

export interface RunOptions {
  /** What to do with the device before anything is compiled for it. */
  readonly before?: (device: WasmDevice) => void;
  readonly changePlan?: (plan: Plan) => Plan;
  readonly isPoisoned?: boolean;
  readonly recording?: RecordOptions;
}

/** Two runs, the second with the states the first left, memory poisoned before each. */
export function runOn(
  threads: number,
  given: RandomCase,
  { before, changePlan, isPoisoned = true, recording }: RunOptions = {},
): ThreadedRun {
  const device = deviceOf(threads);
  try {
    before?.(device);
    const executable = compiledOn(device, given, undefined, changePlan, recording);
    untilAllAreIn(device, executable);
    const outcomes = [0, 1].map(() => {
      if (isPoisoned) new Uint8Array(device.memory.buffer, device.arena.offset, device.arena.bytes).fill(0xff);
      try {
        const results = executable.run([...numbered(given).feeds.values()]);
        return [...results, ...[...given.states.keys()].map(id => device.readState(id) as NDArray)];
      } catch (error) {
        return (error as Error).message;
      }
    });
    return { outcomes, chunksOfWorkers: executable.held?.chunksOfWorkers ?? 0 };
  } finally {
    device.close();
  }
}

/** A known program with something in its feeds and states. */
export function filled(program: Program, seed = 7): RandomCase {
  const random = randomNumbers(seed);
  const arrayOf = ({ dtype, shape }: { dtype: NDArray["dtype"]; shape: readonly number[] }): NDArray => {
    const data = newTypedArray(dtype, sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = (dtype.startsWith("float") ? random() - 0.5 : Math.floor(3 * random())) as never;
    return new NDArray(dtype, shape, data);
  };
  const feeds = program.steps.flatMap(step => (step.kind === "feed" ? [[step.name, arrayOf(step.out)] as const] : []));
  const states = program.steps.flatMap(step => (step.kind === "state" ? [[step.state.id, arrayOf(step.out)] as const] : []));
  return { program, feeds: new Map(feeds), states: new Map(states) };
}

/** Outcomes as texts that are equal where every bit is. */
export const bits = (outcome: readonly NDArray[] | string): unknown =>
  typeof outcome === "string"
    ? outcome
    : outcome.map(({ dtype, shape, data }) => [
        dtype,
        shape,
        Array.isArray(data)
          ? data
          : Buffer.from((data as Uint8Array).buffer, data.byteOffset, (data as Uint8Array).byteLength).toString("hex"),
      ]);
