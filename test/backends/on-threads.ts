// A program run on the wasm backend by so many threads, with everything shared that can be: for tests of what threads must not change.
import { OwnCode } from "../../src/backends/wasm/code.ts";
import { WasmDevice } from "../../src/backends/wasm/device.ts";
import { WasmExecutable } from "../../src/backends/wasm/executable.ts";
import { engineTarget } from "../../src/backends/wasm/features.ts";
import { printWasm } from "../../src/backends/wasm/printer.ts";
import type { NDArray } from "../../src/base/ndarray.ts";
import { type Recorded, record } from "../../src/kernels/index.ts";
import type { KernelModule } from "../../src/kernels/language.ts";
import { scratchBytesOf } from "../../src/kernels/scratch.ts";
import type { SharingRules } from "../../src/kernels/threads.ts";
import { schedule } from "../../src/schedule/index.ts";
import type { RandomCase } from "../plans/random-program.ts";
import { numbered } from "./compare-backends.ts";

export const everythingShared: SharingRules = { leastPhase: 0, leastRun: 0, leastChunk: 1 };

export function deviceOf(threads: number): WasmDevice {
  const target = engineTarget({ threads });
  return new WasmDevice(target, kernel => scratchBytesOf(kernel, target));
}

/** The program compiled for a device, its recorded module changed by `change`. */
export function compiledOn(device: WasmDevice, given: RandomCase, change = (module: KernelModule): KernelModule => module): WasmExecutable {
  const { program, states } = numbered(given);
  const plan = schedule(program, device.target);
  const recorded: Recorded = record(plan, device.kernelTarget, { sharing: everythingShared });
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

/** Two runs, the second with the states the first left, memory poisoned before each. */
export function runOn(threads: number, given: RandomCase): ThreadedRun {
  const device = deviceOf(threads);
  try {
    const executable = compiledOn(device, given);
    untilAllAreIn(device, executable);
    const outcomes = [0, 1].map(() => {
      new Uint8Array(device.memory.buffer, device.arena.offset, device.arena.bytes).fill(0xff);
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
