// Functions as nodes, loss scales and small things beside them, against recordings of TensorFlow (generate/traced_functions.py).

import { describe, expect, it } from "vitest";
import { tf as compat } from "../../src/compat.ts";
import * as tf from "../../src/index.ts";
import { compareWithRecording, type Made, parameter } from "./library-programs.ts";

const mixed = tf.mixedPrecision;
const floats = (...list: number[]): Float32Array => Float32Array.from(list);
const values = (): tf.Tensor => tf.constant(floats(1, 2));
const spec = (size: number | null): { shape: (number | null)[]; dtype: tf.DType } => ({ shape: [size], dtype: "float32" });

function trained(lossScale: number | "dynamic"): Made {
  const weight = tf.getVariable("weight", [2], { initializer: tf.onesInitializer() });
  const optimizer = new mixed.MixedPrecisionLossScaleOptimizer(new tf.train.MomentumOptimizer(0.1, 0.9), lossScale);
  const step = optimizer.minimize(tf.reduceSum(weight.mul(weight)));
  return { fetch: tf.controlDependencies([step], () => tf.identity(tf.constant(1, "int32"))) };
}
const uttered = [
  1.7886284589767456, 0.4365098476409912, 0.09649746865034103, -1.863492727279663, -0.27738821506500244, -0.35475897789001465,
  -0.08274148404598236, -0.6270006895065308, -0.043818168342113495, -0.47721803188323975, -1.3138647079467773, 0.8846223950386047,
  0.8813180327415466, 1.7095730304718018, 0.05003364384174347, -0.4046774208545685, -0.5453599691390991, -1.5464773178100586,
  0.9823674559593201, -1.1010676622390747, -1.1850465536117554, -0.20564989745616913, 1.4861483573913574, 0.23671627044677734,
];
const speech = (): [tf.Tensor, tf.Tensor] => [
  parameter(tf.NDArray.from(uttered, "float32", [4, 2, 3]), "logits"),
  tf.constant(Int32Array.of(4, 4)),
];
const integers = (...rows: number[][]): tf.Tensor => tf.constant(rows, "int32");
const row = (): tf.SparseTensor => new tf.SparseTensor([[0, 1]], [1], [2, 3]);

