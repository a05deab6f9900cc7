// Index expressions: where a load reads, as an affine normal form over atoms (axes, quotients, remainders, loaded indices).
// The normal form is what lets reshapes, transposes, slices and tiles melt away: adding `c·(x div c)` to `x mod c` gives `x` back.
// Every index knows its inclusive range, which is what removes div, mod and guards. Idea: tinygrad's symbolic shapes, Halide's bounds.

import type { Scalar } from "./scalar.ts";

/** `key` tells atoms apart; `form` is the key without its numbers, by which terms are ordered first, so that their order is the same at all sizes. */
export type Atom =
  | { readonly kind: "axis"; readonly axis: number; readonly size: number; readonly key: string; readonly form?: undefined }
  | { readonly kind: "div"; readonly of: Index; readonly by: number; readonly key: string; readonly form: string }
  | { readonly kind: "mod"; readonly of: Index; readonly by: number; readonly key: string; readonly form: string }
  /** An index read from data, clamped into [0, size): the check that it lies there is a step of its own. */
  | { readonly kind: "data"; readonly value: Scalar; readonly size: number; readonly key: string; readonly form: string };

export interface Term {
  readonly atom: Atom;
  readonly scale: number;
}

/** offset + Σ scale·atom, with the inclusive range of its values. Terms are sorted by their atoms' keys. */
export interface Index {
  readonly terms: readonly Term[];
  readonly offset: number;
  readonly min: number;
  readonly max: number;
}

export const constantIndex = (value: number): Index => ({ terms: [], offset: value + 0, min: value + 0, max: value + 0 });

/** Axis number `axis` of the primitive, running over [0, size). Axes of size 1 are the constant 0. */
export const axisIndex = (axis: number, size: number): Index =>
  size === 1 ? constantIndex(0) : ofAtom({ kind: "axis", axis, size, key: `i${axis}` });

const dataKeys = new WeakMap<Scalar, string>();
let dataCount = 0;

/** An index loaded from data, clamped into [0, size). */
export function dataIndex(value: Scalar, size: number): Index {
  let key = dataKeys.get(value);
  if (key === undefined) {
    key = `d${String(dataCount++).padStart(9, "0")}`;
    dataKeys.set(value, key);
  }
  return ofAtom({ kind: "data", value, size, key: `${key}<${size}`, form: key });
}

const ofAtom = (atom: Atom): Index => ({ terms: [{ atom, scale: 1 }], offset: 0, min: leastOf(atom), max: mostOf(atom) });

const leastOf = (atom: Atom): number => (atom.kind === "div" ? Math.floor(atom.of.min / atom.by) : 0);

function mostOf(atom: Atom): number {
  switch (atom.kind) {
    case "axis":
    case "data":
      return Math.max(atom.size - 1, 0);
    case "div":
      return Math.floor(atom.of.max / atom.by);
    case "mod":
      return atom.by - 1;
  }
}

const isRemainder = ({ atom }: Term): boolean => atom.kind === "mod";

export function addIndex(a: Index, b: Index): Index {
  if (a.terms.length === 0) return shifted(b, a.offset);
  if (b.terms.length === 0) return shifted(a, b.offset);
  // Without remainders nothing can join, and the terms of both are in order.
  if (!a.terms.some(isRemainder) && !b.terms.some(isRemainder)) return ranged(merged(a.terms, b.terms), a.offset + b.offset);
  const scales = new Map<string, Term>();
  for (const term of [...a.terms, ...b.terms]) {
    const known = scales.get(term.atom.key);
    scales.set(term.atom.key, { atom: term.atom, scale: term.scale + (known?.scale ?? 0) });
  }
  return normalize([...scales.values()], a.offset + b.offset);
}

/** Adding 0 turns -0 into 0. */
const shifted = (a: Index, by: number): Index =>
  by === 0 ? a : { terms: a.terms, offset: a.offset + by + 0, min: a.min + by + 0, max: a.max + by + 0 };

