// Guards: bounds that are settled while they are built.

import { expect, test } from "vitest";
import { axisIndex } from "./index-map.ts";
import { constantScalar, guardScalar } from "./scalar.ts";

test("a bound with nothing between its ends never holds", () => {
  const [inside, outside] = [constantScalar("float32", 1), constantScalar("float32", 0)];
  const when = (low: number, high: number) => guardScalar([{ index: axisIndex(0, 10), low, high }], inside, outside);
  expect([when(5, 3), when(5, 5)]).toEqual([outside, outside]);
  expect(when(0, 10)).toBe(inside);
  expect(when(3, 5).kind).toBe("guard");
});