const programs: Readonly<Record<string, () => Made>> = {
  called_twice() {
    const scaled = tf.function(function scaled(x: tf.Tensor, factor = 2) {
      return x.mul(factor).add(1);
    });
    return { fetch: [scaled(values()), scaled(tf.constant(floats(3, 4))), scaled(values(), 3)] };
  },
  nested_results() {
    const weight = tf.getVariable("weight", [], { initializer: tf.onesInitializer() });
    const outside = tf.constant(3);
    const both = tf.function((x: tf.Tensor) => ({ a: x.mul(weight), b: [x.add(outside)] }));
    return { fetch: both(values()) };
  },
  gradient_through() {
    const x = parameter([1, 2], "x");
    const factor = parameter(3, "factor");
    return { fetch: tf.function((y: tf.Tensor) => y.mul(y).mul(y).mul(factor))(x) };
  },
  by_signature() {
    const plus = tf.function((x: tf.Tensor) => x.add(1), { inputSignature: [spec(null)] });
    return { fetch: [plus(values()), plus(tf.constant(floats(5)))] };
  },
  by_wrong_signature: () => ({
    fetch: tf.function((x: tf.Tensor) => x.add(1), { inputSignature: [spec(2)] })(tf.constant(floats(5, 6, 7))),
  }),
  assigned_in_order() {
    const counter = tf.getVariable("counter", [], { initializer: tf.zerosInitializer(), useResource: true });
    const count = tf.function((by: tf.Tensor) => {
      counter.assignAdd(by);
      const first = counter.readValue();
      counter.assign(first.mul(10));
      return [first, counter.readValue()];
    });
    return { fetch: count(tf.constant(2)) };
  },
  wrapped: () => ({ fetch: tf.wrapFunction((x: tf.Tensor) => x.add(1), [spec(null)])(values()) }),
  on_arrays() {
    const result = tf.pyFunction(a => Float32Array.from(a.data as Float32Array, x => x * x), [values()], "float32");
    result.setShape([2]);
    return { fetch: result };
  },
  recomputed: () => ({ fetch: tf.recomputeGrad((y: tf.Tensor) => tf.sin(y).mul(y))(parameter([1, 2], "x")) }),
  fixed_scale: () => trained(128),
  dynamic_scale: () => trained("dynamic"),
  not_finite() {
    const weight = tf.getVariable("weight", [2], { initializer: tf.onesInitializer(), useResource: true });
    const scale = new mixed.DynamicLossScale({ initialLossScale: 8, incrementPeriod: 2, multiplier: 2 });
    const optimizer = new mixed.MixedPrecisionLossScaleOptimizer(new tf.train.GradientDescentOptimizer(0.1), scale);
    const step = optimizer.applyGradients([[tf.constant(floats(1, Number.POSITIVE_INFINITY)), weight]]);
    return { fetch: tf.controlDependencies([step], () => [weight.readValue(), scale.value()]) };
  },
  small_scale: () => ({ fetch: new mixed.FixedLossScale(0.5).value() }),
  no_optimizer: () => ({ fetch: new mixed.MixedPrecisionLossScaleOptimizer(3 as never, 128) }),
  wrapped_optimizer() {
    const optimizer = mixed.enableMixedPrecisionGraphRewrite(new tf.train.GradientDescentOptimizer(0.5), { lossScale: 4 });
    const weight = tf.getVariable("weight", [2], { initializer: tf.onesInitializer() });
    return { fetch: optimizer.computeGradients(tf.reduceSum(weight.mul(weight))).map(([gradient]) => gradient) };
  },
  dense_labels() {
    const [logits, times] = speech();
    return { fetch: tf.nn.ctcLossV2(integers([1, 2], [2, 1]), logits, Int32Array.of(2, 1), times) };
  },
  dense_labels_by_batch() {
    const [logits, times] = speech();
    const byBatch = tf.transpose(logits, [1, 0, 2]);
    return {
      fetch: tf.nn.ctcLossV2(integers([0, 2], [2, 0]), byBatch, Int32Array.of(2, 2), times, { logitsTimeMajor: false, blankIndex: 1 }),
    };
  },
  sparse_labels() {
    const [logits, times] = speech();
    const places = [
      [0, 0],
      [0, 1],
      [1, 0],
    ];
    const labels = new tf.SparseTensor(places, tf.constant(Int32Array.of(0, 1, 1)), [2, 2]);
    return { fetch: [tf.nn.ctcLossV2(labels, logits, null, times, { blankIndex: -1 })] };
  },
  sparse_labels_without_blank() {
    const [logits, times] = speech();
    const labels = new tf.SparseTensor([[0, 0]], tf.constant(Int32Array.of(0)), [2, 2]);
    return { fetch: tf.nn.ctcLossV2(labels, logits, null, times) };
  },
  tridiagonal() {
    const [alpha, beta] = [tf.constant(floats(1, -2, 3, 0.5)), tf.constant(floats(0.5, 0.25, -1))];
    const of = (select: "a" | "i" | "v", selectRange?: [number, number]): unknown =>
      tf.linalg.eighTridiagonal(alpha, beta, { select, selectRange: selectRange ?? null });
    return { fetch: [of("a"), of("i", [1, 2]), of("v", [-1, 2])] };
  },
  tridiagonal_types: () => ({ fetch: tf.linalg.eighTridiagonal(tf.constant([1, 2]), tf.constant([1], "float64")) }),
  counted() {
    const numbers = tf.constant(
      [
        [1, 2, 2],
        [0, 0, 5],
      ],
      "int64",
    );
    return {
      fetch: [
        tf.sparse.bincount(numbers, { axis: -1 }),
        tf.sparse.bincount(numbers),
        tf.sparse.bincount(numbers, { binaryOutput: true, maxlength: 5 }),
      ],
    };
  },
  counted_by_weight() {
    const numbers = tf.constant(Int32Array.of(1, 2, 2, 1));
    return { fetch: tf.sparse.bincount(numbers, { axis: 0, weights: tf.constant(floats(1, 2, 3, 4)), minlength: 5 }) };
  },
  counted_sparse() {
    const places = [
      [0, 1],
      [1, 0],
      [1, 2],
    ];
    const sparse = new tf.SparseTensor(places, tf.constant(Int32Array.of(1, 2, 2)), [2, 3]);
    const plain = tf.sparse.bincount(sparse, { axis: -1 });
    const weights = sparse.withValues([0.5, 1, 1.5]);
    return { fetch: [plain, tf.sparse.bincount(sparse, { weights, axis: -1 })] };
  },
  counted_along_others: () => ({ fetch: tf.sparse.bincount(tf.constant([[1, 2]], "int32"), { axis: 1 }) }),
  other_values() {
    const value = new tf.SparseTensorValue(tf.NDArray.from([[0, 1]], "int64"), tf.NDArray.from([1]), tf.NDArray.from([2, 3], "int64"));
    return { fetch: [row().withValues([2]), tf.SparseTensor.fromValue(value)] };
  },
  other_values_too_many: () => ({ fetch: row().withValues([2, 3]) }),
};

