// `npm test`: every check of the project, one after the other, each with its place in the row and its seconds.
// `node scripts/test.mjs types lint` runs only the named steps; `npm run check` is such a row, done in seconds.
// The last line is `N passed, N failed`, summed over all steps. What a step checks lives elsewhere: src/**/*.test.ts and test/.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fetchRuntime, readJunit, runtimes } from "./runtimes.mjs";
import { finish, installed, machineNode, root, SetupError, setup } from "./setup.mjs";

const stepLimitMs = 20 * 60_000;
const reports = join(root, "out", "test");
const one = passed => (passed ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });

/** Runs a program to its end with its output shown; true when it ended well. */
function execute(command, args) {
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], timeout: stepLimitMs });
    child.on("error", error => {
      console.error(error.message);
      resolve(false);
    });
    child.on("close", (status, signal) => {
      if (signal !== null) console.error(`ended by ${signal} (a step may take ${stepLimitMs / 60_000} minutes)`);
      resolve(status === 0);
    });
  });
}

/** What vitest counted. A file that could not even be loaded, or an error outside every test, counts as one failure. */
function readVitest(report, ok) {
  if (!existsSync(report)) return one(false);
  const { testResults, numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, "utf8"));
  const broken = testResults.filter(file => file.status === "failed" && !file.assertionResults.some(test => test.status === "failed"));
  const failed = numFailedTests + broken.length;
  return { passed: numPassedTests, failed: ok ? failed : Math.max(failed, 1) };
}

async function vitest(node, name, ...filters) {
  const report = join(reports, `${name}.json`);
  rmSync(report, { force: true });
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const ok = await execute(node, [installed("vitest", "vitest.mjs"), "run", ...reporters, ...filters]);
  return readVitest(report, ok);
}

/** `node:test` files, for what must also run where vitest does not: shown as text, counted from a second report in TAP. */
async function nodeTest(node, name, file) {
  const report = join(reports, `${name}.tap`);
  rmSync(report, { force: true });
  const reporters = ["spec", "stdout", "tap", report].map((value, index) => `--test-reporter${index % 2 ? "-destination" : ""}=${value}`);
  const ok = await execute(node, ["--test", ...reporters, file]);
  const tap = existsSync(report) ? readFileSync(report, "utf8") : "";
  const count = word => Number(tap.match(new RegExp(`^# ${word} (\\d+)$`, "m"))?.[1] ?? 0);
  const skipped = tap.match(/# SKIP (.+)$/m)?.[1];
  return { passed: count("pass"), failed: ok ? count("fail") : Math.max(count("fail"), 1), note: skipped && `skipped: ${skipped}` };
}

/** The smoke test on Deno or Bun; where npm cannot bring them the step is skipped and says why. */
async function runtimeTest(name, file) {
  let program;
  try {
    program = await fetchRuntime(name);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { passed: 0, failed: 0, note: `skipped: ${error.message.replaceAll(/\s+/g, " ")}` };
  }
  const report = join(reports, `${name}.xml`);
  rmSync(report, { force: true });
  const ok = await execute(program, runtimes[name].test(file, report));
  const { passed, failed } = readJunit(report);
  return { passed, failed: ok ? failed : Math.max(failed, 1) };
}

const tool = async (node, ...args) => one(await execute(node, args));

const steps = {
  types: { title: "type check", run: node => tool(node, installed("typescript", "bin", "tsc"), "--noEmit") },
  lint: {
    title: "lint and format",
    run: node => tool(node, installed("@biomejs", "biome", "bin", "biome"), "check", "--error-on-warnings"),
  },
  house: { title: "house rules", run: node => vitest(node, "house", "test/house"), partOf: "unit" },
  unit: { title: "tests of src/ and test/", run: node => vitest(node, "unit") },
  build: { title: "build", run: node => tool(node, "scripts/build.mjs") },
  package: { title: "package as users get it", run: node => nodeTest(node, "package", "test/runtimes/package.mjs"), needs: "build" },
  machine: {
    title: "smoke on the machine's own Node",
    run: () => nodeTest(machineNode(), "machine", "test/runtimes/smoke.mjs"),
    needs: "build",
  },
  node: { title: "smoke on the Node of development", run: node => nodeTest(node, "node", "test/runtimes/smoke.mjs"), needs: "build" },
  deno: { title: "smoke on Deno", run: () => runtimeTest("deno", "test/runtimes/smoke.mjs"), needs: "build" },
  bun: { title: "smoke on Bun", run: () => runtimeTest("bun", "test/runtimes/smoke.mjs"), needs: "build" },
  browser: { title: "training in Chromium", run: node => nodeTest(node, "browser", "test/runtimes/browser.test.ts"), needs: "build" },
};

const chosen = names => {
  const all = Object.keys(steps).filter(name => steps[name].partOf === undefined);
  const unknown = names.find(name => !(name in steps));
  if (unknown !== undefined) throw new SetupError(`There is no step "${unknown}"; steps are ${Object.keys(steps).join(", ")}.`);
  return names.length > 0 ? names : all;
};

await finish(async () => {
  const names = chosen(process.argv.slice(2));
  const started = Date.now();
  const seconds = since => `${((Date.now() - since) / 1000).toFixed(1)} s`;
  const node = await setup();
  mkdirSync(reports, { recursive: true });
  const results = new Map();
  for (const [index, name] of names.entries()) {
    const { title, run, needs } = steps[name];
    const place = `[${index + 1}/${names.length}] ${title}`;
    const since = Date.now();
    console.log(`\n${place} … (${seconds(started)} so far)`);
    const blocked = results.get(needs)?.failed > 0;
    const result = blocked ? { ...one(false), note: `not run: ${steps[needs].title} failed` } : await run(node);
    results.set(name, result);
    const note = result.note === undefined ? "" : `, ${result.note}`;
    console.log(`${place}: ${result.passed} passed, ${result.failed} failed in ${seconds(since)}${note}`);
  }
  console.log(`\nall steps in ${seconds(started)}:`);
  for (const [name, { passed, failed, note }] of results) {
    console.log(`  ${failed === 0 ? "ok  " : "FAIL"} ${steps[name].title}: ${passed} passed, ${failed} failed${note ? `, ${note}` : ""}`);
  }
  const sum = key => [...results.values()].reduce((total, result) => total + result[key], 0);
  console.log(`\n${sum("passed")} passed, ${sum("failed")} failed`);
  return sum("failed") === 0 && sum("passed") > 0 ? 0 : 1;
});
