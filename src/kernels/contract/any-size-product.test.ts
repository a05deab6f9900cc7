// Products of matrices for any size against the reference, where rows and columns fill no tile; sizes share one code.

import { expect, test } from "vitest";
import { sameAsReference } from "../../../test/backends/convolutions.ts";
import * as ir from "../../ir/build.ts";
import { ProgramBuilder } from "../../ir/build.ts";
import type { Value } from "../../ir/program.ts";
import { loadScalar, s } from "../../ir/scalar.ts";
import { schedule } from "../../schedule/index.ts";
import { type AnySizeKernel, keyOf, recordAnySize } from "../any-size.ts";
import { ModuleRecorder } from "../language/recorder.ts";
import { wasmTarget } from "../target.ts";

let seed = 3;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
};

const sizes = [
  [4, 5, 8],
  [9, 17, 23],
  [3, 6, 10],
  [7, 300, 13],
  [6, 4, 3],
] as const;

const product = (rows: number, terms: number, columns: number, a: Value, b: Value, isTurned = false): Value =>
  ir.contract([rows, columns], [terms], ([i, j], [r]) => [ir.operand(a, isTurned ? [r, i] : [i, r]), ir.operand(b, [r, j])]);

/** max(a·b + bias, 0), which is stored where the sums are. */
const layer = (a: Value, b: Value, bias: Value, sums: Value): Value =>
  ir.generate(sums.shape, ([i, j]) => s.max(s.add(loadScalar(sums, [i, j]), loadScalar(bias, [j])), 0));

test.each(sizes)("%i×%i · ×%i", async (rows, terms, columns) => {
  const options = { within: 1e-4, anySize: true, target: wasmTarget({ relaxedMadd: terms % 2 === 0 }) };
  await sameAsReference(
    [[rows, terms], [terms, columns], [columns]],
    random,
    (a, b, bias) => [layer(a, b, bias, product(rows, terms, columns, a, b))],
    options,
  );
  await sameAsReference(
    [
      [terms, rows],
      [terms, columns],
    ],
    random,
    (a, b) => [product(rows, terms, columns, a, b, true)],
    options,
  );
});

test("batches, and sums over two axes", () =>
  sameAsReference(
    [
      [3, 6, 5, 4],
      [3, 4, 5, 11],
    ],
    random,
    (a, b) => [ir.contract([3, 6, 11], [5, 4], ([n, i, j], [r, q]) => [ir.operand(a, [n, i, r, q]), ir.operand(b, [n, q, r, j])])],
    { within: 1e-4, anySize: true },
  ));

test("one code for all sizes", () => {
  const texts = sizes.map(([rows, terms, columns]) => {
    const builder = new ProgramBuilder();
    const results = ir.building(builder, () => [
      product(rows, terms, columns, ir.feed("0", "float32", [rows, terms]), ir.feed("1", "float32", [terms, columns])),
    ]);
    const { kernels } = schedule({ steps: builder.root, results }, { alignment: 64, isAnySize: true, scratchBytes: () => 0 });
    return keyOf(recordAnySize(kernels[0] as AnySizeKernel, new ModuleRecorder(wasmTarget()), "kernel").code);
  });
  expect(new Set(texts).size).toBe(1);
});
