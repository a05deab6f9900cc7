// Whole programs of the library against recordings of TensorFlow (generate/library_programs.py): nodes in order with names, inputs and small constants,
// variables, static shapes, what a session gives, and the gradients of the sum of all floats by the parameters.

import { expect, it } from "vitest";
import * as tf from "../../src/index.ts";
import { loadSpec } from "./golden.ts";

/** What a program gives to fetch, and what it wants fed. */
export interface Made {
  readonly fetch: unknown;
  readonly feeds?: tf.Feeds;
}

interface Tensorlike {
  readonly shape: readonly number[];
  readonly dtype?: string;
  readonly values: readonly (number | string)[];
}
export type Value =
  | Tensorlike
  | { readonly ragged: unknown }
  | { readonly indices: unknown; readonly values: Tensorlike; readonly dense_shape: unknown }
  | null;

interface Recorded {
  readonly error?: string;
  readonly message?: string;
  readonly run_error?: { readonly class: string; readonly message: string };
  readonly nodes: readonly string[];
  readonly variables: readonly string[];
  readonly shapes: readonly (readonly (number | null)[] | null)[];
  readonly values: readonly Value[];
  readonly gradients: readonly Value[];
}

function constantText(array: tf.NDArray): string {
  if (!/int|bool/.test(array.dtype)) return array.dtype;
  const shown = Array.from({ length: Math.min(8, array.size) }, (_, i) => String(array.get(i)));
  return shown.map(text => (text === "true" ? "True" : text === "false" ? "False" : text)).join(" ");
}

/** One line a node, as the recording has it. */
export const nodeLines = (): string[] =>
  tf
    .getDefaultGraph()
    .getOperations()
    .map(op => {
      const controls = op.controlInputs.map(({ name }) => name).sort();
      const constant = op.type === "Const" ? constantText(op.attrs.value as tf.NDArray) : "";
      return `${op.name} ${op.type} ${op.inputs.map(({ name }) => name).join(",")}|${controls.join(",")} ${constant}`.trim();
    });

/** A constant by which gradients are compared. */
export function parameter(value: tf.TensorLike, name: string, dtype: tf.DType = "float32"): tf.Tensor {
  const tensor = tf.constant(value as number, { dtype, name });
  tf.addToCollection("parameters", tensor);
  return tensor;
}

const isLeaf = (value: unknown): boolean =>
  value instanceof tf.Tensor || value instanceof tf.SparseTensor || "flatValues" in (value as object);

export function leaves(value: unknown): unknown[] {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.flatMap(leaves);
  if (isLeaf(value) || value instanceof tf.Variable) return [value];
  return Object.keys(value)
    .sort()
    .flatMap(key => leaves((value as Record<string, unknown>)[key]));
}

const latin = (value: unknown): unknown =>
  typeof value === "string" ? value : value instanceof Uint8Array ? String.fromCharCode(...value) : value;

function numbersOf(array: tf.NDArray): number[] {
  const words = Array.from({ length: array.size }, (_, i) => array.get(i));
  return words.flatMap(word => (typeof word === "object" && "re" in word ? [word.re, word.im] : [Number(word)]));
}

function expectArray(found: unknown, want: Tensorlike, label: string): void {
  const array = found instanceof tf.NDArray ? found : tf.NDArray.from(found as number);
  expect([...array.shape], `${label}: shape`).toEqual(want.shape);
  if (array.dtype === "string") {
    expect(
      Array.from({ length: array.size }, (_, i) => latin(array.get(i))),
      label,
    ).toEqual(want.values);
    return;
  }
  const scale = array.dtype === "float16" || array.dtype === "bfloat16" ? 1e-2 : 1e-5;
  const values = numbersOf(array);
  const off = values.findIndex((value, i) => {
    const wanted = Number(want.values[i]);
    if (Number.isNaN(wanted) || !Number.isFinite(wanted)) return !Object.is(value, wanted);
    return !(Math.abs(value - wanted) <= scale * 0.3 + scale * Math.abs(wanted));
  });
  if (off >= 0) expect({ at: off, values }, label).toEqual({ at: off, values: want.values });
}

export function expectValue(found: unknown, want: Value, label: string): void {
  if (want === null) {
    expect(found, label).toBeNull();
  } else if ("ragged" in want) {
    const list = (found as { toList(): unknown }).toList();
    expectNested(list, want.ragged, label);
  } else if ("indices" in want) {
    const sparse = found as { indices: tf.NDArray; values: tf.NDArray; denseShape: tf.NDArray };
    expect(numbersOf(sparse.indices), `${label}: indices`).toEqual((want.indices as number[]).flat());
    expect(numbersOf(sparse.denseShape), `${label}: dense shape`).toEqual(want.dense_shape);
    expectArray(sparse.values, want.values, label);
  } else expectArray(found, want, label);
}

