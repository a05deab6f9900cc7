"""Click models: an attention unit over a user's history as in DIN, dice and prelu, a factorization machine and cross layers over sparse ids."""
from recording import *
tf.set_random_seed(1234)
item_count, cate_count, hidden_units = 12, 5, 6
cate_list = [i * 7 % cate_count for i in range(item_count)]
def prelu(_x, scope=""):
    with tf.variable_scope(name_or_scope=scope, default_name="prelu"):
        _alpha = tf.get_variable("prelu_" + scope, shape=_x.get_shape()[-1], dtype=_x.dtype, initializer=tf.constant_initializer(0.1))
        return tf.maximum(0.0, _x) + _alpha * tf.minimum(0.0, _x)
def dice(_x, axis=-1, epsilon=0.000000001, name=""):
    with tf.variable_scope(name, reuse=tf.AUTO_REUSE):
        alphas = tf.get_variable("alpha" + name, _x.get_shape()[-1], initializer=tf.constant_initializer(0.0), dtype=tf.float32)
        input_shape = list(_x.get_shape())
        reduction_axes = list(range(len(input_shape)))
        del reduction_axes[axis]
        broadcast_shape = [1] * len(input_shape)
        broadcast_shape[axis] = input_shape[axis]
    mean = tf.reduce_mean(_x, axis=reduction_axes)
    brodcast_mean = tf.reshape(mean, broadcast_shape)
    std = tf.reduce_mean(tf.square(_x - brodcast_mean) + epsilon, axis=reduction_axes)
    std = tf.sqrt(std)
    brodcast_std = tf.reshape(std, broadcast_shape)
    x_normed = tf.layers.batch_normalization(_x, center=False, scale=False, name=name, reuse=tf.AUTO_REUSE)
    x_p = tf.sigmoid(x_normed)
    return alphas * (1.0 - x_p) * _x + x_p * _x + 0.0 * tf.reduce_sum(brodcast_std)
def attention(queries, keys, keys_length):
    queries_hidden_units = queries.get_shape().as_list()[-1]
    queries = tf.tile(queries, [1, tf.shape(keys)[1]])
    queries = tf.reshape(queries, [-1, tf.shape(keys)[1], queries_hidden_units])
    din_all = tf.concat([queries, keys, queries - keys, queries * keys], axis=-1)
    d_layer_1_all = tf.layers.dense(din_all, 8, activation=tf.nn.sigmoid, name="f1_att", reuse=tf.AUTO_REUSE)
    d_layer_3_all = tf.layers.dense(d_layer_1_all, 1, activation=None, name="f3_att", reuse=tf.AUTO_REUSE)
    d_layer_3_all = tf.reshape(d_layer_3_all, [-1, 1, tf.shape(keys)[1]])
    outputs = d_layer_3_all
    key_masks = tf.sequence_mask(keys_length, tf.shape(keys)[1])
    key_masks = tf.expand_dims(key_masks, 1)
    paddings = tf.ones_like(outputs) * (-2 ** 32 + 1)
    outputs = tf.where(key_masks, outputs, paddings)
    outputs = outputs / (keys.get_shape().as_list()[-1] ** 0.5)
    outputs = tf.nn.softmax(outputs)
    return tf.matmul(outputs, keys)
