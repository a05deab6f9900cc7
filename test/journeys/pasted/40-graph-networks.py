"""Graph networks: GCN layers on sparse placeholders with dropout of sparse values, attention heads by sparse_softmax, message passing by segments."""
from recording import *
tf.set_random_seed(123)
N, F, C = 7, 5, 3
flags = {"hidden": 4, "dropout": 0.3}
edges = sorted({(int(a), int(b)) for a, b in zip(ints(1, N, 14), ints(2, N, 14))} | {(i, i) for i in range(N)})
def preprocess_adj():
    adj = np.zeros((N, N)); 
    for a, b in edges: adj[a, b] = adj[b, a] = 1.0
    d = 1.0 / np.sqrt(adj.sum(1)); full = adj * d[:, None] * d[None, :]
    coords = np.argwhere(full > 0)
    return coords, np.array([full[a, b] for a, b in coords], np.float32), full.shape
def sparse_features():
    f = np.floor(rnd(5, N, F) * 2.0).astype(np.float32); f[0, 0] = 1.0
    coords = np.argwhere(f > 0)
    return coords, np.array([f[a, b] / f[a].sum() for a, b in coords], np.float32), f.shape
_LAYER_UIDS = {}
def get_layer_uid(layer_name=""):
    _LAYER_UIDS[layer_name] = _LAYER_UIDS.get(layer_name, 0) + 1
    return _LAYER_UIDS[layer_name]
def sparse_dropout(x, keep_prob, noise_shape):
    random_tensor = keep_prob
    random_tensor += tf.random_uniform(noise_shape)
    dropout_mask = tf.cast(tf.floor(random_tensor), dtype=tf.bool)
    pre_out = tf.sparse_retain(x, dropout_mask)
    return pre_out * (1.0 / keep_prob)
def dot(x, y, sparse=False): return tf.sparse_tensor_dense_matmul(x, y) if sparse else tf.matmul(x, y)
def glorot(shape, name=None):
    init_range = np.sqrt(6.0 / (shape[0] + shape[1]))
    return tf.Variable(tf.random_uniform(shape, minval=-init_range, maxval=init_range, dtype=tf.float32), name=name)
class GraphConvolution(object):
    def __init__(self, input_dim, output_dim, placeholders, dropout=0.0, sparse_inputs=False, act=tf.nn.relu, featureless=False):
        self.name = "graphconvolution_" + str(get_layer_uid("graphconvolution")); self.vars = {}
        self.dropout = placeholders["dropout"] if dropout else 0.0
        self.act, self.support, self.sparse_inputs = act, placeholders["support"], sparse_inputs
        self.num_features_nonzero = placeholders["num_features_nonzero"]
        with tf.variable_scope(self.name + "_vars"):
            for i in range(len(self.support)): self.vars["weights_" + str(i)] = glorot([input_dim, output_dim], name="weights_" + str(i))
            self.vars["bias"] = tf.Variable(tf.zeros([output_dim]), name="bias")
    def __call__(self, inputs):
        with tf.name_scope(self.name):
            x = sparse_dropout(inputs, 1 - self.dropout, self.num_features_nonzero) if self.sparse_inputs else tf.nn.dropout(inputs, 1 - self.dropout)
            supports = [dot(self.support[i], dot(x, self.vars["weights_" + str(i)], sparse=self.sparse_inputs), sparse=True) for i in range(len(self.support))]
            return self.act(tf.add_n(supports) + self.vars["bias"])
placeholders = {"support": [tf.sparse_placeholder(tf.float32) for _ in range(1)], "features": tf.sparse_placeholder(tf.float32, shape=tf.constant([N, F], dtype=tf.int64)), "labels": tf.placeholder(tf.float32, shape=(None, C)),
    "labels_mask": tf.placeholder(tf.int32), "dropout": tf.placeholder_with_default(0.0, shape=()), "num_features_nonzero": tf.placeholder(tf.int32)}
layer1 = GraphConvolution(F, flags["hidden"], placeholders, dropout=True, sparse_inputs=True); hidden = layer1(placeholders["features"])
outputs = GraphConvolution(flags["hidden"], C, placeholders, dropout=True, act=lambda x: x)(hidden)
def masked_softmax_cross_entropy(preds, labels, mask):
    loss = tf.nn.softmax_cross_entropy_with_logits(logits=preds, labels=labels)
    mask = tf.cast(mask, dtype=tf.float32); mask /= tf.reduce_mean(mask)
    return tf.reduce_mean(loss * mask)
