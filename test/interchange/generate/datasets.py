"""Input pipelines of TensorFlow, as graphs with the elements that they give: data/datasets.json.gz.

    python datasets.py > ../data/datasets.json && gzip -9n ../data/datasets.json
"""

import base64
import json
import os
import tempfile

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")

import tensorflow.compat.v1 as tf

tf.get_logger().setLevel("ERROR")
tf.autograph.set_verbosity(0)
tf.disable_v2_behavior()
tf.disable_resource_variables()

D = tf.data.Dataset
X = tf.data.experimental
folder = tempfile.mkdtemp()


def i64(*values):
    return tf.constant(values, tf.int64)


def ragged():
    return D.range(5).map(lambda n: tf.range(n))


def table():
    keys = tf.constant([0, 1], tf.int64)
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, tf.constant(["a", "b"])), "z")


def counter():
    return tf.get_variable("counter", [], tf.int64, tf.zeros_initializer(), use_resource=True)


def counting(n):
    v = counter()

    def count(x):
        with tf.control_dependencies([v.assign_add(x)]):
            return tf.identity(v.read_value())

    return D.range(n).map(count)


def weights():
    return tf.get_variable("w", [2], tf.float32, tf.constant_initializer([3.0, 4.0]))


def sparse():
    return D.from_sparse_tensor_slices(tf.SparseTensor([[0, 0], [0, 2], [2, 1]], [1.0, 2.0, 3.0], [3, 4]))


def by_parity(n):
    reducer = lambda key, window: window.batch(3)
    return D.range(n).apply(X.group_by_window(lambda x: x % 2, reducer, window_size=3))


def reduced():
    total = D.range(4).reduce(i64(0)[0], lambda a, b: a + b)
    return D.from_tensors((total, X.cardinality(D.range(4)), X.get_single_element(D.range(1))))


