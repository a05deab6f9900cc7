"""Values and types at the edge: limits of every type, NaN and infinities, ties, singular matrices, what is refused."""
import numpy as np

from ..core import graph_json, shape_fields
from ..program import Interp, compile_text, core_message, tf1_message
from ..recording import rows, run_errors
from ..tfenv import new_session, tf
from .programs import run_program

RAW = "tf.raw_ops."
FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
COMPLEX = ("complex64", "complex128")


def late(shape, t="tf.float32"):
    """A tensor whose shape is known only while running."""
    return f"tf.placeholder_with_default(tf.ones({list(shape)}, {t}), None)"


def of(values, t):
    return np.asarray(values).astype(tf.as_dtype(t).as_numpy_dtype)


def integers(t):
    i = np.iinfo(t)
    return np.array([0, 1, 2, 3, 7, 100, i.max, i.max - 1] + ([-1, -2, -3, -7, -100, i.min, i.min + 1] if i.min else []), t)


def pairs(v):
    return [a.reshape(-1) for a in np.meshgrid(v, v)]


FINITE = [0., -0., 1, -1, .5, -.5, 1.5, 2.5, -2.5, 3.7, 20., -20.]
WILD = FINITE + [np.inf, -np.inf, np.nan]
PLANE = np.array([1, -1, 1j, -1j, 1 + 1j, 2 - 3j, -2 + .5j, -.3 - .2j, .5, -.5, 3, -3, 10 + 1j])


