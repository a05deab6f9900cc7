// What an evaluation costs, in units of one simple vector instruction per element. Only ratios matter: they decide whether a value is
// cheaper computed again by its readers or stored once and loaded. Rough on purpose; measured extremes are in comments.

import type { Index } from "../ir/index-map.ts";
import { forEachAtom } from "../ir/index-map.ts";
import type { Bound, Scalar, ScalarFunction } from "../ir/scalar.ts";
import { forEachScalar } from "../ir/scalar.ts";
import { type Load, positionOf } from "./access.ts";

const simpleFunctions: ReadonlySet<ScalarFunction> = new Set<ScalarFunction>([
  ...(["add", "sub", "mul", "min", "max", "neg", "abs", "sign", "and", "or", "xor", "not", "shl", "shr", "select"] as const),
  ...(["eq", "ne", "lt", "le", "gt", "ge", "floor", "ceil", "trunc", "round", "real", "imag", "conj", "complex"] as const),
]);
const dividingFunctions: ReadonlySet<ScalarFunction> = new Set<ScalarFunction>(["div", "sqrt", "rsqrt", "popcount"]);

/** exp takes about 9 times the time of x·x + x in a vector loop, log 13 times; everything not listed counts as such. */
export const functionCost = (fn: ScalarFunction): number => (simpleFunctions.has(fn) ? 1 : dividingFunctions.has(fn) ? 4 : 16);

/** From this cost on a function is never evaluated more often than its value has elements. */
export const expensive = 16;

/** Writing an element and, for the machine, first reading its cache line. */
export const storeCost = 2;

/** A kernel of its own: phases, barriers, a loop nest that starts. */
export const kernelCost = 300;

/** How an index moves along an axis: by a constant number of elements per step, or "irregularly" (inside div, mod or loaded indices). */
export function strideAlong(index: Index, axis: number): number | "irregular" {
  let stride = 0;
  for (const { atom, scale } of index.terms) {
    if (atom.kind === "axis") {
      if (atom.axis === axis) stride += scale;
    } else if (dependsOn(atom.kind === "data" ? atom.value : atom.of, axis)) return "irregular";
  }
  return stride;
}

function dependsOn(of: Index | Scalar, axis: number): boolean {
  if ("terms" in of) {
    let found = false;
    forEachAtom(of, atom => {
      found ||= atom.kind === "axis" ? atom.axis === axis : atom.kind === "data" && dependsOn(atom.value, axis);
    });
    return found;
  }
  let found = false;
  forEachScalar(of, node => {
    if (node.kind === "index") found ||= dependsOn(node.index, axis);
    if (node.kind === "load") found ||= node.at.some(index => dependsOn(index, axis));
    if (node.kind === "guard") found ||= node.when.some(bound => dependsOn(bound.index, axis));
  });
  return found;
}

const irregularCost = 8;

/** How far a load's position moves along an axis. Quotients and remainders of its indices may cancel in the position. */
function loadStride(load: Load, axis: number): number | "irregular" {
  let stride = 0;
  let size = 1;
  for (let k = load.at.length - 1; k >= 0; k--) {
    const part = strideAlong(load.at[k], axis);
    if (part === "irregular") return strideAlong(positionOf(load), axis);
    stride += part * size;
    size *= load.source.shape[k];
  }
  return stride;
}

function loadCostAlong(load: Load, axis: number): number {
  const stride = loadStride(load, axis);
  if (stride === "irregular") return irregularCost;
  if (stride === 0) return 0.5;
  return stride === 1 ? 1 : 3;
}

/** A load in loops whose innermost axis is one of `inner` (the best counts: a reduction may vectorize along either side). */
export const loadCost = (load: Load, inner: readonly number[]): number =>
  inner.length === 0 ? 1 : Math.min(...inner.map(axis => loadCostAlong(load, axis)));

function boundCost({ index }: Bound, axis: number): number {
  const stride = strideAlong(index, axis);
  if (stride === "irregular") return irregularCost;
  if (stride === 0) return 0.5;
  // A bound on the innermost axis alone splits the loop; with other axes beside it the split moves from row to row.
  return index.terms.length === 1 ? 1 : 3;
}

/** The innermost axes that loops over `shape`, then `over`, may be vectorized along. */
export function innerAxes(shape: readonly number[], over: readonly number[] = []): number[] {
  const last = (sizes: readonly number[], from: number): number[] => {
    for (let axis = sizes.length - 1; axis >= 0; axis--) if (sizes[axis] > 1) return [from + axis];
    return [];
  };
  return [...last(over, shape.length), ...last(shape, 0)];
}

/** One evaluation of an expression; shared nodes count once. */
export function evaluationCost(root: Scalar, inner: readonly number[]): number {
  let cost = 0;
  forEachScalar(root, node => {
    if (node.kind === "apply") cost += functionCost(node.fn);
    else if (node.kind === "load") cost += loadCost(node, inner);
    else if (node.kind === "cast" || node.kind === "index") cost += 1;
    else if (node.kind === "guard")
      for (const bound of node.when) cost += inner.length === 0 ? 0.5 : Math.min(...inner.map(axis => boundCost(bound, axis)));
  });
  return cost;
}

export function hasExpensiveFunction(root: Scalar): boolean {
  let found = false;
  forEachScalar(root, node => {
    found ||= node.kind === "apply" && functionCost(node.fn) >= expensive;
  });
  return found;
}

/** Can a loop along the last axis of `shape` be vector code throughout: no load and no bound moves irregularly or from row to row? */
export function isPlain(root: Scalar, shape: readonly number[]): boolean {
  const [axis] = innerAxes(shape);
  if (axis === undefined) return true;
  let plain = true;
  forEachScalar(root, node => {
    if (node.kind === "load") plain &&= loadCostAlong(node, axis) < irregularCost;
    else if (node.kind === "index") plain &&= strideAlong(node.index, axis) !== "irregular";
    else if (node.kind === "guard") plain &&= node.when.every(bound => boundCost(bound, axis) <= 1);
  });
  return plain;
}
