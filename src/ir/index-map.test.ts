// The algebra of index maps: what must melt away, and that no rewriting changes a value.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sizeOf } from "../base/shape.ts";
import type { Index } from "./index-map.ts";
import {
  addIndex,
  axisIndex,
  constantIndex,
  dataIndex,
  divIndex,
  evaluateIndex,
  flattenIndex,
  indexKey,
  modIndex,
  printIndex,
  scaleIndex,
  substituteIndex,
  subtractIndex,
  unflattenIndex,
} from "./index-map.ts";
import type { Scalar } from "./scalar.ts";
import { constantScalar } from "./scalar.ts";

const axes = (shape: readonly number[]): Index[] => shape.map((size, axis) => axisIndex(axis, size));
const text = (index: Index): string => printIndex(index, () => "data");
const noData = (): number => {
  throw new Error("no data here");
};
const keepData = (value: Scalar): Scalar => value;

/** All points of a small shape. */
const points = (shape: readonly number[]): number[][] =>
  shape.reduce<number[][]>((all, size) => all.flatMap(point => Array.from({ length: size }, (_, i) => [...point, i])), [[]]);

/** A recipe for an index expression, with the number it means at a point computed beside it. */
type Expression =
  | { kind: "axis"; axis: number }
  | { kind: "constant"; value: number }
  | { kind: "add"; x: Expression; y: Expression }
  | { kind: "scale"; x: Expression; by: number }
  | { kind: "div" | "mod"; x: Expression; by: number };

const shape = [3, 4, 5, 2];
const { expression } = fc.letrec<{ expression: Expression }>(tie => ({
  expression: fc.oneof(
    { maxDepth: 5 },
    fc.record({ kind: fc.constant("axis" as const), axis: fc.integer({ min: 0, max: 3 }) }),
    fc.record({ kind: fc.constant("constant" as const), value: fc.integer({ min: -30, max: 30 }) }),
    fc.record({ kind: fc.constant("add" as const), x: tie("expression"), y: tie("expression") }),
    fc.record({ kind: fc.constant("scale" as const), x: tie("expression"), by: fc.constantFrom(-12, -3, -1, 0, 1, 2, 3, 4, 6, 12, 20) }),
    fc.record({
      kind: fc.constantFrom("div" as const, "mod" as const),
      x: tie("expression"),
      by: fc.constantFrom(1, 2, 3, 4, 5, 6, 12, 24),
    }),
  ),
}));

function build(e: Expression, at: readonly Index[]): Index {
  switch (e.kind) {
    case "axis":
      return at[e.axis];
    case "constant":
      return constantIndex(e.value);
    case "add":
      return addIndex(build(e.x, at), build(e.y, at));
    case "scale":
      return scaleIndex(build(e.x, at), e.by);
    case "div":
      return divIndex(build(e.x, at), e.by);
    case "mod":
      return modIndex(build(e.x, at), e.by);
  }
}

function meaning(e: Expression, at: readonly number[]): number {
  switch (e.kind) {
    case "axis":
      return at[e.axis];
    case "constant":
      return e.value;
    case "add":
      return meaning(e.x, at) + meaning(e.y, at);
    case "scale":
      return meaning(e.x, at) * e.by;
    case "div":
      return Math.floor(meaning(e.x, at) / e.by);
    case "mod":
      return meaning(e.x, at) - e.by * Math.floor(meaning(e.x, at) / e.by);
  }
}

