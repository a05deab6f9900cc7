// `npm run bench -- NAME [--against tf,tfjs] [--threads N]`: times workloads, interleaved with peers, in one run; `--write` puts the figures into
// docs/performance.md. `npm run bench -- profile NAME` says where the time of a step goes, `install PEER` installs a peer.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { printBarriers } from "./kernels/barriers.ts";
import { printContractions } from "./kernels/contractions.ts";
import { openPeak, type Peak } from "./kernels/peak.ts";
import { firstRunMs, printFirstRuns } from "./first-run.ts";
import { printLargeGraphs } from "./large-graph.ts";
import { printOps } from "./ops.ts";
import { installPeer, Peer, peerNames, titleOf } from "./peers.ts";
import { printProfile } from "./profile.ts";
import { type Report, type Result, type Timing, writePerformance } from "./report.ts";
import { printSmallSteps } from "./small-steps.ts";
import { printSharing } from "./threads.ts";
import { type Workload, workloads } from "./workloads.ts";

const usage = `npm run bench -- NAME [--against tf,tfjs] [--threads N] [--rounds N] [--seconds S] [--json FILE] [--write]
npm run bench -- profile NAME [--seconds S]: milliseconds a step by phase
npm run bench -- first NAME [--threads N] [--rounds N]: milliseconds of the first run by stage, each in a fresh process
npm run bench -- contractions [TEXT] [--rounds N] [--seconds S]: products and convolutions, whose name contains the text, as shares of the peak
npm run bench -- ops [TEXT] [--against tf] [--write]: single operations of all families, whose name contains the text, beside TensorFlow
npm run bench -- nodes [--rounds N]: milliseconds to build and compile graphs of 1,250 to 10,000 nodes
npm run bench -- steps [W3]: microseconds and bytes of garbage of small steps
npm run bench -- shared NAME [--threads N] [--seconds S]: what threads (2 if not said) gain, phase by phase
npm run bench -- barriers [--threads N] [--seconds S]: what it costs to share a phase
npm run bench -- install PEER...: installs peers under .cache/peers
  NAME       a workload, the beginning of its name, or "all": ${workloads.map(({ name }) => name).join(" ")}
  --against  peers to run beside, taking turns: ${peerNames.join(", ")}
  --threads  threads of the peers and of ours (default 1)
  --revectorize  config: { revectorize: true }, without effect before Node 26
  --rounds   how often each side is timed (default 5)
  --seconds  how long each turn lasts (default 0.3)
  --json     where the figures go (default bench/results/NAME.json)
  --write    put the figures into docs/performance.md as well`;

const sorted = (times: readonly number[]): number[] => [...times].sort((a, b) => a - b);
const quantile = (times: readonly number[], q: number): number => sorted(times)[Math.min(times.length - 1, Math.floor(q * times.length))];

/** Median, least, and the distance of the quartiles as a share of the median. */
function timingOf(times: readonly number[], firstMs: number | undefined): Timing {
  const medianMs = quantile(times, 0.5);
  return { medianMs, minMs: quantile(times, 0), spread: (quantile(times, 0.75) - quantile(times, 0.25)) / medianMs, firstMs };
}

const medianOf = (values: readonly number[]): number => quantile(values, 0.5);

/** How long steps follow each other before the peak is looked at again. */
const sliceMs = 20;

/** Steps that followed each other, and the peak before and after them. */
interface Slice {
  readonly times: readonly number[];
  readonly peak: number;
}

/** A turn of ours: slices, with the peak measured between them if there is one. */
async function timeOurs(step: () => Promise<unknown>, seconds: number, peak?: Peak): Promise<Slice[]> {
  const slices: Slice[] = [];
  const end = performance.now() + seconds * 1000;
  let before = peak?.now() ?? 0;
  let steps = 0;
  while (performance.now() < end || steps < 3) {
    const times: number[] = [];
    const until = performance.now() + sliceMs;
    while (performance.now() < until) {
      const began = performance.now();
      await step();
      times.push(performance.now() - began);
    }
    const after = peak?.now() ?? 0;
    slices.push({ times, peak: (before + after) / 2 });
    before = after;
    steps += times.length;
  }
  return slices;
}

