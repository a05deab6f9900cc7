// Datasets while they run: each gives its elements anew to whoever iterates, and is made of those before it. What order elements leave a shuffle in
// is TensorFlow's, word for word of its generator.

import { DataLossError, FailedPreconditionError, InvalidArgumentError, OutOfRangeError } from "../base/errors.ts";
import { type ElementValue, NDArray } from "../base/ndarray.ts";
import type { SideRun } from "../graph/op-definition.ts";
import { PhiloxStream } from "./random-philox.ts";
import { stackedRows } from "./rows.ts";

/** One element: an array for each component. */
export type Element = readonly NDArray[];
export type Elements = AsyncGenerator<Element, void, undefined>;

/** Something that can be iterated, as often as wanted. */
export interface HostDataset {
  /** `run` calls functions. */
  iterate(run: SideRun): Elements;
}

export const dataset = (iterate: (run: SideRun) => Elements): HostDataset => ({ iterate });

/** A dataset as the value of a tensor of type variant. */
export class DatasetArray extends NDArray {
  readonly dataset: HostDataset;

  constructor(held: HostDataset) {
    super("variant", [], new Uint8Array(1));
    this.dataset = held;
  }

  static of(array: NDArray): HostDataset {
    if (!(array instanceof DatasetArray)) throw new InvalidArgumentError("The given variant tensor is no dataset.");
    return array.dataset;
  }
}

/** A function from element to element (or to whatever else). */
export type Call = (run: SideRun, element: Element) => Promise<readonly NDArray[]>;

export const listOf = (elements: Iterable<Element>): HostDataset =>
  dataset(async function* () {
    yield* elements;
  });

export const mapped = (input: HostDataset, call: Call): HostDataset =>
  dataset(async function* (run) {
    for await (const element of input.iterate(run)) yield await call(run, element);
  });

export const filtered = (input: HostDataset, predicate: Call): HostDataset =>
  dataset(async function* (run) {
    for await (const element of input.iterate(run)) if ((await predicate(run, element))[0].get(0)) yield element;
  });

export const flatMapped = (input: HostDataset, call: Call): HostDataset =>
  dataset(async function* (run) {
    for await (const element of input.iterate(run)) yield* DatasetArray.of((await call(run, element))[0]).iterate(run);
  });

/** `blockLength` elements of each of `cycleLength` datasets in turn; one that has ended makes room for the next of the input. */
export const interleaved = (input: HostDataset, call: Call, cycleLength: number, blockLength: number): HostDataset =>
  dataset(async function* (run) {
    const source = input.iterate(run);
    const slots: (Elements | undefined)[] = Array.from({ length: cycleLength });
    let [at, taken, open] = [0, 0, 0];
    let hasEnded = false;
    const advance = (): void => {
      at = (at + 1) % cycleLength;
      taken = 0;
    };
    while (!hasEnded || open > 0) {
      const slot = slots[at];
      if (slot) {
        const next = await slot.next();
        if (next.done) {
          slots[at] = undefined;
          open--;
          advance();
          continue;
        }
        yield next.value;
        if (++taken === blockLength) advance();
      } else if (hasEnded) advance();
      else {
        const next = await source.next();
        if (next.done) hasEnded = true;
        else {
          slots[at] = DatasetArray.of((await call(run, next.value))[0]).iterate(run);
          open++;
        }
      }
    }
  });

/** A negative count: for ever. A dataset without elements ends it. */
export const repeated = (input: HostDataset, count: number): HostDataset =>
  dataset(async function* (run) {
    for (let i = 0; count < 0 || i < count; i++) {
      let isEmpty = true;
      for await (const element of input.iterate(run)) {
        isEmpty = false;
        yield element;
      }
      if (isEmpty) return;
    }
  });

/** A negative count: all. */
export const taken = (input: HostDataset, count: number): HostDataset =>
  dataset(async function* (run) {
    if (count === 0) return;
    let left = count;
    for await (const element of input.iterate(run)) {
      yield element;
      if (--left === 0) return;
    }
  });

/** A negative count: all. */
export const skipped = (input: HostDataset, count: number): HostDataset =>
  dataset(async function* (run) {
    let left = count;
    for await (const element of input.iterate(run)) {
      if (left === 0) yield element;
      else left--;
    }
  });

export const sharded = (input: HostDataset, shards: number, index: number): HostDataset =>
  dataset(async function* (run) {
    let at = 0;
    for await (const element of input.iterate(run)) if (at++ % shards === index) yield element;
  });

export const chained = (first: HostDataset, second: HostDataset): HostDataset =>
  dataset(async function* (run) {
    yield* first.iterate(run);
    yield* second.iterate(run);
  });

/** Ends with the shortest. */
export const zipped = (inputs: readonly HostDataset[]): HostDataset =>
  dataset(async function* (run) {
    const sources = inputs.map(input => input.iterate(run));
    for (;;) {
      const parts: NDArray[] = [];
      for (const source of sources) {
        const next = await source.next();
        if (next.done) return;
        parts.push(...next.value);
      }
      yield parts;
    }
  });

