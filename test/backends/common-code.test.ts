// Kernels that differ in addresses alone have one function (kernels/language/common-code.ts). It must do for each what a function of its own would:
// the same phases in the same units, the reference's numbers with every access where the kernel's values and scratch lie, and the same
// bits for any number of threads.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { WasmDevice } from "../../src/backends/wasm/device.ts";
import * as ir from "../../src/ir/build.ts";
import { addIndex, constantIndex } from "../../src/ir/index-map.ts";
import type { Value } from "../../src/ir/program.ts";
import { s } from "../../src/ir/scalar.ts";
import { record, type RecordOptions } from "../../src/kernels/index.ts";
import { schedule } from "../../src/schedule/index.ts";
import { addBias, convolution, matmul, program } from "../plans/known-programs.ts";
import { compareBackends } from "./compare-backends.ts";
import { bits, deviceOf, filled, runOn } from "./on-threads.ts";

// Keeps the workers between tests.
let keeper: WasmDevice;
beforeAll(() => {
  keeper = deviceOf(3);
});
afterAll(() => keeper.close());

interface Step {
  readonly shape: readonly number[];
  readonly others?: readonly (readonly number[])[];
  /** One input for the next: what depends on each other is not joined into one kernel. */
  readonly next: (x: Value, ...others: readonly Value[]) => Value;
}

const total = (x: Value, axis: number): Value => ir.reduce("sum", x, [axis], { keepDims: true });
const minus = (x: Value, y: Value, share: number): Value => ir.map((a, b) => s.sub(a, s.mul(b, share)), x, y);

const steps: Record<string, Step> = {
  "a sum of all, in slices": { shape: [160_001], next: x => minus(x, total(x, 0), 1e-6) },
  "maxima of columns, in slices": { shape: [2000, 100], next: x => minus(x, ir.reduce("max", x, [0], { keepDims: true }), 0.5) },
  "a product with packed panels and a bias": {
    shape: [64, 96],
    others: [[96, 96], [96]],
    next: (x, weights, bias) => addBias(matmul(x, weights), bias),
  },
  "a product of one row": { shape: [1, 300], others: [[300, 300]], next: (x, weights) => ir.map(a => s.mul(a, 0.2), matmul(x, weights)) },
  "a convolution by Winograd's filtering": {
    shape: [1, 16, 16, 16],
    others: [[3, 3, 16, 16]],
    next: (x, filter) => ir.map(a => s.mul(a, 0.2), convolution(x, filter)),
  },
  "a depthwise filter's gradient, padded and in slices": {
    shape: [6, 16, 16, 24],
    next: x => {
      const gradient = ir.contract([3, 3, 24], [6, 16, 16], (i, r) => [
        ir.operand(x, [r[0], ...[0, 1].map(axis => addIndex(addIndex(r[axis + 1], i[axis]), constantIndex(-1))), i[2]]),
        ir.operand(x, [r[0], r[1], r[2], i[2]]),
      ]);
      return minus(x, total(ir.reshape(gradient, [1, 9, 1, 24]), 1), 1e-4);
    },
  },
  "rows centred, and sums of their columns": {
    shape: [512, 64],
    next: x => {
      const centred = minus(x, total(x, 1), 1 / 64);
      return minus(
        centred,
        total(
          ir.map(a => s.mul(a, a), centred),
          0,
        ),
        1e-3,
      );
    },
  },
};

const count = 5;
const own: RecordOptions = { fewestAlike: Number.POSITIVE_INFINITY };

test.each(Object.entries(steps))("%s", async (_, { shape, others = [], next }) => {
  const given = filled(
    program(() => {
      const feeds = others.map((other, i) => ir.feed(`other${i}`, "float32", other));
      let x = ir.feed("x", "float32", shape);
      for (let i = 0; i < count; i++) x = next(x, ...feeds);
      return [x];
    }),
  );
  const device = deviceOf(1);
  const phasesOf = (options?: RecordOptions) => record(schedule(given.program, device.target), device.kernelTarget, options).phases;
  const [common, alone] = [phasesOf(), phasesOf(own)];
  device.close();
  expect(common.map(({ units }) => units)).toEqual(alone.map(({ units }) => units));
  expect(new Set(common.map(({ name }) => name)).size).toBeLessThan(alone.length - 2);
  const { fault, undecided } = await compareBackends(given);
  expect(fault).toBeUndefined();
  expect(undecided).toBe(0);
  const expected = runOn(1, given, { recording: own }).outcomes.map(bits);
  for (const threads of [1, 2, 3]) expect(runOn(threads, given).outcomes.map(bits), `${threads} threads`).toEqual(expected);
});
