// What a TensorArray's handle stands for while lowering: one value [size, …element] threaded through the Program as a state of the run.
// The elements' shape is that of the first write; the array of a gradient adds where others assign. Elements of different sizes, as split makes
// them, lie one after the other, and are only reached by indices that are known while compiling.

import type { DType } from "../../base/dtype.ts";
import { InternalError, InvalidArgumentError, UnimplementedError } from "../../base/errors.ts";
import { sameShape, type TensorShape } from "../../base/shape.ts";
import type { LowerContext, StateHandle } from "../../graph/op-definition.ts";
import { check, concat, full, generate, map, moment, NeedsUnrolling, reshape, scatter, slice } from "../../ir/build.ts";
import { constantIndex, dataIndex, type Index } from "../../ir/index-map.ts";
import type { State, Value } from "../../ir/program.ts";
import { loadScalar, s } from "../../ir/scalar.ts";
import {
  emptyConcat,
  emptyPack,
  negativeSize,
  readOutside,
  requireReadable,
  requireWritable,
  scalarConcat,
  scalarSplit,
  scatterOutside,
  unknownElement,
  writeOutside,
  wrongCount,
  wrongElement,
  wrongLengths,
} from "./tensor-array-failures.ts";

interface Memory {
  readonly id: string;
  /** An array that an iteration makes is its own, and so are the gradients that are added up for it. */
  readonly since: number;
  readonly name: string;
  readonly dtype: DType;
  readonly isDynamic: boolean;
  /** Adds what is written to what is there. */
  readonly adds: boolean;
  size: number;
  element: readonly number[] | undefined;
  /** First dimensions of elements that differ in it; `element` is then the shape without that dimension. */
  lengths: readonly number[] | undefined;
  /** Arrays of gradients by the source that asked for them. */
  readonly gradients: Map<string, StateHandle>;
}

const memories = new WeakMap<StateHandle, Memory>();

function memoryOf(handle: StateHandle): Memory {
  const memory = memories.get(handle);
  if (!memory) throw new InternalError("A TensorArray's handle does not come from a TensorArrayV3 of the same run.");
  return memory;
}

function remember(context: LowerContext, memory: Memory): StateHandle {
  const handle = context.state({ id: memory.id, since: memory.since, role: "scratch", dtype: memory.dtype, shape: [] });
  memories.set(handle, memory);
  return handle;
}

interface NewArray {
  readonly dtype: DType;
  readonly size: number;
  readonly element: readonly number[] | undefined;
  readonly isDynamic: boolean;
}

export function newArray({ dtype, size, element, isDynamic }: NewArray, context: LowerContext): StateHandle {
  if (size < 0) throw negativeSize();
  const { name } = context;
  const since = moment();
  return remember(context, {
    id: `array:${name}@${since}`,
    since,
    name,
    dtype,
    size,
    element,
    isDynamic,
    adds: false,
    lengths: undefined,
    gradients: new Map(),
  });
}

/** The array that gradients of this one are added up in; the same for every operation of one call of tf.gradients. Its elements have the dimensions
 *  `before` in front of this one's. */
export function gradientArray(handle: StateHandle, source: string, before: readonly number[], context: LowerContext): StateHandle {
  const { id, since, name, dtype, size, element, lengths, gradients } = memoryOf(handle);
  let gradient = gradients.get(source);
  if (!gradient) {
    if (lengths && before.length > 0)
      throw new UnimplementedError(
        `TensorArray ${name} holds elements of different shapes: gradients with more dimensions are not available.`,
      );
    gradient = remember(context, {
      id: `${id}@${source}`,
      since,
      name: `${name}@${source}`,
      dtype,
      size,
      element: element && [...before, ...element],
      isDynamic: false,
      adds: true,
      lengths,
      gradients: new Map(),
    });
    gradients.set(source, gradient);
  }
  return gradient;
}

export const sizeOfArray = (handle: StateHandle): number => memoryOf(handle).size;
export const isDynamicArray = (handle: StateHandle): boolean => memoryOf(handle).isDynamic;

// ---- the state ----

const stateOf = ({ id, since, dtype, size, element, lengths }: Memory): State => ({
  id,
  since,
  role: "scratch",
  dtype,
  shape: [lengths ? lengths.reduce((sum, n) => sum + n, 0) : size, ...(element ?? [])],
});

/** All elements at this point of the run; those of an array that has grown end in zeros. */
function load(memory: Memory, context: LowerContext): Value {
  const state = stateOf(memory);
  const value = context.state(state).read();
  const missing = state.shape[0] - value.shape[0];
  return missing <= 0 ? value : concat([value, full(value.dtype, [missing, ...value.shape.slice(1)], 0)], 0);
}

