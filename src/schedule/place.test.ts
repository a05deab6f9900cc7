// Where values lie: reuse, constants, strings, scratch, branches, loops.
import { describe, expect, it } from "vitest";
import { kindsOf, planOf, target } from "../../test/plans/check-plan.ts";
import { matmul, program, variable } from "../../test/plans/known-programs.ts";
import { NDArray } from "../base/ndarray.ts";
import * as ir from "../ir/build.ts";
import type { Value } from "../ir/program.ts";
import { loadScalar, s } from "../ir/scalar.ts";
import { planBound, planCounts, printPlan, schedule } from "./index.ts";
import type { Plan } from "./plan.ts";

const feed = (shape: readonly number[], name = "x"): Value => ir.feed(name, "float32", shape);

describe("places", () => {
  it("let a map write over an array that dies in it", () => {
    const plan = planOf(program(() => [ir.map(a => s.exp(a), ir.scan(feed([256]), 0, "sum"))]));
    expect(kindsOf(plan.kernels)).toBe("scan map");
    expect(plan.arenaBytes).toBe(2048);
  });

  it("do not let a map write over what it reads elsewhere, or what a result needs", () => {
    const reversed = program(() => {
      const sums = ir.scan(feed([256]), 0, "sum");
      return [ir.map((a, b) => s.add(a, b), ir.reverse(sums, [0]), sums)];
    });
    expect(planOf(reversed).arenaBytes).toBe(2048);
    const kept = program(() => {
      const sums = ir.scan(feed([256]), 0, "sum");
      return [sums, ir.map(a => s.exp(a), sums)];
    });
    expect(planOf(kept).arenaBytes).toBe(2048);
  });

  it("put equal constants in one place and leave out those that are only numbers", () => {
    const plan = planOf(
      program(() => {
        const [one, two] = [0, 1].map(() => ir.constant(NDArray.from([1, 2, 3, 4])));
        const half = ir.constant(NDArray.full("float32", [4], 0.5));
        return [ir.map((x, y, z) => s.mul(s.add(x, y), z), ir.reverse(one, [0]), two, half)];
      }),
    );
    expect(plan.constants).toHaveLength(1);
    expect(plan.constantBytes).toBe(64);
  });

  it("leave a large constant on the host where all it does is to begin a state", () => {
    const [large, small] = [2 ** 14, 2 ** 14 - 1];
    const filled = (size: number): NDArray => NDArray.from(Float32Array.from({ length: size }, (_, i) => i));
    const initial = (size: number, isFetched = false): Plan =>
      planOf(
        program(() => {
          const value = ir.constant(filled(size));
          ir.updateState(variable("v", [size]), value);
          return isFetched ? [value] : [];
        }),
      );
    expect(initial(large).constantBytes).toBe(0);
    expect(initial(large).hostConstants.map(({ data }) => data.size)).toEqual([large]);
    expect(initial(small).constantBytes).toBe(4 * (small + 1));
    expect(initial(large, true).constantBytes).toBe(4 * large);
  });

  it("keep fed, constant and state values that are fetched", () => {
    const plan = planOf(program(() => [feed([3]), ir.constant(NDArray.from([1, 2, 3])), ir.readState(variable("v", [3]), "r")]));
    expect(plan.kernels).toHaveLength(0);
    expect(plan.results.map(result => plan.places.get(result)?.region)).toEqual(["arena", "constant", "state"]);
  });

  it("keep strings in slots of the host", () => {
    const plan = schedule(
      program(() => {
        const words = ir.feed("words", "string", [2]);
        return [...ir.call({ name: "lower", run: () => {} }, [words], [{ dtype: "string", shape: [2] }]), ir.reshape(words, [2, 1])];
      }),
      target,
    );
    expect(plan.hostSlots).toBe(2);
    expect(plan.arenaBytes).toBe(0);
    expect(plan.places.get(plan.results[1])).toBe(plan.places.get(plan.feeds[0].value));
  });

  it("give contractions scratch while they run only", () => {
    const plan = schedule(
      program(() => [matmul(matmul(feed([8, 8]), feed([8, 8], "y")), feed([8, 8], "z"))]),
      { alignment: 64, scratchBytes: () => 1000 },
    );
    const scratch = plan.kernels.map(kernel => (kernel.kind === "contract" ? kernel.scratch?.bytes : 0));
    expect(scratch).toEqual([1000, 1000]);
    expect(plan.arenaBytes).toBe(4 * 256 + 1024);
    expect(plan.arenaBytes).toBe(planBound(plan));
  });

  it("make results of a branch in its memory, and copy those made elsewhere", () => {
    const given = program(() => {
      const [x, y] = [feed([16]), feed([16], "y")];
      const made = ir.region([], () => [ir.map(a => s.exp(a), ir.scan(x, 0, "sum"))]);
      const taken = ir.region([], () => [y]);
      return [...ir.branch(ir.feed("choice", "bool", []), [made, taken]), y];
    });
    expect(kindsOf(planOf(given).kernels)).toBe("branch(scan map | copy)");
  });

  it("keep what a loop reads until it ends", () => {
    const given = program(() => {
      const x = ir.scan(feed([64]), 0, "max");
      const initial = [ir.full("int32", [], 0), feed([64], "y")];
      const condition = ir.region(initial, i => [ir.map(n => s.lt(n, 3), i)]);
      const body = ir.region(initial, (i, y) => [
        ir.map(n => s.add(n, 1), i),
        ir.scan(
          ir.map((a, b, c) => s.add(s.mul(a, b), c), ir.reverse(x, [0]), y, ir.sort(y, 64, true).values),
          0,
          "max",
        ),
      ]);
      return [ir.loop(initial, condition, body)[1]];
    });
    expect(planCounts(planOf(given))).toMatchObject({ copies: 0 });
  });

  it("tell the host which flags to set and which states to ask for", () => {
    const [v, w] = [variable("v", [2]), variable("w", [2])];
    const plan = schedule(
      program(() => {
        ir.updateState(w, ir.readState(v, "v/read"));
        return [ir.isInitialized(v)];
      }),
      target,
    );
    expect(plan.flags.map(({ state }) => state.id)).toEqual(["v"]);
    expect(plan.states).toMatchObject([
      { state: { id: "v" }, reader: "v/read", written: false },
      { state: { id: "w" }, reader: undefined, written: true },
    ]);
    expect(printPlan(plan)).toContain("initialized v -> v0 bool[] @ arena+0");
  });

  it("move invariant kernels out of loops", () => {
    const given = program(() => {
      const w = feed([8, 8]);
      const initial = [ir.full("int32", [], 0), feed([8, 8], "h")];
      const condition = ir.region(initial, i => [ir.map(n => s.lt(n, 4), i)]);
      const body = ir.region(initial, (i, h) => [
        ir.map(n => s.add(n, 1), i),
        ir.generate([8, 8], at => s.add(s.mul(loadScalar(h, at), 0.5), loadScalar(matmul(w, w), at))),
      ]);
      return [ir.loop(initial, condition, body)[1]];
    });
    expect(kindsOf(planOf(given).kernels)).toBe("contract map loop(map | sweep(map map))");
  });
});
