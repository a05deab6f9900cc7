// Batches, windows and what is taken out of them, while datasets run.

import { DataLossError, InvalidArgumentError } from "../../base/errors.ts";
import type { ElementValue, NDArray } from "../../base/ndarray.ts";
import type { Call } from "./dataset-functions.ts";
import { rowOf, stackedRows } from "./rows.ts";
import { type Elements, type Element, type HostDataset, dataset, listOf, over, unknown, DatasetArray } from "./host-dataset.ts";
import { type Failed, failing, thrown } from "./dataset-memory-functions.ts";
import { chosenSeeds, seeded } from "./dataset-memory.ts";

/** So many elements; fewer at the end, or none. `isWhole`: the rest of a batch goes with an element that fails. */
async function elementsOfBatch(
  source: Elements,
  size: number,
  dropsRemainder: boolean,
  isWhole = false,
): Promise<readonly Element[] | undefined> {
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

export const groups = (cardinality: number, size: number, dropsRemainder: boolean): number =>
  cardinality < 0 ? cardinality : dropsRemainder ? Math.floor(cardinality / size) : Math.ceil(cardinality / size);

export const batched = (input: HostDataset, size: number, dropsRemainder: boolean): HostDataset =>
  dataset(groups(input.cardinality, size, dropsRemainder), run => {
    const source = input.iterate(run);
    return over([source], async () => {
      const elements = await elementsOfBatch(source, size, dropsRemainder, input.isMapped);
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
      const elements = await elementsOfBatch(source, size, dropsRemainder);
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