def edge_values(b):
    b.family("edge_values")
    calls = []
    for n in "abs exp floor log1p negative rint rsqrt sigmoid sign sin sqrt tanh ceil erf nn.relu nn.relu6 nn.elu nn.softsign math.softplus".split():
        calls += [(f"tf.{n}(x)", dict(x=of(WILD, t))) for t in (FLOATS[2:] if n == "rint" else FLOATS[:3] if n == "erf" else FLOATS)]
    for n in "add subtract multiply maximum minimum less greater_equal floordiv floormod".split():
        for t in INTEGERS:
            x, z = pairs(integers(t))
            if "floor" in n:
                fits = (z != 0) & ~((x == np.iinfo(t).min) & (z == np.array(-1).astype(t)))
                x, z = x[fits], z[fits]
            calls.append((f"tf.{n}(x, z)", dict(x=x, z=z)))
    for n in "maximum minimum less_equal not_equal atan2 pow".split():
        x, z = pairs(np.array(WILD, "f"))
        calls.append((f"tf.{n}(x, z)", dict(x=x, z=z)))
    for n in "abs acos acosh asin asinh atan cos cosh exp log log1p reciprocal sigmoid sin sqrt square tan tanh math.angle math.real math.conj".split():
        calls += [(f"tf.{n}(x)", dict(x=PLANE[(np.abs(PLANE) != 1) | (n == "abs")].astype(t))) for t in COMPLEX]
    for s in FLOATS + INTEGERS + COMPLEX:
        x = of([0, 1, 2, 100, 3.7], s)
        calls += [(f"tf.cast(x, tf.{d})", dict(x=x)) for d in ("float16", "bfloat16", "float64", "int8", "uint16", "int64", "bool", "complex64")]
        calls += [(f"tf.saturate_cast(x, tf.{d})", dict(x=integers(s) if s in INTEGERS else of([0, -3, 300, 1e6, -1e30], s))) for d in ("uint8", "int16", "uint32", "float16", "complex64")]
    x = np.array([1e300 - 1e300j, -2 + 3e200j, 1j])
    calls += [("tf.saturate_cast(x, tf.complex64)", dict(x=x)), ("tf.sigmoid(x)", dict(x=np.array([-100 - 50j, -800 + 3j, 800], "complex128")))]
    calls += [(f"{RAW}{n}Grad(y=x, dy=z)", dict(x=PLANE.astype(t), z=PLANE[::-1].astype(t))) for n in ("Tanh", "Sigmoid") for t in COMPLEX]
    calls += [(f"{RAW}{n}Grad(gradients=x, features=z)", dict(x=np.array([1, -1, np.nan, np.inf, 2], "f"), z=np.array([-1, -1, -1, 7, 1], "f"))) for n in ("Relu", "Relu6", "LeakyRelu")]
    calls += [(f"{RAW}Inplace{n}(x=x + 0, i=[1, 1, -1], v=v)", dict(x=of(b.rng.randn(3, 2) * (1 - .5j), t), v=of(b.rng.randn(3, 2) * (1j + 2), t))) for n in ("Add", "Sub", "Update") for t in COMPLEX]
    calls += [("tf.igamma(x, z)", dict(x=np.array([np.inf, np.inf, 2], "f"), z=np.array([1, np.inf, np.inf], "f"))), ("tf.zeta(x, z)", dict(x=np.array([np.inf, 2, 3], "f"), z=np.array([0, 0, 2.5], "f")))]
    calls += [(f"{RAW}ClipByValue(t=x, clip_value_min=tf.constant(1 + 1j, tf.{t}), clip_value_max=tf.constant(3 + 2j, tf.{t}))", dict(x=PLANE.astype(t))) for t in COMPLEX]
    calls += [(f"tf.{n}(x, [0, 0, 2])", dict(x=np.array([s * np.inf, s * np.inf, 1], "f"))) for n, s in (("segment_max", -1), ("segment_min", 1))]
    image = np.arange(24).reshape(1, 3, 4, 2)
    calls += [("tf.nn.dilation2d(x, w, [1, 1, 2, 1], [1, 1, 1, 1], 'SAME')", dict(x=of(image, t), w=of(np.arange(8).reshape(2, 2, 2), t))) for t in ("int8", "int64", "uint8", "uint64", "float64")]
    rows(b, calls, dynamic=0)
    # Gradients where elements tie, and of complex patches and rows.
    ones = np.ones((1, 2, 3, 3, 1), "f")
    rows(b, [("tf.nn.max_pool3d(x, [1, 2, 2, 2, 1], [1, 1, 1, 1, 1], 'SAME')", dict(x=ones)),
             ("tf.nn.max_pool(x, [1, 2, 2, 1], [1, 1, 1, 1], 'SAME')", dict(x=ones[:, 0])),
             ("tf.reduce_max(x, 1)", dict(x=ones[0, 0, :, :, 0])), ("tf.maximum(x, z)", dict(x=ones[0, 0, 0, :, 0], z=ones[0, 0, 0, :, 0]))], grad=True, dynamic=0)
    # Matrices that have no answer, or an infinite one.
    bad = [[[-1, 0], [0, 1]], [[0, 0], [0, 1]], [[np.nan, 0], [0, 1]], [[1, 0], [np.nan, 1]]]
    # Above the diagonal TensorFlow leaves what was in memory.
    calls = [("tf.matrix_diag_part(tf.cholesky(x))", dict(x=np.array(m, "f"))) for m in bad]
    calls += [("tf.svd(x, compute_uv=False)", dict(x=np.array(m, "f"))) for m in bad]
    calls += [("tf.matrix_triangular_solve(x, z)", dict(x=np.array([[0, 0], [1, 2]], t), z=np.ones((2, 1), t))) for t in ("f", "d")]
    calls += [("tf.linalg.tridiagonal_solve(x, z)", dict(x=np.array([[0, 1, 0], [0, 1, 1], [1, 1, 0]], "f"), z=np.ones((3, 1), "f")))]
    rows(b, calls, dynamic=0)
    run_errors(b, [f"tf.cast(tf.constant([1], tf.{t}), tf.string)" for t in ("float16", "float32", "int8", "uint64", "complex64")]
               + ["tf.self_adjoint_eig(tf.constant([[1., 0.], [np.nan, 1.]]))", "tf.matrix_inverse(tf.constant([[0., 0.], [0., 1.]]))",
                  "tf.matrix_inverse(tf.constant([[np.nan, 0.], [0., 1.]]))", "tf.histogram_fixed_width(tf.constant([1., np.nan]), [0., 5.], nbins=4)",
                  "tf.image.crop_and_resize(tf.ones([1, 4, 4, 1]), tf.constant([[0., 0., np.inf, 1.]]), [0], [2, 2])"]
               + [f"tf.cross({late(a)}, {late((2, 3))})" for a in ((3, 3), (3,), (1, 2, 3))]
               + [f"tf.betainc({late(a)}, {late((4,))}, {late(x)})" for a, x in (((5,), (4,)), ((1, 4), (4,)), ((4,), (0,)))]
               + [f"tf.unstack({late(a)}, num=3, axis=0)" for a in ((0, 3), (4,))]
               + [f"tf.reverse_sequence({late(a)}, [1, 1], seq_axis=1, batch_axis=0)" for a in ((3, 2), (0, 4))]
               + [f"tf.nn.lrn({late(a)})" for a in ((2, 3), (1, 1, 2, 3, 4))]
               + [f"tf.nn.dilation2d({late(a)}, {late(w)}, [1, 1, 1, 1], [1, 1, 1, 1], 'SAME')" for a, w in (((1, 3, 3, 2), (2, 2, 1)), ((3, 3, 2), (2, 2, 2)), ((1, 3, 3, 2), (2, 2)))]
               + [f"tf.tensor_scatter_nd_update({late(a)}, {late(i, 'tf.int32')}, {late(u)})" for a, i, u in
                  (((4, 2), (3, 1), (2, 2)), ((4, 2), (2, 2), (2, 2)), ((4, 2), (2, 1), (2, 3)), ((0, 2), (2, 1), (2, 2)), ((4, 2), (2, 1), ()))]
               + [f"{RAW}{n}Grad({y}={late(a)}, {d}={late(c)})" for n, y, d, a, c in (("Tanh", "y", "dy", (5,), (2,)), ("Sqrt", "y", "dy", (0,), (3,)), ("Reciprocal", "y", "dy", (2, 2), (2,)))]
               + [f"{RAW}GRUBlockCell(x={late(x)}, h_prev={late(h)}, w_ru={late((5, 4))}, w_c={late((5, 2))}, b_ru={late(b_ru)}, b_c={late((2,))})" for x, h, b_ru in
                  (((3,), (1, 2), (4,)), ((1, 3), (2, 2), (4,)), ((1, 3), (1, 2), (4, 1)), ((1, 3), (1, 2), (3,)))]
               + [f"tf.{n}(tf.constant([1, 2], tf.{t}), tf.constant([1, 0], tf.{t}))" for n in ("floordiv", "floormod") for t in INTEGERS])


