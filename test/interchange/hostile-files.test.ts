// Damaged and hostile graph files: TensorFlow's complaints for the recorded ones, and mutated inputs that must each be read or refused by an
// error of ours, soon and in bounded memory.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AssertionError, InternalError, KeyError, OpError, RuntimeError, ValueError } from "../../src/base/errors.ts";
import { decodeText, encodeText } from "../../src/base/ndarray.ts";
import { messageFromBytes, messageToBytes } from "../../src/formats/message-codec.ts";
import type { MessageName } from "../../src/formats/messages.ts";
import { messageFromText } from "../../src/formats/text-format.ts";
import * as tf from "../../src/index.ts";
import { messageOfFile } from "../../src/io/message-files.ts";
import { inputs, mutated, randomly, shareOfInputs } from "../fuzzing.ts";
import { packed } from "./recorded.ts";

const corrupted = packed("corrupted-graphs");
interface Report {
  readonly error: string | null;
  readonly message?: string;
}
const reports = JSON.parse(decodeText(corrupted.get("what_tf_reports.json") as Uint8Array)) as Readonly<Record<string, Report>>;

function importOf(bytes: Uint8Array): tf.Graph {
  const graph = new tf.Graph();
  graph.asDefault(() => tf.importGraphDef(bytes, { name: "" }));
  return graph;
}

describe("what TensorFlow says of damaged graphs", () => {
  const damaged = [...corrupted.keys()].filter(name => name.endsWith(".pb"));
  it.each(damaged)("%s", name => {
    const report = reports[name] ?? reports[`${name} (import)`];
    const bytes = corrupted.get(name) as Uint8Array;
    if (report.error === null) {
      // TensorFlow finds this only when it makes the kernel; reading it here is when the array is made.
      expect(() => importOf(bytes)).toThrow("Cannot parse tensor from proto");
      return;
    }
    const [firstSentence] = (report.message as string).replace("running on vm", "running on tensorloom").split(" Note that");
    expect(() => importOf(bytes)).toThrow(firstSentence);
    if (report.error === "DecodeError")
      expect(() => messageOfFile("GraphDef", `models/${name}`, bytes)).toThrow(
        new RegExp(`^Cannot parse file models/${name}: .*At byte \\d+: `, "s"),
      );
  });
});

const isOurs = (error: unknown): boolean =>
  (error instanceof OpError && !(error instanceof InternalError)) ||
  error instanceof ValueError ||
  error instanceof RuntimeError ||
  error instanceof KeyError ||
  error instanceof AssertionError;

describe("mutated inputs are read or refused", () => {
  const { stackTraceLimit } = Error;
  // Most inputs end in an error, and its stack, which nobody reads here, costs more than reading the bytes.
  beforeEach(() => {
    Error.stackTraceLimit = 0;
  });
  afterEach(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  const frozen = packed("frozen");
  const graph = frozen.get("frozen.pb") as Uint8Array;
  const text = frozen.get("frozen.pbtxt") as Uint8Array;
  const model = packed("saved-model-1").get("saved_model.pb") as Uint8Array;
  const whole = messageFromBytes("SavedModel", model);
  const slim = messageToBytes("SavedModel", {
    metaGraphs: whole.metaGraphs.map(({ collectionDef, signatureDef, saverDef }) => ({
      collectionDef,
      signatureDef,
      saverDef,
      graphDef: {},
    })),
  });
  const read = (name: MessageName) => (bytes: Uint8Array) => void messageFromBytes(name, bytes);
  it.each<[string, number, Uint8Array, (bytes: Uint8Array) => void]>([
    ["GraphDef bytes", inputs, graph, read("GraphDef")],
    ["SavedModel bytes", inputs, slim, read("SavedModel")],
    ["GraphDef text", shareOfInputs(1 / 3), text, bytes => void messageFromText("GraphDef", bytes)],
    ["imports", shareOfInputs(1 / 10), graph, bytes => void importOf(bytes)],
  ])(
    "%s",
    (_, count, original, attempt) => {
      const random = randomly(1);
      let refused = 0;
      let slowest = 0;
      for (let i = 0; i < count; i++) {
        const bytes = mutated(original, random);
        const start = performance.now();
        try {
          attempt(bytes);
        } catch (error) {
          refused++;
          if (!isOurs(error)) throw new Error(`Input ${i}: ${error}`, { cause: error });
        }
        slowest = Math.max(slowest, performance.now() - start);
      }
      expect(refused).toBeGreaterThan(count / 10);
      expect(slowest).toBeLessThan(5000);
      if (process.env.TENSORLOOM_FUZZ) console.info(`${expect.getState().currentTestName}: ${refused} refused, ${count - refused} read`);
    },
    3_600_000,
  );

  it("nesting without end is refused", () => {
    let deep: Uint8Array = new Uint8Array(0);
    for (let i = 0; i < 300; i++) deep = new Uint8Array([0x12, ...varint(deep.length), ...deep]);
    expect(() => messageFromBytes("FullTypeDef", deep)).toThrow("nested deeper than 100 levels");
    expect(() => messageFromText("FullTypeDef", encodeText("args { ".repeat(100_000)))).toThrow("Max recursion depth is 100");
  });

  it("a tensor larger than what it holds is refused", () => {
    const node = `node { name: "c" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "value" value { tensor { dtype: DT_FLOAT
      float_val: 1 tensor_shape { dim { size: 1000000 } dim { size: 1000000 } } } } } }`;
    expect(() => new tf.Graph().asDefault(() => tf.importGraphDef(messageFromText("GraphDef", node)))).toThrow("is larger than");
  });

  it("functions that double at every level, and those that call themselves, are refused", async () => {
    const arg = '{ name: "x" type: DT_FLOAT }';
    const double = (i: number, callee: string): string =>
      `function { signature { name: "f${i}" input_arg ${arg} output_arg { name: "y" type: DT_FLOAT } } ret { key: "y" value: "s:z:0" }
        node_def { name: "a" op: "${callee}" input: "x" } node_def { name: "b" op: "${callee}" input: "x" }
        node_def { name: "s" op: "AddV2" input: "a:y:0" input: "b:y:0" attr { key: "T" value { type: DT_FLOAT } } } }`;
    const library = Array.from({ length: 40 }, (_, i) => double(i, i === 39 ? "f39" : `f${i + 1}`)).join("\n");
    const graph = new tf.Graph();
    graph.asDefault(() =>
      tf.importGraphDef(
        messageFromText(
          "GraphDef",
          `node { name: "c" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } }
        attr { key: "value" value { tensor { dtype: DT_FLOAT float_val: 1 tensor_shape {} } } } } node { name: "y" op: "f0" input: "c" } library { ${library} }`,
        ),
        { name: "" },
      ),
    );
    await expect(new tf.Session({ graph }).run("y:0")).rejects.toThrow("more than 64 calls deep");
  });
});

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}