/** The terms of two sums in normal form, in order, those of the same atom as one. */
function merged(a: readonly Term[], b: readonly Term[]): Term[] {
  const terms: Term[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i].atom.key === b[j].atom.key) {
      const scale = a[i].scale + b[j].scale;
      if (scale !== 0) terms.push({ atom: b[j].atom, scale });
      i++;
      j++;
    } else terms.push(byForm(a[i], b[j]) < 0 ? a[i++] : b[j++]);
  }
  while (i < a.length) terms.push(a[i++]);
  while (j < b.length) terms.push(b[j++]);
  return terms;
}

/** What is in normal form stays so when all its terms are scaled. */
export function scaleIndex(a: Index, by: number): Index {
  if (by === 1) return a;
  if (by === 0) return constantIndex(0);
  const [min, max] = by > 0 ? [a.min, a.max] : [a.max, a.min];
  return {
    terms: a.terms.map(({ atom, scale }) => ({ atom, scale: scale * by })),
    offset: a.offset * by + 0,
    min: min * by + 0,
    max: max * by + 0,
  };
}

export const subtractIndex = (a: Index, b: Index): Index => addIndex(a, scaleIndex(b, -1));

/** Drops zero terms, joins remainders with their quotients, sorts, and computes the range. */
function normalize(given: Term[], offset: number): Index {
  const terms = given.filter(term => term.scale !== 0);
  for (const term of terms) {
    const joined = term.atom.kind === "mod" ? joinRemainder(term, terms, offset) : undefined;
    if (joined) return joined;
  }
  return ranged(terms.length > 1 ? terms.sort(byForm) : terms, offset);
}

/** Terms in order, and the range of their sum. */
function ranged(terms: readonly Term[], offset: number): Index {
  let min = offset + 0;
  let max = offset + 0;
  for (const { atom, scale } of terms) {
    const low = scale * leastOf(atom);
    const high = scale * mostOf(atom);
    min += scale > 0 ? low : high;
    max += scale > 0 ? high : low;
  }
  return { terms, offset: offset + 0, min, max };
}

const formOf = (atom: Atom): string => atom.form ?? atom.key;
const formOfIndex = ({ terms }: Index): string => terms.map(({ atom }) => formOf(atom)).join("+");

function byForm({ atom: a }: Term, { atom: b }: Term): number {
  const [form, other] = [formOf(a), formOf(b)];
  if (form !== other) return form < other ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}

/** With q = x div a: s·(x mod a) + s·a·q = s·x, and s·(x mod a) + s·a·((q + d) mod b) = s·((x + a·d) mod ab). Undefined if neither is found. */
function joinRemainder({ atom, scale }: Term, terms: readonly Term[], offset: number): Index | undefined {
  if (atom.kind !== "mod") return undefined;
  const quotient = divIndex(atom.of, atom.by);
  if (quotient.terms.length === 0) return undefined;
  /** The terms among `candidates` that are the quotient's, times `factor`, if all are there. */
  const parts = (candidates: readonly Term[], factor: number): Term[] | undefined => {
    const found = quotient.terms.map(part =>
      candidates.find(other => other.atom.key === part.atom.key && other.scale === part.scale * factor),
    );
    return found.every(part => part !== undefined) ? found : undefined;
  };
  const whole = parts(terms, scale * atom.by);
  if (whole) {
    const rest = terms.filter(term => term.atom !== atom && !whole.includes(term));
    return addIndex(normalize(rest, offset - scale * atom.by * quotient.offset), scaleIndex(atom.of, scale));
  }
  for (const other of terms) {
    if (other.atom.kind !== "mod" || other.atom === atom || other.scale !== scale * atom.by || !parts(other.atom.of.terms, 1)) continue;
    const shift = scaleIndex(subtractIndex(other.atom.of, quotient), atom.by);
    const joined = modIndex(addIndex(atom.of, shift), atom.by * other.atom.by);
    if ([atom, other.atom].every(({ key }) => joined.terms.some(part => part.atom.key === key))) continue;
    const rest = terms.filter(term => term.atom !== atom && term !== other);
    return addIndex(normalize(rest, offset), scaleIndex(joined, scale));
  }
  return undefined;
}

