// Routing and sampling: experts that tokens are sent to by dynamic_partition and stitched together, a gate with noise and a balance loss, folds over trees and
// reversed sequences, Hamiltonian Monte Carlo and an adaptive integrator in while_loops, quantization-aware training with gradients overridden, own gradients
// of Python functions, a loss scale: its twin in Python line by line.

import * as tf from "tensorloom/compat";
import { each, ints, minus, nodes, over, plus, range, rnd, type Show, times } from "./inputs.ts";

export async function main(show: Show): Promise<void> {
  await experts(show);
  tf.reset_default_graph();
  await folds(show);
  tf.reset_default_graph();
  await samplers(show);
  tf.reset_default_graph();
  await quantization(show);
}

async function experts(show: Show): Promise<void> {
  tf.set_random_seed(57);
  const [E_, D] = [3, 4];
  const x = tf.placeholder(tf.float32, [null, D], { name: "tokens" }),
    y = tf.placeholder(tf.float32, [null, 2], { name: "targets" }),
    n = tf.shape(x)[0];
  const w_gate = tf.get_variable("w_gate", [D, E_], { initializer: tf.random_normal_initializer({ seed: 1 }) }),
    w_noise = tf.get_variable("w_noise", [D, E_], { initializer: tf.zeros_initializer() });
  const clean = tf.matmul(x, w_gate);
  const noisy = clean.add(tf.random_normal(tf.shape(clean), { seed: 2 }).mul(tf.nn.softplus(tf.matmul(x, w_noise)).add(1e-2)));
  const [top_logits, top_indices] = tf.nn.top_k(noisy, { k: 2 }),
    top_gates = tf.nn.softmax(top_logits);
  const gates = tf.reduce_sum(tf.one_hot(top_indices, E_).mul(top_gates.at([], [], tf.newaxis)), 1);
  class SparseDispatcher {
    _gates: tf.Tensor;
    _num_experts: number;
    _expert_index: tf.Tensor;
    _batch_index: tf.Tensor;
    _part_sizes_tensor: tf.Tensor;
    _nonzero_gates: tf.Tensor;
    constructor(num_experts: number, gates: tf.Tensor) {
      this._gates = gates;
      this._num_experts = num_experts;
      const where = tf.to_int32(tf.where(tf.transpose(gates).greater(0)));
      [this._expert_index, this._batch_index] = tf.unstack(where, { num: 2, axis: 1 });
      this._part_sizes_tensor = tf.reduce_sum(tf.to_int32(gates.greater(0)), [0]);
      this._nonzero_gates = tf.gather(tf.reshape(this._gates, [-1]), this._batch_index.mul(num_experts).add(this._expert_index));
    }
    dispatch(inp: tf.Tensor) {
      return tf.split(tf.gather(inp, this._batch_index), this._part_sizes_tensor, 0, { num: this._num_experts });
    }
    combine(expert_out: tf.Tensor[]) {
      const stitched = tf.concat(expert_out, 0).mul(tf.expand_dims(this._nonzero_gates, 1));
      return tf.unsorted_segment_sum(stitched, this._batch_index, tf.shape(this._gates)[0]);
    }
  }
  const dispatcher = new SparseDispatcher(E_, gates);
  const expert = (i: number, h: tf.Tensor) =>
    tf.variable_scope(`expert_${i}`, () => {
      const hidden = tf.layers.dense(h, 5, tf.nn.swish, { kernel_initializer: tf.glorot_uniform_initializer({ seed: i }) });
      return tf.layers.dense(hidden, 2, { kernel_initializer: tf.glorot_uniform_initializer({ seed: 10 + i }) });
    });
  const mixed = dispatcher.combine(dispatcher.dispatch(x).map((h, i) => expert(i, h)));
  // the same kind of routing, hard, by dynamic_partition and back by dynamic_stitch
  const choice = tf.argmax(clean, 1, { output_type: tf.int32 }),
    parts = tf.dynamic_partition(x, choice, E_),
    places = tf.dynamic_partition(tf.range(n), choice, E_);
  const hard = tf.dynamic_stitch(
    places,
    parts.map((p, i) => p.mul(i + 1.0).add(tf.get_variable(`shift_${i}`, [D], { initializer: tf.constant_initializer(0.1 * i) }))),
  );
  hard.set_shape([null, D]);
  function cv_squared(v: tf.Tensor) {
    const epsilon = 1e-10;
    const float_size = tf.to_float(tf.size(v)).add(epsilon),
      mean = tf.reduce_sum(v).div(float_size);
    return tf.reduce_sum(tf.squared_difference(v, mean)).div(float_size).div(tf.square(mean).add(epsilon));
  }
  const importance = tf.reduce_sum(gates, 0),
    load = tf.reduce_sum(tf.to_float(gates.greater(0)), 0);
  const balance = times(1e-1, cv_squared(importance).add(cv_squared(load)));
  const after = tf.layers.dense(hard, 2, { name: "after", kernel_initializer: tf.glorot_uniform_initializer({ seed: 30 }) });
  const loss = tf.losses.mean_squared_error(y, mixed.add(after)).add(balance);
  const trainable = tf.trainable_variables();
  const step = tf.train
    .AdagradDAOptimizer(0.1, tf.train.get_or_create_global_step(), {
      initial_gradient_squared_accumulator_value: 0.1,
      l2_regularization_strength: 1e-3,
    })
    .minimize(loss, { global_step: tf.train.get_global_step() });
  show("nodes", nodes());
  await using sess = tf.Session();
  await sess.run(tf.global_variables_initializer());
  let f!: tf.Feeds;
  for (const [i, k] of [6, 9, 3, 9].entries()) {
    f = [
      [x, each(rnd(i, k, D), v => v - 0.5)],
      [y, rnd(i + 20, k, 2)],
    ];
    show("experts", (await sess.run([loss, balance, importance, load, choice, step], f)).slice(0, -1));
  }
  show("hard", await sess.run(hard, f));
  show("shift", await sess.run(trainable.filter(v => v.op.name.includes("shift"))));
  show("gate", await sess.run([w_gate, w_noise]));
}

