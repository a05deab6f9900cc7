// Axes of ragged tensors, counted from either end.

import { ValueError } from "../../base/errors.ts";
import { pythonType } from "../../base/python-text.ts";

/** The axis counted from the front. @throws ValueError for one that is none, and for a negative one of an unknown rank. TF: get_positive_axis. */
export function positive(axis: number, rank: number | null, axisName = "axis", rankName = "ndims"): number {
  if (!Number.isInteger(axis)) throw new TypeError(`${axisName} must be an int; got ${pythonType(axis)}`);
  if (rank !== null) {
    if (axis < -rank || axis >= rank) throw new ValueError(`${axisName}=${axis} out of bounds: expected ${-rank}<=${axisName}<${rank}`);
  } else if (axis < 0) throw new ValueError(`${axisName}=${axis} may only be negative if ${rankName} is statically known.`);
  return axis < 0 ? axis + (rank as number) : axis;
}