/** Gradients of a call go through its function's nodes here, through a call of another function there; what a call gives has the shape of the trace, not what
 *  follows from this call's arguments; nothing stands around a function that TensorFlow computes again; reductions of lists make other constants. */
const others = new Set([
  "gradient_through",
  "by_signature",
  "wrapped",
  "recomputed",
  "dynamic_scale",
  "not_finite",
  "dense_labels",
  "dense_labels_by_batch",
  "tridiagonal",
]);
compareWithRecording("traced-functions", programs, others);

describe("matrices of three diagonals", () => {
  it("have eigenvectors", async () => {
    const graph = new tf.Graph();
    const parts = graph.asDefault(() =>
      tf.linalg.eighTridiagonal(tf.constant(floats(2, 1, 3)), tf.constant(floats(1, -1)), { eigvalsOnly: false }),
    );
    const [values, vectors] = await new tf.Session({ graph }).run(parts as [tf.Tensor, tf.Tensor]);
    const matrix = [
      [2, 1, 0],
      [1, 1, -1],
      [0, -1, 3],
    ];
    const v = vectors.toArray() as number[][];
    for (const k of [0, 1, 2])
      matrix.forEach((line, i) => {
        const product = line.reduce((sum, a, j) => sum + a * v[j][k], 0);
        expect(product).toBeCloseTo(Number(values.get(k)) * v[i][k], 5);
      });
    expect(() => tf.linalg.eighTridiagonal(tf.constant([1, 2]), tf.constant([1]), { select: "i", selectRange: [1, 0] })).toThrow(
      "Got empty index range in select_range.",
    );
  });
});

