"""Generators in variables, permutations of indices, first centers: bit for bit."""
import numpy as np

from ..recording import rows, run_errors
from .staging import runs

RAW = "tf.raw_ops."


def stateful_random(b):
    b.family("stateful_random")
    v = "v = tf.Variable(np.array([%s], 'int64'), use_resource=True)\ninit = v.initializer\nh = v.handle\nL = lambda x: tf.constant(x, tf.int64)\n"
    some = "7, 0, 5"
    draws = [f"R.StatefulUniform(resource=h, algorithm=L(1), shape=L({s}), dtype=tf.{t})" for s, t in (([5], "float32"), ([2, 3], "float64"), ([3], "float16"))]
    draws += [f"R.StatefulStandardNormalV2(resource=h, algorithm=L(1), shape=L({s}), dtype=tf.{t})" for s, t in (([5], "float32"), ([3], "float64"))]
    draws += [f"R.StatefulTruncatedNormal(resource=h, algorithm=L(1), shape=L({s}), dtype=tf.{t})" for s, t in (([6], "float32"), ([3], "float64"))]
    draws += [f"R.StatefulUniformInt(resource=h, algorithm=L(1), shape=L([5]), minval=tf.constant(-3, tf.{t}), maxval=tf.constant(9, tf.{t}))" for t in ("int32", "int64")]
    draws += [f"R.StatefulUniformFullInt(resource=h, algorithm=L(1), shape=L([3]), dtype=tf.{t})" for t in ("int32", "int64", "uint32", "uint64")]
    for state in (some, "-1, 0, -9", "-1, -1, 3"):
        runs(b, v % state, ["init"] + [x for d in draws[::2] for x in (d, "v.read_value()")])
    runs(b, v % some, ["init"] + draws + draws[:3])
    runs(b, v % some, ["init", "R.RngSkip(resource=h, algorithm=L(1), delta=L(5))", "v.read_value()", "R.RngReadAndSkip(resource=h, alg=1, delta=tf.constant(2, tf.uint64))", "v.read_value()"])
    runs(b, v % "-2, -1, 5", ["init", "R.RngReadAndSkip(resource=h, alg=1, delta=tf.constant(3, tf.uint64))", "v.read_value()"])
    runs(b, v % "1, 2", ["init", "R.StatefulUniform(resource=h, algorithm=L(1), shape=L([2]))", "R.StatefulUniform(resource=h, algorithm=L(9), shape=L([2]))"])
    g = "g = tf.random.Generator.from_seed(%s)\ninit = g.state.initializer\n"
    calls = ["g.normal([3])", "g.normal([2, 2], 1., 2., tf.float64)", "g.uniform([3])", "g.uniform([4], 2, 9, tf.int32)", "g.uniform_full_int([2])", "g.truncated_normal([3])", "g.make_seeds(2)", "g.skip(5)", "g.key", "g.binomial([1], [5.], [.5])", "g.binomial([4, 2], [5., 9.], [.5])"]
    for seed in ("1234", "-5", "2**70 + 3", "[1, 2]"):
        runs(b, g % seed, ["init"] + [x for c in calls for x in (c, "g.state.read_value()")])
    calls = [(f"tf.random.experimental.stateless_split(tf.constant([1, 2], tf.{t}), {n})", {}) for t in ("int32", "int64") for n in (2, 3)]
    calls += [(f"tf.random.experimental.stateless_fold_in(tf.constant([1, 2], tf.{t}), {d})", {}) for t in ("int32", "int64") for d in ("5", "tf.constant(7, tf.int64)")]
    for dtype, most in (("int32", 9), ("int64", 300), ("uint32", 70000), ("uint64", 2**33), ("int32", 0), ("int32", 1), ("int32", 65536)):
        x = b.rng.randint(0, most + 1, (6,)).astype(dtype)
        calls += [(f"{RAW}RandomIndexShuffle(index=x, seed=tf.constant([{s}], tf.{t}), max_index=tf.constant({most}, tf.{dtype}), rounds={r})", dict(x=x)) for s, t, r in (("1, 2, 3", "int32", 4), ("-1, 5, 2**31 - 1", "int32", 8), ("1, 2**40, 9", "int64", 4))]
    calls += [(f"{RAW}RandomIndexShuffle(index=tf.constant(3), seed=s, max_index=[9, 8])", dict(s=b.rng.randint(0, 99, (2, 3)).astype("uint32"))),
              (f"{RAW}RandomIndexShuffle(index=4, seed=[1, 2, 3], max_index=9)", {}), ("tf.random.experimental.index_shuffle(x, [1, 2], 99)", dict(x=b.rng.randint(0, 99, (4,)).astype("int32"))),
              ("tf.random_index_shuffle(x, [1, 2, 3], 99, rounds=6)", dict(x=b.rng.randint(0, 99, (4,)).astype("int32")))]
    calls += [(f"{RAW}KMC2ChainInitialization(distances=x, seed={k})", dict(x=b.f(n, lo=0, hi=9))) for n, k in ((1, 1), (4, 42), (9, 7), (9, 8), (30, -3))]
    for shape, n, retries in (((6, 2), 3, 0), ((6, 2), 6, 2), ((20, 3), 5, -1), ((5, 1), 1, 1)):
        calls += [(f"{RAW}KmeansPlusPlusInitialization(points=x, num_to_sample={n}, seed={k}, num_retries_per_sample={retries})", dict(x=b.f(*shape))) for k in (1, 42)]
    rows(b, calls, dynamic=0)
    run_errors(b, [f"{RAW}RandomIndexShuffle(index={i}, seed=[1, 2, 3], max_index={m}, rounds={r})" for i, m, r in ((5, 4, 4), (-1, 4, 4))]
               + [f"{RAW}KmeansPlusPlusInitialization(points={p}, num_to_sample={n}, seed=1, num_retries_per_sample=1)" for p, n in (("[1.]", 1), ("[[1.]]", 2), ("[[1.]]", 0), ("tf.zeros([0,2])", 1))]
               + [f"{RAW}KMC2ChainInitialization(distances={d}, seed=1)" for d in ("[[1.]]", "tf.zeros([0])")])


