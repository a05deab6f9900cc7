// A whole vector of neighbouring elements at a time: an expression of the Program along one axis (the inner one) as vector code.
// float32 and int32 are lanes, bool is a mask; uint32 is int32 lanes inside expressions, by what does not ask for a sign (the words of a random
// generator); narrow integers appear only as loads that are converted at once.

import type { DType } from "../../base/dtype.ts";
import { InternalError } from "../../base/errors.ts";
import { flattenIndex, type Index } from "../../ir/index-map.ts";
import type { Scalar, ScalarFunction } from "../../ir/scalar.ts";
import { plus } from "../arithmetic.ts";
import { elementOf, elementRow, type VectorKind, vectorKind } from "../element.ts";
import { hasVectorMath, vectorMath } from "../math/elementary.ts";
import { type Expr, f32x, i32, i32x, type Lane, mask32 } from "./language.ts";
import { accumulatorAxis, axesOf, dependsOnAxis, scaleOf } from "../nest.ts";
import { indexCode, movesDown, type Point, scalarCode, withOffset } from "./scalar-code.ts";

/** A point whose inner axis counts by vectors: `part` lanes of it are wanted (all if undefined). */
export interface VectorPoint extends Point {
  readonly inner: number;
  readonly part: number | undefined;
  readonly vectors: Map<Scalar, Expr>;
  /** Bases of loads, computed outside the inner loop: address at inner = 0, in bytes. */
  readonly bases: ReadonlyMap<Scalar, Expr<"i32">>;
  /** inner counter × 4 and × 1, shared by all loads. */
  readonly byteCounter: (bytes: number) => Expr<"i32">;
}

type Load = Extract<Scalar, { kind: "load" }>;

const flats = new WeakMap<Load, Index>();

/** Where a load reads in its source, row by row; asked for again and again while code is made of an expression. */
export function flatIndex(load: Load): Index {
  const flat = flats.get(load) ?? flattenIndex(load.at, load.source.shape);
  flats.set(load, flat);
  return flat;
}

/** How a load moves along the inner axis: not at all, by neighbours, or otherwise (lanes are gathered one by one). */
export function pace(index: Index, inner: number): "fixed" | "step" | "gather" {
  if (!dependsOnAxis(index, inner)) return "fixed";
  const rest: Index = { ...index, terms: index.terms.filter(({ atom }) => atom.kind !== "axis" || atom.axis !== inner) };
  return scaleOf(index, inner) === 1 && !dependsOnAxis(rest, inner) ? "step" : "gather";
}

/** Can the expression be computed by vectors along the axis? */
export const isVectorizable = (node: Scalar, inner: number): boolean =>
  vectorKind(node.dtype) !== undefined && isVectorizableInside(node, inner, new Map());

function isVectorizableInside(node: Scalar, inner: number, known: Map<Scalar, boolean>): boolean {
  const found = known.get(node);
  if (found !== undefined) return found;
  const answer = decide(node, inner, known);
  known.set(node, answer);
  return answer;
}

function decide(node: Scalar, inner: number, known: Map<Scalar, boolean>): boolean {
  if (laneKind(node.dtype) === undefined) return false;
  if (!moves(node, inner)) return elementRow(node.dtype) !== undefined;
  switch (node.kind) {
    case "constant":
    case "accumulator":
      return true;
    case "load":
      return node.dtype !== "bool" || pace(flatIndex(node), inner) !== "gather";
    case "index":
      return true;
    case "cast":
      return node.dtype !== "uint32" && canCast(node, inner, known);
    case "bitcast":
      return isVectorizableInside(node.arg, inner, known);
    case "guard":
      // Guards that loops could not settle branch, so they are scalar code.
      return false;
    case "apply":
      return vectorFunctions[kindOf(node)].has(node.fn) && node.args.every(arg => isVectorizableInside(arg, inner, known));
  }
}

type LaneKind = VectorKind | "u32x";

const laneKind = (dtype: DType): LaneKind | undefined => (dtype === "uint32" ? "u32x" : vectorKind(dtype));

type Apply = Extract<Scalar, { kind: "apply" }>;

const kindOf = (node: Apply): LaneKind => laneKind(node.args[node.args.length - 1].dtype) ?? "mask32";

const narrowLoads: ReadonlySet<DType> = new Set(["uint8", "int8", "uint16", "int16"]);

function canCast(node: Extract<Scalar, { kind: "cast" }>, inner: number, known: Map<Scalar, boolean>): boolean {
  const { arg } = node;
  if (vectorKind(arg.dtype) !== undefined) return isVectorizableInside(arg, inner, known);
  return arg.kind === "load" && narrowLoads.has(arg.dtype) && pace(flatIndex(arg), inner) === "step";
}

