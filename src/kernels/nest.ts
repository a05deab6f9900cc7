// From an iteration space to loops: cut it into boxes where guards are settled, then join axes that every access walks as one.
// Works on index maps alone; what is computed at each point is expression.ts, how loops are written is loops.ts.

import type { Index } from "../ir/index-map.ts";
import { addIndex, axisIndex, constantIndex, divIndex, flattenIndex, forEachAtom, modIndex } from "../ir/index-map.ts";
import type { Bound, Scalar } from "../ir/scalar.ts";
import { forEachScalar, substituteScalar, substitution } from "../ir/scalar.ts";

/** A part of an iteration space: along each axis from `start` over `size`. */
export interface Box {
  readonly start: readonly number[];
  readonly size: readonly number[];
}

/** More boxes than this and guards stay as branches. */
const mostBoxes = 81;

/** Cuts a space into boxes inside which every guard on a single axis is settled. */
export function cutAtGuards(sizes: readonly number[], bodies: readonly Scalar[]): Box[] {
  const cuts = sizes.map(() => new Set<number>());
  for (const body of bodies)
    forEachScalar(body, node => {
      if (node.kind === "guard") for (const bound of node.when) addCuts(bound, sizes, cuts);
    });
  let boxes: Box[] = [{ start: [], size: [] }];
  sizes.forEach((size, axis) => {
    const at = [0, ...[...cuts[axis]].sort((a, b) => a - b), size];
    const isTooMany = boxes.length * (at.length - 1) > mostBoxes;
    const parts = isTooMany ? [[0, size]] : at.slice(1).map((end, i) => [at[i], end]);
    boxes = boxes.flatMap(box => parts.map(([from, to]) => ({ start: [...box.start, from], size: [...box.size, to - from] })));
  });
  return boxes;
}

function addCuts({ index, low, high }: Bound, sizes: readonly number[], cuts: readonly Set<number>[]): void {
  if (index.terms.length !== 1) return;
  const [{ atom, scale }] = index.terms;
  if (atom.kind !== "axis") return;
  // low ≤ scale·a + offset < high changes its answer where a passes these.
  const flips =
    scale > 0
      ? [Math.ceil((low - index.offset) / scale), Math.ceil((high - index.offset) / scale)]
      : [Math.floor((index.offset - low) / -scale) + 1, Math.floor((index.offset - high) / -scale) + 1];
  for (const flip of flips) if (flip > 0 && flip < sizes[atom.axis]) cuts[atom.axis].add(flip);
}

/** The bodies seen from inside a box: axis k becomes start + axis of the box's size, which settles guards. */
export const insideBox = (bodies: readonly Scalar[], { start, size }: Box, accumulator?: Scalar): Scalar[] => {
  const axes = size.map((extent, axis) => addIndex(axisIndex(axis, extent), constantIndex(start[axis])));
  return bodies.map(substitution(axes, load => load, accumulator));
};

/** Every index expression of the bodies: flat addresses of loads, index values, bounds; those inside div and mod too. */
function indicesOf(bodies: readonly Scalar[], extra: readonly Index[]): Index[] {
  const found: Index[] = [];
  const add = (index: Index): void => {
    found.push(index);
    forEachAtom(index, atom => {
      if (atom.kind === "div" || atom.kind === "mod") found.push(atom.of);
    });
  };
  for (const index of extra) add(index);
  for (const body of bodies)
    forEachScalar(body, node => {
      if (node.kind === "load") add(flattenIndex(node.at, node.source.shape));
      if (node.kind === "index") add(node.index);
      if (node.kind === "guard") for (const bound of node.when) add(bound.index);
    });
  return found;
}

export interface Merged {
  readonly sizes: readonly number[];
  readonly bodies: readonly Scalar[];
  readonly extra: readonly Index[];
}

