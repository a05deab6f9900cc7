"""Gradients of gradients: a Wasserstein critic with gradient penalty and spectral normalization, a gradient step inside the loss (MAML), conjugate gradients
with Hessian-vector products (TRPO), a reversed gradient by gradient_override_map, a gradient of one's own."""
from recording import np, tf


@tf.RegisterGradient("Half")
def reverse_gradient(op, grad):
    return 0.5 * tf.negative(grad)


def spectral_norm(w, name):
    matrix = tf.reshape(w, [-1, w.shape.as_list()[-1]])
    u = tf.get_variable(name + "_u", [1, w.shape.as_list()[-1]], initializer=tf.random_normal_initializer(seed=9), trainable=False)
    v = tf.nn.l2_normalize(tf.matmul(u, matrix, transpose_b=True))
    next_u = tf.nn.l2_normalize(tf.matmul(v, matrix))
    next_u, v = tf.stop_gradient(next_u), tf.stop_gradient(v)
    sigma = tf.matmul(tf.matmul(v, matrix), next_u, transpose_b=True)
    with tf.control_dependencies([u.assign(next_u)]):
        return tf.reshape(matrix / sigma, w.shape)


def critic(x):
    with tf.variable_scope("critic", reuse=tf.AUTO_REUSE):
        w1 = tf.get_variable("w1", [3, 3, 1, 4], initializer=tf.random_normal_initializer(stddev=0.3, seed=1))
        h = tf.nn.leaky_relu(tf.nn.conv2d(x, w1, [1, 2, 2, 1], "SAME"), 0.1)
        h = tf.layers.flatten(h)
        h = tf.layers.dense(h, 6, tf.nn.softplus, kernel_initializer=tf.glorot_uniform_initializer(seed=2), name="h")
        w2 = tf.get_variable("w2", [6, 1], initializer=tf.random_normal_initializer(stddev=0.3, seed=3))
        return tf.matmul(tf.nn.tanh(h), w2)


def wasserstein():
    real = tf.placeholder(tf.float32, [None, 6, 6, 1], name="real")
    noise = tf.random_normal([tf.shape(real)[0], 4], seed=11)
    with tf.variable_scope("generator"):
        fake = tf.reshape(tf.layers.dense(noise, 36, tf.sigmoid, kernel_initializer=tf.glorot_uniform_initializer(seed=4)), [-1, 6, 6, 1])
    epsilon = tf.random_uniform([tf.shape(real)[0], 1, 1, 1], seed=12)
    between = epsilon * real + (1 - epsilon) * fake
    slopes = tf.sqrt(tf.reduce_sum(tf.square(tf.gradients(critic(between), [between])[0]), axis=[1, 2, 3]) + 1e-8)
    penalty = tf.reduce_mean((slopes - 1.0) ** 2)
    d_loss = tf.identity(tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(real)) + 10 * penalty, "d_loss")
    g_loss = tf.negative(tf.reduce_mean(critic(fake)), "g_loss")
    variables = lambda scope: tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope)
    tf.train.AdamOptimizer(1e-2, 0.0, 0.9, epsilon=1e-3).minimize(d_loss, var_list=variables("critic"), name="d_train")
    tf.train.RMSPropOptimizer(1e-2, epsilon=1e-3).minimize(g_loss, var_list=variables("generator"), name="g_train")
    clip = [v.assign(tf.clip_by_value(v, -0.5, 0.5)) for v in variables("critic")]
    tf.group(*clip, name="clip")
    with tf.variable_scope("spectral"):
        w = tf.get_variable("w", [3, 3, 2, 4], initializer=tf.random_normal_initializer(seed=8))
        normalized = tf.reduce_sum(spectral_norm(w, "sn") ** 3)
    tf.identity(normalized, "normalized")
    tf.identity(tf.gradients(normalized, w)[0], "slope")


def maml():
    inputs = tf.placeholder(tf.float32, [None, 5, 1], name="task_x")
    targets = tf.placeholder(tf.float32, [None, 5, 1], name="task_y")
    weights = {}
    with tf.variable_scope("maml"):
        for i, shape in enumerate([[1, 8], [8, 8], [8, 1]]):
            weights["w%d" % i] = tf.get_variable("w%d" % i, shape, initializer=tf.truncated_normal_initializer(stddev=0.5, seed=20 + i))
            weights["b%d" % i] = tf.get_variable("b%d" % i, shape[1:], initializer=tf.zeros_initializer())

    def forward(x, weights):
        for i in range(3):
            x = tf.matmul(x, weights["w%d" % i]) + weights["b%d" % i]
            x = tf.nn.relu(x) if i == 0 else tf.nn.tanh(x) if i == 1 else x
        return x

    def task(pair):
        x, y = pair
        fast, losses = weights, []
        for _ in range(2):
            loss = tf.reduce_mean(tf.square(forward(x[:3], fast) - y[:3]))
            grads = dict(zip(fast, tf.gradients(loss, list(fast.values()))))
            fast = {k: fast[k] - 0.1 * grads[k] for k in fast}
            losses.append(tf.reduce_mean(tf.square(forward(x[3:], fast) - y[3:])))
        return tf.stack(losses)

    losses = tf.stack([task((inputs[k], targets[k])) for k in range(2)])
    meta = tf.reduce_mean(losses[:, -1], name="meta_loss")
    optimizer = tf.train.GradientDescentOptimizer(0.05)
    pairs = optimizer.compute_gradients(meta, list(weights.values()))
    pairs = [(tf.clip_by_value(g, -10, 10), v) for g, v in pairs]
    optimizer.apply_gradients(pairs, name="meta_train")


