// Products of matrices for any size: tiles of a few rows whose sums stay in registers, with every size and stride in a local. Which reductions
// are such products follows from the indices of their factors alone. Rows that fill no tile go one by one; of columns that fill no vector the
// last vector is computed, and the lanes that are new are stored.

import type { Index } from "../../ir/index-map.ts";
import type { Scalar } from "../../ir/scalar.ts";
import { plus } from "../arithmetic.ts";
import { blockPoint } from "../block-point.ts";
import { type Expr, f32x, i32 } from "../language/language.ts";
import { loopOver } from "../loops.ts";
import { storesLeaf } from "../map.ts";
import { isAffine, scaleOf } from "../nest.ts";
import type { Quantities } from "../quantities.ts";
import { row } from "../reduce/reduce.ts";
import type { Work } from "../reduce/work.ts";
import { indexCode, type Point } from "../language/scalar-code.ts";
import { flatIndex } from "../language/vector-code.ts";

type Load = Extract<Scalar, { kind: "load" }>;

interface Factor {
  readonly load: Load;
  readonly flat: Index;
}

const bytes = 4;
const tileRows = 4;
const tileVectors = 2;

/** The factor that moves with the rows and the one that moves with the columns; undefined where a reduction is no product of matrices. */
function factorsOf({ kernel, body, sizes, overSizes }: Work): readonly [Factor, Factor] | undefined {
  const [down, across] = [sizes.length - 2, sizes.length - 1];
  if (kernel.combine !== "sum" || down < 0 || overSizes.length === 0) return undefined;
  if (body.kind !== "apply" || body.fn !== "mul" || body.dtype !== "float32") return undefined;
  const factors = body.args.flatMap(load => (load.kind === "load" ? [{ load, flat: flatIndex(load) }] : []));
  if (factors.length !== 2 || !factors.every(({ flat }) => isAffine(flat))) return undefined;
  const isPair = ([a, b]: readonly Factor[]): boolean =>
    scaleOf(a.flat, down) !== 0 && scaleOf(a.flat, across) === 0 && scaleOf(b.flat, down) === 0 && scaleOf(b.flat, across) === 1;
  const [first, second] = factors;
  return isPair(factors) ? [first, second] : isPair([second, first]) ? [second, first] : undefined;
}

/** Records the whole reduction as a product of matrices; false if it is none. Neighbouring results can be stored as vectors. */
export function productOfMatrices(work: Work, outer: Point, quantities: Quantities): boolean {
  const factors = factorsOf(work);
  if (factors === undefined) return false;
  const { k, addresses, sizes, body, stores } = work;
  const down = sizes.length - 2;
  const number = (value: number): Expr<"i32"> => quantities.i32(value);
  const [rows, columns] = [number(sizes[down]), number(sizes[down + 1])];
  const width = k.target.lanes32;
  const whole = k.let(i32.and(rows, -tileRows));
  const inPairs = k.let(i32.and(columns, -width * tileVectors));
  const inVectors = k.let(i32.and(columns, -width));
  const rest = k.let(i32.sub(columns, inVectors));
  const product = new Product(work, factors, quantities);
  loopOver(
    { k, addresses, sizes: sizes.slice(0, -2), bodies: [body, ...stores.map(store => store.body)], outer },
    {
      scalar: at => {
        const onRows = (visit: (first: Expr<"i32">, height: number) => void): void => {
          k.loop({ to: whole, step: tileRows }, first => visit(first, tileRows));
          k.loop({ from: whole, to: rows }, first => visit(first, 1));
        };
        k.loop({ to: inPairs, step: width * tileVectors }, column =>
          onRows((first, height) => product.storeVectors(product.tile(at, first, column, height, tileVectors))),
        );
        k.loop({ from: inPairs, to: inVectors, step: width }, column =>
          onRows((first, height) => product.storeVectors(product.tile(at, first, column, height, 1))),
        );
        k.if(i32.and(i32.ne(rest, 0), i32.ge(columns, width)), () => {
          const column = k.let(plus(columns, -width));
          onRows((first, height) => product.storeLanes(product.tile(at, first, column, height, 1), rest));
        });
        k.if(i32.lt(columns, width), () =>
          k.loop({ to: rows }, first =>
            k.loop({ to: columns }, column =>
              row(work, { ...at, axes: [...at.axes.slice(0, down), first, column], memo: new Map(at.memo) }),
            ),
          ),
        );
      },
    },
  );
  return true;
}

/** Finished sums: of rows from the point's on, each some vectors of columns from the point's on. */
interface Tile {
  readonly at: Point;
  readonly sums: readonly (readonly Expr<"vec">[])[];
}

