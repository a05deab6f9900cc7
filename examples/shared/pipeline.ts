// The input pipeline: digits in an order drawn from a seed, cut into batches, bytes turned into numbers from 0 to 1.
// Reading the files is not here: see digits.ts.

import { NDArray } from "tensorloom";
import { type Digits, pixels, side } from "./digits.ts";

/** A batch as a net takes it: pixels from 0 to 1, float32 of shape `[count, 28, 28, 1]`, and labels, int32 of shape `[count]`.
 *  The arrays are the pipeline's own and are filled anew for the next batch. */
export type Batch = { readonly count: number; readonly images: NDArray; readonly labels: NDArray };

/** Endless random whole numbers below a bound; the same seed gives the same numbers on every machine. */
export type RandomBelow = (bound: number) => number;

/** A counter scrambled by the finalizer of MurmurHash3: enough for shuffling, not for anything secret. */
export function seededRandom(seed: number): RandomBelow {
  let counter = Math.imul(seed, 0x9e3779b1) | 0;
  return bound => {
    counter = (counter + 0x6d2b79f5) | 0;
    let bits = counter;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    bits ^= bits >>> 16;
    return Math.floor(((bits >>> 0) / 2 ** 32) * bound);
  };
}

/** The numbers 0 to `count` - 1 in random order (Fisher and Yates). */
export function shuffled(count: number, random: RandomBelow): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, k) => k);
  for (let last = count - 1; last > 0; last--) {
    const other = random(last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** How many batches `shuffledBatches` gives for one epoch. */
export const batchesPerEpoch = (digits: Digits, batchSize: number): number => Math.floor(digits.count / batchSize);

/** One epoch in random order. Every batch is full, so that one compiled program serves them all; what does not fill a batch
 *  (other digits in every epoch, as the order differs) is left out. */
export function* shuffledBatches(digits: Digits, batchSize: number, random: RandomBelow): Generator<Batch> {
  const order = shuffled(digits.count, random);
  const { batch, fill } = reusableBatch(digits, batchSize);
  for (let k = 0; k < batchesPerEpoch(digits, batchSize); k++) {
    fill(slot => order[k * batchSize + slot]);
    yield batch;
  }
}

/** All digits in their own order, the last batch smaller if need be; `start` is the index of a batch's first digit. */
export function* batchesInOrder(digits: Digits, batchSize: number): Generator<Batch & { readonly start: number }> {
  for (let start = 0; start < digits.count; start += batchSize) {
    const { batch, fill } = reusableBatch(digits, Math.min(batchSize, digits.count - start));
    fill(slot => start + slot);
    yield { ...batch, start };
  }
}

/** Arrays for one batch, and a function that fills them with the digits that `exampleAt` names. */
function reusableBatch(digits: Digits, count: number) {
  const images = new Float32Array(count * pixels);
  const labels = new Int32Array(count);
  const fill = (exampleAt: (slot: number) => number) => {
    for (let slot = 0; slot < count; slot++) {
      const example = exampleAt(slot);
      labels[slot] = digits.labels[example];
      for (let p = 0; p < pixels; p++) images[slot * pixels + p] = digits.images[example * pixels + p] / 255;
    }
  };
  const batch: Batch = {
    count,
    images: NDArray.from(images, "float32", [count, side, side, 1]),
    labels: NDArray.from(labels, "int32", [count]),
  };
  return { batch, fill };
}
