// The workloads on Tensorloom's public API, as users would write them. What each does exactly: bench/README.md.
// A workload builds in a graph of its own and returns one step; values come from a fixed seed and do not matter for the time.

import * as tf from "tensorloom";

export interface Workload {
  readonly name: string;
  /** Multiply-adds of matrix products and convolutions, twice. */
  readonly flops?: number;
  /** Bytes that must at least be read and written, where the traffic is what counts. With neither, the time of a call is. */
  readonly bytes?: number;
  /** One complete step; `builtAt` is when the graph was built, as performance.now() tells. */
  start(
    config: tf.SessionConfig,
  ): Promise<{ step(): Promise<unknown>; session: tf.Session; fetches: tf.Fetches; feeds: tf.Feeds; builtAt: number }>;
}

let state = 1;
/** Uniform in (-√3, √3): mean 0, variance 1. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state / 2 ** 32 - 0.5) * 2 * Math.sqrt(3);
}

/** Numbers to copy from: making millions anew would be most of a first run. */
const noise = Float32Array.from({ length: 1 << 20 }, random);

let inventing = 0;

/** Milliseconds that went into making up numbers so far: no part of a first run, which begins with the numbers a program has. */
export const inventingMs = (): number => inventing;

function normal(shape: readonly number[], scale = 1): tf.NDArray {
  const began = performance.now();
  const data = new Float32Array(shape.reduce((product, d) => product * d, 1));
  for (let at = 0; at < data.length; at += noise.length) data.set(noise.subarray(0, data.length - at), at);
  if (scale !== 1) for (let i = 0; i < data.length; i++) data[i] *= scale;
  inventing += performance.now() - began;
  return new tf.NDArray("float32", shape, data);
}

const integers = (shape: readonly number[], below: number): tf.NDArray => {
  const size = shape.reduce((product, d) => product * d, 1);
  return new tf.NDArray(
    "int32",
    shape,
    Int32Array.from({ length: size }, () => Math.floor((random() / (2 * Math.sqrt(3)) + 0.5) * below)),
  );
};

const variable = (shape: readonly number[], scale: number): tf.Variable => new tf.Variable(normal(shape, scale));

interface Built {
  readonly fetches: tf.Fetches;
  readonly feeds: tf.Feeds;
}

interface Cost {
  readonly flops?: number | undefined;
  readonly bytes?: number;
  /** By `session.makeCallable`, with feeds that are pairs. */
  readonly isCallable?: boolean;
}

