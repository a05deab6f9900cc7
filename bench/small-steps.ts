// What a small step costs beside its arithmetic: the least microseconds of steps in a row, and the bytes that a step leaves to the garbage collector,
// beside what its results alone take. `npm run bench -- steps`.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import * as tf from "tensorloom";
import { workloads } from "./workloads.ts";

const steps = 500;

/** Heap bytes of one of so many calls that follow each other at once; the least of some turns. */
async function bytesOf(call: () => unknown, rest: () => Promise<unknown>, collect: () => void): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 10; turn++) {
    collect();
    // Lets events in, so that no step of the turn has to.
    await rest();
    await rest();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < steps; i++) call();
    least = Math.min(least, (process.memoryUsage().heapUsed - before) / steps);
  }
  return least;
}

/** Prints the workloads whose names begin so. */
export async function printSmallSteps(prefix: string, rounds: number): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  console.log("workload".padEnd(16), "µs a step", "bytes a step", "of these results and promise");
  for (const workload of workloads.filter(({ name }) => name.startsWith(prefix))) {
    const { step, session } = await workload.start({ intraOpParallelismThreads: 1 });
    let least = Number.POSITIVE_INFINITY;
    let kept: unknown;
    for (let round = 0; round < 200 + rounds; round++) {
      const began = performance.now();
      for (let i = 0; i < steps; i++) kept = await step();
      least = Math.min(least, (performance.now() - began) / steps);
    }
    const copy = (): unknown => Promise.resolve(copyOf(kept));
    for (let i = 0; i < 20_000; i++) copy();
    const bytes = await bytesOf(step, step, collect);
    const results = await bytesOf(copy, async () => {}, collect);
    console.log(
      workload.name.padEnd(16),
      (1000 * least).toFixed(2).padStart(9),
      bytes.toFixed(0).padStart(12),
      results.toFixed(0).padStart(28),
    );
    await session.close();
  }
}

/** Lists and arrays like those that a run gave. */
function copyOf(results: unknown): unknown {
  if (results instanceof tf.NDArray) return new tf.NDArray(results.dtype, results.shape, results.data.slice());
  if (!Array.isArray(results)) return results;
  const copy = new Array<unknown>(results.length);
  for (let i = 0; i < results.length; i++) copy[i] = copyOf(results[i]);
  return copy;
}
