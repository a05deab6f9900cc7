// The command over files that TensorFlow wrote: what it prints, writes, and how it ends. A few times as a process of its own.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { encode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { recordedFiles } from "../../test/interchange/files.ts";
import { arrayOf, difference, packed, unpack } from "../../test/interchange/recorded.ts";
import { NDArray } from "../base/ndarray.ts";
import { npyFromArray, npyToArray } from "../formats/npy.ts";
import { runWords } from "./dispatch.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const home = mkdtempSync(join(tmpdir(), "command-"));
const at = (path: string): string => join(home, path);

interface Outcome {
  readonly status: number | null;
  readonly out: string;
  readonly error: string;
}

let last: Promise<unknown> = Promise.resolve();

/** In this process, which has loaded everything; one after the other, since they print to the same place. */
function tensorloom(...words: string[]): Promise<Outcome> {
  const outcome = last.then(() => captured(words));
  last = outcome;
  return outcome;
}

async function captured(words: readonly string[]): Promise<Outcome> {
  const texts = { out: "", error: "" };
  const out = vi.spyOn(process.stdout, "write").mockImplementation(text => Boolean((texts.out += text)));
  const error = vi.spyOn(process.stderr, "write").mockImplementation(text => Boolean((texts.error += text)));
  try {
    return { status: await runWords(words), ...texts };
  } finally {
    out.mockRestore();
    error.mockRestore();
  }
}

function asProcess(...words: string[]): Promise<Outcome> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, [join(root, "src/command/main.ts"), ...words], { cwd: home });
    const texts = { out: "", error: "" };
    child.stdout.on("data", data => {
      texts.out += data;
    });
    child.stderr.on("data", data => {
      texts.error += data;
    });
    child.on("close", status => resolve({ status, ...texts }));
  });
}

async function done(...words: string[]): Promise<string> {
  const { status, out, error } = await tensorloom(...words);
  expect([status, error], words.join(" ")).toEqual([0, ""]);
  return out;
}

const result = async (...words: string[]): Promise<any> => JSON.parse(await done(...words, "--json")); // any: each test knows what it asked for

const expected = JSON.parse(new TextDecoder().decode(packed("saved-model-1").get("expected.json")));
const features = arrayOf(expected.features);
const probs = arrayOf(expected.probs);

beforeAll(() => {
  unpack(packed("saved-model-1"), at("model"));
  unpack(packed("control-flow"), at("loops"));
  unpack(packed("frozen"), at("frozen"));
  for (const [path, bytes] of Object.entries(recordedFiles)) {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), bytes);
  }
  writeFileSync(at("features.npy"), npyFromArray(features));
  process.chdir(home);
});
afterAll(() => {
  process.chdir(root);
  rmSync(home, { recursive: true });
});

describe("as a process", () => {
  it("prints, and ends with its status", async () => {
    const [shown, missing, wrong] = await Promise.all([
      asProcess("inspect", "frozen"),
      asProcess("inspect", "nowhere"),
      asProcess("inspect"),
    ]);
    expect([shown.status, missing.status, wrong.status]).toEqual([1, 1, 2]);
    expect(shown.error).toBe("error: The folder frozen holds no SavedModel, model.json, checkpoint or event file.\n");
    expect(missing.error).toBe("error: nowhere; No such file or directory\n");
    expect(await asProcess("run", "frozen/frozen.pb", "--input", "features=[[0, 0, 0, 0]]")).toMatchObject({ status: 0, error: "" });
  });
});