function workload(name: string, { flops, bytes, isCallable = false }: Cost, build: () => Built): Workload {
  return {
    name,
    ...(flops !== undefined && { flops }),
    ...(bytes !== undefined && { bytes }),
    start: async config => {
      state = 1;
      const graph = new tf.Graph();
      const { built, initialize } = graph.asDefault(() => ({ built: build(), initialize: tf.globalVariablesInitializer() }));
      const builtAt = performance.now();
      const session = new tf.Session({ graph, config });
      await session.run(initialize);
      if (!isCallable) return { session, ...built, builtAt, step: () => session.run(built.fetches, built.feeds) };
      const pairs = built.feeds as readonly (readonly [tf.Tensor, tf.NDArray])[];
      const call = session.makeCallable(built.fetches, { feedList: pairs.map(([tensor]) => tensor) });
      const values = pairs.map(([, value]) => value);
      return { session, ...built, builtAt, step: () => call(...values) };
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
  workload(`W1_${optimizer}_B${batch}`, { flops: 82_049_024 * batch }, () => {
    const x = tf.placeholder(tf.float32, [batch, 28, 28, 1]);
    const y = tf.placeholder(tf.int32, [batch]);
    const loss = crossEntropy(cnn(x), y);
    const chosen = optimizer === "adam" ? new tf.train.AdamOptimizer(1e-4) : new tf.train.GradientDescentOptimizer(0.01);
    const train = chosen.minimize(loss);
    return {
      fetches: [train, loss],
      feeds: [
        [x, normal([batch, 28, 28, 1])],
        [y, integers([batch], 10)],
      ],
    };
  });

const inferCnn = (batch: number): Workload =>
  workload(`W1i_B${batch}`, { flops: 27_767_808 * batch }, () => {
    const x = tf.placeholder(tf.float32, [batch, 28, 28, 1]);
    return { fetches: cnn(x), feeds: [[x, normal([batch, 28, 28, 1])]] };
  });

/** A multi-layer perceptron with relu between, trained by SGD on cross-entropy or the mean of squares. */
function perceptron(name: string, batch: number, sizes: readonly number[], isClassifier: boolean, cost: Cost = {}): Workload {
  return workload(name, cost, () => {
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
        [y, isClassifier ? integers([batch], outputs) : normal([batch, outputs])],
      ],
    };
  });
}

/** Computes resident values without copying them out: they are left in variables that nobody fetches, written where they lie. */
function resident(name: string, count: { flops?: number; bytes?: number }, build: () => tf.Tensor | readonly tf.Tensor[]): Workload {
  return workload(name, count, () => {
    const built = build();
    const results = Array.isArray(built) ? built : [built];
    return { fetches: tf.group(...results.map(value => tf.assign(variable(value.shape.asList() as number[], 0), value))), feeds: [] };
  });
}

const product = (n: number): Workload =>
  resident(`W4_gemm_${n}`, { flops: 2 * n ** 3 }, () => tf.matmul(variable([n, n], 1), variable([n, n], 1)));

/** Forward, with respect to the input, with respect to the filter. */
const directions = ["fwd", "dx", "dw"] as const;

function convolution(
  kind: string,
  flops: number,
  input: readonly number[],
  filter: readonly number[],
  isDepthwise: boolean,
): readonly Workload[] {
  const output = [...input.slice(0, 3), isDepthwise ? filter[2] : filter[3]];
  const same = [1, 1, 1, 1];
  const ops = isDepthwise
    ? { fwd: tf.nn.depthwiseConv2dNative, dx: tf.nn.depthwiseConv2dBackpropInput, dw: tf.nn.depthwiseConv2dBackpropFilter }
    : {
        fwd: (x: tf.Variable, f: tf.Variable) => tf.nn.conv2d(x, f, same, "SAME"),
        dx: tf.nn.conv2dBackpropInput,
        dw: tf.nn.conv2dBackpropFilter,
      };
  return directions.map(direction =>
    resident(`W4_${kind}_${direction}`, { flops }, () => {
      const [x, f, dy] = [variable(input, 1), variable(filter, 0.1), variable(output, 1)];
      if (direction === "fwd") return ops.fwd(x, f, same, "SAME");
      return direction === "dx" ? ops.dx(input, f, dy, same, "SAME") : ops.dw(x, filter, dy, same, "SAME");
    }),
  );
}

const chain = resident("W5_chain", { bytes: 50_348_032 }, () => {
  const [x, a, b] = Array.from({ length: 3 }, () => variable([4096, 1024], 1));
  return tf.reduceSum(tf.multiply(tf.tanh(tf.add(tf.multiply(a, x), b)), tf.sigmoid(x)), -1);
});

const softmax = resident("W5_softmax", { bytes: 32_768_000 }, () => tf.nn.softmax(variable([4096, 1000], 1)));

const layerNorm = resident("W5_ln_fb", { bytes: 50_331_648 }, () => {
  const [x, w] = [variable([4096, 1024], 1), variable([4096, 1024], 1)].map(value => value.value());
  const [g, b] = [variable([1024], 1), variable([1024], 1)].map(value => value.value());
  const centred = x.sub(tf.reduceMean(x, -1, { keepdims: true }));
  const variance = tf.reduceMean(tf.square(centred), -1, { keepdims: true });
  const y = centred
    .mul(tf.rsqrt(variance.add(1e-5)))
    .mul(g)
    .add(b);
  const loss = tf.reduceSum(y.mul(w));
  return [loss, ...(tf.gradients(loss, [x, g, b]) as tf.Tensor[])];
});

/** 64 steps of 128 units, unrolled as `tf.nn.static_rnn` would. */
const lstm = workload("W6_lstm", { flops: 1_610_612_736 }, () => {
  const x = tf.placeholder(tf.float32, [32, 64, 128]);
  const [kernel, bias] = [variable([256, 512], 0.05), variable([512], 0.1)];
  let c = tf.zeros([32, 128]);
  let h = c;
  for (const step of tf.unstack(x, { axis: 1 })) {
    const [i, j, f, o] = tf.split(tf.matmul(tf.concat([step, h], 1), kernel).add(bias), 4, { axis: 1 });
    c = tf
      .sigmoid(f.add(1))
      .mul(c)
      .add(tf.sigmoid(i).mul(tf.tanh(j)));
    h = tf.sigmoid(o).mul(tf.tanh(c));
  }
  const loss = tf.reduceMean(tf.square(h));
  return { fetches: [new tf.train.GradientDescentOptimizer(0.01).minimize(loss), loss], feeds: [[x, normal([32, 64, 128])]] };
});

/** Skip-gram with five negative samples; only rows that are looked up change. */
const embedding = workload("W7_emb", {}, () => {
  const [centers, positive] = [tf.placeholder(tf.int32, [128]), tf.placeholder(tf.int32, [128])];
  const negative = tf.placeholder(tf.int32, [128, 5]);
  const [inner, outer] = [variable([50_000, 128], 0.1), variable([50_000, 128], 0.1)];
  const u = tf.nn.embeddingLookup(inner, centers);
  const near = tf.reduceSum(u.mul(tf.nn.embeddingLookup(outer, positive)), -1);
  const far = tf.reduceSum(tf.expandDims(u, 1).mul(tf.nn.embeddingLookup(outer, negative)), -1);
  const loss = tf.reduceMean(tf.nn.softplus(tf.negative(near)).add(tf.reduceSum(tf.nn.softplus(far), -1)));
  return {
    fetches: [new tf.train.GradientDescentOptimizer(0.01).minimize(loss), loss],
    feeds: [
      [centers, integers([128], 50_000)],
      [positive, integers([128], 50_000)],
      [negative, integers([128, 5], 50_000)],
    ],
  };
});

/** Blocks of MobileNetV2: expansion, channels, repeats, first stride. */
const bottlenecks = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

const mobileNet = workload("W8_mnv2_B1", { flops: 601_617_920 }, () => {
  const x = tf.placeholder(tf.float32, [1, 224, 224, 3]);
  const he = (...shape: number[]): tf.Variable => variable(shape, Math.sqrt(2 / shape.slice(0, -1).reduce((size, d) => size * d, 1)));
  const pointwise = (value: tf.Tensor, from: number, to: number, size = 1, stride = 1): tf.Tensor =>
    tf.nn.conv2d(value, he(size, size, from, to), [1, stride, stride, 1], "SAME").add(variable([to], 0.1));
  let h = tf.nn.relu6(pointwise(x, 3, 32, 3, 2));
  let channels = 32;
  for (const [expansion, to, repeats, firstStride] of bottlenecks)
    for (let i = 0; i < repeats; i++) {
      const stride = i === 0 ? firstStride : 1;
      const wide = channels * expansion;
      const input = h;
      if (expansion !== 1) h = tf.nn.relu6(pointwise(h, channels, wide));
      h = tf.nn.relu6(tf.nn.depthwiseConv2d(h, he(3, 3, wide, 1), [1, stride, stride, 1], "SAME").add(variable([wide], 0.1)));
      h = pointwise(h, wide, to);
      if (stride === 1 && channels === to) h = h.add(input);
      channels = to;
    }
  const pooled = tf.reduceMean(tf.nn.relu6(pointwise(h, 320, 1280)), [1, 2]);
  return {
    fetches: tf.matmul(pooled, he(1280, 1000)).add(variable([1000], 0.1)),
    feeds: [[x, normal([1, 224, 224, 3])]],
  };
});

export const workloads: readonly Workload[] = [
  trainCnn(100, "adam"),
  trainCnn(100, "sgd"),
  trainCnn(32, "adam"),
  inferCnn(1),
  inferCnn(100),
  perceptron("W2_B128", 128, [784, 512, 512, 10], true, { flops: 128 * (6 * (784 * 512 + 512 * 512 + 5120) - 2 * 784 * 512) }),
  perceptron("W3_lin_B1", 1, [1, 1], false),
  perceptron("W3_lin_B1_call", 1, [1, 1], false, { isCallable: true }),
  perceptron("W3_lin_B32", 32, [1, 1], false),
  perceptron("W3_mlp_B1", 1, [4, 16, 2], false),
  perceptron("W3_mlp_B32", 32, [4, 16, 2], false),
  ...[512, 1024, 2048].map(product),
  ...convolution("conv3", 1_849_688_064, [8, 56, 56, 64], [3, 3, 64, 64], false),
  ...convolution("conv1", 822_083_584, [8, 56, 56, 256], [1, 1, 256, 64], false),
  ...convolution("dw3", 65_028_096, [8, 56, 56, 144], [3, 3, 144, 1], true),
  chain,
  softmax,
  layerNorm,
  lstm,
  embedding,
  mobileNet,
];
