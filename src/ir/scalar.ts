// Scalar expressions: what one element of a result is, as a tree over loads. Some seventy functions, each a row of one table.
// Expressions are immutable and shared freely (a DAG); nothing here knows a primitive, a kernel or a machine.

import type { DType } from "../base/dtype.ts";
import { dtypeTable, fromBfloat16Bits, fromFloat16Bits, isFloating, toBfloat16Bits, toFloat16Bits } from "../base/dtype.ts";
import { InternalError } from "../base/errors.ts";
import type { Index } from "./index-map.ts";
import { forEachAtom, isConstantIndex, printIndex, readsData, substituteIndex } from "./index-map.ts";
import type { Combine, Value } from "./program.ts";

type Kind = (typeof dtypeTable)[DType]["kind"];

interface ScalarRow {
  readonly arity: 1 | 2 | 3;
  readonly result: "same" | "bool" | "real" | "complex";
  /** Kinds of arguments (conditions aside) that the function is defined for. */
  readonly on: readonly Kind[];
}

const floats = ["float"] as const;
const integers = ["int", "uint"] as const;
const complexes = ["complex"] as const;
const bitwise = [...integers, "bool"] as const;
const ordered = [...floats, ...integers] as const;
const comparable = [...ordered, "bool"] as const;
const sortable = [...comparable, "string"] as const;
const analytic = [...floats, ...complexes] as const;
const numbers = [...ordered, ...complexes] as const;
const anything = [...sortable, ...complexes] as const;

/** Scalar functions: argument count, what type the result has, and for which arguments. "same" is the type of the first argument that is not a condition;
 *  "real" is its float type if it is complex (complex64 → float32), else the same; "complex" the other way round. */
