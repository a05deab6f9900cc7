"""Building blocks by hand: arg scopes, MobileNet and Inception cells, distillation, accumulated gradients under a loss scale with float16 casts; detections by NMS in map_fn, hard negatives of several batch sizes."""
from recording import *
import contextlib, functools
tf.set_random_seed(51); _stack = [{}]
@contextlib.contextmanager
def arg_scope(fns, **kw):
    top = dict(_stack[-1])
    for f in fns: top[f.__name__] = dict(top.get(f.__name__, {}), **kw)
    _stack.append(top); yield; _stack.pop()
def add_arg_scope(f):
    @functools.wraps(f)
    def call(*a, **kw): return f(*a, **dict(_stack[-1].get(f.__name__, {}), **kw))
    return call
@add_arg_scope
def conv2d(x, n, k, stride=1, padding="SAME", activation_fn=tf.nn.relu, normalizer_fn=None, weights_regularizer=None, scope=None):
    with tf.variable_scope(scope, "Conv", [x]) as sc:
        w = tf.get_variable("weights", [k, k, int(x.shape[3]), n], initializer=tf.variance_scaling_initializer(2.0, "fan_out"), regularizer=weights_regularizer); x = tf.nn.conv2d(x, w, [1, stride, stride, 1], padding); x = normalizer_fn(x) if normalizer_fn else tf.nn.bias_add(x, tf.get_variable("biases", [n], initializer=tf.zeros_initializer())); return activation_fn(x) if activation_fn else tf.identity(x, sc.name)
@add_arg_scope
def separable(x, n, stride=1, multiplier=1, activation_fn=tf.nn.relu6, normalizer_fn=None, scope=None):
    with tf.variable_scope(scope, "Separable", [x]):
        d = tf.get_variable("depthwise", [3, 3, int(x.shape[3]), multiplier]); x = tf.nn.depthwise_conv2d(x, d, [1, stride, stride, 1], "SAME"); x = activation_fn(normalizer_fn(x)); p = tf.get_variable("pointwise", [1, 1, int(x.shape[3]), n]); return activation_fn(normalizer_fn(tf.nn.conv2d(x, p, [1, 1, 1, 1], "SAME")))
class Norm(object):
    def __init__(self, training): self.training = training; self.updates = []
    def __call__(self, x):
        with tf.variable_scope(None, "BatchNorm"):
            c = x.shape[-1:]; beta = tf.get_variable("beta", c, initializer=tf.zeros_initializer()); mm = tf.get_variable("moving_mean", c, initializer=tf.zeros_initializer(), trainable=False); mv = tf.get_variable("moving_variance", c, initializer=tf.ones_initializer(), trainable=False); m, v = tf.nn.moments(x, [0, 1, 2]); self.updates += [mm.assign_sub((mm - m) * 0.1), mv.assign_sub((mv - v) * 0.1)]
            m, v = tf.cond(self.training, lambda: (m, v), lambda: (tf.convert_to_tensor(mm), tf.convert_to_tensor(mv))); return tf.nn.batch_normalization(x, m, v, beta, None, 1e-3)
images = tf.placeholder(tf.float32, [None, 8, 8, 3]); labels = tf.placeholder(tf.int32, [None]); training = tf.placeholder_with_default(True, [], name="training"); norm = Norm(training)
def network(scope, width):
    with tf.variable_scope(scope), arg_scope([conv2d, separable], normalizer_fn=norm), arg_scope([conv2d], weights_regularizer=lambda w: 1e-3 * tf.nn.l2_loss(w)):
        net = conv2d(images, width, 3, stride=2); net = separable(net, width * 2)
        with tf.variable_scope("Mixed"):
            b0 = conv2d(net, 2, 1); b1 = conv2d(net, 3, 3); b2 = conv2d(tf.nn.avg_pool(net, 3, 1, "SAME"), 2, 1, normalizer_fn=None); net = tf.concat([b0, b1, b2], 3)
        net = tf.concat([net, conv2d(net, 2, 3)], 3)
        s = tf.reduce_mean(net, [1, 2], keepdims=True); s = conv2d(s, 2, 1, normalizer_fn=None, scope="squeeze"); net = net * conv2d(s, int(net.shape[3]), 1, activation_fn=tf.sigmoid, normalizer_fn=None, scope="excite"); return conv2d(tf.reduce_mean(net, [1, 2], keepdims=True), 4, 1, activation_fn=None, normalizer_fn=None, scope="logits")[:, 0, 0]
