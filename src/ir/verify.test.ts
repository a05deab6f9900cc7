// Every labelled constraint of docs/ir.md is broken once, and the good neighbours pass.
import { describe, expect, it } from "vitest";
import { NDArray } from "../base/ndarray.ts";
import * as b from "./build.ts";
import { addIndex, axisIndex, constantIndex, dataIndex, modIndex } from "./index-map.ts";
import type { Program, Region, Step, Value } from "./program.ts";
import type { Scalar } from "./scalar.ts";
import { guardScalar, s } from "./scalar.ts";
import { verifyProgram } from "./verify.ts";

let nextId = 0;
const value = (dtype: Value["dtype"], shape: readonly number[]): Value => ({ id: nextId++, dtype, shape });
const feed = (out: Value, name = `x${out.id}`): Step => ({ kind: "feed", out, name });
const i = (axis: number, size: number) => axisIndex(axis, size);
const load = (source: Value): Scalar => s.load(source, b.axesOf(source.shape));
const region = (params: readonly Value[], steps: readonly Step[], results: readonly Value[]): Region => ({ params, steps, results });
const failure = { label: "check", reads: [], error: () => new Error("no") };
const generator = { id: "g", dtype: "int64", shape: [3], role: "generator" } as const;

/** A float32[4] that is there, and what is wrong with the step after it. */
const x = value("float32", [4]);
const n = value("int32", [4]);
const flags = value("bool", [4]);
const text = value("string", [4]);
const scalarFlag = value("bool", []);
const given = [x, n, flags, text, scalarFlag].map(v => feed(v));
const map = (out: Value, body: Scalar): Step => ({ kind: "map", out, body });
const out = (dtype: Value["dtype"] = "float32", shape: readonly number[] = [4]): Value => value(dtype, shape);

