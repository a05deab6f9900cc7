// A part of the build: marks the functions that first runs call, so that the engine compiles them while it loads them. It would else read each of them
// twice or more often: to find its end, and again, with all that is nested in it, when it is first called. V8 takes a parenthesis before a function for
// a sign that it will be called at once; methods have none to give.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAst } from "vite";

/** Runs a program and tells where the functions begin that it calls: module's URL → offsets. */
export function calledFunctions(node, program) {
  const folder = mkdtempSync(join(tmpdir(), "tensorloom-build-"));
  try {
    const env = { ...process.env, NODE_V8_COVERAGE: folder };
    const { status } = spawnSync(node, ["--no-warnings", program], { env, stdio: "inherit" });
    if (status !== 0) throw new Error(`${program} ended with status ${status}.`);
    const called = new Map();
    for (const name of readdirSync(folder))
      for (const { url, functions } of JSON.parse(readFileSync(join(folder, name), "utf8")).result) {
        const starts = functions.filter(({ ranges }) => ranges[0].count > 0).map(({ ranges }) => ranges[0].startOffset);
        called.set(url, new Set([...(called.get(url) ?? []), ...starts]));
      }
    return called;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function* nodesIn(node) {
  yield node;
  for (const value of Object.values(node))
    for (const part of Array.isArray(value) ? value : [value]) if (typeof part?.type === "string") yield* nodesIn(part);
}

/** The module's text with these functions in parentheses. Declarations become variables at its very beginning, for they may be used before the place
 *  where they stand. */
export function markEager(text, starts) {
  const module = parseAst(text);
  const isCalled = ({ start, async: isAsync }) => starts.has(start) || (isAsync && starts.has(start + "async ".length));
  const declared = module.body.filter(node => node.type === "FunctionDeclaration" && isCalled(node));
  const arrows = [...nodesIn(module)].filter(node => node.type === "ArrowFunctionExpression" && isCalled(node));
  const marks = [...arrows.map(({ start }) => [start, "("]), ...arrows.map(({ end }) => [end, ")"])].sort(([a], [b]) => a - b);
  const cut = (from, to) => {
    let at = from;
    const parts = marks
      .filter(([place]) => place > from && place <= to)
      .map(([place, mark]) => {
        const part = text.slice(at, place) + mark;
        at = place;
        return part;
      });
    return parts.join("") + text.slice(at, to);
  };
  let end = 0;
  const others = declared.map(node => {
    const before = cut(end, node.start);
    end = node.end;
    return before;
  });
  return [...declared.map(node => `var ${node.id.name} = (${cut(node.start, node.end)});\n`), ...others, cut(end, text.length)].join("");
}
