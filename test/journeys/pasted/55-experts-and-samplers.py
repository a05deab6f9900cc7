"""Routing and sampling: experts that tokens are sent to by dynamic_partition and stitched together, a gate with noise and a balance loss, folds over trees and reversed sequences, Hamiltonian Monte Carlo and an adaptive integrator in while_loops, quantization-aware training with gradients overridden, own gradients of Python functions, a loss scale."""
from recording import *
tf.set_random_seed(57)
# experts
E_, D, T = 3, 4, 6
x = tf.placeholder(tf.float32, [None, D], name="tokens"); y = tf.placeholder(tf.float32, [None, 2], name="targets"); n = tf.shape(x)[0]
w_gate = tf.get_variable("w_gate", [D, E_], initializer=tf.random_normal_initializer(seed=1)); w_noise = tf.get_variable("w_noise", [D, E_], initializer=tf.zeros_initializer())
clean = tf.matmul(x, w_gate); noisy = clean + tf.random_normal(tf.shape(clean), seed=2) * (tf.nn.softplus(tf.matmul(x, w_noise)) + 1e-2)
top_logits, top_indices = tf.nn.top_k(noisy, k=2); top_gates = tf.nn.softmax(top_logits)
gates = tf.reduce_sum(tf.one_hot(top_indices, E_) * top_gates[:, :, tf.newaxis], 1)
class SparseDispatcher(object):
    def __init__(self, num_experts, gates):
        self._gates, self._num_experts = gates, num_experts
        where = tf.to_int32(tf.where(tf.transpose(gates) > 0))
        self._expert_index, self._batch_index = tf.unstack(where, num=2, axis=1)
        self._part_sizes_tensor = tf.reduce_sum(tf.to_int32(gates > 0), [0])
        self._nonzero_gates = tf.gather(tf.reshape(self._gates, [-1]), self._batch_index * num_experts + self._expert_index)
    def dispatch(self, inp):
        return tf.split(tf.gather(inp, self._batch_index), self._part_sizes_tensor, 0, num=self._num_experts)
    def combine(self, expert_out):
        stitched = tf.concat(expert_out, 0) * tf.expand_dims(self._nonzero_gates, 1)
        return tf.unsorted_segment_sum(stitched, self._batch_index, tf.shape(self._gates)[0])
dispatcher = SparseDispatcher(E_, gates)
def expert(i, h):
    with tf.variable_scope("expert_%d" % i): return tf.layers.dense(tf.layers.dense(h, 5, tf.nn.swish, kernel_initializer=tf.glorot_uniform_initializer(seed=i)), 2, kernel_initializer=tf.glorot_uniform_initializer(seed=10 + i))
mixed = dispatcher.combine([expert(i, h) for i, h in enumerate(dispatcher.dispatch(x))])
# the same kind of routing, hard, by dynamic_partition and back by dynamic_stitch
choice = tf.argmax(clean, 1, output_type=tf.int32); parts = tf.dynamic_partition(x, choice, E_); places = tf.dynamic_partition(tf.range(n), choice, E_)
hard = tf.dynamic_stitch(places, [p * (i + 1.0) + tf.get_variable("shift_%d" % i, [D], initializer=tf.constant_initializer(0.1 * i)) for i, p in enumerate(parts)]); hard.set_shape([None, D])
def cv_squared(v):
    epsilon = 1e-10; float_size = tf.to_float(tf.size(v)) + epsilon; mean = tf.reduce_sum(v) / float_size
    return tf.reduce_sum(tf.squared_difference(v, mean)) / float_size / (tf.square(mean) + epsilon)