export const scalarFunctions = {
  add: { arity: 2, result: "same", on: numbers },
  sub: { arity: 2, result: "same", on: numbers },
  mul: { arity: 2, result: "same", on: numbers },
  /** IEEE for floats; truncating for integers, where x/0 = 0 and MIN/-1 = MIN. */
  div: { arity: 2, result: "same", on: numbers },
  /** The remainder of truncating division; floats as C's fmod; x rem 0 = 0 for integers. */
  rem: { arity: 2, result: "same", on: ordered },
  /** NaN if either is NaN. */
  min: { arity: 2, result: "same", on: comparable },
  max: { arity: 2, result: "same", on: comparable },
  /** Of integers modulo 2^bits; for negative exponents the truncated quotient. As in C, 1^x = x^0 = 1 even for NaN. */
  pow: { arity: 2, result: "same", on: numbers },
  atan2: { arity: 2, result: "same", on: floats },
  /** Of float32 and float64 only, as `complex` below. */
  nextAfter: { arity: 2, result: "same", on: floats },
  neg: { arity: 1, result: "same", on: numbers },
  /** Of complex numbers the modulus, a float. */
  abs: { arity: 1, result: "real", on: numbers },
  /** -1, 0 or 1 (+0 for both zeros); NaN stays NaN; z/|z| for complex z. */
  sign: { arity: 1, result: "same", on: numbers },
  sqrt: { arity: 1, result: "same", on: analytic },
  rsqrt: { arity: 1, result: "same", on: analytic },
  exp: { arity: 1, result: "same", on: analytic },
  /** Of numbers up to 0, and 1 above: what a softmax needs, in fewer instructions. */
  expNonPositive: { arity: 1, result: "same", on: floats },
  expm1: { arity: 1, result: "same", on: analytic },
  log: { arity: 1, result: "same", on: analytic },
  log1p: { arity: 1, result: "same", on: analytic },
  sin: { arity: 1, result: "same", on: analytic },
  cos: { arity: 1, result: "same", on: analytic },
  tan: { arity: 1, result: "same", on: analytic },
  asin: { arity: 1, result: "same", on: analytic },
  acos: { arity: 1, result: "same", on: analytic },
  atan: { arity: 1, result: "same", on: analytic },
  sinh: { arity: 1, result: "same", on: analytic },
  cosh: { arity: 1, result: "same", on: analytic },
  tanh: { arity: 1, result: "same", on: analytic },
  asinh: { arity: 1, result: "same", on: analytic },
  acosh: { arity: 1, result: "same", on: analytic },
  atanh: { arity: 1, result: "same", on: analytic },
  sigmoid: { arity: 1, result: "same", on: analytic },
  erf: { arity: 1, result: "same", on: floats },
  erfc: { arity: 1, result: "same", on: floats },
  floor: { arity: 1, result: "same", on: floats },
  ceil: { arity: 1, result: "same", on: floats },
  trunc: { arity: 1, result: "same", on: floats },
  /** To the nearest integer, halves to even. */
  round: { arity: 1, result: "same", on: floats },
  lgamma: { arity: 1, result: "same", on: floats },
  digamma: { arity: 1, result: "same", on: floats },
  ndtri: { arity: 1, result: "same", on: floats },
  besselI0e: { arity: 1, result: "same", on: floats },
  besselI1e: { arity: 1, result: "same", on: floats },
  igamma: { arity: 2, result: "same", on: floats },
  igammac: { arity: 2, result: "same", on: floats },
  igammaGradA: { arity: 2, result: "same", on: floats },
  zeta: { arity: 2, result: "same", on: floats },
  polygamma: { arity: 2, result: "same", on: floats },
  betainc: { arity: 3, result: "same", on: floats },
  /** d sample / d alpha of a Gamma(alpha, 1) variate, its quantile held fixed. */
  randomGammaGrad: { arity: 2, result: "same", on: floats },
  and: { arity: 2, result: "same", on: bitwise },
  or: { arity: 2, result: "same", on: bitwise },
  xor: { arity: 2, result: "same", on: bitwise },
  /** Bitwise complement; logical for bool. */
  not: { arity: 1, result: "same", on: bitwise },
  /** Shift counts are taken modulo the width; shr keeps the sign of signed types. */
  shl: { arity: 2, result: "same", on: integers },
  shr: { arity: 2, result: "same", on: integers },
  popcount: { arity: 1, result: "same", on: integers },
  eq: { arity: 2, result: "bool", on: anything },
  ne: { arity: 2, result: "bool", on: anything },
  lt: { arity: 2, result: "bool", on: sortable },
  le: { arity: 2, result: "bool", on: sortable },
  gt: { arity: 2, result: "bool", on: sortable },
  ge: { arity: 2, result: "bool", on: sortable },
  /** Both branches have a value; the one not taken has no effect. */
  select: { arity: 3, result: "same", on: anything },
  /** The parts of complex numbers. */
  real: { arity: 1, result: "real", on: complexes },
  imag: { arity: 1, result: "real", on: complexes },
  /** The argument of a complex number, in (-π, π]. */
  arg: { arity: 1, result: "real", on: complexes },
  conj: { arity: 1, result: "same", on: complexes },
  /** From two floats. */
  complex: { arity: 2, result: "complex", on: floats },
  /** sin, cos and log of float32 computed in double precision and rounded once: what TensorFlow's random normals need. */
  sinExact: { arity: 1, result: "same", on: floats },
  cosExact: { arity: 1, result: "same", on: floats },
  logExact: { arity: 1, result: "same", on: floats },
} as const satisfies Record<string, ScalarRow>;

export type ScalarFunction = keyof typeof scalarFunctions;

/** Combinations that fold elements into one, each by a scalar function; argmax and argmin give positions instead. */
export type Fold = Exclude<Combine, "argmax" | "argmin">;

export const folds = { sum: "add", prod: "mul", max: "max", min: "min", any: "or", all: "and" } as const satisfies Record<
  Fold,
  ScalarFunction
>;

/** low ≤ index < high. */
export interface Bound {
  readonly index: Index;
  readonly low: number;
  readonly high: number;
}

