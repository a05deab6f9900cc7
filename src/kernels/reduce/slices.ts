// Long reductions to a few results, which would be a unit of work or two: the reduced space in slices that threads can share, each with
// partial results of its own in scratch, combined in their order. How many slices there are follows from the kernel alone, so results are
// the same bits for every number of threads, one among them; sums in slices also round less.

import type { DType } from "../../base/dtype.ts";
import { dtypeBytes } from "../../base/dtype.ts";
import { sizeOf } from "../../base/shape.ts";
import { axisIndex, flattenIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { loadScalar, substitution } from "../../ir/scalar.ts";
import { unitsOf } from "../loops.ts";
import { type Part, partsOf, type ReduceKernel, type Work } from "./work.ts";

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
  /** Of each reduction the results of each slice, slice after slice. */
  readonly partials: readonly Value[];
}

type Loops = Omit<Work, "k" | "addresses">;

/** How to slice reductions that cost so much, or undefined where nothing is gained. */
export function planSlices(work: Loops, cost: number): Slices | undefined {
  const { sizes, overSizes } = work;
  const parts = partsOf(work);
  if (cost < leastWork || unitsOf(sizes) >= enoughUnits) return undefined;
  if (!parts.every(({ kernel, body }) => !kernel.combine.startsWith("arg") && exact.has(body.dtype))) return undefined;
  const units = unitsOf(overSizes);
  const wanted = Math.min(mostSlices, units, Math.floor(cost / leastSlice));
  if (wanted < 2) return undefined;
  const unitsEach = Math.ceil(units / wanted);
  const count = Math.ceil(units / unitsEach);
  const partials = parts.map(({ kernel, body }, p): Value => ({ id: -20 - p, dtype: body.dtype, shape: [count, ...kernel.shape] }));
  const bytes = partials.reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * dtypeBytes(dtype), 0);
  return bytes > mostPartialBytes ? undefined : { count, unitsEach, partials };
}

/** The partial results: the same loops inside one over slices, axis 0. */
export function slicedWork(work: Loops, { count, unitsEach, partials }: Slices): Loops {
  const { sizes, overSizes } = work;
  const moved = [...sizes, ...overSizes].map((size, axis) => axisIndex(axis + 1, size));
  const flat = flattenIndex([axisIndex(0, count), ...moved.slice(0, sizes.length)], [count, ...sizes]);
  const shifted = substitution(moved);
  const [first, ...siblings] = partsOf(work).map(
    ({ kernel, body }, p): Part => ({
      kernel: { ...kernel, accumulator: body.dtype },
      body: shifted(body),
      stores: [{ out: partials[p], body: { kind: "accumulator", dtype: body.dtype }, flat }],
    }),
  );
  return { ...work, ...first, siblings, sizes: [count, ...sizes], unitsPerSlice: unitsEach };
}

/** What combines the partial results of each. */
export const combineSlices = (kernels: readonly ReduceKernel[], { count, partials }: Slices): ReduceKernel[] =>
  kernels.map(({ shape, combine, accumulator, stores }, p) => {
    const slice = axisIndex(shape.length, count);
    const body = loadScalar(partials[p], [slice, ...shape.map((size, axis) => axisIndex(axis, size))]);
    return { kind: "reduce", shape, over: [count], combine, body, accumulator, stores };
  });
