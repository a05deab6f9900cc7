// Interprets the instructions of a program against the compat door and compares what it made: operations, values, collections, errors.
// The door is loaded when first needed, so that graph cases run even where it does not load.

import { isDType } from "../../src/base/dtype.ts";
import { AttributeError } from "../../src/base/errors.ts";
import { NDArray } from "../../src/base/ndarray.ts";
import { SparseTensorValue } from "../../src/session/fetches.ts";
import { TensorShape } from "../../src/base/shape.ts";
import { Graph, NameScope } from "../../src/graph/graph.ts";
import { IndexedSlices } from "../../src/graph/indexed-slices.ts";
import { Operation, Tensor } from "../../src/graph/operation.ts";
import { Variable } from "../../src/library/variables/variables.ts";
import { VariableScope } from "../../src/library/variables/variable-scope.ts";
import type { GoldenCase, Instruction, ProgramValue } from "./golden.ts";
import { describeError, errorDifference } from "./run-case.ts";

// any: programs are data; what their names mean is known only while they run
type Anything = any;

interface Doors {
  readonly tf: Anything;
  readonly operators: Anything;
}

let doors: Promise<Doors> | undefined;

async function loadDoors(): Promise<Doors> {
  doors ??= Promise.all([import("../../src/compat.ts"), import("../../src/ops/operators.ts")]).then(([{ tf }, operators]) => ({
    tf,
    operators,
  }));
  return doors;
}

/** What the program's names mean after it ran in the default graph. */
export async function resultsOf(program: readonly Instruction[]): Promise<ReadonlyMap<string, unknown>> {
  const { tf, operators } = await loadDoors();
  const interpreter = new Interpreter(tf, operators);
  await interpreter.run(program);
  return interpreter.results;
}

/** Why the program's outcome differs from the recorded one. */
export async function runProgram(golden: GoldenCase): Promise<string[]> {
  const { tf, operators } = await loadDoors();
  const graph = new Graph();
  const interpreter = new Interpreter(tf, operators);
  try {
    using _scope = graph.asDefault();
    await interpreter.run(golden.program ?? []);
  } catch (error) {
    if (error instanceof MissingName || golden.error === undefined)
      return [error instanceof MissingName ? error.message : describeError(error)];
    const why = errorDifference(error, golden.error);
    if (why !== undefined) return [why];
    return isWhereExpected(golden, interpreter.at)
      ? []
      : [`raised at instruction ${interpreter.at} for ${golden.raises_at}: ${describeError(error)}`];
  }
  if (golden.error) return [`raised nothing for ${golden.error.class}: ${golden.error.message.split("\n")[0]}`];
  return outcomeDifferences(golden, graph, interpreter.results);
}

/** A scope of ours is open as soon as it is made, so what Python refuses on entering is refused one instruction earlier here. */
function isWhereExpected({ program = [], raises_at: expected = -1 }: GoldenCase, at: number): boolean {
  const entered = program[expected]?.do === "enter" ? (program[expected].on as { $?: string } | null)?.$ : undefined;
  return at === expected || (entered !== undefined && program[at]?.as === entered);
}

function outcomeDifferences({ expected }: GoldenCase, graph: Graph, results: ReadonlyMap<string, unknown>): string[] {
  if (!expected) return [];
  const failures = expected.ops ? listDifference("operation", operationsOf(graph), expected.ops) : [];
  const collections = expected.collections ? collectionsOf(graph) : {};
  for (const name of new Set([...Object.keys(collections), ...Object.keys(expected.collections ?? {})])) {
    if (JSON.stringify(collections[name]) !== JSON.stringify(expected.collections?.[name]))
      failures.push(`collection ${name}: ${JSON.stringify(collections[name])} for ${JSON.stringify(expected.collections?.[name])}`);
  }
  for (const [name, want] of Object.entries(expected.values)) {
    if (want === null) continue;
    const got = describe(results.get(name), want);
    if (stable(got) !== stable(want)) failures.push(`value ${name}: ${JSON.stringify(got)} for ${JSON.stringify(want)}`);
  }
  return failures;
}

function listDifference(what: string, got: readonly unknown[], want: readonly unknown[]): string[] {
  const at = Array.from({ length: Math.max(got.length, want.length) }, (_, i) => i).find(
    i => JSON.stringify(got[i]) !== JSON.stringify(want[i]),
  );
  return at === undefined ? [] : [`${what} ${at}: ${JSON.stringify(got[at])} for ${JSON.stringify(want[at])}`];
}

