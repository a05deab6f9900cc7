// The package as users will get it: what is in it, and whether its doors and types resolve.
// Needs a build; publint and attw do the looking. What the code does is tested elsewhere, its size is measured by scripts/size.mjs.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { installed, root } from "../../scripts/setup.mjs";

// Both tools call `npm pack`, which would build anew in the middle of the tests.
process.env.npm_config_ignore_scripts = "true";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const built = readdirSync(join(root, "dist"), { recursive: true }).map(String);

test("every door has its module and its types", () => {
  const targets = JSON.stringify([manifest.exports, manifest.imports ?? {}]).match(/\.\/dist\/[^"]+/g) ?? [];
  assert.ok(targets.length >= 4);
  assert.deepEqual(
    targets.filter(target => !existsSync(join(root, target))),
    [],
  );
});

test("no import of a source is left in the build", () => {
  const stray = built
    .filter(name => /\.(js|d\.ts)$/.test(name))
    .filter(name => /(?:from |import\(|new URL\()"\.[^"]*(?<!\.d)\.ts"/.test(readFileSync(join(root, "dist", name), "utf8")));
  assert.deepEqual(stray, []);
});

test("no test and no second copy is shipped", () => {
  assert.deepEqual(
    built.filter(name => /\.(test|cases)\.|\.cjs$/.test(name)),
    [],
  );
});

test("the main door has no runtime dependency and nothing runs on install", () => {
  assert.equal(manifest.dependencies, undefined);
  const hooks = Object.keys(manifest.scripts).filter(name => /^(pre|post)?install$|^prepare$/.test(name));
  assert.deepEqual(hooks, []);
});

test("publint finds nothing to say", async () => {
  const { messages } = await publint({ pkgDir: root, level: "suggestion", strict: true, pack: "npm" });
  assert.deepEqual(
    messages.map(message => formatMessage(message, manifest, { color: false })),
    [],
  );
});

test("types resolve for every way to import", () => {
  const attw = installed("@arethetypeswrong", "cli", "dist", "index.js");
  const flags = ["--profile", "esm-only", "--format", "ascii", "--no-color", "--no-emoji"];
  execFileSync(process.execPath, [attw, "--pack", root, ...flags], { encoding: "utf8" });
});