async function folds(show: Show): Promise<void> {
  tf.set_random_seed(58);
  const seqs = tf.placeholder(tf.float32, [null, null, 3]),
    lens = tf.placeholder(tf.int32, [null]),
    scale = tf.get_variable("scale", [3], { initializer: tf.constant_initializer([0.5, 1.0, 1.5]) });
  const back = tf.reverse_sequence(seqs, lens, { seq_axis: 1, batch_axis: 0 }),
    tm = tf.transpose(back, [1, 0, 2]);
  const horner = tf.foldl((acc: tf.Tensor, e: tf.Tensor) => acc.mul(0.9).add(e.mul(scale)), tm, {
    initializer: tf.zeros_like(tm[0]),
  });
  const other = tf.foldr((acc: tf.Tensor, e: tf.Tensor) => tf.tanh(acc.add(e)).mul(scale), tm, {
    back_prop: true,
    swap_memory: true,
    name: "right",
  });
  const both = tf.foldl(
    (acc: tf.Tensor[], e: tf.Tensor[]) => [acc[0].add(e[0].mul(e[1].at([], tf.newaxis))), tf.maximum(acc[1], e[1])],
    [tm, tf.reduce_max(tm, 2)],
    { initializer: [tf.zeros_like(tm[0]), tf.fill([tf.shape(tm)[1]], -1.0)], parallel_iterations: 1 },
  );
  const perm = tf.nn.top_k(lens.neg(), tf.shape(lens)[0])[1],
    inverse = tf.invert_permutation(perm),
    sorted_ = tf.gather(seqs, perm);
  const again = tf.batch_gather(tf.gather(sorted_, inverse), tf.tile(tf.range(2).at(null, []), [tf.shape(lens)[0], 1]));
  const segs = tf.cumsum(tf.to_int32(tf.equal(tf.floormod(tf.range(tf.shape(tm)[0]), 2), 0))).sub(1);
  const lowest = tf.segment_min(tm, segs),
    product = tf.unsorted_segment_prod(tm.add(0.5), segs, 3),
    widest = tf.unsorted_segment_max(tm, segs, 4);
  const score = tf
    .reduce_sum(horner.mul(other))
    .add(tf.reduce_sum(both[0]))
    .add(tf.reduce_sum(lowest))
    .add(tf.reduce_sum(product))
    .add(tf.reduce_sum(tf.where(widest.greater(-1e30), widest, tf.zeros_like(widest))));
  const [g_scale, g_seqs] = tf.gradients(score, [scale, seqs]);
  await using sess = tf.Session();
  await sess.run(tf.global_variables_initializer());
  for (const k of [4, 5, 4]) {
    const f: tf.Feeds = [
      [seqs, rnd(k, 3, k, 3)],
      [lens, [k, 2, 3]],
    ];
    show("folds", await sess.run([horner, other, both, score], f));
    show("grads", await sess.run([g_scale!, g_seqs!], f));
    show("order", await sess.run([perm, inverse, again, segs], f));
  }
  show("nodes", nodes());
}

