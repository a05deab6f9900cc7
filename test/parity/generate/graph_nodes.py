"""Nodes that TensorFlow makes for pieces of its Python API: python graph_nodes.py OUT.json

Each function below has a twin of the same name in graph-nodes.test.ts. A line is name, type, inputs|control inputs, and small integer constants.
"""
import json
import os
import sys

os.environ.update(TF_USE_LEGACY_KERAS="1", TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")
import tensorflow.compat.v1 as tf  # noqa: E402

tf.disable_v2_behavior()
tf.disable_resource_variables()


def nodes():
    lines = []
    for op in tf.get_default_graph().get_operations():
        value = ""
        if op.type == "Const":
            array = tf.make_ndarray(op.get_attr("value"))
            value = " ".join(map(str, array.ravel()[:8])) if array.dtype.kind in "iub" else "string" if array.dtype.kind == "O" else str(array.dtype)
        inputs = ",".join(i.name for i in op.inputs) + "|" + ",".join(c.name for c in op.control_inputs)
        lines.append(f"{op.name} {op.type} {inputs} {value}".strip())
    return lines


def layers():
    layers = tf.layers
    x1 = tf.placeholder(tf.float32, [None, 12, 3], name="x1")
    x2 = tf.placeholder(tf.float32, [None, 9, 8, 2], name="x2")
    x3 = tf.placeholder(tf.float32, [2, 5, 6, 7, 2], name="x3")
    c1 = tf.placeholder(tf.float32, [None, 3, 12], name="c1")
    layers.conv1d(x1, 4, 3)
    layers.conv1d(x1, 4, 3, strides=2, padding="same", activation=tf.nn.relu, name="a")
    layers.conv1d(x1, 4, 3, padding="causal", dilation_rate=2)
    layers.conv1d(c1, 4, 3, data_format="channels_first")
    layers.conv1d(x1, 4, 3, dilation_rate=2, use_bias=False)
    layers.conv3d(x3, 4, 2)
    layers.conv3d(x3, 4, [1, 2, 2], strides=(1, 2, 2), padding="same", name="v", kernel_initializer="he_normal")
    layers.conv3d_transpose(x3, 3, 2, strides=2, padding="same")
    layers.conv3d_transpose(x3, 3, (2, 3, 2))
    layers.separable_conv1d(x1, 5, 3, depth_multiplier=2)
    layers.separable_conv1d(x1, 5, 3, padding="causal")
    layers.max_pooling1d(x1, 2, 2)
    layers.average_pooling1d(x1, 3, 1, padding="same")
    layers.max_pooling3d(x3, 2, 2)
    layers.average_pooling3d(x3, (1, 2, 2), 1, "same")
    layers.average_pooling3d(x3, 2, 1, data_format="channels_first")
    layers.conv2d(x2, 3, 3, dilation_rate=2, activation="relu")
    layers.conv2d_transpose(x2, 3, 3, 2)
    dense = layers.Dense(4, activation="tanh", kernel_initializer="zeros")
    dense(x2)
    dense(x2)
    layers.BatchNormalization()(x2, training=True)


def gradients():
    x = tf.placeholder(tf.float32, [3], name="x")
    y = tf.reduce_sum(tf.multiply(tf.pow(x, 3), tf.reverse(x, [0])))
    tf.hessians(y, x)

    @tf.custom_gradient
    def product(a, b):
        return tf.multiply(a, b), lambda d: (tf.multiply(d, 10), tf.multiply(d, 20))

    tf.gradients(product(x, tf.add(x, 1)), x)
    tf.gradients(tf.grad_pass_through(tf.sign)(x), x)


def metrics():
    labels = tf.placeholder(tf.int64, [None, 2], name="labels")
    one = tf.placeholder(tf.int64, [None], name="one")
    predictions = tf.placeholder(tf.float32, [None, 4], name="predictions")
    sparse = tf.sparse_placeholder(tf.int64, [None, None], name="sparse")
    tf.metrics.precision_at_k(labels, predictions, 2)
    tf.metrics.precision_at_k(one, predictions, 2, class_id=1)
    tf.metrics.recall_at_k(labels, predictions, 3, class_id=0)
    tf.metrics.recall_at_k(sparse, predictions, 1, name="mine")
    tf.metrics.average_precision_at_k(labels, predictions, 2)
    tf.metrics.average_precision_at_k(sparse, predictions, 3)


def sparse():
    ids = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], tf.constant([1, 3, 0], tf.int64), [3, 2])
    weights = tf.SparseTensor([[0, 0], [0, 1], [2, 0]], [0.5, 2.0, 1.0], [3, 2])
    table = tf.placeholder(tf.float32, [5, 2], name="table")
    other = tf.placeholder(tf.float32, [4, 2], name="other")
    tf.nn.embedding_lookup_sparse(table, ids, None)
    tf.nn.embedding_lookup_sparse(table, ids, weights, combiner="sqrtn")
    tf.nn.embedding_lookup_sparse([table, other], ids, weights, combiner="mean", partition_strategy="div")
    tf.nn.embedding_lookup_sparse([table, other], ids, None, combiner="sum")
    tf.nn.safe_embedding_lookup_sparse(table, ids, weights, combiner="sum", default_id=2, name="safe")
    tf.sparse.from_dense(table)
    tf.sparse.eye(3)
    tf.sparse.expand_dims(weights, 0)
    tf.sparse.reset_shape(weights)
    tf.sparse.reset_shape(weights, [4, 4])
    tf.sparse.mask(tf.IndexedSlices(table, tf.constant([1, 3, 5, 7, 9])), [3])


