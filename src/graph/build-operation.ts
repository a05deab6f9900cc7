// From an op's record of inputs and attributes to a node: conversion of literals, inference of type attributes, their checks and messages.
// The order of nodes and names is TensorFlow's: the op's name is taken first, constants made from literals come before it, under its name.

import type { DType } from "../base/dtype.ts";
import { dtypeTable, isDType, isInteger } from "../base/dtype.ts";
import { InternalError, NotImplementedError, ValueError, withHint } from "../base/errors.ts";
import { nearestName, snakeOf } from "../base/names.ts";
import { NDArray } from "../base/ndarray.ts";
import { pythonStr, pythonType } from "../base/python-text.ts";
import { TensorShape } from "../base/shape.ts";
import type { Attr, AttrValue } from "./attributes.ts";
import { convertToTensor, isAsTensor, literalType, representation, type TensorLike } from "./conversion.ts";
import { getDefaultGraph, graphFor } from "./default-graph.ts";
import { graphVersion, removalText } from "./graph-version.ts";
import { placed } from "./location.ts";
import type { OpDefinition } from "./op-definition.ts";
import type { Operation } from "./operation.ts";
import { Tensor } from "./operation.ts";

/** An input's type text, parsed: `N*Ref(T)` → { count: "N", isRef: true, type: "T" }. */
export interface InputType {
  readonly count: string | undefined;
  readonly isRef: boolean;
  readonly type: string;
}

const parsed = new Map<string, InputType>();

export function parseInputType(text: string): InputType {
  let found = parsed.get(text);
  if (!found) {
    const [, count, ref, plain] = /^(?:(\w+)\*)?(?:Ref\((\w+)\)|(\w+))$/.exec(text) ?? [];
    if (ref === undefined && plain === undefined) throw new InternalError(`Input type "${text}" cannot be read.`);
    found = { count, isRef: ref !== undefined, type: ref ?? plain };
    parsed.set(text, found);
  }
  return found;
}

/** What an op's inputs or outputs are, whatever the attributes of a node: read from the texts once an op, for every node asks. */
interface Side extends InputType {
  readonly name: string;
  /** The type itself, where it is no attribute. */
  readonly fixed: DType | undefined;
  /** Of each of the attribute's types one. */
  readonly isTypeList: boolean;
  readonly isHandle: boolean;
}

type Sides = { readonly [S in "inputs" | "outputs"]: readonly Side[] };

const sidesKnown = new WeakMap<OpDefinition, Sides>();

function sidesOf(definition: OpDefinition): Sides {
  let sides = sidesKnown.get(definition);
  if (sides === undefined) {
    const read = (texts: OpDefinition["inputs"]): readonly Side[] =>
      Object.entries(texts).map(([name, text]) => {
        const spec = parseInputType(text);
        const fixed = isDType(spec.type) ? spec.type : undefined;
        const isTypeList = fixed === undefined && definition.attrs[spec.type]?.isList === true;
        return { ...spec, name, fixed, isTypeList, isHandle: definition.handles?.includes(name) === true };
      });
    sides = { inputs: read(definition.inputs), outputs: read(definition.outputs) };
    sidesKnown.set(definition, sides);
  }
  return sides;
}

/** The attribute value TensorFlow's registry would know under snake_case, for messages. */
type Record_ = Readonly<Record<string, unknown>>;
type Attrs = Record<string, AttrValue>;

