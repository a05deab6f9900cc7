// What an engine can join to wider vectors: accesses at one value, with offsets.
import { expect, test } from "vitest";
import { plus, times } from "./arithmetic.ts";
import { type Expr, f32x, type Statement } from "./language.ts";
import { ModuleRecorder } from "./recorder.ts";
import { wasmTarget } from "./target.ts";

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
