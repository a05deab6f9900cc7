// How a matrix product is cut into blocks that fit the caches, decided before anything is recorded: units of rows × columns whose sums stay
// in the second cache while blocks of the reduced space pass by. Scheme of Goto and van de Geijn, with the packing done where it is used.

import { sizeOf } from "../../base/shape.ts";
import type { Value } from "../../ir/program.ts";
import { type ContractForm, type ContractKernel, fewestRows, isSweep } from "./plan.ts";
import type { Target, Tile } from "../target.ts";

/** Where an operand is read from: where it lies, a copy in each thread's scratch made by the unit that uses it, one made before for all, or one
 *  that a kernel of the plan has made. */
export type Copy = "none" | "own" | "shared" | "given";

export interface BlocksPlan extends ContractForm {
  readonly tile: Tile;
  /** Tiles along the inner row axis: the first `large` have `small + 1` rows, the others `small`. */
  readonly tiles: { readonly count: number; readonly small: number; readonly large: number };
  readonly panels: number;
  /** Few terms: a tile of few rows passes over all panels of its unit before the next, so that results are written in long runs. */
  readonly isShallow: boolean;
  /** The reduced axis that is cut; those outside of it are walked step by step, those inside are whole. */
  readonly depth: number;
  readonly steps: number;
  /** Blocks along the axis that is cut, and of the whole reduced space. */
  readonly blocksAlong: number;
  readonly blocks: number;
  /** Terms of a whole block, and to a step of the axis that is cut. */
  readonly terms: number;
  readonly termsEach: number;
  readonly tilesAtOnce: number;
  readonly panelsAtOnce: number;
  readonly rowBlocks: number;
  readonly columnBlocks: number;
  /** Places of the outer row axes. */
  readonly outerRows: number;
  /** The reduced space is cut for threads: sums of each slice apart, added up in their order. */
  readonly slices: number;
  readonly copyA: Copy;
  readonly copyB: Copy;
  readonly sharedA: Value | undefined;
  readonly sharedB: Value | undefined;
  /** Not in scratch of the kernel's. */
  readonly givenB: Value | undefined;
  /** [thread, …]: own copies, then sums. */
  readonly scratch: Value | undefined;
  readonly ownB: number;
  readonly ownSums: number;
  readonly partial: Value | undefined;
}

/** Terms of a block: a panel of B and a tile of A stay in the first cache. */
const mostTerms = 512;
/** Bytes of A's rows that stay in the second cache while panels pass over them. */
const mostRowBytes = 192 * 1024;
const panelsOfBlock = 8;
/** Where B has no more bytes than this and A and the results more than that, a unit has all columns: then A and the results pass by once, row after
 *  row. */
const mostWholeColumnBytes = 448 * 1024;
const fewestPassingBytes = 4 << 20;
/** Long sums for few results, whose rows lie across: bytes of all rows and columns of a block, which are copied as both pass by once. */
const mostPassingBytes = 192 * 1024;
const fewestPassingTerms = 128;
/** Sums of so few terms take no longer than what is around them: storing them, and beginning the next. */
const shallowTerms = 32;
/** Bytes of B and of A's rows in a unit then: those of B stay in the first cache. */
const mostShallowBytes = 16 * 1024;
const mostShallowRowBytes = 48 * 1024;
/** Fewer panels than this do not repay a copy of rows. */
const fewestPanels = 4;
/** Units for threads to share, where the work is worth it. */
const enoughUnits = 16;
const blocksToSlice = 4;
const workPerSlice = 500_000;
const mostPartial = 1 << 19;

export const rowsOf = ({ rows }: ContractForm): number => rows.reduce((product, { size }) => product * size, 1);

