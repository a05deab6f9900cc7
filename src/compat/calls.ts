// A call as TensorFlow programs write it → a call of our function: every argument by position in TensorFlow's order or by its name in one
// last object, `tf.nn.max_pool(x, k, s, "SAME", { data_format: "NHWC" })`. The order comes from the generated table in signatures.ts.

import { asDtype } from "../base/dtype-names.ts";
import { Dimension } from "../base/dimension.ts";
import { DType } from "../base/dtype-class.ts";
import { AttributeError, NotImplementedError, ValueError, withHint } from "../base/errors.ts";
import { camelOf, nearestName, snakeOf } from "../base/names.ts";
import { isAsTensor } from "../graph/conversion.ts";
import { itemsOf } from "../graph/iterating.ts";
import { Tensor } from "../graph/operation.ts";
import { nullRefusals } from "./signatures.ts";

interface Parameter {
  readonly name: string;
  /** Must be given; may be given and is null by default; may be given and has another default. */
  readonly need: "required" | "nullable" | "default";
  /** What TensorFlow says of None, where its default is another and it always refuses None. */
  readonly nullRefusal?: string;
}

/** Of one function: TensorFlow's arguments in order, and how many of them ours takes by position. */
export interface Signature {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** For each of our positional parameters the index of TensorFlow's. */
  readonly positional: readonly number[];
  /** `*args`: takes any number of positional arguments as they are. */
  readonly isVariadic: boolean;
  /** Where our form takes a callback that TensorFlow's `with` statement stands for; -1 if it takes none. */
  readonly bodyIndex: number;
}

/** Reads a row of the table: `"4 value ksize strides padding data_format= name?"`; `=` has a default, `?` is null by default;
 *  `=3` has a default and refuses null in the words of line 3 of the table's second list.
 *  The first word is the number of our positional parameters, or their indexes `2,0`, or `*` for a variadic function;
 *  `+1` after it says that our parameter 1 is a callback. */
export function parseSignature(path: string, text: string): Signature {
  const [counts, ...words] = text.split(" ");
  const [head, body] = counts.split("+");
  const parameters = words.map((word): Parameter => {
    const [, name, mark, refusal] = /^(\w+)([?=]?)(\d*)$/.exec(word) ?? [];
    return {
      name,
      need: mark === "?" ? "nullable" : mark === "=" ? "default" : "required",
      ...(refusal !== "" && { nullRefusal: nullRefusals[Number(refusal)].replaceAll("{}", name) }),
    };
  });
  const positional =
    head === "*" ? [] : head.includes(",") ? head.split(",").map(Number) : Array.from({ length: Number(head) }, (_, i) => i);
  return {
    name: path.slice(path.lastIndexOf(".") + 1),
    parameters,
    positional,
    isVariadic: head === "*",
    bodyIndex: body === undefined ? -1 : Number(body),
  };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The arguments for our function. A single last plain object whose keys are argument names (of either spelling) holds arguments by name.
 *  @throws TypeError in Python's words for missing, unknown, doubled or too many arguments. */
export function arrangeArguments(signature: Signature | undefined, given: readonly unknown[]): unknown[] {
  if (signature === undefined || signature.isVariadic) return withCamelOptions(given);
  const body = given.at(-1);
  if (typeof body !== "function" || !isBody(signature, given)) return arranged(signature, given);
  const list = arranged(signature, given.slice(0, -1));
  list[Math.max(signature.bodyIndex, list.length)] = body;
  return Array.from(list);
}

/** A last function stands for a `with` block where our form has it: after our positional arguments or the options. Elsewhere it is an argument
 *  like any other; but no values are a function, `variable_scope(null, "layer", () => …)`, and initializers take a shape and a type, so one of a single
 *  parameter in their place is a block: `variable_scope(name, "layer", [x], () => …)`. */
const isBody = ({ bodyIndex, positional, parameters }: Signature, given: readonly unknown[]): boolean =>
  bodyIndex >= 0 &&
  (given.length - 1 <= positional.length ||
    given.length > parameters.length ||
    isPlainObject(given.at(-2)) ||
    parameters[given.length - 1].name === "values" ||
    (parameters[given.length - 1].name === "initializer" && isPlainFunction(given.at(-1))));

const isPlainFunction = (value: unknown): boolean =>
  typeof value === "function" && value.length <= 1 && Object.getPrototypeOf(value) === Function.prototype;

/** Is this already a call of our own form? Then a method that both doors share passes it on untouched. */
export function isOurForm(signature: Signature, given: readonly unknown[]): boolean {
  const { positional, bodyIndex } = signature;
  const last = given.at(-1);
  // `dist.sample({ seed: 5 })`: options in the place of an argument that may be left out.
  if (isPlainObject(last) && given.length <= positional.length && isNamed(signature, last, given.length - 1)) return false;
  const options = given.find((value, i) => i >= positional.length && isPlainObject(value)) as object | undefined;
  const isSnake = given.some(
    value => isPlainObject(value) && Object.keys(value).some(key => /[a-z0-9]_[a-z]/.test(key) && /^\w+$/.test(key)),
  );
  return (
    !isSnake &&
    given.length <= positional.length + (options === undefined ? 0 : 1) + (bodyIndex >= 0 && typeof given.at(-1) === "function" ? 1 : 0)
  );
}

function arranged(signature: Signature, given: readonly unknown[]): unknown[] {
  const { name, parameters, positional } = signature;
  const last = given.at(-1);
  const hasNamed = isPlainObject(last) && isNamed(signature, last, given.length - 1);
  const byPosition = hasNamed ? given.slice(0, -1) : given;
  if (byPosition.length > parameters.length)
    throw new TypeError(
      `${name}() takes ${countText(parameters.length, "positional argument")} but ${byPosition.length} ${byPosition.length === 1 ? "was" : "were"} given`,
    );
  const values = new Map(byPosition.map((value, i) => [parameters[i].name, value] as const).filter(([, value]) => value !== undefined));
  if (hasNamed) for (const [key, value] of Object.entries(last)) setNamed(signature, values, snakeOf(key), value);
  const missing = parameters.filter(({ name: parameter, need }) => need === "required" && !values.has(parameter));
  if (missing.length > 0)
    throw new TypeError(
      `${name}() missing ${countText(missing.length, "required positional argument")}: ${missing.map(parameter => `'${parameter.name}'`).join(" and ")}`,
    );
  const valueAt = (i: number): unknown => givenValue(values, parameters[i]);
  const options: Record<string, unknown> = {};
  parameters.forEach((parameter, i) => {
    const value = valueAt(i);
    if (!positional.includes(i) && value !== undefined) options[camelOf(parameter.name)] = value;
  });
  return trimmed([...positional.map(valueAt), options]);
}

/** Python's None for an argument that is None by default is "not given". */
function givenValue(values: ReadonlyMap<string, unknown>, { name, need, nullRefusal }: Parameter): unknown {
  const value = values.get(name);
  if (value === null && need === "nullable") return undefined;
  if (value === null && nullRefusal !== undefined) throw refusedNull(name, nullRefusal);
  // Python asks whether a name is empty.
  if (name === "name" && need !== "required" && (value instanceof Tensor || isAsTensor(value))) itemsOf(value, "asks");
  return /(^|_)d?types?$|^Tout$/.test(name) ? withFullNames(value) : plainSizes(value);
}

const refusedNull = (name: string, refusal: string): Error => {
  const [, kind, text] = /^(\w+): (.*)$/s.exec(refusal) ?? [];
  const Refusal = { AttributeError, NotImplementedError, TypeError, ValueError }[kind] ?? TypeError;
  return withHint(new Refusal(text), `Argument '${name}' is null. Leave it out, or give undefined, for its default.`);
};

/** Dimensions of shapes are numbers, or nulls, wherever they are given: by themselves, in a list, in a list of lists. */
function plainSizes(value: unknown, depth = 2): unknown {
  if (value instanceof Dimension) return value.value;
  if (depth === 0 || !Array.isArray(value) || !value.slice(0, 64).some(item => item instanceof Dimension || Array.isArray(item)))
    return value;
  const plain = value.map(item => plainSizes(item, depth - 1));
  return plain.some((item, i) => item !== value[i]) ? plain : value;
}

/** `tf.placeholder("float")`: a type may be called by its short name. */
function withFullNames(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withFullNames);
  return value === "float" || value === "double" || value === "half" || value instanceof DType ? asDtype(String(value.valueOf())) : value;
}

