// Summaries beside what TensorFlow's give (test/interchange/generate/summaries.py): names of nodes, messages, pixels of pictures.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { decode as decodePng } from "fast-png";
import * as tf from "tensorloom";
import { describe, expect, test } from "vitest";
import { messageFromBytes, messageToJson } from "../formats/message-codec.ts";

interface Recorded {
  readonly dtype: tf.DType;
  readonly shape: readonly number[];
  readonly values: readonly string[];
}
interface Case {
  readonly kind: "scalar" | "histogram" | "image" | "audio" | "text" | "tensor";
  readonly input: Recorded | null;
  readonly args: Readonly<Record<string, string | number>>;
  readonly node: string;
  readonly names: readonly string[];
  readonly summary: object;
  readonly pictures: readonly Recorded[];
}

const file = new URL("../../test/interchange/data/summaries.json.gz", import.meta.url);
const { cases } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as { cases: readonly Case[] };

const numberOf = (text: string): number =>
  text.endsWith("inf") ? (text.startsWith("-") ? -1 / 0 : 1 / 0) : text === "nan" ? Number.NaN : Number(text);
const arrayOf = ({ dtype, shape, values }: Recorded): tf.NDArray =>
  tf.NDArray.from(dtype === "int64" ? values.map(BigInt) : values.map(numberOf), dtype, shape);

function build({ kind, args }: Case, x: tf.Tensor | null): tf.Tensor {
  const options = { family: args.family as string, maxOutputs: args.max_outputs as number };
  const given = x as tf.Tensor;
  if (kind === "scalar") return tf.summary.scalar("a b/loss:0", given, options);
  if (kind === "histogram") return tf.summary.histogram("h", given, options);
  if (kind === "image") return tf.summary.image("pic", given, options);
  if (kind === "audio") return tf.summary.audio("tone", given, 8000, options);
  if (kind === "text") return tf.summary.text("note", tf.constant(["one", "two"], { name: "words" }));
  const [displayName, summaryDescription] = [args.display_name as string, args.summary_description as string];
  return tf.summary.tensorSummary("t", given, { displayName, summaryDescription });
}

/** Numbers to nine digits (sums are added in another order), absent zeros as TensorFlow leaves them out. */
const comparable = (value: unknown): unknown => {
  if (typeof value === "number") return Number(value.toPrecision(9));
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item)]));
};

describe.each(["wasm", "reference"] as const)("on %s", backend => {
  test.each(cases.map((recorded, i) => [i, recorded.kind, recorded] as const))("case %i, %s", async (_i, _kind, recorded) => {
    const graph = new tf.Graph();
    const merged = graph.asDefault(() => {
      const x = recorded.input && tf.constant(arrayOf(recorded.input), { name: "x" });
      expect(tf.nameScope("outer", () => build(recorded, x)).name).toBe(recorded.node);
      return tf.summary.mergeAll() as tf.Tensor;
    });
    expect(graph.getOperations().map(({ name }) => name)).toEqual(recorded.names);
    const session = new tf.Session({ graph, config: { backend } });
    const message = messageFromBytes("Summary", (await session.run(merged)).get(0) as Uint8Array);
    const pngs = message.value.flatMap(({ image }) => image?.encodedImageString ?? []);
    const value = message.value.map(({ image, ...rest }) =>
      image ? { ...rest, image: { ...image, encodedImageString: new Uint8Array(0) } } : rest,
    );
    expect(comparable(messageToJson("Summary", { value }))).toEqual(comparable(recorded.summary));
    expect(pngs.map(png => Array.from(decodePng(png).data))).toEqual(recorded.pictures.map(({ values }) => values.map(Number)));
    await session.close();
  });

  test("values that are not finite are refused, and tags that come twice", async () => {
    const graph = new tf.Graph();
    const [x, histogram, twice] = graph.asDefault(() => {
      const given = tf.placeholder("float32", [null]);
      const one = tf.summary.scalar("one", tf.reduceSum(given));
      return [given, tf.summary.histogram("h", given), tf.summary.merge([one, one])];
    });
    const session = new tf.Session({ graph, config: { backend } });
    await expect(session.run(histogram, [[x, [1, Number.NaN]]])).rejects.toThrow(/^Nan in summary histogram for: h/);
    await expect(session.run(histogram, [[x, [1, 1 / 0]]])).rejects.toThrow(/^Infinity in summary histogram for: h/);
    await expect(session.run(twice, [[x, [1]]])).rejects.toThrow(/^Duplicate tag one found in summary inputs/);
    await session.close();
  });
});

test("without summaries there is nothing to merge", () => {
  expect(new tf.Graph().asDefault(() => tf.summary.mergeAll())).toBe(null);
  expect(() => new tf.Graph().asDefault(() => tf.summary.text("t", tf.constant(1)))).toThrow(
    "Expected tensor Const:0 to have dtype string, got <dtype: 'float32'>",
  );
});
