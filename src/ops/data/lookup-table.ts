// What a table's handle stands for in a session: keys and values on the host. Strings are keyed by their bytes, numbers by themselves.

import type { DType } from "../../base/dtype.ts";
import { AbortedError, FailedPreconditionError, InternalError, InvalidArgumentError, UnimplementedError } from "../../base/errors.ts";
import { type ElementValue, NDArray, latinText } from "../../base/ndarray.ts";
import { sameShape, sizeOf } from "../../base/shape.ts";
import { hash64 } from "../string/hash.ts";

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
      const value = this.held(keys.get(i))?.value;
      for (let k = 0; k < valueSize; k++) out.set(i * valueSize + k, value?.[k] ?? fallback.get(isForEach ? i * valueSize + k : k));
    }
  }

  protected held(key: ElementValue): Entry | undefined {
    return this.entries.get(keyOf(key));
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

interface Marks {
  readonly empty: ElementValue;
  readonly deleted?: ElementValue;
}

/** TensorFlow's hash of a key, as far as buckets are counted: strings by Hash64, integers by themselves. */
const hashOf = (key: ElementValue): bigint =>
  key instanceof Uint8Array ? hash64(key, 0xdecafcaffen) : typeof key === "object" ? 0n : BigInt.asUintN(64, BigInt(key));

/** A table whose buckets are an array: two keys are not keys but say what a bucket is, and exporting gives all buckets. A key lies in the first free bucket
 *  at 1, 3, 6 … places behind the one its hash says, so what is removed and put in again may stand twice, as in TensorFlow. */
export class DenseTable extends LookupTable {
  private readonly initialBuckets: number;
  private readonly mostFilled: number;
  private marks: Marks = { empty: 0 };
  private buckets: Entry[] = [];
  private filled = 0;

  constructor(types: TableTypes, initialBuckets: number, mostFilled: number) {
    super(types);
    this.initialBuckets = initialBuckets;
    this.mostFilled = mostFilled;
  }

  override get size(): number {
    return this.filled;
  }

  /** Says which key means an empty bucket, and which a deleted one (the oldest tables have none). */
  mark(empty: NDArray, deleted?: NDArray): void {
    if (this.initialBuckets <= 0 || (this.initialBuckets & (this.initialBuckets - 1)) !== 0)
      throw new InvalidArgumentError(`Number of buckets must be at least 4 and a power of 2, got: ${this.initialBuckets}`);
    if (deleted !== undefined && !sameShape(empty.shape, deleted.shape))
      throw new InvalidArgumentError(`Empty and deleted keys must have same shape, got shapes: [${empty.shape}] and [${deleted.shape}]`);
    if (deleted !== undefined && keyOf(empty.get(0)) === keyOf(deleted.get(0)))
      throw new InvalidArgumentError("Empty and deleted keys cannot be equal");
    this.marks = { empty: copyOf(empty.get(0)), ...(deleted && { deleted: copyOf(deleted.get(0)) }) };
    if (this.buckets.length === 0) this.buckets = this.emptied(this.initialBuckets);
  }

  private emptied(count: number): Entry[] {
    const none = NDArray.zeros(this.types.valueDtype, this.types.valueShape);
    return Array<Entry>(count).fill({ key: this.marks.empty, value: Array.from({ length: this.valueSize }, (_, k) => none.get(k)) });
  }

  private isMark(key: Key, name: keyof Marks): boolean {
    const mark = this.marks[name];
    return mark !== undefined && key === keyOf(mark);
  }

  private refuseMarks(key: Key): void {
    for (const name of ["empty", "deleted"] as const)
      if (this.isMark(key, name)) throw new InvalidArgumentError(`Using the ${name}_key as a table key is not allowed`);
  }

  /** The bucket of a key, or that which ends the search for it. */
  private placeOf(key: ElementValue, ends: (found: Key) => boolean): number {
    const wanted = keyOf(key);
    const mask = this.buckets.length - 1;
    let at = Number(BigInt.asUintN(32, hashOf(key))) & mask;
    for (let probe = 1; ; probe++) {
      const found = keyOf(this.buckets[at].key);
      if (found === wanted || ends(found)) return at;
      if (probe > mask + 1) throw new InternalError("Internal error in MutableDenseHashTable");
      at = (at + probe) & mask;
    }
  }

  protected override held(key: ElementValue): Entry | undefined {
    this.refuseMarks(keyOf(key));
    const entry = this.buckets[this.placeOf(key, found => this.isMark(found, "empty"))];
    return keyOf(entry.key) === keyOf(key) ? entry : undefined;
  }

  private put(entry: Entry): void {
    const at = this.placeOf(entry.key, found => this.isMark(found, "empty") || this.isMark(found, "deleted"));
    if (keyOf(this.buckets[at].key) !== keyOf(entry.key)) this.filled++;
    this.buckets[at] = entry;
  }

  override insert(keys: NDArray, values: NDArray): void {
    const given = [...this.given(keys, values)];
    // Room is made as if every key were new.
    let count = this.buckets.length;
    while (this.size + keys.size > this.mostFilled * count) count *= 2;
    if (count > this.buckets.length) {
      const held = this.buckets.filter(({ key }) => !this.isMark(keyOf(key), "empty") && !this.isMark(keyOf(key), "deleted"));
      this.buckets = this.emptied(count);
      this.filled = 0;
      for (const entry of held) this.put(entry);
    }
    for (const [key, entry] of given) {
      this.refuseMarks(key);
      this.put(entry);
    }
  }

  override remove(keys: NDArray): void {
    for (let i = 0; i < keys.size; i++) {
      const key = keys.get(i);
      this.refuseMarks(keyOf(key));
      const at = this.placeOf(key, found => this.isMark(found, "empty"));
      if (keyOf(this.buckets[at].key) !== keyOf(key)) continue;
      this.buckets[at] = { ...this.buckets[at], key: this.marks.deleted ?? this.marks.empty };
      this.filled--;
    }
  }

  /** What is imported are all buckets, marks among them. */
  override fill(keys: NDArray, values: NDArray): void {
    const given = [...this.given(keys.reshape([keys.size]), values.reshape([keys.size, ...this.types.valueShape]))].map(
      ([, entry]) => entry,
    );
    const held = given.filter(({ key }) => !this.isMark(keyOf(key), "empty") && !this.isMark(keyOf(key), "deleted"));
    const isWhole = given.length > 0 && (given.length & (given.length - 1)) === 0 && held.length < given.length;
    this.filled = isWhole ? held.length : 0;
    this.buckets = isWhole ? given : this.emptied(Math.max(this.buckets.length, this.initialBuckets));
    if (!isWhole) for (const entry of held) this.put(entry);
  }

  override export(): readonly [keys: NDArray, values: NDArray] {
    const [keys, values] = this.exported(this.buckets);
    return [keys.reshape([keys.size, 1]), values.reshape([keys.size, this.valueSize])];
  }
}
