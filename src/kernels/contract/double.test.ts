// Products in double precision against the reference: outputs poisoned, every access checked, phases cut.

import { expect, test } from "vitest";
import { compareBackends } from "../../../test/backends/compare-backends.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf } from "../../base/shape.ts";
import { ProgramBuilder } from "../../ir/build.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { schedule } from "../../schedule/index.ts";
import type { ContractKernel } from "./plan.ts";
import { wayOf } from "./way.ts";
import { scheduleTarget } from "../scratch.ts";
import { wasmTarget } from "../target.ts";

let seed = 3;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
};

const product = (batch: number, rows: number, terms: number, columns: number) => ({
  shapes: [
    [batch, rows, terms],
    [batch, terms, columns],
  ],
  of: (a: Value, b: Value): Value =>
    ir.contract([batch, rows, columns], [terms], ([n, i, j], [r]) => [ir.operand(a, [n, i, r]), ir.operand(b, [n, r, j])]),
});

const convolution = {
  shapes: [
    [2, 6, 7, 3],
    [3, 3, 3, 5],
  ],
  of: (x: Value, f: Value): Value =>
    ir.contract([2, 6, 7, 5], [3, 3, 3], ([n, y, z, k], [ky, kx, c]) => [
      ir.operand(x, [n, addIndex(addIndex(y, ky), constantIndex(-1)), addIndex(addIndex(z, kx), constantIndex(-1)), c]),
      ir.operand(f, [ky, kx, c, k]),
    ]),
};

test.each([product(1, 13, 9, 8), product(1, 1, 40, 7), product(3, 6, 5, 3), product(1, 4, 300, 2), convolution])(
  "$shapes",
  async ({ shapes, of }) => {
    for (const relaxedMadd of [false, true]) {
      const target = wasmTarget({ relaxedMadd });
      const builder = new ProgramBuilder();
      const results = ir.building(builder, () => {
        const [a, b] = shapes.map((shape, i) => ir.feed(String(i), "float64", shape));
        const sums = of(a, b);
        return [relaxedMadd ? sums : ir.map(sum => s.mul(sum, 2), sums)];
      });
      const program = { steps: builder.root, results };
      const { kernels } = schedule(program, scheduleTarget(target));
      expect(wayOf(kernels.find(({ kind }) => kind === "contract") as ContractKernel, target).kind).toBe("double");
      const feeds = new Map(
        shapes.map((shape, i) => [String(i), new NDArray("float64", shape, Float64Array.from({ length: sizeOf(shape) }, random))]),
      );
      const { fault } = await compareBackends({ program, feeds, states: new Map() }, { within: 1e-12, target });
      expect(fault).toBeUndefined();
    }
  },
);
