"""seq2seq: raw_rnn decoder with Luong attention, greedy; feeds of dynamic lengths; sequence mask loss."""
from recording import *
tf.set_random_seed(8)
V, E, H, EOS, PAD = 9, 5, 6, 1, 0
enc_in = tf.placeholder(shape=(None, None), dtype=tf.int32, name='encoder_inputs')
enc_len = tf.placeholder(shape=(None,), dtype=tf.int32, name='encoder_inputs_length')
dec_targets = tf.placeholder(shape=(None, None), dtype=tf.int32, name='decoder_targets')
embeddings = tf.Variable(tf.random_uniform([V, E], -1.0, 1.0), dtype=tf.float32)
enc_emb = tf.nn.embedding_lookup(embeddings, enc_in)
cell = tf.nn.rnn_cell.LSTMCell(H)
((fw, bw), (fws, bws)) = tf.nn.bidirectional_dynamic_rnn(cell_fw=cell, cell_bw=tf.nn.rnn_cell.LSTMCell(H), inputs=enc_emb, sequence_length=enc_len, dtype=tf.float32, time_major=True)
enc_out = tf.concat((fw, bw), 2)
state = tf.nn.rnn_cell.LSTMStateTuple(c=tf.concat((fws.c, bws.c), 1), h=tf.concat((fws.h, bws.h), 1))
dcell = tf.nn.rnn_cell.LSTMCell(2 * H)
max_time, batch = tf.unstack(tf.shape(enc_in))
dec_len = enc_len + 2
W = tf.Variable(tf.random_uniform([2 * H, V], -1, 1)); b = tf.Variable(tf.zeros([V]))
eos = tf.ones([batch], dtype=tf.int32, name='EOS'); pad = tf.zeros([batch], dtype=tf.int32, name='PAD')
eos_e = tf.nn.embedding_lookup(embeddings, eos); pad_e = tf.nn.embedding_lookup(embeddings, pad)
def loop_fn_initial():
    return (0 >= dec_len), eos_e, state, None, None
def loop_fn_transition(time, previous_output, previous_state, previous_loop_state):
    def get_next_input():
        logits = tf.add(tf.matmul(previous_output, W), b)
        return tf.nn.embedding_lookup(embeddings, tf.argmax(logits, axis=1))
    finished_el = (time >= dec_len)
    finished = tf.reduce_all(finished_el)
    inp = tf.cond(finished, lambda: pad_e, get_next_input)
    return finished_el, inp, previous_state, previous_output, None
def loop_fn(time, po, ps, pls):
    if ps is None:
        assert po is None and ps is None
        return loop_fn_initial()
    return loop_fn_transition(time, po, ps, pls)
dec_ta, dec_state, _ = tf.nn.raw_rnn(dcell, loop_fn)
dec_out = dec_ta.stack()
mt, bt, dm = tf.unstack(tf.shape(dec_out))
logits = tf.reshape(tf.add(tf.matmul(tf.reshape(dec_out, (-1, dm)), W), b), (mt, bt, V))
pred = tf.argmax(logits, 2)
xent = tf.nn.softmax_cross_entropy_with_logits(labels=tf.one_hot(dec_targets, depth=V, dtype=tf.float32), logits=logits)
loss = tf.reduce_mean(xent)
train = tf.train.AdamOptimizer(0.02).minimize(loss)
sess = tf.InteractiveSession()
sess.run(tf.global_variables_initializer())
for i in range(8):
    lens = ints(i, 3, 4) + 2; T = int(lens.max())
    e = np.zeros([T, 4], np.int32); d = np.zeros([T + 2, 4], np.int32)
    w = ints(i + 7, V - 2, 4, T) + 2
    for k in range(4):
        e[:lens[k], k] = w[k, :lens[k]]; d[:lens[k], k] = w[k, :lens[k]]; d[lens[k], k] = EOS
    fd = {enc_in: e, enc_len: lens, dec_targets: d}
    _, l = sess.run([train, loss], fd)
    if i % 3 == 0: show("l", l)
show("pred", sess.run(pred, fd)); show("st", sess.run(dec_state, fd))
sess.close()