const broken: [label: string, why: string, ...steps: Step[]][] = [
  ["P1", "a value defined twice", map(x, load(x))],
  ["P2", "a value read before it is made", map(out(), load(value("float32", [4])))],
  ["P2", "a value of a region read after it", ...afterRegion()],
  ["P3", "a negative size", feed(value("float32", [-1]))],
  ["F1", "a name fed twice", feed(out(), "same"), feed(out(), "same")],
  ["K1", "another shape than the array's", { kind: "constant", out: out("float32", [2]), data: NDArray.from([1, 2, 3]) }],
  ["V1", "another type than the state's", { kind: "state", out: out(), state: generator, reader: "r" }],
  ["V2", "a flag that is not bool[]", { kind: "initialized", out: out("bool", [1]), state: generator }],
  ["E1", "a load as another type", map(out("int32"), { kind: "load", source: x, at: [i(0, 4)], dtype: "int32" })],
  ["E1", "a load of another rank", map(out(), { kind: "load", source: x, at: [], dtype: "float32" })],
  ["E2", "a sum of two types", map(out(), { kind: "apply", fn: "add", args: [load(x), load(n)], dtype: "float32" })],
  ["E2", "a root of integers", map(out("int32"), { kind: "apply", fn: "sqrt", args: [load(n)], dtype: "int32" })],
  ["E2", "one argument for two", map(out(), { kind: "apply", fn: "add", args: [load(x)], dtype: "float32" })],
  ["E2", "a comparison that is not bool", map(out(), { kind: "apply", fn: "lt", args: [load(x), load(x)], dtype: "float32" })],
  ["E2", "a condition that is not bool", map(out(), { kind: "apply", fn: "select", args: [load(n), load(x), load(x)], dtype: "float32" })],
  [
    "E2",
    "a guard with sides of two types",
    map(out(), { kind: "guard", when: [{ index: i(0, 4), low: 0, high: 2 }], value: load(x), otherwise: load(n), dtype: "float32" }),
  ],
  ["E3", "a cast to string", map(out("string"), { kind: "cast", arg: load(x), dtype: "string" })],
  ["E3", "a bitcast to another width", map(out("float64"), { kind: "bitcast", arg: load(x), dtype: "float64" })],
  ["E4", "a float index", map(out(), { kind: "index", index: i(0, 4), dtype: "float32" })],
  ["E4", "an index loaded from floats", map(out(), s.load(x, [dataIndex(load(x), 4)]))],
  ["E5", "an axis that is not there", map(out(), s.load(x, [i(1, 4)]))],
  ["E5", "an axis of another size", map(out("float32", [2]), s.load(x, [i(0, 4)]))],
  ["E6", "a load past the end", map(out(), s.load(x, [addIndex(i(0, 4), constantIndex(1))]))],
  ["E6", "a guard one too wide", map(out(), shifted(-1, 5))],
  [
    "E6",
    "the side of a guard that is not excluded",
    map(out(), guardScalar([{ index: i(0, 4), low: 0, high: 2 }], load(x), s.load(x, [addIndex(i(0, 4), constantIndex(2))]))),
  ],
  ["E6", "loaded indices past the end", map(out(), s.load(x, [addIndex(dataIndex(load(n), 4), constantIndex(1))]))],
  ["E7", "an accumulator outside an epilogue", map(out(), { kind: "accumulator", dtype: "float32" })],
  ["M1", "a body of another type", map(out("int32"), load(x))],
  ["R1", "any of floats", { kind: "reduce", out: out("float32", []), over: [4], combine: "any", body: load(x) }],
  ["R1", "the sum of flags", { kind: "reduce", out: out("bool", []), over: [4], combine: "sum", body: load(flags) }],
  ["R2", "a sum of another type", { kind: "reduce", out: out("int32", []), over: [4], combine: "sum", body: load(x) }],
  ["R2", "a position as float", { kind: "reduce", out: out("float32", []), over: [4], combine: "argmax", body: load(x) }],
  ["C1", "operands of two types", contract(x, n)],
  ["C2", "too few indices", contract(x, x, [])],
  ["C3", "an index with a remainder", contract(x, x, [modIndex(addIndex(i(1, 4), constantIndex(2)), 4)])],
  ["C3", "an index that is loaded", contract(x, x, [dataIndex(load(n), 4)])],
  ["C4", "a product of flags", contract(flags, flags)],
  [
    "N1",
    "a result of another type",
    { kind: "scan", out: out("float64"), source: x, axis: 0, combine: "sum", exclusive: false, reverse: false },
  ],
  ["N2", "an axis that is not there", { kind: "scan", out: out(), source: x, axis: 1, combine: "sum", exclusive: false, reverse: false }],
  [
    "N3",
    "a running logsumexp of integers",
    { kind: "scan", out: out("int32"), source: n, axis: 0, combine: "logsumexp", exclusive: false, reverse: false },
  ],
  ["S1", "another type than the base", scatter({ out: out("float64") })],
  ["S2", "updates of another type", scatter({ body: load(n) })],
  ["S3", "an index too many", scatter({ at: [load(n), load(n)] })],
  ["S4", "a float index", scatter({ at: [load(x)] })],
  ["S5", "a sum of strings", scatter({ base: text, out: out("string"), body: load(text) })],
  ["O1", "nothing to sort", { kind: "sort", values: out("bool", []), indices: out("int32", []), source: scalarFlag, descending: false }],
  ["O2", "values of another type", { kind: "sort", values: out("int32"), indices: out("int32"), source: x, descending: false }],
  ["O3", "more than there are", { kind: "sort", values: out("float32", [5]), indices: out("int32", [5]), source: x, descending: false }],
  ["O4", "positions of another type", { kind: "sort", values: out(), indices: out("int64"), source: x, descending: false }],
  ["X1", "a generator of another type", { kind: "random", out: out("uint32"), state: x }],
  ["X2", "words of another type", ...randomOf(out("int32"))],
  ["A1", "a condition that is not bool", { kind: "check", over: [4], ok: load(x), failure }],
  ["U1", "an update of another shape", { kind: "update", state: generator, value: x }],
  ["B1", "a choice that is not a scalar", { kind: "branch", outs: [], choice: flags, cases: [region([], [], [])] }],
  ["B2", "no cases", { kind: "branch", outs: [], choice: scalarFlag, cases: [] }],
  ["B3", "a case with parameters", { kind: "branch", outs: [], choice: scalarFlag, cases: [region([out()], [], [])] }],
  ["B4", "cases of other types", { kind: "branch", outs: [out()], choice: scalarFlag, cases: [region([], [], [x]), region([], [], [n])] }],
  ["B4", "a case with too few results", { kind: "branch", outs: [out()], choice: scalarFlag, cases: [region([], [], [])] }],
  ["L1", "a start of another type", loop({ initial: [n] })],
  ["L2", "parameters of another type", loop({ param: out("int32") })],
  ["L3", "a condition that is not one flag", loop({ test: flags })],
  ["L4", "a body with another result", loop({ next: n })],
];

