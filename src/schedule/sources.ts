// Where values come from: feeds, constants, states and flags, taken out of the steps (those inside regions too, for they are the same
// in every iteration), each once.

import type { NDArray } from "../base/ndarray.ts";
import type { Program, Region, State, Step, Value } from "../ir/program.ts";

export interface Sources {
  readonly feeds: { readonly name: string; readonly value: Value }[];
  readonly constants: { readonly data: NDArray; readonly value: Value }[];
  readonly states: { readonly state: State; readonly value: Value; readonly reader: string }[];
  readonly flags: { readonly state: State; readonly value: Value }[];
}

/** Values that lie in the same bytes as another: its place is theirs. */
export class Aliases {
  private readonly targets = new Map<Value, Value>();
  private readonly named = new Set<Value>();

  /** `value` lies where `target` lies. */
  add(value: Value, target: Value): void {
    this.targets.set(value, target);
    this.named.add(target);
  }

  /** Has the value no other name? */
  isAlone(value: Value): boolean {
    return !this.named.has(value) && !this.targets.has(value);
  }

  /** The value that owns the bytes. */
  rootOf(value: Value): Value {
    let root = value;
    for (let next = this.targets.get(root); next !== undefined; next = this.targets.get(root)) root = next;
    return root;
  }

  /** All values that are aliases of another. */
  entries(): Iterable<readonly [Value, Value]> {
    return [...this.targets.keys()].map(value => [value, this.rootOf(value)] as const);
  }
}

/** Splits a program into its sources and the steps that compute. A state that is read several times is one value and its aliases. */
export function takeSources(program: Program, aliases: Aliases): { sources: Sources; program: Program } {
  const sources: Sources = { feeds: [], constants: [], states: [], flags: [] };
  const first = new Map<string, Value>();
  const isNew = (key: string, value: Value): boolean => {
    const known = first.get(key);
    if (known === undefined) first.set(key, value);
    else aliases.add(value, known);
    return known === undefined;
  };
  const take = (step: Step): boolean => {
    switch (step.kind) {
      case "feed":
        if (isNew(`feed ${step.name}`, step.out)) sources.feeds.push({ name: step.name, value: step.out });
        return true;
      case "constant":
        sources.constants.push({ data: step.data, value: step.out });
        return true;
      case "state":
        if (isNew(`state ${step.state.id}`, step.out)) sources.states.push({ state: step.state, value: step.out, reader: step.reader });
        return true;
      case "initialized":
        if (isNew(`flag ${step.state.id}`, step.out)) sources.flags.push({ state: step.state, value: step.out });
        return true;
      default:
        return false;
    }
  };
  const inSteps = (steps: readonly Step[]): Step[] => steps.filter(step => !take(step)).map(inStep);
  const inRegion = (region: Region): Region => ({ ...region, steps: inSteps(region.steps) });
  const inStep = (step: Step): Step => {
    if (step.kind === "branch") return { ...step, cases: step.cases.map(inRegion) };
    if (step.kind === "loop") return { ...step, condition: inRegion(step.condition), body: inRegion(step.body) };
    return step;
  };
  return { sources, program: { steps: inSteps(program.steps), results: program.results } };
}
