// Threads in Node, by worker_threads.

import { availableParallelism } from "node:os";

/** How many threads this process may keep busy. */
export const availableThreads = (): number => availableParallelism();

/** May threads here have one memory? */
export const canShareMemory = (): boolean => true;
