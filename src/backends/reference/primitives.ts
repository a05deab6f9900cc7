// The primitives as plain loops, one function each: what docs/ir.md says in formulas. Each returns the arrays its step defines.

import type { DType } from "../../base/dtype.ts";
import { dtypeTable, isBigInteger, isComplex, isFloating } from "../../base/dtype.ts";
import { InternalError } from "../../base/errors.ts";
import { NDArray } from "../../base/ndarray.ts";
import { sizeOf, stridesOf } from "../../base/shape.ts";
import type { Combine, Operand, Step } from "../../ir/program.ts";
import { folds } from "../../ir/scalar.ts";
import type { Element } from "./elements.ts";
import { elementOfConstant, fitTo, readElement } from "./elements.ts";
import { compareBytes, elementFunction } from "./functions.ts";
import { philoxWords } from "./philox.ts";
import type { Frame, Read } from "./scalar.ts";
import { ScalarCompiler } from "./scalar.ts";

type StepOf<K extends Step["kind"]> = Extract<Step, { kind: K }>;

/** Sets axes `from` … of the frame to every point of `sizes` in row-major order. */
function forEachPoint(frame: Frame, from: number, sizes: readonly number[], visit: (position: number) => void): void {
  const { at } = frame;
  const count = sizeOf(sizes);
  for (let axis = 0; axis < sizes.length; axis++) at[from + axis] = 0;
  for (let position = 0; position < count; position++) {
    frame.visited++;
    visit(position);
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      if (++at[from + axis] < sizes[axis]) break;
      at[from + axis] = 0;
    }
  }
}

const compilerFor = (read: Read): ScalarCompiler => new ScalarCompiler({ at: [], visited: 0 }, read);

export function runMap({ out, body }: StepOf<"map">, read: Read): NDArray {
  const compiler = compilerFor(read);
  const evaluate = compiler.scalar(body);
  const result = NDArray.zeros(out.dtype, out.shape);
  forEachPoint(compiler.frame, 0, out.shape, position => {
    result.set(position, evaluate());
  });
  return result;
}

/** How floats are added: in double precision, rounded once at the end, which is the meaning; or in the worst of the orders that are allowed,
 *  positive and negative terms apart, rounded after each to the width a backend computes in. Where that differs, terms cancel or overflow. */
export type Summation = "exact" | "worst";

function accumulatorType(dtype: DType, summation: Summation): DType {
  if (summation === "worst") return dtype === "float16" || dtype === "bfloat16" ? "float32" : dtype;
  return isFloating(dtype) ? "float64" : isComplex(dtype) ? "complex128" : dtype;
}

/** Elements joined one by one. */
class Accumulator {
  private readonly add: (x: Element, y: Element) => Element;
  private readonly isApart: boolean;
  private readonly identity: Element;
  /** A product begins with its first factor: one times a complex infinity is not a number. */
  private readonly beginsWithFirst: boolean;
  private isEmpty = true;
  private total: Element;
  private negative: Element;

  constructor(combine: keyof typeof folds, type: DType, summation: Summation, add = elementFunction(folds[combine], type)) {
    this.add = add;
    this.isApart = summation === "worst" && combine === "sum" && isFloating(type);
    this.identity = identityOf(combine, type);
    this.beginsWithFirst = combine === "prod";
    this.total = this.negative = this.identity;
  }

  clear(): void {
    this.isEmpty = true;
    this.total = this.negative = this.identity;
  }

  take(x: Element): void {
    if (this.isEmpty && this.beginsWithFirst) this.total = x;
    else if (this.isApart && (x as number) < 0) this.negative = this.add(this.negative, x);
    else this.total = this.add(this.total, x);
    this.isEmpty = false;
  }

  get value(): Element {
    return this.isApart ? this.add(this.total, this.negative) : this.total;
  }
}

