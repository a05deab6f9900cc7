"""Deep Q-learning: dueling heads, a double target, prioritized replay with weights that anneal, an act function with epsilon in a variable, targets copied by scopes, savers of a part."""
from recording import *
import os, tempfile
tf.set_random_seed(1)
class SumTree(object):
    data_pointer = 0
    def __init__(self, capacity):
        self.capacity = capacity; self.tree = np.zeros(2 * capacity - 1); self.data = [None] * capacity
    def add(self, p, data):
        tree_idx = self.data_pointer + self.capacity - 1
        self.data[self.data_pointer] = data; self.update(tree_idx, p)
        self.data_pointer = (self.data_pointer + 1) % self.capacity
    def update(self, tree_idx, p):
        change = p - self.tree[tree_idx]; self.tree[tree_idx] = p
        while tree_idx != 0:
            tree_idx = (tree_idx - 1) // 2; self.tree[tree_idx] += change
    def get_leaf(self, v):
        parent_idx = 0
        while True:
            cl_idx = 2 * parent_idx + 1; cr_idx = cl_idx + 1
            if cl_idx >= len(self.tree): leaf_idx = parent_idx; break
            if v <= self.tree[cl_idx]: parent_idx = cl_idx
            else: v -= self.tree[cl_idx]; parent_idx = cr_idx
        return leaf_idx, self.tree[leaf_idx], self.data[leaf_idx - self.capacity + 1]
def huber_loss(x, delta=1.0):
    return tf.where(tf.abs(x) < delta, tf.square(x) * 0.5, delta * (tf.abs(x) - 0.5 * delta))
def minimize_and_clip(optimizer, objective, var_list, clip_val=10):
    gradients = optimizer.compute_gradients(objective, var_list=var_list)
    for i, (grad, var) in enumerate(gradients):
        if grad is not None: gradients[i] = (tf.clip_by_norm(grad, clip_val), var)
    return optimizer.apply_gradients(gradients)
def absolute_scope_name(relative): return tf.get_variable_scope().name + "/" + relative
def scope_vars(scope, trainable_only=False):
    return tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES if trainable_only else tf.GraphKeys.GLOBAL_VARIABLES, scope=scope if isinstance(scope, str) else scope.name)
def q_func(img_in, num_actions, scope, reuse=False):
    with tf.variable_scope(scope, reuse=reuse):
        out = img_in
        with tf.variable_scope("convnet"):
            out = tf.layers.conv2d(out, filters=4, kernel_size=3, strides=2, activation=tf.nn.relu, kernel_initializer=tf.variance_scaling_initializer(2.0, seed=3))
            out = tf.layers.conv2d(out, filters=5, kernel_size=2, activation=tf.nn.relu, data_format="channels_last")
        conv_out = tf.layers.flatten(out)
        with tf.variable_scope("action_value"):
            action_out = tf.layers.dense(conv_out, 6, activation=None)
            action_out = tf.nn.relu(action_out)
            action_scores = tf.layers.dense(action_out, num_actions)
        with tf.variable_scope("state_value"):
            state_score = tf.layers.dense(tf.layers.dense(conv_out, 6, tf.nn.relu), 1)
        action_scores_mean = tf.reduce_mean(action_scores, 1)
        action_scores_centered = action_scores - tf.expand_dims(action_scores_mean, 1)
        return state_score + action_scores_centered
def build_act(num_actions, scope="deepq", reuse=None):
    with tf.variable_scope(scope, reuse=reuse):
        observations_ph = tf.placeholder(tf.uint8, [None, 8, 8, 2], name="observation")
        stochastic_ph = tf.placeholder(tf.bool, (), name="stochastic")
        update_eps_ph = tf.placeholder(tf.float32, (), name="update_eps")
        eps = tf.get_variable("eps", (), initializer=tf.constant_initializer(0), trainable=False)
        q_values = q_func(tf.cast(observations_ph, tf.float32) / 255.0, num_actions, scope="q_func")
        deterministic_actions = tf.argmax(q_values, axis=1)
        batch_size = tf.shape(observations_ph)[0]
        random_actions = tf.random_uniform(tf.stack([batch_size]), minval=0, maxval=num_actions, dtype=tf.int64)
        chose_random = tf.random_uniform(tf.stack([batch_size]), minval=0, maxval=1, dtype=tf.float32) < eps
        stochastic_actions = tf.where(chose_random, random_actions, deterministic_actions)
        output_actions = tf.cond(stochastic_ph, lambda: stochastic_actions, lambda: deterministic_actions)
        update_eps_expr = eps.assign(tf.cond(update_eps_ph >= 0, lambda: update_eps_ph, lambda: eps))
        with tf.control_dependencies([update_eps_expr]):
            output_actions = tf.identity(output_actions, name="action")
    def act(sess, ob, stochastic=True, update_eps=-1):
        return sess.run(output_actions, feed_dict={observations_ph: ob, stochastic_ph: stochastic, update_eps_ph: update_eps})
    return act