describe("functions", () => {
  it("go into the graph's export and run from it", async () => {
    const graph = new tf.Graph();
    const def = graph.asDefault(() => {
      tf.function((x: tf.Tensor) => x.mul(2).add(1))(tf.constant(floats(1, 2), { name: "x" }));
      return tf.exportGraphDef(graph);
    });
    expect(def.library?.function.map(({ signature }) => signature?.name)).toEqual([expect.stringMatching(/^__inference_lambda_\d+$/)]);
    const again = new tf.Graph();
    again.asDefault(() => tf.importGraphDef(def, { name: "" }));
    expect((await new tf.Session({ graph: again }).run(again.getTensorByName("PartitionedCall:0"))).toArray()).toEqual([3, 5]);
  });

  it("refuse what they cannot hold, by name", () => {
    new tf.Graph().asDefault(() => {
      const makes = tf.function(function makes() {
        return new tf.Variable(1).readValue();
      });
      expect(() => makes()).toThrow("tf.function only supports singleton tf.Variables created on the first call.");
      const weight = tf.getVariable("weight", [], { useResource: true });
      const [gradient] = [
        () =>
          tf.gradients(
            tf.pyFunction(x => x, [values()], "float32"),
            [weight],
          ),
      ];
      expect(gradient()).toEqual([null]);
      const x = values();
      expect(() =>
        tf.gradients(
          tf.pyFunction(y => y, [x], "float32"),
          [x],
        ),
      ).toThrow("is not known: its function computes on arrays.");
    });
  });

  it("have their effects in branches and loops, in the order in which they are written", async () => {
    using _graph = new tf.Graph().asDefault();
    const total = tf.getVariable("total", [], { initializer: tf.zerosInitializer(), useResource: true });
    const x = tf.placeholder("float32", []);
    const n = tf.placeholder("int32", []);
    const steps = tf.function((by: tf.Tensor, count: tf.Tensor) => {
      const first = tf.cond(
        tf.greater(by, 0),
        () => total.assignAdd(by),
        () => total.readValue(),
      );
      const body = (i: tf.Tensor, a: tf.Tensor): tf.Tensor[] => {
        total.assignAdd(1);
        return [i.add(1), a.mul(by).add(total.readValue())];
      };
      const [, last] = tf.whileLoop((i: tf.Tensor) => tf.less(i, count), body, [tf.constant(0, "int32"), by]) as tf.Tensor[];
      total.assign(total.mul(2));
      return [first, last, total.readValue(), tf.gradients(last, [by])[0]];
    });
    const results = steps(x, n) as tf.Tensor[];
    await using session = new tf.Session();
    await session.run(tf.globalVariablesInitializer());
    const at = async (by: number, count: number): Promise<unknown> =>
      (
        await session.run(results, [
          [x, by],
          [n, count],
        ])
      ).map(value => value.item());
    expect(await at(2, 2)).toEqual([2, 18, 8, 15]);
    expect(await at(-1, 3)).toEqual([8, 11, 22, -12]);
    expect(await at(3, 0)).toEqual([25, 3, 50, 1]);
    expect((await session.run(total)).item()).toBe(50);
  });

  it("are waited for although they hold a check that may not be made", async () => {
    using _graph = new tf.Graph().asDefault();
    const x = tf.placeholder("float32", []);
    const checked = tf.function((value: tf.Tensor) => {
      tf.Assert(tf.greater(value, 0), [value]);
      return value.mul(2);
    });
    const doubled = checked(x) as tf.Tensor;
    const after = tf.controlDependencies([doubled], () => tf.constant(1));
    const outside = tf.constant(5).add(x);
    const waiting = tf.function(() => tf.controlDependencies([outside], () => tf.constant(3)))() as tf.Tensor;
    await using session = new tf.Session();
    expect((await session.run([after, waiting], [[x, 3]])).map(value => value.item())).toEqual([1, 3]);
    expect(waiting.op.controlInputs).toEqual([outside.op]);
    await expect(session.run(after, [[x, -3]])).rejects.toThrow("assertion failed: [-3]");
  });

  it("are the functions themselves where they are to run eagerly", () => {
    new tf.Graph().asDefault(() => {
      tf.config.runFunctionsEagerly(true);
      try {
        expect(tf.config.functionsRunEagerly()).toBe(true);
        expect((tf.function((x: tf.Tensor) => x.add(1))(values()) as tf.Tensor).op.type).toBe("AddV2");
      } finally {
        tf.config.runFunctionsEagerly(false);
      }
    });
  });
});