/** What a reduction of no elements gives. */
export function identityOf(combine: Combine, dtype: DType): Element {
  switch (combine) {
    case "sum":
    case "any":
    case "argmax":
    case "argmin":
      return elementOfConstant(dtype, isBigInteger(dtype) ? 0n : 0);
    case "prod":
    case "all":
      return elementOfConstant(dtype, isBigInteger(dtype) ? 1n : 1);
    case "max":
      return limitsOf(dtype).lowest;
    case "min":
      return limitsOf(dtype).highest;
  }
}

function limitsOf(dtype: DType): { lowest: Element; highest: Element } {
  const { kind, bytes } = dtypeTable[dtype];
  if (kind === "float") return { lowest: Number.NEGATIVE_INFINITY, highest: Number.POSITIVE_INFINITY };
  if (kind === "bool") return { lowest: 0, highest: 1 };
  if (kind !== "int" && kind !== "uint") throw new InternalError(`Elements of type ${dtype} have no order.`);
  const bits = BigInt(8 * bytes);
  const [lowest, highest] = kind === "int" ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
  return isBigInteger(dtype) ? { lowest, highest } : { lowest: Number(lowest), highest: Number(highest) };
}

export function runReduce({ out, over, combine, body }: StepOf<"reduce">, read: Read, summation: Summation = "exact"): NDArray {
  const compiler = compilerFor(read);
  const evaluate = compiler.scalar(body);
  const result = NDArray.zeros(out.dtype, out.shape);
  const { frame } = compiler;
  if (combine === "argmax" || combine === "argmin") {
    const limits = limitsOf(body.dtype);
    forEachPoint(frame, 0, out.shape, position => {
      let best = combine === "argmax" ? limits.lowest : limits.highest;
      let bestAt = 0;
      forEachPoint(frame, out.shape.length, over, r => {
        const x = evaluate();
        if (combine === "argmax" ? x > best : x < best) [best, bestAt] = [x, r];
      });
      result.set(position, bestAt);
    });
    return result;
  }
  const type = accumulatorType(body.dtype, summation);
  const sum = new Accumulator(combine, type, summation);
  const fit = fitTo(out.dtype);
  forEachPoint(frame, 0, out.shape, position => {
    sum.clear();
    forEachPoint(frame, out.shape.length, over, () => sum.take(evaluate()));
    result.set(position, fit(sum.value));
  });
  return result;
}

/** An operand of a contraction at the frame's point: zero outside its source. */
function operandReader({ source, at }: Operand, compiler: ScalarCompiler, read: Read): () => Element {
  const array = read(source);
  const strides = stridesOf(source.shape);
  const indices = at.map(index => compiler.index(index));
  const zero = elementOfConstant(source.dtype, isBigInteger(source.dtype) ? 0n : 0);
  return () => {
    const point = indices.map(index => index());
    if (point.some((i, axis) => i < 0 || i >= source.shape[axis])) return zero;
    return readElement(
      array,
      point.reduce((sum, i, axis) => sum + i * strides[axis], 0),
    );
  };
}

export function runContract({ out, over, left, right }: StepOf<"contract">, read: Read, summation: Summation = "exact"): NDArray {
  const compiler = compilerFor(read);
  const [x, y] = [operandReader(left, compiler, read), operandReader(right, compiler, read)];
  const type = accumulatorType(out.dtype, summation);
  const multiply = elementFunction("mul", type);
  const sum = new Accumulator("sum", type, summation);
  const fit = fitTo(out.dtype);
  const result = NDArray.zeros(out.dtype, out.shape);
  forEachPoint(compiler.frame, 0, out.shape, position => {
    sum.clear();
    forEachPoint(compiler.frame, out.shape.length, over, () => sum.take(multiply(x(), y())));
    result.set(position, fit(sum.value));
  });
  return result;
}

/** log(e^x + e^y). */
function logAddExp(x: number, y: number): number {
  const high = Math.max(x, y);
  return Number.isFinite(high) ? high + Math.log1p(Math.exp(Math.min(x, y) - high)) : high;
}

