// Matrix products by blocks that fit the caches (contract/blocks-plan.ts): a unit copies what it needs of A and B as panels and tiles read
// it, and keeps its sums, tile after tile, in scratch of its thread until the last block of the reduced space ends in the kernel's stores.

import { sizeOf } from "../../base/shape.ts";
import { addIndex, axisIndex, type Index, scaleIndex } from "../../ir/index-map.ts";
import { loadScalar, type Scalar } from "../../ir/scalar.ts";
import type { Value } from "../../ir/program.ts";
import { storeCost } from "../../schedule/cost.ts";
import { least, plus, times } from "../arithmetic.ts";
import { blockPoint } from "../block-point.ts";
import { type PointedStores, pointedStores, pointerAt, pointerStep, storeAt } from "./pointers.ts";
import type { BlocksPlan } from "./blocks-plan.ts";
import { rowsOf } from "./blocks-plan.ts";
import type { Axis, ContractKernel } from "./plan.ts";
import { type Arg, type Expr, f32, f32x, i32, type Local } from "../language/language.ts";
import { storesLeaf, valuesOf } from "../map.ts";
import type { Phase, Recording } from "../phase.ts";
import { Addresses } from "../places.ts";
import type { FunctionRecorder, FunctionRef } from "../language/recorder.ts";
import { recordReduce } from "../reduce/reduce.ts";
import type { Point } from "../language/scalar-code.ts";

const bytes = 4;

/** What the functions of one product share. */
interface Work {
  readonly kernel: ContractKernel;
  readonly plan: BlocksPlan;
  readonly recording: Recording;
  readonly name: string;
  readonly stores: readonly { readonly out: Value; readonly body: Scalar; readonly flat: Index }[];
  /** The number of the counter that tells slices apart. */
  readonly sliceAxis: number;
  /** The stores by pointers, where tiles need no more than those: then they are the same for many kernels. */
  readonly pointed: PointedStores | undefined;
}

/** Records the phases; operands are padded, scratch values have their places. */
export function recordBlocks(kernel: ContractKernel, plan: BlocksPlan, recording: Recording): Phase[] {
  const { partial, outFlat } = plan;
  const name = recording.name("contract");
  const sliceAxis = 1 + Math.max(...[...plan.rows, plan.column, ...plan.reduced].map(({ axis }) => axis));
  const inSlice = partial && addIndex(scaleIndex(axisIndex(sliceAxis, plan.slices), sizeOf(kernel.shape)), outFlat);
  const stores = inSlice
    ? [{ out: partial, body: { kind: "accumulator", dtype: "float32" } as const, flat: inSlice }]
    : kernel.stores.map(({ out }, i) => ({ out, body: plan.epilogues[i], flat: outFlat }));
  // Neighbours in the result are columns of a tile, or rows where it is turned.
  const along = plan.column.out === 1 ? plan.column.axis : plan.rows[plan.rows.length - 1].axis;
  const pointed = recording.module.target.joinsPairs ? undefined : pointedStores(stores, along);
  const work: Work = { kernel, plan, recording, name, stores, sliceAxis, pointed };
  const copyRows = plan.copyA === "none" ? undefined : recordCopyRows(work);
  const copyColumns = plan.copyB === "own" || plan.copyB === "shared" ? recordCopyColumns(work) : undefined;
  const phases: Phase[] = [];
  if (copyRows && plan.sharedA) phases.push(sharedRows(work, copyRows, plan.sharedA));
  if (copyColumns && plan.sharedB) phases.push(sharedColumns(work, copyColumns, plan.sharedB));
  phases.push(recordUnits(work, copyRows, copyColumns));
  if (partial) phases.push(...addSlices(kernel, partial, recording));
  return phases;
}

/** What is left to do with the sums of slices. */
function addSlices({ shape, stores }: ContractKernel, partial: Value, recording: Recording): Phase[] {
  const at = [axisIndex(shape.length, partial.shape[0]), ...shape.map((size, axis) => axisIndex(axis, size))];
  const body = loadScalar(partial, at);
  return recordReduce({ kind: "reduce", shape, over: [partial.shape[0]], combine: "sum", body, accumulator: "float32", stores }, recording);
}

// ---- blocks of the reduced space ----

interface Block {
  /** Where it begins in A and in B, in bytes. */
  readonly a: Expr<"i32">;
  readonly b: Expr<"i32">;
  /** Steps of the axis that is cut. */
  readonly steps: Expr<"i32">;
}

