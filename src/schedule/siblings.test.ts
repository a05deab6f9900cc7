// Which reductions share their loops. Every Plan here is also run against the reference, and on the wasm backend with 1 to 3 threads.
import { describe, expect, it } from "vitest";
import { compareBackends } from "../../test/backends/compare-backends.ts";
import { bits, filled, runOn } from "../../test/backends/on-threads.ts";
import { kindsOf, planOf } from "../../test/plans/check-plan.ts";
import { program } from "../../test/plans/known-programs.ts";
import * as ir from "../ir/build.ts";
import type { Value } from "../ir/program.ts";
import { s } from "../ir/scalar.ts";

const feed = (shape: readonly number[], name: string): Value => ir.feed(name, "float32", shape);

/** The kinds of kernels, once all ways to run them agree. */
async function kindsFor(build: () => readonly Value[]): Promise<string> {
  const made = program(build);
  const given = filled(made);
  expect((await compareBackends(given)).fault).toBeUndefined();
  const alone = runOn(1, given).outcomes.map(bits);
  for (const threads of [2, 3]) expect(runOn(threads, given).outcomes.map(bits)).toEqual(alone);
  return kindsOf(planOf(made).kernels);
}

const sum = (x: Value, axes: readonly number[]): Value => ir.reduce("sum", x, axes);
const product = (x: Value, y: Value): Value => ir.map((a, b) => s.mul(a, b), x, y);

describe("reductions that read one array share their loops", () => {
  it.each([
    ["columns", [60, 37], [0]],
    ["columns of images", [3, 20, 20, 16], [0, 1, 2]],
    ["columns in slices", [3000, 24], [0]],
    ["columns whose sums are long", [1500, 40], [0]],
    ["all there is", [40, 33], [0, 1]],
    ["all there is, in slices", [400, 330], [0, 1]],
    ["rows", [6, 20000], [1]],
  ] as const)("%s", async (_, shape, axes) =>
    expect(
      await kindsFor(() => {
        const [x, y] = [feed(shape, "x"), feed(shape, "y")];
        return [sum(y, axes), sum(product(x, y), axes), ir.reduce("max", y, axes)];
      }),
    ).toBe("reductions(reduce reduce reduce)"),
  );

  it("of integers and floats", async () =>
    expect(
      await kindsFor(() => {
        const x = ir.feed("x", "int32", [70, 20]);
        const y = ir.map(a => s.cast(a, "float32"), x);
        return [sum(x, [0]), sum(y, [0])];
      }),
    ).toBe("reductions(reduce reduce)"));

  it("of directions of complex numbers, which the host computes one by one", async () =>
    expect(
      await kindsFor(() => {
        const x = feed([20, 7], "x");
        const size = (): Value => ir.map(a => s.real(s.sign(s.complex(a, s.neg(a)))), x);
        return [sum(size(), [0]), ir.reduce("max", size(), [0]), sum(x, [0])];
      }),
    ).toBe("reductions(reduce reduce reduce)"));

  it("with what follows each in its epilogue", async () =>
    expect(
      await kindsFor(() => {
        const [x, y] = [feed([64, 16], "x"), feed([64, 16], "y")];
        return [ir.map(a => s.mul(a, 0.5), sum(x, [0])), ir.map((a, b) => s.add(s.exp(a), b), sum(product(x, y), [0]), feed([16], "z"))];
      }),
    ).toBe("reductions(reduce reduce)"));

  it("not where one waits for the other", async () =>
    expect(
      await kindsFor(() => {
        const x = feed([64, 16], "x");
        const centred = ir.map(
          (a, m) => s.sub(a, m),
          x,
          ir.broadcastTo(
            ir.map(a => s.div(a, 64), sum(x, [0])),
            [64, 16],
          ),
        );
        return [sum(product(centred, centred), [0])];
      }),
    ).toBe("reduce reduce"));

  it("not where one waits for what is made of the other elsewhere", async () =>
    expect(
      await kindsFor(() => {
        const x = feed([64, 16], "x");
        const scanned = ir.scan(sum(x, [0]), 0, "sum");
        return [sum(product(x, ir.broadcastTo(scanned, [64, 16])), [0])];
      }),
    ).toBe("reduce scan reduce"));

  it("not across arrays", async () =>
    expect(await kindsFor(() => [sum(feed([64, 16], "x"), [0]), sum(feed([64, 16], "y"), [0])])).toBe("reduce reduce"));
});
