"""Metric learning and factors: hard triplets, center loss by scatter_sub, an ArcFace margin, a siamese pair; matrix factorization, FM and NFM from dictionaries of weights; SciPy's L-BFGS outside over flat variables; VQ-VAE with averages; subpixel super resolution."""
from recording import *
tf.set_random_seed(21)
images = tf.placeholder(tf.float32, [None, 8, 8, 1], name="images"); labels = tf.placeholder(tf.int64, [None], name="labels"); C, D = 4, 3
def prelu(x, name="prelu"):
    with tf.variable_scope(name): alphas = tf.get_variable("alpha", x.get_shape()[-1], initializer=tf.constant_initializer(0.25)); return tf.nn.relu(x) + tf.multiply(alphas, -tf.nn.relu(-x))
def embed(x, reuse=tf.AUTO_REUSE):
    with tf.variable_scope("net", reuse=reuse, regularizer=lambda w: 1e-3 * tf.nn.l2_loss(w)):
        x = prelu(tf.layers.conv2d(x, 4, 3, 2, "SAME", name="c1"), "p1"); x = tf.nn.lrn(x, 2, bias=1.0, alpha=1e-2, beta=0.75); x = tf.layers.max_pooling2d(x, 2, 2); return tf.layers.dense(tf.layers.flatten(x), D, name="e")
def _pairwise_distances(embeddings, squared=False):
    dot_product = tf.matmul(embeddings, tf.transpose(embeddings)); square_norm = tf.diag_part(dot_product); distances = tf.expand_dims(square_norm, 1) - 2.0 * dot_product + tf.expand_dims(square_norm, 0); distances = tf.maximum(distances, 0.0)
    if not squared: m = tf.to_float(tf.equal(distances, 0.0)); distances = distances + m * 1e-16; distances = tf.sqrt(distances); distances = distances * (1.0 - m)
    return distances
def batch_hard_triplet_loss(labels, embeddings, margin):
    dist = _pairwise_distances(embeddings); indices_equal = tf.cast(tf.eye(tf.shape(labels)[0]), tf.bool); labels_equal = tf.equal(tf.expand_dims(labels, 0), tf.expand_dims(labels, 1))
    anchor_positive = tf.to_float(tf.logical_and(tf.logical_not(indices_equal), labels_equal)); hardest_positive = tf.reduce_max(tf.multiply(anchor_positive, dist), axis=1, keepdims=True)
    anchor_negative = tf.to_float(tf.logical_not(labels_equal)); hardest_negative = tf.reduce_min(dist + tf.reduce_max(dist, axis=1, keepdims=True) * (1.0 - anchor_negative), axis=1, keepdims=True); tf.summary.scalar("hardest_positive_dist", tf.reduce_mean(hardest_positive))
    return tf.reduce_mean(tf.maximum(hardest_positive - hardest_negative + margin, 0.0))
def center_loss(features, labels, alfa, nrof_classes):
    centers = tf.get_variable('centers', [nrof_classes, features.get_shape()[1]], dtype=tf.float32, initializer=tf.constant_initializer(0), trainable=False); labels = tf.reshape(labels, [-1]); centers_batch = tf.gather(centers, labels); loss = tf.nn.l2_loss(features - centers_batch)
    unique_label, unique_idx, unique_count = tf.unique_with_counts(labels); appear_times = tf.reshape(tf.gather(unique_count, unique_idx), [-1, 1]); diff = (centers_batch - features) / tf.cast(1 + appear_times, tf.float32) * alfa; return loss, centers, tf.scatter_sub(centers, labels, diff)
def arcface(embedding, labels, out_num, s=8., m=0.5):
    cos_m, sin_m = np.cos(m), np.sin(m); mm = sin_m * m; threshold = np.cos(np.pi - m); embedding = tf.nn.l2_normalize(embedding, axis=1, epsilon=1e-8); weights = tf.get_variable(name='embedding_weights', shape=(D, out_num), initializer=tf.random_normal_initializer(stddev=0.5)); weights = tf.div(weights, tf.norm(weights, axis=0, keep_dims=True))
    cos_t = tf.matmul(embedding, weights); sin_t = tf.sqrt(tf.subtract(1.0001, tf.square(cos_t))); cos_mt = s * tf.subtract(tf.multiply(cos_t, cos_m), tf.multiply(sin_t, sin_m)); cond = tf.cast(tf.nn.relu(cos_t - threshold), dtype=tf.bool); cos_mt_temp = tf.where(cond, cos_mt, s * (cos_t - mm))
    mask = tf.one_hot(labels, depth=out_num); return tf.add(tf.multiply(s * cos_t, 1. - mask), tf.multiply(cos_mt_temp, mask))
