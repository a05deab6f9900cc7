// Building a Program: one function per primitive, and data movement (reshape, transpose, slice, pad, concat …) as maps over index maps.
// An op's `lower` calls these; the program under construction is the innermost `building` call, so lowerings read as formulas.

import type { DType } from "../base/dtype.ts";
import { isBigInteger } from "../base/dtype.ts";
import { InternalError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { sizeOf } from "../base/shape.ts";
import type { Index } from "./index-map.ts";
import { addIndex, axisIndex, constantIndex, flattenIndex, modIndex, scaleIndex, unflattenIndex } from "./index-map.ts";
import type { Combine, Failure, Operand, Region, Routine, ScatterCombine, State, Step, Value } from "./program.ts";
import type { Scalar, ScalarLike } from "./scalar.ts";
import { castScalar, constantScalar, guardScalar, loadScalar, s } from "./scalar.ts";

/** Collects steps; values are numbered across nested regions. */
export class ProgramBuilder {
  /** Steps outside any region. */
  readonly root: Step[] = [];
  /** Where new steps go: the root, or the region being built. */
  steps: Step[] = this.root;
  /** Arrays behind the values made by `constant`. */
  readonly constants = new Map<Value, NDArray>();
  /** The node of the graph that made a value, as far as somebody says. */
  readonly origins = new Map<Value, string>();
  private count = 0;

  value(dtype: DType, shape: readonly number[], splat?: number | bigint): Value {
    return { id: this.count++, shape: [...shape], dtype, splat };
  }

  get moment(): number {
    return this.count;
  }
}

let current: ProgramBuilder | undefined;

/** Runs `build` with `builder` as the program under construction. */
export function building<T>(builder: ProgramBuilder, build: () => T): T {
  const outer = current;
  current = builder;
  try {
    return build();
  } finally {
    current = outer;
  }
}

function builder(): ProgramBuilder {
  if (!current) throw new InternalError("A primitive was built outside `building`.");
  return current;
}

const emit = <S extends Step>(step: S): S => {
  builder().steps.push(step);
  return step;
};

/** Records the steps that `build` emits as a region with the given parameter types. */
export function region(
  params: readonly { dtype: DType; shape: readonly number[] }[],
  build: (...params: Value[]) => readonly Value[],
): Region {
  const at = builder();
  const outer = at.steps;
  at.steps = [];
  try {
    const values = params.map(({ dtype, shape }) => at.value(dtype, shape));
    const results = build(...values);
    return { params: values, steps: at.steps, results };
  } finally {
    at.steps = outer;
  }
}

/** Identifies the region being built: values made in another one may be out of reach. */
export const currentRegion = (): object => builder().steps;

/** A moment of the building, before all that comes after: how many values there are. */
export const moment = (): number => builder().moment;

/** Thrown by what cannot be part of a loop's region, since it is different in each iteration. */
export class NeedsUnrolling extends Error {}

/** The same for a loop that was in the program before, as a loop. */
export class NeedsUnrollingThroughout extends NeedsUnrolling {}

export const feed = (name: string, dtype: DType, shape: readonly number[]): Value =>
  emit({ kind: "feed", out: builder().value(dtype, shape), name }).out;

/** A known array. Where all elements are one number, readers see that number. */
export function constant(data: NDArray): Value {
  const at = builder();
  const out = at.value(data.dtype, data.shape, splatOf(data));
  // Outside any region, so that one constant serves readers inside and outside.
  at.root.push({ kind: "constant", out, data });
  at.constants.set(out, data);
  return out;
}

/** One number for all elements of a shape. */
export const full = (dtype: DType, shape: readonly number[], value: number | bigint): Value =>
  generate(shape, () => constantScalar(dtype, value));

/** Zeros, or empty strings. */
export const zeros = (dtype: DType, shape: readonly number[]): Value =>
  dtype === "string" ? constant(NDArray.zeros(dtype, shape)) : full(dtype, shape, 0);

export const zerosLike = ({ dtype, shape }: Value): Value => zeros(dtype, shape);

function splatOf(data: NDArray): number | bigint | undefined {
  if (data.dtype === "string" || data.dtype.startsWith("complex") || data.dtype.endsWith("16")) return undefined;
  if (data.size === 0 || data.size > 4096) return undefined;
  const words = data.data as Float64Array;
  for (let i = 1; i < words.length; i++) if (!Object.is(words[i], words[0])) return undefined;
  return words[0];
}

export const readState = (state: State, reader: string, isDemanded = false): Value =>
  emit({ kind: "state", out: builder().value(state.dtype, state.shape), state, reader, isDemanded }).out;
export const isInitialized = (state: State): Value => emit({ kind: "initialized", out: builder().value("bool", []), state }).out;
export const updateState = (state: State, value: Value, isReshaped = false): void =>
  void emit({ kind: "update", state, value, ...(isReshaped && { isReshaped }) });

export const axesOf = (shape: readonly number[], from = 0): Index[] => shape.map((size, axis) => axisIndex(from + axis, size));

/** out[i] = body(i), for any body over loads. */
export function generate(shape: readonly number[], body: (i: Index[]) => Scalar): Value {
  const scalar = body(axesOf(shape));
  const splat = scalar.kind === "constant" ? scalar.value : undefined;
  return emit({ kind: "map", out: builder().value(scalar.dtype, shape, splat), body: scalar }).out;
}

/** Loads `source` broadcast to a shape of which `i` is the multi-index: trailing dimensions align, size 1 repeats. */
export const loadBroadcast = (source: Value, i: readonly Index[]): Scalar =>
  loadScalar(
    source,
    source.shape.map((size, axis) => (size === 1 ? constantIndex(0) : i[i.length - source.shape.length + axis])),
  );

/** The shape that values broadcast to. @throws InternalError if they do not. */
export function broadcastShape(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(shape => shape.length), 0);
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map(shape => shape[axis - rank + shape.length] ?? 1).filter(size => size !== 1);
    if (sizes.some(size => size !== sizes[0]))
      throw new InternalError(`Shapes ${shapes.map(d => `[${d}]`).join(" and ")} do not broadcast.`);
    return sizes[0] ?? 1;
  });
}

