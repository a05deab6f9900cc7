"""NER tagger with the CRF of tf.contrib copied into the program."""
from recording import *
rnn_cell = tf.nn.rnn_cell
tf.set_random_seed(11)
def _lengths_to_masks(lengths, max_length):
    tiled_ranges = tf.tile(tf.expand_dims(tf.range(max_length), 0), [tf.shape(lengths)[0], 1])
    lengths = tf.expand_dims(lengths, 1)
    masks = tf.to_float(tf.to_int64(tiled_ranges) < tf.to_int64(lengths))
    return masks
class CrfForwardRnnCell(rnn_cell.RNNCell):
    def __init__(self, transition_params):
        self._transition_params = tf.expand_dims(transition_params, 0)
        self._num_tags = int(transition_params.get_shape()[0])
    @property
    def state_size(self): return self._num_tags
    @property
    def output_size(self): return self._num_tags
    def __call__(self, inputs, state, scope=None):
        state = tf.expand_dims(state, 2)
        transition_scores = state + self._transition_params
        new_alphas = inputs + tf.reduce_logsumexp(transition_scores, [1])
        return new_alphas, new_alphas
def crf_unary_score(tag_indices, sequence_lengths, inputs):
    batch_size = tf.shape(inputs)[0]; max_seq_len = tf.shape(inputs)[1]; num_tags = tf.shape(inputs)[2]
    flattened_inputs = tf.reshape(inputs, [-1])
    offsets = tf.expand_dims(tf.range(batch_size) * max_seq_len * num_tags, 1)
    offsets += tf.expand_dims(tf.range(max_seq_len) * num_tags, 0)
    flattened_tag_indices = tf.reshape(offsets + tag_indices, [-1])
    unary_scores = tf.reshape(tf.gather(flattened_inputs, flattened_tag_indices), [batch_size, max_seq_len])
    masks = _lengths_to_masks(sequence_lengths, tf.shape(tag_indices)[1])
    return tf.reduce_sum(unary_scores * masks, 1)
def crf_binary_score(tag_indices, sequence_lengths, transition_params):
    num_tags = transition_params.get_shape()[0]
    num_transitions = tf.shape(tag_indices)[1] - 1
    start = tf.slice(tag_indices, [0, 0], [-1, num_transitions])
    end = tf.slice(tag_indices, [0, 1], [-1, num_transitions])
    flattened = start * num_tags + end
    scores = tf.gather(tf.reshape(transition_params, [-1]), flattened)
    masks = _lengths_to_masks(sequence_lengths, tf.shape(tag_indices)[1])
    return tf.reduce_sum(scores * tf.slice(masks, [0, 1], [-1, -1]), 1)
def crf_log_norm(inputs, sequence_lengths, transition_params):
    first_input = tf.squeeze(tf.slice(inputs, [0, 0, 0], [-1, 1, -1]), [1])
    rest = tf.slice(inputs, [0, 1, 0], [-1, -1, -1])
    cell = CrfForwardRnnCell(transition_params)
    _, alphas = tf.nn.dynamic_rnn(cell=cell, inputs=rest, sequence_length=sequence_lengths - 1, initial_state=first_input, dtype=tf.float32)
    return tf.reduce_logsumexp(alphas, [1])
def viterbi_decode(score, transition_params):
    trellis = np.zeros_like(score); back = np.zeros_like(score, dtype=np.int32); trellis[0] = score[0]
    for t in range(1, score.shape[0]):
        v = np.expand_dims(trellis[t - 1], 1) + transition_params
        trellis[t] = score[t] + np.max(v, 0); back[t] = np.argmax(v, 0)
    viterbi = [np.argmax(trellis[-1])]
    for bp in reversed(back[1:]): viterbi.append(bp[viterbi[-1]])
    viterbi.reverse()
    return viterbi, np.max(trellis[-1])
