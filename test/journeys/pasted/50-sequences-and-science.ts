// Sequences and statistics: mel spectrograms, MFCC and CTC with beams; a CRF by scan; a neural ODE by while_loop; a Gaussian process by cholesky; EM for a
// mixture and a topic model; a factorization through sparse tensors: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { each, ints, range, rnd, type Show } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  tf.set_random_seed(41);
  {
    const signals = tf.placeholder(tf.float32, [null, null], { name: "signals" });
    const labels = tf.sparse_placeholder(tf.int32, { name: "labels" });
    const [sample_rate, C] = [800.0, 6];
    const stfts = tf.signal.stft(signals, { frame_length: 64, frame_step: 32, fft_length: 64, pad_end: true });
    const spectrograms = tf.abs(stfts);
    const num_bins = stfts.shape[-1].value!;
    show("bins", num_bins);
    const mel = tf.signal.linear_to_mel_weight_matrix(8, num_bins, sample_rate, 20.0, 390.0);
    const mel_spectrograms = tf.tensordot(spectrograms, mel, 1);
    mel_spectrograms.set_shape(spectrograms.shape.at([null, -1]).concatenate(mel.shape.at([-1, null])));
    const log_mel = tf.log(mel_spectrograms.add(1e-6));
    const mfccs = tf.signal.mfccs_from_log_mel_spectrograms(log_mel).at("...", [null, 6]);
    show("shape", String(mfccs.shape));
    function delta(x: tf.Tensor) {
      const p = tf.pad(
        x,
        [
          [0, 0],
          [1, 1],
          [0, 0],
        ],
        "SYMMETRIC",
      );
      return p
        .at([], [2, null])
        .sub(p.at([], [null, -2]))
        .div(2.0);
    }
    let feats = tf.concat([mfccs, delta(mfccs), delta(delta(mfccs))], -1);
    const [mean, variance] = tf.nn.moments(feats, [1], { keep_dims: true });
    feats = feats.sub(mean).mul(tf.rsqrt(variance.add(1e-5)));
    const lens = tf.fill([tf.shape(feats)[0]], tf.shape(feats)[1]);
    const [fw, bw] = [1, 2].map(seed => tf.nn.rnn_cell.GRUCell(5, { kernel_initializer: tf.glorot_uniform_initializer({ seed }) }));
    const [[of, ob]] = tf.nn.bidirectional_dynamic_rnn(fw, bw, feats, lens, { dtype: tf.float32 });
    const logits = tf.layers.dense(tf.concat([of, ob], 2), C);
    const tm = tf.transpose(logits, [1, 0, 2]);
    const ctc = tf.reduce_mean(tf.nn.ctc_loss(labels, tm, lens, { ignore_longer_outputs_than_inputs: true }));
    const dense_ctc = tf.reduce_mean(
      tf.nn.ctc_loss_v2(
        tf.sparse_to_dense(labels.indices, labels.dense_shape, labels.values),
        tm,
        tf.fill([tf.shape(signals)[0]], tf.constant(3, tf.int32)),
        lens,
        { blank_index: C - 1 },
      ),
    );
    const opt = tf.train.RMSPropOptimizer(0.01, { momentum: 0.5 });
    const gv = opt.compute_gradients(ctc);
    const step = opt.apply_gradients(gv.map(([g, v]) => [tf.clip_by_value(g!, -1, 1), v]));
    const [decoded, neg] = tf.nn.ctc_beam_search_decoder(tm, lens, { beam_width: 5, top_paths: 3 });
    const [greedy] = tf.nn.ctc_greedy_decoder(tm, lens, { merge_repeated: true });
    const ler = tf.reduce_mean(tf.edit_distance(tf.cast(greedy[0], tf.int32), labels));
    const back = tf.signal.inverse_stft(stfts, 64, 32, 64, { window_fn: tf.signal.inverse_stft_window_fn(32) });
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    const sparse = tf.SparseTensorValue(
      range(2).flatMap(b => range(3).map(k => [b, k])),
      ints(5, C - 1, 6),
      [2, 3],
    );
    const f = new Map<tf.FeedKey, tf.FeedValue>([
      [signals, each(rnd(1, 2, 300), x => x - 0.5)],
      [labels, sparse],
    ]);
    show("mfcc", await sess.run(mfccs, f));
    for (const _ of range(4)) show("ctc", (await sess.run([ctc, dense_ctc, ler, step], f)).slice(0, 3));
    const [d, n] = await sess.run([decoded, neg], f);
    show("neg", n);
    show(
      "beam",
      d.map(v => [v.values, v.dense_shape]),
    );
    show("greedy", (await sess.run(greedy, f))[0].values);
    show("back", await sess.run(back.at([], [32, 200]), f));
  }
  tf.reset_default_graph();
  tf.set_random_seed(42);
  {
    const unary = tf.placeholder(tf.float32, [null, null, 4], { name: "unary" });
    const tags = tf.placeholder(tf.int32, [null, null], { name: "tags" });
    const length = tf.placeholder(tf.int32, [null], { name: "length" });
    const trans = tf.get_variable("trans", [4, 4], { initializer: tf.random_uniform_initializer(-1, 1) });
    const scale = tf.get_variable("scale", { initializer: 1.0 });
    const u = unary.mul(scale);
    const time_major = tf.transpose(u, [1, 0, 2]);
    const mask = tf.sequence_mask(length, tf.shape(u)[1], { dtype: tf.float32 });
    const tmask = tf.transpose(mask);
    function forward(alpha: tf.Tensor, [x, m0]: [tf.Tensor, tf.Tensor]) {
      const fresh = x.add(tf.reduce_logsumexp(alpha.at([], [], tf.newaxis).add(tf.expand_dims(trans, 0)), 1));
      const m = m0.at([], tf.newaxis);
      return m.mul(fresh).add(tf.subtract(1, m).mul(alpha));
    }
    const alphas = tf.scan(forward, [time_major.at([1, null]), tmask.at([1, null])], { initializer: time_major[0] });
    const alpha = tf.concat([time_major.at([null, 1]), alphas], 0)[-1];
    const log_norm = tf.reduce_logsumexp(alpha, 1);
    const ix = tf.stack([...tf.meshgrid(tf.range(tf.shape(tags)[0]), tf.range(tf.shape(tags)[1]), { indexing: "ij" }), tags], -1);
    const pairs = tf.stack([tags.at([], [null, -1]), tags.at([], [1, null])], -1);
    const score = tf
      .reduce_sum(tf.gather_nd(u, ix).mul(mask), 1)
      .add(tf.reduce_sum(tf.gather_nd(trans, pairs).mul(mask.at([], [1, null])), 1));
    const nll = tf.reduce_mean(log_norm.sub(score));
    function viterbi([s]: [tf.Tensor, tf.Tensor], [x, m0]: [tf.Tensor, tf.Tensor]) {
      const t = s.at([], [], tf.newaxis).add(trans);
      const best = tf.reduce_max(t, 1).add(x);
      const ptr = tf.argmax(t, 1, { output_type: tf.int32 });
      const m = tf.tile(m0.at([], tf.newaxis).greater(0), [1, 4]);
      return [tf.where(m, best, s), tf.where(m, ptr, tf.tile(tf.range(4, { dtype: tf.int32 }).at(tf.newaxis), [tf.shape(ptr)[0], 1]))];
    }
    const [scores, ptrs] = tf.scan(viterbi, [time_major.at([1, null]), tmask.at([1, null])], {
      initializer: [time_major[0], tf.zeros_like(time_major[0], tf.int32)],
    });
    const last = tf.argmax(scores[-1], 1, { output_type: tf.int32 });
    let path = tf.scan((tag: tf.Tensor, p: tf.Tensor) => tf.reduce_sum(tf.one_hot(tag, 4, { dtype: tf.int32 }).mul(p), 1), ptrs, {
      initializer: last,
      reverse: true,
    });
    path = tf.transpose(tf.concat([path, last.at(tf.newaxis)], 0));
    const train = tf.train.AdamOptimizer(0.05).minimize(nll);
    const marg = tf.gradients(log_norm, u)[0]!;
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    let f!: Map<tf.FeedKey, tf.FeedValue>;
    const feed = (s: number, b: number, t: number, l: number[]) =>
      new Map<tf.FeedKey, tf.FeedValue>([
        [unary, rnd(s, b, t, 4)],
        [tags, ints(s, 4, b, t)],
        [length, l],
      ]);
    for (const i of range(3)) {
      f = feed(i, 3, 5, [5, 3, 4]);
      show("crf", (await sess.run([nll, log_norm, score, train], f)).slice(0, 3));
    }
    show("path", await sess.run(path, f));
    show("marginals", await sess.run(marg, f));
    show("other", await sess.run([path, nll], feed(9, 2, 7, [7, 2])));
  }
  tf.reset_default_graph();
  tf.set_random_seed(43);
  {
    const y0 = tf.placeholder(tf.float32, [null, 2]);
    const times = tf.placeholder(tf.float32, [null]);
    const target = tf.placeholder(tf.float32, [null, null, 2]);
    function net(y: tf.Tensor, t: tf.Tensor) {
      const h = tf.layers.dense(tf.concat([y.pow(3), tf.fill([tf.shape(y)[0], 1], t)], 1), 6, tf.nn.tanh, {
        name: "h",
        reuse: tf.AUTO_REUSE,
        kernel_initializer: tf.glorot_normal_initializer({ seed: 1 }),
      });
      return tf.layers.dense(h, 2, {
        name: "o",
        reuse: tf.AUTO_REUSE,
        kernel_initializer: tf.glorot_normal_initializer({ seed: 2 }),
      });
    }
    function rk4(y: tf.Tensor, t: tf.Tensor, dt: tf.Tensor) {
      const k1 = net(y, t);
      const k2 = net(y.add(dt.mul(k1).div(2)), t.add(dt.div(2)));
      const k3 = net(y.add(dt.mul(k2).div(2)), t.add(dt.div(2)));
      const k4 = net(y.add(dt.mul(k3)), t.add(dt));
      return y.add(dt.mul(k1.add(k2.mul(2)).add(k3.mul(2)).add(k4)).div(6));
    }
    const n = tf.size(times);
    let ta = new tf.TensorArray(tf.float32, n, { clear_after_read: false, infer_shape: false }).write(0, y0);
    let yT: tf.Tensor;
    [, yT, ta] = tf.while_loop(
      (i: tf.Tensor) => i.less(n),
      (i: tf.Tensor, y: tf.Tensor, ta: tf.TensorArray) => {
        const fresh = rk4(y, times.at(i.sub(1)), times.at(i).sub(times.at(i.sub(1))));
        return [i.add(1), fresh, ta.write(i, fresh)];
      },
      [tf.constant(1, tf.int32), y0, ta],
      { parallel_iterations: 1, swap_memory: true },
    );
    const ys = ta.stack();
    ys.set_shape([null, null, 2]);
    const mse = tf.losses.mean_squared_error(target, ys);
    const train = tf.train.AdamOptimizer(0.02).minimize(mse);
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    for (const k of [4, 6, 4]) {
      const f: [tf.Tensor, tf.FeedValue][] = [
        [y0, rnd(k, 3, 2)],
        [times, range(k).map(i => i / (k - 1))],
        [target, rnd(k + 1, k, 3, 2)],
      ];
      show("ode", (await sess.run([mse, yT, train], f)).slice(0, 2));
    }
  }
  tf.reset_default_graph();
  {
    const [X, Y, Xs] = [rnd(1, 7, 2), rnd(2, 7, 1), rnd(3, 4, 2)].map(v => tf.constant(v, tf.float64));
    const [ls, amp, noise] = (
      [
        ["ls", 0.7],
        ["amp", 1.2],
        ["noise", 0.1],
      ] as const
    ).map(([name, v]) => tf.Variable(Math.log(v), { dtype: tf.float64, name }));
    function kernel(a: tf.Tensor, b: tf.Tensor) {
      const d = tf.reduce_sum(tf.squared_difference(a.at([], null), b.at(null)), -1);
      return tf.exp(tf.multiply(2, amp)).mul(tf.exp(d.mul(-0.5).div(tf.exp(tf.multiply(2, ls)))));
    }
    const L = tf.cholesky(kernel(X, X).add(tf.exp(tf.multiply(2, noise)).mul(tf.eye(7, { dtype: tf.float64 }))));
    const al = tf.cholesky_solve(L, Y);
    const nlml = tf
      .reduce_sum(Y.mul(al))
      .mul(0.5)
      .add(tf.reduce_sum(tf.log(tf.matrix_diag_part(L))))
      .add(3.5 * Math.log(2 * Math.PI));
    const ks = kernel(X, Xs);
    const mu = tf.matmul(ks, al, { transpose_a: true });
    const V = tf.matrix_triangular_solve(L, ks);
    const cov = kernel(Xs, Xs).sub(tf.matmul(V, V, { adjoint_a: true }));
    const hess = tf.hessians(nlml, [ls, amp]);
    const gp = tf.train.GradientDescentOptimizer(0.05).minimize(nlml);
    const R = tf.Variable(tf.nn.softmax(tf.constant(rnd(5, 12, 3)).mul(4)));
    const P = tf.constant(rnd(6, 12, 2)).mul(3);
    const nk = tf.reduce_sum(R, 0);
    const m = tf.matmul(R, P, { transpose_a: true }).div(nk.at([], null));
    const dif = P.at(null).sub(m.at([], null));
    const S = tf
      .einsum("kni,knj,nk->kij", dif, dif, R)
      .div(nk.at([], null, null))
      .add(tf.multiply(0.05, tf.eye(2, { batch_shape: [3] })));
    const ch = tf.cholesky(S);
    const z = tf.matrix_triangular_solve(ch, tf.transpose(dif, [0, 2, 1]));
    const lp = tf
      .transpose(
        tf
          .reduce_sum(z.pow(2), 1)
          .mul(-0.5)
          .sub(tf.reduce_sum(tf.log(tf.matrix_diag_part(ch)), -1).at([], null)),
      )
      .sub(Math.log(2 * Math.PI))
      .add(tf.log(nk.div(12)));
    const ll = tf.reduce_sum(tf.reduce_logsumexp(lp, 1));
    const em = R.assign(tf.nn.softmax(lp));
    const counts = tf.constant(ints(7, 5, 5, 6), tf.float32);
    const eta = tf.Variable(each(rnd(8, 3, 6), x => x + 0.1));
    function e_step(gamma: tf.Tensor, _: tf.Tensor) {
      const et = tf.exp(tf.digamma(gamma).sub(tf.digamma(tf.reduce_sum(gamma, 1, { keepdims: true }))));
      const eb = tf.exp(tf.digamma(eta).sub(tf.digamma(tf.reduce_sum(eta, 1, { keepdims: true }))));
      const phi = tf.matmul(et, eb).add(1e-9);
      return [
        tf.add(0.1, et.mul(tf.matmul(counts.div(phi), eb, { transpose_b: true }))),
        eb.mul(tf.matmul(et, counts.div(phi), { transpose_a: true })),
      ];
    }
    const [gamma, suff] = tf.while_loop(
      (g: tf.Tensor, s: tf.Tensor) => tf.reduce_max(tf.abs(g.sub(e_step(g, s)[0]))).greater(1e-2),
      e_step,
      [tf.ones([5, 3]).add(rnd(9, 5, 3)), tf.zeros([3, 6])],
      { maximum_iterations: 20, back_prop: false },
    );
    const lda = eta.assign(suff.add(0.2));
    await using sess = new tf.Session();
    await sess.run(tf.global_variables_initializer());
    for (const _ of range(3)) {
      show("gp", (await sess.run([nlml, hess, gp])).slice(0, 2));
      show("em", (await sess.run([ll, em]))[0]);
      show("lda", await sess.run([gamma, lda]));
    }
    show("mean", await sess.run(mu));
    show("cov", await sess.run(cov));
    show("R", await sess.run(R));
  }
  tf.reset_default_graph();
  tf.set_random_seed(44);
  const A = tf.sparse_placeholder(tf.float32, [5, 6], { name: "A" });
  const U = tf.get_variable("U", [5, 2], { initializer: tf.random_normal_initializer({ seed: 1 }) });
  const W = tf.get_variable("W", [6, 2], { initializer: tf.random_normal_initializer({ seed: 2 }) });
  const pred = tf.gather_nd(tf.matmul(U, W, { transpose_b: true }), A.indices);
  const err = new tf.SparseTensor(A.indices, A.values.sub(pred), A.dense_shape);
  const train_loss = tf.losses.mean_squared_error(A.values, pred);
  const reg = tf.reduce_sum(tf.square(err.values));
  const ones = new tf.SparseTensor(A.indices, tf.ones_like(A.values), A.dense_shape);
  const au = tf.sparse_tensor_dense_matmul(A, W).div(tf.sparse_reduce_sum(ones, 1, { keepdims: true }).add(1.0));
  const rows = tf.sparse_softmax(A);
  const picked = tf.sparse_retain(A, A.values.greater(0.5));
  const sl = tf.sparse_slice(A, [1, 0], [3, 4]);
  const cat = tf.sparse_concat(1, [A, tf.sparse_reorder(tf.sparse_transpose(tf.sparse_reshape(picked, [6, 5])))]);
  const total = train_loss.add(tf.reduce_sum(au.pow(2)).mul(0.01)).add(tf.reduce_sum(rows.values.mul(A.values)).mul(0.1));
  const step = tf.train.AdagradOptimizer(0.5).minimize(total);
  await using sess = new tf.Session();
  await sess.run(tf.global_variables_initializer());
  for (const k of [7, 9]) {
    const places = range(k)
      .map(i => [i % 5, (i * 5 + Math.floor(i / 5)) % 6])
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const sv = tf.SparseTensorValue(places, rnd(k, k), [5, 6]);
    show("mf", (await sess.run([total, reg, step], [[A, sv]])).slice(0, 2));
    const parts = await sess.run([rows, picked, sl, cat], [[A, sv]]);
    show(
      "parts",
      parts.map(t => [t.indices, t.values, t.dense_shape]),
    );
  }
  show("U", await sess.run(U));
}
