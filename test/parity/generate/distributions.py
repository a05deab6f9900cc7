"""Records tf.distributions: `python distributions.py OUT.json`. The same programs in tensorloom's API: ../distributions.test.ts."""
import sys

from library_programs import parameter, record
from tfenv import np, tf

d = tf.distributions


def statistics(dist, *names):
    return [getattr(dist, name)() for name in names]


def densities(dist, x, *names):
    return [getattr(dist, name)(x) for name in names]


def shapes(dist):
    return [dist.batch_shape_tensor(), dist.event_shape_tensor(), dist.is_scalar_batch(), dist.is_scalar_event()]


def normal():
    n = d.Normal(parameter([0.5, -1.0], "mu"), parameter([[1.0], [2.5]], "sigma"))
    x = [[0.1, 0.2], [-3.0, 30.0]]
    return [n.sample([3], seed=4), n.sample(seed=5), n.sample([2, 2], seed=6)] + densities(n, x, "prob", "log_prob", "cdf", "log_cdf", "survival_function", "log_survival_function") + statistics(n, "entropy", "mean", "mode", "stddev", "variance") + [n.quantile([[0.1, 0.5], [0.9, 0.999]]), n.kl_divergence(d.Normal(0.0, 1.0)), n.cross_entropy(d.Normal(0.0, 2.0, name="other"))] + shapes(n)


def normal_open():
    mu = tf.placeholder(tf.float32, [None], name="mu")
    sigma = tf.placeholder(tf.float32, None, name="sigma")
    count = tf.placeholder(tf.int32, [None], name="count")
    n = d.Normal(mu, sigma, validate_args=True)
    one = tf.placeholder(tf.int32, None, name="one")
    return [n.sample(count, seed=1), n.sample(one, seed=2), n.log_prob(0.5)] + shapes(n), {mu: [1.0, 2.0], sigma: [[0.5], [0.25]], count: [2, 1], one: 3}


def normal_double():
    n = d.Normal(tf.constant([0.0, 1.0], tf.float64), tf.constant(2.0, tf.float64), name="wide")
    x = np.array([-45.0, 9.5])
    return [n.sample(2, seed=3)] + densities(n, x, "log_cdf", "cdf", "prob") + [n.quantile(np.array([1e-12, 0.3]))]


def normal_refused():
    d.Normal(0.0, 1)


def normal_checked():
    scale = tf.placeholder(tf.float32, [], name="scale")
    n = d.Normal(0.0, scale, validate_args=True)
    return n.mean(), {scale: -1.0}


def laplace():
    dist = d.Laplace(parameter([0.5, -1.0, 2.0], "mu"), parameter(2.0, "b"), validate_args=True)
    x = [0.1, -1.0, 5.0]
    return [dist.sample([4], seed=4)] + densities(dist, x, "prob", "log_prob", "cdf", "log_cdf", "survival_function", "log_survival_function") + statistics(dist, "entropy", "mean", "mode", "stddev", "variance") + shapes(dist)


def student_t():
    dist = d.StudentT(parameter([0.5, 1.5, 4.0], "df"), parameter(1.0, "mu"), parameter([2.0, 3.0, 0.5], "s"))
    return [dist.sample([2], seed=9), dist.log_prob([[0.5], [1.0]])] + densities(dist, [0.25, 2.0, 3.0], "prob", "log_prob") + statistics(dist, "entropy", "mode") + shapes(dist)


def student_t_areas():
    dist = d.StudentT(4.0, 1.0, 2.0)
    return densities(dist, 0.25, "cdf", "log_cdf", "survival_function", "log_survival_function")


def student_t_moments():
    dist = d.StudentT([0.5, 1.5, 4.0], 1.0, [[2.0], [3.0]])
    return statistics(dist, "mean", "variance", "stddev")


def student_t_strict():
    return statistics(d.StudentT([3.0, 4.0], 1.0, 2.0, allow_nan_stats=False, validate_args=True), "mean", "variance")


def student_t_undefined():
    return d.StudentT(tf.placeholder_with_default([0.5], [1]), 1.0, 2.0, allow_nan_stats=False).mean()


def uniform():
    dist = d.Uniform(parameter([0.0, 1.0], "low"), parameter(3.0, "high"))
    x = [0.5, 3.0]
    return [dist.sample([3], seed=2), dist.range()] + densities(dist, x, "prob", "log_prob", "cdf", "log_cdf", "survival_function") + statistics(dist, "entropy", "mean", "stddev", "variance") + shapes(dist) + [d.Uniform().sample(2, seed=1)]


