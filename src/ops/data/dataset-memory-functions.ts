// Datasets of functions while they run: mapped, filtered, interleaved, grouped elements.

import { InvalidArgumentError, OpError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import type { Call, Iteration } from "./dataset-functions.ts";
import { type HostDataset, dataset, listOf, unknown, over, type Element, type Elements, DatasetArray } from "./host-dataset.ts";

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
export class Failed {
  readonly error: unknown;
  constructor(error: unknown) {
    this.error = error;
  }
}
export const failing = (element: Promise<Element | undefined>): Promise<Element | Failed | undefined> =>
  element.catch((error: unknown) => {
    if (error instanceof OpError) return new Failed(error);
    throw error;
  });
export function thrown(element: Element | Failed): Element {
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
