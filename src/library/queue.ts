// Queues as TensorFlow's classes: what one run brings, another takes; a run waits for what is not there yet. TF: tf.queue, tf.FIFOQueue and the others.

import type { DType } from "../base/dtype.ts";
import { ValueError } from "../base/errors.ts";
import { pythonClass } from "../base/python-text.ts";
import { asShape, type ShapeLike, TensorShape } from "../base/shape.ts";
import { convertToTensor, type TensorLike } from "../graph/conversion.ts";
import type { Named } from "../graph/op-definition.ts";
import type { Operation, Tensor } from "../graph/operation.ts";
import { staticValue } from "../graph/static-value.ts";
import { gather } from "../ops/array/gather.ts";
import { stack } from "../ops/array/slicing.ts";
import { inNameScope, named, type NameOption } from "../ops/named.ts";
import {
  FIFOQueueV2,
  PaddingFIFOQueueV2,
  PriorityQueueV2,
  QueueCloseV2,
  QueueDequeueManyV2,
  QueueDequeueUpToV2,
  QueueDequeueV2,
  QueueEnqueueManyV2,
  QueueEnqueueV2,
  QueueIsClosedV2,
  QueueSizeV2,
  RandomShuffleQueueV2,
} from "../ops/data/queue.ts";
import { getSeed } from "../ops/random/random.ts";

type Components = readonly TensorLike[] | { readonly [name: string]: TensorLike };
/** One component by itself, several in a list (a list is never one component), or by name where the queue has names. */
export type QueueValues = TensorLike | Components;
/** What is taken: one tensor, several, or by name. */
export type QueueResult = Tensor & readonly Tensor[] & Readonly<Record<string, Tensor>>;

export interface QueueOptions extends Named {
  /** Shapes of the components; dequeueMany needs them. */
  readonly shapes?: readonly ShapeLike[] | ShapeLike;
  readonly names?: readonly string[] | string | null;
  readonly sharedName?: string | null;
}

const listed = <T>(value: T | readonly T[]): T[] => (Array.isArray(value) ? [...(value as readonly T[])] : [value as T]);

const isDimensions = (shapes: readonly unknown[]): boolean => shapes.every(d => d === null || d === undefined || typeof d === "number");

/** As TensorFlow 1 prints a shape among others. */
const represented = ({ dims }: TensorShape): string =>
  `TensorShape(${dims === null ? "None" : `[${dims.map(size => `Dimension(${size === null ? "None" : size})`).join(", ")}]`})`;

/** Shapes of all components, from one or a list. @throws ValueError for unknown ranks, or unknown dimensions where elements are not padded. */
function shapeList(shapes: QueueOptions["shapes"], isPartialAllowed: boolean): TensorShape[] | null {
  if (isPartialAllowed && (!Array.isArray(shapes) || shapes.length === 0 || isDimensions(shapes)))
    throw new ValueError("When providing partial shapes, a list of shapes must be provided.");
  if (shapes === undefined || shapes === null) return null;
  if (!Array.isArray(shapes) && !(shapes instanceof TensorShape))
    throw new TypeError(`Shapes must be a TensorShape or a list or tuple of TensorShapes, got ${pythonClass(shapes)} instead.`);
  const given = shapes instanceof TensorShape ? [shapes] : (shapes as readonly unknown[]);
  const list = (isDimensions(given) ? [given] : given).map(shape => asShape(shape as ShapeLike));
  const shown = `[${list.map(represented).join(", ")}]`;
  if (!isPartialAllowed && list.some(({ isFullyDefined }) => !isFullyDefined))
    throw new ValueError(`All shapes must be fully defined: ${shown}`);
  if (list.some(({ dims }) => dims === null)) throw new ValueError(`All shapes must have a defined rank: ${shown}`);
  return list;
}

function nameList(names: QueueOptions["names"], dtypes: readonly DType[]): readonly string[] | null {
  if (names === undefined || names === null) return null;
  const list = listed(names);
  if (list.length !== dtypes.length)
    throw new ValueError(
      `List of names must have the same length as the list of dtypes, received len(names)=${list.length},len(dtypes)=${dtypes.length}`,
    );
  return list;
}

const dict = (value: QueueValues): Readonly<Record<string, TensorLike>> | null =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype
    ? (value as Readonly<Record<string, TensorLike>>)
    : null;

/** What all queues can do. TF: tf.queue.QueueBase. */
export class QueueBase {
  readonly dtypes: readonly DType[];
  readonly shapes: readonly TensorShape[];
  readonly names: readonly string[] | null;
  /** The handle. */
  readonly queueRef: Tensor;
  private readonly leaf: string;

  constructor(dtypes: readonly DType[], shapes: readonly TensorShape[] | null, names: readonly string[] | null, queueRef: Tensor) {
    if (shapes !== null && shapes.length !== dtypes.length)
      throw new ValueError(
        `Queue shapes must have the same length as dtypes, received len(shapes)=${shapes.length}, len(dtypes)=${dtypes.length}`,
      );
    this.dtypes = dtypes;
    this.shapes = shapes ?? dtypes.map(() => TensorShape.unknown());
    this.names = names;
    this.queueRef = queueRef;
    this.leaf = queueRef.op.name.slice(queueRef.op.name.lastIndexOf("/") + 1);
  }

