// Contractions in which both operands move with the columns, summed over much for few results a column: filter gradients of depthwise
// convolutions. The results of a vector of columns (one a tap) stay in registers while a row of the reduced space passes by, so each operand
// is read from memory once, and not once a tap. Sums of a row are added to totals in memory: two levels round less than one.

import { sizeOf } from "../../base/shape.ts";
import { axisIndex, flattenIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { storeCost } from "../../schedule/cost.ts";
import { least, plus, times } from "../arithmetic.ts";
import { type ContractKernel, isPlain, paddedOperands, type Padding } from "./plan.ts";
import { type Expr, f32x, i32 } from "../language/language.ts";
import { mergeAxes, scaleOf } from "../nest.ts";
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
  readonly taps: readonly { readonly data: number; readonly out: number }[];
  readonly reduced: readonly { readonly size: number; readonly data: number; readonly other: number }[];
  /** Where totals are kept; undefined for the result itself. */
  readonly partial: Value | undefined;
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

/** The plan, or undefined where the contraction is of another form. */
export function planLanes(kernel: ContractKernel, { lanes32 }: Target): LanesPlan | undefined {
  const { shape, over } = kernel;
  if (kernel.left.source.dtype !== "float32" || sizeOf(shape) === 0 || sizeOf(over) < fewestTerms) return undefined;
  const operands = paddedOperands(kernel);
  if (!operands) return undefined;
  const flats = [operands.left, operands.right].map(({ source, at }) => flattenIndex(at, source.shape));
  const out = flattenIndex(
    shape.map((size, axis) => axisIndex(axis, size)),
    shape,
  );
  const { sizes, boundary, extra } = mergeAxes([...shape, ...over], [], [...flats, out], shape.length);
  const column = boundary - 1;
  if (column < 0 || extra.some(flat => scaleOf(flat, column) !== 1) || sizes[column] % lanes32 !== 0) return undefined;
  const others = sizes.slice(0, column).map((_, axis) => axis);
  const count = sizeOf(sizes.slice(0, column));
  if (count > mostTaps) return undefined;
  const [data, other] = others.every(axis => scaleOf(extra[1], axis) === 0) ? [0, 1] : [1, 0];
  if (others.some(axis => scaleOf(extra[other], axis) !== 0 || scaleOf(extra[data], axis) === 0)) return undefined;
  const values = [operands.left.source, operands.right.source];
  return {
    paddings: operands.paddings,
    data: values[data],
    other: values[other],
    dataOffset: extra[data].offset,
    otherOffset: extra[other].offset,
    columns: sizes[column],
    taps: others.reduce(
      (taps: LanesPlan["taps"], axis) =>
        taps.flatMap(tap =>
          Array.from({ length: sizes[axis] }, (_, at) => ({
            data: tap.data + at * scaleOf(extra[data], axis),
            out: tap.out + at * scaleOf(extra[2], axis),
          })),
        ),
      [{ data: 0, out: 0 }],
    ),
    reduced: sizes.slice(boundary).map((size, i) => ({
      size,
      data: scaleOf(extra[data], boundary + i),
      other: scaleOf(extra[other], boundary + i),
    })),
    partial: isPlain(kernel) ? undefined : { id: -4, shape, dtype: "float32" },
  };
}

/** The sums, into `totals`. Operands are padded. */
export function recordLanes(kernel: ContractKernel, plan: LanesPlan, totals: Value, { module, places, name }: Recording): Phase {
  const { data, other, columns, taps, reduced } = plan;
  const label = name("contract");
  const lowest = Math.min(...taps.map(tap => tap.data));
  const groups = Math.ceil(taps.length / (module.target.vectorRegisters - otherRegisters));
  const perGroup = Math.ceil(taps.length / groups);
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [data, other, totals]);
    const left = k.let(plus(addresses.number(addresses.of(data)), (plan.dataOffset + lowest) * bytes));
    const right = k.let(plus(addresses.number(addresses.of(other)), plan.otherOffset * bytes));
    const sums = k.let(addresses.number(addresses.of(totals)));
    const from = k.let(times(low, unitColumns * bytes));
    const to = k.let(times(least(times(high, unitColumns), columns), bytes));
    for (const tap of taps) k.fillBytes(plus(i32.add(sums, from), tap.out * bytes), 0, i32.sub(to, from));

    const group = (some: LanesPlan["taps"], at: Expr<"i32">, terms: number): void => {
      const step = reduced[reduced.length - 1];
      const [first, second] = [k.let(i32.add(left, at)), k.let(i32.add(right, at))];
      const kept = some.map(() => k.vector("f32x", 0));
      k.loop({ to: terms }, () => {
        const factor = k.let(f32x.load(second, 0));
        for (const [t, tap] of some.entries()) k.set(kept[t], f32x.madd(f32x.load(first, (tap.data - lowest) * bytes), factor, kept[t]));
        k.set(first, plus(first, step.data * bytes));
        k.set(second, plus(second, step.other * bytes));
      });
      const total = k.let(i32.add(sums, at));
      for (const [t, tap] of some.entries()) k.store(f32x, total, tap.out * bytes, f32x.add(f32x.load(total, tap.out * bytes), kept[t]));
    };
    const advance = ({ data, other }: LanesPlan["reduced"][number], steps: number): void => {
      k.set(left, plus(left, data * steps * bytes));
      k.set(right, plus(right, other * steps * bytes));
    };
    const row = (terms: number): void => {
      k.loop({ from, to, step: k.target.vectorBytes }, at => {
        for (let g = 0; g < groups; g++) group(taps.slice(g * perGroup, (g + 1) * perGroup), at, terms);
      });
      advance(reduced[reduced.length - 1], terms);
    };
    const walk = (depth: number): void => {
      const axis = reduced[depth];
      if (depth === reduced.length - 1) {
        const terms = Math.ceil(axis.size / Math.ceil(axis.size / mostTerms));
        k.loop({ to: Math.floor(axis.size / terms) }, () => row(terms));
        if (axis.size % terms > 0) row(axis.size % terms);
      } else
        k.loop({ to: axis.size }, () => {
          walk(depth + 1);
          advance(reduced[depth + 1], -reduced[depth + 1].size);
          advance(axis, 1);
        });
    };
    walk(0);
  });
  const work = sizeOf(kernel.shape) * (sizeOf(kernel.over) + storeCost);
  return { name: label, function: ref, units: Math.ceil(columns / unitColumns), work };
}
