// Contractions in which both operands move with the columns, summed over much for few results a column: filter gradients of depthwise
// convolutions. The results of a vector of columns (one a tap) stay in registers while a row of the reduced space passes by, so each operand
// is read from memory once, and not once a tap. Sums of a row are added to totals in memory: two levels round less than one.

import { sizeOf } from "../../base/shape.ts";
import { axisIndex, flattenIndex, type Index } from "../../ir/index-map.ts";
import type { Operand, Value } from "../../ir/program.ts";
import { storeCost } from "../../schedule/cost.ts";
import { least, plus, times } from "../arithmetic.ts";
import { type ContractKernel, isPlain, paddedOperands, type Padding } from "./plan.ts";
import { type Expr, f32x, i32, type Local } from "../language/language.ts";
import { isAffine, mergeAxes, scaleOf } from "../nest.ts";
import type { Phase, Recording } from "../phase.ts";
import { Addresses } from "../places.ts";
import type { Target } from "../target.ts";

/** Offsets, strides and places of taps in elements. */
export interface LanesPlan {
  readonly paddings: readonly Padding[];
  /** What taps move in, and the other operand. */
  readonly data: Value;
  readonly other: Value;
  readonly dataOffset: number;
  readonly otherOffset: number;
  readonly columns: number;
  readonly taps: readonly Tap[];
  readonly reduced: readonly Reduced[];
  /** Where totals are kept; undefined for the result itself. */
  readonly partial: Value | undefined;
}

interface Tap {
  readonly data: number;
  readonly out: number;
}

interface Reduced {
  readonly size: number;
  readonly data: number;
  readonly other: number;
  /** Along the axis, places that differ in the taps that are inside the data. */
  readonly runs: readonly Run[];
}

interface Run {
  readonly from: number;
  readonly to: number;
  /** Numbers of taps. */
  readonly inside: ReadonlySet<number>;
}

const bytes = 4;
const mostTaps = 64;
/** With fewer terms than this a window written out place by place is better. */
const fewestTerms = 64;
/** Registers that are not sums: an operand, a product, and what the engine needs. */
const otherRegisters = 5;
/** Terms of one sum before it is added to its total. */
const mostTerms = 256;
/** Columns of a unit of work: a line of the cache. */
const unitColumns = 16;
/** Where edges would make more code than this, with a product for each tap of each run, the data is copied with zeros around. */
const mostProducts = 400;

/** The plan, or undefined where the contraction is of another form. */
export function planLanes(kernel: ContractKernel, target: Target): LanesPlan | undefined {
  const { left, right } = kernel;
  if (left.source.dtype !== "float32" || sizeOf(kernel.shape) === 0 || sizeOf(kernel.over) < fewestTerms) return undefined;
  if (![...left.at, ...right.at].every(isAffine)) return undefined;
  const inPlace = planOf(kernel, { left, right, paddings: [] }, target);
  if (inPlace && productsOf(inPlace.reduced, range(inPlace.taps.length)) <= mostProducts) return inPlace;
  const padded = paddedOperands(kernel);
  return padded && padded.paddings.length > 0 ? planOf(kernel, padded, target) : undefined;
}

/** Multiply-adds in the code of axes inside of each other. */
const productsOf = ([axis, ...rest]: readonly Reduced[], some: readonly number[]): number =>
  axis === undefined
    ? some.length
    : axis.runs.reduce(
        (sum, { inside }) =>
          sum +
          productsOf(
            rest,
            some.filter(t => inside.has(t)),
          ),
        0,
      );

interface Operands {
  readonly left: Operand;
  readonly right: Operand;
  readonly paddings: readonly Padding[];
}