/** Block number `block`, all axes outside of the one that is cut counted in one. */
function blockAt(k: FunctionRecorder, { plan }: Work, block: Expr<"i32">): Block {
  const { reduced, depth, steps, blocksAlong } = plan;
  const along = blocksAlong === 1 ? i32.const(0) : depth === 0 ? block : k.let(i32.remU(block, blocksAlong));
  const start = k.let(times(along, steps));
  let a = times(start, reduced[depth].a * bytes);
  let b = times(start, reduced[depth].b * bytes);
  let rest: Expr<"i32"> = depth === 0 ? i32.const(0) : blocksAlong === 1 ? block : k.let(i32.divU(block, blocksAlong));
  for (let d = depth - 1; d >= 0; d--) {
    const here = d === 0 ? rest : k.let(i32.remU(rest, reduced[d].size));
    a = plus(a, times(here, reduced[d].a * bytes));
    b = plus(b, times(here, reduced[d].b * bytes));
    if (d > 0) rest = k.let(i32.divU(rest, reduced[d].size));
  }
  const { size } = reduced[depth];
  return { a: k.let(a), b: k.let(b), steps: size % steps === 0 ? i32.const(steps) : k.let(least(i32.sub(size, start), steps)) };
}

/** Walks a block: `run` takes `count` neighbours along the last axis, `from` moves along by the operand's strides. */
function walkBlock(
  k: FunctionRecorder,
  { reduced, depth }: BlocksPlan,
  operand: "a" | "b",
  steps: Arg<"i32">,
  from: Local<"i32">,
  run: (count: Arg<"i32">) => void,
): void {
  const walk = (d: number): void => {
    const count = d === depth ? steps : reduced[d].size;
    if (d === reduced.length - 1) {
      run(count);
      return;
    }
    k.loop({ to: count }, () => {
      const start = k.let(from);
      walk(d + 1);
      k.set(from, plus(start, reduced[d][operand] * bytes));
    });
  };
  walk(depth);
}

const move = (k: FunctionRecorder, pointer: Local<"i32">, by: number): void => {
  if (by !== 0) k.set(pointer, plus(pointer, by * bytes));
};

// ---- copies ----

/** (from, to, first, last, steps): tiles first to last of the rows that begin at `from`. */
function recordCopyRows({ plan, recording, name }: Work): FunctionRef {
  const { rows, reduced, terms } = plan;
  const { a: rowStep } = rows[rows.length - 1];
  const { a: step } = reduced[reduced.length - 1];
  const params = { from: "i32", to: "i32", first: "i32", last: "i32", steps: "i32" } as const;
  return recording.module.function(`${name}.rows`, { params }, (k, { from, to, first, last, steps }) => {
    eachTile(k, plan, first, last, (row, height) => {
      const source = k.let(plus(from, times(row, rowStep * bytes)));
      const place = k.let(plus(to, times(row, terms * bytes)));
      const copy = copyOfTile(recording, height, rowStep === 1 ? "along" : step === 1 ? "turned" : "apart");
      walkBlock(k, plan, "a", steps, source, count => {
        k.call(copy, source, place, count, rowStep * bytes, step * bytes);
        k.set(place, plus(place, times(lifted(count), height * bytes)));
      });
    });
  });
}

/** (from, to, count, row, step): a tile's rows, `row` bytes apart, at `count` places, `step` bytes apart; one function for all kernels. Rows lie along
 *  the vectors, or places do and blocks are turned, or neither. */
function copyOfTile({ module, name }: Recording, height: number, how: "along" | "turned" | "apart"): FunctionRef {
  return module.once(`rows ${how} ${height}`, () => {
    const params = { from: "i32", to: "i32", count: "i32", row: "i32", step: "i32" } as const;
    return module.function(name("rows"), { params }, (k, { from, to, count, row, step }) => {
      const width = k.target.lanes32;
      const parts = Array.from({ length: Math.ceil(height / width) }, (_, g) => Math.min(width, height - g * width));
      if (how === "along")
        return k.loop({ to: count }, () => {
          for (const [g, part] of parts.entries()) copyPart(k, part, from, g * width * bytes, to, g * width * bytes);
          k.set(from, plus(from, step));
          move(k, to, height);
        });
      const rows = [from];
      while (rows.length < height) rows.push(k.let(plus(rows[rows.length - 1], row)));
      const end = k.let(how === "turned" ? i32.mul(count, bytes) : i32.mul(count, step));
      const turned = how === "turned" ? k.let(i32.and(end, -width * bytes)) : i32.const(0);
      if (how === "turned")
        k.loop({ to: turned, step: width * bytes }, at => {
          const columns = parts.map((part, g) => {
            const vectors = Array.from({ length: width }, (_, r) =>
              r < part ? k.let(f32x.load(plus(rows[g * width + r], at))) : k.vector("f32x", 0),
            );
            k.transpose("f32x", vectors);
            return vectors;
          });
          for (let t = 0; t < width; t++)
            for (const [g, part] of parts.entries()) storePart(k, part, to, (t * height + g * width) * bytes, columns[g][t]);
          move(k, to, width * height);
        });
      const at = k.let(turned);
      k.while(i32.ne(at, end), () => {
        for (const [r, one] of rows.entries()) k.store("f32", to, r * bytes, f32.load(plus(one, at)));
        k.set(at, plus(at, step));
        move(k, to, height);
      });
    });
  });
}

