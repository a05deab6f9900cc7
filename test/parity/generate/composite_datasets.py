"""Records datasets whose elements are ragged and sparse tensors: what they give, element by element, what they say their elements are, and refusals.
`python composite_datasets.py OUT.json`. The same programs in tensorloom's API: ../composite-datasets.test.ts."""
import json
import sys

from library_programs import core_message, leaves, plain
from tfenv import np, tf

D = tf.data.Dataset
exp = tf.data.experimental


def ragged():
    return tf.ragged.constant([[1, 2], [], [3], [4, 5, 6]], dtype=tf.int32)


def deep():
    return tf.ragged.constant([[[1.0], [2.0, 3.0]], [], [[4.0, 5.0, 6.0]], [[], [7.0]]])


def wide():
    return tf.ragged.constant([[[1, 2]], [[3, 4], [5, 6]], []], ragged_rank=1, inner_shape=(2,), dtype=tf.int32)


def words():
    return tf.ragged.constant([["a", "bc"], [], ["d"]])


def sparse():
    return tf.SparseTensor([[0, 1], [2, 0], [2, 3]], [10.0, 20.0, 30.0], [4, 5])


def cube():
    return tf.SparseTensor([[0, 0, 1], [1, 2, 0], [3, 1, 1]], ["x", "y", "z"], [4, 3, 2])


def counted(n):
    return D.range(n)


programs = dict(
    slices=lambda: D.from_tensor_slices(ragged()),
    slices_deep=lambda: D.from_tensor_slices(deep()),
    slices_wide=lambda: D.from_tensor_slices(wide()),
    slices_words=lambda: D.from_tensor_slices(words()),
    slices_twice=lambda: D.from_tensor_slices(deep()).unbatch(),
    whole=lambda: D.from_tensors(ragged()),
    whole_deep=lambda: D.from_tensors((deep(), 5)),
    narrow=lambda: D.from_tensor_slices(ragged().with_row_splits_dtype(tf.int32)),
    batches=lambda: D.from_tensor_slices(ragged()).batch(2),
    batches_three=lambda: D.from_tensor_slices(ragged()).batch(3),
    batches_whole=lambda: D.from_tensor_slices(ragged()).batch(3, drop_remainder=True),
    batches_deep=lambda: D.from_tensor_slices(deep()).batch(3),
    batches_wide=lambda: D.from_tensor_slices(wide()).batch(2),
    batches_of_batches=lambda: D.from_tensor_slices(ragged()).batch(2).batch(2),
    unbatched=lambda: D.from_tensor_slices(ragged()).batch(3).unbatch(),
    named=lambda: D.from_tensor_slices({"r": ragged(), "n": tf.range(4), "s": sparse()}).batch(2),
    mapped=lambda: D.from_tensor_slices(deep()).map(lambda x: x * 2),
    mapped_sums=lambda: D.from_tensor_slices(deep()).map(lambda x: tf.reduce_sum(x, 1)),
    mapped_pairs=lambda: D.from_tensor_slices((deep(), ragged())).map(lambda x, y: (y, x.with_flat_values(x.flat_values + 1.0))),
    mapped_to_ragged=lambda: counted(4).map(lambda i: tf.RaggedTensor.from_row_lengths(tf.range(i), [i])).batch(2),
    mapped_to_rows=lambda: counted(4).map(lambda i: tf.ragged.range([i, 2])),
    mapped_to_sparse=lambda: counted(3).map(lambda i: tf.SparseTensor([[i]], [i * 2], [5])).batch(2),
    filtered=lambda: D.from_tensor_slices(deep()).filter(lambda x: tf.size(x.flat_values) > 1),
    repeated=lambda: D.from_tensor_slices(ragged()).repeat(2).skip(3).take(3),
    zipped=lambda: D.zip((D.from_tensor_slices(ragged()), counted(9))),
    concatenated=lambda: D.from_tensor_slices(deep()).concatenate(D.from_tensor_slices(deep())).skip(3).take(2),
    enumerated=lambda: D.from_tensor_slices(words()).enumerate(),
    windows=lambda: D.from_tensor_slices(deep()).window(2).flat_map(lambda w: w.batch(2)),
    flat=lambda: D.from_tensor_slices(deep()).flat_map(lambda x: D.from_tensors(x).repeat(2)).take(3),
    cached=lambda: D.from_tensor_slices(deep()).cache().prefetch(1).shuffle(1),
    to_dense=lambda: D.from_tensor_slices(ragged()).batch(2).map(lambda x: x.to_tensor()),
    sparse_slices=lambda: D.from_tensor_slices(sparse()),
    sparse_whole=lambda: D.from_tensors(sparse()),
    sparse_batches=lambda: D.from_tensor_slices(sparse()).batch(3),
    sparse_cube=lambda: D.from_tensor_slices(cube()).batch(2),
    sparse_cube_rows=lambda: D.from_tensor_slices(cube()),
    sparse_unbatched=lambda: D.from_tensor_slices(sparse()).batch(3).unbatch(),
    sparse_twice=lambda: D.from_tensor_slices(cube()).unbatch(),
    sparse_mapped=lambda: D.from_tensor_slices(sparse()).map(lambda x: tf.sparse.to_dense(x)),
    sparse_pairs=lambda: D.from_tensor_slices((sparse(), tf.range(4))).map(lambda x, i: (tf.SparseTensor(x.indices, x.values * 2, x.dense_shape), i)),
    sparse_placeholder=lambda: D.from_tensors(tf.sparse.from_dense([[1, 0], [0, 2]])).map(lambda x: x),
    dense_to_ragged=lambda: counted(4).map(tf.range).apply(exp.dense_to_ragged_batch(3)),
    dense_to_ragged_dropped=lambda: counted(4).map(tf.range).apply(exp.dense_to_ragged_batch(3, drop_remainder=True, row_splits_dtype=tf.int32)),
    dense_to_ragged_pairs=lambda: counted(4).map(lambda i: (tf.range(i), i, tf.fill([i, 2], i))).apply(exp.dense_to_ragged_batch(2)),
    dense_to_ragged_squares=lambda: counted(4).map(lambda i: tf.fill([i, i + 1], i)).apply(exp.dense_to_ragged_batch(2)),
    dense_to_ragged_static=lambda: counted(4).map(lambda i: tf.fill([2], i)).apply(exp.dense_to_ragged_batch(2)),
    dense_to_sparse=lambda: counted(4).map(lambda i: tf.fill([i], i)).apply(exp.dense_to_sparse_batch(3, [4])),
    dense_to_sparse_open=lambda: counted(4).map(lambda i: tf.fill([i, 2], i)).apply(exp.dense_to_sparse_batch(2, [None, 2])),
    dense_to_sparse_large=lambda: counted(4).map(lambda i: tf.fill([i], i)).apply(exp.dense_to_sparse_batch(4, [2])),
    dense_to_sparse_pairs=lambda: D.from_tensor_slices((tf.range(3), tf.range(3))).apply(exp.dense_to_sparse_batch(2, [])),
    padded=lambda: D.from_tensor_slices(ragged()).padded_batch(2, [None]),
    padded_ragged=lambda: D.from_tensor_slices(deep()).padded_batch(2, [None]),
    padded_sparse=lambda: D.from_tensor_slices(sparse()).padded_batch(2, [5]),
    sparse_vector=lambda: D.from_tensor_slices(tf.SparseTensor([[1]], [2.0], [3])),
    differing=lambda: D.from_tensor_slices((ragged(), tf.range(3))),
    scanned=lambda: D.from_tensor_slices(deep()).apply(exp.scan(0.0, lambda s, x: (s + tf.reduce_sum(x), (s, x)))),
    interleaved=lambda: D.from_tensor_slices(deep()).interleave(lambda x: D.from_tensors(x).repeat(2), cycle_length=2).take(4),
    optional=lambda: D.from_tensor_slices(deep()).take(1),
)


