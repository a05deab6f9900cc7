// The backends by name. A session opens one device; each backend's code is loaded when it is first asked for.

import type { Device } from "./device.ts";

export type BackendName = "wasm" | "reference";

export interface DeviceConfig {
  readonly backend?: BackendName;
  readonly intraOpParallelismThreads?: number;
  readonly convolution?: "auto" | "direct";
  readonly deterministicOps?: boolean;
  readonly revectorize?: boolean;
}

/** @throws TypeError for a backend that does not exist. */
export async function openDevice(config: DeviceConfig): Promise<Device> {
  const name = config.backend ?? "wasm";
  switch (name) {
    case "reference":
      return (await import("./reference/device.ts")).openReferenceDevice();
    case "wasm":
      return (await import("./wasm/index.ts")).openWasmDevice(config);
    default:
      throw new TypeError(`There is no backend "${String(name)}". Use "wasm" (the default) or "reference".`);
  }
}