function setNamed({ name, parameters }: Signature, values: Map<string, unknown>, key: string, value: unknown): void {
  if (!parameters.some(parameter => parameter.name === key)) {
    const unexpected = new TypeError(`${name}() got an unexpected keyword argument '${key}'`);
    const near = nearestName(
      key,
      parameters.map(parameter => parameter.name),
    );
    throw near === undefined ? unexpected : withHint(unexpected, `Did you mean '${near}'?`);
  }
  if (value === undefined) return;
  if (values.has(key)) throw new TypeError(`${name}() got multiple values for argument '${key}'`);
  values.set(key, value);
}

/** Are these arguments by name, or is the object itself the argument at this position (a feed_dict, a nest of fetches)? */
function isNamed({ parameters, positional }: Signature, object: Record<string, unknown>, position: number): boolean {
  const keys = Object.keys(object);
  if (keys.length === 0) return parameters[position]?.need !== "required";
  // Specifications by name are what they are called: a feature may have a wrong one.
  if (
    /^(context_|sequence_)?features$/.test(parameters[position]?.name ?? "") &&
    !keys.some(key => parameters.some(({ name }) => name === key))
  )
    return false;
  const given = keys.map(snakeOf);
  // A dictionary of features may have one that is called like an argument: `from_tensor_slices({ name, age })`.
  const isWhole =
    parameters[position]?.need === "required" &&
    given.some(key => !parameters.some(({ name }) => name === key)) &&
    parameters.slice(position).some(({ name, need }) => need === "required" && !given.includes(name));
  if (isWhole) return false;
  if (position >= parameters.length || keys.some(key => parameters.some(({ name }) => name === key || name === snakeOf(key)))) return true;
  return position >= positional.length && Object.entries(object).every(([key, value]) => /^[a-z]\w*$/.test(key) && isSetting(value));
}

/** A misspelt option has a number, text or function; what is named in a dictionary of TensorFlow's (a Saver's variables) has not. */
const isSetting = (value: unknown): boolean =>
  Array.isArray(value) ? value.every(isSetting) : typeof value !== "object" || value === null;

/** Without trailing arguments that are not given, and without an empty options object. */
function trimmed(list: unknown[]): unknown[] {
  const options = list.at(-1);
  if (isPlainObject(options) && Object.keys(options).length === 0) list.pop();
  while (list.length > 0 && list.at(-1) === undefined) list.pop();
  return list;
}

/** Where the order is not known: as given, the keys of a last plain object in our spelling. */
function withCamelOptions(given: readonly unknown[]): unknown[] {
  const last = given.at(-1);
  if (!isPlainObject(last)) return [...given];
  return [
    ...given.slice(0, -1),
    Object.fromEntries(Object.entries(last).map(([key, value]) => [/^[a-z]\w*$/.test(key) ? camelOf(key) : key, value])),
  ];
}

const countText = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