emb = embed(images); triplet = batch_hard_triplet_loss(labels, emb, 0.5); closs, centers, centers_op = center_loss(emb, labels, 0.5, C); arc = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=arcface(emb, labels, C), labels=labels)); half = tf.split(emb, 2); d2 = tf.reduce_sum(tf.squared_difference(*half), 1); same = tf.to_float(tf.equal(*tf.split(labels, 2))); siamese = tf.reduce_mean(same * d2 + (1 - same) * tf.square(tf.maximum(1.0 - tf.sqrt(d2 + 1e-6), 0)))
reg = tf.add_n(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)); total = triplet + 0.1 * closs + arc + siamese + reg
with tf.control_dependencies([centers_op]): train = tf.train.MomentumOptimizer(0.02, 0.9, use_nesterov=True).minimize(total)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(4): feed = {images: rnd(i, 8, 8, 8, 1), labels: ints(i, C, 8)}; show("metric", sess.run([triplet, closs, arc, siamese, reg, train], feed)[:5])
    show("centers", sess.run(centers)); show("emb", sess.run(tf.nn.l2_normalize(emb, 1), feed))
tf.reset_default_graph(); tf.set_random_seed(22)
class DeepFM(object):
    def __init__(self, feature_size, field_size, embedding_size=3, dropout_fm=(1.0, 1.0), deep_layers=(6, 4), deep_init_size=None):
        self.feature_size, self.field_size, self.embedding_size, self.deep_layers = feature_size, field_size, embedding_size, deep_layers
        self.feat_index = tf.placeholder(tf.int32, shape=[None, None], name="feat_index"); self.feat_value = tf.placeholder(tf.float32, shape=[None, None], name="feat_value"); self.label = tf.placeholder(tf.float32, shape=[None, 1], name="label"); self.dropout_keep_fm = tf.placeholder(tf.float32, shape=[None], name="dropout_keep_fm"); self.train_phase = tf.placeholder(tf.bool, name="train_phase")
        self.weights = self._initialize_weights()
        self.embeddings = tf.nn.embedding_lookup(self.weights["feature_embeddings"], self.feat_index); feat_value = tf.reshape(self.feat_value, shape=[-1, field_size, 1]); self.embeddings = tf.multiply(self.embeddings, feat_value)
        self.y_first_order = tf.nn.embedding_lookup(self.weights["feature_bias"], self.feat_index); self.y_first_order = tf.reduce_sum(tf.multiply(self.y_first_order, feat_value), 2); self.y_first_order = tf.nn.dropout(self.y_first_order, self.dropout_keep_fm[0])
        self.summed_features_emb_square = tf.square(tf.reduce_sum(self.embeddings, 1)); self.squared_sum_features_emb = tf.reduce_sum(tf.square(self.embeddings), 1); self.y_second_order = 0.5 * tf.subtract(self.summed_features_emb_square, self.squared_sum_features_emb); self.y_second_order = tf.nn.dropout(self.y_second_order, self.dropout_keep_fm[1])
        self.y_deep = tf.reshape(self.embeddings, shape=[-1, field_size * embedding_size])
        for i in range(0, len(deep_layers)): self.y_deep = tf.add(tf.matmul(self.y_deep, self.weights["layer_%d" % i]), self.weights["bias_%d" % i]); self.y_deep = self.batch_norm_layer(self.y_deep, self.train_phase, "bn_%d" % i); self.y_deep = tf.nn.relu(self.y_deep)
        concat_input = tf.concat([self.y_first_order, self.y_second_order, self.y_deep], axis=1); self.out = tf.nn.sigmoid(tf.add(tf.matmul(concat_input, self.weights["concat_projection"]), self.weights["concat_bias"])); self.loss = tf.losses.log_loss(self.label, self.out) + 0.01 * tf.nn.l2_loss(self.weights["concat_projection"])
        self.optimizer = tf.train.AdagradOptimizer(learning_rate=0.05, initial_accumulator_value=1e-2).minimize(self.loss)
    def _initialize_weights(self):
        weights = dict(); weights["feature_embeddings"] = tf.Variable(tf.random_normal([self.feature_size, self.embedding_size], 0.0, 0.1), name="feature_embeddings"); weights["feature_bias"] = tf.Variable(tf.random_uniform([self.feature_size, 1], 0.0, 1.0), name="feature_bias"); sizes = [self.field_size * self.embedding_size] + list(self.deep_layers)
        for i in range(len(self.deep_layers)): weights["layer_%d" % i] = tf.Variable(np.float32(rnd(i, sizes[i], sizes[i + 1]) - 0.5), dtype=np.float32); weights["bias_%d" % i] = tf.Variable(np.zeros((1, sizes[i + 1]), np.float32), dtype=np.float32)
        n = self.field_size + self.embedding_size + self.deep_layers[-1]; weights["concat_projection"] = tf.Variable(rnd(9, n, 1) - np.float32(0.5), dtype=tf.float32); weights["concat_bias"] = tf.Variable(tf.constant(0.01), dtype=np.float32); return weights
    def batch_norm_layer(self, x, train_phase, scope_bn):
        return tf.cond(train_phase, lambda: tf.layers.batch_normalization(x, momentum=0.995, training=True, name=scope_bn, reuse=tf.AUTO_REUSE), lambda: tf.layers.batch_normalization(x, momentum=0.995, training=False, name=scope_bn, reuse=tf.AUTO_REUSE))
