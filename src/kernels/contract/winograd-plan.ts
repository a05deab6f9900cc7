// When a contraction over windows is computed by Winograd's minimal filtering, and in which buffers: tiles of 4 × 4 results, so 6 × 6 or 8 × 8
// products for windows of 3 or 5, instead of 16 · 9 or 16 · 25. Chosen by counted work. The price is rounding: docs/decisions.md.

import { sizeOf } from "../../base/shape.ts";
import type { Value } from "../../ir/program.ts";
import { scaleOf } from "../nest.ts";
import { flattenIndex } from "../../ir/index-map.ts";
import type { ContractKernel } from "./plan.ts";
import { asSpatial, type ImageContraction, isInside, type SpatialContraction } from "../spatial.ts";
import type { Target } from "../target.ts";
import { type Filtering, filtering } from "./winograd-matrices.ts";

/** Results along each side of a tile. More would be faster and err ten times as much. */
const outputs = 4;

/** Work that is done on its own and in its order: some images whole, or some rows of tiles of one image. */
export interface Blocks {
  readonly images: number;
  readonly tileRows: number;
  readonly count: number;
  /** Blocks to an image; 1 where a block holds whole images. */
  readonly perImage: number;
}

export interface WinogradPlan {
  readonly spatial: SpatialContraction;
  readonly filtering: Filtering;
  readonly tilesDown: number;
  readonly tilesAcross: number;
  readonly blocks: Blocks;
  /** Tiles of a block. */
  readonly tiles: number;
  /** Bytes between planes of the transformed filter, or of sums for it. */
  readonly filterPitch: number;
  /** The filter as [tap, tap, inner, outer], where it lies otherwise or lacks taps. */
  readonly turned: Value | undefined;
  /** The transformed filter, or one for each group of blocks. */
  readonly transformed: Value;
  /** Blocks are summed in so many groups of their own, whoever does them, so that sums do not depend on threads. */
  readonly groups: number;
  readonly scratch: Scratch;
}

/** What each thread keeps for a block of tiles. Offsets in bytes from where the thread's part begins. */
export interface Scratch {
  /** [thread, …]. */
  readonly value: Value;
  readonly bytes: number;
  /** Planes of transformed tiles, and of what they are multiplied with or give. */
  readonly inputs: Planes;
  readonly others: Planes;
  readonly temporary: number;
  /** A row of zeros, for rows outside of images. */
  readonly zeros: number;
  readonly zeroBytes: number;
}

/** size² planes, `pitch` bytes apart; before them, lines of tiles transformed one way, `linePitch` apart. */
export interface Planes {
  readonly offset: number;
  readonly pitch: number;
  readonly lines: number;
  readonly linePitch: number;
  readonly channels: number;
}

/** Scratch of a block (planes of tiles) stays in the second cache, as far as that leaves tiles enough for a product. */
const blockBytes = 320 * 1024;
const fewestTiles = 16;
/** Of an image or a few each thread has a block, if that has so many tiles: all read the whole filter. */
const fewestTilesShared = 8;
/** Sums for a filter are read and written once a block, so that blocks have more tiles if that leaves enough of them for threads. */
const fewestTilesSummed = 64;
const enoughBlocks = 4;
const mostGroups = 8;
const mostGroupBytes = 16 * 2 ** 20;
/** Multiply-adds that take as long as transforming one element of a tile, there or back. */
export const transformCost = 12;
/** Less gain than this is not worth the rounding. */
const worthwhile = 0.8;

