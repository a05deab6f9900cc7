"""Records tf.RaggedTensor and tf.ragged: `python ragged_tensors.py OUT.json`. The same programs in tensorloom's API: ../ragged-tensors.test.ts."""
import sys

from library_programs import parameter, record
from tfenv import np, tf

R = tf.RaggedTensor
r = tf.ragged


def parts(rt):
    return [rt, rt.flat_values] + list(rt.nested_row_splits)


def from_splits():
    rt = R.from_row_splits(parameter([3.0, 1, 4, 1, 5, 9, 2, 6], "values"), [0, 4, 4, 7, 8, 8])
    return [rt, rt.to_tensor(), rt.to_tensor(default_value=-1.0, shape=[None, 3]), rt.to_sparse(), rt.value_rowids(), rt.nrows(), rt.row_starts(), rt.row_limits(), rt.row_lengths(), rt.bounding_shape(), rt.bounding_shape(axis=0), rt.bounding_shape(axis=1, out_type=tf.int32)]


def from_lengths():
    rt = R.from_row_lengths([3, 1, 4, 1, 5, 9, 2, 6], [4, 0, 3, 1, 0])
    return [rt, rt.row_lengths(), rt.to_tensor(), rt.nrows(out_type=tf.int32)]


def from_rowids():
    rt = R.from_value_rowids(["a", "b", "c"], [0, 0, 2], nrows=4)
    return [rt, rt.value_rowids(), rt.to_tensor(default_value="-"), R.from_value_rowids([1.0, 2.0], [0, 1], validate=False)]


def from_open_rowids():
    ids = tf.placeholder(tf.int64, [None], name="ids")
    rt = R.from_value_rowids(tf.placeholder_with_default([1.0, 2.0, 3.0], [None]), ids)
    return [rt, rt.to_tensor(), rt.nrows()], {ids: [0, 2, 2]}


def from_starts():
    return [R.from_row_starts([3, 1, 4, 1, 5], [0, 2, 2]), R.from_row_limits([3, 1, 4, 1, 5], [2, 2, 5])]


def from_uniform():
    values = R.from_row_lengths([1.0, 2.0, 3.0, 4.0, 5.0], [2, 0, 1, 2])
    rt = R.from_uniform_row_length(values, 2)
    return [rt, rt.to_tensor(), R.from_uniform_row_length([1, 2, 3, 4, 5, 6], 3).uniform_row_length]


def nested():
    rt = R.from_nested_row_splits(parameter([3.0, 1, 4, 1, 5, 9, 2, 6], "values"), [[0, 3, 3, 5], [0, 4, 4, 7, 8, 8]])
    lengths = R.from_nested_row_lengths([1, 2, 3], [[1, 1], [2, 1]])
    ids = R.from_nested_value_rowids([1, 2, 3], [[0, 1], [0, 0, 1]], nested_nrows=[3, 2])
    return [rt, rt.to_tensor(), rt.to_sparse(), rt.bounding_shape(), lengths, ids, ids.to_tensor()] + list(rt.nested_row_lengths()) + list(rt.nested_value_rowids())


def with_values():
    rt = R.from_row_splits([1.0, 2.0, 3.0], [0, 1, 3])
    other = rt.with_values(["a", "b", "c"])
    deep = R.from_nested_row_splits([1.0, 2.0, 3.0], [[0, 2], [0, 1, 3]])
    return [other, deep.with_flat_values(deep.flat_values * 2.0), rt.with_row_splits_dtype(tf.int32), rt.with_row_splits_dtype(tf.int32).row_splits]


def from_tensor():
    dense = parameter([[5.0, 7.0, 0.0], [0.0, 3.0, 0.0], [6.0, 0.0, 0.0]], "dense")
    return [R.from_tensor(dense), R.from_tensor(dense, lengths=[1, 0, 3]), R.from_tensor(dense, padding=0.0), R.from_tensor([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], ragged_rank=2)]


def from_open_tensor():
    dense = tf.placeholder(tf.int32, [None, None], name="dense")
    return [R.from_tensor(dense), R.from_tensor(dense, row_splits_dtype=tf.int32)], {dense: [[1, 2], [3, 4]]}


def from_sparse():
    return R.from_sparse(tf.SparseTensor([[0, 0], [0, 1], [2, 0]], tf.constant(["a", "b", "c"]), [4, 3]))


def constants():
    return [r.constant([[1, 2], [], [3]]), r.constant([[[1.0], []], [[2.0, 3.0]]]), r.constant([["a"], ["b", "c"]], name="words"), r.constant([[[1, 2]], [[3, 4], [5, 6]]], ragged_rank=1), r.constant([[], []], dtype=tf.int32), r.constant([1, 2]), r.constant([[1], [2, 3]], row_splits_dtype=tf.int32)]


def fed():
    rt = r.placeholder(tf.float32, 2, [2], name="given")
    value = r.constant_value([[[[1.0, 2.0]], []], [[[3.0, 4.0], [5.0, 6.0]]]], ragged_rank=2)
    return [rt, rt.to_tensor(), rt.flat_values * 2.0], {rt: value}


def ranges():
    return [r.range([3, 5, 2]), r.range([0, 5, 8], [3, 3, 12]), r.range([0.0, 1.0], [2.0, 2.0], 0.5)]


def segments():
    return [r.row_splits_to_segment_ids([0, 3, 3, 5, 6]), r.segment_ids_to_row_splits([0, 0, 0, 2, 2, 3]), r.segment_ids_to_row_splits([0, 2], num_segments=4, out_type=tf.int32)]


def mapped():
    x = R.from_row_splits(parameter([1.0, 2.0, 3.0], "x"), [0, 1, 3])
    y = x.with_values([10.0, 20.0, 30.0])
    return [r.map_flat_values(tf.multiply, x, y), r.map_flat_values(tf.square, x)]


def splits_of_another_type():
    R.from_row_splits(R.from_row_splits([1.0], tf.constant([0, 1])), tf.constant([0, 1], tf.int64))


def bad_splits():
    return R.from_row_splits([1.0, 2.0], tf.placeholder_with_default(np.array([0, 2, 1], np.int64), [3]))


def empty_splits():
    R.from_row_splits([1.0], [])


def uneven_depth():
    r.constant([1, [2]])


record({name: value for name, value in globals().items() if callable(value) and getattr(value, "__module__", "") == "__main__" and name not in ("parts",)}, sys.argv[1])
