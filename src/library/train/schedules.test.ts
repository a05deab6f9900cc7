// Learning rates, moving averages and clipping against TensorFlow's numbers (gradients-and-optimizers.md, section 4) and their formulas.

import { describe, expect, test } from "vitest";
import { Graph } from "../../graph/graph.ts";
import type { Tensor } from "../../graph/operation.ts";
import { constant, placeholder } from "../../ops/array/array.ts";
import { Session } from "../../session/session.ts";
import { clipByAverageNorm, clipByGlobalNorm, clipByNorm } from "../clip.ts";
import { globalVariablesInitializer } from "../variables/variable-lists.ts";
import { Variable } from "../variables/variables.ts";
import { createGlobalStep, getGlobalStep, getOrCreateGlobalStep } from "./global-step.ts";
import * as decays from "./learning-rate-decay.ts";
import { ExponentialMovingAverage } from "./moving-averages.ts";

const steps = [0, 1, 5, 10, 15, 25];

describe("learning rates", () => {
  const { PI, cos, exp, floor, min, max, ceil } = Math;
  const cases: [name: string, build: (step: Tensor) => Tensor, at: (p: number) => number][] = [
    ["exponential", step => decays.exponentialDecay(0.1, step, 10, 0.5), p => 0.1 * 0.5 ** (p / 10)],
    ["exponential in steps", step => decays.exponentialDecay(0.1, step, 10, 0.5, { staircase: true }), p => 0.1 * 0.5 ** floor(p / 10)],
    ["natural exp", step => decays.naturalExpDecay(0.1, step, 10, 0.5), p => 0.1 * exp((-0.5 * p) / 10)],
    ["inverse time", step => decays.inverseTimeDecay(0.1, step, 10, 0.5), p => 0.1 / (1 + (0.5 * p) / 10)],
    [
      "polynomial",
      step => decays.polynomialDecay(0.1, step, 10, { endLearningRate: 0.01, power: 2 }),
      p => 0.09 * (1 - min(p, 10) / 10) ** 2 + 0.01,
    ],
    [
      "polynomial in cycles",
      step => decays.polynomialDecay(0.1, step, 10, 0.01, 1, true),
      p => 0.09 * (1 - p / (10 * (p === 0 ? 1 : ceil(p / 10)))) + 0.01,
    ],
    ["cosine", step => decays.cosineDecay(0.1, step, 10, { alpha: 0.2 }), p => 0.1 * (0.8 * 0.5 * (1 + cos((PI * min(p, 10)) / 10)) + 0.2)],
    [
      "linear cosine",
      step => decays.linearCosineDecay(0.1, step, 10),
      p => 0.1 * (max(1 - p / 10, 0) * 0.5 * (1 + cos((PI * min(p, 10)) / 10)) + 0.001),
    ],
  ];
  test.each(cases)("%s", async (_, build, at) => {
    const graph = new Graph();
    const { step, rate } = graph.asDefault(() => {
      const step = placeholder("int64", []);
      return { step, rate: build(step) };
    });
    const session = new Session({ graph });
    for (const p of steps) expect(Number(await session.run(rate, [[step, BigInt(p)]]))).toBeCloseTo(at(p), 6);
    await session.close();
  });

  test("refuse a missing step and mixed types", () => {
    new Graph().asDefault(() => {
      expect(() => decays.exponentialDecay(0.1, null, 10, 0.5)).toThrow("global_step is required for exponential_decay.");
      expect(() => decays.piecewiseConstant(constant(1, "int32"), [1, 2], [0.1, 0.2])).toThrow(
        "The length of boundaries should be 1 less than the length of values",
      );
      expect(() => decays.piecewiseConstant(constant(1), [constant(1, "int32")], [0.1, 0.2])).toThrow(
        "Boundaries (<dtype: 'int32'>) must have the same dtype as x (<dtype: 'float32'>).",
      );
    });
  });
});