/** The plan, or undefined where the contraction slides no window or direct sums are as fast. */
export function planWinograd(kernel: ContractKernel, target: Target): WinogradPlan | undefined {
  if (target.winograd === "never" || sizeOf(kernel.shape) === 0 || sizeOf(kernel.over) === 0) return undefined;
  const spatial = asSpatial(kernel);
  if (spatial === undefined || (spatial.taps !== 3 && spatial.taps !== 5)) return undefined;
  const { inner, outer, images, height, width, taps } = spatial;
  if (inner % target.lanes32 !== 0 || outer % target.lanes32 !== 0) return undefined;
  const algorithm = filtering(outputs, taps);
  const points = algorithm.size ** 2;
  const tilesDown = Math.ceil(height / outputs);
  const tilesAcross = Math.ceil(width / outputs);
  const tiles = images * tilesDown * tilesAcross;
  const direct = images * height * width * taps ** 2 * inner * outer * (spatial.form === "images" ? spatial.share : 1);
  const fast = points * (tiles * (inner * outer + transformCost * (inner + outer)) + transformCost * inner * outer);
  if (fast > worthwhile * direct && target.winograd === "auto") return undefined;
  const blocks = blocksOf(spatial, { tilesDown, tilesAcross, bytesPerTile: 4 * points * (inner + outer), threads: target.threads });
  const [panel] = target.tiles;
  const columns = spatial.form === "images" ? Math.ceil(outer / panel.columns) * panel.columns : outer;
  const filterPitch = pitch(4 * inner * columns);
  const groups =
    spatial.form === "images" ? 1 : Math.max(1, Math.min(mostGroups, blocks.count, Math.floor(mostGroupBytes / (points * filterPitch))));
  return {
    spatial,
    filtering: algorithm,
    tilesDown,
    tilesAcross,
    blocks,
    tiles: blocks.images * blocks.tileRows * tilesAcross,
    filterPitch,
    turned: spatial.form === "images" && !isStraight(spatial) ? floats(-5, [taps, taps, inner, outer]) : undefined,
    transformed: floats(-6, [groups * points * (filterPitch / 4)]),
    groups,
    scratch: scratchFor(spatial, algorithm, tilesAcross, blocks.images * blocks.tileRows * tilesAcross, target),
  };
}

function scratchFor(
  spatial: SpatialContraction,
  { size, outputs, taps }: Filtering,
  across: number,
  tiles: number,
  target: Target,
): Scratch {
  let end = 0;
  const take = (count: number): number => {
    const at = end;
    end += pitch(count);
    return at;
  };
  const planesFor = (channels: number, columns: number): Planes => {
    const linePitch = pitch(columns * channels * bytes);
    const planePitch = pitch(tiles * channels * bytes);
    return { offset: take(size ** 2 * planePitch), pitch: planePitch, lines: take(size * linePitch), linePitch, channels };
  };
  const inputs = planesFor(spatial.inner, (across - 1) * outputs + size);
  const others = planesFor(spatial.outer, across * outputs);
  const zeroBytes = bytes * Math.max(spatial.data.width * spatial.inner, spatial.width * spatial.outer);
  const zeros = take(zeroBytes);
  const temporary = take(size * Math.max(outputs, taps) * spatial.outer * bytes);
  return { value: floats(-7, [target.threads, end / bytes]), bytes: end, inputs, others, temporary, zeros, zeroBytes };
}

const bytes = 4;

const floats = (id: number, shape: readonly number[]): Value => ({ id, dtype: "float32", shape });

const cacheLine = 64;

/** An odd multiple of a cache line: planes a power of two apart would share few sets of the caches. */
export function pitch(bytes: number): number {
  const lines = Math.ceil(bytes / cacheLine);
  return cacheLine * (lines + (lines % 2 === 0 ? 1 : 0));
}

const isStraight = ({ filter, axes: { outer } }: ImageContraction): boolean =>
  outer.length === 1 && isInside(filter) && scaleOf(flattenIndex(filter.at, filter.source.shape), outer[0]) === 1;

function blocksOf(
  { images, form }: SpatialContraction,
  { tilesDown, tilesAcross, bytesPerTile, threads }: { tilesDown: number; tilesAcross: number; bytesPerTile: number; threads: number },
): Blocks {
  const perImage = tilesDown * tilesAcross;
  const fewest =
    form === "taps" ? Math.max(fewestTiles, Math.min(fewestTilesSummed, Math.floor((images * perImage) / enoughBlocks))) : fewestTiles;
  // An image or a few are cut so that every thread has a block: what a tile gives depends on no other.
  const share = Math.max(fewestTilesShared, Math.ceil((images * tilesDown) / threads) * tilesAcross);
  const inCache = Math.max(fewest, Math.floor(blockBytes / bytesPerTile));
  const fitting = form === "images" ? Math.min(inCache, share) : inCache;
  if (perImage <= fitting * 1.25) {
    const whole = Math.max(1, Math.min(images, Math.floor(fitting / perImage)));
    return { images: whole, tileRows: tilesDown, count: Math.ceil(images / whole), perImage: 1 };
  }
  const strips = Math.ceil(tilesDown / Math.max(1, Math.floor(fitting / tilesAcross)));
  const tileRows = Math.ceil(tilesDown / strips);
  const count = Math.ceil(tilesDown / tileRows);
  return { images: 1, tileRows, count: images * count, perImage: count };
}

/** The buffers, in the order they lie in the kernel's scratch. */
export const winogradValues = ({ turned, transformed, scratch }: WinogradPlan): Value[] => [
  ...(turned ? [turned] : []),
  transformed,
  scratch.value,
];
