"""Operations on the parts of ragged tensors."""
import numpy as np

from ..recording import rows, run_errors

RAW = "tf.raw_ops."
SPLITS, IDS = "['ROW_SPLITS']", "['FIRST_DIM_SIZE','VALUE_ROWIDS']"


def i64(v):
    return f"tf.constant({v},tf.int64)"


def late(v, t="None"):
    return f"tf.placeholder_with_default(tf.constant({v},{t}),None)"


def dense(shape, default, parts, types, values="v", make=i64):
    parts = ",".join(make(p) if make is i64 else make(p, "tf.int64") for p in parts)
    return f"{RAW}RaggedTensorToTensor(shape={make(shape) if make is i64 else make(shape, 'tf.int64')},values={values},default_value={default},row_partition_tensors=[{parts}],row_partition_types={types})"


def gather(splits, indices, rank, values="v", make=i64):
    splits = ",".join(make(s) if make is i64 else make(s, "tf.int64") for s in splits)
    return f"{RAW}RaggedGather(params_nested_splits=[{splits}],params_dense_values={values},indices={indices},OUTPUT_RAGGED_RANK={rank})"


def ragged(b):
    b.family("ragged")
    f = b.f
    three, five, rows3 = dict(v=f(3)), dict(v=f(5)), dict(v=f(3, 2))
    d, g = dict(d=f()), dict(grad=True)
    one, two, ids = [[0, 2, 2, 3]], [[0, 2, 3], [0, 1, 4, 5]], [4, [0, 0, 2]]
    calls = [(dense(s, "d", one, SPLITS), {**three, **d}, g) for s in ([-1, -1], [2, -1], [5, 1], [2, 4])]
    calls += [(dense([-1, -1, 2], "d", one, SPLITS), {**rows3, "d": f(*s)}, g) for s in ((2,), (), (1,))]
    calls += [(dense(-1, "d", one, SPLITS), {**three, **d}, g), (dense([-1, -1], "d", ids, IDS), {**three, **d}, g), (dense([-1, -1], "d", [4, [0, 2, 2]], IDS), {**three, **d}, g)]
    calls += [(dense(s, "d", two, SPLITS[:-1] + ",'ROW_SPLITS']"), {**five, **d}, g) for s in ([-1, -1, -1], [-1, 2, 2], [3, 1, 4])]
    calls += [(dense([-1, -1, -1], "d", [2, [0, 0, 1], [0, 1, 1, 1, 2]], IDS[:-1] + ",'VALUE_ROWIDS']"), {**five, **d}, g)]
    calls += [(dense([-1, -1], "''", one, SPLITS), dict(v=np.array(["a", "bc", "d"], object))), (dense([-1, -1], "-1", [[0]], SPLITS), dict(v=np.zeros(0, "int32"))),
              (dense([-1, -1], "tf.constant(0)", one, SPLITS, late([1, 2, 3]), late))]
    calls += [(gather(s, i, r), v, g) for s, i, r, v in ((one, "[2,0,0]", 1, three), (one, "[[2,0],[1,1]]", 2, three), (two, "[1,0]", 2, five), (two, "[[0]]", 3, dict(v=f(5, 2))),
                                                         (one, "1", 0, three), (one, "tf.constant([],tf.int32)", 1, three), (two, "1", 1, five))]
    calls += [(gather(one, late([2, 0]), 1, late([1., 2., 3.]), late), {})]
    calls += [(f"{RAW}RaggedRange(starts={s},limits={l},deltas={d}{o})", {}) for s, l, d, o in (
        ("[0,5,8]", "[3,3,12]", 1, ""), ("[0,5,8]", "[3,3,12]", "[1,-1,2]", ""), (2, "[3,3,12]", "[1,1,2]", ""), (2, 7, 2, ", Tsplits=tf.int32"), ("[0.,1.]", "[1.,.5]", "[.25,-.2]", ""),
        ("[.1]", "[1.]", "[.1]", ""), ("tf.constant([],tf.int32)", "[]", 1, ""), ("tf.constant([0,1<<40],tf.int64)", "[3,(1<<40)+4]", 2, ""), (late([1, 2]), late([4, 2]), late(1), ""),
        ("tf.constant(0,tf.float64)", "1", ".1", ""), ("tf.constant([5,0])", "0", "[-2,3]", ""))]
    sparse = lambda s, v="v", make=i64: f"{RAW}RaggedTensorToSparse(rt_nested_splits=[{','.join(make(x) if make is i64 else make(x, 'tf.int64') for x in s)}],rt_dense_values={v})"
    calls += [(sparse(s), v, g) for s, v in ((one, three), (two, five), (one, rows3), ([[0, 0]], dict(v=f(0))), ([[0]], dict(v=f(0))))]
    calls += [(sparse(one, late([1., 2., 3.]), late), {})]
    fill = lambda i, n, v="v", d="d", make=i64: f"{RAW}RaggedFillEmptyRows(value_rowids={make(i) if make is i64 else make(i, 'tf.int64')},values={v},nrows={make(n) if make is i64 else make(n, 'tf.int64')},default_value={d})"
    calls += [(fill(i, n), {**v, **d}, g) for i, n, v in (([0, 0, 2], 4, three), ([2, 0, 0], 3, three), ([1, 0, 1], 2, three), ([], 2, dict(v=f(0))), ([], 0, dict(v=f(0))))]
    calls += [(fill([0, 2], 3, d="''"), dict(v=np.array(["a", "b"], object))), (f"{RAW}RaggedFillEmptyRowsGrad(reverse_index_map={i64([0, 2])},grad_values=v)", three)]
    to = lambda s, v, batched: f"{RAW}RaggedTensorToVariant(rt_nested_splits=[{','.join(map(i64, s))}],rt_dense_values={v},batched_input={batched})"
    back = lambda e, out, inn=-1: f"{RAW}RaggedTensorFromVariant(encoded_ragged={e},input_ragged_rank={inn},output_ragged_rank={out},Tvalues=tf.float32)"
    calls += [(back(to(s, "v", bt), o), v, g) for s, v, bt, o in ((one, three, False, 1), (one, three, True, 1), (two, five, True, 2), (two, five, False, 2), (one, rows3, True, 1), ([], three, True, 1))]
    calls += [(back(to(two, "v", True), 2, 1), five, g)]
    rows(b, calls, dynamic=0)
    wrong = [dense(s, df, p, t, v, late) for s, df, p, t, v in (
        ([-1, -1, 2], "tf.constant([[7.],[8.]])", one, SPLITS, late("[[1.,2],[3,4],[5,6]]")), ([-1, -1, 3], "7.", one, SPLITS, late("[[1.,2],[3,4],[5,6]]")), ([-1, -1], "7.", one, SPLITS, late("[[1.,2],[3,4],[5,6]]")),
        ([-1, -1], "0.", [[1, 2, 2, 3]], SPLITS, late([1., 2, 3])), ([-1, -1], "0.", [[0, 2, 1, 3]], SPLITS, late([1., 2, 3])), ([-1, -1], "0.", [[]], SPLITS, late([1., 2, 3])),
        ([-1, -1], "0.", [2, [0, 0, 2]], IDS, late([1., 2, 3])), ([-1, -1], "0.", [4, [-1, 0, 1]], IDS, late([1., 2, 3])), ([-1, -1, 2], "tf.constant([7.,8.,9.])", one, SPLITS, late("[[1.,2],[3,4],[5,6]]")))]
    wrong += [gather(s, late(i), r, late(v), late) for s, i, r, v in ((one, [3], 1, [1., 2, 3]), (one, [-1], 1, [1., 2, 3]), ([[0, 2, 2, 4]], [2], 1, [1., 2, 3]), ([[0, 2, 1, 3]], [1], 1, [1., 2, 3]), (one, [[3]], 2, [1., 2, 3]), (one, [0], 1, 1.))]
    wrong += [f"{RAW}RaggedRange(starts={late(s)},limits={late(l)},deltas={late(x)})" for s, l, x in (([1, 2], [3], 1), ([[1]], 3, 1), (1, 3, 0), (0., 1e10, 1e-30))]
    wrong += [sparse(s, late(v), late) for s, v in (([[0, 2, 2, 4]], [1., 2, 3]), ([[1, 3]], [1., 2, 3]), ([[0, 2, 1, 3]], [1., 2, 3]), ([[]], [1., 2, 3]), ([[0, 2, 4], [0, 1, 4, 5]], [1., 2, 3, 4, 5]))]
    wrong += [fill(i, n, late(v), late(x), late) for i, n, v, x in (([0, 3], 3, [1., 2], 9.), ([0, -1], 3, [1., 2], 9.), ([0], 3, [1., 2], 9.), ([0, 1], 3, [1., 2], [9.]), ([0, 1], [3], [1., 2], 9.), ([[0, 1]], 3, [1., 2], 9.), ([0], 0, [1.], 9.))]
    wrong += [f"{RAW}RaggedFillEmptyRowsGrad(reverse_index_map={late(m, 'tf.int64')},grad_values={late(v)})" for m, v in (([0, 5], [1., 2]), ([[0]], [1.]), ([0], [[1.]]))]
    wrong += [back(to(two, "tf.constant([1.,2,3,4,5])", True), 3), back(to(two, "tf.constant([1,2,3,4,5])", True), 2)]
    run_errors(b, wrong)


