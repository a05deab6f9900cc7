// Figures of a benchmark run, and the part of docs/performance.md that is made of them: between its markers, everything else is left alone.

import { existsSync, readFileSync, writeFileSync } from "node:fs";

export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  /** Distance of the quartiles, as a share of the median. */
  readonly spread: number;
  /** Graph, initialization, compilation and the first step; undefined where the package was not built. */
  readonly firstMs: number | undefined;
}

export interface PeerTiming extends Timing {
  /** Our time by its time: the median over the rounds, each the ratio of that round's medians. */
  readonly ratio: number;
}

export interface Result extends Timing {
  readonly workload: string;
  readonly gflops?: number;
  /** Of the peak: the median over moments at which both were measured in turn. */
  readonly share?: number;
  /** The peak in these moments, of all threads together, its median. */
  readonly peakGflops?: number;
  readonly gbytes?: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly peers: Readonly<Record<string, PeerTiming>>;
  /** Why a peer did not run it. */
  readonly refusals: Readonly<Record<string, string>>;
}

export interface Report {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
  readonly date: string;
  readonly commit: string;
  /** Of one thread, the median over the whole run. */
  readonly peakGflops: number;
  readonly settings: { readonly rounds: number; readonly seconds: number; readonly threads: number; readonly revectorize: boolean };
  readonly peers: readonly { readonly name: string; readonly title: string; readonly version: string }[];
  /** Peers that were asked for and are not there, each with its reason. */
  readonly skipped: readonly string[];
  readonly results: readonly Result[];
}

const file = "docs/performance.md";
const markers = ({ threads, revectorize }: Report["settings"]): [string, string] => {
  const name = `measured:${threads}${revectorize ? ":revectorize" : ""}`;
  return [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
};

const intro = "# Performance\n";

/** Replaces the section of this many threads. Returns the file's name. */
export function writePerformance(report: Report): string {
  const [begin, end] = markers(report.settings);
  const section = `${begin}\n${sectionOf(report)}\n${end}`;
  const text = existsSync(file) ? readFileSync(file, "utf8") : intro;
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  const next = from >= 0 && to > from ? text.slice(0, from) + section + text.slice(to + end.length) : `${text}\n${section}\n`;
  writeFileSync(file, next);
  return file;
}

const ms = (value: number): string => (value < 0.1 ? `${(value * 1000).toFixed(1)} µs` : `${value.toFixed(value < 10 ? 2 : 1)} ms`);
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

function sectionOf({ machine, date, commit, peakGflops, settings, peers, skipped, results }: Report): string {
  const threads = `${settings.threads === 1 ? "One thread" : `${settings.threads} threads`}${settings.revectorize ? ", revectorized" : ""}`;
  const names = peers.map(({ title, version }) => `${title} ${version}`);
  const head = [
    "workload",
    "median",
    "least",
    "quartiles",
    "rate",
    "of peak",
    "first run",
    "arena",
    "module",
    ...peers.map(({ title }) => title),
  ];
  const lines = [
    `## ${threads}`,
    "",
    `${date}, commit ${commit}, ${machine.cpu} (${machine.cores} cores), Node ${machine.node}${names.length > 0 ? `; ${names.join(", ")}` : ""}. ` +
      `Medians of ${settings.rounds} turns of ${settings.seconds} s each. The peak, a matrix tile from the first cache, was ` +
      `${peakGflops.toFixed(1)} GFLOP/s a thread in the median; shares are taken beside the peak of the same moment.`,
    "",
    row(head),
    row(head.map(() => "---")),
    ...results.map(result => row(cellsOf(result, peers))),
    "",
    ...peers.flatMap(({ name, title }) => verdict(name, title, results)),
    ...skipped.map(reason => `${reason}\n`),
  ];
  return lines.join("\n").trimEnd();
}

function cellsOf(result: Result, peers: Report["peers"]): string[] {
  const { workload, medianMs, minMs, spread, gflops, share, gbytes, firstMs, counts } = result;
  return [
    workload,
    ms(medianMs),
    ms(minMs),
    `±${(spread * 50).toFixed(0)} %`,
    gflops !== undefined ? `${gflops.toFixed(1)} GFLOP/s` : gbytes !== undefined ? `${gbytes.toFixed(1)} GB/s` : "",
    share === undefined ? "" : `${(100 * share).toFixed(0)} %`,
    firstMs === undefined ? "–" : ms(firstMs),
    `${((counts.arenaBytes ?? 0) / 2 ** 20).toFixed(1)} MB`,
    `${((counts.moduleBytes ?? 0) / 1024).toFixed(0)} KB`,
    ...peers.map(({ name }) => {
      const peer = result.peers[name];
      return peer === undefined ? "–" : `${ms(peer.medianMs)} (${peer.ratio.toFixed(2)})`;
    }),
  ];
}

/** What is slower beside a peer and what is faster, the worst first. */
function verdict(name: string, title: string, results: readonly Result[]): string[] {
  const ratios = results
    .flatMap(({ workload, peers }) => (peers[name] === undefined ? [] : [{ workload, ratio: peers[name].ratio }]))
    .sort((a, b) => b.ratio - a.ratio);
  const slower = ratios.filter(({ ratio }) => ratio > 1).map(({ workload, ratio }) => `${workload} ${ratio.toFixed(2)} times its time`);
  const faster = ratios
    .filter(({ ratio }) => ratio <= 1)
    .map(({ workload, ratio }) => `${workload} ${(1 / ratio).toFixed(1)} times as fast`);
  const list = (items: readonly string[]): string => (items.length === 0 ? "nothing" : items.join(", "));
  const left = refusalsOf(name, results).map(([reason, workloads]) => `${workloads.join(", ")} (${reason})`);
  return [
    `**Slower than ${title}:** ${list(slower)}.`,
    "",
    `**Faster than ${title}:** ${list(faster.reverse())}.`,
    "",
    ...(left.length === 0 ? [] : [`Not run on it: ${left.join("; ")}.`, ""]),
  ];
}

/** What a peer did not run, by the reason it gave. */
function refusalsOf(name: string, results: readonly Result[]): [string, string[]][] {
  const reasons = new Map<string, string[]>();
  for (const { workload, refusals } of results) {
    const reason = refusals[name];
    if (reason !== undefined) reasons.set(reason, [...(reasons.get(reason) ?? []), workload]);
  }
  return [...reasons];
}
