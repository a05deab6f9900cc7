// Updates of states and values carried around loops: in place where they can be, copied where they must be, right when they swap.
import { describe, expect, it } from "vitest";
import { kindsOf, planOf, someInputs, target } from "../../test/plans/check-plan.ts";
import { interpretUntilError } from "../../test/plans/interpret-plan.ts";
import { program, recurrentLoop, sparseUpdate, variable } from "../../test/plans/known-programs.ts";
import * as ir from "../ir/build.ts";
import type { Program, State, Value } from "../ir/program.ts";
import { loadScalar, s } from "../ir/scalar.ts";
import { planCounts, schedule } from "./index.ts";

const read = (state: State): Value => ir.readState(state, "reader");
const [a, b, c] = ["a", "b", "c"].map(id => variable(id, [4, 4]));
const next = (value: Value): Value => ir.map(x => s.add(s.mul(x, 0.5), 1), value);
const updating = (state: State, change: (old: Value) => Value): Program =>
  program(() => {
    ir.updateState(state, change(read(state)));
    return [];
  });
const copiesIn = (given: Program): number => planCounts(planOf(given)).copies;

describe("updates of states", () => {
  it("happen in place when nothing reads the old value afterwards", () => {
    expect(copiesIn(updating(a, next))).toBe(0);
    expect(copiesIn(sparseUpdate())).toBe(0);
  });

  it("wait for the other readers of the old value", () => {
    const given = program(() => {
      const old = read(a);
      ir.updateState(a, next(old));
      return [ir.reduce("sum", old, [0])];
    });
    expect(kindsOf(planOf(given).kernels)).toBe("reduce map");
  });

  it("are copied when a reader of the old value needs the new one", () => {
    const given = program(() => {
      const old = read(a);
      const made = next(old);
      ir.updateState(a, made);
      return [
        ir.reduce(
          "sum",
          ir.map((x, y) => s.mul(x, y), ir.transpose(old, [1, 0]), made),
          [0],
        ),
      ];
    });
    expect(kindsOf(planOf(given).kernels)).toBe("map reduce copy");
  });

  it("are copied when the new value reads the old one elsewhere", () => {
    expect(copiesIn(updating(a, old => ir.transpose(old, [1, 0])))).toBe(1);
  });

  it("may swap and rotate states", () => {
    const swap = program(() => {
      const [x, y] = [read(a), read(b)];
      ir.updateState(a, y);
      ir.updateState(b, x);
      return [x];
    });
    expect(copiesIn(swap)).toBe(4);
    const rotate = program(() => {
      const [x, y, z] = [read(a), read(b), read(c)];
      ir.updateState(a, y);
      ir.updateState(b, z);
      ir.updateState(c, next(x));
      return [];
    });
    planOf(rotate);
  });

  it("copy one state into another without a detour", () => {
    const given = program(() => {
      const [x, y] = [read(a), read(b)];
      ir.updateState(b, x);
      ir.updateState(a, next(x));
      return [ir.reduce("sum", y, [0])];
    });
    expect(kindsOf(planOf(given).kernels).split(" ").sort()).toEqual(["copy", "map", "reduce"]);
  });

  it("give two states one value", () => {
    const given = program(() => {
      const made = next(read(a));
      ir.updateState(a, made);
      ir.updateState(b, made);
      return [made];
    });
    const plan = planOf(given);
    expect(kindsOf(plan.kernels)).toBe("map copy");
    expect(plan.places.get(plan.results[0])).toMatchObject({ region: "state", state: { id: "a" } });
  });

  it("leave a fetched old value as it was", () => {
    const given = program(() => {
      const old = read(a);
      ir.updateState(a, next(old));
      return [old, ir.reshape(old, [16])];
    });
    planOf(given);
  });

  it("follow all checks, so that an error leaves every state untouched", () => {
    const checked = (check: (made: Value) => Value): Program =>
      program(() => {
        const made = next(read(a));
        ir.updateState(a, made);
        const seen = check(made);
        ir.check([4, 4], r => s.lt(loadScalar(seen, r), -1e9), { label: "small", reads: [seen], error: () => new Error("too large") });
        ir.updateState(b, next(read(b)));
        return [];
      });
    for (const given of [checked(made => made), checked(() => read(b))]) {
      const { feeds, states } = someInputs(given);
      const after = interpretUntilError(schedule(given, target), feeds, states);
      for (const [id, array] of states) expect(after.get(id)?.toArray()).toEqual(array.toArray());
    }
  });

  it("scatter into the memory of a state through the map that decays it", () => {
    const given = program(() => {
      const decayed = ir.map(x => s.mul(x, 0.9), read(a));
      const rows = ir.feed("rows", "int32", [2]);
      ir.updateState(
        a,
        ir.scatter("add", decayed, [2, 4], ([i, j]) => ({ at: [loadScalar(rows, [i]), s.index(j)], body: s.constant("float32", 1) })),
      );
      return [];
    });
    const plan = planOf(given);
    expect(kindsOf(plan.kernels)).toBe("map scatter");
    expect(plan.arenaBytes).toBe(64);
  });
});

describe("scatters", () => {
  it("do not write over a base that they read", () => {
    const given = program(() => {
      const base = ir.scan(read(b), 0, "sum");
      const rows = ir.feed("rows", "int32", [2]);
      const scattered = ir.scatter("add", base, [2, 4], ([i, j]) => ({
        at: [loadScalar(rows, [i]), s.index(j)],
        body: loadScalar(base, [i, j]),
      }));
      ir.updateState(a, scattered);
      return [];
    });
    expect(planOf(given).kernels.at(-1)).toMatchObject({ kind: "scatter", inPlace: false });
  });
});

describe("loops", () => {
  it("scatter in place into what they carry and copy nothing", () => {
    expect(copiesIn(recurrentLoop())).toBe(0);
  });

  const looped = (step: (x: Value, y: Value) => readonly Value[]): Program =>
    program(() => {
      const initial = [ir.full("int32", [], 0), ir.feed("x", "float32", [4]), ir.feed("y", "float32", [4])];
      const condition = ir.region(initial, i => [ir.map(n => s.lt(n, 5), i)]);
      const body = ir.region(initial, (i, x, y) => [ir.map(n => s.add(n, 1), i), ...step(x, y)]);
      return ir.loop(initial, condition, body).slice(1);
    });

  it("may swap what they carry", () => {
    expect(copiesIn(looped((x, y) => [y, x]))).toBe(3);
    planOf(looped((x, y) => [y, ir.map((p, q) => s.add(p, s.mul(q, 0.5)), x, y)]));
  });

  it("leave what does not change where it is", () => {
    expect(copiesIn(looped((x, y) => [ir.map((p, q) => s.add(p, q), x, y), y]))).toBe(0);
  });
});