const operationsOf = (graph: Graph): unknown[] =>
  graph
    .getOperations()
    .map(op => [op.name, op.type, [...op.inputs.map(({ name }) => name), ...op.controlInputs.map(({ name }) => `^${name}`).sort()]]);

function collectionsOf(graph: Graph): Record<string, string[]> {
  const named: Record<string, string[]> = {};
  for (const key of graph.getAllCollectionKeys()) {
    const names = graph.getCollection(key).map(item => (item as { name?: unknown } | null)?.name);
    if (typeof key === "string" && !key.includes("context") && !key.startsWith("_") && names.every(name => typeof name === "string"))
      named[key] = names as string[];
  }
  return named;
}

/** Objects with their keys in order, so that equal ones have equal texts. */
const stable = (value: unknown): string =>
  JSON.stringify(value, (_, item) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );

/** The checkable description of a result. `want` tells apart what JavaScript does not: a dtype from text, a shape from a list. */
function describe(value: unknown, want: unknown): unknown {
  if (value instanceof Tensor) return { tensor: value.name, dtype: value.dtypeName, shape: value.shape.dims };
  if (value instanceof Operation) return { operation: value.name, type: value.type };
  if (value instanceof IndexedSlices) return { slices: [value.values.name, value.indices.name] };
  if (value instanceof VariableScope) return { variable_scope: value.name, original_name_scope: value.originalNameScope };
  if (value instanceof Variable) return { variable: value.name, repr: String(value), dtype: value.dtypeName, shape: value.shape.dims };
  if (value instanceof NDArray) return arrayText(value);
  if (value instanceof NameScope) return { value: String(value) };
  if (value instanceof TensorShape) return { shape: value.dims };
  if (isDType(value) && typeof want === "object" && want !== null && "dtype" in want) return { dtype: value };
  if (["string", "number", "boolean"].includes(typeof value) || value === null || value === undefined) return { value: value ?? null };
  const parts = value as { values?: unknown; indices?: unknown; denseShape?: unknown };
  if (parts.values instanceof NDArray) return describe(sparseOrder(parts, value), want);
  const sparse = value as { indices?: unknown; values?: unknown; denseShape?: unknown };
  if (sparse.indices instanceof Tensor && sparse.values instanceof Tensor && sparse.denseShape instanceof Tensor)
    return { sparse: [sparse.indices.name, sparse.values.name, sparse.denseShape.name] };
  const items = listed(value);
  const wanted = (want as { list?: unknown[] } | null)?.list;
  return items ? { list: items.map((item, i) => (wanted?.[i] === null ? null : describe(item, wanted?.[i]))) } : null;
}

/** The parts of a sparse result or of slices in the order of Python's named tuples. */
function sparseOrder(
  { values, indices, denseShape }: { values?: unknown; indices?: unknown; denseShape?: unknown },
  value: unknown,
): unknown[] {
  return value instanceof SparseTensorValue ? [indices, values, denseShape] : [values, indices, denseShape];
}

/** Elements as JSON has them: what is no number is null, a byte a letter. */
function arrayText(array: NDArray): unknown {
  const element = (item: unknown): unknown =>
    typeof item === "bigint" ? Number(item) : item instanceof Uint8Array ? String.fromCharCode(...item) : item;
  return { array: Array.from({ length: array.size }, (_, i) => element(array.get(i))), shape: array.shape, dtype: array.dtype };
}

/** What Python sees as a list or (named) tuple. */
function listed(value: unknown): unknown[] | undefined {
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) return undefined;
  if (Symbol.iterator in value) return [...(value as Iterable<unknown>)];
  const items = Object.values(value).filter(item => !(item instanceof Operation));
  return items.length > 0 && items.every(item => item instanceof Tensor) ? items : undefined;
}

/** A name that the compat door does not have. */
class MissingName extends Error {}

/** Arguments that are values rather than settings: there a bare Python int is an int32, where JavaScript's number would be a float32. */
const valueArguments: Readonly<Record<string, readonly [position: number, name: string, dtypePosition: number]>> = {
  constant: [0, "value", 1],
  convert_to_tensor: [0, "value", 1],
  Variable: [0, "initial_value", 99],
  fill: [1, "value", 99],
  identity: [0, "input", 99],
  stack: [0, "values", 99],
  square: [0, "x", 99],
  add: [0, "x", 99],
  multiply: [0, "x", 99],
};

