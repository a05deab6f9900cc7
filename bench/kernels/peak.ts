// The most that WebAssembly's vectors reach at a moment, on as many threads as a workload uses: a matrix tile from the first cache, on all of them at
// once. It is asked in turn with what is compared with it, since how fast a shared machine is changes from one second to the next.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { peakNow } from "./tile.ts";

/** Some milliseconds of a tile. */
export const burstPasses = 2000;

/** Words that threads share: which burst is asked for, how many have ended it. The speeds follow, a double for each thread. */
export const words = { asked: 0, ended: 1 } as const;
export const speedsAt = 8;

export interface Peak {
  /** GFLOP/s of all threads together, now. */
  now(): number;
  close(): void;
}

export async function openPeak(threads: number): Promise<Peak> {
  const shared = new SharedArrayBuffer(speedsAt + 8 * threads);
  const [control, speeds] = [new Int32Array(shared, 0, 2), new Float64Array(shared, speedsAt)];
  const workers: Worker[] = [];
  for (let thread = 1; thread < threads; thread++) {
    const worker = new Worker(new URL("./peak-thread.ts", import.meta.url), { workerData: { shared, thread } });
    worker.unref();
    await once(worker, "message");
    workers.push(worker);
  }
  const own = peakNow(burstPasses);
  return {
    now: () => {
      Atomics.store(control, words.ended, 0);
      Atomics.add(control, words.asked, 1);
      Atomics.notify(control, words.asked);
      speeds[0] = own();
      for (let ended = 0; ended < workers.length; ended = Atomics.load(control, words.ended)) Atomics.wait(control, words.ended, ended, 1);
      return speeds.reduce((sum, speed) => sum + speed, 0);
    },
    close: () => void workers.map(worker => worker.terminate()),
  };
}
