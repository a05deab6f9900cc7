// Looking and pooling: recurrent attention that learns where to look (glimpses, REINFORCE with a baseline), SegNet with unpooling by argmax, an atrous
// pyramid, video and voxels in three dimensions, texts and signals in one, layers as objects: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, nodes, range, rnd, type Show, times } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  await recurrentAttention(show);
  tf.reset_default_graph();
  await segnet(show);
  tf.reset_default_graph();
  await dimensions(show);
}

async function recurrentAttention(show: Show): Promise<void> {
  tf.set_random_seed(54);
  const [B, H, NG, WIN] = [4, 8, 3, 4];
  class GlimpseNet {
    w_g0!: tf.Variable;
    b_g0!: tf.Variable;
    w_l0!: tf.Variable;
    b_l0!: tf.Variable;
    w_g1!: tf.Variable;
    b_g1!: tf.Variable;
    images_ph: tf.Tensor;
    constructor(images_ph: tf.Tensor) {
      this.images_ph = images_ph;
      this.init_weights();
    }
    init_weights() {
      this.w_g0 = tf.Variable(tf.truncated_normal([WIN * WIN * 2, 6], { stddev: 0.3, seed: 1 }));
      this.b_g0 = tf.Variable(tf.constant(0.1, { shape: [6] }));
      this.w_l0 = tf.Variable(tf.truncated_normal([2, 6], { stddev: 0.3, seed: 2 }));
      this.b_l0 = tf.Variable(tf.zeros([6]));
      this.w_g1 = tf.Variable(tf.truncated_normal([12, H], { stddev: 0.3, seed: 3 }));
      this.b_g1 = tf.Variable(tf.zeros([H]));
    }
    get_glimpse(loc: tf.Tensor) {
      const imgs = tf.reshape(this.images_ph, [tf.shape(this.images_ph)[0], 10, 10, 1]);
      // What lies beyond an edge is noise.
      const inside = times(0.2, loc);
      const near = tf.image.extract_glimpse(imgs, [WIN, WIN], inside, { uniform_noise: true });
      let far = tf.image.extract_glimpse(imgs, [2 * WIN, 2 * WIN], inside, { uniform_noise: false });
      far = tf.stop_gradient(tf.image.resize_area(far, [WIN, WIN]));
      return tf.reshape(tf.concat([near, far], 3), [tf.shape(loc)[0], WIN * WIN * 2]);
    }
    call(loc: tf.Tensor) {
      const g = tf.nn.relu(tf.nn.xw_plus_b(this.get_glimpse(loc), this.w_g0, this.b_g0));
      const l = tf.nn.relu_layer(loc, this.w_l0, this.b_l0);
      return tf.nn.relu(tf.nn.xw_plus_b(tf.concat([g, l], 1), this.w_g1, this.b_g1));
    }
  }
  const images_ph = tf.placeholder(tf.float32, [null, 100]),
    labels_ph = tf.placeholder(tf.int64, [null]),
    N = tf.shape(images_ph)[0];
  const loc_mean_arr: tf.Tensor[] = [],
    sampled_loc_arr: tf.Tensor[] = [];
  const gl = new GlimpseNet(images_ph);
  const w_loc = tf.Variable(tf.truncated_normal([H, 2], { stddev: 0.5, seed: 4 })),
    b_loc = tf.Variable(tf.zeros([2]));
  function get_next_input(output: tf.Tensor, i: number) {
    const mean = tf.clip_by_value(tf.nn.xw_plus_b(output, w_loc, b_loc), -1, 1);
    const noise = tf.random_normal([tf.shape(output)[0], 2], { stddev: 0.2, seed: 20 + i });
    const loc = tf.stop_gradient(tf.clip_by_value(mean.add(noise), -1, 1));
    loc_mean_arr.push(mean);
    sampled_loc_arr.push(loc);
    return gl.call(loc);
  }
  const cell = tf.nn.rnn_cell.LSTMCell(H, { state_is_tuple: true, initializer: tf.glorot_uniform_initializer({ seed: 6 }) });
  const init_state = cell.zero_state(N, tf.float32);
  const init_loc = tf.random_uniform([N, 2], { minval: -1, maxval: 1, seed: 9 });
  const inputs = [gl.call(init_loc)];
  const outputs: tf.Tensor[] = [];
  let prev: tf.Tensor | null = null;
  let state = init_state;
  for (const i of range(NG + 1)) {
    using _ = tf.variable_scope("rnn", { reuse: i > 0 });
    const inp: tf.Tensor = prev === null ? inputs[0] : get_next_input(prev, i);
    let output: tf.Tensor;
    [output, state] = cell(inp, state);
    outputs.push(output);
    prev = output;
  }
  get_next_input(outputs.at(-1)!, 99);
  loc_mean_arr.pop();
  sampled_loc_arr.pop();
  const base = [tf.Variable(tf.truncated_normal([H, 1], { seed: 7 })), tf.Variable(tf.zeros([1]))] as const;
  const baselines = tf.transpose(tf.stack(outputs.slice(1).map(o => tf.squeeze(tf.nn.xw_plus_b(o, ...base)))));
  const logits = tf.nn.xw_plus_b(outputs.at(-1)!, tf.Variable(tf.truncated_normal([H, 3], { seed: 8 })), tf.Variable(tf.zeros([3])));
  const xent = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits({ logits, labels: labels_ph }));
  const pred_labels = tf.argmax(logits, 1);
  const reward = tf.cast(tf.equal(pred_labels, labels_ph), tf.float32);
  const rewards = tf.tile(tf.expand_dims(reward, 1), [1, NG]);
  function loglikelihood(mean_arr: tf.Tensor[], sampled_arr: tf.Tensor[], sigma: number) {
    const gaussian = tf.distributions.Normal(tf.stack(mean_arr), sigma);
    return tf.transpose(tf.reduce_sum(gaussian.log_prob(tf.stack(sampled_arr)), 2));
  }
  const logll = loglikelihood(loc_mean_arr, sampled_loc_arr, 0.2),
    advs = rewards.sub(tf.stop_gradient(baselines));
  const reinforce = tf.reduce_mean(logll.mul(advs)),
    baselines_mse = tf.reduce_mean(tf.square(rewards.sub(baselines)));
  const loss = reinforce.neg().add(xent).add(baselines_mse);
  const var_list = tf.trainable_variables();
  let grads = tf.gradients(loss, var_list);
  [grads] = tf.clip_by_global_norm(grads, 5);
  const global_step = tf.get_variable("global_step", [], { initializer: tf.constant_initializer(0), trainable: false });
  const learning_rate = tf.maximum(tf.train.exponential_decay(0.05, global_step, 4, 0.97, { staircase: true }), 1e-4);
  const train_op = tf.train.AdamOptimizer(learning_rate).apply_gradients(
    grads.map((g, i) => [g, var_list[i]]),
    { global_step },
  );
  show("nodes", nodes());
  await using sess = tf.Session();
  await sess.run(tf.initialize_all_variables());
  for (const i of range(4)) {
    const f: tf.Feeds = [
      [images_ph, rnd(i, B, 100)],
      [labels_ph, ints(i, 3, B)],
    ];
    show("ram", (await sess.run([loss, xent, reinforce, baselines_mse, reward, learning_rate, train_op], f)).slice(0, -1));
  }
  // duplicated images, and the places that were looked at
  const f: tf.Feeds = [
    [images_ph, [...rnd(7, B, 100), ...rnd(7, B, 100)]],
    [labels_ph, [...ints(7, 3, B), ...ints(7, 3, B)]],
  ];
  show("places", await sess.run([sampled_loc_arr, loc_mean_arr], f));
}

