// Reduce kernels. Small windows are unrolled and become maps; rows are combined by vectors along the reduced axis; columns keep a block of
// vectors in registers while they walk the reduced axes; what is left goes element by element. Long sums are taken in two levels, so that
// their rounding grows with the root of the length at most.

import { sizeOf } from "../base/shape.ts";
import type { DType } from "../base/dtype.ts";
import { axisIndex, constantIndex, flattenIndex, type Index, unflattenIndex } from "../ir/index-map.ts";
import type { Combine } from "../ir/program.ts";
import { applyScalar, castScalar, constantScalar, forEachScalar, loadsOf, type Scalar, substituteScalar } from "../ir/scalar.ts";
import type { Kernel } from "../schedule/plan.ts";
import { least, plus, times } from "./arithmetic.ts";
import { elementOf, vectorKind } from "./element.ts";
import { isHalf, roundToHalf } from "./halves.ts";
import { type Expr, f32x, i32, i32x, type Lane, lanes, type Local } from "./language.ts";
import { flatUnit, loopOver, unitsOf, visitOpen } from "./loops.ts";
import { recordMap, storeScalar, storesLeaf, valuesOf } from "./map.ts";
import { blockPoint } from "./block-point.ts";
import { mergeAxes, scaleOf } from "./nest.ts";
import type { Phase, Recording } from "./phase.ts";
import { Addresses } from "./places.ts";
import type { FunctionRecorder } from "./recorder.ts";
import { castCode, constantCode, type Point, scalarCode, wrapTo } from "./scalar-code.ts";
import { flatIndex, isVectorizable, pace, vectorCode, type VectorPoint } from "./vector-code.ts";

type ReduceKernel = Extract<Kernel, { kind: "reduce" }>;

/** Windows up to this many places, and expressions up to this many nodes after unrolling, become maps. */
const mostUnrolled = 32;
const mostNodes = 600;
/** Partial sums of this many terms are added up separately. */
const flushEvery = 256;
/** Vectors of neighbouring columns summed together. */
const columnVectors = 8;

export function recordReduce(kernel: ReduceKernel, recording: Recording): Phase[] {
  if (sizeOf(kernel.shape) === 0) return [];
  const length = sizeOf(kernel.over);
  if (length === 0 || isWindow(kernel, length)) return recordMap({ kind: "map", shape: kernel.shape, stores: unrolled(kernel) }, recording);
  return [recordLoops(kernel, recording)];
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

const folds: Record<Exclude<Combine, "argmax" | "argmin">, "add" | "mul" | "max" | "min" | "or" | "and"> = {
  sum: "add",
  prod: "mul",
  max: "max",
  min: "min",
  any: "or",
  all: "and",
};

/** What an empty reduction gives. */
export function identityOf(combine: Combine, dtype: DType): number | bigint {
  switch (combine) {
    case "sum":
    case "any":
    case "argmax":
    case "argmin":
      return 0;
    case "prod":
    case "all":
      return 1;
    default:
      return extreme(dtype, combine === "max" ? "lowest" : "highest");
  }
}

function extreme(dtype: DType, which: "lowest" | "highest"): number | bigint {
  const { isFloat, isUnsigned, bits, scalar } = elementOf(dtype);
  if (isFloat) return which === "lowest" ? -Infinity : Infinity;
  const high = isUnsigned ? 2n ** BigInt(bits) - 1n : 2n ** BigInt(bits - 1) - 1n;
  const low = isUnsigned ? 0n : -(2n ** BigInt(bits - 1));
  const value = which === "lowest" ? low : high;
  return scalar === "i64" ? value : Number(value);
}

/** The stores with the reduction written out place by place. */
function unrolled({ shape, over, combine, body, stores, accumulator }: ReduceKernel): ReduceKernel["stores"] {
  const length = sizeOf(over);
  const out = shape.map((size, axis) => axisIndex(axis, size));
  const wide = isHalf(body.dtype) ? castScalar(body, "float32") : body;
  const places = Array.from({ length }, (_, r) => substituteScalar(wide, [...out, ...unflattenIndex(constantIndex(r), over)]));
  const result = combine.startsWith("arg")
    ? bestOf(places, combine, accumulator)
    : castScalar(foldOf(places, combine as keyof typeof folds, wide.dtype), accumulator);
  return stores.map(({ out: value, body: epilogue }) => ({ out: value, body: substituteScalar(epilogue, out, load => load, result) }));
}

/** One after the other for a few, as TensorFlow's kernels add them; else a balanced tree: shorter chains and less rounding. */
function foldOf(places: readonly Scalar[], combine: keyof typeof folds, dtype: DType): Scalar {
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

function recordLoops(kernel: ReduceKernel, recording: Recording): Phase {
  const { module, places } = recording;
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
  const sizes = merged.sizes.slice(0, merged.boundary);
  const name = recording.name("reduce");
  const ref = module.function(name, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [...valuesOf(kernel), ...loadsOf(kernel.body).map(({ source }) => source)]);
    const work: Work = {
      kernel,
      k,
      addresses,
      sizes,
      overSizes: merged.sizes.slice(merged.boundary),
      body: merged.bodies[0],
      stores: stores.map((store, i) => ({ out: store.out, body: merged.bodies[i + 1], flat: merged.extra[0] })),
      reduced: merged.extra[1],
      range: { low, high },
    };
    if (isColumns(work)) columns(work);
    else rows(work);
  });
  return { name, function: ref, units: unitsOf(sizes) };
}

