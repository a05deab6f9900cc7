// What a dataset is while it runs: it gives its elements anew to whoever iterates, and is made of those before it. Iterating goes on after an element
// that failed, as in TensorFlow.

import { InvalidArgumentError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Iteration } from "./dataset-functions.ts";

/** One element: an array for each component. */
export type Element = readonly NDArray[];

/** An iteration under way. */
export interface Elements {
  /** The next element; undefined at the end, and from then on. */
  next(): Promise<Element | undefined>;
  /** Gives back what it holds (a file); it is not asked again. */
  close(): Promise<void>;
}

/** Something that can be iterated, as often as wanted. */
export interface HostDataset {
  /** `run` calls functions. */
  iterate(run: Iteration): Elements;
  /** How many elements there are: `infinite`, or `unknown`. */
  readonly cardinality: number;
  /** It maps a function: TensorFlow makes batches of it by one node for both. */
  readonly isMapped?: boolean;
}

export const infinite = -1;
export const unknown = -2;

export const dataset = (cardinality: number, iterate: (run: Iteration) => Elements): HostDataset => ({ iterate, cardinality });

/** An iteration that asks others. */
export const over = (sources: readonly Elements[], next: () => Promise<Element | undefined>): Elements => ({
  next,
  close: async () => {
    for (const source of sources) await source.close();
  },
});

/** What a generator of JavaScript gives. */
export const generated = (
  cardinality: number,
  generate: (run: Iteration) => AsyncGenerator<Element, void> | Generator<Element, void>,
): HostDataset =>
  dataset(cardinality, run => {
    const generator = generate(run);
    return {
      next: async () => {
        const next = await generator.next();
        return next.done ? undefined : next.value;
      },
      close: async () => void (await generator.return()),
    };
  });

/** A dataset of these. */
export const listOf = (elements: readonly Element[]): HostDataset =>
  generated(elements.length, function* () {
    yield* elements;
  });

/** Elements of `count` files one after the other. A file that `open` refuses is asked for again, by whoever asks for the next element. */
export const ofFiles = (
  count: number,
  open: (file: number) => Promise<AsyncIterator<Element> | globalThis.Iterator<Element>>,
): HostDataset =>
  dataset(unknown, () => {
    let reader: AsyncIterator<Element> | globalThis.Iterator<Element> | undefined;
    let file = 0;
    return {
      next: async () => {
        for (; file < count; file++) {
          reader ??= await open(file);
          const next = await reader.next();
          if (!next.done) return next.value;
          reader = undefined;
        }
        return undefined;
      },
      close: async () => void (await reader?.return?.()),
    };
  });

/** A dataset as the value of a tensor of type variant. */
export class DatasetArray extends NDArray {
  readonly dataset: HostDataset;

  constructor(held: HostDataset) {
    super("variant", [], new Uint8Array(1));
    this.dataset = held;
  }

  static of(array: NDArray | undefined): HostDataset {
    if (!(array instanceof DatasetArray)) throw new InvalidArgumentError("The given variant tensor is no dataset.");
    return array.dataset;
  }
}
