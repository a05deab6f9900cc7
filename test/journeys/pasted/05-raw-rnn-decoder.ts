// seq2seq: raw_rnn decoder with Luong attention, greedy; feeds of dynamic lengths; sequence mask loss: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(8);
  const [V, E, H, EOS, _PAD] = [9, 5, 6, 1, 0];
  const enc_in = tf.placeholder({ shape: [null, null], dtype: tf.int32, name: "encoder_inputs" });
  const enc_len = tf.placeholder({ shape: [null], dtype: tf.int32, name: "encoder_inputs_length" });
  const dec_targets = tf.placeholder({ shape: [null, null], dtype: tf.int32, name: "decoder_targets" });
  const embeddings = tf.Variable(tf.random_uniform([V, E], -1.0, 1.0), { dtype: tf.float32 });
  const enc_emb = tf.nn.embedding_lookup(embeddings, enc_in);
  const cell = tf.nn.rnn_cell.LSTMCell(H);
  const [[fw, bw], [fws, bws]] = tf.nn.bidirectional_dynamic_rnn({
    cell_fw: cell,
    cell_bw: tf.nn.rnn_cell.LSTMCell(H),
    inputs: enc_emb,
    sequence_length: enc_len,
    dtype: tf.float32,
    time_major: true,
  });
  const _enc_out = tf.concat([fw, bw], 2);
  const state = tf.nn.rnn_cell.LSTMStateTuple({ c: tf.concat([fws.c, bws.c], 1), h: tf.concat([fws.h, bws.h], 1) });
  const dcell = tf.nn.rnn_cell.LSTMCell(2 * H);
  const [_max_time, batch] = tf.unstack(tf.shape(enc_in));
  const dec_len = enc_len.add(2);
  const W = tf.Variable(tf.random_uniform([2 * H, V], -1, 1)),
    b = tf.Variable(tf.zeros([V]));
  const eos = tf.ones([batch], { dtype: tf.int32, name: "EOS" }),
    pad = tf.zeros([batch], { dtype: tf.int32, name: "PAD" });
  const eos_e = tf.nn.embedding_lookup(embeddings, eos),
    pad_e = tf.nn.embedding_lookup(embeddings, pad);
  const loop_fn_initial = () => [tf.less_equal(dec_len, 0), eos_e, state, null, null];
  function loop_fn_transition(time: tf.Tensor, previous_output: tf.Tensor, previous_state: unknown) {
    const get_next_input = () => {
      const logits = tf.add(tf.matmul(previous_output, W), b);
      return tf.nn.embedding_lookup(embeddings, tf.argmax(logits, { axis: 1 }));
    };
    const finished_el = time.greater_equal(dec_len);
    const finished = tf.reduce_all(finished_el);
    const inp = tf.cond(finished, () => pad_e, get_next_input);
    return [finished_el, inp, previous_state, previous_output, null];
  }
  const loop_fn = (time: tf.Tensor, po: tf.Tensor | null, ps: unknown) =>
    ps === null || po === null ? loop_fn_initial() : loop_fn_transition(time, po, ps);
  const [dec_ta, dec_state] = tf.nn.raw_rnn(dcell, loop_fn);
  const dec_out = dec_ta.stack();
  const [mt, bt, dm] = tf.unstack(tf.shape(dec_out));
  const logits = tf.reshape(tf.add(tf.matmul(tf.reshape(dec_out, [-1, dm]), W), b), [mt, bt, V]);
  const pred = tf.argmax(logits, 2);
  const xent = tf.nn.softmax_cross_entropy_with_logits({ labels: tf.one_hot(dec_targets, { depth: V, dtype: tf.float32 }), logits });
  const loss = tf.reduce_mean(xent);
  const train = new tf.train.AdamOptimizer(0.02).minimize(loss);
  const sess = tf.InteractiveSession();
  await sess.run(tf.global_variables_initializer());
  let fd!: tf.Feeds;
  for (const i of range(8)) {
    const lens = [...ints(i, 3, 4).data].map(v => Number(v) + 2),
      T = Math.max(...lens);
    const e = range(T).map(() => [0, 0, 0, 0]),
      d = range(T + 2).map(() => [0, 0, 0, 0]);
    const w = (ints(i + 7, V - 2, 4, T).toArray() as number[][]).map(r => r.map(v => v + 2));
    for (const k of range(4)) {
      for (const t of range(lens[k])) {
        e[t][k] = w[k][t];
        d[t][k] = w[k][t];
      }
      d[lens[k]][k] = EOS;
    }
    fd = [
      [enc_in, e],
      [enc_len, lens],
      [dec_targets, d],
    ];
    const [, l] = await sess.run([train, loss], fd);
    if (i % 3 === 0) show("l", l);
  }
  show("pred", await sess.run(pred, fd));
  show("st", await sess.run(dec_state, fd));
  await sess.close();
}
