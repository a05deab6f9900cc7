// Scatter kernels: base copied unless it is updated in place, then updates in row-major order, so the last assignment wins and sums are
// always taken in the same order. Whole rows are moved by vectors, and a unit is a block of their columns: whoever does it walks all updates.

import { sizeOf } from "../base/shape.ts";
import { axisIndex, flattenIndex, type Index } from "../ir/index-map.ts";
import type { ScatterCombine } from "../ir/program.ts";
import { applyScalar, loadScalar, loadsOf, type Scalar } from "../ir/scalar.ts";
import { evaluationCost, storeCost } from "../schedule/cost.ts";
import type { Kernel } from "../schedule/plan.ts";
import { least, plus, times } from "./arithmetic.ts";
import { dtypeBytes } from "../base/dtype.ts";
import { type Arg, type Expr, i32, i64 } from "./language/language.ts";
import { loopOver } from "./loops.ts";
import { storesLeaf } from "./map.ts";
import { axesOf } from "./nest.ts";
import type { Phase, Recording } from "./phase.ts";
import { Addresses } from "./places.ts";
import type { FunctionRecorder } from "./language/recorder.ts";
import { type Point, scalarCode } from "./language/scalar-code.ts";

type ScatterKernel = Extract<Kernel, { kind: "scatter" }>;

const functions: Record<Exclude<ScatterCombine, "assign">, "add" | "sub" | "mul" | "div" | "min" | "max"> = {
  add: "add",
  sub: "sub",
  mul: "mul",
  div: "div",
  min: "min",
  max: "max",
};

/** Columns of moved rows that are one unit, and bytes of the base. */
const unitColumns = 32;
const unitBytes = 1 << 16;

export function recordScatter(kernel: ScatterKernel, recording: Recording): Phase[] {
  const updates = recordUpdates(kernel, recording);
  return kernel.inPlace ? [updates] : [recordCopy(kernel, recording), updates];
}

function recordCopy({ out, base }: ScatterKernel, { module, places, name }: Recording): Phase {
  const label = name("copy");
  const bytes = sizeOf(out.shape) * dtypeBytes(out.dtype);
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [out, base]);
    const from = k.let(times(low, unitBytes));
    const count = i32.sub(least(times(high, unitBytes), bytes), from);
    k.copyBytes(plus(addresses.number(addresses.of(out)), from), plus(addresses.number(addresses.of(base)), from), count);
  });
  return { name: label, function: ref, units: Math.ceil(bytes / unitBytes), work: storeCost * sizeOf(out.shape) };
}

function recordUpdates(kernel: ScatterKernel, { module, places, name }: Recording): Phase {
  const label = name("scatter");
  const { over, at, body, out } = kernel;
  const rowAxis = movesRows(kernel) ? over.length - 1 : undefined;
  const units = rowAxis === undefined ? 1 : Math.ceil(over[rowAxis] / unitColumns);
  const isCut = units > 1;
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, (k, range) => {
    const reads = [...at, body].flatMap(scalar => loadsOf(scalar).map(({ source }) => source));
    const addresses = new Addresses(k, places, [out, ...reads]);
    const looped = rowAxis === undefined ? over : over.slice(0, rowAxis);
    const free = rowAxis === undefined ? at : at.slice(0, -1);
    const first = over.length;
    loopOver(
      { k, addresses, sizes: looped, bodies: rowAxis === undefined ? [...free, body] : [...free] },
      {
        scalar: point => {
          const positions = free.map(position => indexed(scalarCode(position, point), k));
          k.if(isWithin(positions, out.shape), () => {
            const axes = [...point.axes];
            positions.forEach((position, d) => void (axes[first + d] = position));
            const inside: Point = { ...point, axes, memo: new Map(point.memo) };
            const { flat, value } = updateOf(kernel, first, rowAxis);
            const leaf = storesLeaf([{ out, body: value, flat }], rowAxis ?? -1);
            if (rowAxis === undefined) leaf.scalar(inside);
            else {
              const columns = isCut ? { ...range, places: unitColumns } : undefined;
              loopOver({ k, addresses, sizes: [over[rowAxis]], bodies: [value], range: columns, outer: inside, firstAxis: rowAxis }, leaf);
            }
          });
        },
      },
    );
  });
  return { name: label, function: ref, units, work: sizeOf(over) * evaluationCost(body, []) };
}

/** The position of an update, and its new value; the position along axis d of `out` is the counter `first + d`, past the axes of the updates
 *  (of the last axis `rowAxis`, if that is given). */
export function updateOf({ out, combine, body }: ScatterKernel, first: number, rowAxis?: number): { flat: Index; value: Scalar } {
  const at = out.shape.map((size, d) =>
    rowAxis !== undefined && d === out.shape.length - 1 ? axisIndex(rowAxis, size) : counterIndex(first + d, size),
  );
  const value = combine === "assign" ? body : applyScalar(functions[combine], loadScalar(out, at), body);
  return { flat: flattenIndex(at, out.shape), value };
}

/** 1 if each position lies in [0, its limit). */
export const isWithin = (positions: readonly Expr<"i32">[], limits: readonly Arg<"i32">[]): Expr<"i32"> =>
  positions.reduce<Expr<"i32">>((all, position, d) => i32.and(all, i32.ltU(position, limits[d])), i32.const(1));

/** A position in a local. */
export const indexed = (position: Expr, k: FunctionRecorder): Expr<"i32"> => k.let(asI32(position));

/** A counter that keeps its atom even where the size is 1. */
const counterIndex = (axis: number, size: number): Index => ({
  terms: [{ atom: { kind: "axis", axis, size, key: `i${axis}` }, scale: 1 }],
  offset: 0,
  min: 0,
  max: Math.max(size - 1, 0),
});

const asI32 = (position: Expr): Expr<"i32"> => {
  if (position.type !== "i64") return position as Expr<"i32">;
  const value = position as Expr<"i64">;
  // Positions past 32 bits are outside whatever their low bits say.
  return i32.select(i64.ltU(value, 2n ** 31n), i32.fromI64(value), i32.const(-1));
};

/** The last position is the last axis itself, whole, and nothing else depends on it: rows move as they are. */
function movesRows({ over, at, out }: ScatterKernel): boolean {
  const rowAxis = over.length - 1;
  const last = at[at.length - 1];
  if (last === undefined || rowAxis < 0 || over[rowAxis] !== out.shape[out.shape.length - 1] || over[rowAxis] === 1) return false;
  if (last.kind !== "index" || last.index.offset !== 0 || last.index.terms.length !== 1) return false;
  const [{ atom, scale }] = last.index.terms;
  return atom.kind === "axis" && atom.axis === rowAxis && scale === 1 && at.slice(0, -1).every(position => !axesOf(position).has(rowAxis));
}
