"""VAE with tf.distributions, importance weights (IWAE), RealNVP with masks and data-dependent init, annealing, samples by op and graph seeds."""
from recording import *
tfd = tf.distributions
tf.set_random_seed(42)
latent, K = 3, 4
def make_encoder(data, code_size):
    x = tf.layers.flatten(data)
    x = tf.layers.dense(x, 16, tf.nn.relu)
    x = tf.layers.dense(x, 12, tf.nn.elu)
    loc = tf.layers.dense(x, code_size)
    scale = tf.layers.dense(x, code_size, tf.nn.softplus)
    return tfd.Normal(loc, scale + 1e-3)
def make_prior(code_size):
    return tfd.Normal(tf.zeros(code_size), tf.ones(code_size))
def make_decoder(code, data_shape):
    x = tf.layers.dense(code, 12, tf.nn.relu)
    logit = tf.layers.dense(x, np.prod(data_shape))
    logit = tf.reshape(logit, [-1] + data_shape)
    return tfd.Bernoulli(logit)
make_encoder = tf.make_template('encoder', make_encoder)
make_decoder = tf.make_template('decoder', make_decoder)
data = tf.placeholder(tf.float32, [None, 5, 5])
binary = tf.to_float(tf.greater(data, tf.random_uniform(tf.shape(data), seed=9)))
prior = make_prior(code_size=latent)
posterior = make_encoder(binary, code_size=latent)
code = posterior.sample(seed=3)
likelihood = make_decoder(code, [5, 5])
log_prob = tf.reduce_sum(likelihood.log_prob(binary), [1, 2])
divergence = tf.reduce_sum(tfd.kl_divergence(posterior, prior), -1)
step = tf.train.get_or_create_global_step()
anneal = tf.minimum(1.0, tf.cast(step + 1, tf.float32) / 4)
elbo = tf.reduce_mean(log_prob - anneal * divergence)
codes = posterior.sample(K)
flat = tf.reshape(codes, [-1, latent])
repeated = tf.tile(tf.expand_dims(binary, 0), [K, 1, 1, 1])
lp = tf.reshape(tf.reduce_sum(make_decoder(flat, [5, 5]).log_prob(tf.reshape(repeated, [-1, 5, 5])), [1, 2]), [K, -1])
log_w = lp + tf.reduce_sum(prior.log_prob(codes) - posterior.log_prob(codes), -1)
iwae = tf.reduce_mean(tf.reduce_logsumexp(log_w, axis=0) - tf.log(tf.cast(K, tf.float32)))
w_tilde = tf.stop_gradient(tf.nn.softmax(log_w, axis=0))
optimize = tf.train.AdamOptimizer(0.01).minimize(-elbo - 0.5 * tf.reduce_mean(tf.reduce_sum(w_tilde * log_w, 0)), global_step=step)
samples = make_decoder(prior.sample(3, seed=5), [5, 5]).mean()
def coupling(x, mask, scope, reuse=None):
    with tf.variable_scope(scope, reuse=reuse):
        masked = x * mask
        h = tf.layers.dense(masked, 8, activation=tf.tanh, name="h", kernel_initializer=tf.orthogonal_initializer(seed=2))
        s = tf.layers.dense(h, 4, activation=tf.tanh, name="s", kernel_initializer=tf.zeros_initializer())
        t = tf.layers.dense(h, 4, name="t", kernel_initializer=tf.random_uniform_initializer(-0.1, 0.1, seed=4))
        s = s * tf.get_variable("rescale", [4], initializer=tf.ones_initializer()) * (1. - mask)
        t = t * (1. - mask)
        return s, t
def forward(x, reuse=None):
    log_det = tf.zeros([tf.shape(x)[0]])
    for i in range(3):
        mask = tf.constant([1., 0., 1., 0.]) if i % 2 == 0 else 1. - tf.constant([1., 0., 1., 0.])
        with tf.variable_scope("actnorm%d" % i, reuse=reuse):
            mean, var = tf.nn.moments(tf.Variable(rnd(i, 10, 4), trainable=False).initialized_value(), [0]) if reuse is None else (None, None)
            b = tf.get_variable("b", initializer=-mean) if reuse is None else tf.get_variable("b", [4])
            logs = tf.get_variable("logs", initializer=-0.1 * tf.log(var + 1e-6)) if reuse is None else tf.get_variable("logs", [4])
        x = (x + b) * tf.exp(logs)
        log_det += tf.reduce_sum(logs)
        s, t = coupling(x, mask, "coupling%d" % i, reuse)
        x = x * tf.exp(s) + t
        log_det += tf.reduce_sum(s, axis=-1)
        x = tf.reverse(x, axis=[-1])
    return x, log_det
def backward(z):
    for i in reversed(range(3)):
        z = tf.reverse(z, axis=[-1])
        mask = tf.constant([1., 0., 1., 0.]) if i % 2 == 0 else 1. - tf.constant([1., 0., 1., 0.])
        s, t = coupling(z, mask, "coupling%d" % i, True)
        z = (z - t) * tf.exp(-s)
        with tf.variable_scope("actnorm%d" % i, reuse=True):
            z = z * tf.exp(-tf.get_variable("logs", [4])) - tf.get_variable("b", [4])
    return z
x = tf.placeholder(tf.float32, [None, 4])
with tf.variable_scope("flow"):
    zz, log_det = forward(x)
with tf.variable_scope("flow"):
    back = backward(tf.random_normal([5, 4], seed=11))
    again, _ = forward(back, reuse=True)
base = tfd.Normal(loc=0., scale=1.)
nll = -tf.reduce_mean(tf.reduce_sum(base.log_prob(zz), 1) + log_det)
flow_vars = tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope="flow")
train = tf.train.AdamOptimizer(0.02).minimize(nll, var_list=flow_vars)
mixture = tfd.Categorical(logits=tf.log([0.2, 0.5, 0.3]))
draws = [mixture.sample(4, seed=1), tf.multinomial(tf.log([[0.1, 0.9]]), 5, seed=7), tfd.Gamma(2., 3.).mean(), tfd.Beta(2., 3.).log_prob(0.3), mixture.entropy(),
         tfd.Laplace(0., 1.).sample(3, seed=8), tfd.Exponential(2.).sample(2, seed=6), tfd.StudentT(4., 0., 1.).log_prob(1.), tfd.Dirichlet([1., 2.]).log_prob([0.4, 0.6]),
         tf.random_shuffle(tf.range(6), seed=13), tf.truncated_normal([3], seed=14), tfd.Uniform(1., 3.).cdf(1.5)]
show("vars", [v.op.name for v in tf.trainable_variables()])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for i in range(5):
        _, e, w, kl = sess.run([optimize, elbo, iwae, divergence], {data: rnd(i, 6, 5, 5)})
        show("elbo", [e, w]); show("kl", kl)
        _, n = sess.run([train, nll], {x: rnd(i + 30, 9, 4) * 2 - 1})
        show("nll", n)
    show("samples", sess.run(samples))
    show("flow", sess.run([back, again]))
    for d in sess.run(draws):
        show("draw", d)