interface Work {
  readonly kernel: ReduceKernel;
  readonly k: FunctionRecorder;
  readonly addresses: Addresses;
  readonly sizes: readonly number[];
  readonly overSizes: readonly number[];
  readonly body: Scalar;
  readonly stores: readonly { readonly out: ReduceKernel["stores"][number]["out"]; readonly body: Scalar; readonly flat: Index }[];
  readonly reduced: Index;
  readonly range: { readonly low: Expr<"i32">; readonly high: Expr<"i32"> };
}

// ---- rows: one result at a time ----

function rows(work: Work): void {
  const { k, addresses, sizes, body, range, stores } = work;
  const epilogues = stores.map(store => store.body);
  loopOver(
    { k, addresses, sizes, bodies: [body, ...epilogues], range },
    {
      scalar: point => {
        const { combine, accumulator: type } = work.kernel;
        const accumulator = combine.startsWith("arg") ? bestInRow(work, point) : castCode(body.dtype, type, foldRow(work, point), k);
        const after: Point = { ...point, accumulator };
        const values = epilogues.map(epilogue => scalarCode(epilogue, after));
        for (const [i, { out, flat }] of stores.entries()) storeScalar(out, flat, values[i], after);
      },
    },
  );
}

function foldRow(work: Work, point: Point): Expr {
  const { k, body, overSizes, sizes } = work;
  const combine = work.kernel.combine as keyof typeof folds;
  const dtype = body.dtype;
  const fold = scalarFold(combine, dtype);
  const one = k.let(constantCode(dtype, identityOf(combine, dtype))) as Local<"i32">;
  const inner = sizes.length + overSizes.length - 1;
  const many = overSizes.length > 0 && isVectorizable(body, inner) && hasStep(body, inner);
  const lane = vectorKind(dtype) === "f32x" ? f32x : i32x;
  const isMask = dtype === "bool";
  const vector = many ? k.vector(lane.name, Number(identityOf(combine, dtype))) : undefined;
  const isLong = combine === "sum" && dtype === "float32" && sizeOf(overSizes) > 4 * flushEvery;
  const total = isLong ? k.let(f32x.const(0)) : undefined;
  const steps = isLong ? k.number("i32") : undefined;
  loopOver(
    { k, addresses: work.addresses, sizes: overSizes, bodies: [body], outer: point, firstAxis: sizes.length },
    {
      scalar: at => k.set(one, fold(one, scalarCode(body, at)) as Expr<"i32">),
      ...(vector && {
        vector: (at: VectorPoint) => {
          const value = isMask
            ? i32x.select(vectorCode(body, at) as Expr<"mask32">, i32x.const(1), i32x.const(0))
            : (vectorCode(body, at) as Expr<"vec">);
          if (at.part !== undefined) {
            const pinned = k.let(value);
            for (let i = 0; i < at.part; i++) k.set(one, fold(one, (lane as Lane<"i32x">).extract(pinned, i)) as Expr<"i32">);
            return;
          }
          k.set(vector, vectorFold(combine, lane.name)(vector, value));
          if (total && steps) {
            k.set(steps, plus(steps, 1));
            k.if(i32.eqz(i32.and(steps, flushEvery - 1)), () => {
              k.set(total, f32x.add(total, vector));
              k.set(vector, f32x.const(0));
            });
          }
        },
      }),
    },
  );
  // Sums and products of narrow integers were taken in 32 bits, those of halves in float32.
  if (!vector) return isHalf(dtype) ? roundToHalf(dtype, one as Expr as Expr<"f32">, k) : wrapTo(dtype, one);
  const all = total ? k.let(f32x.add(total, vector)) : vector;
  for (let i = 0; i < k.target.lanes32; i++) k.set(one, fold(one, (lane as Lane<"i32x">).extract(all, i)) as Expr<"i32">);
  return one;
}