/** Python numbers that remember being floats. */
class PythonFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

type Scope = Map<string, unknown>;

class Interpreter {
  /** The instruction being run. */
  at = 0;
  readonly results: Scope = new Map();
  private readonly tf: Anything;
  private readonly operators: Anything;
  private readonly entered: Disposable[] = [];

  constructor(tf: Anything, operators: Anything) {
    this.tf = tf;
    this.operators = operators;
  }

  async run(program: readonly Instruction[]): Promise<void> {
    try {
      for (const [i, instruction] of program.entries()) {
        this.at = i;
        // What runs a session (eval) answers later.
        const result = this.step(instruction, this.results);
        if (result instanceof Promise) this.results.set(instruction.as ?? "", await result);
      }
    } finally {
      for (let scope = this.entered.pop(); scope; scope = this.entered.pop()) scope[Symbol.dispose]();
    }
  }

  private step(instruction: Instruction, scope: Scope): unknown {
    const result = this.perform(instruction, scope);
    if (instruction.as !== undefined) scope.set(instruction.as, result);
    return result;
  }

  private perform(instruction: Instruction, scope: Scope): unknown {
    const { do: kind, fn = "", on = null, args = [], kwargs, value = null } = instruction;
    switch (kind) {
      case "let":
        return this.plain(value, scope);
      case "exit":
        this.entered.pop()?.[Symbol.dispose]();
        return undefined;
      case "enter": {
        const target = this.plain(on, scope) as Disposable;
        this.entered.push(target);
        return target;
      }
      case "operator":
        return this.operate(
          fn,
          args.map(arg => this.plain(arg, scope)),
        );
      case "call":
        return invoke(this.lookUp(fn), undefined, ...this.arguments(fn, args, kwargs, scope));
      case "method": {
        const target = this.plain(on, scope) as Anything;
        if (fn === "__getitem__") return (target as Anything).at(...args.map(arg => this.plain(arg, scope)));
        if (fn === "__enter__") {
          this.entered.push(target);
          return target;
        }
        if (typeof target?.[fn] !== "function") throw new MissingName(`missing method ${target?.constructor?.name}.${fn}`);
        return invoke(target[fn], target, ...this.arguments(fn, args, kwargs, scope));
      }
      case "invoke":
        return invoke(this.plain(on, scope) as Anything, undefined, ...this.arguments("", args, kwargs, scope));
    }
  }

  private lookUp(path: string): Anything {
    let found = this.tf;
    try {
      for (const part of path.split(".")) found = found?.[part];
    } catch (error) {
      if (!(error instanceof AttributeError)) throw error;
      found = undefined;
    }
    if (found === undefined) throw new MissingName(`missing tf.${path}`);
    return found;
  }

  private arguments(
    fn: string,
    args: readonly ProgramValue[],
    kwargs: Readonly<Record<string, ProgramValue>> | undefined,
    scope: Scope,
  ): unknown[] {
    const [position, name, dtypePosition] = valueArguments[fn] ?? [-1, "", 0];
    const isTyped = kwargs?.dtype !== undefined || args.length > dtypePosition;
    const read = (value: ProgramValue, isValue: boolean): unknown =>
      isValue && !isTyped ? typedLiteral(this.value(value, scope)) : this.plain(value, scope);
    const positional = args.map((arg, i) => read(arg, i === position));
    if (!kwargs) return positional;
    return [...positional, Object.fromEntries(Object.entries(kwargs).map(([key, value]) => [key, read(value, key === name)]))];
  }

  private operate(fn: string, args: readonly unknown[]): unknown {
    const name = operatorNames[fn];
    const { [name]: operator } = this.operators;
    if (operator === undefined) throw new MissingName(`missing operator ${fn}`);
    if (args.every(arg => typeof arg === "number")) return numberOperators[fn](...args);
    const own = (args[0] as Anything)?.[name];
    // A text has methods of such names, too.
    if (typeof own === "function" && typeof args[0] !== "string") return own.apply(args[0], args.slice(1));
    return operator(...args);
  }

  private plain(value: ProgramValue, scope: Scope): unknown {
    return withoutFloats(this.value(value, scope));
  }

