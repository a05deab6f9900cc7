// Holds src/ to the import table of docs/map.md: the map is the configuration, so the two cannot part.
// What a room is for stands in the map; other rules of the house are in rules.test.ts.
import { posix } from "node:path";
import { describe, expect, it } from "vitest";
import { filesUnder, importsOf, packageSources, type Source } from "./sources.ts";

type Permission = "value" | "type" | "dynamic";
type ImportTable = ReadonlyMap<string, ReadonlyMap<string, Permission> | "everything">;

/** The rows under `| room | may import |`. */
function readTable(markdown: string): ImportTable {
  const lines = markdown.split("\n");
  const head = lines.indexOf("| room | may import |");
  if (head < 0) throw new Error("docs/map.md has no table `| room | may import |`");
  const end = lines.findIndex((line, index) => index > head && !line.startsWith("|"));
  const rows = lines.slice(head + 2, end < 0 ? undefined : end).map(line => line.split("|").map(cell => cell.trim()));
  return new Map(rows.map(([, room, allowed]) => [room, readAllowed(room, allowed)]));
}

function readAllowed(room: string, allowed: string): ReadonlyMap<string, Permission> | "everything" {
  if (allowed === "everything") return "everything";
  if (allowed === "nothing") return new Map();
  return new Map(
    allowed.split(",").map(item => {
      const match = item.trim().match(/^(\w+)(?: \((types|import\(\)) only\))?$/);
      if (match === null) throw new Error(`docs/map.md, row ${room}: cannot read "${item.trim()}"`);
      return [match[1], match[2] === "types" ? "type" : match[2] === undefined ? "value" : "dynamic"];
    }),
  );
}

/** The room a file or `#platform` belongs to: `src/ops/nn.ts` → ops, `src/index.ts` → index. */
const roomOf = (path: string): string => (path === "#platform" ? "platform" : path.split("/")[1].replace(/\.ts$/, ""));

function violationsOf({ path, text }: Source, table: ImportTable): string[] {
  const room = roomOf(path);
  const allowed = table.get(room);
  if (allowed === undefined) return [`${path}: the room "${room}" has no row in docs/map.md`];
  return importsOf(text).flatMap(({ specifier, kind, line }) => {
    const at = `${path}:${line}: "${specifier}"`;
    if (specifier.startsWith("node:")) return room === "platform" ? [] : [`${at}: only platform/ knows which machine it is on`];
    if (!specifier.startsWith(".") && specifier !== "#platform") {
      const optionalPeer = room === "grpc" && kind !== "value";
      return optionalPeer ? [] : [`${at}: the package has no dependencies`];
    }
    const target = roomOf(specifier === "#platform" ? specifier : posix.join(posix.dirname(path), specifier));
    if (target === room || allowed === "everything") return [];
    const permission = allowed.get(target);
    if (permission === undefined) return [`${at}: ${room} may not import ${target}`];
    const fits = permission === "value" || kind === "type" || permission === kind;
    return fits ? [] : [`${at}: ${room} may import ${target} only as ${permission === "type" ? "types" : "import()"}`];
  });
}

/** Rooms whose files need each other while they run, never while they load, and those in which a type closes a circle. Ragged tensors know the
 *  functions that take them, and those make ragged tensors; linear operators know what they answer, which names their type. */
const circularRooms: ReadonlySet<string> = new Set(["graph", "ops", "ragged"]);
const circularTypes: ReadonlySet<string> = new Set([...circularRooms, "linalg", "ir", "lower", "session"]);
const partOfLibrary = /^src\/library\/(ragged|linalg)\//;

/** The files that a circle of imports goes through, types aside or not. */
function filesInCircles(sources: readonly Source[], withTypes: boolean): string[] {
  const paths = new Set(sources.map(({ path }) => path));
  let edges = sources.flatMap(({ path, text }) =>
    importsOf(text)
      .filter(({ kind }) => kind === "value" || (withTypes && kind === "type"))
      .map(({ specifier }): [string, string] => [path, posix.join(posix.dirname(path), specifier)])
      .filter(([, target]) => paths.has(target)),
  );
  // What imports nothing that is left, or is imported by nothing that is left, is in no circle.
  for (let before = -1; before !== edges.length; ) {
    before = edges.length;
    const [from, to] = [0, 1].map(side => new Set(edges.map(edge => edge[side])));
    edges = edges.filter(([path, target]) => to.has(path) && from.has(target));
  }
  return [...new Set(edges.flat())].sort();
}

const table = readTable(filesUnder("docs").find(({ path }) => path === "docs/map.md")?.text ?? "");