/** Makes a node in the default graph (or that of its inputs) and returns its outputs as `defineOp` promises. */
export function buildOperation(definition: OpDefinition, record: Record_, name?: string | { toString(): string } | null): unknown {
  const removed = removalText(definition, graphVersion);
  if (removed !== undefined) throw new NotImplementedError(removed);
  const graph = graphFor(graphOf(record));
  const given = name === null || name === undefined ? definition.type : String(name) || definition.type;
  const attrs: Attrs = {};
  try {
    takeAttrs(definition, record, attrs);
  } catch (error) {
    throw error instanceof ValueError || error instanceof TypeError ? placed(error, given) : error;
  }
  const build = (): unknown =>
    graph.nameScope(given, scope => {
      const inputs: Tensor[] = [];
      const specs = sidesOf(definition).inputs;
      try {
        const settled = new Set(Object.keys(attrs));
        const guessed = inferTypes(definition, record, attrs);
        for (const spec of specs) {
          convertInput(definition, spec, record[spec.name], attrs, { guessed, settled }, inputs);
          settled.add(spec.type);
        }
        for (const attr of Object.keys(attrs)) if (attr in record) checkAdmitted(definition, attr, definition.attrs[attr], attrs[attr]);
        completeAttrs(definition, attrs);
      } catch (error) {
        throw error instanceof ValueError || error instanceof TypeError ? placed(error, String(scope).slice(0, -1)) : error;
      }
      // An op that changes a variable runs where the variable is.
      if (specs.some(({ isRef }) => isRef)) {
        const groups = typesOf(definition, "inputs", attrs).flatMap(({ isRef }, i) => (isRef ? inputs[i].op.colocationGroups() : []));
        if (groups.length > 0) attrs._class = groups;
      }
      return resultsOf(graph.createOperation(definition, inputs, attrs, String(scope)));
    });
  return graph === getDefaultGraph() ? build() : graph.asDefault(build);
}

function graphOf(record: Record_): Tensor["graph"] | undefined {
  for (const value of Object.values(record)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item instanceof Tensor) return item.graph;
      if (isAsTensor(item) && "graph" in item) return item.graph as Tensor["graph"];
    }
  }
  return undefined;
}

/** TensorFlow's Python function of an op refuses first what no list is, then each attribute of another kind; what an attribute admits is asked after the inputs. */
function takeAttrs(definition: OpDefinition, record: Record_, attrs: Attrs): void {
  const lengths = new Map<string, readonly [input: string, length: number]>();
  for (const { name, count } of sidesOf(definition).inputs) {
    const value = record[name];
    if (count === undefined || value === undefined) continue;
    if (!Array.isArray(value)) throw new TypeError(noList(definition, name, value));
    const [first, length] = lengths.get(count) ?? [name, value.length];
    lengths.set(count, [first, length]);
    if (length !== value.length)
      throw new ValueError(
        `List argument '${snakeOf(name)}' to '${functionName(definition.type)}' Op with length ${value.length} must match length ${length} of argument '${snakeOf(first)}'.`,
      );
  }
  const needed = (name: string): number => (definition.attrs[name]?.default === undefined ? 0 : 1);
  // Those without a default stand before the others.
  const named = Object.keys(record).filter(name => !(name in definition.inputs) && record[name] !== undefined);
  for (const name of named.sort((a, b) => needed(a) - needed(b))) {
    const value = record[name];
    const attr = definition.attrs[name];
    if (!attr)
      throw new TypeError(
        `${definition.type} got an unexpected argument '${name}'. It takes ${[...Object.keys(definition.inputs), ...Object.keys(definition.attrs)].join(", ")}.`,
      );
    if (value === null && attr.default !== undefined) attrs[name] = inSinglePrecision(attr, attr.default);
    else attrs[name] = attrOfKind(definition, name, attr, value);
  }
}

const noList = (definition: { readonly type: string }, name: string, value: unknown): string =>
  `Expected list for '${snakeOf(name)}' argument to '${functionName(definition.type)}' Op, not ${isDType(value) ? `tf.${value}` : representation(value)}.`;

/** What TensorFlow calls the Python function of an op: `Conv2DBackpropInput` is conv2d_backprop_input. */
const functionName = (type: string): string => type.replace(/(?<=[a-z])(?=[A-Z])|(?<!^)(?=[A-Z][a-z])/g, "_").toLowerCase();

const nothingGuessed: ReadonlySet<string> = new Set();

