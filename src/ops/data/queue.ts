// Queues: FIFO, padding, shuffling and sorted ones. Every operation on a queue runs on the host between segments, where it can wait for another run.

import { InternalError, InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp, type HostObject, type ShapeContext } from "../../graph/op-definition.ts";
import type { Operation } from "../../graph/operation.ts";
import { handleFields, nameOf, objectId, sharedAttrs } from "./host-handles.ts";
import { HostQueue, type QueueElement, type QueueSettings, ShuffleQueue, SortedQueue } from "./queue-memory.ts";
import { rowOf } from "./rows.ts";

const scalar = new TensorShape([]);

// ---- handles ----

const common = {
  componentTypes: attr.types(undefined, { minimum: 1 }),
  shapes: attr.shapes([], 0),
  capacity: attr.int(-1),
  ...sharedAttrs,
};

function queueObject(
  kind: string,
  op: Operation,
  attrs: { readonly container: string; readonly sharedName: string } & Omit<QueueSettings, "kind" | "name" | "dtypes"> & {
      readonly componentTypes: QueueSettings["dtypes"];
    },
  make: (settings: QueueSettings) => HostQueue = settings => new HostQueue(settings),
): HostObject {
  const { componentTypes, shapes, capacity } = attrs;
  if (shapes.length > 0 && shapes.length !== componentTypes.length)
    throw new InvalidArgumentError("Queue component shapes must be empty or the same length as the components.");
  const settings = { kind, name: nameOf(op, attrs), dtypes: componentTypes, shapes, capacity };
  return { id: objectId(kind, attrs, op), make: () => make(settings) };
}

/** Elements leave in the order in which they came. */
export const FIFOQueueV2 = defineOp("FIFOQueueV2", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: common,
  ...handleFields,
  resource: (attrs, op) => queueObject("FIFOQueue", op, attrs),
});

/** The same for components whose sizes differ: batches are padded with zeros. */
export const PaddingFIFOQueueV2 = defineOp("PaddingFIFOQueueV2", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: common,
  ...handleFields,
  resource: (attrs, op) => queueObject("PaddingFIFOQueue", op, attrs),
});

/** Elements leave in random order; while it is open, `minAfterDequeue` stay to be mixed with. */
export const RandomShuffleQueueV2 = defineOp("RandomShuffleQueueV2", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: { ...common, minAfterDequeue: attr.int(0), seed: attr.int(0), seed2: attr.int(0) },
  ...handleFields,
  resource: (attrs, op) => {
    const { minAfterDequeue, capacity, seed, seed2 } = attrs;
    if (minAfterDequeue < 0) throw new InvalidArgumentError(`min_after_dequeue ${minAfterDequeue} must be >= 0`);
    if (capacity >= 0 && minAfterDequeue >= capacity)
      throw new InvalidArgumentError(`min_after_dequeue ${minAfterDequeue} must be < capacity ${capacity}`);
    return queueObject("RandomShuffleQueue", op, attrs, settings => new ShuffleQueue(settings, minAfterDequeue, [seed, seed2]));
  },
});

/** The element of least priority leaves first; the priority (int64) is a first component of its own. */
export const PriorityQueueV2 = defineOp("PriorityQueueV2", {
  inputs: {},
  outputs: { handle: "resource" },
  attrs: { ...common, componentTypes: attr.types([], { minimum: 0 }), shapes: attr.shapes(undefined, 0) },
  ...handleFields,
  resource: (attrs, op) => {
    const componentTypes = ["int64", ...attrs.componentTypes] as const;
    const shapes = attrs.shapes.length > 0 ? [scalar, ...attrs.shapes] : [];
    return queueObject("PriorityQueue", op, { ...attrs, componentTypes, shapes }, settings => new SortedQueue(settings));
  },
});

function queueOf(handle: object): HostQueue {
  if (!(handle instanceof HostQueue)) throw new InternalError("The handle is no queue's.");
  return handle;
}

// ---- bringing ----

const copied = (array: NDArray): NDArray => new NDArray(array.dtype, array.shape, array.data.slice());

/** @throws InvalidArgumentError for components of other types, numbers or shapes than the queue's; `lead` is a batch's dimension. */
function checkComponents({ settings }: HostQueue, components: readonly NDArray[], lead: readonly (number | null)[]): void {
  const { dtypes, shapes } = settings;
  if (components.length !== dtypes.length)
    throw new InvalidArgumentError(`Wrong number of components in tuple. Expected ${dtypes.length}, got ${components.length}`);
  components.forEach(({ dtype, shape }, k) => {
    if (dtype !== dtypes[k]) throw new InvalidArgumentError(`Type mismatch in tuple component ${k}. Expected ${dtypes[k]}, got ${dtype}`);
    const declared = shapes[k]?.dims ?? null;
    if (declared === null) return;
    const expected = new TensorShape([...lead, ...declared]);
    if (!expected.isCompatibleWith(shape))
      throw new InvalidArgumentError(`Shape mismatch in tuple component ${k}. Expected ${expected.format()}, got [${shape}]`);
  });
}