export function runScan(
  { out, source, axis, combine, exclusive, reverse }: StepOf<"scan">,
  read: Read,
  summation: Summation = "exact",
): NDArray {
  const array = read(source);
  const type = accumulatorType(out.dtype, summation);
  const fit = fitTo(out.dtype);
  const exact: (x: Element, y: Element) => Element =
    combine === "logsumexp" ? (x, y) => logAddExp(x as number, y as number) : elementFunction(folds[combine], type);
  // Halves are rounded after every step.
  const add =
    dtypeTable[out.dtype].kind === "float" && dtypeTable[out.dtype].bytes === 2 ? (x: Element, y: Element) => fit(exact(x, y)) : exact;
  const sum = new Accumulator(combine === "logsumexp" ? "max" : combine, type, summation, add);
  const result = NDArray.zeros(out.dtype, out.shape);
  const length = out.shape[axis];
  const stride = stridesOf(out.shape)[axis];
  for (let first = 0; first < array.size; first++) {
    if (Math.floor(first / stride) % length !== 0) continue;
    sum.clear();
    for (let step = 0; step < length; step++) {
      const at = first + stride * (reverse ? length - 1 - step : step);
      if (exclusive) result.set(at, fit(sum.value));
      sum.take(readElement(array, at));
      if (!exclusive) result.set(at, fit(sum.value));
    }
  }
  return result;
}

export function runScatter({ out, base, over, at, combine, body }: StepOf<"scatter">, read: Read): NDArray {
  const compiler = compilerFor(read);
  const indices = at.map(index => compiler.scalar(index));
  const evaluate = compiler.scalar(body);
  const join = combine === "assign" ? (_: Element, y: Element) => y : elementFunction(combine, out.dtype);
  const source = read(base);
  const result = new NDArray(out.dtype, out.shape, source.data.slice());
  const strides = stridesOf(out.shape);
  forEachPoint(compiler.frame, 0, over, () => {
    const point = indices.map(index => Number(index()));
    if (point.some((i, axis) => i < 0 || i >= out.shape[axis])) return;
    const position = point.reduce((sum, i, axis) => sum + i * strides[axis], 0);
    result.set(position, join(readElement(result, position), evaluate()));
  });
  return result;
}

/** Order for sorting: NaN is the largest, and equals itself. */
function compareElements(x: Element, y: Element): number {
  if (x instanceof Uint8Array && y instanceof Uint8Array) return compareBytes(x, y);
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  return x < y ? -1 : x > y ? 1 : 0;
}

export function runSort({ values, indices, source, descending }: StepOf<"sort">, read: Read): [values: NDArray, indices: NDArray] {
  const array = read(source);
  const length = source.shape[source.shape.length - 1];
  const count = values.shape[values.shape.length - 1];
  const sorted = [NDArray.zeros(values.dtype, values.shape), NDArray.zeros(indices.dtype, indices.shape)] as const;
  for (let row = 0; row < sizeOf(source.shape.slice(0, -1)); row++) {
    const keys = Array.from({ length }, (_, i) => readElement(array, row * length + i));
    const order = keys
      .map((_, i) => i)
      .sort((i, j) => (descending ? compareElements(keys[j], keys[i]) : compareElements(keys[i], keys[j])));
    for (const [k, i] of order.slice(0, count).entries()) {
      sorted[0].set(row * count + k, keys[i]);
      sorted[1].set(row * count + k, i);
    }
  }
  return [...sorted];
}

export function runRandom({ out, state }: StepOf<"random">, read: Read): NDArray {
  const [seed, seed2, blocksUsed] = read(state).data as BigInt64Array;
  return new NDArray(out.dtype, out.shape, philoxWords([seed, seed2, blocksUsed], sizeOf(out.shape)));
}

/** @throws the failure's error at the first point where `ok` is false. */
export function runCheck({ over, ok, failure }: StepOf<"check">, read: Read): void {
  const compiler = compilerFor(read);
  const evaluate = compiler.scalar(ok);
  forEachPoint(compiler.frame, 0, over, () => {
    if (!evaluate()) throw failure.error(compiler.frame.at.slice(0, over.length), read);
  });
}
