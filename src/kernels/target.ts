// What kernels may know of the machine they are recorded for: vector width, registers, tiles. Nothing here prints or probes;
// backends/wasm/features.ts finds out what an engine has and hands it in. A kernel takes every 16 and every 4 from here.

/** Accumulators of the contraction micro-kernel: `rows` × `columns` elements of float32, columns a multiple of the lanes. */
export interface Tile {
  readonly rows: number;
  readonly columns: number;
}

/** "auto": where counted work says that it pays; "always" where it applies at all is for tests. */
export type WinogradUse = "never" | "auto" | "always";

export interface Target {
  readonly name: string;
  readonly vectorBytes: number;
  /** Elements of 32 and of 64 bits in one vector. */
  readonly lanes32: number;
  readonly lanes64: number;
  /** Vector registers a kernel may count on; more live vectors are spilled. */
  readonly vectorRegisters: number;
  /** `madd` is one instruction with one rounding; where false it is a product, rounded, and a sum. */
  readonly hasRelaxedMadd: boolean;
  /** The engine may join neighbouring vectors to wider ones: kernels are recorded and printed so that it finds them. */
  readonly joinsPairs: boolean;
  /** Tiles of the micro-kernel, best on Node 24 first; a measurement on the engine at hand may prefer another. */
  readonly tiles: readonly Tile[];
  /** Convolutions may be computed by Winograd's filtering, which rounds a little more than direct sums. */
  readonly winograd: WinogradUse;
  /** Bytes to which every buffer is aligned and by which it is padded. */
  readonly alignment: number;
  /** How many threads may run a phase at once. */
  readonly threads: number;
  /** What estimates are made with. */
  readonly peak: Peak;
}

/** What one thread of a usual machine does in a nanosecond at best: work as schedule/cost.ts counts, and bytes, of up to `nearBytes` or of more. */
export interface Peak {
  readonly workPerNs: number;
  readonly nearBytes: number;
  readonly nearBytesPerNs: number;
  readonly farBytesPerNs: number;
}

export interface WasmTargetOptions {
  /** The engine has relaxed SIMD, and the user did not ask for results that are equal on every machine. */
  readonly relaxedMadd?: boolean;
  /** Keep vectors in pairs and products unfused, the form that V8's revectorizer turns into 256-bit code. */
  readonly pairs?: boolean;
  readonly threads?: number;
  readonly winograd?: WinogradUse;
}

/** 128-bit WebAssembly SIMD. Of the 16 registers on x64 V8 keeps one: 6×8 fused needs 12 + 2 + 1, 4×8 unfused 8 + 2 + 1 + 1. */
export function wasmTarget({ relaxedMadd = false, pairs = false, threads = 1, winograd = "auto" }: WasmTargetOptions = {}): Target {
  const fused = relaxedMadd && !pairs;
  return {
    name: fused ? "wasm128-relaxed" : "wasm128",
    vectorBytes: 16,
    lanes32: 4,
    lanes64: 2,
    vectorRegisters: 15,
    hasRelaxedMadd: fused,
    joinsPairs: pairs,
    tiles: tiles[fused ? "fused" : pairs ? "pairs" : "unfused"],
    winograd,
    alignment: 64,
    threads,
    // Two multiply-adds of four lanes a cycle at 3 GHz, and what loads and stores were seen to reach from the second cache and from memory.
    peak: { workPerNs: 24, nearBytes: 2 ** 20, nearBytesPerNs: 40, farBytesPerNs: 12 },
  };
}

const tiles: Record<string, readonly Tile[]> = {
  fused: [
    { rows: 6, columns: 8 },
    { rows: 4, columns: 8 },
    { rows: 3, columns: 12 },
  ],
  unfused: [
    { rows: 4, columns: 8 },
    { rows: 5, columns: 8 },
    { rows: 2, columns: 16 },
  ],
  pairs: [
    { rows: 4, columns: 16 },
    { rows: 2, columns: 16 },
  ],
};