/** The peers that can run a workload, started, and why the others cannot. */
async function startPeers(workload: Workload, peers: readonly Peer[]) {
  const started: { peer: Peer; firstMs: number; turns: (readonly number[])[] }[] = [];
  const refusals: Record<string, string> = {};
  for (const peer of peers) {
    try {
      started.push({ peer, firstMs: (await peer.start(workload.name)).firstMs, turns: [] });
    } catch (error) {
      refusals[peer.name] = error instanceof Error ? error.message : String(error);
    }
  }
  return { started, refusals };
}

async function measure(
  workload: Workload,
  peers: readonly Peer[],
  peak: Peak,
  { rounds, seconds, threads, revectorize }: Report["settings"],
): Promise<Result> {
  const firstMs = firstRunMs(workload.name, threads);
  const { step, session, fetches, feeds } = await workload.start({ intraOpParallelismThreads: threads, revectorize });
  await step();
  const { started, refusals } = await startPeers(workload, peers);
  await timeOurs(step, 0.3);
  const turns: Slice[][] = [];
  for (let round = 0; round < rounds; round++) {
    turns.push(await timeOurs(step, seconds, workload.flops === undefined ? undefined : peak));
    for (const each of started) each.turns.push(await each.peer.time(seconds));
  }
  const counts = await session.counts(fetches, feeds);
  await session.close();
  const ours = turns.map(slices => slices.flatMap(({ times }) => times));
  const timing = timingOf(ours.flat(), firstMs);
  return {
    workload: workload.name,
    ...timing,
    ...(workload.flops !== undefined && rateOf(workload.flops, timing.medianMs, turns.flat())),
    ...(workload.bytes !== undefined && { gbytes: workload.bytes / timing.medianMs / 1e6 }),
    counts,
    peers: Object.fromEntries(
      started.map(({ peer, firstMs: first, turns: theirs }) => {
        const ratio = medianOf(theirs.map((times, round) => medianOf(ours[round]) / medianOf(times)));
        return [peer.name, { ...timingOf(theirs.flat(), first), ratio }];
      }),
    ),
    refusals,
  };
}

/** What a workload reaches over all, and its share of the peak, slice by slice: both change with the machine, their ratio much less. */
const rateOf = (flops: number, medianMs: number, slices: readonly Slice[]) => ({
  gflops: flops / medianMs / 1e6,
  share: medianOf(slices.map(({ times, peak }) => flops / medianOf(times) / 1e6 / peak)),
  peakGflops: medianOf(slices.map(({ peak }) => peak)),
});

const ms = (value: number): string => (value < 0.1 ? `${(value * 1000).toFixed(1)} µs` : `${value.toFixed(value < 10 ? 2 : 1)} ms`);

function printHead(peers: readonly Peer[]): void {
  const columns = [
    "workload".padEnd(14),
    "median".padStart(10),
    "least".padStart(10),
    "spread".padStart(7),
    "rate".padStart(13),
    "of peak".padStart(8),
  ];
  const more = [
    "first".padStart(10),
    "arena MB".padStart(9),
    "wasm kB".padStart(8),
    ...peers.map(({ name }) => `${name} (ratio)`.padStart(18)),
  ];
  console.log([...columns, ...more].join(" "));
}

function printRow(result: Result, peers: readonly Peer[]): void {
  const { workload, medianMs, minMs, spread, firstMs, gflops, gbytes, share, counts } = result;
  const rate = gflops !== undefined ? `${gflops.toFixed(1)} GFLOP/s` : gbytes !== undefined ? `${gbytes.toFixed(1)} GB/s` : "";
  const cells = [
    workload.padEnd(14),
    ms(medianMs).padStart(10),
    ms(minMs).padStart(10),
    `±${(spread * 100).toFixed(0)} %`.padStart(7),
    rate.padStart(13),
    (share === undefined ? "" : `${(100 * share).toFixed(0)} %`).padStart(8),
    (firstMs === undefined ? "-" : ms(firstMs)).padStart(10),
    `${((counts.arenaBytes ?? 0) / 2 ** 20).toFixed(1)}`.padStart(9),
    `${((counts.moduleBytes ?? 0) / 1024).toFixed(0)}`.padStart(8),
    ...peers.map(({ name }) => {
      const peer = result.peers[name];
      return (peer === undefined ? "-" : `${ms(peer.medianMs)} (${peer.ratio.toFixed(2)})`).padStart(18);
    }),
  ];
  console.log(cells.join(" "));
}