def sequences():
    one = tf.placeholder(tf.string, [], name="one")
    context = {"n": tf.FixedLenFeature([], tf.int64, 3), "w": tf.VarLenFeature(tf.float32), "k": tf.FixedLenFeature([2], tf.string)}
    lists = {"ids": tf.FixedLenSequenceFeature([], tf.int64, allow_missing=True), "words": tf.VarLenFeature(tf.string), "p": tf.FixedLenSequenceFeature([2], tf.float32)}
    tf.parse_single_sequence_example(one, context, lists)
    tf.parse_single_sequence_example("abc", context, lists, example_name="who", name="mine")
    tf.io.parse_sequence_example(tf.placeholder(tf.string, [None], name="many"), context, lists)
    tf.io.parse_sequence_example(["a", "b"], None, lists, ["p", "q"], name="batch")
    tf.io.decode_json_example(one)


def matrices():
    a = tf.placeholder(tf.float32, [2, 3, 3], name="a")
    b = tf.placeholder(tf.float32, [3, 2], name="b")
    free = tf.placeholder(tf.float32, None, name="free")
    for matrix in (b[:, :2][:2], a):
        lower_upper, perm = tf.linalg.lu(matrix)
        tf.linalg.lu_reconstruct(lower_upper, perm)
        tf.linalg.lu_matrix_inverse(lower_upper, perm)
    lower_upper, perm = tf.linalg.lu(free)
    tf.linalg.lu_solve(lower_upper, perm, b, validate_args=True, name="solved")
    tf.linalg.lu_reconstruct(lower_upper, perm, validate_args=True)
    tf.linalg.pinv(b)
    tf.linalg.pinv(tf.placeholder(tf.float64, [None, 2]), rcond=0.1, name="inverse")
    tf.linalg.matrix_rank(b)
    tf.linalg.matrix_rank(tf.placeholder(tf.float32, [None, 2]), tol=0.5)
    tf.linalg.matrix_rank(tf.placeholder(tf.float32, [None, 2]), name="order")
    tf.linalg.normalize(b)
    tf.linalg.normalize(b, ord=1, axis=1, name="ones")
    tf.linalg.expm(a)
    tf.linalg.expm(tf.placeholder(tf.float64, [None, None]), name="power")
    tf.linalg.tridiagonal_matmul(a[0], b)
    tf.linalg.tridiagonal_matmul(a[1], b, diagonals_format="matrix")
    tf.linalg.tridiagonal_matmul([a[0][0], a[0][1], a[0][2]], b, diagonals_format="sequence", name="three")
    line = tf.placeholder(tf.float32, [1, 6, 2], name="line")
    taps = tf.placeholder(tf.float32, [3, 2, 2], name="taps")
    tf.nn.conv1d_transpose(line, taps, [1, 12, 2], 2)
    tf.nn.conv1d_transpose(tf.transpose(line, [0, 2, 1]), taps, tf.constant([1, 2, 8]), 1, padding="VALID", data_format="NCW")
    tf.nn.conv_transpose(line, taps, [1, 12, 2], 2, name="any")
    tf.nn.conv_transpose(line[:, None], taps[None], tf.constant([1, 1, 6, 2]), 1)
    tf.assert_rank_in(a, [2, 3])


PROGRAMS = [layers, gradients, metrics, sparse, sequences, matrices]

if __name__ == "__main__":
    recorded = {}
    for program in PROGRAMS:
        with tf.Graph().as_default():
            program()
            recorded[program.__name__] = nodes()
    with open(sys.argv[1], "w") as file:
        json.dump(recorded, file)