/** Type attributes from the tensors among the inputs, so that literals can follow them. Returns those that only literals speak for. */
function inferTypes(definition: OpDefinition, record: Record_, attrs: Attrs): ReadonlySet<string> {
  let weak: Map<string, DType> | undefined;
  let bare: Map<string, DType> | undefined;
  for (const { name, count, type, fixed, isTypeList } of sidesOf(definition).inputs) {
    if (fixed !== undefined || isTypeList) continue;
    if (type in attrs) continue;
    const value = record[name];
    if (value instanceof Tensor && count === undefined) {
      attrs[type] = value.dtype;
      continue;
    }
    const fallback = definition.attrs[type]?.default;
    for (const item of count !== undefined && Array.isArray(value) ? value : [value]) {
      const { dtype, isCertain } = literalType(item);
      if (dtype === undefined) continue;
      // A text or a truth value that comes first has a type by itself, as in Python; a number follows the tensors.
      const isOwn =
        count === undefined && fallback === undefined && !weak?.has(type) && isUntyped(item) && isAllowed(definition.attrs[type], dtype);
      if (isCertain || isOwn) {
        attrs[type] ??= dtype;
      } else if (typeof item === "number" && isDType(fallback)) {
        // A bare number says nothing of its type where the op has a default: axis 0 is int32.
        bare ??= new Map();
        if (!bare.has(type))
          bare.set(type, isInteger(fallback) && !Number.isInteger(item) ? dtype : (wholeType(definition.attrs[type], item) ?? fallback));
      } else {
        weak ??= new Map();
        if (!weak.has(type)) weak.set(type, wholeType(definition.attrs[type], item) ?? dtype);
      }
    }
  }
  if (weak === undefined && bare === undefined) return nothingGuessed;
  return settleGuesses(definition, attrs, weak ?? new Map(), bare ?? new Map());
}

/** Texts and truth values, or lists of them. */
function isUntyped(value: unknown): boolean {
  const leaves = Array.isArray(value) ? value.flat(9) : [value];
  return leaves.length > 0 && leaves.every(leaf => typeof leaf === "string" || typeof leaf === "boolean");
}

function settleGuesses(
  definition: OpDefinition,
  attrs: Attrs,
  weak: ReadonlyMap<string, DType>,
  bare: ReadonlyMap<string, DType>,
): ReadonlySet<string> {
  const guessed = new Set<string>();
  for (const type of [...weak.keys(), ...bare.keys()]) if (!(type in attrs)) guessed.add(type);
  for (const [type, dtype] of weak)
    attrs[type] ??= isAllowed(definition.attrs[type], dtype) ? dtype : (defaultType(definition.attrs[type]) ?? dtype);
  for (const [type, dtype] of bare) attrs[type] ??= dtype;
  return guessed;
}

/** The type that Python's numbers would have: whole ones are int32 where the op takes that, before its default. */
function wholeType(attr: Attr | undefined, value: unknown): "int32" | undefined {
  if (attr?.allowed === undefined || isAllowed(attr, "float32") || !isAllowed(attr, "int32")) return undefined;
  const leaves = Array.isArray(value) ? value.flat(9) : [value];
  return leaves.length > 0 && leaves.every(leaf => typeof leaf === "number" && Number.isInteger(leaf) && Math.abs(leaf) < 2 ** 31)
    ? "int32"
    : undefined;
}

const isAllowed = (attr: Attr | undefined, dtype: DType): boolean => attr?.allowed === undefined || attr.allowed.includes(dtype);
/** What bare values become where the op has no default: the commonest type it takes. */
function defaultType(attr: Attr | undefined): DType | undefined {
  if (isDType(attr?.default)) return attr.default;
  const allowed = (attr?.allowed ?? []) as readonly DType[];
  return (["float32", "int32", "bool"] as const).find(dtype => allowed.includes(dtype)) ?? allowed[0];
}

