// Rows kernels: one row after another, its passes in order; what a pass combines along the row stays in registers, sums over the rows' columns
// in a line of memory that stays in the first cache. The row itself is read from memory once and found in the cache by later passes.

import { axisIndex, flattenIndex } from "../ir/index-map.ts";
import type { Value } from "../ir/program.ts";
import { loadsOf, type Scalar } from "../ir/scalar.ts";
import { evaluationCost } from "../schedule/cost.ts";
import { scalarsOfKernel, writesOfKernel } from "../schedule/draft.ts";
import type { Kernel, RowPass, Store } from "../schedule/plan.ts";
import { least, plus, times } from "./arithmetic.ts";
import { identityOf, scalarFold, vectorFold } from "./combine.ts";
import { elementOf } from "./element.ts";
import { type Expr, f32, f32x, type Local } from "./language/language.ts";
import { type Leaf, loopOver, vectorsInTurn } from "./loops.ts";
import { storeScalar, storesLeaf } from "./map.ts";
import type { Phase, Recording } from "./phase.ts";
import { Addresses } from "./places.ts";
import type { FunctionRecorder } from "./language/recorder.ts";
import { fewestVectors, flushEvery, RowVectors, sideBySide } from "./reduce/rows.ts";
import { constantCode, type Point, scalarCode } from "./language/scalar-code.ts";
import { isVectorizable, type VectorPoint, vectorCode } from "./language/vector-code.ts";

type RowsKernel = Extract<Kernel, { kind: "rows" }>;

/** Records a rows kernel as one phase; a unit is a block of rows. */
export function recordRows(kernel: RowsKernel, recording: Recording): Phase[] {
  const { rows, blockRows } = kernel;
  const name = recording.name("rows");
  const values = [...writesOfKernel(kernel), ...scalarsOfKernel(kernel).flatMap(scalar => loadsOf(scalar).map(({ source }) => source))];
  const ref = recording.module.function(name, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, recording.places, values);
    const body = (row: Expr<"i32">, block: Expr<"i32">): void => {
      for (const pass of kernel.passes) new RowPassCode(kernel, pass, k, addresses, row, block).record();
    };
    if (blockRows === 1) k.loop({ from: low, to: high, name: "row" }, row => body(row, row));
    else
      k.loop({ from: low, to: high, name: "block" }, block => {
        for (const pass of kernel.passes) for (const column of pass.columns) clear(column, kernel.length, k, addresses, block);
        const first = k.let(times(block, blockRows));
        k.loop({ from: first, to: k.let(least(plus(first, blockRows), rows)), name: "row" }, row => body(row, block));
      });
  });
  const bodies = kernel.passes.flatMap(({ reductions, columns, stores }) => [...reductions, ...columns, ...stores]);
  const work = rows * kernel.length * bodies.reduce((sum, { body }) => sum + evaluationCost(body, [1]), 0);
  return [{ name, function: ref, units: Math.ceil(rows / blockRows), work }];
}

/** Where the block's line of a column sum begins, without the place's offset. */
function lineOf(out: Value, length: number, addresses: Addresses, block: Expr<"i32">): { base: Expr<"i32">; offset: number } {
  const { base, offset } = addresses.of(out);
  return { base: plus(base, times(block, length * elementOf(out.dtype).bytes)), offset };
}

/** Fills a block's line with what the combination begins with. */
function clear(
  { out, combine }: RowPass["columns"][number],
  length: number,
  k: FunctionRecorder,
  addresses: Addresses,
  block: Expr<"i32">,
): void {
  const { base, offset } = lineOf(out, length, addresses, block);
  const line = k.let(base);
  const start = Number(identityOf(combine, out.dtype));
  const lanes = k.target.lanes32;
  const whole = length - (length % lanes);
  if (whole > 0)
    k.loop({ to: 4 * whole, step: 4 * lanes }, at => {
      k.store("f32x", plus(line, at), offset, f32x.const(start));
    });
  if (whole < length) k.storePart("f32x", length - whole, line, offset + 4 * whole, f32x.const(start));
}

class RowPassCode {
  readonly #kernel: RowsKernel;
  readonly #pass: RowPass;
  readonly #k: FunctionRecorder;
  readonly #addresses: Addresses;
  readonly #row: Expr<"i32">;
  readonly #block: Expr<"i32">;

  constructor(kernel: RowsKernel, pass: RowPass, k: FunctionRecorder, addresses: Addresses, row: Expr<"i32">, block: Expr<"i32">) {
    this.#kernel = kernel;
    this.#pass = pass;
    this.#k = k;
    this.#addresses = addresses;
    this.#row = row;
    this.#block = block;
  }

