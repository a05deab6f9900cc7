// Room for wider machines: whole plans recorded for vectors of 256 and 512 bits pass the verifier, and say no width but the target's.
import { describe, expect, it } from "vitest";
import { record } from "../../src/kernels/index.ts";
import { printModule } from "../../src/kernels/print-kernels.ts";
import { scratchBytesOf } from "../../src/kernels/scratch.ts";
import { type Target, wasmTarget } from "../../src/kernels/target.ts";
import { schedule } from "../../src/schedule/index.ts";
import * as known from "../plans/known-programs.ts";

const wide = (name: string, vectorBytes: number, vectorRegisters: number, tile: { rows: number; columns: number }): Target => ({
  ...wasmTarget({ relaxedMadd: true, threads: 2 }),
  ...{ name, vectorBytes, vectorRegisters, lanes32: vectorBytes / 4, lanes64: vectorBytes / 8, tiles: [tile] },
});

const targets = [wide("avx2", 32, 16, { rows: 6, columns: 16 }), wide("avx512", 64, 32, { rows: 12, columns: 32 })];
const { softmax, convolutionLayer, adamStep, sparseUpdate, recurrentLoop, layerNorm } = known;
const programs = Object.entries({ softmax, convolutionLayer, adamStep, sparseUpdate, recurrentLoop, layerNorm });

describe.each(targets)("for $name", target => {
  it.each(programs)("%s is recorded and verified", (_, make) => {
    const plan = schedule(make(), { alignment: target.alignment, scratchBytes: kernel => scratchBytesOf(kernel, target) });
    const { module } = record(plan, target, { isVerified: true });
    expect(module.target).toBe(target);
    // A vector of numbers has as many as there are lanes.
    for (const [, numbers] of printModule(module).matchAll(/[fi]32x\((-?[\d.e+-]+(?:, -?[\d.e+-]+)+)\)/g))
      expect(numbers.split(", ")).toHaveLength(target.lanes32);
  });
});
