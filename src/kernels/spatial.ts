// Contractions that slide a small square window of taps over images with stride 1, found by their index maps: convolutions and their
// gradients for inputs ("images": the result is an image) and for filters ("taps": the result is the window). What is done with that is
// winograd.ts's affair.

import type { Operand, Value } from "../ir/program.ts";
import { flattenIndex, type Index } from "../ir/index-map.ts";
import type { Kernel } from "../schedule/plan.ts";
import { isAffine, scaleOf } from "./nest.ts";

type ContractKernel = Extract<Kernel, { kind: "contract" }>;

/** An image array read along rows: pixels of a row lie side by side, channels innermost. Strides in elements. */
export interface Images {
  readonly value: Value;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly imageStride: number;
  readonly rowStride: number;
}

/** Axes by number, results first, then what is summed over; -1 for a batch of one. */
interface SpatialAxes {
  readonly image: number;
  readonly row: number;
  readonly column: number;
  readonly tapRow: number;
  readonly tapColumn: number;
  /** The channels of `data`. */
  readonly inner: number;
  /** Those of the result's channels, the innermost last. Of an image also the phases of pixels, which the filter alone knows. */
  readonly outer: readonly number[];
}

interface Common {
  readonly data: Images;
  readonly taps: number;
  readonly images: number;
  /** Extent of the image axes: of the result, or of what is summed over. */
  readonly height: number;
  readonly width: number;
  /** Pixel (0, 0) with the first tap in the order of the data reads data at these. */
  readonly offsets: readonly [number, number];
  readonly inner: number;
  readonly outer: number;
  readonly axes: SpatialAxes;
}

/** result[image, row, column, outer] = Σ data[image, row ± tap, column ± tap, inner] · filter[tap, tap, inner, outer] */
export interface ImageContraction extends Common {
  readonly form: "images";
  readonly filter: Operand;
  /** Taps run against the pixels: data at row - tap. */
  readonly isFlipped: boolean;
  /** Of the products, those whose tap is in the filter: phases of a convolution with strides have fewer taps than their window. */
  readonly share: number;
}

/** result[tap, tap, inner, outer] = Σ data[image, row + tap, column + tap, inner] · other[image, row, column, outer] */
export interface TapContraction extends Common {
  readonly form: "taps";
  readonly other: Images;
}

export type SpatialContraction = ImageContraction | TapContraction;

/** The contraction as one over windows of images, or undefined if it is none. */
export function asSpatial(kernel: ContractKernel): SpatialContraction | undefined {
  return slide(kernel, kernel.left, kernel.right) ?? slide(kernel, kernel.right, kernel.left);
}

interface Window {
  readonly sourceAxis: number;
  readonly pixel: number;
  readonly tap: number;
  readonly sign: number;
  readonly offset: number;
}

function slide(kernel: ContractKernel, data: Operand, other: Operand): SpatialContraction | undefined {
  const { shape, over } = kernel;
  const rank = shape.length;
  const sizes = [...shape, ...over];
  if (data.source.dtype !== "float32" || ![...data.at, ...other.at].every(isAffine)) return undefined;
  const windows = data.at.flatMap((index, axis): Window[] => windowOf(index, axis, sizes));
  if (windows.length !== 2 || data.source.shape.length < 3) return undefined;
  const [y, x] = windows;
  const last = data.source.shape.length - 1;
  if (y.sign !== x.sign || x.sourceAxis !== last - 1 || y.sourceAxis >= x.sourceAxis || sizes[y.tap] !== sizes[x.tap]) return undefined;
  const isImages = [y, x].every(({ pixel, tap }) => pixel < rank && tap >= rank);
  const isTaps = y.sign === 1 && [y, x].every(({ pixel, tap }) => pixel >= rank && tap < rank);
  if (!isImages && !isTaps) return undefined;
  const inner = plainAxis(data.at[last]);
  if (inner === undefined || sizes[inner] !== data.source.shape[last]) return undefined;
  const rest = data.at.flatMap((index, axis) => (axis === y.sourceAxis || axis === x.sourceAxis || axis === last ? [] : [index]));
  const moving = rest.filter(({ terms }) => terms.length > 0);
  if (moving.length > 1 || !rest.every(index => index.terms.length > 0 || index.offset === 0)) return undefined;
  const image = moving.length === 0 ? -1 : (plainAxis(moving[0]) ?? -2);
  const others = isImages ? [image, y.pixel, x.pixel] : [image, y.tap, x.tap, inner];
  const outer = shape.flatMap((size, axis) => (axis === rank - 1 || (isImages && size > 1 && !others.includes(axis)) ? [axis] : []));
  const axes: SpatialAxes = { image, row: y.pixel, column: x.pixel, tapRow: y.tap, tapColumn: x.tap, inner, outer };
  if (!isComplete(axes, sizes, rank, isImages)) return undefined;
  const common: Common = {
    data: imagesOf(data, y.sourceAxis, image),
    taps: sizes[y.tap],
    images: image < 0 ? 1 : sizes[image],
    height: sizes[y.pixel],
    width: sizes[x.pixel],
    offsets: [firstRead(y, sizes), firstRead(x, sizes)],
    inner: sizes[inner],
    outer: outer.reduce((product, axis) => product * sizes[axis], 1),
    axes,
  };
  const flat = flattenIndex(other.at, other.source.shape);
  const moves = (axis: number): boolean => axis >= 0 && scaleOf(flat, axis) !== 0;
  if (isImages) {
    const isFilter = !moves(image) && !moves(y.pixel) && !moves(x.pixel) && [y.tap, x.tap, inner, ...outer].every(moves);
    return isFilter ? { form: "images", ...common, filter: other, isFlipped: y.sign < 0, share: shareInside(other, sizes) } : undefined;
  }
  if (moves(y.tap) || moves(x.tap) || moves(inner) || flat.offset !== 0 || !isInside(other)) return undefined;
  const [width, channels] = [sizes[x.pixel], common.outer];
  const rowStride = scaleOf(flat, y.pixel);
  if (scaleOf(flat, rank - 1) !== 1 || scaleOf(flat, x.pixel) !== channels || (image >= 0 && !moves(image))) return undefined;
  const imageStride = image < 0 ? 0 : scaleOf(flat, image);
  return { form: "taps", ...common, other: { value: other.source, height: sizes[y.pixel], width, channels, imageStride, rowStride } };
}