describe("inspect", () => {
  it("tells what is in a SavedModel", async () => {
    const out = await done("inspect", "model");
    expect(out).toContain("model: a SavedModel\n  nodes       54\n  parameters  48 in 3 variables (192 bytes)\n");
    expect(out).toContain("signature serving_default\n  in   features  float32  [?, 4]\n");
    expect(out).toMatch(/^ {2}tag sets {4}serve$/m);
    expect(out).toMatch(/^ {2}runs here {3}yes, all of its operations$/m);
    // Two products of [1, 4] by [4, 6] and [1, 6] by [6, 3].
    expect(out).toMatch(/^ +2 {2}MatMul +84 FLOP$/m);
  });

  it("tells what is in a graph, as text or bytes, and what does not run", async () => {
    const [bytes, text] = await Promise.all([result("inspect", "frozen/frozen.pb"), result("inspect", "frozen/frozen.pbtxt")]);
    expect({ ...text, path: "" }).toEqual({ ...bytes, path: "" });
    expect(bytes.inputs).toEqual([{ key: "features", tensor: "features:0", dtype: "float32", shape: [null, 4] }]);
    expect(bytes.outputs.map(({ key }: { key: string }) => key)).toEqual(["probs"]);
    writeFileSync(at("odd.pbtxt"), 'node { name: "x" op: "NoSuchOp" } node { name: "y" op: "NoSuchOp" }');
    const odd = await result("inspect", "odd.pbtxt");
    expect([odd.unsupported, odd.flops]).toEqual([{ NoSuchOp: 2 }, null]);
    const type = 'attr { key: "T" value { type: DT_BOOL } }';
    const placeholder = 'node { name: "p" op: "Placeholder" attr { key: "dtype" value { type: DT_BOOL } } }';
    const merge = `node { name: "m" op: "Merge" input: ["s", "s:1"] ${type} attr { key: "N" value { i: 2 } } }`;
    writeFileSync(at("branch.pbtxt"), `${placeholder} node { name: "s" op: "Switch" input: ["p", "p"] ${type} } ${merge}`);
    expect(await result("inspect", "branch.pbtxt")).toMatchObject({ nodes: 3, unsupported: {} });
  });

  it("tells what is in checkpoints of both versions", async () => {
    const [two, one] = await Promise.all([result("inspect", "bundles/single.index"), done("inspect", "bundles/v1.ckpt")]);
    const find = (name: string): object => two.tensors.find((tensor: { name: string }) => tensor.name === name);
    expect(find("part/emb")).toMatchObject({ dtype: "float32" });
    expect(one).toContain("a  float32  [3, 4]  0 to 11\n  b  int64    [2]     -8 to 7\n");
  });

  it("tells what is in events and records", async () => {
    const [events, records] = await Promise.all([done("inspect", "events"), result("inspect", "tfrecord/gzip.tfrecord")]);
    expect(events).toMatch(/^ {2}mean_value +scalar +3 {2}steps 0 to 20 {2}last 0\.\d+$/m);
    expect(records).toMatchObject({ compression: "GZIP", records: 6, examples: 5 });
    expect(records.features.map(({ name, kind }: { name: string; kind: string }) => `${name} ${kind}`)).toEqual([
      "id int64",
      "none empty",
      "raw bytes",
      "x float",
    ]);
  });

  it("tells what is in an array", async () => {
    expect(await done("inspect", "features.npy")).toContain(`shape   [${features.shape.join(", ")}]`);
  });
});

