// What users' bundlers make of the package: a program's text → the bytes that a page loads. Needs a build.
import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { build as esbuild } from "esbuild";
import { build as vite } from "vite";
import { root } from "./setup.mjs";

const dist = join(root, "dist");
const moduleName = path => relative(dist, path).replaceAll("\\", "/");
const gzipped = text => gzipSync(text, { level: 9 }).length;

/** What few programs load: special functions. */
const isRare = ({ modules }) => modules.every(name => name === "backends/special.js");

/** Static imports of a page's first chunk, and what it loads when it first runs something, apart. */
function measure(chunks) {
  const byName = new Map(chunks.map(chunk => [chunk.name, chunk]));
  const first = new Set();
  const visit = name => {
    if (first.has(name) || !byName.has(name)) return;
    first.add(name);
    byName.get(name).imports.forEach(visit);
  };
  visit(chunks.find(chunk => chunk.isEntry).name);
  const sum = (list, of) => list.reduce((total, chunk) => total + of(chunk), 0);
  const size = list => ({ bytes: sum(list, ({ text }) => Buffer.byteLength(text)), gzip: sum(list, ({ text }) => gzipped(text)) });
  const start = chunks.filter(({ name }) => first.has(name));
  return {
    start: size(start),
    later: size(chunks.filter(chunk => !first.has(chunk.name) && !isRare(chunk))),
    modules: start.flatMap(({ modules }) => modules),
  };
}

/** By esbuild, split at every `import()`. */
export async function bundleByEsbuild(program) {
  const { outputFiles, metafile } = await esbuild({
    stdin: { contents: program, resolveDir: root },
    bundle: true,
    minify: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    write: false,
    metafile: true,
    outdir: join(root, "out", "bundle"),
    absWorkingDir: root,
    // Our own tsconfig.json points "tensorloom" at the sources.
    tsconfigRaw: {},
  });
  const texts = new Map(outputFiles.map(({ path, text }) => [relative(root, path).replaceAll("\\", "/"), text]));
  return measure(
    Object.entries(metafile.outputs).map(([name, { entryPoint, inputs, imports }]) => ({
      name,
      text: texts.get(name),
      isEntry: entryPoint === "<stdin>",
      imports: imports.filter(({ kind }) => kind === "import-statement").map(({ path }) => path),
      modules: Object.keys(inputs)
        .filter(path => inputs[path].bytesInOutput > 0)
        .map(path => moduleName(join(root, path))),
    })),
  );
}

/** By Vite (rolldown), as a page's entry. */
export async function bundleByVite(program) {
  const entry = "virtual:program";
  const { output } = await vite({
    root,
    configFile: false,
    logLevel: "silent",
    build: { write: false, target: "esnext", modulePreload: false, rollupOptions: { input: entry } },
    plugins: [
      {
        name: "program",
        resolveId: id => (id === entry ? join(root, "program.js") : undefined),
        load: id => (id === join(root, "program.js") ? program : undefined),
      },
    ],
  });
  return measure(
    output
      .filter(({ type }) => type === "chunk")
      .map(({ fileName, code, isEntry, imports, modules }) => ({
        name: fileName,
        text: code,
        isEntry,
        imports,
        modules: Object.keys(modules)
          .filter(path => modules[path].renderedLength > 0)
          .map(moduleName),
      })),
  );
}

/** The program of the README. */
export const readmeProgram = () => readFileSync(join(root, "README.md"), "utf8").match(/```ts\n([\s\S]*?)```/)[1];
