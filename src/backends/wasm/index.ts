// The WebAssembly backend: recorded kernels printed as one module a program, run by this thread and its workers.

import { joinVectorPairs } from "#platform";
import { UnimplementedError } from "../../base/errors.ts";
import type { Device } from "../device.ts";
import { WasmDevice } from "./device.ts";
import { engineTarget, probeFeatures } from "./features.ts";
import { threadsWanted } from "./thread-pool.ts";

export interface WasmConfig {
  /** Threads of one kernel; 0 or nothing: as many as there are cores. */
  readonly intraOpParallelismThreads?: number;
  readonly convolution?: "auto" | "direct";
  readonly deterministicOps?: boolean;
  readonly revectorize?: boolean;
}

/** @throws TypeError for a convolution that does not exist; UnimplementedError where WebAssembly has no SIMD. */
export function openWasmDevice({
  intraOpParallelismThreads,
  convolution = "auto",
  deterministicOps = false,
  revectorize = false,
}: WasmConfig): Device {
  if (convolution !== "auto" && convolution !== "direct")
    throw new TypeError(`There is no convolution "${String(convolution)}". Use "auto" (the default) or "direct".`);
  const features = probeFeatures();
  if (!features.simd)
    throw new UnimplementedError(
      'This engine has no WebAssembly SIMD.\n\nUse a current Node, Deno, Bun or browser, or new Session({ config: { backend: "reference" } }) for small graphs.',
    );
  const target = engineTarget({
    pairs: revectorize && joinVectorPairs(),
    features,
    deterministic: deterministicOps,
    winograd: convolution === "auto" ? "auto" : "never",
    threads: threadsWanted(intraOpParallelismThreads),
  });
  return new WasmDevice(target);
}