describe("the import table of docs/map.md", () => {
  it("holds for every file of src/", () => {
    expect(packageSources().flatMap(source => violationsOf(source, table))).toEqual([]);
  });

  it("names rooms that the list of rooms describes, and only imports between rooms it names", () => {
    const map = filesUnder("docs").find(({ path }) => path === "docs/map.md")?.text ?? "";
    const described = [...map.matchAll(/^\| `src\/(\w+)(?:\/|\.ts)` \|/gm)].map(match => match[1]);
    expect([...table.keys()].sort()).toEqual(described.sort());
    const allowed = [...table.values()].flatMap(row => (row === "everything" ? [] : [...row.keys()]));
    expect(allowed.filter(room => !table.has(room))).toEqual([]);
  });

  it("has no circle of files, but in rooms that say so, nor of types, but in a few more", () => {
    const outside = (rooms: ReadonlySet<string>): Source[] =>
      packageSources().filter(({ path }) => !rooms.has(partOfLibrary.exec(path)?.[1] ?? roomOf(path)));
    expect(filesInCircles(outside(circularRooms), false)).toEqual([]);
    expect(filesInCircles(outside(circularTypes), true)).toEqual([]);
  });

  it("has no value imports in a circle between rooms", () => {
    const visit = (room: string, path: readonly string[]): string[] => {
      if (path.includes(room)) return [[...path, room].join(" → ")];
      const row = table.get(room);
      if (row === undefined || row === "everything") return [];
      return [...row].filter(([, permission]) => permission === "value").flatMap(([next]) => visit(next, [...path, room]));
    };
    expect([...table.keys()].flatMap(room => visit(room, []))).toEqual([]);
  });
});

describe("the check itself", () => {
  const refused = (path: string, text: string) => violationsOf({ path, text }, table);

  it.each([
    ["src/base/shape.ts", `import { Graph } from "../graph/graph.ts";`],
    ["src/backends/wasm/index.ts", `import { matmul } from "../../ops/math.ts";`],
    ["src/grpc/executor.ts", `import { Session } from "../session/session.ts";`],
    ["src/grpc/executor.ts", `export { Session } from "../session/session.ts";`],
    ["src/graph/graph.ts", `import {\n  one,\n  two,\n} from "../ops/math.ts";`],
    ["src/graph/graph.ts", `import "../ops/math.ts";`],
    ["src/graph/graph.ts", `export * as ops from "../ops/math.ts";`],
    ["src/graph/graph.ts", `const ops = await import("../ops/math.ts");`],
    ["src/session/session.ts", `import { connect } from "../grpc/index.ts";`],
    ["src/ir/program.ts", `import { readFile } from "node:fs/promises";`],
    ["src/ir/program.ts", `import { open } from "#platform";`],
    ["src/ops/math.ts", `import lodash from "lodash";`],
    ["src/garage/car.ts", `import { dtypes } from "../base/dtypes.ts";`],
  ])("refuses in %s: %s", (path, text) => {
    expect(refused(path, text)).toHaveLength(1);
  });

  it.each([
    ["src/graph/graph.ts", `import type { Expression } from "../ir/scalar.ts";`],
    ["src/graph/graph.ts", `export type Lowering = (x: import("../ir/program.ts").Value) => void;`],
    ["src/graph/graph.ts", `// import { matmul } from "../ops/math.ts";`],
    ["src/graph/graph.ts", `/* as in\nimport { matmul } from "../ops/math.ts";\n*/`],
    ["src/ops/nn.ts", `import { sum } from "./math.ts";`],
    ["src/session/session.ts", `const { connect } = await import("../grpc/index.ts");`],
    ["src/backends/wasm/index.ts", `import { open } from "#platform";`],
    ["src/platform/node.ts", `import { readFile } from "node:fs/promises";`],
    ["src/index.ts", `export * from "./ops/math.ts";`],
  ])("allows in %s: %s", (path, text) => {
    expect(refused(path, text)).toEqual([]);
  });

  it("finds circles of files, of types only where it is asked", () => {
    const files = [
      { path: "src/ir/a.ts", text: `import { b } from "./b.ts";` },
      { path: "src/ir/b.ts", text: `import { c } from "./c.ts";` },
      { path: "src/ir/c.ts", text: `import type { B } from "./b.ts";\nimport { d } from "./d.ts";` },
      { path: "src/ir/d.ts", text: "" },
    ];
    expect(filesInCircles(files, false)).toEqual([]);
    expect(filesInCircles(files, true)).toEqual(["src/ir/b.ts", "src/ir/c.ts"]);
  });

  it("says which permission is missing", () => {
    expect(refused("src/grpc/executor.ts", `\nimport { Session } from "../session/session.ts";`)).toEqual([
      'src/grpc/executor.ts:2: "../session/session.ts": grpc may import session only as types',
    ]);
  });
});
