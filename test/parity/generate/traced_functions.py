"""Records functions as nodes, loss scales and small things beside them: `python traced_functions.py OUT.json`. The same programs in tensorloom's API:
../traced-functions.test.ts."""
import sys

from library_programs import parameter, record
from tfenv import np, tf

mixed = tf.mixed_precision
values = [1.0, 2.0]


def called_twice():
    @tf.function
    def scaled(x, factor=2.0):
        return x * factor + 1.0

    return [scaled(tf.constant(values)), scaled(tf.constant([3.0, 4.0])), scaled(tf.constant(values), 3.0)]


def nested_results():
    weight = tf.get_variable("weight", [], initializer=tf.ones_initializer())
    outside = tf.constant(3.0)

    @tf.function
    def both(x):
        return {"a": x * weight, "b": (x + outside,)}

    return both(tf.constant(values))


def gradient_through():
    x = parameter(values, "x")
    factor = parameter(3.0, "factor")

    @tf.function
    def cube(y):
        return y * y * y * factor

    return cube(x)


def by_signature():
    plus = tf.function(lambda x: x + 1.0, input_signature=[tf.TensorSpec([None], tf.float32)])
    return [plus(tf.constant(values)), plus(tf.constant([5.0]))]


def by_wrong_signature():
    plus = tf.function(lambda x: x + 1.0, input_signature=[tf.TensorSpec([2], tf.float32)])
    return plus(tf.constant([5.0, 6.0, 7.0]))


def assigned_in_order():
    counter = tf.get_variable("counter", [], initializer=tf.zeros_initializer(), use_resource=True)

    @tf.function
    def count(by):
        counter.assign_add(by)
        first = counter.read_value()
        counter.assign(first * 10.0)
        return first, counter.read_value()

    return count(tf.constant(2.0))


def wrapped():
    plus = tf.wrap_function(lambda x: x + 1.0, [tf.TensorSpec([None], tf.float32)])
    return plus(tf.constant(values))


def on_arrays():
    x = tf.constant(values)
    result = tf.py_function(lambda a: a * a, [x], tf.float32)
    result.set_shape([2])
    return result


def recomputed():
    x = parameter(values, "x")
    return tf.recompute_grad(lambda y: tf.sin(y) * y)(x)


def trained(loss_scale):
    def program():
        weight = tf.get_variable("weight", [2], initializer=tf.ones_initializer())
        optimizer = mixed.MixedPrecisionLossScaleOptimizer(tf.train.MomentumOptimizer(0.1, 0.9), loss_scale)
        step = optimizer.minimize(tf.reduce_sum(weight * weight))
        with tf.control_dependencies([step]):
            return tf.identity(tf.constant(1))

    return program


fixed_scale = trained(128)
dynamic_scale = trained("dynamic")


def not_finite():
    weight = tf.get_variable("weight", [2], initializer=tf.ones_initializer(), use_resource=True)
    scale = mixed.DynamicLossScale(8.0, 2, 2.0)
    optimizer = mixed.MixedPrecisionLossScaleOptimizer(tf.train.GradientDescentOptimizer(0.1), scale)
    step = optimizer.apply_gradients([(tf.constant([1.0, np.inf]), weight)])
    with tf.control_dependencies([step]):
        return [weight.read_value(), scale()]


def small_scale():
    mixed.FixedLossScale(0.5)


def no_optimizer():
    mixed.MixedPrecisionLossScaleOptimizer(3, 128)


def wrapped_optimizer():
    optimizer = mixed.enable_mixed_precision_graph_rewrite(tf.train.GradientDescentOptimizer(0.5), 4.0)
    weight = tf.get_variable("weight", [2], initializer=tf.ones_initializer())
    return [gradient for gradient, _ in optimizer.compute_gradients(tf.reduce_sum(weight * weight))]


def speech():
    logits = np.random.RandomState(3).randn(4, 2, 3).astype(np.float32)
    return parameter(logits, "logits"), tf.constant([4, 4])


def dense_labels():
    logits, times = speech()
    return tf.nn.ctc_loss_v2(tf.constant([[1, 2], [2, 1]]), logits, tf.constant([2, 1]), times)


def dense_labels_by_batch():
    logits, times = speech()
    by_batch = tf.transpose(logits, [1, 0, 2])
    return tf.nn.ctc_loss_v2(tf.constant([[0, 2], [2, 0]]), by_batch, tf.constant([2, 2]), times, logits_time_major=False, blank_index=1)


def sparse_labels():
    logits, times = speech()
    labels = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], tf.constant([0, 1, 1]), [2, 2])
    return [tf.nn.ctc_loss_v2(labels, logits, None, times, blank_index=-1)]


def sparse_labels_without_blank():
    logits, times = speech()
    return tf.nn.ctc_loss_v2(tf.SparseTensor([[0, 0]], tf.constant([0]), [2, 2]), logits, None, times)


def tridiagonal():
    alpha, beta = tf.constant([1.0, -2.0, 3.0, 0.5]), tf.constant([0.5, 0.25, -1.0])
    whole = tf.linalg.eigh_tridiagonal(alpha, beta)
    some = tf.linalg.eigh_tridiagonal(alpha, beta, select="i", select_range=(1, 2))
    return [whole, some, tf.linalg.eigh_tridiagonal(alpha, beta, select="v", select_range=(-1.0, 2.0))]


def tridiagonal_types():
    return tf.linalg.eigh_tridiagonal(tf.constant([1.0, 2.0]), tf.constant([1.0], tf.float64))


def counted():
    numbers = tf.constant([[1, 2, 2], [0, 0, 5]], tf.int64)
    return [tf.sparse.bincount(numbers, axis=-1), tf.sparse.bincount(numbers), tf.sparse.bincount(numbers, binary_output=True, maxlength=5)]


def counted_by_weight():
    numbers = tf.constant([1, 2, 2, 1])
    return tf.sparse.bincount(numbers, axis=0, weights=tf.constant([1.0, 2.0, 3.0, 4.0]), minlength=5)


def counted_sparse():
    sparse = tf.SparseTensor([[0, 1], [1, 0], [1, 2]], tf.constant([1, 2, 2]), [2, 3])
    return [tf.sparse.bincount(sparse, axis=-1), tf.sparse.bincount(sparse, weights=sparse.with_values([0.5, 1.0, 1.5]), axis=-1)]


def counted_along_others():
    return tf.sparse.bincount(tf.constant([[1, 2]]), axis=1)


def other_values():
    sparse = tf.SparseTensor([[0, 1]], [1.0], [2, 3])
    return [sparse.with_values([2.0]), tf.SparseTensor.from_value(tf.SparseTensorValue([[0, 1]], [1.0], [2, 3]))]


def other_values_too_many():
    return tf.SparseTensor([[0, 1]], [1.0], [2, 3]).with_values([2.0, 3.0])


if __name__ == "__main__":
    programs = {name: value for name, value in list(globals().items()) if callable(value) and getattr(value, "__module__", "") == "__main__"}
    del programs["trained"], programs["speech"]
    record(programs, sys.argv[1])
