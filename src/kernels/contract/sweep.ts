// A row or two times a matrix, as when a network answers for one example: each element of the matrix is used once or twice, so what counts
// is that memory is read in long runs. Some rows of B at a time pass over sums that stay in the first cache.

import { sizeOf } from "../../base/shape.ts";
import { storeCost } from "../../schedule/cost.ts";
import { least, plus, times } from "../arithmetic.ts";
import type { Axis, ContractKernel, ContractPlan } from "./plan.ts";
import { type Expr, f32x, i32 } from "../language/language.ts";
import type { Phase, Recording } from "../phase.ts";
import { Addresses } from "../places.ts";
import type { Value } from "../../ir/program.ts";

const bytes = 4;
/** Columns of one unit of work: long enough that a run is worth a page. */
const unitColumns = 256;
/** Products that end in one sum before it goes back to memory; their factors stay in registers. */
const factorsKept = 8;

/** Sums of products into `partial`, which has the shape of the result. */
export function recordSweep(kernel: ContractKernel, plan: ContractPlan, partial: Value, { module, places, name }: Recording): Phase {
  const { a, b, aFlat, bFlat, column, reduced } = plan;
  const label = name("contract");
  const row: Pick<Axis, "size" | "a" | "out"> = plan.rows[0] ?? { size: 1, a: 0, out: 0 };
  const rows = Array.from({ length: row.size }, (_, r) => r);
  const [{ size: terms, a: aStep, b: bStep }] = reduced;
  const atOnce = factorsKept / row.size;
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [a, b, partial]);
    const factors = k.let(plus(addresses.number(addresses.of(a)), aFlat.offset * bytes));
    const source = k.let(plus(addresses.number(addresses.of(b)), bFlat.offset * bytes));
    const sums = k.let(addresses.number(addresses.of(partial)));
    const from = k.let(times(low, unitColumns * bytes));
    const to = k.let(times(least(times(high, unitColumns), column.size), bytes));
    for (const r of rows) k.fillBytes(plus(i32.add(sums, from), r * row.out * bytes), 0, i32.sub(to, from));
    const pass = (count: number): void => {
      const splats = rows.map(r =>
        Array.from({ length: count }, (_, t) => k.let(f32x.loadSplat(factors, (r * row.a + t * aStep) * bytes))),
      );
      k.loop({ from, to, step: k.target.vectorBytes }, at => {
        const [place, target] = [k.let(i32.add(source, at)), k.let(i32.add(sums, at))];
        const results = rows.map(r => k.let<"vec">(f32x.load(target, r * row.out * bytes)));
        for (let t = 0; t < count; t++) {
          const vector: Expr<"vec"> = k.let(f32x.load(place, t * bStep * bytes));
          for (const r of rows) k.set(results[r], f32x.madd(splats[r][t], vector, results[r]));
        }
        for (const r of rows) k.store(f32x, target, r * row.out * bytes, results[r]);
      });
      k.set(factors, plus(factors, count * aStep * bytes));
      k.set(source, plus(source, count * bStep * bytes));
    };
    k.loop({ to: Math.floor(terms / atOnce) }, () => pass(atOnce));
    if (terms % atOnce > 0) pass(terms % atOnce);
  });
  return { name: label, function: ref, units: Math.ceil(column.size / unitColumns), work: sizeOf(kernel.shape) * (terms + storeCost) };
}