class Product {
  private readonly work: Work;
  private readonly factors: readonly [Factor, Factor];
  private readonly rowStep: Expr<"i32">;
  /** Steps along the reduced axes: how often, and by how many bytes in each factor. */
  private readonly steps: readonly { readonly count: Expr<"i32">; readonly a: Expr<"i32">; readonly b: Expr<"i32"> }[];

  constructor(work: Work, factors: readonly [Factor, Factor], quantities: Quantities) {
    const { k, sizes, overSizes } = work;
    this.work = work;
    this.factors = factors;
    const step = ({ flat }: Factor, axis: number): Expr<"i32"> => k.let(quantities.i32(scaleOf(flat, axis) * bytes));
    this.rowStep = step(factors[0], sizes.length - 2);
    this.steps = overSizes.map((size, i) => ({
      count: quantities.i32(size),
      a: step(factors[0], sizes.length + i),
      b: step(factors[1], sizes.length + i),
    }));
  }

  /** The sums of `height` rows and some vectors of columns. */
  tile(outer: Point, first: Expr<"i32">, column: Expr<"i32">, height: number, vectors: number): Tile {
    const { k, sizes } = this.work;
    const down = sizes.length - 2;
    const width = k.target.lanes32;
    const at: Point = { ...outer, axes: [...outer.axes.slice(0, down), first, column], memo: new Map(outer.memo) };
    const [a, b] = this.factors.map(factor => this.start(factor, at));
    const lines = [a];
    while (lines.length < height) lines.push(k.let(i32.add(lines[lines.length - 1], this.rowStep)));
    const sums = lines.map(() => Array.from({ length: vectors }, () => k.vector("f32x", 0)));
    const offsets = { a: k.number("i32", 0), b: k.number("i32", 0) };
    const step = (): void => {
      const from = k.let(i32.add(b, offsets.b));
      const loaded = Array.from({ length: vectors }, (_, v) => k.let(f32x.load(from, v * width * bytes)));
      for (const [r, line] of lines.entries()) {
        const factor = k.let(f32x.loadSplat(i32.add(line, offsets.a), 0));
        for (const [v, vector] of loaded.entries()) k.set(sums[r][v], f32x.madd(factor, vector, sums[r][v]));
      }
    };
    const walk = (depth: number): void => {
      const { count, a: stepA, b: stepB } = this.steps[depth];
      const isLast = depth === this.steps.length - 1;
      k.loop({ to: count }, () => {
        const [startA, startB] = isLast ? [offsets.a, offsets.b] : [k.let(offsets.a), k.let(offsets.b)];
        if (isLast) step();
        else walk(depth + 1);
        k.set(offsets.a, i32.add(startA, stepA));
        k.set(offsets.b, i32.add(startB, stepB));
      });
    };
    walk(0);
    return { at, sums };
  }

  storeVectors(tile: Tile): void {
    const across = this.work.sizes.length - 1;
    const leaf = storesLeaf(this.work.stores, across);
    this.eachSum(tile, (point, sum, v) => leaf.vector?.(blockPoint({ ...point, accumulator: sum }, across, v, undefined, this.work.k), v));
  }

  /** The last `rest` lanes, one by one. */
  storeLanes(tile: Tile, rest: Expr<"i32">): void {
    const { k, sizes, stores } = this.work;
    const across = sizes.length - 1;
    const leaf = storesLeaf(stores, across);
    this.eachSum(tile, (point, sum) => {
      for (let lane = 1; lane < k.target.lanes32; lane++)
        k.if(i32.ge(rest, k.target.lanes32 - lane), () => {
          const axes = [...point.axes];
          axes[across] = k.let(plus(axes[across], lane));
          leaf.scalar({ ...point, axes, accumulator: f32x.extract(sum, lane), memo: new Map(point.memo) });
        });
    });
  }

  private eachSum({ at, sums }: Tile, visit: (point: Point, sum: Expr<"vec">, v: number) => void): void {
    const down = this.work.sizes.length - 2;
    for (const [r, line] of sums.entries()) {
      const axes = [...at.axes];
      axes[down] = plus(axes[down], r);
      for (const [v, sum] of line.entries()) visit({ ...at, axes, memo: new Map(at.memo) }, sum, v);
    }
  }

  /** Where a factor is at the beginning of the reduced space. */
  private start({ load, flat }: Factor, at: Point): Expr<"i32"> {
    const { k, sizes } = this.work;
    const outside = flat.terms.filter(({ atom }) => atom.kind === "axis" && atom.axis < sizes.length);
    const { base } = at.addresses.of(load.source);
    return k.let(i32.add(base, i32.mul(indexCode({ ...flat, terms: outside }, at), bytes)));
  }
}
