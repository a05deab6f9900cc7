// Room for wider machines: whole plans recorded for vectors of 256 and 512 bits pass the verifier, say no width but the target's, and keep
// no more vectors alive in the tiles of contractions than it has registers.
import { describe, expect, it } from "vitest";
import { record } from "../../src/kernels/index.ts";
import type { KernelFunction } from "../../src/kernels/language/language.ts";
import { liveRanges } from "../../src/kernels/language/live-ranges.ts";
import { printModule } from "../../src/kernels/language/print-kernels.ts";
import { scheduleTarget } from "../../src/kernels/scratch.ts";
import { type Target, wasmTarget } from "../../src/kernels/target.ts";
import { schedule } from "../../src/schedule/index.ts";
import * as known from "../plans/known-programs.ts";

const wide = (name: string, vectorBytes: number, vectorRegisters: number, tile: { rows: number; columns: number }): Target => ({
  ...wasmTarget({ relaxedMadd: true, threads: 2 }),
  ...{ name, vectorBytes, vectorRegisters, lanes32: vectorBytes / 4, lanes64: vectorBytes / 8, tiles: [tile] },
});

const usual = wasmTarget({ relaxedMadd: true, threads: 2 });
const targets = [usual, wide("avx2", 32, 16, { rows: 6, columns: 16 }), wide("avx512", 64, 32, { rows: 12, columns: 32 })];
const { softmax, convolutionLayer, adamStep, sparseUpdate, recurrentLoop, layerNorm } = known;
/** The most vectors that are alive at once. */
function mostVectors({ locals, params, body }: KernelFunction): number {
  const ranges = liveRanges(locals.length, params.length, body).filter((_, id) => locals[id].type === "vec");
  return Math.max(0, ...ranges.map(({ first }) => ranges.filter(other => other.first <= first && first < other.last).length));
}

const programs = Object.entries({ softmax, convolutionLayer, adamStep, sparseUpdate, recurrentLoop, layerNorm });

describe.each(targets)("for $name", target => {
  it.each(programs)("%s is recorded and verified", (_, make) => {
    const plan = schedule(make(), scheduleTarget(target));
    const { module } = record(plan, target, { isVerified: true });
    expect(module.target).toBe(target);
    // A vector of numbers has as many as there are lanes.
    for (const [, numbers] of printModule(module).matchAll(/[fi]32x\((-?[\d.e+-]+(?:, -?[\d.e+-]+)+)\)/g))
      expect(numbers.split(", ")).toHaveLength(target.lanes32);
    for (const fn of module.functions.filter(({ name }) => name.includes(".tile")))
      expect(mostVectors(fn), fn.name).toBeLessThanOrEqual(target.vectorRegisters);
  });
});
