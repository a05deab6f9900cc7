"""The experimental part of tf.data, sparse elements as variants, and tables and iterators that nobody else can name."""
import numpy as np

from ..tfenv import tf
from .stateful_random import runs

HEAD = ("R = tf.raw_ops\nL = lambda x: tf.constant(x, tf.int64)\nt = dict(output_types=[tf.int64], output_shapes=[[]])\nw = dict(output_types=[tf.int64], output_shapes=[[None]])\n"
        "rng = lambda n: R.RangeDataset(start=L(0), stop=L(n), step=L(1), **t)\nbatches = lambda n, k: R.BatchDatasetV2(input_dataset=rng(n), batch_size=L(k), drop_remainder=False, **w)\n")
ITERATE = "i = R.IteratorV2(shared_name='', container='', output_types=%s, output_shapes=%s)\ninit = R.MakeIterator(dataset=d, iterator=i)\nn = R.IteratorGetNext(iterator=i, output_types=%s, output_shapes=%s)\n"


def experimental_datasets(b):
    b.family("experimental_datasets")

    def elements(dataset, count, types="[tf.int64]", shapes="[[]]", times=1, more="", fetch="n", head=""):
        runs(b, HEAD + head + f"d = {dataset}\n" + ITERATE % (types, shapes, types, shapes) + more, (["init"] + [fetch] * count) * times)
    for n, k, count in ((8, 4, 2), (7, 4, 2), (5, 5, 3), (6, 2, 4)):
        for kind in ("", "Experimental"):
            elements(f"R.{kind}RebatchDataset(input_dataset=batches({n}, {k}), num_replicas=L({count}), **w)", -(-n // k) * count + 1, shapes="[[None]]")
    for kind in ("", "Experimental"):
        elements(f"R.{kind}ChooseFastestDataset(input_datasets=[rng(3), rng(3)], num_experiments=1, **t)", 4)
    for seeds in ((1, 2), (0, 5)):
        for again in (True, False):
            generator = f"g = R.AnonymousSeedGenerator(seed=L({seeds[0]}), seed2=L({seeds[1]}), reshuffle={again})\n"
            elements("R.ShuffleDatasetV2(input_dataset=rng(7), buffer_size=L(4), seed_generator=g[0], **t)", 8, head=generator)
        generator = f"g = R.AnonymousSeedGenerator(seed=L({seeds[0]}), seed2=L({seeds[1]}), reshuffle=False)\n"
        elements(f"R.RandomDatasetV2(seed=L({seeds[0]}), seed2=L({seeds[1]}), seed_generator=g[0], **t)", 3, head=generator, times=2)
    sparse = lambda k: f"s = R.DeserializeSparse(serialized_sparse=n[{k}], dtype=tf.%s)\n"
    rows = "R.TensorSliceDataset(components=[tf.constant([[1., 2.], [3., 0.], [5., 6.], [7., 8.], [9., 10.]])], output_shapes=[[2]])"
    for kind in ("", "Experimental"):
        for row in ("[2]", "[4]", "[-1]", "[1]"):
            elements(f"R.{kind}DenseToSparseBatchDataset(input_dataset={rows}, batch_size=L(2), row_shape=L({row}), output_types=[tf.variant], output_shapes=[[None, {row.replace('-1', 'None')[1:-1]}]])", 4, "[tf.variant]", "[None]",
                     more=sparse(0) % "float32", fetch="s")
    features = tf.train.Features

    def example(**given):
        def feature(v):
            if isinstance(v[0], bytes):
                return tf.train.Feature(bytes_list=tf.train.BytesList(value=v))
            return tf.train.Feature(float_list=tf.train.FloatList(value=v)) if isinstance(v[0], float) else tf.train.Feature(int64_list=tf.train.Int64List(value=v))
        return tf.train.Example(features=features(feature={k: feature(v) for k, v in given.items()})).SerializeToString()
    lines = [example(a=[1., 2.], b=[3, 4, 5], c=[b"x"]), example(a=[3., 4.], b=[6], c=[b"y"]), example(a=[5., 6.], c=[b"zz"]), example(a=[7., 8.], b=[9, 10])]
    source = f"R.BatchDatasetV2(input_dataset=R.TensorSliceDataset(components=[tf.constant({lines})], output_shapes=[[]]), batch_size=L(2), drop_remainder=False, output_types=[tf.string], output_shapes=[[None]])"
    for kind, extra in (("", ""), ("", ", ragged_keys=[], sloppy=True"), ("Experimental", "")):
        elements(f"R.{kind}ParseExampleDataset(input_dataset={source}, num_parallel_calls=L(1), dense_defaults=[tf.constant([0., 0.]), tf.constant('none')], sparse_keys=['b'], dense_keys=['a', 'c'], sparse_types=[tf.int64], dense_shapes=[[2], []], output_types=[tf.float32, tf.variant, tf.string], output_shapes=[[None, 2], [3], [None]]{extra})",
                 3, "[tf.float32, tf.variant, tf.string]", "[[None, 2], [3], [None]]", more=sparse(1) % "int64", fetch="(n[0], s, n[2])")
    elements(f"R.ParseExampleDataset(input_dataset={source}, num_parallel_calls=L(1), dense_defaults=[tf.constant(['none'])], sparse_keys=[], dense_keys=['c'], sparse_types=[], dense_shapes=[[]], output_types=[tf.string], output_shapes=[[None]])", 1, "[tf.string]", "[[None]]")
    elements(f"R.ParseExampleDatasetV2(input_dataset={source}, num_parallel_calls=L(2), dense_defaults=[tf.constant([0., 0.])], sparse_keys=['c'], dense_keys=['a'], sparse_types=[tf.string], dense_shapes=[[2]], ragged_keys=['b'], ragged_value_types=[tf.int64], ragged_split_types=[tf.int32], output_types=[tf.float32, tf.variant, tf.variant], output_shapes=[[None, 2], [], [3]])",
             3, "[tf.float32, tf.variant, tf.variant]", "[[None, 2], [], [3]]", more=sparse(2) % "string" + "r = R.RaggedTensorFromVariant(encoded_ragged=n[1], input_ragged_rank=1, output_ragged_rank=1, Tvalues=tf.int64, Tsplits=tf.int32)\n", fetch="(n[0], s, r)")
    elements(f"R.ParseExampleDatasetV2(input_dataset={source}, num_parallel_calls=L(2), dense_defaults=[tf.constant([], tf.int64)], sparse_keys=[], dense_keys=['b'], sparse_types=[], dense_shapes=[[1]], output_types=[tf.int64], output_shapes=[[None, 1]])", 1, "[tf.int64]", "[[None, 1]]")
    many = "R.SerializeManySparse(sparse_indices=L([[0, 1], [2, 0], [2, 3]]), sparse_values=tf.constant([1., 2., 3.]), sparse_shape=L([3, 4]), out_type=tf.variant)"
    elements(f"R.TensorSliceDataset(components=[{many}], output_shapes=[[3]])", 4, "[tf.variant]", "[[3]]", more=sparse(0) % "float32", fetch="s")
    elements(f"R.BatchDatasetV2(input_dataset=R.TensorSliceDataset(components=[{many}], output_shapes=[[3]]), batch_size=L(2), drop_remainder=False, output_types=[tf.variant], output_shapes=[[None, 3]])", 3, "[tf.variant]", "[[None, 3]]", more=sparse(0) % "float32", fetch="s")
    one = "R.SerializeSparse(sparse_indices=L([[0, 1], [2, 0]]), sparse_values=tf.constant([1., 2.]), sparse_shape=L([3, 4]), out_type=tf.variant)"
    runs(b, HEAD + f"y = R.DeserializeSparse(serialized_sparse={one}, dtype=tf.float32)\nz = R.DeserializeSparse(serialized_sparse=tf.stack([{one}, {one}]), dtype=tf.float32)\n", ["y"])
    runs(b, HEAD + "c = R.CompressElement(components=[tf.constant([1., 2.]), tf.constant(['a', 'bc'])])\ny = R.UncompressElement(compressed=c, output_types=[tf.float32, tf.string], output_shapes=[[2], [2]])\n", ["y"])
    for k in (0, 3):
        runs(b, HEAD + f"y = R.GetElementAtIndex(dataset=R.RangeDataset(start=L(5), stop=L(11), step=L(2), **t) if {k == 0} else rng(5), index=L({k}), **t)\n", ["y"])
    runs(b, HEAD + "a = R.AnonymousIteratorV2(**t)\ninit = R.MakeIterator(dataset=rng(2), iterator=a[0])\nn = R.IteratorGetNext(iterator=a[0], **t)\n", ["n"])
    devices = "devices=['/cpu:0', '/cpu:0']"
    for make in (f"m = R.MultiDeviceIterator({devices}, shared_name='', container='', **t)\n", ):
        runs(b, HEAD + make + "init = R.MultiDeviceIteratorInit(dataset=rng(5), multi_device_iterator=m, max_buffer_size=L(1))\n"
             "n = [R.MultiDeviceIteratorGetNextFromShard(multi_device_iterator=m, shard_num=k, incarnation_id=L(1), **t) for k in (0, 1)]\n", ["init", "n[0]", "n[1]", "n[1]", "n[0]"])
    for make, put in (("AnonymousHashTable(key_dtype=tf.int64, value_dtype=tf.float32)", "InitializeTableV2"), ("AnonymousMutableHashTable(key_dtype=tf.int64, value_dtype=tf.float32)", "LookupTableInsertV2"),
                      ("AnonymousMutableHashTableOfTensors(key_dtype=tf.int64, value_dtype=tf.float32, value_shape=[2])", "LookupTableInsertV2"),
                      ("AnonymousMutableDenseHashTable(empty_key=L(-1), deleted_key=L(-2), value_dtype=tf.float32)", "LookupTableInsertV2")):
        values = "[[1., 2.], [3., 4.]]" if "Tensors" in make else "[1., 2.]"
        fallback = "[0., -1.]" if "Tensors" in make else "-1.0"
        runs(b, HEAD + f"T = R.{make}\nput = R.{put}(table_handle=T, keys=L([5, 6]), values=tf.constant({values}))\nwith tf.control_dependencies([put]):\n  y = R.LookupTableFindV2(table_handle=T, keys=L([6, 7]), default_value=tf.constant({fallback}))\n  z = R.LookupTableSizeV2(table_handle=T)\n", ["(y, z)"])


ALL = [experimental_datasets]
