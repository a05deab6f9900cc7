// Reduce kernels. Small windows are unrolled and become maps; rows are combined by vectors along the reduced axis (reduce-rows.ts); columns keep
// a block of vectors in registers while they walk the reduced axes (reduce-columns.ts); what is left goes element by element.

import { sizeOf } from "../base/shape.ts";
import type { DType } from "../base/dtype.ts";
import { axisIndex, constantIndex, flattenIndex, unflattenIndex } from "../ir/index-map.ts";
import type { Combine, Value } from "../ir/program.ts";
import {
  applyScalar,
  castScalar,
  constantScalar,
  type Fold,
  folds,
  forEachScalar,
  loadsOf,
  type Scalar,
  substituteScalar,
  substitution,
} from "../ir/scalar.ts";
import { evaluationCost, innerAxes, storeCost } from "../schedule/cost.ts";
import { Aliases } from "../schedule/sources.ts";
import { SharedScalars } from "../schedule/share.ts";
import { extreme, identityOf } from "./combine.ts";
import { isHalf } from "./halves.ts";
import { loopOver, unitsOf } from "./loops.ts";
import { recordMap, storeScalar, valuesOf } from "./map.ts";
import { mergeAxes } from "./nest.ts";
import type { Phase, Recording } from "./phase.ts";
import { Addresses, type CodePlace } from "./places.ts";
import { bestInRow } from "./reduce-best.ts";
import { columns, isColumns } from "./reduce-columns.ts";
import { foldRow } from "./reduce-rows.ts";
import { combineSlices, planSlices, slicedWork } from "./reduce-slices.ts";
import type { CutWork, ReduceKernel, Work } from "./reduce-work.ts";
import { castCode, type Point, scalarCode } from "./scalar-code.ts";
import { flatIndex, pace } from "./vector-code.ts";

/** Windows up to this many places, and expressions up to this many nodes after unrolling, become maps. */
const mostUnrolled = 32;
const mostNodes = 600;

/** Where partial results have no place, nothing is cut into slices. */
export function recordReduce(
  kernel: ReduceKernel,
  recording: Recording,
  scratch: CodePlace | undefined = recording.scratchOf(kernel),
): Phase[] {
  if (sizeOf(kernel.shape) === 0) return [];
  const length = sizeOf(kernel.over);
  if (length === 0 || isWindow(kernel, length)) return recordMap({ kind: "map", shape: kernel.shape, stores: unrolled(kernel) }, recording);
  const merged = mergedLoops(kernel);
  const slices = scratch && planSlices(kernel, merged, costOf(kernel));
  if (!(scratch && slices)) return [recordLoops(kernel, merged, unitsOf(merged.sizes), recording)];
  recording.place(slices.partial, scratch);
  return [
    recordLoops(kernel, slicedWork(merged, slices), slices.count, recording),
    ...recordReduce(combineSlices(kernel, slices), recording),
  ];
}

/** Partial results that a reduction wants room for. */
export function partialOf(kernel: ReduceKernel): Value | undefined {
  const length = sizeOf(kernel.over);
  if (sizeOf(kernel.shape) === 0 || length === 0 || isWindow(kernel, length)) return undefined;
  return planSlices(kernel, mergedLoops(kernel), costOf(kernel))?.partial;
}

function costOf({ shape, over, body, stores }: ReduceKernel): number {
  const epilogue = stores.reduce((sum, store) => sum + evaluationCost(store.body, innerAxes(shape)) + storeCost, 0);
  return sizeOf(shape) * (sizeOf(over) * (evaluationCost(body, innerAxes(shape, over)) + 1) + epilogue);
}

/** Few places, and neighbours of the result read neighbours (or there is little to gain from walking rows). */
function isWindow({ shape, over, body, combine }: ReduceKernel, length: number): boolean {
  let nodes = 0;
  forEachScalar(body, () => nodes++);
  if (length > mostUnrolled || nodes * length > mostNodes) return false;
  if (combine.startsWith("arg") && length > 16) return false;
  const rows = sizeOf(over) > 4 && loadsOf(body).every(load => pace(flatIndex(load), shape.length + over.length - 1) === "step");
  return !rows || sizeOf(shape) === 1;
}