loss = 5e-4 * tf.add_n([tf.nn.l2_loss(v) for v in layer1.vars.values()]) + masked_softmax_cross_entropy(outputs, placeholders["labels"], placeholders["labels_mask"])
def sp_attn_head(seq, out_sz, adj_mat, activation):
    with tf.name_scope("sp_attn"):
        seq_fts = tf.layers.conv1d(seq, out_sz, 1, use_bias=False)
        f_1 = tf.reshape(tf.layers.conv1d(seq_fts, 1, 1), (N, 1)); f_2 = tf.reshape(tf.layers.conv1d(seq_fts, 1, 1), (N, 1))
        logits = tf.sparse_add(adj_mat * f_1, adj_mat * tf.transpose(f_2, [1, 0]))
        lrelu = tf.SparseTensor(indices=logits.indices, values=tf.nn.leaky_relu(logits.values), dense_shape=logits.dense_shape)
        coefs = tf.sparse_softmax(lrelu)
        coefs = tf.sparse_reshape(coefs, [N, N]); seq_fts = tf.squeeze(seq_fts)
        vals = tf.expand_dims(tf.sparse_tensor_dense_matmul(coefs, seq_fts), axis=0); vals.set_shape([1, N, out_sz])
        return activation(tf.nn.bias_add(vals, tf.get_variable("bias_%d" % get_layer_uid("attn"), [out_sz]))), coefs
heads = [sp_attn_head(tf.expand_dims(hidden, 0), 4, placeholders["support"][0], tf.nn.elu) for _ in range(2)]
gat = tf.concat([h[0] for h in heads], axis=-1)
gat_logits = tf.squeeze(tf.layers.dense(gat, C), 0)
gat_loss = tf.losses.softmax_cross_entropy(placeholders["labels"], gat_logits, weights=tf.to_float(placeholders["labels_mask"]), label_smoothing=0.1)
senders = tf.constant([e[0] for e in edges]); receivers = tf.constant([e[1] for e in edges])
with tf.variable_scope("mpnn"):
    nodes = hidden; gru = tf.nn.rnn_cell.GRUCell(4)
    for k in range(2):
        with tf.variable_scope("pass", reuse=tf.AUTO_REUSE):
            messages = tf.layers.dense(tf.concat([tf.gather(nodes, senders), tf.gather(nodes, receivers)], 1), 4, tf.tanh, name="edge")
            got = tf.unsorted_segment_sum(messages, receivers, N) + tf.unsorted_segment_max(messages, receivers, N) + tf.unsorted_segment_mean(messages, senders, N)
            nodes, _ = gru(got, nodes)
    pooled = tf.stack([tf.segment_sum(nodes, [0, 0, 0, 1, 1, 1, 1]), tf.segment_mean(nodes, [0, 0, 0, 1, 1, 1, 1]), tf.segment_max(nodes, [0, 0, 0, 1, 1, 1, 1])])
    readout = tf.reduce_mean(tf.square(pooled)) + tf.reduce_mean(tf.unsorted_segment_sqrt_n(nodes, tf.range(N) % 2, 2))
all_loss = loss + gat_loss + 0.1 * readout
opt = tf.train.AdamOptimizer(learning_rate=0.05).minimize(all_loss)
correct = tf.equal(tf.argmax(outputs, 1), tf.argmax(placeholders["labels"], 1))
mask = tf.cast(placeholders["labels_mask"], tf.float32); accuracy = tf.reduce_mean(tf.cast(correct, tf.float32) * mask / tf.reduce_mean(mask))
feats = sparse_features()
feed = {placeholders["features"]: feats, placeholders["labels_mask"]: [1, 1, 1, 0, 1, 0, 1], placeholders["labels"]: np.eye(C)[ints(8, C, N)], placeholders["num_features_nonzero"]: feats[1].shape}
feed.update({placeholders["support"][i]: s for i, s in enumerate([preprocess_adj()])})
show("names", [v.op.name for v in tf.trainable_variables()])
sess = tf.Session(); sess.run(tf.global_variables_initializer())
for epoch in range(6):
    feed[placeholders["dropout"]] = flags["dropout"] if epoch > 3 else 0.0
    outs = sess.run([opt, loss, accuracy, gat_loss, readout], feed_dict=feed)
    show("outs", outs[1:])
feed[placeholders["dropout"]] = 0.0
show("logits", sess.run(outputs, feed)); c = sess.run(heads[0][1], feed); show("coefs", [c.indices, c.values, c.dense_shape])
back = tf.sparse_reduce_sum(heads[1][1], 1), tf.sparse.to_dense(tf.sparse.transpose(heads[0][1])), tf.sparse.reduce_max(heads[1][1], 0)
show("back", sess.run(back, feed))
top = tf.sparse_concat(0, [heads[0][1], tf.sparse_slice(heads[1][1], [0, 0], [2, N])]); show("top", sess.run([tf.sparse_tensor_to_dense(top), tf.sparse_reorder(top).values], feed))
sess.close()