/** Joins neighbouring axes that all accesses walk as one, and drops axes of size 1; never across `boundary` (the first reduced axis). */
export function mergeAxes(
  sizes: readonly number[],
  bodies: readonly Scalar[],
  extra: readonly Index[] = [],
  boundary = sizes.length,
): Merged & { boundary: number } {
  const indices = indicesOf(bodies, extra);
  const groups: number[][] = [];
  sizes.forEach((size, axis) => {
    if (size === 1) return;
    const last = groups[groups.length - 1];
    const isOtherSide = last !== undefined && last[0] < boundary && axis >= boundary;
    if (last !== undefined && !isOtherSide && canMerge(last[last.length - 1], axis, size, indices)) last.push(axis);
    else groups.push([axis]);
  });
  const axes: Index[] = sizes.map(() => constantIndex(0));
  const newSizes = groups.map(group => group.reduce((product, axis) => product * sizes[axis], 1));
  groups.forEach((group, g) => {
    let rest = axisIndex(g, newSizes[g]);
    for (const axis of [...group].reverse()) {
      axes[axis] = axis === group[0] ? rest : modIndex(rest, sizes[axis]);
      rest = divIndex(rest, sizes[axis]);
    }
  });
  const done = bodies.map(substitution(axes));
  return {
    sizes: newSizes,
    bodies: done,
    extra: extra.map(index => substituteFlat(index, axes)),
    boundary: groups.filter(group => group[0] < boundary).length,
  };
}

/** All indices step over a whole inner axis as one step of the outer one. */
function canMerge(outer: number, inner: number, innerSize: number, indices: readonly Index[]): boolean {
  return indices.every(index => scaleOf(index, outer) === scaleOf(index, inner) * innerSize);
}

export const scaleOf = (index: Index, axis: number): number => {
  for (const { atom, scale } of index.terms) if (atom.kind === "axis" && atom.axis === axis) return scale;
  return 0;
};

/** Does an index move by axes alone, with no div, mod or data? */
export const isAffine = (index: Index): boolean => index.terms.every(({ atom }) => atom.kind === "axis");

function substituteFlat(index: Index, axes: readonly Index[]): Index {
  const holder = substituteScalar({ kind: "index", dtype: "int32", index }, axes);
  if (holder.kind === "index") return holder.index;
  return constantIndex(holder.kind === "constant" ? Number(holder.value) : 0);
}

/** Does an index depend on an axis, through div, mod or data too? */
export function dependsOnAxis(index: Index, axis: number): boolean {
  let found = false;
  forEachAtom(index, atom => {
    if (atom.kind === "axis" && atom.axis === axis) found = true;
    if (atom.kind === "data" && lastAxis(atom.value) >= axis && axesOf(atom.value).has(axis)) found = true;
  });
  return found;
}

const axesKnown = new WeakMap<Scalar, ReadonlySet<number>>();
const lastKnown = new WeakMap<ReadonlySet<number>, number>();
const noAxes: ReadonlySet<number> = new Set();

/** One of the two sets where it holds the other, as it mostly does. */
function union(a: ReadonlySet<number>, b: ReadonlySet<number>): ReadonlySet<number> {
  if (a === b || b.size === 0) return a;
  if (a.size === 0) return b;
  for (const axis of b) if (!a.has(axis)) return new Set([...a, ...b]);
  return a;
}

/** The axes an expression depends on. */
export function axesOf(scalar: Scalar): ReadonlySet<number> {
  const known = axesKnown.get(scalar);
  if (known) return known;
  let axes = noAxes;
  const addIndexAxes = (index: Index): void =>
    forEachAtom(index, atom => {
      if (atom.kind === "axis") axes = axes.has(atom.axis) ? axes : new Set([...axes, atom.axis]);
      if (atom.kind === "data") axes = union(axes, axesOf(atom.value));
    });
  const addAll = (parts: readonly Scalar[]): void => {
    for (const part of parts) axes = union(axes, axesOf(part));
  };
  switch (scalar.kind) {
    case "load":
      for (const index of scalar.at) addIndexAxes(index);
      break;
    case "index":
      addIndexAxes(scalar.index);
      break;
    case "apply":
      addAll(scalar.args);
      break;
    case "cast":
    case "bitcast":
      addAll([scalar.arg]);
      break;
    case "guard":
      for (const bound of scalar.when) addIndexAxes(bound.index);
      addAll([scalar.value, scalar.otherwise]);
      break;
    case "accumulator":
      // Finished inside the loops of the result: as deep as anything there.
      axes = new Set([accumulatorAxis]);
      break;
  }
  axesKnown.set(scalar, axes);
  return axes;
}

/** The axis number that stands for "where the accumulator is". */
export const accumulatorAxis = 1000;

/** The innermost axis an expression depends on, -1 for none. */
export function lastAxis(scalar: Scalar): number {
  const axes = axesOf(scalar);
  let last = lastKnown.get(axes);
  if (last === undefined) {
    last = Math.max(-1, ...axes);
    lastKnown.set(axes, last);
  }
  return last;
}
