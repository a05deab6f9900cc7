// Input pipelines recorded from TensorFlow (generate/datasets.py): imported they give the same elements; built here they are the same nodes, functions
// of the library included, and what is exported comes back with the same elements.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import * as tf from "../../src/index.ts";
import { bytesFromBase64, messageFromBytes, messageToBytes } from "../../src/formats/message-codec.ts";
import type { Message } from "../../src/formats/messages.ts";
import { pipelines } from "./dataset-pipelines.ts";
import { arrayOf, type RecordedArray } from "./recorded.ts";
import { hasTensorFlow, type Job, runInTensorFlow } from "./tensorflow.ts";

interface Case {
  readonly name: string;
  readonly graph: string;
  readonly init: string;
  readonly initializer: string | null;
  readonly fetches: readonly string[];
  readonly runs: readonly (readonly (readonly RecordedArray[])[])[];
}

const file = new URL("data/datasets.json.gz", import.meta.url);
const cases = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Case[];

/** All elements until the end, which stays the end. */
async function drain(session: tf.Session, fetches: readonly string[]): Promise<tf.NDArray[][]> {
  const elements: tf.NDArray[][] = [];
  for (let ends = 0; ends < 2; ) {
    try {
      elements.push((await session.run([...fetches])) as tf.NDArray[]);
    } catch (error) {
      if (!(error instanceof tf.errors.OutOfRangeError)) throw error;
      expect(error.message.split("\n")[0]).toBe("End of sequence");
      ends++;
    }
  }
  return elements;
}

const plain = (elements: readonly (readonly tf.NDArray[])[]): unknown =>
  elements.map(element => element.map(({ dtype, shape, data }) => ({ dtype, shape, data })));

// ---- nodes as text ----

type Node = Message<"NodeDef">;

/** Names of functions and tables, which have a number or a letter of their own in each program. */
const nameless = (text: string): string => text.replaceAll(/(__inference|_make_dataset|pyfunc)_[\w.]+/g, "$1");
const left = new Set(["_has_manual_control_dependencies", "_output_shapes", "shared_name"]);

function textOf({ name, op, input, attr, device }: Node): string {
  const attrs = [...attr]
    .filter(([key]) => !left.has(key))
    .map(([key, value]) => `${key}=${nameless(JSON.stringify(value, written))}`)
    .sort();
  return `${name} = ${op}(${input.join(", ")}) ${device} ${attrs.join(" ")}`;
}

const written = (_key: string, value: unknown): unknown =>
  value instanceof Map ? [...value] : value instanceof Uint8Array ? [...value].join() : typeof value === "bigint" ? String(value) : value;

/** Nodes and functions of a graph, without what both sides make of their own accord besides. */
const described = (message: Message<"GraphDef">): unknown => ({
  nodes: message.node.filter(({ op }) => op !== "NoOp").map(textOf),
  functions: (message.library?.function ?? [])
    .map(({ signature, nodeDef, ret }) => ({
      name: nameless(signature?.name ?? ""),
      takes: signature?.inputArg.map(({ name, type }) => [name, type]),
      gives: signature?.outputArg.map(({ name, type }) => [name, type]),
      ret: [...ret].sort(),
      nodes: nodeDef
        .filter(({ op }) => op !== "NoOp")
        .map(node => textOf({ ...node, input: node.input.filter(input => input !== "^NoOp") }))
        .sort(),
    }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
});

async function expectElements(graph: tf.Graph, { init, initializer, fetches, runs }: Case): Promise<void> {
  const session = new tf.Session({ graph });
  if (graph.getOperations().some(({ name }) => name === init)) await session.run(graph.getOperationByName(init));
  for (const expected of runs) {
    if (initializer !== null) await session.run(graph.getOperationByName(initializer));
    const elements = await drain(session, fetches);
    expect(plain(elements)).toEqual(plain(expected.map(element => element.map(arrayOf))));
  }
  await session.close();
}

const makerOf = ({ name }: Case): (() => tf.data.Dataset) | undefined => pipelines[name.replace(", one shot", "")];

function buildOf({ initializer }: Case, make: () => tf.data.Dataset): tf.Graph {
  const graph = new tf.Graph();
  graph.asDefault(() => {
    const dataset = make();
    const iterator = initializer === null ? tf.data.makeOneShotIterator(dataset) : tf.data.makeInitializableIterator(dataset);
    iterator.getNext();
    tf.group(tf.globalVariablesInitializer(), tf.tablesInitializer(), { name: "ready" });
  });
  return graph;
}

describe.each(cases)("$name", given => {
  // What a generator's nodes call lives in the program that made them.
  it.runIf(given.name !== "generator")("gives TensorFlow's elements", async () => {
    const graph = new tf.Graph();
    graph.asDefault(() => tf.importGraphDef(bytesFromBase64(given.graph), { name: "" }));
    await expectElements(graph, given);
  });

  const make = makerOf(given);
  const built = (): tf.Graph => buildOf(given, make as () => tf.data.Dataset);

  // TensorFlow copies what a factory reads twice.
  it.runIf(make !== undefined && given.name !== "shuffle, repeat, one shot")("is the same nodes", () => {
    const message = messageFromBytes("GraphDef", bytesFromBase64(given.graph));
    expect(described(built().asGraphDef())).toEqual(described(message));
  });

  it.runIf(make !== undefined)("gives the same elements here, and from what is exported", async () => {
    const graph = built();
    await expectElements(graph, given);
    const copy = new tf.Graph();
    copy.asDefault(() => tf.importGraphDef(messageToBytes("GraphDef", graph.asGraphDef()), { name: "" }));
    await expectElements(copy, given);
  });

  it("is written back as it came", () => {
    const graph = new tf.Graph();
    const message = messageFromBytes("GraphDef", bytesFromBase64(given.graph));
    graph.asDefault(() => tf.importGraphDef(message, { name: "" }));
    expect(messageToBytes("GraphDef", { ...graph.asGraphDef(), node: [] })).toEqual(messageToBytes("GraphDef", { ...message, node: [] }));
  });
});

it.runIf(hasTensorFlow)("gives the same elements in TensorFlow", { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "datasets-"));
  try {
    const made = cases.flatMap(given => {
      const make = makerOf(given);
      return make && given.name !== "generator" ? [{ given, graph: buildOf(given, make) }] : [];
    });
    const jobs = made.map(({ given, graph }, i): Job => {
      writeFileSync(join(folder, `${i}.pb`), messageToBytes("GraphDef", graph.asGraphDef()));
      const init = [given.init, ...(given.initializer === null ? [] : [given.initializer])];
      return { file: `${i}.pb`, kind: "graph", init, runs: given.runs[0].map(() => ({ feeds: {}, fetches: given.fetches })) };
    });
    const results = runInTensorFlow(folder, jobs).map(runs => plain(runs.map(run => run.map(arrayOf))));
    expect(results).toEqual(made.map(({ given }) => plain(given.runs[0].map(run => run.map(arrayOf)))));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
