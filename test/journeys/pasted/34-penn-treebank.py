"""The language model of the Penn Treebank tutorial: three models over one set of variables, unrolled cells, a state fed back, a rate assigned, a supervisor."""
from recording import *
import tempfile
tf.set_random_seed(9)
class Config(object):
    init_scale = 0.2; learning_rate = 1.0; max_grad_norm = 5; num_layers = 2; num_steps = 4; hidden_size = 5; max_epoch = 2; keep_prob = 0.8; lr_decay = 0.5; batch_size = 3; vocab_size = 11
class Input(object):
    def __init__(self, config, data, name=None):
        self.batch_size = batch_size = config.batch_size; self.num_steps = num_steps = config.num_steps
        self.epoch_size = ((len(data) // batch_size) - 1) // num_steps
        with tf.name_scope(name, "PTBProducer", [data, batch_size, num_steps]):
            raw_data = tf.convert_to_tensor(data, name="raw_data", dtype=tf.int32)
            data_len = tf.size(raw_data); batch_len = data_len // batch_size
            data = tf.reshape(raw_data[0:batch_size * batch_len], [batch_size, batch_len])
            epoch_size = (batch_len - 1) // num_steps
            assertion = tf.assert_positive(epoch_size, message="epoch_size == 0, decrease batch_size or num_steps")
            with tf.control_dependencies([assertion]):
                epoch_size = tf.identity(epoch_size, name="epoch_size")
            i = tf.train.range_input_producer(epoch_size, shuffle=False).dequeue()
            x = tf.strided_slice(data, [0, i * num_steps], [batch_size, (i + 1) * num_steps]); x.set_shape([batch_size, num_steps])
            y = tf.strided_slice(data, [0, i * num_steps + 1], [batch_size, (i + 1) * num_steps + 1]); y.set_shape([batch_size, num_steps])
        self.input_data, self.targets = x, y
class PTBModel(object):
    def __init__(self, is_training, config, input_):
        self._input = input_
        size, vocab_size = config.hidden_size, config.vocab_size
        with tf.device("/cpu:0"):
            embedding = tf.get_variable("embedding", [vocab_size, size], dtype=tf.float32)
            inputs = tf.nn.embedding_lookup(embedding, input_.input_data)
        if is_training and config.keep_prob < 1: inputs = tf.nn.dropout(inputs, config.keep_prob)
        def make_cell(i):
            cell = tf.nn.rnn_cell.BasicLSTMCell(size, forget_bias=0.0, state_is_tuple=True, reuse=not is_training)
            if is_training and config.keep_prob < 1: cell = tf.nn.rnn_cell.DropoutWrapper(cell, output_keep_prob=config.keep_prob)
            return cell if i == 0 else tf.nn.rnn_cell.ResidualWrapper(cell)
        cell = tf.nn.rnn_cell.MultiRNNCell([make_cell(i) for i in range(config.num_layers)], state_is_tuple=True)
        self._initial_state = cell.zero_state(config.batch_size, tf.float32)
        state = self._initial_state
        outputs = []
        with tf.variable_scope("RNN"):
            for time_step in range(input_.num_steps):
                if time_step > 0: tf.get_variable_scope().reuse_variables()
                (cell_output, state) = cell(inputs[:, time_step, :], state)
                outputs.append(cell_output)
        output = tf.reshape(tf.concat(outputs, 1), [-1, size])
        softmax_w = tf.get_variable("softmax_w", [size, vocab_size], dtype=tf.float32); softmax_b = tf.get_variable("softmax_b", [vocab_size], dtype=tf.float32)
        logits = tf.nn.xw_plus_b(output, softmax_w, softmax_b)
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.reshape(input_.targets, [-1]), logits=logits)
        self._cost = tf.reduce_sum(loss) / config.batch_size
        self._final_state = state
        if not is_training: return
        self._lr = tf.Variable(0.0, trainable=False)
        tvars = tf.trainable_variables()
        grads, _ = tf.clip_by_global_norm(tf.gradients(self._cost, tvars), config.max_grad_norm)
        optimizer = tf.train.GradientDescentOptimizer(self._lr)
        self._train_op = optimizer.apply_gradients(zip(grads, tvars), global_step=tf.train.get_or_create_global_step())
        self._new_lr = tf.placeholder(tf.float32, shape=[], name="new_learning_rate")
        self._lr_update = tf.assign(self._lr, self._new_lr)
    def assign_lr(self, session, lr_value): session.run(self._lr_update, feed_dict={self._new_lr: lr_value})
    @property
    def initial_state(self): return self._initial_state
    @property
    def final_state(self): return self._final_state
def run_epoch(session, model, eval_op=None):
    costs, iters = 0.0, 0
    state = session.run(model.initial_state)
    fetches = {"cost": model._cost, "final_state": model.final_state}
    if eval_op is not None: fetches["eval_op"] = eval_op
    for step in range(model._input.epoch_size):
        feed_dict = {}
        for i, (c, h) in enumerate(model.initial_state):
            feed_dict[c] = state[i].c; feed_dict[h] = state[i].h
        vals = session.run(fetches, feed_dict)
        cost, state = vals["cost"], vals["final_state"]
        costs += cost; iters += model._input.num_steps
    return np.exp(costs / iters), state
config, eval_config = Config(), Config()
eval_config.batch_size = 1; eval_config.num_steps = 1
train_data, valid_data = list(ints(3, 11, 50)), [int(x) for x in ints(4, 11, 9)]
with tf.Graph().as_default():
    tf.set_random_seed(9)
    initializer = tf.random_uniform_initializer(-config.init_scale, config.init_scale)
    with tf.name_scope("Train"):
        train_input = Input(config=config, data=train_data, name="TrainInput")
        with tf.variable_scope("Model", reuse=None, initializer=initializer): m = PTBModel(is_training=True, config=config, input_=train_input)
        tf.summary.scalar("Training Loss", m._cost); tf.summary.scalar("Learning Rate", m._lr)
    with tf.name_scope("Valid"):
        valid_input = Input(config=eval_config, data=valid_data, name="ValidInput")
        with tf.variable_scope("Model", reuse=True, initializer=initializer): mvalid = PTBModel(is_training=False, config=eval_config, input_=valid_input)
        tf.summary.scalar("Validation Loss", mvalid._cost)
    show("vars", [v.op.name for v in tf.trainable_variables()])
    logdir = tempfile.mkdtemp()
    sv = tf.train.Supervisor(logdir=logdir, save_summaries_secs=0, save_model_secs=0)
    with sv.managed_session() as session:
        for i in range(3):
            lr_decay = config.lr_decay ** max(i + 1 - config.max_epoch, 0.0)
            m.assign_lr(session, config.learning_rate * lr_decay)
            show("lr", session.run(m._lr))
            p, state = run_epoch(session, m, eval_op=m._train_op); show("train", p)
            p, _ = run_epoch(session, mvalid); show("valid", p)
        show("state", [state[1].c, state[0].h])
        sv.saver.save(session, sv.save_path, global_step=sv.global_step)
        show("checkpoint", os.path.basename(tf.train.latest_checkpoint(logdir)))
    show("saved", [[n, str(s)] for n, s in tf.train.list_variables(logdir) if "bias" in n])
