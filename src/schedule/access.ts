// How an expression touches memory: the row-major position of a load as one index, whether it is the position being computed,
// and how a position moves along the innermost axis. Contiguous arrays make reshapes vanish here: they do not change positions.

import { dtypeBytes } from "../base/dtype.ts";
import { sameShape, sizeOf } from "../base/shape.ts";
import type { Index } from "../ir/index-map.ts";
import { axisIndex, flattenIndex, forEachAtom, readsData, unflattenIndex } from "../ir/index-map.ts";
import type { Step, Value } from "../ir/program.ts";
import type { Scalar } from "../ir/scalar.ts";
import { forEachScalar } from "../ir/scalar.ts";

export type Load = Extract<Scalar, { kind: "load" }>;

/** Bytes of a value as an array; 0 for strings and handles, which have no fixed size. */
export const bytesOf = (value: { readonly dtype: Value["dtype"]; readonly shape: readonly number[] }): number =>
  dtypeBytes(value.dtype) * sizeOf(value.shape);

/** Values without a fixed element size live on the host. */
export const isHost = (value: { readonly dtype: Value["dtype"] }): boolean => dtypeBytes(value.dtype) === 0;

/** The multi-index of an iteration over `shape`. */
export const axesOf = (shape: readonly number[]): Index[] => shape.map((size, axis) => axisIndex(axis, size));

const positions = new WeakMap<Load, Index>();

/** Where a load reads, as a row-major position in its source. */
export function positionOf(load: Load): Index {
  let position = positions.get(load);
  if (position === undefined) {
    position = flattenIndex(load.at, load.source.shape);
    positions.set(load, position);
  }
  return position;
}

/** Equality of normal forms without printing them. */
export function equalIndex(a: Index, b: Index): boolean {
  if (a === b) return true;
  if (a.offset !== b.offset || a.terms.length !== b.terms.length) return false;
  return a.terms.every(({ atom, scale }, i) => scale === b.terms[i].scale && atom.key === b.terms[i].atom.key);
}

/** Does this load read, in an iteration over `shape`, the very position that is being computed? */
export function isSamePosition(load: Load, shape: readonly number[]): boolean {
  const { shape: from } = load.source;
  if (sizeOf(from) !== sizeOf(shape)) return false;
  if (sameShape(from, shape)) return load.at.every((index, axis) => isAxis(index, axis, shape[axis]));
  return equalIndex(positionOf(load), flattenIndex(axesOf(shape), shape));
}

const isAxis = ({ terms, offset }: Index, axis: number, size: number): boolean => {
  if (offset !== 0) return false;
  if (size === 1) return terms.length === 0;
  return terms.length === 1 && terms[0].scale === 1 && terms[0].atom.kind === "axis" && terms[0].atom.axis === axis;
};

/** The multi-index in `shape` of the element at the same row-major position as the iteration over `iteration`. */
export const reindex = (iteration: readonly number[], shape: readonly number[]): Index[] =>
  unflattenIndex(flattenIndex(axesOf(iteration), iteration), shape);

/** The extents a step's expressions run over: output axes, then reduced axes. */
export function iterationOf(step: Step): readonly number[] {
  switch (step.kind) {
    case "map":
      return step.out.shape;
    case "reduce":
    case "contract":
      return [...step.out.shape, ...step.over];
    case "scatter":
    case "check":
      return step.over;
    default:
      return [];
  }
}

interface SharedLoad {
  readonly load: Load;
  readonly share: number;
}

const loads = new WeakMap<Scalar, readonly SharedLoad[]>();

/** Visits the distinct loads of an expression with the share of evaluations that guards let through to them (1: always). */
export function forEachLoad(root: Scalar, visit: (load: Load, share: number) => void): void {
  let found = loads.get(root);
  if (found === undefined) {
    found = findLoads(root);
    loads.set(root, found);
  }
  for (const { load, share } of found) visit(load, share);
}

function findLoads(root: Scalar): readonly SharedLoad[] {
  const found: SharedLoad[] = [];
  const seen = new Set<Scalar>();
  const inIndex = (index: Index, share: number): void => {
    if (!readsData(index)) return;
    forEachAtom(index, atom => {
      if (atom.kind === "data") walk(atom.value, share);
    });
  };
  const walk = (node: Scalar, share: number): void => {
    if (seen.has(node)) return;
    seen.add(node);
    switch (node.kind) {
      case "index":
        inIndex(node.index, share);
        break;
      case "load":
        for (const index of node.at) inIndex(index, share);
        found.push({ load: node, share });
        break;
      case "apply":
        for (const arg of node.args) walk(arg, share);
        break;
      case "cast":
      case "bitcast":
        walk(node.arg, share);
        break;
      case "guard": {
        let inside = 1;
        for (const { index, low, high } of node.when) {
          inIndex(index, share);
          inside *= Math.max(Math.min(high, index.max + 1) - Math.max(low, index.min), 0) / (index.max - index.min + 1);
        }
        walk(node.value, share * inside);
        walk(node.otherwise, share * (1 - inside));
        break;
      }
    }
  };
  walk(root, 1);
  return found;
}

/** Distinct nodes of an expression. */
export function nodeCount(root: Scalar): number {
  let count = 0;
  forEachScalar(root, () => count++);
  return count;
}
