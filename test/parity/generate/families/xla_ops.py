"""XLA's operations as nodes, as graphs exported from JAX hold them; TensorFlow compiles each where it stands."""
from ..recording import function_case, rows, run_errors
from ..tfenv import tf
from .staging import runs

HEAD = (
    "from tensorflow.compiler.tf2xla.ops import gen_xla_ops as X\nfrom tensorflow.compiler.xla import xla_data_pb2 as P\nfrom tensorflow.python.framework import function\n"
    "dot = lambda *n: P.DotDimensionNumbers(lhs_contracting_dimensions=n[0], rhs_contracting_dimensions=n[1], lhs_batch_dimensions=n[2], rhs_batch_dimensions=n[3]).SerializeToString()\n"
    "conv = lambda a, k, o: P.ConvolutionDimensionNumbers(input_batch_dimension=a[0], input_feature_dimension=a[1], input_spatial_dimensions=a[2:], kernel_input_feature_dimension=k[0], kernel_output_feature_dimension=k[1], kernel_spatial_dimensions=k[2:], output_batch_dimension=o[0], output_feature_dimension=o[1], output_spatial_dimensions=o[2:]).SerializeToString()\n"
    "gat = lambda *n: P.GatherDimensionNumbers(offset_dims=n[0], collapsed_slice_dims=n[1], start_index_map=n[2], index_vector_dim=n[3]).SerializeToString()\n"
    "sca = lambda *n: P.ScatterDimensionNumbers(update_window_dims=n[0], inserted_window_dims=n[1], scatter_dims_to_operand_dims=n[2], index_vector_dim=n[3]).SerializeToString()\n"
    "late = lambda x, t=None: tf.placeholder_with_default(tf.constant(x, t), tf.constant(x, t).shape)\nfn = lambda f, *t: (lambda d: (d.add_to_graph(tf.get_default_graph()), d)[1])(function.Defun(*t)(f))\n"
    "r = np.random.RandomState(7)\nA = lambda *s: late(r.uniform(-2, 2, s).astype('float32'))\nI = lambda *s: late(r.randint(-9, 9, s).astype('int32'))\n"
)


def _x(b, code, *names):
    runs(b, HEAD + code, list(names) or ["y"])


def xla_products(b):
    b.family("xla_products")
    for l, r_, n in (("A(2, 3)", "A(3, 4)", "[1], [0], [], []"), ("A(2, 3, 4)", "A(2, 4, 5)", "[2], [1], [0], [0]"), ("A(3, 2, 4)", "A(4, 2, 3, 5)", "[0, 2], [2, 0], [1], [1]"), ("A(3)", "A(4)", "[], [], [], []"), ("A(5)", "A(5)", "[0], [0], [], []")):
        _x(b, f"y = X.xla_dot(lhs={l}, rhs={r_}, dimension_numbers=dot({n}), precision_config='')\n")
        _x(b, f"y = X.xla_dot_v2(lhs={l}, rhs={r_}, dimension_numbers=dot({n}), precision_config='', preferred_element_type=tf.float32)\n")
    _x(b, "y = X.xla_dot_v2(lhs=tf.cast(I(2, 3), tf.int8), rhs=tf.cast(I(3, 2), tf.int8), dimension_numbers=dot([1], [0], [], []), precision_config='', preferred_element_type=tf.int32)\n")
    _x(b, "y = X.xla_einsum(a=A(2, 3, 4), b=A(2, 4, 5), equation='bij,bjk->bki')\nz = X.xla_einsum(a=A(3, 4), b=A(4), equation='ij,j->i')\n", "y", "z")
    _x(b, "a, k = tf.complex(A(1, 2), -A(1, 2)), tf.complex(A(2, 3), A(2, 3) * 2.)\ny = X.xla_einsum(a=a, b=k, equation='ij,jk->ki')\ng = tf.gradients(y, [a, k], grad_ys=tf.complex(A(3, 1), 1. + A(3, 1)))\ny = g[0]\nz = g[1]\n", "y", "z")
    for a, k, d, o in (("A(2, 7, 6, 3)", "A(3, 2, 3, 4)", "conv([0, 3, 1, 2], [2, 3, 0, 1], [0, 3, 1, 2])", "[2, 1], [[1, 1], [0, 1]], [1, 1], [1, 1], 1"),
                       ("A(2, 3, 7, 6)", "A(4, 3, 3, 2)", "conv([0, 1, 2, 3], [1, 0, 2, 3], [0, 1, 2, 3])", "[1, 1], [[2, -1], [1, 1]], [2, 1], [1, 2], 1"),
                       ("A(2, 5, 5, 4)", "A(3, 3, 2, 6)", "conv([0, 3, 1, 2], [2, 3, 0, 1], [0, 3, 1, 2])", "[1, 1], [[0, 0], [0, 0]], [1, 1], [1, 1], 2"),
                       ("A(4, 9, 3)", "A(4, 3, 2)", "conv([0, 2, 1], [1, 2, 0], [1, 2, 0])", "[3], [[1, 2]], [1], [1], 1")):
        _x(b, f"k = {a}, {k}\ns = {o}\ny = X.xla_conv(lhs=k[0], rhs=k[1], window_strides=s[0], padding=s[1], lhs_dilation=s[2], rhs_dilation=s[3], feature_group_count=s[4], dimension_numbers={d}, precision_config='')\n"
              f"z = X.xla_conv_v2(lhs=k[0], rhs=k[1], window_strides=s[0], padding=s[1], lhs_dilation=s[2], rhs_dilation=s[3], feature_group_count=s[4], dimension_numbers={d}, precision_config='', preferred_element_type=tf.float32, batch_group_count=1)\n", "y", "z")
    _x(b, "y = X.xla_conv_v2(lhs=A(4, 5, 5, 2), rhs=A(3, 3, 2, 6), window_strides=[1, 1], padding=[[0, 0], [1, 0]], lhs_dilation=[1, 1], rhs_dilation=[1, 1], feature_group_count=1, dimension_numbers=conv([0, 3, 1, 2], [2, 3, 0, 1], [0, 3, 1, 2]), precision_config='', preferred_element_type=tf.float32, batch_group_count=2)\n")


