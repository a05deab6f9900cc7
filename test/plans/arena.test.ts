// The memory of whole workloads: exact bytes of the arena beside the least that any packing could need.
import { describe, expect, it } from "vitest";
import { workloads } from "../../bench/workloads.ts";

const cases = ["W1_adam_B100", "W6_lstm", "W8_mnv2_B1"];

describe("the arena of", () => {
  it.each(cases)("%s is at most a tenth larger than its bound", { timeout: 60_000 }, async name => {
    const workload = workloads.find(each => each.name === name);
    if (workload === undefined) throw new Error(`There is no workload ${name}.`);
    const { session, fetches, feeds } = await workload.start({ intraOpParallelismThreads: 1 });
    const { arenaBytes, arenaBound } = await session.counts(fetches, feeds);
    await session.close();
    expect(arenaBound).toBeGreaterThan(0);
    expect(arenaBytes).toBeGreaterThanOrEqual(arenaBound);
    expect(arenaBytes).toBeLessThanOrEqual(1.1 * arenaBound);
  });
});