/** SegNet: what the encoder's pools chose is where the decoder puts values back. */
async function segnet(show: Show): Promise<void> {
  tf.set_random_seed(55);
  const unpool = (pool: tf.Tensor, ind: tf.Tensor, { ksize = [1, 2, 2, 1], scope = "unpool" } = {}) =>
    tf.variable_scope(scope, () => {
      const input_shape = tf.shape(pool);
      const output_shape = [input_shape[0], input_shape[1].mul(ksize[1]), input_shape[2].mul(ksize[2]), input_shape[3]];
      const flat_input_size = tf.cumprod(input_shape)[-1];
      const flat_output_shape = tf.stack([output_shape[0], output_shape[1].mul(output_shape[2]).mul(output_shape[3])]);
      const pool_ = tf.reshape(pool, tf.stack([flat_input_size]));
      const batch_range = tf.reshape(tf.range(tf.cast(output_shape[0], tf.int64), { dtype: ind.dtype }), {
        shape: tf.stack([input_shape[0], 1, 1, 1]),
      });
      const b = tf.reshape(tf.ones_like(ind).mul(batch_range), tf.stack([flat_input_size, 1]));
      const ind_ = tf.concat([b, tf.reshape(ind, tf.stack([flat_input_size, 1]))], 1);
      const ret = tf.reshape(tf.scatter_nd(ind_, pool_, { shape: tf.cast(flat_output_shape, tf.int64) }), tf.stack(output_shape));
      const shape = pool.get_shape();
      ret.set_shape([shape[0], shape[1].value! * ksize[1], shape[2].value! * ksize[2], shape[3]]);
      return ret;
    });
  const conv_layer = (x: tf.Tensor, n: number, name: string, phase: tf.Tensor, { k = 3, rate = 1 } = {}) =>
    tf.variable_scope(name, () => {
      const w = tf.get_variable("w", [k, k, x.get_shape()[-1], n], {
        initializer: tf.initializers.he_normal({ seed: name.length }),
      });
      let y = rate > 1 ? tf.nn.atrous_conv2d(x, w, rate, "SAME") : tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME");
      y = tf.layers.batch_normalization(y, { training: phase, momentum: 0.7, fused: true });
      return n < 4 ? tf.nn.crelu(y) : tf.nn.leaky_relu(y, { alpha: 0.1 });
    });
  const x = tf.placeholder(tf.float32, [null, 8, 8, 3], { name: "image" }),
    y = tf.placeholder(tf.int32, [null, 8, 8], { name: "annotation" }),
    phase = tf.placeholder(tf.bool, { name: "phase" });
  const e1 = conv_layer(x, 3, "enc1", phase),
    [p1, a1] = tf.nn.max_pool_with_argmax(e1, [1, 2, 2, 1], [1, 2, 2, 1], "SAME", { name: "pool1" });
  const e2 = conv_layer(p1, 4, "enc2", phase),
    [p2, a2] = tf.nn.max_pool_with_argmax(e2, { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: "SAME", name: "pool2" });
  const aspp = tf.concat(
    [
      ...[1, 2, 3].map(r => conv_layer(p2, 4, `rate${r}`, phase, { rate: r })),
      tf.tile(tf.reduce_mean(p2, [1, 2], { keepdims: true }), [1, 2, 2, 1]),
    ],
    3,
  );
  let d2 = conv_layer(unpool(conv_layer(aspp, 4, "bottleneck", phase, { k: 1 }), a2, { scope: "unpool2" }), 4, "dec2", phase);
  d2 = tf.pad(d2, [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 2],
  ]);
  const d1 = conv_layer(unpool(d2, a1, { scope: "unpool1" }), 4, "dec1", phase);
  const structure = tf.get_variable("structure", [3, 3, 3], { initializer: tf.random_uniform_initializer(-0.1, 0.1, { seed: 5 }) });
  const edges = tf.nn
    .dilation2d(x, structure, [1, 1, 1, 1], [1, 1, 1, 1], "SAME")
    .sub(tf.nn.erosion2d(x, tf.zeros([2, 2, 3]), [1, 1, 1, 1], [1, 1, 1, 1], "SAME"));
  const logits = tf.layers.conv2d(tf.concat([d1, edges, tf.reshape(tf.image.sobel_edges(x), [-1, 8, 8, 6])], 3), 3, 1, {
    name: "logits",
    kernel_initializer: tf.initializers.glorot_uniform({ seed: 3 }),
  });
  const weights = tf.gather(tf.constant([0.2, 1.0, 1.5]), y);
  const cross = tf.losses.sparse_softmax_cross_entropy(y, logits, { weights });
  const soft = tf.nn.softmax(logits),
    hot = tf.one_hot(y, 3),
    inter = tf.reduce_sum(soft.mul(hot), [1, 2]);
  const iou = tf.reduce_mean(inter.div(tf.reduce_sum(soft.add(hot), [1, 2]).sub(inter))),
    total = cross.sub(tf.log(iou));
  const [miou, update_miou] = tf.metrics.mean_iou(y, tf.argmax(logits, 3), { num_classes: 3 });
  const [by_class, update_class] = tf.metrics.mean_per_class_accuracy(y, tf.argmax(logits, 3), { num_classes: 3 });
  const step = tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS), () =>
    tf.train.AdadeltaOptimizer(1.0, 0.9).minimize(total),
  );
  show("nodes", nodes());
  await using sess = tf.Session();
  await sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()]);
  let f!: Map<tf.Tensor, tf.FeedValue>;
  for (const n of [2, 3, 2]) {
    f = new Map<tf.Tensor, tf.FeedValue>([
      [x, rnd(n, n, 8, 8, 3)],
      [y, ints(n, 3, n, 8, 8)],
      [phase, true],
    ]);
    show("segnet", (await sess.run([total, cross, iou, step], f)).slice(0, 3));
  }
  f.set(phase, false);
  show("update", await sess.run([update_miou, update_class], f));
  show("metrics", await sess.run([miou, by_class]));
  show("classes", await sess.run(logits, f));
  show("argmax", await sess.run([a1, a2], f));
}