async function openPeers(names: readonly string[], threads: number): Promise<{ peers: Peer[]; skipped: string[] }> {
  const peers: Peer[] = [];
  const skipped: string[] = [];
  for (const name of names) {
    try {
      peers.push(await Peer.open(name, threads));
    } catch (error) {
      skipped.push(`${titleOf(name)}: ${error instanceof Error ? error.message : String(error)}`);
      console.log(skipped.at(-1));
    }
  }
  return { peers, skipped };
}

function commit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "unknown";
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      against: { type: "string", default: "" },
      threads: { type: "string", default: "1" },
      revectorize: { type: "boolean", default: false },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "0.3" },
      json: { type: "string" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (positionals[0] === "install") {
    for (const name of positionals.slice(1)) installPeer(name);
    return 0;
  }
  if (positionals[0] === "contractions") {
    await printContractions(positionals[1] ?? "", { rounds: Number(values.rounds), seconds: Number(values.seconds) });
    return 0;
  }
  if (positionals[0] === "ops") {
    const settings = { rounds: Number(values.rounds), seconds: Number(values.seconds), threads: Number(values.threads) };
    await printOps(positionals[1] ?? "", values.against, settings, values.json ?? "bench/results/ops.json", values.write);
    return 0;
  }
  if (positionals[0] === "nodes") {
    await printLargeGraphs(Number(values.rounds));
    return 0;
  }
  if (positionals[0] === "barriers") {
    await printBarriers(Math.max(2, Number(values.threads)), 10 * Number(values.seconds));
    return 0;
  }
  if (positionals[0] === "steps") {
    await printSmallSteps(positionals[1] ?? "W3", Number(values.rounds));
    return 0;
  }
  const isProfile = positionals[0] === "profile";
  const isFirst = positionals[0] === "first";
  const isShared = positionals[0] === "shared";
  const name = positionals[isProfile || isFirst || isShared ? 1 : 0];
  const chosen = workloads.filter(workload => name === "all" || (name !== undefined && workload.name.startsWith(name)));
  if (values.help || chosen.length === 0) {
    console.log(usage);
    if (name !== undefined && !values.help) console.error(`\nThere is no workload that begins with "${name}".`);
    return values.help ? 0 : 2;
  }
  if (isFirst) {
    for (const workload of chosen) printFirstRuns(workload.name, { threads: Number(values.threads), rounds: Number(values.rounds) });
    return 0;
  }
  if (isShared) {
    for (const workload of chosen) await printSharing(workload, Math.max(2, Number(values.threads)), Number(values.seconds));
    return 0;
  }
  if (isProfile) {
    for (const workload of chosen) await printProfile(workload, Number(values.seconds));
    return 0;
  }
  const settings = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    threads: Number(values.threads),
    revectorize: values.revectorize,
  };
  // First runs are those of the package, which must then be of these sources.
  if (values.write) execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: "inherit" });
  const { peers, skipped } = await openPeers(values.against.split(",").filter(Boolean), settings.threads);
  const peak = await openPeak(settings.threads);
  const peakAtOnce = Array.from({ length: 20 }, () => peak.now());
  console.log(`WebAssembly reaches ${medianOf(peakAtOnce).toFixed(1)} GFLOP/s at the moment, threads: ${settings.threads}`);
  printHead(peers);
  const results: Result[] = [];
  for (const workload of chosen) {
    const result = await measure(workload, peers, peak, settings);
    results.push(result);
    printRow(result, peers);
  }
  for (const peer of peers) peer.close();
  peak.close();
  const peaks = results.flatMap(({ peakGflops = [] }) => peakGflops);
  const report: Report = {
    machine: { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version },
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    peakGflops: medianOf(peaks.length > 0 ? peaks : peakAtOnce) / settings.threads,
    settings,
    peers: peers.map(peer => ({ name: peer.name, title: titleOf(peer.name), version: peer.version })),
    skipped,
    results,
  };
  const file = values.json ?? `bench/results/${name}.json`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`written to ${file}`);
  if (values.write) console.log(`written to ${writePerformance(report)}`);
  return 0;
}

process.exitCode = await main();
