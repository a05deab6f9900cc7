// Programs of the kinds that people have, built by our API: the same graph as TensorFlow's Python makes, node by node and attribute by attribute,
// gradients and optimizers included, and the same numbers run by run, in that graph and in the imported one.

import { readdirSync } from "node:fs";
import * as tf from "tensorloom";
import { messageToBytes } from "tensorloom/formats";
import { describe, expect, it } from "vitest";
import { differences, load, replay } from "./replay.ts";

const folder = new URL(".", import.meta.url);
const names = readdirSync(new URL("data", folder)).map(file => file.replace(".br", ""));

describe.each(names)("%s", name => {
  it("has TensorFlow's nodes and gives its numbers", async () => {
    const { graph, runs } = load(name);
    const { build } = (await import(`./${name}.ts`)) as { build: () => void };
    using _ = new tf.Graph().asDefault();
    build();
    tf.group(tf.globalVariablesInitializer(), tf.localVariablesInitializer(), tf.tablesInitializer(), { name: "initialize" });
    expect(differences(graph, messageToBytes("GraphDef", tf.exportGraphDef(tf.getDefaultGraph())))).toEqual([]);
    expect(await replay(runs)).toEqual([]);
  });

  it("gives the same numbers when TensorFlow's graph is imported", async () => {
    const { graph, runs } = load(name);
    using _ = new tf.Graph().asDefault();
    tf.importGraphDef(graph, { name: "" });
    expect(await replay(runs)).toEqual([]);
  });
});