export type Scalar =
  /** A number; a bigint for 64-bit integers; 0 or 1 for bool. */
  | { readonly kind: "constant"; readonly dtype: DType; readonly value: number | bigint }
  /** The value of an index expression, as int32 or int64. */
  | { readonly kind: "index"; readonly dtype: DType; readonly index: Index }
  | { readonly kind: "load"; readonly dtype: DType; readonly source: Value; readonly at: readonly Index[] }
  | { readonly kind: "apply"; readonly dtype: DType; readonly fn: ScalarFunction; readonly args: readonly Scalar[] }
  /** Conversion as TensorFlow's Cast: truncating to integers, wrapping between them, 0x80…0 where a float is out of range. */
  | { readonly kind: "cast"; readonly dtype: DType; readonly arg: Scalar }
  /** The same bits as another type of the same width. */
  | { readonly kind: "bitcast"; readonly dtype: DType; readonly arg: Scalar }
  /** `value` where all bounds hold, else `otherwise`; the one not taken is not evaluated, so its loads may lie outside. */
  | {
      readonly kind: "guard";
      readonly dtype: DType;
      readonly when: readonly Bound[];
      readonly value: Scalar;
      readonly otherwise: Scalar;
    }
  /** Inside an epilogue: the finished result of the reduction or contraction at this output element. */
  | { readonly kind: "accumulator"; readonly dtype: DType };

/** A scalar, or a number that takes the type of its neighbour. */
export type ScalarLike = Scalar | number | bigint;

export const constantScalar = (dtype: DType, value: number | bigint): Scalar => ({
  kind: "constant",
  dtype,
  value:
    dtype === "int64"
      ? BigInt.asIntN(64, toBigInt(value))
      : dtype === "uint64"
        ? BigInt.asUintN(64, toBigInt(value))
        : roundTo(dtype, Number(value)),
});

const toBigInt = (value: number | bigint): bigint => (typeof value === "bigint" ? value : BigInt(Math.trunc(value)));

/** A number as its type can hold it: rounded for floats, truncated and wrapped for integers (which have no -0). */
function roundTo(dtype: DType, value: number): number {
  const { kind, bytes } = dtypeTable[dtype];
  switch (kind) {
    case "float":
      if (dtype === "float16") return fromFloat16Bits(toFloat16Bits(value));
      if (dtype === "bfloat16") return fromBfloat16Bits(toBfloat16Bits(value));
      return dtype === "float32" ? Math.fround(value) : value;
    case "int":
      return (value << (32 - 8 * bytes)) >> (32 - 8 * bytes);
    case "uint":
      return (value << (32 - 8 * bytes)) >>> (32 - 8 * bytes);
    case "bool":
      return value ? 1 : 0;
    default:
      return value;
  }
}

export const indexScalar = (index: Index, dtype: DType = "int32"): Scalar =>
  isConstantIndex(index) ? constantScalar(dtype, index.offset) : { kind: "index", dtype, index };

/** The element of `source` at a multi-index. Single known numbers become constants. */
export function loadScalar(source: Value, at: readonly Index[]): Scalar {
  if (at.length !== source.shape.length)
    throw new InternalError(`A load of rank ${source.shape.length} (${source.dtype} v${source.id}) has ${at.length} indices.`);
  if (source.splat !== undefined) return constantScalar(source.dtype, source.splat);
  return { kind: "load", dtype: source.dtype, source, at };
}

/** Applies a scalar function; bare numbers take the type of the first typed argument (conditions aside). */
export function applyScalar(fn: ScalarFunction, ...given: readonly ScalarLike[]): Scalar {
  const { arity, result } = scalarFunctions[fn];
  if (given.length !== arity) throw new InternalError(`${fn} takes ${arity} arguments, not ${given.length}.`);
  const values = fn === "select" ? given.slice(1) : given;
  const dtype = values.find((arg): arg is Scalar => typeof arg === "object")?.dtype ?? "float32";
  const lift = (arg: ScalarLike, type: DType): Scalar => (typeof arg === "object" ? arg : constantScalar(type, arg));
  const args = given.map((arg, i) => lift(arg, fn === "select" && i === 0 ? "bool" : dtype));
  const typed = fn === "select" ? args.slice(1) : args;
  for (const arg of typed) {
    if (arg.dtype !== dtype) throw new InternalError(`${fn} was given ${args.map(a => a.dtype).join(", ")}: one type is needed.`);
  }
  if (fn === "select" && args[0].kind === "constant") return args[0].value ? args[1] : args[2];
  return foldFloats(fn, dtype, args) ?? { kind: "apply", fn, dtype: resultType(result, dtype), args };
}

