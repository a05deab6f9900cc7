// Products whose few columns would leave lanes of a tile empty (the last layer of a classifier): terms move along the lanes, a tile of rows ×
// columns keeps a vector of partial sums for each result, and what is in its lanes is added up at the end.

import type { Value } from "../../ir/program.ts";
import { sizeOf } from "../../base/shape.ts";
import { storeCost } from "../../schedule/cost.ts";
import { least, plus, times } from "../arithmetic.ts";
import { blockPoint } from "../block-point.ts";
import { type Axis, type ContractForm, type ContractKernel, fewestRows } from "./plan.ts";
import { type Expr, f32, f32x, i32, type Local } from "../language/language.ts";
import { storesLeaf, valuesOf } from "../map.ts";
import type { Phase, Recording } from "../phase.ts";
import { Addresses } from "../places.ts";
import type { FunctionRecorder, FunctionRef } from "../language/recorder.ts";
import type { Point } from "../language/scalar-code.ts";
import type { Target } from "../target.ts";

export interface DotsPlan extends ContractForm {
  readonly row: Axis;
  readonly terms: Axis;
  /** Rows of a tile, and the columns of each group of tiles. */
  readonly tileRows: number;
  readonly groups: readonly number[];
  /** B with terms as neighbours, or undefined where they are that. */
  readonly turned: Value | undefined;
  /** From one column of B, as tiles read it, to the next. */
  readonly pitch: number;
}

const bytes = 4;
const mostColumns = 16;
const mostColumnsOfTile = 5;
/** Columns of a tile stay in the first cache. */
const mostTerms = 1280;
/** Adding up lanes takes as long as so many terms of a result. */
const sumTerms = 48;
const line = 16;

/** The plan, or undefined where lanes of a tile are filled well enough. */
export function planDots(form: ContractForm, { panels }: ContractKernel, target: Target): DotsPlan | undefined {
  const { batch, rows, column, reduced } = form;
  const [[row], [terms]] = [rows, reduced];
  if (target.joinsPairs || panels || batch.length > 0 || rows.length !== 1 || reduced.length !== 1) return undefined;
  if (row.size < fewestRows || row.a < 0 || terms.a !== 1 || terms.size > mostTerms || column.size > mostColumns) return undefined;
  const filled = Math.ceil(column.size / target.lanes32) * target.lanes32;
  if (terms.size * (filled / column.size - 1) < sumTerms) return undefined;
  const isNeighbour = terms.b === 1 && column.b > 0;
  if (!isNeighbour && (column.b !== 1 || terms.b < 1)) return undefined;
  const count = Math.ceil(column.size / mostColumnsOfTile);
  const groups = Array.from({ length: count }, (_, g) => Math.floor((column.size + count - 1 - g) / count));
  // Columns a power of two apart would share the first cache's sets.
  const pitch = isNeighbour ? column.b : line * (Math.ceil(terms.size / line) | 1);
  const turned: Value | undefined = isNeighbour ? undefined : { id: -3, dtype: "float32", shape: [column.size, pitch] };
  // Registers hold all sums, and beside them a line of A each and one of B, or at the end a row's sums made as many as there are lanes.
  const [columns] = groups;
  const whileSumming = Math.floor((target.vectorRegisters - 1) / (columns + 1));
  const whileAddingUp = Math.floor((target.vectorRegisters - Math.max(0, target.lanes32 - columns)) / columns);
  const tileRows = Math.max(2, Math.min(whileSumming, whileAddingUp));
  return { ...form, row, terms, tileRows, groups, turned, pitch };
}

export const dotsValues = ({ paddings, turned }: DotsPlan): Value[] => [
  ...paddings.map(({ padded }) => padded),
  ...(turned ? [turned] : []),
];

/** Records the phases; operands are padded, scratch values have their places. */
export function recordDots(kernel: ContractKernel, plan: DotsPlan, recording: Recording): Phase[] {
  const name = recording.name("contract");
  const sums = recordSums(kernel, plan, name, recording);
  return plan.turned ? [recordTurned(plan, plan.turned, name, recording), sums] : [sums];
}

/** B's columns as rows of `turned`. */
function recordTurned({ b, bFlat, column, terms }: DotsPlan, turned: Value, contract: string, { module, places }: Recording): Phase {
  const name = `${contract}.turned`;
  const width = module.target.lanes32;
  const pitch = turned.shape[1];
  const blocks = Math.floor(terms.size / width);
  const ref = module.function(name, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, places, [b, turned]);
    const source = k.let(plus(addresses.number(addresses.of(b)), bFlat.offset * bytes));
    const target = k.let(addresses.number(addresses.of(turned)));
    const from = k.let(plus(source, times(low, width * terms.b * bytes)));
    const to = k.let(plus(target, times(low, width * bytes)));
    k.loop({ from: low, to: least(high, blocks) }, () => {
      for (let first = 0; first < column.size; first += width) {
        const part = Math.min(width, column.size - first);
        const vectors = Array.from({ length: width }, (_, t) => k.let(loadSome(part, width, from, (t * terms.b + first) * bytes)));
        k.transpose("f32x", vectors);
        for (const [c, vector] of vectors.slice(0, part).entries()) k.store("f32x", to, (first + c) * pitch * bytes, vector);
      }
      k.set(from, plus(from, width * terms.b * bytes));
      k.set(to, plus(to, width * bytes));
    });
    const rest = terms.size - blocks * width;
    if (rest > 0)
      k.if(i32.gt(high, blocks), () => {
        for (let t = 0; t < rest; t++)
          for (let c = 0; c < column.size; c++) k.store("f32", to, (c * pitch + t) * bytes, f32.load(from, (t * terms.b + c) * bytes));
      });
  });
  return { name, function: ref, units: Math.ceil(terms.size / width), work: storeCost * column.size * terms.size };
}

