// Products of few columns against the reference: outputs poisoned, every access checked, phases cut.

import { expect, test } from "vitest";
import { sameAsReference } from "../../../test/backends/convolutions.ts";
import { ProgramBuilder } from "../../ir/build.ts";
import * as ir from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { schedule } from "../../schedule/index.ts";
import type { ContractKernel } from "./plan.ts";
import { wayOf } from "./way.ts";
import { scheduleTarget } from "../scratch.ts";
import { wasmTarget } from "../target.ts";

let seed = 7;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
};

const shapesOf = (rows: number, terms: number, columns: number, isTurned: boolean): [number[], number[]] => [
  [rows, terms],
  isTurned ? [columns, terms] : [terms, columns],
];

const product =
  (rows: number, terms: number, columns: number, isTurned: boolean) =>
  (a: Value, b: Value): Value =>
    ir.contract([rows, columns], [terms], ([i, j], [r]) => [ir.operand(a, [i, r]), ir.operand(b, isTurned ? [j, r] : [r, j])]);

function wayFor(rows: number, terms: number, columns: number, isTurned: boolean) {
  const builder = new ProgramBuilder();
  const results = ir.building(builder, () => {
    const [a, b] = shapesOf(rows, terms, columns, isTurned).map((shape, i) => ir.feed(String(i), "float32", shape));
    return [product(rows, terms, columns, isTurned)(a, b)];
  });
  const target = wasmTarget();
  const { kernels } = schedule({ steps: builder.root, results }, scheduleTarget(target));
  return wayOf(kernels.find(({ kind }) => kind === "contract") as ContractKernel, target);
}

test.each([
  [17, 259, 10, false, { tileRows: 2, groups: [5, 5] }],
  [17, 259, 10, true, { tileRows: 2, groups: [5, 5], turned: undefined }],
  [25, 147, 3, false, { tileRows: 3, groups: [3], pitch: 176 }],
  [14, 1024, 13, false, { tileRows: 2, groups: [5, 4, 4], pitch: 1040 }],
  [22, 96, 2, true, { tileRows: 4, groups: [2] }],
  [13, 351, 7, false, { tileRows: 2, groups: [4, 3] }],
])("%i×%i · ×%i, turned: %s", async (rows, terms, columns, isTurned, plan) => {
  expect(wayFor(rows, terms, columns, isTurned)).toMatchObject({ kind: "dots", plan });
  for (const relaxedMadd of [false, true])
    await sameAsReference(
      shapesOf(rows, terms, columns, isTurned),
      random,
      (a, b) => {
        const sums = product(rows, terms, columns, isTurned)(a, b);
        return relaxedMadd ? [sums] : [ir.map(sum => s.max(s.mul(sum, 2), 0), sums)];
      },
      { within: 1e-4, target: wasmTarget({ relaxedMadd }) },
    );
});

test("columns that fill lanes, short sums and long ones are left to others", () => {
  for (const [rows, terms, columns] of [
    [40, 300, 12],
    [40, 100, 10],
    [40, 2000, 10],
    [8, 300, 10],
  ])
    expect(wayFor(rows, terms, columns, false).kind).not.toBe("dots");
});
