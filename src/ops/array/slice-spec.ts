// What the begin, end, strides and masks of a StridedSlice mean: bits count positions of the spec, which an ellipsis spreads over the axes.
// Pure functions on numbers, shared by shapes, values and gradients. Semantics: TensorFlow's strided_slice_op.

import { ValueError } from "../../base/errors.ts";
import type { Dimension } from "../../base/shape.ts";

export interface Masks {
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
}

/** One axis of the input: where its slice begins and ends (null: not known yet), or that an end is open. */
export interface SlicedAxis {
  readonly begin: number | null;
  readonly end: number | null;
  readonly stride: number;
  readonly beginOpen: boolean;
  readonly endOpen: boolean;
  /** A single index, whose axis vanishes. */
  readonly isIndex: boolean;
  /** Its position in the begin vector, or -1 if an ellipsis covers it. */
  readonly position: number;
}

export interface SliceSpec {
  readonly axes: readonly SlicedAxis[];
  /** The axes of the result: an axis of the input, or "new". */
  readonly result: readonly (number | "new")[];
}

const wholeAxis: SlicedAxis = { begin: 0, end: 0, stride: 1, beginOpen: true, endOpen: true, isIndex: false, position: -1 };
const bit = (mask: number, i: number): boolean => ((mask >> i) & 1) === 1;

/** Spreads the spec over the axes of a tensor of rank `rank`. @throws ValueError with TensorFlow's text. */
export function expandSpec(
  rank: number,
  begin: readonly (number | null)[],
  end: readonly (number | null)[],
  strides: readonly number[],
  masks: Masks,
): SliceSpec {
  const count = strides.length;
  const ellipses = Array.from({ length: count }, (_, i) => i).filter(i => bit(masks.ellipsisMask, i));
  if ((masks.ellipsisMask & (masks.ellipsisMask - 1)) !== 0) throw new ValueError("Multiple ellipses in slice spec not allowed");
  const ellipsis = ellipses[0] ?? count;
  const isNew = (i: number): boolean => bit(masks.newAxisMask, i) && i !== ellipsis;
  const newAfter = Array.from({ length: count }, (_, i) => i).filter(i => i > ellipsis && isNew(i)).length;
  const axes: SlicedAxis[] = [];
  const result: (number | "new")[] = [];
  const whole = (until: number): void => {
    while (axes.length < until) {
      result.push(axes.length);
      axes.push(wholeAxis);
    }
  };
  for (let i = 0; i < count; i++) {
    if (i === ellipsis) whole(Math.min(rank - (count - i) + 1 + newAfter, rank));
    else if (isNew(i)) result.push("new");
    else {
      if (rank === 0) throw new ValueError("Attempting to slice scalar input.");
      if (axes.length === rank) throw new ValueError(`Index out of range using input dim ${rank}; input has only ${rank} dims`);
      const isIndex = bit(masks.shrinkAxisMask, i);
      if (!isIndex) result.push(axes.length);
      axes.push({
        begin: begin[i],
        end: end[i],
        stride: strides[i],
        beginOpen: bit(masks.beginMask, i) && !isIndex,
        endOpen: bit(masks.endMask, i) && !isIndex,
        isIndex,
        position: i,
      });
    }
  }
  whole(rank);
  axes.forEach(({ stride, isIndex }, axis) => {
    if (stride === 0) throw new ValueError(`strides[${axis}] must be non-zero`);
    if (isIndex && stride < 0) throw new ValueError("only stride 1 allowed on non-range indexing.");
  });
  return { axes, result };
}

/** What is said of an index, counted from the front, that lies outside of an axis. */
export const indexOutside = (at: number, axis: number): string => `slice index ${at} of dimension ${axis} out of bounds.`;

/** Where a slice of an axis starts, and how many elements it has (null: not known). @throws ValueError for an index out of bounds. */
export function resolveAxis(axis: SlicedAxis, size: Dimension, position: number): { begin: number | null; length: Dimension } {
  const { begin, end, stride, beginOpen, endOpen, isIndex } = axis;
  if (isIndex) {
    if (size === null || begin === null) return { begin, length: 1 };
    const at = begin < 0 ? begin + size : begin;
    if (at < 0 || at >= size) throw new ValueError(indexOutside(at, position));
    return { begin: at, length: 1 };
  }
  if (size === null) return { begin: stride > 0 && beginOpen ? 0 : null, length: null };
  const [low, high] = stride > 0 ? [0, size] : [-1, size - 1];
  const clamp = (x: number): number => Math.min(Math.max(x < 0 ? x + size : x, low), high);
  const from = beginOpen ? (stride > 0 ? low : high) : begin === null ? null : clamp(begin);
  const to = endOpen ? (stride > 0 ? high : low) : end === null ? null : clamp(end);
  if (from === null || to === null) return { begin: from, length: null };
  return { begin: from, length: Math.max(0, Math.ceil((to - from) / stride)) };
}
