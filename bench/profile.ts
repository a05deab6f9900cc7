// Where a step's time goes: the engine's own sampling profiler over many steps, its samples counted by the functions of the compiled
// module (they keep their names), beside what each phase does. Nothing is exported or timed by hand, so the step is the one users run.

import { type Profiler, Session } from "node:inspector/promises";
import type { Workload } from "./workloads.ts";

const intervalMicroseconds = 200;

/** Prints the phases of a workload's step, the longest first. */
export async function printProfile(workload: Workload, seconds: number): Promise<void> {
  const { step, session, fetches, feeds } = await workload.start({});
  for (let i = 0; i < 5; i++) await step();
  const { phases } = await session.explain(fetches, feeds);
  const { profile, steps, ms } = await sampled(step, seconds);
  await session.close();
  const lines = new Map(phases.split("\n").map(line => [line.split(" ")[0], line]));
  // Functions that belong to a phase are called after it: contract23.tile6x8.
  const times = timesByFunction(profile, name => (lines.has(name.split(".")[0]) ? name.split(".")[0] : name));
  const total = [...times.values()].reduce((sum, time) => sum + time, 0);
  console.log(`${workload.name}: ${(ms / steps).toFixed(2)} ms a step over ${steps} steps`);
  for (const [name, time] of [...times].sort((a, b) => b[1] - a[1])) {
    const share = time / total;
    if (share < 0.002) break;
    console.log(
      `${((ms / steps) * share).toFixed(3).padStart(9)} ms ${(100 * share).toFixed(1).padStart(5)} %  ${lines.get(name) ?? name}`,
    );
  }
}

async function sampled(step: () => Promise<unknown>, seconds: number): Promise<{ profile: Profiler.Profile; steps: number; ms: number }> {
  const inspector = new Session();
  inspector.connect();
  await inspector.post("Profiler.enable");
  await inspector.post("Profiler.setSamplingInterval", { interval: intervalMicroseconds });
  await inspector.post("Profiler.start");
  let steps = 0;
  const began = performance.now();
  while (performance.now() - began < seconds * 1000 || steps < 3) {
    await step();
    steps++;
  }
  const ms = performance.now() - began;
  const { profile } = await inspector.post("Profiler.stop");
  inspector.disconnect();
  return { profile, steps, ms };
}

/** Microseconds in each function itself. */
function timesByFunction(
  { nodes, samples = [], timeDeltas = [] }: Profiler.Profile,
  nameOf: (functionName: string) => string,
): Map<string, number> {
  const names = new Map(nodes.map(node => [node.id, nameOf(node.callFrame.functionName || "(unnamed)")]));
  const times = new Map<string, number>();
  for (const [i, id] of samples.entries()) {
    const name = names.get(id) ?? "(unknown)";
    times.set(name, (times.get(name) ?? 0) + timeDeltas[i]);
  }
  return times;
}
