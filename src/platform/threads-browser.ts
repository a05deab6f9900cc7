// Threads in browsers, by module workers.

import type { Thread } from "./thread.ts";
import type { ThreadStart } from "./thread-loop.ts";

/** How many threads this page may keep busy. */
export const availableThreads = (): number => navigator.hardwareConcurrency || 1;

/** May threads here have one memory? Only in pages that are cross-origin isolated. */
export const canShareMemory = (): boolean => globalThis.crossOriginIsolated === true;

/** Starts a worker. `ended` is called if its code cannot be loaded. */
export function startThread(start: ThreadStart, ended: () => void): Thread {
  const worker = new Worker(new URL("./thread-browser.ts", import.meta.url), { type: "module", name: "tensorloom" });
  worker.onerror = ended;
  worker.postMessage(start);
  return { post: message => worker.postMessage(message), end: () => worker.terminate() };
}
