// Sequences of numbers and what is made of them: range, linspace, sequenceMask, meshgrid, repeat.

import type { DType } from "../../base/dtype.ts";
import { isDType, isInteger, noDtype } from "../../base/dtype.ts";
import { InvalidArgumentError, ValueError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { pythonStr, pythonType } from "../../base/python-text.ts";
import { TensorShape } from "../../base/shape.ts";
import * as attr from "../../graph/attributes.ts";
import { convertToTensor, type TensorLike } from "../../graph/conversion.ts";
import { defineOp, type Named } from "../../graph/op-definition.ts";
import { Tensor } from "../../graph/operation.ts";
import { staticValues } from "../../graph/static-value.ts";
import * as ir from "../../ir/build.ts";
import { s } from "../../ir/scalar.ts";
import { collect, need } from "../arguments.ts";
import { constant, expandDims, numbersOf, ones, rank, reshape, shape, size, zerosLike } from "./array.ts";
import { broadcastDynamicShape, broadcastTo, tile } from "./padding.ts";
import { booleanMask, whereV2 } from "./selection.ts";
import { concat, getItem, slice, stack } from "./slicing.ts";
import { Cast, cast } from "../math/cast.ts";
import { Equal, Less } from "../math/comparison.ts";
import { Maximum } from "../math/math.ts";
import { Max, Sum } from "../math/reduction.ts";
import { inNameScope, type NameOption } from "../named.ts";
import * as operator from "../operators.ts";

// ---- range ----

const rangeTypes = [
  "bfloat16",
  "float16",
  "float32",
  "float64",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint16",
  "uint32",
  "uint64",
] as const satisfies readonly DType[];

type Bounds = readonly [start: number, limit: number, delta: number] | readonly [start: bigint, limit: bigint, delta: bigint];

/** Six digits, as C++ prints floats. */
const shown = (bound: number | bigint): string => (typeof bound === "bigint" ? String(bound) : String(Number(bound.toPrecision(6))));

/** How many numbers a range has; integers of 64 bits are counted exactly. Throws what `fail` makes of the reason. */
function countOf([start, limit, delta]: Bounds, fail: (reason: string) => Error): number {
  if (Number(delta) === 0) throw fail("Requires delta != 0");
  if (delta > 0 && start > limit) throw fail(`Requires start <= limit when delta > 0: ${shown(start)}/${shown(limit)}`);
  if (delta < 0 && start < limit) throw fail(`Requires start >= limit when delta < 0: ${shown(start)}/${shown(limit)}`);
  if (typeof delta !== "bigint") return Math.ceil(Math.abs((Number(limit) - Number(start)) / delta));
  const [distance, step] = [BigInt(limit) - BigInt(start), delta].map(x => (delta < 0n ? -x : x));
  return Number((distance + step - 1n) / step);
}

function rangeOf(start: NDArray, limit: NDArray, delta: NDArray, dtype: DType, fail: (reason: string) => Error): NDArray {
  const [from, to, by] = [start, limit, delta].map(bound => Number(bound.item()));
  const isExact = isInteger(dtype) && dtype.endsWith("64");
  const count = countOf(isInteger(dtype) ? [BigInt(start.item()), BigInt(limit.item()), BigInt(delta.item())] : [from, to, by], fail);
  const result = NDArray.zeros(dtype, [count]);
  if (isExact) {
    const [first, step] = [start, delta].map(bound => BigInt(bound.item()));
    const numbers = result.data as BigInt64Array;
    for (let i = 0; i < count; i++) numbers[i] = first + BigInt(i) * step;
  } else if (dtype === "float16" || dtype === "bfloat16") {
    for (let i = 0; i < count; i++) result.set(i, from + i * by);
  } else {
    // One product and one sum per element, each rounded: no running sum.
    const numbers = result.data as Float64Array;
    if (dtype === "float32") for (let i = 0; i < count; i++) numbers[i] = Math.fround(from + Math.fround(i * by));
    else for (let i = 0; i < count; i++) numbers[i] = from + i * by;
  }
  return result;
}

export const Range = defineOp("Range", {
  inputs: { start: "Tidx", limit: "Tidx", delta: "Tidx" },
  outputs: { output: "Tidx" },
  attrs: { Tidx: attr.type(rangeTypes, "int32") },
  shape: ({ start, limit, delta }, context) => {
    for (const [name, bound] of Object.entries({ start, limit, delta }))
      if (bound.rank !== null && bound.rank !== 0) throw new ValueError(`Shape must be rank 0 but is rank ${bound.rank}\n\t for '${name}'`);
    const [from, to, by] = (["start", "limit", "delta"] as const).map(name => context.constant(name)?.item());
    if (from === undefined || to === undefined || by === undefined) return TensorShape.unknownOfRank(1);
    return new TensorShape([countOf([Number(from), Number(to), Number(by)], reason => new ValueError(reason))]);
  },
  isLenient: true,
  checks: bounds => {
    for (const name of ["start", "limit", "delta"] as const)
      need(
        bounds[name].length === 0 || (bounds[name].length === 1 && bounds[name][0] === 1),
        () => `${name} must be a scalar, not shape [${bounds[name]}]`,
      );
  },
  gradient: "none",
  compileTimeInputs: ["start", "limit", "delta"],
  partial: ({ start, limit, delta }) => {
    const [from, to, by] = [start?.values[0], limit?.values[0], delta?.values[0]];
    if (from === undefined || to === undefined || by === undefined || from === null || to === null || by === null || by === 0)
      return undefined;
    const count = Math.max(0, Math.ceil((to - from) / by));
    return count > 1024 ? undefined : { shape: [count], values: Array.from({ length: count }, (_, i) => from + i * by) };
  },
  staticValue: ({ start, limit, delta, Tidx }) => {
    const bounds = staticValues([start, limit, delta]);
    return bounds && rangeOf(bounds[0], bounds[1], bounds[2], Tidx, reason => new ValueError(reason));
  },
  lower: ({ start, limit, delta, Tidx }) => {
    if (Number(delta.item()) === 0) throw new InvalidArgumentError(`Requires delta != 0: ${delta.item()}`);
    return ir.constant(rangeOf(start, limit, delta, Tidx, reason => new InvalidArgumentError(reason)));
  },
});

interface RangeOptions extends Named {
  readonly limit?: TensorLike | null;
  readonly delta?: TensorLike;
  readonly dtype?: DType | null;
}

/** In order of rank: a range has the greatest type of its bounds. */
const rangeHierarchy: readonly DType[] = [
  "int8",
  "int16",
  "uint16",
  "int32",
  "uint32",
  "int64",
  "uint64",
  "float16",
  "bfloat16",
  "float32",
  "float64",
];

/** start, start + delta, … before limit; with one bound 0, 1, … before it. Whole JavaScript numbers are int32, others float32. TF: tf.range.
 *  @throws ValueError if delta leads away from the limit. */
export function range(start: TensorLike, limit?: TensorLike | null, delta?: TensorLike, options?: RangeOptions): Tensor;
export function range(start: TensorLike, options?: RangeOptions): Tensor;
export function range(start: TensorLike, ...rest: unknown[]): Tensor {
  const { limit, delta = 1, dtype, name } = collect<RangeOptions>(["limit", "delta", "dtype", "name"], rest);
  const [from, to] = limit === undefined || limit === null ? [0, start] : [start, limit];
  return inNameScope({ name }, "range", [from, to, delta], scope => {
    const isWhole = [from, to, delta].every(bound => typeof bound !== "number" || Number.isInteger(bound));
    const converted = (
      [
        ["start", from],
        ["limit", to],
        ["delta", delta],
      ] as const
    ).map(([label, bound]) =>
      convertToTensor(bound, {
        name: label,
        dtype: bound instanceof Tensor ? undefined : (dtype ?? (typeof bound === "number" ? (isWhole ? "int32" : "float32") : undefined)),
      }),
    );
    const greatest = converted.map(bound => bound.dtype).reduce((a, b) => (rangeHierarchy.indexOf(a) >= rangeHierarchy.indexOf(b) ? a : b));
    const [a, b, c] = converted.map(bound => cast(bound, dtype ?? greatest));
    return Range({ start: a, limit: b, delta: c }, scope);
  });
}

// ---- linspace ----

export const LinSpace = defineOp("LinSpace", {
  inputs: { start: "T", stop: "T", num: "Tidx" },
  outputs: { output: "T" },
  attrs: { T: attr.type(["bfloat16", "float16", "float32", "float64"]), Tidx: attr.type(attr.indexTypes, "int32") },
  shape: ({ start, stop }, context) => {
    start.withRank(0);
    stop.withRank(0);
    const count = context.partial("num")?.values[0] ?? null;
    if (count !== null && count <= 0) throw new ValueError(`Requires num > 0: ${count}`);
    return new TensorShape([count]);
  },
  gradient: "none",
  compileTimeInputs: ["num"],
  lower: ({ start, stop, num }) => {
    const [count] = numbersOf(num);
    if (count <= 0) throw new InvalidArgumentError(`Requires num > 0: ${count}`);
    const [from, to] = [s.load(start, []), s.load(stop, [])];
    const step = count > 1 ? s.div(s.sub(to, from), count - 1) : s.constant(start.dtype, 0);
    return ir.generate([count], ([i]) => {
      // Both ends are what was given, also where the step is infinite.
      const inner = s.guard([{ index: i, low: 1, high: count }], s.add(from, s.mul(step, s.cast(s.index(i), start.dtype))), from);
      return count > 1 ? s.guard([{ index: i, low: 0, high: count - 1 }], inner, to) : from;
    });
  },
});

/** `num` evenly spaced numbers from start to stop, both included; of tensors along a new axis. TF: tf.linspace(start, stop, num, name, axis). */
export function linspace(start: TensorLike, stop: TensorLike, num: TensorLike, ...rest: unknown[]): Tensor {
  const { name, axis = 0 } = collect<Named & { axis: number }>(["name", "axis"], rest);
  return inNameScope({ name }, "linspace", [start, stop], () => {
    const from = convertToTensor(start, { name: "start" });
    const to = convertToTensor(stop, { name: "stop", dtype: stop instanceof Tensor ? undefined : from.dtype });
    const wide = convertToTensor(num, { name: "num", preferredDtype: "int64" });
    if (!isInteger(wide.dtype))
      throw new TypeError(
        `Argument \`tensor\` (name: num) must be of type integer. Received \`tensor\` = ${wide} of dtype: <dtype: '${wide.dtype}'>`,
      );
    const count = cast(cast(wide, "int32"), "int32");
    const countAsFloat = cast(count, from.dtype);
    return linspaceBetween(from, to, count, countAsFloat, axis);
  });
}

/** The nodes TensorFlow makes: ends broadcast, steps between them, everything joined and cut to length. */
function linspaceBetween(from: Tensor, to: Tensor, count: Tensor, _: Tensor, givenAxis: number): Tensor {
  const common = broadcastDynamicShape(shape(from), shape(to));
  const [a, b] = [broadcastTo(from, common), broadcastTo(to, common)];
  const [first, last] = [expandDims(a, givenAxis), expandDims(b, givenAxis)];
  const dims = shape(first);
  const length = getItem(shape(dims), 0);
  const axis = whereV2(givenAxis >= 0, givenAxis, operator.add(length, givenAxis));
  const inside = Maximum({ x: operator.sub(count, 2), y: 0 });
  const steps = Maximum({ x: operator.sub(count, 1), y: 1 });
  const delta = operator.truediv(operator.sub(last, first), cast(steps, last.dtype));
  const end = whereV2(operator.greaterEqual(count, 0), steps, -1);
  const numbers = cast(range(1, end, 1, { dtype: "int64" }), delta.dtype);
  const mask = Equal({ x: axis, y: range(length) });
  const middle = operator.add(first, operator.mul(delta, reshape(numbers, whereV2(mask, inside, 1))));
  const joined = concat([first, middle, last], axis);
  const begin = zerosLike(dims);
  const sizes = concat([getItem(dims, [0, axis]), reshape(count, [1]), getItem(dims, [operator.add(axis, 1), null])], 0);
  return slice(joined, begin, sizes);
}

export const linSpace = linspace;

// ---- masks, grids, repetition ----

const allDimensions = (x: Tensor): Tensor =>
  x.shape.rank === null
    ? Range({ start: 0, limit: rank(x), delta: 1 })
    : constant(
        Array.from({ length: x.shape.rank }, (_, i) => i),
        "int32",
        [x.shape.rank],
      );

const asIntegers = (value: TensorLike): Tensor => convertToTensor(value, value instanceof Tensor ? {} : { preferredDtype: "int32" });

interface MaskOptions extends Named {
  readonly maxlen?: TensorLike | null;
  readonly dtype?: DType;
}

/** mask[…, j] = j < lengths[…], for j before maxlen (the greatest length). TF: tf.sequence_mask. @throws ValueError unless maxlen is a scalar. */
export function sequenceMask(lengths: TensorLike, maxlen?: TensorLike | null, options?: MaskOptions): Tensor;
export function sequenceMask(lengths: TensorLike, options?: MaskOptions): Tensor;
export function sequenceMask(lengths: TensorLike, ...rest: unknown[]): Tensor {
  const { maxlen, dtype = "bool", name } = collect<MaskOptions>(["maxlen", "dtype", "name"], rest);
  if (!isDType(dtype)) throw noDtype(dtype);
  return inNameScope({ name }, "SequenceMask", [lengths, maxlen], () => {
    const counts = asIntegers(lengths);
    let most: Tensor;
    if (maxlen === undefined || maxlen === null) {
      const greatest = Max({ input: counts, reductionIndices: allDimensions(counts) });
      most = Maximum({ x: constant(0, greatest.dtype), y: greatest });
    } else most = asIntegers(maxlen);
    if (most.shape.rank !== null && most.shape.rank !== 0)
      throw new ValueError(
        `Argument \`maxlen\` must be scalar for sequence_mask, received \`maxlen\` = ${most} with shape '${most.shape}' instead`,
      );
    const row = Range({ start: constant(0, most.dtype), limit: most, delta: constant(1, most.dtype) });
    // TensorFlow casts even where the type is the same.
    const column = Cast({ x: expandDims(counts, -1), DstT: most.dtype });
    const mask = Less({ x: row, y: column });
    return dtype === "bool" ? mask : Cast({ x: mask, DstT: dtype });
  });
}

interface MeshgridOptions extends Named {
  readonly indexing?: "xy" | "ij";
}

/** Coordinate tensors of a grid: one for each vector, all of the grid's shape. TF: tf.meshgrid. @throws ValueError for another indexing. */
export function meshgrid(...given: (TensorLike | MeshgridOptions)[]): Tensor[] {
  const last = given[given.length - 1];
  const hasOptions = typeof last === "object" && last !== null && Object.getPrototypeOf(last) === Object.prototype;
  const { indexing = "xy", name } = (hasOptions ? last : {}) as MeshgridOptions;
  const vectors = (hasOptions ? given.slice(0, -1) : given) as TensorLike[];
  if (indexing !== "xy" && indexing !== "ij")
    throw new ValueError(`Argument \`indexing\` parameter must be either 'xy' or 'ij', got '${pythonStr(indexing)}'`);
  return inNameScope({ name }, "meshgrid", vectors, () => {
    const count = vectors.length;
    const along = (k: number): number[] => Array.from({ length: count }, (_, axis) => (axis === k ? -1 : 1));
    const output = vectors.map((vector, k) => reshape(stack(vector as Tensor), along(k)));
    const sizes = vectors.map(vector => size(vector));
    if (indexing === "xy" && count > 1) {
      output[0] = reshape(output[0], along(1));
      output[1] = reshape(output[1], along(0));
      [sizes[0], sizes[1]] = [sizes[1], sizes[0]];
    }
    if (count === 0) return [];
    const grid = ones(sizes, convertToTensor(vectors[0]).dtype);
    return output.map(x => operator.mul(x, grid));
  });
}

interface RepeatOptions extends Named {
  readonly axis?: number | null;
}

/** Each element repeated along an axis (of the flattened tensor by default); `repeats` is one number or one for each. TF: tf.repeat. */
export function repeat(input: TensorLike, repeats: TensorLike, axis?: number | null, options?: NameOption): Tensor;
export function repeat(input: TensorLike, repeats: TensorLike, options?: RepeatOptions): Tensor;
export function repeat(input: TensorLike, repeats: TensorLike, ...rest: unknown[]): Tensor {
  const { axis, name } = collect<RepeatOptions>(["axis", "name"], rest);
  if ((axis !== undefined && axis !== null && !Number.isInteger(Number(axis))) || typeof axis === "object" || typeof axis === "string")
    throw new TypeError(`Argument \`axis\` must be an int. Received \`axis\` = ${pythonStr(axis)} of type ${pythonType(axis)}`);
  const flat = axis === undefined || axis === null ? reshape(input, [-1]) : input;
  return inNameScope({ name }, "Repeat", [flat, repeats], () => repeatAlong(convertToTensor(flat, { name: "data" }), repeats, axis ?? 0));
}

/** A scalar as a vector of one element, known to be one or not. */
function atLeastVector(data: Tensor): Tensor {
  if (data.shape.rank !== null) return data.shape.rank === 0 ? reshape(data, [-1]) : data;
  const dims = shape(data);
  return reshape(data, getItem(concat([[1], dims], 0), [operator.neg(rank(data)), null]));
}

function repeatAlong(given: Tensor, givenRepeats: TensorLike, givenAxis: number): Tensor {
  const repeats = convertToTensor(givenRepeats, { name: "repeats", preferredDtype: "int32" });
  if (!isInteger(repeats.dtype))
    throw new TypeError(
      `Argument \`tensor\` (name: repeats) must be of type integer. Received \`tensor\` = ${repeats} of dtype: <dtype: '${repeats.dtype}'>`,
    );
  const counts = Cast({ x: repeats, DstT: "int32" });
  repeats.shape.withRankAtMost(1);
  const data = atLeastVector(given);
  const length = data.shape.rank;
  if (length === null && givenAxis < 0) throw new ValueError(`axis=${givenAxis} may only be negative if rank(data) is statically known.`);
  const axis = givenAxis < 0 ? givenAxis + (length ?? 0) : givenAxis;
  const dims = shape(data);
  const tileAt = (x: Tensor, by: Tensor): Tensor => {
    const extent = x.shape.rank;
    if (extent === null) {
      const single = ones(rank(x), "int32");
      return tile(x, concat([getItem(single, [null, axis + 1]), [by], getItem(single, [axis + 2, null])], 0));
    }
    return tile(
      x,
      Array.from({ length: extent }, (_, k) => (k === axis + 1 ? by : 1)),
    );
  };
  if (counts.shape.size === 1) {
    const by = reshape(counts, []);
    const tiled = tileAt(expandDims(data, axis + 1), by);
    return reshape(
      tiled,
      concat([getItem(dims, [null, axis]), [operator.mul(by, getItem(dims, axis))], getItem(dims, [axis + 1, null])], 0),
    );
  }
  const perRow = broadcastTo(counts, [getItem(dims, axis)]);
  const largest = Max({ input: perRow, reductionIndices: allDimensions(perRow) });
  const most = Maximum({ x: convertToTensor(0, { name: "zero", dtype: "int32" }), y: largest });
  const perPosition = axis === 0 ? perRow : broadcastTo(perRow, getItem(dims, [null, axis + 1]));
  const mask = sequenceMask(perPosition, most);
  if (mask.shape.rank === null) mask.setShape(TensorShape.unknownOfRank(axis + 2));
  const masked = booleanMask(tileAt(expandDims(data, axis + 1), most), mask);
  if (axis === 0) return masked;
  const total = Sum({ input: perRow, reductionIndices: allDimensions(perRow) });
  return reshape(masked, concat([getItem(dims, [null, axis]), [total], getItem(dims, [axis + 1, null])], 0));
}
