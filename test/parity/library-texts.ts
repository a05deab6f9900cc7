// Short programs recorded as text (generate/library_texts.py), run through the compat door: kinds, static shapes, types, values over several runs, gradients,
// refusals of making and of running.

import * as tf from "../../src/index.ts";
import { gradients } from "../../src/gradients/gradients.ts";
import { convertToTensor } from "../../src/graph/conversion.ts";
import type { ExpectedError, Instruction } from "./golden.ts";
import { errorDifference } from "./run-case.ts";
import { resultsOf } from "./run-program.ts";

interface Entry {
  readonly kind: string;
  readonly value?: unknown;
  readonly static?: readonly (number | null)[] | null;
  readonly dtype?: string;
}
interface Recorded {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly (number | string)[];
}
export interface TextCase {
  readonly text: string;
  readonly program: readonly Instruction[];
  readonly refused?: ExpectedError & { readonly python?: boolean };
  readonly stopped?: ExpectedError & { readonly python?: boolean };
  readonly entries?: readonly Entry[];
  readonly runs?: readonly (readonly Recorded[])[];
}

type Part = readonly [kind: string, value: unknown];

/** The tensors of a fetched thing, in the order of the recording, and what it is. */
function parts(value: unknown): readonly Part[] {
  if (value === null || value === undefined || value instanceof tf.Operation) return [["none", null]];
  if (value instanceof tf.RaggedTensor)
    return [["ragged", value.flatValues], ...value.nestedRowSplits.map(splits => ["", splits] as const)];
  if (value instanceof tf.SparseTensor)
    return [
      ["sparse", value.indices],
      ["", value.values],
      ["", value.denseShape],
    ];
  if (value instanceof tf.IndexedSlices)
    return [
      ["slices", value.values],
      ["", value.indices],
    ];
  if (value instanceof tf.Tensor || value instanceof tf.Variable) return [["", value]];
  if (value instanceof tf.TensorShape) return [["value", value.dims]];
  if (value instanceof tf.NDArray) return [["value", value.toArray()]];
  if (Array.isArray(value)) return value.flatMap(parts);
  if (typeof value !== "object") return [["value", value]];
  if (Symbol.iterator in value && !(value instanceof Map)) return [...(value as Iterable<unknown>)].flatMap(parts);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const items = entries.filter(([key, item]) => value instanceof Map || (typeof key === "string" && typeof item !== "function"));
  const isTuple = !(value instanceof Map) && Object.getPrototypeOf(value) !== Object.prototype;
  if (!isTuple) items.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return items.flatMap(([, item]) => parts(item));
}

const isTensor = ([kind]: Part): boolean => kind !== "none" && kind !== "value";

function entryOf([kind, value]: Part): Entry {
  if (!isTensor([kind, value])) return { kind, value };
  const { shape, dtype } = value as tf.Tensor;
  return { kind, static: shape.dims, dtype: String(dtype) };
}

function derivativesOf(found: readonly Part[], by: readonly tf.Tensor[]): readonly (tf.Tensor | null)[] {
  const losses = found.filter(part => isTensor(part) && /float/.test((part[1] as tf.Tensor).dtype)).map(([, value]) => value as tf.Tensor);
  const sums = losses.map(value => tf.reduceSum(tf.cast(value, "float32")));
  const made = sums.length === 0 ? by.map(() => null) : gradients(sums, [...by]);
  return made.map(gradient => (gradient === null || gradient === undefined ? null : convertToTensor(gradient as tf.Tensor)));
}

