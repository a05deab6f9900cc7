"""What random calls of rare ops found: second gradients of conditionals, shapes that letters or zeros tell, limits, singular matrices."""
import gzip
import zlib

from ..recording import rows, run_errors
from ..tfenv import np, tf
from .edge_cases import refusal
from .staging import runs

TWICE = "; g = tf.gradients(z, x)[0]; h = tf.gradients(g, x)[0]; y = [z, g, h]"


def rare_values(b):
    b.family("rare_values")
    x = np.array([1, 2, 3], "f")
    for taken in (True, False):
        feeds = {"x": x, "p": np.asarray(taken)}
        rows(b, [
            ("z = tf.cond(p, lambda: x * x, lambda: x * x * x)" + TWICE, feeds),
            # Chosen between two parts of a run, and one inside another.
            ("a = tf.cond(p, lambda: (x * x)[:2], lambda: x * x * x); z = tf.cond(p, lambda: tf.reduce_sum(a * a), lambda: tf.reduce_sum(tf.sin(a)))" + TWICE, feeds),
            ("z = tf.cond(p, lambda: tf.cond(x[0] > 2., lambda: x * x, lambda: x ** 4), lambda: tf.sin(x))" + TWICE + "; y += tf.gradients(h, x)", feeds),
        ], dynamic=0)
    matrix = np.array([[1, .5], [.25, 2]], "f")
    rows(b, [
        ("z = tf.linalg.expm(x)" + TWICE, {"x": matrix}, dict(shapes={"x": [None, None]}, cmp=(1e-4, 1e-4))),
        ("z = tf.linalg.lstsq(x, x, l2_regularizer=0.5)" + TWICE, {"x": matrix}, dict(shapes={"x": [None, 2]}, cmp=(1e-4, 1e-4))),
    ], dynamic=0)
    unknown = ("float32", None)
    for call, sizes in (("tf.einsum('ij,kj->ik', x, z)", (3, None)), ("tf.einsum('ab,bc,ca->abc', x, z, z)", (3, 4)), ("tf.einsum('ii', x)", (2, 2)),
                        ("tf.einsum('...i,i->...', x, z)", (4,))):
        b.shape_case(call, {"x": unknown, "z": ("float32", sizes)} if "z" in call else {"x": unknown})
    b.shape_case("[tf.image.rgb_to_hsv(x), tf.image.hsv_to_rgb(x)]", {"x": ("float32", (None, 4, None))})
    b.shape_case("list(tf.linalg.qr(x)) + [tf.linalg.svd(x, compute_uv=False)]", {"x": ("float32", (2, None, 0))})
    inf, nan = np.inf, np.nan
    for dt in ("float32", "float64"):
        b.case("tf.raw_ops.IgammaGradA(a=x, x=z)", inputs={"x": np.array([inf, inf, inf, 1, 0, nan], dt), "z": np.array([inf, 1, 0, inf, inf, 1], dt)}, dynamic=0)
    for dt in ("complex64", "complex128"):
        b.case("[tf.linalg.triangular_solve(x, z), tf.linalg.lstsq(x, z)]", inputs={"x": np.zeros((2, 2), dt), "z": np.zeros((2, 1), dt)}, dynamic=0)
        b.case("list(tf.linalg.lu(x))", inputs={"x": np.zeros((0, 0), dt)}, dynamic=0)
    for call in ("tf.linalg.diag(tf.zeros([3]), num_rows=5, num_cols=6)", "tf.linalg.diag(tf.zeros([3]), k=-1, num_rows=3, num_cols=9)",
                 "tf.linalg.diag(tf.zeros([3]), k=1, num_rows=9, num_cols=3)", "tf.math.reduce_std(tf.constant([1, 2]))",
                 "tf.linalg.diag(tf.zeros([3]), k=5, num_rows=2)"):
        refusal(b, call)
    for call in ("x = tf.placeholder(tf.float32, [3, None])\nq = tf.linalg.qr(x)\ng = tf.gradients(q[1], x)",
                 "x = tf.placeholder(tf.float32, [3, 2])\nq = tf.linalg.qr(x, full_matrices=True)\ng = tf.gradients(q[1], x)",
                 "x = tf.placeholder(tf.float32, [3, None])\nq = tf.linalg.svd(x)\ng = tf.gradients(q[1], x)"):
        refusal(b, call)
    run_errors(b, ["tf.round(tf.constant([1.5 + 2j], tf.complex64))"])
    told = b.fam.cases[-1]["steps"][-1]["error"]
    told.update(message=told["message"].split("\n")[0], match="first")  # the kernels of that build follow