fm = DeepFM(12, 4); sess = tf.Session(); sess.run(tf.global_variables_initializer())
for i in range(4): f = {fm.feat_index: ints(i, 12, 5, 4), fm.feat_value: rnd(i, 5, 4), fm.label: ints(i + 3, 2, 5, 1), fm.dropout_keep_fm: [1.0, 1.0], fm.train_phase: True}; show("fm", sess.run((fm.loss, fm.optimizer), f)[0])
f[fm.train_phase] = False; show("out", sess.run(fm.out, f)); show("total", sum(int(np.prod(v.shape)) for v in sess.run(fm.weights).values())); sess.close()
tf.reset_default_graph(); tf.set_random_seed(23)
u = tf.placeholder(tf.int32, [None]); v = tf.placeholder(tf.int32, [None]); r = tf.placeholder(tf.float32, [None]); mu = tf.placeholder(tf.float32, [])
U = tf.get_variable("U", [5, 2]); V = tf.get_variable("V", [6, 2]); bu = tf.get_variable("bu", [5], initializer=tf.zeros_initializer()); bv = tf.get_variable("bv", [6], initializer=tf.zeros_initializer())
pred = tf.reduce_sum(tf.nn.embedding_lookup(U, u) * tf.nn.embedding_lookup(V, v), 1) + tf.nn.embedding_lookup(bu, u) + tf.nn.embedding_lookup(bv, v) + mu; cost = tf.nn.l2_loss(pred - r) + 0.05 * tf.add_n([tf.nn.l2_loss(t) for t in (U, V, bu, bv)])
class ExternalOptimizerInterface(object):
    def __init__(self, loss, var_list=None):
        self._vars = var_list or tf.trainable_variables(); dims = [int(np.prod(x.get_shape().as_list())) for x in self._vars]; acc = np.cumsum([0] + dims); self._packing_slices = [slice(int(a), int(b)) for a, b in zip(acc[:-1], acc[1:])]
        grads = tf.gradients(loss, self._vars); self._loss = loss; self._packed_var = tf.concat([tf.reshape(x, [-1]) for x in self._vars], 0); self._packed_grad = tf.concat([tf.reshape(tf.convert_to_tensor(g) if g is not None else tf.zeros_like(x), [-1]) for g, x in zip(grads, self._vars)], 0)
        self._update_placeholders = [tf.placeholder(x.dtype.base_dtype) for x in self._vars]; self._var_updates = [x.assign(tf.reshape(p, [d.value for d in x.get_shape()])) for x, p in zip(self._vars, self._update_placeholders)]
    def minimize(self, session, feed_dict, steps):
        def func(x): session.run(self._var_updates, feed_dict=dict(zip(self._update_placeholders, [np.float32(x[s]) for s in self._packing_slices]))); l, g = session.run([self._loss, self._packed_grad], feed_dict=feed_dict); return float(l), np.float64(g)
        x = np.float64(session.run(self._packed_var)); S, Y = [], []; l, g = func(x)
        for _ in range(steps):
            q = g.copy(); al = []
            for s, y in reversed(list(zip(S, Y))): a = s.dot(q) / y.dot(s); al.append(a); q -= a * y
            if S: q *= S[-1].dot(Y[-1]) / Y[-1].dot(Y[-1])
            for (s, y), a in zip(zip(S, Y), reversed(al)): q += s * (a - y.dot(q) / y.dot(s))
            t = 1.0 if S else 0.1
            while True:
                l2, g2 = func(x - t * q)
                if l2 <= l - 1e-4 * t * g.dot(q): break
                t *= 0.5
            S.append(-t * q); Y.append(g2 - g); S, Y = S[-4:], Y[-4:]; x, l, g = x - t * q, l2, g2; show("lbfgs", l)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer()); ExternalOptimizerInterface(cost).minimize(sess, {u: ints(1, 5, 14), v: ints(2, 6, 14), r: rnd(3, 14), mu: 0.4}, 6)
    show("bias", sess.run(bu)); U.load(rnd(5, 5, 2), sess); show("loaded", [U.eval(sess), tf.reduce_sum(V).eval(session=sess)])