/** Hamiltonian Monte Carlo for a logistic regression, all of it in the graph. */
async function samplers(show: Show): Promise<void> {
  tf.set_random_seed(59);
  const data = tf.constant(each(rnd(1, 12, 2), v => v * 2 - 1)),
    labels = tf.constant(each(rnd(2, 12), v => Number(v > 0.4)));
  function log_posterior(w: tf.TensorLike) {
    const all = labels.at(null, []).mul(tf.ones([tf.shape(w)[0], 1]));
    const logits = tf.matmul(w, data, { transpose_b: true });
    return tf
      .reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits({ labels: all, logits }), 1)
      .neg()
      .add(tf.reduce_sum(tf.distributions.Normal(0.0, 2.0).log_prob(w), 1));
  }
  function leapfrog(w: tf.Tensor, p: tf.Tensor, eps: tf.Variable, steps: number) {
    function body(i: tf.Tensor, w: tf.Tensor, p: tf.Tensor) {
      p = p.add(times(0.5, eps).mul(tf.gradients(log_posterior(w), w)[0]!));
      w = w.add(eps.mul(p));
      const last = log_posterior(w);
      p = p.add(times(0.5, eps).mul(tf.gradients(last, w)[0]!));
      return [i.add(1), w, p, last];
    }
    return tf
      .while_loop(i => tf.less(i, steps), body, [tf.constant(0, tf.int32), w, p, log_posterior(w)], {
        back_prop: false,
        parallel_iterations: 1,
      })
      .slice(1);
  }
  const chain = tf.Variable(tf.zeros([4, 2]), { trainable: false, name: "chain" }),
    eps = tf.Variable(0.2, { trainable: false, name: "eps" }),
    accepted_sum = tf.Variable(0.0, { trainable: false });
  const p0 = tf.random_normal([4, 2], { seed: 3 }),
    current = log_posterior(chain),
    [w1, p1, lp1] = leapfrog(tf.identity(chain), p0, eps, 5);
  const log_accept = lp1
    .sub(times(0.5, tf.reduce_sum(p1.pow(2), 1)))
    .sub(current)
    .add(times(0.5, tf.reduce_sum(p0.pow(2), 1)));
  const accept = tf.log(tf.random_uniform([4], { seed: 4 })).less(log_accept);
  const move = tf.control_dependencies([log_accept], () => chain.assign(tf.where(accept, w1, chain)));
  const rate = tf.reduce_mean(tf.to_float(accept));
  const tune = tf.cond(
    rate.greater(0.65),
    () => eps.assign(eps.mul(1.05)),
    () => eps.assign(eps.mul(0.9)),
    { name: "tune" },
  );
  const sweep = tf.group(move, tune, accepted_sum.assign_add(rate));
  // an integrator of two orders whose step adapts, with tf.while_loop over a tuple, and its gradient
  const mu = tf.Variable(1.5, { name: "mu" }),
    y0 = tf.placeholder_with_default([1.0, 0.5], [2]),
    tol = 1e-3;
  const field = (v: tf.Tensor) =>
    tf.stack([
      v[1],
      mu
        .mul(minus(1, v[0].pow(2)))
        .mul(v[1])
        .sub(v[0]),
    ]);
  function adaptive(t: tf.Tensor, h: tf.Tensor, v: tf.Tensor, used: tf.Tensor, kept: tf.Tensor) {
    const k1 = field(v),
      k2 = field(v.add(h.mul(k1))),
      heun = v.add(h.mul(k1.add(k2)).div(2));
    const err = tf.stop_gradient(tf.norm(h.mul(k2.sub(k1)).div(2), { ord: Infinity }));
    const ok = tf.logical_or(err.less(tol), h.less(1e-3));
    const factor = tf.clip_by_value(times(0.9, tf.sqrt(over(tol, err.add(1e-9)))), 0.3, 2.0);
    const new_t = tf.where(ok, t.add(h), t);
    return [
      new_t,
      tf.minimum(h.mul(factor), tf.maximum(minus(1.0, new_t), 1e-6)),
      tf.where(tf.fill([2], ok), heun, v),
      used.add(1),
      tf.case([[ok, () => kept.add(1)]], { default: () => tf.identity(kept) }),
    ];
  }
  const [t_end, , v_end, used, kept] = tf.while_loop(
    t => tf.less(t, 1.0 - 1e-5),
    adaptive,
    [tf.constant(0.0), tf.constant(0.05), y0, tf.constant(0, tf.int32), tf.constant(0, tf.int32)],
    { maximum_iterations: 200 },
  );
  const [d_mu, d_y0] = tf.gradients(tf.reduce_sum(v_end), [mu, y0]);
  show("nodes", nodes());
  await using sess = tf.Session();
  await sess.run(tf.global_variables_initializer());
  for (const _ of range(5)) {
    await sess.run(sweep);
    show("hmc", await sess.run([chain, eps, accepted_sum]));
  }
  show("ode", await sess.run([t_end, v_end, used, kept]));
  show("sensitivities", await sess.run([d_mu!, d_y0!]));
  show("ode", await sess.run([v_end, used, d_y0!], [[y0, [0.2, -1.0]]]));
}

