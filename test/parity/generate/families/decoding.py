"""Beam search over label sequences, and crosses of columns."""
import numpy as np

from ..recording import rows, run_errors


def ctc_beam_search(b):
    b.family("ctc_beam_search")
    calls = []
    for t, n, c, width, paths, merge in ((3, 1, 3, 4, 1, True), (5, 2, 4, 8, 3, False), (8, 3, 5, 100, 2, True), (6, 2, 6, 3, 3, False), (12, 2, 3, 10, 1, True), (1, 1, 2, 2, 2, False)):
        lengths = [t - k % 2 * min(2, t - 1) for k in range(n)]
        calls.append((f"tf.nn.ctc_beam_search_decoder(x, {lengths}, {width}, {paths}, {merge})", dict(x=b.f(t, n, c, scale=2.))))
        calls.append((f"tf.nn.ctc_beam_search_decoder_v2(x, {lengths}, beam_width={width}, top_paths={paths})", dict(x=b.f(t, n, c, dtype="float64")), dict(cmp=(1e-6, 1e-7))))
    rows(b, calls, dynamic=0)
    run_errors(b, ["tf.nn.ctc_beam_search_decoder(tf.ones([2,1,3]), [3], 4, 1)", "tf.nn.ctc_beam_search_decoder(tf.ones([2,1,3]), [2], 2, 3)",
                   "tf.nn.ctc_beam_search_decoder(tf.ones([0,1,3]), [0], 4, 1)", "tf.nn.ctc_beam_search_decoder(tf.ones([1,1,2]), [1], 8, 3)"])


def sparse_cross(b):
    b.family("sparse_cross")
    a, i = "tf.constant([['a'],['b']])", "tf.constant([[1,2],[3,-4]], tf.int64)"
    s = "tf.SparseTensor([[0,0],[1,0],[1,1]], %s, [2,2])"
    t, n = s % "['x','y','']", s % "tf.constant([5,-6,1<<40], tf.int64)"
    calls = [f"tf.sparse.cross([{x}])" for x in (f"{a}, tf.constant([['c','d'],['e','f']])", f"{a}, {i}", f"{a}, {t}, {i}", f"{n}, {t}", a,
                                                 "tf.SparseTensor([[1,0]], ['q'], [2,2]), " + a)]
    calls += [f"tf.sparse.cross([{a}, {i}], separator='-')", f"tf.sparse.cross([{a}, tf.constant([[7],[8]])], name='crossed')"]
    calls += [f"tf.sparse.cross_hashed([{x}]{y})" for x in (f"{a}, {i}", f"{a}, {t}, {i}", f"{n}, {t}", f"{a}, {a}") for y in ("", ", num_buckets=1000", ", hash_key=5, num_buckets=7")]
    many = "tf.raw_ops.SparseCrossHashed(indices=[tf.constant([[0,0],[1,0],[1,1]],tf.int64)],values=[%s],shapes=[tf.constant([2,2],tf.int64)],dense_inputs=[tf.constant([['a'],['b']]),tf.constant([[9],[1<<40]],tf.int64)%s],num_buckets=%d,strong_hash=%s,salt=[1,2])"
    calls += [many % ("tf.constant([5,-6,7],tf.int64)", "", k, False) for k in (0, 100)]
    text = "tf.raw_ops.SparseCrossHashed(indices=[],values=[],shapes=[],dense_inputs=[tf.constant([['a'],['bcd']]),tf.constant([['e'],['f']])],num_buckets=%d,strong_hash=%s,salt=[1,2])"
    calls += [text % (k, strong) for k in (0, 100) for strong in (True, False)]
    rows(b, calls, dynamic=0)
    raw = "tf.raw_ops.SparseCrossV2(indices=[tf.constant(%s,tf.int64)],values=[tf.constant(%s)],shapes=[tf.constant(%s,tf.int64)],dense_inputs=[tf.constant([['a'],['b']])],sep='_')"
    run_errors(b, [raw % v for v in (("[[0,0]]", "['a','b']", "[2,2]"), ("[[0,0]]", "['a']", "[3,2]"), ("[[0,0,0]]", "['a']", "[2,2]"), ("[[0,0]]", "['a']", "[2,2,2]"))])


ALL = [ctc_beam_search, sparse_cross]
