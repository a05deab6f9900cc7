// Which steps share a kernel. Every Plan here is also run against the reference.
import { describe, expect, it } from "vitest";
import { kindsOf, planOf } from "../../test/plans/check-plan.ts";
import { adamStep, matmul, program, variable } from "../../test/plans/known-programs.ts";
import * as ir from "../ir/build.ts";
import type { Value } from "../ir/program.ts";
import { s } from "../ir/scalar.ts";

const feed = (shape: readonly number[], name = "x"): Value => ir.feed(name, "float32", shape);
const kindsFor = (build: () => readonly Value[]): string => kindsOf(planOf(program(build)).kernels);

describe("group", () => {
  it("sweeps once over the three variables of an optimizer", () => {
    expect(kindsOf(planOf(adamStep()).kernels)).toMatch(/ map\*3 sweep\(map\*3 map\*3\)$/);
  });

  it("joins maps that read the same array", () => {
    const two = () => {
      const x = feed([64, 4]);
      return [ir.map(a => s.exp(a), x), ir.map(a => s.tanh(a), x)];
    };
    expect(kindsFor(two)).toBe("map*2");
    const apart = () => [ir.map(a => s.exp(a), feed([64, 4])), ir.map(a => s.tanh(a), feed([64, 4], "y"))];
    expect(kindsFor(apart)).toBe("sweep(map map)");
  });

  it("joins a reader to what it reads at the same place and stores only what others need", () => {
    const plan = planOf(
      program(() => {
        const e = ir.map(a => s.exp(a), feed([64, 4]));
        return [ir.map(a => s.add(a, 1), e), ir.map(a => s.mul(a, a), e)];
      }),
    );
    expect(kindsOf(plan.kernels)).toBe("map*2");
  });

  it("does not join maps of which one waits for a kernel that waits for the other", () => {
    const circle = () => {
      const x = feed([8, 8]);
      const e = ir.map(a => s.exp(a), x);
      return [e, ir.map((a, b, c) => s.add(s.mul(a, b), c), x, ir.reduce("sum", e, [0, 1], { keepDims: true }), e)];
    };
    expect(kindsFor(circle)).toBe("map reduce map");
  });

  it("does not join maps across an effect that must stand between them", () => {
    const effect = { name: "effect", run: () => {} };
    const ordered = () => {
      const x = feed([4]);
      const first = ir.map(a => s.exp(a), x);
      ir.call(effect, [first], []);
      const [made] = ir.call(effect, [], [{ dtype: "float32", shape: [4] }]);
      return [first, ir.map((a, b) => s.add(a, b), x, made)];
    };
    expect(kindsFor(ordered)).toBe("map call call map");
  });

  it("stores a product that is read elsewhere beside what its epilogue makes of it", () => {
    const both = () => {
      const product = matmul(feed([8, 8]), feed([8, 8], "y"));
      return [ir.reduce("sum", product, [1]), ir.map((a, r) => s.max(s.add(a, r), 0), product, feed([8, 8], "r"))];
    };
    expect(kindsFor(both)).toBe("contract*2 reduce");
  });

  it("reads bias and residual under another shape of the same elements", () => {
    const plan = planOf(
      program(() => {
        const product = ir.reshape(matmul(feed([6, 4]), feed([4, 8], "y")), [2, 3, 8]);
        return [ir.map((a, b) => s.max(s.add(a, b), 0), product, feed([8], "b"))];
      }),
    );
    expect(kindsOf(plan.kernels)).toBe("contract");
    expect(plan.kernels[0]).toMatchObject({ shape: [6, 8], stores: [{ out: { shape: [2, 3, 8] } }] });
  });

  it("leaves expensive functions and updates in place to maps of their own", () => {
    expect(kindsFor(() => [ir.map(a => s.tanh(a), matmul(feed([8, 8]), feed([8, 8], "y")))])).toBe("contract map");
    const descent = () => {
      const w = variable("w", [8, 8]);
      ir.updateState(
        w,
        ir.map((a, g) => s.sub(a, s.mul(g, 0.1)), ir.readState(w, "r"), matmul(feed([8, 8]), feed([8, 8], "y"))),
      );
      return [];
    };
    expect(kindsFor(descent)).toBe("contract map");
  });

  it("iterates over the shape under which positions are simple", () => {
    const plan = planOf(
      program(() => {
        const x = feed([4, 6, 8]);
        const scaled = ir.map((a, b) => s.mul(s.exp(a), b), x, feed([8], "b"));
        return [ir.reshape(scaled, [192]), ir.map(a => s.add(a, 1), ir.reshape(scaled, [24, 8]))];
      }),
    );
    expect(plan.kernels[0]).toMatchObject({ kind: "map", shape: [4, 6, 8] });
    expect(plan.kernels).toHaveLength(1);
  });

  it("computes nothing for arrays without elements", () => {
    const empty = () => {
      const x = feed([0, 4]);
      return [
        ir.map(a => s.exp(a), x),
        ir.reduce(
          "sum",
          ir.map(a => s.tanh(a), x),
          [0],
        ),
      ];
    };
    expect(kindsFor(empty)).toBe("reduce");
  });
});
