"""Records what makes datasets and tables of datasets: `python data_functions.py OUT.json`. The same programs in tensorloom's API: ../data-functions.test.ts."""
import os
import sys
import tempfile

from library_programs import record
from tfenv import np, tf

ex = tf.data.experimental
folder = tempfile.mkdtemp()


def elements(dataset, batch=100):
    """All elements as one."""
    iterator = tf.data.make_initializable_iterator(dataset.batch(batch) if batch else dataset)
    tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
    return iterator.get_next()


def path(name, text=None):
    full = os.path.join(folder, name)
    if text is not None:
        with open(full, "w") as file:
            file.write(text)
    return full


def numbers(n, dtype=np.int64):
    return tf.data.Dataset.from_tensor_slices(np.arange(n, dtype=dtype))


def options():
    given = tf.data.Options()
    given.deterministic = False
    given.threading.private_threadpool_size = 3
    given.experimental_optimization.map_fusion = True
    other = tf.data.Options()
    other.experimental_slack = True
    other.autotune.ram_budget = 2**40
    other.autotune.autotune_algorithm = ex.AutotuneAlgorithm.HILL_CLIMB
    other.experimental_distribute.auto_shard_policy = ex.AutoShardPolicy.OFF
    other.experimental_external_state_policy = ex.ExternalStatePolicy.FAIL
    dataset = numbers(4).with_options(given).map(lambda x: x + 1).with_options(other)
    found = dataset.options()
    said = [found.deterministic, found.experimental_slack, found.threading.private_threadpool_size, found.autotune.ram_budget]
    bytes_ = [op.get_attr("serialized_options") for op in tf.get_default_graph().get_operations() if op.type == "OptionsDataset"]
    return [elements(dataset), tf.constant([int(v) for v in said]), tf.constant([list(b) for b in bytes_][1])]


def unknown_option():
    tf.data.Options().determinstic = True


def wrong_option():
    tf.data.Options().threading.private_threadpool_size = 2.5


def locked_options():
    numbers(3).options().autotune.enabled = True


def reducer(init, reduce, finalize):
    return ex.group_by_reducer(lambda x: tf.cast(x, tf.int64) % 3, ex.Reducer(init, reduce, finalize))


def reduced():
    return elements(numbers(10).apply(reducer(lambda k: k * 100, lambda s, x: s + x, lambda s: s)))


def reduced_pairs():
    mean = reducer(lambda k: (0.0, 0.0), lambda s, x: (s[0] + x, s[1] + 1.0), lambda s, n: s / n)
    return elements(numbers(7, np.float32).apply(mean))


def wrong_keys():
    numbers(3).apply(ex.group_by_reducer(lambda x: tf.cast(x, tf.float32), ex.Reducer(lambda k: 0, lambda s, x: s, lambda s: s)))


def listed():
    return elements(ex.from_list([(1, "a"), (2, "b")]))


def listed_shapes():
    return elements(ex.from_list([[1.0], [2.0, 3.0]]), batch=0)


def listed_nothing():
    ex.from_list([])


def filled_up():
    dataset = tf.data.Dataset.from_tensor_slices({"a": [1, 2], "b": [["x", "y"], ["z", "w"]]})
    return elements(dataset.apply(ex.pad_to_cardinality(4)))


def filled_up_wrong():
    numbers(2).apply(ex.pad_to_cardinality(4))


def table():
    words = tf.data.Dataset.from_tensor_slices(["a", "b", "c"])
    known = ex.index_table_from_dataset(words)
    return known.lookup(tf.constant([["c", "x"], ["a", "b"]]))


def table_with_buckets():
    words = tf.data.Dataset.from_tensor_slices(["a", "b", "c"])
    known = ex.index_table_from_dataset(words, num_oov_buckets=3, vocab_size=3, name="vocabulary")
    return [known.lookup(tf.constant(["c", "x", "yy"])), known.size()]


def table_of_pairs():
    pairs = tf.data.Dataset.from_tensor_slices((np.array([4, 5], np.int64), ["four", "five"]))
    known = ex.table_from_dataset(pairs, default_value="none", key_dtype=tf.int64)
    return known.lookup(tf.constant([5, 6], tf.int64))


def table_by_initializer():
    pairs = tf.data.Dataset.from_tensor_slices((["a", "b"], np.array([3, 4], np.int64)))
    return tf.lookup.StaticHashTable(ex.DatasetInitializer(pairs), -5).lookup(tf.constant(["b", "q"]))


def table_without_default():
    ex.table_from_dataset(tf.data.Dataset.from_tensor_slices(([1], ["a"])))


def table_of_negative_buckets():
    ex.index_table_from_dataset(numbers(3), num_oov_buckets=-1)


def table_of_nothing():
    ex.index_table_from_dataset(numbers(3), vocab_size=0)


def resampled():
    dataset = tf.data.Dataset.from_tensor_slices([0, 1, 2, 1, 2]).repeat()
    return elements(dataset.apply(ex.rejection_resample(lambda x: x, [0.1, 0.45, 0.45], [0.2, 0.4, 0.4], seed=3)), batch=20)


