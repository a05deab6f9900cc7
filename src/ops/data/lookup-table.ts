// What a table's handle stands for in a session: keys and values on the host. Strings are keyed by their bytes, numbers by themselves.

import type { DType } from "../../base/dtype.ts";
import { AbortedError, FailedPreconditionError, InvalidArgumentError, UnimplementedError } from "../../base/errors.ts";
import { type ElementValue, NDArray, latinText } from "../../base/ndarray.ts";
import { sameShape, sizeOf } from "../../base/shape.ts";

type Key = string | number | bigint | boolean;

export interface TableTypes {
  readonly keyDtype: DType;
  readonly valueDtype: DType;
  readonly valueShape: readonly number[];
}

interface Entry {
  readonly key: ElementValue;
  readonly value: readonly ElementValue[];
}

const keyOf = (value: ElementValue): Key => {
  if (value instanceof Uint8Array) return latinText(value);
  return typeof value === "object" ? `${value.re},${value.im}` : value;
};

const shown = (value: ElementValue): string => (value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value));
const copyOf = (value: ElementValue): ElementValue => (value instanceof Uint8Array ? value.slice() : value);
const bracketed = (shape: readonly number[]): string => `[${shape}]`;

/** Keys with values of one shape; what may be done with it is the kinds' affair. */
export abstract class LookupTable {
  readonly types: TableTypes;
  protected entries = new Map<Key, Entry>();
  /** Do keys that are missing have a default each? If not, the first is for all. */
  protected readonly canTellDefaults: boolean = true;

  constructor(types: TableTypes) {
    this.types = types;
  }

  get size(): number {
    return this.entries.size;
  }

  protected get valueSize(): number {
    return sizeOf(this.types.valueShape);
  }

  /** Writes the keys' values, or the default: one for all, or one for each key. */
  find(keys: NDArray, fallback: NDArray, out: NDArray): void {
    const { valueSize } = this;
    const isOne = sameShape(fallback.shape, this.types.valueShape);
    if (!isOne && !sameShape(fallback.shape, out.shape))
      throw new InvalidArgumentError(
        `Expected shape ${bracketed(this.types.valueShape)} or ${bracketed(out.shape)} for default value, got ${bracketed(fallback.shape)}`,
      );
    const isForEach = !isOne && this.canTellDefaults;
    for (let i = 0; i < keys.size; i++) {
      const value = this.entries.get(keyOf(keys.get(i)))?.value;
      for (let k = 0; k < valueSize; k++) out.set(i * valueSize + k, value?.[k] ?? fallback.get(isForEach ? i * valueSize + k : k));
    }
  }

  abstract insert(keys: NDArray, values: NDArray): void;
  abstract remove(keys: NDArray): void;
  /** Replaces all entries. */
  abstract fill(keys: NDArray, values: NDArray): void;

  export(): readonly [keys: NDArray, values: NDArray] {
    return this.exported([...this.entries.values()]);
  }

  protected exported(entries: readonly Entry[]): readonly [keys: NDArray, values: NDArray] {
    const { keyDtype, valueDtype, valueShape } = this.types;
    const keys = NDArray.zeros(keyDtype, [entries.length]);
    const values = NDArray.zeros(valueDtype, [entries.length, ...valueShape]);
    entries.forEach(({ key, value }, i) => {
      keys.set(i, key);
      for (const [k, x] of value.entries()) values.set(i * this.valueSize + k, x);
    });
    return [keys, values];
  }

  protected *given(keys: NDArray, values: NDArray): Generator<readonly [Key, Entry]> {
    const { valueSize, types } = this;
    if (!sameShape(values.shape, [...keys.shape, ...types.valueShape]))
      throw new InvalidArgumentError(
        `Expected shape ${bracketed([...keys.shape, ...types.valueShape])} for value, got ${bracketed(values.shape)}`,
      );
    for (let i = 0; i < keys.size; i++) {
      const key = copyOf(keys.get(i));
      yield [keyOf(key), { key, value: Array.from({ length: valueSize }, (_, k) => copyOf(values.get(i * valueSize + k))) }];
    }
  }
}

/** A table that is filled once. */
export class StaticTable extends LookupTable {
  private isInitialized = false;
  protected override readonly canTellDefaults = false;

  override find(keys: NDArray, fallback: NDArray, out: NDArray): void {
    if (!this.isInitialized) throw new FailedPreconditionError("Table not initialized.");
    super.find(keys, fallback, out);
  }

