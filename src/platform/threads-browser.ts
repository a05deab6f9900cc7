// Threads in browsers, by module workers.

/** How many threads this page may keep busy. */
export const availableThreads = (): number => navigator.hardwareConcurrency || 1;

/** May threads here have one memory? Only in pages that are cross-origin isolated. */
export const canShareMemory = (): boolean => globalThis.crossOriginIsolated === true;
