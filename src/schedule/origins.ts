// Which nodes of the graph a kernel computes: what it stores, and what that was made of without ever being an array of its own. Read off the
// Program the Plan was made of; nothing that is compiled depends on it.

import { outputsOf, type Program, type Step, type Value } from "../ir/program.ts";
import { inputsOf } from "../ir/traverse.ts";
import { readsOfKernel, writesOfKernel } from "./draft.ts";
import type { Kernel, Plan } from "./plan.ts";

/** The names of nodes behind a kernel. */
export interface KernelOrigin {
  /** The nodes it computes, inputs before readers; the last one is stored. Empty for what scheduling itself added. */
  readonly nodes: readonly string[];
  /** The nodes, feeds and variables whose arrays it reads. */
  readonly inputs: readonly string[];
}

/** Tells for the kernels of a plan where they come from. */
export function originsIn({ steps, origins = new Map() }: Program, { places }: Plan): (kernel: Kernel) => KernelOrigin {
  const makers = makersIn(steps);
  const nameOf = (value: Value): string | undefined => {
    const step = makers.get(value);
    return step?.kind === "state" ? step.state.id.replace(/^variable:/, "") : origins.get(value);
  };
  const named = (values: Iterable<Value>): string[] => [...new Set([...values].flatMap(value => nameOf(value) ?? []))];
  return kernel => {
    const stored = storedBy(kernel);
    const seen = new Set<Value>();
    const behind: Value[] = [];
    const visit = (value: Value): void => {
      if (seen.has(value)) return;
      seen.add(value);
      const step = makers.get(value);
      if (step === undefined || step.kind === "state" || step.kind === "feed" || step.kind === "constant") return;
      for (const input of inputsOf(step)) if (!places.has(input) || stored.includes(input)) visit(input);
      behind.push(value);
    };
    for (const value of stored) visit(value);
    return { nodes: named(behind), inputs: named(readsOfKernel(kernel)) };
  };
}

function storedBy(kernel: Kernel): readonly Value[] {
  switch (kernel.kind) {
    case "copy":
      return [kernel.from];
    case "branch":
    case "loop":
      return [];
    default:
      return writesOfKernel(kernel);
  }
}

/** The step that makes each value, those inside regions included. */
function makersIn(steps: readonly Step[], makers: Map<Value, Step> = new Map()): ReadonlyMap<Value, Step> {
  for (const step of steps) {
    for (const value of outputsOf(step)) makers.set(value, step);
    if (step.kind === "branch") for (const { steps: inner } of step.cases) makersIn(inner, makers);
    if (step.kind === "loop") for (const { steps: inner } of [step.condition, step.body]) makersIn(inner, makers);
  }
  return makers;
}