const floatArithmetic: Partial<Record<ScalarFunction, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
};

/** Arithmetic of known floats, and products and quotients by one: exact, so nothing that runs can tell. (A double operation on float32 values,
 *  rounded once more, is the float32 operation: Figueroa, "When is double rounding innocuous?", 1995.) */
function foldFloats(fn: ScalarFunction, dtype: DType, [x, y]: readonly Scalar[]): Scalar | undefined {
  if (dtype !== "float32" && dtype !== "float64") return undefined;
  const compute = floatArithmetic[fn];
  if (compute === undefined) return undefined;
  if (x.kind === "constant" && y.kind === "constant") return constantScalar(dtype, compute(Number(x.value), Number(y.value)));
  if (y.kind === "constant" && y.value === 1 && (fn === "mul" || fn === "div")) return x;
  return x.kind === "constant" && x.value === 1 && fn === "mul" ? y : undefined;
}

/** Whether a function is defined for arguments of a type. */
export const isDefinedFor = (fn: ScalarFunction, dtype: DType): boolean =>
  (scalarFunctions[fn].on as readonly Kind[]).includes(dtypeTable[dtype].kind) &&
  (dtypeTable[dtype].bytes > 2 || !(fn === "complex" || fn === "nextAfter"));

/** The type a row's result has for arguments of type `dtype`. */
export function resultType(result: (typeof scalarFunctions)[ScalarFunction]["result"], dtype: DType): DType {
  if (result === "bool") return "bool";
  if (result === "real") return dtype === "complex64" ? "float32" : dtype === "complex128" ? "float64" : dtype;
  if (result === "complex") return dtype === "float32" ? "complex64" : dtype === "float64" ? "complex128" : dtype;
  return dtype;
}

export const castScalar = (arg: Scalar, dtype: DType): Scalar => {
  if (arg.dtype === dtype) return arg;
  if (arg.kind === "index" && (dtype === "int64" || dtype === "int32") && fitsInt32(arg.index)) return { ...arg, dtype };
  return { kind: "cast", dtype, arg };
};

const fitsInt32 = (index: Index): boolean => index.min >= -(2 ** 31) && index.max < 2 ** 31;

export const bitcastScalar = (arg: Scalar, dtype: DType): Scalar => (arg.dtype === dtype ? arg : { kind: "bitcast", dtype, arg });

/** `value` where all bounds hold, else `otherwise`. Bounds that always or never hold are settled here. */
export function guardScalar(when: readonly Bound[], value: Scalar, otherwise: Scalar): Scalar {
  const open = openBounds(when);
  if (open === undefined) return otherwise;
  return open.length === 0 ? value : { kind: "guard", dtype: value.dtype, when: open, value, otherwise };
}

/** The bounds that hold somewhere and not everywhere; undefined if one holds nowhere. */
function openBounds(when: readonly Bound[]): readonly Bound[] | undefined {
  const open = when.filter(({ index, low, high }) => index.min < low || index.max >= high);
  return open.some(({ index, low, high }) => low >= high || index.max < low || index.min >= high) ? undefined : open;
}

type Unary = (x: ScalarLike) => Scalar;
type Binary = (x: ScalarLike, y: ScalarLike) => Scalar;
const unary =
  (fn: ScalarFunction): Unary =>
  x =>
    applyScalar(fn, x);
const binary =
  (fn: ScalarFunction): Binary =>
  (x, y) =>
    applyScalar(fn, x, y);