const common: readonly ScalarFunction[] = [
  "add",
  "sub",
  "mul",
  "min",
  "max",
  "neg",
  "abs",
  "sign",
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
  "select",
];
const vectorFunctions: Record<LaneKind, { has(fn: ScalarFunction): boolean }> = {
  f32x: {
    has: fn => common.includes(fn) || ["div", "sqrt", "rsqrt", "floor", "ceil", "trunc", "round"].includes(fn) || hasVectorMath(fn),
  },
  i32x: new Set<ScalarFunction>([...common, "and", "or", "xor", "not"]),
  u32x: new Set<ScalarFunction>(["add", "sub", "mul", "eq", "ne", "select", "and", "or", "xor", "not"]),
  mask32: new Set<ScalarFunction>(["and", "or", "xor", "not", "eq", "ne", "select"]),
};

/** Does an expression differ from lane to lane? An accumulator is a vector of its own. */
export const moves = (node: Scalar, inner: number): boolean => axesOf(node).has(inner) || axesOf(node).has(accumulatorAxis);

/** Lanes of one vector at a vector point; a mask for bool. */
export function vectorCode(node: Scalar, point: VectorPoint): Expr {
  const known = point.vectors.get(node);
  if (known) return known;
  const code = moves(node, point.inner) ? build(node, point) : splat(node, point);
  const pinned = code.kind === "local" || code.kind === "vconst" ? code : point.k.let(code);
  point.vectors.set(node, pinned);
  return pinned;
}

function splat(node: Scalar, point: VectorPoint): Expr {
  const kind = laneKind(node.dtype);
  const isInteger = kind === "i32x" || kind === "u32x";
  if (node.kind === "constant" && !point.quantities) {
    if (kind === "f32x") return f32x.const(Number(node.value));
    if (isInteger) return i32x.const(Number(node.value) | 0);
    return i32x.ne(i32x.const(Number(node.value)), i32x.const(0));
  }
  const scalar = scalarCode(node, point);
  if (kind === "f32x") return f32x.splat(scalar as Expr<"f32">);
  const whole = i32x.splat(scalar as Expr<"i32">);
  return isInteger ? whole : i32x.ne(whole, i32x.const(0));
}

function build(node: Scalar, point: VectorPoint): Expr {
  switch (node.kind) {
    case "load":
      return loadVector(node, point);
    case "index":
      return indexVector(node.index, point);
    case "cast":
      return castVector(node, point);
    case "bitcast":
      return vectorCode(node.arg, point);
    case "apply":
      return applyVector(node, point);
    case "accumulator":
      if (!point.accumulator) throw new InternalError("An accumulator is read outside an epilogue.");
      return point.accumulator;
    default:
      throw new InternalError(`A ${node.kind} is not vector code.`);
  }
}

function loadVector(node: Load, point: VectorPoint): Expr {
  const flat = flatIndex(node);
  if (pace(flat, point.inner) === "gather") return gathered(node, point);
  const { bytes } = elementOf(node.dtype);
  const { at, offset } = addressInLoop(node, flat, bytes, point);
  if (node.dtype === "bool") return i32x.ne(narrowLoad("u8", 1, at, offset, point), i32x.const(0));
  const L = (node.dtype === "float32" ? f32x : i32x) as Lane<"f32x">;
  return point.part === undefined ? L.load(at, offset) : L.loadPart(point.part, at, offset);
}

function addressInLoop(node: Load, flat: Index, bytes: number, point: VectorPoint): { at: Expr<"i32">; offset: number } {
  const base = point.bases.get(node);
  if (!base) throw new InternalError(`A load of v${node.source.id} has no base.`);
  // In code for any size the base has it all.
  const constant = point.quantities ? 0 : point.addresses.of(node.source).offset + flat.offset * bytes;
  const { at, extra } = withOffset(plus(base, point.byteCounter(bytes)), constant, movesDown(flat));
  return { at, offset: extra };
}

/** Narrow elements as int32 lanes; of a part, one by one, for nothing behind them may be read. */
function narrowLoad(access: "u8" | "i8" | "u16" | "i16", bytes: number, at: Expr<"i32">, offset: number, point: VectorPoint): Expr<"vec"> {
  if (point.part === undefined) return i32x.loadNarrow(access, at, offset);
  const address = point.k.let(at);
  let result: Expr<"vec"> = i32x.const(0);
  for (let lane = 0; lane < point.part; lane++) result = i32x.insert(result, lane, i32.loadNarrow(access, address, offset + lane * bytes));
  return result;
}

