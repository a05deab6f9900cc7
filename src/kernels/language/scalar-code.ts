// One element at a time: an expression of the Program as scalar code. Exact for every type that has an ElementRow; what vectors cannot do
// (64-bit integers, guards that branch, gathered indices) is done here.

import { isBigInteger, type DType } from "../../base/dtype.ts";
import { InternalError } from "../../base/errors.ts";
import type { Atom, Index } from "../../ir/index-map.ts";
import { flattenIndex } from "../../ir/index-map.ts";
import type { Value } from "../../ir/program.ts";
import type { Bound, Scalar, ScalarFunction } from "../../ir/scalar.ts";
import { apart, plus, times } from "../arithmetic.ts";
import { elementOf, elementRow } from "../element.ts";
import { elementary, isElementary } from "../math/elementary.ts";
import { bitsOfHalf, halfFromBits, isHalf, roundToHalf } from "../halves.ts";
import { type Expr, f32, f64, i32, i64, type Lane, lanes, type Local, type ScalarType } from "./language.ts";
import type { AddressBook } from "../places.ts";
import type { Quantities } from "../quantities.ts";
import type { FunctionRecorder } from "./recorder.ts";

/** Where an expression is evaluated: counters of the axes, addresses, the accumulator, and what has been computed already. */
export interface Point {
  readonly k: FunctionRecorder;
  readonly addresses: AddressBook;
  readonly axes: readonly Expr<"i32">[];
  readonly accumulator?: Expr | undefined;
  readonly memo: Map<Scalar, Expr>;
  /** In code for any size: where numbers come from instead of standing in it. */
  readonly quantities?: Quantities | undefined;
}

/** A number that depends on sizes. */
export const quantity = (value: number, { quantities }: Point): Expr<"i32"> => quantities?.i32(value) ?? i32.const(value);

/** A point inside a branch: what is computed there is not known outside. */
const inner = (point: Point): Point => ({ ...point, memo: new Map(point.memo) });

/** The value of an expression at a point, in a local unless it is trivial. */
export function scalarCode(node: Scalar, point: Point): Expr {
  const known = point.memo.get(node);
  if (known) return known;
  const code = build(node, point);
  const pinned = code.kind === "const" || code.kind === "local" ? code : point.k.let(code);
  point.memo.set(node, pinned);
  return pinned;
}

function build(node: Scalar, point: Point): Expr {
  switch (node.kind) {
    case "constant":
      return point.quantities?.constant(node.dtype, node.value) ?? constantCode(node.dtype, node.value);
    case "index":
      return isBigInteger(node.dtype) ? i64.fromI32(indexCode(node.index, point)) : indexCode(node.index, point);
    case "load":
      return loadElement(node.source, flattenIndex(node.at, node.source.shape), point);
    case "accumulator":
      if (!point.accumulator) throw new InternalError("An accumulator is read outside an epilogue.");
      return point.accumulator;
    case "cast":
      return castCode(node.arg.dtype, node.dtype, scalarCode(node.arg, point), point.k);
    case "bitcast":
      return bitcastCode(node.arg.dtype, node.dtype, scalarCode(node.arg, point), point.k);
    case "guard":
      return guardCode(node, point);
    case "apply":
      return applyCode(node, point);
  }
}

export function constantCode(dtype: DType, value: number | bigint): Expr {
  const { scalar } = elementOf(dtype);
  return scalar === "i64" ? i64.const(BigInt(value)) : (lanes[scalar] as Lane<"f64">).const(Number(value));
}

/** The element of an array at a row-major position. */
export function loadElement(source: Value, flat: Index, point: Point): Expr {
  const { scalar, access, bytes } = elementOf(source.dtype);
  const { base, offset } = point.addresses.of(source);
  const { at, extra } = addressOf(flat, bytes, offset, base, point);
  if (isHalf(source.dtype)) return halfFromBits(source.dtype, i32.loadNarrow(access, at, extra), point.k);
  if (scalar === "i32") return i32.loadNarrow(access, at, extra);
  return (lanes[scalar] as Lane<"f64">).load(at, extra);
}

/** May the moving part of an index be negative? */
export const movesDown = (index: Index): boolean => index.min < index.offset;

/** Address and constant offset (never negative) of an element. */
export function addressOf(flat: Index, bytes: number, offset: number, base: Expr<"i32">, point: Point): { at: Expr<"i32">; extra: number } {
  return withOffset(plus(base, times(indexCode(flat, point), bytes)), offset, movesDown(flat));
}

