// Products by blocks against the reference: outputs poisoned, every access checked, phases cut.

import { expect, test } from "vitest";
import { sameAsReference } from "../../../test/backends/convolutions.ts";
import { ProgramBuilder } from "../../ir/build.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex, type Index, scaleIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { schedule } from "../../schedule/index.ts";
import { type BlocksPlan, planBlocks } from "./blocks-plan.ts";
import { type ContractKernel, formOf } from "./plan.ts";
import { wayOf } from "./way.ts";
import { scheduleTarget } from "../scratch.ts";
import { wasmTarget } from "../target.ts";

let seed = 5;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
};

interface Case {
  readonly name: string;
  readonly shapes: readonly [readonly number[], readonly number[]];
  readonly of: (a: Value, b: Value) => Value;
  readonly plan: Partial<BlocksPlan>;
  /** Takes long in the reference, whose sums round more. */
  readonly isLarge?: boolean;
}

const turned = ([i, j]: readonly [Index, Index], isTurned: boolean): Index[] => (isTurned ? [j, i] : [i, j]);

function product(rows: number, terms: number, columns: number, isA: boolean, isB: boolean, plan: Partial<BlocksPlan>): Case {
  return {
    name: `${rows}×${terms}${isA ? " turned" : ""} · ${terms}×${columns}${isB ? " turned" : ""}`,
    shapes: [isA ? [terms, rows] : [rows, terms], isB ? [columns, terms] : [terms, columns]],
    of: (a, b) =>
      ir.contract([rows, columns], [terms], ([i, j], [r]) => [ir.operand(a, turned([i, r], isA)), ir.operand(b, turned([r, j], isB))]),
    plan,
  };
}

/** The filter's gradient of a convolution with stride 2: taps × channels are rows, images of pixels are summed over. */
const strided = (r: number, n: number, size: number, c: number, f: number, plan: Partial<BlocksPlan>): Case => ({
  name: `${r}×${r} windows, stride 2`,
  shapes: [
    [n, size, size, c],
    [n, size / 2, size / 2, f],
  ],
  of: (x, dy) =>
    ir.contract([r, r, c, f], [n, size / 2, size / 2], ([ky, kx, ci, k], [b, y, z]) => {
      const at = (pixel: Index, tap: Index): Index => addIndex(addIndex(scaleIndex(pixel, 2), tap), constantIndex(-(r >> 1)));
      return [ir.operand(x, [b, at(y, ky), at(z, kx), ci]), ir.operand(dy, [b, y, z, k])];
    }),
  plan,
});

const cases: readonly Case[] = [
  product(13, 5, 3, false, false, { copyA: "none", copyB: "own", blocks: 1, slices: 1 }),
  product(50, 37, 150, false, false, { copyA: "shared", copyB: "own" }),
  product(50, 37, 150, true, true, { copyA: "shared", copyB: "own" }),
  product(20, 1030, 70, false, false, { copyA: "shared", copyB: "own", blocks: 3 }),
  product(20, 1030, 70, true, true, { copyA: "shared", copyB: "own", blocks: 3 }),
  product(300, 515, 11, false, false, { copyA: "none", copyB: "shared", blocks: 2 }),
  product(41, 515, 45, true, false, { copyA: "own", copyB: "own", blocks: 2 }),
  product(30, 1600, 32, true, false, { copyA: "own", slices: 3, blocks: 4 }),
  product(60, 1600, 13, false, true, { copyA: "none", slices: 2, blocks: 4 }),
  product(33, 10, 90, false, true, { isShallow: true, tile: { rows: 2, columns: 16 }, copyA: "none", copyB: "own" }),
  product(900, 31, 48, false, false, { isShallow: true, copyA: "none", copyB: "shared", columnBlocks: 1 }),
  product(26, 3, 37, true, false, { isShallow: true, copyA: "none" }),
  // What passes by once is read ahead: rows where they lie, and both operands of long sums.
  { ...product(25_003, 33, 9, false, false, { copyA: "none", columnBlocks: 1 }), isLarge: true },
  { ...product(13, 22_501, 34, true, false, { copyA: "own", copyB: "own", rowBlocks: 1, columnBlocks: 1, slices: 16 }), isLarge: true },
  strided(3, 2, 16, 8, 36, { copyA: "own", copyB: "shared", depth: 0, outerRows: 3 }),
  strided(3, 2, 50, 5, 9, { copyA: "none", depth: 1, outerRows: 3 }),
  strided(1, 3, 12, 16, 40, { copyA: "own", copyB: "own", outerRows: 1 }),
];

