// docs/ir.md, the verifier and the printer say the same: every label and every primitive is on both sides, and the examples print so.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { DType } from "../base/dtype.ts";
import * as b from "./build.ts";
import type { Index } from "./index-map.ts";
import { addIndex, constantIndex } from "./index-map.ts";
import { printProgram } from "./print.ts";
import type { State, Value } from "./program.ts";
import type { Scalar } from "./scalar.ts";
import { s } from "./scalar.ts";
import { verifyProgram } from "./verify.ts";

const page = readFileSync(new URL("../../docs/ir.md", import.meta.url), "utf8");
const verifier = readFileSync(new URL("./verify.ts", import.meta.url), "utf8");
const labels = (text: string, pattern: RegExp): string[] => [...new Set([...text.matchAll(pattern)].map(([, label]) => label))].sort();

/** The program's lines without those that feed it. */
function printed(make: () => readonly Value[]): string {
  const builder = new b.ProgramBuilder();
  const program = { steps: builder.root, results: b.building(builder, make) };
  verifyProgram(program);
  const lines = printProgram(program).split("\n").slice(0, -1);
  return lines.filter(line => !/^v\d+ = (feed|state)/.test(line)).join("\n");
}

let fed = 0;
const feed = (dtype: DType, ...shape: number[]): Value => b.feed(`x${fed++}`, dtype, shape);
const w: State = { id: "variable:w", dtype: "float32", shape: [4], role: "variable" };

const examples: Record<string, () => readonly Value[]> = {
  map() {
    const [x, y] = [feed("float32", 2, 3), feed("float32", 2)];
    const sum = ([i, j]: Index[]): Scalar => s.add(s.load(x, [i, j]), s.load(y, [i]));
    return [
      b.generate([2, 4], ([i, j]) => {
        const at = addIndex(j, constantIndex(-1));
        return s.guard([{ index: at, low: 0, high: 3 }], sum([i, at]), s.constant("float32", 0));
      }),
    ];
  },
  reduce: () => [b.reduce("max", feed("float32", 2, 3), [1], { f: x => s.mul(x, x) })],
  contract() {
    const [x, k] = [feed("float32", 4), feed("float32", 3)];
    return [b.contract([4], [3], ([i], [r]) => [b.operand(x, [addIndex(addIndex(i, r), constantIndex(-1))]), b.operand(k, [r])])];
  },
  scan: () => [b.scan(feed("float32", 4), 0, "sum", { exclusive: true })],
  scatter() {
    const [base, at, x] = [feed("float32", 4), feed("int32", 2), feed("float32", 2)];
    return [b.scatter("add", base, [2], ([r]) => ({ at: [s.load(at, [r])], body: s.load(x, [r]) }))];
  },
  sort: () => [b.sort(feed("float32", 5), 2, true).values],
  random: () => [b.randomWords(feed("int64", 3), 8)],
  check() {
    const x = feed("int32", 4);
    b.check([4], ([r]) => s.lt(s.load(x, [r]), 10), { label: "bounds", reads: [], error: () => new Error() });
    return [];
  },
  update() {
    b.updateState(w, b.readState(w, "w/read"));
    return [];
  },
  branch() {
    const [flag, x] = [feed("bool"), feed("float32", 4)];
    return b.branch(flag, [b.region([], () => [x])]);
  },
  loop() {
    const int = { dtype: "int32", shape: [] } as const;
    return b.loop(
      [feed("int32")],
      b.region([int], x => [b.map(y => s.lt(y, 5), x)]),
      b.region([int], x => [b.map(y => s.add(y, 1), x)]),
    );
  },
  call: () =>
    b.call(
      { name: "qr", run: () => undefined },
      [feed("float32", 3, 3)],
      [
        { dtype: "float32", shape: [3, 3] },
        { dtype: "float32", shape: [3, 3] },
      ],
    ),
};

describe("docs/ir.md", () => {
  it("has the labels of the verifier", () => {
    expect(labels(page, /\*\*([A-Z]\d)\*\*/g)).toEqual(labels(verifier, /"([A-Z]\d)"/g));
  });

  it.each(Object.entries(examples))("shows %s as it prints", (name, make) => {
    expect(page).toContain(`## ${name}\n`);
    expect(page).toContain(`\`\`\`\n${printed(make)}\n\`\`\``);
  });
});