def said(dataset):
    flat = tf.nest.flatten
    return dict(
        specs=[str(spec) for spec in flat(dataset.element_spec)],
        types=[t.name for t in flat(tf.data.get_output_types(dataset))],
        shapes=[str(shape) for shape in flat(tf.nest.map_structure(str, tf.data.get_output_shapes(dataset)))],
        classes=[c.__name__ if isinstance(c, type) else str(c) for c in flat(tf.data.get_output_classes(dataset))],
    )


def run(make):
    with tf.Graph().as_default():
        try:
            dataset = make()
        except Exception as error:
            return {"error": type(error).__name__, "message": str(error).split("\n")[0]}
        entry = said(dataset)
        item = tf.data.make_initializable_iterator(dataset)
        parts = leaves(item.get_next())
        entry["shapes_of_parts"] = [str(p.shape) for p in parts]
        entry["elements"] = []
        with tf.Session() as session:
            try:
                session.run(item.initializer)
                while True:
                    entry["elements"].append([plain(v) for v in session.run(parts)])
            except tf.errors.OutOfRangeError:
                pass
            except Exception as error:
                entry["run_error"] = {"class": type(error).__name__, "message": core_message(error).split("\n")[0]}
        return entry


if __name__ == "__main__":
    out = {name: run(make) for name, make in programs.items()}
    with open(sys.argv[1], "w") as file:
        json.dump(out, file)
    for name, entry in out.items():
        print(name, {k: v for k, v in entry.items() if k != "elements"}, len(entry.get("elements", [])))
