// The texts of known programs' Plans. A refactor changes none of them; an optimisation shows its gain in their difference.
import { describe, expect, it } from "vitest";
import { planOf } from "./check-plan.ts";
import { planBound, printPlan } from "../../src/schedule/index.ts";
import * as known from "./known-programs.ts";

const cases = {
  softmax: known.softmax,
  "convolution-layer": known.convolutionLayer,
  "adam-step": known.adamStep,
  "sparse-update": known.sparseUpdate,
  "recurrent-loop": known.recurrentLoop,
  "layer-norm": known.layerNorm,
};

describe("the plan of", () => {
  it.each(Object.entries(cases))("%s", async (name, make) => {
    const plan = planOf(make());
    expect(plan.arenaBytes).toBeLessThanOrEqual(1.1 * planBound(plan));
    await expect(printPlan(plan)).toMatchFileSnapshot(`goldens/${name}.txt`);
  });
});
