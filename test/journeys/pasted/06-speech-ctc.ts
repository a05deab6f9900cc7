// CTC speech model: sparse_placeholder, LSTM, ctc_loss, greedy and beam decoders, edit distance (label error rate): its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(5);
  const [F, C, H] = [4, 6, 7];
  const inputs = tf.placeholder(tf.float32, [null, null, F]);
  const targets = tf.sparse_placeholder(tf.int32);
  const seq_len = tf.placeholder(tf.int32, [null]);
  const stack = tf.nn.rnn_cell.MultiRNNCell(
    range(1).map(() => tf.nn.rnn_cell.LSTMCell(H, { state_is_tuple: true })),
    { state_is_tuple: true },
  );
  let [outputs] = tf.nn.dynamic_rnn(stack, inputs, seq_len, { dtype: tf.float32 });
  const shape = tf.shape(inputs);
  const batch_s = shape[0],
    _max_t = shape[1];
  outputs = tf.reshape(outputs, [-1, H]);
  const W = tf.Variable(tf.truncated_normal([H, C], { stddev: 0.1 })),
    b = tf.Variable(tf.constant(0, { shape: [C] }));
  const logits = tf.transpose(tf.reshape(tf.matmul(outputs, W).add(b), [batch_s, -1, C]), [1, 0, 2]);
  const loss = tf.nn.ctc_loss(targets, logits, seq_len, { preprocess_collapse_repeated: false, ctc_merge_repeated: true });
  const cost = tf.reduce_mean(loss);
  const optimizer = new tf.train.MomentumOptimizer(0.05, 0.9).minimize(cost);
  const [decoded, log_prob] = tf.nn.ctc_greedy_decoder(logits, seq_len);
  const [bd, blp] = tf.nn.ctc_beam_search_decoder(logits, seq_len, { beam_width: 8, top_paths: 2, merge_repeated: false });
  const ler = tf.reduce_mean(tf.edit_distance(tf.cast(decoded[0], tf.int32), targets));
  const dense = tf.sparse_tensor_to_dense(bd[0], { default_value: -1 });
  function sparse_tuple_from(sequences: number[][]): [number[][], number[], number[]] {
    const indices = sequences.flatMap((seq, n) => seq.map((_, k) => [n, k]));
    return [indices, sequences.flat(), [sequences.length, Math.max(...indices.map(i => i[1])) + 1]];
  }
  await using session = new tf.Session();
  using _ = session.as_default();
  await tf.global_variables_initializer().run();
  let feed!: Map<tf.FeedKey, tf.FeedValue>, t!: [number[][], number[], number[]];
  const seq = (s: number, n: number) => [...ints(s, C - 1, n).data].map(Number);
  for (const i of range(15)) {
    const x = rnd(i, 3, 9, F);
    t = sparse_tuple_from([seq(i, 3), seq(i + 1, 2), seq(i + 2, 4)]);
    feed = new Map<tf.FeedKey, tf.FeedValue>([
      [inputs, x],
      [targets, t],
      [seq_len, [9, 7, 8]],
    ]);
    const [c] = await session.run([cost, optimizer], feed);
    if (i % 3 === 0) show("c", [c, await session.run(ler, { feed_dict: feed })]);
  }
  const d = await session.run(decoded[0], { feed_dict: feed });
  show("d", [d.indices, d.values, d.dense_shape]);
  show("lp", await session.run([log_prob, blp], feed));
  show("dense", await session.run(dense, feed));
  feed.set(targets, t);
  show("again", await session.run([loss, ler], feed));
}
