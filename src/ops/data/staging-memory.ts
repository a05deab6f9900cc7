// What the staging ops keep in a session: tuples of arrays in a line, and tuples by a key, which may be brought and taken in parts. Bringing waits for
// room, taking for tuples.

import { InvalidArgumentError, ResourceExhaustedError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { WaitingLine } from "./host-waiting.ts";

export type StagedTuple = readonly NDArray[];

interface StagingLimits {
  /** How many tuples there is room for, and how many bytes; 0: any number. */
  readonly capacity: number;
  readonly memoryLimit: number;
}

const bytesOf = (tuple: readonly (NDArray | undefined)[]): number =>
  tuple.reduce((sum, array) => sum + (array && "byteLength" in array.data ? array.data.byteLength : 0), 0);

const cancelled = "The staging operation was cancelled";

abstract class Staging {
  protected readonly limits: StagingLimits;
  protected readonly line = new WaitingLine();
  protected bytes = 0;

  constructor(limits: StagingLimits) {
    this.limits = limits;
  }

  abstract readonly size: number;

  protected requireFit(bytes: number): void {
    const { memoryLimit } = this.limits;
    if (memoryLimit > 0 && bytes > memoryLimit)
      throw new ResourceExhaustedError(
        `Attempted to insert tensors with combined size of '${bytes}' bytes into Staging Area with a memory limit of '${memoryLimit}'.`,
      );
  }

  protected hasRoom(bytes: number): boolean {
    const { capacity, memoryLimit } = this.limits;
    return (capacity === 0 || this.size < capacity) && (memoryLimit === 0 || this.bytes + bytes <= memoryLimit);
  }
}

/** The first tuple to come is the first to go. */
export class StagingArea extends Staging {
  private tuples: StagedTuple[] = [];

  get size(): number {
    return this.tuples.length;
  }

  put(tuple: StagedTuple, signal: AbortSignal): Promise<true> {
    const bytes = bytesOf(tuple);
    this.requireFit(bytes);
    const store = (): true | undefined => {
      if (!this.hasRoom(bytes)) return undefined;
      this.tuples.push(tuple);
      this.bytes += bytes;
      return true;
    };
    return this.line.until(store, signal, cancelled).finally(() => this.line.changed());
  }

  take(signal: AbortSignal): Promise<StagedTuple> {
    const first = (): StagedTuple | undefined => {
      const tuple = this.tuples.shift();
      if (tuple) this.bytes -= bytesOf(tuple);
      return tuple;
    };
    return this.line.until(first, signal, cancelled).finally(() => this.line.changed());
  }

  peek(index: number, signal: AbortSignal): Promise<StagedTuple> {
    return this.line.until(() => this.tuples[index], signal, cancelled);
  }

  clear(): void {
    this.tuples = [];
    this.bytes = 0;
    this.line.changed();
  }
}

type Slots = (NDArray | undefined)[];

/** A key with what a run asks of its tuple. */
export interface StagedParts {
  readonly key: bigint;
  readonly indices: readonly number[];
}

function requireOrder(indices: readonly number[]): void {
  if (indices.length === 0) throw new InvalidArgumentError("Indices are empty");
  if (indices.some((index, i) => i > 0 && index <= indices[i - 1])) throw new InvalidArgumentError("Indices are not strictly ordered");
}

/** Tuples by key. A tuple can be taken once all its parts have come. */
export class StagingMap extends Staging {
  private readonly isOrdered: boolean;
  private readonly complete = new Map<bigint, Slots>();
  private readonly incomplete = new Map<bigint, Slots>();

  constructor(limits: StagingLimits, isOrdered: boolean) {
    super(limits);
    this.isOrdered = isOrdered;
  }

  get size(): number {
    return this.complete.size;
  }

  get incompleteSize(): number {
    return this.incomplete.size;
  }

  /** Brings parts of a tuple of `length` parts. */
  put({ key, indices }: StagedParts, values: StagedTuple, length: number, signal: AbortSignal): Promise<true> {
    requireOrder(indices);
    if (values.length !== indices.length)
      throw new InvalidArgumentError(`There are ${indices.length} indices for ${values.length} values of key '${key}'.`);
    const bytes = bytesOf(values);
    this.requireFit(bytes);
    const store = (): true | undefined => {
      const slots = this.incomplete.get(key) ?? new Array<NDArray | undefined>(length).fill(undefined);
      for (const index of indices) {
        if (index < 0 || index >= length) throw outside(index, key, length);
        if (slots[index])
          throw new InvalidArgumentError(`The tensor for index '${index}' for key '${key}' was already initialized '${length}'.`);
      }
      if (!this.hasRoom(bytes)) return undefined;
      indices.forEach((index, k) => {
        slots[index] = values[k];
      });
      this.bytes += bytes;
      const isWhole = slots.every(array => array !== undefined);
      if (isWhole) this.incomplete.delete(key);
      // A tuple that is there already stays as it is.
      if (!isWhole) this.incomplete.set(key, slots);
      else if (!this.complete.has(key)) this.complete.set(key, slots);
      return true;
    };
    return this.line.until(store, signal, cancelled).finally(() => this.line.changed());
  }

  /** Waits for a key; takes parts of its tuple away, or leaves them if `isPeek`. */
  take({ key, indices }: StagedParts, isPeek: boolean, signal: AbortSignal): Promise<StagedTuple> {
    requireOrder(indices);
    const find = (): StagedTuple | undefined => (this.complete.has(key) ? this.partsOf(key, indices, isPeek) : undefined);
    return this.line.until(find, signal, cancelled).finally(() => this.line.changed());
  }

  /** The least key of an ordered map, else the one that came first. */
  takeAny(indices: readonly number[], signal: AbortSignal): Promise<readonly [key: bigint, tuple: StagedTuple]> {
    requireOrder(indices);
    const find = (): readonly [bigint, StagedTuple] | undefined => {
      const keys = [...this.complete.keys()];
      if (keys.length === 0) return undefined;
      const [key] = this.isOrdered ? keys.sort((a, b) => (a < b ? -1 : 1)) : keys;
      return [key, this.partsOf(key, indices, false)];
    };
    return this.line.until(find, signal, cancelled).finally(() => this.line.changed());
  }

  private partsOf(key: bigint, indices: readonly number[], isPeek: boolean): StagedTuple {
    const slots = this.complete.get(key) as Slots;
    const parts = indices.map(index => {
      if (index < 0 || index >= slots.length) throw outside(index, key, slots.length);
      const array = slots[index];
      if (!array) throw new InvalidArgumentError(`Tensor at index '${index}' for key '${key}' has already been removed.`);
      return array;
    });
    if (isPeek) return parts;
    for (const index of indices) slots[index] = undefined;
    this.bytes -= bytesOf(parts);
    if (slots.every(array => array === undefined)) this.complete.delete(key);
    return parts;
  }

  clear(): void {
    this.complete.clear();
    this.incomplete.clear();
    this.bytes = 0;
    this.line.changed();
  }
}

const outside = (index: number, key: bigint, length: number): InvalidArgumentError =>
  new InvalidArgumentError(`Index '${index}' for key '${key}' was out of bounds '${length}'.`);
