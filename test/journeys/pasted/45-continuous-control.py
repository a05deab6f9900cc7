"""Continuous control: PPO with Normal policies, an old net synchronized and clipped ratios or a penalty; DDPG whose targets are averages read by a custom getter and grad_ys; SAC's squashed policy."""
from recording import *
S_DIM, A_DIM = 3, 2
class PPO(object):
    def __init__(self, method):
        self.sess = tf.Session(); self.tfs = tf.placeholder(tf.float32, [None, S_DIM], 'state')
        with tf.variable_scope('critic'):
            l1 = tf.layers.dense(self.tfs, 8, tf.nn.relu)
            self.v = tf.layers.dense(l1, 1); self.tfdc_r = tf.placeholder(tf.float32, [None, 1], 'discounted_r')
            self.advantage = self.tfdc_r - self.v
            self.closs = tf.reduce_mean(tf.square(self.advantage)); self.ctrain_op = tf.train.AdamOptimizer(0.02).minimize(self.closs)
        pi, pi_params = self._build_anet('pi', trainable=True)
        oldpi, oldpi_params = self._build_anet('oldpi', trainable=False)
        with tf.variable_scope('sample_action'): self.sample_op = tf.squeeze(pi.sample(1), axis=0)
        with tf.variable_scope('update_oldpi'): self.update_oldpi_op = [oldp.assign(p) for p, oldp in zip(pi_params, oldpi_params)]
        self.tfa = tf.placeholder(tf.float32, [None, A_DIM], 'action'); self.tfadv = tf.placeholder(tf.float32, [None, 1], 'advantage')
        with tf.variable_scope('loss'):
            with tf.variable_scope('surrogate'):
                ratio = pi.prob(self.tfa) / (oldpi.prob(self.tfa) + 1e-5); surr = ratio * self.tfadv
            if method == 'kl_pen':
                self.tflam = tf.placeholder(tf.float32, None, 'lambda')
                kl = tf.distributions.kl_divergence(oldpi, pi); self.kl_mean = tf.reduce_mean(kl)
                self.aloss = -(tf.reduce_mean(surr - self.tflam * kl))
            else:
                self.aloss = -tf.reduce_mean(tf.minimum(surr, tf.clip_by_value(ratio, 1. - 0.2, 1. + 0.2) * self.tfadv))
            self.entropy = tf.reduce_mean(pi.entropy())
        with tf.variable_scope('atrain'): self.atrain_op = tf.train.AdamOptimizer(0.01).minimize(self.aloss)
        self.method = method; self.sess.run(tf.global_variables_initializer())
    def _build_anet(self, name, trainable):
        with tf.variable_scope(name):
            l1 = tf.layers.dense(self.tfs, 8, tf.nn.relu, trainable=trainable)
            mu = 2 * tf.layers.dense(l1, A_DIM, tf.nn.tanh, trainable=trainable); sigma = tf.layers.dense(l1, A_DIM, tf.nn.softplus, trainable=trainable)
            norm_dist = tf.distributions.Normal(loc=mu, scale=sigma)
        return norm_dist, tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope=name)
    def update(self, s, a, r):
        self.sess.run(self.update_oldpi_op)
        adv = self.sess.run(self.advantage, {self.tfs: s, self.tfdc_r: r}); adv = (adv - adv.mean()) / (adv.std() + 1e-6)
        if self.method == 'kl_pen':
            for _ in range(3):
                _, kl = self.sess.run([self.atrain_op, self.kl_mean], {self.tfs: s, self.tfa: a, self.tfadv: adv, self.tflam: 0.5})
                show("kl", kl)
                if kl > 4 * 0.01: break
        else:
            [self.sess.run(self.atrain_op, {self.tfs: s, self.tfa: a, self.tfadv: adv}) for _ in range(3)]
        [self.sess.run(self.ctrain_op, {self.tfs: s, self.tfdc_r: r}) for _ in range(3)]
        show("losses", self.sess.run([self.aloss, self.closs, self.entropy], {self.tfs: s, self.tfa: a, self.tfadv: adv, self.tfdc_r: r, **({self.tflam: 0.5} if self.method == 'kl_pen' else {})}))
for method in ['kl_pen', 'clip']:
    tf.reset_default_graph(); tf.set_random_seed(3); ppo = PPO(method)
    for i in range(3):
        ppo.update(rnd(i, 6, S_DIM), rnd(i + 5, 6, A_DIM) - np.float32(0.5), rnd(i + 9, 6, 1)); show("a", np.clip(ppo.sess.run(ppo.sample_op, {ppo.tfs: rnd(i, 2, S_DIM)}), -2, 2))