/** An address with what is constant in it as the offset. Offsets of memory operations do not wrap, so where the rest may pass below its
 *  base all is added up. */
export function withOffset(address: Expr<"i32">, offset: number, mayMoveDown: boolean): { at: Expr<"i32">; extra: number } {
  const { rest: at = i32.const(0), constant } = apart(plus(address, offset));
  return constant >= 0 && !mayMoveDown ? { at, extra: constant } : { at: plus(at, constant), extra: 0 };
}

/** The value of an index expression. */
export function indexCode(index: Index, point: Point): Expr<"i32"> {
  if (point.quantities) return point.quantities.sum(index, atom => atomCode(atom, point));
  let sum: Expr<"i32"> = i32.const(0);
  for (const { atom, scale } of index.terms) sum = plus(sum, times(atomCode(atom, point), scale));
  return plus(sum, index.offset);
}

function atomCode(atom: Atom, point: Point): Expr<"i32"> {
  switch (atom.kind) {
    case "axis": {
      const counter = point.axes[atom.axis];
      if (!counter) throw new InternalError(`Axis ${atom.axis} has no counter here.`);
      return counter;
    }
    case "div":
      return atom.of.min >= 0
        ? i32.divU(indexCode(atom.of, point), quantity(atom.by, point))
        : floorDivide(indexCode(atom.of, point), quantity(atom.by, point), point.k);
    case "mod": {
      const of = point.k.let(indexCode(atom.of, point));
      const by = quantity(atom.by, point);
      return atom.of.min >= 0 ? i32.remU(of, by) : i32.sub(of, i32.mul(floorDivide(of, by, point.k), by));
    }
    case "data":
      return clampedData(atom.value, atom.size, point);
  }
}

function floorDivide(x: Expr<"i32">, by: Expr<"i32">, k: FunctionRecorder): Expr<"i32"> {
  const value = k.let(x);
  // For negative x: -((-x + by - 1) / by).
  return i32.select(i32.lt(value, 0), i32.neg(i32.divU(i32.sub(plus(by, -1), value), by)), i32.divU(value, by));
}

function clampedData(value: Scalar, size: number, point: Point): Expr<"i32"> {
  const code = scalarCode(value, point);
  const last = quantity(Math.max(size - 1, 0), point);
  if (code.type === "i64") {
    const low = i64.select(i64.lt(code as Expr<"i64">, 0), i64.const(0), code as Expr<"i64">);
    const kept = point.k.let(low);
    const wide = last.kind === "const" ? i64.const(last.value) : i64.fromI32(last);
    return i32.fromI64(i64.select(i64.gt(kept, wide), wide, kept));
  }
  return point.k.let(i32.min(i32.max(code as Expr<"i32">, 0), last));
}

/** 1 where all bounds hold. */
export function boundsCode(when: readonly Bound[], point: Point): Expr<"i32"> {
  let all: Expr<"i32"> | undefined;
  for (const { index, low, high } of when) {
    const value = point.k.let(indexCode(index, point));
    const holds = i32.ltU(i32.sub(value, quantity(low, point)), quantity(high - low, point));
    all = all === undefined ? holds : i32.and(all, holds);
  }
  return all ?? i32.const(1);
}

function guardCode(node: Extract<Scalar, { kind: "guard" }>, point: Point): Expr {
  const { k } = point;
  const { scalar } = elementOf(node.dtype);
  const result = k.number(scalar) as Local;
  k.if(
    boundsCode(node.when, point),
    () => k.set(result, scalarCode(node.value, inner(point))),
    () => k.set(result, scalarCode(node.otherwise, inner(point))),
  );
  return result;
}

// ---- functions ----

type Arithmetic = Record<
  "add" | "sub" | "mul" | "and" | "or" | "xor" | "shl" | "shr" | "shrU" | "divU" | "remU" | "div" | "rem",
  (a: Expr, b: Expr) => Expr
> &
  Record<"eq" | "ne" | "lt" | "ltU" | "le" | "leU" | "gt" | "gtU" | "ge" | "geU", (a: Expr, b: Expr) => Expr<"i32">> & {
    select(condition: Expr<"i32">, a: Expr, b: Expr): Expr;
    neg(a: Expr): Expr;
    const(value: number | bigint): Expr;
  };

const laneOf = (type: ScalarType): Arithmetic => lanes[type] as object as Arithmetic;

