// Products of matrices in double precision: a tile of rows × columns stays in registers while the operands are read where they lie. No copies
// and no blocks, for such products are rarely large.

import { sizeOf } from "../../base/shape.ts";
import type { Value } from "../../ir/program.ts";
import { storeCost } from "../../schedule/cost.ts";
import { plus, times } from "../arithmetic.ts";
import { type Axis, type ContractForm, type ContractKernel, formOf, isPlain } from "./plan.ts";
import { type Expr, f64, f64x, i32, type Local } from "../language/language.ts";
import type { Phase, Recording } from "../phase.ts";
import { Addresses } from "../places.ts";
import type { FunctionRecorder } from "../language/recorder.ts";

export interface DoublePlan extends ContractForm {
  /** Where sums are kept; undefined for the result itself. */
  readonly partial: Value | undefined;
}

const bytes = 8;
const mostRows = 4;
const mostVectors = 2;

/** The plan, or undefined where columns are not neighbours in B. */
export function planDouble(kernel: ContractKernel): DoublePlan | undefined {
  const form = formOf(kernel, "float64");
  if (form === undefined || form.column.b !== 1) return undefined;
  if ([...form.batch, ...form.rows].some(({ a, b }) => a < 0 || b < 0)) return undefined;
  return { ...form, partial: isPlain(kernel) ? undefined : { id: -4, shape: kernel.shape, dtype: "float64" } };
}

/** The sums, into `totals`. Operands are padded. */
export function recordDouble(kernel: ContractKernel, plan: DoublePlan, totals: Value, { module, places, name }: Recording): Phase {
  const { a, b, aFlat, bFlat, outFlat, batch, rows, column, reduced } = plan;
  const label = name("contract");
  const inner: Pick<Axis, "size" | "a" | "out"> = rows[rows.length - 1] ?? { size: 1, a: 0, out: 0 };
  const outer = [...batch, ...rows.slice(0, -1)];
  const tiles = Math.ceil(inner.size / mostRows);
  const units = sizeOf(outer.map(({ size }) => size)) * tiles;
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [a, b, totals]);
    const base = (value: Value, offset: number): Expr<"i32"> => k.let(plus(addresses.number(addresses.of(value)), offset * bytes));
    const [left, right, sums] = [base(a, aFlat.offset), base(b, bFlat.offset), base(totals, outFlat.offset)];
    k.loop({ from: low, to: high }, unit => {
      const tile = k.let(i32.remU(unit, tiles));
      let rest: Expr<"i32"> = k.let(i32.divU(unit, tiles));
      const first = k.let(times(tile, mostRows));
      let [aAt, bAt, outAt] = [plus(left, times(first, inner.a * bytes)), right, plus(sums, times(first, inner.out * bytes))];
      for (const axis of [...outer].reverse()) {
        const counter = k.let(i32.remU(rest, axis.size));
        rest = k.let(i32.divU(rest, axis.size));
        aAt = plus(aAt, times(counter, axis.a * bytes));
        bAt = plus(bAt, times(counter, axis.b * bytes));
        outAt = plus(outAt, times(counter, axis.out * bytes));
      }
      const at = { a: k.let(aAt), b: k.let(bAt), out: k.let(outAt) };
      const all = (height: number): void => {
        const width = mostVectors * k.target.lanes64;
        const whole = column.size - (column.size % width);
        const block = (from: Expr<"i32">, columns: number): void =>
          recordTile(k, { reduced, inner, height, columns }, at, k.let(times(from, bytes)));
        k.loop({ to: whole, step: width }, from => block(from, width));
        if (column.size > whole) block(i32.const(whole), column.size - whole);
      };
      const last = inner.size - (tiles - 1) * mostRows;
      if (last === mostRows || tiles === 1) all(last);
      else
        k.if(
          i32.eq(tile, tiles - 1),
          () => all(last),
          () => all(mostRows),
        );
    });
  });
  return { name: label, function: ref, units, work: 2 * sizeOf(kernel.shape) * (sizeOf(kernel.over) + storeCost) };
}

interface Tile {
  readonly reduced: readonly Axis[];
  readonly inner: Pick<Axis, "a" | "out">;
  readonly height: number;
  readonly columns: number;
}

/** Sums of a tile whose columns begin `shift` bytes from those given: whole vectors, then what is left one by one. */
function recordTile(
  k: FunctionRecorder,
  { reduced, inner, height, columns }: Tile,
  at: { readonly a: Expr<"i32">; readonly b: Expr<"i32">; readonly out: Expr<"i32"> },
  shift: Expr<"i32">,
): void {
  const width = k.target.lanes64;
  const vectors = Math.floor(columns / width);
  const singles = Array.from({ length: columns - vectors * width }, (_, c) => vectors * width + c);
  const lines = Array.from({ length: height }, () => ({
    vectors: Array.from({ length: vectors }, () => k.vector("f64x", 0)),
    singles: singles.map(() => k.number("f64", 0)),
  }));
  const [left, right, out] = [k.let(at.a), k.let(i32.add(at.b, shift)), k.let(i32.add(at.out, shift))];
  const step = (): void => {
    const loaded = Array.from({ length: vectors }, (_, v) => k.let(f64x.load(right, v * width * bytes)));
    const numbers = singles.map(c => k.let(f64.load(right, c * bytes)));
    for (const [r, line] of lines.entries()) {
      const offset = r * inner.a * bytes;
      if (vectors > 0) {
        const factor = k.let(f64x.loadSplat(left, offset));
        for (const [v, sum] of line.vectors.entries()) k.set(sum, f64x.madd(factor, loaded[v], sum));
      }
      for (const [c, sum] of line.singles.entries()) k.set(sum, f64.add(f64.mul(f64.load(left, offset), numbers[c]), sum));
    }
  };
  walk(k, reduced, 0, left, right, step);
  for (const [r, line] of lines.entries()) {
    for (const [v, sum] of line.vectors.entries()) k.store("f64x", out, (r * inner.out + v * width) * bytes, sum);
    for (const [c, sum] of line.singles.entries()) k.store("f64", out, (r * inner.out + singles[c]) * bytes, sum);
  }
}

function walk(
  k: FunctionRecorder,
  reduced: readonly Axis[],
  depth: number,
  left: Local<"i32">,
  right: Local<"i32">,
  step: () => void,
): void {
  const { size, a, b } = reduced[depth];
  const next = reduced[depth + 1];
  k.loop({ to: size }, () => {
    if (next === undefined) step();
    else walk(k, reduced, depth + 1, left, right, step);
    k.set(left, plus(left, (a - (next ? next.size * next.a : 0)) * bytes));
    k.set(right, plus(right, (b - (next ? next.size * next.b : 0)) * bytes));
  });
}
