// For tests: a recorded module, printed, validated by the engine and running on a memory of its own.

import type { KernelModule } from "../../src/kernels/language/language.ts";
import { importNamespaces, printWasm } from "../../src/backends/wasm/printer.ts";

// Kernels of tests take and give numbers and bigints as each was recorded; the engine converts, so no narrower type is true of all.
export type Exports = Record<string, (...args: any[]) => any>;

export interface Running {
  readonly exports: Exports;
  readonly memory: WebAssembly.Memory;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
}

export function instantiate(
  module: KernelModule,
  globals: Record<string, number> = {},
  host: Record<string, (...args: number[]) => number> = {},
): Running {
  const { minPages: initial, maxPages: maximum, shared } = module.memory;
  const memory = new WebAssembly.Memory({ initial, maximum, shared });
  const imports = {
    [importNamespaces.memory]: { memory },
    [importNamespaces.globals]: globals,
    [importNamespaces.functions]: host,
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(printWasm(module)), imports);
  const { buffer } = memory;
  return {
    exports: instance.exports as Exports,
    memory,
    f32: new Float32Array(buffer),
    f64: new Float64Array(buffer),
    i32: new Int32Array(buffer),
    u8: new Uint8Array(buffer),
  };
}
