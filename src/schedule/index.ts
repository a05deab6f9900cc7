// Program → Plan on one page: what is computed where, in which order, in which memory. Each pass is a pure function of what it is given;
// nothing here knows a machine beyond the target's alignment and scratch sizes.

import type { Program, Region, Value } from "../ir/program.ts";
import { outputsOf } from "../ir/program.ts";
import { removeDead } from "./dead-code.ts";
import { fuse } from "./fuse.ts";
import { group } from "./group.ts";
import { hoist } from "./hoist.ts";
import { mergeEqual } from "./merge-equal.ts";
import { order } from "./order.ts";
import { packOnce } from "./pack-once.ts";
import { place } from "./place.ts";
import type { Plan, ScheduleTarget } from "./plan.ts";
import { joinRows } from "./rows.ts";
import { settle } from "./settle.ts";
import { joinSiblings } from "./siblings.ts";
import { Aliases, takeSources } from "./sources.ts";
import { splitComplex } from "./split-complex.ts";
import { stackSums } from "./stack-sums.ts";
import { sweep } from "./sweep.ts";

/** Makes a Plan of a Program: kernels in order, and a place in memory for every value that exists as an array. */
export function schedule(program: Program, target: ScheduleTarget): Plan {
  const aliases = new Aliases();
  const newValue = valueMaker(program);
  const { sources, program: computed } = takeSources(removeDead(program), aliases, newValue);
  const merged = mergeEqual(computed, aliases);
  const fused = fuse(target.isAnySize ? merged : stackSums(splitComplex(merged, aliases, newValue), newValue), aliases);
  const hoisted = { ...fused, steps: hoist(fused.steps, aliases) };
  const block = group(hoisted, sources, aliases);
  if (!target.isAnySize) {
    joinRows(block, aliases, newValue);
    joinSiblings(block, aliases);
    packOnce(block, aliases, newValue, target);
  }
  const homes = settle(block, sources, aliases, newValue);
  order(
    block,
    homes,
    sources.feeds.map(feed => feed.value),
    aliases,
  );
  if (!target.isAnySize) sweep(block, sources, homes, aliases, target);
  return place(block, sources, homes, aliases, target);
}

/** Makes values with numbers that the program does not use. */
function valueMaker(program: Program): (like: Pick<Value, "dtype" | "shape">) => Value {
  let next = 0;
  const inRegion = ({ params, steps }: Pick<Region, "params" | "steps">): void => {
    for (const value of params) next = Math.max(next, value.id + 1);
    for (const step of steps) {
      for (const value of outputsOf(step)) next = Math.max(next, value.id + 1);
      if (step.kind === "branch") step.cases.forEach(inRegion);
      if (step.kind === "loop") [step.condition, step.body].forEach(inRegion);
    }
  };
  inRegion({ params: [], steps: program.steps });
  return ({ dtype, shape }) => ({ id: next++, dtype, shape });
}

export { planBound, planCounts } from "./bound.ts";
export { printPlan } from "./print-plan.ts";
