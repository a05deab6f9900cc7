// Modules, traced runs by a hook, and what asks for a compiler.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as tf from "../../src/index.ts";

class Dense extends tf.Module {
  readonly w: tf.Variable;
  readonly b: tf.Variable;
  constructor(inputs: number, outputs: number) {
    super();
    this.w = new tf.Variable(tf.ones([inputs, outputs]), { name: "w" });
    this.b = new tf.Variable(tf.zeros([outputs]), { name: "b", trainable: false });
  }
  apply = Dense.withNameScope(function (this: tf.Module, x: tf.Tensor): tf.Tensor {
    const { w, b } = this as Dense;
    return tf.matmul(x, w).add(b);
  });
}

class MyMlp extends tf.Module {
  readonly layers: Dense[];
  readonly again: Dense;
  constructor() {
    super({ name: "net" });
    this.layers = this.nameScope(() => [new Dense(3, 3), new Dense(3, 2)]);
    this.again = this.layers[0];
  }
}

describe("tf.Module", () => {
  it("finds variables and modules, each once, in TensorFlow's order", () =>
    new tf.Graph().asDefault(() => {
      const net = new MyMlp();
      expect(net.variables.map(({ name }) => name)).toEqual(["net/b:0", "net/w:0", "net/b_1:0", "net/w_1:0"]);
      expect(net.variables.map(({ shape }) => shape.dims)).toEqual([[3], [3, 3], [2], [3, 2]]);
      expect([net.trainableVariables.length, net.nonTrainableVariables.length, net.submodules.length]).toEqual([2, 2, 2]);
      expect([net.name, net.scopeName, net.layers[1].name, net.layers[1].scopeName]).toEqual(["net", "net/", "dense", "net/dense_1/"]);
      expect(net.layers[0].apply(tf.zeros([1, 3])).name).toBe("net/dense/add:0");
      class XYZNet2D extends tf.Module {}
      expect(new XYZNet2D().name).toBe("xyz_net2_d");
      expect(() => new tf.Module({ name: "1x" })).toThrow("'1x' is not a valid module name.");
    }));
});

describe("ProfilerHook", () => {
  it("writes a timeline every so many steps", async () => {
    const folder = mkdtempSync(join(tmpdir(), "profile-"));
    try {
      const graph = new tf.Graph();
      const train = graph.asDefault(() => {
        const step = tf.train.getOrCreateGlobalStep();
        const w = new tf.Variable(1);
        return new tf.train.GradientDescentOptimizer(0.1).minimize(tf.square(w), { globalStep: step });
      });
      using _ = graph.asDefault();
      const session = await tf.train.MonitoredTrainingSession({ hooks: [new tf.train.ProfilerHook({ saveSteps: 2, outputDir: folder })] });
      for (let i = 0; i < 5; i++) await session.run(train);
      await session.close();
      const written = readdirSync(folder)
        .filter(name => name.startsWith("timeline-"))
        .sort();
      expect(written).toEqual(["timeline-2.json", "timeline-4.json"]);
      const { traceEvents } = JSON.parse(readFileSync(join(folder, written[0]), "utf8")) as { traceEvents: unknown[] };
      expect(traceEvents.length).toBeGreaterThan(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("what asks for a compiler, and what describes", () => {
  it("is compiled as everything is", async () => {
    const graph = new tf.Graph();
    const results = graph.asDefault(() =>
      tf.xla.experimental.jitScope(() =>
        tf.xla.experimental.compile((x: tf.Tensor, y: tf.Tensor) => [x.add(y), x.mul(y)], { inputs: [tf.constant(2), tf.constant(3)] }),
      ),
    );
    expect((await new tf.Session({ graph }).run(results)).map(value => value.item())).toEqual([5, 6]);
    const { values, indices } = graph.asDefault(() => tf.approxTopK(tf.constant([3, 1, 2]), 2));
    const [best, places] = await new tf.Session({ graph }).run([values, indices]);
    expect([best.toArray(), places.toArray()]).toEqual([
      [3, 2],
      [0, 2],
    ]);
  });

  it("has no graphics processor, and leaves functions as they are", () => {
    expect([tf.test.isGpuAvailable(), tf.test.gpuDeviceName(), tf.test.isBuiltWithCuda()]).toEqual([false, "", false]);
    const plain = (): number => 1;
    const { doNotConvert } = tf.autograph.experimental;
    expect([doNotConvert(plain), (doNotConvert<typeof plain>() as (f: typeof plain) => typeof plain)(plain)]).toEqual([plain, plain]);
  });

  it("reads the descriptions of older summaries", () => {
    const node = tf.NodeDef.of(
      new tf.NodeDef({ name: "s", op: "TensorSummary", attr: { description: new tf.AttrValue({ s: '{"type_hint": "text"}' }) } }),
    );
    expect(tf.summary.getSummaryDescription(node).typeHint).toBe("text");
    expect(() => tf.summary.getSummaryDescription(new tf.NodeDef({ op: "Const" }))).toThrow("Can't get_summary_description on Const");
    expect(tf.summary.allV2SummaryOps()).toEqual([]);
    expect(() => tf.config.experimental.getMemoryGrowth(tf.config.listPhysicalDevices("CPU")[0])).toThrow(
      "PhysicalDevice(name='/physical_device:CPU:0'",
    );
  });
});
