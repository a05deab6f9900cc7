// Data movement says what it should (checked by running it), and inlining one map into another keeps the meaning.
import { loadSpecialFunctions } from "../backends/host-functions.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runReference } from "../backends/reference/index.ts";
import { InternalError } from "../base/errors.ts";
import { NDArray } from "../base/ndarray.ts";
import { sizeOf } from "../base/shape.ts";
import * as b from "./build.ts";
import { constantIndex, dataIndex } from "./index-map.ts";
import type { Step, Value } from "./program.ts";
import type { Scalar } from "./scalar.ts";
import { loadsOf, s, substituteScalar } from "./scalar.ts";
import { verifyProgram } from "./verify.ts";

await loadSpecialFunctions();

/** Builds, verifies and runs; gives the result as nested lists. */
function evaluate(build: () => Value): unknown {
  const builder = new b.ProgramBuilder();
  const program = { steps: builder.steps, results: [b.building(builder, build)] };
  verifyProgram(program);
  return runReference(program).results[0].toArray();
}

const counting = (shape: readonly number[]): NDArray =>
  NDArray.from(Float32Array.from({ length: sizeOf(shape) }, (_, i) => i)).reshape(shape);
const constant = (shape: readonly number[]): Value => b.constant(counting(shape));

describe("data movement", () => {
  const x = (): Value => constant([2, 3]); // 0 1 2 / 3 4 5

  it.each<[string, () => Value, unknown]>([
    [
      "reshape",
      () => b.reshape(x(), [3, 2]),
      [
        [0, 1],
        [2, 3],
        [4, 5],
      ],
    ],
    ["reshape to rank 0", () => b.reshape(constant([1, 1]), []), 0],
    ["reshape of nothing", () => b.reshape(constant([0, 3]), [3, 0]), [[], [], []]],
    [
      "transpose",
      () => b.transpose(x(), [1, 0]),
      [
        [0, 3],
        [1, 4],
        [2, 5],
      ],
    ],
    ["slice", () => b.slice(x(), [1, 0], [1, 2]), [[3, 4]]],
    [
      "slice backwards with a step",
      () => b.slice(x(), [1, 2], [2, 2], [-1, -2]),
      [
        [5, 3],
        [2, 0],
      ],
    ],
    ["empty slice", () => b.slice(x(), [2, 3], [0, 0]), []],
    [
      "pad",
      () => b.pad(x(), [1, 0], [0, 2], 9),
      [
        [9, 9, 9, 9, 9],
        [0, 1, 2, 9, 9],
        [3, 4, 5, 9, 9],
      ],
    ],
    ["crop by negative padding", () => b.pad(x(), [-1, 1], [0, -2]), [[0, 3]]],
    ["pad of nothing", () => b.pad(constant([0]), [1], [1], 7), [7, 7]],
    [
      "concat",
      () => b.concat([x(), constant([2, 0]), constant([2, 1])], 1),
      [
        [0, 1, 2, 0],
        [3, 4, 5, 1],
      ],
    ],
    ["concat of nothing", () => b.concat([constant([0]), constant([0])], 0), []],
    [
      "tile",
      () => b.tile(constant([2, 1]), [2, 3]),
      [
        [0, 0, 0],
        [1, 1, 1],
        [0, 0, 0],
        [1, 1, 1],
      ],
    ],
    ["tile zero times", () => b.tile(x(), [0, 1]), []],
    [
      "reverse",
      () => b.reverse(x(), [1]),
      [
        [2, 1, 0],
        [5, 4, 3],
      ],
    ],
    [
      "broadcastTo",
      () => b.broadcastTo(constant([2, 1]), [3, 2, 2]),
      [
        [
          [0, 0],
          [1, 1],
        ],
        [
          [0, 0],
          [1, 1],
        ],
        [
          [0, 0],
          [1, 1],
        ],
      ],
    ],
    [
      "map with broadcasting",
      () => b.map((p, q) => s.sub(p, q), x(), constant([2, 1])),
      [
        [0, 1, 2],
        [2, 3, 4],
      ],
    ],
    ["map of rank 0", () => b.map(p => s.add(p, 1), constant([])), 1],
    ["iota", () => b.iota(3, "int64"), [0n, 1n, 2n]],
    ["iota of halves", () => b.iota(3, "float16"), [0, 1, 2]],
    ["full", () => b.full("int32", [2], 7), [7, 7]],
    ["cast", () => b.cast(constant([2]), "bool"), [false, true]],
    ["reduce keeping dimensions", () => b.reduce("sum", x(), [0], { keepDims: true }), [[3, 5, 7]]],
    ["reduce two axes in the order given", () => b.reduce("argmax", x(), [1, 0]), 5n],
    [
      "reduce of no axes",
      () => b.reduce("max", x(), []),
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
    ],
  ])("%s", (_, build, expected) => {
    expect(evaluate(build)).toEqual(expected);
  });

  it("gives a value back unchanged where nothing moves", () => {
    b.building(new b.ProgramBuilder(), () => {
      const value = x();
      expect(b.reshape(value, [2, 3])).toBe(value);
      expect(b.cast(value, "float32")).toBe(value);
    });
  });

  it("refuses what cannot be", () => {
    b.building(new b.ProgramBuilder(), () => {
      expect(() => b.reshape(x(), [4])).toThrow(InternalError);
      expect(() => b.map((p, q) => s.add(p, q), x(), constant([2]))).toThrow("[2,3] and [2] do not broadcast");
      expect(() => b.map((p, q) => s.add(p, q), x(), b.full("int32", [], 1))).toThrow("one type is needed");
    });
    expect(() => x()).toThrow("outside `building`");
  });
});

