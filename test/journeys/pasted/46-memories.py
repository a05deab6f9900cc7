"""Memories and pointers: a Turing machine cell with heads and shifts, an end-to-end memory network with position encoding and noisy gradients, a pointer network, a tree LSTM in a while_loop."""
from recording import *
from collections import namedtuple
tf.set_random_seed(6)
NTMControllerState = namedtuple('NTMControllerState', ('controller_state', 'read_vector_list', 'w_list', 'M'))
class NTMCell(tf.nn.rnn_cell.RNNCell):
    def __init__(self, controller_units, memory_size, memory_vector_dim, shift_range=1, output_dim=None):
        super(NTMCell, self).__init__()
        self.memory_size, self.memory_vector_dim, self.shift_range, self.output_dim = memory_size, memory_vector_dim, shift_range, output_dim
        self.controller = tf.nn.rnn_cell.LSTMCell(controller_units); self.step = 0
    @property
    def state_size(self): return NTMControllerState(self.controller.state_size, [self.memory_vector_dim], [self.memory_size, self.memory_size], tf.TensorShape([self.memory_size * self.memory_vector_dim]))
    @property
    def output_size(self): return self.output_dim
    def __call__(self, x, prev_state):
        prev_read_vector_list = prev_state.read_vector_list
        controller_input = tf.concat([x] + prev_read_vector_list, axis=1)
        with tf.variable_scope('controller', reuse=self.step > 0): controller_output, controller_state = self.controller(controller_input, prev_state.controller_state)
        num_parameters_per_head = self.memory_vector_dim + 1 + 1 + (self.shift_range * 2 + 1) + 1
        with tf.variable_scope("o2p", reuse=(self.step > 0)):
            parameters = tf.layers.dense(controller_output, num_parameters_per_head * 2 + self.memory_vector_dim * 2, activation=None, kernel_initializer=tf.random_normal_initializer(stddev=0.5, seed=1), name="d")
            parameters = tf.clip_by_norm(parameters, 20)
        head_parameter_list = tf.split(parameters[:, :num_parameters_per_head * 2], 2, axis=1); erase_add_list = tf.split(parameters[:, num_parameters_per_head * 2:], 2, axis=1)
        w_list = []
        for i, p in enumerate(head_parameter_list):
            D = self.memory_vector_dim
            k = tf.tanh(p[:, 0:D]); beta = tf.nn.softplus(p[:, D]); g = tf.sigmoid(p[:, D + 1]); s = tf.nn.softmax(p[:, D + 2:D + 2 + (self.shift_range * 2 + 1)]); gamma = tf.nn.softplus(p[:, -1]) + 1
            with tf.variable_scope('addressing_head_%d' % i): w_list.append(self.addressing(k, beta, g, s, gamma, tf.reshape(prev_state.M, [-1, self.memory_size, D]), prev_state.w_list[i]))
        M = tf.reshape(prev_state.M, [-1, self.memory_size, self.memory_vector_dim])
        read_vector_list = [tf.reduce_sum(tf.expand_dims(w_list[0], dim=2) * M, axis=1)]
        w = tf.expand_dims(w_list[1], axis=2); erase_vector = tf.expand_dims(tf.sigmoid(erase_add_list[0]), axis=1); add_vector = tf.expand_dims(tf.tanh(erase_add_list[1]), axis=1)
        M = M * (tf.ones(M.get_shape() if M.get_shape().is_fully_defined() else tf.shape(M)) - tf.matmul(w, erase_vector)) + tf.matmul(w, add_vector)
        with tf.variable_scope("o2o", reuse=(self.step > 0)): NTM_output = tf.layers.dense(tf.concat([controller_output] + read_vector_list, axis=1), self.output_dim, name="d")
        self.step += 1
        return NTM_output, NTMControllerState(controller_state, read_vector_list, w_list, tf.reshape(M, [-1, self.memory_size * self.memory_vector_dim]))
    def addressing(self, k, beta, g, s, gamma, prev_M, prev_w):
        k = tf.expand_dims(k, axis=2); inner_product = tf.matmul(prev_M, k)
        k_norm = tf.sqrt(tf.reduce_sum(tf.square(k), axis=1, keepdims=True)); M_norm = tf.sqrt(tf.reduce_sum(tf.square(prev_M), axis=2, keepdims=True))
        K = tf.squeeze(inner_product / (M_norm * k_norm + 1e-8), axis=[-1]); K_amplified = tf.exp(tf.expand_dims(beta, axis=1) * K)
        w_c = K_amplified / tf.reduce_sum(K_amplified, axis=1, keepdims=True)
        g = tf.expand_dims(g, axis=1); w_g = g * w_c + (1 - g) * prev_w
        s = tf.concat([s[:, :self.shift_range + 1], tf.zeros([tf.shape(s)[0], self.memory_size - (self.shift_range * 2 + 1)]), s[:, -self.shift_range:]], axis=1)
        t = tf.concat([tf.reverse(s, axis=[1]), tf.reverse(s, axis=[1])], axis=1)
        s_matrix = tf.stack([t[:, self.memory_size - i - 1:self.memory_size * 2 - i - 1] for i in range(self.memory_size)], axis=1)
        w_ = tf.reduce_sum(tf.expand_dims(w_g, axis=1) * s_matrix, axis=2); w_sharpen = tf.pow(w_, tf.expand_dims(gamma, axis=1))
        return w_sharpen / tf.reduce_sum(w_sharpen, axis=1, keepdims=True)
    def zero_state(self, batch_size, dtype):
        expand = lambda x: tf.tile(tf.expand_dims(x, 0), [batch_size, 1])
        return NTMControllerState(controller_state=self.controller.zero_state(batch_size, dtype), read_vector_list=[expand(tf.tanh(tf.get_variable('init_r', [self.memory_vector_dim])))],
            w_list=[expand(tf.nn.softmax(tf.get_variable('init_w_%d' % i, [self.memory_size]))) for i in range(2)], M=tf.fill([batch_size, self.memory_size * self.memory_vector_dim], 1e-2))
