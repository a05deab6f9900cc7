// Graphs whose nodes call functions (If, While, Case, PartitionedCall, functions by name), recorded from TensorFlow: the same values, gradients through
// the calls, and the library written back byte for byte.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import * as tf from "../../src/index.ts";
import { bytesFromBase64, messageFromBytes, messageToBytes } from "../../src/formats/message-codec.ts";
import { arrayOf, type RecordedArray } from "./recorded.ts";

interface Case {
  readonly name: string;
  readonly graph: string;
  readonly init: string;
  readonly runs: readonly {
    readonly feeds: Readonly<Record<string, RecordedArray>>;
    readonly fetches: Readonly<Record<string, RecordedArray>>;
    readonly gradient: RecordedArray | null;
  }[];
  readonly gradient: readonly [string, string] | null;
}

const file = new URL("data/functions.json.gz", import.meta.url);
const cases = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Case[];

describe.each(cases)("$name", ({ name, graph: encoded, init, runs, gradient }) => {
  const imported = (): tf.Graph => {
    const graph = new tf.Graph();
    graph.asDefault(() => tf.importGraphDef(bytesFromBase64(encoded), { name: "" }));
    return graph;
  };
  const feedsOf = (given: Readonly<Record<string, RecordedArray>>): [string, tf.NDArray][] =>
    Object.entries(given).map(([name, value]) => [name, arrayOf(value)]);

  it("computes what TensorFlow computed", async () => {
    const graph = imported();
    const session = new tf.Session({ graph });
    await session.run(graph.getOperationByName(init));
    for (const { feeds, fetches } of runs) {
      const names = Object.keys(fetches);
      const values = await session.run(names, feedsOf(feeds));
      for (const [i, name] of names.entries()) expectClose(values[i] as tf.NDArray, fetches[name]);
    }
    await session.close();
  });

  it.runIf(gradient !== null)("has TensorFlow's gradient", async () => {
    const graph = imported();
    const [y, x] = (gradient as [string, string]).map(name => graph.getTensorByName(name));
    const [made] = graph.asDefault(() => tf.gradients(y, x));
    const session = new tf.Session({ graph });
    await session.run(graph.getOperationByName(init));
    for (const { feeds, gradient: expected } of runs) {
      const value = (await session.run(made as tf.Tensor, feedsOf(feeds))) as tf.NDArray;
      expectClose(value, expected as RecordedArray);
    }
    // Call and copy are one computation: values are as before.
    const { feeds, fetches } = runs[0];
    for (const [name, expected] of Object.entries(fetches)) expectClose((await session.run(name, feedsOf(feeds))) as tf.NDArray, expected);
    await session.close();
  });

  it("computes the same when it is frozen: no calls, no variables", async () => {
    const graph = imported();
    const session = new tf.Session({ graph });
    await session.run(graph.getOperationByName(init));
    const fetched = runs.flatMap(({ fetches }) => Object.keys(fetches));
    const nodes = [...new Set(fetched.map(each => each.split(":")[0]))];
    const freezing = tf.graphUtil.convertVariablesToConstants(session, graph.asGraphDef(), nodes);
    if (name === "effects") {
      await expect(freezing).rejects.toThrow(/changes or hands on the variable '\w+': it cannot be frozen/);
      return session.close();
    }
    const frozen = await freezing;
    await session.close();
    expect(frozen.library).toBeUndefined();
    expect(frozen.node.filter(({ op }) => /Call|^Variable|VarHandle/.test(op))).toEqual([]);
    const again = new tf.Graph();
    again.asDefault(() => tf.importGraphDef(messageToBytes("GraphDef", frozen), { name: "" }));
    const plain = new tf.Session({ graph: again });
    for (const { feeds, fetches } of runs) {
      const fed = feedsOf(feeds).filter(([fed]) => again.findOperation(fed.split(":")[0]));
      for (const [fetch, expected] of Object.entries(fetches)) expectClose((await plain.run(fetch, fed)) as tf.NDArray, expected);
    }
    await plain.close();
  });

  it("writes the library back as it came", () => {
    const original = messageFromBytes("GraphDef", bytesFromBase64(encoded));
    const exported = imported().asGraphDef();
    const bytes = (message: Pick<typeof exported, "library">): string =>
      Buffer.from(messageToBytes("FunctionDefLibrary", message.library ?? {})).toString("hex");
    expect(bytes(exported)).toBe(bytes(original));
    const again = new tf.Graph();
    again.asDefault(() => tf.importGraphDef(messageToBytes("GraphDef", exported), { name: "" }));
    expect(Buffer.compare(messageToBytes("GraphDef", again.asGraphDef()), messageToBytes("GraphDef", exported))).toBe(0);
  });
});

function expectClose(value: tf.NDArray, expected: RecordedArray): void {
  expect(value.shape).toEqual(expected.shape);
  const wanted = arrayOf(expected);
  for (let i = 0; i < wanted.size; i++) expect(Number(value.get(i))).toBeCloseTo(Number(wanted.get(i)), 4);
}