  private value(value: ProgramValue, scope: Scope): unknown {
    if (Array.isArray(value)) return value.map(item => this.value(item, scope));
    if (typeof value !== "object" || value === null) return value;
    const [[key, inner]] = Object.entries(value) as [string, Anything][];
    switch (key) {
      case "$":
        return scope.has(inner) ? scope.get(inner) : this.results.get(inner);
      case "$float":
        return new PythonFloat(Number(inner));
      case "$tuple":
        return inner.map((item: ProgramValue) => this.value(item, scope));
      case "$map":
        return asMap(inner.map(([k, v]: ProgramValue[]) => [this.plain(k, scope), this.plain(v, scope)]));
      case "$dtype":
        return inner;
      case "$shape":
        return new TensorShape(inner);
      case "$array":
        return NDArray.from(inner, (value as { dtype: "float32" }).dtype);
      case "$tf":
        return this.lookUp(inner);
      case "$attr": {
        const [target, name] = inner;
        return (this.plain(target, scope) as Anything)[name];
      }
      case "$item":
        return itemOf(this.plain(inner[0], scope), inner[1]);
      case "$slice":
        return (this.plain(inner[0], scope) as Anything).at(...inner[1].map((part: ProgramValue) => this.plain(part, scope)));
      case "$lambda":
        return this.lambda(inner, scope);
      default:
        throw new Error(`The value ${JSON.stringify(value)} is not understood.`);
    }
  }

  private lambda({ params, body, ret }: { params: string[]; body: Instruction[]; ret: ProgramValue }, outer: Scope): unknown {
    const run = (given: unknown[]): unknown => {
      const scope = new Map([...(outer === this.results ? [] : outer), ...params.map((name, i) => [name, given[i]] as const)]);
      for (const instruction of body) this.step(instruction, scope);
      return this.plain(ret, scope);
    };
    // Callers may ask a function how many arguments it takes.
    return Object.defineProperty((...given: unknown[]) => run(given), "length", { value: params.length });
  }
}

const operatorNames: Readonly<Record<string, string>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "truediv",
  "//": "floordiv",
  "%": "mod",
  "**": "pow",
  "@": "matmul",
  "&": "and",
  "|": "or",
  "^": "xor",
  "<": "less",
  ">": "greater",
  "<=": "lessEqual",
  ">=": "greaterEqual",
  neg: "neg",
  "~": "invert",
};

const numberOperators: Readonly<Record<string, (...args: readonly number[]) => unknown>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "//": (a, b) => Math.floor(a / b),
  "%": (a, b) => a - b * Math.floor(a / b),
  "**": (a, b) => a ** b,
  "<": (a, b) => a < b,
  ">": (a, b) => a > b,
  neg: a => -a,
};

/** A class is constructed, anything else called. */
function invoke(target: Anything, self: unknown, ...args: unknown[]): unknown {
  if (typeof target !== "function" && typeof target?.apply === "function") return target.apply(...args);
  return /^class\b/.test(Function.prototype.toString.call(target)) ? new target(...args) : Reflect.apply(target, self, args);
}

function withoutFloats(value: unknown): unknown {
  if (value instanceof PythonFloat) return value.value;
  // Named tuples stay what they are.
  return Array.isArray(value) && value.constructor === Array ? value.map(withoutFloats) : value;
}

/** Nested Python ints become an int32 array, floats a float32 one; anything else stays. */
function typedLiteral(value: unknown): unknown {
  // What is no array is a list of some.
  if (Array.isArray(value) && value.some(Array.isArray) && !value.every(item => Array.isArray(item) && item.length === value[0].length))
    return value.map(typedLiteral);
  const leaves = [value].flat(9);
  const isAll = (test: (leaf: unknown) => boolean): boolean => leaves.length > 0 && leaves.every(test);
  if (isAll(leaf => Number.isInteger(leaf)))
    return NDArray.from(value as number[], leaves.some(leaf => Math.abs(leaf as number) > 2 ** 31 - 1) ? "int64" : "int32");
  if (isAll(leaf => leaf instanceof PythonFloat || typeof leaf === "number"))
    return NDArray.from(withoutFloats(value) as number[], "float32");
  return withoutFloats(value);
}

const asMap = (entries: [unknown, unknown][]): unknown =>
  entries.every(([key]) => typeof key === "string") ? Object.fromEntries(entries) : new Map(entries as [unknown, unknown][]);

function itemOf(target: unknown, index: number | string): unknown {
  if (target instanceof Tensor) return (target as Anything).at(index);
  const items = listed(target);
  if (items && typeof index === "number") return items.at(index);
  return target instanceof Map ? target.get(index) : (target as Record<string, unknown>)[index];
}
