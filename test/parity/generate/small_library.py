"""Records small functions of the library: `python small_library.py OUT.json`. The same programs in tensorloom's API: ../small-library.test.ts."""
import sys

from library_programs import parameter, record
from tfenv import np, tf

la = tf.linalg
A = [[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 5.0]]


def gradient_method():
    op = la.LinearOperatorFullMatrix(parameter(A, "a"), is_self_adjoint=True, is_positive_definite=True)
    return list(la.experimental.conjugate_gradient(op, parameter([1.0, 2.0, 3.0], "b"), tol=1e-6, max_iter=2))


def gradient_method_conditioned():
    op = la.LinearOperatorFullMatrix(tf.constant(A), is_self_adjoint=True, is_positive_definite=True)
    d = la.LinearOperatorDiag([0.25, 0.3, 0.2])
    rhs = tf.constant([[1.0, 2.0, 3.0], [0.0, 1.0, 0.0]])
    return list(la.experimental.conjugate_gradient(op, rhs, preconditioner=d, x=tf.ones([2, 3]), name="mine"))


def gradient_method_refused():
    return la.experimental.conjugate_gradient(la.LinearOperatorFullMatrix(A), [1.0])


def shapes_known():
    x = tf.zeros([2, 3], name="x")
    y = tf.zeros([3, 4], name="y")
    with tf.control_dependencies([tf.debugging.assert_shapes([(x, ("N", "Q")), (y, ("Q", 4)), (tf.constant(1.0), ())])]):
        return tf.identity(x)


def shapes_open():
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    y = tf.placeholder(tf.float32, [None, None], name="y")
    z = tf.placeholder(tf.float32, None, name="z")
    checks = tf.debugging.assert_shapes([(x, ("N", "D")), (y, ("N", 3)), (z, (..., "N")), (y, ("*", None, 3))], message="mine")
    with tf.control_dependencies([checks]):
        return tf.identity(x), {x: np.ones([4, 2]), y: np.ones([4, 3]), z: np.ones([2, 4])}


def shapes_differ():
    x = tf.placeholder(tf.float32, [None], name="x")
    with tf.control_dependencies([tf.debugging.assert_shapes([(x, ("N",)), (tf.ones([3]), ("N",))], message="mine")]):
        return tf.identity(x), {x: [1.0]}


def shapes_unknown_rank():
    x = tf.placeholder(tf.float32, None, name="x")
    with tf.control_dependencies([tf.debugging.assert_shapes([(x, "AB"), (x, ("A", 2))])]):
        return tf.identity(x), {x: [[1.0, 2.0]]}


def refused(*pairs, **more):
    return lambda: tf.debugging.assert_shapes([(tf.zeros(shape), symbols) for shape, symbols in pairs], **more)


