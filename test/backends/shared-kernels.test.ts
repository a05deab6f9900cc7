// Kernels with few results or one long walk are cut so that threads can share them: what they compute is what the reference computes, to the
// bit the same for any number of threads, and there is more than one unit of it.
import { expect, test } from "vitest";
import type { DType } from "../../src/base/dtype.ts";
import { addIndex, constantIndex } from "../../src/ir/index-map.ts";
import * as ir from "../../src/ir/build.ts";
import type { Combine, Value } from "../../src/ir/program.ts";
import { loadScalar, s } from "../../src/ir/scalar.ts";
import { record } from "../../src/kernels/index.ts";
import { schedule } from "../../src/schedule/index.ts";
import { program } from "../plans/known-programs.ts";
import { compareBackends } from "./compare-backends.ts";
import { bits, deviceOf, filled, runOn } from "./on-threads.ts";

const x = (shape: readonly number[], dtype: DType = "float32") => ir.feed("x", dtype, shape);
const over = (combine: Combine, shape: readonly number[], axes: readonly number[], dtype: DType = "float32"): Value[] => [
  ir.reduce(combine, x(shape, dtype), axes),
];

/** Sums over a transposed operand beside one that is not: axes that do not join. */
const crossed = (): Value[] => {
  const [a, b] = [ir.feed("a", "float32", [601, 333]), ir.feed("b", "float32", [333, 601])];
  return [ir.reduceOver("sum", [], [601, 333], (_, r) => s.mul(loadScalar(a, r), loadScalar(b, [r[1], r[0]])))];
};

/** Means of squares with an epilogue that two stores read. */
const withEpilogue = (): Value[] => {
  const rows = x([5000, 40]);
  const mean = ir.map(
    a => s.mul(a, 1 / 5000),
    ir.reduceOver("sum", [40], [5000], ([i], [r]) => s.mul(loadScalar(rows, [r, i]), 2)),
  );
  return [mean, ir.map(a => s.add(a, 1), mean)];
};

/** The filter's gradient of a depthwise convolution. */
const depthwiseFilter = (): Value[] => {
  const [image, gradient] = [ir.feed("image", "float32", [6, 16, 16, 72]), ir.feed("gradient", "float32", [6, 16, 16, 72])];
  return [
    ir.contract([3, 3, 72], [6, 16, 16], (i, r) => [
      ir.operand(image, [r[0], addIndex(addIndex(r[1], i[0]), constantIndex(-1)), addIndex(addIndex(r[2], i[1]), constantIndex(-1)), i[2]]),
      ir.operand(gradient, [r[0], r[1], r[2], i[2]]),
    ]),
  ];
};

/** Rows of updates that meet in few rows of the result. */
const rowsAdded = (combine: "add" | "assign", inPlace: boolean): Value[] => {
  const [ids, rows] = [ir.feed("ids", "int32", [900]), ir.feed("rows", "float32", [900, 200])];
  const state = { id: "table", dtype: "float32", shape: [20, 200], role: "variable" } as const;
  const base = inPlace ? ir.readState(state, "reader") : ir.feed("table", "float32", [20, 200]);
  const added = ir.scatter(combine, base, [900, 200], r => ({
    at: [s.mul(loadScalar(ids, [r[0]]), 6), s.index(r[1])],
    body: loadScalar(rows, r),
  }));
  if (inPlace) ir.updateState(state, added);
  return [ir.map(a => s.mul(a, 2), added)];
};

const cases: Record<string, () => Value[]> = {
  "a sum of all": () => over("sum", [200_001], [0]),
  "a maximum of all": () => over("max", [170_003], [0]),
  "a product of doubles": () => over("prod", [160_000], [0], "float64"),
  "a sum of integers": () => over("sum", [160_007], [0], "int32"),
  "sums of two rows": () => over("sum", [2, 90_001], [1]),
  "sums of columns": () => over("sum", [5001, 37], [0]),
  "minima of columns": () => over("min", [5001, 64], [0]),
  "sums of columns of images": () => over("sum", [30, 28, 28, 10], [0, 1, 2]),
  "sums between two axes": () => over("sum", [3, 1100, 50], [1]),
  "sums of axes that do not join": crossed,
  "means with an epilogue": withEpilogue,
  "a depthwise filter's gradient": depthwiseFilter,
  "rows added": () => rowsAdded("add", false),
  "rows assigned": () => rowsAdded("assign", false),
  "rows added in place": () => rowsAdded("add", true),
};

test.each(Object.entries(cases))("%s", async (_, build) => {
  const given = filled(program(build));
  const device = deviceOf(1);
  const { phases } = record(schedule(given.program, device.target), device.kernelTarget);
  device.close();
  expect(Math.max(...phases.map(({ units }) => units))).toBeGreaterThan(2);
  const { fault, undecided } = await compareBackends(given);
  expect(fault).toBeUndefined();
  expect(undecided).toBe(0);
  const alone = runOn(1, given).outcomes.map(bits);
  for (const threads of [2, 3]) expect(runOn(threads, given).outcomes.map(bits), `${threads} threads`).toEqual(alone);
});