function afterRegion(): Step[] {
  const inner = out();
  const cases = [region([], [map(inner, load(x))], [])];
  return [{ kind: "branch", outs: [], choice: scalarFlag, cases }, map(out(), load(inner))];
}

/** x read at i - 1 where 0 <= i - 1 < high - 1, or so. */
function shifted(low: number, high: number): Scalar {
  const index = addIndex(i(0, 4), constantIndex(-1));
  return { kind: "guard", when: [{ index, low, high }], value: s.load(x, [index]), otherwise: s.constant("float32", 0), dtype: "float32" };
}

function contract(left: Value, right: Value, at = [i(0, 4)]): Step {
  return { kind: "contract", out: value(left.dtype, []), over: [4], left: { source: left, at }, right: { source: right, at: [i(0, 4)] } };
}

function scatter(change: Partial<Extract<Step, { kind: "scatter" }>>): Step {
  return { kind: "scatter", out: out(), base: x, over: [4], at: [load(n)], combine: "add", body: load(x), ...change };
}

function randomOf(words: Value): Step[] {
  const state = value("int64", [3]);
  return [feed(state), { kind: "random", out: words, state }];
}

function loop({ initial = [x], param = out(), test = scalarFlag, next = x }): Step {
  return { kind: "loop", outs: [out()], initial, condition: region([out()], [], [test]), body: region([param], [], [next]) };
}

const program = (...steps: readonly Step[]): Program => ({ steps: [...given, ...steps], results: [] });

describe("verifyProgram", () => {
  it.each(broken)("%s refuses %s", (label, _, ...steps) => {
    expect(() => verifyProgram(program(...steps))).toThrow(new RegExp(`^${label}\\b`));
  });

  it("finds the one load in a million that lies outside, at the end of an axis", () => {
    const index = addIndex(modIndex(i(1, 1000), 5), constantIndex(0));
    expect(() => verifyProgram(program(map(value("float32", [1000, 1000]), s.load(x, [index]))))).toThrow(
      /^E6.*at \[0,999\].*reads index 4 of axis 0/,
    );
  });

  it("refuses a result that is not made, and shows the program", () => {
    const nothing = value("float32", [2]);
    expect(() => verifyProgram({ steps: given, results: [nothing] })).toThrow(/^P2: a result[\s\S]*results v5/);
  });

  it("accepts loads that a guard keeps inside, and any load where nothing is evaluated", () => {
    verifyProgram(program(map(out(), shifted(0, 4))));
    verifyProgram(program(map(out("float32", [0, 4]), s.load(x, [addIndex(i(1, 4), constantIndex(9))]))));
    verifyProgram(
      program(
        map(
          out("float32", [1000, 1000]),
          guardScalar([{ index: i(1, 1000), low: 0, high: 4 }], s.load(x, [i(1, 1000)]), s.constant("float32", 0)),
        ),
      ),
    );
  });

  it("accepts loaded indices, clamped as they are, even into nothing", () => {
    const empty = value("float32", [0]);
    verifyProgram(program(map(out(), s.load(x, [dataIndex(load(n), 4)]))));
    verifyProgram(program(feed(empty), map(out(), s.load(empty, [dataIndex(load(n), 0)]))));
  });

  it("accepts contractions that reach outside, where operands are zero", () => {
    verifyProgram(program(contract(x, x, [addIndex(i(0, 4), constantIndex(-2))])));
  });

  it("accepts loops and branches whose types agree", () => {
    verifyProgram(program(loop({}), { kind: "branch", outs: [out()], choice: scalarFlag, cases: [region([], [], [x])] }));
  });
});
