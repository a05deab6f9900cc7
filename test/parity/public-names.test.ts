// The public API against TensorFlow's own list of names and signatures (recorded in spec/): the generated files are fresh, nothing is called
// by a name TensorFlow does not have, and every argument reaches its function by position as well as by name.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { snakeOf } from "../../src/base/names.ts";
import { arrangeArguments, parseSignature } from "../../src/compat/calls.ts";
import { signatures } from "../../src/compat/signatures.ts";
import { tf } from "../../src/compat.ts";
import * as api from "../../src/index.ts";
import { loadSpec } from "./golden.ts";

const { names } = loadSpec("public-names") as {
  names: Readonly<Record<string, { kind: string; args?: readonly { name: string; rest?: boolean; keywords?: boolean }[] }>>;
};
const root = fileURLToPath(new URL("../..", import.meta.url));

/** What TensorFlow 1 has no public name for, or has in another place. */
const ours = new Set([
  "NDArray",
  "rawOps",
  "errors",
  "logging",
  "gfile",
  "test",
  "autograph",
  "version",
  "ValueError",
  "KeyError",
  "LookupError",
  "RuntimeError",
  "AssertionError",
  "exportGraphDef",
  "loadTfjsGraphModel",
  "timeline",
  "ellipsis",
  "getItem",
  "double",
  "half",
]);

describe("the public API", () => {
  it("is generated from what the rooms export now", () => {
    const run = (): string =>
      execFileSync(process.execPath, ["scripts/generate-api.ts", "--check"], { cwd: root, encoding: "utf8", stdio: "pipe" });
    expect(run, "run `node scripts/generate-api.ts`").not.toThrow();
  });

  it("has only TensorFlow's names, and a few of its own", () => {
    const isNamespace = (name: string): boolean => Object.keys(names).some(path => path.startsWith(`${name}.`));
    const unknown = Object.keys(api).filter(name => !ours.has(name) && !(snakeOf(name) in names) && !isNamespace(snakeOf(name)));
    expect(unknown).toEqual([]);
  });

  it("is the same through the compat door, in snake_case", () => {
    expect(Object.keys(tf).sort()).toEqual(Object.keys(api).map(snakeOf).sort());
    expect(tf.float32).toBe("float32");
  });
});

describe("argument orders", () => {
  const rows = Object.entries(signatures).map(([path, row]) => ({ path, signature: parseSignature(path, row) }));

  it("cover every argument of every function", () => {
    const missing = rows.flatMap(({ path, signature }) => {
      const plain = (names[path]?.args ?? []).filter(({ rest, keywords }) => !rest && !keywords).map(({ name }) => name);
      return signature.isVariadic
        ? []
        : plain.filter(name => !signature.parameters.some(parameter => parameter.name === name)).map(name => `${path}: ${name}`);
    });
    expect(missing).toEqual([]);
  });

  it("are the same by position and by name", () => {
    const different = rows.filter(({ signature }) => {
      if (signature.isVariadic || signature.parameters.length === 0) return false;
      const values = signature.parameters.map(({ name }) => `value of ${name}`);
      const byName = Object.fromEntries(signature.parameters.map(({ name }, i) => [name, values[i]]));
      return JSON.stringify(arrangeArguments(signature, values)) !== JSON.stringify(arrangeArguments(signature, [byName]));
    });
    expect(different.map(({ path }) => path)).toEqual([]);
  });
});
