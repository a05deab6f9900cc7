// Vector points for blocks of neighbouring vectors held in registers: addresses are computed where they are asked for.

import type { Scalar } from "../ir/scalar.ts";
import { plus, times } from "./arithmetic.ts";
import { elementOf } from "./element.ts";
import { type Expr, i32 } from "./language/language.ts";
import type { FunctionRecorder } from "./language/recorder.ts";
import { indexCode, type Point } from "./language/scalar-code.ts";
import { flatIndex, pace, type VectorPoint } from "./language/vector-code.ts";

/** The vector point of block member v. Bases are computed on the spot: a block is read once per step. */
export function blockPoint(point: Point, inner: number, v: number, part: number | undefined, k: FunctionRecorder): VectorPoint {
  const axes = [...point.axes];
  axes[inner] = plus(axes[inner], v * k.target.lanes32);
  const at: Point = { ...point, axes, memo: new Map(point.memo) };
  return { ...at, inner, part, vectors: new Map(), bases: new OnTheSpot(at, inner), byteCounter: () => i32.const(0) };
}

/** Bases computed when asked for, with the inner axis where it stands. */
class OnTheSpot extends Map<Scalar, Expr<"i32">> {
  private readonly point: Point;
  private readonly inner: number;
  constructor(point: Point, inner: number) {
    super();
    this.point = point;
    this.inner = inner;
  }
  override get(node: Scalar): Expr<"i32"> | undefined {
    if (node.kind !== "load") return undefined;
    const flat = flatIndex(node);
    if (pace(flat, this.inner) !== "step") return undefined;
    const { bytes } = elementOf(node.dtype);
    const { base } = this.point.addresses.of(node.source);
    // In code for any size the base has the offset, too.
    const offset = indexCode(this.point.quantities ? flat : { ...flat, offset: 0 }, this.point);
    return plus(base, times(offset, bytes));
  }
}