/** What is known of an op's type attributes: those that only literals speak for, and those that are given or told by an earlier input. */
interface KnownTypes {
  readonly guessed: ReadonlySet<string>;
  readonly settled: ReadonlySet<string>;
}

function convertInput(
  definition: OpDefinition,
  spec: Side,
  value: unknown,
  attrs: Attrs,
  { guessed, settled }: KnownTypes,
  inputs: Tensor[],
): void {
  const { name: input, count, isRef, type, fixed, isTypeList } = spec;
  if (count !== undefined || isTypeList) return void inputs.push(...convertList(definition, input, spec, value, attrs, settled.has(type)));
  const attr = definition.attrs[type];
  // Numbers follow a tensor that comes later, for they have no type of their own; a text or None among them does not wait.
  if (fixed === undefined && !settled.has(type)) speakFirst(input, value, attr);
  const dtype = fixed ?? (attrs[type] as DType | undefined);
  const isOpen = fixed === undefined && !settled.has(type);
  if (isOpen && attr?.default !== undefined && attr.allowed !== undefined) convertFirst(input, value, attr);
  const tensor =
    guessed.has(type) && !settled.has(type)
      ? preferring(attr, input, value, () => convert(definition, input, input, value, dtype, isRef, true))
      : convert(definition, input, input, value, dtype, isRef, true);
  if (fixed === undefined) {
    attrs[type] ??= tensor.dtype;
    checkTypeAllowed(input, tensor.dtype, attr);
  }
  if (isRef && !tensor.isRef)
    throw new TypeError(`'${definition.type}' Op requires that input '${snakeOf(input)}' be a mutable tensor (e.g.: a tf.Variable)`);
  inputs.push(tensor);
}

/** The other input that fixed an input's type attribute, for messages. */
function typedBy(definition: OpDefinition, input: string): string | undefined {
  const { inputs } = sidesOf(definition);
  const own = inputs.find(({ name }) => name === input);
  return own?.fixed === undefined ? inputs.find(({ name, type }) => name !== input && type === own?.type)?.name : undefined;
}

function convert(
  definition: OpDefinition,
  input: string,
  label: string,
  value: unknown,
  dtype: DType | undefined,
  asRef: boolean,
  isSingle: boolean,
): Tensor {
  if (value === undefined || value === null)
    throw new ValueError(`Tried to convert '${snakeOf(input)}' to a tensor and failed. Error: None values not supported.`);
  const tensor = value instanceof Tensor ? value : made(definition, input, label, value, dtype, asRef, isSingle);
  if (dtype !== undefined && tensor.dtype !== dtype) {
    const given = `Input '${snakeOf(input)}' of '${definition.type}' Op has type ${tensor.dtypeName}`;
    const other = isSingle ? typedBy(definition, input) : undefined;
    const wanted =
      other === undefined
        ? `that does not match expected type of ${dtype}.`
        : `that does not match type ${dtype} of argument '${snakeOf(other)}'.`;
    throw withHint(new TypeError(`${given} ${wanted}`), `tf.cast(${input}, "${dtype}") converts it.`);
  }
  return tensor;
}

/** The tensor of what is none yet. */
function made(
  definition: OpDefinition,
  input: string,
  label: string,
  value: unknown,
  dtype: DType | undefined,
  asRef: boolean,
  isSingle: boolean,
): Tensor {
  const wanted = isAsTensor(value) ? undefined : dtype;
  return fitting(definition, input, value, wanted, () =>
    convertToTensor(value as TensorLike, { dtype: wanted, name: snakeOf(label), asRef }),
  );
}

/** TensorFlow makes what has a type by itself (a bool, an empty list) in that one first, sees that the op takes none such, and makes it again. */
function convertFirst(input: string, value: unknown, attr: Attr): void {
  const leaves = Array.isArray(value) ? value.flat(9) : [value];
  if (!leaves.every(leaf => typeof leaf === "boolean")) return;
  const { dtype } = literalType(value);
  if (dtype !== undefined && !isAllowed(attr, dtype)) convertToTensor(value as TensorLike, { name: snakeOf(input) });
}

