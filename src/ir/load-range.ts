// Whether the loads of an expression lie inside their sources. Intervals settle most; where a guard must help, points are tried:
// all of them in a small domain, in a large one the corners, their neighbours and the middles.

import { sizeOf } from "../base/shape.ts";
import type { Index } from "./index-map.ts";
import { evaluateIndex, forEachAtom } from "./index-map.ts";
import type { Scalar } from "./scalar.ts";
import { forEachScalar, partsOf } from "./scalar.ts";

type Load = Extract<Scalar, { kind: "load" }>;

/** A load that is evaluated at `point` and reads `index` of an axis of its source, outside. */
export interface LoadOutside {
  readonly load: Load;
  readonly point: readonly number[];
  readonly axis: number;
  readonly index: number;
}

const manyPoints = 2048;

/** A load outside its source at some point of the axes' extents, if one is found. */
export function findLoadOutside(roots: readonly Scalar[], extents: readonly number[]): LoadOutside | undefined {
  let mayLieOutside = false;
  const seen = new Set<Scalar>();
  for (const root of roots) {
    forEachScalar(
      root,
      node => {
        if (node.kind === "load" && node.at.some(({ min, max }, axis) => min < 0 || max >= node.source.shape[axis])) mayLieOutside = true;
      },
      seen,
    );
  }
  if (!mayLieOutside || sizeOf(extents) === 0) return undefined;
  for (const point of pointsOf(extents)) {
    // Indices read from data may be anything; they are clamped, so their ends are the worst they can be.
    for (const data of [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
      const found = findAtPoint(roots, point, data);
      if (found) return found;
    }
  }
  return undefined;
}

/** Walks what is evaluated at a point: of a guard only the side taken. */
function findAtPoint(roots: readonly Scalar[], point: readonly number[], data: number): LoadOutside | undefined {
  const pending = [...roots];
  const reached = new Set<Scalar>(pending);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (node.kind === "load") {
      for (const [axis, map] of node.at.entries()) {
        const index = evaluateIndex(map, point, () => data);
        const size = node.source.shape[axis];
        if ((index < 0 || index >= size) && !(size === 0 && hasData(map))) return { load: node, point, axis, index };
      }
    }
    for (const part of partsOf(node.kind === "guard" ? sideTaken(node, point, data) : node)) {
      if (reached.has(part)) continue;
      reached.add(part);
      pending.push(part);
    }
  }
  return undefined;
}

/** Data atoms cannot lie in an empty source; the check that there is no such index is a step of its own. */
function hasData(map: Index): boolean {
  let found = false;
  forEachAtom(map, atom => {
    if (atom.kind === "data") found = true;
  });
  return found;
}

function sideTaken(node: Extract<Scalar, { kind: "guard" }>, point: readonly number[], data: number): Scalar {
  const holds = node.when.every(({ index, low, high }) => {
    const i = evaluateIndex(index, point, () => data);
    return low <= i && i < high;
  });
  const taken = holds ? node.value : node.otherwise;
  return { ...node, value: taken, otherwise: taken };
}

function pointsOf(extents: readonly number[]): number[][] {
  const isSmall = sizeOf(extents) <= manyPoints;
  let points: number[][] = [[]];
  for (const size of extents) {
    const all = Array.from({ length: isSmall ? size : 0 }, (_, i) => i);
    const some = [...new Set([0, 1, size >> 1, size - 2, size - 1])].filter(i => i >= 0 && i < size);
    // The points of many axes would multiply without end: then the last axes give their ends, or their end.
    const options = isSmall
      ? all
      : points.length * some.length <= manyPoints
        ? some
        : points.length < 4 * manyPoints
          ? [0, size - 1]
          : [size - 1];
    points = points.flatMap(point => options.map(i => [...point, i]));
  }
  return points;
}
