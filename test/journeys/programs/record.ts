// What a recorded program stands on: its stored data, and a record of what it did, compared with what real TensorFlow did (data/NN-name.br: four bytes
// of length, that much JSON, the arrays; brotli over all). The comparison and its measured tolerances come with the recordings: series by step,
// values and final variables relative to their size, variables, collections and op types exactly.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import type { DType, Session, Tensor, Variable } from "tensorloom";
import * as tf from "tensorloom";
import { viewTypedArray } from "../../../src/base/dtype.ts";
import { decodeText } from "../../../src/base/ndarray.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

interface Described {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly sum?: number;
  readonly mean?: number;
  readonly norm?: number;
  readonly values?: Json;
  readonly first?: Json;
}

type Values = Readonly<Record<string, Described>>;

interface Golden {
  readonly series: Readonly<Record<string, readonly (number | boolean | string)[]>>;
  readonly values: Readonly<Record<string, Json>>;
  readonly graphs: Readonly<Record<string, Json>>;
  readonly initial: Readonly<Record<string, Values>>;
  readonly final: Readonly<Record<string, Values>>;
  readonly tolerances: {
    readonly series: Readonly<Record<string, "exact" | "unstable" | readonly (readonly [step: number, tolerance: number])[]>>;
    readonly values: Readonly<Record<string, number | "exact" | "unstable">>;
    readonly final: Readonly<Record<string, Readonly<Record<string, number | "exact" | "unstable">>>>;
  };
}

export type Data = Readonly<Record<string, tf.NDArray>>;

/** A program's stored arrays and recorded results. */
export function load(name: string): { data: Data; golden: Golden } {
  const bytes = brotliDecompressSync(readFileSync(fileURLToPath(new URL(`data/${name}.br`, import.meta.url))));
  const length = bytes.readUInt32LE(0);
  const { index, golden } = JSON.parse(bytes.toString("utf8", 4, 4 + length)) as {
    index: Record<string, { dtype: DType; shape: number[]; offset: number; bytes: number }>;
    golden: Golden;
  };
  const data = Object.entries(index).map(([key, { dtype, shape, offset, bytes: size }]) => {
    const start = 4 + length + offset;
    const own = new Uint8Array(bytes.subarray(start, start + size));
    return [
      key,
      new tf.NDArray(
        dtype,
        shape,
        viewTypedArray(
          dtype,
          own.buffer,
          0,
          shape.reduce((a, b) => a * b, 1),
        ),
      ),
    ] as const;
  });
  return { data: Object.fromEntries(data), golden };
}

/** Rows of an array: NumPy's `array[rows]`. */
export function rowsOf(array: tf.NDArray, rows: readonly number[]): tf.NDArray {
  const size = array.size / array.shape[0];
  const taken = tf.NDArray.zeros(array.dtype, [rows.length, ...array.shape.slice(1)]);
  rows.forEach((row, k) => {
    for (let i = 0; i < size; i++) taken.set(k * size + i, array.get(row * size + i));
  });
  return taken;
}

export const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, i) => from + i * step);
/** NumPy's `array[from:to]`. */
export const slice = (array: tf.NDArray, from: number, to: number): tf.NDArray => rowsOf(array, range(from, Math.min(to, array.shape[0])));
/** The numbers of an array, row-major. */
export const numbers = (array: tf.NDArray): number[] => range(0, array.size).map(i => Number(array.get(i)));
/** NumPy's `np.eye(classes)[labels]`. */
export const oneHot = (labels: tf.NDArray, classes: number): tf.NDArray =>
  tf.NDArray.from(
    numbers(labels).map(label => range(0, classes).map(k => (k === label ? 1 : 0))),
    "float32",
  );
export const float64 = (value: number | readonly number[]): tf.NDArray => tf.NDArray.from(value as number[], "float64");

// ---- describing ----

const jsonNumber = (value: number): Json => (Number.isFinite(value) ? value : Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf");

function elementOf(array: tf.NDArray, i: number): Json {
  const value = array.get(i);
  if (value instanceof Uint8Array) return decodeText(value);
  if (typeof value === "boolean") return value;
  return jsonNumber(Number(value));
}

function nested(array: tf.NDArray, shape: readonly number[], offset: number): Json {
  if (shape.length === 0) return elementOf(array, offset);
  const size = shape.slice(1).reduce((a, b) => a * b, 1);
  return range(0, shape[0]).map(k => nested(array, shape.slice(1), offset + k * size));
}

function describe(array: tf.NDArray): Described {
  const { shape, dtype, size } = array;
  const elements = range(0, size).map(i => elementOf(array, i));
  const wide = dtype === "string" ? [] : numbers(array);
  const sum = wide.reduce((a, b) => a + b, 0);
  const sums = /float/.test(dtype)
    ? { sum, mean: size > 0 ? sum / size : 0, norm: Math.sqrt(wide.reduce((a, b) => a + b * b, 0)) }
    : dtype === "string"
      ? {}
      : { sum };
  return { shape, dtype, ...sums, ...(size <= 64 ? { values: nested(array, shape, 0) } : { first: elements.slice(0, 8) }) };
}

const isDescribed = (value: unknown): value is Described =>
  typeof value === "object" && value !== null && "shape" in value && "dtype" in value;

/** Anything JSON can say; arrays inside become lists. */
function plain(value: unknown): Json {
  if (value instanceof tf.NDArray) return nested(value, value.shape, 0);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "number") return jsonNumber(value);
  if (typeof value === "bigint") return Number(value);
  return value as Json;
}

