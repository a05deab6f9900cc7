// Real TensorFlow, where a Python with it is installed (its path in TENSORFLOW_PYTHON, or python3): runs graphs that we wrote.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { NDArray } from "../../src/base/ndarray.ts";
import { recordedOf, type RecordedArray } from "./recorded.ts";

export interface Job {
  /** Within the folder. */
  readonly file: string;
  readonly kind: "graph" | "text" | "meta" | "saved_model" | "checkpoint" | "variable";
  readonly tags?: readonly string[];
  /** Of a variable made in TensorFlow and restored: `whole:0`. A checkpoint is read without a graph, and its fetches are names. */
  readonly name?: string;
  readonly shape?: readonly number[];
  readonly parts?: number;
  /** A checkpoint to restore from. */
  readonly restore?: string;
  /** [y, x]: `python_gradient:0` is to be dy/dx. */
  readonly gradient?: readonly [string, string];
  readonly init?: readonly string[];
  readonly runs: readonly { readonly feeds: Readonly<Record<string, NDArray>>; readonly fetches: readonly string[] }[];
}

const python = process.env.TENSORFLOW_PYTHON ?? "python3";

/** Is there one? */
export const hasTensorFlow =
  spawnSync(python, ["-c", "import importlib.util as u, sys; sys.exit(u.find_spec('tensorflow') is None)"]).status === 0;

/** What TensorFlow fetches, by job and run. */
export function runInTensorFlow(folder: string, jobs: readonly Job[]): RecordedArray[][][] {
  const input = JSON.stringify(jobs, (key, value: unknown) =>
    key === "feeds"
      ? Object.fromEntries(Object.entries(value as Record<string, NDArray>).map(([name, array]) => [name, recordedOf(array)]))
      : value,
  );
  const script = fileURLToPath(new URL("generate/run_graph.py", import.meta.url));
  const { status, stdout, stderr } = spawnSync(python, [script, folder], { input, encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(stderr.split("\n").slice(-30).join("\n"));
  return JSON.parse(stdout.slice(stdout.indexOf("[["))) as RecordedArray[][][];
}