def xla_pieces(b):
    b.family("xla_pieces")
    for lo, hi, mid in (([1, 0], [0, 2], [0, 1]), ([-1, 2], [1, -2], [2, 0]), ([0, 0], [0, 0], [0, 0]), ([-2, -1], [-1, -1], [1, 1])):
        _x(b, f"y = X.xla_pad(input=A(3, 4), padding_value=late(9.), padding_low={lo}, padding_high={hi}, padding_interior={mid})\n")
    for at in ([0, 0], [1, 2], [5, -3]):
        _x(b, f"y = X.xla_dynamic_slice(input=A(4, 5), start_indices=late({at}), size_indices=[2, 3])\nz = X.xla_dynamic_update_slice(input=I(4, 5), update=I(2, 3), indices=late({at}))\n", "y", "z")
    for x, i, s, n in (("A(5, 4)", "[0, 3, 9]", "[1, 4]", "[1], [0], [0], 1"), ("A(5, 4)", "[[0, 1], [4, 3], [-2, 7]]", "[2, 3]", "[1, 2], [], [0, 1], 1"),
                       ("A(3, 4, 5)", "[[[1], [2]], [[0], [3]]]", "[3, 1, 2]", "[0, 3], [1], [1], 2"), ("I(6)", "[[5, 0, 2]]", "[1]", "[], [0], [0], 2"), ("A(3, 4)", "[[0, 2], [3, 1]]", "[1, 1]", "[], [0, 1], [1, 0], 0")):
        _x(b, f"y = X.xla_gather(operand={x}, start_indices=late({i}), slice_sizes={s}, dimension_numbers=gat({n}), indices_are_sorted=False)\n")
    for t, f in (("float32", "x + u"), ("float32", "u"), ("int32", "tf.maximum(x, u)"), ("float32", "x * u"), ("int32", "tf.minimum(u, x)"), ("float32", "x - u")):
        for x, i, u, n in (("5, 4", "[0, 3, 3, 9]", "4, 4", "[1], [0], [0], 1"), ("5, 4", "[[0, 1], [4, 3], [1, 2], [-1, 0]]", "4, 2, 2", "[1, 2], [], [0, 1], 1"), ("6,", "[[5], [0], [5]]", "3,", "[], [0], [0], 1")):
            a = "I" if t == "int32" else "A"
            _x(b, f"y = X.xla_scatter(operand={a}({x}), scatter_indices=late({i}), updates={a}({u}), update_computation=fn(lambda x, u: {f}, tf.{t}, tf.{t}), dimension_numbers=sca({n}), indices_are_sorted=False)\n")
    _x(b, "y = X.xla_broadcast_helper(lhs=A(2, 3, 4), rhs=A(3), broadcast_dims=[1])\nz = X.xla_broadcast_helper(lhs=A(4), rhs=A(3, 4), broadcast_dims=[1])\nw = X.xla_broadcast_helper(lhs=A(2), rhs=A(2), broadcast_dims=tf.zeros([0], tf.int32))\n", "y", "z", "w")
    odd = "late([1.23456789, 1e30, -3., 1e-30, np.nan, np.inf, -np.inf, 0., -0., 65519., 65520., 6e-5, 6.1035156e-05, 1.0009766, 1.00048828125, 3.0014648, 1e-40])"
    for e, m in ((5, 10), (8, 7), (5, 2), (4, 3), (8, 23), (8, 10), (11, 52)):
        _x(b, f"y = X.xla_reduce_precision(operand={odd}, exponent_bits={e}, mantissa_bits={m})\n")
    _x(b, "y = X.xla_sharding(input=A(2), sharding='')\nz = X.xla_optimization_barrier(input=[A(2), I(3)])\nd = tf.gradients(y * y, y.op.inputs[0])\n", "y", "z", "d")


