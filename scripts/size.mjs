// `npm run size`: bytes of each door when a user's bundler has done its work (esbuild, minified), and after gzip. Needs a build.
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { root } from "./setup.mjs";

for (const door of ["index", "compat", "formats"]) {
  const result = await build({
    entryPoints: [`${root}dist/${door}.js`],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    write: false,
  });
  const [{ contents }] = result.outputFiles;
  console.log(`${door}: ${contents.length} bytes, ${gzipSync(contents, { level: 9 }).length} gzipped`);
}