describe("normal form", () => {
  it("means what was written, at every point, within its range", () => {
    fc.assert(
      fc.property(expression, e => {
        const index = build(e, axes(shape));
        for (const point of points(shape)) {
          const value = evaluateIndex(index, point, noData);
          expect(value).toBe(meaning(e, point) + 0);
          expect(value).toBeGreaterThanOrEqual(index.min);
          expect(value).toBeLessThanOrEqual(index.max);
        }
      }),
      { numRuns: 400 },
    );
  });

  it("stays so when other expressions are put in place of axes", () => {
    fc.assert(
      fc.property(expression, fc.array(expression, { minLength: 4, maxLength: 4 }), (outer, inner) => {
        // The outer axes stand for whatever lies in their range, so the inner expressions are brought into it.
        const inside = inner.map((e, axis): Expression => ({ kind: "mod", x: e, by: shape[axis] }));
        const composed = substituteIndex(
          build(outer, axes(shape)),
          inside.map(e => build(e, axes(shape))),
          keepData,
        );
        for (const point of points(shape)) {
          const at = inside.map(e => meaning(e, point));
          expect(evaluateIndex(composed, point, noData)).toBe(meaning(outer, at) + 0);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("has one key for one sum, whatever the order of its terms", () => {
    const [i, j, k] = axes([3, 4, 5]);
    const a = addIndex(addIndex(scaleIndex(i, 4), j), constantIndex(7));
    const b = addIndex(constantIndex(7), addIndex(j, subtractIndex(addIndex(scaleIndex(i, 4), k), k)));
    expect(indexKey(a)).toBe(indexKey(b));
    expect(indexKey(addIndex(a, constantIndex(1)))).not.toBe(indexKey(a));
  });

  it("has no -0", () => {
    expect(Object.is(scaleIndex(constantIndex(0), -1).offset, 0)).toBe(true);
    expect(Object.is(scaleIndex(axisIndex(0, 4), -1).offset, 0)).toBe(true);
  });

  it("makes axes of one element 0", () => {
    expect(axisIndex(3, 1)).toEqual(constantIndex(0));
  });
});

describe("quotients and remainders", () => {
  const [i, j] = axes([8, 12]);
  const flat = addIndex(scaleIndex(i, 12), j);

  it.each([
    ["x div 12 of 12·i + j", divIndex(flat, 12), "i0"],
    ["x mod 12 of 12·i + j", modIndex(flat, 12), "i1"],
    ["rows that split evenly: (12·i + j) div 24", divIndex(flat, 24), "((i0) div 2)"],
    ["rows that split evenly: (12·i + j) mod 24", modIndex(flat, 24), "12*((i0) mod 2) + i1"],
    ["nested quotients", divIndex(divIndex(j, 2), 3), "((i1) div 6)"],
    ["nested remainders", modIndex(modIndex(flat, 24), 12), "i1"],
    ["a common factor", divIndex(scaleIndex(j, 4), 6), "((2*i1) div 3)"],
    ["a negative scale", divIndex(addIndex(scaleIndex(j, -1), constantIndex(11)), 12), "0"],
    ["a whole quotient", divIndex(addIndex(j, constantIndex(-12)), 12), "-1"],
    ["a remainder below zero", modIndex(addIndex(j, constantIndex(-12)), 12), "i1"],
    ["a remainder that needs no division", modIndex(j, 12), "i1"],
    ["quotient and remainder together", addIndex(scaleIndex(divIndex(flat, 7), 7), modIndex(flat, 7)), "12*i0 + i1"],
    ["a remainder taken in two steps", addIndex(scaleIndex(modIndex(divIndex(j, 2), 3), 2), modIndex(j, 2)), "((i1) mod 6)"],
    ["twice quotient and remainder", addIndex(scaleIndex(divIndex(flat, 7), 14), scaleIndex(modIndex(flat, 7), 2)), "24*i0 + 2*i1"],
  ])("%s", (_, index, expected) => {
    expect(text(index)).toBe(expected);
  });

  it("floors below zero, with remainders from 0", () => {
    const shifted = addIndex(scaleIndex(j, 2), constantIndex(-9));
    for (let x = 0; x < 12; x++) {
      expect(evaluateIndex(divIndex(shifted, 5), [0, x], noData)).toBe(Math.floor((2 * x - 9) / 5));
      expect(evaluateIndex(modIndex(shifted, 5), [0, x], noData)).toBe((((2 * x - 9) % 5) + 5) % 5);
    }
  });
});

describe("reshape, transpose and slice", () => {
  /** Where an element of a reshaped array was. */
  const reshaped = (at: readonly Index[], to: readonly number[], from: readonly number[]): Index[] =>
    unflattenIndex(flattenIndex(at, to), from);

  it("of a flattened index gives the indices back", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 8 }), dims => {
        const at = axes(dims);
        expect(unflattenIndex(flattenIndex(at, dims), dims).map(indexKey)).toEqual(at.map(indexKey));
      }),
    );
  });

  it("of a position gives the position back", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }), dims => {
        const position = axisIndex(0, sizeOf(dims));
        expect(indexKey(flattenIndex(unflattenIndex(position, dims), dims))).toBe(indexKey(position));
      }),
    );
  });

  it("there and back again leaves nothing, whatever the shapes", () => {
    const shapes = fc.constantFrom([24], [2, 12], [4, 6], [3, 8], [2, 3, 4], [4, 3, 2], [1, 24, 1], [2, 1, 3, 2, 2], [2, 2, 2, 3]);
    fc.assert(
      fc.property(shapes, shapes, (from, to) => {
        const there = reshaped(axes(to), to, from);
        const back = reshaped(axes(from), from, to);
        const both = there.map(index => substituteIndex(index, back, keepData));
        expect(both.map(indexKey)).toEqual(axes(from).map(indexKey));
      }),
    );
  });

  it("of a transpose of a slice melts into one affine read", () => {
    // x[6, 10] → slice [1:5, 2:10:2] = [4, 4] → transpose → reshape to [2, 2, 4] → transpose (2, 0, 1) → reshape to [4, 4]
    const slice = (at: readonly Index[]): Index[] => [addIndex(at[0], constantIndex(1)), addIndex(scaleIndex(at[1], 2), constantIndex(2))];
    const last = axes([4, 4]);
    const [a, b, c] = reshaped(last, [4, 4], [4, 2, 2]);
    const [p, q] = reshaped([b, c, a], [2, 2, 4], [4, 4]);
    expect(slice([q, p]).map(text)).toEqual(["i0 + 1", "2*i1 + 2"]);
  });

  it("keeps rank 0 and empty shapes", () => {
    expect(unflattenIndex(constantIndex(0), [])).toEqual([]);
    expect(flattenIndex([], [])).toEqual(constantIndex(0));
    expect(unflattenIndex(axisIndex(0, 0), [0, 3]).length).toBe(2);
  });
});

