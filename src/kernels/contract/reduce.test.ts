// Depthwise convolutions against the reference: outputs poisoned, every access checked, phases cut.

import { expect, test } from "vitest";
import { sameAsReference } from "../../../test/backends/convolutions.ts";
import { ProgramBuilder } from "../../ir/build.ts";
import * as ir from "../../ir/build.ts";
import { addIndex, constantIndex, type Index, scaleIndex, subtractIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { schedule } from "../../schedule/index.ts";
import type { ContractKernel } from "./plan.ts";
import { wayOf } from "./way.ts";
import { scheduleTarget } from "../scratch.ts";
import { wasmTarget } from "../target.ts";

let seed = 13;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
};

interface Depthwise {
  readonly size: number;
  readonly channels: number;
  readonly window: number;
  readonly stride: number;
}

/** [images, filter, results]. */
const shapesOf = ({ size, channels, window, stride }: Depthwise): number[][] => {
  const out = Math.ceil(size / stride);
  return [
    [1, size, size, channels],
    [window, window, channels],
    [1, out, out, channels],
  ];
};

const forward = (sizes: Depthwise, x: Value, filter: Value): Value => {
  const { window, stride } = sizes;
  const at = (pixel: Index, tap: Index): Index => addIndex(addIndex(scaleIndex(pixel, stride), tap), constantIndex(-(window >> 1)));
  return ir.contract(shapesOf(sizes)[2], [window, window], ([b, y, z, c], [ky, kx]) => [
    ir.operand(x, [b, at(y, ky), at(z, kx), c]),
    ir.operand(filter, [ky, kx, c]),
  ]);
};

const inputGradient = (sizes: Depthwise, dy: Value, filter: Value): Value => {
  const at = (pixel: Index, tap: Index): Index => addIndex(subtractIndex(pixel, tap), constantIndex(sizes.window >> 1));
  return ir.contract(shapesOf(sizes)[0], [sizes.window, sizes.window], ([b, y, z, c], [ky, kx]) => [
    ir.operand(dy, [b, at(y, ky), at(z, kx), c]),
    ir.operand(filter, [ky, kx, c]),
  ]);
};

function copiesOf(sizes: Depthwise, of: typeof forward): number | undefined {
  const builder = new ProgramBuilder();
  const results = ir.building(builder, () => {
    const [x, filter] = operandsOf(sizes, of).map((shape, i) => ir.feed(String(i), "float32", shape));
    return [of(sizes, x, filter)];
  });
  const target = wasmTarget();
  const kernel = schedule({ steps: builder.root, results }, scheduleTarget(target)).kernels.find(({ kind }) => kind === "contract");
  const way = wayOf(kernel as ContractKernel, target);
  return way.kind === "reduce" ? way.plan.paddings.length : undefined;
}

const operandsOf = (sizes: Depthwise, of: typeof forward): number[][] => {
  const [images, filter, results] = shapesOf(sizes);
  return [of === forward ? images : results, filter];
};

test.each([
  [{ size: 34, channels: 61, window: 3, stride: 2 }, forward, 0],
  [{ size: 33, channels: 69, window: 3, stride: 4 }, forward, 0],
  [{ size: 9, channels: 21, window: 3, stride: 1 }, forward, 1],
  [{ size: 10, channels: 13, window: 3, stride: 1 }, inputGradient, 1],
] as const)("%o", async (sizes, of, copies) => {
  expect(copiesOf(sizes, of)).toBe(copies);
  await sameAsReference(
    operandsOf(sizes, of),
    random,
    (x, filter) => {
      const sums = of(sizes, x, filter);
      return [ir.map(sum => s.max(s.mul(sum, 2), 0), sums)];
    },
    { within: 1e-5, target: wasmTarget() },
  );
});

test("large images under small windows are not copied with zeros around", () => {
  expect(copiesOf({ size: 33, channels: 69, window: 3, stride: 1 }, forward)).toBe(0);
  expect(copiesOf({ size: 33, channels: 69, window: 3, stride: 1 }, inputGradient)).toBe(0);
  expect(copiesOf({ size: 33, channels: 69, window: 5, stride: 1 }, forward)).toBe(1);
});