const lifted = (x: Arg<"i32">): Expr<"i32"> => (typeof x === "number" ? i32.const(x) : x);

function copyPart(k: FunctionRecorder, part: number, from: Expr<"i32">, offset: number, to: Expr<"i32">, target: number): void {
  storePart(k, part, to, target, part === k.target.lanes32 ? f32x.load(from, offset) : f32x.loadPart(part, from, offset));
}

function storePart(k: FunctionRecorder, part: number, to: Expr<"i32">, offset: number, value: Expr<"vec">): void {
  if (part === k.target.lanes32) k.store("f32x", to, offset, value);
  else k.storePart("f32x", part, to, offset, value);
}

/** Tiles [from, to): where each begins, and its height. */
function eachTile(
  k: FunctionRecorder,
  { tiles: { count, small, large } }: BlocksPlan,
  from: Expr<"i32">,
  to: Expr<"i32">,
  body: (row: Expr<"i32">, height: number) => void,
): void {
  if (large > 0) k.loop({ from, to: least(to, large) }, tile => body(k.let(times(tile, small + 1)), small + 1));
  if (large < count)
    k.loop({ from: large > 0 ? i32.max(from, large) : from, to }, tile => body(k.let(plus(times(tile, small), large)), small));
}

/** Columns of the last panel if it is not whole. */
const restOf = ({ column, tile }: BlocksPlan): number => column.size % tile.columns;
const wholePanels = ({ column, tile }: BlocksPlan): number => Math.floor(column.size / tile.columns);

/** Panels that are copied side by side. */
const mostPanelsCopied = 8;

/** (from, to, first, last, steps): panels first to last; column 0 begins at `from`, the panel `first` at `to`. */
function recordCopyColumns({ plan, recording, name }: Work): FunctionRef {
  const { column, reduced, terms, tile } = plan;
  const panelsAtOnce = Math.min(plan.panelsAtOnce, mostPanelsCopied);
  const last = reduced[reduced.length - 1];
  const perPanel = terms * tile.columns;
  const params = { from: "i32", to: "i32", first: "i32", last: "i32", steps: "i32" } as const;
  return recording.module.function(`${name}.columns`, { params }, (k, { from, to, first, last: end, steps }) => {
    const width = k.target.lanes32;
    const panels = (panel: Expr<"i32">, count: number, columns: number): void => {
      const source = k.let(plus(from, times(panel, tile.columns * column.b * bytes)));
      const place = k.let(plus(to, times(i32.sub(panel, first), perPanel * bytes)));
      const groups = Array.from({ length: Math.ceil(columns / width) }, (_, g) => Math.min(width, columns - g * width));
      const next = (by: number): void => {
        move(k, source, by * last.b);
        move(k, place, by * tile.columns);
      };
      const scalar = (): void => {
        for (const [g, part] of groups.entries())
          for (let c = 0; c < width; c++) {
            const at = (g * width + c) * bytes;
            k.store("f32", place, at, c < part ? f32.load(source, at * column.b) : 0);
          }
      };
      walkBlock(k, plan, "b", steps, source, size => {
        if (column.b === 1)
          return k.loop({ to: size }, () => {
            for (let p = 0; p < count; p++) {
              const line = groups.map((part, g) => {
                const at = (p * tile.columns + g * width) * bytes;
                const vector = part === width ? f32x.load(source, at) : f32x.loadPart(part, source, at);
                return k.target.joinsPairs ? k.let(vector) : vector;
              });
              for (const [g, vector] of line.entries()) k.store("f32x", place, (p * perPanel + g * width) * bytes, vector);
            }
            next(1);
          });
        const turned = last.b === 1 ? k.let(i32.and(lifted(size), -width)) : i32.const(0);
        if (last.b === 1)
          k.loop({ to: turned, step: width }, () => {
            for (const [g, part] of groups.entries()) {
              const vectors = Array.from({ length: width }, (_, c) =>
                c < part ? k.let(f32x.load(source, (g * width + c) * column.b * bytes)) : k.vector("f32x", 0),
              );
              k.transpose("f32x", vectors);
              for (const [t, vector] of vectors.entries()) k.store("f32x", place, (t * tile.columns + g * width) * bytes, vector);
            }
            next(width);
          });
        k.loop({ from: turned, to: size }, () => {
          scalar();
          next(1);
        });
      });
    };
    const rest = restOf(plan);
    const whole = k.let(least(end, wholePanels(plan)));
    if (column.b === 1 && panelsAtOnce > 1) {
      const together = k.let(i32.sub(whole, i32.remU(i32.max(i32.sub(whole, first), 0), panelsAtOnce)));
      k.loop({ from: first, to: together, step: panelsAtOnce }, panel => panels(panel, panelsAtOnce, tile.columns));
      k.loop({ from: i32.max(together, first), to: whole }, panel => panels(panel, 1, tile.columns));
    } else k.loop({ from: first, to: whole }, panel => panels(panel, 1, tile.columns));
    if (rest > 0) k.if(i32.gt(end, wholePanels(plan)), () => panels(k.number("i32", wholePanels(plan)), 1, rest));
  });
}