function applyCode(node: Extract<Scalar, { kind: "apply" }>, point: Point): Expr {
  const { fn } = node;
  if (fn === "select") {
    const [condition, a, b] = node.args.map(arg => scalarCode(arg, point));
    return laneOf(elementOf(node.dtype).scalar).select(condition as Expr<"i32">, a, b);
  }
  const dtype = node.args[0].dtype;
  const args = node.args.map(arg => scalarCode(arg, point));
  if (!elementOf(dtype).isFloat) return wrapped(dtype, integerCode(fn, dtype, args, point.k), fn);
  const code = floatCode(fn, dtype, args, point.k);
  return isHalf(node.dtype) && !exactFunctions.has(fn) ? roundToHalf(node.dtype, code as Expr<"f32">, point.k) : code;
}

/** Their results are among their arguments, or as short: nothing to round. */
const exactFunctions: ReadonlySet<ScalarFunction> = new Set(["min", "max", "neg", "abs", "floor", "ceil", "trunc", "round", "sign"]);

/** Functions of floats written with the language's own operations; the rest are elementary (math) or the host's. */
function floatCode(fn: ScalarFunction, dtype: DType, args: readonly Expr[], k: FunctionRecorder): Expr {
  const lane = elementOf(dtype).scalar as "f32" | "f64";
  const L = lanes[lane] as Lane<"f64">;
  const [x, y] = args as Expr<"f64">[];
  switch (fn) {
    case "add":
    case "sub":
    case "mul":
    case "div":
    case "min":
    case "max":
    case "eq":
    case "ne":
    case "lt":
    case "le":
    case "gt":
    case "ge":
      return L[fn](x, y);
    case "neg":
    case "abs":
    case "sqrt":
    case "floor":
    case "ceil":
    case "trunc":
      return L[fn](x);
    case "round":
      return L.nearest(x);
    case "rsqrt":
      return L.div(L.const(1), L.sqrt(x));
    case "sign":
      return L.select(
        L.gt(x, L.const(0)),
        L.const(1),
        L.select(L.lt(x, L.const(0)), L.const(-1), L.select(L.eq(x, L.const(0)), L.const(0), x)),
      );
    default:
      return elementary(fn, lane, args, k);
  }
}

function integerCode(fn: ScalarFunction, dtype: DType, args: readonly Expr[], k: FunctionRecorder): Expr {
  const { scalar, isUnsigned, bits } = elementOf(dtype);
  const L = laneOf(scalar);
  const zero = L.const(0);
  const [x, y] = args;
  switch (fn) {
    case "add":
    case "sub":
    case "mul":
    case "and":
    case "or":
    case "xor":
    case "eq":
    case "ne":
      return L[fn](x, y);
    case "lt":
    case "le":
    case "gt":
    case "ge":
      return isUnsigned ? L[`${fn}U`](x, y) : L[fn](x, y);
    case "min":
      return L.select(isUnsigned ? L.ltU(x, y) : L.lt(x, y), x, y);
    case "max":
      return L.select(isUnsigned ? L.gtU(x, y) : L.gt(x, y), x, y);
    case "neg":
      return L.sub(zero, x);
    case "abs":
      return isUnsigned ? x : L.select(L.lt(x, zero), L.sub(zero, x), x);
    case "sign":
      return L.select(L.eq(x, zero), zero, isUnsigned ? L.const(1) : L.select(L.lt(x, zero), L.const(-1), L.const(1)));
    case "not":
      return dtype === "bool" ? L.xor(x, L.const(1)) : L.xor(x, L.const(-1));
    case "div":
    case "rem":
      return safeDivision(fn, dtype, x, y, k);
    case "shl":
    case "shr": {
      const count = i32.and(scalar === "i64" ? i32.fromI64(y as Expr<"i64">) : (y as Expr<"i32">), bits - 1);
      return scalar === "i64"
        ? i64[fn === "shl" ? "shl" : isUnsigned ? "shrU" : "shr"](x as Expr<"i64">, count)
        : i32[fn === "shl" ? "shl" : isUnsigned ? "shrU" : "shr"](x as Expr<"i32">, count);
    }
    case "popcount":
      return scalar === "i64"
        ? i64.popcnt(x as Expr<"i64">)
        : i32.popcnt(bits < 32 ? i32.and(x as Expr<"i32">, 2 ** bits - 1) : (x as Expr<"i32">));
    case "pow":
      return integerPower(dtype, x, y, k);
    case "floor":
    case "ceil":
    case "round":
    case "trunc":
      return x;
    default:
      throw new InternalError(`${fn} of ${dtype} has no recorded code.`);
  }
}

