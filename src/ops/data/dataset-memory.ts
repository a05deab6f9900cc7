// Datasets while they run: each gives its elements anew to whoever iterates, and is made of those before it. Iterating goes on after an element that
// failed, as in TensorFlow. What order elements leave a shuffle in is TensorFlow's, word for word of its generator.

import { DataLossError, FailedPreconditionError, InvalidArgumentError, OpError, OutOfRangeError } from "../../base/errors.ts";
import { type ElementValue, NDArray } from "../../base/ndarray.ts";
import { type Beginning, type Call, type Iteration, iterationOf } from "./dataset-functions.ts";
import { PhiloxStream } from "../random/philox.ts";
import { rowOf, stackedRows } from "./rows.ts";

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
const over = (sources: readonly Elements[], next: () => Promise<Element | undefined>): Elements => ({
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

// ---- sources ----

export const listOf = (elements: readonly Element[]): HostDataset =>
  generated(elements.length, function* () {
    yield* elements;
  });

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

// ---- functions ----

/** `isCounted`: the number of elements is told. */
export const mapped = (input: HostDataset, call: Call, isCounted: boolean): HostDataset => ({
  isMapped: true,
  ...dataset(isCounted ? input.cardinality : unknown, run => {
    const source = input.iterate(run);
    return over([source], async () => {
      const element = await source.next();
      return element && (await call(run, element));
    });
  }),
});

const isTrue = ([answer]: Element): boolean => Boolean(answer.get(0));

export const filtered = (input: HostDataset, predicate: Call): HostDataset =>
  dataset(unknown, run => {
    const source = input.iterate(run);
    return over([source], async () => {
      for (;;) {
        const element = await source.next();
        if (element === undefined || isTrue(await predicate(run, element))) return element;
      }
    });
  });

/** Up to the first element for which `predicate` is false. */
export const takenWhile = (input: HostDataset, predicate: Call): HostDataset =>
  dataset(unknown, run => {
    const source = input.iterate(run);
    let hasEnded = false;
    return over([source], async () => {
      const element = hasEnded ? undefined : await source.next();
      if (element !== undefined && isTrue(await predicate(run, element))) return element;
      hasEnded = true;
      await source.close();
      return undefined;
    });
  });

/** `call` gives the next state and an element. */
export const scanned = (input: HostDataset, initial: Element, call: Call, isCounted: boolean): HostDataset =>
  dataset(isCounted ? input.cardinality : unknown, run => {
    const source = input.iterate(run);
    let state = initial;
    return over([source], async () => {
      const element = await source.next();
      if (element === undefined) return undefined;
      const results = await call(run, [...state, ...element]);
      state = results.slice(0, state.length);
      return results.slice(state.length);
    });
  });

/** The last state. */
export async function reduced(input: HostDataset, initial: Element, call: Call, run: Iteration): Promise<Element> {
  const source = input.iterate(run);
  let state = initial;
  for (let element = await source.next(); element !== undefined; element = await source.next())
    state = await call(run, [...state, ...element]);
  return state;
}

export const flatMapped = (input: HostDataset, call: Call): HostDataset =>
  dataset(unknown, run => {
    const source = input.iterate(run);
    let inner: Elements | undefined;
    return {
      next: async () => {
        for (;;) {
          if (inner === undefined) {
            const element = await source.next();
            if (element === undefined) return undefined;
            inner = DatasetArray.of((await call(run, element))[0]).iterate(run);
          }
          const next = await inner.next();
          if (next !== undefined) return next;
          inner = undefined;
        }
      },
      close: async () => {
        await inner?.close();
        await source.close();
      },
    };
  });

/** `blockLength` elements of each of `cycleLength` datasets in turn; one that has ended makes room for the next of the input. */
export const interleaved = (input: HostDataset, call: Call, cycleLength: number, blockLength: number): HostDataset =>
  dataset(unknown, run => {
    const source = input.iterate(run);
    const slots: (Elements | undefined)[] = Array.from({ length: cycleLength });
    let [at, taken, open] = [0, 0, 0];
    let hasEnded = false;
    const advance = (): void => {
      at = (at + 1) % cycleLength;
      taken = 0;
    };
    const next = async (): Promise<Element | undefined> => {
      while (!hasEnded || open > 0) {
        const slot = slots[at];
        if (slot) {
          const element = await slot.next();
          if (element !== undefined) {
            if (++taken === blockLength) advance();
            return element;
          }
          slots[at] = undefined;
          open--;
          advance();
        } else if (hasEnded) advance();
        else {
          const element = await source.next();
          if (element === undefined) hasEnded = true;
          else {
            slots[at] = DatasetArray.of((await call(run, element))[0]).iterate(run);
            open++;
          }
        }
      }
      return undefined;
    };
    const close = async (): Promise<void> => {
      for (const slot of slots) await slot?.close();
      await source.close();
    };
    return { next, close };
  });

/** The same with `prefetched` datasets more at hand: where one has ended, the first of them takes its place, and its turn comes a round later. */
export const interleavedAhead = (
  input: HostDataset,
  call: Call,
  { cycleLength, blockLength, prefetched }: { cycleLength: number; blockLength: number; prefetched: number },
): HostDataset =>
  dataset(unknown, run => {
    const source = input.iterate(run);
    const slots: (Elements | undefined)[] = [];
    const waiting: Elements[] = [];
    let [at, taken] = [0, 0];
    let [hasBegun, hasEnded] = [false, false];
    const open = async (): Promise<Elements | undefined> => {
      if (hasEnded) return undefined;
      const element = await failing(source.next());
      hasEnded = element === undefined;
      return element && (element instanceof Failed ? failure(element) : opened(call, run, element));
    };
    const begin = async (): Promise<void> => {
      for (let i = 0; i < cycleLength + prefetched; i++) {
        const elements = await open();
        if (elements === undefined) break;
        (i < cycleLength ? slots : waiting).push(elements);
      }
      hasBegun = true;
    };
    const next = async (): Promise<Element | undefined> => {
      if (!hasBegun) await begin();
      for (let empty = 0; empty < slots.length; ) {
        const slot = slots[at];
        const element = await (slot && failing(slot.next()));
        if (element !== undefined) {
          if (++taken === blockLength) advance();
          return thrown(element);
        }
        if (slot) {
          const more = await open();
          if (more) waiting.push(more);
          slots[at] = waiting.shift();
        }
        if (slot && slots[at]) {
          empty = 0;
          advance();
        } else {
          // What was taken of a block counts for the next dataset, if none takes the place of one that has ended.
          empty++;
          at = (at + 1) % slots.length;
        }
      }
      return undefined;
    };
    const advance = (): void => {
      at = (at + 1) % slots.length;
      taken = 0;
    };
    return {
      next,
      close: async () => {
        for (const elements of [...slots, ...waiting]) await elements?.close();
        await source.close();
      },
    };
  });

/** What went wrong in the place of an element. */
class Failed {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}
const failing = (element: Promise<Element | undefined>): Promise<Element | Failed | undefined> =>
  element.catch((error: unknown) => {
    if (error instanceof OpError) return new Failed(error);
    throw error;
  });
function thrown(element: Element | Failed): Element {
  if (element instanceof Failed) throw element.error;
  return element;
}
/** No elements, but one error. */
function failure({ error }: Failed): Elements {
  let isTold = false;
  return {
    next: async () => {
      if (isTold) return undefined;
      isTold = true;
      throw error;
    },
    close: async () => undefined,
  };
}
/** The elements of the dataset that a function gives; the error alone if it fails. */
const opened = (call: Call, run: Iteration, element: Element): Promise<Elements> =>
  call(run, element).then(
    ([made]) => DatasetArray.of(made).iterate(run),
    (error: unknown) => failure(new Failed(error)),
  );

/** Windows of elements with one key each, made into datasets by `reduce`; windows that are not full are reduced at the end, in order of their keys' coming. */
export const groupedByWindow = (input: HostDataset, keyOf: Call, reduce: Call, sizeOf: Call): HostDataset =>
  dataset(unknown, run => {
    const source = input.iterate(run);
    const groups = new Map<bigint, { key: NDArray; size: number; elements: Element[] }>();
    let inner: Elements | undefined;
    let hasEnded = false;
    const open = async (key: NDArray, elements: readonly Element[]): Promise<void> => {
      inner = DatasetArray.of((await reduce(run, [key, new DatasetArray(listOf(elements))]))[0]).iterate(run);
    };
    const gather = async (): Promise<boolean> => {
      const element = hasEnded ? undefined : await source.next();
      if (element === undefined) {
        hasEnded = true;
        // TensorFlow keeps its groups by key.
        const [first] = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
        if (first === undefined) return false;
        groups.delete(first[0]);
        await open(first[1].key, first[1].elements);
        return true;
      }
      const [key] = await keyOf(run, element);
      const id = BigInt(key.get(0) as bigint);
      let group = groups.get(id);
      if (!group) {
        const size = Number((await sizeOf(run, [key]))[0].get(0));
        if (size <= 0) throw new InvalidArgumentError(`Window size must be greater than zero, but got ${size}.`);
        group = { key, size, elements: [] };
        groups.set(id, group);
      }
      group.elements.push(element);
      if (group.elements.length === group.size) {
        groups.delete(id);
        await open(key, group.elements);
      }
      return true;
    };
    return over([source], async () => {
      for (;;) {
        const next = await inner?.next();
        if (next !== undefined) return next;
        inner = undefined;
        if (!(await gather())) return undefined;
      }
    });
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

// ---- batches ----

/** So many elements; fewer at the end, or none. `isWhole`: the rest of a batch goes with an element that fails. */
async function group(source: Elements, size: number, dropsRemainder: boolean, isWhole = false): Promise<readonly Element[] | undefined> {
  const elements: (Element | Failed)[] = [];
  while (elements.length < size) {
    const element = await (isWhole ? failing(source.next()) : source.next());
    if (element === undefined) break;
    elements.push(element);
  }
  const made = elements.map(thrown);
  return made.length === 0 || (dropsRemainder && made.length < size) ? undefined : made;
}

const components = (elements: readonly Element[]): NDArray[][] => elements[0].map((_, k) => elements.map(element => element[k]));

const groups = (cardinality: number, size: number, dropsRemainder: boolean): number =>
  cardinality < 0 ? cardinality : dropsRemainder ? Math.floor(cardinality / size) : Math.ceil(cardinality / size);

export const batched = (input: HostDataset, size: number, dropsRemainder: boolean): HostDataset =>
  dataset(groups(input.cardinality, size, dropsRemainder), run => {
    const source = input.iterate(run);
    return over([source], async () => {
      const elements = await group(source, size, dropsRemainder, input.isMapped);
      return elements && stacked(elements, input.isMapped);
    });
  });

const stacked = (elements: readonly Element[], isMapped = false): Element =>
  components(elements).map((parts, k) => {
    const [{ dtype, shape, size }] = parts;
    const other = parts.findIndex(part => part.shape.join() !== shape.join());
    if (isMapped && other >= 0 && parts[other].size !== size)
      throw new InvalidArgumentError(
        `Cannot add tensor to the batch: number of elements does not match. Shapes are: [tensor]: [${parts[other].shape}], [batch]: [${shape}]`,
      );
    if (other >= 0)
      throw new InvalidArgumentError(
        `Cannot batch tensors with different shapes in component ${k}. First element had shape [${shape}] and element ${other} had shape [${parts[other].shape}].`,
      );
    return stackedRows(dtype, parts, shape);
  });

interface PaddingOptions {
  /** Of each component; a negative size is that of the largest of the batch. */
  readonly shapes: readonly (readonly number[])[];
  readonly paddings: readonly ElementValue[];
}

/** Batches of components padded to a shape each. */
export const paddedBatched = (input: HostDataset, size: number, dropsRemainder: boolean, padding: PaddingOptions): HostDataset =>
  dataset(groups(input.cardinality, size, dropsRemainder), run => {
    const source = input.iterate(run);
    return over([source], async () => {
      const elements = await group(source, size, dropsRemainder);
      return elements && components(elements).map((parts, k) => padded(parts, k, padding));
    });
  });

function padded(parts: readonly NDArray[], k: number, { shapes, paddings }: PaddingOptions): NDArray {
  for (const { shape } of parts) {
    if (shape.length !== shapes[k].length)
      throw new InvalidArgumentError(
        `All elements in a batch must have the same rank as the padded shape for component${k}: expected rank ${shapes[k].length} but got element with rank ${shape.length}`,
      );
    if (shape.some((d, axis) => shapes[k][axis] >= 0 && d > shapes[k][axis]))
      throw new DataLossError(
        `Attempted to pad to a smaller size than the input element. padded_shapes: [${shapes[k]}], element shape: [${shape}]`,
      );
  }
  const sizes = shapes[k].map(d => (d < 0 ? undefined : d));
  return stackedRows(parts[0].dtype, parts, sizes, paddings[k]);
}

/** The rows of all components of each element. */
export const unbatched = (input: HostDataset): HostDataset =>
  dataset(unknown, run => {
    const source = input.iterate(run);
    let batch: Element = [];
    let [row, rows] = [0, 0];
    return over([source], async () => {
      while (row === rows) {
        const next = await source.next();
        if (next === undefined) return undefined;
        if (next.some(({ rank }) => rank === 0))
          throw new InvalidArgumentError("Input element must have a non-scalar value in each component.");
        const [size] = next[0].shape;
        const other = next.findIndex(({ shape }) => shape[0] !== size);
        if (other >= 0)
          throw new InvalidArgumentError(
            `Input element must have the same batch size in each component. Component 0 had size ${size} but component ${other} had size, ${next[other].shape[0]}.`,
          );
        [batch, row, rows] = [next, 0, size];
      }
      row++;
      return batch.map(component => rowOf(component, row - 1));
    });
  });

/** Datasets of `size` elements each, for each component; the next begins `shift` further, `stride` apart within one. */
export const windowed = (input: HostDataset, size: number, shift: number, stride: number, dropsRemainder: boolean): HostDataset => {
  const needed = (size - 1) * stride + 1;
  const { cardinality } = input;
  const count =
    cardinality < 0
      ? cardinality
      : dropsRemainder
        ? Math.max(0, Math.floor((cardinality - needed) / shift) + 1)
        : Math.ceil(cardinality / shift);
  return dataset(count, run => {
    const source = input.iterate(run);
    // An element that fails has its place: it spoils the windows it is in, and no others.
    let buffer: (Element | Failed)[] = [];
    let hasEnded = false;
    const fill = async (count: number): Promise<void> => {
      while (!hasEnded && buffer.length < count) {
        const next = await failing(source.next());
        if (next === undefined) hasEnded = true;
        else buffer.push(next);
      }
    };
    return over([source], async () => {
      await fill(needed);
      // What is left at the end still makes windows, each beginning `shift` further.
      const window = buffer.slice(0, needed).filter((_, i) => i % stride === 0);
      if (window.length === 0 || (dropsRemainder && window.length < size)) return undefined;
      await fill(shift);
      buffer = buffer.slice(shift);
      return windowOf(window.map(thrown));
    });
  });
};

const windowOf = (window: readonly Element[]): Element =>
  window[0].map((_, k) => new DatasetArray(listOf(window.map(element => [element[k]]))));

/** Windows as batches: each component's elements stacked. */
export const slidingBatches = (
  input: HostDataset,
  { size, shift, stride, dropsRemainder }: { size: number; shift: number; stride: number; dropsRemainder: boolean },
): HostDataset => {
  const windows = windowed(input, size, shift, stride, dropsRemainder);
  return dataset(windows.cardinality, run => {
    const source = windows.iterate(run);
    return over([source], async () => {
      const window = await source.next();
      if (window === undefined) return undefined;
      return Promise.all(
        window.map(async component => {
          const rows = DatasetArray.of(component).iterate(run);
          const parts: NDArray[] = [];
          for (let row = await rows.next(); row !== undefined; row = await rows.next()) parts.push(row[0]);
          return stackedRows(parts[0].dtype, parts, parts[0].shape);
        }),
      );
    });
  });
};

/** Each element with a chance of `rate`. */
export const sampled = (input: HostDataset, rate: number, seeds: readonly [bigint, bigint]): HostDataset => {
  const [seed, seed2] = chosenSeeds(...seeds);
  return dataset(unknown, run => {
    const source = input.iterate(run);
    const stream = seeded(seed, seed2);
    return over([source], async () => {
      for (;;) {
        const element = await source.next();
        if (element === undefined || stream.unit32() < rate) return element;
      }
    });
  });
};

/** The rows of all batches in batches of the given sizes, which come in turn. */
export const rebatched = (input: HostDataset, sizes: readonly number[], dropsRemainder: boolean): HostDataset => {
  const rows = unbatched(input);
  return dataset(unknown, run => {
    const source = rows.iterate(run);
    let turn = 0;
    return over([source], async () => {
      const size = sizes[turn++ % sizes.length];
      const taken: Element[] = [];
      while (taken.length < size) {
        const row = await source.next();
        if (row === undefined) break;
        taken.push(row);
      }
      if (taken.length === 0 || (dropsRemainder && taken.length < size)) return undefined;
      return taken[0].map(({ dtype, shape }, k) =>
        stackedRows(
          dtype,
          taken.map(row => row[k]),
          shape,
        ),
      );
    });
  });
};

/** Each batch in so many parts, all of one size but for the last that have any rows left. */
export const cutBatches = (input: HostDataset, count: number): HostDataset =>
  dataset(input.cardinality < 0 ? input.cardinality : input.cardinality * count, run => {
    const source = input.iterate(run);
    let parts: Element[] = [];
    return over([source], async () => {
      if (parts.length === 0) {
        const batch = await source.next();
        if (batch === undefined) return undefined;
        if (batch.some(({ rank }) => rank === 0))
          throw new InvalidArgumentError("Cannot rebatch dataset: all components must have a batch dimension.");
        const [rows] = batch[0].shape;
        const size = Math.ceil(rows / count);
        parts = Array.from({ length: count }, (_, part) =>
          batch.map(component => {
            const from = Math.min(part * size, rows);
            const kept = Array.from({ length: Math.min(from + size, rows) - from }, (__, k) => rowOf(component, from + k));
            return stackedRows(component.dtype, kept, component.shape.slice(1));
          }),
        );
      }
      return parts.shift();
    });
  });

interface Reducer {
  readonly keyOf: Call;
  /** The first state of a key. */
  readonly begin: Call;
  readonly reduce: Call;
  readonly finish: Call;
}

/** What the elements of each key come to, in the order of keys. */
export const groupedByReducer = (input: HostDataset, { keyOf, begin, reduce, finish }: Reducer): HostDataset =>
  dataset(unknown, run => {
    let states: Element[] | undefined;
    const source = input.iterate(run);
    const byKey = new Map<bigint, Element>();
    // Goes on behind an element that failed.
    const gather = async (): Promise<Element[]> => {
      for (let element = await source.next(); element !== undefined; element = await source.next()) {
        const [key] = await keyOf(run, element);
        const id = key.get(0) as bigint;
        byKey.set(id, await reduce(run, [...(byKey.get(id) ?? (await begin(run, [key]))), ...element]));
      }
      return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, state]) => state);
    };
    return {
      next: async () => {
        states ??= await gather();
        const state = states.shift();
        return state && finish(run, state);
      },
      close: () => source.close(),
    };
  });

/** Each element after a rest. */
export const delayed = (input: HostDataset, milliseconds: number): HostDataset =>
  dataset(input.cardinality, run => {
    const source = input.iterate(run);
    return over([source], async () => {
      await new Promise(resolve => void setTimeout(resolve, milliseconds));
      return source.next();
    });
  });

// ---- iterators ----

let strings = 0;
const byString = new Map<string, WeakRef<HostIterator>>();

/** An iterator of a session: nothing until it is given a dataset, or one that finds its dataset by itself when first asked. */
export class HostIterator {
  private elements: Elements | undefined;
  private find: ((iteration: Iteration) => Promise<HostDataset>) | undefined;
  private text: string | undefined;
  /** The call before: elements are made one after the other. */
  private before: Promise<unknown> = Promise.resolve();

  constructor(find?: (iteration: Iteration) => Promise<HostDataset>) {
    this.find = find;
  }

  async begin(held: HostDataset, context: Beginning): Promise<void> {
    const { elements } = this;
    this.elements = held.iterate(iterationOf(context));
    await elements?.close();
  }

  /** The next element; undefined at the end. */
  async nextOrNone(context: Beginning): Promise<Element | undefined> {
    const { find } = this;
    if (find) {
      const held = await find(iterationOf(context));
      // Several may have asked at once.
      if (!this.elements) await this.begin(held, context);
      this.find = undefined;
    }
    if (!this.elements)
      throw new FailedPreconditionError(
        "GetNext() failed because the iterator has not been initialized. Ensure that you have run the initializer operation for this iterator before getting the next element.",
      );
    const { elements, before } = this;
    const next = before.then(() => elements.next());
    this.before = next.catch(() => undefined);
    return next;
  }

  /** @throws OutOfRangeError at the end. */
  async next(context: Beginning): Promise<Element> {
    const next = await this.nextOrNone(context);
    if (next === undefined) throw new OutOfRangeError("End of sequence");
    return next;
  }

  /** A name under which it is found in every run of its program. */
  get handle(): string {
    if (this.text === undefined) {
      this.text = `iterator_${strings++}`;
      byString.set(this.text, new WeakRef(this));
    }
    return this.text;
  }

  /** @throws InvalidArgumentError for a string that names none. */
  static find(handle: string): HostIterator {
    const found = byString.get(handle)?.deref();
    if (!found) throw new InvalidArgumentError(`Could not find an iterator of the handle '${handle}'.`);
    return found;
  }
}

/** The place of an iterator that a string names, told anew in each run. */
export class IteratorPlace {
  iterator: HostIterator | undefined;
}

// ---- optionals ----

/** An element that may be missing, as the value of a tensor of type variant. */
export class OptionalArray extends NDArray {
  readonly element: Element | undefined;

  constructor(element: Element | undefined) {
    super("variant", [], new Uint8Array(1));
    this.element = element;
  }

  static of(array: NDArray): OptionalArray {
    if (!(array instanceof OptionalArray)) throw new InvalidArgumentError("The given variant tensor is no optional.");
    return array;
  }
}
