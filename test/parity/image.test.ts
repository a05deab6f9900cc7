// tf.image against recordings of TensorFlow (generate/image.py): nodes in order with their inputs and controls, static shapes, values, errors.
// A program is written once, in Python's words; here it is read as a call of this package.

import { expect, it } from "vitest";
import { camelOf } from "../../src/base/names.ts";
import * as tf from "../../src/index.ts";
import { loadSpec } from "./golden.ts";

interface Recorded {
  readonly inputs: Readonly<Record<string, readonly [shape: readonly (number | null)[] | null, fed: readonly number[], dtype: tf.DType]>>;
  readonly ops?: readonly (readonly [name: string, type: string, inputs: readonly string[], controls: readonly string[]])[];
  readonly shapes?: readonly (readonly (number | null)[] | null)[];
  readonly values?: readonly { readonly shape: readonly number[]; readonly dtype: string; readonly values: readonly number[] }[];
  readonly error?: string;
}

const recorded = loadSpec("image") as Readonly<Record<string, Recorded>>;

/** The same numbers as generate/image.py feeds. */
function fed(given: readonly number[], shape: readonly (number | null)[] | null, dtype: tf.DType): tf.NDArray {
  if (shape?.length === 0) return tf.NDArray.from(given[0], dtype);
  const count = given.reduce((a, b) => a * b, 1);
  const values = Array.from({ length: count }, (_, i) => ((i * i * 7 + i * 3) % 256) / (dtype === "uint8" ? 1 : 256));
  return tf.NDArray.from(values, dtype, given);
}

/** `name=value` as a property of one object: the last argument, or of a raw op the only one. */
function withOptions(code: string): string {
  const raw = /raw_ops\.(\w+)\((.*?=.*?)\)(?=$|\), x)/.exec(code);
  if (raw) return code.replace(raw[0], `rawOps.${raw[1]}({ ${raw[2].replace(/(\w+)=/g, (_, name) => `${camelOf(name)}: `)} })`);
  return code.replace(/(\w+)=(\w+)/g, "{ $1: $2 }");
}

/** A call in Python's words, made here. */
function call(code: string, placeholders: Readonly<Record<string, tf.Tensor>>): tf.Tensor | readonly tf.Tensor[] {
  const text = withOptions(code)
    .replace(/\b([a-z]+_)+[a-z0-9]+\b/g, name => (name.startsWith("tf") ? name : camelOf(name)))
    .replace(/\bnone\b(?!')/g, "null")
    .replace(/\b(\w) \* ([\d.]+)/g, "$1.mul($2)")
    .replace(/(\)) \+ ([\d.]+)/g, "$1.add($2)")
    .replace(/(\)) - ([\d.]+)/g, "$1.sub($2)");
  const names = ["tf", "image", ...Object.keys(placeholders)];
  return new Function(...names, `return ${text}`)(tf, tf.image, ...Object.values(placeholders));
}

interface Built {
  readonly results: readonly tf.Tensor[];
  readonly placeholders: Readonly<Record<string, tf.Tensor>>;
}

function build(code: string, inputs: Recorded["inputs"]): Built {
  tf.setRandomSeed(3);
  const placeholders = Object.fromEntries(
    Object.entries(inputs).map(([name, [shape, , dtype]]) => [name, tf.placeholder(dtype, shape, { name }) as tf.Tensor]),
  );
  const made = call(code, placeholders);
  return { results: made instanceof tf.Tensor ? [made] : Object.values(made).filter(value => value instanceof tf.Tensor), placeholders };
}

function wrongNodes(graph: tf.Graph, results: readonly tf.Tensor[], { ops, shapes }: Recorded): string | undefined {
  const nodes = graph
    .getOperations()
    .map(op => [op.name, op.type, op.inputs.map(input => input.name), op.controlInputs.map(control => control.name).sort()]);
  const at = nodes.findIndex((node, i) => JSON.stringify(node) !== JSON.stringify(ops?.[i]));
  if (at >= 0) return `node ${at}: ${JSON.stringify(nodes[at])} for ${JSON.stringify(ops?.[at])}`;
  if (nodes.length !== ops?.length) return `${nodes.length} nodes for ${ops?.length}: ${JSON.stringify(ops?.[nodes.length])}`;
  const found = results.map(({ shape }) => (shape.dims === null ? null : [...shape.dims]));
  return shapes && JSON.stringify(found) !== JSON.stringify(shapes)
    ? `shapes ${JSON.stringify(found)} for ${JSON.stringify(shapes)}`
    : undefined;
}

async function failure(code: string, recorded_: Recorded): Promise<string | undefined> {
  const { inputs, values, error: wanted } = recorded_;
  const graph = new tf.Graph();
  let built: Built;
  try {
    built = graph.asDefault(() => build(code, inputs));
  } catch (error) {
    const [got] = (error as Error).message.split("\n");
    return got === wanted ? undefined : `throws ${got} for ${wanted}`;
  }
  if (wanted !== undefined && wanted !== "run") return `no error: ${wanted}`;
  const { results, placeholders } = built;
  const why = wrongNodes(graph, results, recorded_);
  if (why !== undefined) return why;
  const session = new tf.Session({ graph });
  try {
    const feeds = new Map(Object.entries(inputs).map(([name, [shape, given, dtype]]) => [placeholders[name], fed(given, shape, dtype)]));
    const arrays = await session.run(results, feeds);
    if (wanted === "run") return "no error while running";
    return arrays.map((array, i) => difference(array, values?.[i])).find(text => text !== undefined);
  } catch (error) {
    return wanted === "run" ? undefined : `running: ${(error as Error).message.split("\n")[0]}`;
  } finally {
    session.close();
  }
}

const isNear = (got: number, want: number, tolerance: number): boolean =>
  got === want || Math.abs(got - want) <= tolerance * Math.max(1, Math.abs(want));

function difference(array: tf.NDArray, want: NonNullable<Recorded["values"]>[number] | undefined): string | undefined {
  if (array.dtype !== want?.dtype || array.shape.join() !== want.shape.join())
    return `${array.dtype} [${array.shape}] for ${want?.dtype} [${want?.shape}]`;
  const tolerance = array.dtype.startsWith("float") ? 2e-5 : 0;
  const at = want.values.findIndex((value, i) => !isNear(Number(array.get(i)), Number(value), tolerance));
  return at < 0 ? undefined : `element ${at}: ${array.get(at)} for ${want.values[at]}`;
}

it("makes TensorFlow's nodes, shapes, values and errors", async () => {
  const failures: string[] = [];
  for (const [code, given] of Object.entries(recorded)) {
    const why = await failure(code, given);
    if (why !== undefined) failures.push(`${code}: ${why}`);
  }
  expect(failures).toEqual([]);
}, 60_000);
