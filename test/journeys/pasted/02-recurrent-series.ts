// HOML ch.14: time series RNN, variable length, dropout wrapper with a placeholder, peepholes, device wrapper: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(42);
  const [n_steps, n_inputs, n_neurons, n_outputs, n_layers] = [6, 1, 7, 1, 2];
  const keep_prob = tf.placeholder_with_default(1.0, { shape: [] });
  const X = tf.placeholder(tf.float32, [null, n_steps, n_inputs]);
  const y = tf.placeholder(tf.float32, [null, n_steps, n_outputs]);
  const seq_length = tf.placeholder(tf.int32, [null]);
  const devices = ["/cpu:0", "/cpu:0"];
  const cells = range(n_layers).map(i =>
    tf.nn.rnn_cell.DeviceWrapper(
      tf.nn.rnn_cell.LSTMCell({
        num_units: n_neurons,
        use_peepholes: true,
        num_proj: i ? 5 : null,
        cell_clip: 3.0,
        proj_clip: i ? 2.0 : null,
      }),
      devices[i],
    ),
  );
  const cells_drop = cells.map(cell =>
    tf.nn.rnn_cell.DropoutWrapper(cell, { input_keep_prob: keep_prob, state_keep_prob: 0.9, variational_recurrent: false, seed: 9 }),
  );
  const multi_layer_cell = tf.nn.rnn_cell.MultiRNNCell(cells_drop);
  const [rnn_outputs, states] = tf.nn.dynamic_rnn(multi_layer_cell, X, { dtype: tf.float32, sequence_length: seq_length });
  const stacked_rnn_outputs = tf.reshape(rnn_outputs, [-1, 5]);
  const stacked_outputs = tf.layers.dense(stacked_rnn_outputs, n_outputs, { name: "dense" });
  const outputs = tf.reshape(stacked_outputs, [-1, n_steps, n_outputs]);
  const loss = tf.reduce_mean(tf.square(outputs.sub(y)));
  const optimizer = new tf.train.AdamOptimizer({ learning_rate: 0.01 });
  const training_op = optimizer.minimize(loss);
  const _top = states[states.length - 1].h;
  const _low = states[0][0],
    _high = states[1][1];
  const basic = tf.nn.rnn_cell.BasicRNNCell({ num_units: 4 });
  const seqs = tf.unstack(tf.transpose(X, { perm: [1, 0, 2] }));
  const [out_seqs, st] = tf.nn.static_rnn(basic, seqs, { dtype: tf.float32, sequence_length: seq_length });
  const [bi, bist] = tf.nn.bidirectional_dynamic_rnn(tf.nn.rnn_cell.GRUCell(3), tf.nn.rnn_cell.GRUCell(3), X, seq_length, {
    dtype: tf.float32,
  });
  const init = tf.global_variables_initializer();
  function next_batch(k: number): [tf.NDArray, tf.NDArray] {
    const t0 = [...(rnd(k, 8, 1).data as Float32Array)];
    const f = Math.fround;
    const ys = t0.map(t =>
      range(n_steps + 1)
        .map(i => f(t * 5) + i * 0.1)
        .map(T => (T * Math.sin(T)) / 3 + 2 * Math.sin(T * 5)),
    );
    return [
      tf.NDArray.from(
        ys.map(r => r.slice(0, -1).map(v => [v])),
        "float32",
      ),
      tf.NDArray.from(
        ys.map(r => r.slice(1).map(v => [v])),
        "float32",
      ),
    ];
  }
  await using sess = new tf.Session();
  using _d = sess.as_default();
  await init.run();
  show(
    "names",
    tf.trainable_variables().map(v => v.name),
  );
  for (const it of range(20)) {
    const [a, b] = next_batch(it);
    const sl = ints(it, n_steps, 8).data as Int32Array;
    const [, mse] = await sess.run([training_op, loss], {
      feed_dict: [
        [X, a],
        [y, b],
        [keep_prob, 0.8],
        [seq_length, sl.map(v => v + 1)],
      ],
    });
    if (it % 4 === 0) show("mse", mse);
  }
  const [a] = next_batch(99);
  show(
    "st",
    await sess.run(
      [st, out_seqs[out_seqs.length - 1], bi[1], bist[0]],
      [
        [X, a],
        [seq_length, [6, 5, 4, 3, 2, 1, 6, 0]],
      ],
    ),
  );
}
