"""Glow: data-dependent initialization by cond, invertible 1x1 convolutions, reversed for samples; gated causal convolutions with VQ-VAE codes and averages."""
from recording import *
tf.set_random_seed(52)
x = tf.placeholder(tf.float32, [None, 4, 4, 2]); init = tf.placeholder(tf.bool, [])
def actnorm(name, x, logdet, reverse=False):
    with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
        c = int(x.shape[3]); b = tf.get_variable("b", [1, 1, 1, c], initializer=tf.zeros_initializer()); logs = tf.get_variable("logs", [1, 1, 1, c], initializer=tf.zeros_initializer())
        if not reverse:
            def ddi():
                m, v = tf.nn.moments(x, [0, 1, 2], keep_dims=True); ab = tf.assign(b, -m); al = tf.assign(logs, tf.log(1.0 / (tf.sqrt(v) + 1e-6)))
                with tf.control_dependencies([ab, al]): return tf.identity(ab), tf.identity(al)
            b, logs = tf.cond(init, ddi, lambda: (tf.identity(b), tf.identity(logs))); return (x + b) * tf.exp(logs), logdet + tf.reduce_sum(logs) * 4
        return x * tf.exp(-logs) - b, logdet - tf.reduce_sum(logs) * 4
def rotation(c):
    w = np.eye(c)
    for i in range(c - 1): co, si = np.cos(i + 1), np.sin(i + 1); w[:, [i, i + 1]] = np.stack([w[:, i] * co - w[:, i + 1] * si, w[:, i] * si + w[:, i + 1] * co], 1)
    return w.astype(np.float32)
def invconv(name, z, logdet, reverse=False):
    with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
        c = int(z.shape[3]); w = tf.get_variable("W", initializer=rotation(c)); d = tf.cast(tf.log(abs(tf.matrix_determinant(tf.cast(w, tf.float64)))), tf.float32) * 4; w = tf.matrix_inverse(w) if reverse else w; return tf.nn.conv2d(z, tf.reshape(w, [1, 1, c, c]), [1, 1, 1, 1], "SAME", data_format="NHWC"), logdet + (-d if reverse else d)
def coupling(name, z, logdet, reverse=False):
    with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
        z1, z2 = tf.split(z, 2, 3); h = tf.layers.conv2d(z1, 4, 3, padding="same", activation=tf.nn.relu, name="h"); h = tf.layers.conv2d(h, 8, 3, padding="same", kernel_initializer=tf.random_normal_initializer(stddev=0.05), name="o"); shift, sc = h[:, :, :, 0::2], tf.nn.sigmoid(h[:, :, :, 1::2] + 2.0); z2 = z2 / sc - shift if reverse else (z2 + shift) * sc; ld = tf.reduce_sum(tf.log(sc), [1, 2, 3]); return tf.concat([z1, z2], 3), logdet + (-ld if reverse else ld)
squeeze = lambda t: tf.reshape(tf.transpose(tf.reshape(t, [-1, 2, 2, 2, 2, 2]), [0, 1, 3, 5, 2, 4]), [-1, 2, 2, 8]); unsqueeze = lambda t: tf.reshape(tf.transpose(tf.reshape(t, [-1, 2, 2, 2, 2, 2]), [0, 1, 4, 2, 5, 3]), [-1, 4, 4, 2])
z, ld = squeeze(x), tf.zeros_like(x)[:, 0, 0, 0]
for i in range(2):
    for f in (actnorm, invconv, coupling): z, ld = f("%s%d" % (f.__name__, i), z, ld)
nll = -tf.reduce_mean(tf.reduce_sum(-0.5 * (np.log(2 * np.pi) + z ** 2), [1, 2, 3]) + ld) / (32 * np.log(2.)); y, back = z, ld
for i in reversed(range(2)):
    for f in (coupling, invconv, actnorm): y, back = f("%s%d" % (f.__name__, i), y, back, reverse=True)
rec = tf.reduce_max(tf.abs(unsqueeze(y) - x)); train = tf.train.AdamOptimizer(0.01).minimize(nll)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer()); show("ddi", sess.run([nll, z], {x: rnd(1, 6, 4, 4, 2), init: True}))
    for i in range(3): show("glow", sess.run([nll, ld, train], {x: rnd(i + 2, 3, 4, 4, 2), init: False})[:2])
    r, d = sess.run([rec, back], {x: rnd(3, 2, 4, 4, 2), init: False}); show("back", [bool(r < 1e-4), np.abs(d).max() < 1e-3])
tf.reset_default_graph(); tf.set_random_seed(53)
wave = tf.placeholder(tf.float32, [None, None, 1]); spk = tf.placeholder(tf.int32, [None])
def causal(x, n, dilation, name): return tf.layers.conv1d(tf.pad(x, [[0, 0], [dilation, 0], [0, 0]]), n, 2, dilation_rate=dilation, name=name)
h = causal(wave, 4, 1, "in"); skips = []; cond_ = tf.nn.embedding_lookup(tf.get_variable("spk", [3, 8]), spk)[:, None]
for d in (1, 2, 4): fg = causal(h, 8, d, "fg%d" % d) + cond_; a, b = tf.split(fg, 2, -1); g = tf.tanh(a) * tf.sigmoid(b); skips.append(tf.layers.conv1d(g, 4, 1, name="s%d" % d)); h = (h + tf.layers.conv1d(g, 4, 1, name="r%d" % d)) * np.sqrt(0.5)
out = tf.layers.conv1d(tf.nn.relu(tf.add_n(skips)), 16, 1); mu = 15; q = tf.to_int32((tf.sign(wave) * tf.log1p(mu * tf.abs(wave)) / tf.log1p(float(mu)) + 1) / 2 * mu + 0.5); ce = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=q[:, 1:, 0], logits=out[:, :-1])); code = tf.get_variable("codes", [5, 16], initializer=tf.uniform_unit_scaling_initializer()); flat = tf.reshape(out, [-1, 16]); near = tf.argmin(tf.reduce_sum((flat[:, None] - code[None]) ** 2, -1), 1); zq = tf.gather(code, near); vq = tf.reduce_mean((tf.stop_gradient(zq) - flat) ** 2) * 0.25 + tf.reduce_mean((zq - tf.stop_gradient(flat)) ** 2); ema = tf.train.ExponentialMovingAverage(0.9, tf.train.get_or_create_global_step()); total = ce + vq; train = tf.train.AdamOptimizer(0.01).minimize(total, tf.train.get_global_step())
with tf.control_dependencies([train]): step = ema.apply(tf.trainable_variables() + [total])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(3): show("wave", sess.run([ce, vq, near, step], {wave: rnd(i, 2, 9 + i, 1) * 2 - 1, spk: [i, 1]})[:3])
    show("ema", sess.run([ema.average(code), ema.average(total)])); show("shadow", sorted(ema.variables_to_restore())[:4])
