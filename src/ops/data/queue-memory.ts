// What a queue's handle stands for in a session: elements on the host, and the runs that wait to bring or take some. Attempts are served in order, each
// as far as it can get, as TensorFlow's QueueBase does: a batch is gathered little by little, so it may be larger than the capacity.

import type { DType } from "../../base/dtype.ts";
import { CancelledError, InvalidArgumentError, OutOfRangeError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import type { TensorShape } from "../../base/shape.ts";
import { PhiloxStream } from "../random/philox.ts";
import { stackedRows } from "./rows.ts";
import { pop, push } from "./least-first.ts";

/** One tuple of components. */
export type QueueElement = readonly NDArray[];

export interface QueueSettings {
  /** TensorFlow's class of queue, for messages. */
  readonly kind: string;
  readonly name: string;
  readonly dtypes: readonly DType[];
  /** Shapes of the components, if they were given; of unknown dimensions only where elements are padded. */
  readonly shapes: readonly TensorShape[];
  /** Below 0: as many as there is room for. */
  readonly capacity: number;
}

interface Attempt {
  /** Goes as far as it can; true when done. */
  readonly advance: () => boolean;
  readonly cancel: (error: Error) => void;
}

/** First come, first served; the kinds say which element leaves, and how many may. */
export class HostQueue {
  readonly settings: QueueSettings;
  protected elements: QueueElement[] = [];
  private isClosedNow = false;
  private readonly bringing: Attempt[] = [];
  private readonly taking: Attempt[] = [];
  /** Counts elements that came and went, and attempts that ended. */
  private moves = 0;

  constructor(settings: QueueSettings) {
    this.settings = settings;
  }

  get size(): number {
    return this.elements.length;
  }

  get isClosed(): boolean {
    return this.isClosedNow;
  }

  /** How many elements may leave now. */
  protected get available(): number {
    return this.elements.length;
  }

  protected store(element: QueueElement): void {
    this.elements.push(element);
  }

  protected take(): QueueElement {
    return this.elements.shift() as QueueElement;
  }

  /** What was taken for a run that did not get all it wants. */
  protected giveBack(elements: readonly QueueElement[]): void {
    this.elements.unshift(...elements);
  }

  private get room(): number {
    const { capacity } = this.settings;
    return capacity < 0 ? Infinity : capacity - this.elements.length;
  }

  private get title(): string {
    return `${this.settings.kind} '${this.settings.name}'`;
  }

  // ---- bringing ----

  /** Stores all elements, waiting for room. @throws CancelledError once the queue is closed, if there are any. */
  enqueue(elements: readonly QueueElement[], signal: AbortSignal): Promise<void> {
    if (elements.length === 0) return Promise.resolve();
    let next = 0;
    return this.attempt(this.bringing, "Enqueue operation was cancelled", signal, settle => ({
      advance: () => {
        if (this.isClosedNow) return settle.fail(new CancelledError(`${this.title} is closed.`));
        for (; next < elements.length && this.room > 0; next++, this.moves++) this.store(elements[next]);
        return next === elements.length && settle.done(undefined);
      },
    }));
  }

  /** No more elements after those that wait to be stored; with `cancelPending` these neither. @throws CancelledError if it is closed already. */
  close(cancelPending: boolean, signal: AbortSignal): Promise<void> {
    if (cancelPending) {
      for (const attempt of this.bringing.splice(0)) attempt.cancel(new CancelledError("Enqueue operation was cancelled"));
      this.isClosedNow = true;
      this.serve();
      return Promise.resolve();
    }
    return this.attempt(this.bringing, "Close operation was cancelled", signal, settle => ({
      advance: () => {
        if (this.isClosedNow) return settle.fail(new CancelledError(`Queue '${this.settings.name}' is already closed.`));
        this.isClosedNow = true;
        return settle.done(undefined);
      },
    }));
  }

  // ---- taking ----

  dequeue(signal: AbortSignal): Promise<QueueElement> {
    return this.gather(1, false, signal).then(([element]) => element);
  }

  /** `count` elements as one, each component stacked; fewer if `isShortAllowed` and the queue is closed. */
  async dequeueMany(count: number, isShortAllowed: boolean, signal: AbortSignal): Promise<QueueElement> {
    const { kind, shapes, dtypes } = this.settings;
    if (shapes.length === 0)
      throw new InvalidArgumentError(`${kind}'s DequeueMany and DequeueUpTo require the components to have specified shapes.`);
    if (count < 0) throw new InvalidArgumentError(`DequeueManyOp requires n >= 0, got ${count}`);
    const elements = count === 0 ? [] : await this.gather(count, isShortAllowed, signal);
    return dtypes.map((dtype, k) =>
      stackedRows(
        dtype,
        elements.map(element => element[k]),
        (shapes[k].dims ?? []).map(d => d ?? undefined),
      ),
    );
  }

  private gather(count: number, isShortAllowed: boolean, signal: AbortSignal): Promise<readonly QueueElement[]> {
    const found: QueueElement[] = [];
    const giveBack = (): void => this.giveBack(found.splice(0));
    return this.attempt(
      this.taking,
      "Dequeue operation was cancelled",
      signal,
      settle => ({
        advance: () => {
          for (; found.length < count && this.available > 0; this.moves++) found.push(this.take());
          if (found.length === count) return settle.done(found);
          if (!this.isClosedNow) return false;
          if (isShortAllowed && found.length > 0) return settle.done(found);
          const held = found.length + this.elements.length;
          giveBack();
          const what = `requested ${count}, current size ${held}`;
          return settle.fail(new OutOfRangeError(`${this.title} is closed and has insufficient elements (${what})`));
        },
      }),
      giveBack,
    );
  }

  // ---- attempts ----

  private attempt<T>(
    line: Attempt[],
    cancelled: string,
    signal: AbortSignal,
    make: (settle: { done(value: T): true; fail(error: Error): true }) => { advance(): boolean },
    leave: () => void = () => {},
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        const at = line.indexOf(attempt);
        if (at >= 0) line.splice(at, 1);
        leave();
        attempt.cancel(new CancelledError(cancelled));
        this.serve();
      };
      const settled = <A>(settle: (value: A) => void, value: A): true => {
        signal.removeEventListener("abort", stop);
        settle(value);
        return true;
      };
      const { advance } = make({ done: value => settled(resolve, value), fail: error => settled(reject, error) });
      const attempt: Attempt = { advance, cancel: error => void settled(reject, error) };
      if (signal.aborted) return reject(new CancelledError(cancelled));
      signal.addEventListener("abort", stop, { once: true });
      line.push(attempt);
      this.serve();
    });
  }

  /** Lets attempts go on until nothing moves: what is brought lets others take, what is taken makes room. */
  private serve(): void {
    let before: number;
    do {
      before = this.moves;
      for (const line of [this.bringing, this.taking]) for (; line.length > 0 && line[0].advance(); this.moves++) line.shift();
    } while (this.moves !== before);
  }
}