importance, load = tf.reduce_sum(gates, 0), tf.reduce_sum(tf.to_float(gates > 0), 0)
balance = 1e-1 * (cv_squared(importance) + cv_squared(load)); loss = tf.losses.mean_squared_error(y, mixed + tf.layers.dense(hard, 2, name="after", kernel_initializer=tf.glorot_uniform_initializer(seed=30))) + balance
trainable = tf.trainable_variables(); step = tf.train.AdagradDAOptimizer(0.1, tf.train.get_or_create_global_step(), initial_gradient_squared_accumulator_value=0.1, l2_regularization_strength=1e-3).minimize(loss, global_step=tf.train.get_global_step())
show("nodes", nodes())
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i, k in enumerate((6, 9, 3, 9)): f = {x: rnd(i, k, D) - np.float32(0.5), y: rnd(i + 20, k, 2)}; show("experts", sess.run([loss, balance, importance, load, choice, step], f)[:-1])
    show("hard", sess.run(hard, f)); show("shift", sess.run([v for v in trainable if "shift" in v.op.name])); show("gate", sess.run([w_gate, w_noise]))
tf.reset_default_graph(); tf.set_random_seed(58)
# folds
seqs = tf.placeholder(tf.float32, [None, None, 3]); lens = tf.placeholder(tf.int32, [None]); scale = tf.get_variable("scale", [3], initializer=tf.constant_initializer([0.5, 1.0, 1.5]))
back = tf.reverse_sequence(seqs, lens, seq_axis=1, batch_axis=0); tm = tf.transpose(back, [1, 0, 2])
horner = tf.foldl(lambda acc, e: acc * 0.9 + e * scale, tm, initializer=tf.zeros_like(tm[0])); other = tf.foldr(lambda acc, e: tf.tanh(acc + e) * scale, tm, back_prop=True, swap_memory=True, name="right")
both = tf.foldl(lambda acc, e: (acc[0] + e[0] * e[1][:, None], tf.maximum(acc[1], e[1])), (tm, tf.reduce_max(tm, 2)), initializer=(tf.zeros_like(tm[0]), tf.fill([tf.shape(tm)[1]], -1.0)), parallel_iterations=1)
perm = tf.nn.top_k(-lens, tf.shape(lens)[0])[1]; inverse = tf.invert_permutation(perm); sorted_ = tf.gather(seqs, perm); again = tf.batch_gather(tf.gather(sorted_, inverse), tf.tile(tf.range(2)[None], [tf.shape(lens)[0], 1]))
segs = tf.cumsum(tf.to_int32(tf.equal(tf.floormod(tf.range(tf.shape(tm)[0]), 2), 0))) - 1; lowest = tf.segment_min(tm, segs); product = tf.unsorted_segment_prod(tm + 0.5, segs, 3); widest = tf.unsorted_segment_max(tm, segs, 4)
score = tf.reduce_sum(horner * other) + tf.reduce_sum(both[0]) + tf.reduce_sum(lowest) + tf.reduce_sum(product) + tf.reduce_sum(tf.where(widest > -1e30, widest, tf.zeros_like(widest))); g_scale, g_seqs = tf.gradients(score, [scale, seqs])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for k in (4, 5, 4): f = {seqs: rnd(k, 3, k, 3), lens: [k, 2, 3]}; show("folds", sess.run([horner, other, both, score], f)); show("grads", sess.run([g_scale, g_seqs], f)); show("order", sess.run([perm, inverse, again, segs], f))
show("nodes", nodes())
tf.reset_default_graph(); tf.set_random_seed(59)
# Hamiltonian Monte Carlo for a logistic regression, all of it in the graph
data, labels = tf.constant(rnd(1, 12, 2) * 2 - 1), tf.constant((rnd(2, 12) > 0.4).astype(np.float32))
def log_posterior(w): return -tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels[None] * tf.ones([tf.shape(w)[0], 1]), logits=tf.matmul(w, data, transpose_b=True)), 1) + tf.reduce_sum(tf.distributions.Normal(0.0, 2.0).log_prob(w), 1)
def leapfrog(w, p, eps, steps):
    def body(i, w, p, _):
        p = p + 0.5 * eps * tf.gradients(log_posterior(w), w)[0]; w = w + eps * p
        new = log_posterior(w); p = p + 0.5 * eps * tf.gradients(new, w)[0]
        return [i + 1, w, p, new]
    return tf.while_loop(lambda i, *_: tf.less(i, steps), body, [tf.constant(0), w, p, log_posterior(w)], back_prop=False, parallel_iterations=1)[1:]
