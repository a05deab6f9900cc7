// Philox4x32-10 in TypeScript, for routines that take random words one after another. The meaning of the `random` primitive is the same function
// (backends/reference); rooms do not share code across that wall, so it is written down in both, and the golden random numbers test both.
// Millions of weights are drawn through here when variables are initialized: no allocation per word, counters as pairs of 32-bit numbers.

import type { NDArray } from "../../base/ndarray.ts";
import { logarithm64, sineAndCosine64 } from "./double.ts";
import { logarithm32, sineAndCosine32 } from "./trigonometry.ts";

/** The high half of a 32 × 32 bit product. */
function highProduct(a: number, b: number): number {
  const [ah, al, bh, bl] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = al * bh + ((al * bl) >>> 16);
  const sum = ah * bl + (middle & 0xffff);
  return (ah * bh + Math.floor(middle / 65536) + Math.floor(sum / 65536)) >>> 0;
}

const low32 = (x: bigint): number => Number(BigInt.asUintN(32, x));
const scratch = new DataView(new ArrayBuffer(8));
const leastUniform = Math.fround(1e-7);

/** The words of a generator, one by one. Its state is int64[3]: seed, second seed, blocks used. */
export class PhiloxStream {
  private readonly keyLow: number;
  private readonly keyHigh: number;
  private readonly counterLow: number;
  private readonly counterHigh: number;
  private readonly seed2Low: number;
  private readonly seed2High: number;
  /** The next block, from the state's own. */
  private block = 0;
  private readonly words = new Uint32Array(4);
  private next = 4;

  constructor(state: NDArray) {
    const [seed, seed2, used] = state.data as BigInt64Array;
    this.keyLow = low32(seed);
    this.keyHigh = low32(seed >> 32n);
    this.seed2Low = low32(seed2);
    this.seed2High = low32(seed2 >> 32n);
    this.counterLow = low32(used);
    this.counterHigh = low32(used >> 32n);
  }

  /** Continues with the first word `block` blocks after the state. */
  skipTo(block: number): void {
    this.block = block;
    this.next = 4;
  }

  word(): number {
    if (this.next === 4) {
      this.fill();
      this.block++;
      this.next = 0;
    }
    return this.words[this.next++];
  }

  private fill(): void {
    const low = this.counterLow + (this.block % 2 ** 32);
    let c0 = low >>> 0;
    let c1 = (this.counterHigh + Math.floor(this.block / 2 ** 32) + (low >= 2 ** 32 ? 1 : 0)) >>> 0;
    let c2 = this.seed2Low;
    let c3 = this.seed2High;
    let k0 = this.keyLow;
    let k1 = this.keyHigh;
    for (let round = 0; round < 10; round++) {
      const h0 = highProduct(0xd2511f53, c0);
      const h1 = highProduct(0xcd9e8d57, c2);
      const l0 = Math.imul(0xd2511f53, c0) >>> 0;
      const l1 = Math.imul(0xcd9e8d57, c2) >>> 0;
      c0 = (h1 ^ c1 ^ k0) >>> 0;
      c1 = l1;
      c2 = (h0 ^ c3 ^ k1) >>> 0;
      c3 = l0;
      k0 = (k0 + 0x9e3779b9) >>> 0;
      k1 = (k1 + 0xbb67ae85) >>> 0;
    }
    const { words } = this;
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
  }

  /** A float32 in [0, 1). */
  unit32(): number {
    return (this.word() & 0x7fffff) * 2 ** -23;
  }

  /** A float64 in [0, 1), from two words. */
  unit64(): number {
    const high = this.word();
    return unit64(high, this.word());
  }

  /** Writes two standard normals in float32 arithmetic (Box & Muller). */
  normalPair32(out: Float64Array): void {
    const u = Math.max(this.unit32(), leastUniform);
    sineAndCosine32(Math.fround(2 * Math.PI * this.unit32()), out);
    const radius = Math.fround(Math.sqrt(Math.fround(-2 * Math.fround(logarithm32(u)))));
    out[0] = Math.fround(Math.fround(out[0]) * radius);
    out[1] = Math.fround(Math.fround(out[1]) * radius);
  }

  /** Writes two standard normals in float64 arithmetic. */
  normalPair64(out: Float64Array): void {
    const u = this.unit64();
    normalPair64(u, this.unit64(), out);
  }
}

/** A float64 in [0, 1) from two words, by way of [1, 2). */
export function unit64(high: number, low: number): number {
  scratch.setUint32(0, 0x3ff00000 | (high & 0xfffff));
  scratch.setUint32(4, low);
  return scratch.getFloat64(0) - 1;
}

/** Two standard normals from two uniform numbers, in float64 arithmetic. */
export function normalPair64(u: number, v: number, out: Float64Array): void {
  const radius = Math.sqrt(-2 * logarithm64(Math.max(u, 1e-7)));
  sineAndCosine64(2 * Math.PI * v, out);
  out[0] *= radius;
  out[1] *= radius;
}
