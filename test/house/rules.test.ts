// The rules of the house that a machine can check, each a small function over one file's text, each tried on bad lines as well.
// Imports between rooms are in import-map.test.ts; layout and common mistakes are Biome's.
import { describe, expect, it } from "vitest";
import { filesUnder, isTest, lineAt, type Source, withoutComments } from "./sources.ts";

interface Rule {
  readonly name: string;
  readonly applies: (path: string) => boolean;
  readonly findings: (source: Source) => string[];
  /** `[path, text]` the rule must refuse, and look-alikes it must let pass. */
  readonly bad: readonly (readonly [string, string])[];
  readonly good: readonly (readonly [string, string])[];
}

const isCode = (path: string): boolean => /\.(ts|mjs)$/.test(path);
const inSources = (path: string): boolean => path.startsWith("src/") && path.endsWith(".ts");
const sharedRooms = /^src\/(optimize|lower|schedule|kernels|session|backends)\//;
const platformRoom = /^src\/platform\//;

/** Every place `pattern` matches in the code of a file (its comments too, with `comments`). */
function matches({ path, text }: Source, pattern: RegExp, { comments = false } = {}): string[] {
  const code = comments ? text : withoutComments(text);
  return [...code.matchAll(pattern)].map(match => `${path}:${lineAt(code, match.index)}: ${match[0].trim()}`);
}

const withPattern = (pattern: RegExp, options?: { comments?: boolean }) => (source: Source) => matches(source, pattern, options);

// Spelled in pieces, so that a plain text search for what is forbidden finds nothing here.
const home = ["", "home", "me", "x"].join("/");
const host = ["registry", "npmjs", "org"].join(".");
const cast = ["as", "unknown", "as"].join(" ");

