// Barriers: tuples put together by key, component by component, and taken once they are whole, in the order in which their keys first came.

import { CancelledError, InternalError, InvalidArgumentError, OutOfRangeError, ValueError } from "../../base/errors.ts";
import { NDArray, latinText } from "../../base/ndarray.ts";
import type { DType } from "../../base/dtype.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { defineOp } from "../../graph/op-definition.ts";
import { handleFields, nameOf, objectId, sharedAttrs } from "./host-handles.ts";
import { WaitingLine } from "./host-waiting.ts";
import { pop, push } from "./least-first.ts";
import { rowOf, stackedRows } from "./rows.ts";
import { bytesAt } from "../string/string.ts";

const handle = "Ref(string)";
const handleShape = new TensorShape([2]);
const scalar = new TensorShape([]);

interface Entry {
  readonly key: string;
  readonly parts: (NDArray | undefined)[];
  /** Which of the calls that brought new keys brought it. */
  readonly call: bigint;
}

const callOf = ({ call }: Entry): bigint => call;
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const keyText = (keys: NDArray, i: number): string => latinText(bytesAt(keys, i));

/** What a barrier's handle stands for. */
class BarrierMemory {
  readonly name: string;
  readonly dtypes: readonly DType[];
  readonly shapes: readonly (readonly number[])[];
  private readonly incomplete = new Map<string, Entry>();
  private readonly ready: Entry[] = [];
  private readonly line = new WaitingLine();
  private calls = 0n;
  private isClosed = false;
  private isCancelled = false;

  constructor(name: string, dtypes: readonly DType[], shapes: readonly (readonly number[])[]) {
    this.name = name;
    this.dtypes = dtypes;
    this.shapes = shapes;
  }

  get readySize(): number {
    return this.ready.length;
  }

  get incompleteSize(): number {
    return this.incomplete.size;
  }

  insert(keys: NDArray, values: NDArray, component: number): void {
    const { dtypes, shapes, incomplete } = this;
    if (component < 0 || component >= dtypes.length)
      throw new InvalidArgumentError(`The component ID is out of range ${component} > num_components (= ${dtypes.length})`);
    if (values.dtype !== dtypes[component])
      throw new InvalidArgumentError(
        `Component ${component} of barrier ${this.name} is of type ${dtypes[component]}, not ${values.dtype}.`,
      );
    if (keys.rank !== 1 || values.rank === 0 || values.shape[0] !== keys.size)
      throw new InvalidArgumentError(`There are ${values.shape[0] ?? 1} values for keys of shape [${keys.shape}].`);
    const given = values.shape.slice(1);
    if (keys.size > 0 && given.includes(0))
      throw new InvalidArgumentError(`Tensors with no elements are not supported ${this.name}: received shape [${values.shape}]`);
    if (given.join() !== shapes[component].join())
      throw new InvalidArgumentError(`Shape mismatch in tuple component ${component + 2}. Expected [${shapes[component]}], got [${given}]`);
    if (this.isCancelled)
      throw new CancelledError(
        `Barrier ${this.name} is closed.  Pending enqueues cancelled: 1.  Number of new insertions: ${keys.size}.  Number of incomplete keys: ${incomplete.size}.`,
      );
    const hasNew = Array.from({ length: keys.size }, (_, i) => keyText(keys, i)).some(key => !incomplete.has(key));
    const call = hasNew ? this.calls++ : this.calls;
    // What a refused call had made whole is in neither place, as in TensorFlow.
    const whole: Entry[] = [];
    for (let i = 0; i < keys.size; i++) {
      const key = keyText(keys, i);
      if (this.isClosed && !incomplete.has(key))
        throw new CancelledError(
          `Barrier ${this.name} is closed, but attempted to insert a brand new key: ${textOf(bytesAt(keys, i))}.  Pending enqueues cancelled: 0.  Insertion index: ${i}.  Number of incomplete keys: ${incomplete.size}.`,
        );
      const entry = incomplete.get(key) ?? { key, parts: dtypes.map(() => undefined), call };
      if (entry.parts[component])
        throw new InvalidArgumentError(
          `Key ${textOf(bytesAt(keys, i))} already has a value for component ${component} in barrier ${this.name}`,
        );
      entry.parts[component] = rowOf(values, i);
      incomplete.set(key, entry);
      if (entry.parts.includes(undefined)) continue;
      incomplete.delete(key);
      whole.push(entry);
    }
    for (const entry of whole) push(this.ready, entry, callOf);
    this.line.changed();
  }

  async take(count: number, isShortAllowed: boolean, signal: AbortSignal): Promise<readonly NDArray[]> {
    if (count < 0) throw new InvalidArgumentError(`num_elements must not be negative, got ${count}`);
    const take = (): readonly Entry[] | undefined => {
      const wanted = this.isClosed && isShortAllowed ? Math.min(count, this.ready.length) : count;
      const within = this.ready.length + (isShortAllowed ? 0 : this.incomplete.size);
      if (this.isClosed && within < Math.max(wanted, 1))
        throw new OutOfRangeError(
          `Barrier '${this.name}' is closed and has insufficient elements (requested ${wanted}, total size ${within})`,
        );
      return this.ready.length < wanted ? undefined : Array.from({ length: wanted }, () => pop(this.ready, callOf));
    };
    const taken = await this.line.until(take, signal, "TakeMany operation was cancelled");
    const indices = taken.map(({ call }) => -(2n ** 63n) + call);
    const keys = taken.map(({ key }) => Uint8Array.from(key, letter => letter.charCodeAt(0)));
    const values = this.dtypes.map((dtype, k) =>
      stackedRows(
        dtype,
        taken.map(({ parts }) => parts[k] as NDArray),
        this.shapes[k],
      ),
    );
    return [NDArray.from(indices, "int64", [taken.length]), new NDArray("string", [taken.length], keys), ...values];
  }