/** The scalar functions by name: `s.add(x, 1)`. Every row of the table is here; `select`, `cast` and the rest have their own signatures. */
export const s = {
  ...(Object.fromEntries(
    Object.entries(scalarFunctions).map(([name, { arity }]) => [
      name,
      arity === 1 ? unary(name as ScalarFunction) : binary(name as ScalarFunction),
    ]),
  ) as { [F in ScalarFunction]: (typeof scalarFunctions)[F]["arity"] extends 1 ? Unary : Binary }),
  select: (condition: Scalar, x: ScalarLike, y: ScalarLike): Scalar => applyScalar("select", condition, x, y),
  betainc: (a: Scalar, b: Scalar, x: Scalar): Scalar => applyScalar("betainc", a, b, x),
  constant: constantScalar,
  index: indexScalar,
  load: loadScalar,
  cast: castScalar,
  bitcast: bitcastScalar,
  guard: guardScalar,
  square: (x: Scalar): Scalar => applyScalar("mul", x, x),
  isNan: (x: Scalar): Scalar => applyScalar("ne", x, x),
  /** Floor of the quotient; for integers rounding toward minus infinity. */
  floorDiv: (x: Scalar, y: ScalarLike): Scalar => floorDivScalar(x, y),
  /** The remainder with the sign of the divisor. */
  floorMod: (x: Scalar, y: ScalarLike): Scalar => floorModScalar(x, y),
};

function floorDivScalar(x: Scalar, y: ScalarLike): Scalar {
  if (isFloating(x.dtype)) return applyScalar("floor", applyScalar("div", x, y));
  const quotient = applyScalar("div", x, y);
  if (dtypeTable[x.dtype].kind === "uint") return quotient;
  const rest = applyScalar("rem", x, y);
  const signsDiffer = applyScalar("lt", applyScalar("xor", rest, y), 0);
  const isInexact = applyScalar("ne", rest, 0);
  return applyScalar("select", applyScalar("and", isInexact, signsDiffer), applyScalar("sub", quotient, 1), quotient);
}

function floorModScalar(x: Scalar, y: ScalarLike): Scalar {
  const rest = applyScalar("rem", x, y);
  if (dtypeTable[x.dtype].kind === "uint") return rest;
  const isInexact = applyScalar("ne", rest, 0);
  const signsDiffer = isFloating(x.dtype)
    ? applyScalar("ne", applyScalar("lt", rest, 0), applyScalar("lt", y, s.constant(x.dtype, 0)))
    : applyScalar("lt", applyScalar("xor", rest, y), 0);
  return applyScalar("select", applyScalar("and", isInexact, signsDiffer), applyScalar("add", rest, y), rest);
}

/** Replaces axes by index expressions, loads by what `onLoad` makes of them (given the substituted load), and the accumulator. */
export const substituteScalar = (
  root: Scalar,
  axes: readonly Index[],
  onLoad?: (load: Extract<Scalar, { kind: "load" }>) => Scalar,
  accumulator?: Scalar,
): Scalar => substitution(axes, onLoad, accumulator)(root);

/** The same for several expressions, which share afterwards what they shared before. */
export function substitution(
  axes: readonly Index[],
  onLoad: (load: Extract<Scalar, { kind: "load" }>) => Scalar = load => load,
  accumulator?: Scalar,
): (root: Scalar) => Scalar {
  const done = new Map<Scalar, Scalar>();
  const index = (i: Index): Index => substituteIndex(i, axes, visit);
  const visit = (node: Scalar): Scalar => {
    let result = done.get(node);
    if (result === undefined) {
      result = rebuild(node);
      done.set(node, result);
    }
    return result;
  };
  const rebuild = (node: Scalar): Scalar => {
    switch (node.kind) {
      case "constant":
        return node;
      case "accumulator":
        return accumulator ?? node;
      case "index":
        return indexScalar(index(node.index), node.dtype);
      case "load":
        return onLoad({ ...node, at: node.at.map(index) });
      case "apply":
        return applyScalar(node.fn, ...node.args.map(visit));
      case "cast":
        return castScalar(visit(node.arg), node.dtype);
      case "bitcast":
        return bitcastScalar(visit(node.arg), node.dtype);
      case "guard": {
        // Of what a settled bound decides against nothing is made: a box of a concatenation sees one of its pieces.
        const when = openBounds(node.when.map(({ index: i, low, high }) => ({ index: index(i), low, high })));
        if (when === undefined) return visit(node.otherwise);
        const value = visit(node.value);
        return when.length === 0 ? value : { ...node, when, value, otherwise: visit(node.otherwise) };
      }
    }
  };
  return visit;
}

