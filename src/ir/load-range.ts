// Whether the loads of an expression lie inside their sources. Ranges settle most, narrowed by the bounds of the guards around a load;
// what they cannot settle is tried at points: all of them in a small domain, in a large one the corners, their neighbours and the middles.

import { sizeOf } from "../base/shape.ts";
import type { Atom, Index } from "./index-map.ts";
import { addIndex, constantIndex, evaluateIndex, forEachAtom, indexKey, scaleIndex, subtractIndex } from "./index-map.ts";
import type { Bound, Scalar } from "./scalar.ts";
import { forEachScalar, partsOf } from "./scalar.ts";

type Load = Extract<Scalar, { kind: "load" }>;
type Guard = Extract<Scalar, { kind: "guard" }>;

/** A load that is evaluated at `point` and reads `index` of an axis of its source, outside. */
export interface LoadOutside {
  readonly load: Load;
  readonly point: readonly number[];
  readonly axis: number;
  readonly index: number;
}

const manyPoints = 2048;
const manySteps = 20_000;

/** A load outside its source at some point of the axes' extents, if one is found. */
export function findLoadOutside(roots: readonly Scalar[], extents: readonly number[]): LoadOutside | undefined {
  const open = openNodes(roots);
  if (open.size === 0 || sizeOf(extents) === 0 || new RangeProof(open).holds(roots)) return undefined;
  for (const point of pointsOf(extents)) {
    // Indices read from data may be anything; they are clamped, so their ends are the worst they can be.
    for (const data of [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) {
      const found = findAtPoint(roots, point, data);
      if (found) return found;
    }
  }
  return undefined;
}

/** Loads whose range alone does not keep them inside, and all that is made of them. */
function openNodes(roots: readonly Scalar[]): Set<Scalar> {
  const open = new Set<Scalar>();
  const seen = new Set<Scalar>();
  for (const root of roots) {
    forEachScalar(
      root,
      node => {
        const isOpenLoad = node.kind === "load" && node.at.some(({ min, max }, axis) => min < 0 || max >= node.source.shape[axis]);
        if (isOpenLoad || partsOf(node).some(part => open.has(part))) open.add(node);
      },
      seen,
    );
  }
  return open;
}

/** What guards say of an index: it lies in [low, high). Keyed by the index without its offset. */
type Facts = ReadonlyMap<string, Bound>;

/** Walks into guards, knowing on each side what its bounds say. */
class RangeProof {
  private readonly open: ReadonlySet<Scalar>;
  private steps = 0;

  constructor(open: ReadonlySet<Scalar>) {
    this.open = open;
  }

  holds(roots: readonly Scalar[]): boolean {
    return roots.every(root => this.visit(root, new Map()));
  }

  private visit(node: Scalar, facts: Facts): boolean {
    if (!this.open.has(node)) return true;
    if (++this.steps > manySteps) return false;
    if (node.kind === "guard") return this.visitGuard(node, facts);
    if (node.kind === "load" && !node.at.every((index, axis) => isWithin(rangeUnder(index, facts), node.source.shape[axis]))) return false;
    return partsOf(node).every(part => this.visit(part, facts));
  }

  private visitGuard(node: Guard, facts: Facts): boolean {
    const data = partsOf(node).slice(0, -2);
    if (!data.every(part => this.visit(part, facts))) return false;
    const inside = node.when.reduce(withFact, facts);
    return this.visit(node.value, inside) && this.visit(node.otherwise, withFactsOutside(node, facts));
  }
}

const isWithin = ([min, max]: readonly [number, number], size: number): boolean => min >= 0 && max < size;

function withFact(facts: Facts, { index, low, high }: Bound): Facts {
  const linear = addIndex(index, constantIndex(-index.offset));
  const key = indexKey(linear);
  const known = facts.get(key);
  const bound = {
    index: linear,
    low: Math.max(low - index.offset, known?.low ?? Number.NEGATIVE_INFINITY),
    high: Math.min(high - index.offset, known?.high ?? Number.POSITIVE_INFINITY),
  };
  return new Map([...facts, [key, bound]]);
}

/** Outside of a single bound whose one end cannot be passed, the index lies beyond the other: how concatenations go on. */
function withFactsOutside({ when }: Guard, facts: Facts): Facts {
  if (when.length !== 1) return facts;
  const [{ index, low, high }] = when;
  const [min, max] = rangeUnder(index, facts);
  if (min >= low) return withFact(facts, { index, low: high, high: max + 1 });
  return max < high ? withFact(facts, { index, low: min, high: low }) : facts;
}

/** The range of an index given what is known of others: those that occur in it as a whole, times a factor, are replaced by their bounds. */
function rangeUnder(index: Index, facts: Facts): [min: number, max: number] {
  let [min, max] = [index.offset, index.offset];
  for (const { atom, scale } of index.terms) {
    const [low, high] = atomRangeUnder(atom, facts);
    min += scale > 0 ? scale * low : scale * high;
    max += scale > 0 ? scale * high : scale * low;
  }
  for (const [key, fact] of facts) {
    const factor = factorOf(fact.index, index);
    if (factor === undefined) continue;
    const others = new Map(facts);
    others.delete(key);
    const [restMin, restMax] = rangeUnder(subtractIndex(index, scaleIndex(fact.index, factor)), others);
    const [low, high] = factor > 0 ? [fact.low, fact.high - 1] : [fact.high - 1, fact.low];
    min = Math.max(min, restMin + factor * low);
    max = Math.min(max, restMax + factor * high);
  }
  return [min, max];
}

function atomRangeUnder(atom: Atom, facts: Facts): [number, number] {
  if (atom.kind === "axis" || atom.kind === "data") return [0, Math.max(atom.size - 1, 0)];
  const [low, high] = rangeUnder(atom.of, facts);
  const [first, last] = [Math.floor(low / atom.by), Math.floor(high / atom.by)];
  if (atom.kind === "div") return [first, last];
  return first === last ? [low - first * atom.by, high - last * atom.by] : [0, atom.by - 1];
}

/** k such that k·part is contained in the terms of `whole`. */
function factorOf(part: Index, whole: Index): number | undefined {
  let factor: number | undefined;
  for (const { atom, scale } of part.terms) {
    const found = whole.terms.find(term => term.atom.key === atom.key);
    const ratio = (found?.scale ?? 0) / scale;
    if (!Number.isInteger(ratio) || ratio === 0 || (factor !== undefined && ratio !== factor)) return undefined;
    factor = ratio;
  }
  return factor;
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

function sideTaken(node: Guard, point: readonly number[], data: number): Scalar {
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
