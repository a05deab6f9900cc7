// A model that TensorFlow's Python trained and saved (recording.py), restored here by its meta graph as programs do it, through the compat door:
// no line of code of the model. It answers, trains on (momentum, moving averages, batch statistics, decayed rates included) and is saved again.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { NDArray } from "tensorloom";
import * as tf from "tensorloom/compat";
import { afterAll, beforeAll, expect, it } from "vitest";

interface Recorded {
  readonly files: Readonly<Record<string, string>>;
  readonly feed: Readonly<Record<string, never>>;
  readonly probabilities: unknown;
  readonly losses: readonly number[];
  readonly rates: readonly number[];
  readonly average: unknown;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly trainable: readonly string[];
}

let folder: string;
let recorded: Recorded;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tensorloom-"));
  recorded = JSON.parse(gunzipSync(await readFile(new URL("recorded.json.gz", import.meta.url))).toString()) as Recorded;
  for (const [name, bytes] of Object.entries(recorded.files)) await writeFile(join(folder, name), Buffer.from(bytes, "base64"));
});
afterAll(() => rm(folder, { recursive: true }));

/** How far numbers in the same nesting are apart, relative to those above 1. */
function distance(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) return Math.max(0, ...a.map((item, i) => distance(item, b[i])));
  return Math.abs(Number(a) - Number(b)) / Math.max(1, Math.abs(Number(b)));
}

it("goes on where Python stopped", async () => {
  const graph = new tf.Graph();
  using _ = graph.as_default();
  const latest = (await tf.train.latest_checkpoint(folder)) as string;
  const saver = await tf.train.import_meta_graph(`${latest}.meta`);
  await using session = new tf.Session();
  await saver?.restore(session, latest);
  const fetch = async (name: string, feed_dict?: object): Promise<unknown> =>
    ((await session.run(graph.get_tensor_by_name(name), { feed_dict } as object)) as NDArray).toArray();

  const { "training:0": _training, ...evaluated } = recorded.feed;
  expect(distance(await fetch("probabilities:0", evaluated), recorded.probabilities)).toBeLessThan(1e-6);
  expect(tf.trainable_variables().map(v => v.name)).toEqual(recorded.trainable);

  const train = graph.get_operation_by_name("train");
  const steps: [loss: number, rate: number][] = [];
  for (let i = 0; i < recorded.losses.length; i++) {
    const [loss, rate] = (await session.run(["loss:0", "rate:0", train], { feed_dict: recorded.feed } as object)) as NDArray[];
    steps.push([loss.item(), rate.item()]);
  }
  expect(
    distance(
      steps,
      recorded.losses.map((loss, i) => [loss, recorded.rates[i]]),
    ),
  ).toBeLessThan(1e-5);
  expect(distance(await fetch("average:0"), recorded.average)).toBeLessThan(1e-5);
  for (const [name, value] of Object.entries(recorded.variables)) expect(distance(await fetch(name), value), name).toBeLessThan(1e-4);

  const path = await saver?.save(session, join(folder, "model"), { globalStep: tf.train.get_global_step() });
  expect(path).toBe(join(folder, "model-9"));
  await saver?.restore(session, latest);
  expect(distance(await fetch("probabilities:0", evaluated), recorded.probabilities)).toBeLessThan(1e-6);
});
