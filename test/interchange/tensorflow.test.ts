// What we write runs in TensorFlow with the same results: graphs with gradients, optimizers, branches and loops, as bytes and as text, with their
// collections, frozen. Skipped where no TensorFlow is installed.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { files } from "../../src/platform/node.ts";
import { mergeBundles, writeBundle } from "../../src/formats/bundle.ts";
import { messageFromBytes, messageToBytes } from "../../src/formats/message-codec.ts";
import { messageFromText, messageToText } from "../../src/formats/text-format.ts";
import * as tf from "../../src/index.ts";
import { addMetaGraph, metaGraphOf } from "../../src/io/meta-graph.ts";
import { arrayOf, difference } from "./recorded.ts";
import { hasTensorFlow, type Job, runInTensorFlow } from "./tensorflow.ts";

const folder = mkdtempSync(join(tmpdir(), "interchange-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Program {
  readonly graph: tf.Graph;
  readonly init: string;
  readonly feeds: Readonly<Record<string, tf.NDArray>>;
  readonly fetches: readonly string[];
}

/** A small network with everything that a trained one has, and control flow in it. */
function program(useResource: boolean): Program {
  const graph = new tf.Graph();
  const names = graph.asDefault(() => {
    tf.setRandomSeed(3);
    const x = tf.placeholder("float32", [null, 4], { name: "x" });
    const n = tf.placeholder("int32", [], { name: "n" });
    const w = tf.getVariable("w", {
      initializer: tf.constant([
        [0.5, -1],
        [0.25, 2],
        [1, 0],
        [-0.5, 0.75],
      ]),
      useResource,
    });
    const h = tf.cond(
      tf.greater(n, 1),
      () => tf.matmul(x, w),
      () => tf.tanh(tf.matmul(x, w)),
    ) as tf.Tensor;
    const [, last] = tf.whileLoop(
      (i: tf.Tensor) => tf.less(i, n),
      (i: tf.Tensor, a: tf.Tensor) => [tf.add(i, 1), tf.tanh(tf.add(a, h))],
      [tf.constant(0, "int32"), h],
    ) as tf.Tensor[];
    const loss = tf.reduceMean(tf.square(last), null, { name: "loss" });
    const [gradient] = tf.gradients(loss, [w]);
    const train = new tf.train.AdamOptimizer(0.1).minimize(loss);
    tf.identity(gradient as tf.Tensor, { name: "gradient" });
    return { init: tf.globalVariablesInitializer().name, train: train.name };
  });
  return {
    graph,
    init: names.init,
    feeds: {
      "x:0": new tf.NDArray("float32", [2, 4], Float32Array.of(1, 2, 3, 4, -1, 0.5, 0, 2)),
      "n:0": new tf.NDArray("int32", [], Int32Array.of(3)),
    },
    fetches: ["loss:0", "gradient:0"],
  };
}

async function here({ graph, init, feeds, fetches }: Program): Promise<tf.NDArray[]> {
  const session = new tf.Session({ graph });
  await session.run(graph.getOperationByName(init));
  const values = (await session.run([...fetches], Object.entries(feeds))) as tf.NDArray[];
  await session.close();
  return values;
}

function compare(jobs: readonly Job[], expected: readonly tf.NDArray[]): void {
  for (const [runs] of runInTensorFlow(folder, jobs))
    for (const [i, value] of runs.entries()) expect(difference(arrayOf(value), expected[i])).toBeLessThan(1e-5);
}

describe.runIf(hasTensorFlow)("in TensorFlow", () => {
  it.each([
    ["ref variables", false],
    ["resource variables", true],
  ])(
    "graphs run alike: %s",
    async (_, useResource) => {
      const given = program(useResource);
      const { graph, init, feeds, fetches } = given;
      const graphDef = graph.asGraphDef();
      writeFileSync(join(folder, "graph.pb"), messageToBytes("GraphDef", graphDef));
      writeFileSync(join(folder, "graph.pbtxt"), messageToText("GraphDef", graphDef));
      writeFileSync(join(folder, "shapes.pb"), messageToBytes("GraphDef", graph.asGraphDef({ addShapes: true })));
      writeFileSync(join(folder, "graph.meta"), messageToBytes("MetaGraphDef", metaGraphOf({ graph })));
      const job = { init: [init], runs: [{ feeds, fetches }] };
      const expected = await here(given);
      compare(
        [
          { ...job, file: "graph.pb", kind: "graph" },
          { ...job, file: "graph.pbtxt", kind: "text" },
          { ...job, file: "shapes.pb", kind: "graph" },
          { ...job, file: "graph.meta", kind: "meta" },
        ],
        expected,
      );
      // TensorFlow differentiates our branch and loop, so it has understood their contexts.
      const fetchGradient = { ...job, runs: [{ feeds, fetches: ["python_gradient:0"] }] };
      if (!useResource) compare([{ ...fetchGradient, file: "graph.meta", kind: "meta", gradient: ["loss:0", "w/read:0"] }], [expected[1]]);
      // Frozen.
      const session = new tf.Session({ graph });
      await session.run(graph.getOperationByName(init));
      const frozen = await tf.graphUtil.convertVariablesToConstants(session, graphDef, ["loss"]);
      await session.close();
      expect(frozen.node.filter(({ op }) => /^Var/.test(op))).toEqual([]);
      writeFileSync(join(folder, "frozen.pb"), messageToBytes("GraphDef", frozen));
      compare([{ file: "frozen.pb", kind: "graph", runs: [{ feeds, fetches: ["loss:0"] }] }], expected);
      const again = new tf.Graph();
      again.asDefault(() => tf.importGraphDef(frozen, { name: "" }));
      const [loss] = (await new tf.Session({ graph: again }).run(["loss:0"], Object.entries(feeds))) as tf.NDArray[];
      expect(difference(loss, expected[0])).toBeLessThan(1e-6);
    },
    300_000,
  );

  it("reads our checkpoints: several data files, variables in parts restored into other parts", async () => {
    const whole = new tf.NDArray(
      "float32",
      [5, 2],
      Float32Array.from({ length: 10 }, (_, i) => i / 4),
    );
    const words = tf.NDArray.from(["über", ""], "string");
    const rows = (from: number, to: number): tf.NDArray =>
      new tf.NDArray("float32", [to - from, 2], (whole.data as Float32Array).slice(2 * from, 2 * to));
    await writeBundle(files, join(folder, "a"), [
      { name: "p", value: rows(0, 3), shapeAndSlice: "5 2 0,3:-" },
      { name: "words", value: words },
    ]);
    await writeBundle(files, join(folder, "b"), [{ name: "p", value: rows(3, 5), shapeAndSlice: "5 2 3,2:-" }]);
    await mergeBundles(files, [join(folder, "a"), join(folder, "b")], join(folder, "merged"));
    // By a Saver, and once more over itself, which leaves several data files.
    const graph = new tf.Graph();
    const { saver, init } = graph.asDefault(() => {
      const p = tf.getVariable("p", [5, 2], { partitioner: tf.fixedSizePartitioner(3), initializer: tf.zerosInitializer() });
      tf.identity(tf.convertToTensor(p), { name: "whole" });
      return { saver: new tf.train.Saver(), init: tf.globalVariablesInitializer() };
    });
    const session = new tf.Session({ graph });
    await session.run(init);
    await saver.restore(session, join(folder, "merged"));
    for (let time = 0; time < 2; time++) await saver.save(session, join(folder, "saved"));
    await session.close();
    const jobs: Job[] = [
      { kind: "checkpoint", file: "merged", runs: [{ feeds: {}, fetches: ["p", "words"] }] },
      { kind: "checkpoint", file: "saved", runs: [{ feeds: {}, fetches: ["p"] }] },
      { kind: "meta", file: "saved.meta", restore: "saved", runs: [{ feeds: {}, fetches: ["whole:0"] }] },
      ...["merged", "saved"].map(
        file => ({ kind: "variable", file, name: "p", shape: [5, 2], parts: 2, runs: [{ feeds: {}, fetches: ["whole:0"] }] }) as const,
      ),
    ];
    const read = runInTensorFlow(folder, jobs).map(([values]) => values.map(value => arrayOf(value).toArray()));
    const expected = whole.toArray();
    expect(read).toEqual([[expected, words.toArray()], [expected], [expected], [expected], [expected]]);
    expect(readdirSync(folder).filter(name => /^(merged|saved)\.data/.test(name)).length).toBe(4);
  }, 300_000);
});

describe("what is written", () => {
  it.each([false, true])("is read and written again to the same bytes (resource variables: %s)", useResource => {
    const { graph } = program(useResource);
    const bytes = messageToBytes("MetaGraphDef", metaGraphOf({ graph }));
    const again = new tf.Graph();
    again.asDefault(() => addMetaGraph(messageFromBytes("MetaGraphDef", bytes)));
    expect(Buffer.compare(messageToBytes("MetaGraphDef", metaGraphOf({ graph: again })), bytes)).toBe(0);
    const text = messageToText("GraphDef", graph.asGraphDef());
    expect(messageToText("GraphDef", messageFromText("GraphDef", text))).toBe(text);
    const [gradient] = again.asDefault(() =>
      tf.gradients(again.getTensorByName("loss:0"), again.getCollection("variables")[0] as tf.Variable),
    );
    expect((gradient as tf.Tensor).dtype).toBe("float32");
  });
});
