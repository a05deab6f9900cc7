// The package as users will get it: what is in it, and whether its doors and types resolve.
// Needs a build; publint and attw do the looking. What the code does is tested elsewhere, sizes are tabled by scripts/size.mjs and held here.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { bundleByEsbuild, bundleByVite, readmeProgram } from "../../scripts/bundle.mjs";
import { markPure } from "../../scripts/mark-pure.mjs";
import { installed, root } from "../../scripts/setup.mjs";

// Both tools call `npm pack`, which would build anew in the middle of the tests.
process.env.npm_config_ignore_scripts = "true";

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const built = readdirSync(join(root, "dist"), { recursive: true }).map(String);

test("every door has its module and its types", () => {
  const targets = JSON.stringify([manifest.exports, manifest.imports ?? {}, manifest.bin]).match(/\.\/dist\/[^"]+/g) ?? [];
  assert.ok(targets.length >= 4);
  assert.deepEqual(
    targets.filter(target => !existsSync(join(root, target))),
    [],
  );
});

test("no import of a source is left in the build", () => {
  const stray = built
    .filter(name => /\.(js|d\.ts)$/.test(name))
    .filter(name =>
      /(?:from |import\(|new URL\(|declare module )"\.[^"]*(?<!\.d)\.ts"/.test(readFileSync(join(root, "dist", name), "utf8")),
    );
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

test("the files for Node have every name of the others, and load nothing of them", async () => {
  const own = name => import(pathToFileURL(join(root, "dist", name)).href);
  for (const door of ["index", "compat", "formats"]) {
    const [apart, together] = [await own(`${door}.js`), await own(`node/${door}.js`)];
    assert.deepEqual(Object.keys(together), Object.keys(apart));
    // Where two functions of one name meet, the bundler puts a 2 behind the second's.
    for (const [name, value] of Object.entries(apart))
      if (typeof value === "function") assert.ok([value.name, `${value.name}2`].includes(together[name].name), name);
  }
  const files = built.filter(name => name.startsWith("node/"));
  assert.ok(files.length < 40, `${files.length} files`);
  assert.deepEqual(
    files.filter(name => /(?:from |import\(|new URL\()"\.\./.test(readFileSync(join(root, "dist", name), "utf8"))),
    [],
  );
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

test("programs type-check against the declarations, and those against each other", () => {
  const programs = ["camel", "compat"].map(name => join("test", "runtimes", "typed", `${name}.ts`));
  const flags = "--ignoreConfig --noEmit --strict --target es2024 --lib esnext,dom --types node --module nodenext".split(" ");
  const { stdout } = spawnSync(process.execPath, [installed("typescript", "bin", "tsc"), ...flags, ...programs], {
    cwd: root,
    encoding: "utf8",
  });
  assert.equal(stdout, "");
});

test("the build marks what is computed while loading, and nothing else", () => {
  const plain =
    'import { f } from "./f.js";\nconst a = 1, b = () => f();\nexport function g() { const c = f(); return c; }\nf();\nexport const d = await f();\n';
  assert.equal(markPure(plain), plain);
  assert.equal(markPure("export const a = f({ b: [...c] });"), "export const a = /* @__PURE__ */ (() => f({ b: [...c] }))();");
  assert.equal(
    markPure("class A { static b = new Map(); c = f(); }"),
    "class A { static b = /* @__PURE__ */ (() => new Map())(); c = f(); }",
  );
  assert.equal(markPure("const a = { b: c.d };"), "const a = /* @__PURE__ */ (() => ({ b: c.d }))();");
});

/** What a program that reads no file, shows no image and imports no graph has no use for. The operators of sparse tensors are methods, as
 *  those of tensors are: what they take of ops/sparse (sparse, dense and structure) comes with the class, and elements with the functions. */
const unneeded = [
  /^formats\/(bundle|checkpoint|deflate|gif|histogram|inflate|npy|png|records|snappy|table|text-format|tfjs|wav)/,
  /^io\/(example|meta-graph|op-message|saved-model|saver|summary|tfjs)/,
  /^library\/(data|features|layers|linalg|lookup|losses|metrics|queue|ragged|summary)/,
  /^ops\/(data|image|linalg|nn|quantized|registry|signal|sparse\/(?!(sparse|dense|structure|elements)\.js)|state\/checkpoint|string|summary)/,
  /^(backends\/(wasm|special)|kernels)\b/,
];

function assertSmall({ start, later, modules }, { startKb, laterKb }) {
  assert.deepEqual(
    modules.filter(name => unneeded.some(pattern => pattern.test(name))),
    [],
  );
  assert.ok(start.gzip <= startKb * 1000, `the page's first modules weigh ${start.gzip} bytes after gzip`);
  assert.ok(later.gzip <= laterKb * 1000, `what the first run loads weighs ${later.gzip} bytes after gzip`);
}

test("the README's program, bundled by Vite, holds only what it uses", async () => {
  assertSmall(await bundleByVite(readmeProgram()), { startKb: 182, laterKb: 88 });
});

test("a program of named imports, bundled by esbuild, holds only what it uses", async () => {
  const program = 'import { matmul, placeholder, Session } from "tensorloom"; console.log(matmul, placeholder, Session);';
  assertSmall(await bundleByEsbuild(program), { startKb: 165, laterKb: 108 });
});

test("the formats' door, bundled, holds no graph and no compiler", async () => {
  const { start, modules } = await bundleByEsbuild('import * as formats from "tensorloom/formats"; console.log(formats);');
  assert.deepEqual(
    modules.filter(name => !/^(base|formats|platform)\/|^formats\.js$|<stdin>$/.test(name)),
    [],
  );
  assert.ok(start.gzip <= 36_800, `${start.gzip} bytes after gzip`);
});
