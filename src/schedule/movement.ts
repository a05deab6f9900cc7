// Maps that only move data, recognised by their index maps: those that move nothing at all (another shape over the same bytes),
// and those that a contraction can read through, because its operands are zero outside their source.

import { dtypeBytes } from "../base/dtype.ts";
import type { Index } from "../ir/index-map.ts";
import { substituteIndex } from "../ir/index-map.ts";
import type { Operand, Step, Value } from "../ir/program.ts";
import type { Scalar } from "../ir/scalar.ts";
import { equalIndex, isSamePosition, type Load } from "./access.ts";

/** The value whose bytes a map repeats in the same order (a reshape, a bitcast of equal width), if it does. */
export function sameBytesAs(step: Extract<Step, { kind: "map" }>): Value | undefined {
  const { body, out } = step;
  const load = body.kind === "bitcast" ? body.arg : body;
  if (load.kind !== "load" || dtypeBytes(load.source.dtype) !== dtypeBytes(out.dtype)) return undefined;
  if (body.kind === "load" && load.source.dtype !== out.dtype) return undefined;
  return isSamePosition(load, out.shape) ? load.source : undefined;
}

/** The operand that reads what `moved`, a map with this body, was made from: possible when the composed index is affine, and outside of
 *  `moved` (or where its guard fails) is outside of the source as well. */
export function readThrough(body: Scalar, moved: Value, at: readonly Index[]): Operand | undefined {
  const load = movedLoad(body);
  if (load === undefined) return undefined;
  for (const [axis, index] of at.entries()) {
    const size = moved.shape[axis];
    if (index.min < 0 && !leavesSource(load, axis, -1)) return undefined;
    if (index.max >= size && !leavesSource(load, axis, size)) return undefined;
  }
  const composed = load.at.map(index => substituteIndex(index, at, value => value));
  if (!composed.every(index => index.terms.every(({ atom }) => atom.kind === "axis"))) return undefined;
  return { source: load.source, at: composed };
}

/** The load of a body that is a load alone, or zero outside the source of one. */
function movedLoad(body: Scalar): Load | undefined {
  if (body.kind === "load") return body;
  if (body.kind !== "guard" || body.value.kind !== "load") return undefined;
  const { value: load, otherwise } = body;
  if (otherwise.kind !== "constant" || Number(otherwise.value) !== 0) return undefined;
  const isEdge = body.when.every(({ index, low, high }) =>
    load.at.some((at, axis) => equalIndex(at, index) && low <= 0 && high >= load.source.shape[axis]),
  );
  return isEdge ? load : undefined;
}

/** If `axis` of the moved value is at `position` (just before or just after its range) or beyond, is the load outside its source? */
function leavesSource(load: Load, axis: number, position: number): boolean {
  return load.at.some((index, k) => {
    if (index.terms.length !== 1) return false;
    const [{ atom, scale }] = index.terms;
    if (atom.kind !== "axis" || atom.axis !== axis) return false;
    const reached = scale * position + index.offset;
    return position < 0 === scale > 0 ? reached < 0 : reached >= load.source.shape[k];
  });
}
