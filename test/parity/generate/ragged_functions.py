"""Records ordinary functions of tf with ragged arguments: `python ragged_functions.py OUT.json`. The same programs in tensorloom's API:
../ragged-functions.test.ts."""
import sys

from library_programs import parameter, record
from tfenv import np, tf

R = tf.RaggedTensor
r = tf.ragged


def rows(name="x"):
    return R.from_row_splits(parameter([3.0, 1, 4, 1, 5, 9, 2, 6], name), [0, 3, 3, 7, 8], validate=False)


def deep():
    return R.from_nested_row_splits(parameter([3.0, 1, 4, 1, 5, 9], "deep"), [[0, 2, 3], [0, 2, 3, 6]], validate=False)


def words():
    return r.constant([["a", "Bc"], [], ["dEf"]])


def elements():
    x, d = rows(), deep()
    return [tf.abs(x), tf.square(x, name="sq"), tf.exp(d), tf.cast(x, tf.int32), tf.zeros_like(d), tf.nn.relu(x), tf.clip_by_value(x, 2.0, 4.0), tf.is_nan(x), tf.sigmoid(x), tf.to_int32(x), tf.round(x)]


def text():
    w = words()
    return [tf.strings.lower(w), tf.strings.length(w), tf.strings.to_hash_bucket_fast(w, 10), tf.strings.join([w, w], "-"), tf.strings.regex_replace(w, "[A-Z]", "_"), tf.as_string(r.constant([[1], [2, 3]])), tf.strings.substr(w, 0, 1)]


