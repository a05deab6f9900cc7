// Reduce kernels. Small windows are unrolled and become maps; rows are combined by vectors along the reduced axis (reduce/rows.ts); columns keep
// a block of vectors in registers while they walk the reduced axes (reduce/columns.ts); what is left goes element by element.

import { sizeOf } from "../../base/shape.ts";
import type { DType } from "../../base/dtype.ts";
import { axisIndex, constantIndex, flattenIndex, unflattenIndex } from "../../ir/index-map.ts";
import type { Combine, Value } from "../../ir/program.ts";
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
} from "../../ir/scalar.ts";
import { evaluationCost, innerAxes, storeCost } from "../../schedule/cost.ts";
import type { Kernel } from "../../schedule/plan.ts";
import { Aliases } from "../../schedule/sources.ts";
import { SharedScalars } from "../../schedule/share.ts";
import { extreme, identityOf } from "../combine.ts";
import { scratchOffsets } from "../contract/plan.ts";
import { isHalf } from "../halves.ts";
import { hasVectorMath } from "../math/elementary.ts";
import { loopOver, unitsOf } from "../loops.ts";
import { recordMap, storeScalar, valuesOf } from "../map.ts";
import { mergeAxes } from "../nest.ts";
import type { Phase, Recording } from "../phase.ts";
import { Addresses, type ScratchPlace } from "../places.ts";
import { bestInRow } from "./best.ts";
import { columns, isColumns } from "./columns.ts";
import { foldRow, hasRowVectors } from "./rows.ts";
import { combineSlices, planSlices, slicedWork } from "./slices.ts";
import { bodiesOf, type CutWork, type Part, partsOf, type ReduceKernel, type Work } from "./work.ts";
import { castCode, type Point, scalarCode } from "../language/scalar-code.ts";
import { flatIndex, pace } from "../language/vector-code.ts";

/** Windows up to this many places, and expressions up to this many nodes after unrolling, become maps. An elementary function is a page of
 *  instructions wherever it is written. */
const mostUnrolled = 32;
const mostNodes = 600;
const nodesOfFunction = 20;

type ReductionsKernel = Extract<Kernel, { kind: "reductions" }>;

/** Where partial results have no place, nothing is cut into slices. */
export function recordReduce(
  kernel: ReduceKernel,
  recording: Recording,
  scratch: ScratchPlace | undefined = recording.scratchOf(kernel),
): Phase[] {
  return sizeOf(kernel.shape) === 0 ? [] : recordTogether([kernel], recording, scratch);
}

/** Records reductions in the same loops, or one after the other where their loops differ. */
export function recordReductions(kernel: ReductionsKernel, recording: Recording): Phase[] {
  const { alignment } = recording.module.target;
  const scratch = recording.scratchOf(kernel);
  let offset = 0;
  return loopsTogether(kernel.reductions).flatMap(together => {
    const place = scratch && { ...scratch, offsetBytes: scratch.offsetBytes + offset };
    for (const { bytes } of scratchOffsets(partialsOf(together), alignment)) offset += bytes;
    return recordTogether(together, recording, place);
  });
}

/** Kernels that share loops together, others alone. */
function loopsTogether(kernels: readonly ReduceKernel[]): (readonly ReduceKernel[])[] {
  const alone = kernels.map(kernel => [kernel]);
  if (kernels.every(isUnrolled)) return [kernels];
  if (kernels.some(kernel => kernel.combine.startsWith("arg") || isUnrolled(kernel))) return alone;
  const loops = mergedLoops(kernels);
  const parts = partsOf(loops);
  const isAll = (is: (part: Part) => boolean): boolean => parts.every(part => is(part) === is(parts[0]));
  const walksColumns = isAll(part => isColumns({ ...loops, ...part, siblings: [] }));
  return walksColumns && (isColumns(loops) || isAll(part => hasRowVectors(part, loops))) ? [kernels] : alone;
}

function recordTogether(kernels: readonly ReduceKernel[], recording: Recording, scratch: ScratchPlace | undefined): Phase[] {
  const [{ shape }] = kernels;
  if (kernels.every(isUnrolled)) return recordMap({ kind: "map", shape, stores: kernels.flatMap(unrolled) }, recording);
  const merged = mergedLoops(kernels);
  const slices = scratch && planSlices(merged, costOf(kernels));
  if (!(scratch && slices)) return [recordLoops(merged, unitsOf(merged.sizes), recording)];
  for (const { value, offset } of scratchOffsets(slices.partials, recording.module.target.alignment))
    recording.place(value, { ...scratch, offsetBytes: scratch.offsetBytes + offset });
  return [
    recordLoops(slicedWork(merged, slices), slices.count, recording),
    ...loopsTogether(combineSlices(kernels, slices)).flatMap(together => recordTogether(together, recording, undefined)),
  ];
}