describe("known numbers", () => {
  it("travel through constants, fill and maps", () => {
    b.building(new b.ProgramBuilder(), () => {
      expect(b.constant(NDArray.full("float32", [4], -0)).splat).toBe(-0);
      expect(b.constant(NDArray.from([0, -0])).splat).toBeUndefined();
      expect(b.broadcastTo(b.full("int64", [], 3), [2, 2]).splat).toBe(3n);
      const unknown = constant([2]);
      expect(loadsOf(s.load(b.full("float32", [2], 1), [constantIndex(0)]))).toHaveLength(0);
      expect(loadsOf(s.load(unknown, [constantIndex(0)]))).toHaveLength(1);
    });
  });

  it("are what their type can hold", () => {
    expect(s.constant("float32", 0.1)).toMatchObject({ value: Math.fround(0.1) });
    expect(s.constant("float16", 2049)).toMatchObject({ value: 2048 });
    expect(s.constant("bfloat16", 257)).toMatchObject({ value: 256 });
    expect(s.constant("uint8", -1)).toMatchObject({ value: 255 });
    expect(s.constant("int8", 200)).toMatchObject({ value: -56 });
    expect(s.constant("uint32", -1)).toMatchObject({ value: 4294967295 });
    expect(s.constant("int64", 2n ** 63n)).toMatchObject({ value: -(2n ** 63n) });
    expect(s.constant("uint64", -1)).toMatchObject({ value: 2n ** 64n - 1n });
    expect(s.constant("bool", 7)).toMatchObject({ value: 1 });
    expect(Object.is((s.constant("int32", -0) as { value: number }).value, 0)).toBe(true);
    expect(Object.is((s.constant("float32", -0) as { value: number }).value, -0)).toBe(true);
  });
});

describe("regions", () => {
  it("collect their own steps and read values from outside", () => {
    const builder = new b.ProgramBuilder();
    const [out] = b.building(builder, () => {
      const two = constant([2]);
      const one = b.region([], () => [b.map(p => s.mul(p, 10), two)]);
      const other = b.region([], () => [b.map(p => s.neg(p), two)]);
      return b.branch(b.full("bool", [], 1), [other, one]);
    });
    expect(builder.steps.map(step => step.kind)).toEqual(["constant", "map", "branch"]);
    expect(runReference({ steps: builder.steps, results: [out] }).results[0].toArray()).toEqual([0, 10]);
  });
});

/** A random chain of moves and sums on a small array, one map a step. */
const move = fc.oneof(
  fc.record({ kind: fc.constant("reshape" as const), to: fc.nat({ max: 9 }) }),
  fc.record({ kind: fc.constant("transpose" as const), turn: fc.nat({ max: 5 }) }),
  fc.record({ kind: fc.constant("slice" as const), seed: fc.nat({ max: 99 }) }),
  fc.record({ kind: fc.constant("pad" as const), before: fc.integer({ min: -1, max: 2 }), after: fc.integer({ min: -1, max: 2 }) }),
  fc.record({ kind: fc.constant("concat" as const), axis: fc.nat({ max: 3 }) }),
  fc.record({ kind: fc.constant("tile" as const), axis: fc.nat({ max: 3 }), times: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ kind: fc.constant("reverse" as const), axis: fc.nat({ max: 3 }) }),
  fc.record({ kind: fc.constant("gather" as const), axis: fc.nat({ max: 3 }) }),
  fc.record({ kind: fc.constant("add" as const) }),
);
type Move = typeof move extends fc.Arbitrary<infer M> ? M : never;

/** A shape of the same size: two neighbouring axes joined, or one split. */
function otherShape(shape: readonly number[], choice: number): number[] {
  if (shape.length > 1 && choice % 2 === 0) {
    const axis = choice % (shape.length - 1);
    return [...shape.slice(0, axis), shape[axis] * shape[axis + 1], ...shape.slice(axis + 2)];
  }
  const axis = choice % Math.max(shape.length, 1);
  const divisor = [5, 4, 3, 2].find(d => (shape[axis] ?? 1) % d === 0) ?? 1;
  return [...shape.slice(0, axis), (shape[axis] ?? 1) / divisor, divisor, ...shape.slice(axis + 1)];
}

/** Three rows along an axis, chosen by data. */
function gather(value: Value, axis: number): Value {
  const rows = b.map(i => s.rem(s.mul(i, 7), value.shape[axis]), b.iota(3, "int32"));
  return b.generate(
    value.shape.map((size, k) => (k === axis ? 3 : size)),
    i =>
      s.load(
        value,
        i.map((index, k) => (k === axis ? dataIndex(s.load(rows, [index]), value.shape[axis]) : index)),
      ),
  );
}

