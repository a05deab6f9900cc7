"""A3C with workers in threads: local copies of a global net, one shared optimizer, a state of LSTM fed and fetched, a Coordinator; A2C's losses by tf.distributions; REINFORCE with baseline."""
from recording import *
import threading
tf.set_random_seed(4)
s_size, a_size = 6, 3
def normalized_columns_initializer(std=1.0):
    def _initializer(shape, dtype=None, partition_info=None):
        out = rnd(int(np.prod(shape)), *[int(d) for d in shape]) - np.float32(0.5)
        out *= std / np.sqrt(np.square(out).sum(axis=0, keepdims=True))
        return tf.constant(out)
    return _initializer
def update_target_graph(from_scope, to_scope):
    from_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, from_scope)
    to_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, to_scope)
    op_holder = []
    for from_var, to_var in zip(from_vars, to_vars): op_holder.append(to_var.assign(from_var))
    return op_holder
class AC_Network():
    def __init__(self, s_size, a_size, scope, trainer):
        with tf.variable_scope(scope):
            self.inputs = tf.placeholder(shape=[None, s_size], dtype=tf.float32)
            hidden = tf.layers.dense(self.inputs, 5, activation=tf.nn.elu, kernel_initializer=normalized_columns_initializer(1.0))
            lstm_cell = tf.nn.rnn_cell.BasicLSTMCell(4, state_is_tuple=True)
            c_init = np.zeros((1, lstm_cell.state_size.c), np.float32); h_init = np.zeros((1, lstm_cell.state_size.h), np.float32)
            self.state_init = [c_init, h_init]
            c_in = tf.placeholder(tf.float32, [1, lstm_cell.state_size.c]); h_in = tf.placeholder(tf.float32, [1, lstm_cell.state_size.h])
            self.state_in = (c_in, h_in)
            rnn_in = tf.expand_dims(hidden, [0])
            step_size = tf.shape(self.inputs)[:1]
            state_in = tf.nn.rnn_cell.LSTMStateTuple(c_in, h_in)
            lstm_outputs, lstm_state = tf.nn.dynamic_rnn(lstm_cell, rnn_in, initial_state=state_in, sequence_length=step_size, time_major=False)
            lstm_c, lstm_h = lstm_state
            self.state_out = (lstm_c[:1, :], lstm_h[:1, :])
            rnn_out = tf.reshape(lstm_outputs, [-1, 4])
            self.policy = tf.layers.dense(rnn_out, a_size, activation=tf.nn.softmax, kernel_initializer=normalized_columns_initializer(0.01), use_bias=False)
            self.value = tf.layers.dense(rnn_out, 1, activation=None, kernel_initializer=normalized_columns_initializer(1.0), bias_initializer=None)
            if scope != "global":
                self.actions = tf.placeholder(shape=[None], dtype=tf.int32)
                self.actions_onehot = tf.one_hot(self.actions, a_size, dtype=tf.float32)
                self.target_v = tf.placeholder(shape=[None], dtype=tf.float32); self.advantages = tf.placeholder(shape=[None], dtype=tf.float32)
                self.responsible_outputs = tf.reduce_sum(self.policy * self.actions_onehot, [1])
                self.value_loss = 0.5 * tf.reduce_sum(tf.square(self.target_v - tf.reshape(self.value, [-1])))
                self.entropy = -tf.reduce_sum(self.policy * tf.log(self.policy))
                self.policy_loss = -tf.reduce_sum(tf.log(self.responsible_outputs) * self.advantages)
                self.loss = 0.5 * self.value_loss + self.policy_loss - self.entropy * 0.01
                local_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope)
                self.gradients = tf.gradients(self.loss, local_vars)
                self.var_norms = tf.global_norm(local_vars)
                grads, self.grad_norms = tf.clip_by_global_norm(self.gradients, 0.5)
                global_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, "global")
                self.apply_grads = trainer.apply_gradients(zip(grads, global_vars))
def discount(x, gamma):
    out = np.zeros_like(x); running = 0.0
    for i in reversed(range(len(x))): running = running * gamma + x[i]; out[i] = running
    return out