  /** The queue number `index` (an integer scalar) of a list. TF: tf.QueueBase.from_list. @throws TypeError for queues of differing types or names,
   *  InvalidArgumentError while running for a number that is none of the list's. */
  static fromList(index: TensorLike, queues: readonly QueueBase[]): QueueBase {
    if (!Array.isArray(queues) || queues.length === 0 || !queues.every(queue => queue instanceof QueueBase))
      throw new TypeError("A list of queues expected");
    const [first] = queues;
    if (queues.some(({ dtypes }) => dtypes.join() !== first.dtypes.join()))
      throw new TypeError("Queues do not have matching component dtypes.");
    if (queues.some(({ names }) => String(names) !== String(first.names)))
      throw new TypeError("Queues do not have matching component names.");
    const chosen = gather(stack(queues.map(({ queueRef }) => queueRef)), index);
    const shapes = first.shapes.map((_, k) => queues.map(queue => queue.shapes[k]).reduce((a, b) => a.mostSpecificCompatibleShape(b)));
    return new QueueBase(first.dtypes, shapes, first.names, chosen);
  }

  get name(): string {
    return this.queueRef.op.name;
  }

  private components(values: QueueValues): Tensor[] {
    const { names, dtypes } = this;
    const byName = dict(values);
    if (byName !== null) {
      if (names === null) throw new ValueError("Queue must have names to enqueue a dictionary");
      const keys = Object.keys(byName).sort();
      if (keys.join() !== [...names].sort().join())
        throw new ValueError(
          `Keys in dictionary to enqueue do not match names of Queue.  Dictionary: [${keys.map(key => `'${key}'`).join(", ")}],Queue: [${[
            ...names,
          ]
            .sort()
            .map(key => `'${key}'`)
            .join(", ")}]`,
        );
    } else if (names !== null) throw new ValueError("You must enqueue a dictionary in a Queue with names");
    const list =
      byName !== null ? (names ?? []).map(name => byName[name]) : Array.isArray(values) ? (values as TensorLike[]) : [values as TensorLike];
    return list.slice(0, dtypes.length).map((value, i) => convertToTensor(value, { dtype: dtypes[i], name: `component_${i}` }));
  }

  /** Brings one element; waits while the queue is full. */
  enqueue(vals: QueueValues, options?: NameOption): Operation {
    const values: readonly unknown[] = listed<unknown>(dict(vals) ? Object.values(vals as object) : vals);
    return inNameScope(options, `${this.leaf}_enqueue`, values, scope => {
      const components = this.components(vals);
      components.forEach((value, i) => void value.shape.assertIsCompatibleWith(this.shapes[i]));
      return QueueEnqueueV2({ handle: this.queueRef, components }, { name: scope });
    });
  }

  /** Brings every slice along the first dimension as an element. */
  enqueueMany(vals: QueueValues, options?: NameOption): Operation {
    const values: readonly unknown[] = listed<unknown>(dict(vals) ? Object.values(vals as object) : vals);
    return inNameScope(options, `${this.leaf}_EnqueueMany`, values, scope => {
      const components = this.components(vals);
      let batch = new TensorShape([null]);
      components.forEach((value, i) => {
        const { dims } = value.shape.withRankAtLeast(1);
        if (dims === null) return;
        batch = batch.mergeWith(new TensorShape(dims.slice(0, 1)));
        new TensorShape(dims.slice(1)).assertIsCompatibleWith(this.shapes[i]);
      });
      return QueueEnqueueManyV2({ handle: this.queueRef, components }, { name: scope });
    });
  }

  private result(tensors: readonly Tensor[]): QueueResult {
    const { names } = this;
    const result = names ? Object.fromEntries(names.map((name, i) => [name, tensors[i]])) : tensors.length === 1 ? tensors[0] : tensors;
    return result as QueueResult;
  }

  private shaped(tensors: readonly Tensor[], lead: readonly (number | null)[]): QueueResult {
    tensors.forEach((tensor, i) => {
      const { dims } = this.shapes[i];
      if (dims !== null) tensor.setShape(new TensorShape([...lead, ...dims]));
    });
    return this.result(tensors);
  }

  private called(options: NameOption | undefined, what: string): Named {
    return { name: named(options).name ?? `${this.leaf}_${what}` };
  }

  /** Takes one element; waits while there is none. @throws OutOfRangeError while running once the queue is closed and empty. */
  dequeue(options?: NameOption): QueueResult {
    const tensors = QueueDequeueV2({ handle: this.queueRef, componentTypes: this.dtypes }, this.called(options, "Dequeue"));
    return this.shaped(tensors, []);
  }

