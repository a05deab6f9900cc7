"""Fine-tuning as in BERT's modeling code: shapes asked of lists, gathered positions, an assignment map from a checkpoint, AdamWeightDecay written as an optimizer, warm-up."""
from recording import *
import collections, re, tempfile
def get_shape_list(tensor, expected_rank=None, name=None):
    if name is None: name = tensor.name
    shape = tensor.shape.as_list()
    non_static_indexes = [index for (index, dim) in enumerate(shape) if dim is None]
    if not non_static_indexes: return shape
    dyn_shape = tf.shape(tensor)
    for index in non_static_indexes: shape[index] = dyn_shape[index]
    return shape
def gelu(x): return x * 0.5 * (1.0 + tf.tanh((np.sqrt(2 / np.pi) * (x + 0.044715 * tf.pow(x, 3)))))
def create_initializer(initializer_range=0.1): return tf.truncated_normal_initializer(stddev=initializer_range)
def layer_norm(x, name=None):
    with tf.variable_scope(name, "LayerNorm", [x]):
        n = x.shape.as_list()[-1]
        beta = tf.get_variable("beta", [n], initializer=tf.zeros_initializer()); gamma = tf.get_variable("gamma", [n], initializer=tf.ones_initializer())
        mean, variance = tf.nn.moments(x, [-1], keep_dims=True)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-12)
def attention_layer(from_tensor, to_tensor, attention_mask, heads, size, batch_size, from_seq, to_seq):
    def transpose_for_scores(t, seq):
        return tf.transpose(tf.reshape(t, [batch_size, seq, heads, size]), [0, 2, 1, 3])
    from_2d, to_2d = tf.reshape(from_tensor, [-1, from_tensor.shape[-1]]), tf.reshape(to_tensor, [-1, to_tensor.shape[-1]])
    q, k, v = [tf.layers.dense(t, heads * size, name=n, kernel_initializer=create_initializer()) for n, t in [("query", from_2d), ("key", to_2d), ("value", to_2d)]]
    scores = tf.matmul(transpose_for_scores(q, from_seq), transpose_for_scores(k, to_seq), transpose_b=True)
    scores = tf.multiply(scores, 1.0 / np.sqrt(float(size)))
    adder = (1.0 - tf.cast(tf.expand_dims(attention_mask, axis=[1]), tf.float32)) * -10000.0
    probs = tf.nn.softmax(scores + adder)
    context = tf.transpose(tf.matmul(probs, transpose_for_scores(v, to_seq)), [0, 2, 1, 3])
    return tf.reshape(context, [batch_size * from_seq, heads * size])
