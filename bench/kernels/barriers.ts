// What it costs to share a phase with other threads: the figures behind the thresholds of src/kernels/threads.ts. Phases of plain arithmetic, of so many
// microseconds each, follow each other in one run, done by the caller alone and shared; then a single phase whose workers are asleep.
// Least times, for a machine that does other things too. `npm run bench -- barriers [--threads N]`.

import { engineTarget } from "../../src/backends/wasm/features.ts";
import { importNamespaces, printWasm } from "../../src/backends/wasm/printer.ts";
import { type HeldProgram, threadPool } from "../../src/backends/wasm/thread-pool.ts";
import { f32, i32 } from "../../src/kernels/language/language.ts";
import type { Phase } from "../../src/kernels/phase.ts";
import { ModuleRecorder } from "../../src/kernels/language/recorder.ts";
import { controlGlobal, mayWaitGlobal, Sharing, sharedMemory, usualRules } from "../../src/kernels/threads.ts";

/** schedule/cost.ts counts so much a microsecond. */
const workPerMicrosecond = 30_000;
const units = 64;
const resultsAt = 4096;
const controlAt = 1024;

interface Run {
  readonly held: HeldProgram | undefined;
  run(): void;
}

/** So many phases, each `passes` rounds of arithmetic a unit; shared if there are threads, whatever their work. */
function phasesOf(threads: number, phases: number, passes: number, microseconds: number): Run {
  const m = new ModuleRecorder(engineTarget({ threads }), sharedMemory);
  const sharing = new Sharing(m, usualRules);
  const unit = m.function("unit", { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    k.loop({ from: low, to: high }, at => {
      const value = k.number("f32");
      k.set(value, f32.const(1));
      k.loop({ to: passes }, () => k.set(value, f32.add(f32.mul(value, 0.5), 1)));
      k.store("f32", i32.shl(at, 2), resultsAt, value);
    });
  });
  const phase: Phase = { name: "unit", function: unit, units, work: workPerMicrosecond * microseconds };
  m.function("run", { exported: true, results: [] }, k => {
    for (let i = 0; i < phases; i++) {
      if (threads > 1) sharing.share(phase, k);
      else k.call(unit, 0, units);
    }
  });
  sharing.finish();
  const module = new WebAssembly.Module(printWasm(m.finish()));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: sharedMemory.maxPages as number, shared: true });
  const globals = { [controlGlobal]: controlAt, [mayWaitGlobal]: 1 };
  const imports = { [importNamespaces.memory]: { memory }, [importNamespaces.globals]: globals, [importNamespaces.functions]: {} };
  const run = new WebAssembly.Instance(module, imports).exports.run as () => void;
  if (threads === 1) return { held: undefined, run };
  const pool = threadPool();
  const held = pool.hold({ module, memory, globals, functions: [], threads, controlAt });
  return {
    held,
    run: () => {
      pool.join(held);
      run();
    },
  };
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));
const pause = (ms: number): unknown => Atomics.wait(sleeper, 0, 0, ms);

/** Runs until workers have a share in a run, for some milliseconds at most: other work may keep them away. */
function untilHelped({ held, run }: Run): void {
  const end = performance.now() + 10;
  let before: number;
  do {
    before = held?.chunksOfWorkers ?? 0;
    run();
  } while (held && held.chunksOfWorkers === before && performance.now() < end);
}

/** Least microseconds of each, in turns; before each a pause, if workers are to be asleep. */
async function leastOf(runs: readonly Run[], seconds: number, pauseMs: number): Promise<number[]> {
  const least = runs.map(() => Number.POSITIVE_INFINITY);
  const end = performance.now() + seconds * 1000;
  for (let turn = 0; performance.now() < end; turn++) {
    for (const [i, { run }] of runs.entries()) {
      untilHelped(runs[i]);
      if (pauseMs > 0) pause(pauseMs);
      const began = performance.now();
      run();
      least[i] = Math.min(least[i], (performance.now() - began) * 1000);
    }
    // Workers take their mail.
    if (turn % 50 === 0) await new Promise(resolve => setTimeout(resolve, 1));
  }
  return least;
}

/** Prints what is gained by sharing phases of several lengths. */
export async function printBarriers(threads: number, seconds: number): Promise<void> {
  threadPool().open();
  const { run } = phasesOf(1, 1, 1000, 0);
  for (let i = 0; i < 20; i++) run();
  let pass = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 200; i++) {
    const began = performance.now();
    run();
    pass = Math.min(pass, ((performance.now() - began) * 1000) / units / 1000);
  }
  const compare = async (phases: number, microseconds: number, pauseMs: number): Promise<void> => {
    const passes = Math.max(1, Math.round(microseconds / units / pass));
    const runs = [1, threads].map(count => phasesOf(count, phases, passes, microseconds));
    for (let i = 0; i < 30; i++) {
      for (const each of runs) each.run();
      await new Promise(resolve => setTimeout(resolve, 1));
    }
    const [alone, shared] = (await leastOf(runs, seconds, pauseMs)).map(time => time / phases);
    console.log(
      `${alone.toFixed(1).padStart(8)} µs alone ${shared.toFixed(1).padStart(8)} µs on ${threads} threads, ${(alone / shared).toFixed(2)}`,
    );
    if (runs[1].held) threadPool().retire(runs[1].held);
  };
  console.log("Phases one after the other, workers awake:");
  for (const microseconds of [1, 2, 3, 5, 10, 20, 50, 100]) await compare(50, microseconds, 0);
  console.log("A phase alone, workers asleep:");
  for (const microseconds of [20, 50, 100, 200, 500, 1000, 2000]) await compare(1, microseconds, 2);
  threadPool().close();
}
