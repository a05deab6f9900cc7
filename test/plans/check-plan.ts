// Tests of schedule: a Program's Plan, run in poisoned memory, must give exactly what the reference gives.
import { loadSpecialFunctions } from "../../src/backends/host-functions.ts";
import { runReference } from "../../src/backends/reference/index.ts";
import { NDArray } from "../../src/base/ndarray.ts";
import { printProgram } from "../../src/ir/print.ts";
import type { Program, Step } from "../../src/ir/program.ts";
import { verifyProgram } from "../../src/ir/verify.ts";
import { planBound, printPlan, schedule } from "../../src/schedule/index.ts";
import type { Kernel, Plan } from "../../src/schedule/plan.ts";
import { interpretPlan } from "./interpret-plan.ts";

await loadSpecialFunctions();

export const target = { alignment: 64, scratchBytes: ({ kind }: Kernel): number => (kind === "contract" ? 320 : kind === "sort" ? 64 : 0) };

function difference(expected: NDArray, actual: NDArray): string | undefined {
  if (expected.shape.join() !== actual.shape.join()) return `shape [${actual.shape}] instead of [${expected.shape}]`;
  for (let i = 0; i < expected.size; i++)
    if (!Object.is(expected.get(i), actual.get(i))) return `${actual.get(i)} instead of ${expected.get(i)} at ${i}`;
  return undefined;
}

type Arrays = ReadonlyMap<string, NDArray>;

/** What is wrong with the Plan of a Program, with both texts; undefined if nothing is. */
export function faultOfPlan(program: Program, feeds: Arrays, states: Arrays): string | undefined {
  verifyProgram(program);
  const expected = runReference(program, { feeds, states });
  const plan = schedule(program, target);
  const complain = (what: string): string => `${what}\n${printProgram(program)}\n\n${printPlan(plan)}`;
  let actual: ReturnType<typeof interpretPlan>;
  try {
    actual = interpretPlan(plan, feeds, states);
  } catch (error) {
    return complain(String((error as Error).stack));
  }
  for (const [k, array] of expected.results.entries()) {
    const found = difference(array, actual.results[k]);
    if (found !== undefined) return complain(`result ${k}: ${found}`);
  }
  for (const [id, after] of actual.states) {
    const wanted = expected.updates.get(id) ?? states.get(id);
    const found = wanted && difference(wanted, after);
    if (found !== undefined) return complain(`state ${id}: ${found}`);
  }
  const bound = planBound(plan);
  return plan.arenaBytes < bound ? complain(`the arena of ${plan.arenaBytes} bytes is smaller than its bound ${bound}`) : undefined;
}

/** Small numbers for all feeds and states of a program, each element another. */
export function someInputs(program: Program): { feeds: Map<string, NDArray>; states: Map<string, NDArray> } {
  const inputs = { feeds: new Map<string, NDArray>(), states: new Map<string, NDArray>() };
  const numbers = (like: { dtype: NDArray["dtype"]; shape: readonly number[] }): NDArray => {
    const array = NDArray.zeros(like.dtype, like.shape);
    for (let i = 0; i < array.size; i++) array.set(i, like.dtype === "float32" ? ((i * 37 + 11) % 64) / 32 - 0.75 : i % 3);
    return array;
  };
  const visit = (step: Step): void => {
    if (step.kind === "feed") inputs.feeds.set(step.name, numbers(step.out));
    if (step.kind === "state") inputs.states.set(step.state.id, numbers(step.state));
  };
  program.steps.forEach(visit);
  return inputs;
}

/** The Plan of a program that has been found to keep its meaning. @throws with both texts if it does not. */
export function planOf(program: Program): Plan {
  const { feeds, states } = someInputs(program);
  const fault = faultOfPlan(program, feeds, states);
  if (fault !== undefined) throw new Error(fault);
  return schedule(program, target);
}

/** The kinds of a Plan's kernels in order; those inside branches and loops in brackets. */
export function kindsOf(kernels: readonly Kernel[]): string {
  return kernels
    .map(kernel => {
      const stores = "stores" in kernel && kernel.stores.length > 1 ? `*${kernel.stores.length}` : "";
      const inner =
        kernel.kind === "branch"
          ? kernel.cases.map(kindsOf)
          : kernel.kind === "loop"
            ? [kindsOf(kernel.condition), kindsOf(kernel.body)]
            : kernel.kind === "sweep"
              ? [kindsOf(kernel.maps)]
              : kernel.kind === "reductions"
                ? [kindsOf(kernel.reductions)]
                : [];
      return `${kernel.kind}${stores}${inner.length > 0 ? `(${inner.join(" | ")})` : ""}`;
    })
    .join(" ");
}