/** Training that knows of its quantization. */
async function quantization(show: Show): Promise<void> {
  tf.set_random_seed(60);
  tf.RegisterGradient("ClippedStraightThrough")((op: tf.Operation, grad: tf.Tensor) =>
    tf.where(tf.abs(op.inputs[0]).less_equal(1.0), grad, tf.zeros_like(grad)),
  );
  function binarize(t: tf.TensorLike) {
    using _ = tf.get_default_graph().gradient_override_map({ Sign: "ClippedStraightThrough", Round: "Identity" });
    return tf.sign(t);
  }
  function py_round(v: tf.Tensor, name: string | null = null) {
    const rnd_name = "PyFuncGrad77";
    tf.RegisterGradient(rnd_name)((op: tf.Operation, grad: tf.Tensor) => grad.mul(tf.to_float(op.inputs[0].greater(0))));
    using _ = tf.get_default_graph().gradient_override_map({ PyFunc: rnd_name, PyFuncStateless: rnd_name });
    const eighths = (a: tf.NDArray) =>
      each(a, x => {
        const [scaled, floor] = [x * 8, Math.floor(x * 8)];
        const half = scaled - floor;
        return (half < 0.5 || (half === 0.5 && floor % 2 === 0) ? floor : floor + 1) / 8;
      });
    return tf.reshape(tf.py_func(eighths, [v], [tf.float32], { stateful: true, name })[0], tf.shape(v));
  }
  const log1pexp = tf.custom_gradient((v: tf.Tensor) => {
    const e = tf.exp(v);
    const grad = (dy: tf.Tensor) => dy.mul(minus(1, over(1, plus(1, e))));
    return [tf.log(plus(1, e)), grad];
  });
  const scaled = tf.custom_gradient((v: tf.Tensor) => {
    const s = tf.get_variable("s", [], { initializer: tf.constant_initializer(0.8), use_resource: true });
    const grad = (dy: tf.Tensor, { variables: _ }: { variables?: tf.Variable[] } = {}) => [dy.mul(s), [tf.reduce_sum(dy.mul(v)).mul(0.5)]];
    return [v.mul(s), grad];
  });
  const images = tf.placeholder(tf.float32, [null, 6, 6, 2]),
    targets = tf.placeholder(tf.int32, [null]),
    is_training = tf.placeholder_with_default(true, []);
  class MovingRange {
    low: tf.Variable;
    high: tf.Variable;
    decay: number;
    constructor(name: string, decay = 0.9) {
      using _ = tf.variable_scope(name);
      const bound = (k: string, v: number) => tf.get_variable(k, [], { initializer: tf.constant_initializer(v), trainable: false });
      [this.low, this.high] = [bound("min", -6.0), bound("max", 6.0)];
      this.decay = decay;
    }
    call(v: tf.Tensor) {
      const batch_low = tf.minimum(tf.reduce_min(v), 0.0),
        batch_high = tf.maximum(tf.reduce_max(v), 0.0);
      const [low, high] = tf.cond(
        is_training,
        () => [
          tf.assign_sub(this.low, this.low.sub(batch_low).mul(1 - this.decay)),
          tf.assign_sub(this.high, this.high.sub(batch_high).mul(1 - this.decay)),
        ],
        () => [tf.identity(this.low), tf.identity(this.high)],
      );
      return tf.fake_quant_with_min_max_vars(v, low, high, { num_bits: 6, narrow_range: false });
    }
  }
  const kernel = tf.get_variable("kernel", [3, 3, 2, 4], { initializer: tf.glorot_normal_initializer({ seed: 1 }) }),
    top = tf.reduce_max(tf.abs(kernel), [0, 1, 2]);
  const wq = tf.fake_quant_with_min_max_vars_per_channel(kernel, top.neg(), top, {
    num_bits: 4,
    narrow_range: true,
    name: "weights_quant",
  });
  const act = new MovingRange("act");
  const bias = () => tf.get_variable("bias", [4], { initializer: tf.constant_initializer(0.1) });
  let net = act.call(tf.nn.relu6(tf.nn.conv2d(images, wq, [1, 2, 2, 1], "SAME").add(bias())));
  net = log1pexp(py_round(tf.reshape(net, [-1, 36]), "rounded"));
  const bw = tf.get_variable("binary", [36, 5], { initializer: tf.random_uniform_initializer(-0.5, 0.5, { seed: 2 }) });
  net = scaled(tf.matmul(net, binarize(bw)).mul(tf.reduce_mean(tf.abs(bw), 0)));
  net = tf.fake_quant_with_min_max_args(net, { min: -8, max: 8, num_bits: 8 });
  const logits = tf.layers.dense(net, 3, { kernel_initializer: tf.glorot_normal_initializer({ seed: 3 }) });
  const xent = tf.losses.sparse_softmax_cross_entropy(targets, logits),
    base = tf.train.MomentumOptimizer(0.05, 0.9, { use_nesterov: true });
  const opt = tf.train.experimental.MixedPrecisionLossScaleOptimizer(
    base,
    tf.train.experimental.DynamicLossScale({ initial_loss_scale: 2.0 ** 10, increment_period: 2 }),
  );
  const train = opt.minimize(xent);
  const [nq, nlow, nhigh] = tf.quantize_v2(logits, -4.0, 4.0, tf.quint8, { mode: "MIN_FIRST" }),
    deq = tf.dequantize(nq, nlow, nhigh, { mode: "MIN_FIRST" });
  const dkernel = tf.gradients(xent, [kernel, bw]);
  show(
    "vars",
    tf.global_variables().map(v => v.name),
  );
  await using sess = tf.Session();
  await sess.run(tf.global_variables_initializer());
  const watched = tf
    .global_variables()
    .filter(v => v.op.name.startsWith("act") || v.op.name.includes("scale") || v.op.name.includes("good"));
  let f!: Map<tf.Tensor, tf.FeedValue>;
  for (const i of range(5)) {
    f = new Map<tf.Tensor, tf.FeedValue>([
      [images, each(rnd(i, 4, 6, 6, 2), v => v * 2 - 1)],
      [targets, ints(i, 3, 4)],
    ]);
    show("qat", (await sess.run([xent, train], f)).slice(0, 1));
    show("range", await sess.run(watched));
  }
  f.set(is_training, false);
  show("logits", await sess.run([logits, deq], f));
  show("dkernel", await sess.run(dkernel, f));
  show("codes", await sess.run(tf.to_int32(nq), f));
}
