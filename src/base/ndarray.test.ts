// Arrays as numpy converts them.

import { expect, test } from "vitest";
import { NDArray } from "./ndarray.ts";

test("whatever is not zero is true", () => {
  expect(NDArray.from(new Float32Array([Number.NaN, 0, -0, 0.5]), "bool").toArray()).toEqual([true, false, false, true]);
  expect(
    NDArray.from(
      [
        { re: 0, im: 1 },
        { re: 0, im: 0 },
      ],
      "complex64",
    )
      .cast("bool")
      .toArray(),
  ).toEqual([true, false]);
  expect(
    NDArray.from([2n ** 60n, 0n], "int64")
      .cast("bool")
      .toArray(),
  ).toEqual([true, false]);
});
