// What an engine can join to wider vectors: accesses at one value, with offsets.
import { expect, test } from "vitest";
import * as ir from "../../ir/build.ts";
import { s } from "../../ir/scalar.ts";
import { schedule } from "../../schedule/index.ts";
import { program } from "../../../test/plans/known-programs.ts";
import { plus, times } from "../arithmetic.ts";
import { type Expr, f32x, type Statement } from "./language.ts";
import { record } from "../index.ts";
import { ModuleRecorder } from "./recorder.ts";
import { wasmTarget } from "../target.ts";

/** Addresses of the vector stores of a block, as texts. */
function storeAddresses(pairs: boolean, changesBetween = false): string[] {
  const m = new ModuleRecorder(wasmTarget({ pairs }));
  m.function("f", { params: { a: "i32", i: "i32" }, exported: true }, (k, { a, i }) => {
    const place = (): Expr<"i32"> => plus(a, times(i, 16));
    k.store(f32x, place(), 0, 1);
    if (changesBetween) k.set(i, plus(i, 1));
    k.store(f32x, place(), 16, 2);
  });
  const [{ body }] = m.finish().functions;
  return body.flatMap((s: Statement) => (s.kind === "vstore" ? [JSON.stringify(s.address)] : []));
}

test("an address computed twice is one local for engines that join pairs", () => {
  const [first, second] = storeAddresses(true);
  expect(first).toBe(second);
  expect(JSON.parse(first).kind).toBe("local");
});

test("for others it stays as recorded", () => {
  expect(storeAddresses(false).map(text => JSON.parse(text).kind)).toEqual(["apply", "apply"]);
});

test("not where what it is made of changes between", () => {
  const [first, second] = storeAddresses(true, true);
  expect(first).not.toBe(second);
});

test("a map stores neighbouring vectors in one pass", () => {
  const doubled = program(() => [ir.map(x => s.mul(x, 2), ir.feed("x", "float32", [64]))]);
  const storesOf = (pairs: boolean): (readonly [string, number])[] => {
    const { module } = record(schedule(doubled, { alignment: 64, scratchBytes: () => 0 }), wasmTarget({ pairs }));
    const inside = (body: readonly Statement[]): (readonly [string, number])[] =>
      body.flatMap(each => {
        if (each.kind === "vstore") return [[JSON.stringify(each.address), each.offset] as const];
        return each.kind === "loop" ? inside(each.body) : [];
      });
    return module.functions.flatMap(({ body }) => inside(body));
  };
  const [first, second, ...others] = storesOf(true);
  expect(second).toEqual([first[0], first[1] + 16]);
  expect(others.length).toBeLessThanOrEqual(1);
  expect(storesOf(false).length).toBe(1);
});