  override insert(): void {
    throw new UnimplementedError("Insert not supported by InitializableLookupTable implementations");
  }

  override remove(): void {
    throw new UnimplementedError("Remove not supported by InitializableLookupTable implementations");
  }

  /** Of what comes once it is filled TensorFlow compares only the number, and keeps what is there. */
  override fill(keys: NDArray, values: NDArray): void {
    if (this.isInitialized && keys.size === this.size) return;
    if (this.isInitialized) throw new FailedPreconditionError("Table was already initialized with different data.");
    const entries = new Map<Key, Entry>();
    for (const [key, entry] of this.given(keys, values)) {
      const known = entries.get(key);
      if (known && keyOf(known.value[0]) !== keyOf(entry.value[0]))
        throw new FailedPreconditionError(
          `HashTable has different value for same key. Key ${shown(entry.key)} has ${shown(known.value[0])} and trying to add value ${shown(entry.value[0])}`,
        );
      entries.set(key, entry);
    }
    this.entries = entries;
    this.isInitialized = true;
  }

  override export(): readonly [keys: NDArray, values: NDArray] {
    if (!this.isInitialized) throw new AbortedError("HashTable is not initialized.");
    return super.export();
  }
}

export class MutableTable extends LookupTable {
  override insert(keys: NDArray, values: NDArray): void {
    for (const [key, entry] of this.given(keys, values)) this.entries.set(key, entry);
  }

  override remove(keys: NDArray): void {
    for (let i = 0; i < keys.size; i++) this.entries.delete(keyOf(keys.get(i)));
  }

  override fill(keys: NDArray, values: NDArray): void {
    this.entries.clear();
    this.insert(keys, values);
  }
}

/** A table whose buckets are an array: two keys are not keys but say what a bucket is, and exporting gives all buckets. */
export class DenseTable extends MutableTable {
  private buckets: number;
  private readonly mostFilled: number;
  private marks: { readonly empty: ElementValue; readonly deleted?: ElementValue } | undefined;

  constructor(types: TableTypes, initialBuckets: number, mostFilled: number) {
    super(types);
    this.buckets = initialBuckets;
    this.mostFilled = mostFilled;
  }

  /** Says which key means an empty bucket, and which a deleted one (the oldest tables have none). */
  mark(empty: NDArray, deleted?: NDArray): void {
    if (this.buckets <= 0 || (this.buckets & (this.buckets - 1)) !== 0)
      throw new InvalidArgumentError(`Number of buckets must be at least 4 and a power of 2, got: ${this.buckets}`);
    this.marks = { empty: copyOf(empty.get(0)) };
    if (deleted === undefined) return;
    if (keyOf(empty.get(0)) === keyOf(deleted.get(0))) throw new InvalidArgumentError("Empty and deleted keys cannot be equal");
    this.marks = { ...this.marks, deleted: copyOf(deleted.get(0)) };
  }

  private refuseMarks(keys: NDArray): void {
    for (let i = 0; i < keys.size; i++)
      for (const [name, mark] of Object.entries(this.marks ?? {}))
        if (keyOf(keys.get(i)) === keyOf(mark)) throw new InvalidArgumentError(`Using the ${name}_key as a table key is not allowed`);
  }

  override find(keys: NDArray, fallback: NDArray, out: NDArray): void {
    this.refuseMarks(keys);
    super.find(keys, fallback, out);
  }

  override insert(keys: NDArray, values: NDArray): void {
    this.refuseMarks(keys);
    // Room is made as if every key were new.
    while (this.size + keys.size > this.mostFilled * this.buckets) this.buckets *= 2;
    super.insert(keys, values);
  }

  override remove(keys: NDArray): void {
    this.refuseMarks(keys);
    super.remove(keys);
  }

  override fill(keys: NDArray, values: NDArray): void {
    this.entries.clear();
    const marks = new Set(Object.values(this.marks ?? {}).map(keyOf));
    for (const [key, entry] of this.given(keys, values)) if (!marks.has(key)) this.entries.set(key, entry);
  }

  override export(): readonly [keys: NDArray, values: NDArray] {
    const none = NDArray.zeros(this.types.valueDtype, this.types.valueShape);
    const empty: Entry = { key: this.marks?.empty ?? 0, value: Array.from({ length: this.valueSize }, (_, k) => none.get(k)) };
    const filled = [...this.entries.values()];
    return this.exported([...filled, ...Array<Entry>(this.buckets - filled.length).fill(empty)]);
  }
}