def trust_region():
    state = tf.placeholder(tf.float32, [None, 3], name="state")
    advantage = tf.placeholder(tf.float32, [None], name="advantage")
    with tf.variable_scope("policy"):
        w = tf.get_variable("w", [3, 4], initializer=tf.random_normal_initializer(stddev=0.4, seed=30))
        b = tf.get_variable("b", [4], initializer=tf.constant_initializer(0.1))
    log_p = tf.nn.log_softmax(tf.nn.xw_plus_b(state, w, b))
    action = tf.squeeze(tf.multinomial(log_p, 1, seed=31), 1, name="sampled")
    action = tf.stop_gradient(action)
    chosen = tf.reduce_sum(tf.one_hot(action, 4) * log_p, 1)
    fixed = tf.stop_gradient(log_p)
    gain = tf.reduce_mean(tf.exp(chosen - tf.stop_gradient(chosen)) * advantage)
    divergence = tf.reduce_mean(tf.reduce_sum(tf.exp(fixed) * (fixed - log_p), 1))
    variables = [w, b]
    flat = lambda tensors: tf.concat([tf.reshape(t, [-1]) for t in tensors], 0)
    g = flat(tf.gradients(gain, variables))
    first = flat(tf.gradients(divergence, variables))

    def product(v):
        return flat(tf.gradients(tf.reduce_sum(first * tf.stop_gradient(v)), variables)) + 0.1 * v

    x, r = tf.zeros_like(g), g
    p, rr = r, tf.reduce_sum(r * r)
    for _ in range(4):
        z = product(p)
        alpha = rr / (tf.reduce_sum(p * z) + 1e-8)
        x, r = x + alpha * p, r - alpha * z
        new = tf.reduce_sum(r * r)
        p, rr = r + new / rr * p, new
    size = tf.sqrt(2 * 0.01 / (tf.reduce_sum(x * product(x)) + 1e-8))
    parts = tf.split(size * x, [12, 4])
    tf.group(*[tf.assign_add(v, tf.reshape(part, v.shape)) for v, part in zip(variables, parts)], name="natural_step")
    tf.identity(x, "direction")
    tf.identity(tf.hessians(divergence, [b])[0], "hessian")


def overridden():
    x = tf.placeholder(tf.float32, [None, 2], name="features")
    graph = tf.get_default_graph()
    with tf.variable_scope("domain"):
        h = tf.layers.dense(x, 3, tf.nn.relu, kernel_initializer=tf.ones_initializer())
        with graph.gradient_override_map({"Identity": "Half"}):
            reversed_h = tf.identity(h)
        out = tf.reduce_sum(tf.layers.dense(reversed_h, 1, kernel_initializer=tf.constant_initializer([[1.0], [2.0], [3.0]])))

    @tf.custom_gradient
    def softsquare(y):
        value = tf.square(y)
        return value, lambda d: d * tf.clip_by_value(2 * y, -1, 1)

    total = out + tf.reduce_sum(softsquare(x))
    tf.identity(tf.gradients(total, x)[0], "reversed_gradient")


def build():
    tf.set_random_seed(34)
    wasserstein()
    maml()
    trust_region()
    overridden()


def run(session, record):
    graph = session.graph
    get, op = graph.get_tensor_by_name, graph.get_operation_by_name
    record.initialize(session)
    random = np.random.RandomState(4)
    for i in range(5):
        feed = {get("real:0"): random.uniform(0, 1, [4, 6, 6, 1]).round(3)}
        record.run(session, [get("d_loss:0"), op("d_train")], feed)
        record.run(session, [get("g_loss:0"), op("g_train")], feed)
        record.run(session, op("clip"))
        x = random.uniform(-2, 2, [2, 5, 1]).round(3)
        feed = {get("task_x:0"): x, get("task_y:0"): np.sin(x + i)}
        record.run(session, [get("meta_loss:0"), op("meta_train")], feed)
        feed = {get("state:0"): random.randn(6, 3).round(3), get("advantage:0"): random.randn(6).round(3)}
        record.run(session, [get("sampled:0"), get("direction:0"), get("hessian:0"), op("natural_step")], feed)
        record.run(session, [get("normalized:0"), get("slope:0")])
    record.run(session, get("reversed_gradient:0"), {get("features:0"): random.randn(3, 2).round(3)})
    record.final(session)