/** Every axis that varies is one of the roles, and each role is on its side. */
function isComplete(axes: SpatialAxes, sizes: readonly number[], rank: number, isImages: boolean): boolean {
  const { image, row, column, tapRow, tapColumn, inner, outer } = axes;
  if (image < -1 || outer.length === 0) return false;
  const results = isImages ? [row, column, ...outer] : [tapRow, tapColumn, inner, ...outer];
  const summed = isImages ? [tapRow, tapColumn, inner] : [row, column];
  if (image >= 0) (isImages ? results : summed).push(image);
  const all = [...results, ...summed];
  if (new Set(all).size !== all.length || results.some(axis => axis >= rank) || summed.some(axis => axis < rank)) return false;
  return sizes.every((size, axis) => size === 1 || all.includes(axis));
}

function imagesOf({ source, at }: Operand, rowAxis: number, image: number): Images {
  const strides = source.shape.map((_, axis) => source.shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const imageAxis = at.findIndex(index => image >= 0 && plainAxis(index) === image);
  const last = source.shape.length - 1;
  return {
    value: source,
    height: source.shape[rowAxis],
    width: source.shape[last - 1],
    channels: source.shape[last],
    imageStride: imageAxis < 0 ? 0 : strides[imageAxis],
    rowStride: strides[rowAxis],
  };
}

/** pixel ± tap + offset, taps few and pixels many. */
function windowOf(index: Index, sourceAxis: number, sizes: readonly number[]): Window[] {
  if (index.terms.length !== 2) return [];
  const parts = index.terms.map(({ atom, scale }) => ({ axis: atom.kind === "axis" ? atom.axis : -1, scale }));
  const [pixel, tap] = sizes[parts[0].axis] > sizes[parts[1].axis] ? parts : [parts[1], parts[0]];
  if (pixel.scale !== 1 || Math.abs(tap.scale) !== 1) return [];
  return [{ sourceAxis, pixel: pixel.axis, tap: tap.axis, sign: tap.scale, offset: index.offset }];
}

const firstRead = ({ offset, sign, tap }: Window, sizes: readonly number[]): number => (sign < 0 ? offset - sizes[tap] + 1 : offset);

const plainAxis = ({ terms, offset }: Index): number | undefined =>
  terms.length === 1 && offset === 0 && terms[0].scale === 1 && terms[0].atom.kind === "axis" ? terms[0].atom.axis : undefined;

export const isInside = ({ source, at }: Operand): boolean => at.every(({ min, max }, axis) => min >= 0 && max < source.shape[axis]);

/** How many of the places that an operand is asked for lie in its source, as a share. */
function shareInside({ source, at }: Operand, sizes: readonly number[]): number {
  let share = 1;
  for (const [axis, { terms, offset, min, max }] of at.entries()) {
    if (min >= 0 && max < source.shape[axis]) continue;
    let places = [offset];
    for (const { atom, scale } of terms)
      if (atom.kind === "axis") places = places.flatMap(place => Array.from({ length: sizes[atom.axis] }, (_, i) => place + scale * i));
    share *= places.filter(place => place >= 0 && place < source.shape[axis]).length / places.length;
  }
  return share;
}