teacher = network("teacher", 4)
with tf.variable_scope("student"): student = conv2d(tf.reduce_mean(conv2d(images, 3, 3, stride=2, normalizer_fn=norm), [1, 2], keepdims=True), 4, 1, activation_fn=None)[:, 0, 0]
T = 3.0; soft = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=tf.stop_gradient(tf.nn.softmax(teacher / T)), logits=student / T)) * T ** 2; hard = tf.losses.sparse_softmax_cross_entropy(labels, student); tloss = tf.losses.sparse_softmax_cross_entropy(labels, teacher, scope="teacher_loss"); reg = tf.losses.get_regularization_loss(); loss = 0.7 * soft + 0.3 * hard + tloss + reg
tvars = tf.trainable_variables(); show("names", [v.name for v in tvars]); accum = [tf.Variable(tf.zeros_like(v.initialized_value()), trainable=False) for v in tvars]; count = tf.Variable(0, trainable=False, dtype=tf.int32); zero = [a.assign(tf.zeros_like(a)) for a in accum] + [count.assign(0)]
scale = tf.Variable(2.0 ** 15, trainable=False, name="loss_scale"); good = tf.Variable(0, trainable=False); bad = tf.placeholder_with_default(1.0, [])
opt = tf.train.MomentumOptimizer(0.05, 0.9); gv = opt.compute_gradients(loss * scale * bad, tvars); grads = [tf.cast(tf.cast(g / 64.0, tf.float16), tf.float32) * 64.0 / scale for g, _ in gv]; finite = tf.reduce_all(tf.stack([tf.reduce_all(tf.is_finite(g)) for g in grads]))
def keep():
    with tf.control_dependencies([a.assign_add(g) for a, g in zip(accum, grads)] + [count.assign_add(1)]): return tf.group(tf.cond(tf.equal(good, 1), lambda: tf.group(scale.assign(scale * 2), good.assign(0)), lambda: tf.group(good.assign_add(1))))
def drop(): return tf.group(scale.assign(tf.maximum(scale / 2, 1.0)), good.assign(0))
gather = tf.cond(finite, keep, drop); mean_grads, gnorm = tf.clip_by_global_norm([a / tf.cast(count, tf.float32) for a in accum], 1.0); apply_op = opt.apply_gradients(zip(mean_grads, tvars))
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(2):
        sess.run(zero)
        for k in range(3): f = {images: rnd(10 * i + k, 4, 8, 8, 3), labels: ints(k, 4, 4), bad: np.inf if k == 1 else 1.0}; l, _ = sess.run([(soft, hard, tloss, reg), gather], f); show("loss", l); show("scale", sess.run([scale, good, count, finite], f))
        show("norm", sess.run([gnorm, apply_op])[0]); sess.run(norm.updates, f)
    show("eval", sess.run(student, {images: f[images], training: False}))
tf.reset_default_graph()
loc = tf.placeholder(tf.float32, [None, 9, 4]); conf = tf.placeholder(tf.float32, [None, 9, 3]); anchors = tf.constant(np.stack([(np.arange(9) // 3 + 0.5) / 3, (np.arange(9) % 3 + 0.5) / 3, np.full(9, 0.5), np.full(9, 0.4)], 1).astype(np.float32))
def decode(l, a): c = l[..., :2] * 0.1 * a[:, 2:] + a[:, :2]; s = tf.exp(l[..., 2:] * 0.2) * a[:, 2:]; return tf.concat([c - s / 2, c + s / 2], -1)
boxes, scores = tf.clip_by_value(decode(loc, anchors), 0., 1.), tf.nn.softmax(conf)
def nms(args):
    b, s = args; outs = []
    for c in range(1, 3): keep_ = tf.image.non_max_suppression(b, s[:, c], 4, 0.4, score_threshold=0.2); n = tf.shape(keep_)[0]; outs.append(tf.pad(tf.concat([tf.fill([n, 1], float(c)), tf.gather(s[:, c:c + 1], keep_), tf.gather(b, keep_)], 1), [[0, 4 - n], [0, 0]]))
    every = tf.concat(outs, 0); _, top = tf.nn.top_k(every[:, 1], 5); return tf.gather(every, top), tf.reduce_sum(tf.to_int32(every[:, 1] > 0))
dets, num = tf.map_fn(nms, (boxes, scores), dtype=(tf.float32, tf.int32), back_prop=False, parallel_iterations=4); combined = tf.image.combined_non_max_suppression(tf.expand_dims(boxes, 2), scores[:, :, 1:], 4, 6, iou_threshold=0.4, score_threshold=0.2); gt = tf.placeholder(tf.float32, [None, 9, 4]); pos = tf.placeholder(tf.int64, [None, 9]); mask = tf.to_float(pos > 0); npos = tf.maximum(tf.reduce_sum(mask, 1), 1.); ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=pos, logits=conf); k = tf.to_int32(tf.minimum(npos * 3, 9. - npos)); neg = ce * (1 - mask); rank = tf.map_fn(lambda t: tf.to_float(t[0] >= tf.nn.top_k(t[0], t[1])[0][-1]), (neg, k), tf.float32); multibox = tf.reduce_mean((tf.reduce_sum(ce * mask + neg * rank, 1) + tf.reduce_sum(tf.where(tf.abs(loc - gt) < 1, 0.5 * (loc - gt) ** 2, tf.abs(loc - gt) - 0.5) * mask[..., None], [1, 2])) / npos); gl, gc = tf.gradients(multibox, [loc, conf])
with tf.Session() as sess:
    for n in (1, 3, 2): f = {loc: rnd(n, n, 9, 4) * 4 - 2, conf: rnd(n + 5, n, 9, 3) * 4, gt: rnd(n + 7, n, 9, 4), pos: ints(n + 9, 3, n, 9)}; d, c, m, g = sess.run([(dets, num), combined, multibox, [gl, gc]], f); show("dets", d[0]); show("num", d[1]); show("combined", list(c)); show("multibox", m); show("grads", g)