/** The inner counter of a lane. */
function laneAxes(point: VectorPoint, lane: number): Point {
  const axes = [...point.axes];
  axes[point.inner] = point.k.let(plus(axes[point.inner], lane));
  return { ...point, axes, memo: new Map([...point.memo].filter(([scalar]) => !axesOf(scalar).has(point.inner))) };
}

/** Loads whose lanes lie apart: one by one. */
function gathered(node: Load, point: VectorPoint): Expr<"vec"> {
  const L = (node.dtype === "float32" ? f32x : i32x) as Lane<"f32x">;
  const count = point.part ?? point.k.target.lanes32;
  const first = scalarCode(node, laneAxes(point, 0)) as Expr<"f32">;
  let result: Expr<"vec"> = L.splat(first);
  for (let lane = 1; lane < count; lane++) result = L.insert(result, lane, scalarCode(node, laneAxes(point, lane)) as Expr<"f32">);
  return result;
}

/** start + scale·(0, 1, 2, …) for an index that is affine in the inner axis, else lane by lane. */
function indexVector(index: Index, point: VectorPoint): Expr<"vec"> {
  const { k } = point;
  const lanesPerVector = k.target.lanes32;
  const scale = scaleOf(index, point.inner);
  const rest: Index = { ...index, terms: index.terms.filter(({ atom }) => atom.kind !== "axis" || atom.axis !== point.inner) };
  if (!dependsOnAxis(rest, point.inner)) {
    if (point.quantities) {
      const lanes = i32x.const(...Array.from({ length: lanesPerVector }, (_, lane) => lane));
      const steps = i32x.mul(lanes, i32x.splat(point.quantities.i32(scale)));
      return i32x.add(i32x.splat(k.let(indexCode(index, point))), steps);
    }
    const steps = Array.from({ length: lanesPerVector }, (_, lane) => lane * scale);
    return i32x.add(i32x.splat(k.let(indexCode(index, point))), i32x.const(...steps));
  }
  let result: Expr<"vec"> = i32x.splat(k.let(indexCode(index, laneAxes(point, 0))));
  for (let lane = 1; lane < (point.part ?? lanesPerVector); lane++)
    result = i32x.insert(result, lane, indexCode(index, laneAxes(point, lane)));
  return result;
}

function castVector(node: Extract<Scalar, { kind: "cast" }>, point: VectorPoint): Expr {
  const { arg } = node;
  if (vectorKind(arg.dtype) === undefined) {
    const load = arg as Load;
    const { bytes, access } = elementOf(load.dtype);
    const { at, offset } = addressInLoop(load, flatIndex(load), bytes, point);
    const whole = point.k.let(narrowLoad(access as "u8", bytes, at, offset, point));
    return node.dtype === "float32" ? f32x.fromI32(whole) : node.dtype === "bool" ? i32x.ne(whole, i32x.const(0)) : whole;
  }
  const x = vectorCode(arg, point);
  if (arg.dtype === "bool") {
    const mask = x as Expr<"mask32">;
    return node.dtype === "float32" ? f32x.select(mask, f32x.const(1), f32x.const(0)) : i32x.select(mask, i32x.const(1), i32x.const(0));
  }
  const vector = x as Expr<"vec">;
  if (node.dtype === "bool") return arg.dtype === "float32" ? f32x.ne(vector, f32x.const(0)) : i32x.ne(vector, i32x.const(0));
  return node.dtype === "float32" ? f32x.fromI32(vector) : truncated(vector, point);
}

/** Truncation with 0x80000000 where the value does not fit, as x86 has it. */
function truncated(x: Expr<"vec">, point: VectorPoint): Expr<"vec"> {
  const value = point.k.let(x);
  const fits = mask32.and(f32x.ge(value, f32x.const(-(2 ** 31))), f32x.lt(value, f32x.const(2 ** 31)));
  return i32x.select(fits, i32x.fromF32(value), i32x.const(-(2 ** 31)));
}

const isSame = (a: Scalar, b: Scalar): boolean =>
  a === b || (a.kind === "constant" && b.kind === "constant" && a.dtype === b.dtype && Object.is(a.value, b.value));

