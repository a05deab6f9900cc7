// Dead code: what stays is what a run is for. Each case names the kinds of steps that remain.
import { describe, expect, it } from "vitest";
import { program, variable } from "../../test/plans/known-programs.ts";
import * as ir from "../ir/build.ts";
import type { Program, Step } from "../ir/program.ts";
import { loadScalar, s } from "../ir/scalar.ts";
import { removeDead } from "./dead-code.ts";

const kinds = ({ steps }: Pick<Program, "steps">): string[] => steps.map(step => step.kind);
const stepOf = <K extends Step["kind"]>({ steps }: Program, kind: K) =>
  steps.find(step => step.kind === kind) as Extract<Step, { kind: K }>;

describe("removeDead", () => {
  it("drops steps that no result, check, call or update rests on", () => {
    const given = program(() => {
      const x = ir.feed("x", "float32", [4]);
      const y = ir.feed("y", "float32", [4]);
      ir.map(a => s.exp(a), y);
      ir.check([4], ([i]) => s.lt(loadScalar(x, [i]), 1), { label: "small", reads: [], error: () => new Error("large") });
      return [ir.map(a => s.neg(a), x)];
    });
    expect(kinds(removeDead(given))).toEqual(["feed", "check", "map"]);
  });

  it("keeps the last update of a state only", () => {
    const given = program(() => {
      const v = variable("v", [2]);
      const x = ir.feed("x", "float32", [2]);
      ir.updateState(
        v,
        ir.map(a => s.exp(a), x),
      );
      ir.updateState(
        v,
        ir.map(a => s.neg(a), x),
      );
      return [];
    });
    const [, map, update] = removeDead(given).steps;
    expect(kinds(removeDead(given))).toEqual(["feed", "map", "update"]);
    expect(map).toMatchObject({ body: { fn: "neg" } });
    expect(update).toMatchObject({ value: (map as Extract<Step, { kind: "map" }>).out });
  });

  it("drops results of branches that nobody reads, and branches without any", () => {
    const given = program(() => {
      const x = ir.feed("x", "float32", [2]);
      const choice = ir.feed("choice", "bool", []);
      const region = () => ir.region([], () => [ir.map(a => s.exp(a), x), ir.map(a => s.neg(a), x)]);
      ir.branch(choice, [region(), region()]);
      return [ir.branch(choice, [region(), region()])[1]];
    });
    const kept = removeDead(given);
    expect(kinds(kept)).toEqual(["feed", "feed", "branch"]);
    const branch = stepOf(kept, "branch");
    expect(branch.outs).toHaveLength(1);
    expect(branch.cases.map(kinds)).toEqual([["map"], ["map"]]);
  });

  it("drops what a loop carries for nothing, and keeps what decides its end or feeds what stays", () => {
    const given = program(() => {
      const x = ir.feed("x", "float32", [2]);
      const zero = ir.full("int32", [], 0);
      const initial = [zero, x, x, x];
      const condition = ir.region(initial, i => [ir.map(n => s.lt(n, 3), i)]);
      const body = ir.region(initial, (i, a, b, c) => [
        ir.map(n => s.add(n, 1), i),
        ir.map(v => s.add(v, 1), b),
        b,
        ir.map(v => s.exp(v), c),
      ]);
      return [ir.loop(initial, condition, body)[1]];
    });
    const loop = stepOf(removeDead(given), "loop");
    expect(loop.outs).toHaveLength(3);
    expect([loop.condition.params.length, loop.body.params.length, loop.body.results.length, loop.initial.length]).toEqual([3, 3, 3, 3]);
    expect(kinds(loop.body)).toEqual(["map", "map"]);
  });

  it("keeps calls and checks inside regions whose values nobody reads", () => {
    const given = program(() => {
      const x = ir.feed("x", "float32", [2]);
      const calling = ir.region([], () => {
        ir.call({ name: "print", run: () => {} }, [x], []);
        return [x];
      });
      ir.branch(ir.feed("choice", "bool", []), [calling, ir.region([], () => [x])]);
      return [];
    });
    const branch = stepOf(removeDead(given), "branch");
    expect(branch.outs).toHaveLength(0);
    expect(branch.cases.map(kinds)).toEqual([["call"], []]);
  });

  it("refuses updates inside regions", () => {
    const given = program(() => {
      const x = ir.feed("x", "float32", [2]);
      const region = () =>
        ir.region([], () => {
          ir.updateState(variable("v", [2]), x);
          return [x];
        });
      return [...ir.branch(ir.feed("choice", "bool", []), [region(), region()])];
    });
    expect(() => removeDead(given)).toThrow(/update stands inside a branch/);
  });
});