export const QueueEnqueueV2 = defineOp("QueueEnqueueV2", {
  inputs: { handle: "resource", components: "Tcomponents" },
  outputs: {},
  attrs: { Tcomponents: attr.types(undefined, { minimum: 1 }), timeoutMs: attr.int(-1) },
  stateful: true,
  gradient: "none",
  waits: true,
  shape: () => undefined,
  host: ({ handle, components }, { signal }) => {
    const queue = queueOf(handle);
    checkComponents(queue, components, []);
    return queue.enqueue([components.map(copied)], signal);
  },
});

/** Every slice along the first dimension is an element. */
export const QueueEnqueueManyV2 = defineOp("QueueEnqueueManyV2", {
  inputs: { handle: "resource", components: "Tcomponents" },
  outputs: {},
  attrs: { Tcomponents: attr.types(undefined, { minimum: 1 }), timeoutMs: attr.int(-1) },
  stateful: true,
  gradient: "none",
  waits: true,
  shape: () => undefined,
  host: ({ handle, components }, { signal }) => {
    const queue = queueOf(handle);
    const count = components[0]?.shape[0] ?? 0;
    for (const { shape } of components) if (shape.length === 0) throw new InvalidArgumentError("Input tensors must be at least 1-D.");
    checkComponents(queue, components, [count]);
    components.forEach(({ shape }, k) => {
      if (shape[0] !== count)
        throw new InvalidArgumentError(
          `All input tensors must have the same size in the 0th dimension. Component ${k} has ${shape[0]}, and should have ${count}`,
        );
    });
    const elements = Array.from({ length: count }, (_, i): QueueElement => components.map(batch => rowOf(batch, i)));
    return queue.enqueue(elements, signal);
  },
});

// ---- taking ----

export const QueueDequeueV2 = defineOp("QueueDequeueV2", {
  inputs: { handle: "resource" },
  outputs: { components: "componentTypes" },
  attrs: { componentTypes: attr.types(undefined, { minimum: 1 }), timeoutMs: attr.int(-1) },
  stateful: true,
  gradient: "none",
  waits: true,
  shape: ({ componentTypes }) => componentTypes.map(() => TensorShape.unknown()),
  host: ({ handle }, { signal }) => queueOf(handle).dequeue(signal),
});

const dequeuing = {
  inputs: { handle: "resource", n: "int32" },
  outputs: { components: "componentTypes" },
  attrs: { componentTypes: attr.types(undefined, { minimum: 1 }), timeoutMs: attr.int(-1) },
  stateful: true,
  gradient: "none",
  waits: true,
  shape: ({ n, componentTypes }: { readonly n: TensorShape; readonly componentTypes: readonly unknown[] }, context: ShapeContext) => {
    n.withRank(0);
    const count = context.constant("n")?.get(0);
    if (count !== undefined && Number(count) < 0) throw new ValueError(`Input 'n' must be >= 0, but is ${count}`);
    return componentTypes.map(() => TensorShape.unknown());
  },
} as const;

/** `n` elements in one batch. */
export const QueueDequeueManyV2 = defineOp("QueueDequeueManyV2", {
  ...dequeuing,
  host: ({ handle, n }, { signal }) => queueOf(handle).dequeueMany(Number(n.get(0)), false, signal),
});

/** The same, but what is left once the queue is closed. */
export const QueueDequeueUpToV2 = defineOp("QueueDequeueUpToV2", {
  ...dequeuing,
  host: ({ handle, n }, { signal }) => queueOf(handle).dequeueMany(Number(n.get(0)), true, signal),
});

// ---- the queue itself ----

export const QueueCloseV2 = defineOp("QueueCloseV2", {
  inputs: { handle: "resource" },
  outputs: {},
  attrs: { cancelPendingEnqueues: attr.bool(false) },
  stateful: true,
  gradient: "none",
  waits: true,
  shape: () => undefined,
  host: ({ handle, cancelPendingEnqueues }, { signal }) => queueOf(handle).close(cancelPendingEnqueues, signal),
});

export const QueueSizeV2 = defineOp("QueueSizeV2", {
  inputs: { handle: "resource" },
  outputs: { size: "int32" },
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: ({ handle }) => handle,
  host: ({ handle }) => NDArray.full("int32", [], queueOf(handle).size),
});

export const QueueIsClosedV2 = defineOp("QueueIsClosedV2", {
  inputs: { handle: "resource" },
  outputs: { isClosed: "bool" },
  attrs: {},
  stateful: true,
  gradient: "none",
  shape: () => scalar,
  host: ({ handle }) => NDArray.full("bool", [], queueOf(handle).isClosed),
});
