// A reduction of a block of neighbouring results at a time: a few vectors of them stay in registers while the reduced axes are walked, so
// rows of memory are read as they lie. Long float sums are taken in two levels, as in reduce/rows.ts.

import { sizeOf } from "../../base/shape.ts";
import type { Fold, Scalar } from "../../ir/scalar.ts";
import { least, plus, times } from "../arithmetic.ts";
import { blockPoint } from "../block-point.ts";
import { identityOf, vectorFold } from "../combine.ts";
import { vectorKind } from "../element.ts";
import { type Expr, f32x, i32, i32x, type Local } from "../language/language.ts";
import { flatUnit, loopOver } from "../loops.ts";
import { storeScalar, storesLeaf } from "../map.ts";
import { scaleOf } from "../nest.ts";
import type { FunctionRecorder } from "../language/recorder.ts";
import { BestVectors, isVectorBest } from "./best.ts";
import { bodiesOf, type CutWork, hasStep, type Part, partsOf, sliceAt, type Work } from "./work.ts";
import { indexCode, type Point, scalarCode } from "../language/scalar-code.ts";
import { isVectorizable, vectorCode } from "../language/vector-code.ts";

/** Partial sums of this many terms are added up separately. */
const flushEvery = 256;
/** Vectors of neighbouring columns walked together; a best takes two registers. */
const columnVectors = 8;
const bestVectors = 4;

/** Are neighbouring results made of neighbouring elements? */
export function isColumns(work: Pick<Work, "sizes" | "siblings"> & Part): boolean {
  const { sizes, body } = work;
  const inner = sizes.length - 1;
  if (inner < 0 || body.dtype === "bool" || sizes[inner] < 4) return false;
  return isBest(work) ? isVectorBest(work, inner) : isVectorFold(work);
}

/** Can neighbouring results be folded as vectors? */
export function isVectorFold(work: Pick<Work, "sizes" | "siblings"> & Part): boolean {
  const inner = work.sizes.length - 1;
  return partsOf(work).every(({ body, stores }) => {
    if (body.dtype === "bool" || vectorKind(body.dtype) === undefined || !isVectorizable(body, inner) || !hasStep(body, inner))
      return false;
    return stores.every(
      store => isVectorizable(store.body, inner) && scaleOf(store.flat, inner) === 1 && vectorKind(store.out.dtype) !== undefined,
    );
  });
}

const isBest = ({ kernel }: Part): boolean => kernel.combine.startsWith("arg");

/** Records the whole reduction so. */
export function columns(work: CutWork): void {
  const { k, sizes, addresses, range } = work;
  const inner = sizes.length - 1;
  const size = sizes[inner];
  const width = k.target.lanes32;
  const outerSizes = sizes.slice(0, -1);
  const parts = partsOf(work);
  const bodies = bodiesOf(parts);
  const isFlat = outerSizes.length === 0;
  const all = (point: Point): void => {
    const most = isBest(work) ? bestVectors : Math.max(1, Math.floor(columnVectors / parts.length));
    const block = width * most;
    const first = isFlat ? k.let(times(range.low, flatUnit)) : i32.const(0);
    const last = isFlat ? k.let(least(times(range.high, flatUnit), size)) : i32.const(size);
    const whole = Math.floor(size / block) * block;
    if (whole > 0) k.loop({ from: first, to: least(last, whole), step: block }, counter => blockOf(work, point, counter, most, undefined));
    const rest = (): void => {
      let at = whole;
      const vectors = Math.floor((size - at) / width);
      if (vectors > 0) blockOf(work, point, k.number("i32", at), vectors, undefined);
      at += vectors * width;
      if (at < size) blockOf(work, point, k.number("i32", at), 1, size - at);
    };
    if (whole === size) return;
    if (isFlat) k.if(i32.eq(last, size), rest);
    else rest();
  };
  if (isFlat) loopOver({ k, addresses, sizes: [], bodies: [] }, { scalar: all });
  else loopOver({ k, addresses, sizes: outerSizes, bodies, range: { ...range, places: 1 } }, { scalar: all });
}

function blockOf(work: Work, point: Point, counter: Local<"i32">, vectors: number, part: number | undefined): void {
  if (isBest(work)) bestBlock(work, point, counter, vectors, part);
  else sumBlock(work, point, counter, vectors, part);
}