function expectNested(found: unknown, want: unknown, label: string): void {
  if (Array.isArray(want)) {
    expect((found as unknown[]).length, label).toBe(want.length);
    want.forEach((item, i) => void expectNested((found as unknown[])[i], item, `${label}[${i}]`));
  } else if (typeof want === "number") expect(Math.abs(Number(found) - want), label).toBeLessThanOrEqual(1e-5 * (1 + Math.abs(want)));
  else expect(latin(found), label).toEqual(want);
}

const shapeOf = (fetch: unknown): readonly (number | null)[] | null => {
  const { shape } = fetch as { shape?: tf.TensorShape };
  return shape?.dims ?? null;
};

/** Tests every program against the recording of its name, and that none is left out. Some may have other nodes that give the same values. */
export function compareWithRecording(
  spec: string,
  programs: Readonly<Record<string, () => Made | Promise<Made>>>,
  otherNodes: ReadonlySet<string> = new Set(),
): void {
  const recorded = loadSpec(spec) as Readonly<Record<string, Recorded>>;

  it("has a program for every recording", () => {
    expect(Object.keys(programs).sort()).toEqual(Object.keys(recorded).sort());
  });

  it.each(Object.keys(programs))("is TensorFlow's: %s", async name => {
    const want = recorded[name];
    const graph = new tf.Graph();
    using _ = graph.asDefault();
    tf.setRandomSeed(11);
    if (want.error !== undefined) {
      let refusal: Error | undefined;
      try {
        await programs[name]();
      } catch (error) {
        refusal = error as Error;
      }
      expect(refusal === undefined ? "nothing refused" : `${refusal.name}: ${refusal.message.split("\n")[0]}`).toBe(
        `${want.error}: ${want.message}`,
      );
      return;
    }
    const { fetch, feeds } = await programs[name]();
    const nodes = nodeLines();
    if (!otherNodes.has(name)) {
      const at = want.nodes.findIndex((line, i) => line !== nodes[i]);
      if (at >= 0) expect(nodes.slice(Math.max(0, at - 3), at + 3)).toEqual(want.nodes.slice(Math.max(0, at - 3), at + 3));
      expect(nodes.length).toBe(want.nodes.length);
    }
    expect(tf.globalVariables().map(variable => variable.name)).toEqual(want.variables);
    const fetches = leaves(fetch) as tf.Tensor[];
    if (otherNodes.has(name)) for (const [i, { shape }] of fetches.entries()) expect(shape.isCompatibleWith(want.shapes[i])).toBe(true);
    else expect(fetches.map(shapeOf)).toEqual(want.shapes);
    const wanted = [...(tf.getCollection("parameters") as tf.Tensor[]), ...(tf.trainableVariables() as tf.Variable[])];
    const losses = fetches
      .filter(item => item instanceof tf.Tensor && /float/.test(item.dtype))
      .map(item => tf.reduceSum(tf.cast(item, "float32")));
    const gradients = wanted.length > 0 && losses.length > 0 ? tf.gradients(losses, wanted) : [];
    const session = new tf.Session({ graph });
    await session.run([tf.globalVariablesInitializer(), tf.tablesInitializer()]);
    const run = session.run(fetches, feeds) as Promise<unknown[]>;
    if (want.run_error !== undefined) {
      const error = (await run.then(
        () => undefined,
        (reason: unknown) => reason,
      )) as Error | undefined;
      expect(error === undefined ? "nothing refused" : `${error.name}: ${error.message.split("\n")[0]}`).toBe(
        `${want.run_error.class}: ${want.run_error.message}`,
      );
      return;
    }
    (await run).forEach((value, i) => void expectValue(value, want.values[i], `fetch ${i}, ${fetches[i].name}`));
    const given = gradients.map(gradient =>
      gradient === null || gradient === undefined ? null : tf.convertToTensor(gradient as tf.Tensor),
    );
    expect(given.map(gradient => gradient === null)).toEqual(want.gradients.map(gradient => gradient === null));
    const values = (await session.run(
      given.filter(gradient => gradient !== null),
      feeds,
    )) as unknown[];
    want.gradients.forEach((gradient, i) => {
      if (gradient !== null) expectValue(values.shift(), gradient, `gradient by ${wanted[i].name}`);
    });
  });
}