def uniform_checked():
    low = tf.placeholder_with_default([2.0], [1])
    return d.Uniform(low, 1.0, validate_args=True).mean()


def gamma():
    dist = d.Gamma(parameter([0.5, 3.0], "alpha"), parameter([[2.0], [1.0], [0.5]], "beta"))
    return [dist.sample([4], seed=7)] + densities(dist, 0.75, "prob", "log_prob", "cdf", "log_cdf", "survival_function") + statistics(dist, "entropy", "mean", "stddev", "variance") + [dist.kl_divergence(d.Gamma(1.0, 2.0))] + shapes(dist)


def gamma_modes():
    strict = d.Gamma([2.0, 3.0], 1.5, validate_args=True, allow_nan_stats=False)
    return [d.Gamma([0.5, 3.0], 2.0).mode(), strict.mode(), strict.log_prob([1.0, 2.0])]


def exponential():
    dist = d.Exponential(parameter([0.5, 3.0], "rate"))
    return [dist.sample([4], seed=7)] + densities(dist, 0.75, "prob", "log_prob", "cdf", "log_survival_function") + statistics(dist, "entropy", "mean", "stddev", "variance") + shapes(dist) + [dist.kl_divergence(d.Exponential(1.0)), d.Exponential(2.0, validate_args=True).copy(rate=3.0).mean()]


def beta():
    dist = d.Beta(parameter([0.5, 3.0], "a"), parameter(2.0, "b"))
    return [dist.sample([3], seed=7)] + densities(dist, 0.3, "prob", "log_prob", "cdf", "log_cdf", "survival_function") + statistics(dist, "entropy", "mean", "stddev", "variance") + [dist.kl_divergence(d.Beta(1.5, 2.5))] + shapes(dist)


def beta_modes():
    strict = d.Beta([2.0, 3.0], 1.5, validate_args=True, allow_nan_stats=False)
    return [d.Beta([0.5, 3.0], 2.0).mode(), strict.mode(), strict.log_prob([0.5, 0.25])]


def beta_refused():
    return d.Beta(2.0, 3.0, validate_args=True).prob(tf.placeholder_with_default(1.5, []))


def dirichlet():
    dist = d.Dirichlet(parameter([[1.0, 2.0, 3.0], [0.5, 0.6, 4.0]], "alpha"))
    x = [0.2, 0.3, 0.5]
    return [dist.sample([3], seed=7)] + densities(dist, x, "prob", "log_prob") + statistics(dist, "entropy", "mean", "stddev", "variance", "covariance") + [dist.kl_divergence(d.Dirichlet([1.0, 1.0, 2.0]))] + shapes(dist)


def dirichlet_modes():
    strict = d.Dirichlet([[2.0, 3.0]], validate_args=True, allow_nan_stats=False)
    return [d.Dirichlet([[0.5, 3.0], [2.0, 3.0]]).mode(), strict.mode(), strict.log_prob([0.5, 0.5])]


def dirichlet_open():
    alpha = tf.placeholder(tf.float32, None, name="alpha")
    dist = d.Dirichlet(alpha, validate_args=True)
    return [dist.sample([2], seed=3), dist.mean(), dist.entropy()] + shapes(dist), {alpha: [[1.0, 2.0, 3.0]]}


def bernoulli():
    dist = d.Bernoulli(parameter([0.3, -1.2], "logits"))
    other = d.Bernoulli(probs=parameter([[0.5], [0.9]], "p"), dtype=tf.float32)
    return [dist.sample([5], seed=3), dist.probs, other.sample(seed=4), other.logits, dist.log_prob([0, 1]), dist.prob(1), other.log_prob([[1.0, 0.0]]), other.prob([1, 0])] + statistics(dist, "entropy", "mean", "stddev", "variance", "mode") + statistics(other, "entropy", "mode") + [dist.kl_divergence(other), dist.cross_entropy(other)] + shapes(dist)


def bernoulli_checked():
    dist = d.Bernoulli(probs=[0.25, 0.5], validate_args=True)
    return [dist.log_prob([0, 1]), dist.log_prob(tf.constant([1.0, 0.0])), dist.sample(3, seed=1)]


def bernoulli_both():
    d.Bernoulli(logits=1.0, probs=0.5)


def bernoulli_integers():
    d.Bernoulli(logits=1)


