// A transformer of that time: layer norm and attention by hand, noam's rate, padded generators behind one structure, a feedable handle: its twin in
// Python line by line.

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "tensorloom/compat";
import { range, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(11);
  const [d_model, d_ff, heads, maxlen] = [8, 12, 2, 6];
  const vocab = ["<pad>", "<unk>", "<s>", "</s>", "a", "b", "c", "d", "e"];
  const folder = mkdtempSync(join(tmpdir(), "transformer-")),
    vocab_file = join(folder, "vocab.txt");
  writeFileSync(vocab_file, `${vocab.join("\n")}\n`);
  function load_vocab(fpath: string) {
    const lines = readFileSync(fpath, "utf8").trimEnd().split("\n");
    return [new Map(lines.map((token, idx) => [token, idx])), lines] as const;
  }
  const [token2idx, idx2token] = load_vocab(vocab_file);
  const encode = (inp: string, type: "x" | "y") =>
    (type === "x" ? [...inp.split(" "), "</s>"] : ["<s>", ...inp.split(" "), "</s>"]).map(t => token2idx.get(t) ?? 1);
  function* generator_fn(sents1: tf.NDArray, sents2: tf.NDArray) {
    const second = sents2.toArray() as string[];
    for (const [i, sent1] of (sents1.toArray() as string[]).entries()) {
      const sent2 = second[i];
      const x = encode(sent1, "x");
      const y = encode(sent2, "y");
      yield [
        [x, x.length, sent1],
        [y.slice(0, -1), y.slice(1), y.length - 1, sent2],
      ];
    }
  }
  function input_fn(sents1: string[], sents2: string[], batch_size: number, shuffle = false) {
    const shapes = [
      [[null], [], []],
      [[null], [null], [], []],
    ];
    const types = [
      [tf.int32, tf.int32, tf.string],
      [tf.int32, tf.int32, tf.int32, tf.string],
    ];
    const paddings = [
      [0, 0, ""],
      [0, 0, 0, ""],
    ];
    let dataset = tf.data.Dataset.from_generator(generator_fn, { output_shapes: shapes, output_types: types, args: [sents1, sents2] });
    if (shuffle) dataset = dataset.shuffle(5, { seed: 3 });
    return dataset.repeat().padded_batch(batch_size, shapes, paddings).prefetch(1);
  }
  function ln(inputs: tf.Tensor, epsilon = 1e-8, scope = "ln") {
    return tf.variable_scope(scope, { reuse: tf.AUTO_REUSE }, () => {
      const inputs_shape = inputs.get_shape();
      const params_shape = inputs_shape.at([-1, null]);
      const [mean, variance] = tf.nn.moments(inputs, [-1], { keep_dims: true });
      const beta = tf.get_variable("beta", params_shape, { initializer: tf.zeros_initializer() });
      const gamma = tf.get_variable("gamma", params_shape, { initializer: tf.ones_initializer() });
      const normalized = inputs.sub(mean).div(variance.add(epsilon).pow(0.5));
      return gamma.mul(normalized).add(beta);
    });
  }
  function get_token_embeddings(vocab_size: number, num_units: number, zero_pad = true) {
    return tf.variable_scope("shared_weight_matrix", () => {
      const embeddings = tf.get_variable("weight_mat", {
        dtype: tf.float32,
        shape: [vocab_size, num_units],
        initializer: tf.glorot_normal_initializer(),
      });
      return zero_pad ? tf.concat([tf.zeros({ shape: [1, num_units] }), embeddings.at([1, null], [])], 0) : embeddings;
    });
  }
  function mask(inputs: tf.Tensor, { key_masks = null, type }: { key_masks?: tf.Tensor | null; type: "key" | "future" }) {
    const padding_num = -(2 ** 32) + 1;
    if (type === "key") {
      let masks = tf.to_float(key_masks);
      masks = tf.tile(masks, [tf.shape(inputs)[0].floordiv(tf.shape(masks)[0]), 1]);
      masks = tf.expand_dims(masks, 1);
      return inputs.add(masks.mul(padding_num));
    }
    const diag_vals = tf.ones_like(inputs.at(0, [], []));
    const tril = tf.linalg.LinearOperatorLowerTriangular(diag_vals).to_dense();
    const future_masks = tf.tile(tf.expand_dims(tril, 0), [tf.shape(inputs)[0], 1, 1]);
    const paddings = tf.ones_like(future_masks).mul(padding_num);
    return tf.where(tf.equal(future_masks, 0), paddings, inputs);
  }
  function scaled_dot_product_attention(
    Q: tf.Tensor,
    K: tf.Tensor,
    V: tf.Tensor,
    key_masks: tf.Tensor,
    { causality = false, dropout_rate = 0, training = true, scope = "scaled_dot_product_attention" } = {},
  ) {
    return tf.variable_scope(scope, { reuse: tf.AUTO_REUSE }, () => {
      const d_k = Q.get_shape().as_list().at(-1)!;
      let outputs = tf.matmul(Q, tf.transpose(K, [0, 2, 1]));
      outputs = outputs.div(d_k ** 0.5);
      outputs = mask(outputs, { key_masks, type: "key" });
      if (causality) outputs = mask(outputs, { type: "future" });
      outputs = tf.nn.softmax(outputs);
      const attention = tf.transpose(outputs, [0, 2, 1]);
      tf.summary.image("attention", tf.expand_dims(attention.at([null, 1]), -1));
      outputs = tf.layers.dropout(outputs, { rate: dropout_rate, training });
      return tf.matmul(outputs, V);
    });
  }
  interface Attention {
    num_heads?: number;
    dropout_rate?: number;
    training?: boolean;
    causality?: boolean;
    scope?: string;
  }
  function multihead_attention(
    queries: tf.Tensor,
    keys: tf.Tensor,
    values: tf.Tensor,
    key_masks: tf.Tensor,
    { num_heads = 2, dropout_rate = 0, training = true, causality = false, scope = "multihead_attention" }: Attention,
  ) {
    const d = queries.get_shape().as_list().at(-1)!;
    return tf.variable_scope(scope, { reuse: tf.AUTO_REUSE }, () => {
      const [Q, K, V] = [queries, keys, values].map(t => tf.layers.dense(t, d, { use_bias: true }));
      const [Q_, K_, V_] = [Q, K, V].map(t => tf.concat(tf.split(t, num_heads, { axis: 2 }), { axis: 0 }));
      let outputs = scaled_dot_product_attention(Q_, K_, V_, key_masks, { causality, dropout_rate, training });
      outputs = tf.concat(tf.split(outputs, num_heads, { axis: 0 }), { axis: 2 });
      return ln(outputs.add(queries));
    });
  }
  function ff(inputs: tf.Tensor, num_units: number[], scope = "positionwise_feedforward") {
    return tf.variable_scope(scope, { reuse: tf.AUTO_REUSE }, () => {
      let outputs = tf.layers.dense(inputs, num_units[0], { activation: tf.nn.relu });
      outputs = tf.layers.dense(outputs, num_units[1]);
      return ln(outputs.add(inputs));
    });
  }
  function label_smoothing(inputs: tf.Tensor, epsilon = 0.1) {
    const V = inputs.get_shape().as_list().at(-1)!;
    return tf.multiply(1 - epsilon, inputs).add(epsilon / V);
  }
  function positional_encoding(inputs: tf.Tensor, maxlen: number, masking = true, scope = "positional_encoding") {
    const E = inputs.get_shape().as_list().at(-1)!;
    const [N, T] = [tf.shape(inputs)[0], tf.shape(inputs)[1]];
    return tf.variable_scope(scope, { reuse: tf.AUTO_REUSE }, () => {
      const position_ind = tf.tile(tf.expand_dims(tf.range(T), 0), [N, 1]);
      const table = range(maxlen).map(pos => range(E).map(i => (i % 2 ? Math.cos : Math.sin)(pos / 10000 ** ((i - (i % 2)) / E))));
      const position_enc = tf.convert_to_tensor(table, tf.float32);
      let outputs = tf.nn.embedding_lookup(position_enc, position_ind);
      if (masking) outputs = tf.where(tf.equal(inputs, 0), inputs, outputs);
      return tf.to_float(outputs);
    });
  }
  function noam_scheme(init_lr: number, global_step: tf.Tensor | tf.Variable, warmup_steps = 4) {
    const step = tf.cast(global_step.add(1), { dtype: tf.float32 });
    return tf.multiply(init_lr * warmup_steps ** 0.5, tf.minimum(step.mul(warmup_steps ** -1.5), step.pow(-0.5)));
  }
  const embeddings = get_token_embeddings(vocab.length, d_model);
  type Xs = [tf.Tensor, tf.Tensor, tf.Tensor];
  type Ys = [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  function encoder([x, , sents1]: Xs, training = true) {
    return tf.variable_scope("encoder", { reuse: tf.AUTO_REUSE }, () => {
      const src_masks = tf.math.equal(x, 0);
      let enc = tf.nn.embedding_lookup(embeddings, x);
      enc = enc.mul(d_model ** 0.5);
      enc = enc.add(positional_encoding(enc, maxlen));
      enc = tf.layers.dropout(enc, 0.1, { training });
      for (const i of range(2)) {
        tf.variable_scope(`num_blocks_${i}`, { reuse: tf.AUTO_REUSE }, () => {
          enc = multihead_attention(enc, enc, enc, src_masks, { num_heads: heads, dropout_rate: 0.1, training, causality: false });
          enc = ff(enc, [d_ff, d_model]);
        });
      }
      return [enc, sents1, src_masks] as const;
    });
  }
  function decoder([decoder_inputs, y, , sents2]: Ys, memory: tf.Tensor, src_masks: tf.Tensor, training = true) {
    return tf.variable_scope("decoder", { reuse: tf.AUTO_REUSE }, () => {
      const tgt_masks = tf.math.equal(decoder_inputs, 0);
      let dec = tf.nn.embedding_lookup(embeddings, decoder_inputs);
      dec = dec.mul(d_model ** 0.5);
      dec = dec.add(positional_encoding(dec, maxlen));
      dec = tf.layers.dropout(dec, 0.1, { training });
      tf.variable_scope("num_blocks_0", { reuse: tf.AUTO_REUSE }, () => {
        const given = { num_heads: heads, dropout_rate: 0.1, training };
        dec = multihead_attention(dec, dec, dec, tgt_masks, { ...given, causality: true, scope: "self_attention" });
        dec = multihead_attention(dec, memory, memory, src_masks, { ...given, causality: false, scope: "vanilla_attention" });
        dec = ff(dec, [d_ff, d_model]);
      });
      const weights = tf.transpose(embeddings);
      const logits = tf.einsum("ntd,dk->ntk", dec, weights);
      const y_hat = tf.to_int32(tf.argmax(logits, { axis: -1 }));
      return [logits, y_hat, y, sents2] as const;
    });
  }
  const train_batches = input_fn(["a b c", "d e", "c a d zz", "e"], ["c b a", "e d", "d a c b", "e"], 2, true);
  const eval_batches = input_fn(["b a", "c d e"], ["a b", "e d c"], 2);
  const it = tf.data.Iterator.from_structure(train_batches.output_types, train_batches.output_shapes);
  const [xs, ys]: [Xs, Ys] = it.get_next();
  const train_init_op = it.make_initializer(train_batches);
  const eval_init_op = it.make_initializer(eval_batches);
  const [memory, sents1, src_masks] = encoder(xs, false);
  const [logits, , y, sents2] = decoder(ys, memory, src_masks, false);
  const y_ = label_smoothing(tf.one_hot(y, { depth: vocab.length }));
  const ce = tf.nn.softmax_cross_entropy_with_logits_v2({ logits, labels: y_ });
  const nonpadding = tf.to_float(tf.not_equal(y, token2idx.get("<pad>")));
  const loss = tf.reduce_sum(ce.mul(nonpadding)).div(tf.reduce_sum(nonpadding).add(1e-7));
  const global_step = tf.train.get_or_create_global_step();
  const lr = noam_scheme(0.05, global_step);
  const train_op = tf.train.AdamOptimizer(lr, { beta1: 0.9, beta2: 0.98, epsilon: 1e-6 }).minimize(loss, { global_step });
  tf.summary.scalar("lr", lr);
  const summaries = tf.summary.merge_all()!;
  const decoder_inputs = tf.ones([tf.shape(xs[0])[0], 1], tf.int32).mul(token2idx.get("<s>")!);
  let ys_: Ys = [decoder_inputs, ys[1], ys[2], ys[3]];
  let y_hat!: tf.Tensor;
  for (const _ of range(4)) {
    [, y_hat] = decoder(ys_, memory, src_masks, false);
    const _decoder_inputs = tf.concat([decoder_inputs, y_hat], 1);
    ys_ = [_decoder_inputs, y, y, sents2];
  }
  const handle = tf.placeholder(tf.string, { shape: [] });
  const lines = tf.data
    .TextLineDataset(vocab_file)
    .skip(2)
    .map((s: tf.Tensor) => [s, tf.strings.length(s)])
    .batch(3);
  const pairs = tf.data.Dataset.zip([
    tf.data.Dataset.from_tensor_slices(["x", "yy"]),
    tf.data.Dataset.range(2).map((v: tf.Tensor) => tf.cast(v, tf.int32)),
  ]).batch(3);
  const feedable = tf.data.Iterator.from_string_handle(handle, lines.output_types, lines.output_shapes);
  const [word, size] = feedable.get_next();
  const lines_it = tf.data.make_initializable_iterator(lines);
  const pairs_it = tf.data.make_one_shot_iterator(pairs);
  show(
    "params",
    tf.trainable_variables().map(v => v.op.name),
  );
  await using sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  await sess.run(train_init_op);
  for (const _ of range(5)) {
    const [s1, l, r, , n] = await sess.run([sents1, loss, lr, train_op, ys[2]]);
    show("train", [l, r, ...n.data]);
    show("sents", s1.toArray());
  }
  show("summary", tf.Summary.FromString(await sess.run(summaries)).value.length);
  await sess.run(eval_init_op);
  const [yh, t, l] = await sess.run([y_hat, sents2, loss]);
  show(
    "hyp",
    (yh.toArray() as number[][]).map(row => row.map(k => idx2token[k]).join(" ")),
  );
  show("eval", l);
  show("refs", t.toArray());
  await sess.run(lines_it.initializer);
  const handles = await sess.run([lines_it.string_handle(), pairs_it.string_handle()]);
  for (const h of [0, 1, 0, 1]) {
    try {
      const [w, n] = await sess.run([word, size], { feed_dict: [[handle, handles[h]]] });
      show("words", w.toArray());
      show("sizes", n);
    } catch (error) {
      if (!(error instanceof tf.errors.OutOfRangeError)) throw error;
      show("end", h);
    }
  }
}