/** Floor of `a / by` for positive `by`. */
export function divIndex(a: Index, by: number): Index {
  if (by === 1) return a;
  // Of an axis without elements: nobody evaluates it.
  if (by === 0) return constantIndex(0);
  const quotient = Math.floor(a.min / by);
  if (quotient === Math.floor(a.max / by)) return constantIndex(quotient);
  const [multiple, rest] = splitByDivisor(a, by);
  if (multiple.terms.length > 0 || multiple.offset !== 0) return addIndex(multiple, divIndex(rest, by));
  if (rest.terms.length === 1 && rest.offset === 0 && rest.terms[0].scale === 1) {
    const { atom } = rest.terms[0];
    // (x div a) div b = x div ab
    if (atom.kind === "div") return divIndex(atom.of, atom.by * by);
  }
  const split = splitByCommonDivisor(rest, by);
  if (split) return divIndex(split.whole, by / split.divisor);
  return ofAtom({ kind: "div", of: rest, by, key: `(${indexKey(rest)})/${by}`, form: `(${formOfIndex(rest)})/` });
}

/** The non-negative remainder of `a` by positive `by`. */
export function modIndex(a: Index, by: number): Index {
  if (by <= 1) return constantIndex(0);
  if (a.min >= 0 && a.max < by) return a;
  const quotient = Math.floor(a.min / by);
  if (quotient === Math.floor(a.max / by)) return addIndex(a, constantIndex(-quotient * by));
  const [, rest] = splitByDivisor(a, by);
  if (rest.min >= 0 && rest.max < by) return rest;
  if (rest.terms.length === 1 && rest.offset === 0 && rest.terms[0].scale === 1) {
    const { atom } = rest.terms[0];
    // (x mod ab) mod b = x mod b
    if (atom.kind === "mod" && atom.by % by === 0) return modIndex(atom.of, by);
  }
  const split = splitByCommonDivisor(rest, by);
  if (split) return addIndex(scaleIndex(modIndex(split.whole, by / split.divisor), split.divisor), split.small);
  return ofAtom({ kind: "mod", of: rest, by, key: `(${indexKey(rest)})%${by}`, form: `(${formOfIndex(rest)})%` });
}

/** a = by·multiple + rest, where rest has no term (and no offset) that is a whole multiple of `by`. */
function splitByDivisor(a: Index, by: number): [multiple: Index, rest: Index] {
  const multiple: Term[] = [];
  const rest: Term[] = [];
  for (const term of a.terms) {
    if (term.scale % by === 0) multiple.push({ atom: term.atom, scale: term.scale / by });
    else rest.push(term);
  }
  const offset = Math.floor(a.offset / by);
  return [normalize(multiple, offset), normalize(rest, a.offset - offset * by)];
}

/** a = divisor·whole + small with 0 ≤ small < divisor, where divisor > 1 divides `by`: then (a div by) = whole div (by / divisor).
 *  This is how rows of a reshape stay rows: (12·i0 + i1) div 24 = i0 div 2 while i1 < 12. The greatest such divisor is taken. */
function splitByCommonDivisor(a: Index, by: number): { divisor: number; whole: Index; small: Index } | undefined {
  let divisor = by;
  for (const scale of a.terms.map(term => Math.abs(term.scale)).sort((x, y) => y - x)) {
    divisor = gcd(divisor, scale);
    if (divisor === 1) return undefined;
    const whole = a.terms.filter(({ scale }) => scale % divisor === 0).map(({ atom, scale }) => ({ atom, scale: scale / divisor }));
    const quotient = Math.floor(a.offset / divisor);
    const small = normalize(
      a.terms.filter(({ scale }) => scale % divisor !== 0),
      a.offset - quotient * divisor,
    );
    if (small.min >= 0 && small.max < divisor) return { divisor, whole: normalize(whole, quotient), small };
  }
  return undefined;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

export function indexKey({ terms, offset }: Index): string {
  let key = "";
  for (const { atom, scale } of terms) key += `${scale}*${atom.key}+`;
  return key + offset;
}
export const isConstantIndex = (a: Index): boolean => a.terms.length === 0;

/** The row-major position of a multi-index in a shape. */
export function flattenIndex(at: readonly Index[], shape: readonly number[]): Index {
  let flat = constantIndex(0);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    flat = addIndex(flat, scaleIndex(at[axis], stride));
    stride *= shape[axis];
  }
  return flat;
}

