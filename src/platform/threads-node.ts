// Threads in Node, by worker_threads.

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Thread } from "./thread.ts";
import type { ThreadStart } from "./thread-loop.ts";

/** How many threads this process may keep busy. */
export const availableThreads = (): number => availableParallelism();

/** May threads here have one memory? */
export const canShareMemory = (): boolean => true;

/** Starts a worker that does not keep the process alive. `ended` is called once, when it is no more. */
export function startThread(start: ThreadStart, ended: () => void): Thread {
  // Flags of the process (preloaded modules among them) mean nothing to a worker that runs no code but ours.
  const worker = new Worker(new URL("./thread-node.ts", import.meta.url), { workerData: start, execArgv: [], name: "tensorloom" });
  worker.unref();
  worker.on("error", () => {});
  worker.on("exit", ended);
  return { post: message => worker.postMessage(message), end: () => void worker.terminate() };
}