describe("ExponentialMovingAverage", () => {
  const cases: [name: string, numUpdates: number | null, expected: number[]][] = [
    ["follows with its decay", null, [1.4, 1.76]],
    ["follows faster at first with numUpdates", 0, [4.6, 4.96]],
  ];
  test.each(cases)("%s", async (_, numUpdates, expected) => {
    const graph = new Graph();
    const { v, average, apply } = graph.asDefault(() => {
      const v = new Variable(1, { name: "v" });
      const ema = new ExponentialMovingAverage(0.9, numUpdates);
      const apply = ema.apply([v]);
      expect(ema.averageName(v)).toBe("v/ExponentialMovingAverage");
      expect(Object.keys(ema.variablesToRestore())).toContain("v/ExponentialMovingAverage");
      return { v, apply, average: ema.average(v) as Variable };
    });
    const session = new Session({ graph });
    await session.run(graph.asDefault(() => globalVariablesInitializer()));
    await v.load(5, session);
    for (const value of expected) {
      await session.run(apply);
      expect(Number(await average.eval(session))).toBeCloseTo(value, 5);
    }
    await session.close();
  });

  test("a tensor's shadow lies anywhere, and is debiased by the call that made it only", () => {
    const graph = new Graph();
    graph.asDefault(() => {
      const x = placeholder("float32", [2], { name: "x" });
      const ema = new ExponentialMovingAverage(0.9, { zeroDebias: true });
      for (let i = 0; i < 2; i++) ema.apply([x]);
      expect((ema.average(x) as Variable).op.colocationGroups()).toEqual(["loc:@x/ExponentialMovingAverage"]);
    });
    const names = graph.getOperations().map(op => op.name);
    expect(names.filter(name => name.includes("/biased") && name.endsWith("/read"))).toEqual(["x/ExponentialMovingAverage/biased/read"]);
    expect(names).toContain("ExponentialMovingAverage/AssignMovingAvg/Pow");
    expect(names).not.toContain("ExponentialMovingAverage_1/AssignMovingAvg/Pow");
  });

  test("is for floats", () => {
    new Graph().asDefault(() => {
      expect(() => new ExponentialMovingAverage(0.9).apply([new Variable(1, { dtype: "int32" })])).toThrow(
        "The variables must be half, float, or double: Variable:0",
      );
    });
  });
});

describe("clipping", () => {
  const cases: [name: string, build: () => Tensor, expected: number[]][] = [
    ["by norm", () => clipByNorm([3, 4], 1), [0.6, 0.8]],
    ["a short vector stays", () => clipByNorm([0.3, 0.4], 1), [0.3, 0.4]],
    ["zeros stay zeros", () => clipByNorm([0, 0], 1), [0, 0]],
    ["by average norm", () => clipByAverageNorm([3, 4], 1), [1.2, 1.6]],
    ["by global norm", () => clipByGlobalNorm([constant([3, 0]), null, constant([0, 4])], 1)[0][2], [0, 0.8]],
    ["an infinite norm", () => clipByGlobalNorm([constant([Infinity, 1])], 1)[0][0], [NaN, NaN]],
  ];
  test.each(cases)("%s", async (_, build, expected) => {
    const graph = new Graph();
    const session = new Session({ graph });
    const value = await session.run(graph.asDefault(build));
    for (const [i, x] of expected.entries()) {
      if (Number.isNaN(x)) expect(value.get(i)).toBeNaN();
      else expect(Number(value.get(i))).toBeCloseTo(x, 6);
    }
    await session.close();
  });
});

test("there is one global step in a graph", () => {
  new Graph().asDefault(() => {
    expect(getGlobalStep()).toBeNull();
    const step = getOrCreateGlobalStep();
    expect([step.name, step.dtype]).toEqual(["global_step:0", "int64"]);
    expect(getOrCreateGlobalStep()).toBe(step);
    expect(() => createGlobalStep()).toThrow('"global_step" already exists.');
  });
});