/** At least one load moves with the axis, so that vectors pay. */
function hasStep(body: Scalar, inner: number): boolean {
  let steps = false;
  let gathers = false;
  visitOpen([body], node => {
    if (node.kind !== "load") return;
    const how = pace(flatIndex(node), inner);
    steps ||= how === "step";
    gathers ||= how === "gather";
  });
  return steps && !gathers;
}

function bestInRow(work: Work, point: Point): Expr {
  const { k, body, overSizes, sizes, kernel, reduced } = work;
  const wins = kernel.combine === "argmax" ? "gt" : "lt";
  const best = k.let(constantCode(body.dtype, extreme(body.dtype, kernel.combine === "argmax" ? "lowest" : "highest"))) as Local<"i32">;
  const index = k.number("i32");
  const { scalar, isUnsigned, isFloat } = elementOf(body.dtype);
  const L = lanes[scalar] as Lane<"i32">;
  loopOver(
    {
      k,
      addresses: work.addresses,
      sizes: overSizes,
      bodies: [body, { kind: "index", dtype: "int32", index: reduced }],
      outer: point,
      firstAxis: sizes.length,
    },
    {
      scalar: at => {
        const value = scalarCode(body, at) as Expr<"i32">;
        const isBetter = isUnsigned && !isFloat ? L[`${wins}U`](value, best) : L[wins](value, best);
        k.if(isBetter, () => {
          k.set(best, value);
          k.set(index, scalarCode({ kind: "index", dtype: "int32", index: reduced }, { ...at, memo: new Map(at.memo) }) as Expr<"i32">);
        });
      },
    },
  );
  return kernel.accumulator === "int64" ? (lanes.i64 as Lane<"i64">).fromI32(index) : index;
}

type Fold = (a: Expr, b: Expr) => Expr;

/** One step of a reduction of scalars. */
export function scalarFold(combine: keyof typeof folds, dtype: DType): Fold {
  const { scalar, isUnsigned, isFloat } = elementOf(dtype);
  const L = lanes[scalar] as object as Record<string, (...args: Expr[]) => Expr>;
  const fn = folds[combine];
  if (isFloat || (fn !== "max" && fn !== "min")) return (a, b) => L[fn](a, b);
  const test = `${fn === "max" ? "gt" : "lt"}${isUnsigned ? "U" : ""}`;
  return (a, b) => L.select(L[test](a, b), a, b);
}

const vectorFold = (combine: keyof typeof folds, lane: "f32x" | "i32x"): ((a: Expr<"vec">, b: Expr<"vec">) => Expr<"vec">) => {
  const L = lanes[lane] as object as Record<string, (a: Expr<"vec">, b: Expr<"vec">) => Expr<"vec">>;
  return (a, b) => L[folds[combine]](a, b);
};

// ---- columns: a block of neighbouring results at a time ----