tf.reset_default_graph(); tf.set_random_seed(24); K, E = 5, 3
x = tf.placeholder(tf.float32, [None, 4, 4, 4]); z = tf.layers.conv2d(x, E, 1); flat = tf.reshape(z, [-1, E]); w = tf.get_variable("codes", [E, K], initializer=tf.random_uniform_initializer(-0.5, 0.5), trainable=False); ema_w = tf.Variable(w.initialized_value(), trainable=False, name="ema_dw"); ema_n = tf.get_variable("ema_cluster_size", [K], initializer=tf.constant_initializer(0), trainable=False)
dist = tf.reduce_sum(flat ** 2, 1, keepdims=True) - 2 * tf.matmul(flat, w) + tf.reduce_sum(w ** 2, 0, keepdims=True); idx = tf.argmax(-dist, 1); onehot = tf.one_hot(idx, K); quant = tf.nn.embedding_lookup(tf.transpose(w, [1, 0]), tf.reshape(idx, tf.shape(x)[:-1])); e_loss = tf.reduce_mean((tf.stop_gradient(quant) - z) ** 2)
from tensorflow.python.training import moving_averages
upd_n = moving_averages.assign_moving_average(ema_n, tf.reduce_sum(onehot, 0), 0.9, zero_debias=True); upd_w = moving_averages.assign_moving_average(ema_w, tf.matmul(flat, onehot, transpose_a=True), 0.9, zero_debias=True); n = tf.reduce_sum(upd_n); size = (upd_n + 1e-5) / (n + K * 1e-5) * n
with tf.control_dependencies([e_loss]): upd = tf.assign(w, upd_w / tf.reshape(size, [1, -1]))
q = z + tf.stop_gradient(quant - z); perplexity = tf.exp(-tf.reduce_sum(tf.reduce_mean(onehot, 0) * tf.log(tf.reduce_mean(onehot, 0) + 1e-10))); sr = tf.depth_to_space(tf.layers.conv2d(q, 16, 3, padding="same", name="up"), 2); target = tf.image.resize_bicubic(x, [8, 8]); loss = tf.reduce_mean(tf.abs(sr - target)) + 0.25 * e_loss; psnr = tf.image.psnr(sr, target, 1.0); lr = tf.train.piecewise_constant(tf.train.get_or_create_global_step(), [2, 3], [0.02, 0.01, 0.005]); opt = tf.train.AdamOptimizer(lr).minimize(loss, tf.train.get_global_step()); back = tf.space_to_depth(sr, 2); ms = tf.image.ssim(tf.clip_by_value(sr, 0, 1), target, 1.0, filter_size=5)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(4): show("vq", sess.run([loss, e_loss, perplexity, lr, opt], {x: rnd(i, 3, 4, 4, 4)})[:4]); show("codes", sess.run(upd, {x: rnd(i, 3, 4, 4, 4)}))
    show("psnr", sess.run([psnr, ms, tf.reduce_sum(back ** 2)], {x: rnd(9, 2, 4, 4, 4)}))
