// All golden cases of TensorFlow (README of the generator: conformance.md), against the committed list of those we do not pass yet.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { surprises } from "./expected-failures.ts";
import { reasonClass, runSuite } from "./suite.ts";

it("gives TensorFlow's answers, but for the listed cases", { timeout: 1_800_000 }, async () => {
  const outcomes = await runSuite();
  const failures = new Map(outcomes.flatMap(({ id, reasons }) => (reasons.length > 0 ? [[id, reasonClass(reasons[0])] as const] : [])));
  // None goes unseen: the README says how many there are.
  expect(readFileSync(new URL("../../README.md", import.meta.url), "utf8")).toContain(
    `${outcomes.length.toLocaleString("en-US")} recorded`,
  );
  expect(surprises("golden", failures)).toEqual([]);
});
