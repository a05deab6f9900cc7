// One test run for the whole house: tests beside their source and the whole-house tests in test/.
// test/runtimes/ is left out: those run on other Nodes and in a browser, by node:test (scripts/test.mjs).
// "tensorloom" means the sources, so documentation examples run unbuilt.
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: {
    alias: [
      { find: /^tensorloom$/, replacement: new URL("src/index.ts", import.meta.url).pathname },
      { find: /^tensorloom\/compat$/, replacement: new URL("src/compat.ts", import.meta.url).pathname },
      { find: /^tensorloom\/formats$/, replacement: new URL("src/formats.ts", import.meta.url).pathname },
    ],
  },
  test: {
    include: ["{src,test,examples,bench,scripts}/**/*.test.ts"],
    exclude: ["test/runtimes/**"],
    globalSetup: ["test/house/temporary-files.ts"],
    pool: "forks",
    maxWorkers: 2,
    // A hang ends the run; a machine that is busy with other things does not.
    testTimeout: process.env.TENSORLOOM_FUZZ || process.env.TENSORLOOM_ROUNDS ? 3_600_000 : 240_000,
  },
});