function apply(value: Value, step: Move): Value {
  const { shape } = value;
  const axisOf = (axis: number): number => axis % Math.max(shape.length, 1);
  if (step.kind === "add") return b.map((p, q) => s.add(p, q), value, value);
  if (shape.length === 0 || sizeOf(shape) > 400) return b.map(p => s.mul(p, 2), value);
  switch (step.kind) {
    case "reshape":
      return b.reshape(value, otherShape(shape, step.to));
    case "transpose":
      return b.transpose(
        value,
        shape.map((_, axis) => (axis + step.turn) % shape.length),
      );
    case "slice": {
      const begin = shape.map((size, axis) => (step.seed + axis) % Math.max(size, 1));
      return b.slice(
        value,
        begin,
        shape.map((size, axis) => Math.max(size - begin[axis], 0)),
      );
    }
    case "pad":
      return b.pad(
        value,
        shape.map(size => (size + step.before < 0 ? 0 : step.before)),
        shape.map(size => (size + step.before + step.after < 0 ? 1 : step.after)),
        5,
      );
    case "concat":
      return b.concat([value, b.map(p => s.neg(p), value)], axisOf(step.axis));
    case "tile":
      return b.tile(
        value,
        shape.map((_, axis) => (axis === axisOf(step.axis) ? step.times : 1)),
      );
    case "reverse":
      return b.reverse(value, [axisOf(step.axis)]);
    case "gather": {
      const axis = axisOf(step.axis);
      return shape[axis] === 0 ? value : gather(value, axis);
    }
  }
}

describe("substituteScalar", () => {
  it("keeps the meaning when every map is put into its readers", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 3 }),
        fc.array(move, { minLength: 1, maxLength: 7 }),
        (shape, moves) => {
          const builder = new b.ProgramBuilder();
          const result = b.building(builder, () => moves.reduce(apply, constant(shape)));
          const program = { steps: builder.steps, results: [result] };
          verifyProgram(program);
          const inlined = inlineMaps(builder.steps, result);
          verifyProgram(inlined);
          expect(inlined.steps.filter(step => step.kind === "map").length).toBeLessThanOrEqual(1);
          expect(runReference(inlined).results[0]).toEqual(runReference(program).results[0]);
        },
      ),
      { numRuns: 300 },
    );
  });
});

/** The same expression with the bounds of its guards moved. */
function moveBounds(node: Scalar, low: number, high: number): Scalar {
  const inner = (part: Scalar): Scalar => moveBounds(part, low, high);
  if (node.kind === "apply") return { ...node, args: node.args.map(inner) };
  if (node.kind !== "guard") return node;
  const when = node.when.map(bound => ({ ...bound, low: bound.low + low, high: bound.high + high }));
  return { ...node, when, value: inner(node.value), otherwise: inner(node.otherwise) };
}

const throws = (run: () => unknown): boolean => {
  try {
    run();
    return false;
  } catch {
    return true;
  }
};

describe("the verifier's ranges", () => {
  it("complain just when the reference reads outside, after the guards of fused moves are shifted", () => {
    const counts = { inside: 0, outside: 0 };
    const still = move.filter(({ kind }) => kind !== "gather");
    const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(
        shapes,
        fc.array(still, { minLength: 2, maxLength: 7 }),
        fc.integer({ min: -1, max: 1 }),
        fc.integer({ min: -1, max: 1 }),
        (shape, moves, low, high) => {
          const builder = new b.ProgramBuilder();
          const result = b.building(builder, () => moves.reduce(apply, constant(shape)));
          fc.pre(sizeOf(result.shape) <= 2048);
          const { steps } = inlineMaps(builder.steps, result);
          const program = {
            steps: steps.map(step => (step.kind === "map" ? { ...step, body: moveBounds(step.body, low, high) } : step)),
            results: [result],
          };
          const isOutside = throws(() => runReference(program));
          expect(throws(() => verifyProgram(program))).toBe(isOutside);
          counts[isOutside ? "outside" : "inside"]++;
        },
      ),
      { numRuns: 400 },
    );
    expect(Math.min(counts.inside, counts.outside)).toBeGreaterThan(20);
  });
});

/** The program with all maps substituted into the last. */
function inlineMaps(steps: readonly Step[], result: Value): { steps: Step[]; results: Value[] } {
  const bodies = new Map<Value, Scalar>();
  const kept: Step[] = [];
  for (const step of steps) {
    if (step.kind !== "map") {
      kept.push(step);
      continue;
    }
    const axes = b.axesOf(step.out.shape);
    const body = substituteScalar(step.body, axes, load => {
      const producer = bodies.get(load.source);
      return producer ? substituteScalar(producer, load.at) : load;
    });
    bodies.set(step.out, body);
    if (step.out === result) kept.push({ ...step, body });
  }
  return { steps: kept, results: [result] };
}
