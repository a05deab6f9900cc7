// Deno and Bun for the smoke test, fetched from npm when it first runs on them: about 100 MB each, so no dev dependencies. Only the package with the
// program itself is used; nothing of theirs runs on install.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npm, root, SetupError } from "./setup.mjs";

/** Exact versions, the scope of the packages that hold the program (one a system), and how a test file is run with a report as JUnit's XML. */
export const runtimes = {
  deno: {
    title: "Deno",
    version: "2.9.6",
    scope: "@deno",
    program: /^deno(\.exe)?$/,
    test: (file, report) => ["test", "--allow-all", "--no-check", `--junit-path=${report}`, file],
  },
  bun: {
    title: "Bun",
    version: "1.4.5",
    scope: "@oven",
    program: /^bun(\.exe)?$/,
    test: (file, report) => ["test", "--reporter=junit", `--reporter-outfile=${report}`, `./${file}`],
  },
};

/** The path of a runtime's program. @throws SetupError if npm cannot bring it, or has none for this system. */
export async function fetchRuntime(name) {
  const { title, version, scope, program } = runtimes[name];
  const folder = join(root, ".cache", "runtimes", `${name}-${version}`);
  const packages = join(folder, "node_modules", scope);
  if (!existsSync(packages)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: `runtime-${name}`, private: true }));
    try {
      const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"];
      await npm(["install", ...quiet, "--prefix", folder, `${name}@${version}`], `fetching ${title} ${version}`);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }
  const found = existsSync(packages)
    ? readdirSync(packages, { recursive: true, withFileTypes: true }).find(entry => entry.isFile() && program.test(entry.name))
    : undefined;
  if (found === undefined) throw new SetupError(`npm has no ${title} ${version} for ${process.platform} on ${process.arch}.`);
  return join(found.parentPath, found.name);
}

/** What a JUnit report counts. */
export function readJunit(report) {
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const [head = ""] = readFileSync(report, "utf8").match(/<testsuites [^>]*>/) ?? [];
  const count = word => Number(head.match(new RegExp(` ${word}="(\\d+)"`))?.[1] ?? 0);
  const failed = count("failures") + count("errors");
  return { passed: count("tests") - failed - count("skipped"), failed };
}