/** The plan, or undefined where another way is better. */
export function planBlocks(form: ContractForm, { shape, panels: givenB }: ContractKernel, target: Target): BlocksPlan | undefined {
  const { batch, rows, column, reduced } = form;
  const inner = rows[rows.length - 1];
  if (batch.length > 0 || inner === undefined || isSweep(form, target.lanes32)) return undefined;
  if ([...rows, ...reduced, column].some(({ a, b }) => a < 0 || b < 0)) return undefined;
  const total = rowsOf(form);
  if (total < fewestRows && column.out === 1) return undefined;
  const last = reduced[reduced.length - 1];
  // Windows over images are walked where they lie, row after row of pixels, by contract.ts.
  if (rows.length > 1 && (inner.a !== 1 || last.a === 1)) return undefined;
  const longest = termsPassing(form, total);
  const cut = cutOf(
    reduced.map(({ size }) => size),
    longest ?? mostTerms,
  );
  const { terms, blocks } = cut;
  const wide: Tile = { rows: 2, columns: 4 * target.lanes32 };
  const isShallow = !target.joinsPairs && blocks === 1 && terms <= shallowTerms && column.out === 1 && column.size >= 2 * wide.columns;
  const tile = isShallow ? wide : tileFor(inner.size, column.size, target);
  const count = Math.ceil(inner.size / tile.rows);
  const small = Math.floor(inner.size / count);
  const tiles = { count, small, large: inner.size - small * count };
  const panels = Math.ceil(column.size / tile.columns);
  const isTall =
    !isShallow &&
    blocks === 1 &&
    rows.length === 1 &&
    column.out === 1 &&
    4 * terms * column.size <= mostWholeColumnBytes &&
    4 * total * (terms + column.size) >= fewestPassingBytes;
  const rowTerms = isTall ? terms + column.size : terms;
  const fitting = Math.max(1, Math.floor((isShallow ? mostShallowRowBytes : mostRowBytes) / (4 * rowTerms * tile.rows)));
  const rowBlocks = longest !== undefined || count <= fitting * 1.3 ? 1 : Math.ceil(count / fitting);
  const tilesAtOnce = Math.ceil(count / rowBlocks);
  const outerRows = total / inner.size;
  // Long sums are cut in slices for threads; where rows are not copied by each unit, units have fewer panels instead.
  const isWhole = isShallow ? target.threads === 1 : blocks >= blocksToSlice || isAcross(form);
  const spread = isWhole ? 1 : Math.ceil(enoughUnits / (outerRows * rowBlocks));
  const isWide = isTall || longest !== undefined;
  const fittingPanels = isShallow
    ? Math.max(1, Math.floor(mostShallowBytes / (4 * terms * tile.columns)))
    : isWide
      ? panels
      : panelsOfBlock;
  const panelsAtOnce = Math.min(panels, fittingPanels, Math.max(2, Math.floor(panels / spread)));
  const columnBlocks = Math.ceil(panels / panelsAtOnce);
  const units = outerRows * Math.ceil(count / tilesAtOnce) * columnBlocks;
  const work = total * column.size * sizeOf(reduced.map(({ size }) => size));
  const wanted = Math.ceil(enoughUnits / units);
  const slices =
    units >= enoughUnits / 2
      ? 1
      : Math.max(1, Math.min(wanted, blocks, Math.floor(work / workPerSlice), Math.floor(mostPartial / sizeOf(shape))));
  const copyA = isShallow ? "none" : copyOfA(form, { panels, columnBlocks });
  const copyB: Copy = givenB ? "given" : isReadInPlace(form) ? "none" : rowBlocks === 1 && outerRows === 1 ? "own" : "shared";
  const floats = (id: number, dims: readonly number[]): Value => ({ id, dtype: "float32", shape: dims });
  const ownA = copyA === "own" ? tilesAtOnce * (small + 1) * terms : 0;
  const ownB = copyB === "own" ? panelsAtOnce * tile.columns * terms : 0;
  const hasSums = target.joinsPairs || blocks > slices;
  const ownSums = hasSums ? panelsAtOnce * tilesAtOnce * (small + 1) * tile.columns : 0;
  const line = 16;
  const end = roundUp(ownA, line) + roundUp(ownB, line) + roundUp(ownSums, line);
  return {
    ...form,
    tile,
    tiles,
    panels,
    isShallow,
    ...cut,
    tilesAtOnce,
    panelsAtOnce,
    rowBlocks: Math.ceil(count / tilesAtOnce),
    columnBlocks,
    outerRows,
    slices,
    copyA,
    copyB,
    sharedA: copyA === "shared" ? floats(-8, [blocks * terms * total]) : undefined,
    sharedB: copyB === "shared" ? floats(-3, [blocks * terms * panels * tile.columns]) : undefined,
    givenB,
    scratch: end > 0 ? floats(-7, [target.threads, end]) : undefined,
    ownB: roundUp(ownA, line),
    ownSums: roundUp(ownA, line) + roundUp(ownB, line),
    partial: slices > 1 ? floats(-4, [slices, ...shape]) : undefined,
  };
}

