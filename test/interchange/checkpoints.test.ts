// Checkpoints as TensorFlow 2 writes them, of objects, restored by names; and variables that begin with another model's values where vocabularies
// have changed: recorded from TensorFlow by generate/checkpoints.py.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import * as tf from "tensorloom";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { packed, unpack } from "./recorded.ts";

interface Recorded {
  readonly warmStarts: readonly {
    readonly options: { axis?: 0 | 1; backup?: number; oov?: number; old_size?: number; parts?: number; resource?: boolean };
    readonly value: readonly (readonly number[])[];
    readonly plain: readonly number[];
  }[];
  readonly objects: { readonly values: Readonly<Record<string, unknown>>; readonly missing: string };
}

const text = gunzipSync(readFileSync(new URL("data/checkpoints.json.gz", import.meta.url))).toString();
const { warmStarts, objects } = JSON.parse(text) as Recorded;
const home = mkdtempSync(join(tmpdir(), "checkpoints-"));
const at = (name: string): string => join(home, name);
beforeAll(() => unpack(packed("checkpoints"), home));
afterAll(() => rmSync(home, { recursive: true }));

describe("warm starts", () => {
  it.each(warmStarts)("$options", async ({ options, value, plain }) => {
    const { axis = 0, backup, oov = 0, old_size: oldVocabSize = -1, parts, resource = false } = options;
    const name = axis === 0 ? "emb" : "cols";
    const graph = new tf.Graph();
    const { v, p } = graph.asDefault(() => ({
      v: tf.getVariable(`new/${name}`, axis === 0 ? [5 + oov, 3] : [3, 5 + oov], {
        initializer: tf.onesInitializer(),
        partitioner: parts === undefined ? null : tf.fixedSizePartitioner(parts),
        useResource: resource,
      }),
      p: tf.getVariable("plain", [2], { initializer: tf.zerosInitializer() }),
    }));
    {
      using _default = graph.asDefault();
      const backupInitializer = backup === undefined ? null : tf.constantInitializer(backup);
      const vocabulary = new tf.train.VocabInfo(at("new.txt"), 5, oov, at("old.txt"), { oldVocabSize, backupInitializer, axis });
      await tf.train.warmStart(at("warm.ckpt"), {
        varNameToVocabInfo: { [`new/${name}`]: vocabulary },
        varNameToPrevVarName: { [`new/${name}`]: name },
      });
    }
    const session = new tf.Session({ graph });
    await session.run(graph.asDefault(() => tf.globalVariablesInitializer()));
    const [whole, other] = await session.run(graph.asDefault(() => [tf.convertToTensor(v), p.value()]));
    expect([whole.toArray(), other.toArray()]).toEqual([value, plain]);
    await session.close();
  });

  it("say what does not go together", async () => {
    using _default = new tf.Graph().asDefault();
    tf.getVariable("w", [5, 3]);
    const vocabulary = new tf.train.VocabInfo(at("new.txt"), 3, 0, at("old.txt"));
    const start = (options: Parameters<typeof tf.train.warmStart>[1]): Promise<void> => tf.train.warmStart(at("warm.ckpt"), options);
    await expect(start({ varNameToPrevVarName: { x: "y" } })).rejects.toThrow(
      "You provided the following variables in var_name_to_prev_var_name that were not used: {'x'}.  Perhaps you misspelled them?  Here is the list of viable variable names: dict_keys(['w'])",
    );
    await expect(start({ varNameToVocabInfo: { w: vocabulary } })).rejects.toThrow(
      "Trying to initialize 5 additional rows after 0 rows have already been initialized, which would exceed expected total row count of new_row_vocab_size (3) + num_row_oov_buckets (0) = 3.",
    );
    await expect(start({})).rejects.toThrow("Tensor w is not found in");
    const short = new tf.train.VocabInfo(at("new.txt"), 9, 0, at("old.txt"));
    tf.getVariable("long", [9, 3]);
    await expect(start({ varsToWarmStart: null, varNameToVocabInfo: { long: short } })).rejects.toThrow("has 5 words");
  });
});

describe("checkpoints of objects", () => {
  const names = Object.keys(objects.values);

  it("are listed by their keys and restored by names", async () => {
    const listed = await tf.train.listVariables(at("objects-1"));
    expect(listed).toContainEqual(["model/layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE", [3, 2]]);
    const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const graph = new tf.Graph();
    const { variables, saver } = graph.asDefault(() => ({
      variables: names
        .filter(name => name !== "save_counter")
        .map(name => {
          const isStep = name === "step";
          return tf.getVariable(name, shapeOf(objects.values[name]), {
            dtype: isStep ? tf.int32 : tf.float32,
            useResource: !name.includes("first"),
          });
        }),
      saver: new tf.train.Saver(),
    }));
    const session = new tf.Session({ graph });
    await saver.restore(session, at("objects-1"));
    const count = graph.getOperations().length;
    // The second time the nodes are there.
    await saver.restore(session, at("objects-1"));
    expect(graph.getOperations()).toHaveLength(count);
    expect(warned).toHaveBeenCalledTimes(2);
    warned.mockRestore();
    for (const variable of variables) {
      const value = (await session.run(variable)) as tf.NDArray;
      expect(value.toArray()).toEqual(asFloats(objects.values[variable.op.name]));
    }
    await session.close();
  });

  it("say which variables they lack", async () => {
    const warned = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    const graph = new tf.Graph();
    const saver = graph.asDefault(() => {
      tf.getVariable("first/kernel", [3, 2]);
      tf.getVariable("missing", [1]);
      return new tf.train.Saver();
    });
    const session = new tf.Session({ graph });
    const lines = objects.missing.replace(/^NotFoundError: /, "");
    await expect(saver.restore(session, at("objects-1"))).rejects.toThrow(lines.trim());
    // A checkpoint of names has no such second chance.
    await expect(saver.restore(session, at("warm.ckpt"))).rejects.toThrow(
      "Restoring from checkpoint failed. This is most likely due to a Variable name",
    );
    warned.mockRestore();
    await session.close();
  });
});

const shapeOf = (value: unknown): number[] => (Array.isArray(value) ? [value.length, ...shapeOf(value[0])] : []);
const asFloats = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(asFloats) : Number.isInteger(value) ? value : Math.fround(value as number);

it("the checkpoints of a folder are given one after another", async () => {
  const folder = mkdtempSync(join(tmpdir(), "evaluated-"));
  const graph = new tf.Graph();
  const saver = graph.asDefault(
    () => [tf.getVariable("v", [], { initializer: tf.zerosInitializer() }), new tf.train.Saver()][1] as tf.train.Saver,
  );
  const session = new tf.Session({ graph });
  await session.run(graph.asDefault(() => tf.globalVariablesInitializer()));
  await saver.save(session, join(folder, "m"), { globalStep: 1 });
  const seen: string[] = [];
  let asked = 0;
  for await (const path of tf.train.checkpointsIterator(folder, { timeout: 0.1, timeoutFn: () => ++asked === 2 })) {
    seen.push(path.slice(folder.length + 1));
    if (seen.length < 3) await saver.save(session, join(folder, "m"), { globalStep: seen.length + 1 });
    // What is no checkpoint is none.
    else writeFileSync(join(folder, "checkpoint"), 'model_checkpoint_path: "gone"');
  }
  expect([seen, asked]).toEqual([["m-1", "m-2", "m-3"], 2]);
  await session.close();
  rmSync(folder, { recursive: true });
});
