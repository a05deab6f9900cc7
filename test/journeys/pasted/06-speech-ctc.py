"""CTC speech model: sparse_placeholder, LSTM, ctc_loss, greedy and beam decoders, edit distance (label error rate)."""
from recording import *
tf.set_random_seed(5)
F, C, H = 4, 6, 7
inputs = tf.placeholder(tf.float32, [None, None, F])
targets = tf.sparse_placeholder(tf.int32)
seq_len = tf.placeholder(tf.int32, [None])
stack = tf.nn.rnn_cell.MultiRNNCell([tf.nn.rnn_cell.LSTMCell(H, state_is_tuple=True) for _ in range(1)], state_is_tuple=True)
outputs, _ = tf.nn.dynamic_rnn(stack, inputs, seq_len, dtype=tf.float32)
shape = tf.shape(inputs)
batch_s, max_t = shape[0], shape[1]
outputs = tf.reshape(outputs, [-1, H])
W = tf.Variable(tf.truncated_normal([H, C], stddev=0.1)); b = tf.Variable(tf.constant(0., shape=[C]))
logits = tf.transpose(tf.reshape(tf.matmul(outputs, W) + b, [batch_s, -1, C]), (1, 0, 2))
loss = tf.nn.ctc_loss(targets, logits, seq_len, preprocess_collapse_repeated=False, ctc_merge_repeated=True)
cost = tf.reduce_mean(loss)
optimizer = tf.train.MomentumOptimizer(0.05, 0.9).minimize(cost)
decoded, log_prob = tf.nn.ctc_greedy_decoder(logits, seq_len)
bd, blp = tf.nn.ctc_beam_search_decoder(logits, seq_len, beam_width=8, top_paths=2, merge_repeated=False)
ler = tf.reduce_mean(tf.edit_distance(tf.cast(decoded[0], tf.int32), targets))
dense = tf.sparse_tensor_to_dense(bd[0], default_value=-1)
def sparse_tuple_from(sequences, dtype=np.int32):
    indices, values = [], []
    for n, seq in enumerate(sequences):
        indices.extend(zip([n] * len(seq), range(len(seq)))); values.extend(seq)
    indices = np.asarray(indices, dtype=np.int64); values = np.asarray(values, dtype=dtype)
    return indices, values, np.asarray([len(sequences), indices.max(0)[1] + 1], dtype=np.int64)
with tf.Session() as session:
    tf.global_variables_initializer().run()
    for i in range(15):
        x = rnd(i, 3, 9, F); t = sparse_tuple_from([ints(i, C - 1, 3), ints(i + 1, C - 1, 2), ints(i + 2, C - 1, 4)])
        feed = {inputs: x, targets: t, seq_len: [9, 7, 8]}
        c, _ = session.run([cost, optimizer], feed)
        if i % 3 == 0: show("c", [c, session.run(ler, feed_dict=feed)])
    d = session.run(decoded[0], feed_dict=feed)
    show("d", [d.indices, d.values, d.dense_shape]); show("lp", session.run([log_prob, blp], feed)); show("dense", session.run(dense, feed))
    feed[targets] = tf.SparseTensorValue(*t)
    show("again", session.run([loss, ler], feed))