def rare_types(b):
    b.family("rare_values")
    raw = "tf.raw_ops."
    both = lambda t, x, lo, hi: (f"x = [tf.bitcast(tf.constant(v, tf.{t[1:]}), tf.{t}) for v in {x}]\n"
                                 f"r = {raw}QuantizedConcat(concat_dim=0, values=x, input_mins={lo}, input_maxes={hi})\ny = (tf.bitcast(r[0], tf.{t[1:]}), r[1], r[2])")
    rows(b, [(both(*each),) for each in (("qint32", [[1, 2, 3, 64, -65], [100, 99, -5, 7, 0]], [0., -1.], [1., 2.]), ("qint32", [[1000000, 2, 3], [100, 99, -5000]], [-10., -1.], [10., 2.]),
                                         ("qint32", [[-327900151, 530702035, 626610453, 2147483647], [-496576782, -268060892, -2147483648, 8]], [-.3721, -4.922], [4.2431, .5]), ("quint8", [[0, 5, 99, 255], [1, 128, 254, 7]], [-.3, -5.], [4., .7]))], dynamic=0)
    numbers = [1252949478, 1340754471, 124102743, -85997394, 292249176, -460485807, 1827923621, -1842386099, -698378168, -1773266167, 636393364, -2060646285]
    rows(b, [(f"x = tf.bitcast(tf.constant({numbers}), tf.qint32)\nr = {raw}QuantizeDownAndShrinkRange(input=x, input_min={lo}, input_max={hi}, out_type=tf.quint8)\ny = (tf.cast(r[0], tf.int32), r[1], r[2])",)
             for lo, hi in ((-50.01, -50.), (-1000.5, -1000.), (100., 100.001), (-20.00001, -20.), (-5.0001, -5.), (-3., 7.))], dynamic=0)
    for t in ("quint8", "qint8", "qint32", "quint16", "qint16"):
        code = f"x, z = [tf.bitcast(tf.constant(v, tf.{t[1:]}), tf.{t}) for v in ([1, 2, 3, 100], [1, 5, 3, 99])]\ny = [tf.equal(x, z), tf.not_equal(x, z)]"
        b.case(code, inputs={}, dynamic=0)
    pairs = {"x": np.array([1 + 1j, 2, .1j, 3, -1, 1j, 4]), "z": np.array([1j, -2, .1j, 3, .5, -.5j, 2])}
    at = "tf.constant([[0], [1], [2], [3], [4], [5], [6]], tf.int64)"
    for t, own, least in (("complex64", "float32", 1.2), ("complex64", "float64", 1.2), ("complex64", "int32", 1), ("complex64", "int64", 0), ("complex128", "float64", 1.2), ("complex128", "int64", 1)):
        b.case(f"{raw}SparseAdd(a_indices={at}, a_values=x, a_shape=[8], b_indices={at}, b_values=z, b_shape=[8], thresh=tf.constant({least}, tf.{own}))",
               inputs={k: v.astype(t) for k, v in pairs.items()}, dynamic=0)
    run_errors(b, [f"{raw}Inplace{k}(x=tf.constant({x}), i=[0], v=tf.constant({v}))" for k in ("Add", "Sub") for x, v in (("[[True]]", "[[False]]"), ("[['a']]", "[['b']]"))])
    rows(b, [(f"{raw}Inplace{k}(x=tf.constant({x}), i=tf.constant([], tf.int32), v=tf.constant({x})[:0])",) for k in ("Add", "Sub") for x in ("[[True]]", "[['a']]")]
         + [(f"{raw}InplaceUpdate(x=tf.constant({x}), i=[-1], v=tf.constant({v}))",) for x, v in (("[[True], [True]]", "[[False]]"), ("[['a'], ['c']]", "[['b']]"))]
         + [(f"{raw}Inplace{k}(x=tf.constant([[1, 2], [3, 250]], tf.{t}), i=[1, 0], v=tf.constant([[10, 20], [30, 40]], tf.{t}))",) for k in ("Add", "Sub") for t in ("uint8", "uint16", "uint32", "uint64", "float16", "bfloat16", "complex64", "complex128")], dynamic=0)
    for shape in ("None", "[None, None]"):
        refusal(b, f"tf.signal.inverse_mdct(tf.placeholder(tf.float32, {shape}))")