/** All rows, block after block of the reduced space. */
function sharedRows(work: Work, copy: FunctionRef, shared: Value): Phase {
  const { plan, recording } = work;
  const { tiles, outerRows, blocks, terms, rows, a, aFlat } = plan;
  const inner = rows[rows.length - 1].size;
  const name = `${work.name}.allRows`;
  const group = 4;
  const perOuter = Math.ceil(tiles.count / group);
  const ref = recording.module.function(name, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, recording.places, [a, shared]);
    const source = k.let(plus(addresses.number(addresses.of(a)), aFlat.offset * bytes));
    const target = k.let(addresses.number(addresses.of(shared)));
    k.loop({ from: low, to: high }, unit => {
      const outer = outerRows === 1 ? i32.const(0) : k.let(i32.divU(unit, perOuter));
      const first = k.let(times(outerRows === 1 ? unit : i32.remU(unit, perOuter), group));
      const from = k.let(plus(source, outerOffset(k, plan, outer)));
      const to = k.let(plus(target, times(outer, inner * terms * bytes)));
      k.loop({ to: blocks }, block => {
        const { a: at, steps } = blockAt(k, work, block);
        k.call(copy, plus(from, at), to, first, least(plus(first, group), tiles.count), steps);
        k.set(to, plus(to, inner * outerRows * terms * bytes));
      });
    });
  });
  return { name, function: ref, units: outerRows * perOuter, work: storeCost * sizeOf(shared.shape) };
}

/** All columns, block after block of the reduced space. */
function sharedColumns(work: Work, copy: FunctionRef, shared: Value): Phase {
  const { plan, recording } = work;
  const { panels, panelsAtOnce, columnBlocks, blocks, terms, tile, b, bFlat } = plan;
  const name = `${work.name}.allColumns`;
  const ref = recording.module.function(name, { params: { low: "i32", high: "i32" } }, (k, { low, high }) => {
    const addresses = new Addresses(k, recording.places, [b, shared]);
    const source = k.let(plus(addresses.number(addresses.of(b)), bFlat.offset * bytes));
    const target = k.let(addresses.number(addresses.of(shared)));
    k.loop({ from: low, to: high }, unit => {
      const block = columnBlocks === 1 ? unit : k.let(i32.divU(unit, columnBlocks));
      const first = k.let(times(columnBlocks === 1 ? i32.const(0) : i32.remU(unit, columnBlocks), panelsAtOnce));
      const { b: at, steps } = blockAt(k, work, block);
      const to = plus(target, times(plus(times(block, panels), first), terms * tile.columns * bytes));
      k.call(copy, plus(source, at), to, first, least(plus(first, panelsAtOnce), panels), steps);
    });
  });
  return { name, function: ref, units: blocks * columnBlocks, work: storeCost * sizeOf(shared.shape) };
}

/** Where a place of the outer row axes is in A, in bytes. */
function outerOffset(k: FunctionRecorder, plan: BlocksPlan, outer: Expr<"i32">): Expr<"i32"> {
  return outerCounters(k, plan, outer).reduce<Expr<"i32">>(
    (sum, [axis, counter]) => plus(sum, times(counter, axis.a * bytes)),
    i32.const(0),
  );
}

function outerCounters(k: FunctionRecorder, { rows }: BlocksPlan, outer: Expr<"i32">): (readonly [Axis, Expr<"i32">])[] {
  const axes = rows.slice(0, -1);
  const counters: (readonly [Axis, Expr<"i32">])[] = [];
  let rest = outer;
  for (let d = axes.length - 1; d >= 0; d--) {
    counters.push([axes[d], d === 0 ? rest : k.let(i32.remU(rest, axes[d].size))]);
    if (d > 0) rest = k.let(i32.divU(rest, axes[d].size));
  }
  return counters;
}

// ---- the products ----

