"""Translation with attention by hand: bidirectional stacked cells with dropout wrappers, a decoder of while_loop and TensorArrays, teacher forcing by cond, beam search in the graph."""
from recording import *
rnn = tf.nn.rnn_cell
tf.set_random_seed(5)
V, E, H, B, K = 9, 5, 4, 3, 2
SOS, EOS = 1, 2
src = tf.placeholder(tf.int32, (None, None), "src"); src_len = tf.placeholder(tf.int32, (None,), "src_len")
tgt = tf.placeholder(tf.int32, (None, None), "tgt"); tgt_len = tf.placeholder(tf.int32, (None,), "tgt_len")
keep_prob = tf.placeholder_with_default(1.0, (), "keep_prob"); sampling = tf.placeholder_with_default(False, (), "sampling")
embeddings = tf.get_variable("embeddings", [V, E], initializer=tf.random_uniform_initializer(-0.4, 0.4))
def cell(n, layers):
    made = [rnn.DropoutWrapper(rnn.GRUCell(n) if i else rnn.LSTMCell(n, initializer=tf.orthogonal_initializer()), output_keep_prob=keep_prob, state_keep_prob=1.0) for i in range(layers)]
    return rnn.MultiRNNCell(made)
with tf.variable_scope("encoder"):
    (fw, bw), (fw_state, bw_state) = tf.nn.bidirectional_dynamic_rnn(cell(H, 2), cell(H, 2), tf.nn.embedding_lookup(embeddings, src), sequence_length=src_len, dtype=tf.float32)
    memory = tf.concat([fw, bw], -1)
    last = tf.concat([fw_state[0].h, bw_state[0].h, fw_state[-1]], 1)
with tf.variable_scope("decoder") as decoder_scope:
    keys = tf.layers.dense(memory, H, use_bias=False, name="keys")
    start = tf.layers.dense(last, 2 * H, tf.tanh, name="start")
    cell_d = rnn.GRUCell(2 * H); project = tf.layers.Dense(V, name="project")
    v = tf.get_variable("v", [H])
    def attend(query, keys, memory, lengths):
        q = tf.expand_dims(tf.layers.dense(query, H, name="query", reuse=tf.AUTO_REUSE), 1)
        score = tf.reduce_sum(v * tf.tanh(keys + q), [2])
        mask = tf.sequence_mask(lengths, tf.shape(memory)[1], dtype=tf.float32)
        score = score * mask + (1.0 - mask) * tf.float32.min
        align = tf.nn.softmax(score)
        return tf.squeeze(tf.matmul(tf.expand_dims(align, 1), memory), 1), align
    def step(token, state, keys, memory, lengths):
        context, align = attend(state, keys, memory, lengths)
        out, state = cell_d(tf.concat([tf.nn.embedding_lookup(embeddings, token), context], 1), state)
        return project(tf.concat([out, context], 1)), state, align
batch, T = tf.shape(src)[0], tf.shape(tgt)[1]
inputs_ta = tf.TensorArray(tf.int32, size=T, name="inputs").unstack(tf.transpose(tgt))
logits_ta = tf.TensorArray(tf.float32, size=0, dynamic_size=True, name="logits"); align_ta = tf.TensorArray(tf.float32, size=T, element_shape=tf.TensorShape([None, None]))
def body(t, token, state, logits_ta, align_ta):
    with tf.variable_scope(decoder_scope, reuse=tf.AUTO_REUSE):
        logits, state, align = step(token, state, keys, memory, src_len)
    own = tf.argmax(logits, 1, output_type=tf.int32)
    token = tf.cond(tf.logical_and(sampling, tf.equal(t % 2, 1)), lambda: own, lambda: inputs_ta.read(t))
    finished = tf.greater_equal(t, tgt_len)
    state = tf.where(finished, tf.zeros_like(state), state)
    return t + 1, token, state, logits_ta.write(t, logits), align_ta.write(t, align)