N, L, B = 4, 3, 2
with tf.variable_scope('root'):
    copy_in = tf.placeholder(tf.float32, [B, 2 * L + 1, N + 1]); copy_out = tf.placeholder(tf.float32, [B, L, N])
    cell = NTMCell(6, 5, 3, 1, output_dim=N); state = cell.zero_state(B, tf.float32); outputs, weights = [], []
    for t in range(2 * L + 1):
        output, state = cell(copy_in[:, t], state); outputs.append(output); weights.append(state.w_list[0])
    logits = tf.stack(outputs[-L:], axis=1); cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=copy_out, logits=logits); loss = tf.reduce_sum(cross_entropy) / B
trainable_variables = tf.trainable_variables(); grads, _ = tf.clip_by_global_norm(tf.gradients(loss, trainable_variables), 10)
train_op = tf.train.RMSPropOptimizer(0.01, momentum=0.9, decay=0.95).apply_gradients(zip(grads, trainable_variables))
show("params", [v.op.name for v in trainable_variables])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(4):
        bits = np.round(rnd(i, B, L, N)); seq = np.zeros([B, 2 * L + 1, N + 1], np.float32); seq[:, :L, :N] = bits; seq[:, L, N] = 1
        show("ntm", sess.run([loss, train_op], {copy_in: seq, copy_out: bits})[0])
    show("w", sess.run(tf.stack(weights), {copy_in: seq}))
tf.reset_default_graph(); tf.set_random_seed(7)
vocab, sent, mem, D = 9, 4, 5, 3
def position_encoding(sentence_size, embedding_size):
    encoding = np.ones((embedding_size, sentence_size), dtype=np.float32); ls = sentence_size + 1; le = embedding_size + 1
    for i in range(1, le):
        for j in range(1, ls): encoding[i - 1, j - 1] = (i - (embedding_size + 1) / 2) * (j - (sentence_size + 1) / 2)
    encoding = 1 + 4 * encoding / embedding_size / sentence_size; encoding[:, -1] = 1.0; return np.transpose(encoding)
def zero_nil_slot(t, name=None):
    with tf.name_scope(name, "zero_nil_slot", [t]) as name:
        t = tf.convert_to_tensor(t, name="t"); s = tf.shape(t)[1]; z = tf.zeros(tf.stack([1, s])); return tf.concat(axis=0, values=[z, tf.slice(t, [1, 0], [-1, -1])], name=name)
def add_gradient_noise(t, stddev=1e-3, name=None):
    with tf.name_scope(name, "add_gradient_noise", [t, stddev]) as name:
        t = tf.convert_to_tensor(t, name="t"); gn = tf.random_normal(tf.shape(t), stddev=stddev); return tf.add(t, gn, name=name)
stories = tf.placeholder(tf.int32, [None, mem, sent], name="stories"); queries = tf.placeholder(tf.int32, [None, sent], name="queries"); answers = tf.placeholder(tf.int32, [None, vocab], name="answers"); lr = tf.placeholder(tf.float32, [], name="learning_rate")
init = tf.random_normal_initializer(stddev=0.3); encoding = tf.constant(position_encoding(sent, D), name="encoding"); nil_vars = set(); Cs = []
with tf.variable_scope("MemN2N"):
    nil_word_slot = tf.zeros([1, D]); A = tf.concat(axis=0, values=[nil_word_slot, init([vocab - 1, D])]); C = tf.concat(axis=0, values=[nil_word_slot, init([vocab - 1, D])])
    A_1 = tf.Variable(A, name="A"); nil_vars.add(A_1.name)
    for hopn in range(2):
        with tf.variable_scope('hop_{}'.format(hopn)): Cs.append(tf.Variable(C, name="C")); nil_vars.add(Cs[-1].name)
