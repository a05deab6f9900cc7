// What threads gain, phase by phase: traced steps on one thread and on several take turns, and each phase's least times stand side by side.
// `npm run bench -- shared NAME [--threads N]`. The machine's other work touches a phase of a few milliseconds now and then, hence the least.

import * as tf from "tensorloom";
import type { Workload } from "./workloads.ts";

async function started(workload: Workload, threads: number) {
  const { step, session, fetches, feeds } = await workload.start({ intraOpParallelismThreads: threads });
  await step();
  const parts = new Map<string, { readonly nodes: string; least: number }>();
  let least = Number.POSITIVE_INFINITY;
  /** A step as it is, then one that is traced. */
  const turn = async (): Promise<void> => {
    const began = performance.now();
    await step();
    least = Math.min(least, performance.now() - began);
    const options = new tf.RunOptions({ traceLevel: tf.RunOptions.FULL_TRACE });
    await session.run(fetches, feeds, { options, runMetadata: new tf.RunMetadata() });
    for (const [, time, name, nodes] of (await session.explain(fetches, feeds)).times.matchAll(/[\d.]+ ms +([\d.]+) ms +(\S+) +(.*)/g)) {
      const known = parts.get(name) ?? { nodes, least: Number.POSITIVE_INFINITY };
      known.least = Math.min(known.least, Number(time));
      parts.set(name, known);
    }
  };
  return { session, turn, parts, least: () => least };
}

/** Prints the phases that take longest on one thread. */
export async function printSharing(workload: Workload, threads: number, seconds: number): Promise<void> {
  const [alone, shared] = [await started(workload, 1), await started(workload, threads)];
  const end = performance.now() + seconds * 1000;
  for (let rounds = 0; rounds < 3 || performance.now() < end; rounds++) for (const each of [alone, shared]) await each.turn();
  const gain = (one: number, many: number): string => `${one.toFixed(3)} → ${many.toFixed(3)} ms, ${(one / many).toFixed(2)}`;
  console.log(`${workload.name}, ${threads} threads: ${gain(alone.least(), shared.least())}`);
  const rows = [...alone.parts].map(([name, { least, nodes }]) => ({
    name,
    nodes,
    one: least,
    many: shared.parts.get(name)?.least ?? Number.NaN,
  }));
  rows.sort((a, b) => b.one - a.one);
  for (const { name, nodes, one, many } of rows.filter(row => row.one > 0.002 * alone.least()))
    console.log(`  ${gain(one, many).padEnd(26)}  ${name.padEnd(20)}  ${nodes}`);
  for (const { session } of [alone, shared]) await session.close();
}