word_ids = tf.placeholder(tf.int32, shape=[None, None], name="word_ids")
sequence_lengths = tf.placeholder(tf.int32, shape=[None], name="sequence_lengths")
char_ids = tf.placeholder(tf.int32, shape=[None, None, None], name="char_ids")
word_lengths = tf.placeholder(tf.int32, shape=[None, None], name="word_lengths")
labels = tf.placeholder(tf.int32, shape=[None, None], name="labels")
dropout = tf.placeholder(dtype=tf.float32, shape=[], name="dropout")
lr = tf.placeholder(dtype=tf.float32, shape=[], name="lr")
with tf.variable_scope("words"):
    _word_embeddings = tf.Variable(rnd(77, 20, 6), name="_word_embeddings", dtype=tf.float32, trainable=False)
    word_embeddings = tf.nn.embedding_lookup(_word_embeddings, word_ids, name="word_embeddings")
with tf.variable_scope("chars"):
    _char_embeddings = tf.get_variable(name="_char_embeddings", dtype=tf.float32, shape=[15, 4])
    char_embeddings = tf.nn.embedding_lookup(_char_embeddings, char_ids, name="char_embeddings")
    s = tf.shape(char_embeddings)
    char_embeddings = tf.reshape(char_embeddings, shape=[s[0] * s[1], s[-2], 4])
    wl = tf.reshape(word_lengths, shape=[s[0] * s[1]])
    cell_fw = rnn_cell.LSTMCell(3, state_is_tuple=True)
    cell_bw = rnn_cell.LSTMCell(3, state_is_tuple=True)
    _output = tf.nn.bidirectional_dynamic_rnn(cell_fw, cell_bw, char_embeddings, sequence_length=wl, dtype=tf.float32)
    _, ((_, output_fw), (_, output_bw)) = _output
    output = tf.concat([output_fw, output_bw], axis=-1)
    output = tf.reshape(output, shape=[s[0], s[1], 2 * 3])
    word_embeddings = tf.concat([word_embeddings, output], axis=-1)
word_embeddings = tf.nn.dropout(word_embeddings, dropout)
with tf.variable_scope("bi-lstm"):
    (output_fw, output_bw), _ = tf.nn.bidirectional_dynamic_rnn(rnn_cell.LSTMCell(5), rnn_cell.LSTMCell(5), word_embeddings, sequence_length=sequence_lengths, dtype=tf.float32)
    output = tf.nn.dropout(tf.concat([output_fw, output_bw], axis=-1), dropout)
with tf.variable_scope("proj"):
    W = tf.get_variable("W", dtype=tf.float32, shape=[10, 4])
    b = tf.get_variable("b", shape=[4], dtype=tf.float32, initializer=tf.zeros_initializer())
    nsteps = tf.shape(output)[1]
    pred = tf.matmul(tf.reshape(output, [-1, 10]), W) + b
    logits = tf.reshape(pred, [-1, nsteps, 4])
trans_params = tf.get_variable("transitions", [4, 4])
log_likelihood = crf_unary_score(labels, sequence_lengths, logits) + crf_binary_score(labels, sequence_lengths, trans_params) - crf_log_norm(logits, sequence_lengths, trans_params)
loss = tf.reduce_mean(-log_likelihood)
tf.summary.scalar("loss", loss)
with tf.variable_scope("train_step"):
    optimizer = tf.train.AdamOptimizer(lr)
    grads, vs = zip(*optimizer.compute_gradients(loss))
    grads, gnorm = tf.clip_by_global_norm(grads, 2.0)
    train_op = optimizer.apply_gradients(zip(grads, vs))
sess = tf.Session()
sess.run(tf.global_variables_initializer())
merged = tf.summary.merge_all()
for it in range(7):
    T = 5 + it % 2
    fd = {word_ids: ints(it, 20, 3, T), char_ids: ints(it + 9, 15, 3, T, 4), word_lengths: ints(it + 5, 4, 3, T) + 1, sequence_lengths: [T, 3, T - 1], labels: ints(it + 3, 4, 3, T), lr: 0.02, dropout: 0.7}
    _, train_loss, summary, g = sess.run([train_op, loss, merged, gnorm], feed_dict=fd)
    if it % 3 == 0: show("loss", [train_loss, g])
fd[dropout] = 1.0
lg, tp = sess.run([logits, trans_params], fd)
for logit, n in zip(lg, [T, 3, T - 1]):
    seq, score = viterbi_decode(logit[:n], tp); show("vit", [seq, score])
sess.close()
