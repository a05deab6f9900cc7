// The calls behind the cases of golden-op-names.json, in tensorloom's own API. The record names each case in a few words; what it was called with
// beyond that is read off the recorded operations. `p` makes a fixture, a placeholder named p.

import type { Tensor } from "../../src/graph/operation.ts";

/** The API as the programs use it. any: programs for functions that do not exist yet must compile too, and fail when run. */
export type Api = any;

type Program = (tf: Api, p: (shape?: readonly (number | null)[] | null, dtype?: string) => Tensor & Api) => unknown;

const unary =
  (name: string, space?: string): Program =>
  (tf, p) =>
    (space === undefined ? tf : tf[space])[name](p([2, 3]));
const withTwo =
  (name: string): Program =>
  (tf, p) =>
    tf[name](p([2, 3]), 2);
const reduction =
  (name: string, dtype = "float32"): Program =>
  (tf, p) =>
    tf[name](p([2, 3], dtype));
const operator =
  (name: string, y: number, dtype = "float32"): Program =>
  (_, p) =>
    p([2, 3], dtype)[name](y);
/** `1 - x`: Python's reversed operators have no method. */
const reversed =
  (name: string, x: number): Program =>
  (tf, p) =>
    tf.operators[name](x, p([2, 3]));
const bools =
  (name: string): Program =>
  (_, p) =>
    p([2], "bool")[name](p([2], "bool"));
const image = [1, 8, 8, 3] as const;
const filter = [3, 3, 3, 4] as const;

