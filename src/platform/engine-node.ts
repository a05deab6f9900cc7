// What may be asked of the engine itself in Node.

import { setFlagsFromString } from "node:v8";

/** Node 22 and 24 know the flag, and nothing comes of it. */
const firstVersion = 26;

/** Has the engine join pairs of 128-bit vector operations in modules compiled from now on, in the whole process. False, and nothing changed,
 *  where it cannot: Node before 26, other processors than x64, Deno and Bun. */
export function joinVectorPairs(): boolean {
  const { node, deno, bun } = process.versions;
  if (process.arch !== "x64" || deno !== undefined || bun !== undefined || Number.parseInt(node, 10) < firstVersion) return false;
  setFlagsFromString("--experimental-wasm-revectorize");
  return true;
}

/** Compiles a module. Node ends a process that awaits nothing else, where functions are compiled at once (`--no-wasm-lazy-compilation`): so it
 *  is kept waiting. */
export function compileModule(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
  const waiting = setInterval(() => undefined, 1_000);
  return WebAssembly.compile(bytes).finally(() => clearInterval(waiting));
}