function isColumns({ kernel, sizes, body, stores }: Work): boolean {
  const inner = sizes.length - 1;
  if (inner < 0 || kernel.combine.startsWith("arg") || body.dtype === "bool" || sizes[inner] < 4) return false;
  if (vectorKind(body.dtype) === undefined || !isVectorizable(body, inner) || !hasStep(body, inner)) return false;
  return stores.every(
    store => isVectorizable(store.body, inner) && scaleOf(store.flat, inner) === 1 && vectorKind(store.out.dtype) !== undefined,
  );
}

function columns(work: Work): void {
  const { k, sizes, addresses, body, stores, range } = work;
  const inner = sizes.length - 1;
  const size = sizes[inner];
  const width = k.target.lanes32;
  const outerSizes = sizes.slice(0, -1);
  const bodies = [body, ...stores.map(store => store.body)];
  const isFlat = outerSizes.length === 0;
  const all = (point: Point): void => {
    const block = width * columnVectors;
    const first = isFlat ? k.let(times(range.low, flatUnit)) : i32.const(0);
    const last = isFlat ? k.let(least(times(range.high, flatUnit), size)) : i32.const(size);
    const whole = Math.floor(size / block) * block;
    if (whole > 0)
      k.loop({ from: first, to: least(last, whole), step: block }, counter => columnBlock(work, point, counter, columnVectors, undefined));
    const rest = (): void => {
      let at = whole;
      const vectors = Math.floor((size - at) / width);
      if (vectors > 0) columnBlock(work, point, k.number("i32", at), vectors, undefined);
      at += vectors * width;
      if (at < size) columnBlock(work, point, k.number("i32", at), 1, size - at);
    };
    if (whole === size) return;
    if (isFlat) k.if(i32.eq(last, size), rest);
    else rest();
  };
  if (isFlat) loopOver({ k, addresses, sizes: [], bodies: [] }, { scalar: all });
  else loopOver({ k, addresses, sizes: outerSizes, bodies, range }, { scalar: all });
}

function columnBlock(work: Work, point: Point, counter: Local<"i32">, vectors: number, part: number | undefined): void {
  const { k, sizes, overSizes, body, stores } = work;
  const inner = sizes.length - 1;
  const combine = work.kernel.combine as keyof typeof folds;
  const lane = vectorKind(body.dtype) === "f32x" ? f32x : i32x;
  const identity = Number(identityOf(combine, body.dtype));
  const isLong = combine === "sum" && body.dtype === "float32" && sizeOf(overSizes) > 4 * flushEvery;
  const sums = Array.from({ length: vectors }, () => k.vector(lane.name, identity));
  const totals = isLong ? sums.map(() => k.vector("f32x", 0)) : [];
  const steps = isLong ? k.number("i32") : undefined;
  const fold = vectorFold(combine, lane.name);
  const axes = [...point.axes];
  axes[inner] = counter;
  // The inner axis is fixed to this block, so the loops over r see it as an outer one.
  loopOver(
    { k, addresses: work.addresses, sizes: overSizes, bodies: [], outer: { ...point, axes }, firstAxis: sizes.length },
    {
      scalar: at => {
        for (let v = 0; v < vectors; v++) k.set(sums[v], fold(sums[v], vectorAt(at, inner, v, part, k, body)));
        if (steps) {
          k.set(steps, plus(steps, 1));
          k.if(i32.eqz(i32.and(steps, flushEvery - 1)), () => {
            totals.forEach((total, v) => {
              k.set(total, f32x.add(total, sums[v]));
              k.set(sums[v], f32x.const(0));
            });
          });
        }
      },
    },
  );
  for (const [v, total] of totals.entries()) k.set(sums[v], f32x.add(total, sums[v]));
  const leaf = storesLeaf(
    stores.map(({ out, body: epilogue, flat }) => ({ out, body: epilogue, flat })),
    inner,
  );
  for (let v = 0; v < vectors; v++) leaf.vector?.(blockPoint({ ...point, axes, accumulator: sums[v] }, inner, v, part, k));
}

const vectorAt = (point: Point, inner: number, v: number, part: number | undefined, k: FunctionRecorder, body: Scalar): Expr<"vec"> =>
  vectorCode(body, blockPoint(point, inner, v, part, k)) as Expr<"vec">;