def ragged_cross(b):
    b.family("ragged_cross")
    words = np.array(["a", "b", "", "cde"], object)
    form = ("tf.raw_ops.RaggedCross(ragged_values=[{rv}],ragged_row_splits=[{rs}],sparse_indices=[{si}],sparse_values=[{sv}],sparse_shape=[{ss}],dense_inputs=[{d}],"
            "input_order='{o}',hashed_output={h},num_buckets={n},hash_key={k},out_values_type=tf.{t},out_row_splits_type=tf.{x})")
    r = dict(rv="w", rs=i64([0, 1, 1, 4]), si="", sv="", ss="", d="", o="R")
    rd = {**r, "rv": "w, i", "rs": f"{i64([0, 1, 1, 4])}, {i64([0, 2, 3, 4])}", "o": "RR"}
    all3 = {**r, "si": i64([[0, 0], [2, 0], [2, 1]]), "sv": "tf.constant(['x','y','z'])", "ss": i64([3, 2]), "d": "tf.constant([[1,2],[3,4],[5,6]],tf.int64)", "o": "DRS"}
    feeds = lambda c: dict(w=words, i=np.array([5, -6, 7, 1 << 40])) if "i" in c["rv"] else dict(w=words)
    calls = [(form.format(**c, h=h, n=n, k=k, t="int64" if h else "string", x=x), feeds(c)) for c in (r, rd, all3)
             for h, n, k, x in ((False, 0, 956888297470, "int64"), (True, 0, 956888297470, "int64"), (True, 100, 5, "int64"))]
    rows(b, calls, dynamic=0)
    bad = {**r, "rv": "tf.placeholder_with_default(['a','b'],None)", "rs": "tf.placeholder_with_default(tf.constant([0,3],tf.int64),None)"}
    run_errors(b, [form.format(**{**bad, "d": "tf.placeholder_with_default([['a'],['b']],None)", "o": "RD"}, h=False, n=0, k=1, t="string", x="int64")])


ALL = [ragged, ragged_cross]