/** Converts to a type nothing asks for: a literal that does not fit it has its own, and the op does not take that. */
function preferring(attr: Attr | undefined, input: string, value: unknown, make: () => Tensor): Tensor {
  try {
    return make();
  } catch (error) {
    const { dtype } = literalType(value);
    if (error instanceof TypeError && dtype !== undefined) checkTypeAllowed(input, dtype, attr);
    throw error;
  }
}

/** @throws TypeError for a literal that has a type by itself, or none at all, where the op takes none such. */
function speakFirst(input: string, value: unknown, attr: Attr | undefined): void {
  if (typeof value !== "string" && typeof value !== "boolean" && !Array.isArray(value)) return;
  const { dtype, isCertain } = literalType(value);
  if (isCertain) return;
  if (dtype === undefined) convertToTensor(value as TensorLike);
  else if (attr?.default === undefined && isOfNothing(value)) checkTypeAllowed(input, "float32", attr);
  else if (dtype === "string" || (dtype === "bool" && !(isDType(attr?.default) && attr.allowed !== undefined)))
    checkTypeAllowed(input, dtype, attr);
}

/** `[]`, `[[]]`: floats, where nothing says otherwise. */
const isOfNothing = (value: unknown): boolean => Array.isArray(value) && value.flat(9).length === 0;

/** Converts; a literal that does not fit the wanted type is told as part of the op. */
function fitting(definition: OpDefinition, input: string, value: unknown, dtype: DType | undefined, make: () => Tensor): Tensor {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TypeError) || dtype === undefined) throw error;
    const [reason] = error.message.split("\n\n");
    throw new TypeError(
      `Expected ${dtype} passed to parameter '${snakeOf(input)}' of op '${definition.type}', got ${representation(value)} of type '${pythonType(value)}' instead. Error: ${reason}`,
    );
  }
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function convertList(
  definition: OpDefinition,
  input: string,
  { count, isRef, type, fixed }: Side,
  value: unknown,
  attrs: Attrs,
  isSettled: boolean,
): Tensor[] {
  if (!Array.isArray(value))
    throw new TypeError(
      `Expected list for '${snakeOf(input)}' argument to '${definition.type}' Op, not ${value instanceof Tensor ? value : pythonStr(value)}.`,
    );
  const dtype = count === undefined ? undefined : (fixed ?? (attrs[type] as DType | undefined));
  const given = attrs[type] as readonly DType[] | undefined;
  const isOfOneType = count !== undefined && fixed === undefined;
  if (isOfOneType) refuseMixed(definition, input, value, dtype);
  const item = (element: unknown, i: number): Tensor =>
    convert(definition, input, `${input}_${i}`, element, count === undefined ? given?.[i] : dtype, isRef, false);
  let tensors: Tensor[];
  try {
    tensors = value.map(item);
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof ValueError)) throw error;
    throw new TypeError(unsuitableList(definition, input, value, count, fixed, isSettled ? dtype : undefined));
  }
  if (count === undefined) {
    const list = definition.attrs[type];
    for (const { dtype: own } of tensors) checkTypeAllowed(input, own, list);
    if (list !== undefined)
      attrs[type] ??= checkedAttr(
        definition,
        type,
        { ...list, allowed: undefined },
        tensors.map(tensor => tensor.dtype),
      );
    return tensors;
  }
  const minimum = definition.attrs[count]?.minimum;
  if (minimum !== undefined && tensors.length < minimum)
    throw new ValueError(
      `List argument '${snakeOf(input)}' to '${definition.type}' Op with length ${tensors.length} shorter than minimum length ${minimum}.`,
    );
  attrs[count] = tensors.length;
  if (isOfOneType && tensors.length > 0) {
    attrs[type] ??= tensors[0].dtype;
    checkTypeAllowed(input, tensors[0].dtype, definition.attrs[type]);
  }
  return tensors;
}

