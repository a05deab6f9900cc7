// Metric learning and factors: triplets, centers, margins; DeepFM from dictionaries of weights; an optimizer outside over flat variables; VQ-VAE and
// subpixels: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { each, ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(21);
  {
    const images = tf.placeholder(tf.float32, [null, 8, 8, 1], { name: "images" }),
      labels = tf.placeholder(tf.int64, [null], { name: "labels" });
    const [C, D] = [4, 3];
    const prelu = (x: tf.Tensor, name = "prelu") =>
      tf.variable_scope(name, () => {
        const alphas = tf.get_variable("alpha", x.get_shape().at(-1), { initializer: tf.constant_initializer(0.25) });
        return tf.nn.relu(x).add(tf.multiply(alphas, tf.nn.relu(x.neg()).neg()));
      });
    const embed = (x: tf.Tensor, reuse = tf.AUTO_REUSE) =>
      tf.variable_scope("net", { reuse, regularizer: (w: tf.Variable) => tf.multiply(1e-3, tf.nn.l2_loss(w)) }, () => {
        x = prelu(tf.layers.conv2d(x, 4, 3, 2, "SAME", { name: "c1" }), "p1");
        x = tf.nn.lrn(x, 2, { bias: 1.0, alpha: 1e-2, beta: 0.75 });
        x = tf.layers.max_pooling2d(x, 2, 2);
        return tf.layers.dense(tf.layers.flatten(x), D, { name: "e" });
      });
    function _pairwise_distances(embeddings: tf.Tensor, squared = false) {
      const dot_product = tf.matmul(embeddings, tf.transpose(embeddings));
      const square_norm = tf.diag_part(dot_product);
      let distances = tf.expand_dims(square_norm, 1).sub(tf.multiply(2.0, dot_product)).add(tf.expand_dims(square_norm, 0));
      distances = tf.maximum(distances, 0.0);
      if (!squared) {
        const m = tf.to_float(tf.equal(distances, 0.0));
        distances = distances.add(m.mul(1e-16));
        distances = tf.sqrt(distances);
        distances = distances.mul(tf.subtract(1.0, m));
      }
      return distances;
    }
    function batch_hard_triplet_loss(labels: tf.Tensor, embeddings: tf.Tensor, margin: number) {
      const dist = _pairwise_distances(embeddings);
      const indices_equal = tf.cast(tf.eye(tf.shape(labels)[0]), tf.bool);
      const labels_equal = tf.equal(tf.expand_dims(labels, 0), tf.expand_dims(labels, 1));
      const anchor_positive = tf.to_float(tf.logical_and(tf.logical_not(indices_equal), labels_equal));
      const hardest_positive = tf.reduce_max(tf.multiply(anchor_positive, dist), { axis: 1, keepdims: true });
      const anchor_negative = tf.to_float(tf.logical_not(labels_equal));
      const hardest_negative = tf.reduce_min(
        dist.add(tf.reduce_max(dist, { axis: 1, keepdims: true }).mul(tf.subtract(1.0, anchor_negative))),
        { axis: 1, keepdims: true },
      );
      tf.summary.scalar("hardest_positive_dist", tf.reduce_mean(hardest_positive));
      return tf.reduce_mean(tf.maximum(hardest_positive.sub(hardest_negative).add(margin), 0.0));
    }
    function center_loss(features: tf.Tensor, labels: tf.Tensor, alfa: number, nrof_classes: number) {
      const centers = tf.get_variable("centers", [nrof_classes, features.get_shape()[1]], {
        dtype: tf.float32,
        initializer: tf.constant_initializer(0),
        trainable: false,
      });
      labels = tf.reshape(labels, [-1]);
      const centers_batch = tf.gather(centers, labels);
      const loss = tf.nn.l2_loss(features.sub(centers_batch));
      const [, unique_idx, unique_count] = tf.unique_with_counts(labels);
      const appear_times = tf.reshape(tf.gather(unique_count, unique_idx), [-1, 1]);
      const diff = centers_batch
        .sub(features)
        .div(tf.cast(tf.add(1, appear_times), tf.float32))
        .mul(alfa);
      return [loss, centers, tf.scatter_sub(centers, labels, diff)] as const;
    }
    function arcface(embedding: tf.Tensor, labels: tf.Tensor, out_num: number, s = 8.0, m = 0.5) {
      const [cos_m, sin_m] = [Math.cos(m), Math.sin(m)];
      const mm = sin_m * m;
      const threshold = Math.cos(Math.PI - m);
      embedding = tf.nn.l2_normalize(embedding, { axis: 1, epsilon: 1e-8 });
      const weights0 = tf.get_variable({
        name: "embedding_weights",
        shape: [D, out_num],
        initializer: tf.random_normal_initializer({ stddev: 0.5 }),
      });
      const weights = tf.div(weights0, tf.norm(weights0, { axis: 0, keep_dims: true }));
      const cos_t = tf.matmul(embedding, weights);
      const sin_t = tf.sqrt(tf.subtract(1.0001, tf.square(cos_t)));
      const cos_mt = tf.multiply(s, tf.subtract(tf.multiply(cos_t, cos_m), tf.multiply(sin_t, sin_m)));
      const cond = tf.cast(tf.nn.relu(cos_t.sub(threshold)), { dtype: tf.bool });
      const cos_mt_temp = tf.where(cond, cos_mt, tf.multiply(s, cos_t.sub(mm)));
      const mask = tf.one_hot(labels, { depth: out_num });
      return tf.add(tf.multiply(tf.multiply(s, cos_t), tf.subtract(1, mask)), tf.multiply(cos_mt_temp, mask));
    }
    const emb = embed(images);
    const triplet = batch_hard_triplet_loss(labels, emb, 0.5);
    const [closs, centers, centers_op] = center_loss(emb, labels, 0.5, C);
    const arc = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits({ logits: arcface(emb, labels, C), labels }));
    const [a, b] = tf.split(emb, 2);
    const d2 = tf.reduce_sum(tf.squared_difference(a, b), 1);
    const [la, lb] = tf.split(labels, 2);
    const same = tf.to_float(tf.equal(la, lb));
    const siamese = tf.reduce_mean(
      same.mul(d2).add(tf.subtract(1, same).mul(tf.square(tf.maximum(tf.subtract(1.0, tf.sqrt(d2.add(1e-6))), 0)))),
    );
    const reg = tf.add_n(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES));
    const total = triplet.add(closs.mul(0.1)).add(arc).add(siamese).add(reg);
    const train = tf.control_dependencies([centers_op], () =>
      tf.train.MomentumOptimizer(0.02, 0.9, { use_nesterov: true }).minimize(total),
    );
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    let feed!: Map<tf.Tensor, tf.FeedValue>;
    for (const i of range(4)) {
      feed = new Map([
        [images, rnd(i, 8, 8, 8, 1)],
        [labels, ints(i, C, 8)],
      ]);
      show("metric", (await sess.run([triplet, closs, arc, siamese, reg, train], feed)).slice(0, 5));
    }
    show("centers", await sess.run(centers));
    show("emb", await sess.run(tf.nn.l2_normalize(emb, 1), feed));
  }
  tf.reset_default_graph();
  tf.set_random_seed(22);
  class DeepFM {
    feat_index = tf.placeholder(tf.int32, { shape: [null, null], name: "feat_index" });
    feat_value = tf.placeholder(tf.float32, { shape: [null, null], name: "feat_value" });
    label = tf.placeholder(tf.float32, { shape: [null, 1], name: "label" });
    dropout_keep_fm = tf.placeholder(tf.float32, { shape: [null], name: "dropout_keep_fm" });
    train_phase = tf.placeholder(tf.bool, { name: "train_phase" });
    weights: Record<string, tf.Variable>;
    out: tf.Tensor;
    loss: tf.Tensor;
    optimizer: tf.Operation;
    feature_size: number;
    field_size: number;
    embedding_size = 3;
    deep_layers = [6, 4];
    constructor(feature_size: number, field_size: number) {
      this.feature_size = feature_size;
      this.field_size = field_size;
      this.weights = this._initialize_weights();
      let embeddings = tf.nn.embedding_lookup(this.weights.feature_embeddings, this.feat_index);
      const feat_value = tf.reshape(this.feat_value, { shape: [-1, field_size, 1] });
      embeddings = tf.multiply(embeddings, feat_value);
      let y_first_order = tf.nn.embedding_lookup(this.weights.feature_bias, this.feat_index);
      y_first_order = tf.reduce_sum(tf.multiply(y_first_order, feat_value), 2);
      y_first_order = tf.nn.dropout(y_first_order, this.dropout_keep_fm[0]);
      const summed_features_emb_square = tf.square(tf.reduce_sum(embeddings, 1));
      const squared_sum_features_emb = tf.reduce_sum(tf.square(embeddings), 1);
      let y_second_order = tf.multiply(0.5, tf.subtract(summed_features_emb_square, squared_sum_features_emb));
      y_second_order = tf.nn.dropout(y_second_order, this.dropout_keep_fm[1]);
      let y_deep = tf.reshape(embeddings, { shape: [-1, field_size * this.embedding_size] });
      for (const i of range(this.deep_layers.length)) {
        y_deep = tf.add(tf.matmul(y_deep, this.weights[`layer_${i}`]), this.weights[`bias_${i}`]);
        y_deep = this.batch_norm_layer(y_deep, this.train_phase, `bn_${i}`);
        y_deep = tf.nn.relu(y_deep);
      }
      const concat_input = tf.concat([y_first_order, y_second_order, y_deep], { axis: 1 });
      this.out = tf.nn.sigmoid(tf.add(tf.matmul(concat_input, this.weights.concat_projection), this.weights.concat_bias));
      this.loss = tf.losses.log_loss(this.label, this.out).add(tf.multiply(0.01, tf.nn.l2_loss(this.weights.concat_projection)));
      this.optimizer = tf.train.AdagradOptimizer({ learning_rate: 0.05, initial_accumulator_value: 1e-2 }).minimize(this.loss);
    }
    _initialize_weights() {
      const weights: Record<string, tf.Variable> = {};
      weights.feature_embeddings = tf.Variable(tf.random_normal([this.feature_size, this.embedding_size], 0.0, 0.1), {
        name: "feature_embeddings",
      });
      weights.feature_bias = tf.Variable(tf.random_uniform([this.feature_size, 1], 0.0, 1.0), { name: "feature_bias" });
      const sizes = [this.field_size * this.embedding_size, ...this.deep_layers];
      for (const i of range(this.deep_layers.length)) {
        weights[`layer_${i}`] = tf.Variable(
          each(rnd(i, sizes[i], sizes[i + 1]), x => x - 0.5),
          { dtype: tf.float32 },
        );
        weights[`bias_${i}`] = tf.Variable([range(sizes[i + 1]).map(() => 0)], { dtype: tf.float32 });
      }
      const n = this.field_size + this.embedding_size + this.deep_layers.at(-1)!;
      weights.concat_projection = tf.Variable(
        each(rnd(9, n, 1), x => x - 0.5),
        { dtype: tf.float32 },
      );
      weights.concat_bias = tf.Variable(tf.constant(0.01), { dtype: tf.float32 });
      return weights;
    }
    batch_norm_layer(x: tf.Tensor, train_phase: tf.Tensor, scope_bn: string) {
      const bn = (training: boolean) =>
        tf.layers.batch_normalization(x, { momentum: 0.995, training, name: scope_bn, reuse: tf.AUTO_REUSE });
      return tf.cond(
        train_phase,
        () => bn(true),
        () => bn(false),
      );
    }
  }
  {
    const fm = new DeepFM(12, 4);
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    let f!: Map<tf.Tensor, tf.FeedValue>;
    for (const i of range(4)) {
      f = new Map<tf.Tensor, tf.FeedValue>([
        [fm.feat_index, ints(i, 12, 5, 4)],
        [fm.feat_value, rnd(i, 5, 4)],
        [fm.label, ints(i + 3, 2, 5, 1)],
        [fm.dropout_keep_fm, [1.0, 1.0]],
        [fm.train_phase, true],
      ]);
      show("fm", (await sess.run([fm.loss, fm.optimizer], f))[0]);
    }
    f.set(fm.train_phase, false);
    show("out", await sess.run(fm.out, f));
    show(
      "total",
      Object.values(await sess.run(fm.weights)).reduce((n, v) => n + v.size, 0),
    );
  }
  tf.reset_default_graph();
  tf.set_random_seed(23);
  {
    const u = tf.placeholder(tf.int32, [null]),
      v = tf.placeholder(tf.int32, [null]),
      r = tf.placeholder(tf.float32, [null]),
      mu = tf.placeholder(tf.float32, []);
    const U = tf.get_variable("U", [5, 2]),
      V = tf.get_variable("V", [6, 2]),
      bu = tf.get_variable("bu", [5], { initializer: tf.zeros_initializer() }),
      bv = tf.get_variable("bv", [6], { initializer: tf.zeros_initializer() });
    const pred = tf
      .reduce_sum(tf.nn.embedding_lookup(U, u).mul(tf.nn.embedding_lookup(V, v)), 1)
      .add(tf.nn.embedding_lookup(bu, u))
      .add(tf.nn.embedding_lookup(bv, v))
      .add(mu);
    const cost = tf.nn.l2_loss(pred.sub(r)).add(tf.multiply(0.05, tf.add_n([U, V, bu, bv].map(t => tf.nn.l2_loss(t)))));
    const dot = (a: number[], b: number[]) => a.reduce((s, x, i) => s + x * b[i], 0);
    class ExternalOptimizerInterface {
      _vars: tf.Variable[];
      _slices: [number, number][] = [];
      _loss: tf.Tensor;
      _packed_var: tf.Tensor;
      _packed_grad: tf.Tensor;
      _update_placeholders: tf.Tensor[];
      _var_updates;
      constructor(loss: tf.Tensor, var_list: tf.Variable[] | null = null) {
        this._vars = var_list || tf.trainable_variables();
        let start = 0;
        for (const x of this._vars) {
          const size = x
            .get_shape()
            .as_list()
            .reduce<number>((a, b) => a * b!, 1);
          this._slices.push([start, start + size]);
          start += size;
        }
        const grads = tf.gradients(loss, this._vars);
        this._loss = loss;
        this._packed_var = tf.concat(
          this._vars.map(x => tf.reshape(x, [-1])),
          0,
        );
        this._packed_grad = tf.concat(
          grads.map((g, i) => tf.reshape(g !== null ? tf.convert_to_tensor(g) : tf.zeros_like(this._vars[i]), [-1])),
          0,
        );
        this._update_placeholders = this._vars.map(x => tf.placeholder(x.dtype.base_dtype));
        this._var_updates = this._vars.map((x, i) =>
          x.assign(
            tf.reshape(
              this._update_placeholders[i],
              [...x.get_shape()].map(d => d.value!),
            ),
          ),
        );
      }
      async minimize(session: tf.Session, feed_dict: Map<tf.Tensor, tf.FeedValue>, steps: number) {
        const func = async (x: number[]): Promise<[number, number[]]> => {
          await session.run(this._var_updates, {
            feed_dict: this._update_placeholders.map((p, i): [tf.Tensor, number[]] => [p, x.slice(...this._slices[i])]),
          });
          const [l, g] = await session.run([this._loss, this._packed_grad], { feed_dict });
          return [l.item(), [...g.data].map(Number)];
        };
        let x = [...(await session.run(this._packed_var)).data].map(Number);
        let S: number[][] = [],
          Y: number[][] = [];
        let [l, g] = await func(x);
        for (const _ of range(steps)) {
          let q = [...g];
          const al: number[] = [];
          for (const k of range(S.length).reverse()) {
            const a = dot(S[k], q) / dot(Y[k], S[k]);
            al.unshift(a);
            q = q.map((e, i) => e - a * Y[k][i]);
          }
          if (S.length) {
            const scale = dot(S.at(-1)!, Y.at(-1)!) / dot(Y.at(-1)!, Y.at(-1)!);
            q = q.map(e => e * scale);
          }
          for (const k of range(S.length)) {
            const c = al[k] - dot(Y[k], q) / dot(Y[k], S[k]);
            q = q.map((e, i) => e + S[k][i] * c);
          }
          let t = S.length ? 1.0 : 0.1;
          let [l2, g2] = [0, g];
          for (;;) {
            [l2, g2] = await func(x.map((e, i) => e - t * q[i]));
            if (l2 <= l - 1e-4 * t * dot(g, q)) break;
            t *= 0.5;
          }
          S.push(q.map(e => -t * e));
          Y.push(g2.map((e, i) => e - g[i]));
          [S, Y] = [S.slice(-4), Y.slice(-4)];
          x = x.map((e, i) => e - t * q[i]);
          [l, g] = [l2, g2];
          show("lbfgs", l);
        }
      }
    }
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    const data = new Map<tf.Tensor, tf.FeedValue>([
      [u, ints(1, 5, 14)],
      [v, ints(2, 6, 14)],
      [r, rnd(3, 14)],
      [mu, 0.4],
    ]);
    await new ExternalOptimizerInterface(cost).minimize(sess, data, 6);
    show("bias", await sess.run(bu));
    await U.load(rnd(5, 5, 2), sess);
    show("loaded", [await U.eval(sess), await tf.reduce_sum(V).eval({ session: sess })]);
  }
  tf.reset_default_graph();
  tf.set_random_seed(24);
  const [K, E] = [5, 3];
  const x = tf.placeholder(tf.float32, [null, 4, 4, 4]);
  const z = tf.layers.conv2d(x, E, 1);
  const flat = tf.reshape(z, [-1, E]);
  const w = tf.get_variable("codes", [E, K], { initializer: tf.random_uniform_initializer(-0.5, 0.5), trainable: false });
  const ema_w = tf.Variable(w.initialized_value(), { trainable: false, name: "ema_dw" });
  const ema_n = tf.get_variable("ema_cluster_size", [K], { initializer: tf.constant_initializer(0), trainable: false });
  const dist = tf
    .reduce_sum(flat.pow(2), 1, { keepdims: true })
    .sub(tf.multiply(2, tf.matmul(flat, w)))
    .add(tf.reduce_sum(w.pow(2), 0, { keepdims: true }));
  const idx = tf.argmax(dist.neg(), 1);
  const onehot = tf.one_hot(idx, K);
  const quant = tf.nn.embedding_lookup(tf.transpose(w, [1, 0]), tf.reshape(idx, tf.shape(x).at([null, -1])));
  const e_loss = tf.reduce_mean(tf.stop_gradient(quant).sub(z).pow(2));
  /** What moving_averages.assign_moving_average does with zero_debias=True. */
  function assign_moving_average(variable: tf.Variable, value: tf.Tensor, decay: number) {
    return tf.variable_scope(variable.op.name, { values: [variable, value], reuse: tf.AUTO_REUSE }, () => {
      const biased = tf.get_variable("biased", variable.get_shape(), { initializer: tf.zeros_initializer(), trainable: false });
      const local_step = tf.get_variable("local_step", [], { initializer: tf.zeros_initializer(), trainable: false });
      const update_biased = tf.assign_sub(biased, biased.sub(value).mul(1 - decay));
      const update_step = tf.assign_add(local_step, 1);
      const bias_factor = tf.subtract(1, tf.pow(decay, update_step));
      return tf.assign(variable, tf.div(update_biased, bias_factor));
    });
  }
  const upd_n = assign_moving_average(ema_n, tf.reduce_sum(onehot, 0), 0.9);
  const upd_w = assign_moving_average(ema_w, tf.matmul(flat, onehot, { transpose_a: true }), 0.9);
  const n = tf.reduce_sum(upd_n);
  const size = upd_n
    .add(1e-5)
    .div(n.add(K * 1e-5))
    .mul(n);
  const upd = tf.control_dependencies([e_loss], () => tf.assign(w, tf.div(upd_w, tf.reshape(size, [1, -1]))));
  const q = z.add(tf.stop_gradient(quant.sub(z)));
  const mean_hot = tf.reduce_mean(onehot, 0);
  const perplexity = tf.exp(tf.reduce_sum(mean_hot.mul(tf.log(mean_hot.add(1e-10)))).neg());
  const sr = tf.depth_to_space(tf.layers.conv2d(q, 16, 3, { padding: "same", name: "up" }), 2);
  const target = tf.image.resize_bicubic(x, [8, 8]);
  const loss = tf.reduce_mean(tf.abs(sr.sub(target))).add(e_loss.mul(0.25));
  const psnr = tf.image.psnr(sr, target, 1.0);
  const lr = tf.train.piecewise_constant(tf.train.get_or_create_global_step(), [2, 3], [0.02, 0.01, 0.005]);
  const opt = tf.train.AdamOptimizer(lr).minimize(loss, tf.train.get_global_step());
  const back = tf.space_to_depth(sr, 2);
  const ms = tf.image.ssim(tf.clip_by_value(sr, 0, 1), target, 1.0, { filter_size: 5 });
  await using sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  for (const i of range(4)) {
    const feed_dict: [tf.Tensor, tf.NDArray][] = [[x, rnd(i, 3, 4, 4, 4)]];
    show("vq", (await sess.run([loss, e_loss, perplexity, lr, opt], { feed_dict })).slice(0, 4));
    show("codes", await sess.run(upd, { feed_dict }));
  }
  show("psnr", await sess.run([psnr, ms, tf.reduce_sum(back.pow(2))], { feed_dict: [[x, rnd(9, 2, 4, 4, 4)]] }));
}
