// Matrices that have no factors or solutions: what TensorFlow 2.21 refuses, and what it does not.

import { expect, test } from "vitest";
import { valueOf } from "../../../test/values.ts";
import { constant } from "../array/array.ts";
import { Lu, MatrixSolveLs } from "./linalg.ts";

const { NaN: nan } = Number;
const ones = (): number[][] => [[1], [1]];

test.each([
  [
    [
      [nan, 1],
      [1, 2],
    ],
    "Input is not invertible.",
  ],
  [[[nan]], "Input is not invertible."],
  [
    [
      [1, 2],
      [2, 4],
    ],
    "Input is not invertible.",
  ],
])("LU of %j", async (matrix, text) => {
  await expect(valueOf(() => Lu({ input: constant(matrix) }).lu)).rejects.toThrow(text);
});

test("a NaN that is not the first pivot is no reason", async () => {
  expect(
    await valueOf(
      () =>
        Lu({
          input: constant([
            [1, 2],
            [0, nan],
          ]),
        }).lu,
    ),
  ).toEqual([
    [1, 2],
    [0, nan],
  ]);
});

test.each([
  [
    [
      [1, 2],
      [2, 4],
    ],
  ],
  [
    [
      [0, 0],
      [0, 0],
    ],
  ],
])("least squares of %j by the normal equations", async matrix => {
  const solved = (l2: number, fast = true) =>
    valueOf(() => MatrixSolveLs({ matrix: constant(matrix), rhs: constant(ones()), l2Regularizer: l2, fast }));
  await expect(solved(0)).rejects.toThrow(
    "Input matrix was rank deficient or ill-conditioned. Try setting fast=False or provide a larger l2_regularizer > 0.",
  );
  await solved(0.5);
  await solved(0, false);
});
