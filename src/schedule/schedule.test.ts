// fuse(p) ≡ p: random programs give, run as Plans in poisoned memory, exactly what the reference gives.
import { describe, expect, it } from "vitest";
import { interpretPlan } from "../../test/plans/interpret-plan.ts";
import { randomCase } from "../../test/plans/random-program.ts";
import { runReference } from "../backends/reference/index.ts";
import type { NDArray } from "../base/ndarray.ts";
import { printProgram } from "../ir/print.ts";
import { verifyProgram } from "../ir/verify.ts";
import { planBound, printPlan, schedule } from "./index.ts";

const target = { alignment: 64, scratchBytes: () => 320 };

function difference(expected: NDArray, actual: NDArray): string | undefined {
  if (expected.shape.join() !== actual.shape.join()) return `shape [${actual.shape}] instead of [${expected.shape}]`;
  for (let i = 0; i < expected.size; i++)
    if (!Object.is(expected.get(i), actual.get(i))) return `${actual.get(i)} instead of ${expected.get(i)} at ${i}`;
  return undefined;
}

/** What is wrong with the plan of a random program, if anything. */
function fault(seed: number): string | undefined {
  const { program, feeds, states } = randomCase(seed);
  verifyProgram(program);
  const expected = runReference(program, { feeds, states });
  const plan = schedule(program, target);
  const complain = (what: string): string => `seed ${seed}: ${what}\n${printProgram(program)}\n\n${printPlan(plan)}`;
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
  for (const [id, before] of states) {
    const after = actual.states.get(id);
    const found = after === undefined ? undefined : difference(expected.updates.get(id) ?? before, after);
    if (found !== undefined) return complain(`state ${id}: ${found}`);
  }
  if (plan.arenaBytes < planBound(plan)) return complain(`the bound ${planBound(plan)} is above the arena`);
  return undefined;
}

describe("schedule", () => {
  it.each(Array.from({ length: 20 }, (_, block) => block))("keeps the meaning of random programs (block %i)", block => {
    for (let i = 0; i < 20; i++) expect(fault(1 + block * 20 + i)).toBeUndefined();
  });
});
