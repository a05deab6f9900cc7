"""Sequence to sequence: a bidirectional encoder that knows lengths, a decoder with attention by hand, greedy and beam search in while loops."""
from recording import np, tf

VOCABULARY, WIDTH, BATCH, BEAM, LIMIT = 12, 6, 4, 3, 5


def attention(query, keys, values, lengths):
    with tf.variable_scope("attention"):
        v = tf.get_variable("v", [WIDTH], initializer=tf.random_uniform_initializer(-0.5, 0.5, seed=5))
        scores = tf.reduce_sum(v * tf.tanh(keys + tf.expand_dims(tf.layers.dense(query, WIDTH, use_bias=False, name="query"), 1)), [2])
        mask = tf.sequence_mask(lengths, tf.shape(scores)[1], dtype=tf.float32)
        weights = tf.nn.softmax(scores * mask + (1.0 - mask) * tf.float32.min)
        return tf.squeeze(tf.matmul(tf.expand_dims(weights, 1), values), [1])


def step(cell, embedding, token, state, keys, values, lengths):
    inputs = tf.concat([tf.nn.embedding_lookup(embedding, token), attention(state.h, keys, values, lengths)], 1)
    output, state = cell(inputs, state)
    return tf.layers.dense(output, VOCABULARY, name="projection"), state


def tiled(x):
    many = tf.tile(tf.expand_dims(x, 1), [1, BEAM] + [1] * (x.shape.ndims - 1))
    many = tf.reshape(many, tf.concat([[-1], tf.shape(x)[1:]], 0))
    many.set_shape(tf.TensorShape([None]).concatenate(x.shape[1:]))
    return many


