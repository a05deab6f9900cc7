// What the ways to record a reduction have in common: the kernel inside its loops, axes joined.

import type { Value } from "../../ir/program.ts";
import type { Index } from "../../ir/index-map.ts";
import type { Scalar } from "../../ir/scalar.ts";
import type { Kernel } from "../../schedule/plan.ts";
import { least, plus, times } from "../arithmetic.ts";
import { type UnitRange, unitsOf, visitOpen } from "../loops.ts";
import type { AddressBook } from "../places.ts";
import type { FunctionRecorder } from "../language/recorder.ts";
import type { Point } from "../language/scalar-code.ts";
import { flatIndex, pace } from "../language/vector-code.ts";

export type ReduceKernel = Extract<Kernel, { kind: "reduce" }>;

/** A reduction inside its loops. */
export interface Part {
  readonly kernel: ReduceKernel;
  readonly body: Scalar;
  readonly stores: readonly { readonly out: Value; readonly body: Scalar; readonly flat: Index }[];
}

export interface Work extends Part {
  /** Others in the same loops; none of them, nor the first, is of positions. */
  readonly siblings: readonly Part[];
  readonly k: FunctionRecorder;
  readonly addresses: AddressBook;
  readonly sizes: readonly number[];
  readonly overSizes: readonly number[];
  /** Where in the reduced space: what argmax returns. */
  readonly reduced: Index;
  /** Is the code for any size? Then none of the sizes above may decide what it is. */
  readonly isAnySize?: boolean;
  /** Axis 0 counts slices of so many units of the reduced space. */
  readonly unitsPerSlice?: number;
}

export const partsOf = (work: Part & Pick<Work, "siblings">): readonly Part[] => [work, ...work.siblings];

/** The expressions evaluated in the loops, what is reduced before what is made of it. */
export const bodiesOf = (parts: readonly Part[]): Scalar[] => [
  ...parts.map(({ body }) => body),
  ...parts.flatMap(({ stores }) => stores.map(store => store.body)),
];

/** Work that is cut into units. */
export interface CutWork extends Work {
  readonly range: UnitRange;
}

/** The part of the reduced space that belongs to a point's slice. */
export function sliceAt({ k, overSizes, unitsPerSlice }: Work, { axes }: Point): UnitRange | undefined {
  if (unitsPerSlice === undefined) return undefined;
  const low = k.let(times(axes[0], unitsPerSlice));
  return { low, high: k.let(least(plus(low, unitsPerSlice), unitsOf(overSizes))) };
}

/** At least one load moves with the axis, so that vectors pay. */
export function hasStep(body: Scalar, inner: number): boolean {
  let steps = false;
  let gathers = false;
  visitOpen([body], node => {
    if (node.kind !== "load") return;
    const how = pace(flatIndex(node), inner);
    steps ||= how === "step";
    gathers ||= how === "gather";
  });
  return steps && !gathers;
}
