"""Records tf.feature_column: `python feature_columns.py OUT.json`. The same programs in tensorloom's API: ../feature-columns.test.ts."""
import sys

from library_programs import record
from tfenv import np, tf

c = tf.feature_column
init = tf.ones_initializer()


def counting(shape, dtype=None, partition_info=None):
    size = int(np.prod([int(d) for d in shape]))
    return tf.constant(np.arange(size, dtype=np.float32).reshape([int(d) for d in shape]) / 10)


def words():
    return tf.constant([["a", "b"], ["", "c"], ["b", "zz"]], name="words")


def sparse_words():
    return tf.SparseTensor([[0, 0], [1, 0], [1, 1]], tf.constant(["a", "c", "q"]), [3, 2])


def numeric():
    features = {"price": tf.constant([1.0, 2.0, 3.0]), "size": tf.constant([[1, 2], [3, 4], [5, 6]])}
    columns = [c.numeric_column("size", shape=[2], dtype=tf.int32), c.numeric_column("price", normalizer_fn=lambda x: x / 2.0)]
    outputs = {}
    layer = c.input_layer(features, columns, cols_to_output_tensors=outputs)
    return [layer, outputs[columns[1]]]


def bucketized():
    price = c.numeric_column("price", shape=(2,))
    features = {"price": tf.constant([[1.0, 12.0], [-3.0, 7.5]])}
    column = c.bucketized_column(price, [0.0, 5.0, 10.0])
    return [c.input_layer(features, [column]), c.linear_model(features, [column, price])]


def open_batch():
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    return c.input_layer({"x": x}, c.numeric_column("x", shape=3)), {x: [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}


def open_rank():
    x = tf.placeholder(tf.float32, None, name="x")
    return c.linear_model({"x": x}, [c.numeric_column("x")]), {x: [1.0, 2.0]}


def embedding():
    ids = c.categorical_column_with_identity("ids", 4)
    features = {"ids": tf.constant([[0, 3], [1, -1]], tf.int64)}
    column = c.embedding_column(ids, 3, initializer=counting)
    variables = {}
    layer = c.input_layer(features, [column], cols_to_vars=variables)
    return [layer, variables[column]]


def embedding_normal():
    column = c.embedding_column(c.categorical_column_with_hash_bucket("words", 7), 2, combiner="sqrtn", max_norm=0.5)
    return c.input_layer({"words": sparse_words()}, [column])


def embedding_plain():
    ids = c.categorical_column_with_identity("ids", 4)
    column = c.embedding_column(ids, 2, combiner="sum", initializer=counting, trainable=False, use_safe_embedding_lookup=False)
    features = {"ids": tf.SparseTensor([[0, 0], [1, 1]], tf.constant([2, 1], tf.int64), [2, 2])}
    return c.input_layer(features, [column])


def indicator():
    column = c.indicator_column(c.categorical_column_with_vocabulary_list("words", ["a", "b", "c"]))
    return c.input_layer({"words": words()}, [column])


def vocabulary_defaults():
    columns = [
        c.indicator_column(c.categorical_column_with_vocabulary_list("words", ["a", "b"], num_oov_buckets=2)),
        c.indicator_column(c.categorical_column_with_vocabulary_list("numbers", [7, 5, 3], default_value=0)),
    ]
    features = {"words": sparse_words(), "numbers": tf.constant([[7], [3], [9]], tf.int32)}
    return c.input_layer(features, columns)


def weighted():
    words_column = c.categorical_column_with_vocabulary_list("words", ["a", "b", "c"])
    column = c.weighted_categorical_column(words_column, "weights")
    weights = tf.SparseTensor([[0, 0], [1, 0], [1, 1]], tf.constant([0.5, 2.0, 3.0]), [3, 2])
    ids = tf.SparseTensor([[0, 0], [1, 0], [1, 1]], tf.constant(["a", "c", "b"]), [3, 2])
    features = {"words": ids, "weights": weights}
    return [c.input_layer(features, [c.indicator_column(column)]), c.linear_model(features, [column], sparse_combiner="mean", units=2)]


def weighted_dense():
    column = c.weighted_categorical_column(c.categorical_column_with_identity("ids", 5, default_value=4), "weights")
    features = {"ids": tf.constant([[0, 7], [2, 3]]), "weights": tf.constant([[0.5, 1.5], [2.0, 4.0]])}
    return c.input_layer(features, c.embedding_column(column, 2, initializer=counting))


def crossed():
    price = c.bucketized_column(c.numeric_column("price"), [0.0, 10.0])
    cross = c.crossed_column(["words", price], 11)
    nested = c.crossed_column([cross, "more"], 13, hash_key=5)
    given = tf.placeholder(tf.float32, [3, 1], name="given")
    features = {"price": given, "words": sparse_words(), "more": tf.constant([["x"], ["y"], ["z"]])}
    return [c.input_layer(features, [c.indicator_column(cross)]), c.linear_model(features, [nested, price])], {given: [[1.0], [-5.0], [20.0]]}


def shared():
    first = c.categorical_column_with_identity("first", 4)
    second = c.categorical_column_with_identity("second", 4)
    columns = c.shared_embedding_columns([second, first], 2, initializer=counting)
    features = {"first": tf.constant([[0], [1]]), "second": tf.constant([[2], [3]])}
    return c.input_layer(features, columns)


def wide():
    features = {"price": tf.constant([[1.0], [2.0], [4.0]]), "words": sparse_words()}
    columns = [c.numeric_column("price"), c.categorical_column_with_hash_bucket("words", 5)]
    variables = {}
    model = c.linear_model(features, columns, units=2, cols_to_vars=variables)
    again = c.linear_model(features, columns, trainable=False)
    return [model, again, variables["bias"]]


def twice():
    features = {"price": tf.constant([[1.0], [2.0], [4.0]])}
    columns = [c.numeric_column("price")]
    with tf.variable_scope("deep"):
        return [c.input_layer(features, columns), c.input_layer(features, columns)]


def missing():
    c.input_layer({"a": tf.constant([1.0])}, [c.numeric_column("b")])


def categorical_input():
    c.input_layer({"a": tf.constant([1])}, [c.categorical_column_with_identity("a", 3)])


def doubled():
    c.input_layer({"a": tf.constant([1.0])}, [c.numeric_column("a"), c.numeric_column("a")])


def scalar():
    c.input_layer({"a": tf.constant(1.0)}, [c.numeric_column("a")])


def batches():
    c.input_layer({"a": tf.constant([1.0]), "b": tf.constant([1.0, 2.0])}, [c.numeric_column("a"), c.numeric_column("b")])


def bad_boundaries():
    c.bucketized_column(c.numeric_column("a"), [1.0, 1.0])


def bad_identity():
    c.categorical_column_with_identity("a", 3, default_value=5)


def bad_vocabulary():
    c.categorical_column_with_vocabulary_list("a", ["x", "x"])


def bad_dimension():
    c.embedding_column(c.categorical_column_with_identity("a", 3), 0)


def bad_cross():
    c.crossed_column(["a"], 3)


record({name: value for name, value in globals().items() if callable(value) and getattr(value, "__module__", "") == "__main__" and name not in ("counting", "words", "sparse_words")}, sys.argv[1])
