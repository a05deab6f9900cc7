// How public functions take their arguments: by position in TensorFlow's order, and by name in one last plain object.
// Also the sequences that TensorFlow lets one write short (strides of 1, 2 or 4 numbers, padding as a list).

import { type DType, noMemoryFor } from "../base/dtype.ts";
import { InvalidArgumentError, ResourceExhaustedError, ValueError, withHint } from "../base/errors.ts";
import { nearestName } from "../base/names.ts";
import { pythonType } from "../base/python-text.ts";

/** A plain object: options, rather than a tensor, a variable, an array or a shape. */
export function isOptions(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function unexpected(name: string, names: readonly string[]): Error {
  const error = new TypeError(`got an unexpected keyword argument '${name}'`);
  if (names.length === 0) return error;
  const near = nearestName(name, names);
  return withHint(error, near === undefined ? `There are ${names.map(known => `'${known}'`).join(", ")}.` : `Did you mean '${near}'?`);
}

/** A layer's initializer that is null, Python's None, is one: that of its scope. */
const mayBeNone = (name: string | undefined): boolean => name !== undefined && /[a-z]Initializer$/.test(name);

/** Arguments given by position under these names, joined with those of a last options object. Undefined and null mean "not given".
 *  @throws TypeError if one is given twice, is none of these, or there are too many. */
export function collect<T>(names: readonly string[], given: readonly unknown[]): Partial<T> {
  const result: Record<string, unknown> = {};
  const last = given.findLastIndex(value => value !== undefined);
  given.forEach((value, i) => {
    if (i === last && isOptions(value)) {
      for (const [name, option] of Object.entries(value)) {
        if (option === undefined || (option === null && !mayBeNone(name))) continue;
        if (!names.includes(name)) throw unexpected(name, names);
        if (result[name] !== undefined) throw new TypeError(`got multiple values for argument '${name}'`);
        result[name] = option;
      }
    } else if (value !== undefined && (value !== null || mayBeNone(names[i]))) {
      if (i >= names.length) throw new TypeError(`takes ${names.length} positional arguments but ${given.length} were given`);
      result[names[i]] = value;
    }
  });
  return result as Partial<T>;
}

/** An argument that has a default: by its place, or by its name in the last object. */
export type ByName<N extends string, T> = T | { readonly [name in N]?: T };
/** @throws TypeError for another name. */
export const byName = <N extends string, T>(name: N, given: ByName<N, T>): T | undefined =>
  isOptions(given) ? collect<Record<N, T>>([name], [given])[name] : (given as T);

/** Is this an object of options, where a structure of other names may stand as well? */
export const isOptionsOf = (value: unknown, ...names: readonly string[]): boolean =>
  isOptions(value) && Object.keys(value).length > 0 && Object.keys(value).every(name => names.includes(name));

/** What is left of options after the known ones are taken out, of which types know nothing but `more`. Undefined and null mean "not given".
 *  @throws TypeError for a name that is none of `more`. */
export function refuseOthers<O extends object, N extends string = never>(
  others: Exclude<keyof O, N> extends never ? O : never,
  ...more: readonly N[]
): void {
  refuseAllBut(more, others);
}

function refuseAllBut(names: readonly string[], others: object): void {
  for (const [name, value] of Object.entries(others))
    if (value !== undefined && value !== null && !names.includes(name)) throw unexpected(name, names);
}

/** Refuses names among options that are taken as a whole. @throws TypeError */
export function checkOptions<O extends object>(options: O, names: Readonly<Record<keyof O & string, true>>): void {
  refuseAllBut(Object.keys(names), options);
}

/** One of two names of the same argument. @throws ValueError if both are given. */
export function eitherName<T>(
  newName: string,
  newValue: T | null | undefined,
  oldName: string,
  oldValue: T | null | undefined,
): T | undefined {
  if (newValue === null || newValue === undefined) return oldValue ?? undefined;
  if (oldValue !== null && oldValue !== undefined) throw new ValueError(`Cannot specify both '${oldName}' and '${newName}'.`);
  return newValue;
}

/** One number for each of the `rank` spatial dimensions, extended by ones for batch and channels: 2, [2], [2, 2] and [1, 2, 2, 1] are the same.
 *  @throws ValueError for other lengths. */
export function windowSequence(
  value: number | readonly number[] | null | undefined,
  rank: number,
  channelAxis: number,
  name: string,
): number[] {
  if (value === null || value === undefined) return Array<number>(rank + 2).fill(1);
  const list = Array.isArray(value) ? [...(value as readonly number[])] : [value as number];
  if (list.length === rank + 2) return list;
  const spatial = list.length === 1 ? Array<number>(rank).fill(list[0]) : list;
  if (spatial.length !== rank)
    throw new ValueError(
      `${name} should be of length 1, ${rank} or ${rank + 2}. Received: ${name}=${pythonList(list)} of length ${list.length}`,
      `Give one number for all spatial dimensions, one for each of the ${rank}, or one for every dimension of the tensor.`,
    );
  return channelAxis === 1 ? [1, 1, ...spatial] : [1, ...spatial, 1];
}

/** Padding as users give it: a word, or how much to add before and after each dimension. */
export type PaddingLike = "SAME" | "VALID" | readonly (readonly [number, number] | readonly number[])[];

/** The attributes `padding` and `explicitPaddings` for what users give. @throws ValueError for malformed lists. */
export function convertPadding(padding: unknown, length = 4): { padding: "SAME" | "VALID" | "EXPLICIT"; explicitPaddings: number[] } {
  if (padding === "EXPLICIT")
    throw new ValueError("'EXPLICIT' is not a valid value for `padding`. To use explicit padding, `padding` must be a list.");
  // A wrong word is refused by the op's attribute, in its words.
  if (!Array.isArray(padding)) return { padding: (padding ?? null) as "SAME", explicitPaddings: [] };
  padding.forEach((pair: unknown, i) => {
    const rule = `When \`padding\` is a list, each element of \`padding\` must be a list/tuple of size 2. Received: padding=${pythonList(padding)} with element at index ${i} of`;
    if (!Array.isArray(pair)) throw new ValueError(`${rule} type <class '${pythonType(pair)}'>`);
    if (pair.length !== 2) throw new ValueError(`${rule} size ${pair.length}`);
  });
  if (padding.length !== length)
    throw new ValueError(
      `When padding is a list, it must be of size ${length}. Received: padding=${pythonList(padding)} of size ${padding.length}`,
    );
  return { padding: "EXPLICIT", explicitPaddings: padding.flat() as number[] };
}

/** `[1, [2, 3]]` as Python prints it. */
export const pythonList = (value: unknown): string =>
  Array.isArray(value) ? `[${value.map(pythonList).join(", ")}]` : typeof value === "string" ? `'${value}'` : String(value);

/** What a kernel checks of its inputs. @throws InvalidArgumentError (or another) with its text. */
export function need(isTrue: boolean, message: () => string, Class: new (message: string) => Error = InvalidArgumentError): void {
  if (!isTrue) throw new Class(message());
}

/** A float as C++ prints it: six digits, `nan`, `inf`. */
export const cNumber = (x: number): string =>
  Number.isFinite(x) ? String(Number(x.toPrecision(6))) : String(x).replace("Infinity", "inf").replace("NaN", "nan");

/** @throws ResourceExhaustedError for more rows than a list of the engine's may have: a few more, and it ends the process. */
export const checkListed = (rows: number, dtype: DType): void =>
  need(rows < 2 ** 24, () => noMemoryFor([rows], dtype), ResourceExhaustedError);

/** Integers as numpy prints an array of them. */
export function arrayText(values: readonly (number | boolean)[]): string {
  const texts = Array.from(values, value => String(Number(value)));
  const width = Math.max(0, ...texts.map(text => text.length));
  return `[${texts.map(text => text.padStart(width)).join(" ")}]`;
}
