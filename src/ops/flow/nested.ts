// Nested structures of tensors, as branches and loop bodies return them: lists and plain objects, flattened in TensorFlow's order (objects by
// sorted key) and packed again. Leaves are anything else.

import { ValueError } from "../../base/errors.ts";
import { pythonClass, pythonStr } from "../../base/python-text.ts";
import { TensorShape } from "../../base/shape.ts";
import { IndexedSlices } from "../../graph/indexed-slices.ts";
import { Operation, Tensor } from "../../graph/operation.ts";
import { isOptions } from "../arguments.ts";

// `any`: a structure's leaves and nesting are the caller's
export type Nested = any;

const isInner = (value: unknown): value is readonly unknown[] | Record<string, unknown> => Array.isArray(value) || isOptions(value);
const keysOf = (value: Record<string, unknown>): string[] => Object.keys(value).sort();

/** A list with names for its places, such as an LSTM's state: it stays what it is when its leaves are replaced. */
export interface NamedItems {
  withItems(items: readonly unknown[]): unknown;
}

/** A list of the same kind. */
const listLike = (list: readonly unknown[] & Partial<NamedItems>, items: readonly unknown[]): unknown => list.withItems?.(items) ?? items;

/** The leaves in order. */
export function flatten(structure: Nested): unknown[] {
  if (Array.isArray(structure)) return structure.flatMap(flatten);
  if (isOptions(structure)) return keysOf(structure).flatMap(key => flatten(structure[key]));
  return [structure];
}

/** The same nesting with each leaf replaced by what `f` makes of it. */
export function mapNested(structure: Nested, f: (leaf: unknown) => unknown): Nested {
  if (Array.isArray(structure))
    return listLike(
      structure,
      structure.map(item => mapNested(item, f)),
    );
  if (isOptions(structure)) {
    const mapped = new Map(keysOf(structure).map(key => [key, mapNested(structure[key], f)]));
    return Object.fromEntries(Object.keys(structure).map(key => [key, mapped.get(key)]));
  }
  return f(structure);
}

/** The same nesting with the leaves taken from a list. */
export function packAs(structure: Nested, leaves: readonly unknown[]): Nested {
  let next = 0;
  return mapNested(structure, () => leaves[next++]);
}

/** @throws ValueError (TypeError for different kinds) with TensorFlow's text unless both nest alike. */
export function assertSameStructure(first: Nested, second: Nested): void {
  const difference = firstDifference(first, second);
  if (difference === undefined) return;
  throw new ValueError(
    `The two structures don't have the same nested structure.\n\nFirst structure: ${described(first)}\n\nSecond structure: ${described(second)}\n\nMore specifically: ${difference}\nEntire first structure:\n${dotted(first)}\nEntire second structure:\n${dotted(second)}`,
  );
}

function firstDifference(a: unknown, b: unknown): string | undefined {
  if (isInner(a) !== isInner(b)) {
    const [inner, leaf] = isInner(a) ? [a, b] : [b, a];
    return `Substructure "${described(inner)}" is a sequence, while substructure "${described(leaf)}" is not`;
  }
  if (!isInner(a) || !isInner(b)) return undefined;
  const [left, right] = [childrenOf(a), childrenOf(b)];
  if (left.length !== right.length)
    return `The two structures don't have the same number of elements. First structure: ${described(a)}. Second structure: ${described(b)}`;
  for (let i = 0; i < left.length; i++) {
    if (left[i][0] !== right[i][0]) return `The two dictionaries don't have the same set of keys.`;
    const found = firstDifference(left[i][1], right[i][1]);
    if (found !== undefined) return found;
  }
  return undefined;
}

const childrenOf = (value: readonly unknown[] | Record<string, unknown>): [string, unknown][] =>
  Array.isArray(value)
    ? value.map((item, i) => [String(i), item])
    : keysOf(value as Record<string, unknown>).map(key => [key, (value as Record<string, unknown>)[key]]);

const dotted = (value: unknown): string =>
  Array.isArray(value)
    ? `[${value.map(dotted).join(", ")}]`
    : isOptions(value)
      ? `{${keysOf(value)
          .map(key => `'${key}': ${dotted(value[key])}`)
          .join(", ")}}`
      : ".";

const described = (value: unknown): string => `type=${typeName(value)} str=${shown(value, true)}`;

function typeName(value: unknown): string {
  if (Array.isArray(value)) return "list";
  if (isOptions(value)) return "dict";
  if (value instanceof Tensor) return "SymbolicTensor";
  return value === null || value === undefined ? "NoneType" : ((value as object).constructor?.name ?? typeof value);
}

function shown(value: unknown, isOutermost: boolean): string {
  if (Array.isArray(value)) return `[${value.map(item => shown(item, false)).join(", ")}]`;
  if (isOptions(value))
    return `{${keysOf(value)
      .map(key => `'${key}': ${shown(value[key], false)}`)
      .join(", ")}}`;
  if (value instanceof Tensor && !isOutermost) return `<tf.Tensor '${value.name}' shape=${value.shape} dtype=${value.dtypeName}>`;
  if (value instanceof Operation && !isOutermost) return `<tf.Operation '${value.name}' type=${value.type}>`;
  if (value instanceof IndexedSlices || value instanceof TensorShape) return String(value);
  return value === null || value === undefined ? "None" : String(value);
}

// ---- tf.nest ----

/** Is it a list or an object, with parts of its own? TF: tf.nest.is_nested. */
export const isNested = (seq: unknown): boolean => isInner(seq);

/** A structure of what a function makes of the leaves of others, which all nest alike. TF: tf.nest.map_structure. @throws ValueError if they do not. */
// any: the leaves are the caller's
export function mapStructure(func: (...leaves: any[]) => unknown, ...structures: readonly Nested[]): Nested {
  const [first, ...others] = structures;
  if (typeof func !== "function") throw new TypeError(`func must be callable, got: ${pythonStr(func)}`);
  if (structures.length === 0) throw new ValueError("Must provide at least one structure");
  for (const other of others) assertSameStructure(first, other);
  const leaves = structures.map(flatten);
  return packAs(
    first,
    leaves[0].map((_, i) => func(...leaves.map(list => list[i]))),
  );
}

/** A list of leaves in the nesting of a structure. TF: tf.nest.pack_sequence_as. @throws ValueError if there are more or fewer. */
export function packSequenceAs(structure: Nested, flatSequence: readonly unknown[]): Nested {
  if (!Array.isArray(flatSequence))
    throw new TypeError(
      `Attempted to pack value:\n  ${pythonStr(flatSequence)}\ninto a structure, but found incompatible type \`${pythonClass(flatSequence)}\` instead.`,
    );
  if (!isNested(structure) && flatSequence.length !== 1)
    throw new ValueError(
      `The target structure is of type \`${pythonClass(structure)}\`\n  ${pythonStr(structure)}\nHowever the input is a sequence (${pythonClass(flatSequence)}) of length ${flatSequence.length}.\n  ${shown(flatSequence, true)}\nnest cannot guarantee that it is safe to map one to the other.`,
    );
  const count = flatten(structure).length;
  if (flatSequence.length !== count)
    throw new ValueError(
      `Could not pack sequence. Structure had ${count} atoms, but flat_sequence had ${flatSequence.length} items.  Structure: ${shown(structure, true)}, flat_sequence: ${shown(flatSequence, true)}.`,
    );
  return packAs(structure, flatSequence);
}
