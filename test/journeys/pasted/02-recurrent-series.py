"""HOML ch.14: time series RNN, variable length, dropout wrapper with a placeholder, peepholes, device wrapper."""
from recording import *
tf.set_random_seed(42)
n_steps, n_inputs, n_neurons, n_outputs, n_layers = 6, 1, 7, 1, 2
keep_prob = tf.placeholder_with_default(1.0, shape=())
X = tf.placeholder(tf.float32, [None, n_steps, n_inputs])
y = tf.placeholder(tf.float32, [None, n_steps, n_outputs])
seq_length = tf.placeholder(tf.int32, [None])
devices = ["/cpu:0", "/cpu:0"]
cells = [tf.nn.rnn_cell.DeviceWrapper(tf.nn.rnn_cell.LSTMCell(num_units=n_neurons, use_peepholes=True, num_proj=5 if i else None, cell_clip=3.0, proj_clip=2.0 if i else None), devices[i]) for i in range(n_layers)]
cells_drop = [tf.nn.rnn_cell.DropoutWrapper(cell, input_keep_prob=keep_prob, state_keep_prob=0.9, variational_recurrent=False, seed=9) for cell in cells]
multi_layer_cell = tf.nn.rnn_cell.MultiRNNCell(cells_drop)
rnn_outputs, states = tf.nn.dynamic_rnn(multi_layer_cell, X, dtype=tf.float32, parallel_iterations=1, sequence_length=seq_length)
stacked_rnn_outputs = tf.reshape(rnn_outputs, [-1, 5])
stacked_outputs = tf.layers.dense(stacked_rnn_outputs, n_outputs, name="dense")
outputs = tf.reshape(stacked_outputs, [-1, n_steps, n_outputs])
loss = tf.reduce_mean(tf.square(outputs - y))
optimizer = tf.train.AdamOptimizer(learning_rate=0.01)
training_op = optimizer.minimize(loss)
top = states[-1].h
low, high = states[0][0], states[-1][1]
basic = tf.nn.rnn_cell.BasicRNNCell(num_units=4)
seqs = tf.unstack(tf.transpose(X, perm=[1, 0, 2]))
out_seqs, st = tf.nn.static_rnn(basic, seqs, dtype=tf.float32, sequence_length=seq_length)
bi, bist = tf.nn.bidirectional_dynamic_rnn(tf.nn.rnn_cell.GRUCell(3), tf.nn.rnn_cell.GRUCell(3), X, seq_length, dtype=tf.float32)
init = tf.global_variables_initializer()
def next_batch(k):
    t0 = rnd(k, 8, 1) * 5
    Ts = t0 + np.arange(0., n_steps + 1) * 0.1
    ys = (Ts * np.sin(Ts) / 3 + 2 * np.sin(Ts * 5)).astype(np.float32)
    return ys[:, :-1].reshape(-1, n_steps, 1), ys[:, 1:].reshape(-1, n_steps, 1)
with tf.Session() as sess:
    init.run()
    show("names", [v.name for v in tf.trainable_variables()])
    for it in range(20):
        a, b = next_batch(it)
        sl = ints(it, n_steps, 8) + 1
        _, mse = sess.run([training_op, loss], feed_dict={X: a, y: b, keep_prob: 0.8, seq_length: sl})
        if it % 4 == 0: show("mse", mse)
    a, b = next_batch(99)
    fd = {X: a, seq_length: [6, 5, 4, 3, 2, 1, 6, 0]}
    show("st", sess.run([st, out_seqs[-1], bi[1], bist[0]], fd))
