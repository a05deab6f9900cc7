// Philox4x32-10 in TypeScript, for routines that take random words one after another. The meaning of the `random` primitive is the same function
// (backends/reference); rooms do not share code across that wall, so it is written down in both, and the golden random numbers test both.
// Millions of weights are drawn through here when variables are initialized: no allocation per word, counters as pairs of 32-bit numbers.

import type { NDArray } from "../../base/ndarray.ts";
import { logarithm64, sineAndCosine64 } from "./double.ts";
import { logarithm32, pointOfCircle32 } from "./trigonometry.ts";

/** The high half of a 32 × 32 bit product, from products of halves; each sum fits into 32 bits. */
function highProduct(a: number, b: number): number {
  const high = b >>> 16;
  const low = b & 0xffff;
  const upper = (Math.imul(a >>> 16, low) + (Math.imul(a & 0xffff, low) >>> 16)) | 0;
  const lower = (Math.imul(a & 0xffff, high) + (upper & 0xffff)) | 0;
  return (Math.imul(a >>> 16, high) + (upper >>> 16) + (lower >>> 16)) | 0;
}

const low32 = (x: bigint): number => Number(BigInt.asUintN(32, x));
const scratch = new DataView(new ArrayBuffer(8));
const leastUniform = Math.fround(1e-7);

/** The words of a generator, one by one. Its state is int64[3]: seed, second seed, blocks used. */
export class PhiloxStream {
  private readonly key: Int32Array;
  /** Where the state stands: blocks used, second seed. */
  private readonly start: Uint32Array;
  /** The next block. */
  private readonly counter = new Uint32Array(4);
  private readonly words = new Uint32Array(4);
  private next = 4;

  constructor(state: NDArray) {
    const [seed, seed2, used] = state.data as BigInt64Array;
    this.key = Int32Array.of(low32(seed), low32(seed >> 32n));
    this.start = Uint32Array.of(low32(used), low32(used >> 32n), low32(seed2), low32(seed2 >> 32n));
    this.skipTo(0);
  }

  /** Continues with the first word `block` blocks after the state. */
  skipTo(block: number): void {
    const { counter, start } = this;
    counter.set(start);
    counter[0] += block;
    for (let i = 1, carry = Math.floor((start[0] + block) / 2 ** 32); carry > 0 && i < 4; i++) {
      counter[i] += carry;
      carry = Math.floor((start[i] + carry) / 2 ** 32);
    }
    this.next = 4;
  }

  word(): number {
    if (this.next === 4) this.fill();
    return this.words[this.next++];
  }

  private fill(): void {
    const { counter, words, key } = this;
    let c0 = counter[0] | 0;
    let c1 = counter[1] | 0;
    let c2 = counter[2] | 0;
    let c3 = counter[3] | 0;
    let k0 = key[0];
    let k1 = key[1];
    for (let round = 0; round < 10; round++) {
      const h0 = highProduct(0xd2511f53, c0);
      const h1 = highProduct(0xcd9e8d57, c2);
      const l0 = Math.imul(0xd2511f53, c0);
      const l1 = Math.imul(0xcd9e8d57, c2);
      c0 = h1 ^ c1 ^ k0;
      c1 = l1;
      c2 = h0 ^ c3 ^ k1;
      c3 = l0;
      k0 = (k0 + 0x9e3779b9) | 0;
      k1 = (k1 + 0xbb67ae85) | 0;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
    this.next = 0;
    for (let i = 0; i < 4 && ++counter[i] === 2 ** 32; i++);
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
    const radius = Math.fround(Math.sqrt(Math.fround(-2 * Math.fround(logarithm32(u)))));
    pointOfCircle32(Math.fround(2 * Math.PI * this.unit32()), radius, out);
    out[0] = Math.fround(out[0]);
    out[1] = Math.fround(out[1]);
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