def scalars():
    x = rows()
    return [tf.add(x, 1.0), x + 1.0, 2.0 * x, x - tf.constant(1.0), x / 2.0, x ** 2.0, -x, x < 3.0, tf.maximum(x, 2.0), tf.constant(2.0) * x, tf.constant(2.0) - x, tf.greater(x, 2.0), tf.mod(x, 2.0), x // 2.0, tf.logical_and(x > 1.0, x < 5.0)]


def inner():
    x = R.from_row_splits(parameter([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "x"), [0, 1, 3], validate=False)
    return [x + tf.constant([10.0, 20.0]), tf.multiply([1.0, 2.0], x)]


def same_rows():
    x, d = rows(), deep()
    return [x + x, tf.multiply(x, x.with_values(x.values + 1.0)), d * d]


def wide_rows():
    x = rows()
    return [x + tf.constant([[10.0], [20.0], [30.0], [40.0]]), x * rows("y"), x + tf.constant([[100.0]]), tf.constant([5.0]) + x]


def wide_deep():
    d = deep()
    return [d + tf.constant([[[10.0]], [[20.0]]]), d + tf.constant([[[1.0]]]), d * R.from_row_splits(parameter([[1.0], [2.0], [3.0]], "y"), [0, 2, 3], validate=False)]


def wide_open():
    x = rows()
    column = tf.placeholder(tf.float32, [None, None], name="column")
    return [x * column, column + x], {column: [[1.0], [2.0], [3.0], [4.0]]}


def sums():
    x = rows()
    return [tf.reduce_sum(x), tf.reduce_sum(x, 0), tf.reduce_sum(x, 1), tf.reduce_sum(x, axis=-1, keepdims=True), tf.reduce_sum(x, [0, 1]), tf.reduce_max(x, 1), tf.reduce_min(x, 0), tf.reduce_prod(x, 1, name="p"), tf.reduce_sum(x, keepdims=True)]


def means():
    x = R.from_row_splits(parameter([3.0, 1, 4, 1, 5, 9, 2, 6], "x"), [0, 3, 4, 8], validate=False)
    return [tf.reduce_mean(x), tf.reduce_mean(x, 0), tf.reduce_mean(x, 1), tf.math.reduce_variance(x), tf.math.reduce_variance(x, 1), tf.math.reduce_std(x)]


def deep_sums():
    d = deep()
    return [tf.reduce_sum(d, 0), tf.reduce_sum(d, 1), tf.reduce_sum(d, 2), tf.reduce_mean(d, 1), tf.reduce_sum(d, [0, 2]), tf.reduce_max(d, axis=2, keepdims=True)]


def truths():
    b = r.constant([[True, False], [], [True]])
    return [tf.reduce_all(b, 1), tf.reduce_any(b, 1), tf.reduce_any(b, 0), tf.reduce_all(b), tf.logical_not(b)]


def segments():
    x = rows()
    return [tf.math.unsorted_segment_sum(x, [0, 1, 0, 1], 3), tf.math.unsorted_segment_mean(x, [0, 1, 0, 1], 2), tf.math.unsorted_segment_max(x, [1, 1, 0, 0], 2)]


def joined():
    x, d = rows(), rows("y")
    return [tf.concat([x, d], 0), tf.concat([x, d], 1), tf.concat([x, tf.constant([[1.0], [2.0], [3.0], [4.0]])], axis=-1), tf.stack([x, d]), tf.stack([x, d], axis=1), tf.concat([x], 0)]


def dimensions():
    x, d = rows(), deep()
    return [tf.expand_dims(x, 0), tf.expand_dims(x, 1), tf.expand_dims(x, -1), tf.expand_dims(d, 2), tf.size(x), tf.rank(d), tf.size(d, out_type=tf.int64)]


def squeezed():
    x = rows()
    return [tf.squeeze(tf.expand_dims(x, 0), [0]), tf.squeeze(tf.expand_dims(x, 1), axis=1), tf.squeeze(tf.expand_dims(x, 2), 2)]


def tiled():
    x, d = rows(), deep()
    return [tf.tile(x, [2, 1]), tf.tile(x, [1, 2]), tf.tile(d, [1, 2, 2])]


def hot():
    ids = r.constant([[0, 2], [], [1]])
    return [tf.one_hot(ids, 3), tf.one_hot(ids, 3, on_value=5, off_value=-1, axis=2), tf.nn.embedding_lookup(parameter([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "table"), ids)]


def reversed_rows():
    x, d = rows(), deep()
    return [tf.reverse(x, [0]), tf.reverse(x, [1]), tf.reverse(d, [0, 2]), tf.reverse(d, axis=[-1])]


def gathered():
    x = rows()
    ids = r.constant([[0], [2, 3]])
    return [tf.gather(x, [2, 0]), tf.gather(x, ids), tf.gather(tf.constant([1.0, 2.0, 3.0, 4.0]), ids), tf.gather(x, [[0, 1], [2, 3]])]


def wide_gathered():
    return tf.batch_gather(rows(), r.constant([[0, 2], [], [1], [0]]))


def positions():
    x, d = rows(), deep()
    return [tf.gather_nd(x, [[0, 1], [2, 3]]), tf.gather_nd(x, [[2], [0]]), tf.gather_nd(d, [[0, 0, 1], [1, 0, 2]]), tf.gather_nd(d, [[[0, 1], [1, 0]]])]


def conditions():
    x = rows()
    m = x > 2.0
    return [tf.where(m), tf.where(m, x, -x), tf.where([True, False, True, False], x, x * 10.0), tf.where(r.constant([[[True], [False, True]], [[True]]]))]


def masked():
    x, d = rows(), deep()
    return [r.boolean_mask(x, x > 2.0), r.boolean_mask(x, [True, False, False, True]), r.boolean_mask([[1, 2], [3, 4]], [[True, False], [True, True]]), r.boolean_mask(d, d > 3.0), r.boolean_mask(d, r.constant([[True, False], [True]]))]


def partitions():
    x = rows()
    return [r.stack_dynamic_partitions([1, 2, 3, 4], [1, 0, 1, 3], 4), r.stack_dynamic_partitions(x, [0, 1, 1, 0], 2)] + tf.dynamic_partition(x, [0, 1, 1, 0], 2)


def items():
    x, d = rows(), deep()
    return [x[0], x[-1], x[1:], x[:2], x[::2], x[:, 1:], x[:, :-1], x[:, ::-1], x[2, 1], d[0, 1], d[1:, 0:1], d[:, :, 1:], d[..., :1], d[0], x[::-1]]


def open_items():
    x = rows()
    at = tf.placeholder(tf.int32, [], name="at")
    return [x[at], x[at:], x[:, at:]], {at: 1}


def running():
    x, d = rows(), deep()
    return [tf.cumsum(x, 1), tf.cumsum(d, 2, exclusive=True), tf.cumsum(x, axis=-1, reverse=True)]


def added():
    x = rows()
    return [tf.add_n([x, x, x]), tf.nn.dropout(x, rate=0.0)]


def asserted():
    x = rows()
    with tf.control_dependencies([tf.assert_less(x, 10.0)]):
        return [tf.identity(x.flat_values)]


def other_ranks():
    tf.concat([rows(), deep()], 0)


def bad_axis():
    tf.reduce_sum(rows(), 2)


def bad_squeeze():
    tf.squeeze(rows())


def bad_index():
    rows()[:, 0]


def bad_one_hot():
    tf.one_hot(r.constant([[0], [1]]), 2, axis=1)


def bad_splits_types():
    x = rows()
    return x + x.with_row_splits_dtype(tf.int32)


def bad_mask():
    r.boolean_mask(rows(), True)


def bad_where():
    tf.where(rows() > 0.0, rows(), 1.0)


def products():
    matrices = parameter([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]], [[1.0, 0.0], [2.0, 1.0]]], "b")
    a = R.from_row_splits(parameter([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "a"), [0, 2, 2, 3], validate=False)
    square = R.from_row_lengths(parameter([1.0, 2.0, 3.0, 4.0], "square"), [2, 2])
    return [tf.matmul(a, matrices), tf.matmul(a, matrices, transpose_b=True), tf.matmul(square, tf.constant([[1.0, 0.0], [2.0, 3.0]])), tf.matmul(square, square, transpose_a=True)]


def products_by_row():
    a = R.from_nested_row_splits(parameter([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10], "a"), [[0, 2, 3], [0, 2, 4, 10]], validate=False)
    b = R.from_row_splits(parameter([[1.0], [2], [3], [4], [5], [6], [7], [8]], "b"), [0, 2, 8], validate=False)
    return [tf.matmul(a, b), tf.matmul(a, a, transpose_b=True), tf.matmul(b, b, transpose_a=True)]


def products_of_batches():
    a = R.from_row_splits(R.from_row_splits(parameter([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "a"), [0, 2, 3], validate=False), [0, 1, 2], validate=False)
    b = parameter([[[[1.0, 2.0], [3.0, 4.0]]], [[[5.0, 6.0], [7.0, 8.0]]]], "b")
    return [tf.matmul(a, b)]


def cut():
    x = R.from_row_lengths(parameter([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]], "x"), [1, 0, 2, 0])
    return tf.split(x, 2) + tf.split(x, [1, 2], axis=2) + tf.split(x, tf.constant([1, 3]), num=2) + tf.split(rows(), [1, 0, 3]) + tf.split(x, 1)


def mapped():
    x, d = rows(), deep()
    return [tf.map_fn(tf.reduce_sum, x, dtype=tf.float32), tf.map_fn(lambda row: row * 2.0, x), tf.map_fn(lambda row: tf.reduce_sum(row, 1), d, fn_output_signature=tf.RaggedTensorSpec([None], tf.float32, 0)), tf.map_fn(lambda row: row + 1.0, d)]


def mapped_to_rows():
    x = parameter([2.0, 0.0, 3.0], "x")
    made = tf.map_fn(lambda n: tf.range(n), x, dtype=tf.RaggedTensorSpec([None], tf.float32, 0))
    pairs = tf.map_fn(lambda both: (both[0] + both[1], tf.size(both[0])), (rows(), tf.constant([1.0, 2.0, 3.0, 4.0])), dtype=(tf.RaggedTensorSpec([None], tf.float32, 0), tf.int32))
    return [made] + list(pairs)


def looked_up():
    ids = r.constant([[0, 2], [1], [1, 1, 0]])
    w = R.from_row_lengths(parameter([1.0, 2.0, 0.5, 1.0, 2.0, 3.0], "w"), [2, 1, 3])
    table = parameter([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "table")
    look = tf.nn.embedding_lookup_sparse
    return [look(table, ids, None), look(table, ids, w, combiner="sum"), look(table, ids, w, combiner="sqrtn", max_norm=3.0), look([table, parameter([[7.0, 8.0]], "more")], ids, None, combiner="sum")]


def looked_up_safely():
    ids = r.constant([[0, 2], [], [-1, 1], [-5]])
    w = R.from_row_lengths(parameter([1.0, 2.0, 0.5, 1.0, 2.0], "w"), [2, 0, 2, 1])
    table = parameter([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "table")
    look = tf.nn.safe_embedding_lookup_sparse
    return [look(table, ids), look(table, ids, w, combiner="sum"), look(table, ids, w, default_id=2)]


def joined_rows():
    w = r.constant([["a", "Bc"], [], ["dEf"]])
    return [tf.strings.reduce_join(w, 1), tf.strings.reduce_join(w, 0, separator="-"), tf.reduce_join(w, axis=[1], keepdims=True), tf.strings.reduce_join(w)]


def counted():
    x = r.constant([[1, 1], [2, 3, 2], []])
    w = R.from_row_lengths(tf.constant([1.0, 5.0, 0.5, 1.0, 2.0]), [2, 3, 0])
    return [tf.bincount(x), tf.bincount(x, weights=r.constant([[1.0, 5.0], [0.5, 1.0, 2.0], []]), minlength=6), tf.math.bincount(x, maxlength=2), tf.sparse.bincount(x), tf.sparse.bincount(x, axis=-1), tf.sparse.bincount(x, weights=w, axis=-1, minlength=5)]


def typed():
    with tf.control_dependencies([tf.assert_type(rows(), tf.float32)]):
        return [tf.constant(1.0)]


def lengths():
    return R.from_row_lengths(parameter([1.0, 2, 3, 4, 5], "v"), [2, 0, 3], validate=False)


def blocks():
    return R.from_row_splits(parameter([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "blocks"), [0, 1, 3], validate=False)


def described(shape):
    parts = [str(shape), str(shape.rank), str(shape.inner_rank), str(shape.num_row_partitions), shape.dtype.name, str([shape.is_uniform(i) for i in range(shape.rank)]), str(shape.static_lengths(ragged_lengths=False))]
    return tf.constant("; ".join(parts))


def shapes():
    x, d, b, v = rows(), deep(), blocks(), lengths()
    wide = tf.shape(x, out_type=tf.int64)
    return [tf.shape(x).inner_shape, wide.inner_shape, tf.shape(x).row_partitions[0].row_splits(), wide.row_partitions[0].row_splits(), described(tf.shape(x)), described(tf.shape(d, name="of_deep")), described(tf.shape(b)), described(tf.shape(v)), described(tf.shape(d, out_type=tf.int64))]


def sizes():
    b, d = blocks(), deep()
    s = tf.shape(b)
    return [s[0], s[2], s[-1], described(s[:1]), described(s[:2]), described(s[:]), s[:2].inner_shape, tf.shape(d)[0], described(tf.shape(d)[:2]), tf.shape(d)[:2].inner_shape]


def open_sizes():
    x = r.placeholder(tf.float32, 1, [2])
    s = tf.shape(x)
    return [s[0], s[2], s.inner_shape, s.row_partitions[0].row_splits(), tf.zeros(s)], {x: tf.ragged.constant_value([[[1.0, 2.0]], [], [[3.0, 4.0], [5.0, 6.0]]], dtype=np.float32, inner_shape=(2,))}


def filled():
    x, d, b = rows(), deep(), blocks()
    return [tf.zeros(tf.shape(x)), tf.ones(tf.shape(d), tf.int32), tf.fill(tf.shape(b), 3.0, name="threes"), tf.zeros(tf.shape(x, out_type=tf.int64), name="none")]


def reshaped():
    x, d = rows(), deep()
    flat = parameter([2.0, 7, 1, 8, 2, 8, 1, 8], "flat")
    return [tf.reshape(x, [-1]), tf.reshape(d, [3, 2], name="pairs"), tf.square(tf.reshape(flat, tf.shape(x))), tf.reduce_sum(tf.square(tf.reshape(flat, tf.shape(x))), 1), tf.reshape(x, tf.shape(x), name="same"), tf.reshape(tf.constant([[1, 2, 3], [4, 5, 6]]), tf.shape(d))]


def spread():
    x, d, b = rows(), deep(), blocks()
    s = tf.shape(x)
    column = parameter([[1.0], [2.0], [3.0], [4.0]], "column")
    first = [tf.broadcast_to(7.0, s), tf.broadcast_to(column, s), tf.broadcast_to([[5.0]], s, name="fives"), tf.broadcast_to([5.0], s), tf.broadcast_to(x, tf.shape(x, out_type=tf.int64))]
    second = [tf.broadcast_to([10.0, 20.0], tf.shape(b)), tf.broadcast_to([[[1.0, 2.0]]], tf.shape(b)), tf.broadcast_to([[[1.0]], [[2.0]]], tf.shape(d)), tf.broadcast_to([[10.0], [20.0]], tf.shape(b)[:2])]
    return first + second + [tf.reduce_sum(tf.broadcast_to(column, s), 1)]


def bad_spread_type():
    return tf.broadcast_to(rows(), tf.shape(rows()))


def bad_spread_rank():
    return tf.broadcast_to([[[1.0]]], tf.shape(rows()))


def bad_size():
    return tf.shape(rows())[1]


def bad_last_size():
    return tf.shape(rows())[-1]


def bad_sizes():
    return tf.shape(rows())[1:]


def shown():
    x, d, w = r.constant([[3, 1, 4], [], [1, 5, 9, 2], [6]]), r.constant([[[1, 2], [3]], [], [[4, 5, 6]]]), words()
    form = tf.strings.format
    return [form("rows {}", x), form("{} and {}!", [x, tf.constant([1, 2])]), form("{}", d), form("{}", w), form("%", x, placeholder="%", summarize=1), form("{}", r.constant([[True], [False, True]]), summarize=-1), form("{}", r.constant([["it's", "a\\b"]]))]


def resized():
    images = R.from_nested_row_lengths(parameter([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0]], "pixels"), [[2, 1], [3, 3, 2]], validate=False)
    return [tf.image.resize_images(images, [2, 2]), tf.image.resize(images, [4, 3], method="nearest", name="near"), tf.image.resize_images(images, [3, 5], align_corners=True)]


def bad_format():
    return tf.strings.format("{} {}", rows())


def bad_summary():
    return tf.strings.format("{}", rows(), summarize=0)


def bad_images():
    return tf.image.resize(deep(), [2, 2])


def bad_product():
    return tf.matmul(rows(), [1.0])


def bad_product_types():
    return tf.matmul(rows(), tf.constant([[1]]))


def bad_product_rows():
    return tf.matmul(rows(), tf.constant([[1.0], [2.0], [3.0], [4.0]]))


def bad_split():
    return tf.split(rows(), 2, axis=1)


def bad_split_count():
    return tf.split(rows(), 0)


def bad_map():
    return tf.map_fn(lambda row: tf.reduce_sum(row), rows(), dtype=tf.RaggedTensorSpec([None], tf.float32, 0))


def bad_combiner():
    return tf.nn.embedding_lookup_sparse(tf.constant([[1.0]]), r.constant([[0]]), None, combiner="max")


def bad_counts():
    return tf.sparse.bincount(r.constant([[0]]), axis=1)


LOCAL = ("rows", "deep", "words", "lengths", "blocks", "described")
record({name: value for name, value in globals().items() if callable(value) and getattr(value, "__module__", "") == "__main__" and name not in LOCAL}, sys.argv[1])
