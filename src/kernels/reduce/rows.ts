// A reduction of one result at a time: by vectors along the innermost reduced axis where they can be had, several side by side so that none
// waits for the one before. Long float sums are taken in two levels: their rounding grows with the root of the length at most.

import type { DType } from "../../base/dtype.ts";
import { sizeOf } from "../../base/shape.ts";
import { plus } from "../arithmetic.ts";
import { identityOf, scalarFold, vectorFold } from "../combine.ts";
import { vectorKind } from "../element.ts";
import { isHalf, roundToHalf } from "../halves.ts";
import type { Fold, Scalar } from "../../ir/scalar.ts";
import { type Expr, f32x, i32, i32x, type Lane, type Local } from "../language/language.ts";
import { loopOver } from "../loops.ts";
import type { FunctionRecorder } from "../language/recorder.ts";
import { hasStep, type Part, partsOf, sliceAt, type Work } from "./work.ts";
import { constantCode, type Point, scalarCode, wrapTo } from "../language/scalar-code.ts";
import { isVectorizable, vectorCode, type VectorPoint } from "../language/vector-code.ts";

/** Partial sums of this many terms are added up separately. */
export const flushEvery = 256;
/** Accumulators side by side, in rows of at least so many vectors. */
export const sideBySide = 4;
export const fewestVectors = 16;

/** Can the reduction of a result go by vectors along the innermost reduced axis? */
export const hasRowVectors = ({ body }: Part, { sizes, overSizes }: Pick<Work, "sizes" | "overSizes">): boolean => {
  const inner = sizes.length + overSizes.length - 1;
  return overSizes.length > 0 && isVectorizable(body, inner) && hasStep(body, inner);
};

const isSummedInFloat32 = (dtype: DType): boolean => dtype === "float32" || isHalf(dtype);

/** The reductions at a point, each in its body's type. All go by vectors, or none does. */
export function foldRow(work: Work, point: Point): Expr[] {
  const { k, overSizes, sizes, isAnySize = false } = work;
  const parts = partsOf(work);
  const hasVectors = parts.every(part => hasRowVectors(part, work));
  const isWide = isAnySize || overSizes[overSizes.length - 1] >= sideBySide * fewestVectors;
  const isLong = isAnySize || sizeOf(overSizes) > 4 * flushEvery;
  const count = isWide && hasVectors ? sideBySide : 1;
  const rows = parts.map(({ body, kernel }) => {
    const combine = kernel.combine as Fold;
    return {
      body,
      fold: scalarFold(combine, body.dtype),
      one: k.let(constantCode(body.dtype, identityOf(combine, body.dtype))) as Local<"i32">,
      vectors: hasVectors ? new RowVectors(k, body, combine, { count, isLong }) : undefined,
      // Sums of sums, where elements are added one by one.
      total: isLong && !hasVectors && combine === "sum" && isSummedInFloat32(body.dtype) ? k.number("f32") : undefined,
    };
  });
  const long = rows.filter(({ total }) => total !== undefined);
  const steps = long.length > 0 ? k.number("i32") : undefined;
  loopOver(
    {
      k,
      addresses: work.addresses,
      sizes: overSizes,
      bodies: parts.map(({ body }) => body),
      range: sliceAt(work, point),
      outer: point,
      firstAxis: sizes.length,
      unroll: count,
    },
    {
      scalar: at => {
        for (const { body, fold, one } of rows) k.set(one, fold(one, scalarCode(body, at)) as Expr<"i32">);
        if (steps === undefined) return;
        k.set(steps, plus(steps, 1));
        k.if(i32.eqz(i32.and(steps, flushEvery - 1)), () => {
          for (const { body, fold, one, total } of long) {
            k.set(total as Local<"f32">, fold(total as Expr, one) as Expr<"f32">);
            k.set(one, constantCode(body.dtype, 0) as Expr<"i32">);
          }
        });
      },
      ...(hasVectors && {
        vector: (at: VectorPoint, which: number) => {
          for (const { fold, one, vectors } of rows)
            if (at.part === undefined) vectors?.add(at, which);
            else if (vectors)
              for (const lane of vectors.lanesOf(k.let(vectors.valueAt(at)), at.part)) k.set(one, fold(one, lane) as Expr<"i32">);
        },
      }),
    },
  );
  return rows.map(({ body: { dtype }, fold, one, vectors, total }) => {
    if (total) k.set(one, fold(one, total) as Expr<"i32">);
    // Sums and products of narrow integers were taken in 32 bits, those of halves in float32.
    if (!vectors) return isHalf(dtype) ? roundToHalf(dtype, one as Expr as Expr<"f32">, k) : wrapTo(dtype, one);
    for (const lane of vectors.lanesOf(vectors.total(), k.target.lanes32)) k.set(one, fold(one, lane) as Expr<"i32">);
    return one;
  });
}