/** x / 0 = 0, x rem 0 = 0, MIN / -1 = MIN: nothing traps. */
function safeDivision(fn: "div" | "rem", dtype: DType, x: Expr, y: Expr, k: FunctionRecorder): Expr {
  const { scalar, isUnsigned } = elementOf(dtype);
  const L = laneOf(scalar);
  const isZero = L.eq(y, L.const(0));
  const divisor = k.let(L.select(isZero, L.const(1), y));
  if (isUnsigned) return L.select(isZero, L.const(0), fn === "div" ? L.divU(x, divisor) : L.remU(x, divisor));
  const isMinusOne = L.eq(divisor, L.const(-1));
  const safe = k.let(L.select(isMinusOne, L.const(1), divisor));
  const result = fn === "div" ? L.select(isMinusOne, L.sub(L.const(0), x), L.div(x, safe)) : L.rem(x, safe);
  return L.select(isZero, L.const(0), result);
}

/** By squaring, wrapping; for negative exponents the truncated quotient: 1 and -1 have one, all other bases give 0. */
function integerPower(dtype: DType, x: Expr, y: Expr, k: FunctionRecorder): Expr {
  const { scalar, isUnsigned } = elementOf(dtype);
  const L = laneOf(scalar);
  const isNegative = isUnsigned ? undefined : k.let(L.lt(y, L.const(0)));
  // The inverse of 1 or -1 is itself; what else is inverted is 0 and stays so, for its exponent is not 0.
  const isUnit = (): Expr<"i32"> => i32.or(L.eq(x, L.const(1)), L.eq(x, L.const(-1)));
  const base = k.let(isNegative ? L.select(i32.and(isNegative, i32.eqz(isUnit())), L.const(0), x) : x) as Local;
  const left = k.let(isNegative ? L.select(isNegative, L.neg(y), y) : y) as Local;
  const result = k.let(L.const(1)) as Local;
  k.while(L.ne(left, L.const(0)), () => {
    k.set(result, L.select(L.ne(L.and(left, L.const(1)), L.const(0)), L.mul(result, base), result));
    k.set(base, L.mul(base, base));
    k.set(left, scalar === "i64" ? i64.shrU(left as Expr<"i64">, 1) : i32.shrU(left as Expr<"i32">, 1));
  });
  return result;
}

const comparisons: ReadonlySet<ScalarFunction> = new Set(["eq", "ne", "lt", "le", "gt", "ge"]);

/** Keeps narrow integers in their range after arithmetic. */
function wrapped(dtype: DType, code: Expr, fn: ScalarFunction): Expr {
  return comparisons.has(fn) || dtype === "bool" ? code : wrapTo(dtype, code);
}

/** The low bits that a narrow integer keeps, extended as its type is. */
export function wrapTo(dtype: DType, code: Expr): Expr {
  const { scalar, bits, isUnsigned } = elementOf(dtype);
  if (scalar !== "i32" || bits === 32) return code;
  const value = code as Expr<"i32">;
  if (isUnsigned) return i32.and(value, 2 ** bits - 1);
  return bits === 8 ? i32.extend8(value) : i32.extend16(value);
}

// ---- conversions ----

/** TensorFlow's Cast. */
export function castCode(from: DType, to: DType, x: Expr, k: FunctionRecorder): Expr {
  if (from === to) return x;
  const source = elementOf(from);
  const target = elementOf(to);
  if (to === "bool") return laneOf(source.scalar).ne(x, laneOf(source.scalar).const(0));
  if (isHalf(to)) return roundToHalf(to, castCode(from, "float32", x, k) as Expr<"f32">, k);
  if (source.isFloat && target.isFloat)
    return source.scalar === target.scalar ? x : target.scalar === "f32" ? f32.fromF64(x as Expr<"f64">) : f64.fromF32(x as Expr<"f32">);
  if (source.isFloat) return floatToInteger(to, source.scalar as "f32" | "f64", x, k);
  if (target.isFloat) return integerToFloat(target.scalar as "f32" | "f64", source.scalar, source.isUnsigned && source.bits >= 32, x);
  if (source.scalar === target.scalar) return wrapTo(to, x);
  if (target.scalar === "i64") return source.isUnsigned ? i64.fromI32U(x as Expr<"i32">) : i64.fromI32(x as Expr<"i32">);
  return wrapTo(to, i32.fromI64(x as Expr<"i64">));
}