def build():
    tf.set_random_seed(31)
    source = tf.placeholder(tf.int32, [None, None], name="source")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    target = tf.placeholder(tf.int32, [None, None], name="target")
    target_lengths = tf.placeholder(tf.int32, [None], name="target_lengths")
    batch = tf.shape(source)[0]
    with tf.variable_scope("translation", initializer=tf.random_uniform_initializer(-0.3, 0.3, seed=7)):
        embedding = tf.get_variable("embedding", [VOCABULARY, WIDTH])
        with tf.variable_scope("encoder"):
            forward, backward = tf.nn.rnn_cell.LSTMCell(WIDTH // 2), tf.nn.rnn_cell.LSTMCell(WIDTH // 2)
            outputs, states = tf.nn.bidirectional_dynamic_rnn(forward, backward, tf.nn.embedding_lookup(embedding, source), lengths, dtype=tf.float32)
            memory = tf.concat(outputs, 2)
            state = tf.nn.rnn_cell.LSTMStateTuple(*(tf.concat([f, b], 1) for f, b in zip(*states)))
            keys = tf.layers.dense(memory, WIDTH, use_bias=False, name="keys")
        with tf.variable_scope("decoder") as scope:
            cell = tf.nn.rnn_cell.BasicLSTMCell(WIDTH, name="cell")

            def loop(time, cell_output, cell_state, loop_state):
                finished = time >= target_lengths
                if cell_output is None:
                    return finished, tf.concat([tf.nn.embedding_lookup(embedding, tf.ones([batch], tf.int32)), tf.zeros([batch, WIDTH])], 1), state, tf.zeros([VOCABULARY]), None
                context = attention(cell_state.h, keys, memory, lengths)
                logits = tf.layers.dense(cell_output, VOCABULARY, name="projection")
                at = tf.minimum(time - 1, tf.shape(target)[1] - 1)
                inputs = tf.cond(tf.reduce_all(finished), lambda: tf.zeros([batch, 2 * WIDTH]), lambda: tf.concat([tf.nn.embedding_lookup(embedding, target[:, at]), context], 1))
                return finished, inputs, cell_state, logits, None

            emitted, _, _ = tf.nn.raw_rnn(cell, loop, scope=scope)
            logits = tf.transpose(emitted.stack(), [1, 0, 2])
    mask = tf.sequence_mask(target_lengths, tf.shape(target)[1], tf.float32)
    crossent = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=target, logits=logits)
    loss = tf.divide(tf.reduce_sum(crossent * mask), tf.reduce_sum(mask), name="loss")
    variables = tf.trainable_variables()
    gradients, norm = tf.clip_by_global_norm(tf.gradients(loss, variables), 1.0)
    tf.identity(norm, name="norm")
    tf.train.AdamOptimizer(0.05, epsilon=1e-4).apply_gradients(zip(gradients, variables), name="train")

    with tf.variable_scope("translation", reuse=True), tf.variable_scope("decoder"):
        def greedy(time, token, state, written, done):
            logits, state = step(cell, embedding, token, state, keys, memory, lengths)
            token = tf.where(done, tf.zeros_like(token), tf.argmax(logits, 1, output_type=tf.int32))
            return time + 1, token, state, written.write(time, token), tf.logical_or(done, tf.equal(token, 0))

        start = [0, tf.fill([batch], 1), state, tf.TensorArray(tf.int32, 0, dynamic_size=True, clear_after_read=False), tf.zeros([batch], tf.bool)]
        _, _, _, written, _ = tf.while_loop(lambda time, *rest: tf.logical_and(time < LIMIT, tf.logical_not(tf.reduce_all(rest[-1]))), greedy, start)

        k_keys, k_memory, k_lengths = tiled(keys), tiled(memory), tiled(lengths)

        def extend(time, tokens, c, h, scores, finished):
            logits, (c, h) = step(cell, embedding, tf.reshape(tokens[:, :, -1], [-1]), tf.nn.rnn_cell.LSTMStateTuple(c, h), k_keys, k_memory, k_lengths)
            log_probs = tf.reshape(tf.nn.log_softmax(logits), [batch, BEAM, VOCABULARY])
            only_end = tf.one_hot(tf.zeros([batch, BEAM], tf.int32), VOCABULARY, 0.0, -1e9)
            log_probs = tf.where(tf.tile(finished[:, :, None], [1, 1, VOCABULARY]), only_end, log_probs)
            total = tf.reshape(scores[:, :, None] + log_probs, [batch, BEAM * VOCABULARY])
            scores, index = tf.nn.top_k(total, BEAM)
            parent, token = index // VOCABULARY, tf.mod(index, VOCABULARY)
            pairs = tf.stack([tf.tile(tf.range(batch)[:, None], [1, BEAM]), parent], 2)
            tokens = tf.concat([tf.gather_nd(tokens, pairs), token[:, :, None]], 2)
            flat = tf.reshape(tf.range(batch)[:, None] * BEAM + parent, [-1])
            return time + 1, tokens, tf.gather(c, flat), tf.gather(h, flat), scores, tf.logical_or(tf.gather_nd(finished, pairs), tf.equal(token, 0))

        scores = tf.tile(tf.constant([[0.0] + [-1e9] * (BEAM - 1)]), [batch, 1])
        begin = [tf.constant(0), tf.ones([batch, BEAM, 1], tf.int32), tiled(state.c), tiled(state.h), scores, tf.zeros([batch, BEAM], tf.bool)]
        shapes = [tf.TensorShape([]), tf.TensorShape([None, BEAM, None]), tf.TensorShape([None, WIDTH]), tf.TensorShape([None, WIDTH]), tf.TensorShape([None, BEAM]), tf.TensorShape([None, BEAM])]
        found = tf.while_loop(lambda time, *rest: tf.logical_and(time < LIMIT, tf.logical_not(tf.reduce_all(rest[-1]))), extend, begin, shape_invariants=shapes, back_prop=False)
    tf.transpose(written.stack(), name="greedy")
    tf.identity(found[1], name="beams")
    tf.identity(found[4], name="beam_scores")


def run(session, record):
    get = session.graph.get_tensor_by_name
    record.initialize(session)
    random = np.random.RandomState(1)
    for i in range(6):
        lengths = random.randint(2, 6, BATCH)
        source = np.array([[random.randint(2, VOCABULARY) if t < n else 0 for t in range(5)] for n in lengths])
        target = np.concatenate([source[:, ::-1], np.zeros([BATCH, 1], int)], 1)
        feed = {get("source:0"): source, get("lengths:0"): lengths, get("target:0"): target, get("target_lengths:0"): np.full(BATCH, target.shape[1])}
        record.run(session, [get("loss:0"), get("norm:0")], feed)
        record.run(session, [session.graph.get_operation_by_name("train")], feed)
    some = {k: v for k, v in feed.items() if "target" not in k.name}
    record.run(session, [get("greedy:0"), get("beams:0"), get("beam_scores:0")], some)
    record.final(session)
