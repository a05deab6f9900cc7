// The runner itself: what it counts, how it says why, and that neither a wrong case nor a hanging one stops it.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { runSuite } from "./suite.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "golden-"));
afterAll(() => rmSync(folder, { recursive: true }));

const float = { type: "DT_FLOAT" };
const record = (values: number[], cmp: unknown = "exact") => ({
  dtype: "float32",
  shape: [values.length],
  b64: Buffer.from(Float32Array.from(values).buffer).toString("base64"),
  cmp,
});
const graph = (op: string) => ({
  node: [
    { name: "x", op: "Placeholder", attr: { dtype: float, shape: { shape: { dim: [{ size: "2" }] } } } },
    { name: "y", op, input: ["x"], attr: { T: float } },
  ],
  versions: { producer: 2474 },
});
const run = (number: number, op: string, want: number[], more: object = {}) => ({
  id: `tiny/${number}`,
  family: "tiny",
  kind: "run",
  graph: graph(op),
  static_shapes: { "y:0": [2] },
  steps: [{ feeds: { "x:0": record([1, -2]) }, fetches: ["y:0"], expected: { "y:0": record(want) } }],
  ...more,
});

const cases = [
  run(0, "Neg", [-1, 2]),
  run(1, "Neg", [-1, 3]),
  run(2, "NoSuchOp", [0, 0]),
  run(3, "Neg", [-1, 2], { static_shapes: { "y:0": [3] } }),
  run(4, "Neg", [-1, 2], { static_shapes: { "y:0": [3] }, imported_shapes: { "y:0": [2] } }),
  run(5, "Neg", [-1, 2], {
    kind: "grad",
    grad_of: { ys: ["y:0"], xs: ["x:0"], grad_ys: [record([3, 4])], expected: [record([-3, -4])], gradient_kind: ["dense"] },
    steps: [{ feeds: { "x:0": record([1, -2]) }, fetches: [], expected: {} }],
  }),
  run(6, "Neg", [], {
    kind: "run_error",
    steps: [
      {
        feeds: {},
        fetches: ["y:0"],
        error: {
          class: "InvalidArgumentError",
          message: "You must feed a value for placeholder tensor 'x' with dtype float and shape [2]",
          match: "exact",
        },
      },
    ],
  }),
  run(7, "Neg", [], {
    kind: "run_error",
    steps: [{ feeds: {}, fetches: ["y:0"], error: { class: "InvalidArgumentError", message: "Something else", match: "exact" } }],
  }),
  {
    id: "tiny/8",
    family: "tiny",
    kind: "program",
    program: [{ do: "call", fn: "no_such_function", as: "x" }],
    expected: { ops: [], values: {}, collections: {} },
  },
  {
    id: "tiny/9",
    family: "tiny",
    kind: "program",
    program: [{ do: "call", fn: "constant", args: [3], kwargs: { name: "c" }, as: "x" }],
    expected: { ops: [["c", "Const", []]], values: { x: { tensor: "c:0", dtype: "int32", shape: [] } }, collections: {} },
  },
  {
    id: "tiny/10",
    family: "tiny",
    kind: "construct_error",
    program: [
      { do: "call", fn: "zeros", args: [[2]], as: "z" },
      { do: "method", on: { $: "z" }, fn: "set_shape", args: [[3]], as: "s" },
    ],
    raises_at: 1,
    error: { class: "ValueError", message: "Dimension 0 in both shapes must be equal", match: "prefix" },
  },
  { id: "tiny/11", family: "tiny", kind: "run", graph: 7, steps: [] },
];
mkdirSync(join(folder, "tiny"));
writeFileSync(join(folder, "tiny", "cases.json"), JSON.stringify(cases));

it("tells apart what passes and what fails, with the reason", async () => {
  const outcomes = await runSuite({ directory: folder, backend: "reference" });
  expect(Object.fromEntries(outcomes.map(({ id, reasons }) => [id.slice(5), reasons]))).toEqual({
    0: [],
    1: ["Neg y:0: 2 for 3 at 1"],
    2: ["missing op NoSuchOp"],
    3: ["static shape of Neg y:0: [2] for [3]"],
    4: [],
    5: [],
    6: [],
    7: [expect.stringMatching(/^raised InvalidArgumentError: You must feed a value .* for InvalidArgumentError: Something else$/)],
    8: ["missing tf.no_such_function"],
    9: [],
    10: [],
    11: [expect.stringMatching(/should be an object, but is 7/)],
  });
});

it("goes on after a case that gives no answer", async () => {
  const outcomes = await runSuite({ directory: folder, filter: "tiny/1", backend: "reference", patience: 0.001 });
  expect(outcomes.map(({ id }) => id)).toEqual(["tiny/1", "tiny/10", "tiny/11"]);
  expect(outcomes[0].reasons).toEqual(["hangs: no answer in 0.001 s"]);
});

it("ends its report with the two numbers, failures grouped before them", () => {
  const json = join(folder, "report.json");
  const flags = ["--data", folder, "--backend", "reference", "--list-missing", "--json", json];
  const { stdout, status } = spawnSync(process.execPath, ["--import", "./scripts/source.mjs", "scripts/conformance.ts", ...flags], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stdout.trimEnd().split("\n").at(-1)).toBe("6 passed, 6 failed");
  expect(stdout).toContain("missing op NoSuchOp: 1 case\n  tiny/2");
  expect(stdout).toMatch(/\nMissing:\n {2}missing op NoSuchOp: 1 case\n {2}missing tf\.no_such_function: 1 case\n/);
  expect(status).toBe(1);
  expect(JSON.parse(readFileSync(json, "utf8"))).toMatchObject({ passed: 6, failed: 6 });
});

it.each([
  [["--backend", "gpu"], 'There is no backend "gpu".'],
  [["--nonsense"], "Unknown option '--nonsense'"],
  [["--patience", "x"], "--patience takes a number"],
])("refuses the flags %j", (flags, message) => {
  const { stderr, status } = spawnSync(process.execPath, ["--import", "./scripts/source.mjs", "scripts/conformance.ts", ...flags], {
    cwd: root,
    encoding: "utf8",
  });
  expect(stderr).toContain(message);
  expect(status).toBe(2);
});
