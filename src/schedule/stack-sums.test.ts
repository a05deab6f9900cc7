// Which sums of contractions become one over stacked operands. Every Plan here is also run against the reference, and on the wasm backend.
import { describe, expect, it } from "vitest";
import { compareBackends } from "../../test/backends/compare-backends.ts";
import { filled } from "../../test/backends/on-threads.ts";
import { planOf } from "../../test/plans/check-plan.ts";
import { matmul, program } from "../../test/plans/known-programs.ts";
import * as ir from "../ir/build.ts";
import type { Value } from "../ir/program.ts";
import { s } from "../ir/scalar.ts";
import { printPlan } from "./index.ts";

const feed = (name: string, ...shape: number[]): Value => ir.feed(name, "float32", shape);
const feeds = (name: string, count: number, ...shape: number[]): Value[] =>
  Array.from({ length: count }, (_, t) => feed(`${name}${t}`, ...shape));
const sumOf = (terms: readonly Value[]): Value => ir.map((first, ...rest) => rest.reduce((sum, term) => s.add(sum, term), first), ...terms);
const turned = (x: Value): Value => ir.transpose(x, [1, 0]);

/** The contractions and reductions of a plan in any order, once all ways to run it agree. */
async function sumsIn(build: () => readonly Value[]): Promise<string[]> {
  const made = program(build);
  expect((await compareBackends(filled(made))).fault).toBeUndefined();
  const text = printPlan(planOf(made));
  return (text.match(/^ *(contract|reduce) \[[\d,]*\] over \[[\d,]*\]/gm) ?? []).map(line => line.trim()).sort();
}

describe("a sum of contractions alike", () => {
  const gradients = (count: number, rows = 4): (() => Value[]) => {
    return () => {
      const [x, dy] = [feeds("x", count, rows, 20), feeds("dy", count, rows, 24)];
      return [sumOf(x.map((each, t) => matmul(turned(each), dy[t])))];
    };
  };

  it("is one over the stacked operands", async () => expect(await sumsIn(gradients(6))).toEqual(["contract [20,24] over [6,4]"]));
  it("stays where it has few terms", async () => expect(await sumsIn(gradients(3))).toEqual(Array(3).fill("contract [20,24] over [4]")));
  it("stays where its operands are larger than its results", async () =>
    expect(await sumsIn(gradients(4, 16))).toEqual(Array(4).fill("contract [20,24] over [16]")));

  it("leaves alone what somebody else reads, and what is not alike", async () =>
    expect(
      await sumsIn(() => {
        const [x, dy] = [feeds("x", 6, 4, 20), feeds("dy", 6, 4, 24)];
        const products = x.map((each, t) => matmul(turned(each), dy[t]));
        const other = matmul(turned(feed("y", 5, 20)), feed("dz", 5, 24));
        return [sumOf([other, ...products, feed("more", 20, 24)]), products[2]];
      }),
    ).toEqual(["contract [20,24] over [4]", "contract [20,24] over [5,4]", "contract [20,24] over [5]"]));

  it("stays where all have a factor in common", async () =>
    expect(
      await sumsIn(() => {
        const [x, dy] = [feed("x", 4, 20), feeds("dy", 5, 4, 24)];
        return [sumOf(dy.map(each => matmul(turned(x), each)))];
      }),
    ).toEqual(Array(5).fill("contract [20,24] over [4]")));

  it("brings the sums of what it stacks along, under another shape, too", async () =>
    expect(
      await sumsIn(() => {
        const [x, dy] = [feeds("x", 5, 4, 20), feeds("dy", 5, 4, 24)];
        const bias = dy.map(each => ir.reshape(ir.reduce("sum", each, [0], { keepDims: true }), [24]));
        return [sumOf([feed("b", 24), ...bias]), sumOf(x.map((each, t) => matmul(turned(each), dy[t])))];
      }),
    ).toEqual(["contract [20,24] over [5,4]", "reduce [1,24] over [5,4]"]));

  it("inside a loop", async () =>
    expect(
      await sumsIn(() => {
        const [x, dy] = [feeds("x", 5, 4, 20), feeds("dy", 5, 4, 24)];
        const initial = [ir.full("int32", [], 0), ir.zeros("float32", [20, 24])];
        const condition = ir.region(initial, i => [ir.map(n => s.lt(n, 3), i)]);
        const body = ir.region(initial, (i, sum) => {
          const scaled = x.map(each => ir.map((a, n) => s.max(s.mul(a, s.cast(n, "float32")), 0), each, i));
          return [ir.map(n => s.add(n, 1), i), sumOf([sum, ...scaled.map((each, t) => matmul(turned(each), dy[t]))])];
        });
        return [ir.loop(initial, condition, body)[1]];
      }),
    ).toEqual(["contract [20,24] over [5,4]"]));
});
