// The text of the project's own files, and the imports in a TypeScript source, for the house tests.
// Reads by regular expression over Biome-formatted text: TypeScript 7 has no parser to call yet.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));
const leftOut = new Set(["node_modules", "dist", "out", "coverage", ".git", ".cache"]);

export interface Source {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

const binary = /\.(png|gz|br|npy|npz|bin|wasm|tfrecord|ico)$/;

/** Every text file under `folder`, build outputs left out. */
export function filesUnder(folder: string): Source[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    // In a linked work tree .git is a file.
    if (leftOut.has(entry.name)) return [];
    if (entry.isDirectory()) return filesUnder(path);
    return !entry.isFile() || binary.test(entry.name) ? [] : [{ path, text: readFileSync(join(root, path), "utf8") }];
  });
}

/** Tests and case rows live beside the sources but are not part of the package. */
export const isTest = (path: string): boolean => /\.(test|cases|test-d)\.ts$/.test(path);

/** The sources of the package: src without tests. */
export const packageSources = (): Source[] => filesUnder("src").filter(({ path }) => path.endsWith(".ts") && !isTest(path));

/** The text with comments blanked out, lines kept. Strings that look like comments (`"//"`) are left alone. */
export function withoutComments(text: string): string {
  const token = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g;
  return text.replace(token, piece => (piece.startsWith("/") ? piece.replace(/[^\n]/g, " ") : piece));
}

export const lineAt = (text: string, index: number): number => text.slice(0, index).split("\n").length;

export interface Import {
  readonly specifier: string;
  readonly kind: "value" | "type" | "dynamic";
  readonly line: number;
}

/** All imports and re-exports of a module, `import("x")` among them. */
export function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const found: Import[] = [];
  const statement = /^[ \t]*(?:import|export)\b(?!\s*\()(\s+type\b(?!\s*,|\s+from))?(?:[\w\s{},*$]*?\bfrom)?\s*"([^"]+)"/gm;
  for (const match of code.matchAll(statement)) {
    found.push({ specifier: match[2], kind: match[1] ? "type" : "value", line: lineAt(code, match.index) });
  }
  for (const match of code.matchAll(/\bimport\(\s*"([^"]+)"\s*\)(\s*\.\s*[A-Z]\w*)?/g)) {
    // `import("x").Name` with a capital stands in a type; a value would be awaited first.
    found.push({ specifier: match[1], kind: match[2] ? "type" : "dynamic", line: lineAt(code, match.index) });
  }
  return found;
}
