// What steps read: also through loaded indices, guards, contractions and regions.
import { describe, expect, it } from "vitest";
import * as b from "./build.ts";
import { dataIndex } from "./index-map.ts";
import type { Step, Value } from "./program.ts";
import { s } from "./scalar.ts";
import { capturesOf, inputsOf } from "./traverse.ts";

function lastStep(make: (x: Value, ids: Value, flag: Value) => unknown): { step: Step; x: Value; ids: Value; flag: Value } {
  const builder = new b.ProgramBuilder();
  return b.building(builder, () => {
    const [x, ids, flag] = [b.feed("x", "float32", [4]), b.feed("ids", "int32", [4]), b.feed("flag", "bool", [])];
    make(x, ids, flag);
    return { step: builder.root[builder.root.length - 1], x, ids, flag };
  });
}

describe("inputsOf", () => {
  it("finds what indices are loaded from, each value once", () => {
    const { step, x, ids } = lastStep((x, ids) =>
      b.generate([4], ([i]) => {
        const row = s.load(x, [dataIndex(s.load(ids, [i]), 4)]);
        return s.add(row, s.guard([{ index: i, low: 0, high: 2 }], s.load(x, [i]), row));
      }),
    );
    expect(inputsOf(step)).toHaveLength(2);
    expect(new Set(inputsOf(step))).toEqual(new Set([x, ids]));
  });

  it("finds operands, bases, updates and what an error reads", () => {
    const contracted = lastStep(x => b.contract([], [4], (_, [r]) => [b.operand(x, [r]), b.operand(x, [r])]));
    expect(inputsOf(contracted.step)).toEqual([contracted.x]);
    const scattered = lastStep((x, ids) => b.scatter("add", x, [4], ([r]) => ({ at: [s.load(ids, [r])], body: s.constant("float32", 1) })));
    expect(inputsOf(scattered.step)).toEqual([scattered.ids, scattered.x]);
    const checked = lastStep((x, _, flag) => b.check([], () => s.load(flag, []), { label: "c", reads: [x], error: () => new Error() }));
    expect(inputsOf(checked.step)).toEqual([checked.flag, checked.x]);
  });
});

describe("capturesOf", () => {
  it("are what a region reads and does not make, inner regions and results included", () => {
    const { step, x, ids, flag } = lastStep((x, ids, flag) => {
      const inner = (): readonly Value[] => [b.map(v => s.neg(v), x)];
      b.branch(flag, [b.region([], () => b.branch(flag, [b.region([], inner)])), b.region([], () => [b.cast(ids, "float32")])]);
    });
    const { cases } = step as Extract<Step, { kind: "branch" }>;
    expect(cases.map(capturesOf)).toEqual([[flag, x], [ids]]);
    expect(inputsOf(step)).toEqual([flag, x, ids]);
  });

  it("leave out parameters", () => {
    const { step, x, flag } = lastStep((x, _, flag) => {
      const params = [{ dtype: "float32", shape: [4] }] as const;
      b.loop(
        [x],
        b.region(params, () => [flag]),
        b.region(params, y => [b.map(v => s.neg(v), y)]),
      );
    });
    const { condition, body } = step as Extract<Step, { kind: "loop" }>;
    expect([condition, body].map(capturesOf)).toEqual([[flag], []]);
    expect(inputsOf(step)).toEqual([x, flag]);
  });
});
