"""A transformer of that time: layer norm by hand, heads split and joined, masks by sign, noam's rate, label smoothing, batches of padded generators behind one structure, a feedable handle, text from files."""
from recording import *
import os, tempfile
tf.set_random_seed(11)
d_model, d_ff, heads, maxlen = 8, 12, 2, 6
vocab = ["<pad>", "<unk>", "<s>", "</s>", "a", "b", "c", "d", "e"]
folder = tempfile.mkdtemp(); vocab_file = os.path.join(folder, "vocab.txt")
with open(vocab_file, "w") as f: f.write("\n".join(vocab) + "\n")
def load_vocab(fpath):
    lines = [line.split()[0] for line in open(fpath, "r").read().splitlines()]
    return {token: idx for idx, token in enumerate(lines)}, {idx: token for idx, token in enumerate(lines)}
token2idx, idx2token = load_vocab(vocab_file)
def encode(inp, type, d): return [d.get(t, d["<unk>"]) for t in (inp.split() + ["</s>"] if type == "x" else ["<s>"] + inp.split() + ["</s>"])]
def generator_fn(sents1, sents2):
    for sent1, sent2 in zip(sents1, sents2):
        sent1, sent2 = sent1.decode() if isinstance(sent1, bytes) else sent1, sent2.decode() if isinstance(sent2, bytes) else sent2
        x = encode(sent1, "x", token2idx); y = encode(sent2, "y", token2idx); decoder_input, y = y[:-1], y[1:]
        yield (x, len(x), sent1), (decoder_input, y, len(y), sent2)
def input_fn(sents1, sents2, batch_size, shuffle=False):
    shapes = (([None], (), ()), ([None], [None], (), ())); types = ((tf.int32, tf.int32, tf.string), (tf.int32, tf.int32, tf.int32, tf.string)); paddings = ((0, 0, ''), (0, 0, 0, ''))
    dataset = tf.data.Dataset.from_generator(generator_fn, output_shapes=shapes, output_types=types, args=(sents1, sents2))
    if shuffle: dataset = dataset.shuffle(5, seed=3)
    return dataset.repeat().padded_batch(batch_size, shapes, paddings).prefetch(1)
def ln(inputs, epsilon=1e-8, scope="ln"):
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        inputs_shape = inputs.get_shape(); params_shape = inputs_shape[-1:]
        mean, variance = tf.nn.moments(inputs, [-1], keep_dims=True)
        beta = tf.get_variable("beta", params_shape, initializer=tf.zeros_initializer()); gamma = tf.get_variable("gamma", params_shape, initializer=tf.ones_initializer())
        normalized = (inputs - mean) / ((variance + epsilon) ** (.5)); return gamma * normalized + beta
def get_token_embeddings(vocab_size, num_units, zero_pad=True):
    with tf.variable_scope("shared_weight_matrix"):
        embeddings = tf.get_variable('weight_mat', dtype=tf.float32, shape=(vocab_size, num_units), initializer=tf.glorot_normal_initializer())
        return tf.concat((tf.zeros(shape=[1, num_units]), embeddings[1:, :]), 0) if zero_pad else embeddings