def xla_reductions(b):
    b.family("xla_reductions")
    for t, f, i in (("float32", "x + y", "0."), ("float32", "x * y", "1."), ("int32", "tf.maximum(x, y)", "-2**31"), ("float32", "tf.minimum(x, y)", "np.inf"), ("float32", "x + y", "2.5"), ("int32", "tf.bitwise.bitwise_or(x, y)", "0")):
        a = "I" if t == "int32" else "A"
        c = f"fn(lambda x, y: {f}, tf.{t}, tf.{t})"
        _x(b, f"k = {a}(3, 5, 4)\ny = X.xla_reduce(input=k, init_value=tf.constant({i}, tf.{t}), dimensions_to_reduce=[1], reducer={c})\nz = X.xla_reduce(input=k, init_value=tf.constant({i}, tf.{t}), dimensions_to_reduce=[0, 1, 2], reducer={c})\nw = X.xla_variadic_reduce(input=[k, k], init_value=[tf.constant({i}, tf.{t})] * 2, dimensions_to_reduce=[2, 0], reducer=fn(lambda a, b, x, y: ((lambda x, y: {f})(a, x), (lambda x, y: {f})(b, y)), *[tf.{t}] * 4))\n", "y", "z", "w")
        for o in ("[2, 3], [1, 2], [1, 1], [1, 1], [[0, 0], [0, 0]]", "[3, 2], [2, 1], [1, 1], [1, 2], [[1, 1], [0, 2]]", "[2, 2], [1, 1], [2, 1], [1, 1], [[1, 0], [0, 0]]"):
            _x(b, f"o = {o}\ny = X.xla_reduce_window(input={a}(5, 6), init_value=tf.constant({i}, tf.{t}), window_dimensions=o[0], window_strides=o[1], base_dilations=o[2], window_dilations=o[3], padding=o[4], computation={c})\n")
    best = "fn(lambda v, i, w, j: (tf.where(v >= w, v, w), tf.where(tf.logical_or(v > w, tf.logical_and(tf.equal(v, w), i < j)), i, j)), tf.float32, tf.int32, tf.float32, tf.int32)"
    _x(b, f"y = X.xla_variadic_reduce_v2(inputs=[late([[1., 3., 3.], [-2., -5., -2.]]), late([[0, 1, 2], [0, 1, 2]])], init_values=[tf.constant(-np.inf, tf.float32), 0], dimensions_to_reduce=[1], reducer={best})\n")
    _x(b, "y = X.xla_reduce(input=tf.zeros([0, 3]), init_value=4., dimensions_to_reduce=[0], reducer=fn(lambda x, y: x + y, tf.float32, tf.float32))\n")


def xla_sorts(b):
    b.family("xla_sorts")
    _x(b, "y = X.xla_sort(input=A(3, 7))\nz = X.xla_sort(input=I(9))\nw = X.xla_key_value_sort(keys=I(2, 8), values=A(2, 8))\n", "y", "z", "w[0]")
    for n in (1, 2, 5, 8, 13):
        _x(b, f"y = X.xla_variadic_sort(inputs=[I(3, {n}), A(3, {n})], dimension=1, comparator=fn(lambda a, b, c, d: a < b, tf.int32, tf.int32, tf.float32, tf.float32), is_stable=True)\n")
    _x(b, "y = X.xla_variadic_sort(inputs=[A(6, 2)], dimension=0, comparator=fn(lambda a, b: a > b, tf.float32, tf.float32), is_stable=False)\n")
    _x(b, "y = X.xla_variadic_sort(inputs=[I(20), I(20)], dimension=0, comparator=fn(lambda a, b, c, d: tf.logical_or(a < b, tf.logical_and(tf.equal(a, b), c > d)), *[tf.int32] * 4), is_stable=False)\n")
    _x(b, "y = X.xla_while(input=[late(0), A(2)], cond=fn(lambda i, x: i < 5, tf.int32, tf.float32), body=fn(lambda i, x: (i + 1, x * 1.5), tf.int32, tf.float32))\n")


ALL = [xla_products, xla_pieces, xla_reductions, xla_sorts]
