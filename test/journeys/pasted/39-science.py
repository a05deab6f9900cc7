"""Numbers of science: Newton steps with hessians, a Gaussian process, a Kalman filter by scan, a network that solves an equation, MAML's gradients through updates, mixtures by EM."""
from recording import *
tf.set_random_seed(8)
# Newton's method on a logistic regression
X = tf.constant(rnd(1, 20, 3) - 0.5); y = tf.constant((rnd(2, 20) > 0.5).astype(np.float32)); w = tf.Variable(tf.zeros([3]), name="w")
nll = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=tf.tensordot(X, w, 1))) + 0.05 * tf.reduce_sum(w ** 2)
grad = tf.gradients(nll, w)[0]; hess = tf.hessians(nll, w)[0]
newton = w.assign_sub(tf.squeeze(tf.matrix_solve(hess, grad[:, None]), 1))
# a Gaussian process
Xg = tf.constant(rnd(3, 8, 1) * 4.0, name="Xg"); yg = tf.sin(Xg[:, 0]); Xs = tf.constant([[0.5], [2.5]])
ln = [tf.Variable(tf.log(v), name="ln_" + n) for n, v in [("l", 1.0), ("s", 1.0), ("n", 0.2)]]
ls, sig, noise = [tf.exp(v) for v in ln]
def rbf(a, b): return sig ** 2 * tf.exp(-0.5 * tf.squared_difference(a[:, None, 0] / ls, b[None, :, 0] / ls))
L = tf.cholesky(rbf(Xg, Xg) + (noise ** 2 + 1e-5) * tf.eye(8))
alpha = tf.cholesky_solve(L, yg[:, None])
evidence = 0.5 * tf.squeeze(tf.matmul(yg[None], alpha)) + tf.reduce_sum(tf.log(tf.matrix_diag_part(L))) + 4.0 * np.log(2 * np.pi).astype(np.float32)
ks = rbf(Xg, Xs); mean = tf.matmul(ks, alpha, transpose_a=True); v = tf.matrix_triangular_solve(L, ks); cov = rbf(Xs, Xs) - tf.matmul(v, v, transpose_a=True)
gp_step = tf.train.AdamOptimizer(0.1).minimize(evidence, var_list=ln)
# a Kalman filter, whose noise is learned
obs = tf.placeholder(tf.float64, [None, 1], "obs"); F = tf.constant([[1.0, 1.0], [0.0, 1.0]], tf.float64); Hm = tf.constant([[1.0, 0.0]], tf.float64)
log_q = tf.Variable(np.log(0.1), dtype=tf.float64, name="log_q"); Q = tf.exp(log_q) * tf.eye(2, dtype=tf.float64); R = tf.constant([[0.3]], tf.float64)
def kalman(carry, z):
    m, P, _ = carry
    m, P = tf.matmul(F, m), tf.matmul(tf.matmul(F, P), F, transpose_b=True) + Q
    e = z[:, None] - tf.matmul(Hm, m); S = tf.matmul(Hm, tf.matmul(P, Hm, transpose_b=True)) + R
    K = tf.matmul(P, tf.matmul(Hm, tf.matrix_inverse(S), transpose_a=True))
    return m + tf.matmul(K, e), tf.matmul(tf.eye(2, dtype=tf.float64) - tf.matmul(K, Hm), P), -0.5 * (tf.squeeze(e ** 2 / S) + tf.linalg.logdet(S) + np.log(2 * np.pi))
ms, Ps, lls = tf.scan(kalman, obs, initializer=(tf.zeros([2, 1], tf.float64), tf.eye(2, dtype=tf.float64), tf.zeros([], tf.float64)))
ll = tf.reduce_sum(lls); q_grad = tf.gradients(-ll, log_q)[0]; kalman_step = tf.train.GradientDescentOptimizer(0.05).minimize(-ll, var_list=[log_q])
# u'' = -u, u(0) = 0, u'(0) = 1, and a heat equation's residual in two inputs
xt = tf.placeholder(tf.float32, [None, 2])
def net(x):
    with tf.variable_scope("pinn", reuse=tf.AUTO_REUSE): return tf.layers.dense(tf.layers.dense(x, 6, tf.tanh, name="h", kernel_initializer=tf.glorot_normal_initializer()), 1, name="o")