CASES = {
    "tensors": lambda: D.from_tensors((tf.constant([1.0, 2.0]), {"b": tf.constant(3), "a": tf.constant("x")})),
    "slices": lambda: D.from_tensor_slices({"x": tf.constant([[1.0, 2.0], [3.0, 4.0]]), "y": tf.constant([5, 6])}),
    "range": lambda: D.range(10, 0, -3),
    "range of another type": lambda: D.range(3, output_type=tf.float32),
    "sparse slices": sparse,
    "map": lambda: D.range(4).map(lambda x: (x * 2, tf.cast(x, tf.float32) / 2.0)),
    "parallel map": lambda: D.range(4).map(lambda x: x + 1, num_parallel_calls=2),
    "parallel map, unordered": lambda: D.range(1).map(lambda x: x + 1, num_parallel_calls=2, deterministic=False),
    "filter": lambda: D.range(10).filter(lambda x: tf.equal(x % 3, 1)),
    "flat map": lambda: D.range(4).flat_map(lambda n: D.range(n).map(lambda k: k + 10 * n)),
    "interleave": lambda: D.range(4).interleave(lambda n: D.from_tensors(n).repeat(3), cycle_length=2, block_length=2),
    "parallel interleave": lambda: D.range(4).interleave(
        lambda n: D.from_tensors(n).repeat(3), cycle_length=2, block_length=2, num_parallel_calls=2, deterministic=True
    ),
    "batch": lambda: D.range(5).batch(2),
    "batch, drop remainder": lambda: D.range(5).batch(2, drop_remainder=True),
    "padded batch": lambda: ragged().padded_batch(2, [None]),
    "padded batch, values": lambda: ragged().padded_batch(2, [6], padding_values=tf.constant(-1, tf.int64), drop_remainder=True),
    "unbatch": lambda: D.range(5).batch(2).apply(X.unbatch()),
    "window": lambda: D.range(7).window(3, shift=2, stride=2, drop_remainder=True).flat_map(lambda w: w.batch(3)),
    "shuffle": lambda: D.range(10).shuffle(4, seed=7),
    "shuffle, repeat": lambda: D.range(5).shuffle(5, seed=8).repeat(2),
    "shuffle once, repeat": lambda: D.range(5).shuffle(5, seed=9, reshuffle_each_iteration=False).repeat(2),
    "shuffle and repeat": lambda: D.range(5).apply(X.shuffle_and_repeat(3, 2, seed=10)),
    "repeat": lambda: D.range(2).repeat(3),
    "take, skip": lambda: D.range(10).skip(2).take(3),
    "shard": lambda: D.range(7).shard(3, 1),
    "zip": lambda: D.zip((D.range(3), {"k": D.range(10, 20)})),
    "concatenate": lambda: D.range(2).concatenate(D.range(5, 7)),
    "prefetch": lambda: D.range(3).prefetch(2),
    "cache": lambda: D.range(3).cache().repeat(2),
    "enumerate": lambda: D.from_tensor_slices(["a", "b"]).enumerate(5),
    "scan": lambda: D.range(1, 5).apply(X.scan(i64(0)[0], lambda total, x: (total + x, total * x))),
    "take while": lambda: D.range(9).apply(X.take_while(lambda x: x < 4)),
    "unique": lambda: D.from_tensor_slices([3, 1, 3, 2, 1]).apply(X.unique()),
    "group by window": lambda: by_parity(10),
    "map and batch": lambda: D.range(5).apply(X.map_and_batch(lambda x: x * x, 2)),
    "ignore errors": lambda: D.from_tensor_slices([1, 0, 2]).map(lambda x: 6 // x).apply(X.ignore_errors()),
    "assert cardinality": lambda: D.range(3).apply(X.assert_cardinality(3)),
    "choose from": lambda: X.choose_from_datasets([D.range(3), D.range(10, 13)], D.from_tensor_slices(i64(0, 1, 1, 0))),
    "options": lambda: D.range(3).with_options(tf.data.Options()),
    "parallel interleave, old": lambda: D.range(4).apply(X.parallel_interleave(lambda n: D.from_tensors(n).repeat(3), 2, 2)),
    "counter": lambda: X.Counter(5, 2).take(3),
    "random numbers": lambda: X.RandomDataset(seed=4).take(3),
    "sample": lambda: X.sample_from_datasets([D.range(3), D.range(10, 13)], weights=[0.5, 0.5], seed=3),
    "bucket": lambda: D.range(6).map(lambda n: tf.range(n)).apply(X.bucket_by_sequence_length(lambda x: tf.shape(x)[0], [3], [2, 2])),
    "reduce, cardinality": reduced,
    "generator": lambda: D.from_generator(lambda: iter([[1, 2], [3, 4]]), tf.int32, tf.TensorShape([2])),
    "captured tensor": lambda: (lambda c: D.range(3).map(lambda x: x * c))(tf.placeholder_with_default(i64(5)[0], [], name="c")),
    "captured twice": lambda: (lambda c: D.range(3).flat_map(lambda n: D.range(n).map(lambda k: k * c + n)))(
        tf.placeholder_with_default(i64(100)[0], [], name="c")
    ),
    "captured variable": lambda: (lambda w: D.range(3).map(lambda x: tf.cast(x, tf.float32) * w))(weights()),
    "captured table": lambda: (lambda t: D.range(3).map(t.lookup))(table()),
    "captured resource": lambda: counting(4),
    "random": lambda: D.range(3).map(lambda x: tf.random_uniform([], seed=7)).repeat(2),
    "strings": lambda: D.from_tensor_slices(["x y", "z"]).map(lambda s: tf.strings.split([s]).values).padded_batch(2, [None]),
}


def recorded(value):
    return [recorded(v) for v in value] if isinstance(value, (list, tuple)) else array(value)


def array(value):
    import numpy as np

    value = np.asarray(value)
    dtype = "string" if value.dtype.kind in "OSU" else value.dtype.name
    flat = value.reshape(-1).tolist()
    if dtype == "string":
        flat = [base64.b64encode(v).decode() for v in flat]
    elif dtype == "int64":
        flat = [str(v) for v in flat]
    return {"dtype": dtype, "shape": list(value.shape), "values": flat}


def drain(session, components):
    elements = []
    try:
        while len(elements) < 50:
            elements.append([array(v) for v in session.run(components)])
    except tf.errors.OutOfRangeError:
        pass
    return elements


def record(name, make, one_shot=False):
    with tf.Graph().as_default() as graph:
        dataset = make()
        iterator = (tf.data.make_one_shot_iterator if one_shot else tf.data.make_initializable_iterator)(dataset)
        components = tf.nest.flatten(iterator.get_next())
        with tf.control_dependencies(None):
            init = tf.group(tf.global_variables_initializer(), tf.tables_initializer(), name="ready")
        runs = []
        with tf.Session() as session:
            session.run(init)
            for _ in range(1 if one_shot else 2):
                if not one_shot:
                    session.run(iterator.initializer)
                runs.append(drain(session, components))
        return {
            "name": name,
            "graph": base64.b64encode(graph.as_graph_def().SerializeToString()).decode(),
            "init": init.name,
            "initializer": None if one_shot else iterator.initializer.name,
            "fetches": [t.name for t in components],
            "runs": runs,
        }


if __name__ == "__main__":
    cases = [record(name, make) for name, make in CASES.items()]
    cases += [record(f"{name}, one shot", CASES[name], True) for name in ("map", "flat map", "shuffle, repeat", "zip")]
    print(json.dumps(cases, indent=0))