function integerToFloat(to: "f32" | "f64", from: ScalarType, isUnsigned: boolean, x: Expr): Expr {
  const L = lanes[to] as Lane<"f64">;
  if (from === "i64") return isUnsigned ? L.fromI64U(x as Expr<"i64">) : L.fromI64(x as Expr<"i64">);
  return isUnsigned ? L.fromI32U(x as Expr<"i32">) : L.fromI32(x as Expr<"i32">);
}

/** As x86 does it: truncation, and the least integer of the width where the value does not fit; narrow types by way of int32. */
function floatToInteger(to: DType, from: "f32" | "f64", x: Expr, k: FunctionRecorder): Expr {
  const { scalar, isUnsigned, bits } = elementOf(to);
  const F = lanes[from] as Lane<"f64">;
  const value = k.let(x as Expr<"f64">);
  const wide = scalar === "i64" || (isUnsigned && bits === 32);
  const limit = wide ? 2 ** 63 : 2 ** 31;
  const fits = i32.and(F.ge(value, F.const(-limit)), F.lt(value, F.const(limit)));
  if (scalar === "i64" && isUnsigned) {
    const big = from === "f32" ? i64.fromF32U(value as Expr as Expr<"f32">) : i64.fromF64U(value);
    const small = from === "f32" ? i64.fromF32(value as Expr as Expr<"f32">) : i64.fromF64(value);
    return i64.select(F.lt(value, F.const(0)), small, i64.select(F.lt(value, F.const(2 ** 64)), big, i64.const(-(2n ** 63n))));
  }
  if (wide) {
    const whole = from === "f32" ? i64.fromF32(value as Expr as Expr<"f32">) : i64.fromF64(value);
    const kept = i64.select(fits, whole, i64.const(-(2n ** 63n)));
    return scalar === "i64" ? kept : i32.fromI64(kept);
  }
  const whole = from === "f32" ? i32.fromF32(value as Expr as Expr<"f32">) : i32.fromF64(value);
  return wrapTo(to, i32.select(fits, whole, i32.const(-(2 ** 31))));
}

function bitcastCode(from: DType, to: DType, x: Expr, k: FunctionRecorder): Expr {
  if (isHalf(from)) return bitcastCode("uint16", to, bitsOfHalf(from, x as Expr<"f32">, k), k);
  if (isHalf(to)) return halfFromBits(to, i32.and(x as Expr<"i32">, 0xffff), k);
  const source = elementOf(from);
  const target = elementOf(to);
  if (source.scalar === target.scalar) return wrapTo(to, x);
  switch (target.scalar) {
    case "f32":
      return f32.ofBits(x as Expr<"i32">);
    case "f64":
      return f64.ofBits(x as Expr<"i64">);
    case "i32":
      return wrapTo(to, i32.ofBits(x as Expr<"f32">));
    case "i64":
      return i64.ofBits(x as Expr<"f64">);
  }
}

/** Can recorded code compute this expression? Otherwise the kernel runs on the host. */
export function isRecordable(node: Scalar): boolean {
  if (elementRowMissing(node.dtype)) return false;
  if (node.kind === "apply") {
    const { isFloat } = elementOf(node.args[node.args.length - 1].dtype);
    return isFloat ? floatFunctions.has(node.fn) || isElementary(node.fn) : integerFunctions.has(node.fn);
  }
  if ((node.kind === "cast" || node.kind === "bitcast") && elementRowMissing(node.arg.dtype)) return false;
  return true;
}

const elementRowMissing = (dtype: DType): boolean => elementRow(dtype) === undefined;

const floatFunctions: ReadonlySet<ScalarFunction> = new Set([
  "add",
  "sub",
  "mul",
  "div",
  "min",
  "max",
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
  "neg",
  "abs",
  "sqrt",
  "floor",
  "ceil",
  "trunc",
  "round",
  "rsqrt",
  "sign",
  "select",
]);
const integerFunctions: ReadonlySet<ScalarFunction> = new Set([
  "add",
  "sub",
  "mul",
  "and",
  "or",
  "xor",
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
  "min",
  "max",
  "neg",
  "abs",
  "sign",
  "not",
  "div",
  "rem",
  "shl",
  "shr",
  "popcount",
  "pow",
  "floor",
  "ceil",
  "round",
  "trunc",
  "select",
]);
