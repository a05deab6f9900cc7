// The micro-kernel on plain matrices: C += A·B, or C = A·B, as tiles of rows × columns whose sums stay in registers. Used where operands are
// scratch of the kernels' own and addresses are numbers; contract.ts has the one that follows index maps.

import { plus } from "../arithmetic.ts";
import { type Arg, type Expr, f32x, type Local } from "../language/language.ts";
import type { FunctionRecorder } from "../language/recorder.ts";

/** Strides in bytes. */
export interface Product {
  readonly a: Expr<"i32">;
  readonly aRow: number;
  readonly aStep: number;
  readonly b: Expr<"i32">;
  readonly bStep: number;
  /** From the columns of one tile to those of the next. */
  readonly bPanel: number;
  readonly c: Expr<"i32">;
  readonly cRow: number;
  readonly rows: number;
  /** A multiple of the lanes. */
  readonly columns: number;
  /** Terms of each sum. */
  readonly terms: Arg<"i32">;
  /** Adds to what C holds. */
  readonly isAdding: boolean;
}

/** All tiles of a product, near-equal in rows. */
export function recordProduct(k: FunctionRecorder, product: Product): void {
  const [tile] = k.target.tiles;
  const { rows, columns } = product;
  const count = Math.ceil(rows / tile.rows);
  const small = Math.floor(rows / count);
  const large = rows - small * count;
  const whole = Math.floor(columns / tile.columns);
  const b = k.let(product.b);
  const c = k.let(product.c);
  const panel = (width: number): void => {
    const a = k.let(product.a);
    const out = k.let(c);
    const tiles = (height: number, many: number): void => {
      if (many === 0) return;
      k.loop({ to: many }, () => {
        recordTile(k, product, { a, b, c: out, height, width });
        k.set(a, plus(a, height * product.aRow));
        k.set(out, plus(out, height * product.cRow));
      });
    };
    tiles(small + 1, large);
    tiles(small, count - large);
  };
  k.loop({ to: whole }, () => {
    panel(tile.columns);
    k.set(b, plus(b, product.bPanel));
    k.set(c, plus(c, tile.columns * bytes));
  });
  if (columns > whole * tile.columns) panel(columns - whole * tile.columns);
}

const bytes = 4;

interface Corner {
  readonly a: Local<"i32">;
  readonly b: Local<"i32">;
  readonly c: Local<"i32">;
  readonly height: number;
  readonly width: number;
}

function recordTile(k: FunctionRecorder, { aRow, aStep, bStep, cRow, terms, isAdding }: Product, { a, b, c, height, width }: Corner): void {
  const { vectorBytes, lanes32 } = k.target;
  const offsets = Array.from({ length: width / lanes32 }, (_, v) => v * vectorBytes);
  const sums = Array.from({ length: height }, (_, r) =>
    offsets.map(offset => (isAdding ? k.let(f32x.load(c, r * cRow + offset)) : k.vector("f32x", 0))),
  );
  const [left, right] = [k.let(a), k.let(b)];
  k.loop({ to: terms }, () => {
    const columns = offsets.map(offset => k.let(f32x.load(right, offset)));
    for (const [r, row] of sums.entries()) {
      const factor = k.let(f32x.loadSplat(left, r * aRow));
      for (const [v, sum] of row.entries()) k.set(sum, f32x.madd(factor, columns[v], sum));
    }
    k.set(left, plus(left, aStep));
    k.set(right, plus(right, bStep));
  });
  for (const [r, row] of sums.entries()) for (const [v, sum] of row.entries()) k.store("f32x", c, r * cRow + offsets[v], sum);
}
