// Long reductions to a few results, which would be a unit of work or two: the reduced space in slices that threads can share, each with
// partial results of its own in scratch, combined in their order. How many slices there are follows from the kernel alone, so results are
// the same bits for every number of threads, one among them; sums in slices also round less.

import type { DType } from "../base/dtype.ts";
import { dtypeBytes } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import { axisIndex, flattenIndex } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import { loadScalar, substituteScalar } from "../ir/scalar.ts";
import { unitsOf } from "./loops.ts";
import type { ReduceKernel, Work } from "./reduce-work.ts";

/** A reduction with as many units needs no slices. */
const enoughUnits = 8;
const mostSlices = 32;
/** Work worth slicing, and of a slice at least, as schedule/cost.ts counts. */
const leastWork = 300_000;
const leastSlice = 60_000;
const mostPartialBytes = 1 << 20;

/** Types whose partial results are stored as they are combined. */
const exact: ReadonlySet<DType> = new Set(["float32", "float64", "int32", "int64", "uint32", "uint64"]);

export interface Slices {
  readonly count: number;
  /** Units of the reduced space in each slice; the last may have fewer. */
  readonly unitsEach: number;
  /** Results of each slice, slice after slice. */
  readonly partial: Value;
}

/** How to slice a reduction that costs so much, or undefined where nothing is gained. */
export function planSlices(
  kernel: ReduceKernel,
  { sizes, overSizes, body }: Pick<Work, "sizes" | "overSizes" | "body">,
  cost: number,
): Slices | undefined {
  if (cost < leastWork) return undefined;
  if (kernel.combine.startsWith("arg") || !exact.has(body.dtype) || unitsOf(sizes) >= enoughUnits) return undefined;
  const units = unitsOf(overSizes);
  const wanted = Math.min(mostSlices, units, Math.floor(cost / leastSlice));
  if (wanted < 2) return undefined;
  const unitsEach = Math.ceil(units / wanted);
  const count = Math.ceil(units / unitsEach);
  const partial: Value = { id: -20, dtype: body.dtype, shape: [count, ...kernel.shape] };
  return sizeOf(partial.shape) * dtypeBytes(body.dtype) > mostPartialBytes ? undefined : { count, unitsEach, partial };
}

/** The partial results: the same loops inside one over slices, axis 0. */
export function slicedWork(work: Omit<Work, "k" | "addresses">, { count, unitsEach, partial }: Slices): Omit<Work, "k" | "addresses"> {
  const { kernel, sizes, overSizes, body } = work;
  const moved = [...sizes, ...overSizes].map((size, axis) => axisIndex(axis + 1, size));
  const flat = flattenIndex([axisIndex(0, count), ...moved.slice(0, sizes.length)], [count, ...sizes]);
  return {
    ...work,
    kernel: { ...kernel, accumulator: body.dtype },
    sizes: [count, ...sizes],
    body: substituteScalar(body, moved),
    stores: [{ out: partial, body: { kind: "accumulator", dtype: body.dtype }, flat }],
    unitsPerSlice: unitsEach,
  };
}

/** What combines partial results. */
export function combineSlices({ shape, combine, accumulator, stores }: ReduceKernel, { count, partial }: Slices): ReduceKernel {
  const slice = axisIndex(shape.length, count);
  const body = loadScalar(partial, [slice, ...shape.map((size, axis) => axisIndex(axis, size))]);
  return { kind: "reduce", shape, over: [count], combine, body, accumulator, stores };
}