def build_train(num_actions, gamma=0.9, scope="deepq", double_q=True):
    act = build_act(num_actions, scope=scope)
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        obs_t = tf.placeholder(tf.uint8, [None, 8, 8, 2], name="obs_t"); act_t_ph = tf.placeholder(tf.int32, [None], name="action")
        rew_t_ph = tf.placeholder(tf.float32, [None], name="reward"); obs_tp1 = tf.placeholder(tf.uint8, [None, 8, 8, 2], name="obs_tp1")
        done_mask_ph = tf.placeholder(tf.float32, [None], name="done"); importance_weights_ph = tf.placeholder(tf.float32, [None], name="weight")
        f = lambda x: tf.cast(x, tf.float32) / 255.0
        q_t = q_func(f(obs_t), num_actions, scope="q_func", reuse=True)
        q_func_vars = scope_vars(absolute_scope_name("q_func"))
        q_tp1 = q_func(f(obs_tp1), num_actions, scope="target_q_func")
        target_q_func_vars = scope_vars(absolute_scope_name("target_q_func"))
        q_t_selected = tf.reduce_sum(q_t * tf.one_hot(act_t_ph, num_actions), 1)
        if double_q:
            q_tp1_using_online_net = q_func(f(obs_tp1), num_actions, scope="q_func", reuse=True)
            q_tp1_best_using_online_net = tf.argmax(q_tp1_using_online_net, 1)
            q_tp1_best = tf.reduce_sum(q_tp1 * tf.one_hot(q_tp1_best_using_online_net, num_actions), 1)
        else:
            q_tp1_best = tf.reduce_max(q_tp1, 1)
        q_tp1_best_masked = (1.0 - done_mask_ph) * q_tp1_best
        q_t_selected_target = rew_t_ph + gamma * q_tp1_best_masked
        td_error = q_t_selected - tf.stop_gradient(q_t_selected_target)
        errors = huber_loss(td_error)
        weighted_error = tf.reduce_mean(importance_weights_ph * errors)
        optimize_expr = minimize_and_clip(tf.train.RMSPropOptimizer(learning_rate=0.01, momentum=0.5, epsilon=0.01, centered=True), weighted_error, var_list=q_func_vars, clip_val=0.5)
        update_target_expr = []
        for var, var_target in zip(sorted(q_func_vars, key=lambda v: v.name), sorted(target_q_func_vars, key=lambda v: v.name)):
            update_target_expr.append(var_target.assign(var))
        update_target_expr = tf.group(*update_target_expr)
    return act, (obs_t, act_t_ph, rew_t_ph, obs_tp1, done_mask_ph, importance_weights_ph), td_error, weighted_error, optimize_expr, update_target_expr, q_t
A = 3
act, inputs, td_error, loss, optimize, update_target, q_t = build_train(A)
with tf.name_scope("stats"):
    for v in scope_vars("deepq/q_func", trainable_only=True): tf.summary.histogram(v.op.name, v)
    tf.summary.scalar("loss", loss); tf.summary.scalar("td_error", tf.reduce_mean(td_error))
merged = tf.summary.merge_all()
show("vars", [v.op.name for v in scope_vars("deepq")])
memory = SumTree(8)
saver = tf.train.Saver(scope_vars("deepq/q_func"), max_to_keep=2)
folder = tempfile.mkdtemp()
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer()); sess.run(update_target)
    state = ints(7, 256, 1, 8, 8, 2).astype(np.uint8); beta = 0.4; writer = tf.summary.FileWriter(folder, sess.graph)
    for t in range(24):
        action = act(sess, state, update_eps=1.0 - 0.04 * t)[0]
        nxt = ints(t + 8, 256, 1, 8, 8, 2).astype(np.uint8)
        reward = float(rnd(t + 100, 1)[0]) - 0.2 * int(action)
        memory.add(1.0 if t == 0 else np.max(memory.tree[-8:]), (state[0], int(action), reward, nxt[0], float(t % 5 == 4))); state = nxt
        show("action", action)
        if t >= 8 and t % 2 == 0:
            n = 4; seg = memory.tree[0] / n; beta = min(1.0, beta + 0.1); idx, weights, batch = [], [], []
            lowest = np.min(memory.tree[-8:][memory.tree[-8:] > 0]) / memory.tree[0]
            for i in range(n):
                leaf, p, data = memory.get_leaf(seg * (i + float(rnd(t * 10 + i, 1)[0])))
                idx.append(leaf); weights.append(np.power(p / memory.tree[0] / lowest, -beta)); batch.append(data)
            columns = [np.array(c) for c in zip(*batch)]
            td, l, summary, _ = sess.run([td_error, loss, merged, optimize], feed_dict=dict(zip(inputs, columns + [np.array(weights)])))
            writer.add_summary(summary, t)
            for leaf, e in zip(idx, td): memory.update(leaf, np.power(min(abs(float(e)) + 0.01, 1.0), 0.6))
            show("loss", l); show("td", td)
            if t % 6 == 0: sess.run(update_target)
            if t % 4 == 0: saver.save(sess, os.path.join(folder, "dqn"), global_step=t)
    writer.close()
    show("kept", [os.path.basename(p) for p in saver.last_checkpoints])
    show("q", sess.run(q_t, {inputs[0]: state}))
    sess.run(tf.variables_initializer(scope_vars("deepq/q_func")))
    saver.restore(sess, tf.train.latest_checkpoint(folder))
    show("restored", sess.run(q_t, {inputs[0]: state}))
    file, = [f for f in os.listdir(folder) if "tfevents" in f]
    tags = [(e.step, v.tag) for e in tf.train.summary_iterator(os.path.join(folder, file)) for v in e.summary.value]
    show("tags", ["%d:%s" % pair for pair in tags[:14]]); show("events", len(tags))
    show("weights", [float(np.sum(np.abs(w))) for w in sess.run(scope_vars("deepq"))])