function unsuitableList(
  definition: OpDefinition,
  input: string,
  items: readonly unknown[],
  count: string | undefined,
  fixed: DType | undefined,
  settled: DType | undefined,
): string {
  const observed = items.map(observedType);
  const prefix = `Tensors in list passed to '${snakeOf(input)}' of '${definition.type}' Op have types [${observed.join(", ")}]`;
  if (count === undefined) return `${prefix} that are invalid. Tensors: ${representation(items)}`;
  if (fixed !== undefined) return `${prefix} that do not match expected type ${fixed}.`;
  return settled === undefined
    ? `${prefix} that don't all match.`
    : `${prefix} that do not match type ${settled} inferred from earlier arguments.`;
}

const isRagged = (list: readonly unknown[]): boolean =>
  list.some(
    item =>
      Array.isArray(item) !== Array.isArray(list[0]) ||
      (Array.isArray(item) && (item.length !== (list[0] as readonly unknown[]).length || isRagged(item))),
  );

/** Tensors that do not go into one. */
const areUnlike = (leaves: readonly unknown[]): boolean => {
  const [first, ...others] = leaves.filter(leaf => leaf instanceof Tensor);
  return others.some(other => other.dtype !== first.dtype || !other.shape.isCompatibleWith(first.shape));
};

/** The type that a value has by itself. */
function observedType(value: unknown): string {
  if (Array.isArray(value) && (isRagged(value) || areUnlike(value.flat(9)))) return "<NOT CONVERTIBLE TO TENSOR>";
  const { dtype, isCertain } = literalType(value);
  const isWhole =
    dtype === "float32" && !isCertain && [value].flat(9).every(leaf => typeof leaf !== "object" && Number.isInteger(Number(leaf)));
  return isWhole && !isEmptyList(value) ? "int32" : (dtype ?? "<NOT CONVERTIBLE TO TENSOR>");
}

/** @throws TypeError with TensorFlow's text for a list of one type that holds text among numbers, or numbers among texts. */
function refuseMixed(definition: OpDefinition, input: string, items: readonly unknown[], dtype: DType | undefined): void {
  const types = items.map(item => literalType(item).dtype ?? dtype);
  if (types.some(own => own !== undefined && dtype !== undefined && (own === "string") !== (dtype === "string")))
    throw new TypeError(
      `Tensors in list passed to '${snakeOf(input)}' of '${definition.type}' Op have types [${items.map(observedType).join(", ")}] that don't all match.`,
    );
}

function checkTypeAllowed(input: string, dtype: DType, attr: Attr | undefined): void {
  if (isAllowed(attr, dtype)) return;
  const allowed = ((attr?.allowed ?? []) as readonly string[]).join(", ");
  const error = new TypeError(
    `Value passed to parameter '${snakeOf(input)}' has DataType ${dtype} not in list of allowed values: ${allowed}`,
  );
  const isInteger = dtype === "float32" && isAllowed(attr, "int32");
  throw isInteger ? withHint(error, "A number without a type is a float: tf.constant(n, tf.int32) makes an integer of it.") : error;
}

/** Nodes hold floats in single precision, whatever their tensors are: `leaky_relu` of float64 has a slope of 0.20000000298. */
function inSinglePrecision(attr: Attr, value: AttrValue): AttrValue {
  if (attr.kind !== "float") return value;
  return Array.isArray(value) ? value.map(Math.fround) : Math.fround(value as number);
}

function completeAttrs(definition: OpDefinition, attrs: Attrs): void {
  for (const name in definition.attrs) {
    if (name in attrs) continue;
    const attr = definition.attrs[name];
    if (attr.default === undefined) throw notGiven(definition, name, attr);
    attrs[name] = inSinglePrecision(attr, attr.default);
  }
}

/** What TensorFlow says to None for an attribute. */
function notGiven(definition: OpDefinition, name: string, attr: Attr): Error {
  const text = attr.isList ? noList(definition, name, null) : `Expected ${kindName(attr)} for argument '${snakeOf(name)}' not None.`;
  return withHint(new TypeError(text), `${definition.type} needs the attribute '${snakeOf(name)}'.`);
}