REFUSED = """
tf.saturate_cast(tf.ones([2]), tf.bool)
tf.saturate_cast(tf.ones([2]), tf.string)
tf.saturate_cast(tf.ones([2]), tf.qint8)
tf.bitcast(tf.ones([3]), tf.float64)
tf.bitcast(tf.ones([3], tf.int8), tf.int32)
tf.divide(tf.constant([True]), tf.constant([True]))
tf.truediv(tf.constant(['a']), tf.constant(['b']))
tf.math.divide_no_nan(tf.constant([True]), tf.constant([True]))
tf.math.reciprocal_no_nan(tf.constant([1]))
tf.math.real(tf.constant([True]))
tf.math.conj(tf.constant(['a']))
tf.math.angle(tf.constant([1]))
tf.nn.leaky_relu(tf.constant([True]))
tf.nn.leaky_relu(tf.constant(['a']))
tf.div(tf.constant([1], name='a'), tf.constant([1.5], name='b'))
tf.math.multiply_no_nan(tf.constant([1], name='a'), tf.constant([1.5], name='b'))
"""


def refusal(b, text):
    """What TensorFlow says while the graph is built."""
    program = compile_text(text)
    with tf.Graph().as_default():
        interp = Interp()
        try:
            interp.run(program)
        except Exception as e:
            message = str(e)
            rec = {"class": type(e).__name__, "bases": [c.__name__ for c in type(e).__mro__[1:-1]], "message": message, "match": "exact"}
            if tf1_message(message) != message:
                rec["message_tf1"] = tf1_message(message)
            b.fam.cases.append(dict(id=b.new_id(), family=b.fam.name, op="construct", kind="construct_error", python_call=text, tags=[],
                                    program=program, raises_at=interp.at, error=rec))
        else:
            b.failures.append((b.fam.name, text, "raised nothing"))


def edge_refusals(b):
    b.family("edge_refusals")
    for text in REFUSED.strip().splitlines():
        refusal(b, "y = " + text)


