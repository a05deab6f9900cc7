// argmax and argmin: the first position of the best. NaN never wins, for no comparison with it holds. By vectors every lane keeps its own
// best and where that was; of equal lanes the one that was first has the last word.

import type { Index } from "../../ir/index-map.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { extreme } from "../combine.ts";
import { elementOf, vectorKind } from "../element.ts";
import { type Expr, f32x, i32, i32x, i64, type Lane, lanes, type Local } from "../language/language.ts";
import { loopOver } from "../loops.ts";
import type { FunctionRecorder } from "../language/recorder.ts";
import { hasStep, type Work } from "./work.ts";
import { constantCode, indexCode, type Point, scalarCode } from "../language/scalar-code.ts";
import { isVectorizable, vectorCode, type VectorPoint } from "../language/vector-code.ts";

/** Rows shorter than this are walked element by element. */
const shortestVectorRow = 16;

const indexNode = (index: Index): Scalar => ({ kind: "index", dtype: "int32", index });

const worstOf = ({ kernel, body }: Work): number | bigint => extreme(body.dtype, kernel.combine === "argmax" ? "lowest" : "highest");

/** Whether one element beats another. */
function wins({ kernel, body }: Work, value: Expr, best: Expr): Expr<"i32"> {
  const { scalar, isUnsigned, isFloat } = elementOf(body.dtype);
  const L = lanes[scalar] as Lane<"i32">;
  const compare = kernel.combine === "argmax" ? (isUnsigned && !isFloat ? L.gtU : L.gt) : isUnsigned && !isFloat ? L.ltU : L.lt;
  return compare(value as Expr<"i32">, best as Expr<"i32">);
}

/** The position of the best at a point, as the result's type. */
export function bestInRow(work: Work, point: Point): Expr {
  const { k, body, overSizes, sizes, reduced, isAnySize = false } = work;
  const best = k.let(constantCode(body.dtype, worstOf(work))) as Local<"i32">;
  const at = k.number("i32");
  const inner = sizes.length + overSizes.length - 1;
  const isLong = overSizes.length > 0 && (isAnySize || overSizes[overSizes.length - 1] >= shortestVectorRow);
  const vectors = isLong && isVectorBest(work, inner) ? new BestVectors(work, 1) : undefined;
  const take = (better: Expr<"i32">, value: Expr, position: () => Expr<"i32">): void =>
    k.if(better, () => {
      k.set(best, value as Expr<"i32">);
      k.set(at, position());
    });
  loopOver(
    { k, addresses: work.addresses, sizes: overSizes, bodies: [body, indexNode(reduced)], outer: point, firstAxis: sizes.length },
    {
      scalar: here => {
        const value = scalarCode(body, here);
        take(wins(work, value, best), value, () => indexCode(reduced, here));
      },
      ...(vectors && {
        vector: (here: VectorPoint) => {
          const value = k.let(vectorCode(body, here) as Expr<"vec">);
          const position = k.let(vectorCode(indexNode(reduced), here) as Expr<"vec">);
          if (here.part === undefined) vectors.take(0, value, position);
          else
            for (let lane = 0; lane < here.part; lane++) {
              const element = k.let(vectors.lane.extract(value, lane));
              take(wins(work, element, best), element, () => i32x.extract(position, lane));
            }
        },
      }),
    },
  );
  if (vectors)
    for (let lane = 0; lane < k.target.lanes32; lane++) {
      const value = k.let(vectors.lane.extract(vectors.bests[0], lane));
      const position = k.let(i32x.extract(vectors.positions[0], lane));
      const isEqual = (vectors.scalarLane as Lane<"i32">).eq(value, best);
      take(i32.or(wins(work, value, best), i32.and(isEqual, i32.lt(position, at))), value, () => position);
    }
  return asResult(work, at);
}

/** Are lanes compared along an axis? */
export const isVectorBest = ({ body }: Pick<Work, "body">, axis: number): boolean => {
  const kind = vectorKind(body.dtype);
  return (kind === "f32x" || kind === "i32x") && isVectorizable(body, axis) && hasStep(body, axis);
};

const asResult = ({ kernel }: Work, position: Expr<"i32">): Expr => (kernel.accumulator === "int64" ? i64.fromI32(position) : position);

/** Bests by lane, and their positions. */
export class BestVectors {
  readonly lane: Lane<"i32x">;
  readonly scalarLane: Lane<"i32"> | Lane<"f32">;
  readonly bests: readonly Local<"vec">[];
  readonly positions: readonly Local<"vec">[];
  readonly #work: Work;

  constructor(work: Work, count: number) {
    const { k, body } = work;
    const isFloat = vectorKind(body.dtype) === "f32x";
    this.#work = work;
    this.lane = (isFloat ? f32x : i32x) as Lane<"i32x">;
    this.scalarLane = isFloat ? lanes.f32 : lanes.i32;
    this.bests = Array.from({ length: count }, () => k.vector(this.lane.name, worstOf(work)));
    this.positions = this.bests.map(() => k.vector("i32x", 0));
  }

  /** Lets lanes of a value win where they are better. */
  take(which: number, value: Expr<"vec">, position: Expr<"vec">): void {
    const { k, kernel } = this.#work;
    const [best, at] = [this.bests[which], this.positions[which]];
    const better = k.let(kernel.combine === "argmax" ? this.lane.gt(value, best) : this.lane.lt(value, best));
    k.set(best, this.lane.select(better, value, best));
    k.set(at, i32x.select(better, position, at));
  }

  /** A lane's position as the kernel's result. */
  result(which: number, lane: number, k: FunctionRecorder): Expr {
    return k.let(asResult(this.#work, i32x.extract(this.positions[which], lane)));
  }
}
