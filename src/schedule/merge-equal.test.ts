// Equal steps are computed once, wherever that is safe. Every Plan here is also run against the reference.
import { describe, expect, it } from "vitest";
import { kindsOf, planOf } from "../../test/plans/check-plan.ts";
import { matmul, program, variable } from "../../test/plans/known-programs.ts";
import * as ir from "../ir/build.ts";
import { dataIndex } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import { loadScalar, s } from "../ir/scalar.ts";

const feed = (shape: readonly number[], name = "x"): Value => ir.feed(name, "float32", shape);
const kindsFor = (build: () => readonly Value[]): string => kindsOf(planOf(program(build)).kernels);

describe("mergeEqual", () => {
  it("computes equal reductions, products and what is made of them once", () => {
    const twice = () => {
      const x = feed([8, 8]);
      const sums = () => ir.reduce("sum", matmul(x, x), [1], { keepDims: true, f: a => s.exp(s.mul(a, 0.1)) });
      return [ir.map((a, b) => s.add(a, b), sums(), sums())];
    };
    expect(kindsFor(twice)).toBe("contract reduce");
  });

  it("sees that a state read twice is one value", () => {
    const read = () => ir.readState(variable("v", [8, 8]), "r");
    expect(kindsFor(() => [matmul(read(), read()), matmul(read(), read())])).toBe("contract");
  });

  it("sees through loaded indices", () => {
    const gathers = () => {
      const [x, ids] = [feed([9, 4]), ir.feed("ids", "int32", [3])];
      const rows = () => ir.generate([3, 4], ([i, j]) => s.exp(loadScalar(x, [dataIndex(loadScalar(ids, [i]), 9), j])));
      return [rows(), rows()];
    };
    expect(kindsFor(gathers)).toBe("map");
  });

  it("tells apart what differs in a constant, an axis, a shape or an index", () => {
    const different = [
      (y: Value) => ir.reduce("sum", y, [0]),
      (y: Value) => ir.reduce("sum", y, [1]),
      (y: Value) => ir.reduce("max", y, [1]),
      (y: Value) => ir.reduce("sum", y, [1], { keepDims: true }),
      (y: Value) => ir.reduce("sum", y, [1], { f: a => s.mul(a, 2) }),
      (y: Value) => ir.reduce("sum", y, [1], { f: a => s.mul(a, 3) }),
    ];
    const kinds = kindsFor(() => {
      const y = feed([4, 4]);
      return different.map(make => make(y));
    });
    expect(kinds.split(" ")).toHaveLength(6);
  });

  it("lets a failure read a value by either name", () => {
    const checked = program(() => {
      const x = feed([4]);
      const [first, second] = [0, 1].map(() => ir.scan(x, 0, "sum"));
      ir.check([4], r => s.lt(loadScalar(second, r), 1e9), {
        label: "small",
        reads: [second],
        error: (_, read) => new Error(String(read(second))),
      });
      return [first];
    });
    expect(kindsOf(planOf(checked).kernels)).toBe("scan check");
  });

  it("uses in a region what was computed before it, and nothing the other way round", () => {
    const inRegions = () => {
      const x = feed([8, 8]);
      const before = matmul(x, x);
      const region = () => ir.region([], () => [ir.reduce("sum", matmul(x, x), [0]), ir.reduce("max", x, [0])]);
      const [a, b] = ir.branch(ir.feed("choice", "bool", []), [region(), region()]);
      return [before, a, b, ir.reduce("max", x, [0])];
    };
    expect(kindsFor(inRegions)).toBe("contract branch(reduce reduce | reduce reduce) reduce");
  });

  it("makes each fill for itself", () => {
    const filled = () => {
      const scattered = () =>
        ir.scatter("add", ir.full("float32", [4], 0), [2], ([i]) => ({ at: [s.index(i)], body: s.cast(s.index(i), "float32") }));
      return [scattered(), ir.map(a => s.neg(a), scattered())];
    };
    const plan = planOf(program(filled));
    expect(plan.kernels.filter(kernel => kernel.kind === "scatter").every(kernel => kernel.inPlace)).toBe(true);
  });
});