/** Elementwise, with broadcasting: out[i] = f(values at i). */
export function map(f: (...args: Scalar[]) => Scalar, ...values: readonly Value[]): Value {
  return generate(broadcastShape(...values.map(value => value.shape)), i => f(...values.map(value => loadBroadcast(value, i))));
}

export const cast = (value: Value, dtype: DType): Value => (value.dtype === dtype ? value : map(x => castScalar(x, dtype), value));

/** out[i] = ⊕ over r of body(i, r). */
export function reduceOver(
  combine: Combine,
  shape: readonly number[],
  over: readonly number[],
  body: (i: Index[], r: Index[]) => Scalar,
  indexType: "int32" | "int64" = "int64",
): Value {
  const scalar = body(axesOf(shape), axesOf(over, shape.length));
  const dtype = combine.startsWith("arg") ? indexType : scalar.dtype;
  return emit({ kind: "reduce", out: builder().value(dtype, shape), over: [...over], combine, body: scalar }).out;
}

/** Reduces `axes` (non-negative, each once) of a value; `keepDims` leaves them with size 1; `f` is applied to each element first. */
export function reduce(
  combine: Combine,
  value: Value,
  axes: readonly number[],
  {
    keepDims = false,
    f = x => x,
    indexType = "int64" as "int32" | "int64",
  }: { keepDims?: boolean; f?: (x: Scalar) => Scalar; indexType?: "int32" | "int64" } = {},
): Value {
  const kept = value.shape.map((_, axis) => axis).filter(axis => !axes.includes(axis));
  const over = axes.map(axis => value.shape[axis]);
  const shape = keepDims ? value.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)) : kept.map(axis => value.shape[axis]);
  return reduceOver(
    combine,
    shape,
    over,
    (i, r) =>
      f(
        loadScalar(
          value,
          value.shape.map((_, axis) => {
            const at = axes.indexOf(axis);
            return at >= 0 ? r[at] : keepDims ? i[axis] : i[kept.indexOf(axis)];
          }),
        ),
      ),
    indexType,
  );
}

