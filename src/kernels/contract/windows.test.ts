// Depthwise windows against the reference: outputs poisoned, every access checked, phases cut.

import { expect, test } from "vitest";
import { sameAsReference } from "../../../test/backends/convolutions.ts";
import * as ir from "../../ir/build.ts";
import { ProgramBuilder } from "../../ir/build.ts";
import { addIndex, constantIndex, type Index, scaleIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import { s } from "../../ir/scalar.ts";
import { schedule } from "../../schedule/index.ts";
import { record } from "../index.ts";
import { scheduleTarget } from "../scratch.ts";
import { wasmTarget } from "../target.ts";
import type { ContractKernel } from "./plan.ts";
import { wayOf } from "./way.ts";

let seed = 17;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 31 - 1;
};

/** Pairs are rows and columns. */
interface Windows {
  readonly images: number;
  readonly size: readonly [number, number];
  readonly out: readonly [number, number];
  readonly channels: number;
  readonly taps: readonly [number, number];
  readonly stride?: number;
  /** From tap to tap; negative where taps run against the pixels. */
  readonly tap?: number;
  readonly offset: readonly [number, number];
}

function sums({ images, out, channels, taps, stride = 1, tap = 1, offset }: Windows, x: Value, filter: Value): Value {
  const at = (pixel: Index, t: Index, from: number): Index =>
    addIndex(addIndex(scaleIndex(pixel, stride), scaleIndex(t, tap)), constantIndex(from));
  return ir.contract([images, ...out, channels], taps, ([b, y, z, c], [ky, kx]) => [
    ir.operand(x, [b, at(y, ky, offset[0]), at(z, kx, offset[1]), c]),
    ir.operand(filter, [ky, kx, c]),
  ]);
}

const operandsOf = ({ images, size, out, channels, taps }: Windows): number[][] => [
  [images, ...size, channels],
  [...taps, channels],
  [channels],
  [images, ...out, channels],
];

const cases: readonly Windows[] = [
  { images: 1, size: [9, 7], out: [9, 7], channels: 8, taps: [3, 3], offset: [-1, -1] },
  { images: 3, size: [8, 8], out: [4, 4], channels: 12, taps: [3, 3], stride: 2, offset: [0, 0] },
  { images: 2, size: [7, 9], out: [7, 9], channels: 4, taps: [3, 3], tap: -1, offset: [1, 1] },
  { images: 1, size: [10, 11], out: [10, 11], channels: 16, taps: [3, 3], tap: 2, offset: [-2, -2] },
  { images: 2, size: [6, 6], out: [4, 4], channels: 8, taps: [3, 3], offset: [0, 0] },
  { images: 1, size: [5, 6], out: [5, 6], channels: 8, taps: [3, 2], offset: [-1, 0] },
  { images: 1, size: [5, 6], out: [5, 6], channels: 8, taps: [1, 3], offset: [0, -1] },
  { images: 2, size: [5, 6], out: [5, 6], channels: 8, taps: [2, 1], offset: [0, 0] },
  { images: 1, size: [1, 2], out: [1, 2], channels: 8, taps: [3, 3], offset: [-1, -1] },
  // Taps so far apart that most pixels see nothing of the image.
  { images: 1, size: [3, 3], out: [9, 9], channels: 8, taps: [3, 3], tap: 4, offset: [-6, -6] },
];

test.each(cases)("%o", async sizes => {
  await sameAsReference(
    operandsOf(sizes),
    random,
    (x, filter, bias, other) => {
      const out = sums(sizes, x, filter);
      return [ir.map((sum, b, add) => s.add(s.max(s.add(sum, b), 0), add), out, ir.broadcastTo(bias, out.shape), other)];
    },
    { within: 1e-5, target: wasmTarget() },
  );
});

const contractsOf = (program: readonly Windows[]) => {
  const builder = new ProgramBuilder();
  const results = ir.building(builder, () =>
    program.flatMap((sizes, w) => {
      const [x, filter] = operandsOf(sizes).map((shape, i) => ir.feed(`${w}.${i}`, "float32", shape));
      return [ir.map(sum => s.max(sum, 0), sums(sizes, x, filter))];
    }),
  );
  return schedule({ steps: builder.root, results }, scheduleTarget(wasmTarget()));
};

test("they are computed by runs of pixels, which are recorded once for all sizes", () => {
  const runs = (program: readonly Windows[]): number =>
    record(contractsOf(program), wasmTarget()).module.functions.filter(({ name }) => name.startsWith("run") && name !== "run").length;
  const [first, second] = cases;
  const kernel = contractsOf([first]).kernels.find(({ kind }) => kind === "contract") as ContractKernel;
  expect(wayOf(kernel, wasmTarget()).kind).toBe("windows");
  expect(runs([first])).toBe(3);
  expect(runs([first, second, { ...first, channels: 20, size: [12, 12], out: [12, 12] }])).toBe(3);
});
