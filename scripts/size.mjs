// `npm run size`: what programs weigh when a user's bundler (esbuild, Vite) has done its work, and how long the main door takes to load in Node.
// `--write` puts the table into bench/README.md between its markers. Needs a build.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundleByEsbuild, bundleByVite, readmeProgram } from "./bundle.mjs";
import { developmentNode, root } from "./setup.mjs";

const programs = {
  "everything (`console.log(tf)`)": 'import * as tf from "tensorloom"; console.log(tf);',
  "everything under TensorFlow's names": 'import * as tf from "tensorloom/compat"; console.log(tf);',
  "the README's program": readmeProgram(),
  "`placeholder`, `matmul`, `Session`":
    'import { matmul, placeholder, Session } from "tensorloom"; console.log(placeholder, matmul, Session);',
  "the files' formats only": 'import * as formats from "tensorloom/formats"; console.log(formats);',
};

const kilobytes = bytes => `${(bytes / 1000).toFixed(1)}`;
const cell = ({ start, later }) => `${kilobytes(start.gzip)} of ${kilobytes(start.bytes)}, later ${kilobytes(later.gzip)}`;

/** Milliseconds of `import()` in a fresh process: the least of several, since the machine has other things to do. */
function startUp(path, repeats = 7) {
  const script = `const start = performance.now(); await import(${JSON.stringify(pathToFileURL(path).href)}); console.log(performance.now() - start);`;
  const times = Array.from({ length: repeats }, () =>
    Number(execFileSync(developmentNode(), ["--input-type=module", "--no-warnings", "-e", script], { cwd: root, encoding: "utf8" })),
  );
  return Math.round(Math.min(...times));
}

const lines = ["| program | esbuild, kB gzip of kB | Vite, kB gzip of kB |", "|---|---|---|"];
for (const [name, program] of Object.entries(programs))
  lines.push(`| ${name} | ${cell(await bundleByEsbuild(program))} | ${cell(await bundleByVite(program))} |`);
lines.push(
  "",
  `\`import * as tf\` in Node: ${startUp(join(root, "dist/node/index.js"))} ms from dist/, ${startUp(join(root, "src/index.ts"))} ms from the sources.`,
);
const table = lines.join("\n");
console.log(table);

if (process.argv.includes("--write")) {
  const path = join(root, "bench", "README.md");
  const text = readFileSync(path, "utf8");
  const markers = /(<!-- size -->\n)[\s\S]*?(\n<!-- end of size -->)/;
  if (!markers.test(text)) throw new Error("bench/README.md has no place for the table.");
  writeFileSync(
    path,
    text.replace(markers, (_, begin, end) => `${begin}\n${table}\n${end}`),
  );
}