/** The choice between the two numbers that a comparison compares: the less or the greater, in one instruction instead of four. */
function chosenOf(node: Apply, point: VectorPoint): Expr | undefined {
  const [test, a, b] = node.args;
  if (node.fn !== "select" || test.kind !== "apply" || (test.fn !== "lt" && test.fn !== "gt")) return undefined;
  const [x, y] = test.args;
  const isTurned = isSame(a, x) && isSame(b, y);
  if (!isTurned && !(isSame(a, y) && isSame(b, x))) return undefined;
  // pmax(b, a) is a where b < a, else b: NaN on either side and equal zeros give what stands last in the choice, as the choice does.
  const [last, first] = [vectorCode(b, point), vectorCode(a, point)] as Expr<"vec">[];
  return (test.fn === "lt") === isTurned ? f32x.pmin(last, first) : f32x.pmax(last, first);
}

function applyVector(node: Apply, point: VectorPoint): Expr {
  const kind = kindOf(node);
  const chosen = kind === "f32x" ? chosenOf(node, point) : undefined;
  if (chosen !== undefined) return chosen;
  const args = node.args.map(arg => vectorCode(arg, point));
  if (kind === "mask32") return maskFunction(node.fn, args as Expr<"mask32">[]);
  if (kind === "i32x" || kind === "u32x") return integerFunction(node.fn, args);
  return floatFunction(node.fn, args, point);
}

function maskFunction(fn: ScalarFunction, [x, y, z]: readonly Expr<"mask32">[]): Expr {
  switch (fn) {
    case "and":
    case "or":
    case "xor":
      return mask32[fn](x, y);
    case "ne":
      return mask32.xor(x, y);
    case "eq":
      return mask32.not(mask32.xor(x, y));
    case "not":
      return mask32.not(x);
    default:
      return mask32.or(mask32.and(x, y), mask32.and(mask32.not(x), z));
  }
}

function integerFunction(fn: ScalarFunction, args: readonly Expr[]): Expr {
  const [x, y] = args as Expr<"vec">[];
  switch (fn) {
    case "select":
      return i32x.select(args[0] as Expr<"mask32">, y, args[2] as Expr<"vec">);
    case "sign":
      return i32x.max(i32x.min(x, i32x.const(1)), i32x.const(-1));
    case "neg":
    case "abs":
    case "not":
      return i32x[fn](x);
    default:
      return (i32x as object as Record<string, (a: Expr, b: Expr) => Expr>)[fn](x, y);
  }
}

/** A constant that is no NaN and no zero: beside it the quick comparison, which keeps a NaN on its left, does as well as the careful one. */
const isPlain = (x: Expr): boolean => x.kind === "vconst" && x.values.every(value => Number(value) !== 0 && !Number.isNaN(Number(value)));

function floatFunction(fn: ScalarFunction, args: readonly Expr[], point: VectorPoint): Expr {
  const [x, y] = args as Expr<"vec">[];
  switch (fn) {
    case "add":
    case "sub":
    case "mul":
    case "div":
    case "eq":
    case "ne":
    case "lt":
    case "le":
    case "gt":
    case "ge":
      return f32x[fn](x, y);
    case "min":
    case "max":
      return isPlain(y) ? f32x[`p${fn}`](x, y) : isPlain(x) ? f32x[`p${fn}`](y, x) : f32x[fn](x, y);
    case "neg":
    case "abs":
    case "sqrt":
    case "floor":
    case "ceil":
    case "trunc":
      return f32x[fn](x);
    case "round":
      return f32x.nearest(x);
    case "rsqrt":
      return f32x.div(f32x.const(1), f32x.sqrt(x));
    case "select":
      return f32x.select(args[0] as Expr<"mask32">, y, args[2] as Expr<"vec">);
    case "sign": {
      const one = f32x.const(1);
      const zero = f32x.const(0);
      const small = f32x.select(f32x.lt(x, zero), f32x.const(-1), f32x.select(f32x.eq(x, zero), zero, x));
      return f32x.select(f32x.gt(x, zero), one, small);
    }
    default:
      return vectorMath(fn, args as Expr<"vec">[], point.k);
  }
}

/** Writes lanes of a type at an address; a part writes nothing behind it. */
export function storeVector(dtype: DType, value: Expr, at: Expr<"i32">, offset: number, point: Pick<VectorPoint, "k" | "part">): void {
  const { k, part } = point;
  if (dtype === "bool") {
    const bytes = k.let(i32x.select(value as Expr<"mask32">, i32x.const(1), i32x.const(0)));
    if (part === undefined) k.storeNarrow("i32x", "u8", at, offset, bytes);
    else for (let lane = 0; lane < part; lane++) k.storeNarrow("i32", "u8", at, offset + lane, i32x.extract(bytes, lane));
    return;
  }
  const lane = dtype === "float32" ? "f32x" : "i32x";
  if (part === undefined) k.store(lane, at, offset, value);
  else k.storePart(lane, part, at, offset, value as Expr<"vec">);
}