export const programs: Readonly<Record<string, Program>> = {
  "x+y": (_, p) => p([2, 3]).add(p([2, 3])),
  "x+1": operator("add", 1),
  "1+x": reversed("add", 1),
  "x-1": operator("sub", 1),
  "1-x": reversed("sub", 1),
  "x*2": operator("mul", 2),
  "2*x": reversed("mul", 2),
  "x/2": operator("truediv", 2),
  "2/x": reversed("truediv", 2),
  "x//2": operator("floordiv", 2),
  "x%2": operator("mod", 2),
  "x**2": operator("pow", 2),
  "2**x": reversed("pow", 2),
  "-x": (_, p) => p([2, 3]).neg(),
  abs: unary("abs"),
  "x@y": (_, p) => p([2, 3]).matmul(p([3, 2])),
  "x>0": operator("greater", 0),
  "x<=0": operator("lessEqual", 0),
  "x>=0": operator("greaterEqual", 0),
  "x<0": operator("less", 0),
  "~b": (tf, p) => tf.operators.invert(p([2], "bool")),
  "b&b": bools("and"),
  "b|b": (_, p) => p([2], "bool").or(true),
  "b^b": bools("xor"),
  "int/int": (_, p) => p([2], "int32").truediv(p([2], "int32")),
  "int//int": (_, p) => p([2], "int32").floordiv(p([2], "int32")),
  "int%int": (_, p) => p([2], "int32").mod(p([2], "int32")),
  "tf.div int": (tf, p) => tf.div(p([2], "int32"), 2),
  "tf.div f": (tf, p) => tf.div(p([2]), 2),
  "i32&i32": operator("and", 3, "int32"),
  "x[0]": (_, p) => p([2, 3]).at(0),
  "x[:,1:]": (_, p) => p([2, 3]).at([null, null], [1, null]),
  "x[...,None]": (tf, p) => p([2, 3]).at("...", tf.newaxis),
  "tf.add": withTwo("add"),
  "tf.subtract": withTwo("subtract"),
  "tf.multiply": withTwo("multiply"),
  "tf.divide": withTwo("divide"),
  "tf.realdiv": withTwo("realdiv"),
  "tf.truediv": withTwo("truediv"),
  "tf.floordiv": withTwo("floordiv"),
  "tf.floor_div": withTwo("floorDiv"),
  "tf.mod": withTwo("mod"),
  "tf.truncatemod": withTwo("truncatemod"),
  "tf.matmul": (tf, p) => tf.matmul(p([2, 3]), p([3, 2])),
  "matmul 3d": (tf, p) => tf.matmul(p([4, 2, 3]), p([4, 3, 2])),
  "matmul adj": (tf, p) => tf.matmul(p([4, 3, 2]), p([4, 3, 2]), { adjointA: true }),
  "matmul2 tb": (tf, p) => tf.matmul(p([2, 3]), p([2, 3]), { transposeB: true }),
  "tf.pow": withTwo("pow"),
  "tf.maximum": withTwo("maximum"),
  "tf.square": unary("square"),
  "tf.sqrt": unary("sqrt"),
  "tf.exp": unary("exp"),
  "tf.log": unary("log"),
  "tf.tanh": unary("tanh"),
  "tf.sigmoid": unary("sigmoid"),
  "tf.nn.relu": unary("relu", "nn"),
  relu6: unary("relu6", "nn"),
  leaky_relu: unary("leakyRelu", "nn"),
  elu: unary("elu", "nn"),
  softplus: unary("softplus", "nn"),
  softmax: unary("softmax", "nn"),
  "softmax axis0": (tf, p) => tf.nn.softmax(p([2, 3]), { axis: 0 }),
  log_softmax: unary("logSoftmax", "nn"),
  crelu: unary("crelu", "nn"),
  swish: unary("swish", "nn"),
  reduce_mean: reduction("reduceMean"),
  "reduce_mean ax": (tf, p) => tf.reduceMean(p([2, 3]), 1),
  "reduce_mean unk": (tf, p) => tf.reduceMean(p(null)),
  reduce_sum: reduction("reduceSum"),
  "reduce_sum ax": (tf, p) => tf.reduceSum(p([2, 3]), [0, 1]),
  reduce_max: reduction("reduceMax"),
  reduce_min: reduction("reduceMin"),
  reduce_prod: reduction("reduceProd"),
  reduce_any: reduction("reduceAny", "bool"),
  reduce_all: reduction("reduceAll", "bool"),
  reduce_logsumexp: reduction("reduceLogsumexp"),
  argmax: (tf, p) => tf.argmax(p([2, 3]), 1),
  "argmax def": unary("argmax"),
  moments: (tf, p) => tf.nn.moments(p([2, 3]), [0]),
  reshape: (tf, p) => tf.reshape(p([2, 3]), [3, 2]),
  transpose: unary("transpose"),
  "transpose perm": (tf, p) => tf.transpose(p([2, 3]), [1, 0]),
  "transpose unk": (tf, p) => tf.transpose(p(null)),
  expand_dims: (tf, p) => tf.expandDims(p([2, 3]), 0),
  squeeze: (tf, p) => tf.squeeze(p([1, 3])),
  concat: (tf, p) => tf.concat([p([2, 3]), p([2, 3])], 0),
  concat1: (tf, p) => tf.concat([p([2, 3])], 0),
  stack: (tf, p) => tf.stack([p([2, 3]), p([2, 3])]),
  unstack: unary("unstack"),
  split: (tf, p) => tf.split(p([2, 4]), 2, 1),
  splitV: (tf, p) => tf.split(p([2, 4]), [1, 3], 1),
  tile: (tf, p) => tf.tile(p([2, 3]), [1, 2]),
  pad: (tf, p) =>
    tf.pad(p([2, 3]), [
      [1, 1],
      [0, 0],
    ]),
  "pad const": (tf, p) =>
    tf.pad(
      p([2, 3]),
      [
        [1, 1],
        [0, 0],
      ],
      { constantValues: 1 },
    ),
  "pad refl": (tf, p) =>
    tf.pad(
      p([2, 3]),
      [
        [1, 1],
        [0, 0],
      ],
      "REFLECT",
    ),
  gather: (tf, p) => tf.gather(p([2, 3]), [0, 1]),
  gather_nd: (tf, p) => tf.gatherNd(p([2, 3]), [[0, 1]]),
  one_hot: (tf, p) => tf.oneHot(p([2], "int32"), 3),
  zeros: tf => tf.zeros([2, 3]),
  "zeros big": tf => tf.zeros([1000, 1000]),
  "zeros scal": tf => tf.zeros([]),
  "zeros dyn": (tf, p) => tf.zeros(p([2], "int32")),
  ones: tf => tf.ones([2, 3]),
  zeros_like: unary("zerosLike"),
  ones_like: unary("onesLike"),
  "zeros_like unk": (tf, p) => tf.zerosLike(p(null)),
  fill: tf => tf.fill([2, 3], 9),
  range: tf => tf.range(5),
  "range f": tf => tf.range(0.5, 2.5, 0.5),
  linspace: tf => tf.linspace(0, 1, 5),
  eye: tf => tf.eye(3),
  shape: unary("shape"),
  "shape unk": (tf, p) => tf.shape(p(null)),
  size: unary("size"),
  rank: unary("rank"),
  cast: (tf, p) => tf.cast(p([2, 3]), "int32"),
  "cast same": (tf, p) => tf.cast(p([2, 3]), "float32"),
  to_float: (tf, p) => tf.toFloat(p([2], "int32")),
  where3: (tf, p) => tf.where(p([2, 3], "bool"), p([2, 3]), p([2, 3])),
  where1: (tf, p) => tf.where(p([2, 3], "bool")),
  where_v2: (tf, p) => tf.whereV2(p([2, 3], "bool"), 1, 2),
  equal: withTwo("equal"),
  identity: unary("identity"),
  stop_gradient: unary("stopGradient"),
  add_n: (tf, p) => tf.addN([p([2, 3]), p([2, 3])]),
  add_n1: (tf, p) => tf.addN([p([2, 3])]),
  boolean_mask: (tf, p) => tf.booleanMask(p([2, 3]), [true, false]),
  sequence_mask: tf => tf.sequenceMask([1, 2], 3),
  reverse: (tf, p) => tf.reverse(p([2, 3]), [0]),
  slice: (tf, p) => tf.slice(p([2, 3]), [0, 0], [1, 2]),
  strided_slice: (tf, p) => tf.stridedSlice(p([2, 3]), [0, 0], [1, 2]),
  clip: (tf, p) => tf.clipByValue(p([2, 3]), 0, 1),
  clip_norm: (tf, p) => tf.clipByNorm(p([2, 3]), 1),
  clip_global: (tf, p) => tf.clipByGlobalNorm([p([2, 3]), p([2, 3])], 1),
  global_norm: (tf, p) => tf.globalNorm([p([2, 3])]),
  top_k: (tf, p) => tf.nn.topK(p([2, 3]), 2),
  in_top_k: (tf, p) => tf.nn.inTopK(p([2, 3]), [0, 1], 2),
  cumsum: unary("cumsum"),
  tensordot: (tf, p) => tf.tensordot(p([2, 3]), p([3, 2]), 1),
  einsum: (tf, p) => tf.einsum("ij,jk->ik", p([2, 3]), p([3, 2])),
  norm: unary("norm"),
  l2_loss: unary("l2Loss", "nn"),
  l2_normalize: (tf, p) => tf.nn.l2Normalize(p([2, 3]), 1),
  squared_difference: withTwo("squaredDifference"),
  embedding_lookup: (tf, p) => tf.nn.embeddingLookup(p([5, 3]), [0, 1]),
  dropout: (tf, p) => tf.nn.dropout(p([2, 3]), 0.5),
  "dropout rate": (tf, p) => tf.nn.dropout(p([2, 3]), { rate: 0.5 }),
  dropout1: (tf, p) => tf.nn.dropout(p([2, 3]), 1),
  "dropout ph": (tf, p) => tf.nn.dropout(p([2, 3]), tf.placeholder("float32", [], { name: "kp" })),
  bias_add: (tf, p) => tf.nn.biasAdd(p([2, 3]), [1, 2, 3]),
  xw_plus_b: (tf, p) => tf.nn.xwPlusB(p([2, 3]), p([3, 2]), [1, 2]),
  relu_layer: (tf, p) => tf.nn.reluLayer(p([2, 3]), p([3, 2]), [1, 2]),
  conv2d: (tf, p) => tf.nn.conv2d(p(image), p(filter), [1, 1, 1, 1], "SAME"),
  "conv2d kw": (tf, p) => tf.nn.conv2d(p(image), { filters: p(filter), strides: 1, padding: "VALID" }),
  max_pool: (tf, p) => tf.nn.maxPool(p(image), [1, 2, 2, 1], [1, 2, 2, 1], "SAME"),
  avg_pool: (tf, p) => tf.nn.avgPool(p(image), [1, 2, 2, 1], [1, 2, 2, 1], "SAME"),
  depthwise: (tf, p) => tf.nn.depthwiseConv2d(p(image), p([3, 3, 3, 2]), [1, 1, 1, 1], "SAME"),
  separable: (tf, p) => tf.nn.separableConv2d(p(image), p([3, 3, 3, 2]), p([1, 1, 6, 4]), [1, 1, 1, 1], "SAME"),
  atrous: (tf, p) => tf.nn.atrousConv2d(p(image), p(filter), 2, "SAME"),
  conv2d_transpose: (tf, p) => tf.nn.conv2dTranspose(p([1, 4, 4, 4]), p([3, 3, 3, 4]), [1, 8, 8, 3], [1, 2, 2, 1]),
  conv1d: (tf, p) => tf.nn.conv1d(p([1, 8, 3]), p([3, 3, 4]), 1, "SAME"),
  lrn: (tf, p) => tf.nn.lrn(p(image)),
  fused_bn: (tf, p) => {
    const x = p(image);
    const scale = tf.constant([1, 1, 1], { name: "scale" });
    return tf.nn.fusedBatchNorm(x, scale, tf.constant([0, 0, 0], { name: "offset" }))[0];
  },
  batch_norm: (tf, p) => tf.nn.batchNormalization(p([2, 3]), 0.5, 1, 0.1, 2, 0.001),
  softmax_ce_v2: (tf, p) => tf.nn.softmaxCrossEntropyWithLogitsV2({ labels: p([2, 3]), logits: p([2, 3]) }),
  softmax_ce: (tf, p) => tf.nn.softmaxCrossEntropyWithLogits({ labels: p([2, 3]), logits: p([2, 3]) }),
  "softmax_ce unk": (tf, p) => tf.nn.softmaxCrossEntropyWithLogitsV2({ labels: p([null, 3]), logits: p([null, 3]) }),
  sparse_ce: (tf, p) => tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: p([2], "int32"), logits: p([2, 3]) }),
  "sparse_ce unk": (tf, p) => tf.nn.sparseSoftmaxCrossEntropyWithLogits({ labels: p([null], "int32"), logits: p([null, 3]) }),
  sigmoid_ce: (tf, p) => tf.nn.sigmoidCrossEntropyWithLogits({ labels: p([2, 3]), logits: p([2, 3]) }),
  weighted_ce: (tf, p) => tf.nn.weightedCrossEntropyWithLogits({ labels: p([2, 3]), logits: p([2, 3]), posWeight: 2 }),
  random_uniform: tf => tf.randomUniform([2, 3]),
  "random_uniform -1,1": tf => tf.randomUniform([2, 3], -1, 1),
  "random_uniform 0,10": tf => tf.randomUniform([2, 3], 0, 10),
  "random_uniform int": tf => tf.randomUniform([2, 3], { minval: 0, maxval: 10, dtype: "int32" }),
  random_normal: tf => tf.randomNormal([2, 3]),
  truncated_normal: tf => tf.truncatedNormal([2, 3]),
  random_shuffle: unary("randomShuffle"),
  multinomial: (tf, p) => tf.multinomial(p([2, 3]), 5),
  random_gamma: tf => tf.randomGamma([2], 0.5),
  "losses.mse": (tf, p) => tf.losses.meanSquaredError(p([2, 3]), p([2, 3])),
  "losses.softmax": (tf, p) => tf.losses.softmaxCrossEntropy(p([2, 3]), p([2, 3])),
  "losses.sparse": (tf, p) => tf.losses.sparseSoftmaxCrossEntropy(p([2], "int32"), p([2, 3])),
  "metrics.acc": (tf, p) => tf.metrics.accuracy(p([2], "int32"), p([2], "int32")),
  "layers.dense": (tf, p) => tf.layers.dense(p([2, 3]), 4, tf.nn.relu),
  "layers.dense2": (tf, p) => [tf.layers.dense(p([2, 3]), 4), tf.layers.dense(p([2, 3]), 4), tf.layers.dense(p([2, 3]), 4, { name: "fc" })],
  "layers.dense3d": (tf, p) => tf.layers.dense(p([2, 5, 3]), 4),
  "layers.conv2d": (tf, p) => tf.layers.conv2d(p(image), 4, 3, { activation: tf.nn.relu }),
  "layers.maxpool": (tf, p) => tf.layers.maxPooling2d(p(image), 2, 2),
  "layers.flatten": (tf, p) => tf.layers.flatten(p(image)),
  "layers.dropout": (tf, p) => tf.layers.dropout(p([2, 3]), { training: true }),
  "layers.dropout inf": (tf, p) => tf.layers.dropout(p([2, 3])),
  "layers.bn": (tf, p) => tf.layers.batchNormalization(p(image), { training: true }),
  "layers.bn inf": (tf, p) => tf.layers.batchNormalization(p(image)),
  "layers.bn ph": (tf, p) => tf.layers.batchNormalization(p(image), { training: tf.placeholderWithDefault(false, [], { name: "tr" }) }),
  "layers.convT": (tf, p) => tf.layers.conv2dTranspose(p([1, 4, 4, 3]), 4, 3, 2),
  cond: (tf, p) =>
    tf.cond(
      p([], "bool"),
      () => tf.constant(1),
      () => tf.constant(2),
    ),
  while: tf =>
    tf.whileLoop(
      (i: Api) => i.less(10),
      (i: Api) => i.add(1),
      [tf.constant(0)],
    ),
  case: (tf, p) => tf.case([[p([], "bool"), () => tf.constant(1)]], { default: () => tf.constant(2) }),
  map_fn: (tf, p) => tf.mapFn((x: Api) => x.mul(2), p([2, 3])),
  print: (tf, p) => tf.Print(p([2, 3]), [p([2, 3])], "m"),
  assert: (tf, p) => tf.Assert(p([], "bool"), [p([2])]),
  py_func: (tf, p) => tf.pyFunc((x: Api) => x, [p([2, 3])], "float32"),
  check_numerics: (tf, p) => tf.checkNumerics(p([2, 3]), "m"),
  add_check: (tf, p) => {
    p([2, 3]).add(1);
    return tf.addCheckNumericsOps();
  },
  group: (tf, p) => tf.group(p([2]), p([2])),
  confusion: (tf, p) => tf.confusionMatrix(p([2], "int32"), p([2], "int32")),
  string_join: tf => tf.stringJoin(["a", "b"]),
  "summary.scalar": (tf, p) => tf.summary.scalar("a/b", p([])),
  "summary.hist": (tf, p) => tf.summary.histogram("h", p([2, 3])),
  merge_all: (tf, p) => {
    tf.summary.scalar("a", p([]));
    return tf.summary.mergeAll();
  },
  resize_bilinear: (tf, p) => tf.image.resizeBilinear(p(image), [4, 4]),
  resize_images: (tf, p) => tf.image.resizeImages(p(image), [4, 4]),
  saver: tf => {
    new tf.Variable(1, { name: "v" });
    return new tf.train.Saver();
  },
  lstm: (tf, p) => new tf.nn.rnnCell.BasicLSTMCell(4).call(p([2, 3]), [p([2, 4]), p([2, 4])])[0],
  gru: (tf, p) => new tf.nn.rnnCell.GRUCell(4).call(p([2, 3]), p([2, 4]))[0],
  basicrnn: (tf, p) => new tf.nn.rnnCell.BasicRNNCell(4).call(p([2, 3]), p([2, 4]))[0],
  dynamic_rnn: (tf, p) => tf.nn.dynamicRnn(new tf.nn.rnnCell.BasicRNNCell(4), p([2, 5, 3]), { dtype: "float32" }),
  static_rnn: (tf, p) => tf.nn.staticRnn(new tf.nn.rnnCell.BasicLSTMCell(4), [p([2, 3]), p([2, 3])], { dtype: "float32" }),
  multi: (tf, p) => {
    const { LSTMCell, GRUCell, MultiRNNCell } = tf.nn.rnnCell;
    return tf.nn.dynamicRnn(new MultiRNNCell([new LSTMCell(4), new GRUCell(4)]), p([2, 5, 3]), { dtype: "float32" });
  },
  bidir: (tf, p) => {
    const { BasicRNNCell } = tf.nn.rnnCell;
    return tf.nn.bidirectionalDynamicRnn(new BasicRNNCell(4), new BasicRNNCell(4), p([2, 5, 3]), { dtype: "float32" });
  },
  nce: (tf, p) =>
    tf.nn.nceLoss({ weights: p([10, 4]), biases: p([10]), labels: p([2, 1], "int64"), inputs: p([2, 4]), numSampled: 3, numClasses: 10 }),
  sampled_softmax: (tf, p) =>
    tf.nn.sampledSoftmaxLoss({
      weights: p([10, 4]),
      biases: p([10]),
      labels: p([2, 1], "int64"),
      inputs: p([2, 4]),
      numSampled: 3,
      numClasses: 10,
    }),
};