const store = (memory: Memory, value: Value, context: LowerContext): void => void context.state(stateOf(memory)).write(value);

/** What is there with `value` put in its place: added, unless nothing was there. */
const combined = (memory: Memory, old: Value, value: Value): Value => (memory.adds && old.splat !== 0 ? map(s.add, old, value) : value);

// ---- checks ----

function settleElement(memory: Memory, shape: readonly number[], index: number | string): void {
  memory.element ??= shape;
  if (sameShape(memory.element, shape)) return;
  throw wrongElement(memory, index, shape, `[${memory.element}]`);
}

/** The elements' shape for a read. @throws InvalidArgumentError if nothing says what it is. */
function elementOf(memory: Memory, index: number | string, stated?: TensorShape): readonly number[] {
  memory.element ??= stated?.isFullyDefined ? stated.asNumbers() : undefined;
  if (memory.element) return memory.element;
  // Who has written by then is known while running: a tree's nodes read leaves that other iterations wrote.
  if (index === "?") throw new NeedsUnrolling(`TensorArray ${memory.name} is read before anything says how large its elements are.`);
  throw unknownElement(memory, index);
}

/** An index that is known, or a value, as an index into `size` elements; stops the run if it lies outside. */
function checkedIndex(index: Value, known: number | undefined, size: number, failure: (index: number) => Error): Index {
  if (known !== undefined && known >= 0 && known < size) return constantIndex(known);
  const at = loadScalar(index, []);
  check([], () => s.and(s.ge(at, 0), s.lt(at, size)), {
    label: "tensorArrayIndex",
    reads: [index],
    error: (_, read) => failure(Number(read(index).get(0))),
  });
  return size === 0 ? constantIndex(0) : dataIndex(at, size);
}

// ---- single elements ----

export function writeElement(handle: StateHandle, index: Value, known: number | undefined, value: Value, context: LowerContext): void {
  const memory = memoryOf(handle);
  requireWritable(memory, value.dtype);
  if (memory.lengths) return writePart(memory, known, value, context);
  settleElement(memory, value.shape, known ?? "?");
  if (memory.isDynamic && known === undefined)
    throw new NeedsUnrolling(`TensorArray ${memory.name} has dynamic_size and is written at an index that is only known while running.`);
  if (memory.isDynamic && known !== undefined) memory.size = Math.max(memory.size, known + 1);
  const { size } = memory;
  const at = checkedIndex(index, known, size, i => writeOutside(memory, i, size));
  if (size === 0) return;
  const base = load(memory, context);
  store(
    memory,
    scatter(memory.adds ? "add" : "assign", base, value.shape, r => ({
      at: [s.index(at), ...r.map(i => s.index(i))],
      body: loadScalar(value, r),
    })),
    context,
  );
}

export function readElement(handle: StateHandle, index: Value, known: number | undefined, dtype: DType, context: LowerContext): Value {
  const memory = memoryOf(handle);
  requireReadable(memory, dtype);
  if (memory.lengths) return readPart(memory, known, context);
  const element = elementOf(memory, known ?? "?", context.op.outputs[0].shape);
  const { size } = memory;
  const at = checkedIndex(index, known, size, i => readOutside(i, size));
  if (size === 0) return full(dtype, element, 0);
  const elements = load(memory, context);
  return generate(element, i => loadScalar(elements, [at, ...i]));
}

// ---- many elements ----

const isWhole = (indices: readonly number[] | undefined, size: number): boolean =>
  indices?.length === size && indices.every((k, i) => k === i);

/** value[k] becomes element indices[k]. */
export function scatterElements(
  handle: StateHandle,
  indices: Value,
  known: readonly number[] | undefined,
  value: Value,
  context: LowerContext,
): void {
  const memory = memoryOf(handle);
  requireWritable(memory, value.dtype);
  const [count] = value.shape;
  if (memory.lengths) throw raggedError(memory);
  settleElement(memory, value.shape.slice(1), 0);
  if (memory.isDynamic && known) memory.size = Math.max(memory.size, ...known.map(k => k + 1));
  const { size } = memory;
  if (isWhole(known, size)) return store(memory, combined(memory, load(memory, context), value), context);
  check([count], ([k]) => s.and(s.ge(s.load(indices, [k]), 0), s.lt(s.load(indices, [k]), size)), {
    label: "tensorArrayScatter",
    reads: [indices],
    error: (_, read) => scatterOutside(Math.max(...Array.from({ length: count }, (_, k) => Number(read(indices).get(k)))), size),
  });
  if (size === 0) return;
  const base = load(memory, context);
  const next = scatter(memory.adds ? "add" : "assign", base, value.shape, r => ({
    at: [loadScalar(indices, [r[0]]), ...r.slice(1).map(i => s.index(i))],
    body: loadScalar(value, r),
  }));
  store(memory, next, context);
}