/** Bests and their positions; results are stored lane by lane, for they may be of 64 bits. */
function bestBlock(work: Work, point: Point, counter: Local<"i32">, vectors: number, part: number | undefined): void {
  const { k, sizes, overSizes, body, stores, reduced } = work;
  const inner = sizes.length - 1;
  const best = new BestVectors(work, vectors);
  const axes = [...point.axes];
  axes[inner] = counter;
  loopOver(
    { k, addresses: work.addresses, sizes: overSizes, bodies: [], outer: { ...point, axes }, firstAxis: sizes.length },
    {
      scalar: at => {
        const position = k.let(i32x.splat(indexCode(reduced, at)));
        for (let v = 0; v < vectors; v++) best.take(v, k.let(vectorAt(at, inner, v, part, k, body)), position);
      },
    },
  );
  const width = k.target.lanes32;
  for (let v = 0; v < vectors; v++)
    for (let lane = 0; lane < (part ?? width); lane++) {
      const laneAxes = [...axes];
      laneAxes[inner] = plus(counter, v * width + lane);
      const here: Point = { ...point, axes: laneAxes, memo: new Map(point.memo), accumulator: best.result(v, lane, k) };
      const values = stores.map(({ body: epilogue }) => scalarCode(epilogue, here));
      for (const [i, { out, flat }] of stores.entries()) storeScalar(out, flat, values[i], here);
    }
}

/** Sums (or other folds) of `vectors` vectors of neighbouring results from `counter` on. */
export function sumBlock(work: Work, point: Point, counter: Local<"i32">, vectors: number, part: number | undefined): void {
  const { k, sizes, overSizes, isAnySize = false } = work;
  const inner = sizes.length - 1;
  const folded = partsOf(work).map(({ kernel, body, stores }) => {
    const combine = kernel.combine as Fold;
    const lane = vectorKind(body.dtype) === "f32x" ? f32x : i32x;
    const identity = Number(identityOf(combine, body.dtype));
    const isLong = combine === "sum" && body.dtype === "float32" && (isAnySize || sizeOf(overSizes) > 4 * flushEvery);
    const sums = Array.from({ length: vectors }, () => k.vector(lane.name, identity));
    return { body, stores, fold: vectorFold(combine, lane.name), sums, totals: isLong ? sums.map(() => k.vector("f32x", 0)) : [] };
  });
  const long = folded.filter(({ totals }) => totals.length > 0);
  const steps = long.length > 0 ? k.number("i32") : undefined;
  const axes = [...point.axes];
  axes[inner] = counter;
  // The inner axis is fixed to this block, so the loops over r see it as an outer one.
  loopOver(
    {
      k,
      addresses: work.addresses,
      sizes: overSizes,
      bodies: [],
      range: sliceAt(work, point),
      outer: { ...point, axes },
      firstAxis: sizes.length,
    },
    {
      scalar: at => {
        for (let v = 0; v < vectors; v++) {
          const place = blockPoint(at, inner, v, part, k);
          for (const { body, fold, sums } of folded) k.set(sums[v], fold(sums[v], vectorCode(body, place) as Expr<"vec">));
        }
        if (steps) {
          k.set(steps, plus(steps, 1));
          k.if(i32.eqz(i32.and(steps, flushEvery - 1)), () => {
            for (const { sums, totals } of long)
              for (const [v, total] of totals.entries()) {
                k.set(total, f32x.add(total, sums[v]));
                k.set(sums[v], f32x.const(0));
              }
          });
        }
      },
    },
  );
  for (const { stores, sums, totals } of folded) {
    for (const [v, total] of totals.entries()) k.set(sums[v], f32x.add(total, sums[v]));
    const leaf = storesLeaf(stores, inner);
    for (let v = 0; v < vectors; v++) leaf.vector?.(blockPoint({ ...point, axes, accumulator: sums[v] }, inner, v, part, k), v);
  }
}

const vectorAt = (point: Point, inner: number, v: number, part: number | undefined, k: FunctionRecorder, body: Scalar): Expr<"vec"> =>
  vectorCode(body, blockPoint(point, inner, v, part, k)) as Expr<"vec">;
