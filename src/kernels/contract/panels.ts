// What a product copies of its columns before it begins (contract/blocks-plan.ts, contract/plan.ts), as a map that anybody may compute: where several
// products copy the same, the scheduler has it made once, and they read it as it is.

import { addIndex, axisIndex, constantIndex, type Index, scaleIndex, unflattenIndex } from "../../ir/index-map.ts";
import { type Bound, constantScalar, guardScalar, loadScalar } from "../../ir/scalar.ts";
import type { Panels } from "../../schedule/plan.ts";
import type { BlocksPlan } from "./blocks-plan.ts";
import type { ContractKernel, ContractPlan } from "./plan.ts";
import type { Target } from "../target.ts";
import { wayOf } from "./way.ts";

/** Undefined where columns are read as they lie, or are copied in another form. */
export function panelsOf(kernel: ContractKernel, target: Target): Panels | undefined {
  const { kind, plan } = wayOf(kernel, target);
  if (kind === "blocks") return plan.copyB === "none" ? undefined : ofBlocks(plan);
  return kind === "tiles" && plan.packed ? ofTiles(plan, plan.packed.shape) : undefined;
}

/** [blocks of the reduced space, panel, terms of a block, column of the panel]. */
function ofBlocks(plan: BlocksPlan): Panels | undefined {
  const { reduced, depth, steps, blocksAlong, panels, tile } = plan;
  const outside = reduced.slice(0, depth).map(({ size }) => size);
  const inside = reduced.slice(depth + 1).map(({ size }) => size);
  const shape = [...outside, blocksAlong, panels, steps, ...inside, tile.columns];
  const axes = shape.map((size, axis) => axisIndex(axis, size));
  const along = addIndex(scaleIndex(axes[depth], steps), axes[depth + 2]);
  const terms = [...axes.slice(0, depth), along, ...axes.slice(depth + 3, -1)];
  const isWhole = blocksAlong * steps === reduced[depth].size;
  return panelsAt(plan, {
    shape,
    moves: terms.map((index, i) => [index, reduced[i].b]),
    column: addIndex(scaleIndex(axes[depth + 1], tile.columns), axes[axes.length - 1]),
    inside: isWhole ? [] : [{ index: along, low: 0, high: reduced[depth].size }],
  });
}

/** [batch…, panel, reduced…, column of the panel]. */
function ofTiles(plan: ContractPlan, shape: readonly number[]): Panels | undefined {
  const { batch, reduced, panelWidth } = plan;
  const axes = shape.map((size, axis) => axisIndex(axis, size));
  return panelsAt(plan, {
    shape,
    moves: [
      ...batch.map((axis, i) => [axes[i], axis.b] as const),
      ...reduced.map((axis, i) => [axes[batch.length + 1 + i], axis.b] as const),
    ],
    column: addIndex(scaleIndex(axes[batch.length], panelWidth), axes[axes.length - 1]),
    inside: [],
  });
}

interface Moves {
  readonly shape: readonly number[];
  /** Indices, and how many elements of B each moves by. */
  readonly moves: readonly (readonly [Index, number])[];
  readonly column: Index;
  /** What else keeps places inside B. */
  readonly inside: readonly Bound[];
}

/** B at these places, zero past its last column; undefined if it is a padded copy of the kernel's own. */
function panelsAt(
  { paddings, b, bFlat, column: { size, b: step } }: Pick<BlocksPlan, "paddings" | "b" | "bFlat" | "column">,
  { shape, moves, column, inside }: Moves,
): Panels | undefined {
  if (paddings.some(({ padded }) => padded === b)) return undefined;
  const flat = [...moves, [column, step] as const].reduce(
    (sum, [index, by]) => (by === 0 ? sum : addIndex(sum, scaleIndex(index, by))),
    constantIndex(bFlat.offset),
  );
  const body = guardScalar([...inside, { index: column, low: 0, high: size }], loadScalar(b, unflattenIndex(flat, b.shape)), zero);
  return { source: b, shape, body };
}

const zero = constantScalar("float32", 0);