/** Do neighbours in A belong to different rows? */
const isAcross = ({ rows, reduced }: ContractForm): boolean => rows[rows.length - 1].a === 1 && reduced[reduced.length - 1].a !== 1;

/** Terms of a block of long sums for few results, where both operands are copied. */
function termsPassing(form: ContractForm, rowCount: number): number | undefined {
  const { rows, column, reduced } = form;
  const terms = Math.min(mostTerms, Math.floor(mostPassingBytes / (4 * (rowCount + column.size))));
  const isLong = rows.length === 1 && reduced.length === 1 && 4 * reduced[0].size * (rowCount + column.size) >= fewestPassingBytes;
  return isLong && column.out === 1 && isAcross(form) && terms >= fewestPassingTerms ? terms : undefined;
}

/** Columns of a turned product are read by a few tiles only. A copy is not worth it where the second cache has room for B, unless its rows lie so
 *  far apart that all share one set of the first. */
function isReadInPlace({ column, reduced }: ContractForm): boolean {
  const [{ size, b }] = reduced;
  return column.out !== 1 && column.b === 1 && reduced.length === 1 && b % floatsApart !== 0 && 4 * size * column.size <= mostBytesInPlace;
}

const floatsApart = 1024;
const mostBytesInPlace = 384 * 1024;

const roundUp = (count: number, to: number): number => Math.ceil(count / to) * to;

/** Rows of A are read where they lie by a few panels; where more use them, or they lie across, they are copied in the order tiles read them. */
function copyOfA(form: ContractForm, { panels, columnBlocks }: { panels: number; columnBlocks: number }): Copy {
  if (columnBlocks > 1) return "shared";
  return isAcross(form) && panels >= fewestPanels ? "own" : "none";
}

/** Blocks of near-equal size of as many terms as fit, cut at one axis. */
function cutOf(
  sizes: readonly number[],
  mostTerms: number,
): Pick<BlocksPlan, "depth" | "steps" | "blocksAlong" | "blocks" | "terms" | "termsEach"> {
  let depth = sizes.length - 1;
  let termsEach = 1;
  while (depth > 0 && termsEach * sizes[depth] <= mostTerms) termsEach *= sizes[depth--];
  const size = sizes[depth];
  const fitting = Math.max(1, Math.floor(mostTerms / termsEach));
  const steps = Math.ceil(size / Math.ceil(size / fitting));
  const blocksAlong = Math.ceil(size / steps);
  const outside = sizeOf(sizes.slice(0, depth));
  return { depth, steps, blocksAlong, blocks: outside * blocksAlong, terms: steps * termsEach, termsEach };
}

/** The tile that takes the fewest steps for so many columns: of narrow products a part of the columns would be for nothing. */
function tileFor(rows: number, columns: number, { tiles, lanes32 }: Target): Tile {
  const costs = tiles.map(tile => {
    const height = Math.min(tile.rows, rows);
    const panel = (width: number): number => {
      const vectors = Math.ceil(width / lanes32);
      return Math.max(height * vectors, height + vectors, 8) / height;
    };
    const rest = columns % tile.columns;
    return Math.floor(columns / tile.columns) * panel(tile.columns) + (rest > 0 ? panel(rest) : 0);
  });
  const least = Math.min(...costs);
  // The first is the best where they are as good.
  return tiles[costs.findIndex(cost => cost <= least * 1.05)];
}

export const blocksValues = ({ paddings, sharedA, sharedB, partial, scratch }: BlocksPlan): Value[] =>
  [...paddings.map(({ padded }) => padded), sharedA, sharedB, partial, scratch].filter((value): value is Value => value !== undefined);