  /** Takes `n` elements as one batch; needs the components' shapes. */
  dequeueMany(n: TensorLike, options?: NameOption): QueueResult {
    const tensors = QueueDequeueManyV2({ handle: this.queueRef, n, componentTypes: this.dtypes }, this.called(options, "DequeueMany"));
    const count = staticValue(tensors[0].op.inputs[1])?.get(0);
    return this.shaped(tensors, [count === undefined ? null : Number(count)]);
  }

  /** The same, but fewer elements where the queue is closed and has no more. */
  dequeueUpTo(n: TensorLike, options?: NameOption): QueueResult {
    const tensors = QueueDequeueUpToV2({ handle: this.queueRef, n, componentTypes: this.dtypes }, this.called(options, "DequeueUpTo"));
    return this.shaped(tensors, [null]);
  }

  /** No more elements; those inside can still be taken, and those that wait to be stored come in unless `cancelPendingEnqueues`. */
  close({ cancelPendingEnqueues = false, name }: Named & { readonly cancelPendingEnqueues?: boolean } = {}): Operation {
    return QueueCloseV2({ handle: this.queueRef, cancelPendingEnqueues }, this.called({ name }, "Close"));
  }

  /** bool scalar. */
  isClosed(options?: NameOption): Tensor {
    return QueueIsClosedV2({ handle: this.queueRef }, this.called(options, "Is_Closed"));
  }

  /** The number of elements, int32. */
  size(options?: NameOption): Tensor {
    return QueueSizeV2({ handle: this.queueRef }, this.called(options, "Size"));
  }
}

interface Prepared {
  readonly dtypes: DType[];
  readonly shapes: TensorShape[] | null;
  readonly names: readonly string[] | null;
}

const prepared = (dtypes: DType | readonly DType[], { shapes, names }: QueueOptions, isPartialAllowed = false): Prepared => {
  const types = listed(dtypes);
  return { dtypes: types, shapes: shapeList(shapes, isPartialAllowed), names: nameList(names, types) };
};

const attrsOf = (capacity: number, { dtypes, shapes }: Prepared, sharedName: string | null | undefined) => ({
  componentTypes: dtypes,
  shapes: shapes ?? [],
  capacity,
  sharedName: sharedName ?? "",
});

/** Elements leave in the order in which they came. TF: tf.FIFOQueue. */
export class FIFOQueue extends QueueBase {
  constructor(capacity: number, dtypes: DType | readonly DType[], options: QueueOptions = {}) {
    const given = prepared(dtypes, options);
    const name = options.name ?? "fifo_queue";
    super(given.dtypes, given.shapes, given.names, FIFOQueueV2(attrsOf(capacity, given, options.sharedName), { name }));
  }
}

/** The same for components of differing sizes: shapes may have unknown dimensions, batches are padded with zeros. TF: tf.PaddingFIFOQueue. */
export class PaddingFIFOQueue extends QueueBase {
  constructor(
    capacity: number,
    dtypes: DType | readonly DType[],
    shapes: readonly ShapeLike[],
    options: Omit<QueueOptions, "shapes"> = {},
  ) {
    const given = prepared(dtypes, { ...options, shapes }, true);
    if (given.shapes?.length !== given.dtypes.length)
      throw new ValueError(
        `Shapes must be provided for all components, but received ${given.dtypes.length} dtypes and ${given.shapes?.length ?? 0} shapes.`,
      );
    const name = options.name ?? "padding_fifo_queue";
    super(given.dtypes, given.shapes, given.names, PaddingFIFOQueueV2(attrsOf(capacity, given, options.sharedName), { name }));
  }
}

/** Elements leave in random order; while it is open, `minAfterDequeue` of them stay to be mixed with. TF: tf.RandomShuffleQueue. */
export class RandomShuffleQueue extends QueueBase {
  constructor(
    capacity: number,
    minAfterDequeue: number,
    dtypes: DType | readonly DType[],
    options: QueueOptions & { readonly seed?: number | null } = {},
  ) {
    const given = prepared(dtypes, options);
    const [seed, seed2] = getSeed(options.seed);
    const attrs = { ...attrsOf(capacity, given, options.sharedName), minAfterDequeue, seed: seed ?? 0, seed2: seed2 ?? 0 };
    super(given.dtypes, given.shapes, given.names, RandomShuffleQueueV2(attrs, { name: options.name ?? "random_shuffle_queue" }));
  }
}

/** The element of least priority leaves first: int64 priorities are a first component of their own. TF: tf.PriorityQueue. */
export class PriorityQueue extends QueueBase {
  constructor(capacity: number, types: DType | readonly DType[], options: QueueOptions = {}) {
    const given = prepared(types, { ...options, names: null });
    if (!given.shapes) throw new TypeError("Expected list for 'shapes' argument to 'priority_queue_v2' Op, not None.");
    const dtypes: DType[] = ["int64", ...given.dtypes];
    const shapes = given.shapes ? [new TensorShape([]), ...given.shapes] : null;
    const queueRef = PriorityQueueV2(attrsOf(capacity, given, options.sharedName), { name: options.name ?? "priority_queue" });
    super(dtypes, shapes, nameList(options.names, dtypes), queueRef);
  }
}