  record(): void {
    const { before, reductions } = this.#pass;
    const { length } = this.#kernel;
    const k = this.#k;
    for (const store of before) this.#storeForRow(store, this.#point());
    const bodies = this.#bodies();
    if (bodies.length === 0) return;
    const isVector = bodies.every(body => isVectorizable(body, 1));
    const unroll = isVector ? this.#unroll() : 1;
    const sums = reductions.map(({ combine, body }) => ({
      one: k.let(constantCode(body.dtype, identityOf(combine, body.dtype))) as Local<"f32">,
      vectors: isVector ? new RowVectors(k, body, combine, { count: unroll, isLong: length > 4 * flushEvery * unroll }) : undefined,
    }));
    const leaf = this.#leaf(sums, isVector);
    loopOver({ k, addresses: this.#addresses, sizes: [length], bodies, outer: this.#point(), firstAxis: 1, unroll }, leaf);
    for (const [r, { combine, body, stores }] of reductions.entries()) {
      const { one, vectors } = sums[r];
      const fold = scalarFold(combine, body.dtype);
      if (vectors) for (const lane of vectors.lanesOf(vectors.total(), k.target.lanes32)) k.set(one, fold(one, lane) as Expr<"f32">);
      const point = { ...this.#point(), accumulator: one };
      const values = stores.map(store => scalarCode(store.body, point));
      for (const [i, { out }] of stores.entries()) storeScalar(out, axisIndex(0, this.#kernel.rows), values[i], point);
    }
  }

  /** Several vectors side by side where functions are computed, or where a pass does nothing but reduce, and not much of it. */
  #unroll(): number {
    const { reductions, columns, stores } = this.#pass;
    if (this.#kernel.length < sideBySide * fewestVectors) return 1;
    const ofFunctions = vectorsInTurn(this.#bodies());
    if (ofFunctions > 1 || columns.length + stores.length > 0) return ofFunctions;
    return reductions.length === 1 ? sideBySide : reductions.length === 2 ? sideBySide / 2 : 1;
  }

  #point(): Point {
    return { k: this.#k, addresses: this.#addresses, axes: [this.#row], memo: new Map() };
  }

  #bodies(): Scalar[] {
    const { reductions, columns, stores } = this.#pass;
    return [...reductions, ...columns, ...stores].map(({ body }) => body);
  }

  #storeForRow({ out, body }: Store, point: Point): void {
    storeScalar(out, axisIndex(0, this.#kernel.rows), scalarCode(body, point), point);
  }

  #leaf(sums: readonly { one: Local<"f32">; vectors: RowVectors | undefined }[], isVector: boolean): Leaf {
    const { reductions, columns, stores } = this.#pass;
    const { rows, length } = this.#kernel;
    const k = this.#k;
    const flat = flattenIndex([axisIndex(0, rows), axisIndex(1, length)], [rows, length]);
    const targets = storesLeaf(
      stores.map(({ out, body }) => ({ out, body, flat })),
      1,
    );
    const lines = columns.map(({ out }) => {
      const { base, offset } = lineOf(out, length, this.#addresses, this.#block);
      return { base: k.let(base), offset };
    });
    return {
      scalar: point => {
        for (const [r, { combine, body }] of reductions.entries()) {
          const value = scalarCode(body, point);
          k.set(sums[r].one, scalarFold(combine, body.dtype)(sums[r].one, value) as Expr<"f32">);
        }
        for (const [c, { combine, body, out }] of columns.entries()) {
          const value = scalarCode(body, point);
          const at = k.let(plus(lines[c].base, times(point.axes[1], elementOf(out.dtype).bytes)));
          const { offset } = lines[c];
          k.store("f32", at, offset, scalarFold(combine, body.dtype)(f32.load(at, offset), value));
        }
        targets.scalar(point);
      },
      ...(isVector && {
        vector: (point: VectorPoint, which: number) => {
          for (const [r, { combine, body }] of reductions.entries()) {
            const { one, vectors } = sums[r];
            if (vectors === undefined) continue;
            if (point.part === undefined) vectors.add(point, which);
            else
              for (const lane of vectors.lanesOf(k.let(vectors.valueAt(point)), point.part))
                k.set(one, scalarFold(combine, body.dtype)(one, lane) as Expr<"f32">);
          }
          for (const [c, { combine, body }] of columns.entries()) {
            const value = vectorCode(body, point) as Expr<"vec">;
            const at = k.let(plus(lines[c].base, point.byteCounter(4)));
            const { offset } = lines[c];
            const fold = vectorFold(combine, "f32x");
            if (point.part === undefined) k.store("f32x", at, offset, fold(f32x.load(at, offset), value));
            else k.storePart("f32x", point.part, at, offset, fold(f32x.loadPart(point.part, at, offset), value));
          }
          targets.vector?.(point, which);
        },
      }),
    };
  }
}
