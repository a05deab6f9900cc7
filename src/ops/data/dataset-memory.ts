// Datasets while they run: where elements come from, their order and their number. What order elements leave a shuffle in is TensorFlow's, word for
// word of its generator. Datasets of functions are dataset-memory-functions.ts, batches and windows dataset-memory-batches.ts.

import { FailedPreconditionError, InvalidArgumentError, OpError, OutOfRangeError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { Call } from "./dataset-functions.ts";
import { PhiloxStream } from "../random/philox.ts";
import { type Element, type HostDataset, listOf, generated, dataset, unknown, type Elements, infinite, over } from "./host-dataset.ts";
import { type Failed, failing, thrown } from "./dataset-memory-functions.ts";

// ---- sources ----

/** The rows of a sparse tensor: indices, values and shape of each. @throws InvalidArgumentError unless its entries are in order of their rows. */
export function sparseRows(indices: NDArray, values: NDArray, denseShape: NDArray): HostDataset {
  const rank = denseShape.size;
  const at = (entry: number, axis: number): number => Number(indices.get(entry * rank + axis));
  for (let entry = 1; entry < values.size; entry++)
    if (at(entry, 0) < at(entry - 1, 0)) throw new InvalidArgumentError("The input sparse tensor must be ordered in the batch dimension.");
  const rows = Number(denseShape.get(0));
  const shape = new NDArray("int64", [rank - 1], denseShape.data.slice(1));
  return generated(rows, function* () {
    let first = 0;
    for (let row = 0; row < rows; row++) {
      let end = first;
      while (end < values.size && at(end, 0) === row) end++;
      const picked = Array.from({ length: end - first }, (_, k) => first + k);
      const positions = BigInt64Array.from(
        picked.flatMap(entry => Array.from({ length: rank - 1 }, (_, axis) => BigInt(at(entry, axis + 1)))),
      );
      const kept = NDArray.zeros(values.dtype, [picked.length]);
      picked.forEach((entry, k) => void kept.set(k, values.get(entry)));
      yield [new NDArray("int64", [picked.length, rank - 1], positions), kept, shape];
      first = end;
    }
  });
}

/** `init` makes a state, `next` elements of it until it says OutOfRange, `finalize` ends it. */
export const ofFunctions = (init: Call, next: Call, finalize: Call): HostDataset =>
  dataset(unknown, run => {
    let state: Element | undefined;
    let hasEnded = false;
    const end = async (): Promise<void> => {
      if (state !== undefined && !hasEnded) await finalize(run, state);
      hasEnded = true;
    };
    return {
      next: async () => {
        if (hasEnded) return undefined;
        state ??= await init(run, []);
        try {
          return await next(run, state);
        } catch (error) {
          if (!(error instanceof OutOfRangeError)) throw error;
          await end();
          return undefined;
        }
      },
      close: end,
    };
  });

// ---- order and number ----

/** A negative count: for ever. A dataset without elements ends it. */
export const repeated = (input: HostDataset, count: number): HostDataset =>
  dataset(repeatedCardinality(input.cardinality, count), run => {
    let source: Elements | undefined;
    let [left, isEmpty] = [count, true];
    return {
      next: async () => {
        while (left !== 0) {
          source ??= input.iterate(run);
          const element = await source.next();
          if (element !== undefined) {
            isEmpty = false;
            return element;
          }
          source = undefined;
          left = isEmpty ? 0 : left - 1;
          isEmpty = true;
        }
        return undefined;
      },
      close: async () => source?.close(),
    };
  });

function repeatedCardinality(cardinality: number, count: number): number {
  if (cardinality === 0 || count === 0) return 0;
  if (count < 0) return infinite;
  return cardinality < 0 ? cardinality : cardinality * count;
}

/** A negative count: all. */
export const taken = (input: HostDataset, count: number): HostDataset =>
  dataset(takenCardinality(input.cardinality, count), run => {
    const source = input.iterate(run);
    let left = count;
    return over([source], async () => {
      if (left === 0) return undefined;
      const element = await source.next();
      if (--left === 0) await source.close();
      return element;
    });
  });

const takenCardinality = (cardinality: number, count: number): number =>
  count < 0 || cardinality === unknown ? cardinality : cardinality === infinite ? count : Math.min(cardinality, count);

/** A negative count: all. */
export const skipped = (input: HostDataset, count: number): HostDataset =>
  dataset(skippedCardinality(input.cardinality, count), run => {
    if (count < 0) return listOf([]).iterate(run);
    const source = input.iterate(run);
    let left = count;
    return over([source], async () => {
      for (;;) {
        const element = await source.next();
        if (element === undefined || left === 0) return element;
        left--;
      }
    });
  });

const skippedCardinality = (cardinality: number, count: number): number =>
  cardinality < 0 ? cardinality : count < 0 ? 0 : Math.max(0, cardinality - count);

export const sharded = (input: HostDataset, shards: number, index: number): HostDataset =>
  dataset(input.cardinality < 0 ? input.cardinality : Math.max(0, Math.ceil((input.cardinality - index) / shards)), run => {
    const source = input.iterate(run);
    let at = 0;
    return over([source], async () => {
      for (;;) {
        const element = await source.next();
        if (element === undefined || at++ % shards === index) return element;
      }
    });
  });

export const chained = (first: HostDataset, second: HostDataset): HostDataset =>
  dataset(chainedCardinality(first.cardinality, second.cardinality), run => {
    const sources = [first.iterate(run), second.iterate(run)];
    let at = 0;
    return over(sources, async () => {
      for (; at < 2; at++) {
        const element = await sources[at].next();
        if (element !== undefined) return element;
      }
      return undefined;
    });
  });

const chainedCardinality = (first: number, second: number): number =>
  first === infinite || second === infinite ? infinite : first === unknown || second === unknown ? unknown : first + second;

/** Ends with the shortest. */
export const zipped = (inputs: readonly HostDataset[]): HostDataset =>
  dataset(shortest(inputs), run => {
    const sources = inputs.map(input => input.iterate(run));
    let hasEnded = false;
    return over(sources, async () => {
      if (hasEnded) return undefined;
      const parts: (Element | Failed)[] = [];
      // All go on, if one fails too.
      for (const source of sources) {
        const element = await failing(source.next());
        hasEnded = element === undefined;
        if (element === undefined) break;
        parts.push(element);
      }
      const elements = parts.map(thrown);
      return hasEnded ? undefined : elements.flat();
    });
  });

function shortest(inputs: readonly HostDataset[]): number {
  const all = inputs.map(({ cardinality }) => cardinality);
  const finite = all.filter(cardinality => cardinality >= 0);
  return all.includes(unknown) ? unknown : finite.length === 0 ? infinite : Math.min(...finite);
}

/** The next element of the dataset that `selector` names; one that has ended is passed over, or ends it all. */
export const directed = (selector: HostDataset, inputs: readonly HostDataset[], stopsOnEmpty: boolean): HostDataset =>
  dataset(unknown, run => {
    const choices = selector.iterate(run);
    const sources = inputs.map(input => input.iterate(run));
    const live = new Set(sources);
    return over([choices, ...sources], async () => {
      while (live.size > 0) {
        const choice = await choices.next();
        if (choice === undefined) return undefined;
        const index = Number(choice[0].get(0));
        const source = sources[index];
        if (source === undefined) throw new InvalidArgumentError(`Selector index out of range: ${index} >= ${sources.length}`);
        if (!live.has(source)) continue;
        const element = await source.next();
        if (element !== undefined) return element;
        live.delete(source);
        if (stopsOnEmpty) live.clear();
      }
      return undefined;
    });
  });

/** Keeps the elements of the first iteration that comes to the end. */
export function cached(input: HostDataset): HostDataset {
  let kept: readonly Element[] | undefined;
  return dataset(input.cardinality, run => {
    if (kept) return listOf(kept).iterate(run);
    const source = input.iterate(run);
    const seen: Element[] = [];
    return over([source], async () => {
      const element = await source.next();
      if (element === undefined) kept = seen;
      else seen.push(element);
      return element;
    });
  });
}

/** So many times the input may have ended in the buffer of a shuffle. */
const mostEpochs = 3;

/** The seeds of a stream: chosen anew where both are 0. */
export const chosenSeeds = (seed: bigint, seed2: bigint): readonly [bigint, bigint] => {
  if (seed !== 0n || seed2 !== 0n) return [seed, seed2];
  const [first, second] = globalThis.crypto.getRandomValues(new BigInt64Array(2));
  return [first, second];
};
export const seeded = (seed: bigint, seed2: bigint): PhiloxStream =>
  new PhiloxStream(new NDArray("int64", [3], BigInt64Array.of(seed, seed2, 0n)));

interface ShuffleOptions {
  readonly size: number;
  readonly seeds: readonly [bigint, bigint];
  /** In another order each time. */
  readonly reshuffles: boolean;
  /** So many times the input: elements of one time leave before those of the next. Negative: for ever. */
  readonly count?: number;
}

/** Elements leave a buffer in random order. */
export function shuffled(input: HostDataset, { size, seeds, reshuffles, count = 1 }: ShuffleOptions): HostDataset {
  const [seed, seed2] = chosenSeeds(...seeds);
  const parent = seeded(seed, seed2);
  return dataset(repeatedCardinality(input.cardinality, count), run => {
    const nextStream = (): PhiloxStream => (reshuffles ? seeded(BigInt(parent.word()), BigInt(parent.word())) : seeded(seed, seed2));
    let stream = nextStream();
    let source: Elements | undefined = input.iterate(run);
    let [left, isEmpty, held] = [count, true, 0];
    /** The elements of each time through the input that are in the buffer. */
    const epochs: Element[][] = [[]];
    const fill = async (): Promise<void> => {
      while (source !== undefined && held < size && (epochs.length <= mostEpochs || held === 0)) {
        const element = await source.next();
        if (element !== undefined) {
          (epochs.at(-1) as Element[]).push(element);
          held++;
          isEmpty = false;
          continue;
        }
        const goesOn = !isEmpty && --left !== 0;
        source = goesOn ? input.iterate(run) : undefined;
        isEmpty = true;
        if (goesOn) epochs.push([]);
      }
    };
    return {
      next: async () => {
        await fill();
        if (held === 0) return undefined;
        while (epochs[0].length === 0) {
          epochs.shift();
          stream = nextStream();
        }
        const [buffer] = epochs;
        const chosen = stream.word() % buffer.length;
        const element = buffer[chosen];
        buffer[chosen] = buffer[0];
        buffer.shift();
        held--;
        return element;
      },
      close: async () => source?.close(),
    };
  });
}

/** Elements of one component, each value once. */
export const unique = (input: HostDataset): HostDataset =>
  dataset(unknown, run => {
    const source = input.iterate(run);
    const seen = new Set<string>();
    return over([source], async () => {
      for (;;) {
        const element = await source.next();
        if (element === undefined) return undefined;
        const key = `${element[0].shape}:${JSON.stringify(element[0].toArray(), plainValue)}`;
        if (seen.has(key)) continue;
        seen.add(key);
        return element;
      }
    });
  });

const plainValue = (_key: string, value: unknown): unknown =>
  typeof value === "bigint" ? String(value) : value instanceof Uint8Array ? [...value] : value;

/** Without the elements that fail. */
export const withoutErrors = (input: HostDataset): HostDataset =>
  dataset(unknown, run => {
    const source = input.iterate(run);
    return over([source], async () => {
      for (;;) {
        try {
          return await source.next();
        } catch (error) {
          if (!(error instanceof OpError)) throw error;
        }
      }
    });
  });

/** @throws FailedPreconditionError while iterating, unless there are so many elements. */
export const counted = (input: HostDataset, expected: number): HostDataset =>
  dataset(expected, run => {
    const source = input.iterate(run);
    const some = (count: number): string => (count === 1 ? "1 element" : `${count} elements`);
    let seen = 0;
    return over([source], async () => {
      const element = await source.next();
      if (element !== undefined) seen++;
      const isTooMany = element !== undefined && expected >= 0 && seen > expected;
      const isTooFew = element === undefined && seen !== expected;
      if (isTooMany || isTooFew)
        throw new FailedPreconditionError(
          `Input dataset was expected to contain ${expected === infinite ? "an infinite number of elements" : some(expected)} but contained ${isTooMany ? "at least" : "only"} ${some(seen)}.`,
        );
      return element;
    });
  });
