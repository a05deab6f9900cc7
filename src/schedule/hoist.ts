// Loop-invariant code: a kernel inside a loop that reads nothing the loop changes runs once, before it. Only what cannot fail moves,
// and nothing leaves a branch. Values made from nothing (fills) stay: inside they can be overwritten in place.

import type { Region, Step, Value } from "../ir/program.ts";
import { outputsOf } from "../ir/program.ts";
import { inputsOf } from "../ir/traverse.ts";
import type { Aliases } from "./sources.ts";

const movable: ReadonlySet<Step["kind"]> = new Set<Step["kind"]>(["map", "reduce", "contract", "scan", "sort", "scatter", "random"]);

/** The steps with invariant ones moved before the loops they stand in, as far out as they go. */
export function hoist(steps: readonly Step[], aliases: Aliases): Step[] {
  return steps.flatMap(step => {
    if (step.kind === "branch") return [{ ...step, cases: step.cases.map(region => ({ ...region, steps: hoist(region.steps, aliases) })) }];
    if (step.kind !== "loop") return [step];
    const condition = hoistRegion(step.condition, aliases);
    const body = hoistRegion(step.body, aliases);
    return [...condition.moved, ...body.moved, { ...step, condition: condition.region, body: body.region }];
  });
}

function hoistRegion(region: Region, aliases: Aliases): { moved: Step[]; region: Region } {
  const moved: Step[] = [];
  const changing = new Set<Value>(region.params);
  const steps = hoist(region.steps, aliases).filter(step => {
    const inputs = inputsOf(step);
    const isInvariant = inputs.length > 0 && !inputs.some(value => changing.has(aliases.rootOf(value)));
    if (isInvariant && movable.has(step.kind)) {
      moved.push(step);
      return false;
    }
    for (const value of outputsOf(step)) changing.add(value);
    return true;
  });
  return { moved, region: { ...region, steps } };
}
