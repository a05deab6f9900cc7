// The workloads on Tensorloom's public API, as users would write them. What each does exactly: bench/README.md.
// A workload builds in a graph of its own and returns one step; values come from a fixed seed and do not matter for the time.

import * as tf from "tensorloom";

export interface Workload {
  readonly name: string;
  /** Multiply-adds of matrix products and convolutions, twice; undefined where the time of a call is what counts. */
  readonly flops?: number;
  /** One complete step. */
  start(config: tf.SessionConfig): Promise<{ step(): Promise<unknown>; session: tf.Session; fetches: tf.Fetches; feeds: tf.Feeds }>;
}

let state = 1;
/** Uniform in (-√3, √3): mean 0, variance 1. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state / 2 ** 32 - 0.5) * 2 * Math.sqrt(3);
}

function normal(shape: readonly number[], scale = 1): tf.NDArray {
  const size = shape.reduce((product, d) => product * d, 1);
  return new tf.NDArray(
    "float32",
    shape,
    Float32Array.from({ length: size }, () => random() * scale),
  );
}

const integers = (size: number, below: number): tf.NDArray =>
  new tf.NDArray(
    "int32",
    [size],
    Int32Array.from({ length: size }, (_, i) => (i * 7919) % below),
  );

const variable = (shape: readonly number[], scale: number): tf.Variable => new tf.Variable(normal(shape, scale));

interface Built {
  readonly fetches: tf.Fetches;
  readonly feeds: tf.Feeds;
}

function workload(name: string, flops: number | undefined, build: () => Built): Workload {
  return {
    name,
    flops,
    start: async config => {
      state = 1;
      const graph = new tf.Graph();
      const { built, initialize } = graph.asDefault(() => ({ built: build(), initialize: tf.globalVariablesInitializer() }));
      const session = new tf.Session({ graph, config });
      await session.run(initialize);
      return { session, ...built, step: () => session.run(built.fetches, built.feeds) };
    },
  };
}

function cnn(x: tf.Tensor): tf.Tensor {
  const same = [1, 1, 1, 1];
  const pool = (value: tf.Tensor): tf.Tensor => tf.nn.maxPool(value, [1, 2, 2, 1], [1, 2, 2, 1], "SAME");
  const h1 = pool(tf.nn.relu(tf.nn.conv2d(x, variable([5, 5, 1, 32], 0.1), same, "SAME").add(variable([32], 0.1))));
  const h2 = pool(tf.nn.relu(tf.nn.conv2d(h1, variable([5, 5, 32, 64], 0.03), same, "SAME").add(variable([64], 0.1))));
  const flat = tf.reshape(h2, [-1, 3136]);
  const dense = tf.nn.relu(tf.matmul(flat, variable([3136, 1024], 0.02)).add(variable([1024], 0.1)));
  return tf.matmul(dense, variable([1024, 10], 0.03)).add(variable([10], 0.1));
}

const crossEntropy = (logits: tf.Tensor, labels: tf.Tensor): tf.Tensor =>
  tf.reduceMean(tf.nn.sparseSoftmaxCrossEntropyWithLogits({ logits, labels }));

const trainCnn = (batch: number, optimizer: "adam" | "sgd"): Workload =>
  workload(`W1_${optimizer}_B${batch}`, 82_049_024 * batch, () => {
    const x = tf.placeholder(tf.float32, [batch, 28, 28, 1]);
    const y = tf.placeholder(tf.int32, [batch]);
    const loss = crossEntropy(cnn(x), y);
    const chosen = optimizer === "adam" ? new tf.train.AdamOptimizer(1e-4) : new tf.train.GradientDescentOptimizer(0.01);
    const train = chosen.minimize(loss);
    return {
      fetches: [train, loss],
      feeds: [
        [x, normal([batch, 28, 28, 1])],
        [y, integers(batch, 10)],
      ],
    };
  });

const inferCnn = (batch: number): Workload =>
  workload(`W1i_B${batch}`, 27_767_808 * batch, () => {
    const x = tf.placeholder(tf.float32, [batch, 28, 28, 1]);
    return { fetches: cnn(x), feeds: [[x, normal([batch, 28, 28, 1])]] };
  });

/** A multi-layer perceptron with relu between, trained by SGD on cross-entropy or the mean of squares. */
function perceptron(name: string, batch: number, sizes: readonly number[], isClassifier: boolean, flops?: number): Workload {
  return workload(name, flops, () => {
    const x = tf.placeholder(tf.float32, [batch, sizes[0]]);
    const outputs = sizes[sizes.length - 1];
    const y = isClassifier ? tf.placeholder(tf.int32, [batch]) : tf.placeholder(tf.float32, [batch, outputs]);
    let h: tf.Tensor = x;
    sizes.slice(1).forEach((size, i) => {
      h = tf.matmul(h, variable([sizes[i], size], 0.05)).add(variable([size], 0.1));
      if (i < sizes.length - 2) h = tf.nn.relu(h);
    });
    const loss = isClassifier ? crossEntropy(h, y) : tf.reduceMean(tf.square(h.sub(y)));
    const train = new tf.train.GradientDescentOptimizer(0.01).minimize(loss);
    return {
      fetches: [train, loss],
      feeds: [
        [x, normal([batch, sizes[0]])],
        [y, isClassifier ? integers(batch, outputs) : normal([batch, outputs])],
      ],
    };
  });
}

export const workloads: readonly Workload[] = [
  trainCnn(100, "adam"),
  trainCnn(100, "sgd"),
  trainCnn(32, "adam"),
  inferCnn(1),
  inferCnn(100),
  perceptron("W2_B128", 128, [784, 512, 512, 10], true, 128 * (6 * (784 * 512 + 512 * 512 + 5120) - 2 * 784 * 512)),
  perceptron("W3_lin_B1", 1, [1, 1], false),
  perceptron("W3_lin_B32", 32, [1, 1], false),
  perceptron("W3_mlp_B1", 1, [4, 16, 2], false),
  perceptron("W3_mlp_B32", 32, [4, 16, 2], false),
];