function kernelOf({ shapes, of }: Case): ContractKernel {
  const builder = new ProgramBuilder();
  const results = ir.building(builder, () => {
    const [a, b] = shapes.map((shape, i) => ir.feed(String(i), "float32", shape));
    return [of(a, b)];
  });
  const target = wasmTarget();
  const { kernels } = schedule({ steps: builder.root, results }, scheduleTarget(target));
  return kernels.find(({ kind }) => kind === "contract") as ContractKernel;
}

test.each(cases)("$name", async given => {
  const { shapes, of, plan, isLarge = false } = given;
  const kernel = kernelOf(given);
  const form = formOf(kernel);
  expect(form && planBlocks(form, kernel, wasmTarget({ relaxedMadd: true }))).toMatchObject(plan);
  for (const relaxedMadd of isLarge ? [true] : [false, true])
    await sameAsReference(
      shapes,
      random,
      (a, b) => {
        const sums = of(a, b);
        return relaxedMadd ? [sums] : [ir.map(sum => s.max(s.mul(sum, 2), 0), sums)];
      },
      { within: isLarge ? 1e-3 : 1e-4, target: wasmTarget({ relaxedMadd }) },
    );
});

test.each([
  [64, 40, 10, "none"],
  [1024, 60, 7, "own"],
])("%i×%i turned · ×%i columns are rows of vectors seen the other way round, copied: %s", async (rows, terms, columns, copyB) => {
  const given = product(rows, terms, columns, true, false, {});
  const way = wayOf(kernelOf(given), wasmTarget({ relaxedMadd: true }));
  expect(way).toMatchObject({ kind: "blocks", plan: { column: { size: rows, out: columns }, rows: [{ size: columns }], copyB } });
  for (const relaxedMadd of [false, true])
    await sameAsReference(
      given.shapes,
      random,
      (a, b) => {
        const sums = given.of(a, b);
        return relaxedMadd ? [sums] : [ir.map(sum => s.max(s.mul(sum, 2), 0), sums)];
      },
      { within: 1e-4, target: wasmTarget({ relaxedMadd }) },
    );
});

test("a few rows, batches and windows in rows of pixels are left to others", () => {
  const target = wasmTarget();
  for (const given of [
    product(4, 50, 50, false, false, {}),
    {
      ...product(1, 1, 1, false, false, {}),
      shapes: [
        [3, 20, 30],
        [3, 30, 40],
      ],
      of: (a: Value, b: Value): Value =>
        ir.contract([3, 20, 40], [30], ([n, i, j], [r]) => [ir.operand(a, [n, i, r]), ir.operand(b, [n, r, j])]),
    } as Case,
    {
      ...product(1, 1, 1, false, false, {}),
      shapes: [
        [2, 9, 9, 3],
        [3, 3, 3, 8],
      ],
      of: (x: Value, f: Value): Value =>
        ir.contract([2, 7, 7, 8], [3, 3, 3], ([n, y, z, k], [ky, kx, ci]) => [
          ir.operand(x, [n, addIndex(y, ky), addIndex(z, kx), ci]),
          ir.operand(f, [ky, kx, ci, k]),
        ]),
    } as Case,
  ]) {
    const kernel = kernelOf(given);
    const form = formOf(kernel);
    expect(form).toBeDefined();
    expect(form && planBlocks(form, kernel, target)).toBeUndefined();
  }
});
