// Graphs of real programs as TensorFlow's Python makes them and what came out of every run (recording.py): reading them, comparing a graph with them node
// by node, and running them again, be it in the graph that our API makes or in the imported one.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import * as tf from "tensorloom";
import { arrayFromMessage, type Message, messageFromBytes } from "tensorloom/formats";

interface Described {
  readonly shape: readonly number[];
  readonly dtype: tf.DType;
  readonly values?: unknown;
  readonly first?: readonly number[];
  readonly sum?: number;
  readonly norm?: number;
}

interface Run {
  readonly fetches: readonly string[];
  readonly feeds: Readonly<Record<string, { readonly dtype: tf.DType; readonly shape: readonly number[]; readonly value: unknown }>>;
  readonly results: readonly (Described | null)[];
  readonly tolerances: readonly (number | null)[];
}

export interface Recording {
  readonly graph: Uint8Array;
  readonly runs: readonly Run[];
}

/** data/NAME.br: four bytes of length, that much JSON of runs, the GraphDef; brotli over all. */
export function load(name: string): Recording {
  const bytes = brotliDecompressSync(readFileSync(fileURLToPath(new URL(`data/${name}.br`, import.meta.url))));
  const length = bytes.readUInt32LE(0);
  return { runs: JSON.parse(bytes.toString("utf8", 4, 4 + length)) as Run[], graph: new Uint8Array(bytes.subarray(4 + length)) };
}

// ---- nodes ----

/** What only TensorFlow 2's functions read. */
const ignored = new Set(["_has_manual_control_dependencies"]);

const text = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === "bigint"
      ? Number(item)
      : item instanceof Uint8Array
        ? Buffer.from(item).toString("latin1")
        : item instanceof Map
          ? Object.fromEntries([...item].sort(([a], [b]) => (a < b ? -1 : 1)))
          : typeof item === "object" && item !== null && !Array.isArray(item)
            ? Object.fromEntries(
                Object.entries(item)
                  .filter(([, field]) => !(Array.isArray(field) && field.length === 0))
                  .sort(([a], [b]) => (a < b ? -1 : 1)),
              )
            : item,
  );

type Node = NonNullable<Message<"GraphDef">["node"]>[number];

function line(node: Node): string {
  const entries = [...(node.attr as Map<string, Message<"AttrValue">>)].filter(([key, { s }]) => {
    // Names that are drawn anew in each program.
    const isDrawn = s !== undefined && /^(CustomGradient-|hash_table_.{36}$)/.test(Buffer.from(s).toString("latin1"));
    return !ignored.has(key) && !isDrawn;
  });
  const attributes = entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${text(key === "value" && value.tensor ? constant(value.tensor) : value)}`);
  const inputs = node.input ?? [];
  const controls = inputs.filter(input => input.startsWith("^")).sort();
  return [node.op, [...inputs.filter(input => !input.startsWith("^")), ...controls].join(","), node.device ?? "", ...attributes].join(" ");
}

/** A constant by its elements: how its message packs them differs between versions of TensorFlow. */
function constant(message: Message<"TensorProto">): unknown {
  const array = arrayFromMessage(message);
  return [array.dtype, array.shape, array.toArray()];
}

/** Where two graphs' nodes part, as files: missing, too many, different. */
export function differences(want: Uint8Array, got: Uint8Array): string[] {
  const lines = (graph: Uint8Array): Map<string, string> =>
    new Map((messageFromBytes("GraphDef", graph).node ?? []).map(node => [node.name ?? "", line(node)]));
  const [wanted, found] = [lines(want), lines(got)];
  const bad: string[] = [];
  for (const [name, node] of wanted)
    if (!found.has(name)) bad.push(`missing: ${name} ${node}`);
    else if (found.get(name) !== node) bad.push(`differs: ${name}\n  want ${node}\n  got  ${found.get(name)}`);
  for (const [name, node] of found) if (!wanted.has(name)) bad.push(`too many: ${name} ${node}`);
  return bad;
}

// ---- runs ----

const leaves = (value: unknown): number[] =>
  Array.isArray(value) ? value.flatMap(leaves) : [typeof value === "string" ? Number(value.replace("inf", "Infinity")) : Number(value)];

function deviation(want: Described, got: tf.NDArray): number {
  if (text([want.shape, want.dtype]) !== text([got.shape, got.dtype])) return Number.POSITIVE_INFINITY;
  if (want.dtype === "string") return text(want.values) === text(got.toArray()) ? 0 : Number.POSITIVE_INFINITY;
  const all = leaves(got.toArray());
  const wanted = leaves(want.values ?? want.first);
  const norm = Math.sqrt(all.reduce((sum, x) => sum + x * x, 0));
  const size = Math.max(1, all.length);
  const rms = (want.norm ?? Math.hypot(...wanted.filter(Number.isFinite))) / Math.sqrt(size) || 1;
  const one = (w: number, g: number): number =>
    Object.is(w, g) || w === g
      ? 0
      : Number.isNaN(w) !== Number.isNaN(g)
        ? Number.POSITIVE_INFINITY
        : Math.abs(w - g) / Math.max(Math.abs(w), rms);
  const sums =
    want.values === undefined
      ? [
          Math.abs((want.norm ?? 0) - norm) / rms / Math.sqrt(size),
          Math.abs((want.sum ?? 0) - all.reduce((a, b) => a + b, 0)) / (rms * Math.sqrt(size)),
        ]
      : [];
  return Math.max(0, ...wanted.map((w, i) => one(w, all[i])), ...sums);
}

/** Runs in the default graph what was run, and says where results leave their tolerances. */
export async function replay(runs: readonly Run[]): Promise<string[]> {
  const bad: string[] = [];
  const graph = tf.getDefaultGraph();
  await using session = new tf.Session();
  for (const [i, { fetches, feeds, results, tolerances }] of runs.entries()) {
    const feed = new Map(
      Object.entries(feeds).map(([name, { dtype, value }]) => [name, tf.NDArray.from(value as number[], dtype)] as const),
    );
    const got = (await session.run(
      fetches.map(name => graph.asGraphElement(name)),
      feed,
    )) as (tf.NDArray | null)[];
    results.forEach((want, k) => {
      const tolerance = tolerances[k];
      if (want === null) return;
      const found = deviation(want, got[k] as tf.NDArray);
      if (tolerance === null ? found === Number.POSITIVE_INFINITY && text(want.shape) !== text(got[k]?.shape) : !(found <= tolerance))
        bad.push(
          `run ${i}: ${fetches[k]} is off by ${found}, tolerance ${tolerance}: want ${text(want).slice(0, 200)}, got ${text((got[k] as tf.NDArray).shape)} ${text((got[k] as tf.NDArray).toArray()).slice(0, 200)}`,
        );
    });
  }
  return bad;
}
