// What sessions, savers, optimizers, gradients, variables and summaries refuse and take, against recordings of TensorFlow
// (generate/session_refusals.py): class and first line, or the value. `{dir}` in a call is a folder of its own.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type GoldenCase, loadSpec } from "./golden.ts";
import { runProgram } from "./run-program.ts";

const cases = loadSpec("session-refusals") as readonly GoldenCase[];
const groups = [...new Set(cases.map(({ family }) => family))];
const folder = mkdtempSync(join(tmpdir(), "refusals-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each(groups)("%s", { timeout: 60_000 }, async group => {
  const failures: string[] = [];
  for (const golden of cases.filter(({ family }) => family === group)) {
    const own = mkdtempSync(join(folder, "case-")).replaceAll("\\", "/");
    const [why] = await runProgram(JSON.parse(JSON.stringify(golden).replaceAll("{dir}", own)));
    if (why !== undefined) failures.push(`${golden.python_call}: ${why}`);
  }
  expect(failures).toEqual([]);
});
