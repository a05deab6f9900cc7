// All golden cases, one after the other, in a worker thread that is replaced when a case hangs or takes the thread down.
import { Worker } from "node:worker_threads";
import { familyNames } from "./golden.ts";
import type { Backend } from "./run-case.ts";

export interface Outcome {
  readonly id: string;
  readonly family: string;
  /** Empty: passed. */
  readonly reasons: readonly string[];
  readonly seconds: number;
}

export interface SuiteOptions {
  /** A directory as the generator writes it; null: the packed cases of the project. */
  readonly directory?: string | null;
  /** Part of an id ("conv2d/00"), a family, or an op type. */
  readonly filter?: string | null;
  readonly families?: readonly string[];
  readonly backend?: Backend;
  /** After so many seconds without an answer a case has failed. */
  readonly patience?: number;
  readonly onOutcome?: (outcome: Outcome) => void;
}

type Report = { readonly id: string; readonly family: string; readonly reasons?: readonly string[]; readonly seconds?: number } | null;

/** Runs the cases and tells how each went. */
export async function runSuite({
  directory = null,
  filter = null,
  families,
  backend = "wasm",
  patience = 60,
  onOutcome,
}: SuiteOptions = {}): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const settle = (outcome: Outcome): void => {
    outcomes.push(outcome);
    onOutcome?.(outcome);
  };
  const names = [...(families ?? familyNames(directory))];
  for (let isDone = false; !isDone; ) {
    const data = { directory, families: names, filter, backend, skip: outcomes.map(({ id }) => id) };
    const stopped = await runWorker(data, patience, settle);
    isDone = stopped === undefined;
    if (stopped !== undefined) settle(stopped);
    while (names.length > 1 && outcomes.at(-1) && names.indexOf(outcomes.at(-1)?.family ?? "") > 0) names.shift();
  }
  return outcomes;
}

/** Resolves with the case that hung or broke the thread, or undefined at the end. */
function runWorker(workerData: object, patience: number, settle: (outcome: Outcome) => void): Promise<Outcome | undefined> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { workerData, execArgv: [] });
    let current: { id: string; family: string } | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = (reason: string): void => {
      clearTimeout(timer);
      // An answer that was on its way comes too late: the case is counted once.
      worker.removeAllListeners("message");
      void worker.terminate();
      if (current) resolve({ ...current, reasons: [reason], seconds: patience });
      else reject(new Error(reason));
    };
    worker.on("message", (report: Report) => {
      clearTimeout(timer);
      if (report === null) {
        void worker.terminate();
        resolve(undefined);
      } else if (report.reasons) {
        current = undefined;
        settle({ id: report.id, family: report.family, reasons: report.reasons, seconds: report.seconds ?? 0 });
      } else {
        current = report;
        timer = setTimeout(() => stop(`hangs: no answer in ${patience} s`), patience * 1000);
      }
    });
    worker.on("error", error => stop(`breaks the thread: ${error.message.split("\n")[0]}`));
    worker.on("exit", code => code !== 0 && current && stop(`ends the thread with code ${code}`));
  });
}

/** The kind of a reason: names, numbers and shapes taken out, so that like failures are counted together. */
export function reasonClass(reason: string): string {
  if (reason.startsWith("missing ")) return reason;
  return reason
    .replace(/'[^']*'|"[^"]*"|\{\{node [^}]*\}\}/g, "…")
    .replace(/^((?:static shape of|value|collection|gradient for) ?\S*).*$/, "$1")
    .replace(/^(\w+) \S+:\d+: (?:shape|dtype) .*$/, "$1: another shape or type")
    .replace(/^(\w+) \S+:\d+: .* for .*$/, "$1: another value")
    .replace(/^operation \d+: .*$/, "another list of operations")
    .replace(/-?\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b/g, "#")
    .slice(0, 140);
}