class Worker():
    def __init__(self, name, trainer, global_episodes):
        self.name = "worker_" + str(name); self.number = name; self.global_episodes = global_episodes
        self.increment = self.global_episodes.assign_add(1)
        self.local_AC = AC_Network(s_size, a_size, self.name, trainer); self.update_local_ops = update_target_graph("global", self.name)
        self.episode_rewards = []
    def train(self, rollout, sess, gamma, bootstrap_value):
        observations, actions, rewards, values = [list(c) for c in zip(*rollout)]
        rewards_plus = np.asarray(rewards + [bootstrap_value]); discounted = discount(rewards_plus, gamma)[:-1]
        value_plus = np.asarray(values + [bootstrap_value])
        advantages = discount(np.asarray(rewards) + gamma * value_plus[1:] - value_plus[:-1], gamma)
        feed_dict = {self.local_AC.target_v: discounted, self.local_AC.inputs: np.vstack(observations), self.local_AC.actions: actions,
                     self.local_AC.advantages: advantages, self.local_AC.state_in[0]: self.batch_rnn_state[0], self.local_AC.state_in[1]: self.batch_rnn_state[1]}
        v_l, p_l, e_l, g_n, v_n, self.batch_rnn_state, _ = sess.run(
            [self.local_AC.value_loss, self.local_AC.policy_loss, self.local_AC.entropy, self.local_AC.grad_norms, self.local_AC.var_norms, self.local_AC.state_out, self.local_AC.apply_grads], feed_dict=feed_dict)
        return [v_l / len(rollout), p_l / len(rollout), e_l / len(rollout), g_n, v_n]
    def work(self, sess, coord, turn):
        with coord.stop_on_exception():
            episode = 0
            while not coord.should_stop():
                with turn(self.number):
                    if coord.should_stop(): break
                    sess.run(self.update_local_ops); rollout = []; rnn_state = self.local_AC.state_init; self.batch_rnn_state = rnn_state
                    s = rnd(self.number * 50 + episode, 1, s_size)
                    for step in range(6):
                        a_dist, v, rnn_state = sess.run([self.local_AC.policy, self.local_AC.value, self.local_AC.state_out],
                            feed_dict={self.local_AC.inputs: s, self.local_AC.state_in[0]: rnn_state[0], self.local_AC.state_in[1]: rnn_state[1]})
                        a = int((np.cumsum(a_dist[0].astype(np.float64)) < float(rnd(episode * 9 + step, 1)[0])).sum())
                        r = 1.0 if a == step % 3 else -0.5; rollout.append([s, a, r, float(v[0, 0])]); s = rnd(self.number * 50 + episode + step + 1, 1, s_size)
                        if len(rollout) == 4:
                            boot = sess.run(self.local_AC.value, {self.local_AC.inputs: s, self.local_AC.state_in[0]: rnn_state[0], self.local_AC.state_in[1]: rnn_state[1]})[0, 0]
                            show("part", self.train(rollout, sess, 0.9, float(boot))); rollout = []; sess.run(self.update_local_ops)
                    show(self.name, self.train(rollout, sess, 0.9, 0.0)); self.episode_rewards.append(episode)
                    if sess.run(self.increment) >= 6: coord.request_stop()
                    episode += 1
global_episodes = tf.Variable(0, dtype=tf.int32, name="global_episodes", trainable=False)
with tf.device("/cpu:0"):
    trainer = tf.train.AdamOptimizer(learning_rate=1e-2, epsilon=1e-3)
    master_network = AC_Network(s_size, a_size, "global", None)
    workers = [Worker(i, trainer, global_episodes) for i in range(2)]
ready = threading.Condition(); whose = [0]
class Turn:
    """One worker after the other, so that numbers can be compared."""
    def __init__(self, i): self.i = i
    def __enter__(self):
        ready.acquire()
        while whose[0] != self.i: ready.wait()
    def __exit__(self, *_): whose[0] = 1 - self.i; ready.notify_all(); ready.release()
with tf.Session() as sess:
    coord = tf.train.Coordinator(); sess.run(tf.global_variables_initializer()); worker_threads = []
    for worker in workers:
        t = threading.Thread(target=lambda worker=worker: worker.work(sess, coord, Turn)); t.start(); worker_threads.append(t)
    coord.join(worker_threads, stop_grace_period_secs=60)
    show("stopped", coord.should_stop()); show("episodes", sess.run(global_episodes))
    show("rewards", [w.episode_rewards for w in workers])
    for v in tf.trainable_variables("global"): show(v.op.name, sess.run(v))
tf.reset_default_graph(); tf.set_random_seed(9)
obs = tf.placeholder(tf.float32, [None, 4], "obs"); act = tf.placeholder(tf.int32, [None], "act"); ret = tf.placeholder(tf.float32, [None], "ret")
with tf.variable_scope("model", initializer=tf.orthogonal_initializer(np.sqrt(2))):
    h = tf.layers.dense(tf.layers.dense(obs, 8, tf.nn.tanh, name="fc1"), 8, tf.nn.tanh, name="fc2")
    pi = tf.layers.dense(h, 3, name="pi", kernel_initializer=tf.orthogonal_initializer(0.01)); vf = tf.layers.dense(h, 1, name="v")[:, 0]
dist = tf.distributions.Categorical(logits=pi)
sample = dist.sample(seed=5); neglogp = -dist.log_prob(act); old = tf.distributions.Categorical(probs=tf.stop_gradient(tf.nn.softmax(pi * 0.5)))
adv = ret - tf.stop_gradient(vf); mean, var = tf.nn.moments(adv, axes=[0]); adv = (adv - mean) / (tf.sqrt(var) + 1e-8)
pg_loss = tf.reduce_mean(adv * neglogp); vf_loss = tf.losses.mean_squared_error(tf.squeeze(ret), vf); entropy = tf.reduce_mean(dist.entropy())
kl = tf.reduce_mean(tf.distributions.kl_divergence(old, dist))
loss = pg_loss - entropy * 0.01 + vf_loss * 0.5
params = tf.trainable_variables("model"); grads = tf.gradients(loss, params); grads, norm = tf.clip_by_global_norm(grads, 0.5)
LR = tf.placeholder(tf.float32, []); train = tf.train.RMSPropOptimizer(learning_rate=LR, decay=0.99, epsilon=1e-3).apply_gradients(list(zip(grads, params)))
with tf.Session() as sess:
    tf.global_variables_initializer().run(session=sess)
    for i in range(6):
        feed = {obs: rnd(i, 7, 4), act: ints(i, 3, 7), ret: rnd(i + 5, 7), LR: 0.02 * (1 - i / 10.0)}
        show("a2c", sess.run([pg_loss, vf_loss, entropy, kl, norm, train], feed)[:5]); show("sample", sess.run(sample, feed))
    show("probs", sess.run([dist.probs, dist.prob(act), dist.mode()], feed))