const loadSome = (count: number, width: number, address: Expr<"i32">, offset: number): Expr<"vec"> =>
  count === width ? f32x.load(address, offset) : f32x.loadPart(count, address, offset);

/** Units are tiles of rows, those of one group of columns after those of another. */
function recordSums(kernel: ContractKernel, plan: DotsPlan, name: string, recording: Recording): Phase {
  const { row, groups, tileRows } = plan;
  const whole = Math.floor(row.size / tileRows);
  const rest = row.size - whole * tileRows;
  const tiles = Math.ceil(row.size / tileRows);
  const tileOf = (height: number, columns: number): FunctionRef =>
    recording.module.once(`${name}.tile${height}x${columns}`, () => recordTile(kernel, plan, { name, height, columns }, recording));
  const ref = recording.module.function(name, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    let column = 0;
    for (const [g, columns] of groups.entries()) {
      const from = k.let(i32.max(plus(low, -g * tiles), 0));
      const to = k.let(plus(high, -g * tiles));
      if (whole > 0) k.call(tileOf(tileRows, columns), from, least(to, whole), column);
      if (rest > 0) k.call(tileOf(rest, columns), i32.max(from, whole), least(to, tiles), column);
      column += columns;
    }
  });
  return { name, function: ref, units: groups.length * tiles, work: sizeOf(kernel.shape) * (sizeOf(kernel.over) + storeCost) };
}

/** (from, to, column): tiles of so many rows. Of a height that is not the usual one there is one tile, the last. */
function recordTile(
  kernel: ContractKernel,
  plan: DotsPlan,
  { name, height, columns }: { name: string; height: number; columns: number },
  { module, places }: Recording,
): FunctionRef {
  const { a, b, aFlat, bFlat, outFlat, row, column: columnAxis, terms, turned, pitch, tileRows } = plan;
  const stores = kernel.stores.map(({ out }, i) => ({ out, body: plan.epilogues[i], flat: outFlat }));
  const params = { from: "i32", to: "i32", column: "i32" } as const;
  return module.function(`${name}.tile${height}x${columns}`, { params }, (k, { from, to, column }) => {
    const width = k.target.lanes32;
    const columnsOf = turned ?? b;
    const addresses = new Addresses(k, places, [a, columnsOf, ...valuesOf({ stores })]);
    const left = k.let(plus(addresses.number(addresses.of(a)), aFlat.offset * bytes));
    const right = plus(addresses.number(addresses.of(columnsOf)), (turned ? 0 : bFlat.offset) * bytes);
    const ofColumn = k.let(plus(right, times(column, pitch * bytes)));
    const leaf = storesLeaf(stores, columnAxis.axis);
    k.loop({ from, to }, tile => {
      const firstRow = k.let(times(tile, tileRows));
      const sums = Array.from({ length: height }, () => Array.from({ length: columns }, () => k.vector("f32x", 0)));
      const [x, y] = [k.let(plus(left, times(firstRow, row.a * bytes))), k.let(ofColumn)];
      const step = (count: number): void => {
        const lines = sums.map((_, r) => k.let(loadSome(count, width, x, r * row.a * bytes)));
        for (let c = 0; c < columns; c++) {
          const vector = k.let(loadSome(count, width, y, c * pitch * bytes));
          for (const [r, line] of lines.entries()) k.set(sums[r][c], f32x.madd(line, vector, sums[r][c]));
        }
      };
      k.loop({ to: Math.floor(terms.size / width) }, () => {
        step(width);
        k.set(x, plus(x, width * bytes));
        k.set(y, plus(y, width * bytes));
      });
      if (terms.size % width > 0) step(terms.size % width);
      for (const [r, line] of sums.entries()) {
        const axes: Expr<"i32">[] = [];
        axes[row.axis] = plus(firstRow, r);
        axes[columnAxis.axis] = column;
        const point: Point = { k, addresses, axes, memo: new Map() };
        for (let v = 0; v * width < columns; v++) {
          const part = columns - v * width < width ? columns - v * width : undefined;
          const accumulator = addedUp(k, line.slice(v * width, (v + 1) * width));
          leaf.vector?.(blockPoint({ ...point, accumulator }, columnAxis.axis, v, part, k), v);
        }
      }
    });
  });
}

/** A vector of what the lanes of each come to. */
function addedUp(k: FunctionRecorder, sums: readonly Local<"vec">[]): Local<"vec"> {
  const square = Array.from({ length: k.target.lanes32 }, (_, i) => sums[i] ?? k.vector("f32x", 0));
  k.transpose("f32x", square);
  let level: readonly Expr<"vec">[] = square;
  while (level.length > 1) level = level.flatMap((x, i) => (i % 2 === 0 ? [f32x.add(x, level[i + 1])] : []));
  return k.let(level[0]);
}
