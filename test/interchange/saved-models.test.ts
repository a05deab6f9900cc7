// SavedModels of TensorFlow 1 and 2 load and compute what TensorFlow computed; those we write load there. A meta graph with loops and branches is
// restored and differentiated.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeText } from "../../src/base/ndarray.ts";
import * as tf from "../../src/index.ts";
import { arrayOf, difference, packed, type RecordedArray, unpack } from "./recorded.ts";
import { hasTensorFlow, runInTensorFlow } from "./tensorflow.ts";

const home = mkdtempSync(join(tmpdir(), "models-"));
afterAll(() => rmSync(home, { recursive: true }));
const json = <T>(files: ReadonlyMap<string, Uint8Array>, name: string): T => JSON.parse(decodeText(files.get(name) as Uint8Array)) as T;

describe("a SavedModel of TensorFlow 1", () => {
  const files = packed("saved-model-1");
  const expected = json<Record<"features" | "probs" | "class", RecordedArray>>(files, "expected.json");
  const folder = join(home, "one");
  beforeAll(() => unpack(files, folder));

  it("loads with variables, tables and signatures", async () => {
    const session = new tf.Session({ graph: new tf.Graph() });
    const { signatureDef } = await tf.savedModel.loader.load(session, ["serve"], folder);
    const signature = signatureDef.get("serving_default");
    const [input] = [...(signature?.inputs.values() ?? [])];
    const outputs = [...(signature?.outputs ?? [])];
    const values = (await session.run(
      outputs.map(([, { name }]) => name as string),
      [[input.name as string, arrayOf(expected.features)]],
    )) as tf.NDArray[];
    for (const [i, [, { dtype }]] of outputs.entries()) {
      if (dtype === "DT_STRING") expect(values[i].toArray()).toEqual(arrayOf(expected.class).toArray());
      else expect(difference(values[i], arrayOf(expected.probs))).toBeLessThan(1e-5);
    }
    expect(values).toHaveLength(2);
    await session.close();
  });

  it("says what is not there", async () => {
    const load = (tags: string[], path: string): Promise<unknown> =>
      tf.savedModel.loader.load(new tf.Session({ graph: new tf.Graph() }), tags, path);
    await expect(load(["train"], folder)).rejects.toThrow(
      "MetaGraphDef associated with tags 'train' could not be found in SavedModel, with available tags '[{'serve'}]'.",
    );
    await expect(load(["serve"], join(home, "nothing"))).rejects.toThrow("SavedModel file does not exist at: ");
    writeFileSync(join(home, "saved_model.pb"), new Uint8Array([255, 255, 255]));
    await expect(load(["serve"], home)).rejects.toThrow(
      /^Cannot parse file .*saved_model\.pb: Error parsing message with type 'tensorflow.SavedModel'/,
    );
    expect(await tf.savedModel.maybeSavedModelDirectory(folder)).toBe(true);
    expect(await tf.savedModel.maybeSavedModelDirectory(join(folder, "assets"))).toBe(false);
  });
});

describe("a SavedModel of TensorFlow 2", () => {
  const file = new URL("data/saved-model-2.json.gz", import.meta.url);
  const { runs } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as {
    runs: { x: number[][]; steps: number; h: number[][]; word: string[] }[];
  };
  const folder = join(home, "two");
  beforeAll(() => unpack(packed("saved-model-2"), folder));

  it("computes by its functions, and frozen without them", async () => {
    const session = new tf.Session({ graph: new tf.Graph() });
    const { signatureDef } = await tf.savedModel.loader.load(session, ["serve"], folder);
    const signature = signatureDef.get("serving_default");
    const nameOf = (key: string): string => (signature?.inputs.get(key) ?? signature?.outputs.get(key))?.name as string;
    for (const { x, steps, h, word } of runs) {
      const [values, words] = (await session.run(
        [nameOf("h"), nameOf("word")],
        [
          [nameOf("x"), x],
          [nameOf("steps"), steps],
        ],
      )) as tf.NDArray[];
      expect(difference(values, tf.NDArray.from(h, "float32"))).toBeLessThan(1e-5);
      expect(words.toArray()).toEqual(word);
    }
    const [output] = nameOf("h").split(":");
    const frozen = await tf.graphUtil.convertVariablesToConstants(session, session.graph.asGraphDef(), [output]);
    await session.close();
    expect(frozen.library).toBeUndefined();
    expect(frozen.node.filter(({ op }) => /Call|^(?:If|While|StatelessIf|StatelessWhile|VarHandleOp|ReadVariableOp)$/.test(op))).toEqual(
      [],
    );
  });
});

