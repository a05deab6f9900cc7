"""TRPO of that time: flat gradients, Hessian-vector products, conjugate gradient outside, SetFromFlat, GetFlat."""
from recording import *
tf.set_random_seed(2)
dtype = tf.float32
def var_shape(x):
    out = [k.value for k in x.get_shape()]
    assert all(isinstance(a, int) for a in out)
    return out
def numel(x): return int(np.prod(var_shape(x)))
def flatgrad(loss, var_list):
    grads = tf.gradients(loss, var_list)
    return tf.concat([tf.reshape(grad, [numel(v)]) for (v, grad) in zip(var_list, grads)], 0)
obs = tf.placeholder(dtype, shape=[None, 3], name="obs"); action = tf.placeholder(tf.int64, shape=[None], name="action")
advant = tf.placeholder(dtype, shape=[None], name="advant"); oldaction_dist = tf.placeholder(dtype, shape=[None, 2], name="oldaction_dist")
with tf.variable_scope("pi"):
    h = tf.tanh(tf.layers.dense(obs, 5)); action_dist_n = tf.nn.softmax(tf.layers.dense(h, 2))
eps = 1e-6
N = tf.shape(obs)[0]
def slice_2d(x, inds0, inds1):
    inds0 = tf.cast(inds0, tf.int64); inds1 = tf.cast(inds1, tf.int64)
    shape = tf.cast(tf.shape(x), tf.int64); ncols = shape[1]
    return tf.gather(tf.reshape(x, [-1]), inds0 * ncols + inds1)
p_n = slice_2d(action_dist_n, tf.range(0, N), action); oldp_n = slice_2d(oldaction_dist, tf.range(0, N), action)
ratio_n = p_n / oldp_n
Nf = tf.cast(N, dtype)
surr = -tf.reduce_mean(ratio_n * advant)
var_list = tf.trainable_variables()
kl = tf.reduce_sum(oldaction_dist * tf.log((oldaction_dist + eps) / (action_dist_n + eps))) / Nf
ent = tf.reduce_sum(-action_dist_n * tf.log(action_dist_n + eps)) / Nf
pg = flatgrad(surr, var_list)
kl_firstfixed = tf.reduce_sum(tf.stop_gradient(action_dist_n) * tf.log(tf.stop_gradient(action_dist_n + eps) / (action_dist_n + eps))) / Nf
grads = tf.gradients(kl_firstfixed, var_list)
flat_tangent = tf.placeholder(dtype, shape=[None])
shapes = list(map(var_shape, var_list)); start = 0; tangents = []
for shape in shapes:
    size = int(np.prod(shape)); tangents.append(tf.reshape(flat_tangent[start:(start + size)], shape)); start += size
gvp = [tf.reduce_sum(g * t) for (g, t) in zip(grads, tangents)]
fvp = flatgrad(gvp, var_list)
total = sum(numel(v) for v in var_list)
theta = tf.placeholder(dtype, [total]); start = 0; assigns = []
for (shape, v) in zip(shapes, var_list):
    size = int(np.prod(shape)); assigns.append(tf.assign(v, tf.reshape(theta[start:start + size], shape))); start += size
sff_op = tf.group(*assigns); gf = tf.concat([tf.reshape(v, [numel(v)]) for v in var_list], 0)
def cg(f_Ax, b, iters=6):
    p = b.copy(); r = b.copy(); x = np.zeros_like(b); rdotr = r.dot(r)
    for _ in range(iters):
        z = f_Ax(p); v = rdotr / p.dot(z); x += v * p; r -= v * z; newr = r.dot(r); p = r + (newr / rdotr) * p; rdotr = newr
    return x
session = tf.Session(); session.run(tf.global_variables_initializer())
for it in range(6):
    ob = rnd(it, 12, 3); ad = session.run(action_dist_n, {obs: ob}); ac = ints(it, 2, 12); av = rnd(it + 9, 12) - np.float32(0.5)
    feed = {obs: ob, action: ac, advant: av, oldaction_dist: ad}
    thprev = session.run(gf); g = session.run(pg, feed)
    def fisher(p):
        feed[flat_tangent] = p
        return session.run(fvp, feed) + 0.1 * p
    step = cg(fisher, -g.astype(np.float64)); shs = .5 * step.dot(fisher(step)); lm = np.sqrt(shs / 0.01)
    session.run(sff_op, feed_dict={theta: thprev + step / lm})
    show("s", session.run([surr, kl, ent], feed)); show("g", g)
show("theta", session.run(gf))