/** Keeps the elements of the first iteration that comes to the end. */
export function cached(input: HostDataset): HostDataset {
  let kept: readonly Element[] | undefined;
  return dataset(async function* (run) {
    if (kept) return yield* kept;
    const seen: Element[] = [];
    for await (const element of input.iterate(run)) {
      seen.push(element);
      yield element;
    }
    kept = seen;
  });
}

const seeded = (seed: bigint, seed2: bigint): PhiloxStream =>
  new PhiloxStream(new NDArray("int64", [3], BigInt64Array.of(seed, seed2, 0n)));

/** Elements leave a buffer in random order; with `reshuffles` in another one each time. */
export function shuffled(input: HostDataset, size: number, seeds: readonly [bigint, bigint], reshuffles: boolean): HostDataset {
  const isUnseeded = seeds[0] === 0n && seeds[1] === 0n;
  const [seed, seed2] = isUnseeded ? globalThis.crypto.getRandomValues(new BigInt64Array(2)) : seeds;
  const parent = seeded(seed, seed2);
  return dataset(async function* (run) {
    const stream = reshuffles ? seeded(BigInt(parent.word()), BigInt(parent.word())) : seeded(seed, seed2);
    const source = input.iterate(run);
    const buffer: Element[] = [];
    let hasEnded = false;
    for (;;) {
      while (!hasEnded && buffer.length < size) {
        const next = await source.next();
        if (next.done) hasEnded = true;
        else buffer.push(next.value);
      }
      if (buffer.length === 0) return;
      const chosen = stream.word() % buffer.length;
      const element = buffer[chosen];
      buffer[chosen] = buffer[0];
      buffer.shift();
      yield element;
    }
  });
}

async function* grouped(elements: Elements, size: number, dropsRemainder: boolean): AsyncGenerator<Element[]> {
  let group: Element[] = [];
  for await (const element of elements) {
    group.push(element);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0 && !dropsRemainder) yield group;
}

const components = (group: readonly Element[]): NDArray[][] => group[0].map((_, k) => group.map(element => element[k]));

export const batched = (input: HostDataset, size: number, dropsRemainder: boolean): HostDataset =>
  dataset(async function* (run) {
    for await (const group of grouped(input.iterate(run), size, dropsRemainder))
      yield components(group).map((parts, k) => {
        const [{ dtype, shape }] = parts;
        const other = parts.findIndex(part => part.shape.join() !== shape.join());
        if (other >= 0)
          throw new InvalidArgumentError(
            `Cannot batch tensors with different shapes in component ${k}. First element had shape [${shape}] and element ${other} had shape [${parts[other].shape}].`,
          );
        return stackedRows(dtype, parts, shape);
      });
  });

/** Batches of components padded to a shape each; a negative size is that of the largest of the batch. */
export const paddedBatched = (
  input: HostDataset,
  size: number,
  dropsRemainder: boolean,
  shapes: readonly (readonly number[])[],
  paddings: readonly ElementValue[],
): HostDataset =>
  dataset(async function* (run) {
    for await (const group of grouped(input.iterate(run), size, dropsRemainder))
      yield components(group).map((parts, k) => {
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
      });
  });

/** Datasets of `size` elements each, for each component; the next begins `shift` further, `stride` apart within one. */
export const windowed = (input: HostDataset, size: number, shift: number, stride: number, dropsRemainder: boolean): HostDataset =>
  dataset(async function* (run) {
    const source = input.iterate(run);
    const needed = (size - 1) * stride + 1;
    let buffer: Element[] = [];
    for (let hasEnded = false; !hasEnded; ) {
      while (!hasEnded && buffer.length < Math.max(needed, shift)) {
        const next = await source.next();
        if (next.done) hasEnded = true;
        else buffer.push(next.value);
      }
      // What is left at the end still makes windows, each beginning `shift` further.
      do {
        const window = buffer.slice(0, needed).filter((_, i) => i % stride === 0);
        if (window.length === 0 || (dropsRemainder && window.length < size)) return;
        yield window[0].map((_, k) => new DatasetArray(listOf(window.map(element => [element[k]]))));
        buffer = buffer.slice(shift);
      } while (hasEnded);
    }
  });

// ---- iterators ----

let strings = 0;
const byString = new Map<string, WeakRef<HostIterator>>();

/** An iterator of a session: nothing until it is given a dataset, or one that finds its dataset by itself when first asked. */
export class HostIterator {
  private elements: Elements | undefined;
  private find: ((run: SideRun) => Promise<HostDataset>) | undefined;
  private text: string | undefined;

  constructor(find?: (run: SideRun) => Promise<HostDataset>) {
    this.find = find;
  }

  begin(held: HostDataset, run: SideRun): void {
    this.elements = held.iterate(run);
  }

  async next(run: SideRun): Promise<Element> {
    const { find } = this;
    if (find) {
      const held = await find(run);
      // Several may have asked at once.
      if (!this.elements) this.begin(held, run);
      this.find = undefined;
    }
    if (!this.elements)
      throw new FailedPreconditionError(
        "GetNext() failed because the iterator has not been initialized. Ensure that you have run the initializer operation for this iterator before getting the next element.",
      );
    const next = await this.elements.next();
    if (next.done) throw new OutOfRangeError("End of sequence");
    return next.value;
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
