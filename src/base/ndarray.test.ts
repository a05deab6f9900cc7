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

test("floats that no integer holds become the least one, as numpy has it on x86", () => {
  const floats = NDArray.from(new Float64Array([Number.NaN, 3e9, -3e9, 1e20, 300.7, -1.5]));
  expect(floats.cast("int32").toArray()).toEqual([-(2 ** 31), -(2 ** 31), -(2 ** 31), -(2 ** 31), 300, -1]);
  expect(floats.cast("uint8").toArray()).toEqual([0, 0, 0, 0, 44, 255]);
  expect(floats.cast("int64").toArray()).toEqual([-(2n ** 63n), 3000000000n, -3000000000n, -(2n ** 63n), 300n, -1n]);
});

test("elements of a string array are text, and bytes where they are no text", () => {
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47);
  const array = NDArray.from(["ü", png], "string");
  expect(array.at(0)).toBe("ü");
  expect(array.at(1)).toEqual(png);
  expect(array.toArray()).toEqual(["ü", png]);
  expect(NDArray.from(array.toArray(), "string").data).toEqual(array.data);
  expect(String(array)).toBe("[ü \ufffdPNG]");
});
