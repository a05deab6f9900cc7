// Scan kernels: a running combination along one axis, for a block of neighbouring rows at a time, so that memory is walked line by line
// whichever axis it is. Floats are combined in double precision and rounded when they are stored; halves after every step, as TensorFlow's are,
// whose long sums stand still once a term is too small to move them.

import type { DType } from "../base/dtype.ts";
import { sizeOf } from "../base/shape.ts";
import { addIndex, axisIndex, constantIndex } from "../ir/index-map.ts";
import type { Kernel } from "../schedule/plan.ts";
import { plus, times } from "./arithmetic.ts";
import { identityOf, scalarFold } from "./combine.ts";
import { elementOf } from "./element.ts";
import { isHalf } from "./halves.ts";
import { elementary } from "./math/elementary.ts";
import { type Expr, f64, i32, type Local } from "./language/language.ts";
import { storeScalar } from "./map.ts";
import type { Phase, Recording } from "./phase.ts";
import { Addresses } from "./places.ts";
import type { FunctionRecorder } from "./language/recorder.ts";
import { castCode, constantCode, loadElement, type Point } from "./language/scalar-code.ts";

type ScanKernel = Extract<Kernel, { kind: "scan" }>;

/** A scalar step that waits for the one before, as schedule/cost.ts counts. */
const elementCost = 30;
/** Running values kept in locals at once. */
const rowsAtOnce = 8;

export function recordScan(kernel: ScanKernel, { module, places, name }: Recording): Phase[] {
  const { out, source, axis } = kernel;
  const outer = sizeOf(out.shape.slice(0, axis));
  const length = out.shape[axis];
  const inner = sizeOf(out.shape.slice(axis + 1));
  if (outer * length * inner === 0) return [];
  // Blocks of rows that are neighbours in memory; the last of each line may be smaller.
  const blocks = Math.ceil(inner / rowsAtOnce);
  const label = name("scan");
  const ref = module.function(label, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [out, source]);
    const point: Point = { k, addresses, axes: [], memo: new Map() };
    k.loop({ from: low, to: high }, unit => {
      const line = k.let(blocks === 1 ? unit : i32.divU(unit, blocks));
      const column = blocks === 1 ? i32.const(0) : k.let(times(i32.remU(unit, blocks), rowsAtOnce));
      const rest = inner % rowsAtOnce;
      const rows = (count: number): void => scanRows(kernel, { length, inner, point, line, column, count });
      if (rest === 0) rows(rowsAtOnce);
      else if (blocks === 1) rows(rest);
      else
        k.if(
          i32.eq(column, inner - rest),
          () => rows(rest),
          () => rows(rowsAtOnce),
        );
    });
  });
  return [{ name: label, function: ref, units: outer * blocks, work: elementCost * sizeOf(out.shape) }];
}

interface Rows {
  readonly length: number;
  readonly inner: number;
  readonly point: Point;
  readonly line: Expr<"i32">;
  /** The first of `count` neighbouring rows. */
  readonly column: Expr<"i32">;
  readonly count: number;
}

function scanRows({ out, source, combine, exclusive, reverse }: ScanKernel, { length, inner, point, line, column, count }: Rows): void {
  const { k } = point;
  const { dtype } = out;
  const { wide, identity, fold } = scanFold(combine, dtype, k);
  const sums = Array.from({ length: count }, () => k.let(identity)) as Local[];
  const start = k.let(plus(times(line, length * inner), column));
  k.loop({ to: length }, step => {
    const at = reverse ? i32.sub(length - 1, step) : step;
    const first = k.let(plus(start, times(at, inner)));
    const here: Point = { ...point, axes: [first], memo: new Map() };
    for (const [row, sum] of sums.entries()) {
      const flat = addIndex(axisIndex(0, sizeOf(out.shape)), constantIndex(row));
      const next = k.let(fold(sum, castCode(dtype, wide, loadElement(source, flat, here), k)));
      storeScalar(out, flat, castCode(wide, dtype, exclusive ? sum : next, k), here);
      k.set(sum as Local<"i32">, next as Expr as Expr<"i32">);
    }
  });
}

/** What a running combination begins with, and one step of it, in the type it is taken in. */
export function scanFold(
  combine: ScanKernel["combine"],
  dtype: DType,
  k: FunctionRecorder,
): { wide: DType; identity: Expr; fold: (a: Expr, b: Expr) => Expr } {
  const wide = elementOf(dtype).isFloat ? "float64" : dtype;
  const identity = constantCode(wide, identityOf(combine === "logsumexp" ? "max" : combine, dtype));
  const exact =
    combine === "logsumexp" ? (a: Expr, b: Expr) => logAddExp(a as Expr<"f64">, b as Expr<"f64">, k) : scalarFold(combine, wide);
  const fold = isHalf(dtype) ? (a: Expr, b: Expr) => castCode(dtype, wide, castCode(wide, dtype, exact(a, b), k), k) : exact;
  return { wide, identity, fold };
}

/** log(e^x + e^y). */
function logAddExp(x: Expr<"f64">, y: Expr<"f64">, k: FunctionRecorder): Expr {
  const high = k.let(f64.max(x, y));
  const power = elementary("exp", "f64", [f64.sub(f64.min(x, y), high)], k);
  const sum = f64.add(high, elementary("log1p", "f64", [power], k) as Expr<"f64">);
  return f64.select(f64.lt(f64.abs(high), Number.POSITIVE_INFINITY), sum, high);
}