def rare_objects(b):
    """What random programs on queues, barriers, tables, accumulators and parsers found."""
    b.family("rare_values")
    runs(b, "q = tf.FIFOQueue(3, [F], shapes=[[]])\n", ["q.enqueue(1.)", "q.close()", "q.enqueue_many(tf.zeros([0]))", "q.enqueue_many(tf.zeros([1]))", "q.enqueue(2.)", "q.size()"])
    runs(b, "q = tf.PriorityQueue(20, [tf.int32], [[]])\nput = lambda k, v: q.enqueue_many([tf.constant(k, tf.int64), tf.constant(v)])\n",
         ["put([3, 1, 1, 3, 1, 2, 2, 1, 1, 3], list(range(10)))", "q.dequeue_many(10)", "put([1] * 9, list(range(9)))", "q.dequeue_many(4)", "put([1] * 3, [20, 21, 22])", "q.dequeue()", "q.dequeue_up_to(7)"])
    barrier = "q = R.Barrier(component_types=[F, F], shapes=[[], []], shared_name='b')\nput = lambda c, k, v: R.BarrierInsertMany(handle=q, keys=k, values=v, component_index=c)\n" \
              "take = lambda n: R.BarrierTakeMany(handle=q, num_elements=n, component_types=[F, F])\nsizes = lambda: (R.BarrierReadySize(handle=q), R.BarrierIncompleteSize(handle=q))\n"
    runs(b, barrier, ["put(0, ['a', 'b', 'c', 'd', 'e'], [1., 2., 3., 4., 5.])", "put(1, ['e', 'c', 'a', 'b', 'd'], [5., 3., 1., 2., 4.])", "take(3)", "take(2)",
         "put(0, ['f', 'g'], [6., 7.])", "put(1, ['f', 'h', 'h'], [6., 8., 8.])", "sizes()", "R.BarrierClose(handle=q)", "put(0, ['g', 'z'], [7., 0.])", "put(0, ['z'], [0.])", "sizes()"])
    for sparse in ("", "Sparse"):
        runs(b, f"a = tf.{sparse}ConditionalAccumulator(F, shape=[2])\n", ["a.take_grad(0)", "a.take_grad(-1)", "a.num_accumulated()"])
    runs(b, "L = lambda *v: tf.constant(v, tf.int64)\nt = R.HashTableV2(key_dtype=tf.int64, value_dtype=tf.int64, shared_name='h')\nfill = lambda k, v: R.InitializeTableV2(table_handle=t, keys=k, values=v)\n",
         ["fill(tf.zeros([0], tf.int64), tf.zeros([0], tf.int64))", "fill(L(1, 2), L(10, 20))", "R.LookupTableFindV2(table_handle=t, keys=L(1, 2, 3), default_value=L(7))", "R.LookupTableFindV2(table_handle=t, keys=L(1, 3), default_value=L(7, 8))", "fill(L(1, 2), L(10, 20))",
          "fill(L(5, 6), L(50, 60))", "R.LookupTableFindV2(table_handle=t, keys=L(1, 5), default_value=tf.constant(0, tf.int64))", "fill(L(1), L(10))", "R.LookupTableImportV2(table_handle=t, keys=L(1, 2, 3), values=L(1, 2, 3))"])
    runs(b, "t = tf.lookup.experimental.DenseHashTable(tf.int64, F, [0., 1.], -1, -2, initial_num_buckets=8)\nput = lambda *k: t.insert(tf.constant(k, tf.int64), tf.ones([len(k), 2]))\nbuckets = lambda: tf.shape(t.export()[1])\n",
         ["put(1, 2, 3, 5, 8)", "buckets()", "put(1, 2)", "buckets()", "t.size()"])
    csv = [("['', '5']", "[0]", ""), ("['5', '']", "[0]", ""), ("['\\n5', '6', '\\n']", "[0]", ""), ("['1,a\"b', '2,\"x']", "[0]", ", select_cols=[0]"), ("['a\"b,1']", "[0]", ", select_cols=[1]"), ("['\"a\"b\"']", "['']", ""), ("['\"ab']", "['']", ""), ("['\"ab\"\"']", "['']", ""),
           ("['1,', ',2']", "[0, 0]", ""), ("['1,2,', ',2']", "[0, 0]", ""), ("['1,2', '3,']", "[5]", ", select_cols=[1]")]
    runs(b, "", [f"tf.io.decode_csv({records}, {defaults}{more})" for records, defaults, more in csv])
    protos = [b"\x08\x01\x12\x02\x18\x01*\x04\x00\x00\xc0?", b"\x08\x01\x12\x02\x18\x01", b"\x08\x01\x12\x04\x12\x02\x08\x01*\x08\x00\x00\xc0?\x00\x00\x80?"]
    runs(b, "", [f"tf.io.parse_tensor({p!r}, F)" for p in protos] + ["tf.io.decode_compressed(['', ''], 'ZLIB')", "tf.io.decode_compressed([''], 'GZIP')"])