const kindName = ({ kind }: Attr): string => (kind === "type" ? "DataType" : kind);

/** @throws ValueError or TypeError with TensorFlow's text if the value does not suit the attribute. */
function checkedAttr(definition: { readonly type: string }, name: string, attr: Attr, value: unknown): AttrValue {
  const found = attrOfKind(definition, name, attr, value);
  checkAdmitted(definition, name, attr, found);
  return found;
}

/** The value as one of the attribute's kind. @throws TypeError if it is none. */
function attrOfKind(definition: { readonly type: string }, name: string, attr: Attr, value: unknown): AttrValue {
  if (!attr.isList) return itemOfKind(name, attr, value);
  if (!Array.isArray(value)) throw new TypeError(noList(definition, name, value));
  return value.map(item => itemOfKind(name, attr, item));
}

/** @throws ValueError or TypeError unless the attribute admits the value. */
function checkAdmitted(definition: { readonly type: string }, name: string, attr: Attr, value: AttrValue): void {
  const least = attr.minimum;
  if (attr.isList) {
    const list = value as readonly AttrValue[];
    if (least !== undefined && list.length < least)
      throw new ValueError(
        `Attr '${snakeOf(name)}' of '${definition.type}' Op passed list of length ${list.length} less than minimum ${least}.`,
      );
    for (const item of list) checkAllowed(definition, name, attr, item);
    return;
  }
  checkAllowed(definition, name, attr, value);
  if (attr.kind === "int" && least !== undefined && (value as number) < least)
    throw new ValueError(`Attr '${snakeOf(name)}' of '${definition.type}' Op passed ${value} less than minimum ${least}.`);
}

function checkAllowed(definition: { readonly type: string }, name: string, attr: Attr, value: unknown): void {
  if (attr.allowed === undefined || attr.allowed.includes(value)) return;
  if (attr.kind === "type") return checkTypeAllowed(name, value as DType, attr);
  const allowed = attr.allowed.map(item => `"${item}"`).join(", ");
  const near = nearestName(String(value), attr.allowed.map(String));
  throw new ValueError(
    `Attr '${snakeOf(name)}' of '${definition.type}' Op passed string '${String(value)}' not in: ${allowed}.`,
    near === undefined ? undefined : `Was "${near}" meant?`,
  );
}

/** A value as Python makes it one of a kind (`int(1.5)` is 1, a bool is a number); undefined if it does not. */
const kinds: Record<Attr["kind"], (value: unknown) => AttrValue | undefined> = {
  type: value => (isDType(value) ? value : undefined),
  int: value =>
    typeof value === "bigint"
      ? value
      : (typeof value === "number" || typeof value === "boolean") && Number.isFinite(Number(value))
        ? Math.trunc(Number(value))
        : undefined,
  float: value => (typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : undefined),
  bool: value => (typeof value === "boolean" ? value : undefined),
  string: value => (typeof value === "string" ? value : undefined),
  shape: value => new TensorShape(value as number[]),
  tensor: value => (value instanceof NDArray ? value : undefined),
  func: value => (typeof value === "object" && value !== null && "name" in value ? (value as AttrValue) : undefined),
};