/** Op names as the definitions give them: shared code may hold none of them in a string. */
const opNames = new Set(
  filesUnder("src/ops")
    .filter(({ path }) => !isTest(path))
    .flatMap(({ text }) => [...text.matchAll(/\bdefineOp\(\s*"(\w+)"/g)].map(match => match[1])),
);

function opComparisons(source: Source, names: ReadonlySet<string>): string[] {
  const compared = matches(
    source,
    /\b(?:type|op|opName|definition(?:\.name)?|def(?:\.name)?)\s*[!=]==?\s*(?:"[A-Z]\w*"|[A-Z]\w*\b(?![.(]))/g,
  );
  const named = matches(source, /"[A-Z]\w*"/g).filter(finding => names.has(finding.match(/"(\w+)"$/)?.[1] ?? ""));
  return [...compared, ...named];
}

const rules: readonly Rule[] = [
  {
    name: "no absolute path of a machine",
    applies: () => true,
    findings: withPattern(/(?:^|[^\w.])\/(?:work|root|farm|tmp|home\/[a-z]+|Users\/\w+)\/|\b[A-Z]:\\\\?Users\b/gm, { comments: true }),
    bad: [
      ["docs/map.md", `see ${home}`],
      ["src/io/saver.ts", `// found in ${["", "tmp", "x"].join("/")}`],
    ],
    good: [
      ["docs/map.md", "src/ops/ and out/work/ and ./home/me"],
      ["test/a.test.ts", 'const program = "/usr/bin/chromium";'],
    ],
  },
  {
    name: "no address of a package registry",
    applies: () => true,
    findings: withPattern(/registry\.[a-z]+js\.org|registry\.yarnpkg|npmmirror|"resolved": *"http/g, { comments: true }),
    bad: [["package.json", `"publishConfig": { "registry": "https://${host}/" }`]],
    good: [["src/ops/registry.ts", "the registry of op names"]],
  },
  {
    name: "no double cast",
    applies: isCode,
    findings: withPattern(/\bas\s+(?:unknown|any|never)\s+as\b/g),
    bad: [
      ["src/a.ts", `const x = y ${cast} Tensor;`],
      ["test/a.test.ts", `const x = y ${cast.replace("unknown", "any")} Tensor;`],
    ],
    good: [["src/a.ts", `// ${cast} is refused\nconst x = y as Tensor;`]],
  },
  {
    name: "`any` only with its reason in a comment beside it",
    applies: inSources,
    findings: source => {
      const lines = source.text.split("\n");
      const reasonNear = (line: number) => lines.slice(Math.max(0, line - 4), line).some(text => /\/\/|\*/.test(text));
      return matches(source, /(?:[:<|,(=]|\bas)\s*any\b(?!\s*[:(])/g).filter(finding => !reasonNear(Number(finding.split(":")[1])));
    },
    bad: [
      ["src/a.ts", "const x: any = 1;"],
      ["src/a.ts", "const x = y as any;"],
      ["src/a.ts", "const x = new Map<string, any>();"],
    ],
    good: [
      ["src/a.ts", "// The inference of attributes needs any: unknown is not assignable here.\nconst x: any = 1;"],
      ["src/a.ts", 'reduce("any", x); const y = { any: 1 }; any(x);'],
    ],
  },
  {
    name: "no default export, except where a tool asks for one",
    applies: path => isCode(path) && !path.endsWith(".config.ts"),
    findings: withPattern(/^export default\b|\bas default\b/gm),
    bad: [
      ["src/a.ts", "export default class Graph {}"],
      ["src/a.ts", "export { graph as default };"],
    ],
    good: [["src/a.ts", "export const defaultGraph = 1;"]],
  },
  {
    name: "no focused test, and no skipped test without its reason",
    applies: path => path.endsWith(".ts") || path.endsWith(".mjs"),
    findings: source => {
      const lines = source.text.split("\n");
      const reasonAt = (line: number) => /\/\//.test(lines[line - 1]) || /^\s*\/\//.test(lines[line - 2] ?? "");
      const skipped = matches(source, /\b(?:it|test|describe|suite)(?:\.\w+)*\.(?:skip|todo|fails)\(/g);
      return [
        ...matches(source, /\b(?:it|test|describe|suite)(?:\.\w+)*\.only\(/g),
        ...skipped.filter(finding => !reasonAt(Number(finding.split(":")[1]))),
      ];
    },
    bad: [
      ["a.test.ts", 'it.only("x", () => {});'],
      ["a.test.ts", 'describe.skip("x", () => {});'],
      ["a.test.ts", 'it.each.skip("x", () => {});'],
    ],
    good: [
      ["a.test.ts", '// Chromium 120 has no shared memory here.\nit.skip("x", () => {});'],
      ["a.test.ts", "reader.skip(4);"],
      ["a.test.ts", 'it.skipIf(!isolated)("x", () => {});'],
    ],
  },
  {
    name: "only platform/ knows which machine it is on",
    applies: path => inSources(path) && !isTest(path) && !platformRoom.test(path),
    findings: withPattern(
      /\bprocess\.\w+|\bglobalThis\.(?:process|Deno|Bun)\b|\bDeno\.\w+|\bBun\.\w+|"node:[\w/]+"|\bBuffer\.\w+|\brequire\(/g,
    ),
    bad: [
      ["src/base/errors.ts", "if (process.env.DEBUG) show();"],
      ["src/io/saver.ts", 'import { join } from "node:path";'],
      ["src/formats/png.ts", "const bytes = Buffer.from(data);"],
    ],
    good: [
      ["src/platform/node.ts", "process.cwd();"],
      ["src/base/errors.ts", "// Node's process.env is not read here.\nconst processed = 1;"],
    ],
  },
  {
    name: "a source opens with a comment that says what lives there",
    applies: path => path.startsWith("src/") && path.endsWith(".ts"),
    findings: ({ path, text }) => (/^(?:#!.*\n)?(?:\/\/ \S|\/\*\*? \S|\/\*\*?\n)/.test(text) ? [] : [`${path}:1: opens with code`]),
    bad: [
      ["src/a.ts", "export const a = 1;"],
      ["src/a.ts", 'import { b } from "./b.ts";\n// late'],
      ["src/a.ts", "//\nexport const a = 1;"],
    ],
    good: [
      ["src/a.ts", "// Shapes, known and partly known.\nexport const a = 1;"],
      ["src/a.ts", "#!/usr/bin/env node\n// A command.\nrun();"],
    ],
  },
  {
    name: "file names are kebab-case and say what is inside",
    applies: path => /^(?:src|test|bench|examples|scripts)\//.test(path) && isCode(path),
    findings: ({ path }) => {
      const stem = path.slice(path.lastIndexOf("/") + 1).split(".")[0];
      const vague = /^(?:utils?|helpers?|common|misc|manager|stuff)$|-(?:utils?|helpers?|manager)$/;
      return /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(stem) && !vague.test(stem) ? [] : [`${path}: rename it`];
    },
    bad: [
      ["src/ops/utils.ts", ""],
      ["src/ops/shape-helpers.ts", ""],
      ["src/ops/maxPool.ts", ""],
      ["src/ops/max_pool.test.ts", ""],
    ],
    good: [
      ["src/ops/flow/control-flow.ts", ""],
      ["src/ops/nn.cases.ts", ""],
    ],
  },
  {
    name: "no type is a Manager, Helper, Util, Info or Data",
    applies: inSources,
    // TensorFlow's own names stay.
    findings: withPattern(
      /\b(?:class|interface|type)\s+(?!(?:SessionManager|CheckpointManager|TensorInfo|VocabInfo)\b)\w+(?:Manager|Helper|Utils?|Info|Data)\b/g,
    ),
    bad: [["src/a.ts", "export class VariableManager {}"]],
    good: [["src/a.ts", "export class Dataset {}\nexport class SessionManager {}"]],
  },
  {
    name: "no language form that type stripping cannot run",
    applies: path => path.endsWith(".ts"),
    // A declared namespace holds types alone.
    findings: withPattern(/^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?enum\s+\w+\s*\{|^(?:export\s+)?namespace\s+\w+\s*\{/gm),
    bad: [
      ["src/a.ts", "export const enum Kind { A }"],
      ["src/a.ts", "export namespace kinds {}"],
    ],
    good: [["src/a.ts", "const namespace = scope;\nexport declare namespace train {}"]],
  },
  {
    name: "shared code never asks which op a node is",
    applies: path => sharedRooms.test(path) && !isTest(path),
    findings: source => opComparisons(source, opNames),
    bad: [
      ["src/optimize/share.ts", 'if (node.type === "Conv2D") return;'],
      ["src/lower/index.ts", 'if (op.definition.name !== "MaxPool") return;'],
      ["src/optimize/share.ts", "if (node.definition === Conv2D) return;"],
    ],
    good: [
      ["src/optimize/share.ts", "if (node.definition.commutative) return;"],
      ["src/schedule/fuse.ts", 'if (kernel.kind === "map") return;'],
    ],
  },
  {
    name: "no TODO left in the code",
    applies: isCode,
    findings: withPattern(/\/\/.*\b(?:TODO|FIXME|XXX)\b/g, { comments: true }),
    bad: [["src/a.ts", "// TODO: later"]],
    good: [["src/a.ts", 'test.todo("reason");']],
  },
];

// This file quotes what it refuses, so it is the one that is not asked.
const files = filesUnder("").filter(({ path }) => path !== "test/house/rules.test.ts");

describe.each(rules)("$name", ({ applies, findings, bad, good }) => {
  it("holds for every file", () => {
    expect(files.filter(({ path }) => applies(path)).flatMap(findings)).toEqual([]);
  });

  it.each(bad)("refuses %s: %s", (path, text) => {
    expect(applies(path) && findings({ path, text })).not.toHaveLength(0);
    expect(applies(path)).toBe(true);
  });

  it.each(good)("allows %s: %s", (path, text) => {
    expect(applies(path) ? findings({ path, text }) : []).toEqual([]);
  });
});

it("refuses the name of a defined op in a string of shared code, even without a comparison", () => {
  const names = new Set(["MaxPool"]);
  expect(opComparisons({ path: "src/lower/index.ts", text: 'const slow = new Set(["MaxPool", "Other"]);' }, names)).toHaveLength(1);
});
