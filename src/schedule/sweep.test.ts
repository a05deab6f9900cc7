// Which maps run as one kernel. Every Plan here is also run against the reference, the maps of a sweep backwards.
import { describe, expect, it } from "vitest";
import { kindsOf, planOf, target } from "../../test/plans/check-plan.ts";
import { adam, matmul, program, variable } from "../../test/plans/known-programs.ts";
import * as ir from "../ir/build.ts";
import { scaleIndex } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import { loadScalar, loadsOf, s } from "../ir/scalar.ts";
import { planBound, schedule } from "./index.ts";

const feed = (shape: readonly number[], name = "x"): Value => ir.feed(name, "float32", shape);
const exp = (x: Value): Value => ir.map(a => s.exp(a), x);
const kindsFor = (build: () => readonly Value[]): string => kindsOf(planOf(program(build)).kernels);

describe("a sweep", () => {
  it("joins maps that have nothing in common, whatever their shapes", () => {
    expect(kindsFor(() => [exp(feed([64, 4])), exp(feed([3], "y")), exp(feed([2, 3, 5], "z"))])).toBe("sweep(map map map)");
  });

  it("leaves apart what waits for another, through other kernels too", () => {
    const build = (): Value[] => {
      const first = exp(feed([64, 4]));
      const product = matmul(first, feed([4, 64], "y"));
      return [first, ir.map((a, b) => s.add(a, b), exp(feed([64, 64], "z")), ir.reduce("max", product, [0]))];
    };
    expect(kindsFor(build)).toBe("map contract reduce map");
  });

  it("takes the updates of all variables, whose gradients stand far apart", () => {
    const build = (): Value[] => {
      // Larger than all gradients together, so that these can wait.
      const large = ir.reduce("sum", matmul(feed([512, 8], "a"), feed([8, 512], "b")), [0]);
      const rate = ir.readState(variable("rate", []), "rate");
      let d = feed([64, 64]);
      for (let k = 0; k < 4; k++) {
        adam(`w${k}`, [64, 64], matmul(d, d), rate);
        adam(`b${k}`, [64], ir.reduce("sum", d, [0]), rate);
        d = matmul(d, feed([64, 64], `x${k}`));
      }
      return [large, d];
    };
    expect(kindsFor(build)).toMatch(/^((contract|reduce) )+sweep\((map\*3 ){7}map\*3\) contract$/);
  });

  it("lets the arena grow by no more than a fiftieth", () => {
    const given = program(() =>
      Array.from({ length: 6 }, (_, k) => {
        const w = variable(`w${k}`, [256, 256]);
        const gradient = matmul(feed([256, 4], `x${k}`), feed([4, 256], `y${k}`));
        ir.updateState(
          w,
          ir.map((a, g) => s.sub(a, s.mul(g, 0.1)), ir.readState(w, w.id), gradient),
        );
        // Read once more by what an update does not wait for.
        return k % 2 === 0 ? ir.reduce("sum", gradient, [0, 1]) : ir.reduce("max", gradient, [1]);
      }),
    );
    const plan = planOf(given);
    const apart = schedule(given, { ...target, isAnySize: true });
    expect(kindsOf(apart.kernels)).not.toContain("sweep");
    expect(plan.arenaBytes).toBe(planBound(plan));
    expect(plan.arenaBytes).toBeLessThanOrEqual(1.02 * planBound(apart));
  });

  it("writes over what one of its maps alone reads, and over nothing else", () => {
    const scanned = (name: string): Value => ir.scan(feed([64, 4], name), 0, "sum");
    const places = (build: () => Value[]): string[] => {
      const { kernels, places: placeOf } = planOf(program(build));
      const maps = kernels.flatMap(kernel => (kernel.kind === "sweep" ? kernel.maps : []));
      return maps.map(({ stores: [{ out, body }] }) => {
        const isSame = loadsOf(body).some(({ source }) => placeOf.get(source) === placeOf.get(out));
        return isSame ? "in place" : "elsewhere";
      });
    };
    const after = (x: Value): Value => ir.scan(x, 0, "sum");
    expect(places(() => [scanned("x"), scanned("y")].map(exp).map(after))).toEqual(["in place", "in place"]);
    const shared = (): Value[] => {
      const x = scanned("x");
      const half = ir.generate([32, 4], ([i, j]) => s.neg(loadScalar(x, [scaleIndex(i, 2), j])));
      return [after(exp(x)), after(half)];
    };
    expect(places(shared)).toEqual(["elsewhere", "elsewhere"]);
  });

  it("joins inside loops and branches", () => {
    const build = (): Value[] => {
      const initial = [ir.full("int32", [], 0), feed([8, 8], "h"), feed([5], "g")];
      const condition = ir.region(initial, i => [ir.map(n => s.lt(n, 4), i)]);
      const body = ir.region(initial, (i, h, g) => [
        ir.map(n => s.add(n, 1), i),
        ir.map(a => s.mul(a, 0.5), h),
        ir.map(a => s.mul(a, 0.25), g),
      ]);
      return [...ir.loop(initial, condition, body)].slice(1);
    };
    expect(kindsFor(build)).toMatch(/loop\(map \| sweep\(map map map\)\)$/);
  });
});