describe("loaded indices", () => {
  const value = constantScalar("int32", 5);

  it("are clamped into their range", () => {
    const index = addIndex(scaleIndex(dataIndex(value, 4), 10), constantIndex(1));
    expect([-7, 2, 9].map(read => evaluateIndex(index, [], () => read))).toEqual([1, 21, 31]);
    expect([index.min, index.max]).toEqual([1, 31]);
  });

  it("are one atom when they are one scalar, and substitution reaches into them", () => {
    expect(indexKey(dataIndex(value, 4))).toBe(indexKey(dataIndex(value, 4)));
    expect(indexKey(dataIndex(value, 4))).not.toBe(indexKey(dataIndex(value, 5)));
    const other = constantScalar("int32", 1);
    const replaced = substituteIndex(divIndex(addIndex(dataIndex(value, 9), axisIndex(0, 3)), 4), [constantIndex(2)], () => other);
    expect(evaluateIndex(replaced, [], scalar => (scalar === other ? 7 : 0))).toBe(2);
  });
});

describe("printIndex", () => {
  it("puts the greatest scale first and the offset last", () => {
    const [i, j] = axes([4, 5]);
    expect(text(addIndex(addIndex(j, scaleIndex(i, 5)), constantIndex(-3)))).toBe("5*i0 + i1 - 3");
    expect(text(scaleIndex(i, -1))).toBe("-1*i0");
    expect(text(constantIndex(0))).toBe("0");
  });
});