def dropouts():
    x = parameter([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "x")
    rate = tf.placeholder_with_default(0.25, [])
    return [tf.nn.experimental.stateless_dropout(x, 0.5, [1, 2]), tf.nn.experimental.stateless_dropout(x, rate, [3, 4], noise_shape=[2, 1]), tf.nn.experimental.general_dropout(x, 0.25, lambda shape, dtype: tf.fill(shape, tf.constant(0.3, dtype)), name="mine"), tf.nn.experimental.stateless_dropout(x, 0.0, [1, 2])]


def dropout_rate():
    return tf.nn.experimental.stateless_dropout([1.0], 1.5, [1, 2])


def unique_labels():
    return list(tf.nn.ctc_unique_labels(tf.constant([[1, 2, 1, 5], [3, 3, 0, 3]])))


def normalized(training, **options):
    x = parameter([[1.0, 2.0, 3.0], [2.0, 0.0, 5.0], [4.0, 1.0, -1.0], [0.5, 3.0, 2.0]], "x")
    made = tf.layers.batch_normalization(x, training=training, momentum=0.9, gamma_initializer=tf.constant_initializer([1.0, 2.0, 0.5]), **options)
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    return [made] + [tf.stop_gradient(update.outputs[0]) for update in updates]


def normalized_toward_averages():
    return normalized(True, renorm=True, renorm_momentum=0.8, moving_mean_initializer=tf.constant_initializer([0.5, 1.0, 1.5]), moving_variance_initializer=tf.constant_initializer([4.0, 1.0, 2.0]))


def normalized_toward_averages_within_bounds():
    return normalized(True, renorm=True, renorm_clipping={"rmin": 0.9, "rmax": 1.1, "dmax": 0.2}, name="bounded", center=False)


def normalized_toward_averages_in_use():
    training = tf.placeholder(tf.bool, [], name="training")
    return normalized(training, renorm=True), {training: False}


def normalized_toward_averages_while_training():
    training = tf.placeholder(tf.bool, [], name="training")
    return normalized(training, renorm=True, scale=False), {training: True}


def normalized_channels_first():
    x = parameter(np.arange(24.0).reshape(2, 3, 2, 2) ** 1.5, "x")
    return [tf.layers.batch_normalization(x, axis=1, training=True, renorm=True)]


def normalized_in_parts():
    return normalized(True, virtual_batch_size=2)


def normalized_in_parts_in_use():
    return normalized(False, virtual_batch_size=2)


def normalized_adjusted():
    return normalized(True, adjustment=lambda shape: (tf.ones([shape[0], 1]) * 1.5, tf.ones([shape[0], 1]) * 0.25))


def normalized_adjusted_in_use():
    training = tf.placeholder(tf.bool, [], name="training")
    return normalized(training, adjustment=lambda shape: (tf.ones([shape[0], 1]) * 1.5, tf.ones([shape[0], 1]) * 0.25)), {training: False}


def normalized_bounds_refused():
    return normalized(True, renorm=True, renorm_clipping={"min": 1.0})


def normalized_parts_refused():
    return normalized(True, virtual_batch_size=-1)


def normalized_both_refused():
    return normalized(True, virtual_batch_size=2, adjustment=lambda shape: None)


def dilated_dimensions():
    x = parameter(np.arange(96.0).reshape(2, 4, 3, 4) ** 1.5, "x")
    open_x = tf.placeholder_with_default(x, [None, None, None, 4])
    rows = lambda value, dims, padding: tf.nn.avg_pool(value, [1, 2, 1, 1], [1, 1, 1, 1], padding)
    columns = lambda value, dims, padding: tf.nn.avg_pool(value, [1, 1, 2, 1], [1, 1, 1, 1], padding)
    made = [tf.nn.with_space_to_batch(x, [2], "VALID", columns, spatial_dims=[2]), tf.nn.with_space_to_batch(x, [2], "SAME", columns, filter_shape=[2], spatial_dims=[2])]
    made += [tf.nn.with_space_to_batch(open_x, [2], "VALID", columns, spatial_dims=[2]), tf.nn.with_space_to_batch(x, [2], "VALID", rows, spatial_dims=[1])]
    return made + [tf.nn.with_space_to_batch(x, [2, 2], "VALID", lambda value, dims, padding: value * float(dims), spatial_dims=[1, 3])]


def dilated_dimensions_refused():
    return tf.nn.with_space_to_batch(tf.zeros([2, 4, 3, 4]), [2, 2], "VALID", lambda value, dims, padding: value, spatial_dims=[2, 1])


def dilated_dimensions_missing():
    return tf.nn.with_space_to_batch(tf.zeros([2, 4, 3]), [2], "VALID", lambda value, dims, padding: value, spatial_dims=[3])


def sparse_rows():
    return tf.SparseTensor([[0, 0], [1, 2], [2, 1]], tf.constant([1.0, 2.0, 3.0]), [3, 4])


def diagonal(i):
    return tf.sparse.from_dense([i, 0, i])


def mapped_sums():
    return tf.map_fn(tf.sparse.reduce_sum, sparse_rows(), dtype=tf.float32)


def mapped_as_they_are():
    return tf.map_fn(lambda row: row, sparse_rows())


def mapped_into_known():
    return tf.map_fn(diagonal, tf.constant([1, 2, 3]), fn_output_signature=tf.SparseTensorSpec([None], tf.int32))


def mapped_into_unknown():
    return tf.map_fn(diagonal, tf.constant([1, 2, 3]), fn_output_signature=tf.SparseTensorSpec(None, tf.int32))


def mapped_nest():
    return tf.map_fn(lambda pair: (pair[0], pair[1] + 1.0), (sparse_rows(), tf.constant([1.0, 2.0, 3.0])))


def mapped_ragged_and_sparse():
    rows = tf.ragged.constant([[1.0, 2.0], [], [3.0]])
    signature = (tf.RaggedTensorSpec([None], tf.float32), tf.SparseTensorSpec([4], tf.float32))
    return tf.map_fn(lambda pair: (pair[0] * 2.0, pair[1] * 3.0), (rows, sparse_rows()), fn_output_signature=signature)


def mapped_refused():
    return tf.map_fn(lambda i: i, tf.constant([1, 2, 3]), fn_output_signature=tf.SparseTensorSpec(None, tf.int32))


def rows_kept():
    values = parameter([[1.0], [2.0]], "values")
    rows = tf.IndexedSlices(values, tf.constant([0, 3]), tf.constant([5, 1]))
    stopped = tf.stop_gradient(tf.IndexedSlices(values, tf.constant([0, 3])))
    kept = tf.identity(rows, name="kept")
    return [kept.values, kept.indices, kept.dense_shape, stopped.values, stopped.indices]


programs = {f.__name__: f for f in (gradient_method, gradient_method_conditioned, gradient_method_refused, shapes_known, shapes_open, shapes_differ, shapes_unknown_rank, dropouts, dropout_rate, unique_labels)}
programs |= {name: value for name, value in globals().items() if name.startswith(("normalized_", "dilated_", "mapped_", "rows_"))}
programs["refused_size"] = refused(([2], (3,)))
programs["refused_rank"] = refused(([2, 2], ("N",)), message="mine")
programs["refused_number"] = refused(([2], 3))
programs["refused_star"] = refused(([2, 3], ("N", "*")))
programs["refused_name"] = refused(([2], ("N",)), ([3], ("N",)))
if __name__ == "__main__":
    record(programs, sys.argv[1])
