// Mutated inputs for readers: bytes flipped, overwritten, cut out, doubled, cut off, at random but the same each time. A reader must end soon, in bounded
// memory, with one of TensorFlow's kinds of error or with a value.

import { expect } from "vitest";
import { OpError, ValueError } from "../src/base/errors.ts";
import { joinBytes } from "../src/base/files.ts";

/** So many inputs a reader: a slice with fixed seeds, quick enough for every day. TENSORLOOM_FUZZ=100000 for a long run. */
export const inputs = Number(process.env.TENSORLOOM_FUZZ ?? 3000);
/** For what takes longer to read: a share of those every day, all of them in a long run. */
export const shareOfInputs = (share: number): number => (process.env.TENSORLOOM_FUZZ ? inputs : Math.ceil(inputs * share));
/** No input may take longer, whatever it is. */
const mostMs = 2_000;
/** Nor allocate more, however much it says that it holds. */
const mostBytes = 300 * 2 ** 20;

const allocated = (): number => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

/** Numbers from 0 to below n, the same for the same seed. */
export function randomly(seed: number): (n: number) => number {
  let state = seed >>> 0 || 1;
  return n => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

const hurtful = [0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x10, 0x08, 0x12, 0x1a];

/** A copy with a few bytes changed, cut out, doubled, or cut off. */
export function mutated(bytes: Uint8Array, random: (n: number) => number): Uint8Array {
  let result: Uint8Array = bytes.slice();
  for (let changes = 1 + random(4); changes > 0; changes--) {
    const at = random(Math.max(result.length, 1));
    switch (random(6)) {
      case 0:
        result[at] ^= 1 << random(8);
        break;
      case 1:
        result[at] = hurtful[random(hurtful.length)];
        break;
      case 2:
        result = result.slice(0, at);
        break;
      case 3: {
        const to = Math.min(at + random(9), result.length);
        result = joinBytes([result.subarray(0, at), result.subarray(to)]);
        break;
      }
      case 4: {
        const piece = result.subarray(at, at + 1 + random(16));
        result = joinBytes([result.subarray(0, at), piece, result.subarray(at)]);
        break;
      }
      default:
        // A varint that is as long as they come.
        result.set([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f].slice(0, Math.max(result.length - at, 0)), at);
    }
  }
  return result;
}

export type Attempt = (bytes: Uint8Array, random: (n: number) => number) => unknown;

export async function fuzz(seeds: readonly Uint8Array[], attempt: Attempt, count = inputs): Promise<{ refused: number; accepted: number }> {
  let [refused, accepted, most] = [0, 0, 0];
  // Most inputs end in an error, and its stack, which nobody reads here, costs more than reading the bytes.
  Error.stackTraceLimit = 0;
  for (let i = 0; i < count; i++) {
    const random = randomly(i + 1);
    const input = mutated(seeds[random(seeds.length)], random);
    const start = performance.now();
    const before = allocated();
    try {
      const result = attempt(input, random);
      if (result instanceof Promise) await result;
      accepted++;
    } catch (error) {
      refused++;
      if (!(error instanceof OpError || error instanceof ValueError) || error.message === "")
        throw new Error(`Input ${i} (${Buffer.from(input).toString("base64").slice(0, 400)}) ends in ${error}`, { cause: error });
    }
    most = Math.max(most, allocated() - before);
    if (most > mostBytes) throw new Error(`Input ${i} takes ${most} bytes.`);
    if (performance.now() - start > mostMs) throw new Error(`Input ${i} took ${performance.now() - start} ms.`);
  }
  expect(refused).toBeGreaterThan(0);
  if (process.env.TENSORLOOM_FUZZ)
    console.info(`${expect.getState().currentTestName}: ${refused} refused, ${accepted} read, at most ${most} bytes`);
  return { refused, accepted };
}