def edge_sums(b):
    """Running sums of halves, means of integers, what wraps, ranks up to 8, sizes of 0."""
    b.family("edge_sums")
    wide = lambda *shape: b.rng.uniform(-1, 2, shape)
    calls = [(f"tf.{n}(x)", dict(x=of(wide(400), t))) for n in ("cumsum", "math.cumulative_logsumexp", "reduce_mean", "reduce_sum") for t in FLOATS[:2]]
    calls += [(f"tf.cumprod(x)", dict(x=of(1 + wide(300) / 50, t))) for t in FLOATS[:2]]
    limits = lambda t, *shape: b.rng.choice(np.array([np.iinfo(t).max, np.iinfo(t).max - 1, np.iinfo(t).min, 1, 3, np.iinfo(t).max // 3], t), shape)
    for t in INTEGERS:
        x = limits(t, 5, 7)
        calls += [(f"tf.{n}(x, {axis})", dict(x=x)) for n in ("reduce_mean", "reduce_sum", "reduce_prod", "cumprod") for axis in (0, 1)]
        calls += [("tf.matmul(x, z)", dict(x=x, z=limits(t, 7, 2)))] if t in ("int32", "int64") else []
        calls += [("tf.unsorted_segment_sum(x, [0, 2, 0, 2, 0], 3)", dict(x=x))]
    calls += [(f"{RAW}RandomGammaGrad(alpha=x, sample=z)", dict(x=np.array([.5, 1, 60], t), z=np.array([0, .3, 0], t))) for t in ("f", "d")]
    calls += [(f"tf.math.{n}(x)", dict(x=np.array([np.finfo("d").max, -np.finfo("d").max, 700, 720]))) for n in ("bessel_i0", "bessel_i1")]
    calls += [(f"{RAW}IsotonicRegression(input=x)", dict(x=np.array([v], "f"))) for v in ([1, 1, 2, 2, 1, 1], [0, 0, 0, 0], [3, 2, 2, 1])]
    ones = np.ones(3, "f")
    rows(b, calls, dynamic=0)
    nothing = lambda *shape: np.zeros(shape, "f")
    rows(b, [(f"tf.reshape(x, {to})", dict(x=nothing(*of_shape))) for of_shape, to in
             (((2, 0, 2), [2, 0, -1]), ((0, 4), [-1, 0]), ((0,), [0, -1]), ((0, 4), [2, -1, 0]), ((0, 4), [0, 3, -1]), ((0, 6), [0, -1, 0, 3]), ((0, 6), [4, -1]))], dynamic=0)
    shape = (2, 1, 3, 2, 1, 2, 2, 1)
    x = b.f(*shape)
    calls = [(f"tf.{n}(x, {axes})", dict(x=x)) for n in ("reduce_sum", "reduce_max", "math.reduce_variance") for axes in ([0, 7], [1, 3, 5], list(range(8)))]
    calls += [(c, dict(x=x)) for c in ("tf.transpose(x)", "tf.concat([x, x * 2], 3)", "tf.tile(x, [1, 2, 1, 1, 1, 1, 1, 2])", "tf.reverse(x, [0, 2, 6])", "tf.gather(x, [0, 0], axis=2)", "x[::-1, :, ::2, ..., 0]",
                                       "tf.matmul(x, x, transpose_a=True)", "tf.pad(x, [[1, 0], [0, 2]] + [[0, 0]] * 6)", "tf.nn.top_k(x, 1)")]
    calls += [(f"tf.gather(x, [0, 0], axis={axis})", dict(x=nothing(2, 0, 3, 1))) for axis in (2, -1)]
    calls += [("tf.nn.fused_batch_norm(x, s, s)[0]", dict(x=nothing(0, 2, 2, 3), s=ones))]
    rows(b, calls, grad=True, dynamic=0)
    run_errors(b, [f"{RAW}{n}(input=tf.ones([4, 4, 4], tf.{t}), fft_length={[4] * d}, {k}=tf.{o})" for n, t, d, k, o in
                   (("RFFT", "float32", 1, "Tcomplex", "complex128"), ("IRFFT", "complex64", 1, "Treal", "float64"), ("RFFT2D", "float64", 2, "Tcomplex", "complex64"), ("IRFFT3D", "complex128", 3, "Treal", "float32"))]
               + [f"{RAW}ComplexAbs(x=tf.ones([2], tf.{t}), Tout=tf.{o})" for t, o in (("complex64", "float64"), ("complex128", "float32"))]
               + [f"tf.reshape({late(a)}, {to})" for a, to in (((2, 2), [0, -1]), ((6,), [0, 4, -1]))])


NAMED = [
    "y = tf.nn.embedding_lookup(v, A([0, 2], 'int32'))",
    "y = tf.nn.embedding_lookup([v, v], A([0, 2], 'int32'))",
    "y = tf.gather(v, A([[0, 2]], 'int32'), name='g')",
    "y = tf.gather(v, A([0, 1], 'int32'), axis=1)",
    "y = tf.gather_nd(v, A([[0, 1]], 'int32'))",
    "y = tf.gather_nd(v, A([[0], [2]], 'int32'))",
]
STEPS = [
    "opt = tf.train.FtrlOptimizer(0.1, -0.6, 0.2, l2_shrinkage_regularization_strength=0.05, accum_name='acc', linear_name='lin')",
    "opt = tf.train.AdamOptimizer(tf.cast(0.1, tf.float32), use_locking=True)",
    "opt = tf.train.RMSPropOptimizer(0.1, 0.8, 0.5, 0.01, centered=True)",
    "opt = tf.train.AdadeltaOptimizer(0.1)",
]


def edge_rows(b):
    """Rows of resource variables, their gradients, and steps by them; variables of other types."""
    b.family("edge_rows")
    resource = "v = tf.get_variable('v', [3, 2], use_resource=True)\n"
    texts = [f"{resource}{call}\ng = tf.gradients(y, [v])" for call in NAMED]
    texts += [f"{resource}loss = tf.reduce_sum(tf.square(tf.nn.embedding_lookup(v, A([0, 2, 0], 'int32'))))\n{opt}\ntr = opt.minimize(loss)\nvs = opt.variables()" for opt in STEPS]
    texts += [f"v = tf.Variable(tf.cast(A([[0.5, -0.25], [1.0, 2.0]]), tf.{t}), name='v')\n{opt}\ntr = opt.minimize(tf.reduce_sum(tf.square(v)))\nsn = opt.get_slot_names()" for opt in STEPS for t in ("float64", "float16")]
    for text in texts:
        try:
            program, expected = run_program(text)
            b.fam.cases.append(dict(id=b.new_id(), family=b.fam.name, op="program", kind="program", python_call=text, tags=[], program=program, expected=expected))
        except Exception as e:
            b.failures.append((b.fam.name, text, f"{type(e).__name__}: {str(e)[:300]}"))


TWICE = """
tf.asin(x)|tf.atanh(x)|tf.lgamma(x + 2.)|tf.math.erfinv(x)|tf.math.ndtri(x * .4 + .5)|tf.math.bessel_i1(x)|tf.math.special.dawsn(x)|tf.nn.selu(x)|tf.nn.swish(x)
tf.math.special.bessel_y0(x + 2.)|tf.math.reduce_std(x, 1)|tf.cumprod(x, 1)|tf.math.cumulative_logsumexp(x, 1)|tf.qr(x)|tf.linalg.logdet(tf.matmul(x, x, transpose_b=True) + 3. * tf.eye(3))
tf.pow(x + 2., x[0])|tf.zeta(x + 3., x[0] + 2.)|tf.atan2(x, x[0] + 2.)|tf.math.xlog1py(x, x[0])|tf.floormod(x, x[0] + 2.)|tf.tensordot(x, x, 1)
tf.nn.pool(x4, [2, 2], 'MAX', 'SAME', dilation_rate=[2, 1])|tf.nn.pool(x4, [2, 2], 'AVG', 'VALID')
tf.nn.batch_normalization(x, x[0], x[1] + 1.5, x[2], x[0], 1e-2)|tf.nn.l2_normalize(x, 1)|tf.nn.log_poisson_loss(tf.abs(x) + .1, x, True)|tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 2, 1], logits=x)
tf.segment_prod(x + 2., [0, 0, 1])|tf.unsorted_segment_max(x, [2, 0, 0], 3)|tf.unsorted_segment_prod(x, [2, 0, 0], 3)|tf.gather(x, [[0, 1], [1, 1], [2, 0]], batch_dims=1)|tf.reverse_sequence(x, [1, 2, 3], seq_axis=1)
tf.tensor_scatter_nd_max(x, [[0], [1]], x[:2] * 2.)|tf.clip_by_global_norm([x, x * x], .5)[0]|tf.matrix_triangular_solve(x + 3. * tf.eye(3), x)|tf.self_adjoint_eig(x + tf.transpose(x) + tf.diag([1., 3., 7.]))[0]
tf.linalg.tridiagonal_solve(x + tf.constant([[0.], [4.], [0.]]), x[:, :1])|tf.abs(tf.spectral.rfft(x))|tf.math.angle(tf.complex(x, x * x))|tf.image.resize_bilinear(x4, [5, 4])|tf.fake_quant_with_min_max_vars(x, -.8, .7)
"""


def edge_second(b):
    """Gradients of gradients."""
    b.family("edge_second")
    for call in TWICE.replace("\n", "|").strip("|").split("|"):
        text = (f"x4 = tf.reshape(x, [1, 3, 3, 1])\nz = {call}\nz = z if isinstance(z, (list, tuple)) else [z]\n"
                "y = tf.convert_to_tensor(tf.gradients([q * q for q in z], [x])[0])")
        b.case(text, dict(x=b.f(3, 3, lo=-.9, hi=.9)), grad=True, cmp=(1e-4, 1e-5), gcmp=(1e-4, 1e-5), dynamic=0, ingraph=False)


TEXTS = [b"", b"a", b"abc", b"\xff\xfe", b"a\x00b", b"h\xc3\xa9llo", b"\xe6\x97\xa5\xe6\x9c\xac", b"\xf0\x9f\x98\x80x", b"ABC xyz ", b"\xc3", b"a,b,,c",
         b"\xc0\x80", b"\xef\xbb\xbfbom", b"\xc3\x89T\xc3\x89", b"line\nb\r\xe2\x80\xa8c"]
NUMBERS = " 1|\t2\n|1e5|1E-3|0x10|-0X1.8p3|0x.8P-1|nan|-nan|nan(1)|inf|-Infinity|+1|1.|.5|1e400|-1e400|3.4028236e38|16777217|0.30000000000000004|-0".split("|")
NO_NUMBERS = "1e|0x|--1||.|1_000|1,000|1d5|1e+|+-1|1 2|infinit|0x1p".split("|")
PATTERNS = ["", ".", "(?s).", "[^a-z]", "\\W", "\\s+", "x*", "l*", "(b)", "^", "$", "(?m)^", "(?m)$", "\\bb", "[[:alpha:]]+", "[[:^alnum:]]", "\\pL", "\\PL", "\\p{Han}", "\\p{^Latin}", "(?i)ABC", "a(?i)B(?-i)c", "(?P<x>l)",
            "\\Qa,\\E", "[]a]", "[\\d,-]", "\\x41", "\\x{e9}", "\\101", "a{2", "l{2}", "l{1,}?", "(?U)l+", "^*", "(a|b)|c"]
REFUSED_PATTERNS = "( [ a** *a +a a{2,1} a{1001} \\8 \\1 (?=a) (?<n>a) (?P<n (?P=n) [b-a] a) (?z) (?i \\pX \\p{Foo} [a [] [a- \\ \\x4 \\x{110000} x{2}{3} \\Z [\\8] [z-\\d] a++ (?>a) (?i)* (*) (?-) {2}".split(" ")


def edge_strings(b):
    """Bytes that are no UTF-8, zeros, numbers in odd clothes, printf's flags, RE2's syntax and refusals."""
    b.family("edge_strings")
    texts = np.array(TEXTS, object)
    ops = ["strings.length(s, unit='UTF8_CHAR')", "strings.lower(s)", "strings.lower(s, encoding='utf-8')", "strings.upper(s, encoding='utf-8')", "strings.strip(s)", "strings.reduce_join(s, separator='|')",
           "strings.to_hash_bucket_fast(s, 9223372036854775807)", "strings.to_hash_bucket(s, 7)", "strings.to_hash_bucket_strong(s, 1000, [1, 2])", "io.encode_base64(s)", "io.decode_base64(tf.io.encode_base64(s, pad=True))",
           "string_split(s, '')", "strings.split(s, ',', result_type='SparseTensor')", "strings.unsorted_segment_join(s, ([0, 1, 2, 3] * 4)[1:], 4, separator='+')", "strings.format('{}', s, summarize=-1)",
           "strings.unicode_transcode(s, 'UTF-8', 'UTF-16-BE')", "equal(s, s[::-1])", "unique(tf.concat([s, s], 0))"]
    rows(b, [(f"tf.{c}", dict(s=texts)) for c in ops], dynamic=0)
    rows(b, [(f"tf.strings.regex_replace(s, {p!r}, '<\\\\0>')", dict(s=texts)) for p in PATTERNS] + [(f"tf.strings.regex_full_match(s, {p!r})", dict(s=texts)) for p in (".*", "(?s).*", "a.*", "", "(?i)ABC\\s.*")]
         + [(f"tf.strings.regex_replace(s, '(b)', {r!r})", dict(s=texts)) for r in ("\\1\\1", "\\2", "q\\x", "\\\\", "$1")] + [("tf.strings.regex_replace(s, 'l', 'L', replace_global=False)", dict(s=texts))], dynamic=0)
    rows(b, [(f"tf.strings.substr(s, {p}, {n}, unit='{u}')", dict(s=np.array(["hello", "h\u00e9llo"], object))) for p, n in ((1, 2), (-3, 2), (2, -1), (0, -5), (0, 100)) for u in ("BYTE", "UTF8_CHAR")], dynamic=0)
    rows(b, [(f"tf.string_to_number(s, tf.{t})", dict(s=np.array(NUMBERS, object))) for t in FLOATS[2:]]
         + [(f"tf.string_to_number(s, tf.{t})", dict(s=np.array([" 1", "+7 ", "0777", str(np.iinfo(t).max), str(np.iinfo(t).min or 0)], object))) for t in ("int32", "int64", "uint32", "uint64")], dynamic=0)
    formats = ["", "width=8", "width=8, fill='0'", "width=8, fill='-'", "fill='+'", "fill=' '", "fill='#'"]
    real = ["precision=0", "precision=20", "scientific=True", "shortest=True", "precision=5, width=14, fill='0'", "width=12, precision=2, shortest=True, fill='+'", "precision=0, fill='#'", "shortest=True, fill='#'", "scientific=True, precision=0, fill='#'"]
    values = {t: of([0, -0., .1, 2.5, -1e10, 123456.789, np.inf, -np.inf, np.nan][:9 if t != "float16" else 4], t) for t in FLOATS}
    values.update({t: integers(t)[[0, 2, 5, -1]] for t in INTEGERS}, complex64=np.array([1 + 2j, -.5j], "complex64"), bool=np.array([True, False]), string=np.array(["a", b"\xff"], object))
    rows(b, [(f"tf.as_string(x{', ' + f if f else ''})", dict(x=x)) for t, x in values.items() for f in formats + (real if t in FLOATS + COMPLEX + ("string",) else [])], dynamic=0)
    run_errors(b, [f"tf.string_to_number({s!r}, tf.{t})" for s in NO_NUMBERS for t in ("float32", "int32")] + [f"tf.string_to_number('{s}', tf.{t})" for t, s in (("int32", 2**31), ("uint32", -1), ("uint32", "-0"), ("int64", 2**63), ("uint64", 2**64))]
               + [f"tf.as_string(tf.constant({v}), {f})" for v in ("[1]", "[True]") for f in ("precision=0", "scientific=True", "scientific=True, shortest=True")] + [f"tf.as_string(tf.constant([1.0]), {f})" for f in ("scientific=True, shortest=True", "fill='x'", "fill='00'")]
               + [f"tf.strings.regex_replace('abc', {p!r}, '-')" for p in REFUSED_PATTERNS] + ["tf.strings.regex_full_match('abc', '[')"] + [f"tf.io.decode_base64('{t}')" for t in ("Q", "QQ=", "Q+8=", "====", "QQ==QQ==")]
               + [f"tf.strings.substr('hello', {p}, 1, unit='{u}')" for p in (6, -6) for u in ("BYTE", "UTF8_CHAR")])


OPTIMIZERS = """GradientDescentOptimizer(0.1)|MomentumOptimizer(0.1, 0.9)|AdamOptimizer(0.1)|AdagradOptimizer(0.1)|AdagradDAOptimizer(0.1, tf.constant(3, tf.int64))|AdadeltaOptimizer(0.1)|RMSPropOptimizer(0.1)
RMSPropOptimizer(0.1, momentum=0.5, centered=True)|FtrlOptimizer(0.1, l1_regularization_strength=0.1, l2_regularization_strength=0.2, l2_shrinkage_regularization_strength=0.05)
ProximalGradientDescentOptimizer(0.1, 0.01, 0.02)|ProximalAdagradOptimizer(0.1, 0.1, 0.01, 0.02)""".replace("\n", "|").split("|")


def edge_optimizers(b):
    """Every optimizer on every float type: nodes or refusals; NaN, repeated rows and rows that are not there."""
    b.family("edge_optimizers")
    variable = lambda t: f"v = tf.get_variable('v', dtype=tf.{t}, initializer=tf.constant([[1, -2], [.5, 0], [3, 4]], tf.{t}))\n"
    for o in OPTIMIZERS:
        for t in FLOATS + COMPLEX[:1]:
            for grad in (f"tf.constant([[1, 2], [3, 4], [5, 6]], tf.{t})", f"tf.IndexedSlices(tf.ones([2, 2], tf.{t}), tf.constant([2, 2]), tf.constant([3, 2]))"):
                text = variable(t) + f"opt = tf.train.{o}\ntrain = opt.apply_gradients([({grad}, v)])\n"
                try:
                    program, expected = run_program(text)
                except Exception:
                    refusal(b, text)
                else:
                    b.fam.cases.append(dict(id=b.new_id(), family=b.fam.name, op="program", kind="program", python_call=text, tags=[], program=program, expected=expected))
        rate = f"tf.train.{o.replace('0.1', 'tf.constant(1)', 1)}"
        try:
            program, expected = run_program(variable("float32") + f"train = {rate}.apply_gradients([(tf.ones([3, 2]), v)])\n")
        except Exception:
            refusal(b, variable("float32") + f"train = {rate}.apply_gradients([(tf.ones([3, 2]), v)])\n")
        else:
            b.fam.cases.append(dict(id=b.new_id(), family=b.fam.name, op="program", kind="program", python_call=rate, tags=[], program=program, expected=expected))
        for t in ("float16", "float64") if "Proximal" not in o else ("float32",):
            if "AdagradDA" in o and t == "float16":
                continue
            for grad in (f"tf.constant([[float('nan'), float('inf')], [1e-4, 1e3], [0, -1]], tf.{t})", f"tf.IndexedSlices(tf.constant([[1, 2], [-3, .25]], tf.{t}), tf.constant([2, 2]), tf.constant([3, 2]))",
                         f"tf.IndexedSlices(tf.ones([2, 2], tf.{t}), tf.constant([0, 3]), tf.constant([3, 2]))", f"tf.IndexedSlices(tf.ones([2, 2], tf.{t}), tf.constant([-1, 2]), tf.constant([3, 2]))"):
                call = variable(t) + f"train = tf.train.{o}.apply_gradients([({grad}, v)])\ninit = tf.global_variables_initializer()\n"
                if "[0, 3]" in grad or "[-1, 2]" in grad:
                    failing_step(b, call)
                else:
                    b.steps_case(call, [({}, [], ["init"]), ({}, [], ["train"]), ({}, ["tf.global_variables()"], [])], op=o.split("(")[0])


def failing_step(b, call):
    """What TensorFlow says to a step of training."""
    g = tf.Graph()
    with g.as_default():
        ns = b.namespace()
        exec(compile(call, "<case>", "exec"), ns)
        gd = g.as_graph_def()
        with new_session(g) as s:
            s.run(ns["init"])
            try:
                s.run(ns["train"])
            except tf.errors.OpError as e:
                error = {"class": type(e).__name__, "bases": [c.__name__ for c in type(e).__mro__[1:-1]], "message": core_message(e), "match": "exact", "code": e.error_code}
                steps = [{"feeds": {}, "fetches": [], "targets": [ns["init"].name], "expected": {}}, {"feeds": {}, "fetches": [], "targets": [ns["train"].name], "error": error}]
                b.fam.cases.append(dict(id=b.new_id(), family=b.fam.name, op=ns["train"].type, kind="run_error", python_call=call, tags=[], graph=graph_json(gd), steps=steps, **shape_fields(g, gd)))


def edge_matrices(b):
    """Matrices with NaN, singular and empty ones in each type; transforms of odd sizes; hues outside the circle."""
    b.family("edge_matrices")
    whole = np.array([[5, 1, .5], [1, 4, 1], [.5, 1, 6]])
    calls = []
    for t in ("f", "d", "F", "D"):
        odd = [whole * (1 if t in "fd" else 1 + 0j), np.ones((3, 3)), np.zeros((3, 3)), np.zeros((0, 3, 3)), np.zeros((2, 0, 0)), np.array([[-2.]]), np.diag([1, np.nan, 2]), np.diag([np.nan, 1, 2])]
        late_nan = whole.copy()
        late_nan[2, 2] = np.nan
        for m in odd + [late_nan]:
            z = np.ones(m.shape[:-1] + (2,), t)
            calls += [(f"tf.{c}", dict(x=m.astype(t))) for c in ("matrix_diag_part(tf.cholesky(x))", "svd(x, compute_uv=False)", "matrix_determinant(x)")]
            calls += [("tf.matrix_solve_ls(x, z, fast=False)", dict(x=m.astype(t), z=z))] if not np.isnan(m).any() else []
            if m.size == 0 or m.shape == (1, 1) or t in "fd" and np.isnan(m).any() and not np.isnan(m[0, 0]) or m is odd[0]:
                calls += [("tf.matrix_inverse(x)", dict(x=m.astype(t))), ("tf.matrix_solve(x, z, adjoint=True)", dict(x=m.astype(t), z=z))]
    rows(b, calls, dynamic=0, cmp=(1e-4, 1e-5))
    run_errors(b, [f"tf.{c}(tf.constant({m}, tf.{t}){z})" for t in FLOATS[2:] + COMPLEX for m in ("[[1, 2], [2, 4]]", "[[float('nan'), 0], [0, 1]]") for c, z in (("matrix_inverse", ""), ("matrix_solve", f", tf.ones([2, 1], tf.{t})"))])
    rows(b, [(f"tf.signal.{c}(x)", dict(x=b.f(*s))) for c, s in (("rfft", (0,)), ("rfft", (1,)), ("rfft", (7,)), ("rfft2d", (3, 1)), ("rfft2d", (2, 0, 3)), ("rfft3d", (2, 3, 5)))], dynamic=0)
    for text in ["tf.signal.rfft(tf.ones([4]), [3, 4])", "tf.signal.rfft2d(tf.ones([4]))", "tf.signal.irfft3d(tf.ones([2, 3], tf.complex64))"]:
        refusal(b, "y = " + text)
    pixels = np.array([[[0, 0, 0], [1, 1, 1], [-1, .5, 2], [.5, np.nan, .2], [np.nan, .5, .5], [.3, .3, .3], [2, 0, -1], [-.7, -.2, -.5], [.1, -.4, .9]]], "f")
    rows(b, [(f"tf.image.adjust_hue(x, {d})", dict(x=pixels)) for d in (0., .3, -.9, 1.)] + [("tf.image.rgb_to_hsv(x)", dict(x=pixels[:, :7]))]
         + [(f"tf.image.adjust_hue(x, {d})", dict(x=(pixels[:, 5:] * 90).astype("int32"))) for d in (.25, -.5)], dynamic=0)


def edge_boxes(b):
    """Detections of equal scores; crops and matrices that are refused."""
    b.family("edge_boxes")
    boxes = np.array([[0, 0, 1, 1], [0, .1, 1, 1.1], [0, .1, 1, 1.1], [0, .5, 1, .6], [.2, .5, .4, .7], [0, 2, 1, 3], [1, 1, 0, 0], [0, 0, 0, 0], [.5, .5, .9, .9]], "f")
    calls = []
    for scores in ([.9, .75, .6, .95, .5, .3, .9, .1, .9], [.5] * 9, [.25, .5] * 4 + [.25]):
        x = dict(x=boxes.reshape(1, -1, 1, 4), s=np.array(scores, "f").reshape(1, -1, 1))
        calls += [(f"tf.image.combined_non_max_suppression(x, s, {n}, {n}, {iou})", x) for n in (2, 9) for iou in (.3, .5)]
        calls += [(f"tf.image.non_max_suppression(x[0, :, 0], s[0, :, 0], {n}, {iou})", x) for n in (2, 9) for iou in (.3, 1.)]
    rows(b, calls, dynamic=0)
    for text in ("[0, 0], [2, 2]", "[[0]], [2, 2]", "[0], [2]", "[0], [[2, 2]]"):
        refusal(b, f"y = tf.image.crop_and_resize(tf.ones([2, 4, 5, 2]), [[0., 0., 1., 1.]], {text})")
    for n in ("matrix_determinant", "linalg.slogdet"):
        refusal(b, f"y = tf.{n}(tf.ones([2, 3]))")
    refusal(b, "y = tf.matrix_solve_ls(tf.ones([2, 2], tf.complex128), tf.ones([2, 2], tf.complex128), l2_regularizer=0.5)")


def edge_halves(b):
    """Every ninetieth number of the two half types through functions and the gradients that have ops of their own, to a unit in the last place."""
    b.family("edge_halves")
    calls = []
    for t in FLOATS[:2]:
        d = tf.as_dtype(t).as_numpy_dtype
        x = np.arange(7, 65536, 90).astype("uint16").view(d)
        x = x[(np.abs(x.astype("f8")) > 1e-37) & ~np.isnan(x.astype("f8"))]
        unit = (1e-3, 6e-8) if t == "float16" else (8e-3, 1e-37)
        other = x[np.argsort(np.sin(np.arange(len(x))))]
        for op, names in (("SqrtGrad", "y dy"), ("RsqrtGrad", "y dy"), ("SigmoidGrad", "y dy"), ("TanhGrad", "y dy"), ("LeakyReluGrad", "gradients features"), ("EluGrad", "gradients outputs")):
            small = np.abs(x.astype("f8")) < 1e6
            pair = dict(zip(names.split(), (x[small], other[small])))
            calls.append((f"{RAW}{op}({', '.join(f'{n}={n}' for n in pair)})", pair, {"cmp": unit}))
        for f in ("nn.leaky_relu", "sqrt", "reciprocal", "square", "floor", "rint"):
            calls.append((f"tf.{f}(x)", dict(x=x if t == "float16" else x[np.abs(x.astype("f8")) < 1e30]), {"cmp": unit}))
        calls += [(f"tf.{f}(x)", dict(x=x[np.abs(x.astype("f8")) < 13]), {"cmp": unit}) for f in ("math.softplus", "nn.softsign", "tanh", "erf", "exp") + ("math.bessel_i0", "math.bessel_i1") * (t == "float16")]
    rows(b, calls, dynamic=0, grad=False)


ALL = [edge_values, edge_refusals, edge_sums, edge_rows, edge_second, edge_strings, edge_optimizers, edge_matrices, edge_boxes, edge_halves]