function recordUnits(work: Work, copyRows: FunctionRef | undefined, copyColumns: FunctionRef | undefined): Phase {
  const { plan, recording, kernel, name, pointed } = work;
  const pointers = pointed?.pointers ?? [];
  const { a, b, aFlat, bFlat, rows, tile, tiles, terms, blocks, slices, rowBlocks, columnBlocks, outerRows, panels } = plan;
  const { tilesAtOnce, panelsAtOnce, isShallow, copyA, copyB, sharedA, sharedB, givenB, scratch, termsEach } = plan;
  const inner = rows[rows.length - 1];
  const total = rowsOf(plan);
  const width = tile.columns;
  const heights = [...(tiles.large > 0 ? [tiles.small + 1] : []), ...(tiles.large < tiles.count ? [tiles.small] : [])];
  const widths = [...(wholePanels(plan) > 0 ? [width] : []), ...(restOf(plan) > 0 ? [restOf(plan)] : [])];
  const multiply = new Map(widths.map(w => [w, new Map(heights.map(h => [h, recordTile(work, h, w)]))]));
  const units = slices * outerRows * rowBlocks * columnBlocks;
  const rowsAtOnce = tilesAtOnce * (tiles.small + 1);
  const params = { low: "i32", high: "i32", thread: "i32" } as const;
  const ref = recording.module.function(name, { params }, (k, { low, high, thread }) => {
    const addresses = new Addresses(
      k,
      recording.places,
      pointers.map(({ value }) => value),
    );
    const base = (value: Value): Expr<"i32"> => k.let(addresses.number(addresses.of(value)));
    for (const [p, pointer] of pointers.entries()) {
      const step = pointerStep(pointer, acrossOf(plan));
      if (step !== 0) k.assign(stepVariable(p), step);
    }
    const own = scratch && k.let(plus(base(scratch), times(thread, scratch.shape[1] * bytes)));
    const [sourceA, sourceB] = [
      copyA === "shared" ? undefined : k.let(plus(base(a), aFlat.offset * bytes)),
      copyB === "own" || copyB === "none" ? k.let(plus(base(b), bFlat.offset * bytes)) : undefined,
    ];
    const columns = givenB ?? sharedB;
    const [allRows, allColumns] = [sharedA && base(sharedA), columns && base(columns)];
    const ownB = own && k.let(plus(own, plan.ownB * bytes));
    const sums = own && k.let(plus(own, plan.ownSums * bytes));
    k.loop({ from: low, to: high }, unit => {
      let rest: Expr<"i32"> = unit;
      const take = (count: number): Expr<"i32"> => {
        if (count === 1) return i32.const(0);
        const digit = k.let(i32.remU(rest, count));
        rest = k.let(i32.divU(rest, count));
        return digit;
      };
      const firstPanel = k.let(times(take(columnBlocks), panelsAtOnce));
      const firstTile = k.let(times(take(rowBlocks), tilesAtOnce));
      const outer = take(outerRows);
      const slice = rest;
      const lastPanel = k.let(least(plus(firstPanel, panelsAtOnce), panels));
      const lastTile = k.let(least(plus(firstTile, tilesAtOnce), tiles.count));
      const firstRow = k.let(rowOfTile(plan, firstTile));
      const share = (at: Expr<"i32">): Expr<"i32"> => (slices === 1 ? times(at, blocks) : i32.divU(times(at, blocks), slices));
      const [from, to] = slices === 1 ? [i32.const(0), i32.const(blocks)] : [k.let(share(slice)), k.let(share(plus(slice, 1)))];
      const ofOuter = sourceA && k.let(plus(sourceA, outerOffset(k, plan, outer)));
      k.loop({ from, to }, block => {
        const at = blockAt(k, work, block);
        const mode = k.let(i32.or(i32.ne(block, from), i32.shl(i32.eq(block, plus(to, -1)), 1)), "mode");
        let rowsAt: Expr<"i32">;
        let rowStep: number;
        if (copyA === "own" && copyRows && ofOuter && own) {
          const shifted = k.let(i32.sub(own, times(firstRow, terms * bytes)));
          k.call(copyRows, plus(ofOuter, at.a), shifted, firstTile, lastTile, at.steps);
          [rowsAt, rowStep] = [shifted, terms];
        } else if (allRows) {
          rowsAt = k.let(plus(allRows, times(plus(times(block, total), times(outer, inner.size)), terms * bytes)));
          rowStep = terms;
        } else [rowsAt, rowStep] = [k.let(plus(ofOuter as Expr<"i32">, at.a)), inner.a];
        let columnsAt: Expr<"i32">;
        if (allColumns) columnsAt = k.let(plus(allColumns, times(plus(times(block, panels), firstPanel), terms * width * bytes)));
        else if (copyB === "none") columnsAt = k.let(plus(plus(sourceB as Expr<"i32">, at.b), times(firstPanel, width * bytes)));
        else {
          columnsAt = ownB as Expr<"i32">;
          k.call(copyColumns as FunctionRef, plus(sourceB as Expr<"i32">, at.b), columnsAt, firstPanel, lastPanel, at.steps);
        }
        const ahead = readAhead(k, work, { at, rowsAt, lastTile, ofOuter, sourceB });
        /** So many neighbouring panels, all of them by one tile before the next. */
        const onPanels = (panel: Expr<"i32">, count: Arg<"i32">, w: number): void => {
          const local = k.let(i32.sub(panel, firstPanel));
          const bAt = k.let(plus(columnsAt, times(local, (copyB === "none" ? 1 : terms) * width * bytes)));
          const sumsAt = sums && k.let(plus(sums, times(local, rowsAtOnce * width * bytes)));
          const column = k.let(times(panel, width));
          eachTile(k, plan, firstTile, lastTile, (row, h) => {
            const c = sumsAt ? plus(sumsAt, times(i32.sub(row, firstRow), width * bytes)) : i32.const(0);
            const ref = multiply.get(w)?.get(h) as FunctionRef;
            const axes = axesAt(k, work, { outer, row, column, slice });
            const place = pointed
              ? pointers.map(pointer => pointerAt(pointer, addresses, { k, addresses, axes, memo: new Map() }))
              : [outer, row, column, slice];
            const steps = copyA === "none" ? at.steps : times(at.steps, termsEach);
            for (const { next, end, lines } of ahead)
              k.if(i32.ltU(next, end), () => {
                for (let line = 0; line < lines; line++) k.let(f32x.load(next, line * lineBytes));
                k.set(next, plus(next, lines * lineBytes));
              });
            k.call(ref, plus(rowsAt, times(row, rowStep * bytes)), bAt, c, steps, mode, ...place, ...(isShallow ? [count] : []));
          });
        };
        const whole = wholePanels(plan);
        const end = k.let(least(lastPanel, whole));
        if (isShallow) onPanels(firstPanel, k.let(i32.sub(end, firstPanel)), width);
        else if (whole > 0) k.loop({ from: firstPanel, to: end }, panel => onPanels(panel, 1, width));
        if (restOf(plan) > 0) k.if(i32.gt(lastPanel, whole), () => onPanels(k.number("i32", whole), 1, restOf(plan)));
      });
    });
  });
  return { name, function: ref, units, work: sizeOf(kernel.shape) * (sizeOf(kernel.over) + storeCost) };
}

