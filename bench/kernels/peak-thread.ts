// A thread of peak.ts besides the first: a burst of the tile each time it is asked.

import { parentPort, workerData } from "node:worker_threads";
import { burstPasses, speedsAt, words } from "./peak.ts";
import { peakNow } from "./tile.ts";

const { shared, thread } = workerData as { shared: SharedArrayBuffer; thread: number };
const [control, speeds] = [new Int32Array(shared, 0, 2), new Float64Array(shared, speedsAt)];
const own = peakNow(burstPasses);
parentPort?.postMessage("ready");
for (let asked = 0; ; asked++) {
  Atomics.wait(control, words.asked, asked);
  speeds[thread] = own();
  Atomics.add(control, words.ended, 1);
  Atomics.notify(control, words.ended);
}
