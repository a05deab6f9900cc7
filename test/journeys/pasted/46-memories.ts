// Memories and pointers: a Turing machine cell, an end-to-end memory network, a pointer network, a tree LSTM in a while_loop: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { each, ints, range, rnd, type Show } from "./inputs.ts";

interface NTMControllerState {
  controller_state: tf.nn.rnn_cell.LSTMStateTuple;
  read_vector_list: tf.Tensor[];
  w_list: tf.Tensor[];
  M: tf.Tensor;
}

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(6);
  class NTMCell {
    memory_size: number;
    memory_vector_dim: number;
    shift_range: number;
    output_dim: number;
    controller: tf.nn.rnn_cell.LSTMCell;
    step = 0;
    constructor(controller_units: number, memory_size: number, memory_vector_dim: number, shift_range: number, output_dim: number) {
      this.memory_size = memory_size;
      this.memory_vector_dim = memory_vector_dim;
      this.shift_range = shift_range;
      this.output_dim = output_dim;
      this.controller = tf.nn.rnn_cell.LSTMCell(controller_units);
    }
    next(x: tf.Tensor, prev_state: NTMControllerState): [tf.Tensor, NTMControllerState] {
      const controller_input = tf.concat([x, ...prev_state.read_vector_list], { axis: 1 });
      const reuse = this.step > 0;
      const [controller_output, controller_state] = tf.variable_scope("controller", { reuse }, () =>
        this.controller(controller_input, prev_state.controller_state),
      );
      const D = this.memory_vector_dim;
      const num_parameters_per_head = D + 1 + 1 + (this.shift_range * 2 + 1) + 1;
      const parameters = tf.variable_scope("o2p", { reuse }, () => {
        const parameters = tf.layers.dense(controller_output, num_parameters_per_head * 2 + D * 2, {
          activation: null,
          kernel_initializer: tf.random_normal_initializer({ stddev: 0.5, seed: 1 }),
          name: "d",
        });
        return tf.clip_by_norm(parameters, 20);
      });
      const head_parameter_list = tf.split(parameters.at([], [null, num_parameters_per_head * 2]), 2, { axis: 1 });
      const erase_add_list = tf.split(parameters.at([], [num_parameters_per_head * 2, null]), 2, { axis: 1 });
      const w_list: tf.Tensor[] = [];
      for (const [i, p] of head_parameter_list.entries()) {
        const k = tf.tanh(p.at([], [0, D]));
        const beta = tf.nn.softplus(p.at([], D));
        const g = tf.sigmoid(p.at([], D + 1));
        const s = tf.nn.softmax(p.at([], [D + 2, D + 2 + (this.shift_range * 2 + 1)]));
        const gamma = tf.nn.softplus(p.at([], -1)).add(1);
        tf.variable_scope(`addressing_head_${i}`, () => {
          w_list.push(this.addressing(k, beta, g, s, gamma, tf.reshape(prev_state.M, [-1, this.memory_size, D]), prev_state.w_list[i]));
        });
      }
      let M = tf.reshape(prev_state.M, [-1, this.memory_size, D]);
      const read_vector_list = [tf.reduce_sum(tf.expand_dims(w_list[0], { dim: 2 }).mul(M), { axis: 1 })];
      const w = tf.expand_dims(w_list[1], { axis: 2 });
      const erase_vector = tf.expand_dims(tf.sigmoid(erase_add_list[0]), { axis: 1 });
      const add_vector = tf.expand_dims(tf.tanh(erase_add_list[1]), { axis: 1 });
      const ones = tf.ones(M.get_shape().is_fully_defined() ? M.get_shape() : tf.shape(M));
      M = M.mul(ones.sub(tf.matmul(w, erase_vector))).add(tf.matmul(w, add_vector));
      const NTM_output = tf.variable_scope("o2o", { reuse }, () =>
        tf.layers.dense(tf.concat([controller_output, ...read_vector_list], { axis: 1 }), this.output_dim, { name: "d" }),
      );
      this.step += 1;
      return [NTM_output, { controller_state, read_vector_list, w_list, M: tf.reshape(M, [-1, this.memory_size * D]) }];
    }
    addressing(k: tf.Tensor, beta: tf.Tensor, g: tf.Tensor, s: tf.Tensor, gamma: tf.Tensor, prev_M: tf.Tensor, prev_w: tf.Tensor) {
      k = tf.expand_dims(k, { axis: 2 });
      const inner_product = tf.matmul(prev_M, k);
      const k_norm = tf.sqrt(tf.reduce_sum(tf.square(k), { axis: 1, keepdims: true }));
      const M_norm = tf.sqrt(tf.reduce_sum(tf.square(prev_M), { axis: 2, keepdims: true }));
      const K = tf.squeeze(inner_product.div(M_norm.mul(k_norm).add(1e-8)), { axis: [-1] });
      const K_amplified = tf.exp(tf.expand_dims(beta, { axis: 1 }).mul(K));
      const w_c = K_amplified.div(tf.reduce_sum(K_amplified, { axis: 1, keepdims: true }));
      g = tf.expand_dims(g, { axis: 1 });
      const w_g = g.mul(w_c).add(tf.subtract(1, g).mul(prev_w));
      const n = this.memory_size;
      s = tf.concat(
        [
          s.at([], [null, this.shift_range + 1]),
          tf.zeros([tf.shape(s)[0], n - (this.shift_range * 2 + 1)]),
          s.at([], [-this.shift_range, null]),
        ],
        { axis: 1 },
      );
      const t = tf.concat([tf.reverse(s, { axis: [1] }), tf.reverse(s, { axis: [1] })], { axis: 1 });
      const s_matrix = tf.stack(
        range(n).map(i => t.at([], [n - i - 1, n * 2 - i - 1])),
        { axis: 1 },
      );
      const w_ = tf.reduce_sum(tf.expand_dims(w_g, { axis: 1 }).mul(s_matrix), { axis: 2 });
      const w_sharpen = tf.pow(w_, tf.expand_dims(gamma, { axis: 1 }));
      return w_sharpen.div(tf.reduce_sum(w_sharpen, { axis: 1, keepdims: true }));
    }
    start(batch_size: number, dtype: tf.DType): NTMControllerState {
      const expand = (x: tf.Tensor) => tf.tile(tf.expand_dims(x, 0), [batch_size, 1]);
      return {
        controller_state: this.controller.zero_state(batch_size, dtype),
        read_vector_list: [expand(tf.tanh(tf.get_variable("init_r", [this.memory_vector_dim])))],
        w_list: range(2).map(i => expand(tf.nn.softmax(tf.get_variable(`init_w_${i}`, [this.memory_size])))),
        M: tf.fill([batch_size, this.memory_size * this.memory_vector_dim], 1e-2),
      };
    }
  }
  const [N, L, B] = [4, 3, 2];
  {
    const { copy_in, copy_out, weights, loss } = tf.variable_scope("root", () => {
      const copy_in = tf.placeholder(tf.float32, [B, 2 * L + 1, N + 1]),
        copy_out = tf.placeholder(tf.float32, [B, L, N]);
      const cell = new NTMCell(6, 5, 3, 1, N);
      let state = cell.start(B, tf.float32);
      const outputs: tf.Tensor[] = [],
        weights: tf.Tensor[] = [];
      for (const t of range(2 * L + 1)) {
        let output: tf.Tensor;
        [output, state] = cell.next(copy_in.at([], t), state);
        outputs.push(output);
        weights.push(state.w_list[0]);
      }
      const logits = tf.stack(outputs.slice(-L), { axis: 1 });
      const cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits({ labels: copy_out, logits });
      return { copy_in, copy_out, weights, loss: tf.reduce_sum(cross_entropy).div(B) };
    });
    const trainable_variables = tf.trainable_variables();
    const [grads] = tf.clip_by_global_norm(tf.gradients(loss, trainable_variables), 10);
    const train_op = tf.train
      .RMSPropOptimizer(0.01, { momentum: 0.9, decay: 0.95 })
      .apply_gradients(grads.map((g, i) => [g, trainable_variables[i]]));
    show(
      "params",
      trainable_variables.map(v => v.op.name),
    );
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    let seq!: number[][][];
    for (const i of range(4)) {
      const bits = each(rnd(i, B, L, N), Math.round);
      const rows = bits.toArray() as number[][][];
      seq = range(B).map(b => range(2 * L + 1).map(t => [...(t < L ? rows[b][t] : [0, 0, 0, 0]), t === L ? 1 : 0]));
      const [l] = await sess.run([loss, train_op], {
        feed_dict: [
          [copy_in, seq],
          [copy_out, bits],
        ],
      });
      show("ntm", l);
    }
    show("w", await sess.run(tf.stack(weights), { feed_dict: [[copy_in, seq]] }));
  }
  tf.reset_default_graph();
  tf.set_random_seed(7);
  {
    const [vocab, sent, mem, D] = [9, 4, 5, 3];
    function position_encoding(sentence_size: number, embedding_size: number) {
      const at = (i: number, j: number) => (i - (embedding_size + 1) / 2) * (j - (sentence_size + 1) / 2);
      return range(sentence_size).map(j =>
        range(embedding_size).map(i => (j === sentence_size - 1 ? 1.0 : 1 + (4 * at(i + 1, j + 1)) / embedding_size / sentence_size)),
      );
    }
    function zero_nil_slot(t: tf.TensorLike | tf.IndexedSlices, name: string | null = null) {
      return tf.name_scope(name, "zero_nil_slot", [t], (name: string) => {
        const x = tf.convert_to_tensor(t, { name: "t" });
        const s = tf.shape(x)[1];
        const z = tf.zeros(tf.stack([1, s]));
        return tf.concat({ axis: 0, values: [z, tf.slice(x, [1, 0], [-1, -1])], name });
      });
    }
    function add_gradient_noise(
      t: tf.TensorLike | tf.IndexedSlices,
      { stddev = 1e-3, name = null }: { stddev?: number; name?: string | null } = {},
    ) {
      return tf.name_scope(name, "add_gradient_noise", [t, stddev], (name: string) => {
        const x = tf.convert_to_tensor(t, { name: "t" });
        const gn = tf.random_normal(tf.shape(x), { stddev });
        return tf.add(x, gn, { name });
      });
    }
    const stories = tf.placeholder(tf.int32, [null, mem, sent], { name: "stories" }),
      queries = tf.placeholder(tf.int32, [null, sent], { name: "queries" }),
      answers = tf.placeholder(tf.int32, [null, vocab], { name: "answers" }),
      lr = tf.placeholder(tf.float32, [], { name: "learning_rate" });
    const init = tf.random_normal_initializer({ stddev: 0.3 });
    const encoding = tf.constant(position_encoding(sent, D), { name: "encoding" });
    const nil_vars = new Set<string>();
    const Cs: tf.Variable[] = [];
    const A_1 = tf.variable_scope("MemN2N", () => {
      const nil_word_slot = tf.zeros([1, D]);
      const A = tf.concat({ axis: 0, values: [nil_word_slot, init([vocab - 1, D])] });
      const C = tf.concat({ axis: 0, values: [nil_word_slot, init([vocab - 1, D])] });
      const A_1 = tf.Variable(A, { name: "A" });
      nil_vars.add(A_1.name);
      for (const hopn of range(2)) {
        tf.variable_scope(`hop_${hopn}`, () => {
          Cs.push(tf.Variable(C, { name: "C" }));
          nil_vars.add(Cs.at(-1)!.name);
        });
      }
      return A_1;
    });
    const q_emb = tf.nn.embedding_lookup(A_1, queries);
    const u = [tf.reduce_sum(q_emb.mul(encoding), 1)];
    let probs!: tf.Tensor;
    for (const hopn of range(2)) {
      const m_emb_A = tf.nn.embedding_lookup(hopn === 0 ? A_1 : Cs[hopn - 1], stories);
      const m_A = tf.reduce_sum(m_emb_A.mul(encoding), 2);
      const u_temp = tf.transpose(tf.expand_dims(u.at(-1)!, -1), [0, 2, 1]);
      const dotted = tf.reduce_sum(m_A.mul(u_temp), 2);
      probs = tf.nn.softmax(dotted);
      const probs_temp = tf.transpose(tf.expand_dims(probs, -1), [0, 2, 1]);
      const m_C = tf.reduce_sum(tf.nn.embedding_lookup(Cs[hopn], stories).mul(encoding), 2);
      const c_temp = tf.transpose(m_C, [0, 2, 1]);
      const o_k = tf.reduce_sum(c_temp.mul(probs_temp), 2);
      u.push(u.at(-1)!.add(o_k));
    }
    const logits = tf.matmul(u.at(-1)!, tf.transpose(Cs.at(-1)!, [1, 0]));
    const loss_op = tf.reduce_sum(
      tf.nn.softmax_cross_entropy_with_logits({ logits, labels: tf.cast(answers, tf.float32), name: "cross_entropy" }),
      { name: "loss" },
    );
    const opt = tf.train.GradientDescentOptimizer({ learning_rate: lr });
    const grads_and_vars = opt.compute_gradients(loss_op);
    const clipped = grads_and_vars.map(([g, v]) => [tf.clip_by_norm(g!, 4.0), v] as const);
    const noisy = clipped.map(([g, v]) => [add_gradient_noise(g), v] as const);
    const nil_grads_and_vars = noisy.map(([g, v]) => (nil_vars.has(v.name) ? ([zero_nil_slot(g), v] as const) : ([g, v] as const)));
    const train_op = opt.apply_gradients(nil_grads_and_vars, { name: "train_op" });
    const predict = tf.argmax(logits, 1, { name: "predict_op" });
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    let feed!: Map<tf.Tensor, tf.FeedValue>;
    for (const i of range(4)) {
      const eye = [...ints(i + 2, vocab, 4).data].map(k => range(vocab).map(j => (j === Number(k) ? 1 : 0)));
      feed = new Map<tf.Tensor, tf.FeedValue>([
        [stories, ints(i, vocab, 4, mem, sent)],
        [queries, ints(i + 1, vocab, 4, sent)],
        [answers, eye],
        [lr, 0.05],
      ]);
      show("memn2n", (await sess.run([loss_op, train_op], { feed_dict: feed }))[0]);
    }
    show("predict", await sess.run([predict, probs, Cs[0]], { feed_dict: feed }));
  }
  tf.reset_default_graph();
  tf.set_random_seed(8);
  {
    const seq_in = tf.placeholder(tf.float32, [null, null, 2], { name: "points" }),
      seq_length = tf.placeholder(tf.int32, [null], { name: "lengths" }),
      target = tf.placeholder(tf.int32, [null, null], { name: "order" });
    const HID = 5;
    const cell = tf.nn.rnn_cell.LSTMCell(HID, { initializer: tf.random_uniform_initializer(-0.3, 0.3) });
    const [batch, max_len] = [tf.shape(seq_in)[0], tf.shape(seq_in)[1]];
    const [encoded, enc_state] = tf.nn.dynamic_rnn(cell, tf.layers.conv1d(seq_in, HID, 1, { use_bias: false, name: "embed" }), seq_length, {
      dtype: tf.float32,
      scope: "encoder",
    });
    const first = tf.tile(tf.get_variable("first_decoder_input", [1, 1, HID]), [batch, 1, 1]);
    const enc_out = tf.concat([first, encoded], 1);
    const W_ref = tf.get_variable("W_ref", [1, HID, HID]),
      W_q = tf.get_variable("W_q", [HID, HID]),
      v = tf.get_variable("v", [HID]);
    const attention = (ref: tf.Tensor, query: tf.Tensor) =>
      tf.reduce_sum(v.mul(tf.tanh(tf.nn.conv1d(ref, W_ref, 1, "VALID").add(tf.expand_dims(tf.matmul(query, W_q), 1)))), [-1]);
    function index_matrix_to_pairs(index_matrix: tf.Tensor) {
      const rows = tf.expand_dims(tf.range(tf.shape(index_matrix)[0]), { dim: 1 });
      return tf.stack([tf.tile(rows, [1, tf.shape(index_matrix)[1]]), index_matrix], { axis: 2 });
    }
    const logits = tf.variable_scope("decoder", () => {
      const pairs = index_matrix_to_pairs(target);
      const dec_in = tf.concat([first, tf.gather_nd(enc_out, pairs).at([], [null, -1])], 1);
      const [dec_out] = tf.nn.dynamic_rnn(cell, dec_in, seq_length, { initial_state: enc_state });
      const logits = tf.map_fn(q => attention(enc_out, q), tf.transpose(dec_out, [1, 0, 2]));
      return tf.transpose(logits, [1, 0, 2]);
    });
    const mask = tf.cast(tf.sequence_mask(seq_length, max_len), tf.float32);
    const ce = tf.nn.sparse_softmax_cross_entropy_with_logits({ labels: target, logits });
    const loss = tf.reduce_sum(ce.mul(mask)).div(tf.reduce_sum(mask));
    const tour = tf.variable_scope("decoder", { reuse: true }, () => {
      function body(i: tf.Tensor, inp: tf.Tensor, state: tf.nn.rnn_cell.LSTMStateTuple, chosen: tf.TensorArray, used: tf.Tensor) {
        const [out, next] = tf.nn.dynamic_rnn(cell, tf.expand_dims(inp, 1), { initial_state: state });
        const score = attention(enc_out, out.at([], 0)).sub(used.mul(1e9));
        const pick = tf.argmax(score, 1, { output_type: tf.int32 });
        return [
          i.add(1),
          tf.gather_nd(enc_out, tf.stack([tf.range(batch), pick], 1)),
          next,
          chosen.write(i, pick),
          used.add(tf.one_hot(pick, max_len.add(1))),
        ];
      }
      const [, , , chosen] = tf.while_loop(i => i.less(max_len), body, [
        tf.constant(0, tf.int32),
        first.at([], 0),
        enc_state,
        tf.TensorArray(tf.int32, max_len),
        tf.zeros([batch, max_len.add(1)]),
      ]);
      return tf.transpose(chosen.stack());
    });
    const optim = tf.train.AdamOptimizer(0.02);
    const train = optim.apply_gradients(optim.compute_gradients(loss).map(([g, v]) => [tf.clip_by_norm(g!, 2.0), v]));
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    let feed!: Map<tf.Tensor, tf.FeedValue>;
    for (const i of range(4)) {
      const points = rnd(i, 3, 4, 2);
      const order = (points.toArray() as number[][][]).map(row =>
        range(4)
          .sort((a, b) => row[a][0] - row[b][0])
          .map(k => k + 1),
      );
      feed = new Map<tf.Tensor, tf.FeedValue>([
        [seq_in, points],
        [seq_length, [4, 3, 4]],
        [target, order],
      ]);
      show("pointer", (await sess.run([loss, train], feed))[0]);
    }
    show("tour", await sess.run(tour, feed));
  }
  tf.reset_default_graph();
  tf.set_random_seed(9);
  const E = 4;
  const is_leaf = tf.placeholder(tf.bool, [null], { name: "is_leaf" }),
    left = tf.placeholder(tf.int32, [null], { name: "left" }),
    right = tf.placeholder(tf.int32, [null], { name: "right" }),
    words = tf.placeholder(tf.int32, [null], { name: "words" }),
    labels = tf.placeholder(tf.int32, [null], { name: "labels" });
  const embeddings = tf.variable_scope("Embeddings", () => tf.get_variable("embeddings", [8, E]));
  const [U, b, Wl] = tf.variable_scope("Composition", () => [
    tf.get_variable("U", [2 * E, 5 * E]),
    tf.get_variable("b", [1, 5 * E], { initializer: tf.zeros_initializer() }),
    tf.get_variable("Wl", [E, 2 * E]),
  ]);
  const [P, bs] = tf.variable_scope("Projection", () => [tf.get_variable("P", [E, 3]), tf.get_variable("bs", [1, 3])]);
  const array = () => tf.TensorArray(tf.float32, { size: 0, dynamic_size: true, clear_after_read: false, infer_shape: false });
  const [h_array, c_array] = [array(), array()];
  function leaf(word: tf.Tensor) {
    const z = tf.matmul(tf.expand_dims(tf.gather(embeddings, word), 0), Wl);
    const c = tf.tanh(z.at([], [null, E]));
    return [tf.sigmoid(z.at([], [E, null])).mul(tf.tanh(c)), c];
  }
  function node(hl: tf.Tensor, hr: tf.Tensor, cl: tf.Tensor, cr: tf.Tensor) {
    const [i, fl, fr, o, g] = tf.split(tf.matmul(tf.concat([hl, hr], 1), U).add(b), 5, { axis: 1 });
    const c = tf
      .sigmoid(i)
      .mul(tf.tanh(g))
      .add(tf.sigmoid(fl.add(1.0)).mul(cl))
      .add(tf.sigmoid(fr.add(1.0)).mul(cr));
    return [tf.sigmoid(o).mul(tf.tanh(c)), c];
  }
  function loop_body(hs: tf.TensorArray, cs: tf.TensorArray, i: tf.Tensor) {
    const [word, l, r] = [tf.gather(words, i), tf.gather(left, i), tf.gather(right, i)];
    const [h, c] = tf.cond(
      tf.gather(is_leaf, i),
      () => leaf(word),
      () => node(hs.read(l), hs.read(r), cs.read(l), cs.read(r)),
    );
    h.set_shape([1, E]);
    c.set_shape([1, E]);
    return [hs.write(i, h), cs.write(i, c), tf.add(i, 1)];
  }
  const [hs] = tf.while_loop(
    (_hs, _cs, i) => tf.less(i, tf.squeeze(tf.shape(is_leaf))),
    loop_body,
    [h_array, c_array, tf.constant(0, tf.int32)],
    { parallel_iterations: 1 },
  );
  const tree_logits = tf.matmul(hs.concat(), P).add(bs),
    root = tf.matmul(hs.read(hs.size().sub(1)), P).add(bs);
  const loss = tf
    .reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits({ logits: tree_logits, labels }))
    .add(tf.multiply(0.01, tf.nn.l2_loss(U).add(tf.nn.l2_loss(P))));
  const train = tf.train.AdagradOptimizer(0.1).minimize(loss);
  const trees = [
    [
      [1, 1, 0, 1, 0],
      [-1, -1, 0, -1, 2],
      [-1, -1, 1, -1, 3],
      [3, 5, -1, 1, -1],
    ],
    [
      [1, 1, 1, 0, 0],
      [-1, -1, -1, 1, 0],
      [-1, -1, -1, 2, 3],
      [2, 7, 0, -1, -1],
    ],
    [
      [1, 1, 0],
      [-1, -1, 0],
      [-1, -1, 1],
      [4, 6, -1],
    ],
  ];
  await using sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  let feed!: Map<tf.Tensor, tf.FeedValue>;
  for (const _epoch of range(3)) {
    for (const [k, [a, l, r, w]] of trees.entries()) {
      feed = new Map<tf.Tensor, tf.FeedValue>([
        [is_leaf, a.map(Boolean)],
        [left, l],
        [right, r],
        [words, w.map(x => Math.max(x, 0))],
        [labels, ints(k, 3, a.length)],
      ]);
      show("tree", (await sess.run([loss, train], { feed_dict: feed }))[0]);
    }
  }
  show("root", await sess.run(root, { feed_dict: feed }));
}
