// The WebAssembly backend: recorded kernels printed as one module a program, run in this thread.

import { UnimplementedError } from "../../base/errors.ts";
import { scratchBytesOf } from "../../kernels/scratch.ts";
import type { Device } from "../device.ts";
import { WasmDevice } from "./device.ts";
import { engineTarget, probeFeatures } from "./features.ts";

export interface WasmConfig {
  readonly intraOpParallelismThreads?: number;
}

/** @throws UnimplementedError where WebAssembly has no SIMD. */
export function openWasmDevice(_config: WasmConfig): Device {
  const features = probeFeatures();
  if (!features.simd)
    throw new UnimplementedError(
      'This engine has no WebAssembly SIMD.\n\nUse a current Node, Deno, Bun or browser, or new Session({ config: { backend: "reference" } }) for small graphs.',
    );
  const target = engineTarget({ features });
  return new WasmDevice(target, kernel => scratchBytesOf(kernel, target));
}
