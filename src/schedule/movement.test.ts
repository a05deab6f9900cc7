// Which maps only move data, and what a contraction may read through them.
import { describe, expect, it } from "vitest";
import { program } from "../../test/plans/known-programs.ts";
import * as ir from "../ir/build.ts";
import type { Index } from "../ir/index-map.ts";
import { addIndex, axisIndex, constantIndex, printIndex } from "../ir/index-map.ts";
import type { Step, Value } from "../ir/program.ts";
import { printScalar } from "../ir/scalar.ts";
import { readThrough, sameBytesAs } from "./movement.ts";

/** The map that `build` makes of a feed of a shape. */
function mapOf(shape: readonly number[], build: (x: Value) => void): Extract<Step, { kind: "map" }> {
  const { steps } = program(() => {
    build(ir.feed("x", "float32", shape));
    return [];
  });
  return steps.at(-1) as Extract<Step, { kind: "map" }>;
}

/** Where a contraction that reads the moved value at `at` would read the feed. */
function through(shape: readonly number[], build: (x: Value) => void, at: readonly Index[]): string | undefined {
  const { body, out } = mapOf(shape, build);
  return readThrough(body, out, at)
    ?.at.map(index => printIndex(index, printScalar))
    .join(", ");
}

const [i, j] = [axisIndex(0, 4), axisIndex(1, 3)];
/** From one before the first to one after the last of a size. */
const beyond = (axis: number, size: number): Index => addIndex(axisIndex(axis, size + 2), constantIndex(-1));

describe("sameBytesAs", () => {
  it("knows reshapes and bitcasts of equal width", () => {
    expect(sameBytesAs(mapOf([4, 6], x => ir.reshape(x, [2, 12])))?.shape).toEqual([4, 6]);
    expect(sameBytesAs(mapOf([4, 6], x => ir.reshape(x, [4, 1, 6])))).toBeDefined();
  });

  it("knows that other movements change the order or the number of bytes", () => {
    expect(sameBytesAs(mapOf([4, 4], x => ir.transpose(x, [1, 0])))).toBeUndefined();
    expect(sameBytesAs(mapOf([4, 4], x => ir.reverse(x, [1])))).toBeUndefined();
    expect(sameBytesAs(mapOf([4, 4], x => ir.slice(x, [0, 0], [2, 4])))).toBeUndefined();
    expect(sameBytesAs(mapOf([4, 1], x => ir.broadcastTo(x, [4, 4])))).toBeUndefined();
  });
});

describe("readThrough", () => {
  it("composes transposes, slices, reversals, broadcasts and splits of axes", () => {
    expect(through([3, 4], x => ir.transpose(x, [1, 0]), [i, j])).toBe("i1, i0");
    expect(through([9, 9], x => ir.slice(x, [2, 1], [4, 3]), [i, j])).toBe("i0 + 2, i1 + 1");
    expect(through([9, 9], x => ir.slice(x, [0, 0], [4, 3], [2, 3]), [i, j])).toBe("2*i0, 3*i1");
    expect(through([4, 3], x => ir.reverse(x, [0]), [i, j])).toBe("-1*i0 + 3, i1");
    expect(through([3], x => ir.broadcastTo(x, [4, 3]), [i, j])).toBe("i1");
    expect(through([12], x => ir.reshape(x, [4, 3]), [i, j])).toBe("3*i0 + i1");
  });

  it("reads padding with zero as the outside of the source", () => {
    expect(through([4], x => ir.pad(x, [2], [1]), [axisIndex(0, 7)])).toBe("i0 - 2");
    expect(through([4], x => ir.pad(x, [2], [1]), [beyond(0, 7)])).toBe("i0 - 3");
    expect(through([4], x => ir.pad(x, [2], [1], 1), [axisIndex(0, 7)])).toBeUndefined();
  });

  it("refuses where the outside of the moved value is not outside of the source", () => {
    expect(through([9], x => ir.slice(x, [2], [4]), [beyond(0, 4)])).toBeUndefined();
    expect(through([9], x => ir.slice(x, [0], [4]), [beyond(0, 4)])).toBeUndefined();
    expect(through([9], x => ir.slice(x, [5], [4]), [beyond(0, 4)])).toBeUndefined();
    expect(through([4], x => ir.pad(x, [-1], [1]), [beyond(0, 4)])).toBeUndefined();
    expect(through([1], x => ir.broadcastTo(x, [4]), [beyond(0, 4)])).toBeUndefined();
    expect(through([4], x => ir.reverse(x, [0]), [beyond(0, 4)])).toBe("-1*i0 + 4");
  });

  it("refuses indices that are not affine", () => {
    expect(through([4, 3], x => ir.reshape(x, [12]), [axisIndex(0, 12)])).toBeUndefined();
    expect(through([4], x => ir.tile(x, [3]), [axisIndex(0, 12)])).toBeUndefined();
  });
});
