// Translation with attention by hand, teacher forcing by cond, beam search in the graph: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { ints, range, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  const rnn = tf.nn.rnn_cell;
  tf.set_random_seed(5);
  const [V, E, H, B, K] = [9, 5, 4, 3, 2];
  const [SOS, EOS] = [1, 2];
  const src = tf.placeholder(tf.int32, [null, null], "src"),
    src_len = tf.placeholder(tf.int32, [null], "src_len");
  const tgt = tf.placeholder(tf.int32, [null, null], "tgt"),
    tgt_len = tf.placeholder(tf.int32, [null], "tgt_len");
  const keep_prob = tf.placeholder_with_default(1.0, [], "keep_prob"),
    sampling = tf.placeholder_with_default(false, [], "sampling");
  const embeddings = tf.get_variable("embeddings", [V, E], { initializer: tf.random_uniform_initializer(-0.4, 0.4) });
  const cell = (n: number, layers: number) => {
    const made = range(layers).map(i =>
      rnn.DropoutWrapper(i ? rnn.GRUCell(n) : rnn.LSTMCell(n, { initializer: tf.orthogonal_initializer() }), {
        output_keep_prob: keep_prob,
        state_keep_prob: 1.0,
      }),
    );
    return rnn.MultiRNNCell(made);
  };
  const [memory, last] = tf.variable_scope("encoder", () => {
    const [[fw, bw], [fw_state, bw_state]] = tf.nn.bidirectional_dynamic_rnn(
      cell(H, 2),
      cell(H, 2),
      tf.nn.embedding_lookup(embeddings, src),
      { sequence_length: src_len, dtype: tf.float32 },
    );
    return [tf.concat([fw, bw], -1), tf.concat([fw_state[0].h, bw_state[0].h, fw_state.at(-1)], 1)] as const;
  });
  const { decoder_scope, keys, start, step } = tf.variable_scope("decoder", decoder_scope => {
    const keys = tf.layers.dense(memory, H, { use_bias: false, name: "keys" });
    const start = tf.layers.dense(last, 2 * H, tf.tanh, { name: "start" });
    const cell_d = rnn.GRUCell(2 * H),
      project = tf.layers.Dense(V, { name: "project" });
    const v = tf.get_variable("v", [H]);
    function attend(query: tf.Tensor, keys: tf.Tensor, memory: tf.Tensor, lengths: tf.Tensor) {
      const q = tf.expand_dims(tf.layers.dense(query, H, { name: "query", reuse: tf.AUTO_REUSE }), 1);
      let score = tf.reduce_sum(v.mul(tf.tanh(keys.add(q))), [2]);
      const mask = tf.sequence_mask(lengths, tf.shape(memory)[1], { dtype: tf.float32 });
      score = score.mul(mask).add(tf.subtract(1.0, mask).mul(tf.float32.min));
      const align = tf.nn.softmax(score);
      return [tf.squeeze(tf.matmul(tf.expand_dims(align, 1), memory), 1), align] as const;
    }
    function step(token: tf.Tensor, state0: tf.Tensor, keys: tf.Tensor, memory: tf.Tensor, lengths: tf.Tensor) {
      const [context, align] = attend(state0, keys, memory, lengths);
      const [out, state] = cell_d(tf.concat([tf.nn.embedding_lookup(embeddings, token), context], 1), state0);
      return [project(tf.concat([out, context], 1)), state, align] as const;
    }
    return { decoder_scope, keys, start, step };
  });
  const batch = tf.shape(src)[0],
    T = tf.shape(tgt)[1];
  const inputs_ta = tf.TensorArray(tf.int32, { size: T, name: "inputs" }).unstack(tf.transpose(tgt));
  const logits_ta0 = tf.TensorArray(tf.float32, { size: 0, dynamic_size: true, name: "logits" }),
    align_ta0 = tf.TensorArray(tf.float32, { size: T, element_shape: tf.TensorShape([null, null]) });
  function body(t: tf.Tensor, token: tf.Tensor, state: tf.Tensor, logits_ta: tf.TensorArray, align_ta: tf.TensorArray) {
    const [logits, next, align] = tf.variable_scope(decoder_scope, { reuse: tf.AUTO_REUSE }, () =>
      step(token, state, keys, memory, src_len),
    );
    const own = tf.argmax(logits, 1, { output_type: tf.int32 });
    token = tf.cond(
      tf.logical_and(sampling, tf.equal(t.mod(2), 1)),
      () => own,
      () => inputs_ta.read(t),
    );
    const finished = tf.greater_equal(t, tgt_len);
    state = tf.where(finished, tf.zeros_like(next), next);
    return [t.add(1), token, state, logits_ta.write(t, logits), align_ta.write(t, align)];
  }
  const [, , final, logits_ta, align_ta] = tf.while_loop(
    (t: tf.Tensor) => t.less(T),
    body,
    [tf.constant(0, tf.int32), tf.fill([batch], tf.constant(SOS, tf.int32)), start, logits_ta0, align_ta0],
    {
      swap_memory: true,
    },
  );
  const logits = tf.transpose(logits_ta.stack(), [1, 0, 2]);
  logits.set_shape([null, null, V]);
  const align = tf.transpose(align_ta.stack(), [1, 0, 2]);
  const weights = tf.sequence_mask(tgt_len, T, { dtype: tf.float32 });
  const crossent = tf.nn.sparse_softmax_cross_entropy_with_logits({ labels: tgt, logits });
  const loss = tf.reduce_sum(crossent.mul(weights)).div(tf.reduce_sum(weights).add(1e-12));
  const params = tf.trainable_variables();
  const [grads, norm] = tf.clip_by_global_norm(
    tf.gradients(loss, params, { aggregation_method: tf.AggregationMethod.EXPERIMENTAL_ACCUMULATE_N }),
    1.0,
  );
  const step_v = tf.Variable(0, { trainable: false, name: "step" });
  const rate = tf.train.exponential_decay(0.05, step_v, 3, 0.9, { staircase: true });
  const train = tf.train.AdamOptimizer(rate).apply_gradients(
    grads.map((g, i) => [g, params[i]]),
    { global_step: step_v },
  );
  function tile_beam(t: tf.Tensor) {
    t = tf.expand_dims(t, 1);
    t = tf.tile(t, [1, K, ...range(t.shape.ndims! - 2).map(() => 1)]);
    return tf.reshape(t, tf.concat([[-1], tf.shape(t).at([2, null])], 0));
  }
  const MAX = 5;
  const b_keys = tile_beam(keys),
    b_memory = tile_beam(memory),
    b_len = tile_beam(src_len);
  function beam_body(t: tf.Tensor, tokens: tf.Tensor, log_probs: tf.Tensor, state: tf.Tensor, done: tf.Tensor) {
    let lg: tf.Tensor;
    [lg, state] = tf.variable_scope(decoder_scope, { reuse: true }, () =>
      step(tf.reshape(tokens.at([], [], -1), [-1]), state, b_keys, b_memory, b_len),
    );
    let lp = tf.reshape(tf.nn.log_softmax(lg), [batch, K, V]);
    const only_eos = tf.one_hot(EOS, V, { on_value: 0.0, off_value: -1e9 });
    lp = tf.where(tf.tile(tf.expand_dims(done, 2), [1, 1, V]), tf.zeros_like(lp).add(only_eos), lp);
    const total = tf.reshape(tf.expand_dims(log_probs, 2).add(lp), [batch, K * V]);
    const [best, index] = tf.nn.top_k(total, { k: K });
    const [parent, word] = [index.floordiv(V), index.mod(V)];
    const rows = tf.stack([tf.tile(tf.expand_dims(tf.range(batch), 1), [1, K]), parent], 2);
    tokens = tf.concat([tf.gather_nd(tokens, rows), tf.expand_dims(word, 2)], 2);
    done = tf.logical_or(tf.gather_nd(done, rows), tf.equal(word, EOS));
    state = tf.reshape(tf.gather_nd(tf.reshape(state, [batch, K, 2 * H]), rows), [-1, 2 * H]);
    return [t.add(1), tokens, best, state, done];
  }
  const first_lp = tf.tile([[0.0, ...range(K - 1).map(() => -1e9)]], [batch, 1]);
  const [, beams, beam_lp] = tf.while_loop(
    (t: tf.Tensor, _tk: tf.Tensor, _lp: tf.Tensor, _s: tf.Tensor, done: tf.Tensor) =>
      tf.logical_and(t.less(MAX), tf.logical_not(tf.reduce_all(done))),
    beam_body,
    [tf.constant(0, tf.int32), tf.fill([batch, K, 1], tf.constant(SOS, tf.int32)), first_lp, tile_beam(start), tf.fill([batch, K], false)],
    {
      shape_invariants: [
        tf.TensorShape([]),
        tf.TensorShape([null, K, null]),
        tf.TensorShape([null, K]),
        tf.TensorShape([null, 2 * H]),
        tf.TensorShape([null, K]),
      ],
    },
  );
  show(
    "params",
    params.map(p => `${p.op.name}[${p.shape.as_list().join(", ")}]`),
  );
  await using sess = new tf.Session({
    config: tf.ConfigProto({ allow_soft_placement: true, gpu_options: tf.GPUOptions({ allow_growth: true }) }),
  });
  await sess.run(tf.global_variables_initializer());
  let feed!: Map<tf.Tensor, tf.FeedValue>;
  for (const it of range(5)) {
    const [n, m] = [4 + (it % 2), 5];
    const plus = (by: number, a: tf.NDArray) =>
      new tf.NDArray(
        "int32",
        a.shape,
        (a.data as Int32Array).map(x => x + by),
      );
    feed = new Map<tf.Tensor, tf.FeedValue>([
      [src, plus(3, ints(it, V - 3, B, n))],
      [src_len, [n, n - 1, 2]],
      [tgt, plus(2, ints(it + 30, V - 2, B, m))],
      [tgt_len, [m, m - 2, m]],
      [sampling, it === 3],
    ]);
    const [l, g, r] = await sess.run([loss, norm, rate, train], feed);
    show("loss", [l, g, r]);
  }
  feed.delete(tgt);
  feed.delete(tgt_len);
  const [bm, lp] = await sess.run([beams, beam_lp], feed);
  show("beams", bm);
  show("lp", lp);
  feed.set(tgt, ints(1, V, B, 3)).set(tgt_len, [3, 1, 2]);
  show("align", await sess.run(align, feed));
  show("final", await sess.run(final, feed));
  feed.set(keep_prob, 0.6);
  show("finite", Number.isFinite((await sess.run(loss, feed)).item()));
}
