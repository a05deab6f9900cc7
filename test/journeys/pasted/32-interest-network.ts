// Click models: an attention unit over a user's history as in DIN, dice and prelu, factorization machine, cross layers: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(1234);
  const [item_count, cate_count, hidden_units] = [12, 5, 6];
  const cates = range(item_count).map(i => (i * 7) % cate_count);
  function prelu(_x: tf.Tensor, scope = "") {
    return tf.variable_scope({ name_or_scope: scope, default_name: "prelu" }, () => {
      const _alpha = tf.get_variable(`prelu_${scope}`, {
        shape: _x.get_shape()[-1],
        dtype: _x.dtype,
        initializer: tf.constant_initializer(0.1),
      });
      return tf.maximum(0.0, _x).add(_alpha.mul(tf.minimum(0.0, _x)));
    });
  }
  function dice(_x: tf.Tensor, { axis = -1, epsilon = 0.000000001, name = "" } = {}) {
    const [alphas, reduction_axes, broadcast_shape] = tf.variable_scope(name, { reuse: tf.AUTO_REUSE }, () => {
      const alphas = tf.get_variable(`alpha${name}`, _x.get_shape()[-1], {
        initializer: tf.constant_initializer(0.0),
        dtype: tf.float32,
      });
      const input_shape = [..._x.get_shape()];
      const reduction_axes = range(input_shape.length);
      reduction_axes.splice(axis, 1);
      const broadcast_shape: tf.Dimension[] = input_shape.map(() => new tf.Dimension(1));
      broadcast_shape[input_shape.length + axis] = input_shape[input_shape.length + axis];
      return [alphas, reduction_axes, broadcast_shape] as const;
    });
    const mean = tf.reduce_mean(_x, { axis: reduction_axes });
    const brodcast_mean = tf.reshape(mean, broadcast_shape);
    let std = tf.reduce_mean(tf.square(_x.sub(brodcast_mean)).add(epsilon), { axis: reduction_axes });
    std = tf.sqrt(std);
    const brodcast_std = tf.reshape(std, broadcast_shape);
    const x_normed = tf.layers.batch_normalization(_x, { center: false, scale: false, name, reuse: tf.AUTO_REUSE });
    const x_p = tf.sigmoid(x_normed);
    return alphas
      .mul(tf.subtract(1.0, x_p))
      .mul(_x)
      .add(x_p.mul(_x))
      .add(tf.multiply(0.0, tf.reduce_sum(brodcast_std)));
  }
  function attention(queries: tf.Tensor, keys: tf.Tensor, keys_length: tf.Tensor) {
    const queries_hidden_units = queries.get_shape().as_list()[1];
    queries = tf.tile(queries, [1, tf.shape(keys)[1]]);
    queries = tf.reshape(queries, [-1, tf.shape(keys)[1], queries_hidden_units]);
    const din_all = tf.concat([queries, keys, queries.sub(keys), queries.mul(keys)], { axis: -1 });
    const d_layer_1_all = tf.layers.dense(din_all, 8, { activation: tf.nn.sigmoid, name: "f1_att", reuse: tf.AUTO_REUSE });
    let d_layer_3_all = tf.layers.dense(d_layer_1_all, 1, { activation: null, name: "f3_att", reuse: tf.AUTO_REUSE });
    d_layer_3_all = tf.reshape(d_layer_3_all, [-1, 1, tf.shape(keys)[1]]);
    let outputs = d_layer_3_all;
    let key_masks = tf.sequence_mask(keys_length, tf.shape(keys)[1]);
    key_masks = tf.expand_dims(key_masks, 1);
    const paddings = tf.ones_like(outputs).mul((-2) ** 32 * -1 + 1);
    outputs = tf.where(key_masks, outputs, paddings);
    outputs = outputs.div(keys.get_shape().as_list().at(-1)! ** 0.5);
    outputs = tf.nn.softmax(outputs);
    return tf.matmul(outputs, keys);
  }
  const u = tf.placeholder(tf.int32, [null]),
    i = tf.placeholder(tf.int32, [null]),
    j = tf.placeholder(tf.int32, [null]);
  const y = tf.placeholder(tf.float32, [null]),
    hist_i = tf.placeholder(tf.int32, [null, null]),
    sl = tf.placeholder(tf.int32, [null]),
    lr = tf.placeholder(tf.float64, []);
  const tags = tf.sparse_placeholder(tf.int64, { name: "tags" }),
    tag_weights = tf.sparse_placeholder(tf.float32, { name: "tag_weights" });
  const item_emb_w = tf.get_variable("item_emb_w", [item_count, Math.floor(hidden_units / 2)]),
    item_b = tf.get_variable("item_b", [item_count], { initializer: tf.constant_initializer(0.0) });
  const cate_emb_w = tf.get_variable("cate_emb_w", [cate_count, Math.floor(hidden_units / 2)]),
    cate_list = tf.convert_to_tensor(cates, { dtype: tf.int64 });
  const tag_emb = tf.get_variable("tag_emb", [9, 4], {
    initializer: tf.truncated_normal_initializer({ stddev: 0.2 }),
    partitioner: tf.fixed_size_partitioner(3),
  });
  const ic = tf.gather(cate_list, i);
  const i_emb = tf.concat({ values: [tf.nn.embedding_lookup(item_emb_w, i), tf.nn.embedding_lookup(cate_emb_w, ic)], axis: 1 });
  const i_b = tf.gather(item_b, i);
  const jc = tf.gather(cate_list, j);
  const j_emb = tf.concat([tf.nn.embedding_lookup(item_emb_w, j), tf.nn.embedding_lookup(cate_emb_w, jc)], { axis: 1 });
  const j_b = tf.gather(item_b, j);
  const hc = tf.gather(cate_list, hist_i);
  const h_emb = tf.concat([tf.nn.embedding_lookup(item_emb_w, hist_i), tf.nn.embedding_lookup(cate_emb_w, hc)], { axis: 2 });
  let hist = attention(i_emb, h_emb, sl);
  hist = tf.layers.batch_normalization({ inputs: hist });
  hist = tf.reshape(hist, [-1, hidden_units], { name: "hist_bn" });
  hist = tf.layers.dense(hist, hidden_units, { name: "hist_fcn" });
  const u_emb_i = hist;
  let hist_j = attention(j_emb, h_emb, sl);
  hist_j = tf.layers.batch_normalization({ inputs: hist_j, reuse: false });
  hist_j = tf.reshape(hist_j, [-1, hidden_units], { name: "hist_bn" });
  hist_j = tf.layers.dense(hist_j, hidden_units, { name: "hist_fcn", reuse: true });
  const tag = tf.nn.embedding_lookup_sparse(tag_emb, tags, tag_weights, { partition_strategy: "div", combiner: "mean" });
  const known = new tf.SparseTensor(tags.indices, tags.values.sub(2), tags.dense_shape);
  const tag1 = tf.nn.safe_embedding_lookup_sparse(tag_emb, known, null, { combiner: "sqrtn", default_id: 0, partition_strategy: "div" });
  function tower(user: tf.Tensor, item: tf.Tensor, reuse: boolean | null) {
    let din = tf.concat([user, item, user.mul(item), tag], { axis: -1 });
    din = tf.layers.batch_normalization({ inputs: din, name: "b1", reuse });
    const d1 = dice(tf.layers.dense(din, 8, { activation: null, name: "f1", reuse }), { name: "dice_1" });
    const d2 = !reuse
      ? prelu(tf.layers.dense(d1, 4, { activation: null, name: "f2", reuse }))
      : tf.nn.leaky_relu(tf.layers.dense(d1, 4, { name: "f2", reuse: true }), 0.1);
    const d3 = tf.layers.dense(d2, 1, { activation: null, name: "f3", reuse });
    return tf.reshape(d3, [-1]);
  }
  const d3_i = tower(u_emb_i, i_emb, null),
    d3_j = tower(hist_j, j_emb, true);
  const mf_auc = tf.reduce_mean(tf.to_float(i_b.sub(j_b).add(d3_i).sub(d3_j).greater(0)));
  const fields = tf.stack([i_emb.at([], [null, 4]), tag, tag1], { axis: 1 });
  const sum_square = tf.square(tf.reduce_sum(fields, 1)),
    square_sum = tf.reduce_sum(tf.square(fields), 1);
  const fm = tf.multiply(0.5, tf.reduce_sum(tf.subtract(sum_square, square_sum), 1));
  const x0 = tf.reshape(fields, [-1, 12]);
  let xl = x0;
  for (const l of range(2))
    tf.variable_scope(`cross_${l}`, () => {
      const w = tf.get_variable("w", [12], { initializer: tf.glorot_normal_initializer() }),
        b = tf.get_variable("b", [12], { initializer: tf.zeros_initializer() });
      xl = x0
        .mul(tf.expand_dims(tf.tensordot(xl, w, { axes: 1 }), -1))
        .add(b)
        .add(xl);
    });
  const cross = tf.squeeze(tf.layers.dense(xl, 1), [1]);
  const logits = i_b.add(d3_i).add(fm).add(cross);
  const score = tf.sigmoid(logits);
  const global_step = tf.Variable(0, { trainable: false, name: "global_step" });
  let loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits({ logits, labels: y }));
  loss = loss.add(
    tf.multiply(
      1e-3,
      tf.add_n(
        tf
          .trainable_variables()
          .filter(v => v.name.includes("emb_w"))
          .map(v => tf.nn.l2_loss(v)),
      ),
    ),
  );
  const trainable_params = tf.trainable_variables();
  const opt = tf.train.GradientDescentOptimizer({ learning_rate: lr });
  const gradients = tf.gradients(loss, trainable_params);
  const [clip_gradients, norm] = tf.clip_by_global_norm(gradients, 5);
  const train_op = opt.apply_gradients(
    clip_gradients.map((g, k) => [g, trainable_params[k]]),
    { global_step },
  );
  function batch(seed: number) {
    const n = 8,
      lengths = [...ints(seed + 1, 4, n).data].map(x => Number(x) + 1);
    const rows = range(n).flatMap(r => range(lengths[r]).map(c => [r, c]));
    const ids = ints(seed + 2, 9, rows.length);
    const weights = [...rnd(seed + 7, rows.length).data].map(x => Number(x) + 0.1);
    return new Map<tf.FeedKey, tf.FeedValue>([
      [i, ints(seed + 3, item_count, n)],
      [j, ints(seed + 4, item_count, n)],
      [u, ints(seed, 3, n)],
      [y, ints(seed + 5, 2, n)],
      [hist_i, ints(seed + 6, item_count, n, 4)],
      [sl, lengths],
      [lr, 0.3],
      [tags, [rows, ids, [n, 4]]],
      [tag_weights, new tf.SparseTensorValue(rows, weights, [n, 4])],
    ]);
  }
  show(
    "names",
    tf.global_variables().map(v => v.op.name),
  );
  await using sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  await sess.run(tf.local_variables_initializer());
  for (const step of range(4)) {
    const [l, n] = await sess.run([loss, norm, train_op], { feed_dict: batch(step * 11) });
    if (step % 2) show("loss", [l, n]);
  }
  const [s, a, f] = await sess.run([score, mf_auc, fm], batch(3));
  show("score", s);
  show("auc", a);
  show("fm", f);
  const [t, t1] = await sess.run([tag, tag1], batch(40));
  show("tag", t);
  show("tag1", t1);
  show("emb", await sess.run(tag_emb.as_tensor()));
  show("step", await sess.run(global_step));
}