def bernoulli_fraction():
    return d.Bernoulli(probs=[0.25], validate_args=True).log_prob(tf.placeholder_with_default([0.5], [1]))


def categorical():
    dist = d.Categorical(parameter([[0.3, -1.2, 2.0], [0.0, 0.1, 0.2]], "logits"))
    other = d.Categorical(probs=parameter([0.2, 0.3, 0.5], "p"))
    return [dist.sample([5], seed=3), dist.probs, other.sample(4, seed=4), other.logits, dist.log_prob([0, 2]), dist.prob(1), other.log_prob([1, 0]), dist.log_prob([[0, 1], [2, 2], [1, 0]]), dist.cdf([1, 2]), other.cdf(2), dist.entropy(), dist.mode(), other.mode(), dist.event_size, dist.kl_divergence(other)] + shapes(dist)


def categorical_open():
    logits = tf.placeholder(tf.float32, None, name="logits")
    values = tf.placeholder(tf.int32, [None], name="values")
    dist = d.Categorical(logits, dtype=tf.int64, validate_args=True)
    return [dist.sample([2], seed=3), dist.log_prob(values), dist.entropy(), dist.event_size, dist.mode()] + shapes(dist), {logits: [[1.0, 2.0, 3.0], [0.5, 0.5, 1.0]], values: [1, 0]}


def categorical_checked():
    dist = d.Categorical(probs=[[0.2, 0.3, 0.5]], validate_args=True)
    return [dist.log_prob([2]), dist.cdf([1])]


def categorical_refused():
    d.Categorical(logits=[[1.0]], validate_args=True)


def multinomial():
    dist = d.Multinomial(4.0, logits=parameter([[0.3, -1.2, 2.0], [0.0, 0.1, 0.2]], "logits"))
    x = [[1.0, 1.0, 2.0], [4.0, 0.0, 0.0]]
    return densities(dist, x, "prob", "log_prob") + statistics(dist, "mean", "variance", "stddev", "covariance") + shapes(dist)


def multinomial_samples():
    dist = d.Multinomial(6.0, probs=[0.1, 0.2, 0.7])
    return [dist.sample([5], seed=8), dist.logits, dist.probs]


def multinomial_checked():
    dist = d.Multinomial(tf.constant(3, tf.float32), probs=[0.25, 0.75], validate_args=True)
    return [dist.log_prob([1.0, 2.0])]


def counts_wrong():
    return d.DirichletMultinomial(3.0, [0.25, 0.75], validate_args=True).log_prob(tf.placeholder_with_default([1.0, 1.0], [2]))


def dirichlet_multinomial():
    dist = d.DirichletMultinomial(parameter([[4.0], [2.0]], "n"), parameter([[1.0, 2.0, 3.0], [0.5, 0.6, 4.0]], "alpha"))
    return statistics(dist, "mean", "stddev", "variance", "covariance") + shapes(dist)


def dirichlet_multinomial_samples():
    dist = d.DirichletMultinomial(5.0, [1.0, 2.0, 3.0], validate_args=True)
    return [dist.sample([4], seed=8)] + densities(dist, [1.0, 1.0, 3.0], "prob", "log_prob")


def strict_divergence():
    return d.kl_divergence(d.Normal([0.0, 1.0], 1.0), d.Normal(1.0, [2.0, 3.0]), allow_nan_stats=False, name="mine")


def unknown_divergence():
    d.kl_divergence(d.Normal(0.0, 1.0), d.Uniform())


def policy():
    state = tf.placeholder(tf.float32, [None, 3], name="state")
    with tf.variable_scope("policy"):
        w = tf.get_variable("w", [3, 2], initializer=tf.constant_initializer([[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]]))
        mean = tf.tanh(tf.matmul(state, w))
        log_std = tf.get_variable("log_std", [2], initializer=tf.zeros_initializer())
    pi = d.Normal(mean, tf.exp(log_std), name="pi")
    action = tf.clip_by_value(pi.sample(seed=12), -2.0, 2.0)
    loss = -tf.reduce_mean(tf.reduce_sum(pi.log_prob(tf.stop_gradient(action)), 1) * 1.5) - tf.reduce_mean(pi.entropy())
    return [action, loss], {state: [[1.0, 0.5, -0.5], [0.0, 1.0, 2.0]]}


record({name: value for name, value in globals().items() if callable(value) and getattr(value, "__module__", "") == "__main__" and name not in ("statistics", "densities", "shapes")}, sys.argv[1])