/** Partial results that reductions want room for. */
export const partialsOf = (kernels: readonly ReduceKernel[]): readonly Value[] =>
  sizeOf(kernels[0].shape) === 0
    ? []
    : loopsTogether(kernels).flatMap(together =>
        together.every(isUnrolled) ? [] : (planSlices(mergedLoops(together), costOf(together))?.partials ?? []),
      );

const costOf = (kernels: readonly ReduceKernel[]): number => kernels.reduce((sum, kernel) => sum + costOfOne(kernel), 0);

function costOfOne({ shape, over, body, stores }: ReduceKernel): number {
  const epilogue = stores.reduce((sum, store) => sum + evaluationCost(store.body, innerAxes(shape)) + storeCost, 0);
  return sizeOf(shape) * (sizeOf(over) * (evaluationCost(body, innerAxes(shape, over)) + 1) + epilogue);
}

/** Are there so few places that they are written out, as a map? */
export const isUnrolled = (kernel: ReduceKernel): boolean => {
  const length = sizeOf(kernel.over);
  return length === 0 || isWindow(kernel, length);
};

/** Few places, and neighbours of the result read neighbours (or there is little to gain from walking rows). */
function isWindow({ shape, over, body, combine }: ReduceKernel, length: number): boolean {
  let nodes = 0;
  forEachScalar(body, node => {
    nodes += node.kind === "apply" && hasVectorMath(node.fn) ? nodesOfFunction : 1;
  });
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

function recordLoops(loops: Loops, units: number, recording: Recording): Phase {
  const { module, places } = recording;
  const name = recording.name("reduce");
  const parts = partsOf(loops);
  const ref = module.function(name, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const read = parts.flatMap(({ body }) => loadsOf(body).map(({ source }) => source));
    const addresses = new Addresses(k, places, [...parts.flatMap(valuesOf), ...read]);
    const isCut = loops.unitsPerSlice !== undefined;
    const work: CutWork = { ...loops, k, addresses, range: isCut ? { low, high, places: 1 } : { low, high } };
    if (isColumns(work)) columns(work);
    else rows(work, { range: work.range });
  });
  return { name, function: ref, units, work: costOf(parts.map(({ kernel }) => kernel)) };
}

type Loops = Omit<Work, "k" | "addresses">;

/** Reductions with the axes joined that they walk as one. */
export function mergedLoops(kernels: readonly ReduceKernel[]): Loops {
  const [{ shape, over }] = kernels;
  const rank = shape.length;
  const out = shape.map((size, axis) => axisIndex(axis, size));
  const flat = flattenIndex(out, shape);
  // Where in the reduced space: what argmax returns.
  const reduced = flattenIndex(
    over.map((size, axis) => axisIndex(rank + axis, size)),
    over,
  );
  const bodies = kernels.flatMap(({ body, stores }) => [body, ...stores.map(store => store.body)]);
  const merged = mergeAxes([...shape, ...over], bodies, [flat, reduced], rank);
  const left = [...merged.bodies];
  const [first, ...siblings] = kernels.map((kernel): Part => {
    const [body, ...epilogues] = left.splice(0, 1 + kernel.stores.length);
    return { kernel, body, stores: kernel.stores.map(({ out }, i) => ({ out, body: epilogues[i], flat: merged.extra[0] })) };
  });
  return {
    ...first,
    siblings,
    sizes: merged.sizes.slice(0, merged.boundary),
    overSizes: merged.sizes.slice(merged.boundary),
    reduced: merged.extra[1],
  };
}

/** Result by result, in the units of a range or from a point on. */
export function rows(work: Work, from: { readonly range?: CutWork["range"]; readonly outer?: Point }): void {
  const { k, addresses, sizes } = work;
  loopOver({ k, addresses, sizes, bodies: bodiesOf(partsOf(work)), ...from }, { scalar: point => row(work, point) });
}

/** One result of each. */
export function row(work: Work, point: Point): void {
  const { k } = work;
  const isBest = work.kernel.combine.startsWith("arg");
  const folded = isBest ? [] : foldRow(work, point);
  for (const [p, { kernel, body, stores }] of partsOf(work).entries()) {
    const accumulator = isBest ? bestInRow(work, point) : castCode(body.dtype, kernel.accumulator, folded[p], k);
    const after: Point = { ...point, memo: new Map(point.memo), accumulator };
    const values = stores.map(store => scalarCode(store.body, after));
    for (const [i, { out, flat }] of stores.entries()) storeScalar(out, flat, values[i], after);
  }
}