/** Three dimensions, and one. */
async function dimensions(show: Show): Promise<void> {
  tf.set_random_seed(56);
  const video = tf.placeholder(tf.float32, [null, 6, 8, 8, 2], { name: "video" }),
    truth = tf.placeholder(tf.float32, [null, 3], { name: "truth" }),
    keep = tf.placeholder_with_default(0.7, []);
  const wc = {
    c1: tf.get_variable("c1", [3, 3, 3, 2, 4], { initializer: tf.initializers.variance_scaling({ seed: 1 }) }),
    c2: tf.get_variable("c2", [3, 3, 3, 4, 5], { initializer: tf.initializers.lecun_normal({ seed: 2 }) }),
  };
  const bias = (k: "c1" | "c2") => tf.get_variable("b" + k, wc[k].shape.at([-1, null]), { initializer: tf.initializers.zeros() });
  const bc = { c1: bias("c1"), c2: bias("c2") };
  const conv3d = (name: string, l: tf.Tensor, w: tf.Variable, b: tf.Variable) =>
    tf.nn.bias_add(tf.nn.conv3d(l, w, { strides: [1, 1, 1, 1, 1], padding: "SAME" }), b, { name });
  const max_pool = (name: string, l: tf.Tensor, k: number) =>
    tf.nn.max_pool3d(l, { ksize: [1, k, 2, 2, 1], strides: [1, k, 2, 2, 1], padding: "SAME", name });
  let c3d = max_pool("pool1", tf.nn.relu(conv3d("conv1", video, wc["c1"], bc["c1"]), "relu1"), 1);
  c3d = tf.nn.avg_pool3d(tf.nn.selu(conv3d("conv2", c3d, wc["c2"], bc["c2"])), [1, 2, 2, 2, 1], [1, 2, 2, 2, 1], "VALID");
  let i3d = tf.layers.conv3d(video, 3, [1, 3, 3], [1, 2, 2], "same", {
    activation: tf.nn.relu,
    kernel_initializer: tf.initializers.glorot_normal({ seed: 3 }),
  });
  i3d = tf.layers.max_pooling3d(i3d, [2, 2, 2], 2);
  const up3d = tf.layers.conv3d_transpose(i3d, 2, 2, {
    strides: 2,
    padding: "same",
    kernel_initializer: tf.initializers.he_uniform({ seed: 4 }),
  });
  const rec = tf.losses.huber_loss(tf.layers.average_pooling3d(video, [1, 2, 2], [1, 2, 2]), up3d);
  const flat = tf.layers.flatten(tf.transpose(c3d, [0, 1, 4, 2, 3]));
  const joined = tf.concat([flat, tf.layers.Flatten()(i3d)], 1);
  const h3 = tf.nn.dropout(
    tf.layers.dense(joined, 6, tf.nn.softplus, { kernel_initializer: tf.initializers.orthogonal({ seed: 5 }) }),
    keep,
    { seed: 6 },
  );
  const text = tf.placeholder(tf.float32, [null, 12, 4], { name: "text" });
  const conv = tf.layers.Conv1D(5, 3, {
    padding: "valid",
    activation: tf.nn.tanh,
    kernel_initializer: tf.initializers.lecun_uniform({ seed: 7 }),
    name: "shared_conv",
  });
  const pool = tf.layers.MaxPooling1D({ pool_size: 2, strides: 2 });
  const branches = [pool(conv(text)), tf.layers.AveragePooling1D(2, 2)(conv(tf.reverse(text, [1])))];
  let sep = tf.layers.separable_conv1d(text, 6, 3, {
    depth_multiplier: 2,
    padding: "same",
    depthwise_initializer: tf.initializers.glorot_uniform({ seed: 8 }),
    pointwise_initializer: tf.initializers.glorot_uniform({ seed: 9 }),
  });
  sep = tf.layers.average_pooling1d(sep, 3, 3);
  const up1 = tf.nn.conv1d_transpose(
    sep,
    tf.get_variable("up", [3, 4, 6], { initializer: tf.initializers.uniform_unit_scaling({ seed: 10 }) }),
    tf.stack([tf.shape(sep)[0], 12, 4]),
    3,
    "SAME",
  );
  const rec1 = tf.reduce_mean(tf.squared_difference(up1, text));
  const feats = tf.concat(
    [
      ...branches.map(b => tf.reduce_max(b, 1)),
      tf.reduce_mean(tf.squeeze(tf.nn.pool(tf.expand_dims(text, 2), [4, 1], "AVG", "VALID", { strides: [4, 1] }), [2]), 1),
      h3,
    ],
    1,
  );
  const out = tf.layers.Dense(3, {
    use_bias: false,
    kernel_initializer: tf.initializers.truncated_normal({ stddev: 0.3, seed: 11 }),
    kernel_constraint: w => w.div(tf.maximum(tf.norm(w, { axis: 0 }), 1.0)),
  })(feats);
  const objective = tf
    .reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits({ labels: truth, logits: out }))
    .add(times(0.1, rec))
    .add(times(0.1, rec1))
    .add(times(0.01, tf.losses.absolute_difference(truth, out, { reduction: tf.losses.Reduction.MEAN })));
  tf.losses.hinge_loss(truth, out);
  const hinge = tf.losses.get_losses().at(-1)!;
  const vars_ = tf.trainable_variables();
  show(
    "layers",
    vars_.map(v => v.op.name),
  );
  const opt = tf.train.ProximalGradientDescentOptimizer(0.1, {
    l1_regularization_strength: 1e-3,
    l2_regularization_strength: 1e-3,
  });
  const step = opt.minimize(objective);
  show("nodes", nodes());
  await using sess = tf.Session();
  await sess.run(tf.global_variables_initializer());
  let f!: Map<tf.Tensor, tf.FeedValue>;
  for (const n of [2, 3, 3]) {
    f = new Map<tf.Tensor, tf.FeedValue>([
      [video, rnd(n, n, 6, 8, 8, 2)],
      [text, rnd(n + 5, n, 12, 4)],
      [truth, ints(n, 2, n, 3)],
    ]);
    show("mixed", (await sess.run([objective, rec, rec1, hinge, step], f)).slice(0, 4));
  }
  f.set(keep, 1.0);
  show("out", await sess.run(out, f));
  show("conv", await sess.run([conv.kernel!, conv.bias!]));
  show(
    "weights",
    (await sess.run(vars_)).map((w: tf.NDArray) => [...w.data].reduce<number>((a, b) => a + Number(b), 0)),
  );
}
