// `npm run build`: plain tsc, one output module per source module, into dist/: tree shaking works best so, and bundlers of users find
// `new Worker(new URL(…))` by its literal text. From these, the doors for Node as a few files, which load in less than half the time.
import { spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { finish, installed, root, setup } from "./setup.mjs";

const dist = join(root, "dist");

// tsc rewrites `.ts` in imports but not in the URL of a worker, nor in declarations.
const workerUrl = /(new URL\("\.{1,2}\/[^"]+)\.ts("\s*,\s*import\.meta\.url\))/g;
const declaredImport = /((?:from |import\(|declare module )"\.{1,2}\/[^"]+)\.ts(")/g;

/** So that bundlers see what may be dropped. */
async function markModules() {
  // Loaded here: vite may have to be installed first.
  const { markPure } = await import("./mark-pure.mjs");
  for (const name of readdirSync(dist, { recursive: true })) {
    if (!name.endsWith(".js")) continue;
    const text = readFileSync(join(dist, name), "utf8");
    const marked = markPure(text);
    if (marked !== text) writeFileSync(join(dist, name), marked);
  }
}

function rewriteExtensions() {
  for (const name of readdirSync(dist, { recursive: true })) {
    const pattern = name.endsWith(".d.ts") ? declaredImport : name.endsWith(".js") ? workerUrl : undefined;
    if (pattern === undefined) continue;
    const text = readFileSync(join(dist, name), "utf8");
    const rewritten = text.replace(pattern, "$1.js$2");
    if (rewritten !== text) writeFileSync(join(dist, name), rewritten);
  }
}

/** Methods that one file declares for the class of another: tsc leaves out of declarations that anybody imports such a file, so the class does. */
function importAugmentations() {
  for (const name of readdirSync(dist, { recursive: true })) {
    if (!name.endsWith(".d.ts")) continue;
    const from = join(dist, name);
    for (const [, target] of readFileSync(from, "utf8").matchAll(/^declare module "(\.[^"]+)\.js"/gm)) {
      const augmented = join(dirname(from), `${target}.d.ts`);
      const path = relative(dirname(augmented), from)
        .replaceAll("\\", "/")
        .replace(/\.d\.ts$/, ".js");
      appendFileSync(augmented, `import "${path.startsWith(".") ? path : `./${path}`}";\n`);
    }
  }
}

const classHead = /^(?:export )?class (\w+)(?: extends [^{]+)? \{$/gm;

/** Classes keep their names where bundling gives them others: messages and scopes have them. esbuild's own `keepNames` names every function as
 *  well, each time that it is made, and a first run takes longer for what only stack traces show. */
const classNames = {
  name: "class-names",
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace(
        classHead,
        (head, name) => `${head} static { Object.defineProperty(this, "name", { value: "${name}", configurable: true }); }`,
      ),
    })),
};

/** What a file exports gets its name back where another module's function had the same. */
function nameExports(file) {
  const text = readFileSync(file, "utf8");
  const renamed = [...text.slice(text.lastIndexOf("export {")).matchAll(/\b((\w+?)\d+) as (\w+)/g)].filter(
    ([, , base, name]) => base === name,
  );
  if (renamed.length === 0) return;
  const pairs = renamed.map(([, local, , name]) => `[${local}, "${local}", "${name}"]`);
  writeFileSync(
    file,
    `${text}for (const [value, given, name] of [${pairs.join(", ")}])
  if (typeof value === "function" && value.name === given) Object.defineProperty(value, "name", { value: name, configurable: true });
`,
  );
}

/** The doors and the worker's first module, with what they share in files of their own, all in one folder. Nothing is renamed or made shorter. */
async function putTogether() {
  const { build } = await import("esbuild");
  const doors = ["index", "compat", "formats"].map(door => [door, `${door}.js`]);
  await build({
    absWorkingDir: dist,
    entryPoints: Object.fromEntries([...doors, ["thread-node", "platform/thread-node.js"]]),
    outdir: "node",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    plugins: [classNames],
  });
  for (const name of readdirSync(join(dist, "node"))) {
    nameExports(join(dist, "node", name));
    keepToAscii(join(dist, "node", name));
  }
}

/** Node reads a file of ASCII as one byte a character, any other as two, which take the engine longer. esbuild escapes what is in strings. */
function keepToAscii(file) {
  writeFileSync(file, readFileSync(file, "utf8").replace(/[\u0080-\uffff]/g, "?"));
}

/** What first runs call is compiled while it loads. */
async function markFirst(node) {
  const { calledFunctions, markEager } = await import("./mark-eager.mjs");
  for (const [url, starts] of calledFunctions(node, join(root, "scripts", "first-functions.mjs"))) {
    if (!url.startsWith(pathToFileURL(join(dist, "node", "/")).href)) continue;
    const file = fileURLToPath(url);
    writeFileSync(file, markEager(readFileSync(file, "utf8"), starts));
  }
}

await finish(async () => {
  const node = await setup();
  rmSync(dist, { recursive: true, force: true });
  const { status } = spawnSync(node, [installed("typescript", "bin", "tsc"), "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
  rewriteExtensions();
  importAugmentations();
  await markModules();
  await putTogether();
  if (status === 0) await markFirst(node);
  if (status === 0) chmodSync(join(dist, "command", "main.js"), 0o755);
  return status ?? 1;
});