/** A run of memory that is soon read, a tile at a time so many lines of it. */
interface Ahead {
  readonly next: Local<"i32">;
  readonly end: Expr<"i32">;
  readonly lines: number;
}

const lineBytes = 64;
/** Smaller operands stay in the caches. */
const fewestBytesAhead = 1 << 20;

/** What the next block or unit reads, if that lies in one run behind what this one does: while tiles multiply, a line of it now and then is loaded,
 *  and not used, so that the caches have it in time. Engines keep such loads, since they might trap. */
function readAhead(k: FunctionRecorder, { plan }: Work, { at, rowsAt, lastTile, ofOuter, sourceB }: Here): Ahead[] {
  const { rows, column, reduced, copyA, copyB, blocks, columnBlocks, terms, tile, tilesAtOnce, panelsAtOnce, isShallow } = plan;
  const [inner] = rows;
  const [along] = reduced;
  if (rows.length > 1 || reduced.length > 1 || isShallow || k.target.joinsPairs) return [];
  const found: Ahead[] = [];
  /** So many bytes from `start` on of an operand that begins at `operand`. */
  const read = (start: Expr<"i32">, size: number, operand: Expr<"i32"> | undefined, all: number): void => {
    if (operand === undefined || all < fewestBytesAhead) return;
    const lines = Math.ceil(size / (tilesAtOnce * panelsAtOnce * lineBytes));
    const next = k.let(start);
    const left = least(size, i32.sub(plus(operand, all), next));
    const end = k.let(i32.add(next, plus(left, -lines * lineBytes)));
    found.push({ next, end, lines });
  };
  const block = (operand: Expr<"i32"> | undefined, from: Expr<"i32">, step: number): void =>
    read(plus(plus(operand ?? 0, from), terms * step * bytes), terms * step * bytes, operand, along.size * step * bytes);
  if (copyA === "none" && blocks === 1 && along.a === 1 && inner.a === along.size) {
    const row = inner.a * bytes;
    read(plus(rowsAt, times(rowOfTile(plan, lastTile), row)), tilesAtOnce * tile.rows * row, ofOuter, inner.size * row);
  }
  if (copyA === "own" && blocks > 1 && inner.a === 1 && along.a === inner.size) block(ofOuter, at.a, along.a);
  if (copyB === "own" && blocks > 1 && columnBlocks === 1 && column.b === 1 && along.b === column.size) block(sourceB, at.b, along.b);
  return found;
}

/** Where a unit's block is. */
interface Here {
  readonly at: Block;
  readonly rowsAt: Expr<"i32">;
  readonly lastTile: Expr<"i32">;
  readonly ofOuter: Expr<"i32"> | undefined;
  readonly sourceB: Expr<"i32"> | undefined;
}

const rowOfTile = ({ tiles: { small, large } }: BlocksPlan, tile: Expr<"i32">): Expr<"i32"> =>
  plus(times(tile, small), large === 0 ? 0 : least(tile, large));