u = tf.placeholder(tf.int32, [None]); i = tf.placeholder(tf.int32, [None]); j = tf.placeholder(tf.int32, [None])
y = tf.placeholder(tf.float32, [None]); hist_i = tf.placeholder(tf.int32, [None, None]); sl = tf.placeholder(tf.int32, [None]); lr = tf.placeholder(tf.float64, [])
tags = tf.sparse_placeholder(tf.int64, name="tags"); tag_weights = tf.sparse_placeholder(tf.float32, name="tag_weights")
item_emb_w = tf.get_variable("item_emb_w", [item_count, hidden_units // 2]); item_b = tf.get_variable("item_b", [item_count], initializer=tf.constant_initializer(0.0))
cate_emb_w = tf.get_variable("cate_emb_w", [cate_count, hidden_units // 2]); cate_list = tf.convert_to_tensor(cate_list, dtype=tf.int64)
tag_emb = tf.get_variable("tag_emb", [9, 4], initializer=tf.truncated_normal_initializer(stddev=0.2), partitioner=tf.fixed_size_partitioner(3))
ic = tf.gather(cate_list, i)
i_emb = tf.concat(values=[tf.nn.embedding_lookup(item_emb_w, i), tf.nn.embedding_lookup(cate_emb_w, ic)], axis=1)
i_b = tf.gather(item_b, i)
jc = tf.gather(cate_list, j)
j_emb = tf.concat([tf.nn.embedding_lookup(item_emb_w, j), tf.nn.embedding_lookup(cate_emb_w, jc)], axis=1)
j_b = tf.gather(item_b, j)
hc = tf.gather(cate_list, hist_i)
h_emb = tf.concat([tf.nn.embedding_lookup(item_emb_w, hist_i), tf.nn.embedding_lookup(cate_emb_w, hc)], axis=2)
hist = attention(i_emb, h_emb, sl)
hist = tf.layers.batch_normalization(inputs=hist)
hist = tf.reshape(hist, [-1, hidden_units], name="hist_bn")
hist = tf.layers.dense(hist, hidden_units, name="hist_fcn")
u_emb_i = hist
hist_j = attention(j_emb, h_emb, sl)
hist_j = tf.layers.batch_normalization(inputs=hist_j, reuse=False)
hist_j = tf.reshape(hist_j, [-1, hidden_units], name="hist_bn")
hist_j = tf.layers.dense(hist_j, hidden_units, name="hist_fcn", reuse=True)
tag = tf.nn.embedding_lookup_sparse(tag_emb, tags, tag_weights, partition_strategy="div", combiner="mean")
known = tf.SparseTensor(tags.indices, tags.values - 2, tags.dense_shape)
tag1 = tf.nn.safe_embedding_lookup_sparse(tag_emb, known, None, combiner="sqrtn", default_id=0, partition_strategy="div")
def tower(user, item, reuse):
    din = tf.concat([user, item, user * item, tag], axis=-1)
    din = tf.layers.batch_normalization(inputs=din, name="b1", reuse=reuse)
    d1 = dice(tf.layers.dense(din, 8, activation=None, name="f1", reuse=reuse), name="dice_1")
    d2 = prelu(tf.layers.dense(d1, 4, activation=None, name="f2", reuse=reuse)) if not reuse else tf.nn.leaky_relu(tf.layers.dense(d1, 4, name="f2", reuse=True), 0.1)
    d3 = tf.layers.dense(d2, 1, activation=None, name="f3", reuse=reuse)
    return tf.reshape(d3, [-1])
d3_i, d3_j = tower(u_emb_i, i_emb, None), tower(hist_j, j_emb, True)
mf_auc = tf.reduce_mean(tf.to_float(i_b - j_b + d3_i - d3_j > 0))
fields = tf.stack([i_emb[:, :4], tag, tag1], axis=1)
sum_square, square_sum = tf.square(tf.reduce_sum(fields, 1)), tf.reduce_sum(tf.square(fields), 1)
fm = 0.5 * tf.reduce_sum(tf.subtract(sum_square, square_sum), 1)
x0 = tf.reshape(fields, (-1, 12)); xl = x0
for l in range(2):
    with tf.variable_scope("cross_%d" % l):
        w = tf.get_variable("w", [12], initializer=tf.glorot_normal_initializer()); b = tf.get_variable("b", [12], initializer=tf.zeros_initializer())
        xl = x0 * tf.expand_dims(tf.tensordot(xl, w, axes=1), -1) + b + xl
cross = tf.squeeze(tf.layers.dense(xl, 1), [1])
logits = i_b + d3_i + fm + cross
score = tf.sigmoid(logits)
global_step = tf.Variable(0, trainable=False, name="global_step")
loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(logits=logits, labels=y))
loss += 1e-3 * tf.add_n([tf.nn.l2_loss(v) for v in tf.trainable_variables() if "emb_w" in v.name])
trainable_params = tf.trainable_variables()
opt = tf.train.GradientDescentOptimizer(learning_rate=lr)
gradients = tf.gradients(loss, trainable_params)
clip_gradients, norm = tf.clip_by_global_norm(gradients, 5)
train_op = opt.apply_gradients(zip(clip_gradients, trainable_params), global_step=global_step)
def batch(seed):
    n = 8; lengths = ints(seed + 1, 4, n) + 1
    rows = [[r, c] for r in range(n) for c in range(int(lengths[r]))]
    ids = ints(seed + 2, 9, len(rows)).astype(np.int64)
    return {i: ints(seed + 3, item_count, n), j: ints(seed + 4, item_count, n), u: ints(seed, 3, n), y: ints(seed + 5, 2, n).astype(np.float32), hist_i: ints(seed + 6, item_count, n, 4), sl: lengths, lr: 0.3,
            tags: (rows, ids, [n, 4]), tag_weights: tf.SparseTensorValue(rows, rnd(seed + 7, len(rows)) + 0.1, [n, 4])}
show("names", [v.op.name for v in tf.global_variables()])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer()); sess.run(tf.local_variables_initializer())
    for step in range(4):
        l, n, _ = sess.run([loss, norm, train_op], feed_dict=batch(step * 11))
        if step % 2: show("loss", [l, n])
    s, a, f = sess.run([score, mf_auc, fm], batch(3)); show("score", s); show("auc", a); show("fm", f)
    t, t1 = sess.run([tag, tag1], batch(40)); show("tag", t); show("tag1", t1)
    show("emb", sess.run(tag_emb.as_tensor())); show("step", sess.run(global_step))