chain = tf.Variable(tf.zeros([4, 2]), trainable=False, name="chain"); eps = tf.Variable(0.2, trainable=False, name="eps"); accepted_sum = tf.Variable(0.0, trainable=False)
p0 = tf.random_normal([4, 2], seed=3); current = log_posterior(chain); w1, p1, lp1 = leapfrog(tf.identity(chain), p0, eps, 5)
log_accept = lp1 - 0.5 * tf.reduce_sum(p1 ** 2, 1) - current + 0.5 * tf.reduce_sum(p0 ** 2, 1); accept = tf.log(tf.random_uniform([4], seed=4)) < log_accept
with tf.control_dependencies([log_accept]): move = chain.assign(tf.where(accept, w1, chain))
rate = tf.reduce_mean(tf.to_float(accept)); tune = tf.cond(rate > 0.65, lambda: eps.assign(eps * 1.05), lambda: eps.assign(eps * 0.9), name="tune"); sweep = tf.group(move, tune, accepted_sum.assign_add(rate))
# an integrator of two orders whose step adapts, with tf.while_loop over a tuple, and its gradient
mu = tf.Variable(1.5, name="mu"); y0 = tf.placeholder_with_default([1.0, 0.5], [2]); tol = 1e-3
def field(v): return tf.stack([v[1], mu * (1 - v[0] ** 2) * v[1] - v[0]])
def adaptive(t, h, v, used, kept):
    k1 = field(v); k2 = field(v + h * k1); heun = v + h * (k1 + k2) / 2; err = tf.stop_gradient(tf.norm(h * (k2 - k1) / 2, ord=np.inf)); ok = tf.logical_or(err < tol, h < 1e-3)
    factor = tf.clip_by_value(0.9 * tf.sqrt(tol / (err + 1e-9)), 0.3, 2.0); new_t = tf.where(ok, t + h, t)
    return [new_t, tf.minimum(h * factor, tf.maximum(1.0 - new_t, 1e-6)), tf.where(tf.fill([2], ok), heun, v), used + 1, tf.case([(ok, lambda: kept + 1)], default=lambda: tf.identity(kept))]
t_end, h_end, v_end, used, kept = tf.while_loop(lambda t, *_: t < 1.0 - 1e-5, adaptive, [tf.constant(0.0), tf.constant(0.05), y0, tf.constant(0), tf.constant(0)], maximum_iterations=200); d_mu, d_y0 = tf.gradients(tf.reduce_sum(v_end), [mu, y0])
show("nodes", nodes())
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(5): sess.run(sweep); show("hmc", sess.run([chain, eps, accepted_sum]))
    show("ode", sess.run([t_end, v_end, used, kept])); show("sensitivities", sess.run([d_mu, d_y0])); show("ode", sess.run([v_end, used, d_y0], {y0: [0.2, -1.0]}))
tf.reset_default_graph(); tf.set_random_seed(60)
# training that knows of its quantization
@tf.RegisterGradient("ClippedStraightThrough")
def _straight(op, grad): return tf.where(tf.abs(op.inputs[0]) <= 1.0, grad, tf.zeros_like(grad))
def binarize(t):
    with tf.get_default_graph().gradient_override_map({"Sign": "ClippedStraightThrough", "Round": "Identity"}): return tf.sign(t)
def py_round(v, name=None):
    rnd_name = "PyFuncGrad77"; tf.RegisterGradient(rnd_name)(lambda op, grad: grad * tf.to_float(op.inputs[0] > 0))
    with tf.get_default_graph().gradient_override_map({"PyFunc": rnd_name, "PyFuncStateless": rnd_name}): return tf.reshape(tf.py_func(lambda a: np.round(a * 8).astype(np.float32) / np.float32(8), [v], [tf.float32], stateful=True, name=name)[0], tf.shape(v))