function planOf(kernel: ContractKernel, { left, right, paddings }: Operands, { lanes32 }: Target): LanesPlan | undefined {
  const { shape, over } = kernel;
  const operands = [left, right];
  const flats = operands.map(({ source, at }) => flattenIndex(at, source.shape));
  const out = flattenIndex(
    shape.map((size, axis) => axisIndex(axis, size)),
    shape,
  );
  // Indices that may lie outside keep their axes from being joined.
  const open = operands.map(({ source, at }) =>
    at.flatMap((index, axis) => (index.min < 0 || index.max >= source.shape[axis] ? [{ index, size: source.shape[axis] }] : [])),
  );
  const indices = open.flat().map(({ index }) => index);
  const { sizes, boundary, extra } = mergeAxes([...shape, ...over], [], [...flats, out, ...indices], shape.length);
  const column = boundary - 1;
  if (column < 0 || sizes[column] % lanes32 !== 0) return undefined;
  if (extra.some((flat, i) => scaleOf(flat, column) !== (i < 3 ? 1 : 0))) return undefined;
  const others = sizes.slice(0, column).map((_, axis) => axis);
  const count = sizeOf(sizes.slice(0, column));
  if (count > mostTaps) return undefined;
  const [data, other] = others.every(axis => scaleOf(extra[1], axis) === 0) ? [0, 1] : [1, 0];
  if (others.some(axis => scaleOf(extra[other], axis) !== 0 || scaleOf(extra[data], axis) === 0)) return undefined;
  if (open[other].length > 0) return undefined;
  const bounds = open[data].map(({ size }, i) => ({ index: extra[3 + i], size }));
  const places = others.reduce((all: number[][], axis) => all.flatMap(at => range(sizes[axis]).map(place => [...at, place])), [[]]);
  const at = (index: Index, tap: readonly number[]): number => tap.reduce((sum, place, axis) => sum + place * scaleOf(index, axis), 0);
  const moving = bounds.map(({ index }) => range(sizes.length).filter(axis => axis >= boundary && scaleOf(index, axis) !== 0));
  if (moving.some(axes => axes.length !== 1)) return undefined;
  const runsAlong = (axis: number): Run[] => {
    const runs: Run[] = [];
    const here = bounds.filter((_, i) => moving[i][0] === axis);
    for (let place = 0; place < (here.length === 0 ? 1 : sizes[axis]); place++) {
      const isInside = (tap: readonly number[]): boolean =>
        here.every(({ index, size }) => {
          const pixel = index.offset + place * scaleOf(index, axis) + at(index, tap);
          return pixel >= 0 && pixel < size;
        });
      const inside = new Set(places.flatMap((tap, t) => (isInside(tap) ? [t] : [])));
      const last = runs.at(-1);
      if (last && last.inside.size === inside.size && [...inside].every(t => last.inside.has(t)))
        runs[runs.length - 1] = { ...last, to: place + 1 };
      else runs.push({ from: place, to: place + 1, inside });
    }
    return here.length === 0 ? runs.map(run => ({ ...run, to: sizes[axis] })) : runs;
  };
  return {
    paddings,
    data: operands[data].source,
    other: operands[other].source,
    dataOffset: extra[data].offset,
    otherOffset: extra[other].offset,
    columns: sizes[column],
    taps: places.map(tap => ({ data: at(extra[data], tap), out: at(extra[2], tap) })),
    reduced: sizes.slice(boundary).map((size, i) => ({
      size,
      data: scaleOf(extra[data], boundary + i),
      other: scaleOf(extra[other], boundary + i),
      runs: runsAlong(boundary + i),
    })),
    partial: isPlain(kernel) ? undefined : { id: -4, shape, dtype: "float32" },
  };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The sums, into `totals`. Operands are padded. */
export function recordLanes(kernel: ContractKernel, plan: LanesPlan, totals: Value, { module, places, name }: Recording): Phase {
  const { data, other, columns, taps, reduced } = plan;
  const label = name("contract");
  const inner = reduced[reduced.length - 1];
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [data, other, totals]);
    // Where tap 0 would be; no tap outside of the data is read.
    const left = k.let(plus(addresses.number(addresses.of(data)), plan.dataOffset * bytes));
    const right = k.let(plus(addresses.number(addresses.of(other)), plan.otherOffset * bytes));
    const sums = k.let(addresses.number(addresses.of(totals)));
    const from = k.let(times(low, unitColumns * bytes));
    const to = k.let(times(least(times(high, unitColumns), columns), bytes));
    for (const tap of taps) k.fillBytes(plus(i32.add(sums, from), tap.out * bytes), 0, i32.sub(to, from));

    /** Sums of some taps over runs along the inner axis, the first beginning at a place of it. */
    const group = (some: readonly number[], at: Expr<"i32">, runs: readonly Run[], start: Expr<"i32">): void => {
      const kept = new Map(some.map(t => [t, k.vector("f32x", 0)]));
      for (const { from, to, inside } of runs) {
        const here = some.filter(t => inside.has(t));
        if (here.length === 0) continue;
        const lowest = Math.min(...here.map(t => taps[t].data));
        const along = plus(start, from - runs[0].from);
        const first = k.let(i32.add(i32.add(left, at), plus(times(along, inner.data * bytes), lowest * bytes)));
        const second = k.let(i32.add(i32.add(right, at), times(along, inner.other * bytes)));
        const step = (): void => {
          const factor = k.let(f32x.load(second, 0));
          for (const t of here) {
            const sum = kept.get(t) as Local<"vec">;
            k.set(sum, f32x.madd(f32x.load(first, (taps[t].data - lowest) * bytes), factor, sum));
          }
        };
        if (to - from === 1) step();
        else
          k.loop({ to: to - from }, () => {
            step();
            k.set(first, plus(first, inner.data * bytes));
            k.set(second, plus(second, inner.other * bytes));
          });
      }
      const total = k.let(i32.add(sums, at));
      for (const [t, sum] of kept) k.store(f32x, total, taps[t].out * bytes, f32x.add(f32x.load(total, taps[t].out * bytes), sum));
    };
    const groupsOf = (some: readonly number[]): number[][] => {
      const count = Math.ceil(some.length / (module.target.vectorRegisters - otherRegisters));
      const each = Math.ceil(some.length / count);
      return range(count).map(g => some.slice(g * each, (g + 1) * each));
    };
    const pass = (some: readonly number[], runs: readonly Run[], start: Expr<"i32">): void =>
      k.loop({ from, to, step: k.target.vectorBytes }, at => {
        for (const each of groupsOf(some)) group(each, at, runs, start);
      });
    /** All of the inner axis at once, or pieces of its runs. */
    const row = (some: readonly number[]): void => {
      if (inner.size <= mostTerms) return pass(some, inner.runs, i32.const(0));
      for (const run of inner.runs) {
        const here = some.filter(t => run.inside.has(t));
        const size = run.to - run.from;
        const terms = Math.ceil(size / Math.ceil(size / mostTerms));
        const whole = run.from + Math.floor(size / terms) * terms;
        if (here.length === 0) continue;
        k.loop({ from: run.from, to: whole, step: terms }, start => pass(here, [{ ...run, from: 0, to: terms }], start));
        if (whole < run.to) pass(here, [{ ...run, from: 0, to: run.to - whole }], i32.const(whole));
      }
    };
    const advance = ({ data, other }: Reduced, steps: number): void => {
      k.set(left, plus(left, data * steps * bytes));
      k.set(right, plus(right, other * steps * bytes));
    };
    const walk = (depth: number, some: readonly number[]): void => {
      if (depth === reduced.length - 1) return row(some);
      const axis = reduced[depth];
      for (const { from, to, inside } of axis.runs) {
        const here = some.filter(t => inside.has(t));
        if (here.length === 0) advance(axis, to - from);
        else
          k.loop({ to: to - from }, () => {
            walk(depth + 1, here);
            advance(axis, 1);
          });
      }
      advance(axis, -axis.size);
    };
    walk(0, range(taps.length));
  });
  const work = sizeOf(kernel.shape) * (sizeOf(kernel.over) + storeCost);
  return { name: label, function: ref, units: Math.ceil(columns / unitColumns), work };
}