function itemOfKind(name: string, attr: Attr, value: unknown): AttrValue {
  let found: AttrValue | undefined;
  try {
    found = attr.kind === "shape" && value instanceof TensorShape ? value : kinds[attr.kind](value);
    if (found instanceof TensorShape && found.withBools)
      throw new TypeError(
        `Error converting ${representation(found.withBools)} (arg name = ${snakeOf(name)}) to a TensorShape: Field tensorflow.TensorShapeProto.Dim.size: Expected an int, got a boolean.`,
      );
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof ValueError) || error.message.startsWith("Error converting")) throw error;
    const Class = error instanceof ValueError ? ValueError : TypeError;
    throw new Class(`Error converting ${snakeOf(name)} to a TensorShape: ${error.message}.`);
  }
  if (found !== undefined) return inSinglePrecision(attr, found);
  const error = new TypeError(
    `Expected ${kindName(attr)} for argument '${snakeOf(name)}' not ${attr.kind === "type" && Array.isArray(value) ? `[${value.map(item => (isDType(item) ? `tf.${item}` : representation(item))).join(", ")}]` : representation(value)}.`,
  );
  const near = attr.kind === "type" && typeof value === "string" ? nearestName(value, Object.keys(dtypeTable)) : undefined;
  throw near === undefined ? error : withHint(error, `Was "${near}" meant?`);
}

/** Outputs as `defineOp` promises: the operation itself, one tensor, a list, or a record by output name. */
function resultsOf(op: Operation): unknown {
  const sides = sidesOf(op.definition).outputs;
  if (sides.length === 0) return op;
  if (sides.length === 1 && sides[0].count === undefined && !sides[0].isTypeList) return op.outputs[0];
  const names = sides.map(({ name }) => name);
  let next = 0;
  const entries = names.map(name => {
    const length = outputCount(op.definition, name, op.attrs);
    const tensors = op.outputs.slice(next, next + (length ?? 1));
    next += tensors.length;
    return [name, length === undefined ? tensors[0] : tensors] as const;
  });
  return entries.length === 1 ? entries[0][1] : Object.fromEntries([...entries, ["op", op]]);
}

/** How many tensors a list output holds; undefined for a single tensor. */
function outputCount(definition: OpDefinition, output: string, attrs: Readonly<Record<string, AttrValue>>): number | undefined {
  const { count, type } = parseInputType(definition.outputs[output]);
  if (count !== undefined) return attrs[count] as number;
  return definition.attrs[type]?.isList ? (attrs[type] as readonly DType[]).length : undefined;
}

/** The types of an op's inputs or outputs, lists flattened. */
export function typesOf(
  definition: OpDefinition,
  side: "inputs" | "outputs",
  attrs: Readonly<Record<string, AttrValue>>,
): { name: string; dtype: DType; isRef: boolean; isHandle: boolean }[] {
  const types: { name: string; dtype: DType; isRef: boolean; isHandle: boolean }[] = [];
  for (const { name, count, isRef, type, fixed, isHandle: isNamed } of sidesOf(definition)[side]) {
    const value = fixed ?? attrs[type];
    const add = (dtype: DType): void =>
      void types.push({ name, dtype, isRef, isHandle: isNamed || (dtype === "resource" && !definition.movesHandles) });
    if (Array.isArray(value)) (value as DType[]).forEach(add);
    else for (let left = count === undefined ? 1 : (attrs[count] as number); left > 0; left--) add(value as DType);
  }
  return types;
}

/** Inputs grouped by name: a tensor, or a list of them. */
export function groupByName<T>(
  definition: OpDefinition,
  side: "inputs" | "outputs",
  attrs: Readonly<Record<string, AttrValue>>,
  items: readonly T[],
): Record<string, T | readonly T[]> {
  const record: Record<string, T | readonly T[]> = {};
  let next = 0;
  for (const { name, count, type, isTypeList } of sidesOf(definition)[side]) {
    const listed = isTypeList ? (attrs[type] as readonly DType[]).length : undefined;
    const length = count !== undefined ? (attrs[count] as number) : listed;
    record[name] = length === undefined ? items[next] : items.slice(next, next + length);
    next += length ?? 1;
  }
  return record;
}

/** Lets an operation refuse the shapes that it is about to be given. @throws OpError with the kernel's text. */
export function checkShapes(op: Operation, shapes: readonly (readonly number[])[]): void {
  const { definition, attrs } = op;
  definition.checks?.({ ...groupByName(definition, "inputs", attrs, shapes), ...attrs }, op);
}