VOCAB, HID, HEADS, LAYERS, MAXPOS = 14, 8, 2, 1, 8
def bert(input_ids, input_mask, token_type_ids):
    batch_size, seq_length = get_shape_list(input_ids, expected_rank=2)
    with tf.variable_scope(None, default_name="bert"):
        with tf.variable_scope("embeddings"):
            table = tf.get_variable(name="word_embeddings", shape=[VOCAB, HID], initializer=create_initializer())
            flat = tf.reshape(tf.expand_dims(input_ids, axis=[-1]), [-1])
            output = tf.reshape(tf.matmul(tf.one_hot(flat, depth=VOCAB), table), [batch_size, seq_length, HID])
            types = tf.get_variable(name="token_type_embeddings", shape=[2, HID], initializer=create_initializer())
            output += tf.reshape(tf.matmul(tf.one_hot(tf.reshape(token_type_ids, [-1]), depth=2), types), [batch_size, seq_length, HID])
            assert_op = tf.assert_less_equal(seq_length, MAXPOS)
            with tf.control_dependencies([assert_op]):
                full = tf.get_variable(name="position_embeddings", shape=[MAXPOS, HID], initializer=create_initializer())
                positions = tf.slice(full, [0, 0], [seq_length, -1])
                output += tf.reshape(positions, [1, seq_length, HID])
            output = layer_norm(output)
        with tf.variable_scope("encoder"):
            mask = tf.ones([batch_size, seq_length, 1]) * tf.cast(tf.reshape(input_mask, [batch_size, 1, seq_length]), tf.float32)
            prev = tf.reshape(output, [-1, HID])
            for layer in range(LAYERS):
                with tf.variable_scope("layer_%d" % layer):
                    with tf.variable_scope("attention"):
                        with tf.variable_scope("self"): head = attention_layer(prev, prev, mask, HEADS, HID // HEADS, batch_size, seq_length, seq_length)
                        with tf.variable_scope("output"): att = layer_norm(tf.layers.dense(head, HID, kernel_initializer=create_initializer()) + prev)
                    with tf.variable_scope("intermediate"): inter = tf.layers.dense(att, 12, activation=gelu, kernel_initializer=create_initializer())
                    with tf.variable_scope("output"): prev = layer_norm(tf.layers.dense(inter, HID, kernel_initializer=create_initializer()) + att)
            sequence_output = tf.reshape(prev, [batch_size, seq_length, HID])
        with tf.variable_scope("pooler"):
            pooled = tf.layers.dense(tf.squeeze(sequence_output[:, 0:1, :], axis=1), HID, activation=tf.tanh, kernel_initializer=create_initializer())
    return sequence_output, pooled, table
def gather_indexes(sequence_tensor, positions):
    batch_size, seq_length, width = get_shape_list(sequence_tensor, expected_rank=3)
    flat_offsets = tf.reshape(tf.range(0, batch_size, dtype=tf.int32) * seq_length, [-1, 1])
    return tf.gather(tf.reshape(sequence_tensor, [batch_size * seq_length, width]), tf.reshape(positions + flat_offsets, [-1]))
def masked_lm(sequence_output, table, positions, label_ids, label_weights):
    input_tensor = gather_indexes(sequence_output, positions)
    with tf.variable_scope("cls/predictions"):
        with tf.variable_scope("transform"): input_tensor = layer_norm(tf.layers.dense(input_tensor, HID, activation=gelu, kernel_initializer=create_initializer()))
        logits = tf.nn.bias_add(tf.matmul(input_tensor, table, transpose_b=True), tf.get_variable("output_bias", shape=[VOCAB], initializer=tf.zeros_initializer()))
        log_probs = tf.nn.log_softmax(logits, axis=-1)
        one_hot = tf.one_hot(tf.reshape(label_ids, [-1]), depth=VOCAB, dtype=tf.float32); weights = tf.reshape(label_weights, [-1])
        per = -tf.reduce_sum(log_probs * one_hot, axis=[-1])
        return tf.reduce_sum(weights * per) / (tf.reduce_sum(weights) + 1e-5)
class AdamWeightDecayOptimizer(tf.train.Optimizer):
    def __init__(self, learning_rate, weight_decay_rate=0.0, beta_1=0.9, beta_2=0.999, epsilon=1e-6, exclude_from_weight_decay=None, name="AdamWeightDecayOptimizer"):
        super(AdamWeightDecayOptimizer, self).__init__(False, name)
        self.learning_rate, self.weight_decay_rate, self.beta_1, self.beta_2, self.epsilon, self.exclude_from_weight_decay = learning_rate, weight_decay_rate, beta_1, beta_2, epsilon, exclude_from_weight_decay
    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        assignments = []
        for (grad, param) in grads_and_vars:
            if grad is None or param is None: continue
            param_name = self._get_variable_name(param.name)
            m = tf.get_variable(name=param_name + "/adam_m", shape=param.shape.as_list(), dtype=tf.float32, trainable=False, initializer=tf.zeros_initializer())
            v = tf.get_variable(name=param_name + "/adam_v", shape=param.shape.as_list(), dtype=tf.float32, trainable=False, initializer=tf.zeros_initializer())
            next_m = tf.multiply(self.beta_1, m) + tf.multiply(1.0 - self.beta_1, grad)
            next_v = tf.multiply(self.beta_2, v) + tf.multiply(1.0 - self.beta_2, tf.square(grad))
            update = next_m / (tf.sqrt(next_v) + self.epsilon)
            if self._do_use_weight_decay(param_name): update += self.weight_decay_rate * param
            next_param = param - self.learning_rate * update
            assignments.extend([param.assign(next_param), m.assign(next_m), v.assign(next_v)])
        return tf.group(*assignments, name=name)
    def _do_use_weight_decay(self, param_name):
        return bool(self.weight_decay_rate) and not any(re.search(r, param_name) is not None for r in self.exclude_from_weight_decay)
    def _get_variable_name(self, param_name):
        m = re.match("^(.*):\\d+$", param_name)
        return m.group(1) if m is not None else param_name
def create_optimizer(loss, init_lr, num_train_steps, num_warmup_steps):
    global_step = tf.train.get_or_create_global_step()
    learning_rate = tf.train.polynomial_decay(tf.constant(value=init_lr, shape=[], dtype=tf.float32), global_step, num_train_steps, end_learning_rate=0.0, power=1.0, cycle=False)
    global_steps_int = tf.cast(global_step, tf.int32); warmup_steps_int = tf.constant(num_warmup_steps, dtype=tf.int32)
    warmup_percent_done = tf.cast(global_steps_int, tf.float32) / tf.cast(warmup_steps_int, tf.float32)
    is_warmup = tf.cast(global_steps_int < warmup_steps_int, tf.float32)
    learning_rate = (1.0 - is_warmup) * learning_rate + is_warmup * init_lr * warmup_percent_done
    optimizer = AdamWeightDecayOptimizer(learning_rate=learning_rate, weight_decay_rate=0.01, exclude_from_weight_decay=["LayerNorm", "layer_norm", "bias"])
    tvars = tf.trainable_variables()
    (grads, _) = tf.clip_by_global_norm(tf.gradients(loss, tvars), clip_norm=1.0)
    train_op = optimizer.apply_gradients(zip(grads, tvars), global_step=global_step)
    with tf.control_dependencies([train_op]): train_op = tf.assign(global_step, global_step + 1).op
    return train_op, learning_rate
def assignment_map_from(tvars, init_checkpoint):
    name_to_variable = collections.OrderedDict()
    for var in tvars: name_to_variable[re.match("^(.*):\\d+$", var.name).group(1)] = var
    assignment_map, initialized = collections.OrderedDict(), {}
    for name, _ in tf.train.list_variables(init_checkpoint):
        if name not in name_to_variable: continue
        assignment_map[name] = name; initialized[name] = initialized[name + ":0"] = 1
    return assignment_map, initialized
def inputs(B, T):
    names = ["input_ids", "input_mask", "segment_ids"]
    return [tf.placeholder(tf.int32, [None, None], n) for n in names] + [tf.placeholder(tf.int32, [None, 2], "masked_lm_positions"), tf.placeholder(tf.int32, [None, 2], "masked_lm_ids"), tf.placeholder(tf.float32, [None, 2], "masked_lm_weights"), tf.placeholder(tf.int32, [None], "labels")]
def batch(ph, seed, B, T):
    mask = (np.arange(T)[None, :] < (ints(seed + 9, T - 2, B) + 2)[:, None]).astype(np.int32)
    return dict(zip(ph, [ints(seed, VOCAB, B, T), mask, ints(seed + 1, 2, B, T), ints(seed + 2, T, B, 2), ints(seed + 3, VOCAB, B, 2), [[1.0, float(i % 2)] for i in range(B)], ints(seed + 4, 3, B)]))
folder = tempfile.mkdtemp()
with tf.Graph().as_default():
    tf.set_random_seed(12)
    ph = inputs(3, 5)
    sequence_output, pooled, table = bert(*ph[:3])
    lm = masked_lm(sequence_output, table, *ph[3:6])
    train_op, _ = create_optimizer(lm, 0.02, 10, 2)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(2): show("lm", sess.run([lm, train_op], batch(ph, i * 50, 3, 5))[0])
        tf.train.Saver().save(sess, os.path.join(folder, "bert_model.ckpt"))
with tf.Graph().as_default():
    tf.set_random_seed(13)
    ph = inputs(None, None)
    _, pooled, _ = bert(*ph[:3])
    output_weights = tf.get_variable("output_weights", [3, HID], initializer=tf.truncated_normal_initializer(stddev=0.02)); output_bias = tf.get_variable("output_bias", [3], initializer=tf.zeros_initializer())
    with tf.variable_scope("loss"):
        logits = tf.nn.bias_add(tf.matmul(pooled, output_weights, transpose_b=True), output_bias)
        one_hot = tf.one_hot(ph[6], depth=3, dtype=tf.float32)
        loss = tf.reduce_mean(-tf.reduce_sum(one_hot * tf.nn.log_softmax(logits, axis=-1), axis=-1))
    tvars = tf.trainable_variables()
    assignment_map, initialized = assignment_map_from(tvars, os.path.join(folder, "bert_model.ckpt"))
    tf.train.init_from_checkpoint(os.path.join(folder, "bert_model.ckpt"), assignment_map)
    show("init", ["%s %s%s" % (v.name, v.shape.as_list(), ", *INIT_FROM_CKPT*" if v.name in initialized else "") for v in tvars][-6:])
    train_op, lr = create_optimizer(loss, 0.05, 8, 3)
    with tf.train.MonitoredTrainingSession(hooks=[tf.train.StopAtStepHook(last_step=3)]) as sess:
        it = 0
        while not sess.should_stop():
            r, l, _ = sess.run([lr, loss, train_op], batch(ph, it * 31, 4, 4 + it)); it += 1
            show("finetune", [r, l])
    show("count", len(tf.global_variables()))
