// Which contractions read one copy of their weights. Every Plan here is also run against the reference, with every access checked.
import { describe, expect, it } from "vitest";
import { compareBackends } from "../../test/backends/compare-backends.ts";
import { filled } from "../../test/backends/on-threads.ts";
import { matmul, program, relu, variable } from "../../test/plans/known-programs.ts";
import * as ir from "../ir/build.ts";
import type { Value } from "../ir/program.ts";
import { s } from "../ir/scalar.ts";
import { wasmTarget } from "../kernels/target.ts";
import { scheduleTarget } from "../kernels/scratch.ts";
import { printPlan, schedule } from "./index.ts";

const feed = (name: string, ...shape: number[]): Value => ir.feed(name, "float32", shape);
const turned = (x: Value): Value => ir.transpose(x, [1, 0]);
const added = (a: Value, b: Value): Value => ir.map((x, y) => s.add(x, y), a, b);
const steps = (count: number, from: Value, step: (h: Value, t: number) => Value): Value =>
  Array.from({ length: count }, (_, t) => t).reduce((h, t) => step(h, t), from);

/** The panels that contractions of a plan are given, in their order, once the reference agrees; "-" for none. */
async function panelsIn(build: () => readonly Value[]): Promise<string> {
  const made = program(build);
  for (const threads of [1, 2]) expect((await compareBackends(filled(made), { target: wasmTarget({ threads }) })).fault).toBeUndefined();
  const text = printPlan(schedule(made, scheduleTarget(wasmTarget())));
  const names: string[] = [];
  return [...text.matchAll(/^ *contract .*?(?:, panels (\S+?),?)?(?:, scratch .*)?$/gm)]
    .map(([, name]) => {
      if (name === undefined) return "-";
      if (!names.includes(name)) names.push(name);
      return String.fromCharCode("a".charCodeAt(0) + names.indexOf(name));
    })
    .join("");
}

describe("the weights of an unrolled loop", () => {
  const chain = (count: number, rows: number, size: number): Promise<string> =>
    panelsIn(() => {
      const w = feed("w", size, size);
      return [steps(count, feed("x", rows, size), h => relu(matmul(h, w)))];
    });

  it("are copied once, by blocks and by tiles", async () => {
    expect(await chain(5, 16, 24)).toBe("aaaaa");
    expect(await chain(4, 6, 21)).toBe("aaaa");
  });
  it("are copied where they are used where few use them, and not where they are read as they lie", async () => {
    expect(await chain(3, 16, 24)).toBe("---");
    expect(await chain(5, 6, 24)).toBe("-----");
  });
  it("are copied with a last panel and a last block that are not whole", async () => {
    expect(await chain(4, 12, 19)).toBe("aaaa");
    const long = await panelsIn(() => {
      const w = feed("w", 1030, 19);
      return Array.from({ length: 4 }, (_, t) => matmul(feed(`x${t}`, 13, 1030), w));
    });
    expect(long).toBe("aaaa");
  });

  it("are two copies where they are read in two orders", async () =>
    expect(
      await panelsIn(() => {
        const w = feed("w", 32, 40);
        return [steps(4, feed("x", 16, 32), h => matmul(matmul(h, w), turned(w)))];
      }),
    ).toBe("abababab"));

  it("are copied anew once they have changed", async () =>
    expect(
      await panelsIn(() => {
        const x = feed("x", 16, 24);
        const state = variable("w", [24, 24]);
        const w = ir.readState(state, "w");
        const before = steps(4, x, h => relu(matmul(h, w)));
        const changed = added(w, matmul(turned(x), before));
        ir.updateState(state, changed);
        return [before, steps(4, x, h => relu(matmul(h, changed)))];
      }),
    ).toBe("aaaa-bbbb"));
});

describe("a loop of the module", () => {
  const looped = (weights: (w: Value, kept: Value) => Value): Promise<string> =>
    panelsIn(() => {
      const [x, w, kept] = [feed("x", 16, 24), feed("w", 24, 24), feed("kept", 24, 24)];
      const initial = [ir.full("int32", [], 0), x, w];
      const condition = ir.region(initial, at => [ir.map(i => s.lt(i, 3), at)]);
      const body = ir.region(initial, (at, h, changing) => [
        ir.map(i => s.add(i, 1), at),
        relu(matmul(h, weights(changing, kept))),
        ir.map(v => s.mul(v, 0.5), changing),
      ]);
      return [ir.loop(initial, condition, body)[1]];
    });

  it("has weights from outside copied before it", async () => expect(await looped((_, kept) => kept)).toBe("a"));
  it("copies weights that change in every pass", async () => expect(await looped(changing => changing)).toBe("-"));
  it("copies weights that it makes", async () => expect(await looped((changing, kept) => added(changing, kept))).toBe("-"));
});