describe("a meta graph with branches, loops and their gradients", () => {
  const files = packed("control-flow");
  const folder = join(home, "loops");
  beforeAll(() => unpack(files, folder));

  it("is imported and restored, and has TensorFlow's values and gradients", async () => {
    interface Expected {
      readonly feeds: Readonly<Record<string, RecordedArray | number | boolean>>;
      readonly fetches: Readonly<Record<string, RecordedArray>>;
      readonly case2_changes: Readonly<Record<string, number | boolean>>;
      readonly case2_fetches: Readonly<Record<string, RecordedArray>>;
    }
    const expected = json<Expected>(files, "expected.json");
    const graph = new tf.Graph();
    const saver = await tf.train.importMetaGraph(join(folder, "model.ckpt.meta"), { graph });
    const session = new tf.Session({ graph });
    await saver?.restore(session, join(folder, "model.ckpt"));
    const [ours] = graph.asDefault(() => tf.gradients(tf.reduceSum(graph.getTensorByName("loop_out:0")), graph.getTensorByName("x:0")));
    expect(ours).toBeInstanceOf(tf.Tensor);
    for (const [changes, fetches] of [
      [{}, expected.fetches],
      [expected.case2_changes, expected.case2_fetches],
    ] as const) {
      const feeds = Object.entries({ ...expected.feeds, ...changes }).map(([name, value]): [string, tf.NDArray | number | boolean] => [
        name,
        typeof value === "object" ? arrayOf(value) : value,
      ]);
      const names = Object.keys(fetches);
      const values = (await session.run(names, feeds)) as tf.NDArray[];
      for (const [i, name] of names.entries()) expect(difference(values[i], arrayOf(fetches[name])), name).toBeLessThan(1e-5);
      await session.run(ours as tf.Tensor, feeds);
    }
    await session.close();
  });
});

describe("what the builder writes", () => {
  const folder = join(home, "three");
  const x = new tf.NDArray("float32", [2, 2], Float32Array.of(1, 2, 3, 4));

  it("is a SavedModel for us", async () => {
    const graph = new tf.Graph();
    const built = graph.asDefault(() => {
      const input = tf.placeholder("float32", [null, 2], { name: "x" });
      const w = tf.getVariable("w", {
        initializer: tf.constant([
          [1, -1],
          [2, 0.5],
        ]),
      });
      return { input, y: tf.tanh(tf.matmul(input, w), { name: "y" }), init: tf.globalVariablesInitializer() };
    });
    const trained = new tf.Session({ graph });
    await trained.run(built.init);
    await tf.savedModel.simpleSave(trained, folder, { x: built.input }, { y: built.y });
    await trained.close();
    const session = new tf.Session({ graph: new tf.Graph() });
    await tf.savedModel.loader.load(session, ["serve"], folder);
    const value = (await session.run("y:0", { "x:0": x })) as tf.NDArray;
    expect(value.get(0)).toBeCloseTo(Math.tanh(5));
    await session.close();
    const builder = new tf.savedModel.Builder(folder);
    await expect(builder.save()).rejects.toThrow("already exists, and isn't empty.");
  });

  it("may say another method of a signature", async () => {
    const updater = new tf.savedModel.signatureDefUtils.MethodNameUpdater(folder);
    const replace = (key: string, tags?: string[]): Promise<void> => updater.replaceMethodName(key, "mine", { tags });
    await expect(replace("nope")).rejects.toThrow("MetaGraphDef associated with tags None does not have a signature_def with key: 'nope'.");
    await expect(replace("serving_default", ["train"])).rejects.toThrow("tags ['train'] could not be found in SavedModel.");
    await replace("serving_default", ["serve"]);
    const copy = join(home, "renamed");
    await updater.save({ newExportDir: copy });
    const { signatureDef } = await tf.savedModel.loader.load(new tf.Session({ graph: new tf.Graph() }), "serve", copy);
    expect(signatureDef.get("serving_default")?.methodName).toBe("mine");
  });

  it.runIf(hasTensorFlow)(
    "is one for TensorFlow",
    () => {
      const [[[value]]] = runInTensorFlow(home, [
        { file: "three", kind: "saved_model", tags: ["serve"], runs: [{ feeds: { "x:0": x }, fetches: ["y:0"] }] },
      ]);
      expect(arrayOf(value).get(0)).toBeCloseTo(Math.tanh(5));
    },
    120_000,
  );
});
