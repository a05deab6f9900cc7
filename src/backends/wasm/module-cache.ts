// Compiled modules by their bytes, for all sessions of the process: where memory lies is imported, so a second session on an equal graph, and a
// program that comes back after it was dropped, have their module at once. The least lately used go when there are too many.

import { compileModule } from "#platform";

interface Kept {
  readonly bytes: Uint8Array;
  readonly module: Promise<WebAssembly.Module>;
}

const limits = { modules: 128, bytes: 2 ** 25 };

export class ModuleCache {
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  /** The module of these bytes, compiled unless it is known. */
  compile(bytes: Uint8Array<ArrayBuffer>): Promise<WebAssembly.Module> {
    const key = keyOf(bytes);
    const known = this.#kept.get(key);
    if (known !== undefined && same(known.bytes, bytes)) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known.module;
    }
    const module = compileModule(bytes);
    this.#drop(key);
    this.#kept.set(key, { bytes, module });
    this.#bytes += bytes.length;
    module.catch(() => this.#drop(key));
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= limits.modules && this.#bytes <= limits.bytes) break;
      if (oldest !== key) this.#drop(oldest);
    }
    return module;
  }

  #drop(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes.length ?? 0;
    this.#kept.delete(key);
  }
}

/** Length and a hash (FNV-1a, of four bytes at a time and without the last few). */
function keyOf(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let hash = 0x811c9dc5;
  for (let at = 0; at + 4 <= bytes.length; at += 4) hash = Math.imul(hash ^ view.getInt32(at, true), 0x01000193);
  return `${bytes.length}:${hash >>> 0}`;
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