  /** No new keys from here on; with `cancels` no parts either, and what is not whole is gone. */
  close(cancels: boolean): void {
    if (this.isClosed && (!cancels || this.isCancelled)) throw new CancelledError(`Barrier '${this.name}' is already closed.`);
    this.isClosed = true;
    if (cancels) {
      this.isCancelled = true;
      this.incomplete.clear();
    }
    this.line.changed();
  }
}

function barrierOf(object: object): BarrierMemory {
  if (!(object instanceof BarrierMemory)) throw new InternalError("The handle is no barrier's.");
  return object;
}

export const Barrier = defineOp("Barrier", {
  inputs: {},
  outputs: { handle },
  attrs: {
    componentTypes: attr.types(undefined, { minimum: 1 }),
    shapes: attr.shapes([], 0),
    capacity: attr.int(-1),
    ...sharedAttrs,
  },
  ...handleFields,
  shape: () => handleShape,
  resource: ({ componentTypes, shapes, capacity, ...shared }, op) => ({
    id: objectId("barrier", shared, op),
    make: () => {
      if (capacity !== -1)
        throw new InvalidArgumentError(
          "Barrier only accepts capacity=-1.  Feed the inputs to your Barrier through a queue to enforce a limited capacity.",
        );
      if (shapes.length !== componentTypes.length) throw new InvalidArgumentError("All of the component shapes must be specified");
      const known = shapes.map(shape => {
        if (!shape.isFullyDefined) throw new InvalidArgumentError(`Shape ${shape.format()} is not fully defined`);
        return shape.asNumbers();
      });
      return new BarrierMemory(nameOf(op, shared), componentTypes, known);
    },
  }),
});

const requireHandle = (shape: TensorShape): void => void shape.mergeWith(handleShape);

/** One component for each of some keys. */
export const BarrierInsertMany = defineOp("BarrierInsertMany", {
  inputs: { handle, keys: "string", values: "T" },
  outputs: {},
  attrs: { T: attr.type(), componentIndex: attr.int() },
  shape: ({ handle, keys, values }) => {
    requireHandle(handle);
    const [count, given] = [keys.withRank(1).dim(0), values.withRankAtLeast(1)];
    const rows = given.dims === null ? null : given.dim(0);
    if (count !== null && rows !== null && count !== rows)
      throw new ValueError(`Dimension 0 in both shapes must be equal, but are ${count} and ${rows}. Shapes are [${count}] and [${rows}].`);
  },
  host: ({ handle, keys, values, componentIndex }) => barrierOf(handle).insert(keys, values, componentIndex),
});

/** Whole tuples; waits until there are so many, or all that can come are there. */
export const BarrierTakeMany = defineOp("BarrierTakeMany", {
  inputs: { handle, numElements: "int32" },
  outputs: { indices: "int64", keys: "string", values: "componentTypes" },
  attrs: {
    componentTypes: attr.types(undefined, { minimum: 1 }),
    allowSmallBatch: attr.bool(false),
    waitForIncomplete: attr.bool(false),
    timeoutMs: attr.int(-1),
  },
  waits: true,
  shape: ({ componentTypes }) => Array.from({ length: componentTypes.length + 2 }, () => TensorShape.unknown()),
  host: ({ handle, numElements, componentTypes, allowSmallBatch }, { signal }) => {
    const barrier = barrierOf(handle);
    if (barrier.dtypes.join() !== componentTypes.join())
      throw new InvalidArgumentError(`The barrier's components are of types ${barrier.dtypes}, not ${componentTypes}.`);
    return barrier.take(Number(numElements.get(0)), allowSmallBatch, signal);
  },
});

export const BarrierClose = defineOp("BarrierClose", {
  inputs: { handle },
  outputs: {},
  attrs: { cancelPendingEnqueues: attr.bool(false) },
  shape: ({ handle }) => requireHandle(handle),
  host: ({ handle, cancelPendingEnqueues }) => barrierOf(handle).close(cancelPendingEnqueues),
});

const counted = (of: (barrier: BarrierMemory) => number) =>
  ({
    inputs: { handle },
    outputs: { size: "int32" },
    attrs: {},
    shape: ({ handle }: { readonly handle: TensorShape }) => {
      requireHandle(handle);
      return scalar;
    },
    host: ({ handle }: { readonly handle: object }) => NDArray.full("int32", [], of(barrierOf(handle))),
  }) as const;

export const BarrierReadySize = defineOp(
  "BarrierReadySize",
  counted(barrier => barrier.readySize),
);
export const BarrierIncompleteSize = defineOp(
  "BarrierIncompleteSize",
  counted(barrier => barrier.incompleteSize),
);