/** How ours differs from the recording; nothing if it does not. */
export async function textDifferences({ program, refused, stopped, entries = [], runs = [] }: TextCase): Promise<string[]> {
  const graph = new tf.Graph();
  using _ = graph.asDefault();
  tf.setRandomSeed(7);
  let results: ReadonlyMap<string, unknown>;
  let found: readonly Part[];
  let derived: readonly (tf.Tensor | null)[];
  try {
    results = await resultsOf(program);
    found = parts(results.get("r"));
    derived = results.has("p") ? derivativesOf(found, results.get("p") as tf.Tensor[]) : [];
  } catch (error) {
    if (refused === undefined) return [`made: ${describe(error)}`];
    return refusalDifference(error, refused);
  }
  if (refused !== undefined) return [`made: raised nothing for ${refused.class}: ${refused.message}`];
  const failures: string[] = [];
  const own: Entry[] = [...found.map(entryOf), ...derived.map(tensor => (tensor === null ? { kind: "none" } : entryOf(["", tensor])))];
  if (entries.length !== own.length) return [`${own.length} results for ${entries.length}`];
  for (const [i, entry] of entries.entries()) {
    const [got, want] = [own[i], entry].map(({ kind, value, dtype, static: shape }) =>
      JSON.stringify(kind === "none" ? [kind] : kind === "value" ? [kind, value] : [kind, shape, dtype]),
    );
    if (got !== want) failures.push(`result ${i}: ${got} for ${want}`);
  }
  const fetched = [...found.filter(isTensor).map(([, value]) => value), ...derived.filter(tensor => tensor !== null)] as tf.Tensor[];
  const feeds = results.get("f") ?? new Map();
  const session = new tf.Session({ graph });
  try {
    await session.run([tf.globalVariablesInitializer(), tf.localVariablesInitializer(), tf.tablesInitializer()]);
    for (const [step, feed] of (Array.isArray(feeds) ? feeds : [feeds]).entries()) {
      if (results.has("t")) await session.run(results.get("t") as tf.Tensor, feed as tf.Feeds);
      const values: readonly unknown[] = await session.run(fetched, feed as tf.Feeds);
      if (stopped !== undefined && step >= runs.length) continue;
      for (const [i, want] of runs[step].entries()) {
        const why = valueDifference(values[i], want);
        if (why !== undefined) failures.push(`run ${step}, value ${i} (${fetched[i].name}): ${why}`);
      }
    }
  } catch (error) {
    if (stopped === undefined) return [...failures, `ran: ${describe(error)}`];
    return [...failures, ...refusalDifference(error, stopped)];
  } finally {
    await session.close();
  }
  if (stopped !== undefined) failures.push(`ran: raised nothing for ${stopped.class}: ${stopped.message}`);
  return failures;
}

/** What Python itself says is no text of TensorFlow's. */
function refusalDifference(error: unknown, want: ExpectedError & { readonly python?: boolean }): string[] {
  if (
    want.python &&
    error instanceof Error &&
    !/InternalError|is not a function|of undefined|of null/.test(`${error.name} ${error.message}`)
  )
    return [];
  const why = errorDifference(error, want);
  return why === undefined ? [] : [why];
}

const describe = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message.split("\n")[0]}` : String(error));

const looseTypes: Readonly<Record<string, number>> = { float16: 2e-3, bfloat16: 1e-2, float64: 1e-9, complex128: 1e-9 };

function valueDifference(got: unknown, want: Recorded): string | undefined {
  if (!(got instanceof tf.NDArray)) return `${String(got)} is no array`;
  if (got.dtype !== want.dtype) return `${got.dtype} for ${want.dtype}`;
  if (JSON.stringify(got.shape) !== JSON.stringify(want.shape))
    return `shape ${JSON.stringify(got.shape)} for ${JSON.stringify(want.shape)}`;
  const values = Array.from({ length: got.size }, (_, i) => got.get(i)).flatMap(plainOf);
  const largest = Math.max(1, ...want.values.map(value => (Number.isFinite(Number(value)) ? Math.abs(Number(value)) : 0)));
  const scale = looseTypes[want.dtype] ?? 1e-5;
  const off = values.findIndex((value, i) => {
    const wanted = want.dtype === "string" ? want.values[i] : Number(String(want.values[i]).replace("inf", "Infinity"));
    if (typeof value !== "number" || typeof wanted !== "number") return value !== wanted;
    if (!Number.isFinite(wanted)) return !Object.is(value, wanted);
    return /int|bool/.test(want.dtype) ? value !== wanted : !(Math.abs(value - wanted) <= scale * (Math.abs(wanted) + 0.1 * largest));
  });
  return off < 0 ? undefined : `at ${off}: ${JSON.stringify(values.slice(0, 24))} for ${JSON.stringify(want.values.slice(0, 24))}`;
}

function plainOf(value: unknown): (number | string)[] {
  if (value instanceof Uint8Array) return [String.fromCharCode(...value)];
  if (typeof value === "string") return [String.fromCharCode(...new TextEncoder().encode(value))];
  if (typeof value === "object" && value !== null && "re" in value) {
    const { re, im } = value as { re: number; im: number };
    return [re, im];
  }
  return [Number(value)];
}