/** The vector accumulators of a row: `count` of them side by side, in two levels where sums are long. */
export class RowVectors {
  readonly count: number;
  readonly #k: FunctionRecorder;
  readonly #body: Scalar;
  readonly #combine: Fold;
  readonly #lane: Lane<"i32x">;
  readonly #sums: Local<"vec">[];
  /** Of the greatest or least of floats: the greatest bits without sign that were met. A comparison that keeps NaN takes nine instructions
   *  where one that may lose it takes one, and above infinity's bits only NaN's lie. */
  readonly #nan: Local<"vec"> | undefined;
  /** Sums of sums, and the steps since the last, where rows are long. */
  readonly #level: { readonly total: Local<"vec">; readonly steps: Local<"i32"> } | undefined;

  constructor(k: FunctionRecorder, body: Scalar, combine: Fold, { count, isLong }: { count: number; isLong: boolean }) {
    const isFloat = vectorKind(body.dtype) === "f32x";
    this.#k = k;
    this.#body = body;
    this.#combine = combine;
    this.#lane = (isFloat ? f32x : i32x) as Lane<"i32x">;
    this.count = count;
    this.#sums = Array.from({ length: count }, () => k.vector(this.#lane.name, Number(identityOf(combine, body.dtype))));
    this.#nan = isFloat && (combine === "max" || combine === "min") ? k.let(i32x.const(0)) : undefined;
    this.#level = isLong && combine === "sum" && isFloat ? { total: k.let(f32x.const(0)), steps: k.number("i32") } : undefined;
  }

  /** The body as lanes; truth as 0 and 1. */
  valueAt(at: VectorPoint): Expr<"vec"> {
    const code = vectorCode(this.#body, at);
    return this.#body.dtype === "bool" ? i32x.select(code as Expr<"mask32">, i32x.const(1), i32x.const(0)) : (code as Expr<"vec">);
  }

  add(at: VectorPoint, which: number): void {
    const k = this.#k;
    const sum = this.#sums[which];
    const value = this.valueAt(at);
    if (this.#nan === undefined) k.set(sum, this.#fold(sum, value));
    else {
      const met = k.let(value);
      k.set(sum, this.#combine === "max" ? f32x.pmax(sum, met) : f32x.pmin(sum, met));
      k.set(this.#nan, i32x.max(this.#nan, i32x.and(met, i32x.const(0x7fffffff))));
    }
    const level = this.#level;
    if (level === undefined || which > 0) return;
    k.set(level.steps, plus(level.steps, 1));
    k.if(i32.eqz(i32.and(level.steps, flushEvery - 1)), () => {
      for (const each of this.#sums) {
        k.set(level.total, f32x.add(level.total, each));
        k.set(each, f32x.const(0));
      }
    });
  }

  total(): Expr<"vec"> {
    const k = this.#k;
    const all = this.#level ? [this.#level.total, ...this.#sums] : this.#sums;
    const total = all.reduce<Expr<"vec">>(
      (sum, each) => k.let(this.#fold(sum, each)),
      all[0] === this.#sums[0] ? this.#identity() : f32x.const(0),
    );
    return this.#nan === undefined ? total : k.let(f32x.select(i32x.gt(this.#nan, i32x.const(0x7f800000)), f32x.const(NaN), total));
  }

  lanesOf(vector: Expr<"vec">, count: number): Expr[] {
    return Array.from({ length: count }, (_, i) => this.#lane.extract(vector, i));
  }

  #identity(): Expr<"vec"> {
    return this.#lane.const(Number(identityOf(this.#combine, this.#body.dtype)));
  }

  #fold(a: Expr<"vec">, b: Expr<"vec">): Expr<"vec"> {
    return vectorFold(this.#combine, this.#lane.name as "f32x" | "i32x")(a, b);
  }
}
