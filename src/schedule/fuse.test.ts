// Which maps get a kernel of their own. Every Plan here is also run against the reference.
import { describe, expect, it } from "vitest";
import { kindsOf, planOf } from "../../test/plans/check-plan.ts";
import { addBias, matmul, program, relu, softmax } from "../../test/plans/known-programs.ts";
import * as ir from "../ir/build.ts";
import { dataIndex } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import { loadScalar, s } from "../ir/scalar.ts";
import { nodeCount } from "./access.ts";
import { planCounts } from "./index.ts";

const feed = (shape: readonly number[], name = "x"): Value => ir.feed(name, "float32", shape);
const kindsFor = (build: () => readonly Value[]): string => kindsOf(planOf(program(build)).kernels);

describe("fuse", () => {
  it("makes one kernel of a chain of maps", () => {
    expect(
      kindsFor(() => [
        ir.map(
          a => s.neg(a),
          ir.map(
            a => s.exp(a),
            ir.map(a => s.add(a, 1), feed([8, 8])),
          ),
        ),
      ]),
    ).toBe("map");
  });

  it("computes maps inside the reduction that alone reads them", () => {
    expect(
      kindsFor(() => [
        ir.reduce(
          "sum",
          ir.map(a => s.exp(a), feed([8, 64])),
          [1],
        ),
      ]),
    ).toBe("reduce");
  });

  it("never computes an expensive function twice per element", () => {
    const passes = planOf(softmax()).kernels.flatMap(kernel => (kernel.kind === "rows" ? kernel.passes : []));
    expect(passes.filter(pass => JSON.stringify(pass).includes('"exp"'))).toHaveLength(1);
    const broadcast = () => {
      const row = ir.map(a => s.tanh(a), feed([64]));
      return [ir.map((a, b) => s.add(a, b), feed([64, 64], "y"), row)];
    };
    expect(kindsFor(broadcast)).toBe("map map");
  });

  it("computes cheap maps in each reader", () => {
    const shared = () => {
      const x = feed([32, 64]);
      const centred = ir.map((a, m) => s.sub(a, m), x, ir.reduce("max", x, [1], { keepDims: true }));
      return [ir.reduce("sum", centred, [1]), ir.reduce("max", centred, [0])];
    };
    expect(kindsFor(shared)).toBe("rows reduce");
  });

  it("gives reshapes no kernel and no memory of their own", () => {
    const plan = planOf(
      program(() => {
        const x = ir.reshape(feed([4, 6]), [24]);
        return [ir.reshape(ir.sort(x, 24, false).values, [2, 12]), ir.reshape(x, [3, 8])];
      }),
    );
    expect(kindsOf(plan.kernels)).toBe("sort");
    expect(plan.places.get(plan.results[1])).toBe(plan.places.get(plan.feeds[0].value));
  });

  it("reads transposes, padding and slices through the operands of contractions", () => {
    const moved = () => {
      const x = ir.pad(ir.transpose(feed([6, 4]), [1, 0]), [0, 1], [0, 0]);
      return [matmul(x, ir.slice(feed([9, 5], "y"), [2, 0], [7, 5]))];
    };
    expect(kindsFor(moved)).toBe("contract");
  });

  it("stores what a contraction cannot read through", () => {
    expect(kindsFor(() => [matmul(ir.pad(feed([4, 4]), [0, 1], [0, 0], 1), feed([5, 3], "y"))])).toBe("map contract");
  });

  it("computes bias and relu where a product is stored, even when a reduction reads them", () => {
    const layer = (): Value => relu(addBias(matmul(feed([16, 8]), feed([8, 32], "w")), feed([32], "b")));
    expect(kindsFor(() => [layer()])).toBe("contract");
    expect(kindsFor(() => [ir.reduce("max", layer(), [1])])).toBe("contract reduce");
    expect(kindsFor(() => [ir.reduce("max", ir.reshape(layer(), [4, 4, 32]), [1])])).toBe("contract reduce");
  });

  it("does not store values of maps that a gather reads a few rows of", () => {
    const gather = () => {
      const ids = ir.feed("ids", "int32", [2]);
      const table = ir.map(a => s.mul(a, 2), feed([1000, 4]));
      return [ir.generate([2, 4], ([i, j]) => loadScalar(table, [dataIndex(loadScalar(ids, [i]), 1000), j]))];
    };
    expect(kindsFor(gather)).toBe("map");
  });

  it("keeps expressions bounded where every map reads the one before twice", () => {
    const plan = planOf(
      program(() => {
        let x = feed([6, 6]);
        for (let k = 0; k < 200; k++) x = ir.map((a, b) => s.sub(s.mul(a, 0.5), b), x, ir.transpose(x, [1, 0]));
        return [x];
      }),
    );
    const sizes = plan.kernels.flatMap(kernel => (kernel.kind === "map" ? kernel.stores.map(store => nodeCount(store.body)) : []));
    expect(Math.max(...sizes)).toBeLessThan(500);
    expect(planCounts(plan).kernels).toBeGreaterThan(10);
  });

  it("fuses inside regions and moves nothing out of a branch", () => {
    const branch = () => {
      const x = feed([4, 4]);
      const inside = (f: (y: Value) => Value) => ir.region([], () => [f(x)]);
      const busy = (y: Value): Value =>
        ir.map(
          a => s.neg(a),
          ir.map(a => s.exp(a), y),
        );
      return [...ir.branch(ir.feed("choice", "bool", []), [inside(busy), inside(y => matmul(y, y))])];
    };
    expect(kindsFor(branch)).toBe("branch(map | contract)");
  });

  it("treats a reduction over one element as a map", () => {
    expect(kindsFor(() => [ir.map(a => s.exp(a), ir.reduce("sum", feed([8, 1]), [1]))])).toBe("map");
  });
});