// ---- the record ----

/** What programs keep of what they do. */
export class Journal {
  readonly series: { [name: string]: Json[] } = {};
  readonly values: { [name: string]: Json | Described } = {};
  readonly graphs: { [name: string]: Json } = {};
  readonly initialValues: { [graph: string]: Values } = {};
  readonly finalValues: { [graph: string]: Values } = {};
  /** For checkpoints and event files. */
  readonly folder = mkdtempSync(join(tmpdir(), "program-"));

  /** Removes the folder. */
  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** One training step: each number goes to the end of the series with its name. */
  step(results: Readonly<{ [name: string]: tf.NDArray | number | boolean }>): void {
    for (const [name, value] of Object.entries(results)) {
      this.series[name] ??= [];
      this.series[name].push(plain(value));
    }
  }

  /** Anything else worth comparing. Arrays are described; strings and lists stay as they are. */
  value(name: string, value: unknown): void {
    this.values[name] = value instanceof tf.NDArray ? describe(value) : plain(value);
  }

  /** What has been built in the default graph. */
  graph(name = "main"): void {
    const graph = tf.getDefaultGraph();
    const row = (v: Variable): Json => [v.op.name, v.shape.dims === null ? null : [...v.shape.dims], v.dtype];
    const counts: { [type: string]: number } = {};
    for (const op of graph.getOperations())
      if (!op.name.split("/").some(part => part.startsWith("gradients"))) counts[op.type] = (counts[op.type] ?? 0) + 1;
    const keys = graph.getAllCollectionKeys().filter(key => typeof key === "string" && !key.startsWith("_")) as string[];
    this.graphs[name] = {
      global_variables: tf.globalVariables().map(row),
      trainable_variables: tf.trainableVariables().map(v => v.op.name),
      local_variables: tf.localVariables().map(row),
      collections: Object.fromEntries(
        keys.map(key => [key, graph.getCollection(key).map((item: { name?: string }) => item.name ?? item.constructor.name)]),
      ),
      op_types: counts,
    };
  }

  /** Scalars, totals of histograms and sizes of pictures of the event files in a folder, in file order: [step, tag, value]. */
  async events(name: string, folder: string): Promise<void> {
    const rows: Json[] = [];
    const paths = readdirSync(folder).filter(file => file.startsWith("events."));
    for (const path of paths.sort())
      for await (const event of tf.train.summaryIterator(join(folder, path))) {
        const step = Number(event.step ?? 0);
        if (event.graphDef?.length) rows.push([step, "graph_def", "present"]);
        for (const { tag = "", simpleValue, histo, image } of event.summary?.value ?? [])
          if (histo) rows.push([step, tag, [histo.min, histo.max, histo.num, histo.sum, histo.sumSquares].map(total => total ?? 0)]);
          else if (image) rows.push([step, tag, [image.height, image.width, image.colorspace].map(size => size ?? 0)]);
          else if (simpleValue !== undefined) rows.push([step, tag, simpleValue]);
      }
    this.values[name] = plain(rows);
  }

  /** Values of all variables right after initialization. */
  async initial(session: Session, name = "main"): Promise<void> {
    this.initialValues[name] = await variableValues(session);
  }

  /** Values of all variables at the end. */
  async final(session: Session, name = "main"): Promise<void> {
    this.finalValues[name] = await variableValues(session);
  }
}

async function variableValues(session: Session): Promise<Values> {
  const variables = tf.globalVariables();
  const values = (await session.run(variables)) as tf.NDArray[];
  return Object.fromEntries(variables.map((variable, i) => [variable.op.name, describe(values[i])]));
}

// ---- comparing ----

const leaves = (value: Json | undefined): number[] =>
  typeof value === "number" ? [value] : Array.isArray(value) ? value.flatMap(leaves) : [];

/** Largest |got - want| / max(|want|, mean |want|) of two lists of numbers. */
function listDeviation(want: readonly number[], got: readonly number[]): number {
  if (want.length !== got.length) return Number.POSITIVE_INFINITY;
  const floor = want.reduce((sum, x) => sum + Math.abs(x), 0) / Math.max(1, want.length) || 1;
  return Math.max(0, ...want.map((w, i) => Math.abs(got[i] - w) / Math.max(Math.abs(w), floor)));
}

