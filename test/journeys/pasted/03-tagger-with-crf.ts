// NER tagger with the CRF of tf.contrib copied into the program: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  const rnn_cell = tf.nn.rnn_cell;
  tf.set_random_seed(11);
  function lengths_to_masks(lengths: tf.Tensor, max_length: tf.Tensor) {
    const tiled_ranges = tf.tile(tf.expand_dims(tf.range(max_length), 0), [tf.shape(lengths)[0], 1]);
    const l = tf.expand_dims(lengths, 1);
    return tf.to_float(tf.to_int64(tiled_ranges).less(tf.to_int64(l)));
  }
  class CrfForwardRnnCell extends rnn_cell.RNNCell {
    transition_params: tf.Tensor;
    num_tags: number;
    constructor(transition_params: tf.Variable) {
      super();
      this.transition_params = tf.expand_dims(transition_params, 0);
      this.num_tags = Number(transition_params.get_shape()[0]);
    }
    override get state_size() {
      return this.num_tags;
    }
    override get output_size() {
      return this.num_tags;
    }
    override call(inputs: tf.Tensor, state0: tf.Tensor): [tf.Tensor, tf.Tensor] {
      const state = tf.expand_dims(state0, 2);
      const transition_scores = state.add(this.transition_params);
      const new_alphas = inputs.add(tf.reduce_logsumexp(transition_scores, [1]));
      return [new_alphas, new_alphas];
    }
  }
  function crf_unary_score(tag_indices: tf.Tensor, sequence_lengths: tf.Tensor, inputs: tf.Tensor) {
    const batch_size = tf.shape(inputs)[0],
      max_seq_len = tf.shape(inputs)[1],
      num_tags = tf.shape(inputs)[2];
    const flattened_inputs = tf.reshape(inputs, [-1]);
    let offsets = tf.expand_dims(tf.range(batch_size).mul(max_seq_len).mul(num_tags), 1);
    offsets = offsets.add(tf.expand_dims(tf.range(max_seq_len).mul(num_tags), 0));
    const flattened_tag_indices = tf.reshape(offsets.add(tag_indices), [-1]);
    const unary_scores = tf.reshape(tf.gather(flattened_inputs, flattened_tag_indices), [batch_size, max_seq_len]);
    const masks = lengths_to_masks(sequence_lengths, tf.shape(tag_indices)[1]);
    return tf.reduce_sum(unary_scores.mul(masks), 1);
  }
  function crf_binary_score(tag_indices: tf.Tensor, sequence_lengths: tf.Tensor, transition_params: tf.Variable) {
    const num_tags = transition_params.get_shape()[0];
    const num_transitions = tf.shape(tag_indices)[1].sub(1);
    const start = tf.slice(tag_indices, [0, 0], [-1, num_transitions]);
    const end = tf.slice(tag_indices, [0, 1], [-1, num_transitions]);
    const flattened = start.mul(num_tags).add(end);
    const scores = tf.gather(tf.reshape(transition_params, [-1]), flattened);
    const masks = lengths_to_masks(sequence_lengths, tf.shape(tag_indices)[1]);
    return tf.reduce_sum(scores.mul(tf.slice(masks, [0, 1], [-1, -1])), 1);
  }
  function crf_log_norm(inputs: tf.Tensor, sequence_lengths: tf.Tensor, transition_params: tf.Variable) {
    const first_input = tf.squeeze(tf.slice(inputs, [0, 0, 0], [-1, 1, -1]), [1]);
    const rest = tf.slice(inputs, [0, 1, 0], [-1, -1, -1]);
    const cell = new CrfForwardRnnCell(transition_params);
    const [, alphas] = tf.nn.dynamic_rnn({
      cell,
      inputs: rest,
      sequence_length: sequence_lengths.sub(1),
      initial_state: first_input,
      dtype: tf.float32,
    });
    return tf.reduce_logsumexp(alphas, [1]);
  }
  function viterbi_decode(score: number[][], tp: number[][]): [number[], number] {
    const argmax = (a: number[]) => a.indexOf(Math.max(...a));
    const trellis = [score[0]];
    const back: number[][] = [[]];
    for (let t = 1; t < score.length; t++) {
      const v = tp.map((row, i) => row.map(x => x + trellis[t - 1][i]));
      const col = (j: number) => v.map(r => r[j]);
      trellis.push(score[t].map((s, j) => s + Math.max(...col(j))));
      back.push(score[t].map((_, j) => argmax(col(j))));
    }
    const last = trellis[trellis.length - 1];
    const viterbi = [argmax(last)];
    for (const bp of back.slice(1).reverse()) viterbi.push(bp[viterbi[viterbi.length - 1]]);
    return [viterbi.reverse(), Math.max(...last)];
  }
  const word_ids = tf.placeholder(tf.int32, { shape: [null, null], name: "word_ids" });
  const sequence_lengths = tf.placeholder(tf.int32, { shape: [null], name: "sequence_lengths" });
  const char_ids = tf.placeholder(tf.int32, { shape: [null, null, null], name: "char_ids" });
  const word_lengths = tf.placeholder(tf.int32, { shape: [null, null], name: "word_lengths" });
  const labels = tf.placeholder(tf.int32, { shape: [null, null], name: "labels" });
  const dropout = tf.placeholder({ dtype: tf.float32, shape: [], name: "dropout" });
  const lr = tf.placeholder({ dtype: tf.float32, shape: [], name: "lr" });
  let word_embeddings = tf.variable_scope("words", () => {
    const _word_embeddings = tf.Variable(rnd(77, 20, 6), { name: "_word_embeddings", dtype: tf.float32, trainable: false });
    return tf.nn.embedding_lookup(_word_embeddings, word_ids, { name: "word_embeddings" });
  });
  tf.variable_scope("chars", () => {
    const _char_embeddings = tf.get_variable({ name: "_char_embeddings", dtype: tf.float32, shape: [15, 4] });
    let char_embeddings = tf.nn.embedding_lookup(_char_embeddings, char_ids, { name: "char_embeddings" });
    const s = tf.shape(char_embeddings);
    char_embeddings = tf.reshape(char_embeddings, { shape: [s[0].mul(s[1]), s[-2], 4] });
    const wl = tf.reshape(word_lengths, { shape: [s[0].mul(s[1])] });
    const cell_fw = rnn_cell.LSTMCell(3, { state_is_tuple: true });
    const cell_bw = rnn_cell.LSTMCell(3, { state_is_tuple: true });
    const _output = tf.nn.bidirectional_dynamic_rnn(cell_fw, cell_bw, char_embeddings, { sequence_length: wl, dtype: tf.float32 });
    const [, [[, output_fw], [, output_bw]]] = _output;
    let output = tf.concat([output_fw, output_bw], { axis: -1 });
    output = tf.reshape(output, [s[0], s[1], 2 * 3]);
    word_embeddings = tf.concat([word_embeddings, output], { axis: -1 });
  });
  word_embeddings = tf.nn.dropout(word_embeddings, dropout);
  const output = tf.variable_scope("bi-lstm", () => {
    const [[output_fw, output_bw]] = tf.nn.bidirectional_dynamic_rnn(rnn_cell.LSTMCell(5), rnn_cell.LSTMCell(5), word_embeddings, {
      sequence_length: sequence_lengths,
      dtype: tf.float32,
    });
    return tf.nn.dropout(tf.concat([output_fw, output_bw], -1), dropout);
  });
  const logits = tf.variable_scope("proj", () => {
    const W = tf.get_variable("W", { dtype: tf.float32, shape: [10, 4] });
    const b = tf.get_variable("b", { shape: [4], dtype: tf.float32, initializer: tf.zeros_initializer() });
    const nsteps = tf.shape(output)[1];
    const pred = tf.matmul(tf.reshape(output, [-1, 10]), W).add(b);
    return tf.reshape(pred, [-1, nsteps, 4]);
  });
  const trans_params = tf.get_variable("transitions", [4, 4]);
  const log_likelihood = crf_unary_score(labels, sequence_lengths, logits)
    .add(crf_binary_score(labels, sequence_lengths, trans_params))
    .sub(crf_log_norm(logits, sequence_lengths, trans_params));
  const loss = tf.reduce_mean(log_likelihood.neg());
  tf.summary.scalar("loss", loss);
  const [train_op, gnorm] = tf.variable_scope("train_step", () => {
    const optimizer = new tf.train.AdamOptimizer(lr);
    const pairs = optimizer.compute_gradients(loss);
    const [grads, gnorm] = tf.clip_by_global_norm(
      pairs.map(([g]) => g),
      2.0,
    );
    return [optimizer.apply_gradients(grads.map((g, i) => [g, pairs[i][1]])), gnorm] as const;
  });
  const sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  const merged = tf.summary.merge_all();
  let fd!: Map<tf.Tensor, tf.FeedValue>;
  let T = 0;
  for (const it of range(7)) {
    T = 5 + (it % 2);
    const wl = new tf.NDArray(
      "int32",
      [3, T],
      (ints(it + 5, 4, 3, T).data as Int32Array).map(v => v + 1),
    );
    fd = new Map<tf.Tensor, tf.FeedValue>([
      [word_ids, ints(it, 20, 3, T)],
      [char_ids, ints(it + 9, 15, 3, T, 4)],
      [word_lengths, wl],
      [sequence_lengths, [T, 3, T - 1]],
      [labels, ints(it + 3, 4, 3, T)],
      [lr, 0.02],
      [dropout, 0.7],
    ]);
    const [, train_loss, _summary, g] = await sess.run([train_op, loss, merged, gnorm], { feed_dict: fd });
    if (it % 3 === 0) show("loss", [train_loss, g]);
  }
  fd.set(dropout, 1.0);
  const [lg, tp] = await sess.run([logits, trans_params], fd);
  for (const [i, n] of [T, 3, T - 1].entries()) {
    const [seq, score] = viterbi_decode((lg.toArray() as number[][][])[i].slice(0, n), tp.toArray() as number[][]);
    show("vit", [seq, score]);
  }
  await sess.close();
}
