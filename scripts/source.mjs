// `node --import ./scripts/source.mjs FILE.ts`: "tensorloom" and its doors mean the sources, so examples run as users write them, unbuilt.
// `run.mjs` starts everything so; vitest and tsc have the same two lines in their own configurations.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";

const { name, exports: doors } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

const sources = new Map(
  Object.entries(doors)
    .filter(([, targets]) => targets.default !== undefined)
    .map(([door, targets]) => {
      const path = targets.default.replace(/^\.\/dist\//, "../src/").replace(/\.js$/, ".ts");
      return [name + door.slice(1), new URL(path, import.meta.url).href];
    }),
);

registerHooks({ resolve: (specifier, context, next) => next(sources.get(specifier) ?? specifier, context) });