class DDPG(object):
    def __init__(self, tau=0.1, gamma=0.9):
        self.sess = tf.Session(); self.S = tf.placeholder(tf.float32, [None, S_DIM], 's'); self.S_ = tf.placeholder(tf.float32, [None, S_DIM], 's_'); self.R = tf.placeholder(tf.float32, [None, 1], 'r')
        self.a = self._build_a(self.S); q = self._build_c(self.S, self.a)
        a_params = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope='Actor'); c_params = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope='Critic')
        ema = tf.train.ExponentialMovingAverage(decay=1 - tau)
        def ema_getter(getter, name, *args, **kwargs): return ema.average(getter(name, *args, **kwargs))
        self.target_update = [ema.apply(a_params), ema.apply(c_params)]
        a_ = self._build_a(self.S_, reuse=True, custom_getter=ema_getter); self.q_ = self._build_c(self.S_, a_, reuse=True, custom_getter=ema_getter)
        with tf.variable_scope('policy_grads'):
            dqda = tf.gradients(q, self.a)[0]; policy_grads = tf.tuple(tf.gradients(ys=self.a, xs=a_params, grad_ys=dqda))
        with tf.variable_scope('A_train'):
            self.atrain = tf.train.RMSPropOptimizer(-0.01).apply_gradients(zip(policy_grads, a_params))
        q_target = self.R + gamma * self.q_
        self.td_error = tf.losses.mean_squared_error(labels=q_target, predictions=q)
        self.ctrain = tf.train.AdamOptimizer(0.02).minimize(self.td_error, var_list=c_params)
        self.sess.run(tf.global_variables_initializer())
    def _build_a(self, s, reuse=None, custom_getter=None):
        with tf.variable_scope('Actor', reuse=reuse or False, custom_getter=custom_getter):
            net = tf.layers.dense(s, 7, activation=tf.nn.relu, name='l1', trainable=not reuse)
            a = tf.layers.dense(net, A_DIM, activation=tf.nn.tanh, name='a', trainable=not reuse); return tf.multiply(a, 2.0, name='scaled_a')
    def _build_c(self, s, a, reuse=None, custom_getter=None):
        trainable = True if reuse is None else False
        with tf.variable_scope('Critic', reuse=reuse or False, custom_getter=custom_getter):
            w1_s = tf.get_variable('w1_s', [S_DIM, 7], trainable=trainable); w1_a = tf.get_variable('w1_a', [A_DIM, 7], trainable=trainable); b1 = tf.get_variable('b1', [1, 7], trainable=trainable)
            return tf.layers.dense(tf.nn.relu(tf.matmul(s, w1_s) + tf.matmul(a, w1_a) + b1), 1, trainable=trainable)
tf.reset_default_graph(); tf.set_random_seed(5); ddpg = DDPG()
for i in range(5):
    b = {ddpg.S: rnd(i, 5, S_DIM), ddpg.S_: rnd(i + 1, 5, S_DIM), ddpg.R: rnd(i + 2, 5, 1)}
    ddpg.sess.run(ddpg.target_update); ddpg.sess.run(ddpg.atrain, b); b[ddpg.a] = rnd(i + 3, 5, A_DIM); show("td", ddpg.sess.run([ddpg.td_error, ddpg.ctrain], b)[0])
show("names", [v.op.name for v in tf.global_variables()][:14])
show("q_", ddpg.sess.run(ddpg.q_, {ddpg.S_: rnd(1, 4, S_DIM)})); show("a", ddpg.sess.run(ddpg.a, {ddpg.S: rnd(1, 4, S_DIM)}))
EPS, LOG_STD_MAX, LOG_STD_MIN = 1e-8, 2, -5
def placeholder(dim=None): return tf.placeholder(dtype=tf.float32, shape=(None, dim) if dim else (None,))
def placeholders(*args): return [placeholder(dim) for dim in args]
def mlp(x, hidden_sizes=(8,), activation=tf.tanh, output_activation=None):
    for h in hidden_sizes[:-1]: x = tf.layers.dense(x, units=h, activation=activation)
    return tf.layers.dense(x, units=hidden_sizes[-1], activation=output_activation)
