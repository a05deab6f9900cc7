// SavedModels of TensorFlow 2 and Keras (recurrent layers with their lists of tensors, gradients, tables and their files, pictures, parsed examples): they
// compute what TensorFlow computed, and so do the SavedModels, meta graphs, frozen graphs and TensorFlow.js models that the command makes of them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runWords } from "../../src/command/dispatch.ts";
import { openModel } from "../../src/command/models.ts";
import { decodeText, type NDArray } from "../../src/base/ndarray.ts";
import { arrayOf, packed, type RecordedArray, unpack } from "./recorded.ts";
import { hasTensorFlow, runInTensorFlow } from "./tensorflow.ts";

interface Expected {
  readonly feeds: Readonly<Record<string, RecordedArray>>;
  readonly fetches: Readonly<Record<string, RecordedArray>>;
}

const home = mkdtempSync(join(tmpdir(), "converted-"));
const at = (path: string): string => join(home, path);
const files = packed("saved-models");
beforeAll(() => unpack(files, home));
afterAll(() => rmSync(home, { recursive: true }));

const names = [...new Set([...files.keys()].map(path => path.split("/")[0]))];
const expectedOf = (name: string): Expected => JSON.parse(decodeText(files.get(`${name}/expected.json`) as Uint8Array)) as Expected;

type Ends = ReadonlyMap<string, { readonly name: string | undefined }>;

/** Runs a model; a graph without a signature by the names that its source has. */
async function outputsOf(path: string, { feeds, fetches }: Expected, given?: { inputs: Ends; outputs: Ends }) {
  const model = await openModel(path);
  try {
    const signature = given ?? model.signatures.get("serving_default");
    const named = (ends: Ends | undefined, key: string): string => ends?.get(key)?.name as string;
    const fed = Object.entries(feeds)
      .map(([key, value]) => [named(signature?.inputs, key), arrayOf(value)] as const)
      .filter(([tensor]) => model.graph.findOperation(tensor.replace(/:\d+$/, "")));
    const values = await model.session.run(
      Object.keys(fetches).map(key => named(signature?.outputs, key)),
      fed,
    );
    return { values: values as NDArray[], signature: signature as { inputs: Ends; outputs: Ends } };
  } finally {
    await model.session.close();
  }
}

function expectValues(values: readonly NDArray[], { fetches }: Expected): void {
  for (const [i, expected] of Object.values(fetches).map(arrayOf).entries()) {
    expect(values[i].shape).toEqual(expected.shape);
    for (let k = 0; k < expected.size; k++) {
      const [wanted, found] = [expected.get(k), values[i].get(k)];
      if (wanted instanceof Uint8Array) expect(decodeText(found as Uint8Array)).toBe(decodeText(wanted));
      else expect(Number(found)).toBeCloseTo(Number(wanted), 4);
    }
  }
}

async function command(...words: string[]): Promise<string> {
  let error = "";
  const out = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const complaints = vi.spyOn(process.stderr, "write").mockImplementation(text => Boolean((error += text)));
  await runWords(words).finally(() => [out, complaints].forEach(spy => void spy.mockRestore()));
  return error;
}

/** What some kinds of file cannot hold. */
const refusedAs = (name: string, kind: "frozen" | "tfjs"): RegExp | null => {
  if (/table|lookup/.test(name)) return /which a graph of constants cannot hold/;
  if (name === "module_control") return /changes or hands on the variable 'Variable': it cannot be frozen/;
  return name === "module_nested" && kind === "tfjs" ? /complex128, which TensorFlow.js has not/ : null;
};

describe.each(names)("%s", name => {
  const expected = expectedOf(name);

  it("computes what TensorFlow computed, in every kind of file", async () => {
    const { values, signature } = await outputsOf(at(name), expected);
    expectValues(values, expected);
    const warned = vi.spyOn(console, "warn").mockReturnValue(undefined);
    for (const [from, to] of [
      [name, `${name}-saved`],
      [`${name}-saved`, `${name}-meta/model.ckpt.meta`],
      [`${name}-meta/model.ckpt.meta`, `${name}-again`],
    ]) {
      expect(await command("convert", at(from), at(to)), `${from} to ${to}`).toBe("");
      const found = await outputsOf(at(to), expected, to.endsWith(".meta") ? signature : undefined);
      expectValues(found.values, expected);
    }
    for (const [kind, file] of [
      ["frozen", "frozen.pb"],
      ["tfjs", "web/model.json"],
    ] as const) {
      const complaint = await command("convert", at(name), at(`${name}-${file}`));
      const refused = refusedAs(name, kind);
      expect(complaint, kind).toMatch(refused ?? /^$/);
      if (!refused) expectValues((await outputsOf(at(`${name}-${file}`), expected, signature)).values, expected);
    }
    warned.mockRestore();
  });
});

it.runIf(hasTensorFlow)(
  "TensorFlow computes the same with them (skipped where no Python has tensorflow)",
  async () => {
    // A dense table's buckets lie where TensorFlow's hash function puts them; it refuses ours, which are the entries alone.
    const readable = names.filter(name => name !== "module_mutable_table");
    const jobs = await Promise.all(
      readable.map(async name => {
        const { feeds, fetches } = expectedOf(name);
        const { signature } = await outputsOf(at(`${name}-saved`), expectedOf(name));
        const nameOf = (ends: Ends, key: string): string => ends.get(key)?.name as string;
        const fed = Object.entries(feeds).map(([key, value]) => [nameOf(signature.inputs, key), arrayOf(value)]);
        const run = { feeds: Object.fromEntries(fed), fetches: Object.keys(fetches).map(key => nameOf(signature.outputs, key)) };
        return { file: `${name}-saved`, kind: "saved_model", tags: ["serve"], runs: [run] } as const;
      }),
    );
    for (const [i, [values]] of runInTensorFlow(home, jobs).entries()) expectValues(values.map(arrayOf), expectedOf(readable[i]));
  },
  300_000,
);