q_emb = tf.nn.embedding_lookup(A_1, queries); u = [tf.reduce_sum(q_emb * encoding, 1)]; probs = None
for hopn in range(2):
    m_emb_A = tf.nn.embedding_lookup(A_1 if hopn == 0 else Cs[hopn - 1], stories); m_A = tf.reduce_sum(m_emb_A * encoding, 2)
    u_temp = tf.transpose(tf.expand_dims(u[-1], -1), [0, 2, 1]); dotted = tf.reduce_sum(m_A * u_temp, 2); probs = tf.nn.softmax(dotted); probs_temp = tf.transpose(tf.expand_dims(probs, -1), [0, 2, 1])
    m_C = tf.reduce_sum(tf.nn.embedding_lookup(Cs[hopn], stories) * encoding, 2); c_temp = tf.transpose(m_C, [0, 2, 1]); o_k = tf.reduce_sum(c_temp * probs_temp, 2); u.append(u[-1] + o_k)
logits = tf.matmul(u[-1], tf.transpose(Cs[-1], [1, 0])); loss_op = tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=tf.cast(answers, tf.float32), name="cross_entropy"), name="loss")
opt = tf.train.GradientDescentOptimizer(learning_rate=lr); grads_and_vars = opt.compute_gradients(loss_op)
grads_and_vars = [(tf.clip_by_norm(g, 4.0), v) for g, v in grads_and_vars]; grads_and_vars = [(add_gradient_noise(g), v) for g, v in grads_and_vars]; nil_grads_and_vars = []
for g, v in grads_and_vars: nil_grads_and_vars.append((zero_nil_slot(g), v) if v.name in nil_vars else (g, v))
train_op = opt.apply_gradients(nil_grads_and_vars, name="train_op"); predict = tf.argmax(logits, 1, name="predict_op")
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(4):
        feed = {stories: ints(i, vocab, 4, mem, sent), queries: ints(i + 1, vocab, 4, sent), answers: np.eye(vocab, dtype=np.int32)[ints(i + 2, vocab, 4)], lr: 0.05}
        show("memn2n", sess.run([loss_op, train_op], feed)[0])
    show("predict", sess.run([predict, probs, Cs[0]], feed))
tf.reset_default_graph(); tf.set_random_seed(8)
seq_in = tf.placeholder(tf.float32, [None, None, 2], name="points"); seq_length = tf.placeholder(tf.int32, [None], name="lengths"); target = tf.placeholder(tf.int32, [None, None], name="order"); HID = 5
cell = tf.nn.rnn_cell.LSTMCell(HID, initializer=tf.random_uniform_initializer(-0.3, 0.3)); batch, max_len = tf.shape(seq_in)[0], tf.shape(seq_in)[1]
enc_out, enc_state = tf.nn.dynamic_rnn(cell, tf.layers.conv1d(seq_in, HID, 1, use_bias=False, name="embed"), seq_length, dtype=tf.float32, scope="encoder")
first = tf.tile(tf.get_variable("first_decoder_input", [1, 1, HID]), [batch, 1, 1]); enc_out = tf.concat([first, enc_out], 1)
W_ref = tf.get_variable("W_ref", [1, HID, HID]); W_q = tf.get_variable("W_q", [HID, HID]); v = tf.get_variable("v", [HID])
def attention(ref, query): return tf.reduce_sum(v * tf.tanh(tf.nn.conv1d(ref, W_ref, 1, "VALID") + tf.expand_dims(tf.matmul(query, W_q), 1)), [-1])
def index_matrix_to_pairs(index_matrix):
    replicated = tf.tile(tf.expand_dims(tf.range(tf.shape(index_matrix)[0]), dim=1), [1, tf.shape(index_matrix)[1]]); return tf.stack([replicated, index_matrix], axis=2)
with tf.variable_scope("decoder"):
    pairs = index_matrix_to_pairs(target); dec_in = tf.concat([first, tf.gather_nd(enc_out, pairs)[:, :-1]], 1); dec_out, _ = tf.nn.dynamic_rnn(cell, dec_in, seq_length, initial_state=enc_state)
    logits = tf.map_fn(lambda q: attention(enc_out, q), tf.transpose(dec_out, [1, 0, 2])); logits = tf.transpose(logits, [1, 0, 2])