/** out[k] = element indices[k]. */
export function gatherElements(
  handle: StateHandle,
  indices: Value,
  known: readonly number[] | undefined,
  dtype: DType,
  stated: readonly number[] | undefined,
  context: LowerContext,
): Value {
  const memory = memoryOf(handle);
  requireReadable(memory, dtype);
  if (memory.lengths) throw raggedError(memory);
  memory.element ??= stated;
  const [count] = indices.shape;
  if (count === 0 && memory.element === undefined) throw emptyPack("<unknown>");
  const element = elementOf(memory, 0);
  const { size } = memory;
  const elements = load(memory, context);
  if (isWhole(known, size)) return elements;
  check([count], ([k]) => s.and(s.ge(s.load(indices, [k]), 0), s.lt(s.load(indices, [k]), size)), {
    label: "tensorArrayGather",
    reads: [indices],
    error: ([k], read) => readOutside(Number(read(indices).get(k)), size),
  });
  if (size === 0) return full(dtype, [count, ...element], 0);
  return generate([count, ...element], ([k, ...i]) => loadScalar(elements, [dataIndex(loadScalar(indices, [k]), size), ...i]));
}

// ---- elements of different sizes ----

const raggedError = ({ name }: Memory): InvalidArgumentError =>
  new InvalidArgumentError(`TensorArray ${name} has inconsistent shapes.  Index 0 has a different shape than others.`);

/** Cuts `value` along its first axis into the elements. */
export function splitInto(handle: StateHandle, value: Value, lengths: readonly number[], context: LowerContext): void {
  const memory = memoryOf(handle);
  requireWritable(memory, value.dtype);
  const [total, ...rest] = value.shape;
  if (value.shape.length === 0) throw scalarSplit();
  const sum = lengths.reduce((a, b) => a + b, 0);
  if (sum !== total) throw wrongLengths(sum, value.shape);
  if (memory.isDynamic) memory.size = Math.max(memory.size, lengths.length);
  if (memory.size !== lengths.length) throw wrongCount(memory.size, lengths.length);
  if (new Set(lengths).size <= 1 && !memory.lengths) {
    const element = [lengths[0] ?? 0, ...rest];
    settleElement(memory, element, 0);
    return store(memory, combined(memory, load(memory, context), reshape(value, [memory.size, ...element])), context);
  }
  memory.lengths ??= lengths;
  memory.element = rest;
  store(memory, combined(memory, load(memory, context), value), context);
}

/** All elements joined along their first axis, and their lengths. */
export function joinedElements(
  handle: StateHandle,
  dtype: DType,
  stated: readonly number[] | undefined,
  context: LowerContext,
): { value: Value; lengths: readonly number[] } {
  const memory = memoryOf(handle);
  requireReadable(memory, dtype);
  if (memory.lengths) return { value: load(memory, context), lengths: memory.lengths };
  if (memory.size === 0) {
    if (!stated) throw emptyConcat("<unknown>");
    return { value: full(dtype, [0, ...stated], 0), lengths: [] };
  }
  const element = elementOf(memory, 0);
  if (element.length === 0) throw scalarConcat();
  const [length, ...rest] = element;
  return {
    value: reshape(load(memory, context), [memory.size * length, ...rest]),
    lengths: Array.from({ length: memory.size }, () => length),
  };
}

/** Where element `known` of an array of different lengths lies. */
function partAt(memory: Memory, known: number | undefined): { begin: number; length: number } {
  const lengths = memory.lengths as readonly number[];
  if (known === undefined || known < 0 || known >= lengths.length)
    throw new UnimplementedError(
      `TensorArray ${memory.name} holds elements of different shapes: its indices must be known while compiling.`,
    );
  return { begin: lengths.slice(0, known).reduce((sum, n) => sum + n, 0), length: lengths[known] };
}

function readPart(memory: Memory, known: number | undefined, context: LowerContext): Value {
  const { begin, length } = partAt(memory, known);
  const rest = memory.element ?? [];
  return slice(load(memory, context), [begin, ...rest.map(() => 0)], [length, ...rest]);
}

function writePart(memory: Memory, known: number | undefined, value: Value, context: LowerContext): void {
  const { begin, length } = partAt(memory, known);
  const all = load(memory, context);
  const rest = all.shape.slice(1);
  const cut = (from: number, count: number): Value => slice(all, [from, ...rest.map(() => 0)], [count, ...rest]);
  const part = combined(memory, cut(begin, length), value);
  store(memory, concat([cut(0, begin), part, cut(begin + length, all.shape[0] - begin - length)], 0), context);
}