describe("small things", () => {
  it("are devices in parts", () => {
    const device = new tf.DeviceSpec({ job: "ps", deviceType: "cpu", deviceIndex: 0 });
    expect(String(device)).toBe("/job:ps/device:CPU:0");
    const other = tf.DeviceSpec.fromString("/job:worker/task:3/gpu:1");
    expect([other.task, String(other), String(new tf.DeviceSpec({ replica: 1, deviceType: "GPU" }))]).toEqual([
      3,
      "/job:worker/task:3/device:GPU:1",
      "/replica:1/device:GPU:*",
    ]);
    other.mergeFrom(device);
    expect([String(other), String(device.makeMergedSpec(new tf.DeviceSpec({ task: 1 }))), String(device.replace({ task: 2 }))]).toEqual([
      "/job:ps/task:3/device:CPU:0",
      "/job:ps/task:1/device:CPU:0",
      "/job:ps/task:2/device:CPU:0",
    ]);
    expect(() => tf.DeviceSpec.fromString("/foo:1")).toThrow(
      "Unknown attribute 'foo' is encountered while parsing the device spec: '/foo:1'.",
    );
    new tf.Graph().asDefault(() => expect(tf.device(device, () => tf.constant(1)).op.device).toBe("/job:ps/device:CPU:0"));
  });

  it("are messages that copy, merge and tell what they have", () => {
    const feature = new tf.train.Feature({ int64List: { value: [3] } });
    expect([feature.HasField("int64_list"), feature.HasField("bytes_list"), feature.WhichOneof("kind"), feature.ByteSize()]).toEqual([
      true,
      false,
      "int64_list",
      feature.SerializeToString().length,
    ]);
    const copy = new tf.train.Feature();
    copy.CopyFrom(feature);
    copy.MergeFrom(new tf.train.Feature({ int64List: { value: [4] } }));
    expect(copy.int64List?.value).toEqual([3n, 4n]);
    copy.ClearField("int64_list");
    expect([copy.WhichOneof("kind"), copy.ByteSize()]).toEqual([null, 0]);
    expect(() => copy.HasField("foo")).toThrow('Protocol message Feature has no "foo" field.');
    const summary = compat.Summary.FromString(new tf.Summary({ value: [{ tag: "loss", simpleValue: 2 }] }).SerializeToString());
    const [value] = summary.value;
    const has = Reflect.get(value, "HasField") as (field: string) => boolean;
    expect([has.call(value, "simple_value"), has.call(value, "image")]).toEqual([true, false]);
  });

  it("are clusters, and a loop until the supervisor is asked to stop", async () => {
    const cluster = new tf.train.ClusterDef({ job: [{ name: "ps", tasks: new Map([[0, "a:1"]]) }] });
    expect(tf.train.ClusterDef.FromString(cluster.SerializeToString()).job[0].tasks.get(0)).toBe("a:1");
    const graph = new tf.Graph();
    const count = graph.asDefault(() => tf.assignAdd(new tf.Variable(0), 1));
    const supervisor = new tf.train.Supervisor({ graph, saver: null });
    let last = 0;
    const step = async (session: tf.Session, most: number): Promise<void> => {
      last = Number((await session.run(count)).item());
      if (last === most) supervisor.requestStop();
    };
    await tf.train.basicTrainLoop(supervisor, step, { args: [3] });
    expect(last).toBe(3);
  });

  it("are sparse tensors evaluated", async () => {
    const graph = new tf.Graph();
    const sparse = graph.asDefault(row);
    const value = await sparse.eval({ session: new tf.Session({ graph }) });
    expect([value.indices.toArray(), value.values.toArray(), value.denseShape.toArray()]).toEqual([[[0n, 1n]], [1], [2n, 3n]]);
    expect(sparse.consumers()).toEqual([]);
  });

  it("are settings told back", () => {
    tf.config.optimizer.setExperimentalOptions({ constantFolding: true, nonsense: true });
    expect(tf.config.optimizer.getExperimentalOptions()).toEqual({
      constant_folding: true,
      disable_model_pruning: false,
      disable_meta_optimizer: false,
    });
  });
});