@tf.custom_gradient
def log1pexp(v):
    e = tf.exp(v)
    def grad(dy): return dy * (1 - 1 / (1 + e))
    return tf.log(1 + e), grad
@tf.custom_gradient
def scaled(v):
    s = tf.get_variable("s", [], initializer=tf.constant_initializer(0.8), use_resource=True)
    def grad(dy, variables=None): return dy * s, [tf.reduce_sum(dy * v) * 0.5]
    return v * s, grad
images = tf.placeholder(tf.float32, [None, 6, 6, 2]); targets = tf.placeholder(tf.int32, [None]); is_training = tf.placeholder_with_default(True, [])
class MovingRange(object):
    def __init__(self, name, decay=0.9):
        with tf.variable_scope(name): self.low, self.high = [tf.get_variable(k, [], initializer=tf.constant_initializer(v), trainable=False) for k, v in (("min", -6.0), ("max", 6.0))]
        self.decay = decay
    def __call__(self, v):
        from tensorflow.python.training import moving_averages
        batch_low, batch_high = tf.minimum(tf.reduce_min(v), 0.0), tf.maximum(tf.reduce_max(v), 0.0)
        low, high = tf.cond(is_training, lambda: (tf.assign_sub(self.low, (self.low - batch_low) * (1 - self.decay)), tf.assign_sub(self.high, (self.high - batch_high) * (1 - self.decay))), lambda: (tf.identity(self.low), tf.identity(self.high)))
        return tf.fake_quant_with_min_max_vars(v, low, high, num_bits=6, narrow_range=False)
kernel = tf.get_variable("kernel", [3, 3, 2, 4], initializer=tf.glorot_normal_initializer(seed=1)); top = tf.reduce_max(tf.abs(kernel), [0, 1, 2])
wq = tf.fake_quant_with_min_max_vars_per_channel(kernel, -top, top, num_bits=4, narrow_range=True, name="weights_quant"); net = MovingRange("act")(tf.nn.relu6(tf.nn.conv2d(images, wq, [1, 2, 2, 1], "SAME") + tf.get_variable("bias", [4], initializer=tf.constant_initializer(0.1))))
net = log1pexp(py_round(tf.reshape(net, [-1, 36]), name="rounded")); bw = tf.get_variable("binary", [36, 5], initializer=tf.random_uniform_initializer(-0.5, 0.5, seed=2)); net = scaled(tf.matmul(net, binarize(bw)) * tf.reduce_mean(tf.abs(bw), 0))
net = tf.fake_quant_with_min_max_args(net, min=-8, max=8, num_bits=8); logits = tf.layers.dense(net, 3, kernel_initializer=tf.glorot_normal_initializer(seed=3))
xent = tf.losses.sparse_softmax_cross_entropy(targets, logits); base = tf.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True); opt = tf.train.experimental.MixedPrecisionLossScaleOptimizer(base, tf.train.experimental.DynamicLossScale(initial_loss_scale=2.0 ** 10, increment_period=2)); train = opt.minimize(xent); nq, nlow, nhigh = tf.quantize_v2(logits, -4.0, 4.0, tf.quint8, mode="MIN_FIRST"); deq = tf.dequantize(nq, nlow, nhigh, mode="MIN_FIRST"); dkernel = tf.gradients(xent, [kernel, bw])
show("vars", [v.name for v in tf.global_variables()])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(5): f = {images: rnd(i, 4, 6, 6, 2) * 2 - 1, targets: ints(i, 3, 4)}; show("qat", sess.run([xent, train], f)[:1]); show("range", sess.run([v for v in tf.global_variables() if v.op.name.startswith("act") or "scale" in v.op.name or "good" in v.op.name]))
    f[is_training] = False; show("logits", sess.run([logits, deq], f)); show("dkernel", sess.run(dkernel, f)); show("codes", sess.run(tf.to_int32(nq), f))
