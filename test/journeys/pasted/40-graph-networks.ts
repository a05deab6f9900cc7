// Graph networks: GCN with dropout of sparse values, attention by sparse_softmax, message passing by segments: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(123);
  const [N, F, C] = [7, 5, 3];
  const flags = { hidden: 4, dropout: 0.3 };
  const [as, bs] = [ints(1, N, 14).data, ints(2, N, 14).data];
  const keys = new Set([...range(14).map(i => Number(as[i]) * N + Number(bs[i])), ...range(N).map(i => i * N + i)]);
  const edges = [...keys].sort((a, b) => a - b).map(k => [Math.floor(k / N), k % N]);
  const argwhere = (a: number[][]) => a.flatMap((row, i) => row.flatMap((x, j) => (x > 0 ? [[i, j]] : [])));
  function preprocess_adj(): [number[][], number[], [number, number]] {
    const adj = range(N).map(() => range(N).map(() => 0));
    for (const [a, b] of edges) adj[a][b] = adj[b][a] = 1.0;
    const d = adj.map(row => 1.0 / Math.sqrt(row.reduce((s, x) => s + x, 0)));
    const coords = argwhere(adj);
    return [coords, coords.map(([a, b]) => d[a] * d[b]), [N, N]];
  }
  function sparse_features(): [number[][], number[], [number, number]] {
    const f = (rnd(5, N, F).toArray() as number[][]).map(row => row.map(x => Math.floor(x * 2.0)));
    f[0][0] = 1.0;
    const coords = argwhere(f);
    return [coords, coords.map(([a, b]) => f[a][b] / f[a].reduce((s, x) => s + x, 0)), [N, F]];
  }
  const _LAYER_UIDS: Record<string, number> = {};
  function get_layer_uid(layer_name = "") {
    _LAYER_UIDS[layer_name] = (_LAYER_UIDS[layer_name] ?? 0) + 1;
    return _LAYER_UIDS[layer_name];
  }
  function sparse_dropout(x: tf.SparseTensor, keep_prob: tf.Tensor, noise_shape: tf.Tensor) {
    let random_tensor = keep_prob;
    random_tensor = random_tensor.add(tf.random_uniform(noise_shape));
    const dropout_mask = tf.cast(tf.floor(random_tensor), { dtype: tf.bool });
    const pre_out = tf.sparse_retain(x, dropout_mask);
    return pre_out.mul(tf.div(1.0, keep_prob));
  }
  const glorot = (shape: [number, number], name: string) => {
    const init_range = Math.sqrt(6.0 / (shape[0] + shape[1]));
    return tf.Variable(tf.random_uniform(shape, { minval: -init_range, maxval: init_range, dtype: tf.float32 }), { name });
  };
  const placeholders = {
    support: range(1).map(() => tf.sparse_placeholder(tf.float32)),
    features: tf.sparse_placeholder(tf.float32, { shape: tf.constant([N, F], { dtype: tf.int64 }) }),
    labels: tf.placeholder(tf.float32, { shape: [null, C] }),
    labels_mask: tf.placeholder(tf.int32),
    dropout: tf.placeholder_with_default(0.0, { shape: [] }),
    num_features_nonzero: tf.placeholder(tf.int32),
  };
  class GraphConvolution {
    name: string;
    vars: Record<string, tf.Variable> = {};
    dropout: tf.TensorLike;
    act: (x: tf.Tensor) => tf.Tensor;
    support: tf.SparseTensor[];
    num_features_nonzero: tf.Tensor;
    constructor(
      input_dim: number,
      output_dim: number,
      ph: typeof placeholders,
      { dropout = false, act = tf.nn.relu as (x: tf.Tensor) => tf.Tensor } = {},
    ) {
      this.name = `graphconvolution_${get_layer_uid("graphconvolution")}`;
      this.dropout = dropout ? ph.dropout : 0.0;
      [this.act, this.support] = [act, ph.support];
      this.num_features_nonzero = ph.num_features_nonzero;
      tf.variable_scope(`${this.name}_vars`, () => {
        for (const i of range(this.support.length)) this.vars[`weights_${i}`] = glorot([input_dim, output_dim], `weights_${i}`);
        this.vars.bias = tf.Variable(tf.zeros([output_dim]), { name: "bias" });
      });
    }
    call(inputs: tf.Tensor | tf.SparseTensor) {
      return tf.name_scope(this.name, () => {
        const keep = tf.subtract(1, this.dropout);
        const x = inputs instanceof tf.SparseTensor ? sparse_dropout(inputs, keep, this.num_features_nonzero) : tf.nn.dropout(inputs, keep);
        const supports = this.support.map((support, i) => {
          const weights = this.vars[`weights_${i}`];
          const pre_sup = x instanceof tf.SparseTensor ? tf.sparse_tensor_dense_matmul(x, weights) : tf.matmul(x, weights);
          return tf.sparse_tensor_dense_matmul(support, pre_sup);
        });
        return this.act(tf.add_n(supports).add(this.vars.bias));
      });
    }
  }
  const layer1 = new GraphConvolution(F, flags.hidden, placeholders, { dropout: true }),
    hidden = layer1.call(placeholders.features);
  const outputs = new GraphConvolution(flags.hidden, C, placeholders, { dropout: true, act: x => x }).call(hidden);
  function masked_softmax_cross_entropy(preds: tf.Tensor, labels: tf.Tensor, mask: tf.Tensor) {
    const loss = tf.nn.softmax_cross_entropy_with_logits({ logits: preds, labels });
    mask = tf.cast(mask, { dtype: tf.float32 });
    mask = mask.div(tf.reduce_mean(mask));
    return tf.reduce_mean(loss.mul(mask));
  }
  const loss = tf
    .multiply(5e-4, tf.add_n(Object.values(layer1.vars).map(v => tf.nn.l2_loss(v))))
    .add(masked_softmax_cross_entropy(outputs, placeholders.labels, placeholders.labels_mask));
  function sp_attn_head(seq: tf.Tensor, out_sz: number, adj_mat: tf.SparseTensor, activation: (x: tf.Tensor) => tf.Tensor) {
    return tf.name_scope("sp_attn", () => {
      let seq_fts = tf.layers.conv1d(seq, out_sz, 1, { use_bias: false });
      const f_1 = tf.reshape(tf.layers.conv1d(seq_fts, 1, 1), [N, 1]),
        f_2 = tf.reshape(tf.layers.conv1d(seq_fts, 1, 1), [N, 1]);
      const logits = tf.sparse_add(adj_mat.mul(f_1), adj_mat.mul(tf.transpose(f_2, [1, 0])));
      const lrelu = new tf.SparseTensor({
        indices: logits.indices,
        values: tf.nn.leaky_relu(logits.values),
        dense_shape: logits.dense_shape,
      });
      let coefs = tf.sparse_softmax(lrelu);
      coefs = tf.sparse_reshape(coefs, [N, N]);
      seq_fts = tf.squeeze(seq_fts);
      const vals = tf.expand_dims(tf.sparse_tensor_dense_matmul(coefs, seq_fts), { axis: 0 });
      vals.set_shape([1, N, out_sz]);
      return [activation(tf.nn.bias_add(vals, tf.get_variable(`bias_${get_layer_uid("attn")}`, [out_sz]))), coefs] as const;
    });
  }
  const heads = range(2).map(() => sp_attn_head(tf.expand_dims(hidden, 0), 4, placeholders.support[0], tf.nn.elu));
  const gat = tf.concat(
    heads.map(h => h[0]),
    { axis: -1 },
  );
  const gat_logits = tf.squeeze(tf.layers.dense(gat, C), 0);
  const gat_loss = tf.losses.softmax_cross_entropy(placeholders.labels, gat_logits, {
    weights: tf.to_float(placeholders.labels_mask),
    label_smoothing: 0.1,
  });
  const senders = tf.constant(
      edges.map(e => e[0]),
      tf.int32,
    ),
    receivers = tf.constant(
      edges.map(e => e[1]),
      tf.int32,
    );
  const readout = tf.variable_scope("mpnn", () => {
    let nodes = hidden;
    const gru = tf.nn.rnn_cell.GRUCell(4);
    for (const _k of range(2))
      tf.variable_scope("pass", { reuse: tf.AUTO_REUSE }, () => {
        const messages = tf.layers.dense(tf.concat([tf.gather(nodes, senders), tf.gather(nodes, receivers)], 1), 4, tf.tanh, {
          name: "edge",
        });
        const got = tf
          .unsorted_segment_sum(messages, receivers, N)
          .add(tf.unsorted_segment_max(messages, receivers, N))
          .add(tf.unsorted_segment_mean(messages, senders, N));
        [nodes] = gru(got, nodes);
      });
    const ids = tf.constant([0, 0, 0, 1, 1, 1, 1], tf.int32);
    const pooled = tf.stack([tf.segment_sum(nodes, ids), tf.segment_mean(nodes, ids), tf.segment_max(nodes, ids)]);
    return tf.reduce_mean(tf.square(pooled)).add(tf.reduce_mean(tf.unsorted_segment_sqrt_n(nodes, tf.range(N).mod(2), 2)));
  });
  const all_loss = loss.add(gat_loss).add(tf.multiply(0.1, readout));
  const opt = tf.train.AdamOptimizer({ learning_rate: 0.05 }).minimize(all_loss);
  const correct = tf.equal(tf.argmax(outputs, 1), tf.argmax(placeholders.labels, 1));
  const mask = tf.cast(placeholders.labels_mask, tf.float32),
    accuracy = tf.reduce_mean(tf.cast(correct, tf.float32).mul(mask).div(tf.reduce_mean(mask)));
  const feats = sparse_features();
  const classes = [...ints(8, C, N).data].map(Number);
  const feed = new Map<tf.FeedKey, tf.FeedValue>([
    [placeholders.features, feats],
    [placeholders.labels_mask, [1, 1, 1, 0, 1, 0, 1]],
    [placeholders.labels, classes.map(k => range(C).map(j => Number(j === k)))],
    [placeholders.num_features_nonzero, [feats[1].length]],
  ]);
  for (const [i, s] of [preprocess_adj()].entries()) feed.set(placeholders.support[i], s);
  show(
    "names",
    tf.trainable_variables().map(v => v.op.name),
  );
  const sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  for (const epoch of range(6)) {
    feed.set(placeholders.dropout, epoch > 3 ? flags.dropout : 0.0);
    const outs = await sess.run([opt, loss, accuracy, gat_loss, readout], { feed_dict: feed });
    show("outs", outs.slice(1));
  }
  feed.set(placeholders.dropout, 0.0);
  show("logits", await sess.run(outputs, feed));
  const c = await sess.run(heads[0][1], feed);
  show("coefs", [c.indices, c.values, c.dense_shape]);
  const back = [
    tf.sparse_reduce_sum(heads[1][1], 1),
    tf.sparse.to_dense(tf.sparse.transpose(heads[0][1])),
    tf.sparse.reduce_max(heads[1][1], 0),
  ];
  show("back", await sess.run(back, feed));
  const top = tf.sparse_concat(0, [heads[0][1], tf.sparse_slice(heads[1][1], [0, 0], [2, N])]);
  show("top", await sess.run([tf.sparse_tensor_to_dense(top), tf.sparse_reorder(top).values], feed));
  await sess.close();
}