/** out[i] = Σ over r of left(i, r)·right(i, r): matrix products, convolutions, einsum. Indices must be affine; outside is zero.
 *  Halves are multiplied and added as float32, rounded once at the end. */
export function contract(
  shape: readonly number[],
  over: readonly number[],
  operands: (i: Index[], r: Index[]) => readonly [left: Operand, right: Operand],
): Value {
  const [left, right] = operands(axesOf(shape), axesOf(over, shape.length));
  const { dtype } = left.source;
  if (dtype === "float16" || dtype === "bfloat16") {
    const x = cast(left.source, "float32");
    const y = right.source === left.source ? x : cast(right.source, "float32");
    return cast(
      contract(shape, over, () => [operand(x, left.at), operand(y, right.at)]),
      dtype,
    );
  }
  return emit({ kind: "contract", out: builder().value(dtype, shape), over: [...over], left, right }).out;
}

export const operand = (source: Value, at: readonly Index[]): Operand => ({ source, at });

export const scan = (
  source: Value,
  axis: number,
  combine: "sum" | "prod" | "max" | "logsumexp",
  { exclusive = false, reverse = false }: { exclusive?: boolean; reverse?: boolean } = {},
): Value => emit({ kind: "scan", out: builder().value(source.dtype, source.shape), source, axis, combine, exclusive, reverse }).out;

/** base with out[at(r)] ⊕= body(r) for r over `over`; positions outside are dropped. */
export function scatter(
  combine: ScatterCombine,
  base: Value,
  over: readonly number[],
  updates: (r: Index[]) => { at: readonly Scalar[]; body: Scalar },
): Value {
  if (sizeOf(over) === 0) return base;
  const { at, body } = updates(axesOf(over));
  return emit({ kind: "scatter", out: builder().value(base.dtype, base.shape), base, over: [...over], at, combine, body }).out;
}

/** The first `count` of each row in order, with their positions (int32). */
export function sort(source: Value, count: number, descending: boolean): { values: Value; indices: Value } {
  const shape = [...source.shape.slice(0, -1), count];
  const values = builder().value(source.dtype, shape);
  const indices = builder().value("int32", shape);
  return emit({ kind: "sort", values, indices, source, descending });
}

/** `words` uint32 words of the generator whose state is given (int64[3]: seed, seed2, blocks used). */
export const randomWords = (state: Value, words: number): Value =>
  emit({ kind: "random", out: builder().value("uint32", [words]), state }).out;

/** Stops the run at the first r where ok(r) is false. */
export const check = (over: readonly number[], ok: (r: Index[]) => Scalar, failure: Failure): void => {
  if (sizeOf(over) === 0) return;
  const scalar = ok(axesOf(over));
  if (scalar.kind === "constant" && scalar.value) return;
  emit({ kind: "check", over: [...over], ok: scalar, failure });
};

export function branch(choice: Value, cases: readonly Region[]): readonly Value[] {
  const outs = cases[0].results.map(({ dtype, shape }) => builder().value(dtype, shape));
  return emit({ kind: "branch", outs, choice, cases }).outs;
}

export function loop(initial: readonly Value[], condition: Region, body: Region): readonly Value[] {
  const outs = initial.map(({ dtype, shape }) => builder().value(dtype, shape));
  return emit({ kind: "loop", outs, initial, condition, body }).outs;
}

