"""Agents: an actor and critic with a recurrent policy, returns by a reversed scan, entropy; soft actor-critic with squashed Gaussians, two critics,
targets that follow, a temperature that is learned; REINFORCE with sampled actions; a prioritized loss; statistics that run along."""
from recording import np, tf

STATE, ACTIONS, STEPS = 3, 4, 5


def discounted(rewards, discount):
    return tf.reverse(tf.scan(lambda total, r: r + discount * total, tf.reverse(rewards, [0]), initializer=tf.zeros_like(rewards[0])), [0])


def actor_critic():
    states = tf.placeholder(tf.float32, [STEPS, None, STATE], name="ac/states")
    actions = tf.placeholder(tf.int32, [STEPS, None], name="ac/actions")
    rewards = tf.placeholder(tf.float32, [STEPS, None], name="ac/rewards")
    with tf.variable_scope("actor_critic"):
        normalized = tf.clip_by_value((states - running(states)) * 0.5, -5.0, 5.0)
        cell = tf.nn.rnn_cell.LSTMCell(6, initializer=tf.orthogonal_initializer(seed=1), name="lstm")
        outputs, _ = tf.nn.dynamic_rnn(cell, normalized, time_major=True, dtype=tf.float32)
        logits = tf.layers.dense(outputs, ACTIONS, kernel_initializer=tf.orthogonal_initializer(0.01, seed=2), name="pi")
        value = tf.squeeze(tf.layers.dense(outputs, 1, kernel_initializer=tf.orthogonal_initializer(1.0, seed=3), name="v"), -1)
    returns = discounted(rewards, 0.9)
    advantage = tf.stop_gradient(returns - value)
    mean, variance = tf.nn.moments(advantage, [0, 1])
    advantage = (advantage - mean) / (tf.sqrt(variance) + 1e-8)
    negative_log_p = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=actions, logits=logits)
    shifted = logits - tf.reduce_max(logits, axis=-1, keepdims=True)
    expd = tf.exp(shifted)
    z = tf.reduce_sum(expd, axis=-1, keepdims=True)
    entropy = tf.reduce_mean(tf.reduce_sum(expd / z * (tf.log(z) - shifted), axis=-1))
    loss = tf.reduce_mean(advantage * negative_log_p) - 0.01 * entropy + 0.5 * tf.losses.huber_loss(returns, value)
    tf.identity(loss, "ac/loss")
    variables = tf.trainable_variables("actor_critic")
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 0.5)
    step = tf.Variable(0, trainable=False, name="ac_steps", dtype=tf.int32)
    rate = tf.train.polynomial_decay(7e-3, step, 10, 1e-3)
    tf.train.RMSPropOptimizer(rate, decay=0.99, epsilon=1e-3).apply_gradients(list(zip(gradients, variables)), global_step=step, name="ac/train")
    noise = tf.random_uniform(tf.shape(logits), seed=4)
    tf.argmax(logits - tf.log(-tf.log(noise)), axis=-1, name="ac/sampled")


