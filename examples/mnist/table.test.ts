import { expect, test } from "vitest";
import { confusionTable } from "./table.ts";

test("counts line up under their digits", () => {
  expect(
    confusionTable([
      [980, 0, 3],
      [0, 12, 0],
      [1, 1, 8],
    ]),
  ).toBe(`          0    1    2    right
true 0  980    .    3   99.7 %
true 1    .   12    .  100.0 %
true 2    1    1    8   80.0 %`);
});

test("a digit that never comes has no share", () => {
  expect(
    confusionTable([
      [0, 0],
      [2, 0],
    ]),
  ).toBe(`        0  1    right
true 0  .  .        -
true 1  2  .    0.0 %`);
});