def more_datasets(b):
    b.family("more_datasets")
    head = ("D = tf.data\nt = dict(output_types=[tf.int64], output_shapes=[[]])\nw = dict(output_types=[tf.int64], output_shapes=[[None]])\nL = lambda x: tf.constant(x, tf.int64)\n"
            "rng = lambda n: R.RangeDataset(start=L(0), stop=L(n), step=L(1), **t)\n"
            "d = %s\ni = R.IteratorV2(shared_name='', container='', output_types=%s, output_shapes=%s)\ninit = R.MakeIterator(dataset=d, iterator=i)\n"
            "n = R.IteratorGetNext(iterator=i, output_types=%s, output_shapes=%s)\n")

    def elements(dataset, count, types="[tf.int64]", shapes="[[]]", times=1):
        runs(b, head % (dataset, types, shapes, types, shapes), (["init"] + ["n"] * count) * times)
    gen = "seed_generator=R.DummySeedGenerator()"
    for seeds in ((1, 2), (0, 5)):
        s = f"seed=L({seeds[0]}), seed2=L({seeds[1]})"
        for again in (True, False):
            elements(f"R.ShuffleDatasetV3(input_dataset=rng(7), buffer_size=L(4), {s}, {gen}, reshuffle_each_iteration={again}, **t)", 8, times=2)
        elements(f"R.ShuffleAndRepeatDatasetV2(input_dataset=rng(4), buffer_size=L(3), {s}, {gen}, count=L(2), **t)", 9)
        elements(f"R.SamplingDataset(input_dataset=rng(30), rate=.3, {s}, **t)", 5, times=2)
    elements("R.CacheDatasetV2(input_dataset=rng(3), filename='', cache=R.DummyMemoryCache(), **t)", 4, times=2)
    for size, shift, stride, drop in ((3, 1, 1, True), (2, 3, 1, True), (2, 1, 2, True), (3, 2, 1, False)):
        elements(f"R.SlidingWindowDataset(input_dataset=rng(6), window_size=L({size}), window_shift=L({shift}), window_stride=L({stride}), drop_remainder={drop}, **w)", 5, shapes="[[None]]")
    elements("R.ExperimentalSlidingWindowDataset(input_dataset=rng(5), window_size=L(3), window_shift=L(1), window_stride=L(1), **w)", 4, shapes="[[None]]")
    for sizes, drop in (("[3]", False), ("[1, 2]", False), ("[3, 1]", True)):
        elements(f"R.RebatchDatasetV2(input_dataset=R.BatchDatasetV2(input_dataset=rng(8), batch_size=L(4), drop_remainder=False, **w), batch_sizes=L({sizes}), drop_remainder={drop}, **w)", 6, shapes="[[None]]")
    for kind in ("", "Experimental"):
        elements(f"R.{kind}SleepDataset(input_dataset=rng(2), sleep_microseconds=L(1000), **t)", 3)
        elements(f"R.{kind}LatencyStatsDataset(input_dataset=rng(2), tag='a', **t)", 3)
        elements(f"R.{kind}BytesProducedStatsDataset(input_dataset=rng(2), tag='a', **t)", 3)
        elements(f"R.{kind}ThreadPoolDataset(input_dataset=rng(2), thread_pool=R.{kind}ThreadPoolHandle(num_threads=1, display_name='p'), **t)", 3)
    elements("R.AutoShardDataset(input_dataset=rng(2), num_workers=L(1), index=L(0), **t)", 3)
    elements("R.ExperimentalNonSerializableDataset(input_dataset=rng(2), **t)", 3)
    elements("R.ExperimentalMaxIntraOpParallelismDataset(input_dataset=rng(2), max_intra_op_parallelism=L(1), **t)", 3)
    elements("R.ExperimentalPrivateThreadPoolDataset(input_dataset=rng(2), num_threads=L(1), **t)", 3)
    pairs = "R.ZipDataset(input_datasets=[rng(4), R.RangeDataset(start=L(10), stop=L(14), step=L(1), **t)], output_types=[tf.int64, tf.int64], output_shapes=[[], []])"
    runs(b, head % ("rng(1)", "[tf.int64]", "[[]]", "[tf.int64]", "[[]]") + f"T = R.HashTableV2(key_dtype=tf.int64, value_dtype=tf.int64)\nfill = R.InitializeTableFromDataset(table_handle=T, dataset={pairs})\n"
         "get = R.LookupTableFindV2(table_handle=T, keys=L([3, 7, 0]), default_value=L(-1))\n", ["fill", "get", "R.LookupTableSizeV2(table_handle=T)"])


ALL = [stateful_random, more_datasets]