/** Runs a host routine on whole arrays. */
export function call(
  routine: Routine,
  inputs: readonly Value[],
  outputs: readonly { dtype: DType; shape: readonly number[] }[],
): readonly Value[] {
  const outs = outputs.map(({ dtype, shape }) => builder().value(dtype, shape));
  return emit({ kind: "call", outs, routine, inputs }).outs;
}

/** The same elements in row-major order under another shape of equal size. */
export function reshape(value: Value, shape: readonly number[]): Value {
  if (sizeOf(shape) !== sizeOf(value.shape)) throw new InternalError(`Cannot reshape [${value.shape}] to [${shape}].`);
  if (shape.length === value.shape.length && shape.every((size, axis) => size === value.shape[axis])) return value;
  return generate(shape, i => loadScalar(value, unflattenIndex(flattenIndex(i, shape), value.shape)));
}

export const transpose = (value: Value, permutation: readonly number[]): Value =>
  generate(
    permutation.map(axis => value.shape[axis]),
    i =>
      loadScalar(
        value,
        value.shape.map((_, axis) => i[permutation.indexOf(axis)]),
      ),
  );

export const broadcastTo = (value: Value, shape: readonly number[]): Value => generate(shape, i => loadBroadcast(value, i));

/** value[begin + stride·i] for i over `size`; strides may be negative. */
export const slice = (value: Value, begin: readonly number[], size: readonly number[], strides?: readonly number[]): Value =>
  generate(size, i =>
    loadScalar(
      value,
      i.map((index, axis) => addIndex(scaleIndex(index, strides?.[axis] ?? 1), constantIndex(begin[axis]))),
    ),
  );

/** Surrounds a value with `fill`; amounts may be negative (cropping). */
export const pad = (value: Value, before: readonly number[], after: readonly number[], fill: ScalarLike = 0): Value =>
  generate(
    value.shape.map((size, axis) => before[axis] + size + after[axis]),
    i => {
      const at = i.map((index, axis) => addIndex(index, constantIndex(-before[axis])));
      return guardScalar(
        at.map((index, axis) => ({ index, low: 0, high: value.shape[axis] })),
        loadScalar(value, at),
        typeof fill === "object" ? fill : constantScalar(value.dtype, fill),
      );
    },
  );

/** Values joined along an axis; all other dimensions are equal. */
export function concat(values: readonly Value[], axis: number): Value {
  const shape = [...values[0].shape];
  shape[axis] = values.reduce((sum, value) => sum + value.shape[axis], 0);
  return generate(shape, i => {
    let from = shape[axis];
    let result: Scalar | undefined;
    for (const value of [...values].reverse()) {
      if (value.shape[axis] === 0) continue;
      from -= value.shape[axis];
      const at = i.map((index, k) => (k === axis ? addIndex(index, constantIndex(-from)) : index));
      const piece = loadScalar(value, at);
      result = result === undefined ? piece : guardScalar([{ index: i[axis], low: 0, high: from + value.shape[axis] }], piece, result);
    }
    return result ?? constantScalar(values[0].dtype, 0);
  });
}

/** value[i mod size]. */
export const tile = (value: Value, multiples: readonly number[]): Value =>
  generate(
    value.shape.map((size, axis) => size * multiples[axis]),
    i =>
      loadScalar(
        value,
        i.map((index, axis) => modIndex(index, Math.max(value.shape[axis], 1))),
      ),
  );

export const reverse = (value: Value, axes: readonly number[]): Value =>
  generate(value.shape, i =>
    loadScalar(
      value,
      i.map((index, axis) => (axes.includes(axis) ? addIndex(constantIndex(value.shape[axis] - 1), scaleIndex(index, -1)) : index)),
    ),
  );

/** 0, 1, 2 … of a type. */
export const iota = (size: number, dtype: DType): Value =>
  generate([size], ([i]) => (isBigInteger(dtype) || dtype === "int32" ? s.index(i, dtype) : castScalar(s.index(i), dtype)));
