// Every op against TensorFlow's own registry (test/parity/spec/op-defs.json.br): signature, defaults, allowed types in order, flags.

import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadSpec } from "../../test/parity/golden.ts";
import { dtypeOfEnumName } from "../base/dtype.ts";
import { camelOf } from "../base/names.ts";
import type { Attr } from "../graph/attributes.ts";
import type { OpDefinition } from "../graph/op-definition.ts";
import { allOps, findOp } from "./registry.ts";

interface ArgDef {
  readonly name: string;
  readonly type?: string;
  readonly type_attr?: string;
  readonly type_list_attr?: string;
  readonly number_attr?: string;
  readonly is_ref?: boolean;
}

interface AttrDef {
  readonly name: string;
  readonly type: string;
  readonly default?: Readonly<Record<string, unknown>>;
  readonly allowed?: readonly string[];
  readonly min?: number;
}

interface OpDef {
  readonly name: string;
  readonly inputs?: readonly ArgDef[];
  readonly outputs?: readonly ArgDef[];
  readonly attrs?: readonly AttrDef[];
  readonly is_stateful?: boolean;
  readonly is_commutative?: boolean;
  readonly allows_uninitialized_input?: boolean;
}

const { ops } = loadSpec("op-defs") as { ops: readonly OpDef[] };
const registry = new Map(ops.map(op => [op.name, op]));

/** Names that begin with a capital stay as they are. */
const ours = (name: string): string => (/^[A-Z]/.test(name) ? name : camelOf(name));

function typeText({ type, type_attr, type_list_attr, number_attr, is_ref }: ArgDef): string {
  const plain = ours(type_attr ?? type_list_attr ?? "") || dtypeOfEnumName(type ?? "");
  const held = is_ref ? `Ref(${plain})` : plain;
  return number_attr === undefined ? `${held}` : `${ours(number_attr)}*${held}`;
}

const argsText = (args: readonly ArgDef[] = []): string[] => args.map(arg => `${ours(arg.name)}: ${typeText(arg)}`);
const specText = (specs: Readonly<Record<string, string>>): string[] => Object.entries(specs).map(([name, type]) => `${name}: ${type}`);

/** JSON has texts for infinities. */
const infinities: Readonly<Record<string, number>> = { inf: Number.POSITIVE_INFINITY, "-inf": Number.NEGATIVE_INFINITY };

/** Numbers as float32, which is what an OpDef holds. */
const plain = (value: unknown): unknown =>
  typeof value === "number"
    ? Math.fround(value)
    : typeof value === "string"
      ? (infinities[value] ?? value)
      : Array.isArray(value)
        ? value.map(plain)
        : value;

function defaultOf({ type, default: given }: AttrDef): unknown {
  if (given === undefined || type.includes("shape") || type.includes("tensor")) return undefined;
  const [kind, value] = Object.entries(given)[0];
  const items = kind === "list" ? (Object.values(value as object)[0] ?? []) : value;
  const asType = (item: unknown): unknown => (type.includes("type") ? dtypeOfEnumName(item as string) : item);
  return plain(Array.isArray(items) ? items.map(asType) : asType(items));
}

const attrText = (def: AttrDef): object => ({
  kind: def.type,
  default: defaultOf(def),
  allowed: def.allowed && [...new Set(def.type.includes("type") ? def.allowed.map(dtypeOfEnumName) : def.allowed)],
  minimum: def.min,
});

const ownAttrText = ({ kind, isList, default: given, allowed, minimum }: Attr): object => ({
  kind: isList ? `list(${kind})` : kind,
  default: kind === "shape" || kind === "tensor" ? undefined : plain(given),
  allowed: allowed && [...new Set(allowed)],
  minimum,
});

const described = (def: OpDef): object => ({
  inputs: argsText(def.inputs),
  outputs: argsText(def.outputs),
  attrs: Object.fromEntries((def.attrs ?? []).map(attr => [ours(attr.name), attrText(attr)])),
  stateful: def.is_stateful ?? false,
  commutative: def.is_commutative ?? false,
  allowsUninitializedInput: def.allows_uninitialized_input ?? false,
});

const own = (op: OpDefinition): object => ({
  inputs: specText(op.inputs),
  outputs: specText(op.outputs),
  attrs: Object.fromEntries(Object.entries(op.attrs).map(([name, attr]) => [name, ownAttrText(attr)])),
  stateful: op.stateful ?? false,
  commutative: op.commutative ?? false,
  allowsUninitializedInput: op.allowsUninitializedInput ?? false,
});

describe("every op is TensorFlow's", () => {
  test.each([...allOps()].map(op => [op.type, op] as const))("%s", (type, op) => {
    const def = registry.get(type);
    if (!def) throw new Error(`TensorFlow has no op ${type}.`);
    expect(own(op)).toEqual(described(def));
  });
});

test("every family that defines an op is in the registry", () => {
  const folder = new URL(".", import.meta.url);
  const sources = (readdirSync(folder, { recursive: true }) as string[]).filter(file => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  const defined = sources.flatMap(file =>
    [...readFileSync(new URL(file, folder), "utf8").matchAll(/\bdefineOp\("(\w+)"/g)].map(([, name]) => name),
  );
  expect(defined.length).toBeGreaterThan(700);
  expect(defined.filter(name => findOp(name) === undefined)).toEqual([]);
});

test("ops are found by name", () => {
  expect(findOp("MatMul")?.type).toBe("MatMul");
  expect(findOp("Const")?.type).toBe("Const");
  expect(findOp("NoSuchOp")).toBeUndefined();
});

describe("gradients, beside TensorFlow's registry of them", () => {
  const recorded = loadSpec("gradients") as { readonly function: readonly string[]; readonly none: readonly string[] };
  const [differentiable, constant] = [new Set(recorded.function), new Set(recorded.none)];
  /** Where we part, and why. */
  const known: Readonly<Record<string, string>> = {
    LoopCond: "TensorFlow's function returns None: the output is bool",
    GuaranteeConst: "the identity, whose gradient TensorFlow left out",
    MaxPoolGradGradV2: "linear in its gradient, as MaxPoolGradGrad is",
    MaxPoolGradWithArgmax: "linear in its gradient, as MaxPoolGrad is",
  };

  test("every op has one, has none, or refuses, as TensorFlow's does", () => {
    const ops = allOps().filter(({ type }) => !(type in known));
    expect(ops.filter(op => differentiable.has(op.type) && typeof op.gradient !== "function").map(({ type }) => type)).toEqual([]);
    expect(ops.filter(op => constant.has(op.type) && op.gradient !== "none").map(({ type }) => type)).toEqual([]);
    const more = ops.filter(op => typeof op.gradient === "function" && !differentiable.has(op.type));
    expect(more.map(({ type }) => type)).toEqual([]);
  });

  test("what TensorFlow has not registered refuses, where numbers go through it", () => {
    const passing = ["SparseSplit", "Bincount", "DenseBincount", "RandomPoissonV2", "NonMaxSuppressionV5", "DecodeCSV", "ParseExampleV2"];
    expect(passing.filter(type => differentiable.has(type) || constant.has(type) || findOp(type)?.gradient !== undefined)).toEqual([]);
  });

  test("what is listed as different is so", () => {
    const same = Object.keys(known).filter(type => differentiable.has(type) === (typeof findOp(type)?.gradient === "function"));
    expect(same).toEqual([]);
  });
});
