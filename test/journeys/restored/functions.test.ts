// Models of TensorFlow's Python whose branches and loops are functions (functions.py): meta graphs with If, While and Case, restored, trained on; asked for
// gradients through their loops; a SavedModel that TensorFlow 2 wrote, with a table, variables and signatures.

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import * as tf from "tensorloom/compat";
import { afterAll, beforeAll, expect, it } from "vitest";

type Values = number | readonly Values[];
interface Model {
  readonly feed: Readonly<Record<string, never>>;
  readonly fetches: readonly string[];
  readonly steps: readonly Values[];
  readonly sources: readonly string[];
  readonly target: string;
  readonly gradients: readonly Values[];
  readonly variables: Readonly<Record<string, Values>>;
}
interface Call {
  readonly feed: Readonly<Record<string, never>>;
  readonly outputs: Readonly<Record<string, Values>>;
  readonly norm: number;
}
interface Recorded {
  readonly files: Readonly<Record<string, string>>;
  readonly models: Readonly<Record<string, Model>>;
  readonly served: { readonly calls: readonly Call[] };
}

let folder: string;
let recorded: Recorded;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tensorloom-"));
  recorded = JSON.parse(gunzipSync(await readFile(new URL("functions.json.gz", import.meta.url))).toString()) as Recorded;
  for (const [name, bytes] of Object.entries(recorded.files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), Buffer.from(bytes, "base64"));
  }
});
afterAll(() => rm(folder, { recursive: true }));

const near = (value: Values): unknown => (typeof value === "number" ? expect.closeTo(value, 4) : value.map(near));
const arrays = (values: readonly tf.NDArray[]): unknown[] => values.map(value => plain(value.toArray()));
const plain = (value: unknown): unknown => (Array.isArray(value) ? value.map(plain) : Number(value));

it.each(["recurrent", "solver"])("%s goes on where Python stopped", async name => {
  using _ = tf.Graph().as_default();
  await using session = tf.Session();
  const model = recorded.models[name]!;
  const saver = await tf.train.import_meta_graph(join(folder, `${name}.meta`));
  await saver!.restore(session, join(folder, name));
  const graph = tf.get_default_graph();
  for (const step of model.steps) {
    const values = await session.run([...model.fetches, "train"], model.feed);
    expect(arrays(values.slice(0, -1))).toEqual(near(step));
  }
  const gradients = tf.gradients(graph.get_tensor_by_name(model.target), [
    ...model.sources.map(source => graph.get_tensor_by_name(source)),
    ...tf.trainable_variables(),
  ]);
  expect(
    arrays(
      await session.run(
        gradients.map(g => tf.convert_to_tensor(g!)),
        model.feed,
      ),
    ),
  ).toEqual(near(model.gradients));
  for (const variable of tf.global_variables())
    expect(plain((await session.run(variable)).toArray()), variable.name).toEqual(near(model.variables[variable.op.name]!));
});

it("a model of TensorFlow 2 answers, and its variables change", async () => {
  using _ = tf.Graph().as_default();
  await using session = tf.Session();
  const meta = await tf.saved_model.load(session, ["serve"], join(folder, "served"));
  const [serve, nudge] = ["serving_default", "nudge"].map(key => meta.signature_def.get(key)!);
  for (const { feed, outputs, norm } of recorded.served.calls) {
    const feeds = Object.entries(feed).map(([key, value]) => [serve.inputs.get(key)!.name!, value]);
    const fetches = Object.fromEntries([...serve.outputs].map(([key, info]) => [key, info.name!]));
    const values = await session.run(fetches, Object.fromEntries(feeds));
    expect(Object.fromEntries(Object.entries(values).map(([key, value]) => [key, plain((value as tf.NDArray).toArray())]))).toEqual(
      Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, near(value)])),
    );
    const delta = [0, 1, 2].map(() => [0.05, 0.05, 0.05]);
    expect((await session.run(nudge.outputs.get("norm")!.name!, { [nudge.inputs.get("delta")!.name!]: delta })).item()).toBeCloseTo(
      norm,
      4,
    );
  }
});