/** The axis whose neighbours are a tile's vectors one above the other. */
const acrossOf = ({ column, rows }: BlocksPlan): number => (column.out === 1 ? rows[rows.length - 1].axis : column.axis);

/** What tells how many bytes a pointer moves along that axis. */
const stepVariable = (pointer: number): string => `tileStep${pointer}`;

type TilePlace = Readonly<Record<"outer" | "row" | "column" | "slice", Expr<"i32">>>;

function axesAt(k: FunctionRecorder, { plan, sliceAxis }: Work, { outer, row, column, slice }: TilePlace): Expr<"i32">[] {
  const axes: Expr<"i32">[] = [];
  for (const [axis, counter] of outerCounters(k, plan, outer)) axes[axis.axis] = counter;
  axes[plan.rows[plan.rows.length - 1].axis] = row;
  axes[plan.column.axis] = column;
  axes[sliceAxis] = slice;
  return axes;
}

/** A tile's function, shared by all kernels whose tiles have the same code: what else is in it is said here. */
function recordTile(work: Work, height: number, columns: number): FunctionRef {
  const { plan, recording, name, pointed } = work;
  const { rows, reduced, depth, tile, blocks, slices, copyA, copyB, terms, isShallow } = plan;
  const label = `${name}.tile${height}x${columns}`;
  if (!pointed) return recordTileAs(label, work, height, columns);
  const steps = pointed.pointers.map(pointer => (pointerStep(pointer, acrossOf(plan)) === 0 ? "stays" : "moves"));
  const walk =
    copyA === "none" ? [rows[rows.length - 1].a, ...reduced.slice(depth).map(({ a, size }, d) => `${a}/${d > 0 ? size : ""}`)] : [];
  const inB = copyB === "none" ? reduced[0].b : "";
  const key = [height, columns, tile.columns, blocks > slices, plan.column.out === 1, walk, inB, isShallow && terms, steps, pointed.text];
  return recording.module.once(`tile ${key.join(" ")}`, () =>
    recordTileAs(`${recording.name("tile")}.${height}x${columns}`, work, height, columns),
  );
}

/** (a, b, c, steps, mode, pointer…, or without pointers outer, row, column, slice): a tile's sums over a block. Mode 1: they go on from those at c; 2:
 *  they end. Of shallow products (…, count): so many tiles side by side, since a call takes as long as a part of their few terms. */
