// Capsules with dynamic routing (as a loop unrolled, a while_loop and a scan) and a spatial transformer sampling by gather_nd; margin loss, reconstruction:
// its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(31);
  const epsilon = 1e-9;
  function squash(s: tf.Tensor, { axis = -1, name = null as string | null } = {}) {
    return tf.name_scope(name, { default_name: "squash" }, () => {
      const squared_norm = tf.reduce_sum(tf.square(s), { axis, keepdims: true });
      const safe_norm = tf.sqrt(squared_norm.add(epsilon));
      const squash_factor = squared_norm.div(tf.add(1.0, squared_norm));
      const unit_vector = s.div(safe_norm);
      return squash_factor.mul(unit_vector);
    });
  }
  function safe_norm(s: tf.Tensor, { axis = -1, keepdims = false, name = null as string | null } = {}) {
    return tf.name_scope(name, { default_name: "safe_norm" }, () => tf.sqrt(tf.reduce_sum(tf.square(s), { axis, keepdims }).add(1e-7)));
  }
  function meshgrid(height: number, width: number) {
    const x_t = tf.matmul(
      tf.ones({ shape: tf.stack([tf.constant(height, tf.int32), 1]) }),
      tf.transpose(tf.expand_dims(tf.linspace(-1.0, 1.0, width), 1), [1, 0]),
    );
    const y_t = tf.matmul(
      tf.expand_dims(tf.linspace(-1.0, 1.0, height), 1),
      tf.ones({ shape: tf.stack([tf.constant(1, tf.int32), width]) }),
    );
    return tf.concat({
      axis: 0,
      values: [tf.reshape(x_t, [1, -1]), tf.reshape(y_t, [1, -1]), tf.ones_like(tf.reshape(x_t, [1, -1]))],
    });
  }
  function get_pixel_value(img: tf.Tensor, x: tf.Tensor, y: tf.Tensor) {
    const shape = tf.shape(x);
    const batch_size = shape[0],
      height = shape[1],
      width = shape[2];
    const batch_idx = tf.reshape(tf.range(0, batch_size), [batch_size, 1, 1]);
    const b = tf.tile(batch_idx, [1, height, width]);
    return tf.gather_nd(img, tf.stack([b, y, x], 3));
  }
  function transformer(img: tf.Tensor, theta: tf.Tensor, out_size: number[]) {
    const B = tf.shape(img)[0],
      H = tf.shape(img)[1],
      W = tf.shape(img)[2],
      _C = img.get_shape().as_list()[3];
    theta = tf.cast(tf.reshape(theta, [-1, 2, 3]), "float32");
    let grid = tf.expand_dims(meshgrid(out_size[0], out_size[1]), 0);
    grid = tf.reshape(tf.tile(tf.reshape(grid, [-1]), tf.stack([B])), tf.stack([B, 3, -1]));
    const T_g = tf.matmul(theta, grid);
    let x = tf.reshape(tf.slice(T_g, [0, 0, 0], [-1, 1, -1]), [-1, out_size[0], out_size[1]]);
    let y = tf.reshape(T_g.at([], 1, []), [-1, out_size[0], out_size[1]]);
    const zero = tf.zeros([], { dtype: "int32" }),
      max_y = tf.cast(H.sub(1), "int32"),
      max_x = tf.cast(W.sub(1), "int32");
    x = tf.multiply(0.5, x.add(1.0).mul(tf.cast(max_x.sub(1), "float32")));
    y = tf.multiply(0.5, y.add(1.0).mul(tf.cast(max_y.sub(1), "float32")));
    let x0 = tf.cast(tf.floor(x), "int32"),
      x1 = x0.add(1);
    let y0 = tf.cast(tf.floor(y), "int32"),
      y1 = y0.add(1);
    x0 = tf.clip_by_value(x0, zero, max_x);
    x1 = tf.clip_by_value(x1, zero, max_x);
    y0 = tf.clip_by_value(y0, zero, max_y);
    y1 = tf.clip_by_value(y1, zero, max_y);
    const Ia = get_pixel_value(img, x0, y0),
      Ib = get_pixel_value(img, x0, y1),
      Ic = get_pixel_value(img, x1, y0),
      Id = get_pixel_value(img, x1, y1);
    [x0, x1, y0, y1] = [x0, x1, y0, y1].map(v => tf.cast(v, "float32"));
    const wa = tf.expand_dims(x1.sub(x).mul(y1.sub(y)), { axis: 3 });
    const wb = tf.expand_dims(x1.sub(x).mul(y.sub(y0)), { axis: 3 });
    const wc = tf.expand_dims(x.sub(x0).mul(y1.sub(y)), { axis: 3 });
    const wd = tf.expand_dims(x.sub(x0).mul(y.sub(y0)), { axis: 3 });
    return tf.add_n([wa.mul(Ia), wb.mul(Ib), wc.mul(Ic), wd.mul(Id)]);
  }
  const X = tf.placeholder({ shape: [null, 12, 12, 1], dtype: tf.float32, name: "X" });
  const y = tf.placeholder({ shape: [null], dtype: tf.int64, name: "y" });
  const mask_with_labels = tf.placeholder_with_default(false, { shape: [], name: "mask_with_labels" });
  const [W_fc1, b_fc1, h_trans] = tf.variable_scope("stn", () => {
    const W_fc1 = tf.Variable(tf.zeros([144, 6]), { name: "W_fc1" });
    const initial = new Float32Array([1, 0, 0.1, 0, 1, -0.05]);
    const b_fc1 = tf.Variable({ initial_value: initial, name: "b_fc1" });
    const h_fc1 = tf.matmul(tf.reshape(X, [-1, 144]), W_fc1).add(b_fc1);
    const h_trans = transformer(X, h_fc1, [12, 12]);
    return [W_fc1, b_fc1, tf.reshape(h_trans, [-1, 12, 12, 1])] as const;
  });
  const conv1 = tf.layers.conv2d(h_trans, {
    name: "conv1",
    filters: 8,
    kernel_size: 3,
    strides: 1,
    padding: "valid",
    activation: tf.nn.relu,
  });
  const conv2 = tf.layers.conv2d(conv1, {
    name: "conv2",
    filters: 12,
    kernel_size: 3,
    strides: 2,
    padding: "valid",
    activation: tf.nn.relu,
  });
  const caps1_n_caps = 4 * 4 * 3,
    caps1_n_dims = 4,
    caps2_n_caps = 4,
    caps2_n_dims = 5;
  const caps1_raw = tf.reshape(conv2, [-1, caps1_n_caps, caps1_n_dims], { name: "caps1_raw" });
  const caps1_output = squash(caps1_raw, { name: "caps1_output" });
  const W = tf.Variable(
    tf.random_normal({ shape: [1, caps1_n_caps, caps2_n_caps, caps2_n_dims, caps1_n_dims], stddev: 0.3, dtype: tf.float32 }),
    { name: "W" },
  );
  const batch_size = tf.shape(X)[0];
  const W_tiled = tf.tile(W, [batch_size, 1, 1, 1, 1], { name: "W_tiled" });
  const caps1_output_tile = tf.expand_dims(tf.expand_dims(caps1_output, -1), 2);
  const caps1_output_tiled = tf.tile(caps1_output_tile, [1, 1, caps2_n_caps, 1, 1]);
  const caps2_predicted = tf.matmul(W_tiled, caps1_output_tiled, { name: "caps2_predicted" });
  function round_of(raw_weights: tf.Tensor) {
    const routing_weights = tf.nn.softmax(raw_weights, { dim: 2 });
    const weighted_sum = tf.reduce_sum(tf.multiply(routing_weights, caps2_predicted), { axis: 1, keep_dims: true });
    return squash(weighted_sum, { axis: -2 });
  }
  const agreement = (output: tf.Tensor) => tf.matmul(caps2_predicted, tf.tile(output, [1, caps1_n_caps, 1, 1, 1]), { transpose_a: true });
  const raw = tf.zeros([batch_size, caps1_n_caps, caps2_n_caps, 1, 1], { dtype: tf.float32, name: "raw_weights" });
  const out1 = round_of(raw);
  const caps2_output = round_of(tf.add(raw, agreement(out1)));
  const [, , looped] = tf.while_loop(
    (i: tf.Tensor) => i.less(3),
    (i: tf.Tensor, r: tf.Tensor, o: tf.Tensor) => [i.add(1), r.add(agreement(o)), round_of(r.add(agreement(o)))],
    [tf.constant(1, tf.int32), raw, out1],
    { swap_memory: true },
  );
  const scanned = tf.scan(
    (acc: [tf.Tensor, tf.Tensor]) => [acc[0].add(agreement(acc[1])), round_of(acc[0].add(agreement(acc[1])))],
    tf.range(2),
    { initializer: [raw, out1] },
  )[1][-1];
  const y_proba = safe_norm(looped, { axis: -2, name: "y_proba" });
  const y_pred = tf.squeeze(tf.argmax(y_proba, { axis: 2 }), { axis: [1, 2], name: "y_pred" });
  const T = tf.one_hot(y, { depth: caps2_n_caps, name: "T" });
  const norm = safe_norm(caps2_output, { axis: -2, keepdims: true });
  const present_error = tf.reshape(tf.square(tf.maximum(0.0, tf.subtract(0.9, norm))), { shape: [-1, 4] });
  const absent_error = tf.reshape(tf.square(tf.maximum(0.0, norm.sub(0.1))), { shape: [-1, 4] });
  const margin_loss = tf.reduce_mean(
    tf.reduce_sum(tf.add(T.mul(present_error), tf.multiply(0.5, tf.subtract(1.0, T)).mul(absent_error)), { axis: 1 }),
  );
  const routed_loss = tf.reduce_mean(tf.square(y_proba)).add(tf.multiply(0.5, tf.reduce_mean(tf.abs(scanned))));
  const reconstruction_targets = tf.cond(
    mask_with_labels,
    () => y,
    () => y_pred,
  );
  const reconstruction_mask = tf.reshape(tf.one_hot(reconstruction_targets, { depth: caps2_n_caps }), [-1, 1, caps2_n_caps, 1, 1]);
  const caps2_output_masked = tf.multiply(caps2_output, reconstruction_mask);
  const decoder_output = tf.name_scope("decoder", () => {
    const hidden = tf.layers.dense(tf.reshape(caps2_output_masked, [-1, caps2_n_caps * caps2_n_dims]), 16, { activation: tf.nn.relu });
    return tf.layers.dense(hidden, 144, { activation: tf.nn.sigmoid });
  });
  const reconstruction_loss = tf.reduce_mean(tf.squared_difference(tf.reshape(X, [-1, 144]), decoder_output));
  const loss = tf.add(margin_loss, tf.multiply(0.1, reconstruction_loss)).add(tf.multiply(0.2, routed_loss));
  const accuracy = tf.reduce_mean(tf.cast(tf.equal(y, y_pred), tf.float32));
  const grads = tf.gradients(loss, [W_fc1, W, b_fc1]);
  const training_op = tf.train.GradientDescentOptimizer(0.5).minimize(loss);
  await using sess = new tf.Session();
  using _ = sess.as_default();
  await tf.global_variables_initializer().run();
  for (const i of range(3)) {
    const fd = new Map<tf.Tensor, tf.FeedValue>([
      [X, rnd(i, 3, 12, 12, 1)],
      [y, ints(i + 3, 4, 3)],
      [mask_with_labels, true],
    ]);
    const [g, l] = await sess.run([grads, loss], fd);
    const [, m, r] = await sess.run([training_op, margin_loss, reconstruction_loss], fd);
    show("loss", [l, m, r]);
    show(
      "grads",
      g.map((d: tf.NDArray) => [...d.data].reduce<number>((sum, v) => sum + Math.abs(Number(v)), 0) / d.size),
    );
  }
  const [a, b, c, p, acc] = await sess.run(
    [looped, scanned, h_trans, y_pred, accuracy],
    new Map<tf.Tensor, tf.FeedValue>([
      [X, rnd(9, 5, 12, 12, 1)],
      [y, ints(9, 4, 5)],
    ]),
  );
  show("looped", a);
  show("scanned", b);
  show("warped", c);
  show("pred", [p, acc]);
}