mask = tf.cast(tf.sequence_mask(seq_length, max_len), tf.float32); ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits); loss = tf.reduce_sum(ce * mask) / tf.reduce_sum(mask)
with tf.variable_scope("decoder", reuse=True):
    def body(i, inp, state, chosen, used):
        out, state = tf.nn.dynamic_rnn(cell, tf.expand_dims(inp, 1), initial_state=state); score = attention(enc_out, out[:, 0]) - 1e9 * used; pick = tf.argmax(score, 1, output_type=tf.int32)
        return i + 1, tf.gather_nd(enc_out, tf.stack([tf.range(batch), pick], 1)), state, chosen.write(i, pick), used + tf.one_hot(pick, max_len + 1)
    _, _, _, chosen, _ = tf.while_loop(lambda i, *_: i < max_len, body, [0, first[:, 0], enc_state, tf.TensorArray(tf.int32, max_len), tf.zeros([batch, max_len + 1])])
    tour = tf.transpose(chosen.stack())
optim = tf.train.AdamOptimizer(0.02); train = optim.apply_gradients([(tf.clip_by_norm(g, 2.0), v) for g, v in optim.compute_gradients(loss)])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(4):
        feed = {seq_in: rnd(i, 3, 4, 2), seq_length: [4, 3, 4], target: np.argsort(rnd(i, 3, 4, 2)[:, :, 0], 1) + 1}; show("pointer", sess.run([loss, train], feed)[0])
    show("tour", sess.run(tour, feed))
tf.reset_default_graph(); tf.set_random_seed(9); E = 4
is_leaf = tf.placeholder(tf.bool, [None], name="is_leaf"); left = tf.placeholder(tf.int32, [None], name="left"); right = tf.placeholder(tf.int32, [None], name="right"); words = tf.placeholder(tf.int32, [None], name="words"); labels = tf.placeholder(tf.int32, [None], name="labels")
with tf.variable_scope("Embeddings"): embeddings = tf.get_variable("embeddings", [8, E])
with tf.variable_scope("Composition"):
    U = tf.get_variable("U", [2 * E, 5 * E]); b = tf.get_variable("b", [1, 5 * E], initializer=tf.zeros_initializer()); Wl = tf.get_variable("Wl", [E, 2 * E])
with tf.variable_scope("Projection"): P = tf.get_variable("P", [E, 3]); bs = tf.get_variable("bs", [1, 3])
h_array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, clear_after_read=False, infer_shape=False); c_array = tf.TensorArray(tf.float32, size=0, dynamic_size=True, clear_after_read=False, infer_shape=False)
def leaf(word):
    z = tf.matmul(tf.expand_dims(tf.gather(embeddings, word), 0), Wl); c = tf.tanh(z[:, :E]); return tf.sigmoid(z[:, E:]) * tf.tanh(c), c
def node(hl, hr, cl, cr):
    i, fl, fr, o, g = tf.split(tf.matmul(tf.concat([hl, hr], 1), U) + b, 5, axis=1); c = tf.sigmoid(i) * tf.tanh(g) + tf.sigmoid(fl + 1.0) * cl + tf.sigmoid(fr + 1.0) * cr; return tf.sigmoid(o) * tf.tanh(c), c
def loop_body(hs, cs, i):
    word, l, r = tf.gather(words, i), tf.gather(left, i), tf.gather(right, i)
    h, c = tf.cond(tf.gather(is_leaf, i), lambda: leaf(word), lambda: node(hs.read(l), hs.read(r), cs.read(l), cs.read(r)))
    h.set_shape([1, E]); c.set_shape([1, E]); return hs.write(i, h), cs.write(i, c), tf.add(i, 1)
hs, cs, _ = tf.while_loop(lambda hs, cs, i: tf.less(i, tf.squeeze(tf.shape(is_leaf))), loop_body, [h_array, c_array, 0], parallel_iterations=1)
tree_logits = tf.matmul(hs.concat(), P) + bs; root = tf.matmul(hs.read(hs.size() - 1), P) + bs
loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=tree_logits, labels=labels)) + 0.01 * (tf.nn.l2_loss(U) + tf.nn.l2_loss(P)); train = tf.train.AdagradOptimizer(0.1).minimize(loss)
trees = [([1, 1, 0, 1, 0], [-1, -1, 0, -1, 2], [-1, -1, 1, -1, 3], [3, 5, -1, 1, -1]), ([1, 1, 1, 0, 0], [-1, -1, -1, 1, 0], [-1, -1, -1, 2, 3], [2, 7, 0, -1, -1]), ([1, 1, 0], [-1, -1, 0], [-1, -1, 1], [4, 6, -1])]
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for epoch in range(3):
        for k, (a, l, r, w) in enumerate(trees):
            feed = {is_leaf: np.array(a, bool), left: l, right: r, words: np.maximum(w, 0), labels: ints(k, 3, len(a))}; show("tree", sess.run([loss, train], feed)[0])
    show("root", sess.run(root, feed))