describe("run", () => {
  it("takes .npy and JSON, and gives .npy, .json and text", async () => {
    await done("run", "model", "--input", "features=features.npy", "--output", "probs=probs.npy", "--output", "probs=probs.json");
    expect(difference(npyToArray(readFileSync(at("probs.npy"))), probs)).toBeLessThan(1e-5);
    const written = JSON.parse(readFileSync(at("probs.json"), "utf8"));
    expect(difference(NDArray.from(written.values, "float32"), probs)).toBeLessThan(1e-5);
    const literal = `features=${JSON.stringify(features.toArray())}`;
    const both = await result("run", "model", "--input", literal);
    expect(difference(NDArray.from(both.probs.values, "float32"), probs)).toBeLessThan(1e-5);
    expect(both.class.values).toEqual(arrayOf(expected.class).toArray());
    expect(await done("run", "model", "--input", literal, "--output", "class")).toMatch(/^class {2}string {2}\[\d+\]\n {2}"/);
  });

  it("takes a picture, in the shape and type of the input", async () => {
    const graph = `node { name: "image" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } }
      attr { key: "shape" value { shape { dim { size: -1 } dim { size: 2 } dim { size: 3 } dim { size: 3 } } } } }
      node { name: "y" op: "Neg" input: "image" attr { key: "T" value { type: DT_FLOAT } } }`;
    writeFileSync(at("picture.pbtxt"), graph);
    writeFileSync(at("grey.png"), encode({ width: 3, height: 2, channels: 1, data: Uint8Array.of(0, 51, 102, 153, 204, 255) }));
    const { y } = await result("run", "picture.pbtxt", "--input", "image=grey.png");
    expect(y.shape).toEqual([1, 2, 3, 3]);
    expect(y.values[0][1]).toEqual([
      [-0.6, -0.6, -0.6],
      [-0.8, -0.8, -0.8],
      [-1, -1, -1],
    ]);
  });
});

describe("freeze and convert", () => {
  it("make a graph that needs no variables", async () => {
    expect(await done("freeze", "model", "out/frozen.pb", "--outputs", "probs")).toMatch(
      /^model is now a frozen graph\n {2}out\/frozen.pb {2}\d+ bytes\n$/,
    );
    const { probs: values } = await result("run", "out/frozen.pb", "--input", "features=features.npy");
    expect(difference(NDArray.from(values.values, "float32"), probs)).toBeLessThan(1e-5);
  });

  it("take a model through every kind and back", async () => {
    await done("convert", "frozen/frozen.pb", "chain/web/model.json");
    await done("convert", "chain/web", "chain/saved");
    await done("convert", "chain/saved", "chain/model.ckpt-0.meta");
    await done("freeze", "chain/model.ckpt-0.meta", "chain/frozen.pbtxt", "--outputs", "probs");
    for (const path of ["chain/web", "chain/saved", "chain/frozen.pbtxt"]) {
      const { probs: values } = await result("run", path, "--input", "features=features.npy");
      expect(difference(NDArray.from(values.values, "float32"), probs), path).toBeLessThan(1e-5);
    }
    // TensorFlow.js looks for these names.
    const web = JSON.parse(readFileSync(at("chain/web/model.json"), "utf8"));
    const { attr } = web.modelTopology.node.find(({ op }: { op: string }) => op === "Const");
    expect(attr.value.tensor).toHaveProperty("tensorShape");
    expect(Object.keys(web.signature.inputs)).toEqual(["features"]);
  });

  it("keep variables, loops and branches", async () => {
    const { written } = await result("convert", "loops/model.ckpt.meta", "copied/model.ckpt-0.meta");
    expect(written.map(({ file }: { file: string }) => file)).toContain("copied/model.ckpt-0.index");
    const [before, after] = await Promise.all([result("inspect", "loops/model.ckpt"), result("inspect", "copied/model.ckpt-0")]);
    expect(after.tensors).toEqual(before.tensors);
  });
});

describe("what is wrong", () => {
  it.each([
    [["inspect", "nowhere"], 1, /^error: nowhere; No such file or directory\n$/],
    [["inspect", "corrupted/rec_bad_data_crc.tfrecord"], 1, /^error: corrupted record at \d+\. .*\n$/],
    [["run", "model"], 1, /^error: Not given: features \(float32 \[\?, 4\]\)\. Give each with --input NAME=VALUE\.\n$/],
    [["run", "model", "--input", "features=[[1]]"], 1, /^error: .*\n$/],
    [["run", "model", "--input", "wrong=1"], 1, /^error: The model has no 'wrong'; its signature has features\.\n$/],
    [
      ["freeze", "model", "out/copy"],
      1,
      /^error: What model computes needs .* \(HashTableV2\), which a graph of constants cannot hold\. .*\n$/,
    ],
    [["inspect"], 2, /^error: inspect needs FILE \(see tensorloom inspect --help\)\n$/],
    [["inspect", "model", "--what"], 2, /^error: inspect has no flag --what /],
    [["convert", "a", "b", "--to", "onnx"], 2, /^error: --to is one of frozen, saved-model, tfjs, meta-graph, not "onnx"/],
    [["train"], 2, /^error: there is no subcommand "train"/],
  ] as const)("%j ends with %i", async (words, status, text) => {
    const outcome = await tensorloom(...words);
    expect([outcome.status, outcome.out]).toEqual([status, ""]);
    expect(outcome.error).toMatch(text);
    expect(existsSync(at("out/copy"))).toBe(false);
  });

  it("help tells of every subcommand, and of each", async () => {
    expect(await done("--help")).toMatch(/inspect .*\n {2}run .*\n {2}freeze .*\n {2}convert /);
    for (const name of ["inspect", "run", "freeze", "convert"])
      expect(await done(name, "--help")).toMatch(new RegExp(`examples\\n {2}# .*\\n {2}tensorloom ${name} `));
  });
});