/** The stores with the reduction written out place by place. */
export function unrolled({ shape, over, combine, body, stores, accumulator }: ReduceKernel): ReduceKernel["stores"] {
  const length = sizeOf(over);
  const out = shape.map((size, axis) => axisIndex(axis, size));
  const wide = isHalf(body.dtype) ? castScalar(body, "float32") : body;
  const places = Array.from({ length }, (_, r) => substituteScalar(wide, [...out, ...unflattenIndex(constantIndex(r), over)]));
  const result = combine.startsWith("arg")
    ? bestOf(places, combine, accumulator)
    : castScalar(foldOf(places, combine as Fold, wide.dtype), accumulator);
  // Windows overlap, and stores have much in common: what is equal is computed once.
  const shared = new SharedScalars(shape, new Aliases());
  const finish = substitution(out, load => load, result);
  return stores.map(({ out: value, body: epilogue }) => ({ out: value, body: shared.share(finish(epilogue)) }));
}

/** One after the other for a few, as TensorFlow's kernels add them; else a balanced tree: shorter chains and less rounding. */
function foldOf(places: readonly Scalar[], combine: Fold, dtype: DType): Scalar {
  if (places.length === 0) return constantScalar(dtype, identityOf(combine, dtype));
  if (places.length === 1) return places[0];
  const half = places.length <= 8 ? places.length - 1 : places.length >> 1;
  return applyScalar(folds[combine], foldOf(places.slice(0, half), combine, dtype), foldOf(places.slice(half), combine, dtype));
}

function bestOf(places: readonly Scalar[], combine: Combine, dtype: DType): Scalar {
  let index: Scalar = constantScalar("int32", 0);
  if (places.length === 0) return castScalar(index, dtype);
  const type = places[0].dtype;
  let best: Scalar = constantScalar(type, extreme(type, combine === "argmax" ? "lowest" : "highest"));
  places.forEach((place, r) => {
    const wins = applyScalar(combine === "argmax" ? "gt" : "lt", place, best);
    index = applyScalar("select", wins, constantScalar("int32", r), index);
    best = applyScalar("select", wins, place, best);
  });
  return castScalar(index, dtype);
}

function recordLoops(kernel: ReduceKernel, loops: Loops, units: number, recording: Recording): Phase {
  const { module, places } = recording;
  const name = recording.name("reduce");
  const { body, stores } = loops;
  const ref = module.function(name, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [...valuesOf({ stores }), ...loadsOf(body).map(({ source }) => source)]);
    const isCut = loops.unitsPerSlice !== undefined;
    const work: CutWork = { ...loops, k, addresses, range: isCut ? { low, high, places: 1 } : { low, high } };
    if (isColumns(work)) columns(work);
    else rows(work, { range: work.range });
  });
  return { name, function: ref, units, work: costOf(kernel) };
}

type Loops = Omit<Work, "k" | "addresses">;

/** A reduction with the axes joined that it walks as one. */
export function mergedLoops(kernel: ReduceKernel): Loops {
  const { shape, over, stores } = kernel;
  const rank = shape.length;
  const out = shape.map((size, axis) => axisIndex(axis, size));
  const flat = flattenIndex(out, shape);
  // Where in the reduced space: what argmax returns.
  const reduced = flattenIndex(
    over.map((size, axis) => axisIndex(rank + axis, size)),
    over,
  );
  const merged = mergeAxes([...shape, ...over], [kernel.body, ...stores.map(({ body }) => body)], [flat, reduced], rank);
  return {
    kernel,
    sizes: merged.sizes.slice(0, merged.boundary),
    overSizes: merged.sizes.slice(merged.boundary),
    body: merged.bodies[0],
    stores: stores.map((store, i) => ({ out: store.out, body: merged.bodies[i + 1], flat: merged.extra[0] })),
    reduced: merged.extra[1],
  };
}

/** Result by result, in the units of a range or from a point on. */
export function rows(work: Work, from: { readonly range?: CutWork["range"]; readonly outer?: Point }): void {
  const { k, addresses, sizes, body, stores } = work;
  const epilogues = stores.map(store => store.body);
  loopOver({ k, addresses, sizes, bodies: [body, ...epilogues], ...from }, { scalar: point => row(work, point) });
}

/** One result. */
export function row(work: Work, point: Point): void {
  const { k, body, stores } = work;
  const { combine, accumulator: type } = work.kernel;
  const accumulator = combine.startsWith("arg") ? bestInRow(work, point) : castCode(body.dtype, type, foldRow(work, point), k);
  const after: Point = { ...point, accumulator };
  const values = stores.map(store => scalarCode(store.body, after));
  for (const [i, { out, flat }] of stores.entries()) storeScalar(out, flat, values[i], after);
}