def get_vars(scope): return [x for x in tf.global_variables() if scope in x.name]
def gaussian_likelihood(x, mu, log_std): return tf.reduce_sum(-0.5 * (((x - mu) / (tf.exp(log_std) + EPS))**2 + 2 * log_std + np.log(2 * np.pi)), axis=1)
def clip_but_pass_gradient(x, l=-1., u=1.):
    clip_up = tf.cast(x > u, tf.float32); clip_low = tf.cast(x < l, tf.float32)
    return x + tf.stop_gradient((u - x) * clip_up + (l - x) * clip_low)
def mlp_gaussian_policy(x, a):
    act_dim = a.shape.as_list()[-1]; net = mlp(x, [8, 8], tf.nn.relu, tf.nn.relu)
    mu = tf.layers.dense(net, act_dim, activation=None); log_std = tf.layers.dense(net, act_dim, activation=tf.tanh)
    log_std = LOG_STD_MIN + 0.5 * (LOG_STD_MAX - LOG_STD_MIN) * (log_std + 1); pi = mu + tf.random_normal(tf.shape(mu)) * tf.exp(log_std)
    logp_pi = gaussian_likelihood(pi, mu, log_std)
    mu, pi = tf.tanh(mu), tf.tanh(pi)
    logp_pi -= tf.reduce_sum(tf.log(clip_but_pass_gradient(1 - pi**2, l=0, u=1) + 1e-6), axis=1)
    return mu, pi, logp_pi
def mlp_actor_critic(x, a):
    with tf.variable_scope('pi'): mu, pi, logp_pi = mlp_gaussian_policy(x, a)
    vf_mlp = lambda x: tf.squeeze(mlp(x, [8, 1], tf.nn.relu, None), axis=1)
    with tf.variable_scope('q1'): q1 = vf_mlp(tf.concat([x, a], axis=-1))
    with tf.variable_scope('q1', reuse=True): q1_pi = vf_mlp(tf.concat([x, pi], axis=-1))
    with tf.variable_scope('q2'): q2 = vf_mlp(tf.concat([x, a], axis=-1))
    with tf.variable_scope('v'): v = vf_mlp(x)
    return mu, pi, logp_pi, q1, q2, q1_pi, v
tf.reset_default_graph(); tf.set_random_seed(0)
x_ph, a_ph, x2_ph, r_ph, d_ph = placeholders(S_DIM, A_DIM, S_DIM, None, None)
with tf.variable_scope('main'): mu, pi, logp_pi, q1, q2, q1_pi, v = mlp_actor_critic(x_ph, a_ph)
with tf.variable_scope('target'): _, _, _, _, _, _, v_targ = mlp_actor_critic(x2_ph, a_ph)
q_backup = tf.stop_gradient(r_ph + 0.99 * (1 - d_ph) * v_targ); v_backup = tf.stop_gradient(tf.minimum(q1_pi, q1_pi) - 0.2 * logp_pi)
pi_loss = tf.reduce_mean(0.2 * logp_pi - q1_pi); q1_loss = 0.5 * tf.reduce_mean((q_backup - q1)**2); q2_loss = 0.5 * tf.reduce_mean((q_backup - q2)**2); v_loss = 0.5 * tf.reduce_mean((v_backup - v)**2)
train_pi_op = tf.train.AdamOptimizer(learning_rate=1e-2).minimize(pi_loss, var_list=get_vars('main/pi'))
value_params = get_vars('main/q') + get_vars('main/v')
with tf.control_dependencies([train_pi_op]):
    train_value_op = tf.train.AdamOptimizer(learning_rate=1e-2).minimize(q1_loss + q2_loss + v_loss, var_list=value_params)
with tf.control_dependencies([train_value_op]):
    target_update = tf.group([tf.assign(v_targ, 0.9 * v_targ + 0.1 * v_main) for v_main, v_targ in zip(get_vars('main'), get_vars('target'))])
step_ops = [pi_loss, q1_loss, q2_loss, v_loss, q1, q2, v, logp_pi, train_pi_op, train_value_op, target_update]
target_init = tf.group([tf.assign(v_targ, v_main) for v_main, v_targ in zip(get_vars('main'), get_vars('target'))])
sess = tf.Session(); sess.run(tf.global_variables_initializer()); sess.run(target_init)
for i in range(4):
    feed = dict(zip([x_ph, a_ph, x2_ph, r_ph, d_ph], [rnd(i, 6, S_DIM), rnd(i + 1, 6, A_DIM), rnd(i + 2, 6, S_DIM), rnd(i + 3, 6), np.float32([0, 1, 0, 0, 1, 0])]))
    show("sac", sess.run(step_ops, feed)[:8])
show("mu", sess.run([mu, v_targ], feed))
