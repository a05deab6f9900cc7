// Gradients for inputs of convolutions with strides against the reference: what is cut, what is left of the products, and the results.

import { expect, test } from "vitest";
import { sameAsReference } from "../../../test/backends/convolutions.ts";
import { sizeOf } from "../../base/shape.ts";
import * as ir from "../../ir/build.ts";
import { ProgramBuilder } from "../../ir/build.ts";
import { addIndex, constantIndex, type Index, scaleIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { schedule } from "../../schedule/index.ts";
import { planParts } from "./parts.ts";
import type { ContractKernel } from "./plan.ts";
import { wasmTarget } from "../target.ts";

let seed = 11;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
};

interface Case {
  readonly name: string;
  /** Images, outputs along a side, channels of dy and of dx, taps, stride, zeros before. */
  readonly sizes: readonly [n: number, out: number, f: number, c: number, r: number, stride: number, before: number];
  readonly parts: number;
  readonly zeros: number;
  /** Products that are left, of those of all taps in all phases. */
  readonly share: number;
}

const cases: readonly Case[] = [
  { name: "3×3 by 2", sizes: [2, 6, 20, 24, 3, 2, 0], parts: 4, zeros: 0, share: 9 / 16 },
  { name: "3×3 by 2, padded before", sizes: [2, 7, 24, 13, 3, 2, 1], parts: 4, zeros: 0, share: 9 / 16 },
  { name: "3×3 by 2, sums in blocks", sizes: [1, 6, 200, 8, 3, 2, 1], parts: 4, zeros: 0, share: 9 / 16 },
  { name: "1×1 by 2", sizes: [2, 12, 40, 12, 1, 2, 0], parts: 1, zeros: 3, share: 1 / 4 },
  { name: "2×2 by 3", sizes: [1, 10, 26, 12, 2, 3, 0], parts: 4, zeros: 5, share: 4 / 9 },
  { name: "7×7 by 2 to few channels: phases of a row stay together", sizes: [1, 8, 25, 3, 7, 2, 2], parts: 2, zeros: 0, share: 7 / 8 },
];

function gradient([n, out, f, c, r, stride, before]: Case["sizes"], dy: Value, filter: Value): Value {
  const first = Math.ceil((before - r + 1) / stride);
  const seen = Math.floor((stride - 1 + before) / stride) - first + 1;
  return ir.contract([n, out, stride, out, stride, c], [seen, seen, f], ([b, y, ty, x, tx, ci], [my, mx, k]) => {
    const place = (p: Index, m: Index): Index => addIndex(addIndex(p, m), constantIndex(first));
    const tap = (t: Index, m: Index): Index => addIndex(addIndex(t, constantIndex(before - stride * first)), scaleIndex(m, -stride));
    return [ir.operand(dy, [b, place(y, my), place(x, mx), k]), ir.operand(filter, [tap(ty, my), tap(tx, mx), ci, k])];
  });
}

test.each(cases)("$name", async ({ sizes, parts, zeros, share }) => {
  const [n, out, f, c, r] = sizes;
  const shapes = [
    [n, out, out, f],
    [r, r, c, f],
  ];
  const builder = new ProgramBuilder();
  const results = ir.building(builder, () => {
    const [dy, filter] = shapes.map((shape, i) => ir.feed(String(i), "float32", shape));
    return [gradient(sizes, dy, filter)];
  });
  const { kernels } = schedule({ steps: builder.root, results }, { alignment: 64, scratchBytes: () => 0 });
  const kernel = kernels.find(({ kind }) => kind === "contract") as ContractKernel;
  const plan = planParts(kernel, wasmTarget());
  expect(plan).toMatchObject({ parts: { length: parts }, zeros: { length: zeros } });
  const left = plan?.parts.reduce((sum, { kernel: { shape, over } }) => sum + sizeOf(shape) * sizeOf(over), 0) ?? 0;
  expect(left / (sizeOf(kernel.shape) * sizeOf(kernel.over))).toBeCloseTo(share);
  for (const relaxedMadd of [false, true])
    await sameAsReference(
      shapes,
      random,
      (dy, filter) => {
        const sums = gradient(sizes, dy, filter);
        return relaxedMadd ? [sums] : [ir.map(sum => s.max(s.add(sum, 0.5), 0), sums)];
      },
      { within: 1e-4, target: wasmTarget({ relaxedMadd }) },
    );
});

test("images of a pixel or two take the taps that reach them", () => {
  const builder = new ProgramBuilder();
  const results = ir.building(builder, () => {
    const [x, filter] = [ir.feed("0", "float32", [40, 2, 2, 16]), ir.feed("1", "float32", [3, 3, 16, 32])];
    const at = (pixel: Index, tap: Index): Index => addIndex(addIndex(pixel, tap), constantIndex(-1));
    return [
      ir.contract([40, 2, 2, 32], [3, 3, 16], ([b, y, z, k], [ky, kx, ci]) => [
        ir.operand(x, [b, at(y, ky), at(z, kx), ci]),
        ir.operand(filter, [ky, kx, ci, k]),
      ]),
    ];
  });
  const { kernels } = schedule({ steps: builder.root, results }, { alignment: 64, scratchBytes: () => 0 });
  const plan = planParts(kernels.find(({ kind }) => kind === "contract") as ContractKernel, wasmTarget());
  expect(plan?.parts.map(({ kernel }) => kernel.over)).toEqual(Array.from({ length: 4 }, () => [2, 2, 16]));
});
