// fuse(p) ≡ p: random programs give, run as Plans in poisoned memory, exactly what the reference gives. And the time scheduling takes.
import { describe, expect, it } from "vitest";
import { faultOfPlan, target } from "../../test/plans/check-plan.ts";
import { adam, addBias, matmul, program, relu, variable } from "../../test/plans/known-programs.ts";
import { randomCase } from "../../test/plans/random-program.ts";
import * as ir from "../ir/build.ts";
import type { Value } from "../ir/program.ts";
import { s } from "../ir/scalar.ts";
import { planBound, planCounts, schedule } from "./index.ts";

function fault(seed: number, steps: number): string | undefined {
  const { program: random, feeds, states } = randomCase(seed, steps);
  const found = faultOfPlan(random, feeds, states);
  return found && `seed ${seed}, ${steps} steps: ${found}`;
}

describe("schedule", () => {
  it.each([4, 8, 16, 24, 40, 60])("keeps the meaning of random programs of %i steps", steps => {
    for (let seed = 1; seed <= 60; seed++) expect(fault(seed, steps)).toBeUndefined();
  });

  it("needs less than a second and no more memory than must be for a network of 5,000 steps", () => {
    const layers = 170;
    const network = program(() => {
      const values: Value[] = [ir.feed("x", "float32", [32, 64])];
      const weights: Value[] = [];
      for (let k = 0; k < layers; k++) {
        weights.push(ir.readState(variable(`w${k}`, [64, 64]), "w"));
        values.push(relu(addBias(matmul(values[k], weights[k]), ir.readState(variable(`b${k}`, [64]), "b"))));
      }
      const rate = ir.readState(variable("rate", []), "rate");
      let d = ir.map(a => s.mul(a, 0.1), values[layers]);
      for (let k = layers - 1; k >= 0; k--) {
        const masked = ir.map((a, y) => s.select(s.gt(y, 0), a, s.constant("float32", 0)), d, values[k + 1]);
        adam(`w${k}`, [64, 64], matmul(ir.transpose(values[k], [1, 0]), masked), rate);
        adam(`b${k}`, [64], ir.reduce("sum", masked, [0]), rate);
        d = matmul(masked, ir.transpose(weights[k], [1, 0]));
      }
      return [d];
    });
    expect(network.steps.length).toBeGreaterThan(4_900);
    const started = process.cpuUsage();
    const plan = schedule(network, target);
    // About 0.3 s of one processor; the limit leaves room for a slower one.
    expect(process.cpuUsage(started).user / 1e6).toBeLessThan(3);
    // Per layer forward, two products backward, a bias gradient; the mask is in the products. Updates are as few sweeps as there can be
    // without much more memory than the activations took.
    expect(planCounts(plan)).toMatchObject({ kernels: 4 * layers + 6, copies: 0 });
    expect(plan.arenaBytes).toBeLessThanOrEqual(1.1 * planBound(plan));
  });
});