function recordTileAs(label: string, work: Work, height: number, columns: number): FunctionRef {
  const { plan, recording, stores, pointed } = work;
  const { rows, reduced, depth, tile, blocks, slices, copyA, copyB, terms, isShallow } = plan;
  const inner = rows[rows.length - 1];
  const places = pointed ? pointed.pointers.map((_, p) => `pointer${p}`) : ["outer", "row", "column", "slice"];
  const names = ["a", "b", "c", "steps", "mode", ...places, ...(isShallow ? ["count"] : [])];
  const params: Record<string, "i32"> = Object.fromEntries(names.map(one => [one, "i32" as const]));
  return recording.module.function(label, { params }, (k, given) => {
    const { a, b, c, steps, mode, count } = given;
    const pointers = pointed?.pointers.map((_, p) => given[`pointer${p}`]);
    const width = k.target.lanes32;
    const vectors = Math.ceil(columns / width);
    const { joinsPairs } = k.target;
    const hasSums = joinsPairs || blocks > slices;
    const isTurned = plan.column.out !== 1;
    const addresses = new Addresses(k, recording.places, pointed ? [] : valuesOf({ stores }));
    const one = (): void => {
      const sums = Array.from({ length: height }, () => Array.from({ length: vectors }, () => k.vector("f32x", 0)));
      const each = (visit: (sum: Local<"vec">, offset: number) => void): void => {
        for (const [r, line] of sums.entries()) for (const [v, sum] of line.entries()) visit(sum, (r * tile.columns + v * width) * bytes);
      };
      if (hasSums) k.if(i32.and(mode, 1), () => each((sum, offset) => k.set(sum, f32x.load(c, offset))));
      const [left, right] = [k.let(a), k.let(b)];
      const rowStep = copyA === "none" ? inner.a : 1;
      const step = (): void => {
        const vector = (v: number): Local<"vec"> => k.let(f32x.load(right, v * width * bytes));
        const factor = (r: number): Local<"vec"> => k.let(f32x.loadSplat(left, r * rowStep * bytes));
        const add = (r: number, v: number, a: Local<"vec">, b: Local<"vec">): void => k.set(sums[r][v], f32x.madd(a, b, sums[r][v]));
        // What there is less of is kept, the rest read as it is used.
        if (height < vectors) {
          const factors = sums.map((_, r) => factor(r));
          for (let v = 0; v < vectors; v++) {
            const one = vector(v);
            for (const [r, each] of factors.entries()) add(r, v, each, one);
          }
        } else {
          const line = Array.from({ length: vectors }, (_, v) => vector(v));
          for (let r = 0; r < height; r++) {
            const one = factor(r);
            for (const [v, each] of line.entries()) add(r, v, one, each);
          }
        }
        move(k, right, copyB === "none" ? reduced[0].b : tile.columns);
      };
      if (copyA !== "none")
        k.loop({ to: steps }, () => {
          step();
          move(k, left, height);
        });
      else {
        const walk = (d: number): void => {
          const isLast = d === reduced.length - 1;
          k.loop({ to: d === depth ? steps : reduced[d].size }, () => {
            if (isLast) step();
            else walk(d + 1);
            move(k, left, reduced[d].a - (isLast ? 0 : reduced[d + 1].size * reduced[d + 1].a));
          });
        };
        walk(depth);
      }
      const finish = (): void => {
        const sumAt = (r: number, v: number): Expr<"vec"> =>
          joinsPairs ? f32x.load(c, (r * tile.columns + v * width) * bytes) : sums[r][v];
        const partOf = (size: number, at: number): number | undefined => (size - at < width ? size - at : undefined);
        const pieceAt = placeAt(k, work, pointers ?? given, addresses);
        if (isTurned) {
          // Neighbours in the result are rows of the tile.
          for (let v = 0; v < vectors; v++)
            for (let first = 0; first < height; first += width) {
              const square = Array.from({ length: width }, (_, i) =>
                first + i < height ? k.let(sumAt(first + i, v)) : k.vector("f32x", 0),
              );
              k.transpose("f32x", square);
              for (const [lane, vector] of square.slice(0, partOf(columns, v * width)).entries())
                pieceAt(first, v * width + lane, partOf(height, first), vector);
            }
          return;
        }
        for (const [r, line] of sums.entries()) {
          const pieces = line.map((_, v) => () => pieceAt(r, v * width, partOf(columns, v * width), sumAt(r, v)));
          if (joinsPairs) k.inTurn(pieces);
          else for (const piece of pieces) piece();
        }
      };
      if (joinsPairs) {
        // The only place where sums are stored, so that the engine can keep pairs of them in one register.
        each((sum, offset) => k.store("f32x", c, offset, sum));
        k.if(i32.and(mode, 2), finish);
      } else if (hasSums) k.if(i32.and(mode, 2), finish, () => each((sum, offset) => k.store("f32x", c, offset, sum)));
      else finish();
    };
    if (count === undefined) return one();
    k.loop({ to: count }, () => {
      one();
      if (pointers)
        for (const [p, pointer] of (pointed?.pointers ?? []).entries()) {
          const step = pointerStep(pointer, plan.column.axis) * tile.columns;
          if (step !== 0) k.set(pointers[p], plus(pointers[p], step));
        }
      else k.set(given.column, plus(given.column, tile.columns));
      k.set(b, plus(b, terms * tile.columns * bytes));
    });
  });
}

/** Stores a vector of sums that begins at a row and column of the tile. */
function placeAt(
  k: FunctionRecorder,
  work: Work,
  given: readonly Local<"i32">[] | Readonly<Record<string, Local<"i32">>>,
  addresses: Addresses,
): (row: number, column: number, part: number | undefined, accumulator: Expr<"vec">) => void {
  const { plan, stores, pointed } = work;
  const { column } = plan;
  const inner = plan.rows[plan.rows.length - 1];
  const isTurned = column.out !== 1;
  if (!pointed || !isPointers(given)) {
    const { outer, row, column: first, slice } = given as Readonly<Record<string, Local<"i32">>>;
    const axes = axesAt(k, work, { outer, row, column: first, slice });
    return (r, c, part, accumulator) => {
      const here = [...axes];
      here[inner.axis] = plus(row, r);
      here[column.axis] = plus(first, c);
      const point: Point = { k, addresses, axes: here, memo: new Map(), accumulator };
      const along = isTurned ? inner.axis : column.axis;
      storesLeaf(stores, along).vector?.(blockPoint(point, along, 0, part, k), 0);
    };
  }
  // At each row, or each column where the tile is turned.
  const lines: (readonly Expr<"i32">[])[] = [given];
  return (r, c, part, accumulator) => {
    const [across, v] = isTurned ? [c, r] : [r, c];
    while (lines.length <= across)
      lines.push(
        lines[lines.length - 1].map((pointer, p) =>
          pointerStep(pointed.pointers[p], acrossOf(plan)) === 0 ? pointer : k.let(i32.add(pointer, k.module.variable(stepVariable(p)))),
        ),
      );
    storeAt(k, pointed, { pointers: lines[across], accumulator, v: v / k.target.lanes32, part });
  };
}

const isPointers = (given: readonly Local<"i32">[] | Readonly<Record<string, Local<"i32">>>): given is readonly Local<"i32">[] =>
  Array.isArray(given);
