// Iterators of a session, and elements that may be missing.

import { FailedPreconditionError, InvalidArgumentError, OutOfRangeError } from "../../base/errors.ts";
import type { NDArray } from "../../base/ndarray.ts";
import { sumOf } from "../flow/tensor-array-elements.ts";
import { VariantArray, zerosOf } from "../flow/variant-array.ts";
import { type Beginning, type Iteration, iterationOf } from "./dataset-functions.ts";
import type { Elements, HostDataset, Element } from "./host-dataset.ts";

// ---- iterators ----

/** Names under which objects of a kind are found in every run of their program. */
export class StringHandles<T extends object> {
  private readonly prefix: string;
  private readonly what: string;
  private readonly texts = new WeakMap<T, string>();
  private readonly objects = new Map<string, WeakRef<T>>();

  constructor(prefix: string, what: string) {
    this.prefix = prefix;
    this.what = what;
  }

  of(object: T): string {
    const known = this.texts.get(object);
    if (known !== undefined) return known;
    const text = `${this.prefix}_${this.objects.size}`;
    this.texts.set(object, text);
    this.objects.set(text, new WeakRef(object));
    return text;
  }

  /** @throws InvalidArgumentError for a string that names none. */
  find(text: string): T {
    const found = this.objects.get(text)?.deref();
    if (!found) throw new InvalidArgumentError(`Could not find ${this.what} of the handle '${text}'.`);
    return found;
  }
}

export const iteratorHandles: StringHandles<HostIterator> = new StringHandles("iterator", "an iterator");

/** An iterator of a session: nothing until it is given a dataset, or one that finds its dataset by itself when first asked. */
export class HostIterator {
  private elements: Elements | undefined;
  private find: ((iteration: Iteration) => Promise<HostDataset>) | undefined;
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
}

/** The place of an iterator that a string names, told anew in each run. */
export class IteratorPlace {
  iterator: HostIterator | undefined;
}

// ---- optionals ----

/** An element that may be missing, as the value of a tensor of type variant. */
export class OptionalArray extends VariantArray {
  readonly element: Element | undefined;

  constructor(element: Element | undefined) {
    super();
    this.element = element;
  }

  override zeros(): OptionalArray {
    return new OptionalArray(this.element?.map(zerosOf));
  }

  override plus(added: VariantArray): OptionalArray {
    const [one, other] = [this.element, OptionalArray.of(added).element];
    if (!one && !other) return this;
    if (!one || !other) throw new InvalidArgumentError("Cannot add optionals because one has a value and the other doesn't.");
    if (one.length !== other.length)
      throw new InvalidArgumentError(
        `Cannot add optionals because they have different numbers of components (${one.length} vs. ${other.length}).`,
      );
    return new OptionalArray(one.map((part, k) => sumOf(part, other[k])));
  }

  static override of(array: NDArray): OptionalArray {
    if (!(array instanceof OptionalArray)) throw new InvalidArgumentError("The given variant tensor is no optional.");
    return array;
  }
}
