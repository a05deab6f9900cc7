// `npm run bench -- NAME [--against tf] [--threads N] [--rounds N] [--json FILE]`: times workloads, interleaved with a peer, in one run.
// NAME is a workload or the beginning of one (W1, W3_mlp), or "all". `npm run bench -- profile NAME` says where the time of a step goes.

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { Peer } from "./peers.ts";
import { printProfile } from "./profile.ts";
import { type Workload, workloads } from "./workloads.ts";

const usage = `npm run bench -- NAME [--against tf] [--threads N] [--rounds N] [--seconds S] [--json FILE]
npm run bench -- profile NAME [--seconds S]: milliseconds a step by phase
  NAME       a workload, the beginning of its name, or "all": ${workloads.map(({ name }) => name).join(" ")}
  --against  a peer to run beside, interleaved: tf (TensorFlow 2.21, oneDNN on)
  --threads  threads of the peer and of ours (default 1; ours runs on one so far)
  --rounds   how often each side is timed, taking turns (default 5)
  --seconds  how long each turn lasts (default 0.5)
  --json     where the figures go (default bench/results/NAME.json)`;

interface Result {
  readonly workload: string;
  readonly medianMs: number;
  readonly minMs: number;
  readonly spread: number;
  readonly firstMs: number;
  readonly gflops?: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly peer?: {
    readonly name: string;
    readonly medianMs: number;
    readonly minMs: number;
    readonly spread: number;
    readonly firstMs: number;
    readonly ratio: number;
  };
}

const sorted = (times: readonly number[]): number[] => [...times].sort((a, b) => a - b);
const quantile = (times: readonly number[], q: number): number => sorted(times)[Math.min(times.length - 1, Math.floor(q * times.length))];
const median = (times: readonly number[]): number => quantile(times, 0.5);
/** Distance of the quartiles, as a share of the median. */
const spreadOf = (times: readonly number[]): number => (quantile(times, 0.75) - quantile(times, 0.25)) / median(times);

async function timeOurs(step: () => Promise<unknown>, seconds: number): Promise<number[]> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end || times.length < 3) {
    const began = performance.now();
    await step();
    times.push(performance.now() - began);
  }
  return times;
}

async function measure(
  workload: Workload,
  peer: Peer | undefined,
  { rounds, seconds, threads }: { rounds: number; seconds: number; threads: number },
): Promise<Result> {
  const began = performance.now();
  const { step, session, fetches, feeds } = await workload.start({ intraOpParallelismThreads: threads });
  await step();
  const firstMs = performance.now() - began;
  const started = await peer?.start(workload.name);
  await timeOurs(step, 0.3);
  let ours: number[] = [];
  let theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    ours = ours.concat(await timeOurs(step, seconds));
    if (peer) theirs = theirs.concat(await peer.time(seconds));
  }
  const counts = await session.counts(fetches, feeds);
  await session.close();
  const medianMs = median(ours);
  return {
    workload: workload.name,
    medianMs,
    minMs: quantile(ours, 0),
    spread: spreadOf(ours),
    firstMs,
    ...(workload.flops !== undefined && { gflops: workload.flops / medianMs / 1e6 }),
    counts,
    ...(peer && {
      peer: {
        name: peer.name,
        medianMs: median(theirs),
        minMs: quantile(theirs, 0),
        spread: spreadOf(theirs),
        firstMs: started?.firstMs ?? 0,
        ratio: medianMs / median(theirs),
      },
    }),
  };
}

const ms = (value: number): string => (value < 0.1 ? `${(value * 1000).toFixed(1)} µs` : `${value.toFixed(value < 10 ? 2 : 1)} ms`);

function printRow({ workload, medianMs, spread, firstMs, gflops, counts, peer }: Result): void {
  const cells = [
    workload.padEnd(14),
    ms(medianMs).padStart(10),
    `±${(spread * 100).toFixed(0)} %`.padStart(7),
    (gflops === undefined ? "" : gflops.toFixed(1)).padStart(8),
    ms(firstMs).padStart(10),
    `${((counts.arenaBytes ?? 0) / 2 ** 20).toFixed(1)}`.padStart(8),
    `${((counts.moduleBytes ?? 0) / 1024).toFixed(0)}`.padStart(7),
    ...(peer ? [ms(peer.medianMs).padStart(10), `${peer.ratio.toFixed(2)}`.padStart(7)] : []),
  ];
  console.log(cells.join(" "));
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      against: { type: "string" },
      threads: { type: "string", default: "1" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "0.5" },
      json: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const isProfile = positionals[0] === "profile";
  const name = positionals[isProfile ? 1 : 0];
  const chosen = workloads.filter(workload => name === "all" || (name !== undefined && workload.name.startsWith(name)));
  if (values.help || chosen.length === 0) {
    console.log(usage);
    if (name !== undefined && !values.help) console.error(`\nThere is no workload that begins with "${name}".`);
    return values.help ? 0 : 2;
  }
  if (isProfile) {
    for (const workload of chosen) await printProfile(workload, Number(values.seconds));
    return 0;
  }
  const settings = { rounds: Number(values.rounds), seconds: Number(values.seconds), threads: Number(values.threads) };
  const peer = values.against === undefined ? undefined : await Peer.open(values.against, settings.threads);
  console.log(
    [
      "workload".padEnd(14),
      "median".padStart(10),
      "spread".padStart(7),
      "GFLOP/s".padStart(8),
      "first".padStart(10),
      "arena MB".padStart(8),
      "wasm kB".padStart(7),
      ...(peer ? [peer.name.padStart(10), "ratio".padStart(7)] : []),
    ].join(" "),
  );
  const results: Result[] = [];
  for (const workload of chosen) {
    const result = await measure(workload, peer, settings);
    results.push(result);
    printRow(result);
  }
  peer?.close();
  const file = values.json ?? `bench/results/${name}.json`;
  mkdirSync(dirname(file), { recursive: true });
  const machine = { cpu: cpus()[0]?.model ?? "unknown", cores: cpus().length, node: process.version };
  writeFileSync(
    file,
    `${JSON.stringify({ machine, settings, peer: peer && { name: peer.name, version: peer.version }, results }, null, 2)}\n`,
  );
  console.log(`written to ${file}`);
  return 0;
}

process.exitCode = await main();
