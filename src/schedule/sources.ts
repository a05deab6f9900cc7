// Where values come from: feeds, constants, states and flags, taken out of the steps (those inside regions too, for they are the same
// in every iteration), each once.

import type { NDArray } from "../base/ndarray.ts";
import type { Program, Region, State, Step, Value } from "../ir/program.ts";
import { loadScalar } from "../ir/scalar.ts";
import { uninitializedError } from "../ir/uninitialized.ts";

type NewValue = (like: Pick<Value, "dtype" | "shape">) => Value;

export interface Sources {
  readonly feeds: { readonly name: string; readonly value: Value }[];
  readonly constants: { readonly data: NDArray; readonly value: Value }[];
  readonly states: { readonly state: State; readonly value: Value; readonly reader: string | undefined }[];
  readonly flags: { readonly state: State; readonly value: Value }[];
  /** States that have another shape after the run, and what they hold then. */
  readonly reshaped: { readonly state: State; readonly value: Value }[];
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

/** Splits a program into its sources and the steps that compute. A state that is read several times is one value and its aliases. Where only branches
 *  read it, the case that does checks that it holds something; else nothing may run before that is known. */
export function takeSources(program: Program, aliases: Aliases, newValue: NewValue): { sources: Sources; program: Program } {
  const taker = new SourceTaker(program, aliases, newValue);
  return { sources: taker.sources, program: { steps: taker.steps(program.steps, false), results: program.results } };
}

class SourceTaker {
  readonly sources: Sources = { feeds: [], constants: [], states: [], flags: [], reshaped: [] };
  private readonly aliases: Aliases;
  private readonly newValue: NewValue;
  private readonly first = new Map<string, Value>();
  /** States that are read whatever is chosen. */
  private readonly required = new Set<State["id"]>();

  constructor(program: Program, aliases: Aliases, newValue: NewValue) {
    this.aliases = aliases;
    this.newValue = newValue;
    this.noteReads(program.steps);
  }

  private noteReads(steps: readonly Step[]): void {
    for (const step of steps) {
      if (step.kind === "state") this.required.add(step.state.id);
      if (step.kind === "loop") for (const region of [step.condition, step.body]) this.noteReads(region.steps);
    }
  }

  steps(steps: readonly Step[], isChosen: boolean): Step[] {
    return steps.flatMap(step => this.step(step, isChosen));
  }

  private step(step: Step, isChosen: boolean): Step[] {
    const { sources } = this;
    switch (step.kind) {
      case "feed":
        if (this.isNew(`feed ${step.name}`, step.out)) sources.feeds.push({ name: step.name, value: step.out });
        return [];
      case "constant":
        sources.constants.push({ data: step.data, value: step.out });
        return [];
      case "state":
        return this.state(step, isChosen);
      case "initialized":
        this.addFlag(step.state, step.out);
        return [];
      case "update":
        if (step.isReshaped) sources.reshaped.push(step);
        return [step];
      case "branch":
        return [{ ...step, cases: step.cases.map(region => this.region(region, true)) }];
      case "loop":
        return [{ ...step, condition: this.region(step.condition, isChosen), body: this.region(step.body, isChosen) }];
      default:
        return [step];
    }
  }

  private region(region: Region, isChosen: boolean): Region {
    return { ...region, steps: this.steps(region.steps, isChosen) };
  }

  private isNew(key: string, value: Value): boolean {
    const known = this.first.get(key);
    if (known === undefined) this.first.set(key, value);
    else this.aliases.add(value, known);
    return known === undefined;
  }

  private addFlag(state: State, value: Value): void {
    if (this.isNew(`flag ${state.id}`, value)) this.sources.flags.push({ state, value });
  }

  private state({ state, out, reader }: Extract<Step, { kind: "state" }>, isChosen: boolean): Step[] {
    const isRequired = this.required.has(state.id);
    if (this.isNew(`state ${state.id}`, out)) this.sources.states.push({ state, value: out, reader: isRequired ? reader : undefined });
    if (isRequired || !isChosen || state.initial !== undefined) return [];
    const flag = this.newValue({ dtype: "bool", shape: [] });
    this.addFlag(state, flag);
    const failure = { label: "initialized", reads: [], error: () => uninitializedError(state, reader) };
    return [{ kind: "check", over: [], ok: loadScalar(flag, []), failure }];
  }
}