def resampled_as_it_is():
    dataset = numbers(6).map(lambda x: (x, x * 2))
    return elements(dataset.apply(ex.rejection_resample(lambda x, y: tf.cast(x % 2, tf.int32), [0.5, 0.5], [0.5, 0.5], seed=3)), batch=4)


def resampled_by_estimate():
    dataset = tf.data.Dataset.from_tensor_slices([0, 1, 2, 1, 2]).repeat()
    return elements(dataset.apply(ex.rejection_resample(lambda x: x, [0.1, 0.45, 0.45], seed=3)), batch=20)


def found_files():
    for name in ["a1", "a2", "b1"]:
        path(name, "")
    names = tf.data.Dataset.list_files([path("a*"), path("b?")], shuffle=False)
    return elements(names.map(lambda name: tf.strings.substr(name, tf.strings.length(name) - 2, 2)))


def found_files_in_disorder():
    names = tf.data.Dataset.list_files(path("[ab]*"), seed=3)
    return elements(names.map(lambda name: tf.strings.substr(name, tf.strings.length(name) - 2, 2)))


rows = "a,b,c,label\n1,2.5,x,0\n2,3.5,,1\n4,4.5,z,0\n"


def csv_read():
    return elements(ex.make_csv_dataset(path("one.csv", rows), 2, label_name="label", shuffle=False, num_epochs=1), batch=0)


def csv_selected():
    chosen = dict(select_columns=["c", 0], column_defaults=[tf.int64, "q"], shuffle_seed=2, num_parallel_reads=2, ignore_errors=True)
    return elements(ex.make_csv_dataset([path("one.csv", rows)], 3, **chosen), batch=0)


def csv_types():
    text = "1,3000000000,1.5,1e300,t\n7,1,nan,2,5\n"
    names = ["i", "l", "f", "d", "s"]
    return elements(ex.make_csv_dataset(path("types.csv", text), 2, column_names=names, header=False, shuffle=False, num_epochs=1), batch=0)


def csv_label_missing():
    ex.make_csv_dataset(path("one.csv", rows), 2, label_name="zz")


def csv_doubled():
    ex.make_csv_dataset(path("one.csv", rows), 2, select_columns=["a", 0])


def csv_nameless():
    ex.make_csv_dataset(path("one.csv", rows), 2, header=False)


def example(i):
    message = tf.train.Example()
    message.features.feature["a"].int64_list.value.append(i)
    message.features.feature["b"].float_list.value.extend([i, i + 0.5])
    return message.SerializeToString()


features = {"a": tf.FixedLenFeature([], tf.int64), "b": tf.FixedLenFeature([2], tf.float32, [7.0, 8.0])}


def examples_parsed():
    dataset = tf.data.Dataset.from_tensor_slices([example(i) for i in range(4)]).batch(2)
    return elements(dataset.apply(ex.parse_example_dataset(features, num_parallel_calls=2)), batch=0)


def examples_sparse():
    kinds = {"a": tf.VarLenFeature(tf.int64), "b": tf.FixedLenFeature([2], tf.float32)}
    dataset = tf.data.Dataset.from_tensor_slices([example(i) for i in range(4)]).batch(2)
    return elements(dataset.apply(ex.parse_example_dataset(kinds)), batch=0)


def examples_joined():
    kinds = {"s": tf.SparseFeature("a", "b", tf.float32, 10), "a": tf.VarLenFeature(tf.int64)}

    def short(i):
        message = tf.train.Example()
        message.features.feature["a"].int64_list.value.extend([i, i + 2])
        message.features.feature["b"].float_list.value.extend([i, i + 0.5])
        return message.SerializeToString()

    dataset = tf.data.Dataset.from_tensor_slices([short(i) for i in range(4)]).batch(2)
    return elements(dataset.apply(ex.parse_example_dataset(kinds)), batch=0)


def examples_of_files():
    with tf.python_io.TFRecordWriter(path("r.tfrecord")) as writer:
        for i in range(5):
            writer.write(example(i))
    return elements(ex.make_batched_features_dataset(path("r.tfrecord"), 3, features, shuffle=False, num_epochs=1, label_key="a"), batch=0)


def written():
    ex.TFRecordWriter("x").write(numbers(3))


def weighted():
    datasets = [numbers(6), tf.data.Dataset.range(100, 106)]
    return elements(ex.sample_from_datasets(datasets, weights=[0.3, 0.7], seed=4))


def legacy_functions():
    dataset = numbers(6).map_with_legacy_function(lambda x: x + 1).filter_with_legacy_function(lambda x: x > 2)
    return elements(dataset.apply(ex.map_and_batch_with_legacy_function(lambda x: x * 2, 2)))


def as_numpy():
    numbers(3).as_numpy_iterator()


if __name__ == "__main__":
    programs = {name: value for name, value in list(globals().items()) if callable(value) and getattr(value, "__module__", "") == "__main__"}
    for helper in ["elements", "path", "numbers", "reducer", "example"]:
        del programs[helper]
    record(programs, sys.argv[1])
