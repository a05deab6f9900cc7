// A TensorFlow 1 program pasted into TypeScript: its own names, argument orders and keywords, through `tensorloom/compat`.
// The same program in tensorloom's own spelling runs beside it and must make the same graph and the same numbers.
import * as camel from "tensorloom";
import * as tf from "tensorloom/compat";
import { describe, expect, it } from "vitest";

const images = new camel.NDArray(
  "float32",
  [6, 8, 8, 1],
  Float32Array.from({ length: 384 }, (_, i) => ((i * 37) % 101) / 101),
);
const digits = new camel.NDArray("int64", [6], BigInt64Array.from([0n, 1n, 2n, 0n, 1n, 2n]));

async function pasted(): Promise<{ names: string[]; losses: number[] }> {
  const graph = new tf.Graph();
  using _ = graph.as_default();
  tf.set_random_seed(7);
  const x = tf.placeholder(tf.float32, [null, 8, 8, 1], "x");
  const labels = tf.placeholder(tf.int64, [null], { name: "labels" });
  const w = tf.Variable(tf.truncated_normal([3, 3, 1, 4], { stddev: 0.1 }), { name: "w" });
  const b = tf.get_variable("b", [4], { initializer: tf.constant_initializer(0.1) });
  const h = tf.nn.relu(tf.nn.conv2d(x, w, { strides: [1, 1, 1, 1], padding: "SAME", data_format: "NHWC" }).add(b));
  const p = tf.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME", { data_format: "NHWC" });
  const flat = tf.reshape(p, [-1, 64]);
  using scope = tf.variable_scope("out", null, null, tf.zeros_initializer());
  const logits = tf.matmul(flat, tf.get_variable("kernel", [64, 3]));
  scope[Symbol.dispose]();
  const loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits({ labels, logits }));
  const step = tf.train.get_or_create_global_step();
  const train = new tf.train.AdamOptimizer(0.05).minimize(loss, step, tf.trainable_variables());
  const session = new tf.Session({ graph });
  await session.run(tf.global_variables_initializer());
  const losses: number[] = [];
  for (let i = 0; i < 5; i++)
    losses.push((await session.run([loss, train], { feed_dict: { "x:0": images, "labels:0": digits } }))[0].item());
  await session.close();
  return { names: graph.get_operations().map(op => op.name), losses };
}

async function own(): Promise<{ names: string[]; losses: number[] }> {
  const graph = new camel.Graph();
  using _ = graph.asDefault();
  camel.setRandomSeed(7);
  const x = camel.placeholder(camel.float32, [null, 8, 8, 1], { name: "x" });
  const labels = camel.placeholder(camel.int64, [null], { name: "labels" });
  const w = new camel.Variable(camel.truncatedNormal([3, 3, 1, 4], { stddev: 0.1 }), { name: "w" });
  const b = camel.getVariable("b", [4], { initializer: camel.constantInitializer(0.1) });
  const h = camel.nn.relu(camel.nn.conv2d(x, w, [1, 1, 1, 1], "SAME").add(b));
  const p = camel.nn.maxPool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME");
  const flat = camel.reshape(p, [-1, 64]);
  const logits = camel.variableScope("out", { initializer: camel.zerosInitializer() }, () =>
    camel.matmul(flat, camel.getVariable("kernel", [64, 3])),
  );
  const loss = camel.reduceMean(camel.nn.sparseSoftmaxCrossEntropyWithLogits({ labels, logits }));
  const globalStep = camel.train.getOrCreateGlobalStep();
  const train = new camel.train.AdamOptimizer(0.05).minimize(loss, { globalStep, varList: camel.trainableVariables() });
  const session = new camel.Session({ graph });
  await session.run(camel.globalVariablesInitializer());
  const losses: number[] = [];
  for (let i = 0; i < 5; i++) {
    const [value] = await session.run(
      [loss, train],
      [
        [x, images],
        [labels, digits],
      ],
    );
    losses.push(value.item());
  }
  await session.close();
  return { names: graph.getOperations().map(op => op.name), losses };
}

describe("a pasted program", () => {
  it("makes the graph and the numbers of its own-spelling twin, and learns", async () => {
    const [theirs, ours] = [await pasted(), await own()];
    expect(theirs.names).toEqual(ours.names);
    expect(theirs.losses).toEqual(ours.losses);
    expect(theirs.losses[0]).toBeCloseTo(Math.log(3), 5);
    expect(theirs.losses[4]).toBeLessThan(theirs.losses[0]);
  });

  it("keeps objects the same through both doors", () => {
    const graph = new tf.Graph();
    using _ = graph.as_default();
    const x = tf.placeholder(tf.float32, [null, 3], { name: "x" });
    expect(x).toBeInstanceOf(camel.Tensor);
    expect(x.get_shape().as_list()).toEqual([null, 3]);
    x.set_shape([2, 3]);
    expect(tf.shape(x).op.inputs).toHaveLength(0);
    expect(graph.get_tensor_by_name("x:0")).toBe(x);
    expect(graph.as_graph_def().node[0].name).toBe("x");
    const v = tf.Variable([1, 2], false, { name: "v" });
    expect([v.initial_value.name, v.assign_add([1, 1]).op.type, String(v)]).toEqual([
      "v/initial_value:0",
      "AssignAdd",
      "<tf.Variable 'v:0' shape=(2,) dtype=float32_ref>",
    ]);
    expect([tf.trainable_variables(), tf.global_variables()]).toEqual([[], [v]]);
    expect(tf.GraphKeys.GLOBAL_VARIABLES).toBe("variables");
  });

  it("complains in Python's words", () => {
    const graph = new tf.Graph();
    using _ = graph.as_default();
    const x = tf.placeholder(tf.float32, [1, 4, 4, 1]);
    const call = (...args: unknown[]) => (() => tf.nn.max_pool(...args)) as () => unknown;
    expect(call(x, 2, 2)).toThrow("max_pool() missing 1 required positional argument: 'padding'");
    expect(call(x, 2, 2, "SAME", { padding: "VALID" })).toThrow("max_pool() got multiple values for argument 'padding'");
    expect(call(x, 2, 2, "SAME", { name: "p", dataformat: "NHWC" })).toThrow("max_pool() got an unexpected keyword argument 'dataformat'");
    expect(() => tf.matmul(tf.ones([2, 3]), tf.ones([4, 3]))).toThrow(tf.errors.ValueError);
  });
});
