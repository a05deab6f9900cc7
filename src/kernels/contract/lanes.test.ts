// Filter gradients of depthwise convolutions against the reference: outputs poisoned, every access checked, phases cut.

import { describe, expect, test } from "vitest";
import { sameAsReference } from "../../../test/backends/convolutions.ts";
import { ProgramBuilder } from "../../ir/build.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex, scaleIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { schedule } from "../../schedule/index.ts";
import type { ContractKernel } from "./plan.ts";
import { wayOf } from "./way.ts";
import { scheduleTarget } from "../scratch.ts";
import { wasmTarget } from "../target.ts";

let seed = 11;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
};

interface Depthwise {
  readonly n: number;
  readonly h: number;
  readonly w: number;
  readonly c: number;
  readonly r: number;
  readonly stride: number;
}

const outOf = (size: number, { stride }: Depthwise): number => Math.ceil(size / stride);

const filterGradient = (sizes: Depthwise, x: Value, dy: Value): Value => {
  const { n, h, w, c, r, stride } = sizes;
  return ir.contract([r, r, c], [n, outOf(h, sizes), outOf(w, sizes)], ([ky, kx, ci], [b, y, z]) => [
    ir.operand(x, [
      b,
      ...(
        [
          [y, ky],
          [z, kx],
        ] as const
      ).map(([at, tap]) => addIndex(addIndex(scaleIndex(at, stride), tap), constantIndex(-(r >> 1)))),
      ci,
    ]),
    ir.operand(dy, [b, y, z, ci]),
  ]);
};

describe("filter gradients of depthwise convolutions", () => {
  test.each([
    { n: 2, h: 9, w: 11, c: 20, r: 3, stride: 1 },
    { n: 1, h: 7, w: 300, c: 4, r: 3, stride: 1 },
    { n: 3, h: 9, w: 8, c: 36, r: 5, stride: 2 },
    // Windows larger than images, edges alone along an axis, and so many edges that the image is copied.
    { n: 40, h: 1, w: 2, c: 8, r: 3, stride: 1 },
    { n: 2, h: 9, w: 9, c: 4, r: 7, stride: 1 },
  ])("$n×$h×$w×$c, $r×$r, stride $stride", async sizes => {
    const { n, h, w, c, r } = sizes;
    const shapes = [
      [n, h, w, c],
      [n, outOf(h, sizes), outOf(w, sizes), c],
    ];
    for (const relaxedMadd of [false, true])
      await sameAsReference(
        shapes,
        random,
        (x, dy) => {
          const sums = filterGradient(sizes, x, dy);
          return r === 3 ? [sums] : [ir.map(sum => s.mul(sum, 2), sums)];
        },
        { within: 1e-4, target: wasmTarget({ relaxedMadd }) },
      );
  });

  test("keep their taps in registers", () => {
    const sizes = { n: 2, h: 9, w: 11, c: 20, r: 3, stride: 1 };
    const builder = new ProgramBuilder();
    const results = ir.building(builder, () => {
      const [x, dy] = ["0", "1"].map(name => ir.feed(name, "float32", [2, 9, 11, 20]));
      return [filterGradient(sizes, x, dy)];
    });
    const target = wasmTarget();
    const { kernels } = schedule({ steps: builder.root, results }, scheduleTarget(target));
    const [kernel] = kernels.filter(({ kind }) => kind === "contract");
    expect(wayOf(kernel as ContractKernel, target).kind).toBe("lanes");
    // Images are read where they lie, whatever is outside of them.
    expect(wayOf(kernel as ContractKernel, target).scratch).toEqual([]);
    // Asked before for its scratch, and not decided again.
    expect(wayOf(kernel as ContractKernel, target)).toBe(wayOf(kernel as ContractKernel, target));
  });
});
