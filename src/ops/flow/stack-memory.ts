// What StackV2's handle stands for while lowering. What is pushed beside the stack itself (not in a loop or a branch) is popped while compiling: an
// unrolled loop's elements may differ in shape. Otherwise elements are kept on the host, pushed and popped by routines, their count threaded through. Between segments of a run a stack is a list of arrays.

import { InternalError, InvalidArgumentError } from "../../base/errors.ts";
import { copyElements, NDArray } from "../../base/ndarray.ts";
import { sameShape } from "../../base/shape.ts";
import type { LowerContext, StateHandle } from "../../graph/op-definition.ts";
import { call, constant, currentRegion, NeedsUnrolling, NeedsUnrollingThroughout } from "../../ir/build.ts";
import type { State, Value } from "../../ir/program.ts";

interface Memory {
  readonly count: State;
  /** Where the stack was made. */
  readonly region: object;
  /** What was pushed there. */
  readonly values: Value[];
  readonly elements: NDArray[];
  /** What was pushed; all elements have the same type and shape. Lists are what they are lowered to. */
  pushed: Pick<Value, "dtype" | "shape"> | undefined;
  /** What every push pushes, if that is known while compiling (shapes, mostly): then nothing is kept at all. */
  known: NDArray | undefined;
}

const memories = new WeakMap<StateHandle, Memory>();

export function newStack(context: LowerContext): StateHandle {
  const count: State = { id: `stack:${context.name}`, role: "scratch", dtype: "int32", shape: [] };
  const handle = context.state(count);
  memories.set(handle, { count, region: currentRegion(), values: [], elements: [], pushed: undefined, known: undefined });
  return handle;
}

function memoryOf(handle: StateHandle): Memory {
  const memory = memories.get(handle);
  if (!memory) throw new InternalError("A stack's handle does not come from a StackV2.");
  return memory;
}

const emptyStack = (): Error => new InvalidArgumentError("Stack is empty when calling pop.");

/** A stack of a run whose loops run iteration by iteration. */
export class HostStack {
  private readonly elements: NDArray[] = [];

  push(element: NDArray): void {
    this.elements.push(element);
  }

  pop(): NDArray {
    const element = this.elements.pop();
    if (!element) throw emptyStack();
    return element;
  }
}

export function stackOf(handle: object): HostStack {
  if (handle instanceof HostStack) return handle;
  throw new InternalError("A stack's handle does not come from a StackV2.");
}

const isEqual = (a: NDArray, b: NDArray): boolean =>
  sameShape(a.shape, b.shape) && Array.from({ length: a.size }, (_, i) => Object.is(a.get(i), b.get(i))).every(same => same);

const one = (count: NDArray): number => (count.data as Int32Array)[0];

export function pushOnStack(handle: StateHandle, element: Value, context: LowerContext): void {
  const memory = memoryOf(handle);
  if (currentRegion() === memory.region) {
    memory.values.push(element);
    return;
  }
  const known = context.known("elem");
  // A loop within one that is unrolled comes by once for each iteration of that, and what is known may be another then.
  const isAnother = memory.known
    ? !(known && isEqual(known, memory.known))
    : memory.pushed && (known !== undefined || !sameShape(element.shape, memory.pushed.shape));
  if (isAnother)
    throw new NeedsUnrollingThroughout(`The stack ${context.name} pushes on had been given another value or shape while compiling.`);
  memory.known = known;
  if (known) return;
  const counter = context.state(memory.count);
  // Handles are no values, and are popped where a loop is unrolled alone.
  if ("shape" in element) memory.pushed = { dtype: element.dtype, shape: element.shape };
  const push = {
    name: "stackPush",
    run: ([value, count]: readonly NDArray[], [next]: readonly NDArray[]): void => {
      // The routine may not keep its argument.
      memory.elements[one(count)] = new NDArray(value.dtype, value.shape, value.data.slice());
      (next.data as Int32Array)[0] = one(count) + 1;
    },
  };
  const [next] = call(push, [element, counter.read()], [{ dtype: "int32", shape: [] }]);
  counter.write(next);
}

export function popFromStack(handle: StateHandle, context: LowerContext): Value {
  const memory = memoryOf(handle);
  if (memory.values.length > 0) {
    if (currentRegion() === memory.region) return memory.values.pop() as Value;
    throw new NeedsUnrolling(`The stack ${context.name} pops from was filled while compiling.`);
  }
  if (memory.known) return constant(memory.known);
  if (!memory.pushed) {
    // A loop that was unrolled without an iteration pushed nothing: its counterpart ends as soon.
    if (currentRegion() !== memory.region) throw new NeedsUnrolling(`Nothing was pushed on the stack ${context.name} pops from.`);
    throw emptyStack();
  }
  const counter = context.state(memory.count);
  const pop = {
    name: "stackPop",
    run: ([count]: readonly NDArray[], [value, next]: readonly NDArray[]): void => {
      const at = one(count) - 1;
      if (at < 0) throw emptyStack();
      copyElements(memory.elements[at], value);
      (next.data as Int32Array)[0] = at;
    },
  };
  const [value, next] = call(
    pop,
    [counter.read()],
    [
      { dtype: memory.pushed.dtype, shape: memory.pushed.shape },
      { dtype: "int32", shape: [] },
    ],
  );
  counter.write(next);
  return value;
}