const noParts: readonly Scalar[] = [];

/** The expressions a node is directly made of, loaded indices included. */
export function partsOf(node: Scalar): readonly Scalar[] {
  switch (node.kind) {
    case "constant":
    case "accumulator":
      return noParts;
    case "index":
      return loadedIn([node.index]);
    case "load":
      return loadedIn(node.at);
    case "apply":
      return node.args;
    case "cast":
    case "bitcast":
      return [node.arg];
    case "guard":
      return [...loadedIn(node.when.map(({ index }) => index)), node.value, node.otherwise];
  }
}

/** What loaded indices are loaded by. */
function loadedIn(indices: readonly Index[]): readonly Scalar[] {
  if (!indices.some(readsData)) return noParts;
  const parts: Scalar[] = [];
  for (const index of indices) forEachAtom(index, atom => atom.kind === "data" && parts.push(atom.value));
  return parts;
}

/** Calls `visit` once for every distinct node, arguments first, loaded indices included. */
export function forEachScalar(root: Scalar, visit: (node: Scalar) => void, seen: Set<Scalar> = new Set()): void {
  if (seen.has(root)) return;
  seen.add(root);
  for (const part of partsOf(root)) forEachScalar(part, visit, seen);
  visit(root);
}

/** The distinct loads of an expression. */
export function loadsOf(root: Scalar): Extract<Scalar, { kind: "load" }>[] {
  const loads: Extract<Scalar, { kind: "load" }>[] = [];
  forEachScalar(root, node => {
    if (node.kind === "load") loads.push(node);
  });
  return loads;
}

/** How values and axes are called in a printout. */
export interface PrintNames {
  value(value: Value): string;
  axis(axis: number): string;
}

const plainNames: PrintNames = { value: value => `v${value.id}`, axis: axis => `i${axis}` };

/** `add(v3[i0, i1], 1)`. What occurs several times is named: `mul(t0, t0) where t0 = exp(v1[i0])`; a tree of it could be enormous. */
export function printScalar(root: Scalar, names: PrintNames = plainNames): string {
  const aliases = new Map<Scalar, string>();
  const print = (node: Scalar): string => aliases.get(node) ?? printNode(node, print, names);
  const definitions = sharedParts(root).map(node => {
    const text = print(node);
    aliases.set(node, `t${aliases.size}`);
    return `${aliases.get(node)} = ${text}`;
  });
  return definitions.length > 0 ? `${print(root)} where ${definitions.join(", ")}` : print(root);
}

/** Nodes used more than once, parts first; constants and loads at plain indices are short enough to repeat. */
export function sharedParts(root: Scalar): Scalar[] {
  const nodes: Scalar[] = [];
  const uses = new Map<Scalar, number>();
  forEachScalar(root, node => {
    const parts = partsOf(node);
    const isShort = parts.length === 0;
    if (!isShort) nodes.push(node);
    for (const part of parts) uses.set(part, (uses.get(part) ?? 0) + 1);
  });
  return nodes.filter(node => (uses.get(node) ?? 0) > 1);
}

function printNode(node: Scalar, print: (node: Scalar) => string, names: PrintNames): string {
  const index = (i: Index): string => printIndex(i, print, names.axis);
  switch (node.kind) {
    case "constant":
      return Object.is(node.value, -0) ? "-0" : String(node.value);
    case "index":
      return `(${index(node.index)})`;
    case "load":
      return `${names.value(node.source)}[${node.at.map(index).join(", ")}]`;
    case "apply":
      return `${node.fn}(${node.args.map(print).join(", ")})`;
    case "cast":
      return `${node.dtype}(${print(node.arg)})`;
    case "bitcast":
      return `bits:${node.dtype}(${print(node.arg)})`;
    case "guard": {
      const bounds = node.when.map(({ index: i, low, high }) => `${low} <= ${index(i)} < ${high}`);
      return `if(${bounds.join(" && ")}: ${print(node.value)} else ${print(node.otherwise)})`;
    }
    case "accumulator":
      return "acc";
  }
}
