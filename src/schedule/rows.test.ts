// Which kernels become passes over rows. Every Plan here is also run against the reference, in poisoned memory.
import { describe, expect, it } from "vitest";
import { kindsOf, planOf } from "../../test/plans/check-plan.ts";
import { program, variable } from "../../test/plans/known-programs.ts";
import * as ir from "../ir/build.ts";
import type { Value } from "../ir/program.ts";
import { s } from "../ir/scalar.ts";
import { printPlan } from "./index.ts";

const feed = (shape: readonly number[], name = "x"): Value => ir.feed(name, "float32", shape);
const kindsFor = (build: () => readonly Value[]): string => kindsOf(planOf(program(build)).kernels);
const sum = (x: Value, axes: readonly number[]): Value => ir.reduce("sum", x, axes, { keepDims: true });

describe("rows", () => {
  it("keeps what is expensive in the place of the result", () => {
    const softmax = program(() => {
      const x = feed([8, 64]);
      const e = ir.map((a, m) => s.exp(s.sub(a, m)), x, ir.reduce("max", x, [1], { keepDims: true }));
      return [ir.map((a, z) => s.div(a, z), e, sum(e, [1]))];
    });
    const plan = planOf(softmax);
    expect(kindsOf(plan.kernels)).toBe("rows");
    expect(plan.arenaBytes).toBeLessThan(2 * 8 * 64 * 4);
    expect(printPlan(plan).match(/^ +v\d+ .*= exp/gm)).toHaveLength(1);
  });

  it("sums columns by blocks of rows that do not depend on who walks them", () => {
    const plan = planOf(
      program(() => {
        const x = feed([128, 16]);
        const centred = ir.map((a, m) => s.sub(a, m), x, sum(x, [1]));
        return [ir.reduce("sum", centred, [0]), ir.reduce("sum", centred, [0, 1])];
      }),
    );
    expect(kindsOf(plan.kernels)).toBe("rows reduce reduce");
    expect(plan.kernels[0]).toMatchObject({ rows: 128, length: 16, blockRows: 8 });
  });

  it("finishes a sum over columns before another that reads it", () => {
    const plan = planOf(
      program(() => {
        const x = feed([6, 8]);
        const e = ir.map(a => s.mul(a, a), x);
        const first = ir.reduce(
          "sum",
          ir.map((a, b) => s.mul(a, b), e, x),
          [0],
        );
        const second = ir.map((a, b) => s.sub(a, s.mul(b, 2)), ir.reduce("sum", e, [0]), first);
        return [second, ir.reduce("max", e, [1])];
      }),
    );
    expect(kindsOf(plan.kernels)).toBe("rows reduce reduce");
  });

  it("leaves what waits for all rows outside", () => {
    const total = () => {
      const x = feed([8, 16]);
      const centred = ir.map((a, m) => s.sub(a, m), x, sum(x, [1]));
      return [ir.map((a, t) => s.mul(a, t), centred, sum(centred, [0, 1]))];
    };
    expect(kindsFor(total)).toBe("rows reduce map");
  });

  it("leaves rows that read other rows outside", () => {
    const transposed = () => {
      const x = feed([16, 16]);
      return [ir.map((a, m) => s.sub(a, m), ir.transpose(x, [1, 0]), sum(x, [1]))];
    };
    expect(kindsFor(transposed)).toBe("reduce map");
  });

  it("overwrites a state only where its old row is not wanted any more", () => {
    const normalized = (isLate: boolean) =>
      program(() => {
        const state = variable("w", [8, 16]);
        const w = ir.readState(state, "read");
        const e = ir.map((a, m) => s.exp(s.sub(a, m)), w, sum(w, [1]));
        const scaled = ir.map((a, z, old) => (isLate ? s.add(s.div(a, z), old) : s.div(a, z)), e, sum(e, [1]), w);
        ir.updateState(state, scaled);
        return [];
      });
    const copies = (isLate: boolean): number => planOf(normalized(isLate)).kernels.filter(kernel => kernel.kind === "copy").length;
    expect(copies(false)).toBe(0);
    expect(copies(true)).toBe(1);
  });

  it("puts one of two arrays that live in the kernel alone over an array that dies there", () => {
    const two = program(() => {
      const rows = (x: Value): [e: Value, sum: Value] => {
        const e = ir.map((a, m) => s.exp(s.sub(a, m)), x, ir.reduce("max", x, [1], { keepDims: true }));
        return [e, sum(e, [1])];
      };
      // The first stays, for it is a result; the second is read here for the last time.
      const kept = ir.scan(feed([16, 16], "kept"), 1, "sum");
      const [[a, aSum], [b, bSum]] = [rows(kept), rows(feed([16, 16]))];
      const p = ir.map((x, z) => s.div(x, z), a, aSum);
      return [
        kept,
        ir.reduce(
          "sum",
          ir.map((x, y, z) => s.mul(x, s.div(y, z)), p, b, bSum),
          [1],
        ),
      ];
    });
    expect(kindsOf(planOf(two).kernels)).toContain("rows");
  });

  it("does not reach around a kernel that stands between", () => {
    const scanned = () => {
      const x = feed([8, 16]);
      const centred = ir.map((a, m) => s.exp(s.sub(a, m)), x, sum(x, [1]));
      return [ir.map((a, b) => s.mul(a, b), centred, ir.scan(centred, 1, "sum"))];
    };
    expect(kindsFor(scanned)).toBe("rows scan map");
  });
});
