// Names somebody may have meant.

import { expect, test } from "vitest";
import { nearestName } from "./names.ts";

const names = ["dense/kernel", "dense/bias", "conv2d/kernel", "SAME", "VALID", "global_step"];

test.each([
  ["dense/kernl", "dense/kernel"],
  ["same", "SAME"],
  ["bias", "dense/bias"],
  ["globalstep", "global_step"],
  ["logits", undefined],
  ["x", undefined],
])("%s may mean %s", (wanted, meant) => {
  expect(nearestName(wanted, names)).toBe(meant);
});