/** The multi-index of a row-major position. */
export function unflattenIndex(flat: Index, shape: readonly number[]): Index[] {
  const at: Index[] = Array<Index>(shape.length);
  let rest = flat;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    at[axis] = axis === 0 ? rest : modIndex(rest, Math.max(shape[axis], 1));
    rest = divIndex(rest, Math.max(shape[axis], 1));
  }
  return at;
}

/** Replaces axis k by `axes[k]`, and the scalars inside data atoms by `onData`. */
export function substituteIndex(a: Index, axes: readonly Index[], onData: (value: Scalar) => Scalar): Index {
  let result = constantIndex(a.offset);
  for (const { atom, scale } of a.terms) result = addIndex(result, scaleIndex(substituteAtom(atom, axes, onData), scale));
  return result;
}

function substituteAtom(atom: Atom, axes: readonly Index[], onData: (value: Scalar) => Scalar): Index {
  switch (atom.kind) {
    case "axis":
      return axes[atom.axis];
    case "div":
      return divIndex(substituteIndex(atom.of, axes, onData), atom.by);
    case "mod":
      return modIndex(substituteIndex(atom.of, axes, onData), atom.by);
    case "data":
      return dataIndex(onData(atom.value), atom.size);
  }
}

/** Calls `visit` for each atom, those inside quotients and remainders included. */
export function forEachAtom(a: Index, visit: (atom: Atom) => void): void {
  for (const { atom } of a.terms) {
    visit(atom);
    if (atom.kind === "div" || atom.kind === "mod") forEachAtom(atom.of, visit);
  }
}

/** Is anything in an index loaded? */
export function readsData({ terms }: Index): boolean {
  for (let i = 0; i < terms.length; i++) {
    const { atom } = terms[i];
    if (atom.kind === "data" || ((atom.kind === "div" || atom.kind === "mod") && readsData(atom.of))) return true;
  }
  return false;
}

/** `4*i0 + i1 + 2`, greatest scale first; `printScalar` shows loaded indices, `axisName` axes. */
export function printIndex(
  a: Index,
  printScalar: (value: Scalar) => string,
  axisName: (axis: number) => string = axis => `i${axis}`,
): string {
  const printed = a.terms.map(({ atom, scale }) => ({ scale, text: printAtom(atom, printScalar, axisName) }));
  // Not the order of the terms themselves: keys of data atoms count up over the life of the process.
  printed.sort((x, y) => y.scale - x.scale || (x.text < y.text ? -1 : 1));
  const parts = printed.map(({ scale, text }) => (scale === 1 ? text : `${scale}*${text}`));
  if (a.offset !== 0 || parts.length === 0) parts.push(String(a.offset));
  return parts.join(" + ").replaceAll(" + -", " - ");
}

function printAtom(atom: Atom, printScalar: (value: Scalar) => string, axisName: (axis: number) => string): string {
  switch (atom.kind) {
    case "axis":
      return axisName(atom.axis);
    case "div":
      return `((${printIndex(atom.of, printScalar, axisName)}) div ${atom.by})`;
    case "mod":
      return `((${printIndex(atom.of, printScalar, axisName)}) mod ${atom.by})`;
    case "data":
      return `clamp(${printScalar(atom.value)}, ${atom.size})`;
  }
}

/** Evaluates at a point; `readData` gives loaded indices before clamping. */
export function evaluateIndex(a: Index, axes: ArrayLike<number>, readData: (value: Scalar) => number): number {
  let sum = a.offset;
  for (const { atom, scale } of a.terms) sum += scale * evaluateAtom(atom, axes, readData);
  return sum;
}

function evaluateAtom(atom: Atom, axes: ArrayLike<number>, readData: (value: Scalar) => number): number {
  switch (atom.kind) {
    case "axis":
      return axes[atom.axis];
    case "div":
      return Math.floor(evaluateIndex(atom.of, axes, readData) / atom.by);
    case "mod": {
      const rest = evaluateIndex(atom.of, axes, readData) % atom.by;
      return rest < 0 ? rest + atom.by : rest;
    }
    case "data":
      return Math.min(Math.max(readData(atom.value), 0), Math.max(atom.size - 1, 0));
  }
}