/** A random one leaves, but for `least` that stay while the queue is open. */
export class ShuffleQueue extends HostQueue {
  private readonly least: number;
  private readonly stream: PhiloxStream;

  constructor(settings: QueueSettings, least: number, seeds: readonly [number, number]) {
    super(settings);
    this.least = least;
    const isUnseeded = seeds[0] === 0 && seeds[1] === 0;
    const [a, b] = isUnseeded ? globalThis.crypto.getRandomValues(new BigInt64Array(2)) : seeds.map(BigInt);
    this.stream = new PhiloxStream(new NDArray("int64", [3], BigInt64Array.of(a, b, 0n)));
  }

  protected override get available(): number {
    return this.isClosed ? this.elements.length : this.elements.length - this.least;
  }

  /** The last takes the place of the one that leaves. */
  protected override take(): QueueElement {
    const at = this.stream.word() % this.elements.length;
    const element = this.elements[at];
    const last = this.elements.pop() as QueueElement;
    if (at < this.elements.length) this.elements[at] = last;
    return element;
  }
}

const priorityOf = ([priority]: QueueElement): bigint => priority.get(0) as bigint;

/** The one whose first component is the least leaves first. */
export class SortedQueue extends HostQueue {
  protected override store(element: QueueElement): void {
    push(this.elements, element, priorityOf);
  }

  protected override take(): QueueElement {
    return pop(this.elements, priorityOf);
  }

  protected override giveBack(elements: readonly QueueElement[]): void {
    for (const element of elements) this.store(element);
  }
}
