// Dead code: steps whose values nobody needs. Checks, calls and the last update of each state are what a run is for, besides its results.
// Also the results of branches, and what loops carry along, as far as nobody reads them.

import { InternalError } from "../base/errors.ts";
import type { Program, Region, State, Step, Value } from "../ir/program.ts";
import { outputsOf } from "../ir/program.ts";
import { capturesOf, inputsOf } from "../ir/traverse.ts";

/** Has a step an effect besides its values: may it stop the run, call the host, write a state, or must a state hold something for it? */
export function hasEffect(step: Step): boolean {
  switch (step.kind) {
    case "check":
    case "call":
    case "update":
      return true;
    case "state":
      return step.isDemanded === true;
    case "branch":
      return step.cases.some(region => region.steps.some(hasEffect));
    case "loop":
      return [step.condition, step.body].some(region => region.steps.some(hasEffect));
    default:
      return false;
  }
}

/** The program without steps that contribute neither to a result nor to an effect. Of several updates of one state the last remains. */
export function removeDead(program: Program): Program {
  const needed = new Set(program.results);
  return { steps: keepNeeded(lastUpdates(program.steps), needed), results: program.results };
}

function lastUpdates(steps: readonly Step[]): Step[] {
  const last = new Map<State["id"], Step>();
  for (const step of steps) if (step.kind === "update") last.set(step.state.id, step);
  return steps.filter(step => step.kind !== "update" || last.get(step.state.id) === step);
}

/** The steps that `needed` values and effects rest on; adds what these read to `needed`. */
function keepNeeded(steps: readonly Step[], needed: Set<Value>): Step[] {
  const kept: Step[] = [];
  for (let i = steps.length - 1; i >= 0; i--) {
    const step = steps[i];
    if (!hasEffect(step) && !outputsOf(step).some(out => needed.has(out))) continue;
    const trimmed = step.kind === "branch" ? trimBranch(step, needed) : step.kind === "loop" ? trimLoop(step, needed) : step;
    for (const value of inputsOf(trimmed)) needed.add(value);
    kept.push(trimmed);
  }
  return kept.reverse();
}

function trimRegion(region: Region, isKept: (k: number) => boolean, params: readonly Value[] = region.params): Region {
  const results = region.results.filter((_, k) => isKept(k));
  if (region.steps.some(step => step.kind === "update"))
    throw new InternalError("An update stands inside a branch or a loop: it must be lowered to a value that is updated after it.");
  return { params, steps: keepNeeded(region.steps, new Set(results)), results };
}

function trimBranch(step: Extract<Step, { kind: "branch" }>, needed: ReadonlySet<Value>): Step {
  const isKept = (k: number): boolean => needed.has(step.outs[k]);
  return { ...step, outs: step.outs.filter((_, k) => isKept(k)), cases: step.cases.map(region => trimRegion(region, isKept)) };
}

/** A carried value stays if it is read after the loop, decides when the loop ends, or contributes to one that stays. */
function trimLoop(step: Extract<Step, { kind: "loop" }>, needed: ReadonlySet<Value>): Step {
  const kept = new Set([...step.outs.keys()].filter(k => needed.has(step.outs[k])));
  const condition = trimRegion(step.condition, () => true);
  for (const value of capturesOf({ ...condition, params: [] })) {
    const k = step.condition.params.indexOf(value);
    if (k >= 0) kept.add(k);
  }
  for (;;) {
    const isKept = (k: number): boolean => kept.has(k);
    const body = trimRegion(step.body, isKept);
    const before = kept.size;
    for (const value of capturesOf({ ...body, params: [] })) {
      const k = step.body.params.indexOf(value);
      if (k >= 0) kept.add(k);
    }
    if (kept.size > before) continue;
    const only = <T>(items: readonly T[]): T[] => items.filter((_, k) => isKept(k));
    return {
      ...step,
      outs: only(step.outs),
      initial: only(step.initial),
      condition: { ...condition, params: only(condition.params) },
      body: { ...body, params: only(body.params) },
    };
  }
}