def rare_texts(b):
    """Examples that do not fit, bytes that only look like characters, compressed bytes cut short."""
    b.family("rare_values")
    def example(**features):
        made = tf.train.Example()
        for k, v in features.items():
            f = made.features.feature[k]
            getattr(f, {str: "bytes_list", int: "int64_list", float: "float_list"}[type(v[0])]).value.extend([x.encode() if isinstance(x, str) else x for x in v])
        return made.SerializeToString(deterministic=True)
    takes = {"F": "[1., 2., 3.]", "tf.int64": "[1, 2, 3]", "tf.string": "['a', 'b', 'c']"}
    specs = [f"tf.FixedLenFeature([2], {t})" for t in takes] + [f"tf.FixedLenSequenceFeature([2], {t}, allow_missing=True)" for t in takes] + ["tf.VarLenFeature(tf.string)", "tf.io.RaggedFeature(F)"]
    given = [example(a=[7]), example(a=["x"]), example(a=[1.5, 2.5, 3.5]), example(a=["x", "y", "z"]), example(a=[7, 8, 9], b=[1]), example(b=[1.])]
    code = "V = lambda d: [x if isinstance(x, tf.Tensor) else x.values for k, x in sorted(d.items())]\n"
    steps = [(s, g) for s in specs for g in given]
    runs(b, code, [f"V(tf.parse_example([{g!r}], {{'a': {s}}}))" for s, g in steps] + [f"V(tf.parse_single_example({g!r}, {{'a': {s}}}))" for s, g in steps])
    both = "{'a': tf.FixedLenFeature([2], tf.int64), 'b': tf.FixedLenFeature([2], tf.int64), 'c': tf.VarLenFeature(tf.int64)}"
    runs(b, code, [f"V(tf.parse_example({g!r}, {both}))" for g in ([example(a=[1], b=[1])], [example(a=[1])], [example(a=[1, 2], b=[1, 2], c=[1.])], [example(a=[1, 2], b=[3, 4]), example(c=[5.])], [example(a=[1], b=[3, 4]), b"junk"])])
    sequences = []
    for context, lists in (([1], [[1.]]), ([1, 2], [[1.]]), ([], [[1., 2.], [3.]]), ([5], None)):
        made = tf.train.SequenceExample()
        made.context.feature["c"].int64_list.value.extend(context)
        for row in lists or []:
            made.feature_lists.feature_list["u"].feature.add().float_list.value.extend(row)
        sequences.append(made.SerializeToString(deterministic=True))
    ask = "tf.io.parse_sequence_example(%r, {'c': tf.FixedLenFeature([], tf.int64)}, {'u': tf.FixedLenSequenceFeature([2], F)})"
    runs(b, "V = lambda p: [x for d in p for x in d.values()]\n", [f"V({ask % (given,)})" for given in ([sequences[0]], [sequences[1]], [sequences[2]], [sequences[0], sequences[3]], [sequences[3], sequences[0]])])
    odd = [b"\xed\xa0\x80", b"a\xe0\x80\x80b", b"\xf4\xbf\xbf\xbfx", b"\xc3", b"\xc0\x80", b"x\xed\xa0\x80\xed\xb0\x80y"]
    patterns = [r".*", r".", r"[^a-z]*", r"\W+", r"\w*", r"[^\x{65e5}]*", r"[\x80-\x{10ffff}]+", r"[\x81-\x{10ffff}]+", r"(?i)[^a]+", r"(?i)[^k]+", r"\PL+", r"[^[:^alpha:]]+", ""]
    runs(b, f"x = tf.constant({odd!r})\n", [f"[tf.strings.regex_full_match(x, {p!r}), tf.strings.regex_replace(x, {p!r}, '<\\\\0>')]" for p in patterns])
    zlibs, gzips = [[f(t) for t in (b"abcabcabcabc" * 9, b"")] for f in (lambda t: zlib.compress(t), lambda t: gzip.compress(t, mtime=0))]
    z, g = zlibs[0], gzips[0]
    compressed = [(x, "ZLIB") for x in (z + b"tail", z[:-1], z[:-4], z[:9], z[:1], z[:-1] + b"\0", zlib.compress(bytes(range(99)), 0)[:50], zlibs[1][:3], b"junk", g)]
    compressed += [(x, "GZIP") for x in (g + g, g + b"x", g + b"0123456789", g[:-8], g[:14], g[:9], g[:-8] + b"\0" * 8, z)]
    runs(b, "", [f"tf.io.decode_compressed({x!r}, {kind!r})" for x, kind in compressed])
    dense = "t = tf.lookup.experimental.DenseHashTable(tf.%s, tf.int64, 0, %s, %s, initial_num_buckets=4)\nput = lambda k, v: t.insert(tf.constant(k, tf.%s), tf.constant(v, tf.int64))\ntake = lambda *k: t.remove(tf.constant(k, tf.%s))\n"
    for t, marks, k in (("int64", (-1, -2), [5, 9, 13, -8, 2, 3, 1 << 40, 7]), ("string", ("''", "'#'"), ["a", "b", "c", "dd", "e", "f", "g", "h"])):
        last = repr(t == "string" and "#" or -2)
        runs(b, dense % (t, *marks, t, t), [f"put({k[:2]}, [1, 2])", "t.export()", f"put({k[2:3]}, [3])", "t.export()", f"take({k[0]!r})", "t.export()", f"put({k[1:2]}, [22])", "t.export()", "t.size()", f"t.lookup(tf.constant({k[:4]}, tf.{t}))",
             f"put({k[3:]}, [4, 5, 6, 7, 8])", "t.export()", "t.size()", f"take({k[1]!r})", f"t.lookup(tf.constant({k[:4]}, tf.{t}))", f"put([{k[0]!r}, {last}], [1, 2])", "t.size()"])


ALL = [rare_values, rare_types, rare_objects, rare_texts]
