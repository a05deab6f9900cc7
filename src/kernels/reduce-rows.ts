// A reduction of one result at a time: by vectors along the innermost reduced axis where they can be had, several side by side so that none
// waits for the one before. Long float sums are taken in two levels: their rounding grows with the root of the length at most.

import { sizeOf } from "../base/shape.ts";
import { plus } from "./arithmetic.ts";
import { type Fold, identityOf, scalarFold, vectorFold } from "./combine.ts";
import { vectorKind } from "./element.ts";
import { isHalf, roundToHalf } from "./halves.ts";
import { type Expr, f32x, i32, i32x, type Lane, type Local } from "./language.ts";
import { loopOver } from "./loops.ts";
import { hasStep, type Work } from "./reduce-work.ts";
import { constantCode, type Point, scalarCode, wrapTo } from "./scalar-code.ts";
import { isVectorizable, vectorCode, type VectorPoint } from "./vector-code.ts";

/** Partial sums of this many terms are added up separately. */
const flushEvery = 256;
/** Accumulators side by side, in rows of at least so many vectors. */
const sideBySide = 4;
const fewestVectors = 16;

/** The reduction at a point, in the body's type. */
export function foldRow(work: Work, point: Point): Expr {
  const { k, body, overSizes, sizes } = work;
  const combine = work.kernel.combine as Fold;
  const { dtype } = body;
  const fold = scalarFold(combine, dtype);
  const one = k.let(constantCode(dtype, identityOf(combine, dtype))) as Local<"i32">;
  const inner = sizes.length + overSizes.length - 1;
  const hasVectors = overSizes.length > 0 && isVectorizable(body, inner) && hasStep(body, inner);
  const vectors = hasVectors ? new RowVectors(work, combine) : undefined;
  loopOver(
    { k, addresses: work.addresses, sizes: overSizes, bodies: [body], outer: point, firstAxis: sizes.length, unroll: vectors?.count ?? 1 },
    {
      scalar: at => k.set(one, fold(one, scalarCode(body, at)) as Expr<"i32">),
      ...(vectors && {
        vector: (at: VectorPoint, which: number) => {
          if (at.part === undefined) vectors.add(at, which);
          else for (const lane of vectors.lanesOf(k.let(vectors.valueAt(at)), at.part)) k.set(one, fold(one, lane) as Expr<"i32">);
        },
      }),
    },
  );
  // Sums and products of narrow integers were taken in 32 bits, those of halves in float32.
  if (!vectors) return isHalf(dtype) ? roundToHalf(dtype, one as Expr as Expr<"f32">, k) : wrapTo(dtype, one);
  for (const lane of vectors.lanesOf(vectors.total(), k.target.lanes32)) k.set(one, fold(one, lane) as Expr<"i32">);
  return one;
}

/** The vector accumulators of a row. */
class RowVectors {
  readonly count: number;
  readonly #work: Work;
  readonly #combine: Fold;
  readonly #lane: Lane<"i32x">;
  readonly #sums: Local<"vec">[];
  /** Sums of sums, and the steps since the last, where rows are long. */
  readonly #level: { readonly total: Local<"vec">; readonly steps: Local<"i32"> } | undefined;

  constructor(work: Work, combine: Fold) {
    const { k, body, overSizes } = work;
    const isFloat = vectorKind(body.dtype) === "f32x";
    this.#work = work;
    this.#combine = combine;
    this.#lane = (isFloat ? f32x : i32x) as Lane<"i32x">;
    const isWide = overSizes[overSizes.length - 1] >= sideBySide * fewestVectors;
    this.count = isWide ? sideBySide : 1;
    this.#sums = Array.from({ length: this.count }, () => k.vector(this.#lane.name, Number(identityOf(combine, body.dtype))));
    const isLong = combine === "sum" && isFloat && sizeOf(overSizes) > 4 * flushEvery;
    this.#level = isLong ? { total: k.let(f32x.const(0)), steps: k.number("i32") } : undefined;
  }

  /** The body as lanes; truth as 0 and 1. */
  valueAt(at: VectorPoint): Expr<"vec"> {
    const { body } = this.#work;
    const code = vectorCode(body, at);
    return body.dtype === "bool" ? i32x.select(code as Expr<"mask32">, i32x.const(1), i32x.const(0)) : (code as Expr<"vec">);
  }

  add(at: VectorPoint, which: number): void {
    const { k } = this.#work;
    const sum = this.#sums[which];
    k.set(sum, this.#fold(sum, this.valueAt(at)));
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
    const { k } = this.#work;
    const all = this.#level ? [this.#level.total, ...this.#sums] : this.#sums;
    return all.reduce<Expr<"vec">>(
      (sum, each) => k.let(this.#fold(sum, each)),
      all[0] === this.#sums[0] ? this.#identity() : f32x.const(0),
    );
  }

  lanesOf(vector: Expr<"vec">, count: number): Expr[] {
    return Array.from({ length: count }, (_, i) => this.#lane.extract(vector, i));
  }

  #identity(): Expr<"vec"> {
    return this.#lane.const(Number(identityOf(this.#combine, this.#work.body.dtype)));
  }

  #fold(a: Expr<"vec">, b: Expr<"vec">): Expr<"vec"> {
    return vectorFold(this.#combine, this.#lane.name as "f32x" | "i32x")(a, b);
  }
}