def running(x):
    """Mean of all states seen, by Welford's way; updated by an op of its own."""
    with tf.variable_scope("running"):
        count = tf.get_variable("count", [], dtype=tf.float64, initializer=tf.constant_initializer(1e-4), trainable=False)
        mean = tf.get_variable("mean", [STATE], initializer=tf.zeros_initializer(), trainable=False)
        batch_mean, size = tf.reduce_mean(x, [0, 1]), tf.cast(tf.size(x) // STATE, tf.float64)
        total = count + size
        update = tf.assign(mean, mean + (batch_mean - mean) * tf.to_float(size / total))
        with tf.control_dependencies([update]):
            tf.assign_add(count, size, name="seen")
        return mean


def mlp(x, sizes, scope, seed, output=None):
    with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
        for k, size in enumerate(sizes):
            x = tf.layers.dense(x, size, tf.nn.relu if k < len(sizes) - 1 else output, kernel_initializer=tf.variance_scaling_initializer(seed=seed + k), name="fc%d" % k)
        return x


def soft_actor_critic():
    s = tf.placeholder(tf.float32, [None, STATE], name="sac/s")
    a = tf.placeholder(tf.float32, [None, 2], name="sac/a")
    r = tf.placeholder(tf.float32, [None], name="sac/r")
    s2 = tf.placeholder(tf.float32, [None, STATE], name="sac/s2")
    done = tf.placeholder(tf.bool, [None], name="sac/done")

    def policy(state, seed):
        out = mlp(state, [8, 4], "sac/policy", 10)
        mu, log_std = tf.split(out, 2, axis=1)
        log_std = tf.clip_by_value(log_std, -4.0, 2.0)
        u = mu + tf.random_normal(tf.shape(mu), seed=seed) * tf.exp(log_std)
        log_p = tf.reduce_sum(-0.5 * (((u - mu) / (tf.exp(log_std) + 1e-8)) ** 2 + 2 * log_std + np.log(2 * np.pi)), axis=1)
        squashed = tf.tanh(u)
        log_p -= tf.reduce_sum(2 * (np.log(2) - u - tf.nn.softplus(-2 * u)), axis=1)
        return squashed, log_p

    q = lambda state, action, name, seed: tf.squeeze(mlp(tf.concat([state, action], -1), [8, 1], name, seed), 1)
    action, log_p = policy(s, 11)
    next_action, next_log_p = policy(s2, 12)
    q1, q2 = q(s, a, "sac/q1", 20), q(s, a, "sac/q2", 30)
    target = tf.minimum(q(s2, next_action, "sac/target/q1", 20), q(s2, next_action, "sac/target/q2", 30))
    log_alpha = tf.get_variable("sac/log_alpha", [], initializer=tf.constant_initializer(-1.0))
    alpha = tf.exp(log_alpha)
    backup = tf.stop_gradient(r + 0.99 * tf.cast(tf.logical_not(done), tf.float32) * (target - alpha * next_log_p))
    q_loss = 0.5 * tf.reduce_mean((backup - q1) ** 2) + 0.5 * tf.reduce_mean((backup - q2) ** 2)
    pi_loss = tf.reduce_mean(alpha * log_p - tf.minimum(q(s, action, "sac/q1", 20), q(s, action, "sac/q2", 30)))
    alpha_loss = -tf.reduce_mean(log_alpha * tf.stop_gradient(log_p - 2.0))
    get_vars = lambda *scopes: [v for scope in scopes for v in tf.trainable_variables(scope)]
    adam = lambda: tf.train.AdamOptimizer(3e-3, epsilon=1e-3)
    pi_train = adam().minimize(pi_loss, var_list=get_vars("sac/policy"))
    with tf.control_dependencies([pi_train]):
        q_train = adam().minimize(q_loss, var_list=get_vars("sac/q1", "sac/q2"))
        alpha_train = adam().minimize(alpha_loss, var_list=[log_alpha])
    with tf.control_dependencies([q_train, alpha_train]):
        main, follow = get_vars("sac/q1", "sac/q2"), get_vars("sac/target")
        tf.group([tf.assign(t, 0.9 * t + (1 - 0.9) * m) for m, t in zip(main, follow)], name="sac/train")
    tf.group([tf.assign(t, m) for m, t in zip(main, follow)], name="sac/copy")
    tf.stack([q_loss, pi_loss, alpha_loss], name="sac/losses")
    tf.identity(action, "sac/action")


def reinforce():
    observation = tf.placeholder(tf.float32, [None, STATE], name="pg/observation")
    chosen = tf.placeholder(tf.int32, [None], name="pg/chosen")
    reward = tf.placeholder(tf.float32, [None], name="pg/reward")
    weight = tf.placeholder_with_default(tf.ones([1]), [None], name="pg/weight")
    with tf.variable_scope("pg"):
        h = tf.layers.dense(observation, 6, tf.nn.tanh, kernel_initializer=tf.random_normal_initializer(0, 0.3, seed=50), bias_initializer=tf.constant_initializer(0.1))
        logits = tf.layers.dense(h, ACTIONS, kernel_initializer=tf.random_normal_initializer(0, 0.3, seed=51), name="fc2")
    probabilities = tf.nn.softmax(logits, name="pg_probabilities")
    tf.squeeze(tf.multinomial(tf.log(probabilities), 2, seed=52), name="pg_sampled")
    log_p = tf.reduce_sum(-tf.log(probabilities) * tf.one_hot(chosen, ACTIONS), axis=1)
    each = tf.multiply(log_p, reward, name="pg_each")
    loss = tf.reduce_mean(weight * each, name="pg_loss")
    pairs = tf.train.AdamOptimizer(0.02, epsilon=1e-3).compute_gradients(loss, tf.trainable_variables("pg"))
    buffers = [tf.Variable(tf.zeros_like(v.initialized_value()), trainable=False, name="buffer") for _, v in pairs]
    tf.group(*[b.assign_add(g) for b, (g, _) in zip(buffers, pairs)], name="pg_gather")
    with tf.control_dependencies([tf.train.GradientDescentOptimizer(0.1).apply_gradients([(b, v) for b, (_, v) in zip(buffers, pairs)])]):
        tf.group(*[b.assign(tf.zeros_like(b)) for b in buffers], name="pg_apply")


def build():
    tf.set_random_seed(37)
    actor_critic()
    soft_actor_critic()
    reinforce()


def run(session, record):
    graph = session.graph
    get, op = graph.get_tensor_by_name, graph.get_operation_by_name
    record.initialize(session)
    record.run(session, op("sac/copy"))
    random = np.random.RandomState(7)
    for _ in range(6):
        feed = {get("ac/states:0"): random.randn(STEPS, 3, STATE).round(3), get("ac/actions:0"): random.randint(0, ACTIONS, [STEPS, 3]), get("ac/rewards:0"): random.rand(STEPS, 3).round(3)}
        record.run(session, [get("ac/loss:0"), get("ac/sampled:0"), op("ac/train")], feed)
        record.run(session, op("actor_critic/running/seen"), feed)
        feed = {get("sac/s:0"): random.randn(6, STATE).round(3), get("sac/a:0"): random.uniform(-1, 1, [6, 2]).round(3), get("sac/r:0"): random.rand(6).round(3), get("sac/s2:0"): random.randn(6, STATE).round(3), get("sac/done:0"): random.rand(6) < 0.3}
        record.run(session, [get("sac/losses:0"), get("sac/action:0")], feed)
        record.run(session, op("sac/train"), feed)
        feed = {get("pg/observation:0"): random.randn(5, STATE).round(3), get("pg/chosen:0"): random.randint(0, ACTIONS, 5), get("pg/reward:0"): random.randn(5).round(3)}
        record.run(session, [get("pg_loss:0"), get("pg_sampled:0"), op("pg_gather")], feed)
    record.run(session, op("pg_apply"))
    record.final(session)