def mask(inputs, key_masks=None, type=None):
    padding_num = -2 ** 32 + 1
    if type in ("k", "key", "keys"):
        key_masks = tf.to_float(key_masks); key_masks = tf.tile(key_masks, [tf.shape(inputs)[0] // tf.shape(key_masks)[0], 1]); key_masks = tf.expand_dims(key_masks, 1); return inputs + key_masks * padding_num
    diag_vals = tf.ones_like(inputs[0, :, :]); tril = tf.linalg.LinearOperatorLowerTriangular(diag_vals).to_dense(); future_masks = tf.tile(tf.expand_dims(tril, 0), [tf.shape(inputs)[0], 1, 1])
    paddings = tf.ones_like(future_masks) * padding_num; return tf.where(tf.equal(future_masks, 0), paddings, inputs)
def scaled_dot_product_attention(Q, K, V, key_masks, causality=False, dropout_rate=0., training=True, scope="scaled_dot_product_attention"):
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        d_k = Q.get_shape().as_list()[-1]; outputs = tf.matmul(Q, tf.transpose(K, [0, 2, 1])); outputs /= d_k ** 0.5; outputs = mask(outputs, key_masks=key_masks, type="key")
        if causality: outputs = mask(outputs, type="future")
        outputs = tf.nn.softmax(outputs); attention = tf.transpose(outputs, [0, 2, 1]); tf.summary.image("attention", tf.expand_dims(attention[:1], -1))
        outputs = tf.layers.dropout(outputs, rate=dropout_rate, training=training); return tf.matmul(outputs, V)
def multihead_attention(queries, keys, values, key_masks, num_heads=2, dropout_rate=0, training=True, causality=False, scope="multihead_attention"):
    d = queries.get_shape().as_list()[-1]
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        Q, K, V = [tf.layers.dense(t, d, use_bias=True) for t in (queries, keys, values)]
        Q_, K_, V_ = [tf.concat(tf.split(t, num_heads, axis=2), axis=0) for t in (Q, K, V)]
        outputs = scaled_dot_product_attention(Q_, K_, V_, key_masks, causality, dropout_rate, training); outputs = tf.concat(tf.split(outputs, num_heads, axis=0), axis=2); return ln(outputs + queries)
def ff(inputs, num_units, scope="positionwise_feedforward"):
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        outputs = tf.layers.dense(inputs, num_units[0], activation=tf.nn.relu); outputs = tf.layers.dense(outputs, num_units[1]); outputs += inputs; return ln(outputs)
def label_smoothing(inputs, epsilon=0.1):
    V = inputs.get_shape().as_list()[-1]; return ((1 - epsilon) * inputs) + (epsilon / V)
def positional_encoding(inputs, maxlen, masking=True, scope="positional_encoding"):
    E = inputs.get_shape().as_list()[-1]; N, T = tf.shape(inputs)[0], tf.shape(inputs)[1]
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        position_ind = tf.tile(tf.expand_dims(tf.range(T), 0), [N, 1]); position_enc = np.array([[pos / np.power(10000, (i - i % 2) / E) for i in range(E)] for pos in range(maxlen)])
        position_enc[:, 0::2] = np.sin(position_enc[:, 0::2]); position_enc[:, 1::2] = np.cos(position_enc[:, 1::2]); position_enc = tf.convert_to_tensor(position_enc, tf.float32)
        outputs = tf.nn.embedding_lookup(position_enc, position_ind)
        if masking: outputs = tf.where(tf.equal(inputs, 0), inputs, outputs)
        return tf.to_float(outputs)
def noam_scheme(init_lr, global_step, warmup_steps=4.):
    step = tf.cast(global_step + 1, dtype=tf.float32); return init_lr * warmup_steps ** 0.5 * tf.minimum(step * warmup_steps ** -1.5, step ** -0.5)
embeddings = get_token_embeddings(len(vocab), d_model)
def encoder(xs, training=True):
    with tf.variable_scope("encoder", reuse=tf.AUTO_REUSE):
        x, seqlens, sents1 = xs; src_masks = tf.math.equal(x, 0); enc = tf.nn.embedding_lookup(embeddings, x); enc *= d_model ** 0.5; enc += positional_encoding(enc, maxlen); enc = tf.layers.dropout(enc, 0.1, training=training)
        for i in range(2):
            with tf.variable_scope("num_blocks_{}".format(i), reuse=tf.AUTO_REUSE): enc = multihead_attention(enc, enc, enc, src_masks, heads, 0.1, training, False); enc = ff(enc, num_units=[d_ff, d_model])
    return enc, sents1, src_masks
def decoder(ys, memory, src_masks, training=True):
    with tf.variable_scope("decoder", reuse=tf.AUTO_REUSE):
        decoder_inputs, y, seqlens, sents2 = ys; tgt_masks = tf.math.equal(decoder_inputs, 0); dec = tf.nn.embedding_lookup(embeddings, decoder_inputs); dec *= d_model ** 0.5; dec += positional_encoding(dec, maxlen); dec = tf.layers.dropout(dec, 0.1, training=training)
        with tf.variable_scope("num_blocks_0", reuse=tf.AUTO_REUSE):
            dec = multihead_attention(dec, dec, dec, tgt_masks, heads, 0.1, training, True, scope="self_attention"); dec = multihead_attention(dec, memory, memory, src_masks, heads, 0.1, training, False, scope="vanilla_attention"); dec = ff(dec, num_units=[d_ff, d_model])
    weights = tf.transpose(embeddings); logits = tf.einsum('ntd,dk->ntk', dec, weights); y_hat = tf.to_int32(tf.argmax(logits, axis=-1)); return logits, y_hat, y, sents2
train_batches = input_fn(["a b c", "d e", "c a d zz", "e"], ["c b a", "e d", "d a c b", "e"], 2, shuffle=True); eval_batches = input_fn(["b a", "c d e"], ["a b", "e d c"], 2)
it = tf.data.Iterator.from_structure(train_batches.output_types, train_batches.output_shapes); xs, ys = it.get_next(); train_init_op = it.make_initializer(train_batches); eval_init_op = it.make_initializer(eval_batches)
memory, sents1, src_masks = encoder(xs, False); logits, preds, y, sents2 = decoder(ys, memory, src_masks, False)
y_ = label_smoothing(tf.one_hot(y, depth=len(vocab))); ce = tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=y_); nonpadding = tf.to_float(tf.not_equal(y, token2idx["<pad>"])); loss = tf.reduce_sum(ce * nonpadding) / (tf.reduce_sum(nonpadding) + 1e-7)
global_step = tf.train.get_or_create_global_step(); lr = noam_scheme(0.05, global_step); train_op = tf.train.AdamOptimizer(lr, beta1=0.9, beta2=0.98, epsilon=1e-6).minimize(loss, global_step=global_step)
tf.summary.scalar('lr', lr); summaries = tf.summary.merge_all()
decoder_inputs = tf.ones((tf.shape(xs[0])[0], 1), tf.int32) * token2idx["<s>"]; ys_ = (decoder_inputs, ys[1], ys[2], ys[3])
for _ in range(4):
    _, y_hat, _, _ = decoder(ys_, memory, src_masks, False); _decoder_inputs = tf.concat((decoder_inputs, y_hat), 1); ys_ = (_decoder_inputs, y, y, sents2)
handle = tf.placeholder(tf.string, shape=[]); lines = tf.data.TextLineDataset(vocab_file).skip(2).map(lambda s: (s, tf.strings.length(s))).batch(3); pairs = tf.data.Dataset.zip((tf.data.Dataset.from_tensor_slices(["x", "yy"]), tf.data.Dataset.range(2).map(lambda v: tf.cast(v, tf.int32)))).batch(3)
feedable = tf.data.Iterator.from_string_handle(handle, lines.output_types, lines.output_shapes); word, size = feedable.get_next(); lines_it = tf.data.make_initializable_iterator(lines); pairs_it = tf.data.make_one_shot_iterator(pairs)
show("params", [v.op.name for v in tf.trainable_variables()])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer()); sess.run(train_init_op)
    for i in range(5):
        s1, l, r, _, n = sess.run([sents1, loss, lr, train_op, ys[2]]); show("train", [l, r, *n]); show("sents", [s.decode() for s in s1])
    show("summary", len(tf.Summary.FromString(sess.run(summaries)).value))
    sess.run(eval_init_op); yh, t, l = sess.run([y_hat, sents2, loss]); show("hyp", [" ".join(idx2token[k] for k in row) for row in yh]); show("eval", l); show("refs", [s.decode() for s in t])
    sess.run(lines_it.initializer); handles = sess.run([lines_it.string_handle(), pairs_it.string_handle()])
    for h in [0, 1, 0, 1]:
        try: w, n = sess.run([word, size], feed_dict={handle: handles[h]}); show("words", [x.decode() for x in w]); show("sizes", n)
        except tf.errors.OutOfRangeError: show("end", h)