u = net(xt); ux = tf.gradients(u, xt)[0]; u_t = ux[:, 1:2]; u_xx = tf.gradients(ux[:, 0:1], xt)[0][:, 0:1]; u_xxx = tf.gradients(u_xx, xt)[0][:, 0:1]
pinn_loss = tf.reduce_mean(tf.square(u_t - 0.1 * u_xx + 0.01 * u_xxx)) + tf.reduce_mean(tf.square(net(xt * [1.0, 0.0]) - tf.sin(xt[:, :1])))
pinn_vars = tf.trainable_variables("pinn"); pinn_step = tf.train.AdamOptimizer(0.02).minimize(pinn_loss, var_list=pinn_vars)
# MAML: inner steps of gradients, meta-gradients through them, over tasks by map_fn
tasks_x = tf.placeholder(tf.float32, [None, 5, 1]); tasks_y = tf.placeholder(tf.float32, [None, 5, 1])
weights = {"w1": tf.Variable(tf.truncated_normal([1, 4], stddev=0.5), name="w1"), "b1": tf.Variable(tf.zeros([4]), name="b1"), "w2": tf.Variable(tf.truncated_normal([4, 1], stddev=0.5), name="w2")}
def forward(x, weights): return tf.matmul(tf.nn.softplus(tf.matmul(x, weights["w1"]) + weights["b1"]), weights["w2"])
def task(xy):
    x, yy = xy
    fast = weights
    for _ in range(2):
        inner = tf.reduce_mean(tf.square(forward(x[:3], fast) - yy[:3])); gs = dict(zip(fast.keys(), tf.gradients(inner, list(fast.values()))))
        fast = {k: fast[k] - 0.1 * gs[k] for k in fast}
    return tf.reduce_mean(tf.square(forward(x[3:], fast) - yy[3:]))
losses = tf.stack([task((tasks_x[i], tasks_y[i])) for i in range(2)]); meta = tf.reduce_mean(losses)
meta_opt = tf.train.AdamOptimizer(0.05); gvs = [(tf.clip_by_value(g, -10, 10), var) for g, var in meta_opt.compute_gradients(meta, var_list=list(weights.values()))]; meta_step = meta_opt.apply_gradients(gvs)
# a mixture of Gaussians by EM, k-means for its start
pts = tf.constant(np.concatenate([rnd(6, 6, 2), rnd(7, 5, 2) + 2.0])); mu = tf.Variable(tf.gather(pts, [0, 7]), name="mu"); pi = tf.Variable([0.5, 0.5]); var = tf.Variable([1.0, 1.0])
near = tf.argmin(tf.reduce_sum(tf.squared_difference(pts[:, None], mu[None]), 2), 1); counts = tf.bincount(tf.cast(near, tf.int32), minlength=2)
kmeans = mu.assign(tf.unsorted_segment_sum(pts, near, 2) / tf.cast(counts[:, None], tf.float32))
logp = tf.log(pi) - tf.log(2 * np.pi * var) - tf.reduce_sum(tf.squared_difference(pts[:, None], mu[None]), 2) / (2 * var)
resp = tf.exp(logp - tf.reduce_logsumexp(logp, 1, keepdims=True)); nk = tf.reduce_sum(resp, 0); new_mu = tf.matmul(resp, pts, transpose_a=True) / nk[:, None]
new_var = tf.einsum("nk,nkd->k", resp, tf.squared_difference(pts[:, None], new_mu[None])) / (2 * nk)
em = tf.group(mu.assign(new_mu), var.assign(new_var), pi.assign(nk / 11.0)); em_ll = tf.reduce_sum(tf.reduce_logsumexp(logp, 1))
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(3): sess.run(newton)
    show("newton", sess.run([w, nll])); show("hess", sess.run(hess)); show("grad", np.abs(sess.run(grad)) < 1e-4)
    for i in range(4): sess.run(gp_step)
    show("gp", sess.run([evidence, mean, cov] + ln))
    z = {obs: np.cumsum(rnd(4, 12, 1), 0)}
    for i in range(3): sess.run(kalman_step, z)
    show("kalman", sess.run([ll, q_grad, ms, Ps[-1]], z))
    for i in range(4): show("pinn", sess.run([pinn_loss, pinn_step], {xt: rnd(i, 9, 2)})[0])
    show("u", sess.run([u_xx, u_xxx], {xt: rnd(9, 3, 2)}))
    for i in range(3): show("meta", sess.run([losses, meta_step], {tasks_x: rnd(i, 2, 5, 1), tasks_y: rnd(i + 70, 2, 5, 1)})[0])
    show("weights", sess.run(list(weights.values())))
    for i in range(2): sess.run(kmeans)
    show("kmeans", sess.run([mu, counts]))
    for i in range(3): sess.run(em)
    show("em", sess.run([mu, var, pi, em_ll]))