_, _, final, logits_ta, align_ta = tf.while_loop(lambda t, *_: t < T, body, (0, tf.fill([batch], SOS), start, logits_ta, align_ta), swap_memory=True)
logits = tf.transpose(logits_ta.stack(), [1, 0, 2]); logits.set_shape([None, None, V])
align = tf.transpose(align_ta.stack(), [1, 0, 2])
weights = tf.sequence_mask(tgt_len, T, dtype=tf.float32)
crossent = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tgt, logits=logits)
loss = tf.reduce_sum(crossent * weights) / (tf.reduce_sum(weights) + 1e-12)
params = tf.trainable_variables()
grads, norm = tf.clip_by_global_norm(tf.gradients(loss, params, aggregation_method=tf.AggregationMethod.EXPERIMENTAL_ACCUMULATE_N), 1.0)
step_v = tf.Variable(0, trainable=False, name="step")
rate = tf.train.exponential_decay(0.05, step_v, 3, 0.9, staircase=True)
train = tf.train.AdamOptimizer(rate).apply_gradients(zip(grads, params), global_step=step_v)
def tile_beam(t):
    t = tf.expand_dims(t, 1)
    t = tf.tile(t, [1, K] + [1] * (t.shape.ndims - 2))
    return tf.reshape(t, tf.concat([[-1], tf.shape(t)[2:]], 0))
MAX = 5
b_keys, b_memory, b_len = tile_beam(keys), tile_beam(memory), tile_beam(src_len)
def beam_body(t, tokens, log_probs, state, done):
    with tf.variable_scope(decoder_scope, reuse=True):
        lg, state, _ = step(tf.reshape(tokens[:, :, -1], [-1]), state, b_keys, b_memory, b_len)
    lp = tf.reshape(tf.nn.log_softmax(lg), [batch, K, V])
    only_eos = tf.one_hot(EOS, V, on_value=0.0, off_value=-1e9)
    lp = tf.where(tf.tile(tf.expand_dims(done, 2), [1, 1, V]), tf.zeros_like(lp) + only_eos, lp)
    total = tf.reshape(tf.expand_dims(log_probs, 2) + lp, [batch, K * V])
    log_probs, index = tf.nn.top_k(total, k=K)
    parent, word = index // V, index % V
    rows = tf.stack([tf.tile(tf.expand_dims(tf.range(batch), 1), [1, K]), parent], 2)
    tokens = tf.concat([tf.gather_nd(tokens, rows), tf.expand_dims(word, 2)], 2)
    done = tf.logical_or(tf.gather_nd(done, rows), tf.equal(word, EOS))
    state = tf.reshape(tf.gather_nd(tf.reshape(state, [batch, K, 2 * H]), rows), [-1, 2 * H])
    return t + 1, tokens, log_probs, state, done
first_lp = tf.tile([[0.0] + [-1e9] * (K - 1)], [batch, 1])
_, beams, beam_lp, _, _ = tf.while_loop(lambda t, tk, lp, s, done: tf.logical_and(t < MAX, tf.logical_not(tf.reduce_all(done))), beam_body,
    [0, tf.fill([batch, K, 1], SOS), first_lp, tile_beam(start), tf.fill([batch, K], False)],
    shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, K, None]), tf.TensorShape([None, K]), tf.TensorShape([None, 2 * H]), tf.TensorShape([None, K])])
show("params", [p.op.name + str(p.shape.as_list()) for p in params])
with tf.Session(config=tf.ConfigProto(allow_soft_placement=True, gpu_options=tf.GPUOptions(allow_growth=True))) as sess:
    sess.run(tf.global_variables_initializer())
    for it in range(5):
        n, m = 4 + it % 2, 5
        feed = {src: ints(it, V - 3, B, n) + 3, src_len: [n, n - 1, 2], tgt: ints(it + 30, V - 2, B, m) + 2, tgt_len: [m, m - 2, m], sampling: it == 3}
        l, g, r, _ = sess.run([loss, norm, rate, train], feed)
        show("loss", [l, g, r])
    del feed[tgt], feed[tgt_len]
    bm, lp = sess.run([beams, beam_lp], feed)
    show("beams", bm); show("lp", lp)
    feed.update({tgt: ints(1, V, B, 3), tgt_len: [3, 1, 2]})
    show("align", sess.run(align, feed)); show("final", sess.run(final, feed))
    feed[keep_prob] = 0.6
    show("finite", np.isfinite(sess.run(loss, feed)))