/** Of two described arrays: elements against the root mean square, sums against what rounding can do to them. */
function arrayDeviation(want: Described, got: Described): number {
  if (JSON.stringify([want.shape, want.dtype]) !== JSON.stringify([got.shape, got.dtype])) return Number.POSITIVE_INFINITY;
  if (!want.dtype.startsWith("float") || typeof want.norm !== "number")
    return sortedText(want) === sortedText(got) ? 0 : Number.POSITIVE_INFINITY;
  const rms =
    want.norm /
      Math.sqrt(
        Math.max(
          1,
          want.shape.reduce((a, b) => a * b, 1),
        ),
      ) || 1;
  const [a, b] = [leaves(want.values ?? want.first), leaves(got.values ?? got.first)];
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  const size = Math.max(
    1,
    want.shape.reduce((x, y) => x * y, 1),
  );
  return Math.max(
    ...a.map((x, i) => Math.abs(x - b[i]) / Math.max(Math.abs(x), rms)),
    Math.abs(want.norm - (got.norm ?? Number.NaN)) / Math.max(want.norm, 1e-30),
    Math.abs((want.sum ?? 0) - (got.sum ?? Number.NaN)) / (rms * Math.sqrt(size)),
  );
}

const sortedText = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );

/** Initial values are the same bits, but for the last one or two where sin, cos and log are another library's. */
const initialTolerance = 2 ** -21;

/** Where a record leaves the recorded tolerances. */
export function mismatches(golden: Golden, record: Journal): string[] {
  const bad: string[] = [];
  const check = (path: string, deviation: number, tolerance: number | "unstable"): void => {
    if (tolerance !== "unstable" && !(deviation <= tolerance))
      bad.push(`${path}: deviation ${deviation.toExponential(1)}, tolerance ${tolerance}`);
  };
  for (const [name, want] of Object.entries(golden.series)) checkSeries(name, want, record.series[name] ?? [], golden, check);
  for (const [name, want] of Object.entries(golden.values)) {
    const [got, tolerance] = [record.values[name], golden.tolerances.values[name]];
    if (tolerance === "unstable") continue;
    if (got === undefined) bad.push(`value ${name}: missing`);
    else if (isDescribed(want) && isDescribed(got))
      check(`value ${name}`, arrayDeviation(want, got), tolerance === "exact" ? 0 : tolerance);
    else if (tolerance === "exact") {
      if (sortedText(got) !== sortedText(want)) bad.push(`value ${name}: ${sortedText(got)} for ${sortedText(want)}`);
    } else check(`value ${name}`, listDeviation(leaves(want), leaves(got as Json)), tolerance);
  }
  for (const [graph, variables] of Object.entries(golden.final))
    for (const [name, want] of Object.entries(variables))
      check(`final ${graph} ${name}`, deviationOf(want, record.finalValues[graph]?.[name]), exactly(golden.tolerances.final[graph][name]));
  for (const [graph, variables] of Object.entries(golden.initial))
    for (const [name, want] of Object.entries(variables))
      check(`initial ${graph} ${name}`, deviationOf(want, record.initialValues[graph]?.[name]), initialTolerance);
  for (const [graph, want] of Object.entries(golden.graphs)) bad.push(...graphDifferences(graph, want, record.graphs[graph]));
  return bad;
}

const exactly = (tolerance: number | "exact" | "unstable"): number | "unstable" => (tolerance === "exact" ? 0 : tolerance);
const deviationOf = (want: Described, got: Described | undefined): number =>
  got === undefined ? Number.POSITIVE_INFINITY : arrayDeviation(want, got);

function checkSeries(
  name: string,
  want: readonly (number | boolean | string)[],
  got: readonly Json[],
  { tolerances }: Golden,
  check: (path: string, deviation: number, tolerance: number | "unstable") => void,
): void {
  const rows = tolerances.series[name];
  if (rows === "unstable") return;
  if (rows === "exact" || got.length !== want.length) {
    check(`series ${name}`, JSON.stringify(got) === JSON.stringify(want) ? 0 : Number.POSITIVE_INFINITY, 0);
    return;
  }
  const floor = (want as number[]).reduce((sum, x) => sum + Math.abs(x), 0) / want.length || 1;
  (want as number[]).forEach((w, i) => {
    const tolerance = rows.findLast(([step]) => step <= i)?.[1] ?? 0;
    check(`series ${name}[${i}]`, Math.abs((got[i] as number) - w) / Math.max(Math.abs(w), floor), tolerance);
  });
}

function graphDifferences(graph: string, want: Json, got: Json | undefined): string[] {
  if (got === undefined) return [`graph ${graph}: missing`];
  return Object.entries(want as { [part: string]: Json }).flatMap(([part, expected]) => {
    const found = (got as { [part: string]: Json })[part];
    if (Array.isArray(expected) || typeof expected !== "object" || expected === null)
      return sortedText(found) === sortedText(expected) ? [] : [`graph ${graph} ${part}: ${sortedText(found)} for ${sortedText(expected)}`];
    const [a, b] = [expected as { [key: string]: Json }, (found ?? {}) as { [key: string]: Json }];
    return [...new Set([...Object.keys(a), ...Object.keys(b)])]
      .filter(key => sortedText(a[key]) !== sortedText(b[key]))
      .map(key => `graph ${graph} ${part} ${key}: ${sortedText(b[key])} for ${sortedText(a[key])}`);
  });
}

export type { Session, Tensor, Variable };
