// `npm run conformance -- [--data DIR] [--filter TEXT] [--backend wasm|reference] [--json FILE] [--list-missing] [--patience SECONDS]`:
// compares with the recorded answers of TensorFlow, the packed ones without --data, and ends with `N passed, N failed`.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Backend } from "../test/parity/run-case.ts";
import { type Outcome, reasonClass, runSuite } from "../test/parity/suite.ts";

const usage =
  "usage: npm run conformance -- [--data DIR] [--filter TEXT] [--backend wasm|reference] [--json FILE] [--list-missing] [--patience SECONDS]";

function readFlags(): {
  data: string | null;
  filter: string | null;
  backend: Backend;
  json: string | null;
  listMissing: boolean;
  patience: number;
} {
  try {
    const { values } = parseArgs({
      options: {
        data: { type: "string" },
        filter: { type: "string" },
        backend: { type: "string", default: "wasm" },
        json: { type: "string" },
        "list-missing": { type: "boolean", default: false },
        patience: { type: "string", default: "60" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    const { backend } = values;
    if (backend !== "wasm" && backend !== "reference") throw new Error(`There is no backend "${backend}".`);
    const patience = Number(values.patience);
    if (!(patience > 0)) throw new Error("--patience takes a number of seconds.");
    return {
      data: values.data ?? null,
      filter: values.filter ?? null,
      backend,
      json: values.json ?? null,
      listMissing: values["list-missing"],
      patience,
    };
  } catch (error) {
    console.error(`${(error as Error).message}\n${usage}`);
    process.exit(2);
  }
}

/** How many cases fail for each kind of reason, most first. A case with several reasons counts once, for its first. */
function groups(failed: readonly Outcome[]): [string, Outcome[]][] {
  const found = new Map<string, Outcome[]>();
  for (const outcome of failed) {
    const key = reasonClass(outcome.reasons[0]);
    found.set(key, [...(found.get(key) ?? []), outcome]);
  }
  return [...found].sort(([, a], [, b]) => b.length - a.length);
}

/** Cases each missing op or function stands in the way of, most first. */
function missing(failed: readonly Outcome[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { reasons } of failed) {
    for (const reason of new Set(reasons)) if (reason.startsWith("missing ")) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].sort(([, a], [, b]) => b - a);
}

const casesText = (count: number): string => `${count} ${count === 1 ? "case" : "cases"}`;

const { data, filter, backend, json, listMissing, patience } = readFlags();
const outcomes = await runSuite({ directory: data, filter, backend, patience }).catch((error: Error): Outcome[] => {
  console.error(error.message);
  return [];
});
const failed = outcomes.filter(({ reasons }) => reasons.length > 0);

for (const family of new Set(outcomes.map(outcome => outcome.family))) {
  const all = outcomes.filter(outcome => outcome.family === family);
  const passed = all.filter(({ reasons }) => reasons.length === 0).length;
  console.log(`${family.padEnd(20)} ${String(passed).padStart(5)} / ${String(all.length).padStart(5)}`);
}
if (failed.length > 0) console.log("\nFailures by reason:");
for (const [reason, cases] of groups(failed)) {
  console.log(`\n${reason}: ${casesText(cases.length)}`);
  for (const { id, reasons } of cases.slice(0, filter === null ? 5 : 50))
    console.log(`  ${id}  ${reasons[0].startsWith("missing ") ? "" : reasons[0].slice(0, 300)}`);
  if (cases.length > (filter === null ? 5 : 50)) console.log(`  … and ${cases.length - (filter === null ? 5 : 50)} more`);
}
if (listMissing) {
  console.log("\nMissing:");
  for (const [what, count] of missing(failed)) console.log(`  ${what}: ${casesText(count)}`);
}
if (json !== null)
  writeFileSync(
    json,
    `${JSON.stringify({ backend, passed: outcomes.length - failed.length, failed: failed.length, outcomes }, null, 1)}\n`,
  );
console.log(`\n${outcomes.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 && outcomes.length > 0 ? 0 : 1;
