"""Zeros of both signs, NaN, infinities and bounds that say nothing: what TensorFlow's kernels make of them, bit by bit."""
from ..tfenv import np, tf

nan, inf = np.nan, np.inf
FLOATS = ["float32", "float64", "float16", tf.bfloat16.as_numpy_dtype]


def edge_numbers(b):
    b.family("edge_numbers")

    def case(call, grad=None, cmp="bits", **inputs):
        b.case(call, inputs=inputs, grad=grad, cmp=cmp, gcmp=cmp, dynamic=0)

    for dt in FLOATS:
        rows = np.array([[nan, -inf], [nan, inf], [-inf, nan], [inf, nan], [nan, nan], [1, nan], [nan, 1]], dt)
        long = np.array([[nan] * 17 + [-inf] * 3, [nan] * 17 + [inf] * 3, [nan, -inf] * 10], dt)
        for op in ("argmax", "argmin"):
            case(f"[tf.{op}(x, 0), tf.{op}(x, 1), tf.{op}(y, 1)]", x=rows, y=long)
        vectors = [[0., -0., 0.], [-0., 0.], [nan, nan, 1, nan]]
        for v in vectors:
            case("list(tf.unique_with_counts(x)) + list(tf.setdiff1d(x, y))", x=np.array(v, dt), y=np.array([-0., nan], dt))
            case("list(tf.raw_ops.UniqueV2(x=x, axis=[1]))", x=np.array([v, v], dt))
        g = np.array([nan, inf, -inf, 0., -0., 1., -1.])
        t, low, high = (m.reshape(-1).astype(dt) for m in np.meshgrid(g, g, g))
        case("tf.raw_ops.ClipByValue(t=t, clip_value_min=low, clip_value_max=high)", t=t, low=low, high=high)
        x, y = (m.reshape(-1).astype(dt) for m in np.meshgrid(g, g))
        case("[tf.math.xdivy(x, y), tf.math.xlogy(x, tf.abs(y)), tf.raw_ops.Xlog1py(x=x, y=tf.abs(y))]", x=x, y=y)
        zero = np.array([0., -0.] * 4, dt)
        case("[tf.raw_ops.InvGrad(y=y, dy=dy), tf.raw_ops.ReciprocalGrad(y=y, dy=dy)]", y=np.array([inf, -inf, nan, inf, 0, 1, -1, -0.], dt), dy=zero)
        p = np.array([[nan, 1, 2, 3], [4, nan, -inf, inf], [0, -0., nan, nan], [-inf, -inf, nan, nan]], dt)
        for k in range(4):
            image = np.rot90(p, k).reshape(1, 4, 4, 1).copy()
            weight = np.arange(1, 17).astype(dt)
            for size in (2, 3, 4):
                for padding, stride in (("SAME", 2), ("VALID", 1)):
                    call = (f"w = [1, {size}, {size}, 1]; s = [1, {stride}, {stride}, 1]; top = tf.nn.max_pool(x, w, s, '{padding}'); "
                            "g = tf.reshape(v[:tf.size(top)], tf.shape(top)); "
                            f"y = [tf.raw_ops.MaxPoolGrad(orig_input=x, orig_output=top, grad=g, ksize=w, strides=s, padding='{padding}')]"
                            f" + list(tf.raw_ops.MaxPoolWithArgmax(input=x, ksize=w, strides=s, padding='{padding}'))")
                    case(call, cmp="exact", x=image, v=weight)
    for dt in ("int32", "uint8"):
        lowest = np.iinfo(dt).min
        image = np.full((1, 3, 3, 1), lowest, dt)
        case("tf.raw_ops.MaxPoolGrad(orig_input=x, orig_output=tf.nn.max_pool(x, 3, 2, 'SAME'), grad=g, ksize=[1, 3, 3, 1],"
             " strides=[1, 2, 2, 1], padding='SAME')", x=image, g=np.arange(1, 5).reshape(1, 2, 2, 1).astype(dt))

    # Functions of complex numbers that TensorFlow takes one by one, as C's library does.
    g = np.array([0., -0., 1., -1., .5, inf, -inf, nan, 1e-3, 3., -700., 1e30])
    z = np.array([complex(p, q) for p in g for q in g])
    for dt, near in (("complex64", (1e-5, 0.)), ("complex128", (1e-11, 0.))):
        for f in "sin cos tan sinh cosh tanh asin acos atan asinh acosh atanh".split():
            case(f"tf.math.{f}(x)", cmp=near, x=z.astype(dt))
        p, q = (m.reshape(-1).astype(dt) for m in np.meshgrid(*[np.array([complex(p, q) for p in (0., 1., -2., inf, nan) for q in (0., -0., 1., -inf)])] * 2))
        case("tf.pow(x, y)", cmp=near, x=p, y=q)

    # Bounds without a range, or on one side of zero.
    x = np.array([-300., -1.5, -1, -.5, -0., 0, .25, .5, 1, 1.5, 255, 300, inf, -inf], np.float32)
    carriers = {"qint8": "int8", "quint8": "uint8", "qint16": "int16", "quint16": "uint16", "qint32": "int32"}
    for q, carrier in carriers.items():
        for mode in ("MIN_COMBINED", "MIN_FIRST", "SCALED"):
            for low, high in ((0, 0), (-1, 0), (-5, -2), (1, 2), (-255, 0), (0, 255), (1, 1)):
                for narrow in ((False, True) if mode == "SCALED" and high > 0 else (False,)):
                    case(f"q = tf.raw_ops.QuantizeV2(input=x, min_range={low}., max_range={high}., T=tf.{q}, mode='{mode}', "
                         f"narrow_range={narrow}); y = [tf.bitcast(q[0], tf.{carrier}), q[1], q[2]]", cmp=(2e-7, 0.), x=x)

    # Half way between two steps.
    for bits in (2, 4, 8):
        for low, high in ((0., 1.), (-1., 0.), (-1., 1.), (0., 6.), (-.5, 2.5), (-5., 0.), (-3.3, 4.7)):
            x = np.concatenate([np.linspace(low - .5, high + .5, 73), low + (np.arange(2 ** bits - 1) + .5) * (high - low) / (2 ** bits - 1)])
            width = f"num_bits={bits}, narrow_range={bits == 4}"
            case(f"[tf.fake_quant_with_min_max_args(x, {low}, {high}, {width}), tf.fake_quant_with_min_max_vars(x, {low}, {high}, {width})]",
                 cmp=(1e-6, 1e-7), x=x.astype(np.float32))

    for matrix in ([[inf]], [[-inf]], [[inf, 1], [1, 2]], [[1, 0], [0, -inf]], [[nan, 0], [0, 1]], [[1, 0], [0, nan]]):
        for dt in ("float32", "float64"):
            case("list(tf.linalg.slogdet(x)) + [tf.matrix_determinant(x)]", x=np.array(matrix, dt))
    for matrix in ([[nan, 1], [1, 2]], [[1, nan], [1, 2]], [[inf, 1], [1, 2]]):
        for l2 in (0., .5):
            for dt in ("float32", "complex64"):
                case(f"tf.raw_ops.MatrixSolveLs(matrix=x, rhs=y, l2_regularizer=tf.constant({l2}, tf.float64))", x=np.array(matrix, dt), y=np.ones((2, 1), dt))


ALL = [edge_numbers]
