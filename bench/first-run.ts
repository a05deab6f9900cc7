// Where the time of a first run goes: a workload's graph built, compiled and run once, each time in a fresh process. One process in two is
// watched by the engine's sampling profiler, which tells how long each stage's function was the innermost; the others give the times.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Profiler, Session } from "node:inspector/promises";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";

/** Stages by the functions that are them; a sample counts for the innermost. */
const stages: Readonly<Record<string, string>> = {
  minimize: "gradients and updates",
  gradients: "gradients and updates",
  build: "graph",
  extract: "extract",
  optimize: "optimize",
  lowerSelection: "lower",
  verifyProgram: "verify",
  schedule: "schedule",
  record: "record",
  printWasm: "print",
  link: "instantiate, start workers",
  callOnThreads: "execute",
  run: "execute",
};
const compileStage = "compile (the engine, and waiting)";

interface FirstRun {
  readonly importMs: number;
  readonly buildMs: number;
  readonly initializeMs: number;
  readonly firstMs: number;
  readonly secondMs: number;
  readonly stages: Readonly<Record<string, number>>;
}

/** One first run, in this process, which must be fresh. */
async function firstRun(name: string, threads: number, isProfiled: boolean): Promise<FirstRun> {
  const began = performance.now();
  await import("tensorloom");
  const imported = performance.now();
  const { inventingMs, workloads } = await import("./workloads.ts");
  const workload = workloads.find(one => one.name.startsWith(name));
  if (workload === undefined) throw new Error(`There is no workload that begins with "${name}".`);
  const inspector = isProfiled ? await startProfiler() : undefined;
  const started = performance.now();
  const { step, session, builtAt } = await workload.start({ intraOpParallelismThreads: threads });
  const initialized = performance.now();
  await step();
  const ran = performance.now();
  await step();
  const again = performance.now();
  const profile = await inspector?.();
  await session.close();
  return {
    importMs: imported - began,
    buildMs: builtAt - started - inventingMs(),
    initializeMs: initialized - builtAt,
    firstMs: ran - initialized,
    secondMs: again - ran,
    stages: profile ? timesByStage(profile) : {},
  };
}

async function startProfiler(): Promise<() => Promise<Profiler.Profile>> {
  const inspector = new Session();
  inspector.connect();
  await inspector.post("Profiler.enable");
  await inspector.post("Profiler.setSamplingInterval", { interval: 200 });
  await inspector.post("Profiler.start");
  return async () => {
    const { profile } = await inspector.post("Profiler.stop");
    inspector.disconnect();
    return profile;
  };
}

/** Milliseconds by stage. What is no stage's is the engine's, if it waits or compiles, or "other". */
function timesByStage({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): Record<string, number> {
  const stageOf = new Map<number, string>();
  const children = new Map(nodes.map(node => [node.id, node.children ?? []]));
  const byId = new Map(nodes.map(node => [node.id, node]));
  const visit = (id: number, outer: string): void => {
    const { functionName, url } = byId.get(id)?.callFrame ?? { functionName: "", url: "" };
    const own =
      functionName === "(idle)" || functionName === "(program)"
        ? compileStage
        : functionName === "(garbage collector)"
          ? "collect garbage"
          : url.startsWith("node:")
            ? undefined
            : stages[functionName];
    const stage = own ?? outer;
    stageOf.set(id, stage);
    for (const child of children.get(id) ?? []) visit(child, stage);
  };
  visit(nodes[0].id, "other");
  const times: Record<string, number> = {};
  for (const [i, id] of samples.entries()) {
    const stage = stageOf.get(id) ?? "other";
    times[stage] = (times[stage] ?? 0) + timeDeltas[i] / 1000;
  }
  return times;
}

/** Runs of processes of their own: from the sources, or as installed. */
function inFreshProcess(
  name: string,
  { threads, fromSources, isProfiled }: { threads: number; fromSources: boolean; isProfiled: boolean },
): FirstRun {
  const hook = fromSources ? ["--import", new URL("../scripts/source.mjs", import.meta.url).href] : [];
  const args = [...hook, "--no-warnings", fileURLToPath(import.meta.url), name, String(threads), String(isProfiled)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })) as FirstRun;
}

/** Milliseconds from the first node to the first result, of the package as installed: the lesser of two fresh processes. Undefined without a build. */
export function firstRunMs(name: string, threads: number): number | undefined {
  if (!existsSync(new URL("../dist/node/index.js", import.meta.url))) return undefined;
  const times = [1, 2].map(() => {
    const run = inFreshProcess(name, { threads, fromSources: false, isProfiled: false });
    return run.buildMs + run.initializeMs + run.firstMs;
  });
  return Math.min(...times);
}

/** Prints the least of each time over several processes, from the sources and from dist/. */
export function printFirstRuns(name: string, { threads, rounds }: { threads: number; rounds: number }): void {
  const least = (runs: readonly FirstRun[], pick: (run: FirstRun) => number): number => Math.min(...runs.map(pick));
  const ms = (value: number): string => value.toFixed(1).padStart(8);
  for (const fromSources of [true, false]) {
    const runs = (isProfiled: boolean): FirstRun[] =>
      Array.from({ length: rounds }, () => inFreshProcess(name, { threads, fromSources, isProfiled }));
    const [plain, profiled] = [runs(false), runs(true)];
    console.log(`${name}, ${threads} threads, ${fromSources ? "from src/" : "from dist/"}, milliseconds, the least of ${rounds} processes`);
    console.log(`${ms(least(plain, run => run.importMs))}  import the library`);
    console.log(`${ms(least(plain, run => run.buildMs))}  build the graph`);
    console.log(`${ms(least(plain, run => run.initializeMs))}  open a session and run the initializers`);
    console.log(`${ms(least(plain, run => run.firstMs))}  first run`);
    console.log(`${ms(least(plain, run => run.buildMs + run.initializeMs + run.firstMs))}  graph, initializers and first run together`);
    console.log(`${ms(least(plain, run => run.secondMs))}  second run`);
    const fastest = profiled.reduce((a, b) => (a.buildMs + a.initializeMs + a.firstMs < b.buildMs + b.initializeMs + b.firstMs ? a : b));
    console.log("of both runs, by stage (in the fastest process that was profiled):");
    for (const [stage, time] of Object.entries(fastest.stages).sort((a, b) => b[1] - a[1])) console.log(`${ms(time)}  ${stage}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [name, threads, isProfiled] = process.argv.slice(2);
  console.log(JSON.stringify(await firstRun(name, Number(threads), isProfiled === "true")));
}
