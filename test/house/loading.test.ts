// Every file of ops can be the first one loaded: families use each other only inside functions, whichever way a user's import comes in.
// Node itself loads them, since vitest's own loader lets a circle read `undefined` where Node throws.
import { execFileSync } from "node:child_process";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { packageSources, root } from "./sources.ts";

// Each round imports one file with a number that the files of ops below it inherit, so every round loads those anew; what they stand
// on knows nothing of them and is loaded once. Types are stripped once.
const loader = `
  import { readFileSync } from "node:fs";
  import { registerHooks, stripTypeScriptTypes } from "node:module";
  const sources = new Map();
  registerHooks({
    load(url, context, next) {
      const [file] = url.split("?");
      if (!file.endsWith(".ts")) return next(url, context);
      if (!sources.has(file)) sources.set(file, stripTypeScriptTypes(readFileSync(new URL(file), "utf8")));
      return { format: "module", source: sources.get(file), shortCircuit: true };
    },
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const round = context.parentURL?.match(/[?]round=\\d+$/)?.[0];
      return round && /^file:.*[/]src[/]ops[/]/.test(found.url) ? { ...found, url: found.url + round } : found;
    },
  });
  const outcomes = {};
  for (const [round, url] of JSON.parse(process.argv[1]).entries()) {
    const before = Object.keys(globalThis).length;
    outcomes[url] = await import(url + "?round=" + round).then(() => "loads", error => String(error));
    if (Object.keys(globalThis).length !== before) outcomes[url] = "adds to the global object";
  }
  console.log(JSON.stringify(outcomes));
`;

function loadEach(urls: readonly string[]): Record<string, string> {
  const flags = ["--input-type=module", "--no-warnings", "-e", loader];
  return JSON.parse(execFileSync(process.execPath, [...flags, JSON.stringify(urls)], { cwd: root, encoding: "utf8", maxBuffer: 1e8 }));
}

// Ends in a comment, which swallows the number of the round.
const moduleOf = (code: string): string => `data:text/javascript,${encodeURIComponent(`${code}//`)}`;

describe("loading", () => {
  it("works from every file of ops", () => {
    const families = packageSources().filter(({ path }) => path.startsWith("src/ops/"));
    expect(families.length).toBeGreaterThan(0);
    const outcomes = loadEach(families.map(({ path }) => pathToFileURL(root + path).href));
    expect(Object.entries(outcomes).filter(([, outcome]) => outcome !== "loads")).toEqual([]);
  });

  it("is told apart from what fails or leaves something behind", () => {
    const [throwing, leaking, sound] = ["const a = b; const b = 1;", "globalThis.left = 1;", "export const a = 1;"].map(moduleOf);
    expect(loadEach([throwing, leaking, sound])).toEqual({
      [throwing]: "ReferenceError: Cannot access 'b' before initialization",
      [leaking]: "adds to the global object",
      [sound]: "loads",
    });
  });
});
